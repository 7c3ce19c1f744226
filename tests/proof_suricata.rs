//! The proof for Suricata: its rules alert on what their verdict says and on nothing else.
//!
//! Witnesses of each pattern are played into one capture, and Suricata reads it once with the rules of all patterns. What
//! alerted in a take is held against the evaluator's answer. A take counts by itself: a rule that sees a name in small
//! letters and not in capitals is found out.

#[path = "support/emission.rs"]
mod emission;
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use emission::{Memory, emit, prepared};
use serde_json::{Value as Json, json};
use stixc::{
    pattern,
    plan::{Plan, fidelity::Fidelity, lower::lower},
    target::{
        Target,
        contract::{Content, Lower, Origin, Rule},
        find,
    },
    witness::{
        Labeller, Sighting,
        judge::{Disagreement, Shown, judge},
        project::suricata::{Reel, project},
        stand_in::{StandIn, stand_in},
    },
};
use support::engines::{on_disk, suricata};

/// More than any window of the rules.
const PAUSE: Duration = Duration::from_secs(4000);

const RULES: &str = "suricata/stixc.rules";

fn target() -> &'static dyn Target {
    find("suricata").unwrap()
}

/// Sightings, and whether the pattern matches them.
struct Seen {
    matches: bool,
    sightings: Vec<Sighting>,
}

/// A pattern with its witnesses.
struct Case {
    text: String,
    verdict: Fidelity,
    known: StandIn,
    seen: Vec<Seen>,
    /// Whether a rule that never alerts is dead, and not just one that no witness was found for.
    complete: bool,
}

/// What is wrong with the rules of a pattern, one line each; empty where nothing is.
fn prove(cases: Vec<Case>, rules: Vec<Rule>) -> Vec<String> {
    let began = Instant::now();
    let memory = emit(target(), rules);
    let (_folder, path) = on_disk(&memory.files, RULES);
    suricata::check(&path).assert_accepted();
    let loaded = began.elapsed();
    let mut reel = Reel::new();
    // Takes of one pattern lie far apart, so that what a sensor remembers of one does not count in the next.
    let mut takes: Vec<(usize, usize, Vec<usize>)> = Vec::new();
    let longest = cases.iter().map(|case| case.seen.len()).max().unwrap_or_default();
    for number in 0..longest {
        for (index, case) in cases.iter().enumerate() {
            let Some(seen) = case.seen.get(number) else { continue };
            let numbers =
                project(&seen.sightings, &case.known).iter().map(|take| reel.play(take, PAUSE).number).collect();
            takes.push((index, number, numbers));
        }
    }
    let mut heard: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
    for (sid, time) in suricata::alarms(&path, reel.bytes()) {
        heard.entry(reel.at(time).expect("an alert in a take")).or_default().insert(sid);
    }
    let count: usize = takes.iter().map(|(_, _, numbers)| numbers.len()).sum();
    eprintln!(
        "{} patterns, {} witnesses, {count} takes, {} MB, rules loaded in {loaded:.1?}, all in {:.1?}",
        cases.len(),
        takes.len(),
        reel.bytes().len() >> 20,
        began.elapsed()
    );
    let skipped = skipped(&memory);
    let mut shown: Vec<Vec<(Shown, usize, usize)>> = vec![Vec::new(); cases.len()];
    for (index, number, numbers) in &takes {
        let sids = sids(&memory, *index, &skipped);
        for (way, take) in numbers.iter().enumerate() {
            let fired = heard.get(take).map_or_else(BTreeSet::new, |heard| {
                sids.iter().enumerate().filter(|(_, sid)| heard.contains(sid)).map(|(rule, _)| rule).collect()
            });
            shown[*index].push((Shown { matches: cases[*index].seen[*number].matches, fired }, *number, way));
        }
    }
    let mut wrong = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let sids = sids(&memory, index, &skipped);
        let all: Vec<Shown> = shown[index].iter().map(|(shown, _, _)| shown.clone()).collect();
        let mut found = judge(case.verdict, sids.len(), &all);
        if !case.complete {
            found.retain(|one| !matches!(one, Disagreement::Dead(_)));
        }
        if !found.is_empty() {
            wrong.push(told(case, &memory, &sids, &shown[index], &found));
        }
    }
    wrong
}

