//! What PCRE has beyond the expressions of the crate `regex`, written as something plain.

use std::ops::Range;

/// An expression with a plain one of the same length in place of all that only PCRE knows, so that each place in it is a
/// place in the original.
pub(super) struct Plain<'r> {
    original: &'r [u8],
    text: Vec<u8>,
    at: usize,
    /// Groups that can be referred to by number.
    groups: usize,
    /// Whether groups share numbers, so that they can't be counted.
    shares_numbers: bool,
    /// The greatest back-reference of one digit, and where it stands.
    reference: Option<(usize, Range<usize>)>,
    /// Whether blanks and comments are skipped: `(?x)`.
    extended: bool,
    /// Where something begins like a group, and is none. The text ends there.
    pub bad_group: Option<usize>,
}

impl<'r> Plain<'r> {
    pub fn new(regex: &'r str) -> Self {
        let mut plain = Self {
            original: regex.as_bytes(),
            text: regex.as_bytes().to_vec(),
            at: 0,
            groups: 0,
            shares_numbers: false,
            reference: None,
            extended: false,
            bad_group: None,
        };
        while let (Some(&byte), None) = (plain.original.get(plain.at), plain.bad_group) {
            match byte {
                b'\\' => plain.escape(),
                b'[' => plain.class(),
                b'(' => plain.group(),
                b'*' | b'+' | b'?' => plain.quantifier(1),
                b'{' => match count(plain.rest()) {
                    Some(length) => plain.quantifier(length),
                    // A brace that begins no count is a character.
                    None => plain.fill(1, b'a'),
                },
                b'#' if plain.extended => plain.fill(plain.length_to(b'\n'), b'a'),
                _ => plain.at += 1,
            }
        }
        plain.text.truncate(plain.bad_group.unwrap_or(plain.text.len()));
        plain
    }

    pub fn text(&self) -> Option<&str> {
        // What is put in is ASCII, in place of whole characters.
        std::str::from_utf8(&self.text).ok()
    }

    /// A back-reference to a group that there is not.
    pub fn lone_reference(&self) -> Option<Range<usize>> {
        let (number, range) = self.reference.clone()?;
        (number > self.groups && !self.shares_numbers).then_some(range)
    }

