//! LIKE and MATCHES. Both compare in Unicode normalisation form C, as the standard wants it of them alone.

use std::{borrow::Cow, sync::OnceLock};

use fancy_regex::{Regex, RegexBuilder};
use icu_normalizer::ComposingNormalizerBorrowed;

use super::error::EvaluateError;
use crate::span::Span;

/// How many times an expression may go back on one value before it is given up.
const BACKTRACKS: usize = 1_000_000;

/// The text in normalisation form C.
pub(super) fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { ComposingNormalizerBorrowed::new_nfc().normalize(text) }
}

/// The text of LIKE: `%` stands for any text, `_` for one character, and nothing escapes them.
#[derive(Debug, Clone)]
pub(crate) struct Like(Vec<char>);

impl Like {
    /// Any text is a pattern.
    pub(crate) fn new(text: &str) -> Self {
        Self(composed(text).chars().collect())
    }

    /// Whether all of `text` fits. Takes at most the product of both lengths.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = composed(text).chars().collect();
        let (mut at, mut seen) = (0, 0);
        // Where to go on if the text behind the last `%` does not fit: that `%` takes one character more.
        let mut retry = None;
        while seen < text.len() {
            match self.0.get(at) {
                Some('%') => {
                    retry = Some((at, seen));
                    at += 1;
                }
                Some(one) if *one == '_' || *one == text[seen] => {
                    at += 1;
                    seen += 1;
                }
                _ => match retry {
                    Some((percent, from)) => {
                        retry = Some((percent, from + 1));
                        at = percent + 1;
                        seen = from + 1;
                    }
                    None => return false,
                },
            }
        }
        self.0[at..].iter().all(|rest| *rest == '%')
    }
}

/// The regular expression of MATCHES, which has to match somewhere in the value; `.` matches a newline too.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    text: Box<str>,
    regex: Regex,
    backtracks: usize,
    /// For a text that ends in a newline: there `$` matches before it too, as in PCRE. Slower, and seldom needed.
    before_newline: OnceLock<Option<Regex>>,
    span: Span,
}

impl Expression {
    /// # Errors
    /// If it does not compile.
    pub(super) fn new(text: &str, span: Span) -> Result<Self, EvaluateError> {
        Self::with_limit(text, span, BACKTRACKS)
    }

    /// The same, for values on which it may go back so many times.
    ///
    /// # Errors
    /// If it does not compile.
    pub(crate) fn with_limit(text: &str, span: Span, backtracks: usize) -> Result<Self, EvaluateError> {
        let text = translated(&composed(text), false);
        match compiled(&text, backtracks) {
            Ok(regex) => Ok(Self { text: text.into(), regex, backtracks, before_newline: OnceLock::new(), span }),
            Err(error) => Err(EvaluateError::BadRegex { message: one_line(&error), span }),
        }
    }

    /// # Errors
    /// If it goes back too often.
    pub(crate) fn matches(&self, text: &str) -> Result<bool, EvaluateError> {
        let regex = if text.ends_with('\n') {
            let other = || compiled(&translated(&self.text, true), self.backtracks).ok();
            self.before_newline.get_or_init(other).as_ref().unwrap_or(&self.regex)
        } else {
            &self.regex
        };
        regex
            .is_match(composed(text).as_ref())
            .map_err(|error| EvaluateError::RegexLimit { message: one_line(&error), span: self.span })
    }
}

/// The syntax tree of an expression, as the engine reads it; `None` where it does not.
#[cfg(feature = "witness")]
pub(crate) fn expression_tree(text: &str) -> Option<fancy_regex::Expr> {
    fancy_regex::Expr::parse_tree(&translated(&composed(text), false)).ok().map(|tree| tree.expr)
}

fn compiled(text: &str, backtracks: usize) -> Result<Regex, fancy_regex::Error> {
    RegexBuilder::new(text).dot_matches_new_line(true).backtrack_limit(backtracks).build()
}

