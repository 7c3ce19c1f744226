//! YARA: conditions, metadata, escapes, and what the engines say.

use crate::support;
use crate::support::emission;

use std::{collections::BTreeSet, fs, path::Path, process::Command, sync::Arc};

use emission::{Memory, content, emit, prepared};
use stixc::{
    pattern,
    plan::{adapt::Accept, lower::lower},
    stix::{Timestamp, Tlp},
    targets::{
        Target,
        contract::{Content, Origin, Rule},
        find,
        native::{NativePolicy, NativeText},
    },
};
use support::validators::{file, yara};
use tempfile::TempDir;

fn target() -> &'static dyn Target {
    find("yara").unwrap()
}

fn id(index: usize) -> String {
    format!("indicator--00000000-0000-4000-8000-{index:012}")
}

fn rules(patterns: &[&str]) -> Vec<Rule> {
    emission::rules(target(), patterns.iter().enumerate().map(|(index, text)| (id(index), *text)))
}

fn written(patterns: &[&str]) -> Memory {
    emit(target(), rules(patterns))
}

/// The condition of a pattern on one line, or the sorted codes of its refusal.
fn condition(text: &str) -> String {
    let content = match content(target(), text) {
        Ok(content) => content,
        Err(refusal) => {
            let mut codes: Vec<&str> = refusal.reasons.iter().map(|loss| loss.code.0).collect();
            codes.sort_unstable();
            return format!("refused {}", codes.join(" "));
        }
    };
    let memory = emit(target(), vec![Rule { origin: Arc::default(), content }]);
    let file = memory.text("yara/stixc.yar");
    let (_, condition) = file.split_once("condition:").unwrap();
    condition.trim_end().trim_end_matches('}').split_whitespace().collect::<Vec<_>>().join(" ")
}

const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// Every kind of expression.
const FEED: &[&str] = &[
    "[file:hashes.MD5 = 'D41D8CD98F00B204E9800998ECF8427E']",
    "[file:hashes.'SHA-256' = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' OR file:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709']",
    "[file:hashes.MD5 IN ('00000000000000000000000000000001', '00000000000000000000000000000002') AND file:size > 1000 AND file:size <= 2000]",
    "[file:hashes.MD5 = '00000000000000000000000000000003' AND file:name = 'evil.exe']",
    "[file:hashes.MD5 = '00000000000000000000000000000004'] OR [mutex:name = 'x'] OR [file:size = 5 AND file:size != 6]",
    "[artifact:payload_bin = b'ZXZpbA==']",
    "[file:extensions.'windows-pebinary-ext'.imphash = 'D41D8CD98F00B204E9800998ECF8427E' AND file:extensions.'windows-pebinary-ext'.sections[*].name = '.te\"xt\\\\']",
    "[file:extensions.'windows-pebinary-ext'.time_date_stamp = t'2020-01-01T00:00:00Z' AND file:extensions.'windows-pebinary-ext'.machine_hex = '014c']",
    "[file:extensions.'windows-pebinary-ext'.sections[*].hashes.MD5 = '00000000000000000000000000000005']",
    "[file:extensions.'windows-pebinary-ext'.optional_header.image_base = 4194304]",
];

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../../snapshots/yara", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn the_file_of_a_feed() {
    snapshot("conditions", &written(FEED).all());
}

#[test]
fn no_rules_are_a_file_all_the_same() {
    assert_eq!(written(&[]).text("yara/stixc.yar").lines().count(), 1);
}

