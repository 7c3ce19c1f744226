//! Events as they stand in the index of a folder of witnesses, and as evaluators read them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// An event of a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEvent {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub at: f64,
    /// `category`, `product`, `service`, as far as the log has them.
    pub logsource: BTreeMap<String, String>,
    /// Field names with strings and numbers.
    pub fields: Map<String, Json>,
}
