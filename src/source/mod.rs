//! Where indicators come from.

mod file;

pub use file::{Input, Inputs, PatternLine, PatternLines, SourceError, inputs, spool};
