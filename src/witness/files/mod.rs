//! Files on a disk, as observations describe them.
//!
//! A file is its bytes. What a sighting says of a file beside them (where it lies, who opened it) shows in nothing; what
//! it does not say of them (how large they are, their other hashes) is settled once they are written. So what is written
//! gives the bytes and the sighting with all that the bytes say.

mod known;
mod pe;

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use serde_json::{Map, Value as Json, json};

use super::{Objects, Sighting};

pub use known::{Import, KnownFiles, digest};
pub use pe::TURNS;

/// The largest file that is written, in bytes.
const LARGEST: u64 = 1 << 20;
const PROGRAM: &str = "windows-pebinary-ext";

/// Sightings as files.
#[derive(Debug, Clone, PartialEq)]
pub struct Files {
    /// The content of each file, in the order of the sightings and of their objects.
    pub contents: Vec<Vec<u8>>,
    /// The sightings, with what the files themselves say.
    pub seen: Vec<Sighting>,
}

/// Writes the files that sightings show: each `file`, and each `artifact` that is not the content of a file.
///
/// Where an object names a hash of a file that `known` has, it is that file. Otherwise it is made up, in the size that is
/// asked for, and as a Windows program where the object describes one.
///
/// What a program has and a sighting does not say is chosen in [`TURNS`] ways, so that a rule which finds a program by
/// that in one turn does not in the other.
///
/// `None` where no file is like this: one with the hash of a known file and another content, one of a size that nobody
/// wants to write, a program with a field that can't hold its number.
///
/// ```
/// use serde_json::json;
/// use stixc::witness::{Sighting, files::{self, KnownFiles}};
///
/// let objects = json!({"0": {"type": "file", "size": 7}}).as_object().unwrap().clone();
/// let files = files::write(&[Sighting { at: 0, objects }], &KnownFiles::default(), 0).unwrap();
/// assert_eq!(files.contents[0].len(), 7);
/// assert!(files.seen[0].objects["0"]["hashes"]["SHA-256"].is_string());
/// ```
#[must_use]
pub fn write(sightings: &[Sighting], known: &KnownFiles, turn: usize) -> Option<Files> {
    let mut files = Files { contents: Vec::new(), seen: Vec::with_capacity(sightings.len()) };
    for sighting in sightings {
        let mut objects = sighting.objects.clone();
        let contained = references(&objects, "contains_refs");
        let contents = references(&objects, "content_ref");
        let keys: Vec<String> = objects.keys().cloned().collect();
        for key in keys {
            let file = match objects[&key]["type"].as_str() {
                Some("file") if !contained.contains(&key) => file(&mut objects, &key, known, turn)?,
                Some("artifact") if !contents.contains(&key) => artifact(&mut objects, &key, known)?,
                _ => continue,
            };
            files.contents.push(file);
        }
        files.seen.push(Sighting { at: sighting.at, objects });
    }
    Some(files)
}

/// What the objects refer to by this property.
fn references(objects: &Objects, property: &str) -> Vec<String> {
    let values = objects.values().filter_map(|object| object.get(property));
    let texts = values.flat_map(|value| match value {
        Json::Array(list) => list.iter().filter_map(Json::as_str).collect(),
        value => value.as_str().into_iter().collect::<Vec<_>>(),
    });
    texts.map(str::to_owned).collect()
}

