//! Comparisons and what joins them.

use super::{Reader, Token, keyword::Spelling, observation::QUALIFIERS, operator::Relation};
use crate::{
    pattern::{
        Comparison, ComparisonExpression, ComparisonKind, ComparisonOperator, Mistake, Operand, ParseError,
        comparison::OPERATORS, lexer, precedence::Precedence,
    },
    span::Span,
};

/// How a missing comparison is named.
const A_COMPARISON: &str = "a comparison such as `file:name = 'x'`";
/// The words between comparisons, from loosest to tightest.
const CONNECTIVES: [&str; 2] = ["OR", "AND"];

impl<'a> Reader<'a> {
    /// Comparisons under AND and OR.
    pub fn comparisons(&mut self) -> Option<ComparisonExpression<'a>> {
        let mut precedence = Precedence::<Option<ComparisonExpression<'a>>, 2>::new();
        loop {
            let start = self.at;
            let operand = match self.peek() {
                Token::Symbol('(') => self.nested_comparisons(),
                _ => self.comparison(),
            };
            let end = self.end;
            let operator = self.boolean_operator();
            let combine = |level: usize, operands: Vec<Option<_>>, span| {
                let operands = operands.into_iter().collect::<Option<Vec<_>>>()?;
                let kind = ComparisonKind::Combined { operator: OPERATORS[level], operands };
                Some(ComparisonExpression { kind, span })
            };
            if let Some(expression) = precedence.push(operand, start, end, operator, combine) {
                return expression;
            }
        }
    }

    /// `( … )`.
    fn nested_comparisons(&mut self) -> Option<ComparisonExpression<'a>> {
        if !self.descend() {
            return None;
        }
        self.inner += 1;
        let expression = self.comparisons();
        self.inner -= 1;
        self.close('(', ')');
        self.depth -= 1;
        expression
    }

    /// The operator behind a comparison, as a level of the precedence, or nothing where the expression is over.
    fn boolean_operator(&mut self) -> Option<usize> {
        loop {
            match self.peek() {
                Token::End | Token::Symbol(']' | '}' | '[' | ';') => return None,
                Token::Symbol(')') if self.inner > 0 || !self.is_stray_parenthesis() => return None,
                Token::Symbol(')') => self.stray_bracket(')'),
                Token::Symbol('(') => return self.missing_boolean(self.gap()),
                Token::Symbol(',') => {
                    let span = self.span(1);
                    self.advance(1);
                    if matches!(self.peek(), Token::Quote(_) | Token::Number) {
                        let reason = "several values need IN and parentheses";
                        let error = ParseError::new(Mistake::BadSet { reason }, span);
                        self.report(error.help("write `IN ('a', 'b')`"));
                        self.skip_comparison();
                        continue;
                    }
                    return self.missing_boolean(span);
                }
                Token::Operator(signs @ ("&&" | "&" | "||" | "|")) => return Some(self.sign_for_word(signs)),
                Token::Word(word) => match self.word_between(word) {
                    Between::Operator(level) => return Some(level),
                    Between::End => return None,
                    Between::Skipped => {}
                },
                Token::Quote(_) | Token::Number | Token::Operator(_) | Token::Symbol(_) => {
                    self.unexpected(self.behind_a_comparison());
                    self.skip_comparison();
                }
            }
        }
    }

    /// What may stand behind a comparison, in words.
    fn behind_a_comparison(&self) -> &'static str {
        if self.in_brackets { "AND, OR or `]`" } else { "AND or OR" }
    }

    /// A word where AND or OR should be.
    fn word_between(&mut self, word: &str) -> Between {
        if !matches!(word, "AND" | "OR") && matches!(self.peek_behind(word.len()), Token::Symbol(':')) {
            return self.missing_boolean(self.gap()).map_or(Between::End, Between::Operator);
        }
        match self.peek_keyword(&["OR", "AND", "FOLLOWEDBY", "WITHIN", "REPEATS", "START", "STOP", "EXISTS", "NOT"]) {
            // An observation behind the operator: the bracket before the operator is the one that is missing.
            Some(("OR" | "AND" | "FOLLOWEDBY", _)) if self.is_before_observation(word.len()) => Between::End,
            Some((connective @ ("OR" | "AND"), _)) => {
                self.take_keyword(&CONNECTIVES);
                Between::Operator(usize::from(connective == "AND"))
            }
            Some(("FOLLOWEDBY", spelling)) if self.in_brackets && spelling != Spelling::Similar => {
                let error = ParseError::new(Mistake::InsideBrackets { word: "FOLLOWEDBY" }, self.span(word.len()));
                self.report(error.help("write the second observation in brackets of its own: `[…] FOLLOWEDBY […]`"));
                self.advance(word.len());
                Between::Operator(1)
            }
            Some((qualifier, spelling)) if QUALIFIERS.contains(&qualifier) && spelling != Spelling::Similar => {
                if self.in_brackets && self.misplaced_qualifier(qualifier) { Between::Skipped } else { Between::End }
            }
            Some(("EXISTS" | "NOT", Spelling::Exact)) => {
                self.missing_boolean(self.gap()).map_or(Between::End, Between::Operator)
            }
            _ if !self.in_brackets => Between::End,
            _ => {
                self.unexpected(self.behind_a_comparison());
                self.skip_comparison();
                Between::Skipped
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

    /// Tells that AND or OR is missing at `span`; AND is assumed.
    fn missing_boolean(&mut self, span: Span) -> Option<usize> {
        let error = ParseError::new(Mistake::MissingConnective { expected: "AND or OR" }, span);
        self.report(error.help("write between the comparisons whether both have to hold or either"));
        Some(1)
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
        let (at, end) = (self.at, self.end);
        self.quietly(Self::qualifier);
        let qualifier = Span::new(at, self.end);
        if self.peek() != Token::Symbol(']') {
            self.go_back((at, end));
            return false;
        }
        let behind = self.at + 1;
        let error = ParseError::new(Mistake::InsideBrackets { word }, qualifier)
            .help(format!("write `{}` behind the `]`", qualifier.slice(self.source)))
            .edit(Span::new(end, qualifier.end as usize), "")
            .edit(Span::new(behind, behind), format!(" {}", qualifier.slice(self.source)));
        self.report(error);
        true
    }

    /// Goes to the end of a comparison that can't be read, past one token at least. Sets and indexes are skipped whole.
    pub fn skip_comparison(&mut self) {
        let (mut parentheses, mut brackets) = (0_usize, 0_usize);
        loop {
            match self.peek() {
                Token::Symbol('(') => parentheses += 1,
                Token::Symbol(')') => parentheses = parentheses.saturating_sub(1),
                Token::Symbol('[') if matches!(self.peek_behind(1), Token::Number | Token::Symbol('*')) => {
                    brackets += 1
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
    pub fn skip_rest_of_comparison(&mut self) {
        if !self.is_over() && !matches!(self.peek(), Token::Symbol(')' | ']')) {
            self.skip_comparison();
        }
    }

    /// Whether a comparison is over whatever it was: at the end of the pattern, or before AND or OR.
    fn is_over(&self) -> bool {
        matches!(self.peek(), Token::End | Token::Word("AND" | "OR"))
    }

    /// One comparison.
    #[inline(never)]
    fn comparison(&mut self) -> Option<ComparisonExpression<'a>> {
        match self.peek() {
            Token::End | Token::Symbol(')' | ']' | '}') | Token::Word("AND" | "OR") => {
                let mistake = Mistake::MissingOperand { expected: A_COMPARISON, found: self.found() };
                self.report(
                    ParseError::new(mistake, self.here()).help("write a comparison here or remove the operator"),
                );
                None
            }
            Token::Symbol('[') => self.inner_brackets(),
            Token::Symbol(':') if matches!(self.peek_behind(1), Token::Word(_) | Token::Quote(_)) => {
                let reason = "an object type is missing before the colon";
                let error = ParseError::new(Mistake::BadPath { reason }, self.span(1));
                self.report(error.help("write the type of the object before it, as in `file:name`"));
                self.skip_comparison();
                None
            }
            Token::Word(word) => self.test_from(word),
            Token::Quote(_) => self.quoted_first(),
            Token::Number | Token::Operator(_) | Token::Symbol(_) => {
                self.unexpected(A_COMPARISON);
                self.skip_comparison();
                None
            }
        }
    }

    /// `[ … ]` inside brackets.
    fn inner_brackets(&mut self) -> Option<ComparisonExpression<'a>> {
        let span = self.span(1);
        let mistake = Mistake::WrongBracket { found: '[', expected: "comparisons are grouped by parentheses" };
        let mut error = ParseError::new(mistake, span).help("write `(` and `)`").edit(span, "(");
        let place = self.mistakes.len();
        if !self.descend() {
            return None;
        }
        self.inner += 1;
        let expression = self.comparisons();
        self.inner -= 1;
        self.depth -= 1;
        if self.peek() == Token::Symbol(']') {
            error = error.edit(self.span(1), ")");
            self.advance(1);
        }
        self.report_before(place, error);
        expression
    }

    /// A comparison that starts with `word`.
    fn test_from(&mut self, word: &'a str) -> Option<ComparisonExpression<'a>> {
        let start = self.at;
        let is_property = matches!(self.peek_behind(word.len()), Token::Symbol(':' | '.') | Token::Operator(_));
        if word == "unconverted_term" && is_property {
            self.placeholder();
            return None;
        }
        if !is_property && word.eq_ignore_ascii_case("NOT") {
            let behind = self.peek_behind(word.len());
            if matches!(behind, Token::Word(word) if word.eq_ignore_ascii_case("EXISTS")) {
                self.take_keyword(&["NOT"]);
                return self.existence(start, true);
            }
            let not = self.span(word.len());
            self.advance(word.len());
            if behind != Token::Symbol('(') {
                return self.negated_in_front(not);
            }
            let error = ParseError::new(Mistake::MisplacedNot, not);
            self.report(error.help("negate each comparison in the parentheses: `a:b NOT = 1`, and swap AND and OR"));
            return self.nested_comparisons();
        }
        if self.is_existence() {
            return self.existence(start, false);
        }
        self.test().map(|comparison| self.as_expression(start, comparison))
    }

    /// Whether EXISTS and a property come next.
    fn is_existence(&self) -> bool {
        matches!(self.peek(), Token::Word(word)
            if word.eq_ignore_ascii_case("EXISTS") && !matches!(self.peek_behind(word.len()), Token::Symbol(':' | '.') | Token::Operator(_)))
    }

    /// `NOT a:b = 1`, which should be `a:b NOT = 1`.
    fn negated_in_front(&mut self, not: Span) -> Option<ComparisonExpression<'a>> {
        let start = self.at;
        let place = self.mistakes.len();
        let mut error = ParseError::new(Mistake::MisplacedNot, not);
        if let Some(path) = self.lone_path() {
            let help = format!("write `NOT EXISTS {path}`, or `{path} NOT =` and a value");
            self.report(error.help(help).edit(Span::new(start, start), "EXISTS "));
            return None;
        }
        let comparison = self.test();
        if let Some(comparison) = &comparison {
            let operator = comparison.operator_span.start as usize;
            let path = comparison.path.span.slice(self.source);
            error = error
                .help(format!("write `{path} NOT {} …`", comparison.operator_span.slice(self.source)))
                .edit(Span::new(not.start as usize, start), "")
                .edit(Span::new(operator, operator), "NOT ");
        }
        self.report_before(place, error);
        comparison.map(|comparison| self.as_expression(start, comparison))
    }

    /// Reads a property that neither an operator nor a value follows; otherwise nothing is read.
    fn lone_path(&mut self) -> Option<&'a str> {
        let (at, end, told) = (self.at, self.end, self.mistakes.len());
        let path = self.quietly(|reader| {
            let is_path = reader.object_path().is_some() && reader.mistakes.len() == told;
            (is_path && (reader.is_over() || matches!(reader.peek(), Token::Symbol(']' | ')')))).then_some(reader.end)
        });
        if path.is_none() {
            self.go_back((at, end));
        }
        path.map(|end| &self.source[at..end])
    }

    /// A comparison that reaches from `start` to the last token.
    fn as_expression(&self, start: usize, comparison: Comparison<'a>) -> ComparisonExpression<'a> {
        ComparisonExpression { kind: ComparisonKind::Test(comparison), span: Span::new(start, self.end) }
    }

    /// Property, operator and operand.
    fn test(&mut self) -> Option<Comparison<'a>> {
        let Some(path) = self.object_path() else {
            self.skip_rest_of_comparison();
            return None;
        };
        if self.foreign_operator(&path) {
            return None;
        }
        let Some(Relation { negated, operator, span: operator_span }) = self.relation(&path) else {
            self.skip_rest_of_comparison();
            return None;
        };
        let operand = match operator {
            ComparisonOperator::Exists => Some(Operand::None),
            ComparisonOperator::In => self.set().map(Operand::Set),
            _ => self.value_for(operator, operator_span).map(Operand::Literal),
        }?;
        Some(Comparison { path, negated, operator, operator_span, operand })
    }

    /// `EXISTS path`; NOT before it is read already.
    fn existence(&mut self, start: usize, negated: bool) -> Option<ComparisonExpression<'a>> {
        let Token::Word(word) = self.peek() else { return None };
        let operator_span = self.span(word.len());
        self.take_keyword(&["EXISTS"]);
        if !self.version.has_exists() {
            let what = "EXISTS came with STIX 2.1; this pattern is of STIX 2.0";
            self.report(ParseError::new(Mistake::OtherVersion { what }, operator_span));
        }
        if !matches!(self.peek(), Token::Word(_) | Token::Quote(_)) {
            let mistake = Mistake::MissingOperand { expected: "a property such as `file:name`", found: self.found() };
            self.report(ParseError::new(mistake, self.here()));
            self.skip_rest_of_comparison();
            return None;
        }
        let Some(path) = self.object_path() else {
            self.skip_rest_of_comparison();
            return None;
        };
        let comparison =
            Comparison { path, negated, operator: ComparisonOperator::Exists, operator_span, operand: Operand::None };
        Some(self.as_expression(start, comparison))
    }

    /// What a converter left.
    fn placeholder(&mut self) {
        let length =
            self.rest().find(|next: char| next.is_whitespace() || "])".contains(next)).unwrap_or(self.rest().len());
        let error = ParseError::new(Mistake::Placeholder, self.span(length));
        self.report(error.help("look in the source for what it stands for, or remove it"));
        self.advance(length);
    }

    /// A comparison that starts with text in quotes.
    fn quoted_first(&mut self) -> Option<ComparisonExpression<'a>> {
        let span = self.here();
        let written = span.slice(self.source);
        if matches!(self.peek_behind(written.len()), Token::Symbol(':')) {
            let inside = written.trim_matches(super::token::is_quote);
            let error = ParseError::new(Mistake::BadPath { reason: "an object type has no quotes" }, span);
            self.report(error.help(format!("write `{inside}`")).edit(span, inside));
            self.skip_comparison();
            return None;
        }
        let turned = self.quietly(|reader| reader.turned(written));
        let reason = "a value stands on the left side, where the property belongs";
        let error = ParseError::new(Mistake::BadPath { reason }, span);
        match turned {
            Some((whole, turned)) => self.report(error.help(format!("write `{turned}`")).edit(whole, turned)),
            None => {
                self.report(error);
                self.skip_comparison();
            }
        }
        None
    }

    /// `'x' = a:b` as `a:b = 'x'`, and where it stands.
    fn turned(&mut self, value: &str) -> Option<(Span, String)> {
        let start = self.at;
        let (at, end) = (self.at, self.end);
        self.skip();
        let operator = match self.peek() {
            Token::Operator("=" | "==") => "=",
            Token::Operator("!=" | "<>") => "!=",
            Token::Operator("<") => ">",
            Token::Operator(">") => "<",
            Token::Operator("<=") => ">=",
            Token::Operator(">=") => "<=",
            _ => {
                self.go_back((at, end));
                return None;
            }
        };
        self.skip();
        match self.object_path() {
            Some(path) => Some((Span::new(start, self.end), format!("{path} {operator} {value}"))),
            None => {
                self.go_back((at, end));
                None
            }
        }
    }
}

/// What a word behind a comparison is.
enum Between {
    /// AND or OR, as a level of the precedence.
    Operator(usize),
    /// The comparisons are over.
    End,
    /// It was told and skipped.
    Skipped,
}
