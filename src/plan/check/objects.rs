//! What several comparisons can't be together: of one object.

use std::collections::BTreeSet;

use super::{Check, literal};
use crate::{
    diagnostic::Code,
    pattern::{
        BooleanOperator, Comparison, ComparisonExpression, ComparisonKind, ComparisonOperator, Literal, LiteralValue,
        Operand, PathStepKind,
    },
};

/// AND over two object types.
pub const TWO_OBJECT_TYPES: Code = Code("T003");
/// One property equal to two values.
pub const CONTRADICTION: Code = Code("W116");

/// Operands of one AND that are compared with each other; more would cost their square.
const OPERANDS: usize = 32;

/// Reports each AND whose operands never are of one type.
pub(super) fn check(check: &mut Check<'_>, expression: &ComparisonExpression<'_>) {
    if !has_one_type(expression, first_test(expression).path.object_type) {
        types(check, expression);
    }
}

fn first_test<'e, 'a>(expression: &'e ComparisonExpression<'a>) -> &'e Comparison<'a> {
    let mut expression = expression;
    loop {
        match &expression.kind {
            ComparisonKind::Test(test) => return test,
            ComparisonKind::Combined { operands, .. } => expression = &operands[0],
        }
    }
}

fn has_one_type(expression: &ComparisonExpression<'_>, object_type: &str) -> bool {
    match &expression.kind {
        ComparisonKind::Test(test) => test.path.object_type == object_type,
        ComparisonKind::Combined { operands, .. } => operands.iter().all(|operand| has_one_type(operand, object_type)),
    }
}

/// The types of object that can satisfy an expression; `None` once it was reported that there are none.
fn types<'e>(check: &mut Check<'_>, expression: &'e ComparisonExpression<'_>) -> Option<BTreeSet<&'e str>> {
    let (operator, operands) = match &expression.kind {
        ComparisonKind::Test(test) => return Some(BTreeSet::from([test.path.object_type])),
        ComparisonKind::Combined { operator, operands } => (*operator, operands),
    };
    let mut all: Option<BTreeSet<&str>> = None;
    let mut reported = false;
    for operand in operands {
        let Some(own) = types(check, operand) else {
            reported = true;
            continue;
        };
        all = Some(match all {
            None => own,
            Some(mut all) if operator == BooleanOperator::Or => {
                all.extend(own);
                all
            }
            Some(all) => {
                let both = &all & &own;
                if both.is_empty() && !reported {
                    report(check, &all, operand);
                    reported = true;
                }
                both
            }
        });
    }
    all.filter(|_| !reported)
}

fn report(check: &mut Check<'_>, before: &BTreeSet<&str>, operand: &ComparisonExpression<'_>) {
    let path = &first_test(operand).path;
    let earlier = literal::name(before.first().copied().unwrap_or_default());
    let later = literal::name(path.object_type);
    check.error(
        TWO_OBJECT_TYPES,
        path.type_span,
        format!("no object is of both types, `{earlier}` and `{later}`"),
        format!("give each type brackets of its own: [{earlier}:…] AND [{later}:…]"),
    );
}

/// Reports one property that an AND wants equal to two different values.
pub(super) fn contradictions(check: &mut Check<'_>, operator: BooleanOperator, operands: &[ComparisonExpression<'_>]) {
    if operator != BooleanOperator::And {
        return;
    }
    let tests = || operands.iter().take(OPERANDS).filter_map(equality);
    for (at, (test, value)) in tests().enumerate() {
        let earlier = tests().take(at).find(|(other, _)| is_same_path(test, other));
        if let Some((_, other)) = earlier.filter(|(_, other)| other.value != value.value) {
            check.warning(
                CONTRADICTION,
                value.span,
                format!("the same property can't be equal to {} as well", literal::shown(other)),
                "join the two comparisons with OR, or write both values into one IN",
            );
        }
    }
}

/// A comparison of a property with a single value, that one object can satisfy for one value only.
fn equality<'e, 'a>(expression: &'e ComparisonExpression<'a>) -> Option<(&'e Comparison<'a>, &'e Literal<'a>)> {
    let ComparisonKind::Test(test) = &expression.kind else { return None };
    let Operand::Literal(value) = &test.operand else { return None };
    // Some numbers are equal though written differently.
    let is_number = matches!(value.value, LiteralValue::Float { .. } | LiteralValue::BigInteger(_));
    let is_single = !test.path.steps.iter().any(|step| step.kind == PathStepKind::AnyIndex);
    (test.operator == ComparisonOperator::Equal && !test.negated && is_single && !is_number).then_some((test, value))
}

fn is_same_path(one: &Comparison<'_>, other: &Comparison<'_>) -> bool {
    one.path.object_type == other.path.object_type
        && one.path.steps.iter().map(|step| &step.kind).eq(other.path.steps.iter().map(|step| &step.kind))
}
