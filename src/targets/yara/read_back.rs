//! Rules as they stand in a file: what tells one from another, what it matches, and what it only says.

use crate::targets::contract::ReadBack;

/// Reads a file of YARA rules. Their match is what stands below `strings:` and `condition:`.
pub(super) fn rules(text: &str) -> Vec<ReadBack> {
    let mut rules: Vec<ReadBack> = Vec::new();
    let mut matching = true;
    for (number, line) in text.lines().enumerate() {
        if let Some(name) = name_in(line) {
            rules.push(ReadBack { id: name.to_owned(), line: number + 1, ..ReadBack::default() });
            // A rule on one line is all match.
            matching = line.contains("condition");
        }
        // What stands before the first rule belongs to none.
        let Some(rule) = rules.last_mut() else { continue };
        match line.trim() {
            "meta:" => matching = false,
            "strings:" | "condition:" => matching = true,
            _ => {}
        }
        if let Some(value) = line.trim().strip_prefix("description = \"").and_then(|rest| rest.strip_suffix('"'))
            && !matching
        {
            rule.title = value.replace('\\', "");
        }
        if line.trim().starts_with("stix_id = ") && !matching {
            rule.indicators.extend(ReadBack::indicators(line));
        }
        let part = if matching { &mut rule.matching } else { &mut rule.details };
        part.push_str(line.trim_end());
        part.push('\n');
    }
    rules
}

fn name_in(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().skip_while(|word| matches!(*word, "private" | "global"));
    if line.starts_with(char::is_whitespace) || words.next() != Some("rule") {
        return None;
    }
    let word = words.next()?;
    let end = word.find(|one: char| !(one.is_ascii_alphanumeric() || one == '_')).unwrap_or(word.len());
    (end > 0).then(|| &word[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_told_apart() {
        let text = "import \"hash\"\n\nrule one : tag {\n    meta:\n        description = \"A\"\n    condition:\n        \
                    true\n}\nprivate rule two { condition: false }\n";
        let rules = rules(text);
        assert_eq!(rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(rules[0].title, "A");
        assert!(rules[0].matching.contains("true") && !rules[0].matching.contains("tag"));
        assert!(rules[1].matching.contains("false"));
    }

    #[test]
    fn feeds_name_no_indicators() {
        const REAL: &str = "indicator--00000000-0000-4000-8000-000000000001";
        const FALSE: &str = "indicator--00000000-0000-4000-8000-000000000009";
        let text = format!(
            "rule one {{\n    meta:\n        description = \"stix_id = {FALSE}\"\n        stix_id = \"{REAL}\"\n    \
             condition:\n        \"stix_id = {FALSE}\"\n}}\n"
        );
        assert_eq!(rules(&text)[0].indicators, [REAL]);
    }
}
