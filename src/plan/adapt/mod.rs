//! Cutting a plan down to what a target can hold, with a loss for each cut.
//!
//! A target sees a pattern from several data sources: the log data sources of Sigma, the protocols of Suricata, the lists of a
//! blocklist. A data source holds some properties and not others, and one rule lives in one data source. [`adapt`] brings the plan
//! into disjunctive form (a list of alternatives, each a conjunction of tests, or a [`Sequence`] of them where several
//! observations are asked for), and looks for each alternative for the data sources that hold most of it. Nothing else in the
//! program drops a part of a pattern.

mod alternatives;
mod branch;
mod order;
mod place;
mod sequence;

use super::{
    Plan, Test,
    fidelity::{Fidelity, Loss},
};
use crate::{diagnostic::Code, span::Span};
use alternatives::{Alternative, Alternatives, Kind};
use place::{not_accepted, place};

/// The target has no place for a property.
pub const NO_PLACE: Code = Code("L001");
/// The place can't be compared with this operator.
pub const NO_OPERATOR: Code = Code("L002");
/// The value can't stand in this place.
pub const NO_VALUE: Code = Code("L003");
/// The target ignores letter case where STIX does not.
pub const CASE: Code = Code("L004");
/// Parts that would have to be in different data sources.
pub const NO_COMMON_SOURCE: Code = Code("L005");
/// The target can't tie several observations together.
pub const OBSERVATIONS: Code = Code("L010");
/// The count of REPEATS is dropped.
pub const COUNT: Code = Code("L011");
/// The interval of START-STOP is dropped.
pub const INTERVAL: Code = Code("L012");
/// Observations are tied by what STIX does not ask for.
pub const TIED: Code = Code("L013");
/// The pattern names no time in which the observations have to lie, and the target needs one.
pub const NO_WINDOW: Code = Code("L014");
/// The time is cut to whole seconds.
pub const WHOLE_SECONDS: Code = Code("L015");
/// One event may stand for two observations.
pub const ONE_EVENT: Code = Code("L016");
/// What is left names nothing specific.
pub const NOTHING_SPECIFIC: Code = Code("L020");
/// What is left consists of negations.
pub const ONLY_NEGATIONS: Code = Code("L021");
/// The disjunctive form has more branches than the budget.
pub const TOO_MANY_BRANCHES: Code = Code("L022");
/// The verdict is not one of those that the user accepts for this target.
pub const NOT_ACCEPTED: Code = Code("L030");
/// An alternative is left out, so that the others make rules that the user accepts.
pub const LEFT_OUT: Code = Code("L031");

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
    pub fn new(verdicts: impl IntoIterator<Item = Fidelity>) -> Self {
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

/// Whether a data source holds a test.
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

/// One conjunction in one data source.
#[derive(Debug, Clone)]
pub struct Part<'p, H> {
    /// Number of the alternative in the plan, from 0. Together with the data source it names the part for ever.
    pub alternative: usize,
    /// The data source.
    pub source: usize,
    /// The tests that the data source holds, in the plan's order.
    pub tests: Vec<(&'p Test, H)>,
    /// Whether this part means what its alternative means.
    pub fidelity: Fidelity,
    /// Why not.
    pub losses: Vec<Loss>,
}

/// Whether the steps of a [`Sequence`] have to come in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// They don't: AND, and the repetitions of REPEATS.
    Any,
    /// They do: FOLLOWEDBY. Steps at the same time are in order.
    Given,
}

/// Several observations, tied together by what their data sources share (see [`Ties`]).
#[derive(Debug, Clone)]
pub struct Sequence<'p, H> {
    /// Number of the alternative in the plan, from 0; [`Part`]s and sequences are counted together. Together with the key
    /// it names the sequence for ever.
    pub alternative: usize,
    /// The key that all of its data sources share.
    pub key: usize,
    /// Whether the steps have to come in their order.
    pub order: Order,
    /// One step that has to happen more than once, or several steps that each have to happen once, by different events.
    pub steps: Vec<Step<'p, H>>,
    /// The time in which all of it has to lie, in seconds, both ends included; at least 1.
    pub window: u64,
    /// Whether the sequence means what its alternative means.
    pub fidelity: Fidelity,
    /// Why not.
    pub losses: Vec<Loss>,
}

/// One step of a [`Sequence`].
#[derive(Debug, Clone)]
pub struct Step<'p, H> {
    /// How often it has to happen, by different events; more than 1 only where it is the only step.
    pub times: u64,
    /// Any of these will do.
    pub parts: Vec<Part<'p, H>>,
}

