//! Brackets, what stands between them, and what stands around them.

use super::{Reader, Token, keyword::Spelling};
use crate::{
    pattern::{
        Edit, Mistake, NESTING, ObservationExpression, ObservationKind, ParseError, observation::OPERATORS,
        precedence::Precedence, repair,
    },
    span::Span,
};

/// The words between observations, from loosest to tightest.
const CONNECTIVES: [&str; 3] = ["FOLLOWEDBY", "OR", "AND"];
/// The words that begin a qualifier.
pub(super) const QUALIFIERS: [&str; 4] = ["WITHIN", "REPEATS", "START", "STOP"];
/// How a missing observation is named.
const AN_OBSERVATION: &str = "an observation in brackets such as `[file:name = 'x']`";

/// An expression, if there is one, and how many qualifiers stand on top of each other in it.
struct Operand<'a> {
    expression: Option<ObservationExpression<'a>>,
    qualifiers: usize,
}

impl<'a> Reader<'a> {
    /// A whole pattern.
    pub fn pattern(&mut self) -> Option<ObservationExpression<'a>> {
        if self.not_a_pattern() {
            return None;
        }
        self.observations().expression
    }

    /// Observations under AND, OR and FOLLOWEDBY.
    fn observations(&mut self) -> Operand<'a> {
        let mut precedence = Precedence::<Option<ObservationExpression<'a>>, 3>::new();
        let mut qualifiers = 0;
        loop {
            let start = self.at;
            let operand = self.qualified();
            qualifiers = qualifiers.max(operand.qualifiers);
            let end = self.end;
            let operator = self.connective();
            let combine = |level: usize, operands: Vec<Option<_>>, span| {
                let operands = operands.into_iter().collect::<Option<Vec<_>>>()?;
                let kind = ObservationKind::Combined { operator: OPERATORS[level], operands };
                Some(ObservationExpression { kind, span })
            };
            if let Some(expression) = precedence.push(operand.expression, start, end, operator, combine) {
                return Operand { expression, qualifiers };
            }
        }
    }

    /// One operand and its qualifiers.
    fn qualified(&mut self) -> Operand<'a> {
        let start = self.at;
        let mut operand = self.operand();
        while let Some((_, spelling)) = self.peek_keyword(&QUALIFIERS) {
            if spelling == Spelling::Similar && self.peek_keyword(&CONNECTIVES).is_some() {
                break;
            }
            operand.qualifiers += 1;
            if operand.qualifiers > NESTING {
                let error = ParseError::new(Mistake::TooDeep, self.here());
                self.report(error.help("remove qualifiers"));
                self.stop();
                break;
            }
            let qualifier = self.qualifier();
            let span = Span::new(start, self.end);
            operand.expression = operand.expression.zip(qualifier).map(|(expression, qualifier)| {
                let kind = ObservationKind::Qualified { expression: Box::new(expression), qualifier };
                ObservationExpression { kind, span }
            });
        }
        operand
    }

    /// What qualifiers stand behind.
    fn operand(&mut self) -> Operand<'a> {
        loop {
            let expression = match self.peek() {
                Token::Symbol('[') => self.single(),
                Token::Symbol('(') => return self.parentheses(),
                Token::Symbol('{') => self.braces(),
                Token::Word(word) if word.eq_ignore_ascii_case("NOT") && self.is_before_bracket(word.len()) => {
                    let span = self.span(word.len());
                    let error = ParseError::new(Mistake::MisplacedNot, span);
                    self.report(
                        error.help("observations can't be negated; write NOT before an operator: `a:b NOT = 1`"),
                    );
                    self.advance(word.len());
                    continue;
                }
                Token::Word(_)
                    if self.peek_keyword(&CONNECTIVES).is_some_and(|(_, spelling)| spelling == Spelling::Exact) =>
                {
                    self.missing_operand();
                    None
                }
                Token::Word(word) if self.is_comparison(word) => self.without_brackets(),
                Token::End | Token::Symbol(')' | ']') => {
                    self.missing_operand();
                    None
                }
                Token::Word(_) | Token::Quote(_) | Token::Number | Token::Operator(_) | Token::Symbol(_) => {
                    self.unexpected(AN_OBSERVATION);
                    self.skip_to_connective();
                    None
                }
            };
            return Operand { expression, qualifiers: 0 };
        }
    }

    /// Tells that an observation should stand here.
    fn missing_operand(&mut self) {
        let mistake = Mistake::MissingOperand { expected: AN_OBSERVATION, found: self.found() };
        self.report(ParseError::new(mistake, self.here()).help("write an observation here or remove the operator"));
    }

    /// Tells that something else should stand here.
    pub fn unexpected(&mut self, expected: &'static str) {
        let mistake = Mistake::Unexpected { expected, found: self.found() };
        self.report(ParseError::new(mistake, self.here()));
    }

    /// Whether a bracket or parenthesis stands behind the next `length` bytes.
    fn is_before_bracket(&self, length: usize) -> bool {
        matches!(self.peek_behind(length), Token::Symbol('[' | '('))
    }

    /// Whether what starts with `word` looks like a comparison, or at least like a property.
    fn is_comparison(&self, word: &str) -> bool {
        match self.peek_behind(word.len()) {
            Token::Symbol(':' | '.') | Token::Operator(_) => true,
            Token::Word(_) => word == "EXISTS" || word == "NOT",
            _ => false,
        }
    }

    /// `[ … ]`.
    fn single(&mut self) -> Option<ObservationExpression<'a>> {
        let start = self.at;
        if self.peek_behind(1) == Token::Symbol('[') {
            return self.nested_brackets();
        }
        self.advance(1);
        if self.peek() == Token::Symbol(']') {
            let span = Span::new(start, self.at + 1);
            self.report(
                ParseError::new(Mistake::EmptyBrackets, span).help("write a comparison in them: `[file:name = 'x']`"),
            );
            self.advance(1);
            return None;
        }
        self.in_brackets = true;
        let comparison = self.comparisons();
        self.in_brackets = false;
        // A parenthesis in place of the bracket closes nothing else where none is open.
        let wrong = match self.peek() {
            Token::Symbol(wrong @ '}') => Some(wrong),
            Token::Symbol(wrong @ ')') if self.depth == self.brackets => Some(wrong),
            _ => None,
        };
        match wrong {
            Some(found) => self.replace_bracket(found, ']', "an observation ends with `]`"),
            None => self.close('[', ']'),
        }
        let span = Span::new(start, self.end);
        comparison.map(|comparison| ObservationExpression { kind: ObservationKind::Single(comparison), span })
    }

    /// `[[ … ] … ]`, whose outer brackets should be parentheses.
    fn nested_brackets(&mut self) -> Option<ObservationExpression<'a>> {
        let (span, place) = (self.span(1), self.mistakes.len());
        if !self.descend() {
            return None;
        }
        self.brackets += 1;
        let operand = self.observations();
        self.brackets -= 1;
        self.depth -= 1;
        let mistake = Mistake::WrongBracket { found: '[', expected: "observations are grouped by parentheses" };
        let mut error = ParseError::new(mistake, span).help("write `(` and `)`").edit(span, "(");
        if self.peek() == Token::Symbol(']') {
            error = error.edit(self.span(1), ")");
            self.advance(1);
        } else {
            self.close('(', ')');
        }
        self.report_before(place, error);
        operand.expression
    }

    /// Tells that the next character is the wrong bracket, and goes past it.
    pub fn replace_bracket(&mut self, found: char, right: char, expected: &'static str) {
        let span = self.span(1);
        let error = ParseError::new(Mistake::WrongBracket { found, expected }, span);
        self.report(error.help(format!("write `{right}`")).edit(span, right));
        self.advance(1);
    }

    /// `{ … }`, which should be brackets.
    fn braces(&mut self) -> Option<ObservationExpression<'a>> {
        let start = self.at;
        self.replace_bracket('{', '[', "an observation starts with `[`");
        self.in_brackets = true;
        let comparison = self.comparisons();
        self.in_brackets = false;
        if self.peek() == Token::Symbol('}') {
            let span = self.span(1);
            // One mistake, though it has two ends.
            if let Some(error) = self.mistakes.iter_mut().rev().find(|error| error.span.start as usize == start) {
                error.edits.push(Edit { span, text: "]".to_owned() });
            }
            self.advance(1);
        } else {
            self.close('[', ']');
        }
        let span = Span::new(start, self.end);
        comparison.map(|comparison| ObservationExpression { kind: ObservationKind::Single(comparison), span })
    }

    /// Comparisons that stand in no brackets.
    fn without_brackets(&mut self) -> Option<ObservationExpression<'a>> {
        let start = self.at;
        let position = self.mistakes.len();
        let comparison = self.comparisons();
        let (before, behind) = (Span::new(start, start), self.gap());
        let error = ParseError::new(Mistake::MissingBrackets, Span::new(start, self.end)).edit(before, "[");
        let error = if self.take(']') {
            error.help("write `[` before it")
        } else {
            error.help("write `[` before it and `]` behind it").edit(behind, "]")
        };
        let span = Span::new(start, self.end);
        self.report_before(position, error);
        comparison.map(|comparison| ObservationExpression { kind: ObservationKind::Single(comparison), span })
    }

    /// `( … )`.
    fn parentheses(&mut self) -> Operand<'a> {
        if !self.descend() {
            return Operand { expression: None, qualifiers: 0 };
        }
        let operand = self.observations();
        self.close('(', ')');
        self.depth -= 1;
        operand
    }

    /// The operator behind an operand, as a level of the precedence, or nothing where the expression is over.
    fn connective(&mut self) -> Option<usize> {
        loop {
            match self.peek() {
                Token::End => return None,
                Token::Symbol(')') if self.depth > self.brackets => return None,
                Token::Symbol(']') if self.brackets > 0 => return None,
                Token::Symbol(close @ (')' | ']' | '}')) => self.stray_bracket(close),
                Token::Symbol(';') => self.semicolon(),
                Token::Symbol('[' | '(' | '{') => {
                    self.missing_connective(self.gap());
                    return Some(2);
                }
                Token::Symbol(',') => {
                    self.missing_connective(self.span(1));
                    self.advance(1);
                    return Some(2);
                }
                Token::Operator(signs @ ("&&" | "&" | "||" | "|")) => return Some(1 + self.sign_for_word(signs)),
                Token::Word(word)
                    if !CONNECTIVES.contains(&word) && matches!(self.peek_behind(word.len()), Token::Symbol(':')) =>
                {
                    self.missing_connective(self.gap());
                    return Some(2);
                }
                Token::Word(word) if word.eq_ignore_ascii_case("followed") && self.is_followed_by(word) => {
                    return Some(0);
                }
                // Behind something that was told already.
                Token::Word(word) if QUALIFIERS.contains(&word) => {
                    self.qualifier();
                }
                Token::Word(_) => match self.take_keyword(&CONNECTIVES) {
                    Some(keyword) => return CONNECTIVES.iter().position(|connective| *connective == keyword),
                    None => {
                        self.unexpected("AND, OR, FOLLOWEDBY, WITHIN, REPEATS or START");
                        self.skip_to_connective();
                    }
                },
                Token::Quote(_) | Token::Number | Token::Operator(_) | Token::Symbol(_) => {
                    self.unexpected("AND, OR, FOLLOWEDBY or the end of the pattern");
                    self.skip_to_connective();
                }
            }
        }
    }

    /// Reads `FOLLOWED BY` in two words.
    fn is_followed_by(&mut self, word: &str) -> bool {
        let start = self.at;
        let Token::Word(by) = self.peek_behind(word.len()) else { return false };
        if !by.eq_ignore_ascii_case("by") {
            return false;
        }
        self.advance(word.len());
        self.advance(by.len());
        let span = Span::new(start, self.end);
        let mistake = Mistake::KeywordSpelling { found: span.slice(self.source).to_owned(), keyword: "FOLLOWEDBY" };
        self.report(ParseError::new(mistake, span).help("write `FOLLOWEDBY`").edit(span, "FOLLOWEDBY"));
        true
    }

    /// `&&` and `||`: 1 for AND and 0 for OR.
    pub fn sign_for_word(&mut self, signs: &str) -> usize {
        let is_and = signs.starts_with('&');
        let word = if is_and { "AND" } else { "OR" };
        let span = self.span(signs.len());
        let error = ParseError::new(Mistake::UnknownOperator { found: signs.to_owned() }, span);
        self.report(error.help(format!("write `{word}`")).edit(span, word));
        self.advance(signs.len());
        usize::from(is_and)
    }

    /// Tells that two observations stand together, at `span`.
    fn missing_connective(&mut self, span: Span) {
        let expected = "AND, OR or FOLLOWEDBY";
        let error = ParseError::new(Mistake::MissingConnective { expected }, span);
        self.report(error.help("write between the observations how they belong together"));
    }

    /// A bracket that closes nothing.
    pub fn stray_bracket(&mut self, close: char) {
        let span = self.span(1);
        self.report(ParseError::new(Mistake::StrayBracket { close }, span).help("remove it").edit(span, ""));
        self.advance(1);
    }

    /// A semicolon, which is at least readable where nothing follows it.
    fn semicolon(&mut self) {
        let span = self.span(1);
        self.advance(1);
        if self.peek() == Token::End {
            let error = ParseError::new(Mistake::Semicolon, span).help("remove it").edit(span, "");
            self.report(error.assume(repair::SEMICOLON, "left out the semicolon behind the pattern"));
        } else {
            self.missing_connective(span);
        }
    }

    /// Goes to the next place where an observation or an operator could stand, past one token at least.
    fn skip_to_connective(&mut self) {
        loop {
            self.skip();
            match self.peek() {
                Token::End | Token::Symbol('[' | '(' | ')') => return,
                Token::Word("AND" | "OR" | "FOLLOWEDBY") => return,
                _ => {}
            }
        }
    }
}
