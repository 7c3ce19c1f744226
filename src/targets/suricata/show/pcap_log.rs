//! Writes many sessions into one capture, far enough apart for flows to time out.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use super::{Ends, Exchange, Session, payload::Payload};
use crate::witness::capture::{Capture, CaptureError, Flow};

/// The pause behind each session, in which all that a sensor remembers of a conversation without an end times out.
const PAUSE: Duration = Duration::from_secs(900);
/// The first of the ports that no service has (RFC 6335, section 6), and how many there are.
pub(super) const FIRST_PORT: u16 = 49_152;
const PORTS: u16 = 16_384;
/// Hosts of ours are in 100.64.0.0/10 (RFC 6598) and fd5a::/16 (RFC 4193), servers in the ranges for benchmarks
/// (RFC 2544, RFC 5180): patterns seldom name them.
const HOSTS: u32 = 0x6440_0000;
const HOSTS_6: u128 = 0xfd5a << 112;
const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 0, 1));
const SERVER_6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 1));

/// A capture of many sessions.
#[derive(Debug, Clone, Default)]
pub struct PcapLog {
    capture: Capture,
    starts: Vec<u64>,
    hosts: u32,
    ports: u16,
}

/// Where a session is in the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its number: that of all sessions before it.
    pub number: usize,
    /// How many of its conversations went over the wire; the others can't be: an IPv4 client of an IPv6 server.
    pub conversations: usize,
}

impl PcapLog {
    /// An empty capture.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends `session`, and lets at least `pause` pass.
    pub fn append(&mut self, session: &Session, pause: Duration) -> Appended {
        // Windows of rules are whole seconds, so each session starts with one.
        let late = self.capture.now() % 1_000_000;
        self.capture.wait(Duration::from_micros(1_000_000 - late));
        let start = self.capture.now();
        self.starts.push(start);
        let first = self.hosts;
        let mut conversations = 0;
        for exchange in &session.exchanges {
            let due = start.saturating_add(exchange.after);
            self.capture.wait(Duration::from_micros(due.saturating_sub(self.capture.now())));
            let host = first.wrapping_add(u32::try_from(exchange.host).unwrap_or_default());
            self.hosts = self.hosts.max(host.wrapping_add(1));
            // What can't go over the wire does not show.
            conversations += usize::from(self.converse(exchange, host).is_ok());
        }
        self.capture.wait(pause.max(PAUSE));
        Appended { number: self.starts.len() - 1, conversations }
    }

    /// The number of the session that was going on at a time, in microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn at(&self, time: u64) -> Option<usize> {
        self.starts.partition_point(|start| *start <= time).checked_sub(1)
    }

    /// When a session, by its number, was going on, in microseconds since 1970-01-01T00:00:00Z: its first moment, and the
    /// first one of the next.
    #[must_use]
    pub fn span(&self, number: usize) -> (u64, u64) {
        let start = |number: usize| self.starts.get(number).copied();
        (start(number).unwrap_or(u64::MAX), start(number + 1).unwrap_or(u64::MAX))
    }

    /// The capture as the bytes of a pcap file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.capture.bytes()
    }

    fn converse(&mut self, exchange: &Exchange, host: u32) -> Result<(), CaptureError> {
        self.ports = (self.ports + 1) % PORTS;
        let flow = flow(exchange.way.ends, &exchange.way.payload, host, FIRST_PORT + self.ports);
        exchange.way.payload.write(&mut self.capture, flow)
    }
}

/// The flow between the ends that were seen; what was not is the host of ours with this number and a server of no
/// interest.
fn flow(ends: Ends, payload: &Payload, host: u32, port: u16) -> Flow {
    let six = ends.client.or(ends.server).map_or(ends.six, |address| address.is_ipv6());
    let ours = if six {
        IpAddr::V6(Ipv6Addr::from_bits(HOSTS_6 | u128::from(host)))
    } else {
        IpAddr::V4(Ipv4Addr::from_bits(HOSTS | (host & 0x3f_ffff)))
    };
    let (client, server) = match (ends.client, ends.server) {
        (None, None) => (ours, if six { SERVER_6 } else { SERVER }),
        (None, Some(server)) => (ours, server),
        // Someone else opened it, so it was opened to us.
        (Some(client), None) => (client, ours),
        (Some(client), Some(server)) => (client, server),
    };
    Flow {
        client: SocketAddr::new(client, ends.client_port.unwrap_or(port)),
        server: SocketAddr::new(server, ends.server_port.unwrap_or(payload.port())),
    }
}
