//! MISP's warninglists: JSON files with a type, the attributes that they speak of, and entries.

use std::{
    fs,
    path::{Path, PathBuf},
};

use fancy_regex::Regex;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    Action, GuardError, USER_LIST, builtin,
    entry::Entry,
    list::{Kinds, Line, List, ListHead, Loaded, UrlReach, read},
};
use crate::diagnostic::Diagnostic;

#[derive(Deserialize)]
struct Warninglist {
    name: String,
    #[serde(default)]
    version: Json,
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default)]
    matching_attributes: Vec<String>,
    list: Vec<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    String,
    Substring,
    Hostname,
    Cidr,
    Regex,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Substring => "substring",
            Self::Hostname => "hostname",
            Self::Cidr => "cidr",
            Self::Regex => "regex",
        }
    }
}

/// Reads all lists of a folder: `NAME.json`, `NAME/list.json`, or the same below `lists`. Those that are lifted are not
/// read. Anything in a list that can't be read is an error: without it the list would guard less, and nobody would know. A
/// description that lies among the lists is passed over with a warning.
pub(super) fn load(
    folder: &Path,
    is_lifted: &mut dyn FnMut(&str) -> bool,
    loaded: &mut Loaded,
) -> Result<(), GuardError> {
    for (name, path) in files(folder)? {
        loaded.names.push(name.clone());
        if is_lifted(&name) {
            continue;
        }
        let text = read(&path)?;
        let shown = path.display().to_string();
        if is_prose(&text) {
            let message = format!("{shown} is a text and no warninglist: passed over");
            loaded.notes.push(Diagnostic::warning(super::error::BAD_WARNINGLIST, message));
            continue;
        }
        let list: Warninglist = serde_json::from_str(&text)
            .map_err(|error| GuardError::BadWarninglist { path: shown.clone(), message: error.to_string() })?;
        let (list, passed_over) =
            list.read(&name).map_err(|message| GuardError::BadWarninglist { path: shown.clone(), message })?;
        if let Some(first) = passed_over.first() {
            let message = format!("{shown}: passed over {} with a blank, the first is {first:?}", passed_over.len());
            loaded.notes.push(Diagnostic::warning(super::error::BAD_WARNINGLIST, message));
        }
        loaded.lists.push(list);
    }
    Ok(())
}

/// Whether a file is a text that was never meant to be JSON: it has several words, and begins with one. What is empty, cut off or
/// an error page of a server is none.
fn is_prose(text: &str) -> bool {
    text.trim_start().starts_with(|first: char| first.is_alphabetic()) && text.split_whitespace().nth(7).is_some()
}

/// The names and paths of all lists, sorted.
fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>, GuardError> {
    let unreadable = |message: String| GuardError::Unreadable { path: folder.display().to_string(), message };
    let below = folder.join("lists");
    let folder = if below.is_dir() { &below } else { folder };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(error.to_string()))? {
        let path = entry.map_err(|error| unreadable(error.to_string()))?.path();
        let inner = path.join("list.json");
        let is_json = path.extension().is_some_and(|ending| ending == "json");
        let path = if inner.is_file() { inner } else { path };
        let named = if path.ends_with("list.json") { path.parent() } else { Some(path.as_path()) };
        if (is_json && path.is_file()) || path.ends_with("list.json") {
            let name = named.and_then(Path::file_stem).unwrap_or_default();
            found.push((name.to_string_lossy().into_owned(), path));
        }
    }
    if found.is_empty() {
        return Err(unreadable("no list in it (NAME.json or NAME/list.json)".to_owned()));
    }
    found.sort();
    Ok(found)
}

impl Warninglist {
    /// The list, and its entries that are equal to no value, for they have a blank in them.
    ///
    /// # Errors
    /// A list without entries, and an entry that is not what the list's type says.
    fn read(self, name: &str) -> Result<(List, Vec<String>), String> {
        // A list that does not say what it speaks of is about all that its entries look like.
        let speaks_of = |names: &[&str]| {
            let mut parts = self.matching_attributes.iter().flat_map(|attribute| attribute.split('|'));
            self.matching_attributes.is_empty() || parts.any(|part| names.contains(&part))
        };
        let kinds = Kinds {
            addresses: speaks_of(&["ip-src", "ip-dst", "ip"]),
            names: speaks_of(&["domain", "hostname"]),
            digests: speaks_of(&["md5", "sha1", "sha256", "sha512"]),
            texts: speaks_of(&["email", "email-src", "email-dst", "target-email", "whois-registrant-email"]),
        };
        let (blocking, detecting) =
            if builtin::is_noted(name) { (Action::Note, Action::Note) } else { (Action::Drop, Action::Warn) };
        let head = ListHead {
            name: name.to_owned(),
            about: self.name,
            source: format!("MISP warninglist {name}"),
            date: self.version.as_str().map_or_else(|| self.version.to_string(), str::to_owned),
            code: USER_LIST,
            blocking,
            detecting,
            urls: if speaks_of(&["url", "uri"]) { UrlReach::Root } else { UrlReach::None },
            within_owner: false,
            suffixes: false,
            is_warninglist: true,
            kinds,
        };
        let mut list = List::new(head, Vec::new());
        let mut passed_over = Vec::new();
        if self.list.is_empty() {
            return Err("it has no entries".to_owned());
        }
        for text in self.list {
            if add(&mut list, self.kind, text.trim()) {
                continue;
            }
            if self.kind == Kind::Regex || !text.trim().contains(char::is_whitespace) {
                return Err(format!("the entry {text:?} is none of type {}", self.kind.name()));
            }
            passed_over.push(text);
        }
        Ok((list, passed_over))
    }
}

