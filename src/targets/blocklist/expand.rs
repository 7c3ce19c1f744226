//! From a template to a file of a million rows.
//!
//! Rendering a million rows through a template engine takes seconds, so each template is rendered once, with at most two
//! marks in place of the entries of a list. What stands between the marks is what stands between any two entries; the
//! rest of the file is written from that. A template may use `{{#each}}` as it likes, on lines or within one, with
//! `{{#if @first}}` and the like; only `@index` has no meaning.

use std::io::{self, BufWriter, Write};

use serde_json::{Map, Value as Json, json};

use super::{collect::Collected, entry::EntryKind, list::List};
use crate::targets::{
    contract::{Emission, EmitError},
    record::{EntriesRecord, Record, RuleRecord, newlines},
};

/// Stands around the marks. No entry holds a control character, and no template has a use for one.
const EDGE: char = '\u{1}';
/// The list of everything that the format takes.
const ENTRIES: &str = "entries";
/// The number for the zone.
const SERIAL: &str = "serial";

/// Bytes that are handed to the writer at once.
const CHUNK: usize = 1 << 16;

/// A rendered template, cut at its marks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    segments: Vec<Segment>,
}

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Text(String),
    Serial,
    Rows(Rows),
}

/// A repeated part: an entry, perhaps more than once with text in between, and the text between entries.
#[derive(Debug, PartialEq, Eq)]
struct Rows {
    /// `None` for all kinds of the format.
    kind: Option<EntryKind>,
    within: Vec<String>,
    between: String,
}

impl Layout {
    /// Renders the template of `list` and cuts it.
    ///
    /// # Errors
    /// A template that does not render, or that repeats entries in a way that can't be followed.
    pub(super) fn new(list: &List, collected: &Collected<'_>, emission: &dyn Emission) -> Result<Self, EmitError> {
        let mut rendered = Vec::new();
        emission.render(list.format.template, marks(list, collected), &mut rendered)?;
        let text = String::from_utf8(rendered)
            .map_err(|_| EmitError::Template(format!("{}: not UTF-8", list.format.template)))?;
        cut(&text).ok_or_else(|| {
            let message = "entries are not repeated evenly: one `{{#each}}` must not stand in another, nor \
                           an entry under a condition of its own";
            EmitError::Template(format!("{}: {message}", list.format.template))
        })
    }

    /// Writes the file; where its entries stand.
    ///
    /// # Errors
    /// A failing writer.
    pub(super) fn write(
        &self,
        list: &List,
        collected: &Collected<'_>,
        out: &mut dyn io::Write,
    ) -> Result<Vec<Run>, EmitError> {
        let mut out = Out { out: BufWriter::with_capacity(CHUNK, out), offset: 0, lines: 0 };
        let mut runs = Vec::new();
        for (index, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Text(text) => out.text(text)?,
                Segment::Serial => out.text(&collected.serial(list).to_string())?,
                Segment::Rows(rows) => {
                    let is_last = index + 2 == self.segments.len();
                    let behind = match self.segments.get(index + 1) {
                        Some(Segment::Text(text)) => text.split_inclusive('\n').next().unwrap_or_default(),
                        _ => "",
                    };
                    runs.extend(rows.write(list, collected, (behind, is_last), &mut out)?);
                }
            }
        }
        out.out.flush()?;
        runs.iter_mut().for_each(|run| run.record.size = out.offset);
        Ok(runs)
    }
}

/// What is written to, and where it stands.
struct Out<W: Write> {
    out: W,
    offset: usize,
    /// How many lines have ended.
    lines: usize,
}

impl<W: Write> Out<W> {
    fn text(&mut self, text: &str) -> io::Result<()> {
        self.lines += newlines(text.as_bytes());
        self.line(text.as_bytes())
    }

    /// Writes a text in which no line ends.
    fn line(&mut self, text: &[u8]) -> io::Result<()> {
        self.offset += text.len();
        self.out.write_all(text)
    }
}

