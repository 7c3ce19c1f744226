//! Texts of a rule that can't be anything else: the only way in is through an escape.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::hex;

/// The longest text in quotes, in bytes. YARA 4 keeps a literal in 8,191 bytes.
pub(super) const LONGEST_TEXT: usize = 4096;
/// The longest identifier of YARA 4; YARA-X has no limit.
const LONGEST_IDENTIFIER: usize = 128;

/// A text in quotes, on one line. Letters and digits of any script stay; all else outside printable ASCII is written
/// as `\xNN`, which both engines read back as the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct YaraString(String);

impl YaraString {
    /// `None` where the text is longer than both engines read.
    pub(super) fn whole(text: &str) -> Option<Self> {
        (text.len() <= LONGEST_TEXT).then(|| Self(quoted(text)))
    }

    /// The text, cut where it is too long: for remarks, not for conditions.
    pub(super) fn cut(text: &str) -> Self {
        const MARK: &str = "...";
        if text.len() <= LONGEST_TEXT {
            return Self(quoted(text));
        }
        let end = (0..=LONGEST_TEXT - MARK.len()).rev().find(|&end| text.is_char_boundary(end)).unwrap_or_default();
        Self(quoted(&format!("{}{MARK}", &text[..end])))
    }
}

impl fmt::Display for YaraString {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            ' '..='~' => quoted.push(character),
            _ if character.is_alphanumeric() => quoted.push(character),
            _ => {
                let mut bytes = [0; 4];
                for byte in character.encode_utf8(&mut bytes).bytes() {
                    quoted.push_str("\\x");
                    hex::push(&mut quoted, byte);
                }
            }
        }
    }
    quoted.push('"');
    quoted
}

/// A name of a rule or a tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct YaraIdentifier(String);

impl YaraIdentifier {
    /// The text with `_` for what can't stand in a name; `None` where nothing of it can.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let mut name: String = text
            .trim()
            .chars()
            .map(|character| if character.is_ascii_alphanumeric() { character } else { '_' })
            .take(LONGEST_IDENTIFIER - 1)
            .collect();
        if name.bytes().all(|byte| byte == b'_') {
            return None;
        }
        if name.starts_with(|first: char| first.is_ascii_digit()) {
            name.insert(0, '_');
        }
        if RESERVED.binary_search(&name.as_str()).is_ok() {
            name.push('_');
        }
        Some(Self(name))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for YaraIdentifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Words that YARA 4 or YARA-X keep for themselves, sorted.
#[rustfmt::skip]
pub(super) const RESERVED: [&str; 53] = [
    "all", "and", "any", "ascii", "at", "base64", "base64wide", "condition", "contains", "defined", "endswith",
    "entrypoint", "false", "filesize", "for", "fullword", "global", "icontains", "iendswith", "iequals", "import",
    "in", "include", "int16", "int16be", "int32", "int32be", "int8", "int8be", "istartswith", "matches", "meta",
    "nocase", "none", "not", "of", "or", "private", "rule", "startswith", "strings", "them", "true", "uint16",
    "uint16be", "uint32", "uint32be", "uint8", "uint8be", "variables", "wide", "with", "xor",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_quotes() {
        let cases = [
            ("plain", "\"plain\""),
            ("\"; \\ }", "\"\\\"; \\\\ }\""),
            ("a\nb\r\tc", "\"a\\nb\\x0d\\tc\""),
            ("büro Ж", "\"büro Ж\""),
            ("\u{2028}\u{0}”", "\"\\xe2\\x80\\xa8\\x00\\xe2\\x80\\x9d\""),
        ];
        for (text, expected) in cases {
            assert_eq!(YaraString::whole(text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let long = "é".repeat(LONGEST_TEXT);
        assert_eq!(YaraString::whole(&long), None);
        let cut = YaraString::cut(&long).to_string();
        assert!(cut.len() <= LONGEST_TEXT + 2 && cut.ends_with("é...\""), "{}", cut.len());
    }

    #[test]
    fn names_are_names() {
        let name = |text| YaraIdentifier::from_text(text).map(|name| name.as_str().to_owned());
        assert_eq!(name("malicious-activity").unwrap(), "malicious_activity");
        assert_eq!(name("T1059.001").unwrap(), "T1059_001");
        assert_eq!(name("7zip").unwrap(), "_7zip");
        assert_eq!(name("with").unwrap(), "with_");
        assert_eq!(name("APT-28 (Жук)").unwrap(), "APT_28______");
        assert_eq!(name("Жук"), None);
        assert!(name(&"1".repeat(500)).unwrap().len() <= LONGEST_IDENTIFIER);
        assert!(RESERVED.is_sorted());
    }
}
