//! The reader over every shape of input, and over what is broken.

use crate::support::stix as stix_support;

use proptest::prelude::*;
use stix_support::{Outline, fixture, outline, outline_sized};
use stixc::stix::{Batch, BundleReader, OBJECT_LIMIT};

/// The ids that each fixture holds, and its faults as `code line`.
const FIXTURES: [(&str, &[&str], &[&str]); 17] = [
    ("bundle-2.0.json", &["indicator--1", "malware--1", "observed-data--1"], &[]),
    ("bundle-2.1.json", &["identity--1", "indicator--1", "indicator--2"], &[]),
    ("bundle-late-type.json", &["indicator--1", "indicator--2"], &[]),
    ("bundle-empty.json", &[], &[]),
    ("envelope.json", &["indicator--1", "indicator--2"], &[]),
    ("envelope-empty.json", &[], &[]),
    ("list.json", &["indicator--1", "indicator--2"], &["S016 4"]),
    ("list-of-bundles.json", &["indicator--1", "indicator--2", "indicator--3"], &[]),
    ("object.json", &["indicator--1"], &[]),
    ("lines.jsonl", &["indicator--1", "indicator--2", "malware--1"], &[]),
    ("lines-of-bundles.jsonl", &["indicator--1", "indicator--2", "indicator--3"], &[]),
    (
        "lines-broken.jsonl",
        &["indicator--1", "indicator--4", "indicator--6"],
        &["S010 2", "S004 3", "S004 5", "S004 8"],
    ),
    ("strings.json", &["indicator--1", "indicator--2", "indicator--3"], &[]),
    ("bad-objects.json", &["indicator--1", "indicator--2", "indicator--3", "indicator--4"], &[]),
    ("stray.json", &["indicator--1", "indicator--2", "indicator--3"], &["S010 3", "S010 5"]),
    ("no-type.json", &["indicator--1"], &["S007 1", "S008 3", "S006 4"]),
    ("truncated.json", &["indicator--1", "indicator--2"], &["S004 4"]),
];

#[test]
fn fixtures() {
    for (name, ids, faults) in FIXTURES {
        let found = outline(&fixture(name));
        assert_eq!(found.ids, ids, "{name}");
        assert_eq!(found.faults, faults, "{name}");
    }
}

#[test]
fn any_chunk_size_finds_the_same() {
    for (name, ..) in FIXTURES {
        let bytes = fixture(name);
        let whole = outline(&bytes);
        for batch in 1..=bytes.len().min(200) {
            assert_eq!(outline_sized(&bytes, batch, 1 << 20), whole, "{name} in chunks of {batch}");
        }
    }
}

#[test]
fn every_truncation_keeps_what_is_complete_and_says_so() {
    let bytes = fixture("bundle-2.1.json");
    let whole = outline(&bytes);
    let end = bytes.trim_ascii_end().len();
    for length in 1..end {
        let found = outline(&bytes[..length]);
        assert!(whole.ids.starts_with(&found.ids), "{length}: {:?}", found.ids);
        assert!(!found.faults.is_empty(), "{length}");
        assert!(found.faults.iter().all(|fault| fault.starts_with("S004")), "{length}: {:?}", found.faults);
    }
    assert_eq!(outline(&bytes[..end]), whole);
}

#[test]
fn a_byte_order_mark_is_skipped() {
    for name in ["bundle-2.1.json", "lines.jsonl", "object.json", "list.json"] {
        let bytes = fixture(name);
        let marked = ["\u{FEFF}".as_bytes(), &bytes].concat();
        assert_eq!(outline(&marked).ids, outline(&bytes).ids, "{name}");
        assert_eq!(outline(&marked).faults, outline(&bytes).faults, "{name}");
    }
}

#[test]
fn carriage_returns_are_white_space() {
    for (name, ids, _) in FIXTURES {
        let text = String::from_utf8_lossy(&fixture(name)).replace('\n', "\r\n");
        if !name.contains("broken") {
            assert_eq!(outline(text.as_bytes()).ids, ids, "{name}");
        }
    }
}

