//! What the standard says about each property: its type, what a reference may point to, its name in STIX 2.0.
//!
//! The table itself is data: `standard.txt` follows section 6 of STIX 2.1 object by object. Two questions
//! are asked of it: what a path means ([`resolve`]), and which properties there are ([`properties`]).

mod hash;
mod index;
mod kind;
mod spelling;
mod suggest;
mod table;
mod walk;

use std::borrow::Cow;

pub use hash::HashAlgorithm;
pub use kind::{Bounds, Definition, Origin, PropertyType, Structure, Text, Vocabulary};
pub use suggest::{nearest, suggestion};
pub(super) use walk::Walk;

use crate::pattern::ObjectPath;

/// What the schema knows about a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The path in the spelling of STIX 2.1: `file:hashes.'SHA-256'` for `file:hashes.sha256`. Keys are quoted only
    /// where the grammar demands it; an index stays (`values[0]`). Borrowed wherever the table has the text.
    pub path: Cow<'static, str>,
    /// The row of [`properties`] under which the path falls: as `path`, but with `[*]` for every index and `.*` for
    /// the key of a dictionary. `None` for what the table does not have, and beyond a second reference.
    pub property: Option<&'static str>,
    /// The type of what the path leads to; [`PropertyType::Any`] where the table does not say.
    pub kind: PropertyType,
    /// The types that the last reference on the way may point to; empty where the path passes through none.
    pub referenced: &'static [&'static str],
    /// How well the path is known.
    pub status: Status,
}

/// How well a path is known. Where several apply, the one furthest down this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The standard has it, in this spelling.
    Known,
    /// The standard has it in another spelling: a name of STIX 2.0, another way to write a hash algorithm, a header
    /// field in other case.
    Renamed {
        /// Which step of the path.
        step: usize,
        /// Whether both mean the same. Only `process:name` does not: STIX 2.1 knows the name of the image.
        exact: bool,
    },
    /// A list is stepped into as if it were one value: `values.data` for `values[*].data`, which is how it is read.
    ImpliedElement {
        /// Which step of the path; the one behind the list.
        step: usize,
    },
    /// STIX 2.0 has it, 2.1 has nothing in its place: `process:arguments`.
    Removed {
        /// Which step of the path.
        step: usize,
    },
    /// A custom object type (`x-…`), property (`x_…`), extension, or a hash algorithm that the standard does not
    /// list: allowed, with any values.
    Custom,
    /// No such property. [`suggestion`] may know what was meant.
    UnknownProperty {
        /// Which step of the path.
        step: usize,
    },
    /// No such object type. [`suggestion`] may know what was meant.
    UnknownType,
}

/// Looks a path up.
///
/// Costs a binary search per step. Paths that patterns use often need no allocation; only an index, the key of a
/// dictionary, a second reference and what the table does not have do.
///
/// ```
/// use stixc::pattern::{ObjectPath, PathStep, PathStepKind};
/// use stixc::plan::schema::{self, Status};
/// use stixc::span::Span;
///
/// let key = |name: &'static str| PathStep { kind: PathStepKind::Property(name.into()), span: Span::default() };
/// let path = ObjectPath {
///     object_type: "file",
///     type_span: Span::default(),
///     steps: vec![key("hashes"), key("sha256")],
///     span: Span::default(),
/// };
/// let resolved = schema::resolve(&path);
/// assert_eq!(resolved.path, "file:hashes.'SHA-256'");
/// assert_eq!(resolved.status, Status::Renamed { step: 1, exact: true });
/// ```
#[must_use]
pub fn resolve(path: &ObjectPath<'_>) -> Resolved {
    walk::Walk::along(path, true).finish()
}

/// A property of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Property {
    /// Its path, `[*]` for an element of a list, `.*` for any key of a dictionary.
    pub path: &'static str,
    /// Its type, never a list, dictionary or object.
    pub kind: PropertyType,
    /// Whether every object has it (`type`, `id`, `defanged` …).
    pub common: bool,
    /// Whether only STIX 2.0 has it.
    pub removed: bool,
}

/// All properties that can be compared with a literal, object type by object type in the order of the alphabet.
///
/// Properties behind a reference are not repeated: of `network-traffic:dst_ref.value` there is
/// `network-traffic:dst_ref`, and the properties of the types it may point to.
///
/// ```
/// use stixc::plan::schema;
/// let paths: Vec<_> = schema::properties().map(|property| property.path).collect();
/// assert!(paths.contains(&"file:hashes.MD5"));
/// assert!(paths.contains(&"network-traffic:protocols[*]"));
/// assert!(paths.contains(&"network-traffic:extensions.'http-request-ext'.request_header.*"));
/// ```
pub fn properties() -> impl Iterator<Item = Property> {
    let rows = index::index().nodes().iter();
    rows.filter(|node| node.kind.is_value() && !node.referred && node.row.is_none() && node.path.contains(':'))
        .map(|node| Property { path: &node.path, kind: node.kind, common: node.common, removed: node.removed })
}
