//! Hash algorithms and how feeds spell them.

/// A hash algorithm, by its key in a hashes dictionary (STIX 2.1 section 10.6; STIX 2.0 part 3, section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HashAlgorithm {
    /// The key in STIX 2.1, without quotes.
    pub name: &'static str,
    /// How many hexadecimal digits a digest has; `None` where it is not hexadecimal or its length varies.
    pub digits: Option<usize>,
    /// Whether STIX 2.1 lists it; 2.0 lists more.
    pub current: bool,
}

impl HashAlgorithm {
    /// The algorithm that a key means, whatever its spelling: `SHA256`, `sha-256` and `SHA_256` are all `SHA-256`.
    /// Keys that the standard does not list (`IMPHASH`, `VHASH`) have none: the vocabulary is open.
    ///
    /// ```
    /// use stixc::plan::schema::HashAlgorithm;
    /// assert_eq!(HashAlgorithm::from_spelling("sha256").map(|algorithm| algorithm.name), Some("SHA-256"));
    /// assert_eq!(HashAlgorithm::from_spelling("IMPHASH"), None);
    /// ```
    #[must_use]
    pub fn from_spelling(key: &str) -> Option<Self> {
        ALGORITHMS.iter().copied().find(|algorithm| same_letters(algorithm.name, key))
    }

    /// The algorithm that has this very key.
    #[must_use]
    pub fn from_key(key: &str) -> Option<&'static Self> {
        ALGORITHMS.iter().find(|algorithm| algorithm.name == key)
    }

    /// The most usual algorithm whose digests have so many hexadecimal digits.
    #[must_use]
    pub fn from_length(digits: usize) -> Option<Self> {
        ALGORITHMS.iter().copied().find(|algorithm| algorithm.digits == Some(digits))
    }
}

/// Whether two keys differ at most in case and in `-`, `_`, `/` and blanks: `SHA-3-256` is `SHA3-256`.
fn same_letters(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

fn letters(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.bytes().filter(|byte| !matches!(byte, b'-' | b'_' | b'/' | b' ')).map(|byte| byte.to_ascii_lowercase())
}

const fn current(name: &'static str, digits: Option<usize>) -> HashAlgorithm {
    HashAlgorithm { name, digits, current: true }
}

const fn former(name: &'static str, digits: Option<usize>) -> HashAlgorithm {
    HashAlgorithm { name, digits, current: false }
}

/// All algorithms the standard names, the frequent ones first.
pub(super) const ALGORITHMS: &[HashAlgorithm] = &[
    current("MD5", Some(32)),
    current("SHA-1", Some(40)),
    current("SHA-256", Some(64)),
    current("SHA-512", Some(128)),
    current("SSDEEP", None),
    current("TLSH", None),
    current("SHA3-256", Some(64)),
    current("SHA3-512", Some(128)),
    former("MD6", None),
    former("RIPEMD-160", Some(40)),
    former("SHA-224", Some(56)),
    former("SHA-384", Some(96)),
    former("SHA3-224", Some(56)),
    former("SHA3-384", Some(96)),
    former("WHIRLPOOL", Some(128)),
];
