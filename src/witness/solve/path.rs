//! Where a property lies: its path, step by step, and the types that references on it may lead to.

use crate::{
    pattern::{ObjectPath, PathStepKind, parse_path},
    plan::schema::{self, PropertyType},
};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// To a property, or a key of a dictionary.
    Key(String),
    /// To an element of a list.
    Index(usize),
    /// To any element of a list.
    Any,
}

/// A path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    /// The type of the object that it begins at.
    pub object_type: String,
    /// The steps from there.
    pub steps: Vec<Step>,
    /// For each step the types that a reference there may lead to, if it is one.
    pub targets: Vec<&'static [&'static str]>,
    /// What it leads to.
    pub kind: PropertyType,
}

impl Path {
    /// Reads the path of a plan's property; `None` for one that no observation can have: with a negative index.
    pub fn read(text: &str) -> Option<Self> {
        let path = parse_path(text)?;
        let steps = path.steps.iter().map(|step| {
            Some(match &step.kind {
                PathStepKind::Property(key) => Step::Key(key.to_string()),
                PathStepKind::Index(index) => Step::Index(usize::try_from(*index).ok()?),
                PathStepKind::AnyIndex => Step::Any,
            })
        });
        let targets = (1..=path.steps.len()).map(|length| targets(&path, length)).collect();
        Some(Self {
            object_type: path.object_type.to_owned(),
            steps: steps.collect::<Option<_>>()?,
            targets,
            kind: schema::resolve(&path).kind,
        })
    }

    /// The path with the first `[*]` replaced by an element, and the others by the first one.
    pub fn at(&self, element: usize) -> Self {
        let mut element = Some(element);
        let place = |step: &Step| match step {
            Step::Any => Step::Index(element.take().unwrap_or(0)),
            other => other.clone(),
        };
        Self { steps: self.steps.iter().map(place).collect(), ..self.clone() }
    }

    /// Whether it has a `[*]`.
    pub fn is_any(&self) -> bool {
        self.steps.contains(&Step::Any)
    }

    /// The last key on it.
    pub fn key(&self) -> &str {
        let keys = self.steps.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            _ => None,
        });
        keys.unwrap_or_default()
    }

    /// The types that the last reference before its last step may lead to.
    pub fn referenced(&self) -> &'static [&'static str] {
        let before = self.targets.len().saturating_sub(1);
        self.targets[..before].iter().rev().find(|targets| !targets.is_empty()).copied().unwrap_or_default()
    }

    /// Whether it leads on from the place of another, in the same object.
    pub fn lies_in(&self, other: &Self) -> bool {
        let depth = other.steps.len();
        self.object_type == other.object_type
            && self.steps.len() > depth
            && self.steps[..depth] == other.steps
            && !self.passes(depth)
    }

    /// Whether both lead through the same place: one is the other, or lies below it.
    pub fn touches(&self, other: &Self) -> bool {
        let same = |(one, other): (&Step, &Step)| one == other || !matches!((one, other), (Step::Key(_), Step::Key(_)));
        self.object_type == other.object_type && self.steps.iter().zip(&other.steps).all(same)
    }
}

fn targets(path: &ObjectPath<'_>, length: usize) -> &'static [&'static str] {
    let front = ObjectPath { steps: path.steps[..length].to_vec(), ..path.clone() };
    match schema::resolve(&front).kind {
        PropertyType::Reference(targets) => targets,
        PropertyType::List(PropertyType::Reference(targets)) => targets,
        _ => &[],
    }
}
