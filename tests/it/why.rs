//! `stixc why`: where a rule comes from, or why there is none.

use crate::support::feeds;
use crate::support::program;

use std::{fs, process::Command};

use feeds::{Outputs, id, indicator};
use program::{code, errors, stixc, text};
use serde_json::{Value, json};

const MD5: &str = "79a22a4732385117043b61b4289abf4b";

fn feed() -> Vec<Value> {
    let with = |mut indicator: Value, key: &str, value: Value| {
        indicator[key] = value;
        indicator
    };
    vec![
        indicator(1, "[domain-name:value = 'evil.example']"),
        indicator(2, "[ipv4-addr:value = '198.51.100.7']"),
        indicator(3, "[ipv4-addr:value ISSUBSET '198.51.100.0/24']"),
        indicator(4, "[url:value = 'http://files.example/a b.exe']"),
        indicator(5, &format!("[file:hashes.MD5 = '{MD5}']")),
        with(indicator(6, "[domain-name:value = 'ended.example']"), "valid_until", json!("2024-02-01T00:00:00Z")),
        with(indicator(7, "[domain-name:value = 'back.example']"), "revoked", json!(true)),
        indicator(8, "[ipv4-addr:value = '10.0.0.1']"),
        indicator(9, "[mutex:name = 'Global-Lock']"),
        indicator(10, "[domain-name:value = 'evil.example' AND domain-name:resolves_to_refs[*].value = '203.0.113.9']"),
        with(indicator(11, "[domain-name:value = 'open.example"), "name", json!("A \u{1b}[31m name")),
    ]
}

fn outputs(arguments: &[&str]) -> Outputs {
    let outputs = Outputs::default();
    outputs.convert("out", &feed(), arguments);
    outputs
}

/// The answer, its places as `target list id` and its indicators.
fn why(outputs: &Outputs, question: &str) -> (i32, Vec<String>, Vec<String>) {
    let output = stixc(&["why", "--format", "json", question, &outputs.path("out")]);
    let answer: Value = serde_json::from_str(&text(&output)).unwrap_or_else(|_| panic!("{}", errors(&output)));
    assert_eq!(answer["schema"], "stixc-why/1");
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = |key: &str| answer[key].as_array().unwrap().clone();
    let places = all("places").into_iter().map(|place| {
        let (file, line) = (word(&place["file"]), place["line"].as_u64().unwrap());
        let content = fs::read_to_string(format!("{}/{file}", outputs.path("out"))).unwrap();
        let shown = content.lines().nth(usize::try_from(line).unwrap() - 1).unwrap_or_default();
        let found = word(&place["id"]);
        assert!(place["target"] == "sigma" || shown.contains(&found), "{file}:{line} does not show {found}: {shown}");
        format!(
            "{} {}",
            word(&place["target"]),
            if place["list"].is_null() { found } else { word(&place["list"]) + " " + &found }
        )
    });
    (code(&output), places.collect(), all("origins").iter().map(|origin| word(&origin["id"])).collect())
}

#[test]
fn a_value_is_found_in_any_spelling() {
    let outputs = outputs(&["--provenance"]);
    let (_, places, origins) = why(&outputs, "evil.example");
    assert!(places.contains(&"blocklist domain evil.example".to_owned()), "{places:?}");
    assert!(places.iter().any(|place| place.starts_with("suricata ")));
    assert_eq!(origins, [id(1), id(10)]);
    for spelling in ["EVIL.example", "evil[.]example", "evil.example.", " evil(.)example "] {
        assert_eq!(why(&outputs, spelling), (0, places.clone(), origins.clone()), "{spelling}");
    }
    for spelling in ["http://files.example/a%20b.exe", "hxxp://FILES[.]example:80/a b.exe"] {
        let (found, places, origins) = why(&outputs, spelling);
        assert_eq!((found, origins), (0, vec![id(4)]), "{spelling}");
        assert!(places.contains(&"blocklist url http://files.example/a%20b.exe".to_owned()), "{places:?}");
    }
    assert_eq!(why(&outputs, "files.example").2, [id(4)]);
    assert_eq!(why(&outputs, &MD5.to_uppercase()).2, [id(5)]);
}

