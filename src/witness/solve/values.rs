//! Values for which a test holds.

use ipnet::IpNet;
use serde_json::Value as Json;

use super::{address, encode::written, kind::Kind, like, mutate, path::Path, regex};
use crate::plan::{Operator, Test, ValueKind};

/// Values that may satisfy a test that is not negated, for one of its values. Each has to be asked of the evaluator.
pub(super) fn satisfying(operator: Operator, value: &ValueKind, kind: &Kind, path: &Path) -> Vec<Json> {
    // Of bytes both look at the text of as many code points.
    let encode = |text: String| {
        let bytes = || text.chars().map(|one| u8::try_from(u32::from(one)).ok()).collect::<Option<Vec<u8>>>();
        match kind {
            Kind::Bytes => bytes().map_or_else(|| text.as_str().into(), |bytes| written(&bytes, path).into()),
            _ => Json::from(text),
        }
    };
    match (operator, value) {
        (_, ValueKind::Like(pattern)) => like::texts(pattern, kind).into_iter().map(encode).collect(),
        (_, ValueKind::Regex(expression)) => regex::texts(expression).into_iter().map(encode).collect(),
        (Operator::IsSubset, ValueKind::Address(net)) => address::inside(net).into_iter().map(Json::from).collect(),
        (Operator::IsSuperset, ValueKind::Address(net)) => address::around(net).into_iter().map(Json::from).collect(),
        (Operator::IsSubset | Operator::IsSuperset, ValueKind::Text(text)) => match text.parse::<IpNet>() {
            Ok(net) if operator == Operator::IsSubset => {
                address::inside(&net.trunc()).into_iter().map(Json::from).collect()
            }
            Ok(net) => address::around(&net.trunc()).into_iter().map(Json::from).collect(),
            Err(_) => vec![text.as_str().into()],
        },
        (Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual, _) => {
            let nearby = mutate::neighbours(value, kind, path, false).into_iter().map(|(value, _)| value);
            std::iter::once(json(value, path)).chain(nearby).collect()
        }
        _ => vec![json(value, path)],
    }
}

/// All values that may satisfy the test, if it were not negated.
pub(super) fn of_test(test: &Test, kind: &Kind, path: &Path) -> Vec<Json> {
    test.values.iter().take(8).flat_map(|value| satisfying(test.operator, &value.kind, kind, path)).collect()
}

/// The value as it stands in an observation.
pub(super) fn json(value: &ValueKind, path: &Path) -> Json {
    match value {
        ValueKind::Text(text) | ValueKind::Timestamp(text) => text.as_str().into(),
        ValueKind::Like(pattern) => pattern.text().into(),
        ValueKind::Regex(expression) => expression.text().into(),
        ValueKind::Address(net) => address::text(net).into(),
        ValueKind::Domain(name) => name.as_str().into(),
        ValueKind::Url(url) => url.text.as_str().into(),
        ValueKind::Hash(hash) => hash.hex().into(),
        ValueKind::Integer(number) => (*number).into(),
        ValueKind::Float(number) => (*number).into(),
        ValueKind::Boolean(truth) => (*truth).into(),
        ValueKind::Bytes(bytes) => written(bytes, path).into(),
    }
}
