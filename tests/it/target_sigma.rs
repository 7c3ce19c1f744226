//! Sigma: which rules a pattern becomes, and what their files look like.

use crate::support;
use crate::support::emission;
use crate::support::sigma_cases as cases;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    sync::Arc,
};

use emission::{Memory, content, emit, prepared, rule, rules};
use stixc::{
    plan::{adapt::Accept, schema},
    stix::{Timestamp, Tlp},
    targets::{
        Target,
        contract::{Content, Options, Origin, Rule},
        find,
        mapping::Mapping,
        native::{NativePolicy, NativeText},
    },
};
use support::validators::{scratch, sigma};
use tempfile::TempDir;

const ID: &str = "indicator--11111111-1111-4111-8111-111111111111";

fn target() -> &'static dyn Target {
    find("sigma").unwrap()
}

/// All rules of a pattern.
fn written(text: &str) -> Memory {
    emit(target(), vec![rule(target(), ID, text)])
}

/// The only rule of a pattern.
fn only(text: &str) -> String {
    let memory = written(text);
    assert_eq!(memory.files.len(), 1, "{}", memory.all());
    memory.all()
}

/// Verdict, sorted codes, and the log sources of the rules.
fn verdict(text: &str) -> String {
    let codes = |losses: &[stixc::plan::fidelity::Loss]| {
        losses.iter().map(|loss| loss.code.0).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
    };
    match content(target(), text) {
        Ok(Content::Compiled(lowered)) => {
            let memory = written(text);
            let sources: Vec<&str> = memory.files.keys().map(|path| source(path)).collect();
            format!("{} {} {}", lowered.fidelity, codes(&lowered.losses), sources.join(" "))
        }
        Ok(Content::Native(_)) => "native".to_owned(),
        Err(refusal) => format!("refused {}", codes(&refusal.reasons)),
    }
    .replace("  ", " ")
}

/// The detections of a pattern, without what is around them.
fn detections(text: &str) -> String {
    let Ok(content) = content(target(), text) else { return String::new() };
    let origin = Arc::new(Origin { id: ID.to_owned(), ..Origin::default() });
    let mut all = String::new();
    for (path, bytes) in emit(target(), vec![Rule { origin, content }]).files {
        let file = String::from_utf8(bytes).unwrap();
        let detection = file.split("detection:\n").nth(1).unwrap().split("falsepositives:").next().unwrap();
        write!(all, "  {}\n{detection}", source(&path)).unwrap();
    }
    all
}

/// The log source in a file's name.
fn source(path: &str) -> &str {
    &path["sigma/".len()..path.len() - "_01234567_0123_0123_0123_0123456789ab.yml".len()]
}

#[test]
fn each_pattern_has_its_verdict_and_its_detections() {
    let all: String =
        cases::PATTERNS.iter().map(|text| format!("{text}\n= {}\n{}\n", verdict(text), detections(text))).collect();
    insta::with_settings!({ snapshot_path => "../../snapshots/sigma", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("detections", all);
    });
}

fn full(pattern: &str) -> Origin {
    let time = |text: &str| text.parse::<Timestamp>().ok();
    Origin {
        id: ID.to_owned(),
        sources: vec![ID.to_owned(), "indicator--22222222-2222-4222-8222-222222222222".to_owned()],
        name: "detects c2 domain of the Evil botnet.".to_owned(),
        description: "Seen in \"phishing\":\n\n- mail\t{{x}}".to_owned(),
        references: vec![
            "https://report.example/1".to_owned(),
            "https://report.example/1".to_owned(),
            "https://attack.mitre.org/techniques/T1566/001/".to_owned(),
        ],
        labels: vec!["malicious-activity".to_owned()],
        confidence: Some(85),
        tlp: Some(Tlp::Amber),
        created: time("2024-01-31T10:00:00Z"),
        modified: time("2024-02-01T10:00:00Z"),
        valid_until: time("2025-01-31T10:00:00Z"),
        creator: "CERT 'Example'".to_owned(),
        malware: vec!["EvilRAT".to_owned()],
        threats: vec!["APT 0".to_owned()],
        techniques: vec!["T1071.004".to_owned(), "T9999".to_owned()],
        pattern: pattern.to_owned(),
    }
}

