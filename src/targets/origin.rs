//! Where rules come from.

use crate::stix::{Timestamp, Tlp};

/// Where a rule comes from. All texts are feed text: they reach an output through an escaping type only.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Origin {
    /// The id of the first indicator: the one created first, then the one with the smallest id. Rule ids derive from it,
    /// so that an indicator that joins later changes none.
    pub id: String,
    /// Ids of all indicators with this pattern, sorted; the first one's among them.
    pub sources: Vec<String>,
    /// The indicator's name, or one made from the pattern. Never empty.
    pub name: String,
    /// Empty where the indicator has none.
    pub description: String,
    /// URLs of external references, in the indicator's order.
    pub references: Vec<String>,
    /// Labels and indicator types.
    pub labels: Vec<String>,
    /// 0 to 100, where given.
    pub confidence: Option<u8>,
    /// The strictest marking, where there is one.
    pub tlp: Option<Tlp>,
    /// When the indicator was made.
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub modified: Option<Timestamp>,
    /// When it ends, where it does.
    pub valid_until: Option<Timestamp>,
    /// The name behind `created_by_ref`; empty where unknown.
    pub creator: String,
    /// Names of the malware that it indicates, sorted.
    pub malware: Vec<String>,
    /// Names of campaigns, intrusion sets, actors and tools that it indicates, sorted.
    pub threats: Vec<String>,
    /// ATT&CK technique ids that it indicates (`T1059.001`), sorted.
    pub techniques: Vec<String>,
    /// The pattern as the indicator has it.
    pub pattern: String,
}

impl Origin {
    /// The ids of the indicators.
    #[must_use]
    pub fn indicators(&self) -> &[String] {
        if self.sources.is_empty() { std::slice::from_ref(&self.id) } else { &self.sources }
    }
}
