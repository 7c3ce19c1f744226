//! Errors of reading a folder of outputs.

use std::io;

/// A folder that can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is not there, or the disk fails.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file of another form than it should have.
    #[error("{path}, line {line}: {message}")]
    Damaged {
        /// Which file.
        path: String,
        /// Where, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// Nothing in it is an output.
    #[error("{0} holds files, but none of them is an output of stixc")]
    Foreign(String),
    /// Outputs of another version of stixc, which kept no index of them or one of another form.
    #[error("{0} was written by another version of stixc, so what it holds is not known")]
    OtherVersion(String),
    /// The last run failed on a target with a part of its files written.
    #[error("{0} is of a run that failed half-way")]
    Incomplete(String),
    /// A list in which the entries are not where they were written.
    #[error("{0} is not as it was written")]
    Changed(String),
}
