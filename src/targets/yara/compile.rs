//! YARA as the compiler of ready-made rules: it says which of them it refuses.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use super::{engine::Scanner, native::Ready};
use crate::targets::{
    compiler::{Compiler, Said},
    program::{EngineError, run_within, said},
    record::newlines,
};

/// An expression may take its time also where it is only compiled.
const LIMIT: Duration = Duration::from_secs(60);
/// The file of rules, whose name is in what the engine says.
const RULES: &str = "stixc-native.yar";

/// YARA 4, or yara-x where only that is installed.
pub(super) struct Compile;

impl Compiler for Compile {
    fn version(&self) -> Result<String, EngineError> {
        Scanner::installed().map(|(_, version)| version)
    }

    fn compile(&self, texts: &[&str]) -> Result<Vec<Said>, EngineError> {
        let (scanner, _) = Scanner::installed()?;
        let folder = tempfile::tempdir()?;
        let ready: Vec<Ready> =
            texts.iter().enumerate().map(|(text, source)| Ready::new(source, &text.to_string(), &[])).collect();
        let imports: BTreeSet<&String> = ready.iter().flat_map(|ready| &ready.imports).collect();
        let mut file: String = imports.iter().map(|module| format!("import \"{module}\"\n")).collect();
        // Where the lines of each text begin.
        let mut starts = Vec::with_capacity(ready.len());
        for ready in &ready {
            starts.push(newlines(file.as_bytes()) + 1);
            file.push_str(&ready.text);
        }
        fs::write(folder.path().join(RULES), file)?;
        let mut command = scanner.compiler(Path::new(RULES));
        let output = run_within(command.current_dir(folder.path()), LIMIT)?;
        let text = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
        let found = complaints(&text, &starts);
        let is_refused = found.iter().any(|one| one.is_error);
        if output.status.success() || is_refused { Ok(found) } else { Err(EngineError::Failed(said(&output))) }
    }
}

/// What the engine says of each text. YARA names the file and the line in one line, with the message behind a colon; yara-x says
/// the message first, and the place in the next line.
fn complaints(text: &str, starts: &[usize]) -> Vec<Said> {
    let owner = |line: &str| {
        let (_, place) = line.split_once(RULES)?;
        let digits = place.strip_prefix(['(', ':'])?;
        let number: usize = digits.split(|one: char| !one.is_ascii_digit()).next()?.parse().ok()?;
        starts.partition_point(|start| *start <= number).checked_sub(1)
    };
    let mut found = Vec::new();
    let mut pending: Option<(String, bool)> = None;
    for line in text.lines() {
        let kind = ["error", "warning"].into_iter().find(|kind| line.starts_with(kind));
        match (kind, owner(line)) {
            (Some(kind), Some(text)) => {
                let message = line.split_once("): ").map_or(line, |(_, message)| message).to_owned();
                found.push(Said { text, message, is_error: kind == "error" });
            }
            (Some(kind), None) => {
                let message = line.split_once(": ").map_or(line, |(_, message)| message).to_owned();
                pending = Some((message, kind == "error"));
            }
            (None, Some(text)) => {
                found.extend(pending.take().map(|(message, is_error)| Said { text, message, is_error }));
            }
            (None, None) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_name_the_line() {
        let yara = "error: rule \"a_1\" in stixc-native.yar(3): unreferenced string \"$a\"\n\
                    warning: rule \"s\" in stixc-native.yar(7): string \"$a\" may slow down scanning\n";
        let x = "error[E009]: unknown identifier `x`\n --> stixc-native.yar:3:20\n  |\n3 | rule\n\
                 warning[slow_pattern]: slow pattern\n --> stixc-native.yar:7:1\n";
        for (said, messages) in [
            (yara, ["unreferenced string \"$a\"", "string \"$a\" may slow down scanning"]),
            (x, ["unknown identifier `x`", "slow pattern"]),
        ] {
            let found = complaints(said, &[2, 4, 7]);
            let expected = [(0, messages[0], true), (2, messages[1], false)].map(|(text, message, is_error)| Said {
                text,
                message: message.to_owned(),
                is_error,
            });
            assert_eq!(found, expected);
        }
    }
}
