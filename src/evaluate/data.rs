//! Observed data: what was seen, when, and how often (STIX 2.1, section 4.14; STIX 2.0, section 2.8).

use std::{collections::HashMap, io::Read};

use super::{
    error::{BAD_OBSERVATION, DANGLING},
    value::{Map, Value},
};
use crate::{
    diagnostic::Diagnostic,
    stix::{BundleReader, Fault, Object, Position, Timestamp, codes},
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

impl Observation {
    /// Objects, by the keys that their references use, that were seen once, at this moment.
    #[must_use]
    pub fn new(at: Timestamp, objects: Map) -> Self {
        let id = String::new();
        Self { id, first_observed: at, last_observed: at, number_observed: 1, objects, roots: Vec::new() }
    }
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
    /// All other objects of the inputs.
    graph: Vec<Map>,
    ids: HashMap<Box<str>, usize>,
    /// For each type of object the observations that hold one, in order.
    types: HashMap<Box<str>, Vec<u32>>,
}

impl Observations {
    /// Reads the observed data of one input; see [`Reader`].
    pub fn read(input: impl Read) -> (Self, Vec<Fault>) {
        let mut reader = Reader::default();
        reader.read("", input);
        let (observations, faults) = reader.finish();
        (observations, faults.into_iter().map(|(_, fault)| fault).collect())
    }

    /// Observations that were made and not read, in this order. Their references lead to objects of their own.
    ///
    /// ```
    /// use stixc::evaluate::{Map, Observation, Observations};
    ///
    /// let objects = serde_json::json!({"0": {"type": "domain-name", "value": "evil.example"}});
    /// let objects = Map::from_json(objects.as_object().expect("an object"));
    /// let at = "2024-01-01T00:00:00Z".parse().expect("an instant");
    /// assert_eq!(Observations::new([Observation::new(at, objects)]).len(), 1);
    /// ```
    #[must_use]
    pub fn new(all: impl IntoIterator<Item = Observation>) -> Self {
        let mut made = Self { all: all.into_iter().collect(), ..Self::default() };
        made.index_types();
        made
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

    /// The observations that hold an object of the type, in order.
    pub(super) fn with_type(&self, object_type: &str) -> &[u32] {
        self.types.get(object_type).map_or(&[], Vec::as_slice)
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

    fn index_types(&mut self) {
        let mut types: HashMap<Box<str>, Vec<u32>> = HashMap::new();
        for (index, observation) in (0_u32..).zip(&self.all) {
            for object_type in self.roots(observation).filter_map(|object| object.text("type")) {
                match types.get_mut(object_type) {
                    Some(holders) if holders.last() == Some(&index) => {}
                    Some(holders) => holders.push(index),
                    None => _ = types.insert(object_type.into(), vec![index]),
                }
            }
        }
        self.types = types;
    }
}

/// Reads the observed data of inputs (bundles, lists, objects one after the other), with the objects that they refer to,
/// in any of the inputs.
///
/// What is wrong with an object is reported, and that one left out. An identifier that is given twice stands for its
/// last object.
#[derive(Default)]
pub struct Reader {
    read: Observations,
    unresolved: Vec<Unresolved>,
    faults: Vec<(String, Fault)>,
}

/// Observed data before their references are resolved.
struct Unresolved {
    observation: Observation,
    refs: Vec<Box<str>>,
    /// The input, and the place in it.
    source: String,
    start: Position,
}

impl Reader {
    /// Reads an input, which is called `source` in [`Reader::finish`].
    pub fn read(&mut self, source: &str, input: impl Read) {
        for batch in BundleReader::new(input) {
            self.faults.extend(batch.faults.iter().map(|fault| (source.to_owned(), fault.clone())));
            for object in batch.objects() {
                if let Err(fault) = self.object(source, &object) {
                    self.faults.push((source.to_owned(), *fault));
                }
            }
        }
    }

    fn object(&mut self, source: &str, object: &Object<'_>) -> Result<(), Box<Fault>> {
        let start = object.position(0);
        let at = |id: Option<&str>, diagnostic| Box::new(start.fault(id, diagnostic));
        let map = match serde_json::from_slice(object.raw) {
            Ok(Value::Map(map)) => map,
            Ok(_) => return Ok(()),
            Err(error) => {
                let message = format!("the object is not JSON: {error}");
                return Err(at(None, Diagnostic::error(codes::BAD_OBJECT, message)));
            }
        };
        if map.text("type") != Some("observed-data") {
            self.read.add_object(map);
            return Ok(());
        }
        let observation =
            observation(&map).map_err(|message| at(map.text("id"), Diagnostic::error(BAD_OBSERVATION, message)))?;
        let refs = match map.get("object_refs") {
            Some(Value::List(refs)) => refs.as_slice(),
            _ => &[],
        };
        let refs = refs.iter().filter_map(|reference| match reference {
            Value::Text(id) => Some(id.clone()),
            _ => None,
        });
        self.unresolved.push(Unresolved {
            refs: refs.collect(),
            observation: Observation { objects: map.into_map("objects"), ..observation },
            source: source.to_owned(),
            start,
        });
        Ok(())
    }

    /// What was read, and what was wrong with it, by input.
    #[must_use]
    pub fn finish(self) -> (Observations, Vec<(String, Fault)>) {
        let Self { mut read, unresolved, mut faults } = self;
        let mut places: HashMap<String, usize> = HashMap::new();
        for Unresolved { mut observation, refs, source, start } in unresolved {
            for id in refs {
                if let Some(root) = read.ids.get(&id) {
                    observation.roots.push(*root);
                    continue;
                }
                let diagnostic = Diagnostic::warning(DANGLING, format!("`{id}` is not among the objects"));
                let id = Some(observation.id.as_str()).filter(|id| !id.is_empty());
                faults.push((source.clone(), start.fault(id, diagnostic)));
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
        read.index_types();
        (read, faults)
    }
}

/// Observed data without their objects, or what is wrong with them.
fn observation(map: &Map) -> Result<Observation, String> {
    let time = |property: &str| match map.get(property) {
        Some(Value::Text(text)) => {
            text.parse::<Timestamp>().map_err(|error| format!("`{property}` is {error}: {text}"))
        }
        Some(_) => Err(format!("`{property}` is no string")),
        None => Err(format!("`{property}` is missing")),
    };
    let (first_observed, last_observed) = (time("first_observed")?, time("last_observed")?);
    if last_observed < first_observed {
        return Err("`last_observed` is before `first_observed`".to_owned());
    }
    let number_observed = match map.get("number_observed") {
        Some(Value::Integer(number)) if *number >= 1 => u64::try_from(*number).unwrap_or(u64::MAX),
        Some(_) => return Err("`number_observed` is no integer from 1 up".to_owned()),
        None => return Err("`number_observed` is missing".to_owned()),
    };
    Ok(Observation {
        id: map.text("id").unwrap_or_default().to_owned(),
        first_observed,
        last_observed,
        number_observed,
        objects: Map::default(),
        roots: Vec::new(),
    })
}
