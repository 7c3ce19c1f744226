//! The waist of the compiler: what a pattern means, settled once and for all targets.

pub mod check;
pub mod schema;
