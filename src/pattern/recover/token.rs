//! Tokens, also those that the language doesn't have.

use crate::pattern::lexer;

/// The kinds of tokens that the second reader tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// The text is over.
    End,
    /// Letters, digits, underscores and hyphens.
    Word(&'a str),
    /// A quote of any kind, which opens a text.
    Quote(char),
    /// The first character of a number.
    Number,
    /// Signs that make an operator here or in another language.
    Operator(&'a str),
    /// Anything else, one character.
    Symbol(char),
}

/// The token at the start of `text`.
pub(super) fn first(text: &str) -> Token<'_> {
    match text.as_bytes() {
        [] => Token::End,
        [b'a'..=b'z' | b'A'..=b'Z' | b'_', ..] => Token::Word(&text[..lexer::word_length(text)]),
        [b'0'..=b'9', ..] | [b'+' | b'-' | b'.', b'0'..=b'9', ..] | [b'+' | b'-', b'.', ..] => Token::Number,
        [b'\'', ..] => Token::Quote('\''),
        [symbol @ (b'[' | b']' | b'(' | b')' | b':' | b'.' | b','), ..] => Token::Symbol(char::from(*symbol)),
        _ => other(text),
    }
}

/// The same for what is rarer.
fn other(text: &str) -> Token<'_> {
    match text.chars().next() {
        None => Token::End,
        Some(quote) if is_quote(quote) => Token::Quote(quote),
        Some(sign) if is_operator(sign) => {
            let length = text.find(|next| !is_operator(next)).unwrap_or(text.len());
            Token::Operator(&text[..length])
        }
        Some(symbol) => Token::Symbol(symbol),
    }
}

/// Length of the token at the start of `text`; a text in quotes counts with both of them, where it has both.
pub(super) fn length(text: &str) -> usize {
    match first(text) {
        Token::End => 0,
        Token::Word(word) => word.len(),
        Token::Operator(signs) => signs.len(),
        Token::Symbol(symbol) => symbol.len_utf8(),
        Token::Number => {
            text.find(|next: char| !next.is_ascii_alphanumeric() && !"+-._:".contains(next)).unwrap_or(text.len())
        }
        Token::Quote(quote) => {
            let body = &text[quote.len_utf8()..];
            quote.len_utf8() + body.find(|other| closes(quote, other)).map_or(0, |end| end + last_length(&body[end..]))
        }
    }
}

/// Length of the first character.
fn last_length(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// The token at the start of `text`, in words.
pub(in crate::pattern) fn describe(text: &str) -> String {
    /// Characters that are shown of a long token.
    const SHOWN: usize = 32;
    match first(text) {
        Token::End => "the end of the pattern".to_owned(),
        _ => {
            let token = &text[..length(text)];
            let dots = if token.chars().nth(SHOWN).is_some() { "…" } else { "" };
            let shown: String = token.chars().take(SHOWN).flat_map(visible).collect();
            format!("`{shown}{dots}`")
        }
    }
}

/// Whether it is a quote of any kind.
pub(super) fn is_quote(character: char) -> bool {
    matches!(character, '\'' | '"' | '`' | '´' | '‘' | '’' | '‚' | '‛' | '“' | '”' | '„' | '‟' | '′' | '″' | '«' | '»')
}

/// Whether `close` can close what `open` opens.
pub(super) fn closes(open: char, close: char) -> bool {
    match open {
        '\'' | '"' => close == open,
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' => {
            matches!(close, '“' | '”' | '„' | '‟' | '″' | '«' | '»' | '"')
        }
        _ => matches!(close, '`' | '´' | '‘' | '’' | '‚' | '‛' | '′' | '\''),
    }
}

/// Whether it is part of an operator, here or elsewhere.
fn is_operator(character: char) -> bool {
    matches!(character, '=' | '!' | '<' | '>' | '~' | '&' | '|' | '?' | '≠' | '≤' | '≥')
}

/// A character without a shape that is no blank of the language, and its name.
pub(super) fn invisible(character: char) -> Option<(char, &'static str)> {
    let name = match character {
        '\u{feff}' => "a byte-order mark (U+FEFF)",
        '\u{200b}' => "a zero-width space (U+200B)",
        '\u{200c}' => "a zero-width non-joiner (U+200C)",
        '\u{200d}' => "a zero-width joiner (U+200D)",
        '\u{2060}' => "a word joiner (U+2060)",
        '\u{ad}' => "a soft hyphen (U+00AD)",
        '\u{200e}' => "a left-to-right mark (U+200E)",
        '\u{200f}' => "a right-to-left mark (U+200F)",
        _ => return None,
    };
    Some((character, name))
}

/// A character as it can stand in a message of one line.
fn visible(character: char) -> impl Iterator<Item = char> {
    let (plain, escaped) =
        if character.is_control() { (None, Some(character.escape_default())) } else { (Some(character), None) };
    plain.into_iter().chain(escaped.into_iter().flatten())
}
