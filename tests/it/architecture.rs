//! The house: a file imports only from its left or from its own group, and the catalogue of codes is complete.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use stixc::diagnostic;

/// The rooms from left to right. Rooms on one line don't see each other.
const ORDER: &[&[&str]] = &[
    &["span"],
    &["diagnostic"],
    &["pattern", "stix"],
    &["evaluate"],
    &["plan"],
    &["guard"],
    &["targets"],
    &["witness"],
    &["render"],
    &["report"],
    &["output"],
    &["convert"],
    &["trace"],
    &["pipeline"],
    &["cli"],
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// A file's text without its tests and comments, which may look anywhere.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The rooms that a file names in `crate::…` paths, also in `use crate::{…}` lists.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for character in list.chars() {
                match character {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => item.push('\n'),
                    _ if depth == 0 => item.push(character),
                    _ => {}
                }
            }
            let rooms = item.lines().map(|one| one.trim().split("::").next().unwrap_or_default().to_owned());
            found.extend(rooms.filter(|room| !room.is_empty()));
        } else {
            found.insert(rest.chars().take_while(|one| one.is_alphanumeric() || *one == '_').collect());
        }
    }
    found
}

fn position(room: &str) -> Option<usize> {
    ORDER.iter().position(|group| group.contains(&room))
}

#[test]
fn imports_point_to_the_left() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in sources(&root) {
        let relative = file.strip_prefix(&root).unwrap();
        let first = relative.iter().next().unwrap().to_str().unwrap();
        let room = first.trim_end_matches(".rs");
        if matches!(room, "lib" | "main") {
            continue;
        }
        for other in imports(&code(&file)).into_iter().filter(|other| other != room) {
            seen += 1;
            let allowed = match (room, other.as_str()) {
                // The doors to the outside know what they carry and nothing of its meaning.
                ("source" | "store", other) => matches!(other, "span" | "diagnostic" | "stix"),
                ("pipeline" | "cli", "source" | "store") => true,
                (_, "source" | "store") => false,
                _ => position(&other).is_some_and(|left| position(room).is_some_and(|right| left < right)),
            };
            if !allowed {
                wrong.push(format!("{}: crate::{other}", relative.display()));
            }
        }
    }
    assert!(seen > 50, "only {seen} imports found: does the search still work?");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_target_sees_another() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/targets");
    let names: Vec<&str> = stixc::targets::TARGETS.iter().map(|target| target.name()).collect();
    for own in &names {
        for file in sources(&root.join(own)) {
            let text = code(&file);
            for other in names.iter().filter(|other| *other != own) {
                for path in [format!("targets::{other}"), format!("super::{other}::"), format!("super::super::{other}")]
                {
                    assert!(!text.contains(&path), "{} names {path}", file.display());
                }
            }
            assert!(
                !text.contains("crate::pattern") && !text.contains("pattern::{"),
                "{} sees the syntax",
                file.display()
            );
        }
    }
}

#[test]
fn no_file_has_two_duties() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in sources(&root) {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 600, "{}: {lines} lines", file.display());
    }
}

/// Every code that the sources declare, with its file.
fn declared() -> BTreeMap<String, PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut codes = BTreeMap::new();
    for file in sources(&root) {
        let text = code(&file);
        let quoted = text.split('"').skip(1).step_by(2);
        for word in quoted.filter(|word| {
            word.len() == 4
                && word.starts_with(['P', 'T', 'W', 'S', 'L', 'G', 'R'])
                && word[1..].bytes().all(|byte| byte.is_ascii_digit())
        }) {
            if let Some(other) = codes.insert(word.to_owned(), file.clone()) {
                panic!("{word} is declared in {} and in {}", other.display(), file.display());
            }
        }
    }
    codes
}

#[test]
fn each_code_is_explained_and_each_explanation_has_its_code() {
    let declared = declared();
    assert!(declared.len() > 50, "only {} codes found: does the search still work?", declared.len());
    let unexplained: Vec<_> = declared.keys().filter(|code| diagnostic::explain(code).is_none()).collect();
    assert!(unexplained.is_empty(), "without an explanation: {unexplained:?}");
    let unused: Vec<_> = diagnostic::catalogue().keys().filter(|code| !declared.contains_key(*code)).collect();
    assert!(unused.is_empty(), "explained, but nobody reports them: {unused:?}");
    for (code, explanation) in diagnostic::catalogue() {
        let filled =
            [&explanation.title, &explanation.text, &explanation.example].iter().all(|text| !text.trim().is_empty());
        assert!(filled, "{code} has an empty explanation");
    }
}

#[test]
fn each_catalogue_file_is_read_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/codes");
    let mut codes = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let table: toml::Table = toml::from_str(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let letter = path.file_stem().unwrap().to_str().unwrap().to_uppercase();
        assert!(table.keys().all(|code| code.starts_with(&letter)), "{}", path.display());
        codes += table.len();
    }
    assert_eq!(codes, diagnostic::catalogue().len(), "a catalogue file could not be read, or is not included");
}

#[test]
fn templates_know_three_tags() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut seen = 0;
    for target in stixc::targets::TARGETS {
        for entry in fs::read_dir(folder.join(target.name())).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "hbs") {
                continue;
            }
            seen += 1;
            let text = fs::read_to_string(&path).unwrap();
            for (at, _) in text.match_indices("{{") {
                let tag: String = text[at + 2..].chars().take_while(|one| *one != '}').collect();
                let words: Vec<&str> = tag.trim_matches('~').split_whitespace().collect();
                let plain =
                    |word: &str| word.chars().all(|one| one.is_alphanumeric() || matches!(one, '_' | '.' | '@'));
                let allowed = match words.as_slice() {
                    ["#each" | "#if", field] => plain(field),
                    ["/each" | "/if" | "else"] => true,
                    [field] => plain(field) || tag.starts_with('!'),
                    _ => tag.starts_with('!'),
                };
                assert!(allowed, "{}: {{{{{tag}}}}}", path.display());
            }
        }
    }
    assert!(seen >= stixc::targets::TARGETS.len());
}

#[test]
fn each_mapping_speaks_of_each_property() {
    use stixc::{plan::schema, targets::mapping::Mapping};
    for target in stixc::targets::TARGETS {
        let mapping = Mapping::<toml::Value, toml::Value>::read(target.mapping()).unwrap();
        let silent: Vec<&str> = schema::properties()
            .filter(|property| !property.common)
            .map(|property| property.path)
            .filter(|path| !mapping.maps(path) && mapping.reason(path).is_none())
            .collect();
        assert!(silent.is_empty(), "{}: neither mapped nor listed as unsupported: {silent:#?}", target.name());
    }
}
