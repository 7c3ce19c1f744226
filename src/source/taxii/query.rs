//! What a walk asks for, and where it stands.

use std::time::Duration;

use url::Url;

use super::{
    Filters, Version,
    request::{Request, ResourceKind},
    time::just_before,
};
use crate::stix::Timestamp;

/// What a walk asks for, the same in each of its requests.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) added_after: Option<Timestamp>,
    pub(super) limit: u32,
    pub(super) filters: Filters,
}

impl Query {
    pub(super) fn start(&self) -> PagePosition {
        PagePosition { added_after: self.added_after, next: None, item: 0, limit: self.limit, overlaps: None }
    }

    /// Asks for `position` of the objects at `objects`.
    pub(super) fn request(&self, objects: &Url, position: &PagePosition, version: Version) -> Request {
        let is_2_0 = version == Version::V2_0;
        let mut parameters: Vec<(&str, String)> = Vec::new();
        let text = |moment: Timestamp| if is_2_0 { format!("{moment:.3}") } else { format!("{moment:.6}") };
        parameters.extend(position.added_after.map(|moment| ("added_after", text(moment))));
        parameters.extend(self.filters.parameters());
        if !is_2_0 {
            parameters.push(("limit", position.limit.to_string()));
            parameters.extend(position.next.clone().map(|next| ("next", next)));
        }
        let mut url = objects.clone();
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        let request = Request::new(url, ResourceKind::Objects, version);
        if is_2_0 { request.items(position.item, position.limit) } else { request }
    }
}

/// Where a walk stands: what its next request says beyond the filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PagePosition {
    /// The lower end. A `next` goes with the one that its first page was asked with.
    pub(super) added_after: Option<Timestamp>,
    pub(super) next: Option<String>,
    /// The first item, in TAXII 2.0.
    pub(super) item: u64,
    pub(super) limit: u32,
    /// The newest moment of the page before, of which this one has to bring something again.
    pub(super) overlaps: Option<Timestamp>,
}

impl PagePosition {
    /// The way past a page that can't be read and whose newest object was added at `moment`. It overlaps that page as
    /// any other, but if the page comes again it is left behind with all that share its moment.
    pub(super) fn past(&self, moment: Timestamp) -> Option<Self> {
        let overlapping = Self { overlaps: None, ..self.from(moment, Duration::ZERO) };
        if self.next.is_some() || overlapping.added_after > self.added_after {
            return Some(overlapping);
        }
        (Some(moment) > self.added_after).then_some(Self { added_after: Some(moment), ..overlapping })
    }

    /// The same from `moment` on, and from as much earlier as `behind` says, without `next`.
    pub(super) fn from(&self, moment: Timestamp, behind: Duration) -> Self {
        let added_after = self.added_after.max(Some(just_before(moment).saturating_sub(behind)));
        let overlaps = (Some(moment) > self.added_after).then_some(moment);
        Self { added_after, next: None, item: 0, limit: self.limit, overlaps }
    }
}
