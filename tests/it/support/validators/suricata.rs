//! Suricata 7: does a file of rules load, and what does it alert on in a capture?

use std::{
    collections::BTreeSet,
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use stixc::targets::suricata::engine::{self, suricata};
use tempfile::TempDir;

use super::{Outcome, file, project, run, scratch};

/// One alert: which rule, and the client whose conversation caused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alert {
    /// The rule's `sid`.
    pub sid: u32,
    /// The end that opened the conversation, also when it is the answer that matched.
    pub client: IpAddr,
}

/// Loads the rules, as `suricata -T` does. Files that the rules name are looked for beside the rules' file, and so are
/// rules with other kinds of hashes, which are loaded with the configuration that they need.
///
/// A warning is a refusal: Suricata warns of a rule that it loads and that means something else.
#[track_caller]
pub fn check(rules: &Path) -> Outcome {
    let mut outcomes = loads(rules).map(|(folder, rules)| {
        let log = scratch();
        let mut outcome = run(suricata(&folder.path().join(YAML), &rules, log.path()).arg("-T"));
        // The form of these lines is set in the configuration; notices go to standard output, and warnings with them.
        outcome.accepted &= !outcome.output.lines().any(|line| line.starts_with("Warning: "));
        outcome
    });
    let first = outcomes.next().expect("the rules themselves");
    outcomes.fold(first, |all, one| Outcome {
        accepted: all.accepted && one.accepted,
        output: all.output + &one.output,
        errors: all.errors + &one.errors,
    })
}

/// The alerts of these rules in a capture (the bytes of a pcap file), each once.
///
/// The rules are loaded with [`check`] first: reading a capture, Suricata skips a rule that it can't load.
#[track_caller]
pub fn alerts(rules: &Path, capture: &[u8]) -> BTreeSet<Alert> {
    check(rules).assert_accepted();
    let alert = |alert: &engine::Alert| Some(Alert { sid: alert.sid, client: alert.client? });
    all(rules, capture).iter().filter_map(alert).collect()
}

/// The rule of each alert in a capture, and when the conversation that caused it began, in microseconds since 1970.
///
/// The rules are to be loaded with [`check`] first.
#[track_caller]
pub fn alarms(rules: &Path, capture: &[u8]) -> BTreeSet<(u32, u64)> {
    all(rules, capture).iter().map(|alert| (alert.sid, alert.start)).collect()
}

/// All alerts in a capture.
///
/// The rules are to be loaded with [`check`] first.
#[track_caller]
pub fn all(rules: &Path, capture: &[u8]) -> Vec<engine::Alert> {
    let folder = scratch();
    let capture = file(&folder, "witness.pcap", capture);
    let heard = |(folder, rules): (TempDir, PathBuf)| {
        engine::alerts(&folder.path().join(YAML), &rules, &capture, &[])
            .unwrap_or_else(|error| panic!("refused: {error:?}"))
    };
    loads(rules).flat_map(heard).collect()
}

const YAML: &str = "suricata.yaml";

/// The files of rules that are loaded, each with its configuration: these as Suricata is by itself, and others beside them
/// with that for all kinds of hashes.
fn loads(rules: &Path) -> impl Iterator<Item = (TempDir, PathBuf)> {
    let beside = ["md5.rules", "sha1.rules"].map(|name| rules.with_file_name(name));
    let beside = beside.into_iter().filter(|path| path.exists()).map(|path| (configuration("hashes.hbs"), path));
    std::iter::once((configuration("files.yaml"), rules.to_owned())).chain(beside)
}

/// A folder with the configuration of the proofs; `hashes` is what it has to say of hashes.
pub fn configuration(hashes: &str) -> TempDir {
    let folder = scratch();
    for (name, source) in [(YAML, "verify.yaml"), ("files.yaml", hashes)] {
        let text = fs::read(project(&format!("templates/suricata/{source}"))).expect("a template of ours");
        file(&folder, name, text);
    }
    folder
}
