//! Parts of an input, and the objects in them.

use std::{borrow::Cow, ops::Range, sync::OnceLock};

use super::{
    fault::{Fault, ObjectError},
    object,
};

/// A part of an input: its text, and where the objects in it stand.
///
/// Batches are independent of each other: parse several on several cores, and take them in order.
#[derive(Debug)]
pub struct Batch {
    /// Where `text` begins in the input, in bytes.
    pub(super) base: u64,
    /// The line that `text` begins in, counted from 1.
    pub(super) line: u64,
    pub(super) text: Vec<u8>,
    pub(super) found: Vec<Found>,
    /// The line of each object; counted only if someone asks.
    pub(super) lines: OnceLock<Vec<u64>>,
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
        let found = self.batch.found[self.index].object_type.clone();
        object::type_text(self.raw, found.map(|range| &self.batch.text[range]))
    }

    /// The line that it begins in, counted from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.batch.lines()[self.index]
    }

    /// What is wrong with it, with its position in the input.
    #[must_use]
    pub fn fault(&self, error: &ObjectError) -> Fault {
        let before = &self.raw[..error.offset.min(self.raw.len())];
        Fault {
            offset: self.offset + before.len() as u64,
            line: self.line() + newlines(before),
            id: error.id.clone(),
            diagnostic: error.diagnostic(),
        }
    }
}

impl Batch {
    /// The objects, in the order of the input.
    pub fn objects(&self) -> impl ExactSizeIterator<Item = Object<'_>> {
        self.found.iter().enumerate().map(|(index, found)| Object {
            raw: &self.text[found.range.clone()],
            offset: self.base + found.range.start as u64,
            batch: self,
            index,
        })
    }

    fn lines(&self) -> &[u64] {
        self.lines.get_or_init(|| {
            let (mut line, mut counted) = (self.line, 0);
            let start_lines = self.found.iter().map(|found| {
                line += newlines(&self.text[counted..found.range.start]);
                counted = found.range.start;
                line
            });
            start_lines.collect()
        })
    }
}

/// How many lines end in `text`.
pub(super) fn newlines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}