#[test]
fn what_is_not_json_is_told_by_what_it_is() {
    let cases: [(&[u8], &str, &str); 22] = [
        (b"", "S011", "the input is empty"),
        (b" \n\t", "S011", "the input is empty"),
        (b"hello", "S003", "expected `{` or `[`, found `h`"),
        (b"\n\n  42", "S003", "found `4`"),
        (b"\"text\"", "S003", "found `\"`"),
        (b"\xEF", "S003", "the byte 0xEF"),
        (b"\xFFabc", "S003", "the byte 0xFF"),
        (b"<html>", "S003", "HTML, a web page"),
        (b"\x1F\x8B\x08", "S003", "gzip"),
        (b"PK\x03\x04", "S003", "ZIP"),
        (b"\xFF\xFE{\0", "S003", "UTF-16"),
        (b"\0{\0", "S003", "UTF-16"),
        (b"<?xml version='1.0'?><stix:STIX_Package xmlns:stix='http://stix.mitre.org/stix-1'/>", "S003", "STIX 1"),
        (b"<rss/>", "S003", "XML"),
        (b"null", "S003", "neither a bundle nor objects"),
        (b"kind;what\nip;198.51.100.7\n", "S003", "a table of values"),
        (b"\"bad.example\",\"c2\"", "S003", "a table of values"),
        (b"# mine\nbad.example\n", "S003", "a list of values"),
        (b"79054025255fb1a26e4bc422aef54eb4\n", "S003", "a list of values"),
        (b"2001:db8::7", "S003", "a list of values"),
        (b"[ipv4-addr:value = '198.51.100.7']\n", "S003", "a list of patterns"),
        (b"Dear all,\nplease find attached.", "S003", "not JSON"),
    ];
    for (bytes, code, message) in cases {
        let batches: Vec<_> = BundleReader::new(bytes).collect();
        let faults: Vec<_> = batches.iter().flat_map(|batch| &batch.faults).collect();
        assert_eq!(faults.len(), 1, "{bytes:?}");
        assert_eq!(faults[0].diagnostic.code.0, code, "{bytes:?}");
        assert!(faults[0].diagnostic.message.contains(message), "{bytes:?}: {}", faults[0].diagnostic.message);
        assert!(stixc::targets::explain(code).is_some(), "{code}");
    }
    let fault = BundleReader::new(&b"\n\n  42"[..]).next().unwrap().faults.remove(0);
    assert_eq!((fault.offset, fault.line), (4, 3));
}

#[test]
fn depth_is_harmless() {
    let many = 1_000_000;
    let lists = outline("[".repeat(many).as_bytes());
    assert_eq!(lists.faults, ["S012 1"]);
    let objects = outline_sized("{\"a\":".repeat(many).as_bytes(), 1 << 20, OBJECT_LIMIT);
    assert_eq!(objects.faults, ["S004 1"]);
    let bundles = outline("{\"objects\":[".repeat(many).as_bytes());
    assert_eq!(bundles.faults, ["S012 1"]);
    let inside = format!(
        "[{{\"type\":\"a\",\"id\":\"a--1\",\"x\":{}1{}}},{{\"type\":\"b\",\"id\":\"b--2\"}}]",
        "[".repeat(many),
        "]".repeat(many)
    );
    assert_eq!(outline_sized(inside.as_bytes(), 1 << 20, OBJECT_LIMIT).ids, ["a--1", "b--2"]);
}

