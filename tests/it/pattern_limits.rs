//! Depth, width and size: errors instead of overflows, and time that grows with the length.

use crate::support;

use std::{thread, time::Duration};

use stixc::pattern::{self, NESTING, Version, lenient};
use support::{
    effort::{effort, within},
    grammar::SOUP,
};

/// Runs `work` on a thread with the stack that test threads and asynchronous workers have.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(work)
        .expect("a thread starts")
        .join()
        .expect("no panic on a stack of 2 MiB");
}

/// Everything that walks a tree: parse, compare, clone, print, debug, drop.
fn walk(text: &str) {
    let pattern = pattern::parse(text).unwrap_or_else(|errors| panic!("{errors}"));
    let copy = pattern.clone();
    assert_eq!(pattern, copy);
    drop(copy);
    assert!(!format!("{pattern:?}").is_empty());
    let printed = pattern.to_string();
    assert_eq!(pattern::parse(&printed).expect("printed patterns parse").to_string(), printed);
}

fn observations(depth: usize) -> String {
    format!("{}[a:b = 1]{}", "(".repeat(depth), ")".repeat(depth))
}

fn comparisons(depth: usize) -> String {
    format!("[{}a:b = 1{}]", "(".repeat(depth), ")".repeat(depth))
}

#[test]
fn parentheses_nest_to_the_limit_and_no_further() {
    on_a_small_stack(|| {
        for make in [observations, comparisons] {
            walk(&make(NESTING));
            for depth in [NESTING + 1, 1_000, 30_000, 1_000_000] {
                assert!(pattern::parse(&make(depth)).is_err());
            }
        }
    });
}

#[test]
fn the_deepest_tree_fits_a_small_stack() {
    // Each level adds a node for every operator: OR and AND in brackets, and all three outside.
    let half = NESTING / 2;
    let inner = format!("{}a:b = 1{}", "(a:c = 1 OR a:c = 2 AND ".repeat(half), ")".repeat(half));
    let outer = "([a:b = 1] FOLLOWEDBY [a:b = 2] OR [a:b = 3] AND ";
    let text = format!("{}[{inner}]{}", outer.repeat(half), ")".repeat(half));
    on_a_small_stack(move || walk(&text));
    let text = format!("{}[a:b = 1]{}", outer.repeat(NESTING), ") WITHIN 5 SECONDS".repeat(NESTING));
    on_a_small_stack(move || walk(&text));
    let text = format!("[{}a:b = 1{}]", "(a:c = 1 OR a:c = 2 AND ".repeat(NESTING), ")".repeat(NESTING));
    on_a_small_stack(move || walk(&text));
}

#[test]
fn qualifiers_nest_to_the_limit_and_no_further() {
    on_a_small_stack(|| {
        walk(&format!("[a:b = 1]{}", " WITHIN 5 SECONDS".repeat(NESTING)));
        for count in [NESTING + 1, 1_000_000] {
            assert!(pattern::parse(&format!("[a:b = 1]{}", " WITHIN 5 SECONDS".repeat(count))).is_err());
        }
        // Parentheses around qualified expressions don't reset the count.
        let text = format!("{}[a:b = 1]{}", "(".repeat(200), ") WITHIN 5 SECONDS WITHIN 6 SECONDS".repeat(200));
        assert!(pattern::parse(&text).is_err());
    });
}

#[test]
fn width_has_no_limit() {
    on_a_small_stack(|| {
        let alternatives = |one: &str, operator: &str, count: usize| [one].repeat(count).join(operator);
        walk(&format!("[{}]", alternatives("a:b = 1", " OR ", 100_000)));
        walk(&alternatives("[a:b = 1]", " OR ", 100_000));
        walk(&format!("[a:b IN ({})]", alternatives("'x'", ",", 100_000)));
        walk(&format!("[a:{} = 1]", alternatives("b", ".", 100_000)));
    });
}

