//! Blocklists: what a firewall, a resolver, a proxy or an endpoint refuses by itself.
//!
//! An entry stands alone: no list can say "this address, but only on that port". So an alternative of a pattern becomes
//! an entry only where it is one positive test on a value that names the thing by itself, and by default nothing broader
//! than the pattern is written. Neither does a list say in which direction an address is refused: the addresses of
//! `src_ref` and `dst_ref` are both addresses that the pattern names, and both go in; the rule that uses the list gives the
//! direction. Only a pattern that names different ends for different entries has no such rule. A name stands for exactly that name, not for those below it, and a URL never puts its host on a list.

mod address;
mod collect;
mod entry;
mod expand;
mod list;
mod lower;
mod read_back;

use self::list::{FORMATS, LISTS, List};
use super::{
    contract::{Emission, EmitError, Format, Lower, Options, ReadBack, Rule, Target},
    mapping::{Mapping, MappingError},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    plan::adapt::Accept,
};

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
        "addresses, names, URLs and file hashes to refuse, as plain lists, nftables sets, an RPZ zone and a hosts file"
    }

    fn formats(&self) -> &'static [Format] {
        self.formats
    }

    fn mapping(&self) -> &'static str {
        include_str!("../../../templates/blocklist/mapping.toml")
    }

    fn accepts(&self) -> Accept {
        Accept::BLOCKING
    }

    fn wants_metadata(&self) -> bool {
        false
    }

    fn prepare(&self, mapping: &str, options: Options) -> Result<Box<dyn Lower>, MappingError> {
        Ok(Box::new(lower::Lists::new(Mapping::read(mapping)?, options.accept)))
    }

    fn read_back(&self, path: &str, text: &str) -> Vec<ReadBack> {
        let list = self.lists.iter().find(|list| list.format.path == path);
        list.map(|list| read_back::entries(list, text)).unwrap_or_default()
    }

    fn emit(&self, rules: Vec<Rule>, emission: &mut dyn Emission) -> Result<(), EmitError> {
        let collected = collect::collect(&rules, |index, ids| emission.name(index, ids));
        for list in self.lists {
            let omitted = collected.omitted(list);
            if let Some(first) = omitted.first() {
                let message = format!(
                    "{}: left out {} that this format can't hold, the first is {first}",
                    list.format.name,
                    omitted.len()
                );
                emission.say(Diagnostic::warning(OMITTED, message));
            }
            let layout = expand::Layout::new(list, &collected, emission)?;
            emission.file(list.format.path, &mut |out| layout.write(list, &collected, out))?;
        }
        Ok(())
    }
}
