//! The TAXII client against medallion 3.0.0, the reference server of OASIS.
//!
//! The environment variable `STIXC_PYTHON` names the Python that has it.
#![cfg(feature = "taxii")]

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use stixc::source::taxii::{Auth, FetchOptions, FetchSummary, Secret, TaxiiError, Timestamp, fetch};

const OBJECTS: usize = 300;
const TIES: usize = 125;
const COLLECTION: &str = "2d086da7-4bdc-4f91-900e-d77486753710";

/// The server; it ends with its standard input, so also when the test dies.
struct Medallion {
    child: Child,
    port: u16,
}

impl Medallion {
    fn start() -> Self {
        let python = env::var_os("STIXC_PYTHON").expect("STIXC_PYTHON names the Python that has medallion");
        let mut child = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/taxii/serve_medallion.py"))
            .args([OBJECTS, TIES].map(|number| number.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { port: line.trim().parse().expect("medallion has not started"), child }
    }

    fn options(&self, path: &str) -> FetchOptions {
        let mut options = FetchOptions::new(format!("http://127.0.0.1:{}{path}", self.port));
        options.auth = Auth::Basic { user: "reader".to_owned(), password: Secret::new("sesame") };
        options.limit = 100;
        options.backoff.base = Duration::from_millis(10);
        options
    }
}

impl Drop for Medallion {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

fn fetched(options: &FetchOptions) -> (FetchSummary, Vec<Value>) {
    let mut output = Vec::new();
    let summary = fetch(options, &mut output).unwrap();
    let mut bundle: Value = serde_json::from_slice(&output).unwrap();
    (summary, serde_json::from_value(bundle["objects"].take()).unwrap())
}

fn ids(objects: &[Value]) -> BTreeSet<&str> {
    objects.iter().map(|object| object["id"].as_str().unwrap()).collect()
}

#[test]
#[ignore = "needs medallion: tests/run installs it"]
fn medallion_sends_every_object_once() {
    let server = Medallion::start();
    let mut options = server.options("/taxii2/");
    options.collection = Some("everything".to_owned());
    let (summary, objects) = fetched(&options);
    assert_eq!((objects.len(), ids(&objects).len()), (OBJECTS, OBJECTS));
    assert_eq!((summary.pages, summary.repeated), (3, 0));
    assert_eq!(summary.diagnostics, []);
    // The server gives the last version only.
    assert_eq!(objects.iter().filter(|object| object["revoked"] == true).count(), 2);
    let kinds: BTreeSet<_> = objects.iter().map(|object| object["type"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), 5);
}

/// `stixc fetch … -o - | stixc convert -`.
#[cfg(feature = "cli")]
#[test]
#[ignore = "needs medallion: tests/run installs it"]
fn medallion_feeds_a_conversion_through_a_pipe() {
    let server = Medallion::start();
    let url = format!("http://127.0.0.1:{}/taxii2/", server.port);
    let stixc = || Command::new(env!("CARGO_BIN_EXE_stixc"));
    let mut fetch = stixc()
        .args(["fetch", &url, "--collection", "everything", "--limit", "100", "--user", "reader", "-o", "-"])
        .args(["--password", "env:STIXC_TEST_PASSWORD"])
        .env("STIXC_TEST_PASSWORD", "sesame")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let converted = stixc()
        .args(["convert", "-", "-t", "suricata", "--now", "2024-06-01T00:00:00Z"])
        .stdin(fetch.stdout.take().unwrap())
        .output()
        .unwrap();
    assert!(fetch.wait().unwrap().success());
    assert!(converted.status.success(), "{}", String::from_utf8_lossy(&converted.stderr));
    let rules = String::from_utf8(converted.stdout).unwrap();
    assert!(rules.lines().filter(|line| line.starts_with("alert ")).count() > 100, "{rules}");
}

#[test]
#[ignore = "needs medallion: tests/run installs it"]
fn medallion_sends_every_version_when_asked_for() {
    let server = Medallion::start();
    let mut options = server.options(&format!("/feed/collections/{COLLECTION}/objects/"));
    options.filters.versions = vec!["all".to_owned()];
    let (_, objects) = fetched(&options);
    assert_eq!((objects.len(), ids(&objects).len()), (OBJECTS + 2, OBJECTS));
}

#[test]
#[ignore = "needs medallion: tests/run installs it"]
fn medallion_sends_only_what_was_added_later() {
    let server = Medallion::start();
    let mut options = server.options("/feed/");
    options.collection = Some(COLLECTION.to_owned());
    options.added_after = Timestamp::parse("2026-01-01T00:00:00Z");
    options.limit = 20;
    let (summary, objects) = fetched(&options);
    assert_eq!(objects.len(), OBJECTS - TIES + 2);
    options.added_after = summary.last_added.as_deref().and_then(Timestamp::parse);
    assert!(options.added_after.is_some());
    let mut output = Vec::new();
    assert_eq!(fetch(&options, &mut output).unwrap().objects, 0);
    assert!(serde_json::from_slice::<Value>(&output).unwrap().get("objects").is_none());
}

#[test]
#[ignore = "needs medallion: tests/run installs it"]
fn medallion_refuses_with_codes() {
    let server = Medallion::start();
    let code = |options: &FetchOptions| -> String {
        let error: TaxiiError = fetch(options, &mut Vec::new()).unwrap_err();
        error.code().to_string()
    };
    let mut wrong = server.options("/taxii2/");
    wrong.auth = Auth::Basic { user: "reader".to_owned(), password: Secret::new("guess") };
    assert_eq!(code(&wrong), "S032");
    let mut typo = server.options("/taxii2/");
    typo.collection = Some("typo".to_owned());
    assert_eq!(code(&typo), "S044");
    let mut inbox = server.options("/taxii2/");
    inbox.collection = Some("52892447-4d7e-4f70-b94d-d7f22742ff63".to_owned());
    assert_eq!(code(&inbox), "S046");
    assert_eq!(code(&server.options("/feed/collections/52892447-4d7e-4f70-b94d-d7f22742ff63/")), "S033");
    assert_eq!(code(&server.options("/nowhere/collections/x/")), "S034");
}
