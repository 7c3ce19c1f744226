//! What a ready-made rule is about that not all traffic has, for the guard to weigh.

use super::{bits, keywords::Keywords, syntax::Outline};
use crate::{
    guard::{Comparison, Evidence, breadth::required_text},
    plan::Regex,
};

/// So many bytes that have to occur are content; one is in all traffic.
const LEAST: usize = 2;
/// The property of the names in traffic.
const NAME: &str = "domain-name:value";

/// What has to be there for a rule to alert: addresses, content, or a bit, for a rule that sets one is weighed itself.
pub(super) fn evidence(outline: &Outline<'_>) -> Evidence {
    let [_, source, _, _, destination, _] = outline.header;
    let mut all = vec![end(source), end(destination)];
    let mut buffer = "";
    for (index, &(name, value)) in outline.options.iter().enumerate() {
        match name {
            "content" | "uricontent" => {
                let is_next = |name: &str| name == "content" || Keywords::shipped().is_buffer(name);
                let behind = outline.options[index + 1..].iter().take_while(|option| !is_next(option.0));
                let content = Content { value, buffer, behind: behind.map(|option| option.0).collect() };
                all.push(content.evidence());
            }
            "pcre" => all.push(expression(value, buffer)),
            _ if value.is_empty() && Keywords::shipped().is_buffer(name) => buffer = name,
            _ => all.push(option(name, value)),
        }
    }
    Evidence::All(all)
}

/// The addresses of one end: one of several that is nearly everybody's is enough to fire at all.
fn end(word: &str) -> Evidence {
    let nothing = || Evidence::Nothing("an end is nobody's address".to_owned());
    if word.contains("![") {
        return nothing();
    }
    let parts = word.split(['[', ']', ',']).map(str::trim).filter(|part| !part.is_empty() && !part.starts_with('!'));
    match parts.map(Evidence::address).collect::<Option<Vec<_>>>() {
        Some(tests) if !tests.is_empty() => Evidence::Any(tests),
        _ => nothing(),
    }
}

fn option(name: &str, value: &str) -> Evidence {
    let keywords = Keywords::shipped();
    let text = value.trim_matches('"');
    if !value.starts_with('!') && keywords.names(name, value) {
        return match keywords.property(name) {
            Some(path) => Evidence::test(path, Comparison::Like, &format!("%{}%", text.replace(['%', '_'], " "))),
            None => Evidence::Named,
        };
    }
    match bits::of(name, value) {
        Some(one) if one.asks => Evidence::Named,
        _ => Evidence::Nothing("what it asks of traffic holds of everybody's".to_owned()),
    }
}

/// Bytes that are looked for.
struct Content<'t> {
    value: &'t str,
    /// The buffer that was chosen in front of it.
    buffer: &'t str,
    /// The options behind it, up to the next content.
    behind: Vec<&'t str>,
}

impl Content<'_> {
    fn evidence(&self) -> Evidence {
        let keywords = Keywords::shipped();
        let Some(bytes) = bytes(self.value) else { return Evidence::Nothing("a negation names nobody".to_owned()) };
        if bytes.len() < LEAST || bytes.iter().all(|byte| *byte == bytes[0]) || keywords.is_everyday(&bytes) {
            return Evidence::Nothing(format!("all traffic has {}", self.value));
        }
        // The older keywords stand behind what they are about.
        let buffer = self.behind.iter().find(|name| keywords.property(name).is_some()).copied().unwrap_or(self.buffer);
        let text = String::from_utf8_lossy(&bytes);
        let has = |name| self.behind.contains(&name);
        match keywords.property(buffer) {
            Some("") => Evidence::Nothing(format!("{buffer} names nobody")),
            Some(NAME) => {
                let starts = has("startswith") || has("bsize") || text.starts_with('.');
                Evidence::name(NAME, &text, starts && !text.starts_with('.'), has("endswith") || has("bsize"))
            }
            // What is short but for this buffer is judged as content of any kind.
            Some(path) if bytes.len() >= 2 * LEAST => {
                Evidence::test(path, Comparison::Like, &format!("%{}%", text.replace(['%', '_'], " ")))
            }
            _ => match name_in(&bytes) {
                Some(name) => Evidence::name(NAME, &name, false, false),
                None => Evidence::Named,
            },
        }
    }
}

