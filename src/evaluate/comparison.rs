//! What one object has to satisfy (STIX 2.1, section 9.5).

use std::{cmp::Ordering, collections::HashMap};

use ipnet::IpNet;

use super::{
    error::EvaluateError,
    literal::{self, Constant},
    network,
    path::{Path, World},
    text::{Expression, Like},
    value::{Map, Value},
};
use crate::{
    pattern::{
        BooleanOperator, Comparison, ComparisonExpression, ComparisonKind, ComparisonOperator, Literal, LiteralValue,
        Operand,
    },
    span::Span,
};

/// A comparison expression, ready to be held against objects.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Test(Test),
}

/// One comparison.
#[derive(Debug, Clone)]
pub(super) struct Test {
    path: Path,
    negated: bool,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Equal(Constant),
    NotEqual(Constant),
    /// Whether the order of property and literal is the one asked for.
    Order(Constant, fn(Ordering) -> bool),
    In(Set),
    Like(Like),
    Matches(Box<Expression>),
    IsSubset(IpNet),
    IsSuperset(IpNet),
    Exists,
}

impl Condition {
    /// # Errors
    /// If a literal has no meaning.
    pub(super) fn new(expression: &ComparisonExpression<'_>) -> Result<Self, EvaluateError> {
        match &expression.kind {
            ComparisonKind::Test(comparison) => Test::new(comparison).map(Self::Test),
            ComparisonKind::Combined { operator, operands } => {
                let operands = operands.iter().map(Self::new).collect::<Result<_, _>>()?;
                Ok(match operator {
                    BooleanOperator::And => Self::All(operands),
                    BooleanOperator::Or => Self::Any(joined(operands)),
                })
            }
        }
    }

