//! Reads the objects of bundles, envelopes, lists and lines as a stream.

use std::{io::Read, ops::Range, sync::OnceLock};

use serde::de::IgnoredAny;

use super::{
    batch::{BYTE_ORDER_MARK, Batch, Found, column_after, newlines},
    codes,
    fault::{Fault, ObjectErrorKind},
    foreign::{self, Judged, LOOK, describe},
    frame::{Due, Frame, Frames},
    object,
    scan::{self, Fed, Members, Nesting, StringEnd},
};
use crate::diagnostic::Diagnostic;

/// The largest object that is read, in bytes.
pub const OBJECT_LIMIT: usize = 64 << 20;

/// How much is read at once, in bytes.
const BATCH: usize = 2 << 20;

/// What stands in for a container before the end of its list.
const BEFORE: &str = "{\"\":[]";

/// Lists within lists, and bundles within bundles, that are followed.
const DEPTH_LIMIT: usize = 64;

/// How often an object without end is given up for the next one, before the rest of the input is given up.
const RECOVERIES: u32 = 100;

/// Finds the STIX objects in an input, a batch at a time.
///
/// The input may be a bundle (STIX 2.1, section 8), a TAXII envelope (TAXII 2.1, section 3.7), a list of objects or
/// bundles, one object, or any number of these one after the other, as in a file with an object a line. A byte-order mark
/// is skipped. At most the objects of one batch are held in memory. What stands between the objects must be JSON; the text
/// of each object is not looked at here, but by [`Object::check`](super::Object::check) and by whoever parses it.
///
/// What is wrong is in [`Batch::faults`]; the objects before and, where their beginning can be told, after it are found
/// all the same.
#[derive(Debug)]
pub struct BundleReader<R> {
    reader: R,
    /// What was read and not yet handed out.
    window: Vec<u8>,
    /// Where the window begins in the input.
    base: u64,
    /// `counted` is in the line `line`, after `counted_column` characters of it.
    line: u64,
    counted: usize,
    counted_column: u64,
    /// Characters between the beginning of a line and the window.
    column: u64,
    /// Everything in the window before this was looked at.
    at: usize,
    mode: Mode,
    frames: Frames,
    batch: usize,
    limit: usize,
    recoveries: u32,
    /// Nothing more can be read.
    drained: bool,
    /// An object was seen that stands alone and in one line: the next ones do the same.
    lines: bool,
    /// A value was seen.
    begun: bool,
    /// An object was seen to its end.
    any: bool,
    /// Something that is no object was reported, and no object was found since.
    strayed: bool,
    /// A comma that is missing or misplaced was reported; one is enough.
    misplaced: bool,
    ended: bool,
    found: Vec<Found>,
    faults: Vec<Fault>,
}

#[derive(Debug)]
enum Mode {
    /// Between values, or between the members of a container.
    Between,
    /// Just before the `{` of something that may be an object or a container.
    Opening,
    /// Inside an object.
    Object { start: usize, nesting: Nesting, object_type: Option<Range<usize>> },
    /// Inside an object that is too large.
    Oversized(Nesting),
    /// Between values, over what is no value.
    Stray,
}

/// What a step says about the window.
#[derive(PartialEq, Eq)]
enum Step {
    /// Go on.
    Done,
    /// More bytes are needed.
    Starved,
    /// The rest of the input is of no use.
    Over,
}

/// What can still be read.
#[derive(PartialEq, Eq)]
enum Source {
    Open,
    Ended,
    Failed,
}

impl<R: Read> BundleReader<R> {
    /// Reads from `reader`, which needs no buffer of its own.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            window: Vec::new(),
            base: 0,
            line: 1,
            counted: 0,
            counted_column: 0,
            column: 0,
            at: 0,
            mode: Mode::Between,
            frames: Frames::default(),
            batch: BATCH,
            limit: OBJECT_LIMIT,
            recoveries: 0,
            drained: false,
            lines: false,
            begun: false,
            any: false,
            strayed: false,
            misplaced: false,
            ended: false,
            found: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// The same, with about `batch` bytes a batch and at most `limit` bytes an object.
    #[must_use]
    pub fn with_sizes(self, batch: usize, limit: usize) -> Self {
        Self { batch: batch.max(1), limit: limit.max(1), ..self }
    }

