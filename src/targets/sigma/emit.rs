//! The files of a run: one for each rule, and one for a correlation with the rules that it ties.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{
    CORRELATION, FORMAT,
    correlation::{Correlation, Member},
    data_source::DataSource,
    draft::{Detection, Draft},
    identity, native,
    rule::{self, Metadata},
    text::YamlBlock,
};
use crate::targets::{
    contract::{Content, Emission, EmitError, Lowered, Origin, Rule, view},
    digest::Digest,
    record::{EmittedRule, Record, RuleRecord},
    rule_file::RuleFile,
};

/// Between two documents of one file.
const SEPARATOR: &[u8] = b"---\n";

/// Writes the files of a run.
///
/// # Errors
/// Those of [`Emission`].
pub(super) fn emit(rules: &[Rule<Draft>], emission: &mut dyn Emission) -> Result<(), EmitError> {
    for (index, rule) in rules.iter().enumerate() {
        let ids = match &rule.content {
            Content::Compiled(lowered) => write_compiled(&rule.origin, lowered, emission)?,
            Content::Native(native) => write_native(&rule.origin, &native.text, emission)?,
        };
        emission.record_rules(index, ids.into_iter().map(EmittedRule::from).collect());
    }
    Ok(())
}

fn write_compiled(
    origin: &Origin,
    lowered: &Lowered<Draft>,
    emission: &mut dyn Emission,
) -> Result<Vec<String>, EmitError> {
    let detections: Vec<&Detection> = lowered.drafts.iter().filter_map(|draft| draft.detection()).collect();
    let mut ids: Vec<Uuid> =
        detections.iter().map(|detection| identity::id(&origin.id, &detection.source.name)).collect();
    let metadata = Metadata::new(origin).with_warnings(lowered.warnings());
    for (index, detection) in detections.iter().enumerate() {
        let (id, source) = (ids[index], &detection.source);
        let mut file = RuleFile::new(identity::path(&source.name, id), emission)?;
        let digest = detection_digest(source, &detection.block);
        let record = record(origin, id, metadata.title(&source.title, id), digest, detection.values.clone());
        file.render_rule(record, FORMAT.template, view(&metadata.rule(index, detection, &ids))?, emission)?;
        file.write(emission)?;
    }
    for correlation in lowered.drafts.iter().filter_map(|draft| draft.correlation()) {
        ids.extend(write_correlations(origin, &metadata, correlation, emission)?);
    }
    Ok(ids.iter().map(Uuid::to_string).collect())
}

fn record(origin: &Origin, id: Uuid, title: String, matches: Digest, values: Vec<String>) -> RuleRecord {
    let indicators = origin.indicators().to_vec();
    RuleRecord { id: id.to_string(), title, matches: Some(matches), indicators, values, ..RuleRecord::default() }
}

fn detection_digest(source: &DataSource, block: &YamlBlock) -> Digest {
    Digest::new([source.logsource.as_str().as_bytes(), block.as_str().as_bytes()])
}

/// Writes the correlations of one sequence; their ids. The rules that they tie speak only through them.
fn write_correlations(
    origin: &Origin,
    metadata: &Metadata,
    correlation: &Correlation,
    emission: &mut dyn Emission,
) -> Result<Vec<Uuid>, EmitError> {
    let member_id =
        |step: usize, member: &Member| correlation.id(&origin.id, &format!("{step}:{}", member.source.name));
    let mut file = RuleFile::new(correlation.path(&origin.id), emission)?;
    for (step, members) in correlation.steps.iter().enumerate() {
        for member in members {
            let (id, source) = (member_id(step, member), &member.source);
            let digest = detection_digest(source, &member.block);
            let record = record(origin, id, metadata.title(&source.title, id), digest, member.values.clone());
            file.render_rule(record, FORMAT.template, view(&metadata.member(member, id))?, emission)?;
            file.push(SEPARATOR);
        }
    }
    let ids: Vec<Uuid> = correlation.ids(&origin.id).collect();
    for (number, (combination, &id)) in correlation.combinations.iter().zip(&ids).enumerate() {
        let tied = correlation.members(combination).map(|(step, member)| rule::member_name(member_id(step, member)));
        let block = correlation.block(combination, &tied.collect::<Vec<_>>());
        if number > 0 {
            file.push(SEPARATOR);
        }
        let digest = Digest::new([block.as_str().as_bytes()]);
        let values: BTreeSet<&String> =
            correlation.members(combination).flat_map(|(_, member)| &member.values).collect();
        let values = values.into_iter().cloned().collect();
        let record = record(origin, id, metadata.title(rule::CORRELATION, id), digest, values);
        let view = view(&metadata.correlation(correlation, id, &block))?;
        file.render_rule(record, CORRELATION.template, view, emission)?;
    }
    file.write(emission)?;
    Ok(ids)
}

/// Writes a ready-made rule; its id. The rule keeps its own, and its file is named by the indicator, which is unique where
/// the rule's id may not be.
fn write_native(origin: &Origin, text: &str, emission: &mut dyn Emission) -> Result<Vec<String>, EmitError> {
    let id = identity::id(&origin.id, "native");
    let mut file = RuleFile::new(identity::path("native", id), emission)?;
    let text = &native::with_indicators(text, origin.indicators());
    let mut own = String::new();
    for native in native::read(text).unwrap_or_default() {
        let digest = Digest::new([text.as_bytes()]);
        let record = RuleRecord {
            id: if native.id.is_empty() { id.to_string() } else { native.id },
            text: Some(digest),
            line: native.line,
            lines: 1,
            ..record(origin, id, native.title, digest, Vec::new())
        };
        if own.is_empty() {
            own.clone_from(&record.id);
        }
        emission.record(&Record::Rule(record))?;
    }
    file.push(text.as_bytes());
    file.write(emission)?;
    Ok(vec![own])
}