#[test]
fn conditions_say_what_patterns_say() {
    let hash = |name, digits: &str| format!("hash.{name}(0, filesize) == \"{digits}\"");
    let cases = [
        (format!("[file:hashes.MD5 = '{}']", MD5.to_uppercase()), hash("md5", MD5)),
        (format!("[file:hashes.MD5 = '{MD5}' AND file:size != 5]"), format!("{} and filesize != 5", hash("md5", MD5))),
        (
            format!("[file:hashes.MD5 = '{MD5}' AND (file:size = 5 OR file:size = 6)]"),
            format!("{} and (filesize == 5 or filesize == 6)", hash("md5", MD5)),
        ),
        (
            format!("[file:hashes.MD5 = '{MD5}' AND file:size NOT IN (5, 6)]"),
            format!("{} and filesize != 5 and filesize != 6", hash("md5", MD5)),
        ),
        (
            format!("[file:hashes.MD5 = '{MD5}' AND file:size NOT > 5]"),
            format!("{} and filesize <= 5", hash("md5", MD5)),
        ),
        ("[file:size > 5 OR file:size < 2]".to_owned(), "filesize < 2 or filesize > 5".to_owned()),
        (
            "[file:size = 7 AND file:extensions.'windows-pebinary-ext'.sections[*].name != 'a']".to_owned(),
            "for any item in pe.sections : ( item.name != \"a\" ) and filesize == 7".to_owned(),
        ),
        (
            "[artifact:payload_bin = h'']".to_owned(),
            "(filesize == 0 and hash.sha256(0, filesize) == \
             \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\")"
                .to_owned(),
        ),
        ("[file:size != 5]".to_owned(), "refused L021".to_owned()),
        ("[file:name = 'evil.exe']".to_owned(), "refused L001".to_owned()),
        ("[file:name = 'evil.exe' AND file:size = 7]".to_owned(), "refused L001 L020".to_owned()),
        ("[file:hashes.'SHA-512' = 'x']".to_owned(), "refused L001".to_owned()),
        ("[file:hashes.MD5 = 'abc']".to_owned(), "refused L003".to_owned()),
        (format!("[file:hashes.MD5 LIKE '{}%']", &MD5[..8]), "refused L002".to_owned()),
        ("[EXISTS file:size]".to_owned(), "refused L002".to_owned()),
        ("[file:size = 1.5]".to_owned(), "refused L003".to_owned()),
        ("[domain-name:value = 'evil.example']".to_owned(), "refused L001".to_owned()),
        ("[file:extensions.'windows-pebinary-ext'.machine_hex = 'xyz']".to_owned(), "refused L003".to_owned()),
    ];
    for (text, expected) in cases {
        assert_eq!(condition(&text), expected, "{text}");
    }
}

#[test]
fn what_is_broader_says_so() {
    let text = format!("[process:image_ref.hashes.MD5 = '{MD5}' AND process:pid = 7]");
    let plan = lower(&pattern::parse(&text).unwrap()).plan;
    let lowered = prepared(target(), target().accepts()).lower(&plan).unwrap();
    assert_eq!(lowered.fidelity.name(), "broader");
    let codes: Vec<&str> = lowered.losses.iter().map(|loss| loss.code.0).collect();
    assert_eq!(codes, ["L150", "L001"]);
    assert!(prepared(target(), Accept::BLOCKING).lower(&plan).is_err());
}

