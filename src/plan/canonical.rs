//! A plan as text: the canonical pattern. Equal plans print equal text, and the text is a STIX pattern again.

use std::{
    cmp::Ordering,
    fmt::{self, Display, Formatter, Write},
};

use super::{Condition, Observation, Operator, Plan, Test, Value, ValueKind};
use crate::pattern::{ComparisonOperator, Quoted};

impl Display for Plan {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.observation.fmt(formatter)
    }
}

impl Display for Observation {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Match(condition) => write!(formatter, "[{condition}]"),
            Self::All(operands, _) => join(formatter, operands, " AND ", |operand| !matches!(operand, Self::Match(_))),
            Self::Any(operands, _) => join(formatter, operands, " OR ", |operand| !matches!(operand, Self::Match(_))),
            Self::Then(operands, _) => {
                join(formatter, operands, " FOLLOWEDBY ", |operand| !matches!(operand, Self::Match(_)))
            }
            Self::Within { of, seconds, .. } => {
                grouped(formatter, of)?;
                write!(formatter, " WITHIN {seconds} SECONDS")
            }
            Self::Repeat { of, times, .. } => {
                grouped(formatter, of)?;
                write!(formatter, " REPEATS {times} TIMES")
            }
            Self::During { of, start, stop, .. } => {
                grouped(formatter, of)?;
                write!(formatter, " START t'{start}' STOP t'{stop}'")
            }
        }
    }
}

/// A qualified expression in parentheses, unless it is a plain `[…]`: two qualifiers of a kind may not stand side by side.
fn grouped(formatter: &mut Formatter<'_>, of: &Observation) -> fmt::Result {
    if matches!(of, Observation::Match(_)) { of.fmt(formatter) } else { write!(formatter, "({of})") }
}

impl Plan {
    /// The plan as its canonical text has it: with names of registry keys in lower case where they are compared so.
    #[must_use]
    pub fn folded(&self) -> Self {
        let mut folded = self.clone();
        for test in folded.observation.conditions_mut().flat_map(Condition::tests_mut) {
            if let Some(lower) = test.folded() {
                *test = lower;
            }
        }
        folded
    }
}

impl Display for Condition {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Test(test) => test.fmt(formatter),
            Self::All(operands) => join(formatter, operands, " AND ", |operand| !matches!(operand, Self::Test(_))),
            Self::Any(operands) => join(formatter, operands, " OR ", |operand| !matches!(operand, Self::Test(_))),
        }
    }
}

impl Display for Test {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let path = &self.property.path;
        if let Some(folded) = self.folded() {
            return folded.fmt(formatter);
        }
        if self.operator == Operator::Exists {
            return write!(formatter, "{}EXISTS {path}", if self.negated { "NOT " } else { "" });
        }
        let type_test = self.type_test();
        if let Some((reference, referent)) = type_test {
            write!(formatter, "({reference}.type = '{referent}' AND ")?;
        }
        match (self.operator, self.values.as_slice()) {
            (Operator::Equal, [value]) => {
                write!(formatter, "{path} {}= {value}", if self.negated { "!" } else { "" })
            }
            (Operator::Equal, values) => {
                write!(formatter, "{path} {}IN (", if self.negated { "NOT " } else { "" })?;
                join(formatter, values, ", ", |_| false)?;
                formatter.write_char(')')
            }
            (_, [value]) => self.comparison(formatter, value),
            (_, values) => {
                for (index, value) in values.iter().enumerate() {
                    formatter.write_str(match (index, self.negated) {
                        (0, _) => "(",
                        (_, true) => " AND ",
                        (_, false) => " OR ",
                    })?;
                    self.comparison(formatter, value)?;
                }
                formatter.write_char(')')
            }
        }?;
        if type_test.is_some() { formatter.write_char(')') } else { Ok(()) }
    }
}

impl Test {
    /// The test with its values in lower case, where they are compared so and are not.
    pub(super) fn folded(&self) -> Option<Self> {
        let is_upper = |text: &str| text.bytes().any(|byte| byte.is_ascii_uppercase());
        let has_upper = |value: &Value| matches!(&value.kind, ValueKind::Text(text) if is_upper(text));
        if !self.folds_case() || !self.values.iter().any(has_upper) {
            return None;
        }
        let mut folded = self.clone();
        for value in &mut folded.values {
            if let ValueKind::Text(text) = &mut value.kind {
                text.make_ascii_lowercase();
            }
        }
        Some(folded)
    }

    /// The reference on its path, and the type of the object that it leads to, where no value shows that.
    pub(super) fn type_test(&self) -> Option<(&str, &str)> {
        let says_type = self.values.iter().any(|value| value.kind.is_plain_text());
        let referent = self.property.referent.as_deref().filter(|_| says_type)?;
        Some((self.property.path.strip_suffix(".value")?, referent))
    }

    fn comparison(&self, formatter: &mut Formatter<'_>, value: &Value) -> fmt::Result {
        let not = if self.negated { "NOT " } else { "" };
        write!(formatter, "{} {not}{} {value}", self.property.path, self.operator)
    }
}

impl Display for Operator {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        ComparisonOperator::from(*self).fmt(formatter)
    }
}

impl Display for Value {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.kind.fmt(formatter)
    }
}

impl Display for ValueKind {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => Quoted(text).fmt(formatter),
            Self::Like(pattern) => Quoted(pattern.text()).fmt(formatter),
            Self::Regex(regex) => Quoted(regex.text()).fmt(formatter),
            Self::Address(net) if net.prefix_len() == net.max_prefix_len() => write!(formatter, "'{}'", net.addr()),
            Self::Address(net) => write!(formatter, "'{net}'"),
            Self::Domain(name) => write!(formatter, "'{name}'"),
            Self::Url(url) => Quoted(&url.text).fmt(formatter),
            Self::Hash(hash) => write!(formatter, "'{}'", hash.hex()),
            Self::Integer(number) => number.fmt(formatter),
            // `{:?}` keeps the point that makes a number a float.
            Self::Float(number) => write!(formatter, "{number:?}"),
            Self::Boolean(truth) => truth.fmt(formatter),
            Self::Timestamp(text) => write!(formatter, "t'{text}'"),
            Self::Bytes(bytes) => {
                formatter.write_str("h'")?;
                bytes.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))?;
                formatter.write_char('\'')
            }
        }
    }
}

impl ValueKind {
    /// Canonical order: numbers by size, addresses by number, everything else by its text.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Like(left), Self::Like(right)) => left.text().cmp(right.text()),
            (Self::Regex(left), Self::Regex(right)) => left.text().cmp(right.text()),
            (Self::Domain(left), Self::Domain(right)) => left.cmp(right),
            (Self::Hash(left), Self::Hash(right)) => left.cmp(right),
            (Self::Url(left), Self::Url(right)) => left.text.cmp(&right.text),
            (Self::Address(left), Self::Address(right)) => left.cmp(right),
            (Self::Integer(left), Self::Integer(right)) => left.cmp(right),
            (Self::Float(left), Self::Float(right)) => left.total_cmp(right),
            _ => self.to_string().cmp(&other.to_string()),
        }
    }
}

fn join<T: Display>(
    formatter: &mut Formatter<'_>,
    items: &[T],
    separator: &str,
    in_parentheses: impl Fn(&T) -> bool,
) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            formatter.write_str(separator)?;
        }
        if in_parentheses(item) { write!(formatter, "({item})") } else { item.fmt(formatter) }?;
    }
    Ok(())
}
