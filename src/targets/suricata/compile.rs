//! Suricata as the compiler of ready-made rules: it tests a file of them, and says which lines it refuses.

use std::{fs, process::Command, time::Duration};

use super::{
    engine::{installed, suricata},
    export::CONFIGURATION,
    lock::Number,
    native::Ready,
};
use crate::targets::{
    compiler::{Compiler, Said},
    program::{EngineError, run_within, said},
};

/// A rule may hold an expression that takes its time.
const LIMIT: Duration = Duration::from_secs(60);

/// Suricata 7 or later.
pub(super) struct Compile;

impl Compiler for Compile {
    fn version(&self) -> Result<String, EngineError> {
        installed().map(|(version, _)| version)
    }

    fn compile(&self, texts: &[&str]) -> Result<Vec<Said>, EngineError> {
        let folder = tempfile::tempdir()?;
        let [configuration, rules] = ["suricata.yaml", "test.rules"].map(|name| folder.path().join(name));
        for (name, text) in CONFIGURATION {
            fs::write(folder.path().join(name), text)?;
        }
        let (mut file, mut owners) = (String::new(), Vec::new());
        for (text, source) in texts.iter().enumerate() {
            for rule in Ready::all(source, &text.to_string()) {
                owners.push(text);
                let sid = u32::try_from(owners.len()).unwrap_or(u32::MAX);
                file.push_str(&rule.numbered(Number { sid, rev: 1 }, &[]));
            }
        }
        fs::write(&rules, file)?;
        let mut command: Command = suricata(&configuration, &rules, folder.path());
        let output = run_within(command.arg("-T"), LIMIT)?;
        let text = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
        let found = refused(&text, &owners);
        if output.status.success() || !found.is_empty() { Ok(found) } else { Err(EngineError::Failed(said(&output))) }
    }
}

/// The lines that Suricata refuses, with the reason, which it says before it names the line.
fn refused(text: &str, owners: &[usize]) -> Vec<Said> {
    let mut found = Vec::new();
    let mut why = String::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("Error: ")) {
        let number = line.rsplit_once(" at line ").filter(|_| line.starts_with("error parsing signature"));
        let owner = number.and_then(|(_, number)| owners.get(number.trim().parse::<usize>().ok()?.checked_sub(1)?));
        match owner {
            Some(&text) => {
                let message = if why.is_empty() { "it can't parse it".to_owned() } else { std::mem::take(&mut why) };
                found.push(Said { text, message, is_error: true });
            }
            None => why = line.to_owned(),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_are_refused_are_known() {
        let text = "Notice: x\nError: unknown rule keyword 'x'.\nError: error parsing signature \"alert at line 9\" from file \
                    /tmp/a b/test.rules at line 2\nError: error parsing signature \"…\" from file a at line 3\n\
                    Error: Loading signatures failed.\n";
        let found = refused(text, &[0, 0, 1]);
        assert_eq!(found.iter().map(|one| one.text).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(found[0].message, "unknown rule keyword 'x'.");
    }
}