#[test]
fn file_names_are_opt_in() {
    let mapping = target().mapping().replace("\"file:name\" =", "\"file:nothing\" =").replace(
        "\n[unsupported]\n",
        "\n[[row]]\nproperty = \"file:name\"\ndata_source = \"file\"\nexpression = \"filename\"\nholds = \"text\"\n[unsupported]\n",
    );
    let options = stixc::targets::contract::Options::new(target(), Accept::DETECTION);
    let plan = lower(&pattern::parse("[file:name = 'a\"b\\\\c.exe']").unwrap()).plan;
    let content = Content::Compiled(target().prepare(Some(&mapping), options).unwrap().lower(&plan).unwrap());
    let memory = emit(target(), vec![Rule { origin: Arc::default(), content }]);
    assert!(memory.text("yara/stixc.yar").contains(r#"filename == "a\"b\\c.exe""#));
}

/// Metadata of a feed that wants to write more than metadata.
fn hostile() -> Origin {
    let bad = "x\"\n}\nrule evil { condition: true } /* {{name}} \\ \u{2028} //";
    let long = "é".repeat(9000);
    let moment = Timestamp::from_unix_seconds(1_700_000_000).ok();
    Origin {
        id: bad.to_owned(),
        sources: vec![bad.to_owned(), id(1)],
        name: bad.to_owned(),
        description: format!("{bad}{long}"),
        references: vec![bad.to_owned(), long.clone()],
        labels: vec![
            "malicious-activity".to_owned(),
            bad.to_owned(),
            "rule".to_owned(),
            "malicious activity".to_owned(),
        ],
        confidence: Some(75),
        tlp: Some(Tlp::AmberStrict),
        created: moment,
        modified: moment,
        valid_until: moment,
        creator: bad.to_owned(),
        malware: vec![bad.to_owned(), "with".to_owned()],
        threats: vec![long],
        techniques: vec!["T1059.001".to_owned()],
        pattern: bad.to_owned(),
    }
}

fn hostile_rules() -> Vec<Rule> {
    let name = "[file:extensions.'windows-pebinary-ext'.sections[*].name = '\"\n}//\u{85}']";
    let loss = "[file:hashes.MD5 = '00000000000000000000000000000001' OR file:hashes.MD5 = '\"\nrule evil']";
    let mut rules: Vec<Rule> = vec![Rule { origin: Arc::new(hostile()), content: content(target(), name).unwrap() }];
    rules.extend(emission::rules(target(), [("y\n".to_owned(), loss)]));
    rules
}

#[test]
fn hostile_text_adds_no_line() {
    let memory = emit(target(), hostile_rules());
    let text = memory.text("yara/stixc.yar");
    assert_eq!(text.lines().filter(|line| line.trim_start().starts_with("rule ")).count(), 2);
    assert!(text.lines().all(|line| line.len() < 9000));
    snapshot("escapes", &text.replace(&"é".repeat(2000), "…"));
}

#[test]
fn names_come_from_ids() {
    let memory = emit(target(), rules(FEED));
    assert_eq!(memory.names[&3], ["indicator_00000000_0000_4000_8000_000000000003"]);
    let odd = ["indicator--ABC", "indicator--00000000-0000-4000-8000-00000000000A"];
    let other = emission::rules(target(), odd.map(|id| (id.to_owned(), FEED[0])));
    let memory = emit(target(), other);
    assert!(memory.names.values().all(|names| names[0].starts_with("stixc_")), "{:?}", memory.names);
}

#[test]
fn ready_made_rules_stand_in_one_file_under_names_of_their_own() {
    let text = "import \"pe\"\nrule ready { meta: text = \"{{name}}\" condition: pe.is_pe } // end";
    assert!(target().read_native(text, &NativePolicy::default()).is_ok());
    let rule = |index| {
        let origin = Origin { id: id(index), sources: vec![id(index)], ..Origin::default() };
        Rule {
            origin: Arc::new(origin),
            content: Content::Native(NativeText { text: text.to_owned(), is_compiled: true, warnings: Vec::new() }),
        }
    };
    let memory = emit(target(), vec![rule(7), rule(8)]);
    let file = memory.text("yara/native.yar");
    assert_eq!(file.matches("import \"pe\"").count(), 1);
    assert_eq!(file.matches("{{name}}").count(), 2);
    let [first, second] = [&memory.names[&0][0], &memory.names[&1][0]];
    assert!(first.starts_with("ready_") && first != second, "{first} {second}");
    assert!(file.contains(&format!("rule {first} {{")) && file.contains(&id(8)), "{file}");
}

/// A folder with the file of rules.
fn save(memory: &Memory) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("stixc.yar"), memory.text("yara/stixc.yar")).unwrap();
    folder
}

fn yara(rules: &Path, sample: &Path) -> BTreeSet<String> {
    yara::matches(rules, sample)
}

fn yarax(rules: &Path, sample: &Path) -> BTreeSet<String> {
    let mut report = yara::yarax(rules, &[sample]);
    assert!(report.errors.is_empty() && report.warnings.is_empty(), "{report:?}");
    report.matches.remove(sample).unwrap()
}

/// Rules about the file `evil`, each in another way; upper-case digits in the patterns.
const EVIL: &[&str] = &[
    "[file:hashes.MD5 = '4034A346CCEE15292D823416F7510A2F']",
    "[file:hashes.'SHA-256' = '0E5FF82E0E1EF3D1E0AD2A0A5A0CA7A3C9A1C8ED9CE5D7F6A8E21A0B1F5B7F8E' OR artifact:payload_bin = b'ZXZpbA==']",
    "[file:hashes.MD5 = '4034a346ccee15292d823416f7510a2f' AND file:size = 4]",
    "[file:hashes.MD5 = '4034a346ccee15292d823416f7510a2f' AND file:size != 4]",
];

