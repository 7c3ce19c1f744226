//! The type check: what can't hold, and what was probably not meant.
//!
//! An error (`T…`) is a comparison that no observation can ever satisfy, or a qualifier without meaning. A warning
//! (`W1…`) is a pattern that means something, but probably not what its author thinks. What the grammar accepts and
//! feeds really send is never an error.
//!
//! # Differences from the OASIS validator
//!
//! The validator (stix2-patterns 2.1.2) adds three rules to the grammar; this check has them, without their faults,
//! and more.
//!
//! | Pattern | Validator | Here | Reason |
//! |---|---|---|---|
//! | `file:hashes.MD5 LIKE '3dc%'` | refused | accepted | a part of a digest is not a digest |
//! | `file:hashes.MD5 != ''` | refused | W117 | it holds for each file with an MD5 |
//! | `file:hashes.MD5 IN ('<good>', '<good>')` | refused | accepted | each element is a digest |
//! | `file:hashes.MD5 IN ('f00')` | refused | T004 | at the element |
//! | a comment before the first bracket | refused | accepted | the grammar allows comments anywhere |
//! | `[a:b = 1 AND c:d = 2]` | accepted | T003 | no object has two types (section 9.5) |
//! | `START` not before `STOP` | accepted | T011 | the time between them is empty |
//! | `REPEATS 0 TIMES`, `WITHIN 0 SECONDS` | accepted | T009, T010 | both must be above zero (section 9.3) |
//! | `t'2024-02-30T00:00:00Z'` | accepted | T012 | no such day |
//! | `IN (1, 'a')` | accepted | T013 | the elements of a set are of one type (section 9.2.1) |
//! | a regular expression that does not compile | accepted | T008 | it matches nothing |
//! | `ISSUBSET 'nonsense'` | accepted | T006 | it contains nothing |
//! | `file:size = '1'` | accepted | T001 | values of different types are never equal |
//! | `process:is_hidden > 0` | accepted | T002 | booleans have no order |
//! | `file:name ISSUBSET '192.0.2.0/24'` | accepted | T007 | only addresses have subsets |
//! | `99999999999999999999` | accepted | T014 | integers have 64 bits |
//! | `file:size LIKE '1%'` | accepted | T015 | a number is no text |
//! | `network-traffic:dst_port = 70000` | accepted | T016 | no port has this number |
//! | `file:hashes = 'a'` | accepted | T017 | a dictionary is no value |
//! | two qualifiers of one kind under STIX 2.0 | accepted | T018 | STIX 2.1 forbids it, and no feed does it |

mod address;
mod bytes;
mod codes;
mod comparison;
mod dialect;
mod literal;
mod moment;
mod name;
mod objects;
mod path;
mod qualifier;
mod regex;
mod repair;
mod syntax;
mod test;
mod text;
mod url;

pub use repair::{repair, repair_resolved};

use std::slice;

use super::{ResolvedPaths, schema::Resolved};
use crate::{
    diagnostic::{Code, Diagnostic},
    pattern::{ComparisonExpression, ComparisonKind, ObservationExpression, ObservationKind, Pattern},
    span::Span,
};

/// Checks the types of a pattern, in the order of its text. Empty, without any allocation, for a clean one.
///
/// ```
/// use stixc::{pattern, plan};
///
/// let pattern = pattern::parse("[network-traffic:dst_port = '443']")?;
/// let found = plan::check::check(&pattern);
/// assert_eq!(found[0].code.0, "T001");
/// assert_eq!(found[0].help.as_deref(), Some("write the number without quotes: 443"));
/// # Ok::<(), pattern::ParseErrors>(())
/// ```
#[must_use]
pub fn check(pattern: &Pattern<'_>) -> Vec<Diagnostic> {
    check_resolved(pattern, &ResolvedPaths::new(pattern))
}

/// The same, with paths that were looked up already.
#[must_use]
pub fn check_resolved(pattern: &Pattern<'_>, paths: &ResolvedPaths) -> Vec<Diagnostic> {
    let mut check = Check { source: pattern.source, paths: paths.iter(), found: Vec::new(), named: Vec::new() };
    check.observation(&pattern.expression);
    check.found.sort_by_key(|diagnostic| diagnostic.span);
    check.found
}

/// How many names of one pattern are reported, each once. A pattern with more is not about STIX objects at all.
const NAMES: usize = 64;

/// A check under way.
struct Check<'p> {
    source: &'p str,
    /// The paths of the comparisons to come.
    paths: slice::Iter<'p, Resolved>,
    found: Vec<Diagnostic>,
    /// Names reported so far: of an unknown object type in a thousand comparisons, one warning is enough.
    named: Vec<(Code, String)>,
}

impl Check<'_> {
    fn observation(&mut self, expression: &ObservationExpression<'_>) {
        match &expression.kind {
            ObservationKind::Single(comparison) => {
                self.comparisons(comparison);
                objects::check(self, comparison);
            }
            ObservationKind::Combined { operands, .. } => {
                for operand in operands {
                    self.observation(operand);
                }
            }
            ObservationKind::Qualified { expression: inner, qualifier } => {
                self.observation(inner);
                qualifier::check(self, expression, inner, qualifier);
            }
        }
    }

    fn comparisons(&mut self, expression: &ComparisonExpression<'_>) {
        match &expression.kind {
            ComparisonKind::Test(test) => comparison::check(self, test),
            ComparisonKind::Combined { operands, .. } => {
                for operand in operands {
                    self.comparisons(operand);
                }
            }
        }
    }

    fn error(&mut self, code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.found.push(Diagnostic::error(code, message).at(span).help(help));
    }

    fn warning(&mut self, code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.found.push(Diagnostic::warning(code, message).at(span).help(help));
    }

    /// Whether `name` is to be reported under `code`: once, and not after very many others.
    fn is_news(&mut self, code: Code, name: &str) -> bool {
        let known = self.named.iter().any(|(seen, text)| *seen == code && text == name);
        if known || self.named.len() >= NAMES {
            return false;
        }
        self.named.push((code, name.to_owned()));
        true
    }
}
