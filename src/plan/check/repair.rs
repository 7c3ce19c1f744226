//! Literals of another type than their property, where only one value can be meant.
//!
//! MISP writes every value as a string: `network-traffic:dst_port = '443'`. By the letter of the standard that never
//! holds; by intent it is port 443.

use std::{borrow::Cow, slice};

use super::{
    super::{
        ResolvedPaths,
        schema::{PropertyType, Resolved},
    },
    codes::{BYTES_AS_STRING, TIMESTAMP_AS_STRING},
    literal, moment,
    test::{element, family},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    pattern::{
        Comparison, ComparisonExpression, ComparisonKind, ComparisonOperator, Literal, LiteralValue,
        ObservationExpression, ObservationKind, Operand, Pattern,
    },
};

/// A literal of another type that spells a value of the right one.
pub const OTHER_TYPE: Code = Code("W126");

/// Gives literals the type of their property where their text leaves no doubt: `'443'` against an integer is 443,
/// `'true'` against a boolean is true, `'2024-01-01T00:00:00Z'` against a timestamp is that instant. A set is repaired as
/// a whole or not at all. One warning for each literal; none, and no allocation, where nothing was changed.
///
/// A lenient reader calls this before [`super::check`]; a strict one does not, and gets T001.
///
/// ```
/// use stixc::{pattern, plan::check};
///
/// let mut pattern = pattern::parse("[network-traffic:dst_port = '443']")?;
/// let warnings = check::repair(&mut pattern);
/// assert_eq!(warnings[0].code.0, "W126");
/// assert!(check::check(&pattern).is_empty());
/// # Ok::<(), pattern::ParseErrors>(())
/// ```
pub fn repair(pattern: &mut Pattern<'_>) -> Vec<Diagnostic> {
    let paths = ResolvedPaths::new(pattern);
    repair_resolved(pattern, &paths)
}

/// The same, with paths that were looked up already.
pub fn repair_resolved(pattern: &mut Pattern<'_>, paths: &ResolvedPaths) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    observation(&mut pattern.expression, &mut paths.iter(), &mut found);
    found
}

type Paths<'p> = slice::Iter<'p, Resolved>;

fn observation(expression: &mut ObservationExpression<'_>, paths: &mut Paths<'_>, found: &mut Vec<Diagnostic>) {
    match &mut expression.kind {
        ObservationKind::Single(comparison) => comparisons(comparison, paths, found),
        ObservationKind::Combined { operands, .. } => {
            operands.iter_mut().for_each(|operand| observation(operand, paths, found));
        }
        ObservationKind::Qualified { expression, .. } => observation(expression, paths, found),
    }
}

fn comparisons(expression: &mut ComparisonExpression<'_>, paths: &mut Paths<'_>, found: &mut Vec<Diagnostic>) {
    match &mut expression.kind {
        ComparisonKind::Test(test) => {
            if let Some(resolved) = paths.next() {
                comparison(test, element(resolved.kind), found);
            }
        }
        ComparisonKind::Combined { operands, .. } => {
            operands.iter_mut().for_each(|operand| comparisons(operand, paths, found));
        }
    }
}

fn comparison(test: &mut Comparison<'_>, kind: PropertyType, found: &mut Vec<Diagnostic>) {
    use ComparisonOperator as Operator;
    if matches!(
        test.operator,
        Operator::Like | Operator::Matches | Operator::IsSubset | Operator::IsSuperset | Operator::Exists
    ) {
        return;
    }
    let literals = match &mut test.operand {
        Operand::None => return,
        Operand::Literal(literal) => std::slice::from_mut(literal),
        Operand::Set(literals) => literals,
    };
    if becomes_mixed(kind, literals) {
        return;
    }
    for literal in literals {
        let Some((code, value)) = meant(kind, &literal.value) else { continue };
        let right = Literal { value, span: literal.span };
        let message = format!("{} is read as {}", literal::shown(literal), literal::shown(&right));
        let help = format!("write {}", literal::proposed(&right.value));
        found.push(Diagnostic::warning(code, message).at(literal.span).help(help));
        literal.value = right.value;
    }
}

