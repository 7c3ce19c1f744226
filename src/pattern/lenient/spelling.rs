//! Odd names of object types, properties and keys.

use std::borrow::Cow;

use super::{FILE_PATH, HASH_KEY, IMPORT_HASH, Oddities, PREFIX_EQUAL, PROCESS_NAME, PROTOCOL_LIST, TYPE_NAME, value};
use crate::{
    pattern::{
        BooleanOperator, Comparison, ComparisonExpression, ComparisonKind, ComparisonOperator, Literal, LiteralValue,
        ObjectPath, ObservationExpression, ObservationKind, Operand, PathStep, PathStepKind, Version,
    },
    span::Span,
};

/// Hash algorithms as STIX 2.1 (section 10.7, and 2.0's vocabulary) spells them.
const HASHES: [&str; 15] = [
    "MD5",
    "MD6",
    "RIPEMD-160",
    "SHA-1",
    "SHA-224",
    "SHA-256",
    "SHA-384",
    "SHA-512",
    "SHA3-224",
    "SHA3-256",
    "SHA3-384",
    "SHA3-512",
    "SSDEEP",
    "TLSH",
    "WHIRLPOOL",
];

/// Names that others have for object types, with the properties that tell that it is this type.
const TYPES: [(&str, &str, &[&str]); 6] = [
    (
        "email",
        "email-message",
        &["subject", "from_ref", "sender_ref", "to_refs", "cc_refs", "bcc_refs", "body", "date", "message_id"],
    ),
    ("email", "email-addr", &["value", "display_name"]),
    ("domain", "domain-name", &["value", "resolves_to_refs"]),
    ("ipv4", "ipv4-addr", &["value"]),
    ("ipv6", "ipv6-addr", &["value"]),
    ("win-registry-key", "windows-registry-key", &["key", "values", "modified_time"]),
];

