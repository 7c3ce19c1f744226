//! From rules back to indicators: what has changed between two outputs and why, and where a rule comes from.
//!
//! ```text
//! output folder ─► Output: rules and entries by identity ─┐
//!                                                        ├─► Diff, Origins
//! provenance/indicators.jsonl ─► Provenance: indicators ──┘
//! ```
//!
//! A folder of outputs tells which rules there are. Why one of them is no longer there only its indicators tell: a run
//! writes them beside its rules where that is wanted, an indicator a line, as the report has them.

mod cause;
mod diff;
mod error;
mod index;
mod origins;
mod output;
mod provenance;
mod query;

pub use cause::{Cause, Reason};
pub use diff::{Change, Counts, DIFF_SCHEMA, Diff, Sort};
pub use error::ReadError;
pub use index::Relation;
pub use origins::{Missing, ORIGINS_SCHEMA, Origin, Origins, Place};
pub use output::{Item, Label, Output};
pub use provenance::{FILE, FOLDER, Fate, Finding, Lost, Provenance, Record, write};
pub use query::{Query, Subject};
