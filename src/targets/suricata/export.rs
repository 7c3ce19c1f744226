//! Two tests of suricata-verify: `fires`, in which each rule alerts, and `silent`, in which none does that may not.

use std::{fmt::Write as _, net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    WINDOW, hashes,
    show::{PcapLog, Session, complete, show},
};
use crate::{
    plan::{End, Observation, Plan},
    targets::proof::{Exporter, File, Tested},
    witness::{
        Object, Sighting, TestPattern, Witness,
        index::{PatternCases, Verdict},
        urls::respelled,
    },
};

/// The configuration of the tests, and the part of it that says which hashes are computed: those of Suricata by itself.
pub(super) const CONFIGURATION: [(&str, &str); 2] = [
    ("suricata.yaml", include_str!("../../../templates/suricata/verify.yaml")),
    (FILES, include_str!("../../../templates/suricata/files.yaml")),
];
const FILES: &str = "files.yaml";

/// One of the two tests, by the name of its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestFolder {
    /// Each rule alerts.
    Fires,
    /// None does that may not.
    Silent,
}

impl TestFolder {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Fires, Self::Silent];

    /// The folder of the rules that Suricata runs as it is installed, and of those that need all kinds of hashes.
    #[must_use]
    pub fn names(self) -> [&'static str; 2] {
        match self {
            Self::Fires => ["fires", "fires-hashes"],
            Self::Silent => ["silent", "silent-hashes"],
        }
    }
}

/// A part of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Of which test.
    pub test: TestFolder,
    /// Its first moment, in microseconds since 1970-01-01T00:00:00Z.
    pub from: u64,
    /// The first moment behind it.
    pub until: u64,
}

/// Exports the captures of both tests.
#[derive(Debug, Default)]
pub struct Captures {
    fires: PcapLog,
    silent: PcapLog,
}

impl Captures {
    fn log(&mut self, test: TestFolder) -> &mut PcapLog {
        match test {
            TestFolder::Fires => &mut self.fires,
            TestFolder::Silent => &mut self.silent,
        }
    }
}

impl Exporter for Captures {
    type Shown = Stretch;

    /// A session is told by its number until the capture is done: only then is it known when the next one begins.
    fn cases(&mut self, pattern: &TestPattern, witness: &Witness) -> Vec<(bool, Stretch)> {
        let known = &pattern.known.files;
        let Some(mut sessions) = show(&witness.sightings, known) else { return Vec::new() };
        for client in free_clients(&pattern.known.plan, &witness.sightings) {
            sessions.iter_mut().for_each(|session| session.free(client));
        }
        // The wire has one spelling of methods, versions and names, whatever an observer writes down.
        let spellings: [&dyn Fn(&str) -> String; 3] =
            [&str::to_owned, &str::to_ascii_lowercase, &str::to_ascii_uppercase];
        let is_the_same = |spell: &&dyn Fn(&str) -> String| {
            pattern.matches(&complete(&witness.sightings, known, *spell)) == Some(true)
        };
        let is_respelled =
            || respelled(&witness.sightings, &pattern.known.plan).iter().any(|one| pattern.matches(one) == Some(true));
        if !witness.matches && (spellings.iter().any(is_the_same) || is_respelled()) {
            // The same traffic is that of sightings which the pattern matches.
            return Vec::new();
        }
        let test = if witness.matches { TestFolder::Fires } else { TestFolder::Silent };
        // What is remembered helps a rule to fire, and an old bit of an address is not set anew before it was asked for.
        let pause = match (test, witness.sightings.len()) {
            (TestFolder::Fires, 2..) => Duration::ZERO,
            _ => memory(&pattern.known.plan.observation),
        };
        let log = self.log(test);
        let stretch = |session: &Session| {
            let appended = log.append(session, pause);
            let number = appended.number as u64;
            // What does not go over the wire as a whole is not shown.
            (appended.conversations == session.len())
                .then_some((witness.matches, Stretch { test, from: number, until: number }))
        };
        sessions.iter().filter_map(stretch).collect()
    }

