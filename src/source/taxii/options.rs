//! What to fetch, and how patiently.

use std::{path::PathBuf, process, time::Duration};

use super::{Auth, Log, TaxiiError, Version, time::parse_timestamp};
use crate::stix::Timestamp;

/// Everything a fetch needs to know.
///
/// ```
/// use stixc::source::taxii::{Auth, FetchOptions, Secret};
/// let mut options = FetchOptions::new("https://feed.example/api/taxii2/api/");
/// options.collection = Some("all-iocs".to_owned());
/// options.auth = Auth::Bearer(Secret::new("key"));
/// options.limit = 100;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FetchOptions {
    /// The URL of a discovery resource, an API root, `…/collections/`, a collection or its objects.
    pub url: String,
    /// The collection: its id, alias or title. Not needed where the URL names it or the server has only one.
    pub collection: Option<String>,
    /// The credentials.
    pub auth: Auth,
    /// Whom to trust, and the client's own certificate.
    pub tls: Tls,
    /// By which proxy to go.
    pub proxy: Proxy,
    /// The version of TAXII; found out where it is not given.
    pub version: Option<Version>,
    /// Only what was added to the collection after this moment.
    pub added_after: Option<Timestamp>,
    /// Where an earlier poll ended: its [`FetchSummary::cursor`](super::FetchSummary::cursor), as it was. Takes the
    /// place of `added_after`.
    pub cursor: Option<String>,
    /// How much of the time before a poll the next one asks for again. See [`FetchSummary::cursor`](super::FetchSummary::cursor).
    pub overlap: Duration,
    /// How far back the server's subscription reaches, if that is known: a poll that begins before that gets a warning,
    /// as such servers leave out in silence what is older.
    pub lookback: Option<Duration>,
    /// How many objects to ask for at once, at least 1. Servers give fewer as they like. Sent with each request:
    /// without it one server fails on the second page and another sends its whole collection in one body.
    pub limit: u32,
    /// What to ask the server for.
    pub filters: Filters,
    /// Where to stop.
    pub limits: Limits,
    /// How long to wait for the server.
    pub timeouts: Timeouts,
    /// How to repeat what failed.
    pub backoff: Backoff,
    /// Who is told of each request.
    pub log: Option<Log>,
}

impl FetchOptions {
    /// Options for `url`: no credentials, everything, 1,000 objects a page, and the default limits.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            collection: None,
            auth: Auth::None,
            tls: Tls::default(),
            proxy: Proxy::default(),
            version: None,
            added_after: None,
            cursor: None,
            overlap: Duration::from_secs(300),
            lookback: None,
            limit: 1000,
            filters: Filters::default(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            backoff: Backoff::default(),
            log: None,
        }
    }

    /// Where the poll begins, as the one before it has ended with.
    pub(super) fn known(&self) -> Result<Option<Timestamp>, TaxiiError> {
        let Some(cursor) = &self.cursor else { return Ok(self.added_after) };
        let moment = parse_timestamp(cursor).ok_or_else(|| TaxiiError::InvalidOption {
            option: "cursor",
            reason: "is not what an earlier poll has ended with".to_owned(),
        })?;
        Ok(Some(moment))
    }

    /// What it asks for: what came to be seen later than it was added comes with the overlap.
    pub(super) fn start(&self) -> Result<Option<Timestamp>, TaxiiError> {
        let known = self.known()?;
        Ok(if self.cursor.is_some() { known.map(|moment| moment.saturating_sub(self.overlap)) } else { known })
    }
}

/// Whom to trust, and the client's own certificate. All files are PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// The certificates that may sign the server's, in place of the system's.
    pub ca: Option<PathBuf>,
    /// The client's own certificate (mutual TLS), with those that lead to its root if the server needs them.
    pub certificate: Option<PathBuf>,
    /// The key of that certificate, where it is not in the same file. The file with the key must be its owner's alone.
    pub key: Option<PathBuf>,
}

/// By which proxy to go. A server on this machine is always reached directly, unless a proxy is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proxy {
    /// The one that the environment names: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, but for the hosts of `NO_PROXY`.
    #[default]
    Environment,
    /// None, whatever the environment says.
    Direct,
    /// The one with this URL, which must not hold a password: those belong in the environment.
    Url(String),
}

/// Reads `none` or the URL of a proxy.
impl From<&str> for Proxy {
    fn from(text: &str) -> Self {
        if text == "none" { Self::Direct } else { Self::Url(text.to_owned()) }
    }
}

/// The `match` parameters (TAXII 2.1, section 3.4.1). An empty list is not sent. Servers are free to give them another
/// meaning or to reject them, so none is set unless the user asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// `match[id]`
    pub ids: Vec<String>,
    /// `match[type]`
    pub types: Vec<String>,
    /// `match[version]`: `first`, `last`, `all` or a timestamp. Servers give the last version where it is not sent.
    pub versions: Vec<String>,
    /// `match[spec_version]`
    pub spec_versions: Vec<String>,
}

impl Filters {
    /// The parameters to send, in a fixed order.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (&'static str, String)> {
        [
            ("match[id]", &self.ids),
            ("match[type]", &self.types),
            ("match[version]", &self.versions),
            ("match[spec_version]", &self.spec_versions),
        ]
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| (name, values.join(",")))
    }
}

