//! Texts next to a text.

use crate::{plan::schema::Text, witness::solve::kind::Kind};

type Neighbour = (String, &'static str);

/// The neighbours of a text, those first that its kind makes likely.
pub(super) fn neighbours(text: &str, kind: &Kind, ignores_case: bool) -> Vec<Neighbour> {
    let mut neighbours = match kind {
        Kind::Text(Text::DomainName | Text::Endpoint) => domain(text),
        Kind::Text(Text::Url) => url(text),
        Kind::Text(Text::EmailAddress) => email(text),
        Kind::Text(Text::Path | Text::RegistryKey) => folder(text),
        _ => Vec::new(),
    };
    if !ignores_case {
        neighbours.push((other_case(text), "other case"));
    }
    neighbours.extend(characters(text, kind));
    let mut seen = Vec::new();
    neighbours.retain(|(one, _)| {
        one != text && !seen.contains(one) && {
            seen.push(one.clone());
            true
        }
    });
    neighbours
}

fn other_case(text: &str) -> String {
    let other = |character: char| {
        if character.is_ascii_lowercase() { character.to_ascii_uppercase() } else { character.to_ascii_lowercase() }
    };
    text.chars().map(other).collect()
}

/// One character more and one fewer, at the ends and inside.
fn characters(text: &str, kind: &Kind) -> Vec<Neighbour> {
    let mut neighbours =
        vec![(format!("{text}x"), "one character more behind"), (format!("x{text}"), "one character more in front")];
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let without = |place: usize| {
        let at = *places.get(place)?;
        let rest = text[at..].chars().next().map_or(0, char::len_utf8);
        Some(format!("{}{}", &text[..at], &text[at + rest..]))
    };
    let count = places.len();
    neighbours.extend(without(count.wrapping_sub(1)).map(|text| (text, "one character fewer behind")));
    neighbours.extend(without(0).map(|text| (text, "one character fewer in front")));
    for part in 1..4 {
        neighbours.extend(without(count * part / 4).map(|text| (text, "one character fewer inside")));
    }
    if matches!(kind, Kind::Text(Text::Plain)) {
        neighbours.push((format!("{text} "), "a blank behind"));
        neighbours.push((format!(" {text}"), "a blank in front"));
        neighbours.push((String::new(), "an empty text"));
    }
    if matches!(kind, Kind::Text(Text::FileName)) {
        neighbours.push((format!("{text}.txt"), "another ending"));
    }
    neighbours
}

fn domain(name: &str) -> Vec<Neighbour> {
    let mut neighbours = vec![(format!("not{name}"), "a sibling whose name ends the same")];
    if let Some((_, parent)) = name.split_once('.')
        && parent.contains('.')
    {
        neighbours.push((parent.to_owned(), "a parent domain"));
    }
    neighbours.push((format!("sub.{name}"), "a subdomain"));
    if let Some((front, top)) = name.rsplit_once('.') {
        let other = if top.eq_ignore_ascii_case("test") { "invalid" } else { "test" };
        neighbours.push((format!("{front}.{other}"), "another top-level domain"));
    }
    neighbours
}

fn url(text: &str) -> Vec<Neighbour> {
    let Some((scheme, rest)) = text.split_once("://") else { return Vec::new() };
    let (host, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
    let mut neighbours = vec![(format!("{text}x"), "one character more behind")];
    if let Some((parent, last)) = path.trim_end_matches('/').rsplit_once('/')
        && !last.is_empty()
    {
        neighbours.push((format!("{scheme}://{host}{parent}/"), "the parent path"));
    }
    neighbours.push((format!("{scheme}://{host}{}", other_case(path)), "other case in the path"));
    neighbours.push((format!("{scheme}://sub.{host}{path}"), "a subdomain"));
    neighbours.push((format!("{scheme}://not{host}{path}"), "a sibling whose name ends the same"));
    let other = if scheme.eq_ignore_ascii_case("https") { "http" } else { "https" };
    neighbours.push((format!("{other}://{host}{path}"), "another scheme"));
    neighbours.push((format!("{scheme}://host.example{path}"), "the same path on another host"));
    neighbours
}

fn email(text: &str) -> Vec<Neighbour> {
    let Some((local, host)) = text.rsplit_once('@') else { return Vec::new() };
    vec![
        (format!("not{local}@{host}"), "an address that ends the same"),
        (format!("{local}@not{host}"), "a sibling domain"),
        (format!("{local}@sub.{host}"), "a subdomain"),
        (format!("other@{host}"), "another address of the domain"),
    ]
}

fn folder(text: &str) -> Vec<Neighbour> {
    let separator = if text.contains('/') { '/' } else { '\\' };
    let mut neighbours = vec![
        (format!("{text}2"), "a sibling folder"),
        (format!("{}{separator}x", text.trim_end_matches(separator)), "a folder inside"),
    ];
    if let Some((parent, _)) = text.trim_end_matches(separator).rsplit_once(separator)
        && !parent.is_empty()
    {
        neighbours.push((parent.to_owned(), "the parent folder"));
    }
    neighbours
}