/// How a target ties several observations together.
#[derive(Clone, Copy)]
pub struct Ties<'t> {
    /// What the events of a sequence have in common, for the user: `the same host`. STIX asks for nothing like it.
    pub by: &'t str,
    /// What ties the events of a data source, as a number; those of data sources with the same key can be tied to each other. `None`
    /// for data sources whose events name nothing that could.
    pub key: &'t dyn Fn(usize) -> Option<usize>,
    /// Whether no event is of both data sources, or the target sees to it that none counts for both.
    pub apart: &'t dyn Fn(usize, usize) -> bool,
    /// The time in which a sequence has to lie where the pattern names none, in seconds.
    pub window: u64,
}

/// What speaks against tests that would be all that a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// Which kind of objection.
    pub code: Code,
    /// One sentence for the user, in lower case and without a full stop.
    pub message: String,
    /// Whether the rule is written all the same, and the objection only told.
    pub is_told_only: bool,
}

/// Who judges what is left of an alternative in a data source.
pub trait Judge {
    /// What speaks against a rule that asks for these tests, if anything does. They may be the rest of an alternative of which
    /// the target does not hold everything: what was good beside the others may not be good alone.
    fn objection(&self, tests: &[&Test], is_rest: bool) -> Option<Objection>;
}

impl<F: Fn(&[&Test]) -> Option<Objection>> Judge for F {
    fn objection(&self, tests: &[&Test], _: bool) -> Option<Objection> {
        self(tests)
    }
}

/// What a target can hold.
#[derive(Clone, Copy)]
pub struct Capabilities<'t> {
    /// How many data sources it has.
    pub sources: usize,
    /// Which verdicts the user accepts.
    pub accept: Accept,
    /// How it ties several observations; `None` where it can't.
    pub ties: Option<Ties<'t>>,
    /// Who judges what is left for a rule.
    pub judge: &'t dyn Judge,
}

/// A plan cut down to a target.
#[derive(Debug, Clone)]
pub struct Adapted<'p, H> {
    /// Rules on one event each, ordered by alternative, then data source.
    pub parts: Vec<Part<'p, H>>,
    /// Rules on several events, ordered by alternative, then key. There is at least one part or sequence.
    pub sequences: Vec<Sequence<'p, H>>,
    /// Whether all of them together mean what the plan means.
    pub fidelity: Fidelity,
    /// Every loss of the plan and of its parts, in the order of the pattern, without repetitions.
    pub losses: Vec<Loss>,
    /// The fidelity but for what the judge took out: that is to be no reason to take out the others, too.
    judged: Fidelity,
    accept: Accept,
    /// The part of the pattern that the plan is about.
    span: Span,
}

/// Cuts `plan` down to what a target can hold, as far as the user accepts; the reasons where nothing is left.
///
/// `fit` says whether the data source with a given number holds a test.
///
/// # Errors
/// The losses that kept each alternative out.
pub fn adapt<'p, H>(
    plan: &'p Plan,
    capabilities: Capabilities<'_>,
    mut fit: impl FnMut(usize, &'p Test) -> Fit<H>,
) -> Result<Adapted<'p, H>, Vec<Loss>> {
    let Capabilities { sources, accept, ties, judge } = capabilities;
    let sources: Vec<usize> = (0..sources).collect();
    let gathered = Alternatives::new(&plan.observation, ties.is_some());
    let mut placed = Placed::new(gathered.dropped);
    for (number, Alternative { kind, qualifiers }) in gathered.all.into_iter().enumerate() {
        match (kind, ties) {
            (Kind::Single(tests), _) => {
                let allows = |fidelity| accept.allows(fidelity);
                let found = place(number, &tests, &qualifiers, &sources, allows, judge, &mut fit);
                placed.add(found, |placed| &mut placed.parts);
            }
            (Kind::Chain(chain), Some(ties)) => {
                let found = sequence::place_chain(number, &chain, &qualifiers, &sources, capabilities, ties, &mut fit);
                placed.add(found, |placed| &mut placed.sequences);
            }
            // Without ties no chain is gathered.
            (Kind::Chain(_), None) => {}
        }
    }
    placed.finish(accept, plan.span())
}

/// What has a place, and what was lost on the way there.
struct Placed<'p, H> {
    parts: Vec<Part<'p, H>>,
    sequences: Vec<Sequence<'p, H>>,
    /// What became of no rule.
    missing: Vec<Loss>,
    /// What would have, but for the judge.
    objected: Vec<Loss>,
}

/// Why an alternative has no place.
struct Unplaced {
    losses: Vec<Loss>,
    /// Whether it would have one but for the judge.
    objected: bool,
}

impl<H> Part<'_, H> {
    /// From its first test to the last.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::covering(self.tests.iter().map(|(test, _)| test.span))
    }
}

impl<H> Sequence<'_, H> {
    /// From its first test to the last.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::covering(self.steps.iter().flat_map(|step| &step.parts).map(Part::span))
    }
}

