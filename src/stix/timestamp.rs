//! Points in time, as STIX writes them (STIX 2.1, section 2.16).

use std::{borrow::Cow, fmt, str::FromStr};

use super::lenient::{Lenient, Reading};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The first second of the year 0, and of the year 10000.
const YEAR_0: i64 = -62_167_219_200;
const YEAR_10000: i64 = 253_402_300_800;

/// A point in time in UTC, to the nanosecond, from the year 0 to the year 9999.
///
/// ```
/// use stixc::stix::Timestamp;
/// let time: Timestamp = "2024-02-29T12:30:00.5Z".parse()?;
/// assert_eq!(time.to_string(), "2024-02-29T12:30:00.5Z");
/// assert_eq!(time.date(), "2024-02-29");
/// assert!(time < "2024-03-01".parse()?);
/// # Ok::<(), stixc::stix::TimestampError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    seconds: i64,
    /// 0 to 999,999,999.
    nanoseconds: u32,
}

/// A text that is no timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a timestamp of the form 2024-01-31T12:00:00Z")]
pub struct TimestampError;

impl Timestamp {
    /// The time `seconds` after (or, negative, before) 1970-01-01T00:00:00Z, as SOURCE_DATE_EPOCH counts.
    ///
    /// # Errors
    /// If that is not within the years 0 to 9999.
    pub fn from_unix_seconds(seconds: i64) -> Result<Self, TimestampError> {
        if (YEAR_0..YEAR_10000).contains(&seconds) { Ok(Self { seconds, nanoseconds: 0 }) } else { Err(TimestampError) }
    }

    /// Seconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.seconds
    }

    /// The fraction of a second that [`Timestamp::unix_seconds`] leaves out, in nanoseconds.
    #[must_use]
    pub fn subsecond_nanoseconds(self) -> u32 {
        self.nanoseconds
    }

    /// Microseconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub fn unix_microseconds(self) -> i64 {
        self.seconds * 1_000_000 + i64::from(self.nanoseconds / 1_000)
    }

    /// The day, as `YYYY-MM-DD`.
    #[must_use]
    pub fn date(self) -> String {
        let (year, month, day) = civil_from_days(self.seconds.div_euclid(DAY));
        format!("{year:04}-{month:02}-{day:02}")
    }
}

/// RFC 3339 with `Z`, and as many digits of the fraction as it has without trailing zeros.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.seconds.rem_euclid(DAY);
        let (hour, minute, second) = (second / HOUR, second % HOUR / MINUTE, second % MINUTE);
        write!(formatter, "{}T{hour:02}:{minute:02}:{second:02}", self.date())?;
        if self.nanoseconds != 0 {
            let digits = format!("{:09}", self.nanoseconds);
            write!(formatter, ".{}", digits.trim_end_matches('0'))?;
        }
        formatter.write_str("Z")
    }
}

/// Reads a STIX timestamp, and what feeds send in its place: small letters or a space for `T`, an offset for `Z` or no
/// zone at all (then it is UTC), or a day alone (then it is its first moment). Digits of the fraction past the ninth are
/// dropped.
impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        parse(text.as_bytes().trim_ascii()).ok_or(TimestampError)
    }
}

fn parse(text: &[u8]) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked("YYYY-MM-DD".len())?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *<&[u8; 10]>::try_from(date).ok()? else { return None };
    let year = i64::from(number(&[y1, y2, y3, y4])?);
    let (month, day) = (number(&[m1, m2])?, number(&[d1, d2])?);
    if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    let midnight = days_from_civil(year, month, day) * DAY;
    if rest.is_empty() {
        return Some(Timestamp { seconds: midnight, nanoseconds: 0 });
    }
    let (time, rest) = rest.split_at_checked("THH:MM:SS".len())?;
    let [b'T' | b't' | b' ', h1, h2, b':', n1, n2, b':', s1, s2] = *<&[u8; 9]>::try_from(time).ok()? else {
        return None;
    };
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
    // A leap second counts as the first second of the next minute.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (nanoseconds, zone) = fraction(rest)?;
    let local = midnight + i64::from(hour) * HOUR + i64::from(minute) * MINUTE + i64::from(second);
    let time = Timestamp::from_unix_seconds(local - offset(zone)?).ok()?;
    Some(Timestamp { nanoseconds, ..time })
}

/// Nanoseconds from a leading `.123`, and what follows it.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some((b'.' | b',', after)) = text.split_first() else { return Some((0, text)) };
    let length = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = after.split_at(length);
    let used = &digits[..length.min(9)];
    let scale = 10_u32.pow(9 - u32::try_from(used.len()).ok()?);
    Some((if used.is_empty() { 0 } else { number(used)? * scale }, rest))
}

/// Seconds east of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, digits) = match zone {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match *digits {
        [h1, h2, b':', m1, m2] | [h1, h2, m1, m2] => (number(&[h1, h2])?, number(&[m1, m2])?),
        [h1, h2] => (number(&[h1, h2])?, 0),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then(|| sign * (i64::from(hours) * HOUR + i64::from(minutes) * MINUTE))
}

/// At most nine decimal digits.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a day of the proleptic Gregorian calendar.
///
/// Years begin in March here, so that the leap day is the last of its year.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let month = i64::from(month);
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let day_of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// The year, month and day that [`days_from_civil`] counts as `days`.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    const CYCLE: i64 = 146_097;
    let days = days + 719_468;
    let (cycle, day) = (days.div_euclid(CYCLE), days.rem_euclid(CYCLE));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (cycle * 400 + year, month, day_of_month)
}

/// A timestamp as a feed wrote it, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment<'a> {
    /// The text of the feed.
    pub text: Cow<'a, str>,
    /// The time that it names.
    pub at: Timestamp,
}

impl<'de: 'a, 'a> Lenient<'de> for Moment<'a> {
    fn text(text: Cow<'de, str>) -> Reading<Self> {
        match text.parse() {
            Ok(at) => Reading::Value(Self { text, at }),
            Err(TimestampError) => Reading::Wrong("no timestamp"),
        }
    }
}
