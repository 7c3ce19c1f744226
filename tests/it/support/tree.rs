//! Trees without positions, to compare what was parsed from different texts.

use stixc::{
    pattern::{
        ComparisonExpression, ComparisonKind, Literal, ObservationExpression, ObservationKind, Operand, Pattern,
    },
    span::Span,
};

/// The same pattern with every span and the source blanked.
pub fn without_spans<'a>(pattern: &Pattern<'a>) -> Pattern<'a> {
    let mut expression = pattern.expression.clone();
    blank_observation(&mut expression);
    Pattern { source: "", expression }
}

fn blank_observation(expression: &mut ObservationExpression<'_>) {
    expression.span = Span::default();
    match &mut expression.kind {
        ObservationKind::Single(comparison) => blank_comparison(comparison),
        ObservationKind::Combined { operands, .. } => operands.iter_mut().for_each(blank_observation),
        ObservationKind::Qualified { expression, qualifier } => {
            qualifier.span = Span::default();
            blank_observation(expression);
        }
    }
}

fn blank_comparison(expression: &mut ComparisonExpression<'_>) {
    expression.span = Span::default();
    match &mut expression.kind {
        ComparisonKind::Combined { operands, .. } => operands.iter_mut().for_each(blank_comparison),
        ComparisonKind::Test(comparison) => {
            comparison.operator_span = Span::default();
            comparison.path.span = Span::default();
            comparison.path.type_span = Span::default();
            comparison.path.steps.iter_mut().for_each(|step| step.span = Span::default());
            match &mut comparison.operand {
                Operand::None => {}
                Operand::Literal(literal) => blank_literal(literal),
                Operand::Set(literals) => literals.iter_mut().for_each(blank_literal),
            }
        }
    }
}

fn blank_literal(literal: &mut Literal<'_>) {
    literal.span = Span::default();
}
