//! A bundle at a plain URL.

use std::io;

use serde_json::{json, value::RawValue};
use stixc::{
    source::taxii::{Auth, FetchOptions, FetchSummary, ObjectSink, Secret, TaxiiError, download_into},
    stix::{Head, ObjectError},
};

use crate::support::server::{Reply, Server, indicator, indicators, options};

#[derive(Default)]
struct Taken(Vec<String>);

impl ObjectSink for Taken {
    fn object(&mut self, object: &RawValue, _: Result<Head, ObjectError>) -> io::Result<()> {
        self.0.push(object.get().to_owned());
        Ok(())
    }
}

fn download(options: &FetchOptions) -> (Result<FetchSummary, TaxiiError>, usize) {
    let mut taken = Taken::default();
    let outcome = download_into(options, &mut taken);
    (outcome, taken.0.len())
}

fn bundle(numbers: std::ops::Range<usize>) -> Reply {
    Reply::new(200, json!({"type": "bundle", "id": "bundle--1", "objects": indicators(numbers)}).to_string())
}

#[test]
fn a_bundle_that_is_still_the_same_is_not_downloaded_again() {
    for (answered, value, asked) in [
        ("ETag", "\"v1\"", "if-none-match"),
        ("ETag", "W/\"v1\"", "if-none-match"),
        ("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT", "if-modified-since"),
    ] {
        let server = Server::start(move |request, _| match request.headers.get(asked) {
            Some(known) if known == value => Reply::new(304, ""),
            _ => bundle(0..9).with(answered, value),
        });
        let mut options = options(server.url("/feeds/all.json?lang=en"));
        let (outcome, taken) = download(&options);
        let summary = outcome.unwrap();
        assert_eq!((taken, summary.objects, summary.unchanged), (9, 9, false));
        assert_eq!(summary.cursor.as_deref(), Some(value));
        assert_eq!(summary.objects_url, server.url("/feeds/all.json"));
        options.cursor = summary.cursor;
        let (outcome, taken) = download(&options);
        let summary = outcome.unwrap();
        assert_eq!((taken, summary.unchanged, &summary.cursor), (0, true, &options.cursor));
    }
}

#[test]
fn a_download_that_breaks_off_is_begun_again_before_anything_is_taken() {
    let server = Server::scripted(vec![Reply { cut: 9, ..bundle(0..50) }, Reply::new(503, ""), bundle(0..50)]);
    let (outcome, taken) = download(&options(server.url("/all.json")));
    assert_eq!((outcome.unwrap().requests, taken), (3, 50));
}

#[test]
fn a_bundle_without_its_end_is_partial() {
    let whole = String::from_utf8(bundle(0..50).body).unwrap();
    let server = Server::scripted(vec![Reply::new(200, &whole[..whole.len() - 20]).with("ETag", "\"x\"")]);
    let (outcome, taken) = download(&options(server.url("/all.json")));
    let error = outcome.unwrap_err();
    assert!(error.is_partial(), "{error}");
    assert_eq!(taken, 49);
    let server = Server::scripted(vec![Reply::new(200, "<html>")]);
    let (outcome, taken) = download(&options(server.url("/all.json")));
    assert_eq!((outcome.unwrap_err().code().0, taken), ("S041", 0));
}

#[test]
fn one_bad_object_leaves_the_others() {
    let body = format!("[{},{{\"type\":\"indicator\",\"id\":NaN}},{}]", indicator(1), indicator(2));
    let server = Server::scripted(vec![Reply::new(200, body)]);
    let (outcome, taken) = download(&options(server.url("/all.json")));
    let summary = outcome.unwrap();
    assert_eq!((taken, summary.skipped, summary.diagnostics.len()), (2, 1, 1));
}

#[test]
fn limits_hold() {
    let endless = Reply { times: 1 << 40, ..Reply::new(200, format!("{}\n", indicator(1))) };
    let server = Server::scripted(vec![endless]);
    let mut limited = options(server.url("/all.json"));
    limited.limits.bytes = 1 << 20;
    let (outcome, taken) = download(&limited);
    assert_eq!((outcome.unwrap_err().code().0, taken), ("S058", 0));

    let server = Server::scripted(vec![bundle(0..50)]);
    let mut limited = options(server.url("/all.json"));
    limited.limits.objects = 20;
    let (outcome, taken) = download(&limited);
    let error = outcome.unwrap_err();
    assert!(matches!(&error, TaxiiError::Incomplete { cause, .. } if cause.code().0 == "S051"), "{error}");
    assert_eq!(taken, 20);
}

#[test]
fn other_servers_are_not_followed_to_without_tls_or_with_credentials() {
    let other = Server::scripted(vec![bundle(0..1)]);
    for (target, auth) in [
        (other.url("/all.json"), Auth::None),
        (other.url("/all.json"), Auth::Bearer(Secret::new("sesame"))),
        ("https://127.0.0.2:9/all.json".to_owned(), Auth::Bearer(Secret::new("sesame"))),
    ] {
        let server = Server::scripted(vec![Reply::new(302, "").with("Location", target)]);
        let mut options = options(server.url("/all.json"));
        options.auth = auth;
        assert_eq!(download(&options).0.unwrap_err().code().0, "S029");
    }
    assert_eq!(other.requests().len(), 0);
    // Over TLS and with nothing to lose it is tried.
    let server = Server::scripted(vec![Reply::new(302, "").with("Location", "https://127.0.0.1:9/all.json")]);
    assert_eq!(download(&options(server.url("/all.json"))).0.unwrap_err().code().0, "S026");
}

#[test]
fn a_secret_in_the_address_is_refused() {
    for url in ["https://feed.example/all.json?apikey=hidden", "https://u:hidden@feed.example/all.json"] {
        let error = download(&options(url.to_owned())).0.unwrap_err();
        assert_eq!(error.code().0, "S021");
        assert!(!format!("{error} {error:?}").contains("hidden"));
    }
}
