//! The user's own guards, on the command line and in the configuration.

use crate::support;

use std::fs;

use support::program::{code, errors, stixc, text, write};

const FEED: &str = "[ipv4-addr:value IN ('198.51.100.7', '198.51.100.8', '203.0.113.0/30')]";

fn convert(arguments: &[&str]) -> std::process::Output {
    let fixed = ["convert", "--pattern", FEED, "-t", "blocklist", "--format", "ipv4"];
    stixc(&[&fixed, arguments].concat())
}

#[test]
fn the_command_line_takes_values_files_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    let allow = write(&folder, "allow.txt", "198.51.100.8\n");
    let allow = allow.to_str().unwrap();
    let list = r#"{"name": "Ours", "type": "cidr", "matching_attributes": ["ip-dst"], "list": ["203.0.113.1"]}"#;
    write(&folder, "ours.json", list);
    let output = convert(&["--allow", "198.51.100.7", "--allow", allow]);
    assert_eq!((code(&output), text(&output).as_str()), (0, "203.0.113.0/30\n"));
    let output = convert(&["--warninglists", folder.path().to_str().unwrap()]);
    assert_eq!(text(&output), "198.51.100.7\n198.51.100.8\n203.0.113.0\n203.0.113.2/31\n");
    for lifted in ["ours=ignore", "warninglists=warn", "blocklist:ours=note"] {
        let output = convert(&["--warninglists", folder.path().to_str().unwrap(), "--guard", lifted]);
        assert!(text(&output).contains("203.0.113.0/30"), "{lifted}: {}", errors(&output));
    }
}

#[test]
fn wrong_guards_are_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = write(&folder, "allow.txt", "# ours\nhalf a line\n999.0.0.1\n");
    for (arguments, said) in [
        (["--allow", wrong.to_str().unwrap()], "allow.txt:2: half"),
        (["--allow", "missing.txt"], "[G020] guard list missing.txt: "),
        (["--warninglists", "missing"], "[G020] guard list missing: "),
        (["--allow", "010.0.0.1"], "010.0.0.1"),
        (["--allow", "192.0.2.7:99999"], "192.0.2.7:99999"),
        (["--allow", "@partner.example"], "@partner.example"),
        (["--own", "two words"], "[G021]"),
        (["--popular", "missing.csv:5"], "[G020] guard list missing.csv: "),
        (["--guard", "resolver=ignore"], "[G023] no guard list resolver"),
        (["--guard", "resolvers=gone"], "not LIST=ACTION"),
        (["--guard", "nobody:resolvers=warn"], "no target nobody"),
    ] {
        let output = convert(&arguments);
        assert_eq!((code(&output), text(&output).as_str()), (2, ""), "{arguments:?}");
        assert!(errors(&output).contains(said), "{arguments:?}: {}", errors(&output));
    }
}

#[test]
fn an_address_is_the_same_however_it_is_allowed() {
    for allowed in [
        "198.51.100.7",
        "::ffff:198.51.100.7",
        "::FFFF:c633:6407",
        "64:ff9b::198.51.100.7",
        "2002:c633:6407::1",
        "[::ffff:198.51.100.7]:443",
        "198.51.100.7:443",
        "https://198.51.100.7/",
        "https://198.51.100.7:8443",
        "198.51.100.7/32",
    ] {
        let output = convert(&["--allow", allowed]);
        assert_eq!(text(&output), "198.51.100.8\n203.0.113.0/30\n", "{allowed}: {}", errors(&output));
    }
    assert_eq!(text(&convert(&["--allow", "203.0.113.2/30"])), "198.51.100.7\n198.51.100.8\n");
    let name = |allowed: &str| {
        let pattern = "[domain-name:value = 'partner.example']";
        text(&stixc(&["convert", "--pattern", pattern, "-t", "blocklist", "--format", "domains", "--allow", allowed]))
    };
    assert_eq!(name("198.51.100.7"), "partner.example\n");
    for allowed in ["Partner.Example.", "PARTNER.example:443", "https://partner.example", ".example", "partner.example"]
    {
        assert_eq!(name(allowed), "", "{allowed}");
    }
}

