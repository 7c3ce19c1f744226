//! Blocklists: what becomes an entry, what never may, and what the files look like.

use crate::support;
use crate::support::emission;

use emission::{Memory, content, emit, prepared};
use stixc::{
    pattern,
    plan::{adapt::Accept, lower::lower},
    targets::{
        Target,
        contract::{Content, Rule},
        find,
    },
};
use support::validators::blocklist;

fn target() -> &'static dyn Target {
    find("blocklist").unwrap()
}

fn rules(patterns: &[&str]) -> Vec<Rule> {
    let id = |index| format!("indicator--00000000-0000-4000-8000-{index:012}");
    emission::rules(target(), patterns.iter().enumerate().map(|(index, text)| (id(index), *text)))
}

fn written(patterns: &[&str]) -> Memory {
    emit(target(), rules(patterns))
}

/// Verdict and sorted codes of a pattern.
fn verdict(text: &str) -> String {
    match content(target(), text) {
        Ok(Content::Compiled(lowered)) => {
            let codes: Vec<&str> = lowered.losses.iter().map(|loss| loss.code.0).collect();
            format!("{} {}", lowered.fidelity, codes.join(" ")).trim_end().to_owned()
        }
        Ok(Content::Native(_)) => "native".to_owned(),
        Err(refusal) => {
            let mut codes: Vec<&str> = refusal.reasons.iter().map(|loss| loss.code.0).collect();
            codes.sort_unstable();
            format!("refused {}", codes.join(" "))
        }
    }
}

const FEED: &[&str] = &[
    "[ipv4-addr:value = '198.51.100.7']",
    "[ipv4-addr:value IN ('198.51.100.4', '198.51.100.5', '198.51.100.6', '198.51.100.7')]",
    "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.9']",
    "[network-traffic:src_ref.value = '203.0.113.8']",
    "[ipv4-addr:value ISSUBSET '192.0.2.128/25']",
    "[ipv6-addr:value = '2001:db8::1' OR ipv6-addr:value = '2001:db8::']",
    "[domain-name:value = 'Evil.example']",
    "[domain-name:value = 'büro.example' OR domain-name:value = 'a_b.evil.example']",
    "[url:value = 'http://evil.example:8080/a b?c=1&d={{e}}']",
    "[url:value = 'evil.example/path'] OR [url:value = 'other.example']",
    "[file:hashes.MD5 = 'D41D8CD98F00B204E9800998ECF8427E']",
    "[file:hashes.'SHA-1' = '2fd4e1c67a2d28fced849ee1bb76e7391b93eb12']",
    "[file:hashes.'SHA-256' = 'D7A8FBB307D7809469CA9ABCB0082E4F8D5651E46D3CDB762D02D0BF37C9E592' OR file:hashes.MD5 = '00000000000000000000000000000001']",
];

#[test]
fn the_files_of_a_feed() {
    insta::with_settings!({ snapshot_path => "../../snapshots/blocklist", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("entries", written(FEED).all());
    });
}

#[test]
fn empty_lists_are_files_all_the_same() {
    let memory = written(&[]);
    assert_eq!(memory.files.len(), target().formats().len());
    assert_eq!(memory.text("blocklist/ipv4.txt"), "");
    assert!(memory.text("blocklist/stixc.nft").contains("flush set"));
    assert!(!memory.text("blocklist/stixc.nft").contains("add element"));
    assert!(memory.text("blocklist/rpz.zone").contains("SOA"));
}

