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
        BooleanOperator, Comparison, ComparisonExpression, ComparisonKind, ComparisonOperator, ObjectPath, Operand,
    },
    span::Span,
};

/// A comparison expression, ready to be held against objects.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Test(Test),
}

/// One comparison.
#[derive(Debug, Clone)]
pub(crate) struct Test {
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
    /// The comparison of what `path` leads to with constants: one, none behind EXISTS, or the elements of IN.
    ///
    /// # Errors
    /// If a constant has no meaning behind the operator, or those of a set are of different types.
    pub(crate) fn new(
        path: &ObjectPath<'_>,
        operator: ComparisonOperator,
        negated: bool,
        constants: Vec<(Constant, Span)>,
    ) -> Result<Self, EvaluateError> {
        let kind = match operator {
            ComparisonOperator::In => Kind::In(Set::new(constants)?),
            operator => single(operator, constants.into_iter().next())?,
        };
        Ok(Self::Test(Test { path: Path::new(path), negated, kind }))
    }

    /// # Errors
    /// If a literal has no meaning.
    pub(super) fn from_expression(expression: &ComparisonExpression<'_>) -> Result<Self, EvaluateError> {
        match &expression.kind {
            ComparisonKind::Test(Comparison { path, operator, negated, operand, .. }) => {
                let literals = match operand {
                    Operand::None => &[],
                    Operand::Literal(literal) => std::slice::from_ref(literal),
                    Operand::Set(literals) => literals.as_slice(),
                };
                let constants = literals.iter().map(|literal| Ok((Constant::new(literal)?, literal.span)));
                Self::new(path, *operator, *negated, constants.collect::<Result<_, _>>()?)
            }
            ComparisonKind::Combined { operator, operands } => {
                let operands = operands.iter().map(Self::from_expression).collect::<Result<_, _>>()?;
                Ok(match operator {
                    BooleanOperator::And => Self::All(operands),
                    BooleanOperator::Or => Self::any(operands),
                })
            }
        }
    }

    /// One of the operands, of which those that are the same test but for the text they compare with are one set: a list
    /// of indicators is often written so.
    pub(crate) fn any(operands: Vec<Self>) -> Self {
        Self::Any(joined(operands))
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
        Condition::Test(Test { path, negated: false, kind: Kind::In(Set::of_one_type(constants)) })
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
    fn new(constants: Vec<(Constant, Span)>) -> Result<Self, EvaluateError> {
        if let Some((first, _)) = constants.first()
            && !constants.iter().all(|(other, _)| first.goes_with(other))
        {
            return Err(EvaluateError::MixedSet { span: Span::covering(constants.iter().map(|(_, span)| *span)) });
        }
        Ok(Self::of_one_type(constants.into_iter().map(|(constant, _)| constant).collect()))
    }

    /// The constants are of one type.
    fn of_one_type(mut constants: Vec<Constant>) -> Self {
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

fn single(operator: ComparisonOperator, constant: Option<(Constant, Span)>) -> Result<Kind, EvaluateError> {
    // Only EXISTS has nothing behind it.
    let Some((constant, span)) = constant else { return Ok(Kind::Exists) };
    // The grammar has only strings behind the last four operators.
    let text = constant.as_text().unwrap_or_default();
    let addresses = || network::network(text).ok_or_else(|| EvaluateError::BadNetwork { text: text.to_owned(), span });
    Ok(match operator {
        ComparisonOperator::Equal | ComparisonOperator::In => Kind::Equal(constant),
        ComparisonOperator::NotEqual => Kind::NotEqual(constant),
        ComparisonOperator::Less => Kind::Order(constant, Ordering::is_lt),
        ComparisonOperator::LessOrEqual => Kind::Order(constant, Ordering::is_le),
        ComparisonOperator::Greater => Kind::Order(constant, Ordering::is_gt),
        ComparisonOperator::GreaterOrEqual => Kind::Order(constant, Ordering::is_ge),
        ComparisonOperator::Like => Kind::Like(Like::new(text)),
        ComparisonOperator::Matches => Kind::Matches(Box::new(Expression::new(text, span)?)),
        ComparisonOperator::IsSubset => Kind::IsSubset(addresses()?),
        ComparisonOperator::IsSuperset => Kind::IsSuperset(addresses()?),
        ComparisonOperator::Exists => Kind::Exists,
    })
}
