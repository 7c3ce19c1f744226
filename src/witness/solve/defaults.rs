//! Default values for properties that the pattern leaves open: both ends of a connection, the image of a process, the name of a file.
//!
//! An engine has to be shown something whole. What is added here never decides whether a test holds.

use serde_json::{Value as Json, json};

use super::{
    kind::Kind,
    object_graph::ObjectGraph,
    path::{Path, Step},
    test_eval::TestEval,
};
use crate::{
    evaluate::Map,
    plan::{Plan, Test},
    witness::Objects,
};

/// How many tests of other alternatives are looked at.
const OTHERS: usize = 64;

/// When something comes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    /// Where this is there.
    With(&'static str),
    /// Where this is not there.
    Without(&'static str),
}

const HTTP: &str = "network-traffic:extensions.'http-request-ext'";
const ICMP: &str = "network-traffic:extensions.'icmp-ext'";

/// What comes along with the objects of a type, with values to choose from.
fn usual(object_type: &str) -> Vec<(&'static str, When, Json)> {
    use When::{Always, With, Without};
    match object_type {
        "network-traffic" => vec![
            (
                "network-traffic:src_ref.value",
                Always,
                json!(["192.0.2.250", "198.51.100.251", "2001:db8::250", "client.example"]),
            ),
            (
                "network-traffic:dst_ref.value",
                Always,
                json!(["203.0.113.250", "192.0.2.251", "2001:db8::251", "server.example"]),
            ),
            ("network-traffic:protocols", With(ICMP), json!([["icmp"], ["ipv4", "icmp"]])),
            ("network-traffic:protocols", With(HTTP), json!([["tcp", "http"], ["ipv4", "tcp", "http"], ["tcp"]])),
            ("network-traffic:protocols", Always, json!([["tcp"], ["ipv4", "tcp"], ["udp"], ["ipv4", "udp"]])),
            ("network-traffic:src_port", Without(ICMP), json!([49_152, 50_123, 7])),
            ("network-traffic:dst_port", With(HTTP), json!([80, 8080, 8000])),
            ("network-traffic:dst_port", Without(ICMP), json!([9443, 9080, 7443])),
            ("network-traffic:extensions.'http-request-ext'.request_method", With(HTTP), json!(["GET", "POST", "PUT"])),
            (
                "network-traffic:extensions.'http-request-ext'.request_value",
                With(HTTP),
                json!(["/other/page", "/third"]),
            ),
            (
                "network-traffic:extensions.'http-request-ext'.request_version",
                With(HTTP),
                json!(["http/1.1", "http/1.0"]),
            ),
            (
                "network-traffic:extensions.'http-request-ext'.request_header.Host",
                With(HTTP),
                json!(["www.other.example", "www.third.test"]),
            ),
        ],
        "process" => vec![
            ("process:command_line", Always, json!(["other.exe --run", "third.exe --go"])),
            ("process:image_ref.name", Always, json!(["other.exe", "third.exe"])),
            ("process:image_ref.parent_directory_ref.path", Always, json!(["C:\\Data", "D:\\Third"])),
            ("process:pid", Always, json!([4711, 4712])),
        ],
        "file" => vec![
            ("file:name", Always, json!(["other.bin", "third.dat"])),
            ("file:parent_directory_ref.path", Always, json!(["C:\\Data", "D:\\Third"])),
        ],
        "windows-registry-key" => vec![
            (
                "windows-registry-key:key",
                Always,
                json!(["HKEY_LOCAL_MACHINE\\Software\\Other", "HKEY_LOCAL_MACHINE\\Software\\Third"]),
            ),
            ("windows-registry-key:values[*].name", With("windows-registry-key:values"), json!(["Other", "Third"])),
            (
                "windows-registry-key:values[*].data",
                With("windows-registry-key:values"),
                json!(["other data", "third"]),
            ),
        ],
        "email-message" => vec![
            ("email-message:from_ref.value", Always, json!(["someone@host.example", "third@host.example"])),
            ("email-message:to_refs[*].value", Always, json!(["recipient@host.example", "fourth@host.example"])),
            ("email-message:subject", Always, json!(["Other subject", "Third subject"])),
        ],
        "x509-certificate" => vec![
            (
                "x509-certificate:serial_number",
                Without("x509-certificate:hashes"),
                json!(["1a:2b:3c:4d", "4d:3c:2b:1a"]),
            ),
            ("x509-certificate:issuer", Without("x509-certificate:hashes"), json!(["CN=Other CA", "CN=Third CA"])),
            (
                "x509-certificate:subject",
                Without("x509-certificate:hashes"),
                json!(["CN=other.example", "CN=third.example"]),
            ),
        ],
        "user-account" => vec![
            ("user-account:account_login", Always, json!(["other", "third"])),
            ("user-account:user_id", Always, json!(["1007", "1008"])),
        ],
        "directory" => vec![("directory:path", Always, json!(["C:\\Data", "D:\\Third"]))],
        "domain-name" => vec![("domain-name:value", Always, json!(["host.example", "other.test"]))],
        "ipv4-addr" => vec![("ipv4-addr:value", Always, json!(["192.0.2.250", "198.51.100.251"]))],
        "ipv6-addr" => vec![("ipv6-addr:value", Always, json!(["2001:db8::250", "2001:db8::251"]))],
        "email-addr" => vec![("email-addr:value", Always, json!(["someone@host.example", "third@host.example"]))],
        "url" => vec![("url:value", Always, json!(["http://host.example/page", "http://other.test/"]))],
        "mutex" => vec![("mutex:name", Always, json!(["other", "third"]))],
        "software" => vec![("software:name", Always, json!(["Other", "Third"]))],
        "autonomous-system" => vec![("autonomous-system:number", Always, json!([64_500, 64_501]))],
        _ => Vec::new(),
    }
}

/// A property that comes along, with values to choose from.
struct DefaultValue<'p> {
    path: Path,
    /// Whether it needs something else, or is kept away by it.
    with: Option<(Path, bool)>,
    values: Vec<Json>,
    /// The tests of the plan that look at it.
    others: Vec<&'p Test>,
}

