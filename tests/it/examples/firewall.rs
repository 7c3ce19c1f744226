//! examples/firewall, in a network namespace of its own.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::{Value, json};

use super::{configured, example, search_path};
use crate::support::{
    project::{NOW, Project, bundle, indicator},
    validators::{blocklist::Namespace, run, scratch},
};

/// A machine with the example on it.
struct Firewall {
    project: Project,
    machine: Namespace,
}

impl Firewall {
    fn new() -> Self {
        let project = configured("firewall");
        let mut machine = Namespace::new();
        let settings = [
            ("PATH", search_path(project.path("").as_path())),
            ("STIXC_FIREWALL_CONFIG", project.path("stixc.toml").display().to_string()),
            ("STIXC_FIREWALL_RULES", example("firewall/rules.nft").display().to_string()),
            ("STIXC_FIREWALL_STATE", project.path("state").display().to_string()),
            ("STIXC_FIREWALL_WAIT", "0".to_owned()),
        ];
        for (name, value) in settings {
            machine.must(&format!("export {name}='{value}'"));
        }
        machine.must("ip link set lo up && ip route add default dev lo && ip -6 route add default dev lo");
        Self { project, machine }
    }

    fn feed(&self, objects: &[Value]) {
        self.project.write("intel/feed.json", bundle(objects));
    }

    /// Runs the script: its exit code and what it said.
    fn script(&mut self, arguments: &str) -> (i32, String) {
        self.machine.run(&format!("'{}' {arguments}", example("firewall/stixc-firewall").display()))
    }

    /// Updates the list, at the moment of most builds unless the arguments say another.
    #[track_caller]
    fn update(&mut self, arguments: &str, expected: i32) -> String {
        let now = if arguments.contains("--now") { String::new() } else { format!("--now {NOW}") };
        let (code, said) = self.script(&format!("update {now} {arguments}"));
        assert_eq!(code, expected, "{said}");
        said
    }

    /// The elements of a set of the kernel.
    #[track_caller]
    fn set(&mut self, name: &str) -> BTreeSet<String> {
        let text = self.machine.must(&format!("nft list set inet stixc {name}"));
        let Some((_, rest)) = text.split_once("elements = {") else { return BTreeSet::new() };
        rest.split('}').next().unwrap().split(',').map(|element| element.trim().to_owned()).collect()
    }

    /// Whether a datagram gets out.
    fn reaches(&mut self, address: &str) -> bool {
        self.machine.run(&format!("bash -c 'echo x >/dev/udp/{address}/9'")).0 == 0
    }
}

fn address(number: usize, address: &str) -> Value {
    let kind = if address.contains(':') { "ipv6" } else { "ipv4" };
    indicator(number, &format!("[{kind}-addr:value = '{address}']"))
}

fn until(mut object: Value, time: &str) -> Value {
    object["valid_until"] = json!(time);
    object
}

