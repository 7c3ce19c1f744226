//! Files on their way.

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use serde_json::Value as Json;

use super::{
    Object, Way, World, has_hashes, hex,
    mail::{self, RECIPIENT, SENDER},
    payload::{Mailed, Payload},
    text,
};

/// The longest file that is shown.
pub(super) const LONGEST: usize = 1 << 18;
/// What is asked for where a file's name was not seen.
pub(super) const UNNAMED: &str = "download";
/// Where files come from that nothing else is known of.
const HOST: &str = "files.test";

/// A file is downloaded, with its name in the answer or in the path, and mailed.
pub(super) fn file(world: World<'_>, object: &Object) -> Option<Vec<Way>> {
    let content = content(world, object)?;
    let kind = text(object, "mime_type").unwrap_or("application/octet-stream");
    let download = |target: &str, disposition: Option<String>| {
        let mut answer_headers = vec![("Content-Type".to_owned(), kind.to_owned())];
        answer_headers.extend(disposition.map(|value| ("Content-Disposition".to_owned(), value)));
        Way::new(Payload::answered(HOST, target, answer_headers, content.clone()))
    };
    let Some(name) = text(object, "name") else { return Some(vec![download(&format!("/{UNNAMED}"), None)]) };
    let mut ways = Vec::new();
    if let Some(quoted) = quoted(name) {
        ways.push(download(&format!("/{UNNAMED}"), Some(format!("attachment; filename={quoted}"))));
        ways.push(Way::new(attached(&quoted, kind, &content)));
    }
    ways.extend(segment(name).map(|segment| download(&format!("/a/{segment}"), None)));
    (!ways.is_empty()).then_some(ways)
}

/// The bytes of a file, as far as its hash, its size and its first bytes tell them; `None` where there is no such file,
/// or it is too long, or there is nothing of it to send.
pub(super) fn content(world: World<'_>, object: &Object) -> Option<Vec<u8>> {
    let magic = if object.contains_key("magic_number_hex") { hex(object, "magic_number_hex")? } else { Vec::new() };
    let size = match object.get("size") {
        Some(size) => Some(usize::try_from(size.as_u64()?).ok().filter(|size| *size <= LONGEST)?),
        None => None,
    };
    let inside = world.referred(object, "content_ref");
    let given = world.content(object).map(<[u8]>::to_vec).or_else(|| payload(object));
    let bytes = given.or_else(|| inside.and_then(payload)).unwrap_or_else(|| {
        let mut bytes = magic.clone();
        // Files with other hashes are other files.
        bytes.extend_from_slice(object.get("hashes").map(Json::to_string).unwrap_or_default().as_bytes());
        bytes.extend_from_slice(b"a file of no interest\n");
        bytes.resize(size.unwrap_or(bytes.len()), b'.');
        bytes
    });
    // A file has one hash of a kind.
    if world.content(object).is_some() && !has_hashes(object, &bytes) {
        return None;
    }
    let fits = !bytes.is_empty() && size.is_none_or(|size| size == bytes.len()) && bytes.starts_with(&magic);
    fits.then_some(bytes)
}

/// The bytes of an artifact.
pub(super) fn payload(artifact: &Object) -> Option<Vec<u8>> {
    BASE64.decode(text(artifact, "payload_bin")?).ok()
}

/// A name between quotes (RFC 6266, section 4.1); names that would need an escape are written in other ways by
/// everyone, and are left out.
fn quoted(name: &str) -> Option<String> {
    let plain = |one: char| !matches!(one, '"' | '\\') && !one.is_control();
    (!name.is_empty() && name.chars().all(plain)).then(|| format!("\"{name}\""))
}

/// A name as the last segment of a path: what stands for something else there is percent-encoded (RFC 3986,
/// section 3.3). A slash ends a segment in either form, for many servers a backslash, too, and no client asks for control
/// characters.
fn segment(name: &str) -> Option<String> {
    let ends = |one: char| matches!(one, '/' | '\\') || one.is_control();
    if name.is_empty() || name.contains(ends) || name.chars().all(|one| one == '.') {
        return None;
    }
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(segment)
}

/// A mail with a file.
fn attached(quoted: &str, kind: &str, content: &[u8]) -> Payload {
    let mut body = String::new();
    for line in BASE64.encode(content).as_bytes().chunks(76) {
        body.extend(line.iter().map(|byte| char::from(*byte)));
        body.push('\n');
    }
    let headers = [
        ("From", SENDER),
        ("To", RECIPIENT),
        ("MIME-Version", "1.0"),
        ("Content-Type", &format!("{kind}; name={quoted}")),
        ("Content-Disposition", &format!("attachment; filename={quoted}")),
        ("Content-Transfer-Encoding", "base64"),
    ];
    Payload::Mail(Box::new(Mailed {
        from: SENDER.to_owned(),
        to: RECIPIENT.to_owned(),
        headers: mail::owned(&headers),
        body,
    }))
}
