//! What can go wrong between here and a collection.

use std::{error::Error as _, io, time::Duration};

use super::status::{self, Repeatable, Reply};
use crate::diagnostic::{Code, Diagnostic};

/// The address is not the URL of a TAXII resource.
pub const INVALID_URL: Code = Code("S020");
/// The address holds a user, a password or a key.
pub const SECRET_IN_URL: Code = Code("S021");
/// Credentials would go over plain HTTP.
pub const PLAIN_HTTP: Code = Code("S022");
/// A secret is not where it was said to be.
pub const MISSING_SECRET: Code = Code("S023");
/// An option of the request can't be used.
pub const INVALID_OPTION: Code = Code("S024");
/// The HTTP client could not be set up.
pub const SETUP: Code = Code("S025");
/// The server could not be reached.
pub const UNREACHABLE: Code = Code("S026");
/// The server took too long.
pub const TIMED_OUT: Code = Code("S027");
/// The answer broke off.
pub const BROKEN_OFF: Code = Code("S028");
/// The server redirects to another server.
pub const REDIRECTED_AWAY: Code = Code("S029");
/// The server redirects in a circle.
pub const REDIRECT_LOOP: Code = Code("S030");
/// The answer is not JSON.
pub const NOT_JSON: Code = Code("S041");
/// The answer is JSON, but no TAXII resource.
pub const NOT_TAXII: Code = Code("S042");
/// The answer is larger than a page may be.
pub const PAGE_TOO_LARGE: Code = Code("S043");
/// The server has no such collection.
pub const NO_SUCH_COLLECTION: Code = Code("S044");
/// No collection was named.
pub const WHICH_COLLECTION: Code = Code("S045");
/// The collection may not be read.
pub const UNREADABLE_COLLECTION: Code = Code("S046");
/// The server keeps answering with what it has sent before.
pub const NO_PROGRESS: Code = Code("S047");
/// More objects share one `date_added` than a page can hold.
pub const TIES: Code = Code("S048");
/// There is more, but the server does not say how to get it.
pub const NO_WAY_ON: Code = Code("S049");
/// More pages than allowed.
pub const TOO_MANY_PAGES: Code = Code("S050");
/// More objects than allowed.
pub const TOO_MANY_OBJECTS: Code = Code("S051");
/// More time than allowed.
pub const TOO_LONG: Code = Code("S052");
/// Some objects were fetched, then it failed.
pub const INCOMPLETE: Code = Code("S053");
/// What was fetched could not be written.
pub const OUTPUT: Code = Code("S054");

/// More bytes than allowed.
pub const TOO_MANY_BYTES: Code = Code("S058");
/// Others can read the file that a secret is in.
pub const EXPOSED_SECRET: Code = Code("S063");
/// A certificate, or the key of one, can't be used.
pub const CERTIFICATE: Code = Code("S064");

