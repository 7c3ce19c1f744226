//! Rules as text: what tells one from another, what it matches, and what it only says.

/// A rule of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Rule {
    /// Its id: a UUID, a sid, a name.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// The part that decides what it matches.
    pub matching: String,
    /// All else.
    pub details: String,
    /// The indicators that it says it is made from.
    pub indicators: Vec<String>,
    /// Its revision, where rules of its kind have one.
    pub revision: Option<u32>,
    /// Where it begins in its file, from 1.
    pub line: usize,
}

/// Reads a file of Sigma rules, a document each. The match is what stands below these keys.
pub(super) fn sigma(text: &str) -> Vec<Rule> {
    const MATCHING: [&str; 3] = ["logsource", "detection", "correlation"];
    let mut rules = vec![Rule { line: 1, ..Rule::default() }];
    let mut matching = false;
    for (number, line) in text.lines().enumerate() {
        if line == "---" {
            rules.push(Rule { line: number + 2, ..Rule::default() });
            continue;
        }
        let Some(rule) = rules.last_mut() else { continue };
        if let Some((key, value)) = line.split_once(':').filter(|(key, _)| is_key(key)) {
            matching = MATCHING.contains(&key);
            let value = value.trim();
            match key {
                "id" if rule.id.is_empty() => rule.id = value.to_owned(),
                // What the feed says stands in front of what stixc says.
                "description" => {
                    let named = value.rsplit_once("Compiled by stixc from ").map_or("", |(_, named)| named);
                    rule.indicators = indicators(named.split(';').next().unwrap_or_default());
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

/// Reads a line with a Suricata rule; `None` where it is none. The revision is part of the match: it grows when the match
/// has changed, also where that is in a list beside the rule.
pub(super) fn suricata(line: &str) -> Option<Rule> {
    const DETAILS: [&str; 7] = ["metadata", "reference", "classtype", "target", "priority", "msg", "sid"];
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let (header, options) = line.strip_suffix(')')?.split_once('(')?;
    let mut rule = Rule { matching: header.trim().to_owned(), ..Rule::default() };
    for option in split_options(options) {
        let (name, value) = option.split_once(':').unwrap_or((option, ""));
        match name {
            "sid" => rule.id = value.trim().to_owned(),
            "rev" => rule.revision = value.trim().parse().ok(),
            "metadata" => rule.indicators = indicators(value),
            "msg" => rule.title = value.trim_matches('"').replace('\\', ""),
            _ => {}
        }
        let part = if DETAILS.contains(&name) { &mut rule.details } else { &mut rule.matching };
        part.push_str(option);
        part.push(';');
    }
    (!rule.id.is_empty()).then_some(rule)
}

/// The options of a rule; a semicolon inside quotes or behind a backslash ends none.
fn split_options(text: &str) -> Vec<&str> {
    let (mut options, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => {
                options.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    options.push(text[start..].trim());
    options.retain(|option| !option.is_empty());
    options
}

/// Reads a file of YARA rules. Their match is what stands below `strings:` and `condition:`.
pub(super) fn yara(text: &str) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut matching = true;
    for (number, line) in text.lines().enumerate() {
        if let Some(name) = yara_name(line) {
            rules.push(Rule { id: name.to_owned(), line: number + 1, ..Rule::default() });
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
            rule.indicators.extend(indicators(line));
        }
        let part = if matching { &mut rule.matching } else { &mut rule.details };
        part.push_str(line.trim_end());
        part.push('\n');
    }
    rules
}

fn yara_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().skip_while(|word| matches!(*word, "private" | "global"));
    if line.starts_with(char::is_whitespace) || words.next() != Some("rule") {
        return None;
    }
    let word = words.next()?;
    let end = word.find(|one: char| !(one.is_ascii_alphanumeric() || one == '_')).unwrap_or(word.len());
    (end > 0).then(|| &word[..end])
}

/// The ids of indicators in a text that stixc itself wrote, in order, each once.
pub(super) fn indicators(text: &str) -> Vec<String> {
    const LENGTH: usize = "indicator--".len() + 36;
    let ids = text.match_indices("indicator--").filter_map(|(at, _)| text.get(at..at + LENGTH));
    let is_id = |id: &&str| id.bytes().skip(11).all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let mut ids: Vec<String> = ids.filter(is_id).map(str::to_owned).collect();
    ids.sort();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_in_a_text_ends_no_option() {
        let rule = suricata(
            r#"alert dns any any -> any any (msg:"a\; \"b\" (c)"; content:"x;y"; metadata:k v; sid:7; rev:2;)"#,
        )
        .unwrap();
        assert_eq!((rule.id.as_str(), rule.title.as_str(), rule.revision), ("7", "a; \"b\" (c)", Some(2)));
        assert_eq!(rule.matching, "alert dns any any -> any anycontent:\"x;y\";rev:2;");
        assert_eq!(suricata("# alert dns any any -> any any (sid:7;)"), None);
    }

    #[test]
    fn yara_rules_are_told_apart() {
        let text = "import \"hash\"\n\nrule one : tag {\n    meta:\n        description = \"A\"\n    condition:\n        \
                    true\n}\nprivate rule two { condition: false }\n";
        let rules = yara(text);
        assert_eq!(rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(rules[0].title, "A");
        assert!(rules[0].matching.contains("true") && !rules[0].matching.contains("tag"));
        assert!(rules[1].matching.contains("false"));
    }

    #[test]
    fn sigma_keys_divide_the_rule() {
        let text =
            "title: 'It''s'\nid: x\nlogsource:\n    category: dns\ndetection:\n    a: 1\nlevel: low\n---\nid: y\n";
        let [rule, other] = sigma(text).try_into().unwrap();
        assert_eq!((other.id.as_str(), other.line), ("y", 9));
        assert_eq!((rule.id.as_str(), rule.title.as_str()), ("x", "It's"));
        assert_eq!(rule.matching, "logsource:\n    category: dns\ndetection:\n    a: 1\n");
    }

    #[test]
    fn feeds_name_no_indicators() {
        const REAL: &str = "indicator--00000000-0000-4000-8000-000000000001";
        const FALSE: &str = "indicator--00000000-0000-4000-8000-000000000009";
        let text = format!("alert ip any any -> any any (msg:\"{FALSE}\"; metadata:stix_id {REAL}; sid:7; rev:1;)");
        assert_eq!(suricata(&text).unwrap().indicators, [REAL]);
        let said = format!("Compiled by stixc from {FALSE}; {FALSE}. Compiled by stixc from {REAL}; fidelity: exact.");
        assert_eq!(sigma(&format!("title: '{FALSE}'\nid: x\ndescription: '{said}'\n"))[0].indicators, [REAL]);
        let text = format!(
            "rule one {{\n    meta:\n        description = \"stix_id = {FALSE}\"\n        stix_id = \"{REAL}\"\n    \
             condition:\n        \"stix_id = {FALSE}\"\n}}\n"
        );
        assert_eq!(yara(&text)[0].indicators, [REAL]);
    }
}
