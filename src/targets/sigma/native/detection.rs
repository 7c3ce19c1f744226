//! What the selections of a ready-made rule ask for.

use std::collections::BTreeMap;

use super::{
    condition,
    tree::{Fault, Kind, Node},
    vocabulary::{Effect, Vocabulary},
};
use crate::{
    evaluate::Expression,
    guard::{Comparison, Evidence},
    span::Span,
};

/// How many times an expression may go back while it is tried. None is tried here.
const BACKTRACKS: usize = 1_000;

/// What a detection asks for, by its conditions.
///
/// # Errors
/// What is wrong with it, and where.
pub(super) fn evidence(detection: &Node) -> Result<Evidence, Fault> {
    let entries = detection.entries().ok_or_else(|| detection.fault("the detection is no map"))?;
    let mut selections: BTreeMap<&str, Evidence> = BTreeMap::new();
    for (name, selection) in entries {
        match name.scalar() {
            Some("condition" | "timeframe") => {}
            Some(text) if !text.is_empty() => drop(selections.insert(text, self::selection(selection)?)),
            _ => return Err(name.fault("a selection needs a name")),
        }
    }
    if selections.is_empty() {
        return Err(detection.fault("the detection has no selection"));
    }
    let Some(conditions) = detection.get("condition") else {
        return Err(detection.fault("the detection has no condition"));
    };
    let read = |node: &Node| match node.scalar() {
        Some(text) => condition::evidence(text, &selections).map_err(|message| node.fault(message)),
        None => Err(node.fault("a condition is a text")),
    };
    let all: Vec<Evidence> = conditions.elements().iter().map(read).collect::<Result<_, _>>()?;
    if all.is_empty() {
        return Err(conditions.fault("there is no condition"));
    }
    Ok(Evidence::Any(all))
}

fn selection(node: &Node) -> Result<Evidence, Fault> {
    match &node.kind {
        Kind::Map(entries) if entries.is_empty() => Err(node.fault("the selection is empty")),
        Kind::List(elements) if elements.is_empty() => Err(node.fault("the selection is empty")),
        Kind::Null => Err(node.fault("the selection is empty")),
        Kind::Map(entries) => {
            let items = entries.iter().map(|(key, value)| item(key, value));
            Ok(Evidence::All(items.collect::<Result<_, _>>()?))
        }
        Kind::List(elements) => Ok(Evidence::Any(elements.iter().map(selection).collect::<Result<_, _>>()?)),
        Kind::Text(text) => Ok(anything("", &Pattern::new(text, Position::WITHIN))),
        Kind::Number(_) => Ok(Evidence::Nothing("a number names nobody".to_owned())),
    }
}

/// A field with its values.
fn item(key: &Node, value: &Node) -> Result<Evidence, Fault> {
    let words = Vocabulary::shipped();
    let mut parts = key.scalar().ok_or_else(|| key.fault("a field is a text"))?.split('|');
    let field = parts.next().unwrap_or_default();
    let mut effects = Vec::new();
    for modifier in parts {
        match words.modifiers.get(modifier) {
            Some(effect) => effects.push(*effect),
            None => return Err(key.fault(format!("there is no modifier {modifier:?}"))),
        }
    }
    if effects.contains(&Effect::Flag) && !effects.contains(&Effect::Expression) {
        return Err(key.fault("a flag of an expression needs the modifier re"));
    }
    let item = Item { field: field.to_lowercase(), effects };
    let all: Vec<Evidence> = value.elements().iter().map(|one| item.value(one)).collect::<Result<_, _>>()?;
    Ok(if item.has(Effect::All) { Evidence::All(all) } else { Evidence::Any(all) })
}

struct Item {
    field: String,
    effects: Vec<Effect>,
}

impl Item {
    fn has(&self, effect: Effect) -> bool {
        self.effects.contains(&effect)
    }

