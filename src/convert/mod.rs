//! The whole way: from indicators to files, with a verdict for each indicator in each target.
//!
//! ```text
//! raw object ─► Indicator ─► Pattern ─► Plan ─► guard ─► a target's drafts      (on all cores, a batch at a time)
//!                                                            │
//!            newest version of each indicator, equal plans together             (in input order)
//!                                                            │
//!                                            rules in the order of their ids ─► Backend::emit ─► Sink
//! ```
//!
//! Nothing in the result depends on the order of the input: of several versions of an indicator the newest counts,
//! patterns with the same plan become one rule that names all its sources, and rules are sorted by the id of their
//! first indicator.

mod compile;
mod emit;
mod emitter;
pub mod facade;
mod filter;
mod gather;
mod left_out;
mod members;
#[cfg(feature = "witness")]
mod natives;
mod origin;
mod spelling;
mod standing;
mod title;
#[cfg(feature = "witness")]
mod verify;
#[cfg(feature = "witness")]
mod witness;

use std::{collections::BTreeSet, io::Read, sync::Arc};

use rayon::prelude::*;

use crate::{
    diagnostic::{Code, Diagnostic},
    guard::{Guard, Policy},
    plan::{Plan, adapt::Accept},
    report::{IndicatorReport, SourceDiagnostic, Summary},
    stix::{Batch, BundleReader, Collector, Context, Fault, OBJECT_LIMIT, Tally, Timestamp, codes},
    targets::{
        Target,
        contract::{AnyBackend, Options},
        mapping::MappingError,
        native::NativePolicy,
    },
};

pub use compile::{Compiled, Meaning, Outcome, compile, understand};
pub use emit::{EmitFailure, Finished, Subject};
pub use filter::{FILTERED, Filter, TOO_OLD, seconds};
pub use gather::ambiguity;
pub use spelling::{Spelling, mend, spell};
pub use standing::{BENIGN, EXPIRED, NOT_YET_VALID, REVOKED};
#[cfg(feature = "witness")]
pub use verify::{EngineReport, RuleReport, State, verify};

/// The indicator is in another language than STIX patterning, one that no chosen target speaks.
pub const OTHER_LANGUAGE: Code = Code("S060");
/// Several indicators are the same version of one, and don't say the same.
pub const AMBIGUOUS: Code = Code("S019");
/// A rule in a target's own language that its target refused.
pub const BAD_NATIVE_RULE: Code = Code("R010");
/// A ready-made rule that the engine refuses.
pub const NOT_COMPILED: Code = Code("R011");
/// A ready-made rule that no engine has compiled.
pub const NO_ENGINE: Code = Code("R012");
/// What the engine says of a ready-made rule that it takes.
pub const ENGINE_WARNS: Code = Code("R013");
/// Which engine has compiled the ready-made rules, or that none has.
pub const ENGINE: Code = Code("R014");
/// A rule written in another target's language can't be translated.
pub const NATIVE_ELSEWHERE: Code = Code("L040");
/// The guard left nothing that names anybody.
pub const NAMES_NOBODY: Code = Code("L042");
/// The guard took a part of the pattern away.
pub const GUARDED_PART: Code = Code("L041");

/// A target as the user wants it.
pub struct Prepared {
    /// The target.
    pub target: &'static dyn Target,
    backend: Box<dyn AnyBackend>,
    policy: Policy,
    /// Which indicators it leaves out beside those that [`Settings::filter`] does.
    filter: Option<Filter>,
    /// The types of objects that it has any place for, where it says so.
    object_types: Option<BTreeSet<String>>,
}

impl Prepared {
    /// A target with a mapping and the verdicts to accept; `None` for its own defaults. The guard is the one that is
    /// built in.
    ///
    /// # Errors
    /// A mapping that is none.
    pub fn new(
        target: &'static dyn Target,
        mapping: Option<&str>,
        accept: Option<Accept>,
    ) -> Result<Self, MappingError> {
        Self::with_guard(target, mapping, accept, Guard::builtin())
    }

