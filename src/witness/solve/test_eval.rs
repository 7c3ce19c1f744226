//! One test, asked of objects by itself.

use serde::Deserialize;

use super::object_graph::ROOT;
use crate::{
    evaluate::{Evaluator, Map, Value},
    pattern,
    plan::{Condition, Observation, Plan, Test},
    witness::Objects,
};

/// A test that can be asked.
#[derive(Debug, Clone)]
pub(super) struct TestEval(Evaluator);

impl TestEval {
    /// Prepares a test; `None` where it has no meaning.
    pub fn new(test: &Test) -> Option<Self> {
        let plan = Plan { observation: Observation::Match(Condition::Test(test.clone())) };
        let text = plan.to_string();
        Evaluator::new(&pattern::parse(&text).ok()?).ok().map(Self)
    }

    /// Whether it holds for the object that the pattern asks about. What can't be answered does not hold.
    pub fn holds(&self, objects: &Map) -> bool {
        self.0.matches_object(objects, ROOT).unwrap_or(false)
    }
}

/// Objects as the evaluator sees them.
pub(super) fn seen(objects: &Objects) -> Map {
    let values = objects.iter().filter_map(|(key, value)| Some((key.as_str().into(), Value::deserialize(value).ok()?)));
    values.collect()
}
