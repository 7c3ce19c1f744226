//! Whether rules do what their verdict says.

use std::collections::BTreeSet;

use crate::plan::fidelity::Fidelity;

/// What the rules of one pattern made of one witness.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaseResult {
    /// Whether the pattern matches it.
    pub matches: bool,
    /// The rules that fired, by their number among the pattern's rules.
    pub fired: BTreeSet<usize>,
}

/// A rule, or all rules of a pattern together, against the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disagreement {
    /// A rule fired on a witness (by number) that the pattern does not match, and the verdict promises that none does.
    Fired(usize),
    /// No rule fired on a witness (by number) that the pattern matches, and the verdict promises that one does.
    Silent(usize),
    /// The verdict says that the rules may match more, and no witness shows it.
    NothingShowsMore,
    /// The verdict says that the rules may miss some, and no witness shows it.
    NothingShowsFewer,
    /// A rule (by number) that fired on no witness at all.
    Dead(usize),
}

/// Holds the verdict on a pattern's rules against what they made of its witnesses.
///
/// ```
/// use stixc::{plan::fidelity::Fidelity, witness::check_verdict::{CaseResult, Disagreement, check_verdict}};
///
/// let fires = |matches, fired: &[usize]| CaseResult { matches, fired: fired.iter().copied().collect() };
/// let results = [fires(true, &[0]), fires(false, &[])];
/// assert_eq!(check_verdict(Fidelity::EXACT, 1, &results), []);
/// assert_eq!(check_verdict(Fidelity::BROADER, 1, &results), [Disagreement::NothingShowsMore]);
/// assert_eq!(check_verdict(Fidelity::EXACT, 1, &[fires(true, &[0]), fires(false, &[0])]), [Disagreement::Fired(1)]);
/// ```
#[must_use]
pub fn check_verdict(verdict: Fidelity, rules: usize, results: &[CaseResult]) -> Vec<Disagreement> {
    let more = |one: &CaseResult| !one.matches && !one.fired.is_empty();
    let fewer = |one: &CaseResult| one.matches && one.fired.is_empty();
    let numbers = |is: &dyn Fn(&CaseResult) -> bool| -> Vec<usize> {
        results.iter().enumerate().filter(|(_, one)| is(one)).map(|(number, _)| number).collect()
    };
    let mut found = Vec::new();
    match (verdict.more, numbers(&more)) {
        (false, wrong) => found.extend(wrong.into_iter().map(Disagreement::Fired)),
        (true, shows) if shows.is_empty() => found.push(Disagreement::NothingShowsMore),
        (true, _) => {}
    }
    match (verdict.fewer, numbers(&fewer)) {
        (false, wrong) => found.extend(wrong.into_iter().map(Disagreement::Silent)),
        (true, shows) if shows.is_empty() => found.push(Disagreement::NothingShowsFewer),
        (true, _) => {}
    }
    let alive: BTreeSet<usize> = results.iter().flat_map(|one| one.fired.iter().copied()).collect();
    found.extend((0..rules).filter(|rule| !alive.contains(rule)).map(Disagreement::Dead));
    found
}
