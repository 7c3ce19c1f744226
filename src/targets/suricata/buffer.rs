//! Tests against sticky buffers: the parts of a protocol that Suricata takes apart (user guide, "Payload keywords").
//!
//! `content` with `bsize` is "the buffer is exactly this"; a negated `content` with `startswith` and `endswith` is "the
//! buffer is there and is not this".

use crate::plan::{Operator, Test, Value, ValueKind, fidelity::Fidelity};

use super::{
    fragment::{
        FORM, Fragment, FragmentResult, Refused, TOO_LONG, each_value, no_operator, no_value, text_of, together,
    },
    pcre::{self, Expression, Like, Unprintable},
    place::{Case, MailField, Row, RulePart},
    signature::Match,
    text::{Keyword, RuleText},
};

/// The most bytes of a single content: longer ones keep Suricata's pattern matcher from starting.
pub const LONGEST: usize = 1024;

/// The header fields of a request.
const REQUEST_HEADER: &str = "network-traffic:extensions.'http-request-ext'.request_header.*";

/// Lowers `test` to comparisons with a buffer.
pub fn lower_test(row: &Row, test: &Test) -> FragmentResult {
    let options = each_value(test, "a buffer", |value| {
        let bytes = bytes_of(value).ok_or_else(|| no_value(format!("{value} is no text that a buffer can hold")))?;
        option(row, test, &bytes)
    })?;
    // Suricata guesses at what stands percent-encoded in a path, and reads a backslash there as a slash.
    let is_path = matches!(row.place, RulePart::LastSegment(_));
    let is_plain = |text: &str| text.is_ascii() && (test.operator == Operator::Matches || !text.contains('\\'));
    let loss = (is_path && !test.values.iter().filter_map(text_of).all(is_plain)).then(|| {
        let why = "a name beyond plain ASCII is not seen in the path of a request".to_owned();
        (FORM, Fidelity::NARROWER, why)
    });
    Ok((Fragment::Options(together(options, test.negated)), loss))
}

/// Lowers `test` of an address, which ignores case, to a search in a mail or in one of its fields.
pub fn lower_mail(field: Option<MailField>, buffer: Option<&Keyword>, test: &Test) -> FragmentResult {
    let options = each_value(test, "a mail address", |value| {
        let text = text_of(value).ok_or_else(|| no_value(format!("{value} is no mail address")))?;
        let parts = match test.operator {
            Operator::Equal => vec![Like::Text(text.to_owned())],
            Operator::Like => pcre::like(text),
            _ => return Err(no_operator(test, "a mail address")),
        };
        // In a buffer of its own the field has no name in front.
        let Expression { pcre, needle } = pcre::address(&parts, field.filter(|_| buffer.is_none()))?;
        if test.negated || needle.is_empty() {
            return Err(no_operator(test, "a mail address"));
        }
        let keyword = buffer.map_or_else(RuleText::default, |buffer| RuleText::default().keyword(buffer).word("; "));
        let content = RuleText::new("content:").content(&needle).word("; nocase; pcre:").pcre(&pcre).word("; ");
        Ok(Match::new(keyword, content))
    })?;
    Ok((Fragment::Options(options), None))
}

/// Lowers a LIKE pattern to a comparison with a buffer.
///
/// # Errors
/// Why it can't.
pub fn like(keyword: &Keyword, case: Case, pattern: &str) -> Result<Match, Refused> {
    let buffer = Buffer { keyword, case, negated: false };
    Ok(Match::new(buffer.start(), buffer.like(pattern)?))
}

/// The bytes that go over the wire for a value.
fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    Some(match &value.kind {
        ValueKind::Text(text) => text.clone().into_bytes(),
        ValueKind::Domain(name) => name.as_str().as_bytes().to_vec(),
        ValueKind::Bytes(bytes) => bytes.clone(),
        ValueKind::Hash(hash) => hash.hex().as_bytes().to_vec(),
        ValueKind::Address(net) if net.prefix_len() == net.max_prefix_len() => net.addr().to_string().into_bytes(),
        ValueKind::Integer(number) => number.to_string().into_bytes(),
        _ => return None,
    })
}

