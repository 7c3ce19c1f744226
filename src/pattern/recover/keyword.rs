//! The words of the language, also in the wrong case, misspelt, or as other languages say them.

use super::{Reader, Token};
use crate::{
    pattern::{Mistake, repair},
    span::Span,
};

/// The spellings of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As the language writes it.
    Exact,
    /// In the wrong case.
    Case,
    /// Misspelt, or of another language.
    Similar,
}

/// Words of this language with those that others use for them.
const SYNONYMS: [(&str, &[&str]); 14] = [
    ("FOLLOWEDBY", &["THEN", "FOLLOWED", "FOLLOWS"]),
    ("AND", &["ALSO"]),
    ("LIKE", &["CONTAINS", "ILIKE", "STARTSWITH", "ENDSWITH"]),
    ("MATCHES", &["REGEX", "REGEXP", "RLIKE", "MATCH"]),
    ("=", &["EQUALS", "EQ", "IS"]),
    ("!=", &["NE", "NEQ"]),
    (">", &["GT"]),
    (">=", &["GE", "GTE"]),
    ("<", &["LT"]),
    ("<=", &["LE", "LTE"]),
    ("ISSUBSET", &["SUBSET"]),
    ("ISSUPERSET", &["SUPERSET"]),
    ("IN", &["ANY"]),
    ("WITHIN", &["DURING"]),
];

/// Words that resemble a keyword and mean something else.
const OTHERS: [&str; 5] = ["XOR", "NOR", "NAND", "MATH", "ON"];

/// The one of `keywords` that the word is, and how it is spelt.
pub(super) fn classify(word: &str, keywords: &[&'static str]) -> Option<(&'static str, Spelling)> {
    if let Some(keyword) = keywords.iter().find(|keyword| **keyword == word) {
        return Some((keyword, Spelling::Exact));
    }
    if let Some(keyword) = keywords.iter().find(|keyword| keyword.eq_ignore_ascii_case(word)) {
        return Some((keyword, Spelling::Case));
    }
    let upper = word.to_ascii_uppercase();
    let synonym = SYNONYMS.iter().find(|(_, others)| others.contains(&&*upper)).map(|(keyword, _)| *keyword);
    if let Some(keyword) = synonym.filter(|keyword| keywords.contains(keyword)) {
        return Some((keyword, Spelling::Similar));
    }
    // No keyword is much longer.
    if OTHERS.contains(&&*upper) || !(2..=16).contains(&word.len()) {
        return None;
    }
    // Short words are all alike: they may differ in one place only.
    let distances = keywords.iter().map(|keyword| (strsim::osa_distance(&upper, keyword), *keyword));
    let (distance, keyword) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance * 3 <= keyword.len().max(3)).then_some((keyword, Spelling::Similar))
}

impl Reader<'_> {
    /// The one of `keywords` that comes next; nothing is read.
    pub fn peek_keyword(&self, keywords: &[&'static str]) -> Option<(&'static str, Spelling)> {
        match self.peek() {
            Token::Word(word) => classify(word, keywords),
            _ => None,
        }
    }

    /// Whether exactly this word comes next, or it in another case.
    pub fn peek_is(&self, keyword: &'static str) -> bool {
        matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// Reads one of `keywords`, and reports it if it is not spelt as it should be.
    pub fn take_keyword(&mut self, keywords: &[&'static str]) -> Option<&'static str> {
        let Token::Word(word) = self.peek() else { return None };
        let (keyword, spelling) = classify(word, keywords)?;
        let span = self.span(word.len());
        match spelling {
            Spelling::Exact => {}
            Spelling::Case => {
                let message = format!("read `{word}` as `{keyword}`");
                let mistake = Mistake::KeywordCase { found: word.to_owned(), keyword };
                self.report(mistake.at(span).replace(keyword).assume(repair::KEYWORD_CASE, message));
            }
            Spelling::Similar => self.misspelt(span, keyword),
        }
        self.advance(word.len());
        Some(keyword)
    }

    /// Reports words at `span` that mean `keyword`.
    pub fn misspelt(&mut self, span: Span, keyword: &'static str) {
        let mistake = Mistake::KeywordSpelling { found: span.slice(self.source).to_owned(), keyword };
        self.report(mistake.at(span).replace(keyword));
    }
}
