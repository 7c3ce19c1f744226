//! What a reader is inside of, and what JSON wants next there.

/// A list or a container that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    List(Due),
    /// A bundle or an envelope; whether nothing of it was skipped so far.
    Container(bool),
}

/// What JSON wants next in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    ValueOrEnd,
    Value,
    CommaOrEnd,
    /// Something was skipped here, and reported.
    Anything,
}

/// All that is open, the innermost last.
#[derive(Debug, Default)]
pub(super) struct Frames(Vec<Frame>);

impl Frames {
    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn last(&self) -> Option<Frame> {
        self.0.last().copied()
    }

    pub(super) fn push(&mut self, frame: Frame) {
        self.0.push(frame);
    }

    /// Closes the innermost one; what is wrong with that.
    pub(super) fn close(&mut self) -> Option<&'static str> {
        (self.0.pop() == Some(Frame::List(Due::Value))).then_some("a comma too many before this")
    }

    /// Whether the innermost one is a list of a container.
    pub(super) fn in_container(&self) -> bool {
        matches!(self.0.iter().rev().nth(1), Some(Frame::Container(_)))
    }

    /// Notes that a value begins; what is wrong with that.
    pub(super) fn value(&mut self) -> Option<&'static str> {
        let Some(Frame::List(due)) = self.0.last_mut() else { return None };
        (std::mem::replace(due, Due::CommaOrEnd) == Due::CommaOrEnd).then_some("a comma is missing before this")
    }

    /// Notes a comma; what is wrong with that.
    pub(super) fn comma(&mut self) -> Option<&'static str> {
        let Some(Frame::List(due)) = self.0.last_mut() else { return Some("a comma outside of all lists") };
        let is_due = matches!(std::mem::replace(due, Due::Value), Due::CommaOrEnd | Due::Anything);
        (!is_due).then_some("a comma, where a value is due")
    }

    /// Notes that something was skipped: it can't be said any more what is due.
    pub(super) fn skipped(&mut self) {
        match self.0.last_mut() {
            Some(Frame::List(due)) => *due = Due::Anything,
            Some(Frame::Container(intact)) => *intact = false,
            None => {}
        }
    }
}
