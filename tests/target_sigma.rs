//! Sigma rules from patterns: what is written, and what is not.

use std::{collections::BTreeMap, io, sync::Arc};

use handlebars::Handlebars;
use stixc::{
    diagnostic::Diagnostic,
    pattern,
    plan::{adapt::Accept, lower::lower},
    target::{
        Target,
        contract::{Content, Emission, EmitError, Lower, Lowered, Options, Origin, Refusal, Rule},
        sigma::Sigma,
    },
};

/// Keeps files in memory.
struct Memory {
    templates: Handlebars<'static>,
    files: BTreeMap<String, String>,
    names: Vec<(usize, Vec<String>)>,
}

impl Memory {
    fn new() -> Self {
        let mut templates = Handlebars::new();
        templates.set_strict_mode(true);
        templates.register_escape_fn(handlebars::no_escape);
        for format in Sigma.formats() {
            templates.register_template_string(format.template, format.source).unwrap();
        }
        Self { templates, files: BTreeMap::new(), names: Vec::new() }
    }
}

impl Emission for Memory {
    fn render(&self, template: &str, view: serde_json::Value, out: &mut dyn io::Write) -> Result<(), EmitError> {
        self.templates.render_to_write(template, &view, out).map_err(|error| EmitError::Template(error.to_string()))
    }

    fn file(
        &mut self,
        path: &str,
        content: &mut dyn FnMut(&mut dyn io::Write) -> Result<(), EmitError>,
    ) -> Result<(), EmitError> {
        let mut bytes = Vec::new();
        content(&mut bytes)?;
        let old = self.files.insert(path.to_owned(), String::from_utf8(bytes).unwrap());
        assert_eq!(old, None, "{path} was written twice");
        Ok(())
    }

    fn previous(&mut self, _path: &str) -> Result<Option<String>, EmitError> {
        Ok(None)
    }

    fn name(&mut self, index: usize, ids: Vec<String>) {
        self.names.push((index, ids));
    }

    fn say(&mut self, diagnostic: Diagnostic) {
        panic!("{diagnostic}");
    }
}

fn compiler(accept: Accept) -> Box<dyn Lower> {
    Sigma.prepare(Sigma.mapping(), Options { accept }).unwrap()
}

fn lowered(text: &str) -> Result<Lowered, Refusal> {
    let pattern = pattern::parse(text).unwrap();
    compiler(Accept::DETECTION).lower(&lower(&pattern).plan)
}

fn origin(pattern: &str) -> Origin {
    Origin {
        id: "indicator--11111111-1111-4111-8111-111111111111".to_owned(),
        sources: vec!["indicator--11111111-1111-4111-8111-111111111111".to_owned()],
        name: "example".to_owned(),
        pattern: pattern.to_owned(),
        ..Origin::default()
    }
}

/// The files of one pattern.
fn written(origin: Origin) -> BTreeMap<String, String> {
    let content = Content::Compiled(lowered(&origin.pattern).unwrap());
    let mut memory = Memory::new();
    Sigma.emit(vec![Rule { origin: Arc::new(origin), content }], &mut memory).unwrap();
    memory.files
}

#[test]
fn first() {
    for pattern in [
        "[domain-name:value = 'evil.example']",
        "[ipv4-addr:value = '198.51.100.7']",
        "[ipv4-addr:value ISSUBSET '198.51.100.0/24']",
        "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e' OR file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
        "[url:value = 'http://evil.example/a?b=*']",
        "[file:name = 'evil.exe']",
        "[process:command_line LIKE '%evil -x%']",
        "[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443]",
        r"[windows-registry-key:key = 'HKEY_CURRENT_USER\\Software\\Evil']",
    ] {
        for (path, text) in written(origin(pattern)) {
            println!("--- {path}\n{text}");
        }
    }
}
