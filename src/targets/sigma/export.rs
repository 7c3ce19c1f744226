//! Events beside each rule, as SigmaHQ keeps them for its regression tests: `info.yml` with the events that the rule
//! matches, and those that it does not.

use serde_json::Value as Json;
use uuid::Uuid;

use super::{
    draft::Draft,
    identity,
    lower::Compiler,
    rule::Metadata,
    show::{LogEvent, Logs, settled, variants},
    text::YamlScalar,
};
use crate::{
    stix::Timestamp,
    targets::{
        contract::Backend,
        proof::{Exporter, File, Tested},
    },
    witness::{
        Sighting, TestPattern, Witness,
        index::{PatternCases, Verdict},
    },
};

/// Exports events of the logs of a mapping. They stand in the index, too.
pub(super) struct Events<'m> {
    logs: Logs<'m>,
    /// The rules of each pattern.
    rules: Vec<Vec<Rule>>,
}

/// A rule, as far as its regression test speaks of it.
struct Rule {
    id: Uuid,
    /// Its file, below the target's folder.
    file: String,
    /// What the test says of a rule for one log source; `None` for a correlation.
    heading: Option<Heading>,
}

struct Heading {
    source: String,
    title: YamlScalar,
    author: YamlScalar,
    /// Empty where there is none.
    date: String,
}

impl<'m> Events<'m> {
    /// For the rules that the compiler makes of these patterns.
    pub(super) fn new(compiler: &'m Compiler, tested: &[Tested<'_>]) -> Self {
        Self { logs: compiler.logs(), rules: tested.iter().map(|one| rules(compiler, one)).collect() }
    }
}

fn rules(compiler: &Compiler, tested: &Tested<'_>) -> Vec<Rule> {
    let Tested { origin, pattern, .. } = tested;
    let Ok(lowered) = compiler.lower(&pattern.known.plan) else { return Vec::new() };
    let metadata = Metadata::new(origin);
    let below = |path: String| path.strip_prefix("sigma/").map(str::to_owned).unwrap_or(path);
    let mut rules = Vec::new();
    for draft in &lowered.drafts {
        match &**draft {
            Draft::Detection(detection) => {
                let source = &detection.source;
                let id = identity::id(&origin.id, &source.name);
                let (title, author) = metadata.heading(source, id);
                let date = origin.created.or(origin.modified).map(Timestamp::date).unwrap_or_default();
                let heading = Heading { source: source.name.clone(), title, author: author.clone(), date };
                rules.push(Rule { id, file: below(identity::path(&source.name, id)), heading: Some(heading) });
            }
            Draft::Correlation(correlation) => {
                let rule = |id| Rule { id, file: below(correlation.path(&origin.id)), heading: None };
                rules.extend(correlation.ids(&origin.id).map(rule));
            }
        }
    }
    rules
}

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
        // No log holds a network, but an address in it, which the pattern may ask for by itself.
        told.retain(|(matches, sightings)| {
            *matches || settled(sightings).is_none_or(|settled| pattern.matches(&settled) != Some(true))
        });
        let runs = |(matches, sightings): (bool, Vec<Sighting>)| {
            self.logs.runs(&sightings).into_iter().map(move |(_, events)| (matches, events))
        };
        told.into_iter().flat_map(runs).collect()
    }

    fn files(self, tested: &[Tested<'_>], patterns: &mut [PatternCases<Vec<LogEvent>>], written: &[File]) -> Vec<File> {
        let Self { logs, rules } = self;
        let mut files: Vec<File> = written.to_vec();
        for ((pattern, tested), own) in patterns.iter_mut().zip(tested).zip(&rules) {
            // A correlation reads the events of its members, which may stand in any log.
            let reads = |rule: &Rule, event: &LogEvent| {
                rule.heading.as_ref().is_none_or(|heading| logs.holds(&heading.source, event))
            };
            for case in &mut pattern.cases {
                case.shown.retain(|event| own.iter().any(|rule| reads(rule, event)));
            }
            for rule in own {
                let id = rule.id.to_string();
                let Some(listed) = pattern.rules.iter_mut().find(|listed| listed.id == id) else { continue };
                listed.file.clone_from(&rule.file);
                if let Some(heading) = &rule.heading {
                    listed.not_testable = logs.not_testable(&heading.source, &tested.pattern.known.plan);
                    files.extend(rule.regression(heading, pattern, &|event| reads(rule, event)));
                }
            }
        }
        files
    }
}

impl Rule {
    /// The rule's regression test.
    fn regression(
        &self,
        heading: &Heading,
        pattern: &PatternCases<Vec<LogEvent>>,
        reads: &dyn Fn(&LogEvent) -> bool,
    ) -> Vec<File> {
        let lines = |matches: bool| -> String {
            let events = pattern.cases.iter().filter(|case| case.matches == matches).flat_map(|case| &case.shown);
            let own = events.filter(|event| reads(event));
            own.map(|event| format!("{}\n", Json::from(event.fields.clone()))).collect()
        };
        let (positive, negative) = (lines(true), lines(false));
        let (id, name) = (self.id, self.file.trim_end_matches(".yml"));
        let (title, author, date) = (heading.title.as_str(), heading.author.as_str(), &heading.date);
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