fn elements(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
#[ignore = "needs nft: tests/run installs it"]
fn nft_firewall_example_changes_its_sets_and_nothing_else() {
    let mut firewall = Firewall::new();
    firewall.machine.must(
        "nft 'add table inet own; add chain inet own output { type filter hook output priority 0; }; \
         add rule inet own output counter'",
    );
    let first = until(address(1, "198.51.100.7"), "2026-07-01T00:00:00Z");
    firewall.feed(&[
        first.clone(),
        address(2, "198.51.100.64/28"),
        address(3, "203.0.113.9"),
        address(4, "2001:db8::7"),
    ]);
    firewall.update("", 0);
    assert_eq!(firewall.set("ipv4"), elements(&["198.51.100.7", "198.51.100.64/28", "203.0.113.9"]));
    assert_eq!(firewall.set("ipv6"), elements(&["2001:db8::7"]));
    for refused in ["198.51.100.7", "198.51.100.70", "203.0.113.9", "2001:db8::7"] {
        assert!(!firewall.reaches(refused), "{refused}");
    }
    assert!(firewall.reaches("198.51.100.8"));
    let tables = ["inet own", "inet stixc"].map(|table| format!("nft --terse list table {table}"));
    let before = tables.each_ref().map(|list| firewall.machine.must(list));
    assert!(before[1].contains("counter packets 3"), "{}", before[1]);

    // One expires, one is taken back, one comes.
    let mut revoked = address(3, "203.0.113.9");
    revoked["modified"] = json!("2026-06-02T00:00:00Z");
    revoked["revoked"] = json!(true);
    firewall.feed(&[
        first,
        address(2, "198.51.100.64/28"),
        revoked,
        address(4, "2001:db8::7"),
        address(5, "203.0.113.5"),
    ]);
    firewall.update("--now 2026-08-01T00:00:00Z", 0);
    assert_eq!(firewall.set("ipv4"), elements(&["198.51.100.64/28", "203.0.113.5"]));
    assert_eq!(tables.map(|list| firewall.machine.must(&list)), before, "rules and counters");
    assert!(firewall.reaches("198.51.100.7") && firewall.reaches("203.0.113.9"));
    assert!(!firewall.reaches("203.0.113.5"));
}

#[test]
#[ignore = "needs nft: tests/run installs it"]
fn nft_firewall_example_keeps_the_last_good_list() {
    let mut firewall = Firewall::new();
    let many: Vec<Value> = (1..=40).map(|number| address(number, &format!("198.51.100.{}", 2 * number))).collect();
    firewall.feed(&many);
    firewall.update("", 0);
    let loaded = firewall.set("ipv4");
    assert_eq!(loaded.len(), 40);
    let good = firewall.project.read("state/good.nft");

    // A safety stop: half of a year later all but a few are too old.
    let young = |number| until(address(number, &format!("198.51.100.{}", 2 * number)), "2030-01-01T00:00:00Z");
    firewall.feed(&many.iter().take(35).cloned().chain((36..=40).map(young)).collect::<Vec<_>>());
    let said = firewall.update("--now 2027-06-01T00:00:00Z", 5);
    assert!(said.contains("from 40 to 5") && said.contains("stixc ended with 5"), "{said}");
    assert_eq!(firewall.set("ipv4"), loaded);

    // A list that nft does not take. The next boot loads the last good one all the same.
    let config = firewall.project.read("stixc.toml");
    firewall.project.write("stixc.toml", format!("templates = \"templates\"\n{config}"));
    let template = fs::read_to_string(crate::support::validators::project("templates/blocklist/nftables.hbs")).unwrap();
    firewall.project.write("templates/blocklist/nftables.hbs", template.replace("type ipv6_addr", "type no_such_type"));
    let said = firewall.update("", 6);
    assert!(said.contains("no_such_type") && said.contains("nft refuses the new list"), "{said}");
    assert_eq!((firewall.set("ipv4"), firewall.project.read("state/good.nft")), (loaded.clone(), good.clone()));
    firewall.project.write("stixc.toml", &config);

    // No feed that could ever be read, and a configuration that is none.
    let nothing = config.replace("state/", "other/").replace("\"intel\"", "\"nowhere\"");
    firewall.project.write("stixc.toml", nothing);
    assert!(firewall.update("", 3).contains("stixc ended with 3"));
    firewall.project.write("stixc.toml", "nonsense");
    firewall.update("", 2);
    assert_eq!((firewall.set("ipv4"), firewall.project.read("state/good.nft")), (loaded, good));
}

#[test]
#[ignore = "needs nft: tests/run installs it"]
fn nft_firewall_example_loads_what_a_stale_feed_said_before() {
    let mut firewall = Firewall::new();
    firewall.feed(&[address(1, "198.51.100.7")]);
    firewall.update("", 0);
    firewall.feed(&[
        address(1, "198.51.100.7"),
        json!({"type": "indicator", "id": "indicator--x"}),
        address(2, "198.51.100.8"),
    ]);
    let said = firewall.update("", 4);
    assert!(said.contains("a feed is stale"), "{said}");
    assert_eq!(firewall.set("ipv4"), elements(&["198.51.100.7", "198.51.100.8"]));
}

#[test]
#[ignore = "needs nft: tests/run installs it"]
fn nft_firewall_example_outlives_a_reboot() {
    let mut firewall = Firewall::new();
    let (code, said) = firewall.script("restore");
    assert!(code == 0 && said.contains("there is no list yet"), "{said}");
    firewall.feed(&[address(1, "198.51.100.7"), address(2, "2001:db8::7")]);
    firewall.update("", 0);
    let before = firewall.machine.must("nft list ruleset");
    firewall.machine.must("nft flush ruleset");
    assert!(firewall.reaches("198.51.100.7"));
    let (code, said) = firewall.script("restore");
    assert_eq!(code, 0, "{said}");
    assert_eq!(firewall.machine.must("nft list ruleset"), before);
    assert!(!firewall.reaches("198.51.100.7"));
}

#[test]
#[ignore = "needs nft: tests/run installs it"]
fn nft_firewall_example_runs_once_at_a_time() {
    let mut firewall = Firewall::new();
    firewall.feed(&[address(1, "198.51.100.7")]);
    firewall.machine.must("mkdir -p \"$STIXC_FIREWALL_STATE\" && exec 8>\"$STIXC_FIREWALL_STATE/lock\" && flock 8");
    let said = firewall.update("", 75);
    assert!(said.contains("another run holds the lock"), "{said}");
    firewall.machine.must("exec 8>&-");
    firewall.update("", 0);
    assert_eq!(firewall.script("").0, 2);
}

#[test]
#[ignore = "needs systemd-analyze"]
fn systemd_firewall_example_has_units_that_are_understood() {
    let folder = scratch();
    let script = example("firewall/stixc-firewall");
    let names = ["stixc-firewall.service", "stixc-firewall.timer", "stixc-firewall-restore.service"];
    let units = names.map(|name| {
        let text = fs::read_to_string(example("firewall").join(name)).unwrap();
        let path = folder.path().join(name);
        fs::write(&path, text.replace("/usr/local/sbin/stixc-firewall", script.to_str().unwrap())).unwrap();
        path
    });
    let outcome = run(Command::new("systemd-analyze").args(["verify", "--man=no"]).args(units));
    outcome.assert_accepted();
    // What it does not understand, it only warns of.
    assert!(!outcome.errors.contains("stixc-firewall"), "{}", outcome.errors);
}
