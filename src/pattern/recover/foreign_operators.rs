//! Comparisons as other languages write them: `IS NULL`, `CONTAINS`, `BETWEEN`.

use super::{Reader, Token, quote::Usage};
use crate::{
    pattern::{Mistake, ObjectPath, ParseError, Quoted},
    span::Span,
};

impl Reader<'_> {
    /// Reads what stands behind `path` if it is such a comparison, and tells how this language says it; otherwise
    /// nothing is read.
    pub fn foreign_operator(&mut self, path: &ObjectPath<'_>) -> bool {
        let place = self.place();
        let error = self.quietly(|reader| match reader.peek() {
            Token::Operator("=" | "==" | "!=" | "<>") => reader.null(path),
            Token::Word(word) => match word.to_ascii_uppercase().as_str() {
                "IS" => reader.null(path),
                "BETWEEN" => reader.between(path),
                "NOT" | "CONTAINS" | "STARTSWITH" | "ENDSWITH" => reader.part_of_text(),
                _ => None,
            },
            _ => None,
        });
        let is_foreign = error.is_some();
        match error {
            Some(error) => self.report(error),
            None => self.go_back(place),
        }
        is_foreign
    }

    /// `= null`, `IS NOT NULL` and the like.
    fn null(&mut self, path: &ObjectPath<'_>) -> Option<ParseError> {
        let mut exists = matches!(self.peek(), Token::Operator("!=" | "<>"));
        self.skip();
        if self.peek_is("NOT") {
            exists = !exists;
            self.skip();
        }
        let Token::Word(word) = self.peek() else { return None };
        if !is_null(word) {
            return None;
        }
        let span = self.span(word.len());
        self.skip();
        let test = format!("{}EXISTS {}", if exists { "" } else { "NOT " }, path.span.slice(self.source));
        let whole = Span::new(path.span.start as usize, self.end);
        let error = ParseError::new(Mistake::Null { found: word.to_owned() }, span);
        Some(error.help(format!("write `{test}`")).edit(whole, test))
    }

    /// `BETWEEN 1 AND 10`.
    fn between(&mut self, path: &ObjectPath<'_>) -> Option<ParseError> {
        let span = self.here();
        self.skip();
        let low = self.here();
        self.skip();
        if !self.peek_is("AND") {
            return None;
        }
        self.skip();
        let high = self.here();
        self.skip();
        let [path_text, low, high] = [path.span, low, high].map(|span| span.slice(self.source));
        let test = format!("{path_text} >= {low} AND {path_text} <= {high}");
        let whole = Span::new(path.span.start as usize, self.end);
        let found = span.slice(self.source).to_owned();
        let error = ParseError::new(Mistake::UnknownOperator { found }, span);
        Some(error.help(format!("write `{test}`")).edit(whole, test))
    }

    /// `CONTAINS 'x'`, `STARTSWITH 'x'` and `ENDSWITH 'x'`, also with NOT before it.
    fn part_of_text(&mut self) -> Option<ParseError> {
        if self.peek_is("NOT") {
            self.skip();
        }
        let Token::Word(word) = self.peek() else { return None };
        let span = self.span(word.len());
        let (before, behind) = match word.to_ascii_uppercase().as_str() {
            "CONTAINS" => ("%", "%"),
            "STARTSWITH" => ("", "%"),
            "ENDSWITH" => ("%", ""),
            _ => return None,
        };
        self.skip();
        let Token::Quote(_) = self.peek() else { return None };
        let text = self.text(Usage::Value)?;
        let test = format!("LIKE {}", Quoted(&format!("{before}{}{behind}", text.value)));
        let mistake = Mistake::KeywordSpelling { found: word.to_owned(), keyword: "LIKE" };
        let error = ParseError::new(mistake, span).help(format!("write `{test}`"));
        Some(error.edit(span.to(text.span), test))
    }
}

/// Whether other languages mean by a word that there is no value.
pub(super) fn is_null(word: &str) -> bool {
    ["null", "none", "nil", "undefined"].iter().any(|null| null.eq_ignore_ascii_case(word))
}
