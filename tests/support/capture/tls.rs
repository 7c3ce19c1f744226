//! The first message of a TLS client: the only one that carries the server's name (RFC 8446, section 4.1.2; RFC 6066, section 3).

use super::{Capture, CaptureError, Flow};

/// TLS 1.2, which TLS 1.3 also writes here (RFC 8446, section 4.1.2).
const VERSION: [u8; 2] = [3, 3];
/// Record type and the version that a first record has (RFC 8446, section 5.1).
const RECORD: [u8; 3] = [22, 3, 1];
/// Handshake type of a client hello.
const CLIENT_HELLO: u8 = 1;
/// A number that is nowhere random: a capture is the same each time.
const RANDOM: [u8; 32] = [0x5a; 32];
/// An empty session identifier.
const SESSION: [u8; 1] = [0];
/// Two suites of TLS 1.2: ECDHE-RSA with AES-128-GCM and with AES-256-GCM.
const SUITES: [u8; 6] = [0, 4, 0xc0, 0x2f, 0xc0, 0x30];
/// Only the null compression.
const COMPRESSION: [u8; 2] = [1, 0];
/// Groups x25519 and secp256r1; uncompressed points; RSA-PSS and RSA-PKCS1 with SHA-256.
const OTHER_EXTENSIONS: [u8; 26] = [0, 10, 0, 6, 0, 4, 0, 29, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 6, 0, 4, 8, 4, 4, 1];
/// Extension type of the server name, and the type of a host name in it.
const SERVER_NAME: [u8; 2] = [0, 0];
const HOST_NAME: u8 = 0;

impl Capture {
    /// The client opens a TLS session and names the server it wants (SNI). The server acknowledges and says nothing.
    ///
    /// # Errors
    /// [`CaptureError::TooLong`], [`CaptureError::AddressFamilies`].
    pub fn tls_client_hello(&mut self, flow: Flow, server_name: &str) -> Result<(), CaptureError> {
        let hello = client_hello(server_name.as_bytes()).ok_or(CaptureError::TooLong("a server name"))?;
        self.converse(flow, |conversation| conversation.client_sends(&hello))
    }
}

/// The record, or nothing when the name is too long for it.
fn client_hello(server_name: &[u8]) -> Option<Vec<u8>> {
    let entry = [&[HOST_NAME], prefixed(server_name)?.as_slice()].concat();
    let extension = [SERVER_NAME.as_slice(), &prefixed(&prefixed(&entry)?)?].concat();
    let extensions = prefixed(&[extension.as_slice(), &OTHER_EXTENSIONS].concat())?;
    let body = [VERSION.as_slice(), &RANDOM, &SESSION, &SUITES, &COMPRESSION, &extensions].concat();
    let message = [&[CLIENT_HELLO, 0], prefixed(&body)?.as_slice()].concat();
    Some([RECORD.as_slice(), &prefixed(&message)?].concat())
}

/// The bytes behind their length, in two bytes.
fn prefixed(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(bytes.len()).ok()?.to_be_bytes();
    Some([length.as_slice(), bytes].concat())
}
