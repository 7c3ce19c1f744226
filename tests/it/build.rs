//! `stixc build`: feeds, filters, guards and targets from one configuration.
#![cfg(all(feature = "store", feature = "taxii"))]

use crate::support::program;
use crate::support::project;
use crate::support::server;

use std::{
    fs,
    path::{Path, PathBuf},
};

use program::{FEED, code, errors, files, text};
use project::{Collection, NOW, Project, assert_same, bundle, domain, folder, indicator, names, targets, taxii};
use serde_json::{Value, json};
use server::{Reply, Server};
use stixc::pipeline::Config;

const ALL: [&str; 4] = ["sigma", "suricata", "yara", "blocklist"];

fn hosts(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    let mut names: Vec<String> = numbers.into_iter().map(|number| format!("host-{number}.example")).collect();
    names.sort();
    names
}

/// Outputs as a conversion writes them, whose manifest names no configuration.
fn without_owner(mut files: Vec<(PathBuf, Vec<u8>)>) -> Vec<(PathBuf, Vec<u8>)> {
    for (_, bytes) in files.iter_mut().filter(|(path, _)| path == Path::new("manifest.json")) {
        let text = std::str::from_utf8(bytes).unwrap();
        assert_eq!(text.lines().filter(|line| *line == "  \"owner\": \"../stixc.toml\",").count(), 1, "{text}");
        *bytes = text.replace("  \"owner\": \"../stixc.toml\",\n", "").into_bytes();
    }
    files
}

