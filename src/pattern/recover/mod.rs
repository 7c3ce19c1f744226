//! Error recovery: why a pattern is refused, and which edits mend it.
//!
//! The strict grammar decides what is accepted and stops at the first mistake without a word. This reader runs only
//! then. It recognises the same language together with the mistakes that people and programs make in it, reports each
//! mistake where it was made with the edit that mends it, and goes on behind it. It builds no tree: what a mistake is
//! taken for is what the strict grammar makes of the edited text (see [`super::lenient`]).
//!
//! It is bounded: it reads forward only, reports at most [`MISTAKES`] mistakes, and nests as deep as the grammar does.

mod bad_literal;
mod comparison;
mod foreign_operators;
mod keyword;
mod not_a_pattern;
mod observation;
mod operator;
mod path;
mod qualifier;
mod quote;
mod token;
mod value;

use super::{
    Edit, Mistake, NESTING, ParseError, Version,
    error::Assumption,
    lexer::{self, Comment},
    repair,
};
use crate::{diagnostic::Code, span::Span};
use token::Token;
pub(super) use token::describe;

/// How many mistakes are reported before the rest of a pattern is left unread.
const MISTAKES: usize = 20;

/// The mistakes of a pattern that the grammar of `version` may have refused, as they were found.
pub(super) fn mistakes(source: &str, version: Version) -> Vec<ParseError> {
    let mut reader = Reader { source, version, ..Reader::default() };
    if u32::try_from(source.len()).is_err() {
        reader.report(Mistake::TooLong.at(Span::new(0, 0)));
    } else {
        reader.skip_blank();
        if !reader.not_a_pattern() {
            reader.observations();
        }
    }
    reader.mistakes
}

impl Mistake {
    /// The error at `span`, without advice.
    pub(super) fn at(self, span: Span) -> ParseError {
        ParseError { mistake: self, span, help: None, edits: Vec::new(), assumption: None }
    }
}

impl ParseError {
    /// Adds an instruction.
    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds an edit that mends the mistake.
    fn edit(mut self, span: Span, text: impl Into<String>) -> Self {
        self.edits.push(Edit { span, text: text.into() });
        self
    }

    /// Adds an edit at one place.
    fn insert(self, at: usize, text: impl Into<String>) -> Self {
        self.edit(Span::new(at, at), text)
    }

    /// Adds the instruction and the edit to write `text` in place of the mistake.
    fn replace(self, text: impl Into<String>) -> Self {
        let (span, text) = (self.span, text.into());
        self.help(format!("write `{text}`")).edit(span, text)
    }

    /// [`ParseError::replace`] by text that has quotes or brackets of its own, which its instruction shows bare.
    fn replace_quoted(self, text: impl Into<String>) -> Self {
        let (span, text) = (self.span, text.into());
        self.help(format!("write {text}")).edit(span, text)
    }

    /// Adds the instruction and the edit to remove the mistake.
    fn remove(self) -> Self {
        let span = self.span;
        self.help("remove it").edit(span, "")
    }

    /// Adds the warning with which a lenient reader makes the edits.
    fn assume(mut self, code: Code, message: impl Into<String>) -> Self {
        self.assumption = Some(Assumption { code, message: message.into() });
        self
    }
}

/// A position in a text, and the mistakes before it.
#[derive(Default)]
struct Reader<'a> {
    source: &'a str,
    /// Where the next token starts.
    at: usize,
    /// Where the last token ended.
    end: usize,
    version: Version,
    /// Parentheses that are open.
    depth: usize,
    /// Brackets that are open around observations, where parentheses should be; they count among the parentheses.
    brackets: usize,
    /// Whether an observation's bracket is open.
    in_brackets: bool,
    /// Parentheses that are open around comparisons.
    inner: usize,
    /// Whether a set is open.
    in_set: bool,
    mistakes: Vec<ParseError>,
    /// Whether the rest is left unread.
    done: bool,
}

