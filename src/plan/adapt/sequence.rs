//! Several observations, tied together in data sources that share a key.

use std::collections::BTreeSet;

use super::{
    super::{
        Operator, Test, Value, ValueKind,
        fidelity::{Fidelity, Loss},
    },
    Capabilities, Fit, Judge, NO_WINDOW, OBSERVATIONS, ONE_EVENT, Part, Sequence, Step, TIED, Ties, Unplaced,
    WHOLE_SECONDS,
    branch::{Chain, RawStep},
    place::{objection, place},
};
/// The sequences of one alternative: one for each key that all of its steps have a data source for.
pub(super) fn place_chain<'p, H>(
    number: usize,
    chain: &Chain<'p>,
    qualifiers: &[Loss],
    sources: &[usize],
    Capabilities { accept, judge, .. }: Capabilities<'_>,
    ties: Ties<'_>,
    fit: &mut impl FnMut(usize, &'p Test) -> Fit<H>,
) -> Result<Vec<Sequence<'p, H>>, Unplaced> {
    let unplaced = |losses| Unplaced { losses, objected: false };
    let (window, mut shared) = window(chain, ties).map_err(unplaced)?;
    shared.extend(qualifiers.iter().cloned());
    shared.push(Loss {
        code: TIED,
        effect: Fidelity::NARROWER,
        message: format!("the observations have to be of {}, which the pattern does not ask", ties.by),
        span: chain.span,
    });
    let keys: BTreeSet<usize> = sources.iter().filter_map(|&source| (ties.key)(source)).collect();
    let mut found = Vec::new();
    let mut reasons = Vec::new();
    let mut objected = false;
    for key in keys {
        let with_key: Vec<usize> = sources.iter().copied().filter(|&source| (ties.key)(source) == Some(key)).collect();
        // The tie makes every sequence narrower: what a part loses comes on top.
        let allows = |fidelity| accept.allows(fidelity | Fidelity::NARROWER);
        let placed = place_steps(number, chain, &with_key, &allows, fit).and_then(|placed| judged(placed, judge));
        let (steps, losses) = match placed {
            Ok(placed) => placed,
            Err(lacks) => {
                objected |= lacks.objected;
                reasons.extend(lacks.losses);
                continue;
            }
        };
        let mut losses: Vec<Loss> = shared.iter().cloned().chain(losses).collect();
        losses.extend(one_event(chain, &steps, ties));
        losses.sort();
        losses.dedup();
        let fidelity = losses.iter().fold(Fidelity::EXACT, |all, loss| all | loss.effect);
        if accept.allows(fidelity) {
            found.push(Sequence { alternative: number, key, order: chain.order, steps, window, fidelity, losses });
        } else {
            reasons.extend(super::not_accepted(fidelity, losses, chain.span));
        }
    }
    if found.is_empty() {
        if reasons.is_empty() {
            let message = "nothing that the target sees ties these observations together".to_owned();
            reasons.push(Loss { code: OBSERVATIONS, effect: Fidelity::NARROWER, message, span: chain.span });
        }
        reasons.sort();
        reasons.dedup();
        return Err(Unplaced { losses: reasons, objected });
    }
    Ok(found)
}

/// Steps, and what they lose.
type PlacedSteps<'p, H> = (Vec<Step<'p, H>>, Vec<Loss>);

/// The steps in data sources of one key, and what they lose. A step misses the alternatives that have no place.
fn place_steps<'p, H>(
    number: usize,
    chain: &Chain<'p>,
    sources: &[usize],
    allows: &impl Fn(Fidelity) -> bool,
    fit: &mut impl FnMut(usize, &'p Test) -> Fit<H>,
) -> Result<PlacedSteps<'p, H>, Unplaced> {
    let mut steps = Vec::with_capacity(chain.steps.len());
    let mut losses = Vec::new();
    for RawStep { alternatives, times, qualifiers } in &chain.steps {
        let mut parts: Vec<Part<'p, H>> = Vec::new();
        let mut lacking = Vec::new();
        for tests in alternatives {
            // A step may be broad as long as another one is not: they are judged together.
            match place(number, tests, qualifiers, sources, allows, &|_: &[&Test]| None, fit) {
                Ok(placed) => parts.extend(placed),
                Err(reasons) => lacking.extend(reasons.losses),
            }
        }
        if parts.is_empty() {
            return Err(Unplaced { losses: lacking, objected: false });
        }
        if !lacking.is_empty() {
            // What would have made an alternative broader makes the step miss it.
            lacking.iter_mut().for_each(|loss| loss.effect = Fidelity::NARROWER);
        }
        losses.extend(lacking);
        losses.extend(parts.iter().flat_map(|part| part.losses.iter().cloned()));
        steps.push(Step { times: *times, parts });
    }
    Ok((steps, losses))
}

