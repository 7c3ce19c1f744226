//! One comparison: its operator and its literals against the type of its property.

use super::{
    Check, address, bytes,
    codes::{ALWAYS_HOLDS, TIMESTAMP_AS_STRING},
    literal, moment, path, regex,
    test::{Test, family},
    text,
};
use crate::{
    diagnostic::Code,
    pattern::{Comparison, ComparisonOperator as Operator, Literal, LiteralValue, Operand, PathStepKind},
    plan::schema::{self, Bounds, PropertyType},
};

/// A literal of another type than the property.
pub const WRONG_TYPE: Code = Code("T001");
/// `<` on a boolean.
pub const ORDER_OF_BOOLEANS: Code = Code("T002");
/// IN over values of several types.
pub const MIXED_SET: Code = Code("T013");
/// An integer beyond 64 bits.
pub const TOO_BIG: Code = Code("T014");
/// LIKE or MATCHES on what is no text.
pub const NOT_TEXT: Code = Code("T015");
/// A number the property never has.
pub const OUT_OF_RANGE: Code = Code("T016");
/// A dictionary, an object or a list of objects as if it were one value.
pub const NOT_A_VALUE: Code = Code("T017");
/// IN over nothing.
pub const EMPTY_SET: Code = Code("W118");

pub(super) fn check(check: &mut Check<'_>, comparison: &Comparison<'_>) {
    let looked_up;
    let resolved = match check.paths.next() {
        Some(resolved) => resolved,
        None => {
            looked_up = schema::resolve(&comparison.path);
            &looked_up
        }
    };
    path::check(check, comparison, resolved);
    let literals = match &comparison.operand {
        Operand::None => return,
        Operand::Literal(literal) => std::slice::from_ref(literal),
        Operand::Set(literals) => literals,
    };
    let test = Test::new(comparison, resolved);
    if !set_is_good(check, &test, literals) || !numbers_are_good(check, literals) {
        return;
    }
    if !test.kind.is_value() {
        return not_a_value(check, &test);
    }
    for literal in literals {
        one(check, &test, literal);
    }
}

fn one(check: &mut Check<'_>, test: &Test<'_, '_>, literal: &Literal<'_>) {
    if let LiteralValue::Timestamp(text) = &literal.value
        && !moment::check(check, text, moment::place(check.source, literal.span))
    {
        return;
    }
    match test.comparison.operator {
        Operator::Like | Operator::Matches => pattern(check, test, literal),
        Operator::IsSubset | Operator::IsSuperset => address::network(check, test, literal),
        Operator::Exists => {}
        _ if test.kind == PropertyType::Boolean && !test.is_equality() => boolean_order(check, test),
        _ => {
            if has_right_type(check, test, literal) && test.is_equality() {
                value(check, test, literal);
            }
        }
    }
}

fn value(check: &mut Check<'_>, test: &Test<'_, '_>, literal: &Literal<'_>) {
    match (test.kind, &literal.value) {
        (PropertyType::Hash(algorithm), LiteralValue::String(digest)) => {
            bytes::digest(check, test, algorithm, literal, digest);
        }
        (PropertyType::Vocabulary(vocabulary), LiteralValue::String(word)) => {
            text::vocabulary(check, vocabulary, literal, word);
        }
        (PropertyType::String(kind), LiteralValue::String(value)) => text::check(check, test, kind, literal, value),
        (PropertyType::Hex | PropertyType::HexNumber | PropertyType::Binary, LiteralValue::String(value)) => {
            bytes::as_string(check, test, literal, value);
        }
        _ => {}
    }
}

fn set_is_good(check: &mut Check<'_>, test: &Test<'_, '_>, literals: &[Literal<'_>]) -> bool {
    let Some((first, others)) = literals.split_first() else {
        let span = test.comparison.operator_span;
        let message = if test.positive { "no value is in an empty set" } else { "every value is outside an empty set" };
        check.warning(EMPTY_SET, span, message, "write the values to compare with, or EXISTS before the property");
        return false;
    };
    let Some(other) = others.iter().find(|other| family(&other.value) != family(&first.value)) else { return true };
    let (one, two) = (literal::kind(&first.value), literal::kind(&other.value));
    check.error(
        MIXED_SET,
        other.span,
        format!("the set begins with {one}, and this is {two}"),
        "keep values of one type, or join two comparisons with OR",
    );
    false
}

