//! Comparison operators, also those of other languages.

use super::{Reader, Token, keyword::Spelling};
use crate::{
    pattern::{ComparisonOperator, Edit, Mistake, ObjectPath, ParseError},
    span::Span,
};

/// An operator with its NOT.
pub(super) struct Relation {
    /// Whether NOT stands before it.
    pub negated: bool,
    pub operator: ComparisonOperator,
    pub span: Span,
}

/// The operators that are words, and those that others write as words.
const WORDS_AND_SIGNS: [&str; 11] =
    ["IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET", "=", "!=", "<", "<=", ">", ">="];

/// Signs of other languages and what they are here.
const SIGNS: [(&str, &str); 15] = [
    ("===", "="),
    ("!==", "!="),
    ("=!", "!="),
    ("≠", "!="),
    ("~=", "MATCHES"),
    ("=~", "MATCHES"),
    ("~", "MATCHES"),
    ("=<", "<="),
    ("≤", "<="),
    ("=>", ">="),
    ("≥", ">="),
    ("><", "!="),
    ("=?", "="),
    ("!~", "NOT MATCHES"),
    ("!", "NOT ="),
];

/// The operator that is spelt so.
fn by_spelling(spelling: &str) -> Option<ComparisonOperator> {
    Some(match spelling {
        "=" | "==" => ComparisonOperator::Equal,
        "!=" | "<>" => ComparisonOperator::NotEqual,
        "<" => ComparisonOperator::Less,
        "<=" => ComparisonOperator::LessOrEqual,
        ">" => ComparisonOperator::Greater,
        ">=" => ComparisonOperator::GreaterOrEqual,
        "IN" => ComparisonOperator::In,
        "LIKE" => ComparisonOperator::Like,
        "MATCHES" => ComparisonOperator::Matches,
        "ISSUBSET" => ComparisonOperator::IsSubset,
        "ISSUPERSET" => ComparisonOperator::IsSuperset,
        _ => return None,
    })
}

