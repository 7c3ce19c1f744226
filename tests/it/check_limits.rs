//! The type check on patterns that nobody writes by hand.

use crate::support::check as check_support;

use std::fmt::Write;

use proptest::prelude::*;
use stixc::{
    pattern,
    plan::{check, schema},
};

/// A pattern of 20,000 alternatives, each made from its number.
fn alternatives(joined_by: &str, each: impl Fn(usize) -> String) -> String {
    let mut text = String::from("[");
    for at in 0..20_000 {
        if at > 0 {
            text.push_str(joined_by);
        }
        text.push_str(&each(at));
    }
    text.push(']');
    text
}

#[test]
fn many_unknown_names_are_not_reported_one_by_one() {
    for text in [
        alternatives(" OR ", |at| format!("type-{at}:value = 'a'")),
        alternatives(" OR ", |at| format!("file:property_{at} = 'a'")),
    ] {
        let pattern = pattern::parse(&text).expect("the grammar has no limit");
        assert_eq!(check::check(&pattern).len(), 64);
    }
}

#[test]
fn each_bad_element_of_a_long_set_is_reported() {
    let mut text = String::from("[file:hashes.MD5 IN (");
    for at in 0..20_000 {
        let _ = write!(text, "'{at:030x}zz', ");
    }
    text.push_str("'d41d8cd98f00b204e9800998ecf8427e')]");
    let pattern = pattern::parse(&text).expect("the grammar has no limit");
    assert_eq!(check::check(&pattern).len(), 20_000);
}

#[test]
fn an_and_over_many_types_is_one_error() {
    let text = alternatives(" AND ", |at| format!("x-{at}:value = 'a'"));
    let pattern = pattern::parse(&text).expect("the grammar has no limit");
    let found = check::check(&pattern);
    assert_eq!(found.len(), 1, "{}", found.len());
    assert_eq!(found[0].code.0, "T003");
}

#[test]
fn the_deepest_pattern_is_checked_on_a_small_stack() {
    let depth = pattern::NESTING - 1;
    let comparison = format!("[{}a:b = 1{}]", "(".repeat(depth), ")".repeat(depth));
    let mixed =
        (0..depth / 2).fold("x-a:b = 1".to_owned(), |inner, _| format!("x-a:c = 2 AND (x-a:d = 3 OR ({inner}))"));
    let observation = format!("{}[a:b = 1]{}", "(".repeat(depth), ") WITHIN 5 SECONDS".repeat(depth));
    for text in [comparison, format!("[{mixed}]"), observation] {
        let checked = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
            let mut pattern = pattern::parse(&text).map_err(|error| format!("{error:?}"))?;
            check::repair(&mut pattern);
            let _ = check::check(&pattern);
            Ok::<(), String>(())
        });
        checked.expect("a thread starts").join().expect("the stack suffices").expect("the pattern parses");
    }
}

/// A path of the table, or one that is nearly so.
fn any_path() -> impl Strategy<Value = String> {
    let known: Vec<&str> = schema::properties().map(|property| property.path).collect();
    let step = prop_oneof![
        Just(".name"),
        Just(".value"),
        Just("[*]"),
        Just("[0]"),
        Just("[-1]"),
        Just(".'SHA-256'"),
        Just(".x_a"),
        Just(".parent_ref"),
        Just(".to_refs"),
        Just(".extensions"),
        Just(".'pdf-ext'"),
        Just(".''"),
        Just(".hashes"),
    ];
    (prop::sample::select(known), prop::collection::vec(step, 0..3))
        .prop_map(|(path, steps)| format!("{}{}", path.replace(".*", ".'any key'"), steps.concat()))
}

fn any_literal() -> impl Strategy<Value = String> {
    prop_oneof![
        "'[^'\\\\]{0,12}'",
        "'[a-f0-9.:/%*\\[\\]hxps]{0,40}'",
        "'(\\\\\\\\|\\\\'|[(\\[*+?é.]){0,8}'",
        "-?[1-9][0-9]{0,22}",
        "[0-9]{0,3}\\.[0-9]{1,3}",
        Just("true".to_owned()),
        "t'20[0-9]{2}-0[1-9]-[0-3]1T00:00:[0-5]0Z'",
        Just("h'4d5A'".to_owned()),
        Just("b'aGVsbG8='".to_owned()),
    ]
}

fn any_comparison() -> impl Strategy<Value = String> {
    let operator =
        prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">=", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"]);
    let not = prop_oneof![Just(""), Just(" NOT")];
    let plain = (any_path(), not, operator, any_literal())
        .prop_map(|(path, not, operator, literal)| format!("{path}{not} {operator} {literal}"));
    let set = (any_path(), prop::collection::vec(any_literal(), 0..4))
        .prop_map(|(path, literals)| format!("{path} IN ({})", literals.join(", ")));
    let exists = any_path().prop_map(|path| format!("EXISTS {path}"));
    prop_oneof![6 => plain, 2 => set, 1 => exists]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn messages_lie_inside_the_pattern(
        comparisons in prop::collection::vec(any_comparison(), 1..4),
        joined_by in prop::sample::select(vec![" AND ", " OR "]),
    ) {
        let text = format!("[{}]", comparisons.join(joined_by));
        // Some operators do not go with some literals, by the grammar.
        let Ok(mut pattern) = pattern::parse(&text) else { return Ok(()) };
        let mut found = check::check(&pattern);
        let repaired = check::repair(&mut pattern);
        prop_assert!(check::repair(&mut pattern).is_empty(), "{text}");
        // A repair never makes a pattern worse.
        let errors = |found: &[stixc::diagnostic::Diagnostic]| {
            found.iter().filter(|diagnostic| diagnostic.severity == stixc::diagnostic::Severity::Error).count()
        };
        let after = check::check(&pattern);
        prop_assert!(errors(&after) <= errors(&found), "{text}: {after:?}");
        found.extend(repaired);
        found.extend(after);
        for diagnostic in found {
            let span = diagnostic.span.expect("a message has a place");
            prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{text}: {diagnostic:?}");
            prop_assert!(diagnostic.help.is_some());
            prop_assert!(!diagnostic.message.contains('\n'));
        }
    }

    #[test]
    fn canonical_paths_are_canonical(text in any_path()) {
        let canonical = schema::resolve(&check_support::path(&text)).path.into_owned();
        let again = schema::resolve(&check_support::path(&canonical));
        prop_assert_eq!(&again.path, &canonical);
    }
}
