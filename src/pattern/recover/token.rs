//! Tokens, also those that the language doesn't have.

use crate::pattern::lexer;

/// The kinds of tokens that error recovery tells apart.
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
    let Some(next) = text.chars().next() else { return Token::End };
    match text.as_bytes() {
        [b'a'..=b'z' | b'A'..=b'Z' | b'_', ..] => Token::Word(&text[..lexer::word_length(text)]),
        [b'0'..=b'9', ..] | [b'+' | b'-' | b'.', b'0'..=b'9', ..] | [b'+' | b'-', b'.', ..] => Token::Number,
        _ if is_quote(next) => Token::Quote(next),
        _ if is_operator(next) => Token::Operator(&text[..text.find(|next| !is_operator(next)).unwrap_or(text.len())]),
        _ => Token::Symbol(next),
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
            let mut body = text[quote.len_utf8()..].char_indices();
            let close = body.find(|(_, other)| closes(quote, *other));
            quote.len_utf8() + close.map_or(0, |(end, close)| end + close.len_utf8())
        }
    }
}

/// The token at the start of `text`, in words and on one line.
pub(in crate::pattern) fn describe(text: &str) -> String {
    /// Characters that are shown of a long token.
    const SHOWN: usize = 32;
    if text.is_empty() {
        return "the end of the pattern".to_owned();
    }
    let token = &text[..length(text)];
    let dots = if token.chars().nth(SHOWN).is_some() { "…" } else { "" };
    let visible = |next: char| if next.is_control() { next.escape_default().to_string() } else { next.to_string() };
    let shown: String = token.chars().take(SHOWN).map(visible).collect();
    format!("`{shown}{dots}`")
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

/// The name of a character without a shape that is no blank of the language.
pub(super) fn invisible(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{feff}' => "a byte-order mark (U+FEFF)",
        '\u{200b}' => "a zero-width space (U+200B)",
        '\u{200c}' => "a zero-width non-joiner (U+200C)",
        '\u{200d}' => "a zero-width joiner (U+200D)",
        '\u{2060}' => "a word joiner (U+2060)",
        '\u{ad}' => "a soft hyphen (U+00AD)",
        '\u{200e}' => "a left-to-right mark (U+200E)",
        '\u{200f}' => "a right-to-left mark (U+200F)",
        _ => return None,
    })
}
