//! The proof of blocklists: what would be looked up while witnesses and near misses happen is looked up in the lists, and
//! what they keep back must be what the verdicts promise.
//!
//! Two steps make the proof. Each pattern's own lists are read as `stixc verify` reads them, and held against its witnesses. Then
//! all patterns' lists at once are given to what reads them in the field, and all lookups to that: nftables in the
//! kernel, unbound with the response policy zone, dnsmasq with the hosts file. They must keep back what that reading
//! does.

use crate::support;
use crate::support::emission;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use emission::{Memory, prepared};
use serde_json::{Value as Json, json};
use stixc::{
    plan::DomainName,
    targets::{
        Target,
        blocklist::{
            engine::Lists,
            show::{Lookup, show},
        },
        contract::Rule,
        find,
    },
    witness::{
        Objects, Oracle, Sighting,
        check_verdict::CaseResult,
        known_files::{Substitution, substitute},
        solve::{Bounds, witnesses},
    },
};
use support::{
    generate,
    proof::{self, Held, Trial, Unseen, are_as_said, assert_none},
    validators::{blocklist, file, scratch},
};

/// Neighbours, which lists join where they touch and not where one address is between them.
const NEIGHBOURS: &[&str] = &[
    "[ipv4-addr:value IN ('198.51.100.4', '198.51.100.5', '198.51.100.7', '198.51.100.10')]",
    "[ipv4-addr:value ISSUBSET '198.51.100.0/26' OR ipv4-addr:value ISSUBSET '198.51.100.128/26' OR ipv4-addr:value = '198.51.100.65']",
    "[ipv6-addr:value IN ('2001:db8::ffff', '2001:db8::1:0', '2001:db8::1:2', '2001:db8::1:5')]",
    "[network-traffic:dst_ref.value IN ('203.0.113.255', '203.0.114.1', '203.0.113.0')]",
];

/// The project's own patterns.
fn own() -> Vec<String> {
    let neighbours = NEIGHBOURS.iter().map(|pattern| (*pattern).to_owned());
    proof::fixtures().into_iter().chain(neighbours).collect()
}

fn target() -> &'static dyn Target {
    find("blocklist").unwrap()
}

/// The URLs of a pattern, in its spelling, with what is looked up for each.
fn urls(text: &str, known: &Substitution) -> Vec<(Json, Lookup)> {
    let url = |text: &str| json!({"type": "url", "value": text.replace("\\\\", "\\")});
    let sighting = |url: &Json| Sighting { at: 0, objects: Objects::from_iter([("0".to_owned(), url.clone())]) };
    let urls = text.split('\'').map(url).filter_map(|url| {
        let asked = show(&[sighting(&url)], known)?.asked;
        Some((url, asked.into_iter().find(|lookup| matches!(lookup, Lookup::Url(_)))?))
    });
    urls.collect()
}

/// The plain lists that were written.
fn lists(memory: &Memory) -> Lists {
    Lists::read(|file| Ok(Some(memory.text(&format!("blocklist/{file}")).to_owned()))).unwrap()
}

#[derive(Default)]
struct Tally {
    patterns: usize,
    refused: BTreeMap<String, usize>,
    rules: Vec<Rule>,
    asked: BTreeSet<Lookup>,
    complaints: Vec<String>,
}

fn prove(patterns: &[String]) -> Tally {
    let mut tally = Tally { patterns: patterns.len(), ..Tally::default() };
    let lowerer = prepared(target(), target().accepts());
    let mut memory = Memory::new(target());
    for text in patterns {
        let Some(plan) = proof::plan(text) else { continue };
        let known = substitute(&plan);
        let lowered = match lowerer.lower(&known.plan) {
            Ok(lowered) => lowered,
            Err(refusal) => {
                let codes: BTreeSet<&str> = refusal.reasons.iter().map(|reason| reason.code.0).collect();
                assert!(!codes.is_empty(), "{text}: refused without a reason");
                codes.into_iter().for_each(|code| *tally.refused.entry(code.to_owned()).or_default() += 1);
                continue;
            }
        };
        let verdict = lowered.fidelity;
        memory.files.clear();
        lowerer.emit(vec![proof::rule("indicator--0".to_owned(), lowered)], &mut memory).unwrap();
        let lists = lists(&memory);
        let found = witnesses(&known.plan, Bounds::default());
        proof::assert_solved(text, &found.denied);
        let mut trial = Trial { text: text.clone(), verdict, rules: 1, held: Vec::new(), unseen: Unseen::of(&found) };
        let urls = urls(text, &known);
        if let Ok(oracle) = Oracle::new(&known.plan) {
            for witness in found.all {
                let Some(mut shown) = show(&witness.sightings, &known) else {
                    trial.unseen.matches |= witness.matches;
                    continue;
                };
                trial.unseen.matches |= witness.matches && !are_as_said(&witness.sightings, &shown.seen);
                // One URL has several spellings (`http://Evil.example`, `http://evil.example/`), and the pattern's is one.
                for (url, _) in urls.iter().filter(|(_, lookup)| shown.asked.contains(lookup)) {
                    shown.seen.iter_mut().for_each(|one| _ = one.objects.insert("as-written".to_owned(), url.clone()));
                }
                let Ok(matches) = oracle.matches(&shown.seen) else { continue };
                let fired =
                    shown.asked.iter().any(|lookup| lists.find(lookup).is_some()).then_some(0).into_iter().collect();
                tally.asked.extend(shown.asked);
                trial.held.push(Held {
                    aim: witness.aim,
                    made: witness.sightings,
                    shown: CaseResult { matches, fired },
                });
            }
        }
        tally.complaints.extend(trial.complaints());
        tally.rules.push(proof::rule("indicator--0".to_owned(), lowerer.lower(&known.plan).unwrap()));
    }
    tally
}

