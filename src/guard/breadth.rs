//! Breadth: whether what a rule asks for names anything.
//!
//! A rule on a port, a protocol or a size, on `svchost.exe` or on `%.exe` fires at everybody. A test names something where
//! no everyday value of its property satisfies it (see [`everyday`]), and a pattern of LIKE or MATCHES where enough
//! characters have to occur, too. What is to be judged is what a rule asks for in the end: the tests of one alternative that
//! a target holds. So targets are given [`objection`], by way of [`Capabilities`](crate::plan::adapt::Capabilities).

use std::borrow::Cow;

use psl::Psl;
use regex_syntax::hir::{Class, Hir, HirKind, translate::Translator};

use super::{
    Action, Judgement, Policy,
    everyday::{Everyday, everyday},
};
use crate::{
    diagnostic::{Code, Severity},
    evaluate::{Expression, Like},
    hex,
    plan::{
        Condition, DomainName, LikePart, LikePattern, Operator, Plan, Property, Regex, Test, UrlParts, Value,
        ValueKind,
        adapt::Objection,
        schema::{PropertyType, Text},
    },
};

/// All that is left for a rule is everybody's.
pub const NAMES_NOTHING: Code = Code("G030");

/// So many characters have to occur in what a pattern of LIKE or MATCHES is to match.
const LEAST_CHARACTERS: usize = 4;
/// So many parts of an address have to be given, with what ends them.
const LEAST_PARTS: usize = 2;
/// So many bytes are content; fewer are in every file.
const LEAST_BYTES: usize = 4;
/// How many times an expression may go back on one everyday value. One that goes back further is as good as any text.
const BACKTRACKS: usize = 10_000;
/// How many operands of an AND are told apart by what their values name, at most: each doubles the alternatives.
const MOST_SPLIT: usize = 4;

/// What speaks against tests that would be all that a rule asks for. Values of the rest of an alternative are judged once more: beside
/// what the target does not hold they were let through.
#[must_use]
pub fn objection(policy: &Policy, tests: &[&Test], is_rest: bool) -> Option<Objection> {
    let action = policy.breadth();
    if action == Action::Ignore {
        return None;
    }
    let mut reasons: Vec<Cow<'static, str>> = Vec::new();
    for test in tests.iter().filter(|test| !test.negated) {
        match names(policy, test, is_rest) {
            Ok(()) => return None,
            Err(reason) if reasons.contains(&reason) => {}
            Err(reason) => reasons.push(reason),
        }
    }
    let message = format!("what is left for a rule names nobody in particular: {}", reasons.join("; "));
    Some(Objection { code: NAMES_NOTHING, message, is_told_only: action != Action::Drop })
}

/// The plan with each test of which only some values name something as two alternatives: those values, and the others. One
/// value that is everybody's must not take the others with it.
#[must_use]
pub fn split<'p>(policy: &Policy, plan: &'p Plan) -> Cow<'p, Plan> {
    if policy.breadth() == Action::Ignore || !plan.tests().any(|test| is_mixed(policy, test)) {
        return Cow::Borrowed(plan);
    }
    Cow::Owned(plan.clone().map(|condition| apart(policy, condition)))
}

fn apart(policy: &Policy, condition: Condition) -> Condition {
    match condition {
        Condition::Test(test) if is_mixed(policy, &test) => {
            let (naming, others) = halves(policy, test);
            Condition::Any(vec![Condition::Test(naming), Condition::Test(others)])
        }
        Condition::Test(test) => Condition::Test(test),
        Condition::Any(operands) => {
            Condition::Any(operands.into_iter().map(|operand| apart(policy, operand)).collect())
        }
        Condition::All(operands) => {
            let mut alternatives = vec![Vec::with_capacity(operands.len())];
            let mut splits = 0;
            for operand in operands {
                match operand {
                    // The tests of an alternative stay beside each other: targets join some of them.
                    Condition::Test(test) if splits < MOST_SPLIT && is_mixed(policy, &test) => {
                        splits += 1;
                        let (naming, others) = halves(policy, test);
                        let doubled = |half: &Test| {
                            let with = |tests: &Vec<Condition>| {
                                let half = Condition::Test(half.clone());
                                tests.iter().cloned().chain([half]).collect::<Vec<_>>()
                            };
                            alternatives.iter().map(with).collect::<Vec<_>>()
                        };
                        alternatives = doubled(&naming).into_iter().chain(doubled(&others)).collect();
                    }
                    other => {
                        let other = apart(policy, other);
                        alternatives.iter_mut().for_each(|tests| tests.push(other.clone()));
                    }
                }
            }
            let mut alternatives: Vec<Condition> = alternatives.into_iter().map(Condition::All).collect();
            if alternatives.len() == 1 { alternatives.swap_remove(0) } else { Condition::Any(alternatives) }
        }
    }
}

