//! LIKE and MATCHES.

use super::{
    Check, literal,
    syntax::{self, Oddity},
    test::Test,
};
use crate::{
    diagnostic::Code,
    pattern::Literal,
    plan::schema::{PropertyType, Text},
};

/// A regular expression that does not compile.
pub const BAD_REGEX: Code = Code("T008");
/// LIKE without a wildcard.
pub const LIKE_WITHOUT_WILDCARD: Code = Code("W107");
/// A regular expression that probably means something else.
pub const ODD_REGEX: Code = Code("W108");

/// Checks the text of LIKE.
pub(super) fn like(check: &mut Check<'_>, literal: &Literal<'_>, text: &str) {
    if text.contains(['%', '_']) {
        return;
    }
    let help = if text.contains('*') {
        format!("the wildcard of LIKE is %: write {}", literal::written(&text.replace('*', "%")))
    } else {
        format!("write = {}, or % where any text may stand", literal::written(text))
    };
    check.warning(LIKE_WITHOUT_WILDCARD, literal.span, "without % or _, LIKE is the same as =", help);
}

/// Checks the regular expression of MATCHES.
pub(super) fn matches(check: &mut Check<'_>, test: &Test<'_, '_>, literal: &Literal<'_>, text: &str) {
    let place =
        |source: &str, range: std::ops::Range<usize>| literal::inside(source, literal.span, range.start, range.end);
    if let Some(error) = syntax::error(text) {
        let span = place(check.source, error.range.clone());
        return check.error(BAD_REGEX, span, error.message(), error.help(text));
    }
    let is_name = matches!(
        test.kind,
        PropertyType::String(Text::DomainName | Text::Url | Text::Endpoint | Text::EmailAddress | Text::FileName)
    );
    if let Some((range, oddity)) = syntax::oddity(text, is_name) {
        let span = place(check.source, range);
        let (message, help) = match oddity {
            Oddity::Glob => ("`*` repeats the character before it", "write .* for any text"),
            Oddity::Dot => ("an unescaped `.` matches any character", "write \\\\. for a dot"),
            Oddity::Brackets => ("brackets match one of the characters in them", "write \\\\[ and \\\\] for brackets"),
            Oddity::Escape => ("this escape has no meaning", "write four backslashes, \\\\\\\\, to match one"),
        };
        check.warning(ODD_REGEX, span, message, help);
    }
}
