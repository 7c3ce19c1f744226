//! The outline of ready-made rules: where each begins and ends, and which names it uses.

use std::ops::Range;

use super::super::{INCLUDES, NO_RULE, text::RESERVED};
use crate::{diagnostic::Diagnostic, span::Span};

/// A text of rules, taken apart.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// The modules that it imports, each with the place of its statement.
    pub(super) imports: Vec<(String, Range<usize>)>,
    pub(super) rules: Vec<Part>,
}

/// One rule of a text.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) name: Range<usize>,
    /// Where it begins, with its modifiers.
    pub(super) start: usize,
    /// Behind its closing brace.
    pub(super) end: usize,
    pub(super) is_global: bool,
    pub(super) is_private: bool,
    /// Where its metadata go: behind `{`, or behind `meta:` where it has some.
    pub(super) metadata: usize,
    pub(super) has_metadata: bool,
    /// Words of the condition that are none of YARA's own, nor a field of something.
    pub(super) words: Vec<Range<usize>>,
    /// Those of them that loops count by.
    pub(super) variables: Vec<Range<usize>>,
    /// Its strings: the name with its sign, and what stands for it, without modifiers.
    pub(super) strings: Vec<(Range<usize>, Range<usize>)>,
    /// The condition.
    pub(super) condition: Range<usize>,
    /// Whether the condition asks for a set of rules by the beginning of their names.
    pub(super) has_wildcard: bool,
}

/// Takes a text of rules apart.
///
/// # Errors
/// Why it is no file of YARA rules that may be passed on.
pub(super) fn parts(text: &str) -> Result<Parts, Diagnostic> {
    let mut outline = Outline { text, at: 0, start: 0 };
    let mut parts = Parts::default();
    loop {
        match outline.next()? {
            Token::End if parts.rules.is_empty() => return Err(outline.fault("there is no rule in it")),
            Token::End => return Ok(parts),
            Token::Word("import") => {
                let start = outline.start;
                if outline.next()? != Token::Text {
                    return Err(outline.fault("expected a module's name in quotes"));
                }
                let name = text[outline.start..outline.at].trim_matches('"').to_owned();
                parts.imports.push((name, start..outline.at));
            }
            Token::Word(word @ ("global" | "private" | "rule")) => {
                let part = outline.rule(word)?;
                if parts.rules.iter().any(|other| text[other.name.clone()] == text[part.name.clone()]) {
                    return Err(outline.fault("a rule of that name came before"));
                }
                parts.rules.push(part);
            }
            _ => return Err(outline.fault("expected a rule")),
        }
    }
}

/// The words, texts and marks of a condition that [`parts`] has found, each as it stands there.
pub(super) fn tokens(condition: &str) -> Vec<(Token<'_>, &str)> {
    let mut outline = Outline { text: condition, at: 0, start: 0 };
    let mut all = Vec::new();
    while let Ok(token) = outline.next() {
        if token == Token::End {
            break;
        }
        all.push((token, &condition[outline.start..outline.at]));
    }
    all
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    Word(&'t str),
    /// A string's name with its sign, which may be a word that YARA keeps for itself: `$meta`, `#a`, `@a`, `!a`, `$`.
    Name(u8),
    /// A text in quotes or a regular expression.
    Text,
    Mark(u8),
    End,
}

/// A walk along the words, texts and marks of a file.
struct Outline<'t> {
    text: &'t str,
    at: usize,
    /// Where the last token began.
    start: usize,
}

impl<'t> Outline<'t> {
    /// A rule that begins with `word`.
    fn rule(&mut self, word: &'t str) -> Result<Part, Diagnostic> {
        let mut part = Part { start: self.start, ..Part::default() };
        let mut token = Token::Word(word);
        while let Token::Word(modifier @ ("global" | "private")) = token {
            part.is_global |= modifier == "global";
            part.is_private |= modifier == "private";
            token = self.next()?;
        }
        if token != Token::Word("rule") {
            return Err(self.fault("expected a rule"));
        }
        match self.next()? {
            Token::Word(word) if is_name(word) => part.name = self.start..self.at,
            _ => return Err(self.fault("expected a rule's name")),
        }
        token = self.next()?;
        if token == Token::Mark(b':') {
            token = self.next()?;
            while matches!(token, Token::Word(_)) {
                token = self.next()?;
            }
        }
        if token != Token::Mark(b'{') {
            return Err(self.fault("expected '{'"));
        }
        part.metadata = self.at;
        self.body(&mut part)?;
        part.end = self.at;
        Ok(part)
    }

