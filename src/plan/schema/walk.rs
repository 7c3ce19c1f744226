//! Following a path through the index.

use std::borrow::Cow;

use super::{
    Resolved, Status,
    hash::HashAlgorithm,
    index::{Index, Node, index, join},
    kind::PropertyType,
    spelling::push_key,
};
use crate::pattern::{ObjectPath, PathStep, PathStepKind};

/// How far a path was followed, and what was learnt on the way.
#[derive(Debug)]
pub(crate) struct Walk {
    index: &'static Index,
    /// The last place the table has.
    pub(super) node: Option<&'static Node>,
    /// Whether the path went on beyond `node`.
    beyond: bool,
    pub kind: PropertyType,
    pub referenced: &'static [&'static str],
    pub status: Status,
    /// The path's text where it is not that of `node`. Only kept where it is wanted.
    text: Option<String>,
    wants_text: bool,
}

impl Walk {
    /// Follows `path`; composes its canonical text if wanted.
    pub fn along(path: &ObjectPath<'_>, wants_text: bool) -> Self {
        let mut walk = Self::start(path.object_type, wants_text);
        for (at, step) in path.steps.iter().enumerate() {
            walk.advance(at, &step.kind);
        }
        walk
    }

    fn start(object_type: &str, wants_text: bool) -> Self {
        let index = index();
        let node = index.root(object_type);
        let status = match node {
            Some(_) => Status::Known,
            None if object_type.starts_with("x-") => Status::Custom,
            None => Status::UnknownType,
        };
        let text = (node.is_none() && wants_text).then(|| object_type.to_owned());
        Self { index, node, beyond: node.is_none(), kind: PropertyType::Any, referenced: &[], status, text, wants_text }
    }

    /// The type of the last place that the table has.
    pub fn kind_before(&self) -> Option<PropertyType> {
        self.node.map(|node| node.kind)
    }

    /// The key of `step`, if the last place that the table has has such a property.
    pub fn has<'e>(&self, step: Option<&'e PathStep<'_>>) -> Option<&'e str> {
        match &step?.kind {
            PathStepKind::Property(key) => self.node?.link(key).map(|_| &**key),
            _ => None,
        }
    }

    /// The answer to [`super::resolve`].
    pub fn finish(self) -> Resolved {
        let row = self.node.filter(|_| !self.beyond).map(|node| node.row.map_or(node, |row| self.index.node(row)));
        let path = match (self.text, self.node) {
            (Some(text), _) => Cow::Owned(text),
            (None, Some(node)) => Cow::Borrowed(node.path.as_str()),
            (None, None) => Cow::Borrowed(""),
        };
        Resolved {
            path,
            property: row.map(|node| node.path.as_str()),
            kind: self.kind,
            referenced: self.referenced,
            status: self.status,
        }
    }

    fn advance(&mut self, at: usize, step: &PathStepKind<'_>) {
        let Some(node) = self.node.filter(|_| !self.beyond) else { return self.write(at, step) };
        match step {
            PathStepKind::Property(key) => self.property(node, at, key),
            PathStepKind::AnyIndex | PathStepKind::Index(_) => self.element(node, at, step),
        }
    }

    fn element(&mut self, node: &'static Node, at: usize, step: &PathStepKind<'_>) {
        match (node.kind, node.element) {
            (PropertyType::List(_), Some(element)) => {
                if matches!(step, PathStepKind::Index(_)) {
                    self.own_text(node);
                }
                self.write(at, step);
                self.move_to(self.index.node(element));
            }
            // STIX 2.0 has one string here and 2.1 a list: `[*]` says the same of both.
            (PropertyType::StringOrList, _) if *step == PathStepKind::AnyIndex => {}
            (PropertyType::StringOrList, _) => {
                self.own_text(node);
                self.write(at, step);
            }
            _ => self.leave(node, at, step, Status::UnknownProperty { step: at }),
        }
    }

    fn property(&mut self, list: &'static Node, at: usize, key: &str) {
        let node = match (list.kind, list.element) {
            (PropertyType::List(_), Some(element)) => {
                self.set(Status::ImpliedElement { step: at });
                self.write(at, &PathStepKind::AnyIndex);
                self.move_to(self.index.node(element));
                self.index.node(element)
            }
            _ => list,
        };
        if let PropertyType::Reference(targets) = node.kind {
            self.referenced = targets;
        }
        if let Some(link) = node.link(key) {
            if let Some(exact) = link.renamed {
                self.set(Status::Renamed { step: at, exact });
            }
            return self.descend(node, self.index.node(link.node), at);
        }
        match node.kind {
            PropertyType::Hashes => self.hash(node, at, key),
            PropertyType::Dictionary(_) => self.dictionary(node, at, key),
            PropertyType::Reference(targets) => self.referred(node, targets, at, key),
            PropertyType::Extensions(_) if key.starts_with("x-") || key.starts_with("extension-definition--") => {
                self.leave_by(node, at, key, Status::Custom);
            }
            _ if key.starts_with("x_") => self.leave_by(node, at, key, Status::Custom),
            _ => self.leave_by(node, at, key, Status::UnknownProperty { step: at }),
        }
    }

