//! The type check against real patterns, and against the OASIS validator.

use crate::support::check as check_support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use check_support::{corpus, errors, snapshots};
use stixc::{
    pattern::{self, Options, Version},
    plan::{check, schema},
};

/// Where the check is stricter than the validator: the code, an accepted pattern that shows it, and the reason. The
/// table stands in the documentation of `plan::check` too.
const STRICTER: &[(&str, &str, &str)] = &[
    ("T001", "[file:size = '1']", "values of different types are never equal"),
    ("T002", "[process:is_hidden > 0]", "booleans have no order"),
    ("T003", "[a:b = 1 AND c:d = 2]", "no object has two types"),
    ("T006", "[ipv4-addr:value ISSUBSET 'nonsense']", "it contains nothing"),
    ("T007", "[file:name ISSUBSET '192.0.2.0/24']", "only addresses have subsets"),
    ("T008", "[a:b MATCHES '(']", "it matches nothing"),
    ("T009", "[a:b = 1] REPEATS 0 TIMES", "the number must be positive"),
    ("T010", "[a:b = 1] WITHIN 0 SECONDS", "the time must be positive"),
    ("T011", "[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-01-01T00:00:00Z'", "no time lies between them"),
    ("T012", "[a:b = t'2024-02-30T00:00:00Z']", "no such day"),
    ("T013", "[a:b IN (1, 'a')]", "a set has elements of one type"),
    ("T014", "[a:b = 99999999999999999999]", "integers have 64 bits"),
    ("T015", "[file:size LIKE '1%']", "a number is no text"),
    ("T016", "[network-traffic:dst_port = 70000]", "no port has this number"),
    ("T017", "[file:hashes = 'a']", "a dictionary is no value"),
];

/// Where the validator is stricter, and wrong: a pattern that it refuses, what is said of it here, and the reason.
const FAULTS: &[(&str, &[&str], &str)] = &[
    ("[file:hashes.MD5 LIKE '3dc%']", &[], "a part of a digest is not a digest"),
    ("[file:hashes.MD5 != '']", &["W117"], "it holds for each file with an MD5"),
    (
        "[file:hashes.MD5 IN ('d41d8cd98f00b204e9800998ecf8427e', 'd41d8cd98f00b204e9800998ecf8427e')]",
        &[],
        "each element is a digest",
    ),
    ("/* a comment */ [file:size = 1]", &[], "the grammar allows comments anywhere"),
];

#[test]
fn each_difference_from_the_validator_shows() {
    let documented = include_str!("../../src/plan/check/mod.rs");
    for (code, ..) in STRICTER {
        let is_row = |line: &str| line.starts_with("//! |") && line.contains(code);
        assert!(documented.lines().any(is_row), "{code} is not in the table of the documentation");
    }
    for (code, text, reason) in STRICTER {
        let pattern = pattern::parse(text).expect("the grammar accepts what the validator accepts");
        assert_eq!(errors(&pattern), BTreeSet::from([*code]), "{text}: {reason}");
    }
    for (text, codes, reason) in FAULTS {
        let pattern = pattern::parse(text).expect("the validator is wrong, not the grammar");
        let found: Vec<_> = check::check(&pattern).iter().map(|diagnostic| diagnostic.code.0).collect();
        assert_eq!(found, *codes, "{text}: {reason}");
    }
}

/// One pattern of the OASIS suites.
#[derive(serde::Deserialize)]
struct Row {
    pattern: String,
    spec: String,
    valid: bool,
    grammar_valid: bool,
}