#[test]
fn an_object_beyond_the_limit_is_skipped() {
    let large = |id| format!("{{\"type\":\"artifact\",\"id\":\"{id}\",\"payload_bin\":\"{}\"}}", "A".repeat(5000));
    let small = |id| format!("{{\"type\":\"indicator\",\"id\":\"{id}\"}}");
    let late = format!("{{\"payload_bin\":\"{}\",\"type\":\"artifact\",\"id\":\"artifact--2\"}}", "A".repeat(5000));
    let text = format!("[{},\n{},\n{late},\n{}]", small("indicator--1"), large("artifact--1"), small("indicator--2"));
    for batch in [1, 10, 100, 1000, 10_000, 100_000] {
        let found = outline_sized(text.as_bytes(), batch, 2000);
        assert_eq!(found.ids, ["indicator--1", "indicator--2"], "{batch}");
        assert_eq!(found.faults, ["S005 2", "S005 3"], "{batch}");
    }
}

#[test]
fn a_first_line_without_end_does_not_take_all_others_along() {
    let good = |number| format!("{{\"type\":\"indicator\",\"id\":\"indicator--{number}\"}}\n");
    let mut text = "{\"type\":\"indicator\",\"id\":\"indicator--0\",\"name\":\"\n".to_owned();
    (1..400).for_each(|number| text.push_str(&good(number)));
    for (limit, code) in [(1 << 20, "S004 1"), (1000, "S005 1")] {
        let found = outline_sized(text.as_bytes(), 500, limit);
        assert_eq!(found.faults, [code]);
        assert_eq!(found.ids.len(), 399, "limit {limit}");
    }
}

#[test]
fn a_bracket_that_is_missing_costs_one_object() {
    let text = |broken: &str| {
        format!(
            r#"{{"type":"bundle","objects":[
                {{"type":"indicator","id":"indicator--1"}},
                {{"type":"indicator","id":"indicator--2",{broken},
                {{"type":"indicator","id":"indicator--3"}},
                {{"type":"indicator","id":"indicator--4"}}]}}"#
        )
    };
    for broken in [r#""a":1"#, r#""a":{"b":1"#, r#""a":{"b":{"c":[1,{}]"#, r#""a":"}"#] {
        for batch in [1, 7, 50, 1000] {
            let found = outline_sized(text(broken).as_bytes(), batch, 1 << 20);
            assert_eq!(found.ids, ["indicator--1", "indicator--3", "indicator--4"], "{broken}");
            assert_eq!(found.faults, ["S004 3"], "{broken}");
        }
    }
    let found = outline(text(r#""a":]}"#).as_bytes());
    assert_eq!(found.ids, ["indicator--1", "indicator--2", "indicator--3", "indicator--4"]);
    assert_eq!(found.faults, [""; 0]);
}

#[test]
fn a_failing_reader_ends_the_input_with_its_reason() {
    struct Failing(usize);
    impl std::io::Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let text = b"[{\"type\":\"a\",\"id\":\"a--1\"},\n{\"ty";
            let rest = &text[self.0..];
            if rest.is_empty() {
                return Err(std::io::Error::other("the line is dead"));
            }
            let length = rest.len().min(buffer.len()).min(7);
            buffer[..length].copy_from_slice(&rest[..length]);
            self.0 += length;
            Ok(length)
        }
    }
    let batches: Vec<_> = BundleReader::new(Failing(0)).collect();
    assert_eq!(batches.iter().map(|batch| batch.objects().len()).sum::<usize>(), 1);
    let faults: Vec<_> = batches.iter().flat_map(|batch| &batch.faults).map(ToString::to_string).collect();
    assert_eq!(faults, ["line 2, column 5 (byte 31): error[S001]: cannot read further: the line is dead"]);
}

#[test]
fn positions_point_into_the_file() {
    let bytes = fixture("bad-objects.json");
    for batch in [1, 50, 1 << 20] {
        for batch in BundleReader::new(&bytes[..]).with_sizes(batch, 1 << 20) {
            for object in batch.objects() {
                let start = usize::try_from(object.offset).unwrap();
                assert_eq!(&bytes[start..start + object.raw.len()], object.raw);
                let line = bytes[..start].iter().filter(|&&byte| byte == b'\n').count() + 1;
                assert_eq!(object.line(), line as u64);
            }
        }
    }
}

