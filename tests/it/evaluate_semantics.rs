//! The meaning of each operator, by hand.

use stixc::{
    evaluate::{Evaluator, Observations},
    pattern::{self, Options, Version},
};

fn data(text: &str) -> Observations {
    let (data, faults) = Observations::read(text.as_bytes());
    assert!(faults.is_empty(), "{faults:?}");
    data
}

/// One observation of these objects.
fn seen(objects: &str) -> Observations {
    data(&format!(
        r#"{{"type": "observed-data", "number_observed": 1, "first_observed": "2024-01-01T00:00:00Z",
        "last_observed": "2024-01-01T00:00:00Z", "objects": {{{objects}}}}}"#
    ))
}

/// Observations from a second to a second, so often, each of one object of this name.
fn timed(observations: &[(u32, u32, u32, &str)]) -> Observations {
    let objects = observations.iter().map(|(first, last, number, name)| {
        format!(
            r#"{{"type": "observed-data", "number_observed": {number}, "first_observed": "2024-01-01T00:00:{first:02}Z",
            "last_observed": "2024-01-01T00:00:{last:02}Z", "objects": {{"0": {{"type": "x", "n": "{name}"}}}}}}"#
        )
    });
    data(&objects.collect::<String>())
}

fn is_match(text: &str, data: &Observations) -> bool {
    let options = Options { version: Version::Auto };
    let pattern = pattern::parse_with(text, options).unwrap_or_else(|errors| panic!("{text}\n{errors}"));
    Evaluator::new(&pattern).and_then(|evaluator| evaluator.matches(data)).expect(text).is_some()
}

#[track_caller]
fn all(data: &Observations, yes: &[&str], no: &[&str]) {
    yes.iter().for_each(|text| assert!(is_match(text, data), "{text} should match"));
    no.iter().for_each(|text| assert!(!is_match(text, data), "{text} should not match"));
}

#[test]
fn comparisons_are_about_one_object() {
    let data = seen(r#""0": {"type": "x", "a": 1}, "1": {"type": "x", "b": 2}, "2": {"type": "y", "a": 1, "b": 2}"#);
    all(
        &data,
        &["[x:a = 1 OR x:b = 3]", "[y:a = 1 AND y:b = 2]", "[x:a = 3 OR y:b = 2]"],
        &["[x:a = 1 AND x:b = 2]", "[x:a = 1 AND y:b = 2]", "[x:a = 1] AND [x:b = 2]", "[z:a = 1]"],
    );
}

#[test]
fn a_star_is_any_element() {
    let data = seen(r#""0": {"type": "x", "l": ["a", "b"], "d": {"k": "a"}, "o": [{"k": 1}, {"m": 2}]}"#);
    all(
        &data,
        &[
            "[x:l[*] = 'a']",
            "[x:l[*] != 'a']",
            "[x:l[*] NOT = 'a']",
            "[x:l[*] = 'a' AND x:l[*] = 'b']",
            "[x:l[1] = 'b']",
            "[x:o[*].k = 1 AND x:o[*].m = 2]",
            "[EXISTS x:o[1].m]",
            "[x:d.k = 'a']",
        ],
        &["[x:l[*] NOT IN ('a', 'b')]", "[x:l[2] = 'a']", "[x:l[-1] = 'b']", "[x:l = 'a']", "[x:d[*] = 'a']"],
    );
}

#[test]
fn references_are_followed() {
    let data = seen(
        r#""0": {"type": "x", "to_ref": "1", "to_refs": ["1", "2", "9"], "to": "1"},
        "1": {"type": "y", "n": 1, "back_ref": "0"}, "2": {"type": "y", "n": 2}"#,
    );
    all(
        &data,
        &[
            "[x:to_ref.n = 1]",
            "[x:to_refs[*].n = 2]",
            "[x:to_refs[1].n = 2]",
            "[x:to_ref.back_ref.to_ref.n = 1]",
            "[x:to_ref.type = 'y']",
            "[x:to_ref = '1']",
        ],
        &["[x:to.n = 1]", "[x:to_refs[2].n NOT = 5]", "[x:to_refs[*].n = 3]"],
    );
}

#[test]
fn references_of_2_1_lead_through_the_bundle() {
    let data = data(
        r#"{"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "observed-data", "id": "observed-data--1", "number_observed": 1, "object_refs": ["x--1"],
         "first_observed": "2024-01-01T00:00:00Z", "last_observed": "2024-01-01T00:00:00Z"},
        {"type": "x", "id": "x--1", "to_ref": "y--1"}, {"type": "y", "id": "y--1", "n": 1}, {"type": "z", "id": "z--1"}]}"#,
    );
    all(&data, &["[x:to_ref.n = 1]", "[EXISTS x:id]"], &["[y:n = 1]", "[EXISTS z:id]", "[EXISTS observed-data:id]"]);
}

