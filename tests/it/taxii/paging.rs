//! Through a whole collection, without losing an object and without walking for ever.

use std::{sync::Mutex, time::Duration};

use serde_json::{Value, json};
use stixc::source::taxii::{NEXT_REJECTED, STARTED_AGAIN, TaxiiError, parse_timestamp};

use crate::support::server::{Reply, Request, Server, assert_holds, assert_well_formed, collection, indicators, run};

/// The moment at which objects of the tie block `block` were added.
fn added(block: usize) -> String {
    format!("2026-01-{:02}T{:02}:00:00.000000Z", 1 + block / 24, block % 24)
}

/// A collection of `total` objects of which each `ties` in a row share one `date_added`.
#[derive(Clone, Copy)]
struct Tied {
    total: usize,
    ties: usize,
    /// The most objects that the server gives at once.
    cap: usize,
}

impl Tied {
    /// The objects that were added strictly after `added_after` and how the page of them ends, as TAXII defines it.
    fn page(self, request: &Request, from: usize) -> (Vec<Value>, bool, Option<String>) {
        let after = request.has("added_after").map(|moment| parse_timestamp(moment).unwrap());
        let is_after =
            |number: &usize| after.is_none_or(|after| parse_timestamp(&added(number / self.ties)).unwrap() > after);
        let first = (from..self.total).find(is_after).unwrap_or(self.total);
        let limit = request.has("limit").unwrap().parse::<usize>().unwrap().min(self.cap);
        let end = (first + limit).min(self.total);
        let last = (first < end).then(|| added((end - 1) / self.ties));
        (indicators(first..end), end < self.total, last)
    }

    fn reply(objects: &[Value], more: bool, next: Option<&str>, last: Option<String>) -> Reply {
        let mut body = json!({"objects": objects, "more": more});
        if let Some(next) = next {
            body["next"] = next.into();
        }
        let reply = Reply::json(&body);
        match last {
            Some(last) => reply.last_added(&last),
            None => reply,
        }
    }

    /// Pages by the header only.
    fn header_only(self) -> Server {
        Server::start(move |request, _| {
            let (objects, more, last) = self.page(request, 0);
            Self::reply(&objects, more, None, last)
        })
    }
}

const TIED: Tied = Tied { total: 2000, ties: 250, cap: 100_000 };

#[test]
fn nothing_is_lost_between_pages_that_share_a_moment() {
    let server = TIED.header_only();
    let (outcome, bundle) = run(&collection(&server));
    let summary = outcome.unwrap();
    assert_eq!(summary.objects, 2000);
    assert!(summary.requests <= 25, "{} requests", summary.requests);
    assert_eq!(summary.last_added, Some(added(7)));
    assert_holds(&bundle, 0..2000);
    assert_well_formed(&server.requests());
}

#[test]
fn a_start_in_the_middle_is_kept_to() {
    let server = TIED.header_only();
    let mut options = collection(&server);
    options.added_after = parse_timestamp(&added(3));
    let (outcome, bundle) = run(&options);
    outcome.unwrap();
    assert_holds(&bundle, 1000..2000);
}

#[test]
fn every_size_of_page_and_of_ties_gives_everything() {
    for (total, ties, limit) in [
        (1, 1, 1),
        (7, 7, 1),
        (30, 1, 1),
        (31, 3, 2),
        (64, 8, 8),
        (65, 8, 16),
        (100, 100, 99),
        (99, 50, 100),
        (128, 1, 128),
    ] {
        let server = Tied { total, ties, cap: 100_000 }.header_only();
        let mut options = collection(&server);
        options.limit = limit;
        let (outcome, bundle) = run(&options);
        outcome.unwrap_or_else(|error| panic!("{total} {ties} {limit}: {error}"));
        assert_holds(&bundle, 0..total);
    }
}

#[test]
fn more_ties_than_a_page_can_hold_are_an_error() {
    let server = Tied { cap: 100, ..TIED }.header_only();
    let (outcome, written) = run(&collection(&server));
    let error = outcome.unwrap_err();
    assert_eq!(error.code().0, "S053", "{error}");
    // What lies behind each block comes all the same.
    let TaxiiError::Incomplete { objects: 800, cause, .. } = &error else { panic!("{error}") };
    assert!(matches!(&**cause, TaxiiError::Ties { page: 100, .. }), "{error}");
    assert!(error.to_string().contains(&added(0)), "{error}");
    assert!(error.diagnostic().message.contains("S048"), "{}", error.diagnostic());
    assert!(serde_json::from_str::<Value>(&written).is_err(), "what is incomplete must not look whole");
}

