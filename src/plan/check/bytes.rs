//! Digests and bytes.

use super::{
    Check,
    codes::{ALWAYS_HOLDS, BYTES_AS_STRING},
    literal,
    test::Test,
};
use crate::{
    diagnostic::Code,
    pattern::{Literal, LiteralValue},
    plan::schema::{HashAlgorithm, PropertyType},
};

/// A digest of the wrong length.
pub const DIGEST_LENGTH: Code = Code("T004");
/// A character that no digest has.
pub const DIGEST_DIGITS: Code = Code("T005");

/// Checks the form of a digest. Upper case is fine: a digest is a number.
pub(super) fn digest(
    check: &mut Check<'_>,
    test: &Test<'_, '_>,
    algorithm: &HashAlgorithm,
    literal: &Literal<'_>,
    digest: &str,
) {
    let Some(digits) = algorithm.digits else { return };
    if digest.len() == digits && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return;
    }
    let odd = digest.char_indices().find(|(_, character)| !character.is_ascii_hexdigit());
    let (code, span, message, help) = match odd {
        Some((at, character)) => (
            DIGEST_DIGITS,
            literal::inside(check.source, literal.span, at, at + character.len_utf8()),
            format!("`{}` is not a hexadecimal digit", character.escape_debug()),
            format!("write the {digits} digits of the {} digest and nothing else", algorithm.name),
        ),
        None => (
            DIGEST_LENGTH,
            literal.span,
            format!("a digest of {} has {digits} digits, and this has {}", algorithm.name, digest.len()),
            length_help(digest.len(), digits),
        ),
    };
    if test.positive {
        check.error(code, span, message, help);
    } else {
        check.warning(ALWAYS_HOLDS, literal.span, format!("{message}: they always differ"), help);
    }
}

fn length_help(given: usize, digits: usize) -> String {
    match HashAlgorithm::from_length(given) {
        Some(other) => {
            let quote = if other.name.contains('-') { "'" } else { "" };
            format!("a digest of {} has {given}: compare hashes.{quote}{}{quote}", other.name, other.name)
        }
        None if given == 0 => "write EXISTS before the property to ask whether there is a digest".to_owned(),
        None if given < digits => format!("copy the digest again: {} missing", digits_are(digits - given)),
        None => format!("copy the digest again: {} too many", digits_are(given - digits)),
    }
}

fn digits_are(count: usize) -> String {
    if count == 1 { "1 digit is".to_owned() } else { format!("{count} digits are") }
}

/// A string against a property whose value is bytes: equal only if it happens to be spelt as the observed data is.
pub(super) fn as_string(check: &mut Check<'_>, test: &Test<'_, '_>, literal: &Literal<'_>, value: &str) {
    let is_hex = matches!(test.kind, PropertyType::Hex | PropertyType::HexNumber);
    let help = if is_hex && literal::is_hex(value) {
        format!("write {}", literal::proposed(&LiteralValue::Hex(value)))
    } else if is_hex {
        "write the bytes as hexadecimal digits: h'0a1b'".to_owned()
    } else {
        "write the bytes as base64, b'…', or as hexadecimal digits, h'…'".to_owned()
    };
    let message = format!("a string, where `{}` is bytes", test.name());
    check.warning(BYTES_AS_STRING, literal.span, message, help);
}
