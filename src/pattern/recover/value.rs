//! Values: literals and sets, also what people write in their place.

use super::{
    Reader, Token, bad_literal,
    foreign_operators::is_null,
    quote::{Usage, may_follow},
    token,
};
use crate::{
    pattern::{Mistake, ParseError, Quoted, lexer, literal, repair},
    span::Span,
};

/// The values that operators tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueType {
    Text,
    Boolean,
    Other,
}

/// A set that is not written as one.
fn bad_set(span: Span, reason: &'static str) -> ParseError {
    Mistake::BadSet { reason }.at(span)
}

impl<'a> Reader<'a> {
    /// Reads the value of `operator`, which stands at `operator_span`; `false` where there is none.
    pub fn value_for(&mut self, operator: &'static str, operator_span: Span) -> bool {
        let start = self.at;
        if let Token::Symbol('(' | '[') = self.peek() {
            self.misplaced_set(operator, operator_span);
            return false;
        }
        let Some(found) = self.value() else { return false };
        let span = self.since(start);
        let error = |operator, expected| Mistake::WrongValue { operator, expected }.at(span);
        let in_quotes = match operator {
            "LIKE" => "text in single quotes",
            "MATCHES" => "a regular expression in single quotes",
            "ISSUBSET" | "ISSUPERSET" => "an address or prefix in single quotes",
            _ => "",
        };
        if !in_quotes.is_empty() && found != ValueType::Text {
            self.report(error(operator, in_quotes).replace_quoted(Quoted(span.slice(self.source)).to_string()));
        }
        let sign = match operator {
            "<" => "`<`",
            "<=" => "`<=`",
            ">" => "`>`",
            ">=" => "`>=`",
            _ => return true,
        };
        if found == ValueType::Boolean {
            let error = error(sign, "a value that has an order");
            self.report(error.help("compare it with `=` or `!=`").edit(operator_span, "="));
        }
        true
    }

    /// Reads a set behind an operator that takes one value.
    fn misplaced_set(&mut self, operator: &str, operator_span: Span) {
        let start = self.at;
        self.quietly(Self::set);
        let mut error = bad_set(self.since(start), "a set of values stands only behind IN");
        if let "=" | "!=" = operator {
            let word = if operator == "=" { "IN" } else { "NOT IN" };
            let written = operator_span.slice(self.source);
            error = error.help(format!("write `{word}` in place of `{written}`")).edit(operator_span, word);
        }
        self.report(error);
    }

    /// Reads a single value.
    fn value(&mut self) -> Option<ValueType> {
        match self.peek() {
            Token::Quote(_) => self.text(Usage::Value).map(|_| ValueType::Text),
            Token::Word("t" | "h" | "b" | "T" | "H" | "B") if self.rest()[1..].starts_with('\'') => {
                self.prefixed().map(|_| ValueType::Other)
            }
            Token::Word(word @ ("true" | "false")) => {
                self.advance(word.len());
                Some(ValueType::Boolean)
            }
            Token::End | Token::Symbol(')' | ']' | ',' | '}') | Token::Word("AND" | "OR") => {
                let error = Mistake::MissingValue { found: self.found() }.at(self.here());
                self.report(error.help("write text in single quotes, a number, true, false, t'…', h'…' or b'…'"));
                None
            }
            Token::Number => self.number(),
            Token::Symbol('\\') if self.rest()[1..].starts_with(['\'', '"']) => self.escaped_quotes(),
            Token::Word(_) | Token::Operator(_) | Token::Symbol(_) => self.unquoted(),
        }
    }

    /// Reads the next `length` bytes, which should be `text` in quotes.
    fn unquoted_value(&mut self, mistake: Mistake, length: usize, written: String) -> Option<ValueType> {
        self.report(mistake.at(self.span(length)).replace_quoted(written));
        self.advance(length);
        Some(ValueType::Text)
    }

    /// Reads `\"x\"` or `\'x\'`, as it stands in code.
    fn escaped_quotes(&mut self) -> Option<ValueType> {
        let (mark, body) = self.rest().split_at(2);
        let Some(end) = body.find(mark) else { return self.unquoted() };
        self.unquoted_value(Mistake::EscapedQuotes, end + 4, Quoted(&body[..end]).to_string())
    }

