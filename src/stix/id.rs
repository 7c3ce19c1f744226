//! Identifiers as keys (STIX 2.1, section 2.9).

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher, RandomState},
};

use sha2::{Digest, Sha256};

/// An identifier in 16 bytes, for maps of millions of them.
///
/// An identifier is an opaque text: feeds use ones that are no UUIDs, and the same UUID under several types. For
/// `type--uuid` in canonical spelling the key is the UUID, changed by the type: two such identifiers of one type never
/// share a key. For any other text it is the beginning of its SHA-256.
///
/// ```
/// use stixc::stix::Key;
/// assert_eq!(Key::new("malware--1"), Key::new("malware--1"));
/// assert_ne!(
///     Key::new("indicator--f88d31f6-486f-44da-b317-01333bde0b82"),
///     Key::new("observed-data--f88d31f6-486f-44da-b317-01333bde0b82"),
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u128);

impl Key {
    /// The key of an identifier.
    #[must_use]
    pub fn new(id: &str) -> Self {
        match id.as_bytes().split_last_chunk::<UUID_LENGTH>() {
            Some((prefix, uuid)) if prefix.ends_with(b"--") => match uuid_bits(uuid) {
                Some(bits) => Self(bits ^ type_bits(prefix)),
                None => Self::digest(id),
            },
            _ => Self::digest(id),
        }
    }

    /// The key as bytes, for an index on disk.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    fn digest(id: &str) -> Self {
        let digest = Sha256::digest(id.as_bytes());
        Self(digest.iter().take(16).fold(0, |bits, &byte| bits << 8 | u128::from(byte)))
    }
}

/// A map by identifiers. Its order is random: look things up in it, never walk along it.
pub type KeyMap<V> = HashMap<Key, V, KeyState>;

/// Hashes keys by one multiplication with secrets of the process, so that a feed can't make its identifiers collide.
#[derive(Debug, Clone, Copy)]
pub struct KeyState {
    secrets: [u64; 2],
}

impl Default for KeyState {
    fn default() -> Self {
        let random = RandomState::new();
        Self { secrets: [0, 1].map(|number: u8| random.hash_one(number)) }
    }
}

impl BuildHasher for KeyState {
    type Hasher = KeyHasher;

    fn build_hasher(&self) -> KeyHasher {
        KeyHasher { secrets: self.secrets, hash: 0 }
    }
}

/// The hasher of [`KeyState`].
#[derive(Debug, Clone, Copy)]
pub struct KeyHasher {
    secrets: [u64; 2],
    hash: u64,
}

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.hash
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(16) {
            let bits = chunk.iter().fold(0, |bits: u128, &byte| bits << 8 | u128::from(byte));
            self.write_u128(bits);
        }
    }

    fn write_u128(&mut self, bits: u128) {
        let [high, low] = [(bits >> 64) as u64 ^ self.secrets[0], bits as u64 ^ self.secrets[1]];
        let product = u128::from(high) * u128::from(low);
        self.hash = self.hash.rotate_left(23) ^ (product >> 64) as u64 ^ product as u64;
    }
}

const UUID_LENGTH: usize = "00000000-0000-0000-0000-000000000000".len();

/// The value of each hexadecimal digit in small letters; 0xFF for any other byte. Upper-case spelling is another
/// identifier, by the standard.
const DIGITS: [u8; 256] = {
    let mut digits = [0xFF; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

/// Where the digits of a UUID stand.
const PLACES: [[usize; 16]; 2] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17],
    [19, 20, 21, 22, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35],
];

/// The 128 bits of a UUID in canonical spelling.
fn uuid_bits(text: &[u8; UUID_LENGTH]) -> Option<u128> {
    if [text[8], text[13], text[18], text[23]] != [b'-'; 4] {
        return None;
    }
    let mut halves = [0_u64; 2];
    let mut all = 0;
    for (half, places) in halves.iter_mut().zip(PLACES) {
        for place in places {
            let digit = DIGITS[usize::from(text[place])];
            all |= digit;
            *half = *half << 4 | u64::from(digit & 0xF);
        }
    }
    (all <= 0xF).then(|| u128::from(halves[0]) << 64 | u128::from(halves[1]))
}

/// A number for a type, in all 128 bits: FNV-1a in 64 bits, spread by an odd factor.
fn type_bits(object_type: &[u8]) -> u128 {
    const BASIS: u64 = 0xCBF2_9CE4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01B3;
    const SPREAD: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;
    let hash = object_type.iter().fold(BASIS, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    u128::from(hash).wrapping_mul(SPREAD)
}
