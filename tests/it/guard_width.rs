//! How much of the Internet a blocklist may hold.

use crate::support;

use std::fs;

use ipnet::Ipv4Net;
use proptest::{collection::vec, prelude::*};
use serde_json::Value as Json;
use support::program::{code, errors, stixc, write};

/// Converts patterns into a folder; the list of IPv4 addresses and the report.
fn converted(patterns: &[String]) -> (Vec<Ipv4Net>, Json) {
    converted_with(patterns, &[])
}

fn converted_with(patterns: &[String], arguments: &[&str]) -> (Vec<Ipv4Net>, Json) {
    let folder = tempfile::tempdir().unwrap();
    let list = write(&folder, "patterns.txt", patterns.join("\n"));
    let (out, report) = (folder.path().join("out"), folder.path().join("report.json"));
    let fixed = [
        "convert",
        "--patterns",
        list.to_str().unwrap(),
        "-t",
        "blocklist",
        "-o",
        out.to_str().unwrap(),
        "--report",
        report.to_str().unwrap(),
    ];
    let output = stixc(&[fixed.as_slice(), arguments].concat());
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let text = fs::read_to_string(out.join("blocklist/ipv4.txt")).unwrap();
    let net =
        |line: &str| if line.contains('/') { line.parse().unwrap() } else { format!("{line}/32").parse().unwrap() };
    (text.lines().map(net).collect(), serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap())
}

fn pattern(net: impl std::fmt::Display) -> String {
    format!("[ipv4-addr:value = '{net}']")
}

#[test]
fn neighbours_are_merged_as_far_as_a_list_may_hold_what_comes_of_it() {
    let nets = ["23.4.0.0/16", "23.5.0.0/17", "23.5.128.0/17", "23.7.0.0/16", "198.51.100.6", "198.51.100.7"];
    let (listed, report) = converted(&nets.map(pattern));
    let expected = ["23.4.0.0/16", "23.5.0.0/16", "23.7.0.0/16", "198.51.100.6/31"];
    assert_eq!(listed, expected.map(|net| net.parse::<Ipv4Net>().unwrap()));
    let numbers = &report["summary"];
    assert_eq!((&numbers["verdicts"]["blocklist"]["exact"], &numbers["rendered"]), (&6.into(), &6.into()));
}

#[test]
fn a_list_of_much_of_the_internet_is_a_safety_stop() {
    let folder = tempfile::tempdir().unwrap();
    // Each second /16, so that none of them are merged: 1.2 % of all addresses.
    let patterns: Vec<String> =
        (0..800).map(|number| pattern(format!("{}.{}.0.0/16", 20 + number / 128, number % 128 * 2))).collect();
    let list = write(&folder, "patterns.txt", patterns.join("\n"));
    let (out, list) = (folder.path().join("out"), list.to_str().unwrap());
    let convert = |arguments: &[&str]| {
        let fixed = ["convert", "--patterns", list, "-t", "blocklist", "-o", out.to_str().unwrap()];
        stixc(&[&fixed, arguments].concat())
    };
    let output = convert(&[]);
    assert_eq!(code(&output), 5, "{}", errors(&output));
    assert!(errors(&output).contains("[G013] the list would hold 1.22 % of the IPv4 addresses"), "{}", errors(&output));
    assert!(!out.join("blocklist/ipv4.txt").exists());
    // What may be wide is not yet allowed to be much.
    let output = convert(&["--guard", "width=ignore"]);
    assert_eq!(code(&output), 5, "{}", errors(&output));
    for allowed in [["--guard", "share=ignore"], ["--max-share", "2%"]] {
        let output = convert(&[allowed.as_slice(), &["--force"]].concat());
        assert_eq!(code(&output), 0, "{}", errors(&output));
    }
}

#[test]
fn the_widest_prefix_is_the_users_to_say() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let convert = |net: &str, arguments: &[&str]| {
        let pattern = pattern(net);
        let fixed = ["convert", "--pattern", &pattern, "-t", "blocklist", "-o", out.to_str().unwrap(), "--force"];
        let output = stixc(&[&fixed, arguments].concat());
        (code(&output), fs::read_to_string(out.join("blocklist/ipv4.txt")).unwrap_or_default(), errors(&output))
    };
    assert_eq!(convert("23.4.0.0/15", &["--max-width", "14"]).1, "23.4.0.0/15\n");
    assert_eq!(convert("23.4.0.0/13", &["--max-width", "14,20", "--allow-shrink"]).1, "");
    for wrong in ["33", "8,129", "/x", "", "8,8,8"] {
        let (code, _, errors) = convert("23.4.0.0/15", &["--max-width", wrong]);
        assert!(code == 2 && errors.contains("--max-width"), "{wrong}: {errors}");
    }
    let (code, _, errors) = convert("23.4.0.0/15", &["--max-share", "many"]);
    assert!(code == 2 && errors.contains("--max-share"), "{errors}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// For any prefixes and guards: nothing on the list is wider than it may be, also when neighbours are merged, and it covers
    /// what was given, without what is guarded and what was given too wide, and nothing else.
    #[test]
    fn a_list_covers_what_was_given_and_nothing_is_wider_than_it_may_be(
        given in vec((0_u8..8, any::<u8>(), 12_u8..=20), 1..24),
        guarded in vec((0_u8..8, any::<u8>(), 15_u8..=24), 0..4),
    ) {
        let net = |(second, third, length): &(u8, u8, u8)| {
            format!("23.{second}.{third}.0/{length}").parse::<Ipv4Net>().unwrap().trunc()
        };
        let nets: Vec<Ipv4Net> = given.iter().map(net).collect();
        let guarded: Vec<Ipv4Net> = guarded.iter().map(net).collect();
        let allow: Vec<String> = guarded.iter().flat_map(|net| ["--allow".to_owned(), net.to_string()]).collect();
        let allow: Vec<&str> = allow.iter().map(String::as_str).collect();
        let (listed, _) = converted_with(&nets.iter().map(pattern).collect::<Vec<_>>(), &allow);
        prop_assert!(listed.iter().all(|net| net.prefix_len() >= 16), "{listed:?}");
        let is_in = |nets: &[Ipv4Net], address: &std::net::Ipv4Addr| nets.iter().any(|net| net.contains(address));
        let narrow: Vec<Ipv4Net> = nets.into_iter().filter(|net| net.prefix_len() >= 16).collect();
        for second in 0..8 {
            for third in 0..=255 {
                let address = std::net::Ipv4Addr::new(23, second, third, 7);
                let expected = is_in(&narrow, &address) && !is_in(&guarded, &address);
                prop_assert_eq!(is_in(&listed, &address), expected, "{}", address);
            }
        }
        let mut sorted = listed.clone();
        sorted.sort_unstable();
        sorted.dedup();
        prop_assert_eq!(sorted.len(), listed.len());
    }
}
