//! TAXII 2.0: other media types, another discovery, and ranges of items in place of `limit` and `next`.

use serde_json::{Value, json};
use stixc::source::taxii::{TaxiiError, Version, parse_timestamp};

use crate::support::server::{Reply, Request, Server, assert_holds, indicators, options, run};

const RESOURCE: &str = "application/vnd.oasis.taxii+json; version=2.0";
const OBJECTS: &str = "application/vnd.oasis.stix+json; version=2.0";

/// How a server of TAXII 2.0 pages.
#[derive(Clone, Copy)]
struct Older {
    total: usize,
    /// The most items that it gives at once.
    cap: usize,
    /// Whether it says how many there are.
    says_total: bool,
}

const OLDER: Older = Older { total: 1050, cap: 1000, says_total: true };

impl Older {
    fn start(self) -> Server {
        Server::start(move |request, _| self.answer(request))
    }

    fn answer(self, request: &Request) -> Reply {
        let is_objects = request.path.ends_with("/objects/");
        if request.headers["accept"] != if is_objects { OBJECTS } else { RESOURCE } {
            return Reply::new(406, r#"{"title":"Not acceptable"}"#);
        }
        let resource = |body: &Value| Reply::new(200, body.to_string()).with("Content-Type", RESOURCE);
        let host = format!("http://{}", request.headers["host"]);
        match request.path.as_str() {
            "/taxii/" => {
                resource(&json!({"title": "t", "api_roots": [format!("{host}/gone/"), format!("{host}/one/")]}))
            }
            "/one/" => resource(&json!({"title": "one", "versions": ["taxii-2.0"], "max_content_length": 9999})),
            "/one/collections/" => {
                resource(&json!({"collections": [{"id": "c-1", "title": "Old", "can_read": true, "can_write": false}]}))
            }
            "/one/collections/c-1/objects/" => self.items(request),
            _ => Reply::new(404, r#"{"title":"nothing here"}"#),
        }
    }

    /// All objects share one `date_added`.
    fn items(self, request: &Request) -> Reply {
        assert!(request.names.iter().all(|name| name == "added_after" || name.starts_with("match[")), "{request:?}");
        let (first, last) = request.headers["range"].strip_prefix("items ").unwrap().split_once('-').unwrap();
        let (first, last) = (first.parse::<usize>().unwrap(), last.parse::<usize>().unwrap());
        let total = if request.has("added_after").is_some() { 0 } else { self.total };
        if first >= total {
            return Reply::new(416, r#"{"title":"Requested Range Not Satisfiable"}"#);
        }
        let end = (last + 1).min(total).min(first + self.cap);
        let said = if self.says_total { total.to_string() } else { "*".to_owned() };
        let body =
            json!({"type": "bundle", "id": "bundle--1", "spec_version": "2.0", "objects": indicators(first..end)});
        Reply::new(if end - first < total { 206 } else { 200 }, body.to_string())
            .with("Content-Type", OBJECTS)
            .with("Content-Range", format!("items {first}-{}/{said}", end - 1))
            .with("X-TAXII-Date-Added-First", "2026-01-01T00:00:00.000Z")
            .last_added("2026-01-01T00:00:00.000Z")
    }
}

#[test]
fn every_item_comes_once_whatever_the_size_of_pages() {
    for (total, cap, says_total) in [
        (1050, 1000, true),
        (1050, 1000, false),
        (1000, 1000, true),
        (1000, 1000, false),
        (7, 3, true),
        (7, 3, false),
        (1, 1, true),
    ] {
        let server = Older { total, cap, says_total }.start();
        for (path, collection) in
            [("/one/", "c-1"), ("/one/", "Old"), ("/taxii/", "Old"), ("/", "c-1"), ("/one/collections/c-1/", "c-1")]
        {
            let mut options = options(server.url(path));
            options.collection = Some(collection.to_owned());
            let (outcome, bundle) = run(&options);
            let summary = outcome.unwrap_or_else(|error| panic!("{path} {collection} {total} {cap}: {error}"));
            assert_holds(&bundle, 0..total);
            assert_eq!(summary.repeated, 0);
            assert_eq!(summary.cursor.as_deref(), Some("2026-01-01T00:00:00.000Z"));
        }
    }
}

#[test]
fn the_version_is_found_out_once() {
    let server = OLDER.start();
    let mut asked = options(server.url("/one/collections/c-1/"));
    run(&asked).0.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 12);
    assert_eq!(requests[0].headers["accept"], "application/taxii+json;version=2.1");
    assert!(requests[1..].iter().all(|request| request.headers["accept"] == OBJECTS));
    let ranges: Vec<_> = requests[1..].iter().map(|request| request.headers["range"].as_str()).collect();
    assert_eq!((ranges[0], ranges[1], ranges[10]), ("items 0-99", "items 100-199", "items 1000-1099"));

    asked.version = Some(Version::V2_0);
    assert_eq!(run(&asked).0.unwrap().requests, 11);
    asked.version = Some(Version::V2_1);
    assert_eq!(run(&asked).0.unwrap_err().code().0, "S035");
}

#[test]
fn nothing_new_is_no_error() {
    let server = OLDER.start();
    let mut options = options(server.url("/one/collections/c-1/"));
    options.cursor = Some("2026-01-01T00:00:00.000Z".to_owned());
    let (outcome, bundle) = run(&options);
    let summary = outcome.unwrap();
    assert_eq!((summary.objects, summary.cursor), (0, options.cursor));
    assert_holds(&bundle, 0..0);
}

#[test]
fn a_server_that_does_not_look_at_the_media_type_is_recognised_by_its_own() {
    let server = Server::start(|request, _| {
        let mut request = request.clone();
        request.headers.insert("accept".into(), OBJECTS.into());
        request.headers.entry("range".into()).or_insert("items 0-99".into());
        request.names.clear();
        OLDER.answer(&request)
    });
    let (outcome, bundle) = run(&options(server.url("/one/collections/c-1/")));
    outcome.unwrap();
    assert_holds(&bundle, 0..1050);
}

#[test]
fn a_server_that_gives_all_at_once_is_asked_no_further_than_needed() {
    let server = Server::start(|request, _| match request.headers["accept"].as_str() {
        OBJECTS => Reply::new(200, json!({"type": "bundle", "objects": indicators(0..500)}).to_string())
            .with("Content-Type", OBJECTS),
        _ => Reply::new(406, "{}"),
    });
    let (outcome, bundle) = run(&options(server.url("/one/collections/c-1/")));
    assert_eq!(outcome.unwrap().requests, 2);
    assert_holds(&bundle, 0..500);
}

#[test]
fn the_same_range_for_ever_is_ended() {
    let server = Server::start(|_, _| {
        Reply::new(206, json!({"type": "bundle", "objects": indicators(0..5)}).to_string())
            .with("Content-Type", OBJECTS)
            .with("Content-Range", "items 0-4/1000000")
    });
    let mut options = options(server.url("/one/collections/c-1/"));
    options.version = Some(Version::V2_0);
    let error = run(&options).0.unwrap_err();
    assert!(
        matches!(&error, TaxiiError::Incomplete { cause, .. } if matches!(**cause, TaxiiError::NoProgress { .. })),
        "{error}"
    );
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn a_range_that_fails_is_asked_for_again() {
    let server = Server::start(|request, number| match number {
        2 => Reply::new(500, ""),
        5 => Reply { cut: 10, ..OLDER.answer(request) },
        _ => OLDER.answer(request),
    });
    let (outcome, bundle) = run(&options(server.url("/one/collections/c-1/")));
    let summary = outcome.unwrap();
    assert_eq!((summary.requests, summary.repeated), (14, 0));
    assert_holds(&bundle, 0..1050);
}

#[test]
fn filters_go_along() {
    let server = OLDER.start();
    let mut options = options(server.url("/one/collections/c-1/"));
    options.filters.types = vec!["indicator".to_owned()];
    options.added_after = parse_timestamp("2026-01-01");
    run(&options).0.unwrap();
    let last = server.requests().pop().unwrap();
    assert_eq!(last.has("match[type]"), Some("indicator"));
    assert_eq!(last.has("added_after"), Some("2026-01-01T00:00:00.000Z"));
}
