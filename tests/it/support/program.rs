//! The program, run as a user runs it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The feed of the examples.
pub const FEED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/feed.json");

/// Runs the program.
pub fn stixc(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stixc")).args(arguments).env_remove("SOURCE_DATE_EPOCH").output().unwrap()
}

/// How it ended.
pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// What it wrote to standard error.
pub fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What it wrote to standard output.
pub fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Every file below a folder with its bytes, by path.
pub fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// A new file in a folder.
pub fn write(folder: &tempfile::TempDir, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}
