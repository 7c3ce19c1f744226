//! Suricata: what becomes a rule, how it is numbered, and what the sensor makes of it.

use crate::support;
use crate::support::emission;
mod traffic;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use emission::{Memory, content, emit, prepared, rule};
use stixc::{
    pattern,
    plan::{adapt::Accept, lower::lower, schema},
    stix::{Timestamp, Tlp},
    targets::{
        Target,
        contract::{Content, EmitError, Origin, Rule},
        find,
        mapping::Mapping,
        native::{NativeFault, NativePolicy, NativeText},
        record::EmittedRule,
        suricata::{Suricata, lock::SidRange},
    },
};
use support::validators::{self, suricata};

const RULES: &str = "suricata/stixc.rules";
const LOCK: &str = "stixc.lock";

fn target() -> &'static dyn Target {
    find("suricata").unwrap()
}

fn id(index: usize) -> String {
    format!("indicator--00000000-0000-4000-8000-{index:012}")
}

fn rules(patterns: &[&str]) -> Vec<Rule> {
    emission::rules(target(), patterns.iter().enumerate().map(|(index, text)| (id(index), *text)))
}

/// The lines that are rules.
fn lines(memory: &Memory) -> Vec<&str> {
    memory.text(RULES).lines().filter(|line| !line.starts_with('#')).collect()
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../../../snapshots/suricata", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

/// What the target says of a pattern: verdict, codes, and the match of each rule.
fn verdict(text: &str) -> String {
    let codes = |codes: &mut dyn Iterator<Item = &'static str>| codes.collect::<Vec<_>>().join(" ");
    match content(target(), text) {
        Ok(Content::Compiled(lowered)) => {
            let codes = codes(&mut lowered.losses.iter().map(|loss| loss.code.0));
            let head = format!("{} {codes}", lowered.fidelity);
            let memory = emit(target(), vec![rule(target(), "x", text)]);
            let body = lines(&memory).into_iter().map(|line| {
                let (header, rest) = line.split_once(" (msg:").unwrap();
                let options = rest.split_once("\"; ").unwrap().1.split("classtype:").next().unwrap();
                format!("\n    {header} {options}").trim_end().to_owned()
            });
            let mut body: Vec<String> = body.collect();
            body.sort();
            head.trim_end().to_owned() + &body.concat()
        }
        Ok(Content::Native(_)) => "native".to_owned(),
        Err(refusal) => {
            let reasons = refusal.reasons.iter().map(|loss| format!("\n    {} {}", loss.code, loss.message));
            format!("refused{}", reasons.collect::<String>())
        }
    }
}

const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Patterns that feeds write.
const FEED: &[&str] = &[
    "[domain-name:value = 'Evil.example']",
    "[domain-name:value = 'büro.example' OR domain-name:value = 'a_b.evil.example']",
    "[ipv4-addr:value = '198.51.100.7']",
    "[ipv4-addr:value IN ('198.51.100.4', '198.51.100.5', '198.51.100.6', '203.0.113.9')]",
    "[ipv4-addr:value ISSUBSET '192.0.2.128/25']",
    "[ipv6-addr:value = '2001:db8::1' OR ipv6-addr:value = '2001:db8::']",
    "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.9']",
    "[network-traffic:dst_ref.value = '203.0.113.9' AND network-traffic:dst_port IN (80, 443) AND network-traffic:protocols[*] = 'tcp']",
    "[url:value = 'http://evil.example:8080/a b?c=1&d={{e}}']",
    "[url:value = 'evil.example/path'] OR [url:value = 'other.example']",
    "[url:value = 'https://evil.example/']",
    "[file:hashes.MD5 = 'D41D8CD98F00B204E9800998ECF8427E']",
    "[file:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709' AND file:name = 'a.exe']",
    "[file:hashes.'SHA-256' = 'E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855' OR file:hashes.MD5 = '00000000000000000000000000000001']",
    "[x509-certificate:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709']",
];

#[test]
fn the_files_of_a_feed() {
    snapshot("target-feed", &emit(target(), rules(FEED)).all());
}

#[test]
fn what_becomes_of_patterns() {
    let patterns = [
        // Names.
        "[domain-name:value = 'evil.example']",
        "[domain-name:value LIKE '%.evil.example']",
        "[domain-name:value LIKE 'c%.evil._xample']",
        "[domain-name:value MATCHES '^(a|b)[0-9]+\\\\.evil\\\\.example$']",
        "[domain-name:value MATCHES '(?=evil)']",
        "[domain-name:value != 'evil.example']",
        "[domain-name:value = 'evil.example' AND network-traffic:dst_port = 8443]",
        "[network-traffic:dst_ref.value = 'evil.example']",
        "[network-traffic:dst_ref.value = '203.0.113.8' AND domain-name:value NOT IN ('a.example', 'b.example')]",
        // Addresses and ports.
        "[ipv4-addr:value = '203.0.113.9' AND network-traffic:dst_port = 80]",
        "[ipv4-addr:value = '203.0.113.9' AND ipv4-addr:value = '203.0.113.8']",
        "[ipv4-addr:value != '203.0.113.9']",
        "[ipv4-addr:value LIKE '203.0.113.%']",
        "[ipv4-addr:value LIKE '203.0.1%']",
        "[network-traffic:src_ref.value = '203.0.113.8' AND network-traffic:dst_ref.value ISSUBSET '10.0.0.0/8' AND network-traffic:dst_ref.value != '10.0.0.1']",
        "[network-traffic:dst_port < 1024 AND network-traffic:dst_port != 443 AND network-traffic:protocols[*] = 'udp']",
        "[network-traffic:dst_port = 80 AND network-traffic:dst_port = 81]",
        "[network-traffic:src_ref.value = '203.0.113.8' AND network-traffic:protocols[*] = 'ssh']",
        "[network-traffic:dst_ref.value = '203.0.113.8' AND network-traffic:protocols[*] = 'udp' AND network-traffic:protocols[*] = 'dns']",
        "[network-traffic:protocols[*] = 'ipv4' AND network-traffic:protocols[*] = 'tcp' AND network-traffic:dst_port = 4444]",
        "[network-traffic:protocols[*] = 'tcp' AND network-traffic:protocols[*] = 'udp']",
        "[network-traffic:protocols[*] = 'carrier-pigeon']",
        "[network-traffic:protocols[*] = 'icmp' AND network-traffic:extensions.'icmp-ext'.icmp_type_hex = '08']",
        // URLs.
        "[url:value = 'http://evil.example/']",
        "[url:value = 'http://203.0.113.9:81/x']",
        "[url:value = 'http://[2001:db8::1]/x#frag']",
        "[url:value = 'https://evil.example/x']",
        "[url:value = 'http://evil.example/x' OR url:value = 'https://evil.example/x']",
        "[url:value = 'tcp://203.0.113.9:443/']",
        "[url:value LIKE 'http://evil.example/gate/%.php']",
        "[url:value LIKE 'http://%.evil.example/gate.php?%']",
        "[url:value LIKE '%evil%']",
        "[url:value = 'http://*:80/eye/']",
        // HTTP.
        "[network-traffic:extensions.'http-request-ext'.request_method = 'post' AND network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'bad/1.0' AND network-traffic:extensions.'http-request-ext'.request_header.'X-Key' = 'Abc']",
        "[network-traffic:extensions.'http-request-ext'.request_value LIKE '/gate.php?id=%' AND network-traffic:dst_ref.value = '203.0.113.9']",
        // Files.
        "[file:name = 'invoice.exe']",
        "[file:name LIKE 'inv%.exe' AND file:size > 100 AND file:size <= 2000]",
        "[file:size != 7 AND file:name = 'a']",
        "[file:hashes.'SHA-256' = 'E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855' AND file:hashes.MD5 = '00000000000000000000000000000001']",
        "[file:hashes.'SHA-256' = 'E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855' AND url:value = 'http://a.example/b']",
        "[file:hashes.'SHA-256' = 'E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855' AND network-traffic:dst_ref.value = '203.0.113.9']",
        "[file:hashes.'SHA-512' = '00']",
        "[file:hashes.SSDEEP = '3:abc:def']",
        "[file:name MATCHES '^inv.*[.]exe$']",
        // Mail.
        "[email-addr:value = 'a.b@evil.example']",
        "[email-message:from_ref.value = 'a.b@evil.example' AND email-message:to_refs[*].value LIKE '%@good.example']",
        "[email-message:subject = 'Invoice']",
        // Certificates.
        "[x509-certificate:hashes.'SHA-256' = 'E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855' AND x509-certificate:serial_number = '5c:19:0']",
        "[x509-certificate:subject = 'CN=evil.example']",
        // Several observations, and what is on a host.
        "[domain-name:value = 'a.example'] FOLLOWEDBY [ipv4-addr:value = '203.0.113.9']",
        "[ipv4-addr:value = '203.0.113.9'] REPEATS 3 TIMES",
        "[process:command_line = 'x']",
        "[domain-name:value = 'a.example' OR process:command_line = 'x']",
        "[domain-name:value = 'a.example' AND process:command_line = 'x']",
    ];
    let text: String = patterns.iter().map(|text| format!("{text}\n  {}\n", verdict(text))).collect();
    snapshot("target-verdicts", &text);
}

/// An indicator that has everything.
fn full(index: usize, text: &str) -> Rule {
    let moment = |seconds| Timestamp::from_unix_seconds(seconds).ok();
    let origin = Origin {
        id: id(index),
        sources: vec![id(index), id(index + 1)],
        name: "Evil \"C2\"; of {{them}}: \\o/".to_owned(),
        description: "Ignored".to_owned(),
        references: vec!["https://report.example/a;b".to_owned(), "not a URL".to_owned()],
        labels: vec!["malicious-activity".to_owned(), "C2".to_owned()],
        confidence: Some(85),
        tlp: Some(Tlp::AmberStrict),
        created: moment(1_700_000_000),
        modified: moment(1_710_000_000),
        malware: vec!["Evil, the; worm".to_owned()],
        techniques: vec!["T1071.001".to_owned()],
        ..Origin::default()
    };
    Rule { origin: Arc::new(origin), content: content(target(), text).unwrap() }
}

#[test]
fn a_rule_tells_where_it_comes_from() {
    let memory = emit(target(), vec![full(1, "[domain-name:value = 'evil.example' AND process:name = 'a']")]);
    snapshot("target-metadata", memory.text(RULES));
}

#[test]
fn the_order_of_the_input_does_not_matter() {
    let mut turned = rules(FEED);
    turned.reverse();
    let (forward, backward) = (emit(target(), rules(FEED)), emit(target(), turned));
    assert_eq!(forward.all(), backward.all());
}

/// Rules by their numbers, in a run behind another one.
fn next_run(before: &Memory, rules: Vec<Rule>) -> Memory {
    let mut memory = Memory::new(target());
    memory.before = before.files.clone();
    emission::prepared(target(), Accept::ALL).emit(rules, &mut memory).unwrap();
    memory
}

#[test]
fn one_changed_indicator_changes_one_rule() {
    let first = emit(target(), rules(FEED));
    assert_eq!(next_run(&first, rules(FEED)).all(), first.all());
    let mut changed = FEED.to_vec();
    changed[2] = "[ipv4-addr:value = '198.51.100.8']";
    let second = next_run(&first, rules(&changed));
    assert_eq!(second.names, first.names);
    let (before, after): (BTreeSet<&str>, BTreeSet<&str>) =
        (lines(&first).into_iter().collect(), lines(&second).into_iter().collect());
    let new: Vec<&&str> = after.difference(&before).collect();
    assert_eq!(new.len(), 1);
    assert!(new[0].contains("198.51.100.8") && new[0].ends_with("rev:2;)"), "{new:?}");
    let third = next_run(&second, rules(FEED));
    assert!(lines(&third).iter().any(|line| line.contains("<> 198.51.100.7 any") && line.ends_with("rev:3;)")));
}

#[test]
fn what_is_gone_stays_in_the_lock() {
    let first = emit(target(), rules(FEED));
    let second = next_run(&first, rules(&FEED[..1]));
    assert_eq!(lines(&second).len(), 3);
    assert_eq!(second.text(LOCK).lines().count(), first.text(LOCK).lines().count());
    let third = next_run(&second, rules(FEED));
    assert_eq!(third.all(), first.all());
}

#[test]
fn a_damaged_lock_and_a_full_range_are_errors() {
    let mut memory = Memory::new(target());
    memory.before.insert(LOCK.to_owned(), b"stixc".to_vec());
    let error = emission::prepared(target(), Accept::ALL).emit(rules(FEED), &mut memory).unwrap_err();
    assert!(matches!(error, EmitError::Previous { .. }), "{error}");
    assert!(memory.files.is_empty());
    let narrow = Suricata { sids: SidRange { first: 1, last: 2 } };
    let error = emission::prepared(&narrow, Accept::ALL).emit(rules(FEED), &mut Memory::new(target())).unwrap_err();
    assert!(matches!(error, EmitError::Exhausted(_)), "{error}");
}

#[test]
fn no_rule_is_a_file_all_the_same() {
    let memory = emit(target(), Vec::new());
    assert_eq!(memory.files.keys().collect::<Vec<_>>(), [RULES]);
    assert!(memory.text(RULES).starts_with("# ") && lines(&memory).is_empty());
}

#[test]
fn ready_made_rules_get_numbers_of_their_own_and_keep_them() {
    let text = "alert ip any any -> 192.0.2.7 any (msg:\"native\"; sid:1000001; rev:4;)";
    let native = |index, text: &str| {
        let origin = Origin { id: id(index), sources: vec![id(index)], name: "n".to_owned(), ..Origin::default() };
        let read = target().read_native(text, &NativePolicy::default()).unwrap();
        Rule {
            origin: Arc::new(origin),
            content: Content::Native(NativeText { text: read.text, is_compiled: true, warnings: Vec::new() }),
        }
    };
    let two = format!("# two\n{text}\n{}", text.replace("192.0.2.7", "192.0.2.8"));
    let all = || -> Vec<Rule> {
        [rules(&FEED[2..3]), vec![native(7, text), native(8, &two)]].into_iter().flatten().collect()
    };
    let memory = emit(target(), all());
    let numbers: BTreeSet<&String> = memory.names.values().flatten().collect();
    let ours = memory.names[&0].len();
    assert_eq!(numbers.len(), ours + 3, "{:?}", memory.names);
    let file = memory.text("suricata/native.rules");
    let ready: Vec<&str> = file.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(ready.len(), 3);
    assert!(ready.iter().all(|line| line.contains("native_sid 1000001, native_rev 4; sid:")), "{file}");
    assert_eq!(next_run(&memory, all()).names, memory.names);
    let changed = vec![native(7, &text.replace("192.0.2.7", "192.0.2.9"))];
    let after = next_run(&memory, changed);
    assert_eq!(after.names[&0], memory.names[&1]);
    assert!(after.text("suricata/native.rules").ends_with("rev:2;)\n"));
}

#[test]
fn weaker_kinds_of_hashes_have_files_of_their_own() {
    let one = ["[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']"];
    let memory = emit(target(), rules(&one));
    assert!(memory.said.is_empty() && memory.text(RULES).contains("filemd5:lists/md5.list"));
    let (hash, named) = (format!("[file:hashes.'SHA-256' = '{SHA256}']"), "[file:name = 'a.exe' AND file:size = 7]");
    let memory = emit(target(), rules(&[one[0], &hash, named]));
    assert_eq!(memory.said.iter().map(|note| note.code.0).collect::<Vec<_>>(), ["R122"]);
    let alone = memory.text("suricata/md5.rules");
    assert!(alone.contains("filemd5:lists/md5.list") && alone.contains("hashes.yaml") && !alone.contains("filesha256"));
    assert!(!memory.text(RULES).contains("filemd5") && memory.text(RULES).contains("a.exe"));
    assert!(memory.text("suricata/hashes.yaml").contains("force-hash"));
    assert!(memory.text("suricata/lists/sha256.list").starts_with(&format!("{SHA256}  stix_id {}", id(1))));
}

/// Values that would like to be something else.
const HOSTILE: &[&str] = &[
    "\"; sid:1; msg:\"x",
    "a;b",
    "a\\",
    "\\\"",
    "a\nalert ip any any -> any any (msg:\"x\"; sid:2;)",
    "a\r\nb",
    "{{msg}}",
    "{{#each rules}}",
    "|41|",
    "a|",
    "!a",
    "é–“x”",
    "\u{202e}a",
    "a\u{0}b",
    "a/b",
    "$HOME_NET",
    "a)",
    "a#b",
    "%",
    "a%b_c;\"",
    "[a-z];\"/",
    "a{1,2}\\;",
    " a ",
    "lists/x.list",
];

/// Patterns that hold a value in every place that takes free text.
fn hostile_patterns(value: &str) -> Vec<String> {
    let literal = value.replace('\\', "\\\\").replace('\'', "\\'");
    let header = "network-traffic:extensions.'http-request-ext'.request_header";
    let mut patterns = vec![
        format!("[file:name = '{literal}']"),
        format!("[file:name LIKE 'a{literal}%b']"),
        format!("[url:value = 'http://evil.example/{literal}']"),
        format!("[url:value LIKE 'http://evil.example/{literal}%']"),
        format!("[network-traffic:extensions.'http-request-ext'.request_value = '{literal}']"),
        format!("[network-traffic:extensions.'http-request-ext'.request_value MATCHES '{literal}']"),
        format!("[{header}.'User-Agent' != '{literal}' AND {header}.Cookie = '{literal}']"),
        format!("[{header}.'X-{literal}' = '{literal}']"),
        format!("[domain-name:value MATCHES '{literal}']"),
        format!("[domain-name:value LIKE '%{literal}']"),
        format!("[x509-certificate:subject = '{literal}']"),
        format!("[x509-certificate:serial_number = '{literal}']"),
        format!("[network-traffic:protocols[*] = '{literal}' AND network-traffic:dst_port = 1]"),
        format!("[file:hashes.'SHA-256' = '{literal}']"),
        format!("[file:name MATCHES '{literal}']"),
        format!("[email-addr:value = '{literal}']"),
        format!("[email-message:from_ref.value LIKE '%{literal}']"),
        format!("[email-message:sender_ref.value = '{literal}']"),
    ];
    // Some are no pattern: a NUL in a key, for one.
    patterns.retain(|text| pattern::parse(text).is_ok());
    patterns
}

/// The rules of all hostile patterns, of indicators that are hostile, too.
fn hostile_rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    for value in HOSTILE {
        for text in hostile_patterns(value) {
            let Ok(content) = content(target(), &text) else { continue };
            let hostile = || vec![(*value).to_owned()];
            let origin = Origin {
                id: format!("{value}{}", rules.len()),
                sources: hostile(),
                name: (*value).to_owned(),
                references: vec![format!("https://report.example/{value}")],
                labels: hostile(),
                malware: hostile(),
                techniques: hostile(),
                ..Origin::default()
            };
            rules.push(Rule { origin: Arc::new(origin), content });
        }
    }
    rules
}

