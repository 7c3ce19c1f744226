//! From plans to conditions.

use std::collections::BTreeSet;

use serde::Deserialize;
use smallvec::smallvec;

use super::{
    WIDER_PLACE,
    condition::{Holds, Unwritable, comparisons},
    draft::Draft,
    emit::emit,
};
#[cfg(feature = "witness")]
use crate::targets::proof::{Exported, File, Tested, export};
use crate::{
    plan::{
        Plan, Test,
        adapt::{Fit, NO_OPERATOR, NO_PLACE, NO_VALUE, Part, adapt},
        fidelity::Fidelity,
    },
    targets::{
        contract::{Backend, Emission, EmitError, Lowered, Options, Refusal, Rule},
        mapping::{Mapping, NoKeys},
        record::named_values,
    },
};

/// A row: the expression for one property of a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    /// Expression of YARA; with `each`, about one element, `item`.
    expression: String,
    holds: Holds,
    /// The modules that the expression needs.
    #[serde(default)]
    modules: Vec<Box<str>>,
    /// A list, of which one element must satisfy the comparison.
    each: Option<String>,
    /// Whether the property says too little for a rule from which others were dropped.
    #[serde(default)]
    weak: bool,
    /// Why the expression is true of more files than the property is.
    broader: Option<String>,
}

/// The mapping, and what the user asked for.
pub(super) struct Files {
    mapping: Mapping<NoKeys, Row>,
    options: Options,
}

/// A test as it is written.
#[derive(Debug)]
struct Written<'m> {
    /// Operands of `or`, or of `and` where the test is negated.
    operands: Vec<String>,
    modules: Vec<&'m str>,
}

impl Files {
    pub(super) fn new(mapping: Mapping<NoKeys, Row>, options: Options) -> Self {
        Self { mapping, options }
    }

    fn fit<'a>(&'a self, source: usize, test: &'a Test) -> Fit<Written<'a>> {
        let path = test.property.path.as_ref();
        let mut written = Written { operands: Vec::new(), modules: Vec::new() };
        let (mut weak, mut broader) = (false, None);
        let mut rows = self.mapping.rows(source, test).peekable();
        if rows.peek().is_none() {
            let reason = self.mapping.reason(path).map(str::to_owned);
            return Fit::Lacks(NO_PLACE, reason.unwrap_or_else(|| format!("YARA knows no {path}")));
        }
        for row in rows {
            match row.write(test) {
                Ok(operands) => written.operands.extend(operands),
                Err(Unwritable::Operator(message)) => return Fit::Lacks(NO_OPERATOR, message),
                Err(Unwritable::Value(message)) => return Fit::Lacks(NO_VALUE, message),
            }
            written.modules.extend(row.modules.iter().map(AsRef::as_ref));
            weak |= row.weak;
            broader = broader.or(row.broader.as_ref());
        }
        if written.operands.is_empty() {
            return Fit::Lacks(NO_OPERATOR, format!("YARA can't ask whether there is a {path}"));
        }
        let loss = broader.map(|message| (WIDER_PLACE, Fidelity::BROADER, message.clone()));
        Fit::Holds { by: written, weak, loss }
    }
}

impl Row {
    /// The operands for a test.
    fn write(&self, test: &Test) -> Result<Vec<String>, Unwritable> {
        let operands = comparisons(&self.expression, self.holds, test)?;
        let Some(list) = &self.each else { return Ok(operands) };
        if operands.is_empty() {
            return Ok(operands);
        }
        // One element satisfies the whole test: `!=` on a list asks for an element that differs.
        let joined = operands.join(if test.negated { " and " } else { " or " });
        Ok(vec![format!("for any item in {list} : ( {joined} )")])
    }
}

impl Backend for Files {
    type Draft = Draft;

    #[cfg(feature = "witness")]
    fn export(&self, tested: Vec<Tested<'_>>, written: &[File]) -> Option<Exported> {
        Some(export(super::export::Files::default(), tested, written))
    }

    fn lower(&self, plan: &Plan) -> Result<Lowered<Draft>, Refusal> {
        let capabilities = self.options.capabilities(self.mapping.data_sources().len(), None);
        let adapted = adapt(plan, capabilities, |source, test| self.fit(source, test))?;
        let modules = adapted.parts.iter().flat_map(|part| &part.tests).flat_map(|(_, written)| &written.modules);
        let modules = modules.map(|module| Box::from(*module)).collect();
        let tests = adapted.parts.iter().flat_map(|part| &part.tests).map(|(test, _)| *test);
        let draft = Draft { modules, condition: lines(&adapted.parts), values: named_values(tests) };
        let (fidelity, losses) = adapted.finish(Vec::new(), true)?;
        Ok(Lowered { fidelity, losses: losses.into(), drafts: smallvec![Box::new(draft)] })
    }

    fn object_types(&self) -> Option<BTreeSet<String>> {
        Some(self.mapping.object_types())
    }

    fn emit(&self, rules: &[Rule<Draft>], emission: &mut dyn Emission) -> Result<(), EmitError> {
        emit(rules, emission)
    }
}

/// The condition, an operand a line: `and` within a single alternative, `or` between several.
fn lines(parts: &[Part<'_, Written<'_>>]) -> Vec<String> {
    let (operands, joint): (Vec<String>, &str) = match parts {
        [part] if part.tests.len() > 1 || part.tests.iter().any(|(test, _)| test.negated) => {
            (part.tests.iter().map(|(test, written)| together(test, written)).collect(), "and")
        }
        parts => (parts.iter().flat_map(alternatives).collect(), "or"),
    };
    let line = |(index, operand): (usize, String)| if index == 0 { operand } else { format!("{joint} {operand}") };
    operands.into_iter().enumerate().map(line).collect()
}

/// One alternative as operands of `or`.
fn alternatives(part: &Part<'_, Written<'_>>) -> Vec<String> {
    match part.tests.as_slice() {
        [(test, written)] if !test.negated => written.operands.clone(),
        tests => {
            let all: Vec<String> = tests.iter().map(|(test, written)| together(test, written)).collect();
            vec![format!("({})", all.join(" and "))]
        }
    }
}

/// A test as one operand of `and`.
fn together(test: &Test, written: &Written<'_>) -> String {
    match (written.operands.as_slice(), test.negated) {
        ([only], _) => only.clone(),
        (operands, true) => operands.join(" and "),
        (operands, false) => format!("({})", operands.join(" or ")),
    }
}
