//! Patterns parsed, and rules rendered, a second: `RAYON_NUM_THREADS=1 cargo bench` for one core.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stixc::{
    convert::{Converter, Finished, Prepared, Settings, understand},
    output::Memory,
    pattern,
    render::Renderer,
    stix::Context,
    targets,
};

const INDICATORS: usize = 5_000;

fn patterns(kind: fn(usize) -> String) -> Vec<String> {
    (0..INDICATORS).map(kind).collect()
}

fn domain(number: usize) -> String {
    format!("[domain-name:value = 'host-{number}.evil.example']")
}

fn hash(number: usize) -> String {
    format!("[file:hashes.'SHA-256' = '{number:064x}']")
}

fn combined(number: usize) -> String {
    format!(
        "[file:name = 'tool{number}.exe' AND file:size > {number}] OR \
         [network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.{}' \
         AND network-traffic:dst_port IN (80, 443, 8080)] OR [process:command_line LIKE '%--id={number}%']",
        number % 256
    )
}

fn bundle(patterns: &[String]) -> String {
    let objects: Vec<String> = patterns
        .iter()
        .enumerate()
        .map(|(number, pattern)| {
            let text = serde_json::to_string(pattern).expect("a text is JSON");
            format!(
                r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-{number:012}","created":"2024-01-01T00:00:00Z","modified":"2024-01-01T00:00:00Z","name":"Indicator {number}","description":"One of many","indicator_types":["malicious-activity"],"pattern":{text},"pattern_type":"stix","valid_from":"2024-01-01T00:00:00Z"}}"#
            )
        })
        .collect();
    format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{}]}}"#, objects.join(","))
}

fn settings(name: &str) -> Settings {
    let target = targets::find(name).expect("a target");
    Settings::new(
        vec![Prepared::new(target, None, None).expect("the shipped mapping")],
        "2024-06-01T00:00:00Z".parse().expect("an instant"),
    )
}

fn convert(bundle: &str, settings: &Settings, renderer: &Renderer) -> Finished {
    let mut converter = Converter::new(settings);
    converter.read("bench", bundle.as_bytes(), &Context::default());
    let mut files = Memory::default();
    let finished = converter.finish(renderer, &mut files);
    black_box(files);
    finished
}

/// How many rules a run writes.
fn rules(finished: &Finished) -> u64 {
    finished.indicators.iter().flat_map(|one| one.targets.iter()).map(|(_, entry)| entry.rules.len() as u64).sum()
}

fn parsing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Elements(INDICATORS as u64));
    for (name, list) in [("simple", patterns(domain)), ("combined", patterns(combined))] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| list.iter().filter(|text| pattern::parse(black_box(text)).is_ok()).count());
        });
        group.bench_function(format!("understand {name}"), |bencher| {
            bencher.iter(|| list.iter().filter(|text| understand(black_box(text), false).0.is_some()).count());
        });
    }
    group.finish();
}

fn whole_way(criterion: &mut Criterion) {
    let renderer = stixc::targets::renderer(stixc::targets::TARGETS, None).expect("the shipped templates");
    let mut group = criterion.benchmark_group("rules");
    group.sample_size(10);
    for (target, kind, list) in [
        ("sigma", "domain", patterns(domain)),
        ("suricata", "domain", patterns(domain)),
        ("yara", "hash", patterns(hash)),
        ("blocklist", "domain", patterns(domain)),
        ("sigma", "combined", patterns(combined)),
    ] {
        let (settings, bundle) = (settings(target), bundle(&list));
        group.throughput(Throughput::Elements(rules(&convert(&bundle, &settings, &renderer))));
        group.bench_function(format!("{target} {kind}"), |bencher| {
            bencher.iter(|| convert(black_box(&bundle), &settings, &renderer));
        });
    }
    group.finish();
}

criterion_group!(benches, parsing, whole_way);
criterion_main!(benches);
