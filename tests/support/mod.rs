//! What several tests share.

pub mod caret;
pub mod corpus;
pub mod tree;
//! What the engine tests share: the engines themselves, and packet captures that rules must alert on.
// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code)]
pub mod capture;
pub mod engines;
