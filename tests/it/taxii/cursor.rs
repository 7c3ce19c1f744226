//! Where one poll ends, the next one begins.

use std::time::Duration;

use serde_json::json;
use stixc::source::taxii::{
    Auth, BEYOND_LOOKBACK, FetchSummary, STARTED_AGAIN, Secret, TaxiiError, UNCERTAIN_END, WRONG_LAST_ADDED,
    parse_timestamp,
};

use crate::support::server::{Reply, Server, assert_holds, assert_well_formed, collection, indicators, run};

const NOON: &str = "Thu, 01 Jan 2026 12:00:00 GMT";
const EARLIER: &str = "2026-01-01T03:00:00.000000Z";

fn page(numbers: std::ops::Range<usize>) -> Reply {
    Reply::json(&json!({"more": false, "objects": indicators(numbers)}))
}

/// The poll of a server with one answer, begun at `cursor`.
fn poll(reply: Reply, cursor: Option<&str>) -> (FetchSummary, Server) {
    let server = Server::scripted(vec![reply]);
    let mut options = collection(&server);
    options.cursor = cursor.map(str::to_owned);
    let summary = run(&options).0.unwrap();
    assert_well_formed(&server.requests());
    (summary, server)
}

#[test]
fn the_next_poll_begins_at_the_newest_header() {
    let (summary, _) = poll(page(0..3).last_added("2026-01-01T09:00:00.123456Z").with("Date", NOON), Some(EARLIER));
    assert_eq!(summary.cursor.as_deref(), Some("2026-01-01T09:00:00.123456Z"));
    // As the server wrote it; what is sent has the form that all servers take.
    let (summary, _) = poll(page(0..3).last_added("2026-01-01T09:00:00Z"), None);
    assert_eq!(summary.cursor.as_deref(), Some("2026-01-01T09:00:00Z"));
    let (_, server) = poll(page(0..3), summary.cursor.as_deref());
    // Less the overlap: what was being added then may have come to be seen later.
    assert_eq!(server.requests()[0].has("added_after"), Some("2026-01-01T08:55:00.000000Z"));
}

#[test]
fn what_was_added_just_now_is_asked_for_again() {
    for (last, expected) in [
        // More may yet be added at that moment.
        ("2026-01-01T12:00:00.000000Z", "2026-01-01T11:55:00.000000Z"),
        ("2026-01-01T11:55:00.000001Z", "2026-01-01T11:55:00.000000Z"),
        ("2026-01-01T11:55:00Z", "2026-01-01T11:55:00Z"),
        ("2026-01-01T11:54:00.000000Z", "2026-01-01T11:54:00.000000Z"),
    ] {
        let (summary, _) = poll(page(0..3).last_added(last).with("Date", NOON), Some(EARLIER));
        assert_eq!(summary.cursor.as_deref(), Some(expected));
        assert_eq!(summary.last_added.as_deref(), Some(last));
        // But a poll never begins before the one before it.
        let (summary, _) = poll(page(0..3).last_added(last).with("Date", NOON), Some("2026-01-01T11:58:00.000000Z"));
        assert_eq!(summary.cursor.as_deref(), Some("2026-01-01T11:58:00.000000Z"));
    }
}

#[test]
fn without_the_header_the_next_poll_begins_where_this_one_did() {
    // The server's clock does not say when its objects were added.
    let (summary, _) = poll(page(0..3).with("Date", NOON), Some(EARLIER));
    assert_eq!(summary.cursor.as_deref(), Some(EARLIER));
    assert_eq!(poll(page(0..3).with("Date", NOON), None).0.cursor, None);
}

#[test]
fn what_says_nothing_leaves_the_cursor_as_it_was() {
    for reply in [
        Reply::new(200, "{}").with("Date", NOON),
        page(0..3),
        page(0..3).last_added("2025-12-01T00:00:00.000000Z"),
        page(0..3).with("Date", "Wed, 31 Dec 2025 00:00:00 GMT"),
        page(0..3).with("Date", "some time"),
    ] {
        let (summary, _) = poll(reply, Some(EARLIER));
        assert_eq!(summary.cursor.as_deref(), Some(EARLIER));
    }
    assert_eq!(poll(Reply::new(200, "{}"), None).0.cursor, None);
}

#[test]
fn a_header_that_cannot_be_right_is_taken_for_missing() {
    for wrong in ["9999-12-31T23:59:59Z", "2026-01-02T12:00:01.000000Z", "1767225600", "soon"] {
        let (summary, _) = poll(page(0..3).last_added(wrong).with("Date", NOON), Some(EARLIER));
        assert_eq!(summary.cursor.as_deref(), Some(EARLIER), "{wrong}");
        let codes: Vec<_> = summary.diagnostics.iter().map(|found| found.code).collect();
        assert_eq!(codes, [WRONG_LAST_ADDED]);
    }
    // It does not lead the walk astray either.
    let more = Reply::json(&json!({"more": true, "objects": indicators(0..3)}));
    let server = Server::scripted(vec![more.last_added("9999-12-31T23:59:59Z").with("Date", NOON)]);
    let error = run(&collection(&server)).0.unwrap_err();
    assert!(
        matches!(&error, TaxiiError::Incomplete { cause, .. } if matches!(**cause, TaxiiError::NoWayOn)),
        "{error}"
    );
}

