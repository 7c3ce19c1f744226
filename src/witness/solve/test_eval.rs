//! One test, asked of objects by itself.

use super::object_graph::ROOT;
use crate::{
    evaluate::{Evaluator, Map},
    plan::Test,
};

/// A test that can be asked.
#[derive(Debug, Clone)]
pub(super) struct TestEval(Evaluator);

impl TestEval {
    /// Prepares a test; `None` where it has no meaning.
    pub fn new(test: &Test) -> Option<Self> {
        test.evaluator().ok().map(Self)
    }

    /// Whether it holds for the object that the pattern asks about. What can't be answered does not hold.
    pub fn holds(&self, objects: &Map) -> bool {
        self.0.matches_object(objects, ROOT).unwrap_or(false)
    }
}
