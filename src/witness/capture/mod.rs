//! Packet captures that show one behaviour after another: what a network rule must alert on.
//!
//! A [`Capture`] is a file in the classic pcap format (link type RAW: each packet begins with its IP header).
//! Every conversation is complete: a three-way handshake, acknowledgements, valid checksums, a close.
//! [`Capture::flow_to`] gives each conversation a client address of its own, so that an alert names the
//! conversation that caused it. Time is the capture's own: it starts at a fixed moment and moves ten
//! microseconds a packet, and by [`Capture::wait`], so the same calls make the same bytes.

mod conversation;
pub mod dns;
pub mod http;
pub mod smtp;
pub mod tls;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use etherparse::{IpHeaders, IpNumber, PacketBuilder, PacketBuilderStep, err::packet::BuildVecWriteError};
use thiserror::Error;

use conversation::Conversation;

/// The first 24 bytes of a capture: little endian, microseconds, version 2.4, packets to 256 KiB, link type 101 (RAW).
const HEADER: [u8; 24] = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0];
/// The length of what stands in front of each packet: two numbers for its time, two for its length.
const RECORD: usize = 16;
/// Where the clock of each capture starts: 2024-01-01T00:00:00Z, in microseconds since 1970.
const START: u64 = 1_704_067_200_000_000;
/// How far the clock moves with each packet, in microseconds.
const STEP: u64 = 10;
/// The hop limit that common systems start with.
const HOPS: u8 = 64;
/// The first of the ports that no service has (RFC 6335, section 6).
const FIRST_DYNAMIC_PORT: u16 = 49_152;

/// Why a behaviour can't be put on the wire.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// One end has an IPv4 address and the other an IPv6 address.
    #[error("{client} and {server} are of different address families")]
    AddressFamilies {
        /// The end that speaks first.
        client: IpAddr,
        /// The other end.
        server: IpAddr,
    },
    /// Not a name that a DNS message can carry (RFC 1035, section 3.1: labels of 1 to 63 bytes, 255 in all).
    #[error("`{0}` is not a name that DNS can carry")]
    DnsName(String),
    /// A field is longer than its length prefix can say.
    #[error("{0} is too long for its place on the wire")]
    TooLong(&'static str),
    /// A line of a text protocol holds a line break, which would make it two.
    #[error("{0} holds a line break")]
    LineBreak(&'static str),
    /// The packet could not be built.
    #[error(transparent)]
    Packet(#[from] BuildVecWriteError),
}

/// The two ends of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// The end that speaks first.
    pub client: SocketAddr,
    /// The end that answers.
    pub server: SocketAddr,
}

impl Flow {
    /// The same conversation seen from the other end.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self { client: self.server, server: self.client }
    }
}

