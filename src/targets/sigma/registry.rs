//! Registry keys as Windows event logs spell them: `HKLM\…`, and below `HKU\<SID>\…` for the current user.

use regex_syntax::ast::{
    Alternation, Ast, Concat, Group, Literal, LiteralKind, Position, Repetition, Span, parse::Parser,
};

use super::wildcard::SigmaValue;
use crate::plan::Hive;

/// The hives that logs name; that of the current user they log below its SID.
const LOGGED: [Hive; 4] = [Hive::LocalMachine, Hive::ClassesRoot, Hive::Users, Hive::CurrentUser];

/// A key as it is logged, and its hive, if it names one that logs name.
pub(super) fn logged(key: SigmaValue) -> (Option<Hive>, SigmaValue) {
    let key = key.trimmed('\\');
    let (first, rest) = key.split_once("\\").unwrap_or_else(|| (key.clone(), SigmaValue::default()));
    let hive = first.spelled().and_then(|name| Hive::parse(&name)).filter(|hive| LOGGED.contains(hive));
    let rest = if hive.is_some() { rest } else { key };
    let beginning = match hive {
        Some(Hive::CurrentUser) => SigmaValue::literal("HKU\\").then_any(),
        Some(hive) => SigmaValue::literal(hive.abbreviation()),
        None => SigmaValue::default().then_any(),
    };
    (hive, if rest.is_empty() { beginning } else { beginning.then("\\").followed_by(rest) })
}

/// Whether a LIKE pattern begins with a part of a hive's name and a wildcard.
pub(super) fn begins_as_a_hive(pattern: &SigmaValue) -> bool {
    let first = pattern.split_once("\\").map_or_else(|| pattern.clone(), |(first, _)| first);
    first.begins_with(['H', 'h']) && first.spelled().is_none()
}

/// The forms in which logs have a number, if `data` is one.
pub(super) fn numbers(data: &str) -> Vec<String> {
    let Some(number) = data.parse::<u64>().ok().filter(|number| number.to_string() == data) else { return Vec::new() };
    let long = format!("QWORD (0x{:08x}-0x{:08x})", number >> 32, number & 0xffff_ffff);
    let short = u32::try_from(number).ok().map(|number| format!("DWORD (0x{number:08x})"));
    short.into_iter().chain([long]).collect()
}

/// A regular expression about keys with the hives as logged.
pub(super) struct KeyExpression {
    /// The expression.
    pub(super) tree: Ast,
    /// Whether it names the hive of the current user.
    pub(super) names_user: bool,
    /// Whether it names a hive that logs do not name so.
    pub(super) names_unlogged: bool,
}

impl KeyExpression {
    pub(super) fn new(tree: &Ast) -> Self {
        let mut made = Self { tree: Ast::empty(*tree.span()), names_user: false, names_unlogged: false };
        made.tree = made.rewritten(tree);
        made
    }

    fn rewritten(&mut self, node: &Ast) -> Ast {
        let mut all = |nodes: &[Ast]| nodes.iter().map(|node| self.rewritten(node)).collect();
        match node {
            Ast::Alternation(node) => Ast::alternation(Alternation { span: node.span, asts: all(&node.asts) }),
            Ast::Concat(node) => Ast::concat(Concat { span: node.span, asts: self.sequence(&node.asts) }),
            Ast::Group(node) => {
                let (kind, ast) = (node.kind.clone(), Box::new(self.rewritten(&node.ast)));
                Ast::group(Group { span: node.span, kind, ast })
            }
            Ast::Repetition(node) => {
                let (op, ast) = (node.op.clone(), Box::new(self.rewritten(&node.ast)));
                Ast::repetition(Repetition { span: node.span, op, greedy: node.greedy, ast })
            }
            other => other.clone(),
        }
    }

    /// The parts of a sequence, where hives are spelled out.
    fn sequence(&mut self, nodes: &[Ast]) -> Vec<Ast> {
        let runs = nodes.chunk_by(|one, next| letter(one).is_some() && letter(next).is_some());
        let mut sequence = Vec::with_capacity(nodes.len());
        for run in runs {
            let text: String = run.iter().filter_map(letter).collect();
            if text.is_empty() {
                sequence.extend(run.iter().map(|node| self.rewritten(node)));
            } else {
                self.spell(&text, &mut sequence);
            }
        }
        sequence
    }

