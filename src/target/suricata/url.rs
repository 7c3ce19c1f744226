//! URLs: what of them goes over the wire.
//!
//! Of an `http` URL everything does, but for the fragment and a user name: host and port in the `Host` field, path and
//! query in the request line. Of an `https` URL only the host does.

use crate::{
    diagnostic::Code,
    plan::{Operator, Test, UrlParts, Value, ValueKind, fidelity::Fidelity, value::Host},
};

use super::{
    buffer::{LONGEST, TOO_LONG},
    held::{Held, Piece, no_operator, no_value},
    text::{Keyword, RuleText},
};

/// What the pattern asks for is encrypted.
pub const ENCRYPTED: Code = Code("L121");
/// A part of the URL that is not sent as part of it.
pub const PARTS: Code = Code("L124");

/// The request for each URL of `test`, as a client sends it to the server itself.
pub fn hold(test: &Test) -> Piece {
    let urls = urls(test)?;
    let mut options = Vec::with_capacity(urls.len());
    let (mut hidden, mut unsaid, mut guessed) = (0_usize, None, None);
    for url in &urls {
        match url.scheme.as_str() {
            "http" => {}
            "" => guessed = Some(*url),
            "https" => {
                hidden += 1;
                continue;
            }
            other => return Err(no_value(format!("Suricata sees no URLs of the scheme '{other}'"))),
        }
        if url.has_userinfo || url.has_fragment {
            unsaid = Some(*url);
        }
        options.push(request(url)?);
    }
    if options.is_empty() {
        return Err((ENCRYPTED, "of an https URL only the host goes over the wire in the clear".to_owned()));
    }
    let hidden = (hidden > 0).then(|| {
        (ENCRYPTED, Fidelity::NARROWER, format!("{hidden} https URLs are left out: their paths are encrypted"))
    });
    let unsaid = unsaid.map(|url| {
        let what = if url.has_userinfo { "the user name" } else { "the fragment" };
        (PARTS, Fidelity::BROADER, format!("{what} of '{}' is not sent as part of it", url.text))
    });
    let guessed = guessed.map(|url| {
        (PARTS, Fidelity::NARROWER, format!("'{}' has no scheme: only requests without TLS are seen", url.text))
    });
    let losses = [hidden, unsaid, guessed].into_iter().flatten();
    let loss = losses.reduce(|(code, one, why), (_, other, more)| (code, one | other, format!("{why}; {more}")));
    Ok((Held::Options(options), loss))
}

/// The server name of each URL of `test`: the host alone, with `drop_path` also of URLs that name a page of it.
pub fn hold_host(buffer: &Keyword, drop_path: bool, test: &Test) -> Piece {
    let mut options = Vec::new();
    for url in urls(test)? {
        let encrypted =
            |why: &str| (ENCRYPTED, format!("of an https URL only the host goes over the wire in the clear{why}"));
        let Host::Domain(name) = &url.host else { return Err(encrypted(", and that only where it is a name")) };
        let whole_host = url.target == "/" && !url.has_userinfo && !url.has_fragment && url.port.is_none();
        if url.scheme != "https" || !(whole_host || drop_path) {
            return Err(encrypted(""));
        }
        let name = name.as_str().as_bytes();
        let option = RuleText::default().keyword(buffer).word("; content:").content(name);
        options.push(option.word("; nocase; bsize:").number(name.len() as u64).word("; "));
    }
    let why = "every page of the host is seen, for the path is encrypted".to_owned();
    Ok((Held::Options(options), Some((ENCRYPTED, Fidelity::BROADER, why))))
}

fn urls(test: &Test) -> Result<Vec<&UrlParts>, (Code, String)> {
    if test.operator != Operator::Equal || test.negated || test.values.is_empty() {
        return Err(no_operator(test, "a URL"));
    }
    let url = |value| match value {
        &Value { kind: ValueKind::Url(ref url), .. } => Ok(&**url),
        other => Err(no_value(format!("{other} is no URL that a client can request"))),
    };
    test.values.iter().map(url).collect()
}

/// `Host` has the port where it is not that of the scheme (RFC 9110, section 7.2).
fn request(url: &UrlParts) -> Result<RuleText, (Code, String)> {
    let host = match url.port {
        Some(port) => format!("{}:{port}", url.host),
        None => url.host.to_string(),
    };
    if url.target.len() > LONGEST {
        return Err((TOO_LONG, format!("a path of {} bytes: a rule holds {LONGEST} at most", url.target.len())));
    }
    let host_option = RuleText::new("http.host.raw; content:").content(host.as_bytes()).word("; nocase; bsize:");
    let option = host_option.number(host.len() as u64).word("; http.uri.raw; content:").content(url.target.as_bytes());
    Ok(option.word("; bsize:").number(url.target.len() as u64).word("; "))
}
