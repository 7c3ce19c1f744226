//! Drafts: what a plan becomes, before it has ids and metadata.

use std::sync::Arc;

use super::{correlation::Correlation, data_source::DataSource, text::YamlBlock};
use crate::plan::fidelity::{Fidelity, Loss};

/// What a plan becomes.
#[derive(Debug)]
pub(super) enum Draft {
    /// A rule for one log source.
    Detection(Detection),
    /// The correlations of one sequence, with the rules that they tie.
    Correlation(Correlation),
}

impl Draft {
    pub(super) fn detection(&self) -> Option<&Detection> {
        match self {
            Self::Detection(detection) => Some(detection),
            Self::Correlation(_) => None,
        }
    }

    pub(super) fn correlation(&self) -> Option<&Correlation> {
        match self {
            Self::Correlation(correlation) => Some(correlation),
            Self::Detection(_) => None,
        }
    }
}

/// A rule without what the indicator says of itself.
#[derive(Debug)]
pub(super) struct Detection {
    /// The log source.
    pub(super) source: Arc<DataSource>,
    /// The lines below `detection:`.
    pub(super) block: YamlBlock,
    /// What it asks for by itself.
    pub(super) values: Vec<String>,
    /// Whether the rule means what its part of the pattern means.
    pub(super) fidelity: Fidelity,
    /// Why not.
    pub(super) losses: Vec<Loss>,
}
