//! Object paths.

use std::borrow::Cow;

use super::{
    Reader, Token,
    quote::{Usage, may_follow},
};
use crate::{
    pattern::{Mistake, ObjectPath, ParseError, PathStep, PathStepKind, Quoted, lexer, literal, repair},
    span::Span,
};

/// Types whose objects are told apart by their `value`.
const TYPES_WITH_VALUE: [&str; 6] = ["ipv4-addr", "ipv6-addr", "domain-name", "url", "email-addr", "mac-addr"];

impl<'a> Reader<'a> {
    /// A path from its type on; `None` where it can't be made out, and the rest of the comparison is to be skipped.
    pub fn object_path(&mut self) -> Option<ObjectPath<'a>> {
        let Token::Word(object_type) = self.peek() else {
            self.unexpected("an object type such as `file`");
            return None;
        };
        let type_span = self.span(object_type.len());
        if self.is_reserved(object_type) {
            let mistake = Mistake::ReservedWord { word: object_type.to_owned() };
            self.report(ParseError::new(mistake, type_span).help("no object type can have this name"));
        }
        self.advance(object_type.len());
        self.colon(object_type)?;
        let mut steps = vec![self.property()?];
        loop {
            let step = match self.peek() {
                Token::Symbol('.') => {
                    self.advance(1);
                    self.property()?
                }
                // `.0`, which reads as a number.
                Token::Number if self.rest().starts_with('.') => self.dotted_index()?,
                Token::Symbol('[') => self.index()?,
                // Without a blank before it and with an operator behind it, a text is a key.
                Token::Quote(_) if self.end == self.at && self.is_before_operator() => {
                    let (gap, reason) = (self.gap(), "a dot is missing before the key");
                    let error = ParseError::new(Mistake::BadPath { reason }, gap).help("write `.` here");
                    self.report(error.edit(gap, "."));
                    self.property()?
                }
                Token::Symbol('*') => self.bare_star(),
                Token::Symbol(':') if matches!(self.peek_behind(1), Token::Word(_)) => {
                    let span = self.span(1);
                    let reason =
                        "a path has only one colon, behind the object type; a dot stands before further properties";
                    self.report(ParseError::new(Mistake::BadPath { reason }, span).help("write `.`").edit(span, "."));
                    self.advance(1);
                    self.property()?
                }
                _ => break,
            };
            steps.push(step);
        }
        let span = Span::new(type_span.start as usize, self.end);
        Some(ObjectPath { object_type, type_span, steps, span })
    }

    /// Whether an operator stands behind the next token.
    fn is_before_operator(&self) -> bool {
        match self.peek_behind(super::token::length(self.rest())) {
            Token::Operator(_) => true,
            Token::Word(word) => ["NOT", "IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"].contains(&word),
            _ => false,
        }
    }

    /// `*` or `*]`, which should be `[*]`.
    fn bare_star(&mut self) -> PathStep<'a> {
        let start = self.at;
        self.advance(1);
        self.take(']');
        let span = Span::new(start, self.end);
        let reason = "the star for any element stands in brackets";
        self.report(ParseError::new(Mistake::BadIndex { reason }, span).help("write `[*]`").edit(span, "[*]"));
        PathStep { kind: PathStepKind::AnyIndex, span }
    }

    /// Whether a word can't stand unquoted in a path of this version.
    fn is_reserved(&self, word: &str) -> bool {
        lexer::is_reserved(word) && (word != "EXISTS" || self.version.has_exists())
    }

    /// The colon behind an object type.
    fn colon(&mut self, object_type: &str) -> Option<()> {
        match self.peek() {
            Token::Symbol(':') => {
                self.advance(1);
                if self.peek() == Token::Symbol(':') {
                    let span = self.span(1);
                    let reason = "only one colon stands behind the object type";
                    self.report(ParseError::new(Mistake::BadPath { reason }, span).help("write `:`").edit(span, ""));
                    self.advance(1);
                }
            }
            Token::Symbol('.') => {
                let span = self.span(1);
                let reason = "a colon is missing behind the object type";
                self.report(ParseError::new(Mistake::BadPath { reason }, span).help("write `:`").edit(span, ":"));
                self.advance(1);
            }
            Token::Operator(_) | Token::Word(_) | Token::Symbol(']') if TYPES_WITH_VALUE.contains(&object_type) => {
                let gap = self.gap();
                let reason = "a property is missing behind the object type";
                let error = ParseError::new(Mistake::BadPath { reason }, gap);
                self.report(error.help(format!("write `{object_type}:value`")).edit(gap, ":value"));
                return None;
            }
            _ => {
                let reason = "this is no property: those have an object type and a colon, as in `file:name`";
                self.report(ParseError::new(
                    Mistake::BadPath { reason },
                    Span::new(self.end - object_type.len(), self.end),
                ));
                return None;
            }
        }
        Some(())
    }

    /// A property or key.
    fn property(&mut self) -> Option<PathStep<'a>> {
        match self.peek() {
            Token::Quote(_) => {
                let text = self.text(Usage::Key)?;
                Some(PathStep { kind: PathStepKind::Property(text.value), span: text.span })
            }
            Token::Word(name) => {
                let span = self.span(name.len());
                if self.is_reserved(name) && self.is_missing_property(name) {
                    let (gap, reason) = (self.gap(), "a property is missing here");
                    let error = ParseError::new(Mistake::BadPath { reason }, gap);
                    self.report(error.help("write the name of a property, as in `file:name`"));
                    return None;
                }
                let behind = self.rest()[name.len()..].strip_prefix('\'');
                if behind.is_some_and(|behind| may_follow(behind, Usage::Key)) {
                    return Some(self.half_quoted_key(name));
                }
                if self.is_reserved(name) {
                    let mistake = Mistake::ReservedWord { word: name.to_owned() };
                    let error = ParseError::new(mistake, span).help(format!("as a property it is written '{name}'"));
                    self.report(error.edit(span, Quoted(name).to_string()));
                } else if name.contains('-') {
                    let error = ParseError::new(Mistake::BareHyphenKey { key: name.to_owned() }, span);
                    let error = error.help(format!("write '{name}'")).edit(span, Quoted(name).to_string());
                    self.report(error.assume(repair::HYPHEN_KEY, format!("read {name} as '{name}'")));
                }
                self.advance(name.len());
                Some(PathStep { kind: PathStepKind::Property(Cow::Borrowed(name)), span })
            }
            Token::Number if self.rest().starts_with(|first: char| first.is_ascii_digit()) => {
                let length = lexer::word_bytes(self.rest());
                let (name, span) = (&self.rest()[..length], self.span(length));
                let reason = "a key that starts with a digit stands in quotes";
                let error = ParseError::new(Mistake::BadPath { reason }, span).help(format!("write '{name}'"));
                self.report(error.edit(span, Quoted(name).to_string()));
                self.advance(length);
                Some(PathStep { kind: PathStepKind::Property(Cow::Borrowed(name)), span })
            }
            _ => {
                let mistake = Mistake::Unexpected { expected: "a property", found: self.found() };
                self.report(ParseError::new(mistake, self.here()));
                None
            }
        }
    }

    /// Whether a word is an operator that a value follows, and not a property.
    fn is_missing_property(&self, word: &str) -> bool {
        let behind = self.peek_behind(word.len());
        match word {
            // Directly behind the colon it is rather a strange name.
            "NOT" if self.end < self.at => !matches!(behind, Token::Symbol('.' | '[')),
            "IN" | "LIKE" | "MATCHES" | "ISSUBSET" | "ISSUPERSET" => {
                matches!(behind, Token::Quote(_) | Token::Symbol('('))
            }
            _ => false,
        }
    }

    /// `name'`, which should be `'name'`.
    fn half_quoted_key(&mut self, name: &'a str) -> PathStep<'a> {
        let span = self.span(name.len() + 1);
        let reason = "the quote before the key is missing";
        let error = ParseError::new(Mistake::BadPath { reason }, span).help(format!("write '{name}'"));
        self.report(error.edit(span, Quoted(name).to_string()));
        self.advance(name.len() + 1);
        PathStep { kind: PathStepKind::Property(Cow::Borrowed(name)), span }
    }

    /// `.0`, which should be `[0]`.
    fn dotted_index(&mut self) -> Option<PathStep<'a>> {
        let digits = lexer::word_bytes(&self.rest()[1..]);
        let span = self.span(1 + digits);
        let index = &self.rest()[1..=digits];
        let reason = "an index stands in brackets, without a dot";
        let error = ParseError::new(Mistake::BadPath { reason }, span).help(format!("write [{index}]"));
        self.report(error.edit(span, format!("[{index}]")));
        self.advance(1 + digits);
        index.parse().ok().map(|index| PathStep { kind: PathStepKind::Index(index), span })
    }

    /// `[3]` or `[*]`.
    fn index(&mut self) -> Option<PathStep<'a>> {
        let start = self.at;
        self.advance(1);
        let kind = match self.peek() {
            Token::Symbol('*') => {
                self.advance(1);
                Some(PathStepKind::AnyIndex)
            }
            Token::Number => self.index_number(),
            Token::Symbol(']') => {
                let (gap, reason) = (self.gap(), "an index is missing");
                let error = ParseError::new(Mistake::BadIndex { reason }, gap).help("write `[*]` for any element");
                self.report(error.edit(gap, "*"));
                Some(PathStepKind::AnyIndex)
            }
            Token::Word(_) | Token::Quote(_) => return self.key_in_brackets(start),
            _ => {
                self.unexpected("a number or `*`");
                return None;
            }
        };
        self.close('[', ']');
        kind.map(|kind| PathStep { kind, span: Span::new(start, self.end) })
    }

    /// The number of an index.
    fn index_number(&mut self) -> Option<PathStepKind<'a>> {
        let length = super::token::length(self.rest());
        let (text, span) = (&self.rest()[..length], self.span(length));
        let is_integer = matches!(literal::number_text(text), Ok(("", literal::Number::Integer(_))));
        self.advance(length);
        match text.parse() {
            Ok(index) if is_integer => Some(PathStepKind::Index(index)),
            _ if is_integer => {
                let mistake = Mistake::NumberRange { limit: "an index has at most 64 bits" };
                self.report(ParseError::new(mistake, span));
                None
            }
            _ => {
                let reason = "an index is a whole number or `*`";
                self.report(ParseError::new(Mistake::BadIndex { reason }, span).help("write `[*]` for any element"));
                None
            }
        }
    }

    /// `['key']` or `[key]`, which should be `.'key'`; the bracket at `start` is read already.
    fn key_in_brackets(&mut self, start: usize) -> Option<PathStep<'a>> {
        let step = self.quietly(|reader| {
            let step = match reader.peek() {
                Token::Quote(_) => {
                    let text = reader.text(Usage::Key)?;
                    PathStep { kind: PathStepKind::Property(text.value), span: text.span }
                }
                Token::Word(name) => {
                    let span = reader.span(name.len());
                    reader.advance(name.len());
                    PathStep { kind: PathStepKind::Property(Cow::Borrowed(name)), span }
                }
                _ => return None,
            };
            reader.close('[', ']');
            Some(step)
        })?;
        let span = Span::new(start, self.end);
        let reason = "brackets hold an index; a key stands behind a dot";
        let error = ParseError::new(Mistake::BadPath { reason }, span).help(format!("write .{step}"));
        self.report(error.edit(span, format!(".{step}")));
        Some(step)
    }
}
