//! The escaping types: the only way for feed text into a rule.

use std::fmt::Write;

use serde::Serialize;

/// One YAML scalar on one line, quoted where quotes are needed.
///
/// ```
/// use stixc::targets::sigma::YamlScalar;
/// assert_eq!(YamlScalar::text("it's").as_str(), "'it''s'");
/// assert_eq!(YamlScalar::text("a\nb: c").as_str(), r#""a\nb: c""#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct YamlScalar(String);

impl YamlScalar {
    /// A string: in single quotes, or in double quotes where a character can't stand for itself.
    #[must_use]
    pub fn text(text: &str) -> Self {
        let mut quoted = String::with_capacity(text.len() + 2);
        if text.chars().all(is_plain) {
            quoted.push('\'');
            for (index, run) in text.split('\'').enumerate() {
                if index > 0 {
                    quoted.push_str("''");
                }
                quoted.push_str(run);
            }
            quoted.push('\'');
        } else {
            quoted.push('"');
            text.chars().for_each(|character| escape(character, &mut quoted));
            quoted.push('"');
        }
        Self(quoted)
    }

    /// An integer, without quotes: Sigma compares it as a number.
    #[must_use]
    pub fn integer(number: i64) -> Self {
        Self(number.to_string())
    }

    /// A number with a fraction; `None` where YAML has no plain form for it.
    #[must_use]
    pub fn float(number: f64) -> Option<Self> {
        number.is_finite().then(|| Self(format!("{number:?}")))
    }

    /// A word of the program itself: an operator's value, a keyword of Sigma.
    pub(super) fn word(word: &'static str) -> Self {
        Self(word.to_owned())
    }

    /// A tag, without quotes. Other characters than those of tags are left out.
    pub(super) fn tag(tag: &str) -> Self {
        let of_tags = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
        Self(tag.chars().filter(of_tags).collect())
    }

    /// The scalar as it stands in the file.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether YAML 1.1 and 1.2 both let `character` stand for itself between quotes, and a reader sees what is there:
/// no control, no line break of any kind, no invisible or direction-changing character.
fn is_plain(character: char) -> bool {
    match u32::from(character) {
        0x20..=0x7e => true,
        0..0xa1 | 0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f => false,
        0xe000..=0xf8ff | 0xfeff | 0xfff0..=0xffff | 0xe0000..=0x10_ffff => false,
        code => code & 0xfffe != 0xfffe,
    }
}

fn escape(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        plain if is_plain(plain) => out.push(plain),
        other => {
            let code = u32::from(other);
            // Writing into a String does not fail.
            let _ = match code {
                0..=0xff => write!(out, "\\x{code:02x}"),
                0x100..=0xffff => write!(out, "\\u{code:04x}"),
                _ => write!(out, "\\U{code:08x}"),
            };
        }
    }
}

/// Several lines of YAML, each ended by a line feed: put together from scalars and from words of the program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct YamlBlock(String);

impl YamlBlock {
    /// `key: scalar`, indented.
    pub(super) fn entry(&mut self, indent: usize, key: &str, modifier: &str, scalar: &YamlScalar) {
        self.head(indent, key, modifier);
        self.0.push(' ');
        self.0.push_str(&scalar.0);
        self.0.push('\n');
    }

    /// `key:` and a list below it; on one line where the list has one element.
    pub(super) fn list(&mut self, indent: usize, key: &str, modifier: &str, scalars: &[YamlScalar]) {
        if let [only] = scalars {
            return self.entry(indent, key, modifier, only);
        }
        self.key(indent, key, modifier);
        self.items(indent + 4, scalars);
    }

    /// A list, one element a line.
    pub(super) fn items(&mut self, indent: usize, scalars: &[YamlScalar]) {
        for scalar in scalars {
            self.pad(indent);
            self.0.push_str("- ");
            self.0.push_str(&scalar.0);
            self.0.push('\n');
        }
    }

    /// `key:` alone on its line.
    pub(super) fn key(&mut self, indent: usize, key: &str, modifier: &str) {
        self.head(indent, key, modifier);
        self.0.push('\n');
    }

    /// A line of the program's own words.
    pub(super) fn line(&mut self, indent: usize, line: &str) {
        self.pad(indent);
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// Whether it has no lines.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn head(&mut self, indent: usize, key: &str, modifier: &str) {
        self.pad(indent);
        self.0.push_str(key);
        self.0.push_str(modifier);
        self.0.push(':');
    }

    fn pad(&mut self, indent: usize) {
        self.0.extend(std::iter::repeat_n(' ', indent));
    }

    /// The lines.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Feed text made fit to be read by people: one line, single spaces, nothing invisible, at most `limit` characters.
#[must_use]
pub(super) fn readable(text: &str, limit: usize) -> String {
    let mut line = String::with_capacity(text.len().min(limit * 4));
    let mut length = 0;
    let mut gap = false;
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() {
            gap = length > 0;
        } else if is_plain(character) {
            if length + 1 + usize::from(gap) >= limit {
                line.push('…');
                break;
            }
            if gap {
                line.push(' ');
            }
            line.push(character);
            length += 1 + usize::from(gap);
            gap = false;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_yaml_would_read_otherwise() {
        for (text, quoted) in [
            ("", "''"),
            ("yes", "'yes'"),
            ("- a: b # c", "'- a: b # c'"),
            ("'", "''''"),
            (r#"a"b\c"#, r#"'a"b\c'"#),
            ("{{x}}", "'{{x}}'"),
            ("a\"\nb", r#""a\"\nb""#),
            ("\u{0}\u{7f}\u{85}\u{202e}\u{2028}\u{feff}\u{1f600}", "\"\\x00\\x7f\\x85\\u202e\\u2028\\ufeff\u{1f600}\""),
            ("\u{e0001}", r#""\U000e0001""#),
            ("büro", "'büro'"),
        ] {
            assert_eq!(YamlScalar::text(text).as_str(), quoted);
        }
    }

    #[test]
    fn numbers_stand_without_quotes() {
        assert_eq!(YamlScalar::integer(-5).as_str(), "-5");
        assert_eq!(YamlScalar::float(2.0).map(|number| number.0).as_deref(), Some("2.0"));
        assert_eq!(YamlScalar::float(f64::INFINITY), None);
    }

    #[test]
    fn a_list_of_one_stands_on_the_line_of_its_key() {
        let mut block = YamlBlock::default();
        block.list(4, "a", "|contains", &[YamlScalar::text("x")]);
        block.list(4, "b", "", &[YamlScalar::text("x"), YamlScalar::integer(1)]);
        assert_eq!(block.as_str(), "    a|contains: 'x'\n    b:\n        - 'x'\n        - 1\n");
    }

    #[test]
    fn readable_text_is_one_line() {
        assert_eq!(readable("  a\n\tb \u{202e}c\0d  ", 80), "a b c d");
        assert_eq!(readable("abcdef", 4), "abc…");
        assert_eq!(readable("abc", 4), "abc");
        assert_eq!(readable("\u{200b}\n", 4), "");
    }
}