    /// Reads on. An object that does not fit is met with ever larger steps, so that
    /// looking at its beginning again costs no more than reading it.
    fn fill(&mut self) -> Source {
        let wanted = self.batch.max(self.window.len());
        self.window.reserve(wanted);
        match self.reader.by_ref().take(wanted as u64).read_to_end(&mut self.window) {
            Ok(length) if length < wanted => Source::Ended,
            Ok(_) => Source::Open,
            Err(error) => {
                let message = format!("cannot read further: {error}");
                self.fault(self.window.len(), Diagnostic::error(codes::UNREADABLE, message));
                Source::Failed
            }
        }
    }

    fn scan(&mut self) -> Step {
        loop {
            let step = match &mut self.mode {
                Mode::Between if matches!(self.frames.last(), Some(Frame::Container(_))) => self.container(),
                Mode::Between => self.between(),
                Mode::Opening => self.opening(),
                Mode::Object { .. } => self.object(),
                Mode::Oversized(nesting) => match nesting.feed(&self.window[self.at..]) {
                    Fed::End(length) => {
                        self.at += length;
                        self.mode = Mode::Between;
                        Step::Done
                    }
                    Fed::Astray(length) => {
                        self.at += length;
                        Step::Done
                    }
                    Fed::More => {
                        self.at = self.window.len();
                        Step::Starved
                    }
                },
                Mode::Stray => self.stray(),
            };
            if step != Step::Done {
                return step;
            }
        }
    }

    /// Looks at what follows a value of the input or of a list.
    fn between(&mut self) -> Step {
        self.at = scan::skip(&self.window, self.at, |byte| byte.is_ascii_whitespace());
        let Some(&byte) = self.window.get(self.at) else { return Step::Starved };
        let next = self.window.get(self.at + 1);
        match (byte, self.frames.last()) {
            _ if !self.begun && next.is_none() && !self.drained => return Step::Starved,
            (b'{', _) if self.begun || next != Some(&0) => {
                let wrong = self.frames.value();
                self.misplaced(wrong);
                self.mode = Mode::Opening;
            }
            (b'[', _) if self.begun => {
                let wrong = self.frames.value();
                self.misplaced(wrong);
                return self.enter(Frame::List(Due::ValueOrEnd), self.at + 1);
            }
            (b',', _) if self.begun => {
                let wrong = self.frames.comma();
                self.misplaced(wrong);
                self.at += 1;
            }
            (b']', Some(_)) => {
                let wrong = self.frames.close();
                self.misplaced(wrong);
                self.at += 1;
            }
            // The list of a container is not closed, but the container is.
            (b'}', Some(_)) if self.frames.in_container() => {
                self.stray_fault();
                self.frames.close();
            }
            // What follows decides on what it is.
            _ if self.window.len() - self.at < LOOK && !self.drained => return Step::Starved,
            (0xEF, _) if self.window[self.at..].starts_with(BYTE_ORDER_MARK) => self.at += BYTE_ORDER_MARK.len(),
            (b'[', _) if !foreign::is_pattern(&self.window[self.at..]) => {
                self.begun = true;
                return self.enter(Frame::List(Due::ValueOrEnd), self.at + 1);
            }
            _ if !self.begun => {
                self.fault(self.at, foreign::not_json(&self.window[self.at..]));
                return Step::Over;
            }
            _ => {
                self.stray_fault();
                self.at += usize::from(byte == b'}');
                self.mode = Mode::Stray;
            }
        }
        Step::Done
    }

    /// Says once that a comma is not where it should be: what was made by one program has the same mistake everywhere.
    fn misplaced(&mut self, what: Option<&str>) {
        if let Some(what) = what
            && !std::mem::replace(&mut self.misplaced, true)
        {
            self.fault(self.at, Diagnostic::error(codes::BAD_JSON, format!("not JSON: {what}")));
        }
    }