#[test]
fn a_url_is_found_by_its_host() {
    let outputs = outputs(&["--provenance"]);
    let (found, places, origins) = why(&outputs, "hxxp://evil[.]example/gate.php");
    assert_eq!((found, origins), (0, vec![id(1), id(10)]));
    assert!(places.contains(&"blocklist domain evil.example".to_owned()), "{places:?}");
    assert_eq!(why(&outputs, "http://198.51.100.200/").2, [id(3)]);
    let output = stixc(&["why", "http://evil.example/gate.php", &outputs.path("out")]);
    assert!(text(&output).contains("(entry that is its host, or is around it)"), "{}", text(&output));
    assert_eq!(why(&outputs, "http://nowhere.example/").0, 1);
}

#[test]
fn an_indicator_that_names_another_one_is_no_source_of_its_rules() {
    let named = json!({"name": format!("like {}", id(1)), "description": format!("stix_id {}", id(1))});
    let mut second = indicator(2, "[domain-name:value = 'two.example']");
    second.as_object_mut().unwrap().extend(named.as_object().unwrap().clone());
    for arguments in [&["--provenance"][..], &[]] {
        let outputs = Outputs::default();
        outputs.convert("out", &[indicator(1, "[domain-name:value = 'one.example']"), second.clone()], arguments);
        let output = stixc(&["why", "--format", "json", &id(1), &outputs.path("out")]);
        let answer: Value = serde_json::from_str(&text(&output)).unwrap();
        let places = answer["places"].as_array().unwrap();
        assert!(places.len() >= 3, "{answer}");
        assert!(places.iter().all(|place| place["indicators"] == json!([id(1)])), "{answer}");
    }
}

#[test]
fn a_rule_of_many_indicators_shows_some_of_them() {
    let outputs = Outputs::default();
    let many: Vec<Value> =
        (1..=150).map(|number| indicator(number, &format!("[file:hashes.MD5 = '{number:032}']"))).collect();
    outputs.convert("out", &many, &["--provenance"]);
    let rules = fs::read_to_string(outputs.path("out/suricata/stixc.rules")).unwrap();
    let sid = rules.rsplit_once("sid:").unwrap().1.split(';').next().unwrap().to_owned();
    let told = text(&stixc(&["why", &sid, &outputs.path("out")]));
    assert!(told.ends_with("and 50 more indicators: --format json has them all\n"), "{told}");
    assert_eq!(why(&outputs, &sid).2.len(), 150);
    // Many digits are a hash, and no number of a rule.
    assert_eq!(why(&outputs, &format!("{:032}", 7)).2, [id(7)]);
}

#[test]
fn an_address_is_found_in_the_prefix_around_it() {
    let outputs = outputs(&["--provenance"]);
    let (found, places, origins) = why(&outputs, "198.51.100.200");
    assert_eq!((found, origins), (0, vec![id(3)]));
    assert!(places.contains(&"blocklist ipv4 198.51.100.0/24".to_owned()), "{places:?}");
    assert_eq!(why(&outputs, "198.51.100.7").2, [id(2), id(3)]);
    let output = stixc(&["why", "198.51.100.200", &outputs.path("out")]);
    assert!(text(&output).contains("(entry around it)"), "{}", text(&output));
}

#[test]
fn a_rule_and_an_indicator_are_found_by_their_ids() {
    let outputs = outputs(&["--provenance"]);
    let (_, places, _) = why(&outputs, &id(5));
    let of = |target: &str| {
        let place = places.iter().find(|place| place.starts_with(target)).unwrap_or_else(|| panic!("{target}"));
        place.rsplit(' ').next().unwrap().to_owned()
    };
    for rule in [of("sigma"), of("yara")] {
        let (found, alone, origins) = why(&outputs, &rule);
        assert_eq!((found, alone.len(), origins), (0, 1, vec![id(5)]), "{rule}");
    }
    assert!(places.iter().any(|place| place.starts_with("blocklist md5")), "{places:?}");
    let sid =
        why(&outputs, &id(1)).1.iter().find_map(|place| Some(place.strip_prefix("suricata ")?.to_owned())).unwrap();
    assert_eq!(why(&outputs, &sid), (0, vec![format!("suricata {sid}")], vec![id(1)]));
}

