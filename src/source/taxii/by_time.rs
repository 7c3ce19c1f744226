//! A walk by time, and how it knows that it loses nothing.
//!
//! Each page asks for what was added after the newest moment of the page before, less one microsecond, so it has to bring
//! back something of that page. If it does not, the header says more than is so (it is rounded up, or its clock is
//! ahead), and what lies between would be lost: the walk steps back, further each time, until the pages overlap, and
//! stays as far behind the header from then on.
//!
//! Where one moment holds more objects than a page, the page is made larger. What the server's largest page can't hold is
//! passed over, told, and makes the walk one that is not whole.
//!
//! A server that gives the newest objects first would end such a walk after the first page. So a walk of several pages
//! looks at the beginning once more, with a larger page: if that brings something new, the order is not that of time.

use std::time::Duration;

use super::{
    TaxiiError,
    overlap::{Brought, Probe},
    page::{Last, Page},
    query::PagePosition,
    walk::Walk,
};
use crate::diagnostic::Code;

/// The newest time of a page is not that of its newest object.
pub const STEPPED_BACK: Code = Code("S065");

/// How far the first step back goes; each further one goes four times as far.
const FIRST_STEP: Duration = Duration::from_millis(1);
/// How far a walk steps back at most.
const LAST_STEP: Duration = Duration::from_secs(8 * 24 * 3600);

impl Walk<'_> {
    /// The next position by time: from the last moment of `page` on, or the same with a wider page if that moment is
    /// where the walk stands already. `widened_from` is the length of the page before, if `page` is a wider one.
    pub(super) fn by_time(
        &mut self,
        position: &PagePosition,
        page: &Page<'_>,
        brought: Brought,
        widened_from: Option<usize>,
    ) -> Result<PagePosition, TaxiiError> {
        let Some(last) = &page.last else {
            // An empty page moves nothing, but the next one may not be empty.
            let may_ask_again = page.objects.is_empty() && position.next.is_none() && self.has_last();
            return if may_ask_again { Ok(position.clone()) } else { Err(TaxiiError::NoWayOn) };
        };
        self.time.has_gone = true;
        let way = position.from(last.moment, self.time.behind);
        // What brought nothing has nothing to bring again.
        let overlaps = way.overlaps.filter(|_| brought.fresh + brought.again > 0);
        let way = PagePosition { overlaps, ..way };
        if position.next.is_some() || way.added_after > position.added_after {
            return Ok(way);
        }
        if page.objects.is_empty() {
            return Ok(way);
        }
        let count = page.objects.len();
        let widest = self.client.limits().page_objects.max(self.query.limit);
        let at_most = position.limit >= widest || widened_from.is_some_and(|before| count <= before);
        if at_most && brought.fresh == 0 {
            return self.pass_ties(position, last, count);
        }
        self.time.widened_from = Some(count);
        Ok(PagePosition { limit: position.limit.saturating_mul(2).min(widest), overlaps: position.overlaps, ..way })
    }

    /// The way past a moment of which the server's largest page does not hold all: the walk is not a whole one.
    ///
    /// # Errors
    /// The walk is past that moment, and it comes all the same.
    pub(super) fn pass_ties(
        &mut self,
        position: &PagePosition,
        last: &Last,
        page: usize,
    ) -> Result<PagePosition, TaxiiError> {
        let ties = TaxiiError::Ties { date_added: last.text.clone(), page };
        if position.added_after >= Some(last.moment) {
            return Err(self.damage.take().unwrap_or(ties));
        }
        self.damage.get_or_insert(ties);
        let past = PagePosition {
            added_after: Some(last.moment),
            limit: self.query.limit,
            overlaps: None,
            ..position.clone()
        };
        Ok(past)
    }

    /// Where to look whether a page of one moment, which did not grow with the limit, holds all of it or is the largest
    /// page that the server gives: at the beginning of the collection, where a page may be larger.
    pub(super) fn look_for_cap(&mut self, position: &PagePosition, last: &Last, page: usize) -> PagePosition {
        self.time.cap = Some((last.clone(), page));
        PagePosition { added_after: None, overlaps: None, ..position.clone() }
    }

    /// Where to go after the page from the beginning: nowhere, if the server gives larger ones.
    ///
    /// # Errors
    /// As for [`Walk::pass_ties`].
    pub(super) fn cap_found(
        &mut self,
        position: &PagePosition,
        page: &Page<'_>,
    ) -> Result<Option<PagePosition>, TaxiiError> {
        match self.time.cap.take() {
            Some((last, cap)) if page.objects.len() <= cap => self.pass_ties(position, &last, cap).map(Some),
            _ => Ok(None),
        }
    }

    /// The way back, where a page that was asked for by time brings back nothing of the page before it.
    ///
    /// # Errors
    /// However far the walk steps back, nothing comes again.
    pub(super) fn step_back(
        &mut self,
        position: &PagePosition,
        brought: Brought,
        page: u32,
    ) -> Result<Option<PagePosition>, TaxiiError> {
        let Some(moment) = position.overlaps.filter(|_| brought.again == 0) else {
            self.time.gap = None;
            return Ok(None);
        };
        self.time.gap.get_or_insert(page);
        let behind = if self.time.behind.is_zero() { FIRST_STEP } else { self.time.behind * 4 };
        if behind > LAST_STEP {
            return Err(TaxiiError::NoOverlap { date_added: format!("{moment:.6}") });
        }
        self.time.behind = behind;
        let message = format!(
            "a page that was asked for from {moment:.6} on, the X-TAXII-Date-Added-Last of the one before it, brings \
             nothing of that again: the header is rounded or ahead, and the walk steps back"
        );
        self.warn_once(STEPPED_BACK, &message);
        let added_after = Some(moment.saturating_sub(behind)).max(self.query.added_after);
        if added_after == position.added_after {
            return Ok(None);
        }
        Ok(Some(PagePosition { added_after, ..position.clone() }))
    }

    /// The page before a wider one that the server has refused, as the largest one that it gives.
    ///
    /// # Errors
    /// As for [`Walk::pass_ties`].
    pub(super) fn without_widening(&mut self, position: &PagePosition) -> Result<Option<PagePosition>, TaxiiError> {
        match (self.time.take_width(), self.newest()) {
            (Some(count), Some(last)) => self.pass_ties(position, &last, count).map(Some),
            _ => Ok(None),
        }
    }

    /// The second look at the beginning, for a walk by time that is at its end.
    pub(super) fn probe(&mut self, position: &PagePosition) -> Option<PagePosition> {
        if !self.time.has_gone || self.time.probe == Probe::Asked {
            return None;
        }
        self.time.probe = Probe::Asked;
        let widest = self.client.limits().page_objects.max(self.query.limit);
        Some(PagePosition { limit: position.limit.saturating_mul(2).min(widest), ..self.query.start() })
    }

    /// What the second look at the beginning says.
    ///
    /// # Errors
    /// It brought what the walk has not: the server gives the newest objects first.
    pub(super) fn probed(&mut self, brought: Brought) -> Result<(), TaxiiError> {
        if brought.fresh > 0 { Err(self.damage.take().unwrap_or(TaxiiError::NewestFirst)) } else { Ok(()) }
    }
}
