//! Literals: strings, numbers, booleans, timestamps and bytes (STIX 2.1, section 9.6.2).

use std::borrow::Cow;

use nom::{Err, Parser, multi::separated_list0, sequence::preceded};

use super::{
    Literal, LiteralValue,
    lexer::{Grammar, Parsed, Stop, blank, stop, symbol, word},
};
use crate::span::Span;

impl Grammar {
    /// Any literal.
    pub fn literal(self, input: &str) -> Parsed<'_, Literal<'_>> {
        let start = self.at(input);
        let (rest, value) = match input.as_bytes() {
            [b'\'', ..] => string(input).map(|(rest, text)| (rest, LiteralValue::String(text)))?,
            [b'0'..=b'9' | b'+' | b'-' | b'.', ..] => number(input)?,
            [b't', b'\'', ..] => timestamp(input).map(|(rest, text)| (rest, LiteralValue::Timestamp(text.into())))?,
            [b'h', b'\'', ..] => quoted(input, is_hex).map(|(rest, text)| (rest, LiteralValue::Hex(text)))?,
            [b'b', b'\'', ..] => quoted(input, is_base64).map(|(rest, text)| (rest, LiteralValue::Binary(text)))?,
            _ => boolean(input)?,
        };
        Ok((blank(rest), Literal { value, span: self.span(start, rest) }))
    }

    /// A literal that has an order: anything but a boolean.
    pub fn orderable_literal(self, input: &str) -> Parsed<'_, Literal<'_>> {
        match self.literal(input)? {
            (_, Literal { value: LiteralValue::Boolean(_), .. }) => stop(input),
            orderable => Ok(orderable),
        }
    }

    /// A string, as LIKE, MATCHES, ISSUBSET and ISSUPERSET want it.
    pub fn string_literal(self, input: &str) -> Parsed<'_, Literal<'_>> {
        let (rest, text) = string(input)?;
        let span = self.span(self.at(input), rest);
        Ok((blank(rest), Literal { value: LiteralValue::String(text), span }))
    }

    /// The set of IN and where it stands.
    pub fn set(self, input: &str) -> Parsed<'_, (Vec<Literal<'_>>, Span)> {
        let start = self.at(input);
        // An empty set is grammatical. Behind a comma a literal has to come: there the list ends before the comma,
        // where no parenthesis stands.
        let element = |input| match symbol(b')')(input) {
            Ok(_) => Err(Err::Error(Stop { left: str::len(input) })),
            Err(_) => self.literal(input),
        };
        let (rest, literals) = preceded(symbol(b'('), separated_list0(symbol(b','), element)).parse_complete(input)?;
        match rest.strip_prefix(')') {
            Some(rest) => Ok((blank(rest), (literals, self.span(start, rest)))),
            None => stop(rest),
        }
    }
}

/// A string with its quotes, unescaped; borrowed where it has no escapes.
pub(super) fn string(input: &str) -> Parsed<'_, Cow<'_, str>> {
    let Some(body) = input.strip_prefix('\'') else { return stop(input) };
    match memchr::memchr2(b'\'', b'\\', body.as_bytes()) {
        Some(end) if body.as_bytes()[end] == b'\'' => Ok((&body[end + 1..], Cow::Borrowed(&body[..end]))),
        Some(escape) => escaped_string(body, escape),
        None => stop(input),
    }
}

/// The rest of a string whose first backslash stands at `escape`.
fn escaped_string(body: &str, mut escape: usize) -> Parsed<'_, Cow<'_, str>> {
    let bytes = body.as_bytes();
    let mut text = String::new();
    let mut from = 0;
    loop {
        let Some(b'\'' | b'\\') = bytes.get(escape + 1) else { return stop(&body[escape..]) };
        text.push_str(&body[from..escape]);
        from = escape + 1;
        // The escaped character itself is copied with the run that follows it.
        match memchr::memchr2(b'\'', b'\\', &bytes[from + 1..]).map(|ahead| from + 1 + ahead) {
            Some(end) if bytes[end] == b'\'' => {
                text.push_str(&body[from..end]);
                return Ok((&body[end + 1..], Cow::Owned(text)));
            }
            Some(next) => escape = next,
            None => return stop(&body[body.len()..]),
        }
    }
}