    fn value(&self, node: &Node) -> Result<Evidence, Fault> {
        let nothing = |why: &str| Ok(Evidence::Nothing(format!("{} {why}", self.field)));
        let place = Vocabulary::shipped().fields.get(&self.field).map(String::as_str);
        let is_partial = [Effect::Contains, Effect::Startswith, Effect::Endswith, Effect::Encoded, Effect::Cidr];
        let text = match &node.kind {
            Kind::List(_) | Kind::Map(_) => return Err(node.fault("a value is a text, a number or nothing")),
            Kind::Null if self.has(Effect::Expression) || self.has(Effect::Cidr) => {
                return Err(node.fault("a value is missing"));
            }
            Kind::Null => return nothing("without a value names nobody"),
            Kind::Number(_) if is_partial.iter().any(|effect| self.has(*effect)) => {
                return Err(node.fault("a part of a number can't be looked for: put it into quotes"));
            }
            Kind::Number(text) | Kind::Text(text) => text.as_str(),
        };
        if self.has(Effect::Measure) {
            return nothing("is compared, which names nobody");
        }
        if self.has(Effect::Cidr) {
            return Evidence::address(text).ok_or_else(|| node.fault(format!("{text:?} is no prefix")));
        }
        if self.has(Effect::Expression) {
            return self.expression(node, text, place);
        }
        match place {
            Some("") => return nothing("names nobody"),
            Some("event") => {
                let number = text.trim();
                let is_partial = self.effects.iter().any(|effect| is_partial.contains(effect));
                let is_everyday = Vocabulary::shipped().events.everyday.contains(number);
                return match is_everyday || is_partial || number.parse::<u32>().is_err() {
                    true => nothing("is one of every machine"),
                    false => Ok(Evidence::Named),
                };
            }
            _ if matches!(node.kind, Kind::Number(_)) => return nothing("is a number, which names nobody"),
            _ => {}
        }
        let position = match self.effects.iter().find(|effect| is_partial.contains(effect)) {
            Some(Effect::Startswith) => Position { starts: true, ends: false },
            Some(Effect::Endswith) => Position { starts: false, ends: true },
            Some(_) => Position::WITHIN,
            None => Position { starts: true, ends: true },
        };
        Ok(of_field(&self.field, place, &Pattern::new(text, position)))
    }

    fn expression(&self, node: &Node, text: &str, place: Option<&str>) -> Result<Evidence, Fault> {
        if Expression::with_limit(text, Span::default(), BACKTRACKS).is_err() {
            return Err(node.fault(format!("{text:?} is no regular expression")));
        }
        Ok(match place {
            Some("" | "event") => Evidence::Nothing(format!("{} names nobody", self.field)),
            Some(path) => Evidence::test(path, Comparison::Matches, text),
            None => Evidence::expression(text),
        })
    }
}

/// Whether a text stands at the edges of a value.
#[derive(Debug, Clone, Copy)]
struct Position {
    starts: bool,
    ends: bool,
}

impl Position {
    const WITHIN: Self = Self { starts: false, ends: false };
}

/// A text with wildcards, read.
struct Pattern {
    /// As LIKE has it, with what stands around it.
    like: String,
    /// The text without wildcards at its edges; `None` where some stand within.
    plain: Option<String>,
    starts: bool,
    ends: bool,
}

impl Pattern {
    fn new(text: &str, position: Position) -> Self {
        let (mut like, mut plain, mut has_single) = (String::new(), String::new(), false);
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let literal = match character {
                '\\' => match characters.peek() {
                    Some('*' | '?' | '\\') => characters.next().unwrap_or(character),
                    _ => character,
                },
                '*' => {
                    like.push('%');
                    plain.push('*');
                    continue;
                }
                '?' => {
                    (has_single, like) = (true, like + "_");
                    continue;
                }
                other => other,
            };
            // LIKE has no escape: any character stands for its wildcards.
            like.push(if matches!(literal, '%' | '_') { '_' } else { literal });
            plain.push(if literal == '*' { '\u{1}' } else { literal });
        }
        let starts = position.starts && !plain.starts_with('*');
        let ends = position.ends && !plain.ends_with('*');
        let edge = |is_edge: bool| if is_edge { "" } else { "%" };
        let like = format!("{}{like}{}", edge(position.starts), edge(position.ends));
        let inner = plain.trim_matches('*');
        let plain = (!has_single && !inner.contains('*')).then(|| inner.replace('\u{1}', "*"));
        Self { like, plain, starts, ends }
    }

    fn is_whole(&self) -> bool {
        self.starts && self.ends
    }
}

