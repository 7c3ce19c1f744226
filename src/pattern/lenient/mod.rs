//! Reading patterns as feeds write them: the strict grammar first, then repairs, each with a name and a warning.
//!
//! A repair never changes what the grammar accepts or refuses. Where the grammar refuses a pattern, it is taken for
//! what was meant if each of its mistakes has one sensible reading. Where it accepts one, spellings that no standard
//! object has are read as the standard spells them. In both cases the tree is the repaired one, and every span, also
//! those of the warnings, points into the text as it came. Each repair has a code.

mod connection;
mod spelling;
mod value;

pub use super::repair::*;
pub use value::refanged;

use super::{ParseErrors, Pattern, Version, edit::Edited, error::Assumption};
use crate::{
    diagnostic::{Code, Diagnostic},
    span::Span,
};

/// A pattern as it was meant, and what was assumed to read it so.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading<'a> {
    /// The pattern with all repairs.
    pub pattern: Pattern<'a>,
    /// A warning for each repair, in the order of the text. Strictly read, an error for each odd spelling that would
    /// have been repaired.
    pub repairs: Vec<Diagnostic>,
}

/// Reads a pattern of `version`. With `strict` nothing is repaired: what the grammar refuses is refused, and odd
/// spellings inside the grammar are reported as errors.
///
/// A pattern that needs no repair is parsed once and borrows all of its text.
///
/// # Errors
/// Every mistake that was found, if the grammar refuses the pattern and at least one of them can't be repaired.
///
/// ```
/// use stixc::pattern::{Version, lenient};
///
/// let reading = lenient::read("[file:hashes.SHA-256 = \"ef53\"]", Version::Auto, false)?;
/// assert_eq!(reading.pattern.to_string(), "[file:hashes.'SHA-256' = 'ef53']");
/// assert_eq!(reading.repairs.len(), 2);
/// # Ok::<(), stixc::pattern::ParseErrors>(())
/// ```
pub fn read(text: &str, version: Version, strict: bool) -> Result<Reading<'_>, ParseErrors> {
    let (mut pattern, repairs) = match super::accept(text, version) {
        Ok(pattern) => (pattern, Vec::new()),
        Err(stop) => {
            let errors = super::refusal(text, version, stop);
            let repaired = if strict { None } else { repaired(text, version, &errors) };
            repaired.ok_or(errors)?
        }
    };
    let mut oddities = Oddities { version, strict, found: repairs };
    oddities.observation(&mut pattern.expression);
    let mut repairs = oddities.found;
    repairs.sort_by_key(|repair| repair.span);
    Ok(Reading { pattern, repairs })
}

/// A refused pattern as it was meant, if each of its mistakes has one sensible reading: what the grammar makes of the
/// text with all edits.
fn repaired<'a>(text: &'a str, version: Version, errors: &ParseErrors) -> Option<(Pattern<'a>, Vec<Diagnostic>)> {
    let repairs = errors.iter().map(|error| {
        let Assumption { code, message } = error.assumption.clone()?;
        Some(Diagnostic { help: error.help.clone(), ..Diagnostic::warning(code, message).at(error.span) })
    });
    let repairs = repairs.collect::<Option<_>>()?;
    let edited = Edited::new(text, errors.edits());
    let pattern = super::accept(&edited.text, version).ok()?;
    Some((edited.pattern(pattern), repairs))
}

/// Finds odd spellings in a tree, and repairs them unless it is read strictly.
struct Oddities {
    version: Version,
    strict: bool,
    found: Vec<Diagnostic>,
}

impl Oddities {
    /// Reports an odd spelling: what is wrong with it, or what it is taken for, and how it is written. Returns whether
    /// it is to be repaired.
    fn report(&mut self, code: Code, span: Span, wrong: &str, taken_for: String, help: String) -> bool {
        let found = if self.strict { Diagnostic::error(code, wrong) } else { Diagnostic::warning(code, taken_for) };
        self.found.push(found.at(span).help(help));
        !self.strict
    }
}
