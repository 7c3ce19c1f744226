//! Properties that only together make one field of an event: a name and its folder are a path.

use std::borrow::Cow;

use super::mapping_rows::Table;
use crate::{
    plan::{
        Condition, Operator, Plan, Property, Test, Value, ValueKind,
        schema::{PropertyType, Text},
    },
    targets::record::named_values,
};

/// Two properties of one object, and what they are together. The third name is no property of STIX: only rows of a
/// mapping file know it.
struct Pair {
    front: &'static str,
    back: &'static str,
    whole: &'static str,
}

const PAIRS: [Pair; 4] = [
    Pair { front: "file:parent_directory_ref.path", back: "file:name", whole: "file:parent_directory_ref.path + name" },
    Pair {
        front: "process:image_ref.parent_directory_ref.path",
        back: "process:image_ref.name",
        whole: "process:image_ref.parent_directory_ref.path + name",
    },
    Pair {
        front: "process:parent_ref.image_ref.parent_directory_ref.path",
        back: "process:parent_ref.image_ref.name",
        whole: "process:parent_ref.image_ref.parent_directory_ref.path + name",
    },
    Pair {
        front: "windows-registry-key:key",
        back: "windows-registry-key:values[*].name",
        whole: "windows-registry-key:key + values[*].name",
    },
];

/// More combinations than this stay apart.
const LIMIT: usize = 256;

/// The plan with each such pair joined, where the mapping has rows for it.
pub(super) fn join_paths<'p>(plan: &'p Plan, table: &Table) -> Cow<'p, Plan> {
    let pairs: Vec<&Pair> = PAIRS.iter().filter(|pair| table.maps(pair.whole)).collect();
    if !plan.observation.conditions().any(|condition| pairs.iter().any(|pair| holds(condition, pair))) {
        return Cow::Borrowed(plan);
    }
    let mut plan = plan.clone();
    plan.observation.conditions_mut().for_each(|condition| join(condition, &pairs));
    Cow::Owned(plan)
}

/// What tests name by themselves, and of those that were joined the two parts.
pub(super) fn values(tests: &[&Test]) -> Vec<String> {
    let mut values = named_values(tests.iter().copied());
    let joined = tests.iter().filter(|test| PAIRS.iter().any(|pair| pair.whole == test.property.path));
    let parts = named_values(joined.copied());
    let parts = parts.iter().filter_map(|whole| whole.rsplit_once(['\\', '/']));
    values.extend(parts.flat_map(|(front, back)| [front.to_owned(), back.to_owned()]));
    values.sort();
    values.dedup();
    values
}

fn holds(condition: &Condition, pair: &Pair) -> bool {
    match condition {
        Condition::Test(_) => false,
        Condition::Any(operands) => operands.iter().any(|operand| holds(operand, pair)),
        Condition::All(operands) => {
            (find(operands, pair.front).is_some() && find(operands, pair.back).is_some())
                || operands.iter().any(|operand| holds(operand, pair))
        }
    }
}

fn join(condition: &mut Condition, pairs: &[&Pair]) {
    match condition {
        Condition::Test(_) => {}
        Condition::Any(operands) => operands.iter_mut().for_each(|operand| join(operand, pairs)),
        Condition::All(operands) => {
            operands.iter_mut().for_each(|operand| join(operand, pairs));
            for pair in pairs {
                if let (Some(front), Some(back)) = (find(operands, pair.front), find(operands, pair.back))
                    && let Some(whole) = combine(&operands[front], &operands[back], pair.whole)
                {
                    operands[front] = Condition::Test(whole);
                    operands.remove(back);
                }
            }
        }
    }
}

/// The only plain equality test on `path` among the operands.
fn find(operands: &[Condition], path: &str) -> Option<usize> {
    let mut found = operands.iter().enumerate().filter_map(|(index, operand)| match operand {
        Condition::Test(test) if test.property.path == path => {
            let plain = test.operator == Operator::Equal
                && !test.negated
                && test.values.iter().all(|value| matches!(value.kind, ValueKind::Text(_)));
            Some((index, plain))
        }
        _ => None,
    });
    match (found.next(), found.next()) {
        (Some((index, true)), None) => Some(index),
        _ => None,
    }
}

fn combine(front: &Condition, back: &Condition, whole: &'static str) -> Option<Test> {
    let (Condition::Test(front), Condition::Test(back)) = (front, back) else { return None };
    if front.values.len().saturating_mul(back.values.len()) > LIMIT {
        return None;
    }
    let mut values = Vec::with_capacity(front.values.len() * back.values.len());
    for first in &front.values {
        for last in &back.values {
            let (ValueKind::Text(folder), ValueKind::Text(name)) = (&first.kind, &last.kind) else { return None };
            if name.contains(['\\', '/']) {
                return None;
            }
            let separator = if folder.contains('/') && !folder.contains('\\') { '/' } else { '\\' };
            let gap = if folder.ends_with(separator) {
                ""
            } else if separator == '/' {
                "/"
            } else {
                "\\"
            };
            let text = format!("{folder}{gap}{name}");
            values.push(Value { kind: ValueKind::Text(text), span: first.span.to(last.span) });
        }
    }
    Some(Test {
        property: Property::new(whole, PropertyType::String(Text::Plain)),
        operator: Operator::Equal,
        values,
        negated: false,
        span: front.span.to(back.span),
    })
}
