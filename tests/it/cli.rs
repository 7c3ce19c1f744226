//! The command line as a user meets it: outputs, exit codes, bad input.

use crate::support::program;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use program::{FEED, code, errors, files, stixc, text, write};

const ALL: &str = "sigma,suricata,yara,blocklist";

/// A moment at which the example feed has an expired indicator.
const NOW: &str = "2024-06-01T00:00:00Z";

fn convert(feed: &Path, targets: &str, folder: &Path) -> Output {
    let [feed, folder] = [feed, folder].map(|path| path.to_str().unwrap());
    stixc(&["convert", feed, "-t", targets, "-o", folder, "--now", NOW])
}

#[test]
fn the_main_job_writes_every_target_and_ends_with_the_funnel() {
    let folder = tempfile::tempdir().unwrap();
    let output = convert(Path::new(FEED), ALL, folder.path());
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert!(output.stdout.is_empty());
    let last = errors(&output).lines().last().unwrap().to_owned();
    assert!(last.starts_with("indicators 69 → valid 67 → active "), "{last}");
    let written: Vec<String> =
        files(folder.path()).iter().map(|(path, _)| path.to_string_lossy().into_owned()).collect();
    for expected in ["suricata/stixc.rules", "yara/stixc.yar", "blocklist/ipv4.txt", "stixc.lock", "manifest.json"] {
        assert!(written.iter().any(|path| path == expected), "{expected} is not among {written:#?}");
    }
    assert!(written.iter().filter(|path| path.starts_with("sigma/")).count() > 20);
}

#[test]
fn the_same_input_gives_the_same_bytes_also_when_shuffled() {
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    convert(Path::new(FEED), ALL, first.path());
    let mut bundle: serde_json::Value = serde_json::from_slice(&fs::read(FEED).unwrap()).unwrap();
    let objects = bundle["objects"].as_array_mut().unwrap();
    objects.reverse();
    let (left, right) = objects.split_at_mut(31);
    left.swap_with_slice(&mut right[..31]);
    let shuffled = write(&second, "feed.json", bundle.to_string());
    let output = tempfile::tempdir().unwrap();
    convert(&shuffled, ALL, output.path());
    for ((path, one), (_, other)) in files(first.path()).iter().zip(&files(output.path())) {
        assert!(one == other, "{} differs", path.display());
    }
    assert_eq!(files(first.path()).len(), files(output.path()).len());
}

#[test]
fn a_second_run_changes_nothing_and_one_indicator_changes_its_rules_only() {
    let [folder, feeds] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    convert(Path::new(FEED), ALL, folder.path());
    let before = files(folder.path());
    let again = convert(Path::new(FEED), ALL, folder.path());
    assert!(errors(&again).contains(" 0 changed, 0 removed"), "{}", errors(&again));
    let edited = fs::read_to_string(FEED).unwrap().replace("'198.51.100.8'", "'198.51.100.88'");
    convert(&write(&feeds, "feed.json", edited), ALL, folder.path());
    let after = files(folder.path());
    let rules = |files: &[(PathBuf, Vec<u8>)]| {
        let rules = files.iter().find(|(path, _)| path == Path::new("suricata/stixc.rules")).unwrap();
        String::from_utf8(rules.1.clone()).unwrap()
    };
    let (old, new) = (rules(&before), rules(&after));
    let differing: Vec<(&str, &str)> = old.lines().zip(new.lines()).filter(|(one, other)| one != other).collect();
    assert_eq!(old.lines().count(), new.lines().count());
    assert!(!differing.is_empty());
    assert!(differing.iter().all(|(one, other)| one.contains("198.51.100.8") && other.contains("198.51.100.88")));
    assert!(differing.iter().all(|(one, other)| one.contains("rev:1;") && other.contains("rev:2;")), "{differing:#?}");
}

