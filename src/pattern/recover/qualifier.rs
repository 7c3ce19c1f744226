//! WITHIN, REPEATS and START-STOP.

use super::{Reader, Token, quote::Usage};
use crate::{
    pattern::{LiteralValue, Mistake, ParseError, Qualifier, QualifierKind, Quoted, literal, repair},
    span::Span,
};

/// Units of time that are not seconds, and how many seconds each has.
const UNITS: [(&str, f64); 16] = [
    ("MILLISECONDS", 0.001),
    ("MILLISECOND", 0.001),
    ("MSEC", 0.001),
    ("MS", 0.001),
    ("MINUTES", 60.0),
    ("MINUTE", 60.0),
    ("MINS", 60.0),
    ("MIN", 60.0),
    ("M", 60.0),
    ("HOURS", 3_600.0),
    ("HOUR", 3_600.0),
    ("HRS", 3_600.0),
    ("H", 3_600.0),
    ("DAYS", 86_400.0),
    ("DAY", 86_400.0),
    ("D", 86_400.0),
];

/// Words that are only short for SECONDS.
const SHORT_SECONDS: [&str; 4] = ["SECOND", "SECS", "SEC", "S"];

impl Reader<'_> {
    /// A qualifier, which starts with one of its words or something like it.
    pub fn qualifier(&mut self) -> Option<Qualifier> {
        let start = self.at;
        let kind = match self.take_keyword(&super::observation::QUALIFIERS)? {
            "WITHIN" => self.within(),
            "REPEATS" => self.repeats(),
            "START" => self.start_stop(),
            _ => {
                let mistake = Mistake::BadQualifier {
                    reason: "START and its time stand before STOP",
                    found: "STOP alone".to_owned(),
                };
                self.report(ParseError::new(mistake, Span::new(start, self.end)));
                self.instant("STOP");
                None
            }
        };
        kind.map(|kind| Qualifier { kind, span: Span::new(start, self.end) })
    }

    /// The number and the unit of WITHIN.
    fn within(&mut self) -> Option<QualifierKind> {
        let at = self.at;
        let number = self.count("WITHIN takes a number of seconds");
        let Token::Word(word) = self.peek() else {
            self.missing_word("SECONDS", "SECONDS is missing behind the number");
            return number.map(|seconds| QualifierKind::Within { seconds });
        };
        let unit = UNITS.iter().find(|(unit, _)| unit.eq_ignore_ascii_case(word));
        if let (Some((_, factor)), Some(number)) = (unit, number) {
            let span = self.span(word.len());
            let seconds = number * factor;
            let error = ParseError::new(Mistake::TimeUnit { unit: word.to_owned() }, span)
                .help(format!("write `{seconds} SECONDS`"))
                .edit(Span::new(at, span.end as usize), format!("{seconds} SECONDS"));
            self.report(error);
            self.advance(word.len());
            return Some(QualifierKind::Within { seconds });
        }
        if SHORT_SECONDS.iter().any(|short| short.eq_ignore_ascii_case(word)) {
            self.misspelt(word, "SECONDS");
        } else if self.take_keyword(&["SECONDS"]).is_none() {
            self.missing_word("SECONDS", "SECONDS is missing behind the number");
        }
        number.map(|seconds| QualifierKind::Within { seconds })
    }

    /// The number of REPEATS and TIMES.
    fn repeats(&mut self) -> Option<QualifierKind> {
        let span = self.here();
        let number = self.count("REPEATS takes a number");
        let times = number.and_then(|_| span.slice(self.source).trim_start_matches('+').parse::<u64>().ok());
        if number.is_some() && times.is_none() {
            let is_float = span.slice(self.source).contains('.');
            self.report(if is_float {
                let mistake = Mistake::BadNumber { reason: "REPEATS takes a whole number" };
                ParseError::new(mistake, span).help("write it without a point")
            } else {
                ParseError::new(Mistake::NumberRange { limit: "REPEATS counts in 64 bits" }, span)
            });
        }
        match self.peek() {
            Token::Word(word) if word.eq_ignore_ascii_case("TIME") || word.eq_ignore_ascii_case("X") => {
                self.misspelt(word, "TIMES")
            }
            _ if self.take_keyword(&["TIMES"]).is_some() => {}
            _ => self.missing_word("TIMES", "TIMES is missing behind the number"),
        }
        times.map(|times| QualifierKind::Repeats { times })
    }

    /// A word that is short or wrong for `keyword`.
    fn misspelt(&mut self, word: &str, keyword: &'static str) {
        let span = self.span(word.len());
        let mistake = Mistake::KeywordSpelling { found: word.to_owned(), keyword };
        self.report(ParseError::new(mistake, span).help(format!("write `{keyword}`")).edit(span, keyword));
        self.advance(word.len());
    }

    /// Tells that the last word of a qualifier is missing.
    fn missing_word(&mut self, word: &'static str, reason: &'static str) {
        let gap = self.gap();
        let error = ParseError::new(Mistake::BadQualifier { reason, found: self.found() }, gap);
        self.report(error.help(format!("write `{word}`")).edit(gap, format!(" {word}")));
    }

    /// A number that is not negative. Text in its place is told and skipped where it is not the next word already.
    fn count(&mut self, reason: &'static str) -> Option<f64> {
        let (span, found) = (self.here(), self.found());
        match self.peek() {
            Token::Number => {
                let (rest, text) = match literal::number_text(self.rest()) {
                    Ok((rest, literal::Number::Integer(text) | literal::Number::Float(text))) => (rest, text),
                    Err(_) => {
                        let mistake = Mistake::BadNumber { reason: "write it as `5` or `0.5`" };
                        self.report(ParseError::new(mistake, span));
                        self.skip();
                        return None;
                    }
                };
                let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
                let span = self.span(self.rest().len() - rest.len());
                if let Some(positive) = text.strip_prefix('-') {
                    let mistake = Mistake::BadNumber { reason: "it can't be negative" };
                    let error = ParseError::new(mistake, span).help(format!("write `{positive}`"));
                    self.report(error.edit(span, positive));
                } else if number.is_none() {
                    self.report(ParseError::new(Mistake::NumberRange { limit: "no time is so long" }, span));
                }
                self.advance(text.len());
                number
            }
            Token::Quote(_) => {
                let text = self.text(Usage::Value)?;
                let number =
                    text.value.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
                let error = ParseError::new(Mistake::BadQualifier { reason, found }, text.span);
                self.report(match number {
                    Some(number) => error.help("write it without quotes").edit(text.span, number.to_string()),
                    None => error,
                });
                number
            }
            _ => {
                self.report(ParseError::new(Mistake::BadQualifier { reason, found }, span));
                None
            }
        }
    }

    /// The two times of START and STOP.
    fn start_stop(&mut self) -> Option<QualifierKind> {
        let start = self.instant("START");
        if self.take_keyword(&["STOP"]).is_none() {
            if matches!(self.peek(), Token::Quote(_) | Token::Number | Token::Word("t")) {
                self.missing_word("STOP", "STOP is missing before the second time");
                let stop = self.instant("STOP");
                return start.zip(stop).map(|(start, stop)| QualifierKind::StartStop { start, stop });
            }
            let reason = "STOP and its time are missing";
            let error = ParseError::new(Mistake::BadQualifier { reason, found: self.found() }, self.gap());
            self.report(error.help("write `STOP t'…'` with the first instant that is outside"));
            return None;
        }
        let stop = self.instant("STOP");
        start.zip(stop).map(|(start, stop)| QualifierKind::StartStop { start, stop })
    }

    /// The time of START or STOP.
    fn instant(&mut self, word: &'static str) -> Option<String> {
        match self.peek() {
            Token::Quote(_) => {
                let text = self.text(Usage::Value)?;
                if !self.version.has_string_instants() {
                    self.string_instant(word, &text.value, text.span);
                }
                Some(text.value.into_owned())
            }
            Token::Word(prefix) if prefix.eq_ignore_ascii_case("t") && self.rest()[1..].starts_with('\'') => {
                let (start, prefix) = (self.at, self.span(1));
                let literal = self.prefixed()?;
                let timestamp = match literal.value {
                    LiteralValue::Timestamp(text) => text,
                    _ => return None,
                };
                if self.version.has_string_instants() {
                    let what = "STIX 2.0 writes the times of START and STOP as text, without the prefix t";
                    let error = ParseError::new(Mistake::OtherVersion { what }, Span::new(start, self.end))
                        .help(format!("write '{timestamp}'"))
                        .edit(prefix, "");
                    let message = format!("read {word} t'{timestamp}', which is of STIX 2.1");
                    self.report(error.assume(repair::OTHER_VERSION, message));
                }
                Some(timestamp.to_owned())
            }
            // With the prefix or without, but without quotes or with one only.
            Token::Number => self.unquoted_instant(),
            Token::Word(word) if word[1..].starts_with(|next: char| next.is_ascii_digit()) => self.unquoted_instant(),
            _ => {
                let reason = "a timestamp such as t'2024-01-31T12:00:00Z' is missing";
                self.report(ParseError::new(Mistake::BadQualifier { reason, found: self.found() }, self.here()));
                None
            }
        }
    }

    /// A time without quotes, or with a quote behind it only.
    fn unquoted_instant(&mut self) -> Option<String> {
        let rest = self.rest();
        let length =
            rest.find(|next: char| !next.is_ascii_alphanumeric() && !":.-+".contains(next)).unwrap_or(rest.len());
        let text = &rest[..length];
        let span = self.span(length + usize::from(rest[length..].starts_with('\'')));
        let written = super::value::quoted(text);
        let error = ParseError::new(Mistake::UnquotedText, span);
        self.report(if written.starts_with('t') {
            error.help(format!("write {written}")).edit(span, written)
        } else {
            error.help("write a timestamp such as t'2024-01-31T12:00:00Z'")
        });
        self.advance((span.end - span.start) as usize);
        None
    }

    /// A string where STIX 2.1 wants a timestamp.
    fn string_instant(&mut self, word: &'static str, text: &str, span: Span) {
        let what = "STIX 2.1 writes the times of START and STOP as timestamps, with the prefix t";
        let error = ParseError::new(Mistake::OtherVersion { what }, span);
        self.report(if literal::is_timestamp(text.as_bytes()) {
            let written = format!("t'{text}'");
            let message = format!("read {word} {}, which is of STIX 2.0, as {written}", Quoted(text));
            error.help(format!("write {written}")).edit(span, written).assume(repair::OTHER_VERSION, message)
        } else {
            error.help("write a timestamp such as t'2024-01-31T12:00:00Z'")
        });
    }
}
