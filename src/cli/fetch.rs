//! `stixc fetch`.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    diagnostic::Severity,
    output::{EmitError, write_file},
    report::SourceDiagnostic,
    source::taxii::{
        BundleWriter, FetchOptions, FetchSummary, TaxiiError, collections, download_into, fetch_into, parse_timestamp,
    },
};

use super::{
    Global,
    connection::{Connection, Credentials, feed_failure, log},
    display,
    exit::{Exit, Failure},
};

/// Fetch collections from a TAXII 2.1 or 2.0 server into a bundle.
///
/// The address may be that of the server's discovery, of an API root, of a collection or of its objects. A collection
/// that fails does not stop the others: they are written, and the run ends with 4. On standard output the bundle then stays
/// without its end, so that a program that reads it from a pipe does not take it for the whole.
#[derive(Debug, Args)]
pub(super) struct Fetch {
    /// Address of the server, an API root, a collection, or with --bundle of a bundle
    url: String,
    /// Id or title of the collection; may be given several times
    #[arg(long, value_name = "ID", conflicts_with = "bundle")]
    collection: Vec<String>,
    /// The address is that of a bundle, which is downloaded as a whole
    #[arg(long)]
    bundle: bool,
    /// List the server's collections: id, title, whether it may be read, API root
    #[arg(long, conflicts_with_all = ["collection", "bundle", "cursor", "output"])]
    list: bool,
    /// Only what was added after this instant, RFC 3339
    #[arg(long, value_name = "TIME", conflicts_with = "bundle")]
    added_after: Option<String>,
    /// Begin where the last run has ended, which this file remembers
    #[arg(long, value_name = "FILE")]
    cursor: Option<PathBuf>,
    /// Objects to ask for in each page
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: u32,
    /// Only objects of these types, separated by commas. Not all servers read this as the standard means it
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    r#type: Vec<String>,
    /// Write the bundle to this file; - for standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    #[command(flatten)]
    credentials: Credentials,
    #[command(flatten)]
    connection: Connection,
}

/// How the collections have fared.
#[derive(Default)]
struct Outcome {
    fetched: Vec<FetchSummary>,
    failed: Vec<(String, TaxiiError)>,
}

impl Fetch {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failure> {
        if self.list {
            return self.list(&self.options(global)?);
        }
        if self.cursor.is_some() && self.collection.len() > 1 {
            return Err(Failure::usage("--cursor remembers one collection only", "fetch each collection by itself"));
        }
        let options = self.options(global)?;
        let outcome = if self.to_standard_output() {
            self.fetch(&options, &mut io::BufWriter::new(io::stdout().lock())).map_err(feed_failure)?
        } else {
            self.write_file(&options)?
        };
        for summary in &outcome.fetched {
            tell(summary, global);
        }
        if let (Some(path), [summary]) = (&self.cursor, outcome.fetched.as_slice()) {
            remember(path, summary)?;
        }
        for (collection, error) in &outcome.failed {
            display::source_diagnostic(&SourceDiagnostic {
                source: collection.clone(),
                diagnostic: error.diagnostic(),
            });
        }
        Ok(if outcome.failed.is_empty() { Exit::Done } else { Exit::Feed })
    }

    fn to_standard_output(&self) -> bool {
        self.output.as_os_str() == "-"
    }