#[test]
fn what_is_gone_from_the_feed_goes_from_the_folder() {
    let [folder, feeds] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    convert(Path::new(FEED), "sigma,blocklist", folder.path());
    let before = files(folder.path()).len();
    let stranger = folder.path().join("sigma/mine.yml");
    fs::write(&stranger, "mine").unwrap();
    let edited = fs::read_to_string(FEED).unwrap().replace("'c2.lantern.example'", "'co.uk'");
    let output = convert(&write(&feeds, "feed.json", edited), "sigma,blocklist", folder.path());
    assert!(files(folder.path()).len() < before + 1, "{}", errors(&output));
    assert!(stranger.exists(), "a file that stixc did not write was removed");
    assert!(folder.path().join("blocklist/domains.txt").exists());
}

#[test]
fn several_targets_need_a_folder() {
    let output = stixc(&["convert", FEED, "-t", "sigma,yara"]);
    assert_eq!(code(&output), 2);
    assert!(errors(&output).contains("-o DIR"), "{}", errors(&output));
    let output = stixc(&["convert", FEED, "-t", "blocklist"]);
    assert_eq!(code(&output), 2);
    assert!(errors(&output).contains("--format"), "{}", errors(&output));
}

#[test]
fn one_format_goes_to_standard_output() {
    let pattern = "[ipv4-addr:value = '198.51.100.7']";
    let output = stixc(&["convert", "--pattern", pattern, "-t", "blocklist", "--format", "ipv4"]);
    assert_eq!((code(&output), text(&output).as_str()), (0, "198.51.100.7\n"), "{}", errors(&output));
    let output = stixc(&["convert", "--pattern", pattern, "-t", "suricata"]);
    assert_eq!(code(&output), 0);
    assert!(text(&output).lines().any(|line| line.starts_with("alert ip ") && line.contains("198.51.100.7")));
}

#[test]
fn standard_input_is_a_feed() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stixc"))
        .args(["convert", "-", "-t", "blocklist", "--format", "domains", "--now", NOW])
        .stdin(Stdio::from(fs::File::open(FEED).unwrap()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take();
    let output = child.wait_with_output().unwrap();
    assert!(text(&output).lines().any(|line| line == "c2.lantern.example"), "{}", errors(&output));
}

#[test]
fn usage_errors_end_with_2() {
    for arguments in [
        &["convert", FEED][..],
        &["convert", FEED, "-t", "sigmar", "-o", "x"],
        &["convert", FEED, "-t", "yara", "--accept", "perfect"],
        &["convert", FEED, "-t", "yara", "--now", "yesterday"],
        &["convert", FEED, "-t", "yara", "--mapping", "yara=/no/such/file"],
        &["convert", "-t", "yara"],
        &["explain", "L999"],
        &["frobnicate"],
    ] {
        let output = stixc(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", errors(&output));
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn no_readable_input_ends_with_3() {
    let folder = tempfile::tempdir().unwrap();
    let prose = write(&folder, "prose.json", "Dear all, please find attached");
    let out = folder.path().join("out");
    for input in [prose, folder.path().join("missing.json")] {
        let output = convert(&input, "yara", &out);
        assert_eq!(code(&output), 3, "{}", errors(&output));
        assert!(errors(&output).contains("[S0"), "{}", errors(&output));
    }
}

#[test]
fn an_empty_feed_is_a_feed_where_that_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let feed = write(&folder, "empty.json", r#"{"type": "bundle", "id": "bundle--1"}"#);
    let out = folder.path().join("out");
    let output = convert(&feed, ALL, &out);
    assert_eq!(code(&output), 5, "{}", errors(&output));
    assert!(errors(&output).contains("no indicator among 0 objects") && !out.join("blocklist").exists());
    let arguments = ["convert", feed.to_str().unwrap(), "-t", ALL, "--allow-empty", "-o", out.to_str().unwrap()];
    let output = stixc(&arguments);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert!(errors(&output).ends_with("indicators 0 → valid 0 → active 0 → guarded 0 → rendered 0\n"));
    assert!(out.join("blocklist/ipv4.txt").exists());
}

#[test]
fn a_truncated_bundle_gives_nothing_or_what_it_holds_and_says_where_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(FEED).unwrap();
    let feed = write(&folder, "cut.json", &whole[..whole.len() / 3]);
    let out = folder.path().join("out");
    let output = convert(&feed, "blocklist", &out);
    assert_eq!(code(&output), 3);
    assert!(errors(&output).contains("S004"), "{}", errors(&output));
    assert!(!out.join("blocklist").exists());
    let arguments = ["convert", feed.to_str().unwrap(), "-t", "blocklist", "--now", NOW, "--keep-going", "-o"];
    let output = stixc(&[&arguments[..], &[out.to_str().unwrap()]].concat());
    assert_eq!(code(&output), 4);
    assert!(errors(&output).contains("S004"), "{}", errors(&output));
    assert!(fs::read_to_string(out.join("blocklist/domains.txt")).unwrap().contains("c2.lantern.example"));
}

#[test]
fn a_bad_object_does_not_sink_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let feed = write(
        &folder,
        "feed.json",
        r#"{"type": "bundle", "objects": [
            {"type": "indicator", "id": "indicator--1", "pattern": 7},
            {"type": "indicator", "id": "indicator--2", "pattern": "[domain-name:value = 'good.example']"}]}"#,
    );
    let out = folder.path().join("out");
    let output = convert(&feed, "blocklist", &out);
    assert_eq!(code(&output), 4);
    assert!(errors(&output).contains("feed.json:2:13 (indicator--1)"), "{}", errors(&output));
    assert_eq!(fs::read_to_string(out.join("blocklist/domains.txt")).unwrap(), "good.example\n");
}

