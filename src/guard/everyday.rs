//! What is everybody's: names, folders, keys, command lines and so on that name nothing in particular. The lists are data,
//! in `templates/guard/everyday.toml`.

use std::{borrow::Cow, collections::HashSet, sync::LazyLock};

use serde::Deserialize;

use crate::plan::{
    Property,
    schema::{PropertyType, Text},
};

const DATA: &str = include_str!("../../templates/guard/everyday.toml");

/// The file, as it is written; its head explains the keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    silent: Vec<String>,
    telling: Vec<String>,
    list: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    about: String,
    source: String,
    date: String,
    #[serde(default)]
    of: Vec<String>,
    #[serde(default)]
    homes: Vec<String>,
    #[serde(default)]
    paths_of: Vec<String>,
    values: Vec<String>,
}

/// Values of certain properties that are everybody's.
pub(super) struct List {
    /// What they are, in words.
    pub about: String,
    of: Vec<String>,
    values: Vec<String>,
    /// The same as they are looked up.
    known: HashSet<String>,
}

/// All lists.
pub(super) struct Everyday {
    silent: HashSet<String>,
    telling: HashSet<String>,
    lists: Vec<List>,
}

/// The lists that are built in.
pub(super) fn everyday() -> &'static Everyday {
    // A test reads the file, so there is one.
    static ALL: LazyLock<Everyday> = LazyLock::new(|| Everyday::read(DATA).unwrap_or_else(|_| Everyday::empty()));
    &ALL
}

impl Everyday {
    fn empty() -> Self {
        Self { silent: HashSet::new(), telling: HashSet::new(), lists: Vec::new() }
    }

    fn read(text: &str) -> Result<Self, String> {
        let data: Data = toml::from_str(text).map_err(|error| error.to_string())?;
        let small = |paths: Vec<String>| paths.into_iter().map(|path| path.to_ascii_lowercase()).collect();
        let mut lists = Vec::with_capacity(data.list.len());
        for list in data.list {
            if [&list.about, &list.source, &list.date].into_iter().any(String::is_empty) {
                return Err(format!("a list without a source or a date: {}", list.about));
            }
            let at_home = list.homes.iter().flat_map(|home| list.values.iter().map(|name| in_folder(home, name)));
            let at_home: Vec<String> = at_home.collect();
            lists.push(List::new(list.about.clone(), list.of, list.values));
            lists.push(List::new(list.about, list.paths_of, at_home));
        }
        lists.retain(|list| !list.of.is_empty());
        Ok(Self { silent: small(data.silent), telling: small(data.telling), lists })
    }

    /// Whether no value of the property names anything: a port, a size, a type of content.
    pub(super) fn is_silent(&self, property: &Property) -> bool {
        let path = property.path.to_ascii_lowercase();
        let measures = match property.kind {
            PropertyType::Integer(_)
            | PropertyType::Float
            | PropertyType::Boolean
            | PropertyType::Timestamp
            | PropertyType::HexNumber
            | PropertyType::Vocabulary(_) => true,
            _ => property.is_detail(),
        };
        (measures && !self.telling.contains(&path)) || self.silent.contains(&path)
    }

    /// The list that has a text as a value of the property.
    pub(super) fn find(&self, property: &Property, text: &str) -> Option<&List> {
        let sought = normal(text);
        self.of(property).find(|list| list.known.contains(sought.as_ref()))
    }

    /// The first everyday value of the property that `fits`.
    pub(super) fn first(&self, property: &Property, mut fits: impl FnMut(&str) -> bool) -> Option<&str> {
        self.of(property).flat_map(|list| &list.values).find(|value| fits(value)).map(String::as_str)
    }

    fn of(&self, property: &Property) -> impl Iterator<Item = &List> {
        let kind = kind_name(property);
        self.lists.iter().filter(move |list| {
            list.of.iter().any(|of| Some(of.as_str()) == kind || of.eq_ignore_ascii_case(&property.path))
        })
    }
}

