//! URLs.

use super::{Check, codes::WILDCARD, literal, name, test::Test};
use crate::{
    diagnostic::Code,
    pattern::Literal,
    plan::{UrlParts, lower, value::parse_address},
};

/// A URL without scheme.
pub const NO_SCHEME: Code = Code("W109");

/// A host that is a number, which some programs read as an address.
pub const NUMBER_AS_ADDRESS: Code = Code("W127");

/// Checks a URL.
pub(super) fn check(check: &mut Check<'_>, test: &Test<'_, '_>, literal: &Literal<'_>, text: &str) {
    if name::is_defanged(text) {
        return name::defanged(check, literal, text);
    }
    if text.starts_with('*') || text.ends_with('*') || text.starts_with('%') {
        let message = "`=` knows no wildcards: this is the very text with that character in it";
        return check.warning(WILDCARD, literal.span, message, "write LIKE with % for any text");
    }
    if let Some(address) = UrlParts::number_as_address(text) {
        let message = format!("the host is no address as it is written, and some programs read {address} from it");
        let help = "write the address in four parts without leading zeros";
        return check.warning(NUMBER_AS_ADDRESS, literal.span, message, help);
    }
    if !has_scheme(text) && !is_read_as_host(test, text) {
        let help = match parse_address(text) {
            Some(_) => "compare a prefix with ipv4-addr:value or ipv6-addr:value".to_owned(),
            None => format!("write {}", literal::written(&format!("http://{text}"))),
        };
        check.warning(NO_SCHEME, literal.span, "a URL begins with its scheme", help);
    }
}

/// Whether lowering reads the value as a host, and says so ([`lower::URL_IS_A_HOST`]).
fn is_read_as_host(test: &Test<'_, '_>, text: &str) -> bool {
    test.positive && lower::is_bare_host(text) && test.resolved.path == "url:value"
}

/// `scheme:` (RFC 3986, section 3.1). A host with a port looks like it: a scheme with a dot is none that is used.
fn has_scheme(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let port = rest.split('/').next().unwrap_or(rest);
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    scheme.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-'))
        && !is_port
}

#[cfg(test)]
mod tests {
    use super::has_scheme;

    #[test]
    fn a_port_is_not_a_scheme() {
        for good in ["http://a.example", "mailto:a@b.example", "data:,x", "tcp://192.0.2.1:80", "magnet:?xt=1"] {
            assert!(has_scheme(good), "{good}");
        }
        for bad in ["www.example.com/a", "a.example:80/x", "host:8080", "/path", "", "http"] {
            assert!(!has_scheme(bad), "{bad}");
        }
    }
}