    /// The same with another guard.
    ///
    /// # Errors
    /// A mapping that is none.
    pub fn with_guard(
        target: &'static dyn Target,
        mapping: Option<&str>,
        accept: Option<Accept>,
        guard: Arc<Guard>,
    ) -> Result<Self, MappingError> {
        let options = Options::with_guard(target, accept.unwrap_or_else(|| target.accepts()), guard);
        let policy = options.policy.clone();
        let backend = target.prepare(mapping, options)?;
        let object_types = backend.object_types();
        Ok(Self { target, backend, policy, filter: None, object_types })
    }

    /// The same with a filter of its own, which can ask for more than [`Settings::filter`] and not for less.
    #[must_use]
    pub fn with_filter(self, filter: Option<Filter>) -> Self {
        Self { filter, ..self }
    }

    /// Whether the target has a place for anything that a plan is about.
    fn has_place(&self, plan: &Plan) -> bool {
        let Some(known) = &self.object_types else { return true };
        plan.tests().any(|test| {
            let referent = test.property.referent.as_deref();
            known.contains(test.property.object_type()) || referent.is_some_and(|referent| known.contains(referent))
        })
    }
}

/// How to convert.
pub struct Settings {
    /// The targets, in the order of the report.
    pub targets: Vec<Prepared>,
    /// The moment that decides on expiry.
    pub now: Timestamp,
    /// Whether odd spellings are errors instead of being repaired.
    pub strict: bool,
    /// Which indicators are wanted.
    pub filter: Filter,
    /// What rules may do that come ready-made.
    pub natives: NativePolicy,
    /// Which indicators [`Finished::indicators`] tells of.
    pub details: Details,
    /// Whether [`Finished::subjects`] keeps what each pattern means.
    pub witnesses: bool,
}

impl Settings {
    /// Settings with these targets at this moment, and for the rest: everything is wanted, odd spellings are repaired, no engine
    /// is asked, all indicators are told, and no witness is made.
    #[must_use]
    pub fn new(targets: Vec<Prepared>, now: Timestamp) -> Self {
        Self {
            targets,
            now,
            strict: false,
            filter: Filter::default(),
            natives: NativePolicy::default(),
            details: Details::All,
            witnesses: false,
        }
    }

    /// Whether what the other objects of a feed say has any influence: plain lists without a filter need none of it.
    #[must_use]
    pub fn wants_context(&self) -> bool {
        let wants = |prepared: &Prepared| {
            prepared.target.wants_metadata() || prepared.filter.as_ref().is_some_and(Filter::wants_context)
        };
        self.filter.wants_context() || self.targets.iter().any(wants)
    }
}

/// Which indicators are kept for the report. A feed of a million need not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Details {
    /// Those whose pattern is not valid.
    Problems,
    /// All.
    All,
}

/// About how many bytes of a file are compiled as one piece. A dozen of them are held at once.
const BATCH: usize = 128 << 10;

/// A conversion under way.
///
/// ```
/// use stixc::{convert::{Converter, Prepared, Settings}, output::Memory, stix::{Context, Timestamp}, targets};
///
/// let prepared = Prepared::new(targets::find("blocklist").unwrap(), None, None).unwrap();
/// let settings = Settings::new(vec![prepared], Timestamp::from_unix_seconds(1_700_000_000).unwrap());
/// let mut converter = Converter::new(&settings);
/// converter.pattern("command line", "[domain-name:value = 'evil.example']");
/// let mut files = Memory::default();
/// let finished = converter.finish(&targets::renderer(targets::TARGETS, None).unwrap(), &mut files);
/// assert_eq!(finished.summary.rendered, 1);
/// assert_eq!(files.files["blocklist/domains.txt"], b"evil.example\n");
/// ```
pub struct Converter<'s> {
    settings: &'s Settings,
    gathered: gather::Gathered,
    diagnostics: Vec<SourceDiagnostic>,
    tally: Tally,
}

impl<'s> Converter<'s> {
    /// A conversion of nothing yet.
    #[must_use]
    pub fn new(settings: &'s Settings) -> Self {
        let guard = settings.targets.first().map(|prepared| prepared.policy.guard());
        let notes = guard.into_iter().flat_map(|guard| guard.notes());
        let said = |found: &Diagnostic| SourceDiagnostic { source: "guard".to_owned(), diagnostic: found.clone() };
        let diagnostics = notes.map(said).collect();
        Self { settings, gathered: gather::Gathered::default(), diagnostics, tally: Tally::default() }
    }