    /// Adds the types of which an object can satisfy it.
    pub(super) fn types<'c>(&'c self, types: &mut Vec<&'c str>) {
        match self {
            Self::Test(test) => types.push(&test.path.object_type),
            // What does not satisfy the first operand does not satisfy all.
            Self::All(operands) => operands.iter().take(1).for_each(|operand| operand.types(types)),
            Self::Any(operands) => operands.iter().for_each(|operand| operand.types(types)),
        }
    }

    /// Whether `object` satisfies it.
    pub(super) fn holds(&self, object: &Map, world: World<'_>) -> Result<bool, EvaluateError> {
        match self {
            Self::Test(test) => test.holds(object, world),
            Self::All(operands) => {
                for operand in operands {
                    if !operand.holds(object, world)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(operands) => {
                for operand in operands {
                    if operand.holds(object, world)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}

impl Test {
    fn new(comparison: &Comparison<'_>) -> Result<Self, EvaluateError> {
        let kind = match &comparison.operand {
            Operand::None => Kind::Exists,
            Operand::Set(literals) => Kind::In(Set::new(literals, comparison)?),
            Operand::Literal(literal) => single(comparison.operator, literal)?,
        };
        Ok(Self { path: Path::new(&comparison.path), negated: comparison.negated, kind })
    }

    fn holds(&self, object: &Map, world: World<'_>) -> Result<bool, EvaluateError> {
        if object.text("type") != Some(&self.path.object_type) {
            return Ok(false);
        }
        if let Kind::Exists = self.kind {
            let is_there = self.path.any(object, world, |_| Ok::<_, EvaluateError>(true))?;
            return Ok(is_there != self.negated);
        }
        self.path.any(object, world, |value| self.accepts(value))
    }

    /// Whether one value satisfies the comparison, its NOT included.
    fn accepts(&self, value: &Value) -> Result<bool, EvaluateError> {
        let text = || literal::text(value);
        let plain = match &self.kind {
            Kind::Equal(constant) => constant.equals(value),
            Kind::NotEqual(constant) => !constant.equals(value),
            // What has no order is neither before nor behind: NOT does not change that.
            Kind::Order(constant, is_asked) => {
                return Ok(constant.order(value).is_some_and(|order| is_asked(order) != self.negated));
            }
            Kind::In(set) => set.has(value),
            Kind::Like(like) => text().is_some_and(|text| like.matches(&text)),
            Kind::Matches(expression) => text().map_or(Ok(false), |text| expression.matches(&text))?,
            Kind::IsSubset(outer) => addresses(value).is_some_and(|inner| network::contains(outer, &inner)),
            Kind::IsSuperset(inner) => addresses(value).is_some_and(|outer| network::contains(&outer, inner)),
            Kind::Exists => true,
        };
        Ok(plain != self.negated)
    }
}

fn addresses(value: &Value) -> Option<IpNet> {
    match value {
        Value::Text(text) => network::network(text),
        _ => None,
    }
}

/// Alternatives in which one property equals one text or another are put into one set: a list of indicators is often
/// written so.
fn joined(operands: Vec<Condition>) -> Vec<Condition> {
    let mut places: HashMap<Path, usize> = HashMap::new();
    let mut sets: Vec<Vec<Constant>> = Vec::new();
    let mut rest = Vec::new();
    for operand in operands {
        match operand {
            Condition::Test(Test { path, negated: false, kind: Kind::Equal(constant @ Constant::Text(_)) }) => {
                let place = *places.entry(path).or_insert(sets.len());
                match sets.get_mut(place) {
                    Some(set) => set.push(constant),
                    None => sets.push(vec![constant]),
                }
            }
            other => rest.push(other),
        }
    }
    let mut paths: Vec<(Path, usize)> = places.into_iter().collect();
    paths.sort_unstable_by_key(|(_, place)| *place);
    let sets = paths.into_iter().zip(sets).map(|((path, _), constants)| {
        Condition::Test(Test { path, negated: false, kind: Kind::In(Set::of(constants)) })
    });
    sets.chain(rest).collect()
}

/// The literals of IN.
#[derive(Debug, Clone)]
struct Set {
    constants: Vec<Constant>,
    /// They are texts, in order: lists of indicators can be long.
    is_sorted: bool,
}

impl Set {
    fn new(literals: &[Literal<'_>], comparison: &Comparison<'_>) -> Result<Self, EvaluateError> {
        let constants = literals.iter().map(Constant::new).collect::<Result<Vec<_>, _>>()?;
        if let Some(first) = constants.first()
            && !constants.iter().all(|other| first.goes_with(other))
        {
            let places = literals.iter().map(|literal| literal.span);
            return Err(EvaluateError::MixedSet { span: places.reduce(Span::to).unwrap_or(comparison.path.span) });
        }
        Ok(Self::of(constants))
    }

    /// The constants are of one type.
    fn of(mut constants: Vec<Constant>) -> Self {
        let is_sorted = matches!(constants.first(), Some(Constant::Text(_)));
        if is_sorted {
            constants.sort_unstable_by(|one, other| one.as_text().cmp(&other.as_text()));
        }
        Self { constants, is_sorted }
    }

    fn has(&self, value: &Value) -> bool {
        match value {
            Value::Text(text) if self.is_sorted => {
                self.constants.binary_search_by(|constant| constant.as_text().cmp(&Some(text))).is_ok()
            }
            _ => self.constants.iter().any(|constant| constant.equals(value)),
        }
    }
}

fn single(operator: ComparisonOperator, literal: &Literal<'_>) -> Result<Kind, EvaluateError> {
    let constant = || Constant::new(literal);
    // The grammar has only strings behind the last four operators.
    let text = match &literal.value {
        LiteralValue::String(text) => text.as_ref(),
        _ => "",
    };
    let addresses = || {
        network::network(text).ok_or_else(|| EvaluateError::BadNetwork { text: text.to_owned(), span: literal.span })
    };
    Ok(match operator {
        ComparisonOperator::Equal => Kind::Equal(constant()?),
        ComparisonOperator::NotEqual => Kind::NotEqual(constant()?),
        ComparisonOperator::Less => Kind::Order(constant()?, Ordering::is_lt),
        ComparisonOperator::LessOrEqual => Kind::Order(constant()?, Ordering::is_le),
        ComparisonOperator::Greater => Kind::Order(constant()?, Ordering::is_gt),
        ComparisonOperator::GreaterOrEqual => Kind::Order(constant()?, Ordering::is_ge),
        ComparisonOperator::In => Kind::Equal(constant()?),
        ComparisonOperator::Like => Kind::Like(Like::new(text)),
        ComparisonOperator::Matches => Kind::Matches(Box::new(Expression::new(text, literal.span)?)),
        ComparisonOperator::IsSubset => Kind::IsSubset(addresses()?),
        ComparisonOperator::IsSuperset => Kind::IsSuperset(addresses()?),
        ComparisonOperator::Exists => Kind::Exists,
    })
}
