//! What real servers put into their answers.

use serde_json::json;
use stixc::source::taxii::{Auth, NOT_AN_OBJECT, Secret, parse_timestamp};

use crate::support::server::{
    Reply, Request, Server, assert_holds, assert_well_formed, collection, ids, indicator, indicators, options, run,
};

/// A bundle with `more` and `next`, a bearer key, ids that are no UUIDs, a plain content type, and an identity that is
/// stamped anew in each answer: as SOCDefenders sends it.
fn bundle_server() -> Server {
    Server::start(|request: &Request, number| {
        if request.headers.get("authorization").map(String::as_str) != Some("Bearer sesame") {
            return Reply::new(401, r#"{"error":{"code":"invalid_api_key","message":"Invalid API key"}}"#);
        }
        if request.path != "/api/taxii2/api/collections/all-iocs/objects/" {
            return Reply::new(404, r#"{"error":{"code":"not_found"}}"#);
        }
        let (page, next) = match request.has("next") {
            None => (0, Some("cursor+/=1")),
            Some("cursor+/=1") => (1, Some("cursor+/=2")),
            Some("cursor+/=2") => (2, None),
            Some(_) => return Reply::new(400, "{}"),
        };
        let mut objects = vec![json!({
            "type": "identity", "spec_version": "2.1", "id": "identity--socdefenders", "name": "Feed",
            "created": "2026-01-01T00:00:00Z", "modified": format!("2026-01-01T00:00:{number:02}Z"),
        })];
        objects.extend(indicators(page * 100..(page + 1) * 100));
        let body = json!({
            "type": "bundle", "id": format!("bundle--{page}"), "spec_version": "2.1", "objects": objects,
            "more": next.is_some(), "next": next,
        });
        Reply::new(200, body.to_string()).with("Content-Type", "application/json; charset=utf-8")
    })
}

#[test]
fn a_bundle_with_more_and_next_and_a_bearer_key() {
    let server = bundle_server();
    let mut options = options(server.url("/api/taxii2/api/"));
    options.collection = Some("all-iocs".to_owned());
    options.auth = Auth::Bearer(Secret::new("sesame"));
    let (outcome, bundle) = run(&options);
    let summary = outcome.unwrap();
    assert_eq!((summary.objects, summary.repeated, summary.pages, summary.requests), (301, 2, 3, 3));
    let ids = ids(&bundle);
    assert_eq!(ids.iter().filter(|id| *id == "identity--socdefenders").count(), 1);
    assert_eq!(ids.len(), 301);
    assert_well_formed(&server.requests());
}

#[test]
fn the_same_answers_give_the_same_bytes() {
    let server = Server::start(|_, _| Reply::json(&json!({"objects": indicators(0..9)})));
    let options = collection(&server);
    let (first, second) = (run(&options).1, run(&options).1);
    assert_eq!(first, second);
    assert!(first.starts_with(r#"{"type":"bundle","id":"bundle--"#));
    // One line for the head, one for each object, one for the end.
    assert_eq!(first.lines().count(), 11);
}

#[test]
fn an_envelope_whose_next_pages_are_asked_for_with_the_same_filters() {
    let server = Server::start(|request, _| match request.has("next") {
        None => Reply::json(&json!({"more": true, "next": "same", "objects": indicators(0..2)})),
        Some(_) => Reply::json(&json!({"more": false, "objects": indicators(2..3)})),
    });
    let mut options = collection(&server);
    options.added_after = parse_timestamp("2026-01-01T01:00:00+01:00");
    options.filters.types = vec!["indicator".to_owned(), "malware".to_owned()];
    let (outcome, bundle) = run(&options);
    assert_eq!(outcome.unwrap().objects, 3);
    assert_holds(&bundle, 0..3);
    let requests = server.requests();
    assert_well_formed(&requests);
    for request in &requests {
        assert_eq!(request.has("added_after"), Some("2026-01-01T00:00:00.000000Z"));
        assert_eq!(request.has("match[type]"), Some("indicator,malware"));
        assert_eq!(request.has("limit"), Some("100"));
    }
    assert_eq!(requests.len(), 2);
}

#[test]
fn an_empty_page_is_an_empty_bundle() {
    for body in ["{}", "\u{feff}{}", r#"{"more":false}"#, r#"{"objects":[]}"#, r#"{"type":"bundle","id":"bundle--1"}"#]
    {
        let server = Server::scripted(vec![Reply::new(200, body)]);
        let (outcome, bundle) = run(&collection(&server));
        assert_eq!(outcome.unwrap().objects, 0, "{body}");
        assert_eq!(ids(&bundle).len(), 0);
    }
}

#[test]
fn any_content_type_will_do() {
    for content_type in [
        "application/json",
        "application/stix+json;version=2.1",
        "text/html",
        "application/vnd.oasis.stix+json; version=2.0",
        "?",
    ] {
        let body = json!({"objects": indicators(0..1)}).to_string();
        let server = Server::scripted(vec![Reply::new(200, body).with("Content-Type", content_type)]);
        assert_holds(&run(&collection(&server)).1, 0..1);
    }
}

#[test]
fn one_bad_entry_does_not_spoil_its_page() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let body = format!(
        r#"{{"objects":[7,"x",null,[{0}],{{"type":"indicator","id":"indicator--1","pattern":7,"x":{deep}}},{0}]}}"#,
        indicator(1),
    );
    let server = Server::scripted(vec![Reply::new(200, body)]);
    let (outcome, bundle) = run(&collection(&server));
    let summary = outcome.unwrap();
    assert_eq!((summary.objects, summary.skipped), (2, 4));
    assert_eq!(summary.diagnostics.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>(), [NOT_AN_OBJECT]);
    assert_eq!(bundle.lines().count(), 4);
    assert!(bundle.contains(&deep));
}

#[test]
fn objects_are_written_as_they_came() {
    let object = r#"{"z":1.10,"id":"x--1","type":"x","a":"\u00e4\/","a":[1,  2]}"#;
    let server = Server::scripted(vec![Reply::new(200, format!("{{\n \"objects\" : [\n {object}\n ] }}"))]);
    assert!(run(&collection(&server)).1.lines().any(|line| line == object));
}

#[test]
fn every_kind_of_credentials_reaches_the_server() {
    let password = || Secret::new("sesame");
    for (auth, name, value) in [
        (Auth::Basic { user: "u".into(), password: password() }, "authorization", "Basic dTpzZXNhbWU="),
        (Auth::Bearer(password()), "authorization", "Bearer sesame"),
        (Auth::Header { name: "X-API-Key".into(), value: password() }, "x-api-key", "sesame"),
    ] {
        let server = Server::scripted(vec![Reply::json(&json!({}))]);
        let mut options = collection(&server);
        options.auth = auth;
        run(&options).0.unwrap();
        assert_eq!(server.requests()[0].headers[name], value);
    }
}

#[test]
fn a_compressed_answer_is_unpacked() {
    let server = Server::start(|request, _| {
        assert!(request.headers["accept-encoding"].contains("gzip"));
        let body = crate::taxii::hostile::gzip(json!({"objects": indicators(0..50)}).to_string().as_bytes());
        Reply::new(200, body).with("Content-Encoding", "gzip")
    });
    assert_holds(&run(&collection(&server)).1, 0..50);
}
