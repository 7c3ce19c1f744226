//! An exchange of HTTP/1.1, or of HTTP/1.0 (RFC 9112).

use super::{Capture, CaptureError, Flow};

/// The version that clients speak.
pub const VERSION: &str = "HTTP/1.1";

/// A request. The body's length is added as a header when there is a body.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// The request target, as it stands in the request line: `/path?query`, or a whole URL for a proxy.
    pub target: &'a str,
    /// The version, as it stands in the request line: [`VERSION`].
    pub version: &'a str,
    /// Name and value of each header, in order. `Host` is one of them.
    pub headers: &'a [(&'a str, &'a str)],
    /// What is sent after the headers.
    pub body: &'a [u8],
}

/// The answer: 200, with this body.
#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    /// Name and value of each header, in order, beside the body's length.
    pub headers: &'a [(&'a str, &'a str)],
    /// What is sent after the headers.
    pub body: &'a [u8],
}

impl Capture {
    /// The client sends a request and the server answers it.
    ///
    /// # Errors
    /// [`CaptureError::LineBreak`], [`CaptureError::AddressFamilies`].
    pub fn http(&mut self, flow: Flow, request: Request<'_>, response: Response<'_>) -> Result<(), CaptureError> {
        let asked = request.bytes()?;
        let answered = response.bytes()?;
        self.converse(flow, |conversation| {
            conversation.client_sends(&asked)?;
            conversation.server_sends(&answered)
        })
    }
}

impl Request<'_> {
    fn bytes(&self) -> Result<Vec<u8>, CaptureError> {
        let mut bytes = Vec::new();
        let line = format!("{} {} {}", self.method, self.target, self.version);
        write_line(&mut bytes, &line, "a request line")?;
        write_headers(&mut bytes, self.headers)?;
        if !self.body.is_empty() {
            write_length(&mut bytes, self.body);
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(self.body);
        Ok(bytes)
    }
}

impl Response<'_> {
    fn bytes(&self) -> Result<Vec<u8>, CaptureError> {
        let mut bytes = Vec::new();
        write_line(&mut bytes, "HTTP/1.1 200 OK", "a status line")?;
        write_headers(&mut bytes, self.headers)?;
        write_length(&mut bytes, self.body);
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(self.body);
        Ok(bytes)
    }
}

fn write_headers(bytes: &mut Vec<u8>, headers: &[(&str, &str)]) -> Result<(), CaptureError> {
    headers.iter().try_for_each(|(name, value)| write_line(bytes, &format!("{name}: {value}"), "a header"))
}

fn write_length(bytes: &mut Vec<u8>, body: &[u8]) {
    bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
}

/// Writes a line of a text protocol, unless it would be more than one.
pub(super) fn write_line(bytes: &mut Vec<u8>, line: &str, what: &'static str) -> Result<(), CaptureError> {
    if line.contains(['\r', '\n']) {
        return Err(CaptureError::LineBreak(what));
    }
    bytes.extend_from_slice(line.as_bytes());
    bytes.extend_from_slice(b"\r\n");
    Ok(())
}
