//! `stixc convert --witness` and `stixc verify`: what a user sees of the proof.

use crate::support::{feed_shapes, program};

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use program::{FEED, code, errors, files, stixc, text, write};
use serde_json::Value as Json;
use tempfile::TempDir;

/// A pattern for each engine, and one that is a hash.
const PATTERNS: &[&str] = &[
    "[domain-name:value = 'evil.example']",
    "[file:hashes.'SHA-256' = 'ef537f25c895bfa782526529a9b63d97aa631564d5d789c2b765448c8635fb6c']",
    "[ipv4-addr:value = '198.51.100.7']",
    "[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\Software\\\\Evil']",
];

/// What a conversion of this input for these targets gives, in `rules` and `witness`.
fn converted(input: &[&str], targets: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let [rules, witness] = ["rules", "witness"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    let output = stixc(&[&["convert", "-t", targets, "-o", &rules, "--witness", &witness], input].concat());
    assert_eq!(code(&output), 0, "{}", errors(&output));
    folder
}

/// Witnesses of these patterns for these targets.
fn witnesses(patterns: &[&str], targets: &str) -> TempDir {
    converted(&patterns.iter().flat_map(|pattern| ["--pattern", pattern]).collect::<Vec<_>>(), targets)
}

/// Witnesses of the example feed for all targets.
fn of_the_feed() -> TempDir {
    converted(&[FEED, "--now", "2024-06-01T00:00:00Z"], "sigma,suricata,yara,blocklist")
}

fn verify(folder: &Path, more: &[&str]) -> Output {
    stixc(&[&["verify", folder.join("witness").to_str().unwrap()], more].concat())
}

/// The state of each rule of a target.
fn states(folder: &Path, target: &str) -> Vec<String> {
    let output = verify(folder, &["-t", target, "--format", "json"]);
    let report: Json = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["schema"], "stixc-verify/1");
    let rules = report["rules"].as_array().unwrap();
    rules.iter().map(|rule| rule["state"].as_str().unwrap().to_owned()).collect()
}

/// Replaces a text in the files of a target, once at least.
fn damage(folder: &Path, target: &str, from: &str, to: &str) {
    let root = folder.join("witness").join(target);
    let mut changed = 0;
    for (path, bytes) in files(&root) {
        let Ok(text) = String::from_utf8(bytes) else { continue };
        if text.contains(from) && path.file_name().is_some_and(|name| name != "test.yaml") {
            fs::write(root.join(path), text.replace(from, to)).unwrap();
            changed += 1;
        }
    }
    assert!(changed > 0, "{from} is in no file of {target}");
}

