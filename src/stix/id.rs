//! Identifiers as keys (STIX 2.1, section 2.9).

use sha2::{Digest, Sha256};

/// An identifier in 16 bytes, for maps of millions of them.
///
/// An identifier is an opaque text: feeds use ones that are no UUIDs, and the same UUID under several types. For
/// `type--uuid` in canonical spelling the key is the UUID, changed by the type: two such identifiers of one type never
/// share a key. For any other text it is the beginning of its SHA-256.
///
/// ```
/// use stixc::stix::Key;
/// assert_eq!(Key::of("malware--1"), Key::of("malware--1"));
/// assert_ne!(
///     Key::of("indicator--f88d31f6-486f-44da-b317-01333bde0b82"),
///     Key::of("observed-data--f88d31f6-486f-44da-b317-01333bde0b82"),
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u128);

impl Key {
    /// The key of an identifier.
    #[must_use]
    pub fn of(id: &str) -> Self {
        let split = id.len().checked_sub(UUID_LENGTH).filter(|&split| id.is_char_boundary(split));
        match split.map(|split| id.split_at(split)) {
            Some((prefix, uuid)) if prefix.ends_with("--") => match uuid_bits(uuid.as_bytes()) {
                Some(bits) => Self(bits ^ fnv(prefix.as_bytes())),
                None => Self::digest(id),
            },
            _ => Self::digest(id),
        }
    }

    fn digest(id: &str) -> Self {
        let digest = Sha256::digest(id.as_bytes());
        Self(digest.iter().take(16).fold(0, |bits, &byte| bits << 8 | u128::from(byte)))
    }
}

const UUID_LENGTH: usize = "00000000-0000-0000-0000-000000000000".len();

/// The 128 bits of a UUID in small letters; upper-case spelling is another identifier, by the standard.
fn uuid_bits(text: &[u8]) -> Option<u128> {
    let mut bits = 0;
    for (index, &byte) in text.iter().enumerate() {
        let digit = match byte {
            b'-' if matches!(index, 8 | 13 | 18 | 23) => continue,
            _ if matches!(index, 8 | 13 | 18 | 23) => return None,
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        bits = bits << 4 | u128::from(digit);
    }
    Some(bits)
}

/// FNV-1a in 128 bits.
fn fnv(text: &[u8]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    text.iter().fold(BASIS, |hash, &byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}