    /// The body of a rule, up to its closing brace.
    fn body(&mut self, part: &mut Part) -> Result<(), Diagnostic> {
        let mut token = self.next()?;
        if token == Token::Word("meta") {
            self.expect(b':')?;
            (part.metadata, part.has_metadata) = (self.at, true);
            token = self.meta()?;
        }
        if token == Token::Word("strings") {
            token = self.strings(part)?;
        }
        if token != Token::Word("condition") {
            return Err(self.fault("expected a condition"));
        }
        self.expect(b':')?;
        self.condition(part)
    }

    /// Metadata, and the token behind them.
    fn meta(&mut self) -> Result<Token<'t>, Diagnostic> {
        loop {
            let token = self.next()?;
            if !matches!(token, Token::Word(word) if !matches!(word, "strings" | "condition")) {
                return Ok(token);
            }
            self.expect(b'=')?;
            let value = match self.next()? {
                Token::Mark(b'-') => self.next()?,
                other => other,
            };
            if !matches!(value, Token::Text | Token::Word(_)) {
                return Err(self.fault("expected a text, a number or a truth value"));
            }
        }
    }

    /// Strings, and the token behind them.
    fn strings(&mut self, part: &mut Part) -> Result<Token<'t>, Diagnostic> {
        self.expect(b':')?;
        let mut token = self.next()?;
        if token != Token::Name(b'$') {
            return Err(self.fault("expected a string"));
        }
        loop {
            if token != Token::Name(b'$') {
                return Ok(token);
            }
            let name = self.start..self.at;
            self.expect(b'=')?;
            let found = self.next()?;
            let start = self.start;
            match found {
                Token::Text => {}
                Token::Mark(b'{') => self.hexadecimal()?,
                _ => return Err(self.fault("expected a text, hexadecimal digits or a regular expression")),
            }
            part.strings.push((name, start..self.at));
            token = self.modifiers()?;
        }
    }

    /// Hexadecimal digits with their wildcards, up to the closing brace.
    fn hexadecimal(&mut self) -> Result<(), Diagnostic> {
        loop {
            match self.next()? {
                Token::Mark(b'}') => return Ok(()),
                Token::Word(word) if word.bytes().all(|byte| byte.is_ascii_hexdigit()) => {}
                Token::Mark(b'?' | b'~' | b'[' | b']' | b'(' | b')' | b'|' | b'-') => {}
                _ => return Err(self.fault("expected hexadecimal digits")),
            }
        }
    }

    /// What may stand behind a string (`wide`, `xor(1-255)`), and the token behind it.
    fn modifiers(&mut self) -> Result<Token<'t>, Diagnostic> {
        loop {
            let token = self.next()?;
            match token {
                Token::Word("ascii" | "wide" | "nocase" | "fullword" | "private" | "xor" | "base64" | "base64wide") => {
                }
                Token::Mark(b'(') => while !matches!(self.next()?, Token::Mark(b')') | Token::End) {},
                _ => return Ok(token),
            }
        }
    }

    /// A condition, up to the closing brace of its rule.
    fn condition(&mut self, part: &mut Part) -> Result<(), Diagnostic> {
        let (mut before, mut last) = (Token::End, Token::Mark(b':'));
        let start = self.at;
        let mut pending: Vec<Range<usize>> = Vec::new();
        loop {
            let token = self.next()?;
            let is_field = last == Token::Mark(b'.') && before != Token::Mark(b'.');
            match token {
                Token::Word("in") => part.variables.append(&mut pending),
                Token::Word(word) if !is_field && is_name(word) => {
                    part.words.push(self.start..self.at);
                    // `for any key, value in …`
                    if last != Token::Mark(b',') {
                        pending.clear();
                    }
                    pending.push(self.start..self.at);
                }
                Token::Mark(b',') => {}
                // `any of (name*)`; a product has something behind its sign.
                Token::Mark(b')') if last == Token::Mark(b'*') => part.has_wildcard |= matches!(before, Token::Word(_)),
                _ => pending.clear(),
            }
            match token {
                Token::Mark(b'}') if last == Token::Mark(b':') => return Err(self.fault("the condition is empty")),
                Token::Mark(b'}') => {
                    part.condition = start..self.start;
                    return Ok(());
                }
                Token::End
                | Token::Word("rule" | "import" | "global" | "private" | "meta" | "strings" | "condition") => {
                    return Err(self.fault("the rule does not end"));
                }
                // A division; two of them are a text that was escaped once too often.
                Token::Mark(b'\\') if last == token => return Err(self.fault("there is a \\ too many")),
                Token::Mark(mark) if !b"()[]<>=!+-*%\\&|^~.,:".contains(&mark) => {
                    return Err(self.fault("a character that can't stand in a condition"));
                }
                _ => (before, last) = (last, token),
            }
        }
    }

    fn expect(&mut self, mark: u8) -> Result<(), Diagnostic> {
        if self.next()? == Token::Mark(mark) {
            return Ok(());
        }
        Err(self.fault(&format!("expected '{}'", char::from(mark))))
    }

    fn next(&mut self) -> Result<Token<'t>, Diagnostic> {
        self.skip()?;
        self.start = self.at;
        let Some(&first) = self.rest().as_bytes().first() else { return Ok(Token::End) };
        if first.is_ascii_alphanumeric() || first == b'_' {
            // YARA reads the other file wherever the word stands.
            return match self.word() {
                "include" => {
                    let message = "a rule from a feed must not read other files";
                    Err(Diagnostic::error(INCLUDES, message).at(Span::new(self.start, self.at)))
                }
                word => Ok(Token::Word(word)),
            };
        }
        if first == b'"' || first == b'/' {
            return self.quoted(first);
        }
        if first == 0 {
            return Err(self.fault("a NUL can't stand in a rule"));
        }
        self.at += self.rest().chars().next().map_or(1, char::len_utf8);
        let is_name = match first {
            b'$' | b'#' | b'@' => true,
            // The length of a string, or the beginning of `!=`.
            b'!' => !self.rest().starts_with('='),
            _ => false,
        };
        if is_name {
            self.word();
        }
        Ok(if is_name { Token::Name(first) } else { Token::Mark(first) })
    }

    /// Letters, digits and `_`, as many as there are.
    fn word(&mut self) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|next: char| !next.is_ascii_alphanumeric() && next != '_').unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Blanks and comments.
    fn skip(&mut self) -> Result<(), Diagnostic> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            let rest = self.rest();
            if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if let Some(comment) = rest.strip_prefix("/*") {
                self.start = self.at;
                self.at += 2 + comment.find("*/").ok_or_else(|| self.fault("the comment does not end"))? + 2;
            } else {
                return Ok(());
            }
        }
    }

    /// A text in quotes or a regular expression, on one line.
    fn quoted(&mut self, edge: u8) -> Result<Token<'t>, Diagnostic> {
        let mut escaped = false;
        for (index, byte) in self.rest().bytes().enumerate().skip(1) {
            match byte {
                b'\n' => break,
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                byte if byte == edge => {
                    self.at += index + 1;
                    // The flags of a regular expression.
                    let flags =
                        self.rest().bytes().take_while(|flag| edge == b'/' && matches!(flag, b'i' | b's')).count();
                    self.at += flags;
                    return Ok(Token::Text);
                }
                _ => {}
            }
        }
        Err(self.fault(if edge == b'"' { "the text does not end" } else { "the regular expression does not end" }))
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn fault(&self, message: &str) -> Diagnostic {
        Diagnostic::error(NO_RULE, format!("not a YARA rule: {message}")).at(Span::new(self.start, self.at))
    }
}

