//! Rules that come ready-made in an indicator: what may come in, and what a target makes of it.

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;

/// What ready-made rules may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativePolicy {
    /// The actions that they may have, where a rule of the target has one: `alert` unless the user wants more.
    pub actions: BTreeSet<String>,
}

impl NativePolicy {
    /// With these actions, or with `alert` alone.
    #[must_use]
    pub fn new(actions: Option<Vec<String>>) -> Self {
        let actions = actions.map(|actions| actions.into_iter().map(|action| action.trim().to_owned()).collect());
        Self { actions: actions.unwrap_or_else(|| BTreeSet::from(["alert".to_owned()])) }
    }
}

impl Default for NativePolicy {
    fn default() -> Self {
        Self::new(None)
    }
}

/// A ready-made rule, or several in one text, that may go into the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeRule {
    /// The text, repaired.
    pub text: String,
    /// What was repaired.
    pub notes: Vec<Diagnostic>,
}

/// Why a ready-made rule doesn't go into the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NativeFault {
    /// It is no rule of the target.
    Malformed(Diagnostic),
    /// It is one, and does what no rule from a feed may do.
    Unwanted(Diagnostic),
    /// It names nothing: it would match everybody's files or traffic.
    NamesNothing(Diagnostic),
}

impl NativeFault {
    /// What is wrong.
    #[must_use]
    pub fn diagnostic(&self) -> &Diagnostic {
        let (Self::Malformed(found) | Self::Unwanted(found) | Self::NamesNothing(found)) = self;
        found
    }
}
