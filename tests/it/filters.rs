//! What is left out, by `stixc convert` as by `stixc build`, and why.

use crate::support::project::Project;

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
fn what_is_not_yet_valid_is_told_and_comes_when_it_is_due() {
    let project = project();
    project.write(
        "stixc.toml",
        "report = 'report.json'\n[[feed]]\nname = 'a'\nkind = 'files'\npaths = ['intel']\n[[target]]\nkind = 'blocklist'\n",
    );
    assert_eq!(project.build(&[]).status.code(), Some(0));
    let report: Value = serde_json::from_str(&project.read("report.json")).unwrap();
    let soon = report["indicators"].as_array().unwrap().iter().find(|one| one["status"] == "pending").unwrap();
    assert!(soon["pattern"].as_str().unwrap().contains("soon"), "{soon}");
    assert_eq!(soon["diagnostics"][0]["code"], "S114", "{soon}");
    assert!(soon["diagnostics"][0]["message"].as_str().unwrap().contains("2027-01-01"), "{soon}");
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