    fn files(mut self, _tested: &[Tested<'_>], patterns: &mut [PatternCases<Stretch>], written: &[File]) -> Vec<File> {
        for case in patterns.iter_mut().flat_map(|pattern| &mut pattern.cases) {
            let Stretch { test, from, .. } = case.shown;
            (case.shown.from, case.shown.until) = self.log(test).span(from as usize);
        }
        let mut files = Vec::new();
        let is_apart = |file: &&File| [hashes::MD5, hashes::SHA1].map(hashes::below).contains(&file.path.as_str());
        let apart: Vec<u8> = written.iter().filter(is_apart).flat_map(|file| file.bytes.clone()).collect();
        for (test, needs_hashes) in TestFolder::ALL.into_iter().flat_map(|test| [(test, false), (test, true)]) {
            let folder = test.names()[usize::from(needs_hashes)];
            let file = |name: &str, bytes: &[u8]| File { path: format!("{folder}/{name}"), bytes: bytes.to_vec() };
            if needs_hashes && apart.is_empty() {
                continue;
            }
            files.push(file("input.pcap", self.log(test).bytes()));
            files.push(file("test.yaml", description(test, needs_hashes, patterns).as_bytes()));
            for (name, text) in CONFIGURATION {
                let text = if needs_hashes && name == FILES { hashes::SOURCE } else { text };
                files.push(file(name, text.as_bytes()));
            }
            for File { path, bytes } in written {
                match path.as_str() {
                    "stixc.rules" => files.push(file("test.rules", if needs_hashes { &apart } else { bytes })),
                    _ => files.push(file(path, bytes)),
                }
            }
        }
        files
    }
}

/// The clients of traffic that a plan says nothing of.
fn free_clients(plan: &Plan, sightings: &[Sighting]) -> Vec<IpAddr> {
    if plan.tests().any(|test| test.property.ends().contains(&End::Source)) {
        return Vec::new();
    }
    let client = |sighting: &Sighting| Object::asked(&sighting.objects)?.refer("src_ref")?.text("value")?.parse().ok();
    sightings.iter().filter_map(client).collect()
}

/// For how long rules of a pattern remember what they saw of an address: no session may be taken for a step of the one
/// before it.
fn memory(observation: &Observation) -> Duration {
    let usual = Duration::from_secs(WINDOW + 1);
    match observation {
        Observation::Match(_) => usual,
        Observation::Any(operands, _) | Observation::All(operands, _) | Observation::Then(operands, _) => {
            operands.iter().map(memory).max().unwrap_or(usual)
        }
        Observation::Within { of, seconds, .. } => {
            memory(of).max(Duration::try_from_secs_f64(seconds + 1.0).unwrap_or(usual))
        }
        Observation::Repeat { of, .. } | Observation::During { of, .. } => memory(of),
    }
}

/// A `test.yaml`. A rule that may miss what a witness shows is not asked to alert, one that may match more not to be
/// silent.
fn description(test: TestFolder, needs_hashes: bool, patterns: &[PatternCases<Stretch>]) -> String {
    let mut text = "requires:\n    min-version: 7\n\nargs:\n    - -k none\n\nchecks:\n".to_owned();
    for PatternCases { rules, verdict, .. } in patterns {
        for sid in rules.iter().filter(|rule| rule.file.is_empty() != needs_hashes).map(|rule| &rule.id) {
            // Writing to a string can't fail.
            let _ = match (test, verdict) {
                (TestFolder::Fires, Verdict::Exact | Verdict::Broader) => write!(
                    text,
                    "    - shell:\n          args: grep -c -m 1 '\"signature_id\":{sid},' eve.json\n          expect: 1\n"
                ),
                (TestFolder::Silent, Verdict::Exact | Verdict::Narrower) => write!(
                    text,
                    "    - filter:\n          count: 0\n          match:\n              event_type: alert\n              \
                     alert.signature_id: {sid}\n"
                ),
                _ => Ok(()),
            };
        }
    }
    text
}
