//! A plan, ready to be held against observations: each of its tests becomes a comparison, with no text in between.

use super::{Condition, Observation, Operator, Plan, Test, ValueKind};
use crate::{
    evaluate::{self, Constant, EvaluateError, Evaluator, Query},
    pattern::{ComparisonOperator, QualifierKind, parse_path},
    span::Span,
};

impl Plan {
    /// Prepares the plan. What is asked is what its canonical text says: with hashes, names and addresses in the one
    /// spelling that observations have.
    ///
    /// ```
    /// use stixc::{evaluate::{Map, Observation, Observations}, pattern, plan::lower::lower};
    ///
    /// let evaluator = lower(&pattern::parse("[file:size > 5]").unwrap()).plan.evaluator()?;
    /// let objects = serde_json::json!({"0": {"type": "file", "size": 7}});
    /// let objects = Map::from_json(objects.as_object().unwrap());
    /// assert!(evaluator.matches_objects(&objects)?);
    /// let seen = Observation::new("2024-01-01T00:00:00Z".parse().unwrap(), objects);
    /// assert!(evaluator.matches(&Observations::new([seen]))?.is_some());
    /// # Ok::<(), stixc::evaluate::EvaluateError>(())
    /// ```
    ///
    /// # Errors
    /// If a value or a qualifier has no meaning: a date that does not exist, a prefix that is none, a regular expression
    /// that does not compile.
    pub fn evaluator(&self) -> Result<Evaluator, EvaluateError> {
        let mut conditions = Vec::new();
        let query = query(&self.observation, &mut conditions)?;
        Ok(Evaluator::from_query(query, conditions))
    }
}

impl Test {
    /// Prepares the test by itself, to be asked of objects ([`Evaluator::matches_object`]).
    ///
    /// # Errors
    /// If a value has no meaning.
    pub fn evaluator(&self) -> Result<Evaluator, EvaluateError> {
        Ok(Evaluator::from_query(Query::Single(0), vec![test(self)?]))
    }
}

fn query(observation: &Observation, conditions: &mut Vec<evaluate::Condition>) -> Result<Query, EvaluateError> {
    let mut all = |operands: &[Observation]| -> Result<Vec<Query>, EvaluateError> {
        operands.iter().map(|operand| query(operand, conditions)).collect()
    };
    Ok(match observation {
        Observation::All(operands, _) => Query::All(all(operands)?),
        Observation::Any(operands, _) => Query::Any(all(operands)?),
        Observation::Then(operands, _) => Query::Then(all(operands)?),
        Observation::Within { of, seconds, span } => {
            query(of, conditions)?.qualified(&QualifierKind::Within { seconds: *seconds }, *span)?
        }
        Observation::Repeat { of, times, span } => {
            query(of, conditions)?.qualified(&QualifierKind::Repeats { times: *times }, *span)?
        }
        Observation::During { of, start, stop, span } => {
            let kind = QualifierKind::StartStop { start: start.clone(), stop: stop.clone() };
            query(of, conditions)?.qualified(&kind, *span)?
        }
        Observation::Match(inner) => {
            conditions.push(condition(inner)?);
            Query::Single(conditions.len() - 1)
        }
    })
}

fn condition(node: &Condition) -> Result<evaluate::Condition, EvaluateError> {
    Ok(match node {
        Condition::Test(one) => test(one)?,
        Condition::All(operands) => evaluate::Condition::All(operands.iter().map(condition).collect::<Result<_, _>>()?),
        Condition::Any(operands) => evaluate::Condition::any(operands.iter().map(condition).collect::<Result<_, _>>()?),
    })
}

fn test(test: &Test) -> Result<evaluate::Condition, EvaluateError> {
    let folded = test.folded();
    let test = folded.as_ref().unwrap_or(test);
    // The path of no property of a pattern is found nowhere.
    let Some(path) = parse_path(&test.property.path) else { return Ok(evaluate::Condition::Any(Vec::new())) };
    let compare = |operator, constants| evaluate::Condition::new(&path, operator, test.negated, constants);
    let operator = match test.operator {
        Operator::Equal if test.values.len() != 1 => ComparisonOperator::In,
        Operator::Exists => return compare(ComparisonOperator::Exists, Vec::new()),
        other => other.into(),
    };
    let constants = test.values.iter().map(|value| Ok((constant(&value.kind, value.span)?, value.span)));
    let constants: Vec<(Constant, Span)> = constants.collect::<Result<_, EvaluateError>>()?;
    let compared = if operator == ComparisonOperator::In {
        compare(operator, constants)?
    } else {
        let mut each: Vec<evaluate::Condition> =
            constants.into_iter().map(|constant| compare(operator, vec![constant])).collect::<Result<_, _>>()?;
        match each.len() {
            1 => each.swap_remove(0),
            _ if test.negated => evaluate::Condition::All(each),
            _ => evaluate::Condition::Any(each),
        }
    };
    let Some((reference, referent)) = test.type_test() else { return Ok(compared) };
    let reference = format!("{reference}.type");
    let Some(path) = parse_path(&reference) else { return Ok(evaluate::Condition::Any(Vec::new())) };
    let referent = vec![(Constant::Text(referent.into()), test.span)];
    let is_of_type = evaluate::Condition::new(&path, ComparisonOperator::Equal, false, referent)?;
    Ok(evaluate::Condition::All(vec![is_of_type, compared]))
}

fn constant(kind: &ValueKind, span: Span) -> Result<Constant, EvaluateError> {
    let text = |text: &str| Constant::Text(text.into());
    Ok(match kind {
        ValueKind::Integer(number) => Constant::Integer((*number).into()),
        ValueKind::Float(number) => Constant::Float(*number),
        ValueKind::Boolean(truth) => Constant::Boolean(*truth),
        ValueKind::Timestamp(text) => Constant::instant(text, span)?,
        ValueKind::Bytes(bytes) => Constant::Bytes(bytes.as_slice().into()),
        kind => text(&kind.as_text().unwrap_or_default()),
    })
}