    fn rest(&self) -> &'r [u8] {
        self.original.get(self.at..).unwrap_or_default()
    }

    /// The length up to and with the next `end`, or all of the rest.
    fn length_to(&self, end: u8) -> usize {
        let rest = self.rest();
        rest.iter().position(|&byte| byte == end).map_or(rest.len(), |length| length + 1)
    }

    /// Writes one character in place of the next bytes.
    fn fill(&mut self, length: usize, byte: u8) {
        let end = (self.at + length).min(self.text.len());
        self.text[self.at..end].fill(byte);
        self.at = end;
    }

    /// The length of a quoted text, `\Q…\E`, or of an escape.
    fn escaped_length(&self) -> usize {
        let rest = self.rest();
        match rest.get(1) {
            Some(b'Q') => rest.windows(2).position(|pair| pair == b"\\E").map_or(rest.len(), |end| end + 2),
            // \x{…}, \p{…}, \k<…> and the like: what is in the braces is no count.
            Some(b'x' | b'o' | b'p' | b'P' | b'N' | b'g' | b'k') if rest.get(2) == Some(&b'{') => self.length_to(b'}'),
            Some(next) if next.is_ascii() => 2,
            _ => 1,
        }
    }

    fn escape(&mut self) {
        match self.rest() {
            [_] => self.at += 1,
            [_, digit @ b'1'..=b'9', rest @ ..] if !rest.first().is_some_and(u8::is_ascii_digit) => {
                let number = usize::from(digit - b'0');
                if self.reference.as_ref().is_none_or(|(greatest, _)| *greatest < number) {
                    self.reference = Some((number, self.at..self.at + 2));
                }
                self.fill(2, b'a');
            }
            _ => self.fill(self.escaped_length(), b'a'),
        }
    }

    fn class(&mut self) {
        self.at += if self.rest().get(1) == Some(&b'^') { 2 } else { 1 };
        let first = self.at;
        loop {
            let length = match self.rest() {
                [] => return,
                [b']', ..] if self.at > first => break,
                [b'[', mark @ (b':' | b'.' | b'='), inner @ ..] => {
                    posix_end(inner, *mark).map_or(1, |length| length + 2)
                }
                [b'\\', ..] => self.escaped_length(),
                // Some engines have sets of classes.
                [b'&', b'&', ..] | [b'~', b'~', ..] | [b'-', b'-', ..] => 2,
                [b'[' | b']', ..] => 1,
                _ => {
                    self.at += 1;
                    continue;
                }
            };
            // It is no end of a range.
            if self.at > first && self.text[self.at - 1] == b'-' {
                self.text[self.at - 1] = b'a';
            }
            self.fill(length, b'a');
            while self.rest().first() == Some(&b'-') {
                self.fill(1, b'a');
            }
        }
        self.at += 1;
    }

    /// A quantifier and the sign behind it: possessive is shown as lazy.
    fn quantifier(&mut self, length: usize) {
        self.at += length;
        if matches!(self.rest().first(), Some(b'?' | b'+')) {
            self.fill(1, b'?');
        }
    }

    fn group(&mut self) {
        match self.rest() {
            // A verb, (*SKIP), or a group by its long name, (*pla:…).
            [b'(', b'*', letter, tail @ ..] if letter.is_ascii_alphabetic() => {
                let name = tail.iter().take_while(|byte| !matches!(byte, b':' | b')')).count();
                if letter.is_ascii_lowercase() && tail.get(name) == Some(&b':') {
                    self.open(name + 4);
                } else {
                    self.fill(self.length_to(b')'), b'|');
                }
            }
            [b'(', b'?', b'#', ..] => self.fill(self.length_to(b')'), b'a'),
            [b'(', b'?', tail @ ..] => match self.group_kind(tail) {
                Some(length) => self.open(2 + length),
                None => self.bad_group = Some(self.at),
            },
            _ => {
                self.groups += 1;
                self.at += 1;
            }
        }
    }

    /// Writes the beginning of a group in place of another one. There is nothing to repeat behind it.
    fn open(&mut self, length: usize) {
        let start = self.at;
        self.fill(length, b'|');
        let begin: &[u8] = if length > 2 { b"(?:" } else { b"(" };
        self.text[start..start + begin.len()].copy_from_slice(begin);
    }

    /// What stands behind `(?`: its length.
    fn group_kind(&mut self, tail: &[u8]) -> Option<usize> {
        let length_to = |end: u8| tail.iter().position(|&byte| byte == end);
        match tail {
            [b':' | b'=' | b'!' | b'>', ..] => Some(1),
            [b'|', ..] => {
                self.shares_numbers = true;
                Some(1)
            }
            [b'<', b'=' | b'!', ..] => Some(2),
            [b'<', ..] | [b'P', b'<', ..] => {
                self.groups += 1;
                Some(length_to(b'>')? + 1)
            }
            [b'\'', name @ ..] => {
                self.groups += 1;
                Some(name.iter().position(|&byte| byte == b'\'')? + 2)
            }
            // A condition is a group of its own, or a name or number in parentheses.
            [b'(', b'?', ..] => Some(0),
            [b'(', ..] => Some(length_to(b')')? + 1),
            // Recursion, references and callouts have nothing inside but their name.
            [b'P', b'=' | b'>', ..] | [b'R' | b'&' | b'C' | b'0'..=b'9', ..] | [b'+' | b'-', b'0'..=b'9', ..] => {
                length_to(b')')
            }
            _ => {
                let length = tail.iter().position(|byte| !byte.is_ascii_alphabetic() && !b"-^".contains(byte))?;
                let on = tail[..length].split(|&byte| byte == b'-').next().unwrap_or_default();
                self.extended |= on.contains(&b'x');
                match tail[length] {
                    b')' => Some(length),
                    b':' => Some(length + 1),
                    _ => None,
                }
            }
        }
    }
}

/// The length of `{2}`, `{2,}` or `{2,5}`.
fn count(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let least = digits(1);
    let end = if text.get(1 + least) == Some(&b',') { 2 + least + digits(2 + least) } else { 1 + least };
    (least > 0 && text.get(end) == Some(&b'}')).then_some(end + 1)
}

/// Where a POSIX class such as `[:alpha:]` ends, counted behind its first mark.
fn posix_end(inner: &[u8], mark: u8) -> Option<usize> {
    let name = inner.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'^').count();
    (inner.get(name) == Some(&mark) && inner.get(name + 1) == Some(&b']')).then_some(name + 2)
}
