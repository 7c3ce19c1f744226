//! examples/ci, with a repository on the disk and a `gh` that writes down what it is asked for.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use saphyr_parser::{Event, Parser};
use serde_json::{Value, json};

use super::{example, search_path};
use crate::support::{
    program::{code, errors, text},
    project::{NOW, Project, bundle, domain},
    validators::run,
};

/// Stands in for the server: keeps its arguments, and a copy of the text of a pull request.
const GH: &str = r#"#!/bin/sh
set -eu
case "$1 $2" in
'pr list') cat "$GH_HOME/open" ;;
*) printf '%s\n' "$*" >>"$GH_HOME/calls" ;;
esac
while [ $# -gt 0 ]; do
    [ "$1" != --body-file ] || cp "$2" "$GH_HOME/body"
    shift
done
"#;

/// A repository with the example in it, and what stands in for its server.
struct Repository(Project);

impl Repository {
    fn new() -> Self {
        let read = |name: &str| fs::read(example("ci").join(name)).unwrap();
        let repository = Self(Project::new(""));
        repository.0.write("bin/gh", GH);
        make_runnable(&repository.0.path("bin/gh"));
        repository.0.write("gh/open", "");
        repository.0.write("clone/stixc.toml", read("stixc.toml"));
        repository.0.write("clone/ci/update.sh", read("update.sh"));
        repository.0.write("clone/.gitignore", ".stixc/\n");
        repository.git("", &["init", "--quiet", "--bare", "--initial-branch=main", "server"]);
        repository.git("clone", &["init", "--quiet", "--initial-branch=main"]);
        repository.git("clone", &["remote", "add", "origin", repository.0.path("server").to_str().unwrap()]);
        repository.feed(&[domain(1), domain(2), domain(3)]);
        repository
    }

    /// git in a folder: what it wrote.
    #[track_caller]
    fn git(&self, folder: &str, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.0.path(folder)).args(["-c", "user.name=a", "-c", "user.email=a@b.example"]);
        // Whatever the user of this machine has set.
        command.args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        let outcome = run(&mut command);
        outcome.assert_accepted();
        outcome.output
    }

    /// Brings new indicators to the main branch.
    fn feed(&self, objects: &[Value]) {
        self.0.write("clone/intel/feed.json", bundle(objects));
        self.git("clone", &["add", "--all"]);
        self.git("clone", &["commit", "--quiet", "--allow-empty", "--message=indicators"]);
        self.git("clone", &["push", "--quiet", "origin", "main"]);
    }

    /// Runs the script in a clone as the workflow has it: of the last commit, with the store of the run before.
    fn run(&self) -> Output {
        let fresh = self.0.path("fresh");
        let store = self.0.path("store");
        _ = fs::remove_dir_all(&fresh);
        let server = format!("file://{}", self.0.path("server").display());
        self.git("", &["clone", "--quiet", "--depth=1", &server, "fresh"]);
        if store.exists() {
            fs::rename(&store, fresh.join(".stixc")).unwrap();
        }
        _ = fs::remove_file(self.0.path("gh/calls"));
        let mut command = Command::new("sh");
        command.args(["ci/update.sh", "--now", NOW]).current_dir(&fresh);
        command.env("PATH", search_path(&self.0.path("bin"))).env("GH_HOME", self.0.path("gh"));
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        let output = command.output().unwrap();
        fs::rename(fresh.join(".stixc"), store).unwrap();
        output
    }

    /// Runs the script, and returns what the server was asked for beside the list of pull requests.
    #[track_caller]
    fn update(&self, expected: i32) -> String {
        let output = self.run();
        assert_eq!(code(&output), expected, "{}{}", text(&output), errors(&output));
        fs::read_to_string(self.0.path("gh/calls")).unwrap_or_default()
    }

    /// The commit of a branch on the server, or nothing.
    fn head(&self, branch: &str) -> String {
        self.git("server", &["for-each-ref", "--format=%(objectname)", &format!("refs/heads/{branch}")])
    }

    /// A file of the proposed branch.
    #[track_caller]
    fn proposed(&self, path: &str) -> String {
        self.git("server", &["show", &format!("stixc/rules:{path}")])
    }

    /// Does what a person does with the pull request.
    fn merge(&self) {
        self.git("clone", &["fetch", "--quiet", "origin"]);
        self.git("clone", &["merge", "--quiet", "--no-edit", "origin/stixc/rules"]);
        self.git("clone", &["push", "--quiet", "origin", "main", ":stixc/rules"]);
        self.0.write("gh/open", "");
    }
}

fn make_runnable(path: &Path) {
    run(Command::new("chmod").arg("+x").arg(path)).assert_accepted();
}

