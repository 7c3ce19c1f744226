//! Drafts: what a plan becomes, before it has an id and metadata.

use std::collections::BTreeSet;

/// What a rule needs beside its metadata.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Draft {
    /// Lines.
    pub(super) condition: Vec<String>,
    pub(super) modules: BTreeSet<Box<str>>,
    /// What it asks for by itself.
    pub(super) values: Vec<String>,
}
