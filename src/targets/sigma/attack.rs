//! ATT&CK tags: which techniques exist, and which tactics they serve.

use std::{collections::HashMap, sync::LazyLock};

/// Technique and its tactics, one a line, with a comment of several lines at its head.
static TABLE: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let lines = include_str!("../../../templates/sigma/attack.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).map(|(id, tactics)| (id, tactics.split(' ').collect())).collect()
});

/// The tactics of a technique (`T1059.001`); `None` for an id that ATT&CK does not have (any more).
pub(super) fn tactics(technique: &str) -> Option<&'static [&'static str]> {
    TABLE.get(technique).map(Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_techniques() {
        assert_eq!(tactics("T1059.001"), Some(["execution"].as_slice()));
        assert!(tactics("T1547.001").is_some_and(|tactics| tactics.contains(&"persistence")));
        assert_eq!(tactics("T9999"), None);
        assert!(TABLE.len() > 600);
    }
}