/// A timestamp with its prefix and quotes.
pub(super) fn timestamp(input: &str) -> Parsed<'_, &str> {
    if input.starts_with("t'") { quoted(input, is_timestamp) } else { stop(input) }
}

/// A prefix of one letter, a quote, and text that `is_valid` up to the next quote.
fn quoted(input: &str, is_valid: fn(&[u8]) -> bool) -> Parsed<'_, &str> {
    let body = &input[2..];
    match memchr::memchr(b'\'', body.as_bytes()) {
        Some(end) if is_valid(&body.as_bytes()[..end]) => Ok((&body[end + 1..], &body[..end])),
        _ => stop(input),
    }
}

/// Whether `text` has the form `YYYY-MM-DDTHH:MM:SS[.d…]Z`, each part in its own range; the calendar is not asked.
pub(super) fn is_timestamp(text: &[u8]) -> bool {
    let Some((head, tail)) = text.split_at_checked(19) else { return false };
    let two = |at: usize| {
        let (tens, ones) = (head[at].wrapping_sub(b'0'), head[at + 1].wrapping_sub(b'0'));
        if tens < 10 && ones < 10 { tens * 10 + ones } else { u8::MAX }
    };
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let fraction = match tail {
        [b'Z'] => true,
        [b'.', digits @ .., b'Z'] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    separators.iter().all(|(at, separator)| head[*at] == *separator)
        && two(0) <= 99
        && two(2) <= 99
        && (1..=12).contains(&two(5))
        && (1..=31).contains(&two(8))
        && two(11) <= 23
        && two(14) <= 59
        && two(17) <= 60
        && fraction
}

/// Whether `text` is bytes in hexadecimal, two digits each.
pub(super) fn is_hex(text: &[u8]) -> bool {
    text.len().is_multiple_of(2) && text.iter().all(u8::is_ascii_hexdigit)
}

/// Whether `text` is standard base64 with its padding, and not empty.
pub(super) fn is_base64(text: &[u8]) -> bool {
    let body = match text {
        [body @ .., b'=', b'='] | [body @ .., b'='] => body,
        body => body,
    };
    !text.is_empty()
        && text.len().is_multiple_of(4)
        && body.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// An integer or a float.
fn number(input: &str) -> Parsed<'_, LiteralValue<'_>> {
    let (rest, number) = number_text(input)?;
    let value = match number {
        Number::Integer(text) => text.parse().map_or(LiteralValue::BigInteger(text), LiteralValue::Integer),
        // The text is digits around a point, which always reads as a float.
        Number::Float(text) => LiteralValue::Float { value: text.parse().unwrap_or(f64::NAN), text },
    };
    Ok((rest, value))
}

/// The text of a number.
pub(super) enum Number<'a> {
    /// Digits, with a sign or without.
    Integer(&'a str),
    /// The same with a point, which has to have a digit behind it and needs none before.
    Float(&'a str),
}

/// The longest number, with what follows it untouched.
pub(super) fn number_text(input: &str) -> Parsed<'_, Number<'_>> {
    let bytes = input.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(sign);
    let point = sign + whole;
    if bytes.get(point) == Some(&b'.') {
        let fraction = digits(point + 1);
        if fraction > 0 {
            let (text, rest) = input.split_at(point + 1 + fraction);
            return Ok((rest, Number::Float(text)));
        }
    }
    // A number with a leading zero is two tokens, and nowhere may two numbers stand together.
    if whole == 0 || (whole > 1 && bytes[sign] == b'0') {
        return stop(input);
    }
    let (text, rest) = input.split_at(point);
    Ok((rest, Number::Integer(text)))
}

/// `true` or `false`.
fn boolean(input: &str) -> Parsed<'_, LiteralValue<'_>> {
    match word(input)? {
        (rest, "true") => Ok((rest, LiteralValue::Boolean(true))),
        (rest, "false") => Ok((rest, LiteralValue::Boolean(false))),
        _ => stop(input),
    }
}
