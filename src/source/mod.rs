//! Where indicators come from.

#[cfg(feature = "taxii")]
pub mod taxii;
