//! How a run ends.

use std::{io, process::ExitCode};

use crate::{
    convert::EmitFailure,
    diagnostic::Diagnostic,
    output::{EmitError, Stopped},
    targets::TARGETS,
};

/// Exit codes of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Findings at or above `--fail-on`.
    Findings = 1,
    /// Usage, configuration, or an output that can't be written.
    Usage = 2,
    /// An input that can't be read to its end.
    NoInput = 3,
    /// A feed failed, or a part of an input.
    Feed = 4,
    /// A safety stop.
    Safety = 5,
    /// Verification failed.
    Verification = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A run that can't go on.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How it ends.
    pub exit: Exit,
    /// One line.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), help: String::new() }
    }

    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), help: help.into() }
    }

    /// The failure that a coded error is.
    #[cfg_attr(not(feature = "taxii"), allow(dead_code))]
    pub(crate) fn coded(exit: Exit, error: Diagnostic) -> Self {
        let message = format!("[{}] {}", error.code, error.message);
        Self { exit, message, help: error.help.unwrap_or_default() }
    }
}

impl From<EmitError> for Failure {
    fn from(error: EmitError) -> Self {
        let exit = match &error {
            error if error.is_safety_stop() => Exit::Safety,
            EmitError::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            _ => Exit::Usage,
        };
        let help = match &error {
            EmitError::NotOurs { .. } => "nothing was written; move it away, or give --force to replace it",
            EmitError::Link { .. } => {
                "nothing was written; name the folder that it points to, or give --force to put a file in its place"
            }
            EmitError::Busy { .. } => "nothing was written; wait until it has ended",
            EmitError::Owned { .. } => "name another folder, or give --force to take it over",
            EmitError::TooMuch(_) => "nothing was written; see stixc explain G013",
            _ => "",
        };
        Self { exit, message: error.to_string(), help: help.to_owned() }
    }
}

impl From<EmitFailure> for Failure {
    fn from(failure: EmitFailure) -> Self {
        let inner = Self::from(failure.error);
        Self { message: format!("{}: {}", failure.target, inner.message), ..inner }
    }
}

/// Something names a target that there is not.
pub(crate) fn unknown_target(name: &str) -> Failure {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name()).collect();
    Failure::usage(format!("no target {name}"), format!("choose among {}", names.join(", ")))
}

/// The flags that let outputs change as these would.
pub(crate) fn overrides(stopped: &[Stopped]) -> String {
    let shrinks = stopped.iter().any(|one| one.after < one.before).then_some("--allow-shrink");
    let grows = stopped.iter().any(|one| one.after > one.before).then_some("--allow-growth");
    shrinks.into_iter().chain(grows).collect::<Vec<_>>().join(" and ")
}

/// Writing to standard output failed. A closed pipe is how `stixc … | head` ends, and no failure.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let exit = if error.kind() == io::ErrorKind::BrokenPipe { Exit::Done } else { Exit::Usage };
        Self::new(exit, format!("standard output: {error}"))
    }
}
