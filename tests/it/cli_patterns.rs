//! What the command line does with single patterns: their spelling, their place in a file, and what mends them there.

use crate::support::program;

use std::fs;

use program::{FEED, code, errors, files, stixc, text, write};

#[test]
fn fmt_prints_the_standard_spelling_and_changes_nothing_the_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        (
            "[ file:hashes.md5='79054025255fb1a26e4bc422aef54eb4' ]",
            "[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4']",
        ),
        ("[file:name = “x”]", "[file:name = 'x']"),
        ("[file:name = 'C:\\x']", "[file:name = 'C:\\\\x']"),
        ("[url:value = 'hxxp://evil[.]example/']", "[url:value = 'http://evil.example/']"),
        ("[ipv4-addr:value = '198.51.100.0/24']", "[ipv4-addr:value ISSUBSET '198.51.100.0/24']"),
        ("[network-traffic:dst_port = '443']", "[network-traffic:dst_port = 443]"),
        ("[a:b==1 and a:c<>2];", "[a:b = 1 AND a:c != 2]"),
        ("[a:b = 1 /* one */ OR a:b = 1]", "[a:b = 1 OR a:b = 1]"),
    ];
    let list: String = cases.iter().map(|(odd, _)| format!("{odd}\r\n")).collect();
    let list = write(&folder, "odd.txt", list);
    let expected: String = cases.iter().map(|(_, standard)| format!("{standard}\n")).collect();
    let output = stixc(&["fmt", "--patterns", list.to_str().unwrap()]);
    assert_eq!((code(&output), text(&output)), (0, expected.clone()), "{}", errors(&output));
    for warning in ["W009", "W003", "W002", "W010", "W015", "W126", "W005", "W008"] {
        assert!(errors(&output).contains(warning), "{warning} is not in {}", errors(&output));
    }
    let again = write(&folder, "standard.txt", &expected);
    let output = stixc(&["fmt", "--strict", "--patterns", again.to_str().unwrap()]);
    assert_eq!((code(&output), text(&output), errors(&output)), (0, expected, String::new()));
}

#[test]
fn fmt_refuses_what_it_can_not_read_and_prints_the_rest() {
    let output = stixc(&["fmt", "[a:b = ", "[a:b=1]"]);
    assert_eq!((code(&output), text(&output).as_str()), (1, "[a:b = 1]\n"), "{}", errors(&output));
    assert!(errors(&output).contains("[P0"), "{}", errors(&output));
    for odd in ["[a:b = 1];", "[file:hashes.md5 = '79054025255fb1a26e4bc422aef54eb4']"] {
        let output = stixc(&["fmt", "--strict", odd]);
        assert_eq!((code(&output), text(&output).as_str()), (1, ""), "{odd}");
        assert!(errors(&output).contains("error"), "{}", errors(&output));
    }
    assert_eq!(code(&stixc(&["fmt"])), 2);
    assert_eq!(code(&stixc(&["fmt", "--patterns", "/no/such/file"])), 3);
}

/// An indicator object whose pattern is this piece of JSON.
fn indicator(number: usize, pattern: &str) -> String {
    format!("{{\"type\": \"indicator\",  \"id\":\"indicator--{number}\", \"pattern\" : {pattern} ,\"name\":\"é\"}}")
}