    fn hash(&mut self, node: &'static Node, at: usize, key: &str) {
        if let Some(link) = HashAlgorithm::from_spelling(key).and_then(|algorithm| node.link(algorithm.name)) {
            self.set(Status::Renamed { step: at, exact: true });
            return self.descend(node, self.index.node(link.node), at);
        }
        // The vocabulary is open: IMPHASH and the like are keys of their own.
        self.status = Status::Custom;
        self.any_key(node, key);
    }

    fn dictionary(&mut self, node: &'static Node, at: usize, key: &str) {
        if let Some((_, link)) = node.keys.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)) {
            self.set(Status::Renamed { step: at, exact: true });
            return self.descend(node, self.index.node(link.node), at);
        }
        self.any_key(node, key);
    }

    fn any_key(&mut self, node: &'static Node, key: &str) {
        self.own_text(node);
        self.write_key(key);
        if let Some(any) = node.element {
            self.move_to(self.index.node(any));
        }
    }

    /// Goes on at the types that a reference points to; at the first one that has the property.
    fn referred(&mut self, node: &'static Node, targets: &'static [&'static str], at: usize, key: &str) {
        let mut found: Option<(&'static Node, &'static Node, Option<bool>)> = None;
        let mut kind = None;
        for root in targets.iter().filter_map(|target| self.index.root(target)) {
            let Some(link) = root.link(key) else { continue };
            let child = self.index.node(link.node);
            kind = Some(kind.map_or(child.kind, |kind| join(kind, child.kind)));
            found = found.or(Some((root, child, link.renamed)));
        }
        let Some((root, child, renamed)) = found else {
            let status = if key.starts_with("x_") { Status::Custom } else { Status::UnknownProperty { step: at } };
            return self.leave_by(node, at, key, status);
        };
        if let Some(exact) = renamed {
            self.set(Status::Renamed { step: at, exact });
        }
        self.own_text(node);
        if let Some(text) = &mut self.text {
            text.push('.');
            text.push_str(child.path.get(root.path.len() + 1..).unwrap_or_default());
        }
        self.mark_removed(child, at);
        self.move_to(child);
        self.kind = kind.unwrap_or(PropertyType::Any);
    }

    /// Goes from a node to one below it whose text continues the node's own.
    fn descend(&mut self, node: &'static Node, child: &'static Node, at: usize) {
        if let Some(text) = &mut self.text {
            text.push_str(child.path.get(node.path.len()..).unwrap_or_default());
        }
        self.mark_removed(child, at);
        self.move_to(child);
    }

    fn mark_removed(&mut self, child: &Node, at: usize) {
        // A hash algorithm that only STIX 2.0 lists is a legal key of the open vocabulary of 2.1.
        if child.removed && !matches!(child.kind, PropertyType::Hash(_)) {
            self.set(Status::Removed { step: at });
        }
    }

    fn move_to(&mut self, node: &'static Node) {
        self.node = Some(node);
        self.kind = node.kind;
    }

    /// Leaves the table at `node`.
    fn leave(&mut self, node: &'static Node, at: usize, step: &PathStepKind<'_>, status: Status) {
        self.status = status;
        self.beyond = true;
        self.kind = PropertyType::Any;
        self.own_text(node);
        self.write(at, step);
    }

    fn leave_by(&mut self, node: &'static Node, at: usize, key: &str, status: Status) {
        self.leave(node, at, &PathStepKind::Property(Cow::Borrowed(key)), status);
    }

    fn set(&mut self, status: Status) {
        if rank(status) > rank(self.status) {
            self.status = status;
        }
    }

    /// From here on the text differs from that of the table.
    fn own_text(&mut self, node: &Node) {
        if self.wants_text && self.text.is_none() {
            self.text = Some(node.path.clone());
        }
    }

    fn write(&mut self, at: usize, step: &PathStepKind<'_>) {
        let Some(text) = &mut self.text else { return };
        match step {
            PathStepKind::Property(key) => push_key(text, if at == 0 { ':' } else { '.' }, key),
            PathStepKind::Index(number) => {
                text.push('[');
                text.push_str(&number.to_string());
                text.push(']');
            }
            PathStepKind::AnyIndex => text.push_str("[*]"),
        }
    }

    fn write_key(&mut self, key: &str) {
        if let Some(text) = &mut self.text {
            push_key(text, '.', key);
        }
    }
}

fn rank(status: Status) -> u8 {
    match status {
        Status::Known => 0,
        Status::Renamed { .. } => 1,
        Status::ImpliedElement { .. } => 2,
        Status::Removed { .. } => 3,
        Status::Custom => 4,
        Status::UnknownProperty { .. } => 5,
        Status::UnknownType => 6,
    }
}
