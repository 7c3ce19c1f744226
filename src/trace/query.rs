//! What someone asks for.

use super::index::NamedValue;
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
pub struct Query {
    /// What it is about.
    pub subject: Subject,
    /// Whether signs that keep a value from being clicked were taken away.
    pub refanged: bool,
    /// What it may be as a value, in all spellings.
    pub(super) values: Vec<NamedValue>,
}

impl Query {
    /// Reads a question.
    ///
    /// ```
    /// use stixc::trace::{Query, Subject};
    /// assert_eq!(Query::parse("1584486").subject, Subject::Rule("1584486".into()));
    /// let question = Query::parse(" hxxp://evil[.]example/a ");
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
        Self { subject, refanged: is_defanged, values }
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
fn spellings(text: &str) -> Vec<NamedValue> {
    let small = text.to_ascii_lowercase();
    let name = crate::plan::DomainName::parse(text).map(|name| NamedValue::domain(&name));
    // A path begins like a URL, and an address with a length that it can't have is one.
    let mut all = vec![NamedValue::entry(text), NamedValue::Text(text.to_owned())];
    all.extend([Some(NamedValue::entry(&small)), name].into_iter().flatten());
    let mut kept: Vec<NamedValue> = Vec::new();
    for one in all {
        if !kept.contains(&one) {
            kept.push(one);
        }
    }
    kept
}
