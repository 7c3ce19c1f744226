//! Odd names of object types, properties and keys.

use std::borrow::Cow;

use super::{FILE_PATH, HASH_KEY, Oddities, PREFIX_EQUAL, PROCESS_NAME, PROTOCOL_LIST, TYPE_NAME, value};
use crate::pattern::{
    BooleanOperator, Comparison, ComparisonExpression, ComparisonKind, ComparisonOperator, Literal, LiteralValue,
    ObjectPath, ObservationExpression, ObservationKind, Operand, PathStep, PathStepKind, Version,
};

/// Hash algorithms as STIX 2.1 (section 10.7, and 2.0's vocabulary) spells them, each with its spelling in capitals
/// without hyphens and underscores.
const HASHES: [(&str, &str); 15] = [
    ("MD5", "MD5"),
    ("MD6", "MD6"),
    ("RIPEMD160", "RIPEMD-160"),
    ("SHA1", "SHA-1"),
    ("SHA224", "SHA-224"),
    ("SHA256", "SHA-256"),
    ("SHA384", "SHA-384"),
    ("SHA512", "SHA-512"),
    ("SHA3224", "SHA3-224"),
    ("SHA3256", "SHA3-256"),
    ("SHA3384", "SHA3-384"),
    ("SHA3512", "SHA3-512"),
    ("SSDEEP", "SSDEEP"),
    ("TLSH", "TLSH"),
    ("WHIRLPOOL", "WHIRLPOOL"),
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
            ObservationKind::Single(comparison) => self.comparison(comparison),
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
    fn object_type<'a>(&mut self, path: &mut ObjectPath<'a>) {
        let Some(PathStepKind::Property(first)) = path.steps.first().map(|step| &step.kind) else { return };
        let name =
            TYPES.iter().find(|(other, _, properties)| *other == path.object_type && properties.contains(&&**first));
        let Some((other, name, _)) = name else { return };
        let wrong = format!("the standard has no object type `{other}`");
        let taken_for = format!("read the object type `{other}` as `{name}`");
        self.report(TYPE_NAME, path.type_span, &wrong, taken_for, format!("write `{name}`"));
        if !self.strict {
            path.object_type = name;
        }
    }

    /// Hash keys, `process:name` and `network-traffic:protocols`.
    fn properties<'a>(&mut self, path: &mut ObjectPath<'a>) {
        for index in 1..path.steps.len() {
            if path.steps[index - 1].is_property("hashes") {
                self.hash_key(&mut path.steps[index]);
            }
        }
        let [only] = path.steps.as_mut_slice() else { return };
        let span = only.span;
        if path.object_type == "process" && only.is_property("name") && self.version != Version::V20 {
            let taken_for = "read `process:name` as `process:image_ref.name`".to_owned();
            let wrong = "processes have a property `name` in STIX 2.0 only";
            self.report(PROCESS_NAME, span, wrong, taken_for, "write `process:image_ref.name`".to_owned());
            if !self.strict {
                *only = PathStep { kind: PathStepKind::Property(Cow::Borrowed("image_ref")), span };
                path.steps.push(PathStep { kind: PathStepKind::Property(Cow::Borrowed("name")), span });
            }
        } else if path.object_type == "network-traffic" && only.is_property("protocols") {
            let taken_for = "read `protocols` as `protocols[*]`, any of the protocols".to_owned();
            let wrong = "`protocols` is a list and is never equal to one protocol";
            self.report(PROTOCOL_LIST, span, wrong, taken_for, "write `network-traffic:protocols[*]`".to_owned());
            if !self.strict {
                path.steps.push(PathStep { kind: PathStepKind::AnyIndex, span });
            }
        }
    }

    /// The key of a hash.
    fn hash_key<'a>(&mut self, step: &mut PathStep<'a>) {
        let PathStepKind::Property(key) = &step.kind else { return };
        let Some(name) = standard_hash(key) else { return };
        // STIX 2.0 has this one in lower case.
        if key == name || (key == "ssdeep" && self.version == Version::V20) {
            return;
        }
        let written = PathStep { kind: PathStepKind::Property(Cow::Borrowed(name)), span: step.span };
        let wrong = format!("the standard doesn't spell the hash key `{key}` so");
        let taken_for = format!("read the hash key `{key}` as {name}");
        self.report(HASH_KEY, step.span, &wrong, taken_for, format!("write {written}"));
        if !self.strict {
            *step = written;
        }
    }

    /// A comparison that stands for another kind of comparison, or for several.
    fn expanded<'a>(&mut self, test: &mut Comparison<'a>) -> Option<ComparisonKind<'a>> {
        let is_path = matches!(test.path.steps.as_slice(), [only] if only.is_property("path"));
        if test.path.object_type == "file" && is_path {
            return self.file_path(test);
        }
        self.prefixes(test)
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
        let parts = literals.iter().map(|literal| value::path_parts(literal).map(|parts| (literal, parts)));
        let parts = parts.collect::<Option<Vec<_>>>()?;
        let taken_for = "read `file:path` as a name and the path of its directory".to_owned();
        let help = "write `file:name` and `file:parent_directory_ref.path`".to_owned();
        self.report(FILE_PATH, test.path.span, "files have no property `path`", taken_for, help);
        if self.strict {
            return None;
        }
        let file = parts.into_iter().map(|(literal, (directory, name))| {
            let equal = |steps: &[&'static str], text: Cow<'a, str>| {
                let value = Literal { value: LiteralValue::String(text), span: literal.span };
                test_of(test, &test.path.renamed(steps), ComparisonOperator::Equal, Operand::Literal(value))
            };
            let name = equal(&["name"], name);
            match directory {
                Some(directory) => {
                    combined(BooleanOperator::And, vec![equal(&["parent_directory_ref", "path"], directory), name])
                }
                None => name,
            }
        });
        Some(combined(BooleanOperator::Or, file.collect()).kind)
    }

    /// Prefixes under `=`, `!=` and IN.
    fn prefixes<'a>(&mut self, test: &mut Comparison<'a>) -> Option<ComparisonKind<'a>> {
        let is_address = matches!(test.path.object_type, "ipv4-addr" | "ipv6-addr")
            && matches!(test.path.steps.as_slice(), [only] if only.is_property("value"));
        if !is_address {
            return None;
        }
        match (&test.operand, test.operator) {
            (Operand::Literal(literal), ComparisonOperator::Equal | ComparisonOperator::NotEqual) => {
                if !value::is_prefix(literal) {
                    return None;
                }
                let negated = test.negated != (test.operator == ComparisonOperator::NotEqual);
                self.prefix(literal, negated);
                if !self.strict {
                    test.negated = negated;
                    test.operator = ComparisonOperator::IsSubset;
                }
                None
            }
            (Operand::Set(literals), ComparisonOperator::In) if !test.negated => {
                literals
                    .iter()
                    .filter(|literal| value::is_prefix(literal))
                    .for_each(|literal| self.prefix(literal, false));
                if self.strict || !literals.iter().any(value::is_prefix) {
                    return None;
                }
                let tests = literals.iter().map(|literal| {
                    let operator = if value::is_prefix(literal) {
                        ComparisonOperator::IsSubset
                    } else {
                        ComparisonOperator::Equal
                    };
                    test_of(test, &test.path, operator, Operand::Literal(literal.clone()))
                });
                Some(combined(BooleanOperator::Or, tests.collect()).kind)
            }
            _ => None,
        }
    }

    /// Reports a prefix.
    fn prefix<'a>(&mut self, literal: &Literal<'a>, negated: bool) {
        let operator = if negated { "NOT ISSUBSET" } else { "ISSUBSET" };
        let taken_for = format!("read {literal} as the addresses in this prefix");
        let wrong = "a prefix is compared as text, which is equal to no address";
        self.report(PREFIX_EQUAL, literal.span, wrong, taken_for, format!("write `{operator} {literal}`"));
    }
}

