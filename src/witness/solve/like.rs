//! Texts that LIKE accepts.

use serde_json::Value as Json;

use super::kind::Kind;
use crate::plan::{LikePart, LikePattern, schema::Text};

/// What stands for a `%` at the front, between and at the end, the shortest first.
type Fillers = [&'static [&'static str]; 3];

fn fillers(kind: &Kind) -> Fillers {
    match kind {
        Kind::Text(Text::DomainName) => {
            [&["", "www", "www.", "a.www."], &["", "x", ".x."], &["", ".example", "x", "x.example"]]
        }
        Kind::Text(Text::Endpoint) => {
            [&["", "www.", "192.0."], &["", "2", ".2."], &["", "7", ".7", "2.7", "0.2.7", ".example"]]
        }
        Kind::Text(Text::Ipv4Address) => [
            &["", "1", "192.", "192.0.", "192.0.2."],
            &["", "2", ".2.", "0.2"],
            &["", "7", ".7", "2.7", ".2.7", "0.2.7"],
        ],
        Kind::Text(Text::Ipv6Address) => {
            [&["", "2001:db8", "2001:db8:", "2001:db8::"], &["", ":", "::"], &["", "7", ":7", "::7"]]
        }
        Kind::Text(Text::Url) => [
            &["", "http://", "http://www.", "http://host.example/"],
            &["", "x", "/x"],
            &["", "x", "/x", ".example/x", "host.example/x"],
        ],
        Kind::Text(Text::EmailAddress) => {
            [&["", "x", "x@", "x@mail."], &["", "x", "@x"], &["", "x", ".example", "@host.example", "host.example"]]
        }
        Kind::Text(Text::Path) => {
            [&["", "C:\\Data\\", "/data", "/data/"], &["", "x", "\\x\\"], &["", "x", "\\x", "/x"]]
        }
        Kind::Text(Text::RegistryKey) => {
            [&["", "HKEY_LOCAL_MACHINE\\", "HKEY_LOCAL_MACHINE\\Software\\"], &["", "x", "\\x\\"], &["", "x", "\\x"]]
        }
        _ => [&["", "x", "xyz "], &["", "x", " xyz "], &["", "x", " xyz"]],
    }
}

/// Texts that fit, those first that suit the kind of property. Where `%` stands, there is nothing, then something.
pub(super) fn texts(pattern: &LikePattern, kind: &Kind) -> Vec<String> {
    let [front, between, end] = fillers(kind);
    // An underscore is often meant as one: `HKEY_LOCAL_MACHINE`.
    let ones = if matches!(kind, Kind::Text(Text::Ipv4Address)) { ["1", "_"] } else { ["a", "_"] };
    let parts = pattern.parts();
    let has_front = parts.first() == Some(&LikePart::Any);
    let has_end = parts.len() > 1 && parts.last() == Some(&LikePart::Any);
    let middle = &parts[usize::from(has_front)..parts.len() - usize::from(has_end)];
    let choose = |fillers: &'static [&'static str], is_asked: bool| if is_asked { fillers } else { &[""] };
    let mut texts: Vec<String> = Vec::new();
    for between in choose(between, middle.contains(&LikePart::Any)) {
        for front in choose(front, has_front) {
            for end in choose(end, has_end) {
                for one in &ones[..if middle.contains(&LikePart::One) { 2 } else { 1 }] {
                    let middle = middle.iter().map(|part| match part {
                        LikePart::Text(text) => text.as_str(),
                        LikePart::One => one,
                        LikePart::Any => between,
                    });
                    texts.push([*front].into_iter().chain(middle).chain([*end]).collect());
                }
            }
        }
    }
    texts.sort_by_key(|text| !kind.suits(&Json::from(text.as_str())));
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_suit_the_property() {
        let first = |like, kind| texts(&LikePattern::parse(like), &Kind::Text(kind)).remove(0);
        assert_eq!(first("%.evil.example", Text::DomainName), "www.evil.example");
        assert_eq!(first("%invoice%", Text::Plain), "invoice");
        assert_eq!(first("198.51.100.%", Text::Ipv4Address), "198.51.100.7");
        assert_eq!(first("a_c%", Text::Plain), "aac");
        assert_eq!(first("%", Text::Plain), "x");
    }
}
