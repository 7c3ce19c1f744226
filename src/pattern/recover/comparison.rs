//! Comparisons and what joins them.

use super::{Reader, Token, keyword::Spelling, observation::QUALIFIERS, path::bad_path, token};
use crate::{
    pattern::{Mistake, ParseError, lexer},
    span::Span,
};

/// How a missing comparison is named.
const A_COMPARISON: &str = "a comparison such as `file:name = 'x'`";
/// The words between comparisons.
const CONNECTIVES: [&str; 2] = ["OR", "AND"];

impl<'a> Reader<'a> {
    /// Comparisons under AND and OR.
    pub fn comparisons(&mut self) {
        loop {
            match self.peek() {
                Token::Symbol('(') => self.nested_comparisons(),
                _ => self.comparison(),
            }
            if !self.boolean_operator() {
                return;
            }
        }
    }

    /// `( … )`.
    fn nested_comparisons(&mut self) {
        self.parenthesised(Self::inner_comparisons);
    }

    /// The comparisons between parentheses.
    fn inner_comparisons(&mut self) {
        self.inner += 1;
        self.comparisons();
        self.inner -= 1;
    }

    /// Reads the operator behind a comparison; `false` where the expression is over.
    fn boolean_operator(&mut self) -> bool {
        loop {
            match self.peek() {
                Token::End | Token::Symbol(']' | '}' | '[' | ';') => return false,
                Token::Symbol(')') if self.inner > 0 || !self.is_stray_parenthesis() => return false,
                Token::Symbol(')') => self.stray_bracket(')'),
                Token::Symbol('(') => return self.missing_boolean(self.gap()),
                Token::Symbol(',') => {
                    let span = self.span(1);
                    self.advance(1);
                    if !matches!(self.peek(), Token::Quote(_) | Token::Number) {
                        return self.missing_boolean(span);
                    }
                    let error = Mistake::BadSet { reason: "several values need IN and parentheses" }.at(span);
                    self.report(error.help("write `IN ('a', 'b')`"));
                    self.skip_comparison();
                }
                Token::Operator(signs @ ("&&" | "&" | "||" | "|")) => return self.sign_for_word(signs),
                Token::Word(word) => {
                    if let Some(is_operator) = self.word_between(word) {
                        return is_operator;
                    }
                }
                Token::Quote(_) | Token::Number | Token::Operator(_) | Token::Symbol(_) => self.not_an_operator(),
            }
        }
    }

    /// Reports what is no operator between comparisons, and skips it.
    fn not_an_operator(&mut self) {
        self.unexpected(if self.in_brackets { "AND, OR or `]`" } else { "AND or OR" });
        self.skip_comparison();
    }

    /// Reads a word where AND or OR should be; `None` where it was reported and skipped, `false` where the expression is
    /// over before it.
    fn word_between(&mut self, word: &str) -> Option<bool> {
        if !CONNECTIVES.contains(&word) && matches!(self.peek_behind(word.len()), Token::Symbol(':')) {
            return Some(self.missing_boolean(self.gap()));
        }
        match self.peek_keyword(&["OR", "AND", "FOLLOWEDBY", "WITHIN", "REPEATS", "START", "STOP", "EXISTS", "NOT"]) {
            // An observation behind the operator: the bracket before the operator is the one that is missing.
            Some(("OR" | "AND" | "FOLLOWEDBY", _)) if self.is_before_observation(word.len()) => Some(false),
            Some(("OR" | "AND", _)) => Some(self.take_keyword(&CONNECTIVES).is_some()),
            Some(("FOLLOWEDBY", spelling)) if self.in_brackets && spelling != Spelling::Similar => {
                let error = Mistake::InsideBrackets { word: "FOLLOWEDBY" }.at(self.span(word.len()));
                self.report(error.help("write the second observation in brackets of its own: `[…] FOLLOWEDBY […]`"));
                self.advance(word.len());
                Some(true)
            }
            Some((qualifier, spelling)) if QUALIFIERS.contains(&qualifier) && spelling != Spelling::Similar => {
                if self.in_brackets && self.misplaced_qualifier(qualifier) { None } else { Some(false) }
            }
            Some(("EXISTS" | "NOT", Spelling::Exact)) => Some(self.missing_boolean(self.gap())),
            _ if !self.in_brackets => Some(false),
            _ => {
                self.not_an_operator();
                None
            }
        }
    }

    /// Whether an observation's bracket, perhaps inside parentheses, stands behind the next `length` bytes.
    fn is_before_observation(&self, length: usize) -> bool {
        let mut rest = lexer::blank(&self.rest()[length..]);
        while let Some(inside) = rest.strip_prefix('(') {
            rest = lexer::blank(inside);
        }
        rest.starts_with('[')
    }

