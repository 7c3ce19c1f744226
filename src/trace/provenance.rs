//! The indicators of a run, kept beside its rules.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs, io,
    ops::Range,
    path::Path,
};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    error::ReadError,
    index::{Index, NamedValue, Relation, alone, named},
};
use crate::{
    convert::understand,
    diagnostic::Severity,
    output::{EmitError, Sink},
    plan::fidelity::Fidelity,
    report::{Beside, IndicatorReport, Status, Verdict},
    stix::Key,
};

/// The folder below the outputs' that holds the provenance; no target has this name.
pub const FOLDER: &str = "provenance";
/// Where the indicators are: a first line that names the form, then an indicator a line, as in the report, by id.
pub const FILE: &str = "provenance/indicators.jsonl";

const SCHEMA: &str = "stixc-provenance/1";

#[derive(Serialize, Deserialize)]
struct Head {
    schema: String,
}

/// An indicator as it is kept: what the report says of it, and by what a change is known.
#[derive(Serialize)]
struct Kept<'i> {
    #[serde(flatten)]
    report: &'i IndicatorReport,
    fingerprint: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    beside: &'i [Beside],
}

/// Writes the indicators of a run beside its rules.
///
/// # Errors
/// A failing disk.
pub fn write(indicators: &[IndicatorReport], sink: &mut dyn Sink) -> Result<(), EmitError> {
    sink.write(FILE, &mut |out| {
        serde_json::to_writer(&mut *out, &Head { schema: SCHEMA.to_owned() }).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        for indicator in indicators {
            let fingerprint = format!("{:016x}", indicator.fingerprint);
            let kept = Kept { report: indicator, fingerprint, beside: &indicator.beside };
            serde_json::to_writer(&mut *out, &kept).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })
}

/// An indicator of a run, read back. What is not needed to trace it is passed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its id.
    pub id: String,
    /// Its name, or the one made for it.
    pub name: String,
    /// The feed or file that it came from.
    pub source: String,
    /// Its pattern.
    pub pattern: String,
    /// What it was at the time of the run.
    pub status: Status,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When it was last changed; for a revoked one, when that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// What was said about it.
    pub diagnostics: Vec<Finding>,
    /// What became of it, by target.
    pub targets: BTreeMap<String, Fate>,
    /// What it says, in a number; none where an earlier version has written it.
    #[serde(default, skip_serializing)]
    pub fingerprint: Option<String>,
    /// What other objects say about it.
    #[serde(default, skip_serializing)]
    pub beside: Vec<Beside>,
}

/// Something that was said about an indicator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Its code.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// How bad it is; none where an earlier version has not noted it.
    #[serde(default, skip_serializing)]
    pub severity: Option<Severity>,
}

/// What became of an indicator in a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fate {
    /// The word of the verdict.
    pub verdict: String,
    /// What the rules don't say, or why there are none.
    pub losses: Vec<Lost>,
    /// The ids of its rules; for a list of entries, the kind of the list.
    pub rules: Vec<String>,
}

impl Fate {
    /// What the rules mean beside the pattern; `None` where there is none.
    pub(super) fn fidelity(&self) -> Option<Fidelity> {
        let all = [Fidelity::EXACT, Fidelity::BROADER, Fidelity::NARROWER, Fidelity::APPROXIMATE];
        all.into_iter().find(|fidelity| fidelity.name() == self.verdict)
    }

    /// Whether there is no rule, for this reason.
    pub(super) fn is(&self, verdict: Verdict) -> bool {
        self.verdict == verdict.name()
    }
}

/// Something that a rule does not say as its pattern does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lost {
    /// Its code.
    pub code: String,
    /// `exact`, `broader`, `narrower` or `approximate`.
    pub effect: String,
    /// One sentence.
    pub message: String,
}

impl Record {
    /// The feed or file that it came from. A bare pattern has its line behind the file, or its number behind the flag, and no time
    /// at all.
    fn feed(&self) -> &str {
        let is_bare = self.created.is_none() && self.modified.is_none();
        match self.source.rsplit_once([':', ' ']) {
            Some((file, line)) if is_bare && line.bytes().all(|byte| byte.is_ascii_digit()) => file,
            _ => &self.source,
        }
    }

