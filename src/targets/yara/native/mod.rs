//! Rules that come ready-made in an indicator (`pattern_type` "yara").
//!
//! They stand in one file, so each must leave the others alone: it ends where its text ends, reads no other file, uses no
//! module that prints or that not every engine has, needs no variable from outside, and is not `global`, which would bind all
//! rules of the file. Each gets a name that no other rule has, and its text stays as it is otherwise. Whether it compiles is
//! for the engine to say.

mod breadth;
mod outline;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::Deserialize;

use super::{NO_RULE, text::YaraString};
use crate::{
    diagnostic::{Code, Diagnostic},
    span::Span,
    targets::{
        digest::Digest,
        native::{NativeFault, NativeRule},
    },
};
use outline::{Part, Parts, parts};

/// A ready-made rule with a module that it may not have.
pub const MODULE: Code = Code("R152");
/// A ready-made rule that binds others.
pub const GLOBAL: Code = Code("R153");
/// A ready-made rule that uses a name which is not its own.
pub const UNKNOWN_NAME: Code = Code("R154");

/// The longest name of a rule: with what makes it unique it stays within what YARA 4 takes.
const LONGEST_NAME: usize = 112;

/// The modules that a ready-made rule may import, and why it may not import others.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Modules {
    modules: BTreeSet<String>,
    /// Texts that files of everybody hold.
    everyday: Vec<String>,
    refused: BTreeMap<String, String>,
}

impl Modules {
    /// The table as shipped. A test reads it, so a bad one can't be shipped.
    fn shipped() -> &'static Self {
        static MODULES: LazyLock<Modules> = LazyLock::new(|| {
            toml::from_str(include_str!("../../../../templates/yara/native.toml")).unwrap_or_default()
        });
        &MODULES
    }

    fn refusal(&self, module: &str) -> Option<&str> {
        match self.refused.get(module) {
            Some(why) => Some(why),
            None => (!self.modules.contains(module)).then_some("no engine is known to have it"),
        }
    }
}

/// Reads the rules of a text.
///
/// # Errors
/// Why they can't go into the files.
pub(super) fn read(text: &str) -> Result<NativeRule, NativeFault> {
    let parts = parts(text).map_err(|found| {
        if found.code == NO_RULE { NativeFault::Malformed(found) } else { NativeFault::Unwanted(found) }
    })?;
    harmless(text, &parts).map_err(NativeFault::Unwanted)?;
    let evidence = breadth::evidence(text, &parts);
    Ok(NativeRule { text: text.to_owned(), notes: Vec::new(), is_compiled: false, evidence })
}

/// Whether the rules leave everything else alone.
fn harmless(text: &str, parts: &Parts) -> Result<(), Diagnostic> {
    let at = |code, message: String, place: &std::ops::Range<usize>| {
        Diagnostic::error(code, message).at(Span::new(place.start, place.end))
    };
    for (module, place) in &parts.imports {
        if let Some(why) = Modules::shipped().refusal(module) {
            return Err(at(MODULE, format!("a rule from a feed may not use the module {module:?}: {why}"), place));
        }
    }
    let mut known: BTreeSet<&str> = parts.imports.iter().map(|(module, _)| module.as_str()).collect();
    for rule in &parts.rules {
        let name = &text[rule.name.clone()];
        if rule.is_global {
            let message = format!("the global rule {name} would silence all rules beside it where it does not match");
            return Err(at(GLOBAL, message, &rule.name).help("make it a plain rule that the others ask for"));
        }
        if name.len() > LONGEST_NAME {
            return Err(at(
                UNKNOWN_NAME,
                format!("the rule's name has more than {LONGEST_NAME} characters"),
                &rule.name,
            ));
        }
        if rule.has_wildcard {
            let message = "the rule asks for all rules whose names begin alike, also those of others";
            return Err(at(UNKNOWN_NAME, message.to_owned(), &rule.name).help("write out the rules that are meant"));
        }
        let variables: BTreeSet<&str> = rule.variables.iter().map(|place| &text[place.clone()]).collect();
        let is_known = |word: &str| known.contains(word) || variables.contains(word);
        if let Some(place) = rule.words.iter().find(|place| !is_known(&text[(*place).clone()])) {
            let word = &text[place.clone()];
            return Err(at(
                UNKNOWN_NAME,
                format!("{word} is neither a module, nor a rule in front of this one"),
                place,
            )
            .help("a rule from a feed can't use variables from outside, or rules of others"));
        }
        known.insert(name);
    }
    Ok(())
}

/// The rules of a text that [`read`] has taken, ready to stand beside others.
#[derive(Debug, Default)]
pub(super) struct Ready {
    /// The modules that they import.
    pub(super) imports: BTreeSet<String>,
    /// The text without the imports, its names made unique, with the indicators behind it in its metadata.
    pub(super) text: String,
    /// Name, and where it begins, of each rule.
    pub(super) rules: Vec<(String, usize)>,
}

