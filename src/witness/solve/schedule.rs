//! The times of a scenario's observations, and what goes wrong in a near miss.

use super::{
    encode::micros,
    scenario::Scenario,
    time_constraints::{ORIGIN, TimeConstraints},
};
use crate::{
    span::Span,
    witness::{Objects, Sighting},
};

/// 2024-01-01T00:00:00Z, where nothing says otherwise.
const BASE: i64 = 1_704_067_200_000_000;
const SECOND: i64 = 1_000_000;
/// How far back a moment before START may lie.
const DAY: i64 = 86_400 * SECOND;
/// More than all of time, and small enough to be added up.
const FOREVER: i64 = i64::MAX / 8;
/// How many times an observation is repeated at most.
pub(super) const REPEATS: u64 = 64;

/// How a schedule differs from what the scenario asks for. Parts are numbered from the outside in, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutation {
    /// It doesn't.
    None,
    /// All that may be at one moment is.
    AtOnce,
    /// What has a time limit takes all of it, and what has to be before STOP is just before it.
    AtTheLimit,
    /// What may be in any order is the other way round.
    Backwards,
    /// Two parts of a part, one behind the other, change places.
    Swapped { part: usize, first: usize },
    /// A part with a time limit takes so many microseconds more.
    TooLate { part: usize, by: i64 },
    /// A part that repeats does so once less.
    OneFewer { part: usize },
    /// The first observation of a part is so many microseconds before START.
    Before { part: usize, by: i64 },
    /// The last observation of a part is at STOP.
    AtStop { part: usize },
    /// An observation is not there, once.
    Absent { leaf: usize },
    /// An observation is another one, once.
    Other { leaf: usize },
}

/// What can be changed about a scenario so that it should no longer hold, the part that is no longer true, and how.
pub(super) fn mutations(scenario: &Scenario<'_>) -> Vec<(Mutation, Span, &'static str)> {
    let mut found = Vec::new();
    let mut number = 0;
    gather(scenario, &mut number, &mut found);
    let leaves = scenario.leaves();
    if leaves.len() > 1 {
        for (leaf, literals) in leaves.iter().enumerate() {
            let span = Span::covering(literals.iter().map(|literal| literal.test.span));
            found.push((Mutation::Absent { leaf }, span, "one observation is not there"));
        }
    }
    found
}

fn gather(scenario: &Scenario<'_>, number: &mut usize, found: &mut Vec<(Mutation, Span, &'static str)>) {
    let part = *number;
    *number += 1;
    match scenario {
        Scenario::One(_) => {}
        Scenario::All(parts) => parts.iter().for_each(|one| gather(one, number, found)),
        Scenario::Then(parts, span) => {
            for first in (0..parts.len().saturating_sub(1)).take(3) {
                found.push((Mutation::Swapped { part, first }, *span, "the reverse order"));
            }
            parts.iter().for_each(|one| gather(one, number, found));
        }
        Scenario::Within(of, _, span) => {
            if observations(of) > 1 {
                found.push((Mutation::TooLate { part, by: SECOND }, *span, "one second too late"));
                found.push((Mutation::TooLate { part, by: 1 }, *span, "one microsecond too late"));
            }
            gather(of, number, found);
        }
        Scenario::Repeat(of, times, span) => {
            if *times > 1 {
                found.push((Mutation::OneFewer { part }, *span, "one repetition too few"));
            }
            gather(of, number, found);
        }
        Scenario::During(of, _, span) => {
            found.push((Mutation::Before { part, by: 1 }, *span, "just before START"));
            found.push((Mutation::Before { part, by: SECOND }, *span, "one second before START"));
            found.push((Mutation::AtStop { part }, *span, "at STOP"));
            gather(of, number, found);
        }
    }
}

/// How many observations a scenario needs.
fn observations(scenario: &Scenario<'_>) -> u64 {
    match scenario {
        Scenario::One(_) => 1,
        Scenario::All(parts) | Scenario::Then(parts, _) => parts.iter().map(observations).fold(0, u64::saturating_add),
        Scenario::Repeat(of, times, _) => observations(of).saturating_mul(*times),
        Scenario::Within(of, ..) | Scenario::During(of, ..) => observations(of),
    }
}

