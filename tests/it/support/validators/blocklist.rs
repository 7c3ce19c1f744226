//! What reads blocklists: nftables, BIND, dnsmasq, unbound. Each only checks a file, or is put to use in a network namespace
//! of its own.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsStr,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use stixc::targets::blocklist::engine::{NAMED_CHECKZONE, NFT};

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

/// A shell that runs in a network namespace of its own, for as long as this lives.
pub struct Namespace {
    shell: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Namespace {
    /// Starts it.
    #[track_caller]
    pub fn new() -> Self {
        let mut command = in_namespace("sh");
        let shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut shell = shell.expect("a shell in a network namespace");
        let commands = shell.stdin.take();
        let answers = BufReader::new(shell.stdout.take().expect("its output"));
        Self { shell, commands, answers }
    }

    /// Runs a command: its exit code, and what it wrote to both of its outputs.
    #[track_caller]
    pub fn run(&mut self, command: &str) -> (i32, String) {
        const END: &str = "-- ended with ";
        let commands = self.commands.as_mut().expect("the input of a shell");
        // The line break ends a last line that has none.
        write!(commands, "{{ {command}\n}} 2>&1 </dev/null\nprintf '\\n{END}%d\\n' $?\n").expect("a shell that reads");
        let mut said = String::new();
        loop {
            let mut line = String::new();
            assert!(self.answers.read_line(&mut line).expect("an answer") > 0, "{command} ended the shell: {said}");
            if let Some(code) = line.strip_prefix(END) {
                said.pop();
                return (code.trim().parse().expect("an exit code"), said);
            }
            said.push_str(&line);
        }
    }

    /// Runs a command that must not fail, and returns what it wrote.
    #[track_caller]
    pub fn must(&mut self, command: &str) -> String {
        let (code, said) = self.run(command);
        assert_eq!(code, 0, "{command}: {said}");
        said
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.commands.take());
        // The shell ends with its input; one that does not is no reason to fail twice.
        _ = self.shell.wait();
    }
}

/// Checks a file with `nft -c`, against the kernel of a network namespace of its own.
#[track_caller]
pub fn nft(rules: &Path) -> Outcome {
    let command = NFT.command(rules);
    run(in_namespace(command.get_program()).args(command.get_args()))
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
pub fn named(zone: &Path) -> Outcome {
    run(&mut NAMED_CHECKZONE.command(zone))
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