impl Reader<'_> {
    /// NOT and the operator behind `path`.
    pub fn relation(&mut self, path: &ObjectPath<'_>) -> Option<Relation> {
        let negated = self.negation();
        match self.peek() {
            Token::Operator(signs) => {
                let span = self.span(signs.len());
                if let Some(operator) = by_spelling(signs) {
                    self.advance(signs.len());
                    return Some(Relation { negated, operator, span });
                }
                Some(self.foreign_signs(signs, negated))
            }
            Token::Symbol(':') => Some(self.foreign_signs(":", negated)),
            Token::Word("AND" | "OR") => self.missing_operator(path),
            Token::Word(word) if word.eq_ignore_ascii_case("EXISTS") => {
                Some(self.postfix_existence(path, negated, word.len()))
            }
            Token::Word(word) => self.word_operator(path, negated, word),
            Token::Quote(_) | Token::Number => {
                self.forgotten_operator();
                Some(Relation { negated, operator: ComparisonOperator::Equal, span: self.gap() })
            }
            Token::Symbol('(') => {
                let gap = self.gap();
                let error = ParseError::new(Mistake::MissingOperator { found: self.found() }, self.here());
                self.report(error.help("write `IN` before the set").edit(gap, " IN"));
                Some(Relation { negated, operator: ComparisonOperator::In, span: gap })
            }
            Token::End | Token::Symbol(_) => self.missing_operator(path),
        }
    }

    /// NOT, if it is there; more than one is a mistake.
    fn negation(&mut self) -> bool {
        let mut negated = false;
        while self.peek_is("NOT") {
            if negated {
                let span = self.here();
                let error = ParseError::new(Mistake::MisplacedNot, span).help("write NOT once or not at all");
                self.report(error);
                self.skip();
            } else {
                self.take_keyword(&["NOT"]);
                negated = true;
            }
        }
        negated
    }

    /// Signs that are no operator here.
    fn foreign_signs(&mut self, signs: &str, negated: bool) -> Relation {
        let span = self.span(signs.len());
        let spelling = match signs {
            ":" => Some("="),
            _ => SIGNS.iter().find(|(other, _)| *other == signs).map(|(_, here)| *here),
        };
        let mut error = ParseError::new(Mistake::UnknownOperator { found: signs.to_owned() }, span);
        error = match spelling {
            Some(spelling) => error.help(format!("write `{spelling}`")).edit(span, spelling),
            None => error.help("the operators are = != < <= > >= IN LIKE MATCHES ISSUBSET ISSUPERSET"),
        };
        self.report(error);
        self.advance(signs.len());
        let (not, spelling) = match spelling.unwrap_or("=").strip_prefix("NOT ") {
            Some(spelling) => (true, spelling),
            None => (false, spelling.unwrap_or("=")),
        };
        // `! =` and `! LIKE`: the operator itself follows.
        if signs == "!" && !matches!(self.peek(), Token::Quote(_) | Token::Number) {
            if let Some(error) = self.mistakes.last_mut() {
                error.help = Some("write `NOT`".to_owned());
                error.edits = vec![Edit { span, text: "NOT ".to_owned() }];
            }
            let Token::Word(word) = self.peek() else {
                return Relation { negated: true, operator: ComparisonOperator::Equal, span };
            };
            let operator = by_spelling(word).unwrap_or(ComparisonOperator::Equal);
            let span = self.span(word.len());
            self.advance(word.len());
            return Relation { negated: true, operator, span };
        }
        let operator = by_spelling(spelling).unwrap_or(ComparisonOperator::Equal);
        Relation { negated: negated || not, operator, span }
    }

    /// A word where the operator should be.
    fn word_operator(&mut self, path: &ObjectPath<'_>, negated: bool, word: &str) -> Option<Relation> {
        let span = self.span(word.len());
        if matches!(self.peek_keyword(&["AND", "OR"]), Some((_, Spelling::Case))) {
            return self.missing_operator(path);
        }
        // A prefix or a truth value: what is missing is the operator.
        let is_value = matches!(word, "true" | "false")
            || (matches!(word, "t" | "h" | "b") && self.rest()[word.len()..].starts_with('\''));
        if is_value {
            self.forgotten_operator();
            return Some(Relation { negated, operator: ComparisonOperator::Equal, span: self.gap() });
        }
        if word.eq_ignore_ascii_case("IS") && !negated {
            let Token::Word(next) = self.peek_behind(word.len()) else { return self.take_word_operator(negated, span) };
            if next.eq_ignore_ascii_case("NOT") {
                let start = self.at;
                self.advance(word.len());
                self.advance(next.len());
                let span = Span::new(start, self.end);
                let mistake = Mistake::KeywordSpelling { found: span.slice(self.source).to_owned(), keyword: "!=" };
                self.report(ParseError::new(mistake, span).help("write `!=`").edit(span, "!="));
                return Some(Relation { negated: false, operator: ComparisonOperator::NotEqual, span });
            }
        }
        self.take_word_operator(negated, span)
    }

    /// A word that is an operator, or nearly.
    fn take_word_operator(&mut self, negated: bool, span: Span) -> Option<Relation> {
        let keyword = self.take_keyword(&WORDS_AND_SIGNS);
        match keyword.and_then(by_spelling) {
            Some(operator) => Some(Relation { negated, operator, span }),
            None => {
                let found = self.found();
                let error = ParseError::new(Mistake::MissingOperator { found }, self.here());
                self.report(error.help("the operators are = != < <= > >= IN LIKE MATCHES ISSUBSET ISSUPERSET"));
                None
            }
        }
    }

    /// `path EXISTS`, which should be `EXISTS path`.
    fn postfix_existence(&mut self, path: &ObjectPath<'_>, negated: bool, length: usize) -> Relation {
        let span = self.span(length);
        let words = if negated { "NOT EXISTS" } else { "EXISTS" };
        let start = path.span.start as usize;
        let error = ParseError::new(Mistake::PostfixExists, span)
            .help(format!("write `{words} {}`", path.span.slice(self.source)))
            .edit(Span::new(start, start), format!("{words} "))
            .edit(Span::new(path.span.end as usize, span.end as usize), "");
        self.report(error);
        self.advance(length);
        Relation { negated, operator: ComparisonOperator::Exists, span }
    }

    /// A value stands directly behind the property.
    fn forgotten_operator(&mut self) {
        let gap = self.gap();
        let error = ParseError::new(Mistake::MissingOperator { found: self.found() }, self.here());
        self.report(error.help("write `=` before the value").edit(gap, " ="));
    }

    /// Neither an operator nor a value stands behind the property.
    fn missing_operator(&mut self, path: &ObjectPath<'_>) -> Option<Relation> {
        let error = ParseError::new(Mistake::MissingOperator { found: self.found() }, self.here());
        let path = path.span.slice(self.source);
        self.report(
            error.help(format!("write an operator and a value, or `EXISTS {path}` to ask whether it is there")),
        );
        None
    }
}
