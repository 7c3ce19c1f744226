//! `stixc why`.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use crate::{
    report::Status,
    trace::{Label, Missing, Origin, Origins, Place, Query, Reason, Relation},
};

use super::{
    diff::read,
    display::visible,
    exit::{Exit, Failure},
};

/// Say where a rule or an entry of a list comes from, or why there is none.
///
/// The question is an address, a prefix, a name, a URL, a hash, or another value of a pattern; a Sigma id, a Suricata sid, or
/// the name of a YARA rule; or the id of an indicator. Values are found in any spelling, also as hxxp://evil[.]example;
/// addresses in the prefixes around them, URLs by their host, and hosts of URLs. Which indicators there were is read from
/// provenance/ beside the outputs, which stixc build keeps with provenance = true in stixc.toml, and stixc convert with
/// --provenance.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Why {
    /// A value, the id of a rule, or the id of an indicator; with --values the folder of outputs
    #[arg(value_name = "VALUE|SID|RULE-ID|INDICATOR-ID", required_unless_present = "values")]
    question: Option<String>,
    /// The folder of outputs; without it the one that stixc.toml names
    #[arg(value_name = "DIR", conflicts_with = "values")]
    folder: Option<PathBuf>,
    /// Ask for each line of a file, or of standard input where that is -: a line each, and code 0 only if all are covered.
    /// Blank lines and those that begin with # are passed over
    #[arg(long, value_name = "FILE")]
    values: Option<PathBuf>,
    /// The configuration that names the folder
    #[cfg(all(feature = "store", feature = "taxii"))]
    #[arg(long, value_name = "FILE", default_value = "stixc.toml", conflicts_with = "folder")]
    config: PathBuf,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// The most indicators that are shown as text: one rule for a list of hashes may have a million.
const MOST: usize = 100;

const EXIT_CODES: &str = "\
Exit codes:
  0  a rule or an entry covers it; with --values, each of them
  1  none does, or not of all
  2  usage, or outputs of another version of stixc
  3  the folder or the file of values can't be read";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// JSON
    Json,
}

impl Why {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        if let Some(file) = &self.values {
            return self.all(file);
        }
        let query = Query::parse(self.question.as_deref().unwrap_or_default());
        if query.text().is_empty() {
            return Err(Failure::usage("there is no question", "ask for a value, a rule or an indicator"));
        }
        let origins = Origins::find(&query, &read(&self.folder(self.folder.as_ref())?)?);
        let mut out = BufWriter::new(io::stdout().lock());
        match self.format {
            Format::Text => text(&mut out, &query, &origins)?,
            Format::Json => {
                serde_json::to_writer_pretty(&mut out, &origins).map_err(io::Error::from)?;
                out.write_all(b"\n")?;
            }
        }
        out.flush()?;
        Ok(if origins.is_found() { Exit::Done } else { Exit::Findings })
    }

    /// Answers each line of a file with one of text, or one of JSON.
    fn all(&self, file: &Path) -> Result<Exit, Failure> {
        let text = match file.to_str() {
            Some("-") => io::read_to_string(io::stdin().lock()),
            _ => fs::read_to_string(file),
        };
        let text = text.map_err(|error| Failure::new(Exit::NoInput, format!("{}: {error}", file.display())))?;
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let queries: Vec<Query> =
            lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(Query::parse).collect();
        if queries.is_empty() {
            let message = format!("{} holds no value", file.display());
            return Err(Failure::usage(message, "write one a line"));
        }
        // The one folder stands where the question would.
        let output = read(&self.folder(self.question.as_ref().map(PathBuf::from).as_ref())?)?;
        let mut out = BufWriter::new(io::stdout().lock());
        let mut exit = Exit::Done;
        for query in &queries {
            let origins = Origins::find(query, &output);
            if !origins.is_found() {
                exit = Exit::Findings;
            }
            match self.format {
                Format::Text => writeln!(out, "{}", visible(&line(&origins)))?,
                Format::Json => {
                    serde_json::to_writer(&mut out, &origins).map_err(io::Error::from)?;
                    out.write_all(b"\n")?;
                }
            }
        }
        out.flush()?;
        Ok(exit)
    }

    #[cfg(all(feature = "store", feature = "taxii"))]
    fn folder(&self, named: Option<&PathBuf>) -> Result<PathBuf, Failure> {
        if let Some(folder) = named {
            return Ok(folder.clone());
        }
        match crate::pipeline::Config::read(&self.config) {
            Ok(config) => Ok(config.output),
            Err(error) => {
                let failure = super::build::config_failure(&error);
                let help =
                    if failure.help.is_empty() { "or name the folder of outputs".to_owned() } else { failure.help };
                Err(Failure { help, ..failure })
            }
        }
    }

    #[cfg(not(all(feature = "store", feature = "taxii")))]
    fn folder(&self, named: Option<&PathBuf>) -> Result<PathBuf, Failure> {
        named.cloned().ok_or_else(|| Failure::usage("no folder of outputs is named", "name it behind the question"))
    }
}

