//! A name for an indicator that has none: half of all indicators in feeds.

use crate::{
    plan::{Condition, Observation, Plan, Test, adapt::condition_span},
    span::Span,
};

/// Longest value that a name quotes, in characters: a SHA-256.
const LONGEST_VALUE: usize = 64;

/// A short name for a plan: `Domain name evil.example`, `MD5 hash 79054025255fb1a26e4bc422aef54eb4 and 3 more`.
#[must_use]
pub(super) fn title(plan: &Plan) -> String {
    let Some(test) = first(&plan.observation) else { return "Empty pattern".to_owned() };
    let noun = noun(test);
    match test.values.as_slice() {
        [] => noun,
        [value] => format!("{noun} {}", shortened(&plain(&value.to_string()))),
        [value, rest @ ..] => format!("{noun} {} and {} more", shortened(&plain(&value.to_string())), rest.len()),
    }
}

/// The part of the pattern that a plan covers.
#[must_use]
pub(super) fn span(plan: &Plan) -> Span {
    fn of(observation: &Observation) -> Span {
        match observation {
            Observation::Match(condition) => condition_span(condition),
            Observation::All(_, span) | Observation::Any(_, span) | Observation::Then(_, span) => *span,
            Observation::Within { of: inner, .. }
            | Observation::Repeat { of: inner, .. }
            | Observation::During { of: inner, .. } => of(inner),
        }
    }
    of(&plan.observation)
}

fn first(observation: &Observation) -> Option<&Test> {
    match observation {
        Observation::Match(condition) => telling(condition),
        Observation::All(operands, _) | Observation::Any(operands, _) | Observation::Then(operands, _) => {
            operands.iter().find_map(first)
        }
        Observation::Within { of, .. } | Observation::Repeat { of, .. } | Observation::During { of, .. } => first(of),
    }
}

/// The test that says most: a positive one before a negated one, anything before a port, a protocol or a type.
fn telling(condition: &Condition) -> Option<&Test> {
    let mut best: Option<&Test> = None;
    let mut stack = vec![condition];
    while let Some(condition) = stack.pop() {
        match condition {
            Condition::All(operands) | Condition::Any(operands) => stack.extend(operands.iter().rev()),
            Condition::Test(test) => {
                if best.is_none_or(|best| weight(test) > weight(best)) {
                    best = Some(test);
                }
            }
        }
    }
    best
}

fn weight(test: &Test) -> u8 {
    let path = test.property.path.as_ref();
    let detail = ["_port", "protocols[*]", ".type", "size"].iter().any(|end| path.ends_with(end));
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

/// A literal without its quotes.
fn plain(literal: &str) -> String {
    literal.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(literal).replace("\\\\", "\\")
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST_VALUE {
        return text.to_owned();
    }
    text.chars().take(LONGEST_VALUE).chain("...".chars()).collect()
}
