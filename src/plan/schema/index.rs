//! The table as a tree of paths: each place a path can lead to, with its canonical text.
//!
//! Built once, on first use, from the table (a few thousand nodes, well under a millisecond). A path is resolved by
//! one binary search per step, and its text is already there.

use std::sync::LazyLock;

use super::{
    hash::ALGORITHMS,
    kind::{Definition, ObjectType, Origin, PropertyType},
    spelling::push_key,
    table::{DIGEST, table},
};

/// A place that a path leads to.
#[derive(Debug)]
pub(super) struct Node {
    /// Its canonical text: `[*]` for an element, `.*` for any key of a dictionary.
    pub path: String,
    pub kind: PropertyType,
    /// Only STIX 2.0 has it.
    pub removed: bool,
    /// One of the properties that every object has.
    pub common: bool,
    /// A property of an object that is referred to.
    pub referred: bool,
    /// The properties or keys below, sorted by name.
    pub keys: Vec<(&'static str, Link)>,
    /// The element of a list, or any key of a dictionary.
    pub element: Option<usize>,
    /// The node that stands for this one among the rows of the table, where that is another.
    pub row: Option<usize>,
}

/// Where a name leads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub node: usize,
    /// The name is one of STIX 2.0; whether it means exactly the same.
    pub renamed: Option<bool>,
}

impl Node {
    pub fn link(&self, key: &str) -> Option<Link> {
        self.keys.binary_search_by(|(name, _)| (*name).cmp(key)).ok().map(|at| self.keys[at].1)
    }
}

/// All places, and where the object types are among them.
#[derive(Debug, Default)]
pub(super) struct Index {
    nodes: Vec<Node>,
    /// In the order of the table, which is sorted by name.
    roots: Vec<usize>,
}

/// The index, built on first use.
pub(super) fn index() -> &'static Index {
    static INDEX: LazyLock<Index> = LazyLock::new(build);
    &INDEX
}

impl Index {
    pub fn root(&self, object_type: &str) -> Option<&Node> {
        let at = table().objects.binary_search_by(|row| row.name.cmp(object_type)).ok()?;
        self.roots.get(at).map(|&node| &self.nodes[node])
    }

    pub fn node(&self, at: usize) -> &Node {
        &self.nodes[at]
    }

    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn attach(&mut self, parent: usize, key: &'static str, link: Link) {
        let keys = &mut self.nodes[parent].keys;
        if let Err(at) = keys.binary_search_by(|(name, _)| (*name).cmp(key)) {
            keys.insert(at, (key, link));
        }
    }
}

fn build() -> Index {
    let mut index = Index::default();
    for object_type in &table().objects {
        let root = index.push(leaf(object_type.name.to_owned(), PropertyType::Any));
        index.roots.push(root);
        let place = Place { parent: root, separator: ':', referred: false, common: false };
        add_properties(&mut index, Place { common: true, ..place }, &table().common);
        add_properties(&mut index, place, object_type.properties);
        add_extensions(&mut index, place, object_type);
        add_former_names(&mut index, place, object_type.properties);
    }
    index
}

/// Where properties are added, and how they are joined to it.
#[derive(Clone, Copy)]
struct Place {
    parent: usize,
    separator: char,
    referred: bool,
    common: bool,
}

fn leaf(path: String, kind: PropertyType) -> Node {
    Node { path, kind, removed: false, common: false, referred: false, keys: Vec::new(), element: None, row: None }
}

fn add_properties(index: &mut Index, place: Place, properties: &[Definition]) {
    for property in properties {
        let (kind, removed) = match property.origin {
            Origin::Current(kind) => (kind, false),
            Origin::Removed(kind) => (kind, true),
            Origin::Renamed { .. } => continue,
        };
        let node = add(index, place, property.name, kind);
        index.nodes[node].removed = removed;
    }
}

fn add_extensions(index: &mut Index, place: Place, object_type: &ObjectType) {
    add(index, place, "extensions", PropertyType::Extensions(object_type.extensions));
}