#[test]
#[ignore = "reads the corpus"]
fn corpus_oasis_rules_are_covered_and_differences_are_in_the_table() {
    let text = corpus("oasis_cases.jsonl");
    let rows: Vec<Row> = text.lines().map(|line| serde_json::from_str(line).expect("a row is JSON")).collect();
    let table: BTreeSet<_> = STRICTER.iter().map(|(code, ..)| *code).collect();
    let mut covered = 0;
    for row in rows.iter().filter(|row| row.grammar_valid) {
        let version = if row.spec == "2.0" { Version::V20 } else { Version::V21 };
        let Ok(pattern) = pattern::parse_with(&row.pattern, Options { version }) else {
            panic!("the parser's own tests come first: {}", row.pattern)
        };
        let codes = errors(&pattern);
        if !row.valid {
            covered += 1;
            assert!(codes.contains("T004") || codes.contains("T018"), "{}: {codes:?}", row.pattern);
        } else if row.spec == "2.0" {
            // STIX 2.0 allows a second qualifier.
            assert!(codes.iter().all(|code| table.contains(code) || *code == "T018"), "{}: {codes:?}", row.pattern);
        } else {
            assert!(codes.is_subset(&table), "{}: {codes:?}", row.pattern);
        }
    }
    assert_eq!(covered, 11);
}

#[test]
#[ignore = "reads the corpus"]
fn corpus_patterns_with_errors_are_few_and_each_is_impossible() {
    let text = corpus("patterns.txt");
    let mut strict: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lenient: BTreeMap<&str, usize> = BTreeMap::new();
    let mut parsed = 0;
    for line in text.lines() {
        let Ok(mut pattern) = pattern::parse(line) else { continue };
        parsed += 1;
        for code in errors(&pattern) {
            *strict.entry(code).or_default() += 1;
        }
        check::repair(&mut pattern);
        for code in errors(&pattern) {
            *lenient.entry(code).or_default() += 1;
        }
    }
    assert!(parsed > 12_000, "{parsed}");
    // Strings against numbers and booleans, as MISP writes them; all but a few can only mean one value.
    assert_eq!(strict, BTreeMap::from([("T001", 43), ("T003", 25), ("T005", 4), ("T008", 3)]));
    // What is left: placeholders for digests, AND over two object types, `\\` at the end of an expression, and a boolean
    // for a number.
    assert_eq!(lenient, BTreeMap::from([("T001", 1), ("T003", 25), ("T005", 4), ("T008", 3)]));
}

#[test]
#[ignore = "reads the corpus"]
fn corpus_messages_are_explained_and_placed() {
    for file in ["patterns.txt", "scoreboard_patterns.txt"] {
        for line in corpus(file).lines() {
            let Ok(pattern) = pattern::parse(line) else { continue };
            for diagnostic in check::check(&pattern) {
                assert!(stixc::targets::explain(diagnostic.code.0).is_some(), "{diagnostic}");
                let span = diagnostic.span.expect("a message has a place");
                assert!(line.get(span.start as usize..span.end as usize).is_some(), "{diagnostic}: {line}");
                assert!(diagnostic.help.is_some(), "{diagnostic}");
            }
        }
    }
}

/// Every path of the corpus with what the schema says of it.
#[test]
#[ignore = "reads the corpus"]
fn corpus_paths_are_known_custom_or_listed() {
    let text = corpus("patterns.txt");
    let mut paths: BTreeMap<String, (usize, schema::Status)> = BTreeMap::new();
    for line in text.lines() {
        let Ok(pattern) = pattern::parse(line) else { continue };
        check_support::each_path(&pattern, &mut |path| {
            let resolved = schema::resolve(path);
            paths.entry(path.span.slice(line).to_owned()).or_insert((0, resolved.status)).0 += 1;
        });
    }
    let mut unknown = String::new();
    for (path, (_, status)) in &paths {
        if matches!(status, schema::Status::UnknownProperty { .. } | schema::Status::UnknownType) {
            let _ = writeln!(unknown, "{path}");
        }
    }
    assert!(paths.len() > 250, "{}", paths.len());
    snapshots().bind(|| insta::assert_snapshot!("corpus_unknown_paths", unknown));
}