#[test]
fn hostile_text_adds_no_rule_and_no_option() {
    let rules = hostile_rules();
    assert!(rules.len() > 10 * HOSTILE.len() / 2, "{}", rules.len());
    let memory = emit(target(), rules);
    let ids: BTreeSet<&String> = memory.names.values().flatten().collect();
    assert_eq!(lines(&memory).len(), ids.len());
    let known: BTreeSet<&str> = [
        "msg",
        "flow",
        "file.name",
        "content",
        "endswith",
        "startswith",
        "nocase",
        "bsize",
        "pcre",
        "http.host.raw",
        "http.uri",
        "http.uri.raw",
        "fast_pattern",
        "http.user_agent",
        "http.cookie",
        "http.request_header",
        "http.host",
        "to_lowercase",
        "dns.query",
        "tls.sni",
        "tls.cert_subject",
        "tls.cert_serial",
        "reference",
        "classtype",
        "target",
        "metadata",
        "requires",
        "email.from",
        "sid",
        "rev",
    ]
    .into();
    for line in lines(&memory) {
        assert!(is_one_rule(line), "{line}");
        assert!(line.starts_with("alert ") && line.len() < 8192, "{line}");
        // Without its texts in quotes a rule is keywords of ours.
        let mut bare = String::new();
        let (mut quoted, mut escaped) = (false, false);
        for character in line.split_once('(').unwrap().1.chars() {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => quoted = !quoted,
                _ if !quoted => bare.push(character),
                _ => {}
            }
        }
        for option in bare.trim_end_matches(')').split(';').map(str::trim).filter(|option| !option.is_empty()) {
            let name = option.split(':').next().unwrap();
            assert!(known.contains(name), "{option} in {line}");
        }
    }
}

