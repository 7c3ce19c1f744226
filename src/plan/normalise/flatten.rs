//! Nested AND, OR and FOLLOWEDBY become flat, and an operand that is alone stands for itself.

use super::super::{Condition, Node, Observation};
use crate::span::Span;

/// Flattens an observation and the conditions in it.
pub(super) fn observation(node: Observation) -> Observation {
    match node.map_operands(observation) {
        Observation::Match(inner) => Observation::Match(condition(inner)),
        Observation::All(operands, span) => all_of(operands, span),
        Observation::Any(operands, span) => any_of(operands, span),
        Observation::Then(operands, span) => then_of(operands, span),
        Observation::Repeat { of, times, span } => repeated(*of, times, span),
        qualified => qualified,
    }
}

fn condition(node: Condition) -> Condition {
    match node.map_operands(condition) {
        Condition::All(operands) => all(operands),
        Condition::Any(operands) => any(operands),
        test => test,
    }
}

/// One node over the operands of those that `inner` takes apart and over the others.
fn flat<T>(
    operands: impl IntoIterator<Item = T>,
    inner: impl Fn(&mut T) -> Option<&mut Vec<T>>,
    node: impl FnOnce(Vec<T>) -> T,
) -> T {
    let mut flat = Vec::new();
    for mut operand in operands {
        match inner(&mut operand) {
            Some(operands) => flat.append(operands),
            None => flat.push(operand),
        }
    }
    one_or(flat, node)
}

/// A node over operands; one that is alone stands for itself.
pub(super) fn one_or<T>(mut operands: Vec<T>, node: impl FnOnce(Vec<T>) -> T) -> T {
    if operands.len() == 1 { operands.swap_remove(0) } else { node(operands) }
}

/// AND of flat operands.
pub(super) fn all(operands: impl IntoIterator<Item = Condition>) -> Condition {
    flat(operands, |operand| if let Condition::All(inner) = operand { Some(inner) } else { None }, Condition::All)
}

/// OR of flat operands.
pub(super) fn any(operands: impl IntoIterator<Item = Condition>) -> Condition {
    flat(operands, |operand| if let Condition::Any(inner) = operand { Some(inner) } else { None }, Condition::Any)
}

/// AND of flat observations.
pub(super) fn all_of(operands: impl IntoIterator<Item = Observation>, span: Span) -> Observation {
    flat(
        operands,
        |operand| if let Observation::All(inner, _) = operand { Some(inner) } else { None },
        |operands| Observation::All(operands, span),
    )
}

/// OR of flat observations.
pub(super) fn any_of(operands: impl IntoIterator<Item = Observation>, span: Span) -> Observation {
    flat(
        operands,
        |operand| if let Observation::Any(inner, _) = operand { Some(inner) } else { None },
        |operands| Observation::Any(operands, span),
    )
}

/// FOLLOWEDBY of flat observations: each of a chain comes before all behind it, however it is nested.
pub(super) fn then_of(operands: impl IntoIterator<Item = Observation>, span: Span) -> Observation {
    flat(
        operands,
        |operand| if let Observation::Then(inner, _) = operand { Some(inner) } else { None },
        |operands| Observation::Then(operands, span),
    )
}

/// REPEATS of a flat observation. To repeat several is to repeat each: all are different observations anyway.
pub(super) fn repeated(of: Observation, times: u64, span: Span) -> Observation {
    match of {
        of if times == 1 => of,
        Observation::Repeat { of, times: inner, span: at } => match times.checked_mul(inner) {
            Some(times) => Observation::Repeat { of, times, span },
            None => {
                Observation::Repeat { of: Box::new(Observation::Repeat { of, times: inner, span: at }), times, span }
            }
        },
        // REPEATS 0 is refused by the type check; what it stands around must not vanish all the same.
        Observation::All(operands, all) if times > 0 => {
            all_of(operands.into_iter().map(|operand| repeated(operand, times, span)), all)
        }
        of => Observation::Repeat { of: Box::new(of), times, span },
    }
}

/// Alternatives between observations become alternatives of one: `[a] OR [b]` is `[a OR b]`.
pub(super) fn join(node: Observation) -> Observation {
    match node.map_operands(join) {
        Observation::Any(operands, span) => joined(operands, span),
        other => other,
    }
}

/// OR of flat observations, all single ones in one pair of brackets.
pub(super) fn joined(operands: Vec<Observation>, span: Span) -> Observation {
    let mut conditions = Vec::new();
    let mut rest = Vec::new();
    for operand in operands {
        match operand {
            Observation::Match(condition) => conditions.push(condition),
            other => rest.push(other),
        }
    }
    if !conditions.is_empty() {
        rest.insert(0, Observation::Match(any(conditions)));
    }
    any_of(rest, span)
}
