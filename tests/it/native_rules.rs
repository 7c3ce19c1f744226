//! Rules that come ready-made in indicators: whatever is in them, the rules beside them go on as before.

use crate::support::{
    feeds::{Outputs, id, indicator},
    program::{errors, stixc},
    validators::{file, scratch, suricata},
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

/// A Sigma rule about DNS, with this detection.
fn sigma(detection: &str) -> String {
    format!("title: T\nlogsource:\n    category: dns\ndetection:\n{detection}    condition: s\n")
}

/// What ready-made rules ask for, of everybody's and of nobody's.
fn guarded_and_hostile() -> Vec<(&'static str, String, &'static str, &'static str)> {
    let mut all: Vec<(&str, String, &str, &str)> = Vec::new();
    for (selection, verdict, code) in [
        ("query: evil.example", "exact", ""),
        ("query: ''", "guarded", "G030"),
        ("query: '*'", "guarded", "G030"),
        ("query|re: .*", "guarded", "G030"),
        ("query|endswith: .com", "guarded", "G030"),
        ("query: login.microsoftonline.com", "guarded", "G004"),
        ("query: google.com", "exact", "G011"),
        ("EventID: 1", "guarded", "G030"),
        ("DestinationPort: 443", "guarded", "G030"),
        ("DestinationIp: 8.8.8.8", "guarded", "G004"),
        ("DestinationIp: [8.8.8.8, 203.0.113.9]", "exact", "G011"),
        ("Image|endswith: '\\cmd.exe'", "guarded", "G030"),
        ("md5: d41d8cd98f00b204e9800998ecf8427e", "guarded", "G007"),
        ("query|nosuch: evil.example", "", "R010"),
        ("query: {a: b}", "", "R010"),
    ] {
        all.push(("sigma", sigma(&format!("    s:\n        {selection}\n")), verdict, code));
    }
    let evil = || sigma("    s:\n        query: evil.example\n");
    all.push(("sigma", evil().replace("condition: s", "condition: not s"), "guarded", "G030"));
    all.push(("sigma", evil().replace("condition: s", "condition: s and other"), "", "R010"));
    all.push(("sigma", evil().replace("    category: dns", "    definition: dns"), "", "R010"));
    all.push(("sigma", evil().replace("title: T", "title: [T]"), "", "R010"));
    all.push(("sigma", format!("{}stix_id: indicator--9\n", evil()), "refused", "R102"));
    all.push(("sigma", format!("id: one\n{}", evil()), "exact", "R103"));
    for (header, options, verdict, code) in [
        ("ip 8.8.8.8 any -> any any", "", "guarded", "G004"),
        ("ip any any -> 0.0.0.0/1 any", "", "guarded", "G002"),
        ("ip any any -> 10.0.0.0/8 any", "", "guarded", "G001"),
        ("ip any any -> 203.0.113.9 any", "tag:host,600,seconds,src; ", "refused", "R124"),
        ("ip any any -> 203.0.113.9 any", "metadata:stix_id indicator--9; ", "unchecked", ""),
        ("dns any any -> any any", "dns.query; content:\"google.com\"; ", "unchecked", "G011"),
        ("dns any any -> any any", "dns.query; content:\"oogle.com\"; ", "guarded", "G030"),
        ("tls any any -> any any", "tls.sni; content:\"login.microsoftonline.com\"; ", "guarded", "G004"),
        ("http any any -> any any", "http.method; content:\"GET\"; ", "guarded", "G030"),
        ("tcp any any -> any any", "content:\"|00 00 00 00|\"; ", "guarded", "G030"),
    ] {
        all.push(("suricata", format!("alert {header} (msg:\"q\"; {options}sid:1;)"), verdict, code));
    }
    for (body, verdict, code) in [
        ("strings: $a = \"MZ\" condition: $a", "guarded", "G030"),
        ("strings: $a = \"evil!\" $b = { 00 00 00 00 } condition: any of them", "guarded", "G030"),
        ("strings: $a = \"evil!\" $b = { 00 00 00 00 } condition: all of them", "unchecked", ""),
        ("strings: $a = \"This program cannot be run in DOS mode\" condition: $a", "guarded", "G030"),
        ("strings: $a = /.*/ condition: $a", "unchecked", "G030"),
        ("condition: hash.md5(0, filesize) == \"d41d8cd98f00b204e9800998ecf8427e\"", "guarded", "G007"),
    ] {
        all.push(("yara", format!("import \"hash\" rule a {{ {body} }}"), verdict, code));
    }
    all
}

#[test]
fn each_is_weighed_as_a_compiled_rule_is() {
    let outputs = Outputs::default();
    let table = guarded_and_hostile();
    let feed: Vec<Value> = (0..).zip(&table).map(|(number, row)| native(number, row.0, &row.1)).collect();
    let found = report(&outputs, &feed, &["--check-native", "no", "--keep-going"]);
    for (number, (language, text, verdict, code)) in (0..).zip(&table) {
        let (found, mut codes) = fate(&found, number, language);
        codes.remove("R012");
        assert_eq!(found, *verdict, "{text}: {codes:?}");
        assert!(if code.is_empty() { codes.is_empty() } else { codes.contains(*code) }, "{text}: {codes:?}");
    }
    // What the user lifts is lifted, and what the user guards is guarded.
    let lifted = report(
        &outputs,
        &feed,
        &["--check-native", "no", "--keep-going", "--guard", "breadth=ignore", "--guard", "resolvers=ignore"],
    );
    let own = report(&outputs, &feed, &["--check-native", "no", "--keep-going", "--allow", "evil.example"]);
    for (number, (language, text, verdict, code)) in (0..).zip(&table) {
        let expected = if ["G030", "G004"].contains(code) && *language == "sigma" && *verdict == "guarded" {
            "exact"
        } else {
            verdict
        };
        if !text.contains("microsoft") && *language == "sigma" {
            assert_eq!(fate(&lifted, number, language).0, expected, "{text}");
        }
        if *verdict == "exact" && text.contains("evil.example") {
            assert_eq!(fate(&own, number, language).0, "guarded", "{text}");
        }
    }
}

#[test]
fn no_two_sigma_rules_have_one_id() {
    let outputs = Outputs::default();
    let own = "0f6b5a3c-0000-4000-8000-000000000000";
    let rule = |name: &str| format!("id: {own}\nlevel: high\n{}", sigma(&format!("    s:\n        query: {name}\n")));
    let feed = [
        native(1, "sigma", &rule("a.example")),
        native(2, "sigma", &rule("b.example")),
        native(3, "sigma", &rule("google.com")),
    ];
    outputs.convert("out", &feed, &["-t", "sigma"]);
    let files = fs::read_dir(outputs.path("out/sigma")).unwrap();
    let paths = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "yml"));
    let texts: Vec<String> = paths.map(|path| fs::read_to_string(path).unwrap()).collect();
    let ids: BTreeSet<&str> =
        texts.iter().filter_map(|text| text.lines().find_map(|line| line.strip_prefix("id: "))).collect();
    assert_eq!((texts.len(), ids.len()), (3, 3), "{texts:?}");
    assert_eq!(texts.iter().filter(|text| text.contains(&format!("native_id: '{own}'"))).count(), 2);
    let kept = texts.iter().find(|text| text.contains("google.com")).unwrap();
    assert!(kept.contains("level: medium\n") && kept.contains("stix_warning: 'G011 "), "{kept}");
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
    let stock = suricata::configuration("files.yaml");
    let configuration = fs::read_to_string(stock.path().join("suricata.yaml")).unwrap();
    // As a sensor has it: fifteen alerts of a packet are kept.
    assert!(configuration.contains("packet-alert-max: 255"));
    let configuration =
        file(&stock, "sensor.yaml", configuration.replace("packet-alert-max: 255", "packet-alert-max: 15"));
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