/// Whether a line reads as one rule. Ours may ask for lists, which those from feeds may not.
fn is_one_rule(line: &str) -> bool {
    !matches!(target().read_native(line, &NativePolicy::default()), Err(NativeFault::Malformed(_)))
}

/// Indicators whose every text is as long as it gets.
fn long_rules() -> Vec<Rule> {
    let long = |text: &str| text.repeat(1024 / text.len());
    let list: Vec<String> = (0..250).map(|number| format!("'2001:db8:{number:x}:aaaa:bbbb:cccc:dddd:eeee'")).collect();
    let patterns = [
        format!("[file:name = '{}']", long("x")),
        format!("[file:name = '{}']", "é".repeat(250)),
        format!("[url:value = 'http://evil.example/{}']", &long("a;")[1..]),
        format!("[domain-name:value MATCHES '^({})[0-9]$']", long("ab")),
        format!("[ipv6-addr:value IN ({})]", list.join(", ")),
        format!("[network-traffic:src_ref.value IN ({0}) AND network-traffic:dst_ref.value IN ({0})]", list.join(", ")),
    ];
    let texts = || vec![long("wörd \"\\;,"); 20];
    let rule = |(index, text): (usize, &String)| {
        let origin = Origin {
            id: id(index),
            sources: (0..1000).map(id).collect(),
            name: long("\"\\;:é"),
            references: vec![format!("https://report.example/{}", &long("é\"")[..99]); 5],
            labels: texts(),
            malware: texts(),
            techniques: texts(),
            ..Origin::default()
        };
        Rule { origin: Arc::new(origin), content: content(target(), text).unwrap() }
    };
    patterns.iter().enumerate().map(rule).collect()
}

