//! Errors of the store.

use std::io;

use crate::diagnostic::coded;

coded! {
    /// Why the store can't be used.
    #[derive(Debug)]
    #[non_exhaustive]
    pub enum StoreError {
        /// Another process has the store open.
        BUSY = "S100", Busy {
            /// The store.
            path: String,
            /// That process, where it said which one it is.
            holder: Option<u32>,
        },
            error("{path} is in use by {}", holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))),
            help("wait until it has ended; two builds never share a store");
        /// The store was made by a newer version of stixc.
        NEWER = "S101", Newer {
            /// The store.
            path: String,
            /// Its version.
            version: i64,
            /// The newest version that is known here.
            known: i64,
        },
            error("{path} has version {version}, and this stixc knows up to {known}"),
            help("use that version of stixc, or name another file for the store");
        /// The file is no store of stixc.
        FOREIGN = "S102", Foreign { /** The file. */ path: String },
            error("{path} is not a store of stixc"), help("name another file for the store");
        /// The database fails: a damaged file, a full disk.
        BROKEN = "S103", Database {
            /// The store.
            path: String,
            /// What the database says.
            #[source]
            cause: rusqlite::Error,
        },
            error("{path}: {cause}"),
            help("if the file is damaged, move it away: the next build fetches everything again, and the outputs stay until then");
        /// The folder of the store can't be made.
        BROKEN, Folder {
            /// The store.
            path: String,
            /// What the system says.
            #[source]
            cause: io::Error,
        },
            error("{path}: {cause}"), help("name a place for the store that can be written to");
    }
}
