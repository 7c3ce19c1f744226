//! Observation expressions: brackets, the operators between them and their qualifiers (STIX 2.1, sections 9.2 to 9.4).

use std::{borrow::Cow, mem};

use nom::{
    Parser,
    sequence::{delimited, preceded},
};

use super::{
    NESTING, ObservationExpression, ObservationKind, ObservationOperator, Qualifier, QualifierKind,
    lexer::{Grammar, Parsed, blank, exactly, keyword, stop, word},
    literal::{Number, number_text, string, timestamp},
    precedence::Precedence,
};
use crate::span::Span;

/// The operators between observation expressions, from loosest to tightest.
pub(super) const OPERATORS: [ObservationOperator; 3] =
    [ObservationOperator::FollowedBy, ObservationOperator::Or, ObservationOperator::And];

/// An expression, where its text starts and ends with parentheses, and how many qualifiers stand on top of each other
/// in it.
struct Operand<'a> {
    expression: ObservationExpression<'a>,
    start: usize,
    end: usize,
    qualifiers: usize,
}

/// Observations inside the same parentheses: those that wait for an operand, and the most qualifiers on top of each
/// other in them.
struct Group<'a> {
    pending: Precedence<ObservationExpression<'a>, 3>,
    qualifiers: usize,
}

impl Group<'_> {
    fn new() -> Self {
        Self { pending: Precedence::new(), qualifiers: 0 }
    }
}

impl Grammar {
    /// A whole pattern: observations under AND, OR and FOLLOWEDBY.
    ///
    /// The parentheses are kept on a list and not on the stack, which is small where patterns come from outside.
    pub fn pattern<'a>(self, source: &'a str) -> Parsed<'a, ObservationExpression<'a>> {
        let combine = |level: usize, operands, span| ObservationExpression {
            kind: ObservationKind::Combined { operator: OPERATORS[level], operands },
            span,
        };
        let mut input = blank(source);
        let mut waiting: Vec<(Group<'a>, usize)> = Vec::new();
        let mut group = Group::new();
        loop {
            if input.starts_with('(') {
                if waiting.len() >= NESTING {
                    return stop(input);
                }
                waiting.push((mem::replace(&mut group, Group::new()), self.at(input)));
                input = blank(&input[1..]);
                continue;
            }
            let (mut rest, mut operand) = self.single(input, waiting.len())?;
            loop {
                if let Some(b'W' | b'R' | b'S') = rest.as_bytes().first() {
                    (rest, operand) = self.qualified(rest, operand)?;
                }
                let operator;
                (rest, operator) = observation_operator(rest);
                // Most patterns are one observation, where no operand waits.
                if operator.is_none() && waiting.is_empty() && group.pending.is_empty() {
                    return if rest.is_empty() { Ok((rest, operand.expression)) } else { stop(rest) };
                }
                let Operand { expression, start, end, qualifiers } = operand;
                group.qualifiers = group.qualifiers.max(qualifiers);
                let Some(expression) = group.pending.push(expression, start, end, operator, combine) else { break };
                let qualifiers = group.qualifiers;
                let start;
                (group, start) = match waiting.pop() {
                    Some(outer) => outer,
                    None if rest.is_empty() => return Ok((rest, expression)),
                    None => return stop(rest),
                };
                let Some(after) = rest.strip_prefix(')') else { return stop(rest) };
                operand = Operand { expression, start, end: self.at(after), qualifiers };
                rest = blank(after);
            }
            input = rest;
        }
    }

    /// `[ … ]`.
    fn single(self, input: &str, depth: usize) -> Parsed<'_, Operand<'_>> {
        if !input.starts_with('[') {
            return stop(input);
        }
        let (rest, comparison) = self.comparison_expression(blank(&input[1..]), depth)?;
        let Some(rest) = rest.strip_prefix(']') else { return stop(rest) };
        let start = self.at(input);
        let span = self.span(start, rest);
        let expression = ObservationExpression { kind: ObservationKind::Single(comparison), span };
        Ok((blank(rest), Operand { expression, start, end: span.end as usize, qualifiers: 0 }))
    }

    /// `operand` with the qualifiers that stand at the start of `rest`.
    fn qualified<'a>(self, mut rest: &'a str, mut operand: Operand<'a>) -> Parsed<'a, Operand<'a>> {
        while let Some(b'W' | b'R' | b'S') = rest.as_bytes().first() {
            // Each qualifier nests what is before it.
            operand.qualifiers += 1;
            if operand.qualifiers > NESTING {
                return stop(rest);
            }
            let qualifier;
            (rest, qualifier) = self.qualifier(rest)?;
            operand.end = qualifier.span.end as usize;
            operand.expression = ObservationExpression {
                span: Span::new(operand.start, operand.end),
                kind: ObservationKind::Qualified { expression: Box::new(operand.expression), qualifier },
            };
        }
        Ok((rest, operand))
    }

    /// WITHIN, REPEATS or START-STOP.
    fn qualifier(self, input: &str) -> Parsed<'_, Qualifier> {
        let (rest, kind) = match word(input)?.1 {
            "WITHIN" => delimited(keyword("WITHIN"), seconds, exactly("SECONDS"))
                .map(|seconds| QualifierKind::Within { seconds })
                .parse_complete(input)?,
            "REPEATS" => delimited(keyword("REPEATS"), times, exactly("TIMES"))
                .map(|times| QualifierKind::Repeats { times })
                .parse_complete(input)?,
            "START" => {
                let (rest, start) = preceded(keyword("START"), |input| self.instant(input)).parse_complete(input)?;
                let (rest, stop) =
                    preceded(keyword("STOP"), |input| self.instant(input)).parse_complete(blank(rest))?;
                (rest, QualifierKind::StartStop { start: start.into_owned(), stop: stop.into_owned() })
            }
            _ => return stop(input),
        };
        Ok((blank(rest), Qualifier { kind, span: self.span(self.at(input), rest) }))
    }

    /// A border of START-STOP: a timestamp in STIX 2.1, a string in STIX 2.0.
    fn instant(self, input: &str) -> Parsed<'_, Cow<'_, str>> {
        if self.version.has_string_instants() {
            string(input)
        } else {
            timestamp(input).map(|(rest, text)| (rest, Cow::Borrowed(text)))
        }
    }
}

/// The level of AND, OR or FOLLOWEDBY, if it is there, and what follows it.
fn observation_operator(input: &str) -> (&str, Option<usize>) {
    match word(input) {
        Ok((rest, "AND")) => (blank(rest), Some(2)),
        Ok((rest, "OR")) => (blank(rest), Some(1)),
        Ok((rest, "FOLLOWEDBY")) => (blank(rest), Some(0)),
        _ => (input, None),
    }
}

/// The number of WITHIN, which has no minus sign.
fn seconds(input: &str) -> Parsed<'_, f64> {
    if input.starts_with('-') {
        return stop(input);
    }
    let (rest, Number::Integer(text) | Number::Float(text)) = number_text(input)?;
    match text.parse() {
        Ok(seconds) if f64::is_finite(seconds) => Ok((blank(rest), seconds)),
        _ => stop(input),
    }
}

/// The number of REPEATS, an integer without a minus sign.
fn times(input: &str) -> Parsed<'_, u64> {
    match number_text(input)? {
        (rest, Number::Integer(text)) if !input.starts_with('-') => match text.parse() {
            Ok(times) => Ok((blank(rest), times)),
            Err(_) => stop(input),
        },
        _ => stop(input),
    }
}
