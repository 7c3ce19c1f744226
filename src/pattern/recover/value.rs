//! Values: literals and sets, also what people write in their place.

use std::borrow::Cow;

use super::{
    Reader, Token,
    foreign_operators::is_null,
    quote::{Usage, may_follow},
};
use crate::{
    pattern::{ComparisonOperator, Literal, LiteralValue, Mistake, ParseError, Quoted, lexer, literal, repair},
    span::Span,
};

impl<'a> Reader<'a> {
    /// The value of `operator`, which stands at `operator_span`.
    pub fn value_for(&mut self, operator: ComparisonOperator, operator_span: Span) -> Option<Literal<'a>> {
        let start = self.at;
        if let Token::Symbol('(' | '[') = self.peek() {
            return self.misplaced_set(operator, operator_span);
        }
        let literal = self.value()?;
        let is_string = matches!(literal.value, LiteralValue::String(_));
        let (name, expected) = match operator {
            ComparisonOperator::Less => ("`<`", "a value that has an order"),
            ComparisonOperator::LessOrEqual => ("`<=`", "a value that has an order"),
            ComparisonOperator::Greater => ("`>`", "a value that has an order"),
            ComparisonOperator::GreaterOrEqual => ("`>=`", "a value that has an order"),
            ComparisonOperator::Like if !is_string => ("LIKE", "text in single quotes"),
            ComparisonOperator::Matches if !is_string => ("MATCHES", "a regular expression in single quotes"),
            ComparisonOperator::IsSubset if !is_string => ("ISSUBSET", "an address or prefix in single quotes"),
            ComparisonOperator::IsSuperset if !is_string => ("ISSUPERSET", "an address or prefix in single quotes"),
            _ => return Some(literal),
        };
        let span = Span::new(start, self.end);
        let error = ParseError::new(Mistake::WrongValue { operator: name, expected }, span);
        if expected.starts_with("a value that") {
            if let LiteralValue::Boolean(_) = literal.value {
                self.report(error.help("compare it with `=` or `!=`").edit(operator_span, "="));
            }
        } else {
            let quoted = Quoted(span.slice(self.source)).to_string();
            self.report(error.help(format!("write {quoted}")).edit(span, quoted));
        }
        Some(literal)
    }

    /// A set behind an operator that takes one value.
    fn misplaced_set(&mut self, operator: ComparisonOperator, operator_span: Span) -> Option<Literal<'a>> {
        let start = self.at;
        self.quietly(Self::set);
        let reason = "a set of values stands only behind IN";
        let mut error = ParseError::new(Mistake::BadSet { reason }, Span::new(start, self.end));
        let word = match operator {
            ComparisonOperator::Equal => Some("IN"),
            ComparisonOperator::NotEqual => Some("NOT IN"),
            _ => None,
        };
        if let Some(word) = word {
            error = error.help(format!("write `{word}` in place of `{}`", operator_span.slice(self.source)));
            error = error.edit(operator_span, word);
        }
        self.report(error);
        None
    }

    /// A single value.
    fn value(&mut self) -> Option<Literal<'a>> {
        match self.peek() {
            Token::Quote(_) => {
                let text = self.text(Usage::Value)?;
                Some(Literal { value: LiteralValue::String(text.value), span: text.span })
            }
            Token::Word(word @ ("t" | "h" | "b" | "T" | "H" | "B")) if self.rest()[word.len()..].starts_with('\'') => {
                self.prefixed()
            }
            Token::Word(word @ ("true" | "false")) => {
                let span = self.span(word.len());
                self.advance(word.len());
                Some(Literal { value: LiteralValue::Boolean(word == "true"), span })
            }
            Token::End | Token::Symbol(')' | ']' | ',' | '}') | Token::Word("AND" | "OR") => {
                let error = ParseError::new(Mistake::MissingValue { found: self.found() }, self.here());
                self.report(error.help("write text in single quotes, a number, true, false, t'…', h'…' or b'…'"));
                None
            }
            Token::Number => self.number(),
            Token::Symbol('\\') if self.rest()[1..].starts_with(['\'', '"']) => self.escaped_quotes(),
            Token::Word(_) | Token::Operator(_) | Token::Symbol(_) => self.unquoted(),
        }
    }

    /// `\"x\"` or `\'x\'`, as it stands in code.
    fn escaped_quotes(&mut self) -> Option<Literal<'a>> {
        let (mark, body) = self.rest().split_at(2);
        let Some(end) = body.find(mark) else { return self.unquoted() };
        let (text, length) = (&body[..end], end + 4);
        let span = self.span(length);
        let written = Quoted(text).to_string();
        let error = ParseError::new(Mistake::EscapedQuotes, span).help(format!("write {written}"));
        self.report(error.edit(span, written));
        self.advance(length);
        Some(Literal { value: LiteralValue::String(Cow::Borrowed(text)), span })
    }

    /// A number, or what looks like one at its start.
    fn number(&mut self) -> Option<Literal<'a>> {
        if let Some(grouped) = self.grouped_digits() {
            let span = self.span(grouped.len());
            let digits = grouped.replace(',', "");
            let mistake = Mistake::BadNumber { reason: "digits are not grouped" };
            self.report(ParseError::new(mistake, span).help(format!("write `{digits}`")).edit(span, digits));
            self.advance(grouped.len());
            return None;
        }
        if let Ok((rest, number)) = literal::number_text(self.rest()) {
            let word = &rest[..lexer::word_length(rest)];
            let is_over = rest.is_empty()
                || rest.starts_with(|next: char| is_space(next) || "])},;\"/&|".contains(next))
                || matches!(word, "AND" | "OR");
            if is_over {
                let length = self.rest().len() - rest.len();
                let span = self.span(length);
                self.advance(length);
                let value = match number {
                    literal::Number::Integer(text) => {
                        text.parse().map_or(LiteralValue::BigInteger(text), LiteralValue::Integer)
                    }
                    literal::Number::Float(text) => {
                        LiteralValue::Float { value: text.parse().unwrap_or(f64::NAN), text }
                    }
                };
                return Some(Literal { value, span });
            }
        }
        self.unquoted()
    }

    /// A number with commas between groups of three digits, which in a set is several numbers.
    fn grouped_digits(&self) -> Option<&'a str> {
        let length = self.rest().find(|next: char| !next.is_ascii_digit() && next != ',')?;
        let text = &self.rest()[..length];
        let mut groups = text.split(',');
        let is_first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()));
        let is_grouped = text.contains(',') && is_first && groups.all(|group| group.len() == 3);
        (is_grouped && !self.in_set).then_some(text)
    }

    /// Text without quotes, or something else that has no place among values.
    fn unquoted(&mut self) -> Option<Literal<'a>> {
        let text = self.unquoted_text();
        if text.is_empty() {
            self.report(ParseError::new(Mistake::MissingValue { found: self.found() }, self.here()));
            self.skip();
            return None;
        }
        if let Some(literal) = self.half_quoted(text) {
            return Some(literal);
        }
        let span = self.span(text.len());
        let error = self.explain_unquoted(text, span);
        // A truth value in the wrong case is as good as one.
        let value = match &error.mistake {
            Mistake::KeywordCase { keyword, .. } => LiteralValue::Boolean(*keyword == "true"),
            _ => LiteralValue::String(Cow::Borrowed(text)),
        };
        self.report(error);
        self.advance(text.len());
        Some(Literal { value, span })
    }

    /// Text with a quote behind it and none before it.
    fn half_quoted(&mut self, text: &'a str) -> Option<Literal<'a>> {
        let behind = &self.rest()[text.len()..];
        let blanks = behind.len() - behind.trim_start().len();
        let after = behind.trim_start().strip_prefix('\'')?;
        if !may_follow(after, Usage::Value) {
            return None;
        }
        let span = self.span(text.len() + blanks + 1);
        let written = quoted(text);
        let error = ParseError::new(Mistake::UnquotedText, span).help(format!("write {written}"));
        self.report(error.edit(span, written));
        self.advance(text.len() + blanks + 1);
        Some(Literal { value: LiteralValue::String(Cow::Borrowed(text)), span })
    }

    /// What text without quotes is.
    fn explain_unquoted(&self, text: &str, span: Span) -> ParseError {
        let lower = text.to_ascii_lowercase();
        if let Some(keyword) = ["true", "false"].into_iter().find(|keyword| *keyword == lower) {
            let mistake = Mistake::KeywordCase { found: text.to_owned(), keyword };
            let error = ParseError::new(mistake, span).help(format!("write `{keyword}`")).edit(span, keyword);
            return error.assume(repair::KEYWORD_CASE, format!("read `{text}` as `{keyword}`"));
        }
        if is_null(text) {
            let mistake = Mistake::Null { found: text.to_owned() };
            return ParseError::new(mistake, span)
                .help("write `NOT EXISTS` and the property to ask whether it is missing");
        }
        if let Some((reason, number)) = number_mistake(text) {
            let error = ParseError::new(Mistake::BadNumber { reason }, span);
            return match number {
                Some(number) => error.help(format!("write `{number}`")).edit(span, number),
                None => error,
            };
        }
        let inside = match text.strip_prefix('/').and_then(|text| text.strip_suffix('/')) {
            Some(expression) if !expression.is_empty() => expression,
            _ => text,
        };
        let written = quoted(inside);
        ParseError::new(Mistake::UnquotedText, span).help(format!("write {written}")).edit(span, written)
    }

    /// The text up to where a value without quotes seems to end.
    fn unquoted_text(&self) -> &'a str {
        let rest = self.rest();
        let is_border = |next: char| "[](){},;".contains(next) || super::token::is_quote(next);
        let border = rest.find(is_border).unwrap_or(rest.len());
        let first = rest[..border].find(is_space).unwrap_or(border);
        let connective = [" AND ", " OR "].iter().filter_map(|word| rest[..border].find(word)).min().unwrap_or(border);
        let all = rest[..connective].trim_end();
        // Several words are one text unless there is another comparison in them.
        if all.len() > first && all[first..].contains(['=', ':', '<', '>']) { &rest[..first] } else { all }
    }

    /// `t'…'`, `h'…'` or `b'…'`.
    pub fn prefixed(&mut self) -> Option<Literal<'a>> {
        let body = &self.rest()[2..];
        if let Some(end) = self.unclosed_prefixed(body) {
            let (quote, behind) =
                (Span::new(self.at + 1, self.at + 2), Span::new(self.at + 2 + end, self.at + 2 + end));
            let error = ParseError::new(Mistake::UnclosedString, quote);
            self.report(error.help(format!("write {}'", &self.rest()[..end + 2])).edit(behind, "'"));
            self.advance(end + 2);
            return None;
        }
        let Some(end) = memchr::memchr(b'\'', body.as_bytes()) else {
            let quote = Span::new(self.at + 1, self.at + 2);
            self.report(ParseError::new(Mistake::UnclosedString, quote).help("close it with `'`"));
            self.stop();
            return None;
        };
        let (prefix, inside) = (&self.rest()[..1], &body[..end]);
        let lower = prefix.to_ascii_lowercase();
        let (is_valid, value): (fn(&[u8]) -> bool, _) = match lower.as_str() {
            "t" => (literal::is_timestamp, LiteralValue::Timestamp(inside)),
            "h" => (literal::is_hex, LiteralValue::Hex(inside)),
            _ => (literal::is_base64, LiteralValue::Binary(inside)),
        };
        let (span, inner) = (self.span(end + 3), Span::new(self.at + 2, self.at + 2 + end));
        if prefix != lower {
            let keyword = match lower.as_str() {
                "t" => "t'…'",
                "h" => "h'…'",
                _ => "b'…'",
            };
            let mistake = Mistake::KeywordCase { found: format!("{prefix}'…'"), keyword };
            let error = ParseError::new(mistake, self.span(1)).help(format!("write {lower}'{inside}'"));
            let message = format!("read {prefix}'{inside}' as {lower}'{inside}'");
            self.report(error.edit(self.span(1), lower).assume(repair::KEYWORD_CASE, message));
        }
        let is_valid = is_valid(inside.as_bytes());
        if !is_valid {
            let error = match &value {
                LiteralValue::Timestamp(_) => timestamp_mistake(inside, inner),
                LiteralValue::Hex(_) => hex_mistake(inside, inner),
                _ => base64_mistake(inside, inner),
            };
            self.report(error);
        }
        self.advance(end + 3);
        is_valid.then_some(Literal { value, span })
    }

    /// Where a literal with a prefix was meant to end, if it is right so far and no quote closes it there.
    fn unclosed_prefixed(&self, body: &str) -> Option<usize> {
        let is_part = |next: char| next.is_ascii_alphanumeric() || "-:.+/=".contains(next);
        let end = body.find(|next| !is_part(next)).unwrap_or(body.len());
        let text = &body.as_bytes()[..end];
        let is_right = match self.rest().as_bytes().first() {
            Some(b't' | b'T') => literal::is_timestamp(text),
            Some(b'h' | b'H') => !text.is_empty() && literal::is_hex(text),
            _ => literal::is_base64(text),
        };
        (is_right && !body[end..].starts_with('\'')).then_some(end)
    }

    /// The set of IN.
    pub fn set(&mut self) -> Option<Vec<Literal<'a>>> {
        let (open, close) = match self.peek() {
            Token::Symbol('(') => ('(', ')'),
            Token::Symbol('[') => ('[', ']'),
            Token::Symbol('{') => ('{', '}'),
            _ => return self.set_without_parentheses(),
        };
        let opening = self.span(1);
        self.advance(1);
        let mut literals = Some(Vec::new());
        let (mut is_first, mut inner) = (true, 0_usize);
        let in_set = std::mem::replace(&mut self.in_set, true);
        loop {
            match self.peek() {
                Token::Symbol(found) if found == close && inner == 0 => break,
                Token::Symbol(')') if inner > 0 => {
                    inner -= 1;
                    self.advance(1);
                    continue;
                }
                Token::End | Token::Symbol(']' | ')') => break,
                _ if !is_first && !self.comma(close) => break,
                _ => is_first = false,
            }
            if self.peek() == Token::Symbol('(') {
                let reason = "a set holds values, not sets";
                self.report(ParseError::new(Mistake::BadSet { reason }, self.span(1)));
                (literals, is_first) = (None, true);
                inner += 1;
                self.advance(1);
                continue;
            }
            let literal = self.value();
            literals = literals.zip(literal).map(|(mut literals, literal)| {
                literals.push(literal);
                literals
            });
        }
        self.in_set = in_set;
        if open == '(' {
            self.close('(', ')');
        } else {
            let reason = "the values of IN are not in parentheses";
            let mut error =
                ParseError::new(Mistake::BadSet { reason }, opening).help("write `(` and `)`").edit(opening, "(");
            let is_closed = self.peek() == Token::Symbol(close);
            if is_closed {
                error = error.edit(self.span(1), ")");
                self.advance(1);
            }
            self.report(error);
            if !is_closed {
                self.close('(', ')');
            }
        }
        literals
    }

    /// The comma between two values; `false` where the set ends behind it.
    fn comma(&mut self, close: char) -> bool {
        let span = self.here();
        match self.peek() {
            Token::Symbol(',') => {
                self.advance(1);
                if self.peek() == Token::Symbol(close) {
                    let reason = "a value is missing behind the comma";
                    self.report(
                        ParseError::new(Mistake::BadSet { reason }, span).help("remove the comma").edit(span, ""),
                    );
                    return false;
                }
            }
            Token::Symbol(';' | '|') | Token::Operator("|" | "||") | Token::Word("OR" | "or" | "AND" | "and") => {
                let reason = "commas stand between the values of a set";
                self.report(ParseError::new(Mistake::BadSet { reason }, span).help("write `,`").edit(span, ","));
                self.skip();
            }
            _ => {
                let (gap, reason) = (self.gap(), "a comma is missing between two values of a set");
                self.report(ParseError::new(Mistake::BadSet { reason }, gap).help("write `,` here").edit(gap, ","));
            }
        }
        true
    }

    /// Values behind IN that stand in no parentheses.
    fn set_without_parentheses(&mut self) -> Option<Vec<Literal<'a>>> {
        let start = self.at;
        let place = self.mistakes.len();
        let mut literals = vec![self.value()?];
        while self.peek() == Token::Symbol(',') && !matches!(self.peek_behind(1), Token::Word(_)) {
            self.advance(1);
            literals.push(self.value()?);
        }
        let span = Span::new(start, self.end);
        let reason = "the values of IN are not in parentheses";
        let behind = self.gap();
        let error = ParseError::new(Mistake::BadSet { reason }, span).edit(Span::new(start, start), "(");
        let error = if self.inner == 0 && self.in_brackets && self.take(')') {
            error.help("write `(` before them")
        } else {
            error.help("write `(` before them and `)` behind them").edit(behind, ")")
        };
        self.report_before(place, error);
        Some(literals)
    }
}

