//! examples/sensor, with a Suricata of its own.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{configured, example, search_path};
use crate::support::{
    program::{code, errors},
    project::{NOW, Project, bundle, domain},
    validators::run,
};

/// How long Suricata may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// A machine with the example on it.
struct Sensor(Project);

impl Sensor {
    fn new() -> Self {
        let sensor = Self(configured("sensor"));
        sensor.0.write("own.rules", "alert tcp any any -> any 4444 (msg:\"own\"; sid:1;)\n");
        let rules = [sensor.0.path("own.rules"), sensor.0.path("state/current/*.rules")];
        sensor.reads(&rules.map(|path| path.display().to_string()));
        sensor
    }

    /// Writes a suricata.yaml that reads these rules.
    fn reads(&self, rules: &[String]) {
        let base = fs::read_to_string(crate::support::validators::project("templates/suricata/verify.yaml")).unwrap();
        let own = format!(
            "default-rule-path: {}\nrule-files: {}\nunix-command:\n  enabled: yes\n  filename: {}\n",
            self.0.path("").display(),
            json!(rules),
            self.socket().display()
        );
        self.0.write("suricata.yaml", format!("{base}\n{own}"));
        self.0.write(
            "files.yaml",
            fs::read(crate::support::validators::project("templates/suricata/files.yaml")).unwrap(),
        );
    }

    fn socket(&self) -> PathBuf {
        self.0.path("command.socket")
    }

    fn feed(&self, objects: &[Value]) {
        self.0.write("intel/feed.json", bundle(objects));
    }

    /// Runs the script.
    fn script(&self) -> Output {
        let mut command = Command::new(example("sensor/stixc-sensor"));
        command.args(["--now", NOW]).env("PATH", search_path(&self.0.path(""))).env("STIXC_SENSOR_WAIT", "0");
        command.env("STIXC_SENSOR_CONFIG", self.0.path("stixc.toml"));
        command.env("STIXC_SENSOR_STATE", self.0.path("state"));
        command.env("SURICATA_YAML", self.0.path("suricata.yaml")).env("SURICATA_SOCKET", self.socket());
        command.output().unwrap()
    }

    #[track_caller]
    fn update(&self, expected: i32) -> String {
        let output = self.script();
        assert_eq!(code(&output), expected, "{}", errors(&output));
        errors(&output)
    }

    /// The installed release and its rules.
    fn installed(&self) -> (PathBuf, String) {
        let current = self.0.path("state/current");
        (fs::read_link(&current).unwrap(), fs::read_to_string(current.join("stixc.rules")).unwrap())
    }

    /// A capture in which every rule of these indicators fires.
    fn capture(&self, objects: &[Value]) -> PathBuf {
        self.0.write("all.json", bundle(objects));
        let convert = ["convert", "all.json", "-t", "suricata", "--now", NOW, "-o", "shown", "--witness", "witness"];
        let output = self.0.stixc(&convert);
        assert_eq!(code(&output), 0, "{}", errors(&output));
        self.0.path("witness/suricata/fires/input.pcap")
    }

    /// The rules that alert on a capture, as Suricata is set up.
    fn alerts(&self, capture: &Path) -> BTreeSet<u64> {
        let log = crate::support::validators::scratch();
        let mut command = Command::new("suricata");
        command.arg("-c").arg(self.0.path("suricata.yaml")).arg("-r").arg(capture).arg("-l").arg(log.path());
        run(&mut command).assert_accepted();
        alerts(&log.path().join("eve.json"))
    }
}

/// The rules that alert in a log of Suricata.
fn alerts(log: &Path) -> BTreeSet<u64> {
    let events = fs::read_to_string(log).unwrap_or_default();
    let whole = events.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    whole.filter_map(|event| event["alert"]["signature_id"].as_u64()).collect()
}

/// The numbers of rules.
fn sids(rules: &str) -> BTreeSet<u64> {
    let number = |rest: &str| rest.split(';').next().unwrap().parse().unwrap();
    rules.lines().filter_map(|rule| rule.split_once("; sid:")).map(|(_, rest)| number(rest)).collect()
}

