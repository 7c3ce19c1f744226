//! The lists that are built in: `templates/guard/`.

use super::{
    Action,
    entry::Entry,
    list::{Kinds, Line, List, ListHead, UrlReach, head_value, lines},
};
use crate::diagnostic::Code;

macro_rules! texts {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("../../templates/guard/", $name, ".txt")))),*] };
}

/// The name and the text of each list.
const TEXTS: &[(&str, &str)] = texts![
    "private",
    "special",
    "documentation",
    "root-servers",
    "resolvers",
    "time-servers",
    "certificate-status",
    "special-names",
    "public-suffixes",
    "vendors",
    "platforms",
    "harmless-digests",
];

/// The names of the MISP warninglists whose hits are noted and kept, as patterns with `*` at either end.
const NOTED: &str = include_str!("../../templates/guard/noted-warninglists.txt");

/// All lists. Their texts are constants, which a test reads.
pub(super) fn lists() -> Vec<List> {
    TEXTS.iter().map(|(name, text)| list(name, text)).collect()
}

fn list(name: &str, text: &'static str) -> List {
    let value = |key| head_value(text, key).unwrap_or_default();
    let action = |key| Action::from_name(value(key)).unwrap_or(Action::Drop);
    let head = ListHead {
        name: name.to_owned(),
        about: value("about").to_owned(),
        source: value("source").to_owned(),
        date: value("date").to_owned(),
        code: Code(value("code")),
        blocking: action("lists"),
        detecting: action("detections"),
        urls: match value("urls") {
            "any" => UrlReach::Any,
            "pages" => UrlReach::Pages,
            "root" => UrlReach::Root,
            _ => UrlReach::None,
        },
        within_owner: value("below") != "all",
        suffixes: value("suffixes") == "all",
        is_warninglist: false,
        kinds: Kinds::ALL,
    };
    List::new(head, entries(text).unwrap_or_default())
}

fn entries(text: &str) -> Result<Vec<Line>, (usize, String)> {
    lines(text, |word| Entry::parse(word).into_iter().collect())
}

/// Whether hits on the MISP warninglist `name` are noted and kept, unless the user says otherwise: it tells where
/// something is, not that it is harmless.
pub(super) fn is_noted(name: &str) -> bool {
    let patterns = NOTED.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    patterns.into_iter().any(|pattern| match pattern.strip_prefix('*') {
        Some(end) => name.ends_with(end),
        None => name == pattern,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard;

    #[test]
    fn each_list_says_where_it_comes_from() {
        let noted = [("noted-warninglists", NOTED)];
        for (name, text) in TEXTS.iter().chain(&noted) {
            let value = |key| head_value(text, key).unwrap_or_default();
            assert!(value("about").len() > 10, "{name}: what is it about?");
            assert!(value("source").len() > 10, "{name}: where does it come from?");
            let date: Vec<&str> = value("date").split('-').collect();
            assert!(
                matches!(date[..], [year, month, day]
                if year.len() == 4 && month.len() == 2 && day.len() == 2),
                "{name}: of which day is it?"
            );
        }
    }

    #[test]
    fn each_file_is_a_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/guard");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .filter(|name| !["noted-warninglists", "everyday"].contains(&name.as_str()))
            .collect();
        names.sort_unstable();
        let mut known: Vec<&str> = TEXTS.iter().map(|(name, _)| *name).collect();
        known.sort_unstable();
        assert_eq!(names, known);
    }

    #[test]
    fn each_line_is_an_entry_and_each_word_of_a_head_is_known() {
        let codes = [
            guard::SPECIAL_RANGE,
            guard::PUBLIC_SUFFIX,
            guard::NEEDED_BY_ALL,
            guard::SPECIAL_NAME,
            guard::HARMLESS_DIGEST,
            guard::DOCUMENTATION,
        ];
        for (name, text) in TEXTS {
            let lines = entries(text).unwrap_or_else(|(line, word)| panic!("{name}.txt:{line}: {word}"));
            assert!(!lines.is_empty() || head_value(text, "suffixes").is_some(), "{name}");
            assert!(codes.contains(&Code(head_value(text, "code").unwrap())), "{name}");
            for key in ["lists", "detections"] {
                assert!(head_value(text, key).is_none_or(|word| Action::from_name(word).is_some()), "{name}: {key}");
            }
            assert!(head_value(text, "urls").is_none_or(|word| matches!(word, "any" | "pages" | "root")), "{name}");
        }
    }

    #[test]
    fn lists_of_scanners_and_clouds_are_noted() {
        assert!(is_noted("amazon-aws") && is_noted("shodan-nt-scanning"));
        assert!(!is_noted("rfc1918") && !is_noted("crl-hostname"));
    }
}