/// The expression in the engine's words: `\h` and `\H` are blanks in PCRE, and hexadecimal digits there. With
/// `before_newline`, `$` matches before a newline at the end too.
fn translated(text: &str, before_newline: bool) -> String {
    const BLANKS: &str = r"\t\x20\xA0\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}";
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut in_class = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('h') if in_class => out.push_str(BLANKS),
                Some('h') => out.extend(["[", BLANKS, "]"]),
                Some('H') => out.extend(["[^", BLANKS, "]"]),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                // A bracket that comes first is one of the characters.
                for first in ['^', ']'] {
                    if characters.peek() == Some(&first) {
                        characters.next();
                        out.push_str(if first == ']' { "\\]" } else { "^" });
                    }
                }
            }
            // `[:alpha:]` inside of a class.
            '[' if characters.peek() == Some(&':') => {
                out.push('[');
                for inner in characters.by_ref() {
                    out.push(inner);
                    if inner == ']' {
                        break;
                    }
                }
            }
            '[' => out.push_str("\\["),
            // PCRE has no sets of classes.
            '&' | '~' | '-' if in_class && characters.peek() == Some(&character) => out.extend(['\\', character]),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '$' if before_newline && !in_class => out.push_str("(?:$|(?=\\n\\z))"),
            other => out.push(other),
        }
    }
    out
}

fn one_line(error: &fancy_regex::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_fits_the_whole_text() {
        for (like, text, fits) in [
            ("%", "", true),
            ("", "", true),
            ("_", "", false),
            ("a%c", "abc", true),
            ("a%c", "abcd", false),
            ("%b%", "abc", true),
            ("a_c", "abc", true),
            ("a_c", "aXXc", false),
            ("%ab%ab", "abxabab", true),
            ("%ab_ab", "abxabab", false),
            ("a\\%", "a\\b", true),
            ("A", "a", false),
            ("_", "😀", true),
            ("a%b", "a\nb", true),
        ] {
            assert_eq!(Like::new(like).matches(text), fits, "{like} {text}");
        }
    }

    #[test]
    fn expressions_are_read_as_pcre_reads_them() {
        for (expression, text, fits) in [
            ("b.c", "ab\nc", true),
            ("^b", "a\nb", false),
            ("(?m)^b$", "a\nb\nc", true),
            ("c$", "abc\n", true),
            ("c$", "abc\n\n", false),
            ("c\\z", "abc\n", false),
            ("[$]", "a\n", false),
            ("\\$$", "5$\n", true),
            ("a\\hb", "a b", true),
            ("a\\hb", "acb", false),
            ("a[\\hx]b", "a\tb", true),
            ("a\\Hb", "acb", true),
            ("[]a]b", "]b", true),
            ("[^]a]b", "]b", false),
            ("[[:digit:]]x", "7x", true),
            ("[a[]x", "[x", true),
            ("[a&&b]", "&", true),
            ("(?i)ABC", "xabcx", true),
            ("(?<!a)b", "ab", false),
            ("(?<!a)b", "cb", true),
            ("(a)\\1", "aa", true),
            ("(?>a+)b", "aab", true),
            ("\\x61", "a", true),
            ("é", "e\u{301}", true),
        ] {
            let compiled = Expression::new(expression, Span::default()).unwrap();
            assert_eq!(compiled.matches(text), Ok(fits), "{expression} {text:?}");
        }
    }

    #[test]
    fn expressions_that_go_back_without_end_are_given_up() {
        let expression = Expression::new("^(?=(a+)+$)(a+)+\\1c$", Span::default()).unwrap();
        let text = "a".repeat(64);
        assert!(!matches!(expression.matches(&text), Ok(true)));
        assert!(matches!(Expression::new("(", Span::default()), Err(EvaluateError::BadRegex { .. })));
    }

    #[test]
    fn many_wildcards_take_no_longer() {
        let like = Like::new(&"%a".repeat(200));
        assert!(!like.matches(&format!("{}b", "a".repeat(2000))));
    }
}
