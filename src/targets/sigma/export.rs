//! Events beside each rule, as SigmaHQ keeps them for its regression tests: `info.yml` with the events that the rule
//! matches, and those that it does not.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use uuid::Uuid;

use super::{
    identity,
    show::{LogEvent, Logs, variants},
};
use crate::{
    targets::proof::{Exporter, File, Tested},
    witness::{
        Sighting, TestPattern, Witness,
        index::{PatternCases, Verdict},
    },
};

/// Exports events of the logs of a mapping. They stand in the index, too.
pub(super) struct Events<'m>(pub(super) Logs<'m>);

impl Exporter for Events<'_> {
    /// Events, the earliest first.
    type Shown = Vec<LogEvent>;

    /// What matches shows in other logs, too, where it is told otherwise.
    fn cases(&mut self, pattern: &TestPattern, witness: &Witness) -> Vec<(bool, Vec<LogEvent>)> {
        let mut told = vec![(witness.matches, witness.sightings.clone())];
        if witness.matches {
            let variants = variants(&witness.sightings, &pattern.known.plan).into_iter();
            told.extend(variants.filter_map(|sightings| Some((pattern.matches(&sightings)?, sightings))));
        }
        let runs = |(matches, sightings): (bool, Vec<Sighting>)| {
            self.0.runs(&sightings).into_iter().map(move |(_, events)| (matches, events))
        };
        told.into_iter().flat_map(runs).collect()
    }

    fn files(self, tested: &[Tested<'_>], patterns: &mut [PatternCases<Vec<LogEvent>>], written: &[File]) -> Vec<File> {
        let rules: BTreeMap<String, Rule> =
            written.iter().flat_map(Rule::all_of).map(|rule| (rule.id.clone(), rule)).collect();
        let mut files: Vec<File> = written.to_vec();
        for (pattern, tested) in patterns.iter_mut().zip(tested) {
            let own: Vec<&Rule> = pattern.rules.iter().filter_map(|rule| rules.get(&rule.id)).collect();
            for case in &mut pattern.cases {
                case.shown.retain(|event| own.iter().any(|rule| rule.reads(event)));
            }
            let plan = &tested.pattern.known.plan;
            for source in self.0.names() {
                let id = identity::id(&tested.origin.id, source).to_string();
                if let Some(rule) = pattern.rules.iter_mut().find(|rule| rule.id == id) {
                    rule.not_testable = self.0.not_testable(source, plan);
                }
            }
            for rule in own.iter().filter(|rule| !rule.is_correlation) {
                files.extend(rule.regression(pattern));
            }
        }
        files
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
    fn reads(&self, event: &LogEvent) -> bool {
        self.is_correlation || self.logsource.iter().all(|(key, value)| event.logsource.get(key) == Some(value))
    }

    /// The rule's regression test.
    fn regression(&self, pattern: &PatternCases<Vec<LogEvent>>) -> Vec<File> {
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
