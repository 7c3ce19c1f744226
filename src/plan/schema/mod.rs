//! Stand-in.
use std::borrow::Cow;

use crate::pattern::{ObjectPath, PathStepKind};

/// What a path is.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Canonical path.
    pub path: Cow<'static, str>,
    /// Object types referred to.
    pub referents: &'static [&'static str],
}

/// Resolves.
#[must_use]
pub fn resolve(path: &ObjectPath<'_>) -> Resolved {
    let mut text = format!("{}:", path.object_type);
    for (index, step) in path.steps.iter().enumerate() {
        match &step.kind {
            PathStepKind::Property(name) => {
                if index > 0 {
                    text.push('.');
                }
                if name.contains('-') { text.push_str(&format!("'{name}'")) } else { text.push_str(name) }
            }
            PathStepKind::Index(n) => text.push_str(&format!("[{n}]")),
            PathStepKind::AnyIndex => text.push_str("[*]"),
        }
    }
    Resolved { path: Cow::Owned(text), referents: &["ipv4-addr", "ipv6-addr", "mac-addr", "domain-name"] }
}
