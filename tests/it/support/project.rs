//! A folder with a stixc.toml, and a server that feeds it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use super::{
    program::files,
    server::{Reply, Server},
};

/// The moment of most builds.
pub const NOW: &str = "2026-06-01T00:00:00Z";

/// A folder of its own.
pub struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    /// With this configuration.
    pub fn new(config: &str) -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap() };
        project.write("stixc.toml", config);
        project
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The program in this folder, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stixc"));
        command.args(arguments).current_dir(self.folder.path()).env_remove("SOURCE_DATE_EPOCH");
        command.env_remove("STIXC_TEST_CRASH_AT");
        command
    }

    pub fn stixc(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// `stixc build` at [`NOW`].
    pub fn build(&self, arguments: &[&str]) -> Output {
        self.stixc(&[&["build", "--now", NOW], arguments].concat())
    }

    /// The outputs.
    pub fn outputs(&self) -> Vec<(PathBuf, Vec<u8>)> {
        files(&self.path("out"))
    }

    /// The feeds of a report.
    pub fn feeds(&self) -> Vec<Value> {
        let report: Value = serde_json::from_str(&self.read("report.json")).unwrap();
        report["feeds"].as_array().unwrap().clone()
    }

    /// A copy of it with all that it holds.
    pub fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files(self.folder.path()) {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        Self { folder }
    }
}

/// A collection that a server holds: each object with the time of its adding.
#[derive(Default, Clone)]
pub struct Collection(Arc<Mutex<Vec<(String, Value)>>>);

impl Collection {
    /// Adds an object; the number of seconds tells when.
    pub fn add(&self, second: usize, object: Value) {
        let added = format!("2026-01-01T00:{:02}:{:02}.000000Z", second / 60, second % 60);
        self.0.lock().unwrap().push((added, object));
    }

    pub fn remove(&self, id: &str) {
        self.0.lock().unwrap().retain(|(_, object)| object["id"] != id);
    }

    /// A page of at most `most` objects that were added after a time.
    fn page(&self, after: Option<&str>, skip: usize, most: usize) -> Reply {
        let all = self.0.lock().unwrap();
        let left: Vec<_> = all.iter().filter(|(added, _)| after.is_none_or(|after| added.as_str() > after)).collect();
        let page: Vec<_> = left.iter().skip(skip).take(most).collect();
        let more = left.len() > skip + page.len();
        let objects: Vec<&Value> = page.iter().map(|(_, object)| object).collect();
        let mut body = json!({ "more": more, "objects": objects });
        if more {
            body["next"] = json!((skip + page.len()).to_string());
        }
        match page.last() {
            Some((added, _)) => Reply::json(&body).last_added(added),
            None => Reply::json(&json!({})),
        }
    }

    /// A server of it. `before` is told of each request, and may answer in its place.
    pub fn serve(&self, before: impl Fn(usize) -> Option<Reply> + Send + Sync + 'static) -> Server {
        let collection = self.clone();
        Server::start(move |request, number| {
            before(number).unwrap_or_else(|| {
                let skip = request.has("next").map_or(0, |next| next.parse().unwrap());
                collection.page(request.has("added_after"), skip, 4)
            })
        })
    }
}

/// An indicator.
pub fn indicator(number: usize, pattern: &str) -> Value {
    json!({
        "type": "indicator", "spec_version": "2.1", "id": format!("indicator--00000000-0000-4000-8000-{number:012}"),
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
        "pattern": pattern, "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z",
    })
}

/// An indicator of a domain name that tells its number.
pub fn domain(number: usize) -> Value {
    indicator(number, &format!("[domain-name:value = 'host-{number}.example']"))
}

/// The lines of a configuration for a feed of a server.
pub fn taxii(name: &str, server: &Server) -> String {
    let url = server.url("/root/collections/c/");
    format!("[[feed]]\nname = \"{name}\"\nkind = \"taxii\"\nurl = \"{url}\"\nlimit = 4\nattempts = 1\n")
}

/// The lines of a configuration for files.
pub fn folder(name: &str, path: &str) -> String {
    format!("[[feed]]\nname = \"{name}\"\nkind = \"files\"\npaths = [\"{path}\"]\n")
}

/// The lines of a configuration for these targets.
pub fn targets(names: &[&str]) -> String {
    names.iter().map(|name| format!("[[target]]\nkind = \"{name}\"\n")).collect()
}

/// A bundle.
pub fn bundle(objects: &[Value]) -> String {
    json!({ "type": "bundle", "id": "bundle--1", "objects": objects }).to_string()
}

/// The names on the list of domains.
pub fn names(project: &Project) -> Vec<String> {
    project.read("out/blocklist/domains.txt").lines().map(str::to_owned).collect()
}

/// Asserts that two folders of outputs hold the same files.
pub fn assert_same(one: &[(PathBuf, Vec<u8>)], other: &[(PathBuf, Vec<u8>)], case: &str) {
    let paths = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(one), paths(other), "{case}");
    for ((path, one), (_, other)) in one.iter().zip(other) {
        assert!(one == other, "{case}: {} differs", Path::new(path).display());
    }
}
