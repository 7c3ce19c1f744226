//! Ready-made rules on their way into files: ids and names that no other rule has, a level that the guard agrees with, and the way back
//! to the indicator.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{
    super::{identity, rule, text::YamlScalar},
    Native, STIX_ID,
    edit::{Edits, Place},
    read,
};
use crate::targets::digest::Digest;

/// The attribute for what the rule was called in the feed.
const NATIVE_ID: &str = "native_id";
/// The attribute for what the guard has to say.
const WARNING: &str = "stix_warning";

/// What a text is prepared for.
pub(in super::super) struct Preparation<'p> {
    /// The first indicator that has the text, after which ids and names are made.
    pub(in super::super) owner: &'p str,
    pub(in super::super) indicators: &'p [String],
    /// What the guard says; a rule of which it says anything tells at a lower level.
    pub(in super::super) warnings: &'p [String],
}

impl Preparation<'_> {
    /// The text with all that, and the ids of its rules. An id is kept where it is one and nobody has `taken` it.
    pub(in super::super) fn apply(&self, text: &str, taken: &mut BTreeSet<Uuid>) -> String {
        let Ok(documents) = read(text) else { return text.to_owned() };
        let characters: Vec<char> = text.chars().collect();
        let mut edits = Edits::default();
        let suffix = format!("_{}", &Digest::new([self.owner.as_bytes()]).to_string()[..12]);
        // Correlations call their rules by id or by name.
        let mut renamed: BTreeMap<String, String> = BTreeMap::new();
        for (number, document) in documents.iter().enumerate() {
            if let Some(id) = self.id(number, document, taken) {
                let scalar = YamlScalar::text(&id.to_string());
                match &document.id_at {
                    Some(place) => {
                        edits.replace(place.at.clone(), scalar.as_str().to_owned());
                        edits.add_key(&characters, document.map, NATIVE_ID, &YamlScalar::text(&place.text));
                        renamed.insert(place.text.clone(), id.to_string());
                    }
                    None => edits.add_key(&characters, document.map, "id", &scalar),
                }
            }
            if let Some(place) = &document.name {
                let name = format!("{}{suffix}", place.text);
                edits.replace(place.at.clone(), YamlScalar::text(&name).as_str().to_owned());
                renamed.insert(place.text.clone(), name);
            }
            self.say(document, &characters, &mut edits);
        }
        for place in documents.iter().flat_map(|document| &document.ties) {
            if let Some(name) = renamed.get(&place.text) {
                edits.replace(place.at.clone(), YamlScalar::text(name).as_str().to_owned());
            }
        }
        let edited = edits.apply(&characters);
        let is_good = read(&edited)
            .is_ok_and(|after| after.len() == documents.len() && after.iter().all(|document| !document.has_twins));
        if is_good { edited } else { text.to_owned() }
    }

    /// The id that a rule gets; nothing where it keeps its own.
    fn id(&self, number: usize, document: &Native, taken: &mut BTreeSet<Uuid>) -> Option<Uuid> {
        if document.id.parse().is_ok_and(|own| taken.insert(own)) {
            return None;
        }
        let id = match number {
            0 => identity::id(self.owner, "native"),
            _ => identity::id(self.owner, &format!("native.{number}")),
        };
        taken.insert(id);
        Some(id)
    }

    fn say(&self, document: &Native, text: &[char], edits: &mut Edits) {
        if !self.warnings.is_empty() {
            match &document.level {
                Some(Place { text: level, at }) => edits.replace(at.clone(), rule::lower(level).to_owned()),
                None => edits.add_key(text, document.map, "level", &YamlScalar::word("low")),
            }
            edits.add_key(text, document.map, WARNING, &YamlScalar::text(&self.warnings.join("; ")));
        }
        if !self.indicators.is_empty() {
            edits.add_key(text, document.map, STIX_ID, &YamlScalar::text(&self.indicators.join(" ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0f6b5a3c-0000-4000-8000-000000000000";

    fn rule(id: &str) -> String {
        format!(
            "title: A\nid: {id}\nlevel: high\nlogsource: {{category: dns}}\ndetection: {{s: {{query: a}}, condition: s}}\n"
        )
    }

    fn prepared(text: &str, owner: &str, warnings: &[String], taken: &mut BTreeSet<Uuid>) -> String {
        let indicators = [owner.to_owned()];
        Preparation { owner, indicators: &indicators, warnings }.apply(text, taken)
    }

    #[test]
    fn a_rule_keeps_its_id_unless_another_has_it() {
        let mut taken = BTreeSet::new();
        let first = prepared(&rule(ID), "indicator--1", &[], &mut taken);
        assert_eq!(first, format!("{}stix_id: 'indicator--1'\n", rule(ID)));
        let own = |owner| identity::id(owner, "native").to_string();
        for (id, owner) in [(ID, "indicator--2"), (&ID.to_uppercase(), "indicator--3"), ("rule one", "indicator--4")] {
            let other = prepared(&rule(id), owner, &[], &mut taken);
            assert!(other.contains(&format!("\nid: '{}'\n", own(owner))), "{other}");
            assert!(other.contains(&format!("\nnative_id: '{id}'\n")), "{other}");
        }
        let without = rule(ID).replace(&format!("id: {ID}\n"), "");
        assert!(
            prepared(&without, "indicator--5", &[], &mut taken).contains(&format!("\nid: '{}'\n", own("indicator--5")))
        );
        let two = prepared(&format!("{}\n# end\n---\n{}", rule(ID), rule(ID)), "indicator--6", &[], &mut taken);
        assert_eq!(two.matches("\nstix_id: 'indicator--6'\n").count(), 2);
        assert_eq!(two.matches("\nnative_id: ").count(), 2);
    }

    #[test]
    fn names_are_the_rules_own_and_correlations_follow() {
        let correlation =
            "title: B\ncorrelation:\n    type: temporal\n    rules:\n        - own\n        - r 2\n    timespan: 5m\n";
        let text = format!("name: own\n{}---\n{}---\n{correlation}", rule(ID), rule("r 2"));
        let mut taken = BTreeSet::new();
        let edited = prepared(&text, "indicator--1", &[], &mut taken);
        let name = edited.split("name: '").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
        assert!(name.starts_with("own_") && edited.contains(&format!("- '{name}'\n")), "{edited}");
        let second = identity::id("indicator--1", "native.1").to_string();
        assert!(edited.contains(&format!("- '{second}'\n")), "{edited}");
        assert!(!prepared(&text, "indicator--2", &[], &mut taken).contains(name));
    }

    #[test]
    fn what_is_warned_of_tells_at_a_lower_level() {
        let warnings = ["G011 a: b".to_owned()];
        let text = prepared(&rule(ID), "indicator--1", &warnings, &mut BTreeSet::new());
        assert!(text.contains("\nlevel: medium\n") && text.contains("\nstix_warning: 'G011 a: b'\n"), "{text}");
        let text = prepared(&rule(ID).replace("level: high\n", ""), "indicator--1", &warnings, &mut BTreeSet::new());
        assert!(text.contains("\nlevel: low\n"), "{text}");
        let braces = r#"{"title": "x", "id": "y", "logsource": {}, "detection": {"condition": "a"}}"#;
        let text = prepared(braces, "indicator--1", &warnings, &mut BTreeSet::new());
        assert!(text.starts_with("{\"") && text.contains("\"native_id\": 'y', ") && read(&text).is_ok(), "{text}");
    }
}