/// Text as it has to be quoted: as a timestamp if it is one, also where its prefix is there already.
pub(super) fn quoted(text: &str) -> String {
    let time = text.strip_prefix('t').unwrap_or(text);
    if literal::is_timestamp(time.as_bytes()) { format!("t'{time}'") } else { Quoted(text).to_string() }
}

/// Whether it is a blank, or a character that only looks like one.
fn is_space(character: char) -> bool {
    lexer::is_space(character) || super::token::invisible(character).is_some()
}

/// What is wrong with a number, and how it is written, where that is clear.
fn number_mistake(text: &str) -> Option<(&'static str, Option<String>)> {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (&text[..1], digits),
        None => ("", text),
    };
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits(digits) {
        let trimmed = digits.trim_start_matches('0');
        return Some(("a leading zero", Some(format!("{sign}{}", if trimmed.is_empty() { "0" } else { trimmed }))));
    }
    if let Some(whole) = digits.strip_suffix('.')
        && all_digits(whole)
    {
        return Some(("a digit has to stand behind the point", Some(format!("{sign}{whole}.0"))));
    }
    let hex = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    if let Some(hex) = hex.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        let number = i64::from_str_radix(hex, 16).ok().map(|number| format!("{sign}{number}"));
        return Some(("integers are decimal", number));
    }
    let (mantissa, exponent) = digits.split_once(['e', 'E'])?;
    let is_float = all_digits(exponent.trim_start_matches(['+', '-']))
        && mantissa.replacen('.', "", 1).bytes().all(|byte| byte.is_ascii_digit());
    if !is_float || mantissa.is_empty() {
        return None;
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && number.abs() < 1e18);
    Some(("exponents are not part of the language", number.map(|number| number.to_string())))
}

