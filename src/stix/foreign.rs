//! What an input is that holds no STIX objects: told by its first bytes, or by the members of an object without a type.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{codes, fault::ObjectError, object};
use crate::diagnostic::{Code, Diagnostic};

/// How much of an input is looked at, at most, to tell what it is.
pub(super) const LOOK: usize = 512;

/// What to do about a list of values.
const VALUES: &str = "write each as a pattern, such as [domain-name:value = 'bad.example'], one a line, and give the file \
                      with --patterns FILE";

/// What an object is that does not say so itself.
pub(super) enum Judged {
    /// An object all the same: its type is written in an unusual way.
    Object,
    /// A bundle or an envelope without objects.
    Empty(Option<Diagnostic>),
    /// Nothing that is read here.
    Foreign(Diagnostic),
    /// An object without a type, or a text between braces that is not JSON.
    Faulty(ObjectError),
}

/// Judges the object `raw`, a bundle without a list of objects or an object whose type was not found. `alone` is one that
/// is the first thing in an input.
pub(super) fn judge(raw: &[u8], alone: bool) -> Judged {
    let members: BTreeMap<String, &RawValue> = match object::parse(raw) {
        Ok(members) => members,
        // A member that is given twice is told below, by the same error as for every other object.
        Err(error) => return Judged::Faulty(error),
    };
    let has = |name: &str| members.contains_key(name);
    let typed = object::has_type(raw);
    let is_bundle = members.get("type").is_some_and(|value| value.get() == "\"bundle\"");
    if (is_bundle || typed.is_err())
        && let Some(objects) = members.get("objects")
    {
        let message = format!("`objects` is {}, not a list: neither a bundle nor objects", kind(objects.get()));
        return Judged::Foreign(Diagnostic::error(codes::FOREIGN, message));
    }
    match typed {
        Ok(()) if is_bundle && has("object") => {
            let message = "the bundle has a member `object` and no `objects`";
            Judged::Empty(Some(Diagnostic::warning(codes::FOREIGN, message)))
        }
        Ok(()) if is_bundle => Judged::Empty(None),
        Ok(()) => Judged::Object,
        Err(error) if !alone => Judged::Faulty(error),
        Err(_) if !members.is_empty() && members.keys().all(|name| name == "more" || name == "next") => {
            Judged::Empty(None)
        }
        Err(_) if members.get("schema").is_some_and(|value| value.get().starts_with("\"stixc-")) => {
            let help = "give the feed that it was made of, or -o a folder outside of the inputs";
            Judged::Foreign(Diagnostic::error(codes::FOREIGN, "the input is a file that stixc has written").help(help))
        }
        Err(error) => known(has).map_or(Judged::Faulty(error), Judged::Foreign),
    }
}

/// Something of another kind, by the names of its members.
fn known(has: impl Fn(&str) -> bool) -> Option<Diagnostic> {
    let any = |names: &[&str]| names.iter().any(|name| has(name));
    let (message, help) = if any(&["Event", "response", "Attribute"]) {
        ("a MISP event, not STIX", "export it from MISP as STIX 2, or convert it with misp-stix")
    } else if any(&["results", "indicators", "pulse_info"]) {
        ("an OTX pulse, not STIX", "fetch it as STIX 2 from its TAXII server: stixc fetch URL")
    } else if any(&["api_roots", "collections"]) {
        ("an answer of a TAXII server about itself, not objects", "fetch the objects: stixc fetch URL")
    } else if any(&["error", "errors", "message", "detail", "http_status"]) {
        ("an error message of a server, not a bundle", "look at what was downloaded, and fetch it again")
    } else {
        return None;
    };
    Some(Diagnostic::error(codes::FOREIGN, format!("the input is {message}")).help(help))
}

/// The kind of a value in JSON.
fn kind(value: &str) -> &'static str {
    match value.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b'n') => "null",
        Some(b't' | b'f') => "a boolean",
        _ => "a number",
    }
}

/// What a text is that does not begin as JSON does, as far as it is a list of patterns.
pub(super) fn is_pattern(text: &[u8]) -> bool {
    let Some(inside) = text.strip_prefix(b"[") else { return false };
    let inside = inside.trim_ascii_start();
    let name = inside.iter().take_while(|byte| byte.is_ascii_lowercase() || matches!(byte, b'0'..=b'9' | b'-')).count();
    name > 0 && inside.get(name) == Some(&b':')
}

