//! What the other objects of a feed say about its indicators.

use std::borrow::Cow;

use serde::{Deserialize, de::MapAccess};
use smallvec::SmallVec;

use super::{
    batch::Object,
    fault::{ObjectError, ObjectErrorKind},
    id::{Key, KeyMap},
    indicator::{ExternalReference, Indicator},
    lenient::{self, Flag, Lenient, Reading, Text},
    marking::Tlp,
    object,
    timestamp::Timestamp,
};

/// Gathers, in a first pass over a feed, what its objects other than indicators say.
///
/// The order of the objects has no influence: of several versions of one object the newest counts. Collect parts of a
/// feed on several cores and [merge](Collector::merge) them.
///
/// ```
/// use stixc::stix::{BundleReader, Collector, Indicator};
///
/// let feed = br#"[
///     {"type": "indicator", "id": "indicator--1", "pattern": "[a:b = 1]"},
///     {"type": "malware", "id": "malware--1", "name": "Sample"},
///     {"type": "relationship", "id": "relationship--1", "relationship_type": "indicates",
///      "source_ref": "indicator--1", "target_ref": "malware--1"}]"#;
/// let mut collector = Collector::default();
/// let batches: Vec<_> = BundleReader::new(feed.as_slice()).collect();
/// for object in batches.iter().flat_map(|batch| batch.objects()) {
///     collector.collect(&object).expect("a good object");
/// }
/// let context = collector.finish();
/// let first = batches[0].objects().next().expect("the indicator");
/// let indicator = Indicator::parse(first.raw).expect("a good indicator");
/// assert_eq!(context.provenance(&indicator).malware, ["Sample"]);
/// ```
#[derive(Debug, Default)]
pub struct Collector {
    /// The number of each entity that was met or pointed at.
    numbers: KeyMap<u32>,
    /// By number; nothing where it was only pointed at.
    entities: Vec<Option<Versioned>>,
    relationships: Vec<Relationship>,
}

/// The newest version of an entity that was met so far; what it says decides between two that claim the same time.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Versioned {
    pub(super) modified: Option<Timestamp>,
    entity: Entity,
    id: Box<str>,
}

/// What an object says about the indicators that point at it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entity {
    /// The name of an identity.
    Identity(Box<str>),
    /// The name of a malware.
    Malware(Box<str>),
    /// The name of a tool, a campaign, a threat actor, an intrusion set or infrastructure.
    Threat(Box<str>),
    /// The number that ATT&CK gives to an attack pattern.
    Technique(Box<str>),
    /// The level of a marking.
    Marking(Tlp),
}

impl Entity {
    fn text(&self) -> &str {
        match self {
            Self::Identity(text) | Self::Malware(text) | Self::Threat(text) | Self::Technique(text) => text,
            Self::Marking(tlp) => tlp.name(),
        }
    }
}

/// A link between an indicator and an entity, in whatever direction it was written. Feeds hold millions of them.
#[derive(Debug, Clone, Copy)]
struct Relationship {
    id: Key,
    /// Microseconds; finer differences between two versions of one relationship have no meaning.
    modified: i64,
    revoked: bool,
    entity: u32,
    indicator: Key,
}

/// What the objects of a feed say about its indicators; made by a [`Collector`].
#[derive(Debug, Default)]
pub struct Context {
    numbers: KeyMap<u32>,
    entities: Vec<Option<Versioned>>,
    /// Sorted; each goes with the entity at the same index of `related`.
    indicators: Vec<Key>,
    related: Vec<u32>,
}

/// Where an indicator comes from and what it points at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Provenance<'c> {
    /// The name of the identity that made it.
    pub creator: Option<&'c str>,
    /// The names of the malware that it indicates, sorted, each once.
    pub malware: Vec<&'c str>,
    /// The names of what else it indicates (tools, campaigns, threat actors, intrusion sets, infrastructure), sorted, each
    /// once.
    pub threats: Vec<&'c str>,
    /// The numbers of the ATT&CK techniques that it indicates, such as `T1059.001`, sorted, each once.
    pub techniques: Vec<&'c str>,
    /// The strictest of its TLP markings.
    pub tlp: Option<Tlp>,
}