fn is_mixed(policy: &Policy, test: &Test) -> bool {
    let [first, rest @ ..] = test.values.as_slice() else { return false };
    if test.negated || rest.is_empty() {
        return false;
    }
    let names = |value: &Value| value_names(policy, test, value).is_ok();
    let first = names(first);
    rest.iter().any(|value| names(value) != first)
}

/// The values that name something, and those that don't.
fn halves(policy: &Policy, test: Test) -> (Test, Test) {
    let (naming, others): (Vec<Value>, Vec<Value>) =
        test.values.iter().cloned().partition(|value| value_names(policy, &test, value).is_ok());
    (Test { values: naming, ..test.clone() }, Test { values: others, ..test })
}

/// Whether a test that is not negated names something, whichever of its values it is; if not, why not.
pub(super) fn names(policy: &Policy, test: &Test, is_rest: bool) -> Result<(), Cow<'static, str>> {
    let path = &test.property.path;
    match test.operator {
        Operator::Exists => return Err(format!("that there is a {path} says nothing of it").into()),
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            return Err(format!("a range of {path} names nobody").into());
        }
        _ => {}
    }
    test.values.iter().try_for_each(|value| {
        if let (true, Judgement::Guarded(found)) = (is_rest, policy.judge_test(test, value)) {
            return Err(found.message.into());
        }
        value_names(policy, test, value)
    })
}

fn value_names(policy: &Policy, test: &Test, value: &Value) -> Result<(), Cow<'static, str>> {
    let property = &test.property;
    // Nearly all values are one of these; no list is asked about them.
    if matches!(value.kind, ValueKind::Address(_) | ValueKind::Domain(_) | ValueKind::Url(_) | ValueKind::Hash(_)) {
        return Ok(());
    }
    let everyday = everyday();
    if everyday.is_silent(property) {
        return Err(format!("{} names nobody", property.path).into());
    }
    match &value.kind {
        ValueKind::Like(pattern) => {
            let texts: Vec<&str> = pattern.parts().iter().filter_map(LikePart::as_text).collect();
            guarded_host(policy, property, value, &texts.concat(), texts.len() < 2)?;
            like(everyday, property, pattern)
        }
        ValueKind::Regex(regex) => {
            guarded_host(policy, property, value, &required_text(regex), true)?;
            matches(everyday, property, value, regex)
        }
        ValueKind::Text(text) => {
            if !text.chars().any(char::is_alphanumeric) {
                return Err("a text without letters and digits names nobody".into());
            }
            match everyday.find(property, text) {
                Some(list) => Err(format!("it is one of {}", list.about).into()),
                None => Ok(()),
            }
        }
        ValueKind::Bytes(bytes) => {
            if bytes.len() < LEAST_BYTES {
                return Err(format!("fewer than {LEAST_BYTES} bytes are in every file").into());
            }
            match everyday.find(property, &hex::encode(bytes)) {
                Some(list) => Err(format!("it is one of {}", list.about).into()),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn like(everyday: &Everyday, property: &Property, pattern: &LikePattern) -> Result<(), Cow<'static, str>> {
    is_enough(property, &pattern.parts().iter().filter_map(LikePart::as_text).collect::<String>())?;
    let pattern = Like::new(&pattern.text().to_lowercase());
    either(everyday.first(property, |one| pattern.matches(&one.to_lowercase())))
}

fn matches(everyday: &Everyday, property: &Property, value: &Value, regex: &Regex) -> Result<(), Cow<'static, str>> {
    // What has look-around or back-references no target writes into a rule.
    is_enough(property, &required_text(regex))?;
    let Ok(expression) = Expression::with_limit(&format!("(?i){}", regex.text()), value.span, BACKTRACKS) else {
        return Err("the expression can't be tried".into());
    };
    either(everyday.first(property, |one| expression.matches(one).unwrap_or(true)))
}

/// Whether what has to occur in a name or URL is one that a list drops; or that it warns of, and nothing else has to.
fn guarded_host(
    policy: &Policy,
    property: &Property,
    value: &Value,
    fixed: &str,
    is_all: bool,
) -> Result<(), Cow<'static, str>> {
    if !has_host(property) {
        return Ok(());
    }
    let fixed = fixed.trim_start_matches([':', '/']);
    let kind = match fixed.contains('/') {
        true => UrlParts::parse(fixed).map(|url| ValueKind::Url(Box::new(url))),
        false => DomainName::parse(fixed.trim_matches('.')).map(ValueKind::Domain),
    };
    let judgement = kind.map(|kind| policy.judge(&Value { kind, span: value.span }));
    match judgement {
        Some(Judgement::Guarded(found)) => Err(found.message.into()),
        Some(Judgement::Kept(found)) if is_all && found.severity == Severity::Warning => Err(found.message.into()),
        _ => Ok(()),
    }
}

