//! What can go wrong with the store.

use std::io;

use crate::diagnostic::{Code, Diagnostic};

/// Another process has the store open.
pub const BUSY: Code = Code("S100");
/// The store was made by a newer version of stixc.
pub const NEWER: Code = Code("S101");
/// The file is no store of stixc.
pub const FOREIGN: Code = Code("S102");
/// The store can't be read or written.
pub const BROKEN: Code = Code("S103");

/// Why the store can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has it open.
    #[error("{path} is in use by {}", holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}")))]
    Busy {
        /// The store.
        path: String,
        /// That process, where it said which one it is.
        holder: Option<u32>,
    },
    /// It was made by a newer version of stixc.
    #[error("{path} has version {version}, and this stixc knows up to {known}")]
    Newer {
        /// The store.
        path: String,
        /// Its version.
        version: i64,
        /// The newest version that is known here.
        known: i64,
    },
    /// The file holds something else.
    #[error("{path} is not a store of stixc")]
    Foreign {
        /// The file.
        path: String,
    },
    /// The folder of the store can't be made.
    #[error("{path}: {cause}")]
    Folder {
        /// The store.
        path: String,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// The database fails: a damaged file, a full disk.
    #[error("{path}: {cause}")]
    Database {
        /// The store.
        path: String,
        /// What the database says.
        #[source]
        cause: rusqlite::Error,
    },
}

impl StoreError {
    /// The code of this kind of error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Busy { .. } => BUSY,
            Self::Newer { .. } => NEWER,
            Self::Foreign { .. } => FOREIGN,
            Self::Folder { .. } | Self::Database { .. } => BROKEN,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "wait until it has ended; two builds never share a store",
            Self::Newer { .. } => "use that version of stixc, or name another file for the store",
            Self::Foreign { .. } => "name another file for the store",
            Self::Folder { .. } => "name a place for the store that can be written to",
            Self::Database { .. } => {
                "if the file is damaged, move it away: the next build fetches everything again, and the outputs stay \
                 until then"
            }
        }
    }

    /// The same as a diagnostic.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::error(self.code(), self.to_string()).help(self.help())
    }
}