/// Entries of one kind that were written one behind the other.
#[derive(Debug)]
pub(super) struct Run {
    kind: EntryKind,
    record: EntriesRecord,
    /// Whether the text around the entries tells where each of them ends.
    is_clear: bool,
}

impl Run {
    /// Records the entries: together where the text around them tells them apart, and else each alone.
    ///
    /// # Errors
    /// A failing disk.
    pub(super) fn record(
        self,
        list: &List,
        collected: &Collected<'_>,
        emission: &mut dyn Emission,
    ) -> Result<(), EmitError> {
        if self.is_clear {
            return emission.record(&Record::Entries(self.record));
        }
        let around = self.record.within.iter().chain([&self.record.between]);
        let lines: usize = around.map(|text| newlines(text.as_bytes())).sum();
        let mut line = self.record.line;
        collected.each(self.kind, list.holds, |entry| {
            let entry = RuleRecord {
                list: self.kind.name().to_owned(),
                id: String::from_utf8_lossy(entry).into_owned(),
                line,
                lines: 1,
                ..RuleRecord::default()
            };
            line += lines;
            emission.record(&Record::Rule(entry))
        })
    }
}

impl Rows {
    /// Writes the entries. `behind` is the text that follows in the line, and whether the file ends with it.
    fn write(
        &self,
        list: &List,
        collected: &Collected<'_>,
        behind: (&str, bool),
        out: &mut Out<impl Write>,
    ) -> io::Result<Vec<Run>> {
        let kinds = match &self.kind {
            Some(kind) => std::slice::from_ref(kind),
            None => list.takes,
        };
        let mut runs: Vec<Run> = Vec::new();
        // The entry that was written last.
        let mut last = Vec::new();
        for &kind in kinds {
            collected.each(kind, list.holds, |entry| {
                if let Some(run) = runs.last_mut() {
                    out.text(&self.between)?;
                    run.is_clear &= self.ends_at(&last, &self.between);
                }
                if runs.last().is_none_or(|run| run.kind != kind) {
                    runs.push(self.run(kind, out));
                }
                if let Some(run) = runs.last_mut() {
                    run.record.count += 1;
                }
                last.clear();
                last.extend_from_slice(entry);
                out.line(entry)?;
                for text in &self.within {
                    out.text(text)?;
                    out.line(entry)?;
                }
                Ok::<(), io::Error>(())
            })?;
        }
        if let Some(run) = runs.last_mut() {
            let (text, ends_file) = behind;
            run.is_clear &= self.ends_at(&last, text) || (text.is_empty() && ends_file);
            text.clone_into(&mut run.record.after);
        }
        Ok(runs)
    }

    /// Entries that begin here.
    fn run(&self, kind: EntryKind, out: &Out<impl Write>) -> Run {
        let record = EntriesRecord {
            list: kind.name().to_owned(),
            count: 0,
            line: out.lines + 1,
            offset: out.offset,
            within: self.within.clone(),
            between: self.between.clone(),
            after: self.between.clone(),
            // Known once the file is written.
            size: 0,
        };
        Run { kind, record, is_clear: true }
    }

    /// Whether it is clear where an entry ends that is followed by this text.
    fn ends_at(&self, entry: &[u8], text: &str) -> bool {
        let text = self.within.first().map_or(text, String::as_str).as_bytes();
        // No entry holds a blank or a control character.
        text.iter().any(|byte| *byte <= b' ')
            || (!text.is_empty() && !entry.windows(text.len()).any(|window| window == text))
    }
}

/// The view of a template: for each kind that the format takes, and for `entries`, no, one or two marks.
fn marks(list: &List, collected: &Collected<'_>) -> Json {
    let marks = |name: &str, count: usize| -> Json {
        (1..=count.min(2)).map(|number| format!("{EDGE}{name}.{number}{EDGE}")).collect()
    };
    let mut view = Map::new();
    let mut total = 0;
    for kind in list.takes {
        let count = collected.count(*kind, list.holds);
        total += count;
        view.insert(kind.name().to_owned(), marks(kind.name(), count));
    }
    view.insert(ENTRIES.to_owned(), marks(ENTRIES, total));
    view.insert(SERIAL.to_owned(), json!(format!("{EDGE}{SERIAL}{EDGE}")));
    Json::Object(view)
}

