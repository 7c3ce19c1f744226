//! What a sighting looks like in the worlds that the targets' rules read.
//!
//! A projection knows its world and nothing of the target's mapping: what it writes is what such a log, wire or file
//! holds, so that a wrong row of a mapping does not prove itself. What does not show in a world gives nothing.

pub mod blocklist;
pub mod sigma;
pub mod suricata;
pub mod yara;
