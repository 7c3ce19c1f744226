//! Texts that a regular expression matches.

use fancy_regex::Expr;
use regex_syntax::hir::{Class, Dot, Hir, HirKind, Repetition, translate::TranslatorBuilder};

use crate::{evaluate, plan::Regex};

/// How long a text may become.
const LENGTH: usize = 4096;

/// Which alternative is taken, how many repetitions more than needed, and which characters.
const TRIES: &[(usize, u32, &str)] = &[
    (0, 0, LIKED),
    (0, 1, LIKED),
    (1, 0, LIKED),
    (2, 1, LIKED),
    (3, 0, LIKED),
    (0, 4, LIKED),
    (0, 1, "-. /x"),
    (1, 1, " -/.7"),
];

/// Texts that the expression probably matches, the shortest first: its way is taken once with as little as it wants, and
/// for each alternative, and with one repetition more. Each has to be asked of the evaluator.
pub(super) fn texts(expression: &Regex) -> Vec<String> {
    let Some(hir) = meaning(expression) else { return Vec::new() };
    let mut texts: Vec<String> = Vec::new();
    for (branch, more, liked) in TRIES {
        let mut writer = Writer { text: String::new(), branch: *branch, more: *more, liked };
        if writer.write(&hir).is_some() {
            texts.push(writer.text);
        }
    }
    let shortest = texts.first().cloned().unwrap_or_default();
    texts.insert(texts.len().min(1), format!("x{shortest}y"));
    texts.push(format!(" {shortest} "));
    texts.push(format!("{shortest}/y"));
    let mut seen = Vec::new();
    texts.retain(|text| {
        let is_new = !seen.contains(text);
        seen.push(text.clone());
        is_new
    });
    texts
}

/// What the expression means, but for what only a backtracking engine knows.
fn meaning(expression: &Regex) -> Option<Hir> {
    let mut translator = TranslatorBuilder::new().dot_matches_new_line(true).build();
    match expression.tree() {
        Ok(tree) => translator.translate(expression.text(), tree).ok(),
        Err(_) => simpler(&evaluate::expression_tree(expression.text())?, &mut Vec::new()),
    }
}

/// The expression with look-around left out, each group that is referred to in the place of the reference, and nothing
/// possessive. It may match more or less; texts made from it are guesses.
fn simpler(expression: &Expr, groups: &mut Vec<Hir>) -> Option<Hir> {
    let mut all = |parts: &[Expr]| parts.iter().map(|part| simpler(part, groups)).collect::<Option<Vec<Hir>>>();
    Some(match expression {
        Expr::Any { .. } => Hir::dot(Dot::AnyChar),
        Expr::GeneralNewline { .. } => Hir::literal(*b"\n"),
        Expr::Literal { val, .. } => Hir::literal(val.as_bytes()),
        Expr::Delegate { inner, .. } => regex_syntax::parse(inner).ok()?,
        Expr::Concat(parts) => Hir::concat(all(parts)?),
        Expr::Alt(parts) => Hir::alternation(all(parts)?),
        Expr::Repeat { child, lo, hi, greedy } => Hir::repetition(Repetition {
            min: u32::try_from(*lo).ok()?,
            max: u32::try_from(*hi).ok(),
            greedy: *greedy,
            sub: Box::new(simpler(child, groups)?),
        }),
        Expr::Group(inner) => {
            let number = groups.len();
            groups.push(Hir::empty());
            groups[number] = simpler(inner, groups)?;
            groups[number].clone()
        }
        Expr::AtomicGroup(inner) | Expr::Conditional { true_branch: inner, .. } => simpler(inner, groups)?,
        Expr::Backref { group, .. } | Expr::SubroutineCall(group) => {
            groups.get(group.checked_sub(1)?).cloned().unwrap_or_else(Hir::empty)
        }
        _ => Hir::empty(),
    })
}

/// Writes a text that fits.
struct Writer {
    text: String,
    /// Which alternative is taken, as far as there are so many.
    branch: usize,
    /// How many repetitions more than needed, where they are allowed.
    more: u32,
    liked: &'static str,
}

impl Writer {
    fn write(&mut self, hir: &Hir) -> Option<()> {
        if self.text.len() > LENGTH {
            return None;
        }
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => self.text.push_str(std::str::from_utf8(&literal.0).ok()?),
            HirKind::Class(class) => self.text.push(self.character(class)?),
            HirKind::Repetition(repetition) => {
                let most = repetition.max.unwrap_or(u32::MAX);
                let times = repetition.min.saturating_add(self.more).min(most);
                for _ in 0..times {
                    self.write(&repetition.sub)?;
                }
            }
            HirKind::Capture(capture) => self.write(&capture.sub)?,
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.write(part))?,
            HirKind::Alternation(parts) => self.write(parts.get(self.branch.min(parts.len() - 1))?)?,
        }
        Some(())
    }

    /// A character of a class; the second one that it has, where there is to be more.
    fn character(&self, class: &Class) -> Option<char> {
        let liked = self.liked.chars().chain(LIKED.chars());
        let mut has: Vec<char> =
            liked.filter(|one| contains(class, *one)).take(1 + usize::from(self.more > 0)).collect();
        has.pop().or_else(|| match class {
            Class::Unicode(class) => class.ranges().first().map(|range| range.start()),
            Class::Bytes(class) => class.ranges().first().map(|range| char::from(range.start())),
        })
    }
}

/// What is taken of a class, the first that is in it: first all that suit a name, then all that can be printed.
const LIKED: &str = "axbcdefghijklmnopqrstuvwyz0123456789AXBCDEFGHIJKLMNOPQRSTUVWYZ-_. /\\:@,;=+%()[]{}&?!#$'\"<>|*~^`";

fn contains(class: &Class, one: char) -> bool {
    match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&one)),
        Class::Bytes(class) => u8::try_from(one)
            .is_ok_and(|one| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&one))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_texts() {
        for (expression, text) in [
            ("^powershell.*-enc [A-Za-z0-9+/=]{3,}$", "powershell-enc aaa"),
            ("(?i)evil", "evil"),
            ("a|b", "a"),
            ("^(foo|bar)\\d{2}\\.exe$", "foo00.exe"),
            ("(a)\\1b", "aab"),
            ("(?>a|b)[[x]\\h(c)(?=d)\\1{2}", "ax ccc"),
            ("^(?!x)ab", "ab"),
            ("a++b", "ab"),
            ("[^a-z]", "0"),
            ("\\bword\\b", "word"),
        ] {
            assert_eq!(texts(&Regex::parse(expression)).first().map(String::as_str), Some(text), "{expression}");
        }
    }
}
