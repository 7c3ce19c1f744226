//! YARA 4, or yara-x: all files are scanned at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use super::engine::{Answer, Trouble, run, said};
use crate::witness::stage::index::{Place, Subject};

const RULES: &str = "stixc.yar";

pub(super) fn ask(folder: &Path, subjects: &[Subject]) -> Result<Answer, Trouble> {
    let (engine, mut command) = match run(Command::new("yara").arg("--version")) {
        Ok(version) => {
            let mut command = Command::new("yara");
            command.args(["--recursive", "--no-follow-symlinks"]);
            (format!("YARA {}", String::from_utf8_lossy(&version.stdout).trim()), command)
        }
        Err(Trouble::Missing(_)) => {
            let missing = |trouble| match trouble {
                Trouble::Missing(_) => Trouble::Missing("neither yara nor yr is installed".to_owned()),
                other => other,
            };
            let version = run(Command::new("yr").arg("--version")).map_err(missing)?;
            let mut command = Command::new("yr");
            command.arg("scan");
            (String::from_utf8_lossy(&version.stdout).trim().to_owned(), command)
        }
        Err(trouble) => return Err(trouble),
    };
    let output = run(command.arg(RULES).arg(".").current_dir(folder))?;
    if !output.status.success() {
        return Err(Trouble::Failed(said(&output)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut matches: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (rule, path) in text.lines().filter_map(|line| line.split_once(' ')) {
        matches.entry(path.trim_start_matches("./")).or_default().insert(rule.to_owned());
    }
    let heard = |place: &Place| match place {
        Place::File(path) => matches.get(path.as_str()).cloned().unwrap_or_default(),
        _ => BTreeSet::new(),
    };
    let fired = subjects.iter().map(|subject| subject.showings.iter().map(|showing| heard(&showing.place)).collect());
    Ok(Answer { engine, fired: fired.collect(), quiet: BTreeMap::new(), refused: Vec::new() })
}