fn add(list: &mut List, kind: Kind, text: &str) -> bool {
    let entry = match kind {
        Kind::Substring if !text.is_empty() => {
            list.parts.push(text.to_owned());
            return true;
        }
        Kind::Regex => {
            let pattern = pattern(text);
            let is_one = pattern.is_some();
            list.patterns.extend(pattern);
            return is_one;
        }
        // MISP takes a host name for itself and all below it.
        Kind::Hostname => match Entry::parse(text) {
            Some(Entry::Name(name, _)) => Some(Entry::Name(name, true)),
            other => other,
        },
        Kind::Cidr => Entry::parse(text).filter(|entry| matches!(entry, Entry::Network(_))),
        // What is none of our kinds may be an attribute of MISP that has no counterpart here.
        Kind::String => Entry::parse(text).or_else(|| Some(Entry::Text(text.to_lowercase().into()))),
        Kind::Substring => None,
    };
    let is_one = entry.is_some();
    list.lines.extend(entry.map(|entry| Line { entry, note: "".into() }));
    is_one
}

/// An expression as PHP writes it, between slashes with flags behind.
fn pattern(text: &str) -> Option<Regex> {
    let inner = text.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
    let (body, flags) = inner.unwrap_or((text, ""));
    let flags: String = flags.chars().filter(|flag| matches!(flag, 'i' | 'm' | 's' | 'x')).collect();
    let body = if flags.is_empty() { body.to_owned() } else { format!("(?{flags}){body}") };
    Regex::new(&body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<(List, Vec<String>), String> {
        serde_json::from_str::<Warninglist>(json).unwrap().read("a-list")
    }

    fn list(json: &str) -> (List, Vec<String>) {
        read(json).unwrap()
    }

    #[test]
    fn each_type_is_read() {
        let (read, unusable) = list(
            r#"{"name": "Names", "type": "hostname", "version": 3, "matching_attributes": ["domain", "url"],
                "list": [".example.com", "example.org", "two words"]}"#,
        );
        assert_eq!((read.len(), unusable), (2, vec!["two words".to_owned()]));
        assert!(read.lines.iter().all(|line| matches!(line.entry, Entry::Name(_, true))));
        assert_eq!((read.head.date.as_str(), read.head.urls), ("3", UrlReach::Root));
        assert!(read.head.kinds.names && !read.head.kinds.addresses);
        let (read, unusable) = list(
            r#"{"name": "Nets", "type": "cidr", "matching_attributes": ["ip-dst|port"],
                "list": ["192.0.2.7", "2001:DB8::/32"]}"#,
        );
        assert_eq!((read.len(), unusable.len(), read.head.kinds.addresses), (2, 0, true));
        let (read, _) = list(r#"{"name": "Any", "type": "string", "list": ["192.0.2.7", "example.org"]}"#);
        assert!(read.head.kinds.names && read.head.kinds.addresses && read.len() == 2);
        let (read, _) = list(
            r#"{"name": "Mail", "type": "regex", "matching_attributes": ["email-src"],
                "list": ["/^(noc|abuse)\\@.*$/i"]}"#,
        );
        assert_eq!(read.len(), 1);
        assert!(read.patterns[0].is_match("NOC@example.org").unwrap());
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for (kind, entries, named) in [
            ("regex", r#"["fine", "/(/"]"#, "\"/(/\" is none of type regex"),
            ("regex", r#"["( blank"]"#, "\"( blank\""),
            ("cidr", r#"["192.0.2.0/33"]"#, "192.0.2.0/33"),
            ("hostname", r#"["evil..example"]"#, "evil..example"),
            ("substring", r#"[""]"#, "substring"),
            ("string", "[]", "no entries"),
        ] {
            let error = read(&format!(r#"{{"name": "A", "type": "{kind}", "list": {entries}}}"#)).unwrap_err();
            assert!(error.contains(named), "{kind} {entries}: {error}");
        }
    }

    #[test]
    fn a_hit_on_a_list_of_scanners_is_noted() {
        let json = r#"{"name": "S", "type": "cidr", "list": ["192.0.2.7"]}"#;
        let head = serde_json::from_str::<Warninglist>(json).unwrap().read("shodan-scanning").unwrap().0.head;
        assert_eq!((head.blocking, head.detecting), (Action::Note, Action::Note));
    }
}
