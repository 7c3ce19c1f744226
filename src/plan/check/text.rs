//! The text of a string literal against what its property stands for.

use std::net::IpAddr;

use super::{Check, address, literal, name, test::Test, url};
use crate::{
    diagnostic::Code,
    pattern::Literal,
    plan::{
        registry::Hive,
        schema::{Text, Vocabulary},
        value::is_mac,
    },
};

/// A word that the vocabulary does not have.
pub const NOT_IN_VOCABULARY: Code = Code("W115");
/// Blanks at an end of a value.
pub const BLANKS: Code = Code("W121");
/// A type that the object can't have.
pub const IMPOSSIBLE_TYPE: Code = Code("W122");
/// A path as the name of a file.
pub const PATH_AS_NAME: Code = Code("W123");
/// An abbreviated registry hive.
pub const SHORT_HIVE: Code = Code("W124");
/// An e-mail address without `@`.
pub const NOT_AN_EMAIL_ADDRESS: Code = Code("W125");

/// Checks a value that is compared with `=`, `!=` or IN.
pub(super) fn check(check: &mut Check<'_>, test: &Test<'_, '_>, kind: Text, literal: &Literal<'_>, text: &str) {
    if blanks(check, kind, literal, text) {
        return;
    }
    match kind {
        Text::Ipv4Address | Text::Ipv6Address => address::value(check, kind, literal, text),
        Text::MacAddress => address::mac(check, literal, text),
        Text::DomainName => name::check(check, literal, text),
        Text::Endpoint => endpoint(check, literal, text),
        Text::Url => url::check(check, test, literal, text),
        Text::EmailAddress => email(check, literal, text),
        Text::FileName => file_name(check, literal, text),
        Text::RegistryKey => registry_key(check, literal, text),
        Text::ObjectType => object_type(check, test, literal, text),
        _ => {}
    }
}

fn blanks(check: &mut Check<'_>, kind: Text, literal: &Literal<'_>, text: &str) -> bool {
    // Of a mutex or a command line, blanks may well be a part.
    let trimmed = text.trim();
    if kind.is_plain() || matches!(kind, Text::FileName | Text::Path) || trimmed.len() == text.len() {
        return false;
    }
    let message = "blanks at an end of the value are compared as well";
    check.warning(BLANKS, literal.span, message, format!("write {}", literal::written(trimmed)));
    true
}

/// One end of a connection can be an address or a name.
fn endpoint(check: &mut Check<'_>, literal: &Literal<'_>, text: &str) {
    let address = text.split('/').next().unwrap_or(text);
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => address::value(check, Text::Ipv4Address, literal, text),
        Ok(IpAddr::V6(_)) => address::value(check, Text::Ipv6Address, literal, text),
        Err(_) if is_mac(text) => {}
        Err(_) => name::check(check, literal, text),
    }
}

fn email(check: &mut Check<'_>, literal: &Literal<'_>, text: &str) {
    if name::is_defanged(text) {
        return name::defanged(check, literal, text);
    }
    let is_good = text.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if !is_good {
        let help =
            "write the whole address, such as 'someone@example.com', or LIKE '%@example.com' for all of a domain";
        check.warning(NOT_AN_EMAIL_ADDRESS, literal.span, "an e-mail address is a name, `@` and a domain", help);
    }
}

fn file_name(check: &mut Check<'_>, literal: &Literal<'_>, text: &str) {
    let Some(at) = text.rfind(['/', '\\']) else { return };
    let (folder, file) = (text[..at].trim_end_matches(['/', '\\']), &text[at + 1..]);
    if file.is_empty() || folder.is_empty() {
        let help = "compare parent_directory_ref.path or directory:path with the path of a folder";
        return check.warning(PATH_AS_NAME, literal.span, "the name of a file has no path", help);
    }
    let help = format!(
        "write name = {} AND file:parent_directory_ref.path = {}",
        literal::written(file),
        literal::written(folder)
    );
    check.warning(PATH_AS_NAME, literal.span, "the name of a file has no path", help);
}

/// A key is written with its hive in full (STIX 2.1, section 6.17).
fn registry_key(check: &mut Check<'_>, literal: &Literal<'_>, text: &str) {
    let hive = text.split(['\\', '/']).next().unwrap_or(text);
    let short = hive.trim_end_matches(':');
    let Some(full) = Hive::parse(short).filter(|full| full.abbreviation().eq_ignore_ascii_case(short)) else { return };
    let span = literal::inside(check.source, literal.span, 0, hive.len());
    check.warning(SHORT_HIVE, span, "the hive of a key is written in full", format!("write {}", full.name()));
}

fn object_type(check: &mut Check<'_>, test: &Test<'_, '_>, literal: &Literal<'_>, text: &str) {
    if text.starts_with("x-") {
        return;
    }
    let own = [test.comparison.path.object_type];
    let possible: &[&str] = if test.resolved.referenced.is_empty() { &own } else { test.resolved.referenced };
    if possible.contains(&text) {
        return;
    }
    let names: Vec<_> = possible.iter().map(|name| format!("'{name}'")).collect();
    let message = format!("no object here is of type {}", literal::quoted(text));
    check.warning(IMPOSSIBLE_TYPE, literal.span, message, format!("write {}", names.join(" or ")));
}

/// Checks a word against a vocabulary. Open ones allow any, but not in other case.
pub(super) fn vocabulary(check: &mut Check<'_>, vocabulary: &Vocabulary, literal: &Literal<'_>, word: &str) {
    if vocabulary.values.contains(&word) {
        return;
    }
    let letters = |text: &str| text.replace([' ', '_'], "-").to_ascii_lowercase();
    let near = vocabulary.values.iter().find(|value| letters(value) == letters(word));
    if near.is_none() && vocabulary.open {
        return;
    }
    let message = format!("{} is not in {}", literal::quoted(word), vocabulary.name);
    let help = match near {
        Some(value) => format!("write '{value}'"),
        None => format!("its values: {}", vocabulary.values.join(", ")),
    };
    check.warning(NOT_IN_VOCABULARY, literal.span, message, help);
}
