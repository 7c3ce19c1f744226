//! From page to page through one collection.
//!
//! Three ways lead through a collection. With `next` the server keeps the place. In TAXII 2.0 pages are ranges of items.
//! Without either, or where the server rejects its own `next`, the walk goes by time: it asks for what was added after
//! `X-TAXII-Date-Added-Last`, less one microsecond, since objects that share that moment may stand on the next page;
//! what comes twice is dropped, and where one moment holds more objects than a page, the page is made larger. Asking for
//! what came strictly after the header, as the standard describes (TAXII 2.1, section 3.4), loses every such object. How
//! such a walk knows that it loses nothing stands in `by_time.rs`. A server that ignores its own `next`
//! gives the same page again, and is followed by time as well; so is a `next` that is nothing but that header.
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
    overlap::{Brought, ByTime},
    page::{Last, Page},
    query::{PagePosition, Query},
    status::Repeatable,
    time::{just_before, lacks_zone},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    stix::{BundleReader, Head, Role, Timestamp, object_type},
};

/// The server rejected or ignored its own `next`; the walk goes on by time.
pub const NEXT_REJECTED: Code = Code("S055");
/// Entries of `objects` that are no objects.
pub const NOT_AN_OBJECT: Code = Code("S056");
/// The walk started again from its beginning.
pub const STARTED_AGAIN: Code = Code("S057");
/// `X-TAXII-Date-Added-Last` can't be right.
pub const WRONG_LAST_ADDED: Code = Code("S061");
/// Whether that was all can't be told.
pub const UNCERTAIN_END: Code = Code("S062");

/// Times without a zone, which are read as UTC.
pub const NO_ZONE: Code = Code("S068");
/// The server takes no limit as large as the one asked for.
pub const SMALLER_LIMIT: Code = Code("S069");

/// The limit to fall back to, which servers take that refuse a larger one.
const SMALL_LIMIT: u32 = 100;
/// Pages in a row that may bring nothing new.
const MOST_IDLE_PAGES: u32 = 3;
/// How often a walk may start again.
const MOST_RESTARTS: u32 = 3;

/// One walk.
pub(super) struct Walk<'a> {
    pub(super) client: &'a Client,
    pub(super) query: Query,
    objects: Url,
    sink: &'a mut dyn ObjectSink,
    summary: &'a mut FetchSummary,
    dedup: Dedup,
    restarts: u32,
    idle_pages: u32,
    /// The server has rejected a `next` of its own: none is followed any more.
    next_is_broken: bool,
    /// How the walk goes by time.
    pub(super) time: ByTime,
    /// The newest `X-TAXII-Date-Added-Last` of this round.
    last: Option<Last>,
    /// The server's clock at the first page of this round.
    date: Option<Timestamp>,
    /// A page of this round was older than the one before it.
    is_unordered: bool,
    /// Each page of this round began where the one before it ended, or later.
    is_ordered: bool,
    /// One of them ended later than the one before it.
    has_risen: bool,
    /// The length of the longest page of this round whose server said nothing about its end.
    longest: usize,
    /// Why the first page that could not be read could not, or what could not be reached.
    pub(super) damage: Option<TaxiiError>,
}

