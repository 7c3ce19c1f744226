//! The proof of YARA's rules: both engines scan the files that witnesses and near misses show as, and what they find
//! must be what the verdicts promise.
//!
//! The hashes that a pattern names are those of known files here, see `stixc::witness::known_files`.

use crate::support;
use crate::support::emission;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use emission::{emit, prepared};
use serde_json::Value as Json;
use stixc::{
    plan::fidelity::Fidelity,
    targets::{Target, find},
    witness::{
        Aim, Oracle, Sighting,
        check_verdict::CaseResult,
        files::{TURNS, write},
        known_files::{Substitution, substitute},
        solve::{Bounds, witnesses},
    },
};
use support::{
    generate,
    proof::{self, Held, Trial, Unseen, are_as_said, assert_none},
    validators::{scratch, yara},
};

/// Patterns whose rules are scanned for at once. A rule that asks for nothing but a size finds most files of all others,
/// so more is not faster.
const AT_ONCE: usize = 200;

fn target() -> &'static dyn Target {
    find("yara").unwrap()
}

/// Both engines, by name.
const ENGINES: [(&str, Scan); 2] = [("yara", yara::matches_in), ("yara-x", yara::yarax_matches_in)];

/// The rules that an engine finds in each file of a folder, by the file's name.
type Scan = fn(&Path, &Path) -> BTreeMap<String, BTreeSet<String>>;

/// A pattern on its way: its trial, without what the engines say, and the files of each witness.
struct Staged {
    trial: Trial,
    rule: String,
    files: Vec<Vec<usize>>,
}

/// How many patterns have a rule, and how many of these have a witness that fires.
#[derive(Debug, Default)]
struct Tally {
    patterns: usize,
    rules: usize,
    refused: usize,
    partial: usize,
    files: usize,
    complaints: Vec<String>,
}

fn prove(patterns: &[String]) -> Tally {
    let mut tally = Tally { patterns: patterns.len(), ..Tally::default() };
    for some in patterns.chunks(AT_ONCE) {
        let mut contents: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        let mut rules = Vec::new();
        let mut staged: Vec<Staged> = Vec::new();
        for text in some {
            let Some(plan) = proof::plan(text) else { continue };
            let known = substitute(&plan);
            match prepared(target(), target().accepts()).lower(&known.plan) {
                Err(refusal) => {
                    assert!(!refusal.reasons.is_empty(), "{text}: refused without a reason");
                    tally.refused += 1;
                }
                Ok(lowered) => {
                    let number = staged.len();
                    let id = format!("indicator--00000000-0000-4000-8000-{number:012}");
                    let rule = format!("indicator_00000000_0000_4000_8000_{number:012}");
                    let (trial, files) = trial(text, &known, lowered.fidelity, lowered.drafts.len(), &mut contents);
                    staged.push(Staged { trial, rule, files });
                    rules.push(proof::rule(id, lowered));
                }
            }
        }
        let folder = scratch();
        let scanned = folder.path().join("files");
        fs::create_dir(&scanned).unwrap();
        for (content, number) in &contents {
            fs::write(scanned.join(number.to_string()), content).unwrap();
        }
        let file = folder.path().join("stixc.yar");
        fs::write(&file, emit(target(), rules).text("yara/stixc.yar")).unwrap();
        tally.rules += staged.len();
        tally.files += contents.len();
        tally.partial += staged.iter().filter(|one| one.trial.unseen.matches).count();
        for (engine, scan) in ENGINES {
            let found = scan(&file, &scanned);
            for one in &mut staged {
                for (held, files) in one.trial.held.iter_mut().zip(&one.files) {
                    let fires =
                        |number: &usize| found.get(&number.to_string()).is_some_and(|by| by.contains(&one.rule));
                    held.shown.fired = files.iter().any(fires).then_some(0).into_iter().collect();
                }
                tally.complaints.extend(one.trial.complaints().into_iter().map(|text| format!("{engine}: {text}")));
            }
        }
    }
    tally
}

/// The trial of a pattern, and which files each of its witnesses shows.
fn trial(
    text: &str,
    known: &Substitution,
    verdict: Fidelity,
    rules: usize,
    contents: &mut BTreeMap<Vec<u8>, usize>,
) -> (Trial, Vec<Vec<usize>>) {
    let found = witnesses(&known.plan, Bounds::default());
    proof::assert_solved(text, &found.denied);
    let mut trial = Trial { text: text.to_owned(), verdict, rules, held: Vec::new(), unseen: Unseen::of(&found) };
    let mut files = Vec::new();
    // A file has all that a file can have: none is without a hash or a size.
    if known.plan.to_string().contains("EXISTS") {
        trial.unseen = Unseen { matches: true, misses: true };
    }
    // A plan that can't be evaluated has a gap that says so.
    let Ok(oracle) = Oracle::new(&known.plan) else { return (trial, files) };
    let mut hold = |trial: &mut Trial, aim: &Aim, sightings: &[Sighting], was: bool, turn: usize| {
        let Some(shown) = write(sightings, &known.files, turn) else {
            // No file is like this: a known file of another size, a program with a field that can't hold its number.
            if was {
                trial.unseen.matches = true
            } else {
                trial.unseen.misses = true
            }
            return;
        };
        // What is held against the rule is what the files say of themselves, not what was wished of them.
        let Ok(matches) = oracle.matches(&shown.seen) else { return };
        let is_other = !are_as_said(sightings, &shown.seen);
        trial.unseen.matches |= was && is_other;
        trial.unseen.misses |= !was && is_other;
        let numbers = shown.contents.into_iter().map(|content| {
            let next = contents.len();
            *contents.entry(content).or_insert(next)
        });
        files.push(numbers.collect());
        trial.held.push(Held {
            aim: aim.clone(),
            made: sightings.to_vec(),
            shown: CaseResult { matches, fired: BTreeSet::new() },
        });
    };
    for witness in &found.all {
        for turn in 0..TURNS {
            hold(&mut trial, &witness.aim, &witness.sightings, witness.matches, turn);
        }
        if let Some(rested) = at_rest(&witness.sightings) {
            hold(&mut trial, &witness.aim, &rested, false, 0);
        }
    }
    (trial, files)
}

/// The same sightings where nothing runs: the files of processes lie there all the same. `None` where nothing ran.
fn at_rest(sightings: &[Sighting]) -> Option<Vec<Sighting>> {
    let runs = |object: &Json| object["type"] == "process";
    let rested = sightings.iter().map(|sighting| {
        let objects = sighting.objects.iter().filter(|(_, object)| !runs(object));
        Sighting { at: sighting.at, objects: objects.map(|(key, object)| (key.clone(), object.clone())).collect() }
    });
    sightings.iter().any(|sighting| sighting.objects.values().any(runs)).then(|| rested.collect())
}

fn assert_proven(patterns: &[String]) {
    let tally = prove(patterns);
    println!(
        "{} patterns: {} refused, {} rules ({} with witnesses that no file shows), {} files",
        tally.patterns, tally.refused, tally.rules, tally.partial, tally.files
    );
    assert_none(&tally.complaints);
}

#[test]
#[ignore = "needs yara and yara-x: tests/run installs them"]
fn yara_yarax_find_what_the_verdicts_promise() {
    assert_proven(&proof::fixtures());
    assert_proven(&generate::patterns(2000));
}

#[test]
#[ignore = "needs yara, yara-x and the corpus: tests/run installs the ones and finds the other"]
fn corpus_yara_yarax_find_what_the_verdicts_promise() {
    assert_proven(&proof::bundles());
}
