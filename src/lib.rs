#![doc = "stixc compiles STIX indicators into Sigma, Suricata, YARA and blocklists, and says of each rule whether it means what the pattern means."]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod diagnostic;
pub mod guard;
pub mod output;
pub mod pattern;
pub mod plan;
pub mod render;
pub mod report;
pub mod span;
pub mod stix;
pub mod target;