#[test]
fn pages_in_any_order_end_at_the_newest_moment() {
    let hours = [5, 9, 7];
    let server = Server::start(move |_, number| {
        let objects = indicators(number * 3..number * 3 + 3);
        Reply::json(&json!({"more": number < 2, "next": "x", "objects": objects}))
            .last_added(&format!("2026-01-01T{:02}:00:00.000000Z", hours[number]))
    });
    let summary = run(&collection(&server)).0.unwrap();
    assert_eq!(summary.cursor.as_deref(), Some("2026-01-01T09:00:00.000000Z"));
}

#[test]
fn pages_out_of_order_whose_next_is_rejected_are_asked_for_from_the_beginning() {
    // The newest come first; the third page is refused.
    let server = Server::start(|request, _| {
        let start = if request.has("next").is_some() { 100 } else { 0 };
        if request.has("next") == Some("2") {
            return Reply::new(400, "{}");
        }
        let limit = request.has("limit").unwrap().parse::<usize>().unwrap();
        let end = (start + limit).min(300);
        let next = if start == 0 { "1" } else { "2" };
        Reply::json(&json!({"more": end < 300, "next": next, "objects": indicators(start..end)}))
            .last_added(&format!("2026-01-01T{:02}:00:00.000000Z", 20 - end / 100))
    });
    let (outcome, bundle) = run(&collection(&server));
    outcome.unwrap();
    assert_holds(&bundle, 0..300);
}

#[test]
fn a_poll_that_fails_on_the_way_has_no_cursor() {
    let more = Reply::json(&json!({"more": true, "next": "x", "objects": indicators(0..3)})).last_added(EARLIER);
    for failure in [Reply::new(401, "{}"), Reply::new(403, "{}")] {
        let server = Server::scripted(vec![more.clone(), failure]);
        let error = run(&collection(&server)).0.unwrap_err();
        assert!(error.is_partial(), "{error}");
    }
    let server = Server::scripted(vec![Reply::new(401, "{}")]);
    assert!(!run(&collection(&server)).0.unwrap_err().is_partial());
}

#[test]
fn a_walk_that_started_again_forgets_the_headers_of_its_first_round() {
    let server = Server::start(|request, number| match (number, request.has("next")) {
        (0, _) => Reply::json(&json!({"more": true, "next": "x", "objects": indicators(0..3)}))
            .last_added("2026-01-01T09:00:00.000000Z"),
        (1, _) => Reply::new(500, ""),
        _ => page(0..4).last_added("2026-01-01T08:00:00.000000Z"),
    });
    let (outcome, bundle) = run(&collection(&server));
    let summary = outcome.unwrap();
    assert_holds(&bundle, 0..4);
    assert_eq!(summary.cursor.as_deref(), Some("2026-01-01T08:00:00.000000Z"));
    assert_eq!(summary.diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(), [STARTED_AGAIN]);
}

