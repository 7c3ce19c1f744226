//! The syntax of regular expressions, as PCRE has it (STIX 2.1, section 9.6.1).
//!
//! No engine is asked: each refuses something that PCRE allows. This scanner knows the mistakes that every engine
//! refuses and lets look-around, back-references, recursion, atomic groups and possessive quantifiers pass.

use std::ops::Range;

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

/// The first mistake in a regular expression.
pub(super) fn error(regex: &str) -> Option<RegexError> {
    Scanner::new(regex).run().err()
}

struct Scanner<'r> {
    regex: &'r str,
    bytes: &'r [u8],
    at: usize,
    /// Where the open groups begin.
    open: Vec<usize>,
    /// Groups that can be referred to by number.
    groups: usize,
    /// Whether groups share numbers, so that they can't be counted.
    shares_numbers: bool,
    /// The greatest back-reference of one digit, and where it stands.
    reference: Option<(usize, Range<usize>)>,
    /// Whether what was just read can be repeated.
    repeatable: bool,
    /// Whether blanks and comments are skipped: `(?x)`.
    extended: bool,
}

impl<'r> Scanner<'r> {
    fn new(regex: &'r str) -> Self {
        Self {
            regex,
            bytes: regex.as_bytes(),
            at: 0,
            open: Vec::new(),
            groups: 0,
            shares_numbers: false,
            reference: None,
            repeatable: false,
            extended: false,
        }
    }

