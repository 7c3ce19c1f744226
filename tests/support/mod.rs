//! What several tests share.

pub mod caret;
pub mod corpus;
pub mod tree;
