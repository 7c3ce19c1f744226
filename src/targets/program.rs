//! Programs that engines are: run to their end, or missing.

use std::{
    io,
    process::{Command, Output},
};

/// Why there is no answer.
#[derive(Debug)]
pub enum EngineError {
    /// The engine is not installed here.
    Missing(String),
    /// The engine refused the rules, or fell over.
    Failed(String),
}

impl From<io::Error> for EngineError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs a program to its end; missing if there is none of its name.
pub fn run(command: &mut Command) -> Result<Output, EngineError> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(output) => Ok(output),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(EngineError::Missing(format!("{name} is not installed")))
        }
        Err(error) => Err(EngineError::Failed(format!("{name}: {error}"))),
    }
}

/// The same, for a program that must end well.
pub fn run_well(command: &mut Command) -> Result<Output, EngineError> {
    let output = run(command)?;
    if output.status.success() { Ok(output) } else { Err(EngineError::Failed(said(&output))) }
}

/// The last lines that a program said.
pub fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(5)..].join(" / ")
}
