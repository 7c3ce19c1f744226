//! From feeds to files, over and over: what `stixc build` does.
//!
//! ```text
//! stixc.toml ─► Config ─► fetch: a thread for each feed ─► pages ─► Store     (a transaction for each page)
//!                                                                    │
//!                                            Converter ◄─────────────┘
//!                                                │
//!                                             Staged ─► safety ─► the output folder ─► "rendered"
//! ```
//!
//! The order of the writes is what makes it safe to end the process anywhere: a page's objects come before the cursor
//! that says so, the store before the files, complete files before their names, and all of them before the note that the
//! outputs are those of the store. The files are made from the store alone, so that the next build puts right whatever
//! this one has left undone.

mod config;
mod fetch;
mod ingest;
mod render;

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    convert::{Details, Finished},
    diagnostic::Diagnostic,
    guard::GuardError,
    output::{Change, EmitError, Stopped, told},
    render::TemplateError,
    report::{FeedReport, SourceDiagnostic},
    stix::Timestamp,
    store::{FeedNumber, Store, StoreError},
};

pub use config::{
    BAD_CONFIG, BAD_VALUE, Config, ConfigError, Credentials, FeedConfig, FeedKind, MISSING_KEY, TargetConfig,
    UNKNOWN_KEY, WebFeed,
};
pub use ingest::{FEED_LOST, FEED_SHRUNK};

/// What a build is asked for beside its configuration.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The moment that decides on expiry, and that is noted for the feeds.
    pub now: Timestamp,
    /// Whether no server is asked.
    pub offline: bool,
    /// Whether the outputs are only compared.
    pub check: bool,
    /// Whether all feeds are read from their beginning, and what they no longer hold is removed.
    pub resync: bool,
    /// Whether the guard against shrinking lets everything through.
    pub allow_shrink: bool,
    /// Whether the guard against growing does.
    pub allow_growth: bool,
    /// Whether files are taken that others have written, and a folder that belongs to another configuration.
    pub force: bool,
    /// Which indicators the report tells of.
    pub details: Details,
    /// Set from elsewhere to end the build before its next step.
    pub stop: &'a AtomicBool,
}

impl Request<'_> {
    fn go_on(&self) -> Result<(), BuildError> {
        if self.stop.load(Ordering::Relaxed) { Err(BuildError::Ended) } else { Ok(()) }
    }
}

/// What came of a build.
#[derive(Debug)]
pub struct Built {
    /// The feeds, in the order of the configuration.
    pub feeds: Vec<FeedReport>,
    /// The numbers, the indicators, and what was said.
    pub finished: Finished,
    /// Files that have changed; of a check, that would change.
    pub changes: Vec<Change>,
    /// How many files there are now.
    pub files: usize,
    /// Of a check: what would stop the build, because it would change too much.
    pub stopped: Vec<Stopped>,
}

/// Why nothing was built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was read from the store is damaged.
    #[error("the store is damaged: {0}")]
    Damaged(Diagnostic),
    /// A mapping file that is none.
    #[error("{path}: {message}")]
    Mapping {
        /// The file.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// A guard list that is none.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// A template that is none.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Files that can't be written.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// Targets whose files can't be made, with the reasons.
    #[error("{}", .0.iter().map(|failure| format!("{}: {}", failure.target, failure.error)).collect::<Vec<_>>().join("; "))]
    Targets(Vec<crate::convert::EmitFailure>),
    /// The outputs would shrink or grow too much.
    #[error("{}", told(files))]
    Stopped {
        /// What would change.
        files: Vec<Stopped>,
        /// The feeds, in the order of the configuration: one that failed may be why.
        feeds: Vec<FeedReport>,
        /// What was said of them.
        said: Vec<SourceDiagnostic>,
    },
    /// No feed could be read, now or ever: there is nothing to build of.
    #[error("no feed could be read, and none was read before")]
    NoInput(Vec<FeedReport>),
    /// It was asked to end.
    #[error("stopped")]
    Ended,
}

/// Brings the outputs of `config` up to date.
///
/// # Errors
/// See [`BuildError`]: the outputs are as they were, unless the disk failed while they changed. A feed that fails is no
/// error; it is told in [`Built::feeds`].
pub fn build(config: &Config, request: &Request<'_>) -> Result<Built, BuildError> {
    let prepared = render::RenderJob::new(config, request)?;
    let mut store = Store::open(&config.store)?;
    let mut said: Vec<SourceDiagnostic> = Vec::new();
    let feeds = ingest::ingest(config, request, &mut store, &mut said)?;
    request.go_on()?;
    if nothing_is_known(&store, &feeds)? {
        return Err(BuildError::NoInput(feeds.into_iter().map(|(_, feed)| feed).collect()));
    }
    let rendered = prepared.render(config, request, &mut store, &feeds);
    let feeds = feeds.into_iter().map(|(_, report)| report).collect();
    let mut built = match rendered {
        Err(BuildError::Stopped { files, .. }) => return Err(BuildError::Stopped { files, feeds, said }),
        other => other?,
    };
    built.feeds = feeds;
    built.finished.diagnostics.splice(0..0, said);
    Ok(built)
}

/// Whether no feed could be read, and the store holds nothing of any, not even of a reading that broke off.
fn nothing_is_known(store: &Store, feeds: &[(FeedNumber, FeedReport)]) -> Result<bool, BuildError> {
    for (number, feed) in feeds {
        if feed.since.is_some() || feed.objects > 0 || store.missing(*number)?.0 > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}
