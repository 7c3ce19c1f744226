//! Rules that come ready-made in indicators: whatever is in them, the rules beside them go on as before.

use crate::support::{
    feeds::{Outputs, id, indicator},
    program::{errors, stixc},
    validators::{file, project, scratch},
};

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
};

use serde_json::{Value, json};
use stixc::{
    targets::suricata::engine,
    witness::capture::{
        Capture,
        dns::RecordType,
        http::{Request, Response, VERSION},
    },
};

/// Language, text, what becomes of it in the target of that language where no engine is asked, and the code that says why.
const TABLE: &[(&str, &str, &str, &str)] = &[
    (
        "suricata",
        "[alert dns any any -> any any (msg:\"q\"; dns.query; content:\"evil.example\"; sid:1;)]",
        "unchecked",
        "W060",
    ),
    ("suricata", "alert dns any any -> any any (msg:\"q\"; dns.query; content:\"evil.example\";)", "unchecked", ""),
    ("suricata", "# off\nalert ip any any -> \\\n 192.0.2.1 any (msg:\"q\"; sid:1;)\n\n", "unchecked", ""),
    ("Suricata", "pass ip any any -> 192.0.2.1 any (msg:\"q\"; sid:1;)", "refused", "R123"),
    ("suricata", "alert ip any any -> 192.0.2.1 any (msg:\"q\"; bypass; sid:1;)", "refused", "R124"),
    ("suricata", "alert tcp any any -> any 443 (msg:\"q\"; sid:1;)", "guarded", "G030"),
    ("suricata", "this is no rule", "", "R010"),
    ("yara", "[rule a { condition: filesize == 17 }]", "unchecked", "W060"),
    ("YARA", "rule a { strings: $meta = \"x1y2\" condition: $meta }", "unchecked", ""),
    ("yara", "global rule a { condition: filesize < 10 }", "refused", "R153"),
    ("yara", "rule a { condition: true }", "guarded", "G030"),
    ("yara", "[file:name = 'evil.exe']", "", "R010"),
    (
        "sigma",
        "[title: T\nlogsource:\n  category: dns\ndetection:\n  s:\n    query: a.example\n  condition: s\n]",
        "exact",
        "W060",
    ),
    ("kql", "DeviceNetworkEvents | where RemoteIP == \"203.0.113.9\"", "n/a", "S060"),
    ("snort", "alert tcp any any -> 192.0.2.1 80 (msg:\"a\"; sid:1;)", "n/a", "S060"),
];

fn native(number: usize, language: &str, text: &str) -> Value {
    let mut native = indicator(number, text);
    native["pattern_type"] = json!(language);
    native
}

/// Converts a feed, and gives its report.
fn report(outputs: &Outputs, feed: &[Value], more: &[&str]) -> Value {
    let path = outputs.path("report.json");
    let arguments: Vec<&str> = ["--report", &path].into_iter().chain(more.iter().copied()).collect();
    outputs.convert("out", feed, &arguments);
    serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap()
}

