//! Rules as they stand in a file: what tells one from another, what it matches, and what it only says.

use super::native;
use crate::targets::contract::{ReadBack, numbered};

/// The hashes of a list, each with the indicator that it names.
pub(super) fn hashes(list: &str, text: &str) -> Vec<ReadBack> {
    let hash = |(line, text): (usize, &str)| {
        let (hash, details) = text.split_once("  ")?;
        let (list, id, indicators) = (list.to_owned(), hash.to_owned(), ReadBack::indicators(details));
        Some(ReadBack { list, id, details: details.to_owned(), indicators, line, ..ReadBack::default() })
    };
    numbered(text).filter_map(hash).collect()
}

/// The rules of a file.
pub(super) fn rules(text: &str) -> Vec<ReadBack> {
    numbered(text).filter_map(|(line, text)| Some(ReadBack { line, ..rule(text)? })).collect()
}

/// Reads a line with a Suricata rule; `None` where it is none. The revision is part of the match: it grows when the match
/// has changed, also where that is in a list beside the rule.
fn rule(line: &str) -> Option<ReadBack> {
    const DETAILS: [&str; 7] = ["metadata", "reference", "classtype", "target", "priority", "msg", "sid"];
    let (header, options) = line.trim().strip_suffix(')')?.split_once('(')?;
    let mut rule = ReadBack { matching: header.trim().to_owned(), ..ReadBack::default() };
    for (name, value) in native::split(options).ok()? {
        match name {
            "sid" => rule.id = value.trim().to_owned(),
            "rev" => rule.revision = value.trim().parse().ok(),
            "metadata" => rule.indicators = ReadBack::indicators(value),
            "msg" => rule.title = value.trim_matches('"').replace('\\', ""),
            _ => {}
        }
        let part = if DETAILS.contains(&name) { &mut rule.details } else { &mut rule.matching };
        part.push_str(name);
        part.push(':');
        part.push_str(value);
        part.push(';');
    }
    (!rule.id.is_empty()).then_some(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_in_a_text_ends_no_option() {
        let text =
            r#"alert dns any any -> any any (msg:"a\; \"b\" (c)"; content:"x|3b|y"; metadata:k v; sid:7; rev:2;)"#;
        let rule = rule(text).unwrap();
        assert_eq!((rule.id.as_str(), rule.title.as_str(), rule.revision), ("7", "a; \"b\" (c)", Some(2)));
        assert_eq!(rule.matching, "alert dns any any -> any anycontent:\"x|3b|y\";rev:2;");
        assert_eq!(rules("# alert dns any any -> any any (sid:7;)\n"), []);
    }

    #[test]
    fn feeds_name_no_indicators() {
        const REAL: &str = "indicator--00000000-0000-4000-8000-000000000001";
        const FALSE: &str = "indicator--00000000-0000-4000-8000-000000000009";
        let text = format!("alert ip any any -> any any (msg:\"{FALSE}\"; metadata:stix_id {REAL}; sid:7; rev:1;)");
        assert_eq!(rules(&text)[0].indicators, [REAL]);
    }
}
