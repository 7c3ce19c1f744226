//! Whether a ready-made rule is about anything that not all traffic has.

use ipnet::IpNet;

use super::{bits, keywords::Keywords, syntax::Outline};
use crate::{
    guard::{Width, breadth::required_text},
    plan::{Regex, value::parse_address},
};

/// So many bytes that have to occur are content; one is in all traffic.
const LEAST: usize = 2;

/// Whether a rule names something: an address, content, or a bit, for a rule that sets one names something itself.
pub(super) fn names(outline: &Outline<'_>) -> bool {
    let [_, source, _, _, destination, _] = outline.header;
    end_names(source)
        || end_names(destination)
        || outline.options.iter().any(|&(name, value)| option_names(name, value))
}

/// Whether the addresses of one end are somebody's: one of several that is nearly everybody's is enough to fire at all.
fn end_names(word: &str) -> bool {
    if word.contains("![") {
        return false;
    }
    let parts = word.split(['[', ']', ',']).map(str::trim).filter(|part| !part.is_empty() && !part.starts_with('!'));
    let nets: Option<Vec<IpNet>> = parts.map(parse_address).collect();
    nets.is_some_and(|nets| !nets.is_empty() && nets.iter().all(|net| Width::DETECTING.allows(*net)))
}

fn option_names(name: &str, value: &str) -> bool {
    let keywords = Keywords::shipped();
    match name {
        "content" | "uricontent" => {
            content(value).is_some_and(|bytes| bytes.len() >= LEAST && !keywords.is_everyday(&bytes))
        }
        "pcre" => expression(value).is_some_and(|text| required_text(&Regex::parse(text)).len() >= LEAST),
        // What stands in front of content has no value.
        _ => {
            !value.starts_with('!') && keywords.names(name, value) || bits::of(name, value).is_some_and(|one| one.asks)
        }
    }
}

/// The bytes that have to occur; `None` where they must not.
fn content(value: &str) -> Option<Vec<u8>> {
    let text = value.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(text.len());
    // Every second piece between bars is hexadecimal.
    for (number, piece) in text.split('|').enumerate() {
        if number % 2 == 1 {
            bytes.extend(piece.split_whitespace().filter_map(|digits| u8::from_str_radix(digits, 16).ok()));
            continue;
        }
        let mut characters = piece.bytes();
        while let Some(byte) = characters.next() {
            bytes.extend(if byte == b'\\' { characters.next() } else { Some(byte) });
        }
    }
    Some(bytes)
}

/// The expression between the slashes; `None` where it must not match.
fn expression(value: &str) -> Option<&str> {
    value.strip_prefix("\"/")?.rsplit_once('/').map(|(expression, _)| expression)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::suricata::native::syntax::outline;

    fn is_about(header: &str, options: &str) -> bool {
        names(&outline(&format!("alert {header} (msg:\"a\"; {options}sid:1;)")).unwrap())
    }

    #[test]
    fn addresses_name_where_none_of_them_is_nearly_all() {
        for (ends, expected) in [
            ("any any -> [192.0.2.1, 192.0.2.2] any", true),
            ("[192.0.2.0/24,!192.0.2.7] any -> any any", true),
            ("any any -> 2001:db8::1 any", true),
            ("any any -> 0.0.0.0/0 any", false),
            ("any any -> [0.0.0.0/1,128.0.0.0/1] any", false),
            ("any any -> [192.0.2.1,1.0.0.0/7] any", false),
            ("any any -> ::/1 any", false),
            ("any any -> ![192.0.2.1,192.0.2.2] any", false),
            ("$HOME_NET any -> !192.0.2.1 any", false),
            ("any any -> $EXTERNAL_NET 443", false),
        ] {
            assert_eq!(is_about(&format!("ip {ends}"), ""), expected, "{ends}");
        }
    }

    #[test]
    fn content_names_where_not_all_traffic_has_it() {
        for (options, expected) in [
            (r#"dns.query; content:"evil.example"; "#, true),
            (r#"http.uri; content:"/d"; "#, true),
            (r#"content:"|de ad|"; "#, true),
            (r#"pcre:"/evil[0-9]/i"; "#, true),
            (r#"tls.fingerprint:"00:11"; "#, true),
            ("flowbits:isset,a; ", true),
            ("flowbits:isnotset,a; ", false),
            (r#"dns.query; content:"."; "#, false),
            (r#"content:"|2e|"; "#, false),
            (r#"content:"\;"; "#, false),
            (r#"content:!"zzzzzz"; "#, false),
            (r#"http.method; content:"GET"; "#, false),
            (r#"http.user_agent; content:"mozilla/5.0"; "#, false),
            (r#"tls.sni; content:".com"; endswith; "#, false),
            (r#"pcre:"/./"; "#, false),
            (r#"pcre:"/evil|/"; "#, false),
            (r#"pcre:!"/evil/"; "#, false),
            ("tls.version:1.2; ", false),
            ("http.uri; dsize:>5; ", false),
        ] {
            assert_eq!(is_about("tcp any any -> any any", options), expected, "{options}");
        }
    }
}