impl Ready {
    /// `owner` is the first indicator that has the text, after which the names are made; `indicators` are all.
    pub(super) fn new(text: &str, owner: &str, indicators: &[String]) -> Self {
        let Ok(parts) = parts(text) else { return Self::default() };
        let suffix = format!("_{}", &Digest::new([owner.as_bytes()]).to_string()[..12]);
        let own: BTreeSet<&str> = parts.rules.iter().map(|rule| &text[rule.name.clone()]).collect();
        let mut edits: Vec<(usize, usize, String)> =
            parts.imports.iter().map(|(_, place)| (place.start, place.end, String::new())).collect();
        for rule in &parts.rules {
            edits.push((rule.name.end, rule.name.end, suffix.clone()));
            edits.push((rule.metadata, rule.metadata, metadata(rule, indicators)));
            let variables: BTreeSet<&str> = rule.variables.iter().map(|place| &text[place.clone()]).collect();
            let names = rule.words.iter().filter(|place| {
                let word = &text[(*place).clone()];
                own.contains(word) && !variables.contains(word)
            });
            edits.extend(names.map(|place| (place.end, place.end, suffix.clone())));
        }
        edits.sort();
        let starts: BTreeMap<usize, String> =
            parts.rules.iter().map(|rule| (rule.start, format!("{}{suffix}", &text[rule.name.clone()]))).collect();
        let mut ready = Self { imports: parts.imports.into_iter().map(|(name, _)| name).collect(), ..Self::default() };
        let mut at = 0;
        for (start, end, with) in edits {
            ready.copy(text, at..start, &starts);
            ready.text.push_str(&with);
            at = end;
        }
        ready.copy(text, at..text.len(), &starts);
        let blank = ready.text.len() - ready.text.trim_start().len();
        ready.text.drain(..blank);
        ready.rules.iter_mut().for_each(|(_, start)| *start -= blank);
        ready.text.truncate(ready.text.trim_end().len());
        ready.text.push('\n');
        ready
    }

    /// Appends a piece of the text; the rules that begin in it are noted.
    fn copy(&mut self, text: &str, piece: std::ops::Range<usize>, starts: &BTreeMap<usize, String>) {
        let offset = self.text.len();
        self.rules.extend(starts.range(piece.clone()).map(|(at, name)| (name.clone(), offset + at - piece.start)));
        self.text.push_str(&text[piece]);
    }
}

/// The lines of metadata that lead back to the indicators.
fn metadata(rule: &Part, indicators: &[String]) -> String {
    let mut lines = String::new();
    if !rule.has_metadata && !indicators.is_empty() {
        lines.push_str("\n    meta:");
    }
    indicators.iter().for_each(|id| lines.push_str(&format!("\n        stix_id = {}", YaraString::cut(id))));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        match read(text) {
            Ok(_) => "taken".to_owned(),
            Err(fault) => fault.diagnostic().code.0.to_owned(),
        }
    }

    fn condition(condition: &str) -> String {
        code(&format!("import \"pe\" rule a {{ strings: $a = \"x\" condition: $a and {condition} }}"))
    }

    #[test]
    fn the_table_is_read() {
        let table: Modules = toml::from_str(include_str!("../../../../templates/yara/native.toml")).unwrap();
        assert!(table.refusal("pe").is_none() && table.refusal("console").is_some() && table.refusal("vt").is_some());
        assert!(table.refusal("nosuch").is_some());
    }

    #[test]
    fn a_rule_leaves_others_alone() {
        for text in [
            "import \"console\" rule a { condition: console.log(\"x\") }",
            "import \"nosuch\" rule a { condition: nosuch.x }",
        ] {
            assert_eq!(code(text), "R152");
        }
        assert_eq!(code("include \"/etc/passwd\" rule a { condition: filesize > 1 }"), "R151");
        assert_eq!(code("global rule a { condition: filesize > 1 }"), "R153");
        assert_eq!(code("private global rule a { condition: filesize > 1 }"), "R153");
        assert_eq!(code("rule a { condition: pe.is_pe }"), "R154");
        for outside in
            ["filename == \"x\"", "b", "any of (a*)", "pe.sections[i].name == \"x\"", "for any i in (1..2): (k > 1)"]
        {
            assert_eq!(condition(outside), "R154", "{outside}");
        }
        assert_eq!(code(&format!("rule {} {{ condition: filesize > 1 }}", "a".repeat(113))), "R154");
        for own in [
            "pe.is_pe",
            "for any i in (1..#a): (@a[i] > 2 * 3)",
            "for all s in pe.sections: (s.name == \"x\")",
            "for any k, v in pe.version_info: (k == \"x\" and v == \"y\")",
            "any of ($a*)",
            "uint16(0) == 0x5A4D and filesize < 10KB",
        ] {
            assert_eq!(condition(own), "taken", "{own}");
        }
        assert_eq!(code("rule b { condition: c } rule c { condition: filesize > 1 }"), "R154");
        assert_eq!(code("private rule c { condition: filesize > 1 } rule b { condition: c }"), "taken");
    }

    #[test]
    fn names_are_made_unique_and_imports_gathered() {
        let text = "import \"pe\"\r\n// first\nprivate rule a { condition: pe.is_pe }\nimport \"hash\" rule b : t { meta: x = \"a\" \
                    strings: $a = \"a\" condition: a and $a and for any a in (1..2): ( a > 1 ) }\nrule c{condition:a}";
        let ready = Ready::new(text, "indicator--1", &["indicator--1".to_owned()]);
        assert_eq!(ready.imports, BTreeSet::from(["hash".to_owned(), "pe".to_owned()]));
        let suffix = &ready.rules[0].0[1..];
        assert_eq!(suffix.len(), 13);
        let id = "\n        stix_id = \"indicator--1\"";
        assert_eq!(
            ready.text.replace(suffix, "#"),
            format!(
                "// first\nprivate rule a# {{\n    meta:{id} condition: pe.is_pe }}\n rule b# : t {{ meta:{id} x = \"a\" strings: $a = \"a\" \
                 condition: a and $a and for any a in (1..2): ( a > 1 ) }}\nrule c#{{\n    meta:{id}condition:a#}}\n"
            )
        );
        for (name, at) in &ready.rules {
            assert!(ready.text[*at..].trim_start_matches("private ").starts_with(&format!("rule {name}")), "{name}");
        }
        let other = Ready::new(text, "indicator--2", &[]);
        assert_ne!(other.rules[0].0, ready.rules[0].0);
    }
}