/// JSON text of a value with odd strings, nested lists and objects, and keys that look like those of a bundle.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof![
        Just("objects".to_owned()),
        Just("}],[{\"type\":\"indicator\"".to_owned()),
        Just("a\\\"b\\".to_owned()),
        "\\PC{0,12}",
        "[\\\\\"{}\\[\\]:, \n]{0,10}",
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<i8>().prop_map(|number| (f64::from(number) / 4.0).into()),
        text.clone().prop_map(Into::into),
    ];
    let key = prop_oneof![Just("type".to_owned()), Just("objects".to_owned()), text];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec((key.clone(), inner), 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A STIX object: some type, an id, and members in the order of their random names.
fn object() -> impl Strategy<Value = serde_json::Value> {
    prop::collection::vec(("[a-zA-Z_]{1,6}", value()), 0..5).prop_map(|members| {
        let mut object: serde_json::Map<_, _> = members.into_iter().collect();
        object.insert("type".to_owned(), "x-thing".into());
        object.insert("id".to_owned(), "x-thing--1".into());
        // With a list under this name it would be an envelope.
        object.remove("objects");
        object.into()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the layout and the chunks, the texts found are those of the objects.
    #[test]
    fn objects_are_found_in_any_layout_and_any_chunks(
        objects in prop::collection::vec(object(), 1..6),
        layout in 0..5,
        batch in 1_usize..300,
    ) {
        let compact = |value: &serde_json::Value| serde_json::to_string(value).unwrap();
        let bundle = serde_json::json!({"type": "bundle", "a": 1, "objects": objects, "z": {"objects": [1]}});
        let text = match layout {
            0 => compact(&bundle),
            1 => serde_json::to_string_pretty(&bundle).unwrap(),
            2 => serde_json::to_string_pretty(&objects).unwrap(),
            3 => objects.iter().map(|object| compact(object) + "\n").collect(),
            _ => objects.iter().map(|object| serde_json::to_string_pretty(object).unwrap() + "\n").collect(),
        };
        let mut found = Vec::new();
        for batch in BundleReader::new(text.as_bytes()).with_sizes(batch, 1 << 20) {
            prop_assert_eq!(&batch.faults, &[]);
            for object in batch.objects() {
                let object_type = object.object_type();
                prop_assert_eq!(object_type.as_deref(), Some("x-thing"));
                found.push(serde_json::from_slice::<serde_json::Value>(object.raw).unwrap());
            }
        }
        prop_assert_eq!(found, objects);
    }

    /// Random bytes and random damage never panic, never hang, and do not depend on the chunks.
    #[test]
    fn damage_is_survived_alike_in_any_chunks(
        fixture_index in 0..FIXTURES.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        batch in 1_usize..100,
    ) {
        let mut bytes = fixture(FIXTURES[fixture_index].0);
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let whole: Outline = outline(&bytes);
        prop_assert_eq!(outline_sized(&bytes, batch, 1 << 20), whole);
    }

    #[test]
    fn noise_is_survived(
        bytes in prop::collection::vec(prop_oneof![prop::sample::select(b"{}[]\",:\\\n aE".to_vec()), any::<u8>()], 0..200),
        batch in 1_usize..20,
        limit in 1_usize..50,
    ) {
        outline_sized(&bytes, batch, limit);
        prop_assert_eq!(outline_sized(&bytes, batch, 1 << 20), outline(&bytes));
    }
}

#[test]
fn lines_and_columns_count_across_batches() {
    let pattern = |n: usize| format!(r#"{{"type":"indicator","name":"é{n}","pattern":"[a:b = 'é{n}']"}}"#);
    for separator in [",", "\r\n , é ", "\n,"] {
        let objects: Vec<String> = (0..40).map(pattern).collect();
        let file = format!("\u{feff}{{\"x\":\"é\",\"objects\":[{}]}}", objects.join(separator));
        for size in [1, 7, 64, 1 << 20] {
            let batches: Vec<Batch> = BundleReader::new(file.as_bytes()).with_sizes(size, 1 << 20).collect();
            let mut found = 0;
            for object in batches.iter().flat_map(Batch::objects) {
                let quoted = object.pattern().unwrap();
                let position = quoted.position;
                let (before, after) = file.split_at(position.offset as usize);
                let line = before.rsplit('\n').next().unwrap().trim_start_matches('\u{feff}');
                assert!(after.starts_with(quoted.json));
                assert_eq!(position.line, before.matches('\n').count() as u64 + 1);
                assert_eq!(position.column, line.chars().count() as u64 + 1, "{separator:?} {size}");
                assert_eq!(object.position(0).offset, object.offset);
                assert_eq!(object.position(0).line, object.line());
                found += 1;
            }
            assert_eq!(found, 40, "{separator:?} {size}");
        }
    }
}

#[test]
fn what_stands_between_the_objects_is_json() {
    let one = r#"{"type":"a","id":"a--1"}"#;
    let two = r#"{"type":"b","id":"b--2"}"#;
    let cases: [(String, usize, &[&str]); 16] = [
        (format!(r#"{{"type":"bundle",,"objects":[{one}]}}"#), 1, &["1:18 not JSON: a key is expected here"]),
        (format!(r#"{{"type":"bundle" "objects":[{one}]}}"#), 1, &["1:18 not JSON: a comma is missing here"]),
        (
            format!(r#"{{"type":"bundle","objects":[{one} {two}]}}"#),
            2,
            &["1:54 not JSON: a comma is missing before this"],
        ),
        (
            format!(r#"{{"type":"bundle","objects":[{one},{two},]}}"#),
            2,
            &["1:79 not JSON: a comma too many before this"],
        ),
        (format!("[,{one}]"), 1, &["1:2 not JSON: a comma, where a value is due"]),
        (format!("[{one},\n,{two}]"), 2, &["2:1 not JSON: a comma, where a value is due"]),
        // The same mistake is told once.
        (format!("[{one},,{two},,{one}]"), 3, &["1:27 not JSON: a comma, where a value is due"]),
        (format!("{one},\n{two}"), 2, &["1:25 not JSON: a comma outside of all lists"]),
        (format!("[[{one}][{two}]]"), 2, &["1:28 not JSON: a comma is missing before this"]),
        (format!(r#"{{"objects":[{one}] "more":true}}"#), 1, &["1:39 not JSON: a comma is missing here"]),
        (format!(r#"{{"objects":[{one}],"more":tru}}"#), 1, &["1:49 not JSON: expected ident"]),
        (format!(r#"{{"objects":[{one}],"more":true,}}"#), 1, &["1:51 not JSON: a key is expected here"]),
        (format!("{{\"objects\":[{one}],\r\n\"é\":'1'}}"), 1, &["2:5 not JSON: expected value"]),
        (format!("[{one},\n{two}]\n"), 2, &[]),
        (format!(r#"{{"objects" : [{one} , {two}] , "more" : true, "x": [1,2,{{"a":[]}}]}}"#), 2, &[]),
        (format!(r#"{{"objects":[{one}],"objects":[{two}]}} {{"objects":[]}}"#), 2, &[]),
    ];
    for (text, objects, expected) in cases {
        for batch in [1, 5, 40, 1 << 20] {
            let batches: Vec<_> = BundleReader::new(text.as_bytes()).with_sizes(batch, 1 << 20).collect();
            let faults = batches.iter().flat_map(|batch| &batch.faults);
            let told: Vec<String> =
                faults.map(|fault| format!("{}:{} {}", fault.line, fault.column, fault.diagnostic.message)).collect();
            assert_eq!(told, expected, "{text} in chunks of {batch}");
            assert_eq!(batches.iter().map(|batch| batch.objects().len()).sum::<usize>(), objects, "{text}");
        }
    }
}