/// Where a walk ends with an error, whatever the server says. None of these is reached by an honest feed; all of them
/// by a hostile or a broken one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Pages of one walk, repeated ones counted too.
    pub pages: u64,
    /// Objects of one walk, each counted once.
    pub objects: u64,
    /// Bytes of one page, after unpacking.
    pub page_bytes: u64,
    /// Bytes of one walk, or of one bundle, after unpacking.
    pub bytes: u64,
    /// The walk as a whole, with all its waiting.
    pub time: Duration,
    /// How far `limit` may grow where many objects share one `date_added`.
    pub page_objects: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pages: 100_000,
            objects: 20_000_000,
            page_bytes: 128 << 20,
            bytes: 16 << 30,
            time: Duration::from_secs(6 * 3600),
            page_objects: 1 << 16,
        }
    }
}

/// How long to wait for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the next bytes of an answer.
    pub read: Duration,
    /// For a page as a whole.
    pub page: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), read: Duration::from_secs(30), page: Duration::from_secs(300) }
    }
}

/// How to repeat what failed: after `base`, then twice that, and so on up to `longest`, each shortened at random by up
/// to a half so that many clients don't come back at once.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Backoff {
    /// How often a request is sent in all.
    pub attempts: u32,
    /// The first pause. After 429 without a word on how long to wait, eight times that.
    pub base: Duration,
    /// The longest pause of the client's own choice.
    pub longest: Duration,
    /// The longest pause that a server may ask for; if it asks for more, the fetch fails at once.
    pub longest_asked: Duration,
    /// Gives the share of a pause, from 0 to 1, that is spared at the given attempt.
    pub jitter: fn(attempt: u32) -> f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            attempts: 5,
            base: Duration::from_secs(1),
            longest: Duration::from_secs(60),
            longest_asked: Duration::from_secs(300),
            jitter: process_jitter,
        }
    }
}

/// Differs from process to process, which is all that spreading them takes (the finaliser of SplitMix64).
fn process_jitter(attempt: u32) -> f64 {
    let mut bits = (u64::from(process::id()) << 32 | u64::from(attempt)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    f64::from((bits >> 32) as u32) / f64::from(u32::MAX)
}

/// The options of a connection, each in one row, for the macro `$then`: it makes arguments of them (`cli/connection.rs`),
/// keys of `stixc.toml` (`pipeline/config/raw.rs`) and what sets them (`pipeline/config/parse.rs`).
///
/// A row is what the command line says about it, its name (with hyphens on the command line), its type, how `stixc.toml`
/// writes it and what reads that, what else clap needs to know, the kinds of feeds that have it, and its place in
/// [`FetchOptions`].
#[cfg(any(feature = "cli", feature = "store"))]
macro_rules! connection_options {
    ($then:ident) => {
        $then! {
            "Credentials" {
                /// The client's own certificate, and its key if that has no file of its own, as PEM
                cert: PathBuf as PathBuf, path, [value_name = "FILE"], WEB, tls.certificate;
                /// The key of that certificate, as PEM; a file of mode 600
                key: PathBuf as PathBuf, path, [value_name = "FILE", requires = "cert"], WEB, tls.key;
            }
            "Connection" {
                /// Trust the authorities in this PEM file, in place of the system's
                ca_file: PathBuf as PathBuf, path, [value_name = "FILE"], WEB, tls.ca;
                /// Go by this proxy, or by `none`; by default by that of HTTPS_PROXY and NO_PROXY
                proxy: Proxy as String, proxy, [value_name = "URL", value_parser = proxy], WEB, proxy;
                /// Version of TAXII; by default the server's
                taxii: Version as String, version, [value_name = "VERSION", value_parser = versions()], TAXII, version;
                /// Seconds to wait for a connection
                connect_timeout: Duration as String, time, [value_name = "SECONDS", default_value = "10", value_parser = seconds], WEB, timeouts.connect;
                /// Seconds to wait for the next bytes of an answer
                read_timeout: Duration as String, time, [value_name = "SECONDS", default_value = "30", value_parser = seconds], WEB, timeouts.read;
                /// Seconds to wait for a page as a whole
                page_timeout: Duration as String, time, [value_name = "SECONDS", default_value = "300", value_parser = seconds], WEB, timeouts.page;
                /// How often a request is sent before it is given up
                attempts: u32 as u32, number, [value_name = "N", default_value = "5"], WEB, backoff.attempts;
                /// Longest pause that the server may ask for, in seconds; if it asks for more, the run fails at once
                max_wait: Duration as String, time, [value_name = "SECONDS", default_value = "300", value_parser = seconds], WEB, backoff.longest_asked;
            }
            "Limits" {
                /// Pages of one walk
                max_pages: u64 as u64, number, [value_name = "N"], TAXII, limits.pages;
                /// Objects of one walk
                max_objects: u64 as u64, number, [value_name = "N"], WEB, limits.objects;
                /// Bytes of one page, after unpacking
                max_page_bytes: u64 as u64, number, [value_name = "N"], TAXII, limits.page_bytes;
                /// Bytes of one walk, after unpacking
                max_bytes: u64 as u64, number, [value_name = "N"], WEB, limits.bytes;
                /// Seconds of one walk, with all its waiting
                max_time: Duration as String, time, [value_name = "SECONDS", value_parser = seconds], WEB, limits.time;
            }
        }
    };
}
#[cfg(any(feature = "cli", feature = "store"))]
pub(crate) use connection_options;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_comma_lists_in_a_fixed_order() {
        let filters =
            Filters { types: vec!["indicator".into(), "identity".into()], ids: vec!["x".into()], ..Filters::default() };
        let parameters: Vec<_> = filters.parameters().collect();
        assert_eq!(parameters, [("match[id]", "x".to_owned()), ("match[type]", "indicator,identity".to_owned())]);
        assert_eq!(Filters::default().parameters().count(), 0);
    }

    #[test]
    fn jitter_is_a_share() {
        assert!((0..100).map(process_jitter).all(|share| (0.0..=1.0).contains(&share)));
    }
}