#[test]
fn the_files_of_an_indicator() {
    let patterns = [
        "[domain-name:value = 'evil.example' OR file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']",
        "[url:value = 'http://evil.example/A?b=*']",
    ];
    let rules = patterns.iter().enumerate().map(|(index, text)| {
        let mut origin = full(text);
        origin.id.replace_range(0..0, &index.to_string());
        Rule { origin: Arc::new(origin), content: content(target(), text).unwrap() }
    });
    let memory = emit(target(), rules.collect());
    insta::with_settings!({ snapshot_path => "../../snapshots/sigma", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("indicator", memory.all());
    });
}

#[test]
fn ids_depend_on_the_indicator_and_the_log_source_only() {
    let ids = |text: &str| written(text).names.remove(&0).unwrap();
    let one = ids("[domain-name:value = 'evil.example']");
    assert_eq!(one, ids("[domain-name:value = 'other.example']"));
    assert_eq!(one.len(), 3);
    let memory = emit(
        target(),
        rules(
            target(),
            [
                ("indicator--0".to_owned(), "[domain-name:value = 'a.example']"),
                (ID.to_owned(), "[domain-name:value = 'evil.example']"),
            ],
        ),
    );
    assert_eq!(memory.names[&1], one);
    for (path, bytes) in &memory.files {
        let name = path.strip_prefix("sigma/").unwrap();
        assert!((10..=70).contains(&name.len()), "{name}");
        let file = std::str::from_utf8(bytes).unwrap();
        let id = file.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
        assert!(name.contains(&id.replace('-', "_")), "{name} {id}");
    }
}

#[test]
fn the_order_of_alternatives_does_not_show() {
    let one = written(
        "[domain-name:value = 'a.example' OR url:value = 'http://b.example/x' OR domain-name:value = 'c.example']",
    );
    let other = written(
        "[domain-name:value = 'c.example' OR domain-name:value = 'a.example' OR url:value = 'http://b.example/x']",
    );
    assert_eq!(one.all(), other.all());
}

/// Lines of a rule and the keys at their beginnings, whatever the values are.
fn skeleton(file: &str) -> Vec<String> {
    let key = |line: &str| {
        let indent = line.len() - line.trim_start().len();
        let word = line.trim_start().split([':', '\'', '"']).next().unwrap_or_default();
        // A value with a control character is an expression.
        let word = word.strip_suffix("|i").unwrap_or(word);
        format!("{indent} {}", word.strip_suffix("|re").unwrap_or(word))
    };
    file.lines().map(key).collect()
}

#[test]
fn hostile_text_adds_no_line_and_no_key() {
    let tame = |pattern: &str| Origin {
        id: ID.to_owned(),
        sources: vec![ID.to_owned()],
        name: "name".to_owned(),
        description: "description of it".to_owned(),
        references: vec!["https://r.example".to_owned()],
        creator: "creator".to_owned(),
        pattern: pattern.to_owned(),
        ..Origin::default()
    };
    let lines = |origin: Origin, text: &str| {
        let content = content(target(), text).unwrap();
        let memory = emit(target(), vec![Rule { origin: Arc::new(origin), content }]);
        memory.files.values().map(|bytes| skeleton(std::str::from_utf8(bytes).unwrap())).collect::<Vec<_>>()
    };
    let quoted = |value: &str| value.replace('\\', "\\\\").replace('\'', "\\'");
    let harmless = lines(tame("p"), "[process:command_line = 'Plain value']");
    for value in cases::HOSTILE {
        let text = format!("[process:command_line = '{}A']", quoted(value));
        let origin = Origin {
            sources: vec![(*value).to_owned()],
            name: (*value).to_owned(),
            description: (*value).to_owned(),
            references: vec![format!("x{value}")],
            creator: (*value).to_owned(),
            techniques: vec![(*value).to_owned()],
            ..tame(value)
        };
        let found = lines(origin, &text);
        // A value of a path goes to fewer log sources.
        assert!(
            found.iter().all(|one| harmless.iter().any(|other| same_but_related(one, other))),
            "{value:?}\n{found:#?}"
        );
    }
}

fn same_but_related(one: &[String], other: &[String]) -> bool {
    let plain = |lines: &[String]| {
        let of_related = |line: &&String| !matches!(line.as_str(), "0 related" | "4 - id" | "6 type");
        lines.iter().filter(of_related).cloned().collect::<Vec<_>>()
    };
    plain(one) == plain(other)
}

#[test]
fn templates_in_values_stay_text() {
    let file = only("[url:value = 'http://evil.example/{{title}}']");
    assert!(file.contains("{{title}}"), "{file}");
}

