//! Observation expressions: brackets, the operators between them and their qualifiers (STIX 2.1, sections 9.2 to 9.4).

use std::borrow::Cow;

use nom::{
    Parser,
    sequence::{delimited, preceded},
};

use super::{
    NESTING, ObservationExpression, ObservationKind, ObservationOperator, Qualifier, QualifierKind,
    ladder::Ladder,
    lexis::{Grammar, Parsed, blank, exactly, keyword, stop, word},
    literal::{Number, number_text, string, timestamp},
};
use crate::span::Span;

/// The operators between observation expressions, from loosest to tightest.
pub(super) const OPERATORS: [ObservationOperator; 3] =
    [ObservationOperator::FollowedBy, ObservationOperator::Or, ObservationOperator::And];

/// An expression, where its text ends with parentheses, and how many qualifiers stand on top of each other in it.
struct Operand<'a> {
    expression: ObservationExpression<'a>,
    end: usize,
    qualifiers: usize,
}

impl Grammar {
    /// A whole pattern.
    pub fn pattern<'a>(self, source: &'a str) -> Parsed<'a, ObservationExpression<'a>> {
        let (rest, (expression, _)) = self.observation_expression(blank(source), 0)?;
        if rest.is_empty() { Ok((rest, expression)) } else { stop(rest) }
    }

    /// Observations under AND, OR and FOLLOWEDBY, up to something else, and how many qualifiers stand on top of each
    /// other in them. `depth` counts the parentheses around it.
    fn observation_expression(self, mut input: &str, depth: usize) -> Parsed<'_, (ObservationExpression<'_>, usize)> {
        let mut ladder = Ladder::<_, 3>::new();
        let mut qualifiers = 0;
        loop {
            let start = self.at(input);
            let (rest, operand) = self.qualified(input, depth)?;
            qualifiers = qualifiers.max(operand.qualifiers);
            let (rest, operator) = match word(rest) {
                Ok((rest, "AND")) => (blank(rest), Some(2)),
                Ok((rest, "OR")) => (blank(rest), Some(1)),
                Ok((rest, "FOLLOWEDBY")) => (blank(rest), Some(0)),
                _ => (rest, None),
            };
            let combine = |rung: usize, operands, span| ObservationExpression {
                kind: ObservationKind::Combined { operator: OPERATORS[rung], operands },
                span,
            };
            match ladder.climb(operand.expression, start, operand.end, operator, combine) {
                Some(expression) => return Ok((rest, (expression, qualifiers))),
                None => input = rest,
            }
        }
    }

    /// One observation, or an expression in parentheses, with the qualifiers behind it.
    fn qualified(self, input: &str, depth: usize) -> Parsed<'_, Operand<'_>> {
        let start = self.at(input);
        let (mut rest, mut operand) = match input.as_bytes().first() {
            Some(b'[') => self.single(input, depth)?,
            Some(b'(') if depth < NESTING => self.nested_observation(input, depth)?,
            _ => return stop(input),
        };
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
                span: Span::new(start, operand.end),
                kind: ObservationKind::Qualified { expression: Box::new(operand.expression), qualifier },
            };
        }
        Ok((rest, operand))
    }

    /// `[ … ]`.
    fn single(self, input: &str, depth: usize) -> Parsed<'_, Operand<'_>> {
        let (rest, comparison) = self.comparison_expression(blank(&input[1..]), depth)?;
        let Some(rest) = rest.strip_prefix(']') else { return stop(rest) };
        let span = self.span(self.at(input), rest);
        let expression = ObservationExpression { kind: ObservationKind::Single(comparison), span };
        Ok((blank(rest), Operand { expression, end: span.end as usize, qualifiers: 0 }))
    }

    /// `( … )`.
    fn nested_observation(self, input: &str, depth: usize) -> Parsed<'_, Operand<'_>> {
        let (rest, (expression, qualifiers)) = self.observation_expression(blank(&input[1..]), depth + 1)?;
        let Some(rest) = rest.strip_prefix(')') else { return stop(rest) };
        Ok((blank(rest), Operand { expression, end: self.at(rest), qualifiers }))
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