/// Why a scenario can't be scheduled, whatever is seen.
pub(super) fn obstacle(scenario: &Scenario<'_>) -> Option<(Span, &'static str)> {
    match scenario {
        Scenario::One(_) => None,
        Scenario::All(parts) | Scenario::Then(parts, _) => parts.iter().find_map(obstacle),
        Scenario::Within(of, ..) | Scenario::During(of, ..) => obstacle(of),
        Scenario::Repeat(of, times, span) => {
            if *times > REPEATS || observations(scenario) > 4 * REPEATS {
                return Some((*span, "it repeats too often to be shown"));
            }
            obstacle(of)
        }
    }
}

/// Gives each observation of a scenario a time so that all qualifiers hold but the mutated one: `objects` has the objects of each leaf, `other` those of the leaf that [`Mutation::Other`] names.
/// `None` where no moments fit.
pub(super) fn schedule(
    scenario: &Scenario<'_>,
    objects: &[Objects],
    mutation: Mutation,
    other: Option<&Objects>,
) -> Option<Vec<Sighting>> {
    let mut timing = Schedule {
        constraints: TimeConstraints::new(),
        seen: Vec::new(),
        part: 0,
        leaf: 0,
        mutation,
        is_done: false,
        earliest: None,
    };
    timing.part(scenario)?;
    let spacings: &[Option<i64>] = if mutation == Mutation::AtOnce {
        &[Some(0), None]
    } else {
        &[Some(SECOND), Some(1000), Some(1), Some(0), None]
    };
    let mut bases = vec![BASE];
    bases.extend(timing.earliest.map(|start| start.saturating_sub(DAY)).filter(|base| *base < BASE));
    let moments = spacings.iter().find_map(|spacing| {
        let mut constraints = timing.constraints.clone();
        if let Some(spacing) = spacing {
            timing.seen.windows(2).for_each(|pair| constraints.at_least(pair[0].0, pair[1].0, *spacing));
        }
        bases.iter().find_map(|base| constraints.solved(*base))
    })?;
    let mut sightings: Vec<Sighting> = timing
        .seen
        .iter()
        .filter_map(|(moment, leaf)| {
            let objects = match leaf {
                Some(leaf) => objects.get(*leaf)?,
                None => other?,
            };
            Some(Sighting { at: moments[*moment], objects: objects.clone() })
        })
        .collect();
    sightings.sort_by_key(|sighting| sighting.at);
    (!sightings.is_empty()).then_some(sightings)
}

/// A schedule in the making.
struct Schedule {
    constraints: TimeConstraints,
    /// The moments in order of their appearance, each with the leaf that is seen; `None` for the other one.
    seen: Vec<(usize, Option<usize>)>,
    /// The number of the next part, and of the next leaf.
    part: usize,
    leaf: usize,
    mutation: Mutation,
    /// Whether what is to go wrong once has.
    is_done: bool,
    earliest: Option<i64>,
}

/// A part that was scheduled: what was seen, and when it begins and ends.
struct Scheduled {
    seen: Vec<(usize, Option<usize>)>,
    ends: [usize; 2],
}

impl Schedule {
    /// Schedules a part, and answers when it begins and ends.
    fn part(&mut self, scenario: &Scenario<'_>) -> Option<[usize; 2]> {
        let number = self.part;
        self.part += 1;
        let from = self.seen.len();
        match scenario {
            Scenario::One(_) => self.one(),
            Scenario::All(parts) => self.all(parts)?,
            Scenario::Then(parts, _) => self.then(parts, number)?,
            Scenario::Within(of, seconds, _) => {
                let [start, stop] = self.part(of)?;
                // In whole nanoseconds, as the evaluator has it; a cast of a float saturates.
                let limit = ((seconds * 1e9).round() as i64 / 1000).min(FOREVER);
                let late = match self.mutation {
                    Mutation::TooLate { part, by } if part == number => Some(limit.saturating_add(by)),
                    _ => None,
                };
                let at_the_limit = (self.mutation == Mutation::AtTheLimit).then_some(limit);
                if late.is_none() {
                    self.constraints.at_most(start, stop, limit);
                }
                if let (Some(distance), Some([first, .., last])) = (late.or(at_the_limit), self.seen.get(from..)) {
                    self.constraints.at_least(first.0, last.0, distance);
                }
            }
            Scenario::Repeat(of, times, _) => {
                let fewer = self.mutation == Mutation::OneFewer { part: number } && !self.is_done;
                self.is_done |= fewer;
                let (part, leaf) = (self.part, self.leaf);
                for _ in 0..times - u64::from(fewer) {
                    (self.part, self.leaf) = (part, leaf);
                    self.part(of)?;
                }
            }
            Scenario::During(of, [start, stop], _) => {
                self.part(of)?;
                self.during(from, number, micros(start)?, micros(stop)?);
            }
        }
        Some(self.around(from))
    }