    /// Finds out whether the text of a container before or behind its list is JSON, with what stands in for the rest.
    fn check_members(&mut self, before: &str, range: Range<usize>, after: &str) {
        if self.frames.last() == Some(Frame::Container(false)) {
            return;
        }
        let text = [before.as_bytes(), &self.window[range.clone()], after.as_bytes()].concat();
        if let Err(error) = object::parse::<IgnoredAny>(&text) {
            let at = range.start + error.offset.saturating_sub(before.len());
            let found = match &error.kind {
                ObjectErrorKind::Syntax { message } => foreign::between(message),
                _ => error.diagnostic(),
            };
            self.fault(at.min(range.end), found);
        }
    }

    /// Goes on at `at`, inside one more list or container.
    fn enter(&mut self, frame: Frame, at: usize) -> Step {
        if self.frames.depth() == DEPTH_LIMIT {
            let message = format!("lists within lists, more than {DEPTH_LIMIT} deep");
            self.fault(self.at, Diagnostic::error(codes::TOO_DEEP, message));
            return Step::Over;
        }
        self.frames.push(frame);
        self.at = at;
        self.mode = Mode::Between;
        Step::Done
    }

    /// Finds out whether the `{` is that of an object or of a container.
    fn opening(&mut self) -> Step {
        let start = self.at;
        let mut object_type = None;
        match scan::members(&self.window, start + 1, false, &mut object_type) {
            Members::Objects(list) => {
                self.begun = true;
                self.check_members("", start..list, "[]}");
                match self.enter(Frame::Container(true), list) {
                    Step::Done => self.enter(Frame::List(Due::ValueOrEnd), list + 1),
                    step => step,
                }
            }
            Members::End(at) | Members::Plain(at) => {
                self.begun = true;
                self.at = at;
                self.mode = Mode::Object { start, nesting: Nesting::inside_object(), object_type };
                Step::Done
            }
            Members::Incomplete if self.window.len() - start > self.limit => {
                self.begun = true;
                self.oversized(start, self.window.len(), Nesting::object());
                Step::Done
            }
            Members::Incomplete => Step::Starved,
        }
    }

    fn oversized(&mut self, start: usize, seen: usize, nesting: Nesting) {
        let message = format!("an object of more than {} bytes was skipped", self.limit);
        self.fault(start, Diagnostic::error(codes::TOO_LARGE, message));
        self.mode = Mode::Oversized(nesting);
        // An object in a line that has no end takes all lines after it along; one that is laid out over many lines is
        // what it seems.
        if self.frames.is_empty()
            && self.window.get(start + 1).is_some_and(|&byte| byte != b'\n')
            && let Some(next) = line_object(&self.window[..seen], start)
        {
            self.lines = true;
            self.at = next;
            self.mode = Mode::Between;
        }
    }

    /// Looks for the end of the object.
    fn object(&mut self) -> Step {
        let Mode::Object { start, nesting, object_type } = &mut self.mode else { return Step::Done };
        let start = *start;
        let end = match nesting.feed(&self.window[self.at..]) {
            Fed::End(length) => Some(self.at + length),
            Fed::More => None,
            Fed::Astray(length) => {
                self.at += length;
                if !self.frames.is_empty() {
                    let message = "the object is not closed before the end of its list, and was skipped";
                    self.resume_after(start, self.at, message);
                }
                return Step::Done;
            }
        };
        self.at = end.unwrap_or(self.window.len());
        let alone = self.frames.is_empty();
        if alone
            && self.lines
            && let Some(next) = line_object(&self.window[..self.at], start)
        {
            let message = "the object does not end in its line, and was skipped";
            self.fault(start, Diagnostic::error(codes::TRUNCATED, message));
            self.at = next;
            self.mode = Mode::Between;
            return Step::Done;
        }
        if self.at - start > self.limit {
            let nesting = nesting.clone();
            self.oversized(start, self.at, nesting);
            if end.is_some() {
                self.mode = Mode::Between;
            }
            return Step::Done;
        }
        let Some(end) = end else { return Step::Starved };
        let found = Found { range: start..end, object_type: object_type.take() };
        self.mode = Mode::Between;
        self.lines |= alone && memchr::memchr(b'\n', &self.window[start..end]).is_none();
        self.found(found);
        Step::Done
    }

