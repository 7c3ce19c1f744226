//! The short way: indicators in memory to files in memory. [`Converter`] is the long one, for files of any size.

#[cfg(feature = "witness")]
use std::path::Path;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use crate::{
    guard::{Guard, GuardError, GuardOptions},
    output::Memory,
    plan::adapt::Accept,
    render::{Renderer, TemplateError},
    report::{Report, Verdict},
    stix::{BundleReader, Collector, Timestamp},
    targets::{self, Target, mapping::MappingError},
};

use super::{Converter, Details, EmitFailure, Filter, Finished, Prepared, Settings, read_context};
#[cfg(feature = "witness")]
use super::{EngineReport, RuleReport, verify};
#[cfg(feature = "witness")]
use crate::output::{Claim, EmitError, Staged};

/// Which targets to compile to, and how.
///
/// ```
/// let now = "2024-06-01T00:00:00Z".parse()?;
/// let options = stixc::Options::new(now).target("yara").target("sigma").strict(true);
/// assert!(stixc::compile("[file:size = 1024]", &options)?.files.contains_key("yara/stixc.yar"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Options {
    targets: Vec<Chosen>,
    unknown: Vec<String>,
    now: Timestamp,
    strict: bool,
    filter: Filter,
    guards: GuardOptions,
    templates: Option<PathBuf>,
}

#[derive(Clone)]
struct Chosen {
    target: &'static dyn Target,
    mapping: Option<String>,
    accept: Option<Accept>,
    filter: Option<Filter>,
}

impl Options {
    /// No target yet. `now` is the moment that decides which indicators have expired: there is no clock inside.
    pub fn new(now: Timestamp) -> Self {
        let (filter, guards) = Default::default();
        Self { targets: Vec::new(), unknown: Vec::new(), now, strict: false, filter, guards, templates: None }
    }

    /// Adds the target called `name`: `sigma`, `suricata`, `yara` or `blocklist`. A name that is none of them is an error
    /// of [`compile`] and [`convert`].
    pub fn target(mut self, name: &str) -> Self {
        match targets::find(name) {
            Some(target) => self.custom_target(target),
            None => {
                self.unknown.push(name.to_owned());
                self
            }
        }
    }

    /// Adds a target of your own.
    pub fn custom_target(mut self, target: &'static dyn Target) -> Self {
        self.targets.push(Chosen { target, mapping: None, accept: None, filter: None });
        self
    }

    /// Has the target that was added last read the mapping `text`, in the form of `templates/<target>/mapping.toml`.
    pub fn mapping(mut self, text: &str) -> Self {
        if let Some(chosen) = self.targets.last_mut() {
            chosen.mapping = Some(text.to_owned());
        }
        self
    }

    /// Has the target that was added last write rules with these verdicts only.
    pub fn accept(mut self, accept: Accept) -> Self {
        if let Some(chosen) = self.targets.last_mut() {
            chosen.accept = Some(accept);
        }
        self
    }

    /// Leaves indicators out of the target that was added last, beside those that [`Options::filter`] leaves out of all.
    pub fn target_filter(mut self, filter: Filter) -> Self {
        if let Some(chosen) = self.targets.last_mut() {
            chosen.filter = Some(filter);
        }
        self
    }

    /// Makes odd spellings of patterns an error, instead of reading what they mean with a warning.
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// Leaves indicators out.
    pub fn filter(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }

    /// Guards more than the lists that are built in, or less.
    pub fn guards(self, guards: GuardOptions) -> Self {
        Self { guards, ..self }
    }

    /// Takes templates from `folder`, as `<target>/<template>`, where they are there.
    pub fn templates(self, folder: impl Into<PathBuf>) -> Self {
        Self { templates: Some(folder.into()), ..self }
    }

    fn settings(&self, witnesses: bool) -> Result<Settings, ConvertError> {
        if let Some(name) = self.unknown.first() {
            return Err(ConvertError::UnknownTarget(name.clone()));
        }
        let guard = match self.guards == GuardOptions::default() {
            true => Guard::builtin(),
            false => Arc::new(Guard::new(&self.guards).map_err(ConvertError::Guard)?),
        };
        let prepare = |chosen: &Chosen| {
            let mapping = chosen.mapping.as_deref();
            let prepared = Prepared::with_guard(chosen.target, mapping, chosen.accept, Arc::clone(&guard));
            prepared
                .map(|prepared| prepared.with_filter(chosen.filter.clone()))
                .map_err(|error| ConvertError::Mapping(chosen.target.name(), error))
        };
        Ok(Settings {
            targets: self.targets.iter().map(prepare).collect::<Result<_, _>>()?,
            now: self.now,
            strict: self.strict,
            filter: self.filter.clone(),
            details: Details::All,
            natives: Default::default(),
            witnesses,
        })
    }

    fn renderer(&self) -> Result<Renderer, ConvertError> {
        let chosen: Vec<&dyn Target> = self.targets.iter().map(|chosen| chosen.target).collect();
        targets::renderer(&chosen, self.templates.as_deref()).map_err(ConvertError::Template)
    }
}

