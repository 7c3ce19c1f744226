//! A build may be killed anywhere: the next one gives the bytes of one that was not. And it ends when it is told to.
#![cfg(all(feature = "store", feature = "taxii", unix))]

use crate::support::program;
use crate::support::project;
use crate::support::server;

use std::{
    fs,
    io::Read,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use program::{code, errors};
use project::{Collection, NOW, Project, assert_same, bundle, domain, folder, indicator, names, targets, taxii};
use server::Server;

/// What a process ends with that was killed.
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

fn signal(name: &str, process: u32) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

/// A collection with two states: what it held at first, and what was added to it.
fn collection() -> Collection {
    let collection = Collection::default();
    (1..=9).for_each(|number| collection.add(number, domain(number)));
    collection.add(10, indicator(10, "[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4']"));
    collection
}

fn add(collection: &Collection) {
    (21..=29).for_each(|number| collection.add(number, domain(number)));
    let mut revoked = domain(1);
    revoked["revoked"] = true.into();
    revoked["modified"] = "2026-02-01T00:00:00Z".into();
    collection.add(30, revoked);
    let mut changed = domain(2);
    changed["pattern"] = "[domain-name:value = 'moved.example']".into();
    changed["modified"] = "2026-02-01T00:00:00Z".into();
    collection.add(31, changed);
}

/// A project that was built once, then its feeds have changed.
fn changed(collection: &Collection, server: &Server) -> Project {
    let config =
        format!("{}{}{}", taxii("far", server), folder("own", "intel"), targets(&["blocklist", "suricata", "yara"]));
    let project = Project::new(&config);
    let own = [domain(41), domain(42), indicator(43, "[url:value = 'http://evil.example/a']")];
    project.write("intel/a.json", bundle(&own));
    assert_eq!(code(&project.build(&[])), 0);
    add(collection);
    project.write("intel/a.json", bundle(&[own[0].clone(), own[2].clone(), domain(44)]));
    project
}

#[test]
fn killed_at_any_step_the_next_build_gives_the_same_bytes() {
    let collection = collection();
    let server = collection.serve(|_| None);
    let project = changed(&collection, &server);
    let whole = project.copy();
    assert_eq!(code(&whole.build(&[])), 0);
    let (expected, before) = (whole.outputs(), project.outputs());
    let mut killed = 0;
    for step in 1.. {
        let copy = project.copy();
        let mut build = copy.command(&["build", "--now", NOW]);
        let output = build.env("STIXC_TEST_CRASH_AT", step.to_string()).output().unwrap();
        if output.status.success() {
            assert_same(&copy.outputs(), &expected, "the last step");
            break;
        }
        assert_eq!(output.status.signal(), Some(SIGABRT), "{}", errors(&output));
        killed += 1;
        // Each file that is there is one of the run before or of this one, whole.
        for (path, bytes) in copy.outputs() {
            let is = |files: &[(std::path::PathBuf, Vec<u8>)]| files.contains(&(path.clone(), bytes.clone()));
            let in_work = path.starts_with(".stixc-new") || path.ends_with("manifest.json");
            assert!(in_work || is(&before) || is(&expected), "step {step}: {}", path.display());
        }
        let again = copy.build(&[]);
        assert_eq!(code(&again), 0, "step {step}: {}", errors(&again));
        assert_same(&copy.outputs(), &expected, &format!("killed at step {step}"));
    }
    // Pages, cursors, files made, files put in place, and the rest: fewer would mean that steps have gone missing.
    assert!(killed > 25, "{killed} steps");
}

#[test]
fn killed_at_any_page_the_next_build_gives_the_same_bytes() {
    let expected = {
        let collection = collection();
        let server = collection.serve(|_| None);
        let project = changed(&collection, &server);
        assert_eq!(code(&project.build(&[])), 0);
        project.outputs()
    };
    let mut pages = 0;
    for border in 0.. {
        let collection = collection();
        let (process, from) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(u32::MAX)));
        let server = {
            let (process, from) = (Arc::clone(&process), Arc::clone(&from));
            collection.serve(move |number| {
                let number = u32::try_from(number).unwrap();
                if number.checked_sub(from.load(Ordering::SeqCst)) == Some(border) {
                    // The pages before this one were sent, this one never is.
                    while process.load(Ordering::SeqCst) == 0 {
                        thread::sleep(Duration::from_millis(1));
                    }
                    signal("-KILL", process.load(Ordering::SeqCst));
                }
                None
            })
        };
        let project = changed(&collection, &server);
        from.store(u32::try_from(server.requests().len()).unwrap(), Ordering::SeqCst);
        let mut child = project.command(&["build", "--now", NOW]).stderr(Stdio::null()).spawn().unwrap();
        process.store(child.id(), Ordering::SeqCst);
        let status = child.wait().unwrap();
        if status.success() {
            break;
        }
        assert_eq!(status.signal(), Some(SIGKILL));
        pages += 1;
        from.store(u32::MAX, Ordering::SeqCst);
        let again = project.build(&[]);
        assert_eq!(code(&again), 0, "{}", errors(&again));
        assert_same(&project.outputs(), &expected, &format!("killed before page {border}"));
    }
    // Those that are new, and those of the overlap.
    assert_eq!(pages, 6);
}

