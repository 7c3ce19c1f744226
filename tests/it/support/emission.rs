//! What a target writes, in memory.

// Each test file is a crate of its own and uses a part of this.

use std::{collections::BTreeMap, io, sync::Arc};

use stixc::{
    diagnostic::Diagnostic,
    guard::{self, Guard, GuardOptions},
    pattern,
    plan::{adapt::Accept, lower::lower},
    render::Renderer,
    targets::contract::{AnyBackend, Content, Emission, EmitError, Options, Origin, Refusal, Rule, Target},
    targets::record::{EmittedRule, Record},
};

/// Files, names and messages of one run.
pub struct Memory {
    target: &'static str,
    renderer: Renderer,
    /// What an earlier run left.
    pub before: BTreeMap<String, Vec<u8>>,
    pub files: BTreeMap<String, Vec<u8>>,
    pub names: BTreeMap<usize, Vec<String>>,
    pub rules: BTreeMap<usize, Vec<EmittedRule>>,
    pub records: Vec<Record>,
    pub said: Vec<Diagnostic>,
}

impl Memory {
    pub fn new(target: &dyn Target) -> Self {
        let renderer = stixc::targets::renderer(stixc::targets::TARGETS, None).unwrap();
        let before = BTreeMap::new();
        Self {
            target: target.name(),
            renderer,
            before,
            files: BTreeMap::new(),
            names: BTreeMap::new(),
            rules: BTreeMap::new(),
            records: Vec::new(),
            said: Vec::new(),
        }
    }

    /// A file as text.
    pub fn text(&self, path: &str) -> &str {
        std::str::from_utf8(&self.files[path]).unwrap()
    }

    /// All files as one text, for snapshots.
    pub fn all(&self) -> String {
        self.files.keys().map(|path| format!("=== {path}\n{}", self.text(path))).collect()
    }
}

impl Emission for Memory {
    fn render(&self, template: &str, view: serde_json::Value, out: &mut dyn io::Write) -> Result<(), EmitError> {
        self.renderer.render(self.target, template, view, out)
    }

    fn file(
        &mut self,
        path: &str,
        content: &mut dyn FnMut(&mut dyn io::Write) -> Result<(), EmitError>,
    ) -> Result<(), EmitError> {
        let mut bytes = Vec::new();
        content(&mut bytes)?;
        assert!(self.files.insert(path.to_owned(), bytes).is_none(), "{path} written twice");
        Ok(())
    }

    fn previous(&mut self, path: &str) -> Result<Option<String>, EmitError> {
        Ok(self.before.get(path).map(|bytes| String::from_utf8(bytes.clone()).unwrap()))
    }

    fn record(&mut self, record: &Record) -> Result<(), EmitError> {
        self.records.push(record.clone());
        Ok(())
    }

    fn record_rules(&mut self, index: usize, rules: Vec<EmittedRule>) {
        self.names.insert(index, rules.iter().map(|rule| rule.id.clone()).collect());
        self.rules.insert(index, rules);
    }

    fn warn(&mut self, diagnostic: Diagnostic) {
        self.said.push(diagnostic);
    }
}

/// A guard that lets rules through that name nobody.
pub fn without_breadth() -> Arc<Guard> {
    let rules = vec![guard::Rule::parse("breadth=ignore").unwrap()];
    Arc::new(Guard::new(&GuardOptions { rules, ..GuardOptions::default() }).unwrap())
}

/// The target's backend with its shipped mapping. How a pattern is written is asked of patterns that name nobody, too.
pub fn prepared(target: &dyn Target, accept: Accept) -> Box<dyn AnyBackend> {
    target.prepare(None, Options::with_guard(target, accept, without_breadth())).unwrap()
}

/// Lowers the pattern for the target, by its defaults.
pub fn content(target: &dyn Target, text: &str) -> Result<Content, Refusal> {
    let plan = lower(&pattern::parse(text).unwrap()).plan;
    prepared(target, target.accepts()).lower(&plan).map(Content::Compiled)
}

/// A rule of a pattern, by an indicator that has nothing but an id.
pub fn rule(target: &dyn Target, id: &str, text: &str) -> Rule {
    let content = content(target, text).unwrap_or_else(|refusal| panic!("{text}: {refusal:?}"));
    let origin = Origin { id: id.to_owned(), sources: vec![id.to_owned()], name: id.to_owned(), ..Origin::default() };
    Rule { origin: Arc::new(origin), content }
}

/// Rules of patterns, by indicators with these ids.
pub fn rules<'a>(target: &dyn Target, patterns: impl IntoIterator<Item = (String, &'a str)>) -> Vec<Rule> {
    patterns.into_iter().map(|(id, text)| rule(target, &id, text)).collect()
}

/// What the target writes for these rules.
pub fn emit(target: &dyn Target, rules: Vec<Rule>) -> Memory {
    let mut memory = Memory::new(target);
    prepared(target, target.accepts()).emit(rules, &mut memory).unwrap();
    memory
}
