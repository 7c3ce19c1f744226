//! The house: a file uses only what lies to its left or in its own room, no files use each other in a circle, a target
//! is known by its folder alone, and the catalogue of codes is complete.

mod imports;
mod sources;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use stixc::targets;

use self::{
    imports::{circles, uses},
    sources::{Source, Token, room, sources},
};

/// The rooms from left to right. Rooms on one line don't see each other.
const ORDER: &[&[&str]] = &[
    &["span", "hex"],
    &["diagnostic"],
    &["output"],
    &["pattern", "stix"],
    &["evaluate"],
    &["plan"],
    &["guard"],
    &["witness"],
    &["render"],
    &["targets"],
    &["report"],
    &["convert"],
    &["trace"],
    &["pipeline"],
    &["cli"],
];

fn position(room: &str) -> Option<usize> {
    ORDER.iter().position(|group| group.contains(&room))
}

fn may_use(room: &str, other: &str) -> bool {
    match (room, other) {
        // The doors to the outside know what they carry and nothing of its meaning.
        ("source" | "store", other) => matches!(other, "span" | "diagnostic" | "stix"),
        ("pipeline" | "cli", "source" | "store") => true,
        (_, "source" | "store") => false,
        _ => position(other).is_some_and(|left| position(room).is_some_and(|right| left < right)),
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_plan_on_the_wall_is_this_one() {
    let plan = read("ARCHITECTURE.md");
    let order = ORDER.iter().map(|rooms| rooms.join(" | ")).collect::<Vec<_>>().join(" < ");
    assert!(plan.lines().any(|line| line == order), "ARCHITECTURE.md has no line {order}");
    let described: BTreeSet<&str> =
        plan.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let sources = sources();
    let rooms: BTreeSet<&str> = sources.iter().map(|source| room(&source.file)).filter(|room| *room != "lib").collect();
    let missing: Vec<_> = rooms.difference(&described).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md has no line for {missing:?}");
}

/// The names that are promised: those of `lib.rs`, and those for a target in another crate. All else is hidden.
#[test]
fn the_public_surface_is_small() {
    let text = read("src/lib.rs");
    let (front, targets) = text.split_once("pub mod backend {").unwrap();
    let (backend, proof) = targets.split_once("pub mod proof {").unwrap();
    assert!(names(front) <= 40, "{} names on the front page", names(front));
    assert!(names(backend) <= 32, "{} names for targets", names(backend));
    assert!(names(proof) <= 16, "{} names for the proof of targets", names(proof));
    let lines: Vec<&str> = front.lines().collect();
    let open = lines.windows(2).filter(|pair| pair[1].starts_with("pub mod ") && pair[0] != "#[doc(hidden)]");
    assert_eq!(open.map(|pair| pair[1]).collect::<Vec<_>>(), [""; 0], "rooms are hidden");
}

/// How many names the `pub use` of a text hands on.
fn names(text: &str) -> usize {
    let uses = text.split("pub use ").skip(1).filter_map(|rest| rest.split(';').next());
    let separators = |one: char| !(one.is_alphanumeric() || matches!(one, '_' | ':'));
    uses.flat_map(|tree| tree.split(separators)).filter(|path| !path.is_empty() && !path.ends_with("::")).count()
}

#[test]
fn rooms_use_what_lies_to_their_left() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (file, used) in uses(&sources()) {
        for other in used.iter().filter(|other| room(other) != room(&file)) {
            seen += 1;
            if !may_use(room(&file), room(other)) {
                wrong.push(format!("{file}: {other}"));
            }
        }
    }
    assert!(seen > 50, "only {seen} uses found: does the search still work?");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let uses = uses(&sources());
    let found = circles(&uses);
    let arrows = |circle: &Vec<String>| -> Vec<String> {
        let inside = |file: &&String| circle.contains(file);
        let from = circle.iter().flat_map(|file| uses[file].iter().filter(inside).map(move |other| (file, other)));
        from.map(|(file, other)| format!("{file} -> {other}")).collect()
    };
    assert!(found.is_empty(), "{:#?}", found.iter().map(arrows).collect::<Vec<_>>());
}

/// The target in whose folder a file lies.
fn target_of(file: &str) -> Option<&str> {
    file.strip_prefix("targets/")?.split_once('/').map(|(target, _)| target)
}

#[test]
fn no_target_sees_another_nor_the_syntax() {
    let mut wrong = Vec::new();
    for (file, used) in uses(&sources()) {
        let Some(own) = target_of(&file) else { continue };
        let foreign =
            |other: &&String| target_of(other).is_some_and(|target| target != own) || room(other) == "pattern";
        wrong.extend(used.iter().filter(foreign).map(|other| format!("{file}: {other}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A file that names a target would have to name a new one, too. The rooms `stix` and `pattern` may: STIX itself has names
/// of rule languages among its pattern types.
#[test]
fn a_target_is_named_in_its_folder_and_in_the_list_alone() {
    let names: Vec<&str> = targets::TARGETS.iter().map(|target| target.name()).collect();
    let mut wrong = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| source.file != "targets/mod.rs" && !matches!(room(&source.file), "stix" | "pattern"))
    {
        let text = |token: &Token| match token {
            Token::Word(text) | Token::Literal(text) => Some(text.to_lowercase()),
            _ => None,
        };
        let words: BTreeSet<String> = source.tokens.iter().filter_map(text).collect();
        let named = |name: &&&str| words.iter().any(|word| word.contains(**name));
        for name in names.iter().filter(named).filter(|name| target_of(&source.file) != Some(**name)) {
            wrong.push(format!("{}: {name}", source.file));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What ARCHITECTURE.md promises of a new target: its folder, its folder of templates and data, a line in the list.
#[test]
fn a_target_is_a_folder_a_folder_of_templates_and_a_line() {
    let mut names: Vec<&str> = targets::TARGETS.iter().map(|target| target.name()).collect();
    names.sort_unstable();
    let folders = |path: &str| -> Vec<String> {
        let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap().map(Result::unwrap);
        let folders = entries.filter(|entry| entry.path().is_dir());
        let mut names: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(folders("src/targets"), names);
    let templates: Vec<String> =
        folders("templates").into_iter().filter(|name| name != "codes" && name != "guard").collect();
    assert_eq!(templates, names);
    let text = read("src/targets/mod.rs");
    for name in names {
        let lines: Vec<&str> = text.lines().filter(|line| line.contains(name)).collect();
        let [module, list] = lines.as_slice() else { panic!("targets/mod.rs names {name} in {lines:#?}") };
        assert_eq!(*module, format!("pub mod {name};"));
        assert!(list.starts_with("pub static TARGETS: ") && list.contains(&format!("&{name}::")), "{list}");
    }
}

#[test]
fn no_file_has_two_duties() {
    for source in sources() {
        assert!(source.lines <= 600, "{}: {} lines", source.file, source.lines);
    }
}

/// Every code that the sources declare, with its file.
fn declared() -> BTreeMap<String, String> {
    let mut codes = BTreeMap::new();
    let is_code = |word: &&str| {
        word.len() == 4
            && word.starts_with(['P', 'T', 'W', 'S', 'L', 'G', 'R'])
            && word[1..].bytes().all(|byte| byte.is_ascii_digit())
    };
    for Source { file, tokens, .. } in sources() {
        let quoted = |token: &Token| match token {
            Token::Literal(text) => Some(text.trim_matches('"').to_owned()),
            _ => None,
        };
        for word in tokens.iter().filter_map(quoted).filter(|word| is_code(&word.as_str())) {
            if let Some(other) = codes.insert(word.clone(), file.clone()) {
                panic!("{word} is declared in {other} and in {file}");
            }
        }
    }
    codes
}

#[test]
fn each_code_is_explained_and_each_explanation_has_its_code() {
    let declared = declared();
    assert!(declared.len() > 50, "only {} codes found: does the search still work?", declared.len());
    let unexplained: Vec<_> = declared.keys().filter(|code| targets::explain(code).is_none()).collect();
    assert!(unexplained.is_empty(), "without an explanation: {unexplained:?}");
    let unused: Vec<_> = targets::catalogue().keys().filter(|code| !declared.contains_key(*code)).collect();
    assert!(unused.is_empty(), "explained, but nobody reports them: {unused:?}");
    for (code, explanation) in targets::catalogue() {
        let filled =
            [&explanation.title, &explanation.text, &explanation.example].iter().all(|text| !text.trim().is_empty());
        assert!(filled, "{code} has an empty explanation");
    }
}

#[test]
fn each_catalogue_file_is_read_whole_and_no_code_stands_in_two() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let shared = fs::read_dir(folder.join("codes")).unwrap().map(|entry| entry.unwrap().path());
    let of_target = |name: &str| folder.join(name).join("codes.toml");
    let own = targets::TARGETS.iter().map(|target| of_target(target.name()));
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in shared.chain(own) {
        let table: toml::Table = toml::from_str(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let letters = if stem == "codes" { "LR".to_owned() } else { stem.to_uppercase() };
        for code in table.keys() {
            assert!(letters.contains(&code[..1]), "{code} in {}", path.display());
            if let Some(other) = seen.insert(code.clone(), path.clone()) {
                panic!("{code} is explained in {} and in {}", other.display(), path.display());
            }
        }
    }
    assert!(seen.keys().eq(targets::catalogue().keys()), "a catalogue file could not be read, or is not included");
    // A code that a target declares is explained in its own folder.
    for (code, file) in declared() {
        if let Some(target) = target_of(&file) {
            assert_eq!(seen[&code], of_target(target), "{code}");
        }
    }
}

#[test]
fn templates_know_three_tags() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut seen = 0;
    for target in targets::TARGETS {
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
    assert!(seen >= targets::TARGETS.len());
}

#[test]
fn each_mapping_speaks_of_each_property() {
    use stixc::{plan::schema, targets::mapping::Mapping};
    for target in targets::TARGETS {
        let mapping = Mapping::<toml::Value, toml::Value>::read(target.mapping()).unwrap();
        let silent: Vec<&str> = schema::properties()
            .filter(|property| !property.common)
            .map(|property| property.path)
            .filter(|path| !mapping.maps(path) && mapping.reason(path).is_none())
            .collect();
        assert!(silent.is_empty(), "{}: neither mapped nor listed as unsupported: {silent:#?}", target.name());
    }
}