fn numbers_are_good(check: &mut Check<'_>, literals: &[Literal<'_>]) -> bool {
    let mut good = true;
    for literal in literals {
        if matches!(literal.value, LiteralValue::BigInteger(_)) {
            good = false;
            check.error(
                TOO_BIG,
                literal.span,
                format!("{} does not fit the 64 bits of an integer", literal::shown(literal)),
                format!("the integers of STIX go from {} to {}", i64::MIN, i64::MAX),
            );
        }
    }
    good
}

fn not_a_value(check: &mut Check<'_>, test: &Test<'_, '_>) {
    let path = &test.comparison.path;
    let mut example = test.resolved.path.clone().into_owned();
    let what = match test.kind {
        PropertyType::Hashes => {
            example.push_str(".'SHA-256'");
            "a dictionary of hashes"
        }
        PropertyType::Extensions(extensions) => {
            let first = extensions.first().map_or("x-example-ext", |extension| extension.name);
            example.push_str(&format!(".'{first}'"));
            "a dictionary of extensions"
        }
        PropertyType::Object(structure) => {
            let is_list = matches!(path.steps.last().map(|step| &step.kind), Some(PathStepKind::Property(_)))
                && matches!(test.resolved.kind, PropertyType::List(_));
            let first = structure.properties.first().map_or("name", |property| property.name);
            example.push_str(&format!("{}.{first}", if is_list { "[*]" } else { "" }));
            if is_list { "a list of objects" } else { "an object" }
        }
        _ => {
            example.push_str(".'a key'");
            "a dictionary"
        }
    };
    check.error(
        NOT_A_VALUE,
        path.span,
        format!("`{}` is {what}, and never equal to a value", test.name()),
        format!("name what to compare: {example}"),
    );
}

fn boolean_order(check: &mut Check<'_>, test: &Test<'_, '_>) {
    check.error(
        ORDER_OF_BOOLEANS,
        test.comparison.operator_span,
        format!("`{}` is a boolean, and booleans have no order", test.name()),
        format!("write {} = true or {} = false", test.name(), test.name()),
    );
}

/// LIKE and MATCHES: on text, and on bytes as the standard's own example does (section 9.8).
fn pattern(check: &mut Check<'_>, test: &Test<'_, '_>, literal: &Literal<'_>) {
    let LiteralValue::String(text) = &literal.value else { return };
    if matches!(test.kind, PropertyType::Integer(_) | PropertyType::Float | PropertyType::Boolean) {
        let operator = if test.comparison.operator == Operator::Like { "LIKE" } else { "MATCHES" };
        return check.error(
            NOT_TEXT,
            test.comparison.operator_span,
            format!("`{}` is {}, and {operator} compares text", test.name(), kind(test.kind)),
            if test.kind == PropertyType::Boolean {
                "write = true or = false"
            } else {
                "compare it with =, <, > or IN"
            },
        );
    }
    if test.comparison.operator == Operator::Like {
        regex::like(check, literal, text);
    } else {
        regex::matches(check, test, literal, text);
    }
}

/// Whether a literal can be compared with the property at all.
fn has_right_type(check: &mut Check<'_>, test: &Test<'_, '_>, literal: &Literal<'_>) -> bool {
    use LiteralValue as Value;
    use PropertyType as Type;
    let good = match (test.kind, &literal.value) {
        (Type::Any, _) => true,
        (Type::Integer(bounds), value @ (Value::Integer(_) | Value::Float { .. })) => {
            return in_range(check, test, bounds, literal, value);
        }
        (Type::Float, value) => family(value) == 1,
        (Type::Boolean, value) => matches!(value, Value::Boolean(_)),
        (Type::Timestamp, Value::Timestamp(_)) => true,
        (Type::Timestamp, Value::String(text)) if moment::is_timestamp(text) => {
            check.warning(
                TIMESTAMP_AS_STRING,
                literal.span,
                "a string, where the property is a timestamp",
                format!("write t'{text}'"),
            );
            return true;
        }
        (Type::Hex | Type::HexNumber | Type::Binary, value) => {
            matches!(value, Value::Hex(_) | Value::Binary(_) | Value::String(_))
        }
        (Type::Integer(_) | Type::Timestamp, _) => false,
        // Text: a timestamp is compared with a string as text, and bytes with their characters.
        (_, value) => matches!(family(value), 0 | 3 | 4),
    };
    if !good {
        wrong_type(check, test, literal);
    }
    good
}

