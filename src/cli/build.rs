//! `stixc build`.

use std::{path::PathBuf, sync::atomic::AtomicBool};

use clap::Args;

use crate::{
    convert::Details,
    diagnostic::{Diagnostic, Severity},
    output::Change,
    pipeline::{BAD_CONFIG, BuildError, Built, Config, ConfigError, Request, UNKNOWN_KEY, build},
    report::{FeedReport, FeedState, Report},
    store::StoreError,
};

use super::{
    Global, convert, display,
    exit::{Exit, Failure, overrides},
    fail_on::{Asked, FailOn, Offered},
    inputs::now,
    safety::SafetyArguments,
    watch,
};

/// How many changed files are shown unless more is asked for.
const SHOWN: usize = 20;

/// Bring the outputs up to date: feeds, filters, targets, all from stixc.toml.
///
/// What the feeds say is kept in a store, so that a server is only asked for what is new, and the outputs are made of all
/// that is known. A feed that fails is marked as stale; what it said before stays, the others go on, and the run ends
/// with 4. Outputs that would shrink or grow too much are not written, and the run ends with 5.
#[derive(Debug, Args)]
pub(super) struct Build {
    /// The configuration; stixc init writes one
    #[arg(long, value_name = "FILE", default_value = "stixc.toml")]
    config: PathBuf,
    /// Only say what would change, and end with 1 if anything would, or with 5 if it would shrink too much. The store takes in what the feeds say all the same
    #[arg(long, conflicts_with = "watch")]
    check: bool,
    /// Ask no server: build of what the store holds, and of files
    #[arg(long)]
    offline: bool,
    /// Read all feeds from their beginning, and remove what they no longer hold
    #[arg(long, conflicts_with = "offline")]
    resync: bool,
    #[command(flatten)]
    safety: SafetyArguments,
    /// Stay, and build again after this time, give or take a tenth: 15m, 12h
    #[arg(long, value_name = "TIME")]
    watch: Option<String>,
    /// Write a report of every feed and indicator as JSON; - for standard output
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// End with code 1 where a finding is at this level or one above it in the list below, for one target or for all that have
    /// no level of their own; several separated by commas: refused,unchecked,yara=never
    #[arg(long, value_name = "[TARGET=]LEVEL", value_delimiter = ',', value_parser = Offered::All)]
    fail_on: Vec<Asked>,
    /// The moment that decides on expiry, RFC 3339; SOURCE_DATE_EPOCH serves too
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
}

impl Build {
    /// Whether it stays.
    pub(super) fn watches(&self) -> bool {
        self.watch.is_some()
    }

    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failure> {
        let mut config = Config::read(&self.config).map_err(|error| config_failure(&error))?;
        let Some(interval) = &self.watch else { return self.round(&config, &AtomicBool::new(false), true, global) };
        let interval = watch::interval(interval)?;
        watch::watch(interval, global, |stop, first| {
            if !first {
                match Config::read(&self.config) {
                    Ok(new) => config = new,
                    Err(error) => {
                        display::failure(&config_failure(&error));
                        errln!("the configuration stays as it was");
                    }
                }
            }
            self.round(&config, stop, first, global)
        })
    }

    /// Builds once. What is asked for this time is for the first round only.
    fn round(&self, config: &Config, stop: &AtomicBool, first: bool, global: &Global) -> Result<Exit, Failure> {
        let report = self.report.as_ref().or(config.report.as_ref());
        let fail_on = self.fail_on(config)?;
        let all = report.is_some() || global.verbose > 0;
        let request = Request {
            now: now(self.now.as_deref())?,
            offline: self.offline,
            check: self.check,
            resync: self.resync && first,
            allow_shrink: self.safety.allow_shrink && first,
            allow_growth: self.safety.allow_growth && first,
            force: self.safety.force && first,
            details: if all { Details::All } else { Details::Problems },
            stop,
        };
        let built = match build(config, &request) {
            Ok(built) => built,
            Err(BuildError::NoInput(feeds)) => {
                show_feeds(&feeds, global);
                return Err(Failure::new(Exit::NoInput, "no feed could be read, and none was read before"));
            }
            Err(BuildError::Stopped { files, feeds, said }) => {
                said.iter().for_each(display::source_diagnostic);
                show_feeds(&feeds, global);
                return Err(BuildError::Stopped { files, feeds: Vec::new(), said: Vec::new() }.into());
            }
            Err(error) => return Err(error.into()),
        };
        self.show(&built, global);
        if let Some(path) = report {
            let numbers = built.finished.report();
            convert::write_report(path, &Report { feeds: &built.feeds, ..numbers })?;
        }
        let mut exit = if fail_on.finds(&built.finished.summary) { Exit::Findings } else { Exit::Done };
        if self.check && !built.changes.is_empty() {
            exit = exit.max(Exit::Findings);
        }
        let incomplete = |feed: &FeedReport| matches!(feed.state, FeedState::Stale | FeedState::Partial);
        if built.feeds.iter().any(incomplete) {
            exit = exit.max(Exit::Feed);
        }
        if !built.stopped.is_empty() {
            return Err(BuildError::Stopped { files: built.stopped, feeds: Vec::new(), said: Vec::new() }.into());
        }
        Ok(exit)
    }

