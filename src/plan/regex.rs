//! The regular expressions of MATCHES.

use std::{convert::Infallible, fmt, sync::Arc};

use regex_syntax::ast::{Ast, ClassSetItem, ErrorKind, Visitor, parse::ParserBuilder, visit};

/// How deep groups may stand in one another.
const NESTING: u32 = 100;

/// A regular expression and its syntax tree. A clone shares the tree.
///
/// ```
/// use stixc::plan::Regex;
/// let regex = Regex::parse(r"^evil\.(com|net)/?$");
/// assert!(regex.tree().is_ok());
/// assert_eq!((regex.count(|sign| sign == '.'), regex.count(|sign| sign == '$')), (1, 0));
/// assert!(Regex::parse("(?=a)").tree().is_err());
/// ```
#[derive(Clone)]
pub struct Regex(Arc<(Box<str>, Result<Ast, ErrorKind>)>);

impl Regex {
    /// Reads an expression.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let tree = ParserBuilder::new().nest_limit(NESTING).build().parse(text);
        Self(Arc::new((text.into(), tree.map_err(|error| error.kind().clone()))))
    }

    /// The expression as it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.0
    }

    /// Its tree.
    ///
    /// # Errors
    /// What only a backtracking engine knows: look-around, back-references and the like.
    pub fn tree(&self) -> Result<&Ast, &ErrorKind> {
        self.0.1.as_ref()
    }

    /// How often it spells out a character that is asked for, in classes too.
    pub fn count(&self, is_asked: impl Fn(char) -> bool) -> usize {
        let Ok(tree) = self.tree() else { return 0 };
        let Ok(count) = visit(tree, Count { is_asked, count: 0 });
        count
    }
}

/// The text says it all, and a tree is long.
impl fmt::Debug for Regex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Regex").field(&self.text()).finish()
    }
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Regex {}

struct Count<F> {
    is_asked: F,
    count: usize,
}

impl<F: Fn(char) -> bool> Count<F> {
    fn add(&mut self, character: char) -> Result<(), Infallible> {
        self.count += usize::from((self.is_asked)(character));
        Ok(())
    }
}

impl<F: Fn(char) -> bool> Visitor for Count<F> {
    type Output = usize;
    type Err = Infallible;

    fn finish(self) -> Result<usize, Infallible> {
        Ok(self.count)
    }

    fn visit_pre(&mut self, node: &Ast) -> Result<(), Infallible> {
        match node {
            Ast::Literal(literal) => self.add(literal.c),
            _ => Ok(()),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Infallible> {
        match item {
            ClassSetItem::Literal(literal) => self.add(literal.c),
            ClassSetItem::Range(range) => self.add(range.start.c).and_then(|()| self.add(range.end.c)),
            _ => Ok(()),
        }
    }
}
