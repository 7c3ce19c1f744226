//! Object paths.

use std::borrow::Cow;

use super::{
    Reader, Token,
    quote::{Usage, may_follow},
    token,
};
use crate::{
    pattern::{
        Mistake, ParseError, PathStep, PathStepKind, Quoted,
        edit::Edited,
        lexer::{self, Grammar},
        literal, repair,
    },
    span::Span,
};

/// Types whose objects are told apart by their `value`.
const TYPES_WITH_VALUE: [&str; 6] = ["ipv4-addr", "ipv6-addr", "domain-name", "url", "email-addr", "mac-addr"];

/// A path that is not written as one.
pub(super) fn bad_path(span: Span, reason: &'static str) -> ParseError {
    Mistake::BadPath { reason }.at(span)
}

/// An index that is none.
fn bad_index(span: Span, reason: &'static str) -> ParseError {
    Mistake::BadIndex { reason }.at(span)
}

impl Reader<'_> {
    /// Reads a path from its type on; `None` where it can't be made out, and the rest of the comparison is to be skipped.
    pub fn object_path(&mut self) -> Option<Span> {
        let Token::Word(object_type) = self.peek() else {
            self.unexpected("an object type such as `file`");
            return None;
        };
        let type_span = self.span(object_type.len());
        if self.is_reserved(object_type) {
            let mistake = Mistake::ReservedWord { word: object_type.to_owned() };
            self.report(mistake.at(type_span).help("no object type can have this name"));
        }
        self.advance(object_type.len());
        self.colon(object_type, type_span)?;
        self.property()?;
        loop {
            match self.peek() {
                Token::Symbol('.') => {
                    self.advance(1);
                    self.property()?;
                }
                // `.0`, which reads as a number.
                Token::Number if self.rest().starts_with('.') => self.dotted_index()?,
                Token::Symbol('[') => self.index()?,
                // Without a blank before it and with an operator behind it, a text is a key.
                Token::Quote(_) if self.end == self.at && self.is_before_operator() => {
                    let error = bad_path(self.gap(), "a dot is missing before the key");
                    self.report(error.help("write `.` here").insert(self.at, "."));
                    self.property()?;
                }
                Token::Symbol('*') => self.bare_star(),
                Token::Symbol(':') if matches!(self.peek_behind(1), Token::Word(_)) => {
                    let reason =
                        "a path has only one colon, behind the object type; a dot stands before further properties";
                    self.report(bad_path(self.span(1), reason).replace("."));
                    self.advance(1);
                    self.property()?;
                }
                _ => return Some(self.since(type_span.start as usize)),
            }
        }
    }

    /// The path at `span` as the language prints it, once the mistakes from `reported` on are mended.
    pub fn mended_path(&self, span: Span, reported: usize) -> String {
        let edits = self.mistakes[reported..]
            .iter()
            .flat_map(|error| &error.edits)
            .filter(|edit| edit.span.start >= span.start);
        let edited = Edited::new(&self.source[..span.end as usize], edits).text;
        let text = edited.get(span.start as usize..).unwrap_or_default();
        match (Grammar { length: text.len(), version: self.version }).object_path(text) {
            Ok((_, path)) => path.to_string(),
            Err(_) => text.to_owned(),
        }
    }

    /// Whether an operator stands behind the next token.
    fn is_before_operator(&self) -> bool {
        match self.peek_behind(token::length(self.rest())) {
            Token::Operator(_) => true,
            Token::Word(word) => ["NOT", "IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"].contains(&word),
            _ => false,
        }
    }

    /// `*` or `*]`, which should be `[*]`.
    fn bare_star(&mut self) {
        let start = self.at;
        self.advance(1);
        self.take(']');
        self.report(bad_index(self.since(start), "the star for any element stands in brackets").replace("[*]"));
    }

    /// Whether a word can't stand unquoted in a path of this version.
    fn is_reserved(&self, word: &str) -> bool {
        Grammar { length: 0, version: self.version }.is_reserved(word)
    }

    /// Reads the colon behind an object type.
    fn colon(&mut self, object_type: &str, type_span: Span) -> Option<()> {
        match self.peek() {
            Token::Symbol(':') => {
                self.advance(1);
                if self.peek() == Token::Symbol(':') {
                    let span = self.span(1);
                    let error = bad_path(span, "only one colon stands behind the object type");
                    self.report(error.help("write `:`").edit(span, ""));
                    self.advance(1);
                }
                return Some(());
            }
            Token::Symbol('.') => {
                self.report(bad_path(self.span(1), "a colon is missing behind the object type").replace(":"));
                self.advance(1);
                return Some(());
            }
            Token::Operator(_) | Token::Word(_) | Token::Symbol(']') if TYPES_WITH_VALUE.contains(&object_type) => {
                let error = bad_path(self.gap(), "a property is missing behind the object type");
                self.report(error.help(format!("write `{object_type}:value`")).insert(self.end, ":value"));
            }
            _ => {
                let reason = "this is no property: those have an object type and a colon, as in `file:name`";
                self.report(bad_path(type_span, reason));
            }
        }
        None
    }

    /// Reads a property or key.
    fn property(&mut self) -> Option<()> {
        match self.peek() {
            Token::Quote(_) => self.text(Usage::Key).map(drop),
            Token::Word(name) => self.property_name(name),
            Token::Number if self.rest().starts_with(|first: char| first.is_ascii_digit()) => {
                let name = &self.rest()[..lexer::word_bytes(self.rest())];
                self.bad_key(name, name.len(), "a key that starts with a digit stands in quotes");
                Some(())
            }
            _ => {
                self.unexpected("a property");
                None
            }
        }
    }

    /// Reads a property without quotes.
    fn property_name(&mut self, name: &str) -> Option<()> {
        let span = self.span(name.len());
        if self.is_reserved(name) && self.is_missing_property(name) {
            let error = bad_path(self.gap(), "a property is missing here");
            self.report(error.help("write the name of a property, as in `file:name`"));
            return None;
        }
        // `name'`, which should be `'name'`.
        let behind = self.rest()[name.len()..].strip_prefix('\'');
        if behind.is_some_and(|behind| may_follow(behind, Usage::Key)) {
            self.bad_key(name, name.len() + 1, "the quote before the key is missing");
            return Some(());
        }
        let quoted = Quoted(name).to_string();
        if self.is_reserved(name) {
            let error = Mistake::ReservedWord { word: name.to_owned() }.at(span);
            self.report(error.help(format!("as a property it is written {quoted}")).edit(span, quoted));
        } else if name.contains('-') {
            let message = format!("read {name} as {quoted}");
            let error = Mistake::BareHyphenKey { key: name.to_owned() }.at(span);
            self.report(error.replace_quoted(quoted).assume(repair::HYPHEN_KEY, message));
        }
        self.advance(name.len());
        Some(())
    }

    /// Reads the next `length` bytes, which should be the key `name` in quotes.
    fn bad_key(&mut self, name: &str, length: usize, reason: &'static str) {
        self.report(bad_path(self.span(length), reason).replace_quoted(Quoted(name).to_string()));
        self.advance(length);
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

    /// Reads `.0`, which should be `[0]`.
    fn dotted_index(&mut self) -> Option<()> {
        let digits = lexer::word_bytes(&self.rest()[1..]);
        let index = &self.rest()[1..=digits];
        let error = bad_path(self.span(1 + digits), "an index stands in brackets, without a dot");
        self.report(error.replace_quoted(format!("[{index}]")));
        self.advance(1 + digits);
        index.parse::<i64>().ok().map(drop)
    }

    /// Reads `[3]` or `[*]`.
    fn index(&mut self) -> Option<()> {
        let start = self.at;
        self.advance(1);
        let is_index = match self.peek() {
            Token::Symbol('*') => {
                self.advance(1);
                true
            }
            Token::Number => self.index_number(),
            Token::Symbol(']') => {
                let error = bad_index(self.gap(), "an index is missing");
                self.report(error.help("write `[*]` for any element").insert(self.end, "*"));
                true
            }
            Token::Word(_) | Token::Quote(_) => return self.key_in_brackets(start),
            _ => {
                self.unexpected("a number or `*`");
                return None;
            }
        };
        self.close('[', ']');
        is_index.then_some(())
    }

    /// Reads the number of an index.
    fn index_number(&mut self) -> bool {
        let span = self.here();
        let text = span.slice(self.source);
        self.advance(text.len());
        let is_integer = matches!(literal::number_text(text), Ok(("", literal::Number::Integer(_))));
        let is_index = is_integer && text.parse::<i64>().is_ok();
        if !is_integer {
            self.report(bad_index(span, "an index is a whole number or `*`").help("write `[*]` for any element"));
        } else if !is_index {
            self.report(Mistake::NumberRange { limit: "an index has at most 64 bits" }.at(span));
        }
        is_index
    }

    /// Reads `['key']` or `[key]`, which should be `.'key'`; the bracket at `start` is read already.
    fn key_in_brackets(&mut self, start: usize) -> Option<()> {
        let key = self.quietly(|reader| {
            let key = match reader.peek() {
                Token::Word(name) => {
                    reader.advance(name.len());
                    Cow::Borrowed(name)
                }
                _ => reader.text(Usage::Key)?.value,
            };
            reader.close('[', ']');
            Some(key)
        })?;
        let span = self.since(start);
        let step = PathStep { kind: PathStepKind::Property(key), span };
        let error = bad_path(span, "brackets hold an index; a key stands behind a dot");
        self.report(error.replace_quoted(format!(".{step}")));
        Some(())
    }
}
