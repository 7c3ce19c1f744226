//! Sigma: do the rules pass `sigma check`, and which events do they match?

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use super::{Outcome, file, python, run, scratch};

/// For each rule its matches, each the indices of the events that made it: one event, or several for a correlation.
pub type Matches = BTreeMap<String, Vec<Vec<usize>>>;

/// The validators that a rule about indicators can't satisfy: one knows only the first version of TLP, which had no
/// `clear`; the other warns of every literal `*` and `?`, which URLs have.
pub const NOT_FOR_INDICATORS: &[&str] = &["tlpv1_tag", "escaped_wildcard"];

/// Runs `sigma check` over a rule file or a folder, with every validator but those in `leave_out`.
///
/// Validators that need data run only where `STIXC_SIGMA_DATA` names it (see `tests/engines/sigma_check.py`).
#[track_caller]
pub fn check(rules: &Path, leave_out: &[&str]) -> Outcome {
    run(python("sigma_check.py").arg(rules).args(leave_out))
}

/// Which of the rules, by their ids, match which of the events (a JSON array of flat objects).
///
/// The events are taken to be of the log source of each rule. Fails the test if a rule can't be evaluated.
#[track_caller]
pub fn matches(rules: &Path, events: &Value) -> Matches {
    let folder = scratch();
    let events = file(&folder, "events.json", events.to_string());
    let outcome = run(python("sigma_match.py").arg(rules).arg(events));
    outcome.assert_accepted();
    serde_json::from_str(&outcome.output).expect("the report of tests/engines/sigma_match.py")
}
