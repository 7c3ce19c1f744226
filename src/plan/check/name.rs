//! Domain names.

use std::net::IpAddr;

use super::{Check, codes::WILDCARD, literal};
use crate::{diagnostic::Code, pattern::Literal, plan::lower};

/// An IP address as a domain name.
pub const ADDRESS_AS_NAME: Code = Code("W104");
/// More than a domain name, or none.
pub const NOT_A_NAME: Code = Code("W105");
/// A value made harmless for reading.
pub const DEFANGED: Code = Code("W106");

/// Checks a domain name.
pub(super) fn check(check: &mut Check<'_>, literal: &Literal<'_>, text: &str) {
    // What lowering reads as the names below, it says itself.
    if is_plain(text) || lower::parent_of_names(text).is_some() {
        return;
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        let right = if address.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
        let message = "an IP address, where a domain name is expected";
        return check.warning(ADDRESS_AS_NAME, literal.span, message, format!("compare {right}:value"));
    }
    if is_defanged(text) {
        return defanged(check, literal, text);
    }
    if text.contains("*") {
        let message = "`=` knows no wildcards: this is the very text with the asterisk";
        return check.warning(
            WILDCARD,
            literal.span,
            message,
            format!("write LIKE {}", literal::written(&text.replace('*', "%"))),
        );
    }
    let Some((at, problem)) = problem(text) else { return };
    let host = host(text);
    let help = match problem {
        Problem::Scheme | Problem::Path => {
            format!("write the name alone, {}, or compare url:value with the whole URL", literal::written(host))
        }
        Problem::Port(port) => {
            format!(
                "write the name alone, {}, and compare the port with network-traffic:dst_port = {port}",
                literal::written(host)
            )
        }
        Problem::Character => "write the name alone, such as 'www.example.com'".to_owned(),
        Problem::Label => "a name is made of parts of 1 to 63 characters with dots between them".to_owned(),
    };
    let what = match problem {
        Problem::Scheme => "a URL is not a domain name",
        Problem::Path => "a domain name has no path",
        Problem::Port(_) => "a domain name has no port",
        Problem::Character => "no domain name has this character",
        Problem::Label => "not a domain name",
    };
    let span = match problem {
        Problem::Label | Problem::Scheme => literal.span,
        Problem::Character => {
            literal::inside(check.source, literal.span, at, at + text[at..].chars().next().map_or(1, char::len_utf8))
        }
        Problem::Path | Problem::Port(_) => literal::inside(check.source, literal.span, at, text.len()),
    };
    check.warning(NOT_A_NAME, span, what, help);
}

/// Whether a name is plainly good, as nearly all are: one pass over its bytes. Others get a closer look.
fn is_plain(text: &str) -> bool {
    let mut length = 0;
    let mut has_letter = false;
    for byte in text.bytes() {
        match byte {
            b'.' if (1..=63).contains(&length) => (length, has_letter) = (0, false),
            b'-' | b'_' | b'0'..=b'9' => length += 1,
            b'a'..=b'z' | b'A'..=b'Z' => {
                length += 1;
                has_letter = true;
            }
            _ => return false,
        }
    }
    // The last part of an IP address has no letter.
    has_letter && length <= 63 && text.len() <= 253
}

enum Problem {
    Scheme,
    Path,
    Port(u16),
    Character,
    Label,
}

/// What is wrong with a name, and at which byte.
fn problem(text: &str) -> Option<(usize, Problem)> {
    if text.contains("://") {
        return Some((0, Problem::Scheme));
    }
    for (at, character) in text.char_indices() {
        let problem = match character {
            '/' => Problem::Path,
            ':' => text[at + 1..].parse().map_or(Problem::Character, Problem::Port),
            '-' | '_' | '.' => continue,
            // Internationalised names may be written in their own letters.
            letter if letter.is_alphanumeric() || !letter.is_ascii() && !letter.is_whitespace() => continue,
            _ => Problem::Character,
        };
        return Some((at, problem));
    }
    let labels = text.strip_suffix('.').unwrap_or(text).split('.');
    let is_label = |label: &str| (1..=63).contains(&label.chars().count());
    (!labels.clone().all(is_label) || text.len() > 254).then_some((0, Problem::Label))
}

/// The name in a URL or in a name with more behind it.
fn host(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.split(['/', ':', '?', '#']).next().unwrap_or(rest)
}

/// Ways to write a dot, a colon or a scheme so that nobody follows it by accident.
const HARMLESS: &[(&str, &str)] = &[
    ("[.]", "."),
    ("(.)", "."),
    ("{.}", "."),
    ("[dot]", "."),
    ("(dot)", "."),
    ("[:]", ":"),
    ("[://]", "://"),
    ("[@]", "@"),
    ("[at]", "@"),
    ("\\.", "."),
];

/// Whether a value was made harmless for reading.
pub(super) fn is_defanged(text: &str) -> bool {
    // Most values are real: one look at each byte tells.
    let has_bracket = text.bytes().any(|byte| matches!(byte, b'[' | b'(' | b'{' | b'\\'));
    has_bracket && HARMLESS.iter().any(|(written, _)| text.contains(written)) || harmless_scheme(text).is_some()
}

/// Schemes that nothing opens, and what is meant by them.
const SCHEMES: &[(&str, &str)] =
    &[("hxxp", "http"), ("hxxps", "https"), ("fxp", "ftp"), ("fxps", "ftps"), ("meow", "http")];

/// The scheme of a value, if it was made harmless, and the real one.
fn harmless_scheme(text: &str) -> Option<(&str, &'static str)> {
    if !matches!(text.as_bytes().get(1), Some(b'x' | b'X' | b'e' | b'E')) {
        return None;
    }
    let scheme = text.split([':', '[']).next().filter(|scheme| scheme.len() < text.len())?;
    let known = SCHEMES.iter().find(|(harmless, _)| scheme.eq_ignore_ascii_case(harmless));
    known.map(|(_, real)| (scheme, *real))
}

pub(super) fn defanged(check: &mut Check<'_>, literal: &Literal<'_>, text: &str) {
    let mut real = text.to_owned();
    for (written, meant) in HARMLESS {
        real = real.replace(written, meant);
    }
    if let Some((scheme, meant)) = harmless_scheme(&real) {
        real = format!("{meant}{}", &real[scheme.len()..]);
    }
    let help = format!("write {}", literal::written(&real));
    check.warning(DEFANGED, literal.span, "made harmless for reading, so it matches nothing real", help);
}
