//! Text in quotes, and where it was meant to end.
//!
//! One missing or superfluous quote turns all quotes behind it around. So a quote is taken for the end of a text only
//! where something follows that can stand behind a text; where nothing does, the likeliest end is looked for, and the
//! mistake is reported at the quote that caused it.

use std::borrow::Cow;

use super::{Reader, token};
use crate::{
    diagnostic::Code,
    pattern::{Mistake, ParseError, Quoted, lexer, repair},
    span::Span,
};

/// What a text is used for, which decides what can follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    /// A value to compare with, or the time of a qualifier.
    Value,
    /// A key in a path.
    Key,
}

/// A text, unescaped.
pub(super) struct Text<'a> {
    pub value: Cow<'a, str>,
    /// With its quotes.
    pub span: Span,
}

/// Where a text in single quotes ends, counted from behind its opening quote.
enum End {
    /// At a quote, as it should.
    Proper(usize),
    /// At a quote that is escaped by a backslash that was not meant to.
    Escaped(usize),
    /// At a quote, but there are others before it, the first one here.
    Stray { first: usize, end: usize },
    /// At a quote of another kind, of this length.
    Other { end: usize, length: usize },
    /// It has no closing quote; the text was meant to end here.
    Missing(usize),
}

impl<'a> Reader<'a> {
    /// Reads a text that starts with a quote of any kind.
    pub fn text(&mut self, usage: Usage) -> Option<Text<'a>> {
        let quote = self.rest().chars().next()?;
        Some(if quote == '\'' { self.single_quoted(usage) } else { self.other_quoted(quote, usage) })
    }

    /// Reads a text that starts with the right quote.
    fn single_quoted(&mut self, usage: Usage) -> Text<'a> {
        let body = &self.rest()[1..];
        let end = find_end(body, usage, self.in_set);
        let (inside, closing) = match end {
            End::Proper(end) | End::Escaped(end) | End::Stray { end, .. } => (&body[..end], 1),
            End::Other { end, length } => (&body[..end], length),
            End::Missing(end) => (&body[..end], 0),
        };
        let span = self.span(1 + inside.len() + closing);
        let (mut value, bare) = unescape(inside);
        if let End::Stray { first, .. } = end
            && inside[first..].starts_with("''")
        {
            // As databases escape a quote.
            value = Cow::Owned(value.replace("''", "'"));
        }
        // Backslashes stand for themselves, unless they escape double quotes: then they are left from another language,
        // and the text is not what it seems.
        let backslash = (!inside.contains("\\\"")).then_some(repair::BACKSLASH);
        let one = |at: usize| Span::new(self.at + 1 + at, self.at + 2 + at);
        let wrong = match end {
            End::Proper(_) => bare.map(|at| (Mistake::BareBackslash, one(at), backslash)),
            End::Escaped(end) => Some((Mistake::BareBackslash, one(end - 1), backslash)),
            End::Stray { first, .. } => Some((Mistake::StrayQuote, one(first), None)),
            End::Other { end, .. } => {
                let found = body[end..].chars().next().unwrap_or('’');
                Some((Mistake::TypographicQuotes { found }, span, Some(repair::TYPOGRAPHIC_QUOTES)))
            }
            End::Missing(_) => Some((Mistake::UnclosedString, self.span(1), None)),
        };
        if let Some((mistake, place, code)) = wrong {
            self.rewrite(mistake.at(place), span, &value, code);
        }
        self.advance(1 + inside.len() + closing);
        Text { value, span }
    }

    /// Reads a text that starts with a quote of another kind.
    fn other_quoted(&mut self, quote: char, usage: Usage) -> Text<'a> {
        let opening = quote.len_utf8();
        let body = &self.rest()[opening..];
        let mut closers = body.char_indices().filter(|(at, close)| {
            token::closes(quote, *close)
                && !(quote == '"' && body[..*at].ends_with('\\') && !body[..*at].ends_with("\\\\"))
        });
        let first = closers.next();
        let is_end = |(at, close): &(usize, char)| may_follow(&body[at + close.len_utf8()..], usage);
        let is_clear = first.as_ref().is_some_and(is_end);
        let end = if is_clear { first } else { closers.find(is_end).or(first) };
        let (inside, closing) = match end {
            Some((end, close)) => (&body[..end], close.len_utf8()),
            None => (&body[..guess_end(body, usage, self.in_set)], 0),
        };
        let span = self.span(opening + inside.len() + closing);
        let (mut value, _) = unescape(inside);
        if quote == '"' && inside.contains("\\\"") {
            value = Cow::Owned(value.replace("\\\"", "\""));
        }
        let (mistake, place, code) = match quote {
            _ if end.is_none() => (Mistake::UnclosedString, self.span(opening), None),
            '"' => (Mistake::DoubleQuotes, span, is_clear.then_some(repair::DOUBLE_QUOTES)),
            _ => {
                let mistake = Mistake::TypographicQuotes { found: quote };
                (mistake, span, is_clear.then_some(repair::TYPOGRAPHIC_QUOTES))
            }
        };
        self.rewrite(mistake.at(place), span, &value, code);
        self.advance(opening + inside.len() + closing);
        Text { value, span }
    }

    /// Reports a mistake in the text at `span`, which is mended by quoting `value` as it should be; with a code, a
    /// lenient reader does so.
    fn rewrite(&mut self, error: ParseError, span: Span, value: &str, code: Option<Code>) {
        let written = Quoted(value).to_string();
        let shown = shortened(&written);
        let message = match code {
            Some(repair::BACKSLASH) => format!("took single backslashes for themselves: {shown}"),
            _ => format!("read {} as {shown}", shortened(span.slice(self.source))),
        };
        let error = error.help(format!("write {shown}")).edit(span, &*written);
        self.report(match code {
            Some(code) => error.assume(code, message),
            None => error,
        });
    }
}

