//! Branches: conjunctions before they have a place, alone or as the steps of a chain.

use super::{
    super::{
        Condition, Test,
        fidelity::{Fidelity, Loss},
    },
    BRANCH_BUDGET, INTERVAL, Order,
};
use crate::span::Span;

/// One step before it has a place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RawStep<'p> {
    /// Conjunctions, any of which will do.
    pub(super) alternatives: Vec<Vec<&'p Test>>,
    /// How often it has to happen.
    pub(super) times: u64,
    /// What is lost of the qualifiers around it.
    pub(super) qualifiers: Vec<Loss>,
}

impl RawStep<'_> {
    /// Whether the other step asks for the same, wherever it stands in the pattern.
    pub(super) fn asks_like(&self, other: &Self) -> bool {
        let text = |step: &Self| -> Vec<Vec<String>> {
            step.alternatives.iter().map(|tests| tests.iter().map(ToString::to_string).collect()).collect()
        };
        text(self) == text(other)
    }
}

/// Several observations before they have a place.
pub(super) struct Chain<'p> {
    pub(super) order: Order,
    pub(super) steps: Vec<RawStep<'p>>,
    /// The time of the WITHIN around it, in seconds.
    pub(super) window: Option<f64>,
    pub(super) span: Span,
}

/// The loss of START and STOP.
pub(super) fn interval(start: &str, stop: &str, span: Span) -> Loss {
    let message = format!("the rule fires at any time, not only from {start} until {stop}");
    Loss { code: INTERVAL, effect: Fidelity::BROADER, message, span }
}

pub(super) fn too_many() -> String {
    format!("the pattern has more than {BRANCH_BUDGET} combinations")
}

/// The disjunctive form of a condition; `None` beyond the budget.
///
/// The budget counts what AND multiplies, not the operands of a plain OR, which cost nothing more than they did.
pub(super) fn branches(condition: &Condition) -> Option<Vec<Vec<&Test>>> {
    match condition {
        Condition::Test(test) => Some(vec![vec![test]]),
        Condition::Any(operands) => {
            let mut all = Vec::with_capacity(operands.len());
            for operand in operands {
                all.extend(branches(operand)?);
            }
            Some(all)
        }
        Condition::All(operands) => {
            let mut product: Vec<Vec<&Test>> = vec![Vec::new()];
            for operand in operands {
                let right = branches(operand)?;
                if product.len().saturating_mul(right.len()) > BRANCH_BUDGET {
                    return None;
                }
                if let [only] = right.as_slice() {
                    product.iter_mut().for_each(|left| left.extend(only));
                    continue;
                }
                product = product
                    .iter()
                    .flat_map(|left| right.iter().map(move |more| left.iter().chain(more).copied().collect()))
                    .collect();
            }
            Some(product)
        }
    }
}
