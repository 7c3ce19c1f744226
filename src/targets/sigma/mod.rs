//! Sigma: one YAML file a rule, one rule for each log source that shows what an indicator describes.
//!
//! Sources: the Sigma specification 2.1.0 and the conventions of SigmaHQ's rules.

mod address;
mod attack;
mod correlation;
mod data_source;
mod detection;
mod draft;
mod emit;
#[cfg(feature = "witness")]
pub mod engine;
#[cfg(feature = "witness")]
pub mod export;
mod expression;
mod field_test;
mod identity;
mod join_path;
mod lower;
mod mapping_rows;
mod native;
mod regex;
mod regex_end;
mod registry;
mod rule;
#[cfg(feature = "witness")]
pub mod show;
mod text;
mod wildcard;

pub use field_test::{
    ACROSS_FOLDERS, ANY_ELEMENT, BELOW_KEY, COMBINATIONS, HASH_PRESENT, HIVE, INDEX, NEARBY_FIELD, PATH_PRESENT,
    PREFIX, REGEX, SUBFOLDERS, UNSENT,
};
pub use native::{NOT_A_RULE, NOT_YAML, REACHES_OUT, REPAIRED};
pub use text::{YamlBlock, YamlScalar};

use super::{
    contract::{AnyBackend, Format, Options, Target},
    mapping::MappingError,
    native::{NativeFault, NativePolicy, NativeRule},
};

const FORMAT: Format = Format {
    name: "rules",
    template: "rule.hbs",
    source: include_str!("../../../templates/sigma/rule.hbs"),
    path: "sigma/",
    auxiliary: false,
    about: "One YAML file a rule, in the conventions of SigmaHQ",
};

/// Rules that tie several observations, in one file with those that they tie.
const CORRELATION: Format = Format {
    name: "correlations",
    template: "correlation.hbs",
    source: include_str!("../../../templates/sigma/correlation.hbs"),
    path: "sigma/",
    auxiliary: true,
    about: "Correlations of several observations, behind the rules that they tie",
};

/// The Sigma target.
#[derive(Debug, Clone, Copy)]
pub struct Sigma;

impl Target for Sigma {
    fn name(&self) -> &'static str {
        "sigma"
    }

    fn about(&self) -> &'static str {
        "Sigma rules for log sources, one file a rule"
    }

    fn formats(&self) -> &'static [Format] {
        &[FORMAT, CORRELATION]
    }

    fn mapping(&self) -> &'static str {
        include_str!("../../../templates/sigma/mapping.toml")
    }

    fn codes(&self) -> &'static str {
        include_str!("../../../templates/sigma/codes.toml")
    }

    fn pattern_type(&self) -> Option<&'static str> {
        Some("sigma")
    }

    fn read_native(&self, text: &str, _policy: &NativePolicy) -> Result<NativeRule, NativeFault> {
        native::take(text)
    }

    fn prepare(&self, mapping: Option<&str>, options: Options) -> Result<Box<dyn AnyBackend>, MappingError> {
        let read = |own| mapping_rows::read(own, self.mapping());
        Ok(Box::new(lower::Compiler::new(read(mapping)?, read(None)?, &options)))
    }

    #[cfg(feature = "witness")]
    fn engine(&self) -> Option<Box<dyn super::proof::AnyEngine>> {
        Some(Box::new(engine::Evaluator::installed()))
    }
}

/// Shows witnesses in the logs of the mapping in use.
#[cfg(feature = "witness")]
fn exported(
    compiler: &lower::Compiler,
    tested: Vec<super::proof::Tested<'_>>,
    written: &[super::proof::File],
) -> super::proof::Exported {
    super::proof::export(export::Events::new(compiler, &tested), tested, written)
}