    fn found(&mut self, found: Found) {
        self.strayed = false;
        let is_first = !std::mem::replace(&mut self.any, true) && self.frames.is_empty();
        let raw = &self.window[found.range.clone()];
        let readable = |range: &Range<usize>| {
            let name = &self.window[range.clone()];
            name != b"bundle" && name.iter().all(|&byte| byte.is_ascii() && byte != b'\\')
        };
        // Nobody asks for an object whose type can't be read, nor for a bundle without objects: what is wrong with them must
        // be reported here.
        if found.object_type.as_ref().is_some_and(readable) {
            return self.found.push(found);
        }
        let start = found.range.start;
        match foreign::judge(raw, is_first) {
            Judged::Object => self.found.push(found),
            Judged::Empty(remark) => remark.into_iter().for_each(|remark| self.fault(start, remark)),
            Judged::Foreign(what) => self.fault(start, what),
            Judged::Faulty(error) => self.fault_in(start + error.offset, error.diagnostic(), error.id),
        }
    }

    /// Goes on over the members of a container, to its end or its next list of objects.
    fn container(&mut self) -> Step {
        match scan::members(&self.window, self.at, true, &mut None) {
            Members::Objects(list) => {
                self.check_members(BEFORE, self.at..list, "[]}");
                self.enter(Frame::List(Due::ValueOrEnd), list + 1)
            }
            Members::End(at) => {
                self.check_members(BEFORE, self.at..at + 1, "");
                self.at = at + 1;
                self.frames.close();
                Step::Done
            }
            Members::Plain(at) if self.window.len() - at < LOOK && !self.drained => Step::Starved,
            Members::Plain(at) => {
                self.at = at;
                self.stray_fault();
                self.mode = Mode::Stray;
                Step::Done
            }
            Members::Incomplete if self.window.len() - self.at > self.limit => {
                let message = format!("properties of more than {} bytes beside the objects", self.limit);
                self.fault(self.at, Diagnostic::error(codes::TOO_LARGE, message));
                Step::Over
            }
            Members::Incomplete => Step::Starved,
        }
    }

    /// Says once, for any number of them in a row, that something is no object.
    fn stray_fault(&mut self) {
        self.frames.skipped();
        if !self.strayed {
            self.strayed = true;
            let found = describe(&self.window[self.at..]);
            let message = format!("{found} was skipped, where an object was due");
            self.fault(self.at, Diagnostic::error(codes::STRAY, message));
        }
    }

    /// Skips what is no value: outside of lists the rest of the line, inside up to where the next value can begin.
    fn stray(&mut self) -> Step {
        let rest = &self.window[self.at..];
        let Some(&first) = rest.first() else { return Step::Starved };
        let line = || memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let length = match (self.frames.last(), first) {
            (None, b'\n') | (Some(_), b',' | b'}') | (Some(Frame::List(_)), b'{' | b'[' | b']') => {
                self.mode = Mode::Between;
                return Step::Done;
            }
            (None, _) => line(),
            (Some(_), b'"') => match scan::string_end(rest, 1) {
                StringEnd::At(end) => end + 1,
                StringEnd::Broken => line(),
                StringEnd::Incomplete if rest.len() > self.limit => rest.len(),
                StringEnd::Incomplete => return Step::Starved,
            },
            (Some(_), _) => 1,
        };
        self.at += length;
        Step::Done
    }

    /// Says what the end of the input leaves open. `true` if there is something to go on with all the same.
    fn finish(&mut self) -> bool {
        let open = match &self.mode {
            Mode::Object { start, .. } => Some(*start),
            Mode::Opening => Some(self.at),
            Mode::Between | Mode::Stray | Mode::Oversized(_) => None,
        };
        if let Some(start) = open {
            let message = "the input ends inside of this object";
            if self.resume_after(start, self.window.len(), message) {
                return true;
            }
            self.fault(start, Diagnostic::error(codes::TRUNCATED, message));
        } else if let Some(frame) = self.frames.last() {
            let what = if matches!(frame, Frame::List(_)) { "a list of objects" } else { "a bundle" };
            let message = format!("the input ends inside of {what}");
            self.fault(self.window.len(), Diagnostic::error(codes::TRUNCATED, message));
        } else if !self.begun {
            self.fault(self.window.len(), Diagnostic::error(codes::EMPTY, "the input is empty"));
        }
        false
    }