    fn run(mut self) -> Result<(), RegexError> {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\\' => self.escape()?,
                b'[' => self.class()?,
                b'(' => self.group()?,
                b')' => self.close()?,
                b'*' | b'+' | b'?' => self.repeat(1)?,
                b'{' => self.count()?,
                b'|' => self.step(1, false),
                b'#' if self.extended => self.skip_past(b'\n'),
                blank if self.extended && blank.is_ascii_whitespace() => self.at += 1,
                _ => self.step(1, true),
            }
        }
        if let Some(&start) = self.open.last() {
            return fail(Mistake::UnclosedGroup, start..start + 1);
        }
        match self.reference {
            Some((number, range)) if number > self.groups && !self.shares_numbers => fail(Mistake::NoSuchGroup, range),
            _ => Ok(()),
        }
    }

    fn step(&mut self, length: usize, repeatable: bool) {
        self.at += length;
        self.repeatable = repeatable;
    }

    fn rest(&self) -> &'r [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Goes behind the next `end`, or to the end of the expression.
    fn skip_past(&mut self, end: u8) {
        let length = self.rest().iter().position(|&byte| byte == end);
        self.at = length.map_or(self.bytes.len(), |length| self.at + length + 1);
    }

    fn escape(&mut self) -> Result<(), RegexError> {
        let start = self.at;
        match self.rest().get(1) {
            None => return fail(Mistake::BackslashAtEnd, start..start + 1),
            // Everything up to \E stands for itself.
            Some(b'Q') => {
                let rest = self.rest();
                let end = rest.windows(2).position(|pair| pair == b"\\E");
                return {
                    self.step(end.map_or(rest.len(), |end| end + 2), true);
                    Ok(())
                };
            }
            Some(&digit @ b'1'..=b'9') if !self.rest().get(2).is_some_and(u8::is_ascii_digit) => {
                let number = usize::from(digit - b'0');
                if self.reference.as_ref().is_none_or(|(greatest, _)| *greatest < number) {
                    self.reference = Some((number, start..start + 2));
                }
                self.step(2, true);
            }
            // \x{…}, \p{…}, \k<…> and the like: what is in the braces is no count.
            Some(b'x' | b'o' | b'p' | b'P' | b'N' | b'g' | b'k') if self.rest().get(2) == Some(&b'{') => {
                self.skip_past(b'}');
                self.repeatable = true;
            }
            Some(_) => self.step(2, true),
        }
        Ok(())
    }

    fn class(&mut self) -> Result<(), RegexError> {
        let start = self.at;
        self.at += 1;
        if self.rest().first() == Some(&b'^') {
            self.at += 1;
        }
        let first = self.at;
        // The left end of a range, if what was just read can be one.
        let mut left: Option<(char, usize)> = None;
        loop {
            let rest = self.rest();
            match rest {
                [] => return fail(Mistake::UnclosedClass, start..start + 1),
                [b']', ..] if self.at > first => break,
                [b'[', mark @ (b':' | b'.' | b'='), inner @ ..] if posix_end(inner, *mark).is_some() => {
                    self.at += 2 + posix_end(inner, *mark).unwrap_or_default();
                    left = None;
                }
                [b'\\'] => return fail(Mistake::UnclosedClass, start..start + 1),
                [b'\\', b'Q', ..] => {
                    let end = rest.windows(2).position(|pair| pair == b"\\E");
                    self.at += end.map_or(rest.len(), |end| end + 2);
                    left = None;
                }
                [b'\\', ..] => {
                    self.at += 2;
                    left = None;
                }
                // `[a--b]` takes a class from another one, for some engines.
                [b'-', end, ..] if left.is_some() && !matches!(end, b']' | b'\\' | b'[' | b'-') => {
                    let begin = left.take();
                    self.at += 1;
                    let (end, length) = self.character();
                    if let Some((begin, at)) = begin.filter(|(begin, _)| *begin > end) {
                        return fail(Mistake::RangeReversed, at..at + begin.len_utf8() + 1 + length);
                    }
                    self.at += length;
                }
                _ => {
                    let (character, length) = self.character();
                    let opening = self.regex.get(first..self.at + length).unwrap_or_default();
                    // For some engines what opens a class is never the end of a range: `[]-:]` is three characters.
                    let opens = opening.chars().all(|one| matches!(one, ']' | '-'));
                    left = (!opens).then_some((character, self.at));
                    self.at += length;
                }
            }
        }
        self.step(1, true);
        Ok(())
    }

    /// The character here, and its length.
    fn character(&self) -> (char, usize) {
        let character = self.regex.get(self.at..).and_then(|rest| rest.chars().next());
        character.map_or(('\0', 1), |character| (character, character.len_utf8()))
    }

    fn group(&mut self) -> Result<(), RegexError> {
        let start = self.at;
        self.open.push(start);
        let rest = self.rest();
        match rest {
            // A verb, (*SKIP), or a group by its long name, (*pla:…).
            [b'(', b'*', letter, tail @ ..] if letter.is_ascii_alphabetic() => {
                let name = tail.iter().take_while(|byte| !matches!(byte, b':' | b')')).count();
                if letter.is_ascii_lowercase() && tail.get(name) == Some(&b':') {
                    self.step(name + 4, false);
                } else {
                    self.open.pop();
                    self.skip_past(b')');
                    self.repeatable = false;
                }
            }
            [b'(', b'?', b'#', ..] => {
                self.open.pop();
                self.skip_past(b')');
            }
            [b'(', b'?', tail @ ..] => {
                let length = self.group_kind(tail, start)?;
                self.step(2 + length, false);
            }
            _ => {
                self.groups += 1;
                self.step(1, false);
            }
        }
        Ok(())
    }

    /// What stands behind `(?`: its length.
    fn group_kind(&mut self, tail: &[u8], start: usize) -> Result<usize, RegexError> {
        let end_of = |end: u8| tail.iter().position(|&byte| byte == end).map(|at| at + 1);
        let bad = || fail(Mistake::BadGroup, start..start + 2);
        match tail {
            [b':' | b'=' | b'!' | b'>', ..] => Ok(1),
            [b'|', ..] => {
                self.shares_numbers = true;
                Ok(1)
            }
            [b'<', b'=' | b'!', ..] => Ok(2),
            [b'<', ..] | [b'P', b'<', ..] => {
                self.groups += 1;
                end_of(b'>').map_or_else(bad, Ok)
            }
            [b'\'', ..] => {
                self.groups += 1;
                let name = tail.iter().skip(1).position(|&byte| byte == b'\'');
                name.map_or_else(bad, |at| Ok(at + 2))
            }
            // A condition is a group of its own, or a name or number in parentheses.
            [b'(', b'?', ..] => Ok(0),
            [b'(', ..] => end_of(b')').map_or_else(bad, Ok),
            // Recursion, references and callouts have nothing inside but their name.
            [b'P', b'=' | b'>', ..] | [b'R' | b'&' | b'C' | b'0'..=b'9', ..] | [b'+' | b'-', b'0'..=b'9', ..] => {
                end_of(b')').map_or_else(bad, |at| Ok(at - 1))
            }
            _ => {
                let length =
                    tail.iter().take_while(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'^')).count();
                match tail.get(length) {
                    Some(b')' | b':') => {
                        let on = tail[..length].split(|&byte| byte == b'-').next().unwrap_or_default();
                        self.extended |= on.contains(&b'x');
                        Ok(length + usize::from(tail[length] == b':'))
                    }
                    _ => bad(),
                }
            }
        }
    }

    fn close(&mut self) -> Result<(), RegexError> {
        if self.open.pop().is_none() {
            return fail(Mistake::UnopenedGroup, self.at..self.at + 1);
        }
        self.step(1, true);
        Ok(())
    }

    fn repeat(&mut self, length: usize) -> Result<(), RegexError> {
        if !self.repeatable {
            return fail(Mistake::NothingToRepeat, self.at..self.at + length);
        }
        self.step(length, false);
        // Lazy or possessive.
        if matches!(self.rest().first(), Some(b'?' | b'+')) {
            self.at += 1;
        }
        Ok(())
    }

    /// `{2}`, `{2,}`, `{2,5}`; any other brace is a character.
    fn count(&mut self) -> Result<(), RegexError> {
        let inner = self.rest().get(1..).unwrap_or_default();
        let least = digits(inner);
        let (greatest, end) = match inner.get(least.len()) {
            Some(b',') => {
                let greatest = digits(&inner[least.len() + 1..]);
                (greatest, least.len() + 1 + greatest.len())
            }
            _ => (least, least.len()),
        };
        if least.is_empty() || inner.get(end) != Some(&b'}') {
            self.step(1, true);
            return Ok(());
        }
        let range = self.at..self.at + end + 2;
        let (Some(least), greatest) =
            (value(least), if greatest.is_empty() { Some(u32::MAX) } else { value(greatest) })
        else {
            return fail(Mistake::CountTooBig, range);
        };
        match greatest {
            None => fail(Mistake::CountTooBig, range),
            Some(greatest) if greatest < least => fail(Mistake::CountsReversed, range),
            Some(_) => self.repeat(end + 2),
        }
    }
}

fn fail<T>(mistake: Mistake, range: Range<usize>) -> Result<T, RegexError> {
    Err(RegexError { mistake, range })
}

/// Where a POSIX class such as `[:alpha:]` ends, counted behind its first mark.
fn posix_end(inner: &[u8], mark: u8) -> Option<usize> {
    let name = inner.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'^').count();
    (inner.get(name) == Some(&mark) && inner.get(name + 1) == Some(&b']')).then_some(name + 2)
}

fn digits(bytes: &[u8]) -> &[u8] {
    let length = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    &bytes[..length]
}

/// A count, if PCRE can hold it.
fn value(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|value| *value <= 65_535)
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
