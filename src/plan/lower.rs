//! From the syntax tree to the plan: spellings are folded and literals typed.

use std::{borrow::Cow, slice};

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};

use super::{
    Condition, LikePart, LikePattern, Observation, Operator, Plan, Property, Regex, ResolvedPaths, Test, normalise,
    schema::{self, PropertyType, Resolved, Text},
    value::{DomainName, Hash, HashAlgorithm, Host, UrlParts, Value, ValueKind, parse_address, serial_number},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    hex,
    pattern::{
        BooleanOperator, Comparison, ComparisonExpression, ComparisonKind, ComparisonOperator, Literal, LiteralValue,
        ObservationExpression, ObservationKind, ObservationOperator, Operand, Pattern, QualifierKind,
    },
    span::Span,
};

/// A URL without a scheme and without a path was read as the host that it names.
pub const URL_IS_A_HOST: Code = Code("W050");

/// A prefix that an address is to equal was read as the addresses in it.
pub const PREFIX_IS_A_SET: Code = Code("W051");

/// A name that begins with a wildcard or a dot was read as the names below it.
pub const NAMES_BELOW: Code = Code("W052");

/// A value that no name has was left out.
pub const NO_NAME: Code = Code("W053");

/// A plan, and what was found on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Lowering {
    /// The plan.
    pub plan: Plan,
    /// Readings that the pattern does not literally say and alternatives that never hold, as warnings; and an error, if
    /// the whole pattern never holds.
    pub diagnostics: Vec<Diagnostic>,
}

/// Lowers a pattern to its plan in normal form.
///
/// ```
/// use stixc::{pattern, plan::lower::lower};
/// let pattern = pattern::parse(
///     "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7/32']",
/// ).unwrap();
/// assert_eq!(lower(&pattern).plan.to_string(), "[network-traffic:dst_ref.value = '198.51.100.7']");
/// ```
#[must_use]
pub fn lower(pattern: &Pattern<'_>) -> Lowering {
    lower_resolved(pattern, &ResolvedPaths::new(pattern))
}

/// The same, with paths that were looked up already.
#[must_use]
pub fn lower_resolved(pattern: &Pattern<'_>, paths: &ResolvedPaths) -> Lowering {
    let Lowering { plan, mut diagnostics } = as_written(pattern, paths);
    let normal = normalise::normalise(plan);
    diagnostics.extend(normal.diagnostics);
    Lowering { plan: normal.plan, diagnostics }
}

/// Lowers a pattern to its plan as it is written: properties and values are those of STIX 2.1, everything else is left
/// to [`normalise`].
#[must_use]
pub fn plain(pattern: &Pattern<'_>) -> Lowering {
    as_written(pattern, &ResolvedPaths::new(pattern))
}

fn as_written(pattern: &Pattern<'_>, paths: &ResolvedPaths) -> Lowering {
    let mut lowerer = Lowerer { paths: paths.iter(), notes: Vec::new() };
    let observation = lowerer.observation(&pattern.expression);
    Lowering { plan: Plan { observation }, diagnostics: lowerer.notes }
}

/// A lowering under way.
struct Lowerer<'r> {
    /// The paths of the comparisons to come.
    paths: slice::Iter<'r, Resolved>,
    notes: Vec<Diagnostic>,
}

impl Lowerer<'_> {
    fn observation(&mut self, expression: &ObservationExpression<'_>) -> Observation {
        match &expression.kind {
            ObservationKind::Single(comparison) => Observation::Match(self.condition(comparison)),
            ObservationKind::Combined { operator, operands } => {
                let operands = operands.iter().map(|operand| self.observation(operand)).collect();
                match operator {
                    ObservationOperator::And => Observation::All(operands, expression.span),
                    ObservationOperator::Or => Observation::Any(operands, expression.span),
                    ObservationOperator::FollowedBy => Observation::Then(operands, expression.span),
                }
            }
            ObservationKind::Qualified { expression, qualifier } => {
                let of = Box::new(self.observation(expression));
                let span = qualifier.span;
                match &qualifier.kind {
                    QualifierKind::Within { seconds } => Observation::Within { of, seconds: *seconds, span },
                    QualifierKind::Repeats { times } => Observation::Repeat { of, times: *times, span },
                    QualifierKind::StartStop { start, stop } => {
                        Observation::During { of, start: start.clone(), stop: stop.clone(), span }
                    }
                }
            }
        }
    }

    fn condition(&mut self, expression: &ComparisonExpression<'_>) -> Condition {
        match &expression.kind {
            ComparisonKind::Test(comparison) => match self.paths.next() {
                Some(resolved) => test(comparison, resolved, expression.span, &mut self.notes),
                None => test(comparison, &schema::resolve(&comparison.path), expression.span, &mut self.notes),
            },
            ComparisonKind::Combined { operator, operands } => {
                let operands = operands.iter().map(|operand| self.condition(operand)).collect();
                match operator {
                    BooleanOperator::And => Condition::All(operands),
                    BooleanOperator::Or => Condition::Any(operands),
                }
            }
        }
    }
}