/// What is wrong, with all that is needed to see why.
fn told(case: &Case, memory: &Memory, sids: &[u32], shown: &[(Shown, usize, usize)], found: &[Disagreement]) -> String {
    let mut text = format!("{} ({})", case.text, case.verdict);
    let take = |number: usize| {
        let (shown, witness, way) = &shown[number];
        let sightings = &case.seen[*witness].sightings;
        let objects: Vec<String> =
            sightings.iter().map(|one| format!("{} {}", one.at, Json::from(one.objects.clone()))).collect();
        format!("witness {witness} way {way} (matches: {}): {}", shown.matches, objects.join(" + "))
    };
    for one in found.iter().take(4) {
        let _ = match one {
            Disagreement::Fired(number) => write!(text, "\n  fired on {}", take(*number)),
            Disagreement::Silent(number) => write!(text, "\n  silent on {}", take(*number)),
            other => write!(text, "\n  {other:?}"),
        };
    }
    for line in
        memory.text(RULES).lines().filter(|line| sids.iter().any(|sid| line.contains(&format!("sid:{sid};")))).take(4)
    {
        let _ = write!(text, "\n    {}", line.split(" classtype:").next().unwrap_or_default());
    }
    text
}

/// The numbers of rules that this version of Suricata skips, and of those that never alert by themselves.
fn skipped(memory: &Memory) -> BTreeSet<u32> {
    let silent = |line: &&str| line.contains("requires:version >= 8") || line.contains("; noalert; ");
    let later = memory.text(RULES).lines().filter(silent);
    later.filter_map(|line| line.rsplit_once("sid:")?.1.split(';').next()?.parse().ok()).collect()
}

/// The rules of a pattern.
fn sids(memory: &Memory, index: usize, skipped: &BTreeSet<u32>) -> Vec<u32> {
    let sids = memory.names.get(&index).into_iter().flatten().map(|sid| sid.parse().unwrap());
    sids.filter(|sid| !skipped.contains(sid)).collect()
}

/// A pattern lowered, where the target has rules for it.
fn lowered(lowerer: &dyn Lower, plan: &Plan, index: usize) -> Option<(Fidelity, Rule)> {
    let lowered = lowerer.lower(plan).ok()?;
    let id = format!("indicator--00000000-0000-4000-8000-{index:012}");
    let origin = Origin { id: id.clone(), sources: vec![id.clone()], name: id, ..Origin::default() };
    Some((lowered.fidelity, Rule { origin: Arc::new(origin), content: Content::Compiled(lowered) }))
}

/// A sighting of an object, and of those that it refers to, so many seconds after the first.
fn sighting(seconds: i64, objects: &Json) -> Sighting {
    Sighting { at: (1_704_067_200 + seconds) * 1_000_000, objects: objects.as_object().unwrap().clone() }
}

