//! Files whose hashes are known, because they were made here.

use std::collections::BTreeMap;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::{hex, plan::HashAlgorithm};

/// Known files, by their hashes.
#[derive(Debug, Clone, Default)]
pub struct KnownFiles {
    contents: BTreeMap<Box<str>, Vec<u8>>,
    imports: BTreeMap<Box<str>, Import>,
}

/// The import by which a known program has its import hash: one function of one library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// `known1-0.dll`.
    pub library: String,
    /// `witness`.
    pub function: String,
}

impl KnownFiles {
    /// Adds a content by one of its hashes, in lower-case hexadecimal.
    pub(in crate::witness) fn add(&mut self, hash: &str, content: Vec<u8>) {
        self.contents.insert(hash.into(), content);
    }

    /// Adds the import of a known program by its import hash.
    pub(in crate::witness) fn add_import(&mut self, imphash: &str, import: Import) {
        self.imports.insert(imphash.into(), import);
    }

    /// The file, or the certificate in DER, that has this hash in hexadecimal digits, whatever the algorithm.
    #[must_use]
    pub fn content(&self, hash: &str) -> Option<&[u8]> {
        self.contents.get(hash.to_ascii_lowercase().as_str()).map(Vec::as_slice)
    }

    /// What a program with this import hash imports.
    #[must_use]
    pub fn import(&self, imphash: &str) -> Option<&Import> {
        self.imports.get(imphash.to_ascii_lowercase().as_str())
    }
}

impl Import {
    /// The import hash of a program that imports nothing else: the MD5 of `library.function` in lower case, without the
    /// ending `.dll`.
    #[must_use]
    pub fn imphash(&self) -> String {
        let library = self.library.to_ascii_lowercase();
        let stem = library.strip_suffix(".dll").unwrap_or(&library);
        digest(HashAlgorithm::Md5, format!("{stem}.{}", self.function.to_ascii_lowercase()).as_bytes())
    }
}

/// The digests of some bytes, in lower-case hexadecimal.
#[must_use]
pub fn digest(algorithm: HashAlgorithm, bytes: &[u8]) -> String {
    let digest: &[u8] = match algorithm {
        HashAlgorithm::Md5 => &Md5::digest(bytes),
        HashAlgorithm::Sha1 => &Sha1::digest(bytes),
        HashAlgorithm::Sha256 => &Sha256::digest(bytes),
        HashAlgorithm::Sha512 => &Sha512::digest(bytes),
    };
    hex::encode(digest)
}