impl Tally {
    fn tell(&self) {
        let (patterns, rules, asked) = (self.patterns, self.rules.len(), self.asked.len());
        println!("{patterns} patterns: {rules} on a list, {asked} lookups, refused for {:?}", self.refused);
    }

    /// Gives the lists of all patterns, and all lookups, to what reads such lists in the field.
    fn put_to_use(self) {
        let mut memory = Memory::new(target());
        prepared(target(), target().accepts()).emit(self.rules, &mut memory).unwrap();
        let lists = lists(&memory);
        let folder = scratch();
        let path = |name: &str| file(&folder, name, memory.text(&format!("blocklist/{name}")));
        let texts = |is: &dyn Fn(&Lookup) -> Option<String>| -> BTreeMap<String, bool> {
            self.asked.iter().filter_map(|lookup| Some((is(lookup)?, lists.find(lookup).is_some()))).collect()
        };
        // What no packet can be sent to as it is: the kernel takes another address for it.
        let sendable = |address: &IpAddr| match address {
            IpAddr::V4(address) => !address.is_unspecified(),
            IpAddr::V6(address) => !address.is_unspecified() && address.to_ipv4_mapped().is_none(),
        };
        let addresses = texts(&|lookup| match lookup {
            Lookup::Address(address) if sendable(address) => Some(address.to_string()),
            _ => None,
        });
        assert_same("nftables", &addresses, |all| blocklist::rejected(&path("stixc.nft"), all));
        let names = texts(&|lookup| match lookup {
            Lookup::Name(name) if DomainName::parse(name).is_some() => Some(name.clone()),
            _ => None,
        });
        assert_same("dnsmasq", &names, |all| blocklist::kept_back_by_hosts(&path("hosts"), all));
        assert_same("unbound", &names, |all| blocklist::kept_back_by_zone(&path("rpz.zone"), all));
    }
}

/// Fails unless a reader keeps back those that are expected.
fn assert_same(
    reader: &str,
    expected: &BTreeMap<String, bool>,
    kept: impl FnOnce(&BTreeSet<String>) -> BTreeSet<String>,
) {
    let all: BTreeSet<String> = expected.keys().cloned().collect();
    let wanted: BTreeSet<String> = all.iter().filter(|one| expected[*one]).cloned().collect();
    assert!(!wanted.is_empty() && wanted.len() < all.len(), "{reader}: {} of {}", wanted.len(), all.len());
    let found = kept(&all);
    println!("{reader}: {} of {} kept back", found.len(), all.len());
    let (more, fewer): (Vec<_>, Vec<_>) = (found.difference(&wanted).collect(), wanted.difference(&found).collect());
    assert!(more.is_empty() && fewer.is_empty(), "{reader} keeps back more: {more:?}; fewer: {fewer:?}");
}

#[test]
fn lists_keep_back_what_the_verdicts_promise() {
    for patterns in [own(), generate::patterns(2000)] {
        let tally = prove(&patterns);
        tally.tell();
        assert_none(&tally.complaints);
    }
}

#[test]
#[ignore = "needs nft, dnsmasq, unbound and a network namespace: tests/run installs them"]
fn nft_dnsmasq_unbound_keep_back_what_the_lists_say() {
    let mut patterns = own();
    patterns.extend(generate::patterns(2000));
    prove(&patterns).put_to_use();
}

#[test]
#[ignore = "needs the corpus, nft, dnsmasq, unbound and a network namespace: tests/run installs them"]
fn corpus_nft_dnsmasq_unbound_keep_back_what_the_verdicts_promise() {
    let tally = prove(&proof::bundles());
    tally.tell();
    assert_none(&tally.complaints);
    tally.put_to_use();
}
