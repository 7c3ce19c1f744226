//! HTTP statuses: what each means for a TAXII client (TAXII 2.1, section 3.6 and the tables of sections 4 and 5).

use std::{fmt, time::Duration};

use serde_json::Value;

use crate::diagnostic::Code;

/// 400: the server did not understand the request.
pub const BAD_REQUEST: Code = Code("S031");
/// 401: no or wrong credentials.
pub const UNAUTHORIZED: Code = Code("S032");
/// 403: these credentials may not do that.
pub const FORBIDDEN: Code = Code("S033");
/// 404: no such resource.
pub const NOT_FOUND: Code = Code("S034");
/// 406: the server speaks neither TAXII 2.1 nor 2.0.
pub const NOT_ACCEPTABLE: Code = Code("S035");
/// 413: more asked for than the server gives at once.
pub const TOO_LARGE: Code = Code("S036");
/// 415 and 416: the server expects another version of TAXII.
pub const OTHER_VERSION: Code = Code("S037");
/// 429: too many requests.
pub const RATE_LIMITED: Code = Code("S038");
/// 5xx: the server failed.
pub const SERVER_FAILED: Code = Code("S039");
/// Any other status.
pub const UNEXPECTED_STATUS: Code = Code("S040");

/// Whether a request that failed may be sent again as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeatable {
    /// The server did not handle it: it can't have had any effect.
    Always,
    /// The server may have handled it: only where handling it twice does no harm.
    IfHarmless,
    /// It would fail again.
    Never,
}

/// A status as this client sees it.
pub(super) struct About {
    pub(super) code: Code,
    pub(super) repeatable: Repeatable,
    meaning: &'static str,
    help: &'static str,
}

/// What `status` means.
pub(super) fn about(status: u16) -> About {
    use Repeatable::{Always, IfHarmless, Never};
    let (code, repeatable, meaning, help) = match status {
        400 => (
            BAD_REQUEST,
            Never,
            "does not understand the request",
            "check the collection, the filters and the page size",
        ),
        401 => (
            UNAUTHORIZED,
            Never,
            "wants other credentials",
            "give the key, or user and password, that this server expects, in the way it expects them",
        ),
        403 => (
            FORBIDDEN,
            Never,
            "does not let these credentials read that",
            "ask the server's operator for the right, or name a collection that you may read",
        ),
        404 | 410 => (NOT_FOUND, Never, "has no such resource", "check the URL and the collection's id"),
        406 => (
            NOT_ACCEPTABLE,
            Never,
            "speaks neither TAXII 2.1 nor 2.0",
            "check the URL; servers that only speak TAXII 1.x are not supported",
        ),
        413 => (TOO_LARGE, Never, "does not give that much at once", "ask for smaller pages"),
        415 | 416 => (
            OTHER_VERSION,
            Never,
            "expects another version of TAXII",
            "check the URL, and choose the other version of TAXII",
        ),
        408 | 425 => (UNEXPECTED_STATUS, Always, "did not take the request", "try again later"),
        429 => (
            RATE_LIMITED,
            Always,
            "has had too many requests",
            "try again later, with larger pages, or with a key that allows more requests",
        ),
        503 => (SERVER_FAILED, Always, "is not available", "try again later"),
        500 | 502 | 504 => (SERVER_FAILED, IfHarmless, "failed", "try again later, or ask the server's operator"),
        505..=599 | 501 => (SERVER_FAILED, Never, "failed", "ask the server's operator"),
        _ => (UNEXPECTED_STATUS, Never, "answered with a status that TAXII does not know", "check the URL"),
    };
    About { code, repeatable, meaning, help }
}

/// An answer that was not a success.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The resource asked for, without the query.
    pub url: String,
    /// What the server says about it, shortened and without secrets.
    pub message: Option<String>,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
}

impl Reply {
    pub(super) fn help(&self) -> String {
        let help = about(self.status).help;
        match self.retry_after {
            Some(wait) => format!("{help}; the server asks to wait {} seconds", wait.as_secs()),
            None => help.to_owned(),
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} answered {}: the server {}", self.url, self.status, about(self.status).meaning)?;
        match &self.message {
            Some(message) => write!(formatter, " (it says: {message})"),
            None => Ok(()),
        }
    }
}

/// What an error body says, of whichever make: TAXII's own error object (`title`, `description`), and the forms that
/// real servers send instead (`{"error": {"message": …}}`, `{"name": …, "description": …}`, `{"message": …}`).
/// `None` for a body that is not JSON: the tags of a web page explain nothing. Each text goes through `clean` before it is
/// cut: the beginning of a secret would not be known again.
pub(super) fn message(body: &[u8], clean: impl Fn(&str) -> String) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let value = value.get("error").filter(|error| error.is_object()).unwrap_or(&value);
    let texts = ["title", "name", "error", "message", "description", "detail"]
        .into_iter()
        .filter_map(|key| value.get(key)?.as_str())
        .map(|text| shortened(&clean(text)))
        .filter(|text| !text.is_empty())
        .take(2)
        .collect::<Vec<_>>();
    (!texts.is_empty()).then(|| texts.join(": "))
}

/// At most 200 characters, none of which moves a terminal's cursor.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut shown: String = text.trim().chars().filter(|character| !character.is_control()).take(LONGEST).collect();
    if text.chars().count() > LONGEST {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cleaned_as_they_are_read_and_before_they_are_cut() {
        let body = format!(r#"{{"title": "{}\u0073ecret"}}"#, "x".repeat(196));
        let said = message(body.as_bytes(), |text| text.replace("secret", "***")).unwrap();
        assert!(said.ends_with("xx***") && !said.contains("secr"), "{said}");
    }

    #[test]
    fn error_bodies_of_every_make() {
        for (body, expected) in [
            (
                r#"{"title":"Not found","description":"No such collection","http_status":"404"}"#,
                Some("Not found: No such collection"),
            ),
            (r#"{"error":{"code":"rate_limit_exceeded","message":"Slow down"}}"#, Some("Slow down")),
            (r#"{"code":400,"name":"validation error","description":"next"}"#, Some("validation error: next")),
            (r#"{"error":"no"}"#, Some("no")),
            (r#"{"title":"\u001b[31mred\n"}"#, Some("[31mred")),
            ("{}", None),
            ("[1]", None),
            ("<html>Unauthorized Access</html>", None),
            ("", None),
        ] {
            assert_eq!(message(body.as_bytes(), str::to_owned).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn long_messages_are_cut() {
        let body = format!(r#"{{"message":"{}"}}"#, "ä".repeat(500));
        assert_eq!(message(body.as_bytes(), str::to_owned).unwrap().chars().count(), 201);
    }

    #[test]
    fn each_status_that_a_server_sends_has_its_own_code_and_help() {
        let statuses = [400, 401, 403, 404, 406, 413, 415, 429, 500, 418];
        for (index, one) in statuses.iter().enumerate() {
            for other in &statuses[index + 1..] {
                assert_ne!(about(*one).code, about(*other).code, "{one} {other}");
                assert_ne!(about(*one).meaning, about(*other).meaning, "{one} {other}");
            }
        }
    }
}
