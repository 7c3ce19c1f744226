//! YARA: rules about the content of files.
//!
//! What comes out is the intersection of what YARA 4.2 and YARA-X read. One pattern is one rule; its alternatives are joined by `or` in
//! the condition. A rule tells what a file holds, never what it is called or who opened it, so most of STIX has no place here, and
//! the mapping says why.

mod condition;
#[cfg(feature = "witness")]
pub mod engine;
#[cfg(feature = "witness")]
pub mod export;
mod lower;
mod native;
mod read_back;
mod text;
mod view;

use std::collections::BTreeSet;

use serde::Serialize;

use self::{lower::Draft, view::RuleView};
use super::{
    contract::{AnyBackend, Content, Emission, EmitError, Format, Options, ReadBack, Rule, Target, view},
    mapping::{Mapping, MappingError},
};
use crate::diagnostic::{Code, Diagnostic};

/// The file of compiled rules.
const RULES: &str = "yara/stixc.yar";
/// The folder of ready-made rules.
const NATIVE: &str = "yara/native/";

/// Rules that go through the template at once: enough that the engine's own work per call does not count.
const CHUNK: usize = 64;

/// The mapping says that the place holds more than the property does.
pub const WIDER_PLACE: Code = Code("L150");
/// A ready-made rule that is no YARA rule.
pub const NO_RULE: Code = Code("R150");
/// A ready-made rule that reads other files.
pub const INCLUDES: Code = Code("R151");

/// The target.
pub static YARA: Yara = Yara;

/// Rules for YARA and YARA-X.
pub struct Yara;

static FORMATS: [Format; 2] = [
    Format {
        name: "rules",
        template: "rules.hbs",
        source: include_str!("../../../templates/yara/rules.hbs"),
        path: RULES,
        aside: false,
        about: "One file of rules for YARA 4.2 or later and YARA-X",
    },
    Format {
        name: "native",
        template: "native.hbs",
        source: include_str!("../../../templates/yara/native.hbs"),
        path: NATIVE,
        aside: true,
        about: "Rules that indicators bring along, a file each",
    },
];

impl Target for Yara {
    fn name(&self) -> &'static str {
        "yara"
    }

    fn about(&self) -> &'static str {
        "Rules about the content of files: hashes, size, fields of Windows programs"
    }

    fn formats(&self) -> &'static [Format] {
        &FORMATS
    }

    fn mapping(&self) -> &'static str {
        include_str!("../../../templates/yara/mapping.toml")
    }

    fn codes(&self) -> &'static str {
        include_str!("../../../templates/yara/codes.toml")
    }

    fn pattern_type(&self) -> Option<&'static str> {
        Some("yara")
    }

    fn check_native(&self, text: &str) -> Result<(), Diagnostic> {
        native::rule_names(text).map(drop)
    }

    fn prepare(&self, mapping: Option<&str>, options: Options) -> Result<Box<dyn AnyBackend>, MappingError> {
        Ok(Box::new(lower::Files::new(Mapping::read_over(mapping, self.mapping())?, options.accept)))
    }

    #[cfg(feature = "witness")]
    fn engine(&self) -> Option<Box<dyn super::proof::AnyEngine>> {
        Some(Box::new(engine::Yara))
    }

    fn read_back(&self, _path: &str, text: &str) -> Vec<ReadBack> {
        read_back::rules(text)
    }
}

/// Writes the files of a run.
fn emit(rules: &[Rule<Draft>], emission: &mut dyn Emission) -> Result<(), EmitError> {
    let rendered = compiled(rules, emission)?;
    emission.file(RULES, &mut |out| Ok(out.write_all(&rendered)?))?;
    for (index, rule) in rules.iter().enumerate() {
        if let Content::Native(text) = &rule.content {
            let mut rendered = Vec::with_capacity(text.len());
            emission.render("native.hbs", view(&NativeView { text })?, &mut rendered)?;
            let path = format!("{NATIVE}{}.yar", view::file_stem(&rule.origin.id));
            emission.file(&path, &mut |out| Ok(out.write_all(&rendered)?))?;
            emission.name(index, native::rule_names(text).unwrap_or_default());
        }
    }
    Ok(())
}

/// What the template of a ready-made rule sees. The rule passed the check, and stands in a file of its own.
#[derive(Serialize)]
struct NativeView<'r> {
    text: &'r str,
}

/// What the template of rules sees: some of the rules.
#[derive(Serialize)]
struct FileView<'r> {
    /// Whether these are the first ones in the file.
    first: bool,
    /// The modules that any rule of the file uses.
    imports: &'r BTreeSet<&'r str>,
    rules: Vec<RuleView>,
}

/// The file of compiled rules.
fn compiled(rules: &[Rule<Draft>], emission: &mut dyn Emission) -> Result<Vec<u8>, EmitError> {
    let mut drafts = Vec::with_capacity(rules.len());
    for (index, rule) in rules.iter().enumerate() {
        if let Content::Compiled(lowered) = &rule.content {
            drafts.extend(lowered.drafts.iter().map(|draft| (index, rule.origin.as_ref(), lowered, draft)));
        }
    }
    let imports: BTreeSet<&str> = drafts.iter().flat_map(|(.., draft)| &draft.modules).map(AsRef::as_ref).collect();
    let mut rendered = Vec::new();
    let mut chunks = drafts.chunks(CHUNK);
    let mut chunk = chunks.next().unwrap_or_default();
    let mut first = true;
    loop {
        let rules: Vec<RuleView> =
            chunk.iter().map(|(_, origin, lowered, draft)| RuleView::new(origin, lowered, draft)).collect();
        chunk.iter().zip(&rules).for_each(|((index, ..), rule)| emission.name(*index, vec![rule.id().to_owned()]));
        emission.render("rules.hbs", view(&FileView { first, imports: &imports, rules })?, &mut rendered)?;
        first = false;
        match chunks.next() {
            Some(next) => chunk = next,
            None => return Ok(rendered),
        }
    }
}
