//! URLs: what of them goes over the wire.
//!
//! Of an `http` URL everything does, but for the fragment and a user name: host and port in the `Host` field, path and
//! query in the request line. Of an `https` URL only the host does.

use crate::{
    diagnostic::Code,
    plan::{
        LikePart, LikePattern, Operator, Test, UrlParts, Value, ValueKind,
        adapt::{NO_OPERATOR, NO_PLACE},
        fidelity::Fidelity,
        value::Host,
    },
};

use super::{
    fragment::{FORM, Fragment, FragmentResult, Refused, no_operator, no_value},
    request::Target,
    signature::Match,
    text::{Keyword, RuleText},
};

/// An encrypted part of a URL.
pub const ENCRYPTED: Code = Code("L121");
/// A part of the URL that is not sent as part of it.
pub const PARTS: Code = Code("L124");

const CLEAR: &str = "of an https URL only the host, where it is a name, goes over the wire in the clear";

/// The request for each URL of `test`, as a client sends it to the server itself.
pub fn lower_test(test: &Test) -> FragmentResult {
    if test.operator == Operator::Like && !test.negated {
        return lower_like(test);
    }
    let urls = urls(test)?;
    if let Some(other) = urls.iter().find(|url| !matches!(url.scheme.as_str(), "http" | "https" | "")) {
        return Err(no_value(format!("Suricata sees no URLs of the scheme '{}'", other.scheme)));
    }
    let (hidden, shown): (Vec<&UrlParts>, Vec<&UrlParts>) = urls.into_iter().partition(|url| url.scheme == "https");
    if shown.is_empty() {
        return Err((ENCRYPTED, CLEAR.to_owned()));
    }
    let guessed = shown.iter().find(|url| url.scheme.is_empty()).map(|url| {
        (PARTS, Fidelity::NARROWER, format!("'{}' has no scheme: only requests without TLS are seen", url.text))
    });
    let hidden = (!hidden.is_empty()).then(|| {
        let message = format!("{} https URLs are left out: their paths are encrypted", hidden.len());
        (ENCRYPTED, Fidelity::NARROWER, message)
    });
    let unsaid = shown.iter().find(|url| url.has_userinfo || url.has_fragment).map(|url| {
        let what = if url.has_userinfo { "the user name" } else { "the fragment" };
        (PARTS, Fidelity::BROADER, format!("{what} of '{}' is not sent as part of it", url.text))
    });
    let mut options = Vec::with_capacity(shown.len());
    let mut unresolved = None;
    for url in shown {
        let target = Target::whole(&url.target)?;
        unresolved = unresolved.or_else(|| (!target.is_resolved).then(|| spelled(&url.text)));
        options.extend(target.at(&url.host, url.port).into_iter().map(|asked| asked.naming(&url.text)));
    }
    let losses = [hidden, guessed, unsaid, unresolved].into_iter().flatten();
    let loss = losses.reduce(|(code, one, why), (_, other, more)| (code, one | other, format!("{why}; {more}")));
    Ok((Fragment::Options(options), loss))
}

/// What is lost where a path is looked for as it is written.
fn spelled(url: &str) -> (Code, Fidelity, String) {
    (FORM, Fidelity::NARROWER, format!("the path of '{url}' is only seen as it is written, not in other spellings"))
}

/// URLs that are like a pattern with a scheme and a path: what the host is like, and what the path is like.
fn lower_like(test: &Test) -> FragmentResult {
    let mut options = Vec::with_capacity(test.values.len());
    let (mut split, mut unresolved) = (None, None);
    for value in &test.values {
        let unclear = || (NO_OPERATOR, format!("{value} does not tell the host from the path"));
        let ValueKind::Like(pattern) = &value.kind else { return Err(unclear()) };
        let (scheme, rest) = LikePart::split_once(pattern.parts(), "://").ok_or_else(unclear)?;
        let [LikePart::Text(scheme)] = scheme.as_slice() else { return Err(unclear()) };
        if scheme.eq_ignore_ascii_case("https") {
            return Err((ENCRYPTED, CLEAR.to_owned()));
        }
        let (authority, path) = LikePart::split_once(&rest, "/").ok_or_else(unclear)?;
        let has_userinfo = authority.iter().any(|part| matches!(part, LikePart::Text(text) if text.contains('@')));
        if !scheme.eq_ignore_ascii_case("http") || has_userinfo {
            return Err(unclear());
        }
        let target = LikePattern::from_parts([LikePart::Text("/".to_owned())].into_iter().chain(path));
        let target = Target::like(&target)?;
        unresolved = unresolved.or_else(|| (!target.is_resolved).then(|| spelled(pattern.text())));
        match authority.as_slice() {
            [] => return Err(unclear()),
            [LikePart::Text(authority)] => {
                let (host, port) = Host::parse_with_port(authority).ok_or_else(unclear)?;
                options.extend(target.at(&host, port));
            }
            _ => {
                let why = "a % in the host stands for a part of the host, not of the path".to_owned();
                split = Some((PARTS, Fidelity::NARROWER, why));
                options.push(target.at_like(&LikePattern::from_parts(authority))?);
            }
        }
    }
    let loss = split.or(unresolved);
    Ok((Fragment::Options(options), loss))
}

/// The server name of each URL of `test`: the host alone, with `drop_path` also of URLs that name a page of it.
pub fn lower_host(buffer: &Keyword, drop_path: bool, test: &Test) -> FragmentResult {
    if test.operator != Operator::Equal {
        return Err((NO_PLACE, "a server name has no path".to_owned()));
    }
    let mut options = Vec::new();
    for url in urls(test)? {
        if url.scheme != "https" {
            return Err((NO_PLACE, "no server name is sent for it".to_owned()));
        }
        let encrypted = || (ENCRYPTED, CLEAR.to_owned());
        let Host::Domain(name) = &url.host else { return Err(encrypted()) };
        let whole_host = url.target == "/" && !url.has_userinfo && !url.has_fragment && url.port.is_none();
        if !(whole_host || drop_path) {
            return Err(encrypted());
        }
        let buffer = RuleText::default().keyword(buffer).word("; ");
        options.push(Match::whole(buffer, name.as_str().as_bytes(), true, false));
    }
    let why = "every page of the host is seen, for the path is encrypted".to_owned();
    Ok((Fragment::Options(options), Some((ENCRYPTED, Fidelity::BROADER, why))))
}

fn urls(test: &Test) -> Result<Vec<&UrlParts>, Refused> {
    if test.operator != Operator::Equal || test.negated || test.values.is_empty() {
        return Err(no_operator(test, "a URL"));
    }
    let url = |value| match value {
        &Value { kind: ValueKind::Url(ref url), .. } => Ok(&**url),
        other => Err(no_value(format!("{other} is no URL that a client can request"))),
    };
    test.values.iter().map(url).collect()
}