    /// Gives up the object that begins at `start`, if another seems to begin before `seen`, and goes on with that one.
    fn resume_after(&mut self, start: usize, seen: usize, message: &str) -> bool {
        let next = next_beginning(&self.window[..seen], start + 1, self.frames.is_empty());
        let Some(next) = next.filter(|_| self.recoveries < RECOVERIES) else { return false };
        self.fault(start, Diagnostic::error(codes::TRUNCATED, message));
        self.frames.skipped();
        self.recoveries += 1;
        self.at = next;
        self.mode = Mode::Between;
        true
    }

    fn fault(&mut self, at: usize, diagnostic: Diagnostic) {
        self.fault_in(at, diagnostic, None);
    }

    fn fault_in(&mut self, at: usize, diagnostic: Diagnostic, id: Option<String>) {
        self.count_lines_to(at);
        let (offset, column) = (self.base + at as u64, self.counted_column + 1);
        self.faults.push(Fault { offset, line: self.line, column, id, diagnostic });
    }

    fn count_lines_to(&mut self, at: usize) {
        if at >= self.counted {
            let passed = &self.window[self.counted..at];
            self.line += newlines(passed);
            self.counted_column = column_after(self.counted_column, passed);
        } else {
            let passed = &self.window[at..self.counted];
            self.line -= newlines(passed);
            self.counted_column = match memchr::memchr(b'\n', passed) {
                None if at > 0 => {
                    self.counted_column.saturating_sub(passed.iter().filter(|&byte| byte & 0xC0 != 0x80).count() as u64)
                }
                _ => column_after(self.column, &self.window[..at]),
            };
        }
        self.counted = at;
    }

    /// Hands out what was found, and keeps only what is still open.
    fn cut(&mut self) -> Option<Batch> {
        let keep = match &mut self.mode {
            Mode::Object { start, object_type, .. } => {
                let keep = *start;
                if let Some(range) = object_type {
                    *range = range.start - keep..range.end - keep;
                }
                *start = 0;
                keep
            }
            _ => self.at,
        };
        self.count_lines_to(0);
        let (base, line, column) = (self.base, self.line, self.column);
        self.count_lines_to(keep);
        self.counted = 0;
        self.at -= keep;
        self.base += keep as u64;
        self.column = column_after(column, &self.window[..keep]);
        if self.found.is_empty() && self.faults.is_empty() {
            self.window.drain(..keep);
            return None;
        }
        let tail = self.window[keep..].to_vec();
        let mut text = std::mem::replace(&mut self.window, tail);
        text.truncate(keep);
        Some(Batch {
            base,
            line,
            column,
            text,
            found: std::mem::take(&mut self.found),
            starts: OnceLock::new(),
            faults: std::mem::take(&mut self.faults),
        })
    }
}

impl<R: Read> Iterator for BundleReader<R> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        while !self.ended {
            let source = self.fill();
            self.drained = source != Source::Open;
            let step = self.scan();
            self.ended = source != Source::Open || step == Step::Over;
            while source == Source::Ended && step != Step::Over && self.finish() {
                self.scan();
            }
            if let Some(batch) = self.cut() {
                return Some(batch);
            }
        }
        None
    }
}

/// Where, after `from`, an object begins at the beginning of a line.
fn line_object(text: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find(&text[from..], b"\n{").map(|newline| from + newline + 1)
}

/// Where, after an object without end, the next one seems to begin: outside of lists at the beginning of a line, in a
/// list after a comma with a property that comes first in objects only.
fn next_beginning(text: &[u8], from: usize, alone: bool) -> Option<usize> {
    const FIRST: [&[u8]; 4] = [b"\"type\"", b"\"id\"", b"\"created\"", b"\"spec_version\""];
    if alone {
        return line_object(text, from);
    }
    let begins = |brace: usize| {
        let after = text[brace + 1..].trim_ascii_start();
        text[..brace].trim_ascii_end().ends_with(b",") && FIRST.iter().any(|key| after.starts_with(key))
    };
    memchr::memchr_iter(b'{', &text[from..]).map(|found| from + found).find(|&brace| begins(brace))
}