/// A name as the bytes of a packet have it: in text, in a header field, or as DNS sends it.
fn name_in(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes).trim().to_ascii_lowercase();
    let text = text.strip_prefix("host:").unwrap_or(&text).trim();
    let is_name = |name: &str| {
        let suffix = psl::Psl::suffix(&psl::List, name.trim_matches('.').as_bytes());
        name.contains('.') && suffix.is_some_and(|suffix| suffix.is_known())
    };
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)) && is_name(text) {
        return Some(text.to_owned());
    }
    let (mut labels, mut rest) = (Vec::new(), bytes);
    while let Some((&length, behind)) = rest.split_first().filter(|(length, _)| **length > 0) {
        labels.push(std::str::from_utf8(behind.get(..usize::from(length))?).ok()?);
        rest = behind.get(usize::from(length)..)?;
    }
    let name = labels.join(".").to_ascii_lowercase();
    is_name(&name).then_some(name)
}

/// The bytes that have to occur; `None` where they must not.
fn bytes(value: &str) -> Option<Vec<u8>> {
    let text = value.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(text.len());
    // Every second piece between bars is hexadecimal.
    for (number, piece) in text.split('|').enumerate() {
        if number % 2 == 1 {
            let digits: Vec<u8> = piece.bytes().filter(u8::is_ascii_hexdigit).collect();
            let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
            bytes.extend(digits.chunks(2).filter_map(pair));
            continue;
        }
        let mut characters = piece.bytes();
        while let Some(byte) = characters.next() {
            bytes.extend(if byte == b'\\' { characters.next() } else { Some(byte) });
        }
    }
    Some(bytes)
}

