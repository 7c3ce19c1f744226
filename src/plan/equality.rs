//! Equality of plans and of their parts: spans do not count.

use std::{
    hash::{Hash, Hasher},
    mem::discriminant,
};

use super::{Observation, Operator, Property, Test, Value, ValueKind};

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

// No literal is a float that is not equal to itself.
impl Eq for ValueKind {}

impl Hash for ValueKind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        discriminant(self).hash(state);
        match self {
            Self::Text(text) | Self::Timestamp(text) => text.hash(state),
            Self::Like(pattern) => pattern.text().hash(state),
            Self::Regex(regex) => regex.text().hash(state),
            Self::Address(net) => net.hash(state),
            Self::Domain(name) => name.hash(state),
            Self::Url(url) => url.hash(state),
            Self::Hash(hash) => hash.hash(state),
            Self::Integer(number) => number.hash(state),
            Self::Float(number) => float(*number).hash(state),
            Self::Boolean(truth) => truth.hash(state),
            Self::Bytes(bytes) => bytes.hash(state),
        }
    }
}

/// The bits of a number. Zero has a second form, which is equal to it.
fn float(number: f64) -> u64 {
    (number + 0.0).to_bits()
}

impl Test {
    fn key(&self) -> (&Property, Operator, bool, &[Value]) {
        (&self.property, self.operator, self.negated, &self.values)
    }
}

impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Test {}

impl Hash for Test {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialEq for Observation {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Match(one), Self::Match(other)) => one == other,
            (Self::All(one, _), Self::All(other, _))
            | (Self::Any(one, _), Self::Any(other, _))
            | (Self::Then(one, _), Self::Then(other, _)) => one == other,
            (Self::Within { of, seconds, .. }, Self::Within { of: other, seconds: others, .. }) => {
                seconds == others && of == other
            }
            (Self::Repeat { of, times, .. }, Self::Repeat { of: other, times: others, .. }) => {
                times == others && of == other
            }
            (Self::During { of, start, stop, .. }, Self::During { of: other, start: first, stop: last, .. }) => {
                (start, stop) == (first, last) && of == other
            }
            _ => false,
        }
    }
}

// A time is a number that is equal to itself.
impl Eq for Observation {}

impl Hash for Observation {
    fn hash<H: Hasher>(&self, state: &mut H) {
        discriminant(self).hash(state);
        match self {
            Self::Match(condition) => condition.hash(state),
            Self::All(operands, _) | Self::Any(operands, _) | Self::Then(operands, _) => operands.hash(state),
            Self::Within { of, seconds, .. } => (of, float(*seconds)).hash(state),
            Self::Repeat { of, times, .. } => (of, times).hash(state),
            Self::During { of, start, stop, .. } => (of, start, stop).hash(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use crate::{pattern, plan::lower::plain};

    #[test]
    fn what_means_the_same_is_equal_wherever_it_stands() {
        let texts = [
            "[a:b = 1] WITHIN 5 SECONDS",
            "[ a:b = 1 ]  WITHIN 5.0 SECONDS",
            "[a:b = 1] WITHIN 6 SECONDS",
            "[a:b = 0.0]",
            "[a:b = -0.0]",
            "[a:b LIKE 'x%']",
            "[a:b MATCHES 'x%']",
            "[a:b NOT MATCHES 'x%']",
        ];
        let plans: HashSet<_> = texts.iter().map(|text| plain(&pattern::parse(text).unwrap()).plan).collect();
        assert_eq!(plans.len(), 6);
    }
}
