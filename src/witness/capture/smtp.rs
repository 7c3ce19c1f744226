//! A mail on its way to its server (RFC 5321, RFC 5322).

use super::{Capture, CaptureError, Flow, http::write_line};

/// One mail.
#[derive(Debug, Clone, Copy)]
pub struct Mail<'a> {
    /// The address in `MAIL FROM`.
    pub from: &'a str,
    /// The address in `RCPT TO`.
    pub to: &'a str,
    /// Name and value of each header, in order: `From`, `Subject`, …
    pub headers: &'a [(&'a str, &'a str)],
    /// The text after the headers, its lines ended by `\n` or `\r\n`.
    pub body: &'a str,
}

impl Capture {
    /// The client delivers one mail.
    ///
    /// # Errors
    /// [`CaptureError::LineBreak`], [`CaptureError::AddressFamilies`].
    pub fn smtp(&mut self, flow: Flow, mail: Mail<'_>) -> Result<(), CaptureError> {
        let mut envelope = Vec::new();
        for (command, answer) in [
            ("EHLO client.example".to_owned(), "250 mail.example"),
            (format!("MAIL FROM:<{}>", mail.from), "250 OK"),
            (format!("RCPT TO:<{}>", mail.to), "250 OK"),
            ("DATA".to_owned(), "354 go on"),
        ] {
            let mut line = Vec::new();
            write_line(&mut line, &command, "an address")?;
            envelope.push((line, format!("{answer}\r\n")));
        }
        let message = mail.message()?;
        self.converse(flow, |conversation| {
            conversation.server_sends(b"220 mail.example ESMTP\r\n")?;
            for (command, answer) in &envelope {
                conversation.client_sends(command)?;
                conversation.server_sends(answer.as_bytes())?;
            }
            conversation.client_sends(&message)?;
            conversation.server_sends(b"250 OK\r\n")?;
            conversation.client_sends(b"QUIT\r\n")?;
            conversation.server_sends(b"221 bye\r\n")
        })
    }
}

impl Mail<'_> {
    /// The message and the lone dot that ends it; a line that begins with a dot gets another (RFC 5321, section 4.5.2).
    fn message(&self) -> Result<Vec<u8>, CaptureError> {
        let mut bytes = Vec::new();
        for (name, value) in self.headers {
            write_line(&mut bytes, &format!("{name}: {value}"), "a header")?;
        }
        bytes.extend_from_slice(b"\r\n");
        for line in self.body.lines() {
            if line.starts_with('.') {
                bytes.push(b'.');
            }
            write_line(&mut bytes, line, "a line")?;
        }
        bytes.extend_from_slice(b".\r\n");
        Ok(bytes)
    }
}
