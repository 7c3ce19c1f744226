//! Writing what a walk brings as a STIX bundle.

use std::io::{self, Write};

use serde_json::value::RawValue;
use uuid::Uuid;

use super::{FetchOptions, FetchSummary, ObjectSink};
use crate::stix::{Head, ObjectError};

/// Writes a bundle, one object a line, while the objects arrive: it holds none of them.
///
/// Nothing is written before the first object, and the closing bracket only by [`BundleWriter::finish`]: the bundle of
/// a walk that failed can't be taken for a whole one.
#[derive(Debug)]
pub struct BundleWriter<W> {
    output: W,
    id: Uuid,
    started: bool,
}

impl<W: Write> BundleWriter<W> {
    /// A bundle for what `options` ask for. Its id is made from the address, the collection, the time and the filters,
    /// so that the same question gives the same id.
    pub fn new(options: &FetchOptions, output: W) -> Self {
        let mut name = format!("{}\n{}", options.url, options.collection.as_deref().unwrap_or_default());
        if let Ok(Some(added_after)) = options.start() {
            name.push_str(&format!("\nadded_after={added_after:.6}"));
        }
        for (parameter, value) in options.filters.parameters() {
            name.push_str(&format!("\n{parameter}={value}"));
        }
        Self { output, id: Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()), started: false }
    }

    /// Closes the bundle. One without objects has no `objects` member, as STIX forbids empty lists (STIX 2.1,
    /// section 2.9).
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(mut self) -> io::Result<()> {
        if self.started {
            self.output.write_all(b"\n]}\n")?;
        } else {
            writeln!(self.output, r#"{{"type":"bundle","id":"bundle--{}"}}"#, self.id)?;
        }
        self.output.flush()
    }
}

impl<W: Write> ObjectSink for BundleWriter<W> {
    fn object(&mut self, object: &RawValue, _: Result<Head, ObjectError>) -> io::Result<()> {
        if self.started {
            self.output.write_all(b",\n")?;
        } else {
            writeln!(self.output, r#"{{"type":"bundle","id":"bundle--{}","objects":["#, self.id)?;
            self.started = true;
        }
        // JSON allows a line end only between tokens, so what is left after joining the lines means the same.
        object.get().split(['\n', '\r']).try_for_each(|line| self.output.write_all(line.trim().as_bytes()))
    }

    /// Who reads the other end of a pipe need not wait for the next page.
    fn page(&mut self, _: &FetchSummary) -> io::Result<()> {
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(objects: &[&str]) -> String {
        let mut output = Vec::new();
        let mut writer = BundleWriter::new(&FetchOptions::new("https://feed.example/"), &mut output);
        for object in objects {
            writer.object(serde_json::from_str(object).unwrap(), Head::read(object.as_bytes())).unwrap();
        }
        writer.finish().unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn one_object_a_line_as_it_came() {
        let text = written(&["{\n  \"b\": 1.50,\r\n\t\"a\": \"x  \\n y\"\n}", "{\"a\":1,\"a\":2}"]);
        let (head, objects) = text.split_once('\n').unwrap();
        assert!(head.starts_with(r#"{"type":"bundle","id":"bundle--"#) && head.ends_with(r#"","objects":["#), "{head}");
        assert_eq!(objects, "{\"b\": 1.50,\"a\": \"x  \\n y\"},\n{\"a\":1,\"a\":2}\n]}\n");
    }

    #[test]
    fn an_empty_one_is_a_bundle_too() {
        let text = written(&[]);
        assert!(text.starts_with(r#"{"type":"bundle","id":"bundle--"#) && text.ends_with("\"}\n"), "{text}");
    }

    #[test]
    fn the_id_tells_questions_apart() {
        let options = FetchOptions::new("https://feed.example/");
        let mut other = options.clone();
        other.added_after = super::super::parse_timestamp("2026-01-01");
        let id = |options: &FetchOptions| BundleWriter::new(options, Vec::new()).id;
        assert_eq!(id(&options), id(&options.clone()));
        assert_ne!(id(&options), id(&other));
    }
}