fn wrong_type(check: &mut Check<'_>, test: &Test<'_, '_>, literal: &Literal<'_>) {
    let message = format!("`{}` is {}, and this is {}", test.name(), kind(test.kind), literal::kind(&literal.value));
    let help = rewrite(test.kind, &literal.value).unwrap_or_else(|| format!("compare it with {}", kind(test.kind)));
    if test.positive || !test.is_equality() {
        check.error(WRONG_TYPE, literal.span, message, help);
    } else {
        check.warning(ALWAYS_HOLDS, literal.span, format!("{message}: they always differ"), help);
    }
}

/// The same value as a literal of the right type.
fn rewrite(kind: PropertyType, value: &LiteralValue<'_>) -> Option<String> {
    match (kind, value) {
        (PropertyType::Integer(_) | PropertyType::Float, LiteralValue::String(text)) => {
            let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
            let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
            (is_plain && number.is_finite()).then(|| format!("write the number without quotes: {text}"))
        }
        (PropertyType::Boolean, LiteralValue::String(text)) if text.eq_ignore_ascii_case("true") => {
            Some("write the boolean without quotes: true".to_owned())
        }
        (PropertyType::Boolean, LiteralValue::String(text)) if text.eq_ignore_ascii_case("false") => {
            Some("write the boolean without quotes: false".to_owned())
        }
        (PropertyType::Boolean, LiteralValue::Integer(number @ (0 | 1))) => Some(format!("write {}", *number == 1)),
        (PropertyType::Timestamp, _) => Some("write a timestamp: t'2024-02-29T00:00:00Z'".to_owned()),
        (
            PropertyType::String(_) | PropertyType::Hash(_) | PropertyType::Vocabulary(_) | PropertyType::StringOrList,
            LiteralValue::Integer(_) | LiteralValue::Float { .. } | LiteralValue::Boolean(_),
        ) => {
            let text = match value {
                LiteralValue::Integer(number) => number.to_string(),
                LiteralValue::Float { text, .. } => (*text).to_owned(),
                LiteralValue::Boolean(flag) => flag.to_string(),
                _ => return None,
            };
            Some(format!("write it as text: '{text}'"))
        }
        _ => None,
    }
}

/// A property's type, with an article.
fn kind(kind: PropertyType) -> &'static str {
    match kind {
        PropertyType::Integer(_) => "an integer",
        PropertyType::Float => "a float",
        PropertyType::Boolean => "a boolean",
        PropertyType::Timestamp => "a timestamp",
        PropertyType::Hex | PropertyType::HexNumber | PropertyType::Binary => "bytes",
        PropertyType::Reference(_) => "a reference",
        _ => "a string",
    }
}

/// Whether some value of the property can satisfy a comparison with this number.
fn in_range(
    check: &mut Check<'_>,
    test: &Test<'_, '_>,
    bounds: Bounds,
    literal: &Literal<'_>,
    value: &LiteralValue<'_>,
) -> bool {
    let Bounds { minimum, maximum } = bounds;
    let reachable = match (test.comparison.operator, value) {
        _ if test.comparison.negated || !test.positive => true,
        (Operator::Equal | Operator::In, LiteralValue::Integer(number)) => (minimum..=maximum).contains(number),
        (Operator::Equal | Operator::In, LiteralValue::Float { value, .. }) => value.fract() == 0.0,
        (Operator::Less, LiteralValue::Integer(number)) => *number > minimum,
        (Operator::LessOrEqual, LiteralValue::Integer(number)) => *number >= minimum,
        (Operator::Greater, LiteralValue::Integer(number)) => *number < maximum,
        (Operator::GreaterOrEqual, LiteralValue::Integer(number)) => *number <= maximum,
        _ => true,
    };
    if !reachable {
        let help = match (minimum, maximum) {
            (i64::MIN, i64::MAX) => "compare it with a whole number".to_owned(),
            (0, i64::MAX) => "its values are whole numbers from 0".to_owned(),
            _ => format!("its values are whole numbers from {minimum} to {maximum}"),
        };
        let message = format!("`{}` never has such a value", test.name());
        check.error(OUT_OF_RANGE, literal.span, message, help);
    }
    reachable
}
