//! Sigma: one YAML file a rule, one rule for each log source that shows what an indicator describes.
//!
//! Sources: the Sigma specification 2.1.0 and the conventions of SigmaHQ's rules.

mod address;
mod attack;
mod correlation;
mod data_source;
mod detection;
#[cfg(feature = "witness")]
pub mod engine;
#[cfg(feature = "witness")]
pub mod export;
mod expression;
mod field_test;
mod identity;
mod join_path;
mod lower;
mod mapping_rows;
mod native;
mod read_back;
mod regex;
mod registry;
mod rule;
#[cfg(feature = "witness")]
pub mod show;
mod text;
mod wildcard;

pub use field_test::{
    ACROSS_FOLDERS, ANY_ELEMENT, BELOW_KEY, COMBINATIONS, HASH_PRESENT, HIVE, INDEX, NEARBY_FIELD, PATH_PRESENT,
    PREFIX, REGEX, SUBFOLDERS, UNSENT,
};
pub use native::{NOT_A_RULE, NOT_YAML};
pub use text::{YamlBlock, YamlScalar};

use uuid::Uuid;

use self::{
    correlation::{Correlation, Member},
    lower::{Detection, Draft},
    rule::Metadata,
};
use super::{
    contract::{
        AnyBackend, Content, Emission, EmitError, Format, Lowered, Options, Origin, ReadBack, Rule, Target, view,
    },
    mapping::MappingError,
};
use crate::diagnostic::Diagnostic;

const FORMAT: Format = Format {
    name: "rules",
    template: "rule.hbs",
    source: include_str!("../../../templates/sigma/rule.hbs"),
    path: "sigma/",
    aside: false,
    about: "One YAML file a rule, in the conventions of SigmaHQ",
};

/// Rules that tie several observations, in one file with those that they tie.
const CORRELATION: Format = Format {
    name: "correlations",
    template: "correlation.hbs",
    source: include_str!("../../../templates/sigma/correlation.hbs"),
    path: "sigma/",
    aside: true,
    about: "Correlations of several observations, behind the rules that they tie",
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
        &[FORMAT, CORRELATION]
    }

    fn mapping(&self) -> &'static str {
        include_str!("../../../templates/sigma/mapping.toml")
    }

    fn codes(&self) -> &'static str {
        include_str!("../../../templates/sigma/codes.toml")
    }

    fn pattern_type(&self) -> Option<&'static str> {
        Some("sigma")
    }

    fn check_native(&self, text: &str) -> Result<(), Diagnostic> {
        native::read(text).map(|_| ())
    }

    fn prepare(&self, mapping: Option<&str>, options: Options) -> Result<Box<dyn AnyBackend>, MappingError> {
        let read = |own| mapping_rows::read(own, self.mapping());
        Ok(Box::new(lower::Compiler::new(read(mapping)?, read(None)?, &options)))
    }

    #[cfg(feature = "witness")]
    fn engine(&self) -> Option<Box<dyn super::proof::AnyEngine>> {
        Some(Box::new(engine::Evaluator::installed()))
    }

    fn read_back(&self, _path: &str, text: &str) -> Vec<ReadBack> {
        read_back::rules(text)
    }
}

/// Writes the files of a run.
fn emit(rules: &[Rule<Draft>], emission: &mut dyn Emission) -> Result<(), EmitError> {
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

fn compiled(
    origin: &Origin,
    lowered: &Lowered<Draft>,
    buffer: &mut Vec<u8>,
    emission: &mut dyn Emission,
) -> Result<Vec<String>, EmitError> {
    let detections: Vec<&Detection> = lowered.drafts.iter().filter_map(|draft| draft.detection()).collect();
    let mut ids: Vec<Uuid> =
        detections.iter().map(|detection| identity::id(&origin.id, &detection.source.name)).collect();
    let metadata = Metadata::new(origin);
    for (index, detection) in detections.iter().enumerate() {
        buffer.clear();
        emission.render(FORMAT.template, view(&metadata.rule(index, detection, &ids))?, buffer)?;
        write(&identity::path(&detection.source.name, ids[index]), buffer, emission)?;
    }
    for correlation in lowered.drafts.iter().filter_map(|draft| draft.correlation()) {
        ids.extend(correlated(origin, &metadata, correlation, buffer, emission)?);
    }
    Ok(ids.iter().map(Uuid::to_string).collect())
}

/// The ids of the correlations of one sequence. The rules that they tie speak only through them.
fn correlated(
    origin: &Origin,
    metadata: &Metadata,
    correlation: &Correlation,
    buffer: &mut Vec<u8>,
    emission: &mut dyn Emission,
) -> Result<Vec<Uuid>, EmitError> {
    let member_id =
        |step: usize, member: &Member| correlation.id(&origin.id, &format!("{step}:{}", member.source.name));
    buffer.clear();
    for (step, members) in correlation.steps.iter().enumerate() {
        for member in members {
            emission.render(FORMAT.template, view(&metadata.member(member, member_id(step, member)))?, buffer)?;
            buffer.extend_from_slice(b"---\n");
        }
    }
    let ids: Vec<Uuid> = correlation.ids(&origin.id).collect();
    for (number, (combination, own)) in correlation.combinations.iter().zip(&ids).enumerate() {
        let tied = correlation.members(combination).map(|(step, member)| rule::member_name(member_id(step, member)));
        let block = correlation.block(combination, &tied.collect::<Vec<_>>());
        if number > 0 {
            buffer.extend_from_slice(b"---\n");
        }
        emission.render(CORRELATION.template, view(&metadata.correlation(correlation, *own, &block))?, buffer)?;
    }
    write(&correlation.path(&origin.id), buffer, emission)?;
    Ok(ids)
}

/// A ready-made rule keeps its own id; its file is named by the indicator, which is unique where the rule's id may not be.
fn native(origin: &Origin, text: &str, emission: &mut dyn Emission) -> Result<Vec<String>, EmitError> {
    let id = identity::id(&origin.id, "native");
    write(&identity::path("native", id), text.as_bytes(), emission)?;
    let own = native::read(text).map(|native| native.id).unwrap_or_default();
    Ok(vec![if own.is_empty() { id.to_string() } else { own }])
}

fn write(path: &str, bytes: &[u8], emission: &mut dyn Emission) -> Result<(), EmitError> {
    emission.file(path, &mut |out| Ok(out.write_all(bytes)?))
}

/// Shows witnesses in the logs of the mapping in use.
#[cfg(feature = "witness")]
fn exported(
    compiler: &lower::Compiler,
    tested: Vec<super::proof::Tested<'_>>,
    written: &[super::proof::File],
) -> super::proof::Exported {
    super::proof::export(export::Events::new(compiler, &tested), tested, written)
}
