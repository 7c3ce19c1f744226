//! Several observations in a plan: what a target gets that ties them, and what it loses.

use stixc::{
    pattern,
    plan::{
        Plan, Test,
        adapt::{Accept, Adapted, Capabilities, Fit, NO_PLACE, Order, Ties, adapt},
        fidelity::Fidelity,
        lower::lower,
    },
};

fn plan(text: &str) -> Plan {
    lower(&pattern::parse(text).unwrap()).plan
}

/// A target of three sources. The first two see what their letter says and are of one host; the third sees all, and ties
/// nothing.
fn adapted(plan: &Plan) -> Result<Adapted<'_, ()>, Vec<stixc::plan::fidelity::Loss>> {
    let ties = Ties {
        by: "the same host",
        key: &|source| (source < 2).then_some(7),
        apart: &|left, right| left != right,
        window: 600,
    };
    let capabilities = Capabilities { sources: 3, accept: Accept::ALL, ties: Some(ties), judge: &|_: &[&Test]| None };
    adapt(plan, capabilities, |source, test| {
        let seen = match test.property.path.as_ref() {
            "file:name" => source == 0 || source == 2,
            "domain-name:value" => source == 1 || source == 2,
            _ => false,
        };
        if seen { Fit::Holds { by: (), weak: false, loss: None } } else { Fit::Lacks(NO_PLACE, "not seen".to_owned()) }
    })
}

/// The sequences of a pattern: order, window, fidelity with codes, and each step as `sources of its parts x times`.
fn sequences(text: &str) -> Vec<String> {
    let plan = plan(text);
    match adapted(&plan) {
        Ok(adapted) => {
            let parts = adapted.parts.iter().map(|part| format!("part {} in {}", part.alternative, part.source));
            let sequences = adapted.sequences.iter().map(|one| {
                let order = if one.order == Order::Given { " then " } else { " and " };
                let steps: Vec<String> = one
                    .steps
                    .iter()
                    .map(|step| {
                        let parts: Vec<String> = step
                            .parts
                            .iter()
                            .map(|part| {
                                let tests: Vec<String> =
                                    part.tests.iter().map(|(test, ())| test.values[0].to_string()).collect();
                                format!("{}@{}", tests.join("+"), part.source)
                            })
                            .collect();
                        format!("{}x{}", parts.join("|"), step.times)
                    })
                    .collect();
                let codes: Vec<&str> = one.losses.iter().map(|loss| loss.code.0).collect();
                format!("{} in {} s: {} {}", steps.join(order), one.window, one.fidelity, codes.join(" "))
            });
            parts.chain(sequences).collect()
        }
        Err(losses) => losses.iter().map(|loss| format!("{} {}", loss.code, loss.message)).collect(),
    }
}

const A: &str = "[file:name = 'a']";
const B: &str = "[domain-name:value = 'b.example']";
const C: &str = "[file:name = 'c']";

#[test]
fn and_ties_in_any_order() {
    let text = format!("({A} AND {B}) WITHIN 60 SECONDS");
    assert_eq!(sequences(&text), ["'b.example'@1x1 and 'a'@0x1 in 60 s: narrower L013"]);
}

#[test]
fn followed_by_keeps_its_order_and_names_the_window_it_takes() {
    let text = format!("{A} FOLLOWEDBY {B}");
    assert_eq!(sequences(&text), ["'a'@0x1 then 'b.example'@1x1 in 600 s: narrower L013 L014"]);
}

#[test]
fn a_time_around_one_operand_is_no_window() {
    let text = format!("{A} FOLLOWEDBY {B} WITHIN 5 SECONDS");
    assert_eq!(sequences(&text), ["'a'@0x1 then 'b.example'@1x1 in 600 s: narrower L013 L014"]);
}

#[test]
fn parts_of_a_second_are_cut_and_less_than_one_has_no_rule() {
    let window = |seconds: &str| sequences(&format!("({A} AND {B}) WITHIN {seconds} SECONDS"));
    assert_eq!(window("1.5"), ["'b.example'@1x1 and 'a'@0x1 in 1 s: narrower L013 L015"]);
    assert_eq!(window("0.5"), ["L010 no rule ties events within less than a second"]);
}