/// What comes along with the objects of a plan.
pub(super) struct Defaults<'p>(Vec<DefaultValue<'p>>);

impl<'p> Defaults<'p> {
    /// What comes along with the types of objects that the plan asks for.
    pub fn new(plan: &'p Plan) -> Self {
        let tests: Vec<&Test> = plan.tests().collect();
        let mut types: Vec<&str> = tests.iter().map(|test| test.property.object_type()).collect();
        types.sort_unstable();
        types.dedup();
        let known = types.iter().take(OTHERS).flat_map(|object_type| usual(object_type));
        let mut all: Vec<DefaultValue<'p>> = known
            .filter_map(|(path, when, values)| {
                let with = match when {
                    When::Always => None,
                    When::With(path) => Some((Path::read(path)?, true)),
                    When::Without(path) => Some((Path::read(path)?, false)),
                };
                let values = values.as_array().cloned().unwrap_or_default();
                Some(DefaultValue { path: Path::read(path)?, with, values, others: Vec::new() })
            })
            .collect();
        // What an alternative wants to be absent is there in all others.
        for test in tests.iter().filter(|test| test.is_absence()).take(OTHERS) {
            if let Some(path) = Path::read(&test.property.path) {
                let values = Kind::of(&path, &[]).usual();
                all.push(DefaultValue { path, with: None, values, others: Vec::new() });
            }
        }
        for test in tests {
            // Only a few properties come along, and they begin with few keys.
            let begins = |one: &DefaultValue<'_>| match one.path.steps.first() {
                Some(Step::Key(key)) => test.property.path.contains(key.as_str()),
                _ => false,
            };
            if !all.iter().any(|one| one.others.len() < OTHERS && begins(one)) {
                continue;
            }
            let Some(path) = Path::read(&test.property.path) else { continue };
            for one in all.iter_mut().filter(|one| one.others.len() < OTHERS && one.path.touches(&path)) {
                one.others.push(test);
            }
        }
        Self(all)
    }

    /// Adds what is missing. What the pattern asks for, of which `own` are the paths, stays as it is, also where it is
    /// absent. In a near miss, what any value of would satisfy another alternative is left out.
    pub fn fill(&self, mut graph: ObjectGraph, object_type: &str, own: &[&Path], is_miss: bool) -> Objects {
        for one in self.0.iter().filter(|one| one.path.object_type == object_type) {
            let is_due = one.with.as_ref().is_none_or(|(path, wanted)| graph.has(path) == *wanted);
            let is_kept_away = || own.iter().any(|path| path.touches(&one.path) && !graph.has(path));
            if is_due && !graph.has(&one.path) && !is_kept_away() {
                one.join(&mut graph, is_miss);
            }
        }
        graph.finish()
    }
}

impl DefaultValue<'_> {
    /// Takes the first value for which no test of another alternative holds, or as few as can be.
    fn join(&self, graph: &mut ObjectGraph, is_miss: bool) {
        let suitable = || self.values.iter().filter(|value| graph.takes(&self.path, value));
        let evals: Vec<TestEval> = self.others.iter().filter_map(|test| TestEval::new(test)).collect();
        let held = |value: &Json| {
            let mut trial = graph.clone();
            trial.place(&self.path.at(0), None, value);
            let objects = Map::from_json(&trial.finish());
            evals.iter().filter(|eval| eval.holds(&objects)).count()
        };
        // Where each value satisfies some test, the one that satisfies the fewest leaves most others unsatisfied.
        let quietest = if evals.is_empty() {
            suitable().next().map(|value| (0, value))
        } else {
            // Some worlds ignore letter case: of two values that satisfy as few tests, the one that does so in capitals, too.
            let in_any_case = |value: &Json| match value.as_str() {
                Some(text) => held(&text.to_lowercase().into()) + held(&text.to_uppercase().into()),
                None => 0,
            };
            suitable().map(|value| (held(value), value)).min_by_key(|(held, value)| (*held, in_any_case(value)))
        };
        if let Some((_, value)) = quietest.filter(|(held, _)| *held == 0 || !is_miss) {
            let value = value.clone();
            graph.place(&self.path.at(0), None, &value);
        }
    }
}
