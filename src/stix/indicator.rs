//! Indicators (STIX 2.1, section 4.7; STIX 2.0 part 2, section 2.5).

use std::borrow::Cow;

use serde::{
    Deserialize,
    de::{IgnoredAny, MapAccess},
};
use smallvec::SmallVec;

use super::{
    codes,
    fault::{ObjectError, ObjectErrorKind},
    lenient::{self, Flag, Lenient, Percentage, Reading, Text},
    object,
    timestamp::Timestamp,
};
use crate::diagnostic::Diagnostic;

/// An indicator, borrowed from the text that it was parsed from wherever that holds no escape.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Indicator<'a> {
    /// The identifier, as it was sent: an opaque text, which need not hold a UUID.
    pub id: Cow<'a, str>,
    /// The pattern, in the language that `pattern_type` names.
    pub pattern: Cow<'a, str>,
    /// The language of the pattern; STIX where the feed does not say (STIX 2.0 knows no other).
    pub pattern_type: PatternType,
    /// The version of that language.
    pub pattern_version: Option<Cow<'a, str>>,
    /// A short name; half of all indicators in public feeds have none.
    pub name: Option<Cow<'a, str>>,
    /// What it is about, in any length.
    pub description: Option<Cow<'a, str>>,
    /// When the object was made.
    pub created: Option<Timestamp>,
    /// When this version of the object was made.
    pub modified: Option<Timestamp>,
    /// The identity that made it.
    pub created_by_ref: Option<Cow<'a, str>>,
    /// Whether its maker took it back.
    pub revoked: bool,
    /// Free labels; in STIX 2.0 the types of indicator.
    pub labels: SmallVec<[Cow<'a, str>; 1]>,
    /// The types of indicator of STIX 2.1.
    pub indicator_types: SmallVec<[Cow<'a, str>; 1]>,
    /// How sure its maker is, 0 to 100.
    pub confidence: Option<u8>,
    /// From when on it counts.
    pub valid_from: Option<Timestamp>,
    /// From when on it counts no more.
    pub valid_until: Option<Timestamp>,
    /// How bad OpenCTI says it is, 0 to 100 (`x_opencti_score`).
    pub score: Option<u8>,
    /// Whether OpenCTI says that it is for detection (`x_opencti_detection`).
    pub detection: Option<bool>,
    /// The phases of attacks that it belongs to.
    pub kill_chain_phases: SmallVec<[KillChainPhase<'a>; 1]>,
    /// Where more is told.
    pub external_references: SmallVec<[ExternalReference<'a>; 1]>,
    /// Markings of the whole object and of parts of it (`granular_markings`), by identifier.
    pub object_marking_refs: SmallVec<[Cow<'a, str>; 1]>,
    /// The language of its texts, as RFC 5646 writes it.
    pub lang: Option<Cow<'a, str>>,
    /// What was sent in a form that can't be used and is not needed, so that it was left out.
    pub diagnostics: Vec<Diagnostic>,
}

/// The language of a pattern (`pattern_type`; STIX 2.1, section 10.18).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PatternType {
    /// STIX patterning.
    Stix,
    /// A Sigma rule.
    Sigma,
    /// A Suricata rule.
    Suricata,
    /// A Snort rule.
    Snort,
    /// A YARA rule.
    Yara,
    /// Any other, as it was sent.
    Other(String),
}

impl PatternType {
    /// The language of that name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name.trim() {
            // `stix2` is how some write the version into the name.
            known
                if ["stix", "stix2", "stix 2", "stix2.0", "stix2.1"]
                    .iter()
                    .any(|name| known.eq_ignore_ascii_case(name)) =>
            {
                Self::Stix
            }
            known if known.eq_ignore_ascii_case("sigma") => Self::Sigma,
            known if known.eq_ignore_ascii_case("suricata") => Self::Suricata,
            known if known.eq_ignore_ascii_case("snort") => Self::Snort,
            known if known.eq_ignore_ascii_case("yara") => Self::Yara,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The name that the standard gives it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Stix => "stix",
            Self::Sigma => "sigma",
            Self::Suricata => "suricata",
            Self::Snort => "snort",
            Self::Yara => "yara",
            Self::Other(name) => name,
        }
    }
}

/// Whether an indicator counts at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It counts.
    Active,
    /// Its `valid_until` has come.
    Expired,
    /// Its `valid_from` has not come yet.
    Pending,
    /// Its maker took it back.
    Revoked,
    /// It describes what is harmless, or is not meant for detection: no rule may be made of it.
    Benign,
}

/// A phase of an attack (STIX 2.1, section 2.11).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KillChainPhase<'a> {
    /// The kill chain, such as `mitre-attack`.
    pub kill_chain_name: Cow<'a, str>,
    /// The phase within it.
    pub phase_name: Cow<'a, str>,
}

/// A pointer to something outside of STIX (STIX 2.1, section 2.5).
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct ExternalReference<'a> {
    /// Who tells it.
    pub source_name: Option<Cow<'a, str>>,
    /// Where to read it.
    pub url: Option<Cow<'a, str>>,
    /// What it is called there.
    pub external_id: Option<Cow<'a, str>>,
}

