//! The harness itself: each engine accepts what is right and refuses what is wrong, so that a harness that is broken
//! can't let everything pass.

use crate::support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;
use support::validators::{Outcome, blocklist, file, project, scratch, sigma, stix_pattern, suricata, yara};

/// What `check` makes of a file with this content.
#[track_caller]
fn checked(check: impl FnOnce(&Path) -> Outcome, content: &str) -> Outcome {
    let folder = scratch();
    check(&file(&folder, "input", content))
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_loads_rules() {
    let rule = |options: &str| format!("alert dns any any -> any any (msg:\"m\"; {options} sid:1;)\n");
    checked(suricata::check, &rule("dns.query; content:\"evil.example\";")).assert_accepted();
    checked(suricata::check, &rule("classtype:trojan-activity; reference:url,evil.example/x;")).assert_accepted();
    checked(suricata::check, &rule("dns.query; content:\"evil;example\";")).assert_refused("error parsing signature");
    checked(suricata::check, &rule("filesha256:missing.list;")).assert_refused("error parsing signature");
    checked(suricata::check, &rule("classtype:no-such-type;")).assert_refused("unknown classtype");
    checked(suricata::check, "").assert_refused("no rules were loaded");
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
#[should_panic(expected = "refused")]
fn suricata_reads_no_capture_with_rules_that_do_not_load() {
    let folder = scratch();
    suricata::alerts(&file(&folder, "input", "alert nothing\n"), stixc::witness::capture::Capture::new().bytes());
}

/// The SHA-256 of [`WITNESS`], in the spelling that YARA compares with.
const SHA256: &str = "460f2b5e75bfcd66b70317db9e6587f52a32972eb64340d20189952f86d3205f";
const WITNESS: &str = "stixc witness\n";

fn hash_rule(hash: &str) -> String {
    format!("import \"hash\"\nrule witness {{ condition: hash.sha256(0, filesize) == \"{hash}\" }}\n")
}

/// Rules that no YARA should take: a syntax error, a module that is missing, a string that nothing uses.
const BAD_YARA: [&str; 3] = [
    "rule a { condition: }",
    "import \"no_such\" rule a { condition: true }",
    "rule a { strings: $a = \"x\" condition: true }",
];

#[test]
#[ignore = "needs yara: tests/run installs it"]
fn yara_compiles_rules() {
    checked(yara::check, &hash_rule(SHA256)).assert_accepted();
    for rule in BAD_YARA {
        checked(yara::check, rule).assert_refused("error");
    }
}

#[test]
#[ignore = "needs yara: tests/run installs it"]
fn yara_matches_files() {
    let folder = scratch();
    let (hit, miss) = (file(&folder, "hit", WITNESS), file(&folder, "miss", "another\n"));
    let rules = file(&folder, "rules.yar", hash_rule(SHA256));
    assert_eq!(yara::matches(&rules, &hit), BTreeSet::from(["witness".to_owned()]));
    assert_eq!(yara::matches(&rules, &miss), BTreeSet::new());
    let upper = file(&folder, "upper.yar", hash_rule(&SHA256.to_uppercase()));
    assert_eq!(yara::matches(&upper, &hit), BTreeSet::new());
}

#[test]
#[ignore = "needs yara-x: tests/run installs it"]
fn yarax_compiles_rules_and_matches_files() {
    let folder = scratch();
    let (hit, miss) = (file(&folder, "hit", WITNESS), file(&folder, "miss", "another\n"));
    let rules = file(&folder, "rules.yar", hash_rule(SHA256));
    let report = yara::yarax(&rules, &[&hit, &miss]);
    assert!(report.errors.is_empty() && report.warnings.is_empty(), "{report:?}");
    assert_eq!(report.matches[&hit], BTreeSet::from(["witness".to_owned()]));
    assert_eq!(report.matches[&miss], BTreeSet::new());
    for rule in BAD_YARA {
        let report = yara::yarax(&file(&folder, "bad.yar", rule), &[&hit]);
        assert!(!report.errors.is_empty() && report.matches.is_empty(), "{rule}: {report:?}");
    }
}

/// A folder of Sigma rules under `tests/fixtures/engine/sigma`.
fn sigma_fixture(name: &str) -> PathBuf {
    project("tests/fixtures/engine/sigma").join(name)
}

#[test]
#[ignore = "needs sigma: tests/run installs it"]
fn sigma_checks_rules() {
    let check = |name: &str| sigma::check(&sigma_fixture(name), sigma::NOT_FOR_INDICATORS);
    check("good").assert_accepted();
    check("untidy").assert_refused("SigmahqDescriptionExistenceIssue");
    check("broken").assert_refused("Condition error");
    sigma::check(&sigma_fixture("good"), &[]).assert_refused("InvalidTLPTagIssue");
    sigma::check(&sigma_fixture("good"), &["no_such_validator"]).assert_refused("no such validator");
    sigma::check(scratch().path(), &[]).assert_refused("no rule in");
}

#[test]
#[ignore = "needs sigma and the data of its validators"]
fn sigma_sigmadata_checks_names_of_fields() {
    let check = |name: &str| sigma::check(&sigma_fixture(name), sigma::NOT_FOR_INDICATORS);
    check("good").assert_accepted();
    check("field").assert_refused("SigmahqInvalidFieldnameIssue");
}

#[test]
#[ignore = "needs sigma: tests/run installs it"]
fn sigma_matches_events() {
    let events = json!([
        { "Hashes": format!("MD5=0,sha256={}", SHA256.to_uppercase()) },
        { "Hashes": "MD5=0" },
        { "CommandLine": "C:\\Witness\\run.exe /Quiet", "Hashes": null },
        { "CommandLine": "c:\\witness\\run.exe /quiet" },
        { "Image": "C:\\Witness\\run.exe" },
    ]);
    let found = sigma::matches(&sigma_fixture("good"), &events);
    assert_eq!(found.into_values().collect::<Vec<_>>(), [[[0], [2]]]);
}

#[test]
#[ignore = "needs sigma: tests/run installs it"]
fn sigma_matches_events_in_order() {
    let lookup = |query: &str, client: &str, time: u32| json!({ "query": query, "record_type": "A", "src_ip": client, "timestamp": time });
    let connection = |server: &str, port: u16, client: &str, time: u32| json!({ "dst_ip": server, "dst_port": port, "src_ip": client, "timestamp": time });
    let events = json!([
        lookup("WWW.evil.example", "10.0.0.1", 0),
        lookup("notevil.example", "10.0.0.2", 0),
        lookup("badXname.example", "10.0.0.2", 0),
        lookup("bad_name.example", "10.0.0.3", 0),
        connection("198.51.100.9", 8080, "10.0.0.1", 300),
        connection("198.51.100.9", 8080, "10.0.0.2", 300),
        connection("198.51.101.9", 8080, "10.0.0.1", 240),
        connection("2001:DB8:0:0::9", 1024, "10.0.0.4", 9),
        connection("2001:db8:8000::9", 8080, "10.0.0.4", 9),
        connection("2001:db8::9", 1023, "10.0.0.4", 9),
        connection("2001:db8::9", 8080, "10.0.0.3", 301),
    ]);
    let found = sigma::matches(&sigma_fixture("correlation"), &events);
    let expected: [&[&[usize]]; 3] = [&[&[0], &[3]], &[&[4], &[5], &[7], &[10]], &[&[0, 4]]];
    assert_eq!(found.into_values().collect::<Vec<_>>(), expected);
}

/// Both evaluators look at an event's log source and time, and begin each run with nothing seen before.
fn matches_runs(evaluator: &sigma::Evaluator) {
    let text = fs::read_to_string(sigma_fixture("correlation/net_stixc_witness.yml")).unwrap();
    let event = |source, at: f64, fields| sigma::Event {
        at: Some(at),
        logsource: Some(BTreeMap::from([("category", source)])),
        fields,
    };
    let lookup =
        |at| event("dns", at, json!({ "query": "WWW.evil.example", "record_type": "A", "src_ip": "10.0.0.1" }));
    let connection = |at, client: &str| {
        event("firewall", at, json!({ "dst_ip": "198.51.100.9", "dst_port": 8080, "src_ip": client }))
    };
    let elsewhere = sigma::Event { logsource: Some(BTreeMap::from([("category", "proxy")])), ..lookup(0.0) };
    let runs = vec![
        vec![lookup(0.0), connection(300.0, "10.0.0.1")],
        vec![lookup(0.0), connection(301.0, "10.0.0.1")],
        vec![lookup(0.0), connection(1.0, "10.0.0.2")],
        vec![lookup(0.0)],
        vec![connection(0.0, "10.0.0.1"), lookup(9.0)],
        vec![elsewhere],
    ];
    let found = sigma::ask(evaluator, &[sigma::Case { rules: vec![text], runs }]).remove(0);
    let counts: Vec<Vec<usize>> =
        found.into_iter().map(|run| run.into_values().map(|matches| matches.len()).collect()).collect();
    assert_eq!(counts, [[1, 1, 1], [1, 1, 0], [1, 1, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0]]);
}

#[test]
#[ignore = "needs sigma: tests/run installs it"]
fn sigma_matches_runs_of_events() {
    matches_runs(&sigma::sqlite());
}

#[test]
#[ignore = "needs rsigma: tests/run builds it"]
fn rsigma_matches_runs_of_events() {
    matches_runs(&sigma::rsigma());
}

#[test]
#[ignore = "needs rsigma: tests/run builds it"]
#[should_panic(expected = "case 0:")]
fn rsigma_matches_nothing_with_a_broken_rule() {
    let rules = vec![fs::read_to_string(sigma_fixture("broken/proc_creation_win_stixc_broken.yml")).unwrap()];
    sigma::ask(&sigma::rsigma(), &[sigma::Case { rules, runs: vec![Vec::new()] }]);
}

#[test]
#[ignore = "needs sigma: tests/run installs it"]
#[should_panic(expected = "one field in two spellings")]
fn sigma_takes_no_event_with_a_misspelt_field() {
    sigma::matches(&sigma_fixture("good"), &json!([{ "commandline": "x" }]));
}

#[test]
#[ignore = "needs sigma: tests/run installs it"]
#[should_panic(expected = "not defined in detections")]
fn sigma_matches_nothing_with_a_broken_rule() {
    sigma::matches(&sigma_fixture("broken"), &json!([{ "CommandLine": "x" }]));
}

#[test]
#[ignore = "needs nft: tests/run installs it"]
fn nft_loads_sets() {
    let set = |elements: &str| {
        format!(
            "table inet stixc {{ set blocked {{ type ipv4_addr; flags interval; elements = {{ {elements} }}; }}; }}\n"
        )
    };
    checked(blocklist::nft, &set("198.51.100.0/24, 203.0.113.7")).assert_accepted();
    checked(blocklist::nft, &set("198.51.100.0/24, 198.51.100.7")).assert_refused("conflicting intervals");
    checked(blocklist::nft, &set("198.51.100.0/33")).assert_refused("Error");
    checked(blocklist::nft, "table inet stixc { nonsense; }\n").assert_refused("syntax error");
}

#[test]
#[ignore = "needs named-checkzone: tests/run installs it"]
fn named_loads_zones() {
    let zone = |records: &str| {
        format!("$TTL 60\n@ SOA localhost. root.localhost. 1 3600 600 86400 60\n@ NS localhost.\n{records}")
    };
    let check = |records: &str| checked(blocklist::named, &zone(records));
    check("evil.example CNAME .\n*.evil.example CNAME .\n24.0.100.51.198.rpz-ip CNAME .\n").assert_accepted();
    check("evil.example CNAME .\nevil.example CNAME *.\n").assert_refused("multiple RRs of singleton type");
    check(&format!("{} CNAME .\n", "a".repeat(64))).assert_refused("label too long");
    check("evil.example NONSENSE .\n").assert_refused("unknown RR type");
}

#[test]
#[ignore = "needs dnsmasq: tests/run installs it"]
fn dnsmasq_loads_configurations() {
    checked(blocklist::dnsmasq, "address=/evil.example/\n").assert_accepted();
    checked(blocklist::dnsmasq, "nonsense=/evil.example/\n").assert_refused("bad option");
}

#[test]
#[ignore = "needs unbound-checkconf: tests/run installs it"]
fn unbound_loads_configurations() {
    checked(blocklist::unbound, "server:\n  local-zone: \"evil.example.\" always_nxdomain\n").assert_accepted();
    checked(blocklist::unbound, "server:\n  local-zone: \"evil.example.\" nonsense\n").assert_refused("error");
}

#[test]
#[ignore = "needs stix2-patterns: tests/run installs it"]
fn stix2patterns_validates_patterns() {
    let patterns = ["[domain-name:value = 'evil.example']", "[domain-name:value = ]"];
    let errors = stix_pattern::errors(&patterns, "2.1");
    assert!(errors[0].is_empty() && errors[1].len() == 1, "{errors:?}");
    let exists = ["[EXISTS domain-name:value]"];
    assert!(stix_pattern::errors(&exists, "2.1")[0].is_empty());
    assert!(!stix_pattern::errors(&exists, "2.0")[0].is_empty());
}