#[test]
fn an_entry_is_a_thing_that_the_pattern_names_by_itself() {
    let cases = [
        ("[ipv4-addr:value = '198.51.100.7']", "exact"),
        ("[ipv4-addr:value = '198.51.100.7' AND network-traffic:dst_port = 443]", "refused L001 L030"),
        ("[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443]", "refused L001 L030"),
        (
            "[network-traffic:src_ref.value = '198.51.100.7' AND network-traffic:dst_ref.value = '198.51.100.8']",
            "refused L140",
        ),
        (
            "[network-traffic:src_ref.value = '198.51.100.7' OR network-traffic:dst_ref.value = '198.51.100.8']",
            "refused L030 L141",
        ),
        ("[network-traffic:src_ref.value = '198.51.100.7' OR network-traffic:dst_ref.value = '198.51.100.7']", "exact"),
        ("[ipv4-addr:value = '198.51.100.0/24']", "exact"),
        (
            "[domain-name:value = 'evil.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.7']",
            "refused L001 L030",
        ),
        ("[file:hashes.MD5 = '9e107d9d372bb6826bd81d3542a419d6' AND file:size = 7]", "refused L001 L030"),
        ("[ipv4-addr:value != '198.51.100.7']", "refused L002"),
        ("[ipv4-addr:value ISSUBSET '198.51.100.0/24' AND ipv4-addr:value != '198.51.100.7']", "refused L002 L030"),
        ("[ipv4-addr:value ISSUPERSET '198.51.100.0/24']", "refused L002"),
        ("[domain-name:value LIKE '%.evil.example']", "refused L002"),
        ("[domain-name:value = 'not a name']", "refused L003"),
        ("[network-traffic:dst_ref.value = 'not an address']", "refused L003"),
        ("[domain-name:value IN ('evil.example', 'not a name')]", "narrower L003"),
        ("[ipv4-addr:value = '198.51.100.7'] OR [mutex:name = 'x']", "narrower L001"),
        ("[ipv4-addr:value = '198.51.100.7'] AND [ipv4-addr:value = '198.51.100.8']", "refused L010"),
        ("[ipv4-addr:value = '198.51.100.7'] REPEATS 5 TIMES", "refused L011 L030"),
        ("[ipv4-addr:value = '198.51.100.7'] WITHIN 5 SECONDS", "exact"),
        ("[email-addr:value = 'x@evil.example']", "refused L001"),
        ("[x509-certificate:hashes.'SHA-1' = '2fd4e1c67a2d28fced849ee1bb76e7391b93eb12']", "refused L001"),
        ("[url:value = 'http://evil.example/#part']", "refused L003"),
        ("[url:value IN ('http://evil.example/#part', 'http://evil.example/')]", "narrower L003"),
        ("[url:value = 'http://user@evil.example/']", "refused L003"),
        ("[file:hashes.SSDEEP = '3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C']", "refused L001"),
    ];
    let found: Vec<String> = cases.iter().map(|(text, _)| format!("{text} {}", verdict(text))).collect();
    let expected: Vec<String> = cases.iter().map(|(text, verdict)| format!("{text} {verdict}")).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_the_user_accepts_is_what_counts() {
    let plan = |text| lower(&pattern::parse(text).unwrap()).plan;
    let broad = plan("[ipv4-addr:value = '198.51.100.7' AND network-traffic:dst_port = 443]");
    let lowered = prepared(target(), Accept::ALL).lower(&broad).unwrap();
    assert_eq!(lowered.fidelity.name(), "broader");
    let exact = plan("[ipv4-addr:value = '198.51.100.7']");
    assert!(prepared(target(), Accept::new([])).lower(&exact).is_err());
}

#[test]
fn a_url_does_not_list_its_host() {
    let memory = written(&["[url:value = 'http://evil.example/x']", "[url:value = 'http://198.51.100.7/x']"]);
    assert_eq!(memory.text("blocklist/domains.txt"), "");
    assert_eq!(memory.text("blocklist/ipv4.txt"), "");
    assert_eq!(memory.text("blocklist/urls.txt"), "http://198.51.100.7/x\nhttp://evil.example/x\n");
}

#[test]
fn the_order_of_rules_does_not_show() {
    let mut turned: Vec<&str> = FEED.to_vec();
    turned.reverse();
    assert_eq!(written(FEED).files, written(&turned).files);
}

#[test]
fn each_rule_hears_its_lists() {
    let memory = written(FEED);
    assert_eq!(memory.names[&0], ["ipv4"]);
    assert_eq!(memory.names[&9], ["domain", "url"]);
    assert_eq!(memory.names[&12], ["md5", "sha256"]);
}

/// Values that try to be more than one line, or another record.
const HOSTILE: &[&str] = &[
    "[domain-name:value = 'evil.example\n$INCLUDE passwd']",
    "[domain-name:value = 'evil.example IN A 192.0.2.1']",
    "[domain-name:value = '$INCLUDE']",
    "[domain-name:value = '{{this}}']",
    "[url:value = 'http://evil.example/a\nhttp://good.example/']",
    "[url:value = 'http://evil.example/\u{85}http://good.example/']",
    "[ipv4-addr:value = '198.51.100.7 }; flush ruleset']",
    "[ipv4-addr:value = '010.0.0.1']",
    "[ipv4-addr:value = 'localhost']",
    "[ipv4-addr:value = '198.51.100.7\n0.0.0.0/0']",
    "[file:hashes.MD5 = '9e107d9d372bb6826bd81d3542a419d6\nx']",
];

#[test]
fn hostile_values_are_no_entries() {
    for text in HOSTILE {
        assert!(verdict(text).starts_with("refused L003"), "{text}: {}", verdict(text));
    }
    // All names below one: a list holds names alone.
    assert_eq!(verdict("[domain-name:value = '*.example']"), "refused L002");
}

#[test]
fn a_name_can_t_become_a_record_of_another_kind() {
    let names = ["8.0.0.0.10.rpz-ip", "ns.evil.rpz-nsdname", "in", "cname", "evil.example"];
    let patterns: Vec<String> = names.iter().map(|name| format!("[domain-name:value = '{name}']")).collect();
    let memory = written(&patterns.iter().map(String::as_str).collect::<Vec<_>>());
    let zone = memory.text("blocklist/rpz.zone");
    assert!(!zone.contains("rpz-ip") && !zone.contains("rpz-nsdname"), "{zone}");
    assert!(memory.text("blocklist/domains.txt").contains("8.0.0.0.10.rpz-ip"));
    assert_eq!(memory.said.len(), 1, "{:?}", memory.said);
    assert_eq!(memory.said[0].code.0, "R140");
}

fn save(memory: &Memory) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in &memory.files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

const SETS: &[&[&str]] = &[
    &[],
    FEED,
    &["[ipv4-addr:value = '198.51.100.7']"],
    &["[ipv6-addr:value = '2001:db8::7']"],
    &["[domain-name:value = 'in']", "[domain-name:value = 'cname']", "[domain-name:value = '_x.evil.example']"],
];

#[test]
#[ignore = "needs nft: tests/run installs it"]
fn nft_loads_the_sets() {
    for patterns in SETS {
        let folder = save(&written(patterns));
        blocklist::nft(&folder.path().join("blocklist/stixc.nft")).assert_accepted();
    }
}

#[test]
#[ignore = "needs named-checkzone: tests/run installs it"]
fn named_loads_the_zone() {
    for patterns in SETS {
        let folder = save(&written(patterns));
        blocklist::named(&folder.path().join("blocklist/rpz.zone")).assert_accepted();
    }
}
