//! The address a user gives, and where a request may go.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::TaxiiError;

/// Query names that carry keys in the wild. A URL is logged by every hop, so none of these is ever accepted.
const SECRET_NAMES: [&str; 20] = [
    "accesskey",
    "accesstoken",
    "apikey",
    "apitoken",
    "appkey",
    "auth",
    "authkey",
    "authtoken",
    "clientsecret",
    "jwt",
    "key",
    "password",
    "pwd",
    "secret",
    "sig",
    "signature",
    "subscriptionkey",
    "token",
    "xamzsignature",
    "xgoogsignature",
];

/// What a user's URL points at, told by its path alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A collection of an API root: `…/collections/ID/` or `…/collections/ID/objects/`.
    Collection {
        /// The API root.
        root: Url,
        /// The collection's id.
        id: String,
    },
    /// An API root whose collections were named: `…/collections/`.
    ApiRoot(Url),
    /// An API root or a discovery resource: only the server knows.
    Unknown(Url),
}

impl Address {
    /// Reads `text`, adds the final slash that all TAXII paths have, and turns a bare host into its discovery URL
    /// (`/taxii2/`, TAXII 2.1 section 4.1).
    ///
    /// # Errors
    /// [`TaxiiError::InvalidUrl`] for what is not an HTTP URL or has a query, [`TaxiiError::SecretInUrl`] for one with
    /// a user, a password or a key in it. Neither shows the URL, since what stands in it may be secret.
    pub(super) fn parse(text: &str) -> Result<Self, TaxiiError> {
        let mut url = without_secret(text)?;
        if url.query().is_some_and(|query| !query.is_empty()) {
            return Err(invalid("has a query, which no TAXII resource has".to_owned()));
        }
        url.set_query(None);
        url.set_fragment(None);
        if url.path() == "/" {
            url.set_path("/taxii2/");
        } else if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self::classify(url))
    }

    fn classify(url: Url) -> Self {
        let segments: Vec<&str> = url.path_segments().into_iter().flatten().filter(|part| !part.is_empty()).collect();
        match segments.as_slice() {
            [root @ .., "collections", id, "objects"] | [root @ .., "collections", id] => {
                let root = root.join("/");
                let id = percent_decoded(id);
                Self::Collection { root: with_path(&url, &root), id }
            }
            [root @ .., "collections"] => Self::ApiRoot(with_path(&url, &root.join("/"))),
            _ => Self::Unknown(url),
        }
    }

    /// The URL that stands for the whole server.
    pub(super) fn url(&self) -> &Url {
        match self {
            Self::Collection { root, .. } | Self::ApiRoot(root) | Self::Unknown(root) => root,
        }
    }
}

/// Whether a client may ask at this URL: it is one of the web, and nothing in it is a secret.
///
/// # Errors
/// [`TaxiiError::InvalidUrl`] or [`TaxiiError::SecretInUrl`]; neither shows the URL.
///
/// ```
/// use stixc::source::taxii::check_url;
/// assert!(check_url("https://feed.example/taxii2/").is_ok());
/// assert!(check_url("https://user:secret@feed.example/").is_err());
/// ```
pub fn check_url(text: &str) -> Result<(), TaxiiError> {
    without_secret(text).map(drop)
}

