//! A script played out: who is seen when, and what goes wrong in a near miss.

use super::{
    script::Script,
    timetable::{ORIGIN, Timetable},
    values::micros,
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

/// How an act differs from what the script says. Parts are numbered from the outside in, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Twist {
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

/// What can be twisted about a script so that it should no longer hold, the part that is no longer true, and how.
pub(super) fn twists(script: &Script<'_>) -> Vec<(Twist, Span, &'static str)> {
    let mut found = Vec::new();
    let mut number = 0;
    gather(script, &mut number, &mut found);
    let leaves = script.leaves();
    if leaves.len() > 1 {
        for (leaf, literals) in leaves.iter().enumerate() {
            let span = Span::covering(literals.iter().map(|literal| literal.test.span));
            found.push((Twist::Absent { leaf }, span, "one observation is not there"));
        }
    }
    found
}

fn gather(script: &Script<'_>, number: &mut usize, found: &mut Vec<(Twist, Span, &'static str)>) {
    let part = *number;
    *number += 1;
    match script {
        Script::One(_) => {}
        Script::All(parts) => parts.iter().for_each(|one| gather(one, number, found)),
        Script::Then(parts, span) => {
            for first in (0..parts.len().saturating_sub(1)).take(3) {
                found.push((Twist::Swapped { part, first }, *span, "the reverse order"));
            }
            parts.iter().for_each(|one| gather(one, number, found));
        }
        Script::Within(of, _, span) => {
            if observations(of) > 1 {
                found.push((Twist::TooLate { part, by: SECOND }, *span, "one second too late"));
                found.push((Twist::TooLate { part, by: 1 }, *span, "one microsecond too late"));
            }
            gather(of, number, found);
        }
        Script::Repeat(of, times, span) => {
            if *times > 1 {
                found.push((Twist::OneFewer { part }, *span, "one repetition too few"));
            }
            gather(of, number, found);
        }
        Script::During(of, _, span) => {
            found.push((Twist::Before { part, by: 1 }, *span, "just before START"));
            found.push((Twist::Before { part, by: SECOND }, *span, "one second before START"));
            found.push((Twist::AtStop { part }, *span, "at STOP"));
            gather(of, number, found);
        }
    }
}

/// How many observations a script needs.
fn observations(script: &Script<'_>) -> u64 {
    match script {
        Script::One(_) => 1,
        Script::All(parts) | Script::Then(parts, _) => parts.iter().map(observations).fold(0, u64::saturating_add),
        Script::Repeat(of, times, _) => observations(of).saturating_mul(*times),
        Script::Within(of, ..) | Script::During(of, ..) => observations(of),
    }
}

/// Why a script can't be played, whatever is seen.
pub(super) fn obstacle(script: &Script<'_>) -> Option<(Span, &'static str)> {
    match script {
        Script::One(_) => None,
        Script::All(parts) | Script::Then(parts, _) => parts.iter().find_map(obstacle),
        Script::Within(of, ..) | Script::During(of, ..) => obstacle(of),
        Script::Repeat(of, times, span) => {
            if *times > REPEATS || observations(script) > 4 * REPEATS {
                return Some((*span, "it repeats too often to be shown"));
            }
            obstacle(of)
        }
    }
}

/// Plays a script: `cast` has the objects of each leaf, `other` those of the leaf that [`Twist::Other`] names.
/// `None` where no moments fit.
pub(super) fn play(
    script: &Script<'_>,
    cast: &[Objects],
    twist: Twist,
    other: Option<&Objects>,
) -> Option<Vec<Sighting>> {
    let mut act =
        Act { table: Timetable::new(), seen: Vec::new(), part: 0, leaf: 0, twist, is_done: false, earliest: None };
    act.part(script)?;
    let spacings: &[Option<i64>] =
        if twist == Twist::AtOnce { &[Some(0), None] } else { &[Some(SECOND), Some(1000), Some(1), Some(0), None] };
    let mut bases = vec![BASE];
    bases.extend(act.earliest.map(|start| start.saturating_sub(DAY)).filter(|base| *base < BASE));
    let moments = spacings.iter().find_map(|spacing| {
        let mut table = act.table.clone();
        if let Some(spacing) = spacing {
            act.seen.windows(2).for_each(|pair| table.at_least(pair[0].0, pair[1].0, *spacing));
        }
        bases.iter().find_map(|base| table.solved(*base))
    })?;
    let mut sightings: Vec<Sighting> = act
        .seen
        .iter()
        .filter_map(|(moment, leaf)| {
            let objects = match leaf {
                Some(leaf) => cast.get(*leaf)?,
                None => other?,
            };
            Some(Sighting { at: moments[*moment], objects: objects.clone() })
        })
        .collect();
    sightings.sort_by_key(|sighting| sighting.at);
    (!sightings.is_empty()).then_some(sightings)
}

/// A script being played.
struct Act {
    table: Timetable,
    /// The moments in order of their appearance, each with the leaf that is seen; `None` for the other one.
    seen: Vec<(usize, Option<usize>)>,
    /// The number of the next part, and of the next leaf.
    part: usize,
    leaf: usize,
    twist: Twist,
    /// Whether what is to go wrong once has.
    is_done: bool,
    earliest: Option<i64>,
}