/// The steps as far as they are enough for a rule: one in which nothing speaks against any part. Where there is none, the
/// first step with a part that nothing speaks against is left with such parts.
fn judged<'p, H>(
    (mut steps, mut losses): PlacedSteps<'p, H>,
    judge: &dyn Judge,
) -> Result<PlacedSteps<'p, H>, Unplaced> {
    let objections: Vec<Vec<Option<(Loss, bool)>>> =
        steps.iter().map(|step| step.parts.iter().map(|part| objection(judge, &part.tests, true)).collect()).collect();
    if objections.iter().any(|step| step.iter().all(Option::is_none)) {
        return Ok((steps, losses));
    }
    let partly = objections.iter().position(|step| step.iter().any(Option::is_none));
    let said = || objections.iter().flatten().flatten();
    if said().all(|(_, is_told_only)| *is_told_only) {
        losses.extend(said().map(|(loss, _)| loss.clone()));
        return Ok((steps, losses));
    }
    let Some(at) = partly else {
        return Err(Unplaced { losses: said().map(|(loss, _)| loss.clone()).collect(), objected: true });
    };
    losses.extend(objections[at].iter().flatten().map(|(loss, _)| loss.clone()));
    let mut stays = objections[at].iter().map(Option::is_none);
    steps[at].parts.retain(|_| stays.next().unwrap_or(true));
    Ok((steps, losses))
}

/// The time in whole seconds, and what is lost by that.
fn window(chain: &Chain<'_>, ties: Ties<'_>) -> Result<(u64, Vec<Loss>), Vec<Loss>> {
    let narrower = |code, message| Loss { code, effect: Fidelity::NARROWER, message, span: chain.span };
    let Some(seconds) = chain.window else {
        let message = format!("the pattern names no time: the observations have to lie within {} seconds", ties.window);
        return Ok((ties.window, vec![narrower(NO_WINDOW, message)]));
    };
    // Times beyond 64 bits don't fit into the age of the universe, and saturate.
    let whole = seconds.floor() as u64;
    if whole == 0 {
        return Err(vec![narrower(OBSERVATIONS, "no rule ties events within less than a second".to_owned())]);
    }
    let cut = (seconds > seconds.floor())
        .then(|| narrower(WHOLE_SECONDS, format!("the time is cut from {seconds} to {whole} whole seconds")));
    Ok((whole, cut.into_iter().collect()))
}

/// The loss where one event could satisfy two steps at once. STIX asks for different observations.
fn one_event<H>(chain: &Chain<'_>, steps: &[Step<'_, H>], ties: Ties<'_>) -> Option<Loss> {
    let apart = |left: &Part<'_, H>, right: &Part<'_, H>| {
        (ties.apart)(left.source, right.source) || excluded(&left.tests, &right.tests)
    };
    let pairs = steps.iter().enumerate().flat_map(|(at, left)| steps[at + 1..].iter().map(move |right| (left, right)));
    let shared = pairs
        .into_iter()
        .any(|(left, right)| left.parts.iter().any(|one| right.parts.iter().any(|other| !apart(one, other))));
    shared.then(|| Loss {
        code: ONE_EVENT,
        effect: Fidelity::BROADER,
        message: "one event may satisfy two parts at once, where the pattern asks for two observations".to_owned(),
        span: chain.span,
    })
}

/// Whether one observation can't satisfy both: a property that has one value would need two, or they are about objects
/// of two types, which are observations of their own even where one event shows both.
fn excluded<H>(left: &[(&Test, H)], right: &[(&Test, H)]) -> bool {
    left.iter().any(|(one, _)| {
        right.iter().any(|(other, _)| {
            one.property.object_type() != other.property.object_type()
                || (one.property == other.property && is_single(one) && disjoint(one, other))
        })
    })
}

/// Whether an event shows the property once. A connection shows two addresses, a list many elements.
fn is_single(test: &Test) -> bool {
    !test.property.is_any_element() && !matches!(test.property.object_type(), "ipv4-addr" | "ipv6-addr")
}

fn disjoint(left: &Test, right: &Test) -> bool {
    let plain = |test: &Test| test.operator == Operator::Equal && !test.negated;
    plain(left) && plain(right) && left.values.iter().all(|one| right.values.iter().all(|other| differ(one, other)))
}

/// Whether two values differ by more than letter case, which some targets don't see.
fn differ(left: &Value, right: &Value) -> bool {
    match (&left.kind, &right.kind) {
        (ValueKind::Address(left), ValueKind::Address(right)) => !left.contains(right) && !right.contains(left),
        (left, right) => match (left.as_text(), right.as_text()) {
            (Some(left), Some(right)) => left.to_lowercase() != right.to_lowercase(),
            _ => left != right,
        },
    }
}
