//! From page to page through one collection.
//!
//! Three ways lead through a collection. With `next` the server keeps the place. In TAXII 2.0 pages are ranges of items.
//! Without either, or where the server rejects its own `next`, the walk goes by time: it asks for what was added after
//! `X-TAXII-Date-Added-Last`, less one microsecond, since objects that share that moment may stand on the next page;
//! what comes twice is dropped, and where one moment holds more objects than a page, the page is made larger. Asking for
//! what came strictly after the header, as the standard describes (TAXII 2.1, section 3.4), loses every such object.
//!
//! Some servers move on with each request for a `next` page, so one that was repeated would skip a page. Where the
//! server may have handled such a request, the walk starts again from its beginning instead; what it has brought already
//! is dropped.
//!
//! A page that can't be read is passed over where the header says how to go on. The walk is then not a whole one, and
//! ends with the error of that page.

use serde_json::value::RawValue;
use url::Url;

use super::{
    Client, FetchSummary, ObjectSink, TaxiiError, Version,
    client::Answer,
    dedup::{Dedup, Novelty},
    page::{Last, Page},
    query::{PagePosition, Query},
    status::Repeatable,
    time::just_before,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    stix::{BundleReader, Head, Timestamp},
};

/// The server rejected its own `next`; the walk goes on by time.
pub const NEXT_REJECTED: Code = Code("S055");
/// Entries of `objects` that are no objects.
pub const NOT_AN_OBJECT: Code = Code("S056");
/// The walk started again from its beginning.
pub const STARTED_AGAIN: Code = Code("S057");
/// `X-TAXII-Date-Added-Last` can't be right.
pub const WRONG_LAST_ADDED: Code = Code("S061");
/// Whether that was all can't be told.
pub const UNCERTAIN_END: Code = Code("S062");

/// Pages in a row that may bring nothing new.
const MOST_IDLE_PAGES: u32 = 3;
/// How often a walk may start again.
const MOST_RESTARTS: u32 = 3;

/// One walk.
pub(super) struct Walk<'a> {
    client: &'a Client,
    query: &'a Query,
    objects: Url,
    sink: &'a mut dyn ObjectSink,
    summary: &'a mut FetchSummary,
    dedup: Dedup,
    restarts: u32,
    idle_pages: u32,
    /// The server has rejected a `next` of its own: none is followed any more.
    next_is_broken: bool,
    /// The newest `X-TAXII-Date-Added-Last` of this round.
    last: Option<Last>,
    /// The server's clock at the first page of this round.
    date: Option<Timestamp>,
    /// A page of this round was older than the one before it.
    is_unordered: bool,
    /// The length of the longest page of this round whose server said nothing about its end.
    longest: usize,
    /// The length of the last page, if the next request asks for the same with a larger `limit`.
    widened_from: Option<usize>,
    /// Why the first page that could not be read could not.
    damage: Option<TaxiiError>,
}

