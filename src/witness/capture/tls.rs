//! The beginning of a TLS 1.2 session: the client names the server it wants, the server shows its certificate
//! (RFC 5246, section 7.4; RFC 6066, section 3). In TLS 1.3 the certificate is encrypted and nobody in between sees it.

use super::{Capture, CaptureError, Flow};

/// TLS 1.2.
const VERSION: [u8; 2] = [3, 3];
/// The record type of a handshake.
const HANDSHAKE: u8 = 22;
/// The longest record.
const RECORD: usize = 1 << 14;
/// Types of handshake messages.
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_HELLO_DONE: u8 = 14;
/// A number that is nowhere random: a capture is the same each time.
const RANDOM: [u8; 32] = [0x5a; 32];
/// An empty session identifier.
const SESSION: [u8; 1] = [0];
/// Two suites: ECDHE-ECDSA and ECDHE-RSA, each with AES-128-GCM.
const SUITES: [u8; 6] = [0, 4, 0xc0, 0x2b, 0xc0, 0x2f];
/// The suite that the server chooses.
const SUITE: [u8; 2] = [0xc0, 0x2b];
/// Only the null compression.
const COMPRESSION: [u8; 2] = [1, 0];
/// Groups x25519 and secp256r1; uncompressed points; ECDSA and RSA-PKCS1 with SHA-256.
const OTHER_EXTENSIONS: [u8; 26] = [0, 10, 0, 6, 0, 4, 0, 29, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 6, 0, 4, 4, 3, 4, 1];
/// Extension type of the server name, and the type of a host name in it.
const SERVER_NAME: [u8; 2] = [0, 0];
const HOST_NAME: u8 = 0;

impl Capture {
    /// The client opens a session and names the server it wants (SNI). The server acknowledges and says nothing.
    ///
    /// # Errors
    /// [`CaptureError::TooLong`], [`CaptureError::AddressFamilies`].
    pub fn tls_client_hello(&mut self, flow: Flow, server_name: &str) -> Result<(), CaptureError> {
        let hello = client_hello(server_name)?;
        self.converse(flow, |conversation| conversation.client_sends(&hello))
    }

    /// The client opens a session and the server shows its certificate, given in DER.
    ///
    /// # Errors
    /// [`CaptureError::TooLong`], [`CaptureError::AddressFamilies`].
    pub fn tls_certificate(&mut self, flow: Flow, server_name: &str, certificate: &[u8]) -> Result<(), CaptureError> {
        let hello = client_hello(server_name)?;
        let answer = server_hello(certificate).ok_or(CaptureError::TooLong("a certificate"))?;
        self.converse(flow, |conversation| {
            conversation.client_sends(&hello)?;
            conversation.server_sends(&answer)
        })
    }
}

fn client_hello(server_name: &str) -> Result<Vec<u8>, CaptureError> {
    let hello = || {
        let entry = [&[HOST_NAME], sized::<2>(server_name.as_bytes())?.as_slice()].concat();
        let name = [SERVER_NAME.as_slice(), &sized::<2>(&sized::<2>(&entry)?)?].concat();
        let extensions = sized::<2>(&[name.as_slice(), &OTHER_EXTENSIONS].concat())?;
        let body = [VERSION.as_slice(), &RANDOM, &SESSION, &SUITES, &COMPRESSION, &extensions].concat();
        record(&message(CLIENT_HELLO, &body)?)
    };
    hello().ok_or(CaptureError::TooLong("a server name"))
}

fn server_hello(certificate: &[u8]) -> Option<Vec<u8>> {
    let hello = [VERSION.as_slice(), &RANDOM, &SESSION, &SUITE, &COMPRESSION[1..]].concat();
    let chain = sized::<3>(&sized::<3>(certificate)?)?;
    let messages = [message(SERVER_HELLO, &hello)?, message(CERTIFICATE, &chain)?, message(SERVER_HELLO_DONE, &[])?];
    record(&messages.concat())
}

fn message(kind: u8, body: &[u8]) -> Option<Vec<u8>> {
    Some([&[kind], sized::<3>(body)?.as_slice()].concat())
}

fn record(messages: &[u8]) -> Option<Vec<u8>> {
    if messages.len() > RECORD {
        return None;
    }
    Some([[HANDSHAKE].as_slice(), &VERSION, &sized::<2>(messages)?].concat())
}

/// The bytes behind their length, which takes `SIZE` bytes; nothing when it does not fit in them.
fn sized<const SIZE: usize>(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(bytes.len()).ok()?.to_be_bytes();
    let (rest, length) = length.split_at(length.len() - SIZE);
    rest.iter().all(|&byte| byte == 0).then(|| [length, bytes].concat())
}
