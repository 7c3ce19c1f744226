//! How the standard spells a pattern.

use super::compile::{read, understand};
use crate::{
    diagnostic::{Diagnostic, Severity},
    pattern::{Version, lenient},
};

/// A pattern in the spelling of the standard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelling {
    /// Its text, with one blank between words and without comments.
    pub text: String,
    /// What was assumed to read it; warnings.
    pub repairs: Vec<Diagnostic>,
}

/// Spells a pattern as the standard does. Its order and its values stay as they are; that is for the plan to change.
///
/// # Errors
/// Every mistake, if it can't be read; with `strict` an odd spelling is one.
///
/// ```
/// let spelling = stixc::convert::spell("[file:hashes.md5='79054025255fb1a26e4bc422aef54eb4']", false).unwrap();
/// assert_eq!(spelling.text, "[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4']");
/// assert_eq!(spelling.repairs[0].code.0, "W009");
/// ```
pub fn spell(text: &str, strict: bool) -> Result<Spelling, Vec<Diagnostic>> {
    let (pattern, _, repairs) = read(text, strict).map_err(|errors| errors.to_diagnostics())?;
    if repairs.iter().any(|repair| repair.severity == Severity::Error) {
        return Err(repairs);
    }
    Ok(Spelling { text: pattern.to_string(), repairs })
}

/// The pattern that was meant by one that needs a repair, or that holds mistakes which can all be mended.
///
/// `None` where nothing needs to change, and where what would come of it is not valid, read strictly, or does not mean
/// what the pattern was taken for.
///
/// ```
/// use stixc::convert::mend;
/// assert_eq!(mend("[url:value = 'hxxp://a.example/']").as_deref(), Some("[url:value = 'http://a.example/']"));
/// assert_eq!(mend("[url:value='http://a.example/']"), None);
/// ```
#[must_use]
pub fn mend(text: &str) -> Option<String> {
    let meant = match spell(text, false) {
        Ok(spelling) if spelling.repairs.is_empty() => return None,
        Ok(spelling) => spelling.text,
        Err(_) => {
            let errors = lenient::read(text, Version::Auto, false).err()?;
            spell(&errors.mend(text)?, false).ok()?.text
        }
    };
    let taken_for = understand(text, false).0;
    let meaning = understand(&meant, true).0?;
    taken_for.is_none_or(|taken| taken.canonical == meaning.canonical).then_some(meant)
}