/// What one end of a conversation says before the other does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn<'a> {
    /// The end that opened it.
    Client(&'a [u8]),
    /// The other end.
    Server(&'a [u8]),
}

/// A packet capture in the making.
#[derive(Debug, Clone)]
pub struct Capture {
    bytes: Vec<u8>,
    clock: u64,
    clients: u32,
}

impl Default for Capture {
    fn default() -> Self {
        Self { bytes: HEADER.to_vec(), clock: START, clients: 0 }
    }
}

impl Capture {
    /// An empty capture.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The capture as the bytes of a pcap file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// When the next packet will be, in microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.clock
    }

    /// Lets `pause` pass before the next packet.
    pub fn wait(&mut self, pause: Duration) {
        self.clock = self.clock.saturating_add(u64::try_from(pause.as_micros()).unwrap_or(u64::MAX));
    }

    /// A flow to `server` from a client that no flow of this capture had before and that is not the server:
    /// 10.0.0.1, 10.0.0.2, …, or fd00::1, fd00::2, … where the server has an IPv6 address. After 2^24 they repeat.
    pub fn flow_to(&mut self, server: SocketAddr) -> Flow {
        self.clients = (self.clients + 1) & 0x00ff_ffff;
        let client = match server.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 | self.clients)),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(0xfd00 << 112 | u128::from(self.clients))),
        };
        if client == server.ip() {
            return self.flow_to(server);
        }
        let [_, _, high, low] = self.clients.to_be_bytes();
        let port = FIRST_DYNAMIC_PORT | (u16::from_be_bytes([high, low]) & 0x3fff);
        Flow { client: SocketAddr::new(client, port), server }
    }

    /// One packet to a TCP port: a connection attempt that nobody answers.
    ///
    /// # Errors
    /// [`CaptureError::AddressFamilies`].
    pub fn tcp_syn(&mut self, flow: Flow) -> Result<(), CaptureError> {
        let first = self.sequence_number();
        let packet = addressed(flow)?.tcp(flow.client.port(), flow.server.port(), first, u16::MAX).syn();
        self.record(|bytes| packet.write_to_vec(bytes, &[]))
    }

    /// Where a conversation that begins now starts to count its bytes. It goes with the clock (RFC 9293, section 3.4.1),
    /// so that a later conversation between the same ports is another one.
    fn sequence_number(&self) -> u32 {
        // The lower half: it counts around.
        ((self.clock / STEP) & u64::from(u32::MAX)) as u32
    }

    /// One UDP datagram with this payload.
    ///
    /// # Errors
    /// [`CaptureError::AddressFamilies`], [`CaptureError::Packet`] if the payload does not fit in a datagram.
    pub fn udp(&mut self, flow: Flow, payload: &[u8]) -> Result<(), CaptureError> {
        let packet = addressed(flow)?.udp(flow.client.port(), flow.server.port());
        self.record(|bytes| packet.write_to_vec(bytes, payload))
    }

    /// An echo request, as ping sends it. The ports of the flow don't matter.
    ///
    /// # Errors
    /// [`CaptureError::AddressFamilies`].
    pub fn ping(&mut self, flow: Flow) -> Result<(), CaptureError> {
        self.icmp(flow, if flow.server.is_ipv4() { 8 } else { 128 }, 0)
    }

    /// One message of ICMP, or of ICMPv6 between such addresses. The ports of the flow don't matter.
    ///
    /// # Errors
    /// [`CaptureError::AddressFamilies`].
    pub fn icmp(&mut self, flow: Flow, kind: u8, code: u8) -> Result<(), CaptureError> {
        let packet = addressed(flow)?;
        // What an echo has here: an identifier and a number.
        let rest = [0, 1, 0, 1];
        if flow.server.is_ipv4() {
            let packet = packet.icmpv4_raw(kind, code, rest);
            self.record(|bytes| packet.write_to_vec(bytes, &[]))
        } else {
            let packet = packet.icmpv6_raw(kind, code, rest);
            self.record(|bytes| packet.write_to_vec(bytes, &[]))
        }
    }

    /// A TCP conversation in which the ends say these things in turn; nothing at all, where there are none.
    ///
    /// # Errors
    /// [`CaptureError::AddressFamilies`].
    pub fn tcp(&mut self, flow: Flow, turns: &[Turn<'_>]) -> Result<(), CaptureError> {
        self.converse(flow, |conversation| {
            turns.iter().try_for_each(|turn| match turn {
                Turn::Client(bytes) => conversation.client_sends(bytes),
                Turn::Server(bytes) => conversation.server_sends(bytes),
            })
        })
    }

    /// One packet of any other protocol, without a payload. The ports of the flow don't matter.
    ///
    /// # Errors
    /// [`CaptureError::AddressFamilies`].
    pub fn ip(&mut self, flow: Flow, protocol: IpNumber) -> Result<(), CaptureError> {
        let packet = addressed(flow)?;
        self.record(|bytes| packet.write_to_vec(bytes, protocol, &[]))
    }

    /// A TCP conversation: opened here, closed when `talk` returns.
    fn converse(
        &mut self,
        flow: Flow,
        talk: impl FnOnce(&mut Conversation<'_>) -> Result<(), CaptureError>,
    ) -> Result<(), CaptureError> {
        let mut conversation = Conversation::open(self, flow)?;
        talk(&mut conversation)?;
        conversation.close()
    }

    /// Adds the packet that `write` writes; none if it fails.
    fn record(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), BuildVecWriteError>,
    ) -> Result<(), CaptureError> {
        let seconds = u32::try_from(self.clock / 1_000_000).map_err(|_| CaptureError::TooLong("the capture's time"))?;
        let microseconds = u32::try_from(self.clock % 1_000_000).unwrap_or_default();
        let mut packet = Vec::new();
        write(&mut packet)?;
        let length = u32::try_from(packet.len()).map_err(|_| CaptureError::TooLong("a packet"))?;
        for field in [seconds, microseconds, length, length] {
            self.bytes.extend_from_slice(&field.to_le_bytes());
        }
        self.bytes.extend_from_slice(&packet);
        self.clock = self.clock.saturating_add(STEP);
        Ok(())
    }
}

/// The packets of a capture that were seen in these parts of its time, which are in order and don't overlap, each from a
/// moment until before another one, in microseconds since 1970-01-01T00:00:00Z.
#[must_use]
pub fn cut(capture: &[u8], parts: &[(u64, u64)]) -> Vec<u8> {
    let Some((header, mut rest)) = capture.split_at_checked(HEADER.len()) else { return capture.to_vec() };
    let mut left = header.to_vec();
    while let Some((record, _)) = rest.split_at_checked(RECORD) {
        let field =
            |at: usize| record[at..at + 4].iter().rev().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        let time = field(0) * 1_000_000 + field(4);
        let length = RECORD.saturating_add(usize::try_from(field(8)).unwrap_or(usize::MAX));
        let Some((packet, behind)) = rest.split_at_checked(length) else { break };
        let part = parts.partition_point(|(from, _)| *from <= time).checked_sub(1).and_then(|at| parts.get(at));
        if part.is_some_and(|(_, until)| time < *until) {
            left.extend_from_slice(packet);
        }
        rest = behind;
    }
    left
}

/// The IP header of a packet from the client to the server of `flow`.
fn addressed(flow: Flow) -> Result<PacketBuilderStep<IpHeaders>, CaptureError> {
    match (flow.client.ip(), flow.server.ip()) {
        (IpAddr::V4(client), IpAddr::V4(server)) => Ok(PacketBuilder::ipv4(client.octets(), server.octets(), HOPS)),
        (IpAddr::V6(client), IpAddr::V6(server)) => Ok(PacketBuilder::ipv6(client.octets(), server.octets(), HOPS)),
        (client, server) => Err(CaptureError::AddressFamilies { client, server }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_has_the_packets_of_its_parts() {
        let mut capture = Capture::new();
        let flow = capture.flow_to("192.0.2.1:53".parse().unwrap());
        let mut starts = Vec::new();
        for payload in [b"one", b"two", b"six"] {
            starts.push(capture.now());
            capture.udp(flow, payload).unwrap();
            capture.wait(Duration::from_secs(5));
        }
        let has = |bytes: &[u8], payload: &[u8]| bytes.windows(3).any(|window| window == payload);
        let left = cut(capture.bytes(), &[(starts[1], starts[2])]);
        assert!(has(&left, b"two") && !has(&left, b"one") && !has(&left, b"six"));
        assert_eq!(cut(capture.bytes(), &[(0, u64::MAX)]), capture.bytes());
        assert_eq!(cut(capture.bytes(), &[]), HEADER);
    }
}
