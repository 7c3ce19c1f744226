//! One server, over HTTP.

use std::{
    mem,
    sync::OnceLock,
    sync::atomic::{AtomicU64, Ordering},
};

use reqwest::{
    Response, StatusCode,
    header::{CONTENT_RANGE, CONTENT_TYPE, DATE, HeaderMap, LOCATION},
};
use url::Url;

use super::{
    Auth, Backoff, FetchOptions, Limits, Log, TaxiiError, Version,
    address::{Address, same_server, shown},
    backoff, connect,
    error::innermost,
    request::{Items, Request, ResourceKind},
    status,
    time::http_date,
};
use crate::stix::Timestamp;

const FIRST_ADDED: &str = "x-taxii-date-added-first";
const LAST_ADDED: &str = "x-taxii-date-added-last";
const MOST_REDIRECTS: usize = 5;
/// No error message is longer; what comes after is not read.
const MOST_ERROR_BYTES: u64 = 64 << 10;

/// A client of one server.
///
/// It is bound to the server of the URL it was made for: whatever that server answers, no request and no credential
/// goes to another one. It runs on the tokio runtime of its caller; a current-thread one with I/O and time is enough.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    /// Whether a redirect may lead to another server: it may for what has no secret to lose.
    may_leave: bool,
    auth: Auth,
    backoff: Backoff,
    limits: Limits,
    log: Option<Log>,
    /// The version of TAXII, once it is known.
    version: OnceLock<Version>,
    requests: AtomicU64,
}

/// A successful answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The resource, without the query.
    pub(super) url: String,
    pub(super) content_type: Option<String>,
    /// `X-TAXII-Date-Added-First`, as it came.
    pub(super) first_added: Option<String>,
    /// `X-TAXII-Date-Added-Last`, as it came.
    pub(super) last_added: Option<String>,
    /// The server's clock.
    pub(super) date: Option<Timestamp>,
    /// `Content-Range`, in items.
    pub(super) items: Option<Items>,
    pub(super) body: Vec<u8>,
}

impl Client {
    /// A client for the server of `options.url`.
    ///
    /// # Errors
    /// For an address that is none or holds a secret ([`TaxiiError::InvalidUrl`], [`TaxiiError::SecretInUrl`]), for
    /// credentials that would go over plain HTTP to another machine ([`TaxiiError::PlainHttp`]) or that can't stand in
    /// a header, for certificates that can't be used, and where TLS can't be set up.
    pub fn new(options: &FetchOptions) -> Result<Self, TaxiiError> {
        Self::for_server(options, Address::parse(&options.url)?.url().clone(), false)
    }

    /// A client for `server`. With `may_leave`, redirects are followed to other servers too, over TLS and if there are
    /// no credentials.
    pub(super) fn for_server(options: &FetchOptions, server: Url, may_leave: bool) -> Result<Self, TaxiiError> {
        let http = connect::http(options, &server, options.auth.header()?.into_iter().collect())?;
        let may_leave = may_leave && options.auth == Auth::None && options.tls.certificate.is_none();
        let FetchOptions { auth, backoff, limits, log, .. } = options.clone();
        let version = OnceLock::new();
        if let Some(given) = options.version {
            let _ = version.set(given);
        }
        Ok(Self { http, server, may_leave, auth, backoff, limits, log, version, requests: AtomicU64::new(0) })
    }

    /// How many requests were sent so far, repeated ones and redirects included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The version of TAXII that the server speaks: 2.1 until an answer says otherwise.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version.get().copied().unwrap_or(Version::V2_1)
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

    /// Gets the resource at `url`: a discovery resource, an API root, collections.
    pub(super) async fn resource(&self, url: &Url) -> Result<Answer, TaxiiError> {
        self.get(|version| Request::new(url.clone(), ResourceKind::Resource, version), true).await
    }

    /// Gets what `ask` asks for in the version that the server speaks. With `harmless` false a request that the server
    /// may have handled is not repeated.
    pub(super) async fn get(&self, ask: impl Fn(Version) -> Request, harmless: bool) -> Result<Answer, TaxiiError> {
        let outcome = self.get_patiently(&ask(self.version()), harmless).await;
        let known = self.version.get().is_some();
        match outcome {
            Ok(answer) => {
                if let Some(version) = version_of(&answer).filter(|_| !known) {
                    let _ = self.version.set(version);
                }
                Ok(answer)
            }
            Err(error) if !known && error.is_of_another_version() => {
                let second = self.get_patiently(&ask(Version::V2_0), harmless).await;
                if second.as_ref().is_err_and(TaxiiError::is_of_another_version) {
                    return Err(error);
                }
                let _ = self.version.set(Version::V2_0);
                second
            }
            Err(error) => Err(error),
        }
    }

    async fn get_patiently(&self, request: &Request, harmless: bool) -> Result<Answer, TaxiiError> {
        self.patiently(harmless, async || {
            let (url, response) = self.open(request).await?;
            self.answer(&url, response).await
        })
        .await
    }

