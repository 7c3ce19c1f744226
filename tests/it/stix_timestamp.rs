//! Timestamps, against a library that others wrote.

use proptest::prelude::*;
use stixc::stix::{Timestamp, TimestampError};

#[test]
fn every_form_that_feeds_write() {
    for (text, expected) in [
        ("2024-01-31T12:34:56Z", "2024-01-31T12:34:56Z"),
        ("2024-01-31T12:34:56.0Z", "2024-01-31T12:34:56Z"),
        ("2024-01-31T12:34:56.5Z", "2024-01-31T12:34:56.5Z"),
        ("2024-01-31T12:34:56.12Z", "2024-01-31T12:34:56.12Z"),
        ("2024-01-31T12:34:56.123Z", "2024-01-31T12:34:56.123Z"),
        ("2024-01-31T12:34:56.1234Z", "2024-01-31T12:34:56.1234Z"),
        ("2024-01-31T12:34:56.12345Z", "2024-01-31T12:34:56.12345Z"),
        ("2024-01-31T12:34:56.123456Z", "2024-01-31T12:34:56.123456Z"),
        ("2024-01-31T12:34:56.123456789Z", "2024-01-31T12:34:56.123456789Z"),
        ("2024-01-31T12:34:56.1234567899999Z", "2024-01-31T12:34:56.123456789Z"),
        ("2024-01-31t12:34:56z", "2024-01-31T12:34:56Z"),
        ("2024-01-31 12:34:56", "2024-01-31T12:34:56Z"),
        ("2024-01-31T12:34:56", "2024-01-31T12:34:56Z"),
        ("2024-01-31T12:34:56.000001", "2024-01-31T12:34:56.000001Z"),
        ("2024-01-31", "2024-01-31T00:00:00Z"),
        (" 2024-01-31T12:34:56Z\n", "2024-01-31T12:34:56Z"),
        ("2024-01-31T12:34:56+00:00", "2024-01-31T12:34:56Z"),
        ("2024-01-31T23:34:56-02:30", "2024-02-01T02:04:56Z"),
        ("2024-01-01T00:30:00+0100", "2023-12-31T23:30:00Z"),
        ("2024-01-01T00:30:00+01", "2023-12-31T23:30:00Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
    ] {
        let time: Timestamp = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(time.to_string(), expected, "{text}");
        assert_eq!(time.date(), expected[..10], "{text}");
    }
}

#[test]
fn what_is_no_timestamp() {
    for text in [
        "",
        "soon",
        "2024",
        "2024-1-31",
        "2024-13-01",
        "2024-00-01",
        "2024-01-00",
        "2024-04-31",
        "2023-02-29",
        "1900-02-29",
        "2024-01-31T",
        "2024-01-31T24:00:00Z",
        "2024-01-31T12:60:00Z",
        "2024-01-31T12:00:61Z",
        "2024-01-31T12:00Z",
        "2024-01-31T12:00:00+24:00",
        "2024-01-31T12:00:00 UTC",
        "2024-01-31T12:00:00.Zx",
        "20240131T120000Z",
        "2024-01-31X12:00:00Z",
        "+2024-01-31",
        "1704067200",
        "２０２４-01-31",
        "9999-12-31T23:59:59-00:01",
        "0000-01-01T00:00:00+00:01",
        "2024-01-31T12:00:00.1234é",
    ] {
        assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
    }
}

#[test]
fn times_are_in_order() {
    let texts = [
        "0000-01-01",
        "1969-12-31T23:59:59.5Z",
        "1970-01-01",
        "1970-01-01T00:00:00.000000001Z",
        "2024-01-31T12:00:00Z",
        "2024-01-31T12:00:00.1Z",
        "9999-12-31",
    ];
    let times = texts.map(|text| text.parse::<Timestamp>().expect(text));
    assert!(times.is_sorted());
    assert_eq!(times[1].unix_seconds(), -1);
    assert_eq!(times[1].subsecond_nanoseconds(), 500_000_000);
}

#[test]
fn seconds_since_the_epoch() {
    assert_eq!(Timestamp::from_unix_seconds(0).unwrap().to_string(), "1970-01-01T00:00:00Z");
    assert_eq!(Timestamp::from_unix_seconds(1_700_000_000).unwrap().to_string(), "2023-11-14T22:13:20Z");
    for seconds in [i64::MIN, i64::MAX, 253_402_300_800, -62_167_219_201] {
        assert_eq!(Timestamp::from_unix_seconds(seconds), Err(TimestampError), "{seconds}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_jiff(seconds in -62_135_596_800_i64..253_402_207_200, nanoseconds in 0..1_000_000_000_i32) {
        let theirs = jiff::Timestamp::new(seconds, nanoseconds).unwrap();
        let ours: Timestamp = theirs.to_string().parse().unwrap();
        prop_assert_eq!(ours.to_string(), theirs.to_string());
        let exact = i128::from(ours.unix_seconds()) * 1_000_000_000 + i128::from(ours.subsecond_nanoseconds());
        prop_assert_eq!(exact, theirs.as_nanosecond());
    }

    #[test]
    fn never_panics(text in "\\PC{0,40}|[0-9TZ:.+ -]{0,40}") {
        let _ = text.parse::<Timestamp>();
    }
}