/// An engine that is there, and compiles for ever: it notes its number where it is run.
fn endless(project: &Project) -> std::ffi::OsString {
    use std::os::unix::fs::PermissionsExt;
    let script = "#!/bin/sh\n[ \"$1\" = -V ] && { echo 'This is Suricata version 8.0.0 RELEASE'; exit; }\n\
                  echo $$ > \"$STIXC_TEST_NOTE.new\"; mv \"$STIXC_TEST_NOTE.new\" \"$STIXC_TEST_NOTE\"; exec sleep 600\n";
    project.write("bin/suricata", script);
    fs::set_permissions(project.path("bin/suricata"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut path = project.path("bin").into_os_string();
    path.push(":/usr/bin:/bin");
    path
}

#[test]
fn engines_end_with_a_run_that_is_told_to_end_and_nothing_is_written() {
    let config = format!("{}{}", folder("own", "intel"), targets(&["suricata"]));
    let project = Project::new(&config);
    let path = endless(&project);
    let mut native = domain(1);
    native["pattern"] =
        "alert dns any any -> any any (msg:\"x\"; dns.query; content:\"evil-1.example\"; sid:1;)".into();
    native["pattern_type"] = "suricata".into();
    project.write("intel/a.json", bundle(&[native, domain(2)]));
    let out = project.path("out");
    for (arguments, name, number) in [
        (&["convert", "intel", "-t", "suricata", "-o", "out", "--now", NOW][..], "-TERM", 15),
        (&["convert", "intel", "-t", "suricata", "-o", "out", "--now", NOW], "-INT", 2),
        (&["build", "--now", NOW], "-TERM", 15),
    ] {
        let note = project.path("note");
        // It is not there the first time.
        _ = fs::remove_file(&note);
        let mut command = project.command(arguments);
        command.env("PATH", &path).env("STIXC_TEST_NOTE", &note).stderr(Stdio::null());
        let mut child = Guarded(command.spawn().unwrap());
        until("the engine", || note.exists());
        let engine = fs::read_to_string(&note).unwrap().trim().to_owned();
        let is_there = || {
            let asked = Command::new("kill").args(["-0", &engine]).stderr(Stdio::null()).status();
            asked.unwrap().success()
        };
        assert!(is_there());
        signal(name, child.0.id());
        assert_eq!(child.0.wait().unwrap().signal(), Some(number), "{arguments:?}");
        until("the end of the engine", || !is_there());
        assert!(!out.join("suricata").exists(), "{arguments:?}");
    }
}

/// Waits until `what` holds.
fn until(case: &str, what: impl Fn() -> bool) {
    for _ in 0..6000 {
        if what() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("{case} did not come about");
}

/// Ends a child that a failing test has left.
struct Guarded(Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        // It may have ended.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[test]
fn a_watch_builds_again_reads_its_configuration_anew_and_ends_on_a_signal() {
    let config = format!("{}{}", folder("own", "intel"), targets(&["blocklist"]));
    let project = Project::new(&config);
    project.write("intel/a.json", bundle(&[domain(1)]));
    let mut watch = project.command(&["build", "--watch", "1s"]);
    let log = project.path("log");
    let mut child = Guarded(watch.stderr(fs::File::create(&log).unwrap()).spawn().unwrap());
    let list = || fs::read_to_string(project.path("out/blocklist/domains.txt")).unwrap_or_default();
    until("the first build", || list() == "host-1.example\n");
    project.write("intel/a.json", bundle(&[domain(1), domain(2)]));
    until("the second build", || list().lines().count() == 2);
    // A broken configuration keeps the old one.
    project.write("stixc.toml", format!("nonsense = 1\n{config}"));
    until("the complaint", || fs::read_to_string(&log).unwrap().contains("the configuration stays as it was"));
    project.write("intel/a.json", bundle(&[domain(1), domain(2), domain(3)]));
    until("the build by the old configuration", || list().lines().count() == 3);
    // A new one counts.
    project.write("stixc.toml", format!("output = \"elsewhere\"\n{config}"));
    until("the build by the new configuration", || project.path("elsewhere/blocklist/domains.txt").exists());
    signal("-TERM", child.0.id());
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    assert!(fs::read_to_string(&log).unwrap().ends_with("ended by a signal\n"));
    assert!(project.path("out/blocklist/domains.txt").exists());
    assert_eq!(names(&project).len(), 3);
}

#[test]
fn a_signal_ends_a_watch_that_waits_for_a_server() {
    let has_answered = Arc::new(AtomicBool::new(false));
    let answered = Arc::clone(&has_answered);
    let silent = Server::start(move |_, _| {
        thread::sleep(Duration::from_secs(20));
        answered.store(true, Ordering::SeqCst);
        server::Reply::new(200, "{}")
    });
    let project = Project::new(&format!("{}{}", taxii("far", &silent), targets(&["blocklist"])));
    let mut command = project.command(&["build", "--watch", "1h"]);
    let mut child = Guarded(command.stderr(Stdio::piped()).spawn().unwrap());
    until("the request", || !silent.requests().is_empty());
    signal("-INT", child.0.id());
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    assert!(!has_answered.load(Ordering::SeqCst), "it waited for the server");
    let mut told = String::new();
    child.0.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(told.ends_with("ended by a signal\n"), "{told}");
}
