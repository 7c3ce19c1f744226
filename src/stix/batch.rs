//! Parts of an input, and the objects in them.

use std::{borrow::Cow, ops::Range, sync::OnceLock};

use super::{fault::Fault, object};

pub(super) const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// A part of an input: its text, and where the objects in it stand.
///
/// Batches are independent of each other: parse several on several cores, and take them in order.
#[derive(Debug)]
pub struct Batch {
    /// Where `text` begins in the input, in bytes.
    pub(super) base: u64,
    /// The line that `text` begins in, counted from 1.
    pub(super) line: u64,
    /// Characters of that line before `text`.
    pub(super) column: u64,
    pub(super) text: Vec<u8>,
    pub(super) found: Vec<Found>,
    /// The line of each object, and the characters of that line before it; counted only if someone asks.
    pub(super) starts: OnceLock<Vec<(u64, u64)>>,
    /// What is wrong between the objects, or with the input as a whole.
    pub faults: Vec<Fault>,
}

/// Where an object stands in the text of its batch.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) range: Range<usize>,
    /// The value of its `type`, where the scanner saw it.
    pub(super) object_type: Option<Range<usize>>,
}

/// The text of one object, not parsed yet.
#[derive(Debug, Clone, Copy)]
pub struct Object<'b> {
    /// From `{` to `}`. Its braces are balanced and it has a `type`; nothing else is known of it.
    pub raw: &'b [u8],
    /// Where it begins in the input, in bytes.
    pub offset: u64,
    batch: &'b Batch,
    index: usize,
}

impl<'b> Object<'b> {
    /// Its `type`, as [`super::object_type`] reads it.
    #[must_use]
    pub fn object_type(&self) -> Option<Cow<'b, str>> {
        match self.batch.found[self.index].object_type.clone() {
            Some(range) => object::type_text(self.raw, Some(&self.batch.text[range])),
            None => object::object_type(self.raw),
        }
    }

    /// The line that it begins in, counted from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.start().0
    }

    /// Its line, and the characters of that line before it.
    pub(super) fn start(&self) -> (u64, u64) {
        self.batch.starts()[self.index]
    }
}

impl Batch {
    /// A batch without objects that begins `offset` bytes after the beginning of the input, in the line `line`.
    #[must_use]
    pub fn at(offset: u64, line: u64) -> Self {
        Self {
            base: offset,
            line,
            column: 0,
            text: Vec::new(),
            found: Vec::new(),
            starts: OnceLock::new(),
            faults: Vec::new(),
        }
    }

    /// Adds an object, in a line of its own.
    pub fn push(&mut self, raw: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(raw);
        self.found.push(Found { range: start..self.text.len(), object_type: None });
        self.text.push(b'\n');
    }

    /// Bytes of its text.
    #[must_use]
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// The objects, in the order of the input.
    pub fn objects(&self) -> impl ExactSizeIterator<Item = Object<'_>> {
        self.found.iter().enumerate().map(|(index, found)| Object {
            raw: &self.text[found.range.clone()],
            offset: self.base + found.range.start as u64,
            batch: self,
            index,
        })
    }

    fn starts(&self) -> &[(u64, u64)] {
        self.starts.get_or_init(|| {
            let (mut line, mut column, mut counted) = (self.line, self.column, 0);
            let starts = self.found.iter().map(|found| {
                let passed = &self.text[counted..found.range.start];
                line += newlines(passed);
                column = column_after(column, passed);
                counted = found.range.start;
                (line, column)
            });
            starts.collect()
        })
    }
}

/// Characters between the beginning of a line and the end of `text`, which stands `column` characters after the
/// beginning of its own first line. A byte-order mark is no character.
pub(super) fn column_after(column: u64, text: &[u8]) -> u64 {
    let characters = |text: &[u8]| text.iter().filter(|&byte| byte & 0xC0 != 0x80).count() as u64;
    match memchr::memrchr(b'\n', text) {
        Some(newline) => characters(&text[newline + 1..]),
        None => column + characters(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)),
    }
}

/// How many lines end in `text`.
pub(super) fn newlines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}