/// What is wrong with a timestamp.
fn timestamp_mistake(text: &str, span: Span) -> ParseError {
    const EXAMPLE: &str = "write it as t'2024-01-31T12:00:00Z'";
    let mended = mend_timestamp(text);
    let bytes = text.as_bytes();
    let has_date = bytes.len() >= 10 && bytes[4] == b'-' && bytes[7] == b'-';
    let reason = if bytes.len() == 10 && has_date {
        "the time of day is missing"
    } else if !has_date {
        "it starts with a date such as 2024-01-31"
    } else if bytes.get(10) != Some(&b'T') {
        "a capital T stands between date and time"
    } else if text.ends_with('z') {
        "the Z at its end is a capital letter"
    } else if !text.ends_with('Z') {
        "it ends with Z, for times are in UTC"
    } else if bytes.len() < 20 {
        "hours, minutes and seconds are all needed"
    } else {
        "one of its parts is out of range"
    };
    let error = ParseError::new(Mistake::BadTimestamp { reason }, span);
    match mended {
        Some(mended) => error.help(format!("write t'{mended}'")).edit(span, mended),
        None => error.help(EXAMPLE),
    }
}

/// A timestamp that was nearly written right, written right.
fn mend_timestamp(text: &str) -> Option<String> {
    let mut mended = text.trim().replace('/', "-").replace([' ', 't'], "T").replace('z', "Z");
    if mended.len() == 10 {
        mended.push_str("T00:00:00");
    }
    for utc in ["+00:00", "+0000"] {
        if let Some(local) = mended.strip_suffix(utc) {
            mended = local.to_owned();
        }
    }
    if !mended.ends_with('Z') {
        mended.push('Z');
    }
    literal::is_timestamp(mended.as_bytes()).then_some(mended)
}

