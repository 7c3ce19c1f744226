//! Typed values: what a literal stands for once the property says how to read it.

use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, Ipv4Addr},
    str::FromStr,
};

use ipnet::IpNet;

use super::{LikePattern, Regex};
use crate::{hex, span::Span};

/// A value and where it stands in the pattern.
#[derive(Debug, Clone)]
pub struct Value {
    /// The value.
    pub kind: ValueKind,
    /// Its literal in the pattern's text.
    pub span: Span,
}

/// The kinds of values.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueKind {
    /// Text.
    Text(String),
    /// A pattern of LIKE.
    Like(LikePattern),
    /// A regular expression of MATCHES.
    Regex(Regex),
    /// An address (a prefix of full length) or a prefix without host bits.
    Address(IpNet),
    /// A DNS name.
    Domain(DomainName),
    /// A URL.
    Url(Box<UrlParts>),
    /// A hash in lower-case hexadecimal.
    Hash(Hash),
    /// An integer.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// A truth value.
    Boolean(bool),
    /// An instant, RFC 3339 in UTC, as written.
    Timestamp(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl ValueKind {
    /// Whether it is text that nothing more is known of, or a pattern of such text.
    #[must_use]
    pub fn is_plain_text(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Like(_) | Self::Regex(_))
    }

    /// The text of a property that is equal to the value, or the text of a pattern; `None` for what is no text.
    #[must_use]
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Text(text) => text.into(),
            Self::Like(pattern) => pattern.text().into(),
            Self::Regex(regex) => regex.text().into(),
            Self::Address(net) if net.prefix_len() == net.max_prefix_len() => net.addr().to_string().into(),
            Self::Address(net) => net.to_string().into(),
            Self::Domain(name) => name.as_str().into(),
            Self::Url(url) => url.text.as_str().into(),
            Self::Hash(hash) => hash.hex().into(),
            _ => return None,
        })
    }
}

/// A DNS name as it goes over the wire: lower-case A-labels, no final dot (RFC 1035, RFC 5890).
///
/// The only way to make one is [`DomainName::parse`], which lets nothing through but letters, digits, `-`, `_` and dots.
///
/// ```
/// use stixc::plan::DomainName;
/// assert_eq!(DomainName::parse("BÜRO.example.").unwrap().as_str(), "xn--bro-hoa.example");
/// assert!(DomainName::parse("evil.example/path").is_none());
/// assert!(DomainName::parse("203.0.113.9").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DomainName(Box<str>);

impl DomainName {
    /// Reads a name; `None` where `text` is none, an address included.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let plain =
            |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
        let name: Box<str> = if text.as_bytes().iter().all(plain) && !text.contains("xn--") {
            text.into()
        } else {
            // UTS 46 refuses the underscore only where a caller asks for STD3 rules; this call does not.
            idna::domain_to_ascii(text).ok()?.into()
        };
        (name.len() <= 253 && name.as_bytes().iter().all(plain) && name.split('.').all(is_label) && !is_numeric(&name))
            .then_some(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}

/// Resolvers read a name whose last label is a number as an address, also where the number is hexadecimal.
fn is_numeric(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let digits = last.strip_prefix("0x");
    last.bytes().all(|byte| byte.is_ascii_digit())
        || digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl fmt::Display for DomainName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The host of a URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// A name.
    Domain(DomainName),
    /// An address.
    Address(IpAddr),
}

impl Host {
    /// Reads what stands between the slashes of a URL: a host, and perhaps a port behind a colon.
    ///
    /// ```
    /// use stixc::plan::value::Host;
    /// let (host, port) = Host::parse_with_port("[2001:db8::1]:8080").unwrap();
    /// assert_eq!((host.to_string().as_str(), port), ("[2001:db8::1]", Some(8080)));
    /// assert!(Host::parse_with_port("user@evil.example").is_none());
    /// ```
    #[must_use]
    pub fn parse_with_port(text: &str) -> Option<(Self, Option<u16>)> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
            _ => (text, None),
        };
        Some((Self::from_url(url::Host::parse(host).ok()?)?, port))
    }

    fn from_url(host: url::Host<impl AsRef<str>>) -> Option<Self> {
        Some(match host {
            // Schemes that the URL standard does not know leave an address as text.
            url::Host::Domain(name) => match IpAddr::from_str(name.as_ref()) {
                Ok(address) => Self::Address(address),
                Err(_) => Self::Domain(DomainName::parse(name.as_ref())?),
            },
            url::Host::Ipv4(address) => Self::Address(address.into()),
            url::Host::Ipv6(address) => Self::Address(address.into()),
        })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(name) => name.fmt(formatter),
            Self::Address(IpAddr::V4(address)) => address.fmt(formatter),
            Self::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]"),
        }
    }
}

