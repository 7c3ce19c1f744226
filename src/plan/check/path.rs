//! Names that the standard does not have, or not here.

use super::{Check, literal};
use crate::{
    diagnostic::{Code, Diagnostic},
    pattern::{Comparison, ComparisonOperator, ObjectPath, PathStepKind},
    plan::schema::{self, PropertyType, Resolved, Status, Walk},
    span::Span,
};

/// A property that the standard does not have.
pub const UNKNOWN_PROPERTY: Code = Code("W100");
/// An object type that the standard does not have.
pub const UNKNOWN_TYPE: Code = Code("W101");
/// A name of the standard in other case.
pub const WRONG_CASE: Code = Code("W102");
/// A list as if it were one value.
pub const LIST_AS_VALUE: Code = Code("W110");
/// A name of STIX 2.0.
pub const FORMER_NAME: Code = Code("W114");

pub(super) fn check(check: &mut Check<'_>, comparison: &Comparison<'_>, resolved: &Resolved) {
    let path = &comparison.path;
    match resolved.status {
        Status::Known | Status::Custom => {}
        Status::Renamed { step, exact } => renamed(check, path, resolved, step, exact),
        Status::ImpliedElement { step } => list(check, path, step),
        Status::Removed { step } => removed(check, path, step),
        Status::UnknownProperty { step } => unknown_property(check, path, step),
        Status::UnknownType => unknown_type(check, path),
    }
    let is_known = !matches!(resolved.status, Status::UnknownProperty { .. } | Status::Custom | Status::UnknownType);
    if is_known && comparison.operator != ComparisonOperator::Exists && is_list_of_values(resolved.kind) {
        list(check, path, path.steps.len());
    }
}

fn is_list_of_values(kind: PropertyType) -> bool {
    matches!(kind, PropertyType::List(element) if element.is_value())
}

fn renamed(check: &mut Check<'_>, path: &ObjectPath<'_>, resolved: &Resolved, step: usize, exact: bool) {
    // Other spellings of a hash algorithm are the business of the lenient reading.
    if matches!(resolved.kind, PropertyType::Hash(_) | PropertyType::StringOrList) {
        return;
    }
    let (Some(span), former) = (path.steps.get(step).map(|step| step.span), key(path, step)) else { return };
    if !is_news(check, FORMER_NAME, path, step) {
        return;
    }
    let message = if exact {
        format!("`{former}` is the name in STIX 2.0")
    } else {
        format!("`{former}` is a property of STIX 2.0; 2.1 has the name of the image instead")
    };
    let help = format!("write {}", resolved.path);
    check.found.push(Diagnostic::note(FORMER_NAME, message).at(span).help(help));
}

fn removed(check: &mut Check<'_>, path: &ObjectPath<'_>, step: usize) {
    let (Some(span), former) = (path.steps.get(step).map(|step| step.span), key(path, step)) else { return };
    if !is_news(check, FORMER_NAME, path, step) {
        return;
    }
    let message = format!("`{former}` is a property of STIX 2.0 that 2.1 has no more");
    let help = match former {
        "arguments" => "compare process:command_line instead",
        "is_encrypted" | "encryption_algorithm" | "decryption_key" => {
            "in STIX 2.1 the artifact under content_ref has it"
        }
        _ => "it matches data of STIX 2.0 only",
    };
    check.found.push(Diagnostic::note(FORMER_NAME, message).at(span).help(help));
}

/// A list where an element belongs: as the end of the path, or with a step behind it.
fn list(check: &mut Check<'_>, path: &ObjectPath<'_>, behind: usize) {
    let Some(before) = behind.checked_sub(1).and_then(|at| path.steps.get(at)) else { return };
    let name = key(path, behind - 1);
    if !is_news(check, LIST_AS_VALUE, path, behind - 1) {
        return;
    }
    let message = if behind < path.steps.len() {
        format!("`{name}` is a list, and only its elements have properties")
    } else {
        format!("`{name}` is a list, and a list is never equal to a value")
    };
    check.warning(LIST_AS_VALUE, before.span, message, format!("write {name}[*] for any of its elements"));
}

