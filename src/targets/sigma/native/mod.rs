//! Rules that an indicator brings along.
//!
//! They are read as Sigma's tools would read them, and may say nothing of rules beside them: a filter would silence others, and a
//! correlation takes the rules that it ties out of the output. Dates, tags and ends of lines are repaired.

mod condition;
mod detection;
mod edit;
mod prepare;
mod shape;
mod tree;
mod vocabulary;

use std::collections::BTreeSet;

use saphyr_parser::{Event, Parser, ScanError, Span};

use crate::{
    diagnostic::{Code, Diagnostic},
    guard::Evidence,
    targets::native::{NativeFault, NativeRule},
};
use edit::{Edits, Extent, Place};

pub(super) use prepare::Preparation;

/// A ready-made rule that is no YAML.
pub const NOT_YAML: Code = Code("R100");
/// A ready-made rule that lacks what makes a Sigma rule.
pub const NOT_A_RULE: Code = Code("R101");
/// A ready-made rule that speaks of others, or of more than text.
pub const REACHES_OUT: Code = Code("R102");
/// A ready-made rule that was repaired.
pub const REPAIRED: Code = Code("R103");

/// The attribute that leads back to the indicator.
const STIX_ID: &str = "stix_id";
/// How the names of the attributes begin that we add.
const OURS: [&str; 2] = ["stix_", "native_"];

/// What a ready-made rule says at its top.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Native {
    /// Its own id; empty where it has none.
    pub(super) id: String,
    /// Where that stands.
    id_at: Option<Place>,
    pub(super) title: String,
    /// The line at which it begins, from 1.
    pub(super) line: usize,
    has_logsource: bool,
    has_detection: bool,
    has_condition: bool,
    has_correlation: bool,
    has_filter: bool,
    /// An attribute with a name like those that we add.
    ours: Option<String>,
    /// Whether a key stands at its top twice.
    has_twins: bool,
    keys: BTreeSet<String>,
    name: Option<Place>,
    level: Option<Place>,
    status: Option<String>,
    dates: Vec<Place>,
    tags: Vec<Place>,
    /// The rules that a correlation ties, by name or id.
    ties: Vec<Place>,
    /// Whether it has anchors, aliases or tags of YAML.
    has_references: bool,
    map: Extent,
}

impl Native {
    /// What is missing, if anything.
    fn missing(&self) -> Option<&'static str> {
        if self.title.is_empty() {
            Some("title")
        } else if self.has_correlation {
            None
        } else if !self.has_logsource {
            Some("logsource")
        } else if !self.has_detection {
            Some("detection")
        } else if !self.has_condition {
            Some("detection.condition")
        } else {
            None
        }
    }
}

/// Reads a ready-made rule, and repairs it.
///
/// # Errors
/// Why it can't go into the files.
pub(super) fn take(text: &str) -> Result<NativeRule, NativeFault> {
    let written = text;
    let text = text.replace("\r\n", "\n");
    let documents = read(&text).map_err(NativeFault::Malformed)?;
    for document in &documents {
        stands_alone(document, &documents)
            .map_err(|message| NativeFault::Unwanted(Diagnostic::error(REACHES_OUT, message)))?;
        is_spelt_right(document).map_err(|message| NativeFault::Malformed(Diagnostic::error(NOT_A_RULE, message)))?;
    }
    // A place in a text that was changed is none in the pattern.
    let placed = |found: Diagnostic| Diagnostic { span: found.span.filter(|_| text == written), ..found };
    let evidence = evidence(&text).map_err(placed).map_err(NativeFault::Malformed)?;
    let characters: Vec<char> = text.chars().collect();
    let (mut edits, mut notes) = (Edits::default(), Vec::new());
    let mut repair = |place: &Place, meant: Option<String>| {
        if let Some(meant) = meant.filter(|meant| *meant != place.text) {
            notes.push(Diagnostic::note(REPAIRED, format!("{:?} is written as {meant}", place.text)));
            edits.replace(place.at.clone(), meant);
        }
    };
    for document in &documents {
        document.dates.iter().for_each(|place| repair(place, edit::date(&place.text)));
        document.tags.iter().for_each(|place| repair(place, edit::tag(&place.text)));
    }
    for document in documents.iter().filter(|one| !one.id.is_empty() && one.id.parse::<uuid::Uuid>().is_err()) {
        notes.push(Diagnostic::note(REPAIRED, format!("{:?} is no UUID: the rule gets another id", document.id)));
    }
    let mut repaired = edits.apply(&characters);
    if !repaired.ends_with('\n') {
        repaired.push('\n');
        notes.push(Diagnostic::note(REPAIRED, "the end of the last line is added"));
    }
    // Whatever was changed, what is left has to be a rule still.
    read(&repaired).map_err(NativeFault::Malformed)?;
    Ok(NativeRule { text: repaired, notes, is_compiled: true, evidence })
}

