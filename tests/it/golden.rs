//! Every fixture through every target: the files that come out, as snapshots.

use std::{fs::File, path::Path};

use stixc::{
    convert::{Converter, Details, Filter, Finished, Prepared, Settings},
    output::Memory,
    stix::{BundleReader, Collector, Context},
    targets::{TARGETS, Target, renderer},
};

const FIXTURES: [(&str, &str); 2] = [("feed", "examples/feed.json"), ("hostile", "tests/fixtures/hostile.json")];

fn context(path: &Path) -> Context {
    let mut collector = Collector::default();
    for batch in BundleReader::new(File::open(path).unwrap()) {
        batch.objects().for_each(|object| _ = collector.collect(&object));
    }
    collector.finish()
}

fn convert(path: &Path, target: &'static dyn Target) -> (Memory, Finished) {
    let settings = Settings {
        targets: vec![Prepared::new(target, None, None).unwrap()],
        now: "2024-06-01T00:00:00Z".parse().unwrap(),
        strict: false,
        filter: Filter::default(),
        details: Details::All,
        witnesses: false,
    };
    let mut converter = Converter::new(&settings);
    converter.read("fixture", File::open(path).unwrap(), &context(path));
    let mut files = Memory::default();
    let finished = converter.finish(&renderer(TARGETS, None).unwrap(), &mut files);
    assert!(finished.failures.is_empty(), "{:?}", finished.failures);
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

#[test]
fn every_fixture_through_every_target() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, path) in FIXTURES {
        for target in TARGETS {
            let (files, finished) = convert(&root.join(path), *target);
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path(root.join("snapshots").join(target.name()));
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            settings.bind(|| {
                insta::assert_snapshot!(name, joined(&files));
                insta::assert_snapshot!(format!("{name}.verdicts"), verdicts(&finished));
            });
        }
    }
}

/// Whatever a feed says, each line and each file is one that stixc meant to write.
#[test]
fn feed_text_adds_no_line() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hostile.json");
    let text = |name: &str| joined(&convert(&path, stixc::targets::find(name).unwrap()).0);
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
