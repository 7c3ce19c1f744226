//! From the URL that a user has to the collection.

use serde_json::{Value, json};
use stixc::source::taxii::{Auth, FetchOptions, Secret, TaxiiError};

use crate::support::server::{Reply, Request, Server, assert_holds, indicators, options, run};

/// Discovery at `/taxii2/`, one dead and two living API roots with relative URLs, three collections.
fn whole_server() -> Server {
    Server::start(|request: &Request, _| match request.path.as_str() {
        "/taxii2/" => {
            Reply::json(&json!({"title": "t", "default": "/one/", "api_roots": ["/dead/", "/one/", "../two"]}))
        }
        "/one/" => Reply::json(&json!({"title": "one", "versions": ["application/taxii+json;version=2.1"]})),
        "/one/collections/" => Reply::json(&json!({"collections": [
            {"id": "inbox", "title": "Inbox", "can_read": false, "can_write": true},
            {"title": "an entry without an id"},
            {"id": "both", "title": "Shared", "can_read": true},
        ]})),
        "/two/collections/" => Reply::json(&json!({"collections": [
            {"id": "91a7b528-80eb-42ed-a74d-c6fbd5a26116", "title": "Enterprise ATT&CK", "alias": "attack", "can_read": true},
            {"id": "second", "title": "Shared", "can_read": true},
        ]})),
        "/two/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/objects/" => {
            Reply::json(&json!({"objects": indicators(0..5)}))
        }
        "/one/collections/both/objects/" => Reply::json(&json!({"objects": indicators(5..6)})),
        path if path.starts_with("/dead/") => Reply::new(500, "<html>"),
        _ => Reply::new(404, r#"{"title":"nothing here"}"#),
    })
}

fn wanting(server: &Server, path: &str, collection: &str) -> FetchOptions {
    let mut options = options(server.url(path));
    options.collection = Some(collection.to_owned());
    options
}

const ATTACK: &str = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";

#[test]
fn a_collection_is_found_from_every_url_above_it() {
    for (path, name) in [
        ("/taxii2/", ATTACK),
        ("/taxii2/", "attack"),
        ("/taxii2", "Enterprise ATT&CK"),
        ("/taxii2/", "enterprise att&ck"),
        ("/", ATTACK),
        ("", ATTACK),
        ("/two/", ATTACK),
        ("/two", "attack"),
        ("/two/", "Enterprise ATT&CK"),
        ("/two/collections/", ATTACK),
        ("/two/collections", "Enterprise ATT&CK"),
        ("/two/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/", ATTACK),
        ("/two/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/objects", ATTACK),
    ] {
        let server = whole_server();
        let (outcome, bundle) = run(&wanting(&server, path, name));
        let summary = outcome.unwrap_or_else(|error| panic!("{path} {name}: {error}"));
        assert_eq!(summary.objects_url, server.url(&format!("/two/collections/{ATTACK}/objects/")));
        assert_holds(&bundle, 0..5);
    }
}

#[test]
fn few_requests_are_made() {
    for (path, name, requests) in [
        ("/two/", ATTACK, vec!["/two/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/objects/"]),
        (
            "/two/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/",
            ATTACK,
            vec!["/two/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/objects/"],
        ),
        (
            "/two/",
            "Enterprise ATT&CK",
            vec!["/two/", "/two/collections/", "/two/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/objects/"],
        ),
    ] {
        let server = whole_server();
        run(&wanting(&server, path, name)).0.unwrap();
        assert_eq!(server.paths(), requests, "{path} {name}");
    }
}

#[test]
fn what_cannot_be_found_says_what_there_is() {
    let server = whole_server();
    let error = run(&wanting(&server, "/two/", "typo")).0.unwrap_err();
    assert_eq!(error.code().0, "S044");
    let message = error.to_string();
    assert!(message.contains("`typo`") && message.contains(&format!("`Enterprise ATT&CK` ({ATTACK})")), "{message}");

    let error = run(&wanting(&server, "/one/", "Inbox")).0.unwrap_err();
    assert_eq!(error.code().0, "S046", "{error}");

    // The API root that fails may be the one that has it.
    let error = run(&wanting(&server, "/taxii2/", "typo")).0.unwrap_err();
    assert_eq!(error.code().0, "S039", "{error}");

    let error = run(&wanting(&server, "/taxii2/", "Shared")).0.unwrap_err();
    assert_eq!(error.code().0, "S045", "{error}");
    let error = run(&options(server.url("/two/"))).0.unwrap_err();
    assert_eq!(error.code().0, "S045", "{error}");

    let error = run(&wanting(&server, "/two/collections/second/", "typo")).0.unwrap_err();
    assert_eq!(error.code().0, "S024", "{error}");
}

#[test]
fn a_collection_that_is_the_only_readable_one_needs_no_name() {
    let server = whole_server();
    let (outcome, bundle) = run(&options(server.url("/one/")));
    outcome.unwrap();
    assert_holds(&bundle, 5..6);
}

#[test]
fn a_server_that_answers_every_path_with_a_web_page_is_searched_all_the_same() {
    let server = Server::start(|request, _| match request.path.as_str() {
        "/app/" => Reply::json(&json!({"title": "t", "api_roots": ["root/"]})),
        "/app/root/collections/c/objects/" => Reply::json(&json!({"objects": indicators(0..2)})),
        _ => Reply::new(200, "<!doctype html><div id=app></div>").with("Content-Type", "text/html"),
    });
    let (outcome, bundle) = run(&wanting(&server, "/app/", "c"));
    outcome.unwrap();
    assert_holds(&bundle, 0..2);
    let error = run(&wanting(&server, "/web/", "c")).0.unwrap_err();
    assert_eq!(error.code().0, "S041", "{error}");
}

#[test]
fn a_discovery_that_fails_on_other_paths_does_not_hide_the_api_roots() {
    for status in [400, 403, 406, 418, 500, 503] {
        let server = Server::start(move |request, _| match request.path.as_str() {
            "/taxii2/" => Reply::json(&json!({"title": "t", "api_roots": ["/root/"]})),
            "/root/collections/c/objects/" => Reply::json(&json!({"objects": indicators(0..2)})),
            _ => Reply::new(status, "<html>"),
        });
        let (outcome, bundle) = run(&wanting(&server, "/taxii2/", "c"));
        outcome.unwrap_or_else(|error| panic!("{status}: {error}"));
        assert_holds(&bundle, 0..2);
    }
}

#[test]
fn an_api_root_on_another_server_is_not_asked() {
    let other = Server::scripted(vec![Reply::json(&json!({"objects": []}))]);
    let elsewhere = other.url("/root/");
    let server = Server::start(move |request, _| match request.path.as_str() {
        "/taxii2/" => Reply::json(&json!({"title": "t", "api_roots": [elsewhere]})),
        _ => Reply::new(404, "{}"),
    });
    let mut options = wanting(&server, "/taxii2/", "c");
    options.auth = Auth::Header { name: "X-API-Key".into(), value: Secret::new("sesame") };
    let error = run(&options).0.unwrap_err();
    assert_eq!(error.code().0, "S029", "{error}");
    assert!(error.help().unwrap().contains(&other.url("/root/")), "{}", error.help().unwrap());
    assert_eq!(other.requests().len(), 0);
}

#[test]
fn wrong_credentials_are_not_taken_for_a_missing_collection() {
    let server = Server::scripted(vec![Reply::new(401, "Unauthorized Access").with("Content-Type", "text/html")]);
    let error = run(&wanting(&server, "/taxii2/", "c")).0.unwrap_err();
    assert_eq!(error.code().0, "S032");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn ids_are_escaped() {
    let server = Server::start(|request, _| match request.path.as_str() {
        "/root/collections/a%2Fb%3Fc/objects/" => Reply::json(&json!({"objects": indicators(0..1)})),
        _ => Reply::new(404, "{}"),
    });
    assert_holds(&run(&wanting(&server, "/root/", "a/b?c")).1, 0..1);
}

#[test]
fn collections_can_be_listed() {
    let server = whole_server();
    let options = options(server.url("/taxii2/"));
    let client = stixc::source::taxii::Client::new(&options).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listed = runtime.block_on(client.collections(&options)).unwrap();
    let ids: Vec<_> = listed.iter().map(|(root, collection)| (root.path(), collection.id.as_str())).collect();
    assert_eq!(ids, [("/one/", "inbox"), ("/one/", "both"), ("/two/", ATTACK), ("/two/", "second")]);
}

#[test]
fn a_server_without_collections_says_so() {
    let server = Server::start(|request, _| match request.path.as_str() {
        "/root/collections/" => Reply::json(&json!({})),
        "/root/" => Reply::json(&Value::Null),
        _ => Reply::new(404, "{}"),
    });
    let error = run(&wanting(&server, "/root/", "c")).0.unwrap_err();
    assert!(matches!(error, TaxiiError::NoSuchCollection { .. }), "{error}");
}
