//! Outputs of small feeds, side by side.

use std::fs;

use serde_json::{Value, json};

use super::program::{code, errors, stixc};

/// The moment at which they are made.
const NOW: &str = "2024-06-01T00:00:00Z";

/// The id of an indicator.
pub fn id(number: usize) -> String {
    format!("indicator--00000000-0000-4000-8000-{number:012}")
}

/// An indicator without an end.
pub fn indicator(number: usize, pattern: &str) -> Value {
    json!({
        "type": "indicator",
        "spec_version": "2.1",
        "id": id(number),
        "created": "2024-01-01T00:00:00Z",
        "modified": "2024-01-01T00:00:00Z",
        "valid_from": "2024-01-01T00:00:00Z",
        "pattern": pattern,
        "pattern_type": "stix",
        "name": format!("Indicator {number}"),
    })
}

/// A folder of outputs.
pub struct Outputs(tempfile::TempDir);

impl Default for Outputs {
    fn default() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Outputs {
    /// The path of something in it.
    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Converts indicators into all targets.
    pub fn convert(&self, name: &str, indicators: &[Value], arguments: &[&str]) {
        let bundle =
            json!({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": indicators});
        let feed = self.path("feed.json");
        fs::write(&feed, bundle.to_string()).unwrap();
        let output = self.path(name);
        let convert =
            ["convert", &feed, "-t", "sigma,suricata,yara,blocklist", "--now", NOW, "--allow-empty", "-o", &output];
        let done = stixc(&[&convert[..], arguments].concat());
        assert_eq!(code(&done), 0, "{}", errors(&done));
    }
}
