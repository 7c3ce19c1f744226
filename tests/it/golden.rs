//! Every fixture through every target: the files that come out, as snapshots.

use crate::support::emission;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::Path,
    sync::Arc,
};

use stixc::{
    convert::{Converter, Finished, Prepared, Settings},
    guard::Guard,
    output::{INDEX, Memory},
    stix::{BundleReader, Collector, Context},
    targets::{TARGETS, Target, renderer},
};

const FIXTURES: [(&str, &str); 2] = [("feed", "examples/feed.json"), (HOSTILE, "tests/fixtures/hostile.json")];
const HOSTILE: &str = "hostile";

/// The guard of a fixture. Hostile text has to be seen in rules, also where they would name nobody.
fn guard(fixture: &str) -> Arc<Guard> {
    if fixture == HOSTILE { emission::without_breadth() } else { Guard::builtin() }
}

fn context(path: &Path) -> Context {
    let mut collector = Collector::default();
    for batch in BundleReader::new(File::open(path).unwrap()) {
        batch.objects().for_each(|object| _ = collector.collect(&object));
    }
    collector.finish()
}

fn convert(fixture: &str, path: &Path, target: &'static dyn Target) -> (Memory, Finished) {
    let settings = Settings::new(
        vec![Prepared::with_guard(target, None, None, guard(fixture)).unwrap()],
        "2024-06-01T00:00:00Z".parse().unwrap(),
    );
    let mut converter = Converter::new(&settings);
    converter.read("fixture", File::open(path).unwrap(), &context(path));
    let mut files = Memory::default();
    let finished = converter.finish(&renderer(TARGETS, None).unwrap(), &mut files);
    assert!(finished.failures.is_empty(), "{:?}", finished.failures);
    // The digests and places in the index have tests of their own.
    files.files.retain(|path, _| !path.ends_with(INDEX));
    (files, finished)
}

/// All files of a target in one text.
fn joined(files: &Memory) -> String {
    files
        .files
        .iter()
        .map(|(path, bytes)| format!("=== {path}\n{}", std::str::from_utf8(bytes).expect("outputs are UTF-8")))
        .collect()
}

/// A verdict a line, with the reasons.
fn verdicts(finished: &Finished) -> String {
    let mut text = String::new();
    for indicator in &finished.indicators {
        for (target, entry) in &indicator.targets {
            let losses: Vec<String> = entry
                .losses
                .iter()
                .map(|loss| format!("{} {}", loss.code, loss.span.slice(&indicator.pattern)))
                .collect();
            let pattern: String = indicator.pattern.chars().take(160).collect();
            text.push_str(&format!("{target} {} {pattern:?} {losses:?}\n", entry.verdict.name()));
        }
    }
    text
}

/// The files of a target, by topic: Sigma's by their log source, Suricata's rules by their protocol, and all else.
fn topics(files: &Memory) -> BTreeMap<String, String> {
    let mut topics: BTreeMap<String, String> = BTreeMap::new();
    for (path, bytes) in &files.files {
        let text = std::str::from_utf8(bytes).expect("outputs are UTF-8");
        let source = path.strip_prefix("sigma/").map(log_source);
        let mut last = None;
        // An empty file is one, too.
        for line in text.split_inclusive('\n').chain(text.is_empty().then_some("")) {
            let protocol = line.strip_prefix("alert ").and_then(|rest| rest.split(' ').next());
            let topic = protocol.or(source).unwrap_or_default();
            let part = topics.entry(topic.to_owned()).or_default();
            if last.replace(topic.to_owned()).as_deref() != Some(topic) {
                *part += &format!("=== {path}\n");
            }
            *part += &abbreviated(line);
        }
    }
    topics
}

/// The name of a rule's file without the id at its end: `proc_creation_win`.
fn log_source(name: &str) -> &str {
    name.char_indices().rev().filter(|(_, one)| *one == '_').nth(4).map_or(name, |(at, _)| &name[..at])
}

/// Characters that are repeated forty times and more, as one with their number.
fn abbreviated(line: &str) -> String {
    let characters: Vec<char> = line.chars().collect();
    let runs = characters.chunk_by(|one, other| one == other);
    runs.map(|run| if run.len() < 40 { run.iter().collect() } else { format!("{}{{{}}}", run[0], run.len()) }).collect()
}

#[test]
fn every_fixture_through_every_target() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for target in TARGETS {
        let folder = root.join("snapshots").join(target.name());
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let mut names = BTreeSet::new();
        for (fixture, path) in FIXTURES {
            let (files, finished) = convert(fixture, &root.join(path), *target);
            let mut parts = topics(&files);
            parts.insert(
                "verdicts".to_owned(),
                verdicts(&finished).lines().map(|line| abbreviated(line) + "\n").collect(),
            );
            for (topic, text) in parts {
                let name = if topic.is_empty() { fixture.to_owned() } else { format!("{fixture}.{topic}") };
                settings.bind(|| insta::assert_snapshot!(name.as_str(), text));
                names.insert(format!("{name}.snap"));
            }
        }
        let kept = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let kept: BTreeSet<String> =
            kept.filter(|name| FIXTURES.iter().any(|(fixture, _)| name.split('.').next() == Some(*fixture))).collect();
        assert_eq!(kept, names, "snapshots of what is no longer written");
    }
}

#[test]
fn snapshots_stay_small_enough_to_be_read() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let length = entry.metadata().unwrap().len();
                assert!(length <= 50_000, "{}: {length} bytes", entry.path().display());
            }
        }
    }
}

/// Whatever a feed says, each line and each file is one that stixc meant to write.
#[test]
fn feed_text_adds_no_line() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hostile.json");
    let text = |name: &str| joined(&convert(HOSTILE, &path, stixc::targets::find(name).unwrap()).0);
    for line in text("suricata").lines().filter(|line| !line.is_empty()) {
        let known = ["#", "alert ", "=== "].iter().any(|start| line.starts_with(start));
        assert!(known || line.split(' ').next().is_some_and(is_hash) || is_lock_entry(line), "{line}");
    }
    for line in text("blocklist").lines() {
        assert!(!line.contains("INCLUDE") && !line.contains("include") && !line.contains('"'), "{line}");
    }
    for line in text("sigma").lines() {
        assert!(!line.starts_with("y:") && !line.starts_with("alert") && !line.starts_with("%"), "{line}");
        assert!(!line.chars().any(|one| one.is_control() || ('\u{202a}'..='\u{202e}').contains(&one)), "{line:?}");
    }
    for line in text("yara").lines() {
        assert!(!line.starts_with("alert") && !line.chars().any(|one| one.is_control() && one != '\t'), "{line:?}");
    }
}

fn is_hash(word: &str) -> bool {
    matches!(word.len(), 32 | 40 | 64) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_lock_entry(line: &str) -> bool {
    line.contains("indicator--") || line.starts_with("stixc list.")
}
