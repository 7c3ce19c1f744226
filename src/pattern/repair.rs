//! The codes of the repairs that a lenient reading makes and warns of.

use crate::diagnostic::Code;

/// A key with a hyphen and without quotes: `hashes.SHA-256`.
pub const HYPHEN_KEY: Code = Code("W001");
/// A single backslash in a text: `'C:\Windows'`.
pub const BACKSLASH: Code = Code("W002");
/// Typographic quotes around a text.
pub const TYPOGRAPHIC_QUOTES: Code = Code("W003");
/// Double quotes around a text with one possible end.
pub const DOUBLE_QUOTES: Code = Code("W004");
/// A keyword in the wrong case, where no property can stand.
pub const KEYWORD_CASE: Code = Code("W005");
/// The times of START and STOP as the other version of STIX writes them.
pub const OTHER_VERSION: Code = Code("W006");
/// An invisible character: a byte-order mark, a zero-width space and their kin.
pub const INVISIBLE: Code = Code("W007");
/// A semicolon behind the pattern.
pub const SEMICOLON: Code = Code("W008");
/// A hash key in another spelling than the standard's: `hashes.sha256`.
pub const HASH_KEY: Code = Code("W009");
/// A defanged value: `hxxp://evil[.]example`.
pub const DEFANGED: Code = Code("W010");
/// `file:path`, a path where a file has a name and a directory.
pub const FILE_PATH: Code = Code("W011");
/// `process:name`, which STIX 2.1 keeps in the file that the process was started from.
pub const PROCESS_NAME: Code = Code("W012");
/// An object type under another name than the standard's: `email:subject`.
pub const TYPE_NAME: Code = Code("W013");
/// A list of protocols that is compared as if it were one: `network-traffic:protocols` without `[*]`.
pub const PROTOCOL_LIST: Code = Code("W014");
/// A prefix that is compared as text: `ipv4-addr:value = '198.51.100.0/24'`.
pub const PREFIX_EQUAL: Code = Code("W015");
/// An address or a name beside network traffic in one pair of brackets: one end of the connection.
pub const END_OF_CONNECTION: Code = Code("W016");
/// One end of a connection under an address and a name at once, or one request under a path and a URL.
pub const NAMED_TWICE: Code = Code("W017");
/// An import hash among the hashes of a file: `file:hashes.IMPHASH`.
pub const IMPORT_HASH: Code = Code("W018");