/// A URL, as written and in its parts as a client would send them (WHATWG URL).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UrlParts {
    /// As the pattern writes it.
    pub text: String,
    /// `http`, `https`, …; empty where the text has none.
    pub scheme: String,
    /// The host.
    pub host: Host,
    /// The port, where one is written.
    pub port: Option<u16>,
    /// The path and query as sent, percent-encoded: `/a?b=1`. Never empty, without the fragment.
    pub target: String,
    /// Whether a user name or password is written; it never goes over the wire as part of the URL.
    pub has_userinfo: bool,
    /// Whether a fragment is written; it is never sent.
    pub has_fragment: bool,
}

impl UrlParts {
    /// Reads a URL, also one without a scheme (`evil.example/path`); `None` where `text` is none or has no usable host.
    ///
    /// ```
    /// use stixc::plan::UrlParts;
    /// let url = UrlParts::parse("http://EVIL.example:8080/a b?c#d").unwrap();
    /// assert_eq!((url.host.to_string().as_str(), url.port, url.target.as_str()), ("evil.example", Some(8080), "/a%20b?c"));
    /// assert!(UrlParts::parse("http://*:80/x").is_none());
    /// ```
    ///
    /// Only the dotted-quad form of IPv4 counts in a host: `http://010.0.0.1/` is 8.0.0.1 to some clients, 10.0.0.1 to others.
    ///
    /// ```
    /// use stixc::plan::UrlParts;
    /// assert!(UrlParts::parse("http://10.0.0.1/").is_some());
    /// assert!(["http://010.0.0.1/", "http://1.2/", "16909060", "0x01020304"].iter().all(|text| UrlParts::parse(text).is_none()));
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (parsed, has_scheme) = Self::read(text)?;
        let host = parsed.host()?;
        if number_read_as_address(text, &host).is_some() {
            return None;
        }
        let host = Host::from_url(host)?;
        let mut target = parsed.path().to_owned();
        if target.is_empty() {
            target.push('/');
        }
        if let Some(query) = parsed.query() {
            target.push('?');
            target.push_str(query);
        }
        Some(Self {
            text: text.to_owned(),
            scheme: if has_scheme { parsed.scheme().to_owned() } else { String::new() },
            host,
            port: parsed.port(),
            target,
            has_userinfo: !parsed.username().is_empty() || parsed.password().is_some(),
            has_fragment: parsed.fragment().is_some(),
        })
    }

    /// The URL as its standard reads it, and whether it has a scheme.
    fn read(text: &str) -> Option<(url::Url, bool)> {
        let has_scheme = Self::has_scheme(text);
        let parsed = if has_scheme { url::Url::parse(text) } else { url::Url::parse(&format!("http://{text}")) };
        // Behind a backslash some clients still read the user's name, and others the path.
        let rest = if has_scheme { text.split_once(':').map_or(text, |(_, rest)| rest) } else { text };
        let authority = rest.trim_start_matches(['/', '\\']).split(['/', '?', '#']).next().unwrap_or_default();
        Some((parsed.ok().filter(|_| !authority.contains('\\'))?, has_scheme))
    }

    /// Whether a URL has a scheme. Browsers need no slashes behind those that the standard knows, and a port is none.
    fn has_scheme(text: &str) -> bool {
        let Some((scheme, rest)) = text.split_once(':') else { return false };
        let is_known =
            ["http", "https", "ftp", "ws", "wss"].iter().any(|known| scheme.trim().eq_ignore_ascii_case(known));
        let is_port = rest.starts_with(|first: char| first.is_ascii_digit());
        (rest.starts_with("//") && !scheme.contains(['/', '?', '#'])) || (is_known && !is_port)
    }

    /// The address that clients read from a host that is a number in another form than four parts.
    pub(super) fn number_as_address(text: &str) -> Option<Ipv4Addr> {
        let (parsed, _) = Self::read(text)?;
        number_read_as_address(text, &parsed.host()?)
    }
}

