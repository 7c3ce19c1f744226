//! The targets: what stixc compiles to.
//!
//! A target is one folder here, one folder of templates and mapping data, and one line in [`TARGETS`]. It sees plans,
//! never a syntax tree and never another target.

pub mod blocklist;
pub mod contract;
pub mod mapping;
pub mod sigma;
pub mod suricata;
pub mod yara;

pub use contract::Target;

/// All targets, in the order in which they are reported.
pub static TARGETS: &[&dyn Target] = &[&sigma::Sigma, &suricata::SURICATA, &yara::YARA, &blocklist::BLOCKLIST];

/// The target called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Target> {
    TARGETS.iter().copied().find(|target| target.name() == name)
}
