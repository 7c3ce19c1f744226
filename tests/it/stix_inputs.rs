//! Files, folders and what passes by.

use std::{
    fs,
    io::{self, Cursor, Read},
    path::Path,
};

use stixc::source::{Input, PatternLines, SourceError, inputs, spool};

fn text(input: &Input) -> String {
    let mut text = String::new();
    input.open().expect("an input that opens").read_to_string(&mut text).expect("UTF-8");
    text
}

/// The names of what was found below `folder`, and the codes of what could not be.
fn found(folder: &Path) -> (Vec<String>, Vec<String>) {
    let found = inputs([folder]);
    let name = |input: &Input| {
        Path::new(input.name()).strip_prefix(folder).expect("a path below").to_str().expect("UTF-8").replace('\\', "/")
    };
    (found.inputs.iter().map(name).collect(), found.errors.iter().map(|error| error.code().to_string()).collect())
}

#[test]
fn a_folder_is_its_bundles_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    for file in ["b.json", "a.stix2", "a/z.JSON", "a/b/c.json", "c.txt", "d.json.bak", ".hidden.json", ".git/x.json"] {
        let file = path.join(file);
        fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        fs::write(file, "{}").expect("a file");
    }
    fs::create_dir(path.join("e.json")).expect("a folder named like a file");
    assert_eq!(found(path), (vec!["a.stix2".into(), "a/b/c.json".into(), "a/z.JSON".into(), "b.json".into()], vec![]));
}

#[test]
fn a_folder_without_bundles_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("notes.txt"), "").expect("a file");
    let found = inputs([folder.path()]);
    assert!(found.inputs.is_empty());
    assert!(matches!(&found.errors[..], [SourceError::EmptyFolder { .. }]));
    assert_eq!(found.errors[0].diagnostic().code.0, "S002");
}

#[test]
fn what_is_missing_does_not_stop_the_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    let (good, missing) = (folder.path().join("good.txt"), folder.path().join("missing.json"));
    fs::write(&good, "{}").expect("a file");
    let found = inputs([&missing, &good]);
    assert_eq!(found.inputs.len(), 1, "a file that is named is read whatever its name ends in");
    assert_eq!(text(&found.inputs[0]), "{}");
    assert_eq!(found.errors[0].code().0, "S001");
    assert!(found.errors[0].to_string().contains("missing.json"), "{}", found.errors[0]);

    fs::remove_file(&good).expect("a file to remove");
    assert!(matches!(found.inputs[0].open(), Err(SourceError::Unreadable { .. })));
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_loops_are_safe() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::create_dir(path.join("real")).expect("a folder");
    fs::write(path.join("real/a.json"), "{}").expect("a file");
    symlink("..", path.join("real/up")).expect("a link");
    symlink("real", path.join("same")).expect("a link");
    symlink("real/a.json", path.join("link.json")).expect("a link");
    symlink("nowhere", path.join("broken.json")).expect("a link");
    symlink("nowhere", path.join("broken.txt")).expect("a link");
    symlink("loop.json", path.join("loop.json")).expect("a link");
    let (names, errors) = found(path);
    assert_eq!(names, ["link.json", "real/a.json"]);
    assert_eq!(errors, ["S001", "S001"]);
}

#[cfg(unix)]
#[test]
fn a_pipe_can_be_read_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::write(pipe, "{\"a\": 1}"))
    };
    let found = inputs([&pipe]);
    writer.join().expect("the writer").expect("a pipe to write to");
    assert_eq!(text(&found.inputs[0]), "{\"a\": 1}");
    assert_eq!(text(&found.inputs[0]), "{\"a\": 1}");
}

#[test]
fn readers_of_one_spooled_input_are_independent() {
    let input = spool("-", Cursor::new("0123456789".repeat(1000))).expect("a spooled input");
    assert_eq!((input.name(), input.length()), ("-", Some(10_000)));
    let (mut one, mut other) = (input.open().expect("a reader"), input.open().expect("a reader"));
    let (mut five, mut three) = ([0; 5], [0; 3]);
    one.read_exact(&mut five).expect("five bytes");
    other.read_exact(&mut three).expect("three bytes");
    one.read_exact(&mut five).expect("five more");
    assert_eq!((&five, &three), (b"56789", b"012"));
    assert_eq!(text(&input).len(), 10_000);
    let copy = input.clone();
    drop(input);
    assert_eq!(text(&copy).len(), 10_000);
}

#[test]
fn a_source_that_fails_is_an_error() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the line is dead"))
        }
    }
    let error = spool("-", Failing).expect_err("a failure");
    assert_eq!(error.code().0, "S014");
    assert!(error.to_string().contains("the line is dead"));
}

#[test]
fn pattern_files() {
    let file = b"\xEF\xBB\xBF# a comment\r\n\r\n [a:b = 1] \r\n[a:b = '\xFF']\n#[a:b = 2]\n\t\n[a:b = '#3']";
    let lines: Vec<_> = PatternLines::new(&file[..]).collect();
    assert_eq!(lines.len(), 3);
    let first = lines[0].as_ref().expect("a pattern");
    assert_eq!((first.line, first.offset, first.pattern.as_str()), (3, 19, "[a:b = 1]"));
    let fault = lines[1].as_ref().expect_err("not UTF-8");
    assert_eq!(fault.to_string(), "line 4, column 9 (byte 39): error[S015]: the line is not UTF-8");
    assert_eq!(file[39], 0xFF);
    let last = lines[2].as_ref().expect("a pattern");
    assert_eq!((last.line, last.pattern.as_str()), (7, "[a:b = '#3']"));
    assert_eq!(file[usize::try_from(last.offset).expect("small")], b'[');
    assert_eq!(PatternLines::new(&b""[..]).count(), 0);
    assert_eq!(PatternLines::new(&b"\xEF\xBB\xBF"[..]).count(), 0);
}

#[test]
fn a_pattern_line_beyond_the_limit_is_skipped() {
    let file = io::repeat(b'x').take(stixc::stix::OBJECT_LIMIT as u64 + 10).chain(&b"\n[a:b = 1]\n"[..]);
    let lines: Vec<_> = PatternLines::new(file).collect();
    assert_eq!(lines[0].as_ref().expect_err("too long").diagnostic.code.0, "S015");
    assert_eq!(lines[1].as_ref().expect("a pattern").line, 2);
}