fn number_read_as_address<S>(text: &str, host: &url::Host<S>) -> Option<Ipv4Addr> {
    let url::Host::Ipv4(address) = host else { return None };
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest).trim();
    let rest = rest.trim_start_matches(['/', '\\']);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let written = authority.rsplit('@').next().unwrap_or_default().split(':').next().unwrap_or_default();
    (written != address.to_string()).then_some(*address)
}

/// Hash algorithms of STIX's hash-algorithm-ov, and those that feeds add.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HashAlgorithm {
    /// 16 bytes.
    Md5,
    /// 20 bytes.
    Sha1,
    /// 32 bytes.
    Sha256,
    /// 64 bytes.
    Sha512,
}

impl HashAlgorithm {
    /// The algorithm behind a canonical hash key (`SHA-256`); `None` for those whose text has no fixed length.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Some(match key {
            "MD5" => Self::Md5,
            "SHA-1" => Self::Sha1,
            "SHA-256" => Self::Sha256,
            "SHA-512" => Self::Sha512,
            _ => return None,
        })
    }

    /// The name in lower case without a hyphen: `sha256`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Hexadecimal digits of a value.
    #[must_use]
    pub fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// A hash: only lower-case hexadecimal digits of the right number get in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash {
    algorithm: HashAlgorithm,
    hex: Box<str>,
}

impl Hash {
    /// Reads a hash in either case; `None` where the length or the alphabet is wrong.
    #[must_use]
    pub fn parse(algorithm: HashAlgorithm, text: &str) -> Option<Self> {
        (text.len() == algorithm.digits() && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| Self { algorithm, hex: text.to_ascii_lowercase().into() })
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// Lower-case hexadecimal.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// The digest itself.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        // Nothing but digits gets in.
        hex::decode(&self.hex).unwrap_or_default()
    }
}

/// The serial number of a certificate (RFC 5280, section 4.1.2.2) in hexadecimal digits in lower case with no zeros in
/// front: what `00:AB:cd:12`, `0xABCD12` and `abcd12` have in common. `None` for other text.
///
/// ```
/// use stixc::plan::serial_number;
/// assert_eq!(serial_number("00:AB:cd:12").as_deref(), Some("abcd12"));
/// assert_eq!(serial_number("000").as_deref(), Some("0"));
/// assert_eq!(serial_number("CN=evil.example"), None);
/// ```
#[must_use]
pub fn serial_number(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|sign| !matches!(sign, ':' | ' ' | '-')).collect();
    let digits = digits.strip_prefix("0x").unwrap_or(&digits).to_ascii_lowercase();
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = digits.trim_start_matches('0');
    is_number.then(|| if number.is_empty() { "0".to_owned() } else { number.to_owned() })
}

/// The same as pairs of capital digits, one for each byte, which is how engines show it.
///
/// ```
/// assert_eq!(stixc::plan::serial_octets("f:12").as_deref(), Some("0F12"));
/// ```
#[must_use]
pub fn serial_octets(text: &str) -> Option<String> {
    let digits = serial_number(text)?.to_ascii_uppercase();
    Some(if digits.len() % 2 == 1 { format!("0{digits}") } else { digits })
}

/// Whether a text is a MAC address: six pairs of hexadecimal digits, with colons or hyphens between them.
#[must_use]
pub fn is_mac(text: &str) -> bool {
    let mut parts = text.split([':', '-']);
    parts.clone().count() == 6 && parts.all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Reads an address or a prefix; host bits are cleared.
///
/// Only the dotted-quad form of IPv4 counts: octal, short and integer forms, which some engines read as other
/// addresses, are none.
#[must_use]
pub fn parse_address(text: &str) -> Option<IpNet> {
    if text.contains('/') {
        IpNet::from_str(text).ok().map(|net| net.trunc())
    } else {
        IpAddr::from_str(text).ok().map(IpNet::from)
    }
}
