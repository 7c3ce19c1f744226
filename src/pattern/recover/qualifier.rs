//! WITHIN, REPEATS and START-STOP.

use super::{Reader, Token, observation::QUALIFIERS, quote::Usage, value::quoted};
use crate::{
    pattern::{Mistake, Quoted, literal, repair},
    span::Span,
};

/// Units of time that are not seconds, and how many seconds each has.
const UNITS: [(f64, &[&str]); 4] = [
    (0.001, &["MILLISECONDS", "MILLISECOND", "MSEC", "MS"]),
    (60.0, &["MINUTES", "MINUTE", "MINS", "MIN", "M"]),
    (3_600.0, &["HOURS", "HOUR", "HRS", "H"]),
    (86_400.0, &["DAYS", "DAY", "D"]),
];

/// Words that are only short for SECONDS.
const SHORT_SECONDS: [&str; 4] = ["SECOND", "SECS", "SEC", "S"];
/// Words that are only short for TIMES.
const SHORT_TIMES: [&str; 2] = ["TIME", "X"];

const A_TIMESTAMP: &str = "write a timestamp such as t'2024-01-31T12:00:00Z'";

impl Reader<'_> {
    /// Reads a qualifier, which starts with one of its words or something like it.
    pub fn qualifier(&mut self) {
        let start = self.at;
        match self.take_keyword(&QUALIFIERS) {
            Some("WITHIN") => self.within(),
            Some("REPEATS") => self.repeats(),
            Some("START") => self.start_stop(),
            _ => {
                let reason = "START and its time stand before STOP";
                self.report(Mistake::BadQualifier { reason, found: "STOP alone".to_owned() }.at(self.since(start)));
                self.instant("STOP");
            }
        }
    }

    /// Reads the number and the unit of WITHIN.
    fn within(&mut self) {
        let start = self.at;
        let number = self.count("WITHIN takes a number of seconds");
        if let (Some(number), Token::Word(word)) = (number, self.peek())
            && let Some((factor, _)) = UNITS.iter().find(|(_, units)| is_one_of(word, units))
        {
            let seconds = format!("{} SECONDS", number * factor);
            let error = Mistake::TimeUnit { unit: word.to_owned() }.at(self.span(word.len()));
            self.advance(word.len());
            self.report(error.help(format!("write `{seconds}`")).edit(self.since(start), seconds));
            return;
        }
        self.last_word("SECONDS", &SHORT_SECONDS, "SECONDS is missing behind the number");
    }

    /// Reads the number of REPEATS and TIMES.
    fn repeats(&mut self) {
        let span = self.here();
        if self.count("REPEATS takes a number").is_some() {
            let text = span.slice(self.source).trim_start_matches('+');
            if text.contains('.') && text.parse::<u64>().is_err() {
                let mistake = Mistake::BadNumber { reason: "REPEATS takes a whole number" };
                self.report(mistake.at(span).help("write it without a point"));
            } else if text.parse::<u64>().is_err() {
                self.report(Mistake::NumberRange { limit: "REPEATS counts in 64 bits" }.at(span));
            }
        }
        self.last_word("TIMES", &SHORT_TIMES, "TIMES is missing behind the number");
    }

    /// Reads the last word of WITHIN or REPEATS, also where it is `short`.
    fn last_word(&mut self, keyword: &'static str, short: &[&str], missing: &'static str) {
        match self.peek() {
            Token::Word(word) if is_one_of(word, short) => {
                self.misspelt(self.span(word.len()), keyword);
                self.advance(word.len());
            }
            _ if self.take_keyword(&[keyword]).is_some() => {}
            _ => self.missing_word(keyword, missing),
        }
    }

    /// Reports that a word of a qualifier is missing.
    fn missing_word(&mut self, word: &'static str, reason: &'static str) {
        let error = Mistake::BadQualifier { reason, found: self.found() }.at(self.gap());
        self.report(error.help(format!("write `{word}`")).insert(self.end, format!(" {word}")));
    }

    /// Reads a number that is not negative. Text in its place is reported, and skipped where it is not the next word
    /// already.
    fn count(&mut self, reason: &'static str) -> Option<f64> {
        let (span, found) = (self.here(), self.found());
        match self.peek() {
            Token::Number => {
                let Ok((_, literal::Number::Integer(text) | literal::Number::Float(text))) =
                    literal::number_text(self.rest())
                else {
                    self.report(Mistake::BadNumber { reason: "write it as `5` or `0.5`" }.at(span));
                    self.skip();
                    return None;
                };
                let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
                let span = self.span(text.len());
                if let Some(positive) = text.strip_prefix('-') {
                    self.report(Mistake::BadNumber { reason: "it can't be negative" }.at(span).replace(positive));
                } else if number.is_none() {
                    self.report(Mistake::NumberRange { limit: "no time is so long" }.at(span));
                }
                self.advance(text.len());
                number
            }
            Token::Quote(_) => {
                let text = self.text(Usage::Value)?;
                let number =
                    text.value.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
                let error = Mistake::BadQualifier { reason, found }.at(text.span);
                self.report(match number {
                    Some(number) => error.help("write it without quotes").edit(text.span, number.to_string()),
                    None => error,
                });
                number
            }
            _ => {
                self.report(Mistake::BadQualifier { reason, found }.at(span));
                None
            }
        }
    }

    /// Reads the two times of START and STOP.
    fn start_stop(&mut self) {
        self.instant("START");
        if self.take_keyword(&["STOP"]).is_none() {
            if !matches!(self.peek(), Token::Quote(_) | Token::Number | Token::Word("t")) {
                let reason = "STOP and its time are missing";
                let error = Mistake::BadQualifier { reason, found: self.found() }.at(self.gap());
                return self.report(error.help("write `STOP t'…'` with the first instant that is outside"));
            }
            self.missing_word("STOP", "STOP is missing before the second time");
        }
        self.instant("STOP");
    }

    /// Reads the time of START or STOP.
    fn instant(&mut self, word: &'static str) {
        match self.peek() {
            Token::Quote(_) => {
                if let Some(text) = self.text(Usage::Value)
                    && !self.version.has_string_instants()
                {
                    self.string_instant(word, &text.value, text.span);
                }
            }
            Token::Word(prefix) if prefix.eq_ignore_ascii_case("t") && self.rest()[1..].starts_with('\'') => {
                let (start, prefix) = (self.at, self.span(1));
                if let Some(timestamp) = self.prefixed()
                    && self.version.has_string_instants()
                {
                    let what = "STIX 2.0 writes the times of START and STOP as text, without the prefix t";
                    let error = Mistake::OtherVersion { what }
                        .at(self.since(start))
                        .help(format!("write '{timestamp}'"))
                        .edit(prefix, "");
                    let message = format!("read {word} t'{timestamp}', which is of STIX 2.1");
                    self.report(error.assume(repair::OTHER_VERSION, message));
                }
            }
            // With the prefix or without, but without quotes or with one only.
            Token::Number => self.unquoted_instant(),
            Token::Word(word) if word[1..].starts_with(|next: char| next.is_ascii_digit()) => self.unquoted_instant(),
            _ => {
                let reason = "a timestamp such as t'2024-01-31T12:00:00Z' is missing";
                self.report(Mistake::BadQualifier { reason, found: self.found() }.at(self.here()));
            }
        }
    }

    /// Reads a time without quotes, or with a quote behind it only.
    fn unquoted_instant(&mut self) {
        let rest = self.rest();
        let is_end = |next: char| !next.is_ascii_alphanumeric() && !":.-+".contains(next);
        let text = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        let length = text.len() + usize::from(rest[text.len()..].starts_with('\''));
        let written = quoted(text);
        let error = Mistake::UnquotedText.at(self.span(length));
        self.report(if written.starts_with('t') { error.replace_quoted(written) } else { error.help(A_TIMESTAMP) });
        self.advance(length);
    }

    /// Reports a string where STIX 2.1 wants a timestamp.
    fn string_instant(&mut self, word: &'static str, text: &str, span: Span) {
        let what = "STIX 2.1 writes the times of START and STOP as timestamps, with the prefix t";
        let error = Mistake::OtherVersion { what }.at(span);
        self.report(if literal::is_timestamp(text.as_bytes()) {
            let written = format!("t'{text}'");
            let message = format!("read {word} {}, which is of STIX 2.0, as {written}", Quoted(text));
            error.replace_quoted(written).assume(repair::OTHER_VERSION, message)
        } else {
            error.help(A_TIMESTAMP)
        });
    }
}

/// Whether a word is one of `words`, in whatever case.
fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|other| other.eq_ignore_ascii_case(word))
}
