//! Files of rules, recorded as they are put together.

use serde_json::Value as Json;

use super::{
    contract::{Emission, EmitError},
    digest::Digest,
    record::{Record, RuleRecord, newlines},
};

/// A file of rules that is put together: its text so far. What is in it is recorded at once, for there may be a million
/// rules.
///
/// Only one such file can be put together at a time.
#[derive(Debug)]
pub struct RuleFile {
    path: String,
    text: Vec<u8>,
    /// How many lines have ended.
    lines: usize,
}

impl RuleFile {
    /// A file at `path` below the output folder.
    ///
    /// # Errors
    /// A failing disk.
    pub fn new(path: impl Into<String>, emission: &mut dyn Emission) -> Result<Self, EmitError> {
        let path = path.into();
        emission.record(&Record::File(path.clone()))?;
        Ok(Self { path, text: Vec::new(), lines: 0 })
    }

    /// How many lines have ended.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// Adds text that belongs to no rule.
    pub fn push(&mut self, text: &[u8]) {
        self.lines += newlines(text);
        self.text.extend_from_slice(text);
    }

    /// Renders a template whose text belongs to no rule.
    ///
    /// # Errors
    /// A template that does not render.
    pub fn render(&mut self, template: &str, view: Json, emission: &dyn Emission) -> Result<(), EmitError> {
        let start = self.text.len();
        emission.render(template, view, &mut self.text)?;
        self.lines += newlines(&self.text[start..]);
        Ok(())
    }

    /// Adds a rule and records it; its place and the digest of its text are filled in here.
    ///
    /// # Errors
    /// A failing disk.
    pub fn rule(&mut self, rule: RuleRecord, text: &[u8], emission: &mut dyn Emission) -> Result<(), EmitError> {
        // A template may begin or end with blank lines.
        let blank = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let record = RuleRecord {
            text: Some(Digest::new([text])),
            line: self.lines + newlines(&text[..blank]) + 1,
            lines: newlines(text[blank..].trim_ascii_end()) + 1,
            ..rule
        };
        self.push(text);
        emission.record(&Record::Rule(record))
    }

    /// Renders the template of a rule, adds the rule and records it.
    ///
    /// # Errors
    /// A template that does not render, a failing disk.
    pub fn render_rule(
        &mut self,
        rule: RuleRecord,
        template: &str,
        view: Json,
        emission: &mut dyn Emission,
    ) -> Result<(), EmitError> {
        let mut text = Vec::with_capacity(1024);
        emission.render(template, view, &mut text)?;
        self.rule(rule, &text, emission)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// A failing disk.
    pub fn write(self, emission: &mut dyn Emission) -> Result<(), EmitError> {
        emission.file(&self.path, &mut |out| Ok(out.write_all(&self.text)?))
    }
}