#[test]
fn a_warninglist_that_cannot_be_read_stops_the_run() {
    for (file, said) in [
        (r#"{"name": "A", "type": "regex", "list": ["fine", "/(/"]}"#, "\"/(/\" is none of type regex"),
        (r#"{"name": "A", "type": "cidr", "list": ["192.0.2.0/33"]}"#, "192.0.2.0/33"),
        (r#"{"name": "A", "type": "cidr", "list": []}"#, "no entries"),
        (r#"{"name": "A"}"#, "missing field"),
        ("", "line 1"),
        ("<html>", "line 1"),
        ("404: Not Found", "line 1"),
        ("Not Found", "line 1"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, "ours.json", file);
        let lists = ["--warninglists", folder.path().to_str().unwrap()];
        let output = convert(&lists);
        let errors = errors(&output);
        assert_eq!((code(&output), text(&output).as_str()), (2, ""), "{file}");
        assert!(errors.contains("ours.json") && errors.contains(said), "{file}: {errors}");
        let output = convert(&[lists.as_slice(), &["--guard", "ours=ignore"]].concat());
        assert_eq!(code(&output), 0, "{file}");
    }
    let text_beside = tempfile::tempdir().unwrap();
    write(&text_beside, "about.json", "Lists that we keep for the office, as of last spring.");
    write(&text_beside, "ours.json", r#"{"name": "A", "type": "hostname", "list": ["partner.example", "two words"]}"#);
    let output = convert(&["--warninglists", text_beside.path().to_str().unwrap()]);
    assert_eq!(code(&output), 0);
    assert_eq!(errors(&output).matches("warning[G022]").count(), 2, "{}", errors(&output));
    let empty = tempfile::tempdir().unwrap();
    let output = convert(&["--warninglists", empty.path().to_str().unwrap()]);
    assert_eq!(code(&output), 2);
    assert!(errors(&output).contains("no list in it"), "{}", errors(&output));
}

#[test]
fn all_commands_that_show_verdicts_take_guards() {
    let pattern = "[domain-name:value = 'www.partner.example']";
    let folder = tempfile::tempdir().unwrap();
    let popular = write(&folder, "top.csv", "1,partner.example\n2,www.partner.example\n");
    let popular = |top: &str| format!("{}:{top}", popular.display());
    let guards: [(&[&str], bool); 5] = [
        (&["--own", "partner.example"], true),
        (&["--allow", "partner.example"], false),
        (&["--allow", ".partner.example"], true),
        (&["--popular", &popular("2")], true),
        (&["--popular", &popular("1")], false),
    ];
    for (guard, is_guarded) in guards {
        let check = ["check", "--pattern", pattern, "-t", "blocklist", "--fail-on", "guarded"];
        assert_eq!(code(&stixc(&[&check, guard].concat())), i32::from(is_guarded), "{guard:?}");
        let told = text(&stixc(&[&["explain", pattern], guard].concat()));
        assert_eq!(told.contains("blocklist: guarded"), is_guarded, "{guard:?}: {told}");
        let convert = ["convert", "--pattern", pattern, "-t", "blocklist", "--format", "domains"];
        assert_eq!(text(&stixc(&[&convert, guard].concat())).is_empty(), is_guarded, "{guard:?}");
    }
}

#[test]
fn the_lists_are_told() {
    let told = text(&stixc(&["guards", "--allow", "198.51.100.7", "--guard", "vendors=ignore"]));
    assert!(told.contains("resolvers: public DNS resolvers\n    lists drop, detections drop; "), "{told}");
    assert!(told.contains("allow: ") && !told.contains("vendors: "), "{told}");
}

#[test]
fn the_configuration_says_the_same() {
    let config = r#"
        [[feed]]
        name = "own"
        kind = "files"
        paths = ["feed"]
        [guard]
        allow = ["allow.txt", "allowed.example"]
        own = ["own.example"]
        popular = { list = "top.csv", top = 2 }
        private = "warn"
        widest = { ipv4 = 12 }
        lists = { resolvers = "ignore", platforms = { suricata = "ignore" } }
        [[target]]
        kind = "blocklist"
        [[target]]
        kind = "suricata"
    "#;
    let project = support::project::Project::new(config);
    project.write("allow.txt", "198.51.100.7\n");
    project.write("top.csv", "rank,domain\n1,first.example\n2,second.example\n3,third.example\n");
    let values = [
        ("ipv4-addr:value", "198.51.100.7"),
        ("ipv4-addr:value", "198.51.100.8"),
        ("ipv4-addr:value", "10.0.0.1"),
        ("ipv4-addr:value", "8.8.8.8"),
        ("ipv4-addr:value", "23.16.0.0/12"),
        ("domain-name:value", "allowed.example"),
        ("domain-name:value", "www.own.example"),
        ("domain-name:value", "first.example"),
        ("domain-name:value", "second.example"),
        ("domain-name:value", "third.example"),
    ];
    let patterns = values.map(|(property, value)| format!("[{property} = '{value}']"));
    let indicators: Vec<_> =
        patterns.iter().enumerate().map(|(number, pattern)| support::feeds::indicator(number, pattern)).collect();
    fs::create_dir_all(project.path("feed")).unwrap();
    project.write(
        "feed/a.json",
        serde_json::json!({"type": "bundle", "id": "bundle--1", "objects": indicators}).to_string(),
    );
    let output = project.build(&[]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert_eq!(project.read("out/blocklist/ipv4.txt"), "8.8.8.8\n23.16.0.0/12\n198.51.100.8\n");
    assert_eq!(project.read("out/blocklist/domains.txt"), "third.example\n");
    let rules = project.read("out/suricata/stixc.rules");
    let about = |text: &str| rules.lines().filter(|line| line.starts_with("alert") && line.contains(text)).count();
    assert!(about("10.0.0.1") > 0 && about("priority:3; ") > 0, "{rules}");
    assert_eq!(about("198.51.100.7"), 0, "{rules}");
}