impl<'a> Indicator<'a> {
    /// Parses one object.
    ///
    /// # Errors
    /// If the text is not JSON, is no indicator, has no usable `id` or `pattern`, or gives a property that decides on
    /// its meaning twice or in the wrong type. Any other property that can't be used is left out, with a diagnostic.
    pub fn parse(raw: &'a [u8]) -> Result<Self, ObjectError> {
        let sent: Sent<'a> = object::parse(raw)?;
        sent.into_indicator().map_err(|kind| ObjectError::new(raw, kind))
    }

    /// An indicator that is a pattern and nothing else: one from the command line or from a list.
    #[must_use]
    pub fn bare(id: &'a str, pattern: &'a str) -> Self {
        Self {
            id: id.into(),
            pattern: pattern.into(),
            pattern_type: PatternType::Stix,
            pattern_version: None,
            name: None,
            description: None,
            created: None,
            modified: None,
            created_by_ref: None,
            revoked: false,
            labels: SmallVec::default(),
            indicator_types: SmallVec::default(),
            confidence: None,
            valid_from: None,
            valid_until: None,
            score: None,
            detection: None,
            kill_chain_phases: SmallVec::default(),
            external_references: SmallVec::default(),
            object_marking_refs: SmallVec::default(),
            lang: None,
            diagnostics: Vec::new(),
        }
    }

    /// What kind of indicator it is: `indicator_types`, then those labels that are not among them.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        let labels = self.labels.iter().filter(|label| !self.indicator_types.contains(label));
        self.indicator_types.iter().chain(labels).map(AsRef::as_ref)
    }

    /// The type or label that says that it is not one of harm.
    #[must_use]
    pub fn benign_type(&self) -> Option<&str> {
        self.types().find(|name| is_benign(name))
    }

    /// Whether it counts at the time `now`.
    ///
    /// Revoked comes before benign, and benign before expired.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        if self.revoked {
            Status::Revoked
        } else if self.benign_type().is_some() {
            Status::Benign
        } else if self.valid_until.is_some_and(|until| until <= now) {
            Status::Expired
        } else if self.valid_from.is_some_and(|from| from > now) {
            Status::Pending
        } else {
            Status::Active
        }
    }
}

/// Whether a type or label says that the indicator is not one of harm. MISP marks what is not meant for detection by
/// `misp:to_ids="False"`.
fn is_benign(label: &str) -> bool {
    label.eq_ignore_ascii_case("benign") || label.eq_ignore_ascii_case("misp:to_ids=\"False\"")
}