/// What is wrong with an input that is no JSON, or JSON that is neither list nor object.
pub(super) fn not_json(text: &[u8]) -> Diagnostic {
    let text = &text[..text.len().min(LOOK)];
    let error = |what: &str, help: &str| Diagnostic::error(codes::NOT_JSON, format!("the input is {what}")).help(help);
    let holds = |word: &[u8]| memchr::memmem::find(&text.to_ascii_lowercase(), word).is_some();
    match text {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, b'{' | b'[', 0, ..] | [b'{' | b'[', 0, ..] => {
            error("UTF-16, not UTF-8", "convert it to UTF-8")
        }
        [0x1F, 0x8B, ..] => error("compressed with gzip", "decompress it first"),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => {
            error("compressed with Zstandard", "decompress it first: zstd -dc FILE | stixc convert - …")
        }
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => {
            error("compressed with xz", "decompress it first: xz -dc FILE | stixc convert - …")
        }
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => {
            error("compressed with bzip2", "decompress it first: bzip2 -dc FILE | stixc convert - …")
        }
        [b'7', b'z', 0xBC, 0xAF, ..] => error("a 7z archive", "unpack it first: 7z x -so FILE | stixc convert - …"),
        _ if text.get(257..262) == Some(b"ustar") => {
            error("a tar archive", "unpack it first: tar -xOf FILE | stixc convert - …")
        }
        [b'%', b'P', b'D', b'F', ..] => error("a PDF document", "give STIX 2 as JSON"),
        [b'P', b'K', 3, 4, ..] => error("a ZIP archive", "unzip it first: unzip -p FILE | stixc convert - …"),
        [b'<', ..] if holds(b"stix.mitre.org") || holds(b"stix_package") => {
            error("STIX 1, which is XML", "convert it to STIX 2 with stix2-elevator")
        }
        [b'<', ..] if holds(b"<html") || holds(b"<!doctype html") => {
            error("HTML, a web page, not JSON", "look at what was downloaded: a login or an error page, most likely")
        }
        [b'<', ..] => error("XML or HTML, not JSON", "give STIX 2 as JSON; STIX 1, TAXII 1 and web pages are not read"),
        _ if is_pattern(text) => error("a list of patterns, not JSON", "give the file with --patterns FILE"),
        _ if is_table(text) => error("a table of values, not JSON", VALUES),
        _ if is_list(text) => error("a list of values, not JSON", VALUES),
        [b'"' | b'-' | b'0'..=b'9', ..] | [b'n', b'u', ..] | [b't', b'r', ..] | [b'f', b'a', ..] => {
            let what = format!("neither a bundle nor objects: expected `{{` or `[`, found {}", describe(text));
            error(&what, "give STIX 2 as JSON")
        }
        _ => {
            let message = format!("the input is not JSON: expected `{{` or `[`, found {}", describe(text));
            Diagnostic::error(codes::NOT_JSON, message)
        }
    }
}

/// The first lines with something in them but comments.
fn lines(text: &[u8]) -> impl Iterator<Item = &str> {
    let lines = text.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line.trim_ascii()).ok());
    lines.filter(|line| !line.is_empty() && !line.starts_with(['#', ';', '/']))
}

/// Whether the first lines are fields with a value among them.
fn is_table(text: &[u8]) -> bool {
    let fields =
        |line: &str| line.split([',', ';', '\t']).map(|field| is_value(field.trim_matches(['"', ' ']))).collect();
    let rows: Vec<Vec<bool>> = lines(text).take(3).map(fields).collect();
    rows.iter().all(|row| row.len() > 1) && rows.iter().flatten().any(|is_value| *is_value)
}

fn is_list(text: &[u8]) -> bool {
    lines(text).next().is_some_and(is_value)
}

/// Whether a text looks like an address, a name, a URL or a hash.
fn is_value(text: &str) -> bool {
    let is_hash = matches!(text.len(), 32 | 40 | 64 | 128) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_number = text.parse::<f64>().is_ok();
    let is_named = text.contains(['.', ':']) && !text.contains([' ', '"', '{']) && !text.ends_with(['.', ':']);
    is_hash || (is_named && !is_number)
}

/// What stands at the beginning of a text, for a message.
pub(super) fn describe(text: &[u8]) -> String {
    let text = &text[..text.len().min(64)];
    let valid = std::str::from_utf8(text)
        .unwrap_or_else(|error| std::str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default());
    match valid.chars().next() {
        Some(character) if character.is_control() => format!("`{}`", character.escape_default()),
        Some(character) => format!("`{character}`"),
        None => text.first().map_or_else(String::new, |byte| format!("the byte 0x{byte:02X}")),
    }
}

/// What serde says of text between the objects, in words that say what to look for.
pub(super) fn between(message: &str) -> Diagnostic {
    let code: Code = codes::BAD_JSON;
    Diagnostic::error(
        code,
        match message {
            "key must be a string" => "not JSON: a key is expected here".to_owned(),
            "expected `,` or `}`" => "not JSON: a comma is missing here".to_owned(),
            other => format!("not JSON: {other}"),
        },
    )
}