    /// Reads a number, or what looks like one at its start.
    fn number(&mut self) -> Option<ValueType> {
        if let Some(grouped) = self.grouped_digits() {
            let error = Mistake::BadNumber { reason: "digits are not grouped" }.at(self.span(grouped.len()));
            self.report(error.replace(grouped.replace(',', "")));
            self.advance(grouped.len());
            return None;
        }
        let Ok((rest, _)) = literal::number_text(self.rest()) else { return self.unquoted() };
        let word = &rest[..lexer::word_length(rest)];
        let is_over = rest.is_empty()
            || rest.starts_with(|next: char| is_space(next) || "])},;\"/&|".contains(next))
            || matches!(word, "AND" | "OR");
        if !is_over {
            return self.unquoted();
        }
        self.advance(self.rest().len() - rest.len());
        Some(ValueType::Other)
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

    /// Reads text without quotes, or something else that has no place among values.
    fn unquoted(&mut self) -> Option<ValueType> {
        let text = self.unquoted_text();
        if text.is_empty() {
            self.report(Mistake::MissingValue { found: self.found() }.at(self.here()));
            self.skip();
            return None;
        }
        // With a quote behind it and none before it.
        let behind = self.rest()[text.len()..].trim_start();
        if behind.strip_prefix('\'').is_some_and(|after| may_follow(after, Usage::Value)) {
            let length = self.rest().len() - behind.len() + 1;
            return self.unquoted_value(Mistake::UnquotedText, length, quoted(text));
        }
        let error = explain_unquoted(text, self.span(text.len()));
        // A truth value in the wrong case is as good as one.
        let is_boolean = matches!(error.mistake, Mistake::KeywordCase { .. });
        self.report(error);
        self.advance(text.len());
        Some(if is_boolean { ValueType::Boolean } else { ValueType::Text })
    }

    /// The text up to where a value without quotes seems to end.
    fn unquoted_text(&self) -> &'a str {
        let rest = self.rest();
        let is_border = |next: char| "[](){},;".contains(next) || token::is_quote(next);
        let border = rest.find(is_border).unwrap_or(rest.len());
        let first = rest[..border].find(is_space).unwrap_or(border);
        let connective = [" AND ", " OR "].iter().filter_map(|word| rest[..border].find(word)).min().unwrap_or(border);
        let all = rest[..connective].trim_end();
        // Several words are one text unless there is another comparison in them.
        if all.len() > first && all[first..].contains(['=', ':', '<', '>']) { &rest[..first] } else { all }
    }

    /// Reads `t'…'`, `h'…'` or `b'…'`; returns what is between the quotes, if it is well.
    pub fn prefixed(&mut self) -> Option<&'a str> {
        let (head, body) = self.rest().split_at(2);
        let lower = head[..1].to_ascii_lowercase();
        let (keyword, is_valid): (_, fn(&[u8]) -> bool) = match lower.as_str() {
            "t" => ("t'…'", literal::is_timestamp),
            "h" => ("h'…'", literal::is_hex),
            _ => ("b'…'", literal::is_base64),
        };
        let (prefix, inner) = (self.span(1), self.at + 2);
        let quote = Span::new(inner - 1, inner);
        if let Some(end) = unclosed(body, &lower, is_valid) {
            let help = format!("write {}'", &self.rest()[..end + 2]);
            self.report(Mistake::UnclosedString.at(quote).help(help).insert(inner + end, "'"));
            self.advance(end + 2);
            return None;
        }
        let Some(end) = memchr::memchr(b'\'', body.as_bytes()) else {
            self.report(Mistake::UnclosedString.at(quote).help("close it with `'`"));
            self.stop();
            return None;
        };
        let inside = &body[..end];
        if !head.starts_with(&lower) {
            let written = format!("{lower}'{inside}'");
            let message = format!("read {head}{inside}' as {written}");
            let error = Mistake::KeywordCase { found: format!("{head}…'"), keyword }.at(prefix);
            let error = error.help(format!("write {written}")).edit(prefix, &*lower);
            self.report(error.assume(repair::KEYWORD_CASE, message));
        }
        let is_valid = is_valid(inside.as_bytes());
        if !is_valid {
            let ((mistake, mended), example) = match lower.as_str() {
                "t" => (bad_literal::timestamp(inside), "write it as t'2024-01-31T12:00:00Z'"),
                "h" => (bad_literal::hex(inside), "write two digits for each byte, as in h'0a1b'"),
                _ => (bad_literal::base64(inside), ""),
            };
            let span = Span::new(inner, inner + end);
            let error = mistake.at(span);
            self.report(match mended {
                Some(mended) => error.help(format!("write {lower}'{mended}'")).edit(span, mended),
                None if example.is_empty() => error,
                None => error.help(example),
            });
        }
        self.advance(end + 3);
        is_valid.then_some(inside)
    }

    /// Reads the set of IN; `false` where not all of its values can be made out.
    pub fn set(&mut self) -> bool {
        let (open, close) = match self.peek() {
            Token::Symbol('(') => ('(', ')'),
            Token::Symbol('[') => ('[', ']'),
            Token::Symbol('{') => ('{', '}'),
            _ => return self.set_without_parentheses().is_some(),
        };
        let opening = self.span(1);
        self.advance(1);
        let is_whole = self.elements(close);
        if open == '(' {
            self.close('(', ')');
            return is_whole;
        }
        let error = bad_set(opening, "the values of IN are not in parentheses");
        let error = error.help("write `(` and `)`").edit(opening, "(");
        if self.peek() == Token::Symbol(close) {
            let error = error.edit(self.span(1), ")");
            self.advance(1);
            self.report(error);
        } else {
            self.report(error);
            self.close('(', ')');
        }
        is_whole
    }

    /// Reads the values of a set up to `close`.
    fn elements(&mut self, close: char) -> bool {
        let (mut is_whole, mut is_first, mut inner) = (true, true, 0_usize);
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
                self.report(bad_set(self.span(1), "a set holds values, not sets"));
                (is_whole, is_first) = (false, true);
                inner += 1;
                self.advance(1);
            } else {
                is_whole &= self.value().is_some();
            }
        }
        self.in_set = in_set;
        is_whole
    }

    /// Reads the comma between two values; `false` where the set ends behind it.
    fn comma(&mut self, close: char) -> bool {
        let span = self.here();
        match self.peek() {
            Token::Symbol(',') => {
                self.advance(1);
                if self.peek() == Token::Symbol(close) {
                    let error = bad_set(span, "a value is missing behind the comma");
                    self.report(error.help("remove the comma").edit(span, ""));
                    return false;
                }
            }
            Token::Symbol(';' | '|') | Token::Operator("|" | "||") | Token::Word("OR" | "or" | "AND" | "and") => {
                self.report(bad_set(span, "commas stand between the values of a set").replace(","));
                self.skip();
            }
            _ => {
                let error = bad_set(self.gap(), "a comma is missing between two values of a set");
                self.report(error.help("write `,` here").insert(self.end, ","));
            }
        }
        true
    }

    /// Reads values behind IN that stand in no parentheses.
    fn set_without_parentheses(&mut self) -> Option<()> {
        let (start, place) = (self.at, self.mistakes.len());
        self.value()?;
        while self.peek() == Token::Symbol(',') && !matches!(self.peek_behind(1), Token::Word(_)) {
            self.advance(1);
            self.value()?;
        }
        let end = self.end;
        let error = bad_set(self.since(start), "the values of IN are not in parentheses");
        let error = error.insert(start, "(");
        let error = if self.inner == 0 && self.in_brackets && self.take(')') {
            error.help("write `(` before them")
        } else {
            error.help("write `(` before them and `)` behind them").insert(end, ")")
        };
        self.report_before(place, error);
        Some(())
    }
}

