//! What a walk by time knows of the pages behind it.

use std::time::Duration;

use super::page::Last;

/// What a page brought.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Brought {
    /// Objects that this round has not seen before.
    pub(super) fresh: usize,
    /// Those that it has seen, before a gap if there is one; but for identities: a server may put its own on each page.
    pub(super) again: usize,
}

/// The state of a walk by time.
#[derive(Debug, Default)]
pub(super) struct ByTime {
    /// How far the walk stays behind the header; zero for one microsecond.
    pub(super) behind: Duration,
    /// The number of the page that did not overlap the one before it, while the walk steps back from it.
    pub(super) gap: Option<u32>,
    /// The length of the last page, if the next request asks for the same with a larger `limit`.
    pub(super) widened_from: Option<usize>,
    /// Whether the walk has gone from one page to the next by time.
    pub(super) has_gone: bool,
    pub(super) probe: Probe,
    /// The newest time, and the length of the page that may be the largest which the server gives, while that is looked
    /// for.
    pub(super) cap: Option<(Last, usize)>,
}

/// The second look at the beginning.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Probe {
    #[default]
    /// It was not asked for yet.
    NotYet,
    /// The next answer is that to it.
    Asked,
}

impl ByTime {
    /// How far to stay behind `X-TAXII-Date-Added-Last`.
    pub(super) fn behind(&self) -> Duration {
        self.behind
    }

    /// Whether a page came before the gap that the walk steps back over.
    pub(super) fn is_before_gap(&self, page: u32) -> bool {
        self.gap.is_none_or(|gap| page < gap)
    }

    /// Whether the next answer is that to the second look at the beginning.
    pub(super) fn is_probing(&self) -> bool {
        self.probe == Probe::Asked
    }

    /// Whether the next answer tells how large the server's pages get.
    pub(super) fn looks_for_cap(&self) -> bool {
        self.cap.is_some()
    }

    /// Whether the next request asks for the same as the last one with a larger page.
    pub(super) fn has_widened(&self) -> bool {
        self.widened_from.is_some()
    }

    /// The length of the page before the one that has come, if that is a wider one.
    pub(super) fn take_width(&mut self) -> Option<usize> {
        self.widened_from.take()
    }
}