#[test]
fn an_output_that_can_not_be_written_ends_with_2_and_spares_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder, "file", "in the way");
    let output = convert(Path::new(FEED), "blocklist", &file.join("out"));
    assert_eq!(code(&output), 2, "{}", errors(&output));

    // A disk that is full after a few kilobytes.
    let out = folder.path().join("out");
    convert(Path::new(FEED), "sigma,suricata,blocklist", &out);
    let before = files(&out);
    let patterns: String = (0..9999).map(|number| format!("[domain-name:value = 'n{number}.example']\n")).collect();
    let list = write(&folder, "patterns.txt", patterns);
    let script = format!(
        "trap '' XFSZ; ulimit -f 8; exec '{}' convert --patterns '{}' -t blocklist -o '{}'",
        env!("CARGO_BIN_EXE_stixc"),
        list.display(),
        out.display()
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(code(&output), 2, "{}", errors(&output));
    assert_eq!(files(&out), before, "a good list was replaced, or something was left behind");
}

#[test]
fn findings_end_with_1() {
    let convert =
        |pattern: &str, level: &str| code(&stixc(&["convert", "--pattern", pattern, "-t", "yara", "--fail-on", level]));
    let name = "[file:name = 'm.exe']";
    assert_eq!(convert(name, "never"), 0);
    assert_eq!(convert(name, "invalid"), 0);
    assert_eq!(convert(name, "refused"), 1);
    assert_eq!(convert(name, "guarded"), 1);
    assert_eq!(convert("[mutex:name = 'm']", "guarded"), 0);
    assert_eq!(convert("[mutex", "invalid"), 2);
    let hash = "[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4']";
    assert_eq!(convert(hash, "guarded"), 0);
    assert_eq!(code(&stixc(&["check", "--pattern", hash])), 0);
    assert_eq!(code(&stixc(&["check", "--pattern", "[mutex"])), 1);
    assert_eq!(code(&stixc(&["check", "--pattern", "[mutex", "--fail-on", "never"])), 0);
}

#[test]
fn a_blocked_address_is_one_that_the_pattern_names_by_itself() {
    let pattern = "[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443]";
    let list = |more: &[&str]| {
        let mut arguments = vec!["convert", "--pattern", pattern, "-t", "blocklist", "--format", "ipv4"];
        arguments.extend(more);
        text(&stixc(&arguments))
    };
    assert_eq!(list(&[]), "");
    assert_eq!(list(&["--accept", "blocklist=exact,broader"]), "198.51.100.7\n");
}

