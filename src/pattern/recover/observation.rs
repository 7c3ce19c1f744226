//! Brackets, what stands between them, and what stands around them.

use super::{Reader, Token, keyword::Spelling};
use crate::{
    pattern::{Edit, Mistake, NESTING, repair},
    span::Span,
};

/// The words between observations.
const CONNECTIVES: [&str; 3] = ["FOLLOWEDBY", "OR", "AND"];
/// The words that begin a qualifier.
pub(super) const QUALIFIERS: [&str; 4] = ["WITHIN", "REPEATS", "START", "STOP"];
/// How a missing observation is named.
const AN_OBSERVATION: &str = "an observation in brackets such as `[file:name = 'x']`";

impl Reader<'_> {
    /// Observations under AND, OR and FOLLOWEDBY; returns the most qualifiers on top of each other in them.
    pub fn observations(&mut self) -> usize {
        let mut qualifiers = 0;
        loop {
            qualifiers = qualifiers.max(self.qualified());
            if !self.connective() {
                return qualifiers;
            }
        }
    }

    /// One operand and its qualifiers; returns how many stand on top of each other.
    fn qualified(&mut self) -> usize {
        let mut qualifiers = self.operand();
        while let Some((_, spelling)) = self.peek_keyword(&QUALIFIERS) {
            if spelling == Spelling::Similar && self.peek_keyword(&CONNECTIVES).is_some() {
                break;
            }
            qualifiers += 1;
            if qualifiers > NESTING {
                self.too_deep(self.here(), "remove qualifiers");
                break;
            }
            self.qualifier();
        }
        qualifiers
    }

    /// What qualifiers stand behind; returns how many are in it already.
    fn operand(&mut self) -> usize {
        loop {
            match self.peek() {
                Token::Symbol('[') => self.single(),
                Token::Symbol('(') => return self.parenthesised(Self::observations).unwrap_or_default(),
                Token::Symbol('{') => self.braces(),
                Token::Word(word)
                    if word.eq_ignore_ascii_case("NOT")
                        && matches!(self.peek_behind(word.len()), Token::Symbol('[' | '(')) =>
                {
                    let error = Mistake::MisplacedNot.at(self.span(word.len()));
                    let help = "observations can't be negated; write NOT before an operator: `a:b NOT = 1`";
                    self.report(error.help(help));
                    self.advance(word.len());
                    continue;
                }
                Token::Word(word) if CONNECTIVES.contains(&word) => self.missing_observation(),
                Token::Word(word) if self.is_comparison(word) => self.without_brackets(),
                Token::End | Token::Symbol(')' | ']') => self.missing_observation(),
                Token::Word(_) | Token::Quote(_) | Token::Number | Token::Operator(_) | Token::Symbol(_) => {
                    self.unexpected(AN_OBSERVATION);
                    self.skip_to_connective();
                }
            }
            return 0;
        }
    }

    /// Reports that an observation should stand here.
    fn missing_observation(&mut self) {
        self.missing_operand(AN_OBSERVATION, "write an observation here or remove the operator");
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
    fn single(&mut self) {
        let start = self.at;
        if self.peek_behind(1) == Token::Symbol('[') {
            return self.nested_brackets();
        }
        self.advance(1);
        if self.take(']') {
            let error = Mistake::EmptyBrackets.at(self.since(start));
            return self.report(error.help("write a comparison in them: `[file:name = 'x']`"));
        }
        self.inside_brackets();
        match self.peek() {
            // A parenthesis in place of the bracket closes nothing else where none is open.
            Token::Symbol(found) if found == '}' || found == ')' && self.depth == self.brackets => {
                self.replace_bracket(found, "]", "an observation ends with `]`");
            }
            _ => self.close('[', ']'),
        }
    }

    /// The comparisons between the brackets of an observation.
    fn inside_brackets(&mut self) {
        self.in_brackets = true;
        self.comparisons();
        self.in_brackets = false;
    }

    /// `[[ … ] … ]`, whose outer brackets should be parentheses.
    fn nested_brackets(&mut self) {
        let is_closed = self.bracketed("observations are grouped by parentheses", |reader| {
            reader.brackets += 1;
            reader.observations();
            reader.brackets -= 1;
        });
        if !is_closed {
            self.close('(', ')');
        }
    }

    /// Reports that the next character is the wrong bracket, and moves past it.
    fn replace_bracket(&mut self, found: char, right: &str, expected: &'static str) {
        self.report(Mistake::WrongBracket { found, expected }.at(self.span(1)).replace(right));
        self.advance(1);
    }

    /// `{ … }`, which should be brackets.
    fn braces(&mut self) {
        let start = self.at;
        self.replace_bracket('{', "[", "an observation starts with `[`");
        self.inside_brackets();
        if self.peek() != Token::Symbol('}') {
            return self.close('[', ']');
        }
        let span = self.span(1);
        // One mistake, though it has two ends.
        if let Some(error) = self.mistakes.iter_mut().rev().find(|error| error.span.start as usize == start) {
            error.edits.push(Edit { span, text: "]".to_owned() });
        }
        self.advance(1);
    }

    /// Comparisons that stand in no brackets.
    fn without_brackets(&mut self) {
        let (start, place) = (self.at, self.mistakes.len());
        self.comparisons();
        let error = Mistake::MissingBrackets.at(self.since(start)).insert(start, "[");
        let end = self.end;
        let error = if self.take(']') {
            error.help("write `[` before it")
        } else {
            error.help("write `[` before it and `]` behind it").insert(end, "]")
        };
        self.report_before(place, error);
    }

    /// Reads the operator behind an operand; `false` where the expression is over.
    fn connective(&mut self) -> bool {
        loop {
            match self.peek() {
                Token::End => return false,
                Token::Symbol(')') if self.depth > self.brackets => return false,
                Token::Symbol(']') if self.brackets > 0 => return false,
                Token::Symbol(close @ (')' | ']' | '}')) => self.stray_bracket(close),
                Token::Symbol(';') => self.semicolon(),
                Token::Symbol('[' | '(' | '{') => return self.adjacent_observations(self.gap()),
                Token::Symbol(',') => {
                    self.adjacent_observations(self.span(1));
                    self.advance(1);
                    return true;
                }
                Token::Operator(signs @ ("&&" | "&" | "||" | "|")) => return self.sign_for_word(signs),
                Token::Word(word)
                    if !CONNECTIVES.contains(&word) && matches!(self.peek_behind(word.len()), Token::Symbol(':')) =>
                {
                    return self.adjacent_observations(self.gap());
                }
                Token::Word(word) if word.eq_ignore_ascii_case("followed") && self.is_followed_by(word) => {
                    return true;
                }
                // Behind something that was reported already.
                Token::Word(word) if QUALIFIERS.contains(&word) => self.qualifier(),
                Token::Word(_) => {
                    if self.take_keyword(&CONNECTIVES).is_some() {
                        return true;
                    }
                    self.unexpected("AND, OR, FOLLOWEDBY, WITHIN, REPEATS or START");
                    self.skip_to_connective();
                }
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
        self.misspelt(self.since(start), "FOLLOWEDBY");
        true
    }

    /// Reads `&&` or `||` in place of a word.
    pub fn sign_for_word(&mut self, signs: &str) -> bool {
        let word = if signs.starts_with('&') { "AND" } else { "OR" };
        self.report(Mistake::UnknownOperator { found: signs.to_owned() }.at(self.span(signs.len())).replace(word));
        self.advance(signs.len());
        true
    }

    /// Reports at `span` that two observations stand together.
    fn adjacent_observations(&mut self, span: Span) -> bool {
        let help = "write between the observations how they belong together";
        self.missing_connective("AND, OR or FOLLOWEDBY", span, help)
    }

    /// Reads a bracket that closes nothing.
    pub fn stray_bracket(&mut self, close: char) {
        self.report(Mistake::StrayBracket { close }.at(self.span(1)).remove());
        self.advance(1);
    }

    /// Reads a semicolon, which is at least readable where nothing follows it.
    fn semicolon(&mut self) {
        let span = self.span(1);
        self.advance(1);
        if self.peek() == Token::End {
            let error = Mistake::Semicolon.at(span).remove();
            self.report(error.assume(repair::SEMICOLON, "left out the semicolon behind the pattern"));
        } else {
            self.adjacent_observations(span);
        }
    }

    /// Moves to the next place where an observation or an operator could stand, past one token at least.
    fn skip_to_connective(&mut self) {
        loop {
            self.skip();
            match self.peek() {
                Token::End | Token::Symbol('[' | '(' | ')') | Token::Word("AND" | "OR" | "FOLLOWEDBY") => return,
                _ => {}
            }
        }
    }
}
