//! What can never hold: it is taken out of an OR, and if nothing is left, the pattern matches nothing.

use super::{
    super::{
        Condition, Node, Observation, Operator, Plan, Property, Test,
        schema::{PropertyType, Text},
    },
    Notes,
    flatten::{all_of, any, any_of, then_of},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    span::Span,
};

/// The pattern matches nothing.
pub const NEVER_HOLDS: Code = Code("T019");
/// An alternative that never holds was left out.
pub const ALTERNATIVE_NEVER_HOLDS: Code = Code("W116");

/// Why a condition never holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Contradiction {
    /// A property that it is about.
    pub property: Box<Property>,
    /// From the first of its parts to the last.
    pub span: Span,
    /// What does not go together.
    pub message: String,
    /// What to do about it.
    pub help: &'static str,
}

impl Contradiction {
    /// Two tests that exclude each other.
    pub(super) fn between(one: &Test, other: &Test) -> Self {
        let is_equality = |test: &Test| test.operator == Operator::Equal && !test.negated;
        Self {
            property: Box::new((&one.property).min(&other.property).clone()),
            span: one.span.to(other.span),
            message: format!("{} and {} never hold together", shown(one), shown(other)),
            help: if is_equality(one) && is_equality(other) {
                "join the two comparisons with OR, or write both values into one IN"
            } else {
                "take one of the two away, or join them with OR"
            },
        }
    }

    /// A test on an empty set.
    pub(super) fn of_nothing(test: &Test) -> Self {
        Self {
            property: Box::new(test.property.clone()),
            span: test.span,
            message: format!("there is no value that {} can be equal to", test.property.path),
            help: "write values that it can have; those that nothing equals are left out with a warning each",
        }
    }

    fn key(&self) -> (&Property, Span) {
        (&self.property, self.span)
    }
}

/// The two in the order of the pattern.
pub(super) fn clash(one: &Test, other: &Test) -> Contradiction {
    if one.span <= other.span { Contradiction::between(one, other) } else { Contradiction::between(other, one) }
}

/// The tests among operands.
pub(super) fn tests(operands: &[Condition]) -> impl Iterator<Item = &Test> {
    operands.iter().filter_map(Condition::as_test)
}

/// A test as a message shows it, cut where it is long.
fn shown(test: &Test) -> String {
    const MOST: usize = 60;
    let text = test.to_string().escape_debug().to_string().replace("\\'", "'");
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("`{}…`", &text[..at]),
        None => format!("`{text}`"),
    }
}

/// How many parts of one pattern are named; a pattern with more is a mistake as a whole.
const NAMED: usize = 64;

/// Why something never holds; at least one reason.
pub(super) type Never = Vec<Contradiction>;

/// A condition that can hold, or why it can't.
pub(super) type Possible = Result<Condition, Never>;

/// The alternatives that can hold, if any does. What is left out is told in warnings.
pub(super) fn alternatives(operands: impl IntoIterator<Item = Possible>, notes: &mut Notes) -> Possible {
    possible(operands, notes).map(any)
}

fn possible<T>(operands: impl IntoIterator<Item = Result<T, Never>>, notes: &mut Notes) -> Result<Vec<T>, Never> {
    let mut possible = Vec::new();
    let mut never = Vec::new();
    for operand in operands {
        match operand {
            Ok(operand) => possible.push(operand),
            Err(reasons) => never.extend(reasons),
        }
    }
    if possible.is_empty() {
        return Err(never);
    }
    left_out(never, notes);
    Ok(possible)
}

fn left_out(never: Never, notes: &mut Notes) {
    notes.again |= !never.is_empty();
    for reason in never.into_iter().take(NAMED) {
        notes.diagnostics.push(
            Diagnostic::warning(ALTERNATIVE_NEVER_HOLDS, format!("{}: the alternative is left out", reason.message))
                .at(reason.span)
                .help(reason.help),
        );
    }
}

/// Applies `narrow` to each condition, and takes out what can never hold.
pub(super) fn prune(plan: Plan, notes: &mut Notes, narrow: fn(Condition, &mut Notes) -> Possible) -> Plan {
    let observation = observe(plan.observation, notes, narrow).unwrap_or_else(|never| nothing(never, notes));
    Plan { observation }
}

fn observe(
    node: Observation,
    notes: &mut Notes,
    narrow: fn(Condition, &mut Notes) -> Possible,
) -> Result<Observation, Never> {
    match node {
        Observation::Match(condition) => narrow(condition, notes).map(Observation::Match),
        Observation::Any(operands, span) => {
            let each: Vec<_> = operands.into_iter().map(|operand| observe(operand, notes, narrow)).collect();
            Ok(any_of(possible(each, notes)?, span))
        }
        node => Ok(match node.try_map_operands(|operand| observe(operand, notes, narrow))? {
            Observation::All(operands, span) => all_of(operands, span),
            Observation::Then(operands, span) => then_of(operands, span),
            qualified => qualified,
        }),
    }
}

/// The plan that matches nothing: a test on an empty set, of the property that the first reason is about.
fn nothing(never: Never, notes: &mut Notes) -> Observation {
    if !notes.is_never {
        notes.is_never = true;
        notes.diagnostics.extend(never.iter().take(NAMED).map(|reason| {
            Diagnostic::error(NEVER_HOLDS, format!("the pattern matches nothing: {}", reason.message))
                .at(reason.span)
                .help(reason.help)
        }));
    }
    let span = Span::covering(never.iter().map(|reason| reason.span));
    let first = never.iter().min_by_key(|reason| reason.key());
    let property = first.map(|reason| reason.property.as_ref().clone());
    let property = property.unwrap_or_else(|| Property::new("file:name", PropertyType::String(Text::FileName)));
    let property = Property { referent: None, ..property };
    Observation::Match(Condition::Test(Test {
        property,
        operator: Operator::Equal,
        values: Vec::new(),
        negated: false,
        span,
    }))
}
