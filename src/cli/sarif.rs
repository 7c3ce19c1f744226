//! SARIF 2.1.0: findings for code review tools.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::diagnostic::{Severity, explain};

use super::check::Checked;

/// The log of one run.
#[derive(Serialize)]
pub(super) struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
struct Run<'a> {
    tool: Tool,
    results: Vec<Outcome<'a>>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<RuleText>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleText {
    id: &'static str,
    short_description: Message<'static>,
}

#[derive(Serialize)]
struct Message<'a> {
    text: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    rule_id: &'static str,
    level: &'static str,
    message: Message<'a>,
    locations: [Location<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    physical_location: PhysicalLocation<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation<'a> {
    artifact_location: ArtifactLocation<'a>,
    region: Region<'a>,
}

#[derive(Serialize)]
struct ArtifactLocation<'a> {
    uri: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region<'a> {
    start_line: u64,
    snippet: Message<'a>,
}

/// The log of what was found.
pub(super) fn log(found: &[Checked]) -> Log<'_> {
    let codes: BTreeSet<&'static str> =
        found.iter().flat_map(|checked| checked.diagnostics.iter().map(|one| one.code.0)).collect();
    let title = |code: &str| explain(code).map_or("", |explanation| explanation.title.as_str());
    let rules =
        codes.into_iter().map(|id| RuleText { id, short_description: Message { text: title(id).into() } }).collect();
    let driver = Driver { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION"), rules };
    Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run { tool: Tool { driver }, results: found.iter().flat_map(results).collect() }],
    }
}

fn results(checked: &Checked) -> impl Iterator<Item = Outcome<'_>> {
    checked.diagnostics.iter().map(|found| {
        let id = if checked.id.is_empty() { String::new() } else { format!("{}: ", checked.id) };
        let help = found.help.as_deref().map(|help| format!("; {help}")).unwrap_or_default();
        let snippet = found.span.map(|span| span.slice(&checked.pattern)).unwrap_or(&checked.pattern);
        Outcome {
            rule_id: found.code.0,
            level: match found.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            },
            message: Message { text: format!("{id}{}{help}", found.message).into() },
            locations: [Location {
                physical_location: PhysicalLocation {
                    artifact_location: ArtifactLocation { uri: &checked.source },
                    region: Region { start_line: checked.line.max(1), snippet: Message { text: snippet.into() } },
                },
            }],
        }
    })
}
