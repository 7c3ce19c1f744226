//! Timestamps as TAXII servers understand them.

use std::{fmt, time::Duration};

use jiff::{
    civil,
    fmt::{rfc2822, strtime},
    tz::TimeZone,
};

/// A moment on the server's clock, in microseconds: what `added_after` and the `X-TAXII-Date-Added-*` headers hold.
///
/// It prints in the one form that every server takes, UTC with exactly six digits (TAXII 2.1, section 3.1 asks for
/// microseconds; real servers answer 400 or 500 to an offset, to nine digits or to none).
///
/// ```
/// use stixc::source::taxii::Timestamp;
/// let moment = Timestamp::parse("2026-01-02T03:04:05+01:00").unwrap();
/// assert_eq!(moment.to_string(), "2026-01-02T02:04:05.000000Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// Reads an RFC 3339 time, a bare date (midnight UTC), or the text that JavaScript makes of a `Date`, which some
    /// servers put into their headers. Digits beyond the microsecond are cut off. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let moment = text
            .parse::<jiff::Timestamp>()
            .ok()
            .or_else(|| TimeZone::UTC.to_timestamp(text.parse::<civil::Date>().ok()?.at(0, 0, 0, 0)).ok())
            .or_else(|| javascript_date(text))?;
        Self::from_microsecond(moment.as_microsecond())
    }

    /// One microsecond earlier: asking for what was added after that moment includes this one.
    #[must_use]
    pub fn just_before(self) -> Self {
        Self::from_microsecond(self.0.as_microsecond().saturating_sub(1)).unwrap_or(self)
    }

    /// The form of TAXII 2.0, with three digits: what is cut off makes it earlier, so that nothing is lost.
    pub(super) fn in_milliseconds(self) -> String {
        format!("{:.3}", self.0)
    }

    /// Reads the `Date` of an HTTP answer (RFC 9110, section 5.6.7).
    pub(super) fn from_http_date(text: &str) -> Option<Self> {
        Self::from_microsecond(rfc2822::parse(text.trim()).ok()?.timestamp().as_microsecond())
    }

    /// Whole seconds since 1970.
    pub(super) fn as_second(self) -> i64 {
        self.0.as_second()
    }

    /// That much later; the end of time where there is no such moment.
    pub(super) fn after(self, time: Duration) -> Self {
        Self(self.0.checked_add(time).unwrap_or(jiff::Timestamp::MAX))
    }

    /// That much earlier; the beginning of time where there is no such moment.
    pub(super) fn before(self, time: Duration) -> Self {
        Self(self.0.checked_sub(time).unwrap_or(jiff::Timestamp::MIN))
    }

    fn from_microsecond(microseconds: i64) -> Option<Self> {
        jiff::Timestamp::from_microsecond(microseconds).ok().map(Self)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.6}", self.0)
    }
}

/// `Thu Feb 20 2020 22:10:20 GMT+0000 (Coordinated Universal Time)`
fn javascript_date(text: &str) -> Option<jiff::Timestamp> {
    let text = text.split_once(" (").map_or(text, |(time, _)| time);
    strtime::parse("%a %b %d %Y %H:%M:%S GMT%z", text).ok()?.to_timestamp().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> Option<String> {
        Timestamp::parse(text).map(|moment| moment.to_string())
    }

    #[test]
    fn every_form_prints_with_six_digits() {
        for (text, expected) in [
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000Z"),
            ("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.500000Z"),
            ("2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123456Z"),
            ("2026-01-01T02:00:00.000001+02:00", "2026-01-01T00:00:00.000001Z"),
            ("2026-01-01", "2026-01-01T00:00:00.000000Z"),
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
        let moment = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        assert_eq!(moment.just_before().to_string(), "2025-12-31T23:59:59.999999Z");
        assert_eq!(moment.in_milliseconds(), "2026-01-01T00:00:00.000Z");
        assert_eq!(moment.just_before().in_milliseconds(), "2025-12-31T23:59:59.999Z");
    }
}