    /// Reports that AND or OR is missing at `span`.
    fn missing_boolean(&mut self, span: Span) -> bool {
        let help = "write between the comparisons whether both have to hold or either";
        self.missing_connective("AND or OR", span, help)
    }

    /// Whether the `)` that comes next is too many, rather than the end of something.
    fn is_stray_parenthesis(&self) -> bool {
        self.in_brackets
            && match self.peek_behind(1) {
                Token::Symbol(']' | ')') => true,
                Token::Word(word @ ("AND" | "OR")) => {
                    let behind = lexer::blank(&self.rest()[1..]);
                    !lexer::blank(&behind[word.len()..]).starts_with(['[', '('])
                }
                _ => false,
            }
    }

    /// Reads a qualifier inside the brackets, if the bracket closes behind it. Where it doesn't, the bracket is what is
    /// missing, and nothing is read.
    fn misplaced_qualifier(&mut self, word: &'static str) -> bool {
        let (start, end) = (self.at, self.end);
        let span = self.attempt(|reader| {
            reader.qualifier();
            (reader.peek() == Token::Symbol(']')).then(|| reader.since(start))
        });
        let Some(span) = span else { return false };
        let text = span.slice(self.source);
        let error = Mistake::InsideBrackets { word }
            .at(span)
            .help(format!("write `{text}` behind the `]`"))
            .edit(self.since(end), "")
            .insert(self.at + 1, format!(" {text}"));
        self.report(error);
        true
    }

    /// Moves to the end of a comparison that can't be read, past one token at least. Sets and indexes are skipped whole.
    pub fn skip_comparison(&mut self) {
        let (mut parentheses, mut brackets) = (0_usize, 0_usize);
        loop {
            match self.peek() {
                Token::Symbol('(') => parentheses += 1,
                Token::Symbol(')') => parentheses = parentheses.saturating_sub(1),
                Token::Symbol('[') if matches!(self.peek_behind(1), Token::Number | Token::Symbol('*')) => {
                    brackets += 1;
                }
                Token::Symbol(']') => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            self.skip();
            let is_inside = match self.peek() {
                Token::Symbol(')') => parentheses > 0,
                Token::Symbol(']') => brackets > 0,
                _ => true,
            };
            if !is_inside || self.is_over() {
                return;
            }
        }
    }

    /// The same, unless the comparison is over already.
    fn skip_rest_of_comparison(&mut self) {
        if !self.is_over() && !matches!(self.peek(), Token::Symbol(')' | ']')) {
            self.skip_comparison();
        }
    }

    /// Whether a comparison is over whatever it was: at the end of the pattern, or before AND or OR.
    fn is_over(&self) -> bool {
        matches!(self.peek(), Token::End | Token::Word("AND" | "OR"))
    }

    /// One comparison.
    fn comparison(&mut self) {
        match self.peek() {
            Token::End | Token::Symbol(')' | ']' | '}') | Token::Word("AND" | "OR") => {
                self.missing_operand(A_COMPARISON, "write a comparison here or remove the operator");
            }
            Token::Symbol('[') => {
                self.bracketed("comparisons are grouped by parentheses", Self::inner_comparisons);
            }
            Token::Symbol(':') if matches!(self.peek_behind(1), Token::Word(_) | Token::Quote(_)) => {
                let error = bad_path(self.span(1), "an object type is missing before the colon");
                self.report(error.help("write the type of the object before it, as in `file:name`"));
                self.skip_comparison();
            }
            Token::Word(word) => self.test_from(word),
            Token::Quote(_) => self.quoted_first(),
            Token::Number | Token::Operator(_) | Token::Symbol(_) => {
                self.unexpected(A_COMPARISON);
                self.skip_comparison();
            }
        }
    }

    /// A comparison that starts with `word`.
    fn test_from(&mut self, word: &str) {
        let behind = self.peek_behind(word.len());
        let is_property = matches!(behind, Token::Symbol(':' | '.') | Token::Operator(_));
        if word == "unconverted_term" && is_property {
            self.placeholder();
        } else if is_property || !word.eq_ignore_ascii_case("NOT") {
            if word.eq_ignore_ascii_case("EXISTS") && !is_property {
                self.existence()
            } else {
                self.test();
            }
        } else if matches!(behind, Token::Word(word) if word.eq_ignore_ascii_case("EXISTS")) {
            self.take_keyword(&["NOT"]);
            self.existence();
        } else {
            let not = Mistake::MisplacedNot.at(self.span(word.len()));
            self.advance(word.len());
            if behind == Token::Symbol('(') {
                self.report(not.help("negate each comparison in the parentheses: `a:b NOT = 1`, and swap AND and OR"));
                self.nested_comparisons();
            } else {
                self.negated_in_front(not);
            }
        }
    }

    /// `NOT a:b = 1`, which should be `a:b NOT = 1`; NOT is read already.
    fn negated_in_front(&mut self, mut error: ParseError) {
        let (start, place) = (self.at, self.mistakes.len());
        if let Some(path) = self.lone_path() {
            let help = format!("write `NOT EXISTS {path}`, or `{path} NOT =` and a value");
            return self.report(error.help(help).insert(start, "EXISTS "));
        }
        if let Some((path, operator)) = self.test() {
            let (path, before) = (path.slice(self.source), Span::new(error.span.start as usize, start));
            error = error
                .help(format!("write `{path} NOT {} …`", operator.slice(self.source)))
                .edit(before, "")
                .insert(operator.start as usize, "NOT ");
        }
        self.report_before(place, error);
    }

    /// Reads a property that neither an operator nor a value follows; otherwise nothing is read.
    fn lone_path(&mut self) -> Option<&'a str> {
        let reported = self.mistakes.len();
        self.attempt(|reader| {
            let path = reader.object_path().filter(|_| reader.mistakes.len() == reported)?;
            let is_alone = reader.is_over() || matches!(reader.peek(), Token::Symbol(']' | ')'));
            is_alone.then(|| path.slice(reader.source))
        })
    }

