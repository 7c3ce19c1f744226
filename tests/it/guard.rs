//! What the guard does with values, in each target.

use crate::support;

use std::{collections::BTreeMap, fs, sync::Arc};

use proptest::{collection::vec, prelude::*};
use serde::Deserialize;
use stixc::{
    convert::{Converter, Finished, Prepared, Settings},
    guard::{Action, Allowed, Guard, GuardOptions, Rule},
    output::Memory,
    report::Verdict,
    targets::{self, TARGETS},
};

/// What becomes of bare patterns in all targets.
fn converted(patterns: &[String], guard: &Arc<Guard>) -> (Finished, Memory) {
    let prepared =
        |target: &&'static dyn targets::Target| Prepared::with_guard(*target, None, None, Arc::clone(guard)).unwrap();
    let settings = Settings::new(TARGETS.iter().map(prepared).collect(), "2024-06-01T00:00:00Z".parse().unwrap());
    let mut converter = Converter::new(&settings);
    patterns.iter().for_each(|pattern| converter.pattern("test", pattern));
    let mut files = Memory::default();
    let finished = converter.finish(&targets::renderer(TARGETS, None).unwrap(), &mut files);
    (finished, files)
}

fn guard(options: GuardOptions) -> Arc<Guard> {
    Arc::new(Guard::new(&options).unwrap())
}

