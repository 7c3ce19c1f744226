//! Tests against sticky buffers: the parts of a protocol that Suricata takes apart (user guide, "Payload keywords").
//!
//! `content` with `bsize` is "the buffer is exactly this"; a negated `content` with `startswith` and `endswith` is "the
//! buffer is there and is not this".

use crate::plan::{LikePart, LikePattern, Operator, Regex, Test, ValueKind, fidelity::Fidelity};

use super::{
    fragment::{FORM, Fragment, FragmentResult, Refused, TOO_LONG, each_value, no_operator, no_value, together},
    pcre::{self, Expression, Unprintable},
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
        let asked = Asked::new(test.operator, &value.kind);
        option(row, test, asked.ok_or_else(|| no_value(format!("{value} is no text that a buffer can hold")))?)
    })?;
    // Suricata guesses at what stands percent-encoded in a path, and reads a backslash there as a slash.
    let is_path = matches!(row.place, RulePart::LastSegment(_));
    let is_plain = |kind: &ValueKind| match kind {
        ValueKind::Text(text) => text.is_ascii() && !text.contains('\\'),
        ValueKind::Like(pattern) => pattern.text().is_ascii() && !pattern.text().contains('\\'),
        ValueKind::Regex(regex) => regex.count(|sign| !sign.is_ascii()) == 0,
        _ => true,
    };
    let loss = (is_path && !test.values.iter().all(|value| is_plain(&value.kind))).then(|| {
        let why = "a name beyond plain ASCII is not seen in the path of a request".to_owned();
        (FORM, Fidelity::NARROWER, why)
    });
    Ok((Fragment::Options(together(options, test.negated)), loss))
}