#[test]
#[ignore = "needs suricata, yara, nft, named and sigma: tests/run installs them"]
fn suricata_yara_nft_named_sigma_every_rule_of_the_example_feed_does_what_it_says() {
    let folder = of_the_feed();
    let output = verify(folder.path(), &[]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    assert!(text(&output).contains(" 0 without an engine, 0 fail"), "{}", text(&output));
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_a_broken_rule_is_found_out() {
    let folder = witnesses(PATTERNS, "suricata");
    assert!(states(folder.path(), "suricata").iter().all(|state| state == "fires"));
    damage(folder.path(), "suricata", "evil.example", "evil.exampla");
    let output = verify(folder.path(), &[]);
    assert_eq!(code(&output), 6, "{}", text(&output));
    assert!(text(&output).contains("FAILS"), "{}", text(&output));
    damage(folder.path(), "suricata", "dns.query", "dns.quark");
    let output = verify(folder.path(), &[]);
    assert_eq!(code(&output), 6, "{}", text(&output));
    assert!(text(&output).contains("refused: "), "{}", text(&output));
}

#[test]
#[ignore = "needs yara: tests/run installs it"]
fn yara_a_rule_that_matches_everything_is_found_out() {
    let folder = witnesses(PATTERNS, "yara");
    assert_eq!(states(folder.path(), "yara"), ["fires"]);
    damage(folder.path(), "yara", " == ", " != ");
    assert_eq!(states(folder.path(), "yara"), ["fails"]);
    assert_eq!(code(&verify(folder.path(), &[])), 6);
}

#[test]
#[ignore = "needs sigma: tests/run installs it"]
fn sigma_a_field_that_no_log_has_is_found_out() {
    let folder = witnesses(PATTERNS, "sigma");
    assert!(states(folder.path(), "sigma").iter().all(|state| state == "fires"));
    damage(folder.path(), "sigma", "TargetObject", "TargetObjekt");
    let states = states(folder.path(), "sigma");
    assert!(states.iter().any(|state| state == "fails") && states.iter().any(|state| state == "fires"), "{states:?}");
}

/// Patterns with a field of the mapping in `tests/fixtures/mapping/ecs.toml`, each with one of them; the last has one that
/// no one can show.
const MAPPED: &[(&str, &str)] = &[
    ("[domain-name:value = 'evil.example']", "dns.question.name"),
    ("[url:value = 'http://evil.example/a']", "url.full"),
    ("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", "destination.ip"),
    ("[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443]", "destination.port"),
    ("[process:command_line LIKE '%evil -x%']", "process.command_line"),
    ("[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4']", "process.hash.md5"),
    ("[file:name = 'evil.exe']", "file.name"),
    ("[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\Software\\\\Evil']", "registry.path"),
    ("[mutex:name = 'evil']", "mutex.name"),
    ("[email-addr:value = 'a@evil.example']", "email.from.address"),
    (
        "([domain-name:value = 'evil.example'] FOLLOWEDBY [ipv4-addr:value = '198.51.100.7']) WITHIN 60 SECONDS",
        "host.name",
    ),
    ("[windows-registry-key:values[*].data = 'evil']", "registry.data.strings"),
];

#[test]
#[ignore = "needs sigma: tests/run installs it"]
fn sigma_events_have_the_fields_of_the_mapping_in_use() {
    let mapping = format!("sigma={}/tests/fixtures/mapping/ecs.toml", env!("CARGO_MANIFEST_DIR"));
    let patterns = MAPPED.iter().flat_map(|(pattern, _)| ["--pattern", pattern]);
    let folder = converted(&["--mapping", &mapping].into_iter().chain(patterns).collect::<Vec<_>>(), "sigma");
    let rules: String =
        files(&folder.path().join("rules")).into_iter().map(|(_, bytes)| String::from_utf8(bytes).unwrap()).collect();
    for (pattern, field) in MAPPED {
        assert!(rules.contains(field), "{pattern}: no rule has {field}");
    }
    let output = verify(folder.path(), &["--format", "json"]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    let report: Json = serde_json::from_slice(&output.stdout).unwrap();
    let all = report["rules"].as_array().unwrap();
    let in_state = |state: &str| all.iter().filter(|rule| rule["state"] == state).collect::<Vec<_>>();
    let [hidden] = in_state("not-testable")[..] else { panic!("{all:#?}") };
    assert_eq!(hidden["notes"], serde_json::json!(["registry.data.strings"]));
    assert_eq!(in_state("fires").len(), all.len() - 1, "{all:#?}");
}

#[test]
fn a_list_that_lacks_an_entry_is_found_out() {
    let nested = ["[ipv4-addr:value = '198.51.100.7']", "[ipv4-addr:value ISSUBSET '198.51.100.0/24']"];
    let folder = witnesses(&nested, "blocklist");
    assert!(states(folder.path(), "blocklist").iter().all(|state| state == "fires"), "one in the other is no mistake");
    let folder = witnesses(PATTERNS, "blocklist");
    assert!(states(folder.path(), "blocklist").iter().all(|state| state == "fires"));
    damage(folder.path(), "blocklist", "198.51.100.7", "198.51.100.8");
    assert!(states(folder.path(), "blocklist").iter().any(|state| state == "fails"));
}

/// What a conversion of patterns in the shapes of feeds gives for these targets.
fn feed_shaped(targets: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let indicator = |(number, pattern): (usize, String)| {
        serde_json::json!({
            "type": "indicator", "spec_version": "2.1", "id": format!("indicator--{number:08}-0000-4000-8000-000000000000"),
            "created": "2024-01-01T00:00:00Z", "modified": "2024-01-01T00:00:00Z",
            "pattern": pattern, "pattern_type": "stix", "valid_from": "2024-01-01T00:00:00Z",
        })
    };
    let objects: Vec<Json> = feed_shapes::patterns(2).into_iter().enumerate().map(indicator).collect();
    let feed = write(&folder, "feed.json", Json::from(objects).to_string());
    converted(&[feed.to_str().unwrap(), "--guard", "special=ignore"], targets)
}

#[test]
fn lists_of_feed_shaped_values_do_what_they_say() {
    let folder = feed_shaped("blocklist");
    let output = verify(folder.path(), &[]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    assert!(states(folder.path(), "blocklist").iter().filter(|state| *state == "fires").count() > 60);
}

#[test]
#[ignore = "needs suricata, yara and sigma: tests/run installs them"]
fn suricata_yara_sigma_rules_of_feed_shaped_values_do_what_they_say() {
    let folder = feed_shaped("sigma,suricata,yara");
    let output = verify(folder.path(), &["-q"]);
    assert_eq!(code(&output), 0, "{}", text(&output));
}

#[test]
fn a_sample_says_that_it_is_one() {
    let folder = witnesses(&[PATTERNS[0], PATTERNS[2], "[ipv4-addr:value = '198.51.100.8']"], "blocklist");
    let output = verify(folder.path(), &["--sample", "1"]);
    assert_eq!(code(&output), 4, "{}", text(&output));
    assert!(text(&output).contains("sampled: 1 indicators; 2 rules of others were not looked at"), "{}", text(&output));
    assert_eq!(text(&output), text(&verify(folder.path(), &["--sample", "1"])));
    let all = verify(folder.path(), &["--sample", "3"]);
    assert_eq!(code(&all), 0, "{}", text(&all));
    assert!(!text(&all).contains("sampled"), "{}", text(&all));
    damage(folder.path(), "blocklist", "198.51.100.7", "198.51.101.7");
    damage(folder.path(), "blocklist", "198.51.100.8", "198.51.101.8");
    damage(folder.path(), "blocklist", "evil.example", "evil.exampla");
    assert_eq!(code(&verify(folder.path(), &["--sample", "1"])), 6);
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_a_sample_is_shown_its_own_traffic() {
    let folder = witnesses(PATTERNS, "suricata");
    let output = verify(folder.path(), &["--sample", "2", "--format", "json"]);
    assert_eq!(code(&output), 4, "{}", text(&output));
    let report: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["sample"]["indicators"], 2);
    let rules = report["rules"].as_array().unwrap();
    assert!(!rules.is_empty() && rules.iter().all(|rule| rule["state"] == "fires"), "{rules:#?}");
}

#[test]
fn a_missing_engine_is_never_a_pass() {
    let folder = witnesses(PATTERNS, "sigma,suricata,yara");
    let empty = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_stixc"))
        .arg("verify")
        .arg(folder.path().join("witness"))
        .env("PATH", empty.path())
        .env_remove("STIXC_PYTHON")
        .output()
        .unwrap();
    assert_eq!(code(&output), 1, "{}", text(&output));
    let text = text(&output);
    assert_eq!(text.matches("engine missing: ").count(), 3, "{text}");
    assert!(text.contains(": 0 fire and are silent on near misses, 0 serve others, 0 not witnessable, "), "{text}");
}

#[test]
fn the_folder_has_the_layouts_that_people_run() {
    let folder = witnesses(PATTERNS, "sigma,suricata,yara");
    let written: Vec<String> =
        files(&folder.path().join("witness")).iter().map(|(path, _)| path.to_string_lossy().into_owned()).collect();
    let has = |is: &dyn Fn(&str) -> bool| assert!(written.iter().any(|path| is(path)), "{written:#?}");
    for test in ["fires", "silent"] {
        for name in ["input.pcap", "test.rules", "test.yaml", "suricata.yaml"] {
            has(&|path| path == format!("suricata/{test}/{name}"));
        }
    }
    has(&|path| path.starts_with("sigma/dns_query_win_") && path.ends_with("/info.yml"));
    has(&|path| path.starts_with("yara/indicator_") && path.ends_with("/fires-0.bin"));
    has(&|path| path.starts_with("yara/indicator_") && path.ends_with("/silent-0.bin"));
    // SigmaHQ's runner wants the events' file named as the rule's id.
    let info = written.iter().find(|path| path.ends_with("/info.yml")).unwrap();
    let info = fs::read_to_string(folder.path().join("witness").join(info)).unwrap();
    let value = |key: &str| info.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap().to_owned();
    let (id, path) = (value("- id: "), value("path: "));
    assert!(path.ends_with(&format!("/{id}.json")), "{info}");
    assert!(folder.path().join("witness/sigma").join(path).exists(), "{info}");
}

#[test]
fn the_same_feed_gives_the_same_witnesses() {
    let made = || files(&of_the_feed().path().join("witness"));
    let (one, other) = (made(), made());
    assert!(one == other && one.len() > 100, "{} files", one.len());
}

#[test]
fn what_can_t_be_made_stands_in_and_says_so() {
    let folder = witnesses(&PATTERNS[1..2], "yara");
    let index = fs::read_to_string(folder.path().join("witness/witness.json")).unwrap();
    let index: Json = serde_json::from_str(&index).unwrap();
    let subject = &index["targets"]["yara"][0];
    assert!(!subject["pattern"].as_str().unwrap().contains("ef537f25"), "{subject}");
    assert!(subject["notes"][0].as_str().unwrap().contains("known file"), "{subject}");
    let rules = fs::read_to_string(folder.path().join("rules/yara/stixc.yar")).unwrap();
    assert!(rules.contains("ef537f25"), "the rules of the run ask for the pattern's own hash");
}

#[test]
fn bad_folders_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let output = stixc(&["verify", path]);
    assert_eq!(code(&output), 3);
    assert!(errors(&output).contains("stixc convert --witness DIR"), "{}", errors(&output));
    write(&folder, "witness.json", r#"{"schema": "stixc-witness/1", "targets": {}}"#);
    let output = stixc(&["verify", path]);
    assert_eq!(code(&output), 3);
    assert!(errors(&output).contains("expected stixc-witness/3"), "{}", errors(&output));
    write(&folder, "witness.json", r#"{"schema": "stixc-witness/3", "targets": {}}"#);
    let output = stixc(&["verify", path, "-t", "sigma"]);
    assert_eq!(code(&output), 2);
}
