//! A request for a URL, in every way in which it goes over the wire.
//!
//! The host stands in `Host` (with a port where it is not that of the scheme, and by some clients also where it is), in
//! `:authority`, or, on the way to a proxy, in the request line itself (RFC 9112, section 3.2.2). The path may be spelled
//! in several ways that mean the same; `http.uri` holds it with percent-encoding, `/./`, `/../` and `//` resolved, without
//! scheme and host.

use crate::plan::{LikePart, LikePattern, value::Host};

use super::{
    buffer::{self, LONGEST},
    fragment::{Refused, TOO_LONG},
    pcre,
    place::Case,
    signature::Match,
    text::{Keyword, RuleText},
};

/// From this length on a path is likely to be rarer than a host is, and Suricata looks for it first.
const RARE: usize = 12;

/// In a request line with scheme and host, a user name in front of the host.
const PROXY_FORM: &str = "^http:\\/\\/(?:[^\\/?#@]*@)?";
/// What stands behind the host and port there.
const HOST_END: &str = "(?:[\\/?#]|$)";

/// A reserved character or a percent sign that is encoded: it does not mean what it means by itself (RFC 3986, section
/// 2.2), and `http.uri` does not tell.
const RESERVED_ENCODED: &str = "%(?:2[13-9a-cf]|3[abdf]|40|5[bcd])";

/// Where a rule looks for a path, and how it is compared.
pub struct Target {
    asked: Match,
    /// Whether all spellings of the path are seen.
    pub is_resolved: bool,
    /// Whether Suricata looks for it before it looks for the host.
    is_rare: bool,
}

impl Target {
    /// The whole path and query, as a URL has them.
    ///
    /// # Errors
    /// It is too long for a rule.
    pub fn whole(target: &str) -> Result<Self, Refused> {
        if target.len() > LONGEST {
            return Err((TOO_LONG, format!("a path of {} bytes: a rule holds {LONGEST} at most", target.len())));
        }
        let is_rare = target.len() >= RARE;
        let first = if is_rare { "; fast_pattern" } else { "" };
        let content = |bytes: &[u8]| RuleText::new("content:").content(bytes).word(first);
        let (asked, is_resolved) = match resolved(target) {
            Some(bytes) => {
                let options = content(&bytes).word("; bsize:").number(bytes.len() as u64).word("; ");
                let encoded = pcre::around(&[(RESERVED_ENCODED, b"")], "i");
                let raw = RuleText::new("pcre:!").pcre(&encoded).word("; ");
                let asked = Match::new(RuleText::new("http.uri; "), options);
                (asked.and(&Match::new(RuleText::new("http.uri.raw; "), raw)), true)
            }
            None => {
                let front = "^(?:(?i:http):\\/\\/[^\\/?#]*)?";
                let whole = pcre::around(&[(front, target.as_bytes()), ("\\z", b"")], "");
                let options = content(target.as_bytes()).word("; endswith; pcre:").pcre(&whole).word("; ");
                (Match::new(RuleText::new("http.uri.raw; "), options), false)
            }
        };
        Ok(Self { asked, is_resolved, is_rare })
    }

    /// Paths and queries that are like a pattern.
    ///
    /// # Errors
    /// It can't be put in a rule.
    pub fn like(pattern: &LikePattern) -> Result<Self, Refused> {
        let part = |part: &LikePart| match part {
            LikePart::Text(text) => String::from_utf8(resolved(text)?).ok().map(LikePart::Text),
            other => Some(other.clone()),
        };
        let parts: Option<Vec<_>> = pattern.parts().iter().map(part).collect();
        let (keyword, pattern) = match &parts {
            Some(parts) => ("http.uri", &LikePattern::from_parts(parts.iter().cloned())),
            None => ("http.uri.raw", pattern),
        };
        let asked = buffer::like(&Keyword::new(keyword), Case::Keep, pattern)?;
        Ok(Self { asked, is_resolved: parts.is_some(), is_rare: false })
    }

