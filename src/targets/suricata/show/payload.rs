//! Payloads: what is said in a conversation.

use etherparse::IpNumber;

use crate::witness::capture::{
    Capture, CaptureError, Flow, Turn,
    dns::RecordType,
    http::{Request, Response},
    smtp::Mail,
};

/// What is said.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Payload {
    /// TCP in which the client, the server, the client, … say this; a connection without a word where it is empty.
    Tcp { port: u16, turns: Vec<Vec<u8>>, server_first: bool },
    /// The first packet of a TCP conversation.
    Attempt,
    /// One datagram.
    Udp { port: u16, payload: Vec<u8> },
    /// A message of ICMP with this type and code; an echo request where there is none.
    Icmp(Option<(u8, u8)>),
    /// A packet of another protocol.
    Ip(IpNumber),
    /// The question for the address of a name, over TCP or UDP.
    Query { name: String, over_tcp: bool },
    /// The beginning of a TLS session with this server name, up to the server's certificate if there is one.
    Tls { name: String, certificate: Option<Vec<u8>> },
    /// A request and its answer.
    Http(Box<Exchanged>),
    /// A mail.
    Mail(Box<Mailed>),
}

/// A request over HTTP and the answer to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Exchanged {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) version: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) answer_headers: Vec<(String, String)>,
    pub(super) answer: Vec<u8>,
}

/// A mail on its way to its server.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mailed {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Payload {
    /// TCP without a word.
    pub(super) fn connection() -> Self {
        Self::Tcp { port: 8008, turns: Vec::new(), server_first: false }
    }

    /// The server's port, where none was seen.
    pub(super) fn port(&self) -> u16 {
        match self {
            Self::Tcp { port, .. } | Self::Udp { port, .. } => *port,
            Self::Attempt => 8008,
            Self::Icmp(_) | Self::Ip(_) => 0,
            Self::Query { .. } => 53,
            Self::Tls { .. } => 443,
            Self::Http(_) => 80,
            Self::Mail(_) => 25,
        }
    }

    /// Puts it into a capture.
    ///
    /// # Errors
    /// It can't be said between such ends, or not at all.
    pub(super) fn write(&self, capture: &mut Capture, flow: Flow) -> Result<(), CaptureError> {
        match self {
            Self::Tcp { turns, server_first, .. } => {
                let turn = |(number, bytes)| {
                    let bytes: &Vec<u8> = bytes;
                    if (number % 2 == 0) == *server_first { Turn::Server(bytes) } else { Turn::Client(bytes) }
                };
                capture.tcp(flow, &turns.iter().enumerate().map(turn).collect::<Vec<_>>())
            }
            Self::Udp { payload, .. } => capture.udp(flow, payload),
            Self::Attempt => capture.tcp_syn(flow),
            Self::Icmp(None) => capture.ping(flow),
            Self::Icmp(Some((kind, code))) => capture.icmp(flow, *kind, *code),
            Self::Ip(protocol) => capture.ip(flow, *protocol),
            Self::Query { name, over_tcp } => {
                let kind = if flow.server.is_ipv4() { RecordType::A } else { RecordType::Aaaa };
                if *over_tcp {
                    capture.dns_query_over_tcp(flow, name, kind)
                } else {
                    capture.dns_query(flow, name, kind)
                }
            }
            Self::Tls { name, certificate: None } => capture.tls_client_hello(flow, name),
            Self::Tls { name, certificate: Some(certificate) } => capture.tls_certificate(flow, name, certificate),
            Self::Http(exchanged) => {
                let (headers, answers) = (borrowed(&exchanged.headers), borrowed(&exchanged.answer_headers));
                let Exchanged { method, target, version, body, answer, .. } = &**exchanged;
                let request = Request { method, target, version, headers: &headers, body };
                capture.http(flow, request, Response { headers: &answers, body: answer })
            }
            Self::Mail(mailed) => {
                let headers = borrowed(&mailed.headers);
                let Mailed { from, to, body, .. } = &**mailed;
                capture.smtp(flow, Mail { from, to, headers: &headers, body })
            }
        }
    }
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
