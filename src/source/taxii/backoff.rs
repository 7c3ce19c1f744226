//! How long to wait before a request is sent again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::{Backoff, TaxiiError, status::Repeatable, time::http_date};
use crate::stix::Timestamp;

impl Backoff {
    /// The pause before attempt `attempt + 1`, or `None` if `error` stands: it would come again, the request must not
    /// be repeated, the attempts are used up, or the server asks for more patience than allowed.
    pub(super) fn pause(&self, error: &TaxiiError, harmless: bool, attempt: u32) -> Option<Duration> {
        let may_repeat = match error.repeatable() {
            Repeatable::Always => true,
            Repeatable::IfHarmless => harmless,
            Repeatable::Never => false,
        };
        if !may_repeat || attempt >= self.attempts {
            return None;
        }
        let asked = match error {
            TaxiiError::Status { reply } => reply.retry_after,
            _ => None,
        };
        match asked {
            Some(wait) if wait > self.longest_asked => None,
            Some(wait) => Some(wait.max(self.step(attempt, 1))),
            None if error.status() == Some(429) => Some(self.step(attempt, 8)),
            None => Some(self.step(attempt, 1)),
        }
    }

    /// `base` × `factor`, doubled for each attempt before this one.
    pub(super) fn step(&self, attempt: u32, factor: u32) -> Duration {
        let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let full = self.base.saturating_mul(factor).saturating_mul(doubled).min(self.longest);
        full.mul_f64(1.0 - 0.5 * (self.jitter)(attempt).clamp(0.0, 1.0))
    }
}

/// How long the server asks to be left alone: `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), else
/// `X-RateLimit-Reset`, in seconds since 1970 or from now. Dates are measured against the server's own `Date`, so that
/// a wrong clock on either side does no harm.
pub(super) fn asked(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let now = text(DATE.as_str()).and_then(http_date).map(Timestamp::unix_seconds).unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0))
    });
    let until = |moment: i64| Duration::from_secs(u64::try_from(moment.saturating_sub(now)).unwrap_or(0));
    let retry_after = text(RETRY_AFTER.as_str()).and_then(|value| {
        value.parse().ok().map(Duration::from_secs).or_else(|| http_date(value).map(|date| until(date.unix_seconds())))
    });
    retry_after.or_else(|| {
        // A billion seconds from now is no rate limit; since 1970 it is the year 2001.
        const SINCE_1970: i64 = 1_000_000_000;
        match text("x-ratelimit-reset")?.parse::<i64>().ok()? {
            moment if moment >= SINCE_1970 => Some(until(moment)),
            seconds => u64::try_from(seconds).ok().map(Duration::from_secs),
        }
    })
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;
    use crate::source::taxii::status::Reply;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn what_servers_ask_for() {
        const NOW: (&str, &str) = ("date", "Thu, 01 Jan 2026 00:00:00 GMT");
        for (pairs, expected) in [
            (vec![("retry-after", "7")], Some(7)),
            (vec![NOW, ("retry-after", "Thu, 01 Jan 2026 00:01:30 GMT")], Some(90)),
            (vec![NOW, ("retry-after", "Wed, 31 Dec 2025 00:00:00 GMT")], Some(0)),
            (vec![NOW, ("x-ratelimit-reset", "1767225645")], Some(45)),
            (vec![("x-ratelimit-reset", "30")], Some(30)),
            (vec![("retry-after", "3"), ("x-ratelimit-reset", "30")], Some(3)),
            (vec![("retry-after", "soon")], None),
            (vec![("x-ratelimit-reset", "-5")], None),
            (vec![], None),
        ] {
            assert_eq!(asked(&headers(&pairs)), expected.map(Duration::from_secs), "{pairs:?}");
        }
    }

    fn status(status: u16, retry_after: Option<u64>) -> TaxiiError {
        let retry_after = retry_after.map(Duration::from_secs);
        TaxiiError::Status { reply: Box::new(Reply { status, url: String::new(), message: None, retry_after }) }
    }

    #[test]
    fn pauses() {
        let backoff = Backoff { jitter: |_| 0.0, ..Backoff::default() };
        let seconds =
            |error: &TaxiiError, harmless, attempt| backoff.pause(error, harmless, attempt).map(|wait| wait.as_secs());
        assert_eq!(
            [1, 2, 3, 4].map(|attempt| seconds(&status(500, None), true, attempt)),
            [Some(1), Some(2), Some(4), Some(8)]
        );
        assert_eq!(seconds(&status(500, None), true, 5), None);
        assert_eq!(seconds(&status(500, None), false, 1), None);
        assert_eq!(seconds(&status(404, None), true, 1), None);
        assert_eq!(
            [1, 2, 3, 4].map(|attempt| seconds(&status(429, None), false, attempt)),
            [Some(8), Some(16), Some(32), Some(60)]
        );
        assert_eq!(seconds(&status(429, Some(40)), false, 1), Some(40));
        assert_eq!(seconds(&status(429, Some(301)), false, 1), None);
        assert_eq!(seconds(&status(503, Some(0)), false, 1), Some(1));
    }

    #[test]
    fn jitter_spares_up_to_a_half() {
        let backoff = Backoff { jitter: |_| 1.0, ..Backoff::default() };
        assert_eq!(backoff.step(1, 1), Duration::from_millis(500));
    }
}
