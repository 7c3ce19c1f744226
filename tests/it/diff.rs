//! `stixc diff`: each change between two outputs with its reason.

use crate::support::feeds;
use crate::support::program;

use std::fs;

use feeds::{Outputs, indicator};
use program::{code, errors, stixc, text};
use serde_json::{Value, json};

/// What has happened to which rule, and each reason with its indicator.
type Told = (String, String, Vec<(String, String)>);

/// The change of a rule or an entry: what has happened to it, and each reason with its indicator's number.
fn changes(diff: &Value, target: &str) -> Vec<Told> {
    let all = diff["changes"].as_array().unwrap().iter().filter(|change| change["target"] == target);
    let string = |value: &Value| value.as_str().unwrap().to_owned();
    all.map(|change| {
        let causes = change["causes"].as_array().unwrap().iter();
        let causes = causes.map(|cause| (string(&cause["reason"]), string(&cause["indicator"]))).collect();
        (string(&change["sort"]), string(&change["id"]), causes)
    })
    .collect()
}

fn diff(outputs: &Outputs) -> Value {
    let output = stixc(&["diff", "--format", "json", &outputs.path("old"), &outputs.path("new")]);
    assert!(code(&output) <= 1, "{}", errors(&output));
    let diff: Value = serde_json::from_str(&text(&output)).unwrap();
    assert_eq!(diff["schema"], "stixc-diff/1");
    assert_eq!(code(&output) == 1, !diff["changes"].as_array().unwrap().is_empty());
    diff
}

