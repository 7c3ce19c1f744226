//! Several observations as steps: the orders in which they may come.

use super::{
    super::Observation,
    Order,
    branch::{RawStep, branches, interval, too_many},
};

/// The most orders into which nested AND and FOLLOWEDBY may unfold: those of four operands.
const MOST_ORDERS: usize = 24;

/// The orders in which the observations may come: any of them will do.
///
/// AND alone is one list in any order. Nested with FOLLOWEDBY, it becomes the list of its orders: `a` AND (`b` FOLLOWEDBY
/// `c`) is abc, bac or bca. Nothing is lost by that: `x` FOLLOWEDBY `y` asks that each observation of `x` comes before each
/// of `y`.
///
/// # Errors
/// Why no list of steps says it, in one sentence.
pub(super) fn orders<'p>(observation: &'p Observation) -> Result<Vec<(Order, Vec<RawStep<'p>>)>, String> {
    let orders = match observation {
        Observation::All(operands, _) => {
            let steps: Option<Vec<RawStep<'_>>> = operands.iter().map(step).collect::<Result<_, _>>()?;
            match steps {
                Some(steps) => vec![(Order::Any, steps)],
                None => given(unfolded(observation)?),
            }
        }
        _ => given(unfolded(observation)?),
    };
    orders.into_iter().map(|(order, steps)| repeated(steps).map(|steps| (order, steps))).collect()
}

fn given(orders: Vec<Vec<RawStep<'_>>>) -> Vec<(Order, Vec<RawStep<'_>>)> {
    orders.into_iter().map(|steps| (if steps.len() > 1 { Order::Given } else { Order::Any }, steps)).collect()
}

/// Steps that all ask for the same are one that has to happen so often. A count beside other steps has no rule.
fn repeated(mut steps: Vec<RawStep<'_>>) -> Result<Vec<RawStep<'_>>, String> {
    if steps.len() > 1 && steps.windows(2).all(|pair| pair[0].asks_like(&pair[1])) {
        let times = steps.iter().fold(0_u64, |all, step| all.saturating_add(step.times));
        steps.truncate(1);
        steps.iter_mut().for_each(|step| step.times = times);
    }
    if steps.len() > 1 && steps.iter().any(|step| step.times > 1) {
        return Err("a rule counts one kind of observation or ties several, not both".to_owned());
    }
    Ok(steps)
}

/// All orders of the steps below an observation.
fn unfolded(observation: &Observation) -> Result<Vec<Vec<RawStep<'_>>>, String> {
    if let Some(step) = step(observation)? {
        return Ok(vec![vec![step]]);
    }
    match observation {
        Observation::Then(operands, _) => combined(operands, |left, right| vec![[left, right].concat()]),
        Observation::All(operands, _) => combined(operands, interleaved),
        Observation::Any(operands, _) => {
            let mut all = Vec::new();
            for operand in operands {
                all.extend(unfolded(operand)?);
                within_budget(all.len())?;
            }
            Ok(all)
        }
        Observation::During { of, start, stop, span } => {
            let mut orders = unfolded(of)?;
            for step in orders.iter_mut().flatten() {
                step.qualifiers.push(interval(start, stop, *span));
            }
            Ok(orders)
        }
        Observation::Within { .. } => Err("a time for a part of several observations has no rule".to_owned()),
        Observation::Repeat { .. } => Err("no rule counts how often several observations come together".to_owned()),
        Observation::Match(_) => Ok(Vec::new()),
    }
}

/// The orders of all operands, put together one operand after the other.
fn combined<'p>(
    operands: &'p [Observation],
    join: impl Fn(&[RawStep<'p>], &[RawStep<'p>]) -> Vec<Vec<RawStep<'p>>>,
) -> Result<Vec<Vec<RawStep<'p>>>, String> {
    let mut all: Vec<Vec<RawStep<'p>>> = vec![Vec::new()];
    for operand in operands {
        let right = unfolded(operand)?;
        let mut joint = Vec::new();
        for (left, right) in all.iter().flat_map(|left| right.iter().map(move |right| (left, right))) {
            joint.extend(join(left, right));
            within_budget(joint.len())?;
        }
        all = joint;
    }
    Ok(all)
}

/// All ways to run through two lists at once, each in its order.
fn interleaved<'p>(left: &[RawStep<'p>], right: &[RawStep<'p>]) -> Vec<Vec<RawStep<'p>>> {
    let (Some((first, more_left)), Some((other, more_right))) = (left.split_first(), right.split_first()) else {
        return vec![[left, right].concat()];
    };
    // Beyond the budget the caller gives up; it must not wait for all of them.
    let begin = |step: &RawStep<'p>, rest: Vec<Vec<RawStep<'p>>>| {
        rest.into_iter().take(MOST_ORDERS + 1).map(move |rest| [vec![step.clone()], rest].concat()).collect::<Vec<_>>()
    };
    let mut all = begin(first, interleaved(more_left, right));
    if all.len() <= MOST_ORDERS {
        all.extend(begin(other, interleaved(left, more_right)));
    }
    all
}

fn within_budget(orders: usize) -> Result<(), String> {
    if orders > MOST_ORDERS {
        return Err(format!("the observations may come in more than {MOST_ORDERS} orders"));
    }
    Ok(())
}

/// The observation as one step, if it is one: a condition, alternatives of that, with a count and an interval.
fn step(observation: &Observation) -> Result<Option<RawStep<'_>>, String> {
    match observation {
        Observation::Match(condition) => {
            let alternatives = branches(condition).ok_or_else(too_many)?;
            Ok(Some(RawStep { alternatives, times: 1, qualifiers: Vec::new() }))
        }
        Observation::Any(operands, _) => {
            let mut all = RawStep { alternatives: Vec::new(), times: 1, qualifiers: Vec::new() };
            for operand in operands {
                match step(operand)? {
                    Some(RawStep { alternatives, times: 1, qualifiers }) if qualifiers.is_empty() => {
                        all.alternatives.extend(alternatives);
                    }
                    _ => return Ok(None),
                }
            }
            Ok(Some(all))
        }
        // One observation is always within a time.
        Observation::Within { of, .. } => Ok(step(of)?.filter(|step| step.times == 1)),
        Observation::Repeat { of, times, .. } => {
            Ok(step(of)?.map(|step| RawStep { times: step.times.saturating_mul(*times), ..step }))
        }
        Observation::During { of, start, stop, span } => Ok(step(of)?.map(|mut step| {
            step.qualifiers.push(interval(start, stop, *span));
            step
        })),
        Observation::All(..) | Observation::Then(..) => Ok(None),
    }
}
