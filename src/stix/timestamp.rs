//! Points in time, as STIX writes them (STIX 2.1, section 2.16).

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use jiff::{
    SignedDuration,
    civil::{Date, DateTime, Time},
};

use super::lenient::{Lenient, Reading};

/// A point in time in UTC, to the nanosecond, from the year 0 to the year 9999.
///
/// ```
/// use stixc::stix::Timestamp;
/// let time: Timestamp = "2024-02-29T12:30:00.5Z".parse()?;
/// assert_eq!(time.to_string(), "2024-02-29T12:30:00.5Z");
/// assert_eq!(format!("{time:.3}"), "2024-02-29T12:30:00.500Z");
/// assert_eq!(time.date(), "2024-02-29");
/// assert!(time < "2024-03-01".parse()?);
/// # Ok::<(), stixc::stix::TimestampError>(())
/// ```
// An instant of jiff's ends two days before the year 10000; feeds write its eve for "never".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime);

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
const FIRST: DateTime = DateTime::constant(0, 1, 1, 0, 0, 0, 0);

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
        Self::since_epoch(SignedDuration::from_secs(seconds))
    }

    /// The same in microseconds.
    ///
    /// # Errors
    /// As for [`Timestamp::from_unix_seconds`].
    pub fn from_unix_microseconds(microseconds: i64) -> Result<Self, TimestampError> {
        Self::since_epoch(SignedDuration::from_micros(microseconds))
    }

    fn since_epoch(duration: SignedDuration) -> Result<Self, TimestampError> {
        EPOCH.checked_add(duration).ok().and_then(Self::new).ok_or(TimestampError)
    }

    fn new(at: DateTime) -> Option<Self> {
        (at >= FIRST).then_some(Self(at))
    }

    /// Seconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        let since = self.0.duration_since(EPOCH);
        since.as_secs() - i64::from(since.subsec_nanos() < 0)
    }

    /// The fraction of a second that [`Timestamp::unix_seconds`] leaves out, in nanoseconds.
    #[must_use]
    pub fn subsecond_nanoseconds(self) -> u32 {
        self.0.subsec_nanosecond().unsigned_abs()
    }

    /// Microseconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub fn unix_microseconds(self) -> i64 {
        self.unix_seconds() * 1_000_000 + i64::from(self.subsecond_nanoseconds() / 1_000)
    }

    /// The day, as `YYYY-MM-DD`.
    #[must_use]
    pub fn date(self) -> String {
        self.0.date().to_string()
    }

    /// That much later, or the last moment of the year 9999.
    #[must_use]
    pub fn saturating_add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }

    /// That much earlier, or the first moment of the year 0.
    #[must_use]
    pub fn saturating_sub(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(time).max(FIRST))
    }
}

/// RFC 3339 with `Z`, and as many digits of the fraction as it has without trailing zeros; with a precision, exactly so
/// many, the rest cut off.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)?;
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
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, ref rest @ ..] = *text else { return None };
    let date = Date::new(number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?).ok()?;
    if rest.is_empty() {
        return Timestamp::new(date.to_datetime(Time::midnight()));
    }
    let [b'T' | b't' | b' ', h1, h2, b':', n1, n2, b':', s1, s2, ref rest @ ..] = *rest else { return None };
    // A leap second counts as the first second of the next minute.
    let (second, leap) = match number(&[s1, s2])? {
        60 => (59, 1),
        second => (second, 0),
    };
    let (nanoseconds, zone) = fraction(rest)?;
    let time = Time::new(number(&[h1, h2])?, number(&[n1, n2])?, second, nanoseconds).ok()?;
    let local = date.to_datetime(time);
    match leap - offset(zone)? {
        0 => Timestamp::new(local),
        shift => Timestamp::new(local.checked_add(SignedDuration::from_secs(shift)).ok()?),
    }
}

/// Nanoseconds from a leading `.123`, and what follows it.
fn fraction(text: &[u8]) -> Option<(i32, &[u8])> {
    let Some((b'.' | b',', after)) = text.split_first() else { return Some((0, text)) };
    let length = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = after.split_at(length);
    let mut nine = [b'0'; 9];
    nine.iter_mut().zip(digits).for_each(|(place, digit)| *place = *digit);
    Some((number(&nine)?, rest))
}

/// Seconds east of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, digits) = match zone {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes): (i64, i64) = match *digits {
        [h1, h2, b':', m1, m2] | [h1, h2, m1, m2] => (number(&[h1, h2])?, number(&[m1, m2])?),
        [h1, h2] => (number(&[h1, h2])?, 0),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes) * 60)
}

/// At most nine decimal digits.
fn number<N: TryFrom<u32>>(digits: &[u8]) -> Option<N> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    digits.iter().try_fold(0, |value, byte| Some(value * 10 + digit(byte)?)).and_then(|value| value.try_into().ok())
}

impl<'de> Lenient<'de> for Timestamp {
    fn text(text: Cow<'de, str>) -> Reading<Self> {
        text.parse().map_or(Reading::Wrong("no timestamp"), Reading::Value)
    }
}
