//! One alternative, in the data sources that hold most of it.

use super::{
    super::{
        Test,
        fidelity::{Fidelity, Loss},
    },
    Fit, Judge, NO_COMMON_SOURCE, NO_PLACE, NOT_ACCEPTED, NOTHING_SPECIFIC, ONLY_NEGATIONS, Objection, Part, Unplaced,
};
use crate::span::Span;

/// The parts of one alternative: in each of the data sources that drops as few of its tests as any. `allows` says which
/// fidelity a part may have, `judge` whether its tests are enough for a rule.
pub(super) fn place<'p, H>(
    number: usize,
    tests: &[&'p Test],
    qualifiers: &[Loss],
    sources: &[usize],
    allows: impl Fn(Fidelity) -> bool,
    judge: &dyn Judge,
    fit: &mut impl FnMut(usize, &'p Test) -> Fit<H>,
) -> Result<Vec<Part<'p, H>>, Unplaced> {
    let mut found: Vec<(usize, Part<'p, H>)> = Vec::new();
    let mut reasons: Vec<Loss> = Vec::new();
    let mut placed: Vec<Span> = Vec::new();
    let mut objected = false;
    let mut fit = |source, test: &'p Test| {
        let fit = fit(source, test);
        if matches!(fit, Fit::Holds { .. }) {
            placed.push(test.span);
        }
        fit
    };
    for &source in sources {
        match stage(number, source, tests, qualifiers, judge, &mut fit) {
            Ok((dropped, part)) if allows(part.fidelity) => found.push((dropped, part)),
            Ok((_, part)) => {
                reasons.extend(not_accepted(part.fidelity, part.losses, span_of(tests)));
            }
            Err(lacks) => {
                objected |= lacks.objected;
                reasons.extend(lacks.losses);
            }
        }
    }
    let Some(fewest) = found.iter().map(|(dropped, _)| *dropped).min() else {
        return Err(Unplaced { losses: tidy(reasons, tests, &placed), objected });
    };
    Ok(found.into_iter().filter(|(dropped, _)| *dropped == fewest).map(|(_, part)| part).collect())
}

/// One alternative in one data source: how many tests were dropped, and what is left.
fn stage<'p, H>(
    number: usize,
    source: usize,
    tests: &[&'p Test],
    qualifiers: &[Loss],
    judge: &dyn Judge,
    fit: &mut impl FnMut(usize, &'p Test) -> Fit<H>,
) -> Result<(usize, Part<'p, H>), Unplaced> {
    let mut held = Vec::with_capacity(tests.len());
    let mut losses = qualifiers.to_vec();
    let mut lacks = Vec::new();
    let (mut strong, mut positive) = (false, false);
    for &test in tests {
        match fit(source, test) {
            Fit::Holds { by, weak, loss } => {
                strong |= !weak && !test.negated;
                positive |= !test.negated;
                if let Some((code, effect, message)) = loss {
                    let effect = if test.negated { effect.negated() } else { effect };
                    losses.push(Loss { code, effect, message, span: test.span });
                }
                held.push((test, by));
            }
            Fit::Lacks(code, message) => {
                lacks.push(Loss { code, effect: Fidelity::BROADER, message, span: test.span });
            }
        }
    }
    if held.is_empty() {
        return Err(Unplaced { losses: lacks, objected: false });
    }
    let refuse = |code, message: &str, mut lacks: Vec<Loss>| {
        lacks.push(Loss { code, effect: Fidelity::BROADER, message: message.to_owned(), span: span_of(tests) });
        Err(Unplaced { losses: lacks, objected: false })
    };
    if !positive {
        return refuse(ONLY_NEGATIONS, "a rule of negations alone would match nearly everything", lacks);
    }
    if let Some((loss, is_told_only)) = objection(judge, &held, !lacks.is_empty()) {
        if !is_told_only {
            lacks.push(loss);
            return Err(Unplaced { losses: lacks, objected: true });
        }
        losses.push(loss);
    }
    if !lacks.is_empty() && !strong {
        return refuse(NOTHING_SPECIFIC, "what is left of the pattern names nothing specific", lacks);
    }
    let dropped = lacks.len();
    losses.extend(lacks);
    losses.sort();
    losses.dedup();
    let fidelity = losses.iter().fold(Fidelity::EXACT, |all, loss| all | loss.effect);
    Ok((dropped, Part { alternative: number, source, tests: held, fidelity, losses }))
}

/// What speaks against the tests of a part, as a loss, and whether it is told only.
pub(super) fn objection<H>(judge: &dyn Judge, held: &[(&Test, H)], is_rest: bool) -> Option<(Loss, bool)> {
    let tests: Vec<&Test> = held.iter().map(|(test, _)| *test).collect();
    let Objection { code, message, is_told_only } = judge.objection(&tests, is_rest)?;
    let effect = if is_told_only { Fidelity::EXACT } else { Fidelity::NARROWER };
    Some((Loss { code, effect, message, span: span_of(&tests) }, is_told_only))
}

pub(super) fn not_accepted(fidelity: Fidelity, mut losses: Vec<Loss>, span: Span) -> Vec<Loss> {
    let message = format!("the rule would be {fidelity}, which is not accepted for this target");
    losses.push(Loss { code: NOT_ACCEPTED, effect: fidelity, message, span });
    losses
}

/// Each data source gives its own reasons; the user wants to hear the most telling ones once.
///
/// A test that some data source holds is not without a place: where no single data source is to blame, the tests have none in
/// common.
fn tidy(mut reasons: Vec<Loss>, tests: &[&Test], placed: &[Span]) -> Vec<Loss> {
    reasons.sort();
    reasons.dedup();
    reasons.retain(|loss| loss.code != NO_PLACE || !placed.contains(&loss.span));
    if reasons.iter().any(|loss| loss.code != NO_PLACE) {
        // "has no place for it" says nothing beside "can't be compared like this there".
        let explained: Vec<Span> = reasons.iter().filter(|loss| loss.code != NO_PLACE).map(|loss| loss.span).collect();
        reasons.retain(|loss| loss.code != NO_PLACE || !explained.contains(&loss.span));
    }
    if reasons.iter().all(|loss| loss.code == NOT_ACCEPTED) {
        let message = "no single rule can hold these tests together".to_owned();
        reasons.push(Loss { code: NO_COMMON_SOURCE, effect: Fidelity::BROADER, message, span: span_of(tests) });
    }
    reasons
}

pub(super) fn span_of(tests: &[&Test]) -> Span {
    Span::covering(tests.iter().map(|test| test.span))
}
