//! What someone asks for.

use super::index::Named;
use crate::pattern::lenient::refanged;

/// What a question is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// An indicator, by its id.
    Indicator(String),
    /// A rule by its UUID, number or name, or a value that looks like one.
    Rule(String),
    /// A value: an address, a prefix, a name, a URL, a hash, a text.
    Value(String),
}

/// A question as it was typed, and how it was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What it is about.
    pub subject: Subject,
    /// Whether signs that keep a value from being clicked were taken away.
    pub refanged: bool,
    pub(super) values: Vec<Named>,
    /// Spellings that rules may hold, in small letters.
    words: Vec<String>,
}

impl Question {
    /// Reads a question.
    ///
    /// ```
    /// use stixc::trace::{Question, Subject};
    /// assert_eq!(Question::parse("1584486").subject, Subject::Rule("1584486".into()));
    /// let question = Question::parse(" hxxp://evil[.]example/a ");
    /// assert!(question.refanged);
    /// assert_eq!(question.subject, Subject::Value("http://evil.example/a".into()));
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let typed = text.trim();
        let refanged = refanged(typed);
        let is_defanged = refanged.is_some();
        let text = refanged.unwrap_or_else(|| typed.to_owned());
        let subject = if text.starts_with("indicator--") {
            Subject::Indicator(text.clone())
        } else if is_rule(&text) {
            Subject::Rule(text.clone())
        } else {
            Subject::Value(text.clone())
        };
        let values = spellings(&text);
        let spelled = values.iter().map(Named::to_string).chain([text.clone(), text.replace('\\', "\\\\")]);
        let mut words: Vec<String> = spelled.map(|word| word.to_ascii_lowercase()).collect();
        words.sort();
        words.dedup();
        words.retain(|word| !word.is_empty());
        Self { subject, refanged: is_defanged, values, words }
    }

    /// Whether the text of a rule holds what was asked for, and not as a part of something longer.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let goes_on = |one: char| one.is_alphanumeric() || matches!(one, '.' | '-' | '_');
        self.words.iter().any(|word| {
            text.match_indices(word.as_str())
                .any(|(at, _)| !text[..at].ends_with(goes_on) && !text[at + word.len()..].starts_with(goes_on))
        })
    }

    /// What was asked for, as it is looked up.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.subject {
            Subject::Indicator(text) | Subject::Rule(text) | Subject::Value(text) => text,
        }
    }
}

/// A UUID, a number that a sid can be, or a name of YARA.
fn is_rule(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok_and(|_| text.len() == 36)
        || (text.parse::<u32>().is_ok() && text.bytes().all(|byte| byte.is_ascii_digit()))
        || text.starts_with("indicator_")
}

/// The forms in which patterns and lists hold a value: as it is, and as a name, a hash or an address.
fn spellings(text: &str) -> Vec<Named> {
    let small = text.to_ascii_lowercase();
    let name = crate::plan::DomainName::parse(text).map(|name| Named::domain(&name));
    let mut all = vec![Named::entry(text)];
    all.extend([Some(Named::entry(&small)), name].into_iter().flatten());
    let mut kept: Vec<Named> = Vec::new();
    for one in all {
        if !kept.contains(&one) {
            kept.push(one);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_longer_word_is_another_word() {
        let is_in = |question, text| Question::parse(question).is_in(text);
        assert!(is_in("EVIL.example", "content:\"evil.example\"; bsize:12;"));
        assert!(!is_in("evil.example", "content:\"notevil.example\"; content:\"www.evil.example\""));
        assert!(!is_in("198.51.100.7", "[198.51.100.70,198.51.100.77]"));
        assert!(is_in("198.51.100.7", "[198.51.100.70,198.51.100.7]"));
        assert!(is_in("C:\\a.exe", "Image: 'c:\\\\A.exe'"));
        assert!(!is_in("", "text"));
    }
}