/// The properties of an indicator as they were sent.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Sent<'a> {
    #[serde(borrow, rename = "type")]
    object_type: Reading<Text<'a>>,
    #[serde(borrow)]
    id: Reading<Text<'a>>,
    #[serde(borrow)]
    pattern: Reading<Text<'a>>,
    #[serde(borrow)]
    pattern_type: Reading<Text<'a>>,
    #[serde(borrow)]
    pattern_version: Reading<Text<'a>>,
    #[serde(borrow)]
    name: Reading<Text<'a>>,
    #[serde(borrow)]
    description: Reading<Text<'a>>,
    created: Reading<Timestamp>,
    modified: Reading<Timestamp>,
    #[serde(borrow)]
    created_by_ref: Reading<Text<'a>>,
    revoked: Reading<Flag>,
    #[serde(borrow)]
    labels: Reading<SmallVec<[Text<'a>; 1]>>,
    #[serde(borrow)]
    indicator_types: Reading<SmallVec<[Text<'a>; 1]>>,
    confidence: Reading<Percentage>,
    valid_from: Reading<Timestamp>,
    valid_until: Reading<Timestamp>,
    x_opencti_score: Reading<Percentage>,
    x_opencti_detection: Reading<Flag>,
    #[serde(borrow)]
    kill_chain_phases: Reading<SmallVec<[KillChainPhase<'a>; 1]>>,
    #[serde(borrow)]
    external_references: Reading<SmallVec<[ExternalReference<'a>; 1]>>,
    #[serde(borrow)]
    object_marking_refs: Reading<SmallVec<[Text<'a>; 1]>>,
    #[serde(borrow)]
    granular_markings: Reading<SmallVec<[MarkingRef<'a>; 1]>>,
    #[serde(borrow)]
    lang: Reading<Text<'a>>,
}

impl<'a> Sent<'a> {
    fn into_indicator(self) -> Result<Indicator<'a>, ObjectErrorKind> {
        if !matches!(&self.object_type, Reading::Value(Text(name)) if name == "indicator") {
            return Err(ObjectErrorKind::Type { expected: "indicator" });
        }
        let id = needed("id", self.id)?;
        let pattern = needed("pattern", self.pattern)?;
        // A pattern of unknown language must not be read as STIX, nor may one that could be revoked count.
        let pattern_type = match self.pattern_type {
            Reading::Absent => PatternType::Stix,
            named => PatternType::from_name(&needed("pattern_type", named)?),
        };
        if let Some(found) = self.revoked.wrong() {
            return Err(ObjectErrorKind::WrongType { property: "revoked", found, expected: "a boolean" });
        }
        let mut ignored = Ignored(Vec::new());
        let mut object_marking_refs = ignored.texts("object_marking_refs", self.object_marking_refs);
        if let Some(granular) = ignored.check("granular_markings", self.granular_markings) {
            granular.into_iter().for_each(|MarkingRef(marking)| object_marking_refs.push(marking));
        }
        Ok(Indicator {
            id,
            pattern,
            pattern_type,
            pattern_version: ignored.text("pattern_version", self.pattern_version),
            name: ignored.text("name", self.name),
            description: ignored.text("description", self.description),
            created: ignored.check("created", self.created),
            modified: ignored.check("modified", self.modified),
            created_by_ref: ignored.text("created_by_ref", self.created_by_ref),
            revoked: matches!(self.revoked, Reading::Value(Flag(true))),
            labels: ignored.texts("labels", self.labels),
            indicator_types: ignored.texts("indicator_types", self.indicator_types),
            confidence: ignored.check("confidence", self.confidence).map(|Percentage(value)| value),
            valid_from: ignored.check("valid_from", self.valid_from),
            valid_until: ignored.check("valid_until", self.valid_until),
            score: ignored.check("x_opencti_score", self.x_opencti_score).map(|Percentage(value)| value),
            detection: ignored.check("x_opencti_detection", self.x_opencti_detection).map(|Flag(value)| value),
            kill_chain_phases: ignored.check("kill_chain_phases", self.kill_chain_phases).unwrap_or_default(),
            external_references: ignored.check("external_references", self.external_references).unwrap_or_default(),
            object_marking_refs,
            lang: ignored.text("lang", self.lang),
            diagnostics: ignored.0,
        })
    }
}

/// A text without which there is no indicator.
fn needed<'a>(property: &'static str, reading: Reading<Text<'a>>) -> Result<Cow<'a, str>, ObjectErrorKind> {
    match reading {
        Reading::Value(Text(text)) if !text.trim_ascii().is_empty() => Ok(text),
        Reading::Value(_) | Reading::Absent => Err(ObjectErrorKind::Missing { property }),
        Reading::Partly(_, found) | Reading::Wrong(found) => {
            Err(ObjectErrorKind::WrongType { property, found, expected: "a string" })
        }
    }
}

/// Collects a diagnostic for each property that is left out.
struct Ignored(Vec<Diagnostic>);

impl Ignored {
    fn check<T>(&mut self, property: &str, reading: Reading<T>) -> Option<T> {
        if let Some(found) = reading.wrong() {
            let part = if matches!(reading, Reading::Partly(..)) { "an element of " } else { "" };
            let message = format!("{part}`{property}` is {found}, and was ignored");
            self.0.push(Diagnostic::warning(codes::IGNORED, message));
        }
        reading.value()
    }

    fn text<'a>(&mut self, property: &str, reading: Reading<Text<'a>>) -> Option<Cow<'a, str>> {
        self.check(property, reading).map(|Text(text)| text)
    }

    fn texts<'a>(&mut self, property: &str, reading: Reading<SmallVec<[Text<'a>; 1]>>) -> SmallVec<[Cow<'a, str>; 1]> {
        self.check(property, reading).unwrap_or_default().into_iter().map(|Text(text)| text).collect()
    }
}

impl<'de: 'a, 'a> Lenient<'de> for KillChainPhase<'a> {
    fn object<A: MapAccess<'de>>(map: &mut A) -> Result<Reading<Self>, A::Error> {
        let (mut kill_chain_name, mut phase_name) = (None, None);
        while let Some(key) = lenient::key(map)? {
            match key.as_ref() {
                "kill_chain_name" => kill_chain_name = lenient::text_value(map)?,
                "phase_name" => phase_name = lenient::text_value(map)?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(match (kill_chain_name, phase_name) {
            (Some(kill_chain_name), Some(phase_name)) => Reading::Value(Self { kill_chain_name, phase_name }),
            _ => Reading::Wrong("a phase without its name or its kill chain"),
        })
    }
}

impl<'de: 'a, 'a> Lenient<'de> for ExternalReference<'a> {
    fn object<A: MapAccess<'de>>(map: &mut A) -> Result<Reading<Self>, A::Error> {
        let mut reference = Self::default();
        while let Some(key) = lenient::key(map)? {
            match key.as_ref() {
                "source_name" => reference.source_name = lenient::text_value(map)?,
                "url" => reference.url = lenient::text_value(map)?,
                "external_id" => reference.external_id = lenient::text_value(map)?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Reading::Value(reference))
    }
}

/// The marking of an element of `granular_markings`; those that only name a language have none.
struct MarkingRef<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Lenient<'de> for MarkingRef<'a> {
    fn object<A: MapAccess<'de>>(map: &mut A) -> Result<Reading<Self>, A::Error> {
        let mut marking = Reading::Absent;
        while let Some(key) = lenient::key(map)? {
            match key.as_ref() {
                "marking_ref" => {
                    marking = lenient::text_value(map)?.map_or(Reading::Absent, |id| Reading::Value(Self(id)))
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(marking)
    }
}
