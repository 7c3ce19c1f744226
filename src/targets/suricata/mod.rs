//! Suricata: rules for its network sensor (user guide of Suricata 7, "Suricata rules").
//!
//! One pattern gives several rules, one for each place where Suricata sees what it names: a domain name in DNS queries,
//! in TLS server names and in HTTP requests. Each rule asks for the whole of its field, so that it says what the pattern
//! says; where it can't, its metadata has the verdict and the codes of what is lost.
//!
//! Hashes of files are not written into rules but into lists beside them, one for each algorithm, because that is how
//! Suricata takes them. A list has one rule for all of its hashes; the line of each hash names its indicator, which is
//! where an alert leads. A hash that is asked for together with other things has a rule and a list of its own.
//!
//! The rules of a pattern keep their numbers for ever: see [`lock`].

mod buffer;
#[cfg(feature = "witness")]
mod compile;
mod emit;
#[cfg(feature = "witness")]
pub mod engine;
#[cfg(feature = "witness")]
pub mod export;
mod fragment;
mod hashes;
mod header;
pub mod lock;
mod lower;
mod native;
mod packets;
mod pcre;
mod pieces;
mod place;
mod protocol;
mod request;
#[cfg(feature = "witness")]
pub mod show;
mod signature;
mod test;
mod text;
mod url;
mod view;
mod xbits;

use super::{
    contract::{AnyBackend, Format, Options, Target},
    mapping::MappingError,
    native::{NativeFault, NativePolicy, NativeRule},
};

pub use emit::SEVERAL_HASHES;
pub use fragment::{DIRECTION, FORM, TOO_LONG};
pub use native::{ACTION, BITS, KEYWORD, NOT_A_RULE, SILENT, VARIABLE};
pub use pieces::{NEVER, ONE_HASH, TOO_MANY_RULES};
pub use url::{ENCRYPTED, PARTS};
pub use xbits::{COUNTED, SPLIT};

/// The time in which several observations have to lie where the pattern names none, in seconds: an hour.
const WINDOW: u64 = 3600;

/// The target.
pub static SURICATA: Suricata = Suricata { sids: lock::SidRange::LOCAL };

/// Suricata's rules.
#[derive(Debug, Clone, Copy)]
pub struct Suricata {
    /// The numbers that rules may get.
    pub sids: lock::SidRange,
}

impl Target for Suricata {
    fn name(&self) -> &'static str {
        "suricata"
    }

    fn about(&self) -> &'static str {
        "Rules for the network sensor Suricata 7 and later, with lists of file hashes"
    }

    fn formats(&self) -> &'static [Format] {
        &[
            Format {
                name: "rules",
                template: emit::RULES_TEMPLATE,
                source: include_str!("../../../templates/suricata/rules.hbs"),
                path: hashes::RULES,
                auxiliary: false,
                about: "One file of rules, in the order of their numbers",
            },
            Format {
                name: "md5",
                template: emit::RULES_TEMPLATE,
                source: include_str!("../../../templates/suricata/rules.hbs"),
                path: hashes::MD5,
                auxiliary: true,
                about: "Rules with MD5, where others have a stronger hash; they need hashes.yaml",
            },
            Format {
                name: "sha1",
                template: emit::RULES_TEMPLATE,
                source: include_str!("../../../templates/suricata/rules.hbs"),
                path: hashes::SHA1,
                auxiliary: true,
                about: "Rules with SHA-1, where others have SHA-256; they need hashes.yaml",
            },
            Format {
                name: "hashes",
                template: hashes::TEMPLATE,
                source: hashes::SOURCE,
                path: hashes::CONFIGURATION,
                auxiliary: true,
                about: "A part of suricata.yaml that has it compute all kinds of hashes",
            },
            Format {
                name: "native",
                template: emit::NATIVE_TEMPLATE,
                source: include_str!("../../../templates/suricata/native.hbs"),
                path: emit::NATIVE,
                auxiliary: true,
                about: "Rules that indicators bring along, compiled by Suricata",
            },
            Format {
                name: "unchecked",
                template: emit::NATIVE_TEMPLATE,
                source: include_str!("../../../templates/suricata/native.hbs"),
                path: emit::UNCHECKED,
                auxiliary: true,
                about: "Rules that indicators bring along, which no engine has compiled",
            },
            Format {
                name: "lists",
                template: emit::LISTS_TEMPLATE,
                source: include_str!("../../../templates/suricata/list.hbs"),
                path: emit::LISTS,
                auxiliary: true,
                about: "Lists of file hashes that the rules ask for",
            },
        ]
    }

    fn mapping(&self) -> &'static str {
        include_str!("../../../templates/suricata/mapping.toml")
    }

    fn codes(&self) -> &'static str {
        include_str!("../../../templates/suricata/codes.toml")
    }

    fn pattern_type(&self) -> Option<&'static str> {
        Some("suricata")
    }

    fn read_native(&self, text: &str, policy: &NativePolicy) -> Result<NativeRule, NativeFault> {
        native::read(text, policy)
    }

    fn prepare(&self, mapping: Option<&str>, options: Options) -> Result<Box<dyn AnyBackend>, MappingError> {
        Ok(Box::new(lower::Lowerer::new(place::Mapping::read_over(mapping, self.mapping())?, options, self.sids)))
    }

    #[cfg(feature = "witness")]
    fn compiler(&self) -> Option<Box<dyn super::compiler::Compiler>> {
        Some(Box::new(compile::Compile))
    }

    #[cfg(feature = "witness")]
    fn engine(&self) -> Option<Box<dyn super::proof::AnyEngine>> {
        Some(Box::new(engine::Suricata))
    }
}