#[test]
fn the_report_tells_of_every_indicator() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let out = folder.path().join("out");
    let [report_path, out_path] = [&report, &out].map(|path| path.to_str().unwrap());
    stixc(&["convert", FEED, "-t", ALL, "-o", out_path, "--report", report_path, "--now", NOW, "-q"]);
    let report: serde_json::Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    assert_eq!(report["schema"], "stixc-report/1");
    let indicators = report["indicators"].as_array().unwrap();
    assert_eq!(indicators.len(), 69);
    for status in ["active", "expired", "revoked", "invalid", "filtered"] {
        assert!(indicators.iter().any(|one| one["status"] == status), "{status}");
    }
    for indicator in indicators.iter().filter(|one| one["status"] == "active") {
        for target in ["sigma", "suricata", "yara", "blocklist"] {
            let entry = &indicator["targets"][target];
            let verdict = entry["verdict"].as_str().unwrap();
            let (losses, rules) = (entry["losses"].as_array().unwrap(), entry["rules"].as_array().unwrap());
            match verdict {
                "refused" | "n/a" => assert!(!losses.is_empty() && rules.is_empty(), "{indicator:#}"),
                "exact" => assert!(losses.is_empty() && !rules.is_empty(), "{target} {indicator:#}"),
                "guarded" => assert!(!losses.is_empty() && rules.is_empty()),
                "unchecked" => assert!(losses.is_empty() && !rules.is_empty(), "{indicator:#}"),
                _ => assert!(!losses.is_empty() && !rules.is_empty(), "{target} {indicator:#}"),
            }
        }
    }
    let verdicts = &report["summary"]["verdicts"];
    for target in ["sigma", "suricata", "yara", "blocklist"] {
        let counted: u64 = verdicts[target].as_object().unwrap().values().filter_map(|count| count.as_u64()).sum();
        assert_eq!(counted, report["summary"]["active"].as_u64().unwrap(), "{target}");
    }
}

#[test]
fn check_prints_json_and_sarif() {
    let output = stixc(&["check", FEED, "--format", "json"]);
    assert_eq!(code(&output), 1);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["schema"], "stixc-check/1");
    assert_eq!(json["patterns"].as_array().unwrap().len(), 65);
    assert_eq!(json["patterns"][0]["canonical"], "[domain-name:value = 'c2.lantern.example']");
    let output = stixc(&["check", FEED, "--format", "sarif"]);
    let sarif: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(!sarif["runs"][0]["results"].as_array().unwrap().is_empty());
}

