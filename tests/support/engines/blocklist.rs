//! What reads blocklists: nftables, BIND, dnsmasq, unbound. Each only checks; nothing is loaded.

use std::{env, path::Path, process::Command};

use super::{Outcome, run};

/// Checks a file with `nft -c`, against the kernel of a network namespace of its own.
///
/// `STIXC_NETNS` is the command that makes one, if `unshare --net` is not allowed here.
#[track_caller]
pub fn nft(rules: &Path) -> Outcome {
    let namespace = env::var("STIXC_NETNS").unwrap_or_default();
    let mut words = namespace.split_whitespace();
    let mut command = match words.next() {
        Some(program) => Command::new(program),
        None => {
            let mut command = Command::new("unshare");
            command.arg("--net");
            command
        }
    };
    run(command.args(words).args(["nft", "-c", "-f"]).arg(rules))
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
