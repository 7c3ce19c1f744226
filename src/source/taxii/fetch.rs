//! A whole fetch: find the collection, walk through it, account for it.

use std::{
    future::Future,
    io::{BufWriter, Write},
};

use super::{
    BundleWriter, Client, Collection, FetchOptions, FetchSummary, ObjectSink, TaxiiError,
    address::{Address, shown},
    query::Query,
    resolve::{self, FoundCollection},
    walk::{NOT_AN_OBJECT, Walk, WalkEnd},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    stix::Timestamp,
};

/// The poll begins before the time to which the server's subscription reaches back.
pub const BEYOND_LOOKBACK: Code = Code("S059");

/// Fetches a collection into a STIX bundle, one object a line, in the order of the server. Blocks; memory holds one
/// page, and some 40 bytes for each object.
///
/// # Errors
/// See [`TaxiiError`]. If some objects were written before, it is [`TaxiiError::Incomplete`], and the bundle lacks its
/// end: keep what the output held before.
///
/// ```no_run
/// use stixc::source::taxii::{Auth, FetchOptions, Secret, fetch};
/// let mut options = FetchOptions::new("https://feed.example/api/taxii2/api/");
/// options.collection = Some("all-iocs".to_owned());
/// options.auth = Auth::Bearer(Secret::from_env("FEED_KEY")?);
/// let summary = fetch(&options, &mut std::io::stdout())?;
/// eprintln!("{} objects", summary.objects);
/// # Ok::<(), stixc::source::taxii::TaxiiError>(())
/// ```
pub fn fetch(options: &FetchOptions, output: &mut dyn Write) -> Result<FetchSummary, TaxiiError> {
    let mut writer = BundleWriter::new(options, BufWriter::new(output));
    let summary = fetch_into(options, &mut writer)?;
    writer.finish()?;
    Ok(summary)
}

/// One poll of one collection: the same as [`fetch`], but the objects go to `sink`, page by page as they arrive.
///
/// # Errors
/// As for [`fetch`]. Where [`TaxiiError::is_partial`], `sink` was given some objects: they are good, but the cursor that
/// the poll has begun with stays.
///
/// ```no_run
/// use std::io;
/// use serde_json::value::RawValue;
/// use stixc::{source::taxii::{FetchOptions, ObjectSink, fetch_into}, stix::{Head, ObjectError}};
///
/// #[derive(Default)]
/// struct Store {
///     page: Vec<Box<RawValue>>,
/// }
///
/// impl ObjectSink for Store {
///     fn object(&mut self, object: &RawValue, _: Result<Head, ObjectError>) -> io::Result<()> {
///         self.page.push(object.to_owned());
///         Ok(())
///     }
///     fn page(&mut self, _: &stixc::source::taxii::FetchSummary) -> io::Result<()> {
///         // One transaction: upsert all of self.page.
///         self.page.clear();
///         Ok(())
///     }
/// }
///
/// let mut options = FetchOptions::new("https://feed.example/taxii2/");
/// options.collection = Some("all-iocs".to_owned());
/// options.cursor = None; // or what was kept of the last poll
/// match fetch_into(&options, &mut Store::default()) {
///     Ok(summary) => println!("keep {:?} for the next poll", summary.cursor),
///     Err(error) => println!("the cursor stays; {} objects came: {error}", if error.is_partial() { "some" } else { "no" }),
/// }
/// ```
pub fn fetch_into(options: &FetchOptions, sink: &mut dyn ObjectSink) -> Result<FetchSummary, TaxiiError> {
    let client = Client::new(options)?;
    blocking(client.fetch(options, sink))?
}

/// The collections at `options.url`, as [`Client::collections`]; blocks.
///
/// # Errors
/// As for [`Client::collections`].
pub fn collections(options: &FetchOptions) -> Result<Vec<(url::Url, Collection)>, TaxiiError> {
    let client = Client::new(options)?;
    blocking(client.collections(options))?
}

/// Runs `future` to its end on a runtime of its own.
pub(super) fn blocking<T>(future: impl Future<Output = T>) -> Result<T, TaxiiError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| TaxiiError::Setup { reason: error.to_string() })?;
    Ok(runtime.block_on(future))
}

impl Client {
    /// Walks through the collection that `options` name and hands its objects to `sink`. The server and the
    /// credentials are those that the client was made with.
    ///
    /// # Errors
    /// See [`TaxiiError`]; [`TaxiiError::Incomplete`] if `sink` was given some objects before.
    pub async fn fetch(&self, options: &FetchOptions, sink: &mut dyn ObjectSink) -> Result<FetchSummary, TaxiiError> {
        if options.limit == 0 {
            return Err(TaxiiError::InvalidOption { option: "limit", reason: "must be at least 1".to_owned() });
        }
        let mut summary = FetchSummary { requests: self.requests(), ..FetchSummary::default() };
        let outcome = self.find_and_walk(options, sink, &mut summary);
        let outcome = self.in_time(outcome).await;
        self.account(summary, outcome)
    }

