//! Depth, width and size: errors instead of overflows, and time that grows with the length.

mod support;

use std::{thread, time::Instant};

use stixc::pattern::{self, NESTING, Version, lenient};
use support::grammar::SOUP;

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
                    let text = format!("{start}{}", format!("{word}{blank}").repeat(20_000));
                    let begin = Instant::now();
                    let errors = lenient::read(&text, Version::Auto, false);
                    if let Err(errors) = errors {
                        assert!(errors.iter().count() <= 21);
                        let _ = errors.mend(&text);
                    }
                    assert!(begin.elapsed().as_secs() < 5, "{start}{word}{blank}… takes {:?}", begin.elapsed());
                }
            }
        }
    });
}
