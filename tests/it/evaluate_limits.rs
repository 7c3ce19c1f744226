//! The evaluator on much data, on hard patterns, and on noise: an answer or a typed error, in bounded time.

use crate::support;

use std::{fmt::Write, thread};

use proptest::{collection::vec, prelude::*};
use stixc::{
    evaluate::{EvaluateError, Evaluator, Match, Observations, STEPS},
    pattern,
};
use support::{effort::within, grammar};

/// Observations at these seconds, of objects with these properties.
fn observations(seen: impl IntoIterator<Item = (usize, String)>) -> Observations {
    let mut text = String::from("[");
    for (second, properties) in seen {
        let (day, hour, minute) = (1 + second / 86_400, second / 3600 % 24, second / 60 % 60);
        let time = format!("2024-01-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60);
        let comma = if text.len() > 1 { "," } else { "" };
        write!(
            text,
            r#"{comma}{{"type": "observed-data", "number_observed": 1, "first_observed": "{time}",
            "last_observed": "{time}", "objects": {{"0": {{"type": "x", {properties}}}}}}}"#
        )
        .unwrap();
    }
    text.push(']');
    let (observations, faults) = Observations::read(text.as_bytes());
    assert!(faults.is_empty(), "{faults:?}");
    observations
}

/// The answer, with a tenth of the steps that a search is allowed, and in a time that leaves room for a debug build.
fn quickly(text: &str, data: &Observations) -> Result<Option<Match>, EvaluateError> {
    let pattern = pattern::parse(text).unwrap_or_else(|errors| panic!("{errors}"));
    let short: String = text.chars().take(80).collect();
    within(20, &short, || Evaluator::new(&pattern)?.with_steps(STEPS / 10).matches(data))
}

const MANY: usize = 10_000;

