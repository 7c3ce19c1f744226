//! The STIX pattern language: text to syntax tree and back (STIX 2.1, section 9).
//!
//! ```
//! use stixc::pattern::{self, ObservationKind};
//!
//! let pattern = pattern::parse("[domain-name:value = 'evil.example'] WITHIN 60 SECONDS")?;
//! assert!(matches!(pattern.expression.kind, ObservationKind::Qualified { .. }));
//! # Ok::<(), pattern::ParseErrors>(())
//! ```
//!
//! [`parse`] is the grammar of the standard and nothing else: what it accepts, the grammar accepts, with the few
//! differences of the table below. It is built so that a good pattern costs little: it borrows the text, allocates for
//! nodes only, and on a mistake just stops. Why a pattern is refused is found out by a second reader, which goes on
//! after a mistake, so that [`ParseErrors`] has each one, with the edits that mend it.
//!
//! # Differences from the grammar
//!
//! | Pattern | Grammar | Here | Reason |
//! |---|---|---|---|
//! | more than 256 parentheses or qualifiers inside each other | accepted | refused | the tree is walked by recursion; feeds nest less than 10 deep |
//! | `a:b[99999999999999999999]`: an index beyond 64 bits | accepted | refused | no list has such an element |
//! | `REPEATS 99999999999999999999 TIMES` | accepted | refused | nothing repeats so often |
//! | `WITHIN` a number beyond what a double holds (309 digits) | accepted | refused | no time is so long |
//! | a pattern beyond 4 GiB | accepted | refused | positions are kept in 32 bits |

mod ast;
mod comparison;
mod edit;
mod error;
pub mod lenient;
mod lexer;
mod literal;
mod mistake;
mod observation;
mod path;
mod precedence;
mod print;
mod recover;
mod repair;

pub use ast::*;
pub use edit::Edit;
pub use error::*;
pub use mistake::*;
pub use print::Quoted;

use crate::span::Span;
use lexer::{Grammar, Stop};
use nom::Err;

/// How many parentheses, and how many qualifiers, may stand inside each other.
pub const NESTING: usize = 256;

/// Versions of the pattern language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Version {
    /// STIX 2.0: the borders of START and STOP are strings, and EXISTS is unknown.
    V20,
    /// STIX 2.1.
    #[default]
    V21,
    /// STIX 2.1, and where that fails STIX 2.0.
    Auto,
}

impl Version {
    /// Whether the borders of START and STOP are strings.
    fn has_string_instants(self) -> bool {
        self == Self::V20
    }

    /// Whether EXISTS is an operator.
    fn has_exists(self) -> bool {
        self != Self::V20
    }
}

/// How [`parse_with`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The version of the language.
    pub version: Version,
}

/// Parses a pattern by the grammar of STIX 2.1.
///
/// Time and memory grow with the length of the text, and the stack doesn't: it is safe on a thread of 2 MiB.
///
/// # Errors
/// Every mistake that was found, with its position; at least one.
///
/// ```
/// let error = stixc::pattern::parse("[domain-name:value = 'evil.example'").unwrap_err();
/// assert_eq!(error.iter().count(), 1);
/// ```
pub fn parse(text: &str) -> Result<Pattern<'_>, ParseErrors> {
    parse_with(text, Options::default())
}

/// Parses a pattern by the grammar that `options` name.
///
/// # Errors
/// Every mistake that was found, with its position; at least one.
///
/// ```
/// use stixc::pattern::{Options, Version, parse_with};
///
/// let text = "[a:b = 1] START '2024-01-01T00:00:00Z' STOP '2024-02-01T00:00:00Z'";
/// assert!(parse_with(text, Options { version: Version::V20 }).is_ok());
/// assert!(parse_with(text, Options { version: Version::V21 }).is_err());
/// assert!(parse_with(text, Options { version: Version::Auto }).is_ok());
/// ```
pub fn parse_with(text: &str, options: Options) -> Result<Pattern<'_>, ParseErrors> {
    accept(text, options.version).map_err(|stop| refusal(text, options.version, stop))
}

/// Parses an object path that stands by itself, such as the one of a plan's property; `None` where `text` is none.
///
/// ```
/// let path = stixc::pattern::parse_path("file:hashes.'SHA-256'").expect("a good path");
/// assert_eq!((path.object_type, path.steps.len()), ("file", 2));
/// assert!(stixc::pattern::parse_path("file:name = 'a'").is_none());
/// ```
#[must_use]
pub fn parse_path(text: &str) -> Option<ObjectPath<'_>> {
    match (Grammar { length: text.len(), version: Version::V21 }).object_path(text) {
        Ok(("", path)) => Some(path),
        _ => None,
    }
}

/// Parses by the grammar of `version`, without a word about why not.
fn accept(text: &str, version: Version) -> Result<Pattern<'_>, Stop> {
    match version {
        Version::Auto => strict(text, Version::V21).or_else(|stop| strict(text, Version::V20).map_err(|_| stop)),
        version => strict(text, version),
    }
}

/// Why `text` is refused.
#[cold]
fn refusal(text: &str, version: Version, stop: Stop) -> ParseErrors {
    ParseErrors::new(recover::mistakes(text, version)).unwrap_or_else(|| {
        // Only if the second reader overlooks what the grammar refuses: then where it stopped is all that is known.
        let at = text.len() - stop.left;
        let mistake = Mistake::Unexpected { expected: "something else", found: recover::describe(&text[at..]) };
        ParseErrors::one(mistake.at(Span::new(at, at)))
    })
}

/// Parses by the grammar of one version.
fn strict(text: &str, version: Version) -> Result<Pattern<'_>, Stop> {
    if u32::try_from(text.len()).is_err() {
        return Err(Stop { left: text.len() });
    }
    match (Grammar { length: text.len(), version }).pattern(text) {
        Ok((_, expression)) => Ok(Pattern { source: text, expression }),
        Err(Err::Error(stop) | Err::Failure(stop)) => Err(stop),
        // The grammar has complete input only, and none of its parsers asks for more.
        Err(Err::Incomplete(_)) => Err(Stop { left: 0 }),
    }
}
