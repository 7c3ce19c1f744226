//! The objects of one observation, put together property by property.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::{
    kind,
    path::{Path, Step},
};
use crate::{
    pattern::{ObjectPath, PathStep, PathStepKind, is_reference},
    plan::schema::{self, Status},
    span::Span,
    witness::Objects,
};

/// The key of the object that the pattern asks about.
pub(super) const ROOT: &str = "0";

/// Objects under construction.
#[derive(Debug, Clone)]
pub(super) struct ObjectGraph {
    objects: BTreeMap<String, Map<String, Json>>,
    /// The types that each object may have, as far as a reference tells.
    targets: BTreeMap<String, &'static [&'static str]>,
}

impl ObjectGraph {
    /// One object of a type, with nothing else.
    pub fn new(object_type: &str) -> Self {
        let root = Map::from_iter([("type".to_owned(), Json::from(object_type))]);
        Self { objects: BTreeMap::from([(ROOT.to_owned(), root)]), targets: BTreeMap::new() }
    }

    /// Whether something is there. `[*]` stands for the first element.
    pub fn has(&self, path: &Path) -> bool {
        let Some((object, rest)) = self.follow(path) else { return false };
        found(object, &rest).is_some()
    }

    /// Whether the value goes with what is there: an object whose type is given has a value of its own kind, and both
    /// ends of a connection have addresses of one family.
    pub fn takes(&self, path: &Path, value: &Json) -> bool {
        let Some(text) = value.as_str().filter(|_| path.object_type == "network-traffic" && path.key() == "value")
        else {
            return true;
        };
        let own = kind::holder(text);
        let given = self.follow(path).and_then(|(object, _)| object.get("type")?.as_str());
        let mut family = self.objects.values().filter_map(|object| Some(kind::holder(object.get("value")?.as_str()?)));
        let address = family.find(|family| family.ends_with("-addr"));
        given
            .or(address)
            .is_none_or(|wanted| wanted == own || !matches!(wanted, "ipv4-addr" | "ipv6-addr" | "domain-name"))
    }

    /// Puts a value in its place, with all that leads there, and tells whether it is there. What is there already stays.
    pub fn place(&mut self, path: &Path, referent: Option<&str>, value: &Json) -> bool {
        let (mut key, mut from) = (ROOT.to_owned(), 0);
        for at in 1..path.steps.len() {
            if !path.passes(at) {
                continue;
            }
            key = self.referenced(&key, &path.steps[from..at], path.targets[at - 1]);
            from = at;
        }
        if from > 0
            && let (Some(referent), Some(object)) = (referent, self.objects.get_mut(&key))
        {
            object.entry("type").or_insert_with(|| referent.into());
        }
        let is_reference = matches!(value, Json::String(_)) && !path.targets.last().is_none_or(|last| last.is_empty());
        if is_reference && let Json::String(name) = value {
            self.targets.insert(name.clone(), path.targets.last().copied().unwrap_or_default());
            self.objects.entry(name.clone()).or_default();
        }
        let Some(object) = self.objects.get_mut(&key) else { return false };
        let Some(variable) = made(object, &path.steps[from..]) else { return false };
        if variable.is_null() {
            *variable = value.clone();
        }
        variable == value
    }

    /// A name for one more object.
    pub fn fresh(&self) -> String {
        (0..).map(|number: usize| number.to_string()).find(|name| !self.objects.contains_key(name)).unwrap_or_default()
    }

