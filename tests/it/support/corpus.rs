//! The corpus: patterns and cases of others. It is read where it lies and is no part of this project.

use std::{env, fs, path::PathBuf};

/// A file of the corpus. Tests that need it are `#[ignore]`d and named `corpus_…`; they run with
/// `--include-ignored` where there is a corpus.
pub fn read(name: &str) -> String {
    let path = folder().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines of a file of the corpus, each one JSON.
pub fn rows(name: &str) -> Vec<serde_json::Value> {
    read(name).lines().map(|line| serde_json::from_str(line).expect("a row of the corpus is JSON")).collect()
}

/// Where the corpus lies: `STIXC_CORPUS`, or beside the project.
pub fn folder() -> PathBuf {
    env::var_os("STIXC_CORPUS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from)
}
