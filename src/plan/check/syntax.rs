//! The syntax of regular expressions, as PCRE has it (STIX 2.1, section 9.6.1).
//!
//! The parser of `regex-syntax` finds the mistakes. What PCRE has beyond it (look-around, back-references, recursion,
//! atomic groups, possessive quantifiers) it is shown as something plain of the same length.

use std::ops::Range;

use regex_syntax::ast::{self, Ast, ErrorKind, RepetitionKind, RepetitionRange, Visitor, parse::Parser};

use super::dialect::Plain;

/// A mistake in a regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RegexError {
    pub mistake: Mistake,
    /// The bytes of the expression that are wrong.
    pub range: Range<usize>,
}

/// The mistakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    BackslashAtEnd,
    BadGroup,
    CountsReversed,
    CountTooBig,
    NoSuchGroup,
    NothingToRepeat,
    RangeReversed,
    UnclosedClass,
    UnclosedGroup,
    UnopenedGroup,
}

impl RegexError {
    pub fn message(&self) -> &'static str {
        match self.mistake {
            Mistake::BackslashAtEnd => "the regular expression ends inside an escape",
            Mistake::BadGroup => "no kind of group begins like this",
            Mistake::CountsReversed => "the least count is above the greatest",
            Mistake::CountTooBig => "a count goes up to 65535",
            Mistake::NoSuchGroup => "a back-reference to a group that does not exist",
            Mistake::NothingToRepeat => "there is nothing to repeat here",
            Mistake::RangeReversed => "the range ends before it begins",
            Mistake::UnclosedClass => "this bracket is never closed",
            Mistake::UnclosedGroup => "this parenthesis is never closed",
            Mistake::UnopenedGroup => "this parenthesis was never opened",
        }
    }

    /// What to write instead, in a STIX literal, where each backslash is doubled.
    pub fn help(&self, regex: &str) -> String {
        let written = regex.get(self.range.clone()).unwrap_or_default();
        match self.mistake {
            Mistake::BackslashAtEnd => r"write \\\\ to match one backslash".to_owned(),
            Mistake::BadGroup => "write (?:…) to group, (?=…) to look ahead, or \\\\( for a parenthesis".to_owned(),
            Mistake::CountsReversed => "write the smaller count first: {2,5}".to_owned(),
            Mistake::CountTooBig => "write {1,} for any count".to_owned(),
            Mistake::NoSuchGroup => "put parentheses round what is to be repeated".to_owned(),
            Mistake::NothingToRepeat if written.starts_with('*') && self.range.start == 0 => {
                "write .* for any text; MATCHES finds the expression anywhere, so it need not begin with it".to_owned()
            }
            Mistake::NothingToRepeat => format!("write \\\\{written} for the character itself"),
            Mistake::RangeReversed => "write the smaller character first, or the hyphen at the end".to_owned(),
            Mistake::UnclosedClass => "close it with ], or write \\\\[ for the bracket itself".to_owned(),
            Mistake::UnclosedGroup => "close it with ), or write \\\\( for the parenthesis itself".to_owned(),
            Mistake::UnopenedGroup => "write \\\\) for the parenthesis itself".to_owned(),
        }
    }
}

/// The greatest count that PCRE can hold.
const MOST: u32 = 65_535;

/// The first mistake in a regular expression.
pub(super) fn error(regex: &str) -> Option<RegexError> {
    let plain = Plain::new(regex);
    let text = plain.text()?;
    let found = match Parser::new().parse(text) {
        Ok(tree) => ast::visit(&tree, Repetitions).err(),
        Err(error) => mistake(text, &error),
    };
    let bad_group = plain.bad_group.map(|at| RegexError { mistake: Mistake::BadGroup, range: at..at + 2 });
    match found {
        // What would close the group was not read.
        Some(RegexError { mistake: Mistake::UnclosedGroup, .. }) if bad_group.is_some() => bad_group,
        None => bad_group.or_else(|| {
            let range = plain.lone_reference()?;
            Some(RegexError { mistake: Mistake::NoSuchGroup, range })
        }),
        found => found,
    }
}

