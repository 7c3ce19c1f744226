#![doc = "stixc compiles STIX indicators into Sigma, Suricata, YARA and blocklists, and says of each rule whether it means what the pattern means."]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod diagnostic;
pub mod pattern;
pub mod source;
pub mod span;