    /// Property, operator and operand; where the first two stand, if all are there.
    fn test(&mut self) -> Option<(Span, Span)> {
        let Some(path) = self.object_path() else {
            self.skip_rest_of_comparison();
            return None;
        };
        if self.foreign_operator(path) {
            return None;
        }
        let Some((operator, span)) = self.operator(path) else {
            self.skip_rest_of_comparison();
            return None;
        };
        let is_whole = match operator {
            "EXISTS" => true,
            "IN" => self.set(),
            _ => self.value_for(operator, span),
        };
        is_whole.then_some((path, span))
    }

    /// `EXISTS path`; NOT before it is read already.
    fn existence(&mut self) {
        let span = self.here();
        self.take_keyword(&["EXISTS"]);
        if !self.version.has_exists() {
            let what = "EXISTS came with STIX 2.1; this pattern is of STIX 2.0";
            self.report(Mistake::OtherVersion { what }.at(span));
        }
        let is_property = matches!(self.peek(), Token::Word(_) | Token::Quote(_));
        if !is_property {
            let mistake = Mistake::MissingOperand { expected: "a property such as `file:name`", found: self.found() };
            self.report(mistake.at(self.here()));
        }
        if !is_property || self.object_path().is_none() {
            self.skip_rest_of_comparison();
        }
    }

    /// What a converter left.
    fn placeholder(&mut self) {
        let is_end = |next: char| next.is_whitespace() || "])".contains(next);
        let length = self.rest().find(is_end).unwrap_or(self.rest().len());
        let error = Mistake::Placeholder.at(self.span(length));
        self.report(error.help("look in the source for what it stands for, or remove it"));
        self.advance(length);
    }

    /// A comparison that starts with text in quotes.
    fn quoted_first(&mut self) {
        let span = self.here();
        let written = span.slice(self.source);
        if matches!(self.peek_behind(written.len()), Token::Symbol(':')) {
            let inside = written.trim_matches(token::is_quote);
            self.report(bad_path(span, "an object type has no quotes").replace(inside));
            return self.skip_comparison();
        }
        let error = bad_path(span, "a value stands on the left side, where the property belongs");
        match self.turned(written) {
            Some((whole, turned)) => self.report(error.help(format!("write `{turned}`")).edit(whole, turned)),
            None => {
                self.report(error);
                self.skip_comparison();
            }
        }
    }

    /// `'x' = a:b` as `a:b = 'x'`, and where it stands.
    fn turned(&mut self, value: &str) -> Option<(Span, String)> {
        let (start, reported) = (self.at, self.mistakes.len());
        self.attempt(|reader| {
            reader.skip();
            let operator = match reader.peek() {
                Token::Operator("=" | "==") => "=",
                Token::Operator("!=" | "<>") => "!=",
                Token::Operator("<") => ">",
                Token::Operator(">") => "<",
                Token::Operator("<=") => ">=",
                Token::Operator(">=") => "<=",
                _ => return None,
            };
            reader.skip();
            let path = reader.object_path()?;
            let path = reader.mended_path(path, reported);
            Some((reader.since(start), format!("{path} {operator} {value}")))
        })
    }
}
