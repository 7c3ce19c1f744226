//! The examples, run as their users run them.
#![cfg(all(feature = "store", feature = "taxii"))]

mod ci;
mod custom_target;
mod firewall;
mod sensor;
#[path = "../../../examples/custom_target.rs"]
mod zeek;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{self, project::Project, validators::run};

/// A file of the examples.
fn example(path: &str) -> PathBuf {
    support::validators::project("examples").join(path)
}

/// The configuration of an example, with its state beside it.
fn configured(name: &str) -> Project {
    let config = fs::read_to_string(example(name).join("stixc.toml")).unwrap();
    Project::new(&config.replace(&format!("/var/lib/stixc-{name}/"), "state/"))
}

/// The PATH of a machine on which the program is installed, after `first`.
fn search_path(first: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_stixc")).parent().unwrap();
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = [first.to_owned(), program.to_owned()].into_iter().chain(env::split_paths(&path));
    env::join_paths(folders).unwrap().into_string().unwrap()
}

#[test]
fn scripts_have_no_errors_of_syntax() {
    for script in ["ci/update.sh", "firewall/stixc-firewall", "sensor/stixc-sensor"] {
        run(Command::new("sh").arg("-n").arg(example(script))).assert_accepted();
    }
}

#[test]
fn configurations_are_understood() {
    for name in ["ci", "firewall", "sensor"] {
        let config = stixc::pipeline::Config::read(&example(name).join("stixc.toml"));
        config.unwrap_or_else(|error| panic!("{name}: {:?}", error.diagnostics));
    }
}
