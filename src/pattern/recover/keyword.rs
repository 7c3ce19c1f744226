//! The words of the language, also in the wrong case, misspelt, or as other languages say them.

use super::{Reader, Token};
use crate::{
    pattern::{Mistake, ParseError, repair},
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

/// Words of other languages, and what they are here.
const SYNONYMS: [(&str, &str); 27] = [
    ("THEN", "FOLLOWEDBY"),
    ("FOLLOWED", "FOLLOWEDBY"),
    ("FOLLOWS", "FOLLOWEDBY"),
    ("ALSO", "AND"),
    ("CONTAINS", "LIKE"),
    ("ILIKE", "LIKE"),
    ("STARTSWITH", "LIKE"),
    ("ENDSWITH", "LIKE"),
    ("REGEX", "MATCHES"),
    ("REGEXP", "MATCHES"),
    ("RLIKE", "MATCHES"),
    ("MATCH", "MATCHES"),
    ("EQUALS", "="),
    ("EQ", "="),
    ("IS", "="),
    ("NE", "!="),
    ("NEQ", "!="),
    ("GT", ">"),
    ("GE", ">="),
    ("GTE", ">="),
    ("LT", "<"),
    ("LE", "<="),
    ("LTE", "<="),
    ("SUBSET", "ISSUBSET"),
    ("SUPERSET", "ISSUPERSET"),
    ("ANY", "IN"),
    ("DURING", "WITHIN"),
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
    if let Some((_, keyword)) = SYNONYMS.iter().find(|(other, keyword)| *other == upper && keywords.contains(keyword)) {
        return Some((keyword, Spelling::Similar));
    }
    if OTHERS.contains(&upper.as_str()) || word.len() < 2 {
        return None;
    }
    // Short words are all alike: they may differ in one place only.
    let (distance, keyword) =
        keywords.iter().map(|keyword| (distance(&upper, keyword), *keyword)).min_by_key(|it| it.0)?;
    (distance * 3 <= keyword.len().max(3)).then_some((keyword, Spelling::Similar))
}

/// The edit distance: letters changed, added, left out or swapped with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    /// No keyword is longer, and a word that is much longer is none.
    const LONGEST: usize = 16;
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() > LONGEST || other.len() > LONGEST {
        return usize::MAX / 3;
    }
    let mut table = [[0_usize; LONGEST + 1]; LONGEST + 1];
    for row in 0..=one.len() {
        for column in 0..=other.len() {
            table[row][column] = if row == 0 || column == 0 {
                row + column
            } else {
                let differs = usize::from(one[row - 1] != other[column - 1]);
                let mut least = (table[row - 1][column] + 1)
                    .min(table[row][column - 1] + 1)
                    .min(table[row - 1][column - 1] + differs);
                if row > 1 && column > 1 && one[row - 1] == other[column - 2] && one[row - 2] == other[column - 1] {
                    least = least.min(table[row - 2][column - 2] + 1);
                }
                least
            };
        }
    }
    table[one.len()][other.len()]
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
                self.report(ParseError::new(mistake, span).replace(keyword).assume(repair::KEYWORD_CASE, message));
            }
            Spelling::Similar => self.misspelt(span, keyword),
        }
        self.advance(word.len());
        Some(keyword)
    }

    /// Reports words at `span` that mean `keyword`.
    pub fn misspelt(&mut self, span: Span, keyword: &'static str) {
        let mistake = Mistake::KeywordSpelling { found: span.slice(self.source).to_owned(), keyword };
        self.report(ParseError::new(mistake, span).replace(keyword));
    }
}