/// One comparison: a test, or several where a set holds values of several kinds.
fn test(comparison: &Comparison<'_>, resolved: &Resolved, span: Span, notes: &mut Vec<Diagnostic>) -> Condition {
    let (operator, inverted) = operator(comparison.operator);
    let negated = comparison.negated != inverted;
    let literals: &[Literal<'_>] = match &comparison.operand {
        Operand::None => &[],
        Operand::Literal(literal) => std::slice::from_ref(literal),
        Operand::Set(set) => set,
    };
    let blank = |property, operator| Test { property, operator, values: Vec::new(), negated, span };
    let mut tests: Vec<Test> = Vec::with_capacity(1);
    for literal in literals {
        if !negated && operator == Operator::Equal && is_no_name(resolved, literal) {
            let message =
                "no domain name has a port, a path or a scheme: nothing ever equals the value, and it is left out";
            notes.push(Diagnostic::warning(NO_NAME, message).at(literal.span));
            continue;
        }
        let (property, kind) = typed(resolved, operator, negated, literal, notes);
        let operator = read_as(operator, &kind, literal, notes);
        let value = Value { kind, span: literal.span };
        let is_like = |test: &&mut Test| {
            test.property == property && test.operator == operator && same_kind(&test.values, &value)
        };
        match tests.iter_mut().find(is_like) {
            Some(test) => test.values.push(value),
            None => tests.push(Test { values: vec![value], ..blank(property, operator) }),
        }
    }
    match (tests.pop(), tests.is_empty()) {
        (None, _) => Condition::Test(blank(property(resolved, None), operator)),
        (Some(test), true) => Condition::Test(test),
        (Some(test), false) => {
            tests.push(test);
            let operands = tests.into_iter().map(Condition::Test).collect();
            if negated { Condition::All(operands) } else { Condition::Any(operands) }
        }
    }
}

/// The operator with which a value is compared. No address that is seen equals a prefix; feeds that write `= '…/24'` (one
/// in a hundred IPv4 indicators of real feeds) mean the addresses in it.
fn read_as(operator: Operator, kind: &ValueKind, literal: &Literal<'_>, notes: &mut Vec<Diagnostic>) -> Operator {
    match kind {
        ValueKind::Address(net) if operator == Operator::Equal && net.prefix_len() < net.max_prefix_len() => {
            let message = format!("no single address equals {kind}: read as the addresses in it");
            let note = Diagnostic::warning(PREFIX_IS_A_SET, message).at(literal.span);
            notes.push(note.help(format!("write ISSUBSET {kind}")));
            Operator::IsSubset
        }
        ValueKind::Like(pattern) if operator == Operator::Equal => {
            let message = "no name equals a value with a wildcard or a dot in front: read as the names below it";
            let note = Diagnostic::warning(NAMES_BELOW, message).at(literal.span);
            notes.push(note.help(format!("write LIKE '{}'", pattern.text())));
            Operator::Like
        }
        _ => operator,
    }
}

/// Whether a value of a domain name has more than a name in it, so that no name equals it.
fn is_no_name(resolved: &Resolved, literal: &Literal<'_>) -> bool {
    let LiteralValue::String(text) = &literal.value else { return false };
    let is_name = resolved.kind == PropertyType::String(Text::DomainName);
    let is_address = || !text.contains('/') && parse_address(text).is_some();
    is_name && text.contains(['/', ':']) && !is_address()
}

/// The name below which those names lie that `*.evil.example` or `.evil.example` stands for.
pub(super) fn parent_of_names(text: &str) -> Option<DomainName> {
    DomainName::parse(text.strip_prefix('*').unwrap_or(text).strip_prefix('.')?)
}