/// Where a literal with this prefix was meant to end, if it is right so far and no quote closes it there.
fn unclosed(body: &str, prefix: &str, is_valid: fn(&[u8]) -> bool) -> Option<usize> {
    let is_part = |next: char| next.is_ascii_alphanumeric() || "-:.+/=".contains(next);
    let end = body.find(|next| !is_part(next)).unwrap_or(body.len());
    let is_right = is_valid(&body.as_bytes()[..end]) && (end > 0 || prefix != "h");
    (is_right && !body[end..].starts_with('\'')).then_some(end)
}

/// What text without quotes is.
fn explain_unquoted(text: &str, span: Span) -> ParseError {
    let lower = text.to_ascii_lowercase();
    if let Some(keyword) = ["true", "false"].into_iter().find(|keyword| *keyword == lower) {
        let error = Mistake::KeywordCase { found: text.to_owned(), keyword }.at(span);
        return error.replace(keyword).assume(repair::KEYWORD_CASE, format!("read `{text}` as `{keyword}`"));
    }
    if is_null(text) {
        let error = Mistake::Null { found: text.to_owned() }.at(span);
        return error.help("write `NOT EXISTS` and the property to ask whether it is missing");
    }
    if let Some((reason, number)) = bad_literal::number(text) {
        let error = Mistake::BadNumber { reason }.at(span);
        return match number {
            Some(number) => error.replace(number),
            None => error,
        };
    }
    let expression = text.strip_prefix('/').and_then(|text| text.strip_suffix('/')).filter(|text| !text.is_empty());
    Mistake::UnquotedText.at(span).replace_quoted(quoted(expression.unwrap_or(text)))
}

/// Text as it has to be quoted: as a timestamp if it is one, also where its prefix is there already.
pub(super) fn quoted(text: &str) -> String {
    let time = text.strip_prefix('t').unwrap_or(text);
    if literal::is_timestamp(time.as_bytes()) { format!("t'{time}'") } else { Quoted(text).to_string() }
}

/// Whether it is a blank, or a character that only looks like one.
fn is_space(character: char) -> bool {
    lexer::is_space(character) || token::invisible(character).is_some()
}
