//! The STIX pattern language: text to syntax tree and back.

mod ast;

pub use ast::*;
