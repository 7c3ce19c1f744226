//! The near misses of each kind of value, by hand: what a careless rule takes for the same.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use stixc::{
    convert,
    witness::{
        Aim, Witness,
        solve::{Bounds, Witnesses, witnesses},
    },
};

fn solved(text: &str) -> Witnesses {
    let plan = convert::understand(text, true).0.expect("a good pattern").plan;
    let found = witnesses(&plan, Bounds { alternatives: 16, misses: 400 });
    assert!(found.denied.is_empty() && found.gaps.is_empty() && found.complete, "{text}: {found:#?}");
    found
}

/// What stands under a pointer of the first sighting, in which a reference leads on by its object's key.
fn held(witness: &Witness, pointer: &str) -> Option<String> {
    let objects = Json::Object(witness.sightings.first()?.objects.clone());
    let value = objects.pointer(pointer)?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// The values that satisfy the pattern, and those that do not, under a pointer.
fn values(text: &str, pointer: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let found = solved(text);
    let some = |matches: bool| {
        let those = found.all.iter().filter(move |witness| witness.matches == matches);
        those.filter_map(|witness| held(witness, pointer)).collect()
    };
    (some(true), some(false))
}

#[track_caller]
fn has(found: &BTreeSet<String>, wanted: &[&str]) {
    let missing: Vec<&&str> = wanted.iter().filter(|one| !found.contains(**one)).collect();
    assert!(missing.is_empty(), "{missing:?} not in {found:#?}");
}

#[track_caller]
fn lacks(found: &BTreeSet<String>, unwanted: &[&str]) {
    let there: Vec<&&str> = unwanted.iter().filter(|one| found.contains(**one)).collect();
    assert!(there.is_empty(), "{there:?} in {found:#?}");
}

#[test]
fn names() {
    let (matches, misses) = values("[domain-name:value = 'cdn.evil.example']", "/0/value");
    has(&matches, &["cdn.evil.example"]);
    has(&misses, &["notcdn.evil.example", "evil.example", "sub.cdn.evil.example", "cdn.evil.test"]);
    // A name has no case.
    lacks(&misses, &["CDN.EVIL.EXAMPLE"]);
    let (matches, misses) = values("[domain-name:value LIKE '%.evil.example']", "/0/value");
    has(&matches, &["www.evil.example"]);
    has(&misses, &["evil.example", "www.evil.test"]);
}

#[test]
fn addresses() {
    let (matches, misses) = values("[ipv4-addr:value = '198.51.100.7']", "/0/value");
    has(&matches, &["198.51.100.7"]);
    has(&misses, &["198.51.100.6", "198.51.100.8"]);
    let (matches, misses) = values("[ipv4-addr:value ISSUBSET '198.51.100.16/28']", "/0/value");
    has(&matches, &["198.51.100.16", "198.51.100.31"]);
    has(&misses, &["198.51.100.15", "198.51.100.32"]);
    let (matches, misses) = values("[ipv6-addr:value ISSUBSET '2001:db8::/64']", "/0/value");
    has(&matches, &["2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"]);
    has(&misses, &["2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8:0:1::"]);
    let (matches, misses) = values("[ipv4-addr:value ISSUPERSET '198.51.100.0/24']", "/0/value");
    has(&matches, &["198.51.100.0/24", "198.51.100.0/23"]);
    has(&misses, &["198.51.100.0/25", "198.51.101.0/24"]);
    let (matches, misses) = values("[ipv4-addr:value NOT ISSUBSET '198.51.100.0/24']", "/0/value");
    assert!(matches.iter().all(|one| !one.starts_with("198.51.100.")), "{matches:?}");
    has(&misses, &["198.51.100.0", "198.51.100.255"]);
}

#[test]
fn numbers() {
    let (matches, misses) = values("[file:size > 1000 AND file:size <= 2000]", "/0/size");
    has(&matches, &["1001", "2000"]);
    has(&misses, &["1000", "2001"]);
    let (matches, misses) = values("[network-traffic:dst_port = 65535]", "/0/dst_port");
    has(&matches, &["65535"]);
    has(&misses, &["65534"]);
    let (matches, misses) = values("[network-traffic:dst_port IN (80, 443)]", "/0/dst_port");
    has(&matches, &["80", "443"]);
    has(&misses, &["79", "81", "442", "444"]);
    let (matches, misses) = values("[process:pid != 4]", "/0/pid");
    lacks(&matches, &["4"]);
    assert_eq!(misses, BTreeSet::from(["4".to_owned()]));
}

#[test]
fn texts() {
    let (matches, misses) = values("[process:command_line = 'pay now']", "/0/command_line");
    assert_eq!(matches, BTreeSet::from(["pay now".to_owned()]));
    has(&misses, &["PAY NOW", "pay nowx", "xpay now", "pay no", "ay now", "pay now ", " pay now", ""]);
    // What a protocol carries has no blanks around it.
    let (_, misses) = values("[email-message:subject = 'pay now']", "/0/subject");
    lacks(&misses, &["pay now ", " pay now", ""]);
    let (matches, misses) = values("[process:command_line LIKE '%-enc %']", "/0/command_line");
    has(&matches, &["-enc x"]);
    has(&misses, &["-ENC X", "enc x"]);
    let (_, misses) = values("[file:name = 'evil.exe']", "/0/name");
    has(&misses, &["EVIL.EXE", "evil.exe.txt", "evil.ex", "xevil.exe"]);
    let (_, misses) = values("[mutex:name NOT LIKE 'Global%']", "/0/name");
    has(&misses, &["Global", "Globalx"]);
}

#[test]
fn paths_and_keys() {
    let (_, misses) = values("[directory:path = 'C:\\\\Windows\\\\Temp']", "/0/path");
    has(&misses, &["C:\\Windows\\Temp2", "C:\\Windows\\Temp\\x", "C:\\Windows", "c:\\wINDOWS\\tEMP"]);
    let (_, misses) = values("[directory:path = '/usr/bin']", "/0/path");
    has(&misses, &["/usr/bin2", "/usr/bin/x", "/usr"]);
    let (_, misses) = values("[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\Software\\\\Evil']", "/0/key");
    has(
        &misses,
        &[
            "hkey_local_machine\\software\\evil\\x",
            "hkey_local_machine\\software",
            "hkey_local_machine\\software\\evil2",
        ],
    );
}

#[test]
fn urls_and_mail() {
    let (_, misses) = values("[url:value = 'http://evil.example/a/b?c=1']", "/0/value");
    has(
        &misses,
        &[
            "http://evil.example/a/b?c=1x",
            "http://evil.example/a/",
            "http://evil.example/A/B?C=1",
            "http://sub.evil.example/a/b?c=1",
            "http://notevil.example/a/b?c=1",
            "https://evil.example/a/b?c=1",
        ],
    );
    let (_, misses) = values("[email-message:from_ref.value = 'bad@evil.example']", "/1/value");
    has(&misses, &["notbad@evil.example", "bad@notevil.example", "bad@sub.evil.example", "other@evil.example"]);
}

#[test]
fn expressions() {
    let (matches, misses) = values("[process:command_line MATCHES '^evil[0-9]{2}\\\\.exe$']", "/0/command_line");
    has(&matches, &["evil00.exe"]);
    has(&misses, &["EVIL00.EXE", "evil00.exex", "xevil00.exe", "vil00.exe"]);
    let (matches, misses) = values("[process:command_line MATCHES '(?i)foo|bar']", "/0/command_line");
    has(&matches, &["foo", "xfooy"]);
    lacks(&misses, &["FOO"]);
    let (matches, misses) = values("[process:command_line MATCHES '^(?!safe)(a|b)\\\\1c']", "/0/command_line");
    has(&matches, &["aac"]);
    has(&misses, &["aa", "ac"]);
}

#[test]
fn hashes_bytes_and_truth() {
    let (_, misses) = values("[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4']", "/0/hashes/MD5");
    has(&misses, &["79054025255fb1a26e4bc422aef54eb0", "09054025255fb1a26e4bc422aef54eb4"]);
    let (matches, misses) = values("[file:magic_number_hex = h'4d5a']", "/0/magic_number_hex");
    has(&matches, &["4d5a"]);
    has(&misses, &["4d5b", "4d5a00", "4d"]);
    let (matches, misses) = values("[artifact:payload_bin = b'RXZpbA==']", "/0/payload_bin");
    has(&matches, &["RXZpbA=="]);
    has(&misses, &["RXZpbQ==", "RXZpbAA=", "RXZp"]);
    let (matches, misses) = values("[user-account:is_privileged = true]", "/0/is_privileged");
    assert_eq!((matches.len(), misses), (1, BTreeSet::from(["false".to_owned()])));
    let (matches, misses) = values("[file:mtime > t'2024-01-15T08:00:00Z']", "/0/mtime");
    has(&matches, &["2024-01-15T08:00:00.000001Z"]);
    has(&misses, &["2024-01-15T08:00:00Z", "2024-01-15T07:59:59.999999Z"]);
}

#[test]
fn what_is_there_and_what_is_not() {
    let absent = |text: &str, pointer: &str, matches: bool| {
        let found = solved(text);
        found.all.iter().any(|witness| witness.matches == matches && held(witness, pointer).is_none())
    };
    assert!(absent("[EXISTS file:mime_type]", "/0/mime_type", false));
    assert!(absent("[NOT EXISTS file:mime_type]", "/0/mime_type", true));
    assert!(!absent("[NOT EXISTS file:mime_type]", "/0/mime_type", false));
    // What is not there is not unequal.
    assert!(absent("[file:name = 'a.exe' AND file:mime_type != 'text/plain']", "/0/mime_type", false));
}

#[test]
fn the_other_end() {
    let found = solved("[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 4444]");
    let turned = |witness: &&Witness| matches!(witness.aim, Aim::NearMiss { change: "the value at the other end", .. });
    let ends: Vec<_> =
        found.all.iter().filter(turned).map(|witness| (held(witness, "/0/src_port"), witness.matches)).collect();
    assert_eq!(ends.len(), 2);
    assert!(ends.contains(&(Some("4444".to_owned()), false)), "{ends:?}");
}

#[test]
fn one_test_is_broken_and_the_others_hold() {
    let found = solved("[file:name = 'evil.exe' AND file:size = 7]");
    for witness in found.all.iter().filter(|witness| !witness.matches) {
        let (name, size) = (held(witness, "/0/name"), held(witness, "/0/size"));
        let holds = [name.as_deref() == Some("evil.exe"), size.as_deref() == Some("7")];
        assert_eq!(holds.iter().filter(|holds| **holds).count(), 1, "{witness:?}");
    }
}

#[test]
fn an_element_of_a_list_that_two_tests_share() {
    let text = "[windows-registry-key:values[*].name = 'a' AND windows-registry-key:values[*].data = 'b']";
    let (name, data) = (values(text, "/0/values/0/name"), values(text, "/0/values/0/data"));
    assert_eq!((name.0, data.0), (BTreeSet::from(["a".to_owned()]), BTreeSet::from(["b".to_owned()])));
    let (first, _) =
        values("[network-traffic:protocols[*] = 'tcp' AND network-traffic:protocols[*] = 'http']", "/0/protocols");
    assert_eq!(first, BTreeSet::from(["[\"tcp\",\"http\"]".to_owned()]).into_iter().map(sorted).collect());
    let (second, misses) = values("[network-traffic:protocols[1] = 'tcp']", "/0/protocols/1");
    assert!(second.contains("tcp") && !misses.contains("tcp"));
}

/// The plan puts the tests in order.
fn sorted(_: String) -> String {
    "[\"http\",\"tcp\"]".to_owned()
}

/// When the sightings were, in microseconds since the first one; and the domains or addresses that were seen.
fn played(text: &str, change: &str) -> Vec<(Vec<i64>, Vec<String>, bool)> {
    let found = solved(text);
    let is_it = |witness: &&Witness| match &witness.aim {
        Aim::NearMiss { change: own, .. } => *own == change,
        Aim::Match { .. } => change.is_empty(),
    };
    let told = found.all.iter().filter(is_it).map(|witness| {
        let first = witness.sightings[0].at;
        let times = witness.sightings.iter().map(|one| one.at - first).collect();
        let seen = witness.sightings.iter().map(|one| one.objects["0"]["value"].as_str().unwrap().to_owned()).collect();
        (times, seen, witness.matches)
    });
    told.collect()
}

const TWO: &str = "[domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']";

#[test]
fn order() {
    let (a, b) = ("a.example".to_owned(), "b.example".to_owned());
    assert_eq!(played(TWO, "the reverse order"), [(vec![0, 1_000_000], vec![b.clone(), a.clone()], false)]);
    let matches = played(TWO, "");
    assert!(matches.contains(&(vec![0, 1_000_000], vec![a.clone(), b.clone()], true)), "{matches:?}");
    assert!(matches.contains(&(vec![0, 0], vec![a.clone(), b.clone()], true)), "{matches:?}");
    assert_eq!(played(TWO, "one observation is not there"), [(vec![0], vec![b], false), (vec![0], vec![a], false)]);
}

#[test]
fn within() {
    let text = format!("({TWO}) WITHIN 60 SECONDS");
    let ab = vec!["a.example".to_owned(), "b.example".to_owned()];
    assert!(played(&text, "").contains(&(vec![0, 60_000_000], ab.clone(), true)));
    assert_eq!(played(&text, "one second too late"), [(vec![0, 61_000_000], ab.clone(), false)]);
    assert_eq!(played(&text, "one microsecond too late"), [(vec![0, 60_000_001], ab, false)]);
}

#[test]
fn repeats() {
    let text = "[domain-name:value = 'a.example'] REPEATS 3 TIMES";
    let few = played(text, "one repetition too few");
    assert_eq!(few.iter().map(|(times, _, matches)| (times.len(), *matches)).collect::<Vec<_>>(), [(2, false)]);
    let broken = played(text, "a subdomain");
    assert_eq!(broken[0].1, ["sub.a.example", "a.example", "a.example"]);
}

#[test]
fn start_and_stop() {
    let found = solved("[domain-name:value = 'a.example'] START t'2024-02-01T00:00:00Z' STOP t'2024-02-02T00:00:00Z'");
    let at = |wanted: &str| -> Vec<(String, bool)> {
        let those = found
            .all
            .iter()
            .filter(|witness| matches!(&witness.aim, Aim::NearMiss { change, .. } if *change == wanted));
        those.map(|witness| (witness.sightings[0].time(), witness.matches)).collect()
    };
    assert_eq!(at("just before START"), [("2024-01-31T23:59:59.999999Z".to_owned(), false)]);
    assert_eq!(at("at STOP"), [("2024-02-02T00:00:00Z".to_owned(), false)]);
    assert!(found.all.iter().any(|witness| witness.matches && witness.sightings[0].time() == "2024-02-01T00:00:00Z"));
}

#[test]
fn what_has_parts_has_no_value_of_its_own() {
    let first = |text: &str| {
        let found = witnesses(&convert::understand(text, false).0.expect(text).plan, Bounds::default());
        assert!(found.denied.is_empty(), "{text}: {found:#?}");
        found.all.iter().find(|one| one.matches).map(|one| one.sightings[0].objects["0"]["b"].to_string())
    };
    for (text, held) in [
        ("[x:b != 0 AND x:b.c = 1]", r#"{"c":1}"#),
        ("[x:b NOT IN (0, 1) AND x:b[0] = 1]", "[1]"),
        ("[x:b[0].c = 1 AND x:b[0] NOT LIKE '2%']", r#"[{"c":1}]"#),
        ("[x:b[*].c = 1 AND x:b[*] = 2]", r#"[{"c":1},2]"#),
        ("[EXISTS x:b AND x:b.'' = 1]", r#"{"":1}"#),
    ] {
        assert_eq!(first(text).as_deref(), Some(held), "{text}");
    }
    // Some element with keys and some element with elements: two elements, which is more than the solver tries.
    assert_eq!(first("[x:b[*].c = 1 AND x:b[*][0] = 1]"), None);
    assert_eq!(first("[x:b[*][*] = 1 AND x:b[*][0] = 2]"), None);
}