/// What the rules of a text ask for, where they are as Sigma's specification wants them.
fn evidence(text: &str) -> Result<Vec<Evidence>, Diagnostic> {
    let said = |fault: tree::Fault| {
        let byte = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
        Diagnostic::error(NOT_A_RULE, fault.message)
            .at(crate::span::Span::new(byte(fault.at.start), byte(fault.at.end)))
            .help("see the Sigma specification: sigmahq.io/sigma-specification")
    };
    let documents = tree::documents(text).map_err(said)?;
    let all: Vec<Option<Evidence>> = documents.iter().map(shape::evidence).collect::<Result<_, _>>().map_err(said)?;
    Ok(all.into_iter().flatten().collect())
}

/// Whether a document says nothing of rules that are not its own.
fn stands_alone(document: &Native, all: &[Native]) -> Result<(), String> {
    let is_called = |one: &Native, name: &str| one.id == name || one.name.as_ref().is_some_and(|own| own.text == name);
    let own = |tie: &Place| all.iter().any(|other| is_called(other, &tie.text));
    if document.has_filter {
        return Err("a filter takes matches away from other rules".to_owned());
    }
    if document.has_references {
        return Err("a rule from a feed may have no anchors, aliases or tags of YAML".to_owned());
    }
    if let Some(name) = &document.ours {
        return Err(format!("attributes like {name} are ours: they say which indicator the rule comes from"));
    }
    match document.ties.iter().find(|tie| !own(tie)) {
        Some(tie) => Err(format!("the correlation ties the rule {}, which is not in the same text", tie.text)),
        None => Ok(()),
    }
}

/// Whether what has a fixed spelling has it (Sigma specification 2.1).
fn is_spelt_right(document: &Native) -> Result<(), String> {
    const LEVELS: [&str; 5] = ["informational", "low", "medium", "high", "critical"];
    const STATUS: [&str; 5] = ["stable", "test", "experimental", "deprecated", "unsupported"];
    let among = |what: &str, value: Option<&str>, known: &[&str]| match value {
        Some(value) if !known.contains(&value) => Err(format!("{value:?} is no {what}")),
        _ => Ok(()),
    };
    among("level", document.level.as_ref().map(|place| place.text.as_str()), &LEVELS)?;
    among("status", document.status.as_deref(), &STATUS)?;
    if document.has_twins {
        return Err("a key stands at its top twice".to_owned());
    }
    if let Some(place) = document.dates.iter().find(|place| edit::date(&place.text).is_none()) {
        return Err(format!("{:?} is no date", place.text));
    }
    match document.tags.iter().find(|place| edit::tag(&place.text).is_none()) {
        Some(place) => Err(format!("the tag {:?} has no namespace", place.text)),
        None => Ok(()),
    }
}

/// Reads a ready-made rule, or several in one file, far enough to know that Sigma's tools will take it for one. Aliases
/// are not followed, so a small text stays small.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(text: &str) -> Result<Vec<Native>, Diagnostic> {
    let documents = documents(text)
        .map_err(|error| Diagnostic::error(NOT_YAML, format!("the rule is no YAML: {error}")))?
        .ok_or_else(|| Diagnostic::error(NOT_A_RULE, "the rule is no map of keys and values"))?;
    if let Some(missing) = documents.iter().find_map(Native::missing) {
        return Err(Diagnostic::error(NOT_A_RULE, format!("the rule has no {missing}"))
            .help("a Sigma rule needs title, logsource and detection with a condition"));
    }
    if documents.is_empty() {
        return Err(Diagnostic::error(NOT_A_RULE, "the rule is empty"));
    }
    Ok(documents)
}

