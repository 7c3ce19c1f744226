#![doc = "stixc compiles STIX indicators into Sigma, Suricata, YARA and blocklists, and says of each rule whether it means what the pattern means."]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(feature = "cli")]
pub mod cli;
pub mod convert;
pub mod diagnostic;
pub mod evaluate;
pub mod guard;
mod hex;
pub mod output;
pub mod pattern;
#[cfg(all(feature = "store", feature = "taxii"))]
pub mod pipeline;
pub mod plan;
pub mod render;
pub mod report;
pub mod source;
pub mod span;
pub mod stix;
#[cfg(feature = "store")]
pub mod store;
pub mod targets;
pub mod trace;
pub mod witness;
