//! The disjunctive form of a plan: a list of alternatives.

use super::{
    super::{
        Condition, Observation, Test,
        fidelity::{Fidelity, Loss},
    },
    COUNT, OBSERVATIONS, TOO_MANY_BRANCHES,
    branch::{Chain, RawStep, branches, interval, too_many},
    order,
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
    pub(super) fn new(observation: &'p Observation, ties: bool) -> Self {
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
