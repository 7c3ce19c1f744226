//! Cutting a plan down to what a target can hold, with a loss for each cut.
//!
//! A target sees a pattern from several *scenes*: the log sources of Sigma, the protocols of Suricata, the lists of a
//! blocklist. A scene holds some properties and not others, and one rule lives in one scene. [`adapt`] brings the plan
//! into disjunctive form (a list of alternatives, each a conjunction of tests), and looks for each alternative for the
//! scenes that hold most of it. Nothing else in the program drops a part of a pattern.

use std::collections::BTreeSet;

use super::{
    Condition, Observation, Plan, Test,
    fidelity::{Fidelity, Loss},
};
use crate::{diagnostic::Code, span::Span};

/// The target has no place for a property.
pub const NO_PLACE: Code = Code("L001");
/// The place can't be compared with this operator.
pub const NO_OPERATOR: Code = Code("L002");
/// The value can't stand in this place.
pub const NO_VALUE: Code = Code("L003");
/// The target ignores letter case where STIX does not.
pub const CASE: Code = Code("L004");
/// Parts that would have to be in different scenes.
pub const NO_COMMON_SCENE: Code = Code("L005");
/// The target can't tie several observations together.
pub const OBSERVATIONS: Code = Code("L010");
/// The count of REPEATS is dropped.
pub const COUNT: Code = Code("L011");
/// The interval of START-STOP is dropped.
pub const INTERVAL: Code = Code("L012");
/// What is left names nothing specific.
pub const NOTHING_SPECIFIC: Code = Code("L020");
/// What is left consists of negations.
pub const ONLY_NEGATIONS: Code = Code("L021");
/// The disjunctive form has more branches than the budget.
pub const TOO_MANY_BRANCHES: Code = Code("L022");
/// The verdict is not one of those that the user accepts for this target.
pub const NOT_ACCEPTED: Code = Code("L030");

/// How many alternatives a plan may have in disjunctive form.
pub const BRANCH_BUDGET: usize = 4096;

/// Which verdicts a user accepts for a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accept {
    bits: u8,
}

impl Accept {
    /// Every verdict.
    pub const ALL: Self = Self { bits: 0b1111 };
    /// All but `approximate`: the default of detections.
    pub const DETECTION: Self = Self { bits: 0b0111 };
    /// `exact` and `narrower`: the default of blocklists, where a blocked address must be one that the pattern names.
    pub const BLOCKING: Self = Self { bits: 0b0101 };

    /// Exactly these.
    #[must_use]
    pub fn of(verdicts: impl IntoIterator<Item = Fidelity>) -> Self {
        Self { bits: verdicts.into_iter().fold(0, |bits, verdict| bits | Self::bit(verdict)) }
    }

    /// Whether a rule with this fidelity may be written.
    #[must_use]
    pub fn allows(self, fidelity: Fidelity) -> bool {
        self.bits & Self::bit(fidelity) != 0
    }

    fn bit(fidelity: Fidelity) -> u8 {
        1 << (u8::from(fidelity.more) | u8::from(fidelity.fewer) << 1)
    }
}

/// Whether a scene holds a test.
#[derive(Debug, Clone)]
pub enum Fit<H> {
    /// It does.
    Holds {
        /// What the target needs to write it down.
        by: H,
        /// Whether the test alone says too little for a rule from which others were dropped: a port, a protocol.
        weak: bool,
        /// What is lost all the same.
        loss: Option<(Code, Fidelity, String)>,
    },
    /// It does not, for this reason.
    Lacks(Code, String),
}

/// One conjunction in one scene.
#[derive(Debug, Clone)]
pub struct Part<'p, H> {
    /// Number of the alternative in the plan, from 0. Together with the scene it names the part for ever.
    pub alternative: usize,
    /// The scene.
    pub scene: usize,
    /// The tests that the scene holds, in the plan's order.
    pub tests: Vec<(&'p Test, H)>,
    /// Whether this part means what its alternative means.
    pub fidelity: Fidelity,
    /// Why not.
    pub losses: Vec<Loss>,
}

/// A plan cut down to a target.
#[derive(Debug, Clone)]
pub struct Adapted<'p, H> {
    /// At least one part; ordered by alternative, then scene.
    pub parts: Vec<Part<'p, H>>,
    /// Whether all parts together mean what the plan means.
    pub fidelity: Fidelity,
    /// Every loss of the plan and of its parts, in the order of the pattern, without repetitions.
    pub losses: Vec<Loss>,
}

