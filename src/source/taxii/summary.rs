//! What comes of a fetch, and who takes it.

use std::io;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    diagnostic::Diagnostic,
    stix::{Head, ObjectError},
};

/// Takes the objects of a fetch as they arrive.
pub trait ObjectSink {
    /// One object, a JSON object as the server sent it, and its head, or why it can't be read as what its type says. Each
    /// version of an object comes once in a fetch; the next one may bring it again.
    ///
    /// # Errors
    /// Whatever keeps it from being taken; the fetch ends with that.
    fn object(&mut self, object: &RawValue, head: Result<Head, ObjectError>) -> io::Result<()>;

    /// The end of a page, with the count so far: the time to make safe what the page has brought. Does nothing unless
    /// overridden.
    ///
    /// # Errors
    /// As for [`ObjectSink::object`].
    fn page(&mut self, so_far: &FetchSummary) -> io::Result<()> {
        let _ = so_far;
        Ok(())
    }
}

/// What a fetch has brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FetchSummary {
    /// The objects resource that was walked through, or the bundle.
    pub objects_url: String,
    /// Pages read.
    pub pages: u64,
    /// Requests sent, repeated ones and redirects included.
    pub requests: u64,
    /// Bytes read, after unpacking.
    pub bytes: u64,
    /// Objects handed on, each version once.
    pub objects: u64,
    /// Objects that came again and were dropped.
    pub repeated: u64,
    /// Entries that are not JSON objects and were dropped.
    pub skipped: u64,
    /// The newest `X-TAXII-Date-Added-Last`, as the server wrote it.
    pub last_added: Option<String>,
    /// What the next poll of the same collection, with the same filters, is to begin with: keep it, as it is, and give
    /// it to [`FetchOptions::cursor`](super::FetchOptions::cursor). It exists only after a whole walk; after an error
    /// the one that the poll has begun with remains good.
    ///
    /// Of a collection it is the newest `X-TAXII-Date-Added-Last`, but never later than the server's own `Date` at the
    /// beginning of the walk less [`FetchOptions::overlap`](super::FetchOptions::overlap): a server that is still
    /// adding objects may add more at the same moment, so what was added just now is asked for again. Where the server
    /// sends no such header, or nothing came, it is what the poll has begun with.
    /// This machine's clock has no part in it. Of a bundle it is the `ETag`, or else `Last-Modified`.
    pub cursor: Option<String>,
    /// Where a walk that breaks off behind this page can go on, as [`FetchSummary::cursor`]: all that was added before has
    /// come. Only where the pages have been seen to come in the order of time.
    pub checkpoint: Option<String>,
    /// The bundle is the one that the cursor stands for: nothing was fetched.
    pub unchanged: bool,
    /// What is worth knowing about the way.
    pub diagnostics: Vec<Diagnostic>,
}