/// The mistake that the parser found; `None` for what is none in PCRE.
fn mistake(text: &str, error: &ast::Error) -> Option<RegexError> {
    let (start, end) = (error.span().start.offset, error.span().end.offset);
    let (mistake, range) = match error.kind() {
        ErrorKind::ClassRangeInvalid => (Mistake::RangeReversed, start..end),
        ErrorKind::RepetitionCountInvalid => (Mistake::CountsReversed, start..end),
        ErrorKind::DecimalInvalid => {
            let open = text.get(..start)?.rfind('{')?;
            (Mistake::CountTooBig, open..end + text.get(end..)?.find('}')? + 1)
        }
        ErrorKind::RepetitionMissing if text.get(start..)?.starts_with('{') => {
            (Mistake::NothingToRepeat, start..start + text.get(start..)?.find('}')? + 1)
        }
        ErrorKind::RepetitionMissing => (Mistake::NothingToRepeat, start..start + 1),
        ErrorKind::EscapeUnexpectedEof => (Mistake::BackslashAtEnd, start..start + 1),
        ErrorKind::ClassUnclosed => (Mistake::UnclosedClass, start..start + 1),
        ErrorKind::GroupUnclosed => (Mistake::UnclosedGroup, start..start + 1),
        ErrorKind::GroupUnopened => (Mistake::UnopenedGroup, start..start + 1),
        _ => return None,
    };
    Some(RegexError { mistake, range })
}

/// Finds repetitions that the parser allows and PCRE does not.
struct Repetitions;

impl Visitor for Repetitions {
    type Output = ();
    type Err = RegexError;

    fn finish(self) -> Result<(), RegexError> {
        Ok(())
    }

    fn visit_post(&mut self, node: &Ast) -> Result<(), RegexError> {
        let Ast::Repetition(repetition) = node else { return Ok(()) };
        let range = repetition.op.span.start.offset..repetition.op.span.end.offset;
        let most = match repetition.op.kind {
            RepetitionKind::Range(
                RepetitionRange::Exactly(most) | RepetitionRange::AtLeast(most) | RepetitionRange::Bounded(_, most),
            ) => most,
            _ => 0,
        };
        match *repetition.ast {
            _ if most > MOST => Err(RegexError { mistake: Mistake::CountTooBig, range }),
            Ast::Repetition(_) => Err(RegexError { mistake: Mistake::NothingToRepeat, range }),
            _ => Ok(()),
        }
    }
}

/// What in a correct regular expression was probably not meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Oddity {
    /// `Report*.doc`: `*` as on a command line.
    Glob,
    /// `evil.com`: a dot that matches any character.
    Dot,
    /// `[IMPORTANT]`: brackets round a word.
    Brackets,
    /// `\U`: an escape that PCRE does not know.
    Escape,
}

/// The first oddity; dots only where the text is a name that has dots of its own.
pub(super) fn oddity(regex: &str, has_dots: bool) -> Option<(Range<usize>, Oddity)> {
    let bytes = regex.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let after = bytes.get(at + 1).copied();
        match byte {
            b'\\' => {
                if after.is_some_and(|letter| b"iIjJlLmMqTUyYF".contains(&letter)) {
                    return Some((at..at + 2, Oddity::Escape));
                }
                if after == Some(b'Q') {
                    return None;
                }
                at += 1;
            }
            b'[' => {
                let length = bytes[at..].iter().position(|&byte| byte == b']')?;
                if is_word(&bytes[at + 1..at + length]) {
                    return Some((at..at + length + 1, Oddity::Brackets));
                }
                at += length;
            }
            b'*' if before.is_some_and(|letter| letter.is_ascii_alphanumeric()) && after == Some(b'.') => {
                return Some((at..at + 1, Oddity::Glob));
            }
            b'.' if has_dots && is_plain_dot(before, bytes.get(at + 1..).unwrap_or_default()) => {
                return Some((at..at + 1, Oddity::Dot));
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Letters only, one of them twice: a word, not a set of characters.
fn is_word(inner: &[u8]) -> bool {
    let mut seen = [false; 128];
    let repeats = inner
        .iter()
        .filter(|&&letter| letter.is_ascii_alphabetic())
        .any(|&letter| std::mem::replace(&mut seen[usize::from(letter & 0x7f)], true));
    inner.len() > 3 && repeats && inner.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b' ')
}

/// A dot between letters, before what looks like the last part of a name: `evil.com`, `a.exe$`.
fn is_plain_dot(before: Option<u8>, rest: &[u8]) -> bool {
    let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let is_end = matches!(rest.get(length), None | Some(b'$' | b'/' | b')' | b'|'));
    before.is_some_and(|letter| letter.is_ascii_alphanumeric()) && (2..=8).contains(&length) && is_end
}
