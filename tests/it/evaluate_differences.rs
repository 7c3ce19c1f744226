//! Each difference from the OASIS matcher that the table in `stixc::evaluate` lists.

use stixc::{
    evaluate::{Evaluator, Observations},
    pattern::{self, Options, Version},
};

/// Two observations in one bundle: one with its objects inside, one that refers to them.
const DATA: &str = r#"{"type": "bundle", "objects": [
  {"type": "observed-data", "number_observed": 1, "first_observed": "2016-12-31T23:59:59Z",
   "last_observed": "2016-12-31T23:59:59Z", "objects": {"0": {"type": "x", "six": "2001:db8::7", "four": "192.0.2.7",
     "name": "evil", "lines": "one\ntwo", "at": "2017-01-01T00:00:00Z", "fine": "2024-01-01T00:00:00.1234567Z",
     "wide": "\u0103", "bad_hex": "zz", "latin_bin": "w6k=", "flag": true, "self_ref": "0",
     "some_refs": ["lost", "0"]}}},
  {"type": "observed-data", "number_observed": 1, "first_observed": "2024-01-01T00:00:00Z",
   "last_observed": "2024-01-01T00:00:00Z", "object_refs": ["network-traffic--1"]},
  {"type": "network-traffic", "id": "network-traffic--1", "src_ref": "ipv4-addr--1"},
  {"type": "ipv4-addr", "id": "ipv4-addr--1", "value": "198.51.100.1"}]}"#;

fn matches_in(text: &str, version: Version) -> bool {
    let (observations, faults) = Observations::read(DATA.as_bytes());
    assert!(faults.is_empty(), "{faults:?}");
    let pattern = pattern::parse_with(text, Options { version }).unwrap_or_else(|errors| panic!("{text}: {errors}"));
    let answer = Evaluator::new(&pattern).and_then(|evaluator| evaluator.matches(&observations));
    answer.unwrap_or_else(|error| panic!("{text}: {error}")).is_some()
}

#[track_caller]
fn check(rows: &[(&str, bool)]) {
    for (text, expected) in rows {
        assert_eq!(matches_in(text, Version::V21), *expected, "{text}");
    }
}

#[test]
fn exists_asks_for_presence() {
    check(&[
        ("[EXISTS x:name]", true),
        ("[NOT EXISTS x:name]", false),
        ("[EXISTS x:none]", false),
        ("[NOT EXISTS x:none]", true),
    ]);
}

#[test]
fn sets_of_addresses_are_of_both_versions_and_any_size() {
    check(&[
        ("[x:six ISSUBSET '2001:db8::/32']", true),
        ("[x:six ISSUBSET '2001:db9::/32']", false),
        ("[x:six ISSUPERSET '2001:db8::7']", true),
        ("[x:four ISSUBSET '0.0.0.0/0']", true),
        ("[x:four ISSUBSET '192.0.2.7']", true),
        ("[x:four ISSUBSET '2001:db8::/32']", false),
        ("[x:name ISSUBSET '192.0.2.0/24']", false),
        ("[x:name NOT ISSUBSET '192.0.2.0/24']", true),
    ]);
}

#[test]
fn wildcards_match_a_newline() {
    check(&[
        ("[x:lines MATCHES 'one.two']", true),
        ("[x:lines LIKE 'one%two']", true),
        ("[x:lines LIKE 'one_two']", true),
    ]);
}

#[test]
fn a_text_that_is_no_timestamp_is_of_another_type() {
    check(&[
        ("[x:name = t'2024-01-01T00:00:00Z']", false),
        ("[x:name != t'2024-01-01T00:00:00Z']", true),
        ("[x:name > t'2024-01-01T00:00:00Z']", false),
        ("[x:name NOT > t'2024-01-01T00:00:00Z']", false),
        ("[x:name NOT IN (t'2024-01-01T00:00:00Z')]", true),
    ]);
}

#[test]
fn bytes_that_can_not_be_decoded_are_a_text() {
    check(&[("[x:bad_hex = 'zz']", true), ("[x:name = 'evil' AND x:bad_hex != h'00']", true)]);
}

#[test]
fn bytes_are_read_by_code_points_by_all_operators() {
    // The bytes C3 A9, which are é in UTF-8.
    check(&[
        ("[x:latin_bin LIKE '\u{e9}']", false),
        ("[x:latin_bin LIKE '__']", true),
        ("[x:latin_bin = '\u{c3}\u{a9}']", true),
        ("[x:latin_bin MATCHES '^\u{c3}\u{a9}$']", true),
    ]);
}

#[test]
fn in_is_a_list_of_equals() {
    check(&[
        ("[x:flag IN (1)]", false),
        ("[x:name IN (h'6576696c')]", true),
        ("[x:name IN (b'ZXZpbA==', h'00')]", true),
    ]);
}

#[test]
fn what_has_no_order_is_not_ordered_by_not() {
    check(&[("[x:wide < h'00']", false), ("[x:wide NOT < h'00']", false)]);
}

#[test]
fn instants_differ_to_the_nanosecond() {
    check(&[
        ("[x:fine = t'2024-01-01T00:00:00.1234567Z']", true),
        ("[x:fine = t'2024-01-01T00:00:00.1234568Z']", false),
        ("[x:fine < t'2024-01-01T00:00:00.123456701Z']", true),
    ]);
}

#[test]
fn a_leap_second_is_the_next_minute() {
    check(&[("[x:at = t'2016-12-31T23:59:60Z']", true)]);
}

#[test]
fn a_reference_is_its_identifier_and_leads_through_the_bundle() {
    check(&[
        ("[x:self_ref = '0']", true),
        ("[x:self_ref.name = 'evil']", true),
        ("[network-traffic:src_ref.value = '198.51.100.1']", true),
        // Only what was observed is a place to start from.
        ("[ipv4-addr:value = '198.51.100.1']", false),
    ]);
}

#[test]
fn a_lost_reference_keeps_its_place() {
    check(&[("[x:some_refs[0].name = 'evil']", false), ("[x:some_refs[1].name = 'evil']", true)]);
}

#[test]
fn start_and_stop_are_texts_in_2_0() {
    let text = "[x:name = 'evil'] START '2016-12-31T23:59:59Z' STOP '2017-01-01T00:00:00Z'";
    assert!(matches_in(text, Version::V20));
    assert!(pattern::parse_with(text, Options { version: Version::V21 }).is_err());
    let text = text.replace(" '2", " t'2");
    assert!(matches_in(&text, Version::V21));
    assert!(pattern::parse_with(&text, Options { version: Version::V20 }).is_err());
}
