//! Places that lead to one another: `x:a.b = 1` says that there is an `x:a`, and that it has keys and so no value of its
//! own.

use std::collections::{BTreeMap, HashSet};

use super::{
    super::{Condition, Operator, Test},
    never::{Contradiction, Never, clash, tests},
};
use crate::pattern::is_reference;

/// What the tests of one AND want to be at a place; of each the first test that wants it.
#[derive(Default)]
struct Place<'t> {
    value: Option<&'t Test>,
    keys: Option<&'t Test>,
    elements: Option<&'t Test>,
    /// Anything further down.
    below: Option<&'t Test>,
}

/// Removes from the operands of an AND what another one says by the place that it is about, and finds what excludes
/// each other: a value and parts, keys and elements, nothing and something.
pub(super) fn settle(operands: &mut Vec<Condition>) -> Never {
    let all: Vec<&Test> = tests(operands).collect();
    let (absent, present): (Vec<&Test>, Vec<&Test>) = all.into_iter().partition(|test| test.is_absence());
    let mut places: BTreeMap<&str, Place<'_>> = BTreeMap::new();
    for test in present {
        let path: &str = &test.property.path;
        if wants_value(test) {
            places.entry(path).or_default().value.get_or_insert(test);
        }
        for (above, next) in above(path) {
            let place = places.entry(above).or_default();
            place.below.get_or_insert(test);
            // Of several elements each may be what one of the tests wants.
            if above.contains("[*]") {
                continue;
            }
            match next {
                '[' => place.elements.get_or_insert(test),
                // A reference is a text and leads on all the same.
                _ if refers(above) => continue,
                _ => place.keys.get_or_insert(test),
            };
        }
    }
    let mut never: Never = places.values().filter_map(Place::contradiction).collect();
    never.extend(absent.iter().filter_map(|absence| {
        let below = places.get(absence.property.path.as_ref())?.below?;
        Some(clash(below, absence))
    }));
    let nothing: HashSet<&str> = absent.iter().map(|test| test.property.path.as_ref()).collect();
    let is_said = |operand: &Condition| match operand {
        Condition::Test(test) if test.operator != Operator::Exists || test.property.referent.is_some() => false,
        Condition::Test(test) if test.negated => above(&test.property.path).any(|(above, _)| nothing.contains(above)),
        Condition::Test(test) => places.get(test.property.path.as_ref()).is_some_and(|place| place.below.is_some()),
        _ => false,
    };
    let is_said: Vec<bool> = operands.iter().map(is_said).collect();
    let mut is_said = is_said.into_iter();
    operands.retain(|_| !is_said.next().unwrap_or_default());
    never
}

impl Place<'_> {
    fn contradiction(&self) -> Option<Contradiction> {
        let mut wanted = [self.value, self.keys, self.elements].into_iter().flatten();
        let (one, other) = (wanted.next()?, wanted.next()?);
        Some(Contradiction {
            help: "a property has a value, or keys, or elements: take one of the two away, or join them with OR",
            ..clash(one, other)
        })
    }
}

/// Whether nothing with keys or elements satisfies the test: it is not equal to anything, and that is what NOT asks for.
fn wants_value(test: &Test) -> bool {
    test.operator != Operator::Exists && !test.negated && test.property.is_single()
}

/// The places that a path leads through, each with the sign behind it.
fn above(path: &str) -> impl Iterator<Item = (&str, char)> {
    let start = path.find(':').map_or(0, |colon| colon + 1);
    let (mut in_quotes, mut is_escaped) = (false, false);
    path[start..].char_indices().filter_map(move |(at, sign)| {
        match sign {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '\'' => in_quotes = !in_quotes,
            '.' | '[' if !in_quotes => return Some((&path[..start + at], sign)),
            _ => {}
        }
        None
    })
}

/// Whether a place holds references: its last key ends with `_ref` or `_refs`.
fn refers(place: &str) -> bool {
    let key = place.trim_end_matches(|sign: char| sign == ']' || sign == '[' || sign == '*' || sign.is_ascii_digit());
    is_reference(key.trim_end_matches('\''))
}

#[cfg(test)]
mod tests {
    use super::{above, refers};

    #[test]
    fn a_path_leads_through_places() {
        let places = |path| above(path).collect::<Vec<_>>();
        assert_eq!(places("x:a"), []);
        assert_eq!(places("x:a.b[0].c"), [("x:a", '.'), ("x:a.b", '['), ("x:a.b[0]", '.')]);
        assert_eq!(places(r"x:'a.b\'['.c"), [(r"x:'a.b\'['", '.')]);
        assert!(refers("x:a_ref") && refers("x:b.a_refs[*]") && refers("x:'a b_ref'") && !refers("x:a_ref.b"));
    }
}