/// A comparison that takes the place of `test`.
fn test_of<'a>(
    test: &Comparison<'a>,
    path: &ObjectPath<'a>,
    operator: ComparisonOperator,
    operand: Operand<'a>,
) -> ComparisonExpression<'a> {
    let comparison =
        Comparison { path: path.clone(), negated: false, operator, operator_span: test.operator_span, operand };
    let end = match &comparison.operand {
        Operand::Literal(literal) => literal.span,
        Operand::Set(_) | Operand::None => test.operator_span,
    };
    let span = test.path.span.to(end);
    ComparisonExpression { kind: ComparisonKind::Test(comparison), span }
}

/// Several comparisons under one operator, or the only one.
fn combined<'a>(operator: BooleanOperator, mut operands: Vec<ComparisonExpression<'a>>) -> ComparisonExpression<'a> {
    if operands.len() == 1 {
        return operands.remove(0);
    }
    let span = operands.iter().map(|operand| operand.span).reduce(crate::span::Span::to).unwrap_or_default();
    ComparisonExpression { kind: ComparisonKind::Combined { operator, operands }, span }
}

impl ObjectPath<'_> {
    /// The same object's path with other properties, at the same place.
    fn renamed(&self, properties: &[&'static str]) -> Self {
        let span = self.steps.first().map_or(self.span, |step| step.span);
        let step = |name: &&'static str| PathStep { kind: PathStepKind::Property(Cow::Borrowed(name)), span };
        Self { steps: properties.iter().map(step).collect(), ..self.clone() }
    }
}

/// The standard's spelling of a hash algorithm.
fn standard_hash(key: &str) -> Option<&'static str> {
    // Most keys are spelt right, and none is long.
    if let Some((_, name)) = HASHES.iter().find(|(_, name)| *name == key) {
        return Some(name);
    }
    if key.len() > 12 {
        return None;
    }
    let plain: String =
        key.chars().filter(|letter| !matches!(letter, '-' | '_' | ' ')).collect::<String>().to_ascii_uppercase();
    HASHES.iter().find(|(other, _)| *other == plain).map(|(_, name)| *name)
}