    /// The collections at `options.url`, an API root or a discovery resource, each with the URL of its API root. An API
    /// root that fails does not hide the others.
    ///
    /// # Errors
    /// See [`TaxiiError`]; an API root's own only if no other has a collection.
    pub async fn collections(&self, options: &FetchOptions) -> Result<Vec<(url::Url, Collection)>, TaxiiError> {
        let address = Address::parse(&options.url)?;
        let found = resolve::all_collections(self, &address)
            .await
            .map_err(|error| error.redacted(&|text| self.auth().redact(&text)))?;
        Ok(found.into_iter().map(|(root, collection)| (root, collection.redacted(self.auth()))).collect())
    }

    pub(super) async fn in_time(&self, work: impl Future<Output = Result<(), TaxiiError>>) -> Result<(), TaxiiError> {
        let limit = self.limits().time;
        tokio::time::timeout(limit, work).await.unwrap_or(Err(TaxiiError::TooLong { limit }))
    }

    /// Ends the account of a fetch, which was begun with the number of requests before it.
    pub(super) fn account(
        &self,
        mut summary: FetchSummary,
        outcome: Result<(), TaxiiError>,
    ) -> Result<FetchSummary, TaxiiError> {
        summary.requests = self.requests() - summary.requests;
        if summary.skipped > 0 {
            let message = format!("{} entries of `objects` are not JSON objects; they are left out", summary.skipped);
            summary.diagnostics.push(Diagnostic::warning(NOT_AN_OBJECT, message));
        }
        match outcome {
            Ok(()) => Ok(summary),
            Err(error) => Err(incomplete(&summary, error).redacted(&|text| self.auth().redact(&text))),
        }
    }

    async fn find_and_walk(
        &self,
        options: &FetchOptions,
        sink: &mut dyn ObjectSink,
        summary: &mut FetchSummary,
    ) -> Result<(), TaxiiError> {
        let address = Address::parse(&options.url)?;
        let (known, start) = (options.known()?, options.start()?);
        let query = Query { added_after: start, limit: options.limit, filters: options.filters.clone() };
        let first_page = |objects: &url::Url, version| query.request(objects, &query.start(), version);
        let FoundCollection { objects, first } =
            resolve::find(self, &address, options.collection.as_deref(), first_page).await?;
        summary.objects_url = shown(&objects);
        let end = Walk::new(self, query, objects, sink, summary).run(first).await?;
        if let (Some(start), Some(lookback), Some(now)) = (known, options.lookback, end.date)
            && start < now.saturating_sub(lookback)
        {
            summary.diagnostics.push(beyond_lookback(start, now.saturating_sub(lookback)));
        }
        summary.cursor = cursor(options, known, &end, summary.objects > 0);
        summary.last_added = end.last.map(|last| last.text);
        Ok(())
    }
}

/// See [`FetchSummary::cursor`].
fn cursor(options: &FetchOptions, start: Option<Timestamp>, end: &WalkEnd, any_came: bool) -> Option<String> {
    // What the server's clock says is the latest that a header may say; by itself it says nothing of when objects are added.
    let by_clock = || Some(end.date.filter(|_| any_came)?.saturating_sub(options.overlap));
    match (&end.last, by_clock()) {
        (Some(last), clock) if Some(last.moment) > start && clock.is_none_or(|clock| last.moment <= clock) => {
            Some(last.text.clone())
        }
        (Some(last), Some(clock)) if last.moment > clock && Some(clock) > start => Some(format!("{clock:.6}")),
        _ => options.cursor.clone().or_else(|| start.map(|moment| format!("{moment:.6}"))),
    }
}

fn beyond_lookback(start: Timestamp, reach: Timestamp) -> Diagnostic {
    let message = format!("asked for what was added after {start:.6}, but the server reaches back to {reach:.6} only");
    Diagnostic::warning(BEYOND_LOOKBACK, message).help("poll more often; what was added in between may be missing")
}

fn incomplete(summary: &FetchSummary, error: TaxiiError) -> TaxiiError {
    match (summary.objects, error) {
        (0, error) | (_, error @ TaxiiError::Output { .. }) => error,
        (objects, error) => TaxiiError::Incomplete { objects, pages: summary.pages, cause: Box::new(error) },
    }
}
