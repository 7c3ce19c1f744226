//! A whole fetch: find the collection, walk through it, account for it.

use std::io::{BufWriter, Write};

use serde::Serialize;

use super::{
    BundleWriter, Client, Collection, FetchOptions, Sink, TaxiiError,
    address::Address,
    resolve::{self, Found},
    walk::{NOT_AN_OBJECT, Query, Walk},
};
use crate::diagnostic::Diagnostic;

/// What a walk has brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FetchSummary {
    /// The objects resource that was walked through.
    pub objects_url: String,
    /// Pages read.
    pub pages: u64,
    /// Requests sent, repeated ones and redirects included.
    pub requests: u64,
    /// Objects handed on, each version once.
    pub objects: u64,
    /// Objects that came again and were dropped.
    pub repeated: u64,
    /// Entries that are not JSON objects and were dropped.
    pub skipped: u64,
    /// The newest `X-TAXII-Date-Added-Last`, as the server wrote it.
    pub last_added: Option<String>,
    /// What is worth knowing about the way.
    pub diagnostics: Vec<Diagnostic>,
}

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

/// The same as [`fetch`], but the objects go to `sink`.
///
/// # Errors
/// As for [`fetch`].
pub fn fetch_into(options: &FetchOptions, sink: &mut dyn Sink) -> Result<FetchSummary, TaxiiError> {
    let client = Client::new(options)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| TaxiiError::Setup { reason: error.to_string() })?;
    runtime.block_on(client.fetch(options, sink))
}

impl Client {
    /// Walks through the collection that `options` name and hands its objects to `sink`. The server and the
    /// credentials are those that the client was made with.
    ///
    /// # Errors
    /// See [`TaxiiError`]; [`TaxiiError::Incomplete`] if `sink` was given some objects before.
    pub async fn fetch(&self, options: &FetchOptions, sink: &mut dyn Sink) -> Result<FetchSummary, TaxiiError> {
        if options.limit == 0 {
            return Err(TaxiiError::InvalidOption { option: "limit", reason: "must be at least 1".to_owned() });
        }
        let mut summary = FetchSummary::default();
        let requests_before = self.requests();
        let limit = self.limits().time;
        let walked = match tokio::time::timeout(limit, self.find_and_walk(options, sink, &mut summary)).await {
            Ok(walked) => walked,
            Err(_) => Err(TaxiiError::TooLong { limit }),
        };
        match walked {
            Ok(()) => {
                summary.requests = self.requests() - requests_before;
                note_skipped(&mut summary);
                Ok(summary)
            }
            Err(error) => Err(incomplete(&summary, error).redacted(self.auth())),
        }
    }

    /// The collections at `options.url`, an API root or a discovery resource, each with the URL of its API root. An API
    /// root that fails does not hide the others.
    ///
    /// # Errors
    /// See [`TaxiiError`]; an API root's own only if no other has a collection.
    pub async fn collections(&self, options: &FetchOptions) -> Result<Vec<(url::Url, Collection)>, TaxiiError> {
        let address = Address::parse(&options.url)?;
        resolve::all_collections(self, &address).await.map_err(|error| error.redacted(self.auth()))
    }

    async fn find_and_walk(
        &self,
        options: &FetchOptions,
        sink: &mut dyn Sink,
        summary: &mut FetchSummary,
    ) -> Result<(), TaxiiError> {
        let address = Address::parse(&options.url)?;
        let FetchOptions { added_after, limit, filters, .. } = options.clone();
        let query = Query { added_after, limit, filters };
        let first_page = |objects: &url::Url| query.url(objects, &query.start());
        let Found { objects, first } = resolve::find(self, &address, options.collection.as_deref(), first_page).await?;
        summary.objects_url = super::address::shown(&objects);
        Walk::new(self, &query, objects, sink, summary).run(first).await
    }
}

fn incomplete(summary: &FetchSummary, error: TaxiiError) -> TaxiiError {
    match (summary.objects, error) {
        (0, error) | (_, error @ TaxiiError::Output(_)) => error,
        (objects, error) => TaxiiError::Incomplete { objects, pages: summary.pages, cause: Box::new(error) },
    }
}

fn note_skipped(summary: &mut FetchSummary) {
    if summary.skipped > 0 {
        let message = format!("{} entries of `objects` are not JSON objects; they are left out", summary.skipped);
        summary.diagnostics.push(Diagnostic::warning(NOT_AN_OBJECT, message));
    }
}
