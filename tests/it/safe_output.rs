//! What happens to a good output: all files of a run take their places, or every byte stays as it was.

use crate::support::program;
#[cfg(all(feature = "store", feature = "taxii"))]
use crate::support::project;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use program::{code, errors, files, stixc};

const NOW: &str = "2024-06-01T00:00:00Z";
const ALL: &str = "sigma,suricata,yara,blocklist";

/// A folder with a list of patterns and an output.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Converts patterns into the output.
    fn convert(&self, patterns: &[String], targets: &str, more: &[&str]) -> Output {
        fs::write(self.path("patterns.txt"), patterns.join("\n")).unwrap();
        let (patterns, out) = (self.path("patterns.txt"), self.path("out"));
        let [patterns, out] = [&patterns, &out].map(|path| path.to_str().unwrap());
        stixc(&[&["convert", "--patterns", patterns, "-t", targets, "--now", NOW, "-o", out][..], more].concat())
    }

    fn outputs(&self) -> Vec<(PathBuf, Vec<u8>)> {
        files(&self.path("out"))
    }
}

fn names(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("[domain-name:value = 'host-{number}.example']")).collect()
}

fn addresses(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    texts.into_iter().map(|text| format!("[ipv4-addr:value = '{text}']")).collect()
}

#[test]
fn a_file_that_is_not_ours_is_neither_replaced_nor_removed() {
    let place = Place::new();
    let own = place.path("out/blocklist/domains.txt");
    // Of another, where no manifest lists it.
    fs::create_dir_all(place.path("out/blocklist")).unwrap();
    fs::write(&own, "mine.example\n").unwrap();
    let refused = |patterns: &[String], targets: &str, file: &str| {
        let before = place.outputs();
        let output = place.convert(patterns, targets, &[]);
        assert_eq!(code(&output), 5, "{}", errors(&output));
        assert!(errors(&output).contains(file) && errors(&output).contains("--force"), "{}", errors(&output));
        assert_eq!(place.outputs(), before, "{file}");
    };
    refused(&names(0..3), "blocklist", "domains.txt");
    assert_eq!(code(&place.convert(&names(0..3), "blocklist,sigma", &["--force"])), 0);
    assert_eq!(fs::read_to_string(&own).unwrap().lines().count(), 3);
    // Changed by another since; the same bytes are nobody's loss.
    fs::write(&own, "mine.example\n").unwrap();
    refused(&names(0..4), "blocklist,sigma", "domains.txt");
    fs::write(&own, "host-0.example\nhost-1.example\nhost-2.example\nhost-3.example\n").unwrap();
    assert_eq!(code(&place.convert(&names(0..4), "blocklist,sigma", &[])), 0);
    // A file that would go.
    let rule = files(&place.path("out/sigma")).into_iter().find(|(path, _)| path.ends_with("index.jsonl")).unwrap().1;
    let rule = String::from_utf8(rule).unwrap().lines().find_map(|line| Some(line.split_once("sigma/")?.1.to_owned()));
    let rule = place.path("out/sigma").join(rule.unwrap().split('"').next().unwrap());
    fs::write(&rule, "title: mine\n").unwrap();
    refused(&names(5..9), "blocklist,sigma", "sigma/");
    assert_eq!(code(&place.convert(&names(5..9), "blocklist,sigma", &["--force"])), 0);
    assert!(!rule.exists());
    // A folder where a file should be, a manifest of something else.
    fs::remove_file(&own).unwrap();
    fs::create_dir(&own).unwrap();
    refused(&names(5..9), "blocklist,sigma", "domains.txt");
    fs::remove_dir(&own).unwrap();
    fs::write(place.path("out/manifest.json"), r#"{"name": "App", "icons": []}"#).unwrap();
    refused(&names(5..9), "blocklist,sigma", "manifest.json");
    assert_eq!(code(&place.convert(&names(5..9), "blocklist,sigma", &["--force"])), 0);
    assert_eq!(code(&place.convert(&names(5..9), "blocklist,sigma", &[])), 0);
}

#[test]
fn the_lock_is_for_all_to_change() {
    let place = Place::new();
    assert_eq!(code(&place.convert(&names(0..3), "suricata", &[])), 0);
    let lock = place.path("out/stixc.lock");
    let text = fs::read_to_string(&lock).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    // As after a conflict in which the other branch was right.
    fs::write(&lock, format!("{}\n", rows[..rows.len() - 1].join("\n"))).unwrap();
    let output = place.convert(&names(0..4), "suricata", &[]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
}

#[test]
fn a_manifest_of_an_earlier_version_is_taken_over() {
    let place = Place::new();
    assert_eq!(code(&place.convert(&names(0..30), ALL, &[])), 0);
    let new = fs::read(place.path("out/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&new).unwrap();
    let paths: Vec<&String> = manifest["files"].as_object().unwrap().keys().collect();
    let old = serde_json::json!({"schema": "stixc-manifest/1", "files": paths}).to_string();
    fs::write(place.path("out/manifest.json"), &old).unwrap();
    // What is gone counts all the same.
    let output = place.convert(&names(0..5), ALL, &[]);
    assert_eq!(code(&output), 5, "{}", errors(&output));
    assert_eq!(fs::read_to_string(place.path("out/manifest.json")).unwrap(), old);
    assert_eq!(code(&place.convert(&names(0..30), ALL, &[])), 0);
    assert_eq!(fs::read(place.path("out/manifest.json")).unwrap(), new);
    let domains = &manifest["files"]["blocklist/domains.txt"];
    assert_eq!((domains["holds"]["domain"].as_u64(), domains["sha256"].as_str().unwrap().len()), (Some(30), 64));
}

#[test]
fn an_error_in_one_target_leaves_every_byte() {
    let place = Place::new();
    assert_eq!(code(&place.convert(&names(0..3), ALL, &[])), 0);
    let before = place.outputs();
    fs::create_dir_all(place.path("templates/yara")).unwrap();
    fs::write(place.path("templates/yara/rules.hbs"), "{{no_such_field}}").unwrap();
    let templates = place.path("templates");
    let mut patterns = names(0..9);
    patterns.push("[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4']".to_owned());
    let output = place.convert(&patterns, ALL, &["--templates", templates.to_str().unwrap()]);
    assert_eq!(code(&output), 2, "{}", errors(&output));
    assert_eq!(place.outputs(), before, "{}", errors(&output));
}

#[cfg(unix)]
#[test]
fn a_folder_that_can_not_be_changed_halfway_is_put_back() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    assert_eq!(code(&place.convert(&names(0..3), ALL, &[])), 0);
    let before = place.outputs();
    let yara = place.path("out/yara");
    fs::set_permissions(&yara, fs::Permissions::from_mode(0o555)).unwrap();
    // A process with all rights is not kept from anything.
    let is_kept = fs::write(yara.join("try"), "").is_err();
    let mut patterns = names(0..9);
    patterns.push("[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4']".to_owned());
    let output = place.convert(&patterns, ALL, &[]);
    fs::set_permissions(&yara, fs::Permissions::from_mode(0o755)).unwrap();
    if is_kept {
        assert_eq!(code(&output), 2, "{}", errors(&output));
        assert_eq!(place.outputs(), before, "{}", errors(&output));
    }
}

/// In a debug build the program ends itself at the step that it is told, as a kill would.
#[cfg(debug_assertions)]
#[test]
fn a_run_that_is_killed_at_any_step_leaves_the_old_files_or_the_new_ones() {
    let place = Place::new();
    let (old, new) = (names(0..8), names(4..12));
    // The lock keeps the numbers of rules that were, so the new files are those of a run over the old ones.
    assert_eq!(code(&place.convert(&old, ALL, &[])), 0);
    let before = place.outputs();
    assert_eq!(code(&place.convert(&new, ALL, &[])), 0);
    let after = place.outputs();
    let (mut killed, mut unchanged, mut halfway) = (0, 0, 0);
    for step in 1.. {
        fs::remove_dir_all(place.path("out")).unwrap();
        for (path, bytes) in &before {
            let path = place.path("out").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let (patterns, out) = (place.path("patterns.txt"), place.path("out"));
        let status = Command::new(env!("CARGO_BIN_EXE_stixc"))
            .args(["convert", "-t", ALL, "--now", NOW, "--patterns"])
            .args([&patterns, Path::new("-o"), &out])
            .env("STIXC_TEST_CRASH_AT", step.to_string())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        if status.success() {
            assert_eq!(place.outputs(), after);
            break;
        }
        assert_eq!(status.code(), None, "step {step}");
        killed += 1;
        let found: Vec<_> = place.outputs().into_iter().filter(|(path, _)| !path.starts_with(".stixc-new")).collect();
        // While files take their places each is an old one or a new one, whole.
        for file in found.iter().filter(|(path, _)| path != Path::new("manifest.json")) {
            assert!(before.contains(file) || after.contains(file), "step {step}: {}", file.0.display());
        }
        unchanged += usize::from(found == before);
        halfway += usize::from(found != before && found != after);
        let output = place.convert(&new, ALL, &[]);
        assert_eq!(code(&output), 0, "step {step}: {}", errors(&output));
        assert_eq!(place.outputs(), after, "step {step}");
    }
    // Files made, files put in place, and files removed: fewer would mean that steps have gone missing.
    assert!(unchanged > 10 && halfway > 10, "{killed} steps, {unchanged} before the first file, {halfway} after it");
}

#[cfg(unix)]
#[test]
fn a_folder_takes_one_run_at_a_time() {
    let place = Place::new();
    assert_eq!(code(&place.convert(&names(0..3), ALL, &[])), 0);
    let before = place.outputs();
    let other = fs::File::open(place.path("out")).unwrap();
    other.lock().unwrap();
    for more in [&[][..], &["--force"]] {
        let output = place.convert(&names(0..4), ALL, more);
        assert_eq!(code(&output), 5, "{}", errors(&output));
        assert!(errors(&output).contains("another run is writing into"), "{}", errors(&output));
        assert_eq!(place.outputs(), before);
    }
    drop(other);
    assert_eq!(code(&place.convert(&names(0..4), ALL, &[])), 0);
}

#[cfg(all(unix, feature = "store", feature = "taxii"))]
#[test]
fn a_build_waits_for_no_other_run_either() {
    use project::{Project, bundle, domain, folder, targets};
    let project = Project::new(&format!("{}{}", folder("own", "intel"), targets(&["blocklist"])));
    project.write("intel/a.json", bundle(&[domain(1)]));
    fs::create_dir_all(project.path("out")).unwrap();
    let other = fs::File::open(project.path("out")).unwrap();
    other.lock().unwrap();
    let output = project.build(&[]);
    assert_eq!(code(&output), 5, "{}", errors(&output));
    assert!(errors(&output).contains("another run is writing into"), "{}", errors(&output));
    drop(other);
    assert_eq!(code(&project.build(&[])), 0);
}

#[cfg(unix)]
#[test]
fn links_lead_to_what_is_written_or_stop_the_run() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    let is_link = |path: &Path| fs::symlink_metadata(path).unwrap().is_symlink();
    // One file of the user's choice is written where its link leads, also where nothing is there yet.
    fs::create_dir_all(place.path("elsewhere")).unwrap();
    let (link, again) = (place.path("report.json"), place.path("again.json"));
    symlink("elsewhere/report.json", &link).unwrap();
    symlink("report.json", &again).unwrap();
    for path in [&link, &again] {
        let output = place.convert(&names(0..3), "blocklist", &["--report", path.to_str().unwrap()]);
        assert_eq!(code(&output), 0, "{}", errors(&output));
        assert!(is_link(&link) && is_link(&again));
        assert!(fs::read_to_string(place.path("elsewhere/report.json")).unwrap().contains("stixc-report/1"));
        fs::remove_file(place.path("elsewhere/report.json")).unwrap();
    }
    let circle = place.path("circle.json");
    symlink("circle.json", &circle).unwrap();
    assert_eq!(code(&place.convert(&names(0..3), "blocklist", &["--report", circle.to_str().unwrap()])), 2);
    // A folder that is a link is the folder that it leads to.
    fs::remove_dir_all(place.path("out")).unwrap();
    symlink("elsewhere", place.path("out")).unwrap();
    fs::create_dir_all(place.path("lists")).unwrap();
    symlink("../lists", place.path("elsewhere/blocklist")).unwrap();
    assert_eq!(code(&place.convert(&names(0..3), "blocklist", &[])), 0);
    let list = place.path("lists/domains.txt");
    assert!(list.is_file() && is_link(&place.path("out")) && is_link(&place.path("out/blocklist")));
    // A file that has become a link is not the file that was written, whether it would change, go, or stay as it is.
    fs::rename(&list, place.path("mine.txt")).unwrap();
    symlink(place.path("mine.txt"), &list).unwrap();
    for (patterns, more) in [
        (names(0..4), &[][..]),
        (names(0..3), &[]),
        (names(0..3), &["--format", "ipv4"]),
        (addresses(["198.51.100.7".to_owned()]), &["--allow-shrink"]),
    ] {
        let output = place.convert(&patterns, "blocklist", more);
        assert_eq!(code(&output), 5, "{more:?}: {}", errors(&output));
        assert!(errors(&output).contains("domains.txt is a link"), "{}", errors(&output));
        assert!(is_link(&list) && fs::read_to_string(place.path("mine.txt")).unwrap().lines().count() == 3);
    }
    assert_eq!(code(&place.convert(&names(0..4), "blocklist", &["--force"])), 0);
    assert!(!is_link(&list) && fs::read_to_string(place.path("mine.txt")).unwrap().lines().count() == 3);
    for book in ["manifest.json", "stixc.lock"] {
        assert_eq!(code(&place.convert(&names(0..4), "blocklist,suricata", &[])), 0);
        let path = place.path("out").join(book);
        fs::rename(&path, place.path(book)).unwrap();
        symlink(place.path(book), &path).unwrap();
        let output = place.convert(&names(0..5), "blocklist,suricata", &[]);
        assert_eq!(code(&output), 5, "{book}: {}", errors(&output));
        fs::rename(place.path(book), &path).unwrap();
    }
}

/// What it shows, the patterns before and after, the flags, and the exit code.
type Step = (&'static str, Vec<String>, Vec<String>, &'static [&'static str], i32);

#[test]
fn what_shrinks_or_grows_is_counted_in_what_it_covers() {
    let cases: [Step; 12] = [
        ("half may go", names(0..40), names(0..20), &[], 0),
        ("more may not", names(0..40), names(0..19), &[], 5),
        ("unless more may", names(0..40), names(0..19), &["--max-shrink", "60%"], 0),
        ("or any", names(0..40), names(0..1), &["--max-shrink", "any"], 0),
        ("or this time", names(0..40), names(0..1), &["--allow-shrink"], 0),
        ("few may go", names(0..19), names(0..1), &[], 0),
        (
            "odd addresses joined by the even ones are more, in one prefix",
            addresses((0..128).map(|number| format!("198.51.100.{}", number * 2 + 1))),
            addresses((0..256).map(|number| format!("198.51.100.{number}"))),
            &[],
            0,
        ),
        (
            "and twice as many at that",
            addresses((0..128).map(|number| format!("198.51.100.{}", number * 2 + 1))),
            addresses((0..256).map(|number| format!("198.51.100.{number}"))),
            &["--max-grow", "1.5"],
            5,
        ),
        (
            "a prefix that goes is much",
            addresses((0..30).map(|number| format!("198.51.100.{}", number * 2)).chain(["203.0.112.0/20".to_owned()])),
            addresses((0..30).map(|number| format!("198.51.100.{}", number * 2))),
            &[],
            5,
        ),
        ("growth is no matter", names(0..40), names(0..400), &[], 0),
        ("unless it is", names(0..40), names(0..400), &["--max-grow", "9"], 5),
        ("and not this time", names(0..40), names(0..400), &["--max-grow", "9", "--allow-growth"], 0),
    ];
    for (case, old, new, more, expected) in cases {
        let place = Place::new();
        let first = place.convert(&old, "blocklist", &["--format", "ipv4,domains,nftables,hosts"]);
        assert_eq!(code(&first), 0, "{case}: {}", errors(&first));
        let before = place.outputs();
        let output = place.convert(&new, "blocklist", &[&["--format", "ipv4,domains,nftables,hosts"], more].concat());
        assert_eq!(code(&output), expected, "{case}: {}", errors(&output));
        assert_eq!(place.outputs() == before, expected == 5, "{case}");
    }
    let place = Place::new();
    assert_eq!(code(&place.convert(&names(0..40), "sigma", &[])), 0);
    let output = place.convert(&names(0..10), "sigma", &[]);
    assert_eq!(code(&output), 5, "{}", errors(&output));
    assert!(errors(&output).contains("rules") && errors(&output).contains("--allow-shrink"), "{}", errors(&output));
    for wrong in [["--max-shrink", "half"], ["--max-grow", "0"]] {
        assert_eq!(code(&place.convert(&names(0..10), "sigma", &wrong)), 2);
    }
}

#[cfg(all(feature = "store", feature = "taxii"))]
#[test]
fn a_folder_belongs_to_one_configuration() {
    use project::{Project, bundle, domain, folder, targets};
    let config = format!("{}{}", folder("own", "intel"), targets(&["blocklist"]));
    let project = Project::new(&config);
    project.write("intel/a.json", bundle(&[domain(1), domain(2)]));
    assert_eq!(code(&project.build(&[])), 0);
    let before = project.outputs();
    project.write("other.toml", config.replace(".sqlite", "-2.sqlite"));
    let other = |more: &[&str]| project.stixc(&[&["build", "--config", "other.toml"], more].concat());
    let by_hand = |more: &[&str]| {
        project
            .stixc(&[&["convert", "intel", "-t", "blocklist", "-o", "out", "--now", project::NOW][..], more].concat())
    };
    project.write("intel/a.json", bundle(&[domain(1), domain(3)]));
    for output in [other(&[]), other(&["--check"]), by_hand(&[])] {
        assert_eq!(code(&output), 5, "{}", errors(&output));
        assert!(errors(&output).contains("../stixc.toml"), "{}", errors(&output));
        project::assert_same(&project.outputs(), &before, "a folder of another");
    }
    assert_eq!(code(&other(&["--force"])), 0);
    assert_eq!(code(&project.build(&[])), 5);
    let output = by_hand(&["--force"]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    // What was converted by hand belongs to nobody.
    assert_eq!(code(&project.build(&[])), 0);
    // A file that was changed stops a build as well.
    fs::write(project.path("out/blocklist/domains.txt"), "mine.example\n").unwrap();
    project.write("intel/a.json", bundle(&[domain(4), domain(3)]));
    let output = project.build(&[]);
    assert_eq!(code(&output), 5, "{}", errors(&output));
    assert!(errors(&output).contains("domains.txt"), "{}", errors(&output));
    assert_eq!(code(&project.build(&["--force"])), 0);
}