/// Cuts `plan` down to the `scenes` of a target, as far as `accept` allows; the reasons where nothing is left.
///
/// `fit` says whether the scene with a given number holds a test.
///
/// # Errors
/// The losses that kept each alternative out.
pub fn adapt<'p, H>(
    plan: &'p Plan,
    scenes: usize,
    accept: Accept,
    mut fit: impl FnMut(usize, &'p Test) -> Fit<H>,
) -> Result<Adapted<'p, H>, Vec<Loss>> {
    let mut gathered = Gathered::default();
    gathered.observe(&plan.observation, &[]);
    let mut parts = Vec::new();
    let mut fidelity = if gathered.dropped.is_empty() { Fidelity::EXACT } else { Fidelity::NARROWER };
    let mut losses: BTreeSet<LossKey> = gathered.dropped.into_iter().map(LossKey).collect();
    for (number, (tests, qualifiers)) in gathered.alternatives.into_iter().enumerate() {
        match place(number, &tests, qualifiers, scenes, accept, &mut fit) {
            Ok(placed) => {
                for part in &placed {
                    fidelity = fidelity | part.fidelity;
                    losses.extend(part.losses.iter().cloned().map(LossKey));
                }
                parts.extend(placed);
            }
            Err(reasons) => {
                fidelity = fidelity | Fidelity::NARROWER;
                losses.extend(reasons.into_iter().map(LossKey));
            }
        }
    }
    let losses: Vec<Loss> = losses.into_iter().map(|key| key.0).collect();
    if parts.is_empty() {
        return Err(losses);
    }
    if !accept.allows(fidelity) {
        return Err(not_accepted(fidelity, losses, whole(&plan.observation)));
    }
    Ok(Adapted { parts, fidelity, losses })
}

/// The parts of one alternative: in each scene that drops as few of its tests as any.
fn place<'p, H>(
    number: usize,
    tests: &[&'p Test],
    qualifiers: Vec<Loss>,
    scenes: usize,
    accept: Accept,
    fit: &mut impl FnMut(usize, &'p Test) -> Fit<H>,
) -> Result<Vec<Part<'p, H>>, Vec<Loss>> {
    let mut found: Vec<(usize, Part<'p, H>)> = Vec::new();
    let mut reasons: Vec<Loss> = Vec::new();
    let mut placed: Vec<Span> = Vec::new();
    let mut fit = |scene, test: &'p Test| {
        let fit = fit(scene, test);
        if matches!(fit, Fit::Holds { .. }) {
            placed.push(test.span);
        }
        fit
    };
    for scene in 0..scenes {
        match stage(number, scene, tests, &qualifiers, &mut fit) {
            Ok((dropped, part)) if accept.allows(part.fidelity) => found.push((dropped, part)),
            Ok((_, part)) => {
                reasons.extend(not_accepted(part.fidelity, part.losses, span_of(tests)));
            }
            Err(lacks) => reasons.extend(lacks),
        }
    }
    let Some(fewest) = found.iter().map(|(dropped, _)| *dropped).min() else {
        return Err(tidy(reasons, tests, &placed));
    };
    Ok(found.into_iter().filter(|(dropped, _)| *dropped == fewest).map(|(_, part)| part).collect())
}

/// One alternative in one scene: how many tests were dropped, and what is left.
fn stage<'p, H>(
    number: usize,
    scene: usize,
    tests: &[&'p Test],
    qualifiers: &[Loss],
    fit: &mut impl FnMut(usize, &'p Test) -> Fit<H>,
) -> Result<(usize, Part<'p, H>), Vec<Loss>> {
    let mut held = Vec::with_capacity(tests.len());
    let mut losses = qualifiers.to_vec();
    let mut lacks = Vec::new();
    let (mut strong, mut positive) = (false, false);
    for &test in tests {
        match fit(scene, test) {
            Fit::Holds { by, weak, loss } => {
                strong |= !weak && !test.negated;
                positive |= !test.negated;
                if let Some((code, effect, message)) = loss {
                    let effect = if test.negated { effect.negated() } else { effect };
                    losses.push(Loss { code, effect, message, span: test.span });
                }
                held.push((test, by));
            }
            Fit::Lacks(code, message) => {
                lacks.push(Loss { code, effect: Fidelity::BROADER, message, span: test.span });
            }
        }
    }
    if held.is_empty() {
        return Err(lacks);
    }
    let refuse = |code, message: &str, mut lacks: Vec<Loss>| {
        lacks.push(Loss { code, effect: Fidelity::BROADER, message: message.to_owned(), span: span_of(tests) });
        Err(lacks)
    };
    if !positive {
        return refuse(ONLY_NEGATIONS, "a rule of negations alone would match nearly everything", lacks);
    }
    if !lacks.is_empty() && !strong {
        return refuse(NOTHING_SPECIFIC, "what is left of the pattern names nothing specific", lacks);
    }
    let dropped = lacks.len();
    losses.extend(lacks);
    losses.sort();
    losses.dedup();
    let fidelity = losses.iter().fold(Fidelity::EXACT, |all, loss| all | loss.effect);
    Ok((dropped, Part { alternative: number, scene, tests: held, fidelity, losses }))
}

fn not_accepted(fidelity: Fidelity, mut losses: Vec<Loss>, span: Span) -> Vec<Loss> {
    let message = format!("the rule would be {fidelity}, which is not accepted for this target");
    losses.push(Loss { code: NOT_ACCEPTED, effect: fidelity, message, span });
    losses
}

/// Each scene gives its own reasons; the user wants to hear the most telling ones once.
///
/// A test that some scene holds is not without a place: where no single scene is to blame, the tests have none in
/// common.
fn tidy(mut reasons: Vec<Loss>, tests: &[&Test], placed: &[Span]) -> Vec<Loss> {
    reasons.sort();
    reasons.dedup();
    reasons.retain(|loss| loss.code != NO_PLACE || !placed.contains(&loss.span));
    if reasons.iter().any(|loss| loss.code != NO_PLACE) {
        // "has no place for it" says nothing beside "can't be compared like this there".
        let explained: Vec<Span> = reasons.iter().filter(|loss| loss.code != NO_PLACE).map(|loss| loss.span).collect();
        reasons.retain(|loss| loss.code != NO_PLACE || !explained.contains(&loss.span));
    }
    if reasons.iter().all(|loss| loss.code == NOT_ACCEPTED) {
        let message = "no single rule can hold these tests together".to_owned();
        reasons.push(Loss { code: NO_COMMON_SCENE, effect: Fidelity::BROADER, message, span: span_of(tests) });
    }
    reasons
}

fn span_of(tests: &[&Test]) -> Span {
    tests.iter().map(|test| test.span).reduce(Span::to).unwrap_or_default()
}

/// Losses in the order of the pattern.
#[derive(PartialEq, Eq)]
struct LossKey(Loss);

impl Ord for LossKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0.span, &self.0).cmp(&(other.0.span, &other.0))
    }
}

