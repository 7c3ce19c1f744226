//! Observations for a plan: some that satisfy it, and some that nearly do.
//!
//! Each way to satisfy a plan (an alternative of each OR, a value of each set) is assigned property by property: values
//! that the operators make likely are tried until the evaluator says that all tests on the property hold. A near miss
//! changes the value of one property so that one test breaks and all others still hold, or puts the same observations
//! at other moments. What matches the pattern the evaluator says of the whole.
//!
//! ```text
//! Plan ─► scenarios ─► conjunctions ─► variables: values ─► object graphs, with defaults ─► schedules ─► oracle
//! ```

mod address;
mod assignment;
mod conjunction;
mod defaults;
mod encode;
mod kind;
mod like;
mod mutate;
mod mutate_text;
mod object_graph;
mod path;
mod regex;
mod scenario;
mod schedule;
mod test_eval;
mod time_constraints;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use super::{Aim, Gap, Objects, Oracle, Sighting, Witness};
use crate::{
    plan::{Plan, Test},
    span::Span,
};
use assignment::{Assignment, Miss};
use conjunction::Conjunction;
use defaults::Defaults;
use scenario::{Scenario, scenarios};
use schedule::{Mutation, mutations, obstacle, schedule};

/// How many witnesses are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Ways to satisfy the plan.
    pub alternatives: usize,
    /// Neighbour misses, of all alternatives together.
    pub misses: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { alternatives: 16, misses: 48 }
    }
}

/// The witnesses of a plan.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Witnesses {
    /// Those that satisfy it, then those that nearly do.
    pub all: Vec<Witness>,
    /// What no witness could be made for.
    pub gaps: Vec<Gap>,
    /// Observations that should satisfy the plan and don't, as the evaluator has it: a mistake in one of the two.
    pub denied: Vec<Witness>,
    /// Whether the bounds cut nothing off: each alternative is there, and a near miss for each test of each.
    pub complete: bool,
}

/// Makes witnesses for a plan; the same ones each time.
///
/// ```
/// use stixc::{pattern, plan::lower::lower, witness::solve::{Bounds, witnesses}};
///
/// let pattern = pattern::parse("[file:size > 1000 AND file:name LIKE '%.exe']").unwrap();
/// let found = witnesses(&lower(&pattern).plan, Bounds::default());
/// let sizes = |matches| -> Vec<_> {
///     let some = found.all.iter().filter(|one| one.matches == matches);
///     some.filter_map(|one| one.sightings[0].objects["0"]["size"].as_i64()).collect()
/// };
/// assert!(sizes(true).contains(&1001));
/// assert!(sizes(false).contains(&1000));
/// assert!(found.complete && found.gaps.is_empty() && found.denied.is_empty());
/// ```
#[must_use]
pub fn witnesses(plan: &Plan, bounds: Bounds) -> Witnesses {
    // What is observed is in the one spelling that the canonical text has.
    let plan = &plan.folded();
    let oracle = match Oracle::new(plan) {
        Ok(oracle) => oracle,
        Err(error) => {
            let gaps = vec![Gap { span: Span::default(), reason: error.to_string() }];
            return Witnesses { gaps, complete: true, ..Witnesses::default() };
        }
    };
    let ways = scenarios(&plan.observation, bounds.alternatives);
    let defaults = Defaults::new(plan);
    let mut found = Witnesses { complete: ways.complete, ..Witnesses::default() };
    let mut misses = Vec::new();
    let mut seen = BTreeSet::new();
    for (alternative, scenario) in ways.all.iter().enumerate() {
        if let Err(gap) = alternative_of(scenario, alternative, &defaults, &oracle, &mut found, &mut misses, &mut seen)
        {
            found.gaps.push(gap);
        }
    }
    misses.sort_by_key(|miss: &NearMiss| (miss.turn, miss.place));
    found.complete &= misses.iter().skip(bounds.misses).all(|miss| miss.turn > Turn::Again);
    let mut shown: BTreeMap<Span, bool> = BTreeMap::new();
    for NearMiss { aim, sightings, .. } in misses.into_iter().take(bounds.misses) {
        let Aim::NearMiss { span, .. } = aim else { continue };
        let misses = found.add(&oracle, aim, sightings) == Some(false);
        *shown.entry(span).or_default() |= misses;
    }
    found.gaps.extend(shown.into_iter().filter(|(_, shown)| !shown).map(|(span, _)| {
        let reason = "each observation that breaks this part alone satisfies the pattern in another way".to_owned();
        Gap { span, reason }
    }));
    found.gaps.sort_by(|one, other| (one.span, &one.reason).cmp(&(other.span, &other.reason)));
    found.gaps.dedup();
    found
}

