//! What reads blocklists: nftables, BIND, dnsmasq, unbound. Each only checks a file, or is put to use in a network namespace
//! of its own.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsStr,
    fs::File,
    path::Path,
    process::{Command, Stdio},
};

use super::{Outcome, file, project, run, scratch};

/// A command that runs in a network namespace of its own.
///
/// `STIXC_NETNS` is the command that makes one, if `unshare --net` is not allowed here.
fn in_namespace(program: impl AsRef<OsStr>) -> Command {
    let namespace = env::var("STIXC_NETNS").ok().filter(|command| !command.trim().is_empty());
    let namespace = namespace.unwrap_or_else(|| "unshare --net".to_owned());
    let mut words = namespace.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).arg(program);
    command
}

/// Checks a file with `nft -c`, against the kernel of a network namespace of its own.
#[track_caller]
pub fn nft(rules: &Path) -> Outcome {
    run(in_namespace("nft").args(["-c", "-f"]).arg(rules))
}

/// The addresses to which nothing can be sent once these sets are loaded and used as their comment says.
#[track_caller]
pub fn rejected(rules: &Path, addresses: &BTreeSet<String>) -> BTreeSet<String> {
    asked("firewall.py", &[rules.as_os_str()], addresses)
}

/// The names that unbound keeps back by this response policy zone.
#[track_caller]
pub fn kept_back_by_zone(zone: &Path, names: &BTreeSet<String>) -> BTreeSet<String> {
    asked("resolver.py", &["rpz".as_ref(), zone.as_os_str()], names)
}

/// The names that dnsmasq keeps back by this hosts file.
#[track_caller]
pub fn kept_back_by_hosts(hosts: &Path, names: &BTreeSet<String>) -> BTreeSet<String> {
    asked("resolver.py", &["hosts".as_ref(), hosts.as_os_str()], names)
}

/// Those of `things` that a script of `tests/engines`, in a network namespace of its own, names.
#[track_caller]
fn asked(script: &str, arguments: &[&OsStr], things: &BTreeSet<String>) -> BTreeSet<String> {
    let folder = scratch();
    let input = file(&folder, "things.json", serde_json::to_vec(things).expect("texts as JSON"));
    let mut command = in_namespace("python3");
    command.arg(project("tests/engines").join(script)).args(arguments).stdin(File::open(input).expect("the input"));
    let done = command.stderr(Stdio::inherit()).output().expect("Python and network namespaces");
    assert!(done.status.success(), "tests/engines/{script} failed");
    serde_json::from_slice(&done.stdout).expect("the report of a script of tests/engines")
}

/// Checks a zone with BIND's `named-checkzone`; a name that is no host name is an error.
#[track_caller]
pub fn named(zone: &str, file: &Path) -> Outcome {
    run(Command::new("named-checkzone").args(["-k", "fail"]).arg(zone).arg(file))
}

/// Checks a configuration with `dnsmasq --test`. It does not read the files that the configuration names.
#[track_caller]
pub fn dnsmasq(configuration: &Path) -> Outcome {
    run(Command::new("dnsmasq").arg("--test").arg("-C").arg(configuration))
}

/// Checks a configuration with `unbound-checkconf`.
#[track_caller]
pub fn unbound(configuration: &Path) -> Outcome {
    run(Command::new("unbound-checkconf").arg(configuration))
}