fn same_kind(values: &[Value], value: &Value) -> bool {
    values.first().is_none_or(|first| std::mem::discriminant(&first.kind) == std::mem::discriminant(&value.kind))
}

/// The plan's operator, and whether it stands for the negation of the pattern's.
fn operator(operator: ComparisonOperator) -> (Operator, bool) {
    let plain = match operator {
        ComparisonOperator::NotEqual => return (Operator::Equal, true),
        ComparisonOperator::Equal | ComparisonOperator::In => Operator::Equal,
        ComparisonOperator::Less => Operator::Less,
        ComparisonOperator::LessOrEqual => Operator::LessOrEqual,
        ComparisonOperator::Greater => Operator::Greater,
        ComparisonOperator::GreaterOrEqual => Operator::GreaterOrEqual,
        ComparisonOperator::Like => Operator::Like,
        ComparisonOperator::Matches => Operator::Matches,
        ComparisonOperator::IsSubset => Operator::IsSubset,
        ComparisonOperator::IsSuperset => Operator::IsSuperset,
        ComparisonOperator::Exists => Operator::Exists,
    };
    (plain, false)
}

/// The property as the value shows it, and the value as the property reads it.
fn typed(
    resolved: &Resolved,
    operator: Operator,
    negated: bool,
    literal: &Literal<'_>,
    notes: &mut Vec<Diagnostic>,
) -> (Property, ValueKind) {
    let plain = |kind| (property(resolved, None), kind);
    if let Some(number) = program_number(resolved, &literal.value) {
        return plain(number);
    }
    let text = match &literal.value {
        LiteralValue::String(text) => text,
        other => return plain(scalar(other)),
    };
    match operator {
        Operator::Equal | Operator::IsSubset | Operator::IsSuperset => {}
        Operator::Like => return plain(ValueKind::Like(LikePattern::parse(text))),
        Operator::Matches => return plain(ValueKind::Regex(Regex::parse(text))),
        _ => return plain(ValueKind::Text(text.to_string())),
    }
    let written = || ValueKind::Text(text.to_string());
    match property_type(resolved) {
        PropertyType::Hash(algorithm) => {
            if let Some(algorithm) = HashAlgorithm::from_key(algorithm.name) {
                return plain(Hash::parse(algorithm, text).map_or_else(written, ValueKind::Hash));
            }
        }
        PropertyType::String(Text::ImportHash) if Hash::parse(HashAlgorithm::Md5, text).is_some() => {
            return plain(ValueKind::Text(text.to_ascii_lowercase()));
        }
        PropertyType::String(Text::SerialNumber) => {
            return plain(serial_number(text).map_or_else(written, ValueKind::Text));
        }
        _ => {}
    }
    if resolved.path == "url:value" && operator == Operator::Equal {
        return url(text, negated, literal, notes);
    }
    let (referent, kind) = identifier(resolved, text);
    (property(resolved, referent), kind)
}

fn property(resolved: &Resolved, referent: Option<&'static str>) -> Property {
    let family = resolved.property.filter(|row| row.ends_with(".*"));
    let referent = referent.map(Cow::Borrowed);
    Property { path: resolved.path.clone(), kind: property_type(resolved), family, referent }
}

/// The type of a property. A custom one that has digests under `hashes` has them as the standard does.
fn property_type(resolved: &Resolved) -> PropertyType {
    match resolved.kind {
        PropertyType::Any => match resolved.path.rsplit_once("hashes.") {
            Some((_, key)) => schema::HashAlgorithm::from_key(key.trim_matches('\''))
                .map_or(PropertyType::String(Text::Digest), PropertyType::Hash),
            None => PropertyType::Any,
        },
        kind => kind,
    }
}

fn scalar(value: &LiteralValue<'_>) -> ValueKind {
    match value {
        LiteralValue::String(text) => ValueKind::Text(text.to_string()),
        LiteralValue::Integer(number) => ValueKind::Integer(*number),
        LiteralValue::Float { value, .. } => ValueKind::Float(*value),
        // The type check has refused it already; what is printed stays what was written.
        LiteralValue::BigInteger(digits) => ValueKind::Text((*digits).to_owned()),
        LiteralValue::Boolean(truth) => ValueKind::Boolean(*truth),
        LiteralValue::Timestamp(text) => ValueKind::Timestamp(text.to_string()),
        LiteralValue::Hex(digits) => ValueKind::Bytes(hex::decode(digits).unwrap_or_default()),
        // The grammar lets only well-formed base64 and digits through.
        LiteralValue::Binary(text) => ValueKind::Bytes(BASE64.decode(text).unwrap_or_default()),
    }
}

