//! Rules that an indicator brings along.

use saphyr_parser::{Event, Parser, ScanError};

use crate::diagnostic::{Code, Diagnostic};

/// A ready-made rule that is no YAML.
pub const NOT_YAML: Code = Code("R100");
/// A ready-made rule that lacks what makes a Sigma rule.
pub const NOT_A_RULE: Code = Code("R101");

/// What a ready-made rule says at its top.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Native {
    /// Its own id; empty where it has none.
    pub(super) id: String,
    pub(super) title: String,
    /// The line at which it begins, from 1.
    pub(super) line: usize,
    has_logsource: bool,
    has_detection: bool,
    has_condition: bool,
    has_correlation: bool,
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
        match event {
            Event::DocumentStart(_) => reader = Reader::default(),
            Event::DocumentEnd if !reader.is_map => return Ok(None),
            Event::DocumentEnd => all.push(std::mem::take(&mut reader.native)),
            Event::MappingStart(..) => {
                if reader.around.is_empty() {
                    reader.native.line = span.start.line();
                }
                reader.open(true);
            }
            Event::SequenceStart(..) => reader.open(false),
            Event::MappingEnd | Event::SequenceEnd => reader.close(),
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
        match self.around.as_slice() {
            [top] => match key(top).as_str() {
                "id" => self.native.id = text.to_owned(),
                "title" => self.native.title = text.to_owned(),
                "logsource" => self.native.has_logsource = is_map,
                "detection" => self.native.has_detection = is_map,
                "correlation" => self.native.has_correlation = is_map,
                _ => {}
            },
            [top, inner] if key(top) == "detection" && key(inner) == "condition" => self.native.has_condition = true,
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
    fn aliases_and_depth_cost_nothing() {
        let laughs: String = (1..40).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1)).collect();
        assert!(read(&format!("a0: &a0 x\n{laughs}{RULE}")).is_ok());
        assert!(read(&"[".repeat(200_000)).is_err());
    }
}
