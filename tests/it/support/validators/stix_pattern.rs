//! The OASIS validator of STIX patterns, an oracle for the parser.

use std::{fs::File, process::Stdio};

use super::{file, python, scratch};

/// The errors of each pattern, none for one that is valid. `version` is `2.0` or `2.1`.
#[track_caller]
pub fn errors(patterns: &[&str], version: &str) -> Vec<Vec<String>> {
    let folder = scratch();
    let input = file(&folder, "patterns.json", serde_json::to_vec(patterns).expect("patterns as JSON"));
    let input = File::open(input).expect("the patterns' file");
    let done = python("tests/engines/stix_pattern.py").arg(version).stdin(input).stderr(Stdio::inherit()).output();
    let done = done.expect("the Python of tests/run");
    assert!(done.status.success(), "tests/engines/stix_pattern.py failed");
    serde_json::from_slice(&done.stdout).expect("the report of tests/engines/stix_pattern.py")
}
