//! Observed data as a lossless packet inspector would record it.

use serde_json::{Value as Json, json};

use super::{
    Object, World, certificate, file,
    pcap_log::FIRST_PORT,
    text,
    traffic::{SOME_HOST, has_application, stack},
};
use crate::{
    plan::HashAlgorithm,
    witness::{
        Objects, Sighting,
        capture::http::VERSION,
        files::{KnownFiles, digest},
    },
};

/// The method of a request of which nothing more is known.
const METHOD: &str = "GET";

/// Another description of the traffic that shows these sightings: with the protocols that carry it, the hashes
/// and the size of a file, the name of the host behind a URL, and all else that traffic has whether it was seen or not.
/// What ignores case (methods, versions, protocols, names of hosts, numbers of certificates) is as `spell` has it.
///
/// Where a pattern matches this, no sensor can tell the sightings from some that it matches.
#[must_use]
pub fn complete(sightings: &[Sighting], known: &KnownFiles, spell: &dyn Fn(&str) -> String) -> Vec<Sighting> {
    sightings.iter().flat_map(|one| completed(one, known)).map(|one| spell_all(&one, spell)).collect()
}

fn completed(sighting: &Sighting, known: &KnownFiles) -> Vec<Sighting> {
    let mut objects = sighting.objects.clone();
    let world = World { objects: &sighting.objects, known };
    let Some(object) = world.object("0") else { return vec![sighting.clone()] };
    let mut own = object.clone();
    let mut beside: Vec<Json> = Vec::new();
    match text(object, "type").unwrap_or_default() {
        "network-traffic" => {
            traffic(world, &mut own);
            beside.extend(answer(&sighting.objects, &own));
            beside.extend(request(&sighting.objects, world, &own));
            beside.extend(echo(&own));
        }
        "file" | "artifact" => {
            if let Some(content) = file::content(world, object) {
                hashes(&mut own, &content);
                own.entry("size").or_insert_with(|| json!(content.len()));
                own.entry("name").or_insert_with(|| json!(file::UNNAMED));
                beside.extend(carried(80));
            }
        }
        "x509-certificate" => {
            if let Some(certificate) = certificate::shown(world, object).and_then(|shown| shown.into_iter().next()) {
                hashes(&mut own, &certificate);
                for (property, usual) in certificate::USUAL {
                    own.entry(*property).or_insert_with(|| json!(usual));
                }
            }
        }
        "url" => {
            let host = text(object, "value").and_then(|url| url::Url::parse(url).ok()?.host_str().map(str::to_owned));
            beside.extend(host.map(|host| json!({"0": {"type": "domain-name", "value": host}})));
        }
        _ => {}
    }
    objects.insert("0".to_owned(), Json::Object(own));
    let beside = beside.into_iter().filter_map(|objects| objects.as_object().cloned());
    let one = |objects: Objects| Sighting { at: sighting.at, objects };
    std::iter::once(objects).chain(beside).map(one).collect()
}

/// What comes back is traffic, too (section 6.12): where an application speaks over TCP, something does.
fn answer(objects: &Objects, object: &Object) -> Option<Json> {
    let protocols: Vec<&str> = object.get("protocols")?.as_array()?.iter().filter_map(Json::as_str).collect();
    if !(protocols.contains(&"tcp") && has_application(&protocols)) {
        return None;
    }
    let mut answer = json!({"type": "network-traffic", "protocols": protocols});
    let turned = [("src_ref", "dst_ref"), ("dst_ref", "src_ref"), ("src_port", "dst_port"), ("dst_port", "src_port")];
    for (there, back) in turned {
        answer[back] = object.get(there)?.clone();
    }
    let mut objects = objects.clone();
    objects.insert("0".to_owned(), answer);
    Some(Json::Object(objects))
}

