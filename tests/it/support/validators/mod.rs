//! The validators of outputs, and the programs that they are made for where no target drives them by itself: run as
//! their users run them.
//!
//! A test that uses one is ignored in plain `cargo test`, and its name begins with its engines, which is how
//! `tests/run` knows whether it can run: `suricata_…`, `yara_…`, `yarax_…`, `nft_…`, `named_…`, `dnsmasq_…`,
//! `unbound_…`, `sigma_…`, `rsigma_…`, `stix2patterns_…`, `medallion_…`, `git_…`, `systemd_…`, and
//! `corpus_…` for data that lies beside the project.

pub mod blocklist;
pub mod sigma;
pub mod stix_pattern;
pub mod suricata;
pub mod yara;

use std::{
    collections::BTreeMap,
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// What an engine made of its input.
#[derive(Debug)]
pub struct Outcome {
    /// Whether it took the input without an error and, where an engine tells them apart, without a warning.
    pub accepted: bool,
    /// What it wrote to standard output.
    pub output: String,
    /// What it wrote to standard error.
    pub errors: String,
}

impl Outcome {
    /// Fails the test, with what the engine said, unless the engine accepted its input.
    #[track_caller]
    pub fn assert_accepted(&self) {
        assert!(self.accepted, "refused:\n{}{}", self.output, self.errors);
    }

    /// Fails the test unless the engine refused its input and gave this reason.
    #[track_caller]
    pub fn assert_refused(&self, reason: &str) {
        assert!(!self.accepted, "accepted:\n{}{}", self.output, self.errors);
        let said = format!("{}{}", self.output, self.errors);
        assert!(said.contains(reason), "refused for another reason than `{reason}`:\n{said}");
    }
}

/// Runs a command to its end. Fails the test if it is not there.
#[track_caller]
pub fn run(command: &mut Command) -> Outcome {
    let name = command.get_program().to_owned();
    let result = command.stdin(Stdio::null()).env("LC_ALL", "C.UTF-8").output();
    let done = result.unwrap_or_else(|error| panic!("{}: {error}; tests/run installs it", name.display()));
    Outcome {
        accepted: done.status.success(),
        output: String::from_utf8_lossy(&done.stdout).into_owned(),
        errors: String::from_utf8_lossy(&done.stderr).into_owned(),
    }
}

/// A command for one of the scripts in `tests/engines`, in the Python environment that `tests/run` makes.
pub fn python(script: &str) -> Command {
    let mut command = Command::new(python_program());
    command.arg(project(script)).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// The Python that has the engines: `STIXC_PYTHON`, or that of `tests/run`.
pub fn python_program() -> PathBuf {
    match env::var_os("STIXC_PYTHON") {
        Some(python) if !python.is_empty() => python.into(),
        _ => project(".engines/venv/bin/python"),
    }
}

/// A file or folder of the project, by its path from the root.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A folder that goes when the test ends.
pub fn scratch() -> TempDir {
    TempDir::new().expect("a temporary folder")
}

/// Puts the files of a run into a folder, and returns the path of the one called `name` in it.
pub fn on_disk(files: &BTreeMap<String, Vec<u8>>, name: &str) -> (TempDir, PathBuf) {
    let folder = scratch();
    for (path, bytes) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder in the temporary folder");
        fs::write(path, bytes).expect("a file in the temporary folder");
    }
    let path = folder.path().join(name);
    (folder, path)
}

/// Writes a file in `folder` and returns its path.
pub fn file(folder: &TempDir, name: impl AsRef<OsStr>, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(Path::new(name.as_ref()));
    fs::write(&path, content).expect("a file in the temporary folder");
    path
}
