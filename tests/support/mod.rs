//! What several tests share: the corpus, trees to compare, engines to run.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code)]

pub mod caret;
pub mod corpus;
pub mod engines;
pub mod generate;
pub mod grammar;
pub mod observed;
pub mod proof;
pub mod tree;
