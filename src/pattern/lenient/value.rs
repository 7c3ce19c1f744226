//! Odd values: defanged addresses, paths, prefixes.

use std::{
    borrow::Cow,
    net::{Ipv4Addr, Ipv6Addr},
};

use super::{DEFANGED, Oddities};
use crate::pattern::{
    Comparison, ComparisonOperator, Literal, LiteralValue, ObjectPath, Operand, PathStepKind, Quoted, is_reference,
};

/// Parts of addresses with what is written in their place so that nobody clicks on it.
const MARKS: [(&str, &[&str]); 5] = [
    (".", &["[.]", "(.)", "{.}", "[dot]", "(dot)", "{dot}"]),
    ("://", &["[://]"]),
    (":", &["[:]"]),
    ("/", &["[/]"]),
    ("@", &["[@]", "[at]", "(at)", "(@)"]),
];

/// Schemes that are no schemes, and what they stand for.
const SCHEMES: [(&str, &str); 6] =
    [("hxxps", "https"), ("hxxp", "http"), ("hxtps", "https"), ("hxtp", "http"), ("fxp", "ftp"), ("h**p", "http")];

impl Oddities {
    /// Defanged values of a comparison.
    pub fn defanged(&mut self, test: &mut Comparison<'_>) {
        // In a regular expression `[.]` is a dot and nothing else.
        let compares_text = matches!(
            test.operator,
            ComparisonOperator::Equal
                | ComparisonOperator::NotEqual
                | ComparisonOperator::In
                | ComparisonOperator::Like
                | ComparisonOperator::IsSubset
                | ComparisonOperator::IsSuperset
        );
        if !compares_text || !holds_address(&test.path) {
            return;
        }
        match &mut test.operand {
            Operand::None => {}
            Operand::Literal(literal) => self.defanged_literal(literal),
            Operand::Set(literals) => literals.iter_mut().for_each(|literal| self.defanged_literal(literal)),
        }
    }

    /// A defanged value.
    fn defanged_literal(&mut self, literal: &mut Literal<'_>) {
        let LiteralValue::String(text) = &literal.value else { return };
        let Some(plain) = refanged(text) else { return };
        let taken_for = format!("read the defanged value {} as {}", Quoted(text), Quoted(&plain));
        let help = format!("write {}", Quoted(&plain));
        if self.report(DEFANGED, literal.span, "the value is defanged and equal to no real one", taken_for, help) {
            literal.value = LiteralValue::String(Cow::Owned(plain));
        }
    }
}

/// Whether the property holds an address, a name or a URL of the network.
fn holds_address(path: &ObjectPath<'_>) -> bool {
    path.steps.last().is_some_and(|step| step.is_property("value"))
        && (matches!(path.object_type, "domain-name" | "url" | "ipv4-addr" | "ipv6-addr" | "email-addr")
            || path.steps.iter().any(|step| matches!(&step.kind, PathStepKind::Property(name) if is_reference(name))))
}

/// A defanged text as it was before; `None` where it isn't defanged.
///
/// ```
/// use stixc::pattern::lenient::refanged;
/// assert_eq!(refanged("hxxp://evil[.]example").as_deref(), Some("http://evil.example"));
/// assert_eq!(refanged("evil.example"), None);
/// ```
#[must_use]
pub fn refanged(text: &str) -> Option<String> {
    // A scheme is followed by a colon, or by a colon that is defanged itself.
    let scheme = SCHEMES.iter().find(|(scheme, _)| {
        let rest = text.get(scheme.len()..).unwrap_or_default();
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && (rest.starts_with("://") || rest.starts_with("[:") || rest.starts_with(":\\"))
    });
    // Behind the host, brackets may be meant as they stand.
    let body = scheme.map_or(text, |(scheme, _)| &text[scheme.len()..]);
    let start = body.find("//").map_or(0, |at| at + 2);
    let host_end = body[start..].find(['/', '?', '#']).map_or(body.len(), |at| start + at);
    if scheme.is_none() && !(0..host_end).any(|at| mark_at(body, at).is_some()) {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    plain.push_str(scheme.map_or("", |(_, scheme)| scheme));
    let mut from = 0;
    for at in 0..body.len() {
        if at >= from
            && let Some((mark, meaning)) = mark_at(body, at)
        {
            plain.push_str(&body[from..at]);
            plain.push_str(meaning);
            from = at + mark.len();
        }
    }
    plain.push_str(&body[from..]);
    Some(plain)
}

/// The mark that stands at byte `at` of `text`, in whatever case, and what it means.
fn mark_at(text: &str, at: usize) -> Option<(&'static str, &'static str)> {
    let rest = &text.as_bytes()[at..];
    if !matches!(rest.first(), Some(b'[' | b'(' | b'{')) {
        return None;
    }
    let mut marks = MARKS.into_iter().flat_map(|(meaning, marks)| marks.iter().map(move |mark| (*mark, meaning)));
    marks.find(|(mark, _)| rest.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes())))
}

/// Whether a value is an address with the length of a prefix behind it.
pub(super) fn is_prefix(literal: &Literal<'_>) -> bool {
    let LiteralValue::String(text) = &literal.value else { return false };
    let Some((address, length)) = text.split_once('/') else { return false };
    let is_digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let Some(length) = length.parse::<u8>().ok().filter(|_| is_digits) else { return false };
    (address.parse::<Ipv4Addr>().is_ok() && length <= 32) || (address.parse::<Ipv6Addr>().is_ok() && length <= 128)
}

/// A directory, if there is one, and the name of a file in it.
type PathParts<'a> = (Option<Cow<'a, str>>, Cow<'a, str>);

/// The directory and the name in the path of a file; `None` where it has no name.
pub(super) fn path_parts<'a>(literal: &Literal<'a>) -> Option<PathParts<'a>> {
    let LiteralValue::String(text) = &literal.value else { return None };
    let part = |start: usize, end: usize| match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[start..end]),
        Cow::Owned(text) => Cow::Owned(text[start..end].to_owned()),
    };
    let Some(separator) = text.rfind(['/', '\\']) else {
        return (!text.is_empty()).then(|| (None, part(0, text.len())));
    };
    if separator + 1 == text.len() {
        return None;
    }
    // The root keeps its separator, which is all that it has.
    let is_root = separator == 0 || text[..separator].ends_with(':');
    Some((Some(part(0, separator + usize::from(is_root))), part(separator + 1, text.len())))
}
