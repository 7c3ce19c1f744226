//! Templates: the last step from a view to text.
//!
//! Templates are dumb: `{{field}}`, `{{#each}}`, `{{#if}}`, nothing else. They are registered once, in strict mode (a
//! field that a view does not have is an error) and without escaping: views hold text that is escaped already.

use std::{fs, io, path::Path};

use handlebars::{Context, Handlebars};
use serde_json::Value as Json;

use crate::{
    diagnostic::Code,
    targets::{TARGETS, contract::EmitError},
};

/// A template that can't be read or is none.
pub const BAD_TEMPLATE: Code = Code("R001");

/// Every template of every target, ready to render.
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
    /// It is no template.
    #[error("{name}: {message}")]
    Malformed {
        /// Which one.
        name: String,
        /// What is wrong, with line and column.
        message: String,
    },
}

impl Renderer {
    /// The shipped templates; those that exist as `<overrides>/<target>/<template>` are taken from there.
    ///
    /// # Errors
    /// A template that can't be read or parsed.
    pub fn new(overrides: Option<&Path>) -> Result<Self, TemplateError> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(handlebars::no_escape);
        for target in TARGETS {
            for format in target.formats() {
                let name = qualified(target.name(), format.template);
                let own = match overrides {
                    Some(folder) => read(&folder.join(target.name()).join(format.template))?,
                    None => None,
                };
                registry.register_template_string(&name, own.as_deref().unwrap_or(format.source)).map_err(|error| {
                    let place = error.pos().map(|(line, column)| format!(" at {line}:{column}")).unwrap_or_default();
                    TemplateError::Malformed { name, message: format!("not a template{place}: {}", error.reason()) }
                })?;
            }
        }
        Ok(Self { registry })
    }

    /// Renders `template` of `target` with `view` into `out`.
    ///
    /// # Errors
    /// A field that the view does not have, or a failing writer.
    pub fn render(&self, target: &str, template: &str, view: Json, out: &mut dyn io::Write) -> Result<(), EmitError> {
        let name = qualified(target, template);
        self.registry
            .render_with_context_to_write(&name, &Context::from(view), out)
            .map_err(|error| EmitError::Template(format!("{name}: {error}")))
    }
}

fn qualified(target: &str, template: &str) -> String {
    format!("{target}/{template}")
}

fn read(path: &Path) -> Result<Option<String>, TemplateError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TemplateError::Unreadable { path: path.display().to_string(), source }),
    }
}