#[test]
fn a_ready_made_rule_is_found_by_its_own_name() {
    let native = |number, language: &str, rule: &str| {
        let mut native = indicator(number, rule);
        native["pattern_type"] = json!(language);
        native
    };
    let sigma = "title: Own\nid: \"6f1b2c3d-1111-4222-8333-444455556666\"\nlogsource:\n  category: dns\ndetection:\n  \
                 s:\n    query: own.example\n  condition: s\n";
    let suricata = r#"alert dns any any -> any any (msg:"own"; dns.query; content:"own.example"; sid:2900001; rev:3;)"#;
    let yara = "rule own_name { strings: $a = \"own.example\" condition: $a }";
    let outputs = Outputs::default();
    let feed = [native(1, "sigma", sigma), native(2, "suricata", suricata), native(3, "yara", yara)];
    outputs.convert("out", &feed, &["--provenance"]);
    // Numbers and names are made, so that no two rules share one.
    let word = |file: &str, before: &str, end: char| {
        let text = std::fs::read_to_string(format!("{}/{file}", outputs.path("out"))).unwrap();
        text.split_once(before).unwrap().1.split(end).next().unwrap().to_owned()
    };
    let sid = word("suricata/native.rules", " sid:", ';');
    let name = word("yara/native.yar", "rule ", ' ');
    assert!(sid != "2900001" && name.starts_with("own_name_"), "{sid} {name}");
    let asked = ["6f1b2c3d-1111-4222-8333-444455556666", &sid, &name];
    for (number, (question, target)) in (1..).zip(asked.into_iter().zip(["sigma", "suricata", "yara"])) {
        assert_eq!(why(&outputs, question), (0, vec![format!("{target} {question}")], vec![id(number)]));
    }
}

#[test]
fn why_there_is_none() {
    let outputs = outputs(&["--provenance"]);
    let told = |question: &str| {
        let output = stixc(&["why", question, &outputs.path("out")]);
        assert_eq!(code(&output), 1, "{question}: {}", text(&output));
        assert!(text(&output).starts_with("no rule and no entry"), "{}", text(&output));
        text(&output)
    };
    let cases = [
        ("ended.example", "expired at 2024-02-01T00:00:00Z"),
        ("back.example", "revoked at 2024-01-01T00:00:00Z"),
        ("10.0.0.1", "G001"),
        ("Global-Lock", "n/a"),
        (&id(11), "P009"),
        ("nowhere.example", "no indicator names it: 11 indicators of 1 feed looked at"),
        ("1999999", "no indicator names it"),
    ];
    for (question, reason) in cases {
        assert!(told(question).contains(reason), "{question}: {}", told(question));
    }
    assert!(!told(&id(11)).contains('\u{1b}'));
    assert!(told("Global-Lock").contains("L0"), "{}", told("Global-Lock"));
}

#[test]
fn the_first_line_gives_the_reason() {
    let with = |number, pattern: &str, more: Value| {
        let mut made = indicator(number, pattern);
        made.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        made
    };
    // A spelling that is mended, which is said first and decides nothing.
    let odd = |name: &str| format!("[domain-name:value == '{name}']");
    let feed = [
        indicator(1, "[ipv4-addr:value = '10.0.0.1']"),
        indicator(2, "[ipv4-addr:value = '10.0.0.2' OR ipv4-addr:value = '198.51.100.2']"),
        with(3, &odd("ended.example"), json!({"valid_until": "2024-02-01T00:00:00Z"})),
        with(4, &odd("later.example"), json!({"valid_from": "2031-01-01T00:00:00Z"})),
        with(5, &odd("back.example"), json!({"revoked": true})),
        with(6, &odd("weak.example"), json!({"confidence": 5})),
        with(7, &odd("good.example"), json!({"indicator_types": ["benign"]})),
        indicator(8, "[domain-name:value = 'both.example' AND network-traffic:dst_port = 9]"),
        with(9, &odd("only.example"), json!({"confidence": 50})),
    ];
    let outputs = Outputs::default();
    let input = outputs.path("feed.jsonl");
    std::fs::write(&input, feed.map(|indicator| indicator.to_string()).join("\n")).unwrap();
    let arguments = ["convert", &input, "-t", "blocklist", "-o", &outputs.path("out"), "--provenance"];
    let filters = ["--now", "2024-06-01T00:00:00Z", "--min-confidence", "10", "--min-confidence", "blocklist:80"];
    assert_eq!(code(&stixc(&[&arguments[..], &filters].concat())), 0);
    for (question, reason) in [
        ("10.0.0.1", "guarded (G001 "),
        ("10.0.0.2", "guarded (G001 "),
        ("ended.example", "expired (S"),
        ("later.example", "pending (S"),
        ("back.example", "revoked (S"),
        ("weak.example", "filtered (S"),
        ("good.example", "filtered (S"),
        ("only.example", "filtered (S"),
        ("both.example", "refused (L"),
        ("nowhere.example", ""),
    ] {
        let output = stixc(&["why", question, &outputs.path("out")]);
        let printed = text(&output);
        let first = printed.lines().next().unwrap();
        assert_eq!(code(&output), 1, "{printed}");
        let begins = ["no rule and no entry: ", question, if reason.is_empty() { "" } else { ": " }, reason].concat();
        assert!(first.starts_with(&begins), "{first}");
        assert_eq!(first.contains(question) && first.contains('('), !reason.is_empty(), "{first}");
    }
    let found = stixc(&["why", "198.51.100.2", &outputs.path("out")]);
    assert!(code(&found) == 0 && text(&found).starts_with("blocklist: "), "{}", text(&found));
}