#[test]
fn a_page_is_not_widened_beyond_the_limit_for_it() {
    let server = TIED.header_only();
    let mut options = collection(&server);
    options.limits.page_objects = 200;
    let error = run(&options).0.unwrap_err();
    assert!(
        matches!(&error, TaxiiError::Incomplete { cause, .. } if matches!(**cause, TaxiiError::Ties { .. })),
        "{error}"
    );
    assert!(server.requests().iter().all(|request| request.has("limit").unwrap().parse::<u32>().unwrap() <= 200));
}

#[test]
fn a_full_page_without_more_is_not_taken_for_the_end() {
    let server = Server::start(|request, _| {
        let (objects, _, last) = Tied { total: 250, ties: 3, cap: 100_000 }.page(request, 0);
        Reply::json(&json!({"type": "bundle", "id": "bundle--1", "objects": objects})).last_added(&last.unwrap())
    });
    let (outcome, bundle) = run(&collection(&server));
    outcome.unwrap();
    assert_holds(&bundle, 0..250);
}

#[test]
fn a_rejected_next_is_replaced_by_the_time() {
    for status in [400, 404, 410] {
        let server = Server::start(move |request, _| match request.has("next") {
            Some(_) => Reply::new(status, r#"{"code":400,"name":"validation error","description":"next"}"#),
            None => {
                let (objects, more, last) = TIED.page(request, 0);
                Tied::reply(&objects, more, more.then_some("MjAyNi0wMS0wMVQwMDowMDowMFo=|x"), last)
            }
        });
        let (outcome, bundle) = run(&collection(&server));
        let summary = outcome.unwrap();
        assert_holds(&bundle, 0..2000);
        assert_eq!(summary.diagnostics.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>(), [NEXT_REJECTED]);
        assert_eq!(server.requests().iter().filter(|request| request.has("next").is_some()).count(), 1);
    }
}

#[test]
fn a_rejected_next_without_the_header_is_an_error() {
    let page = Reply::json(&json!({"objects": indicators(0..5), "more": true, "next": "x"}));
    let server = Server::scripted(vec![page, Reply::new(400, "{}")]);
    let error = run(&collection(&server)).0.unwrap_err();
    assert!(matches!(&error, TaxiiError::Incomplete { objects: 5, cause, .. } if cause.code().0 == "S031"), "{error}");
}

/// A server like medallion 3.0.0: `next` is the same token on each page, the place is kept on the server, and each
/// request moves it on, also one whose answer gets lost. Request number `failing` fails as `failure` says.
fn moves_on_with_each_request(failing: &'static [usize], failure: Reply, header: bool) -> Server {
    let place = Mutex::new(0);
    Server::start(move |request, number| {
        let mut place = place.lock().unwrap();
        if request.has("next").is_none() {
            *place = 0;
        }
        let refused = failing.contains(&number) && matches!(failure.status, 429 | 503);
        if refused {
            return failure.clone();
        }
        let (objects, more, last) = TIED.page(request, *place);
        *place += objects.len();
        if failing.contains(&number) {
            return failure.clone();
        }
        Tied::reply(&objects, more, more.then_some("one-for-all"), last.filter(|_| header))
    })
}

#[test]
fn the_same_token_on_each_page_is_progress() {
    let server = moves_on_with_each_request(&[], Reply::new(500, ""), true);
    let (outcome, bundle) = run(&collection(&server));
    assert_eq!(outcome.unwrap().requests, 20);
    assert_holds(&bundle, 0..2000);
}

#[test]
fn a_next_page_that_fails_is_never_blindly_repeated() {
    let cut = Reply { cut: 10, ..Reply::json(&json!({"objects": []})) };
    for failure in [Reply::new(500, "<html>"), Reply::new(502, ""), cut] {
        for (header, failing) in [(true, &[7][..]), (false, &[7]), (false, &[3, 9, 12]), (true, &[3, 9])] {
            let server = moves_on_with_each_request(failing, failure.clone(), header);
            let (outcome, bundle) = run(&collection(&server));
            let summary = outcome.unwrap_or_else(|error| panic!("{failing:?} {header}: {error}"));
            assert_holds(&bundle, 0..2000);
            assert_eq!(summary.diagnostics[0].code, STARTED_AGAIN);
        }
    }
}

#[test]
fn a_next_page_that_was_refused_is_asked_for_again() {
    for status in [429, 503] {
        let server = moves_on_with_each_request(&[5, 6, 11], Reply::new(status, "{}"), false);
        let (outcome, bundle) = run(&collection(&server));
        let summary = outcome.unwrap();
        assert_eq!((summary.requests, summary.diagnostics.len()), (23, 0));
        assert_holds(&bundle, 0..2000);
    }
}

#[test]
fn a_next_page_that_always_fails_ends_the_walk() {
    let server = Server::start(|request, _| match request.has("next") {
        Some(_) => Reply::new(500, "<html>"),
        None => Reply::json(&json!({"objects": indicators(0..5), "more": true, "next": "x"})),
    });
    let (outcome, written) = run(&collection(&server));
    let error = outcome.unwrap_err();
    assert!(matches!(&error, TaxiiError::Incomplete { objects: 5, cause, .. } if cause.code().0 == "S039"), "{error}");
    assert_eq!(server.requests().len(), 8);
    assert!(serde_json::from_str::<Value>(&written).is_err());
}

/// Runs against `answer`, which never ends by itself; returns what ended it, and the number of requests.
fn endless(answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> (TaxiiError, usize) {
    let server = Server::start(answer);
    let error = run(&collection(&server)).0.unwrap_err();
    let cause = match error {
        TaxiiError::Incomplete { cause, .. } => *cause,
        error => error,
    };
    (cause, server.requests().len())
}

#[test]
fn walks_that_never_end_are_ended() {
    let (error, requests) =
        endless(|_, _| Reply::json(&json!({"more": true, "next": "x", "objects": indicators(1..3)})));
    assert!(matches!(error, TaxiiError::NoProgress { .. }), "{error}");
    assert_eq!(requests, 5);

    let (error, requests) = endless(|_, number| Reply::json(&json!({"more": true, "next": number, "objects": []})));
    assert!(matches!(error, TaxiiError::NoProgress { .. }), "{error}");
    assert_eq!(requests, 4);

    let (error, requests) = endless(|_, _| Reply::json(&json!({"more": true, "objects": indicators(1..3)})));
    assert!(matches!(error, TaxiiError::NoWayOn), "{error}");
    assert_eq!(requests, 1);

    let (error, requests) = endless(|_, _| Reply::json(&json!({"more": true, "objects": []})).last_added(&added(0)));
    assert!(matches!(error, TaxiiError::NoProgress { .. }), "{error}");
    assert_eq!(requests, 4);

    // The same objects again and again, with a header that moves on.
    let (error, requests) = endless(|_, number| {
        Reply::json(&json!({"more": true, "objects": indicators(1..3)})).last_added(&added(number))
    });
    assert!(matches!(error, TaxiiError::NoProgress { .. }), "{error}");
    assert_eq!(requests, 5);

    // The same objects with a header that stands still.
    let (error, requests) =
        endless(|_, _| Reply::json(&json!({"more": true, "objects": indicators(1..3)})).last_added(&added(0)));
    assert!(matches!(error, TaxiiError::Ties { .. }), "{error}");
    assert_eq!(requests, 5);

    // An identity that is stamped anew is nothing new.
    let (error, requests) = endless(|_, number| {
        Reply::json(
            &json!({"more": true, "next": "x", "objects": [{"type": "identity", "id": "identity--1", "modified": number}]}),
        )
    });
    assert!(matches!(error, TaxiiError::NoProgress { .. }), "{error}");
    assert_eq!(requests, 5);
}

#[test]
fn three_empty_pages_in_a_row_are_borne() {
    let server = Server::start(|_, number| match number {
        1..=3 => Reply::json(&json!({"more": true, "next": number, "objects": []})),
        0 => Reply::json(&json!({"more": true, "next": "x", "objects": indicators(0..2)})),
        _ => Reply::json(&json!({"more": false, "objects": indicators(2..4)})),
    });
    let (outcome, bundle) = run(&collection(&server));
    assert_eq!(outcome.unwrap().pages, 5);
    assert_holds(&bundle, 0..4);
}

#[test]
fn every_cap_has_its_error() {
    let endless = || {
        Server::start(|_, number| {
            Reply::json(&json!({"more": true, "next": "x", "objects": indicators(number * 10..(number + 1) * 10)}))
        })
    };
    let caused_by = |options: &stixc::source::taxii::FetchOptions| match run(options).0.unwrap_err() {
        TaxiiError::Incomplete { objects, cause, .. } => (objects, cause.code().0),
        error => panic!("{error}"),
    };
    let server = endless();
    let mut options = collection(&server);
    options.limits.pages = 7;
    assert_eq!(caused_by(&options), (70, "S050"));

    let server = endless();
    let mut options = collection(&server);
    options.limits.objects = 25;
    assert_eq!(caused_by(&options), (25, "S051"));

    let server = endless();
    let mut options = collection(&server);
    options.limits.time = Duration::from_millis(200);
    assert_eq!(caused_by(&options).1, "S052");
}
