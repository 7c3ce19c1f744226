//! Errors of the TAXII client.

use std::{error::Error as _, io, time::Duration};

use super::status::{self, Repeatable, Reply};
use crate::diagnostic::coded;

const FETCH_LESS: &str = "raise that limit, or fetch only what was added after a later time";

coded! {
    /// Why a fetch failed.
    ///
    /// No message shows a secret, a query or a header: URLs are cut after the path, and what a server says is shortened,
    /// freed of control characters, and searched for the credentials it was sent.
    #[derive(Debug)]
    #[non_exhaustive]
    pub enum TaxiiError {
        /// The address is not the URL of a TAXII resource, or of anything on the web.
        INVALID_URL = "S020", InvalidUrl { /** What is wrong with it, as the end of the sentence. */ reason: String },
            error("the address {reason}"),
            help("give the https:// URL of a discovery resource, an API root or a collection");
        /// The address holds a user, a password or a key, which every log on the way would keep.
        SECRET_IN_URL = "S021", SecretInUrl { /** What was found, by name only. */ part: String },
            error("the address holds {part}"),
            help("take it out of the URL and give it as credentials, which are sent as a header");
        /// Credentials would go over plain HTTP to another machine.
        PLAIN_HTTP = "S022", PlainHttp { /** The server. */ url: String },
            error("credentials would go unencrypted to {url}"), help("use the server's https:// URL");
        /// A secret is not where it was said to be.
        MISSING_SECRET = "S023", MissingSecret {
            /// The variable or file.
            place: String,
            /// What is wrong, as the end of the sentence.
            reason: String,
        },
            error("{place} {reason}"), help("put the key or the password there");
        /// Others can read, or change, the file that a secret is in.
        EXPOSED_SECRET = "S063", ExposedSecret { /** The file. */ file: String, /** Its permission bits. */ mode: u32 },
            error("the file {file} is not its owner's alone (its mode is {mode:03o})"),
            help(format!("take the rights of all others away: chmod 600 {file}"));
        /// A certificate, or the key of one, can't be used.
        CERTIFICATE = "S064", Certificate {
            /// The file.
            file: String,
            /// What is wrong with it, as the end of the sentence.
            reason: String,
        },
            error("{file} {reason}"), help("give a PEM file: certificates, or a certificate and its key");
        /// An option of the request can't be used.
        INVALID_OPTION = "S024", InvalidOption {
            /// The option's name.
            option: &'static str,
            /// What is wrong with it.
            reason: String,
        },
            error("{option}: {reason}"), help("correct that option");
        /// The HTTP client or its runtime could not be set up.
        SETUP = "S025", Setup { /** What the library says. */ reason: String },
            error("the HTTP client can't be set up: {reason}"),
            help("check that the system's CA certificates are installed");
        /// No connection came about: name, network or TLS.
        UNREACHABLE = "S026", Unreachable {
            /// The resource.
            url: String,
            /// What the system says.
            reason: String,
        },
            error("{url} can't be reached: {reason}"),
            help("check the host name, the network, the proxy and the server's certificate");
        /// The connection, a read, or the page as a whole took longer than allowed.
        TIMED_OUT = "S027", TimedOut { /** The resource. */ url: String },
            error("{url} did not answer in time"), help("try again later, or allow more time or smaller pages");
        /// The answer ended before it was whole, or its compression is damaged.
        BROKEN_OFF = "S028", BrokenOff {
            /// The resource.
            url: String,
            /// What the library says.
            reason: String,
        },
            error("the answer of {url} broke off: {reason}"), help("try again, or ask for smaller pages");
        /// A redirect or a discovery resource leads to another server, where the credentials must not go.
        REDIRECTED_AWAY = "S029", RedirectedAway {
            /// The resource asked for.
            from: String,
            /// Where it leads, without the query.
            to: String,
        },
            error("{from} leads to another server: {to}"),
            help(format!("if you trust that server, configure a URL of it instead: {to}"));
        /// Too many redirects in a row.
        REDIRECT_LOOP = "S030", RedirectLoop { /** The resource asked for. */ url: String },
            error("{url} redirects in a circle"), help("check the URL, and the server's redirects");
        /// The server answered with an HTTP status other than success.
        (status::about(reply.status).code), Status { /** What it said. */ reply: Box<Reply> },
            error("{reply}"), help(reply.help());
        /// The answer is not JSON.
        NOT_JSON = "S041", NotJson {
            /// The resource.
            url: String,
            /// Where and why reading stopped.
            reason: String,
            /// The answer's `Content-Type`.
            content_type: Option<String>,
        },
            error("the answer of {url} is not JSON: {reason}{}", content_type.as_ref().map(|text| format!(" (it is said to be `{text}`)")).unwrap_or_default()),
            help("check that the URL is that of a TAXII 2.1 server and not of a web page");
        /// The answer is JSON, but not the resource that was asked for.
        NOT_TAXII = "S042", NotTaxii { /** The resource. */ url: String, /** What is missing. */ reason: String },
            error("the answer of {url} is no TAXII resource: {reason}"),
            help("check that the URL is that of a TAXII 2.1 discovery resource, API root or collection");
        /// The answer, unpacked, is larger than allowed.
        PAGE_TOO_LARGE = "S043", PageTooLarge { /** The resource. */ url: String, /** The cap. */ limit: u64 },
            error("the answer of {url} is larger than {limit} bytes"),
            help("ask for smaller pages, or allow larger ones");
        /// No API root of the server has the collection.
        NO_SUCH_COLLECTION = "S044", NoSuchCollection {
            /// Where it was looked for.
            url: String,
            /// The id or title asked for.
            wanted: String,
            /// What there is, each as `title (id)`.
            available: Vec<String>,
        },
            error("no collection `{wanted}` at {url}{}", listed(available)),
            help("give the id or the title of a collection");
        /// The server has several collections, and none or more than one was meant.
        WHICH_COLLECTION = "S045", WhichCollection {
            /// The server.
            url: String,
            /// What there is, each as `title (id)`.
            available: Vec<String>,
        },
            error("name one collection of {url}{}", listed(available)),
            help("give the id or the title of a collection");
        /// The server says `can_read: false`.
        UNREADABLE_COLLECTION = "S046", UnreadableCollection { /** Its title and id. */ collection: String },
            error("the collection `{collection}` may not be read with these credentials"),
            help("ask the server's operator for the right to read it");
        /// Several pages in a row brought nothing new although the server says that there is more.
        NO_PROGRESS = "S047", NoProgress { /** How many pages were asked for in vain. */ pages: u32 },
            error("the server says that there is more, but its last {pages} pages brought nothing new"),
            help("report the faulty paging to the server's operator");
        /// Paging by time can't pass a moment at which more objects were added than one page holds.
        TIES = "S048", Ties {
            /// The moment, as the server gave it.
            date_added: String,
            /// The largest page that the server gave.
            page: usize,
        },
            error("{page} objects or more share the date_added {date_added}, and the server gives no more than {page} a page"),
            help("ask the server's operator for `next` paging or for larger pages");
        /// Pages by time don't overlap, however far they step back.
        NO_OVERLAP = "S066", NoOverlap { /** The moment, as the server gave it. */ date_added: String },
            error("asked again and again for what was added from {date_added} on, the server brings nothing of the page before"),
            help("X-TAXII-Date-Added-Last is not the date_added of a page's newest object; report it to the server's operator");
        /// The server gives the newest objects first and no `next`.
        NEWEST_FIRST = "S067", NewestFirst,
            error("the server gives the newest objects first and no usable `next`: older ones can't be asked for"),
            help("ask the server's operator for `next` paging, or raise the limit so that one page holds everything");
        /// `more` is true, but there is neither `next` nor a usable `X-TAXII-Date-Added-Last`.
        NO_WAY_ON = "S049", NoWayOn,
            error("the server says that there is more, but gives neither `next` nor X-TAXII-Date-Added-Last"),
            help("report the faulty paging to the server's operator");
        /// The cap on pages was reached.
        TOO_MANY_PAGES = "S050", TooManyPages { /** The cap. */ limit: u64 },
            error("more than {limit} pages"), help(FETCH_LESS);
        /// The cap on objects was reached.
        TOO_MANY_OBJECTS = "S051", TooManyObjects { /** The cap. */ limit: u64 },
            error("more than {limit} objects"), help(FETCH_LESS);
        /// The cap on bytes was reached.
        TOO_MANY_BYTES = "S058", TooManyBytes { /** The cap. */ limit: u64 },
            error("more than {limit} bytes"), help(FETCH_LESS);
        /// The cap on time was reached.
        TOO_LONG = "S052", TooLong { /** The cap. */ limit: Duration },
            error("not done after {} seconds", limit.as_secs_f64()), help(FETCH_LESS);
        /// Some objects were handed on, then the walk failed: what was written is not the whole collection.
        INCOMPLETE = "S053", Incomplete {
            /// Objects handed on.
            objects: u64,
            /// Pages read.
            pages: u64,
            /// What stopped it.
            #[source]
            cause: Box<TaxiiError>,
        },
            error("incomplete: stopped after {objects} objects in {pages} pages by {}: {cause}", cause.code()),
            help(cause.help().unwrap_or_default());
        /// The output could not be written.
        OUTPUT = "S054", Output {
            /// What the system says.
            #[from]
            cause: io::Error,
        },
            error("can't write what was fetched: {cause}"), help("check the place that the output goes to");
    }
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

    /// The same with every text of the server searched for the credentials it was sent.
    pub(super) fn redacted(self, clean: &impl Fn(String) -> String) -> Self {
        let clean_all = |texts: Vec<String>| texts.into_iter().map(clean).collect();
        match self {
            Self::Status { mut reply } => {
                reply.message = reply.message.map(clean);
                // A server may have sent the client on to where its key stands.
                reply.url = clean(reply.url);
                Self::Status { reply }
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
            Self::NoOverlap { date_added } => Self::NoOverlap { date_added: clean(date_added) },
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
            Self::Status { reply } => status::about(reply.status).repeatable,
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
            Self::Status { reply } => Some(reply.status),
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
