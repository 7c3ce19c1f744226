//! Every node of a tree knows where it stands: what is under its span parses to the same node. And what has no escapes
//! is borrowed from the text.

use crate::support;

use std::borrow::Cow;

use proptest::prelude::*;
use stixc::{
    pattern::{
        self, ComparisonExpression, ComparisonKind, Literal, LiteralValue, ObservationExpression, ObservationKind,
        Operand, PathStepKind, Pattern,
    },
    span::Span,
};
use support::{grammar, tree::without_spans};

/// The tree of a text without its positions.
fn bare(text: &str) -> Pattern<'_> {
    without_spans(&pattern::parse(text).unwrap_or_else(|errors| panic!("{text}\n{errors}")))
}

/// The comparison expression of a pattern that is a single observation.
fn only_comparison<'a>(pattern: &'a Pattern<'a>) -> &'a ComparisonExpression<'a> {
    match &pattern.expression.kind {
        ObservationKind::Single(comparison) => comparison,
        other => panic!("not a single observation: {other:?}"),
    }
}

/// The literals of a test, which is the only one of its pattern.
fn only_literals<'a>(pattern: &'a Pattern<'a>) -> &'a [Literal<'a>] {
    match &only_comparison(pattern).kind {
        ComparisonKind::Test(test) => literals(&test.operand),
        other => panic!("not a single comparison: {other:?}"),
    }
}

fn literals<'b, 'a>(operand: &'b Operand<'a>) -> &'b [Literal<'a>] {
    match operand {
        Operand::None => &[],
        Operand::Literal(literal) => std::slice::from_ref(literal),
        Operand::Set(literals) => literals,
    }
}

fn check_observation(source: &str, expression: &ObservationExpression<'_>, around: Span) {
    assert!(around.start <= expression.span.start && expression.span.end <= around.end, "{source}");
    let alone = Pattern { source: "", expression: expression.clone() };
    assert_eq!(bare(expression.span.slice(source)), without_spans(&alone), "{source}");
    match &expression.kind {
        ObservationKind::Single(comparison) => check_comparison(source, comparison, expression.span),
        ObservationKind::Combined { operands, .. } => {
            operands.iter().for_each(|operand| check_observation(source, operand, expression.span));
        }
        ObservationKind::Qualified { expression: inner, qualifier } => {
            check_observation(source, inner, expression.span);
            let alone = format!("[a:b = 1] {}", qualifier.span.slice(source));
            let ObservationKind::Qualified { qualifier: other, .. } = &bare(&alone).expression.kind else {
                panic!("not a qualifier: {alone}")
            };
            assert_eq!(other.kind, qualifier.kind);
            assert_eq!(qualifier.span.end, expression.span.end);
        }
    }
}

fn check_comparison(source: &str, expression: &ComparisonExpression<'_>, around: Span) {
    assert!(
        around.start < expression.span.start && expression.span.end < around.end || around == expression.span,
        "{source}"
    );
    let text = format!("[{}]", expression.span.slice(source));
    let kind = ObservationKind::Single(expression.clone());
    let alone = Pattern { source: "", expression: ObservationExpression { kind, span: Span::default() } };
    assert_eq!(bare(&text), without_spans(&alone), "{source}");
    match &expression.kind {
        ComparisonKind::Combined { operands, .. } => operands.iter().for_each(|operand| {
            assert!(expression.span.start <= operand.span.start && operand.span.end <= expression.span.end);
            check_comparison(source, operand, operand.span);
        }),
        ComparisonKind::Test(test) => {
            assert_eq!(test.path.type_span.slice(source), test.path.object_type);
            assert!(test.path.span.slice(source).starts_with(test.path.object_type));
            let operator = test.operator_span.slice(source);
            let spellings = match operator {
                "==" => "=",
                "<>" => "!=",
                other => other,
            };
            assert_eq!(spellings, test.operator.to_string());
            for step in &test.path.steps {
                let text = step.span.slice(source);
                match &step.kind {
                    PathStepKind::Property(name) if !text.starts_with('\'') => assert_eq!(name, text),
                    PathStepKind::Property(_) => assert!(text.ends_with('\'')),
                    PathStepKind::Index(_) | PathStepKind::AnyIndex => {
                        assert!(text.starts_with('[') && text.ends_with(']'), "{source}");
                    }
                }
            }
            for literal in literals(&test.operand) {
                let text = format!("[a:b = {}]", literal.span.slice(source));
                assert_eq!(only_literals(&bare(&text))[0].value, literal.value, "{source}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_under_a_span_is_the_node(text in grammar::pattern()) {
        let pattern = pattern::parse(&text).expect("it is made from the grammar");
        check_observation(&text, &pattern.expression, Span::new(0, text.len()));
    }
}

#[test]
fn parentheses_around_an_expression_are_outside_of_its_span() {
    let text = " ( [ (a:b = 1 OR (a:c = 2)) AND a:d IN ( 3 , 4 ) ] /*c*/ ) WITHIN 5 SECONDS ";
    let pattern = pattern::parse(text).expect("it is a pattern");
    assert_eq!(pattern.expression.span.slice(text), text.trim());
    let ObservationKind::Qualified { expression, qualifier } = &pattern.expression.kind else {
        panic!("not qualified")
    };
    assert_eq!(qualifier.span.slice(text), "WITHIN 5 SECONDS");
    assert_eq!(expression.span.slice(text), "[ (a:b = 1 OR (a:c = 2)) AND a:d IN ( 3 , 4 ) ]");
    let ObservationKind::Single(comparison) = &expression.kind else { panic!("not one observation") };
    assert_eq!(comparison.span.slice(text), "(a:b = 1 OR (a:c = 2)) AND a:d IN ( 3 , 4 )");
    let ComparisonKind::Combined { operands, .. } = &comparison.kind else { panic!("not combined") };
    assert_eq!(operands[0].span.slice(text), "a:b = 1 OR (a:c = 2)");
    assert_eq!(operands[1].span.slice(text), "a:d IN ( 3 , 4 )");
}

#[test]
fn text_without_escapes_is_borrowed() {
    let is_borrowed = |text: &str| match &only_literals(&pattern::parse(text).expect("it is a pattern"))[0].value {
        LiteralValue::String(value) => matches!(value, Cow::Borrowed(_)),
        other => panic!("not a text: {other:?}"),
    };
    assert!(is_borrowed("[a:b = 'http://evil.example/?a=\"b\"']"));
    assert!(!is_borrowed(r"[a:b = 'C:\\Temp']"));
    let pattern = pattern::parse("[a:'User-Agent'.b = 1]").expect("it is a pattern");
    let ComparisonKind::Test(test) = &only_comparison(&pattern).kind else { panic!("not a comparison") };
    assert!(test.path.steps.iter().all(|step| matches!(&step.kind, PathStepKind::Property(Cow::Borrowed(_)))));
}
