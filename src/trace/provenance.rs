//! The indicators of a run, kept beside its rules.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    index::{Index, Named, named},
    output::ReadError,
};
use crate::{
    convert::understand,
    output::Sink,
    report::{IndicatorReport, Status},
    target::contract::EmitError,
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

/// Writes the indicators of a run beside its rules.
///
/// # Errors
/// A failing disk.
pub fn write(indicators: &[IndicatorReport], sink: &mut dyn Sink) -> Result<(), EmitError> {
    sink.write(FILE, &mut |out| {
        serde_json::to_writer(&mut *out, &Head { schema: SCHEMA.to_owned() }).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        for indicator in indicators {
            serde_json::to_writer(&mut *out, indicator).map_err(io::Error::from)?;
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
}

/// Something that was said about an indicator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Its code.
    pub code: String,
    /// One sentence.
    pub message: String,
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
    /// The verdict of what the guard took.
    pub const GUARDED: &'static str = "guarded";
    /// The verdict of what the target can't say.
    pub const REFUSED: &'static str = "refused";

    /// Whether there is a rule.
    #[must_use]
    pub fn is_rendered(&self) -> bool {
        self.verdict != Self::GUARDED && self.verdict != Self::REFUSED
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
    /// What the provenance would say of an indicator.
    ///
    /// # Errors
    /// None in practice: a report is plain data.
    pub fn of(report: &IndicatorReport) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(&serde_json::to_vec(report)?)
    }

    /// Whether it has a rule or an entry in a target.
    #[must_use]
    pub fn is_in(&self, target: &str) -> bool {
        self.targets.get(target).is_some_and(Fate::is_rendered)
    }

    /// What the guard took.
    pub fn guarded(&self) -> impl Iterator<Item = &Finding> {
        let notes = crate::guard::DOCUMENTATION.0;
        self.diagnostics.iter().filter(move |found| found.code.starts_with('G') && found.code != notes)
    }
}

/// All indicators of a run, to be looked up.
#[derive(Debug, Default)]
pub struct Provenance {
    records: Vec<Record>,
    by_id: HashMap<String, usize>,
    /// By target and rule.
    by_rule: HashMap<(String, String), Vec<usize>>,
    values: Index,
}

impl Provenance {
    /// The provenance in a folder of outputs; `None` where there is none.
    ///
    /// # Errors
    /// A file that can't be read, or is of another form.
    pub fn read(folder: &Path) -> Result<Option<Self>, ReadError> {
        let path = folder.join(FILE);
        let failed = |source| ReadError::Io { path: path.display().to_string(), source };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let damaged =
            |line: usize, message: String| ReadError::Damaged { path: path.display().to_string(), line, message };
        let mut records = Vec::new();
        for (index, line) in BufReader::new(file).lines().enumerate() {
            let (number, line) = (index + 1, line.map_err(failed)?);
            if index == 0 {
                let head: Head = serde_json::from_str(&line).map_err(|error| damaged(number, error.to_string()))?;
                if head.schema != SCHEMA {
                    return Err(damaged(number, format!("schema {}, expected {SCHEMA}", head.schema)));
                }
                continue;
            }
            records.push(serde_json::from_str(&line).map_err(|error| damaged(number, error.to_string()))?);
        }
        Ok(Some(Self::new(records)))
    }

    /// Of these indicators.
    #[must_use]
    pub fn new(records: Vec<Record>) -> Self {
        let mut all = Self::default();
        let named: Vec<Vec<Named>> = records.par_iter().map(|record| values(&record.pattern)).collect();
        for ((number, record), named) in records.iter().enumerate().zip(named) {
            all.by_id.insert(record.id.clone(), number);
            for (target, fate) in &record.targets {
                for rule in &fate.rules {
                    all.by_rule.entry((target.clone(), rule.clone())).or_default().push(number);
                }
            }
            named.into_iter().for_each(|value| all.values.add(value, number));
        }
        all.records = records;
        all
    }

    /// All of them, by id.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The indicator with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Record> {
        self.by_id.get(id).map(|&number| &self.records[number])
    }

    /// The indicators behind a rule.
    pub(super) fn behind(&self, target: &str, rule: &str) -> impl Iterator<Item = &Record> {
        let numbers = self.by_rule.get(&(target.to_owned(), rule.to_owned()));
        numbers.into_iter().flatten().map(|&number| &self.records[number])
    }

    /// The indicators that are behind the same rules of a target as this one, itself among them.
    pub(super) fn beside(&self, id: &str, target: &str) -> BTreeSet<&str> {
        let fate = self.find(id).and_then(|record| record.targets.get(target));
        let rules = fate.into_iter().flat_map(|fate| &fate.rules);
        rules.flat_map(|rule| self.behind(target, rule)).map(|record| record.id.as_str()).collect()
    }

    /// The target and id of each rule that these indicators are behind.
    pub(super) fn rules_of<'p>(
        &'p self,
        ids: impl Iterator<Item = &'p str>,
    ) -> impl Iterator<Item = (&'p str, &'p str)> {
        let fates = ids.filter_map(|id| self.find(id)).flat_map(|record| &record.targets);
        fates.flat_map(|(target, fate)| fate.rules.iter().map(move |rule| (target.as_str(), rule.as_str())))
    }

    /// The indicators that name a value, a part of it, or something around it.
    pub(super) fn naming(&self, value: &Named) -> Vec<(&Record, super::Relation)> {
        self.values.related(value).into_iter().map(|(number, how)| (&self.records[number], how)).collect()
    }
}

/// The values that a pattern names by themselves; none where it is no STIX pattern.
pub(super) fn values(pattern: &str) -> Vec<Named> {
    understand(pattern, false).0.map(|meaning| named(&meaning.plan)).unwrap_or_default()
}