impl<'p, H> Adapted<'p, H> {
    /// Takes out the parts that are a single test, for a target whose entries stand alone; the others are losses with this
    /// code and message.
    pub fn alone(&mut self, code: Code, message: &str) -> (Vec<Part<'p, H>>, Vec<Loss>) {
        let parts = std::mem::take(&mut self.parts);
        let (alone, joint): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| part.tests.len() == 1);
        // Beside others a part that is missing makes the rules miss some; alone it is the reason why there is none.
        let effect = if alone.is_empty() { Fidelity::BROADER } else { Fidelity::NARROWER };
        let loss = |part: &Part<'p, H>| Loss { code, effect, message: message.to_owned(), span: part.span() };
        (alone, joint.iter().map(loss).collect())
    }

    /// What the rules that were written for it amount to, of which `lost` is what they lost on the way: their fidelity, and
    /// every loss in the order of the pattern.
    ///
    /// # Errors
    /// The losses, where no rule was written, or where the rules would not be accepted.
    pub fn finish(mut self, lost: Vec<Loss>, is_written: bool) -> Result<(Fidelity, Vec<Loss>), Vec<Loss>> {
        let judged = lost.iter().fold(self.judged, |all, loss| all | loss.effect);
        if !lost.is_empty() {
            self.losses.extend(lost);
            in_order(&mut self.losses);
        }
        if !self.accept.allows(judged) {
            return Err(not_accepted(judged, self.losses, self.span));
        }
        if is_written { Ok((self.fidelity | judged, self.losses)) } else { Err(self.losses) }
    }
}

impl<'p, H> Placed<'p, H> {
    fn new(missing: Vec<Loss>) -> Self {
        Self { parts: Vec::new(), sequences: Vec::new(), missing, objected: Vec::new() }
    }

    fn add<T>(&mut self, found: Result<Vec<T>, Unplaced>, list: impl FnOnce(&mut Self) -> &mut Vec<T>) {
        match found {
            Ok(found) => list(self).extend(found),
            Err(Unplaced { losses, objected: true }) => self.objected.extend(losses),
            Err(Unplaced { losses, .. }) => self.missing.extend(losses),
        }
    }

    /// The fidelity and the losses of each rule.
    fn rules(&self) -> impl Iterator<Item = (Fidelity, &Vec<Loss>)> {
        let parts = self.parts.iter().map(|part| (part.fidelity, &part.losses));
        parts.chain(self.sequences.iter().map(|sequence| (sequence.fidelity, &sequence.losses)))
    }

    fn fidelity(&self) -> Fidelity {
        let missing = if self.missing.is_empty() { Fidelity::EXACT } else { Fidelity::NARROWER };
        self.rules().fold(missing, |all, (fidelity, _)| all | fidelity)
    }

    fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.sequences.is_empty()
    }

    fn finish(mut self, accept: Accept, span: Span) -> Result<Adapted<'p, H>, Vec<Loss>> {
        let joint = self.fidelity();
        if !self.is_empty() && !accept.allows(joint) {
            let before = self.losses();
            self.leave_out_broader(accept);
            if self.is_empty() || !accept.allows(self.fidelity()) {
                return Err(not_accepted(joint, before, span));
            }
        }
        let losses = self.losses();
        if self.is_empty() {
            return Err(losses);
        }
        let judged = self.fidelity();
        let fidelity = if self.objected.is_empty() { judged } else { judged | Fidelity::NARROWER };
        Ok(Adapted { fidelity, parts: self.parts, sequences: self.sequences, losses, judged, accept, span })
    }

    /// Leaves out the alternatives that match more, where the user accepts rules that miss some and not those that do
    /// both.
    fn leave_out_broader(&mut self, accept: Accept) {
        if !accept.allows(Fidelity::NARROWER) {
            return;
        }
        let mut missing = Vec::new();
        let mut stays = |fidelity: Fidelity, losses: &[Loss], span: Span| {
            if fidelity.more {
                let message = "this alternative would match more, while others are missing: it is left out".to_owned();
                missing.extend(losses.iter().filter(|loss| loss.effect.more).cloned());
                missing.push(Loss { code: LEFT_OUT, effect: Fidelity::NARROWER, message, span });
            }
            !fidelity.more
        };
        self.parts.retain(|part| stays(part.fidelity, &part.losses, part.span()));
        self.sequences.retain(|sequence| stays(sequence.fidelity, &sequence.losses, sequence.span()));
        self.missing.extend(missing);
    }

    /// Every loss, in the order of the pattern, once.
    fn losses(&self) -> Vec<Loss> {
        let rules = self.rules().flat_map(|(_, losses)| losses);
        let mut all: Vec<Loss> = rules.chain(&self.missing).chain(&self.objected).cloned().collect();
        in_order(&mut all);
        all
    }
}

/// Brings losses into the order of the pattern, and keeps each once.
fn in_order(losses: &mut Vec<Loss>) {
    losses.sort_by(|left, right| (left.span, left).cmp(&(right.span, right)));
    losses.dedup();
}