impl PartialOrd for LossKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The disjunctive form: alternatives with the losses of the qualifiers around them.
#[derive(Default)]
struct Gathered<'p> {
    alternatives: Vec<(Vec<&'p Test>, Vec<Loss>)>,
    /// Whole operands of OR that no target rule can hold.
    dropped: Vec<Loss>,
}

impl<'p> Gathered<'p> {
    fn observe(&mut self, observation: &'p Observation, qualifiers: &[Loss]) {
        match observation {
            Observation::Match(condition) => self.branch(condition, qualifiers),
            Observation::Any(operands, _) => operands.iter().for_each(|operand| self.observe(operand, qualifiers)),
            Observation::All(_, span) | Observation::Then(_, span) => self.dropped.push(Loss {
                code: OBSERVATIONS,
                effect: Fidelity::NARROWER,
                message: "several observations can't be tied together in one rule of this target".to_owned(),
                span: *span,
            }),
            // A window around a single observation holds for each one; a count inside it reports its own loss.
            Observation::Within { of, .. } => self.observe(of, qualifiers),
            Observation::Repeat { of, times: 1, .. } => self.observe(of, qualifiers),
            Observation::Repeat { of, times, span } => {
                let message = format!("the rule fires on the first of {times} observations");
                self.qualified(of, qualifiers, COUNT, message, *span);
            }
            Observation::During { of, start, stop, span } => {
                let message = format!("the rule fires at any time, not only from {start} until {stop}");
                self.qualified(of, qualifiers, INTERVAL, message, *span);
            }
        }
    }

    fn qualified(&mut self, of: &'p Observation, outer: &[Loss], code: Code, message: String, span: Span) {
        let mut qualifiers = outer.to_vec();
        qualifiers.push(Loss { code, effect: Fidelity::BROADER, message, span });
        self.observe(of, &qualifiers);
    }

    fn branch(&mut self, condition: &'p Condition, qualifiers: &[Loss]) {
        match branches(condition) {
            Some(branches) => {
                self.alternatives.extend(branches.into_iter().map(|tests| (tests, qualifiers.to_vec())));
            }
            None => self.dropped.push(Loss {
                code: TOO_MANY_BRANCHES,
                effect: Fidelity::NARROWER,
                message: format!("the pattern has more than {BRANCH_BUDGET} combinations"),
                span: condition_span(condition),
            }),
        }
    }
}

/// The disjunctive form of a condition; `None` beyond the budget.
///
/// The budget counts what AND multiplies, not the operands of a plain OR, which cost nothing more than they did.
fn branches(condition: &Condition) -> Option<Vec<Vec<&Test>>> {
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

/// The first to the last test of a condition.
#[must_use]
pub fn condition_span(condition: &Condition) -> Span {
    match condition {
        Condition::Test(test) => test.span,
        Condition::All(operands) | Condition::Any(operands) => {
            operands.iter().map(condition_span).reduce(Span::to).unwrap_or_default()
        }
    }
}

fn whole(observation: &Observation) -> Span {
    match observation {
        Observation::Match(condition) => condition_span(condition),
        Observation::All(_, span) | Observation::Any(_, span) | Observation::Then(_, span) => *span,
        Observation::Within { of, span, .. }
        | Observation::Repeat { of, span, .. }
        | Observation::During { of, span, .. } => whole(of).to(*span),
    }
}
