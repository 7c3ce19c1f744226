//! What lowering a plan gives: signatures without number and names, and hashes for the lists.

use std::sync::Arc;

use crate::plan::Hash;

use super::{place::Victim, text::RuleText};

/// One rule before it has a number and the names of its indicators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Which rule of its pattern this is: scene, alternative, and a number where these give several. Part of what its
    /// sid hangs on.
    pub slot: String,
    /// Protocol, addresses, ports, direction.
    pub header: RuleText,
    /// The options that make it match, each with a blank behind it.
    pub options: RuleText,
    /// Lists of hashes of its own, for `options` to be completed with.
    pub lists: Vec<OwnList>,
    /// What the scene is called.
    pub about: Arc<str>,
    /// The name of the scene.
    pub scene: Arc<str>,
    /// Which end is the victim.
    pub victim: Option<Victim>,
}

/// Hashes that a single rule asks for beside other things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnList {
    /// The hashes, all of one algorithm.
    pub hashes: Vec<Hash>,
    /// Whether the file must have none of them.
    pub negated: bool,
}

/// What one [`Draft`](crate::target::contract::Draft) of this target holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A rule of its own.
    Signature(Signature),
    /// A line in the list of its algorithm.
    Listed(Hash),
}
