//! Why an indicator has no rule, or not the one that was meant, wherever that is told; and when a run fails on it.

use crate::support::{
    feeds::{id, indicator},
    program::{code, errors, stixc, text},
    project::{NOW, Project},
};

use serde_json::{Value, json};

const PART: &str = "[ipv4-addr:value = '8.8.8.8' OR ipv4-addr:value = '198.51.100.7']";
const CONNECTION: &str = "[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443]";
const NAME: &str = "[domain-name:value = 'a.example']";
const TIMES: &str = "START t'2024-01-01T00:00:00Z' STOP t'2024-12-01T00:00:00Z'";
const RULE: &str = r#"alert tcp any any -> 192.0.2.1 80 (msg:"a"; content:"evilthing"; sid:1;)"#;

fn with(number: usize, pattern: &str, more: Value) -> Value {
    let mut indicator = indicator(number, pattern);
    indicator.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    indicator
}

fn bundle(indicators: &[Value]) -> String {
    json!({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": indicators}).to_string()
}

/// How an indicator ends: itself, its status, the target that it is about and the verdict there, the code, and words of the
/// reason.
type Ending = (Value, &'static str, &'static str, &'static str, &'static str, &'static str);

fn endings() -> Vec<Ending> {
    let native = |language: &str| json!({ "pattern_type": language });
    let expired = json!({"valid_until": "2024-02-01T00:00:00Z"});
    let revoked = json!({"revoked": true, "modified": "2024-03-01T00:00:00Z"});
    let benign = json!({"indicator_types": ["benign"]});
    let not_meant = json!({"labels": ["misp:to_ids=\"False\""]});
    let plain = || json!({});
    vec![
        (with(1, NAME, expired), "expired", "", "", "S115", "expired: valid_until 2024-02-01T00:00:00Z"),
        (with(2, NAME, revoked), "revoked", "", "", "S116", "revoked by its maker: modified 2024-03-01T00:00:00Z"),
        (with(3, NAME, benign), "filtered", "", "", "S117", "it is labelled benign"),
        (with(4, NAME, not_meant), "filtered", "", "", "S117", "it is labelled misp:to_ids"),
        (with(5, NAME, json!({"valid_from": "2030-01-01T00:00:00Z"})), "pending", "", "", "S114", "2030-01-01"),
        (with(6, NAME, json!({"confidence": 20})), "filtered", "", "", "S110", "the confidence 20 is below 50"),
        (with(7, "DeviceNetworkEvents", native("kql")), "active", "sigma", "n/a", "S060", "written in kql"),
        (with(8, "[ipv4-addr:value = '8.8.8.8']", plain()), "active", "blocklist", "guarded", "G004", "resolvers"),
        (with(9, PART, plain()), "active", "blocklist", "narrower", "L041", "'8.8.8.8' is on the guard list"),
        (with(10, CONNECTION, plain()), "active", "blocklist", "refused", "L030", "would be broader"),
        (with(11, NAME, plain()), "active", "yara", "n/a", "L001", "YARA sees files"),
        (with(12, RULE, native("suricata")), "active", "suricata", "unchecked", "R012", "no engine has compiled"),
        (with(13, RULE, native("suricata")), "active", "sigma", "n/a", "L040", "is a suricata rule"),
        (with(14, "[domain-name:value = 'open", plain()), "invalid", "", "", "P009", "quote is not closed"),
    ]
}

/// Whether a list of diagnostics or losses holds this one.
fn holds(list: &Value, code: &str, words: &str) -> bool {
    list.as_array().unwrap().iter().any(|one| one["code"] == code && one["message"].as_str().unwrap().contains(words))
}

/// What was printed, by paragraphs: a message with what stands below it.
fn paragraphs(printed: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in printed.lines() {
        let is_below = line.starts_with([' ', '|']) || line.starts_with(|first: char| first.is_ascii_digit());
        match all.last_mut() {
            Some(last) if is_below => *last += &format!("\n{line}"),
            _ => all.push(line.to_owned()),
        }
    }
    all
}

#[test]
fn what_ends_without_its_rule_says_why_everywhere() {
    let project = Project::new("");
    let endings = endings();
    project.write("feed.json", bundle(&endings.iter().map(|ending| ending.0.clone()).collect::<Vec<_>>()));
    let run = project.stixc(&[
        "convert",
        "feed.json",
        "-t",
        "sigma,suricata,yara,blocklist",
        "--now",
        "2024-06-01T00:00:00Z",
        "--check-native",
        "no",
        "--min-confidence",
        "50",
        "--provenance",
        "-o",
        "out",
        "--report",
        "report.json",
        "-v",
    ]);
    assert_eq!(code(&run), 0, "{}", errors(&run));
    let report: Value = serde_json::from_str(&project.read("report.json")).unwrap();
    let printed = paragraphs(&errors(&run));
    for (number, (_, status, target, verdict, reason, words)) in (1..).zip(&endings) {
        let id = id(number);
        let told = report["indicators"].as_array().unwrap().iter().find(|one| one["id"] == *id).unwrap();
        assert_eq!(told["status"], *status, "{told}");
        let in_target = &told["targets"][*target];
        assert_eq!(in_target["verdict"].as_str().unwrap_or_default(), *verdict, "{told}");
        let is_reported = holds(&told["diagnostics"], reason, words)
            || in_target.get("losses").is_some_and(|losses| holds(losses, reason, words));
        assert!(is_reported, "report: {reason} {words}: {told}");

        let is_told = |one: &&String| one.contains(&id) && one.contains(reason) && one.contains(words);
        assert!(printed.iter().any(|one| is_told(&one)), "-v: {reason} {words}: {printed:#?}");

        let why = project.stixc(&["why", &id, "out"]);
        let why = text(&why);
        let line = why.lines().find(|line| line.trim_start().starts_with(&format!("{reason} ")));
        assert!(
            why.lines().any(|line| line.contains(&format!("{reason} ")) && line.contains(words)),
            "{line:?}: {why}"
        );
        assert!(verdict.is_empty() || why.contains(&format!("{target} {verdict}")), "{why}");

        assert_eq!(code(&stixc(&["explain", reason])), 0, "{reason}");
    }
}

/// A pattern, its language, the targets of the run, what it is to fail on, and how `convert`, `check` and `build` end.
type Gate<'a> = (&'a str, &'a str, &'a str, &'a str, [i32; 3]);

#[test]
fn a_run_fails_on_what_was_asked_for() {
    let (stix, suricata) = ("stix", "suricata");
    let guarded = "[ipv4-addr:value = '8.8.8.8']";
    let (broader, approximate) = (format!("{NAME} {TIMES}"), format!("{PART} {TIMES}"));
    let gates: &[Gate<'_>] = &[
        (NAME, stix, "blocklist", "guarded,unchecked", [0, 2, 0]),
        (NAME, stix, "blocklist", "guarded,n/a", [0, 0, 0]),
        ("[domain-name:value = 'open", stix, "blocklist", "never", [0, 0, 0]),
        ("[domain-name:value = 'open", stix, "blocklist", "invalid", [1, 1, 1]),
        ("[domain-name:value = 'open", stix, "blocklist", "blocklist=refused", [1, 1, 1]),
        ("[domain-name:value = 'open", stix, "blocklist", "n/a", [0, 0, 0]),
        (CONNECTION, stix, "blocklist", "invalid", [0, 0, 0]),
        (CONNECTION, stix, "blocklist", "refused", [1, 1, 1]),
        (CONNECTION, stix, "blocklist", "blocklist=refused", [1, 1, 1]),
        (CONNECTION, stix, "blocklist", "refused,blocklist=never", [0, 0, 0]),
        (CONNECTION, stix, "blocklist", "n/a", [0, 0, 0]),
        (CONNECTION, stix, "blocklist", "sigma=refused", [2, 2, 2]),
        (CONNECTION, stix, "blocklist", "nobody=refused", [2, 2, 2]),
        (CONNECTION, stix, "blocklist", "blocklist=worst", [2, 2, 2]),
        (CONNECTION, stix, "blocklist,sigma", "sigma=refused", [0, 0, 0]),
        (CONNECTION, stix, "blocklist,sigma", "sigma=refused,blocklist=refused", [1, 1, 1]),
        (&approximate, stix, "sigma", "refused", [0, 0, 0]),
        (&approximate, stix, "sigma", "approximate", [1, 1, 1]),
        (PART, stix, "blocklist", "approximate", [0, 0, 0]),
        (PART, stix, "blocklist", "narrower", [1, 1, 1]),
        (PART, stix, "blocklist", "guarded", [1, 1, 1]),
        (&broader, stix, "sigma", "narrower", [0, 0, 0]),
        (&broader, stix, "sigma", "sigma=broader", [1, 1, 1]),
        (guarded, stix, "blocklist", "broader", [0, 0, 0]),
        (guarded, stix, "blocklist", "guarded", [1, 1, 1]),
        (guarded, stix, "blocklist", "blocklist=guarded", [1, 1, 1]),
        (guarded, stix, "blocklist,yara", "guarded,blocklist=never", [0, 0, 0]),
        (NAME, stix, "yara", "guarded", [0, 0, 0]),
        (NAME, stix, "yara", "n/a", [1, 1, 1]),
        (NAME, stix, "yara,blocklist", "blocklist=n/a", [0, 0, 0]),
        (NAME, stix, "yara,blocklist", "yara=n/a", [1, 1, 1]),
        (RULE, suricata, "suricata", "guarded", [0, 0, 0]),
        (RULE, suricata, "suricata", "unchecked", [1, 2, 1]),
        (RULE, suricata, "suricata", "suricata=unchecked", [1, 2, 1]),
    ];
    let project = Project::new("");
    for (number, (pattern, language, targets, level, expected)) in gates.iter().enumerate() {
        project.write("feed.json", bundle(&[with(1, pattern, json!({ "pattern_type": language }))]));
        let (converted, built) = (format!("converted{number}"), format!("built{number}"));
        let kinds: String = targets.split(',').map(|target| format!("[[target]]\nkind = '{target}'\n")).collect();
        let config = format!(
            "output = '{built}'\nstore = '{built}.store'\ncheck_native = 'no'\nfail_on = '{level}'\n[[feed]]\nname = 'a'\nkind = 'files'\npaths = ['feed.json']\n{kinds}"
        );
        project.write("stixc.toml", config);
        let fixed = ["-t", targets, "--fail-on", level];
        let convert = ["convert", "feed.json", "--now", NOW, "--check-native", "no", "-o", &converted];
        let runs = [
            project.stixc(&[&convert[..], &fixed].concat()),
            project.stixc(&[&["check", "feed.json"][..], &fixed].concat()),
            project.build(&[]),
        ];
        let ended: Vec<i32> = runs.iter().map(code).collect();
        let told: Vec<String> = runs.iter().map(errors).collect();
        assert_eq!(ended, expected, "{pattern} in {targets}, {level}: {told:#?}");
    }
    // What is about targets needs one.
    assert_eq!(code(&stixc(&["check", "--pattern", NAME, "--fail-on", "n/a"])), 2);
    // A finding is told, with the target and why.
    let told = text(&stixc(&["check", "--pattern", NAME, "-t", "yara", "--fail-on", "n/a"]));
    assert!(told.contains("[L001]") && told.contains("yara: n/a: YARA sees files"), "{told}");
}
