//! Sigma: one YAML file a rule, one rule for each log source that shows what an indicator describes.
//!
//! Sources: the Sigma specification 2.1.0 and the conventions of SigmaHQ's rules.

mod attack;
mod detection;
mod join;
mod lower;
mod native;
mod place;
mod regex;
mod registry;
mod rows;
mod rule;
mod text;
mod wild;

pub use native::{NOT_A_RULE, NOT_YAML};
pub use place::{
    ACROSS_FOLDERS, ANY_ELEMENT, BELOW_KEY, HASH_PRESENT, HIVE, INDEX, NEARBY_FIELD, REGEX, SUBFOLDERS, UNSENT,
};
pub use text::{YamlBlock, YamlScalar};

use self::{lower::Detection, rule::Metadata};
use super::{
    contract::{Content, Emission, EmitError, Format, Lower, Lowered, Options, Origin, Rule, Target, view},
    mapping::MappingError,
};
use crate::diagnostic::Diagnostic;

const FORMAT: Format = Format {
    name: "rules",
    template: "rule.hbs",
    source: include_str!("../../../templates/sigma/rule.hbs"),
    path: "sigma/",
    aside: false,
    about: "one YAML file a rule, in the conventions of SigmaHQ",
};

/// The Sigma target.
#[derive(Debug, Clone, Copy)]
pub struct Sigma;

impl Target for Sigma {
    fn name(&self) -> &'static str {
        "sigma"
    }

    fn about(&self) -> &'static str {
        "Sigma rules for log sources, one file a rule"
    }

    fn formats(&self) -> &'static [Format] {
        &[FORMAT]
    }

    fn mapping(&self) -> &'static str {
        include_str!("../../../templates/sigma/mapping.toml")
    }

    fn pattern_type(&self) -> Option<&'static str> {
        Some("sigma")
    }

    fn check_native(&self, text: &str) -> Result<(), Diagnostic> {
        native::read(text).map(|_| ())
    }

    fn prepare(&self, mapping: &str, options: Options) -> Result<Box<dyn Lower>, MappingError> {
        Ok(Box::new(lower::Compiler::new(mapping, &options)?))
    }

    fn emit(&self, rules: Vec<Rule>, emission: &mut dyn Emission) -> Result<(), EmitError> {
        let mut buffer = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let ids = match &rule.content {
                Content::Compiled(lowered) => compiled(&rule.origin, lowered, &mut buffer, emission)?,
                Content::Native(text) => native(&rule.origin, text, emission)?,
            };
            emission.name(index, ids);
        }
        Ok(())
    }
}

fn compiled(
    origin: &Origin,
    lowered: &Lowered,
    buffer: &mut Vec<u8>,
    emission: &mut dyn Emission,
) -> Result<Vec<String>, EmitError> {
    let detections: Vec<&Detection> = lowered.drafts.iter().filter_map(|draft| draft.open()).collect();
    let metadata = Metadata::new(origin);
    let mut ids = Vec::with_capacity(detections.len());
    for detection in &detections {
        buffer.clear();
        emission.render(FORMAT.template, view(&metadata.rule(detection, &detections))?, buffer)?;
        let id = rule::id(&origin.id, &detection.scene.name);
        write(&rule::path(&detection.scene.name, id), buffer, emission)?;
        ids.push(id.to_string());
    }
    Ok(ids)
}

/// A ready-made rule keeps its own id; its file is named by the indicator, which is unique where the rule's id may not be.
fn native(origin: &Origin, text: &str, emission: &mut dyn Emission) -> Result<Vec<String>, EmitError> {
    let id = rule::id(&origin.id, "native");
    write(&rule::path("native", id), text.as_bytes(), emission)?;
    let own = native::read(text).map(|native| native.id).unwrap_or_default();
    Ok(vec![if own.is_empty() { id.to_string() } else { own }])
}

fn write(path: &str, bytes: &[u8], emission: &mut dyn Emission) -> Result<(), EmitError> {
    emission.file(path, &mut |out| Ok(out.write_all(bytes)?))
}
