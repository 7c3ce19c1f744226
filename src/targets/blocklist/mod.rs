//! Blocklists: what a firewall, a resolver, a proxy or an endpoint refuses by itself.
//!
//! An entry stands alone: no list can say "this address, but only on that port". So an alternative of a pattern becomes
//! an entry only where it is one positive test on a value that names the thing by itself, and by default nothing broader
//! than the pattern is written. Neither does a list say in which direction an address is refused: the addresses of
//! `src_ref` and `dst_ref` are both addresses that the pattern names, and both go in; the rule that uses the list gives the
//! direction. Only a pattern that names different ends for different entries has no such rule. A name stands for exactly that name, not for those below it, and a URL never puts its host on a list.

mod collect;
#[cfg(feature = "witness")]
pub mod engine;
mod entry;
mod expand;
#[cfg(feature = "witness")]
pub mod export;
mod list;
mod lower;
#[cfg(feature = "witness")]
pub mod show;

use self::list::{FORMATS, LISTS, List};
use super::{
    contract::{AnyBackend, Format, Options, Target},
    mapping::{Mapping, MappingError},
};
use crate::{diagnostic::Code, plan::adapt::Accept};

/// Tests that would all have to hold for one entry.
pub const SEVERAL_TESTS: Code = Code("L140");
/// Entries of one pattern that are about different ends of a connection.
pub const ENDS: Code = Code("L141");
/// Names that a format can't hold; they stand in the other lists.
pub const OMITTED: Code = Code("R140");

/// The target with all its formats.
pub static BLOCKLIST: Blocklist = Blocklist { lists: LISTS, formats: &FORMATS };

/// Lists of addresses, names, URLs and file hashes in several formats.
pub struct Blocklist {
    lists: &'static [List],
    formats: &'static [Format],
}

impl Target for Blocklist {
    fn name(&self) -> &'static str {
        "blocklist"
    }

    fn about(&self) -> &'static str {
        "Addresses, names, URLs and file hashes to refuse, as plain lists, nftables sets, an RPZ zone and a hosts file"
    }

    fn formats(&self) -> &'static [Format] {
        self.formats
    }

    fn mapping(&self) -> &'static str {
        include_str!("../../../templates/blocklist/mapping.toml")
    }

    fn codes(&self) -> &'static str {
        include_str!("../../../templates/blocklist/codes.toml")
    }

    fn accepts(&self) -> Accept {
        Accept::BLOCKING
    }

    fn is_blocking(&self) -> bool {
        true
    }

    fn wants_metadata(&self) -> bool {
        false
    }

    fn prepare(&self, mapping: Option<&str>, options: Options) -> Result<Box<dyn AnyBackend>, MappingError> {
        Ok(Box::new(lower::Lists::new(Mapping::read_over(mapping, self.mapping())?, options, self.lists)))
    }

    #[cfg(feature = "witness")]
    fn engine(&self) -> Option<Box<dyn super::proof::AnyEngine>> {
        Some(Box::new(engine::ListReader))
    }
}