impl<'a> Reader<'a> {
    /// What is left to read.
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    /// The next token.
    fn peek(&self) -> Token<'a> {
        token::first(self.rest())
    }

    /// The token behind the next one, which has `length` bytes.
    fn peek_behind(&self, length: usize) -> Token<'a> {
        token::first(lexer::blank(self.rest().get(length..).unwrap_or_default()))
    }

    /// Moves past the `length` bytes of a token and the blanks behind it.
    fn advance(&mut self, length: usize) {
        // Where too many mistakes were reported meanwhile, the text is over already.
        self.end = (self.at + length).min(self.source.len());
        self.at = self.end;
        self.skip_blank();
    }

    /// Moves past the next token, whichever it is; past the whole of a text in quotes.
    fn skip(&mut self) {
        self.advance(token::length(self.rest()));
    }

    /// Moves past the next token if it is this character.
    fn take(&mut self, symbol: char) -> bool {
        let taken = self.peek() == Token::Symbol(symbol);
        if taken {
            self.advance(symbol.len_utf8());
        }
        taken
    }

    /// Where the next token of `length` bytes stands.
    fn span(&self, length: usize) -> Span {
        Span::new(self.at, self.at + length)
    }

    /// From `start` to the end of the last token.
    fn since(&self, start: usize) -> Span {
        Span::new(start, self.end)
    }

    /// The empty place behind the last token.
    fn gap(&self) -> Span {
        Span::new(self.end, self.end)
    }

    /// The next token in words, for a message.
    fn found(&self) -> String {
        describe(self.rest())
    }

    /// The place of the next token, for a message.
    fn here(&self) -> Span {
        self.span(token::length(self.rest()))
    }

    /// Moves past blanks and comments. An open comment and characters that can't be seen are reported.
    fn skip_blank(&mut self) {
        loop {
            self.at = self.source.len() - lexer::blank(self.rest()).len();
            if let Comment::Open = lexer::comment(self.rest()) {
                self.report(Mistake::UnclosedComment.at(self.span(2)).help("close it with `*/`"));
                self.at = self.source.len();
            }
            let Some(character) = self.rest().chars().next() else { return };
            let Some(name) = token::invisible(character) else { return };
            let error = Mistake::InvisibleCharacter { name }.at(self.span(character.len_utf8()));
            self.at += character.len_utf8();
            self.report(error.remove().assume(repair::INVISIBLE, format!("left out {name}")));
        }
    }

    /// Reports a mistake, and leaves the rest unread if it is one too many.
    fn report(&mut self, error: ParseError) {
        if self.done {
            return;
        }
        self.mistakes.push(error);
        if self.mistakes.len() == MISTAKES {
            self.mistakes.push(Mistake::TooMany.at(self.here()));
            self.stop();
        }
    }

    /// Reports a mistake as the one before those that were found from `place` on.
    fn report_before(&mut self, place: usize, error: ParseError) {
        // Where the rest was left unread meanwhile, the reason was reported.
        if !self.done {
            self.report(error);
            let place = place.min(self.mistakes.len());
            self.mistakes[place..].rotate_right(1);
        }
    }

    /// Reports that an operand is missing here.
    fn missing_operand(&mut self, expected: &'static str, help: &str) {
        self.report(Mistake::MissingOperand { expected, found: self.found() }.at(self.here()).help(help));
    }

    /// Reports at `span` that an operator is missing between two operands; returns `true`, as if it had been read.
    fn missing_connective(&mut self, expected: &'static str, span: Span, help: &str) -> bool {
        self.report(Mistake::MissingConnective { expected }.at(span).help(help));
        true
    }

    /// Reports that something else should stand here.
    fn unexpected(&mut self, expected: &'static str) {
        self.report(Mistake::Unexpected { expected, found: self.found() }.at(self.here()));
    }

    /// Leaves the rest unread.
    fn stop(&mut self) {
        self.done = true;
        self.at = self.source.len();
        self.end = self.at;
    }

    /// Reads without reporting mistakes.
    fn quietly<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let (reported, done) = (self.mistakes.len(), self.done);
        let result = read(self);
        self.mistakes.truncate(reported);
        self.done = done;
        result
    }

    /// Reads without reporting mistakes, and goes back where nothing comes of it.
    fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let place = (self.at, self.end);
        let result = self.quietly(read);
        if result.is_none() {
            (self.at, self.end) = place;
        }
        result
    }

    /// Moves into parentheses; `false` where there are too many, and then the rest is left unread.
    fn descend(&mut self) -> bool {
        let is_possible = self.depth < NESTING;
        if is_possible {
            self.depth += 1;
            self.advance(1);
        } else {
            self.too_deep(self.span(1), "remove parentheses that change nothing");
        }
        is_possible
    }

    /// Reports too many levels at `span`, and leaves the rest unread.
    fn too_deep(&mut self, span: Span, help: &str) {
        self.report(Mistake::TooDeep.at(span).help(help));
        self.stop();
    }

    /// Moves past the bracket that closes the one at `open`, or reports that it is missing.
    fn close(&mut self, open: char, close: char) {
        if !self.take(close) {
            let gap = self.gap();
            let error = Mistake::UnclosedBracket { close, open }.at(gap);
            self.report(error.help(format!("write `{close}` here")).edit(gap, close));
        }
    }

    /// Reads `( … )`; `read` is what stands between them. `None` where it is nested too deep.
    fn parenthesised<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if !self.descend() {
            return None;
        }
        let result = read(self);
        self.close('(', ')');
        self.depth -= 1;
        Some(result)
    }

    /// Reads `[ … ]` where parentheses should be, which is reported; `false` if no bracket closes it.
    fn bracketed(&mut self, expected: &'static str, read: impl FnOnce(&mut Self)) -> bool {
        let mut error = Mistake::WrongBracket { found: '[', expected }.at(self.span(1));
        error = error.help("write `(` and `)`").edit(self.span(1), "(");
        let place = self.mistakes.len();
        if !self.descend() {
            return true;
        }
        read(self);
        self.depth -= 1;
        let is_closed = self.peek() == Token::Symbol(']');
        if is_closed {
            error = error.edit(self.span(1), ")");
            self.advance(1);
        }
        self.report_before(place, error);
        is_closed
    }
}
