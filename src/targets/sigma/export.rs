//! Events beside each rule, as SigmaHQ keeps them for its regression tests: `info.yml` with the events that the rule
//! matches, and those that it does not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::show::{self, Hosts, LogSource, SPELLINGS, show, variants};
use crate::{
    targets::proof::{Exporter, File},
    witness::{
        Sighting, TestPattern, Witness,
        index::{PatternCases, Verdict},
    },
};

/// An event of a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub at: f64,
    /// `category`, `product`, `service`, as far as the log has them.
    pub logsource: BTreeMap<String, String>,
    /// Field names with strings and numbers.
    pub fields: Map<String, Json>,
}

/// Exports events. They stand in the index, too.
pub struct Logs;

impl Exporter for Logs {
    /// Events, the earliest first.
    type Shown = Vec<Event>;

    /// What matches shows in other logs, too, where it is told otherwise.
    fn cases(&mut self, pattern: &TestPattern, witness: &Witness) -> Vec<(bool, Vec<Event>)> {
        let mut told = vec![(witness.matches, witness.sightings.clone())];
        if witness.matches {
            let variants = variants(&witness.sightings, &pattern.known.plan.to_string()).into_iter();
            told.extend(variants.filter_map(|sightings| Some((pattern.matches(&sightings)?, sightings))));
        }
        told.into_iter().flat_map(|(matches, sightings)| runs(matches, &sightings)).collect()
    }

    fn files(self, patterns: &mut [PatternCases<Vec<Event>>], written: &[File]) -> Vec<File> {
        let rules: BTreeMap<String, Rule> =
            written.iter().flat_map(Rule::all_of).map(|rule| (rule.id.clone(), rule)).collect();
        let mut files: Vec<File> = written.to_vec();
        for pattern in patterns {
            let own: Vec<&Rule> = pattern.rules.iter().filter_map(|rule| rules.get(&rule.id)).collect();
            for case in &mut pattern.cases {
                case.shown.retain(|event| own.iter().any(|rule| rule.reads(event)));
            }
            for rule in own.iter().filter(|rule| !rule.is_correlation) {
                files.extend(rule.regression(pattern));
            }
        }
        files
    }
}

/// The events of sightings in each spelling; of several sightings on one machine, and on several.
fn runs(matches: bool, sightings: &[Sighting]) -> Vec<(bool, Vec<Event>)> {
    let hosts: &[Hosts] = if sightings.len() > 1 { &[Hosts::Same, Hosts::Apart] } else { &[Hosts::Same] };
    let mut runs: Vec<Vec<show::Event>> = Vec::new();
    for hosts in hosts {
        for spelling in 0..SPELLINGS {
            let run = show(sightings, *hosts, spelling);
            if !runs.contains(&run) {
                runs.push(run);
            }
        }
    }
    runs.into_iter().map(|run| (matches, run.into_iter().map(Event::from).collect())).collect()
}

impl From<show::Event> for Event {
    fn from(event: show::Event) -> Self {
        let LogSource { category, product, service, .. } = event.log_source;
        let keys = [("category", category), ("product", product), ("service", service)];
        let logsource = keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())));
        // Microseconds of our time are exact in a float.
        Self { at: event.at as f64 / 1e6, logsource: logsource.collect(), fields: event.fields }
    }
}

/// What the head of a rule's file says.
struct Rule {
    /// The file's name without its ending.
    name: String,
    id: String,
    /// YAML scalars, as they stand in the file.
    title: String,
    author: String,
    date: String,
    logsource: BTreeMap<String, String>,
    is_correlation: bool,
}

impl Rule {
    /// The rules in a file.
    fn all_of(file: &File) -> Vec<Self> {
        let text = std::str::from_utf8(&file.bytes).unwrap_or_default();
        text.split("\n---\n").filter_map(|document| Self::of(&file.path, document)).collect()
    }

    /// The rule in a document. Rules are ours, and begin each key of interest on a line of its own.
    fn of(path: &str, text: &str) -> Option<Self> {
        let key =
            |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": ")).map(str::to_owned);
        let logsource = text.lines().skip_while(|line| *line != "logsource:").skip(1);
        let pairs = logsource.map_while(|line| line.strip_prefix("    ")?.split_once(": "));
        Some(Self {
            name: path.strip_suffix(".yml")?.to_owned(),
            id: key("id")?,
            title: key("title")?,
            author: key("author").unwrap_or_else(|| "stixc".to_owned()),
            date: key("date").unwrap_or_default(),
            logsource: pairs.map(|(key, value)| (key.to_owned(), value.trim_matches('\'').to_owned())).collect(),
            is_correlation: text.lines().any(|line| line == "correlation:"),
        })
    }

    /// Whether the event stands in the rule's log. A correlation reads those of its members, whose log sources stand in
    /// the same file.
    fn reads(&self, event: &Event) -> bool {
        self.is_correlation || self.logsource.iter().all(|(key, value)| event.logsource.get(key) == Some(value))
    }

    /// The rule's regression test.
    fn regression(&self, pattern: &PatternCases<Vec<Event>>) -> Vec<File> {
        let lines = |matches: bool| -> String {
            let events = pattern.cases.iter().filter(|case| case.matches == matches).flat_map(|case| &case.shown);
            let own = events.filter(|event| self.reads(event));
            own.map(|event| format!("{}\n", Json::from(event.fields.clone()))).collect()
        };
        let (positive, negative) = (lines(true), lines(false));
        let Self { name, id, title, author, date, .. } = self;
        let own_id = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("stixc:regression:{id}").as_bytes());
        let date = if date.is_empty() { String::new() } else { format!("date: {date}\n") };
        let info = format!(
            "id: {own_id}\ndescription: N/A\n{date}author: {author}\nrule_metadata:\n    - id: {id}\n      title: {title}\n\
             regression_tests_info:\n    - name: Positive Detection Test\n      type: ndjson\n      path: {name}/{id}.json\n"
        );
        let file = |file: &str, text: String| File { path: format!("{name}/{file}"), bytes: text.into_bytes() };
        let mut files = Vec::new();
        if !positive.is_empty() {
            files.push(file("info.yml", info));
            files.push(file(&format!("{id}.json"), positive));
        }
        // Nothing is promised of near misses where a rule may match more.
        if !negative.is_empty() && matches!(pattern.verdict, Verdict::Exact | Verdict::Narrower) {
            files.push(file(&format!("{id}.near-misses.json"), negative));
        }
        files
    }
}
