//! Edits of a text, and the way back from the edited text to the original.

use super::{
    Comparison, ComparisonExpression, ComparisonKind, Literal, LiteralValue, ObjectPath, ObservationExpression,
    ObservationKind, Operand, PathStep, PathStepKind, Pattern, Qualifier,
};
use crate::span::Span;
use std::borrow::Cow;

/// A change of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What goes; empty for an insertion.
    pub span: Span,
    /// What comes in its place.
    pub text: String,
}

/// A text with edits made.
pub(super) struct Edited<'a> {
    /// The text as it came.
    original: &'a str,
    /// The text with the edits.
    pub text: String,
    /// Where each edit stands in both texts: in the edited one, and in the original.
    edits: Vec<(Span, Span)>,
}

impl<'a> Edited<'a> {
    /// Makes `edits` in a text.
    pub fn new<'e>(original: &'a str, edits: impl IntoIterator<Item = &'e Edit>) -> Self {
        let mut sorted: Vec<&Edit> = edits.into_iter().collect();
        sorted.sort_by_key(|edit| edit.span);
        // Of two edits of the same text, the second was found in what the first makes of it.
        sorted.dedup_by(|second, first| {
            let is_same = second.span == first.span && first.span.start < first.span.end;
            if is_same {
                *first = *second;
            }
            is_same
        });
        let mut edited = Self { original, text: String::with_capacity(original.len() + 16), edits: Vec::new() };
        let mut from = 0;
        for edit in sorted {
            // An edit inside of one that was made already is void.
            let Some(kept) = original.get(from..edit.span.start as usize) else { continue };
            edited.text.push_str(kept);
            let start = edited.text.len();
            edited.separate(&edit.text);
            edited.text.push_str(&edit.text);
            from = edit.span.end as usize;
            edited.separate(original.get(from..).unwrap_or_default());
            edited.edits.push((Span::new(start, edited.text.len()), edit.span));
        }
        edited.text.push_str(original.get(from..).unwrap_or_default());
        edited
    }

    /// Adds a blank if the text and `next` would make one word of two: an edit may take what was between them.
    fn separate(&mut self, next: &str) {
        let is_word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if is_word(self.text.bytes().next_back()) && is_word(next.bytes().next()) {
            self.text.push(' ');
        }
    }

    /// The original of what stands at `span` in the edited text. What was removed before its start or behind its end is
    /// left out.
    fn span(&self, span: Span) -> Span {
        let before = self.edits.partition_point(|(edited, _)| edited.start <= span.start);
        let start = match before.checked_sub(1).map(|index| self.edits[index]) {
            Some((edited, original)) if span.start < edited.end => original.start,
            Some((edited, original)) => original.end + (span.start - edited.end),
            None => span.start,
        };
        let behind = self.edits.partition_point(|(edited, _)| edited.end < span.end);
        let end = match self.edits.get(behind) {
            Some((edited, original)) if span.end > edited.start => original.end,
            Some((edited, original)) => original.start - (edited.start - span.end),
            None => self.original.len() as u32 - (self.text.len() as u32 - span.end),
        };
        Span { start, end }
    }

    /// The tree of the edited text as a tree of the original. The edits are those of repairs, which touch texts in
    /// quotes, keys and keywords, but not what the tree borrows otherwise.
    pub fn pattern(&self, pattern: Pattern<'_>) -> Pattern<'a> {
        Pattern { source: self.original, expression: self.observation(pattern.expression) }
    }

    fn observation(&self, expression: ObservationExpression<'_>) -> ObservationExpression<'a> {
        let kind = match expression.kind {
            ObservationKind::Single(comparison) => ObservationKind::Single(self.comparison(comparison)),
            ObservationKind::Combined { operator, operands } => {
                let operands = operands.into_iter().map(|operand| self.observation(operand)).collect();
                ObservationKind::Combined { operator, operands }
            }
            ObservationKind::Qualified { expression, qualifier: Qualifier { kind, span } } => {
                let qualifier = Qualifier { kind, span: self.span(span) };
                ObservationKind::Qualified { expression: Box::new(self.observation(*expression)), qualifier }
            }
        };
        ObservationExpression { kind, span: self.span(expression.span) }
    }

    fn comparison(&self, expression: ComparisonExpression<'_>) -> ComparisonExpression<'a> {
        let kind = match expression.kind {
            ComparisonKind::Test(test) => ComparisonKind::Test(self.test(test)),
            ComparisonKind::Combined { operator, operands } => {
                let operands = operands.into_iter().map(|operand| self.comparison(operand)).collect();
                ComparisonKind::Combined { operator, operands }
            }
        };
        ComparisonExpression { kind, span: self.span(expression.span) }
    }

    fn test(&self, test: Comparison<'_>) -> Comparison<'a> {
        let operand = match test.operand {
            Operand::None => Operand::None,
            Operand::Literal(literal) => Operand::Literal(self.literal(literal)),
            Operand::Set(literals) => Operand::Set(literals.into_iter().map(|literal| self.literal(literal)).collect()),
        };
        let Comparison { path, negated, operator, operator_span, .. } = test;
        Comparison { path: self.path(path), negated, operator, operator_span: self.span(operator_span), operand }
    }

    fn path(&self, path: ObjectPath<'_>) -> ObjectPath<'a> {
        let step = |PathStep { kind, span }| {
            let kind = match kind {
                PathStepKind::Property(name) => PathStepKind::Property(Cow::Owned(Cow::into_owned(name))),
                PathStepKind::Index(index) => PathStepKind::Index(index),
                PathStepKind::AnyIndex => PathStepKind::AnyIndex,
            };
            PathStep { kind, span: self.span(span) }
        };
        let (type_span, span) = (self.span(path.type_span), self.span(path.span));
        let steps = path.steps.into_iter().map(step).collect();
        ObjectPath { object_type: type_span.slice(self.original), type_span, steps, span }
    }

    fn literal(&self, literal: Literal<'_>) -> Literal<'a> {
        let span = self.span(literal.span);
        let text = span.slice(self.original);
        // Behind the prefix and the quote, and before the other quote.
        let inside = text.get(2..text.len().saturating_sub(1)).unwrap_or_default();
        let value = match literal.value {
            LiteralValue::String(text) => LiteralValue::String(Cow::Owned(text.into_owned())),
            LiteralValue::Integer(number) => LiteralValue::Integer(number),
            LiteralValue::BigInteger(_) => LiteralValue::BigInteger(text),
            LiteralValue::Float { value, .. } => LiteralValue::Float { value, text },
            LiteralValue::Boolean(truth) => LiteralValue::Boolean(truth),
            LiteralValue::Timestamp(_) => LiteralValue::Timestamp(inside.into()),
            LiteralValue::Hex(_) => LiteralValue::Hex(inside),
            LiteralValue::Binary(_) => LiteralValue::Binary(inside),
        };
        Literal { value, span }
    }
}