#[test]
fn a_build_gives_the_bytes_of_a_conversion_and_so_does_the_next() {
    let project = Project::new(&format!("{}{}", folder("own", "intel"), targets(&ALL)));
    project.write("intel/feed.json", fs::read(FEED).unwrap());
    let output = project.build(&[]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let converted = project.path("converted");
    let convert = ["convert", "intel", "-t", "sigma,suricata,yara,blocklist", "--now", NOW, "-o"];
    project.stixc(&[&convert[..], &[converted.to_str().unwrap()]].concat());
    assert_same(&without_owner(project.outputs()), &files(&converted), "build and convert");
    let again = project.build(&[]);
    assert!(errors(&again).contains(", 0 changed, 0 removed"), "{}", errors(&again));
    assert!(errors(&again).contains("own: unchanged"), "{}", errors(&again));
    assert_same(&without_owner(project.outputs()), &files(&converted), "the second build");
    // So do the objects that the store gives back.
    let exported = project.stixc(&["store", "export", "-o", "exported.json"]);
    assert_eq!(code(&exported), 0, "{}", errors(&exported));
    let other = project.path("other");
    let convert = ["convert", "exported.json", "-t", "sigma,suricata,yara,blocklist", "--now", NOW, "-o"];
    project.stixc(&[&convert[..], &[other.to_str().unwrap()]].concat());
    assert_same(&files(&other), &files(&converted), "the export");
}

#[test]
fn a_server_is_asked_for_what_is_new_only() {
    let collection = Collection::default();
    (1..=10).for_each(|number| collection.add(number / 3, domain(number)));
    let server = collection.serve(|_| None);
    let config = format!("report = \"report.json\"\n{}{}", taxii("far", &server), targets(&["blocklist"]));
    let project = Project::new(&config);
    assert_eq!(code(&project.build(&[])), 0);
    assert_eq!(names(&project), hosts(1..=10));
    assert_eq!(project.feeds()[0]["state"], "fetched");
    assert_eq!(server.requests().len(), 3);
    // One is new, one has a newer version, one is taken back.
    collection.add(100, domain(11));
    let mut newer = domain(2);
    newer["modified"] = json!("2026-02-01T00:00:00Z");
    newer["pattern"] = json!("[domain-name:value = 'moved.example']");
    collection.add(101, newer);
    let mut revoked = domain(3);
    revoked["modified"] = json!("2026-02-01T00:00:00Z");
    revoked["revoked"] = json!(true);
    collection.add(102, revoked);
    assert_eq!(code(&project.build(&[])), 0);
    let mut expected = hosts([1, 4, 5, 6, 7, 8, 9, 10, 11]);
    expected.push("moved.example".to_owned());
    expected.sort();
    assert_eq!(names(&project), expected);
    let requests = server.requests();
    assert_eq!(requests[3].has("added_after"), Some("2025-12-31T23:55:03.000000Z"));
    // All of the others lie within the overlap.
    assert_eq!(requests.len(), 7, "{requests:#?}");
    // Nothing is new: nothing changes, and the report says so.
    let quiet = project.build(&[]);
    assert!(errors(&quiet).contains(", 0 changed, 0 removed"), "{}", errors(&quiet));
    assert_eq!(project.feeds()[0]["state"], "unchanged");
    // Offline the server is not asked.
    let asked = server.requests().len();
    assert_eq!(code(&project.build(&["--offline"])), 0);
    assert_eq!((server.requests().len(), &project.feeds()[0]["state"]), (asked, &json!("offline")));
    assert_eq!(project.feeds()[0]["since"], json!(NOW));
}

#[test]
fn a_resync_removes_what_is_gone_and_nothing_else_does() {
    let collection = Collection::default();
    (1..=6).for_each(|number| collection.add(number, domain(number)));
    let server = collection.serve(|_| None);
    let project = Project::new(&format!("{}{}", taxii("far", &server), targets(&["blocklist"])));
    project.build(&[]);
    collection.remove(domain(2)["id"].as_str().unwrap());
    project.build(&[]);
    assert_eq!(names(&project), hosts(1..=6));
    assert_eq!(code(&project.build(&["--resync"])), 0);
    assert_eq!(names(&project), hosts([1, 3, 4, 5, 6]));
}

#[test]
fn a_feed_that_fails_is_stale_and_the_others_go_on() {
    let (good, bad) = (Collection::default(), Collection::default());
    (1..=3).for_each(|number| good.add(number, domain(number)));
    (11..=19).for_each(|number| bad.add(number, domain(number)));
    let good = good.serve(|_| None);
    // Its second page fails.
    let bad_server = bad.serve(|number| (number == 1).then(|| Reply::new(403, "no")));
    let config = format!(
        "report = \"report.json\"\n{}{}{}{}",
        taxii("bad", &bad_server),
        taxii("good", &good),
        folder("own", "intel"),
        targets(&["blocklist"])
    );
    let project = Project::new(&config);
    let broken = json!({"type": "indicator", "id": "indicator--x"});
    project.write("intel/a.json", bundle(&[domain(31), broken, domain(32)]));
    let output = project.build(&[]);
    assert_eq!(code(&output), 4, "{}", errors(&output));
    // What came before the failure is good.
    assert_eq!(names(&project), hosts([1, 2, 3, 11, 12, 13, 14, 31, 32]));
    let feeds = project.feeds();
    let states: Vec<&str> = feeds.iter().map(|feed| feed["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["stale", "fetched", "partial"]);
    assert_eq!((&feeds[0]["since"], feeds[0]["error"]["code"].as_str()), (&Value::Null, Some("S053")));
    assert_eq!(feeds[2]["faulty"], 1);
    assert!(errors(&output).contains("S007") && errors(&output).contains("(indicator--x)"), "{}", errors(&output));
    // The walk that broke off begins where it began.
    project.build(&[]);
    assert_eq!(names(&project), hosts([1, 2, 3].into_iter().chain(11..=19).chain([31, 32])));
    // A server that is gone later takes nothing away.
    drop(bad_server);
    let output = project.build(&[]);
    assert_eq!(code(&output), 4);
    assert_eq!(names(&project).len(), 14);
    assert_eq!(project.feeds()[0]["since"], json!(NOW));
    let stats = text(&project.stixc(&["store", "stats"]));
    assert!(stats.contains(&format!("failing since {NOW}: S026")), "{stats}");
}

#[test]
fn nothing_is_written_where_no_feed_could_ever_be_read() {
    let server = Server::start(|_, _| Reply::new(401, ""));
    let project = Project::new(&format!("{}{}", taxii("far", &server), targets(&["blocklist"])));
    let output = project.build(&[]);
    assert_eq!(code(&output), 3, "{}", errors(&output));
    assert!(errors(&output).contains("S032"), "{}", errors(&output));
    assert!(!project.path("out").exists());
}

#[test]
fn outputs_that_would_shrink_too_much_are_not_written() {
    let project = Project::new(&format!("{}{}", folder("own", "intel"), targets(&["blocklist"])));
    let objects: Vec<Value> = (1..=40)
        .map(|number| {
            let mut object = domain(number);
            object["valid_until"] = json!(if number < 30 { "2026-07-01T00:00:00Z" } else { "2027-01-01T00:00:00Z" });
            object
        })
        .collect();
    project.write("intel/a.json", bundle(&objects));
    project.build(&[]);
    let before = project.outputs();
    let later = |more: &[&str]| project.stixc(&[&["build", "--now", "2026-08-01T00:00:00Z"], more].concat());
    let output = later(&[]);
    assert_eq!(code(&output), 5, "{}", errors(&output));
    assert!(errors(&output).contains("blocklist/domains.txt from 40 to 11"), "{}", errors(&output));
    assert!(errors(&output).contains("own: "), "which feeds it was made of: {}", errors(&output));
    let checked = later(&["--check"]);
    assert_eq!(code(&checked), 5, "{}", errors(&checked));
    assert!(errors(&checked).contains("blocklist/domains.txt from 40 to 11"), "{}", errors(&checked));
    assert_same(&project.outputs(), &before, "a safety stop");
    assert!(!project.path("out/.stixc-new").exists());
    assert_eq!(code(&later(&["--allow-shrink"])), 0);
    assert_eq!(names(&project), hosts(30..=40));
    // A feed that comes back empty keeps what it had.
    project.write("intel/a.json", bundle(&[]));
    let output = project.build(&[]);
    assert_eq!(code(&output), 4, "{}", errors(&output));
    assert!(errors(&output).contains("S112"), "{}", errors(&output));
    assert_eq!(names(&project), hosts(1..=40));
    assert_eq!(code(&project.build(&["--allow-shrink"])), 0);
    assert_eq!(names(&project), [""; 0]);
}

#[test]
fn one_list_of_several_may_become_empty_and_all_of_them_may_not() {
    let ending = |number, pattern: &str| {
        let mut ending = indicator(number, pattern);
        ending["valid_until"] = json!("2026-07-01T00:00:00Z");
        ending
    };
    let kinds = "[[target]]\nkind = \"blocklist\"\nformats = [\"ipv4\", \"ipv6\", \"nftables\"]\n";
    let guard = "[guard]\nempty = \"stop\"\n";
    let project = Project::new(&format!("{guard}{}{kinds}", folder("own", "intel")));
    let later = |more: &[&str]| project.stixc(&[&["build", "--now", "2026-08-01T00:00:00Z"], more].concat());
    let (address, other) = ("[ipv4-addr:value = '198.51.100.7']", "[ipv6-addr:value = '2001:db8::7']");
    project.write("intel/a.json", bundle(&[indicator(1, address), ending(2, other)]));
    assert_eq!(code(&project.build(&[])), 0);
    let output = later(&[]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert_eq!(fs::read_to_string(project.path("out/blocklist/ipv6.txt")).unwrap().trim(), "");
    project.write("intel/a.json", bundle(&[ending(1, address), ending(2, other)]));
    assert_eq!(code(&project.build(&[])), 0);
    let before = project.outputs();
    let output = later(&[]);
    assert_eq!(code(&output), 5, "{}", errors(&output));
    assert!(errors(&output).contains("blocklist/"), "{}", errors(&output));
    assert_same(&project.outputs(), &before, "a safety stop");
    assert_eq!(code(&later(&["--allow-shrink"])), 0);
}

#[test]
fn a_check_says_what_would_change_and_writes_nothing() {
    let project = Project::new(&format!("{}{}", folder("own", "intel"), targets(&["blocklist", "sigma"])));
    project.write("intel/a.json", bundle(&[domain(1), domain(2)]));
    let output = project.build(&["--check"]);
    assert_eq!(code(&output), 1, "{}", errors(&output));
    assert!(text(&output).contains("+ blocklist/domains.txt"), "{}", text(&output));
    assert!(!project.path("out").exists());
    project.build(&[]);
    assert_eq!(code(&project.build(&["--check"])), 0);
    let before = project.outputs();
    project.write("intel/a.json", bundle(&[domain(2), domain(3), domain(4)]));
    let output = project.build(&["--check"]);
    assert_eq!(code(&output), 1);
    assert!(text(&output).contains("~ blocklist/domains.txt (2 → 3 lines)"), "{}", text(&output));
    assert_eq!(text(&output).matches("+ sigma/").count(), 6, "{}", text(&output));
    assert_same(&project.outputs(), &before, "a check");
}

#[test]
fn filters_leave_out_what_is_not_wanted() {
    let filter = "[filter]\nmin_confidence = 50\nmax_tlp = \"green\"\nwithout_types = [\"anomalous-activity\"]\n\
                  max_age = \"100d\"\n";
    let config = format!("report = \"report.json\"\n{filter}{}{}", folder("own", "intel"), targets(&["blocklist"]));
    let project = Project::new(&config);
    let with = |number, key: &str, value: Value| {
        let mut object = domain(number);
        object["valid_from"] = json!("2026-05-01T00:00:00Z");
        object[key] = value;
        object
    };
    let red = json!(["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]);
    let objects = [
        with(1, "confidence", json!(50)),
        with(2, "confidence", json!(49)),
        with(3, "object_marking_refs", red),
        with(4, "indicator_types", json!(["anomalous-activity"])),
        with(5, "valid_from", json!("2026-01-01T00:00:00Z")),
        with(6, "labels", json!(["malicious-activity"])),
        with(7, "object_marking_refs", json!(["marking-definition--own"])),
        json!({"type": "marking-definition", "id": "marking-definition--own", "definition": {"tlp": "amber"}}),
    ];
    project.write("intel/a.json", bundle(&objects));
    assert_eq!(code(&project.build(&[])), 0);
    assert_eq!(names(&project), hosts([1, 6]));
    let report: Value = serde_json::from_str(&project.read("report.json")).unwrap();
    let told: Vec<(&str, &str)> = report["indicators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["status"].as_str().unwrap(), one["diagnostics"][0]["code"].as_str().unwrap_or("")))
        .collect();
    let filtered = ("filtered", "S110");
    assert_eq!(told, [("active", ""), filtered, filtered, filtered, ("expired", "S111"), ("active", ""), filtered]);
}

#[test]
fn targets_take_the_options_of_the_command_line() {
    let target = "[[target]]\nkind = \"blocklist\"\nformats = [\"domains\"]\naccept = [\"exact\", \"broader\"]\n";
    let project = Project::new(&format!("{}{target}", folder("own", "intel")));
    let broader = "[domain-name:value = 'broad.example' AND network-traffic:dst_port = 8080]";
    project.write("intel/a.json", bundle(&[domain(1), indicator(2, broader)]));
    project.build(&[]);
    let written: Vec<_> = project.outputs().into_iter().map(|(path, _)| path).collect();
    let expected = ["blocklist/domains.txt", "blocklist/index.jsonl", "manifest.json"];
    assert_eq!(written, expected.map(Path::new));
    let converted = project.path("converted");
    let convert = ["convert", "intel", "-t", "blocklist", "-f", "domains", "--accept", "exact,broader", "-o"];
    project.stixc(&[&convert[..], &[converted.to_str().unwrap()]].concat());
    assert_same(&without_owner(project.outputs()), &files(&converted), "options");
    // A format and a target that are no longer wanted go, whatever the guard says.
    project.write("stixc.toml", format!("{}{}", folder("own", "intel"), targets(&["yara"])));
    let output = project.build(&[]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert!(!project.path("out/blocklist/domains.txt").exists());
}

#[test]
fn a_bundle_at_a_url_is_fetched_again_only_if_it_has_changed() {
    let server = Server::start(|request, number| match request.headers.get("if-none-match").map(String::as_str) {
        Some("\"1\"") if number < 2 => Reply::new(304, ""),
        _ if number < 2 => Reply::new(200, bundle(&[domain(1), domain(2)])).with("ETag", "\"1\""),
        _ => Reply::new(200, bundle(&[domain(2), domain(3)])).with("ETag", "\"2\""),
    });
    let feed = format!("[[feed]]\nname = \"far\"\nkind = \"url\"\nurl = \"{}\"\n", server.url("/feed.json"));
    let project = Project::new(&format!("report = \"report.json\"\n{feed}{}", targets(&["blocklist"])));
    assert_eq!(code(&project.build(&[])), 0);
    assert_eq!(code(&project.build(&[])), 0);
    assert_eq!(project.feeds()[0]["state"], "unchanged");
    assert_eq!(names(&project), hosts([1, 2]));
    assert_eq!(code(&project.build(&[])), 0);
    assert_eq!(names(&project), hosts([2, 3]));
    assert_eq!(project.feeds()[0]["removed"], 1);
}

#[test]
fn secrets_come_from_their_places_and_are_never_shown() {
    let collection = Collection::default();
    collection.add(1, domain(1));
    let server = collection.serve(|_| None);
    let config = |token: &str| {
        format!("{}token = \"{token}\"\nheader = \"X-API-Key\"\n{}", taxii("far", &server), targets(&["blocklist"]))
    };
    let project = Project::new(&config("env:STIXC_TEST_KEY"));
    let output = project.command(&["build", "-vv"]).env("STIXC_TEST_KEY", "hidden").output().unwrap();
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert_eq!(server.requests()[0].headers["x-api-key"], "hidden");
    project.write("stixc.toml", config("hidden"));
    let refused = project.build(&[]);
    assert_eq!(code(&refused), 2);
    assert!(errors(&refused).contains("write env:VARIABLE"), "{}", errors(&refused));
    for output in [&output, &refused] {
        assert!(!errors(output).contains("hidden") && !text(output).contains("hidden"), "{}", errors(output));
    }
    for (path, bytes) in files(&project.path(".stixc")) {
        assert!(!String::from_utf8_lossy(&bytes).contains("hidden"), "{}", path.display());
    }
    // A secret that is not there is a feed that fails.
    project.write("stixc.toml", config("env:STIXC_TEST_NO_SUCH_KEY"));
    let output = project.build(&[]);
    assert_eq!(code(&output), 4, "{}", errors(&output));
    assert!(errors(&output).contains("S023"), "{}", errors(&output));
}

/// What is said of a configuration: codes and messages with line, column and help.
fn wrong(text: &str) -> Vec<String> {
    let Err(error) = Config::parse(Path::new("stixc.toml"), text) else { return Vec::new() };
    let told = error.diagnostics.iter().map(|found| {
        let (line, column) = found.span.map_or((0, 0), |span| span.line_column(text));
        format!("{} {line}:{column} {}; {}", found.code, found.message, found.help.as_deref().unwrap_or_default())
    });
    told.collect()
}

#[test]
fn a_configuration_that_is_wrong_says_where_and_what_was_meant() {
    let good = format!("{}{}", folder("own", "intel"), targets(&["yara"]));
    assert_eq!(wrong(&good), [""; 0]);
    for (text, expected) in [
        (format!("outptu = \"x\"\n{good}"), "S091 1:1 unknown key `outptu`; did you mean `output`?"),
        (format!("{good}mappings = \"x\"\n"), "S091 7:1 unknown key `mappings`; did you mean `mapping`?"),
        (format!("{good}[guards]\n"), "S091 7:2 unknown key `guards`; did you mean `guard`?"),
        (format!("output = out\n{good}"), "S090 1:10 not TOML"),
        (format!("strict = \"yes\"\n{good}"), "S092 1:10 invalid type"),
        (good.replace("kind = \"yara\"", ""), "S093 5:1 `kind` is missing"),
        (good.replace("\"yara\"", "\"yarra\""), "S092 6:8 no target yarra; did you mean yara?"),
        (good.replace("\"files\"", "\"file\""), "S092 3:8 no kind of feed file; did you mean files?"),
        (
            good.replace("[[target]]", "url = \"https://x.example/\"\n[[target]]"),
            "S092 5:7 `url` means nothing in a feed of kind files",
        ),
        (format!("{good}formats = [\"rulez\"]\n"), "S092 7:12 yara has no format rulez"),
        (format!("{good}accept = [\"exakt\"]\n"), "S092 7:11 no verdict exakt; did you mean exact?"),
        (format!("{good}{}", targets(&["yara"])), "S092 8:8 two targets yara"),
        (format!("{}{good}", folder("own", "x")), "S092 6:8 two feeds named own"),
        (format!("{}{good}", folder("twin", "intel")), "S092 6:8 another feed reads the same"),
        (format!("[filter]\nmax_age = \"soon\"\n{good}"), "S092 2:11 not a length of time"),
        (format!("[filter]\nmax_tlp = \"pink\"\n{good}"), "S092 2:11 no level of the Traffic Light Protocol: pink"),
        (format!("[guard]\nmax_shrink = \"120%\"\n{good}"), "S092 2:14 not a share"),
        (folder("own", "intel"), "S093 0:0 there is no target"),
        (targets(&["yara"]), "S093 0:0 there is no feed"),
        (good.replace("paths = [\"intel\"]", ""), "S093 1:1 `paths` is missing"),
    ] {
        let told = wrong(&text);
        assert!(told.len() == 1 && told[0].starts_with(expected), "{text}\n{told:#?}\nexpected {expected}");
    }
    let project = Project::new(&format!("outptu = \"x\"\n{good}"));
    let output = project.build(&[]);
    assert_eq!(code(&output), 2);
    let told = errors(&output);
    assert!(told.contains("error[S091]") && told.contains("stixc.toml:1:1") && told.contains("^^^^^^"), "{told}");
    // What may be a secret is not shown.
    for line in ["tokn = \"SEKRIT\"", "token = \"SEKRIT", "password = [\"SEKRIT\"]", "header = \"X-Key: SEKRIT\""] {
        project.write("stixc.toml", format!("[[feed]]\nname = \"a\"\nurl = \"https://feed.example/\"\n{line}\n"));
        let output = project.stixc(&["build"]);
        assert_eq!(code(&output), 2, "{}", errors(&output));
        assert!(!errors(&output).contains("SEKRIT"), "{}", errors(&output));
    }
    for url in ["https://user:SEKRIT@feed.example/", "https://feed.example/?api_key=SEKRIT"] {
        project.write(
            "stixc.toml",
            format!("[[feed]]\nname = \"a\"\nkind = \"url\"\nurl = \"{url}\"\n{}", targets(&["yara"])),
        );
        let output = project.stixc(&["build"]);
        assert_eq!(code(&output), 2, "{}", errors(&output));
        assert!(!errors(&output).contains("SEKRIT") && errors(&output).contains("URL"), "{}", errors(&output));
        assert!(!project.path(".stixc").exists());
    }
    assert_eq!(code(&project.stixc(&["build", "--config", "missing.toml"])), 2);
}

#[test]
fn the_example_builds_as_it_is_and_every_option_in_it_is_one() {
    let project = Project::new("");
    assert_eq!(code(&project.stixc(&["init"])), 2, "it writes over nothing");
    assert_eq!(code(&project.stixc(&["init", "--force"])), 0);
    let example = project.read("stixc.toml");
    assert_eq!(example, fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/stixc.toml")).unwrap());
    project.write("intel/feed.json", fs::read(FEED).unwrap());
    let output = project.build(&[]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert!(project.path("out/suricata/stixc.rules").exists());
    let taken: String = example
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(option) if option.starts_with("[[") => option,
            Some(option) if option.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => option,
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    assert!(taken.lines().filter(|line| line.starts_with("[[feed]]")).count() == 3, "{taken}");
    assert_eq!(wrong(&taken), [""; 0], "{taken}");
}

#[test]
fn a_store_that_is_in_use_or_too_new_is_left_alone() {
    let project = Project::new(&format!("{}{}", folder("own", "intel"), targets(&["blocklist"])));
    project.write("intel/a.json", bundle(&[domain(1)]));
    let store = stixc::store::Store::open(&project.path(".stixc/store.sqlite")).unwrap();
    let output = project.build(&[]);
    assert_eq!(code(&output), 2);
    let expected = format!("is in use by process {}", std::process::id());
    assert!(errors(&output).contains(&expected), "{}", errors(&output));
    drop(store);
    assert_eq!(code(&project.build(&[])), 0);
    let stats = project.stixc(&["store", "stats", "--format", "json"]);
    let stats: Value = serde_json::from_str(&text(&stats)).unwrap();
    assert_eq!((&stats["feeds"][0]["indicators"], stats["generation"] == stats["rendered"]), (&json!(1), true));
}

#[test]
fn every_key_stands_in_the_example() {
    let source = |path: &str| fs::read_to_string(format!("{}/src/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let is_key = |key: &str| {
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
    };
    let key = |line: &str| {
        let line = line.trim();
        let (name, kind) = line.strip_prefix("pub ").unwrap_or(line).split_once(": ")?;
        let counts = line.starts_with("pub ") || kind.ends_with(';');
        (counts && is_key(name)).then(|| name.to_owned())
    };
    let own = source("pipeline/config/raw.rs");
    let options = source("source/taxii/options.rs");
    let connection = options.split_once("macro_rules! connection_options").unwrap().1;
    let keys: Vec<String> = own.lines().chain(connection.lines()).filter_map(key).collect();
    let example = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/stixc.toml")).unwrap();
    let words: Vec<&str> = example.split(|one: char| !(one.is_ascii_alphanumeric() || one == '_')).collect();
    // The sections stand in brackets.
    let missing: Vec<&String> = keys.iter().filter(|key| !words.contains(&key.as_str())).collect();
    assert!(
        keys.len() > 50 && keys.iter().any(|key| key == "max_grow") && keys.iter().any(|key| key == "page_timeout")
    );
    assert!(missing.is_empty(), "{missing:?}");
}
