//! How a regular expression ends, and what it would be without its signs.

use std::slice;

use regex_syntax::ast::{self, AssertionKind, Ast, ClassSet, ClassSetItem, RepetitionKind, RepetitionRange};

/// Whether every alternative ends with `$`; `None` where some do, or where one stands elsewhere.
pub(super) fn ends(tree: &Ast) -> Option<bool> {
    match tree {
        Ast::Alternation(alternation) => {
            let mut all = alternation.asts.iter().map(ends);
            let first = all.next().flatten()?;
            all.all(|one| one == Some(first)).then_some(first)
        }
        Ast::Concat(concat) => {
            let (last, others) = concat.asts.split_last()?;
            (!others.iter().any(has_end)).then(|| ends(last)).flatten()
        }
        Ast::Assertion(_) => Some(has_end(tree)),
        other => (!has_end(other)).then_some(false),
    }
}

/// Whether what matches has to end with something that may be the separator: `.`, or a class. An expression that spells
/// the separator out asks for it.
pub(super) fn takes_last(node: &Ast, separator: char) -> bool {
    let is_optional = |node: &Ast| match node {
        Ast::Empty(_) | Ast::Flags(_) | Ast::Assertion(_) => true,
        Ast::Repetition(repetition) => match &repetition.op.kind {
            RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore => true,
            RepetitionKind::OneOrMore => false,
            RepetitionKind::Range(
                RepetitionRange::Exactly(least) | RepetitionRange::AtLeast(least) | RepetitionRange::Bounded(least, _),
            ) => *least == 0,
        },
        _ => false,
    };
    match node {
        Ast::Dot(_) => true,
        Ast::ClassPerl(class) => class.negated,
        Ast::ClassBracketed(class) => match &class.kind {
            ClassSet::Item(item) => holds(item, separator) != class.negated,
            ClassSet::BinaryOp(_) => true,
        },
        Ast::Repetition(repetition) => !is_optional(node) && takes_last(&repetition.ast, separator),
        Ast::Group(group) => takes_last(&group.ast, separator),
        Ast::Alternation(alternation) => alternation.asts.iter().any(|branch| takes_last(branch, separator)),
        Ast::Concat(concat) => {
            concat.asts.iter().rfind(|part| !is_optional(part)).is_some_and(|part| takes_last(part, separator))
        }
        _ => false,
    }
}

/// Whether a class holds a character.
fn holds(item: &ClassSetItem, character: char) -> bool {
    match item {
        ClassSetItem::Literal(literal) => literal.c == character,
        ClassSetItem::Range(range) => (range.start.c..=range.end.c).contains(&character),
        ClassSetItem::Perl(class) => class.negated,
        ClassSetItem::Ascii(class) => has_signs(&class.kind),
        ClassSetItem::Union(union) => union.items.iter().any(|item| holds(item, character)),
        _ => false,
    }
}

fn has_end(node: &Ast) -> bool {
    match node {
        Ast::Assertion(assertion) => matches!(assertion.kind, AssertionKind::EndLine | AssertionKind::EndText),
        Ast::Repetition(repetition) => has_end(&repetition.ast),
        Ast::Group(group) => has_end(&group.ast),
        Ast::Alternation(alternation) => alternation.asts.iter().any(has_end),
        Ast::Concat(concat) => concat.asts.iter().any(has_end),
        _ => false,
    }
}

/// Whether the expression ends with a character, and whether the subject has to end there.
pub(super) fn ends_with(tree: &Ast, character: char) -> (bool, bool) {
    let mut behind = parts(last_branch(tree)).iter().rev().skip_while(|node| has_end(node));
    let closed = parts(last_branch(tree)).last().is_some_and(has_end);
    (behind.next().is_some_and(|node| is_literal(node, character)), closed)
}

/// Whether a part of the expression ends with a character: a group, or an alternative beside the last.
pub(super) fn has_end_inside(tree: &Ast, character: char) -> bool {
    let ends = |node: &Ast| parts(last_branch(node)).last().is_some_and(|node| is_literal(node, character));
    match tree {
        Ast::Alternation(alternation) => {
            let others = alternation.asts.split_last().map_or(&[][..], |(_, others)| others);
            others.iter().any(ends) || alternation.asts.iter().any(|branch| has_end_inside(branch, character))
        }
        Ast::Group(group) => ends(&group.ast) || has_end_inside(&group.ast, character),
        Ast::Repetition(repetition) => has_end_inside(&repetition.ast, character),
        Ast::Concat(concat) => concat.asts.iter().any(|part| has_end_inside(part, character)),
        _ => false,
    }
}

fn last_branch(node: &Ast) -> &Ast {
    match node {
        Ast::Alternation(alternation) => alternation.asts.last().unwrap_or(node),
        other => other,
    }
}

/// The parts of a sequence.
fn parts(node: &Ast) -> &[Ast] {
    match node {
        Ast::Concat(concat) => &concat.asts,
        other => slice::from_ref(other),
    }
}

fn is_literal(node: &Ast, character: char) -> bool {
    matches!(node, Ast::Literal(literal) if literal.c == character)
}

/// What the expression would be without its signs, for each of its alternatives: an escaped dot and any other one are the
/// same, and what stands for more than one text is none.
pub(super) fn plain_texts(tree: &Ast) -> Vec<String> {
    let branches = match tree {
        Ast::Alternation(alternation) => alternation.asts.as_slice(),
        other => slice::from_ref(other),
    };
    let sign = |node: &Ast| match node {
        Ast::Literal(literal) => Some(literal.c),
        Ast::Dot(_) => Some('.'),
        Ast::Assertion(_) | Ast::Flags(_) | Ast::Empty(_) => None,
        _ => Some(char::REPLACEMENT_CHARACTER),
    };
    branches.iter().map(|branch| parts(branch).iter().filter_map(sign).collect()).collect()
}

/// Whether a class holds more than letters, digits and blanks, and so perhaps a separator.
pub(super) fn has_signs(kind: &ast::ClassAsciiKind) -> bool {
    use ast::ClassAsciiKind::{Ascii, Graph, Print, Punct};
    matches!(kind, Ascii | Graph | Print | Punct)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Regex;

    fn of<T>(expression: &str, ask: impl Fn(&Ast) -> T) -> T {
        ask(Regex::parse(expression).tree().unwrap())
    }

    #[test]
    fn each_alternative_has_a_text_of_its_own() {
        assert_eq!(of(r"(?i)^a\.exe$|b.dll", plain_texts), ["a.exe", "b.dll"]);
        assert_eq!(of(r"x(y)[.]\.sh", plain_texts), ["x\u{fffd}\u{fffd}.sh"]);
    }

    #[test]
    fn an_escaped_sign_ends_nothing() {
        let ends = |expression| of(expression, |tree| ends_with(tree, '\\'));
        assert_eq!(
            [ends(r"C:\\$"), ends(r"a|C:\\"), ends(r"a\$"), ends(r"\\a")],
            [(true, true), (true, false), (false, false), (false, false)]
        );
        let inside = |expression| of(expression, |tree| has_end_inside(tree, '\\'));
        assert!(inside(r"(a\\)b") && inside(r"a\\|b") && !inside(r"a\\\|b") && !inside(r"a|b\\"));
    }
}
