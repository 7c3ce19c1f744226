//! From page to page through one collection.
//!
//! Two ways lead through a collection. With `next` the server keeps the place. Without it, or where the server rejects
//! its own `next`, the walk goes by time: it asks for what was added after `X-TAXII-Date-Added-Last`, less one
//! microsecond, since objects that share that moment may stand on the next page; what comes twice is dropped, and where
//! one moment holds more objects than a page, the page is made larger. Asking for what came strictly after the header,
//! as the standard describes (TAXII 2.1, section 3.4), loses every such object.
//!
//! Some servers move on with each request for a `next` page, so one that was repeated would skip a page. Where the
//! server may have handled such a request, the walk starts again from its beginning instead; what it has brought already is
//! dropped.

use url::Url;

use super::{
    Client, Filters, Sink, TaxiiError, Timestamp,
    client::Answer,
    error::Repeatable,
    fetch::FetchSummary,
    page::{Last, Page},
    seen::{Novelty, Seen},
};
use crate::diagnostic::{Code, Diagnostic};

/// The server rejected its own `next`; the walk goes on by time.
pub const NEXT_REJECTED: Code = Code("S055");
/// Entries of `objects` that are no objects.
pub const NOT_AN_OBJECT: Code = Code("S056");
/// The walk started again from its beginning.
pub const STARTED_AGAIN: Code = Code("S057");

/// Pages in a row that may bring nothing new.
const MOST_IDLE_PAGES: u32 = 3;
/// How often a walk may start again.
const MOST_RESTARTS: u32 = 3;

/// What a walk asks for, the same in each of its requests.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) added_after: Option<Timestamp>,
    pub(super) limit: u32,
    pub(super) filters: Filters,
}

impl Query {
    pub(super) fn start(&self) -> Position {
        Position { added_after: self.added_after, next: None, limit: self.limit }
    }

    /// `objects` with everything that a request for `position` says.
    pub(super) fn url(&self, objects: &Url, position: &Position) -> Url {
        let mut url = objects.clone();
        {
            let mut pairs = url.query_pairs_mut();
            if let Some(added_after) = position.added_after {
                pairs.append_pair("added_after", &added_after.to_string());
            }
            for (name, value) in self.filters.parameters() {
                pairs.append_pair(name, &value);
            }
            pairs.append_pair("limit", &position.limit.to_string());
            if let Some(next) = &position.next {
                pairs.append_pair("next", next);
            }
        }
        url
    }
}

/// Where a walk stands: what its next request says beyond the filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    /// The lower end. A `next` goes with the one that its first page was asked with.
    added_after: Option<Timestamp>,
    next: Option<String>,
    limit: u32,
}

