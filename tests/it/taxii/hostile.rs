//! Servers, and networks, that mean harm or are broken.

use std::{io::Write, time::Duration};

use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use stixc::source::taxii::{Auth, Secret, TaxiiError};

use crate::support::server::{Reply, Server, assert_holds, collection, indicators, options, run};

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Everything at a glance: whatever a server does, the fetch ends after few requests, and with a code that says how.
#[test]
fn every_hostile_server_is_left_within_the_limits_and_with_its_own_code() {
    const MOST_REQUESTS: usize = 12;
    let page = |body: serde_json::Value| Reply::json(&body);
    let objects = || indicators(0..3);
    let more = |next: &str| page(json!({"more": true, "next": next, "objects": objects()}));
    let header = "2026-01-01T00:00:00.000000Z";
    let elsewhere = Server::scripted(vec![page(json!({}))]);
    let bomb = gzip(&vec![b' '; 64 << 20]);
    for (name, replies, expected) in [
        ("the same page for ever", vec![more("x")], "S047"),
        (
            "the same page and header for ever",
            vec![page(json!({"more": true, "objects": objects()})).last_added(header)],
            "S048",
        ),
        ("more with nothing", vec![page(json!({"more": true, "next": "x", "objects": []}))], "S047"),
        ("no header", vec![page(json!({"more": true, "objects": objects()}))], "S049"),
        ("a wrong header", vec![page(json!({"more": true, "objects": objects()})).last_added("soon")], "S049"),
        ("429 with Retry-After", vec![Reply::new(429, "{}").with("Retry-After", "0")], "S038"),
        ("429 with a long Retry-After", vec![Reply::new(429, "{}").with("Retry-After", "86400")], "S038"),
        ("429 with X-RateLimit-Reset", vec![Reply::new(429, "{}").with("X-RateLimit-Reset", "4102444800")], "S038"),
        ("429 by itself", vec![Reply::new(429, "")], "S038"),
        ("a body that breaks off", vec![Reply { cut: 20, ..more("x") }], "S028"),
        ("a slow drip", vec![Reply { drip: Duration::from_millis(40), ..more("x") }], "S027"),
        ("silence", vec![Reply { silence: Duration::from_secs(2), ..more("x") }], "S027"),
        ("a gzip bomb", vec![Reply::new(200, bomb).with("Content-Encoding", "gzip")], "S043"),
        ("10 GB", vec![Reply { times: 10_000_000, ..Reply::new(200, vec![b' '; 1000]) }], "S043"),
        ("200 deep", vec![Reply::new(200, format!("{}{}", "[".repeat(200), "]".repeat(200)))], "S042"),
        (
            "another origin",
            vec![Reply::new(307, "").with("Location", elsewhere.url("/root/collections/c/objects/"))],
            "S029",
        ),
        ("a circle", vec![Reply::new(307, "").with("Location", "?limit=100")], "S030"),
        ("a web page", vec![Reply::new(200, "<html>")], "S041"),
    ] {
        let server = Server::scripted(replies);
        let mut options = collection(&server);
        options.auth = Auth::Header { name: "X-API-Key".into(), value: Secret::new("sesame") };
        options.limits.page_bytes = 1 << 20;
        options.timeouts.page = Duration::from_millis(300);
        options.backoff.attempts = 3;
        let error = run(&options).0.unwrap_err();
        let code = match &error {
            TaxiiError::Incomplete { cause, .. } => cause.code(),
            error => error.code(),
        };
        assert_eq!(code.0, expected, "{name}: {error}");
        let requests = server.requests();
        assert!(requests.len() <= MOST_REQUESTS, "{name}: {}", requests.len());
        assert!(!format!("{error} {error:?} {}", error.help().unwrap()).contains("sesame"), "{name}");
        crate::support::server::assert_well_formed(&requests);
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[test]
fn a_redirect_to_another_server_gets_no_credentials() {
    for auth in [
        Auth::Bearer(Secret::new("sesame")),
        Auth::Basic { user: "u".into(), password: Secret::new("sesame") },
        Auth::Header { name: "X-API-Key".into(), value: Secret::new("sesame") },
        Auth::None,
    ] {
        let other = Server::scripted(vec![Reply::json(&json!({"objects": indicators(0..1)}))]);
        let target = other.url("/root/collections/c/objects/?api_key=hidden");
        let server = Server::scripted(vec![Reply::new(302, "").with("Location", target)]);
        let mut options = collection(&server);
        options.auth = auth;
        let error = run(&options).0.unwrap_err();
        assert_eq!(error.code().0, "S029");
        assert!(
            error.help().unwrap().ends_with(&other.url("/root/collections/c/objects/")),
            "{}",
            error.help().unwrap()
        );
        assert_eq!(other.requests().len(), 0);
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn a_redirect_within_the_server_is_followed() {
    let server = Server::start(|request, _| match request.path.as_str() {
        "/root/collections/c/objects/" => {
            let query =
                request.query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
            Reply::new(308, "").with("Location", format!("/moved/?{query}"))
        }
        "/moved/" => {
            assert_eq!(request.headers["authorization"], "Bearer sesame");
            assert_eq!(request.has("limit"), Some("100"));
            Reply::json(&json!({"objects": indicators(0..1)}))
        }
        _ => Reply::new(404, ""),
    });
    let mut options = collection(&server);
    options.auth = Auth::Bearer(Secret::new("sesame"));
    let (outcome, bundle) = run(&options);
    assert_eq!(outcome.unwrap().requests, 2);
    assert_holds(&bundle, 0..1);
}

#[test]
fn redirects_in_a_circle_end() {
    let server = Server::scripted(vec![Reply::new(301, "").with("Location", "?again=1")]);
    let error = run(&collection(&server)).0.unwrap_err();
    assert!(matches!(error, TaxiiError::RedirectLoop { .. }), "{error}");
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again() {
    let whole = Reply::json(&json!({"objects": indicators(0..10)}));
    let cut = Reply { cut: 100, ..whole.clone() };
    let server = Server::scripted(vec![cut.clone(), cut.clone(), whole]);
    let (outcome, bundle) = run(&collection(&server));
    assert_eq!(outcome.unwrap().requests, 3);
    assert_holds(&bundle, 0..10);

    let server = Server::scripted(vec![cut]);
    let (outcome, written) = run(&collection(&server));
    assert!(matches!(outcome, Err(TaxiiError::BrokenOff { .. })), "{outcome:?}");
    assert_eq!((server.requests().len(), written.as_str()), (5, ""));
}

#[test]
fn a_gzip_bomb_is_stopped_by_what_comes_out_of_it() {
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 100_000);
    let server = Server::scripted(vec![Reply::new(200, bomb).with("Content-Encoding", "gzip")]);
    let mut options = collection(&server);
    options.limits.page_bytes = 1 << 20;
    let error = run(&options).0.unwrap_err();
    assert!(matches!(error, TaxiiError::PageTooLarge { limit, .. } if limit == 1 << 20), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_bomb_as_an_error_message_is_not_unpacked() {
    let bomb = gzip(&vec![b' '; 64 << 20]);
    let server = Server::scripted(vec![Reply::new(403, bomb).with("Content-Encoding", "gzip")]);
    assert_eq!(run(&collection(&server)).0.unwrap_err().code().0, "S033");
}

#[test]
fn damaged_compression_is_no_json_error() {
    let server = Server::scripted(vec![Reply::new(200, "{}").with("Content-Encoding", "gzip")]);
    let error = run(&collection(&server)).0.unwrap_err();
    assert!(matches!(error, TaxiiError::BrokenOff { .. }), "{error}");
}

#[test]
fn a_silent_server_is_left_after_a_while() {
    let server = Server::scripted(vec![Reply { silence: Duration::from_secs(2), ..Reply::json(&json!({})) }]);
    let mut options = collection(&server);
    options.backoff.attempts = 2;
    options.timeouts.read = Duration::from_millis(100);
    let error = run(&options).0.unwrap_err();
    assert!(matches!(error, TaxiiError::TimedOut { .. }), "{error}");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn nobody_there_is_said_without_the_query() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/root/collections/c/", listener.local_addr().unwrap());
    drop(listener);
    let error = run(&options(url.clone())).0.unwrap_err();
    assert!(matches!(error, TaxiiError::Unreachable { .. }), "{error}");
    let message = error.to_string();
    assert!(message.starts_with(&format!("{url}objects/ can't be reached: ")) && !message.contains('?'), "{message}");
}

#[test]
fn credentials_never_go_over_plain_http_to_another_machine() {
    let mut options = options("http://192.0.2.1/root/collections/c/".to_owned());
    options.auth = Auth::Bearer(Secret::new("sesame"));
    let error = run(&options).0.unwrap_err();
    assert!(matches!(error, TaxiiError::PlainHttp { .. }), "{error}");
}

#[test]
fn an_output_that_fails_ends_the_fetch() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let server = Server::scripted(vec![Reply::json(&json!({"objects": indicators(0..3), "more": true, "next": "x"}))]);
    let error = stixc::source::taxii::fetch(&collection(&server), &mut Full).unwrap_err();
    assert!(matches!(error, TaxiiError::Output { .. }), "{error}");
    assert_eq!(server.requests().len(), 1);
}
