//! Timestamps as TAXII servers write them and take them.

use jiff::{
    civil,
    fmt::{rfc2822, strtime},
    tz::TimeZone,
};

use crate::stix::Timestamp;

/// Reads an RFC 3339 time, one without a zone (in UTC), a bare date (midnight UTC), or the text that JavaScript makes of a `Date`, which some servers put
/// into their headers. Digits beyond the microsecond are cut off. `None` for anything else.
///
/// Requests hold it with exactly six digits (TAXII 2.1, section 3.1 asks for microseconds; real servers answer 400 or 500 to
/// an offset, to nine digits or to none).
///
/// ```
/// let moment = stixc::source::taxii::parse_timestamp("2026-01-02T03:04:05+01:00").unwrap();
/// assert_eq!(format!("{moment:.6}"), "2026-01-02T02:04:05.000000Z");
/// ```
#[must_use]
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    match text.parse().ok().or_else(|| javascript_date(text)).or_else(|| without_zone(text)).or_else(|| mail_date(text))
    {
        Some(moment) => in_microseconds(moment),
        None => text.parse().ok().filter(|_| text.len() == "YYYY-MM-DD".len()),
    }
}

/// Reads the `Date` of an HTTP answer (RFC 9110, section 5.6.7).
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    in_microseconds(mail_date(text.trim())?)
}

/// `Thu, 01 Jan 2026 03:00:00 GMT`
fn mail_date(text: &str) -> Option<jiff::Timestamp> {
    Some(rfc2822::parse(text).ok()?.timestamp())
}

/// One microsecond earlier: asking for what was added after that moment includes this one.
pub(super) fn just_before(moment: Timestamp) -> Timestamp {
    moment.saturating_sub(std::time::Duration::from_micros(1))
}

/// Whether a text is a time of day without a time zone.
pub(super) fn lacks_zone(text: &str) -> bool {
    text.trim().parse::<jiff::Timestamp>().is_err() && without_zone(text.trim()).is_some()
}

/// `2026-01-01T03:00:00.5`, in UTC.
fn without_zone(text: &str) -> Option<jiff::Timestamp> {
    let has_time = text.len() > "YYYY-MM-DD".len();
    let time: civil::DateTime = text.parse().ok().filter(|_| has_time)?;
    TimeZone::UTC.to_timestamp(time).ok()
}

/// `Thu Feb 20 2020 22:10:20 GMT+0000 (Coordinated Universal Time)`
fn javascript_date(text: &str) -> Option<jiff::Timestamp> {
    let text = text.split_once(" (").map_or(text, |(time, _)| time);
    strtime::parse("%a %b %d %Y %H:%M:%S GMT%z", text).ok()?.to_timestamp().ok()
}

fn in_microseconds(moment: jiff::Timestamp) -> Option<Timestamp> {
    Timestamp::from_unix_microseconds(moment.as_microsecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> Option<String> {
        parse_timestamp(text).map(|moment| format!("{moment:.6}"))
    }

    #[test]
    fn every_form_prints_with_six_digits() {
        for (text, expected) in [
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000Z"),
            ("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.500000Z"),
            ("2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123456Z"),
            ("2026-01-01T02:00:00.000001+02:00", "2026-01-01T00:00:00.000001Z"),
            ("2026-01-01", "2026-01-01T00:00:00.000000Z"),
            ("Thu, 01 Jan 2026 03:00:00 GMT", "2026-01-01T03:00:00.000000Z"),
            ("2026-01-01T03:04:05.5", "2026-01-01T03:04:05.500000Z"),
            ("2026-01-01 03:04:05", "2026-01-01T03:04:05.000000Z"),
            ("Thu Feb 20 2020 22:10:20 GMT+0000 (Coordinated Universal Time)", "2020-02-20T22:10:20.000000Z"),
        ] {
            assert_eq!(printed(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "yesterday", "2026-02-30", "2026-01-01T25:00:00Z", "1767225600"] {
            assert_eq!(printed(text), None, "{text}");
        }
    }

    #[test]
    fn just_before_is_one_microsecond() {
        let moment = parse_timestamp("2026-01-01T00:00:00Z").unwrap();
        assert_eq!(just_before(moment).to_string(), "2025-12-31T23:59:59.999999Z");
        // The form of TAXII 2.0: what is cut off makes it earlier, so that nothing is lost.
        assert_eq!(format!("{:.3}", just_before(moment)), "2025-12-31T23:59:59.999Z");
    }
}