/// Why a fetch failed.
///
/// No message shows a secret, a query or a header: URLs are cut after the path, and what a server says is shortened,
/// freed of control characters, and searched for the credentials it was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaxiiError {
    /// The address is not the URL of a TAXII resource, or of anything on the web.
    #[error("the address {reason}")]
    InvalidUrl {
        /// What is wrong with it, as the end of the sentence.
        reason: String,
    },
    /// The address holds a user, a password or a key, which every log on the way would keep.
    #[error("the address holds {part}")]
    SecretInUrl {
        /// What was found, by name only.
        part: String,
    },
    /// Credentials would go over plain HTTP to another machine.
    #[error("credentials would go unencrypted to {url}")]
    PlainHttp {
        /// The server.
        url: String,
    },
    /// A secret is not where it was said to be.
    #[error("{place} {reason}")]
    MissingSecret {
        /// The variable or file.
        place: String,
        /// What is wrong, as the end of the sentence.
        reason: String,
    },
    /// Others can read, or change, the file that a secret is in.
    #[error("the file {file} is not its owner's alone (its mode is {mode:03o})")]
    ExposedSecret {
        /// The file.
        file: String,
        /// Its permission bits.
        mode: u32,
    },
    /// A certificate, or the key of one, can't be used.
    #[error("{file} {reason}")]
    Certificate {
        /// The file.
        file: String,
        /// What is wrong with it, as the end of the sentence.
        reason: String,
    },
    /// An option of the request can't be used.
    #[error("{option}: {reason}")]
    InvalidOption {
        /// The option's name.
        option: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The HTTP client or its runtime could not be set up.
    #[error("the HTTP client can't be set up: {reason}")]
    Setup {
        /// What the library says.
        reason: String,
    },
    /// No connection came about: name, network or TLS.
    #[error("{url} can't be reached: {reason}")]
    Unreachable {
        /// The resource.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// The connection, a read, or the page as a whole took longer than allowed.
    #[error("{url} did not answer in time")]
    TimedOut {
        /// The resource.
        url: String,
    },
    /// The answer ended before it was whole, or its compression is damaged.
    #[error("the answer of {url} broke off: {reason}")]
    BrokenOff {
        /// The resource.
        url: String,
        /// What the library says.
        reason: String,
    },
    /// A redirect or a discovery resource leads to another server, where the credentials must not go.
    #[error("{from} leads to another server: {to}")]
    RedirectedAway {
        /// The resource asked for.
        from: String,
        /// Where it leads, without the query.
        to: String,
    },
    /// Too many redirects in a row.
    #[error("{url} redirects in a circle")]
    RedirectLoop {
        /// The resource asked for.
        url: String,
    },
    /// The server answered with an HTTP status other than success.
    #[error("{0}")]
    Status(Box<Reply>),
    /// The answer is not JSON.
    #[error("the answer of {url} is not JSON: {reason}{}", content_type.as_ref().map(|text| format!(" (it is said to be `{text}`)")).unwrap_or_default())]
    NotJson {
        /// The resource.
        url: String,
        /// Where and why reading stopped.
        reason: String,
        /// The answer's `Content-Type`.
        content_type: Option<String>,
    },
    /// The answer is JSON, but not the resource that was asked for.
    #[error("the answer of {url} is no TAXII resource: {reason}")]
    NotTaxii {
        /// The resource.
        url: String,
        /// What is missing.
        reason: String,
    },
    /// The answer, unpacked, is larger than allowed.
    #[error("the answer of {url} is larger than {limit} bytes")]
    PageTooLarge {
        /// The resource.
        url: String,
        /// The cap.
        limit: u64,
    },
    /// No API root of the server has the collection.
    #[error("no collection `{wanted}` at {url}{}", listed(available))]
    NoSuchCollection {
        /// Where it was looked for.
        url: String,
        /// The id or title asked for.
        wanted: String,
        /// What there is, each as `title (id)`.
        available: Vec<String>,
    },
    /// The server has several collections, and none or more than one was meant.
    #[error("name one collection of {url}{}", listed(available))]
    WhichCollection {
        /// The server.
        url: String,
        /// What there is, each as `title (id)`.
        available: Vec<String>,
    },
    /// The server says `can_read: false`.
    #[error("the collection `{collection}` may not be read with these credentials")]
    UnreadableCollection {
        /// Its title and id.
        collection: String,
    },
    /// Several pages in a row brought nothing new although the server says that there is more.
    #[error("the server says that there is more, but its last {pages} pages brought nothing new")]
    NoProgress {
        /// How many pages were asked for in vain.
        pages: u32,
    },
    /// Paging by time can't pass a moment at which more objects were added than one page holds.
    #[error(
        "{page} objects or more share the date_added {date_added}, and the server gives no more than {page} a page"
    )]
    Ties {
        /// The moment, as the server gave it.
        date_added: String,
        /// The largest page that the server gave.
        page: usize,
    },
    /// `more` is true, but there is neither `next` nor a usable `X-TAXII-Date-Added-Last`.
    #[error("the server says that there is more, but gives neither `next` nor X-TAXII-Date-Added-Last")]
    NoWayOn,
    /// The cap on pages was reached.
    #[error("more than {limit} pages")]
    TooManyPages {
        /// The cap.
        limit: u64,
    },
    /// The cap on objects was reached.
    #[error("more than {limit} objects")]
    TooManyObjects {
        /// The cap.
        limit: u64,
    },
    /// The cap on bytes was reached.
    #[error("more than {limit} bytes")]
    TooManyBytes {
        /// The cap.
        limit: u64,
    },
    /// The cap on time was reached.
    #[error("not done after {} seconds", limit.as_secs_f64())]
    TooLong {
        /// The cap.
        limit: Duration,
    },
    /// Some objects were handed on, then the walk failed: what was written is not the whole collection.
    #[error("incomplete: stopped after {objects} objects in {pages} pages: {cause}")]
    Incomplete {
        /// Objects handed on.
        objects: u64,
        /// Pages read.
        pages: u64,
        /// What stopped it.
        #[source]
        cause: Box<TaxiiError>,
    },
    /// The output could not be written.
    #[error("can't write what was fetched: {0}")]
    Output(#[from] io::Error),
}