#[test]
fn a_cursor_that_is_none_is_refused() {
    let server = Server::scripted(vec![page(0..1)]);
    let mut options = collection(&server);
    options.cursor = Some("yesterday".to_owned());
    assert_eq!(run(&options).0.unwrap_err().code().0, "S024");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_poll_that_begins_before_the_lookback_is_warned_about() {
    let server = Server::scripted(vec![page(0..1).with("Date", NOON)]);
    let mut options = collection(&server);
    options.added_after = parse_timestamp("2025-12-31T11:00:00Z");
    for (hours, warned) in [(24, true), (26, false)] {
        options.lookback = Some(Duration::from_secs(hours * 3600));
        let summary = run(&options).0.unwrap();
        assert_eq!(summary.diagnostics.iter().any(|found| found.code == BEYOND_LOOKBACK), warned);
    }
}

/// As SOCDefenders' other documents say: a bundle with an identity that is stamped anew, a key in a header of its own,
/// neither `more` nor `next`, and blocks of 250 objects that were added at one moment.
#[test]
fn two_polls_of_a_server_with_headers_only_give_everything_once() {
    const TIES: usize = 250;
    let moment = |number: usize| format!("2026-01-01T{:02}:00:00.000000Z", number / TIES);
    let server = Server::start(move |request, answered| {
        if request.headers.get("x-api-key").map(String::as_str) != Some("sesame") {
            return Reply::new(401, r#"{"error":{"code":"missing_api_key","message":"No key","request_id":"req_1"}}"#);
        }
        let after = request.has("added_after").map(|moment| parse_timestamp(moment).unwrap());
        let first = (0..2000).find(|&number| after < parse_timestamp(&moment(number))).unwrap_or(2000);
        let end = (first + request.has("limit").unwrap().parse::<usize>().unwrap()).min(2000);
        let mut objects = vec![json!({
            "type": "identity", "id": "identity--socdefenders", "name": "Feed",
            "modified": format!("2026-01-02T00:00:00.{answered:03}Z"),
        })];
        objects.extend(indicators(first..end));
        let reply = Reply::new(200, json!({"type": "bundle", "id": "bundle--1", "objects": objects}).to_string())
            .with("Content-Type", "application/json")
            .with("X-RateLimit-Limit", "1000")
            .with("X-RateLimit-Remaining", "990")
            .with("X-RateLimit-Reset", "1767225660");
        if first < end {
            reply.with("X-TAXII-Date-Added-First", moment(first)).last_added(&moment(end - 1))
        } else {
            reply
        }
    });
    let mut options = collection(&server);
    options.auth = Auth::Header { name: "X-API-Key".into(), value: Secret::new("sesame") };
    let (outcome, bundle) = run(&options);
    let summary = outcome.unwrap();
    assert_eq!((summary.objects, crate::support::server::ids(&bundle).len()), (2001, 2001));
    assert!(summary.requests <= 30, "{}", summary.requests);
    assert_eq!(summary.cursor, Some(moment(1999)));
    assert_well_formed(&server.requests());

    options.cursor = summary.cursor;
    let (outcome, bundle) = run(&options);
    let summary = outcome.unwrap();
    // The block of the newest moment comes again: more may have been added to it.
    assert_eq!(crate::support::server::ids(&bundle).len(), 251);
    assert_eq!(summary.cursor, Some(moment(1999)));
    assert!(summary.requests <= 6, "{}", summary.requests);
}

/// As SOCDefenders may be: no `more`, no `next`, only the header, and fewer objects a page than asked for.
#[test]
fn a_server_that_gives_less_than_asked_for_and_says_nothing_is_walked_to_its_end() {
    let server = Server::start(|request, _| {
        let after = request.has("added_after").map(|moment| parse_timestamp(moment).unwrap());
        let moment = |number: usize| format!("2026-01-01T{:02}:{:02}:00.000000Z", number / 60, number % 60);
        let first = (0..500).find(|&number| after < parse_timestamp(&moment(number))).unwrap_or(500);
        let end = (first + 70).min(500);
        let mut objects = vec![json!({"type": "identity", "id": "identity--feed", "modified": format!("{first}")})];
        objects.extend(indicators(first..end));
        let reply = Reply::json(&json!({"type": "bundle", "objects": objects}));
        if first < end { reply.last_added(&moment(end - 1)) } else { reply }
    });
    let (outcome, bundle) = run(&collection(&server));
    let summary = outcome.unwrap();
    assert_eq!((summary.objects, summary.cursor.as_deref()), (501, Some("2026-01-01T08:19:00.000000Z")));
    assert_eq!(crate::support::server::ids(&bundle).len(), 501);
    assert_eq!(summary.diagnostics, []);
}

/// More objects of one moment than the server ever puts on a page: they can't be asked for, and that is an error.
#[test]
fn ties_that_fill_the_largest_page_are_never_passed_over() {
    let server = Server::start(|request, _| {
        let after = request.has("added_after").map(|moment| parse_timestamp(moment).unwrap());
        let moment = |number: usize| {
            format!("2026-01-0{}T00:00:00.000000Z", 1 + usize::from(number >= 50) + usize::from(number >= 300))
        };
        let first = (0..360).find(|&number| after < parse_timestamp(&moment(number))).unwrap_or(360);
        let end = (first + 100).min(360);
        let reply = Reply::json(&json!({"objects": indicators(first..end)}));
        if first < end { reply.last_added(&moment(end - 1)) } else { reply }
    });
    let mut options = collection(&server);
    options.cursor = Some("2025-12-31T00:00:00Z".into());
    let (outcome, _) = run(&options);
    let summary = outcome.unwrap_err();
    assert!(summary.to_string().contains("2026-01-02T00:00:00"), "{summary}");
}

#[test]
fn a_full_page_that_says_nothing_of_an_end_is_not_taken_for_one() {
    let server = Server::scripted(vec![Reply::json(&json!({"objects": indicators(0..100)}))]);
    let mut options = collection(&server);
    options.limit = 100;
    let (outcome, _) = run(&options);
    assert!(outcome.is_err(), "the cursor stays");
    let server = Server::scripted(vec![Reply::json(&json!({"objects": indicators(0..100)}))]);
    let mut options = collection(&server);
    options.limit = 101;
    let (outcome, _) = run(&options);
    assert_eq!(outcome.unwrap().objects, 100);
}

#[test]
fn an_end_that_is_uncertain_is_said_to_be() {
    let server = Server::scripted(vec![Reply::json(&json!({"objects": indicators(0..70)})).last_added(EARLIER)]);
    let (outcome, bundle) = run(&collection(&server));
    assert_eq!(outcome.unwrap().diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(), [UNCERTAIN_END]);
    assert_holds(&bundle, 0..70);
}