fn pattern(property: &str, value: &str) -> String {
    format!("[{property} = '{}']", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// The verdict of each target, with the codes that are G or L041.
fn verdicts(pattern: &str, guard: &Arc<Guard>) -> String {
    let (finished, _) = converted(&[pattern.to_owned()], guard);
    let mut found = Vec::new();
    for (target, report) in finished.indicators[0].targets.iter() {
        let codes = report.losses.iter().map(|loss| loss.code.0);
        let codes: Vec<&str> = codes.filter(|code| code.starts_with('G') || *code == "L041").collect();
        found.push([&[*target, report.verdict.name()], codes.as_slice()].concat().join(" "));
    }
    found.join(", ")
}

#[test]
fn each_kind_of_value_is_guarded_in_each_target() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/guard/values.txt")).unwrap();
    let mut found = String::new();
    for line in text.lines() {
        if line.starts_with('#') || line.is_empty() {
            found.push_str(&format!("{line}\n"));
            continue;
        }
        let line = line.split(" => ").next().unwrap();
        let (property, value) = line.split_once(' ').unwrap();
        found.push_str(&format!("{line} => {}\n", verdicts(&pattern(property, value), &Guard::builtin())));
    }
    if std::env::var_os("INSTA_UPDATE").is_some() {
        fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/guard/values.txt"), &found).unwrap();
        return;
    }
    for (found, expected) in found.lines().zip(text.lines()) {
        assert_eq!(found, expected);
    }
}

#[test]
fn a_part_of_a_prefix_is_subtracted_exactly() {
    let (finished, files) = converted(&[pattern("ipv4-addr:value", "8.8.8.0/29")], &Guard::builtin());
    assert_eq!(String::from_utf8_lossy(&files.files["blocklist/ipv4.txt"]), "8.8.8.0/29\n");
    assert_eq!(finished.summary.guarded, 0);
    let (finished, files) = converted(&[pattern("ipv4-addr:value", "8.8.8.8/30")], &Guard::builtin());
    assert_eq!(String::from_utf8_lossy(&files.files["blocklist/ipv4.txt"]), "8.8.8.9\n8.8.8.10/31\n");
    let report = finished.indicators[0].targets.get("blocklist").unwrap();
    let loss = &report.losses[0];
    assert_eq!((report.verdict.name(), loss.code.0), ("narrower", "L041"));
    assert!(loss.message.contains("holds '8.8.8.8' (Google; guard list resolvers)"), "{}", loss.message);
}

#[test]
fn several_guarded_observations_are_no_more_evidence_than_one() {
    let guarded =
        ["[ipv4-addr:value = '8.8.8.8']", "[ipv4-addr:value = '10.0.0.1']", "[domain-name:value = 'google.com']"];
    for operator in ["AND", "FOLLOWEDBY"] {
        for other in &guarded[1..] {
            let both = format!("({} {operator} {other}) WITHIN 60 SECONDS", guarded[0]);
            let found = verdicts(&both, &Guard::builtin());
            assert!(found.contains("sigma guarded G00") && found.contains("suricata guarded G00"), "{both}: {found}");
        }
        let both = format!("({} {operator} [domain-name:value = 'evil.example']) WITHIN 60 SECONDS", guarded[0]);
        let found = verdicts(&both, &Guard::builtin());
        assert!(found.contains("sigma exact") || found.contains("sigma narrower"), "{both}: {found}");
    }
    // What a target holds of a pattern is judged once more.
    let referer = "network-traffic:extensions.'http-request-ext'.request_header.'X-Unheard' = 'zqxj'";
    let rest = format!("[network-traffic:dst_ref.value = '8.8.8.8' AND {referer}]");
    let found = verdicts(&rest, &Guard::builtin());
    assert!(found.contains("sigma guarded G030"), "{found}");
}

#[test]
fn a_detection_that_is_kept_has_a_lower_level_and_says_so() {
    let (_, files) = converted(&[pattern("domain-name:value", "www.google.com")], &Guard::builtin());
    let said = "is below google.com (sites that everybody uses";
    let sigma: Vec<String> = files
        .files
        .iter()
        .filter(|(path, _)| path.starts_with("sigma/") && path.ends_with(".yml"))
        .map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
        .collect();
    assert!(
        !sigma.is_empty() && sigma.iter().all(|rule| rule.contains("level: low") && rule.contains(said)),
        "{sigma:?}"
    );
    let suricata = String::from_utf8_lossy(&files.files["suricata/stixc.rules"]).into_owned();
    let rules = suricata.lines().filter(|line| line.starts_with("alert"));
    assert!(rules.clone().count() > 0);
    for rule in rules {
        assert!(rule.contains(" priority:3; ") && rule.contains("stix_loss G011"), "{rule}");
    }
    let (_, files) = converted(&[pattern("domain-name:value", "evil.example")], &Guard::builtin());
    assert!(!String::from_utf8_lossy(&files.files["suricata/stixc.rules"]).contains("priority:"));
}

#[test]
fn each_list_is_lifted_by_its_name() {
    let lifted =
        |rule: &str| guard(GuardOptions { rules: vec![Rule::parse(rule).unwrap()], ..GuardOptions::default() });
    let private = pattern("ipv4-addr:value", "10.1.2.3");
    assert_eq!(
        verdicts(&private, &Guard::builtin()),
        "blocklist guarded G001, sigma guarded G001, suricata guarded G001, yara n/a"
    );
    let ignored = verdicts(&private, &lifted("private=ignore"));
    assert_eq!(ignored, "blocklist exact, sigma exact, suricata exact, yara n/a");
    let warned = verdicts(&private, &lifted("suricata:private=warn"));
    assert!(warned.contains("blocklist guarded G001") && warned.contains("suricata exact G011"), "{warned}");
    let wide = pattern("ipv4-addr:value", "24.0.0.0/6");
    assert!(verdicts(&wide, &Guard::builtin()).contains("blocklist guarded G002"));
    assert!(verdicts(&wide, &lifted("width=ignore")).starts_with("blocklist exact"));
    assert!(verdicts(&wide, &lifted("blocklist:width=ignore")).starts_with("blocklist exact"));
    for other in ["share=ignore", "suricata:width=ignore"] {
        assert!(verdicts(&wide, &lifted(other)).starts_with("blocklist guarded G002"), "{other}");
    }
}

#[test]
fn each_list_that_is_built_in_guards_all_that_is_on_it() {
    let guard = Guard::builtin();
    for head in guard.heads() {
        assert!(!head.source.is_empty() && !head.date.is_empty() && !head.about.is_empty(), "{}", head.name);
        assert_eq!(head.blocking == Action::Drop, head.name != "documentation", "{}", head.name);
    }
}

#[test]
fn what_the_user_allows_is_no_entry_and_no_url() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("allow.txt"), "# ours\n198.51.100.7 # mail\n.partner.example\nhttp://c.example/x\n")
        .unwrap();
    let allowed = |text: &str| Allowed::from_text(text, folder.path());
    let guard = guard(GuardOptions {
        allow: vec![allowed("allow.txt"), allowed("d.example")],
        own: vec![allowed("own.example"), allowed("203.0.113.0/28")],
        ..GuardOptions::default()
    });
    for (property, value) in [
        ("ipv4-addr:value", "198.51.100.7"),
        ("domain-name:value", "partner.example"),
        ("domain-name:value", "a.partner.example"),
        ("url:value", "https://partner.example/login"),
        ("url:value", "https://c.example/x"),
        ("domain-name:value", "d.example"),
        ("domain-name:value", "www.own.example"),
        ("ipv4-addr:value", "203.0.113.3"),
    ] {
        assert!(verdicts(&pattern(property, value), &guard).starts_with("blocklist guarded G005"), "{value}");
    }
    for (property, value) in [
        ("domain-name:value", "www.d.example"),
        ("url:value", "http://c.example/y"),
        ("ipv4-addr:value", "203.0.113.16"),
    ] {
        assert!(verdicts(&pattern(property, value), &guard).starts_with("blocklist exact"), "{value}");
    }
    let (_, files) = converted(&[pattern("ipv4-addr:value", "203.0.113.0/27")], &guard);
    assert_eq!(String::from_utf8_lossy(&files.files["blocklist/ipv4.txt"]), "203.0.113.16/28\n");
}

