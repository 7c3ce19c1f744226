//! Following an object path into an object (STIX 2.1, section 9.7).

use std::collections::HashSet;

use super::{
    data::{Observation, Observations},
    value::{Map, Value},
};
use crate::pattern::{ObjectPath, PathStepKind, is_reference};

/// Where references lead.
#[derive(Debug, Clone, Copy)]
pub(super) enum World<'a> {
    /// To the objects of an observation and of its bundle.
    Data(&'a Observations, &'a Observation),
    /// To the objects of one observation.
    Objects(&'a Map),
}

impl<'a> World<'a> {
    fn resolve(self, reference: &str) -> Option<&'a Map> {
        match self {
            Self::Data(data, observation) => data.resolve(observation, reference),
            Self::Objects(objects) => match objects.get(reference)? {
                Value::Map(map) => Some(map),
                _ => None,
            },
        }
    }
}

/// A path of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Path {
    pub(super) object_type: Box<str>,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Step {
    Property {
        name: Box<str>,
        /// The name ends in `_ref` or `_refs`: a text here is the name of an object.
        refers: bool,
    },
    Index(Option<usize>),
    Any,
}

impl Path {
    pub(super) fn new(path: &ObjectPath<'_>) -> Self {
        let step = |kind: &PathStepKind<'_>| match kind {
            PathStepKind::Property(name) => Step::Property { refers: is_reference(name), name: name.as_ref().into() },
            PathStepKind::Index(index) => Step::Index(usize::try_from(*index).ok()),
            PathStepKind::AnyIndex => Step::Any,
        };
        Self { object_type: path.object_type.into(), steps: path.steps.iter().map(|one| step(&one.kind)).collect() }
    }

    /// Whether `accepts` holds for one of the values that the path leads to; `false` where it leads to none.
    ///
    /// Each step is taken for all values at once and no value is kept twice, so that references in circles cost no
    /// more than the objects there are.
    pub(super) fn any<'a, E>(
        &self,
        object: &'a Map,
        world: World<'a>,
        mut accepts: impl FnMut(&'a Value) -> Result<bool, E>,
    ) -> Result<bool, E> {
        // The grammar begins each path with a property.
        let Some((Step::Property { name, refers }, rest)) = self.steps.split_first() else { return Ok(false) };
        let Some(value) = object.get(name) else { return Ok(false) };
        let (mut value, mut refers) = (value, *refers);
        for (taken, step) in rest.iter().enumerate() {
            if matches!(step, Step::Any) {
                return any_of(value, refers, &rest[taken..], world, accepts);
            }
            match stepped(value, refers, step, world) {
                Some(next) => value = next,
                None => return Ok(false),
            }
            refers = step.refers_after(refers);
        }
        accepts(value)
    }
}

impl Step {
    fn refers_after(&self, before: bool) -> bool {
        match self {
            Self::Property { refers, .. } => *refers,
            Self::Index(_) | Self::Any => before,
        }
    }
}

/// Takes a step that leads to one value; `refers` says whether a text names an object.
fn stepped<'a>(value: &'a Value, refers: bool, step: &Step, world: World<'a>) -> Option<&'a Value> {
    match (step, value) {
        (Step::Property { name, .. }, Value::Map(map)) => map.get(name),
        (Step::Property { name, .. }, Value::Text(reference)) if refers => world.resolve(reference)?.get(name),
        (Step::Index(Some(index)), Value::List(list)) => list.get(*index),
        _ => None,
    }
}

/// [`Path::any`] from the first `[*]` on.
fn any_of<'a, E>(
    value: &'a Value,
    mut refers: bool,
    steps: &[Step],
    world: World<'a>,
    mut accepts: impl FnMut(&'a Value) -> Result<bool, E>,
) -> Result<bool, E> {
    let mut values = vec![value];
    for step in steps {
        values = match step {
            Step::Any => values.iter().filter_map(|value| elements(value)).flatten().collect(),
            one => values.iter().filter_map(|value| stepped(value, refers, one, world)).collect(),
        };
        let mut seen: HashSet<*const Value> = HashSet::with_capacity(values.len());
        values.retain(|value| seen.insert(std::ptr::from_ref(*value)));
        refers = step.refers_after(refers);
    }
    for value in values {
        if accepts(value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn elements(value: &Value) -> Option<&[Value]> {
    match value {
        Value::List(list) => Some(list),
        _ => None,
    }
}