/// Adds one property and everything below it.
fn add(index: &mut Index, place: Place, key: &'static str, kind: PropertyType) -> usize {
    let mut path = index.nodes[place.parent].path.clone();
    push_key(&mut path, place.separator, key);
    let node = index.push(Node { referred: place.referred, common: place.common, ..leaf(path, kind) });
    index.attach(place.parent, key, Link { node, renamed: None });
    add_below(index, node);
    node
}

fn add_below(index: &mut Index, node: usize) {
    let Node { referred, common, .. } = index.nodes[node];
    let place = Place { parent: node, separator: '.', referred, common };
    match index.nodes[node].kind {
        PropertyType::List(element) => {
            add_element(index, node, "[*]", *element);
        }
        PropertyType::Dictionary(value) => {
            let any = add_element(index, node, ".*", *value);
            add_headers(index, place, any);
        }
        PropertyType::Hashes => {
            for algorithm in ALGORITHMS {
                let digest = add(index, place, algorithm.name, PropertyType::Hash(algorithm));
                index.nodes[digest].removed = !algorithm.current;
            }
            add_element(index, node, ".*", DIGEST);
        }
        PropertyType::Extensions(extensions) => {
            for extension in extensions {
                add(index, place, extension.name, PropertyType::Object(extension));
            }
        }
        PropertyType::Object(structure) => add_properties(index, place, structure.properties),
        // One reference deep; what lies further on is found by starting again at the type referred to.
        PropertyType::Reference(targets) if !place.referred => add_referred(index, node, targets),
        _ => {}
    }
}

fn add_element(index: &mut Index, node: usize, suffix: &str, kind: PropertyType) -> usize {
    let path = format!("{}{suffix}", index.nodes[node].path);
    let Node { referred, common, .. } = index.nodes[node];
    let element = index.push(Node { referred, common, ..leaf(path, kind) });
    index.nodes[node].element = Some(element);
    add_below(index, element);
    element
}

fn add_headers(index: &mut Index, place: Place, any: usize) {
    if index.nodes[any].kind != PropertyType::StringOrList {
        return;
    }
    for header in &table().headers {
        let node = add(index, place, header, PropertyType::StringOrList);
        index.nodes[node].row = Some(any);
    }
}

/// Properties of the objects that a reference leads to: those that are values, and hashes.
fn add_referred(index: &mut Index, node: usize, targets: &[&str]) {
    // A file contains any object: patterns that look into it are too rare to prepare for.
    if targets.len() > 4 {
        return;
    }
    let place = Place { parent: node, separator: '.', referred: true, common: false };
    for target in table().objects.iter().filter(|row| targets.contains(&row.name)) {
        for property in table().common.iter().take(1).chain(target.properties) {
            let (kind, removed) = match property.origin {
                Origin::Current(kind) => (kind, false),
                Origin::Removed(kind) => (kind, true),
                Origin::Renamed { .. } => continue,
            };
            if let Some(known) = index.nodes[node].link(property.name) {
                index.nodes[known.node].kind = join(index.nodes[known.node].kind, kind);
            } else if kind.is_value() || kind == PropertyType::Hashes {
                let leaf = add(index, place, property.name, kind);
                index.nodes[leaf].removed = removed;
            }
        }
        add_former_names(index, place, target.properties);
    }
}

/// The type of a property that several types of objects have.
pub(super) fn join(one: PropertyType, other: PropertyType) -> PropertyType {
    match (one, other) {
        _ if one == other => one,
        (PropertyType::String(one), PropertyType::String(other)) => PropertyType::String(one.join(other)),
        _ => PropertyType::Any,
    }
}

/// Links the names of STIX 2.0 to the properties of STIX 2.1.
fn add_former_names(index: &mut Index, place: Place, properties: &[Definition]) {
    for property in properties {
        let Origin::Renamed { to, exact } = property.origin else { continue };
        let target = to.split('.').try_fold(place.parent, |node, key| Some(index.nodes[node].link(key)?.node));
        if let Some(node) = target {
            index.attach(place.parent, property.name, Link { node, renamed: Some(exact) });
        }
    }
}