/// Pieces of JSON, and what comes in their place.
const MENDED: [(&str, &str); 6] = [
    (r#""[url:value = \u0027hxxp://a.example/\u0027]""#, r#""[url:value = 'http://a.example/']""#),
    (r#""[file:name = \"a.exe\"]""#, r#""[file:name = 'a.exe']""#),
    (r#""[file:name = '\u00e9' and file:size = 1]""#, r#""[file:name = '\u00e9' AND file:size = 1]""#),
    (r#""[file:name = 'é' and file:size = 1]""#, r#""[file:name = 'é' AND file:size = 1]""#),
    // Only an error says what to do: nobody but the author can know that it is right.
    (r#""[file:name = 'a' AND file:size = 1""#, r#""[file:name = 'a' AND file:size = 1]""#),
    (r#""[network-traffic:dst_port = '443']""#, r#""[network-traffic:dst_port = 443]""#),
];

/// Patterns that nothing is to be done about.
const LEFT: [&str; 4] =
    [r#""[url:value='http://a.example/'\t]""#, r#""[\"""#, r#""[file:size = 'large' and file:size = 1]""#, "7"];

#[test]
fn check_fix_changes_patterns_and_not_a_byte_more() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = |pick: fn(&(&'static str, &'static str)) -> &'static str| {
        let mut objects: Vec<String> =
            MENDED.iter().map(pick).chain(LEFT).enumerate().map(|(n, p)| indicator(n, p)).collect();
        let odd = r#""[a:b = 1];""#;
        objects.push(format!(r#"{{"type":"report","pattern":{odd}}}"#));
        objects.push(format!(r#"{{"type":"indicator","id":"indicator--s","pattern_type":"sigma","pattern":{odd}}}"#));
        let (nested, own) = (format!(r#""x":{{"pattern":{odd},"y":["\"pattern\":",{odd}]}}"#), pick(&MENDED[0]));
        objects.push(format!(r#"{{{nested},"type":"indicator","id":"indicator--n","patt\u0065rn":{own}, "z":{odd}}}"#));
        format!("{{\"type\":\"bundle\",\r\n\t\"pattern\":{odd}, \"objects\":[\r\n{}\r\n]}} \r\n", objects.join("\r\n,"))
    };
    let (before, after) = (bundle(|pair| pair.0), bundle(|pair| pair.1));
    let feed = write(&folder, "bundle.json", &before);
    let lines = |pick: fn(&(&'static str, &'static str)) -> &'static str| -> String {
        MENDED.iter().map(pick).enumerate().map(|(n, p)| indicator(n, p) + "\n").collect()
    };
    let list = write(&folder, "lines.json", format!("\u{feff}{}", lines(|pair| pair.0)));
    let clean = write(&folder, "clean.json", lines(|pair| pair.1));
    let untouched = fs::metadata(&clean).unwrap().modified().unwrap();
    let path = folder.path().to_str().unwrap();
    let output = stixc(&["check", "--fix", path]);
    assert_eq!(fs::read_to_string(&feed).unwrap(), after, "{}", errors(&output));
    assert_eq!(fs::read_to_string(&list).unwrap(), format!("\u{feff}{}", lines(|pair| pair.1)));
    assert_eq!(fs::metadata(&clean).unwrap().modified().unwrap(), untouched);
    assert!(errors(&output).ends_with("fixed 13 patterns in 2 files\n"), "{}", errors(&output));
    // What is left is still wrong.
    assert_eq!(code(&output), 1);

    let written = fs::metadata(&feed).unwrap().modified().unwrap();
    let output = stixc(&["check", "--fix", path]);
    assert!(errors(&output).ends_with("fixed 0 patterns in 0 files\n"), "{}", errors(&output));
    assert_eq!(fs::metadata(&feed).unwrap().modified().unwrap(), written);
    assert_eq!(files(folder.path()).len(), 3, "something was left behind");
}

#[cfg(unix)]
#[test]
fn check_fix_keeps_links_and_permissions() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let feed = write(&folder, "feed", indicator(1, MENDED[0].0));
    fs::set_permissions(&feed, fs::Permissions::from_mode(0o600)).unwrap();
    let link = folder.path().join("link.json");
    symlink("feed", &link).unwrap();
    let output = stixc(&["check", "--fix", link.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert_eq!(fs::read_to_string(&feed).unwrap(), indicator(1, MENDED[0].1));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&feed).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn check_fix_needs_files() {
    for arguments in [
        &["check", "--fix", "-"][..],
        &["check", "--fix", "--pattern", "[a:b = 1];"],
        &["check", "--fix", "--strict", FEED],
        &["check", "--fix"],
    ] {
        assert_eq!(code(&stixc(arguments)), 2, "{arguments:?}");
    }
    assert_eq!(code(&stixc(&["check", "--fix", "/no/such/file"])), 3);
}

/// The results of a log, each of the form that SARIF 2.1.0 asks for.
fn sarif(arguments: &[&str]) -> Vec<serde_json::Value> {
    let output = stixc(&[&["check", "--format", "sarif"], arguments].concat());
    let log: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "stixc");
    let rules: Vec<&str> =
        driver["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert!(driver["rules"].as_array().unwrap().iter().all(|rule| rule["shortDescription"]["text"] != ""));
    let results = run["results"].as_array().unwrap();
    for result in results {
        assert!(rules.contains(&result["ruleId"].as_str().unwrap()), "{result:#}");
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()), "{result:#}");
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert_eq!(result["locations"].as_array().unwrap().len(), 1);
    }
    results.clone()
}

/// Where a result points, with the lines and columns of the file agreeing with its bytes.
fn pointed_at<'t>(result: &serde_json::Value, file: &'t str) -> &'t str {
    let region = &result["locations"][0]["physicalLocation"]["region"];
    let number = |name: &str| region[name].as_u64().unwrap_or_else(|| panic!("{name} in {result:#}")) as usize;
    let (start, length) = (number("byteOffset"), number("byteLength"));
    let text = &file[start..start + length];
    assert_eq!(region["snippet"]["text"], text);
    let before = &file[..start];
    let line = before.rsplit('\n').next().unwrap().trim_start_matches('\u{feff}');
    assert_eq!(number("startLine"), before.matches('\n').count() + 1, "{result:#}");
    assert_eq!(number("startColumn"), line.chars().count() + 1, "{result:#}");
    assert_eq!(
        (number("endLine"), number("endColumn")),
        (number("startLine"), number("startColumn") + text.chars().count())
    );
    text
}

#[test]
fn sarif_points_to_the_bytes_in_the_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let patterns = [
        (r#""[file:name = \u0027é\u0027 \u0061nd file:size = 1]""#, r"\u0061nd"),
        (r#""[file:name = '\ud83d\ude00é' AND file:name = \"a\"]""#, r#"\"a\""#),
        (r#""[network-traffic:dst_port = '\u003443']""#, r"'\u003443'"),
        (r#""[file:name = 'a' FOLLOWED BY file:size = 1]""#, "FOLLOWED"),
    ];
    // One after the other in one line, so that columns count across objects, and a line each.
    for separator in [" , ", "\r\n,\r\n\t"] {
        let objects: Vec<String> = patterns.iter().enumerate().map(|(n, (p, _))| indicator(n, p)).collect();
        let file = format!("\u{feff}{{\"type\":\"bundle\",\"name\":\"é\",\"objects\":[{}]}}", objects.join(separator));
        let path = write(&folder, "a bundle.json", &file);
        let results = sarif(&[path.to_str().unwrap()]);
        let found: Vec<&str> = results.iter().map(|result| pointed_at(result, &file)).collect();
        for (_, expected) in patterns {
            assert!(found.contains(&expected), "{expected} is not among {found:?}");
        }
        let uri = results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.starts_with("file:///") && uri.ends_with("/a%20bundle.json"), "{uri}");
    }
    let example = fs::read_to_string(FEED).unwrap();
    for result in sarif(&[FEED]) {
        pointed_at(&result, &example);
    }
}

#[test]
fn sarif_points_into_lists_and_names_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let file = "# é\r\n\r\n \u{a0}[a:b = 'é' and a:b = 1]\r\n";
    let path = write(&folder, "list.txt", file);
    let results = sarif(&["--patterns", path.to_str().unwrap(), "--pattern", "[a:b = 1];"]);
    let (listed, given): (Vec<_>, Vec<_>) =
        results.iter().partition(|result| result["locations"][0]["physicalLocation"].is_object());
    assert!(listed.iter().any(|result| pointed_at(result, file) == "and"), "{listed:#?}");
    assert!(!given.is_empty());
    assert!(given.iter().all(|result| result["locations"][0]["logicalLocations"][0]["name"] == "--pattern 1"));
}
