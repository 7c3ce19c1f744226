//! The standard spelling of a tree, which parses to the same tree again.
//!
//! One space around operators, `=` for `==`, `!=` for `<>`, quotes around a key only where the grammar wants them, and
//! parentheses only where the tree would be another without them.

use std::fmt::{self, Display, Formatter, Write};

use super::{
    BooleanOperator, Comparison, ComparisonExpression, ComparisonKind, ComparisonOperator, Literal, LiteralValue,
    ObjectPath, ObservationExpression, ObservationKind, ObservationOperator, Operand, PathStep, PathStepKind, Pattern,
    Qualifier, QualifierKind, lexer, literal,
};

/// A text as a string literal: in quotes, with quotes and backslashes escaped.
///
/// ```
/// use stixc::pattern::Quoted;
/// assert_eq!(Quoted(r"C:\it's").to_string(), r"'C:\\it\'s'");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(pub &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_char('\'')?;
        let mut from = 0;
        for at in memchr::memchr2_iter(b'\'', b'\\', self.0.as_bytes()) {
            formatter.write_str(&self.0[from..at])?;
            formatter.write_char('\\')?;
            from = at;
        }
        formatter.write_str(&self.0[from..])?;
        formatter.write_char('\'')
    }
}

impl Display for Pattern<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.expression.fmt(formatter)
    }
}

impl Display for ObservationExpression<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ObservationKind::Single(comparison) => write!(formatter, "[{comparison}]"),
            ObservationKind::Combined { operator, operands } => {
                joined(formatter, operator, operands, |operand| match &operand.kind {
                    ObservationKind::Combined { operator: inner, .. } => inner <= operator,
                    _ => false,
                })
            }
            ObservationKind::Qualified { expression, qualifier } => {
                operand(formatter, &**expression, needs_parentheses(expression, qualifier))?;
                write!(formatter, " {qualifier}")
            }
        }
    }
}

/// Whether `expression` has to stand in parentheses before `qualifier`: a qualifier binds only to what is just before
/// it, and no observation may have two of a kind.
fn needs_parentheses(expression: &ObservationExpression<'_>, qualifier: &Qualifier) -> bool {
    let mut inner = expression;
    loop {
        match &inner.kind {
            ObservationKind::Single(_) => return false,
            // Where the parentheses already stand further in, all before this qualifier is printed without any.
            ObservationKind::Combined { .. } => return std::ptr::eq(inner, expression),
            ObservationKind::Qualified { expression: next, qualifier: other } => {
                if std::mem::discriminant(&other.kind) == std::mem::discriminant(&qualifier.kind) {
                    return true;
                }
                if needs_parentheses(next, other) {
                    return false;
                }
                inner = next;
            }
        }
    }
}

impl Display for Qualifier {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            QualifierKind::Within { seconds } => write!(formatter, "WITHIN {seconds} SECONDS"),
            QualifierKind::Repeats { times } => write!(formatter, "REPEATS {times} TIMES"),
            // STIX 2.0 has any string here; only what is a timestamp can be written as one.
            QualifierKind::StartStop { start, stop }
                if [start, stop].iter().all(|text| literal::is_timestamp(text.as_bytes())) =>
            {
                write!(formatter, "START t'{start}' STOP t'{stop}'")
            }
            QualifierKind::StartStop { start, stop } => {
                write!(formatter, "START {} STOP {}", Quoted(start), Quoted(stop))
            }
        }
    }
}

impl Display for ObservationOperator {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::FollowedBy => "FOLLOWEDBY",
            Self::Or => "OR",
            Self::And => "AND",
        })
    }
}

impl Display for ComparisonExpression<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ComparisonKind::Test(comparison) => comparison.fmt(formatter),
            ComparisonKind::Combined { operator, operands } => {
                joined(formatter, operator, operands, |operand| match &operand.kind {
                    ComparisonKind::Combined { operator: inner, .. } => inner <= operator,
                    ComparisonKind::Test(_) => false,
                })
            }
        }
    }
}

impl Display for BooleanOperator {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Or => "OR",
            Self::And => "AND",
        })
    }
}

/// Operands with `operator` between them, each in parentheses if it needs them.
fn joined<T: Display>(
    formatter: &mut Formatter<'_>,
    operator: &dyn Display,
    operands: &[T],
    needs_parentheses: impl Fn(&T) -> bool,
) -> fmt::Result {
    for (index, each) in operands.iter().enumerate() {
        if index > 0 {
            write!(formatter, " {operator} ")?;
        }
        operand(formatter, each, needs_parentheses(each))?;
    }
    Ok(())
}

/// One operand, in parentheses or without.
fn operand(formatter: &mut Formatter<'_>, operand: &impl Display, in_parentheses: bool) -> fmt::Result {
    if in_parentheses { write!(formatter, "({operand})") } else { operand.fmt(formatter) }
}

impl Display for Comparison<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { path, negated, operator, operand, .. } = self;
        let not = if *negated { "NOT " } else { "" };
        match operand {
            Operand::None => write!(formatter, "{not}{operator} {path}"),
            Operand::Literal(literal) => write!(formatter, "{path} {not}{operator} {literal}"),
            Operand::Set(literals) => {
                write!(formatter, "{path} {not}{operator} (")?;
                for (index, literal) in literals.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(formatter, "{separator}{literal}")?;
                }
                formatter.write_char(')')
            }
        }
    }
}

impl Display for ComparisonOperator {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "IN",
            Self::Like => "LIKE",
            Self::Matches => "MATCHES",
            Self::IsSubset => "ISSUBSET",
            Self::IsSuperset => "ISSUPERSET",
            Self::Exists => "EXISTS",
        })
    }
}

impl Display for ObjectPath<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.object_type)?;
        for (index, step) in self.steps.iter().enumerate() {
            match &step.kind {
                PathStepKind::Property(_) if index == 0 => formatter.write_char(':')?,
                PathStepKind::Property(_) => formatter.write_char('.')?,
                PathStepKind::Index(_) | PathStepKind::AnyIndex => {}
            }
            step.fmt(formatter)?;
        }
        Ok(())
    }
}

impl Display for PathStep<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            PathStepKind::Property(name) if lexer::is_property(name) => formatter.write_str(name),
            PathStepKind::Property(name) => Quoted(name).fmt(formatter),
            PathStepKind::Index(index) => write!(formatter, "[{index}]"),
            PathStepKind::AnyIndex => formatter.write_str("[*]"),
        }
    }
}

impl Display for Literal<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.value.fmt(formatter)
    }
}

impl Display for LiteralValue<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => Quoted(text).fmt(formatter),
            Self::Integer(number) => number.fmt(formatter),
            Self::BigInteger(text) | Self::Float { text, .. } => formatter.write_str(text),
            Self::Boolean(truth) => truth.fmt(formatter),
            Self::Timestamp(text) => write!(formatter, "t'{text}'"),
            Self::Hex(text) => write!(formatter, "h'{text}'"),
            Self::Binary(text) => write!(formatter, "b'{text}'"),
        }
    }
}