impl List {
    fn new(about: String, of: Vec<String>, values: Vec<String>) -> Self {
        let known = values.iter().map(|value| normal(value).into_owned()).collect();
        Self { about, of, values, known }
    }
}

fn in_folder(folder: &str, name: &str) -> String {
    let separator = if folder.contains('/') { '/' } else { '\\' };
    format!("{}{separator}{name}", folder.trim_end_matches(separator))
}

/// A value as it is compared: what a system reads as the same is the same.
fn normal(text: &str) -> Cow<'_, str> {
    if text.contains(['"', '\t']) || text.contains("  ") {
        // In a command line quotes and blanks only part the arguments.
        let words: Vec<&str> = text.split(['"', ' ', '\t']).filter(|word| !word.is_empty()).collect();
        return normal(&words.join(" ")).into_owned().into();
    }
    let trimmed = text.trim().trim_end_matches(['\\', '/']);
    // A root is nothing else.
    let text = if trimmed.is_empty() { text.trim() } else { trimmed };
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) { text.to_ascii_lowercase().into() } else { text.into() }
}

/// The word in the file for what the text of a property stands for.
fn kind_name(property: &Property) -> Option<&'static str> {
    let PropertyType::String(text) = property.kind else { return None };
    Some(match text {
        Text::FileName => "file name",
        Text::Path => "path",
        Text::RegistryKey => "registry key",
        Text::RegistryValueName => "registry value name",
        Text::RegistryValueData => "registry value data",
        Text::DomainName | Text::Endpoint => "domain name",
        Text::Url => "url",
        Text::EmailAddress => "e-mail address",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_list_has_a_source_and_a_date_and_is_of_something() {
        let data: Data = toml::from_str(DATA).unwrap();
        assert!(data.list.len() > 10);
        for list in &data.list {
            assert!(list.source.len() > 10, "{}", list.about);
            let date: Vec<usize> = list.date.split('-').map(str::len).collect();
            assert_eq!(date, [4, 2, 2], "{}", list.about);
            assert!(!list.values.is_empty(), "{}", list.about);
            assert!(list.of.len() + list.paths_of.len() > 0, "{}", list.about);
            assert_eq!(list.homes.is_empty(), list.paths_of.is_empty(), "{}", list.about);
        }
        assert!(Everyday::read(DATA).is_ok());
        assert!(Everyday::read(&DATA.replacen("source = \"", "source = \"\" # ", 1)).is_err());
    }

    #[test]
    fn no_list_says_a_value_twice() {
        let data: Data = toml::from_str(DATA).unwrap();
        for list in &data.list {
            let mut seen = HashSet::new();
            for value in &list.values {
                assert!(seen.insert(normal(value).into_owned()), "{}: {value}", list.about);
            }
        }
    }

    #[test]
    fn what_lists_are_of_exists() {
        use crate::plan::schema;
        let kinds = [
            "file name",
            "path",
            "registry key",
            "registry value name",
            "registry value data",
            "domain name",
            "url",
            "e-mail address",
        ];
        let data: Data = toml::from_str(DATA).unwrap();
        let of = data.list.iter().flat_map(|list| list.of.iter().chain(&list.paths_of));
        for path in of.chain(&data.silent).chain(&data.telling) {
            let single = path.split(" + ").next().unwrap_or_default();
            let is_kind = kinds.contains(&single);
            assert!(is_kind || single == "file:path" || schema_has(single), "{path}");
        }
        fn schema_has(path: &str) -> bool {
            let text = format!("[EXISTS {path}]");
            let pattern = crate::pattern::parse(&text).expect(path);
            let plan = crate::plan::lower::plain(&pattern).plan;
            let test = plan.tests().next().unwrap().clone();
            test.property.path == path && test.property.kind != schema::PropertyType::Any
        }
    }
}