fn unknown_property(check: &mut Check<'_>, path: &ObjectPath<'_>, step: usize) {
    let Some(place) = path.steps.get(step) else { return };
    let PathStepKind::Property(name) = &place.kind else {
        let message = "this is not a list, and has no elements";
        return check.warning(UNKNOWN_PROPERTY, place.span, message, "leave the brackets out");
    };
    if !is_news(check, UNKNOWN_PROPERTY, path, step) {
        return;
    }
    // Messages want more than others: how far the path led.
    let walk = &Walk::along(path, false);
    let suggestion = schema::suggestion(path);
    let is_case = suggestion.is_some_and(|right| right != &**name && right.eq_ignore_ascii_case(name));
    let code = if is_case { WRONG_CASE } else { UNKNOWN_PROPERTY };
    let owner = owner(path, walk, step);
    let shown = literal::name(name);
    let message = if is_case {
        format!("`{shown}` is not a property of {owner}: names are lower case")
    } else {
        format!("`{shown}` is not a property of {owner}")
    };
    let help = match (suggestion, walk.has(path.steps.get(step + 1))) {
        (Some(right), _) if is_case => format!("write {right}"),
        (Some(right), _) => format!("did you mean {right}?"),
        (None, Some(next)) => format!("leave it out: {} stands right here", literal::name(next)),
        (None, None) if matches!(walk.kind_before(), Some(PropertyType::Extensions(_))) => {
            "if it is custom, its name starts with x- or extension-definition--".to_owned()
        }
        (None, None) => "if it is custom, its name starts with x_".to_owned(),
    };
    check.warning(code, place.span, message, help);
}

/// What should have had the property.
fn owner(path: &ObjectPath<'_>, walk: &Walk, step: usize) -> String {
    match walk.kind_before() {
        Some(PropertyType::Reference(targets)) if targets.len() <= 4 => {
            let names: Vec<_> = targets.iter().map(|target| format!("`{target}`")).collect();
            names.join(" or ")
        }
        Some(PropertyType::Object(structure)) => format!("`{}`", structure.name),
        _ if step > 0 => format!("`{}`", literal::name(key(path, step - 1))),
        _ => format!("`{}`", path.object_type),
    }
}

fn unknown_type(check: &mut Check<'_>, path: &ObjectPath<'_>) {
    if !check.is_news(UNKNOWN_TYPE, path.object_type) {
        return;
    }
    let suggestion = schema::suggestion(path);
    let is_case = suggestion.is_some_and(|right| right.eq_ignore_ascii_case(path.object_type));
    let code = if is_case { WRONG_CASE } else { UNKNOWN_TYPE };
    let name = literal::name(path.object_type);
    let message = if is_case {
        format!("`{name}` is not an object type of STIX: names are lower case")
    } else {
        format!("`{name}` is not an object type of STIX")
    };
    let help = match suggestion {
        Some(right) if is_case => format!("write {right}"),
        Some(right) => format!("did you mean {right}?"),
        None => format!("if it is custom, its name starts with x-: x-{name}"),
    };
    check.warning(code, path.type_span, message, help);
}

/// Whether the path up to `step` is to be reported under `code`.
fn is_news(check: &mut Check<'_>, code: Code, path: &ObjectPath<'_>, step: usize) -> bool {
    let end = path.steps.get(step).map_or(path.span.end, |step| step.span.end);
    let text = Span { start: path.span.start, end }.slice(check.source);
    check.is_news(code, text)
}

/// The key at a step, or the one before an index.
fn key<'e>(path: &'e ObjectPath<'_>, step: usize) -> &'e str {
    let earlier = path.steps.iter().take(step + 1).rev();
    earlier
        .filter_map(|step| match &step.kind {
            PathStepKind::Property(key) => Some(&**key),
            _ => None,
        })
        .next()
        .unwrap_or(path.object_type)
}