/// One walk.
pub(super) struct Walk<'a> {
    client: &'a Client,
    query: &'a Query,
    objects: Url,
    sink: &'a mut dyn Sink,
    summary: &'a mut FetchSummary,
    seen: Seen,
    restarts: u32,
    idle_pages: u32,
    /// The server has rejected a `next` of its own: none is followed any more.
    next_is_broken: bool,
    /// The newest `X-TAXII-Date-Added-Last` of this round.
    last: Option<Last>,
    /// The length of the last page, if the next request asks for the same with a larger `limit`.
    widened_from: Option<usize>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        client: &'a Client,
        query: &'a Query,
        objects: Url,
        sink: &'a mut dyn Sink,
        summary: &'a mut FetchSummary,
    ) -> Self {
        Self {
            client,
            query,
            objects,
            sink,
            summary,
            seen: Seen::default(),
            restarts: 0,
            idle_pages: 0,
            next_is_broken: false,
            last: None,
            widened_from: None,
        }
    }

    /// Walks to the end. `first` is taken as the answer to the first request.
    pub(super) async fn run(&mut self, mut first: Option<Answer>) -> Result<(), TaxiiError> {
        let mut position = self.query.start();
        loop {
            let answer = match first.take() {
                Some(answer) => Ok(answer),
                None => {
                    let url = self.query.url(&self.objects, &position);
                    self.client.get(&url, position.next.is_none()).await
                }
            };
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    position = self.recover(&position, error).await?;
                    continue;
                }
            };
            let page = Page::read(&answer)?;
            let fresh = self.take(&page)?;
            match self.advance(&position, &page, fresh)? {
                Some(next) => position = next,
                None => return Ok(()),
            }
        }
    }

    /// Hands the objects of `page` on and counts them. Returns how many this round has not seen before.
    fn take(&mut self, page: &Page<'_>) -> Result<usize, TaxiiError> {
        let limits = *self.client.limits();
        self.summary.pages += 1;
        if self.summary.pages > limits.pages {
            return Err(TaxiiError::TooManyPages { limit: limits.pages });
        }
        let mut fresh = 0;
        for object in &page.objects {
            let novelty = self.seen.note(object);
            match novelty {
                None => self.summary.skipped += 1,
                Some(Novelty::New) => {
                    if self.summary.objects >= limits.objects {
                        return Err(TaxiiError::TooManyObjects { limit: limits.objects });
                    }
                    self.sink.object(object)?;
                    self.summary.objects += 1;
                }
                Some(Novelty::NewInRound | Novelty::Old) => self.summary.repeated += 1,
            }
            fresh += usize::from(matches!(novelty, Some(Novelty::New | Novelty::NewInRound)));
        }
        if let Some(last) = &page.last
            && self.last.as_ref().is_none_or(|newest| newest.moment < last.moment)
        {
            self.last = Some(last.clone());
            self.summary.last_added = Some(last.text.clone());
        }
        self.sink.page(self.summary)?;
        Ok(fresh)
    }

    /// Where to go from `position`, whose answer is `page`; `None` at the end.
    fn advance(&mut self, position: &Position, page: &Page<'_>, fresh: usize) -> Result<Option<Position>, TaxiiError> {
        // A server that never says `more` may mean it all the same when the page is full and has the header.
        let full = page.objects.len() >= position.limit as usize && page.last.is_some();
        if !page.more.unwrap_or(page.next.is_some() || full) {
            return Ok(None);
        }
        let widened_from = self.widened_from.take();
        let position = match page.next.clone().filter(|_| !self.next_is_broken) {
            Some(next) => Position { next: Some(next), ..position.clone() },
            None => self.by_time(position, page, fresh, widened_from)?,
        };
        // A wider page is a new question: that its answer may bring nothing new has an end of its own.
        if self.widened_from.is_none() {
            self.idle_pages = if fresh == 0 { self.idle_pages + 1 } else { 0 };
        }
        if self.idle_pages > MOST_IDLE_PAGES {
            return Err(TaxiiError::NoProgress { pages: self.idle_pages });
        }
        Ok(Some(position))
    }

    /// The next position by time: from the last moment of `page` on, or the same with a wider page if that moment is
    /// where the walk stands already. `widened_from` is the length of the page before, if `page` is a wider one.
    fn by_time(
        &mut self,
        position: &Position,
        page: &Page<'_>,
        fresh: usize,
        widened_from: Option<usize>,
    ) -> Result<Position, TaxiiError> {
        let Some(last) = &page.last else {
            // An empty page moves nothing, but the next one may not be empty.
            let may_ask_again = page.objects.is_empty() && position.next.is_none() && self.last.is_some();
            return if may_ask_again { Ok(position.clone()) } else { Err(TaxiiError::NoWayOn) };
        };
        let from = position.added_after.max(Some(last.moment.just_before()));
        let moves = position.next.is_some() || from > position.added_after;
        if moves || page.objects.is_empty() {
            return Ok(Position { added_after: from, next: None, limit: position.limit });
        }
        let count = page.objects.len();
        let widest = self.client.limits().page_objects.max(self.query.limit);
        let at_most = position.limit >= widest || widened_from.is_some_and(|before| count <= before);
        if at_most && fresh == 0 {
            return Err(TaxiiError::Ties { date_added: last.text.clone(), page: count });
        }
        self.widened_from = Some(count);
        Ok(Position { limit: position.limit.saturating_mul(2).min(widest), ..position.clone() })
    }

    /// Where to go after the request for `position` failed, if anywhere.
    async fn recover(&mut self, position: &Position, error: TaxiiError) -> Result<Position, TaxiiError> {
        if position.next.is_none() {
            return Err(error);
        }
        let rejected = matches!(error.status(), Some(400 | 404 | 405 | 410 | 416));
        let unclear = error.repeatable() == Repeatable::IfHarmless;
        match self.last.clone() {
            Some(last) if rejected || (unclear && self.restarts > 0) => {
                self.next_is_broken = true;
                self.warn(NEXT_REJECTED, &format!("`next` can't be followed, going on by time instead: {error}"));
                let added_after = position.added_after.max(Some(last.moment.just_before()));
                Ok(Position { added_after, next: None, limit: position.limit })
            }
            _ if unclear && self.restarts < MOST_RESTARTS => {
                self.restarts += 1;
                self.seen.start_round();
                self.last = None;
                self.idle_pages = 0;
                self.warn(STARTED_AGAIN, &format!("the walk starts again from its beginning: {error}"));
                tokio::time::sleep(self.client.backoff().step(self.restarts, 1)).await;
                Ok(self.query.start())
            }
            _ => Err(error),
        }
    }

    fn warn(&mut self, code: Code, message: &str) {
        self.summary.diagnostics.push(Diagnostic::warning(code, self.client.auth().redact(message)));
    }
}
