//! Bytes and instants as observations write them.

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};

use super::path::Path;
use crate::{hex, stix::Timestamp, witness::moment};

/// Bytes as the property writes them.
pub(super) fn written(bytes: &[u8], path: &Path) -> String {
    match path.key() {
        key if key.ends_with("_hex") => hex::encode(bytes),
        key if key.ends_with("_bin") => BASE64.encode(bytes),
        _ => bytes.iter().copied().map(char::from).collect(),
    }
}

/// The first full microsecond that is not before an instant, since 1970.
pub(super) fn micros(text: &str) -> Option<i64> {
    let at: Timestamp = text.parse().ok()?;
    at.unix_seconds().checked_mul(1_000_000)?.checked_add((i64::from(at.subsecond_nanoseconds()) + 999) / 1000)
}

/// An instant so many microseconds from another one.
pub(super) fn later(text: &str, by: i64) -> Option<String> {
    Some(moment(micros(text)?.checked_add(by)?))
}
