//! The store: versions, sweeps, generations, and what ends between two transactions.
#![cfg(feature = "store")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use stixc::{
    stix::{Head, Role, Timestamp},
    store::{Completion, FeedNumber, Store, StoreError, Tally},
};

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inner/store.sqlite");
    (folder, path)
}

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_700_000_000).unwrap()
}

fn indicator(number: u32, modified: &str, more: &str) -> String {
    format!(
        r#"{{"type":"indicator","id":"indicator--{number}","modified":"{modified}","pattern":"[a:b = {number}]"{more}}}"#
    )
}

fn end(full: bool) -> Completion {
    Completion { cursor: None, validator: None, now: now(), full, complete: full }
}

fn take(store: &mut Store, feed: FeedNumber, objects: &[String]) -> Tally {
    let heads: Vec<_> = objects.iter().map(|object| Head::read(object.as_bytes())).collect();
    store.take(feed, objects.iter().map(String::as_bytes).zip(&heads)).unwrap()
}

fn held(store: &mut Store, feed: FeedNumber) -> Vec<String> {
    of_role(store, feed, Role::Indicator)
}

fn of_role(store: &mut Store, feed: FeedNumber, role: Role) -> Vec<String> {
    let batches: Vec<_> = store.objects(feed, role).collect();
    assert!(batches.iter().all(|batch| batch.faults.is_empty()));
    let objects = batches.iter().flat_map(|batch| batch.objects());
    objects.map(|object| String::from_utf8(object.raw.to_vec()).unwrap()).collect()
}

const OLD: &str = "2024-01-01T00:00:00Z";
const NEW: &str = "2024-01-02T00:00:00Z";

