//! Suricata 7: does a file of rules load, and what does it alert on in a capture?

use std::{collections::BTreeSet, fs, net::IpAddr, path::Path, process::Command};

use serde::Deserialize;

use super::{Outcome, file, project, run, scratch};

/// One alert: which rule, and the client whose conversation caused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alert {
    /// The rule's `sid`.
    pub sid: u32,
    /// The end that opened the conversation, also when it is the answer that matched.
    pub client: IpAddr,
}

/// Loads the rules, as `suricata -T` does. Files that the rules name are looked for beside the rules' file.
///
/// A warning is a refusal: Suricata warns of a rule that it loads and that means something else.
#[track_caller]
pub fn check(rules: &Path) -> Outcome {
    let log = scratch();
    let mut outcome = run(suricata(rules, log.path()).arg("-T"));
    // The form of these lines is set in the configuration; notices go to standard output, and warnings with them.
    outcome.accepted &= !outcome.output.lines().any(|line| line.starts_with("Warning: "));
    outcome
}

/// The alerts of these rules in a capture (the bytes of a pcap file), each once.
///
/// The rules are loaded with [`check`] first: reading a capture, Suricata skips a rule that it can't load.
#[track_caller]
pub fn alerts(rules: &Path, capture: &[u8]) -> BTreeSet<Alert> {
    check(rules).assert_accepted();
    let alert = |event: &Event| {
        let client = event.flow.as_ref().and_then(|flow| flow.src_ip).or(event.src_ip)?;
        Some(Alert { sid: event.sid()?, client })
    };
    events(rules, capture).iter().filter_map(alert).collect()
}

/// The rule of each alert in a capture, and when the conversation that caused it began, in microseconds since 1970.
///
/// The rules are to be loaded with [`check`] first.
#[track_caller]
pub fn alarms(rules: &Path, capture: &[u8]) -> BTreeSet<(u32, u64)> {
    let alarm = |event: &Event| {
        let time = event.flow.as_ref().and_then(|flow| flow.start.as_deref()).or(event.timestamp.as_deref())?;
        let time = jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", time).expect("a time of Suricata's");
        Some((event.sid()?, u64::try_from(time.as_microsecond()).expect("a time since 1970")))
    };
    events(rules, capture).iter().filter_map(alarm).collect()
}

/// What Suricata logs of a capture.
#[track_caller]
fn events(rules: &Path, capture: &[u8]) -> Vec<Event> {
    // Suricata appends to a log that it finds: each run has a folder of its own.
    let log = scratch();
    let capture = file(&log, "witness.pcap", capture);
    run(suricata(rules, log.path()).arg("-r").arg(capture)).assert_accepted();
    let events = fs::read_to_string(log.path().join("eve.json")).expect("Suricata's log");
    events.lines().map(|line| serde_json::from_str(line).expect("a line of Suricata's log")).collect()
}

fn suricata(rules: &Path, log: &Path) -> Command {
    let mut command = Command::new("suricata");
    command.arg("-c").arg(project("templates/suricata/verify.yaml")).arg("-S").arg(rules).arg("-l").arg(log);
    command
}

/// A line of `eve.json`.
#[derive(Deserialize)]
struct Event {
    timestamp: Option<String>,
    src_ip: Option<IpAddr>,
    alert: Option<Rule>,
    flow: Option<Flow>,
}

#[derive(Deserialize)]
struct Rule {
    signature_id: u32,
}

/// The conversation that a packet belongs to.
#[derive(Deserialize)]
struct Flow {
    src_ip: Option<IpAddr>,
    start: Option<String>,
}

impl Event {
    /// The rule that alerted, where it is an alert.
    fn sid(&self) -> Option<u32> {
        self.alert.as_ref().map(|rule| rule.signature_id)
    }
}