    /// Does `once`, again after a pause where that can help.
    pub(super) async fn patiently<T>(
        &self,
        harmless: bool,
        mut once: impl AsyncFnMut() -> Result<T, TaxiiError>,
    ) -> Result<T, TaxiiError> {
        let mut attempt = 1;
        loop {
            let error = match once().await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let Some(pause) = self.backoff.pause(&error, harmless, attempt) else { return Err(error) };
            self.say(|| format!("  again after {:.1} seconds: {error}", pause.as_secs_f64()));
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    /// Sends `request`, follows redirects, and gives the answer if it is a success, with its URL.
    pub(super) async fn open(&self, request: &Request) -> Result<(Url, Response), TaxiiError> {
        let (mut from, mut at) = (self.server.clone(), request.url.clone());
        for _ in 0..=MOST_REDIRECTS {
            let may_go = same_server(&self.server, &at) || (self.may_leave && at.scheme() == "https");
            if !may_go {
                return Err(TaxiiError::RedirectedAway { from: shown(&from), to: shown(&at) });
            }
            let response = self.send(&at, &request.headers).await?;
            match redirect_target(&at, &response) {
                Some(target) => from = mem::replace(&mut at, target),
                None if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED => {
                    return Ok((at, response));
                }
                None => return Err(self.refusal(&at, response).await),
            }
        }
        Err(TaxiiError::RedirectLoop { url: shown(&request.url) })
    }

    async fn send(&self, url: &Url, headers: &HeaderMap) -> Result<Response, TaxiiError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if let Some(log) = &self.log {
            log.request(&self.auth, url, headers);
        }
        let response = self.http.get(url.clone()).headers(headers.clone()).send().await;
        let response = response.map_err(|error| transport(url, &error))?;
        if let Some(log) = &self.log {
            log.line(&self.auth, &format!("< {}", response.status()));
            log.headers(&self.auth, '<', response.headers());
        }
        Ok(response)
    }

    fn say(&self, line: impl FnOnce() -> String) {
        if let Some(log) = &self.log {
            log.line(&self.auth, &line());
        }
    }

    async fn answer(&self, url: &Url, response: Response) -> Result<Answer, TaxiiError> {
        if response.status() == StatusCode::NOT_MODIFIED {
            // Nobody has asked whether it was.
            return Err(self.refusal(url, response).await);
        }
        let text = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let mut answer = Answer {
            url: shown(url),
            content_type: text(CONTENT_TYPE.as_str()),
            first_added: text(FIRST_ADDED),
            last_added: text(LAST_ADDED),
            date: text(DATE.as_str()).and_then(|date| http_date(&date)),
            items: text(CONTENT_RANGE.as_str()).and_then(|range| Items::parse(&range)),
            body: Vec::new(),
        };
        let limit = self.limits.page_bytes;
        let (body, whole) = read(url, response, limit).await?;
        if !whole {
            return Err(TaxiiError::PageTooLarge { url: shown(url), limit });
        }
        self.say(|| format!("< {} bytes", body.len()));
        answer.body = body;
        Ok(answer)
    }

    async fn refusal(&self, url: &Url, response: Response) -> TaxiiError {
        let (status, retry_after) = (response.status(), backoff::asked(response.headers()));
        // The status is the news; a body that can't be read only takes the explanation away.
        let body = read(url, response, MOST_ERROR_BYTES).await.map(|(body, _)| body).unwrap_or_default();
        let message = status::message(&body, |text| self.auth.redact(text));
        let reply = status::Reply { status: status.as_u16(), url: shown(url), message, retry_after };
        TaxiiError::Status { reply: Box::new(reply) }
    }
}

/// The version that an answer shows, if it does.
fn version_of(answer: &Answer) -> Option<Version> {
    let content_type = answer.content_type.as_deref().unwrap_or_default();
    if answer.items.is_some() || (content_type.contains("vnd.oasis") && content_type.contains("version=2.0")) {
        Some(Version::V2_0)
    } else {
        content_type.contains("taxii+json").then_some(Version::V2_1)
    }
}

/// The body, unpacked, up to `limit` bytes, and whether that is all of it. Counts what comes out of the unpacking,
/// since a few kilobytes on the wire can become gigabytes.
async fn read(url: &Url, mut response: Response, limit: u64) -> Result<(Vec<u8>, bool), TaxiiError> {
    let mut body = Vec::new();
    if response.content_length().is_some_and(|length| length > limit) {
        return Ok((body, false));
    }
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

pub(super) fn transport(url: &Url, error: &reqwest::Error) -> TaxiiError {
    let url = shown(url);
    if error.is_timeout() {
        TaxiiError::TimedOut { url }
    } else if error.is_connect() {
        TaxiiError::Unreachable { url, reason: innermost(error) }
    } else {
        TaxiiError::BrokenOff { url, reason: innermost(error) }
    }
}