/// A text as far as it fits into a message.
fn shortened(text: &str) -> Cow<'_, str> {
    /// Characters that are shown.
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Where the text that starts before `body` ends.
fn find_end(body: &str, usage: Usage, in_set: bool) -> End {
    let closing = next_quote(body, 0);
    if let Some(end) = closing
        && may_follow(&body[end + 1..], usage)
    {
        return End::Proper(end);
    }
    // Up to a quote that opens another text, this text lacks its own.
    let is_opener = closing.is_some_and(|end| opens_a_text(&body[..end]));
    if let Some(end) = closing
        && !is_opener
        && usage == Usage::Value
        && is_before_another(&body[end + 1..])
    {
        return End::Proper(end);
    }
    let segment = &body[..closing.unwrap_or(body.len())];
    if let Some(end) = escaped_quotes(segment).find(|end| may_follow(&body[end + 1..], usage)) {
        return End::Escaped(end);
    }
    let mut others =
        segment.char_indices().filter(|(_, other)| *other != '\'' && *other != '"' && token::is_quote(*other));
    if let Some((end, other)) = others.find(|(end, other)| may_follow(&body[end + other.len_utf8()..], usage)) {
        return End::Other { end, length: other.len_utf8() };
    }
    let Some(first) = closing else { return End::Missing(guess_end(body, usage, in_set)) };
    if is_opener {
        return End::Missing(guess_end(segment, usage, in_set));
    }
    // A quote inside of a text is mostly an apostrophe, which has a letter behind it.
    if !body[first + 1..].starts_with(|next: char| next.is_alphanumeric() || next == '\'') {
        return End::Proper(first);
    }
    let mut from = first + 1;
    while let Some(next) = next_quote(body, from) {
        if may_follow(&body[next + 1..], usage) {
            return End::Stray { first, end: next };
        }
        if opens_a_text(&body[..next]) {
            break;
        }
        from = next + 1;
    }
    // The quote in the text took the place of the one at its end.
    End::Missing(guess_end(body, usage, in_set).max(first + 1).min(body.len()))
}

/// The first quote from `from` on that is not escaped.
fn next_quote(body: &str, mut from: usize) -> Option<usize> {
    let bytes = body.as_bytes();
    while let Some(at) = memchr::memchr2(b'\'', b'\\', bytes.get(from..)?).map(|ahead| from + ahead) {
        if bytes[at] == b'\'' {
            return Some(at);
        }
        from = at + 1 + usize::from(matches!(bytes.get(at + 1), Some(b'\'' | b'\\')));
    }
    None
}

/// The quotes with a backslash before them.
fn escaped_quotes(segment: &str) -> impl Iterator<Item = usize> {
    memchr::memmem::find_iter(segment.as_bytes(), b"\\'").map(|at| at + 1)
}