/// What each document says at its top; `None` where one is no map.
fn documents(text: &str) -> Result<Option<Vec<Native>>, ScanError> {
    let mut all = Vec::new();
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event?;
        reader.place = span;
        let is_marked = match &event {
            Event::Alias(_) => true,
            Event::Scalar(.., anchor, tag) => *anchor > 0 || tag.is_some(),
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => *anchor > 0 || tag.is_some(),
            _ => false,
        };
        reader.native.has_references |= is_marked;
        match event {
            Event::DocumentStart(_) => reader = Reader::default(),
            Event::DocumentEnd if !reader.is_map => return Ok(None),
            Event::DocumentEnd => all.push(std::mem::take(&mut reader.native)),
            Event::MappingStart(..) => {
                if reader.around.is_empty() {
                    reader.native.line = span.start.line();
                    reader.native.map = Extent { start: span.start.index(), end: 0, indent: span.start.col() };
                }
                reader.open(true);
            }
            Event::SequenceStart(..) => reader.open(false),
            Event::MappingEnd | Event::SequenceEnd => {
                reader.close();
                if reader.around.is_empty() {
                    reader.native.map.end = span.start.index();
                }
            }
            Event::Scalar(text, ..) => reader.leaf(&text),
            Event::Alias(_) => reader.leaf(""),
            _ => {}
        }
    }
    Ok(Some(all))
}

/// Follows the events of one document.
#[derive(Default)]
struct Reader {
    native: Native,
    /// Where the event stands that is looked at.
    place: Span,
    is_map: bool,
    /// The maps and lists around the next node.
    around: Vec<Frame>,
}

struct Frame {
    is_map: bool,
    /// In a map: the key whose value comes next; `None` where a key comes next.
    key: Option<String>,
    /// Whether the whole map or list is a key itself.
    is_key: bool,
}

impl Reader {
    fn open(&mut self, is_map: bool) {
        self.is_map |= is_map && self.around.is_empty();
        let is_key = self.is_key("");
        if !is_key {
            self.value(is_map, "");
        }
        self.around.push(Frame { is_map, key: None, is_key });
    }

    fn close(&mut self) {
        let was_key = self.around.pop().is_some_and(|frame| frame.is_key);
        if !was_key {
            self.done();
        }
    }

    fn leaf(&mut self, text: &str) {
        if !self.is_key(text) {
            self.value(false, text);
            self.done();
        }
    }

    /// Whether the node that begins here is a key; if so, `text` is noted.
    fn is_key(&mut self, text: &str) -> bool {
        match self.around.last_mut() {
            Some(Frame { is_map: true, key: key @ None, .. }) => {
                *key = Some(text.to_owned());
                if self.around.len() == 1 {
                    self.native.has_twins |= !self.native.keys.insert(text.to_owned());
                    self.native.has_filter |= text == "filter";
                    if OURS.iter().any(|ours| text.starts_with(ours)) {
                        self.native.ours = Some(text.to_owned());
                    }
                }
                true
            }
            _ => false,
        }
    }

    fn done(&mut self) {
        if let Some(frame) = self.around.last_mut() {
            frame.key = None;
        }
    }