#[test]
fn a_list_of_many_values_is_one_rule() {
    let values: Vec<String> = (0..2000).map(|number| format!("'h{number}.example'")).collect();
    let memory = written(&format!("[domain-name:value IN ({})]", values.join(", ")));
    assert_eq!(memory.files.len(), 3);
    let all = memory.all();
    assert_eq!(all.matches("'h1999.example'").count(), 3, "once in each detection");
    assert!(all.contains("fidelity: exact"));
}

#[test]
fn ready_made_rules_stay_as_they_are() {
    let text = "title: Mine\nid: 0f6b5a3c-0000-4000-8000-000000000000\nlogsource: {category: dns}\n# {{comment}}\ndetection:\n  s: {query: a}\n  condition: s\n";
    let code = |text: &str| {
        target().read_native(text, &NativePolicy::default()).map_err(|fault| fault.diagnostic().code.0).map(drop)
    };
    assert!(code(text).is_ok());
    assert_eq!(code("title: x"), Err("R101"));
    assert_eq!(code("title: ["), Err("R100"));
    let origin = Arc::new(Origin { id: ID.to_owned(), ..Origin::default() });
    let memory = emit(
        target(),
        vec![Rule {
            origin,
            content: Content::Native(NativeText { text: text.to_owned(), is_compiled: true, warnings: Vec::new() }),
        }],
    );
    assert_eq!(memory.names[&0], ["0f6b5a3c-0000-4000-8000-000000000000"]);
    let (path, bytes) = memory.files.first_key_value().unwrap();
    assert!(path.starts_with("sigma/native_"), "{path}");
    assert_eq!(std::str::from_utf8(bytes).unwrap(), format!("{text}stix_id: '{ID}'\n"));
}

