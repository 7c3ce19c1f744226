//! A name for an indicator that has none: half of all indicators in feeds.

use crate::plan::{Plan, Test, Value};

/// Longest value that a name quotes, in characters: a SHA-256.
const LONGEST_VALUE: usize = 64;

/// A short name for a plan: `Domain name evil.example`, `MD5 hash 79054025255fb1a26e4bc422aef54eb4 and 3 more`.
#[must_use]
pub(super) fn title(plan: &Plan) -> String {
    let Some(test) = telling(plan) else { return "Empty pattern".to_owned() };
    let noun = noun(test);
    match test.values.as_slice() {
        [] => noun,
        [value] => format!("{noun} {}", shortened(value)),
        [value, rest @ ..] => format!("{noun} {} and {} more", shortened(value), rest.len()),
    }
}

/// The test that says most of the first observation: a positive one before a negated one, anything before a port, a
/// protocol or a type.
fn telling(plan: &Plan) -> Option<&Test> {
    let mut best: Option<&Test> = None;
    for test in plan.observation.conditions().next()?.tests() {
        if best.is_none_or(|best| weight(test) > weight(best)) {
            best = Some(test);
        }
    }
    best
}

fn weight(test: &Test) -> u8 {
    let detail = test.property.is_detail() || test.property.path.ends_with("size");
    2 * u8::from(!test.negated) + u8::from(!detail)
}

fn noun(test: &Test) -> String {
    let path = test.property.path.as_ref();
    let referent = test.property.referent.as_deref();
    let fixed = match (path, referent) {
        ("domain-name:value", _) | (_, Some("domain-name")) => "Domain name",
        ("ipv4-addr:value", _) | (_, Some("ipv4-addr")) => "IPv4 address",
        ("ipv6-addr:value", _) | (_, Some("ipv6-addr")) => "IPv6 address",
        ("url:value", _) => "URL",
        ("email-addr:value", _) => "Email address",
        ("file:name", _) => "File name",
        ("process:command_line", _) => "Command line",
        ("windows-registry-key:key", _) => "Registry key",
        ("mutex:name", _) => "Mutex",
        _ => "",
    };
    if !fixed.is_empty() {
        return fixed.to_owned();
    }
    if let Some((_, algorithm)) = path.rsplit_once("hashes.") {
        return format!("{} hash", algorithm.trim_matches('\''));
    }
    let (object, property) = path.split_once(':').unwrap_or((path, ""));
    let words = format!("{object} {property}").replace(['-', '_', '.', ':'], " ").replace("[*]", "");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A value without the quotes around it, cut where it is long. Those in it are written as a pattern writes them.
fn shortened(value: &Value) -> String {
    let text = value.kind.as_text().map_or_else(|| value.to_string(), |text| text.replace('\'', r"\'"));
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}