    fn value(&mut self, is_map: bool, text: &str) {
        let key = |frame: &'_ Frame| frame.key.clone().unwrap_or_default();
        let here = Place { text: text.to_owned(), at: self.place.start.index()..self.place.end.index() };
        match self.around.as_slice() {
            [top] => match key(top).as_str() {
                "id" => (self.native.id, self.native.id_at) = (text.to_owned(), Some(here)),
                "title" => self.native.title = text.to_owned(),
                "name" => self.native.name = Some(here),
                "level" => self.native.level = Some(here),
                "status" => self.native.status = Some(text.to_owned()),
                "date" | "modified" if !is_map => self.native.dates.push(here),
                "logsource" => self.native.has_logsource = is_map,
                "detection" => self.native.has_detection = is_map,
                "correlation" => self.native.has_correlation = is_map,
                _ => {}
            },
            [top, inner] if key(top) == "detection" && key(inner) == "condition" => self.native.has_condition = true,
            [top, list] if key(top) == "tags" && !list.is_map => self.native.tags.push(here),
            [top, inner] if key(top) == "correlation" && key(inner) == "rules" && !text.is_empty() => {
                self.native.ties.push(here);
            }
            [top, inner, list] if key(top) == "correlation" && key(inner) == "rules" && !list.is_map => {
                self.native.ties.push(here);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "title: A\nid: 0f6b5a3c-0000-4000-8000-000000000000\nlogsource:\n    category: dns\n\
                        detection:\n    selection:\n        query: a\n    condition: selection\n";

    #[test]
    fn takes_rules() {
        assert_eq!(read(RULE).unwrap()[0].id, "0f6b5a3c-0000-4000-8000-000000000000");
        let several = format!("{RULE}---\ntitle: B\ncorrelation:\n    type: event_count\n");
        let lines: Vec<_> = read(&several).unwrap().into_iter().map(|rule| (rule.line, rule.title)).collect();
        assert_eq!(lines, [(1, "A".to_owned()), (10, "B".to_owned())]);
        assert!(read(r#"{"title": "x", "logsource": {}, "detection": {"condition": ["a"]}}"#).is_ok());
        assert!(read("? [a, b]\n: c\ntitle: x\nlogsource: {}\ndetection: {condition: a}").is_ok());
    }

    #[test]
    fn refuses_what_is_none() {
        let code = |text: &str| read(text).unwrap_err().code;
        for text in ["a: [", "a: 'x", "a: *b", "%YAML 9"] {
            assert_eq!(code(text), NOT_YAML, "{text}");
        }
        for text in ["", "just text", "- title: x", "title: x", "title: ''\nlogsource: {}\ndetection: {condition: a}"] {
            assert_eq!(code(text), NOT_A_RULE, "{text}");
        }
        assert_eq!(code(&RULE.replace("condition", "conditions")), NOT_A_RULE);
        assert_eq!(code(&RULE.replace("    category: dns", "    - dns")), NOT_A_RULE);
        assert_eq!(code("title: x\nlogsource: {}\ndetection: {a: {condition: b}}"), NOT_A_RULE);
        assert_eq!(code(&format!("{RULE}---\n- a\n")), NOT_A_RULE);
    }

    #[test]
    fn a_rule_says_nothing_of_others() {
        let code = |text: &str| take(text).map(drop).map_err(|fault| fault.diagnostic().code);
        assert_eq!(code(RULE), Ok(()));
        for more in [
            "filter:\n    rules: any\n",
            "stix_id: indicator--1\n",
            "native_id: x\n",
            "fields: &a [x]\n",
            "x: !!python/name:os.system a\n",
        ] {
            assert_eq!(code(&format!("{RULE}{more}")), Err(REACHES_OUT), "{more}");
        }
        let correlation = |rule: &str| {
            format!(
                "{RULE}name: own\n---\ntitle: B\ncorrelation:\n    type: temporal\n    timespan: 5m\n    rules:\n        - {rule}\n"
            )
        };
        assert_eq!(code(&correlation("own")), Ok(()));
        assert_eq!(code(&correlation("other")), Err(REACHES_OUT));
        for wrong in ["level: huge\n", "date: soon\n", "tags: [nothing]\n", "title: B\n"] {
            assert_eq!(code(&format!("{RULE}{wrong}")), Err(NOT_A_RULE), "{wrong}");
        }
    }

    #[test]
    fn a_rule_is_repaired() {
        let loose =
            RULE.replace("id: ", "date: 2024/01/31 # é\ntags:\n    - attack.Defense_Evasion\n    - 'tlp.RED'\nid: ");
        let taken = take(&loose.trim_end().replace('\n', "\r\n")).unwrap();
        let right =
            RULE.replace("id: ", "date: 2024-01-31 # é\ntags:\n    - attack.defense-evasion\n    - tlp.red\nid: ");
        assert_eq!(taken.text, right);
        assert_eq!(taken.notes.len(), 4);
    }

    #[test]
    fn aliases_and_depth_cost_nothing() {
        let laughs: String = (1..40).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1)).collect();
        assert!(read(&format!("a0: &a0 x\n{laughs}{RULE}")).is_ok());
        assert!(read(&"[".repeat(200_000)).is_err());
    }
}
