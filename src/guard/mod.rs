//! What must never be blocked or alerted on, whatever a feed says.
//!
//! A [`Guard`] is made of lists: those that are built in (`templates/guard/`), and the user's own. Each list has a name, a
//! source and a date, and an [`Action`] for targets that block and for those that detect, which the user may change for
//! each target. A [`Policy`] is the guard as one target sees it; [`apply`](Policy::apply) takes out of a plan what its
//! lists drop.
//!
//! An alternative that is nothing but guarded addresses or names is taken out. One that has other evidence too (a hash, a
//! file name, an address outside the guarded ranges) stays as it is, for there a private address only narrows it. Of a
//! prefix that holds guarded addresses, a target that blocks gets what is left when they are subtracted, exactly.

mod apply;
pub mod breadth;
mod builtin;
mod embedded;
mod engine;
mod entry;
mod error;
mod everyday;
mod evidence;
mod list;
mod misp;
mod networks;
mod policy;
mod subtract;
mod user;
mod width;

use crate::diagnostic::Code;

pub use apply::Guarded;
pub use engine::Guard;
pub use error::GuardError;
pub use evidence::{Comparison, Evidence, Weight};
pub use list::{List, ListHead};
pub use policy::{Judgement, Policy};
pub use subtract::subtract;
pub use user::{Allowed, GuardOptions, Popular, Rule, Scope};
pub use width::{Width, WidthError};

/// An address in a range that is not somebody's on the Internet: private, loopback, multicast and so on.
pub const SPECIAL_RANGE: Code = Code("G001");
/// A prefix so short that it holds much of the Internet.
pub const TOO_WIDE: Code = Code("G002");
/// A public suffix: everybody's parent domain.
pub const PUBLIC_SUFFIX: Code = Code("G003");
/// An address or name that everybody needs: a resolver, a time server, where systems are updated, a large site.
pub const NEEDED_BY_ALL: Code = Code("G004");
/// Something on a list of the user.
pub const USER_LIST: Code = Code("G005");
/// A name with a special use.
pub const SPECIAL_NAME: Code = Code("G006");
/// The digest of nothing, or of a text that everybody has.
pub const HARMLESS_DIGEST: Code = Code("G007");
/// A documentation address: kept, but surely an example.
pub const DOCUMENTATION: Code = Code("G010");
/// Guarded, but kept, as the user wants it or the list is one that only warns.
pub const KEPT: Code = Code("G011");
/// A list that holds too much of the address space.
pub const TOO_MUCH: Code = Code("G013");

/// What is done about a value on a list. The strongest of all lists counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Nothing.
    Ignore,
    /// It is kept, with a note.
    Note,
    /// It is kept; a detection gets a lower level, and says why.
    Warn,
    /// It is left out.
    Drop,
}

impl Action {
    /// All, the strongest last.
    pub const ALL: [Self; 4] = [Self::Ignore, Self::Note, Self::Warn, Self::Drop];

    /// The word in files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Drop => "drop",
        }
    }

    /// The action with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// What a target does with its rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// It refuses what they name: a blocklist.
    Blocking,
    /// It tells of what they name.
    Detecting,
}
