//! Observed data: what was seen, when, and how often (STIX 2.1, section 4.14; STIX 2.0, section 2.8).

use std::{collections::HashMap, io::Read};

use super::{
    error::{BAD_OBSERVATION, DANGLING},
    value::{Map, Value},
};
use crate::{
    diagnostic::Diagnostic,
    stix::{BundleReader, Fault, Object, Timestamp},
};

/// One observed-data object.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Its id; empty where it has none.
    pub id: String,
    /// When it was first seen.
    pub first_observed: Timestamp,
    /// When it was last seen; never before `first_observed`.
    pub last_observed: Timestamp,
    /// How often; at least 1.
    pub number_observed: u64,
    /// Objects of STIX 2.0, by the keys that their references use.
    objects: Map,
    /// Objects of STIX 2.1, by their places in [`Observations::graph`].
    roots: Vec<usize>,
}

/// A set of observed data that patterns are held against.
///
/// ```
/// use stixc::evaluate::Observations;
///
/// let data = br#"{"type": "observed-data", "id": "observed-data--1", "number_observed": 2,
///     "first_observed": "2024-01-01T00:00:00Z", "last_observed": "2024-01-01T00:00:05Z",
///     "objects": {"0": {"type": "domain-name", "value": "evil.example"}}}"#;
/// let (observations, faults) = Observations::read(data.as_slice());
/// assert_eq!(observations.len(), 1);
/// assert!(faults.is_empty());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Observations {
    pub(super) all: Vec<Observation>,
    /// All other objects of the input.
    graph: Vec<Map>,
    ids: HashMap<Box<str>, usize>,
}

/// Observed data of an input before its references are resolved.
struct Unresolved {
    observation: Observation,
    refs: Vec<Box<str>>,
    fault: Box<dyn Fn(Diagnostic) -> Fault>,
}

impl Observations {
    /// Reads all observed-data objects of an input (a bundle, a list, objects one after the other), with the objects
    /// that they refer to. What is wrong with one of them is reported, and that one left out.
    ///
    /// An object that is given twice counts once, in its last version in the input.
    pub fn read(reader: impl Read) -> (Self, Vec<Fault>) {
        let mut read = Self::default();
        let mut faults = Vec::new();
        let mut found = Vec::new();
        for batch in BundleReader::new(reader) {
            faults.extend(batch.faults.iter().cloned());
            for object in batch.objects() {
                match (serde_json::from_slice(object.raw), object.object_type().as_deref()) {
                    (Ok(Value::Map(map)), Some("observed-data")) => match observation(&map, &object) {
                        Ok(one) => found.push(one),
                        Err(fault) => faults.push(fault),
                    },
                    (Ok(Value::Map(map)), _) => read.add_object(map),
                    (Ok(_), _) => {}
                    (Err(error), _) => {
                        let message = format!("the object is not JSON: {error}");
                        faults.push(at(&object, None)(Diagnostic::error(crate::stix::codes::BAD_OBJECT, message)));
                    }
                }
            }
        }
        let mut places: HashMap<String, usize> = HashMap::new();
        for Unresolved { mut observation, refs, fault } in found {
            for id in refs {
                match read.ids.get(&id) {
                    Some(root) => observation.roots.push(*root),
                    None => {
                        faults.push(fault(Diagnostic::warning(DANGLING, format!("`{id}` is not among the objects"))));
                    }
                }
            }
            match places.get(&observation.id) {
                Some(place) => read.all[*place] = observation,
                None => {
                    if !observation.id.is_empty() {
                        places.insert(observation.id.clone(), read.all.len());
                    }
                    read.all.push(observation);
                }
            }
        }
        (read, faults)
    }

    fn add_object(&mut self, map: Map) {
        let Some(id) = map.text("id").map(Box::from) else { return };
        match self.ids.get(&id) {
            Some(place) => self.graph[*place] = map,
            None => {
                self.ids.insert(id, self.graph.len());
                self.graph.push(map);
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The observation at `index`, counted from 0 in the order of the input.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Observation> {
        self.all.get(index)
    }

    /// The objects of an observation that patterns speak of.
    pub(super) fn roots<'a>(&'a self, observation: &'a Observation) -> impl Iterator<Item = &'a Map> {
        let inline = observation.objects.iter().filter_map(|(_, value)| match value {
            Value::Map(map) => Some(map),
            _ => None,
        });
        inline.chain(observation.roots.iter().map(|root| &self.graph[*root]))
    }

    /// The object that a reference inside an observation names.
    pub(super) fn resolve<'a>(&'a self, observation: &'a Observation, reference: &str) -> Option<&'a Map> {
        match observation.objects.get(reference) {
            Some(Value::Map(map)) => Some(map),
            _ => self.ids.get(reference).map(|place| &self.graph[*place]),
        }
    }
}

/// Makes faults about an object.
fn at(object: &Object<'_>, id: Option<String>) -> impl Fn(Diagnostic) -> Fault + 'static {
    let (offset, line) = (object.offset, object.line());
    move |diagnostic| Fault { offset, line, id: id.clone(), diagnostic }
}

fn observation(map: &Map, object: &Object<'_>) -> Result<Unresolved, Fault> {
    let id = map.text("id").unwrap_or_default().to_owned();
    let fault = at(object, Some(id.clone()).filter(|id| !id.is_empty()));
    let bad = |message: String| fault(Diagnostic::error(BAD_OBSERVATION, message));
    let time = |property: &str| match map.get(property) {
        Some(Value::Text(text)) => {
            text.parse::<Timestamp>().map_err(|error| bad(format!("`{property}` is {error}: {text}")))
        }
        Some(_) => Err(bad(format!("`{property}` is no string"))),
        None => Err(bad(format!("`{property}` is missing"))),
    };
    let (first_observed, last_observed) = (time("first_observed")?, time("last_observed")?);
    if last_observed < first_observed {
        return Err(bad("`last_observed` is before `first_observed`".to_owned()));
    }
    let number_observed = match map.get("number_observed") {
        Some(Value::Integer(number)) if *number >= 1 => u64::try_from(*number).unwrap_or(u64::MAX),
        Some(_) => return Err(bad("`number_observed` is no integer from 1 up".to_owned())),
        None => return Err(bad("`number_observed` is missing".to_owned())),
    };
    let objects = match map.get("objects") {
        Some(Value::Map(objects)) => objects.clone(),
        _ => Map::default(),
    };
    let refs = match map.get("object_refs") {
        Some(Value::List(refs)) => refs.iter(),
        _ => [].iter(),
    };
    let refs = refs.filter_map(|reference| match reference {
        Value::Text(id) => Some(id.clone()),
        _ => None,
    });
    let refs = refs.collect();
    let observation = Observation { id, first_observed, last_observed, number_observed, objects, roots: Vec::new() };
    Ok(Unresolved { observation, refs, fault: Box::new(fault) })
}
