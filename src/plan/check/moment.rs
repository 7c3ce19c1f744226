//! Instants against the calendar.

use super::Check;
use crate::{diagnostic::Code, span::Span, stix::Timestamp};

/// A date that does not exist.
pub const NO_SUCH_DATE: Code = Code("T012");

/// Where the text of a timestamp literal stands, without prefix and quotes.
pub(super) fn place(source: &str, literal: Span) -> Span {
    match literal.slice(source).strip_prefix("t'") {
        Some(_) => Span { start: literal.start + 2, end: literal.end - 1 },
        None => literal,
    }
}

/// Reports an instant on a day that does not exist; whether it exists. The grammar has checked the form.
pub(super) fn check(check: &mut Check<'_>, text: &str, span: Span) -> bool {
    let Some((year, month, day)) = date(text) else {
        check.error(
            NO_SUCH_DATE,
            span,
            format!("`{text}` is not an instant"),
            "write it as YYYY-MM-DDTHH:MM:SSZ: 2024-02-29T00:00:00Z",
        );
        return false;
    };
    let last = days(year, month);
    if (1..=last).contains(&day) {
        return true;
    }
    // The date is the first ten bytes.
    let date = Span { start: span.start, end: span.end.min(span.start + 10) };
    check.error(
        NO_SUCH_DATE,
        date,
        format!("{year:04}-{month:02} has no day {day}"),
        format!("its last day is {year:04}-{month:02}-{last:02}"),
    );
    false
}

/// Whether a text is an instant as the standard writes them (section 2.16), calendar included.
pub(super) fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = bytes.len() >= 20
        && "0000-00-00T00:00:00".bytes().zip(bytes).all(|(shape, &byte)| match shape {
            b'0' => byte.is_ascii_digit(),
            mark => byte == mark,
        });
    let fraction = bytes.get(19..bytes.len().saturating_sub(1)).unwrap_or_default();
    let tail = bytes.last() == Some(&b'Z')
        && (fraction.is_empty()
            || fraction[0] == b'.' && fraction.len() > 1 && fraction[1..].iter().all(u8::is_ascii_digit));
    let time = |at, most: u32| number(text, at, at + 2).is_some_and(|value| value <= most);
    shape
        && tail
        && time(11, 23)
        && time(14, 59)
        && time(17, 60)
        && date(text).is_some_and(|(year, month, day)| (1..=days(year, month)).contains(&day))
}

/// The instant that a text spells with a blank in place of the `T`, or with an offset, as the standard writes it. A text
/// without an offset is taken for UTC.
pub(super) fn meant(text: &str) -> Option<String> {
    // A date alone may be a day as well as an instant.
    let instant: Timestamp = text.parse().ok().filter(|_| text.len() >= 19)?;
    Some(instant.to_string()).filter(|text| is_timestamp(text))
}

/// Whether one instant is before another; both of the form that the grammar checks.
pub(super) fn is_before(one: &str, other: &str) -> bool {
    // With the `Z` and the zeros at the end gone, the order of the texts is the order of the instants.
    fn key(text: &str) -> (&str, &str) {
        let (whole, fraction) = text.trim_end_matches('Z').split_once('.').unwrap_or((text.trim_end_matches('Z'), ""));
        (whole, fraction.trim_end_matches('0'))
    }
    key(one) < key(other)
}

fn date(text: &str) -> Option<(u32, u32, u32)> {
    let (year, month, day) = (number(text, 0, 4)?, number(text, 5, 7)?, number(text, 8, 10)?);
    (1..=12).contains(&month).then_some((year, month, day))
}

fn number(text: &str, start: usize, end: usize) -> Option<u32> {
    text.get(start..end)?.parse().ok()
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_ordered_with_their_fractions() {
        assert!(is_before("2024-01-01T00:00:00Z", "2024-01-01T00:00:00.1Z"));
        assert!(is_before("2024-01-01T00:00:00.09Z", "2024-01-01T00:00:00.1Z"));
        assert!(!is_before("2024-01-01T00:00:00.100Z", "2024-01-01T00:00:00.1Z"));
        assert!(is_before("2023-12-31T23:59:59Z", "2024-01-01T00:00:00Z"));
    }

    #[test]
    fn timestamps_have_one_form() {
        for good in ["2024-02-29T00:00:00Z", "2016-12-31T23:59:60Z", "2024-01-01T00:00:00.123456789Z"] {
            assert!(is_timestamp(good), "{good}");
        }
        for bad in [
            "2023-02-29T00:00:00Z",
            "2024-01-01",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01 00:00:00Z",
        ] {
            assert!(!is_timestamp(bad), "{bad}");
        }
    }

    #[test]
    fn instants_in_other_spellings() {
        for (text, expected) in [
            ("2020-10-25 16:22:00+00:00", Some("2020-10-25T16:22:00Z")),
            ("2020-10-25 16:22:00", Some("2020-10-25T16:22:00Z")),
            ("2020-10-25T16:22:00+02:00", Some("2020-10-25T14:22:00Z")),
            ("2020-10-25", None),
            ("soon", None),
        ] {
            assert_eq!(meant(text).as_deref(), expected, "{text}");
        }
    }
}
