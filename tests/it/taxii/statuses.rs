//! Each HTTP status its own error, and no more requests than help.

use std::sync::mpsc;

use serde_json::json;
use stixc::source::taxii::{Auth, Client, Log, Secret, TaxiiError};

use crate::support::server::{Reply, Server, assert_holds, collection, indicators, run};

#[test]
fn each_status_has_its_code_and_its_number_of_requests() {
    const PAGE: &str = "<html><h1>Unauthorized Access</h1></html>";
    const TAXII: &str = r#"{"title":"Refused","description":"because"}"#;
    for (status, body, code, requests) in [
        (400, TAXII, "S031", 1),
        (401, PAGE, "S032", 1),
        (403, TAXII, "S033", 1),
        (404, TAXII, "S034", 1),
        (406, TAXII, "S035", 2),
        (413, TAXII, "S036", 1),
        (415, TAXII, "S037", 2),
        (416, TAXII, "S037", 1),
        (429, r#"{"error":{"code":"rate_limit_exceeded","message":"Refused: because"}}"#, "S038", 5),
        (500, PAGE, "S039", 5),
        (501, PAGE, "S039", 1),
        (502, "", "S039", 5),
        (503, TAXII, "S039", 5),
        (504, PAGE, "S039", 5),
        (408, "", "S040", 5),
        (418, TAXII, "S040", 1),
        (304, "", "S040", 1),
    ] {
        let server = Server::scripted(vec![Reply::new(status, body)]);
        let (outcome, written) = run(&collection(&server));
        let error = outcome.unwrap_err();
        assert_eq!(error.code().0, code, "{status}: {error}");
        assert_eq!(server.requests().len(), requests, "{status}");
        assert_eq!(written, "", "{status}");
        let message = error.to_string();
        assert!(message.contains(&format!("/root/collections/c/objects/ answered {status}: the server ")), "{message}");
        assert_eq!(message.contains("(it says: Refused: because)"), body.contains("because"), "{message}");
        assert!(!message.contains('<') && !message.contains("limit="), "{message}");
        assert!(!error.help().unwrap().is_empty());
        let explanation = stixc::targets::explain(code).unwrap();
        assert!(!explanation.text.is_empty());
    }
}

#[test]
fn every_code_of_the_client_is_explained() {
    let explained: Vec<_> = stixc::targets::catalogue().keys().filter(|code| code.starts_with('S')).collect();
    for number in (20..=59).chain(61..=64) {
        let code = format!("S{number:03}");
        assert!(explained.contains(&&code), "{code}");
    }
}

/// Answers once with `first`, then with a page; returns the seconds that the client waits in between, as its log says.
fn pause(first: Reply) -> String {
    let server = Server::scripted(vec![first, Reply::json(&json!({"objects": indicators(0..3)}))]);
    let (sender, lines) = mpsc::channel();
    let mut options = collection(&server);
    options.log = Some(Log::new(false, move |line| sender.send(line.to_owned()).unwrap()));
    let (outcome, bundle) = run(&options);
    assert_eq!(outcome.unwrap().requests, 2);
    assert_holds(&bundle, 0..3);
    let pause = |line: String| Some(line.strip_prefix("again after ")?.split_once(" seconds")?.0.to_owned());
    lines.try_iter().find_map(pause).unwrap()
}

#[test]
fn the_pause_that_the_server_asks_for_is_kept() {
    assert_eq!(pause(Reply::new(429, "{}").with("Retry-After", "1")), "1.0");
    let reset =
        Reply::new(429, "{}").with("Date", "Thu, 01 Jan 2026 00:00:00 GMT").with("X-RateLimit-Reset", "1767225601");
    assert_eq!(pause(reset), "1.0");
    assert_eq!(pause(Reply::new(503, "").with("Retry-After", "1")), "1.0");
    assert_eq!(pause(Reply::new(429, "{}")), "0.0");
}

#[test]
fn a_pause_beyond_five_minutes_fails_at_once() {
    let server = Server::scripted(vec![Reply::new(429, "{}").with("Retry-After", "301")]);
    let error = run(&collection(&server)).0.unwrap_err();
    assert_eq!(error.code().0, "S038");
    assert_eq!(server.requests().len(), 1);
    assert!(error.help().unwrap().ends_with("wait 301 seconds"), "{}", error.help().unwrap());
}

#[test]
fn a_server_that_repeats_the_secret_is_not_quoted() {
    let bodies = [
        (401, r#"{"title":"bad key sesame"}"#),
        (200, r#"{"title":"bad key sesame"}"#),
        (200, r#"{"objects":"sesame"}"#),
    ];
    for (status, body) in bodies {
        let server = Server::scripted(vec![Reply::new(status, body).with("Content-Type", "text/sesame")]);
        let mut options = collection(&server);
        options.auth = Auth::Bearer(Secret::new("sesame"));
        let error = run(&options).0.unwrap_err();
        let client = Client::new(&options).unwrap();
        let shown =
            format!("{error} {error:?} {} {:?} {options:?} {client:?}", error.help().unwrap(), error.diagnostic());
        assert!(!shown.contains("sesame"), "{shown}");
        assert!(shown.contains("***"), "{shown}");
    }
}

#[test]
fn a_page_of_another_kind_is_told_from_a_collection() {
    for (body, code) in
        [("<html>Log in</html>", "S041"), ("{\"objects\":[", "S041"), ("[]", "S042"), (r#"{"error":"no"}"#, "S042")]
    {
        let server = Server::scripted(vec![Reply::new(200, body)]);
        let error = run(&collection(&server)).0.unwrap_err();
        assert_eq!(error.code().0, code, "{body}: {error}");
    }
}

#[test]
fn a_limit_of_nothing_is_refused() {
    let server = Server::scripted(vec![Reply::json(&json!({}))]);
    let mut options = collection(&server);
    options.limit = 0;
    assert!(matches!(run(&options).0, Err(TaxiiError::InvalidOption { option: "limit", .. })));
    assert_eq!(server.requests().len(), 0);
}
