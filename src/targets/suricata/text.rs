//! The text of rules. Feed text gets into a rule through the types here only, and each of them has one way in: the one
//! that escapes.
//!
//! A rule is one line of options that end in `;`, with texts in double quotes (Suricata user guide, "Rules format").
//! So `;`, `"`, `\` and line breaks are what a hostile value would need.

use std::fmt::{self, Display, Write};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{hex, plan::HashAlgorithm};

/// Part of a rule, ready to be written. It grows by keywords that the program knows and by escaped values only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct RuleText(String);

impl RuleText {
    /// Text of the program's own.
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Appends text of the program's own.
    pub fn word(mut self, text: &'static str) -> Self {
        self.0.push_str(text);
        self
    }

    /// Appends a keyword from a mapping file.
    pub fn keyword(mut self, name: &Keyword) -> Self {
        self.0.push_str(&name.0);
        self
    }

    /// Appends a number.
    pub fn number(self, number: impl Into<u64>) -> Self {
        self.display(number.into())
    }

    /// Appends a whole number that may be below zero.
    pub fn integer(self, number: i64) -> Self {
        self.display(number)
    }

    /// Appends an address, or a prefix where it is shorter than an address.
    pub fn net(self, net: IpNet) -> Self {
        if net.prefix_len() == net.max_prefix_len() { self.display(net.addr()) } else { self.display(net) }
    }

    /// Appends another part of a rule.
    pub fn text(mut self, text: &Self) -> Self {
        self.0.push_str(&text.0);
        self
    }

    /// Appends `"…"` with these bytes as `content` wants them.
    ///
    /// Letters, digits and harmless signs stay; every other byte is written in hexadecimal between bars (user guide,
    /// "Payload keywords", content). `!` is among the others: in front it would negate.
    pub fn content(mut self, bytes: &[u8]) -> Self {
        let mut hex = false;
        self.0.push('"');
        for &byte in bytes {
            let plain = byte.is_ascii_alphanumeric() || b" ._/=&?%,@+~*()<>-[]{}#$^'`".contains(&byte);
            if plain == hex {
                self.0.push('|');
            } else if hex {
                self.0.push(' ');
            }
            hex = !plain;
            if plain { self.0.push(char::from(byte)) } else { hex::push(&mut self.0, byte) }
        }
        if hex {
            self.0.push('|');
        }
        self.0.push('"');
        self
    }

    /// Appends a regular expression.
    pub fn pcre(mut self, expression: &Pcre) -> Self {
        self.0.push_str(&expression.0);
        self
    }

    /// Appends the path of a list, as seen from the rules.
    pub fn list(mut self, path: &ListPath) -> Self {
        self.0.push_str(&path.0);
        self
    }

    fn display(mut self, value: impl Display) -> Self {
        // Writing to a String can't fail.
        let _ = write!(self.0, "{value}");
        self
    }
}

impl AsRef<Self> for RuleText {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Display for RuleText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// An expression with its delimiters and flags, in quotes: `"/^a\.b$/i"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcre(String);

impl Pcre {
    /// The text that [`pcre`](super::pcre) printed.
    pub(super) fn printed(text: String) -> Self {
        Self(text)
    }
}

/// Where a list of hashes lies, as seen from the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPath(String);

impl ListPath {
    /// The common list of an algorithm, or a list of the rule with this number.
    #[must_use]
    pub fn new(owner: Option<(u32, usize)>, algorithm: HashAlgorithm) -> Self {
        let name = algorithm.name();
        Self(match owner {
            None => format!("lists/{name}.list"),
            Some((sid, 0)) => format!("lists/{sid}-{name}.list"),
            Some((sid, place)) => format!("lists/{sid}-{place}-{name}.list"),
        })
    }

    /// The path below the output folder.
    #[must_use]
    pub fn in_folder(&self) -> String {
        format!("suricata/{}", self.0)
    }

    /// What the list is called: `sha256`.
    pub(super) fn name(&self) -> String {
        self.0.trim_start_matches("lists/").trim_end_matches(".list").to_owned()
    }
}

/// The name of a buffer, a protocol or another word of the rule language, from a mapping file: letters, digits, `.`,
/// `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Keyword(String);

impl TryFrom<String> for Keyword {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if text.is_empty() || !text.bytes().all(plain) {
            return Err(format!("'{text}' is no word of the rule language"));
        }
        Ok(Self(text))
    }
}