/// What is wrong with hexadecimal bytes.
fn hex_mistake(text: &str, span: Span) -> ParseError {
    let compact: String = text.chars().filter(|character| !" :-".contains(*character)).collect();
    let compact = compact.strip_prefix("0x").unwrap_or(&compact);
    let reason = match text.find(|character: char| !character.is_ascii_hexdigit()) {
        Some(_) => "only the digits 0-9 and a-f may stand in it",
        None => "each byte has two digits",
    };
    let error = ParseError::new(Mistake::BadHex { reason }, span);
    if literal::is_hex(compact.as_bytes()) {
        error.help(format!("write h'{compact}'")).edit(span, compact)
    } else {
        error.help("write two digits for each byte, as in h'0a1b'")
    }
}

/// What is wrong with base64.
fn base64_mistake(text: &str, span: Span) -> ParseError {
    let body = text.trim_end_matches('=');
    let mut mended = body.replace('-', "+").replace('_', "/");
    while !mended.len().is_multiple_of(4) && mended.len() % 4 != 1 {
        mended.push('=');
    }
    let reason = if text.is_empty() {
        "it is empty"
    } else if body.contains(['-', '_']) {
        "the alphabet for URLs is not allowed, only + and /"
    } else if body.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')) {
        "it has to be filled with `=` to a multiple of four characters"
    } else {
        "only letters, digits, + and / may stand in it"
    };
    let error = ParseError::new(Mistake::BadBase64 { reason }, span);
    if literal::is_base64(mended.as_bytes()) {
        error.help(format!("write b'{mended}'")).edit(span, mended)
    } else {
        error
    }
}