/// Whether `rest` is what can stand behind a text.
pub(super) fn may_follow(rest: &str, usage: Usage) -> bool {
    let rest = lexer::blank(rest);
    let word = &rest[..lexer::word_length(rest)];
    let is_word = |words: &[&str]| words.iter().any(|other| other.eq_ignore_ascii_case(word));
    let Some(next) = rest.chars().next() else { return true };
    match usage {
        Usage::Value => {
            matches!(next, ']' | ')' | '}' | ',' | ';' | '\u{feff}' | '\u{200b}')
                || rest.starts_with("&&")
                || rest.starts_with("||")
                || is_word(&["AND", "OR", "FOLLOWEDBY", "WITHIN", "REPEATS", "START", "STOP", "SECONDS", "TIMES"])
        }
        Usage::Key => {
            matches!(next, '.' | '[' | ']' | ')' | ':' | '=' | '!' | '<' | '>')
                || is_word(&["NOT", "IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET", "EXISTS", "AND", "OR"])
        }
    }
}

/// Whether what can't stand behind a text starts something new nevertheless: a property, or a word and a property or
/// bracket, or after a blank another text. Then the text is well, and the mistake is behind it.
fn is_before_another(rest: &str) -> bool {
    let next = lexer::blank(rest);
    let is_property = |text: &str| {
        let length = lexer::word_length(text);
        length > 0 && lexer::blank(&text[length..]).starts_with(':')
    };
    let behind = lexer::blank(&next[lexer::word_length(next)..]);
    is_property(next)
        || (behind.len() < next.len() && (is_property(behind) || behind.starts_with(['[', '('])))
        || (next.len() < rest.len() && next.starts_with('\''))
        || next.starts_with(['[', '('])
}

/// Whether a quote behind `before` opens a text, because something stands there that wants one.
fn opens_a_text(before: &str) -> bool {
    let trimmed = before.trim_end();
    let has_blank = trimmed.len() < before.len();
    trimmed.ends_with(['=', '<', '>', '('])
        || before.ends_with([':', '.'])
        || trimmed.ends_with(',') && has_blank
        || ["LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET", "IN"]
            .iter()
            .any(|word| trimmed.strip_suffix(word).is_some_and(|before| before.ends_with(lexer::is_space)))
}

/// Where a text without closing quote was meant to end: before a bracket that ends an observation, before AND or OR and
/// a property, before the comma or parenthesis of a set, a key before its operator, or else with `segment`.
fn guess_end(segment: &str, usage: Usage, in_set: bool) -> usize {
    if usage == Usage::Key {
        let is_border = |next: char| lexer::is_space(next) || "=!<>[]".contains(next);
        return segment.find(is_border).unwrap_or(segment.len());
    }
    let bracket = segment.match_indices(']').map(|(at, _)| at).find(|at| {
        let rest = lexer::blank(&segment[at + 1..]);
        let word = &rest[..lexer::word_length(rest)];
        rest.is_empty()
            || rest.starts_with(')')
            || matches!(word, "AND" | "OR" | "FOLLOWEDBY" | "WITHIN" | "REPEATS" | "START")
    });
    let segment = &segment[..bracket.unwrap_or(segment.len())];
    let connective =
        [" AND ", " OR "].iter().flat_map(|word| segment.match_indices(word)).map(|(at, _)| at).filter(|at| {
            let rest = lexer::blank(&segment[at + 1..]);
            let rest = lexer::blank(&rest[lexer::word_length(rest)..]).trim_start_matches('(');
            let length = lexer::word_length(rest);
            length > 0 && rest[length..].trim_start().starts_with(':')
        });
    let text = segment[..connective.min().unwrap_or(segment.len())].trim_end();
    if in_set { text.strip_suffix([')', ',']).unwrap_or(text).trim_end().len() } else { text.len() }
}

/// The text between quotes, unescaped as well as can be, and where the first backslash stands that escapes nothing.
fn unescape(inside: &str) -> (Cow<'_, str>, Option<usize>) {
    let bytes = inside.as_bytes();
    let (mut value, mut kept, mut escapes) = (String::new(), 0, 0);
    let (mut bare, mut from) = (None, 0);
    while let Some(at) = memchr::memchr(b'\\', &bytes[from..]).map(|ahead| from + ahead) {
        if let Some(b'\'' | b'\\') = bytes.get(at + 1) {
            value.push_str(&inside[kept..at]);
            (kept, from, escapes) = (at + 1, at + 2, escapes + 1);
        } else {
            (bare, from) = (bare.or(Some(at)), at + 1);
        }
    }
    // Where all backslashes are single but for two at the start, the text is the name of a share and nothing is escaped.
    let is_share = bare.is_some() && escapes == 1 && inside.starts_with(r"\\");
    if escapes == 0 || is_share {
        // Also a quote that nothing escapes stands for itself.
        return (Cow::Borrowed(inside), bare);
    }
    value.push_str(&inside[kept..]);
    (Cow::Owned(value), bare)
}