impl Collector {
    /// Takes in one object, whatever it is. Indicators are passed over without a look inside.
    ///
    /// # Errors
    /// If it is of a type that matters here and its text is not JSON, or its `id` is missing.
    pub fn collect(&mut self, object: &Object<'_>) -> Result<(), ObjectError> {
        match object.object_type().as_deref() {
            Some("relationship") => self.relationship(object.raw),
            Some(name) => match Maker::from_type(name) {
                Some(maker) => self.entity(maker, object.raw),
                None => Ok(()),
            },
            None => Ok(()),
        }
    }

    fn entity(&mut self, maker: Maker, raw: &[u8]) -> Result<(), ObjectError> {
        if let Some((id, version)) = entity(maker, raw)? {
            let number = self.number(id);
            newest(&mut self.entities[number as usize], version);
        }
        Ok(())
    }

    fn relationship(&mut self, raw: &[u8]) -> Result<(), ObjectError> {
        let Some(Link { id, modified, revoked, indicator, entity }) = link(raw)? else { return Ok(()) };
        let modified = modified.map_or(i64::MIN, Timestamp::unix_microseconds);
        let entity = self.number(entity);
        self.relationships.push(Relationship { id, modified, revoked, entity, indicator });
        Ok(())
    }

    fn number(&mut self, key: Key) -> u32 {
        *self.numbers.entry(key).or_insert_with(|| {
            self.entities.push(None);
            // Each takes more than a byte of input, and memory ends long before four thousand million of them.
            u32::try_from(self.entities.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Adds what another collector gathered.
    pub fn merge(&mut self, other: Self) {
        let mut others: Vec<_> = other.entities.into_iter().map(|version| (0, version)).collect();
        for (key, number) in other.numbers {
            let (mine, version) = &mut others[number as usize];
            *mine = self.number(key);
            if let Some(version) = version.take() {
                newest(&mut self.entities[*mine as usize], version);
            }
        }
        self.relationships.extend(
            other
                .relationships
                .into_iter()
                .map(|relationship| Relationship { entity: others[relationship.entity as usize].0, ..relationship }),
        );
    }

    /// Ends the first pass.
    #[must_use]
    pub fn finish(self) -> Context {
        let Self { numbers, entities, mut relationships } = self;
        let mut keys: Vec<(u32, Key)> = numbers.iter().map(|(&key, &number)| (number, key)).collect();
        keys.sort_unstable();
        // An entity's number depends on the order of the objects, which must not decide anything: compare its key.
        relationships.sort_unstable_by_key(|relationship| {
            let Relationship { id, modified, revoked, entity, indicator } = *relationship;
            (id, modified, revoked, indicator, keys[entity as usize].1)
        });
        let newest_of_each =
            |index: usize| relationships.get(index + 1).is_none_or(|next| next.id != relationships[index].id);
        let mut links: Vec<(Key, u32)> = (0..relationships.len())
            .filter(|&index| newest_of_each(index))
            .map(|index| &relationships[index])
            .filter(|relationship| !relationship.revoked && entities[relationship.entity as usize].is_some())
            .map(|relationship| (relationship.indicator, relationship.entity))
            .collect();
        drop(relationships);
        links.sort_unstable();
        links.dedup();
        let (indicators, related) = links.into_iter().unzip();
        Context { numbers, entities, indicators, related }
    }
}

/// Reads an entity; `None` where it lacks the one property that counts.
pub(super) fn entity(maker: Maker, raw: &[u8]) -> Result<Option<(Key, Versioned)>, ObjectError> {
    let sent: SentEntity = object::parse(raw)?;
    let id = sent.id.value().ok_or_else(|| ObjectError::new(raw, ObjectErrorKind::Missing { property: "id" }))?;
    let name = sent.name.value().map(|Text(name)| name);
    // OpenCTI sends levels that version 1 lacks as statements, with the level for a name.
    let named = name.as_deref().and_then(Tlp::from_marking);
    let made = Made {
        name,
        external_references: sent.external_references.value().unwrap_or_default(),
        tlp: sent.definition.value().or(sent.extensions.value()).or(named),
    };
    let modified = sent.modified.value();
    Ok(maker.make(&made).map(|entity| (Key::new(&id.0), Versioned { modified, entity, id: (*id.0).into() })))
}

/// A relationship between an indicator and something else.
pub(super) struct Link {
    pub(super) id: Key,
    pub(super) modified: Option<Timestamp>,
    pub(super) revoked: bool,
    pub(super) indicator: Key,
    pub(super) entity: Key,
}

/// Reads a relationship; `None` where it says nothing about an indicator.
pub(super) fn link(raw: &[u8]) -> Result<Option<Link>, ObjectError> {
    let sent: SentRelationship = object::parse(raw)?;
    let (Some(Text(verb)), Some(Text(source)), Some(Text(target))) =
        (sent.relationship_type.value(), sent.source_ref.value(), sent.target_ref.value())
    else {
        return Ok(None);
    };
    // Some feeds write `malware indicates indicator`, others `indicator uses attack-pattern`.
    if !verb.eq_ignore_ascii_case("indicates") && !verb.eq_ignore_ascii_case("uses") {
        return Ok(None);
    }
    let (indicator, entity) = match (source.starts_with("indicator--"), target.starts_with("indicator--")) {
        (true, false) => (source, target),
        (false, true) => (target, source),
        _ => return Ok(None),
    };
    let id = match sent.id.value() {
        Some(Text(id)) => Key::new(&id),
        None => Key::new(&format!("{indicator} {entity}")),
    };
    Ok(Some(Link {
        id,
        modified: sent.modified.value(),
        revoked: matches!(sent.revoked, Reading::Value(Flag(true))),
        indicator: Key::new(&indicator),
        entity: Key::new(&entity),
    }))
}

fn newest(slot: &mut Option<Versioned>, version: Versioned) {
    if slot.as_ref().is_none_or(|held| *held < version) {
        *slot = Some(version);
    }
}

impl Context {
    /// What is known about an indicator.
    #[must_use]
    pub fn provenance<'c>(&'c self, indicator: &'c Indicator<'_>) -> Provenance<'c> {
        let mut provenance = Provenance {
            creator: indicator.created_by_ref.as_ref().and_then(|id| match self.entity(id) {
                Some(Entity::Identity(name)) => Some(name.as_ref()),
                _ => None,
            }),
            tlp: self.tlp(indicator),
            ..Provenance::default()
        };
        for entity in self.related(&indicator.id) {
            match entity {
                Entity::Malware(name) => provenance.malware.push(name),
                Entity::Threat(name) => provenance.threats.push(name),
                Entity::Technique(number) => provenance.techniques.push(number),
                Entity::Identity(_) | Entity::Marking(_) => {}
            }
        }
        provenance.techniques.extend(indicator.external_references.iter().filter_map(technique));
        for names in [&mut provenance.malware, &mut provenance.threats, &mut provenance.techniques] {
            names.sort_unstable();
            names.dedup();
        }
        provenance
    }

    /// The objects that say something about an indicator, and what each says: sorted, each once.
    #[must_use]
    pub fn beside<'c>(&'c self, indicator: &Indicator<'_>) -> Vec<(&'c str, &'c str)> {
        let named = indicator.created_by_ref.iter().chain(&indicator.object_marking_refs);
        let named = named.filter_map(|id| self.numbers.get(&Key::new(id)).copied());
        let all = named.chain(self.related_numbers(&indicator.id).iter().copied());
        let mut found: Vec<_> = all
            .filter_map(|number| self.entities[number as usize].as_ref())
            .map(|version| (&*version.id, version.entity.text()))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn entity(&self, id: &str) -> Option<&Entity> {
        let number = *self.numbers.get(&Key::new(id))?;
        self.entities[number as usize].as_ref().map(|version| &version.entity)
    }

    fn related_numbers(&self, indicator: &str) -> &[u32] {
        let key = Key::new(indicator);
        let first = self.indicators.partition_point(|other| *other < key);
        let count = self.indicators[first..].iter().take_while(|other| **other == key).count();
        &self.related[first..first + count]
    }

    fn related(&self, indicator: &str) -> impl Iterator<Item = &Entity> {
        self.related_numbers(indicator)
            .iter()
            .filter_map(|&number| self.entities[number as usize].as_ref().map(|version| &version.entity))
    }

    /// The strictest of the indicator's markings. MISP writes the level as a label.
    fn tlp(&self, indicator: &Indicator<'_>) -> Option<Tlp> {
        let by_reference = indicator.object_marking_refs.iter().filter_map(|id| {
            Tlp::well_known(id).or_else(|| match self.entity(id) {
                Some(Entity::Marking(tlp)) => Some(*tlp),
                _ => None,
            })
        });
        let by_label = indicator.labels.iter().filter_map(|label| labelled(label));
        by_reference.chain(by_label).max()
    }
}

/// The level in a text that begins with `TLP:`.
fn labelled(text: &str) -> Option<Tlp> {
    let begins = text.get(.."tlp:".len()).is_some_and(|start| start.eq_ignore_ascii_case("tlp:"));
    if begins { text.parse().ok() } else { None }
}

/// The number of an ATT&CK technique that a reference names.
fn technique<'r>(reference: &'r ExternalReference<'_>) -> Option<&'r str> {
    let from_mitre = reference.source_name.as_ref()?.starts_with("mitre");
    reference.external_id.as_deref().filter(|id| from_mitre && is_technique(id))
}

/// Whether `id` looks like `T1059` or `T1059.001`.
fn is_technique(id: &str) -> bool {
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    id.strip_prefix('T').is_some_and(|number| match number.split_once('.') {
        Some((technique, part)) => digits(technique, 4) && digits(part, 3),
        None => digits(number, 4),
    })
}

/// How an entity is made from an object, by the object's type.
#[derive(Debug, Clone, Copy)]
pub(super) enum Maker {
    Identity,
    Malware,
    Threat,
    Technique,
    Marking,
}

/// The properties that an entity is made from.
struct Made<'a> {
    name: Option<Cow<'a, str>>,
    external_references: SmallVec<[ExternalReference<'a>; 1]>,
    tlp: Option<Tlp>,
}

impl Maker {
    pub(super) fn from_type(object_type: &str) -> Option<Self> {
        match object_type {
            "identity" => Some(Self::Identity),
            "malware" => Some(Self::Malware),
            "tool" | "campaign" | "threat-actor" | "intrusion-set" | "infrastructure" => Some(Self::Threat),
            "attack-pattern" => Some(Self::Technique),
            "marking-definition" => Some(Self::Marking),
            _ => None,
        }
    }

    /// Nothing where the object lacks the one property that counts.
    fn make(self, made: &Made<'_>) -> Option<Entity> {
        let name = made.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        match self {
            Self::Identity => name.map(|name| Entity::Identity(name.into())),
            Self::Malware => name.map(|name| Entity::Malware(name.into())),
            Self::Threat => name.map(|name| Entity::Threat(name.into())),
            Self::Technique => {
                let referenced = made.external_references.iter().find_map(technique);
                // Some feeds only write `T1059.001: PowerShell`.
                let named = name.and_then(|name| name.split([':', ' ']).next()).filter(|number| is_technique(number));
                referenced.or(named).map(|number| Entity::Technique(number.into()))
            }
            Self::Marking => made.tlp.or_else(|| labelled(name?)).map(Entity::Marking),
        }
    }
}

/// The properties of an object that entities are made from, as they were sent.
#[derive(Deserialize, Default)]
#[serde(default)]
struct SentEntity<'a> {
    #[serde(borrow)]
    id: Reading<Text<'a>>,
    #[serde(borrow)]
    name: Reading<Text<'a>>,
    modified: Reading<Timestamp>,
    #[serde(borrow)]
    external_references: Reading<SmallVec<[ExternalReference<'a>; 1]>>,
    definition: Reading<Tlp>,
    extensions: Reading<Tlp>,
}

/// The properties of a relationship that count here, as they were sent.
#[derive(Deserialize, Default)]
#[serde(default)]
struct SentRelationship<'a> {
    #[serde(borrow)]
    id: Reading<Text<'a>>,
    modified: Reading<Timestamp>,
    revoked: Reading<Flag>,
    #[serde(borrow)]
    relationship_type: Reading<Text<'a>>,
    #[serde(borrow)]
    source_ref: Reading<Text<'a>>,
    #[serde(borrow)]
    target_ref: Reading<Text<'a>>,
}

/// Reads the level from `{"tlp": "amber"}` (version 1) or `{"extension-definition--…": {"tlp_2_0": "amber"}}` (version 2).
impl<'de> Lenient<'de> for Tlp {
    fn object<A: MapAccess<'de>>(map: &mut A) -> Result<Reading<Self>, A::Error> {
        let mut level = Reading::Absent;
        while let Some(key) = lenient::key(map)? {
            let inner = if key.eq_ignore_ascii_case("tlp") || key == "tlp_2_0" {
                lenient::text_value(map)?.and_then(|text| text.parse().ok())
            } else if key == "statement" {
                lenient::text_value(map)?.and_then(|text| Tlp::from_marking(&text))
            } else {
                map.next_value::<Reading<Self>>()?.value()
            };
            if let Some(inner) = inner {
                level = Reading::Value(inner);
            }
        }
        Ok(level)
    }
}
