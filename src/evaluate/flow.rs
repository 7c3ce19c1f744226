//! Whether there are enough different observations: places that want them, and how often each was seen.

use std::collections::VecDeque;

use super::{
    error::EvaluateError,
    timeline::{Set, Timeline},
};

/// So many observations of a set, which end at `low` or later and begin at `high` or earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Want {
    pub(super) set: usize,
    pub(super) low: u32,
    pub(super) high: u32,
    pub(super) times: u64,
}

/// Steps that may still be taken.
#[derive(Debug)]
pub(super) struct Budget {
    limit: u64,
    left: u64,
}

impl Budget {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, left: limit }
    }

    /// # Errors
    /// If there are not so many steps left.
    pub(super) fn spend(&mut self, steps: u64) -> Result<(), EvaluateError> {
        self.left = self.left.checked_sub(steps).ok_or(EvaluateError::Budget { limit: self.limit })?;
        Ok(())
    }
}

/// The observations that may satisfy a want.
struct Choice {
    times: u64,
    observations: Vec<u32>,
}

/// Gives each want different observations; `None` where that can't be. The result is in order, each observation once.
///
/// A want with as many observations to choose from as all wants together need is never short of them, and is served
/// last. The others are served by a maximum flow.
///
/// # Errors
/// If the budget is spent.
pub(super) fn serve(
    wants: &mut Vec<Want>,
    sets: &[Set],
    time: &Timeline,
    budget: &mut Budget,
) -> Result<Option<Vec<u32>>, EvaluateError> {
    join(wants);
    let total = wants.iter().fold(0_u64, |sum, want| sum.saturating_add(want.times));
    let mut rich = Vec::new();
    let mut poor = Vec::new();
    for want in wants.iter() {
        let mut enough = 0_u64;
        let mut observations = Vec::new();
        for one in sets[want.set].between(want.low, want.high, time) {
            enough = enough.saturating_add(time.number[one as usize]);
            observations.push(one);
            if enough >= total {
                break;
            }
        }
        budget.spend(1 + observations.len() as u64)?;
        if enough < want.times {
            return Ok(None);
        }
        let choice = Choice { times: want.times, observations };
        if enough >= total { rich.push(choice) } else { poor.push(choice) }
    }
    let Some(mut flow) = Flow::of(&poor, &rich, time, budget)? else { return Ok(None) };
    for choice in &rich {
        flow.take(choice);
    }
    Ok(Some(flow.used()))
}

/// Puts equal wants together.
fn join(wants: &mut Vec<Want>) {
    wants.sort_unstable();
    wants.dedup_by(|one, other| {
        let is_same = (one.set, one.low, one.high) == (other.set, other.low, other.high);
        if is_same {
            other.times = other.times.saturating_add(one.times);
        }
        is_same
    });
}

/// A flow from wants to observations.
struct Flow {
    /// What is left of each observation that was looked at, by index.
    left: Vec<(u32, u64)>,
    numbers: Vec<u64>,
}

impl Flow {
    /// Serves all `choices`; nothing of what the `others` may choose is taken for them yet.
    fn of(
        choices: &[Choice],
        others: &[Choice],
        time: &Timeline,
        budget: &mut Budget,
    ) -> Result<Option<Self>, EvaluateError> {
        let all = choices.iter().chain(others);
        let mut known: Vec<u32> = all.flat_map(|choice| choice.observations.iter().copied()).collect();
        known.sort_unstable();
        known.dedup();
        let numbers: Vec<u64> = known.iter().map(|one| time.number[*one as usize]).collect();
        // An edge for each want and observation: (place of the observation, how much goes there).
        let mut edges: Vec<Vec<(usize, u64)>> = Vec::with_capacity(choices.len());
        for choice in choices {
            edges.push(choice.observations.iter().map(|one| (known.partition_point(|other| other < one), 0)).collect());
        }
        let mut left = numbers.clone();
        // Those with the least choice first: then there is seldom anything to move.
        let mut order: Vec<usize> = (0..choices.len()).collect();
        order.sort_by_key(|want| edges[*want].len());
        for want in order {
            let mut missing = choices[want].times;
            for (place, amount) in &mut edges[want] {
                let more = missing.min(left[*place]);
                *amount += more;
                left[*place] -= more;
                missing -= more;
            }
            while missing > 0 {
                match augment(want, missing, &mut edges, &mut left, budget)? {
                    0 => return Ok(None),
                    more => missing -= more,
                }
            }
        }
        Ok(Some(Self { left: known.into_iter().zip(left).collect(), numbers }))
    }

    /// Takes what is left, beginning with the earliest.
    fn take(&mut self, choice: &Choice) {
        let mut missing = choice.times;
        for one in &choice.observations {
            if missing == 0 {
                return;
            }
            let Ok(place) = self.left.binary_search_by_key(one, |(other, _)| *other) else { continue };
            let more = missing.min(self.left[place].1);
            self.left[place].1 -= more;
            missing -= more;
        }
    }

    fn used(&self) -> Vec<u32> {
        let used = self.left.iter().zip(&self.numbers).filter(|((_, left), number)| left < number);
        used.map(|((one, _), _)| *one).collect()
    }
}

/// Finds a shortest way from `want` to an observation with something left, over wants that give theirs back for another
/// one; how much it brought.
fn augment(
    want: usize,
    missing: u64,
    edges: &mut [Vec<(usize, u64)>],
    left: &mut [u64],
    budget: &mut Budget,
) -> Result<u64, EvaluateError> {
    // How each was reached: a want by the observation that it gives back, an observation by the want that asks.
    let mut by_observation: Vec<Option<usize>> = vec![None; edges.len()];
    let mut by_want: Vec<Option<usize>> = vec![None; left.len()];
    let mut queue = VecDeque::from([want]);
    let mut end = None;
    'search: while let Some(asking) = queue.pop_front() {
        budget.spend(1 + edges[asking].len() as u64)?;
        for (place, _) in &edges[asking] {
            if by_want[*place].is_some() {
                continue;
            }
            by_want[*place] = Some(asking);
            if left[*place] > 0 {
                end = Some(*place);
                break 'search;
            }
            for (other, giving) in edges.iter().enumerate() {
                budget.spend(1 + giving.len() as u64)?;
                let gives = || giving.iter().any(|(given, amount)| given == place && *amount > 0);
                if other != want && by_observation[other].is_none() && gives() {
                    by_observation[other] = Some(*place);
                    queue.push_back(other);
                }
            }
        }
    }
    let Some(end) = end else { return Ok(0) };
    let amount_of = |edges: &[Vec<(usize, u64)>], want: usize, place: usize| {
        edges[want].iter().find(|(other, _)| *other == place).map_or(0, |(_, amount)| *amount)
    };
    let mut amount = missing.min(left[end]);
    let mut place = end;
    while let Some(asking) = by_want[place].filter(|asking| *asking != want) {
        let Some(given) = by_observation[asking] else { break };
        amount = amount.min(amount_of(edges, asking, given));
        place = given;
    }
    left[end] -= amount;
    place = end;
    while let Some(asking) = by_want[place] {
        let change = |edges: &mut [Vec<(usize, u64)>], place: usize, more: bool| {
            if let Some((_, value)) = edges[asking].iter_mut().find(|(other, _)| *other == place) {
                if more { *value += amount } else { *value -= amount }
            }
        };
        change(edges, place, true);
        match by_observation[asking] {
            Some(given) if asking != want => {
                change(edges, given, false);
                place = given;
            }
            _ => break,
        }
    }
    Ok(amount)
}