/// A part that was played: what was seen, and when it begins and ends.
struct Played {
    seen: Vec<(usize, Option<usize>)>,
    ends: [usize; 2],
}

impl Act {
    /// Plays a part, and answers when it begins and ends.
    fn part(&mut self, script: &Script<'_>) -> Option<[usize; 2]> {
        let number = self.part;
        self.part += 1;
        let from = self.seen.len();
        match script {
            Script::One(_) => self.one(),
            Script::All(parts) => self.all(parts)?,
            Script::Then(parts, _) => self.then(parts, number)?,
            Script::Within(of, seconds, _) => {
                let [start, stop] = self.part(of)?;
                // In whole nanoseconds, as the evaluator has it; a cast of a float saturates.
                let limit = ((seconds * 1e9).round() as i64 / 1000).min(FOREVER);
                let late = match self.twist {
                    Twist::TooLate { part, by } if part == number => Some(limit.saturating_add(by)),
                    _ => None,
                };
                let at_the_limit = (self.twist == Twist::AtTheLimit).then_some(limit);
                if late.is_none() {
                    self.table.at_most(start, stop, limit);
                }
                if let (Some(distance), Some([first, .., last])) = (late.or(at_the_limit), self.seen.get(from..)) {
                    self.table.at_least(first.0, last.0, distance);
                }
            }
            Script::Repeat(of, times, _) => {
                let fewer = self.twist == Twist::OneFewer { part: number } && !self.is_done;
                self.is_done |= fewer;
                let (part, leaf) = (self.part, self.leaf);
                for _ in 0..times - u64::from(fewer) {
                    (self.part, self.leaf) = (part, leaf);
                    self.part(of)?;
                }
            }
            Script::During(of, [start, stop], _) => {
                self.part(of)?;
                self.during(from, number, micros(start)?, micros(stop)?);
            }
        }
        Some(self.around(from))
    }

    fn one(&mut self) {
        let leaf = self.leaf;
        self.leaf += 1;
        let is_it = |twisted: usize| twisted == leaf && !self.is_done;
        let seen = match self.twist {
            Twist::Absent { leaf } if is_it(leaf) => {
                self.is_done = true;
                return;
            }
            Twist::Other { leaf } if is_it(leaf) => {
                self.is_done = true;
                None
            }
            _ => Some(leaf),
        };
        let moment = self.table.moment();
        self.seen.push((moment, seen));
    }

    fn all(&mut self, parts: &[Script<'_>]) -> Option<()> {
        let mut played = self.each(parts)?;
        if self.twist == Twist::Backwards {
            played.reverse();
        }
        self.seen.extend(played.into_iter().flat_map(|played| played.seen));
        Some(())
    }

    fn then(&mut self, parts: &[Script<'_>], number: usize) -> Option<()> {
        let mut played = self.each(parts)?;
        let mut distance = 0;
        if let Twist::Swapped { part, first } = self.twist
            && part == number
            && !self.is_done
        {
            self.is_done = true;
            played.swap(first, first + 1);
            distance = SECOND;
        }
        for pair in played.windows(2) {
            self.table.at_least(pair[0].ends[1], pair[1].ends[0], distance);
        }
        self.seen.extend(played.into_iter().flat_map(|played| played.seen));
        Some(())
    }

    /// Plays parts without saying which one is when. They keep their numbers whatever comes of that.
    fn each(&mut self, parts: &[Script<'_>]) -> Option<Vec<Played>> {
        let from = self.seen.len();
        let played = parts.iter().map(|part| {
            let ends = self.part(part)?;
            Some(Played { seen: self.seen.split_off(from), ends })
        });
        played.collect()
    }

    fn during(&mut self, from: usize, number: usize, start: i64, stop: i64) {
        self.earliest = Some(self.earliest.map_or(start, |earliest| earliest.min(start)));
        let count = self.seen.len() - from;
        for (at, (moment, _)) in self.seen[from..].iter().enumerate() {
            match self.twist {
                Twist::Before { part, by } if part == number && at == 0 => {
                    self.table.at_least(ORIGIN, *moment, start - by);
                    self.table.at_most(ORIGIN, *moment, start - by);
                }
                Twist::AtStop { part } if part == number && at + 1 == count => {
                    self.table.at_least(ORIGIN, *moment, stop);
                    self.table.at_most(ORIGIN, *moment, stop);
                }
                _ => {
                    let last = self.twist == Twist::AtTheLimit && at + 1 == count;
                    self.table.at_least(ORIGIN, *moment, if last { stop - 1 } else { start });
                    self.table.at_most(ORIGIN, *moment, stop - 1);
                }
            }
        }
    }

    /// When what was seen since then begins and ends.
    fn around(&mut self, from: usize) -> [usize; 2] {
        if let [(only, _)] = self.seen[from..] {
            return [only, only];
        }
        let ends = [self.table.moment(), self.table.moment()];
        for (moment, _) in &self.seen[from..] {
            self.table.at_least(ends[0], *moment, 0);
            self.table.at_least(*moment, ends[1], 0);
        }
        self.table.at_least(ends[0], ends[1], 0);
        ends
    }
}