/// What follows a page.
enum After {
    /// Nothing.
    End,
    /// Perhaps more, by time.
    More,
    /// What is asked for at this position.
    At(PagePosition),
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
        query: Query,
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
            time: ByTime::default(),
            last: None,
            date: None,
            is_unordered: false,
            is_ordered: true,
            has_risen: false,
            longest: 0,
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
                Err(error) if error.status() == Some(400) && position.next.is_none() => {
                    self.with_smaller_limit(&position, error)?
                }
                Err(error) => Some(self.recover(&position, error).await?),
            };
            match (step, self.damage.take()) {
                (Some(next), damage) => (position, self.damage) = (next, damage),
                (None, Some(damage)) => return Err(damage),
                (None, None) => {
                    let behind = self.time.behind();
                    return Ok(WalkEnd { last: self.last.map(|last| last.earlier(behind)), date: self.date });
                }
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
        if let Some(text) = answer.last_added.as_deref().filter(|text| lacks_zone(text)) {
            let text = super::status::shortened(text);
            self.warn_once(NO_ZONE, &format!("X-TAXII-Date-Added-Last has no time zone and is read as UTC: {text}"));
        }
        match Page::read(answer) {
            Ok(page) if self.time.looks_for_cap() => self.cap_found(position, &page),
            Ok(page) => {
                let mut brought = Brought::default();
                for object in &page.objects {
                    self.take(object, &mut brought)?;
                }
                self.turn(position, &page)?;
                self.advance(position, &page, brought)
            }
            Err(error) => {
                let brought = self.salvage(answer)?;
                let way_on = last.as_ref().and_then(|last| position.past(last.moment));
                self.note(last);
                self.is_ordered = false;
                self.sink.page(self.summary)?;
                match way_on {
                    Some(way) => {
                        self.damage.get_or_insert(error);
                        self.keep_going(brought.fresh).map(|()| Some(way))
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

    /// Hands `object` on if it was not before, and counts it.
    fn take(&mut self, object: &RawValue, brought: &mut Brought) -> Result<(), TaxiiError> {
        if !object.get().starts_with('{') {
            self.summary.skipped += 1;
            return Ok(());
        }
        let head = Head::read(object.get().as_bytes());
        let page = u32::try_from(self.summary.pages).unwrap_or(u32::MAX);
        let novelty = self.dedup.note(object.get(), head.as_ref().ok(), page);
        match novelty {
            Novelty::Old(first) => {
                let is_own = head.as_ref().is_ok_and(|head| is_identity(head, object));
                brought.again += usize::from(!is_own && self.time.is_before_gap(first));
            }
            Novelty::New | Novelty::NewInRound => brought.fresh += 1,
        }
        match novelty {
            Novelty::New => {
                let limit = self.client.limits().objects;
                if self.summary.objects >= limit {
                    return Err(TaxiiError::TooManyObjects { limit });
                }
                self.sink.object(object, head)?;
                self.summary.objects += 1;
            }
            Novelty::NewInRound | Novelty::Old(_) => self.summary.repeated += 1,
        }
        Ok(())
    }

    /// Hands on those objects of a page that can be read although the page can't.
    fn salvage(&mut self, answer: &Answer) -> Result<Brought, TaxiiError> {
        let mut brought = Brought::default();
        for batch in BundleReader::new(answer.body.as_slice()) {
            for object in batch.objects() {
                // The one that broke the page is no JSON by itself either.
                if let Ok(object) = serde_json::from_slice(object.raw) {
                    self.take(object, &mut brought)?;
                }
            }
        }
        Ok(brought)
    }

    /// The end of the page that was asked for at `position`. Where the pages come in the order of time, all that was added
    /// before this one has come: there a walk that breaks off can go on.
    fn turn(&mut self, position: &PagePosition, page: &Page<'_>) -> Result<(), TaxiiError> {
        let before = self.last.as_ref().map(|last| last.moment);
        if let (Some(before), Some(last)) = (before, &page.last) {
            let follows = position.overlaps.is_some() || page.first.is_some_and(|first| first >= before);
            self.is_ordered &= follows && last.moment >= before;
            self.has_risen |= last.moment > before;
            if self.is_ordered && self.has_risen && self.damage.is_none() {
                self.summary.checkpoint = Some(format!("{:.6}", last.moment.saturating_sub(self.time.behind())));
            }
        }
        self.note(page.last.clone());
        self.sink.page(self.summary)?;
        Ok(())
    }

    pub(super) fn has_last(&self) -> bool {
        self.last.is_some()
    }

    pub(super) fn newest(&self) -> Option<Last> {
        self.last.clone()
    }

    /// Takes note of the moment at which the newest object of a page was added.
    fn note(&mut self, last: Option<Last>) {
        match (&self.last, last) {
            (Some(newest), Some(last)) if last.moment < newest.moment => self.is_unordered = true,
            (_, Some(last)) => self.last = Some(last),
            (_, None) => {}
        }
    }

    /// Where to go from `position`, whose answer is `page`; `None` at the end.
    fn advance(
        &mut self,
        position: &PagePosition,
        page: &Page<'_>,
        brought: Brought,
    ) -> Result<Option<PagePosition>, TaxiiError> {
        if self.time.is_probing() {
            return self.probed(brought).map(|()| None);
        }
        let page_number = u32::try_from(self.summary.pages).unwrap_or(u32::MAX);
        if let Some(way) = self.step_back(position, brought, page_number)? {
            return Ok(Some(way));
        }
        if let Some(way) = self.ignored(position, page, brought) {
            return Ok(Some(way));
        }
        let widened_from = self.time.take_width();
        let is_time = |next: &String| page.last.as_ref().is_some_and(|last| last.text == *next);
        let next = page.next.clone().filter(|next| !self.next_is_broken && !is_time(next));
        // A page as large as asked for may be followed by more, whatever it says, but for one of a server that counts pages.
        let is_full = page.objects.len() >= position.limit as usize && page.last.is_some() && brought.fresh > 0;
        let is_full = is_full && position.next.is_none();
        let more = page.more.filter(|more| *more || !is_full);
        let way = match (page.items.filter(|_| self.client.version() == Version::V2_0), more, next) {
            (Some(items), _, _) => {
                let ended = page.objects.is_empty() || items.total.is_some_and(|total| items.end >= total);
                (!ended).then(|| PagePosition { item: items.end, ..position.clone() })
            }
            (None, Some(false), _) => None,
            (None, _, Some(next)) => Some(PagePosition { next: Some(next), overlaps: None, ..position.clone() }),
            (None, None, None) => match self.after_silence(position, page, brought.fresh)? {
                After::End => None,
                After::More => Some(self.by_time(position, page, brought, widened_from)?),
                After::At(way) => Some(way),
            },
            (None, Some(true), None) => Some(self.by_time(position, page, brought, widened_from)?),
        };
        let way = way.or_else(|| self.probe(position));
        // A wider page is a new question: that its answer may bring nothing new has an end of its own.
        if way.is_some() && !self.time.has_widened() && !self.time.is_probing() {
            self.keep_going(brought.fresh)?;
        }
        Ok(way)
    }

    /// The way on by time where the server has answered the request for a `next` page with nothing new: it ignores
    /// `next`.
    fn ignored(&mut self, position: &PagePosition, page: &Page<'_>, brought: Brought) -> Option<PagePosition> {
        let is_ignored = position.next.is_some() && brought.fresh == 0 && brought.again > 0 && page.more != Some(false);
        let last = self.last.clone().filter(|_| is_ignored)?;
        self.next_is_broken = true;
        self.warn(NEXT_REJECTED, "`next` brings the same page again, going on by time instead");
        Some(self.way_by_time(position, &last))
    }

    /// By time from the newest object on, or from the beginning where the pages did not come in that order: then what is
    /// missing may be older.
    fn way_by_time(&mut self, position: &PagePosition, last: &Last) -> PagePosition {
        if !self.is_unordered {
            return position.from(last.moment, self.time.behind());
        }
        self.start_round();
        self.query.start()
    }

    /// What follows a page whose server says nothing about it: it may put fewer objects on a page than it was asked for, so
    /// that only a page with nothing new is the last one.
    ///
    /// # Errors
    /// A page with as many objects as were asked for, or more, and no word about an end or a way on.
    fn after_silence(&mut self, position: &PagePosition, page: &Page<'_>, fresh: usize) -> Result<After, TaxiiError> {
        let longest_before = self.longest;
        self.longest = self.longest.max(page.objects.len());
        let asked = position.limit as usize;
        if page.last.is_none() && page.objects.len() >= asked && self.client.version() != Version::V2_0 {
            return Err(TaxiiError::NoWayOn);
        }
        let Some(last) = page.last.as_ref().filter(|_| !page.objects.is_empty()) else {
            return Ok(After::End);
        };
        let is_full = page.objects.len() >= asked;
        let was_asked_for = position.added_after >= Some(just_before(last.moment));
        let is_uncertain = fresh == 0 && !is_full && was_asked_for && page.objects.len() > 1;
        if is_uncertain && self.summary.pages > 2 && page.objects.len() >= longest_before {
            return Ok(After::At(self.look_for_cap(position, last, page.objects.len())));
        }
        if is_uncertain && self.summary.pages == 2 {
            let message = format!(
                "the {} objects share the date_added {}, and the server does not say whether there are more",
                page.objects.len(),
                last.text
            );
            self.warn(UNCERTAIN_END, &message);
        }
        Ok(if fresh > 0 || is_full { After::More } else { After::End })
    }

    /// Ends a walk that has brought nothing new for too many pages.
    fn keep_going(&mut self, fresh: usize) -> Result<(), TaxiiError> {
        self.idle_pages = if fresh == 0 { self.idle_pages + 1 } else { 0 };
        if self.idle_pages > MOST_IDLE_PAGES {
            return Err(TaxiiError::NoProgress { pages: self.idle_pages });
        }
        Ok(())
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
                Ok(self.way_by_time(position, &last))
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
        (self.last, self.date, self.is_unordered, self.is_ordered) = (None, None, false, true);
        (self.has_risen, self.longest, self.idle_pages, self.time) = (false, 0, 0, ByTime::default());
    }

    fn warn_of_wrong_header(&mut self, answer: &Answer) {
        let text = super::status::shortened(answer.last_added.as_deref().unwrap_or_default());
        self.warn_once(WRONG_LAST_ADDED, &format!("X-TAXII-Date-Added-Last can't be right and is not used: {text}"));
    }

    /// Where to go after the server has refused a limit: the same with a smaller one, if there is one that was not
    /// tried.
    fn with_smaller_limit(
        &mut self,
        position: &PagePosition,
        error: TaxiiError,
    ) -> Result<Option<PagePosition>, TaxiiError> {
        if self.time.is_probing() {
            return Ok(None);
        }
        if let Some(way) = self.without_widening(position)? {
            return Ok(Some(way));
        }
        if self.summary.pages > 0 || position.limit <= SMALL_LIMIT {
            return Err(error);
        }
        let message = format!("a limit of {} was refused, going on with {SMALL_LIMIT}: {error}", position.limit);
        self.warn(SMALLER_LIMIT, &message);
        self.query.limit = SMALL_LIMIT;
        Ok(Some(self.query.start()))
    }

    pub(super) fn warn_once(&mut self, code: Code, message: &str) {
        if self.summary.diagnostics.iter().all(|known| known.code != code) {
            self.warn(code, message);
        }
    }

    pub(super) fn warn(&mut self, code: Code, message: &str) {
        self.summary.diagnostics.push(Diagnostic::warning(code, self.client.auth().redact(message)));
    }
}

fn is_identity(head: &Head, object: &RawValue) -> bool {
    head.role != Role::Indicator && object_type(object.get().as_bytes()).as_deref() == Some("identity")
}