/// What an expression asks for: the text between the slashes.
fn expression(value: &str, buffer: &str) -> Evidence {
    let Some((expression, _)) = value.strip_prefix("\"/").and_then(|rest| rest.rsplit_once('/')) else {
        return Evidence::Nothing("a negation names nobody".to_owned());
    };
    match Keywords::shipped().property(buffer) {
        Some("") => Evidence::Nothing(format!("{buffer} names nobody")),
        Some(NAME) => Evidence::test(NAME, Comparison::Matches, expression),
        _ if required_text(&Regex::parse(expression)).len() >= LEAST => Evidence::Named,
        _ => Evidence::Nothing("the expression matches anything".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        guard::{Guard, Policy, Side, Weight},
        targets::suricata::native::syntax::outline,
    };

    /// The code of what the guard says; nothing where it lets a rule be.
    fn said(header: &str, options: &str) -> &'static str {
        let text = format!("alert {header} (msg:\"a\"; {options}sid:1;)");
        let evidence = evidence(&outline(&text).unwrap());
        match Policy::new(Guard::builtin(), "suricata", Side::Detecting).weigh(&evidence) {
            Weight::Full => "",
            Weight::Less(found) => found[0].code.0,
            Weight::None(found) => found.code.0,
        }
    }

    #[test]
    fn addresses_name_where_none_of_them_is_nearly_all() {
        for (ends, expected) in [
            ("any any -> [203.0.113.1, 203.0.113.2] any", ""),
            ("[203.0.113.0/24,!203.0.113.7] any -> any any", ""),
            ("any any -> 2001:db8::1 any", ""),
            ("any any -> 0.0.0.0/0 any", "G002"),
            ("any any -> [0.0.0.0/1,128.0.0.0/1] any", "G002"),
            ("any any -> [203.0.113.1,1.0.0.0/7] any", "G011"),
            ("any any -> ::/1 any", "G002"),
            ("any any -> ![203.0.113.1,203.0.113.2] any", "G030"),
            ("$HOME_NET any -> !203.0.113.1 any", "G030"),
            ("any any -> [$HOME_NET,203.0.113.1] any", "G030"),
            ("any any -> $EXTERNAL_NET 443", "G030"),
            ("8.8.8.8 any -> any any", "G004"),
            ("any any <> [8.8.8.8,1.1.1.1] any", "G004"),
            ("10.0.0.0/8 any -> 10.1.2.3 any", "G001"),
            ("10.0.0.0/8 any -> 203.0.113.9 any", ""),
        ] {
            assert_eq!(said(&format!("ip {ends}"), ""), expected, "{ends}");
        }
        assert_eq!(said("udp any any -> 8.8.8.8 53", "content:\"evil-name\"; "), "");
    }

    #[test]
    fn content_names_where_not_all_traffic_has_it() {
        for (options, expected) in [
            (r#"dns.query; content:"evil.example"; "#, ""),
            (r#"http.uri; content:"/d"; "#, ""),
            (r#"content:"|de ad|"; "#, ""),
            (r#"content:"|dead|"; "#, ""),
            (r#"pcre:"/evil[0-9]/i"; "#, ""),
            (r#"tls.fingerprint:"00:11"; "#, ""),
            ("flowbits:isset,a; ", ""),
            ("flowbits:isnotset,a; ", "G030"),
            (r#"dns.query; content:"."; "#, "G030"),
            (r#"content:"|2e|"; "#, "G030"),
            (r#"content:"|00 00 00 00 00|"; "#, "G030"),
            (r#"content:"\;"; "#, "G030"),
            (r#"content:!"zzzzzz"; "#, "G030"),
            (r#"http.method; content:"GET"; "#, "G030"),
            (r#"http.method; content:"PROPFIND"; "#, "G030"),
            (r#"http.header; content:"User-Agent|3a 20|Mozilla/5.0"; "#, "G030"),
            (r#"file.data; content:"MZ"; startswith; "#, "G030"),
            (r#"http.request_body; content:"password"; "#, "G030"),
            (r#"http.user_agent; content:"mozilla/5.0"; "#, "G030"),
            (r#"tls.sni; content:".com"; endswith; "#, "G030"),
            (r#"pcre:"/./"; "#, "G030"),
            (r#"pcre:"/evil|/"; "#, "G030"),
            (r#"pcre:!"/evil/"; "#, "G030"),
            ("tls.version:1.2; ", "G030"),
            ("http.uri; dsize:>5; ", "G030"),
            ("fileext:\"exe\"; ", "G030"),
            ("app-layer-event:http.missing_host_header; ", "G030"),
        ] {
            assert_eq!(said("tcp any any -> any any", options), expected, "{options}");
        }
    }

    #[test]
    fn names_of_everybody_are_known_wherever_they_stand() {
        for (options, expected) in [
            (r#"dns.query; content:"google.com"; nocase; "#, "G011"),
            (r#"dns.query; content:".google.com"; endswith; "#, "G011"),
            (r#"dns.query; content:"oogle.com"; "#, "G030"),
            (r#"dns.query; content:"google"; "#, "G030"),
            (r#"tls.sni; content:"login.microsoftonline.com"; bsize:25; "#, "G004"),
            (r#"content:"login.microsoftonline.com"; http_host; "#, "G004"),
            (r#"http.host; content:"windowsupdate.com"; endswith; "#, "G004"),
            (r#"tls.sni; content:"co.uk"; "#, "G003"),
            (r#"http.host; content:"login.microsoftonline.com"; http.method; content:"POST"; "#, "G004"),
            (r#"http.host; content:"login.microsoftonline.com"; http.uri; content:"/evil"; "#, ""),
            (r#"content:"|05|login|0f|microsoftonline|03|com|00|"; "#, "G004"),
            (r#"content:"Host|3a 20|login.microsoftonline.com|0d 0a|"; "#, "G004"),
            (r#"dns.query; pcre:"/.*google/"; "#, "G030"),
            (r#"http.host; content:"8.8.8.8"; "#, "G004"),
            (r#"http.user_agent; content:"evil-agent"; "#, ""),
        ] {
            assert_eq!(said("tcp any any -> any any", options), expected, "{options}");
        }
    }
}
