//! Reading one feed, in a thread of its own, at its own pace.

use std::{
    io::{self, Read},
    sync::mpsc::SyncSender,
};

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::config::{Credentials, FeedConfig, FeedKind};
use crate::{
    convert::in_file,
    diagnostic::{Diagnostic, Severity},
    hex,
    report::SourceDiagnostic,
    source::{
        self, Input,
        taxii::{Auth, FetchOptions, FetchSummary, ObjectSink, Secret, TaxiiError, download_into, fetch_into},
    },
    stix::{Batch, BundleReader, Head, ObjectError, codes},
    store::Feed,
};

/// Pages that may wait for the store, of all feeds together.
pub(super) const WAITING: usize = 2;

/// What to read.
pub(super) struct Job {
    pub(super) index: usize,
    pub(super) feed: FeedConfig,
    /// What the store knows about it.
    pub(super) known: Feed,
    /// Whether to read it from its beginning.
    pub(super) full: bool,
    /// Whether to read it though it says that nothing has changed.
    pub(super) forced: bool,
}

/// What a feed's thread tells.
pub(super) enum Event {
    /// Objects that have come.
    Objects(Objects),
    /// The end; nothing follows.
    End(Ended),
}

/// The objects of a page or of a part of a file, each with its head.
pub(super) struct Objects {
    /// The name of the file that they are a part of.
    file: Option<String>,
    batch: Batch,
    heads: Vec<Result<Head, ObjectError>>,
    /// Where a walk can go on that breaks off behind them.
    pub(super) checkpoint: Option<String>,
}

impl Objects {
    /// An empty page.
    fn page() -> Self {
        Self { file: None, batch: Batch::at(0, 1), heads: Vec::new(), checkpoint: None }
    }

    /// The objects' texts and heads.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &Result<Head, ObjectError>)> {
        self.batch.objects().map(|object| object.raw).zip(&self.heads)
    }

    /// What is wrong with those that can't be read.
    pub(super) fn faults(&self, feed: &str) -> impl Iterator<Item = SourceDiagnostic> {
        self.batch.objects().zip(&self.heads).filter_map(move |(object, head)| {
            let error = head.as_ref().err()?;
            if let Some(name) = &self.file {
                return Some(in_file(name, object.fault(error)));
            }
            let id = error.id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
            Some(SourceDiagnostic { source: format!("{feed}{id}"), diagnostic: error.diagnostic() })
        })
    }
}

/// How the reading of a feed ended.
pub(super) struct Ended {
    /// Pages or files.
    pub(super) pages: u64,
    /// What is worth knowing about the way.
    pub(super) said: Vec<SourceDiagnostic>,
    /// What to note, or why it failed.
    pub(super) outcome: Result<Notes, Diagnostic>,
}

/// What to note of a feed that was read to its end.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) cursor: Option<String>,
    pub(super) validator: Option<String>,
    /// It says that nothing has changed, and nothing came.
    pub(super) unchanged: bool,
}

/// Reads a feed and tells `events` of it.
pub(super) fn read(job: &Job, events: &SyncSender<(usize, Event)>) {
    let send = |objects: Objects| {
        // Nobody listens any more: the build has ended before the feed has.
        events.send((job.index, Event::Objects(objects))).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    };
    let ended = match &job.feed.kind {
        FeedKind::Files(paths) => files(&source::inputs(paths), job, send),
        FeedKind::Taxii(feed) => {
            let cursor = job.known.checkpoint.clone().or_else(|| job.known.cursor.clone()).filter(|_| !job.full);
            web(&feed.options, &feed.credentials, cursor, job, send, fetch_into)
        }
        FeedKind::Url(feed) => {
            let validator = job.known.validator.clone().filter(|_| !job.forced);
            let ended = web(&feed.options, &feed.credentials, validator, job, send, download_into);
            // The cursor of a bundle is the tag by which an unchanged one is known.
            let outcome = ended.outcome.map(|notes| Notes { validator: notes.cursor, cursor: None, ..notes });
            Ended { outcome, ..ended }
        }
    };
    // As above.
    _ = events.send((job.index, Event::End(ended)));
}

/// Collects the objects of a page.
struct Pages<F> {
    page: Objects,
    count: u64,
    send: F,
}

impl<F: FnMut(Objects) -> io::Result<()>> ObjectSink for Pages<F> {
    fn object(&mut self, object: &RawValue, head: Result<Head, ObjectError>) -> io::Result<()> {
        self.page.batch.push(object.get().as_bytes());
        self.page.heads.push(head);
        Ok(())
    }