#[test]
#[ignore = "needs git: tests/run installs it"]
fn git_ci_example_proposes_what_has_changed() {
    let repository = Repository::new();
    let main = repository.head("main");
    let asked = repository.update(0);
    assert!(asked.starts_with("pr create --head stixc/rules --title Update the rules --body-file "), "{asked}");
    assert!(repository.0.read("gh/body").contains("host-1.example"), "{}", repository.0.read("gh/body"));
    assert_eq!(repository.proposed("rules/blocklist/domains.txt").lines().count(), 3);
    assert!(!repository.proposed("rules/stixc.lock").is_empty());
    assert_eq!(repository.head("main"), main);

    // The pull request is open, and nothing is new: its branch stays.
    repository.0.write("gh/open", "7\n");
    let first = repository.head("stixc/rules");
    let asked = repository.update(0);
    assert!(asked.starts_with("pr edit 7 --title Update the rules --body-file "), "{asked}");
    assert_eq!(repository.head("stixc/rules"), first);
    repository.merge();
    assert_eq!(repository.update(0), "");

    // One goes, one comes.
    repository.feed(&[domain(1), domain(3), domain(4)]);
    let asked = repository.update(0);
    assert!(asked.starts_with("pr create "), "{asked}");
    let body = repository.0.read("gh/body");
    let row = |name: &str| body.lines().find(|line| line.contains(name)).unwrap_or_default().to_owned();
    assert!(row("domain host-2.example").contains("withdrawn"), "{body}");
    assert!(row("domain host-4.example").contains("new"), "{body}");
    assert!(!body.contains("host-3.example"), "{body}");
    let list = repository.proposed("rules/blocklist/domains.txt");
    assert_eq!(list, "host-1.example\nhost-3.example\nhost-4.example\n");

    // And another, while it is open.
    repository.0.write("gh/open", "8\n");
    let second = repository.head("stixc/rules");
    repository.feed(&[domain(1), domain(3), domain(4), domain(5)]);
    assert!(repository.update(0).starts_with("pr edit 8 "));
    assert_ne!(repository.head("stixc/rules"), second);
    assert!(repository.0.read("gh/body").contains("host-5.example"));

    // The feed takes all of it back.
    repository.feed(&[domain(1), domain(2), domain(3)]);
    let asked = repository.update(0);
    assert!(asked.starts_with("pr close 8 ") && asked.contains("--delete-branch"), "{asked}");
}

#[test]
#[ignore = "needs git: tests/run installs it"]
fn git_ci_example_says_what_was_not_well() {
    let repository = Repository::new();
    repository.update(0);
    repository.merge();

    // A feed that can't be read as a whole.
    let broken = json!({"type": "indicator", "id": "indicator--x"});
    repository.feed(&[domain(1), domain(2), domain(3), broken, domain(4)]);
    let output = repository.run();
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert!(text(&output).contains("::warning::"), "{}", text(&output));
    let body = repository.0.read("gh/body");
    assert!(body.starts_with("A feed could not be read as a whole") && body.contains("host-4.example"), "{body}");
    repository.merge();

    // A safety stop: nothing is proposed, and the job fails.
    let mut expired: Vec<Value> = (1..=4).map(domain).collect();
    expired.iter_mut().for_each(|object| object["valid_until"] = json!("2026-02-01T00:00:00Z"));
    repository.feed(&expired);
    let output = repository.run();
    assert_eq!(code(&output), 5, "{}", errors(&output));
    assert!(text(&output).contains("::error::stixc build ended with 5"), "{}", text(&output));
    assert!(!repository.0.path("gh/calls").exists());
    assert_eq!(repository.head("stixc/rules"), "");

    // A configuration that is none.
    repository.0.write("clone/stixc.toml", "nonsense");
    repository.feed(&[domain(1)]);
    assert_eq!(repository.update(2), "");
}

/// A YAML document as JSON; every scalar is a string.
fn yaml(text: &str) -> Value {
    let mut open: Vec<Vec<Value>> = vec![Vec::new()];
    for event in Parser::new_from_str(text) {
        let done = match event.expect("YAML").0 {
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                open.push(Vec::new());
                continue;
            }
            Event::MappingEnd => {
                let flat = open.pop().unwrap();
                let pair = |pair: &[Value]| (pair[0].as_str().unwrap().to_owned(), pair[1].clone());
                Value::Object(flat.chunks(2).map(pair).collect())
            }
            Event::SequenceEnd => Value::Array(open.pop().unwrap()),
            Event::Scalar(text, ..) => json!(text),
            _ => continue,
        };
        open.last_mut().unwrap().push(done);
    }
    open.remove(0).remove(0)
}

#[test]
fn workflows_are_pinned_and_modest() {
    let mut uses_script = false;
    for name in ["check.yml", "update.yml"] {
        let workflow = yaml(&fs::read_to_string(example("ci").join(name)).unwrap());
        let permissions = workflow["permissions"].as_object().expect("permissions");
        let more = permissions.iter().filter(|(_, level)| *level != "read").map(|(what, _)| what.as_str());
        let expected: &[&str] = if name == "check.yml" { &["security-events"] } else { &["contents", "pull-requests"] };
        assert_eq!(more.collect::<Vec<_>>(), expected, "{name}");
        for job in workflow["jobs"].as_object().unwrap().values() {
            assert!(job["timeout-minutes"].is_string(), "{name}");
            for step in job["steps"].as_array().unwrap() {
                if let Some(action) = step["uses"].as_str() {
                    let version = action.split_once("@v").expect("a version").1;
                    assert_eq!(version.split('.').filter_map(|part| part.parse::<u32>().ok()).count(), 3, "{action}");
                    continue;
                }
                let script = step["run"].as_str().expect("an action or a script");
                run(Command::new("sh").args(["-n", "-c", script])).assert_accepted();
                // What stands between braces is put in before a shell reads it: never into a script.
                assert!(!script.contains("${{"), "{script}");
                uses_script |= script == "sh ci/update.sh";
            }
        }
    }
    assert!(uses_script);
}
