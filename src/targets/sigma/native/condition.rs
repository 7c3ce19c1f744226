//! Conditions of detections: `selection and not 1 of filter_*`.

use std::collections::BTreeMap;

use crate::guard::Evidence;

/// How deep conditions lie in one another.
const DEEPEST: usize = 64;

/// A condition, read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    Selection(String),
    /// `1 of x*` or `all of them`.
    Several(bool, Vec<String>),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

/// What a condition asks for.
///
/// # Errors
/// What is wrong with it.
pub(super) fn evidence(condition: &str, selections: &BTreeMap<&str, Evidence>) -> Result<Evidence, String> {
    let words = words(condition)?;
    let mut reader = Reader { words: &words, at: 0, selections };
    let expression = reader.any(0)?;
    match reader.peek() {
        Some(word) => Err(format!("{word:?} can't follow in the condition")),
        None => Ok(weighed(&expression, false, selections)),
    }
}

fn weighed(expression: &Expression, negated: bool, selections: &BTreeMap<&str, Evidence>) -> Evidence {
    let all = |operands: &[Expression]| operands.iter().map(|one| weighed(one, negated, selections)).collect();
    let one = |name: &str| match negated {
        true => Evidence::Nothing("a negation names nobody".to_owned()),
        false => selections.get(name).cloned().unwrap_or(Evidence::All(Vec::new())),
    };
    match (expression, negated) {
        (Expression::Selection(name), _) => one(name),
        (Expression::Several(false, names), _) => Evidence::Any(names.iter().map(|name| one(name)).collect()),
        (Expression::Several(true, names), _) => Evidence::All(names.iter().map(|name| one(name)).collect()),
        (Expression::Not(inner), _) => weighed(inner, !negated, selections),
        (Expression::All(operands), false) | (Expression::Any(operands), true) => Evidence::All(all(operands)),
        (Expression::Any(operands), false) | (Expression::All(operands), true) => Evidence::Any(all(operands)),
    }
}

/// Names, words of the language and parentheses.
fn words(condition: &str) -> Result<Vec<&str>, String> {
    let is_of_word = |one: char| one.is_ascii_alphanumeric() || "_-*".contains(one);
    let mut words = Vec::new();
    let mut rest = condition.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '(' | ')' => 1,
            '|' => return Err("what stands behind | is for correlations".to_owned()),
            one if is_of_word(one) => rest.find(|other| !is_of_word(other)).unwrap_or(rest.len()),
            other => return Err(format!("{other:?} can't stand in a condition")),
        };
        let (word, behind) = rest.split_at(end);
        words.push(word);
        rest = behind.trim_start();
    }
    Ok(words)
}

struct Reader<'t> {
    words: &'t [&'t str],
    at: usize,
    selections: &'t BTreeMap<&'t str, Evidence>,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<&'t str> {
        self.words.get(self.at).copied()
    }

    fn next(&mut self) -> Option<&'t str> {
        let word = self.peek();
        self.at += 1;
        word
    }

    fn any(&mut self, depth: usize) -> Result<Expression, String> {
        let mut operands = vec![self.all(depth)?];
        while self.peek() == Some("or") {
            self.at += 1;
            operands.push(self.all(depth)?);
        }
        Ok(if operands.len() == 1 { operands.swap_remove(0) } else { Expression::Any(operands) })
    }

    fn all(&mut self, depth: usize) -> Result<Expression, String> {
        let mut operands = vec![self.one(depth)?];
        while self.peek() == Some("and") {
            self.at += 1;
            operands.push(self.one(depth)?);
        }
        Ok(if operands.len() == 1 { operands.swap_remove(0) } else { Expression::All(operands) })
    }

    fn one(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > DEEPEST {
            return Err("the condition is nested too deep".to_owned());
        }
        match self.next() {
            None => Err("the condition ends too early".to_owned()),
            Some("not") => Ok(Expression::Not(Box::new(self.one(depth + 1)?))),
            Some("(") => {
                let inner = self.any(depth + 1)?;
                match self.next() {
                    Some(")") => Ok(inner),
                    _ => Err("a parenthesis is not closed".to_owned()),
                }
            }
            Some(quantity @ ("1" | "any" | "all")) if self.peek() == Some("of") => {
                self.at += 1;
                let pattern = self.next().unwrap_or_default();
                let names = self.alike(pattern);
                if names.is_empty() {
                    return Err(format!("no selection is meant by {pattern:?}"));
                }
                Ok(Expression::Several(quantity == "all", names))
            }
            Some(word) if self.selections.contains_key(word) => Ok(Expression::Selection(word.to_owned())),
            Some(word) => Err(format!("there is no selection {word:?}")),
        }
    }

    /// The selections that a pattern means. Those that begin with `_` it has to name.
    fn alike(&self, pattern: &str) -> Vec<String> {
        let names = self.selections.keys().filter(|name| pattern.starts_with('_') || !name.starts_with('_'));
        let fits = |name: &&&str| pattern == "them" || is_like(name, pattern);
        names.filter(fits).map(|name| (*name).to_owned()).collect()
    }
}

/// Whether a text fits a pattern in which `*` is any text.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let Some(last) = pattern.rsplit_once('*').map(|(_, last)| last) else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    text.len() >= pattern.len() - pattern.matches('*').count() && text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(condition: &str) -> Result<Evidence, String> {
        let selections = ["sel", "sel_a", "sel_b", "filter", "_own"];
        evidence(condition, &selections.into_iter().map(|name| (name, Evidence::Named)).collect())
    }

    #[test]
    fn conditions_are_read() {
        let nothing = || Evidence::Nothing("a negation names nobody".to_owned());
        let (one, two) = (Evidence::Named, vec![Evidence::Named, Evidence::Named]);
        assert_eq!(read("sel"), Ok(one.clone()));
        assert_eq!(read("not sel"), Ok(nothing()));
        assert_eq!(read("not not sel"), Ok(one.clone()));
        assert_eq!(read("sel and not filter"), Ok(Evidence::All(vec![one.clone(), nothing()])));
        assert_eq!(read("not (not sel or filter)"), Ok(Evidence::All(vec![one.clone(), nothing()])));
        assert_eq!(read("1 of sel_*"), Ok(Evidence::Any(two.clone())));
        assert_eq!(read("all of sel_*"), Ok(Evidence::All(two)));
        assert_eq!(read("any of them"), Ok(Evidence::Any(vec![one.clone(); 4])));
        assert_eq!(read("1 of _*"), Ok(Evidence::Any(vec![one.clone()])));
        let both = Evidence::All(vec![one.clone(), one.clone()]);
        assert_eq!(read("(sel) or sel_a and sel_b"), Ok(Evidence::Any(vec![one, both])));
    }

    #[test]
    fn what_is_none_is_refused() {
        for wrong in [
            "",
            "other",
            "sel and",
            "sel filter",
            "(sel",
            "sel)",
            "1 of other*",
            "2 of sel*",
            "sel | count() > 5",
            "all of",
            "not",
            "sel AND filter",
            "sel && filter",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read(&"(".repeat(100_000)).is_err());
        assert!(read(&"not ".repeat(100_000)).is_err());
        for (text, pattern, expected) in [
            ("abc", "a*c", true),
            ("ac", "a*c", true),
            ("a", "a*a", false),
            ("abc", "abc", true),
            ("abcd", "abc", false),
            ("xabc", "*b*", true),
        ] {
            assert_eq!(is_like(text, pattern), expected, "{text} {pattern}");
        }
    }
}
