//! What the tests of the reader share.

use std::{fs, path::PathBuf};

use stixc::stix::BundleReader;

/// The bytes of a fixture.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stix").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the reader finds in an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The first `id` in each object's text.
    pub ids: Vec<String>,
    /// Code and line of each fault.
    pub faults: Vec<String>,
    /// Offset and length of each object.
    pub places: Vec<(u64, usize)>,
    /// Each fault in full.
    pub messages: Vec<String>,
}

pub fn outline(bytes: &[u8]) -> Outline {
    outline_sized(bytes, 1 << 20, 1 << 20)
}

pub fn outline_sized(bytes: &[u8], batch: usize, limit: usize) -> Outline {
    let mut outline = Outline { ids: vec![], faults: vec![], places: vec![], messages: vec![] };
    for batch in BundleReader::new(bytes).with_sizes(batch, limit) {
        for fault in &batch.faults {
            outline.faults.push(format!("{} {}", fault.diagnostic.code, fault.line));
            outline.messages.push(fault.to_string());
        }
        for object in batch.objects() {
            outline.ids.push(id(object.raw));
            outline.places.push((object.offset, object.raw.len()));
        }
    }
    outline
}

fn id(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let after = text.split_once("\"id\"").map_or("", |(_, after)| after);
    after.split('"').nth(1).unwrap_or_default().to_owned()
}
