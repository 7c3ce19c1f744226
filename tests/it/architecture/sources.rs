//! The files of `src` as tokens, without comments and without their tests.

use std::{fs, path::Path};

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Word(String),
    /// A string or a character as it is written, with its quotes.
    Literal(String),
    /// `::`
    Colons,
    /// Any other sign, brackets among them.
    Sign(char),
}

impl Token {
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
}

/// One file of `src`.
#[derive(Debug)]
pub struct Source {
    /// Below `src`: `plan/adapt/mod.rs`.
    pub file: String,
    pub tokens: Vec<Token>,
    pub lines: usize,
}

impl Source {
    pub fn new(file: &str, text: &str) -> Self {
        let tokens = Reader { rest: text }.collect();
        Self { file: file.to_owned(), tokens, lines: text.lines().count() }
    }

    /// Its path as a module: `plan`, `adapt`. Empty for `lib.rs`.
    pub fn module(&self) -> Vec<String> {
        let path = self.file.trim_end_matches(".rs").trim_end_matches("/mod");
        if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
    }
}

/// The room that a file belongs to.
pub fn room(file: &str) -> &str {
    file.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// All files of `src`, in the order of their names, but for `main.rs`, which is another crate.
pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, "", &mut found);
    found.retain(|source| source.file != "main.rs");
    found.sort_by(|one, other| one.file.cmp(&other.file));
    found
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), found);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push(Source::new(&format!("{prefix}{name}"), &text));
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Iterator for Reader<'_> {
    type Item = Token;

    /// The next token of the code: attributes are passed over, with the items behind those of tests.
    fn next(&mut self) -> Option<Token> {
        loop {
            let token = self.token()?;
            if token != Token::Sign('#') || !self.rest.starts_with(['[', '!']) {
                return Some(token);
            }
            self.rest = self.rest.trim_start_matches('!');
            let attribute = self.rest;
            self.skip_past(']');
            let attribute = &attribute[..attribute.len() - self.rest.len()];
            if attribute == "[cfg(test)]" {
                self.skip_past('}');
            }
        }
    }
}

impl<'a> Reader<'a> {
    /// Passes over all up to the end of a pair of brackets that ends with `close`, or to a semicolon outside of any.
    fn skip_past(&mut self, close: char) {
        let mut depth = 0;
        while let Some(token) = self.token() {
            match token {
                Token::Sign('(' | '[' | '{') => depth += 1,
                Token::Sign(sign @ (')' | ']' | '}')) => {
                    depth -= 1;
                    if depth == 0 && sign == close {
                        return;
                    }
                }
                Token::Sign(';') if depth == 0 => return,
                _ => {}
            }
        }
    }

    fn token(&mut self) -> Option<Token> {
        self.skip_blank();
        let first = self.rest.chars().next()?;
        if let Some(length) = literal(self.rest) {
            return Some(Token::Literal(self.take(length).to_owned()));
        }
        if is_word(first) {
            let length = self.rest.find(|one| !is_word(one)).unwrap_or(self.rest.len());
            return Some(Token::Word(self.take(length).to_owned()));
        }
        let length = if self.rest.starts_with("::") { 2 } else { first.len_utf8() };
        self.take(length);
        Some(if length == 2 && first == ':' { Token::Colons } else { Token::Sign(first) })
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn skip_blank(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            let end = if self.rest.starts_with("//") {
                self.rest.find('\n')
            } else if self.rest.starts_with("/*") {
                self.rest.find("*/").map(|at| at + 2)
            } else {
                return;
            };
            self.take(end.unwrap_or(self.rest.len()));
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length of the string or character that `text` begins with.
fn literal(text: &str) -> Option<usize> {
    let body = text.trim_start_matches(['b', 'c', 'r']);
    let prefix = text.len() - body.len();
    let raw = text[..prefix].ends_with('r');
    let marks = body.len() - body.trim_start_matches('#').len();
    if prefix > 2 || (marks > 0 && !raw) {
        return None;
    }
    let inner = body[marks..].strip_prefix('"');
    match inner {
        Some(inner) if raw => {
            let close = format!("\"{}", "#".repeat(marks));
            inner.find(&close).map(|end| prefix + marks + 1 + end + close.len())
        }
        Some(inner) => closing(inner, '"').map(|end| prefix + 1 + end),
        // A lifetime begins like a character.
        None => {
            let inner = body.strip_prefix('\'').filter(|_| marks == 0)?;
            let is_character = inner.starts_with('\\') || inner.chars().nth(1) == Some('\'');
            is_character.then(|| closing(inner, '\'').map(|end| prefix + 1 + end)).flatten()
        }
    }
}

/// The place behind the first `quote` that is not escaped.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        if character == '\\' {
            characters.next();
        } else if character == quote {
            return Some(at + 1);
        }
    }
    None
}

#[test]
fn a_file_is_read_without_comments_attributes_and_tests() {
    let text = r##"
        //! crate::comment
        #[derive(Debug)] // crate::comment
        struct One<'a>(&'a str, r#"raw " text"#, '\'', b'"', "a \" {");
        #[cfg(test)]
        mod tests { use super::*; fn two() { "}" } }
        fn three() { /* crate::comment */ a::b() }
        #[cfg(test)]
        use crate::four;
        const FIVE: u8 = 5;
    "##;
    let shown: Vec<String> = Reader { rest: text }
        .map(|token| match token {
            Token::Word(text) | Token::Literal(text) => text,
            Token::Colons => "::".to_owned(),
            Token::Sign(sign) => sign.to_string(),
        })
        .collect();
    let expected = r##"struct One < ' a > ( & ' a str , r#"raw " text"# , '\'' , b'"' , "a \" {" ) ; fn three ( ) { a :: b ( ) } const FIVE : u8 = 5 ;"##;
    assert_eq!(shown.join(" "), expected);
}
