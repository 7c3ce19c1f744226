//! Where a pattern is written in a file.

use crate::{
    span::Span,
    stix::{Position, json_range},
};

/// Where a pattern is written.
#[derive(Debug, Clone)]
pub(super) struct Location {
    /// The file, as its input is called.
    pub file: String,
    /// Its first byte, or the quote before it.
    pub start: Position,
    /// It with quotes and escapes, where the file is JSON.
    pub json: Option<String>,
}

/// A part of a file, within one line.
#[derive(Debug)]
pub(super) struct Region<'a> {
    /// Its beginning.
    pub start: Position,
    /// Its text as the file has it.
    pub text: &'a str,
}

impl Location {
    /// Where `span` of the pattern is in the file; all of it without a span.
    pub(super) fn region<'a>(&'a self, pattern: &'a str, span: Option<Span>) -> Region<'a> {
        let span = span.map_or(0..pattern.len(), |span| span.start as usize..span.end as usize);
        let (written, range) = match &self.json {
            Some(json) => (json.as_str(), json_range(json, span)),
            None => (pattern, span),
        };
        let before = written.get(..range.start).unwrap_or_default();
        let Position { offset, line, column } = self.start;
        Region {
            start: Position {
                offset: offset + before.len() as u64,
                line,
                column: column + before.chars().count() as u64,
            },
            text: written.get(range).unwrap_or_default(),
        }
    }
}
