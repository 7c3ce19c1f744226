//! Errors of writing an output.

use std::io;

/// Why an output was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// A template that does not render.
    #[error("template: {0}")]
    Template(String),
    /// A file that can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// An earlier output that is not what it should be: a damaged lock file.
    #[error("{path}: {message}")]
    Previous {
        /// Which one.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// A file that an output would replace or remove, and that is not what was written there.
    #[error("{path}{} was not written by stixc, or changed since", and_others(*others))]
    NotOurs {
        /// Which one.
        path: String,
        /// How many more there are.
        others: usize,
    },
    /// A link where a file of the output should be.
    #[error("{path} is a link, and not the file that was written here")]
    Link {
        /// Which one.
        path: String,
    },
    /// A folder that another run is writing into.
    #[error("another run is writing into {folder}")]
    Busy {
        /// Which one.
        folder: String,
    },
    /// A folder whose outputs are made by another configuration.
    #[error("the outputs in {folder} are those of {owner}")]
    Owned {
        /// The folder.
        folder: String,
        /// The configuration, seen from the folder.
        owner: String,
    },
    /// Every number of the user's range is taken.
    #[error("{0}")]
    Exhausted(String),
    /// What would be written is more than anybody can mean.
    #[error("{0}")]
    TooMuch(String),
    /// Rules that another backend has lowered.
    #[error("the rules are of another target")]
    OtherBackend,
}

impl EmitError {
    /// Whether it is no fault of the program or its surroundings, but a stop for safety's sake.
    #[must_use]
    pub fn is_safety_stop(&self) -> bool {
        matches!(
            self,
            Self::Exhausted(_)
                | Self::TooMuch(_)
                | Self::NotOurs { .. }
                | Self::Link { .. }
                | Self::Busy { .. }
                | Self::Owned { .. }
        )
    }
}

impl From<io::Error> for EmitError {
    fn from(source: io::Error) -> Self {
        Self::Io { path: "output".to_owned(), source }
    }
}

fn and_others(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " and one file more".to_owned(),
        count => format!(" and {count} files more"),
    }
}
