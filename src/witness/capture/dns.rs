//! A DNS query (RFC 1035, section 4).

use super::{Capture, CaptureError, Flow, Turn};

/// The longest label, in bytes (RFC 1035, section 2.3.4).
const LABEL: usize = 63;
/// The longest name, in bytes on the wire: its labels, a length byte before each, and the root's zero.
const NAME: usize = 255;
/// One standard query, with recursion desired: identifier 1, one question, no records.
const HEADER: [u8; 12] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
/// The end of a question: class IN.
const CLASS: [u8; 2] = [0, 1];

/// What is asked for (RFC 1035, section 3.2.2; RFC 3596).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RecordType {
    /// The IPv4 addresses of a name.
    A = 1,
    /// The IPv6 addresses of a name.
    Aaaa = 28,
}

impl Capture {
    /// The client asks the server for the addresses of `name`, over UDP. A trailing dot is the root and changes nothing.
    ///
    /// # Errors
    /// [`CaptureError::DnsName`], [`CaptureError::AddressFamilies`].
    pub fn dns_query(&mut self, flow: Flow, name: &str, kind: RecordType) -> Result<(), CaptureError> {
        self.udp(flow, &query(name, kind)?)
    }

    /// The same over TCP, where its length stands in front of the message (section 4.2.2).
    ///
    /// # Errors
    /// [`CaptureError::DnsName`], [`CaptureError::AddressFamilies`].
    pub fn dns_query_over_tcp(&mut self, flow: Flow, name: &str, kind: RecordType) -> Result<(), CaptureError> {
        let message = query(name, kind)?;
        let length = u16::try_from(message.len()).map_err(|_| CaptureError::TooLong("a question"))?;
        self.tcp(flow, &[Turn::Client(&[&length.to_be_bytes(), message.as_slice()].concat())])
    }
}

fn query(name: &str, kind: RecordType) -> Result<Vec<u8>, CaptureError> {
    let mut message = HEADER.to_vec();
    write_name(&mut message, name)?;
    message.extend_from_slice(&[0, kind as u8]);
    message.extend_from_slice(&CLASS);
    Ok(message)
}

fn write_name(message: &mut Vec<u8>, name: &str) -> Result<(), CaptureError> {
    let refused = || CaptureError::DnsName(name.to_owned());
    let start = message.len();
    for label in name.strip_suffix('.').unwrap_or(name).split('.') {
        let length =
            u8::try_from(label.len()).ok().filter(|_| (1..=LABEL).contains(&label.len())).ok_or_else(refused)?;
        message.push(length);
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
    if message.len() - start > NAME { Err(refused()) } else { Ok(()) }
}
