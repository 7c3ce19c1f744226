//! One test, asked of objects by itself.

use serde_json::Value as Json;

use crate::{
    evaluate::{Evaluator, Value},
    pattern,
    plan::{Condition, Observation, Plan, Test},
    witness::Objects,
};

/// A test that can be asked.
#[derive(Debug, Clone)]
pub(super) struct Probe(Evaluator);

impl Probe {
    /// Prepares a test; `None` where it has no meaning.
    pub fn new(test: &Test) -> Option<Self> {
        let plan = Plan { observation: Observation::Match(Condition::Test(test.clone())) };
        let text = plan.to_string();
        Evaluator::new(&pattern::parse(&text).ok()?).ok().map(Self)
    }

    /// Whether it holds for one of the objects. What can't be answered does not hold.
    pub fn holds(&self, objects: &Objects) -> bool {
        let value = serde_json::from_value(Json::Object(objects.clone()));
        matches!(value, Ok(Value::Map(objects)) if self.0.matches_objects(&objects).unwrap_or(false))
    }
}