impl Oddities {
    /// Goes through an observation expression.
    pub fn observation<'a>(&mut self, expression: &mut ObservationExpression<'a>) {
        match &mut expression.kind {
            ObservationKind::Single(comparison) => {
                self.comparison(comparison);
                self.connection(comparison);
            }
            ObservationKind::Combined { operands, .. } => {
                operands.iter_mut().for_each(|operand| self.observation(operand));
            }
            ObservationKind::Qualified { expression, .. } => self.observation(expression),
        }
    }

    /// Goes through a comparison expression.
    fn comparison<'a>(&mut self, expression: &mut ComparisonExpression<'a>) {
        match &mut expression.kind {
            ComparisonKind::Combined { operands, .. } => {
                operands.iter_mut().for_each(|operand| self.comparison(operand))
            }
            ComparisonKind::Test(test) => {
                self.object_type(&mut test.path);
                self.properties(&mut test.path);
                self.defanged(test);
                if let Some(kind) = self.expanded(test) {
                    expression.kind = kind;
                }
            }
        }
    }

    /// The short name of an object type.
    fn object_type(&mut self, path: &mut ObjectPath<'_>) {
        let Some(PathStepKind::Property(first)) = path.steps.first().map(|step| &step.kind) else { return };
        let name =
            TYPES.iter().find(|(other, _, properties)| *other == path.object_type && properties.contains(&&**first));
        let Some((other, name, _)) = name else { return };
        let wrong = format!("the standard has no object type `{other}`");
        let taken_for = format!("read the object type `{other}` as `{name}`");
        if self.report(TYPE_NAME, path.type_span, &wrong, taken_for, format!("write `{name}`")) {
            path.object_type = name;
        }
    }

    /// Hash keys, `process:name` and `network-traffic:protocols`.
    fn properties(&mut self, path: &mut ObjectPath<'_>) {
        for index in 1..path.steps.len() {
            if path.steps[index - 1].is_property("hashes") {
                self.hash_key(&mut path.steps[index]);
            }
        }
        self.import_hash(path);
        self.extension_as_type(path);
        let [only] = path.steps.as_mut_slice() else { return };
        let span = only.span;
        if path.object_type == "process" && only.is_property("name") && self.version != Version::V20 {
            let taken_for = "read `process:name` as `process:image_ref.name`".to_owned();
            let wrong = "processes have a property `name` in STIX 2.0 only";
            if self.report(PROCESS_NAME, span, wrong, taken_for, "write `process:image_ref.name`".to_owned()) {
                path.steps = vec![property("image_ref", span), property("name", span)];
            }
        } else if path.object_type == "network-traffic" && only.is_property("protocols") {
            let taken_for = "read `protocols` as `protocols[*]`, any of the protocols".to_owned();
            let wrong = "`protocols` is a list and is never equal to one protocol";
            if self.report(PROTOCOL_LIST, span, wrong, taken_for, "write `network-traffic:protocols[*]`".to_owned()) {
                path.steps.push(PathStep { kind: PathStepKind::AnyIndex, span });
            }
        }
    }

    /// `http-request-ext:request_method`, an extension in place of the object that has it.
    fn extension_as_type(&mut self, path: &mut ObjectPath<'_>) {
        if path.object_type != "http-request-ext" {
            return;
        }
        let wrong = "`http-request-ext` is an extension of network traffic, not an object type";
        let taken_for = "read `http-request-ext` as an extension of network traffic".to_owned();
        let help = "write `network-traffic:extensions.'http-request-ext'.…`".to_owned();
        if self.report(TYPE_NAME, path.type_span, wrong, taken_for, help) {
            path.object_type = "network-traffic";
            let span = path.type_span;
            path.steps.splice(0..0, [property("extensions", span), property("http-request-ext", span)]);
        }
    }

    /// `hashes.IMPHASH`, a property of Windows programs.
    fn import_hash(&mut self, path: &mut ObjectPath<'_>) {
        let [.., hashes, key] = path.steps.as_slice() else { return };
        let is_import = matches!(&key.kind, PathStepKind::Property(key) if key.eq_ignore_ascii_case("imphash"));
        if !hashes.is_property("hashes") || !is_import {
            return;
        }
        let (start, end) = (hashes.span, key.span);
        let wrong = "the import hash is no hash of the file";
        let taken_for = "read the import hash as the property of a Windows program".to_owned();
        let help = "write `extensions.'windows-pebinary-ext'.imphash`".to_owned();
        if self.report(IMPORT_HASH, start.to(end), wrong, taken_for, help) {
            let at = path.steps.len() - 2;
            let steps = [("extensions", start), ("windows-pebinary-ext", start), ("imphash", end)];
            path.steps.splice(at.., steps.map(|(name, span)| property(name, span)));
        }
    }

    /// The key of a hash.
    fn hash_key(&mut self, step: &mut PathStep<'_>) {
        let PathStepKind::Property(key) = &step.kind else { return };
        let Some(name) = standard_hash(key) else { return };
        // STIX 2.0 has this one in lower case.
        if key == name || (key == "ssdeep" && self.version == Version::V20) {
            return;
        }
        let written = property(name, step.span);
        let wrong = format!("the standard doesn't spell the hash key `{key}` so");
        let taken_for = format!("read the hash key `{key}` as {name}");
        if self.report(HASH_KEY, step.span, &wrong, taken_for, format!("write {written}")) {
            *step = written;
        }
    }

    /// A comparison that stands for another kind of comparison, or for several.
    fn expanded<'a>(&mut self, test: &mut Comparison<'a>) -> Option<ComparisonKind<'a>> {
        let [only] = test.path.steps.as_slice() else { return None };
        match test.path.object_type {
            "file" if only.is_property("path") => self.file_path(test),
            "ipv4-addr" | "ipv6-addr" if only.is_property("value") => self.prefixes(test),
            _ => None,
        }
    }

    /// `file:path`.
    fn file_path<'a>(&mut self, test: &Comparison<'a>) -> Option<ComparisonKind<'a>> {
        let literals = match &test.operand {
            Operand::Literal(literal) if test.operator == ComparisonOperator::Equal => std::slice::from_ref(literal),
            Operand::Set(literals) if test.operator == ComparisonOperator::In => literals,
            _ => return None,
        };
        if test.negated || literals.is_empty() {
            return None;
        }
        let parts = literals.iter().map(|literal| Some((literal, value::path_parts(literal)?)));
        let parts = parts.collect::<Option<Vec<_>>>()?;
        let taken_for = "read `file:path` as a name and the path of its directory".to_owned();
        let help = "write `file:name` and `file:parent_directory_ref.path`".to_owned();
        if !self.report(FILE_PATH, test.path.span, "files have no property `path`", taken_for, help) {
            return None;
        }
        let span = test.path.steps.first().map_or(test.path.span, |step| step.span);
        let file = parts.into_iter().map(|(literal, (directory, name))| {
            let equal = |steps, text| {
                let path = ObjectPath { steps, ..test.path.clone() };
                let value = Literal { value: LiteralValue::String(text), span: literal.span };
                test_of(test, path, ComparisonOperator::Equal, value)
            };
            let name = equal(vec![property("name", span)], name);
            let Some(directory) = directory else { return name };
            let steps = vec![property("parent_directory_ref", span), property("path", span)];
            combined(BooleanOperator::And, vec![equal(steps, directory), name])
        });
        Some(combined(BooleanOperator::Or, file.collect()).kind)
    }

    /// Prefixes under `=`, `!=` and IN.
    fn prefixes<'a>(&mut self, test: &mut Comparison<'a>) -> Option<ComparisonKind<'a>> {
        match (&test.operand, test.operator) {
            (Operand::Literal(literal), ComparisonOperator::Equal | ComparisonOperator::NotEqual) => {
                let negated = test.negated != (test.operator == ComparisonOperator::NotEqual);
                if value::is_prefix(literal) && self.prefix(literal, negated) {
                    (test.negated, test.operator) = (negated, ComparisonOperator::IsSubset);
                }
                None
            }
            (Operand::Set(literals), ComparisonOperator::In) if !test.negated => {
                let mut is_repaired = false;
                for literal in literals.iter().filter(|literal| value::is_prefix(literal)) {
                    is_repaired = self.prefix(literal, false);
                }
                let tests = literals.iter().map(|literal| {
                    let is_prefix = value::is_prefix(literal);
                    let operator = if is_prefix { ComparisonOperator::IsSubset } else { ComparisonOperator::Equal };
                    test_of(test, test.path.clone(), operator, literal.clone())
                });
                is_repaired.then(|| combined(BooleanOperator::Or, tests.collect()).kind)
            }
            _ => None,
        }
    }

    /// Reports a prefix.
    fn prefix(&mut self, literal: &Literal<'_>, negated: bool) -> bool {
        let operator = if negated { "NOT ISSUBSET" } else { "ISSUBSET" };
        let taken_for = format!("read {literal} as the addresses in this prefix");
        let wrong = "a prefix is compared as text, which is equal to no address";
        self.report(PREFIX_EQUAL, literal.span, wrong, taken_for, format!("write `{operator} {literal}`"))
    }
}

