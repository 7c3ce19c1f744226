//! The files of a run: the compiled rules in one, and each ready-made rule in one of its own.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    NATIVE, NATIVE_TEMPLATE, RULES, TEMPLATE,
    draft::Draft,
    native,
    view::{self, RuleView},
};
use crate::targets::{
    contract::{Content, Emission, EmitError, Origin, Rule, view},
    digest::Digest,
    record::{Record, RuleRecord, newlines},
    rule_file::RuleFile,
};

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
    rules: &'r [RuleView],
}

/// Writes the files of a run.
///
/// # Errors
/// Those of [`Emission`].
pub(super) fn emit(rules: &[Rule<Draft>], emission: &mut dyn Emission) -> Result<(), EmitError> {
    write_compiled(rules, emission)?;
    for (index, rule) in rules.iter().enumerate() {
        if let Content::Native(text) = &rule.content {
            let names = write_native(&rule.origin, text, emission)?;
            emission.record_ids(index, names);
        }
    }
    Ok(())
}

/// Writes a ready-made rule to a file of its own; the names of the rules in it.
fn write_native(origin: &Origin, text: &str, emission: &mut dyn Emission) -> Result<Vec<String>, EmitError> {
    let mut rendered = Vec::with_capacity(text.len());
    emission.render(NATIVE_TEMPLATE, view(&NativeView { text })?, &mut rendered)?;
    let path = format!("{NATIVE}{}.yar", view::file_stem(&origin.id));
    let written = String::from_utf8_lossy(&rendered);
    // A template may write something in front of the rules.
    let front = written.find(text).unwrap_or_default();
    let names = native::rule_names(text).unwrap_or_default();
    let mut file = RuleFile::new(path, emission)?;
    for (name, at) in &names {
        let record = RuleRecord {
            id: name.clone(),
            title: origin.name.clone(),
            matches: Some(Digest::new([text.as_bytes()])),
            text: Some(Digest::new([rendered.as_slice()])),
            indicators: origin.indicators().to_vec(),
            line: newlines(&rendered[..front]) + newlines(&text.as_bytes()[..*at]) + 1,
            lines: 1,
            ..RuleRecord::default()
        };
        emission.record(&Record::Rule(record))?;
    }
    file.push(&rendered);
    file.write(emission)?;
    Ok(names.into_iter().map(|(name, _)| name).collect())
}

/// Writes the file of compiled rules. Each goes through the template alone, so that it is known where it stands.
fn write_compiled(rules: &[Rule<Draft>], emission: &mut dyn Emission) -> Result<(), EmitError> {
    let compiled = rules.iter().enumerate().filter_map(|(index, rule)| match &rule.content {
        Content::Compiled(lowered) => Some((index, rule.origin.as_ref(), lowered)),
        Content::Native(_) => None,
    });
    let drafts = || compiled.clone().flat_map(|(.., lowered)| &lowered.drafts);
    let imports: BTreeSet<&str> = drafts().flat_map(|draft| &draft.modules).map(AsRef::as_ref).collect();
    let mut file = RuleFile::new(RULES, emission)?;
    file.render(TEMPLATE, view(&FileView { first: true, imports: &imports, rules: &[] })?, emission)?;
    for (index, origin, lowered) in compiled.clone() {
        for draft in &lowered.drafts {
            let rule = RuleView::new(origin, lowered, draft);
            let id = rule.id().to_owned();
            let record = RuleRecord {
                id: id.clone(),
                title: if origin.description.is_empty() { &origin.name } else { &origin.description }.clone(),
                matches: Some(Digest::new(draft.condition.iter().map(String::as_bytes))),
                indicators: origin.indicators().to_vec(),
                ..RuleRecord::default()
            };
            let view = view(&FileView { first: false, imports: &imports, rules: &[rule] })?;
            file.render_rule(record, TEMPLATE, view, emission)?;
            emission.record_ids(index, vec![id]);
        }
    }
    file.write(emission)
}