/// A header field whose name is no token, or whose value has a line break, is never sent (RFC 9110, section 5).
fn is_sendable(test: &Test, bytes: &[u8]) -> bool {
    const SIGNS: &[u8] = b"!#$%&'*+-.^_`|~";
    let is_token =
        |name: &str| !name.is_empty() && name.bytes().all(|sign| sign.is_ascii_alphanumeric() || SIGNS.contains(&sign));
    let field = test.property.dictionary_key().filter(|_| test.property.family == Some(REQUEST_HEADER));
    test.operator != Operator::Equal
        || field.is_none_or(|name| is_token(&name) && !bytes.iter().any(|byte| b"\r\n\0".contains(byte)))
}

/// The option for one value.
fn option(row: &Row, test: &Test, bytes: &[u8]) -> Result<Match, Refused> {
    if !test.negated && !is_sendable(test, bytes) {
        return Err(no_value("no request has such a header field"));
    }
    // In a regular expression letter case has a meaning of its own: `\D` is not `\d`.
    let cased = if test.operator == Operator::Matches { bytes.to_vec() } else { in_case(row.case, bytes) };
    match (&row.place, test.operator) {
        (RulePart::Buffer(keyword), operator) => {
            let buffer = Buffer { keyword, case: row.case, negated: test.negated };
            let options = buffer.compare(operator, &cased).ok_or_else(|| no_operator(test, keyword.as_str()))??;
            Ok(Match::new(buffer.start(), options))
        }
        (RulePart::Start(keyword), Operator::Equal) if !test.negated => {
            let buffer = Buffer { keyword, case: row.case, negated: false };
            Ok(Match::new(buffer.start(), buffer.content(&cased)?.word("startswith; ")))
        }
        (RulePart::LastSegment(keyword), operator) => {
            let buffer = Buffer { keyword, case: row.case, negated: test.negated };
            let options =
                buffer.compare_segment(operator, &cased).ok_or_else(|| no_operator(test, keyword.as_str()))??;
            Ok(Match::new(buffer.start(), options))
        }
        (RulePart::Field(keyword), Operator::Equal) if !test.negated => {
            let buffer = Buffer { keyword, case: row.case, negated: false };
            let name = test.property.dictionary_key().ok_or_else(|| no_operator(test, keyword.as_str()))?;
            Ok(Match::instance(buffer.start(), buffer.field(&name, &cased)?))
        }
        (RulePart::Start(keyword) | RulePart::Field(keyword), _) => Err(no_operator(test, keyword.as_str())),
        _ => Err(no_operator(test, "a buffer")),
    }
}

/// The text as the buffer has it.
fn in_case(case: Case, bytes: &[u8]) -> Vec<u8> {
    match case {
        Case::Lower => bytes.to_ascii_lowercase(),
        Case::Capital => bytes.to_ascii_uppercase(),
        Case::Keep | Case::Ignore => bytes.to_vec(),
    }
}

/// A buffer in one test.
#[derive(Clone, Copy)]
struct Buffer<'a> {
    keyword: &'a Keyword,
    case: Case,
    negated: bool,
}

type Written = Result<RuleText, Refused>;