impl Keyword {
    /// A word of the program's own.
    #[must_use]
    pub fn new(word: &'static str) -> Self {
        Self(word.to_owned())
    }

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text of `msg`: one line, with `"`, `;` and `\` escaped (user guide, "Meta keywords", msg).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Msg(String);

impl Msg {
    /// Most bytes that a name contributes.
    const LIMIT: usize = 240;

    /// A message about what is called `name`, seen `place`.
    #[must_use]
    pub fn new(name: &str, place: &str) -> Self {
        let mut text = String::with_capacity(name.len().min(Self::LIMIT) + place.len() + 16);
        text.push_str("STIX ");
        let mut shown = name.chars().filter(|character| !is_invisible(*character)).peekable();
        while let Some(character) = shown.next_if(|_| text.len() < Self::LIMIT) {
            if matches!(character, '"' | ';' | '\\' | ':') {
                text.push('\\');
            }
            text.push(if character.is_whitespace() { ' ' } else { character });
        }
        if shown.peek().is_some() {
            text.push('…');
        }
        if !place.is_empty() {
            text.push_str(" (");
            text.extend(
                place.chars().filter(|character| character.is_ascii_alphanumeric() || " -/".contains(*character)),
            );
            text.push(')');
        }
        Self(text)
    }

    /// The text without its escapes.
    pub fn plain(&self) -> String {
        self.0.replace('\\', "")
    }
}

/// Line breaks become blanks; other control characters, and those that turn the direction of writing, go.
fn is_invisible(character: char) -> bool {
    let directs =
        matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    directs || (character.is_control() && !character.is_whitespace())
}

/// `key value` pairs of `metadata`, which ends at `;` and separates pairs by `,` (user guide, "Meta keywords", metadata).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Metadata(String);

impl Metadata {
    /// Most characters of a value.
    const LIMIT: usize = 100;
    /// Most bytes of all pairs together. Suricata reads lines of less than 8192 bytes, in rules and in lists.
    const LONGEST: usize = 1400;

    /// The pairs.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Appends a pair, unless nothing printable is left of the value, or the pairs are getting too long.
    pub fn push(&mut self, key: &'static str, value: &str) {
        let start = self.0.len();
        if start > 0 {
            self.0.push_str(", ");
        }
        self.0.push_str(key);
        self.0.push(' ');
        let empty = self.0.len();
        let plain = |character: char| character.is_alphanumeric() || "._-:/+@".contains(character);
        let mut gap = false;
        for character in value.chars().take(Self::LIMIT) {
            if plain(character) {
                if gap && self.0.len() > empty {
                    self.0.push(' ');
                }
                self.0.push(character);
                gap = false;
            } else {
                gap = true;
            }
        }
        if self.0.len() == empty || self.0.len() > Self::LONGEST {
            self.0.truncate(start);
        }
    }
}

/// `reference:url,…;` options (user guide, "Meta keywords", reference).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct References(String);

impl References {
    /// Most references of a rule.
    const MOST: usize = 3;
    /// Longest address that is taken over.
    const LONGEST: usize = 200;

    /// The web addresses among `urls`, as options. Others are left out: a rule is no worse without them.
    #[must_use]
    pub fn new(urls: &[String]) -> Self {
        let mut text = String::new();
        for url in urls.iter().filter_map(|url| web_address(url)).take(Self::MOST) {
            text.push_str("reference:url,");
            text.push_str(&url);
            text.push_str("; ");
        }
        Self(text)
    }
}

/// The address as a browser would send it, without its scheme, which Suricata's own reference.config adds.
fn web_address(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let rest = match url.scheme() {
        "http" => url.as_str().strip_prefix("http://"),
        "https" => url.as_str().strip_prefix("https://"),
        _ => None,
    }?;
    let mut safe = String::with_capacity(rest.len());
    for byte in rest.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+=%".contains(&byte) {
            safe.push(char::from(byte));
        } else {
            safe.push('%');
            hex::push(&mut safe, byte);
        }
    }
    (safe.len() <= References::LONGEST).then_some(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(bytes: &[u8]) -> String {
        RuleText::default().content(bytes).to_string()
    }

    #[test]
    fn content_is_plain_or_hexadecimal() {
        assert_eq!(content(b"evil.example"), r#""evil.example""#);
        assert_eq!(content(b"a:b"), r#""a|3a|b""#);
        assert_eq!(content(b"a\"; sid:1;\\\n"), r#""a|22 3b| sid|3a|1|3b 5c 0a|""#);
        assert_eq!(content("é|!".as_bytes()), r#""|c3 a9 7c 21|""#);
        assert_eq!(content(b"{{msg}}"), r#""{{msg}}""#);
    }

    #[test]
    fn a_message_is_one_line_without_its_own_end() {
        let msg = Msg::new("a\"; sid:1; \\\r\nb\u{202e}\u{7}", "DNS query");
        assert_eq!(msg.0, r#"STIX a\"\; sid\:1\; \\  b (DNS query)"#);
        let long = Msg::new(&"é".repeat(500), "");
        assert!(long.0.ends_with("é…") && long.0.len() < Msg::LIMIT + 8);
    }

    #[test]
    fn metadata_has_no_separator_in_a_value() {
        let mut metadata = Metadata::default();
        metadata.push("stix_id", "indicator--1, x; sid:1;\n\"");
        metadata.push("malware_family", ";;");
        metadata.push("tlp", "amber+strict");
        assert_eq!(metadata.0, "stix_id indicator--1 x sid:1, tlp amber+strict");
    }

    #[test]
    fn references_are_web_addresses() {
        let urls = ["https://a.example/x;y\"z\\ü", "javascript:alert(1)", "http://b.example", "no"].map(str::to_owned);
        assert_eq!(References::new(&urls).0, "reference:url,a.example/x%3by%22z/%C3%BC; reference:url,b.example/; ");
    }
}