/// A Suricata that waits for captures at its socket, until this goes.
struct Daemon<'a> {
    sensor: &'a Sensor,
    process: Child,
}

impl<'a> Daemon<'a> {
    fn start(sensor: &'a Sensor, options: &[&str]) -> Self {
        let mut command = Command::new("suricata");
        command.arg("-c").arg(sensor.0.path("suricata.yaml")).arg("-l").arg(sensor.0.path(""));
        command.arg(format!("--unix-socket={}", sensor.socket().display())).args(options).stdin(Stdio::null());
        let said = File::create(sensor.0.path("said")).unwrap();
        // A socket that an earlier one has left would be in its way.
        _ = fs::remove_file(sensor.socket());
        let process = command.stdout(said.try_clone().unwrap()).stderr(said).spawn().unwrap();
        let daemon = Self { sensor, process };
        daemon.wait_for("a socket", || daemon.tell("uptime").accepted);
        daemon
    }

    fn tell(&self, command: &str) -> crate::support::validators::Outcome {
        run(Command::new("suricatasc").args(["-c", command]).arg(self.sensor.socket()))
    }

    #[track_caller]
    fn wait_for(&self, what: &str, mut happened: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !happened() {
            assert!(begun.elapsed() < PATIENCE, "no {what}: {}", self.sensor.0.read("said"));
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The rules that alert on a capture.
    #[track_caller]
    fn alerts(&self, capture: &Path, name: &str) -> BTreeSet<u64> {
        let log = self.sensor.0.path(name);
        fs::create_dir_all(&log).unwrap();
        let read = || self.sensor.0.read("said").matches("read 1 file,").count();
        let before = read();
        self.tell(&format!("pcap-file {} {}", capture.display(), log.display())).assert_accepted();
        self.wait_for("end of the capture", || read() > before);
        alerts(&log.join("eve.json"))
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// What the feeds of these tests say: names, an address, a URL, and a hash.
fn indicators() -> Vec<Value> {
    let others = ["[ipv4-addr:value = '198.51.100.7']", "[url:value = 'http://host-9.example/gate?id=1']"];
    let others =
        others.iter().enumerate().map(|(number, pattern)| crate::support::project::indicator(10 + number, pattern));
    (1..=3).map(domain).chain(others).collect()
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_sensor_example_installs_rules_that_fire() {
    let sensor = Sensor::new();
    // The capture shows none of it, but its list must be found.
    let hash = crate::support::project::indicator(20, &format!("[file:hashes.'SHA-256' = '{}']", "e".repeat(64)));
    let feed = |count| sensor.feed(&[&indicators()[..count], std::slice::from_ref(&hash)].concat());
    feed(5);
    let said = sensor.update(0);
    assert!(said.contains("it reads the new rules when it starts"), "{said}");
    let (release, rules) = sensor.installed();
    let capture = sensor.capture(&indicators());
    let shown = sids(&sensor.0.read("shown/suricata/stixc.rules"));
    assert!(shown.len() > 5 && shown.is_subset(&sids(&rules)), "{rules}");
    assert_eq!(sensor.alerts(&capture), shown);

    // Nothing is new: nothing is tested or swapped.
    assert_eq!(sensor.update(0), "");
    // Two changes later the first release is gone, and the one before the current is there.
    feed(4);
    sensor.update(0);
    assert!(sensor.0.path("state").join(&release).exists());
    feed(3);
    sensor.update(0);
    assert!(!sensor.0.path("state").join(&release).exists());
    assert_eq!(fs::read_dir(sensor.0.path("state/releases")).unwrap().count(), 2);
    let (_, rules) = sensor.installed();
    let fewer: BTreeSet<u64> = sids(&rules).intersection(&shown).copied().collect();
    assert_eq!(sensor.alerts(&capture), fewer);
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_sensor_example_keeps_the_rules_that_were_good() {
    let sensor = Sensor::new();
    let own = sensor.0.read("own.rules");
    let config = sensor.0.read("stixc.toml");

    // The very first rules are refused: there are none.
    sensor.0.write("own.rules", format!("{own}alert nothing\n"));
    sensor.feed(&indicators()[..2]);
    let said = sensor.update(6);
    assert!(said.contains("alert nothing") && said.contains("Suricata refuses the new rules"), "{said}");
    assert!(fs::symlink_metadata(sensor.0.path("state/current")).is_err());
    sensor.0.write("own.rules", &own);
    sensor.update(0);
    let good = sensor.installed();

    // The sensor's own rules are broken, then those of a template of one's own.
    sensor.feed(&indicators());
    sensor.0.write("own.rules", format!("{own}alert nothing\n"));
    sensor.update(6);
    assert_eq!(sensor.installed(), good);
    sensor.0.write("own.rules", &own);
    sensor.0.write("stixc.toml", format!("templates = \"templates\"\n{config}"));
    let template = fs::read_to_string(crate::support::validators::project("templates/suricata/rules.hbs")).unwrap();
    assert!(template.contains("(msg:"));
    sensor.0.write("templates/suricata/rules.hbs", template.replace("(msg:", "(no_such_keyword; msg:"));
    let said = sensor.update(6);
    assert!(said.contains("no_such_keyword"), "{said}");
    assert_eq!(sensor.installed(), good);

    // A configuration that is none, and a safety stop.
    sensor.0.write("stixc.toml", "nonsense");
    sensor.update(2);
    sensor.0.write("stixc.toml", &config);
    sensor.update(0);
    let good = sensor.installed();
    sensor.feed(&[]);
    let said = sensor.update(4);
    assert!(said.contains("a feed is stale"), "{said}");
    assert_eq!(sensor.installed(), good);
    let mut all = indicators();
    all.iter_mut().for_each(|object| object["valid_until"] = json!("2026-02-01T00:00:00Z"));
    sensor.feed(&all);
    sensor.update(5);
    assert_eq!(sensor.installed(), good);
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_sensor_example_tells_a_running_suricata() {
    let sensor = Sensor::new();
    sensor.feed(&indicators()[..1]);
    sensor.update(0);
    let (_, first) = sensor.installed();
    let capture = sensor.capture(&indicators());
    let daemon = Daemon::start(&sensor, &[]);
    assert_eq!(daemon.alerts(&capture, "one"), sids(&first));

    sensor.feed(&indicators());
    let said = sensor.update(0);
    assert!(said.contains("\"return\": \"OK\""), "{said}");
    assert_eq!(sensor.0.read("said").matches("rule reload complete").count(), 1);
    let (_, second) = sensor.installed();
    assert!(sids(&first).is_subset(&sids(&second)), "numbers that moved");
    assert_eq!(daemon.alerts(&capture, "two"), sids(&second));

    // One that can't reload, for its rules were named on its command line: the next run tries again.
    drop(daemon);
    let daemon = Daemon::start(&sensor, &["-S", sensor.0.path("own.rules").to_str().unwrap()]);
    let loaded = sensor.0.read("state/loaded");
    sensor.feed(&indicators()[..4]);
    let said = sensor.update(75);
    assert!(said.contains("-S option") && said.contains("the next run tries again"), "{said}");
    assert_eq!(sensor.0.read("state/loaded"), loaded);
    drop(daemon);
    let daemon = Daemon::start(&sensor, &[]);
    sensor.update(0);
    assert_ne!(sensor.0.read("state/loaded"), loaded);
    let (_, third) = sensor.installed();
    assert_eq!(daemon.alerts(&capture, "three"), sids(&third));

    // One that has ended and left its socket.
    drop(daemon);
    assert!(sensor.socket().exists());
    sensor.feed(&indicators()[..3]);
    let said = sensor.update(0);
    assert!(said.contains("no Suricata answers"), "{said}");
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_sensor_example_says_when_its_rules_are_not_read() {
    let sensor = Sensor::new();
    sensor.feed(&indicators());
    sensor.reads(&[sensor.0.path("own.rules").display().to_string()]);
    let said = sensor.update(2);
    assert!(said.contains("to rule-files"), "{said}");
    assert!(!sensor.0.path("state/out").exists());
}