    fn one(&mut self) {
        let leaf = self.leaf;
        self.leaf += 1;
        let is_it = |mutated: usize| mutated == leaf && !self.is_done;
        let seen = match self.mutation {
            Mutation::Absent { leaf } if is_it(leaf) => {
                self.is_done = true;
                return;
            }
            Mutation::Other { leaf } if is_it(leaf) => {
                self.is_done = true;
                None
            }
            _ => Some(leaf),
        };
        let moment = self.constraints.moment();
        self.seen.push((moment, seen));
    }

    fn all(&mut self, parts: &[Scenario<'_>]) -> Option<()> {
        let mut scheduled = self.each(parts)?;
        if self.mutation == Mutation::Backwards {
            scheduled.reverse();
        }
        self.seen.extend(scheduled.into_iter().flat_map(|scheduled| scheduled.seen));
        Some(())
    }

    fn then(&mut self, parts: &[Scenario<'_>], number: usize) -> Option<()> {
        let mut scheduled = self.each(parts)?;
        let mut distance = 0;
        if let Mutation::Swapped { part, first } = self.mutation
            && part == number
            && !self.is_done
        {
            self.is_done = true;
            scheduled.swap(first, first + 1);
            distance = SECOND;
        }
        for pair in scheduled.windows(2) {
            self.constraints.at_least(pair[0].ends[1], pair[1].ends[0], distance);
        }
        self.seen.extend(scheduled.into_iter().flat_map(|scheduled| scheduled.seen));
        Some(())
    }

    /// Schedules parts without saying which one is when. They keep their numbers whatever comes of that.
    fn each(&mut self, parts: &[Scenario<'_>]) -> Option<Vec<Scheduled>> {
        let from = self.seen.len();
        let scheduled = parts.iter().map(|part| {
            let ends = self.part(part)?;
            Some(Scheduled { seen: self.seen.split_off(from), ends })
        });
        scheduled.collect()
    }

    fn during(&mut self, from: usize, number: usize, start: i64, stop: i64) {
        self.earliest = Some(self.earliest.map_or(start, |earliest| earliest.min(start)));
        let count = self.seen.len() - from;
        for (at, (moment, _)) in self.seen[from..].iter().enumerate() {
            match self.mutation {
                Mutation::Before { part, by } if part == number && at == 0 => {
                    self.constraints.at_least(ORIGIN, *moment, start - by);
                    self.constraints.at_most(ORIGIN, *moment, start - by);
                }
                Mutation::AtStop { part } if part == number && at + 1 == count => {
                    self.constraints.at_least(ORIGIN, *moment, stop);
                    self.constraints.at_most(ORIGIN, *moment, stop);
                }
                _ => {
                    let last = self.mutation == Mutation::AtTheLimit && at + 1 == count;
                    self.constraints.at_least(ORIGIN, *moment, if last { stop - 1 } else { start });
                    self.constraints.at_most(ORIGIN, *moment, stop - 1);
                }
            }
        }
    }

    /// When what was seen since then begins and ends.
    fn around(&mut self, from: usize) -> [usize; 2] {
        if let [(only, _)] = self.seen[from..] {
            return [only, only];
        }
        let ends = [self.constraints.moment(), self.constraints.moment()];
        for (moment, _) in &self.seen[from..] {
            self.constraints.at_least(ends[0], *moment, 0);
            self.constraints.at_least(*moment, ends[1], 0);
        }
        self.constraints.at_least(ends[0], ends[1], 0);
        ends
    }
}
