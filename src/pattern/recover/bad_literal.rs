//! What is wrong with literals, and how they are mended where that is clear.

use crate::pattern::{Mistake, literal};

/// The first reason that applies.
fn first<const N: usize>(reasons: [(bool, &'static str); N], otherwise: &'static str) -> &'static str {
    reasons.into_iter().find(|(applies, _)| *applies).map_or(otherwise, |(_, reason)| reason)
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What is wrong with a number; `None` if it is none.
pub(super) fn number(text: &str) -> Option<(&'static str, Option<String>)> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = &text[..text.len() - digits.len()];
    if all_digits(digits) {
        let trimmed = digits.trim_start_matches('0');
        return Some(("a leading zero", Some(format!("{sign}{}", if trimmed.is_empty() { "0" } else { trimmed }))));
    }
    if let Some(whole) = digits.strip_suffix('.').filter(|whole| all_digits(whole)) {
        return Some(("a digit has to stand behind the point", Some(format!("{sign}{whole}.0"))));
    }
    let hex = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    if let Some(hex) = hex.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        let number = i64::from_str_radix(hex, 16).ok().map(|number| format!("{sign}{number}"));
        return Some(("integers are decimal", number));
    }
    let (mantissa, exponent) = digits.split_once(['e', 'E'])?;
    let is_float = all_digits(exponent.trim_start_matches(['+', '-']))
        && !mantissa.is_empty()
        && mantissa.replacen('.', "", 1).bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && number.abs() < 1e18);
    is_float.then(|| ("exponents are not part of the language", number.map(|number| number.to_string())))
}

/// What is wrong with the text of a timestamp.
pub(super) fn timestamp(text: &str) -> (Mistake, Option<String>) {
    let bytes = text.as_bytes();
    let has_date = bytes.len() >= 10 && bytes[4] == b'-' && bytes[7] == b'-';
    let reasons = [
        (bytes.len() == 10 && has_date, "the time of day is missing"),
        (!has_date, "it starts with a date such as 2024-01-31"),
        (bytes.get(10) != Some(&b'T'), "a capital T stands between date and time"),
        (text.ends_with('z'), "the Z at its end is a capital letter"),
        (!text.ends_with('Z'), "it ends with Z, for times are in UTC"),
        (bytes.len() < 20, "hours, minutes and seconds are all needed"),
    ];
    let mut mended = text.trim().replace('/', "-").replace([' ', 't'], "T").replace('z', "Z");
    if mended.len() == 10 {
        mended.push_str("T00:00:00");
    }
    for utc in ["+00:00", "+0000", "Z"] {
        mended.truncate(mended.strip_suffix(utc).unwrap_or(&mended).len());
    }
    mended.push('Z');
    let mistake = Mistake::BadTimestamp { reason: first(reasons, "one of its parts is out of range") };
    (mistake, literal::is_timestamp(mended.as_bytes()).then_some(mended))
}

/// What is wrong with hexadecimal bytes.
pub(super) fn hex(text: &str) -> (Mistake, Option<String>) {
    let has_others = text.contains(|next: char| !next.is_ascii_hexdigit());
    let reasons = [(has_others, "only the digits 0-9 and a-f may stand in it")];
    let compact = text.replace([' ', ':', '-'], "");
    let compact = compact.strip_prefix("0x").unwrap_or(&compact);
    let mistake = Mistake::BadHex { reason: first(reasons, "each byte has two digits") };
    (mistake, literal::is_hex(compact.as_bytes()).then(|| compact.to_owned()))
}

/// What is wrong with base64.
pub(super) fn base64(text: &str) -> (Mistake, Option<String>) {
    let body = text.trim_end_matches('=');
    let is_plain = body.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    let reasons = [
        (text.is_empty(), "it is empty"),
        (body.contains(['-', '_']), "the alphabet for URLs is not allowed, only + and /"),
        (is_plain, "it has to be filled with `=` to a multiple of four characters"),
    ];
    let mut mended = body.replace('-', "+").replace('_', "/");
    while !mended.len().is_multiple_of(4) && mended.len() % 4 != 1 {
        mended.push('=');
    }
    let mistake = Mistake::BadBase64 { reason: first(reasons, "only letters, digits, + and / may stand in it") };
    (mistake, literal::is_base64(mended.as_bytes()).then_some(mended))
}