    /// The requests for it at a host: one match, or two where the port has to stand in one of two places.
    pub fn at(&self, host: &Host, port: Option<u16>) -> Vec<Match> {
        let name = host.to_string();
        let port = port.filter(|port| *port != 80).map(|port| format!(":{port}"));
        let dot = if matches!(host, Host::Domain(_)) { "\\.?" } else { "" };
        let first = if self.is_rare { "" } else { "fast_pattern; " };
        let field = |end: &[(&'static str, &[u8])]| {
            let whole = pcre::around(&[&[("^", name.as_bytes())], end].concat(), "i");
            let options = RuleText::new("content:").content(name.as_bytes()).word("; nocase; startswith; ");
            let options = options.word(first).word("pcre:").pcre(&whole).word("; ");
            Match::new(RuleText::new("http.host.raw; "), options)
        };
        let Some(port) = port else {
            let end = if dot.is_empty() { "(?::80)?$" } else { "\\.?(?::80)?$" };
            return vec![field(&[(end, b"")]).and(&self.asked).and(&no_other_port())];
        };
        let direct = field(&[(dot, port.as_bytes()), ("$", b"")]);
        let through_proxy = {
            let whole = pcre::around(&[(PROXY_FORM, name.as_bytes()), (dot, port.as_bytes()), (HOST_END, b"")], "i");
            let line = RuleText::new("content:\"http|3a|//\"; startswith; nocase; pcre:").pcre(&whole).word("; ");
            let host = RuleText::new("content:").content(name.to_ascii_lowercase().as_bytes()).word("; startswith; ");
            Match::new(RuleText::new("http.host; "), host.word(first))
                .and(&Match::new(RuleText::new("http.uri.raw; "), line))
        };
        vec![direct.and(&self.asked), through_proxy.and(&self.asked).of_form(".proxy")]
    }

    /// The requests for it at hosts that are like a pattern.
    ///
    /// # Errors
    /// The pattern can't be put in a rule.
    pub fn at_like(&self, authority: &LikePattern) -> Result<Match, Refused> {
        Ok(buffer::like(&Keyword::new("http.host.raw"), Case::Ignore, authority)?.and(&self.asked))
    }
}

/// On the way to a proxy the request line has no other port than that of the scheme; `Host` is not looked at then.
fn no_other_port() -> Match {
    let other = pcre::around(
        &[(PROXY_FORM, b""), ("[^\\/?#@]*:(?!80", b""), (HOST_END, b""), (")\\d+", b""), (HOST_END, b"")],
        "i",
    );
    Match::new(RuleText::new("http.uri.raw; "), RuleText::new("pcre:!").pcre(&other).word("; "))
}

/// The text as `http.uri` has it; `None` where other paths would look the same there, or it is not seen as it is.
fn resolved(target: &str) -> Option<Vec<u8>> {
    const RESERVED: &[u8] = b":/?#[]@!$&'()*+,;=%\\";
    let path = target.split('?').next().unwrap_or(target);
    let dots = path.split('/').any(|segment| matches!(segment, "." | ".."));
    if !target.is_ascii() || target.contains('\\') || path.contains("//") || dots {
        return None;
    }
    let mut bytes = Vec::with_capacity(target.len());
    let mut rest = target.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let value = u8::try_from(digit(rest.next())? * 16 + digit(rest.next())?).ok()?;
        if RESERVED.contains(&value) || value == b'.' || !(b' '..0x7f).contains(&value) {
            return None;
        }
        bytes.push(value);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_where_that_says_the_same() {
        let text = |target| resolved(target).map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(text("/a/b.php?x=1").as_deref(), Some("/a/b.php?x=1"));
        assert_eq!(text("/a%20b/%7Ec").as_deref(), Some("/a b/~c"));
        assert_eq!(text("/a?to=//b/../c").as_deref(), Some("/a?to=//b/../c"));
        for other in
            ["/a%2Fb", "/a//b", "/a/../b", "/a/.", "/caf%C3%A9", "/a%zz", "/a%2", "/a\\b", "/%2e%2e/a", "/a%00"]
        {
            assert_eq!(text(other), None, "{other}");
        }
    }
}
