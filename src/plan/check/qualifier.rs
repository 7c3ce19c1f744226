//! Qualifiers without meaning.

use super::{Check, moment};
use crate::{
    diagnostic::Code,
    pattern::{ObservationExpression, ObservationKind, Qualifier, QualifierKind},
    span::Span,
};

/// REPEATS 0 TIMES.
pub const REPEATS_ZERO: Code = Code("T009");
/// WITHIN 0 SECONDS.
pub const WITHIN_ZERO: Code = Code("T010");
/// START is not before STOP.
pub const EMPTY_INTERVAL: Code = Code("T011");
/// Two qualifiers of one kind.
pub const SECOND_QUALIFIER: Code = Code("T018");

pub(super) fn check(
    check: &mut Check<'_>,
    whole: &ObservationExpression<'_>,
    inner: &ObservationExpression<'_>,
    qualifier: &Qualifier,
) {
    match &qualifier.kind {
        QualifierKind::Repeats { times: 0 } => check.error(
            REPEATS_ZERO,
            qualifier.span,
            "nothing repeats zero times",
            "write how often it must be seen at least: REPEATS 2 TIMES",
        ),
        QualifierKind::Within { seconds } if *seconds <= 0.0 => check.error(
            WITHIN_ZERO,
            qualifier.span,
            "a time of zero seconds holds no observations",
            "write a time above zero: WITHIN 60 SECONDS",
        ),
        QualifierKind::StartStop { start, stop } => interval(check, qualifier.span, start, stop),
        _ => {}
    }
    second(check, whole, inner, qualifier);
}

fn interval(check: &mut Check<'_>, span: Span, start: &str, stop: &str) {
    let source = check.source;
    let text = span.slice(source);
    let place = |at: Option<usize>, length: usize| {
        at.map_or(span, |at| Span::new(span.start as usize + at, span.start as usize + at + length))
    };
    let start_good = moment::check(check, start, place(text.find(start), start.len()));
    let stop_good = moment::check(check, stop, place(text.rfind(stop), stop.len()));
    if !start_good || !stop_good || moment::is_before(start, stop) {
        return;
    }
    let help = if moment::is_before(stop, start) {
        format!("put the earlier instant first: START t'{stop}' STOP t'{start}'")
    } else {
        "move STOP behind START: STOP is the first instant that no longer counts".to_owned()
    };
    check.error(EMPTY_INTERVAL, span, "START is not before STOP, so no time lies between them", help);
}

/// An observation in brackets has each kind of qualifier once; parentheses make a new expression.
fn second(
    check: &mut Check<'_>,
    whole: &ObservationExpression<'_>,
    inner: &ObservationExpression<'_>,
    qualifier: &Qualifier,
) {
    let kind = std::mem::discriminant(&qualifier.kind);
    let mut repeats = false;
    let mut next = inner;
    while let ObservationKind::Qualified { expression, qualifier: earlier } = &next.kind {
        repeats |= std::mem::discriminant(&earlier.kind) == kind;
        next = expression;
    }
    // The span of an expression leaves out parentheses around it: where the whole starts earlier, there are some.
    let is_bare = matches!(next.kind, ObservationKind::Single(_)) && whole.span.start == next.span.start;
    if repeats && is_bare {
        let word = word(qualifier);
        check.error(
            SECOND_QUALIFIER,
            qualifier.span,
            format!("a second {word} on the same observation"),
            format!("keep one {word}, or put parentheses round what the first one qualifies"),
        );
    }
}

fn word(qualifier: &Qualifier) -> &'static str {
    match qualifier.kind {
        QualifierKind::Within { .. } => "WITHIN",
        QualifierKind::Repeats { .. } => "REPEATS",
        QualifierKind::StartStop { .. } => "START-STOP",
    }
}
