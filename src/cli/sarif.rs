//! SARIF 2.1.0: findings for code review tools.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{diagnostic::Severity, stix::Position, targets::explain};

use super::{checked::Checked, location};

/// The log of one run.
#[derive(Serialize)]
pub(super) struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool,
    column_kind: &'static str,
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
enum Location<'a> {
    /// In a file.
    PhysicalLocation(PhysicalLocation<'a>),
    /// On the command line.
    LogicalLocations([LogicalLocation<'a>; 1]),
}

#[derive(Serialize)]
struct LogicalLocation<'a> {
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation<'a> {
    artifact_location: ArtifactLocation,
    region: Region<'a>,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

/// A part of one line (SARIF 2.1.0, section 3.30).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region<'a> {
    start_line: u64,
    start_column: u64,
    end_line: u64,
    /// One past the last character.
    end_column: u64,
    byte_offset: u64,
    byte_length: u64,
    snippet: Message<'a>,
}

impl<'a> From<location::Region<'a>> for Region<'a> {
    fn from(region: location::Region<'a>) -> Self {
        let Position { offset, line, column } = region.start;
        Self {
            start_line: line,
            start_column: column,
            end_line: line,
            end_column: column + region.text.chars().count() as u64,
            byte_offset: offset,
            byte_length: region.text.len() as u64,
            snippet: Message { text: region.text.into() },
        }
    }
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
        runs: [Run {
            tool: Tool { driver },
            column_kind: "unicodeCodePoints",
            results: found.iter().flat_map(results).collect(),
        }],
    }
}

fn results(checked: &Checked) -> impl Iterator<Item = Outcome<'_>> {
    checked.diagnostics.iter().map(|found| {
        let id = if checked.id.is_empty() { String::new() } else { format!("{}: ", checked.id) };
        let help = found.help.as_deref().map(|help| format!("; {help}")).unwrap_or_default();
        let location = match &checked.location {
            Some(written) => Location::PhysicalLocation(PhysicalLocation {
                artifact_location: ArtifactLocation { uri: uri(&written.file) },
                region: written.region(&checked.pattern, found.span).into(),
            }),
            None => Location::LogicalLocations([LogicalLocation { name: &checked.source }]),
        };
        Outcome {
            rule_id: found.code.0,
            level: match found.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            },
            message: Message { text: format!("{id}{}{help}", found.message).into() },
            locations: [location],
        }
    })
}

/// The path of a file as a URI reference (RFC 3986).
fn uri(path: &str) -> String {
    use std::fmt::Write as _;

    let mut uri = String::with_capacity(path.len() + 8);
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            // A string takes whatever is written to it.
            _ => _ = write!(uri, "%{byte:02X}"),
        }
    }
    uri
}