#[test]
fn what_is_missing_satisfies_nothing() {
    let data = seen(r#""0": {"type": "x", "a": "v", "e": null}"#);
    all(
        &data,
        &["[EXISTS x:a]", "[NOT EXISTS x:b]", "[x:a != 'w']", "[NOT EXISTS x:b.c[*].d]"],
        &[
            "[x:b != 'v']",
            "[x:b NOT = 'v']",
            "[x:b NOT IN ('v')]",
            "[x:b NOT LIKE 'v']",
            "[x:b NOT MATCHES 'v']",
            "[x:b NOT ISSUBSET '192.0.2.0/24']",
            "[x:b NOT > 'v']",
            "[EXISTS x:b]",
            "[NOT EXISTS x:a]",
            "[NOT EXISTS y:a]",
        ],
    );
}

#[test]
fn types_keep_apart() {
    let data = seen(r#""0": {"type": "x", "i": 5, "f": 12.0, "b": true, "s": "v", "big": 9007199254740993}"#);
    all(
        &data,
        &[
            "[x:i = 5.0]",
            "[x:f = 12]",
            "[x:i < 5.5]",
            "[x:i != 'v']",
            "[x:b != 1]",
            "[x:b = true]",
            "[x:i NOT IN ('v')]",
            "[x:i NOT LIKE '5']",
            "[x:big = 9007199254740993]",
            "[x:big > 9007199254740992.0]",
            "[x:i < 99999999999999999999999999]",
            "[x:i IN (4, 5.0)]",
            "[x:i NOT IN ()]",
        ],
        &[
            "[x:i = '5']",
            "[x:b = 1]",
            "[x:i < 'v']",
            "[x:i NOT < 'v']",
            "[x:s > 1]",
            "[x:s NOT > 1]",
            "[x:s = 'V']",
            "[x:big = 9007199254740992]",
            "[x:i IN ()]",
        ],
    );
}

#[test]
fn addresses_are_sets() {
    let data =
        seen(r#""0": {"type": "x", "a": "192.0.2.7", "n": "192.0.2.9/28", "six": "2001:db8::1", "s": "office"}"#);
    all(
        &data,
        &[
            "[x:a ISSUBSET '192.0.2.0/24']",
            "[x:a ISSUBSET '192.0.2.7']",
            "[x:a ISSUBSET '0.0.0.0/0']",
            "[x:n ISSUBSET '192.0.2.200/24']",
            "[x:n ISSUPERSET '192.0.2.1']",
            "[x:n ISSUPERSET '192.0.2.0/28']",
            "[x:six ISSUBSET '2001:db8::/32']",
            "[x:a NOT ISSUBSET '2001:db8::/32']",
            "[x:s NOT ISSUBSET '0.0.0.0/0']",
        ],
        &[
            "[x:a ISSUBSET '198.51.100.0/24']",
            "[x:n ISSUBSET '192.0.2.0/29']",
            "[x:n ISSUPERSET '192.0.2.0/24']",
            "[x:a ISSUBSET '::/0']",
            "[x:a = '192.0.2.7/32']",
            "[x:s ISSUBSET '0.0.0.0/0']",
        ],
    );
}

#[test]
fn texts() {
    let data = seen(r#""0": {"type": "x", "s": "Hello\nWorld", "u": "d\u0323\u0307", "p": "100%"}"#);
    all(
        &data,
        &[
            "[x:s LIKE 'Hello%']",
            "[x:s LIKE 'Hello_World']",
            "[x:p LIKE '___%']",
            "[x:s MATCHES 'o.W']",
            "[x:s MATCHES '(?i)world$']",
            "[x:s MATCHES '(?<=o\\\\n)W']",
            "[x:s MATCHES '(l)\\\\1']",
            "[x:u LIKE '\u{1e0d}\u{307}']",
            "[x:u MATCHES '^\u{1e0b}\u{323}$']",
            "[x:u != '\u{1e0d}\u{307}']",
        ],
        &["[x:s LIKE 'Hello']", "[x:s LIKE 'hello%']", "[x:s MATCHES '^World']", "[x:s MATCHES 'x']"],
    );
}

#[test]
fn bytes_and_instants() {
    let data = seen(
        r#""0": {"type": "x", "a_hex": "616c", "a_bin": "YWw=", "s": "al", "t": "2024-01-01T00:00:00.500Z",
        "d": "2024-01-01", "h_hex": "FFd8"}"#,
    );
    all(
        &data,
        &[
            "[x:a_hex = h'616C' AND x:a_bin = b'YWw=' AND x:a_hex = 'al' AND x:s = h'616c']",
            "[x:h_hex = h'ffd8']",
            "[x:a_hex LIKE 'a_']",
            "[x:t = t'2024-01-01T00:00:00.5Z']",
            "[x:t > t'2024-01-01T00:00:00Z']",
            "[x:t != '2024-01-01T00:00:00.5Z']",
            "[x:d != t'2024-01-01T00:00:00Z']",
        ],
        &["[x:h_hex = 'ffd8']", "[x:a_hex = '616c']", "[x:d = t'2024-01-01T00:00:00Z']"],
    );
}

#[test]
fn observations_are_different_ones() {
    let data = timed(&[(0, 0, 1, "a"), (5, 5, 1, "b"), (9, 9, 3, "c")]);
    all(
        &data,
        &[
            "[x:n = 'a'] AND [x:n = 'b']",
            "[x:n = 'c'] AND [x:n = 'c']",
            "[x:n = 'c'] REPEATS 3 TIMES",
            "[x:n > ''] REPEATS 5 TIMES",
            "[x:n = 'z'] OR [x:n = 'a']",
            "([x:n = 'a'] OR [x:n = 'b']) AND [x:n = 'a']",
        ],
        &[
            "[x:n = 'a'] AND [x:n < 'b']",
            "[x:n = 'c'] REPEATS 4 TIMES",
            "[x:n > ''] REPEATS 6 TIMES",
            "[x:n = 'c'] REPEATS 2 TIMES REPEATS 2 TIMES",
            "[x:n = 'a'] AND [x:n = 'z']",
        ],
    );
}

#[test]
fn one_after_the_other() {
    let data = timed(&[(0, 0, 1, "a"), (5, 5, 1, "b"), (5, 20, 1, "long")]);
    all(
        &data,
        &[
            "[x:n = 'a'] FOLLOWEDBY [x:n = 'b']",
            "[x:n = 'b'] FOLLOWEDBY [x:n = 'long']",
            "[x:n = 'long'] FOLLOWEDBY [x:n = 'b']",
        ],
        &["[x:n = 'b'] FOLLOWEDBY [x:n = 'a']", "[x:n = 'long'] FOLLOWEDBY [x:n = 'a']"],
    );
}

#[test]
fn within_is_inclusive_and_binds_to_what_is_before_it() {
    let data = timed(&[(0, 0, 1, "a"), (5, 5, 1, "b"), (10, 20, 1, "long")]);
    all(
        &data,
        &[
            "([x:n = 'a'] AND [x:n = 'b']) WITHIN 5 SECONDS",
            "[x:n = 'a'] AND [x:n = 'b'] WITHIN 1 SECONDS",
            "([x:n = 'a'] AND [x:n = 'long']) WITHIN 10 SECONDS",
            "[x:n = 'long'] WITHIN 0.001 SECONDS",
            "[x:n > ''] REPEATS 2 TIMES WITHIN 5 SECONDS",
        ],
        &[
            "([x:n = 'a'] AND [x:n = 'b']) WITHIN 4.9999 SECONDS",
            "([x:n = 'a'] AND [x:n = 'long']) WITHIN 9 SECONDS",
            "[x:n > ''] REPEATS 3 TIMES WITHIN 5 SECONDS",
        ],
    );
}

#[test]
fn the_order_of_qualifiers_counts() {
    let data = timed(&[(0, 0, 1, "a"), (30, 30, 1, "a")]);
    all(&data, &["[x:n = 'a'] WITHIN 5 SECONDS REPEATS 2 TIMES"], &["[x:n = 'a'] REPEATS 2 TIMES WITHIN 5 SECONDS"]);
}

#[test]
fn start_is_inside_and_stop_is_not() {
    let data = timed(&[(10, 20, 1, "a")]);
    let during = |start: u32, stop: u32| {
        format!("[x:n = 'a'] START t'2024-01-01T00:00:{start:02}Z' STOP t'2024-01-01T00:00:{stop:02}Z'")
    };
    for (start, stop, expected) in [
        (0, 10, false),
        (0, 11, true),
        (20, 30, true),
        (21, 30, false),
        (12, 15, true),
        (15, 15, false),
        (30, 0, false),
    ] {
        assert_eq!(is_match(&during(start, stop), &data), expected, "{start} to {stop}");
    }
    assert!(is_match("[x:n = 'a'] START '2024-01-01T00:00:00Z' STOP '2024-01-01T00:00:11Z'", &data));
}

#[test]
fn what_can_not_be_evaluated_is_an_error_with_a_place() {
    for (text, place) in [
        ("[x:a = 1] WITHIN 0 SECONDS", "WITHIN 0 SECONDS"),
        ("[x:a = 1] REPEATS 0 TIMES", "REPEATS 0 TIMES"),
        ("[x:a = t'2023-02-29T00:00:00Z']", "t'2023-02-29T00:00:00Z'"),
        ("[x:a IN (1, 'b')]", "1, 'b'"),
        ("[x:a ISSUBSET '192.0.2.0/33']", "'192.0.2.0/33'"),
        ("[x:a MATCHES '(']", "'('"),
    ] {
        let error = Evaluator::new(&pattern::parse(text).unwrap()).expect_err(text);
        assert_eq!((error.code().0, error.diagnostic().span.unwrap().slice(text)), ("S072", place), "{text}");
    }
}

#[test]
fn what_is_wrong_in_the_data_is_said_and_left_out() {
    let good = r#"{"type": "observed-data", "id": "observed-data--good", "number_observed": 1,
        "first_observed": "2024-01-01T00:00:00Z", "last_observed": "2024-01-01T00:00:00Z", "object_refs": ["x--lost"],
        "objects": {"0": {"type": "x", "n": 1}}}"#;
    let bad = [
        r#""number_observed": 1, "first_observed": "2024-01-01T00:00:00Z""#,
        r#""number_observed": 0, "first_observed": "2024-01-01T00:00:00Z", "last_observed": "2024-01-01T00:00:00Z""#,
        r#""first_observed": "2024-01-01T00:00:00Z", "last_observed": "2024-01-01T00:00:00Z""#,
        r#""number_observed": 1, "first_observed": "2024-01-02T00:00:00Z", "last_observed": "2024-01-01T00:00:00Z""#,
        r#""number_observed": 1, "first_observed": "yesterday", "last_observed": "2024-01-01T00:00:00Z""#,
    ];
    let bad: String = bad.iter().map(|rest| format!(r#"{{"type": "observed-data", {rest}}} "#)).collect();
    let (data, faults) = Observations::read(format!("{bad}{good}").as_bytes());
    let codes: Vec<&str> = faults.iter().map(|fault| fault.diagnostic.code.0).collect();
    assert_eq!((data.len(), codes), (1, vec!["S070", "S070", "S070", "S070", "S070", "S071"]));
    assert!(is_match("[x:n = 1]", &data));
}

#[test]
fn numbers_are_read_to_their_last_bit() {
    // The float next to -0.1037.
    let data = seen(r#""0": {"type": "x", "a": -0.10370000000000001}"#);
    all(&data, &["[x:a < -0.1037]", "[x:a = -0.10370000000000001]"], &["[x:a = -0.1037]"]);
}
