//! Templates: the last step from a view to text.
//!
//! Templates are dumb: `{{field}}`, `{{#each}}`, `{{#if}}`, nothing else. They are registered once, in strict mode (a
//! field that a view does not have is an error) and without escaping: views hold text that is escaped already.

use std::{collections::BTreeSet, fs, io, path::Path};

use handlebars::{Context, Handlebars};
use serde_json::Value as Json;

use crate::{diagnostic::Code, output::EmitError};

/// A template that can't be read, or has a syntax error.
pub const BAD_TEMPLATE: Code = Code("R001");

/// Templates, ready to render.
pub struct Renderer {
    registry: Handlebars<'static>,
}

/// Why a user's template was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// It can't be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which one.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// What should be a folder of them is none.
    #[error("{path} is no folder of templates")]
    NoFolder {
        /// The path.
        path: String,
    },
    /// A file in the folder that is the template of no format.
    #[error("{path}: no format has such a template")]
    Unknown {
        /// Which one.
        path: String,
    },
    /// It has a syntax error.
    #[error("{name}: {message}")]
    Malformed {
        /// Which one.
        name: String,
        /// What is wrong, with line and column.
        message: String,
    },
}

impl Renderer {
    /// Registers templates, a qualified name (`sigma/rule.hbs`) and a text each; those that exist as `<overrides>/<name>`
    /// are taken from there.
    ///
    /// # Errors
    /// A template that can't be read or parsed.
    pub fn new<'t>(
        templates: impl IntoIterator<Item = (String, &'t str)>,
        overrides: Option<&Path>,
    ) -> Result<Self, TemplateError> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(handlebars::no_escape);
        for (name, source) in templates {
            let own = overrides.map(|folder| read(&folder.join(&name))).transpose()?.flatten();
            registry.register_template_string(&name, own.as_deref().unwrap_or(source)).map_err(|error| {
                let place = error.pos().map(|(line, column)| format!(" at {line}:{column}")).unwrap_or_default();
                TemplateError::Malformed { name, message: format!("not a template{place}: {}", error.reason()) }
            })?;
        }
        Ok(Self { registry })
    }

    /// Makes sure that all that lies in a folder of templates is one: whoever misspells a name gets the shipped template. Files
    /// that say no more than how to use it (`*.toml`, `*.md`) and hidden ones may lie there, too.
    ///
    /// # Errors
    /// A folder that is none, and a file that is not among `known`.
    pub fn check_folder(folder: &Path, known: &BTreeSet<String>) -> Result<(), TemplateError> {
        if !folder.is_dir() {
            return Err(TemplateError::NoFolder { path: folder.display().to_string() });
        }
        let mut folders = vec![(folder.to_owned(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            let unreadable = |source| TemplateError::Unreadable { path: folder.display().to_string(), source };
            for entry in fs::read_dir(&folder).map_err(unreadable)? {
                let path = entry.map_err(unreadable)?.path();
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                let name = format!("{prefix}{file}");
                let is_aside = file.starts_with('.') || file.ends_with(".toml") || file.ends_with(".md");
                if path.is_dir() && !file.starts_with('.') {
                    folders.push((path, format!("{name}/")));
                } else if !is_aside && !known.contains(&name) {
                    return Err(TemplateError::Unknown { path: path.display().to_string() });
                }
            }
        }
        Ok(())
    }

    /// Renders `template` of `target` with `view` into `out`.
    ///
    /// # Errors
    /// A field that the view does not have, or a failing writer.
    pub fn render(&self, target: &str, template: &str, view: Json, out: &mut dyn io::Write) -> Result<(), EmitError> {
        let name = format!("{target}/{template}");
        self.registry
            .render_with_context_to_write(&name, &Context::from(view), out)
            .map_err(|error| EmitError::Template(format!("{name}: {error}")))
    }
}

fn read(path: &Path) -> Result<Option<String>, TemplateError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TemplateError::Unreadable { path: path.display().to_string(), source }),
    }
}