#[test]
fn explain_shows_tree_plan_and_verdicts_and_knows_its_codes() {
    let output = stixc(&["explain", "[domain-name:value = 'evil.example']"]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    for part in ["Syntax tree", "Plan", "Canonical", "sigma: exact", "suricata: exact", "yara: n/a", "blocklist: exact"]
    {
        assert!(text(&output).contains(part), "{part} is not in {}", text(&output));
    }
    let output = stixc(&["explain", "[file:size > 5 AND file:size > 9] OR [file:name = 'b'] OR [file:name = 'a']"]);
    let told = text(&output);
    let at = |part: &str| told.find(part).unwrap_or_else(|| panic!("{part} is not in {told}"));
    assert!(at("Steps to the normal form") < at("one pair of brackets\n") && at("sets\n") < at("contradictions\n"));
    assert!(at("contradictions\n") < at("    [file:size > 9 OR file:name IN ('b', 'a')]\n"), "{told}");
    let output = stixc(&["explain", "[file:size > 5 AND file:size < 5]"]);
    assert_eq!(code(&output), 1);
    assert!(errors(&output).contains("T019") && text(&output).contains("Syntax tree"), "{}", errors(&output));
    let table = text(&stixc(&["explain", "codes"]));
    assert_eq!(table.lines().count(), stixc::targets::catalogue().len());
    assert!(table.contains("L001  The target has no place for a property\n"));
    assert!(text(&stixc(&["explain", "l"])).lines().all(|line| line.starts_with('L')));
    assert_eq!(code(&stixc(&["explain", "Q"])), 2);
    for code in stixc::targets::catalogue().keys() {
        let told = text(&stixc(&["explain", code]));
        assert!(told.starts_with(code.as_str()), "{code}");
        let (explained, _) = told.split_once("\n\nExample:\n").unwrap();
        assert!(explained.lines().all(|line| line.chars().count() <= 100), "{explained}");
    }
}

#[test]
fn targets_and_templates_are_listed_and_templates_can_be_replaced() {
    let listed = text(&stixc(&["targets"]));
    for target in ["sigma", "suricata", "yara", "blocklist"] {
        assert!(listed.contains(target), "{listed}");
    }
    assert!(text(&stixc(&["targets", "--matrix"])).contains("| `domain-name:value` |"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    assert_eq!(code(&stixc(&["templates", "export", path])), 0);
    let first = folder.path().join("yara/rules.hbs");
    fs::write(&first, "// mine\n").unwrap();
    let hash = "[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4']";
    let output = stixc(&["convert", "--pattern", hash, "-t", "yara", "--templates", path]);
    assert!(text(&output).contains("// mine"), "{}", text(&output));
    fs::write(&first, "{{#if").unwrap();
    assert_eq!(code(&stixc(&["convert", "--pattern", hash, "-t", "yara", "--templates", path])), 2);
}

#[test]
fn the_help_of_a_command_tells_more_than_its_line_in_the_list() {
    let list = text(&stixc(&["--help"]));
    let told = [
        ("convert", "refused, guarded, or n/a"),
        ("diff", "provenance = true"),
        ("why", "hxxp://"),
        ("fmt", "ends with code 1"),
    ];
    for (command, words) in told {
        let help = text(&stixc(&[command, "--help"])).replace('\n', " ");
        assert!(help.contains(words), "{help}");
        assert!(list.contains(&format!("  {command} ")) && !list.contains(words), "{list}");
    }
}

#[test]
fn help_and_version_are_data() {
    for arguments in [&["--help"][..], &["--version"], &["convert", "--help"]] {
        let output = stixc(arguments);
        assert_eq!(code(&output), 0);
        assert!(!output.stdout.is_empty());
    }
}

#[test]
fn objects_that_can_not_be_read_are_reported_once() {
    let folder = tempfile::tempdir().unwrap();
    let feed = write(
        &folder,
        "feed.json",
        r#"{"type": "bundle", "objects": [
            {"type": "malware", "name": "no id"},
            {"type": "identity", "id": "identity--1", "name": nonsense},
            {"type": "indicator", "id": "indicator--1", "pattern": 7},
            {"type": "indicator", "id": "indicator--2", "pattern": "[domain-name:value = 'good.example']"}]}"#,
    );
    let (out, report) = (folder.path().join("out"), folder.path().join("report.json"));
    let [feed, out, report_path] = [&feed, &out, &report].map(|path| path.to_str().unwrap());
    let output =
        stixc(&["convert", feed, "-t", "sigma", "-o", out, "--report", report_path, "--now", NOW, "--keep-going"]);
    assert_eq!(code(&output), 4);
    let said = errors(&output);
    for (line, code) in
        [("feed.json:2:", "S007"), ("feed.json:3:64 (identity--1)", "S006"), ("feed.json:4:13 (indicator--1)", "S008")]
    {
        assert_eq!(said.matches(line).count(), 1, "{line} in {said}");
        assert_eq!(said.matches(code).count(), 1, "{code} in {said}");
    }
    let report: serde_json::Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    assert_eq!(report["diagnostics"].as_array().unwrap().len(), 3);
}

#[test]
fn a_host_as_a_url_is_told_once() {
    let codes = |pattern: &str| {
        let output = stixc(&["check", "--format", "json", "--pattern", pattern]);
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = json["patterns"][0]["diagnostics"].as_array().unwrap().clone();
        found.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes("[url:value = 'plain.example']"), ["W050"]);
    assert_eq!(codes("[url:value IN ('plain.example', 'other.example')]"), ["W050", "W050"]);
    assert_eq!(codes("[url:value != 'plain.example']"), ["W109"]);
    assert_eq!(codes("[url:value = 'plain.example/a']"), ["W109"]);
}
