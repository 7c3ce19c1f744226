//! What stixc writes, in the engines that it is for: everything loads, and each family of rules fires on a witness and
//! is silent on a near miss.

use crate::support;

use std::{
    collections::BTreeSet,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;
use sha2::{Digest, Sha256};
use stixc::witness::capture::{
    Capture, Flow,
    dns::RecordType,
    http::{Request, Response, VERSION},
};
use support::{
    corpus,
    validators::{blocklist, file, project, scratch, sigma, suricata, yara},
};
use tempfile::TempDir;

/// What feed text can hold, and every kind of pattern.
const FIXTURES: [&str; 2] = ["examples/feed.json", "tests/fixtures/hostile.json"];

/// Converts a feed to all targets.
fn converted(feed: &Path) -> TempDir {
    let folder = scratch();
    let output = Command::new(env!("CARGO_BIN_EXE_stixc"))
        .args(["convert", "-t", "sigma,suricata,yara,blocklist", "--now", "2024-06-01T00:00:00Z", "-q", "-o"])
        .args([folder.path(), feed])
        .output()
        .unwrap();
    // 4: an object among those of others may be of no use; what is made of the rest has to load.
    assert!(matches!(output.status.code(), Some(0 | 4)), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

/// A feed with a bare pattern a line.
fn feed_of(patterns: &[String]) -> (TempDir, PathBuf) {
    let folder = scratch();
    let objects: Vec<_> = patterns
        .iter()
        .enumerate()
        .map(|(number, pattern)| {
            let id = format!("indicator--00000000-0000-4000-8000-{number:012}");
            json!({"type": "indicator", "id": id, "pattern": pattern, "created": "2024-01-01T00:00:00Z",
                   "modified": "2024-01-01T00:00:00Z", "valid_from": "2024-01-01T00:00:00Z"})
        })
        .collect();
    let path = file(&folder, "feed.json", json!({"type": "bundle", "objects": objects}).to_string());
    (folder, path)
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    found.sort();
    found
}

fn load_suricata(output: &Path) {
    suricata::check(&output.join("suricata/stixc.rules")).assert_accepted();
    let native = output.join("suricata/native.rules");
    if native.exists() {
        suricata::check(&native).assert_accepted();
    }
}

fn load_yara(output: &Path, check: impl Fn(&Path)) {
    check(&output.join("yara/stixc.yar"));
    let native = output.join("yara/native.yar");
    if native.exists() {
        check(&native);
    }
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_loads_every_output() {
    FIXTURES.iter().for_each(|fixture| load_suricata(converted(&project(fixture)).path()));
}

#[test]
#[ignore = "needs sigma-cli: tests/run installs it"]
fn sigma_check_finds_nothing_in_any_output() {
    for fixture in FIXTURES {
        let folder = converted(&project(fixture));
        let rules = folder.path().join("sigma");
        assert!(files(&rules, ".yml").len() > 20);
        // SigmaHQ takes no attribute of one's own, which the specification allows and which names a ready-made rule's
        // indicator.
        let ready_made = folder.path().join("ready-made");
        fs::create_dir(&ready_made).unwrap();
        for file in files(&rules, ".yml") {
            let name = file.file_name().unwrap().to_owned();
            if name.to_string_lossy().starts_with("native_") {
                fs::rename(&file, ready_made.join(name)).unwrap();
            }
        }
        if !files(&ready_made, ".yml").is_empty() {
            let with_attribute = [sigma::NOT_FOR_INDICATORS, &["sigmahq_unknown_field"]].concat();
            sigma::check(&ready_made, &with_attribute).assert_accepted();
        }
        sigma::check(&rules, sigma::NOT_FOR_INDICATORS).assert_accepted();
    }
}

#[test]
#[ignore = "needs yara: tests/run installs it"]
fn yara_compiles_every_output() {
    for fixture in FIXTURES {
        load_yara(converted(&project(fixture)).path(), |path| yara::check(path).assert_accepted());
    }
}

#[test]
#[ignore = "needs yara-x: tests/run installs it"]
fn yarax_compiles_every_output() {
    for fixture in FIXTURES {
        load_yara(converted(&project(fixture)).path(), |path| {
            let report = yara::yarax(path, &[]);
            assert!(report.errors.is_empty(), "{}: {report:?}", path.display());
        });
    }
}

#[test]
#[ignore = "needs nft and a network namespace: tests/run installs it"]
fn nft_loads_every_output() {
    for fixture in FIXTURES {
        blocklist::nft(&converted(&project(fixture)).path().join("blocklist/stixc.nft")).assert_accepted();
    }
}

#[test]
#[ignore = "needs named-checkzone: tests/run installs it"]
fn named_checkzone_loads_every_output() {
    for fixture in FIXTURES {
        let folder = converted(&project(fixture));
        blocklist::named(&folder.path().join("blocklist/rpz.zone")).assert_accepted();
    }
}

/// The body of a file that rules find by its hash.
const WITNESS: &[u8] = b"a witness of stixc\n";

fn witness_hash() -> String {
    Sha256::digest(WITNESS).iter().map(|byte| format!("{byte:02X}")).collect()
}

fn server(last: u8, port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, last)), port)
}

/// Makes a conversation in a capture, from a client of its own; gives that client.
fn converse(capture: &mut Capture, server: SocketAddr, talk: impl FnOnce(&mut Capture, Flow)) -> IpAddr {
    let flow = capture.flow_to(server);
    talk(capture, flow);
    flow.client.ip()
}

fn get(host: &'static str, target: &'static str, body: &'static [u8]) -> impl FnOnce(&mut Capture, Flow) {
    move |capture, flow| {
        let request = Request { method: "GET", target, version: VERSION, headers: &[("Host", host)], body: b"" };
        capture.http(flow, request, Response { headers: &[], body }).unwrap();
    }
}

fn query(name: &'static str) -> impl FnOnce(&mut Capture, Flow) {
    move |capture, flow| capture.dns_query(flow, name, RecordType::A).unwrap()
}

fn hello(name: &'static str) -> impl FnOnce(&mut Capture, Flow) {
    move |capture, flow| capture.tls_client_hello(flow, name).unwrap()
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_alerts_on_a_witness_of_each_family_and_on_no_near_miss() {
    let patterns = [
        "[domain-name:value = 'evil.example']".to_owned(),
        "[ipv4-addr:value = '198.51.100.77']".to_owned(),
        "[network-traffic:dst_ref.value = '198.51.100.78' AND network-traffic:dst_port = 4444]".to_owned(),
        "[ipv4-addr:value ISSUBSET '203.0.113.64/26']".to_owned(),
        "[url:value = 'http://files.example/a%20b/c.php?d=e;f']".to_owned(),
        format!("[file:hashes.'SHA-256' = '{}']", witness_hash()),
    ];
    let (_feed, path) = feed_of(&patterns);
    let folder = converted(&path);
    let mut capture = Capture::new();
    let far = |address: [u8; 4], port| SocketAddr::new(IpAddr::from(address), port);
    let syn = |capture: &mut Capture, flow| capture.tcp_syn(flow).unwrap();
    let witnesses = [
        converse(&mut capture, server(1, 53), query("evil.example")),
        converse(&mut capture, server(1, 53), query("EVIL.Example")),
        converse(&mut capture, server(1, 443), hello("evil.example")),
        converse(&mut capture, server(1, 80), get("evil.example", "/", b"")),
        converse(&mut capture, server(1, 8080), get("Evil.Example:8080", "/", b"")),
        converse(&mut capture, server(77, 81), syn),
        converse(&mut capture, server(78, 4444), syn),
        converse(&mut capture, far([203, 0, 113, 127], 81), syn),
        converse(&mut capture, server(1, 80), get("files.example", "/a%20b/c.php?d=e;f", b"")),
        converse(&mut capture, server(1, 80), get("other.example", "/download", WITNESS)),
    ];
    let near_misses = [
        converse(&mut capture, server(1, 53), query("notevil.example")),
        converse(&mut capture, server(1, 53), query("www.evil.example")),
        converse(&mut capture, server(1, 53), query("evil.example.com")),
        converse(&mut capture, server(1, 443), hello("evil.example.net")),
        converse(&mut capture, server(1, 80), get("xevil.example", "/", b"")),
        converse(&mut capture, server(76, 81), syn),
        converse(&mut capture, server(78, 4443), syn),
        converse(&mut capture, far([203, 0, 113, 63], 81), syn),
        converse(&mut capture, far([203, 0, 113, 128], 81), syn),
        converse(&mut capture, server(1, 80), get("files.example", "/a%20b/c.php?d=e;g", b"")),
        converse(&mut capture, server(1, 80), get("files.example", "/a%20b/c.php?d=e;f1", b"")),
        converse(&mut capture, server(1, 80), get("other.example", "/download", b"a witness of stixC\n")),
    ];
    let alerts = suricata::alerts(&folder.path().join("suricata/stixc.rules"), capture.bytes());
    let alerted = |client: &IpAddr| alerts.iter().any(|alert| alert.client == *client);
    let silent: Vec<_> = witnesses.iter().enumerate().filter(|(_, client)| !alerted(client)).collect();
    assert!(silent.is_empty(), "no alert for these witnesses: {silent:?}");
    let loud: Vec<_> = near_misses.iter().enumerate().filter(|(_, client)| alerted(client)).collect();
    assert!(loud.is_empty(), "an alert for these near misses: {loud:?}");
}

#[test]
#[ignore = "needs yara: tests/run installs it"]
fn yara_finds_a_file_by_its_hash_and_not_its_neighbour() {
    let (_feed, path) = feed_of(&[format!("[file:hashes.SHA256 = '{}']", witness_hash())]);
    let folder = converted(&path);
    let rules = folder.path().join("yara/stixc.yar");
    let [witness, neighbour] = [WITNESS, b"a witness of stixC\n"].map(|bytes| file(&folder, "scanned", bytes));
    fs::write(&neighbour, b"a witness of stixC\n").unwrap();
    assert!(yara::matches(&rules, &neighbour).is_empty());
    fs::write(&witness, WITNESS).unwrap();
    assert_eq!(yara::matches(&rules, &witness).len(), 1);
}

#[test]
#[ignore = "needs sigma-cli: tests/run installs it"]
fn sigma_rules_match_their_events_and_no_near_miss() {
    let patterns = [
        r"[domain-name:value = 'evil.example']".to_owned(),
        r"[ipv4-addr:value ISSUBSET '203.0.113.64/26']".to_owned(),
        format!("[file:hashes.'SHA-256' = '{}']", witness_hash()),
        r"[file:name = 'lantern.exe']".to_owned(),
        r"[process:command_line LIKE '%--id=_*?%']".to_owned(),
        r"[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\Software\\Evil']".to_owned(),
        r"[url:value = 'http://files.example/a*b?c']".to_owned(),
    ];
    let (_feed, path) = feed_of(&patterns);
    let folder = converted(&path);
    let witnesses = json!([
        {"QueryName": "evil.example", "query": "evil.example", "cs-host": "evil.example"},
        {"DestinationIp": "203.0.113.127", "SourceIp": "10.0.0.1", "dst_ip": "203.0.113.127", "src_ip": "10.0.0.1"},
        {"Hashes": format!("MD5=0,SHA256={},IMPHASH=0", witness_hash())},
        {"Image": r"C:\Temp\lantern.exe", "ImageLoaded": r"C:\Temp\lantern.exe", "TargetFilename": r"C:\Temp\lantern.exe"},
        {"CommandLine": "run --id=7*? now"},
        {"TargetObject": r"HKLM\Software\Evil"},
        {"c-uri": "http://files.example/a*b?c", "cs-host": "files.example"},
    ]);
    let near_misses = json!([
        {"QueryName": "notevil.example", "query": "www.evil.example", "cs-host": "evil.example.com"},
        {"DestinationIp": "203.0.113.128", "SourceIp": "10.0.0.1", "dst_ip": "203.0.113.63", "src_ip": "10.0.0.1"},
        {"Hashes": format!("MD5=0,SHA256={},IMPHASH=0", witness_hash().replace('A', "B"))},
        {"Image": r"C:\Temp\notlantern.exe", "ImageLoaded": r"C:\lantern.exe\x", "TargetFilename": r"C:\Temp\lantern.exe.txt"},
        {"CommandLine": "run --id=77*? now"},
        {"TargetObject": r"HKLM\Software\Evil2"},
        {"c-uri": "http://files.example/aXb?c", "cs-host": "files.example.com"},
    ]);
    let rules = folder.path().join("sigma");
    let matched = |events: &serde_json::Value| -> BTreeSet<usize> {
        sigma::matches(&rules, events).values().flatten().flatten().copied().collect()
    };
    assert_eq!(matched(&witnesses), (0..patterns.len()).collect(), "a witness without a match");
    assert_eq!(matched(&near_misses), BTreeSet::new(), "a match for a near miss");
}

/// The bundles of the corpus, and its indicators one a line.
fn corpus_feeds() -> [PathBuf; 2] {
    [corpus::folder().join("bundles"), corpus::folder().join("indicators.jsonl")]
}

#[test]
#[ignore = "needs suricata and the corpus: tests/run installs the one and finds the other"]
fn corpus_suricata_loads_what_comes_out() {
    corpus_feeds().iter().for_each(|feed| load_suricata(converted_lines(feed).path()));
}

#[test]
#[ignore = "needs yara and the corpus: tests/run installs the one and finds the other"]
fn corpus_yara_compiles_what_comes_out() {
    for feed in corpus_feeds() {
        load_yara(converted_lines(&feed).path(), |path| yara::check(path).assert_accepted());
    }
}

#[test]
#[ignore = "needs yara-x and the corpus: tests/run installs the one and finds the other"]
fn corpus_yarax_compiles_what_comes_out() {
    load_yara(converted(&corpus_feeds()[0]).path(), |path| {
        let report = yara::yarax(path, &[]);
        assert!(report.errors.is_empty(), "{}: {report:?}", path.display());
    });
}

#[test]
#[ignore = "needs nft and the corpus: tests/run installs the one and finds the other"]
fn corpus_nft_loads_what_comes_out() {
    for feed in corpus_feeds() {
        blocklist::nft(&converted_lines(&feed).path().join("blocklist/stixc.nft")).assert_accepted();
    }
}

#[test]
#[ignore = "needs named-checkzone and the corpus: tests/run installs the one and finds the other"]
fn corpus_named_checkzone_loads_what_comes_out() {
    for feed in corpus_feeds() {
        let folder = converted_lines(&feed);
        blocklist::named(&folder.path().join("blocklist/rpz.zone")).assert_accepted();
    }
}

/// Every twentieth rule: `sigma check` takes a hundredth of a second for each. Ready-made ones are as others wrote them.
#[test]
#[ignore = "needs sigma-cli and the corpus: tests/run installs the one and finds the other"]
fn corpus_sigma_check_finds_nothing_in_what_comes_out() {
    let folder = converted(&corpus_feeds()[0]);
    let sample = scratch();
    let rules = files(&folder.path().join("sigma"), ".yml");
    assert!(rules.len() > 1000, "{}", rules.len());
    let name = |rule: &PathBuf| rule.file_name().unwrap().to_str().unwrap().to_owned();
    for rule in rules.iter().filter(|rule| !name(rule).starts_with("native_")).step_by(20) {
        fs::copy(rule, sample.path().join(name(rule))).unwrap();
    }
    sigma::check(sample.path(), sigma::NOT_FOR_INDICATORS).assert_accepted();
}

/// A folder as it is; a file of lines through a name that stixc reads.
fn converted_lines(feed: &Path) -> TempDir {
    assert!(feed.exists(), "{} is missing", feed.display());
    converted(feed)
}
