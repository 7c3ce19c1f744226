//! Variants of observations: those that a log can't tell from others, or that stand in another log: for witnesses, beside the near misses
//! that every target gets.

use ipnet::IpNet;
use serde_json::{Map, Value as Json, json};

use crate::{
    plan::{Hive, Operator, Plan, Test},
    witness::Sighting,
};

type Object = Map<String, Json>;
type Variant = fn(&str, &mut Object);

/// The variants of sightings that differ from them. Whether the plan matches a variant the evaluator says.
#[must_use]
pub fn variants(sightings: &[Sighting], plan: &Plan) -> Vec<Vec<Sighting>> {
    const VARIANTS: [Variant; 14] = [
        around,
        hive,
        value_for_key,
        nameless,
        below,
        later_in_lists,
        fragment,
        user,
        sent,
        bare,
        portless,
        endless,
        sourceless,
        unplaced,
    ];
    // Linux logs no hashes and no levels: there, what is known by them does not show.
    let hashed = |object: &Json| {
        let mut extensions = object.get("extensions").and_then(Json::as_object).into_iter().flatten();
        object.get("hashes").is_some() || extensions.any(|(name, _)| name != "windows-service-ext")
    };
    let is_hashed = sightings.iter().flat_map(|sighting| sighting.objects.values()).any(hashed);
    let moves: &[Variant] = if is_hashed { &[] } else { &[other_system] };
    // An expression about a key may match in what follows the key. A name that does is no other rule's business.
    let is_expression = |test: &Test| {
        test.operator == Operator::Matches && !test.negated && test.property.path.as_ref() == "windows-registry-key:key"
    };
    let names: &[Variant] = if plan.tests().any(is_expression) { &[longer_names] } else { &[] };
    let changed = |change: &Variant| {
        let mut sightings = sightings.to_vec();
        for sighting in &mut sightings {
            for object in sighting.objects.values_mut().filter_map(Json::as_object_mut) {
                let kind = text(object, "type").to_owned();
                change(&kind, object);
            }
        }
        sightings
    };
    let mut all: Vec<Vec<Sighting>> = VARIANTS
        .iter()
        .chain(moves)
        .chain(names)
        .map(changed)
        .chain([named_folders(sightings, Some("7")), named_folders(sightings, None)])
        .filter(|variant| variant != sightings)
        .collect();
    all.dedup();
    all
}

fn text<'o>(object: &'o Object, property: &str) -> &'o str {
    object.get(property).and_then(Json::as_str).unwrap_or_default()
}

fn remove(object: &mut Object, properties: &[&str]) {
    object.retain(|name, _| !properties.contains(&name.as_str()));
}

/// A prefix around the address.
fn around(kind: &str, object: &mut Object) {
    let Ok(address) = text(object, "value").parse::<std::net::IpAddr>() else { return };
    let mut around = std::iter::successors(IpNet::from(address).supernet(), |network| network.supernet());
    // One that does not begin with the address itself.
    if let Some(network) = around.find(|network| network.network() != address).filter(|_| kind.ends_with("-addr")) {
        object.insert("value".to_owned(), network.to_string().into());
    }
}

/// The hive of a certain user, which is that user's own.
fn hive(_: &str, object: &mut Object) {
    let Some((hive, rest)) = text(object, "key").split_once('\\') else { return };
    if Hive::parse(hive) == Some(Hive::CurrentUser) {
        let key = format!("hkey_users\\s-1-5-21-1111111111-222222222-333333333-1001\\{rest}");
        object.insert("key".to_owned(), key.into());
    }
}

/// The last part of a key as the name of a value.
fn value_for_key(kind: &str, object: &mut Object) {
    if let Some((key, name)) = text(object, "key").rsplit_once('\\').filter(|_| kind == "windows-registry-key") {
        let values = json!([{"name": name, "data": "other"}]);
        let key = key.to_owned();
        object.insert("values".to_owned(), values);
        object.insert("key".to_owned(), key.into());
    }
}

fn values(object: &mut Object) -> impl Iterator<Item = &mut Object> {
    object.get_mut("values").and_then(Json::as_array_mut).into_iter().flatten().filter_map(Json::as_object_mut)
}

