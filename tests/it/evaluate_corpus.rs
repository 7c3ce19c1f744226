//! The evaluator against the cases of the OASIS matcher.

use crate::support;

use serde_json::Value;
use stixc::{
    evaluate::{EvaluateError, Evaluator, Observations},
    pattern::{self, Options, Version},
};
use support::corpus;

/// Why the matcher's outcome of a case is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It can't read a timestamp in the data and gives up; here the two are of different types.
    BadTimestampInData,
    /// Its parser has 2.0 and 2.1 the wrong way round in START and STOP.
    StartStopOf20,
}

/// The matcher's faults: the beginning of its message, and which it is.
const FAULTS: &[(&str, Fault)] = &[
    ("MatcherException: Invalid timestamp in JSON", Fault::BadTimestampInData),
    ("expecting TimestampLiteral", Fault::StartStopOf20),
];

fn fault(row: &Value) -> Option<Fault> {
    let message = row["error"].as_str()?;
    let (_, fault) = FAULTS.iter().find(|(part, _)| message.contains(part))?;
    let is_20 = row["spec"] == "2.0";
    // Where the instant itself is none, the refusal is right.
    let is_good = is_20 && {
        let pattern = pattern::parse_with(row["pattern"].as_str()?, Options { version: Version::V20 }).ok()?;
        Evaluator::new(&pattern).is_ok()
    };
    (*fault != Fault::StartStopOf20 || is_good).then_some(*fault)
}

/// The data of a case as one input. In 2.0 the cases hold containers of an older name.
fn data(row: &Value) -> Observations {
    let mut data = row["data"].clone();
    if row["spec"] == "2.0" {
        for object in data.as_array_mut().unwrap() {
            object["type"] = "observed-data".into();
        }
    }
    let (observations, faults) = Observations::read(data.to_string().as_bytes());
    assert!(faults.is_empty(), "{faults:?}");
    observations
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Match,
    NoMatch,
    SyntaxError,
    Error(EvaluateError),
}

fn outcome(row: &Value) -> Outcome {
    let version = if row["spec"] == "2.0" { Version::V20 } else { Version::V21 };
    let text = row["pattern"].as_str().unwrap();
    let Ok(pattern) = pattern::parse_with(text, Options { version }) else { return Outcome::SyntaxError };
    let evaluator = match Evaluator::new(&pattern) {
        Ok(evaluator) => evaluator,
        Err(error) => return Outcome::Error(error),
    };
    match evaluator.matches(&data_or_none(row)) {
        Ok(Some(_)) => Outcome::Match,
        Ok(None) => Outcome::NoMatch,
        Err(error) => Outcome::Error(error),
    }
}

/// Cases that end in an error have lost their data.
fn data_or_none(row: &Value) -> Observations {
    if row["data"].is_null() { Observations::default() } else { data(row) }
}

#[test]
#[ignore = "needs the corpus: ../shared/corpus, or STIXC_CORPUS"]
fn corpus_matcher_cases() {
    let rows = corpus::rows("matcher_cases.jsonl");
    let mut wrong = Vec::new();
    let mut agreed = 0;
    let mut faults = Vec::new();
    for row in &rows {
        let ours = outcome(row);
        let is_right = match (row["outcome"].as_str().unwrap(), fault(row)) {
            ("match", _) => ours == Outcome::Match,
            ("nomatch", _) => ours == Outcome::NoMatch,
            ("error", Some(fault)) => {
                faults.push(fault);
                ours == Outcome::NoMatch
            }
            ("error", None) => matches!(ours, Outcome::SyntaxError | Outcome::Error(_)),
            (other, _) => panic!("unknown outcome {other}"),
        };
        if is_right {
            agreed += 1;
        } else {
            wrong.push(format!("{} {} {} {ours:?} {}", row["spec"], row["outcome"], row["pattern"], row["error"]));
        }
    }
    println!("{agreed} of {} cases as expected, {} of them by the table of faults", rows.len(), faults.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(rows.len(), 842);
    let count = |fault| faults.iter().filter(|other| **other == fault).count();
    assert_eq!((count(Fault::BadTimestampInData), count(Fault::StartStopOf20)), (18, 15));
}
