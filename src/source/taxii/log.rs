//! What an operator may want to read about each request.

use std::{fmt, sync::Arc};

use reqwest::header::HeaderMap;
use url::Url;

use super::{Auth, status::shortened};

/// Is told of each request and each answer, a line at a time. No line holds a secret or moves a terminal's cursor.
///
/// ```
/// use stixc::source::taxii::{FetchOptions, Log};
/// let mut options = FetchOptions::new("https://feed.example/taxii2/");
/// options.log = Some(Log::new(false, |line| eprintln!("{line}")));
/// ```
#[derive(Clone)]
pub struct Log {
    headers: bool,
    write: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Log {
    /// Hands each line to `write`; those about headers only if `headers` is true.
    pub fn new(headers: bool, write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { headers, write: Arc::new(write) }
    }

    pub(super) fn line(&self, auth: &Auth, line: &str) {
        (self.write)(&shown(auth, line));
    }

    /// The URL of a request, and what its headers say.
    pub(super) fn request(&self, auth: &Auth, url: &Url, headers: &HeaderMap) {
        self.line(auth, &format!("> GET {url}"));
        let own = auth.header().ok().flatten();
        self.headers(auth, '>', headers);
        self.headers(auth, '>', &own.into_iter().collect());
    }

    /// The headers of a request or an answer.
    pub(super) fn headers(&self, auth: &Auth, direction: char, headers: &HeaderMap) {
        for (name, value) in headers.iter().filter(|_| self.headers) {
            let value = if value.is_sensitive() { "***".into() } else { String::from_utf8_lossy(value.as_bytes()) };
            self.line(auth, &format!("{direction}   {name}: {value}"));
        }
    }
}

fn shown(auth: &Auth, text: &str) -> String {
    shortened(&auth.redact(text))
}

impl fmt::Debug for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Log").field("headers", &self.headers).finish_non_exhaustive()
    }
}
