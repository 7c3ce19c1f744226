//! `stixc store`.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::{
    convert::seconds,
    output::{EmitError, write_file},
    pipeline::Config,
    stix::Timestamp,
    store::{FeedNumber, Store, StoreError},
};

use super::{
    Global, build, display,
    exit::{Exit, Failure},
    inputs::now,
};

/// Look into the store of `stixc build`, or make room in it.
#[derive(Debug, Args)]
pub(super) struct StoreCommand {
    #[command(subcommand)]
    command: Command,
    /// The configuration that names the store
    #[arg(long, global = true, value_name = "FILE", default_value = "stixc.toml")]
    config: PathBuf,
    /// The store itself, whatever the configuration says
    #[arg(long, global = true, value_name = "FILE")]
    store: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What each feed has brought, and where its next walk begins
    Stats {
        /// text or json
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: StatsFormat,
    },
    /// All objects as they came, an object a line: input for stixc convert
    Export {
        /// Only those of this feed
        #[arg(long, value_name = "NAME")]
        feed: Option<String>,
        /// Write to this file; - for standard output
        #[arg(short, long, value_name = "FILE", default_value = "-")]
        output: PathBuf,
    },
    /// Remove indicators that have expired long ago, and feeds that the configuration no longer has
    Prune {
        /// How long ago they have expired: 90d, 12w
        #[arg(long, value_name = "TIME", default_value = "90d")]
        older_than: String,
        /// The present moment, RFC 3339; SOURCE_DATE_EPOCH serves too
        #[arg(long, value_name = "TIME")]
        now: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StatsFormat {
    Text,
    Json,
}

impl StoreCommand {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failure> {
        match &self.command {
            Command::Stats { format } => stats(&self.open()?, *format),
            Command::Export { feed, output } => export(&mut self.open()?, feed.as_deref(), output),
            Command::Prune { older_than, now } => self.prune(older_than, now.as_deref(), global),
        }
    }

    fn open(&self) -> Result<Store, Failure> {
        let path = match &self.store {
            Some(path) => path.clone(),
            None => self.config()?.store,
        };
        if !path.exists() {
            let message = format!("{} is not there", path.display());
            return Err(Failure::usage(message, "stixc build makes it; name another with --store FILE"));
        }
        Ok(Store::open(&path)?)
    }

    fn config(&self) -> Result<Config, Failure> {
        Config::read(&self.config).map_err(|error| build::config_failure(&error))
    }

    fn prune(&self, older_than: &str, moment: Option<&str>, global: &Global) -> Result<Exit, Failure> {
        let age = seconds(older_than)
            .ok_or_else(|| Failure::usage(format!("--older-than {older_than}"), "write it as 90d or 12w"))?;
        let before = now(moment)?.unix_seconds().saturating_sub(age);
        let before = Timestamp::from_unix_seconds(before)
            .map_err(|error| Failure::usage(format!("--older-than {older_than}: {error}"), "ask for less"))?;
        let mut store = self.open()?;
        // Without a configuration nobody can say which feeds are gone.
        let keep = match &self.store {
            Some(_) => None,
            None => Some(known(&self.config()?, &store)?),
        };
        let pruned = store.prune(Some(before), keep.as_deref())?;
        if !global.quiet {
            errln!(
                "removed {} expired indicators, and {} feeds with {} objects",
                pruned.expired,
                pruned.feeds,
                pruned.objects
            );
        }
        Ok(Exit::Done)
    }
}

/// The feeds of a configuration that the store knows.
fn known(config: &Config, store: &Store) -> Result<Vec<FeedNumber>, StoreError> {
    let found = config.feeds.iter().filter_map(|feed| store.known_feed(&feed.source()).transpose());
    found.collect()
}

fn stats(store: &Store, format: StatsFormat) -> Result<Exit, Failure> {
    let (feeds, generation, rendered) = (store.stats()?, store.generation()?, store.rendered()?);
    if format == StatsFormat::Json {
        let stats = json!({
            "schema": "stixc-store/1", "feeds": feeds, "generation": generation, "rendered": rendered,
        });
        let text = serde_json::to_string_pretty(&stats).map_err(io::Error::from)?;
        outln!("{text}");
        return Ok(Exit::Done);
    }
    for feed in &feeds {
        let never = || "never".to_owned();
        outln!(
            "{}: {} indicators ({} revoked), {} other objects, {} KiB, read {}",
            display::visible(&feed.name),
            feed.indicators,
            feed.revoked,
            feed.context,
            feed.bytes / 1024,
            feed.last_success.clone().unwrap_or_else(never),
        );
        if let Some(cursor) = &feed.cursor {
            outln!("  next: what was added after {}", display::visible(cursor));
        }
        if let (Some(since), Some(failure)) = (&feed.failing_since, &feed.failure) {
            outln!("  failing since {since}: {}", display::visible(failure));
        }
    }
    let behind = if generation == rendered { "up to date" } else { "behind; run stixc build" };
    outln!("outputs: {behind}");
    Ok(Exit::Done)
}

fn export(store: &mut Store, name: Option<&str>, output: &Path) -> Result<Exit, Failure> {
    let feeds = store.feeds()?;
    let chosen: Vec<FeedNumber> =
        feeds.iter().filter(|(_, one)| name.is_none_or(|name| name == one)).map(|(number, _)| *number).collect();
    if let (Some(name), []) = (name, chosen.as_slice()) {
        let names: Vec<&str> = feeds.iter().map(|(_, name)| name.as_str()).collect();
        return Err(Failure::usage(format!("no feed {name}"), format!("choose among {}", names.join(", "))));
    }
    let mut write = |out: &mut dyn Write| chosen.iter().try_for_each(|feed| store.export(*feed, out));
    if output == Path::new("-") {
        let mut out = BufWriter::new(io::stdout().lock());
        write(&mut out)?;
        out.flush()?;
    } else {
        write_file(output, &mut |out| write(out).map_err(EmitError::from))?;
    }
    Ok(Exit::Done)
}
