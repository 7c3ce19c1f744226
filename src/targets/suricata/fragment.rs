//! Fragments of rules: what one test, lowered by one mapping row, adds to the rules of its data source.

use ipnet::IpNet;

use crate::{
    diagnostic::Code,
    plan::{
        Hash, Test, Value, ValueKind,
        adapt::{NO_OPERATOR, NO_VALUE},
        fidelity::Fidelity,
    },
};

use super::{
    header::Ports,
    place::{EndOf, Requires},
    signature::Match,
    text::Keyword,
};

/// The rule does not tell the two ends of the conversation apart.
pub const DIRECTION: Code = Code("L120");
/// The place shows another form of the property than the standard's.
pub const FORM: Code = Code("L123");
/// A value that does not fit in a rule.
pub const TOO_LONG: Code = Code("L122");

/// Keywords and header fields that say what a test says.
#[derive(Debug, Clone, PartialEq)]
pub enum Fragment {
    /// Options, one of which has to hold; each makes a rule of its own.
    Options(Vec<Match>),
    /// An address.
    Address(EndOf, Vec<IpNet>, bool),
    /// A port.
    Port(EndOf, Ports),
    /// One of these protocols; each makes a rule of its own.
    Protocols(Vec<AppProtocol>),
    /// Hashes of a whole file.
    Hashes(Vec<Hash>, bool),
}

impl Fragment {
    /// Whether it goes into the header of a rule, not among its options.
    pub fn is_header(&self) -> bool {
        matches!(self, Self::Address(..) | Self::Port(..) | Self::Protocols(_))
    }

    /// The fragment, with the value of the test that each of its options asks for.
    pub fn naming(self, test: &Test) -> Self {
        match self {
            Self::Options(options) if options.len() == test.named().len() => {
                let named = options.into_iter().zip(test.named()).map(|(option, value)| match value.kind.as_text() {
                    Some(text) if option.values.is_empty() => option.naming(text),
                    _ => option,
                });
                Self::Options(named.collect())
            }
            other => other,
        }
    }

    /// The fragment, for some versions of Suricata only.
    pub fn requiring(self, requires: Option<Requires>) -> Self {
        match self {
            Self::Options(options) => {
                Self::Options(options.into_iter().map(|asked| asked.requiring(requires)).collect())
            }
            other => other,
        }
    }
}

/// A protocol of the rule language, perhaps recognised at its usual ports only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppProtocol {
    /// Its word of the rule language.
    pub protocol: Keyword,
    /// The ports at which Suricata recognises it, where it does at these only.
    pub ports: Option<Ports>,
}

/// Why a test can't be lowered: a code and one sentence.
pub type Refused = (Code, String);

/// A fragment and what it loses, or why there is none.
pub type FragmentResult = Result<(Fragment, Option<(Code, Fidelity, String)>), Refused>;

/// The refusal of an operator.
pub fn no_operator(test: &Test, place: &str) -> Refused {
    let not = if test.negated { "NOT " } else { "" };
    (NO_OPERATOR, format!("{place} can't be compared with {not}{} in a rule", test.operator))
}

/// The refusal of a value.
pub fn no_value(message: impl Into<String>) -> Refused {
    (NO_VALUE, message.into())
}

/// What `lower` makes of each value of a test; `place` is what can't be compared with none.
///
/// # Errors
/// The first refusal, or that of a test without values.
pub fn each_value<T>(
    test: &Test,
    place: &str,
    lower: impl FnMut(&Value) -> Result<T, Refused>,
) -> Result<Vec<T>, Refused> {
    if test.values.is_empty() {
        return Err(no_operator(test, place));
    }
    test.values.iter().map(lower).collect()
}

/// The text of a value, where it is one.
pub fn text_of(value: &Value) -> Option<&str> {
    match &value.kind {
        ValueKind::Text(text) => Some(text),
        _ => None,
    }
}

/// Alternatives as they are; where none may hold, one that names them all.
pub fn together(options: Vec<Match>, negated: bool) -> Vec<Match> {
    if !negated {
        return options;
    }
    vec![options.iter().fold(Match::default(), Match::and)]
}
