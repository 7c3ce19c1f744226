//! STIX objects as feeds really send them: bundles read as a stream, indicators, and what the other objects say about them.
//!
//! ```text
//! bytes ──► BundleReader ──► Batch of raw objects ──┬─ first pass:  Collector ──► Context
//!                                                   └─ second pass: Indicator ──► Context::provenance ──► Provenance
//! ```
//!
//! Nothing here panics or gives up because of one bad object: what can't be read is a [`Fault`] with its position, and
//! the rest goes on. STIX 2.0, 2.1 and the mixtures of both are read alike; no property decides on a version.
//!
//! ```
//! use stixc::stix::{BundleReader, Indicator};
//!
//! let file = br#"{"type": "bundle", "objects": [
//!     {"type": "indicator", "id": "indicator--1", "pattern": "[url:value = 'http://a.example/']"}]}"#;
//! for batch in BundleReader::new(file.as_slice()) {
//!     assert!(batch.faults.is_empty());
//!     for object in batch.objects() {
//!         assert_eq!(object.object_type().as_deref(), Some("indicator"));
//!         let indicator = Indicator::parse(object.raw).expect("a good indicator");
//!         assert_eq!(indicator.pattern, "[url:value = 'http://a.example/']");
//!     }
//! }
//! ```

mod batch;
mod bundle;
mod context;
mod fault;
mod fingerprint;
mod foreign;
mod frame;
mod head;
mod id;
mod indicator;
mod lenient;
mod marking;
mod object;
mod position;

mod scan;
mod tally;
mod timestamp;

pub use batch::{Batch, Object};
pub use bundle::{BundleReader, OBJECT_LIMIT};
pub use context::{Collector, Context, Provenance};
pub use fault::{Fault, ObjectError, ObjectErrorKind};
pub use head::{Head, Role, precedence};
pub use id::{Key, KeyHasher, KeyMap, KeyState};
pub use indicator::{ExternalReference, Indicator, KillChainPhase, PatternType, Status};
pub use marking::{Tlp, TlpError};
pub use object::object_type;
pub use position::{Position, Quoted, json_range};
pub use tally::Tally;
pub use timestamp::{Timestamp, TimestampError};

/// The codes that this room reports.
pub mod codes {
    use crate::diagnostic::Code;

    /// Whether an error with this code is about one object that says what can't be used, and not about the text of the
    /// input: all others are there.
    #[must_use]
    pub fn costs_one_object(code: Code) -> bool {
        matches!(code, MISSING | WRONG_TYPE | DUPLICATE)
    }

    /// The input could not be read further.
    pub const UNREADABLE: Code = Code("S001");
    /// The input is not JSON.
    pub const NOT_JSON: Code = Code("S003");
    /// The input ends too early.
    pub const TRUNCATED: Code = Code("S004");
    /// One object is larger than the limit.
    pub const TOO_LARGE: Code = Code("S005");
    /// The text of one object is not JSON.
    pub const BAD_OBJECT: Code = Code("S006");
    /// A property that is needed is missing.
    pub const MISSING: Code = Code("S007");
    /// A property that is needed has the wrong type.
    pub const WRONG_TYPE: Code = Code("S008");
    /// A property that is not needed was ignored.
    pub const IGNORED: Code = Code("S009");
    /// Something between the objects is no object.
    pub const STRAY: Code = Code("S010");
    /// The input holds nothing.
    pub const EMPTY: Code = Code("S011");
    /// Lists within lists beyond any sense.
    pub const TOO_DEEP: Code = Code("S012");
    /// Text between the objects that is not JSON.
    pub const BAD_JSON: Code = Code("S016");
    /// The input is JSON, but of something else.
    pub const FOREIGN: Code = Code("S017");
    /// One object gives a property twice.
    pub const DUPLICATE: Code = Code("S013");
}