/// Who goes to a host by its name asks it for a page, where nothing says that something else is spoken.
fn request(objects: &Objects, world: World<'_>, object: &Object) -> Option<Json> {
    let host = world.referred(object, "dst_ref").filter(|end| text(end, "type") == Some("domain-name"))?;
    if object.get("extensions").is_some_and(|all| all.get("http-request-ext").is_some()) {
        return None;
    }
    let mut asked = object.clone();
    let request = json!({"request_method": METHOD, "request_value": "/", "request_version": VERSION,
        "request_header": {"Host": text(host, "value")?}});
    asked.insert("extensions".to_owned(), json!({ "http-request-ext": request }));
    let mut objects = objects.clone();
    objects.insert("0".to_owned(), Json::Object(asked));
    Some(Json::Object(objects))
}

/// A message of ICMP of which nothing more is known is an echo request.
fn echo(object: &Object) -> Option<Json> {
    let protocols: Vec<&str> = object.get("protocols")?.as_array()?.iter().filter_map(Json::as_str).collect();
    if !protocols.contains(&"icmp") || object.contains_key("extensions") {
        return None;
    }
    let mut echo = object.clone();
    echo.insert("extensions".to_owned(), json!({"icmp-ext": {"icmp_type_hex": "08", "icmp_code_hex": "00"}}));
    Some(json!({ "0": echo }))
}

/// What carries a file is traffic, too, there and back.
fn carried(port: u16) -> [Json; 2] {
    let traffic = |from: u16, to: u16| json!({"0": {"type": "network-traffic", "protocols": ["ipv4", "tcp", "http"], "src_port": from, "dst_port": to}});
    [traffic(FIRST_PORT, port), traffic(port, FIRST_PORT)]
}

fn hashes(object: &mut Object, content: &[u8]) {
    let Some(hashes) = object.entry("hashes").or_insert_with(|| json!({})).as_object_mut() else { return };
    for (name, algorithm) in [
        ("MD5", HashAlgorithm::Md5),
        ("SHA-1", HashAlgorithm::Sha1),
        ("SHA-256", HashAlgorithm::Sha256),
        ("SHA-512", HashAlgorithm::Sha512),
    ] {
        hashes.entry(name).or_insert_with(|| json!(digest(algorithm, content)));
    }
}

fn traffic(world: World<'_>, object: &mut Object) {
    let more = stack(world, object);
    if let Some(protocols) = object.entry("protocols").or_insert_with(|| json!([])).as_array_mut() {
        protocols.extend(more.into_iter().map(Json::from));
    }
    let host = world.referred(object, "dst_ref").filter(|end| text(end, "type") == Some("domain-name"));
    let host = host.and_then(|end| text(end, "value")).unwrap_or(SOME_HOST).to_owned();
    let Some(request) = object.get_mut("extensions").and_then(|all| all.get_mut("http-request-ext")) else { return };
    let Some(headers) =
        request.as_object_mut().map(|request| request.entry("request_header").or_insert_with(|| json!({})))
    else {
        return;
    };
    if let Some(headers) = headers.as_object_mut() {
        headers.entry("Host").or_insert_with(|| json!(host));
    }
    if let Some(request) = request.as_object_mut() {
        request.entry("request_method").or_insert_with(|| json!(METHOD));
        request.entry("request_version").or_insert_with(|| json!(VERSION));
    }
}

fn spell_all(sighting: &Sighting, spell: &dyn Fn(&str) -> String) -> Sighting {
    let mut objects = sighting.objects.clone();
    for object in objects.values_mut() {
        for word in ["request_method", "request_version", "request_header/Host"] {
            respell(object.pointer_mut(&format!("/extensions/http-request-ext/{word}")), spell);
        }
        for protocol in object.get_mut("protocols").and_then(Json::as_array_mut).into_iter().flatten() {
            respell(Some(protocol), spell);
        }
        if object.get("type").is_some_and(|kind| kind == "x509-certificate") {
            respell(object.get_mut("serial_number"), spell);
        }
    }
    Sighting { at: sighting.at, objects }
}

fn respell(word: Option<&mut Json>, spell: &dyn Fn(&str) -> String) {
    if let Some(word) = word
        && let Some(text) = word.as_str()
    {
        *word = json!(spell(text));
    }
}
