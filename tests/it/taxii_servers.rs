//! The TAXII client against medallion 3.0.0, the reference server of OASIS, and OpenTAXII 0.9.3; and against
//! medallion 1.0.0, a server of TAXII 2.0.
//!
//! The environment variable `STIXC_PYTHON` names the Python that has them, `STIXC_MEDALLION_1` the folder with the last.
#![cfg(feature = "taxii")]

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use stixc::source::taxii::{
    Auth, FetchOptions, FetchSummary, NEXT_REJECTED, Secret, TaxiiError, fetch, parse_timestamp,
};

const OBJECTS: usize = 300;
const TIES: usize = 125;
const COLLECTION: &str = "2d086da7-4bdc-4f91-900e-d77486753710";

/// A server in Python; it ends with its standard input, so also when the test dies.
struct RealServer {
    child: Child,
    port: u16,
}

impl RealServer {
    /// medallion with the small feed.
    fn medallion() -> Self {
        Self::start("serve_medallion.py", &[OBJECTS, TIES])
    }

    fn start(script: &str, numbers: &[usize]) -> Self {
        let python = env::var_os("STIXC_PYTHON").expect("STIXC_PYTHON names the Python that has the servers");
        let mut child = Command::new(python)
            .arg(format!("{}/tests/fixtures/taxii/{script}", env!("CARGO_MANIFEST_DIR")))
            .args(numbers.iter().map(ToString::to_string))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { port: line.trim().parse().expect("the server has not started"), child }
    }

    fn options(&self, path: &str) -> FetchOptions {
        let mut options = FetchOptions::new(format!("http://127.0.0.1:{}{path}", self.port));
        options.auth = Auth::Basic { user: "reader".to_owned(), password: Secret::new("sesame") };
        options.limit = 100;
        options.backoff.base = Duration::from_millis(10);
        options
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

fn fetched(options: &FetchOptions) -> (FetchSummary, Vec<Value>) {
    let mut output = Vec::new();
    let summary = fetch(options, &mut output).unwrap();
    let mut bundle: Value = serde_json::from_slice(&output).unwrap();
    // One without objects has no list of them.
    let objects = bundle.get_mut("objects").map(Value::take);
    (summary, objects.map_or_else(Vec::new, |objects| serde_json::from_value(objects).unwrap()))
}

fn ids(objects: &[Value]) -> BTreeSet<&str> {
    objects.iter().map(|object| object["id"].as_str().unwrap()).collect()
}

/// Polls the 2,000 objects that `server` holds in blocks of 250 with one date_added, twice.
fn polls_twice(server: &RealServer) -> FetchSummary {
    let mut options = server.options("/taxii2/");
    options.collection = Some("everything".to_owned());
    options.timeouts.read = Duration::from_secs(240);
    let (first, objects) = fetched(&options);
    assert_eq!((objects.len(), ids(&objects).len()), (2000, 2000));
    assert!(first.cursor.is_some() && first.cursor == first.last_added, "{first:?}");
    options.cursor.clone_from(&first.cursor);
    // With an overlap those of the newest moment come again, and nothing else.
    let (again, objects) = fetched(&options);
    assert!(objects.len() <= 250 && again.cursor == first.cursor, "{again:?}");
    options.overlap = Duration::ZERO;
    let (second, objects) = fetched(&options);
    assert_eq!((objects.len(), second.repeated, second.pages), (0, 0, 1));
    assert_eq!(second.cursor, first.cursor);
    first
}

#[test]
#[ignore = "needs medallion: tests/run installs it"]
fn medallion_sends_two_thousand_objects_and_then_none() {
    let summary = polls_twice(&RealServer::start("serve_medallion.py", &[2000, 250]));
    assert_eq!((summary.pages, summary.repeated, summary.diagnostics), (20, 0, vec![]));
}

/// With moments of full seconds the server rejects its own `next`.
#[test]
#[ignore = "needs opentaxii: tests/run installs it"]
fn opentaxii_sends_two_thousand_objects_and_then_none_by_time() {
    let summary = polls_twice(&RealServer::start("serve_opentaxii.py", &[2000, 250, 0]));
    assert_eq!(summary.diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(), [NEXT_REJECTED]);
    assert_eq!(summary.cursor.as_deref(), Some("2024-01-01T07:00:00.000000Z"));
}

#[test]
#[ignore = "needs opentaxii: tests/run installs it"]
fn opentaxii_sends_two_thousand_objects_and_then_none_by_next() {
    let summary = polls_twice(&RealServer::start("serve_opentaxii.py", &[2000, 250, 1]));
    assert_eq!((summary.pages, summary.repeated, summary.diagnostics), (20, 0, vec![]));
    assert_eq!(summary.cursor.as_deref(), Some("2024-01-01T07:00:00.000001Z"));
}

/// A server of TAXII 2.0.
#[test]
#[ignore = "needs medallion1: tests/run installs it"]
fn medallion1_sends_every_object_by_ranges_and_then_none() {
    let server = RealServer::start("serve_medallion_2_0.py", &[OBJECTS, TIES]);
    let mut options = server.options("/");
    options.collection = Some("everything".to_owned());
    let (first, objects) = fetched(&options);
    assert_eq!((objects.len(), ids(&objects).len(), first.repeated), (OBJECTS, OBJECTS, 0));
    assert_eq!(first.cursor.as_deref(), Some("2024-01-01T02:00:00.000Z"));
    options.cursor.clone_from(&first.cursor);
    let (again, objects) = fetched(&options);
    assert!(objects.len() <= TIES && again.cursor == first.cursor, "{again:?}");
    options.overlap = Duration::ZERO;
    let (second, objects) = fetched(&options);
    assert_eq!((objects.len(), &second.cursor), (0, &first.cursor));
}

#[test]
#[ignore = "needs medallion: tests/run installs it"]
fn medallion_sends_every_object_once() {
    let server = RealServer::medallion();
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
    let server = RealServer::medallion();
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
    let server = RealServer::medallion();
    let mut options = server.options(&format!("/feed/collections/{COLLECTION}/objects/"));
    options.filters.versions = vec!["all".to_owned()];
    let (_, objects) = fetched(&options);
    assert_eq!((objects.len(), ids(&objects).len()), (OBJECTS + 2, OBJECTS));
}

#[test]
#[ignore = "needs medallion: tests/run installs it"]
fn medallion_sends_only_what_was_added_later() {
    let server = RealServer::medallion();
    let mut options = server.options("/feed/");
    options.collection = Some(COLLECTION.to_owned());
    options.added_after = parse_timestamp("2024-01-01T00:00:00Z");
    options.limit = 20;
    let (summary, objects) = fetched(&options);
    assert_eq!(objects.len(), OBJECTS - TIES + 2);
    options.added_after = summary.last_added.as_deref().and_then(parse_timestamp);
    assert!(options.added_after.is_some());
    let mut output = Vec::new();
    assert_eq!(fetch(&options, &mut output).unwrap().objects, 0);
    assert!(serde_json::from_slice::<Value>(&output).unwrap().get("objects").is_none());
}

#[test]
#[ignore = "needs medallion: tests/run installs it"]
fn medallion_refuses_with_codes() {
    let server = RealServer::medallion();
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