    /// The name of the object that a reference names; a new one where there is none.
    fn referenced(&mut self, key: &str, steps: &[Step], targets: &'static [&'static str]) -> String {
        let fresh = self.fresh();
        let Some(variable) = self.objects.get_mut(key).and_then(|object| made(object, steps)) else { return fresh };
        let name = match variable {
            Json::String(name) => name.clone(),
            _ => {
                *variable = fresh.clone().into();
                fresh
            }
        };
        self.objects.entry(name.clone()).or_default();
        self.targets.entry(name.clone()).or_insert(targets);
        name
    }

    fn follow<'p>(&self, path: &'p Path) -> Option<(&Map<String, Json>, Vec<&'p Step>)> {
        let mut object = self.objects.get(ROOT)?;
        let mut rest: Vec<&Step> = Vec::new();
        for (at, step) in path.steps.iter().enumerate() {
            if at > 0 && path.passes(at) {
                object = self.objects.get(found(object, &rest)?.as_str()?)?;
                rest.clear();
            }
            rest.push(step);
        }
        Some((object, rest))
    }

    /// The objects, each with its type, and no gap in a list.
    pub fn finish(self) -> Objects {
        let Self { objects, targets } = self;
        let finished = objects.into_iter().map(|(key, mut object)| {
            if !object.contains_key("type") {
                let own = targets.get(&key).copied().unwrap_or_default();
                object.insert("type".to_owned(), type_of(&object, own).into());
            }
            let mut object = Json::Object(object);
            fill(&mut object);
            (key, object)
        });
        finished.collect()
    }
}

impl Path {
    /// Whether step `at` goes on in the object that the steps before it name.
    pub(super) fn passes(&self, at: usize) -> bool {
        let last = self.steps[..at].iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key),
            _ => None,
        });
        matches!(self.steps[at], Step::Key(_)) && last.is_some_and(|key| is_reference(key))
    }
}

fn found<'j>(object: &'j Map<String, Json>, steps: &[&Step]) -> Option<&'j Json> {
    let (Step::Key(first), rest) = steps.split_first()? else { return None };
    let mut value = object.get(first)?;
    for step in rest {
        value = match step {
            Step::Key(key) => value.get(key)?,
            Step::Index(index) => value.get(*index)?,
            Step::Any => value.get(0)?,
        };
    }
    (!value.is_null()).then_some(value)
}

/// The place that the steps lead to, made on the way.
fn made<'j>(object: &'j mut Map<String, Json>, steps: &[Step]) -> Option<&'j mut Json> {
    let (Step::Key(first), rest) = steps.split_first()? else { return None };
    let mut value = object.entry(first).or_insert(Json::Null);
    for step in rest {
        value = match step {
            Step::Key(key) => {
                if value.is_null() {
                    *value = Json::Object(Map::new());
                }
                value.as_object_mut()?.entry(key).or_insert(Json::Null)
            }
            Step::Index(_) | Step::Any => {
                let index = if let Step::Index(index) = step { *index } else { 0 };
                if value.is_null() {
                    *value = Json::Array(Vec::new());
                }
                let list = value.as_array_mut()?;
                // A list of a million elements shows nothing that one of a thousand doesn't.
                if index > 1000 {
                    return None;
                }
                if list.len() <= index {
                    list.resize(index + 1, Json::Null);
                }
                &mut list[index]
            }
        };
    }
    Some(value)
}

/// Elements before the one that was asked for are of its kind.
fn fill(value: &mut Json) {
    match value {
        Json::Array(list) => {
            let one = list.iter().rfind(|element| !element.is_null()).cloned();
            for element in list.iter_mut().filter(|element| element.is_null()) {
                *element = match &one {
                    Some(Json::String(_)) => "other".into(),
                    Some(Json::Number(_)) => 0.into(),
                    Some(Json::Object(_)) => Json::Object(Map::new()),
                    _ => Json::Null,
                };
            }
            list.iter_mut().for_each(fill);
        }
        Json::Object(map) => map.values_mut().for_each(fill),
        _ => {}
    }
}

/// The type of an object that only its reference and its properties tell of.
fn type_of(object: &Map<String, Json>, targets: &[&str]) -> String {
    if let Some(Json::String(value)) = object.get("value") {
        let guess = kind::holder(value);
        if targets.is_empty() || targets.contains(&guess) {
            return guess.to_owned();
        }
    }
    let fits = |target: &&&str| object.keys().all(|key| is_known(target, key));
    targets.iter().find(fits).or(targets.first()).map_or("x-object", |target| target).to_owned()
}

fn is_known(object_type: &str, key: &str) -> bool {
    let step = PathStep { kind: PathStepKind::Property(key.into()), span: Span::default() };
    let path = ObjectPath { object_type, type_span: Span::default(), steps: vec![step], span: Span::default() };
    !matches!(schema::resolve(&path).status, Status::UnknownProperty { .. } | Status::UnknownType)
}
