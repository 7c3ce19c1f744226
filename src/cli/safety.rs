//! The flags that let a run change outputs which it would otherwise leave alone.

use clap::Args;

/// What a run may do to outputs this time. The comments are what `--help` shows.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct SafetyArguments {
    /// Let the outputs shrink as much as they do, this time
    #[arg(long)]
    pub(super) allow_shrink: bool,
    /// Let the outputs grow as much as they do, this time
    #[arg(long)]
    pub(super) allow_growth: bool,
    /// Replace files that others have written or changed, and take the folder over from another configuration
    #[arg(long)]
    pub(super) force: bool,
}