impl Buffer<'_> {
    /// The buffer's keyword, and its transform.
    fn start(self) -> RuleText {
        let start = RuleText::default().keyword(self.keyword).word("; ");
        if self.case == Case::Lower { start.word("to_lowercase; ") } else { start }
    }

    /// The buffer contains these bytes, or does not where the test is negated.
    fn content(self, bytes: &[u8]) -> Written {
        if bytes.is_empty() {
            return Err(no_value("a rule can't ask for an empty text"));
        }
        if bytes.len() > LONGEST {
            return Err((TOO_LONG, format!("a text of {} bytes: a rule holds {LONGEST} at most", bytes.len())));
        }
        let content = RuleText::new(if self.negated { "content:!" } else { "content:" }).content(bytes).word("; ");
        Ok(if self.case == Case::Ignore { content.word("nocase; ") } else { content })
    }

    fn equal(self, bytes: &[u8]) -> Written {
        let content = self.content(bytes)?;
        Ok(if self.negated {
            content.word("startswith; endswith; ")
        } else {
            content.word("bsize:").number(bytes.len() as u64).word("; ")
        })
    }

    /// The comparison of the whole buffer; `None` for an operator that buffers don't have.
    fn compare(self, operator: Operator, bytes: &[u8]) -> Option<Written> {
        Some(match operator {
            Operator::Equal => self.equal(bytes),
            Operator::Like => self.like(&String::from_utf8_lossy(bytes)),
            Operator::Matches => self.matches(&String::from_utf8_lossy(bytes)),
            _ => return None,
        })
    }

    fn like(self, pattern: &str) -> Written {
        let parts = pcre::like(pattern);
        match parts.as_slice() {
            [Like::Text(text)] => self.equal(text.as_bytes()),
            [Like::Text(text), Like::Any] => Ok(self.content(text.as_bytes())?.word("startswith; ")),
            [Like::Any, Like::Text(text)] => Ok(self.content(text.as_bytes())?.word("endswith; ")),
            [Like::Any, Like::Text(text), Like::Any] => self.content(text.as_bytes()),
            parts if !parts.iter().any(|part| matches!(part, Like::Text(_))) => {
                Err(no_value(format!("'{pattern}' names nothing")))
            }
            parts => self.expression(pcre::liking(parts, self.case != Case::Keep)),
        }
    }

    fn matches(self, pattern: &str) -> Written {
        self.expression(pcre::matching(pattern, self.case != Case::Keep))
    }

    /// An expression, behind the text that Suricata looks for first.
    fn expression(self, expression: Result<Expression, Unprintable>) -> Written {
        let Expression { pcre, needle } = expression?;
        let start = if self.negated || needle.is_empty() {
            RuleText::default()
        } else {
            self.content(&in_case(self.case, &needle))?
        };
        Ok(start.word(if self.negated { "pcre:!" } else { "pcre:" }).pcre(&pcre).word("; "))
    }

    /// The comparison of the buffer, or of what follows its last `/`.
    fn compare_segment(self, operator: Operator, bytes: &[u8]) -> Option<Written> {
        let text = String::from_utf8_lossy(bytes);
        Some(match operator {
            Operator::Equal => self.segment(&text),
            Operator::Like => match pcre::like(&text).as_slice() {
                [Like::Text(text)] => self.segment(text),
                // What the name ends in or contains, the path in front of it does not change.
                [Like::Any, Like::Text(text)] => {
                    self.content(text.as_bytes()).map(|content| content.word("endswith; "))
                }
                parts => self.expression(pcre::liking_segment(parts)),
            },
            Operator::Matches => self.expression(pcre::matching_segment(&text)),
            _ => return None,
        })
    }

    fn segment(self, name: &str) -> Written {
        let Expression { pcre, .. } = pcre::last_segment(name)?;
        let content =
            if self.negated { RuleText::default() } else { self.content(name.as_bytes())?.word("endswith; ") };
        Ok(content.word(if self.negated { "pcre:!" } else { "pcre:" }).pcre(&pcre).word("; "))
    }

    /// One field, whose name ignores case (RFC 9110, section 5.1) and whose value does not.
    fn field(self, name: &str, bytes: &[u8]) -> Written {
        let name = [name.as_bytes(), b": "].concat();
        let length = (name.len() + bytes.len()) as u64;
        let value = Buffer { case: Case::Keep, ..self };
        let named = Buffer { case: Case::Ignore, ..self }.content(&name)?.word("startswith; ");
        Ok(named.text(&value.content(bytes)?).word("endswith; bsize:").number(length).word("; "))
    }
}
