//! `stixc fetch` as it is run.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};

use crate::support::server::{Reply, Server, assert_holds, ids, indicators};

fn stixc(arguments: &[&str]) -> Output {
    stixc_with(arguments, &[])
}

fn stixc_with(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stixc"))
        .arg("fetch")
        .args(arguments)
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Collections `a` and `b` of ten objects each, and `broken`.
fn three_collections() -> Server {
    Server::start(|request, _| match request.path.as_str() {
        "/root/collections/a/objects/" => Reply::json(&json!({"objects": indicators(0..10)})),
        "/root/collections/b/objects/" => Reply::json(&json!({"objects": indicators(10..20)})),
        "/root/collections/broken/objects/" => Reply::new(403, r#"{"title":"not for you"}"#),
        _ => Reply::new(404, "{}"),
    })
}

#[test]
fn a_collection_that_fails_does_not_stop_the_others() {
    let server = three_collections();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bundle.json");
    let path = file.display().to_string();
    let url = server.url("/root/");
    let output = stixc(&[&url, "--collection", "a", "--collection", "broken", "--collection", "b", "-o", &path]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert_holds(&fs::read_to_string(&file).unwrap(), 0..20);
    let errors = text(&output.stderr);
    assert!(errors.contains("S033") && errors.contains("not for you"), "{errors}");

    // Nothing at all: the file stays as it was.
    let before = fs::read(&file).unwrap();
    let output = stixc(&[&url, "--collection", "broken", "-o", &path]);
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(fs::read(&file).unwrap(), before);
}

/// What reads a pipe can't see the exit code of what writes to it.
#[test]
fn a_part_of_the_collections_is_no_whole_bundle_on_a_pipe() {
    let server = three_collections();
    let url = server.url("/root/");
    let folder = tempfile::tempdir().unwrap();
    let convert = |bundle: &[u8]| {
        let file = folder.path().join("piped.json");
        fs::write(&file, bundle).unwrap();
        let out = folder.path().join("out");
        let output = Command::new(env!("CARGO_BIN_EXE_stixc"))
            .args(["convert", "-t", "blocklist", "-o", out.to_str().unwrap(), "-"])
            .stdin(fs::File::open(&file).unwrap())
            .output()
            .unwrap();
        (output.status.code(), out.join("blocklist").exists())
    };
    let whole = stixc(&[&url, "--collection", "a", "--collection", "b"]);
    assert_eq!(whole.status.code(), Some(0), "{}", text(&whole.stderr));
    for collections in [&["a", "broken", "b"][..], &["broken", "a"], &["broken"]] {
        let arguments = collections.iter().flat_map(|name| ["--collection", name]);
        let output = stixc(&[url.as_str()].into_iter().chain(arguments).collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
        assert_eq!(convert(&output.stdout), (Some(3), false), "{collections:?}");
    }
    assert_eq!(convert(&whole.stdout), (Some(0), true));
}

#[test]
fn a_cursor_file_lets_the_next_run_go_on() {
    let server = Server::start(|request, _| {
        let (from, to, last) = match request.has("added_after") {
            None => (0, 5, "2026-01-01T00:00:00.000000Z"),
            Some("2025-12-31T23:55:00.000000Z") => (5, 7, "2026-01-02T00:00:00.000000Z"),
            Some(_) => return Reply::new(403, "{}"),
        };
        Reply::json(&json!({"more": false, "objects": indicators(from..to)})).last_added(last)
    });
    let folder = tempfile::tempdir().unwrap();
    let cursor = folder.path().join("cursor");
    let url = server.url("/root/collections/c/");
    let arguments = [url.as_str(), "--cursor", cursor.to_str().unwrap()];
    let kept = || fs::read_to_string(&cursor).unwrap();
    let output = stixc(&arguments);
    assert_holds(&text(&output.stdout), 0..5);
    assert_eq!(kept(), "2026-01-01T00:00:00.000000Z\n");
    assert_holds(&text(&stixc(&arguments).stdout), 5..7);
    assert_eq!(kept(), "2026-01-02T00:00:00.000000Z\n");
    // A poll that fails keeps it.
    assert_eq!(stixc(&arguments).status.code(), Some(4));
    assert_eq!(kept(), "2026-01-02T00:00:00.000000Z\n");
    // A cursor that is none is not overwritten either.
    fs::write(&cursor, "garbage").unwrap();
    assert_eq!(stixc(&arguments).status.code(), Some(2));
    assert_eq!(kept(), "garbage");
}

#[test]
fn a_bundle_is_downloaded() {
    let server = Server::scripted(vec![Reply::new(200, json!(indicators(0..4)).to_string())]);
    let output = stixc(&[&server.url("/all.json"), "--bundle"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_holds(&text(&output.stdout), 0..4);
}

#[test]
fn a_bundle_that_is_still_the_same_leaves_the_file_alone() {
    let server = Server::start(|request, _| match request.headers.get("if-none-match") {
        Some(_) => Reply::new(304, ""),
        None => Reply::new(200, json!(indicators(0..4)).to_string()).with("ETag", "\"v1\""),
    });
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (file, cursor, url) = (path("bundle.json"), path("cursor"), server.url("/all.json"));
    for _ in 0..2 {
        let output = stixc(&[&url, "--bundle", "--cursor", &cursor, "-o", &file]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_holds(&fs::read_to_string(&file).unwrap(), 0..4);
        assert_eq!(fs::read_to_string(&cursor).unwrap(), "\"v1\"\n");
    }
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn collections_are_listed() {
    let server = Server::start(|request, _| match request.path.as_str() {
        "/taxii2/" => Reply::json(&json!({"title": "t", "api_roots": ["/dead/", "/root/"]})),
        "/root/collections/" => Reply::json(&json!({"collections": [
            {"id": "all-iocs", "title": "All\u{1b}[2J", "can_read": true}, {"id": "inbox", "can_read": false},
        ]})),
        _ => Reply::new(404, "{}"),
    });
    let output = stixc(&[&server.url("/taxii2/"), "--list"]);
    let root = server.url("/root/");
    let lines: Vec<_> = text(&output.stdout).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2, "{}", text(&output.stderr));
    assert!(lines[0].starts_with("all-iocs\tAll") && lines[0].ends_with(&format!("\tread\t{root}")), "{lines:?}");
    assert!(!lines[0].contains('\u{1b}'));
    assert_eq!(lines[1], format!("inbox\t\tno read\t{root}"));
}

/// A server that repeats whatever it was sent, on each way that a program may print.
fn parrot(status: u16) -> Server {
    Server::start(move |request, number| {
        let said = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(" ");
        let body = match (status, number) {
            (200, 0) => json!({"more": true, "next": said, "objects": indicators(0..1)}),
            (200, _) => json!({"more": false, "objects": indicators(1..2)}),
            _ => json!({"title": said, "description": said}),
        };
        Reply::new(status, body.to_string())
            .with("Content-Type", format!("application/{said}"))
            .with("X-Echo", said.clone())
            .with("Retry-After", "0")
            .with("X-TAXII-Date-Added-Last", said)
    })
}

#[test]
fn no_output_at_any_level_shows_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, "sesame-open\n").unwrap();
    private(&key);
    let (file, basic) = (format!("file:{}", key.display()), "Omd1ZXN0OnNlc2FtZS1vcGVu");
    let ways: [&[&str]; 5] = [
        &["--token", "env:STIXC_TEST_KEY"],
        &["--token", &file],
        &["--token", "command:printf 'sesame-%s' open"],
        &["--user", "", "--password", "env:STIXC_TEST_KEY"],
        &["--header", "X-API-Key=env:STIXC_TEST_KEY"],
    ];
    for status in [200, 401, 429, 500] {
        for way in ways {
            let server = parrot(status);
            let url = server.url("/root/collections/c/");
            let cursor = folder.path().join("cursor");
            let arguments =
                [&[url.as_str(), "-vvv", "--attempts", "1", "--cursor", cursor.to_str().unwrap()], way].concat();
            let output = stixc_with(&arguments, &[("STIXC_TEST_KEY", "sesame-open")]);
            let sent = format!("{:?}", server.requests()[0].headers);
            assert!(sent.contains("sesame-open") || sent.contains("OnNlc2FtZS1vcGVu"), "{sent}");
            assert_eq!(output.status.code(), Some(if status == 200 { 0 } else { 4 }), "{}", text(&output.stderr));
            let mut shown = text(&output.stdout) + &text(&output.stderr);
            shown.push_str(&fs::read_to_string(&cursor).unwrap_or_default());
            for secret in ["sesame-open", basic, "OnNlc2FtZS1vcGVu"] {
                assert!(!shown.contains(secret), "{status} {way:?}: {shown}");
            }
            assert!(shown.contains("> GET ") && shown.contains("***"), "{shown}");
        }
    }
}

#[test]
fn secrets_come_from_safe_places_only() {
    let server = three_collections();
    let url = server.url("/root/collections/a/");
    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("open");
    fs::write(&open, "sesame").unwrap();
    let open = format!("file:{}", open.display());
    for (arguments, code) in [
        (vec!["--token", "sesame"], "S024"),
        (vec!["--header", "X-Key=sesame"], "S024"),
        (vec!["--token", "env:STIXC_TEST_NOT_SET"], "S023"),
        (vec!["--token", "file:/no/such/file"], "S023"),
        (vec!["--token", "command:exit 7"], "S023"),
        #[cfg(unix)]
        (vec!["--token", &open], "S063"),
    ] {
        let output = stixc(&[&[url.as_str()], &arguments[..]].concat());
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(code) && !errors.contains("sesame"), "{arguments:?}: {errors}");
    }
    let output = stixc(&[&url, "--header", "sesame"]);
    assert!(output.status.code() == Some(2) && !text(&output.stderr).contains("sesame"));
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn the_proxy_of_the_environment_is_asked_unless_it_is_told_not_to() {
    let proxy = three_collections();
    let here = proxy.url("");
    let variables = [("http_proxy", here.as_str())];
    let url = "http://feed.invalid/root/collections/a/";
    assert_holds(&text(&stixc_with(&[url], &variables).stdout), 0..10);
    assert!(proxy.requests()[0].target.starts_with(url));
    let before = proxy.requests().len();
    for (arguments, more) in [(vec![url, "--proxy", "none"], None), (vec![url], Some(("no_proxy", "feed.invalid")))] {
        let variables: Vec<_> = variables.iter().copied().chain(more).collect();
        let output = stixc_with(&[&arguments[..], &["--attempts", "1"]].concat(), &variables);
        assert_eq!(output.status.code(), Some(4));
        assert!(text(&output.stderr).contains("S026"), "{}", text(&output.stderr));
    }
    // This machine is reached directly.
    assert_holds(
        &text(&stixc_with(&[&proxy.url("/root/collections/b/")], &[("http_proxy", "http://127.0.0.1:9")]).stdout),
        10..20,
    );
    assert_eq!(proxy.requests().len(), before + 1);
}

/// 10 GB that are announced, and 10 GB that are not but unpack from little.
#[test]
fn a_page_of_ten_gigabytes_ends_at_once() {
    let announced = Reply { times: 10_000_000_000 / 4096, ..Reply::new(200, vec![b' '; 4096]) };
    let bomb = crate::taxii::hostile::gzip(&vec![b' '; 300 << 20]);
    for reply in [announced, Reply::new(200, bomb).with("Content-Encoding", "gzip")] {
        let server = Server::scripted(vec![reply]);
        let output = stixc(&[&server.url("/root/collections/c/")]);
        assert_eq!(output.status.code(), Some(4));
        assert!(text(&output.stderr).contains("S043"), "{}", text(&output.stderr));
    }
}

#[test]
fn every_limit_can_be_set() {
    let server = Server::start(|_, number| {
        Reply::json(&json!({"more": true, "next": "x", "objects": indicators(number * 10..(number + 1) * 10)}))
    });
    let url = server.url("/root/collections/c/");
    for (limit, value, code) in [
        ("--max-pages", "3", "50"),
        ("--max-objects", "25", "51"),
        ("--max-bytes", "9000", "58"),
        ("--max-page-bytes", "100", "43"),
        ("--max-time", "0.4", "52"),
    ] {
        let output = stixc(&[&url, limit, value, "-o", "-"]);
        assert_eq!(output.status.code(), Some(4), "{limit}");
        let errors = text(&output.stderr);
        assert!(errors.contains(&format!("S0{code}")) || errors.contains("incomplete"), "{limit}: {errors}");
        assert!(serde_json::from_slice::<Value>(&output.stdout).is_err(), "{limit}");
    }
}

#[test]
fn a_slow_server_is_left() {
    let server = Server::scripted(vec![Reply {
        drip: std::time::Duration::from_millis(50),
        ..Reply::json(&json!({"objects": indicators(0..9)}))
    }]);
    let output = stixc(&[&server.url("/root/collections/c/"), "--page-timeout", "0.5", "--attempts", "1"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("S027"), "{}", text(&output.stderr));
}

#[test]
fn what_comes_through_a_pipe_whole_is_a_bundle() {
    let server = three_collections();
    let output = stixc(&[&server.url("/root/"), "--collection", "b", "--collection", "a", "-q"]);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(ids(&text(&output.stdout)).len(), 20);
}

fn private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = path;
}