/// A field of a program's headers that STIX writes as hexadecimal digits. It is a number, so it has one spelling: that
/// without zeros in front.
fn program_number(resolved: &Resolved, literal: &LiteralValue<'_>) -> Option<ValueKind> {
    if resolved.kind != PropertyType::HexNumber {
        return None;
    }
    let bytes = match literal {
        LiteralValue::Hex(digits) => hex::decode(digits)?,
        LiteralValue::Binary(_) => return None,
        LiteralValue::String(text) => hex::decode(text)?,
        _ => return None,
    };
    let zeros = bytes.iter().take(bytes.len().saturating_sub(1)).take_while(|byte| **byte == 0).count();
    Some(ValueKind::Bytes(bytes[zeros..].to_vec()))
}

/// An address or a name, where the property holds one; and for a reference, the type of object that this implies.
fn identifier(resolved: &Resolved, text: &str) -> (Option<&'static str>, ValueKind) {
    let by_reference = !resolved.referenced.is_empty();
    let holders: &[&str] = match resolved.kind {
        PropertyType::String(Text::Endpoint | Text::Identifier) => resolved.referenced,
        PropertyType::String(Text::Ipv4Address) => &["ipv4-addr"],
        PropertyType::String(Text::Ipv6Address) => &["ipv6-addr"],
        PropertyType::String(Text::DomainName) => &["domain-name"],
        _ => &[],
    };
    let holds = |kind: &str| holders.contains(&kind);
    let implied = |kind: &'static str| by_reference.then_some(kind);
    if let Some(address) = parse_address(text) {
        let family = if address.addr().is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
        if holds(family) {
            return (implied(family), ValueKind::Address(address));
        }
    } else if holds("domain-name")
        && let Some(name) = DomainName::parse(text)
    {
        return (implied("domain-name"), ValueKind::Domain(name));
    } else if holds("domain-name")
        && let Some(name) = parent_of_names(text)
    {
        let below = [LikePart::Any, LikePart::Text(format!(".{name}"))];
        return (implied("domain-name"), ValueKind::Like(LikePattern::from_parts(below)));
    }
    (None, ValueKind::Text(text.to_owned()))
}

/// Whether a URL is nothing but a host.
pub(super) fn is_bare_host(text: &str) -> bool {
    UrlParts::parse(text).is_some_and(|parts| is_host(&parts))
}

fn is_host(parts: &UrlParts) -> bool {
    parts.scheme.is_empty() && parts.port.is_none() && !parts.text.contains(['/', '?', '#']) && !parts.has_userinfo
}

/// A URL. Feeds write bare hosts as URLs; those are read as the host (one in seven URL indicators of real feeds).
fn url(text: &str, negated: bool, literal: &Literal<'_>, notes: &mut Vec<Diagnostic>) -> (Property, ValueKind) {
    let property = |path, text| Property::new(path, PropertyType::String(text));
    // A prefix has the form of an address with a path.
    let parts = UrlParts::parse(text).filter(|_| parse_address(text).is_none_or(|_| !text.contains('/')));
    let Some(parts) = parts else {
        return (property("url:value", Text::Url), ValueKind::Text(text.to_owned()));
    };
    if negated || !is_host(&parts) {
        return (property("url:value", Text::Url), ValueKind::Url(Box::new(parts)));
    }
    notes.push(
        Diagnostic::warning(URL_IS_A_HOST, format!("the URL '{text}' has no scheme and no path: read as the host"))
            .at(literal.span)
            .help("write a domain-name:value or ipv4-addr:value comparison"),
    );
    match parts.host {
        Host::Domain(name) => (property("domain-name:value", Text::DomainName), ValueKind::Domain(name)),
        Host::Address(address) if address.is_ipv4() => {
            (property("ipv4-addr:value", Text::Ipv4Address), ValueKind::Address(address.into()))
        }
        Host::Address(address) => (property("ipv6-addr:value", Text::Ipv6Address), ValueKind::Address(address.into())),
    }
}