/// Lowers `test` of an address, which ignores case, to a search in a mail or in one of its fields.
pub fn lower_mail(field: Option<MailField>, buffer: Option<&Keyword>, test: &Test) -> FragmentResult {
    let options = each_value(test, "a mail address", |value| {
        let whole;
        let parts = match (&value.kind, test.operator) {
            (ValueKind::Text(text), Operator::Equal) => {
                whole = [LikePart::Text(text.clone())];
                whole.as_slice()
            }
            (ValueKind::Like(pattern), _) => pattern.parts(),
            (ValueKind::Text(_) | ValueKind::Regex(_), _) => return Err(no_operator(test, "a mail address")),
            _ => return Err(no_value(format!("{value} is no mail address"))),
        };
        // In a buffer of its own the field has no name in front.
        let Expression { pcre, needle } = pcre::address(parts, field.filter(|_| buffer.is_none()))?;
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
pub fn like(keyword: &Keyword, case: Case, pattern: &LikePattern) -> Result<Match, Refused> {
    let buffer = Buffer { keyword, case, negated: false };
    Ok(Match::new(buffer.start(), buffer.like(pattern)?))
}

/// What a buffer is compared with.
enum Asked<'v> {
    /// The bytes that go over the wire for a value.
    Bytes(Operator, Vec<u8>),
    Like(&'v LikePattern),
    Regex(&'v Regex),
}

impl<'v> Asked<'v> {
    fn new(operator: Operator, value: &'v ValueKind) -> Option<Self> {
        Some(match value {
            ValueKind::Like(pattern) => Self::Like(pattern),
            ValueKind::Regex(regex) => Self::Regex(regex),
            value => Self::Bytes(operator, bytes_of(value)?),
        })
    }
}

fn bytes_of(value: &ValueKind) -> Option<Vec<u8>> {
    Some(match value {
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
fn is_sendable(test: &Test, asked: &Asked<'_>) -> bool {
    const SIGNS: &[u8] = b"!#$%&'*+-.^_`|~";
    let is_token =
        |name: &str| !name.is_empty() && name.bytes().all(|sign| sign.is_ascii_alphanumeric() || SIGNS.contains(&sign));
    let field = test.property.dictionary_key().filter(|_| test.property.family == Some(REQUEST_HEADER));
    match asked {
        Asked::Bytes(Operator::Equal, bytes) => {
            field.is_none_or(|name| is_token(&name) && !bytes.iter().any(|byte| b"\r\n\0".contains(byte)))
        }
        _ => true,
    }
}

/// The option for one value.
fn option(row: &Row, test: &Test, asked: Asked<'_>) -> Result<Match, Refused> {
    if !test.negated && !is_sendable(test, &asked) {
        return Err(no_value("no request has such a header field"));
    }
    match (&row.place, asked) {
        (RulePart::Buffer(keyword), asked) => {
            let buffer = Buffer { keyword, case: row.case, negated: test.negated };
            let options = buffer.compare(asked).ok_or_else(|| no_operator(test, keyword.as_str()))??;
            Ok(Match::new(buffer.start(), options))
        }
        (RulePart::Start(keyword), Asked::Bytes(Operator::Equal, bytes)) if !test.negated => {
            let buffer = Buffer { keyword, case: row.case, negated: false };
            Ok(Match::new(buffer.start(), buffer.content(&in_case(row.case, &bytes))?.word("startswith; ")))
        }
        (RulePart::LastSegment(keyword), asked) => {
            let buffer = Buffer { keyword, case: row.case, negated: test.negated };
            let options = buffer.compare_segment(asked).ok_or_else(|| no_operator(test, keyword.as_str()))??;
            Ok(Match::new(buffer.start(), options))
        }
        (RulePart::Field(keyword), Asked::Bytes(Operator::Equal, bytes)) if !test.negated => {
            let buffer = Buffer { keyword, case: row.case, negated: false };
            let name = test.property.dictionary_key().ok_or_else(|| no_operator(test, keyword.as_str()))?;
            Ok(Match::instance(buffer.start(), buffer.field(&name, &in_case(row.case, &bytes))?))
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
    fn compare(self, asked: Asked<'_>) -> Option<Written> {
        Some(match asked {
            Asked::Bytes(Operator::Equal, bytes) => self.equal(&in_case(self.case, &bytes)),
            Asked::Bytes(..) => return None,
            Asked::Like(pattern) => self.like(pattern),
            // In a regular expression letter case has a meaning of its own: `\D` is not `\d`.
            Asked::Regex(regex) => self.expression(pcre::matching(regex, self.case != Case::Keep)),
        })
    }

    fn like(self, pattern: &LikePattern) -> Written {
        use LikePart::{Any, Text};
        let parts = self.parts(pattern);
        match parts.as_slice() {
            [Text(text)] => self.equal(text.as_bytes()),
            [Text(text), Any] => Ok(self.content(text.as_bytes())?.word("startswith; ")),
            [Any, Text(text)] => Ok(self.content(text.as_bytes())?.word("endswith; ")),
            [Any, Text(text), Any] => self.content(text.as_bytes()),
            parts if !parts.iter().any(|part| matches!(part, Text(_))) => {
                Err(no_value(format!("'{}' names nothing", pattern.text())))
            }
            parts => self.expression(pcre::liking(parts, self.case != Case::Keep)),
        }
    }

    /// The parts of a pattern, as the buffer has their letters.
    fn parts(self, pattern: &LikePattern) -> Vec<LikePart> {
        let cased = |part: &LikePart| match part {
            LikePart::Text(text) => {
                LikePart::Text(String::from_utf8_lossy(&in_case(self.case, text.as_bytes())).into())
            }
            other => other.clone(),
        };
        pattern.parts().iter().map(cased).collect()
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
    fn compare_segment(self, asked: Asked<'_>) -> Option<Written> {
        Some(match asked {
            Asked::Bytes(Operator::Equal, bytes) => self.segment(&in_case(self.case, &bytes)),
            Asked::Bytes(..) => return None,
            Asked::Like(pattern) => match self.parts(pattern).as_slice() {
                [LikePart::Text(text)] => self.segment(text.as_bytes()),
                // What the name ends in or contains, the path in front of it does not change.
                [LikePart::Any, LikePart::Text(text)] => {
                    self.content(text.as_bytes()).map(|content| content.word("endswith; "))
                }
                parts => self.expression(pcre::liking_segment(parts)),
            },
            Asked::Regex(regex) => self.expression(pcre::matching_segment(regex)),
        })
    }

    fn segment(self, name: &[u8]) -> Written {
        let Expression { pcre, .. } = pcre::last_segment(name)?;
        let content = if self.negated { RuleText::default() } else { self.content(name)?.word("endswith; ") };
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
