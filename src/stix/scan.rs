//! Finds where JSON values end without parsing them.
//!
//! Everything here is iterative and looks only at quotes, backslashes and brackets; whether the text between them is
//! JSON is for the parser to say. On broken text it errs towards the next object: a string never goes past its line
//! (JSON forbids that), and a quote that closes a string where no string can end opens the next one instead.

use std::ops::Range;

/// The index of the first `"`, `\` or line feed at or after `from`.
fn string_stop(bytes: &[u8], from: usize) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    // Most strings are short: eight bytes at a step beat the start-up cost of a vectorised search.
    const SHORT: usize = 48;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & TOPS;
    let mut at = from;
    while at < from + SHORT {
        let Some(chunk) = bytes.get(at..at + 8).and_then(|eight| <[u8; 8]>::try_from(eight).ok()) else { break };
        let word = u64::from_le_bytes(chunk);
        let hits = zeros(word ^ (ONES * u64::from(b'"')))
            | zeros(word ^ (ONES * u64::from(b'\\')))
            | zeros(word ^ (ONES * u64::from(b'\n')));
        if hits != 0 {
            return Some(at + hits.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    memchr::memchr3(b'"', b'\\', b'\n', bytes.get(at..)?).map(|found| at + found)
}

/// Whether `byte` may follow a string in JSON.
fn follows_string(byte: u8) -> bool {
    matches!(byte, b',' | b':' | b'}' | b']') || byte.is_ascii_whitespace()
}

/// Looks for the end of a value in brackets, across any number of chunks.
#[derive(Debug, Clone)]
pub(super) struct Nesting {
    open: u8,
    close: u8,
    depth: u64,
    /// How many lists are open in an object.
    lists: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Structure,
    String,
    /// Just after a backslash.
    Escape,
    /// Just after a quote that should end a string.
    Closed,
}

impl Nesting {
    /// For an object; the first byte fed is its `{`.
    pub(super) fn object() -> Self {
        Self { open: b'{', close: b'}', depth: 0, lists: 0, state: State::Structure }
    }

    /// For an object; the bytes fed begin inside it, at its own level and outside of strings.
    pub(super) fn inside_object() -> Self {
        Self { depth: 1, ..Self::object() }
    }

    /// For a list; the first byte fed is its `[`.
    pub(super) fn list() -> Self {
        Self { open: b'[', close: b']', ..Self::object() }
    }

    /// Looks at `bytes` for the closing bracket.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Fed {
        let mut at = 0;
        loop {
            match self.state {
                State::Structure => loop {
                    let Some(&byte) = bytes.get(at) else { return Fed::More };
                    at += 1;
                    if byte == b'"' {
                        self.state = State::String;
                        break;
                    } else if byte == self.open {
                        self.depth += 1;
                    } else if byte == self.close {
                        self.depth = self.depth.saturating_sub(1);
                        if self.depth == 0 {
                            return Fed::End(at);
                        }
                    } else if byte == b'[' {
                        self.lists += 1;
                    } else if byte == b']' {
                        match self.lists.checked_sub(1) {
                            Some(lists) => self.lists = lists,
                            None => return Fed::Astray(at),
                        }
                    }
                },
                State::String => {
                    let Some(stop) = string_stop(bytes, at) else { return Fed::More };
                    at = stop + 1;
                    self.state = match bytes[stop] {
                        b'"' => State::Closed,
                        b'\\' => State::Escape,
                        _ => State::Structure,
                    };
                }
                State::Escape => {
                    let Some(&byte) = bytes.get(at) else { return Fed::More };
                    at += 1;
                    self.state = if byte == b'\n' { State::Structure } else { State::String };
                }
                State::Closed => {
                    let Some(&byte) = bytes.get(at) else { return Fed::More };
                    self.state = if follows_string(byte) { State::Structure } else { State::String };
                }
            }
        }
    }
}

/// What [`Nesting::feed`] found.
pub(super) enum Fed {
    /// The closing bracket is just before this index.
    End(usize),
    /// Just before this index a list is closed that the object never opened. Go on from there if nothing better is to do.
    Astray(usize),
    /// All bytes are inside of the value: feed those that follow.
    More,
}

/// The index of the quote that ends the string whose text begins at `from`.
pub(super) fn string_end(bytes: &[u8], from: usize) -> StringEnd {
    let mut at = from;
    loop {
        match string_stop(bytes, at) {
            Some(stop) if bytes[stop] == b'"' => return StringEnd::At(stop),
            Some(stop) if bytes[stop] == b'\\' => at = stop + 2,
            Some(_) => return StringEnd::Broken,
            None => return StringEnd::Incomplete,
        }
    }
}

/// What [`string_end`] found.
pub(super) enum StringEnd {
    /// The closing quote.
    At(usize),
    /// The line ends within the string.
    Broken,
    /// The bytes end within the string.
    Incomplete,
}

/// What [`members`] found.
pub(super) enum Members {
    /// The object is a bundle or an envelope: a list under `objects` opens at this index.
    Objects(usize),
    /// The object ends; this is the index of its `}`.
    End(usize),
    /// The object is neither bundle nor envelope; it goes on at this index, at its own level and outside of strings.
    Plain(usize),
    /// The bytes end within the object.
    Incomplete,
}

/// Walks over an object's members from `from` (inside the object, between members) until it is known what the object is.
///
/// `object_type` is set to where the text of the member `type` stands. With `container` the object is known to be a
/// bundle or an envelope, and the walk goes on to its end or its next list of objects.
pub(super) fn members(bytes: &[u8], from: usize, container: bool, object_type: &mut Option<Range<usize>>) -> Members {
    let mut at = from;
    loop {
        let member = skip(bytes, at, |byte| byte == b',' || byte.is_ascii_whitespace());
        let text = match bytes.get(member) {
            None => return Members::Incomplete,
            Some(b'}') => return Members::End(member),
            Some(b'"') => member + 1,
            Some(_) => return Members::Plain(member),
        };
        let key = match string_end(bytes, text) {
            StringEnd::At(end) => text..end,
            StringEnd::Broken => return Members::Plain(member),
            StringEnd::Incomplete => return Members::Incomplete,
        };
        let colon = skip(bytes, key.end + 1, |byte| byte.is_ascii_whitespace());
        let value = skip(bytes, colon + 1, |byte| byte.is_ascii_whitespace());
        let (Some(&sign), Some(&first)) = (bytes.get(colon), bytes.get(value)) else {
            return Members::Incomplete;
        };
        if sign != b':' {
            return Members::Plain(member);
        }
        let end = match first {
            b'[' if &bytes[key.clone()] == b"objects" => return Members::Objects(value),
            b'"' => match string_end(bytes, value + 1) {
                StringEnd::At(end) => end + 1,
                StringEnd::Broken => return Members::Plain(member),
                StringEnd::Incomplete => return Members::Incomplete,
            },
            b'{' | b'[' => {
                let mut nesting = if first == b'{' { Nesting::object() } else { Nesting::list() };
                match nesting.feed(&bytes[value..]) {
                    Fed::End(length) => value + length,
                    Fed::Astray(_) => return Members::Plain(member),
                    Fed::More => return Members::Incomplete,
                }
            }
            _ => skip(bytes, value, |byte| !matches!(byte, b',' | b'}' | b'"' | b'{')),
        };
        match bytes.get(end) {
            None => return Members::Incomplete,
            Some(&byte) if !follows_string(byte) => return Members::Plain(member),
            Some(_) => {}
        }
        if !container && first == b'"' && &bytes[key] == b"type" {
            *object_type = Some(value + 1..end - 1);
            if &bytes[value + 1..end - 1] != b"bundle" {
                return Members::Plain(end);
            }
        }
        at = end;
    }
}

/// The first index at or after `from` whose byte is not `skipped`.
pub(super) fn skip(bytes: &[u8], from: usize, skipped: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|&byte| !skipped(byte)).unwrap_or(rest.len())
}