/// Any word over and over, where it fits and where it doesn't.
#[test]
fn repetition_ends_in_an_error_not_in_an_overflow() {
    on_a_small_stack(|| {
        for word in SOUP.iter().chain(&[
            "NOT (",
            "[(",
            "([",
            "{[",
            "a:b = (",
            "a:b IN (",
            "EXISTS ",
            "a:b['",
            "a:b.'",
            "a:b = 'x' ",
        ]) {
            for start in ["", "[", "[a:b ", "[a:b = ", "[a:b IN (", "[a:b = 1] ", "[a:b = 1 "] {
                for blank in ["", " "] {
                    let text = format!("{start}{}", format!("{word}{blank}").repeat(3_000));
                    within(5, &format!("{start}{word}{blank}…"), || {
                        if let Err(errors) = lenient::read(&text, Version::Auto, false) {
                            assert!(errors.iter().count() <= 21);
                            let _ = errors.mend(&text);
                        }
                    });
                }
            }
        }
    });
}

/// Numbers beyond 64 bits: a value is kept as it is written, what has to be counted is refused where it stands.
#[test]
fn large_numbers_are_kept_or_refused() {
    let long = "9".repeat(400);
    walk(&format!("[a:b = {long} AND a:c > -{long} AND a:d = {long}.5]"));
    walk("[a:b = 9223372036854775807 OR a:b = -9223372036854775808 OR a:b = 9223372036854775808]");
    for (text, place) in [
        (format!("[a:b[{long}] = 1]"), 5),
        ("[a:b[9223372036854775808] = 1]".to_owned(), 5),
        (format!("[a:b = 1] REPEATS {long} TIMES"), 18),
        ("[a:b = 1] REPEATS 18446744073709551616 TIMES".to_owned(), 18),
        (format!("[a:b = 1] WITHIN {long} SECONDS"), 17),
    ] {
        let errors = pattern::parse(&text).expect_err("it can't be counted");
        assert_eq!((errors.iter().count(), errors.first().code().0), (1, "P021"), "{errors}");
        assert_eq!(errors.first().span.start, place, "{errors}");
    }
}

#[test]
fn nul_and_other_controls_belong_into_text_only() {
    walk("[a:b = 'x\0y\u{1}\u{7f}' AND a:'\0' = 1]");
    for text in ["\0", "[a:b\0 = 1]", "[a:b = \0]", "[a:b = 1]\0", "[a:b = 1\u{1b}]"] {
        let errors = pattern::parse(text).expect_err("a control stands outside of text");
        assert!(errors.iter().all(|error| !error.to_string().contains(char::is_control)), "{errors:?}");
    }
}

/// Up to 100 MB are answered, well or not, with a place.
#[test]
fn huge_patterns_are_answered() {
    const SIZE: usize = 100_000_000;
    const PART: usize = SIZE / 20;
    let fill = |start: &str, piece: &str, size: usize, end: &str| format!("{start}{}{end}", piece.repeat(size));
    within(120, "the lot", || {
        assert!(pattern::parse(&fill("[a:b = '", "x", SIZE, "']")).is_ok());
        for (text, place) in [
            (fill("[a:b = '", "x", SIZE, ""), 7),
            (fill("", "x", PART, ""), 0),
            (fill("[a:b = 1] ", " ", PART, "]"), PART + 10),
            (fill("[a:b = ", "9", PART, "'"), 7),
            (fill("/*", "*", PART, ""), 0),
        ] {
            let errors = pattern::parse(&text).expect_err("it has a mistake");
            assert_eq!(errors.first().span.start as usize, place, "{}", errors.first());
        }
    });
}

/// Ten times as many alternatives take about ten times as long; if it were their square, it would be a hundred times.
#[test]
fn a_million_alternatives_take_linear_time() {
    let time = |count: usize| {
        let text = format!("[{}]", ["a:b = 1"].repeat(count).join(" OR "));
        let (pattern, taken) = effort(|| pattern::parse(&text).expect("it is a pattern"));
        let stixc::pattern::ObservationKind::Single(comparison) = &pattern.expression.kind else {
            panic!("one observation")
        };
        let stixc::pattern::ComparisonKind::Combined { operands, .. } = &comparison.kind else {
            panic!("alternatives")
        };
        assert_eq!(operands.len(), count);
        taken
    };
    let (small, large) = (time(100_000), time(1_000_000));
    assert!(large <= small.max(Duration::from_millis(5)) * 50, "{small:?} for 100,000 and {large:?} for 1,000,000");
}
