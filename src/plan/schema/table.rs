//! The table: the cyber-observable object types of STIX 2.1 and their properties, as `standard.txt` lists them.

use std::sync::LazyLock;

use super::kind::{Bounds, Definition, ObjectType, Origin, PropertyType, Structure, Text, Vocabulary};

const SOURCE: &str = include_str!("standard.txt");

/// A digest of an algorithm that the standard does not list.
pub(super) const DIGEST: PropertyType = PropertyType::String(Text::Digest);

/// The words for types that consist of nothing else.
const WORDS: [(&str, PropertyType); 28] = [
    ("any", PropertyType::Any),
    ("binary", PropertyType::Binary),
    ("boolean", PropertyType::Boolean),
    ("float", PropertyType::Float),
    ("hashes", PropertyType::Hashes),
    ("header", PropertyType::StringOrList),
    ("hex", PropertyType::Hex),
    ("hex-number", PropertyType::HexNumber),
    ("integer", PropertyType::Integer(Bounds { minimum: i64::MIN, maximum: i64::MAX })),
    ("natural", PropertyType::Integer(Bounds { minimum: 0, maximum: i64::MAX })),
    ("port", PropertyType::Integer(Bounds::PORT)),
    ("timestamp", PropertyType::Timestamp),
    ("string", PropertyType::String(Text::Plain)),
    ("domain-name", PropertyType::String(Text::DomainName)),
    ("email-address", PropertyType::String(Text::EmailAddress)),
    ("file-name", PropertyType::String(Text::FileName)),
    ("import-hash", PropertyType::String(Text::ImportHash)),
    ("ipv4-address", PropertyType::String(Text::Ipv4Address)),
    ("ipv6-address", PropertyType::String(Text::Ipv6Address)),
    ("mac-address", PropertyType::String(Text::MacAddress)),
    ("object-type", PropertyType::String(Text::ObjectType)),
    ("path", PropertyType::String(Text::Path)),
    ("protocol", PropertyType::String(Text::Protocol)),
    ("registry-key", PropertyType::String(Text::RegistryKey)),
    ("registry-value-data", PropertyType::String(Text::RegistryValueData)),
    ("registry-value-name", PropertyType::String(Text::RegistryValueName)),
    ("serial-number", PropertyType::String(Text::SerialNumber)),
    ("url", PropertyType::String(Text::Url)),
];

/// The table. What it holds lives as long as the program.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The object types, sorted by name.
    pub objects: Vec<ObjectType>,
    /// What every object has (section 3.2). `extensions` is added for each type, with its own extensions.
    pub common: Vec<Definition>,
    /// Names of header fields in their canonical spelling.
    pub headers: Vec<&'static str>,
    /// Names that people write, of a type (`ip`) or a property of one (`file:md5`), and what they mean.
    pub meant: Vec<(&'static str, &'static str)>,
    structures: Vec<&'static Structure>,
    vocabularies: Vec<&'static Vocabulary>,
}

/// The table, read on first use.
pub(super) fn table() -> &'static Table {
    // A test reads it, so there is one.
    static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(SOURCE).unwrap_or_default());
    &TABLE
}

impl Table {
    fn read(source: &'static str) -> Result<Self, &'static str> {
        let mut table = Self::default();
        let mut lines = source.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
        while let Some(head) = lines.next() {
            let mut below = Vec::new();
            while let Some(line) = lines.next_if(|line| line.starts_with(' ')) {
                below.push(line);
            }
            table.block(head, &below)?;
        }
        Ok(table)
    }

    /// Reads a block, or returns the line that can't be read.
    fn block(&mut self, head: &'static str, below: &[&'static str]) -> Result<(), &'static str> {
        let words = || below.iter().flat_map(|line| line.split_whitespace());
        let definitions = || below.iter().map(|line| self.definition(line).ok_or(*line)).collect::<Result<Vec<_>, _>>();
        match head.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["common"] => self.common = definitions()?,
            ["headers"] => self.headers = words().collect(),
            ["meant"] => self.meant = below.iter().filter_map(|line| line.trim().split_once(' ')).collect(),
            ["vocabulary", name, openness] => {
                let values = words().collect::<Vec<_>>().leak();
                self.vocabularies.push(leaked(Vocabulary { name, open: *openness == "open", values }));
            }
            ["structure", name] => {
                let properties = definitions()?.leak();
                self.structures.push(leaked(Structure { name, properties }));
            }
            ["object", name, extensions @ ..] => {
                let properties = definitions()?.leak();
                let extensions = extensions.iter().map(|name| self.structure(name)).collect::<Option<Vec<_>>>();
                self.objects.push(ObjectType { name, properties, extensions: extensions.ok_or(head)?.leak() });
            }
            _ => return Err(head),
        }
        Ok(())
    }

    fn definition(&self, line: &'static str) -> Option<Definition> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (name, rest) = words.split_first()?;
        let origin = match rest {
            ["=", to] => Origin::Renamed { to, exact: true },
            ["~", to] => Origin::Renamed { to, exact: false },
            ["-", rest @ ..] => Origin::Removed(self.kind(rest)?),
            rest => Origin::Current(self.kind(rest)?),
        };
        Some(Definition { name, origin })
    }

    fn kind(&self, words: &[&'static str]) -> Option<PropertyType> {
        Some(match words {
            ["list", rest @ ..] => PropertyType::List(leaked(self.kind(rest)?)),
            ["dictionary", rest @ ..] => PropertyType::Dictionary(leaked(self.kind(rest)?)),
            ["ref", types @ ..] => PropertyType::Reference(types.to_vec().leak()),
            ["object", name] => PropertyType::Object(self.structure(name)?),
            ["vocabulary", name] => PropertyType::Vocabulary(self.vocabularies.iter().find(|one| one.name == *name)?),
            [word] => WORDS.iter().find(|(name, _)| name == word)?.1,
            _ => return None,
        })
    }

    fn structure(&self, name: &str) -> Option<&'static Structure> {
        self.structures.iter().copied().find(|one| one.name == name)
    }
}

/// The table is read once, so nothing is lost that grows.
fn leaked<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_in_order() {
        let table = Table::read(SOURCE).unwrap();
        assert!(table.objects.is_sorted_by_key(|one| one.name));
        assert_eq!((table.objects.len(), table.common.len(), table.vocabularies.len()), (18, 6, 10));
        assert_eq!(Table::read("object x\n  name strnig\n").err(), Some("  name strnig"));
    }
}