#[test]
fn a_wrong_list_is_an_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = |options: GuardOptions| Guard::new(&options).unwrap_err();
    let file = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).unwrap();
        vec![Allowed::from_text(name, folder.path())]
    };
    let allow = file("allow.txt", "198.51.100.7\n\ntwo words\n192.0.2.0/33\n");
    let error = wrong(GuardOptions { allow, ..GuardOptions::default() });
    assert_eq!(error.code().0, "G021");
    assert!(error.to_string().ends_with("allow.txt:3: two words is no address, prefix, name, URL or hash"), "{error}");
    let allow = vec![Allowed::from_text("missing.txt", folder.path())];
    assert_eq!(wrong(GuardOptions { allow, ..GuardOptions::default() }).code().0, "G020");
    file("broken.json", r#"{"name": "broken", "type": "#);
    let warninglists = Some(folder.path().to_owned());
    let error = wrong(GuardOptions { warninglists, ..GuardOptions::default() });
    assert_eq!(error.code().0, "G022");
    assert!(error.to_string().contains("line 1 column"), "{error}");
    let rules = vec![Rule::parse("resolver=ignore").unwrap()];
    let error = wrong(GuardOptions { rules, ..GuardOptions::default() });
    assert_eq!((error.code().0, error.help().as_deref()), ("G023", Some("did you mean resolvers?")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// For any prefixes and guards: what is on the list is what was given, without what is guarded.
    #[test]
    fn lists_are_what_was_given_without_what_is_guarded(
        given in vec((any::<u8>(), 24_u8..=32), 1..6),
        guarded in vec((any::<u8>(), 24_u8..=32), 0..6),
    ) {
        let net = |(last, length): &(u8, u8)| format!("198.51.100.{last}/{length}").parse::<ipnet::IpNet>().unwrap().trunc();
        let allow = guarded.iter().map(|one| Allowed::Value(net(one).to_string())).collect();
        let guard = guard(GuardOptions { allow, ..GuardOptions::default() });
        let patterns: Vec<String> = given.iter().map(|one| pattern("ipv4-addr:value", &net(one).to_string())).collect();
        let (_, files) = converted(&patterns, &guard);
        let text = String::from_utf8_lossy(&files.files["blocklist/ipv4.txt"]);
        let listed: Vec<ipnet::IpNet> = text.lines().map(|line| match line.parse() {
            Ok(net) => net,
            Err(_) => line.parse::<std::net::IpAddr>().unwrap().into(),
        }).collect();
        for last in 0..=255_u8 {
            let address = net(&(last, 32));
            let holds = |nets: &[(u8, u8)]| nets.iter().any(|one| net(one).contains(&address));
            let is_left = holds(&given) && !holds(&guarded);
            prop_assert_eq!(listed.iter().any(|listed| listed.contains(&address)), is_left, "{}", address);
        }
    }
}

#[derive(Deserialize)]
struct Case {
    property: String,
    value: String,
    blocklist: String,
}

/// The table of values beside the corpus, each with the right outcome.
#[test]
#[ignore = "needs the corpus: ../shared/corpus, or STIXC_CORPUS"]
fn corpus_each_value_of_the_table_is_guarded_as_it_says() {
    let path = support::corpus::folder().join("../cases/safe/guard.jsonl");
    let rows = fs::read_to_string(&path).unwrap();
    let mut wrong = Vec::new();
    for row in rows.lines().map(|row| serde_json::from_str::<Case>(row).unwrap()) {
        let (finished, _) = converted(&[pattern(&row.property, &row.value)], &Guard::builtin());
        let indicator = &finished.indicators[0];
        let verdict = indicator.targets.get("blocklist").map(|report| report.verdict);
        let is_on_a_list = matches!(verdict, Some(Verdict::Rules(_)));
        let is_kept = row.blocklist.starts_with("kept") || row.blocklist.contains(" without ");
        // A name whose entry covers nothing below it may go either way, where the table says so.
        let is_open = row.blocklist.contains("otherwise as popular lists say");
        let is_refused = verdict.is_none() || verdict == Some(Verdict::Refused);
        let is_right = match verdict {
            _ if is_open => true,
            _ if is_kept => is_on_a_list,
            Some(Verdict::Guarded) => {
                indicator.targets.get("blocklist").is_some_and(|report| !report.losses.is_empty())
            }
            // What is no value at all can't be guarded.
            _ => is_refused && (row.blocklist.contains("refused") || row.value == "."),
        };
        if !is_right {
            wrong.push(format!("{} {}: {verdict:?}, but {}", row.property, row.value, row.blocklist));
        }
        // A detection has no rule about nothing but what everybody needs, or it says what it is about.
        for (target, report) in indicator.targets.iter() {
            let says = report.losses.iter().any(|loss| loss.code.0.starts_with('G'));
            let is_wide = row.blocklist == "too wide";
            if row.blocklist.starts_with("guarded")
                && !is_open
                && !is_wide
                && !says
                && row.value != "."
                && matches!(report.verdict, Verdict::Rules(_))
            {
                wrong.push(format!("{target} says nothing of {} {}", row.property, row.value));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// No entry of any list is on a warninglist whose action is to drop.
#[test]
#[ignore = "needs the corpus: ../shared/corpus, or STIXC_CORPUS"]
fn corpus_no_entry_is_on_a_warninglist() {
    let warninglists = Some(support::corpus::folder().join("warninglists"));
    let guard = guard(GuardOptions { warninglists, ..GuardOptions::default() });
    let patterns: Vec<String> = support::corpus::rows("indicators.jsonl")
        .iter()
        .filter(|row| row["pattern_type"].as_str().is_none_or(|kind| kind == "stix"))
        .filter_map(|row| row["pattern"].as_str().map(str::to_owned))
        .collect();
    let (_, files) = converted(&patterns, &guard);
    let (mut left, mut entries) = (BTreeMap::new(), 0);
    let policy = stixc::guard::Policy::new(Arc::clone(&guard), "blocklist", stixc::guard::Side::Blocking);
    for (list, property) in [
        ("ipv4", "ipv4-addr:value"),
        ("ipv6", "ipv6-addr:value"),
        ("domains", "domain-name:value"),
        ("urls", "url:value"),
        ("md5", "file:hashes.MD5"),
        ("sha256", "file:hashes.'SHA-256'"),
    ] {
        let text = String::from_utf8_lossy(&files.files[&format!("blocklist/{list}.txt")]).into_owned();
        entries += text.lines().count();
        for line in text.lines() {
            let plan = stixc::convert::understand(&pattern(property, line), false).0.unwrap().plan;
            let value = plan.tests().next().unwrap().values[0].clone();
            if let stixc::guard::Judgement::Guarded(found) | stixc::guard::Judgement::Part(_, found) =
                policy.judge(&value)
            {
                left.insert(line.to_owned(), found.message);
            }
        }
    }
    assert!(entries > 1000, "{entries}");
    assert!(left.is_empty(), "{left:#?}");
}
