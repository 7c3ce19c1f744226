//! Which file the rules for each kind of file hash are in.
//!
//! Suricata 7 computes only one kind of hash of a file, the first one that the rules ask for: one rule with an MD5 silences
//! all with a SHA-256. So the strongest kind of a run has its place in the main file, and rules with another kind have
//! files of their own, to be loaded with a configuration that has Suricata compute all of them (user guide, "Eve JSON
//! Output", Files, `force-hash`).

use std::collections::BTreeSet;

use crate::plan::HashAlgorithm;

/// Where the rules are.
pub const RULES: &str = "suricata/stixc.rules";
/// Where rules with an MD5 are, beside others with a stronger hash.
pub const MD5: &str = "suricata/md5.rules";
/// Where rules with a SHA-1 are, beside others with a SHA-256.
pub const SHA1: &str = "suricata/sha1.rules";
/// Where the configuration is that these need.
pub const CONFIGURATION: &str = "suricata/hashes.yaml";
/// The configuration: what belongs to `outputs.eve-log.types.files`.
pub const SOURCE: &str = include_str!("../../../templates/suricata/hashes.hbs");
/// The template of the configuration.
pub const TEMPLATE: &str = "hashes.hbs";

/// The path of a file of rules below the target's folder.
pub fn below(path: &'static str) -> &'static str {
    path.strip_prefix("suricata/").unwrap_or(path)
}

/// The kinds of hashes that the rules of a run ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashFiles(BTreeSet<HashAlgorithm>);

impl HashFiles {
    /// For rules that ask for these.
    pub fn new(algorithms: impl Iterator<Item = HashAlgorithm>) -> Self {
        Self(algorithms.collect())
    }

    fn strongest(&self) -> Option<HashAlgorithm> {
        self.0.iter().copied().max_by_key(|algorithm| algorithm.digits())
    }

    /// The kinds that are not in the main file, and the one that is; `None` where all rules are there.
    pub fn apart(&self) -> Option<(Vec<HashAlgorithm>, HashAlgorithm)> {
        let strongest = self.strongest()?;
        let others: Vec<_> = self.0.iter().copied().filter(|algorithm| *algorithm != strongest).collect();
        (!others.is_empty()).then_some((others, strongest))
    }

    /// The file of a rule that asks for these.
    pub fn file(&self, asked: impl Iterator<Item = HashAlgorithm>) -> &'static str {
        let strongest = self.strongest();
        match asked.filter(|algorithm| Some(*algorithm) != strongest).min_by_key(|algorithm| algorithm.digits()) {
            Some(HashAlgorithm::Md5) => MD5,
            Some(HashAlgorithm::Sha1) => SHA1,
            _ => RULES,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_kind_is_in_the_main_file() {
        use HashAlgorithm::{Md5, Sha1, Sha256};
        let file = |run: &[HashAlgorithm], asked: &[HashAlgorithm]| {
            HashFiles::new(run.iter().copied()).file(asked.iter().copied())
        };
        assert_eq!(file(&[Md5], &[Md5]), RULES);
        assert_eq!(file(&[Md5, Sha1], &[Md5]), MD5);
        assert_eq!(file(&[Md5, Sha1], &[Sha1]), RULES);
        assert_eq!(file(&[Md5, Sha1, Sha256], &[Sha1]), SHA1);
        assert_eq!(file(&[Md5, Sha256], &[Sha256]), RULES);
        assert_eq!(file(&[Md5, Sha256], &[]), RULES);
        assert_eq!(HashFiles::new([Sha256].into_iter()).apart(), None);
        assert_eq!(HashFiles::new([Md5, Sha256].into_iter()).apart(), Some((vec![Md5], Sha256)));
    }
}