    /// What has changed in what other objects say about it, by their ids; nothing where that is not known.
    pub(super) fn differences(&self, after: &Self) -> Vec<String> {
        if self.fingerprint.is_none() || after.fingerprint.is_none() {
            return Vec::new();
        }
        let says = |record: &Self, other: &Self, how: &str| {
            let gone = record.beside.iter().filter(|one| !other.beside.contains(one));
            gone.map(|one| (one.id.clone(), format!("{how} {:?}", one.says))).collect::<Vec<_>>()
        };
        let mut all = [says(self, after, "no longer says"), says(after, self, "now says")].concat();
        // Of one object both stand together, what was before what is.
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all.into_iter().map(|(id, what)| format!("{id} {what}")).collect()
    }

    /// Whether the indicator says something else of itself now.
    pub(super) fn is_edited(&self, after: &Self) -> bool {
        let both = self.fingerprint.as_ref().zip(after.fingerprint.as_ref());
        self.is_another_version(after) || both.is_some_and(|(one, other)| one != other)
    }

    /// Whether it is another version, as its maker says, or matches something else.
    pub(super) fn is_another_version(&self, after: &Self) -> bool {
        self.pattern != after.pattern || self.modified != after.modified
    }

    /// Whether it has a rule or an entry in a target.
    #[must_use]
    pub fn is_in(&self, target: &str) -> bool {
        let without = [Verdict::Refused, Verdict::Guarded, Verdict::NotApplicable, Verdict::Filtered];
        self.targets.get(target).is_some_and(|fate| !without.iter().any(|verdict| fate.is(*verdict)))
    }

    /// The target and id of each of its rules.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &str)> {
        self.targets.iter().flat_map(|(target, fate)| fate.rules.iter().map(|rule| (target.as_str(), rule.as_str())))
    }

    /// What the guard took.
    pub fn guarded(&self) -> impl Iterator<Item = &Finding> {
        let kept = [crate::guard::DOCUMENTATION.0, crate::guard::KEPT.0];
        self.diagnostics.iter().filter(move |found| found.code.starts_with('G') && !kept.contains(&found.code.as_str()))
    }
}

/// All indicators of a run. What is held of each is its line: a feed may have a million of them. What is asked of all is
/// asked in one go; see [`Needles`].
#[derive(Debug, Default)]
pub struct Provenance {
    text: String,
    lines: Vec<Range<usize>>,
    /// The key of each id and the number of its line, by key.
    ids: Vec<(Key, usize)>,
    feeds: usize,
}

impl Provenance {
    /// The provenance in a folder of outputs; `None` where there is none.
    ///
    /// # Errors
    /// A file that can't be read, or is of another form.
    pub fn read(folder: &Path) -> Result<Option<Self>, ReadError> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ReadError::Io { path: path.display().to_string(), source }),
        };
        let damaged =
            |line: usize, message: String| ReadError::Damaged { path: path.display().to_string(), line, message };
        let mut lines = text.split_inclusive('\n').scan(0, |end, line| {
            let start = std::mem::replace(end, *end + line.len());
            Some(start..*end)
        });
        let head: Head = serde_json::from_str(&text[lines.next().unwrap_or_default()])
            .map_err(|error| damaged(1, error.to_string()))?;
        if head.schema != SCHEMA {
            return Err(damaged(1, format!("schema {}, expected {SCHEMA}", head.schema)));
        }
        let lines: Vec<Range<usize>> = lines.collect();
        let heads = lines.par_iter().enumerate().map(|(number, line)| {
            let record: Record =
                serde_json::from_str(&text[line.clone()]).map_err(|error| damaged(number + 2, error.to_string()))?;
            Ok((Key::new(&record.id), number, record.feed().to_owned()))
        });
        let heads: Vec<(Key, usize, String)> = heads.collect::<Result<_, _>>()?;
        let mut ids: Vec<(Key, usize)> = heads.iter().map(|(key, number, _)| (*key, *number)).collect();
        ids.par_sort_unstable();
        let feeds = heads.into_iter().map(|(_, _, source)| source).collect::<BTreeSet<_>>().len();
        Ok(Some(Self { text, lines, ids, feeds }))
    }

    /// How many indicators there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lines.len()
    }

    /// How many feeds they came from.
    #[must_use]
    pub fn feeds(&self) -> usize {
        self.feeds
    }

    /// The indicator with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Record> {
        let key = Key::new(id);
        let at = self.ids.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        self.record(&self.lines[self.ids[at].1])
    }

    /// What a look at each of the indicators gives, in their order.
    pub(super) fn each<T: Send>(&self, look: impl Fn(Record) -> Vec<T> + Sync) -> Vec<T> {
        self.lines.par_iter().flat_map_iter(|line| self.record(line).map(&look).unwrap_or_default()).collect()
    }

    /// The indicator of a line. All lines were good when they were read.
    fn record(&self, line: &Range<usize>) -> Option<Record> {
        serde_json::from_str(&self.text[line.clone()]).ok()
    }
}

