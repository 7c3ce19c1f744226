//! What several tests share: the corpus, trees to compare, engines to run, and packet captures that rules must alert on.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code)]

pub mod capture;
pub mod caret;
pub mod corpus;
pub mod engines;
pub mod grammar;
pub mod tree;