    /// Prints the collections, one a line: id, title, whether it may be read, API root.
    fn list(&self, options: &FetchOptions) -> Result<Exit, Failure> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        for (root, collection) in collections(options).map_err(feed_failure)? {
            let title = collection.title.as_deref().unwrap_or_default();
            let access = if collection.can_read == Some(false) { "no read" } else { "read" };
            let line = [collection.id.as_str(), title, access, root.as_str()].map(display::visible).join("\t");
            writeln!(out, "{line}")?;
        }
        out.flush()?;
        Ok(Exit::Done)
    }

    /// Fetches each collection. An error if none of them could be.
    fn fetch(&self, options: &FetchOptions, output: &mut dyn Write) -> Result<Outcome, TaxiiError> {
        let mut named = options.clone();
        named.collection = (!self.collection.is_empty()).then(|| self.collection.join("\n"));
        let mut writer = BundleWriter::new(&named, output);
        if self.bundle {
            let summary = download_into(options, &mut writer)?;
            writer.finish()?;
            return Ok(Outcome { fetched: vec![summary], ..Outcome::default() });
        }
        let mut outcome = Outcome::default();
        // Without a name there is one collection all the same.
        let names = self.collection.iter().map(Some).chain(self.collection.is_empty().then_some(None));
        for name in names {
            let options = FetchOptions { collection: name.cloned(), ..options.clone() };
            match fetch_into(&options, &mut writer) {
                Ok(summary) => outcome.fetched.push(summary),
                Err(error @ TaxiiError::Output { .. }) => return Err(error),
                Err(error) => outcome.failed.push((name.cloned().unwrap_or_default(), error)),
            }
        }
        if outcome.fetched.is_empty() && !outcome.failed.is_empty() {
            return Err(outcome.failed.swap_remove(0).1);
        }
        // What reads a pipe sees no exit code: it must not take a part for the whole.
        if outcome.failed.is_empty() || !self.to_standard_output() {
            writer.finish()?;
        }
        Ok(outcome)
    }

    /// The file takes its name only once the whole bundle is there.
    fn write_file(&self, options: &FetchOptions) -> Result<Outcome, Failure> {
        let mut fetched = None;
        let written = write_file(&self.output, &mut |out| match self.fetch(options, out) {
            Ok(outcome) => {
                let is_new = outcome.fetched.iter().any(|summary| !summary.unchanged);
                fetched = Some(Ok(outcome));
                // The file holds what is still the same.
                if is_new { Ok(()) } else { Err(io::Error::other("unchanged").into()) }
            }
            Err(TaxiiError::Output { cause }) => Err(cause.into()),
            Err(error) => {
                let told = io::Error::other(error.to_string());
                fetched = Some(Err(feed_failure(error)));
                Err(EmitError::from(told))
            }
        });
        match (fetched, written) {
            (Some(Err(failure)), _) => Err(failure),
            (Some(Ok(outcome)), Err(_)) if outcome.fetched.iter().all(|summary| summary.unchanged) => Ok(outcome),
            (_, Err(error)) => Err(error.into()),
            (Some(Ok(outcome)), Ok(())) => Ok(outcome),
            (None, Ok(())) => Ok(Outcome::default()),
        }
    }

    fn options(&self, global: &Global) -> Result<FetchOptions, Failure> {
        let mut options = FetchOptions::new(&self.url);
        options.limit = self.limit;
        options.filters.types = self.r#type.clone();
        options.auth = self.credentials.auth()?;
        options.log = log(global);
        self.connection.apply(&mut options);
        if let Some(text) = &self.added_after {
            let instant = parse_timestamp(text).ok_or_else(|| {
                Failure::usage(
                    format!("--added-after {text}: not an RFC 3339 instant"),
                    "write it as 2024-01-31T12:00:00Z",
                )
            })?;
            options.added_after = Some(instant);
        }
        if let Some(path) = &self.cursor {
            options.cursor = remembered(path)?;
        }
        Ok(options)
    }
}

fn tell(summary: &FetchSummary, global: &Global) {
    for diagnostic in summary.diagnostics.iter().filter(|one| !global.quiet || one.severity == Severity::Error) {
        let source = summary.objects_url.clone();
        display::source_diagnostic(&SourceDiagnostic { source, diagnostic: diagnostic.clone() });
    }
    if !global.quiet {
        let last_added = summary.last_added.as_deref().map(display::visible);
        errln!(
            "{} objects in {} pages, {} requests, from {}{}{}",
            summary.objects,
            summary.pages,
            summary.requests,
            display::visible(&summary.objects_url),
            last_added.map(|at| format!("; last added {at}")).unwrap_or_default(),
            if summary.unchanged { "; unchanged" } else { "" },
        );
    }
}

/// The cursor in the file at `path`; none if there is no file yet.
fn remembered(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|cursor| !cursor.is_empty())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Failure::usage(format!("--cursor {}: {error}", path.display()), "name a file that can be read"))
        }
    }
}

fn remember(path: &Path, summary: &FetchSummary) -> Result<(), Failure> {
    let Some(cursor) = &summary.cursor else { return Ok(()) };
    Ok(write_file(path, &mut |out| Ok(writeln!(out, "{cursor}")?))?)
}