/// What becomes of the entry of indicator 1 where the feed goes from one list of indicators to another.
fn entry(old: &[Value], new: &[Value]) -> Told {
    let outputs = Outputs::default();
    outputs.convert("old", old, &["--provenance"]);
    outputs.convert("new", new, &["--provenance"]);
    let mut found = changes(&diff(&outputs), "blocklist");
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn one() -> Value {
    indicator(1, "[domain-name:value = 'one.example']")
}

fn with(mut indicator: Value, more: Value) -> Value {
    indicator.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    indicator
}

#[test]
fn each_reason_is_told() {
    let other = indicator(2, "[domain-name:value = 'other.example']");
    let rest = || vec![other.clone()];
    let both = |changed: Value| vec![changed, other.clone()];
    let id = feeds::id(1);
    let told =
        |sort: &str, reason: &str| (sort.to_owned(), "one.example".to_owned(), vec![(reason.to_owned(), id.clone())]);
    let later = json!({"modified": "2024-05-02T00:00:00Z"});
    let expired = with(one(), json!({"valid_until": "2024-05-01T00:00:00Z"}));
    let revoked = with(with(one(), later.clone()), json!({"revoked": true}));
    let edited = with(with(one(), later), json!({"pattern": "[file:size = 7]"}));
    let refused = with(one(), json!({"pattern": "[domain-name:value = 'one.example' AND file:size = 7]"}));
    let guarded = with(one(), json!({"pattern": "[ipv4-addr:value = '10.0.0.1']"}));
    let invalid = with(one(), json!({"pattern": "[domain-name:value = 'one.example"}));
    assert_eq!(entry(&rest(), &both(one())), told("added", "new"));
    assert_eq!(entry(&both(one()), &rest()), told("removed", "withdrawn"));
    assert_eq!(entry(&both(one()), &both(expired.clone())), told("removed", "expired"));
    assert_eq!(entry(&both(expired), &both(one())), told("added", "returned"));
    assert_eq!(entry(&both(one()), &both(revoked)), told("removed", "revoked"));
    assert_eq!(entry(&both(one()), &both(edited)), told("removed", "refused"));
    assert_eq!(entry(&both(one()), &both(refused)), told("removed", "invalid"));
    assert_eq!(entry(&both(one()), &both(guarded)), told("removed", "guarded"));
    assert_eq!(entry(&both(one()), &both(invalid)), told("removed", "invalid"));
    let benign = with(one(), json!({"indicator_types": ["benign"]}));
    assert_eq!(entry(&both(one()), &both(benign)), told("removed", "filtered"));
}

/// A feed of an indicator and the objects around it.
fn around(identity: &str, level: &str, malware: &str) -> Vec<Value> {
    let id = |kind: &str| format!("{kind}--00000000-0000-4000-8000-000000000009");
    let time = "2024-01-01T00:00:00Z";
    let refs = json!({"created_by_ref": id("identity"), "object_marking_refs": [id("marking-definition")]});
    vec![
        with(one(), refs),
        json!({"type": "identity", "id": id("identity"), "modified": time, "identity_class": "group", "name": identity}),
        json!({"type": "marking-definition", "id": id("marking-definition"), "created": time,
               "definition_type": "tlp", "definition": {"tlp": level}}),
        json!({"type": "malware", "id": id("malware"), "modified": time, "name": malware, "is_family": true}),
        json!({"type": "relationship", "id": id("relationship"), "modified": time, "relationship_type": "indicates",
               "source_ref": feeds::id(1), "target_ref": id("malware")}),
        json!({"type": "observed-data", "id": id("observed-data"), "modified": time, "number_observed": 1}),
    ]
}

#[test]
fn what_another_object_has_caused_names_that_object() {
    let before = around("Alpha", "amber", "Sample");
    let without = |kind: &str| before.iter().filter(|one| one["type"] != kind).cloned().collect::<Vec<_>>();
    let filter = ["--max-tlp", "amber"];
    for (case, after, named) in [
        ("its maker", around("Beta", "amber", "Sample"), &["identity--", "\"Alpha\"", "\"Beta\""][..]),
        ("a marking", around("Alpha", "green", "Sample"), &["marking-definition--", "\"amber\"", "\"green\""]),
        ("a marking that keeps it away", around("Alpha", "red", "Sample"), &["marking-definition--", "\"red\""]),
        ("what it indicates", around("Alpha", "amber", "Other"), &["malware--", "\"Sample\"", "\"Other\""]),
        ("that it indicates it", without("relationship"), &["malware--", "\"Sample\""]),
        ("an object that is gone", without("identity"), &["identity--", "\"Alpha\""]),
        ("nothing that is read", without("observed-data"), &[]),
    ] {
        for [old, new] in [[&before, &after], [&after, &before]] {
            let outputs = Outputs::default();
            let arguments = [&["--provenance", "-t", "sigma,suricata,yara,blocklist"], &filter[..]].concat();
            outputs.convert("old", old, &arguments);
            outputs.convert("new", new, &arguments);
            let found = diff(&outputs);
            let causes: Vec<&Value> = found["changes"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|change| change["causes"].as_array().unwrap())
                .collect();
            assert_eq!(causes.is_empty(), named.is_empty(), "{case}: {found}");
            for cause in causes {
                assert_eq!(cause["indicator"], feeds::id(1), "{case}: {found}");
                let details = cause["details"].as_str().unwrap_or_default();
                assert!(named.iter().all(|word| details.contains(word)), "{case}: {found}");
                assert!(["context", "filtered"].contains(&cause["reason"].as_str().unwrap()), "{case}: {found}");
            }
        }
    }
    // An edit that its maker has not dated is one all the same.
    let words = with(one(), json!({"name": "Other words", "confidence": 80}));
    let outputs = Outputs::default();
    outputs.convert("old", &[one()], &["--provenance", "-t", "sigma"]);
    outputs.convert("new", &[words], &["--provenance", "-t", "sigma"]);
    for (_, _, causes) in changes(&diff(&outputs), "sigma") {
        assert_eq!(causes, [("edited".to_owned(), feeds::id(1))]);
    }
}

#[test]
fn a_new_pattern_is_an_edit_and_new_words_are_too() {
    let outputs = Outputs::default();
    let next = json!({"modified": "2024-05-02T00:00:00Z"});
    let edited = with(with(one(), next.clone()), json!({"pattern": "[domain-name:value = 'two.example']"}));
    outputs.convert("old", &[one()], &["--provenance"]);
    outputs.convert("new", &[edited], &["--provenance"]);
    let found = diff(&outputs);
    let cause = || vec![("edited".to_owned(), feeds::id(1))];
    let is = |sort: &str, id: &str| (sort.to_owned(), id.to_owned(), cause());
    assert_eq!(changes(&found, "blocklist"), [is("removed", "one.example"), is("added", "two.example")]);
    // The rule of Suricata keeps its number.
    let suricata = changes(&found, "suricata");
    assert!(!suricata.is_empty() && suricata.iter().all(|(sort, ..)| sort == "changed"), "{suricata:?}");
    outputs.convert("new", &[with(with(one(), next), json!({"description": "More is known."}))], &["--provenance"]);
    let found = diff(&outputs);
    assert!(changes(&found, "blocklist").is_empty());
    let sigma = changes(&found, "sigma");
    assert!(!sigma.is_empty() && sigma.iter().all(|(sort, _, causes)| sort == "reworded" && *causes == cause()));
}

#[test]
fn a_rule_of_several_indicators_says_which_of_them_is_gone() {
    let outputs = Outputs::default();
    let same = |number| indicator(number, "[domain-name:value = 'one.example']");
    outputs.convert("old", &[same(1), same(2), same(3)], &["--provenance"]);
    outputs.convert("new", &[same(1), same(3)], &["--provenance"]);
    let found = diff(&outputs);
    assert!(changes(&found, "blocklist").is_empty());
    for change in found["changes"].as_array().unwrap() {
        assert_eq!(change["causes"][0]["reason"], "withdrawn");
        assert_eq!((&change["causes"][0]["indicator"], &change["others"]), (&json!(feeds::id(2)), &json!(2)));
    }
    let output = stixc(&["diff", &outputs.path("old"), &outputs.path("new")]);
    assert!(text(&output).contains("as before for 2 other indicators"), "{}", text(&output));
}

#[test]
fn a_rule_that_is_called_by_another_of_its_indicators_says_which_one_has_gone_or_come() {
    let same = |number| indicator(number, "[domain-name:value = 'one.example']");
    let elsewhere =
        with(indicator(1, "[domain-name:value = 'two.example']"), json!({"modified": "2024-05-02T00:00:00Z"}));
    let all = || vec![same(1), same(2), same(3)];
    for (old, new, reason) in [
        (all(), vec![same(2), same(3)], "withdrawn"),
        (vec![same(2), same(3)], all(), "new"),
        (all(), vec![elsewhere, same(2), same(3)], "edited"),
    ] {
        let outputs = Outputs::default();
        outputs.convert("old", &old, &["--provenance"]);
        outputs.convert("new", &new, &["--provenance"]);
        let found = diff(&outputs);
        let rules = found["changes"].as_array().unwrap().iter().filter(|change| change["target"] != "blocklist");
        assert!(rules.clone().count() >= 6, "{found}");
        for change in rules {
            assert_eq!(change["causes"].as_array().unwrap().len(), 1, "{change}");
            assert_eq!(
                (&change["causes"][0]["reason"], &change["causes"][0]["indicator"]),
                (&json!(reason), &json!(feeds::id(1)))
            );
            assert_eq!((&change["moved"], &change["others"]), (&json!(2), &json!(0)), "{change}");
        }
        let told = text(&stixc(&["diff", &outputs.path("old"), &outputs.path("new")]));
        assert!(told.contains("another rule: 2 indicators") || told.contains("and another: 2 indicators"), "{told}");
    }
}

#[test]
fn an_indicator_that_names_another_one_puts_nothing_on_it() {
    let outputs = Outputs::default();
    let other = indicator(2, "[domain-name:value = 'other.example']");
    let words = json!({"name": feeds::id(2), "description": format!("stix_id {0}, stix_id = \"{0}\"", feeds::id(2))});
    for arguments in [&["--provenance"][..], &[]] {
        outputs.convert("old", std::slice::from_ref(&other), &["--provenance"]);
        outputs.convert("new", &[with(one(), words.clone()), other.clone()], arguments);
        let found = diff(&outputs);
        let rules = found["changes"].as_array().unwrap().iter().filter(|change| change["target"] != "blocklist");
        assert!(rules.clone().count() >= 3, "{found}");
        for change in rules {
            assert_eq!(change["causes"].as_array().unwrap().len(), 1, "{change}");
            assert_eq!(change["causes"][0]["indicator"], feeds::id(1));
        }
    }
}

#[test]
fn the_revision_of_a_rule_is_told() {
    let outputs = Outputs::default();
    let more = json!({"pattern": "[domain-name:value = 'two.example']", "modified": "2024-05-02T00:00:00Z"});
    for folder in ["old", "new"] {
        outputs.convert(folder, &[one()], &["--provenance"]);
    }
    // The lock in the folder knows the number.
    outputs.convert("new", &[with(one(), more)], &["--provenance"]);
    let told = text(&stixc(&["diff", &outputs.path("old"), &outputs.path("new")]));
    assert!(told.lines().any(|line| line.starts_with("~ ") && line.contains(" rev 2 \"")), "{told}");
}

#[test]
fn other_settings_are_no_fault_of_an_indicator() {
    let outputs = Outputs::default();
    let port =
        indicator(1, "[domain-name:value = 'one.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.7']");
    outputs.convert("old", std::slice::from_ref(&port), &["--provenance"]);
    outputs.convert("new", &[port], &["--provenance", "--accept", "exact"]);
    let found = changes(&diff(&outputs), "sigma");
    assert!(!found.is_empty());
    assert!(found.iter().all(|(sort, _, causes)| sort == "removed" && causes[0].0 == "refused"), "{found:?}");
    let templates = outputs.path("templates");
    assert_eq!(code(&stixc(&["templates", "export", &templates])), 0);
    let template = format!("{templates}/sigma/rule.hbs");
    fs::write(&template, fs::read_to_string(&template).unwrap().replace("- Unknown", "- None known")).unwrap();
    outputs.convert("old", &[one()], &["--provenance"]);
    outputs.convert("new", &[one()], &["--provenance", "--templates", &templates]);
    let found = changes(&diff(&outputs), "sigma");
    assert!(!found.is_empty());
    let settings = [("settings".to_owned(), feeds::id(1))];
    assert!(found.iter().all(|(sort, _, causes)| sort == "reworded" && *causes == settings), "{found:?}");
}

#[test]
fn without_provenance_nothing_is_guessed() {
    let outputs = Outputs::default();
    outputs.convert("old", &[one()], &[]);
    outputs.convert("new", &[], &["--provenance"]);
    for (_, _, causes) in ["sigma", "suricata", "blocklist"].iter().flat_map(|target| changes(&diff(&outputs), target))
    {
        assert_eq!(causes[0].0, "unknown");
    }
}

#[test]
fn nothing_changes_where_nothing_changes() {
    let outputs = Outputs::default();
    outputs.convert("old", &[one()], &["--provenance"]);
    let old = outputs.path("old");
    let output = stixc(&["diff", &old, &old]);
    assert_eq!((code(&output), text(&output).as_str()), (0, "no difference\n"));
    let output = stixc(&["diff", "--format", "markdown", &old, &old]);
    assert_eq!((code(&output), text(&output).as_str()), (0, "No rule has changed.\n"));
}

#[test]
fn hostile_names_stay_in_their_cell_and_off_the_terminal() {
    let outputs = Outputs::default();
    let hostile = "a` | @team <img src=x> [b](http://evil.example)\n\u{1b}[31m # ``` \u{202e}";
    outputs.convert("old", &[], &["--provenance"]);
    outputs.convert("new", &[with(one(), json!({"name": hostile}))], &["--provenance"]);
    let (old, new) = (outputs.path("old"), outputs.path("new"));
    let plain = text(&stixc(&["diff", &old, &new]));
    assert!(!plain.contains('\u{1b}') && !plain.contains('\u{202e}'), "{plain}");
    let markdown = text(&stixc(&["diff", "--format", "markdown", &old, &new]));
    for row in markdown.lines().filter(|line| line.starts_with("| +")) {
        assert_eq!(row.matches('|').count(), 4, "{row}");
        // What is outside code is the program's own.
        let mut outside = String::new();
        let mut fence = None;
        for run in row.split_inclusive(' ') {
            let ticks = run.trim_end_matches([' ', '\n']);
            match &fence {
                None if ticks.ends_with('`') => fence = Some(ticks[ticks.find('`').unwrap()..].to_owned()),
                Some(open) if ticks.starts_with(open.as_str()) && !ticks[open.len()..].starts_with('`') => fence = None,
                Some(_) => {}
                None => outside.push_str(run),
            }
        }
        assert!(!outside.contains('@') && !outside.contains("img"), "{outside}");
    }
}

#[test]
fn a_page_fits_into_a_pull_request_and_is_always_the_same() {
    let outputs = Outputs::default();
    let many: Vec<Value> =
        (1..2000).map(|number| indicator(number, &format!("[domain-name:value = 'host-{number}.example']"))).collect();
    outputs.convert("old", &[], &["--provenance"]);
    outputs.convert("new", &many, &["--provenance"]);
    let arguments = ["diff", "--format", "markdown", &outputs.path("old"), &outputs.path("new")];
    let page = text(&stixc(&arguments));
    assert!(page.chars().count() <= 65_536 && page.chars().count() > 60_000, "{}", page.chars().count());
    assert!(page.contains("more changes don't fit here"));
    assert_eq!(page, text(&stixc(&arguments)));
}

#[test]
fn folders_that_are_none_are_refused() {
    let outputs = Outputs::default();
    outputs.convert("old", &[one()], &[]);
    let old = outputs.path("old");
    let output = stixc(&["diff", &old, &outputs.path("nowhere")]);
    assert_eq!(code(&output), 3);
    assert!(errors(&output).contains("nowhere"), "{}", errors(&output));
    fs::create_dir(outputs.path("foreign")).unwrap();
    fs::write(format!("{}/letter.txt", outputs.path("foreign")), "hello").unwrap();
    let output = stixc(&["diff", &old, &outputs.path("foreign")]);
    assert_eq!(code(&output), 3);
    assert!(errors(&output).contains("none of them is an output"), "{}", errors(&output));
    outputs.convert("new", &[one()], &["--provenance"]);
    let file = format!("{}/provenance/indicators.jsonl", outputs.path("new"));
    fs::write(&file, format!("{}{{\"id\": 7}}\n", fs::read_to_string(&file).unwrap())).unwrap();
    let output = stixc(&["diff", &old, &outputs.path("new")]);
    assert_eq!(code(&output), 3);
    assert!(errors(&output).contains("indicators.jsonl, line 3"), "{}", errors(&output));
}

/// Templates of the user's own: fields in another order, two lines a rule and two lines an entry.
fn own_templates(outputs: &Outputs) -> String {
    let templates = outputs.path("templates");
    assert_eq!(code(&stixc(&["templates", "export", &templates])), 0);
    let write = |name: &str, text: &str| fs::write(format!("{templates}/{name}"), text).unwrap();
    write(
        "suricata/rules.hbs",
        "{{#each rules}}\n# {{msg}}\nalert {{header}} ({{options}}sid:{{sid}}; rev:{{rev}}; msg:\"{{msg}}\"; \
         metadata:{{metadata}};)\n{{/each}}\n",
    );
    write("sigma/rule.hbs", "detection:\n{{detection}}logsource:\n{{logsource}}level: {{level}}\ntitle: {{title}}\n");
    write("blocklist/list.hbs", "{{#each entries}}\n# refuse\n||{{this}}^\n||www.{{this}}^\n{{/each}}\n");
    write("blocklist/hosts.hbs", "{{#each domain}}{{this}}{{#unless @last}},{{/unless}}{{/each}}");
    templates
}

#[test]
fn what_other_templates_write_is_told_and_found() {
    let outputs = Outputs::default();
    let templates = own_templates(&outputs);
    let other = indicator(2, "[domain-name:value = 'other.example']");
    outputs.convert("old", &[one()], &["--provenance"]);
    outputs.convert("new", &[one()], &["--provenance", "--templates", &templates]);
    let found = diff(&outputs);
    let settings = || vec![("settings".to_owned(), String::new())];
    for target in ["sigma", "suricata"] {
        let rules = changes(&found, target);
        assert!(!rules.is_empty() && rules.iter().all(|(sort, ..)| sort == "reworded"), "{target}: {rules:?}");
    }
    let files = ["blocklist/domains.txt", "blocklist/hosts"];
    assert_eq!(
        changes(&found, "blocklist"),
        files.map(|file| ("reworded".to_owned(), file.to_owned(), settings())),
        "the entries are the same, and two files are not"
    );
    // What the templates write is compared like anything else.
    outputs.convert("old", &[one()], &["--provenance", "--templates", &templates]);
    outputs.convert("new", &[one(), other], &["--provenance", "--templates", &templates]);
    let found = diff(&outputs);
    let cause = || vec![("new".to_owned(), feeds::id(2))];
    assert_eq!(changes(&found, "blocklist"), [("added".to_owned(), "other.example".to_owned(), cause())]);
    for target in ["sigma", "suricata"] {
        let rules = changes(&found, target);
        assert!(!rules.is_empty() && rules.iter().all(|(sort, _, causes)| sort == "added" && *causes == cause()));
    }
    let answer = text(&stixc(&["why", "other.example", &outputs.path("new")]));
    assert!(answer.contains("blocklist: domain other.example, blocklist/domains.txt:5\n"), "{answer}");
    assert!(answer.contains("suricata: ") && answer.contains("sigma: "), "{answer}");
    // The line is that of the rule in the file.
    let rules = fs::read_to_string(format!("{}/suricata/stixc.rules", outputs.path("new"))).unwrap();
    for line in answer.lines().filter(|line| line.starts_with("suricata: ")) {
        let (sid, at) = (line.split(' ').nth(1).unwrap(), line.rsplit(':').next().unwrap().parse::<usize>().unwrap());
        assert!(rules.lines().nth(at).unwrap().contains(&format!("sid:{sid};")), "{line}\n{rules}");
    }
}

#[test]
fn a_list_of_many_entries_has_a_short_index() {
    let outputs = Outputs::default();
    let templates = own_templates(&outputs);
    let many: Vec<Value> =
        (0..600).map(|number| indicator(number, &format!("[domain-name:value = 'host-{number}.example']"))).collect();
    for arguments in [&[][..], &["--templates", &templates]] {
        outputs.convert("new", &many, arguments);
        let index = fs::read_to_string(format!("{}/blocklist/index.jsonl", outputs.path("new"))).unwrap();
        assert!(index.len() < 4000, "{}", index.len());
        let answer = text(&stixc(&["why", "host-599.example", &outputs.path("new")]));
        assert!(answer.contains("blocklist: domain host-599.example, blocklist/domains.txt:"), "{answer}");
    }
}

#[test]
fn outputs_of_another_version_are_told_and_not_misread() {
    let outputs = Outputs::default();
    outputs.convert("old", &[one()], &[]);
    outputs.convert("new", &[one()], &[]);
    let (old, new) = (outputs.path("old"), outputs.path("new"));
    let refused = |message: &str| {
        for arguments in [&["diff", &old, &new][..], &["why", "one.example", &new]] {
            let output = stixc(arguments);
            assert_eq!(code(&output), 2, "{}", errors(&output));
            assert!(errors(&output).contains(message), "{}", errors(&output));
            assert!(errors(&output).contains("stixc build or stixc convert"), "{}", errors(&output));
        }
    };
    let index = format!("{new}/blocklist/index.jsonl");
    let text = fs::read_to_string(&index).unwrap();
    fs::write(&index, text.replace("stixc-index/2", "stixc-index/9")).unwrap();
    refused("was written by another version of stixc");
    fs::write(&index, text.replace("\"complete\":true", "\"complete\":false")).unwrap();
    refused("failed half-way");
    fs::write(&index, &text).unwrap();
    let list = format!("{new}/blocklist/domains.txt");
    fs::write(&list, "# mine\none.example\n").unwrap();
    refused("domains.txt is not as it was written");
    fs::remove_file(&index).unwrap();
    refused("was written by another version of stixc");
}

#[test]
fn a_prefix_that_is_put_together_otherwise_names_who_has_come_or_gone() {
    let half = |number: usize, prefix: &str| indicator(number, &format!("[ipv4-addr:value ISSUBSET '{prefix}']"));
    let low = || half(1, "198.51.100.0/25");
    let both = || vec![low(), half(2, "198.51.100.128/25")];
    let later = json!({"modified": "2024-05-02T00:00:00Z"});
    let expired = with(half(2, "198.51.100.128/25"), json!({"valid_until": "2024-05-01T00:00:00Z"}));
    let edited = with(half(2, "203.0.113.0/25"), later);
    for (old, new, reason) in [
        (vec![low()], both(), "new"),
        (both(), vec![low()], "withdrawn"),
        (both(), vec![low(), expired], "expired"),
        (both(), vec![low(), edited], "edited"),
    ] {
        let outputs = Outputs::default();
        outputs.convert("old", &old, &["--provenance"]);
        outputs.convert("new", &new, &["--provenance"]);
        let found = changes(&diff(&outputs), "blocklist");
        let of = |id: &str| found.iter().find(|(_, own, _)| own == id).map(|(_, _, causes)| causes.clone()).unwrap();
        let cause = |reason: &str| vec![(reason.to_owned(), feeds::id(2))];
        assert_eq!(of("198.51.100.0/24"), cause(reason), "{found:?}");
        assert_eq!(of("198.51.100.0/25"), cause("regrouped"), "{found:?}");
        let told = text(&stixc(&["diff", &outputs.path("old"), &outputs.path("new")]));
        assert!(told.contains("regrouped (") && told.contains("in 198.51.100.0/24; "), "{told}");
        assert!(!told.contains("settings"), "{told}");
    }
}