/// Whether only some literals of a set would get another type. Such a set stays as it is, so that it is told what is
/// wrong with its values and not that they differ.
fn becomes_mixed(kind: PropertyType, literals: &[Literal<'_>]) -> bool {
    let after = |literal: &Literal<'_>| {
        meant(kind, &literal.value).map_or_else(|| family(&literal.value), |(_, value)| family(&value))
    };
    let mut families = literals.iter().map(after);
    let first = families.next();
    families.any(|family| Some(family) != first)
}

/// The value of the right type that a literal of another type spells.
fn meant<'a>(kind: PropertyType, value: &LiteralValue<'a>) -> Option<(Code, LiteralValue<'a>)> {
    use LiteralValue as Value;
    let value = match (kind, value) {
        // Text with escapes is owned, and never spells any of these.
        (_, Value::String(Cow::Borrowed(text))) => return from_text(kind, text),
        (PropertyType::Boolean, Value::Integer(number @ (0 | 1))) => Value::Boolean(*number == 1),
        (PropertyType::String(_), Value::Integer(number)) => Value::String(number.to_string().into()),
        (PropertyType::String(_), Value::Float { text, .. } | Value::BigInteger(text)) => Value::String((*text).into()),
        (PropertyType::String(_), Value::Boolean(flag)) => Value::String(flag.to_string().into()),
        _ => return None,
    };
    Some((OTHER_TYPE, value))
}

fn from_text<'a>(kind: PropertyType, text: &'a str) -> Option<(Code, LiteralValue<'a>)> {
    use LiteralValue as Value;
    match kind {
        PropertyType::Integer(_) => Some((OTHER_TYPE, integer(text)?)),
        PropertyType::Float => Some((OTHER_TYPE, integer(text).or_else(|| float(text))?)),
        PropertyType::Boolean if text.eq_ignore_ascii_case("true") => Some((OTHER_TYPE, Value::Boolean(true))),
        PropertyType::Boolean if text.eq_ignore_ascii_case("false") => Some((OTHER_TYPE, Value::Boolean(false))),
        PropertyType::Timestamp if moment::is_timestamp(text) => {
            Some((TIMESTAMP_AS_STRING, Value::Timestamp(text.into())))
        }
        // MISP prints a blank between date and time, and an offset: `2020-10-25 16:22:00+00:00`.
        PropertyType::Timestamp => Some((TIMESTAMP_AS_STRING, Value::Timestamp(moment::meant(text)?.into()))),
        PropertyType::Hex | PropertyType::HexNumber if literal::is_hex(text) => {
            Some((BYTES_AS_STRING, Value::Hex(text)))
        }
        PropertyType::Binary if is_base64(text) => Some((BYTES_AS_STRING, Value::Binary(text))),
        _ => None,
    }
}

/// An integer as the grammar writes it; not `007`, which may be a name.
fn integer<'a>(text: &str) -> Option<LiteralValue<'a>> {
    let number: i64 = text.parse().ok()?;
    let digits = text.trim_start_matches('-');
    let is_plain = digits == "0" || !digits.starts_with(['0', '+']);
    is_plain.then_some(LiteralValue::Integer(number))
}

fn float(text: &str) -> Option<LiteralValue<'_>> {
    let (whole, fraction) = text.strip_prefix('-').unwrap_or(text).split_once('.')?;
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let value = text.parse().ok().filter(|_| is_number(whole) && is_number(fraction))?;
    Some(LiteralValue::Float { value, text })
}

/// Standard base64 with its padding, as the grammar has it.
fn is_base64(text: &str) -> bool {
    let body = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    !body.is_empty()
        && text.len().is_multiple_of(4)
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
