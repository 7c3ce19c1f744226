//! The manifest: which files of a folder are ours, as they were written.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::EmitError;
use crate::hex;

/// The file that lists what was written.
pub const MANIFEST: &str = "manifest.json";
const SCHEMA: &str = "stixc-manifest/2";
/// The form that knows no more of a file than its path.
const SCHEMA_1: &str = "stixc-manifest/1";

/// How much of each kind something holds: rules, names, hashes, and of addresses how many, not how many prefixes.
pub type Amounts = BTreeMap<String, u128>;

/// What was written into a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    schema: String,
    /// The configuration that the folder belongs to, seen from the folder; none for what was converted by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// By path.
    pub files: BTreeMap<String, Entry>,
}

/// One file, as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The SHA-256 of its bytes; empty where an earlier version has not noted it.
    pub sha256: String,
    /// While files are being replaced: the digest that it may still have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// What is in it; empty for a file that is none of a format.
    #[serde(default, skip_serializing_if = "Amounts::is_empty")]
    pub holds: Amounts,
}

/// What all forms begin with.
#[derive(Deserialize)]
struct Head {
    schema: String,
}

/// The first form.
#[derive(Deserialize)]
struct First {
    files: Vec<String>,
}

impl Manifest {
    /// Reads a manifest; the reason where it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read = |schema: &str| match schema {
            SCHEMA => serde_json::from_str(text),
            _ => serde_json::from_str::<First>(text).map(|First { files }| {
                let files = files.into_iter().map(|path| (path, Entry::default())).collect();
                Self { files, ..Self::default() }
            }),
        };
        let Head { schema } = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if !matches!(schema.as_str(), SCHEMA | SCHEMA_1) {
            return Err(format!("schema {schema}, expected {SCHEMA}"));
        }
        read(&schema).map_err(|error| error.to_string())
    }

    /// Writes the manifest.
    pub fn write(&mut self, out: &mut dyn Write) -> Result<(), EmitError> {
        SCHEMA.clone_into(&mut self.schema);
        serde_json::to_writer_pretty(&mut *out, self).map_err(io::Error::from)?;
        Ok(out.write_all(b"\n")?)
    }
}

impl Entry {
    /// Whether a file with this digest is the one that was written.
    pub fn is(&self, digest: &str) -> bool {
        self.sha256.is_empty() || self.sha256 == digest || self.replaces.as_deref() == Some(digest)
    }
}

/// A writer that sees to the digest of what goes through it.
pub(super) struct Digesting<W> {
    out: W,
    digest: Sha256,
}

impl<W: Write> Digesting<W> {
    pub fn new(out: W) -> Self {
        Self { out, digest: Sha256::new() }
    }

    pub fn finish(self) -> (W, String) {
        (self.out, hex::encode(&self.digest.finalize()))
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.out.write(bytes)?;
        self.digest.update(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The digest of a file as it is.
pub(super) fn digest(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(&digest.finalize())),
            length => digest.update(&buffer[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_others_are_not() {
        let old = Manifest::parse(r#"{"schema": "stixc-manifest/1", "files": ["a/b.txt"]}"#).unwrap();
        assert!(old.files["a/b.txt"].is("anything"));
        let holds = Amounts::from([("ipv6".to_owned(), u128::MAX), ("rule".to_owned(), 3)]);
        let entry = Entry { sha256: "12".to_owned(), replaces: None, holds };
        let mut new = Manifest {
            owner: Some("../stixc.toml".to_owned()),
            files: BTreeMap::from([("a/b.txt".to_owned(), entry)]),
            ..Manifest::default()
        };
        let mut text = Vec::new();
        new.write(&mut text).unwrap();
        let read = Manifest::parse(std::str::from_utf8(&text).unwrap()).unwrap();
        assert_eq!(read, new);
        assert!(read.files["a/b.txt"].is("12") && !read.files["a/b.txt"].is("13"));
        for other in ["", "[]", r#"{"name": "App", "icons": []}"#, r#"{"schema": "stixc-manifest/3", "files": {}}"#] {
            assert!(Manifest::parse(other).is_err(), "{other}");
        }
    }
}
