//! Texts that are no patterns at all.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Reader;
use crate::{
    pattern::{Mistake, ParseError, Quoted, lexer},
    span::Span,
};

/// What to do where a rule stands in place of a pattern.
const SET_TYPE: &str = "set the indicator's `pattern_type` to the language of its pattern";

impl Reader<'_> {
    /// Reports that the whole text is no pattern, if it is empty, of another language, or a value alone.
    pub fn not_a_pattern(&mut self) -> bool {
        let error = explain(self.source);
        let is_none = error.is_some();
        if let Some(error) = error {
            self.report(error);
            self.stop();
        }
        is_none
    }
}

/// What the whole text is, if it is no pattern.
fn explain(source: &str) -> Option<ParseError> {
    let text = lexer::blank(source).trim_start_matches('\u{feff}').trim_start();
    let (start, text) = (source.len() - text.len(), text.trim_end());
    if text.is_empty() {
        let error = Mistake::EmptyPattern.at(Span::new(start, start));
        return Some(error.help("write at least one observation: `[file:name = 'x']`"));
    }
    if let Some(test) = value_alone(text) {
        let error = Mistake::ValueAlone.at(Span::new(start, start + text.len()));
        return Some(error.replace(format!("[{test}]")));
    }
    let first = text.split(|next: char| next.is_whitespace() || next == '{').next().unwrap_or_default();
    let (language, help) = match first {
        "rule" | "private" | "global" | "import" if text.contains('{') || text.starts_with("import \"") => {
            ("a YARA rule", SET_TYPE)
        }
        "alert" | "drop" | "reject" | "pass" if text.contains("->") || text.contains("sid:") => {
            ("a Snort or Suricata rule", SET_TYPE)
        }
        "title:" | "logsource:" | "detection:" => ("a Sigma rule", SET_TYPE),
        "SELECT" | "select" => ("a database query", "write what has to be observed: `[file:name = 'x']`"),
        "" if text.starts_with('{') && text[1..].trim_start().starts_with('"') => {
            ("JSON", "take the pattern alone, out of the object around it")
        }
        _ if text.starts_with('<') => ("XML", "convert it to STIX 2.1 first"),
        _ => return None,
    };
    let span = Span::new(start, start + first.len().max(1));
    Some(Mistake::OtherLanguage { language }.at(span).help(help))
}

/// A comparison with `text`, if it is an address, a URL, a hash or a name by itself.
fn value_alone(text: &str) -> Option<String> {
    /// No value of these kinds is longer, but a URL.
    const LONGEST: usize = 2_048;
    if text.len() > LONGEST || text.contains(|next: char| next.is_whitespace() || "[]()'\"=<>{}".contains(next)) {
        return None;
    }
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_name = |text: &str| {
        text.contains('.')
            && text.split('.').all(|label| {
                !label.is_empty()
                    && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            })
    };
    let property = match text.len() {
        _ if text.parse::<Ipv4Addr>().is_ok() => "ipv4-addr:value",
        _ if text.parse::<Ipv6Addr>().is_ok() => "ipv6-addr:value",
        _ if text.contains("://") => "url:value",
        32 if is_hex => "file:hashes.MD5",
        40 if is_hex => "file:hashes.'SHA-1'",
        64 if is_hex => "file:hashes.'SHA-256'",
        _ if text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && is_name(host)) => "email-addr:value",
        _ if is_name(text) => "domain-name:value",
        _ => return None,
    };
    Some(format!("{property} = {}", Quoted(text)))
}