#[test]
fn a_rule_is_never_too_long() {
    let memory = emit(target(), long_rules());
    assert!(lines(&memory).len() > 10);
    for line in lines(&memory) {
        assert!(line.len() < 8192, "{} bytes: {line}", line.len());
        assert!(is_one_rule(line), "{line}");
    }
    let refused = format!("[file:name = '{}']", "x".repeat(1025));
    assert!(verdict(&refused).starts_with("refused\n    L122 "));
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_loads_long_rules() {
    let memory = emit(target(), long_rules());
    let (_folder, rules) = on_disk(&memory);
    suricata::check(&rules).assert_accepted();
}

#[test]
fn every_property_has_a_place_or_a_reason() {
    #[derive(serde::Deserialize)]
    struct Any {}
    let mapping = Mapping::<Any, Any>::read(target().mapping()).unwrap();
    let properties = schema::properties().filter(|property| !property.common);
    let missing: Vec<&str> = properties
        .map(|property| property.path)
        .filter(|path| !mapping.maps(path) && mapping.reason(path).is_none())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_mapping_of_another_form_is_refused() {
    let refused = |text: &str| {
        target().prepare(Some(text), stixc::targets::contract::Options::new(target(), Accept::ALL)).is_err()
    };
    let source = "[data_source.dns]\nprotocol = \"dns\"\nabout = \"q\"\nseen = \"to-server\"\n";
    let row = |rest: &str| format!("{source}[[row]]\nproperty = \"domain-name:value\"\ndata_source = \"dns\"\n{rest}");
    assert!(!refused(&row("place = \"buffer\"\nbuffer = \"dns.query\"")));
    for wrong in [
        row("place = \"buffer\""),
        row("place = \"buffer\"\nbuffer = \"dns.query; sid:1\""),
        row("place = \"url\"\nbuffer = \"dns.query\""),
        row("place = \"nowhere\""),
        row("place = \"protocol\""),
        row("place = \"url\"\ncolour = \"red\""),
        source.replace("to-server", "nobody"),
    ] {
        assert!(refused(&wrong), "{wrong}");
    }
}

/// The files of a run in a folder, and the path of the rules.
fn on_disk(memory: &Memory) -> (tempfile::TempDir, PathBuf) {
    validators::on_disk(&memory.files, RULES)
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_loads_the_rules_of_a_feed() {
    let mut all = rules(FEED);
    all.push(full(900, "[domain-name:value = 'full.example']"));
    let memory = emit(target(), all);
    let (_folder, rules) = on_disk(&memory);
    suricata::check(&rules).assert_accepted();
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_loads_hostile_rules() {
    let memory = emit(target(), hostile_rules());
    let (_folder, rules) = on_disk(&memory);
    suricata::check(&rules).assert_accepted();
}

#[test]
#[ignore = "needs the corpus"]
fn corpus_suricata_loads_the_rules_of_all_patterns() {
    let text = support::corpus::read("patterns.txt");
    let lowerer = prepared(target(), target().accepts());
    let mut rules = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Ok(pattern) = pattern::parse(line) else { continue };
        let Ok(lowered) = lowerer.lower(&lower(&pattern).plan) else { continue };
        let origin = Origin { id: id(index), sources: vec![id(index)], name: line.to_owned(), ..Origin::default() };
        rules.push(Rule { origin: Arc::new(origin), content: Content::Compiled(lowered) });
    }
    assert!(rules.len() > 1000, "{}", rules.len());
    let memory = emit(target(), rules);
    let (_folder, path) = on_disk(&memory);
    suricata::check(&path).assert_accepted();
}

#[test]
fn what_suricata_makes_of_a_rule_is_recorded() {
    let sequence = "[domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']";
    let mail = "[email-message:from_ref.value = 'eve@evil.example']";
    let memory = emit(target(), rules(&[sequence, mail, "[ipv4-addr:value = '198.51.100.7']"]));
    let emitted = || memory.rules.values().flatten();
    let told = |is: &dyn Fn(&EmittedRule) -> bool| -> BTreeSet<&str> {
        emitted().filter(|rule| is(rule)).map(|rule| rule.id.as_str()).collect()
    };
    let written = |option: &str| -> BTreeSet<&str> {
        let lines = lines(&memory).into_iter().filter(|line| line.contains(option));
        lines.map(|line| line.rsplit_once("sid:").unwrap().1.split_once(';').unwrap().0).collect()
    };
    for (found, option) in [
        (told(&|rule| rule.serves), "; noalert; "),
        (told(&|rule| rule.since == Some(8)), "requires:version >= 8"),
        (told(&|rule| rule.until == Some(8)), "requires:version < 8"),
    ] {
        assert!(!found.is_empty() && found.len() < emitted().count(), "{option}");
        assert_eq!(found, written(option), "{option}");
    }
}
