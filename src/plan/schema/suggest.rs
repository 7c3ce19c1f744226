//! What was meant by a name that the standard does not have.

use super::{
    Status,
    index::{Node, index},
    kind::PropertyType,
    table::table,
    walk::Walk,
};
use crate::pattern::{ObjectPath, PathStepKind};

/// What may have been meant by the object type or property that [`super::resolve`] did not know: a name to write
/// in its place. Only asked for when a message is written, for it compares with every name there is.
///
/// ```
/// use stixc::pattern::{ObjectPath, PathStep, PathStepKind};
/// use stixc::plan::schema;
/// use stixc::span::Span;
///
/// let step = PathStep { kind: PathStepKind::Property("vaule".into()), span: Span::default() };
/// let path = ObjectPath {
///     object_type: "url",
///     type_span: Span::default(),
///     steps: vec![step],
///     span: Span::default(),
/// };
/// assert_eq!(schema::suggestion(&path), Some("value"));
/// ```
#[must_use]
pub fn suggestion(path: &ObjectPath<'_>) -> Option<&'static str> {
    let walk = Walk::along(path, false);
    match walk.status {
        Status::UnknownType => object_type(path.object_type),
        Status::UnknownProperty { step } => {
            let PathStepKind::Property(key) = &path.steps.get(step)?.kind else { return None };
            let node = walk.node?;
            misnomer(Some(path.object_type), key)
                .filter(|_| step == 0)
                .or_else(|| nearest(key, names_below(node)))
                .or_else(|| deeper(node, key))
        }
        _ => None,
    }
}

fn object_type(name: &str) -> Option<&'static str> {
    misnomer(None, name)
        .or_else(|| extension(name))
        .or_else(|| nearest(name, table().objects.iter().map(|row| row.name)))
}

/// What a name means that people write for a type, or for a property of one.
fn misnomer(object_type: Option<&str>, name: &str) -> Option<&'static str> {
    let is_it = |written: &str| match written.split_once(':') {
        Some((of, property)) => object_type == Some(of) && same(property, name),
        None => object_type.is_none() && same(written, name),
    };
    table().meant.iter().find(|(written, _)| is_it(written)).map(|(_, right)| *right)
}

/// The path of an extension, which some take for an object type.
fn extension(name: &str) -> Option<&'static str> {
    let is_it =
        |node: &&Node| matches!(node.kind, PropertyType::Object(of) if of.name == name && name.ends_with("-ext"));
    index().nodes().iter().find(is_it).map(|node| node.path.as_str())
}

/// Whether two names differ only in case and in what joins their words.
fn same(one: &str, other: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = u8> {
        name.bytes().filter(|byte| !matches!(byte, b'-' | b'_')).map(|byte| byte.to_ascii_lowercase())
    }
    letters(one).eq(letters(other))
}

fn names_below(node: &'static Node) -> impl Iterator<Item = &'static str> {
    let targets = match node.kind {
        PropertyType::Reference(targets) => targets,
        _ => &[],
    };
    let element = node.element.map(|element| index().node(element));
    let referred = targets.iter().filter_map(|target| index().root(target));
    std::iter::once(node).chain(element).chain(referred).flat_map(|node| node.keys.iter().map(|(name, _)| *name))
}

/// The path to a property of that name one level further down.
fn deeper(node: &'static Node, key: &str) -> Option<&'static str> {
    let below = node.keys.iter().map(|(_, link)| index().node(link.node));
    let places = below.flat_map(|child| std::iter::once(child).chain(child.element.map(|at| index().node(at))));
    let found = places.filter(|place| !place.removed).find_map(|place| place.link(key))?;
    index().node(found.node).path.get(node.path.len() + 1..)
}

/// The nearest name, if one is near enough: the same letters, or one change for every four.
///
/// ```
/// assert_eq!(stixc::plan::schema::nearest("colection", ["collection", "name"].into_iter()), Some("collection"));
/// ```
#[must_use]
pub fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    // Comparing costs the product of both lengths; no name of the standard is half as long.
    if name.len() > 64 {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let distances = names.map(|candidate| {
        let distance = if same(candidate, name) { 0 } else { distance(&lower, &candidate.to_ascii_lowercase()) };
        (distance, candidate)
    });
    let allowed = (name.chars().count() / 4).max(1);
    distances.min_by_key(|(distance, _)| *distance).filter(|(distance, _)| *distance <= allowed).map(|(_, name)| name)
}

/// How many letters have to be changed, added, left out, or swapped with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, &letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, &opposite) in other.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != opposite);
            let mut least = replaced.min(above[column + 1] + 1).min(current[column] + 1);
            let swapped = row > 0 && column > 0 && letter == other[column - 1] && one[row - 1] == opposite;
            if swapped && let Some(diagonal) = before.get(column - 1) {
                least = least.min(diagonal + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_swaps_as_one_change() {
        assert_eq!(distance("vaule", "value"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn object_types_are_suggested_by_spelling_and_by_habit() {
        assert_eq!(object_type("domian-name"), Some("domain-name"));
        assert_eq!(object_type("DomainName"), Some("domain-name"));
        assert_eq!(object_type("ip"), Some("ipv4-addr"));
        assert_eq!(object_type("cryptocurrency-wallet"), None);
    }
}
