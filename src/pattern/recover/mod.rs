//! The second reader: why a pattern is refused.
//!
//! The strict grammar decides what is accepted and stops at the first mistake without a word. This reader runs only
//! then. It reads the same language together with the mistakes that people and programs make in it, tells each mistake
//! where it was made, says how to mend it, and goes on behind it. What it takes the text for is a tree of its own, which
//! [`super::lenient`] uses when each mistake is one of those that have a single sensible reading.
//!
//! It is bounded: it reads forward only, tells at most [`MISTAKES`] mistakes, and nests as deep as the grammar does.

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
    Assumption, Edit, Mistake, NESTING, ObservationExpression, ParseError, Version,
    lexer::{self, Comment},
    repair,
};
use crate::{diagnostic::Code, span::Span};
use token::Token;
pub(super) use token::describe;

/// How many mistakes are told before the rest of a pattern is left unread.
const MISTAKES: usize = 20;

/// What the second reader makes of a text.
pub(super) struct Reading<'a> {
    /// What the text was taken for; `None` where too much is missing.
    pub expression: Option<ObservationExpression<'a>>,
    /// The mistakes, as they were found.
    pub mistakes: Vec<ParseError>,
}

/// Reads a pattern that the grammar of `version` may have refused.
pub(super) fn read(source: &str, version: Version) -> Reading<'_> {
    let mut reader = Reader {
        source,
        at: 0,
        token: Token::End,
        end: 0,
        version,
        depth: 0,
        brackets: 0,
        in_brackets: false,
        inner: 0,
        in_set: false,
        mistakes: Vec::new(),
        done: false,
    };
    if u32::try_from(source.len()).is_err() {
        reader.report(ParseError::new(Mistake::TooLong, Span::new(0, 0)));
        return Reading { expression: None, mistakes: reader.mistakes };
    }
    reader.skip_blank();
    let expression = reader.pattern();
    Reading { expression, mistakes: reader.mistakes }
}

impl ParseError {
    /// A mistake without advice.
    pub(super) fn new(mistake: Mistake, span: Span) -> Self {
        Self { mistake, span, help: None, edits: Vec::new(), assumption: None }
    }

    /// The same with an instruction.
    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with a change that mends it.
    fn edit(mut self, span: Span, text: impl Into<String>) -> Self {
        self.edits.push(Edit { span, text: text.into() });
        self
    }

    /// The same with what a lenient reader takes it for.
    fn assume(mut self, code: Code, message: impl Into<String>) -> Self {
        self.assumption = Some(Assumption { code, message: message.into() });
        self
    }
}

/// A place in a text, and what was found before it.
struct Reader<'a> {
    source: &'a str,
    /// Where the next token starts.
    at: usize,
    /// The next token.
    token: Token<'a>,
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
        self.token
    }

    /// The token behind the next one, which has `length` bytes.
    fn peek_behind(&self, length: usize) -> Token<'a> {
        token::first(lexer::blank(self.rest().get(length..).unwrap_or_default()))
    }

    /// Goes past the `length` bytes of a token and the blanks behind it.
    fn advance(&mut self, length: usize) {
        // Where too many mistakes were told meanwhile, the text is over already.
        self.end = (self.at + length).min(self.source.len());
        self.at = self.end;
        self.skip_blank();
    }

    /// Goes past the next token, whichever it is; past the whole of a text in quotes.
    fn skip(&mut self) {
        self.advance(token::length(self.rest()));
    }

    /// Goes past the next token if it is this character.
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

    /// The empty place behind the last token.
    fn gap(&self) -> Span {
        Span::new(self.end, self.end)
    }

    /// The next token in words, for a message.
    fn found(&self) -> String {
        token::describe(self.rest())
    }

    /// The place of the next token, for a message.
    fn here(&self) -> Span {
        self.span(token::length(self.rest()))
    }

    /// Goes past blanks and comments, and looks at what follows.
    fn skip_blank(&mut self) {
        let rest = lexer::blank(self.rest());
        self.at = self.source.len() - rest.len();
        if let Some(b'/' | 0x80..) = rest.as_bytes().first() {
            self.skip_odd_blank();
        }
        self.token = token::first(self.rest());
    }

    /// Goes past an open comment and characters that can't be seen, and tells of them.
    #[cold]
    fn skip_odd_blank(&mut self) {
        loop {
            if let Comment::Open = lexer::comment(self.rest()) {
                let error = ParseError::new(Mistake::UnclosedComment, self.span(2));
                self.report(error.help("close it with `*/`"));
                self.at = self.source.len();
            }
            let Some((character, name)) = self.rest().chars().next().and_then(token::invisible) else { return };
            let span = self.span(character.len_utf8());
            self.at = span.end as usize;
            let error = ParseError::new(Mistake::InvisibleCharacter { name }, span).help("remove it").edit(span, "");
            self.report(error.assume(repair::INVISIBLE, format!("left out {name}")));
            self.at = self.source.len() - lexer::blank(self.rest()).len();
        }
    }

    /// Where the reader stands.
    fn place(&self) -> (usize, usize) {
        (self.at, self.end)
    }

    /// Goes back to a place where the reader stood.
    fn go_back(&mut self, (at, end): (usize, usize)) {
        (self.at, self.end) = (at, end);
        self.token = token::first(self.rest());
    }

    /// Tells a mistake.
    fn report(&mut self, error: ParseError) {
        if self.done {
            return;
        }
        self.mistakes.push(error);
        if self.mistakes.len() == MISTAKES {
            self.mistakes.push(ParseError::new(Mistake::TooMany, self.here()));
            self.stop();
        }
    }

    /// Leaves the rest unread.
    fn stop(&mut self) {
        self.done = true;
        self.at = self.source.len();
        self.end = self.at;
        self.token = Token::End;
    }

    /// Reads without telling mistakes.
    fn quietly<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let (told, done) = (self.mistakes.len(), self.done);
        let result = read(self);
        self.mistakes.truncate(told);
        self.done = done;
        result
    }

    /// Tells a mistake as the one before those that were found from `place` on.
    fn report_before(&mut self, place: usize, error: ParseError) {
        // Where the rest was left unread meanwhile, the reason was told.
        if !self.done {
            self.report(error);
            let place = place.min(self.mistakes.len());
            self.mistakes[place..].rotate_right(1);
        }
    }

    /// Goes into parentheses; `false` where there are too many, and then the rest is left unread.
    fn descend(&mut self) -> bool {
        let is_possible = self.depth < NESTING;
        if is_possible {
            self.depth += 1;
            self.advance(1);
        } else {
            let error = ParseError::new(Mistake::TooDeep, self.span(1));
            self.report(error.help("remove parentheses that change nothing"));
            self.stop();
        }
        is_possible
    }

    /// Expects the bracket that closes the one at `open`.
    fn close(&mut self, open: char, close: char) {
        if !self.take(close) {
            let gap = self.gap();
            let error = ParseError::new(Mistake::UnclosedBracket { close, open }, gap);
            self.report(error.help(format!("write `{close}` here")).edit(gap, close));
        }
    }
}