/// When a near miss is taken, as long as there is room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// The first that breaks its test, in the first alternative that has it.
    First,
    /// The first that breaks its test in another alternative.
    Again,
    /// All others that break a test.
    More,
    /// The same in another alternative.
    MoreAgain,
}

/// A near miss that is not yet labelled.
struct NearMiss {
    turn: Turn,
    /// Its place among those of its alternative.
    place: usize,
    aim: Aim,
    sightings: Vec<Sighting>,
}

fn alternative_of<'p>(
    scenario: &Scenario<'p>,
    alternative: usize,
    defaults: &Defaults<'p>,
    oracle: &Oracle,
    found: &mut Witnesses,
    misses: &mut Vec<NearMiss>,
    seen: &mut BTreeSet<*const Test>,
) -> Result<(), Gap> {
    if let Some((span, reason)) = obstacle(scenario) {
        return Err(Gap { span, reason: reason.to_owned() });
    }
    let leaves = scenario.leaves();
    let conjunctions = leaves.iter().map(|leaf| Conjunction::new(leaf, defaults)).collect::<Result<Vec<_>, _>>()?;
    let assigned = conjunctions.iter().map(Assignment::new).collect::<Result<Vec<_>, _>>()?;
    let choices: Vec<Vec<Objects>> = assigned.iter().map(Assignment::matches).collect();
    let objects =
        |turn: usize| -> Vec<Objects> { choices.iter().map(|own| own[turn.min(own.len() - 1)].clone()).collect() };
    let plainest = objects(0);
    let mut variations: Vec<(Vec<Objects>, Mutation)> =
        (0..choices.iter().map(Vec::len).max().unwrap_or(1)).map(|turn| (objects(turn), Mutation::None)).collect();
    if !matches!(scenario, Scenario::One(_)) {
        let mutations = [Mutation::AtOnce, Mutation::AtTheLimit, Mutation::Backwards];
        variations.extend(mutations.map(|mutation| (plainest.clone(), mutation)));
    }
    let mut scheduled: Vec<Vec<Sighting>> = Vec::new();
    for (objects, mutation) in variations {
        if let Some(sightings) = schedule(scenario, &objects, mutation, None)
            && !scheduled.contains(&sightings)
        {
            scheduled.push(sightings);
        }
    }
    if scheduled.is_empty() {
        return Err(Gap { span: whole(scenario), reason: "no moments were found that suit the qualifiers".to_owned() });
    }
    for sightings in scheduled {
        found.add(oracle, Aim::Match { alternative }, sightings);
    }
    let before = misses.len();
    for (leaf, assigned) in assigned.iter().enumerate() {
        let (own, gaps) = assigned.misses();
        found.gaps.extend(gaps);
        let known: BTreeSet<*const Test> = own.iter().map(|miss| std::ptr::from_ref(miss.test)).collect();
        for Miss { test, change, objects, is_first } in own {
            let turn = match (is_first, seen.contains(&std::ptr::from_ref(test))) {
                (true, false) => Turn::First,
                (true, true) => Turn::Again,
                (false, false) => Turn::More,
                (false, true) => Turn::MoreAgain,
            };
            let aim = Aim::NearMiss { alternative, span: test.span, change };
            if let Some(sightings) = schedule(scenario, &plainest, Mutation::Other { leaf }, Some(&objects)) {
                misses.push(NearMiss { turn, place: misses.len() - before, aim, sightings });
            }
        }
        seen.extend(known);
    }
    for (mutation, span, change) in mutations(scenario) {
        // What other limits rule out can't go wrong by itself.
        if let Some(sightings) = schedule(scenario, &plainest, mutation, None) {
            let aim = Aim::NearMiss { alternative, span, change };
            let turn = if alternative == 0 { Turn::First } else { Turn::Again };
            misses.push(NearMiss { turn, place: misses.len() - before, aim, sightings });
        }
    }
    Ok(())
}

fn whole(scenario: &Scenario<'_>) -> Span {
    let leaves = scenario.leaves();
    Span::covering(leaves.into_iter().flatten().map(|literal| literal.test.span))
}

impl Witnesses {
    /// Asks the evaluator, takes the witness in, and tells whether the pattern matches it.
    fn add(&mut self, oracle: &Oracle, aim: Aim, sightings: Vec<Sighting>) -> Option<bool> {
        match oracle.matches(&sightings) {
            Ok(matches) => {
                let is_denied = !matches && matches!(aim, Aim::Match { .. });
                let witness = Witness { aim, sightings, matches };
                if is_denied {
                    self.denied.push(witness)
                } else {
                    self.all.push(witness)
                }
                Some(matches)
            }
            Err(error) => {
                self.gaps.push(Gap { span: Span::default(), reason: error.to_string() });
                None
            }
        }
    }
}