#[test]
fn a_file_of_values_is_answered_a_line_each() {
    let outputs = Outputs::default();
    let feed = [indicator(1, "[domain-name:value = 'one.example']"), indicator(2, "[ipv4-addr:value = '10.0.0.1']")];
    outputs.convert("out", &feed, &["--provenance"]);
    let ask = |text: &str, more: &[&str]| {
        let file = outputs.path("values.txt");
        fs::write(&file, text).unwrap();
        let output = stixc(&[&["why", "--values", &file, &outputs.path("out")], more].concat());
        (code(&output), self::text(&output))
    };
    let (exit, told) = ask("\u{feff}one.example\r\n\n# a comment\n hxxp://one[.]example/a \n", &[]);
    assert_eq!((exit, told.lines().count()), (0, 2), "{told}");
    assert!(told.lines().all(|line| line.contains(": blocklist: domain one.example")), "{told}");
    let (exit, told) = ask("10.0.0.1\none.example\nnowhere.example\n", &[]);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!((exit, lines.len()), (1, 3), "{told}");
    assert!(lines[0].starts_with("10.0.0.1: none: guarded (G001 "), "{told}");
    assert_eq!(lines[2], "nowhere.example: none: no indicator names it");
    let (_, told) = ask("10.0.0.1\none.example\n", &["--format", "json"]);
    let all: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(all.iter().map(|one| one["question"].clone()).collect::<Vec<_>>(), ["10.0.0.1", "one.example"]);
    assert_eq!(ask("\n# none\n", &[]).0, 2);
    assert_eq!(code(&stixc(&["why", "--values", &outputs.path("missing"), &outputs.path("out")])), 3);
    assert_eq!(code(&stixc(&["why"])), 2);
}

#[test]
fn patterns_of_a_file_are_one_feed() {
    let outputs = Outputs::default();
    let file = outputs.path("patterns.txt");
    let patterns: Vec<String> =
        (0..105).map(|number| format!("[domain-name:value = 'host-{number}.example']")).collect();
    std::fs::write(&file, patterns.join("\n")).unwrap();
    let out = outputs.path("out");
    let run = stixc(&["convert", "--patterns", &file, "-t", "blocklist", "-o", &out, "--provenance"]);
    assert_eq!(code(&run), 0, "{}", errors(&run));
    let told = text(&stixc(&["why", "nowhere.example", &out]));
    assert!(told.contains("105 indicators of 1 feed looked at"), "{told}");
}

#[test]
fn without_provenance_the_outputs_answer_alone() {
    let outputs = outputs(&[]);
    let output = stixc(&["why", "evil.example", &outputs.path("out")]);
    assert_eq!(code(&output), 0);
    let answer = text(&output);
    assert_eq!(answer, text(&stixc(&["why", "EVIL.example.", &outputs.path("out")])));
    assert!(answer.contains("blocklist: domain evil.example") && answer.contains(&id(1)), "{answer}");
    assert!(answer.contains("the run kept no indicators"), "{answer}");
    let output = stixc(&["why", "ended.example", &outputs.path("out")]);
    assert_eq!(code(&output), 1);
    assert!(text(&output).contains("the run kept no indicators"), "{}", text(&output));
}