    /// Reads all indicators of a file, called `source` in messages. `context` is what the other objects of all files
    /// say about them.
    pub fn read(&mut self, source: &str, reader: impl Read + Send, context: &Context) {
        self.take(source, BundleReader::new(reader).with_sizes(BATCH, OBJECT_LIMIT), context);
    }

    /// Takes all indicators of `batches`, as [`Converter::read`] takes those of a file.
    pub fn take(&mut self, source: &str, mut batches: impl Iterator<Item = Batch> + Send, context: &Context) {
        let width = rayon::current_num_threads() * 2;
        let mut round: Vec<Batch> = batches.by_ref().take(width).collect();
        let mut compiled = Vec::new();
        // While one round is compiled, the round before it is gathered and the next one is read.
        while !(round.is_empty() && compiled.is_empty()) {
            let settings = self.settings;
            let earlier = std::mem::take(&mut compiled);
            let gather = || self.gather(earlier, source);
            (compiled, round) = rayon::join(
                || round.par_iter().map(|batch| gather::batch(batch, source, context, settings)).collect(),
                || {
                    gather();
                    batches.by_ref().take(width).collect()
                },
            );
        }
    }

    fn gather(&mut self, compiled: Vec<gather::Compiled>, source: &str) {
        for gather::Compiled { items, faults, tally } in compiled {
            self.tally.merge(tally);
            items.into_iter().for_each(|item| self.gathered.add(item));
            self.diagnostics.extend(faults.into_iter().map(|fault| in_file(source, fault)));
        }
    }

    /// Takes a bare pattern, as if an indicator had come with nothing else.
    pub fn pattern(&mut self, source: &str, pattern: &str) {
        let item = gather::bare(pattern, source, self.settings);
        self.gathered.add(item);
    }

    /// Whether nothing was read that is an indicator.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gathered.is_empty()
    }

    /// What the files hold.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What was said about the files so far.
    #[must_use]
    pub fn diagnostics(&self) -> &[SourceDiagnostic] {
        &self.diagnostics
    }
}

/// Reads what the objects that are no indicators say about them, of a file called `source`: a first pass. What can't be
/// read of those objects is returned; what is wrong between the objects is found by the pass that reads the indicators.
pub fn read_context(
    collector: &mut Collector,
    source: &str,
    mut batches: impl Iterator<Item = Batch>,
) -> Vec<SourceDiagnostic> {
    let mut faults = Vec::new();
    loop {
        let round: Vec<_> = batches.by_ref().take(rayon::current_num_threads() * 2).collect();
        if round.is_empty() {
            return faults;
        }
        let parts: Vec<_> = round.par_iter().map(collect).collect();
        for (part, found) in parts {
            collector.merge(part);
            faults.extend(found.into_iter().map(|fault| in_file(source, fault)));
        }
    }
}

fn collect(batch: &Batch) -> (Collector, Vec<Fault>) {
    let mut part = Collector::default();
    let collected = batch.objects().filter_map(|object| Some((part.collect(&object).err()?, object)));
    // What is not JSON is found by the pass that reads the indicators, in objects of all types.
    let said = collected.filter(|(error, _)| error.kind.code() != codes::BAD_OBJECT);
    let faults = said.map(|(error, object)| object.fault(&error)).collect();
    (part, faults)
}

/// A fault of the reader as a diagnostic of its file.
#[must_use]
pub fn in_file(source: &str, fault: Fault) -> SourceDiagnostic {
    let place = match &fault.id {
        Some(id) => format!("{source}:{}:{} ({id})", fault.line, fault.column),
        None => format!("{source}:{}:{}", fault.line, fault.column),
    };
    SourceDiagnostic { source: place, diagnostic: fault.diagnostic }
}

/// The numbers and details of a finished conversion, in the form of the report.
impl Finished {
    /// The report.
    #[must_use]
    pub fn report(&self) -> crate::report::Report<'_> {
        let (summary, indicators): (&Summary, &[IndicatorReport]) = (&self.summary, &self.indicators);
        crate::report::Report {
            schema: crate::report::SCHEMA,
            summary,
            feeds: &[],
            diagnostics: &self.diagnostics,
            indicators,
        }
    }
}
