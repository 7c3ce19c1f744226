//! The files of a run: the compiled rules in one, and the ready-made ones in another.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{NATIVE, NATIVE_TEMPLATE, RULES, TEMPLATE, UNCHECKED, draft::Draft, native::Ready, view::RuleView};
use crate::targets::{
    contract::{Content, Emission, EmitError, Rule, view},
    digest::Digest,
    record::{Record, RuleRecord, newlines},
    rule_file::RuleFile,
};

/// What the template of ready-made rules sees: first the modules that any of them uses, then the rules, text by text.
#[derive(Serialize)]
struct NativeView<'r> {
    first: bool,
    /// Whether these are the ones that no engine has compiled.
    unchecked: bool,
    imports: &'r BTreeSet<String>,
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
    write_natives(rules, NATIVE, true, emission)?;
    write_natives(rules, UNCHECKED, false, emission)
}

/// Writes a file of ready-made rules, if there are any: those that were compiled, or the other ones.
fn write_natives(
    rules: &[Rule<Draft>],
    path: &str,
    is_compiled: bool,
    emission: &mut dyn Emission,
) -> Result<(), EmitError> {
    let ready = |(index, rule): (usize, &Rule<Draft>)| match &rule.content {
        Content::Native(native) if native.is_compiled == is_compiled => {
            Some((index, Ready::new(&native.text, &rule.origin.id, rule.origin.indicators())))
        }
        _ => None,
    };
    let natives: Vec<(usize, Ready)> = rules.iter().enumerate().filter_map(ready).collect();
    if natives.is_empty() {
        return Ok(());
    }
    let imports: BTreeSet<String> = natives.iter().flat_map(|(_, ready)| &ready.imports).cloned().collect();
    let mut file = RuleFile::new(path, emission)?;
    let head = NativeView { first: true, unchecked: !is_compiled, imports: &imports, text: "" };
    file.render(NATIVE_TEMPLATE, view(&head)?, emission)?;
    for (index, ready) in natives {
        let origin = &rules[index].origin;
        let mut rendered = Vec::with_capacity(ready.text.len());
        let native = view(&NativeView { first: false, unchecked: !is_compiled, imports: &imports, text: &ready.text })?;
        emission.render(NATIVE_TEMPLATE, native, &mut rendered)?;
        // A template may write something in front of the rules.
        let front = String::from_utf8_lossy(&rendered).find(&ready.text).unwrap_or_default();
        let before = file.lines() + newlines(&rendered[..front]);
        for (name, at) in &ready.rules {
            let record = RuleRecord {
                id: name.clone(),
                title: origin.name.clone(),
                matches: Some(Digest::new([ready.text.as_bytes()])),
                text: Some(Digest::new([rendered.as_slice()])),
                indicators: origin.indicators().to_vec(),
                line: before + newlines(&ready.text.as_bytes()[..*at]) + 1,
                lines: 1,
                ..RuleRecord::default()
            };
            emission.record(&Record::Rule(record))?;
        }
        file.push(&rendered);
        emission.record_rules(index, ready.rules.into_iter().map(|(name, _)| name.into()).collect());
    }
    file.write(emission)
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
                values: draft.values.clone(),
                ..RuleRecord::default()
            };
            let view = view(&FileView { first: false, imports: &imports, rules: &[rule] })?;
            file.render_rule(record, TEMPLATE, view, emission)?;
            emission.record_rules(index, vec![id.into()]);
        }
    }
    file.write(emission)
}
