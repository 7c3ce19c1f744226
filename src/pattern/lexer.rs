//! The smallest pieces of the language: blanks, words, symbols and positions.
//!
//! Every parser of the grammar starts at a token and leaves the rest at the next token, so blanks and comments are
//! skipped in one place only, behind each token.

use memchr::memmem;
use nom::{
    Err, IResult,
    error::{ErrorKind, ParseError},
};

use super::Version;
use crate::span::Span;

/// Where the strict grammar stopped. It carries no message: a pattern that is refused is read a second time by
/// [`super::recover`], which finds out why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop {
    /// Bytes that were left to read.
    pub left: usize,
}

impl ParseError<&str> for Stop {
    fn from_error_kind(input: &str, _: ErrorKind) -> Self {
        Self { left: input.len() }
    }

    fn append(_: &str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// What each parser of the grammar returns.
pub(super) type Parsed<'a, T> = IResult<&'a str, T, Stop>;

/// Stops before `input`. Nothing is ever tried twice, so the first refusal is final.
pub(super) fn stop<T>(input: &str) -> Parsed<'_, T> {
    Err(Err::Failure(Stop { left: input.len() }))
}

/// The grammar: what its parsers need to know besides their input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grammar {
    /// Length of the whole source; positions are counted from it.
    pub length: usize,
    /// Which version of the language.
    pub version: Version,
}

impl Grammar {
    /// The position of `rest` in the source.
    pub fn at(self, rest: &str) -> usize {
        self.length - rest.len()
    }

    /// Whether a word can't stand unquoted as an object type or a property in this version.
    pub fn is_reserved(self, word: &str) -> bool {
        is_reserved(word) && (word != "EXISTS" || self.version.has_exists())
    }

    /// From `start` up to where `rest` begins.
    pub fn span(self, start: usize, rest: &str) -> Span {
        Span::new(start, self.at(rest))
    }
}

/// The words that can't stand unquoted as an object type or a property in STIX 2.1.
pub(super) fn is_reserved(word: &str) -> bool {
    // Types and properties are lower-case by convention: most words are let through by their first byte.
    matches!(word.as_bytes().first(), Some(b'A'..=b'Z' | b't' | b'f'))
        && matches!(
            word,
            "AND"
                | "OR"
                | "NOT"
                | "FOLLOWEDBY"
                | "LIKE"
                | "MATCHES"
                | "ISSUPERSET"
                | "ISSUBSET"
                | "EXISTS"
                | "LAST"
                | "IN"
                | "START"
                | "STOP"
                | "SECONDS"
                | "true"
                | "false"
                | "WITHIN"
                | "REPEATS"
                | "TIMES"
        )
}

/// Whether `text` can stand unquoted as a property: a word without hyphen that is not reserved.
pub(super) fn is_property(text: &str) -> bool {
    !text.is_empty() && word_length(text) == text.len() && !text.contains('-') && !is_reserved(text)
}

/// The bytes of a word; the first one can't be a digit or a hyphen.
const WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(byte as u8, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-');
        byte += 1;
    }
    table
};

/// How many bytes of words stand at the start of `input`, also where its first byte can't start a word.
pub(super) fn word_bytes(input: &str) -> usize {
    input.bytes().take_while(|byte| WORD[usize::from(*byte)]).count()
}

/// Length of the longest word at the start of `input`, hyphens included; zero where there is none.
pub(super) fn word_length(input: &str) -> usize {
    let bytes = input.as_bytes();
    match bytes.first() {
        Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
            bytes.iter().position(|byte| !WORD[usize::from(*byte)]).unwrap_or(bytes.len())
        }
        _ => 0,
    }
}

/// The longest word, with what follows it untouched (blanks are not skipped).
pub(super) fn word(input: &str) -> Parsed<'_, &str> {
    match word_length(input) {
        0 => stop(input),
        length => {
            let (word, rest) = input.split_at(length);
            Ok((rest, word))
        }
    }
}

/// A word that has to be exactly `keyword`, with what follows it untouched.
pub(super) fn exactly<'a>(keyword: &'static str) -> impl FnMut(&'a str) -> Parsed<'a, ()> {
    move |input| match word(input)? {
        (rest, found) if found == keyword => Ok((rest, ())),
        _ => stop(input),
    }
}

/// A word that has to be exactly `keyword`, and the blanks behind it.
pub(super) fn keyword<'a>(keyword: &'static str) -> impl FnMut(&'a str) -> Parsed<'a, ()> {
    move |input| exactly(keyword)(input).map(|(rest, ())| (blank(rest), ()))
}

/// One ASCII character, and the blanks behind it.
pub(super) fn symbol<'a>(symbol: u8) -> impl FnMut(&'a str) -> Parsed<'a, ()> {
    // Not a failure but an error: it also ends the lists of the grammar.
    move |input| match input.as_bytes().first() {
        Some(first) if *first == symbol => Ok((blank(&input[1..]), ())),
        _ => Err(Err::Error(Stop { left: input.len() })),
    }
}

/// What is left after blanks and comments.
pub(super) fn blank(input: &str) -> &str {
    let bytes = input.as_bytes();
    let mut at = 0;
    while let Some(b' ' | b'\t'..=b'\r') = bytes.get(at) {
        at += 1;
    }
    match bytes.get(at) {
        Some(b'/' | 0x80..) => unusual_blank(&input[at..]),
        _ => &input[at..],
    }
}

/// Blanks where a comment or a space of Unicode may follow.
#[cold]
fn unusual_blank(mut input: &str) -> &str {
    loop {
        let rest = input.trim_start_matches(is_space);
        let rest = match comment(rest) {
            Comment::Closed(length) => &rest[length..],
            Comment::Open | Comment::None => rest,
        };
        if rest.len() == input.len() {
            return rest;
        }
        input = rest;
    }
}

/// A comment at the start of a text.
pub(super) enum Comment {
    /// There is none.
    None,
    /// It is this long.
    Closed(usize),
    /// `/*` without `*/`.
    Open,
}

/// Looks for a comment: `/* … */`, which does not nest, or `//` up to the end of the line.
pub(super) fn comment(input: &str) -> Comment {
    if let Some(body) = input.strip_prefix("/*") {
        memmem::find(body.as_bytes(), b"*/").map_or(Comment::Open, |end| Comment::Closed(end + 4))
    } else if input.starts_with("//") {
        Comment::Closed(memchr::memchr2(b'\r', b'\n', input.as_bytes()).unwrap_or(input.len()))
    } else {
        Comment::None
    }
}

/// The spaces of the language. A byte-order mark (U+FEFF) and a zero-width space (U+200B) are none.
pub(super) fn is_space(character: char) -> bool {
    matches!(
        character,
        ' ' | '\t'..='\r'
            | '\u{85}'
            | '\u{a0}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200a}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}'
    )
}
