//! Names and URLs.

use super::{
    Ends, Object, Way,
    payload::{Exchanged, Payload},
    text,
};
use crate::{plan::DomainName, witness::capture::http::VERSION};

/// A name is asked for, connected to with TLS, and requested from; each in small letters and in capitals, since names
/// ignore case (RFC 4343) and clients send what they are given.
pub(super) fn domain(object: &Object) -> Option<Vec<Way>> {
    let name = DomainName::parse(text(object, "value")?)?;
    let small = name.as_str().to_owned();
    let capitals = small.to_ascii_uppercase();
    let mut ways = Vec::new();
    for (over_tcp, name) in [(false, &small), (true, &capitals), (false, &capitals)] {
        ways.push(Way::new(Payload::Query { name: name.clone(), over_tcp }));
    }
    ways.extend(hello(&small, Ends::default()));
    ways.extend(request(&small, Ends::default()));
    Some(ways)
}

/// The server name of a TLS session.
pub(super) fn hello(name: &str, ends: Ends) -> Vec<Way> {
    let hello = |name: String| Way { ends, payload: Payload::Tls { name, certificate: None } };
    vec![hello(name.to_ascii_lowercase()), hello(name.to_ascii_uppercase())]
}

/// Requests from a host; the port stands behind its name where it is not the usual one (RFC 9110, section 7.2).
pub(super) fn request(name: &str, ends: Ends) -> Vec<Way> {
    let other = Ends { server_port: Some(ends.server_port.unwrap_or(8080)), ..ends };
    let get = |name: String, ends: Ends| Way {
        ends,
        payload: Payload::get(&with_port(&name, ends.server_port.unwrap_or(80)), "/"),
    };
    vec![get(name.to_ascii_lowercase(), ends), get(name.to_ascii_uppercase(), other)]
}

fn with_port(host: &str, port: u16) -> String {
    if port == 80 { host.to_owned() } else { format!("{host}:{port}") }
}

/// A URL is requested as a client reads it (WHATWG URL): the fragment and the user stay at home. Without a scheme it may
/// be visited either way.
pub(super) fn url(object: &Object) -> Option<Vec<Way>> {
    let written = text(object, "value")?;
    if written.contains("://") {
        return url::Url::parse(written).ok().map(|url| visit(&url));
    }
    let both = ["http", "https"].map(|scheme| url::Url::parse(&format!("{scheme}://{written}")).ok());
    Some(both.into_iter().collect::<Option<Vec<_>>>()?.iter().flat_map(visit).collect())
}

fn visit(url: &url::Url) -> Vec<Way> {
    let Some(host) = url.host() else { return Vec::new() };
    let address = match host {
        url::Host::Ipv4(address) => Some(address.into()),
        url::Host::Ipv6(address) => Some(address.into()),
        url::Host::Domain(_) => None,
    };
    let ends = Ends { server: address, server_port: url.port(), ..Ends::default() };
    let host = host.to_string();
    match (url.scheme(), address) {
        ("https", None) => hello(&host, ends),
        // No server name is sent for an address (RFC 6066, section 3).
        ("https", Some(_)) => vec![Way { ends, payload: Payload::connection() }],
        ("http", _) => {
            let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
            let host = with_port(&host, url.port().unwrap_or(80));
            let get = |host: String| Way { ends, payload: Payload::get(&host, &target) };
            // A proxy is asked for the whole of it (RFC 9112, section 3.2.2).
            let proxy = Ends { server: None, server_port: Some(3128), ..ends };
            let whole = Way { ends: proxy, payload: Payload::get(&host, &format!("http://{host}{target}")) };
            // A path may be spelled with steps that lead nowhere (RFC 3986, section 6.2.2.3); Suricata sees none in `/./`.
            let spelled = Way { ends, payload: Payload::get(&host, &format!("/.{target}")) };
            let spelled = (url.path() != "/").then_some(spelled);
            [get(host.clone()), get(host.to_ascii_uppercase()), whole].into_iter().chain(spelled).collect()
        }
        _ => Vec::new(),
    }
}

impl Way {
    /// Between any two ends.
    pub(super) fn new(payload: Payload) -> Self {
        Self { ends: Ends::default(), payload }
    }
}

impl Payload {
    /// The request of a page.
    pub(super) fn get(host: &str, target: &str) -> Self {
        Self::answered(host, target, Vec::new(), Vec::new())
    }

    /// The request of a page, and what comes back.
    pub(super) fn answered(host: &str, target: &str, answer_headers: Vec<(String, String)>, answer: Vec<u8>) -> Self {
        Self::Http(Box::new(Exchanged {
            method: "GET".to_owned(),
            target: target.to_owned(),
            version: VERSION.to_owned(),
            headers: vec![("Host".to_owned(), host.to_owned())],
            body: Vec::new(),
            answer_headers,
            answer,
        }))
    }
}
