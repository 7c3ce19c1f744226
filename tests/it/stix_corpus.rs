//! The reader over the bundles and indicators of public feeds, against a plain JSON parser.

use crate::support::corpus;

use serde_json::Value;
use stixc::stix::{BundleReader, Collector, Context, Indicator, Status};

const BUNDLES: [(&str, usize, usize); 4] = [
    ("bundles/mvt-project__mvt-indicators__coruna.stix2", 433, 216),
    ("bundles/pan-unit42__playbook_viewer__clop-ransomware.json", 286, 42),
    ("bundles/MISP__misp-stix__test_events_collection_stix20.json", 15, 3),
    ("bundles/oasis-open__cti-stix-elevator__Appendix_G_IOCs_Full.json", 97, 47),
];

/// All bundles of the corpus, in order.
fn bundles() -> Vec<(String, String)> {
    let manifest = corpus::read("bundles/MANIFEST.md");
    let mut names: Vec<_> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
        .filter(|name| name.ends_with(".json") || name.ends_with(".stix2"))
        .map(ToOwned::to_owned)
        .collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), corpus::read(&format!("bundles/{name}")))).collect()
}

/// The objects of a bundle, a list or an object, as a plain parser sees them.
fn plain(text: &str) -> Vec<Value> {
    match serde_json::from_str(text).expect("the corpus is JSON") {
        Value::Array(objects) => objects,
        Value::Object(mut bundle) if bundle["type"] == "bundle" => match bundle.remove("objects") {
            Some(Value::Array(objects)) => objects,
            _ => Vec::new(),
        },
        object => vec![object],
    }
}

fn context(text: &str) -> Context {
    let mut collector = Collector::default();
    for batch in BundleReader::new(text.as_bytes()) {
        batch.objects().for_each(|object| collector.collect(&object).expect("a good object"));
    }
    collector.finish()
}

#[test]
#[ignore = "needs the corpus at ../shared/corpus, or STIXC_CORPUS"]
fn corpus_bundles_hold_what_a_plain_parser_finds() {
    let bundles = bundles();
    assert!(bundles.len() >= 39, "{} bundles", bundles.len());
    for (name, text) in bundles {
        let expected = plain(&text);
        for size in [100, 1 << 20] {
            let mut found = Vec::new();
            for batch in BundleReader::new(text.as_bytes()).with_sizes(size, 1 << 20) {
                assert_eq!(batch.faults, [], "{name}");
                for object in batch.objects() {
                    let value: Value = serde_json::from_slice(object.raw).expect("a JSON object");
                    assert_eq!(object.object_type().as_deref(), value["type"].as_str(), "{name}");
                    found.push(value);
                }
            }
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[test]
#[ignore = "needs the corpus at ../shared/corpus, or STIXC_CORPUS"]
fn corpus_bundles_give_their_indicators() {
    for (name, objects, indicators) in BUNDLES {
        let text = corpus::read(name);
        let batches: Vec<_> = BundleReader::new(text.as_bytes()).collect();
        let found: Vec<_> = batches.iter().flat_map(|batch| batch.objects()).collect();
        assert_eq!(found.len(), objects, "{name}");
        let parsed = found
            .iter()
            .filter(|object| object.object_type().as_deref() == Some("indicator"))
            .map(|object| Indicator::parse(object.raw).expect("a good indicator"))
            .inspect(|indicator| assert_eq!(indicator.diagnostics, [], "{name}"));
        assert_eq!(parsed.count(), indicators, "{name}");
    }
}

#[test]
#[ignore = "needs the corpus at ../shared/corpus, or STIXC_CORPUS"]
fn corpus_relationships_name_malware_and_techniques() {
    let text = corpus::read("bundles/pan-unit42__playbook_viewer__clop-ransomware.json");
    let context = context(&text);
    let objects = plain(&text);
    let raw: Vec<_> = objects.iter().filter(|object| object["type"] == "indicator").map(Value::to_string).collect();
    let indicators: Vec<_> =
        raw.iter().map(|raw| Indicator::parse(raw.as_bytes()).expect("a good indicator")).collect();
    let linked = indicators.iter().filter(|indicator| context.provenance(indicator).malware == ["Clop"]).count();
    assert_eq!(linked, 30);
    assert!(indicators.iter().all(|indicator| context.provenance(indicator).threats == ["Campaign 1 - CLOP"]));
    assert!(indicators.iter().all(|indicator| !context.provenance(indicator).techniques.is_empty()));
}

#[test]
#[ignore = "needs the corpus at ../shared/corpus, or STIXC_CORPUS"]
fn corpus_indicators_agree_with_a_plain_parser() {
    let text = corpus::read("indicators.jsonl");
    let now = "2024-06-01T00:00:00Z".parse().expect("a timestamp");
    let mut lines = text.lines().enumerate();
    let (mut good, mut active) = (0, 0);
    for batch in BundleReader::new(text.as_bytes()) {
        assert_eq!(batch.faults, []);
        for object in batch.objects() {
            let (index, line) = lines.next().expect("as many lines as objects");
            assert_eq!(object.raw, line.as_bytes());
            assert_eq!(object.line(), index as u64 + 1);
            let value: Value = serde_json::from_str(line).expect("the corpus is JSON");
            let Ok(indicator) = Indicator::parse(object.raw) else {
                // A template that was never filled in: `"revoked": "<TRUE if url_status = offline>"`.
                assert!(value["revoked"].is_string(), "line {}", index + 1);
                continue;
            };
            good += 1;
            active += usize::from(indicator.status(now) == Status::Active);
            for (name, read) in [
                ("id", Some(&indicator.id)),
                ("pattern", Some(&indicator.pattern)),
                ("name", indicator.name.as_ref()),
                ("description", indicator.description.as_ref()),
                ("created_by_ref", indicator.created_by_ref.as_ref()),
            ] {
                assert_eq!(read.map(AsRef::as_ref), value[name].as_str(), "line {}: {name}", index + 1);
            }
            let labels: Vec<&str> = match &value["labels"] {
                Value::Array(labels) => labels.iter().filter_map(Value::as_str).collect(),
                label => label.as_str().into_iter().collect(),
            };
            assert_eq!(indicator.labels[..], labels, "line {}", index + 1);
        }
    }
    assert_eq!((lines.next(), good), (None, 19_810));
    // Some are not yet valid at that moment.
    assert!(active > 18_000, "{active}");
}
