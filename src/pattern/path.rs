//! Object paths: `file:hashes.'SHA-256'` (STIX 2.1, section 9.7).

use std::borrow::Cow;

use super::{
    ObjectPath, PathStep, PathStepKind,
    lexer::{Grammar, Parsed, blank, stop, symbol, word},
    literal::{Number, number_text, string},
};

impl Grammar {
    /// An object path from its type on.
    pub fn object_path(self, input: &str) -> Parsed<'_, ObjectPath<'_>> {
        let (rest, object_type) = word(input)?;
        if self.is_reserved(object_type) {
            return stop(input);
        }
        let start = self.at(input);
        let type_span = self.span(start, rest);
        let (rest, ()) = symbol(b':')(blank(rest))?;
        let (mut rest, first) = self.property(rest)?;
        let mut end = first.span;
        let mut steps = vec![first];
        loop {
            let step;
            (rest, step) = match rest.as_bytes().first() {
                Some(b'.') => self.property(blank(&rest[1..]))?,
                Some(b'[') => self.index(rest)?,
                _ => break,
            };
            end = step.span;
            steps.push(step);
        }
        Ok((rest, ObjectPath { object_type, type_span, steps, span: type_span.to(end) }))
    }

    /// A property or key: a word without a hyphen, or a string.
    fn property(self, input: &str) -> Parsed<'_, PathStep<'_>> {
        let (rest, name) = if input.starts_with('\'') {
            string(input)?
        } else {
            match word(input)? {
                (_, name) if self.is_reserved(name) || name.contains('-') => return stop(input),
                (rest, name) => (rest, Cow::Borrowed(name)),
            }
        };
        let span = self.span(self.at(input), rest);
        Ok((blank(rest), PathStep { kind: PathStepKind::Property(name), span }))
    }

    /// `[3]` or `[*]`.
    fn index(self, input: &str) -> Parsed<'_, PathStep<'_>> {
        let inside = blank(&input[1..]);
        let (rest, kind) = if let Some(rest) = inside.strip_prefix('*') {
            (rest, PathStepKind::AnyIndex)
        } else {
            match number_text(inside)? {
                (rest, Number::Integer(text)) => match text.parse() {
                    Ok(index) => (rest, PathStepKind::Index(index)),
                    Err(_) => return stop(inside),
                },
                _ => return stop(inside),
            }
        };
        match blank(rest).strip_prefix(']') {
            Some(rest) => Ok((blank(rest), PathStep { kind, span: self.span(self.at(input), rest) })),
            None => stop(rest),
        }
    }
}
