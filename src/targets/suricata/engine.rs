//! Suricata: the captures are read with the rules, and the times of the alerts tell what they are about.

use std::{collections::BTreeSet, fs, net::IpAddr, path::Path, process::Command};

use rayon::prelude::*;
use serde::Deserialize;

use super::export::{Stretch, TestFolder};
use crate::{
    targets::{
        program::{EngineError, run, run_well},
        proof::{Engine, EngineRun, quiet},
    },
    witness::{capture::cut, index::PatternCases},
};

const OLDEST: u32 = 7;

/// Suricata 7 or later.
pub struct Suricata;

impl Engine for Suricata {
    type Shown = Stretch;

    fn needs(&self) -> &'static str {
        "Suricata 7 or later"
    }

    fn run(&self, folder: &Path, patterns: &[PatternCases<Stretch>]) -> Result<EngineRun, EngineError> {
        let (version, number) = installed()?;
        let alerts: Vec<_> = TestFolder::ALL
            .into_par_iter()
            .map(|test| Ok((test, alerts_of(folder, test, &stretches(patterns, test))?)))
            .collect::<Result<_, EngineError>>()?;
        let fired =
            |pattern: &PatternCases<Stretch>| pattern.cases.iter().map(|case| heard(&alerts, case.shown)).collect();
        let fired = patterns.iter().map(fired).collect();
        Ok(EngineRun { engine: version, fired, quiet: quiet(patterns, number), refused: Vec::new() })
    }
}

/// What Suricata says of its version, and the first number of it.
///
/// # Errors
/// There is none here.
pub fn version() -> Result<(String, u32), EngineError> {
    let version = run(Command::new("suricata").arg("-V"))?;
    let version = String::from_utf8_lossy(&version.stdout);
    let number = major(&version);
    let name = version.trim().trim_start_matches("This is ").trim_end_matches(" RELEASE").replacen(" version ", " ", 1);
    Ok((name, number))
}

/// The same, for a Suricata that takes our rules.
pub(super) fn installed() -> Result<(String, u32), EngineError> {
    let (version, number) = version()?;
    if number < OLDEST {
        return Err(EngineError::Missing(format!("{version}: the rules need Suricata {OLDEST} or later")));
    }
    Ok((version, number))
}

/// The rules that alert in a part of a capture.
fn heard(alerts: &[(TestFolder, Vec<(u64, String)>)], stretch: Stretch) -> BTreeSet<String> {
    let Some((_, all)) = alerts.iter().find(|(test, _)| *test == stretch.test) else { return BTreeSet::new() };
    let first = all.partition_point(|(time, _)| *time < stretch.from);
    all[first..].iter().take_while(|(time, _)| *time < stretch.until).map(|(_, sid)| sid.clone()).collect()
}

/// The parts of a test's capture that patterns are about, by time.
fn stretches(patterns: &[PatternCases<Stretch>], test: TestFolder) -> Vec<(u64, u64)> {
    let cases = patterns.iter().flat_map(|pattern| &pattern.cases).map(|case| case.shown);
    let mut parts: Vec<(u64, u64)> =
        cases.filter(|shown| shown.test == test).map(|shown| (shown.from, shown.until)).collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}

/// The alerts of one test by time, of all rules, in these parts of its capture.
fn alerts_of(folder: &Path, test: TestFolder, parts: &[(u64, u64)]) -> Result<Vec<(u64, String)>, EngineError> {
    let folders = test.names().map(|name| folder.join(name));
    let mut alerts = Vec::new();
    for test in folders.iter().filter(|folder| folder.is_dir()) {
        alerts.extend(alerts_in(test, parts)?);
    }
    alerts.sort();
    Ok(alerts)
}

fn alerts_in(test: &Path, parts: &[(u64, u64)]) -> Result<Vec<(u64, String)>, EngineError> {
    let [configuration, rules, whole] = ["suricata.yaml", "test.rules", "input.pcap"].map(|file| test.join(file));
    // Reading a capture, Suricata passes over rules that it can't load; testing, it does not.
    let log = tempfile::tempdir()?;
    run_well(suricata(&configuration, &rules, log.path()).arg("-T"))?;
    let capture = log.path().join("input.pcap");
    fs::write(&capture, cut(&fs::read(whole)?, parts))?;
    let alerts = alerts(&configuration, &rules, &capture, &["-k", "none"])?;
    Ok(alerts.iter().map(|alert| (alert.time, alert.sid.to_string())).collect())
}

/// Suricata with this configuration, these rules and a folder for its logs.
#[must_use]
pub fn suricata(configuration: &Path, rules: &Path, log: &Path) -> Command {
    let mut command = Command::new("suricata");
    command.arg("-c").arg(configuration).arg("-S").arg(rules).arg("-l").arg(log);
    command
}

/// An alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert {
    /// The number of its rule.
    pub sid: u32,
    /// When it was, in microseconds since 1970-01-01T00:00:00Z.
    pub time: u64,
    /// When the conversation that caused it began.
    pub start: u64,
    /// The end that opened the conversation, also when it is the answer that matched.
    pub client: Option<IpAddr>,
}

/// The alerts of these rules in a capture. Suricata passes over rules that it can't load.
///
/// # Errors
/// Suricata does not read the capture to its end.
pub fn alerts(configuration: &Path, rules: &Path, capture: &Path, more: &[&str]) -> Result<Vec<Alert>, EngineError> {
    // Suricata appends to a log that it finds: each run has a folder of its own.
    let log = tempfile::tempdir()?;
    run_well(suricata(configuration, rules, log.path()).args(more).arg("-r").arg(capture))?;
    Ok(fs::read_to_string(log.path().join("eve.json"))?.lines().filter_map(alert).collect())
}

/// The alert in a line of `eve.json`, if it is one.
fn alert(line: &str) -> Option<Alert> {
    #[derive(Deserialize)]
    struct Event {
        timestamp: String,
        src_ip: Option<IpAddr>,
        alert: Option<Rule>,
        flow: Option<Flow>,
    }
    #[derive(Deserialize)]
    struct Rule {
        signature_id: u32,
    }
    #[derive(Deserialize)]
    struct Flow {
        src_ip: Option<IpAddr>,
        start: Option<String>,
    }
    let micros = |text: &str| {
        let time = jiff::fmt::temporal::DateTimeParser::new().parse_timestamp(text).ok()?;
        u64::try_from(time.as_microsecond()).ok()
    };
    let event: Event = serde_json::from_str(line).ok()?;
    let time = micros(&event.timestamp)?;
    let (start, client) = event.flow.map_or((None, None), |flow| (flow.start, flow.src_ip));
    let start = start.map_or(Some(time), |start| micros(&start))?;
    Some(Alert { sid: event.alert?.signature_id, time, start, client: client.or(event.src_ip) })
}

fn major(version: &str) -> u32 {
    let digits = version.split(|one: char| !(one.is_ascii_digit() || one == '.')).find(|word| word.contains('.'));
    digits.and_then(|word| word.split('.').next()?.parse().ok()).unwrap_or_default()
}
