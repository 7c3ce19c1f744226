//! Values next to a value: what a careless rule takes for the same.

use serde_json::Value as Json;

use super::{
    address,
    encode::{later, written},
    kind::Kind,
    mutate_text,
    path::Path,
};
use crate::plan::{ValueKind, schema::Text};

/// A value, and in a few words how it differs.
pub(super) type Neighbour = (Json, &'static str);

/// The neighbours of a value of the pattern. `ignores_case` says that another case is the same value.
pub(super) fn neighbours(value: &ValueKind, kind: &Kind, path: &Path, ignores_case: bool) -> Vec<Neighbour> {
    match value {
        ValueKind::Text(text) => of_text(text, kind, ignores_case),
        // What is near to a pattern is near to what it matches.
        ValueKind::Like(_) | ValueKind::Regex(_) => Vec::new(),
        ValueKind::Domain(name) => of_text(name.as_str(), &Kind::Text(Text::DomainName), true),
        ValueKind::Url(url) => of_text(&url.text, &Kind::Text(Text::Url), ignores_case),
        ValueKind::Address(net) => {
            let beside = address::beside(net).into_iter();
            let parts = if net.prefix_len() == net.max_prefix_len() { Vec::new() } else { address::not_around(net) };
            beside.chain(parts).map(|(text, change)| (text.into(), change)).collect()
        }
        ValueKind::Hash(hash) => digits(hash.hex()),
        ValueKind::Integer(number) => {
            let above = number.checked_add(1).map(|number| (number.into(), "one more"));
            let below = number.checked_sub(1).map(|number| (number.into(), "one less"));
            above.into_iter().chain(below).chain([((*number).into(), "the bound itself")]).collect()
        }
        ValueKind::Float(number) => vec![
            ((number + 0.5).into(), "half of one more"),
            ((number - 0.5).into(), "half of one less"),
            ((*number).into(), "the bound itself"),
        ],
        ValueKind::Boolean(truth) => vec![((!truth).into(), "the other truth value")],
        ValueKind::Timestamp(text) => {
            let moved = [(1, "one microsecond later"), (-1, "one microsecond earlier"), (0, "the bound itself")];
            moved.into_iter().filter_map(|(by, change)| Some((later(text, by)?.into(), change))).collect()
        }
        ValueKind::Bytes(bytes) => of_bytes(bytes, path),
    }
}

/// The neighbours of a value in an observation.
pub(super) fn around(value: &Json, kind: &Kind, ignores_case: bool) -> Vec<Neighbour> {
    match value {
        Json::String(text) => of_text(text, kind, ignores_case),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => {
                vec![(number.saturating_add(1).into(), "one more"), (number.saturating_sub(1).into(), "one less")]
            }
            (None, Some(number)) => vec![((number + 0.5).into(), "half of one more")],
            _ => Vec::new(),
        },
        Json::Bool(truth) => vec![((!truth).into(), "the other truth value")],
        _ => Vec::new(),
    }
}

fn of_text(text: &str, kind: &Kind, ignores_case: bool) -> Vec<Neighbour> {
    if let Kind::Digits(_) = kind {
        return digits(text);
    }
    if let (Kind::Text(Text::Ipv4Address | Text::Ipv6Address | Text::Endpoint), Ok(net)) =
        (kind, text.parse::<std::net::IpAddr>())
    {
        return address::beside(&net.into()).into_iter().map(|(text, change)| (text.into(), change)).collect();
    }
    // Of plain text an engine can also be shown none, or blanks around it.
    let suits = kind.suits(&text.into()) && *kind != Kind::Text(Text::Plain);
    let neighbours = mutate_text::neighbours(text, kind, ignores_case).into_iter();
    neighbours.map(|(text, change)| (Json::from(text), change)).filter(|(text, _)| !suits || kind.suits(text)).collect()
}

fn digits(text: &str) -> Vec<Neighbour> {
    let other = |at: usize| {
        let digit = text.as_bytes().get(at)?;
        let new = if digit.eq_ignore_ascii_case(&b'0') { '1' } else { '0' };
        text.is_ascii().then(|| format!("{}{new}{}", &text[..at], &text[at + 1..]))
    };
    let last = other(text.len().saturating_sub(1)).map(|text| (text.into(), "another last digit"));
    let first = other(0).map(|text| (text.into(), "another first digit"));
    last.into_iter().chain(first).collect()
}

fn of_bytes(bytes: &[u8], path: &Path) -> Vec<Neighbour> {
    let mut neighbours = Vec::new();
    if let Some((last, front)) = bytes.split_last() {
        neighbours.push((written(&[front, &[last ^ 1]].concat(), path).into(), "another last bit"));
    }
    neighbours.push((written(&[bytes, &[0]].concat(), path).into(), "one byte more"));
    if let Some((_, front)) = bytes.split_last() {
        neighbours.push((written(front, path).into(), "one byte fewer"));
    }
    neighbours
}
