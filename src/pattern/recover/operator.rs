//! Comparison operators, also those of other languages.

use super::{Reader, Token, keyword::Spelling};
use crate::{
    pattern::{Edit, Mistake},
    span::Span,
};

/// An operator as this language writes it, NOT left out, and where it stands.
type Found = (&'static str, Span);

/// The operators that are words, and those that others write as words.
const OPERATORS: [&str; 11] = ["IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET", "=", "!=", "<", "<=", ">", ">="];
const ALL_OPERATORS: &str = "the operators are = != < <= > >= IN LIKE MATCHES ISSUBSET ISSUPERSET";

/// Operators with the signs of other languages that mean them.
const SIGNS: [(&str, &[&str]); 7] = [
    ("=", &[":", "===", "=?"]),
    ("!=", &["!==", "=!", "≠", "><"]),
    ("MATCHES", &["~=", "=~", "~"]),
    ("<=", &["=<", "≤"]),
    (">=", &["=>", "≥"]),
    ("NOT MATCHES", &["!~"]),
    ("NOT =", &["!"]),
];

/// The operator that is spelt so.
fn by_spelling(spelling: &str) -> Option<&'static str> {
    match spelling {
        "==" => Some("="),
        "<>" => Some("!="),
        _ => OPERATORS.into_iter().find(|operator| *operator == spelling),
    }
}

impl Reader<'_> {
    /// Reads NOT and the operator behind `path`.
    pub fn operator(&mut self, path: Span) -> Option<Found> {
        let is_negated = self.negation();
        match self.peek() {
            Token::Operator(signs) => match by_spelling(signs) {
                Some(operator) => {
                    let span = self.span(signs.len());
                    self.advance(signs.len());
                    Some((operator, span))
                }
                None => Some(self.foreign_signs(signs)),
            },
            Token::Symbol(':') => Some(self.foreign_signs(":")),
            Token::Word("AND" | "OR") => self.missing_operator(path),
            Token::Word(word) if word.eq_ignore_ascii_case("EXISTS") => {
                Some(self.postfix_existence(path, is_negated, word.len()))
            }
            Token::Word(word) => self.word_operator(path, is_negated, word),
            Token::Quote(_) | Token::Number => Some(self.forgotten_operator("=", "before the value")),
            Token::Symbol('(') => Some(self.forgotten_operator("IN", "before the set")),
            Token::End | Token::Symbol(_) => self.missing_operator(path),
        }
    }

    /// Reads NOT, if it is there; more than one is a mistake.
    fn negation(&mut self) -> bool {
        if !self.peek_is("NOT") {
            return false;
        }
        self.take_keyword(&["NOT"]);
        while self.peek_is("NOT") {
            self.report(Mistake::MisplacedNot.at(self.here()).help("write NOT once or not at all"));
            self.skip();
        }
        true
    }

    /// Signs that are no operator here.
    fn foreign_signs(&mut self, signs: &str) -> Found {
        let span = self.span(signs.len());
        let spelling = SIGNS.iter().find(|(_, others)| others.contains(&signs)).map(|(here, _)| *here);
        let error = Mistake::UnknownOperator { found: signs.to_owned() }.at(span);
        self.report(match spelling {
            Some(spelling) => error.replace(spelling),
            None => error.help(ALL_OPERATORS),
        });
        self.advance(signs.len());
        // `! =` and `! LIKE`: the operator itself follows.
        if signs == "!" && !matches!(self.peek(), Token::Quote(_) | Token::Number) {
            if let Some(error) = self.mistakes.last_mut() {
                error.help = Some("write `NOT`".to_owned());
                error.edits = vec![Edit { span, text: "NOT ".to_owned() }];
            }
            let Token::Word(word) = self.peek() else { return ("!=", span) };
            let span = self.span(word.len());
            self.advance(word.len());
            return (by_spelling(word).unwrap_or("="), span);
        }
        let spelling = spelling.map_or("=", |spelling| spelling.strip_prefix("NOT ").unwrap_or(spelling));
        (spelling, span)
    }

    /// A word where the operator should be.
    fn word_operator(&mut self, path: Span, is_negated: bool, word: &str) -> Option<Found> {
        if matches!(self.peek_keyword(&["AND", "OR"]), Some((_, Spelling::Case))) {
            return self.missing_operator(path);
        }
        // A prefix or a truth value: what is missing is the operator.
        if matches!(word, "true" | "false")
            || (matches!(word, "t" | "h" | "b") && self.rest()[word.len()..].starts_with('\''))
        {
            return Some(self.forgotten_operator("=", "before the value"));
        }
        if word.eq_ignore_ascii_case("IS")
            && !is_negated
            && let Token::Word(not) = self.peek_behind(word.len())
            && not.eq_ignore_ascii_case("NOT")
        {
            let start = self.at;
            self.advance(word.len());
            self.advance(not.len());
            self.misspelt(self.since(start), "!=");
            return Some(("!=", self.since(start)));
        }
        let span = self.span(word.len());
        let operator = self.take_keyword(&OPERATORS);
        if operator.is_none() {
            self.report_missing_operator(ALL_OPERATORS);
        }
        operator.map(|operator| (operator, span))
    }

    /// `path EXISTS`, which should be `EXISTS path`.
    fn postfix_existence(&mut self, path: Span, is_negated: bool, length: usize) -> Found {
        let span = self.span(length);
        let words = if is_negated { "NOT EXISTS" } else { "EXISTS" };
        let error = Mistake::PostfixExists
            .at(span)
            .help(format!("write `{words} {}`", path.slice(self.source)))
            .insert(path.start as usize, format!("{words} "))
            .edit(Span { start: path.end, end: span.end }, "");
        self.report(error);
        self.advance(length);
        ("EXISTS", span)
    }

    /// Reports that `operator` is missing before what stands directly behind the property.
    fn forgotten_operator(&mut self, operator: &'static str, place: &str) -> Found {
        let error = Mistake::MissingOperator { found: self.found() }.at(self.here());
        self.report(error.help(format!("write `{operator}` {place}")).insert(self.end, format!(" {operator}")));
        (operator, self.gap())
    }

    /// Reports that neither an operator nor a value stands behind the property.
    fn missing_operator(&mut self, path: Span) -> Option<Found> {
        let path = path.slice(self.source);
        self.report_missing_operator(format!(
            "write an operator and a value, or `EXISTS {path}` to ask whether it is there"
        ));
        None
    }

    /// Reports that the next token is no operator.
    fn report_missing_operator(&mut self, help: impl Into<String>) {
        self.report(Mistake::MissingOperator { found: self.found() }.at(self.here()).help(help));
    }
}
