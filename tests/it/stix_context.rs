//! What the other objects say about an indicator.

use proptest::prelude::*;
use stixc::stix::{BundleReader, Collector, Context, Indicator, Key, Tlp};

/// What a feed of these objects says.
fn context(objects: &[&str]) -> Context {
    collector(objects).finish()
}

fn collector(objects: &[&str]) -> Collector {
    let mut collector = Collector::default();
    for batch in BundleReader::new(format!("[{}]", objects.join(",\n")).as_bytes()) {
        assert_eq!(batch.faults, []);
        batch.objects().for_each(|object| collector.collect(&object).expect("a good object"));
    }
    collector
}

fn indicator(members: &str) -> Indicator<'static> {
    let text = format!(r#"{{"type":"indicator","id":"indicator--1","pattern":"[a:b = 1]"{members}}}"#);
    Indicator::parse(text.leak().as_bytes()).expect("a good indicator")
}

const IDENTITY: &str = r#"{"type":"identity","id":"identity--1","name":"Example Feed"}"#;
const MALWARE: &str = r#"{"type":"malware","id":"malware--1","name":"Sample","modified":"2024-01-01T00:00:00Z"}"#;
const TOOL: &str = r#"{"type":"tool","id":"tool--1","name":"Scanner"}"#;
const CAMPAIGN: &str = r#"{"type":"campaign","id":"campaign--1","name":" Operation Example "}"#;
const TECHNIQUE: &str = r#"{"type":"attack-pattern","id":"attack-pattern--1","name":"PowerShell","external_references":[
    {"source_name":"capec","external_id":"CAPEC-1"},{"source_name":"mitre-attack","external_id":"T1059.001"}]}"#;
const TECHNIQUE_BY_NAME: &str = r#"{"type":"attack-pattern","id":"attack-pattern--2","name":"T1486: Data Encrypted"}"#;
const ATTACK: &str = r#"{"type":"attack-pattern","id":"attack-pattern--3","name":"Phishing"}"#;

fn relationship(number: u32, source: &str, verb: &str, target: &str) -> String {
    relationship_with(number, source, verb, target, "")
}

fn relationship_with(number: u32, source: &str, verb: &str, target: &str, members: &str) -> String {
    format!(
        r#"{{"type":"relationship","id":"relationship--{number}","relationship_type":"{verb}",
            "source_ref":"{source}","target_ref":"{target}"{members}}}"#
    )
}

