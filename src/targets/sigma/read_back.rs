//! Rules as they stand in a file: what tells one from another, what it matches, and what it only says.

use crate::targets::contract::ReadBack;

/// Reads a file of Sigma rules, a document each. The match is what stands below these keys.
pub(super) fn rules(text: &str) -> Vec<ReadBack> {
    const MATCHING: [&str; 3] = ["logsource", "detection", "correlation"];
    let mut rules = vec![ReadBack { line: 1, ..ReadBack::default() }];
    let mut matching = false;
    for (number, line) in text.lines().enumerate() {
        if line == "---" {
            rules.push(ReadBack { line: number + 2, ..ReadBack::default() });
            continue;
        }
        let Some(rule) = rules.last_mut() else { continue };
        if let Some((key, value)) = line.split_once(':').filter(|(key, _)| is_key(key)) {
            matching = MATCHING.contains(&key);
            let value = value.trim();
            match key {
                "id" if rule.id.is_empty() => rule.id = value.trim_matches(['\'', '"']).to_owned(),
                // What the feed says stands in front of what stixc says.
                "description" => {
                    let named = value.rsplit_once("Compiled by stixc from ").map_or("", |(_, named)| named);
                    rule.indicators = ReadBack::indicators(named.split(';').next().unwrap_or_default());
                }
                "title" if rule.title.is_empty() => {
                    let plain = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(value);
                    rule.title = plain.replace("''", "'");
                }
                _ => {}
            }
        }
        let part = if matching { &mut rule.matching } else { &mut rule.details };
        part.push_str(line);
        part.push('\n');
    }
    rules.retain(|rule| !(rule.matching.is_empty() && rule.details.trim().is_empty()));
    rules
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_divide_the_rule() {
        let text =
            "title: 'It''s'\nid: x\nlogsource:\n    category: dns\ndetection:\n    a: 1\nlevel: low\n---\nid: y\n";
        let [rule, other] = rules(text).try_into().unwrap();
        assert_eq!((other.id.as_str(), other.line), ("y", 9));
        assert_eq!((rule.id.as_str(), rule.title.as_str()), ("x", "It's"));
        assert_eq!(rule.matching, "logsource:\n    category: dns\ndetection:\n    a: 1\n");
    }

    #[test]
    fn feeds_name_no_indicators() {
        const REAL: &str = "indicator--00000000-0000-4000-8000-000000000001";
        const FALSE: &str = "indicator--00000000-0000-4000-8000-000000000009";
        let said = format!("Compiled by stixc from {FALSE}; {FALSE}. Compiled by stixc from {REAL}; fidelity: exact.");
        assert_eq!(rules(&format!("title: '{FALSE}'\nid: x\ndescription: '{said}'\n"))[0].indicators, [REAL]);
    }
}