#[test]
fn the_newer_version_counts_and_of_equal_ones_the_later_walk() {
    let (_folder, path) = place();
    let mut store = Store::open(&path).unwrap();
    let feed = store.feed("s", "name").unwrap().number;
    let mut generation = 0;
    for (object, changed, rewritten, kept) in [
        (indicator(1, OLD, ""), 1, 0, true),
        (indicator(1, OLD, ""), 0, 0, true),
        (indicator(1, OLD, r#","name":"x""#), 0, 1, true),
        (indicator(1, NEW, ""), 1, 0, true),
        (indicator(1, OLD, r#","revoked":true"#), 0, 0, false),
        (indicator(1, NEW, r#","revoked":true"#), 1, 0, true),
        (indicator(1, NEW, ""), 0, 0, false),
    ] {
        store.begin(feed).unwrap();
        let tally = take(&mut store, feed, std::slice::from_ref(&object));
        assert_eq!((tally.changed, tally.rewritten), (changed, rewritten), "{object}");
        assert_eq!(held(&mut store, feed) == [object.clone()], kept, "{object}");
        let after = store.generation().unwrap();
        assert_eq!(after > generation, changed + rewritten > 0, "{object}");
        generation = after;
    }
}

#[test]
fn of_several_texts_of_one_version_in_a_walk_the_same_one_counts() {
    let named = |more: &str| indicator(1, OLD, &format!(r#","name":"{more}""#));
    let identity = |name: &str| {
        format!(r#"{{"type":"identity","id":"identity--1","identity_class":"x","modified":"{OLD}","name":"{name}"}}"#)
    };
    let texts = [named("a"), named("b"), named("c"), identity("A"), identity("B")];
    let mut kept = BTreeSet::new();
    for order in [[0, 1, 2, 3, 4], [2, 1, 0, 4, 3], [1, 4, 2, 3, 0], [3, 2, 0, 4, 1]] {
        let (_folder, path) = place();
        let mut store = Store::open(&path).unwrap();
        let feed = store.feed("s", "name").unwrap().number;
        // What an earlier walk has left of the version counts for nothing, nor does an older version in between.
        take(&mut store, feed, &[named("zz"), identity("ZZ")]);
        store.begin(feed).unwrap();
        take(&mut store, feed, &[indicator(1, "2023-01-01T00:00:00Z", "")]);
        let mut ambiguous = BTreeSet::new();
        for number in order {
            ambiguous.extend(take(&mut store, feed, &[texts[number].clone()]).ambiguous);
        }
        assert_eq!(ambiguous.into_iter().collect::<Vec<_>>(), ["indicator--1"]);
        kept.insert([held(&mut store, feed), of_role(&mut store, feed, Role::Context)].concat());
    }
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(kept.iter().flatten().all(|text| texts.contains(text)), "{kept:?}");
}

#[test]
fn objects_that_say_nothing_are_passed_over_and_bad_ones_spoil_no_other() {
    let (_folder, path) = place();
    let mut store = Store::open(&path).unwrap();
    let feed = store.feed("s", "name").unwrap().number;
    let objects = [
        indicator(1, OLD, ""),
        r#"{"type":"indicator","id":"indicator--2"}"#.to_owned(),
        r#"{"type":"note","id":"note--1"}"#.to_owned(),
        "{\"type\":\"malware\",\n  \"id\":\"malware--1\",\n  \"name\":\"M\"}".to_owned(),
        r#"{"type":"relationship","id":"r--1","relationship_type":"indicates","source_ref":"indicator--1","target_ref":"malware--1"}"#.to_owned(),
        r#"{"type":"relationship","id":"r--2","relationship_type":"related-to","source_ref":"a--1","target_ref":"b--1"}"#.to_owned(),
        indicator(3, OLD, ""),
    ];
    let tally = take(&mut store, feed, &objects);
    assert_eq!((tally.changed, tally.passed), (4, 2));
    assert_eq!(
        of_role(&mut store, feed, Role::Context),
        [r#"{"type":"malware","id":"malware--1","name":"M"}"#, &objects[4]]
    );
    assert_eq!(held(&mut store, feed), [objects[0].clone(), objects[6].clone()]);
}

#[test]
fn a_full_walk_sweeps_what_did_not_come_but_not_what_came_broken() {
    let (_folder, path) = place();
    let mut store = Store::open(&path).unwrap();
    let [feed, other] = ["s", "t"].map(|source| store.feed(source, source).unwrap().number);
    let all: Vec<String> = (1..=4).map(|number| indicator(number, OLD, "")).collect();
    take(&mut store, feed, &all);
    take(&mut store, other, &all);
    assert_eq!(store.end(feed, &end(true)).unwrap(), 0);
    // The third one is still there, but can't be read this time.
    let broken = r#"{"type":"indicator","id":"indicator--3","pattern":7}"#.to_owned();
    store.begin(feed).unwrap();
    take(&mut store, feed, &[all[0].clone(), broken]);
    let generation = store.generation().unwrap();
    assert_eq!(store.end(feed, &end(true)).unwrap(), 2);
    assert!(store.generation().unwrap() > generation);
    assert_eq!(held(&mut store, feed), [all[0].clone(), all[2].clone()]);
    assert_eq!(held(&mut store, other).len(), 4);
    // A walk that brings only what is new sweeps nothing.
    take(&mut store, other, &[indicator(5, OLD, "")]);
    assert_eq!(store.end(other, &end(false)).unwrap(), 0);
    assert_eq!(held(&mut store, other).len(), 5);
}

#[test]
fn cursors_and_failures_outlive_the_process() {
    let (_folder, path) = place();
    let mut store = Store::open(&path).unwrap();
    let feed = store.feed("s", "old name").unwrap();
    assert_eq!((feed.cursor, feed.last_success), (None, None));
    store.fail(feed.number, now(), "S026: unreachable").unwrap();
    let cursor = Some("2024-01-01T00:00:00.000001Z".to_owned());
    let later = Timestamp::from_unix_seconds(1_700_000_100).unwrap();
    store.fail(feed.number, later, "S027: slow").unwrap();
    assert_eq!(store.feed("s", "name").unwrap().failing_since, Some(now()));
    store.end(feed.number, &Completion { cursor: cursor.clone(), ..end(false) }).unwrap();
    store.set_rendered().unwrap();
    drop(store);
    let mut store = Store::open(&path).unwrap();
    let again = store.feed("s", "name").unwrap();
    assert_eq!((again.number, again.cursor, again.failing_since), (feed.number, cursor, None));
    assert_eq!((again.last_success, again.last_full), (Some(now()), None));
    assert_eq!(store.feeds().unwrap(), [(feed.number, "name".to_owned())]);
    assert_eq!(store.rendered().unwrap(), store.generation().unwrap());
}

#[test]
fn one_process_at_a_time_and_the_other_says_which() {
    let (_folder, path) = place();
    let store = Store::open(&path).unwrap();
    let Err(error) = Store::open(&path) else { panic!("opened twice") };
    assert!(matches!(error, StoreError::Busy { holder: Some(holder), .. } if holder == std::process::id()), "{error}");
    assert_eq!(error.diagnostic().code.0, "S100");
    drop(store);
    Store::open(&path).unwrap();
    let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(names, ["store.sqlite"], "nothing is left beside the store");
}

#[test]
fn files_that_are_no_store_are_left_alone() {
    let (_folder, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "this text is long enough to be taken for the header of a database, but it is none. ".repeat(20))
        .unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Foreign { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    // A database it is, but somebody else's.
    fs::remove_file(&path).unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (name TEXT)").unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Foreign { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn pruning_removes_what_has_expired_and_feeds_that_are_gone() {
    let (_folder, path) = place();
    let mut store = Store::open(&path).unwrap();
    let [feed, gone] = ["s", "t"].map(|source| store.feed(source, source).unwrap().number);
    let until = |text: &str| format!(r#","valid_until":"{text}""#);
    let objects = [
        indicator(1, OLD, ""),
        indicator(2, OLD, &until("2024-02-01T00:00:00Z")),
        indicator(3, OLD, &until("2025-02-01T00:00:00Z")),
        indicator(4, OLD, r#","revoked":true,"valid_until":"2024-02-01T00:00:00Z""#),
    ];
    take(&mut store, feed, &objects);
    take(&mut store, gone, &objects);
    let pruned = store.prune(Some("2024-06-01T00:00:00Z".parse().unwrap()), Some(&[feed])).unwrap();
    assert_eq!((pruned.expired, pruned.feeds, pruned.objects), (2, 1, 3));
    assert_eq!(held(&mut store, feed), [objects[0].clone(), objects[2].clone(), objects[3].clone()]);
    let stats = store.stats().unwrap();
    assert_eq!(stats.len(), 1);
    assert_eq!((stats[0].indicators, stats[0].revoked, stats[0].context), (3, 1, 0));
}