fn of_field(field: &str, place: Option<&str>, pattern: &Pattern) -> Evidence {
    let whole = pattern.plain.as_deref().filter(|_| pattern.is_whole());
    match (place, pattern.plain.as_deref()) {
        (Some("domain-name:value"), Some(name)) => {
            Evidence::name("domain-name:value", name, pattern.starts, pattern.ends)
        }
        (Some("ipv4-addr:value"), Some(text)) => match (Evidence::address(text), prefix(text)) {
            (Some(address), _) if pattern.starts => address,
            (_, Some(prefix)) if pattern.starts => prefix,
            _ => Evidence::test("ipv4-addr:value", Comparison::Like, &pattern.like),
        },
        (Some(path), _) => match whole {
            Some(text) => Evidence::test(path, Comparison::Equal, text),
            None => Evidence::test(path, Comparison::Like, &pattern.like),
        },
        (None, _) => anything(field, pattern),
    }
}

/// `198.51.100.` at the beginning of an address.
fn prefix(text: &str) -> Option<Evidence> {
    let octets: Vec<&str> = text.strip_suffix('.')?.split('.').collect();
    if octets.len() > 3 {
        return None;
    }
    let zeros = ".0".repeat(4 - octets.len());
    Evidence::address(&format!("{}{zeros}/{}", octets.join("."), 8 * octets.len()))
}

