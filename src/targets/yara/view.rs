//! What the template of a rule sees.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::{
    draft::Draft,
    text::{LONGEST_TEXT, YaraIdentifier, YaraString},
};
use crate::targets::contract::{Lowered, Origin};

/// A rule. Each text in it is made by an escaping type.
#[derive(Serialize)]
pub(super) struct RuleView {
    name: String,
    tags: Tags,
    meta: Vec<Meta>,
    condition: Vec<String>,
}

impl RuleView {
    pub(super) fn new(origin: &Origin, lowered: &Lowered<Draft>, draft: &Draft) -> Self {
        Self {
            name: rule_name(&origin.id),
            tags: Tags::new(origin),
            meta: meta(origin, lowered),
            condition: draft.condition.clone(),
        }
    }

    /// The rule's name, which is its id too.
    pub(super) fn id(&self) -> &str {
        &self.name
    }
}

/// `indicator_` and the UUID, or `stixc_` and a UUID made from an id of another form. No reserved word has either prefix.
fn rule_name(id: &str) -> String {
    match canonical(id) {
        Some(uuid) => format!("indicator_{}", uuid.replace('-', "_")),
        None => format!("stixc_{}", made(id).hyphenated().to_string().replace('-', "_")),
    }
}

/// The UUID of an id as the standard writes it. Other spellings of the same UUID are other ids.
fn canonical(id: &str) -> Option<&str> {
    let uuid = id.strip_prefix("indicator--")?;
    (Uuid::try_parse(uuid).ok()?.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == uuid).then_some(uuid)
}

fn made(id: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, id.as_bytes())
}

/// Tags behind the name, with a space before each: unique, and names all of them.
struct Tags(String);

impl Tags {
    fn new(origin: &Origin) -> Self {
        let texts = origin.labels.iter().chain(&origin.malware).chain(&origin.threats).chain(&origin.techniques);
        let tags: BTreeSet<YaraIdentifier> = texts.filter_map(|text| YaraIdentifier::from_text(text)).collect();
        Self(tags.iter().fold(String::new(), |all, tag| all + " " + tag.as_str()))
    }
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A line of metadata.
struct Meta(String);

impl Meta {
    fn text(key: &str, text: &str) -> Self {
        Self(format!("{key} = {}", YaraString::cut(text)))
    }
}

impl Serialize for Meta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

fn meta(origin: &Origin, lowered: &Lowered<Draft>) -> Vec<Meta> {
    let mut meta = Vec::with_capacity(12);
    let mut text = |key: &str, text: &str| {
        if !text.is_empty() {
            meta.push(Meta::text(key, text));
        }
    };
    // Tools show the description, so there is always one.
    if origin.description.is_empty() {
        text("description", &origin.name);
    } else {
        text("name", &origin.name);
        text("description", &origin.description);
    }
    text("author", &origin.creator);
    origin.sources.iter().for_each(|id| text("stix_id", id));
    // Half an address leads nowhere.
    origin.references.iter().filter(|url| url.len() <= LONGEST_TEXT).for_each(|url| text("reference", url));
    text("date", &origin.created.map(|created| created.date()).unwrap_or_default());
    text("modified", &origin.modified.map(|modified| modified.date()).unwrap_or_default());
    text("valid_until", &origin.valid_until.map(|end| end.date()).unwrap_or_default());
    text("tlp", origin.tlp.map(|tlp| tlp.name()).unwrap_or_default());
    origin.malware.iter().for_each(|name| text("malware", name));
    origin.threats.iter().for_each(|name| text("threat", name));
    origin.techniques.iter().for_each(|id| text("technique", id));
    text("fidelity", lowered.fidelity.name());
    lowered.losses.iter().for_each(|loss| text("loss", &format!("{}: {}", loss.code, loss.message)));
    if let Some(confidence) = origin.confidence {
        meta.push(Meta(format!("confidence = {confidence}")));
    }
    meta
}
