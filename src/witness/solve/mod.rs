//! Observations for a plan: some that satisfy it, and some that nearly do.
//!
//! Each way to satisfy a plan (an alternative of each OR, a value of each set) is solved property by property: values
//! that the operators make likely are tried until the evaluator says that all tests on the property hold. A near miss
//! changes the value of one property so that one test breaks and all others still hold, or plays the same observations
//! at other moments. What comes out is labelled by the evaluator as a whole.
//!
//! ```text
//! Plan ─► scripts ─► conjunctions ─► slots: values ─► scenes, with companions ─► played in time ─► labelled
//! ```

mod address;
mod companion;
mod conjunction;
mod kind;
mod like;
mod near;
mod near_text;
mod path;
mod play;
mod probe;
mod regex;
mod scene;
mod script;
mod simpler_regex;
mod solved;
mod timetable;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use super::{Aim, Gap, Labeller, Objects, Sighting, Witness};
use crate::{
    plan::{Plan, Test},
    span::Span,
};
use companion::Company;
use conjunction::Conjunction;
use play::{Twist, obstacle, play, twists};
use script::{Script, scripts};
use solved::{Miss, Solved};

/// How many witnesses are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Ways to satisfy the plan.
    pub alternatives: usize,
    /// Near misses, of all alternatives together.
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
    let labeller = match Labeller::new(plan) {
        Ok(labeller) => labeller,
        Err(error) => {
            let gaps = vec![Gap { span: Span::default(), reason: error.to_string() }];
            return Witnesses { gaps, complete: true, ..Witnesses::default() };
        }
    };
    let ways = scripts(&plan.observation, bounds.alternatives);
    let company = Company::of(plan);
    let mut found = Witnesses { complete: ways.complete, ..Witnesses::default() };
    let mut misses = Vec::new();
    let mut seen = BTreeSet::new();
    for (alternative, script) in ways.all.iter().enumerate() {
        if let Err(gap) = alternative_of(script, alternative, &company, &labeller, &mut found, &mut misses, &mut seen) {
            found.gaps.push(gap);
        }
    }
    misses.sort_by_key(|miss: &NearMiss| (miss.turn, miss.place));
    found.complete &= misses.iter().skip(bounds.misses).all(|miss| miss.turn > Turn::Again);
    let mut shown: BTreeMap<Span, bool> = BTreeMap::new();
    for NearMiss { aim, sightings, .. } in misses.into_iter().take(bounds.misses) {
        let Aim::NearMiss { span, .. } = aim else { continue };
        let misses = found.add(&labeller, aim, sightings) == Some(false);
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
    script: &Script<'p>,
    alternative: usize,
    company: &Company<'p>,
    labeller: &Labeller,
    found: &mut Witnesses,
    misses: &mut Vec<NearMiss>,
    seen: &mut BTreeSet<*const Test>,
) -> Result<(), Gap> {
    if let Some((span, reason)) = obstacle(script) {
        return Err(Gap { span, reason: reason.to_owned() });
    }
    let leaves = script.leaves();
    let conjunctions = leaves.iter().map(|leaf| Conjunction::new(leaf, company)).collect::<Result<Vec<_>, _>>()?;
    let solved = conjunctions.iter().map(Conjunction::solved).collect::<Result<Vec<_>, _>>()?;
    let casts: Vec<Vec<Objects>> = solved.iter().map(Solved::matches).collect();
    let cast = |turn: usize| -> Vec<Objects> { casts.iter().map(|own| own[turn.min(own.len() - 1)].clone()).collect() };
    let plainest = cast(0);
    let mut acts: Vec<(Vec<Objects>, Twist)> =
        (0..casts.iter().map(Vec::len).max().unwrap_or(1)).map(|turn| (cast(turn), Twist::None)).collect();
    if !matches!(script, Script::One(_)) {
        let twists = [Twist::AtOnce, Twist::AtTheLimit, Twist::Backwards];
        acts.extend(twists.map(|twist| (plainest.clone(), twist)));
    }
    let mut played: Vec<Vec<Sighting>> = Vec::new();
    for (cast, twist) in acts {
        if let Some(sightings) = play(script, &cast, twist, None)
            && !played.contains(&sightings)
        {
            played.push(sightings);
        }
    }
    if played.is_empty() {
        return Err(Gap { span: whole(script), reason: "no moments were found that suit the qualifiers".to_owned() });
    }
    for sightings in played {
        found.add(labeller, Aim::Match { alternative }, sightings);
    }
    let before = misses.len();
    for (leaf, solved) in solved.iter().enumerate() {
        let (own, gaps) = solved.misses();
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
            if let Some(sightings) = play(script, &plainest, Twist::Other { leaf }, Some(&objects)) {
                misses.push(NearMiss { turn, place: misses.len() - before, aim, sightings });
            }
        }
        seen.extend(known);
    }
    for (twist, span, change) in twists(script) {
        // What other limits rule out can't go wrong by itself.
        if let Some(sightings) = play(script, &plainest, twist, None) {
            let aim = Aim::NearMiss { alternative, span, change };
            let turn = if alternative == 0 { Turn::First } else { Turn::Again };
            misses.push(NearMiss { turn, place: misses.len() - before, aim, sightings });
        }
    }
    Ok(())
}

fn whole(script: &Script<'_>) -> Span {
    let leaves = script.leaves();
    Span::covering(leaves.into_iter().flatten().map(|literal| literal.test.span))
}

impl Witnesses {
    /// Asks the evaluator, takes the witness in, and tells whether the pattern matches it.
    fn add(&mut self, labeller: &Labeller, aim: Aim, sightings: Vec<Sighting>) -> Option<bool> {
        match labeller.matches(&sightings) {
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
