//! What several tests share; each uses a part of it.
#![allow(dead_code)]

pub mod caret;
pub mod corpus;
pub mod grammar;
pub mod tree;
