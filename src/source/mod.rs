//! Where indicators come from.

mod file;
#[cfg(feature = "taxii")]
pub mod taxii;

pub use file::{Input, Inputs, PatternLine, PatternLines, SourceError, inputs, spool};
