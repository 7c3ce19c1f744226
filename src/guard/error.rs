//! What is wrong with a list or a wish of the user.

use crate::diagnostic::coded;

coded! {
    /// Why there is no guard.
    #[derive(Debug, Clone, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum GuardError {
        /// A list that can't be read.
        UNREADABLE = "G020", Unreadable {
            /// The file or folder.
            path: String,
            /// Why.
            message: String
        }, error("guard list {path}: {message}"), help("name a file or folder that can be read; without its lists nothing is written");
        /// A line that is no entry.
        BAD_LINE = "G021", BadLine {
            /// The file, or what stands in its place.
            path: String,
            /// The line, from 1.
            line: usize,
            /// What stands there.
            word: String
        }, error("{path}:{line}: {word} is no address, prefix, name, URL or hash"),
            help("write one entry a line, names as example.com, or .example.com with all names below; notes and comments begin with #");
        /// A warninglist that is none.
        BAD_WARNINGLIST = "G022", BadWarninglist {
            /// The file.
            path: String,
            /// What is wrong, and where.
            message: String
        }, error("warninglist {path}: {message}"), help("fetch it again, or lift it by its name: --guard NAME=ignore");
        /// A name that no list has.
        UNKNOWN_LIST = "G023", UnknownList {
            /// It.
            name: String,
            /// What was meant, or what there is.
            known: String
        }, error("no guard list {name}"), help(known.clone());
    }
}