/// Holds the rules of each pattern against these sightings; the evaluator says which match.
#[track_caller]
fn hold(patterns: &[(&str, Vec<Vec<(i64, Json)>>)]) {
    let lowerer = prepared(target(), target().accepts());
    let (mut cases, mut rules) = (Vec::new(), Vec::new());
    for (text, seen) in patterns {
        let known = stand_in(&lower(&pattern::parse(text).unwrap()).plan);
        let (verdict, rule) = lowered(&*lowerer, &known.plan, cases.len()).unwrap_or_else(|| panic!("{text}"));
        let labeller = Labeller::new(&known.plan).unwrap();
        let seen = seen.iter().map(|sightings| {
            let sightings: Vec<Sighting> = sightings.iter().map(|(at, objects)| sighting(*at, objects)).collect();
            Seen { matches: labeller.matches(&sightings).unwrap(), sightings }
        });
        cases.push(Case { text: (*text).to_owned(), verdict, seen: seen.collect(), complete: true, known });
        rules.push(rule);
    }
    let wrong = prove(cases, rules);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn once(object: Json) -> Vec<(i64, Json)> {
    vec![(0, json!({ "0": object }))]
}

fn with(object: Json, other: Json) -> Vec<(i64, Json)> {
    vec![(0, json!({ "0": object, "1": other }))]
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_sees_what_is_shown() {
    let name = |value: &str| once(json!({"type": "domain-name", "value": value}));
    let url = |value: &str| once(json!({"type": "url", "value": value}));
    let file = |object: Json| {
        let mut object = object;
        object["type"] = json!("file");
        once(object)
    };
    let address = |value: &str| {
        let kind = if value.contains(':') { "ipv6-addr" } else { "ipv4-addr" };
        json!({"type": kind, "value": value})
    };
    let traffic = |object: Json| {
        let mut object = object;
        object["type"] = json!("network-traffic");
        once(object)
    };
    let to = |value: &str, port: u16, protocols: &[&str]| {
        with(
            json!({"type": "network-traffic", "dst_ref": "1", "dst_port": port, "protocols": protocols}),
            address(value),
        )
    };
    let request =
        |request: Json| traffic(json!({"extensions": {"http-request-ext": request}, "protocols": ["tcp", "http"]}));
    let certificate = |object: Json| {
        let mut object = object;
        object["type"] = json!("x509-certificate");
        once(object)
    };
    let mail = |property: &str, value: &str| {
        with(
            json!({"type": "email-message", property: if property.ends_with('s') { json!(["1"]) } else { json!("1") }}),
            json!({"type": "email-addr", "value": value}),
        )
    };
    hold(&[
        (
            "[domain-name:value = 'evil.example']",
            vec![name("evil.example"), name("example"), name("notevil.example"), name("a.evil.example")],
        ),
        (
            "[url:value = 'http://evil.example:81/a?b']",
            vec![url("http://evil.example:81/a?b"), url("http://evil.example/a?b"), url("http://evil.example:81/a?bb")],
        ),
        (
            "[ipv4-addr:value = '198.51.100.7']",
            vec![once(address("198.51.100.7")), once(address("198.51.100.8")), once(address("198.51.100.6"))],
        ),
        (
            "[ipv6-addr:value ISSUBSET '2001:db8::/64']",
            vec![once(address("2001:db8::7")), once(address("2001:db8:0:1::"))],
        ),
        (
            "[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443 AND network-traffic:protocols[*] = 'tcp']",
            vec![
                to("198.51.100.7", 443, &["tcp"]),
                to("198.51.100.7", 443, &["udp"]),
                to("198.51.100.7", 444, &["tcp"]),
            ],
        ),
        (
            "[network-traffic:extensions.'http-request-ext'.request_method = 'post' AND network-traffic:extensions.'http-request-ext'.request_value = '/a%20b']",
            vec![
                request(json!({"request_method": "post", "request_value": "/a%20b"})),
                request(json!({"request_method": "get", "request_value": "/a%20b"})),
            ],
        ),
        (
            "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'Bad;\"']",
            vec![
                request(json!({"request_header": {"User-Agent": "Bad;\""}})),
                request(json!({"request_header": {"User-Agent": "bad;\""}})),
            ],
        ),
        (
            "[file:name = 'in voice.exe' AND file:size > 100]",
            vec![
                file(json!({"name": "in voice.exe", "size": 101})),
                file(json!({"name": "in voice.exe", "size": 100})),
                file(json!({"name": "In voice.exe", "size": 101})),
            ],
        ),
        (
            "[x509-certificate:serial_number = '5c190a']",
            vec![certificate(json!({"serial_number": "5c190a"})), certificate(json!({"serial_number": "5c190b"}))],
        ),
        (
            "[x509-certificate:subject = 'CN=evil.example, O=Evil']",
            vec![
                certificate(json!({"subject": "CN=evil.example, O=Evil"})),
                certificate(json!({"subject": "CN=evil.example"})),
            ],
        ),
        (
            "[email-message:from_ref.value = 'a@evil.example']",
            vec![
                mail("from_ref", "a@evil.example"),
                mail("from_ref", "aa@evil.example"),
                mail("from_ref", "A@evil.example"),
                mail("to_refs", "a@evil.example"),
            ],
        ),
    ]);
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_ties_observations() {
    let name = |at: i64, value: &str| (at, json!({"0": {"type": "domain-name", "value": value}}));
    let address = |at: i64, value: &str| (at, json!({"0": {"type": "ipv4-addr", "value": value}}));
    let file = |at: i64, value: &str| (at, json!({"0": {"type": "file", "name": value}}));
    let (a, b, c) = ("a.example", "b.example", "c.example");
    let five = |gap: i64, times: i64| (0..times).map(|number| name(gap * number, a)).collect::<Vec<_>>();
    hold(&[
        (
            "([domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']) WITHIN 60 SECONDS",
            vec![
                vec![name(0, a), name(30, b)],
                vec![name(0, a), name(59, b)],
                vec![name(0, a), name(60, b)],
                vec![name(0, a), name(61, b)],
                vec![name(0, b), name(30, a)],
                vec![name(0, a)],
                vec![name(0, b)],
                vec![name(0, a), name(30, a)],
                vec![name(0, a), name(30, c)],
            ],
        ),
        (
            "([domain-name:value = 'a.example'] AND [domain-name:value = 'b.example'] AND [domain-name:value = 'c.example']) WITHIN 60 SECONDS",
            vec![
                vec![name(0, a), name(30, b), name(40, c)],
                vec![name(0, c), name(30, b), name(40, a)],
                vec![name(0, c), name(30, a), name(40, b)],
                vec![name(0, b), name(30, c), name(59, a)],
                vec![name(0, b), name(30, c), name(61, a)],
                vec![name(0, a), name(30, b)],
                vec![name(0, a), name(30, b), name(40, b)],
            ],
        ),
        (
            "([domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example'] FOLLOWEDBY [domain-name:value = 'c.example']) WITHIN 60 SECONDS",
            vec![
                vec![name(0, a), name(20, b), name(40, c)],
                vec![name(0, a), name(40, b), name(60, c)],
                vec![name(0, a), name(40, c), name(50, b)],
                vec![name(0, a), name(20, b), name(61, c)],
                vec![name(0, a), name(20, b)],
            ],
        ),
        (
            "[domain-name:value = 'a.example'] REPEATS 5 TIMES WITHIN 60 SECONDS",
            vec![five(10, 5), five(15, 5), five(16, 5), five(10, 4), five(1, 6)],
        ),
        (
            "[ipv4-addr:value = '198.51.100.7'] FOLLOWEDBY [file:name = 'x.dll'] WITHIN 300 SECONDS",
            vec![
                vec![address(0, "198.51.100.7"), file(30, "x.dll")],
                vec![address(0, "198.51.100.8"), file(30, "x.dll")],
                vec![address(0, "198.51.100.7"), file(30, "y.dll")],
                vec![file(0, "x.dll"), address(30, "198.51.100.7")],
            ],
        ),
        (
            "[ipv4-addr:value = '198.51.100.7'] REPEATS 3 TIMES WITHIN 10 SECONDS",
            vec![
                vec![address(0, "198.51.100.7"), address(2, "198.51.100.7"), address(5, "198.51.100.7")],
                vec![address(0, "198.51.100.7"), address(5, "198.51.100.7")],
                vec![address(0, "198.51.100.7"), address(6, "198.51.100.7"), address(11, "198.51.100.7")],
            ],
        ),
        (
            "[network-traffic:dst_port = 4444 AND network-traffic:protocols[*] = 'tcp'] REPEATS 3 TIMES WITHIN 10 SECONDS",
            {
                let open =
                    |at: i64| (at, json!({"0": {"type": "network-traffic", "dst_port": 4444, "protocols": ["tcp"]}}));
                vec![vec![open(0), open(2), open(10)], vec![open(0), open(2)], vec![open(0), open(6), open(11)]]
            },
        ),
        ("([x509-certificate:serial_number = '5c190a'] FOLLOWEDBY [file:name = 'x.dll']) WITHIN 60 SECONDS", {
            let certificate =
                |at: i64, serial: &str| (at, json!({"0": {"type": "x509-certificate", "serial_number": serial}}));
            vec![
                vec![certificate(0, "5c190a"), file(30, "x.dll")],
                vec![certificate(0, "5c190b"), file(30, "x.dll")],
                vec![file(0, "x.dll"), certificate(30, "5c190a")],
            ]
        }),
    ]);
}
