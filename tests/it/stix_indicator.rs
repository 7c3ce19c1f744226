//! Indicators as feeds really send them.

use crate::support::stix as stix_support;

use stix_support::fixture;
use stixc::stix::{Indicator, ObjectErrorKind, PatternType, Status, Timestamp};

fn parse(members: &str) -> Indicator<'static> {
    let text = format!(r#"{{"type":"indicator","id":"indicator--1","pattern":"[a:b = 1]",{members}}}"#);
    Indicator::parse(text.leak().as_bytes()).expect("a good indicator")
}

fn error(text: &str) -> ObjectErrorKind {
    Indicator::parse(text.as_bytes()).expect_err("a bad indicator").kind
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

/// The messages of the properties that were ignored.
fn ignored(members: &str) -> Vec<String> {
    let indicator = parse(members);
    assert!(indicator.diagnostics.iter().all(|diagnostic| diagnostic.code.0 == "S009"));
    indicator.diagnostics.into_iter().map(|diagnostic| diagnostic.message).collect()
}

#[test]
fn every_property_is_read() {
    let text = fixture("indicator.json");
    let indicator = Indicator::parse(&text).expect("a good indicator");
    assert_eq!(indicator.diagnostics, []);
    assert_eq!(indicator.id, "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f");
    assert_eq!(indicator.created_by_ref.as_deref(), Some("identity--1"));
    assert_eq!(indicator.created, Some(at("2024-01-01T00:00:00Z")));
    assert_eq!(indicator.modified, Some(at("2024-01-02T00:00:00.123456Z")));
    assert_eq!(indicator.labels[..], ["a", "b"]);
    assert_eq!(indicator.indicator_types[..], ["malicious-activity"]);
    assert_eq!(indicator.types().collect::<Vec<_>>(), ["malicious-activity", "a", "b"]);
    assert_eq!(indicator.confidence, Some(85));
    assert_eq!(indicator.lang.as_deref(), Some("en"));
    assert_eq!(indicator.external_references[0].url.as_deref(), Some("https://a.example/"));
    assert_eq!(indicator.external_references[1].external_id.as_deref(), Some("T1059"));
    assert_eq!(indicator.object_marking_refs[..], ["marking-definition--1", "marking-definition--2"]);
    assert_eq!(indicator.name.as_deref(), Some("A \"name\""));
    assert_eq!(indicator.description.as_deref(), Some("two\nlines"));
    assert_eq!(indicator.pattern, r"[a:b = 'c\'d']");
    assert_eq!(indicator.pattern_type, PatternType::Stix);
    assert_eq!(indicator.pattern_version.as_deref(), Some("2.1"));
    assert_eq!(indicator.valid_from, Some(at("2024-01-01T00:00:00Z")));
    assert_eq!(indicator.kill_chain_phases[0].phase_name, "execution");
    assert_eq!(indicator.status(at("2024-06-01")), Status::Active);
}

#[test]
fn only_type_id_and_pattern_are_needed() {
    let text = r#"{"pattern": "[a:b = 1]", "id": "my own id", "type": "indicator"}"#;
    let indicator = Indicator::parse(text.as_bytes()).expect("a good indicator");
    assert_eq!(indicator, Indicator::bare("my own id", "[a:b = 1]"));
}

#[test]
fn null_is_as_good_as_missing() {
    let all = [
        "name",
        "description",
        "pattern_type",
        "pattern_version",
        "created",
        "modified",
        "created_by_ref",
        "revoked",
        "labels",
        "indicator_types",
        "confidence",
        "valid_from",
        "valid_until",
        "kill_chain_phases",
        "external_references",
        "object_marking_refs",
        "granular_markings",
        "lang",
    ]
    .map(|name| format!("\"{name}\": null"))
    .join(", ");
    assert_eq!(parse(&all), Indicator::bare("indicator--1", "[a:b = 1]"));
}

#[test]
fn one_value_stands_for_a_list() {
    assert_eq!(parse(r#""labels": "benign""#).labels[..], ["benign"]);
    assert_eq!(parse(r#""indicator_types": "malicious-activity""#).indicator_types[..], ["malicious-activity"]);
    let phases = parse(r#""kill_chain_phases": {"kill_chain_name": "a", "phase_name": "b"}"#).kill_chain_phases;
    assert_eq!(phases[0].kill_chain_name, "a");
    assert_eq!(parse(r#""labels": ["a", null, "b"]"#).labels[..], ["a", "b"]);
    assert_eq!(parse(r#""labels": []"#).labels[..], [""; 0]);
}

#[test]
fn numbers_and_booleans_as_feeds_write_them() {
    for (text, expected) in [
        ("0", Some(0)),
        ("100", Some(100)),
        ("85.0", Some(85)),
        ("\"60\"", Some(60)),
        ("\" 60 \"", Some(60)),
        ("101", None),
        ("-1", None),
        ("1e9", None),
        ("\"high\"", None),
        ("true", None),
        ("[50]", None),
        ("18446744073709551616", None),
    ] {
        let indicator = parse(&format!("\"confidence\": {text}"));
        assert_eq!(indicator.confidence, expected, "{text}");
        assert_eq!(indicator.diagnostics.is_empty(), expected.is_some(), "{text}");
    }
    for (text, expected) in [("true", true), ("\"True\"", true), ("1", true), ("\"false\"", false), ("0", false)] {
        assert_eq!(parse(&format!("\"revoked\": {text}")).revoked, expected, "{text}");
    }
}

#[test]
fn the_language_of_the_pattern() {
    for (text, expected) in [
        ("stix", PatternType::Stix),
        ("STIX", PatternType::Stix),
        (" sigma ", PatternType::Sigma),
        ("suricata", PatternType::Suricata),
        ("snort", PatternType::Snort),
        ("YARA", PatternType::Yara),
        ("stix5", PatternType::Other("stix5".to_owned())),
        ("pcre", PatternType::Other("pcre".to_owned())),
    ] {
        let found = parse(&format!("\"pattern_type\": \"{text}\"")).pattern_type;
        assert_eq!(found, expected);
        assert_eq!(PatternType::from_name(found.name()), expected);
    }
}

#[test]
fn what_only_describes_is_ignored_where_it_is_wrong() {
    assert_eq!(ignored(r#""name": 5"#), ["`name` is a number, and was ignored"]);
    assert_eq!(ignored(r#""description": ["a"]"#), ["`description` is a list, and was ignored"]);
    assert_eq!(ignored(r#""labels": {"a": 1}"#), ["`labels` is an object, and was ignored"]);
    assert_eq!(ignored(r#""labels": ["a", 1]"#), ["an element of `labels` is a number, and was ignored"]);
    assert_eq!(ignored(r#""confidence": 250"#), ["`confidence` is a number outside of 0 to 100, and was ignored"]);
    assert_eq!(ignored(r#""valid_until": "soon""#), ["`valid_until` is no timestamp, and was ignored"]);
    assert_eq!(ignored(r#""created": true"#), ["`created` is a boolean, and was ignored"]);
    assert_eq!(
        ignored(r#""kill_chain_phases": [{"phase_name": "b"}]"#),
        ["an element of `kill_chain_phases` is a phase without its name or its kill chain, and was ignored"]
    );
    assert_eq!(
        ignored(r#""external_references": ["https://a.example/"]"#),
        ["an element of `external_references` is a string, and was ignored"]
    );
    assert_eq!(parse(r#""labels": ["a", 1, ["b"], "c"]"#).labels[..], ["a", "c"]);
}

#[test]
fn what_decides_on_the_meaning_must_be_right() {
    let missing = |property| ObjectErrorKind::Missing { property };
    let wrong = |property, found| ObjectErrorKind::WrongType { property, found, expected: "a string" };
    assert_eq!(error(r#"{"type":"indicator","id":"x"}"#), missing("pattern"));
    assert_eq!(error(r#"{"type":"indicator","id":"x","pattern":null}"#), missing("pattern"));
    assert_eq!(error(r#"{"type":"indicator","id":"x","pattern":" \t"}"#), missing("pattern"));
    assert_eq!(error(r#"{"type":"indicator","pattern":"[a:b = 1]"}"#), missing("id"));
    assert_eq!(error(r#"{"type":"indicator","id":"","pattern":"[a:b = 1]"}"#), missing("id"));
    assert_eq!(error(r#"{"type":"indicator","id":7,"pattern":"[a:b = 1]"}"#), wrong("id", "a number"));
    assert_eq!(error(r#"{"type":"indicator","id":"x","pattern":["[a:b = 1]"]}"#), wrong("pattern", "a list"));
    let pattern_type = r#"{"type":"indicator","id":"x","pattern":"[a:b = 1]","pattern_type":1}"#;
    assert_eq!(error(pattern_type), wrong("pattern_type", "a number"));
    assert_eq!(
        error(r#"{"type":"indicator","id":"x","pattern":"[a:b = 1]","revoked":"maybe"}"#),
        ObjectErrorKind::WrongType { property: "revoked", found: "a string", expected: "a boolean" }
    );
    assert_eq!(error(r#"{"type":"malware","id":"x"}"#), ObjectErrorKind::Type { expected: "indicator" });
    assert_eq!(
        error(r#"{"type":"indicator","id":"x","pattern":"[a:b = 1]","pattern":"[a:b = 2]"}"#),
        ObjectErrorKind::Duplicate { property: "pattern".to_owned() }
    );
}

#[test]
fn an_error_knows_its_place_and_the_object() {
    let text = b"{\"type\":\"indicator\",\n \"id\":\"indicator--1\",\n \"pattern\":[a:b = 1]}";
    let error = Indicator::parse(text).expect_err("a bad indicator");
    assert_eq!(error.id.as_deref(), Some("indicator--1"));
    assert_eq!(&text[error.offset..error.offset + 3], b"a:b");
    assert_eq!(error.to_string(), "the object is not JSON: expected value");

    let text = b"{\"type\":\"indicator\",\"id\":\"indicator--1\",\"name\":\"\xFF\",\"pattern\":\"[a:b = 1]\"}";
    let error = Indicator::parse(text).expect_err("a bad indicator");
    assert_eq!(text[error.offset], 0xFF);
    assert_eq!(error.kind, ObjectErrorKind::Encoding);

    for cut in 0..text.len() {
        assert!(Indicator::parse(&text[..cut]).is_err());
    }
}

#[test]
fn depth_is_harmless() {
    let many = 1_000_000;
    let (open, close) = ("[".repeat(many), "]".repeat(many));
    assert_eq!(ignored(&format!("\"x\": {open}{close}")), [""; 0]);
    assert_eq!(ignored(&format!("\"name\": {open}{close}")), ["`name` is a list, and was ignored"]);
    let markings = format!("\"granular_markings\": [{}1{}]", "{\"a\":".repeat(many), "}".repeat(many));
    assert_eq!(ignored(&markings), [""; 0]);
    error(&format!("{{\"type\":\"indicator\",\"x\":{open}"));
}

#[test]
fn status() {
    let now = at("2024-06-01T12:00:00Z");
    for (members, expected) in [
        (r#""revoked": false"#, Status::Active),
        (r#""valid_until": "2024-06-01T12:00:00.000000001Z""#, Status::Active),
        (r#""valid_until": "2024-06-01T12:00:00.000Z""#, Status::Expired),
        (r#""valid_until": "2024-06-01T13:00:00+02:00""#, Status::Expired),
        (r#""valid_until": "2024-05-31""#, Status::Expired),
        (r#""valid_until": "never""#, Status::Active),
        (r#""valid_from": "2999-01-01T00:00:00Z""#, Status::Pending),
        (r#""valid_from": "2024-06-01T12:00:00Z""#, Status::Active),
        (r#""valid_from": "2999-01-01T00:00:00Z", "valid_until": "2000-01-01T00:00:00Z""#, Status::Expired),
        (r#""valid_from": "2999-01-01T00:00:00Z", "revoked": true"#, Status::Revoked),
        (r#""revoked": true"#, Status::Revoked),
        (r#""revoked": true, "labels": ["benign"], "valid_until": "2000-01-01T00:00:00Z""#, Status::Revoked),
        (r#""labels": ["benign"]"#, Status::Benign),
        (r#""labels": ["Benign"], "valid_until": "2000-01-01T00:00:00Z""#, Status::Benign),
        (r#""indicator_types": ["anomalous-activity", "benign"]"#, Status::Benign),
        (r#""labels": ["misp:name=\"x\"", "misp:to_ids=\"False\""]"#, Status::Benign),
        (r#""labels": ["misp:to_ids=\"True\""]"#, Status::Active),
        (r#""labels": ["not benign"]"#, Status::Active),
    ] {
        assert_eq!(parse(members).status(now), expected, "{members}");
    }
}

#[test]
fn types_are_named_once() {
    let indicator = parse(r#""indicator_types": ["a", "b"], "labels": ["b", "c"]"#);
    assert_eq!(indicator.types().collect::<Vec<_>>(), ["a", "b", "c"]);
}
