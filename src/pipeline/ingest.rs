//! From the feeds' threads into the store.

use std::{
    collections::BTreeSet,
    sync::mpsc::{RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};

use super::{
    BuildError, Request,
    config::{Config, FeedConfig, FeedKind},
    fetch::{self, Ended, Event, Job, Objects, WAITING},
};
use crate::{
    convert::ambiguity,
    diagnostic::{Code, Diagnostic},
    output::crash,
    report::{FeedReport, FeedState, SourceDiagnostic},
    stix::Timestamp,
    store::{Completion, Feed, FeedNumber, Store},
};

/// A feed would lose more of its objects at once than the guard allows.
pub const FEED_SHRUNK: Code = Code("S112");
/// The reading of a feed ended without a word.
pub const FEED_LOST: Code = Code("S113");

/// How often the build looks whether it shall end, while nothing comes.
const LOOK: Duration = Duration::from_millis(100);

/// One feed while it is read.
struct Intake {
    known: Feed,
    /// What was found in it.
    said: Vec<SourceDiagnostic>,
    /// Its indicators that came as one version with several contents.
    ambiguous: BTreeSet<String>,
    full: bool,
    /// Whether it is not to be read, or its end has come.
    ended: bool,
    report: FeedReport,
}

/// Reads all feeds side by side and takes what comes into the store. What became of each, in their order.
pub(super) fn ingest(
    config: &Config,
    request: &Request<'_>,
    store: &mut Store,
    said: &mut Vec<SourceDiagnostic>,
) -> Result<Vec<(FeedNumber, FeedReport)>, BuildError> {
    let (sender, events) = sync_channel(WAITING);
    let mut intakes = Vec::new();
    for (index, feed) in config.feeds.iter().enumerate() {
        let known = store.feed(&feed.source(), &feed.name)?;
        let local = matches!(feed.kind, FeedKind::Files(_));
        let full = is_full(feed, &known, request);
        let intake = Intake::new(feed, known.clone(), full, request.offline && !local);
        if !intake.ended {
            store.begin(known.number)?;
            let job = Job { index, feed: feed.clone(), known, full, forced: request.resync };
            let sender = sender.clone();
            // It is not waited for: a server may keep it for minutes after the build has been asked to end.
            thread::spawn(move || fetch::read(&job, &sender));
        }
        intakes.push(intake);
    }
    drop(sender);
    loop {
        match events.recv_timeout(LOOK) {
            Ok((index, Event::Objects(objects))) => {
                intakes[index].take(store, &objects)?;
                crash::point();
            }
            Ok((index, Event::End(ended))) => {
                intakes[index].end(config, request, store, ended)?;
                crash::point();
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        request.go_on()?;
    }
    for intake in intakes.iter_mut().filter(|intake| !intake.ended) {
        intake.fail(store, request.now, Diagnostic::error(FEED_LOST, "the reading of the feed broke off"))?;
    }
    // In the order of the feeds, whichever of them was faster.
    said.extend(intakes.iter_mut().flat_map(|intake| std::mem::take(&mut intake.said)));
    Ok(intakes.into_iter().map(|intake| (intake.known.number, intake.report)).collect())
}

/// Whether all that the feed holds comes, so that what does not come is gone.
fn is_full(feed: &FeedConfig, known: &Feed, request: &Request<'_>) -> bool {
    if !matches!(feed.kind, FeedKind::Taxii(_)) || request.resync {
        return true;
    }
    // A walk that broke off goes on first: a server that has a quota may never let a whole one through.
    if known.checkpoint.is_some() {
        return false;
    }
    let age = known.last_full.map(|last| request.now.unix_seconds().saturating_sub(last.unix_seconds()));
    feed.resync.is_some_and(|after| age.is_none_or(|age| age >= after))
}

impl Intake {
    fn new(feed: &FeedConfig, known: Feed, full: bool, offline: bool) -> Self {
        let report = FeedReport {
            name: feed.name.clone(),
            state: FeedState::Offline,
            since: known.last_success.map(|time| time.to_string()),
            pages: 0,
            objects: 0,
            changed: 0,
            removed: 0,
            faulty: 0,
            error: None,
        };
        Self { known, said: Vec::new(), ambiguous: BTreeSet::new(), full, ended: offline, report }
    }

    fn take(&mut self, store: &mut Store, objects: &Objects) -> Result<(), BuildError> {
        self.report.objects += objects.iter().len() as u64;
        let tally = store.take(self.known.number, objects.iter())?;
        if let Some(checkpoint) = &objects.checkpoint {
            store.note_checkpoint(self.known.number, checkpoint)?;
        }
        self.ambiguous.extend(tally.ambiguous);
        self.report.changed += tally.changed + tally.rewritten;
        let said = self.said.len();
        self.said.extend(objects.faults(&self.report.name));
        self.report.faulty += self.said.len() - said;
        Ok(())
    }

    fn end(
        &mut self,
        config: &Config,
        request: &Request<'_>,
        store: &mut Store,
        ended: Ended,
    ) -> Result<(), BuildError> {
        self.report.pages = ended.pages;
        self.said.extend(ended.said);
        let ambiguity = ambiguity(self.ambiguous.iter().map(String::as_str));
        self.said.extend(ambiguity.map(|diagnostic| SourceDiagnostic { source: self.report.name.clone(), diagnostic }));
        let notes = match ended.outcome {
            Ok(notes) => notes,
            Err(error) => return self.fail(store, request.now, error),
        };
        let full = self.full && !notes.unchanged;
        if full && !request.allow_shrink {
            let (held, gone) = store.missing(self.known.number)?;
            if config.limits.stops(held, held - gone) {
                let message = format!("{gone} of its {held} indicators are gone; nothing was removed");
                let help = "look at the feed; if it is right, build once with --allow-shrink";
                return self.fail(store, request.now, Diagnostic::error(FEED_SHRUNK, message).help(help));
            }
        }
        // A first walk that was broken off has been gone on with.
        let complete = full || self.known.last_success.is_none();
        // What can't be read is to be told of again.
        let validator = notes.validator.filter(|_| self.report.faulty == 0);
        self.report.removed = store.end(
            self.known.number,
            &Completion { cursor: notes.cursor, validator, now: request.now, full, complete },
        )?;
        self.ended = true;
        self.report.since = Some(request.now.to_string());
        self.report.state = match self.report.changed {
            _ if self.report.faulty > 0 => FeedState::Partial,
            0 if self.report.removed == 0 => FeedState::Unchanged,
            _ => FeedState::Fetched,
        };
        Ok(())
    }

    fn fail(&mut self, store: &mut Store, now: Timestamp, error: Diagnostic) -> Result<(), BuildError> {
        store.fail(self.known.number, now, &format!("{}: {}", error.code, error.message))?;
        self.ended = true;
        self.report.state = FeedState::Stale;
        self.report.error = Some(error);
        Ok(())
    }
}