/// Cuts a rendered template at its marks; `None` where they make no sense.
fn cut(text: &str) -> Option<Layout> {
    let parts: Vec<&str> = text.split(EDGE).collect();
    // Text and marks alternate, with text at both ends.
    let texts: Vec<&str> = parts.iter().copied().step_by(2).collect();
    let marks: Vec<&str> = parts.iter().copied().skip(1).step_by(2).collect();
    if texts.len() != marks.len() + 1 {
        return None;
    }
    let mut segments = vec![Segment::Text(texts[0].to_owned())];
    let mut index = 0;
    while index < marks.len() {
        let (segment, used) = match marks[index] {
            SERIAL => (Segment::Serial, 1),
            mark => rows(mark, &marks[index..], &texts[index + 1..])?,
        };
        index += used;
        segments.push(segment);
        segments.push(Segment::Text(texts[index].to_owned()));
    }
    Some(Layout { segments })
}

/// The repeated part that begins with `first`, and how many marks it takes up. `texts[n]` stands behind `marks[n]`.
fn rows(first: &str, marks: &[&str], texts: &[&str]) -> Option<(Segment, usize)> {
    let name = first.strip_suffix(".1")?;
    let kind = match name {
        ENTRIES => None,
        name => Some(*EntryKind::ALL.iter().find(|kind| kind.name() == name)?),
    };
    let is = |mark: &str, number: &str| mark.strip_prefix(name) == Some(number);
    let times = marks.iter().take_while(|mark| is(mark, ".1")).count();
    if !marks.get(times).is_some_and(|mark| is(mark, ".2")) {
        // A list of one entry: each mark is that entry.
        return Some((Segment::Rows(Rows { kind, within: Vec::new(), between: String::new() }), 1));
    }
    let twins = marks.get(times..2 * times)?;
    let (within, twin_within) = (&texts[..times - 1], &texts[times..2 * times - 1]);
    if !twins.iter().all(|mark| is(mark, ".2")) || within != twin_within {
        return None;
    }
    let within = within.iter().map(|text| (*text).to_owned()).collect();
    let rows = Rows { kind, within, between: texts[times - 1].to_owned() };
    Some((Segment::Rows(rows), 2 * times))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use handlebars::{Handlebars, no_escape};

    use super::*;
    use crate::{
        diagnostic::Diagnostic,
        pattern,
        plan::lower::lower,
        targets::{
            blocklist::{Blocklist, list},
            contract::{Content, Format, Options, Origin, Rule, Target},
            record::EmittedRule,
        },
    };

    /// Renders one template, whatever it is called.
    struct Fake {
        template: Handlebars<'static>,
        files: BTreeMap<String, String>,
        records: Vec<Record>,
    }

    impl Emission for Fake {
        fn render(&self, _: &str, view: Json, out: &mut dyn io::Write) -> Result<(), EmitError> {
            let text = self.template.render("it", &view).map_err(|error| EmitError::Template(error.to_string()))?;
            Ok(out.write_all(text.as_bytes())?)
        }

        fn file(
            &mut self,
            path: &str,
            content: &mut dyn FnMut(&mut dyn io::Write) -> Result<(), EmitError>,
        ) -> Result<(), EmitError> {
            let mut bytes = Vec::new();
            content(&mut bytes)?;
            self.files.insert(path.to_owned(), String::from_utf8(bytes).unwrap());
            Ok(())
        }

        fn previous(&mut self, _: &str) -> Result<Option<String>, EmitError> {
            Ok(None)
        }

        fn record(&mut self, record: &Record) -> Result<(), EmitError> {
            self.records.push(record.clone());
            Ok(())
        }

        fn record_rules(&mut self, _: usize, _: Vec<EmittedRule>) {}

        fn warn(&mut self, _: Diagnostic) {}
    }

    /// The only line that a new format needs.
    const NEW: &[List] = &[List {
        format: Format {
            name: "unbound",
            template: "it",
            source: "",
            path: "blocklist/unbound.conf",
            auxiliary: false,
            about: "resolver",
        },
        takes: &[EntryKind::Domain, EntryKind::Ipv4],
        holds: |_| true,
    }];
    static NEW_FORMATS: [Format; NEW.len()] = list::formats(NEW);
    static WITH_NEW: Blocklist = Blocklist { lists: NEW, formats: &NEW_FORMATS };

    fn write(template: &str, patterns: &[&str]) -> Result<String, EmitError> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(no_escape);
        registry.register_template_string("it", template).unwrap();
        let lists = WITH_NEW.prepare(None, Options::new(&WITH_NEW, WITH_NEW.accepts())).unwrap();
        let rules = patterns.iter().map(|text| {
            let plan = lower(&pattern::parse(text).unwrap()).plan;
            let content = Content::Compiled(lists.lower(&plan).unwrap());
            Rule { origin: Arc::new(Origin::default()), content }
        });
        let mut fake = Fake { template: registry, files: BTreeMap::new(), records: Vec::new() };
        lists.emit(rules.collect(), &mut fake)?;
        Ok(fake.files.remove("blocklist/unbound.conf").unwrap())
    }

    const NAMES: [&str; 3] =
        ["[domain-name:value = 'c.example']", "[domain-name:value = 'a.example']", "[domain-name:value = 'b.example']"];

    #[test]
    fn a_new_format_is_a_template_and_a_line() {
        let template = "server:\n{{#each domain}}\nlocal-zone: \"{{this}}.\" always_nxdomain\n{{/each}}\n# end\n";
        let line = |name| format!("local-zone: \"{name}.\" always_nxdomain\n");
        for count in 0..=3 {
            let mut names: Vec<&str> = ["c.example", "a.example", "b.example"][..count].to_vec();
            names.sort_unstable();
            let lines: String = names.into_iter().map(line).collect();
            assert_eq!(write(template, &NAMES[..count]).unwrap(), format!("server:\n{lines}# end\n"));
        }
    }

    #[test]
    fn a_template_may_repeat_as_it_likes() {
        let both = [NAMES[0], NAMES[1], NAMES[2], "[ipv4-addr:value = '198.51.100.7']"];
        let cases = [
            ("[{{#each domain}}{{this}}{{#unless @last}}, {{/unless}}{{/each}}]", "[a.example, b.example, c.example]"),
            (
                "{{#each domain}}{{#if @first}}<{{/if}}{{this}};{{#if @last}}>{{/if}}{{/each}}",
                "<a.example;b.example;c.example;>",
            ),
            (
                "{{#each domain}}{{this}}=*.{{this}} {{/each}}",
                "a.example=*.a.example b.example=*.b.example c.example=*.c.example ",
            ),
            ("{{#each entries}}{{this}} {{/each}}", "a.example b.example c.example 198.51.100.7 "),
            (
                "{{#if ipv4}}{{#each ipv4}}{{this}}{{/each}}{{/if}}/{{#each domain}}{{this}} {{/each}}",
                "198.51.100.7/a.example b.example c.example ",
            ),
        ];
        for (template, expected) in cases {
            assert_eq!(write(template, &both).unwrap(), expected, "{template}");
        }
    }

    #[test]
    fn what_can_t_be_followed_is_an_error() {
        let uneven = [
            "{{#each domain}}{{this}}{{#if @last}}{{this}}{{/if}}{{/each}}",
            "{{#each domain}}{{this}}{{serial}}{{/each}}",
        ];
        for template in uneven {
            assert!(matches!(write(template, &NAMES), Err(EmitError::Template(_))), "{template}");
        }
        assert!(write("{{md5}}", &NAMES).is_err(), "a list that the format does not take");
    }

    #[test]
    fn the_serial_follows_the_entries() {
        let serial = |count| write("{{serial}}", &NAMES[..count]).unwrap().parse::<u32>().unwrap();
        assert_eq!(serial(2), serial(2));
        assert_ne!(serial(2), serial(3));
        assert_ne!(serial(0), 0);
    }
}
