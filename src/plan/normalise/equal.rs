//! `=` and IN under AND: what is equal to one of these and to one of those, and what that decides.

use std::{borrow::Cow, collections::HashMap};

use super::{
    super::{Operator, Test, Value, ValueKind},
    decide::{are_comparable, identity, satisfying},
    never::{Contradiction, clash},
};

/// How many values are held against how many tests, at most. What is not decided for lack of time stays as it is.
const PAIRS: usize = 1_000_000;

/// Where a property is to be equal to something, each other test can be decided.
pub(super) fn settle(tests: Vec<Test>) -> Result<Vec<Test>, Contradiction> {
    let (equal, others): (Vec<Test>, Vec<Test>) =
        tests.into_iter().partition(|test| test.operator == Operator::Equal && !test.negated);
    let mut known: Vec<Test> = Vec::new();
    for test in equal {
        match known.iter().position(|earlier| are_comparable(earlier, &test)) {
            Some(at) => known[at] = both(&known[at], test)?,
            None => known.push(test),
        }
    }
    let mut open = Vec::new();
    let pairs = known.iter().map(|test| test.values.len()).sum::<usize>().saturating_mul(others.len());
    'others: for test in others {
        for earlier in &mut known {
            if pairs <= PAIRS
                && agree(earlier, &test)
                && let Some(values) = satisfying(earlier, &test)
            {
                if values.is_empty() {
                    return Err(clash(earlier, &test));
                }
                earlier.values = values;
                earlier.property.referent = earlier.property.referent.take().or(test.property.referent);
                continue 'others;
            }
        }
        open.push(test);
    }
    open.extend(known);
    Ok(open)
}

/// Whether the types of what a reference points to go together.
fn agree(one: &Test, other: &Test) -> bool {
    let (one, other) = (&one.property.referent, &other.property.referent);
    one.is_none() || other.is_none() || one == other
}

/// Equal to one of these and one of those.
fn both(earlier: &Test, test: Test) -> Result<Test, Contradiction> {
    let identities: HashMap<Cow<'_, ValueKind>, &Value> =
        earlier.values.iter().map(|value| (identity(earlier, &value.kind), value)).collect();
    let common = |value: Value| {
        let twin = identities.get(&identity(&test, &value.kind))?;
        // Of two spellings the same one stays, whatever came first.
        let is_first = value.kind.order(&twin.kind).then(value.span.cmp(&twin.span)).is_lt();
        Some(if is_first { value.clone() } else { (*twin).clone() })
    };
    let values: Vec<Value> = test.values.iter().cloned().filter_map(common).collect();
    if values.is_empty() || !agree(earlier, &test) {
        return Err(clash(earlier, &test));
    }
    let span = earlier.span.to(test.span);
    let referent = earlier.property.referent.clone().or(test.property.referent.clone());
    let mut property = earlier.property.clone();
    property.referent = referent;
    Ok(Test { values, span, property, ..test })
}