#[test]
fn every_property_is_mapped_or_explained() {
    let mapping = Mapping::<toml::Value, toml::Value>::read(target().mapping()).unwrap();
    let of_object = |path: &str| {
        let name = path.split(':').nth(1).unwrap_or_default();
        !["type", "id", "spec_version", "defanged", "object_marking_refs[*]"].contains(&name)
            && !name.starts_with("granular_markings")
    };
    let missing: Vec<&str> = schema::properties()
        .filter(|property| !property.common)
        .map(|property| property.path)
        .filter(|path| of_object(path) && !mapping.maps(path) && mapping.reason(path).is_none())
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn a_mapping_is_laid_over_the_shipped_one() {
    let mapping = "row = [{ property = 'mutex:name', scene = 'win_object', field = 'ObjectName', form = 'windows-name' }]\n\
                   [scene.win_object]\ntitle = 'Windows Object'\nproduct = 'windows'\nservice = 'security'\n\
                   given = { EventID = 4656, ObjectType = 'Mutant' }\n";
    let options = || Options::new(target(), Accept::DETECTION);
    let plan = stixc::plan::lower::lower(&stixc::pattern::parse("[mutex:name = 'evil']").unwrap()).plan;
    let lowered = target().prepare(Some(mapping), options()).unwrap().lower(&plan).unwrap();
    let origin = Arc::new(Origin { id: ID.to_owned(), ..Origin::default() });
    let file = emit(target(), vec![Rule { origin, content: Content::Compiled(lowered) }]).all();
    let detection =
        "    selection:\n        EventID: 4656\n        ObjectType: 'Mutant'\n        ObjectName|endswith: '\\evil'\n";
    assert!(file.contains(detection), "{file}");

    for (bad, why) in [
        (mapping.replace("field = 'ObjectName'", "field = \"a: b\\nc\""), "can't stand in a rule"),
        (mapping.replace("form = 'windows-name'", "form = 'other'"), "unknown variant"),
        (mapping.replace("form =", "shape ="), "unknown field"),
        (mapping.replace("win_object", "Win/Object"), "Win/Object"),
        (mapping.replace("product = 'windows'\nservice = 'security'\n", ""), "needs a category"),
        (mapping.replace("'Windows Object'", "''"), "1 to 40 characters"),
    ] {
        let error = target().prepare(Some(&bad), options()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(why), "{why}: {error}");
    }
}

#[test]
fn what_the_user_accepts_is_what_counts() {
    let plan = |text| stixc::plan::lower::lower(&stixc::pattern::parse(text).unwrap()).plan;
    let broader = plan("[process:command_line = 'Evil']");
    assert!(prepared(target(), Accept::BLOCKING).lower(&broader).is_err());
    assert!(prepared(target(), Accept::DETECTION).lower(&broader).is_ok());
}

/// Writes the files below a new folder.
fn saved<'f>(files: impl IntoIterator<Item = (&'f String, &'f Vec<u8>)>) -> TempDir {
    let folder = scratch();
    for (path, bytes) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// The rules of each pattern, by an indicator of its own, where there are any.
fn full_rules(patterns: &[&str]) -> Vec<Rule> {
    let rules = patterns.iter().enumerate().filter_map(|(number, text)| {
        let id = format!("indicator--00000000-0000-4000-8000-{number:012}");
        let origin = Origin { id: id.clone(), sources: vec![id], ..full(text) };
        Some(Rule { origin: Arc::new(origin), content: content(target(), text).ok()? })
    });
    rules.collect()
}

#[test]
#[ignore = "needs sigma: tests/run installs it"]
fn sigma_checks_every_rule() {
    let memory = emit(target(), full_rules(cases::PATTERNS));
    assert!(memory.files.len() > 100, "{}", memory.files.len());
    sigma::check(saved(&memory.files).path(), sigma::NOT_FOR_INDICATORS).assert_accepted();
}

#[test]
#[ignore = "needs sigma and the data of its validators"]
fn sigma_sigmadata_checks_names_of_fields_and_files() {
    let memory = emit(target(), full_rules(cases::PATTERNS));
    sigma::check(saved(&memory.files).path(), sigma::NOT_FOR_INDICATORS).assert_accepted();
}

#[test]
#[ignore = "needs sigma: tests/run installs it"]
fn sigma_checks_hostile_rules() {
    let quoted = |value: &&str| value.replace('\\', "\\\\").replace('\'', "\\'");
    let patterns: Vec<String> = cases::HOSTILE
        .iter()
        .map(quoted)
        .flat_map(|value| {
            [
                format!("[process:command_line = '{value}']"),
                format!("[process:command_line LIKE '%{value}_']"),
                format!("[windows-registry-key:key = 'HKCU\\\\{value}' AND windows-registry-key:values[*].data != '{value}']"),
                format!("[process:image_ref.name = '{value}' AND process:command_line NOT LIKE '{value}%']"),
            ]
        })
        .collect();
    let mut rules = full_rules(&patterns.iter().map(String::as_str).collect::<Vec<_>>());
    for (number, rule) in rules.iter_mut().enumerate() {
        let value = cases::HOSTILE[number % cases::HOSTILE.len()];
        let origin = Origin {
            name: value.to_owned(),
            description: value.to_owned(),
            creator: value.to_owned(),
            ..(*rule.origin).clone()
        };
        rule.origin = Arc::new(origin);
    }
    let memory = emit(target(), rules);
    sigma::check(saved(&memory.files).path(), sigma::NOT_FOR_INDICATORS).assert_accepted();
}

#[test]
#[ignore = "needs sigma: tests/run installs it"]
fn sigma_rules_match_what_their_pattern_means() {
    let mut files = BTreeMap::new();
    let mut events = Vec::new();
    let mut wanted = Vec::new();
    for (number, (text, place, hits, misses)) in cases::EVENTS.iter().enumerate() {
        let memory = emit(target(), vec![rule(target(), &format!("indicator--{number}"), text)]);
        let (path, bytes) = memory
            .files
            .into_iter()
            .find(|(path, _)| source(path) == *place)
            .unwrap_or_else(|| panic!("{text}: no rule for {place}"));
        let file = String::from_utf8(bytes.clone()).unwrap();
        let id = file.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
        files.insert(path, bytes);
        let read = |list: &str| {
            serde_json::from_str::<Vec<serde_json::Value>>(list).unwrap_or_else(|error| panic!("{list}: {error}"))
        };
        for (hit, list) in [(true, hits), (false, misses)] {
            for event in read(list) {
                wanted.push((id.clone(), events.len(), hit, *text));
                events.push(event);
            }
        }
    }
    let found = sigma::matches(&saved(&files).path().join("sigma"), &serde_json::Value::Array(events.clone()));
    let wrong: Vec<String> = wanted
        .iter()
        .filter(|(id, index, hit, _)| found[id].contains(&vec![*index]) != *hit)
        .map(|(_, index, hit, text)| format!("{text} {} {}", if *hit { "misses" } else { "matches" }, events[*index]))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(wanted.len() > 100, "{}", wanted.len());
}
