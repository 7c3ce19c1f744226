//! Changes to the text of a ready-made rule that leave all else of it as it is.

use std::ops::Range;

use super::super::text::YamlScalar;

/// A scalar of a rule, and where it stands, in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) text: String,
    pub(super) at: Range<usize>,
}

/// Where a document's map lies, in characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The column of its keys.
    pub(super) indent: usize,
}

/// A text with some of its pieces replaced.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    pub(super) fn replace(&mut self, at: Range<usize>, with: String) {
        self.0.push((at, with));
    }

    /// Adds a key to the map of a document: at its end, or at its beginning where it is written in braces.
    pub(super) fn add_key(&mut self, text: &[char], map: Extent, key: &str, value: &YamlScalar) {
        if text.get(map.start) == Some(&'{') {
            self.replace(map.start + 1..map.start + 1, format!("\"{key}\": {}, ", value.as_str()));
            return;
        }
        // What stands between the last value and the end of the map are blank lines and comments.
        let mut end = map.end.min(text.len());
        while end > map.start && text[end - 1].is_whitespace() {
            end -= 1;
        }
        let line = format!("\n{}{key}: {}", " ".repeat(map.indent), value.as_str());
        self.replace(end..end, line);
    }

    pub(super) fn apply(mut self, text: &[char]) -> String {
        self.0.sort_by_key(|(at, _)| at.start);
        let (mut edited, mut done) = (String::with_capacity(text.len() + 64), 0);
        for (at, with) in self.0 {
            edited.extend(text.get(done..at.start).unwrap_or_default());
            edited.push_str(&with);
            done = at.end;
        }
        edited.extend(text.get(done..).unwrap_or_default());
        edited
    }
}

/// A date as Sigma writes it: `2024-01-31`. `None` where none can be meant.
pub(super) fn date(text: &str) -> Option<String> {
    let day = text.trim().get(..10)?.replace('/', "-");
    day.parse::<jiff::civil::Date>().ok().map(|day| day.to_string())
}

/// A tag as Sigma writes it, a namespace and a name in lower case: `attack.defense-evasion`. `None` where none can be meant.
pub(super) fn tag(text: &str) -> Option<String> {
    let lower = text.trim().to_ascii_lowercase();
    let plain: String = lower
        .chars()
        .map(|one| match one {
            'a'..='z' | '0'..='9' | '.' | '-' => one,
            '_' if !lower.starts_with("attack.") => one,
            _ => '-',
        })
        .collect();
    let (space, name) = plain.split_once('.')?;
    (!space.is_empty() && !name.is_empty()).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_tags_in_other_spellings() {
        assert_eq!(date("2024/01/31").as_deref(), Some("2024-01-31"));
        assert_eq!(date("2024-01-31T10:00:00Z").as_deref(), Some("2024-01-31"));
        assert_eq!(date("31.01.2024"), None);
        assert_eq!(date("2024/02/31"), None);
        assert_eq!(tag("attack.Defense_Evasion").as_deref(), Some("attack.defense-evasion"));
        assert_eq!(tag("CVE.2024 1"), Some("cve.2024-1".to_owned()));
        assert_eq!(tag("car.2016-04_a").as_deref(), Some("car.2016-04_a"));
        assert_eq!(tag("malware"), None);
    }
}
