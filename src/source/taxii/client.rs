//! One server, over HTTP.

use std::{
    error::Error as _,
    mem,
    sync::atomic::{AtomicU64, Ordering},
};

use reqwest::{
    Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION},
    redirect::Policy,
};
use url::Url;

use super::{
    Auth, Backoff, FetchOptions, Limits, TaxiiError,
    address::{Address, is_loopback, same_server, shown},
    pause, status,
};

/// The media type of every TAXII 2.1 resource (section 1.6.8.1). Servers compare it letter by letter.
const TAXII_2_1: &str = "application/taxii+json;version=2.1";
const LAST_ADDED: &str = "x-taxii-date-added-last";
const MOST_REDIRECTS: usize = 5;
/// No error message is longer; what comes after is not read.
const MOST_ERROR_BYTES: u64 = 64 << 10;

/// A client of one TAXII 2.1 server.
///
/// It is bound to the server of the URL it was made for: whatever that server answers, no request and no credential
/// goes to another one. It runs on the tokio runtime of its caller; a current-thread one with I/O and time is enough.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    auth: Auth,
    backoff: Backoff,
    limits: Limits,
    requests: AtomicU64,
}

/// A successful answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// The resource, without the query.
    pub(super) url: String,
    pub(super) content_type: Option<String>,
    /// `X-TAXII-Date-Added-Last`, as it came.
    pub(super) last_added: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Client {
    /// A client for the server of `options.url`.
    ///
    /// # Errors
    /// For an address that is none or holds a secret ([`TaxiiError::InvalidUrl`], [`TaxiiError::SecretInUrl`]), for
    /// credentials that would go over plain HTTP to another machine ([`TaxiiError::PlainHttp`]) or that can't stand in
    /// a header, and where TLS can't be set up.
    pub fn new(options: &FetchOptions) -> Result<Self, TaxiiError> {
        let server = Address::parse(&options.url)?.url().clone();
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(TAXII_2_1))]);
        if let Some((name, value)) = options.auth.header()? {
            if server.scheme() == "http" && !is_loopback(&server) {
                return Err(TaxiiError::PlainHttp { url: shown(&server) });
            }
            headers.insert(name, value);
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("stixc/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            // The library strips `Authorization` from a redirect to elsewhere, but sends on every other header.
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(options.timeouts.connect)
            .read_timeout(options.timeouts.read)
            .timeout(options.timeouts.page);
        if is_loopback(&server) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| TaxiiError::Setup { reason: innermost(&error) })?;
        let FetchOptions { auth, backoff, limits, .. } = options.clone();
        Ok(Self { http, server, auth, backoff, limits, requests: AtomicU64::new(0) })
    }

    /// How many requests were sent so far, repeated ones and redirects included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(super) fn server(&self) -> &Url {
        &self.server
    }

    pub(super) fn auth(&self) -> &Auth {
        &self.auth
    }

    pub(super) fn backoff(&self) -> &Backoff {
        &self.backoff
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Gets `url`, again after a pause where that can help. With `harmless` false a request that the server may have
    /// handled is not repeated.
    pub(super) async fn get(&self, url: &Url, harmless: bool) -> Result<Answer, TaxiiError> {
        let mut attempt = 1;
        loop {
            let error = match self.get_once(url).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(pause) = self.backoff.pause(&error, harmless, attempt) else { return Err(error) };
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    async fn get_once(&self, url: &Url) -> Result<Answer, TaxiiError> {
        let (mut from, mut at) = (self.server.clone(), url.clone());
        for _ in 0..=MOST_REDIRECTS {
            if !same_server(&self.server, &at) {
                return Err(TaxiiError::RedirectedAway { from: shown(&from), to: shown(&at) });
            }
            let response = self.send(&at).await?;
            match redirect_target(&at, &response) {
                Some(target) => from = mem::replace(&mut at, target),
                None if response.status().is_success() => return self.answer(&at, response).await,
                None => return Err(self.refusal(&at, response).await),
            }
        }
        Err(TaxiiError::RedirectLoop { url: shown(url) })
    }

    async fn send(&self, url: &Url) -> Result<Response, TaxiiError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.http.get(url.clone()).send().await.map_err(|error| transport(url, &error))
    }

    async fn answer(&self, url: &Url, response: Response) -> Result<Answer, TaxiiError> {
        let text = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let (content_type, last_added) = (text(CONTENT_TYPE.as_str()), text(LAST_ADDED));
        let limit = self.limits.page_bytes;
        let (body, whole) = read(url, response, limit).await?;
        if !whole {
            return Err(TaxiiError::PageTooLarge { url: shown(url), limit });
        }
        Ok(Answer { url: shown(url), content_type, last_added, body })
    }

    async fn refusal(&self, url: &Url, response: Response) -> TaxiiError {
        let (status, retry_after) = (response.status(), pause::asked(response.headers()));
        // The status is the news; a body that can't be read only takes the explanation away.
        let body = read(url, response, MOST_ERROR_BYTES).await.map(|(body, _)| body).unwrap_or_default();
        let message = status::message(&body);
        TaxiiError::Status(Box::new(status::Reply { status: status.as_u16(), url: shown(url), message, retry_after }))
    }
}

/// The body, unpacked, up to `limit` bytes, and whether that is all of it. Counts what comes out of the unpacking,
/// since a few kilobytes on the wire can become gigabytes.
async fn read(url: &Url, mut response: Response, limit: u64) -> Result<(Vec<u8>, bool), TaxiiError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transport(url, &error))? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Ok((body, false));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, true))
}

/// Where a redirect leads; `None` for any other answer.
fn redirect_target(from: &Url, response: &Response) -> Option<Url> {
    let redirects = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = response.headers().get(LOCATION).filter(|_| redirects)?;
    from.join(location.to_str().ok()?).ok()
}

fn transport(url: &Url, error: &reqwest::Error) -> TaxiiError {
    let url = shown(url);
    if error.is_timeout() {
        TaxiiError::TimedOut { url }
    } else if error.is_connect() {
        TaxiiError::Unreachable { url, reason: innermost(error) }
    } else {
        TaxiiError::BrokenOff { url, reason: innermost(error) }
    }
}

/// What is at the bottom of `error`: its top shows the URL with the query, the bottom says what the system said.
fn innermost(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut text = None;
    while let Some(inner) = source {
        text = Some(inner.to_string());
        source = inner.source();
    }
    text.unwrap_or_else(|| "the HTTP client failed".to_owned())
}
