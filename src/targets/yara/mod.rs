//! YARA: rules about the content of files.
//!
//! What comes out is the intersection of what YARA 4.2 and YARA-X read. One pattern is one rule; its alternatives are joined by `or` in
//! the condition. A rule tells what a file holds, never what it is called or who opened it, so most of STIX has no place here, and
//! the mapping says why.

#[cfg(feature = "witness")]
mod compile;
mod condition;
mod draft;
mod emit;
#[cfg(feature = "witness")]
pub mod engine;
#[cfg(feature = "witness")]
pub mod export;
mod lower;
mod native;
mod text;
mod view;

use super::{
    contract::{AnyBackend, Format, Options, Target},
    mapping::{Mapping, MappingError},
    native::{NativeFault, NativePolicy, NativeRule},
};
use crate::diagnostic::Code;

pub use native::{GLOBAL, MODULE, UNKNOWN_NAME};

/// The file of compiled rules.
const RULES: &str = "yara/stixc.yar";
/// The file of ready-made rules that the engine has compiled.
const NATIVE: &str = "yara/native.yar";
/// The file of the other ones.
const UNCHECKED: &str = "yara/unchecked.yar";

/// The template of compiled rules.
const TEMPLATE: &str = "rules.hbs";
/// The template of ready-made rules.
const NATIVE_TEMPLATE: &str = "native.hbs";

/// The mapping says that the place holds more than the property does.
pub const WIDER_PLACE: Code = Code("L150");
/// A ready-made rule that is no YARA rule.
pub const NO_RULE: Code = Code("R150");
/// A ready-made rule that reads other files.
pub const INCLUDES: Code = Code("R151");

/// The target.
pub static YARA: Yara = Yara;

/// Rules for YARA and YARA-X.
pub struct Yara;

static FORMATS: [Format; 3] = [
    Format {
        name: "rules",
        template: TEMPLATE,
        source: include_str!("../../../templates/yara/rules.hbs"),
        path: RULES,
        auxiliary: false,
        about: "One file of rules for YARA 4.2 or later and YARA-X",
    },
    Format {
        name: "native",
        template: NATIVE_TEMPLATE,
        source: include_str!("../../../templates/yara/native.hbs"),
        path: NATIVE,
        auxiliary: true,
        about: "Rules that indicators bring along, compiled by YARA",
    },
    Format {
        name: "unchecked",
        template: NATIVE_TEMPLATE,
        source: include_str!("../../../templates/yara/native.hbs"),
        path: UNCHECKED,
        auxiliary: true,
        about: "Rules that indicators bring along, which no engine has compiled",
    },
];

impl Target for Yara {
    fn name(&self) -> &'static str {
        "yara"
    }

    fn about(&self) -> &'static str {
        "Rules about the content of files: hashes, size, fields of Windows programs"
    }

    fn formats(&self) -> &'static [Format] {
        &FORMATS
    }

    fn mapping(&self) -> &'static str {
        include_str!("../../../templates/yara/mapping.toml")
    }

    fn codes(&self) -> &'static str {
        include_str!("../../../templates/yara/codes.toml")
    }

    fn pattern_type(&self) -> Option<&'static str> {
        Some("yara")
    }

    fn read_native(&self, text: &str, _policy: &NativePolicy) -> Result<NativeRule, NativeFault> {
        native::read(text)
    }

    fn prepare(&self, mapping: Option<&str>, options: Options) -> Result<Box<dyn AnyBackend>, MappingError> {
        Ok(Box::new(lower::Files::new(Mapping::read_over(mapping, self.mapping())?, options)))
    }

    #[cfg(feature = "witness")]
    fn compiler(&self) -> Option<Box<dyn super::compiler::Compiler>> {
        Some(Box::new(compile::Compile))
    }

    #[cfg(feature = "witness")]
    fn engine(&self) -> Option<Box<dyn super::proof::AnyEngine>> {
        Some(Box::new(engine::Yara))
    }
}