/// The paths that real feeds use most, by how many of 32,034 distinct patterns have them.
const FREQUENT: &[&str] = &[
    "domain-name:value",
    "file:hashes.'SHA-256'",
    "network-traffic:dst_ref.value",
    "network-traffic:dst_ref.type",
    "url:value",
    "file:hashes.SHA256",
    "ipv4-addr:value",
    "file:hashes.MD5",
    "mutex:name",
    "file:name",
    "domain-name:resolves_to_refs[*].value",
    "file:x_ID",
    "file:x_elevator_id",
    "network-traffic:src_ref.value",
    "network-traffic:src_ref.type",
    "process:command_line",
    "file:x_PIVY_Password",
    "file:x_elevator_pivy_password",
    "windows-registry-key:key",
    "email-addr:value",
    "process:name",
    "file:hashes.sha256",
    "directory:path",
    "file:size",
    "network-traffic:dst_port",
    "file:hashes.'SHA-1'",
    "email-message:from_ref.value",
    "user-account:user_id",
    "file:parent_directory_ref.path",
    "user-account:account_type",
    "file:hashes.'MD5'",
    "windows-registry-key:values[*].data",
    "file:content_ref.payload_bin",
    "file:content_ref.mime_type",
    "email-message:subject",
    "user-account:account_login",
    "x509-certificate:hashes.'SHA-1'",
    "file:content_ref.x_misp_filename",
    "file:hashes.SHA1",
    "x509-certificate:serial_number",
    "x509-certificate:issuer",
    "autonomous-system:number",
    "network-traffic:src_port",
    "file:content_ref.hashes.MD5",
    "x509-certificate:validity_not_before",
    "x509-certificate:validity_not_after",
    "process:pid",
    "file:extensions.'windows-pebinary-ext'.pe_type",
    "network-traffic:protocols[*]",
    "file:content_ref.encryption_algorithm",
    "file:content_ref.decryption_key",
    "file:hashes.VHASH",
    "file:hashes.SSDEEP",
    "file:hashes.TLSH",
    "software:name",
    "windows-registry-key:values[0].name",
    "network-traffic:extensions.'socket-ext'.address_family",
    "windows-registry-key:values[0].data",
    "file:hashes.ssdeep",
    "email-message:to_refs[*].value",
    "process:extensions.'windows-service-ext'.descriptions[*]",
    "process:extensions.'windows-service-ext'.service_name",
    "windows-registry-key:values[*].name",
    "network-traffic:extensions.'http-request-ext'.request_method",
    "network-traffic:protocols[0]",
    "network-traffic:protocols",
    "ipv6-addr:value",
    "mac-addr:value",
    "file:extensions.'windows-pebinary-ext'.sections[*].entropy",
    "email-message:message_id",
    "process:parent_ref.pid",
    "user-account:display_name",
    "x509-certificate:subject",
    "file:hashes.'SHA-512'",
    "file:extensions.'windows-pebinary-ext'.sections[*].name",
];

/// Frequent paths that the standard does not have, and what is suggested in their place.
const FREQUENT_UNKNOWN: &[(&str, Option<&str>)] = &[
    ("file:path", Some("parent_directory_ref.path")),
    ("file:value", Some("name")),
    ("email:subject", Some("email-message")),
    // An older name of what is now in the extension itself; the message says to leave it out.
    ("file:extensions.'windows-pebinary-ext'.file_header.time_date_stamp", None),
    // Types of their own, of one feed each.
    ("app:id", None),
    ("app:cert.sha256", None),
    ("bank-card:number", None),
];

#[test]
fn frequent_paths_are_known_and_the_rest_gets_a_suggestion() {
    for text in FREQUENT {
        let status = schema::resolve(&check_support::path(text)).status;
        let is_unknown = matches!(status, schema::Status::UnknownProperty { .. } | schema::Status::UnknownType);
        assert!(!is_unknown, "{text}: {status:?}");
    }
    for (text, suggestion) in FREQUENT_UNKNOWN {
        let path = check_support::path(text);
        let status = schema::resolve(&path).status;
        assert!(matches!(status, schema::Status::UnknownProperty { .. } | schema::Status::UnknownType), "{text}");
        assert_eq!(schema::suggestion(&path), *suggestion, "{text}");
    }
}