/// `; there is a, b`, and how many there are beyond the first twenty; nothing for an empty list.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let more = names.len().saturating_sub(SHOWN);
    match names {
        [] => String::new(),
        _ if more == 0 => format!("; there is {}", names.join(", ")),
        _ => format!("; there is {} and {more} more", names[..SHOWN].join(", ")),
    }
}

impl TaxiiError {
    /// The code, explained by `stixc explain CODE`. For [`TaxiiError::Incomplete`] the code of what stopped it is
    /// that of its cause.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::InvalidUrl { .. } => INVALID_URL,
            Self::SecretInUrl { .. } => SECRET_IN_URL,
            Self::PlainHttp { .. } => PLAIN_HTTP,
            Self::MissingSecret { .. } => MISSING_SECRET,
            Self::ExposedSecret { .. } => EXPOSED_SECRET,
            Self::Certificate { .. } => CERTIFICATE,
            Self::InvalidOption { .. } => INVALID_OPTION,
            Self::Setup { .. } => SETUP,
            Self::Unreachable { .. } => UNREACHABLE,
            Self::TimedOut { .. } => TIMED_OUT,
            Self::BrokenOff { .. } => BROKEN_OFF,
            Self::RedirectedAway { .. } => REDIRECTED_AWAY,
            Self::RedirectLoop { .. } => REDIRECT_LOOP,
            Self::Status(reply) => status::about(reply.status).code,
            Self::NotJson { .. } => NOT_JSON,
            Self::NotTaxii { .. } => NOT_TAXII,
            Self::PageTooLarge { .. } => PAGE_TOO_LARGE,
            Self::NoSuchCollection { .. } => NO_SUCH_COLLECTION,
            Self::WhichCollection { .. } => WHICH_COLLECTION,
            Self::UnreadableCollection { .. } => UNREADABLE_COLLECTION,
            Self::NoProgress { .. } => NO_PROGRESS,
            Self::Ties { .. } => TIES,
            Self::NoWayOn => NO_WAY_ON,
            Self::TooManyPages { .. } => TOO_MANY_PAGES,
            Self::TooManyObjects { .. } => TOO_MANY_OBJECTS,
            Self::TooManyBytes { .. } => TOO_MANY_BYTES,
            Self::TooLong { .. } => TOO_LONG,
            Self::Incomplete { .. } => INCOMPLETE,
            Self::Output(_) => OUTPUT,
        }
    }

    /// Whether objects were handed on before it failed. Keep them, but also the cursor that the poll has begun with:
    /// the next one brings what is missing.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        matches!(self, Self::Incomplete { .. })
    }

    /// Whether what was asked for is wrong by itself, whatever the server would have answered: an address, a secret, a
    /// certificate or an option.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::InvalidUrl { .. }
                | Self::SecretInUrl { .. }
                | Self::PlainHttp { .. }
                | Self::MissingSecret { .. }
                | Self::ExposedSecret { .. }
                | Self::Certificate { .. }
                | Self::InvalidOption { .. }
        )
    }

    /// What the user can do about it, as an instruction.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::InvalidUrl { .. } => {
                "give the https:// URL of a discovery resource, an API root or a collection".into()
            }
            Self::SecretInUrl { .. } => {
                "take it out of the URL and give it as credentials, which are sent as a header".into()
            }
            Self::PlainHttp { .. } => "use the server's https:// URL".into(),
            Self::MissingSecret { .. } => "put the key or the password there".into(),
            Self::ExposedSecret { file, .. } => format!("take the rights of all others away: chmod 600 {file}"),
            Self::Certificate { .. } => "give a PEM file: certificates, or a certificate and its key".into(),
            Self::InvalidOption { .. } => "correct that option".into(),
            Self::Setup { .. } => "check that the system's CA certificates are installed".into(),
            Self::Unreachable { .. } => {
                "check the host name, the network, the proxy and the server's certificate".into()
            }
            Self::TimedOut { .. } => "try again later, or allow more time or smaller pages".into(),
            Self::BrokenOff { .. } => "try again, or ask for smaller pages".into(),
            Self::RedirectedAway { to, .. } => format!("if you trust that server, configure a URL of it instead: {to}"),
            Self::RedirectLoop { .. } => "check the URL, and the server's redirects".into(),
            Self::Status(reply) => reply.help(),
            Self::NotJson { .. } => "check that the URL is that of a TAXII 2.1 server and not of a web page".into(),
            Self::NotTaxii { .. } => {
                "check that the URL is that of a TAXII 2.1 discovery resource, API root or collection".into()
            }
            Self::PageTooLarge { .. } => "ask for smaller pages, or allow larger ones".into(),
            Self::NoSuchCollection { .. } | Self::WhichCollection { .. } => {
                "give the id or the title of a collection".into()
            }
            Self::UnreadableCollection { .. } => "ask the server's operator for the right to read it".into(),
            Self::NoProgress { .. } | Self::NoWayOn => "report the faulty paging to the server's operator".into(),
            Self::Ties { .. } => "ask the server's operator for `next` paging or for larger pages".into(),
            Self::TooManyPages { .. }
            | Self::TooManyObjects { .. }
            | Self::TooManyBytes { .. }
            | Self::TooLong { .. } => "raise that limit, or fetch only what was added after a later time".into(),
            Self::Incomplete { cause, .. } => cause.help(),
            Self::Output(_) => "check the place that the output goes to".into(),
        }
    }

    /// The same as a diagnostic, with code, message and help.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        let message = match self {
            Self::Incomplete { objects, pages, cause } => {
                format!("incomplete: stopped after {objects} objects in {pages} pages by {}: {cause}", cause.code())
            }
            _ => self.to_string(),
        };
        Diagnostic::error(self.code(), message).help(self.help())
    }

    /// The same with every text of the server searched for the credentials it was sent.
    pub(super) fn redacted(self, clean: &impl Fn(String) -> String) -> Self {
        let clean_all = |texts: Vec<String>| texts.into_iter().map(clean).collect();
        match self {
            Self::Status(mut reply) => {
                reply.message = reply.message.map(clean);
                // A server may have sent the client on to where its key stands.
                reply.url = clean(reply.url);
                Self::Status(reply)
            }
            Self::Unreachable { url, reason } => Self::Unreachable { url: clean(url), reason: clean(reason) },
            Self::TimedOut { url } => Self::TimedOut { url: clean(url) },
            Self::BrokenOff { url, reason } => Self::BrokenOff { url: clean(url), reason: clean(reason) },
            Self::RedirectedAway { from, to } => Self::RedirectedAway { from: clean(from), to: clean(to) },
            Self::RedirectLoop { url } => Self::RedirectLoop { url: clean(url) },
            Self::PageTooLarge { url, limit } => Self::PageTooLarge { url: clean(url), limit },
            Self::NotJson { url, reason, content_type } => {
                Self::NotJson { url: clean(url), reason: clean(reason), content_type: content_type.map(clean) }
            }
            Self::NotTaxii { url, reason } => Self::NotTaxii { url: clean(url), reason: clean(reason) },
            Self::NoSuchCollection { url, wanted, available } => {
                Self::NoSuchCollection { url: clean(url), wanted, available: clean_all(available) }
            }
            Self::WhichCollection { url, available } => {
                Self::WhichCollection { url: clean(url), available: clean_all(available) }
            }
            Self::UnreadableCollection { collection } => Self::UnreadableCollection { collection: clean(collection) },
            Self::Ties { date_added, page } => Self::Ties { date_added: clean(date_added), page },
            Self::Incomplete { objects, pages, cause } => {
                Self::Incomplete { objects, pages, cause: Box::new(cause.redacted(clean)) }
            }
            other => other,
        }
    }

    /// What a failed request means for repeating it.
    pub(super) fn repeatable(&self) -> Repeatable {
        match self {
            Self::Unreachable { .. } => Repeatable::Always,
            Self::Status(reply) => status::about(reply.status).repeatable,
            Self::TimedOut { .. } | Self::BrokenOff { .. } => Repeatable::IfHarmless,
            _ => Repeatable::Never,
        }
    }

    /// Whether the server does not speak the version of TAXII that it was asked in.
    pub(super) fn is_of_another_version(&self) -> bool {
        matches!(self.status(), Some(406 | 415))
    }

    /// The HTTP status, if it is what went wrong.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Status(reply) => Some(reply.status),
            _ => None,
        }
    }
}

/// What is at the bottom of `error`: its top shows the URL with the query, the bottom says what the system said.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut text = None;
    while let Some(inner) = source {
        text = Some(inner.to_string());
        source = inner.source();
    }
    text.unwrap_or_else(|| "the HTTP client failed".to_owned())
}
