//! Comparison expressions: what stands between the brackets of an observation (STIX 2.1, sections 9.5 and 9.6).

use std::mem;

use super::{
    BooleanOperator, Comparison, ComparisonExpression, ComparisonKind, ComparisonOperator, NESTING, Operand,
    lexer::{Grammar, Parsed, blank, stop, word},
    precedence::Precedence,
};
use crate::span::Span;

/// The operators between comparisons, from loosest to tightest.
pub(super) const OPERATORS: [BooleanOperator; 2] = [BooleanOperator::Or, BooleanOperator::And];

/// Comparisons that wait for the parenthesis inside them to close, and where the parenthesis opens.
type Waiting<'a> = (Precedence<ComparisonExpression<'a>, 2>, usize);

impl Grammar {
    /// Comparisons under AND and OR, up to something else. `depth` counts the parentheses around it.
    ///
    /// The parentheses inside are kept on a list and not on the stack, which is small where patterns come from outside.
    pub fn comparison_expression(self, mut input: &str, depth: usize) -> Parsed<'_, ComparisonExpression<'_>> {
        let combine = |level: usize, operands, span| ComparisonExpression {
            kind: ComparisonKind::Combined { operator: OPERATORS[level], operands },
            span,
        };
        let mut waiting: Vec<Waiting<'_>> = Vec::new();
        let mut pending = Precedence::new();
        loop {
            let mut start = self.at(input);
            if input.starts_with('(') {
                if depth + waiting.len() >= NESTING {
                    return stop(input);
                }
                waiting.push((mem::replace(&mut pending, Precedence::new()), start));
                input = blank(&input[1..]);
                continue;
            }
            let (mut rest, mut operand) = self.comparison(input)?;
            let mut end = operand.span.end as usize;
            loop {
                let operator;
                (rest, operator) = boolean_operator(rest);
                // Most observations are one comparison, where no operand waits.
                if operator.is_none() && waiting.is_empty() && pending.is_empty() {
                    return Ok((rest, operand));
                }
                let Some(expression) = pending.push(operand, start, end, operator, combine) else { break };
                let Some(outer) = waiting.pop() else { return Ok((rest, expression)) };
                let Some(after) = rest.strip_prefix(')') else { return stop(rest) };
                (pending, start) = outer;
                (operand, end) = (expression, self.at(after));
                rest = blank(after);
            }
            input = rest;
        }
    }

    /// One comparison.
    #[inline(never)]
    fn comparison(self, input: &str) -> Parsed<'_, ComparisonExpression<'_>> {
        if let Some(b'E' | b'N') = input.as_bytes().first()
            && self.version.has_exists()
        {
            let (rest, negated) = negation(input);
            if let Ok((after, "EXISTS")) = word(rest) {
                return self.existence(input, rest, after, negated);
            }
        }
        let (rest, path) = self.object_path(input)?;
        let (rest, negated) = negation(rest);
        let (rest, (operator, operator_span)) = self.operator(rest)?;
        let (rest, operand, operand_span) = match operator {
            ComparisonOperator::In => {
                let (rest, (literals, span)) = self.set(rest)?;
                (rest, Operand::Set(literals), span)
            }
            _ => {
                let (rest, literal) = match operator {
                    ComparisonOperator::Equal | ComparisonOperator::NotEqual => self.literal(rest)?,
                    ComparisonOperator::Like
                    | ComparisonOperator::Matches
                    | ComparisonOperator::IsSubset
                    | ComparisonOperator::IsSuperset => self.string_literal(rest)?,
                    _ => self.orderable_literal(rest)?,
                };
                let span = literal.span;
                (rest, Operand::Literal(literal), span)
            }
        };
        let span = path.span.to(operand_span);
        let comparison = Comparison { path, negated, operator, operator_span, operand };
        Ok((rest, ComparisonExpression { kind: ComparisonKind::Test(comparison), span }))
    }

    /// `EXISTS path` or `NOT EXISTS path`: `start` is where it begins, `keyword` and `after` are before and behind
    /// EXISTS.
    fn existence<'a>(
        self,
        start: &'a str,
        keyword: &'a str,
        after: &'a str,
        negated: bool,
    ) -> Parsed<'a, ComparisonExpression<'a>> {
        let operator_span = self.span(self.at(keyword), after);
        let (rest, path) = self.object_path(blank(after))?;
        let span = Span::new(self.at(start), path.span.end as usize);
        let operator = ComparisonOperator::Exists;
        let comparison = Comparison { path, negated, operator, operator_span, operand: Operand::None };
        Ok((rest, ComparisonExpression { kind: ComparisonKind::Test(comparison), span }))
    }

    /// An operator that stands between a path and its operand.
    fn operator(self, input: &str) -> Parsed<'_, (ComparisonOperator, Span)> {
        let (length, operator) = match input.as_bytes() {
            [b'=', b'=', ..] => (2, ComparisonOperator::Equal),
            [b'=', ..] => (1, ComparisonOperator::Equal),
            [b'!', b'=', ..] | [b'<', b'>', ..] => (2, ComparisonOperator::NotEqual),
            [b'<', b'=', ..] => (2, ComparisonOperator::LessOrEqual),
            [b'<', ..] => (1, ComparisonOperator::Less),
            [b'>', b'=', ..] => (2, ComparisonOperator::GreaterOrEqual),
            [b'>', ..] => (1, ComparisonOperator::Greater),
            _ => match word(input)?.1 {
                "IN" => (2, ComparisonOperator::In),
                "LIKE" => (4, ComparisonOperator::Like),
                "MATCHES" => (7, ComparisonOperator::Matches),
                "ISSUBSET" => (8, ComparisonOperator::IsSubset),
                "ISSUPERSET" => (10, ComparisonOperator::IsSuperset),
                _ => return stop(input),
            },
        };
        let rest = &input[length..];
        Ok((blank(rest), (operator, self.span(self.at(input), rest))))
    }
}

/// The level of AND or OR, if it is there, and what follows it.
fn boolean_operator(input: &str) -> (&str, Option<usize>) {
    match word(input) {
        Ok((rest, "AND")) => (blank(rest), Some(1)),
        Ok((rest, "OR")) => (blank(rest), Some(0)),
        _ => (input, None),
    }
}

/// NOT, if it is there, and what follows it.
fn negation(input: &str) -> (&str, bool) {
    match word(input) {
        Ok((rest, "NOT")) => (blank(rest), true),
        _ => (input, false),
    }
}
