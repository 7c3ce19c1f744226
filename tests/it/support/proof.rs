//! What the proofs of the targets share: which patterns they are about, and how a verdict is held against what was seen.

use std::{collections::BTreeSet, fs, sync::Arc};

use serde_json::Value as Json;
use stixc::{
    convert::understand,
    pattern,
    plan::{Plan, fidelity::Fidelity, lower::lower},
    stix::BundleReader,
    targets::contract::{Content, Lowered, Origin, Rule},
    witness::{
        Aim, Sighting, Witness,
        check_verdict::{CaseResult, Disagreement, check_verdict},
        solve::Witnesses,
    },
};

use super::{corpus, validators::project};

/// The patterns of the project's own feeds and of the scoreboard.
pub fn fixtures() -> Vec<String> {
    let mut patterns: Vec<String> = Vec::new();
    for feed in ["examples/feed.json", "tests/fixtures/hostile.json"] {
        patterns.extend(in_bundle(&fs::read(project(feed)).expect("a fixture")));
    }
    let scoreboard = fs::read_to_string(project("tests/scoreboard/patterns.txt")).expect("the scoreboard");
    patterns.extend(scoreboard.lines().map(str::to_owned));
    patterns.extend(ESCAPED.map(str::to_owned));
    once(patterns)
}

/// Texts that need an escape, where no feed has one.
const ESCAPED: [&str; 5] = [
    r#"[url:value = 'http://203.0.113.77:8081/a;b|c?q="1"&x=%7B%7B']"#,
    r#"[url:value = 'http://[2001:db8::77]/a b"\\']"#,
    "[url:value = 'http://0xcb00714d/a']",
    r#"[file:extensions.'windows-pebinary-ext'.sections[*].name = '.a"\\b' AND file:size < 4000]"#,
    "[file:extensions.'windows-pebinary-ext'.sections[*].name = '.t\t\u{e9}' AND file:size < 4000]",
];

/// A text that ends what it stands in, in each language, if it is not escaped.
const HOSTILE: &str =
    "\" \\\"; it's # */ }} {{name}} - [a]: |00| sid:1;)\r\n\talert ip any any -> any any \u{202e}\u{1}\u{2028}'\\";

/// A rule by an indicator whose texts are hostile: what a rule finds must not hang on what it says of itself.
pub fn rule(id: String, lowered: Lowered) -> Rule {
    let text = || HOSTILE.to_owned();
    let origin = Origin {
        sources: vec![id.clone()],
        id,
        name: text(),
        description: text(),
        references: vec![text(), format!("https://reports.example/{HOSTILE}")],
        labels: vec![text()],
        creator: text(),
        malware: vec![text()],
        threats: vec![text()],
        techniques: vec![text()],
        pattern: text(),
        ..Origin::default()
    };
    Rule { origin: Arc::new(origin), content: Content::Compiled(lowered) }
}

/// The patterns of the corpus's bundles.
pub fn bundles() -> Vec<String> {
    let mut files: Vec<_> = fs::read_dir(corpus::folder().join("bundles"))
        .expect("the corpus's bundles")
        .map(|entry| entry.expect("a bundle").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    once(files.iter().flat_map(|path| in_bundle(&fs::read(path).expect("a bundle"))).collect())
}

fn in_bundle(bundle: &[u8]) -> Vec<String> {
    let mut patterns = Vec::new();
    for batch in BundleReader::new(bundle) {
        for object in batch.objects() {
            let Ok(object) = serde_json::from_slice::<Json>(object.raw) else { continue };
            if object["type"] == "indicator" && object["pattern_type"].as_str().is_none_or(|kind| kind == "stix") {
                patterns.extend(object["pattern"].as_str().map(str::to_owned));
            }
        }
    }
    patterns
}

fn once(patterns: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    patterns.into_iter().filter(|pattern| seen.insert(pattern.clone())).collect()
}

/// The plan of a pattern; `None` where it is none, or has an error that ends its way.
pub fn plan(text: &str) -> Option<Plan> {
    understand(text, false).0?;
    Some(lower(&pattern::parse(text).ok()?).plan)
}

/// One witness, and what became of it in a target's world.
#[derive(Debug)]
pub struct Held {
    /// What it was made for.
    pub aim: Aim,
    /// The sightings, as they were made.
    pub made: Vec<Sighting>,
    /// What they showed.
    pub shown: CaseResult,
}

/// One pattern with its rules, and all that was seen of it.
#[derive(Debug)]
pub struct Trial {
    /// The pattern.
    pub text: String,
    /// The verdict on its rules.
    pub verdict: Fidelity,
    /// How many rules there are.
    pub rules: usize,
    /// Its witnesses.
    pub held: Vec<Held>,
    /// What there may be more to see of.
    pub unseen: Unseen,
}

/// Witnesses that were cut off, or that no world can show: a label is not wrong for want of these.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unseen {
    /// That match.
    pub matches: bool,
    /// That don't.
    pub misses: bool,
}

