//! The YAML of a ready-made rule as a tree, with the place of each node.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// How deep nodes lie in one another. A rule needs six.
const DEEPEST: usize = 24;

/// A node and where it stands, in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) at: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text, or anything that is quoted.
    Text(String),
    /// A number or a truth value.
    Number(String),
    Null,
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) at: Range<usize>,
}

impl Node {
    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault { message: message.into(), at: self.at.clone() }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Kind::Text(text) = &self.kind { Some(text) } else { None }
    }

    /// What a scalar says; nothing for null.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) | Kind::Number(text) => Some(text),
            Kind::Null => Some(""),
            _ => None,
        }
    }

    pub(super) fn entries(&self) -> Option<&[(Node, Node)]> {
        if let Kind::Map(entries) = &self.kind { Some(entries) } else { None }
    }

    /// The elements of a list; a node by itself is one.
    pub(super) fn elements(&self) -> &[Node] {
        if let Kind::List(elements) = &self.kind { elements } else { std::slice::from_ref(self) }
    }

    /// The value of a key of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let entry = self.entries()?.iter().find(|(own, _)| own.scalar() == Some(key))?;
        Some(&entry.1)
    }
}

/// The documents of a text that is known to be YAML.
pub(super) fn documents(text: &str) -> Result<Vec<Node>, Fault> {
    let (mut all, mut open): (Vec<Node>, Vec<Open>) = (Vec::new(), Vec::new());
    let broken = |message: &str, at: usize| Fault { message: message.to_owned(), at: at..at };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| broken(&error.to_string(), 0))?;
        let at = span.start.index()..span.end.index();
        let node = match event {
            Event::MappingStart(..) | Event::SequenceStart(..) if open.len() >= DEEPEST => {
                return Err(Fault { message: "the rule is nested too deep".to_owned(), at });
            }
            Event::MappingStart(..) => {
                open.push(Open { is_map: true, start: at.start, nodes: Vec::new() });
                continue;
            }
            Event::SequenceStart(..) => {
                open.push(Open { is_map: false, start: at.start, nodes: Vec::new() });
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => match open.pop() {
                Some(closed) => closed.node(at.end)?,
                None => return Err(broken("the rule is no YAML", at.start)),
            },
            Event::Scalar(text, style, ..) => Node { kind: scalar(&text, style), at },
            Event::Alias(_) => Node { kind: Kind::Null, at },
            _ => continue,
        };
        match open.last_mut() {
            Some(around) => around.nodes.push(node),
            None => all.push(node),
        }
    }
    Ok(all)
}

/// A map or a list that has not ended.
struct Open {
    is_map: bool,
    start: usize,
    nodes: Vec<Node>,
}

impl Open {
    fn node(self, end: usize) -> Result<Node, Fault> {
        let at = self.start..end;
        if !self.is_map {
            return Ok(Node { kind: Kind::List(self.nodes), at });
        }
        let mut entries: Vec<(Node, Node)> = Vec::with_capacity(self.nodes.len() / 2);
        let mut nodes = self.nodes.into_iter();
        while let (Some(key), Some(value)) = (nodes.next(), nodes.next()) {
            if entries.iter().any(|(known, _)| known.scalar().is_some() && known.scalar() == key.scalar()) {
                let name = key.scalar().unwrap_or_default();
                return Err(key.fault(format!("the key {name:?} stands there twice")));
            }
            entries.push((key, value));
        }
        Ok(Node { kind: Kind::Map(entries), at })
    }
}

/// What a scalar is, as YAML 1.1 and 1.2 agree, and the readers of Sigma with them.
fn scalar(text: &str, style: ScalarStyle) -> Kind {
    if style != ScalarStyle::Plain {
        return Kind::Text(text.to_owned());
    }
    match text.to_ascii_lowercase().as_str() {
        "" | "~" | "null" => Kind::Null,
        "true" | "false" | "yes" | "no" | "on" | "off" => Kind::Number(text.to_owned()),
        plain
            if plain.parse::<f64>().is_ok()
                && plain.starts_with(|one: char| one.is_ascii_digit() || "+-.".contains(one)) =>
        {
            Kind::Number(text.to_owned())
        }
        plain if plain.strip_prefix("0x").is_some_and(|digits| i64::from_str_radix(digits, 16).is_ok()) => {
            Kind::Number(text.to_owned())
        }
        _ => Kind::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_what_they_look_like() {
        let text = "a: x\nb: [1, '1', true, ~, 0x1f, 1.5.2]\nc: {d: ''}\n";
        let node = documents(text).unwrap().remove(0);
        assert_eq!(node.get("a").unwrap().text(), Some("x"));
        let kinds: Vec<&Kind> = node.get("b").unwrap().elements().iter().map(|node| &node.kind).collect();
        assert!(matches!(
            kinds[..],
            [Kind::Number(_), Kind::Text(_), Kind::Number(_), Kind::Null, Kind::Number(_), Kind::Text(_)]
        ));
        assert_eq!(node.get("c").unwrap().get("d").unwrap().text(), Some(""));
        let twice = documents("a: {b: 1, b: 2}").unwrap_err();
        assert!(twice.message.contains("twice") && twice.at == (10..11), "{twice:?}");
        assert!(documents(&format!("a: {}{}", "[".repeat(30), "]".repeat(30))).is_err());
    }
}