/// The step to a property of the standard.
pub(super) fn property(name: &'static str, span: Span) -> PathStep<'static> {
    PathStep { kind: PathStepKind::Property(Cow::Borrowed(name)), span }
}

/// A comparison that takes the place of `test`.
pub(super) fn test_of<'a>(
    test: &Comparison<'a>,
    path: ObjectPath<'a>,
    operator: ComparisonOperator,
    literal: Literal<'a>,
) -> ComparisonExpression<'a> {
    let span = path.span.to(literal.span);
    let (operator_span, operand) = (test.operator_span, Operand::Literal(literal));
    let comparison = Comparison { path, negated: false, operator, operator_span, operand };
    ComparisonExpression { kind: ComparisonKind::Test(comparison), span }
}

/// Several comparisons under one operator, or the only one.
pub(super) fn combined<'a>(
    operator: BooleanOperator,
    mut operands: Vec<ComparisonExpression<'a>>,
) -> ComparisonExpression<'a> {
    if operands.len() == 1 {
        return operands.remove(0);
    }
    let span = operands.iter().map(|operand| operand.span).reduce(Span::to).unwrap_or_default();
    ComparisonExpression { kind: ComparisonKind::Combined { operator, operands }, span }
}

/// The standard's spelling of a hash algorithm.
fn standard_hash(key: &str) -> Option<&'static str> {
    // Most keys are spelt right, and none is long.
    if let Some(name) = HASHES.into_iter().find(|name| *name == key) {
        return Some(name);
    }
    if key.len() > 12 {
        return None;
    }
    let plain = key.replace(['-', '_', ' '], "").to_ascii_uppercase();
    HASHES.into_iter().find(|name| name.bytes().filter(|byte| *byte != b'-').eq(plain.bytes()))
}
