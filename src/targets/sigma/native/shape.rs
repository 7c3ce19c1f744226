//! Whether a ready-made rule has what Sigma's specification asks of its top, each of the type that it has to have.

use super::{
    detection,
    tree::{Fault, Kind, Node},
    vocabulary::Vocabulary,
};
use crate::guard::Evidence;

/// How long a title may be.
const LONGEST_TITLE: usize = 256;

/// What a document asks for; nothing for a correlation, which speaks of others.
///
/// # Errors
/// What is wrong with it, and where.
pub(super) fn evidence(document: &Node) -> Result<Option<Evidence>, Fault> {
    let entries = document.entries().ok_or_else(|| document.fault("the rule is no map"))?;
    for (key, value) in entries {
        let Some(name) = key.scalar().filter(|name| !name.is_empty()) else {
            return Err(key.fault("a key at the top of a rule is a text"));
        };
        top(name, value)?;
    }
    if let Some(title) =
        document.get("title").filter(|title| title.scalar().is_some_and(|text| text.chars().count() > LONGEST_TITLE))
    {
        return Err(title.fault(format!("a title has {LONGEST_TITLE} characters at most")));
    }
    if let Some(correlation) = document.get("correlation") {
        return correlated(correlation).map(|()| None);
    }
    let Some(logsource) = document.get("logsource") else { return Err(document.fault("the rule has no logsource")) };
    of_logs(logsource)?;
    match document.get("detection") {
        Some(found) => detection::evidence(found).map(Some),
        None => Err(document.fault("the rule has no detection")),
    }
}

fn top(name: &str, value: &Node) -> Result<(), Fault> {
    let keys = &Vocabulary::shipped().keys;
    if keys.texts.contains(name) && !matches!(value.kind, Kind::Text(_)) {
        return Err(value.fault(format!("{name} is a text")));
    }
    if keys.lists.contains(name) {
        let Kind::List(elements) = &value.kind else { return Err(value.fault(format!("{name} is a list"))) };
        if let Some(wrong) = elements.iter().find(|element| element.scalar().is_none_or(str::is_empty)) {
            return Err(wrong.fault(format!("{name} is a list of texts")));
        }
    }
    if name == "related" {
        related(value)?;
    }
    Ok(())
}

fn related(value: &Node) -> Result<(), Fault> {
    const KINDS: [&str; 6] = ["correlation", "derived", "obsolete", "merged", "renamed", "similar"];
    let Kind::List(elements) = &value.kind else { return Err(value.fault("related is a list")) };
    for element in elements {
        let text = |key| element.get(key).and_then(Node::text).unwrap_or_default();
        if text("id").parse::<uuid::Uuid>().is_err() || !KINDS.contains(&text("type")) {
            return Err(element.fault("what is related has an id, which is a UUID, and a type"));
        }
    }
    Ok(())
}

fn of_logs(logsource: &Node) -> Result<(), Fault> {
    let entries = logsource.entries().ok_or_else(|| logsource.fault("the logsource is no map"))?;
    const NAMES: [&str; 3] = ["category", "product", "service"];
    for (key, value) in entries {
        let name = key.scalar().unwrap_or_default();
        if (NAMES.contains(&name) || name == "definition") && value.text().is_none_or(|text| text.trim().is_empty()) {
            return Err(value.fault(format!("{name} is a text")));
        }
    }
    match NAMES.iter().any(|name| logsource.get(name).is_some()) {
        true => Ok(()),
        false => Err(logsource.fault("the logsource has neither category nor product nor service")),
    }
}

fn correlated(correlation: &Node) -> Result<(), Fault> {
    const TYPES: [&str; 8] = [
        "event_count",
        "value_count",
        "temporal",
        "temporal_ordered",
        "value_sum",
        "value_avg",
        "value_percentile",
        "value_median",
    ];
    let kind = correlation.get("type").and_then(Node::text).unwrap_or_default();
    if !TYPES.contains(&kind) {
        return Err(correlation.fault(format!("there is no type of correlation {kind:?}")));
    }
    let rules = correlation.get("rules").map(Node::elements).unwrap_or_default();
    if rules.is_empty() || rules.iter().any(|rule| rule.text().is_none_or(str::is_empty)) {
        return Err(correlation.fault("a correlation names the rules that it ties"));
    }
    let timespan = correlation.get("timespan").and_then(Node::text).unwrap_or_default();
    let is_time =
        timespan.strip_suffix(['s', 'm', 'h', 'd', 'w', 'M', 'y']).is_some_and(|count| count.parse::<u32>().is_ok());
    if !is_time {
        return Err(correlation.fault("a correlation has a timespan: 5m"));
    }
    let condition = correlation.get("condition");
    if condition.is_none() && !kind.starts_with("temporal") {
        return Err(correlation.fault("a correlation that counts has a condition"));
    }
    if let Some(condition) =
        condition.filter(|condition| !kind.starts_with("temporal") && condition.entries().is_none())
    {
        return Err(condition.fault("the condition of a correlation that counts is a map"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::sigma::native::tree::documents;

    fn said(text: &str) -> String {
        let node = documents(text).unwrap().remove(0);
        evidence(&node).map_or_else(|fault| fault.message, |_| String::new())
    }

    #[test]
    fn each_key_has_its_type() {
        let rule = "title: T\nlogsource: {product: windows}\ndetection: {s: {query: evil.example}, condition: s}\n";
        assert_eq!(said(rule), "");
        for (more, part) in [
            ("author: [a]", "author is a text"),
            ("description: 5", "description is a text"),
            ("tags: attack.t1001", "tags is a list"),
            ("references: [{a: b}]", "list of texts"),
            ("falsepositives: Unknown", "falsepositives is a list"),
            ("related: [{id: x, type: derived}]", "UUID"),
            ("related: x", "related is a list"),
            ("level: {a: b}", "level is a text"),
        ] {
            let said = said(&format!("{rule}{more}\n"));
            assert!(said.contains(part), "{more}: {said}");
        }
        for (from, to, part) in [
            ("{product: windows}", "{}", "neither category"),
            ("{product: windows}", "{product: [a]}", "product is a text"),
            ("{product: windows}", "{definition: x}", "neither category"),
            ("{product: windows}", "windows", "no map"),
            ("title: T", "title: [T]", "title is a text"),
            ("detection: {s: {query: evil.example}, condition: s}", "detection: x", "no map"),
        ] {
            let said = said(&rule.replace(from, to));
            assert!(said.contains(part), "{to}: {said}");
        }
        assert!(said(&rule.replace("title: T", &format!("title: {}", "T".repeat(300)))).contains("256"));
    }

    #[test]
    fn a_correlation_has_what_it_needs() {
        let rule = "title: T\ncorrelation: {type: event_count, rules: [a], timespan: 5m, condition: {gte: 5}}\n";
        assert_eq!(said(rule), "");
        for (from, to) in [
            ("event_count", "count"),
            ("rules: [a]", "rules: []"),
            ("rules: [a]", "rules: [{a: b}]"),
            ("5m", "soon"),
            (", condition: {gte: 5}", ""),
            ("condition: {gte: 5}", "condition: x"),
        ] {
            assert_ne!(said(&rule.replace(from, to)), "", "{to}");
        }
    }
}
