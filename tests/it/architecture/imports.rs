//! Which file of `src` uses which other.
//!
//! A file uses another where it names something that the other one defines: by `use`, or by a path in its code, from
//! `crate`, `super`, `self`, a module below it or a module that it imports. A name that a module only hands on (`pub use`)
//! counts for the file that defines it; neither `mod` nor `pub use` is a use by itself.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{Source, Token};

/// From a file to the files that it uses.
pub type Uses = BTreeMap<String, BTreeSet<String>>;

/// All uses between the files of `src`, those of `lib.rs` aside: it is the front page and hands names on.
pub fn uses(sources: &[Source]) -> Uses {
    let modules: BTreeMap<Vec<String>, Module> =
        sources.iter().map(|source| (source.module(), Module::read(source, sources))).collect();
    let mut found = Uses::new();
    for module in modules.values().filter(|module| module.file != "lib.rs") {
        let used: BTreeSet<String> = module.named().filter_map(|path| definer(&modules, &path, 0)).collect();
        found.insert(module.file.clone(), used.into_iter().filter(|file| *file != module.file).collect());
    }
    found
}

/// Files that reach each other, each circle sorted.
///
/// What a `mod.rs` defines is the vocabulary of its folder: the files of the folder may use it, and it may put them to
/// work. So the way from a file up to a `mod.rs` above it counts for no circle; all other ways do.
pub fn circles(uses: &Uses) -> Vec<Vec<String>> {
    let across =
        |file: &String, other: &&String| other.strip_suffix("mod.rs").is_none_or(|folder| !file.starts_with(folder));
    let across: Uses = uses
        .iter()
        .map(|(file, used)| (file.clone(), used.iter().filter(|other| across(file, other)).cloned().collect()))
        .collect();
    let reach: BTreeMap<&String, BTreeSet<&String>> =
        across.keys().map(|file| (file, reachable(&across, file))).collect();
    let mut found = BTreeSet::new();
    for (file, from_here) in &reach {
        let circle: Vec<String> =
            from_here.iter().filter(|other| reach[**other].contains(file)).map(|&other| other.clone()).collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

fn reachable<'a>(uses: &'a Uses, from: &'a String) -> BTreeSet<&'a String> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        for next in &uses[file] {
            if found.insert(next) {
                open.push(next);
            }
        }
    }
    found
}

struct Module {
    path: Vec<String>,
    file: String,
    children: BTreeSet<String>,
    imports: Vec<Import>,
    /// Paths of two names and more in the code.
    paths: BTreeSet<Vec<String>>,
    /// Each word of the code outside `use`.
    words: BTreeSet<String>,
}

struct Import {
    /// From the crate's root.
    path: Vec<String>,
    /// What it is called here; nothing for `*`.
    name: Option<String>,
    /// Whether others may import it from here.
    handed_on: bool,
}

impl Module {
    fn read(source: &Source, all: &[Source]) -> Self {
        let path = source.module();
        let is_child = |other: &Vec<String>| other.len() == path.len() + 1 && other.starts_with(&path);
        let children = all.iter().map(Source::module).filter(is_child).filter_map(|mut other| other.pop()).collect();
        let mut module = Self {
            path,
            file: source.file.clone(),
            children,
            imports: Vec::new(),
            paths: BTreeSet::new(),
            words: BTreeSet::new(),
        };
        let mut at = 0;
        while at < source.tokens.len() {
            at = module.step(&source.tokens, at);
        }
        module
    }

    /// Reads what begins at `at`, and gives the place behind it.
    fn step(&mut self, tokens: &[Token], at: usize) -> usize {
        let Token::Word(word) = &tokens[at] else { return at + 1 };
        let next = tokens.get(at + 1);
        // `use<'a>` is no import.
        if word == "use" && next != Some(&Token::Sign('<')) {
            let handed_on = at > 0 && (tokens[at - 1].is("pub") || tokens[at - 1] == Token::Sign(')'));
            return self.import(tokens, at + 1, Vec::new(), handed_on);
        }
        let mut path = vec![word.clone()];
        let mut end = at + 1;
        while let [Token::Colons, Token::Word(part), ..] = &tokens[end..] {
            path.push(part.clone());
            end += 2;
        }
        let follows_another = at > 0 && tokens[at - 1] == Token::Colons;
        self.words.insert(word.clone());
        if path.len() > 1 && !follows_another {
            self.paths.insert(path);
        }
        end
    }