#[test]
fn an_indicator_alone() {
    let context = context(&[]);
    let indicator = indicator(r#","created_by_ref":"identity--1""#);
    let provenance = context.provenance(&indicator);
    assert_eq!((provenance.creator, provenance.tlp), (None, None));
    assert!(provenance.malware.is_empty() && provenance.threats.is_empty() && provenance.techniques.is_empty());
}

#[test]
fn names_come_through_relationships() {
    let relationships = [
        relationship(1, "indicator--1", "indicates", "malware--1"),
        relationship(2, "indicator--1", "indicates", "campaign--1"),
        relationship(3, "indicator--1", "uses", "attack-pattern--2"),
        relationship(4, "indicator--1", "indicates", "attack-pattern--1"),
        relationship(5, "tool--1", "indicates", "indicator--1"),
        relationship(6, "indicator--1", "indicates", "malware--1"),
        relationship(7, "indicator--1", "indicates", "malware--unknown"),
        relationship(8, "indicator--1", "indicates", "attack-pattern--3"),
        relationship(9, "indicator--2", "indicates", "campaign--2"),
        relationship(10, "indicator--1", "derived-from", "malware--2"),
        relationship(11, "indicator--1", "indicates", "identity--1"),
        relationship(12, "malware--1", "uses", "attack-pattern--4"),
        relationship(13, "indicator--1", "indicates", "indicator--2"),
    ];
    let others = [
        r#"{"type":"malware","id":"malware--2","name":"Other"}"#,
        r#"{"type":"campaign","id":"campaign--2","name":"Other"}"#,
        r#"{"type":"attack-pattern","id":"attack-pattern--4","name":"T1001"}"#,
    ];
    let mut objects: Vec<&str> = relationships.iter().map(String::as_str).collect();
    objects.extend([IDENTITY, MALWARE, TOOL, CAMPAIGN, TECHNIQUE, TECHNIQUE_BY_NAME, ATTACK]);
    objects.extend(others);
    let context = context(&objects);
    let indicator = indicator(r#","created_by_ref":"identity--1""#);
    let provenance = context.provenance(&indicator);
    assert_eq!(provenance.creator, Some("Example Feed"));
    assert_eq!(provenance.malware, ["Sample"]);
    assert_eq!(provenance.threats, ["Operation Example", "Scanner"]);
    assert_eq!(provenance.techniques, ["T1059.001", "T1486"]);
}

#[test]
fn the_indicator_itself_may_name_techniques() {
    let context = context(&[TECHNIQUE, &relationship(1, "indicator--1", "indicates", "attack-pattern--1")]);
    let indicator = indicator(
        r#","external_references":[{"source_name":"mitre-attack","external_id":"T1001"},
            {"source_name":"mitre-attack","external_id":"T1059.001"},{"source_name":"mitre-attack","external_id":"S0001"},
            {"source_name":"mitre-attack","external_id":"T1059.1"},{"source_name":"other","external_id":"T1002"}]"#,
    );
    assert_eq!(context.provenance(&indicator).techniques, ["T1001", "T1059.001"]);
}

#[test]
fn a_revoked_relationship_says_nothing() {
    let link = |modified: &str, revoked: &str| {
        let members = format!(r#","modified":"2024-01-0{modified}T00:00:00Z","revoked":{revoked}"#);
        relationship_with(1, "indicator--1", "indicates", "malware--1", &members)
    };
    for (versions, expected) in [
        (vec![link("1", "false")], 1),
        (vec![link("1", "true")], 0),
        (vec![link("1", "false"), link("2", "true")], 0),
        (vec![link("2", "true"), link("1", "false")], 0),
        (vec![link("3", "false"), link("2", "true")], 1),
    ] {
        let objects: Vec<&str> = versions.iter().map(String::as_str).chain([MALWARE]).collect();
        assert_eq!(context(&objects).provenance(&indicator("")).malware.len(), expected, "{versions:?}");
    }
}

#[test]
fn markings() {
    let marking = |number: u32, members: &str| {
        format!(r#"{{"type":"marking-definition","id":"marking-definition--{number}",{members}}}"#)
    };
    let extension = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";
    let markings = [
        marking(1, r#""definition_type":"tlp","definition":{"tlp":"white"}"#),
        marking(2, r#""definition_type":"TLP","definition":{"TLP":"TLP:GREEN"}"#),
        marking(3, r#""definition_type":"statement","definition":{"statement":"TLP:RED is not meant"}"#),
        marking(
            4,
            &format!(
                r#""name":"TLP:AMBER+STRICT","extensions":{{"{extension}":{{"extension_type":"property-extension","tlp_2_0":"amber+strict"}}}}"#
            ),
        ),
        marking(5, r#""name":"TLP:AMBER""#),
        marking(6, r#""name":"tlp of ours","definition":"none","extensions":[]"#),
    ];
    let objects: Vec<&str> = markings.iter().map(String::as_str).collect();
    let context = context(&objects);
    for (references, expected) in [
        (r#""marking-definition--1""#, Some(Tlp::Clear)),
        (r#""marking-definition--2""#, Some(Tlp::Green)),
        (r#""marking-definition--3""#, None),
        (r#""marking-definition--4""#, Some(Tlp::AmberStrict)),
        (r#""marking-definition--5""#, Some(Tlp::Amber)),
        (r#""marking-definition--6""#, None),
        (r#""marking-definition--7""#, None),
        (r#""marking-definition--1","marking-definition--3","marking-definition--2""#, Some(Tlp::Green)),
        (r#""marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9""#, Some(Tlp::Clear)),
        (r#""marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da""#, Some(Tlp::Green)),
        (r#""marking-definition--f88d31f6-486f-44da-b317-01333bde0b82""#, Some(Tlp::Amber)),
        (r#""marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed""#, Some(Tlp::Red)),
        (r#""marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487""#, Some(Tlp::Clear)),
        (r#""marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb""#, Some(Tlp::Green)),
        (r#""marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421""#, Some(Tlp::Amber)),
        (r#""marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003""#, Some(Tlp::AmberStrict)),
        (r#""marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1""#, Some(Tlp::Red)),
    ] {
        let indicator = indicator(&format!(r#","object_marking_refs":[{references}]"#));
        assert_eq!(context.provenance(&indicator).tlp, expected, "{references}");
    }
    let granular = indicator(
        r#","object_marking_refs":"marking-definition--1",
            "granular_markings":[{"marking_ref":"marking-definition--2","selectors":["name"]}]"#,
    );
    assert_eq!(context.provenance(&granular).tlp, Some(Tlp::Green));
    let labelled = indicator(r#","labels":["tlp:amber","misp:type=\"domain\"","tlp:black"]"#);
    assert_eq!(context.provenance(&labelled).tlp, Some(Tlp::Amber));
}

#[test]
fn levels_are_read_in_every_spelling() {
    for (text, expected) in [
        ("TLP:CLEAR", Ok(Tlp::Clear)),
        ("white", Ok(Tlp::Clear)),
        (" tlp: Green ", Ok(Tlp::Green)),
        ("TLP:AMBER+STRICT", Ok(Tlp::AmberStrict)),
        ("amber-strict", Ok(Tlp::AmberStrict)),
        ("red", Ok(Tlp::Red)),
    ] {
        assert_eq!(text.parse(), expected, "{text}");
    }
    for text in ["", "tlp", "TLP:BLACK", "redder"] {
        assert!(text.parse::<Tlp>().is_err(), "{text}");
    }
    assert!([Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red].is_sorted());
}

#[test]
fn a_bad_object_is_an_error_and_the_rest_counts() {
    let text = r#"[{"type":"malware","name":"no id"},{"type":"identity","id":"identity--1","name":5},
        {"type":"malware","id":"malware--1",oops},{"type":"relationship","id":"relationship--1"},
        {"type":"identity","id":"identity--1","name":"Example Feed"},{"type":"course-of-action","id":oops}]"#;
    let mut collector = Collector::default();
    let mut errors = Vec::new();
    for batch in BundleReader::new(text.as_bytes()) {
        for object in batch.objects() {
            if let Err(error) = collector.collect(&object) {
                let fault = object.fault(&error);
                errors.push((
                    fault.line,
                    &text[usize::try_from(fault.offset).expect("small")..][..8],
                    fault.diagnostic.to_string(),
                ));
            }
        }
    }
    let not_json = "error[S006]: the object is not JSON: key must be a string";
    assert_eq!(
        errors,
        [(1, r#"{"type":"#, "error[S007]: `id` is missing".to_owned()), (2, r#"oops},{""#, not_json.to_owned()),]
    );
    let context = collector.finish();
    assert_eq!(context.provenance(&indicator(r#","created_by_ref":"identity--1""#)).creator, Some("Example Feed"));
}

#[test]
fn keys() {
    let uuid = "f88d31f6-486f-44da-b317-01333bde0b82";
    let ids = [
        format!("indicator--{uuid}"),
        format!("observed-data--{uuid}"),
        format!("indicator--{}", uuid.to_uppercase()),
        format!("indicator-{uuid}"),
        format!("indicator--{uuid} "),
        format!("indicator--{}", uuid.replace('-', "_")),
        format!("indicator--{}", uuid.replacen('8', "g", 1)),
        uuid.to_owned(),
        "indicator--1".to_owned(),
        "ü".repeat(40),
        String::new(),
    ];
    for (index, one) in ids.iter().enumerate() {
        for (other_index, other) in ids.iter().enumerate() {
            assert_eq!(Key::new(one) == Key::new(other), index == other_index, "{one} {other}");
        }
    }
}

/// Versions of objects and relationships that contradict each other in every way.
fn objects() -> impl Strategy<Value = Vec<String>> {
    let version = || {
        prop_oneof![Just(String::new()), (1..4).prop_map(|day| format!(r#","modified":"2024-01-0{day}T00:00:00Z""#))]
    };
    let named = (prop::sample::select(vec!["identity", "malware", "tool"]), 1..3, "[ab]", version()).prop_map(
        |(kind, number, name, version)| {
            format!(r#"{{"type":"{kind}","id":"{kind}--{number}","name":"{name}"{version}}}"#)
        },
    );
    let link = (1_u32..4, 1..3, prop::sample::select(vec!["malware", "tool"]), 1..3, any::<bool>(), version())
        .prop_map(|(number, indicator, kind, target, revoked, version)| {
            let members = format!(r#","revoked":{revoked}{version}"#);
            let (source, target) = (format!("indicator--{indicator}"), format!("{kind}--{target}"));
            relationship_with(number, &source, "indicates", &target, &members)
        });
    let marking = (prop::sample::select(vec!["green", "red", "odd"]), version()).prop_map(|(level, version)| {
        format!(
            r#"{{"type":"marking-definition","id":"marking-definition--1","definition":{{"tlp":"{level}"}}{version}}}"#
        )
    });
    prop::collection::vec(prop_oneof![named, link, marking], 0..14)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Neither the order of the objects nor how they are shared out to collectors changes what they say.
    #[test]
    fn order_has_no_influence(
        (objects, shuffled) in objects().prop_flat_map(|objects| (Just(objects.clone()), Just(objects).prop_shuffle())),
        split in any::<prop::sample::Index>(),
    ) {
        let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
        let shuffled: Vec<&str> = shuffled.iter().map(String::as_str).collect();
        let (left, right) = shuffled.split_at(split.index(shuffled.len() + 1));
        let mut merged = collector(left);
        merged.merge(collector(right));
        let contexts = [context(&objects), context(&shuffled), merged.finish()];
        let indicator = indicator(r#","created_by_ref":"identity--1","object_marking_refs":["marking-definition--1"]"#);
        let provenances = contexts.each_ref().map(|context| context.provenance(&indicator));
        prop_assert_eq!(&provenances[0], &provenances[1]);
        prop_assert_eq!(&provenances[0], &provenances[2]);
    }
}
