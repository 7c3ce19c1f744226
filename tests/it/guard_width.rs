//! How much of the Internet a blocklist may hold.

use crate::support;

use std::fs;

use ipnet::Ipv4Net;
use proptest::{collection::vec, prelude::*};
use serde_json::Value as Json;
use support::program::{code, errors, stixc, write};

/// Converts patterns into a folder; the list of IPv4 addresses and the report.
fn converted(patterns: &[String]) -> (Vec<Ipv4Net>, Json) {
    let folder = tempfile::tempdir().unwrap();
    let list = write(&folder, "patterns.txt", patterns.join("\n"));
    let (out, report) = (folder.path().join("out"), folder.path().join("report.json"));
    let output = stixc(&[
        "convert",
        "--patterns",
        list.to_str().unwrap(),
        "-t",
        "blocklist",
        "-o",
        out.to_str().unwrap(),
        "--report",
        report.to_str().unwrap(),
    ]);
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
fn neighbours_that_are_too_wide_together_are_left_out_and_told() {
    let wide = ["23.4.0.0/16", "23.5.0.0/17", "23.5.128.0/17"].map(pattern);
    let (listed, report) = converted(&[wide.as_slice(), &[pattern("23.7.0.0/16"), pattern("198.51.100.7")]].concat());
    assert_eq!(listed, ["23.7.0.0/16".parse().unwrap(), "198.51.100.7/32".parse::<Ipv4Net>().unwrap()]);
    let numbers = &report["summary"];
    assert_eq!(
        (&numbers["verdicts"]["blocklist"]["exact"], &numbers["verdicts"]["blocklist"]["guarded"]),
        (&2.into(), &3.into())
    );
    assert_eq!(numbers["rendered"], 2);
    let mut told = 0;
    for indicator in report["indicators"].as_array().unwrap() {
        let target = &indicator["targets"]["blocklist"];
        if wide.iter().any(|wide| indicator["pattern"] == wide.as_str()) {
            told += 1;
            assert_eq!((&target["verdict"], &target["rules"]), (&"guarded".into(), &Json::Array(Vec::new())));
            let loss = &target["losses"][0];
            assert_eq!(loss["code"], "G012");
            assert_eq!(loss["message"], "together with its neighbours it is 23.4.0.0/15: no prefix shorter than /16");
        }
    }
    assert_eq!(told, 3);
}

#[test]
fn a_rule_that_has_other_entries_is_narrower() {
    let several = "[ipv4-addr:value IN ('23.4.0.0/16', '23.5.0.0/16', '198.51.100.7')]".to_owned();
    let (listed, report) = converted(&[several]);
    assert_eq!(listed, ["198.51.100.7/32".parse::<Ipv4Net>().unwrap()]);
    let target = &report["indicators"][0]["targets"]["blocklist"];
    assert_eq!((&target["verdict"], &target["losses"][0]["code"]), (&"narrower".into(), &"G012".into()));
    assert_eq!(target["rules"][0], "ipv4");
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
    let output = convert(&["--guard", "width=ignore"]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// For any prefixes: nothing on the list is wider than it may be, also when neighbours are merged, and what is narrow
    /// enough is all there.
    #[test]
    fn nothing_is_wider_than_it_may_be(given in vec((0_u8..8, any::<u8>(), 12_u8..=20), 1..24)) {
        let nets: Vec<Ipv4Net> = given
            .iter()
            .map(|(second, third, length)| format!("23.{second}.{third}.0/{length}").parse::<Ipv4Net>().unwrap().trunc())
            .collect();
        let patterns: Vec<String> = nets.iter().map(pattern).collect();
        let (listed, _) = converted(&patterns);
        let is_narrow = |net: &Ipv4Net| net.prefix_len() >= 16;
        prop_assert!(Ipv4Net::aggregate(&listed).iter().all(is_narrow));
        let mut expected = nets;
        expected.retain(is_narrow);
        let mut expected = Ipv4Net::aggregate(&expected);
        expected.retain(is_narrow);
        prop_assert_eq!(listed, expected);
    }
}