fn is_name(word: &str) -> bool {
    word.len() <= 128
        && !word.starts_with(|first: char| first.is_ascii_digit())
        && RESERVED.binary_search(&word).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_pass() {
        let cases: [(&str, &[&str]); 13] = [
            ("rule a { condition: true }", &["a"]),
            // A string may be named like a word that YARA keeps for itself.
            ("rule a { strings: $meta = \"x\" condition: $meta }", &["a"]),
            (
                "rule a { strings: $rule = \"x\" $include = \"y\" condition: #rule > 1 and @include[1] != !include[1] }",
                &["a"],
            ),
            ("rule a { strings: $condition = /}/ $strings = { 7D // }\n 7? } condition: any of ($s*) }", &["a"]),
            ("rule a\r\n{\r\n  meta:\r\n    note = \"} rule b {\"\r\n  condition:\r\n    true\r\n}\r\n", &["a"]),
            (
                "import \"pe\" import \"hash\" global rule a { condition: pe.is_pe } global private rule b : t { condition: a }",
                &["a", "b"],
            ),
            (
                "rule a { strings: $a = /a\\/{2}\\}[{}]{1,2}\"/s $b = \"/*\" base64(\"a)b\") condition: all of them }",
                &["a"],
            ),
            (
                "import \"pe\"\nprivate global rule a : t1 t2 { strings: $a = { 41 [2-4] ( 42 | 43 ) } condition: $a }",
                &["a"],
            ),
            (
                "// rule x {\n/* } */ rule a { strings: $a = \"} // \\\" rule\" $b = /\\/}{1,2}/i condition: any of them } rule b { condition: a }",
                &["a", "b"],
            ),
            (
                "rule a { strings: $ = \"x\" wide xor(1-255) $b = /x{2,3}[a]/is private condition: #b > -1 \\ 2 and uint8(@b[1]) == 0x4d }",
                &["a"],
            ),
            ("rule a { meta: condition_x = \"include\" condition: for any of them : ( $ ) }", &["a"]),
            (
                "rule a { strings: $_ = { 4? ~41 ?? [4-] } condition: 50% of them and for any i in (1..#_) : ( @_[i] << 2 >= 0x10 ) }",
                &["a"],
            ),
            ("rule é_not_here { condition: true }", &[]),
        ];
        for (text, names) in cases {
            let rules = parts(text).unwrap_or_default().rules;
            let found: Vec<&str> = rules.into_iter().map(|rule| &text[rule.name]).collect();
            assert_eq!(found, names, "{text}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        let cases = [
            ("", "no rule"),
            ("// rule a { condition: true }", "no rule"),
            ("alert tcp any any -> any any (sid:1;)", "expected a rule"),
            ("rule all { condition: true }", "name"),
            ("rule a { condition: true } private", "expected a rule"),
            ("private import \"pe\" rule a { condition: true }", "expected a rule"),
            ("rule a { strings: $a = \"x\" condition: $a rule }", "does not end"),
            ("rule a { condition: true", "does not end"),
            ("rule a { meta: b = \\\\\"x\\\\\" condition: true }", "expected a text"),
            ("rule a { condition: 1 \\\\ 2 }", "too many"),
            ("rule a { strings: $a = { 4G } condition: $a }", "hexadecimal"),
            ("rule a { condition: }", "empty"),
            ("rule a { strings: condition: true }", "expected a string"),
            ("rule a { condition: tru\u{e9} }", "character"),
            ("rule a { condition: true } }", "expected a rule"),
            ("rule a { condition: true rule b { condition: true } }", "does not end"),
            ("rule a { strings: $a = \"x }", "text does not end"),
            ("rule a { strings: $a = /x }\n condition: $a }", "expression does not end"),
            ("rule a { strings: $a = \"x\" }", "expected a condition"),
            ("rule a { condition: true } rule a { condition: true }", "came before"),
            ("rule a { condition: /* true }", "comment"),
            ("rule a { condition: true \0 }", "NUL"),
        ];
        for (text, message) in cases {
            let fault = parts(text).unwrap_err();
            assert_eq!(fault.code, NO_RULE);
            assert!(fault.message.contains(message), "{text}: {}", fault.message);
        }
    }

    #[test]
    fn a_rule_reads_no_other_file() {
        for text in ["include \"/etc/passwd\" rule a { condition: true }", "rule a { condition: include \"x\" true }"] {
            assert_eq!(parts(text).unwrap_err().code, INCLUDES);
        }
    }
}