    fn spell(&mut self, text: &str, sequence: &mut Vec<Ast>) {
        let literal = |c| Ast::literal(Literal { span: NOWHERE, kind: LiteralKind::Verbatim, c });
        let mut rest = text.chars();
        let mut others = String::new();
        while let Some(named) =
            names().find(|(name, _)| rest.as_str().starts_with(name)).map(Ok).or_else(|| rest.next().map(Err))
        {
            match named {
                Ok((name, hive)) => {
                    rest = rest.as_str()[name.len()..].chars();
                    others.push('\\');
                    self.names_user |= hive == Hive::CurrentUser;
                    if hive == Hive::CurrentUser {
                        sequence.extend("HKU\\".chars().map(literal));
                        sequence.extend(Parser::new().parse(r"[^\\]+"));
                    } else {
                        sequence.extend(hive.abbreviation().chars().map(literal));
                    }
                }
                Err(character) => {
                    others.push(character.to_ascii_uppercase());
                    sequence.push(literal(character));
                }
            }
        }
        self.names_unlogged |= others.contains("HKEY");
    }
}

/// The names of the hives that logs name.
fn names() -> impl Iterator<Item = (&'static str, Hive)> {
    LOGGED.into_iter().flat_map(|hive| [(hive.name(), hive), (hive.abbreviation(), hive)])
}

fn letter(node: &Ast) -> Option<char> {
    match node {
        Ast::Literal(literal) => Some(literal.c),
        _ => None,
    }
}

/// The place of what does not stand in the pattern.
const NOWHERE: Span =
    Span { start: Position { offset: 0, line: 1, column: 1 }, end: Position { offset: 0, line: 1, column: 1 } };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::{LikePattern, Regex},
        targets::sigma::{
            regex::{Subject, translate},
            wildcard::modified,
        },
    };

    #[test]
    fn keys_are_spelled_as_logged() {
        for (key, expected) in [
            (r"HKEY_LOCAL_MACHINE\SOFTWARE\X", r"'HKLM\SOFTWARE\X'"),
            (r"hklm\software", r"'HKLM\software'"),
            (r"HKEY_CURRENT_USER\Software\X\", r"'HKU\\*\Software\X'"),
            (r"HKEY_USERS\S-1\X", r"'HKU\S-1\X'"),
            (r"Software\Microsoft", r"'\Software\Microsoft'"),
            ("HKLM", "'HKLM'"),
        ] {
            let (_, value) = logged(SigmaValue::literal(key));
            assert_eq!(modified(&[value]).1[0].as_str(), expected, "{key}");
        }
    }

    #[test]
    fn wildcards_in_keys_leave_the_hive_readable() {
        for (key, expected) in [
            (r"%HKEY_LOCAL_MACHINE\SOFTWARE\%", r"'HKLM\SOFTWARE\\*'"),
            (r"HKEY_CURRENT_USER\A_", r"'HKU\\*\A?'"),
            (r"HKEY%\A", r"'*\HKEY*\A'"),
        ] {
            let (_, value) = logged(SigmaValue::from(&LikePattern::parse(key)));
            assert_eq!(modified(&[SigmaValue::literal("x"), value]).1[1].as_str(), expected, "{key}");
        }
        let begins = |key| begins_as_a_hive(&SigmaValue::from(&LikePattern::parse(key)));
        assert!(begins(r"HKEY%\A") && !begins(r"HKEY_USERS\%") && !begins(r"%\HK%"));
    }

    #[test]
    fn expressions_name_hives_as_logged() {
        for (expression, expected) in [
            (r"^HKEY_LOCAL_MACHINE\\A", r"^HKLM\\A"),
            (r"(?:HKCR|HKEY_CURRENT_USER)\\A", r"(HKCR|HKU\\[^\\]+)\\A"),
            ("Run[HKCU]", "Run[HKCU]"),
        ] {
            let regex = Regex::parse(expression);
            let made = KeyExpression::new(regex.tree().unwrap());
            assert_eq!(translate(&made.tree, Subject::Field).unwrap().text, expected);
            assert_eq!((made.names_user, made.names_unlogged), (expected.contains("HKU"), false));
        }
        let unlogged = |expression| KeyExpression::new(Regex::parse(expression).tree().unwrap()).names_unlogged;
        assert!(unlogged(r"hkey_users\\A") && unlogged("HKEY_.*") && unlogged("A(HKEY_CURRENT_CONFIG)"));
    }
}
