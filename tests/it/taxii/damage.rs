//! One broken page does not keep the others from coming, but the poll does not count as whole.

use serde_json::json;
use stixc::source::taxii::{TaxiiError, parse_timestamp};

use crate::support::server::{Reply, Server, collection, ids, indicator, indicators, run};

fn hour(number: usize) -> String {
    format!("2026-01-01T{number:02}:00:00.000000Z")
}

/// Fifty objects, ten of which were added in each hour. With `by_next` page 2 of five is `broken`; without, pages hold
/// two hours, and each that has object 25 is.
fn fifty(by_next: bool, broken: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |request, _| {
        let after = request.has("added_after").map(|moment| parse_timestamp(moment).unwrap());
        let by_time = (0..5).find(|&number| parse_timestamp(&hour(number)) > after).unwrap();
        let number = request.has("next").map_or(by_time, |next| next.parse().unwrap());
        let hours = if by_next { number..number + 1 } else { number..(number + 2).min(5) };
        let last = hour(hours.end - 1);
        if hours.contains(&2) {
            return broken().last_added(&last);
        }
        let mut body = json!({"more": hours.end < 5, "objects": indicators(hours.start * 10..hours.end * 10)});
        if by_next {
            body["next"] = hours.end.to_string().into();
        }
        Reply::json(&body).last_added(&last)
    })
}

fn cause(error: TaxiiError) -> (u64, String) {
    match error {
        TaxiiError::Incomplete { objects, cause, .. } => (objects, cause.code().to_string()),
        error => panic!("{error}"),
    }
}

/// What the sink was given although the fetch failed.
fn salvaged(written: &str) -> Vec<String> {
    ids(&format!("{written}]}}"))
}

#[test]
fn the_pages_after_a_broken_one_are_fetched_by_time() {
    for (body, code) in [("<html>Bad gateway</html>", "S041"), ("{\"objects\":[{\"a\":", "S041"), ("[]", "S042")] {
        for by_next in [true, false] {
            let server = fifty(by_next, move || Reply::new(200, body));
            let (outcome, written) = run(&collection(&server));
            assert_eq!(cause(outcome.unwrap_err()), (40, code.to_owned()), "{body}");
            assert_eq!(salvaged(&written).len(), 40);
        }
    }
}

#[test]
fn the_other_objects_of_a_broken_page_are_saved() {
    let body = || {
        let objects: Vec<_> = indicators(20..29).iter().map(ToString::to_string).collect();
        let broken = indicator(29).to_string().replace("\"stix\"", "NaN");
        format!("{{\"more\":true,\"objects\":[{broken},{}]}}", objects.join(","))
    };
    let server = fifty(true, move || Reply::new(200, body()));
    let (outcome, written) = run(&collection(&server));
    assert_eq!(cause(outcome.unwrap_err()), (49, "S041".to_owned()));
    assert_eq!(salvaged(&written).len(), 49);
}

#[test]
fn a_broken_page_without_the_header_ends_the_walk() {
    let more = Reply::json(&json!({"more": true, "next": "x", "objects": indicators(0..3)}));
    let server = Server::scripted(vec![more, Reply::new(200, "<html>")]);
    assert_eq!(cause(run(&collection(&server)).0.unwrap_err()), (3, "S041".to_owned()));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn broken_pages_for_ever_are_ended() {
    let server = Server::start(|_, number| Reply::new(200, "<html>").last_added(&hour(number)));
    let error = run(&collection(&server)).0.unwrap_err();
    assert_eq!(error.code().0, "S047", "{error}");
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn objects_nested_two_hundred_deep_come_as_they_are() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let objects = format!(r#"{{"type":"indicator","id":"indicator--deep","x":{deep}}},{}"#, indicator(1));
    let server = Server::scripted(vec![Reply::new(200, format!("{{\"objects\":[{objects}]}}"))]);
    let (outcome, bundle) = run(&collection(&server));
    assert_eq!(outcome.unwrap().objects, 2);
    assert!(bundle.contains(&deep));
    // As a page it is none.
    let server = Server::scripted(vec![Reply::new(200, deep)]);
    assert_eq!(run(&collection(&server)).0.unwrap_err().code().0, "S042");
}