/// The URL `text`, if it is one of the web and nothing in it is a secret. Neither error shows it.
pub(super) fn without_secret(text: &str) -> Result<Url, TaxiiError> {
    let url = Url::parse(text.trim()).map_err(|error| invalid(format!("can't be read: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid(format!("starts with `{}:`, not with `https:`", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TaxiiError::SecretInUrl { part: "a user or a password".to_owned() });
    }
    match secret_parameter(&url) {
        Some(name) => Err(TaxiiError::SecretInUrl { part: format!("the parameter `{name}`") }),
        None => Ok(url),
    }
}

fn invalid(reason: String) -> TaxiiError {
    TaxiiError::InvalidUrl { reason }
}

fn secret_parameter(url: &Url) -> Option<String> {
    let letters = |name: &str| name.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
    url.query_pairs().map(|(name, _)| name).find(|name| SECRET_NAMES.contains(&letters(name).as_str())).map(Into::into)
}

fn with_path(url: &Url, path: &str) -> Url {
    let mut url = url.clone();
    url.set_path(&if path.is_empty() { "/".to_owned() } else { format!("/{path}/") });
    url
}

fn percent_decoded(segment: &str) -> String {
    // A form decoder would also turn `+` into a space, so that one is kept out of its sight.
    let escaped = format!("i={}", segment.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(escaped.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// `root` with `segments` and a final slash after it; each segment is escaped.
pub(super) fn below(root: &Url, segments: &[&str]) -> Url {
    let mut url = root.clone();
    // Only a URL that can't be a base has no segments, and none such passes `Address::parse`.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments).push("");
    }
    url
}

/// The objects resource of the collection `id` below `root`.
pub(super) fn objects_url(root: &Url, id: &str) -> Url {
    below(root, &["collections", id, "objects"])
}

/// Whether what is sent to `from` may be sent to `to` as well: the same origin, or the same host by TLS instead of
/// plain HTTP.
pub(super) fn same_server(from: &Url, to: &Url) -> bool {
    from.origin() == to.origin() || (from.host() == to.host() && from.scheme() == "http" && to.scheme() == "https")
}

/// Whether the host is this machine, where plain HTTP can't be overheard.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => Ipv4Addr::is_loopback(&address),
        Some(Host::Ipv6(address)) => Ipv6Addr::is_loopback(&address),
        None => false,
    }
}

/// The URL without user, query and fragment: all that a message may show.
pub(super) fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn the_path_tells_what_it_can() {
        let collection = |root, id: &str| Address::Collection { root: url(root), id: id.to_owned() };
        for (text, expected) in [
            ("https://feed.example/api", Address::Unknown(url("https://feed.example/api/"))),
            ("https://feed.example", Address::Unknown(url("https://feed.example/taxii2/"))),
            ("https://feed.example/api/collections", Address::ApiRoot(url("https://feed.example/api/"))),
            ("https://feed.example/a/b/collections/all-iocs/", collection("https://feed.example/a/b/", "all-iocs")),
            ("https://feed.example/a/collections/x%20y/objects", collection("https://feed.example/a/", "x y")),
            ("https://feed.example/collections/a+b/", collection("https://feed.example/", "a+b")),
            (" http://[::1]:9000/taxii2/#top ", Address::Unknown(url("http://[::1]:9000/taxii2/"))),
        ] {
            assert_eq!(Address::parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn secrets_in_the_url_are_refused_and_not_repeated() {
        for text in [
            "https://hidden@feed.example/",
            "https://:hidden@feed.example/",
            "https://feed.example/?api_key=hidden",
            "https://feed.example/?limit=1&API-Key=hidden",
            "https://feed.example/?access_token=hidden",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(matches!(error, TaxiiError::SecretInUrl { .. }), "{text}: {error}");
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }

    #[test]
    fn other_things_are_refused() {
        for text in
            ["", "feed.example/api", "ftp://feed.example/", "file:///etc/passwd", "https://feed.example/?a=hidden"]
        {
            let error = Address::parse(text).unwrap_err();
            assert!(matches!(error, TaxiiError::InvalidUrl { .. }), "{text}: {error}");
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }

    #[test]
    fn ids_are_escaped_into_the_path() {
        let root = url("https://feed.example/api/");
        let made = objects_url(&root, "a/b?c d");
        assert_eq!(made.as_str(), "https://feed.example/api/collections/a%2Fb%3Fc%20d/objects/");
    }

    #[test]
    fn servers() {
        let same = |from, to| same_server(&url(from), &url(to));
        assert!(same("https://a.example/x", "https://a.example:443/y"));
        assert!(same("http://a.example/", "https://a.example/"));
        assert!(!same("https://a.example/", "http://a.example/"));
        assert!(!same("https://a.example/", "https://www.a.example/"));
        assert!(!same("https://a.example/", "https://a.example:8443/"));
        for (text, expected) in [
            ("http://127.0.0.9/", true),
            ("http://[::1]/", true),
            ("http://localhost/", true),
            ("http://192.0.2.1/", false),
        ] {
            assert_eq!(is_loopback(&url(text)), expected, "{text}");
        }
        assert_eq!(shown(&url("https://a.example/x/?next=y#z")), "https://a.example/x/");
    }
}