    /// What the command line asks for, or else the configuration.
    fn fail_on(&self, config: &Config) -> Result<FailOn, Failure> {
        let asked = match &config.fail_on {
            Some(text) if self.fail_on.is_empty() => FailOn::parse(text)?,
            _ => self.fail_on.clone(),
        };
        let targets: Vec<&'static str> = config.targets.iter().map(|one| one.target.name()).collect();
        FailOn::new(&asked, &targets)
    }

    fn show(&self, built: &Built, global: &Global) {
        for found in &built.finished.diagnostics {
            if !global.quiet || found.diagnostic.severity == Severity::Error {
                display::source_diagnostic(found);
            }
        }
        convert::show_indicators(&built.finished, global);
        show_feeds(&built.feeds, global);
        if self.check {
            show_changes(&built.changes, global);
        }
        if global.quiet {
            return;
        }
        let removed = built.changes.iter().filter(|change| change.after.is_none()).count();
        let would = if self.check { "would be " } else { "" };
        errln!("{} files, {} {would}changed, {removed} {would}removed", built.files, built.changes.len() - removed);
        display::summary(&built.finished.summary);
    }
}

/// What is wrong with a configuration, shown with its lines.
pub(super) fn config_failure(error: &ConfigError) -> Failure {
    let path = error.path.display().to_string();
    error
        .diagnostics
        .iter()
        .for_each(|diagnostic| display::in_file(diagnostic, &path, &covered(&error.text, diagnostic)));
    Failure::new(Exit::Usage, format!("{path} can't be used"))
}

/// The text with the value that a diagnostic is about covered where it may be a secret: a misspelt `token` is an unknown
/// key, and what is no TOML may be anything.
fn covered(text: &str, diagnostic: &Diagnostic) -> String {
    const SECRET: [&str; 4] = ["token", "password", "header", "user"];
    let Some(span) = diagnostic.span else { return text.to_owned() };
    let line = text.get(..span.start as usize).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let rest = text.get(span.end as usize..).unwrap_or_default();
    let end = text.len() - rest.len() + rest.find('\n').unwrap_or(rest.len());
    let Some((key, value)) = text.get(line..end).and_then(|lines| lines.split_once('=')) else {
        return text.to_owned();
    };
    let may_be_secret = matches!(diagnostic.code, UNKNOWN_KEY | BAD_CONFIG) || SECRET.contains(&key.trim());
    if !may_be_secret {
        return text.to_owned();
    }
    // As many bytes as before: the places of what is shown stay.
    let cover = |sign: char| if sign.is_whitespace() { sign.to_string() } else { "*".repeat(sign.len_utf8()) };
    let covered: String = value.chars().map(cover).collect();
    format!("{}{covered}{}", &text[..end - value.len()], &text[end..])
}

fn show_feeds(feeds: &[FeedReport], global: &Global) {
    for feed in feeds {
        let name = display::visible(&feed.name);
        if let Some(error) = &feed.error {
            let since = feed
                .since
                .as_ref()
                .map_or_else(|| "nothing was read before".to_owned(), |since| format!("its state is that of {since}"));
            display::feed_failure(&name, error, &since);
        } else if !global.quiet {
            errln!(
                "{name}: {}, {} objects, {} new, {} gone{}",
                feed.state.name(),
                feed.objects,
                feed.changed,
                feed.removed,
                if feed.faulty > 0 { format!(", {} can't be read", feed.faulty) } else { String::new() }
            );
        }
    }
}

/// What would change: data, so it goes to standard output.
fn show_changes(changes: &[Change], global: &Global) {
    let shown = if global.verbose > 0 { changes.len() } else { SHOWN };
    for Change { path, before, after } in changes.iter().take(shown) {
        match (before, after) {
            (Some(before), Some(after)) => outln!("~ {path} ({before} → {after} lines)"),
            (None, _) => outln!("+ {path}"),
            (_, None) => outln!("- {path}"),
        }
    }
    if changes.len() > shown {
        outln!("and {} more: see -v", changes.len() - shown);
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::coded(Exit::Usage, error.diagnostic())
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        let message = error.to_string();
        let help = |text: &str| text.to_owned();
        let (exit, help) = match error {
            BuildError::Store(error) => return error.into(),
            BuildError::Emit(error) => return error.into(),
            BuildError::Guard(error) => return error.into(),
            BuildError::Stopped { files, .. } => {
                (Exit::Safety, format!("look at the feeds; if it is meant, build once with {}", overrides(&files)))
            }
            BuildError::Targets(failures) => {
                let is_stop = failures.iter().any(|failure| failure.error.is_safety_stop());
                (if is_stop { Exit::Safety } else { Exit::Usage }, help("nothing was written"))
            }
            BuildError::Ended => (Exit::Done, String::new()),
            BuildError::NoInput(_) => (Exit::NoInput, String::new()),
            BuildError::Mapping { .. } | BuildError::Template(_) => {
                (Exit::Usage, help("compare it with stixc templates show"))
            }
            BuildError::Damaged(_) => {
                (Exit::Usage, help("move the store away: the next build fetches everything again"))
            }
        };
        Self { exit, message, help }
    }
}