    /// Reads the tree of a `use` behind `prefix`, up to what follows it.
    fn import(&mut self, tokens: &[Token], mut at: usize, mut prefix: Vec<String>, handed_on: bool) -> usize {
        loop {
            match &tokens[at] {
                Token::Word(word) if word == "as" => {
                    let Token::Word(name) = &tokens[at + 1] else { panic!("{}: `as` without a name", self.file) };
                    self.add(prefix, Some(name.clone()), handed_on);
                    return at + 2;
                }
                Token::Word(word) => prefix.push(word.clone()),
                Token::Colons => {}
                Token::Sign('*') => {
                    self.add(prefix, None, handed_on);
                    return at + 1;
                }
                Token::Sign('{') => {
                    at += 1;
                    while tokens[at] != Token::Sign('}') {
                        at = self.import(tokens, at, prefix.clone(), handed_on);
                        at += usize::from(tokens[at] == Token::Sign(','));
                    }
                    return at + 1;
                }
                _ => {
                    let name = prefix.iter().rfind(|part| *part != "self").cloned();
                    self.add(prefix, name, handed_on);
                    return at;
                }
            }
            at += 1;
        }
    }

    fn add(&mut self, mut path: Vec<String>, name: Option<String>, handed_on: bool) {
        if path.len() > 1 && path.last().is_some_and(|part| part == "self") {
            path.pop();
        }
        if let Some(path) = self.absolute(&path) {
            self.imports.push(Import { path, name, handed_on });
        }
    }

    /// A path from the crate's root; nothing for one into another crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let mut base = self.path.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                base.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            first if self.children.contains(first) => {}
            first => {
                let import = self.imports.iter().find(|import| import.name.as_deref() == Some(first))?;
                base.clone_from(&import.path);
                rest = &path[1..];
            }
        }
        Some(base.into_iter().chain(rest.iter().cloned()).collect())
    }

    /// What this file names for its own use.
    fn named(&self) -> impl Iterator<Item = Vec<String>> {
        let own =
            |import: &&Import| !import.handed_on || import.name.as_ref().is_some_and(|name| self.words.contains(name));
        let imports = self.imports.iter().filter(own).map(|import| import.path.clone());
        imports.chain(self.paths.iter().filter_map(|path| self.absolute(path)))
    }
}

/// The file that defines what `path` leads to; nothing for a module as such, which is used by what is named in it.
fn definer(modules: &BTreeMap<Vec<String>, Module>, path: &[String], depth: usize) -> Option<String> {
    assert!(depth < 20, "{path:?} is imported in a circle");
    let mut here = 0;
    while here < path.len() && modules.contains_key(&path[..=here]) {
        here += 1;
    }
    let module = modules.get(&path[..here])?;
    let name = path.get(here)?;
    let named = module.imports.iter().find(|import| import.name.as_ref() == Some(name));
    if let Some(import) = named {
        let onward: Vec<String> = import.path.iter().chain(&path[here + 1..]).cloned().collect();
        return definer(modules, &onward, depth + 1);
    }
    // `pub use ast::*` hands on what that file speaks of, and this one does not.
    let all = module.imports.iter().filter(|import| import.name.is_none() && !module.words.contains(name));
    let speaks = |import: &&Import| modules.get(&import.path).is_some_and(|other| other.words.contains(name));
    let file = all.filter(speaks).map(|import| modules[&import.path].file.clone()).next();
    file.or_else(|| Some(module.file.clone()))
}

#[test]
fn a_use_leads_to_the_file_that_defines_the_name() {
    let sources = [
        Source::new("lib.rs", "pub mod a; pub mod b;"),
        Source::new("a/mod.rs", "mod one; mod two; pub use one::One; pub struct Own; fn f() -> two::Two { todo!() }"),
        Source::new("a/one.rs", "use super::{Own, two::{self, Two as Second}}; pub struct One(Own, Second, two::Two);"),
        Source::new(
            "a/two.rs",
            "use crate::b; pub struct Two(super::Own, b::B); #[cfg(test)] mod tests { use super::super::one; }",
        ),
        Source::new("b.rs", "use std::fmt; use crate::{a::One, c::Deep}; pub struct B(One, fmt::Error, Deep);"),
        Source::new("c/mod.rs", "mod d; pub use d::*;"),
        Source::new("c/d.rs", "pub struct Deep;"),
    ];
    let uses = uses(&sources);
    let used = |file: &str| uses[file].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(used("a/mod.rs"), ["a/two.rs"]);
    assert_eq!(used("a/one.rs"), ["a/mod.rs", "a/two.rs"]);
    assert_eq!(used("a/two.rs"), ["a/mod.rs", "b.rs"]);
    assert_eq!(used("b.rs"), ["a/one.rs", "c/d.rs"]);
    assert_eq!(circles(&uses), [["a/one.rs", "a/two.rs", "b.rs"]]);
}
