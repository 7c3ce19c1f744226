//! Programs that engines are: run to their end, or missing.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Seek},
    process::{Command, Output, Stdio},
    time::Duration,
};

use super::running::Running;

/// Why there is no answer.
#[derive(Debug)]
pub enum EngineError {
    /// The engine is not installed here.
    Missing(String),
    /// The engine refused the rules, or fell over.
    Failed(String),
}

impl fmt::Display for EngineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Missing(why) | Self::Failed(why)) = self;
        formatter.write_str(why)
    }
}

impl From<io::Error> for EngineError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs a program to its end; missing if there is none of its name.
pub fn run(command: &mut Command) -> Result<Output, EngineError> {
    run_to(command, None)
}

/// The same, for a program that reads what strangers wrote, and so may never end: it is stopped after `limit`.
pub fn run_within(command: &mut Command, limit: Duration) -> Result<Output, EngineError> {
    run_to(command, Some(limit))
}

fn run_to(command: &mut Command, limit: Option<Duration>) -> Result<Output, EngineError> {
    let name = command.get_program().to_string_lossy().into_owned();
    // Files, for nobody reads from a pipe while waiting.
    let (mut out, mut err) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(err.try_clone()?);
    let running = match Running::start(command) {
        Ok(running) => running,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(EngineError::Missing(format!("{name} is not installed")));
        }
        Err(error) => return Err(EngineError::Failed(format!("{name}: {error}"))),
    };
    if let Some(limit) = limit {
        running.limit(limit);
    }
    let Some(status) = running.wait(limit)? else {
        let seconds = limit.unwrap_or_default().as_secs();
        return Err(EngineError::Failed(format!("{name} did not end within {seconds} seconds")));
    };
    let read = |file: &mut File| -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut text)?;
        Ok(text)
    };
    Ok(Output { status, stdout: read(&mut out)?, stderr: read(&mut err)? })
}

/// The same as [`run`], for a program that must end well.
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
