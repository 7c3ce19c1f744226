//! How fast patterns are evaluated.
//!
//! ```text
//! STIXC_CORPUS=… cargo bench --bench evaluate
//! ```
//!
//! `cases` takes the cases of the OASIS matcher that have data, where the corpus lies: each pattern is parsed, prepared
//! and held against its data, which were read before (as the matcher is given them), and once more with the reading.

use std::{env, fmt::Write, fs, hint::black_box, path::PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stixc::{
    evaluate::{Evaluator, Observations},
    pattern::{self, Options, Version},
};

struct Case {
    pattern: String,
    version: Version,
    data: String,
    observations: Observations,
}

fn cases() -> Vec<Case> {
    let folder = env::var_os("STIXC_CORPUS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from);
    let Ok(text) = fs::read_to_string(folder.join("matcher_cases.jsonl")) else { return Vec::new() };
    let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a row is JSON"));
    rows.filter(|row| !row["data"].is_null())
        .map(|row| {
            let data = row["data"].to_string().replace("cybox-container", "observed-data");
            Case {
                pattern: row["pattern"].as_str().expect("a pattern").to_owned(),
                version: if row["spec"] == "2.0" { Version::V20 } else { Version::V21 },
                observations: Observations::read(data.as_bytes()).0,
                data,
            }
        })
        .collect()
}

fn matches(text: &str, version: Version, observations: &Observations) -> bool {
    let pattern = pattern::parse_with(text, Options { version }).expect("a good pattern");
    let evaluator = Evaluator::new(&pattern).expect("a pattern with a meaning");
    evaluator.matches(observations).expect("an answer").is_some()
}

fn matcher_cases(criterion: &mut Criterion) {
    let cases = cases();
    if cases.is_empty() {
        eprintln!("no corpus: the matcher's cases are left out");
        return;
    }
    let mut group = criterion.benchmark_group("cases");
    group.throughput(Throughput::Elements(cases.len() as u64));
    group.bench_function("match", |bencher| {
        bencher.iter(|| {
            let found = cases.iter().filter(|case| matches(&case.pattern, case.version, &case.observations));
            black_box(found.count())
        });
    });
    group.bench_function("read and match", |bencher| {
        bencher.iter(|| {
            let found = cases.iter().filter(|case| {
                let (observations, _) = Observations::read(case.data.as_bytes());
                matches(&case.pattern, case.version, &observations)
            });
            black_box(found.count())
        });
    });
    group.finish();
}

const MANY: usize = 10_000;

/// Two kinds of observation in turn, so many seconds apart.
fn in_turn(apart: usize) -> Observations {
    let mut text = String::new();
    for at in 0..MANY {
        let second = at * apart;
        let (day, hour, minute, second) = (1 + second / 86_400, second / 3600 % 24, second / 60 % 60, second % 60);
        let time = format!("2024-01-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
        let _ = writeln!(
            text,
            r#"{{"type": "observed-data", "number_observed": 1, "first_observed": "{time}", "last_observed": "{time}",
            "objects": {{"0": {{"type": "x", "v": {}}}}}}}"#,
            at % 2
        );
    }
    Observations::read(text.as_bytes()).0
}

fn many_observations(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("10,000 observations");
    group.throughput(Throughput::Elements(MANY as u64));
    let observations = in_turn(61);
    for text in [
        "[x:v = 0] FOLLOWEDBY [x:v = 1] WITHIN 60 SECONDS",
        "([x:v = 0] FOLLOWEDBY [x:v = 1]) WITHIN 60 SECONDS",
        "([x:v = 0] FOLLOWEDBY [x:v = 1]) WITHIN 61 SECONDS",
        "([x:v >= 0] FOLLOWEDBY [x:v >= 0]) WITHIN 60 SECONDS",
        "[x:v = 0] REPEATS 5000 TIMES",
    ] {
        group.bench_function(text, |bencher| {
            bencher.iter(|| black_box(matches(text, Version::V21, &observations)));
        });
    }
    group.finish();
}

criterion_group!(benches, matcher_cases, many_observations);
criterion_main!(benches);