/// The last part of a key in front of the names of its values, which may hold backslashes.
fn longer_names(_: &str, object: &mut Object) {
    let Some((key, last)) = text(object, "key").rsplit_once('\\') else { return };
    let (key, last) = (key.to_owned(), last.to_owned());
    if values(object).next().is_some() {
        for value in values(object) {
            let name = format!("{last}\\{}", text(value, "name"));
            value.insert("name".to_owned(), name.into());
        }
        object.insert("key".to_owned(), key.into());
    }
}

/// Values of which the name is not known.
fn nameless(_: &str, object: &mut Object) {
    values(object).for_each(|value| remove(value, &["name"]));
}

/// Another element in front of what is in a list.
fn later_in_lists(_: &str, object: &mut Object) {
    for (property, other) in [("protocols", json!("ipv4")), ("values", json!({"name": "other", "data": "other"}))] {
        if let Some(list) = object.get_mut(property).and_then(Json::as_array_mut) {
            list.insert(0, other);
        }
    }
}

/// A key, or a folder, in the one that is asked for.
fn below(_: &str, object: &mut Object) {
    for (property, separators) in [("key", "\\"), ("path", "\\/")] {
        let outer = text(object, property);
        if !outer.is_empty() {
            let separator = outer.chars().rfind(|one| separators.contains(*one)).unwrap_or('\\');
            let inner = format!("{outer}{separator}other");
            object.insert(property.to_owned(), inner.into());
        }
    }
}

/// Each file has another name, or none that is known, and is in a folder with the name that it had.
fn named_folders(sightings: &[Sighting], other: Option<&str>) -> Vec<Sighting> {
    let mut sightings = sightings.to_vec();
    for Sighting { objects, .. } in &mut sightings {
        let mut folders = Vec::new();
        for (number, object) in objects.values_mut().filter_map(Json::as_object_mut).enumerate() {
            let name = text(object, "name").to_owned();
            if text(object, "type") == "file" && !name.is_empty() {
                let key = format!("folder-{number}");
                object.remove("name");
                object.extend(other.map(|other| ("name".to_owned(), other.into())));
                object.insert("parent_directory_ref".to_owned(), key.as_str().into());
                folders.push((key, json!({"type": "directory", "path": format!("C:\\{name}")})));
            }
        }
        objects.extend(folders);
    }
    sightings
}

/// Another fragment, where there is one.
fn fragment(kind: &str, object: &mut Object) {
    if let Some((front, _)) = text(object, "value").split_once('#').filter(|_| kind == "url") {
        let value = format!("{front}#other");
        object.insert("value".to_owned(), value.into());
    }
}

/// Another user, where there is one.
fn user(kind: &str, object: &mut Object) {
    let value = text(object, "value");
    if let Some(((scheme, rest), (_, host))) = value.split_once("://").zip(value.rsplit_once('@'))
        && kind == "url"
        && rest.contains('@')
    {
        let value = format!("{scheme}://other@{host}");
        object.insert("value".to_owned(), value.into());
    }
}

/// A URL as most clients send it.
fn sent(kind: &str, object: &mut Object) {
    if let Some(url) = url::Url::parse(text(object, "value")).ok().filter(|_| kind == "url") {
        object.insert("value".to_owned(), url.to_string().into());
    }
}

/// Nothing but the request.
fn bare(kind: &str, object: &mut Object) {
    if kind == "network-traffic" {
        remove(object, &["protocols", "src_port", "dst_port", "src_ref", "dst_ref"]);
    }
}

fn portless(_: &str, object: &mut Object) {
    remove(object, &["src_port", "dst_port"]);
}

fn endless(_: &str, object: &mut Object) {
    remove(object, &["src_ref", "dst_ref"]);
}

/// The client was not seen: logs name the machine that all was seen on.
fn sourceless(_: &str, object: &mut Object) {
    remove(object, &["src_ref"]);
}

/// Nothing is said of folders.
fn unplaced(_: &str, object: &mut Object) {
    remove(object, &["parent_directory_ref", "cwd"]);
}

/// Folders as the other system writes them.
fn other_system(kind: &str, object: &mut Object) {
    for property in ["path", "cwd"] {
        if kind == "file" || !object.contains_key(property) {
            continue;
        }
        let folder = text(object, property);
        let other = if folder.contains('/') && !folder.contains('\\') {
            format!("C:{}", folder.replace('/', "\\"))
        } else {
            let rest = folder.split_once(':').map_or(folder, |(_, rest)| rest);
            format!("/{}", rest.replace('\\', "/").trim_start_matches('/'))
        };
        object.insert(property.to_owned(), other.into());
    }
}
