//! Comparisons as other languages write them: `IS NULL`, `CONTAINS`, `BETWEEN`.

use super::{Reader, Token, quote::Usage};
use crate::{
    pattern::{Mistake, ParseError, Quoted},
    span::Span,
};

impl Reader<'_> {
    /// Reads what stands behind `path` if it is such a comparison, and reports how this language says it; otherwise
    /// nothing is read.
    pub fn foreign_operator(&mut self, path: Span) -> bool {
        let error = self.attempt(|reader| match reader.peek() {
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
        error.into_iter().for_each(|error| self.report(error));
        is_foreign
    }

    /// `= null`, `IS NOT NULL` and the like.
    fn null(&mut self, path: Span) -> Option<ParseError> {
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
        let error = Mistake::Null { found: word.to_owned() }.at(self.span(word.len()));
        self.skip();
        let test = format!("{}EXISTS {}", if exists { "" } else { "NOT " }, path.slice(self.source));
        Some(self.rewritten(error, path, test))
    }

    /// `BETWEEN 1 AND 10`.
    fn between(&mut self, path: Span) -> Option<ParseError> {
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
        let [name, found, low, high] = [path, span, low, high].map(|span| span.slice(self.source));
        let error = Mistake::UnknownOperator { found: found.to_owned() }.at(span);
        Some(self.rewritten(error, path, format!("{name} >= {low} AND {name} <= {high}")))
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
        Some(self.rewritten(mistake.at(span), span, test))
    }

    /// Adds the instruction and the edit to write `test` for what stands from `start` on.
    fn rewritten(&self, error: ParseError, start: Span, test: String) -> ParseError {
        error.help(format!("write `{test}`")).edit(self.since(start.start as usize), test)
    }
}

/// Whether other languages mean by a word that there is no value.
pub(super) fn is_null(word: &str) -> bool {
    ["null", "none", "nil", "undefined"].iter().any(|null| null.eq_ignore_ascii_case(word))
}
