//! The ids of rules, and the files in which they are.

use uuid::Uuid;

/// Rule ids are UUIDv5 in this namespace. It never changes: ids would.
const NAMESPACE: Uuid = Uuid::from_u128(0x8d6a_3f5c_94c1_4e0b_a7d2_51b0_6e3f_c9a8);

/// The id of the rule that an indicator has in a log source.
pub(super) fn id(indicator: &str, source: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{indicator}:{source}").as_bytes())
}

/// The file of a rule.
pub(super) fn path(source: &str, id: Uuid) -> String {
    format!("sigma/{source}_{}.yml", id.to_string().replace('-', "_"))
}
