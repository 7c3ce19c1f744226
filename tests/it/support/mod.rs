//! What several tests share: the corpus, trees to compare, engines to run.

pub mod caret;
pub mod check;
pub mod corpus;
pub mod effort;
pub mod emission;
pub mod feed_shapes;
pub mod feeds;
pub mod generate;
pub mod grammar;
pub mod observed;
pub mod program;
pub mod project;
pub mod proof;
pub mod server;
pub mod sigma_cases;
pub mod stix;
pub mod tree;
pub mod validators;
