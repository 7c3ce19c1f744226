//! What an input may be, and what then happens to a good output: nothing, unless all of the input could be read.

use crate::support::{corpus, program};

use std::{fs, io::Write, path::Path, process::Output};

use program::{code, errors, files, stixc, text};

const NOW: &str = "2024-06-01T00:00:00Z";

fn indicator(number: usize, more: &str) -> String {
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-{number:012}","created":"2024-01-01T00:00:00Z","modified":"2024-01-01T00:00:00Z","pattern_type":"stix","valid_from":"2024-01-01T00:00:00Z"{more}}}"#
    )
}

fn good(number: usize) -> String {
    indicator(number, &format!(r#","pattern":"[domain-name:value = 'host-{number}.example']""#))
}

fn bundle(objects: &str) -> String {
    format!(r#"{{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000","objects":[{objects}]}}"#)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The name of an input, its bytes, the exit code, and what the message says. Those that end with 0 are written.
type Case = (&'static str, Vec<u8>, i32, &'static str);

fn cases() -> Vec<Case> {
    let ok = bundle(&good(1));
    let malware = r#"{"type":"malware","id":"malware--00000000-0000-4000-8000-000000000001","name":"m"}"#;
    let address =
        r#"{"type":"ipv4-addr","id":"ipv4-addr--00000000-0000-4000-8000-000000000001","value":"198.51.100.7"}"#;
    let text = |text: &str| text.as_bytes().to_vec();
    let latin =
        |text: &str| text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect::<Vec<u8>>();
    let many = bundle(&(1..400).map(good).collect::<Vec<_>>().join(",\n"));
    let lines = format!("{}\n{}\n", good(1), good(2));
    let cut = |text: &str, at: usize| text.as_bytes()[..at].to_vec();
    vec![
        // Whole inputs.
        ("ok.json", text(&ok), 0, "indicators 1"),
        ("mark.json", text(&format!("\u{feff}{ok}")), 0, "indicators 1"),
        ("returns.json", text(&ok.replace(',', ",\r\n")), 0, "indicators 1"),
        ("list.json", text(&format!("[{}]", good(1))), 0, "indicators 1"),
        ("object.json", text(&good(1)), 0, "indicators 1"),
        ("lines.jsonl", text(&lines), 0, "indicators 2"),
        ("bundles.jsonl", text(&format!("{ok}\n{ok}\n")), 0, "indicators 1"),
        ("envelope.json", text(&format!(r#"{{"more":false,"objects":[{}]}}"#, good(1))), 0, "indicators 1"),
        ("ok.json.gz", gzip(ok.as_bytes()), 0, "indicators 1"),
        ("parts.gz", [gzip(&ok.as_bytes()[..50]), gzip(&ok.as_bytes()[50..])].concat(), 0, "indicators 1"),
        // Inputs that end too early.
        ("half.json", cut(&many, many.len() / 2), 3, "S004"),
        ("last-bracket.json", cut(&ok, ok.len() - 1), 3, "S004"),
        ("last-list.json", cut(&ok, ok.len() - 2), 3, "S004"),
        ("in-a-string.json", cut(&ok, ok.len() - 30), 3, "S004"),
        ("first-byte.json", text("{"), 3, "S004"),
        ("in-a-key.json", text(r#"{"type":"bundle","obj"#), 3, "S004"),
        ("no-list.json", text(r#"{"type":"bundle""#), 3, "S004"),
        ("lines-cut.jsonl", cut(&lines, lines.len() - 20), 3, "S004"),
        (
            "cut.gz",
            {
                let packed = gzip(many.as_bytes());
                packed[..packed.len() / 2].to_vec()
            },
            3,
            "S001",
        ),
        ("behind.gz", [gzip(ok.as_bytes()), b"garbage".to_vec()].concat(), 3, "S001"),
        // What is not JSON.
        ("comma-two.json", text(&ok.replacen(r#""bundle","#, r#""bundle",,"#, 1)), 3, ":1:18: not JSON: a key"),
        (
            "comma-missing.json",
            text(&ok.replacen(r#""bundle","#, r#""bundle" "#, 1)),
            3,
            ":1:18: not JSON: a comma is missing",
        ),
        ("comma-between.json", text(&bundle(&format!("{}{}", good(1), good(2)))), 3, "S016"),
        ("comma-last.json", text(&bundle(&format!("{},", good(1)))), 3, "S016"),
        ("comma-alone.json", text(r#"{"type":"bundle",,}"#), 3, "S006"),
        ("behind.json", text(&format!("{ok} garbage")), 3, "S010"),
        ("bracket-behind.json", text(&format!("{ok}]")), 3, "S010"),
        ("word-between.json", text(&bundle(&format!("{},oops,{}", good(1), good(2)))), 3, "S010"),
        ("bad-object.json", text(&bundle(&format!("{},{}", good(1), r#"{"type":"note","id":5x}"#))), 3, "S006"),
        ("bad-indicator.json", text(&bundle(&good(1).replace("\"stix\"", "stix"))), 3, "S006"),
        ("single-quotes.json", text("{'type':'bundle','objects':[]}"), 3, "S006"),
        ("latin-1.json", latin(&ok.replace("host-1", "hôst-1")), 3, "not UTF-8"),
        (
            "latin-1-elsewhere.json",
            latin(&bundle(&format!("{},{}", good(1), malware.replace("\"m\"", "\"é\"")))),
            3,
            "not UTF-8",
        ),
        ("utf-16.json", ok.encode_utf16().flat_map(u16::to_le_bytes).collect(), 3, "S003"),
        ("empty.json", Vec::new(), 3, "S011"),
        ("blank.json", text(" \r\n\t"), 3, "S011"),
        // What is something else.
        ("string.json", text("\"str\""), 3, "neither a bundle nor objects"),
        ("null.json", text("null"), 3, "neither a bundle nor objects"),
        ("objects-null.json", text(r#"{"type":"bundle","objects":null}"#), 3, "`objects` is null"),
        ("objects-object.json", text(r#"{"objects":{"a":1}}"#), 3, "`objects` is an object"),
        ("objects-text.json", text(r#"{"type":"bundle","objects":"none"}"#), 3, "`objects` is a text"),
        ("no-type.json", text("{}"), 3, "S007"),
        ("error.json", text(r#"{"error":"rate limited"}"#), 3, "an error message of a server"),
        ("error-taxii.json", text(r#"{"title":"Forbidden","http_status":"403"}"#), 3, "an error message of a server"),
        ("roots.json", text(r#"{"title":"t","api_roots":["https://feed.example/api/"]}"#), 3, "stixc fetch"),
        ("page.html", text("<!DOCTYPE html><html><body>Please log in</body></html>"), 3, "HTML"),
        ("stix1.xml", text("<stix:STIX_Package xmlns:stix=\"http://stix.mitre.org/stix-1\"/>"), 3, "stix2-elevator"),
        ("values.csv", text("type,value\nip,198.51.100.7\ndomain,bad.example\n"), 3, "--patterns"),
        ("values.txt", text("bad.example\n198.51.100.7\n"), 3, "--patterns"),
        ("patterns.txt", text("[domain-name:value = 'bad.example']\n"), 3, "--patterns"),
        ("misp.json", text(r#"{"Event":{"info":"x","Attribute":[]}}"#), 3, "MISP"),
        ("misp-list.json", text(r#"{"response":[{"Event":{"info":"x"}}]}"#), 3, "MISP"),
        ("otx.json", text(r#"{"results":[{"name":"p","indicators":[]}]}"#), 3, "OTX"),
        ("ok.json.zst", b"\x28\xb5\x2f\xfd\x04\x58".to_vec(), 3, "zstd -dc"),
        ("ok.json.xz", b"\xfd7zXZ\0\0\x04".to_vec(), 3, "xz -dc"),
        ("ok.json.bz2", b"BZh91AY&SY".to_vec(), 3, "bzip2 -dc"),
        ("ok.7z", b"7z\xbc\xaf\x27\x1c\0\x04".to_vec(), 3, "7z x"),
        ("ok.tar", [b"ok.json", &[0; 250][..], b"ustar\0", &[0; 249]].concat(), 3, "tar -xOf"),
        ("report.pdf", text("%PDF-1.7\n%"), 3, "a PDF document"),
        ("nul-first.json", text(&format!("\0{ok}")), 3, "not JSON"),
        ("nul-behind.json", text(&format!("{ok}\0")), 3, "S010"),
        ("twice.gz", gzip(&gzip(ok.as_bytes())), 3, "gzip"),
        ("deep.json", text(&format!("{}{}{}", "[".repeat(5000), good(1), "]".repeat(5000))), 3, "S012"),
        (
            "report.json",
            text(r#"{"schema":"stixc-report/1","summary":{},"indicators":[]}"#),
            3,
            "that stixc has written",
        ),
        ("ok.zip", text("PK\x03\x04 and so on"), 3, "unzip"),
        // What is whole and holds no indicator.
        ("none.json", text(&bundle("")), 5, "no indicator among 0 objects"),
        ("none-list.json", text("[]"), 5, "no indicator among 0 objects"),
        ("none-envelope.json", text(r#"{"more":false}"#), 5, "no indicator among 0 objects"),
        ("object-typo.json", text(r#"{"type":"bundle","object":[]}"#), 5, "`object`"),
        ("no-objects.json", text(r#"{"type":"bundle","id":"bundle--1"}"#), 5, "no indicator among 0 objects"),
        (
            "others.json",
            text(&bundle(&format!("{malware},{address},{address}"))),
            5,
            "3 objects: ipv4-addr 2, malware 1",
        ),
        ("no-pattern.json", text(&bundle(&indicator(1, ""))), 5, "no indicator that can be used among 1 object"),
    ]
}

fn convert(input: &Path, more: &[&str]) -> Output {
    stixc(&[&["convert", input.to_str().unwrap(), "--now", NOW][..], more].concat())
}

/// Converts an input to standard output, and over a good output, and sees whether that has changed.
fn check(input: &Path, good: &Path, (name, expected, says): (&str, i32, &str)) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let targets = ["-t", "sigma,suricata,yara,blocklist", "-o", out.to_str().unwrap()];
    assert_eq!(code(&convert(good, &targets)), 0, "{name}");
    let before = files(&out);
    let output = convert(input, &targets);
    assert_eq!(code(&output), expected, "{name}: {}", errors(&output));
    assert!(errors(&output).contains(says), "{name}: {}", errors(&output));
    assert_eq!(files(&out) != before, expected == 0, "{name}: whether the output has changed");
    let output = convert(input, &["-t", "blocklist", "--format", "domains"]);
    assert_eq!(code(&output), expected, "{name}: {}", errors(&output));
    assert_eq!(text(&output).is_empty(), expected != 0, "{name}: {}", text(&output));
    let checked = stixc(&["check", input.to_str().unwrap()]);
    assert_eq!(code(&checked), expected, "{name}: {}", errors(&checked));
}

#[test]
fn an_input_is_read_to_its_end_or_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let before = folder.path().join("before.json");
    fs::write(&before, bundle(&[good(91), good(92)].join(","))).unwrap();
    for (name, bytes, expected, says) in cases() {
        let input = folder.path().join(name);
        fs::write(&input, bytes).unwrap();
        check(&input, &before, (name, expected, says));
    }
}

#[test]
#[ignore = "needs the cases beside the corpus"]
fn corpus_inputs_are_read_to_their_end_or_change_nothing() {
    let cases = corpus::folder().join("../cases/safe");
    let table = fs::read_to_string(cases.join("input.tsv")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let before = folder.path().join("before.json");
    fs::write(&before, bundle(&[good(91), good(92)].join(","))).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    assert!(rows.len() >= 33);
    for row in rows {
        assert_eq!(row[2] == "yes", row[1] == "0", "{row:?}");
        check(&cases.join("input").join(row[0]), &before, (row[0], row[1].parse().unwrap(), ""));
    }
}

#[test]
fn what_could_be_read_is_used_on_demand() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let cut = write("cut.json", &bundle(&[good(1), good(2)].join(","))[..500]);
    let whole = write("whole.json", &bundle(&good(3)));
    let missing = folder.path().join("missing.json").to_str().unwrap().to_owned();
    let run = |inputs: &[&str], more: &[&str]| {
        let arguments = ["-t", "blocklist", "--format", "domains", "--now", NOW];
        let output = stixc(&[&["convert"], inputs, &arguments[..], more].concat());
        (code(&output), text(&output))
    };
    for inputs in [[&*cut, &*whole], [&*missing, &*whole]] {
        assert_eq!(run(&inputs, &[]), (3, String::new()), "{inputs:?}");
    }
    let keep = ["--keep-going"];
    assert_eq!(run(&[&cut, &whole], &keep), (4, "host-1.example\nhost-3.example\n".to_owned()));
    assert_eq!(run(&[&missing, &whole], &keep), (4, "host-3.example\n".to_owned()));
    assert_eq!(run(&[&missing], &keep), (3, String::new()));
    assert_eq!(run(&[&whole], &keep), (0, "host-3.example\n".to_owned()));
    // Nothing of use is nothing, whatever else is asked.
    let none = write("none.json", &bundle(""));
    assert_eq!(run(&[&none], &keep), (5, String::new()));
    assert_eq!(run(&[&none], &["--allow-empty"]), (0, String::new()));
    assert_eq!(run(&[&none, &whole], &[]), (0, "host-3.example\n".to_owned()));
}

#[test]
fn an_argument_that_is_no_file_is_told_what_to_do_with_it() {
    for (argument, says) in [
        ("https://feed.example/taxii2/", "stixc fetch"),
        ("[domain-name:value = 'bad.example']", "--pattern"),
        ("no-such-file.json", "No such file"),
    ] {
        let output = stixc(&["convert", argument, "-t", "yara"]);
        assert_eq!(code(&output), 3, "{argument}: {}", errors(&output));
        assert!(errors(&output).contains(says), "{argument}: {}", errors(&output));
    }
}

#[test]
fn folders_and_standard_input_are_read_to_their_end_too() {
    use std::process::{Command, Stdio};
    let folder = tempfile::tempdir().unwrap();
    let ok = bundle(&good(1));
    let piped = |bytes: &[u8]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stixc"))
            .args(["convert", "-", "-t", "blocklist", "--format", "domains", "--now", NOW])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        let output = child.wait_with_output().unwrap();
        (code(&output), text(&output))
    };
    assert_eq!(piped(ok.as_bytes()), (0, "host-1.example\n".to_owned()));
    assert_eq!(piped(&gzip(ok.as_bytes())), (0, "host-1.example\n".to_owned()));
    assert_eq!(piped(&ok.as_bytes()[..ok.len() - 1]), (3, String::new()));
    assert_eq!(piped(b""), (3, String::new()));
    fs::write(folder.path().join("a.json"), &ok).unwrap();
    fs::write(folder.path().join("b.json.gz"), gzip(bundle(&good(2)).as_bytes())).unwrap();
    let run = || {
        let output = convert(folder.path(), &["-t", "blocklist", "--format", "domains"]);
        (code(&output), text(&output))
    };
    assert_eq!(run(), (0, "host-1.example\nhost-2.example\n".to_owned()));
    fs::write(folder.path().join("c.json"), "").unwrap();
    assert_eq!(run(), (3, String::new()));
}

#[test]
fn an_output_below_the_inputs_is_no_input() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.json"), bundle(&good(1))).unwrap();
    let out = folder.path().join("out");
    let run = || {
        let output = convert(folder.path(), &["-t", "sigma,suricata,yara,blocklist", "-o", out.to_str().unwrap()]);
        assert_eq!(code(&output), 0, "{}", errors(&output));
        assert!(!errors(&output).contains("error"), "{}", errors(&output));
        files(&out)
    };
    let first = run();
    assert_eq!(run(), first);
    // A manifest of something else makes no folder an output.
    fs::create_dir(folder.path().join("b")).unwrap();
    fs::write(folder.path().join("b/manifest.json"), bundle(&good(2))).unwrap();
    assert_ne!(run(), first);
}

#[test]
fn every_cut_is_found_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (input, out) = (path("feed.json"), path("out"));
    let observed = r#"{"type":"observed-data","id":"observed-data--1","first_observed":"2024-01-01T00:00:00Z","last_observed":"2024-01-01T00:00:00Z","number_observed":1,"objects":{"0":{"type":"domain-name","value":"host-1.example"}}}"#;
    let whole = bundle(&[good(1), observed.to_owned(), good(2)].join(","));
    fs::write(&input, &whole).unwrap();
    let pattern = "[domain-name:value = 'host-1.example']";
    let commands = [
        vec!["convert", &input, "-t", "blocklist", "-o", &out, "--now", NOW],
        vec!["check", &input],
        vec!["match", &input, "--data", &input],
        vec!["match", pattern, "--data", &input],
    ];
    for command in &commands {
        assert_eq!(code(&stixc(command)), 0, "{command:?}: {}", errors(&stixc(command)));
    }
    let before = files(Path::new(&out));
    for packed in [false, true] {
        let bytes = if packed { gzip(whole.as_bytes()) } else { whole.clone().into_bytes() };
        for at in (0..bytes.len()).step_by(37) {
            fs::write(&input, &bytes[..at]).unwrap();
            for command in &commands {
                let output = stixc(command);
                assert_eq!(code(&output), 3, "{at} {command:?}: {}", errors(&output));
                assert!(errors(&output).contains("error[S"), "{at} {command:?}: {}", errors(&output));
            }
            assert_eq!(files(Path::new(&out)), before, "{at}");
        }
    }
}

#[test]
fn mistakes_on_the_command_line_are_told_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir_all(path("templates/sigma")).unwrap();
    fs::write(path("templates/sigma/rule.hbs"), "title: {{title}}\n").unwrap();
    fs::write(path("templates/sigma/mapping.toml"), "").unwrap();
    fs::write(path("file"), "").unwrap();
    let pattern = "[domain-name:value = 'bad.example']";
    let run = |more: &[&str]| {
        let arguments = ["convert", "-t", "sigma", "-o", &path("out"), "--now", NOW];
        stixc(&[&arguments[..], more].concat())
    };
    let templates = path("templates");
    let with_templates = ["--pattern", pattern, "--templates", templates.as_str()];
    assert_eq!(code(&run(&with_templates)), 0);
    fs::remove_dir_all(path("out")).unwrap();
    for (name, more) in [
        ("nowhere", ["--pattern", pattern, "--templates", &path("nowhere")]),
        ("folder", ["--pattern", pattern, "--templates", &path("file")]),
        ("TARGET=FILE", ["--pattern", pattern, "--mapping", &path("file")]),
        ("--pattern 2", ["--pattern", pattern, "--pattern", "[domain-name:value = "]),
    ] {
        let output = run(&more);
        assert_eq!(code(&output), 2, "{name}: {}", errors(&output));
        assert!(errors(&output).contains(name), "{name}: {}", errors(&output));
        assert!(!Path::new(&path("out")).exists(), "{name}");
    }
    for unknown in ["templates/sigma/rules.hbs", "templates/rule.hbs", "templates/sigmar/rule.hbs"] {
        let file = path(unknown);
        fs::create_dir_all(Path::new(&file).parent().unwrap()).unwrap();
        fs::write(&file, "").unwrap();
        let output = run(&with_templates);
        assert_eq!(code(&output), 2, "{unknown}: {}", errors(&output));
        assert!(errors(&output).contains("no format has such a template"), "{unknown}: {}", errors(&output));
        fs::remove_file(&file).unwrap();
    }
    assert_eq!(code(&stixc(&["explain", "[domain-name:value = "])), 2);
}

#[test]
fn sigma_on_standard_output_is_one_stream_of_documents() {
    let folder = tempfile::tempdir().unwrap();
    let feed = folder.path().join("feed.json");
    let native = indicator(3, r#","name":"n","pattern":"title: Mine\nid: 3d2b1c58-7a3c-4f0e-9d7a-0c6f7f2d5a11\nlogsource:\n  category: process_creation\ndetection:\n  a:\n    Image|endswith: '\\\\bad-tool-9.exe'\n  condition: a\n""#)
        .replace("\"stix\"", "\"sigma\"");
    fs::write(&feed, bundle(&[good(1), good(2), native].join(","))).unwrap();
    let output = convert(&feed, &["-t", "sigma"]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let out = folder.path().join("out");
    assert_eq!(code(&convert(&feed, &["-t", "sigma", "-o", out.to_str().unwrap()])), 0);
    let rules = files(&out).into_iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "yml"));
    let mut rules: Vec<String> = rules.map(|(_, bytes)| String::from_utf8(bytes).unwrap()).collect();
    let stream = text(&output);
    let mut documents: Vec<String> = stream.split("\n---\n").map(|text| format!("{}\n", text.trim_end())).collect();
    rules.iter_mut().for_each(|rule| *rule = format!("{}\n", rule.trim_end()));
    [&mut rules, &mut documents].into_iter().for_each(|all| all.sort());
    assert!(rules.len() > 3);
    assert_eq!(documents, rules);
}

#[test]
fn nobody_who_reads_on_is_no_failure() {
    use std::process::{Command, Stdio};
    let folder = tempfile::tempdir().unwrap();
    let feed = folder.path().join("feed.json");
    fs::write(&feed, bundle(&(1..2000).map(good).collect::<Vec<_>>().join(","))).unwrap();
    let feed = feed.to_str().unwrap();
    let bad = folder.path().join("bad.txt");
    fs::write(&bad, "[mutex\n".repeat(2000)).unwrap();
    let bad = bad.to_str().unwrap();
    for arguments in [
        &["convert", feed, "-t", "sigma", "--now", NOW][..],
        &["convert", feed, "-t", "suricata", "--format", "rules", "--now", NOW],
        &["convert", feed, "-t", "blocklist", "--format", "domains", "--now", NOW],
        &["check", "--patterns", bad],
        &["explain", "codes"],
        &["targets", "--matrix"],
        &["templates", "list"],
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stixc"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 0, "{arguments:?}: {}", errors(&output));
        assert!(!errors(&output).contains("error") && !errors(&output).contains("panicked"), "{}", errors(&output));
        // Nor is one who does not read what goes wrong.
        let mut child = Command::new(env!("CARGO_BIN_EXE_stixc"))
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stderr.take());
        assert!(child.wait().unwrap().code().is_some_and(|code| code < 2), "{arguments:?}");
    }
}

/// Objects in several orders.
fn orders(objects: &[String]) -> Vec<Vec<String>> {
    let half = objects.len() / 2;
    let rotated = objects.iter().cycle().skip(half).take(objects.len()).cloned().collect();
    let mut mixed: Vec<(u64, String)> = (1..).zip(objects.iter().cloned()).collect();
    mixed.sort_by_key(|(number, _)| number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let reversed = objects.iter().rev().cloned().collect();
    vec![objects.to_vec(), reversed, rotated, mixed.into_iter().map(|(_, object)| object).collect()]
}

/// The outputs of all orders of these lines, which have to be the same, and what was said.
fn shuffled(objects: &[String], targets: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut first = None;
    for (number, order) in orders(objects).into_iter().enumerate() {
        let feed = folder.path().join("feed.json");
        fs::write(&feed, order.join("\n")).unwrap();
        let out = folder.path().join(number.to_string());
        let output = convert(&feed, &["-t", targets, "-o", out.to_str().unwrap(), "--provenance"]);
        assert!(matches!(code(&output), 0 | 4), "{}", errors(&output));
        let warning = errors(&output).lines().find(|line| line.contains("S019")).unwrap_or_default().to_owned();
        let found = (files(&out), warning);
        let (files, warning) = first.get_or_insert_with(|| found.clone());
        for ((path, one), (_, other)) in files.iter().zip(&found.0) {
            assert!(one == other, "order {number}: {} differs", path.display());
        }
        assert_eq!((files.len(), warning.as_str()), (found.0.len(), found.1.as_str()));
    }
    first.unwrap().1
}

#[test]
fn copies_of_one_version_give_the_same_bytes_in_any_order() {
    let with = |number, more: &str| {
        indicator(number, &format!(r#","pattern":"[domain-name:value = 'host-{number}.example']"{more}"#))
    };
    let named = |number, name: &str| with(number, &format!(r#","name":"{name}""#));
    let other = |number| good(number).replace(".example'", ".example.net'");
    let newer = good(4).replace(r#""modified":"2024-01-01"#, r#""modified":"2024-02-01"#);
    let revoked = with(5, r#","revoked":true"#);
    let objects = [
        named(1, "Alpha"),
        named(1, "Beta"),
        named(1, "Gamma"),
        with(2, r#","confidence":10"#),
        with(2, r#","confidence":90"#),
        other(2),
        good(3),
        good(3).replace(",\"", ", \""),
        named(4, "Old"),
        named(4, "Older"),
        newer,
        good(5),
        revoked,
        good(6),
        named(7, "A"),
        with(7, r#","name":"A","labels":["x"]"#),
    ];
    let warning = shuffled(&objects, "sigma,suricata,yara,blocklist");
    // 1, 2, 5 and 7; the contents of 3 are the same, and the newest version of 4 has one only.
    let expected = "4 indicators come with one `modified` and different contents, \
                    indicator--00000000-0000-4000-8000-000000000001 among them";
    assert!(warning.contains(expected), "{warning}");
    assert_eq!(shuffled(&objects[6..8], "sigma"), "");
}

/// What the files of a feed give in a build: each order in a project of its own.
#[cfg(all(feature = "store", feature = "taxii"))]
#[test]
fn copies_of_one_version_give_a_build_the_same_bytes_in_any_order_as_a_conversion() {
    use crate::support::project::{self, Project, folder, targets};
    let named =
        |name: &str| indicator(1, &format!(r#","pattern":"[domain-name:value = 'host-1.example']","name":"{name}""#));
    let other = |name: &str| named(name).replace("host-1.", "host-2.");
    let objects = [named("Alpha"), other("Beta"), named("Gamma"), other("Delta"), good(3)];
    let config = format!("{}{}", folder("own", "intel"), targets(&["sigma", "blocklist"]));
    let mut found = Vec::new();
    for order in orders(&objects) {
        let project = Project::new(&config);
        project.write("intel/a.json", order.join("\n"));
        let output = project.build(&[]);
        assert_eq!(code(&output), 0, "{}", errors(&output));
        assert!(errors(&output).contains("S019"), "{}", errors(&output));
        let by_hand = ["convert", "intel", "-t", "sigma,blocklist", "-o", "by-hand", "--now", project::NOW];
        assert_eq!(code(&project.stixc(&by_hand)), 0);
        let rules = |name: &str| {
            let files = files(&project.path(name)).into_iter();
            files.filter(|(path, _)| !path.ends_with("manifest.json")).collect::<Vec<_>>()
        };
        found.push(rules("out"));
        project::assert_same(&rules("by-hand"), &found[0], "converted");
    }
    found.iter().for_each(|files| project::assert_same(files, &found[0], "another order"));
}

#[cfg(all(feature = "store", feature = "taxii"))]
#[test]
fn a_build_tells_of_an_object_that_is_not_json_whatever_its_type() {
    use crate::support::project::{Project, folder, targets};
    let project = Project::new(&format!("{}{}", folder("own", "intel"), targets(&["blocklist"])));
    project.write("intel/a.json", [good(1), good(2)].join("\n"));
    assert_eq!(code(&project.build(&[])), 0);
    let before = project.outputs();
    for broken in [r#"{"type":"note","id":"note--1","abstract":5x}"#, r#"{"type":"note","abstract":5x}"#] {
        project.write("intel/a.json", [good(1), broken.to_owned(), good(2)].join("\n"));
        let output = project.build(&[]);
        assert_eq!(code(&output), 4, "{}", errors(&output));
        let place = "intel/a.json:2:";
        assert!(errors(&output).contains(place) && errors(&output).contains("S006"), "{}", errors(&output));
        assert_eq!(project.outputs(), before);
    }
    // Without its id nobody knows which one it is that can't be read: nothing is removed.
    project.write("intel/a.json", [good(1), good(2).replace("\"id\"", "id")].join("\n"));
    assert_eq!(code(&project.build(&[])), 4);
    assert_eq!(project.outputs(), before);
}

#[test]
#[ignore = "needs the corpus"]
fn corpus_copies_give_the_same_bytes_in_any_order() {
    let rows: Vec<String> = corpus::read("indicators.jsonl").lines().map(str::to_owned).collect();
    let id = |row: &str| serde_json::from_str::<serde_json::Value>(row).unwrap()["id"].as_str().map(str::to_owned);
    let mut by_id: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    rows.into_iter().for_each(|row| by_id.entry(id(&row).unwrap_or_default()).or_default().push(row));
    let copies: Vec<String> = by_id.into_values().filter(|rows| rows.len() > 1).flatten().collect();
    assert!(copies.len() > 1000, "{}", copies.len());
    let warning = shuffled(&copies, "sigma,suricata,yara,blocklist");
    assert!(warning.contains("indicators come with one `modified`"), "{warning}");
}
