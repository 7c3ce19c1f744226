//! The targets: what stixc compiles to.
//!
//! A target is one folder here, one folder of templates and mapping data, and one line in [`TARGETS`]. It sees plans,
//! never a syntax tree and never another target.

use std::{collections::BTreeMap, path::Path, sync::LazyLock};

use crate::{
    diagnostic::{CATALOGUES, Explanation},
    render::{Renderer, TemplateError},
};

pub mod blocklist;
#[cfg(feature = "witness")]
pub mod compiler;
pub mod contract;
pub mod digest;
pub mod mapping;
pub mod native;
pub mod origin;
#[cfg(feature = "witness")]
pub mod program;
#[cfg(feature = "witness")]
pub mod proof;
pub mod record;
pub mod rule_file;
#[cfg(feature = "witness")]
pub mod running;
pub mod sigma;
pub mod suricata;
pub mod yara;

pub use contract::Target;

/// All targets, in the order in which they are reported.
pub static TARGETS: &[&dyn Target] = &[&sigma::Sigma, &suricata::SURICATA, &yara::YARA, &blocklist::BLOCKLIST];

/// The target called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Target> {
    TARGETS.iter().copied().find(|target| target.name() == name)
}

/// The templates of `targets` as shipped, each once: its name below `templates/`, and its text.
pub fn templates<'t>(targets: &[&'t dyn Target]) -> impl Iterator<Item = (String, &'static str)> {
    let of_target = |target: &&'t dyn Target| {
        let name = target.name();
        target.formats().iter().map(move |format| (format!("{name}/{}", format.template), format.source))
    };
    targets.iter().flat_map(of_target).collect::<BTreeMap<_, _>>().into_iter()
}

/// Renders the templates of `targets`; those that exist as `<overrides>/<target>/<template>` are taken from there.
///
/// # Errors
/// A template that can't be read or parsed, a folder that is none or holds what no format knows.
pub fn renderer(targets: &[&dyn Target], overrides: Option<&Path>) -> Result<Renderer, TemplateError> {
    if let Some(folder) = overrides {
        let known = templates(TARGETS).chain(templates(targets)).map(|(name, _)| name).collect();
        Renderer::check_folder(folder, &known)?;
    }
    Renderer::new(templates(targets), overrides)
}

/// The explanation of `code` (`"P001"`), if there is such a code.
///
/// ```
/// assert!(stixc::targets::explain("P001").is_some());
/// assert!(stixc::targets::explain("X999").is_none());
/// ```
#[must_use]
pub fn explain(code: &str) -> Option<&'static Explanation> {
    catalogue().get(code)
}

/// All explained codes in order, the targets' own among them.
#[must_use]
pub fn catalogue() -> &'static BTreeMap<String, Explanation> {
    static CATALOGUE: LazyLock<BTreeMap<String, Explanation>> = LazyLock::new(|| {
        let all = CATALOGUES.into_iter().chain(TARGETS.iter().map(|target| target.codes()));
        // The catalogue is part of the program and a test parses each file: a bad one can't be shipped.
        all.filter_map(|text| Explanation::read(text).ok()).flatten().collect()
    });
    &CATALOGUE
}
