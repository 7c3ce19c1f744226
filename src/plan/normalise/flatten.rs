//! Nested AND, OR and FOLLOWEDBY become flat, and an operand that is alone stands for itself.

use super::super::{Condition, Observation};
use crate::span::Span;

/// Flattens an observation and the conditions in it.
pub(super) fn observation(node: Observation) -> Observation {
    let many = |operands: Vec<Observation>| operands.into_iter().map(observation);
    match node {
        Observation::Match(inner) => Observation::Match(condition(inner)),
        Observation::All(operands, span) => all_of(many(operands), span),
        Observation::Any(operands, span) => any_of(many(operands), span),
        Observation::Then(operands, span) => then_of(many(operands), span),
        Observation::Repeat { of, times, span } => repeated(observation(*of), times, span),
        qualified => qualified.around(observation),
    }
}

fn condition(node: Condition) -> Condition {
    match node {
        Condition::All(operands) => all(operands.into_iter().map(condition)),
        Condition::Any(operands) => any(operands.into_iter().map(condition)),
        test => test,
    }
}

/// AND of flat operands.
pub(super) fn all(operands: impl IntoIterator<Item = Condition>) -> Condition {
    let mut flat = Vec::new();
    for operand in operands {
        match operand {
            Condition::All(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    if flat.len() == 1 { flat.swap_remove(0) } else { Condition::All(flat) }
}

/// OR of flat operands.
pub(super) fn any(operands: impl IntoIterator<Item = Condition>) -> Condition {
    let mut flat = Vec::new();
    for operand in operands {
        match operand {
            Condition::Any(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    if flat.len() == 1 { flat.swap_remove(0) } else { Condition::Any(flat) }
}

/// AND of flat observations.
pub(super) fn all_of(operands: impl IntoIterator<Item = Observation>, span: Span) -> Observation {
    let mut flat = Vec::new();
    for operand in operands {
        match operand {
            Observation::All(inner, _) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    if flat.len() == 1 { flat.swap_remove(0) } else { Observation::All(flat, span) }
}

/// OR of flat observations.
pub(super) fn any_of(operands: impl IntoIterator<Item = Observation>, span: Span) -> Observation {
    let mut flat = Vec::new();
    for operand in operands {
        match operand {
            Observation::Any(inner, _) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    if flat.len() == 1 { flat.swap_remove(0) } else { Observation::Any(flat, span) }
}

/// FOLLOWEDBY of flat observations: each of a chain comes before all behind it, however it is nested.
pub(super) fn then_of(operands: impl IntoIterator<Item = Observation>, span: Span) -> Observation {
    let mut flat = Vec::new();
    for operand in operands {
        match operand {
            Observation::Then(inner, _) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    if flat.len() == 1 { flat.swap_remove(0) } else { Observation::Then(flat, span) }
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
    let many = |operands: Vec<Observation>| operands.into_iter().map(join).collect::<Vec<_>>();
    match node {
        Observation::Any(operands, span) => joined(many(operands), span),
        Observation::All(operands, span) => Observation::All(many(operands), span),
        Observation::Then(operands, span) => Observation::Then(many(operands), span),
        single @ Observation::Match(_) => single,
        qualified => qualified.around(join),
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