/// Writes a file, and into its objects what it says.
fn file(objects: &mut Objects, key: &str, known: &KnownFiles, turn: usize) -> Option<Vec<u8>> {
    let content_key = content_of(objects, key)?;
    let object = objects[key].as_object()?;
    let artifact = objects.get(&content_key).and_then(Json::as_object);
    let program = object.get("extensions").and_then(|all| all.get(PROGRAM)).and_then(Json::as_object).cloned();
    let given = given(object, known)?;
    let in_artifact = artifact.map_or(Some(None), |artifact| self::given(artifact, known))?;
    let imphash = program.as_ref().and_then(|program| program.get("imphash")).and_then(Json::as_str);
    let import = imphash.map(|imphash| known.import(imphash).cloned().unwrap_or_else(unknown));
    let import = import.as_ref();
    let bytes = match (agreed(given, in_artifact)?, &program) {
        (Some(bytes), _) => bytes,
        (None, Some(program)) => {
            let bytes = pe::write(program, |hash| known.content(hash), import, turn)?;
            sized(bytes, object.get("size"))?
        }
        (None, None) => made_up(object, object.get("size"))?,
    };
    if let Some(artifact) = objects.get_mut(&content_key).and_then(Json::as_object_mut) {
        describe_artifact(artifact, &bytes);
    }
    let object = objects.get_mut(key)?.as_object_mut()?;
    object.insert("size".to_owned(), json!(bytes.len()));
    object.insert("hashes".to_owned(), pe::hashes(object.get("hashes"), &bytes));
    // A file is a program or none, whatever the sighting says of it.
    let extensions = object.entry("extensions").or_insert_with(|| json!({})).as_object_mut()?;
    match pe::read(&bytes, &program.unwrap_or_default()) {
        Some(read) => _ = extensions.insert(PROGRAM.to_owned(), read),
        None => _ = extensions.remove(PROGRAM),
    }
    Some(bytes)
}

/// The key of a file's content. Each file has one, whether it was seen or not.
fn content_of(objects: &mut Objects, key: &str) -> Option<String> {
    if let Some(content) = objects.get(key)?.get("content_ref") {
        return content.as_str().map(str::to_owned);
    }
    let content = format!("content-of-{key}");
    objects.insert(content.clone(), json!({"type": "artifact"}));
    objects.get_mut(key)?.as_object_mut()?.insert("content_ref".to_owned(), json!(content));
    Some(content)
}

/// The import of a program whose import hash is of no known program.
fn unknown() -> Import {
    Import { library: "unknown.dll".to_owned(), function: "witness".to_owned() }
}

/// Writes the content that an artifact is, and into it what it says.
fn artifact(objects: &mut Objects, key: &str, known: &KnownFiles) -> Option<Vec<u8>> {
    let artifact = objects.get_mut(key)?.as_object_mut()?;
    let bytes = match given(artifact, known)? {
        Some(bytes) => bytes,
        None => made_up(artifact, None)?,
    };
    describe_artifact(artifact, &bytes);
    Some(bytes)
}

fn describe_artifact(artifact: &mut Map<String, Json>, bytes: &[u8]) {
    artifact.insert("hashes".to_owned(), pe::hashes(artifact.get("hashes"), bytes));
    artifact.insert("payload_bin".to_owned(), json!(BASE64.encode(bytes)));
}

/// The content that an object names, by itself or by the hash of a known file; `None` where it names two.
fn given(object: &Map<String, Json>, known: &KnownFiles) -> Option<Option<Vec<u8>>> {
    let payload = match object.get("payload_bin") {
        Some(payload) => Some(BASE64.decode(payload.as_str()?).ok()?),
        None => None,
    };
    let digests = object.get("hashes").and_then(Json::as_object).into_iter().flatten();
    digests
        .filter_map(|(_, digest)| known.content(digest.as_str()?))
        .try_fold(payload, |found, content| agreed(found, Some(content.to_vec())))
}

/// The one content of two; `None` where they differ.
fn agreed(one: Option<Vec<u8>>, other: Option<Vec<u8>>) -> Option<Option<Vec<u8>>> {
    match (one, other) {
        (Some(one), Some(other)) => (one == other).then_some(Some(one)),
        (one, other) => Some(one.or(other)),
    }
}

/// A content that no other object has, in a size that the object asks for.
fn made_up(object: &Map<String, Json>, size: Option<&Json>) -> Option<Vec<u8>> {
    let bytes = format!("made up: {}", Json::Object(object.clone())).into_bytes();
    let Some(size) = size else { return Some(bytes) };
    let size = size.as_u64().filter(|size| *size <= LARGEST)?;
    let mut bytes = bytes;
    bytes.resize(usize::try_from(size).ok()?, b'.');
    Some(bytes)
}

/// The program with as many bytes behind it as its size asks for.
fn sized(mut bytes: Vec<u8>, size: Option<&Json>) -> Option<Vec<u8>> {
    let Some(size) = size else { return Some(bytes) };
    let size = usize::try_from(size.as_u64().filter(|size| *size <= LARGEST)?).ok()?;
    (size >= bytes.len()).then(|| bytes.resize(size, 0))?;
    Some(bytes)
}