#[test]
fn ten_thousand_observations() {
    // a and b take turns, 61 seconds apart.
    let apart = observations((0..MANY).map(|at| (at * 61, format!(r#""v": {}"#, at % 2))));
    let found = |text: &str| quickly(text, &apart).expect(text).is_some();
    assert!(found("[x:v = 0] FOLLOWEDBY [x:v = 1] WITHIN 60 SECONDS"));
    assert!(!found("([x:v = 0] FOLLOWEDBY [x:v = 1]) WITHIN 60 SECONDS"));
    assert!(found("([x:v = 0] FOLLOWEDBY [x:v = 1]) WITHIN 61 SECONDS"));
    assert!(!found("([x:v = 0] AND [x:v = 1]) WITHIN 60 SECONDS"));
    assert!(!found("([x:v >= 0] FOLLOWEDBY [x:v >= 0]) WITHIN 60 SECONDS"));
    assert!(!found("[x:v = 0] REPEATS 2 TIMES WITHIN 121 SECONDS"));
    assert!(found("[x:v = 0] REPEATS 5000 TIMES"));
    assert!(!found("[x:v = 0] REPEATS 5001 TIMES"));
    assert!(!found("([x:v = 0] FOLLOWEDBY [x:v = 1] FOLLOWEDBY [x:v = 0]) WITHIN 121 SECONDS"));
    assert!(found("([x:v = 0] FOLLOWEDBY [x:v = 1] FOLLOWEDBY [x:v = 0]) WITHIN 122 SECONDS"));
    assert!(found("([x:v = 0] FOLLOWEDBY [x:v = 1]) WITHIN 61 SECONDS REPEATS 50 TIMES"));
}

#[test]
fn ten_thousand_observations_in_a_minute() {
    let dense = observations((0..MANY).map(|at| (at / 167, format!(r#""v": {}"#, at % 2))));
    let found = |text: &str| quickly(text, &dense).expect(text).is_some();
    assert!(found("([x:v = 0] FOLLOWEDBY [x:v = 1]) WITHIN 60 SECONDS"));
    assert!(!found("([x:v = 0] FOLLOWEDBY [x:v = 1] FOLLOWEDBY [x:v = 2]) WITHIN 60 SECONDS"));
    assert!(found("[x:v >= 0] REPEATS 10000 TIMES WITHIN 60 SECONDS"));
    assert!(!found("[x:v >= 0] REPEATS 10001 TIMES"));
    assert!(!found("[x:v >= 0] REPEATS 10000 TIMES AND [x:v = 0]"));
    assert!(found("[x:v >= 0] REPEATS 9999 TIMES AND [x:v = 0]"));
}

/// More places than observations, all of which fit all places.
#[test]
fn pigeons() {
    let data = observations((0..19).map(|at| (at, r#""v": 1"#.to_owned())));
    let places: Vec<String> = (0..20).map(|at| format!("[x:v > -{at}]")).collect();
    assert_eq!(quickly(&places.join(" AND "), &data), Ok(None));
    assert_eq!(quickly(&places.join(" FOLLOWEDBY "), &data), Ok(None));
    assert!(quickly(&places[1..].join(" FOLLOWEDBY "), &data).unwrap().is_some());
}

/// A packing problem: an answer or none, but never a wrong one, and never for ever.
#[test]
fn the_budget_ends_a_search() {
    let data = observations((0..60).map(|at| (at, format!(r#""v": {}"#, at % 3))));
    let text = "([x:v >= 0] AND [x:v >= 1] AND [x:v != 1]) WITHIN 2 SECONDS REPEATS 20 TIMES";
    match quickly(text, &data) {
        Ok(Some(found)) => assert_eq!(found.observations.len(), 60),
        Ok(None) => panic!("each three seconds hold one of each"),
        Err(error) => assert_eq!(error.code().0, "S073"),
    }
    let pattern = pattern::parse("([x:v = 0] FOLLOWEDBY [x:v = 1]) WITHIN 5 SECONDS").unwrap();
    let error = Evaluator::new(&pattern).unwrap().with_steps(1).matches(&data).unwrap_err();
    assert_eq!(error, EvaluateError::Budget { limit: 1 });
}

/// References in circles, followed far.
#[test]
fn references_in_circles() {
    let object = |at: usize| format!(r#""{at}": {{"type": "x", "n": {at}, "x_refs": ["0", "1", "2", "3"]}}"#);
    let objects: Vec<String> = (0..4).map(object).collect();
    let text = format!(
        r#"{{"type": "observed-data", "number_observed": 1, "first_observed": "2024-01-01T00:00:00Z",
        "last_observed": "2024-01-01T00:00:00Z", "objects": {{{}}}}}"#,
        objects.join(",")
    );
    let (data, _) = Observations::read(text.as_bytes());
    let path = ".x_refs[*]".repeat(200);
    assert_eq!(quickly(&format!("[x:{}.n = 9]", &path[1..]), &data), Ok(None));
    assert!(quickly(&format!("[x:{}.n = 3]", &path[1..]), &data).unwrap().is_some());
}

/// On a stack of 2 MiB, in a debug build too.
#[test]
fn the_deepest_pattern() {
    let nested = |open: &str, close: &str| format!("{}[x:v = 0]{}", open.repeat(250), close.repeat(250));
    let texts = [
        nested("(", " AND [x:v = 1])"),
        nested("(", " FOLLOWEDBY [x:v = 1])"),
        nested("(", " OR [x:v = 1]) WITHIN 9 SECONDS"),
        nested("(", " FOLLOWEDBY [x:v = 1]) REPEATS 2 TIMES"),
        format!("[{}x:v = 0{}]", "(".repeat(250), " OR x:v = 2)".repeat(250)),
    ];
    let run = move || {
        let data = observations((0..600).map(|at| (at, format!(r#""v": {}"#, usize::from(at > 0)))));
        for text in &texts {
            // Some of these are hard; here it only matters that they end.
            let pattern = pattern::parse(text).unwrap_or_else(|errors| panic!("{errors}"));
            let _ = Evaluator::new(&pattern).unwrap().with_steps(100_000).matches(&data);
        }
    };
    thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_hundred_thousand_alternatives() {
    let data = observations((0..10).map(|at| (at, r#""v": "a""#.to_owned())));
    let tests: Vec<String> = (0..100_000).map(|at| format!("x:v = '{at}'")).collect();
    assert_eq!(quickly(&format!("[{}]", tests.join(" OR ")), &data), Ok(None));
    let observed: Vec<String> = (0..10_000).map(|at| format!("[x:v = '{at}']")).collect();
    assert_eq!(quickly(&observed.join(" OR "), &data), Ok(None));
}

/// An expression that goes back without end.
#[test]
fn a_regular_expression_gives_up() {
    let data = observations([(0, format!(r#""v": "{}c""#, "a".repeat(40)))]);
    let error = quickly("[x:v MATCHES '^(a|a)+(?=b)d$']", &data);
    match error {
        Ok(None) => {}
        Ok(Some(found)) => panic!("{found:?}"),
        Err(error) => assert_eq!(error.code().0, "S074"),
    }
}

/// JSON with the keys that matter.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?[1-9][0-9]{0,25}",
        "[0-9]\\.[0-9]{1,3}e[0-9]{1,2}",
        "\"[a-z0-9:/.]{0,12}\"",
        Just("\"2024-01-01T00:00:00Z\"".to_owned()),
        Just("\"0\"".to_owned()),
    ];
    leaf.prop_recursive(4, 30, 4, |inner| {
        let key = "(a|b|type|id|objects|object_refs|x_ref|x_refs|a_hex|b_bin|file|first_observed|number_observed)";
        let entry = (key, inner.clone()).prop_map(|(key, value)| format!("\"{key}\": {value}"));
        prop_oneof![
            vec(inner, 0..4).prop_map(|list| format!("[{}]", list.join(","))),
            vec(entry, 0..5).prop_map(|entries| format!("{{{}}}", entries.join(","))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_input_panics(text in grammar::pattern(), objects in vec(json(), 0..4), noise in ".{0,40}") {
        let seen = objects.iter().map(|object| format!(
            r#"{{"type": "observed-data", "id": "o", "number_observed": 1, "first_observed": "2024-01-01T00:00:00Z",
            "last_observed": "2024-01-01T00:00:00Z", "objects": {object}}} {object} "#));
        let (data, _) = Observations::read(format!("{}{noise}", seen.collect::<String>()).as_bytes());
        if let Ok(pattern) = pattern::parse(&text)
            && let Ok(evaluator) = Evaluator::new(&pattern)
        {
            let _ = evaluator.with_steps(10_000).matches(&data);
        }
    }
}