#[cfg(all(feature = "store", feature = "taxii"))]
#[test]
fn the_configuration_names_the_folder() {
    let outputs = Outputs::default();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_stixc")).args(arguments).current_dir(outputs.path("")).output().unwrap()
    };
    assert_eq!(code(&run(&["why", "evil.example"])), 2);
    fs::create_dir(outputs.path("intel")).unwrap();
    fs::write(outputs.path("intel/feed.json"), Value::from(feed()).to_string()).unwrap();
    let config = "provenance = true\n[[feed]]\nname = \"own\"\nkind = \"files\"\npaths = [\"intel\"]\n[[target]]\nkind = \"blocklist\"\n";
    fs::write(outputs.path("stixc.toml"), config).unwrap();
    let built = run(&["build", "--now", "2024-06-01T00:00:00Z"]);
    assert_eq!(code(&built), 0, "{}", errors(&built));
    let output = run(&["why", "evil.example"]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert!(text(&output).contains("\"Indicator 1\" from own"), "{}", text(&output));
    let empty = run(&["why", " "]);
    assert_eq!(code(&empty), 2);
    // Two builds of the same are the same, provenance and all.
    let kept = fs::read(outputs.path("out/provenance/indicators.jsonl")).unwrap();
    assert_eq!(code(&run(&["build", "--now", "2024-06-01T00:00:00Z"])), 0);
    assert_eq!(fs::read(outputs.path("out/provenance/indicators.jsonl")).unwrap(), kept);
}

#[test]
fn only_what_covers_the_value_counts() {
    let outputs = outputs(&["--provenance"]);
    // No such prefix, a wider one, a host of which one page is listed.
    assert_eq!(why(&outputs, "198.51.100.7/99"), (1, vec![], vec![]));
    let (found, places, _) = why(&outputs, "198.51.0.0/16");
    assert!(found == 1 && places.contains(&"blocklist ipv4 198.51.100.0/24".to_owned()), "{found} {places:?}");
    let output = stixc(&["why", "198.51.0.0/16", &outputs.path("out")]);
    assert!(text(&output).starts_with("no rule and no entry covers 198.51.0.0/16\n"), "{}", text(&output));
    assert!(text(&output).contains("(entry inside it)"), "{}", text(&output));
    assert_eq!(why(&outputs, "files.example").0, 1);
    // An alternative that has a place in no rule.
    let alternative = indicator(1, "[domain-name:value = 'one.example'] OR [mutex:name = 'Global-Lock']");
    let outputs = Outputs::default();
    outputs.convert("out", &[alternative], &["--provenance"]);
    assert_eq!(why(&outputs, "one.example").0, 0);
    assert_eq!(why(&outputs, "Global-Lock"), (1, vec![], vec![id(1)]));
}

#[test]
fn an_entry_of_another_indicator_is_not_credited() {
    let outputs = Outputs::default();
    let alternatives =
        "[ipv4-addr:value = '198.51.100.7'] OR [domain-name:value = 'evil.example' AND domain-name:x_a = 'b']";
    outputs.convert(
        "out",
        &[indicator(1, alternatives), indicator(2, "[domain-name:value = 'evil.example']")],
        &["--provenance"],
    );
    let entries = |question: &str| -> Vec<String> {
        let (_, places, _) = why(&outputs, question);
        places.into_iter().filter(|place| place.starts_with("blocklist ")).collect()
    };
    assert_eq!(entries(&id(1)), ["blocklist ipv4 198.51.100.7"]);
    assert_eq!(entries(&id(2)), ["blocklist domain evil.example"]);
    let output = stixc(&["why", "--format", "json", "evil.example", &outputs.path("out")]);
    let answer: Value = serde_json::from_str(&text(&output)).unwrap();
    let entry = answer["places"].as_array().unwrap().iter().find(|place| place["list"] == "domain").unwrap();
    assert_eq!(entry["indicators"], json!([id(2)]));
}
