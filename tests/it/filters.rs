//! What is left out, by `stixc convert` as by `stixc build`, and why.

use std::path::PathBuf;

use crate::support::{program::files, project::Project};

use serde_json::{Value, json};

/// Indicators for domain names of their own, one for each name, with these properties.
fn feed(indicators: &[(&str, Value)]) -> String {
    let indicator = |(number, (name, more)): (usize, &(&str, Value))| {
        let mut object = json!({
            "type": "indicator", "id": format!("indicator--00000000-0000-4000-8000-{number:012}"), "pattern_type": "stix",
            "pattern": format!("[domain-name:value = '{name}.example']"), "valid_from": "2025-01-01T00:00:00Z",
        });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let mut objects: Vec<Value> = indicators.iter().enumerate().map(indicator).collect();
    objects.push(json!({
        "type": "marking-definition", "id": "marking-definition--826578e1-40ad-459f-bc73-ede076f81f37",
        "definition_type": "statement", "definition": {"statement": "TLP:AMBER+STRICT"}, "created": "2020-01-01T00:00:00Z",
    }));
    json!({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": objects}).to_string()
}

fn project() -> Project {
    let project = Project::new("");
    let marked = |id: &str| json!({"object_marking_refs": [format!("marking-definition--{id}")]});
    let text = feed(&[
        ("plain", json!({})),
        ("unsure", json!({"confidence": 20})),
        ("red", marked("5e57c739-391a-4eb3-b6be-7d15ca92d5ed")),
        ("red2", marked("e828b379-4e03-4974-9ac4-e53a884c97c1")),
        ("strict", marked("826578e1-40ad-459f-bc73-ede076f81f37")),
        ("old", json!({"valid_from": "2020-01-01T00:00:00Z"})),
        ("odd", json!({"labels": ["anomalous-activity"]})),
        ("low", json!({"x_opencti_score": 10})),
        ("quiet", json!({"x_opencti_detection": false})),
        ("loud", json!({"x_opencti_detection": true, "x_opencti_score": 90, "confidence": 90})),
        ("soon", json!({"valid_from": "2027-01-01T00:00:00Z"})),
    ]);
    project.write("intel/feed.json", text);
    project
}

/// The names that are left out, without the top-level domain.
fn left_out(list: &str) -> Vec<&'static str> {
    let names = ["plain", "unsure", "red", "red2", "strict", "old", "odd", "low", "quiet", "loud", "soon"];
    names.into_iter().filter(|name| !list.lines().any(|line| line == format!("{name}.example"))).collect()
}

/// Each filter: the arguments of `convert`, the keys of stixc.toml, and what is left out.
const FILTERS: &[(&[&str], &str, &[&str])] = &[
    (&[], "", &["soon"]),
    (&["--min-confidence", "50"], "min_confidence = 50", &["unsure", "soon"]),
    (&["--max-tlp", "amber"], "max_tlp = 'amber'", &["red", "red2", "strict", "soon"]),
    (&["--max-tlp", "amber+strict"], "max_tlp = 'amber+strict'", &["red", "red2", "soon"]),
    (&["--without-types", "anomalous-activity"], "without_types = ['anomalous-activity']", &["odd", "soon"]),
    (&["--max-age", "1000d"], "max_age = '1000d'", &["old", "soon"]),
    (&["--min-score", "50"], "min_score = 50", &["low", "soon"]),
    (&["--detection-only"], "detection_only = true", &["quiet", "soon"]),
];

#[test]
fn convert_filters_as_build_does() {
    let project = project();
    for (number, (arguments, keys, expected)) in FILTERS.iter().enumerate() {
        let out = format!("converted{number}");
        let fixed = ["convert", "intel", "-t", "blocklist", "-o", &out, "--now", "2026-06-01T00:00:00Z"];
        let output = project.stixc(&[&fixed, *arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(left_out(&project.read(&format!("{out}/blocklist/domains.txt"))), *expected, "{arguments:?}");

        let config = format!(
            "output = 'built{number}'\n[[feed]]\nname = 'a'\nkind = 'files'\npaths = ['intel']\n[filter]\n{keys}\n[[target]]\nkind = 'blocklist'\n"
        );
        project.write("stixc.toml", config);
        let output = project.build(&[]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(left_out(&project.read(&format!("built{number}/blocklist/domains.txt"))), *expected, "{keys}");
    }
}

#[test]
fn what_a_filter_leaves_out_is_a_level_to_fail_on() {
    let project = project();
    let run = |arguments: &[&str]| {
        let fixed =
            ["convert", "intel", "-t", "blocklist,sigma", "-o", "out", "--now", "2026-06-01T00:00:00Z", "--force"];
        project.stixc(&[&fixed, ["--allow-shrink"].as_slice(), arguments].concat()).status.code()
    };
    assert_eq!(run(&["--fail-on", "filtered"]), Some(0));
    assert_eq!(run(&["--fail-on", "filtered", "--min-score", "50"]), Some(1));
    assert_eq!(run(&["--fail-on", "broader", "--min-score", "50"]), Some(0));
    let checked = project.stixc(&["check", "intel", "-t", "sigma", "--fail-on", "filtered"]);
    assert_eq!(checked.status.code(), Some(2), "nothing is filtered there");
}

#[test]
fn what_is_not_yet_valid_is_told_and_comes_when_it_is_due() {
    let project = project();
    project.write(
        "stixc.toml",
        "report = 'report.json'\n[[feed]]\nname = 'a'\nkind = 'files'\npaths = ['intel']\n[[target]]\nkind = 'blocklist'\n",
    );
    let output = project.build(&[]);
    assert_eq!(output.status.code(), Some(0));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("rendered 10; not yet valid 1, from 2027-01-01T00:00:00Z on\n"), "{told}");
    let report: Value = serde_json::from_str(&project.read("report.json")).unwrap();
    let soon = report["indicators"].as_array().unwrap().iter().find(|one| one["status"] == "pending").unwrap();
    assert!(soon["pattern"].as_str().unwrap().contains("soon"), "{soon}");
    assert_eq!(soon["diagnostics"][0]["code"], "S114", "{soon}");
    assert!(soon["diagnostics"][0]["message"].as_str().unwrap().contains("2027-01-01"), "{soon}");
    let summary = &report["summary"];
    assert_eq!((&summary["pending"], &summary["next_valid"]), (&json!(1), &json!("2027-01-01T00:00:00Z")));
    assert!(!project.read("out/blocklist/domains.txt").contains("soon"));
    let later = project.command(&["build", "--now", "2027-01-01T00:00:00Z"]).output().unwrap();
    assert_eq!(later.status.code(), Some(0), "{}", String::from_utf8_lossy(&later.stderr));
    assert!(project.read("out/blocklist/domains.txt").contains("soon.example\n"));
}

#[test]
fn bad_values_are_errors_of_usage() {
    let project = project();
    for arguments in [
        ["--min-confidence", "101"],
        ["--min-score", "-1"],
        ["--max-tlp", "blue"],
        ["--max-age", "soon"],
        ["--max-age", "0d"],
    ] {
        let fixed = ["convert", "intel", "-t", "blocklist", "-o", "out"];
        let output = project.stixc(&[&fixed, &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    project.write(
        "stixc.toml",
        "[[feed]]\nname = 'a'\nkind = 'files'\npaths = ['intel']\n[filter]\nmin_score = 101\n[[target]]\nkind = 'yara'\n",
    );
    let output = project.build(&[]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && told.contains("a score goes from 0 to 100"), "{told}");
}

const CONVERT: [&str; 5] = ["convert", "intel", "--now", "2026-06-01T00:00:00Z", "-o"];

/// Two indicators of each pattern, of which some filter leaves out the one that was made first.
fn pairs() -> Project {
    let project = Project::new("");
    let first = |more: Value| {
        let mut object = json!({"created": "2024-01-01T00:00:00Z", "name": "The first"});
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let red = json!({"object_marking_refs": ["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]});
    let second = || json!({"created": "2025-02-01T00:00:00Z", "name": "The second", "confidence": 70});
    let text = feed(&[
        ("unsure", first(json!({"confidence": 20}))),
        ("red", first(red)),
        ("odd", first(json!({"labels": ["anomalous-activity"]}))),
        ("old", first(json!({"valid_from": "2020-01-01T00:00:00Z"}))),
        ("low", first(json!({"x_opencti_score": 10}))),
        ("quiet", first(json!({"x_opencti_detection": false}))),
        ("alone", first(json!({"confidence": 20, "x_opencti_score": 10}))),
        ("unsure", second()),
        ("red", second()),
        ("odd", second()),
        ("old", second()),
        ("low", second()),
        ("quiet", second()),
    ]);
    project.write("intel/feed.json", text);
    project
}

/// The arguments of a filter for one target instead of all.
fn for_target(arguments: &[&str], target: &str) -> Vec<String> {
    match arguments {
        [flag, value] => vec![(*flag).to_owned(), format!("{target}:{value}")],
        [flag] => vec![format!("{flag}={target}")],
        _ => Vec::new(),
    }
}

fn below(project: &Project, folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    files(&project.path(folder))
}

fn succeeds(project: &Project, arguments: &[&str]) -> String {
    let output = project.stixc(arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
    told
}

#[test]
fn a_filter_of_one_target_gives_it_the_files_of_that_filter_and_leaves_the_others_theirs() {
    let project = pairs();
    let targets = ["-t", "sigma,suricata,blocklist"];
    succeeds(&project, &[&CONVERT[..], &["plain"], &targets].concat());
    for (number, (arguments, keys, _)) in FILTERS.iter().enumerate().skip(1) {
        let names = ["of_all", "of_one", "built"].map(|name| format!("{name}{number}"));
        let [of_all, of_one, built] = names.each_ref().map(String::as_str);
        succeeds(&project, &[&CONVERT[..], &[of_all], &targets, arguments].concat());
        let own = for_target(arguments, "suricata");
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        succeeds(&project, &[&CONVERT[..], &[of_one], &targets, &own].concat());
        let config = format!(
            "output = '{built}'\n[[feed]]\nname = 'a'\nkind = 'files'\npaths = ['intel']\n[[target]]\nkind = 'sigma'\n\
             [[target]]\nkind = 'suricata'\nfilter = {{ {keys} }}\n[[target]]\nkind = 'blocklist'\n"
        );
        project.write("stixc.toml", config);
        succeeds(&project, &["build", "--now", "2026-06-01T00:00:00Z"]);
        for folder in [of_one, built] {
            let same = |target: &str, other: &str| {
                let pair = [folder, other].map(|folder| below(&project, &format!("{folder}/{target}")));
                assert!(pair[0] == pair[1], "{arguments:?}: {folder}/{target} is not {other}/{target}");
            };
            same("suricata", of_all);
            same("sigma", "plain");
            same("blocklist", "plain");
        }
        let pair = [of_all, "plain"].map(|folder| below(&project, &format!("{folder}/suricata")));
        assert!(pair[0] != pair[1], "{arguments:?} leave nothing out");
    }
}

#[test]
fn what_one_target_leaves_out_is_told_and_counted_apart() {
    let project = pairs();
    let filter = ["--min-confidence", "suricata:80", "--min-confidence", "10"];
    let kept = ["--provenance", "--report", "report.json", "--fail-on", "guarded", "--witness", "witness"];
    let both = ["-t", "suricata,blocklist"];
    let told = succeeds(&project, &[&CONVERT[..], &["out"], &both, &filter, &kept].concat());
    assert!(told.contains("  filtered\n") && told.contains("active 13 → guarded 0 → rendered 13\n"), "{told}");
    let report: Value = serde_json::from_str(&project.read("report.json")).unwrap();
    // Those that say nothing pass: of 13, eight say 20 or 70.
    let numbers = &report["summary"]["verdicts"]["suricata"];
    assert_eq!((&numbers["exact"], &numbers["filtered"]), (&json!(5), &json!(8)), "{numbers}");
    assert_eq!(report["summary"]["verdicts"]["blocklist"]["exact"], 13);
    for one in report["indicators"].as_array().unwrap() {
        let [suricata, blocklist] = ["suricata", "blocklist"].map(|name| &one["targets"][name]);
        let has_said = one["name"] == "The second" || one["pattern"].as_str().unwrap().contains("alone");
        let is_out = has_said || one["pattern"].as_str().unwrap().contains("unsure");
        assert_eq!(suricata["verdict"], if is_out { "filtered" } else { "exact" }, "{one}");
        assert_eq!(suricata["rules"].as_array().unwrap().is_empty(), is_out, "{one}");
        assert_eq!(blocklist["verdict"], "exact", "{one}");
        if is_out {
            assert_eq!(suricata["losses"][0]["code"], "S110", "{one}");
        }
    }
    let rules = project.read("out/suricata/stixc.rules");
    assert!(
        !rules.contains("unsure.example") && rules.contains("red.example") && !rules.contains("stix_confidence"),
        "{rules}"
    );
    let shown: Value = serde_json::from_str(&project.read("witness/witness.json")).unwrap();
    let count = |target: &str| shown["targets"][target].as_array().unwrap().len();
    assert_eq!((count("suricata"), count("blocklist")), (5, 7));

    // `why` says the same: of the one that is alone, and of the second of a pair, which stands behind no rule.
    for (id, code) in
        [("indicator--00000000-0000-4000-8000-000000000006", 0), ("indicator--00000000-0000-4000-8000-000000000008", 0)]
    {
        let output = project.stixc(&["why", id, "out"]);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains("suricata filtered\n        S110 the confidence "), "{told}");
        assert!(told.contains("none in suricata: filtered (S110 the confidence "), "{told}");
        assert!(!told.contains("\nsuricata: "), "{told}");
    }
    let output = project.stixc(&["why", "red.example", "out", "--format", "json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let place = told["places"].as_array().unwrap().iter().find(|place| place["target"] == "suricata").unwrap();
    assert_eq!(place["indicators"], json!(["indicator--00000000-0000-4000-8000-000000000001"]), "{place}");

    succeeds(&project, &[&CONVERT[..], &["before"], &both, &["--provenance"]].concat());
    let output = project.stixc(&["diff", "before", "out", "--format", "json"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("\"filtered\"") && told.contains("the confidence 20 is below 80"), "{told}");
}

#[test]
fn an_indicator_that_no_target_wants_has_no_rule_and_is_in_no_gate() {
    let project = Project::new("");
    let with = |more: &[(&str, &str)]| {
        let mut object = json!({"confidence": 20});
        more.iter().for_each(|(key, value)| object[*key] = json!(value));
        object
    };
    let native = "alert dns any any -> any any (msg:\"n\"; dns.query; content:\"native.example\"; sid:1;)";
    project.write(
        "intel/feed.json",
        feed(&[
            ("resolver", with(&[("pattern", "[ipv4-addr:value = '8.8.8.8']")])),
            ("native", with(&[("pattern_type", "suricata"), ("pattern", native)])),
            ("other", with(&[("pattern", "[mutex:name = 'zq']")])),
            ("old", with(&[("valid_from", "2020-01-01T00:00:00Z")])),
        ]),
    );
    let fixed = ["-t", "suricata", "--check-native", "no", "--fail-on", "guarded", "--report", "report.json"];
    let plain = project.stixc(&[&CONVERT[..], &["plain"], &fixed].concat());
    assert_eq!(plain.status.code(), Some(1), "{}", String::from_utf8_lossy(&plain.stderr));
    let filter = ["--min-confidence", "suricata:80", "--max-age", "suricata:9d"];
    let told = succeeds(&project, &[&CONVERT[..], &["out"], &fixed, &filter].concat());
    assert!(told.contains("active 4 → guarded 0 → rendered 0\n") && !told.contains("ready-made"), "{told}");
    let report: Value = serde_json::from_str(&project.read("report.json")).unwrap();
    assert_eq!(report["summary"]["verdicts"]["suricata"]["filtered"], 4);
    let told = succeeds(
        &project,
        &[&CONVERT[..], &["aged"], &fixed[..4], &["--report", "report.json"], &filter[2..]].concat(),
    );
    assert!(told.contains("filtered\n"), "{told}");
    let report: Value = serde_json::from_str(&project.read("report.json")).unwrap();
    let losses: Vec<&Value> = report["indicators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["targets"]["suricata"]["losses"][0]["code"])
        .collect();
    assert_eq!(losses, ["S111"; 4]);
}

#[test]
fn the_newest_version_decides_what_a_target_leaves_out() {
    let version = |day: u8, confidence: u8| {
        let id = "indicator--00000000-0000-4000-8000-000000000099";
        ("one", json!({"id": id, "modified": format!("2025-01-{day:02}T00:00:00Z"), "confidence": confidence}))
    };
    let (unsure, sure, unsure_again) = (version(1, 20), version(2, 90), version(3, 20));
    for (number, (versions, is_there)) in [
        (vec![unsure.clone(), sure.clone()], true),
        (vec![sure.clone(), unsure.clone()], true),
        (vec![sure.clone(), unsure_again.clone()], false),
        (vec![unsure_again, sure, unsure], false),
    ]
    .into_iter()
    .enumerate()
    {
        let project = Project::new("");
        project.write("intel/feed.json", feed(&versions));
        let filter = ["-t", "suricata,blocklist", "--min-confidence", "suricata:80"];
        succeeds(&project, &[&CONVERT[..], &["out"], &filter].concat());
        let rules = project.path("out/suricata/stixc.rules");
        let has_rule = rules.exists() && project.read("out/suricata/stixc.rules").contains("one.example");
        assert_eq!(has_rule, is_there, "{number}");
        assert_eq!(project.read("out/blocklist/domains.txt"), "one.example\n", "{number}");
    }
}

#[test]
fn a_filter_of_a_target_that_is_none_is_an_error_of_usage() {
    let project = pairs();
    for arguments in [
        &["--min-confidence", "suricta:80"][..],
        &["--min-confidence", "suricata:101"],
        &["--min-score", "firewall:5"],
        &["--max-tlp", ":amber"],
        &["--max-age", "suricta:5d"],
        &["--types", "suricta:anomalous-activity"],
        &["--without-types", "sigam:anomalous-activity"],
        &["--detection-only=suricta"],
        &["--detection-only=suricata,firewall"],
    ] {
        let output = project.stixc(&[&CONVERT[..], &["out", "-t", "suricata"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!project.path("out").exists(), "{arguments:?}");
    }
    // Labels have colons, too.
    succeeds(&project, &[&CONVERT[..], &["out", "-t", "suricata", "--without-types", "tlp:red"]].concat());
    let feed = "[[feed]]\nname = 'a'\nkind = 'files'\npaths = ['intel']\n";
    for (target, message) in [
        ("kind = 'suricta'\nfilter = { min_confidence = 80 }", "did you mean suricata?"),
        ("kind = 'suricata'\nfilter = { min_confidence = 101 }", "confidence goes from 0 to 100"),
        ("kind = 'suricata'\nfilter = { max_tlp = 'blue' }", "no level of the Traffic Light Protocol: blue"),
        ("kind = 'suricata'\nfilter = { min_confidenc = 80 }", "did you mean `min_confidence`?"),
    ] {
        project.write("stixc.toml", format!("{feed}[[target]]\n{target}\n"));
        let output = project.build(&[]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && told.contains(message), "{target}: {told}");
    }
}