impl Unseen {
    /// What the solver left out.
    pub fn of(witnesses: &Witnesses) -> Self {
        let some = !witnesses.complete || !witnesses.gaps.is_empty();
        Self { matches: some, misses: some }
    }
}

impl Trial {
    /// What speaks against the verdict, each with the witness that it is about.
    pub fn complaints(&self) -> Vec<String> {
        let shown: Vec<CaseResult> = self.held.iter().map(|held| held.shown.clone()).collect();
        let counts = |one: &Disagreement| match one {
            Disagreement::Fired(_) | Disagreement::Silent(_) => true,
            Disagreement::NothingShowsMore => !self.unseen.misses,
            Disagreement::NothingShowsFewer | Disagreement::Dead(_) => !self.unseen.matches,
        };
        let told = |one: Disagreement| {
            let witness = match one {
                Disagreement::Fired(number) | Disagreement::Silent(number) => {
                    let held = &self.held[number];
                    let objects: Vec<_> = held.made.iter().map(|one| Json::Object(one.objects.clone())).collect();
                    format!("\n    {:?}\n    {}", held.aim, Json::from(objects))
                }
                _ => String::new(),
            };
            format!("{}\n    {}: {one:?}{witness}", self.text, self.verdict)
        };
        check_verdict(self.verdict, self.rules, &shown).into_iter().filter(counts).map(told).collect()
    }
}

/// Whether sightings, as a world showed them, still say all that was `said`: a file with a hash that is like this or that
/// can't be made, and another one takes its place.
pub fn are_as_said(said: &[Sighting], seen: &[Sighting]) -> bool {
    let same = |(said, seen): (&Sighting, &Sighting)| {
        said.objects.iter().all(|(key, object)| seen.objects.get(key).is_some_and(|seen| holds(seen, object)))
    };
    said.iter().zip(seen).all(same)
}

/// Whether all of `said` is in `seen`.
fn holds(seen: &Json, said: &Json) -> bool {
    match (seen, said) {
        (Json::Object(seen), Json::Object(said)) => {
            said.iter().all(|(key, said)| seen.get(key).is_some_and(|seen| holds(seen, said)))
        }
        (Json::Array(seen), Json::Array(said)) => {
            seen.len() >= said.len() && seen.iter().zip(said).all(|(seen, said)| holds(seen, said))
        }
        (seen, said) => seen == said,
    }
}

/// Fails, with the first few complaints, unless there are none.
#[track_caller]
pub fn assert_none(complaints: &[String]) {
    let first: Vec<&str> = complaints.iter().take(12).map(String::as_str).collect();
    assert!(complaints.is_empty(), "{} disagreements, the first are:\n{}", complaints.len(), first.join("\n"));
}

/// A witness by which an evaluator and a solver contradict each other.
#[track_caller]
pub fn assert_solved(text: &str, denied: &[Witness]) {
    assert!(denied.is_empty(), "{text}: {denied:#?}");
}
