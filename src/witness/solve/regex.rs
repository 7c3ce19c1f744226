//! Texts that a regular expression matches.

use regex_syntax::hir::{Class, Hir, HirKind};

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
pub(super) fn texts(expression: &str) -> Vec<String> {
    let Some(hir) = parsed(expression).or_else(|| parsed(&super::simpler_regex::simpler(expression))) else {
        return Vec::new();
    };
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

fn parsed(expression: &str) -> Option<Hir> {
    regex_syntax::ParserBuilder::new().dot_matches_new_line(true).build().parse(expression).ok()
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
            ("^(?!x)ab", "ab"),
            ("a++b", "ab"),
            ("[^a-z]", "0"),
            ("\\bword\\b", "word"),
        ] {
            assert_eq!(texts(expression).first().map(String::as_str), Some(text), "{expression}");
        }
    }
}