    fn page(&mut self, so_far: &FetchSummary) -> io::Result<()> {
        self.count = so_far.pages;
        self.page.checkpoint.clone_from(&so_far.checkpoint);
        (self.send)(std::mem::replace(&mut self.page, Objects::page()))
    }
}

fn web<F: FnMut(Objects) -> io::Result<()>>(
    options: &FetchOptions,
    credentials: &Credentials,
    cursor: Option<String>,
    job: &Job,
    send: F,
    fetch: impl FnOnce(&FetchOptions, &mut dyn ObjectSink) -> Result<FetchSummary, TaxiiError>,
) -> Ended {
    let mut pages = Pages { page: Objects::page(), count: 0, send };
    let fetched = auth(credentials).and_then(|auth| {
        let options = FetchOptions { auth, cursor, ..options.clone() };
        fetch(&options, &mut pages)
    });
    let source = |diagnostic: Diagnostic| SourceDiagnostic { source: job.feed.name.clone(), diagnostic };
    match fetched {
        Ok(summary) => Ended {
            pages: summary.pages,
            said: summary.diagnostics.into_iter().map(source).collect(),
            outcome: Ok(Notes { cursor: summary.cursor, validator: None, unchanged: summary.unchanged }),
        },
        Err(error) => Ended { pages: pages.count, said: Vec::new(), outcome: Err(error.diagnostic()) },
    }
}

fn auth(credentials: &Credentials) -> Result<Auth, TaxiiError> {
    let Some(reference) = &credentials.secret else { return Ok(Auth::None) };
    let secret = Secret::from_reference(reference)?;
    Ok(match (&credentials.user, &credentials.header) {
        (Some(user), _) => Auth::Basic { user: user.clone(), password: secret },
        (None, Some(name)) => Auth::Header { name: name.clone(), value: secret },
        (None, None) => Auth::Bearer(secret),
    })
}

fn files(found: &source::Inputs, job: &Job, mut send: impl FnMut(Objects) -> io::Result<()>) -> Ended {
    let mut ended = Ended { pages: 0, said: Vec::new(), outcome: Ok(Notes::default()) };
    let mut failure = found.errors.first().map(source::SourceError::diagnostic);
    let validator = match digest(&found.inputs) {
        Ok(digest) => Some(digest),
        Err(error) => {
            failure.get_or_insert(error.diagnostic());
            None
        }
    };
    if failure.is_none() && !job.forced && validator == job.known.validator {
        ended.outcome = Ok(Notes { cursor: None, validator, unchanged: true });
        return ended;
    }
    for input in &found.inputs {
        let Ok(reader) = input.open() else { continue };
        ended.pages += 1;
        for mut batch in BundleReader::new(reader) {
            for fault in std::mem::take(&mut batch.faults) {
                // What is lost between the objects may be anything: what did not come is not known to be gone.
                if fault.diagnostic.severity == Severity::Error {
                    failure.get_or_insert(fault.diagnostic.clone());
                }
                ended.said.push(in_file(input.name(), fault));
            }
            let heads: Vec<_> = batch.objects().map(|object| object.check().and_then(|()| object.head())).collect();
            // What is not JSON may be anything, and what has no name may be there already: it is not known to be gone.
            let is_unknown = |error: &&ObjectError| error.id.is_none() || !codes::costs_one_object(error.kind.code());
            if let Some(error) = heads.iter().filter_map(|head| head.as_ref().err()).find(is_unknown) {
                failure.get_or_insert(error.diagnostic());
            }
            if send(Objects { file: Some(input.name().to_owned()), batch, heads, checkpoint: None }).is_err() {
                return ended;
            }
        }
    }
    ended.said.extend(
        found
            .errors
            .iter()
            .map(|error| SourceDiagnostic { source: job.feed.name.clone(), diagnostic: error.diagnostic() }),
    );
    ended.outcome = match failure {
        Some(failure) => Err(failure),
        None => Ok(Notes { cursor: None, validator, unchanged: false }),
    };
    ended
}

/// By what unchanged files are known: their names and all their bytes.
fn digest(inputs: &[Input]) -> Result<String, source::SourceError> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    for input in inputs {
        let unreadable = |cause| source::SourceError::Unreadable { name: input.name().to_owned(), cause };
        digest.update(format!("{}\n{}\n", input.name(), input.length().unwrap_or_default()));
        let mut reader = input.open()?;
        loop {
            match reader.read(&mut buffer).map_err(unreadable)? {
                0 => break,
                length => digest.update(&buffer[..length]),
            }
        }
    }
    Ok(hex::encode(&digest.finalize()))
}
