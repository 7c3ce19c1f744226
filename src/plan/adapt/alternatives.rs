//! The disjunctive form of a plan: a list of alternatives.

use super::{
    super::{
        Condition, Observation, Test,
        fidelity::{Fidelity, Loss},
    },
    BRANCH_BUDGET, COUNT, INTERVAL, OBSERVATIONS, TOO_MANY_BRANCHES,
    order::{self, RawStep},
    sequence::Chain,
};
use crate::{diagnostic::Code, span::Span};

/// One alternative, with the losses of the qualifiers around it.
pub(super) struct Alternative<'p> {
    pub(super) kind: Kind<'p>,
    pub(super) qualifiers: Vec<Loss>,
}

/// What an alternative asks for.
pub(super) enum Kind<'p> {
    /// One observation.
    Single(Vec<&'p Test>),
    /// Several.
    Chain(Chain<'p>),
}

/// All alternatives of a plan.
pub(super) struct Alternatives<'p> {
    pub(super) all: Vec<Alternative<'p>>,
    /// Whole operands of OR that no rule can hold.
    pub(super) dropped: Vec<Loss>,
    /// Whether the target ties several observations.
    ties: bool,
}

impl<'p> Alternatives<'p> {
    pub(super) fn of(observation: &'p Observation, ties: bool) -> Self {
        let mut gathered = Self { all: Vec::new(), dropped: Vec::new(), ties };
        gathered.observe(observation, &[], None);
        gathered
    }

    /// `window` is the time of the WITHIN around the observation.
    fn observe(&mut self, observation: &'p Observation, qualifiers: &[Loss], window: Option<f64>) {
        match observation {
            Observation::Match(condition) => self.branch(condition, qualifiers),
            Observation::Any(operands, _) => {
                operands.iter().for_each(|operand| self.observe(operand, qualifiers, window));
            }
            Observation::Within { of, seconds, .. } => {
                self.observe(of, qualifiers, Some(window.map_or(*seconds, |outer| outer.min(*seconds))));
            }
            Observation::Repeat { of, times: 1, .. } => self.observe(of, qualifiers, window),
            Observation::During { of, start, stop, span } => {
                let mut qualifiers = qualifiers.to_vec();
                qualifiers.push(interval(start, stop, *span));
                self.observe(of, &qualifiers, window);
            }
            Observation::All(..) | Observation::Then(..) | Observation::Repeat { .. } if self.ties => {
                self.chains(observation, qualifiers, window);
            }
            Observation::Repeat { of, times, span } => {
                let message = format!("the rule fires on the first of {times} observations");
                let mut qualifiers = qualifiers.to_vec();
                qualifiers.push(Loss { code: COUNT, effect: Fidelity::BROADER, message, span: *span });
                self.observe(of, &qualifiers, window);
            }
            Observation::All(_, span) | Observation::Then(_, span) => {
                let message = "several observations can't be tied together in one rule of this target";
                self.drop(OBSERVATIONS, message.to_owned(), *span);
            }
        }
    }

    fn chains(&mut self, observation: &'p Observation, qualifiers: &[Loss], window: Option<f64>) {
        let span = observation.span();
        let orders = match order::orders(observation) {
            Ok(orders) => orders,
            Err(message) => return self.drop(OBSERVATIONS, message, span),
        };
        for (order, steps) in orders {
            if let [RawStep { times: 1, .. }] = steps.as_slice() {
                for RawStep { alternatives, qualifiers: own, .. } in steps {
                    let qualifiers: Vec<Loss> = qualifiers.iter().chain(&own).cloned().collect();
                    self.singles(alternatives, &qualifiers);
                }
                continue;
            }
            let kind = Kind::Chain(Chain { order, steps, window, span });
            self.all.push(Alternative { kind, qualifiers: qualifiers.to_vec() });
        }
    }

    fn branch(&mut self, condition: &'p Condition, qualifiers: &[Loss]) {
        match branches(condition) {
            Some(branches) => self.singles(branches, qualifiers),
            None => self.drop(TOO_MANY_BRANCHES, too_many(), condition.span()),
        }
    }

    fn singles(&mut self, branches: Vec<Vec<&'p Test>>, qualifiers: &[Loss]) {
        let single = |tests| Alternative { kind: Kind::Single(tests), qualifiers: qualifiers.to_vec() };
        self.all.extend(branches.into_iter().map(single));
    }

    fn drop(&mut self, code: Code, message: String, span: Span) {
        self.dropped.push(Loss { code, effect: Fidelity::NARROWER, message, span });
    }
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
