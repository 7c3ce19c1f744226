//! Ready-made rules, compiled by the engines that are installed: what is called exact is what an engine has taken.

use std::collections::BTreeMap;

use crate::{
    diagnostic::Diagnostic,
    plan::fidelity::{Fidelity, Loss},
    report::SourceDiagnostic,
    span::Span,
    targets::{
        compiler::{Judgement, judge},
        contract::Content,
        native,
    },
};

use super::{ENGINE, ENGINE_WARNS, NO_ENGINE, NOT_COMPILED, Outcome, Prepared, Settings, gather::Gathered};

/// Compiles the ready-made rules of a run, as the user wants it; what is to be said of each target.
pub(super) fn compile(gathered: &mut Gathered, settings: &Settings) -> Vec<SourceDiagnostic> {
    let mut all = Vec::new();
    for (number, prepared) in settings.targets.iter().enumerate() {
        let waiting = waiting(gathered, number);
        if waiting.is_empty() {
            continue;
        }
        let (judgements, said) = judged(prepared, settings.natives.compile, &waiting);
        all.push(SourceDiagnostic { source: prepared.target.name().to_owned(), diagnostic: said });
        let mut notes: BTreeMap<u32, Vec<Diagnostic>> = BTreeMap::new();
        for ((pattern, text), judgement) in waiting.into_iter().zip(judgements) {
            let whole = Span::new(0, text.len());
            let loss = |code, message| Loss { code, effect: Fidelity::NARROWER, message, span: whole };
            let outcome = &mut gathered.outcomes[number][pattern as usize];
            let said = notes.entry(pattern).or_default();
            match judgement {
                Judgement::Compiled(warnings) => {
                    if let Outcome::Rules(Content::Native(native)) = outcome {
                        native.is_compiled = true;
                    }
                    let warn = |message| Diagnostic::warning(ENGINE_WARNS, message).at(whole);
                    said.extend(warnings.into_iter().map(warn));
                }
                Judgement::Refused(why) => {
                    *outcome =
                        Outcome::Refused(vec![loss(NOT_COMPILED, format!("the engine refuses the rule: {why}"))]);
                }
                Judgement::Unknown if settings.natives.compile == native::Compile::Required => {
                    *outcome = Outcome::Refused(vec![loss(NO_ENGINE, "no engine has compiled the rule".to_owned())]);
                }
                Judgement::Unknown => {
                    said.push(Diagnostic::note(NO_ENGINE, "unchecked: no engine has compiled the rule").at(whole));
                }
            }
        }
        gathered.note(number, prepared.target.name(), &notes);
    }
    all
}

/// The ready-made rules of a target that nobody has compiled, each with the number of its pattern.
fn waiting(gathered: &Gathered, target: usize) -> Vec<(u32, String)> {
    let outcomes = (0..).zip(gathered.outcomes.get(target).into_iter().flatten());
    let mut waiting: Vec<(u32, String)> = outcomes
        .filter_map(|(pattern, outcome)| match outcome {
            Outcome::Rules(Content::Native(native)) if !native.is_compiled => Some((pattern, native.text.clone())),
            _ => None,
        })
        .collect();
    // What an engine says must not depend on the order of the input.
    waiting.sort_by(|left, right| left.1.cmp(&right.1));
    waiting
}

/// What the engine of a target makes of rules, and how that came about.
fn judged(prepared: &Prepared, when: native::Compile, waiting: &[(u32, String)]) -> (Vec<Judgement>, Diagnostic) {
    let unknown = || vec![Judgement::Unknown; waiting.len()];
    let count = match waiting.len() {
        1 => "1 indicator".to_owned(),
        many => format!("{many} indicators"),
    };
    let unchecked = |why: &str| {
        Diagnostic::note(ENGINE, format!("ready-made rules of {count} are not compiled: {why}"))
            .help("what no engine has compiled is called unchecked and stands in a file of its own")
    };
    if when == native::Compile::Never {
        return (unknown(), unchecked("no engine was asked"));
    }
    let Some(compiler) = prepared.target.compiler() else {
        return (unknown(), unchecked("no engine is known that compiles them"));
    };
    match compiler.version() {
        Err(error) => (unknown(), unchecked(&error.to_string())),
        Ok(version) => {
            let texts: Vec<&str> = waiting.iter().map(|(_, text)| text.as_str()).collect();
            let judgements = judge(&*compiler, &texts);
            let compiled = judgements.iter().filter(|one| matches!(one, Judgement::Compiled(_))).count();
            (
                judgements,
                Diagnostic::note(ENGINE, format!("{version} compiles the ready-made rules of {compiled} of {count}")),
            )
        }
    }
}