/// What a walk has learned about its end.
#[derive(Debug, Default)]
pub(super) struct WalkEnd {
    /// The newest `X-TAXII-Date-Added-Last`.
    pub(super) last: Option<Last>,
    /// The server's clock at the first page.
    pub(super) date: Option<Timestamp>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        client: &'a Client,
        query: &'a Query,
        objects: Url,
        sink: &'a mut dyn ObjectSink,
        summary: &'a mut FetchSummary,
    ) -> Self {
        Self {
            client,
            query,
            objects,
            sink,
            summary,
            dedup: Dedup::default(),
            restarts: 0,
            idle_pages: 0,
            next_is_broken: false,
            last: None,
            date: None,
            is_unordered: false,
            longest: 0,
            widened_from: None,
            damage: None,
        }
    }

    /// Walks to the end. `first` is taken as the answer to the first request.
    pub(super) async fn run(mut self, mut first: Option<Answer>) -> Result<WalkEnd, TaxiiError> {
        let mut position = self.query.start();
        loop {
            let answer = match first.take() {
                Some(answer) => Ok(answer),
                None => {
                    let ask = |version| self.query.request(&self.objects, &position, version);
                    self.client.get(ask, position.next.is_none()).await
                }
            };
            let step = match answer {
                Ok(answer) => self.step(&position, &answer)?,
                // No item is left (TAXII 2.0, section 3.4).
                Err(error) if error.status() == Some(416) && self.client.version() == Version::V2_0 => None,
                Err(error) => Some(self.recover(&position, error).await?),
            };
            match (step, self.damage.take()) {
                (Some(next), damage) => (position, self.damage) = (next, damage),
                (None, Some(damage)) => return Err(damage),
                (None, None) => return Ok(WalkEnd { last: self.last, date: self.date }),
            }
        }
    }

    /// Takes the page that was asked for at `position`. Returns where to go on; `None` at the end.
    fn step(&mut self, position: &PagePosition, answer: &Answer) -> Result<Option<PagePosition>, TaxiiError> {
        self.count(answer)?;
        self.date = self.date.or(answer.date);
        let last = Last::from_answer(answer);
        if last.is_none() && answer.last_added.is_some() {
            self.warn_of_wrong_header(answer);
        }
        match Page::read(answer) {
            Ok(page) => {
                let mut fresh = 0;
                for object in &page.objects {
                    fresh += self.take(object)?;
                }
                self.turn(last)?;
                self.advance(position, &page, fresh)
            }
            Err(error) => {
                let fresh = self.salvage(answer)?;
                let way_on = last.as_ref().and_then(|last| position.past(last.moment));
                self.turn(last)?;
                match way_on {
                    Some(way) => {
                        self.damage.get_or_insert(error);
                        self.keep_going(fresh).map(|()| Some(way))
                    }
                    None => Err(self.damage.take().unwrap_or(error)),
                }
            }
        }
    }

    /// Counts a page, and ends a walk that has become too large.
    fn count(&mut self, answer: &Answer) -> Result<(), TaxiiError> {
        let limits = self.client.limits();
        self.summary.pages += 1;
        self.summary.bytes += answer.body.len() as u64;
        if self.summary.pages > limits.pages {
            return Err(TaxiiError::TooManyPages { limit: limits.pages });
        }
        if self.summary.bytes > limits.bytes {
            return Err(TaxiiError::TooManyBytes { limit: limits.bytes });
        }
        Ok(())
    }

    /// Hands `object` on if it was not before. Returns 1 if this round has not seen it, else 0.
    fn take(&mut self, object: &RawValue) -> Result<usize, TaxiiError> {
        if !object.get().starts_with('{') {
            self.summary.skipped += 1;
            return Ok(0);
        }
        let head = Head::read(object.get().as_bytes());
        let novelty = self.dedup.note(object.get(), head.as_ref().ok());
        match novelty {
            Novelty::New => {
                let limit = self.client.limits().objects;
                if self.summary.objects >= limit {
                    return Err(TaxiiError::TooManyObjects { limit });
                }
                self.sink.object(object, head)?;
                self.summary.objects += 1;
            }
            Novelty::NewInRound | Novelty::Old => self.summary.repeated += 1,
        }
        Ok(usize::from(novelty != Novelty::Old))
    }

    /// Hands on those objects of a page that can be read although the page can't.
    fn salvage(&mut self, answer: &Answer) -> Result<usize, TaxiiError> {
        let mut fresh = 0;
        for batch in BundleReader::new(answer.body.as_slice()) {
            for object in batch.objects() {
                // The one that broke the page is no JSON by itself either.
                if let Ok(object) = serde_json::from_slice(object.raw) {
                    fresh += self.take(object)?;
                }
            }
        }
        Ok(fresh)
    }

    /// The end of a page whose newest object was added at `last`.
    fn turn(&mut self, last: Option<Last>) -> Result<(), TaxiiError> {
        match (&self.last, last) {
            (Some(newest), Some(last)) if last.moment < newest.moment => self.is_unordered = true,
            (_, Some(last)) => self.last = Some(last),
            (_, None) => {}
        }
        self.sink.page(self.summary)?;
        Ok(())
    }

    /// Where to go from `position`, whose answer is `page`; `None` at the end.
    fn advance(
        &mut self,
        position: &PagePosition,
        page: &Page<'_>,
        fresh: usize,
    ) -> Result<Option<PagePosition>, TaxiiError> {
        let widened_from = self.widened_from.take();
        let next = page.next.clone().filter(|_| !self.next_is_broken);
        let way = match (page.items.filter(|_| self.client.version() == Version::V2_0), page.more, next) {
            (Some(items), _, _) => {
                let ended = page.objects.is_empty() || items.total.is_some_and(|total| items.end >= total);
                (!ended).then(|| PagePosition { item: items.end, ..position.clone() })
            }
            (None, Some(false), _) => None,
            (None, _, Some(next)) => Some(PagePosition { next: Some(next), ..position.clone() }),
            (None, None, None) if !self.may_be_more(position, page, fresh)? => None,
            (None, _, None) => Some(self.by_time(position, page, fresh, widened_from)?),
        };
        // A wider page is a new question: that its answer may bring nothing new has an end of its own.
        if way.is_some() && self.widened_from.is_none() {
            self.keep_going(fresh)?;
        }
        Ok(way)
    }

    /// Whether there may be more although the server says nothing about it: it may put fewer objects on a page than it
    /// was asked for, so that only a page with nothing new is the last one.
    ///
    /// # Errors
    /// A page with as many objects as were asked for and no word about an end or a way on. A block of one moment that fills the largest page that the server gives: what is behind it can't be asked for.
    fn may_be_more(&mut self, position: &PagePosition, page: &Page<'_>, fresh: usize) -> Result<bool, TaxiiError> {
        let longest_before = self.longest;
        self.longest = self.longest.max(page.objects.len());
        let asked = position.limit as usize;
        if page.last.is_none() && page.objects.len() == asked && self.client.version() != Version::V2_0 {
            return Err(TaxiiError::NoWayOn);
        }
        let Some(last) = page.last.as_ref().filter(|_| !page.objects.is_empty()) else { return Ok(false) };
        let is_full = page.objects.len() >= asked;
        let was_asked_for = position.added_after >= Some(just_before(last.moment));
        let is_uncertain = fresh == 0 && !is_full && was_asked_for && page.objects.len() > 1;
        if is_uncertain && self.summary.pages > 2 && page.objects.len() >= longest_before {
            return Err(TaxiiError::Ties { date_added: last.text.clone(), page: page.objects.len() });
        }
        if is_uncertain && self.summary.pages == 2 {
            let message = format!(
                "the {} objects share the date_added {}, and the server does not say whether there are more",
                page.objects.len(),
                last.text
            );
            self.warn(UNCERTAIN_END, &message);
        }
        Ok(fresh > 0 || is_full)
    }

    /// Ends a walk that has brought nothing new for too many pages.
    fn keep_going(&mut self, fresh: usize) -> Result<(), TaxiiError> {
        self.idle_pages = if fresh == 0 { self.idle_pages + 1 } else { 0 };
        if self.idle_pages > MOST_IDLE_PAGES {
            return Err(TaxiiError::NoProgress { pages: self.idle_pages });
        }
        Ok(())
    }

    /// The next position by time: from the last moment of `page` on, or the same with a wider page if that moment is
    /// where the walk stands already. `widened_from` is the length of the page before, if `page` is a wider one.
    fn by_time(
        &mut self,
        position: &PagePosition,
        page: &Page<'_>,
        fresh: usize,
        widened_from: Option<usize>,
    ) -> Result<PagePosition, TaxiiError> {
        let Some(last) = &page.last else {
            // An empty page moves nothing, but the next one may not be empty.
            let may_ask_again = page.objects.is_empty() && position.next.is_none() && self.last.is_some();
            return if may_ask_again { Ok(position.clone()) } else { Err(TaxiiError::NoWayOn) };
        };
        let way = position.from(last.moment);
        if position.next.is_some() || way.added_after > position.added_after || page.objects.is_empty() {
            return Ok(way);
        }
        let count = page.objects.len();
        let widest = self.client.limits().page_objects.max(self.query.limit);
        let at_most = position.limit >= widest || widened_from.is_some_and(|before| count <= before);
        if at_most && fresh == 0 {
            return Err(TaxiiError::Ties { date_added: last.text.clone(), page: count });
        }
        self.widened_from = Some(count);
        Ok(PagePosition { limit: position.limit.saturating_mul(2).min(widest), ..way })
    }

    /// Where to go after the request for `position` failed, if anywhere.
    async fn recover(&mut self, position: &PagePosition, error: TaxiiError) -> Result<PagePosition, TaxiiError> {
        if position.next.is_none() {
            return Err(error);
        }
        let rejected = matches!(error.status(), Some(400 | 404 | 405 | 410 | 416 | 501));
        let unclear = error.repeatable() == Repeatable::IfHarmless;
        match self.last.clone() {
            Some(last) if rejected || (unclear && self.restarts > 0) => {
                self.next_is_broken = true;
                self.warn(NEXT_REJECTED, &format!("`next` can't be followed, going on by time instead: {error}"));
                if !self.is_unordered {
                    return Ok(position.from(last.moment));
                }
                // The pages did not come in the order of time: what is missing may be older than the newest moment.
                self.start_round();
                Ok(self.query.start())
            }
            _ if unclear && self.restarts < MOST_RESTARTS => {
                self.restarts += 1;
                self.start_round();
                self.warn(STARTED_AGAIN, &format!("the walk starts again from its beginning: {error}"));
                tokio::time::sleep(self.client.backoff().step(self.restarts, 1)).await;
                Ok(self.query.start())
            }
            _ => Err(error),
        }
    }

    fn start_round(&mut self) {
        self.dedup.start_round();
        (self.last, self.date, self.is_unordered, self.longest, self.idle_pages) = (None, None, false, 0, 0);
    }

    fn warn_of_wrong_header(&mut self, answer: &Answer) {
        let text = super::status::shortened(answer.last_added.as_deref().unwrap_or_default());
        if self.summary.diagnostics.iter().all(|known| known.code != WRONG_LAST_ADDED) {
            self.warn(WRONG_LAST_ADDED, &format!("X-TAXII-Date-Added-Last can't be right and is not used: {text}"));
        }
    }

    fn warn(&mut self, code: Code, message: &str) {
        self.summary.diagnostics.push(Diagnostic::warning(code, self.client.auth().redact(message)));
    }
}