/// Compiles one pattern for all targets that `options` name.
///
/// # Errors
/// Options that ask for a target, a mapping or a template that there is not. A pattern with a mistake is none of them: the
/// report says so, in [`Report::indicators`].
pub fn compile(pattern: &str, options: &Options) -> Result<Conversion, ConvertError> {
    let (settings, renderer) = (options.settings(false)?, options.renderer()?);
    let mut converter = Converter::new(&settings);
    converter.pattern("pattern", pattern);
    Ok(Conversion::new(converter, &renderer))
}

/// Compiles all indicators in `stix`: a bundle, an array, one object, or an object a line.
///
/// # Errors
/// As [`compile`]. What can't be read is no error either: [`Report::diagnostics`] has it.
///
/// ```
/// let bundle = br#"{"type": "bundle", "objects": [{
///     "type": "indicator", "id": "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "pattern_type": "stix",
///     "pattern": "[ipv4-addr:value = '198.51.100.7']", "valid_from": "2024-01-01T00:00:00Z"}]}"#;
/// let options = stixc::Options::new("2024-06-01T00:00:00Z".parse()?).target("blocklist");
/// let conversion = stixc::convert(bundle, &options)?;
/// assert_eq!(conversion.files["blocklist/ipv4.txt"], b"198.51.100.7\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn convert(stix: &[u8], options: &Options) -> Result<Conversion, ConvertError> {
    let (settings, renderer) = (options.settings(false)?, options.renderer()?);
    Ok(Conversion::new(read(stix, &settings), &renderer))
}

/// Converts all indicators in `stix`, writes witnesses of the rules to `folder` as `stixc convert --witness` does, and has the
/// engine of each target, as it is installed here, say what each rule does: whether that is what its verdict promises.
///
/// # Errors
/// As [`convert`], and a folder that can't be written.
#[cfg(feature = "witness")]
pub fn prove(
    stix: &[u8],
    options: &Options,
    folder: &Path,
) -> Result<Vec<(EngineReport, Vec<RuleReport>)>, ConvertError> {
    let (settings, renderer) = (options.settings(true)?, options.renderer()?);
    let mut memory = Memory::default();
    let finished = read(stix, &settings).finish(&renderer, &mut memory);
    let mut write = || {
        let mut witnesses = Staged::open(folder, Claim::default())?;
        let index = finished.write_witnesses(&settings, &renderer, &mut memory, &mut witnesses)?;
        let names: Vec<&str> = options.targets.iter().map(|chosen| chosen.target.name()).collect();
        witnesses.commit(&names)?;
        Ok(index)
    };
    let index = write().map_err(ConvertError::Witnesses)?;
    let proved = |chosen: &Chosen| {
        let name = chosen.target.name();
        Some(verify(name, Some(chosen.target), index.targets.get(name)?, None, &folder.join(name)))
    };
    Ok(options.targets.iter().filter_map(proved).collect())
}

/// What is in `stix`, read.
fn read<'s>(stix: &[u8], settings: &'s Settings) -> Converter<'s> {
    const NAME: &str = "input";
    let mut converter = Converter::new(settings);
    let mut collector = Collector::default();
    if settings.wants_context() {
        converter.diagnostics.extend(read_context(&mut collector, NAME, BundleReader::new(stix)));
    }
    converter.read(NAME, stix, &collector.finish());
    converter
}

/// What [`compile`] and [`convert`] make.
#[derive(Debug)]
pub struct Conversion {
    /// The files by their paths below the output folder: `sigma/proc_creation_win_….yml`, `suricata/stixc.rules`.
    pub files: BTreeMap<String, Vec<u8>>,
    finished: Finished,
}

impl Conversion {
    fn new(converter: Converter<'_>, renderer: &Renderer) -> Self {
        let mut memory = Memory::default();
        let finished = converter.finish(renderer, &mut memory);
        Self { files: memory.files, finished }
    }

    /// What became of each indicator in each target.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        self.finished.report()
    }

    /// The verdict of each indicator in the target called `name`, in the order of the report. An indicator that is
    /// invalid, expired or left out has none.
    pub fn verdicts(&self, name: &str) -> impl Iterator<Item = Verdict> {
        self.finished.indicators.iter().filter_map(move |indicator| Some(indicator.targets.get(name)?.verdict))
    }

    /// Targets whose files could not be written: a template that does not render, numbers that are used up.
    #[must_use]
    pub fn failures(&self) -> &[EmitFailure] {
        &self.finished.failures
    }
}

/// Options that can't be met.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// There is no target of this name.
    #[error("there is no target {0:?}")]
    UnknownTarget(String),
    /// The mapping of a target is malformed or has unknown keys.
    #[error("{0}: {1}")]
    Mapping(&'static str, #[source] MappingError),
    /// A list of the user's guards can't be read, or is wrong.
    #[error(transparent)]
    Guard(GuardError),
    /// A template can't be read, or has a syntax error.
    #[error(transparent)]
    Template(TemplateError),
    /// Witnesses can't be written.
    #[cfg(feature = "witness")]
    #[error(transparent)]
    Witnesses(EmitError),
}