/// The verdict of an indicator in the target of its language, or in Sigma where no target speaks it, and all codes of it.
fn fate(report: &Value, number: usize, language: &str) -> (String, BTreeSet<String>) {
    let wanted = id(number);
    let indicator = report["indicators"].as_array().unwrap().iter().find(|one| one["id"] == wanted.as_str());
    let Some(indicator) = indicator else { return (String::new(), BTreeSet::new()) };
    let language = language.to_lowercase();
    let target = if ["suricata", "yara"].contains(&language.as_str()) { language.as_str() } else { "sigma" };
    let entry = &indicator["targets"][target];
    let of = |list: &Value| -> Vec<String> {
        let all = list.as_array().into_iter().flatten();
        all.map(|one| one["code"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let codes = of(&indicator["diagnostics"]).into_iter().chain(of(&entry["losses"]));
    (entry["verdict"].as_str().unwrap_or_default().to_owned(), codes.collect())
}

#[test]
fn each_ends_with_a_verdict_and_a_reason() {
    let outputs = Outputs::default();
    let feed: Vec<Value> = (0..).zip(TABLE).map(|(number, row)| native(number, row.0, row.1)).collect();
    let report = report(&outputs, &feed, &["--check-native", "no"]);
    for (number, (language, text, verdict, code)) in (0..).zip(TABLE) {
        let (found, mut codes) = fate(&report, number, language);
        assert_eq!(found, *verdict, "{text}: {codes:?}");
        assert_eq!(codes.remove("R012"), *verdict == "unchecked", "{text}: {codes:?}");
        assert!(code.is_empty() || codes.contains(*code), "{text}: {codes:?}");
        assert!(!code.is_empty() || codes.is_empty(), "{text}: {codes:?}");
    }
    let file = |name: &str| fs::read_to_string(format!("{}/{name}", outputs.path("out"))).unwrap_or_default();
    assert_eq!(file("suricata/unchecked.rules").lines().filter(|line| line.starts_with("alert ")).count(), 3);
    assert!(file("suricata/native.rules").is_empty() && file("yara/native.yar").is_empty());
    assert_eq!(file("yara/unchecked.yar").matches("\nrule a_").count(), 2);
    let required = stixc(&["convert", &outputs.path("out.json"), "-t", "yara", "--check-native", "sometimes"]);
    assert!(errors(&required).contains("auto, no, require"), "{}", errors(&required));
}

/// A capture in which a name is asked for and a page is fetched.
fn traffic() -> Capture {
    let server = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
    let mut capture = Capture::new();
    let asks = capture.flow_to(SocketAddr::new(server, 53));
    let gets = capture.flow_to(SocketAddr::new(server, 80));
    capture.dns_query(asks, "evil.example", RecordType::A).unwrap();
    let headers = [("Host", "evil.example"), ("User-Agent", "curl/8.0")];
    let request = Request { method: "GET", target: "/evil/gate", version: VERSION, headers: &headers, body: b"" };
    capture.http(gets, request, Response { headers: &[], body: b"" }).unwrap();
    capture
}

/// How often each of our own rules alerts, beside whatever else is loaded.
fn alerts(out: &str, ours: &BTreeSet<u32>) -> BTreeMap<u32, usize> {
    let folder = scratch();
    let read = |name: &str| fs::read_to_string(format!("{out}/suricata/{name}")).unwrap_or_default();
    // Those of the feed come first in the file, where a sensor's order would favour them.
    let rules = file(&folder, "all.rules", &(read("native.rules") + &read("unchecked.rules") + &read("stixc.rules")));
    let configuration = fs::read_to_string(project("templates/suricata/verify.yaml")).unwrap();
    // As a sensor has it: fifteen alerts of a packet are kept.
    assert!(configuration.contains("packet-alert-max: 255"));
    let configuration =
        file(&folder, "sensor.yaml", configuration.replace("packet-alert-max: 255", "packet-alert-max: 15"));
    let capture = folder.path().join("traffic.pcap");
    fs::write(&capture, traffic().bytes()).unwrap();
    let all = engine::alerts(&configuration, &rules, Path::new(&capture), &["-k", "none"]).unwrap();
    let mut counted = BTreeMap::new();
    all.iter().filter(|alert| ours.contains(&alert.sid)).for_each(|alert| *counted.entry(alert.sid).or_default() += 1);
    counted
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_alerts_as_it_would_without_the_rules_of_a_feed() {
    let own = [
        indicator(1, "[domain-name:value = 'evil.example']"),
        indicator(2, "[url:value = 'http://evil.example/evil/gate']"),
        indicator(3, "[ipv4-addr:value = '198.51.100.7']"),
    ];
    let rule = |options: &str| format!("alert http any any -> any any (msg:\"x\"; {options} sid:1; rev:1;)");
    let mut hostile: Vec<String> = vec![
        "pass ip any any -> any any (msg:\"x\"; sid:1;)".to_owned(),
        "pass dns any any -> any any (msg:\"x\"; dns.query; content:\"evil\"; sid:2;)".to_owned(),
        "drop ip any any -> 198.51.100.7 any (msg:\"x\"; sid:3;)".to_owned(),
        "config dns any any -> any any (msg:\"x\"; dns.query; content:\"evil\"; config: logging disable, type tx, scope tx; sid:4;)".to_owned(),
        rule("http.uri; content:\"/evil\"; bypass;"),
        rule("http.uri; content:\"/evil\"; lua:x.lua;"),
        rule("http.uri; content:\"/evil\"; flowbits:set,a;"),
        rule("http.uri; content:\"/evil\"; flowbits:isset,a;"),
        rule("content:\"\"; http.host;"),
    ];
    // Many that alert on the same packets, each claiming to be the most important.
    hostile.extend(
        (0..40).map(|number| rule(&format!("http.user_agent; content:\"curl\"; dsize:>{number}; priority:1;"))),
    );
    hostile.extend((0..40).map(|number| {
        format!(
            "alert ip any any -> 198.51.100.7 any (msg:\"y\"; ttl:!{number}; priority:1; gid:3; sid:{};)",
            1_000_000 + number
        )
    }));
    let outputs = Outputs::default();
    outputs.convert("without", &own, &["--check-native", "no"]);
    let natives = (10..).zip(&hostile).map(|(number, text)| native(number, "suricata", text));
    let feed: Vec<Value> = own.iter().cloned().chain(natives).collect();
    let report = {
        let path = outputs.path("report.json");
        outputs.convert("with", &feed, &["--check-native", "auto", "--report", &path]);
        serde_json::from_str::<Value>(&fs::read_to_string(&path).unwrap()).unwrap()
    };
    let taken = report["summary"]["verdicts"]["suricata"]["exact"].as_u64().unwrap();
    assert!(taken > 40, "the crowd was not let in: {}", report["summary"]);
    let sids = |out: &str| -> BTreeSet<u32> {
        let rules = fs::read_to_string(format!("{}/suricata/stixc.rules", outputs.path(out))).unwrap();
        rules.lines().filter_map(|line| line.rsplit_once("sid:")?.1.split(';').next()?.parse().ok()).collect()
    };
    let ours = sids("without");
    assert_eq!(ours, sids("with"));
    let before = alerts(&outputs.path("without"), &ours);
    assert!(before.len() >= 3, "{before:?}");
    assert_eq!(alerts(&outputs.path("with"), &ours), before);
}

/// What a row of the cases asks for, as the verdicts that satisfy it.
fn wanted(want: &str) -> &'static [&'static str] {
    match want {
        _ if want.starts_with("not applicable") || want.starts_with("other language") => &["n/a"],
        _ if want.starts_with("guarded") => &["guarded"],
        _ if want.starts_with("invalid") => &[""],
        _ if want.starts_with("read as STIX or refused") => &["", "exact"],
        _ if want.starts_with("read as STIX") => &["exact", "broader", "narrower"],
        // What a reader refuses has no verdict; what the engine or the guard refuses has one.
        _ if want.starts_with("rule or refused") || want.starts_with("refused or rule") => {
            &["", "refused", "guarded", "exact"]
        }
        _ if want.starts_with("refused") => &["", "refused"],
        _ => &["exact"],
    }
}

#[test]
#[ignore = "needs suricata, yara and the corpus: tests/run, ../shared/corpus or STIXC_CORPUS"]
fn corpus_suricata_yara_cases_end_as_their_rows_say() {
    let corpus = std::env::var("STIXC_CORPUS").unwrap_or_else(|_| "../shared/corpus".to_owned());
    let text = fs::read_to_string(format!("{corpus}/../cases/safe/native.jsonl")).unwrap();
    let mut rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // An object without a pattern is no indicator, which the reader of bundles says (S007).
    rows.retain(|row| row["pattern"] != "");
    assert!(rows.len() > 60);
    let word = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let mut feed = Vec::new();
    for (number, row) in (0..).zip(&rows) {
        let mut one = native(number, "", &word(row, "pattern"));
        match row["pattern_type"].as_str() {
            Some(language) => one["pattern_type"] = json!(language),
            None => drop(one.as_object_mut().unwrap().remove("pattern_type")),
        }
        feed.push(one);
    }
    let outputs = Outputs::default();
    let report = report(&outputs, &feed, &[]);
    let mut wrong = Vec::new();
    for (number, row) in (0..).zip(&rows) {
        let (name, want) = (word(row, "name"), word(row, "want"));
        // True of every file, and its string is unreferenced: neither engine would take it.
        if name == "y_unused" {
            continue;
        }
        let (verdict, codes) = fate(&report, number, &word(row, "pattern_type"));
        // Suricata 7 and 8 differ in this one.
        let fits = wanted(&want).contains(&verdict.as_str()) || (want.contains("rule on 8") && verdict == "exact");
        let is_said = verdict == "exact" || !codes.is_empty();
        let is_warned = !want.contains("W code") && !want.contains("with a warning") || !codes.is_empty();
        if !fits || !is_said || !is_warned {
            wrong.push(format!("{name}: {verdict:?} {codes:?}, wanted: {want}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
