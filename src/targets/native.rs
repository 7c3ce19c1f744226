//! Rules that come ready-made in an indicator: what may come in, and what a target makes of it.

use std::collections::BTreeSet;

use crate::{
    diagnostic::{Code, Diagnostic},
    guard::Evidence,
    plan::fidelity::Loss,
};

/// A rule in brackets, as if it were a STIX pattern.
pub const WRAPPED: Code = Code("W060");

/// The rule in a text that is one in brackets, which is how MISP exports it.
#[must_use]
pub fn unwrapped(text: &str) -> Option<&str> {
    Some(text.trim().strip_prefix('[')?.strip_suffix(']')?.trim_matches([' ', '\t', '\r', '\n']))
}

/// Whether an installed engine compiles ready-made rules before they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compile {
    /// None does: a rule is unchecked, and goes into a file of its own.
    #[default]
    Never,
    /// One does where it is installed.
    IfInstalled,
    /// One does, and where there is none, no rule is written.
    Required,
}

impl Compile {
    /// The word of `--check-native` and `check_native`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "no" => Some(Self::Never),
            "auto" => Some(Self::IfInstalled),
            "require" => Some(Self::Required),
            _ => None,
        }
    }
}

/// What ready-made rules may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativePolicy {
    /// Whether an engine compiles them.
    pub compile: Compile,
    /// The actions that they may have, where a rule of the target has one: `alert` unless the user wants more.
    pub actions: BTreeSet<String>,
}

impl NativePolicy {
    /// With these actions, or with `alert` alone.
    #[must_use]
    pub fn new(actions: Option<Vec<String>>, compile: Compile) -> Self {
        let actions = actions.map(|actions| actions.into_iter().map(|action| action.trim().to_owned()).collect());
        Self { compile, actions: actions.unwrap_or_else(|| BTreeSet::from(["alert".to_owned()])) }
    }
}

impl Default for NativePolicy {
    fn default() -> Self {
        Self::new(None, Compile::default())
    }
}

/// A ready-made rule, or several in one text, that may go into the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeRule {
    /// The text, repaired.
    pub text: String,
    /// What was repaired.
    pub notes: Vec<Diagnostic>,
    /// Whether nothing is left for an engine to say: the target has read it as the engine would.
    pub is_compiled: bool,
    /// What each of its rules asks for that the guard has to weigh.
    pub evidence: Vec<Evidence>,
}

/// A ready-made rule on its way to the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeText {
    /// Its text, as [`NativeRule::text`] has it.
    pub text: String,
    /// Whether it was compiled. One that was not goes into a file of its own.
    pub is_compiled: bool,
    /// What the guard warns of: the rule is to tell at a lower level.
    pub warnings: Vec<Loss>,
}

/// Why a ready-made rule doesn't go into the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NativeFault {
    /// It is no rule of the target.
    Malformed(Diagnostic),
    /// It is one, and does what no rule from a feed may do.
    Unwanted(Diagnostic),
}

impl NativeFault {
    /// What is wrong.
    #[must_use]
    pub fn diagnostic(&self) -> &Diagnostic {
        let (Self::Malformed(found) | Self::Unwanted(found)) = self;
        found
    }
}