#[test]
fn repetitions_are_counted() {
    let text = format!("{B} REPEATS 5 TIMES WITHIN 60 SECONDS");
    assert_eq!(sequences(&text), ["'b.example'@1x5 in 60 s: narrower L013"]);
    assert_eq!(sequences(&format!("{B} REPEATS 1 TIMES")), ["part 0 in 1", "part 0 in 2"]);
    assert_eq!(sequences(&format!("({B} AND {B}) WITHIN 9 SECONDS")), ["'b.example'@1x2 in 9 s: narrower L013"]);
}

#[test]
fn nested_orders_unfold() {
    let text = format!("(({A} AND {B}) FOLLOWEDBY [domain-name:value = 'd.example']) WITHIN 9 SECONDS");
    assert_eq!(
        sequences(&text),
        [
            "'b.example'@1x1 then 'a'@0x1 then 'd.example'@1x1 in 9 s: narrower L013",
            "'a'@0x1 then 'b.example'@1x1 then 'd.example'@1x1 in 9 s: narrower L013",
        ]
    );
    let text = format!("({B} FOLLOWEDBY {C}) AND {A}");
    let orders: Vec<String> =
        sequences(&text).iter().map(|one| one.replace(" in 600 s: narrower L013 L014", "")).collect();
    assert_eq!(orders.len(), 3, "{orders:#?}");
}

#[test]
fn alternatives_inside_a_step_stay_together_and_others_unfold() {
    let text = format!("({A} FOLLOWEDBY ({B} OR {C})) WITHIN 9 SECONDS");
    assert_eq!(sequences(&text), ["'a'@0x1 then 'b.example'@1|'c'@0x1 in 9 s: narrower L013"]);
    let text = format!("{A} OR ({A} FOLLOWEDBY {B})");
    assert!(sequences(&text).len() >= 2, "{:?}", sequences(&text));
}

#[test]
fn one_event_that_may_be_two_observations_is_told() {
    let text = "([file:name = 'a'] FOLLOWEDBY [file:name LIKE 'a%']) WITHIN 9 SECONDS";
    assert_eq!(sequences(text), ["'a'@0x1 then 'a%'@0x1 in 9 s: approximate L013 L016"]);
}

#[test]
fn what_no_list_of_steps_says_is_refused_with_its_reason() {
    let codes = |text: &str| sequences(text).join("; ");
    assert!(codes(&format!("({A} FOLLOWEDBY {B}) REPEATS 2 TIMES")).starts_with("L010 no rule counts"));
    assert!(codes(&format!("{A} AND ({B} FOLLOWEDBY {C}) WITHIN 5 SECONDS")).starts_with("L010 a time for a part"));
    assert!(codes(&format!("{A} FOLLOWEDBY ({B} REPEATS 3 TIMES)")).starts_with("L010 a rule counts one kind"));
    assert!(codes("[file:name = 'a'] AND [mutex:name = 'm']").contains("L001"));
    let five: Vec<String> = (0..5).map(|n| format!("[file:name = '{n}']")).collect();
    let text = format!("({}) FOLLOWEDBY {B}", five.join(" AND "));
    assert!(codes(&text).starts_with("L010 the observations may come in more than 24 orders"), "{}", codes(&text));
}

#[test]
fn broader_alternatives_are_left_out_where_others_are_missing() {
    let plan = plan("[file:name = 'a' OR (file:name = 'b' AND file:size = 3) OR mutex:name = 'm']");
    let fit = |_: usize, test: &stixc::plan::Test| match test.property.path.as_ref() {
        "file:name" => Fit::Holds { by: (), weak: false, loss: None },
        _ => Fit::Lacks(NO_PLACE, "not seen".to_owned()),
    };
    let capabilities = Capabilities { sources: 1, accept: Accept::DETECTION, ties: None, judge: &|_: &[&Test]| None };
    let adapted = adapt(&plan, capabilities, fit).unwrap();
    assert_eq!((adapted.parts.len(), adapted.fidelity), (1, Fidelity::NARROWER));
    assert!(adapted.losses.iter().any(|loss| loss.code.0 == "L031"), "{:?}", adapted.losses);
    let all = adapt(&plan, Capabilities { accept: Accept::ALL, ..capabilities }, fit).unwrap();
    assert_eq!((all.parts.len(), all.fidelity), (2, Fidelity::APPROXIMATE));
}
