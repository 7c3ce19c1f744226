//! One TCP conversation: sequence numbers, segments, acknowledgements.

use super::{Capture, CaptureError, Flow, addressed};

/// What fits in one packet of an Ethernet beside the IPv6 and TCP headers.
const SEGMENT: usize = 1_440;
/// The window both ends offer: the largest without scaling.
const WINDOW: u16 = u16::MAX;

/// An open conversation. Each segment is acknowledged at once, since an engine that watches passively reads
/// only what the other end has acknowledged.
pub(super) struct Conversation<'a> {
    capture: &'a mut Capture,
    client: End,
    server: End,
}

/// One end: the flow as it sends, and the number of the next byte it will send.
#[derive(Clone, Copy)]
struct End {
    flow: Flow,
    next: u32,
}

/// The flags of a segment beside ACK.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bare,
    Data,
    Finish,
}

impl<'a> Conversation<'a> {
    /// Opens a conversation with a three-way handshake.
    pub(super) fn open(capture: &'a mut Capture, flow: Flow) -> Result<Self, CaptureError> {
        let first = capture.sequence_number();
        let client = End { flow, next: first.wrapping_add(1) };
        let server = End { flow: flow.reversed(), next: first.wrapping_add(1) };
        capture.tcp_syn(flow)?;
        let answer = addressed(server.flow)?
            .tcp(server.flow.client.port(), server.flow.server.port(), first, WINDOW)
            .syn()
            .ack(client.next);
        capture.record(|bytes| answer.write_to_vec(bytes, &[]))?;
        let mut conversation = Self { capture, client, server };
        conversation.segment(client, server.next, Kind::Bare, &[])?;
        Ok(conversation)
    }

    /// The client sends these bytes, in as many segments as they need.
    pub(super) fn client_sends(&mut self, bytes: &[u8]) -> Result<(), CaptureError> {
        self.client = self.send(self.client, self.server, bytes)?;
        Ok(())
    }

    /// The server sends these bytes, in as many segments as they need.
    pub(super) fn server_sends(&mut self, bytes: &[u8]) -> Result<(), CaptureError> {
        self.server = self.send(self.server, self.client, bytes)?;
        Ok(())
    }

    /// Both ends say that they are done.
    pub(super) fn close(mut self) -> Result<(), CaptureError> {
        let (client, server) = (self.client, self.server);
        self.segment(client, server.next, Kind::Finish, &[])?;
        self.segment(server, client.next.wrapping_add(1), Kind::Finish, &[])?;
        self.segment(End { next: client.next.wrapping_add(1), ..client }, server.next.wrapping_add(1), Kind::Bare, &[])
    }

    fn send(&mut self, mut from: End, to: End, bytes: &[u8]) -> Result<End, CaptureError> {
        for segment in bytes.chunks(SEGMENT) {
            self.segment(from, to.next, Kind::Data, segment)?;
            // A segment is at most SEGMENT bytes long.
            from.next = from.next.wrapping_add(segment.len() as u32);
            self.segment(to, from.next, Kind::Bare, &[])?;
        }
        Ok(from)
    }

    fn segment(&mut self, from: End, acknowledged: u32, kind: Kind, payload: &[u8]) -> Result<(), CaptureError> {
        let packet = addressed(from.flow)?
            .tcp(from.flow.client.port(), from.flow.server.port(), from.next, WINDOW)
            .ack(acknowledged);
        let packet = match kind {
            Kind::Bare => packet,
            Kind::Data => packet.psh(),
            Kind::Finish => packet.fin(),
        };
        self.capture.record(|bytes| packet.write_to_vec(bytes, payload))
    }
}