/// A text of which only its look tells what it is.
fn anything(field: &str, pattern: &Pattern) -> Evidence {
    let like = || Evidence::test("x-text:value", Comparison::Like, &pattern.like);
    let Some(text) = pattern.plain.as_deref() else { return like() };
    if let Some(address) = Evidence::address(text).or_else(|| prefix(text)) {
        return address;
    }
    let digits = text.rsplit_once('=').map_or(text, |(_, digits)| digits);
    let is_digest = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let path = match digits.len() {
        _ if !is_digest => None,
        32 if text.to_lowercase().starts_with("imphash") || field.contains("imphash") => None,
        32 => Some("file:hashes.MD5"),
        40 => Some("file:hashes.'SHA-1'"),
        64 => Some("file:hashes.'SHA-256'"),
        _ => None,
    };
    if let Some(path) = path {
        return Evidence::test(path, Comparison::Equal, digits);
    }
    if text.contains("://") {
        return match pattern.is_whole() || text.matches('/').count() > 2 {
            true => Evidence::test("url:value", Comparison::Equal, text),
            false => Evidence::test("url:value", Comparison::Like, &pattern.like),
        };
    }
    let is_name = |name: &str| {
        let suffix = psl::Psl::suffix(&psl::List, name.trim_matches('.').as_bytes());
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        is_plain && name.contains('.') && suffix.is_some_and(|suffix| suffix.is_known())
    };
    let lower = text.to_lowercase();
    let everyday = &Vocabulary::shipped().words.everyday;
    if everyday.iter().any(|known| known.to_lowercase().contains(&lower)) {
        return Evidence::Nothing(format!("{text:?} is in the logs of everybody"));
    }
    if is_name(&lower) { Evidence::name("domain-name:value", &lower, pattern.starts, pattern.ends) } else { like() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        guard::{Guard, Policy, Side, Weight},
        targets::sigma::native::tree::documents,
    };

    fn said(detection: &str) -> String {
        let node = documents(detection).unwrap().remove(0);
        let policy = Policy::new(Guard::builtin(), "sigma", Side::Detecting);
        match evidence(&node).map(|evidence| policy.weigh(&evidence)) {
            Err(fault) => fault.message,
            Ok(Weight::Full) => String::new(),
            Ok(Weight::Less(found)) => format!("{} kept", found[0].code.0),
            Ok(Weight::None(found)) => found.code.0.to_owned(),
        }
    }

    #[test]
    fn a_selection_names_something() {
        for (selection, expected) in [
            ("CommandLine|contains: evil-tool", ""),
            ("CommandLine|contains: ''", "G030"),
            ("CommandLine: '*'", "G030"),
            ("CommandLine: '*?*'", "G030"),
            ("CommandLine:", "G030"),
            ("CommandLine|re: .*", "G030"),
            ("CommandLine|re: 'evil[0-9]+'", ""),
            ("CommandLine|contains: exe", "G030"),
            ("CommandLine|contains|all: [a, b]", "G030"),
            ("CommandLine|contains|all: [a, evil-tool]", ""),
            ("CommandLine|contains: [a, evil-tool]", "G030"),
            ("CommandLine|exists: true", "G030"),
            ("Image|endswith: .exe", "G030"),
            (r"Image|endswith: \cmd.exe", "G030"),
            (r"Image|endswith: '\\cmd.exe'", "G030"),
            (r"Image: C:\Windows\System32\svchost.exe", "G030"),
            (r"Image|startswith: C:\Windows\", "G030"),
            (r"Image|endswith: \evil-tool.exe", ""),
            (r"{Image|endswith: \cmd.exe, CommandLine|contains: evil-tool}", ""),
            ("{EventID: 1, Channel: Security}", "G030"),
            ("EventID: 1102", ""),
            ("EventID: [1102, 4624]", "G030"),
            ("EventID|contains: '46'", "G030"),
            ("EventID|re: '4624|4688'", "G030"),
            ("Product: Microsoft Windows", "G030"),
            ("[error, failed]", "G030"),
            ("DestinationPort: 443", "G030"),
            ("DestinationIp: 8.8.8.8", "G004"),
            ("DestinationIp: [8.8.8.8, 1.1.1.1]", "G004"),
            ("DestinationIp: [8.8.8.8, 203.0.113.9]", "G011 kept"),
            ("{DestinationIp: 8.8.8.8, DestinationPort: 53}", "G004"),
            ("DestinationIp|cidr: 10.0.0.0/8", "G001"),
            ("DestinationIp|cidr: 0.0.0.0/0", "G002"),
            ("DestinationIp|startswith: '192.168.'", "G001"),
            ("DestinationIp: 192.168.*", "G001"),
            ("DestinationIp: 203.0.113.9", ""),
            ("some.field: 8.8.8.8", "G004"),
            ("query: google.com", "G011 kept"),
            ("query: login.microsoftonline.com", "G004"),
            ("query|endswith: .windowsupdate.com", "G004"),
            ("query|endswith: .com", "G030"),
            ("query|endswith: .evil.example", ""),
            ("some.field|contains: login.microsoftonline.com", "G004"),
            ("Hashes|contains: MD5=D41D8CD98F00B204E9800998ECF8427E", "G007"),
            ("md5: d41d8cd98f00b204e9800998ecf8427e", "G007"),
            ("Hashes|contains: SHA256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", ""),
            ("User: SYSTEM", "G030"),
            ("some.field: 5", "G030"),
            ("some.field|gte: 5", "G030"),
            ("other: evil-thing", ""),
            ("[evil-thing, other-thing]", ""),
            ("[evil-thing, '*']", "G030"),
            ("[{Image|endswith: '.exe'}, {CommandLine|contains: evil-tool}]", "G030"),
            ("['8.8.8.8']", "G004"),
            ("{CommandLine|fieldref: Image}", "G030"),
        ] {
            let body =
                if selection.starts_with(['{', '[']) { selection.to_owned() } else { format!("\n    {selection}") };
            assert_eq!(said(&format!("s: {body}\ncondition: s\n")), expected, "{selection}");
        }
        assert_eq!(said("s: {query: evil.example}\ncondition: not s"), "G030");
        assert_eq!(said("s: {query: evil.example}\nt: {EventID: 1}\ncondition: s or t"), "G030");
        assert_eq!(said("s: {query: evil.example}\nt: {EventID: 1}\ncondition: [s, t]"), "G030");
        assert_eq!(said("s: {query: evil.example}\nt: {EventID: 1}\ncondition: s and t"), "");
        assert_eq!(said("s_a: {query: evil.example}\ns_b: {EventID: 1}\ncondition: 1 of s_*"), "G030");
        assert_eq!(said("s_a: {query: evil.example}\ns_b: {EventID: 1}\ncondition: all of them"), "");
    }

    #[test]
    fn what_sigma_has_not_is_told() {
        for (detection, part) in [
            ("s: {query|glob: x}\ncondition: s", "no modifier \"glob\""),
            ("s: {query|i: x}\ncondition: s", "needs the modifier re"),
            ("s: {query: x}\ncondition: t", "no selection \"t\""),
            ("s: {query: x}\ncondition: s and", "too early"),
            ("s: {query: x}\ncondition: {a: b}", "is a text"),
            ("s: {query: x}\ncondition: []", "no condition"),
            ("s: {query: {a: b}}\ncondition: s", "a value is a text"),
            ("s: {query: [[a]]}\ncondition: s", "a value is a text"),
            ("s: {query|contains: 5}\ncondition: s", "part of a number"),
            ("s: {query|re: '('}\ncondition: s", "no regular expression"),
            ("s: {ip|cidr: 10.0.0.0/99}\ncondition: s", "no prefix"),
            ("s: {}\ncondition: s", "empty"),
            ("s:\ncondition: s", "empty"),
            ("condition: s", "no selection"),
        ] {
            assert!(said(detection).contains(part), "{detection}: {}", said(detection));
        }
    }
}
