//! The proof of Sigma's rules: two evaluators run them over the events that witnesses and near misses show as, and what
//! they find must be what the verdicts promise.

use crate::support;
use crate::support::emission;
use crate::support::sigma_cases as cases;

use std::collections::BTreeMap;

use emission::{Memory, emit, prepared};
use serde_json::{Value as Json, json};
use stixc::{
    plan::Plan,
    targets::{
        Target, find,
        sigma::show::{Event, Hosts, LogSource, SPELLINGS, show, variants},
    },
    witness::{
        Oracle, Sighting, Witness,
        check_verdict::CaseResult,
        solve::{Bounds, witnesses},
    },
};
use support::{
    generate,
    proof::{self, Held, Trial, Unseen, assert_none, assert_solved},
    validators::sigma::{self, Case, Evaluator},
};

fn target() -> &'static dyn Target {
    find("sigma").unwrap()
}

fn logsource(source: &LogSource) -> BTreeMap<&'static str, &'static str> {
    let keys = [("category", source.category), ("product", source.product), ("service", source.service)];
    keys.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

fn logged(events: Vec<Event>) -> Vec<sigma::Event> {
    let micros = |at: i64| at as f64 / 1e6;
    let one = |event: Event| sigma::Event {
        at: Some(micros(event.at)),
        logsource: Some(logsource(&event.log_source)),
        fields: event.fields.into(),
    };
    events.into_iter().map(one).collect()
}

/// A pattern on its way: its trial, without what the engine says, and on which machines each run was sighted.
struct Staged {
    trial: Trial,
    /// The rules that speak for themselves, by their ids.
    ids: Vec<String>,
    hosts: Vec<Hosts>,
}

impl Staged {
    /// With what the engines get. `None` where the target writes no rule.
    fn new(text: &str) -> Option<(Self, Case)> {
        let plan = proof::plan(text)?;
        let Ok(lowered) = prepared(target(), target().accepts()).lower(&plan) else { return None };
        let verdict = lowered.fidelity;
        let rule = proof::rule("indicator--0".to_owned(), lowered);
        let Memory { files, mut names, .. } = emit(target(), vec![rule]);
        let rules = files.into_values().map(|bytes| String::from_utf8(bytes).unwrap()).collect();
        let ids = names.remove(&0).unwrap();
        let found = witnesses(&plan, Bounds::default());
        assert_solved(text, &found.denied);
        let unseen = Unseen::of(&found);
        let (mut held, mut hosts, mut runs) = (Vec::new(), Vec::new(), Vec::new());
        for Witness { aim, sightings, matches } in with_variants(&plan, found.all) {
            for (host, events) in projected(&sightings) {
                let shown = CaseResult { matches, ..CaseResult::default() };
                held.push(Held { aim: aim.clone(), made: sightings.clone(), shown });
                hosts.push(host);
                runs.push(logged(events));
            }
        }
        let trial = Trial { text: text.to_owned(), verdict, rules: ids.len(), held, unseen };
        Some((Self { trial, ids, hosts }, Case { rules, runs }))
    }

    /// Takes down what the engine found in each run.
    fn note(&mut self, found: &[sigma::Matches]) {
        for (held, matches) in self.trial.held.iter_mut().zip(found) {
            let fired = |id: &String| matches.get(id).is_some_and(|events| !events.is_empty());
            held.shown.fired = (0..self.ids.len()).filter(|rule| fired(&self.ids[*rule])).collect();
        }
    }
}

/// The witnesses, and what this world can't tell from those that match, with the evaluator's answer.
fn with_variants(plan: &Plan, mut all: Vec<Witness>) -> Vec<Witness> {
    // What can't be evaluated has no witnesses either.
    let Ok(oracle) = Oracle::new(plan) else { return all };
    let matching = all.iter().filter(|witness| witness.matches);
    let found = matching
        .flat_map(|witness| variants(&witness.sightings, plan).into_iter().map(|one| (witness.aim.clone(), one)))
        .filter_map(|(aim, sightings)| Some(Witness { matches: oracle.matches(&sightings).ok()?, aim, sightings }))
        .collect::<Vec<_>>();
    all.extend(found);
    all
}

/// The events of a witness in each spelling; of several sightings on one machine, and on several.
fn projected(sightings: &[Sighting]) -> Vec<(Hosts, Vec<Event>)> {
    let hosts: &[Hosts] = if sightings.len() > 1 { &[Hosts::Same, Hosts::Apart] } else { &[Hosts::Same] };
    let mut all: Vec<(Hosts, Vec<Event>)> = Vec::new();
    for &host in hosts {
        for spelling in 0..SPELLINGS {
            let events = show(sightings, host, spelling);
            if !all.iter().any(|(_, known)| *known == events) {
                all.push((host, events));
            }
        }
    }
    all
}

/// All patterns that have rules, with what the engine finds.
#[track_caller]
fn tried(evaluator: &Evaluator, patterns: &[String]) -> Vec<Staged> {
    let (mut staged, cases): (Vec<Staged>, Vec<Case>) = patterns.iter().filter_map(|text| Staged::new(text)).unzip();
    let found = sigma::ask(evaluator, &cases);
    staged.iter_mut().zip(&found).for_each(|(one, found)| one.note(found));
    let runs: usize = cases.iter().map(|case| case.runs.len()).sum();
    println!("{} patterns, {} with rules, {runs} runs of events", patterns.len(), staged.len());
    staged
}

/// Holds the rules of all patterns against what an engine finds.
#[track_caller]
fn prove(evaluator: &Evaluator, patterns: &[String], least: usize) {
    let staged = tried(evaluator, patterns);
    assert!(staged.len() >= least, "only {} of {} patterns have rules", staged.len(), patterns.len());
    let complaints: Vec<String> = staged.iter().flat_map(|one| one.trial.complaints()).collect();
    assert_none(&complaints);
}

fn sighting(objects: Json) -> Sighting {
    Sighting { at: 1_700_000_000_000_000, objects: objects.as_object().unwrap().clone() }
}

#[test]
fn events_look_like_their_logs() {
    let sightings = [
        json!({"0": {"type": "file", "name": "a.exe", "hashes": {"MD5": "d41d8cd98f00b204e9800998ecf8427e", "SHA-512": "00"}, "parent_directory_ref": "1",
               "extensions": {"windows-pebinary-ext": {"imphash": "0c6f2a2b0b0f0e0d0c0b0a0908070605"}, "ntfs-ext": {"alternate_data_streams": [{"name": "s"}]}}},
               "1": {"type": "directory", "path": "C:\\Temp"}}),
        json!({"0": {"type": "file", "name": "a.sh", "parent_directory_ref": "1"}, "1": {"type": "directory", "path": "/tmp"}}),
        json!({"0": {"type": "directory", "path": "C:\\Temp\\"}}),
        json!({"0": {"type": "process", "command_line": "x -y", "cwd": "C:\\W", "image_ref": "1", "parent_ref": "2", "creator_user_ref": "4",
               "extensions": {"windows-process-ext": {"integrity_level": "high"}, "windows-service-ext": {"service_name": "S", "display_name": "A service"}}},
               "1": {"type": "file", "name": "x.exe"}, "2": {"type": "process", "command_line": "p", "image_ref": "3"},
               "3": {"type": "file", "name": "p.exe"}, "4": {"type": "user-account", "account_login": "eve"}}),
        json!({"0": {"type": "windows-registry-key", "key": "HKEY_CURRENT_USER\\Software\\X", "values": [{"name": "n", "data": "255", "data_type": "REG_DWORD"}, {"name": "", "data": "t"}]}}),
        json!({"0": {"type": "user-account", "account_login": "eve", "user_id": "S-1-5-21-1"}}),
        json!({"0": {"type": "domain-name", "value": "evil.example"}}),
        json!({"0": {"type": "ipv4-addr", "value": "198.51.100.0/24"}}),
        json!({"0": {"type": "ipv6-addr", "value": "2001:db8::a"}}),
        json!({"0": {"type": "url", "value": "http://u:p@Evil.example/A b?c#d"}}),
        json!({"0": {"type": "network-traffic", "protocols": ["ipv4", "tcp", "http"], "src_ref": "1", "dst_ref": "2", "dst_port": 80,
               "extensions": {"http-request-ext": {"request_method": "get", "request_value": "/a?b", "request_header": {"user-agent": "E/1", "Referer": "r"}}}},
               "1": {"type": "ipv4-addr", "value": "192.0.2.1"}, "2": {"type": "domain-name", "value": "evil.example"}}),
        json!({"0": {"type": "x509-certificate", "serial_number": "36:f7:d4"}}),
        json!({"0": {"type": "mutex", "name": "m"}}),
    ];
    let mut all = String::new();
    for objects in sightings {
        all += &format!("{objects}\n");
        let sighting = sighting(objects);
        let mut seen: Vec<Event> = Vec::new();
        for spelling in 0..SPELLINGS {
            for event in show(std::slice::from_ref(&sighting), Hosts::Same, spelling) {
                if !seen.contains(&event) {
                    all += &format!("  {spelling} {} {}\n", event.log_source.name, Json::from(event.fields.clone()));
                    seen.push(event);
                }
            }
        }
    }
    insta::with_settings!({ snapshot_path => "../../snapshots/sigma", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("events", all);
    });
}

/// Several observations, each within a time.
const SEVERAL: &[&str] = &[
    "([file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e'] AND [domain-name:value = 'evil.example']) WITHIN 60 SECONDS",
    "([process:command_line = 'Evil -x'] FOLLOWEDBY [ipv4-addr:value = '198.51.100.7']) WITHIN 300 SECONDS",
    "([domain-name:value = 'evil.example'] FOLLOWEDBY [ipv6-addr:value = '2001:db8::7']) WITHIN 5 SECONDS",
    "[domain-name:value = 'evil.example'] REPEATS 5 TIMES WITHIN 60 SECONDS",
    "([url:value = 'http://evil.example/a'] AND [url:value = 'http://evil.example/a']) WITHIN 10 SECONDS",
    "(([file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e'] AND [domain-name:value = 'a.example']) FOLLOWEDBY \
         [ipv4-addr:value = '198.51.100.7']) WITHIN 60 SECONDS",
    "([process:image_ref.name = 'Evil.exe'] FOLLOWEDBY ([domain-name:value = 'a.example'] OR \
         [ipv4-addr:value ISSUBSET '198.51.100.0/24'])) WITHIN 60 SECONDS",
    "([windows-registry-key:values[*].name = 'Evil'] AND [network-traffic:dst_ref.value = '198.51.100.7']) WITHIN 60 SECONDS",
];

fn fixtures() -> Vec<String> {
    let own = [cases::PATTERNS, SEVERAL].concat().into_iter().map(str::to_owned);
    own.chain(proof::fixtures()).collect()
}

/// What STIX asks of several observations fires on one machine; on several machines, nothing does.
#[track_caller]
fn ties_machines(evaluator: &Evaluator) {
    let patterns: Vec<String> = SEVERAL.iter().map(|text| (*text).to_owned()).collect();
    let staged = tried(evaluator, &patterns);
    assert_eq!(staged.len(), SEVERAL.len());
    for Staged { trial, hosts, .. } in &staged {
        let runs = || trial.held.iter().zip(hosts);
        let on_one = runs().filter(|(held, host)| **host == Hosts::Same && held.shown.matches).count();
        let found = runs().filter(|(held, _)| held.shown.matches && !held.shown.fired.is_empty()).count();
        assert!(on_one > 0 && found >= on_one.div_ceil(2), "{}: {found} of {on_one}", trial.text);
        let apart = runs().find(|(held, host)| **host == Hosts::Apart && !held.shown.fired.is_empty());
        assert!(apart.is_none(), "{}: {apart:?}", trial.text);
    }
}

#[test]
#[ignore = "needs rsigma: tests/run builds it"]
fn rsigma_ties_observations_on_one_machine() {
    ties_machines(&sigma::rsigma());
}

#[test]
#[ignore = "needs sigma: tests/run installs it"]
fn sigma_ties_observations_on_one_machine() {
    ties_machines(&sigma::sqlite());
}

#[test]
#[ignore = "needs rsigma: tests/run builds it"]
fn rsigma_agrees_on_every_fixture() {
    prove(&sigma::rsigma(), &fixtures(), 90);
}

#[test]
#[ignore = "needs sigma: tests/run installs it"]
fn sigma_agrees_on_every_fixture() {
    prove(&sigma::sqlite(), &fixtures(), 90);
}

#[test]
#[ignore = "needs rsigma: tests/run builds it"]
fn rsigma_agrees_on_generated_patterns() {
    prove(&sigma::rsigma(), &generate::patterns(2000), 700);
}

#[test]
#[ignore = "needs sigma: tests/run installs it"]
fn sigma_agrees_on_generated_patterns() {
    prove(&sigma::sqlite(), &generate::patterns(2000), 700);
}

#[test]
#[ignore = "needs rsigma and the corpus: tests/run builds the one and finds the other"]
fn corpus_rsigma_agrees_on_every_bundle() {
    prove(&sigma::rsigma(), &proof::bundles(), 100);
}

#[test]
#[ignore = "needs sigma and the corpus: tests/run installs the one and finds the other"]
fn corpus_sigma_agrees_on_every_bundle() {
    prove(&sigma::sqlite(), &proof::bundles(), 100);
}