/// Whether the characters that have to occur are enough.
fn is_enough(property: &Property, fixed: &str) -> Result<(), Cow<'static, str>> {
    if fixed.chars().filter(|one| !one.is_whitespace()).count() < LEAST_CHARACTERS {
        return Err(format!("fewer than {LEAST_CHARACTERS} characters have to occur in what it matches").into());
    }
    if has_host(property) && is_suffix(fixed) {
        return Err("the names below a public suffix belong to many owners".into());
    }
    let is_address = matches!(property.kind, PropertyType::String(text) if text.is_address());
    let is_of_address = |one: char| one.is_ascii_hexdigit() || matches!(one, '.' | ':');
    if is_address && fixed.chars().all(is_of_address) && fixed.matches(['.', ':']).count() < LEAST_PARTS {
        return Err(format!("it gives fewer than {LEAST_PARTS} parts of an address").into());
    }
    Ok(())
}

/// Whether values of the property have a domain name in them.
fn has_host(property: &Property) -> bool {
    use Text::{DomainName, EmailAddress, Endpoint, Identifier, Url};
    matches!(property.kind, PropertyType::String(DomainName | EmailAddress | Endpoint | Identifier | Url))
}

/// Whether a text gives nothing of a name but a public suffix: `http://.com/`.
fn is_suffix(text: &str) -> bool {
    let text = text.rsplit("://").next().unwrap_or_default();
    let name = text.rsplit('@').next().unwrap_or_default().trim_matches(['.', '/']).to_lowercase();
    name.is_empty() || psl::List.suffix(name.as_bytes()).is_some_and(|suffix| suffix.as_bytes() == name.as_bytes())
}

fn either(example: Option<&str>) -> Result<(), Cow<'static, str>> {
    example.map_or(Ok(()), |example| Err(format!("{example} is like it, and everybody's").into()))
}

/// The characters that have to occur in whatever an expression matches; none where it has look-around or back-references.
#[must_use]
pub fn required_text(regex: &Regex) -> String {
    let tree = regex.tree().ok().and_then(|tree| Translator::new().translate(regex.text(), tree).ok());
    tree.map(|tree| fixed(&tree)).unwrap_or_default()
}

fn fixed(expression: &Hir) -> String {
    match expression.kind() {
        HirKind::Empty | HirKind::Look(_) => String::new(),
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).into_owned(),
        HirKind::Class(class) => one_letter(class).map(String::from).unwrap_or_default(),
        HirKind::Repetition(repetition) => {
            // More of the same tells no more.
            let least = usize::try_from(repetition.min).unwrap_or(LEAST_CHARACTERS).min(LEAST_CHARACTERS);
            fixed(&repetition.sub).repeat(least)
        }
        HirKind::Capture(capture) => fixed(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(fixed).collect(),
        HirKind::Alternation(branches) => branches.iter().map(fixed).min_by_key(String::len).unwrap_or_default(),
    }
}

/// The letter of which a class has both cases, or the only character that it has.
fn one_letter(class: &Class) -> Option<char> {
    let Class::Unicode(class) = class else { return None };
    let mut letters = class.iter().flat_map(|range| range.start()..=range.end());
    let first = letters.next()?;
    letters.take(2).all(|other| other.to_lowercase().eq(first.to_lowercase())).then_some(first)
}