/// Rules and entries whose indicators are asked for, all at once. A question is known by its number.
#[derive(Debug, Default)]
pub(super) struct Needles<'i> {
    /// The target of each question.
    targets: Vec<&'i str>,
    rules: HashMap<(&'i str, &'i str), Vec<usize>>,
    entries: Index,
    /// The targets whose entries are asked for.
    lists: BTreeSet<&'i str>,
}

impl<'i> Needles<'i> {
    /// Asks for the indicators behind these rules of a target.
    pub(super) fn rules(&mut self, target: &'i str, ids: impl IntoIterator<Item = &'i str>) {
        let number = self.targets.len();
        self.targets.push(target);
        ids.into_iter().for_each(|id| self.rules.entry((target, id)).or_default().push(number));
    }

    /// Asks for the indicators that name an entry of a target's list, or a part of it: a prefix of a list may be put together
    /// from those of several indicators.
    pub(super) fn entry(&mut self, target: &'i str, entry: &str) {
        self.entries.add(NamedValue::entry(entry), self.targets.len());
        self.lists.insert(target);
        self.targets.push(target);
    }

    /// The ids of the indicators for each question, sorted.
    pub(super) fn find(&self, provenance: &Provenance) -> Vec<Vec<String>> {
        let mut found = vec![Vec::new(); self.targets.len()];
        if self.rules.is_empty() && self.entries.is_empty() {
            return found;
        }
        for (number, id) in provenance.each(|record| self.asked(&record)) {
            found[number].push(id);
        }
        found.par_iter_mut().for_each(|ids: &mut Vec<String>| {
            ids.sort();
            ids.dedup();
        });
        found
    }

    /// The questions that an indicator answers.
    fn asked(&self, record: &Record) -> Vec<(usize, String)> {
        let mut numbers = Vec::new();
        for (target, fate) in &record.targets {
            for rule in &fate.rules {
                numbers.extend(self.rules.get(&(target.as_str(), rule.as_str())).into_iter().flatten().copied());
            }
        }
        if !self.entries.is_empty() {
            for target in self.lists.iter().copied() {
                let related = record.entries(target).into_iter().flat_map(|value| self.entries.related(&value));
                let of_it = related.filter(|(number, how)| {
                    matches!(how, Relation::Same | Relation::Around) && self.targets[*number] == target
                });
                numbers.extend(of_it.map(|(number, _)| number));
            }
        }
        numbers.into_iter().map(|number| (number, record.id.clone())).collect()
    }
}

/// The values that a pattern names by themselves; none where it is no STIX pattern.
pub(super) fn values(pattern: &str) -> Vec<NamedValue> {
    understand(pattern, false).0.map(|meaning| named(&meaning.plan)).unwrap_or_default()
}

impl Record {
    /// The values of which it may have entries in a target's lists. Where these say no more than the pattern, they are those
    /// that it names alone.
    pub(super) fn entries(&self, target: &str) -> Vec<NamedValue> {
        let Some(fidelity) = self.targets.get(target).and_then(Fate::fidelity) else { return Vec::new() };
        let plan = understand(&self.pattern, false).0.map(|meaning| meaning.plan);
        plan.map(|plan| if fidelity.more { named(&plan) } else { alone(&plan) }).unwrap_or_default()
    }
}
