//! Comparisons that are never of one object. What contradicts itself otherwise is found in the plan, where values have
//! their types: see [`normalise`](crate::plan::normalise).

use std::collections::BTreeSet;

use super::{Check, literal};
use crate::{
    diagnostic::Code,
    pattern::{BooleanOperator, Comparison, ComparisonExpression, ComparisonKind},
};

/// AND over two object types.
pub const TWO_OBJECT_TYPES: Code = Code("T003");

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