/// The answer in one line: where it is covered, or why it is not.
fn line(origins: &Origins) -> String {
    let covers = |place: &&Place| place.relation.is_none_or(Relation::covers);
    let places: Vec<String> = origins.places.iter().filter(covers).map(place_line).collect();
    let found = match (places.as_slice(), origins.missing.first()) {
        ([], Some(missing)) => format!("none: {}", reason(missing)),
        ([], None) if origins.origins.is_empty() && origins.looked_at.is_some() => {
            "none: no indicator names it".to_owned()
        }
        ([], None) => "none".to_owned(),
        (places, _) => places.join("; "),
    };
    format!("{}: {found}", origins.query)
}

fn text(out: &mut impl Write, query: &Query, origins: &Origins) -> io::Result<()> {
    if query.refanged {
        writeln!(out, "read as {}", visible(&origins.query))?;
    }
    if !origins.is_found() {
        let covers = if origins.places.is_empty() { ":" } else { " covers" };
        let why = origins.missing.first().map(|missing| format!(": {}", reason(missing))).unwrap_or_default();
        writeln!(out, "no rule and no entry{covers} {}", visible(&format!("{}{why}", origins.query)))?;
    }
    for place in &origins.places {
        writeln!(out, "{}", visible(&place_line(place)))?;
        // Where the indicators were not kept, their ids are all that is known of them.
        if origins.looked_at.is_none() {
            for id in &place.indicators {
                writeln!(out, "    from {}", visible(id))?;
            }
        }
    }
    let told = if origins.is_found() { &origins.missing[..] } else { origins.missing.get(1..).unwrap_or_default() };
    for missing in told.iter().filter(|missing| missing.reason != Reason::Refused).take(MOST) {
        writeln!(out, "{}", visible(&format!("none{}: {}", in_targets(missing), reason(missing))))?;
    }
    for origin in origins.origins.iter().take(MOST) {
        indicator(out, origin)?;
    }
    if origins.origins.len() > MOST {
        writeln!(out, "and {} more indicators: --format json has them all", origins.origins.len() - MOST)?;
    }
    match origins.looked_at {
        None => writeln!(
            out,
            "the run kept no indicators, so no more is known: provenance = true in stixc.toml, or convert --provenance, keeps them"
        ),
        Some((indicators, feeds)) if origins.origins.is_empty() && !origins.is_found() => {
            let (indicators, feeds) = (counted(indicators, "indicator"), counted(feeds, "feed"));
            writeln!(out, "no indicator names it: {indicators} of {feeds} looked at")
        }
        Some(_) => Ok(()),
    }
}

/// Why there is nothing, in a few words: `guarded (G001 …)`.
fn reason(missing: &Missing) -> String {
    let said: Vec<&str> = [&missing.code, &missing.details].into_iter().map(String::as_str).collect();
    let said = said.join(" ");
    let said = said.trim();
    if said.is_empty() { missing.reason.name().to_owned() } else { format!("{} ({said})", missing.reason.name()) }
}

fn in_targets(missing: &Missing) -> String {
    if missing.targets.is_empty() { String::new() } else { format!(" in {}", missing.targets.join(", ")) }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn place_line(place: &Place) -> String {
    let title = if place.label.title.is_empty() { String::new() } else { format!(" \"{}\"", place.label.title) };
    let what = if place.label.list.is_empty() { "a value" } else { "entry" };
    let how = place.relation.map(|relation| how(relation, what)).unwrap_or_default();
    let Label { target, file, line, .. } = &place.label;
    format!("{target}: {}{title}, {file}:{line}{how}", place.label)
}

/// How something stands to the value, where it is not the value itself.
fn how(relation: Relation, what: &str) -> String {
    match relation {
        Relation::Same => String::new(),
        Relation::Around => format!(" ({what} around it)"),
        Relation::Inside => format!(" ({what} inside it)"),
        Relation::Host => format!(" ({what} at this host)"),
        Relation::Site => format!(" ({what} that is its host, or is around it)"),
    }
}

fn indicator(out: &mut impl Write, origin: &Origin) -> io::Result<()> {
    let record = &origin.record;
    let how = origin.relation.map(|relation| how(relation, "a value")).unwrap_or_default();
    writeln!(out, "{}{how}", visible(&format!("{} \"{}\" from {}", record.id, record.name, record.source)))?;
    writeln!(out, "    pattern {}", visible(&record.pattern))?;
    let state = match (record.status, &record.valid_until, &record.modified) {
        (Status::Expired, Some(end), _) => format!("expired at {end}"),
        (Status::Revoked, _, Some(moment)) => format!("revoked at {moment}"),
        (Status::Active, Some(end), _) => format!("active until {end}"),
        (status, ..) => status.name().to_owned(),
    };
    writeln!(out, "    {}", visible(&state))?;
    for found in &record.diagnostics {
        writeln!(out, "    {}", visible(&format!("{} {}", found.code, found.message)))?;
    }
    for (target, fate) in &record.targets {
        let rules = if fate.rules.is_empty() { String::new() } else { format!(": {}", fate.rules.join(", ")) };
        writeln!(out, "    {}", visible(&format!("{target} {}{rules}", fate.verdict)))?;
        let mut said = BTreeSet::new();
        for loss in fate.losses.iter().filter(|loss| said.insert((&loss.code, &loss.message))) {
            writeln!(out, "        {}", visible(&format!("{} {}", loss.code, loss.message)))?;
        }
    }
    Ok(())
}
