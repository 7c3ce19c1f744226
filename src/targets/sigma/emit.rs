//! The files of a run: one for each rule, and one for a correlation with the rules that it ties.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{
    CORRELATION, FORMAT,
    correlation::{Correlation, Member},
    data_source::DataSource,
    draft::{Detection, Draft},
    identity,
    native::{self, Preparation},
    rule::{self, Metadata},
    text::YamlBlock,
};
use crate::targets::{
    contract::{Content, Emission, EmitError, Lowered, Origin, Rule, view},
    digest::Digest,
    native::NativeText,
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
    let mut taken = own_ids(rules);
    for (index, rule) in rules.iter().enumerate() {
        let ids = match &rule.content {
            Content::Compiled(lowered) => write_compiled(&rule.origin, lowered, emission)?,
            Content::Native(native) => write_native(&rule.origin, native, &mut taken, emission)?,
        };
        emission.record_rules(index, ids.into_iter().map(EmittedRule::from).collect());
    }
    Ok(())
}

/// The ids of all rules that were compiled, so that no ready-made one takes any of them.
fn own_ids(rules: &[Rule<Draft>]) -> BTreeSet<Uuid> {
    let mut ids = BTreeSet::new();
    for rule in rules {
        let (owner, Content::Compiled(lowered)) = (&rule.origin.id, &rule.content) else { continue };
        for draft in &lowered.drafts {
            ids.extend(draft.detection().map(|detection| identity::id(owner, &detection.source.name)));
            let Some(correlation) = draft.correlation() else { continue };
            ids.extend(correlation.ids(owner));
            let steps = correlation.steps.iter().enumerate();
            ids.extend(steps.flat_map(|(step, members)| {
                members.iter().map(move |member| member_id(owner, correlation, step, member))
            }));
        }
    }
    ids
}

fn member_id(owner: &str, correlation: &Correlation, step: usize, member: &Member) -> Uuid {
    correlation.id(owner, &format!("{step}:{}", member.source.name))
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
    let member_id = |step: usize, member: &Member| member_id(&origin.id, correlation, step, member);
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

/// Writes a ready-made rule; its id, which is its own unless another rule has that. Its file is named by the indicator.
fn write_native(
    origin: &Origin,
    native: &NativeText,
    taken: &mut BTreeSet<Uuid>,
    emission: &mut dyn Emission,
) -> Result<Vec<String>, EmitError> {
    let id = identity::id(&origin.id, "native");
    let mut file = RuleFile::new(identity::path("native", id), emission)?;
    let warnings: Vec<String> = native.warnings.iter().map(rule::loss).collect();
    let preparation = Preparation { owner: &origin.id, indicators: origin.indicators(), warnings: &warnings };
    let text = &preparation.apply(&native.text, taken);
    let mut own = String::new();
    for native in native::read(text).unwrap_or_default() {
        let digest = Digest::new([text.as_bytes()]);
        let record = RuleRecord {
            id: native.id,
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