fn compiles_and_fires(scan: fn(&Path, &Path) -> BTreeSet<String>) {
    let scan =
        |folder: &TempDir, sample: &[u8]| scan(&folder.path().join("stixc.yar"), &file(folder, "sample", sample));
    for memory in [written(FEED), emit(target(), hostile_rules()), written(&[])] {
        scan(&save(&memory), b"x");
    }
    let folder = save(&written(EVIL));
    let found = scan(&folder, b"evil");
    let fired: Vec<bool> = (0..EVIL.len())
        .map(|index| {
            let own = id(index)[11..].replace('-', "_");
            found.iter().any(|name| name.contains(&own))
        })
        .collect();
    assert_eq!(fired, [true, true, true, false], "{found:?}");
    let near_miss = scan(&folder, b"evil\n");
    assert!(near_miss.is_empty(), "{near_miss:?}");
}

#[test]
#[ignore = "needs yara: tests/run installs it"]
fn yara_compiles_and_fires() {
    compiles_and_fires(yara);
}

#[test]
#[ignore = "needs yara-x: tests/run installs it"]
fn yarax_compiles_and_fires() {
    compiles_and_fires(yarax);
}

/// yara-x's compiler under the name of its program, which the Python package does not bring.
#[cfg(unix)]
const YR: &str = "\
import sys, yara_x
if sys.argv[1] == '--version':
    print('yr of the Python package')
    sys.exit()
compiler = yara_x.Compiler()
try:
    compiler.add_source(open(sys.argv[2]).read(), origin=sys.argv[2])
except yara_x.CompileError as error:
    sys.exit(str(error))
";

#[cfg(unix)]
#[test]
#[ignore = "needs yara-x: tests/run installs it"]
fn yarax_compiles_ready_made_rules_where_there_is_no_yara() {
    use crate::support::{feeds, program};
    use std::os::unix::fs::PermissionsExt;
    let outputs = feeds::Outputs::default();
    let (bin, feed, out) = (outputs.path("bin"), outputs.path("feed.json"), outputs.path("out"));
    fs::create_dir(&bin).unwrap();
    let python = support::validators::python_program();
    let run = format!("#!/bin/sh\nexec '{}' - \"$@\" <<'END'\n{YR}END\n", python.display());
    fs::write(format!("{bin}/yr"), run).unwrap();
    fs::set_permissions(format!("{bin}/yr"), fs::Permissions::from_mode(0o755)).unwrap();
    let native = |number, text: &str| {
        let mut native = feeds::indicator(number, text);
        native["pattern_type"] = "yara".into();
        native
    };
    let rules = [
        native(1, "rule good { strings: $a = \"paper lantern loader\" condition: $a }"),
        native(
            2,
            "import \"pe\" rule bad { strings: $a = \"paper lantern loader\" condition: $a and pe.no_such_field == 1 }",
        ),
        native(3, "rule other { strings: $a = \"another loader of theirs\" condition: $a at 7 }"),
    ];
    fs::write(&feed, serde_json::Value::from(rules.to_vec()).to_string()).unwrap();
    let report = outputs.path("report.json");
    let done = Command::new(env!("CARGO_BIN_EXE_stixc"))
        .args(["convert", &feed, "-t", "yara", "-o", &out, "--check-native", "require", "--report", &report])
        .env("PATH", &bin)
        .output()
        .unwrap();
    assert_eq!(program::code(&done), 0, "{}", program::errors(&done));
    assert!(program::errors(&done).contains("yr of the Python package"), "{}", program::errors(&done));
    let report: serde_json::Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    let verdict = |number: usize| report["indicators"][number]["targets"]["yara"]["verdict"].as_str().unwrap();
    assert_eq!([verdict(0), verdict(1), verdict(2)], ["exact", "refused", "exact"], "{report}");
    let refused = report["indicators"][1].to_string();
    assert!(refused.contains("R011") && refused.contains("no_such_field"), "{refused}");
    let written = fs::read_to_string(format!("{out}/yara/native.yar")).unwrap();
    assert!(
        written.contains("paper lantern") && written.contains("another loader") && !written.contains("no_such_field")
    );
}
