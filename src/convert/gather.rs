//! From batches of objects to one record for each indicator and one group for each pattern.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    hash::BuildHasher,
    num::{NonZeroU32, NonZeroU64},
};

use hashbrown::HashTable;
use uuid::Uuid;

use crate::{
    diagnostic::Diagnostic,
    guard::{Policy, Weight},
    pattern::{Version, lenient},
    plan::{
        Plan,
        fidelity::{Fidelity, Loss},
    },
    report::{Beside, IndicatorReport, Status, TargetReport, Verdict},
    span::Span,
    stix::{self, Batch, Context, Fault, Indicator, Key, KeyState, PatternType, Tally, Timestamp},
    targets::{
        TARGETS, Target,
        contract::{Content, Origin},
        native::{self, NativeFault, NativePolicy, NativeRule, NativeText},
    },
};

use super::{
    AMBIGUOUS, BAD_NATIVE_RULE, Details, NATIVE_ELSEWHERE, OTHER_LANGUAGE, Outcome, Prepared, Settings,
    compile::{Compiled as CompiledPattern, compile, lower_text},
    left_out::LeftOut,
    origin::{display_name, origin},
    standing::out_of_force,
    title,
};

/// One indicator, compiled.
pub(super) struct Item {
    pub id: Key,
    /// The identifier itself.
    pub name: Box<str>,
    /// What it says, in a number.
    pub fingerprint: u64,
    pub created: Option<Timestamp>,
    pub modified: Option<Timestamp>,
    pub status: Status,
    pub guarded: bool,
    /// When it comes into force, where it is pending.
    pub due: Option<Timestamp>,
    /// The places of the targets whose filters leave it out.
    pub left_out: Vec<usize>,
    /// The pattern's key and what became of it, where it is active.
    pub pattern: Option<(Key, Vec<Outcome>)>,
    /// What it means, where that is to be kept.
    pub plan: Option<Plan>,
    /// For rules that carry metadata.
    pub origin: Option<Box<Origin>>,
    /// Where details are wanted.
    pub report: Option<Box<IndicatorReport>>,
}

/// What a batch gives.
pub(super) struct Compiled {
    /// Its indicators.
    pub items: Vec<Item>,
    /// What can't be read.
    pub faults: Vec<Fault>,
    /// All that is in it.
    pub tally: Tally,
}

/// Compiles the indicators of a batch.
pub(super) fn batch(batch: &Batch, source: &str, context: &Context, settings: &Settings) -> Compiled {
    let mut compiled = Compiled {
        items: Vec::with_capacity(batch.objects().len()),
        faults: batch.faults.clone(),
        tally: Tally::default(),
    };
    for object in batch.objects() {
        let object_type = object.object_type();
        compiled.tally.add(object_type.as_deref().unwrap_or_default());
        let read = if object_type.as_deref() == Some("indicator") {
            Indicator::parse(object.raw)
                .map(|indicator| compiled.items.push(item(&indicator, source, Some(context), settings)))
        } else {
            object.check()
        };
        compiled.faults.extend(read.err().map(|error| object.fault(&error)));
    }
    compiled
}

/// Compiles a pattern that came without an indicator. Its id derives from its text.
pub(super) fn bare(pattern: &str, source: &str, settings: &Settings) -> Item {
    let id =
        format!("indicator--{}", Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("stixc:pattern:{pattern}").as_bytes()));
    let indicator = Indicator::bare(&id, pattern);
    item(&indicator, source, None, settings)
}

fn item(indicator: &Indicator<'_>, source: &str, context: Option<&Context>, settings: &Settings) -> Item {
    let empty = Context::default();
    let context = context.unwrap_or(&empty);
    let mut compiled = Compilation { diagnostics: indicator.diagnostics.clone(), ..Compilation::default() };
    let standing = indicator.status(settings.now);
    compiled.diagnostics.extend(out_of_force(indicator, standing));
    let status = match standing {
        stix::Status::Active => match settings.filter.judge(indicator, context, settings.now) {
            Some((status, why)) => {
                compiled.diagnostics.push(why);
                status
            }
            None => compiled.pattern(indicator, settings),
        },
        stix::Status::Expired => Status::Expired,
        stix::Status::Pending => Status::Pending,
        stix::Status::Revoked => Status::Revoked,
        stix::Status::Benign => Status::Filtered,
    };
    let Compilation { canonical, name, outcomes, plan, cut, diagnostics } = compiled;
    let pattern = outcomes.filter(|_| status == Status::Active);
    let left_out = if pattern.is_some() { left_out(indicator, context, settings) } else { BTreeMap::new() };
    let wants_metadata = settings.targets.iter().any(|prepared| prepared.target.wants_metadata());
    let wants_origin = wants_metadata || settings.witnesses;
    let make_name = || name.unwrap_or_else(|| indicator.id.to_string());
    let report = (settings.details == Details::All || status == Status::Invalid).then(|| {
        Box::new(IndicatorReport {
            id: indicator.id.to_string(),
            name: display_name(indicator).unwrap_or_else(|| make_name.clone()()),
            source: source.to_owned(),
            pattern: indicator.pattern.to_string(),
            canonical,
            status,
            created: indicator.created.map(|time| time.to_string()),
            modified: indicator.modified.map(|time| time.to_string()),
            valid_until: indicator.valid_until.map(|time| time.to_string()),
            diagnostics,
            targets: pattern
                .iter()
                .flat_map(|(_, outcomes)| settings.targets.iter().zip(outcomes).enumerate())
                .map(|(place, (prepared, outcome))| {
                    let report = match left_out.get(&place) {
                        Some(why) => filtered_report(why, &indicator.pattern),
                        None => target_report(outcome),
                    };
                    (prepared.target.name(), report)
                })
                .collect(),
            fingerprint: indicator.fingerprint(),
            beside: beside(indicator, context),
        })
    });
    Item {
        id: Key::new(&indicator.id),
        name: Box::from(&*indicator.id),
        fingerprint: indicator.fingerprint(),
        created: indicator.created,
        modified: indicator.modified,
        status,
        guarded: cut.iter().any(|place| !left_out.contains_key(place)),
        due: indicator.valid_from.filter(|_| status == Status::Pending),
        left_out: left_out.into_keys().collect(),
        origin: (wants_origin && pattern.is_some()).then(|| Box::new(origin(indicator, context, make_name))),
        pattern,
        plan,
        report,
    }
}

/// What other objects say about an indicator.
fn beside(indicator: &Indicator<'_>, context: &Context) -> Box<[Beside]> {
    let all = context.beside(indicator).into_iter();
    all.map(|(id, says)| Beside { id: id.to_owned(), says: says.to_owned() }).collect()
}

/// Why targets leave an indicator out that is in force and that the run wants, by the places of these targets.
fn left_out(indicator: &Indicator<'_>, context: &Context, settings: &Settings) -> BTreeMap<usize, Diagnostic> {
    let judge = |(place, prepared): (usize, &Prepared)| {
        let (_, why) = prepared.filter.as_ref()?.judge(indicator, context, settings.now)?;
        Some((place, why))
    };
    settings.targets.iter().enumerate().filter_map(judge).collect()
}

fn filtered_report(why: &Diagnostic, pattern: &str) -> TargetReport {
    let span = Span::new(0, pattern.len());
    let loss = Loss { code: why.code, effect: Fidelity::NARROWER, message: why.message.clone(), span };
    TargetReport { verdict: Verdict::Filtered, losses: vec![loss], rules: Vec::new() }
}

fn target_report(outcome: &Outcome) -> TargetReport {
    TargetReport { verdict: outcome.verdict(), losses: outcome.losses().to_vec(), rules: Vec::new() }
}

/// What compiling one indicator gives.
#[derive(Default)]
struct Compilation {
    canonical: String,
    name: Option<String>,
    outcomes: Option<(Key, Vec<Outcome>)>,
    plan: Option<Plan>,
    /// The places of the targets of which the guard took something.
    cut: Vec<usize>,
    diagnostics: Vec<Diagnostic>,
}

impl Compilation {
    fn pattern(&mut self, indicator: &Indicator<'_>, settings: &Settings) -> Status {
        if indicator.pattern_type != PatternType::Stix {
            return self.native(indicator, settings);
        }
        let (meaning, diagnostics) = lower_text(&indicator.pattern, settings.strict);
        self.diagnostics.extend(diagnostics);
        let Some(meaning) = meaning else { return Status::Invalid };
        let CompiledPattern { outcomes, diagnostics, cut } = compile(&meaning, &settings.targets);
        self.diagnostics.extend(diagnostics);
        self.cut = cut;
        if display_name(indicator).is_none() {
            self.name = Some(title::title(&meaning.plan));
        }
        self.outcomes = Some((Key::new(&meaning.canonical), outcomes));
        self.canonical = meaning.canonical;
        self.plan = settings.witnesses.then_some(meaning.plan);
        Status::Active
    }

    /// A rule that is written in a target's own language already.
    fn native(&mut self, indicator: &Indicator<'_>, settings: &Settings) -> Status {
        let language = indicator.pattern_type.name();
        let speaks = |name: Option<&str>| name == Some(language);
        let whole = Span::new(0, indicator.pattern.len());
        let key = Key::new(&format!("{language}\n{}", indicator.pattern));
        self.name = Some(format!("{language} rule"));
        let mut numbered = settings.targets.iter().enumerate();
        let Some((place, own)) = numbered.find(|(_, prepared)| speaks(prepared.target.pattern_type())) else {
            let message = format!("the indicator is written in {language}, which no chosen target speaks");
            let loss = Loss { code: OTHER_LANGUAGE, effect: Fidelity::NARROWER, message, span: whole };
            let outcomes = settings.targets.iter().map(|_| Outcome::NotApplicable(vec![loss.clone()]));
            self.outcomes = Some((key, outcomes.collect()));
            return Status::Active;
        };
        let loss = |found: Diagnostic| Loss {
            code: found.code,
            effect: Fidelity::NARROWER,
            message: found.message,
            span: found.span.unwrap_or(whole),
        };
        let text = match native::unwrapped(&indicator.pattern) {
            Some(text) if !settings.strict => {
                let message = "the brackets around the rule are left out";
                self.diagnostics.push(Diagnostic::warning(native::WRAPPED, message).at(whole));
                text
            }
            _ => &indicator.pattern,
        };
        // What is said of the text has its place in the pattern.
        let offset = indicator.pattern.find(text).unwrap_or_default();
        let placed = |span: Span| Span::new(span.start as usize + offset, span.end as usize + offset);
        let read = own.target.read_native(text, &settings.natives);
        let of_own = match read {
            Ok(rule) => {
                let outcome = weighed(&own.policy, rule, &mut self.diagnostics, whole);
                if matches!(outcome, Outcome::Guarded(_)) {
                    self.cut = vec![place];
                }
                outcome
            }
            Err(NativeFault::Malformed(found)) => {
                let message = format!("not a rule of {}: {}", own.target.name(), found.message);
                let span = found.span.map_or(whole, placed);
                let help = other_language(&indicator.pattern, language).or(found.help);
                self.diagnostics.push(Diagnostic { message, help, ..Diagnostic::error(BAD_NATIVE_RULE, "").at(span) });
                return Status::Invalid;
            }
            Err(NativeFault::Unwanted(found)) => {
                Outcome::Refused(vec![loss(Diagnostic { span: found.span.map(placed), ..found })])
            }
        };
        let mut of_own = Some(of_own);
        let outcomes = (0..settings.targets.len()).map(|number| match of_own.take_if(|_| number == place) {
            Some(outcome) => outcome,
            None => Outcome::NotApplicable(vec![Loss {
                code: NATIVE_ELSEWHERE,
                effect: Fidelity::NARROWER,
                message: format!("the indicator is a {language} rule, not a STIX pattern"),
                span: whole,
            }]),
        });
        self.outcomes = Some((key, outcomes.collect()));
        Status::Active
    }
}

/// What the guard makes of a ready-made rule. It stays as it is or is left out as a whole.
fn weighed(policy: &Policy, rule: NativeRule, diagnostics: &mut Vec<Diagnostic>, whole: Span) -> Outcome {
    let loss = |found: Diagnostic, effect| Loss { code: found.code, effect, message: found.message, span: whole };
    let mut warnings: Vec<Loss> = Vec::new();
    for evidence in &rule.evidence {
        match policy.weigh(evidence) {
            Weight::Full => {}
            Weight::None(found) => return Outcome::Guarded(vec![loss(found, Fidelity::NARROWER)]),
            Weight::Less(found) => {
                let more = found.into_iter().map(|found| loss(found, Fidelity::EXACT));
                more.for_each(|one| {
                    if !warnings.contains(&one) {
                        warnings.push(one)
                    }
                });
            }
        }
    }
    diagnostics.extend(rule.notes);
    Outcome::Rules(Content::Native(NativeText { text: rule.text, is_compiled: rule.is_compiled, warnings }))
}

/// What to do about a text that is no rule of its language, where it is one of another.
fn other_language(text: &str, language: &str) -> Option<String> {
    let is_stix = lenient::read(text, Version::Auto, false).is_ok();
    let speaks = |target: &&&dyn Target| {
        target.pattern_type().is_some_and(|name| name != language)
            && target.read_native(text, &NativePolicy::default()).is_ok()
    };
    let other =
        if is_stix { Some("stix") } else { TARGETS.iter().find(speaks).and_then(|target| target.pattern_type()) };
    other.map(|name| format!("its text is {name}: set the indicator's `pattern_type` to {name:?}"))
}

/// All indicators of a run, and what became of each pattern.
#[derive(Default)]
pub(super) struct Gathered {
    pub records: Vec<Record>,
    /// The key of each pattern. The number of a pattern is its place in this list.
    pub patterns: Vec<Key>,
    /// By target, then by the number of the pattern.
    pub outcomes: Vec<Vec<Outcome>>,
    /// By the number of the pattern, where plans are kept.
    pub plans: Vec<Option<Plan>>,
    /// Which records are left out of which targets.
    pub left_out: LeftOut,
    /// When pending records come into force, by their places.
    due: BTreeMap<u32, Timestamp>,
    /// The identifiers of records that had another content in the same version, by their places.
    ambiguous: BTreeMap<u32, Box<str>>,
    /// The key of each record's identifier.
    ids: Vec<Key>,
    by_id: Places,
    by_pattern: Places,
}

/// Where each key of a list stands. It holds the places only, for there are millions of them.
#[derive(Default)]
struct Places {
    table: HashTable<u32>,
    state: KeyState,
}

impl Places {
    fn find(&self, keys: &[Key], key: Key) -> Option<u32> {
        self.table.find(self.state.hash_one(key), |&place| keys[place as usize] == key).copied()
    }

    /// Adds the key that stands last in `keys`; its place.
    fn add_last(&mut self, keys: &[Key]) -> Option<u32> {
        let place = u32::try_from(keys.len().checked_sub(1)?).ok()?;
        let hash = |place: &u32| self.state.hash_one(keys[*place as usize]);
        self.table.insert_unique(hash(&place), place, hash);
        Some(place)
    }
}

/// What is kept of one indicator. Moments are in microseconds: finer differences have no meaning.
pub(super) struct Record {
    pub created: Option<Moment>,
    modified: Option<Moment>,
    pub group: Option<Group>,
    pub status: Status,
    pub guarded: bool,
    fingerprint: u64,
    extras: Option<Box<Extras>>,
}

/// What only some runs keep of an indicator: for rules with metadata, and where details are wanted.
struct Extras {
    origin: Option<Box<Origin>>,
    report: Option<Box<IndicatorReport>>,
}

impl Record {
    pub(super) fn origin(&self) -> Option<&Origin> {
        self.extras.as_ref()?.origin.as_deref()
    }

    pub(super) fn take_origin(&mut self) -> Option<Box<Origin>> {
        self.extras.as_mut()?.origin.take()
    }

    pub(super) fn report(self) -> Option<Box<IndicatorReport>> {
        self.extras?.report
    }
}

/// Microseconds since the year 0, so that 0 is left for the lack of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(NonZeroU64);

impl Moment {
    fn of(time: Timestamp) -> Option<Self> {
        const YEAR_0: i64 = -62_167_219_200_000_000;
        let since = time.unix_microseconds().checked_sub(YEAR_0)?;
        NonZeroU64::new(u64::try_from(since).ok()?.checked_add(1)?).map(Self)
    }
}

/// The number of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group(NonZeroU32);

impl Group {
    fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number.checked_add(1)?).map(Self)
    }

    /// The number, from 0.
    pub(super) fn number(self) -> u32 {
        self.0.get() - 1
    }
}

impl Gathered {
    /// What became of a pattern in each target, in their order.
    pub(super) fn outcomes_of(&self, pattern: Group) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter_map(move |all| all.get(pattern.number() as usize))
    }

    /// The lookups are of use only while indicators come in.
    pub(super) fn close(&mut self) {
        self.ids = Vec::new();
        self.by_id = Places::default();
        self.by_pattern = Places::default();
    }

    /// Brings the reports up to date with what has become of ready-made rules in a target, and adds what was said of them, if
    /// anything, by the numbers of their patterns. Those of other patterns tell of their own spelling.
    #[cfg(feature = "witness")]
    pub(super) fn note(&mut self, number: usize, target: &str, notes: &BTreeMap<u32, Vec<Diagnostic>>) {
        let Some(outcomes) = self.outcomes.get(number) else { return };
        for (place, record) in (0..).zip(&mut self.records) {
            let Some(pattern) = record.group.map(Group::number) else { continue };
            if self.left_out.holds(number, place) {
                continue;
            }
            let report = record.extras.as_mut().and_then(|extras| extras.report.as_mut());
            let (Some(report), Some(outcome), Some(said)) =
                (report, outcomes.get(pattern as usize), notes.get(&pattern))
            else {
                continue;
            };
            report.diagnostics.extend(said.iter().cloned());
            if let Some(entry) = report.targets.get_mut(target) {
                *entry = target_report(outcome);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Takes an indicator in. Of several versions of one, the newest stays; of several with one date, the one whose
    /// pattern has the greater key, and whose content has the greater number, so that the order of the input decides nothing.
    pub(super) fn add(&mut self, item: Item) {
        let Item {
            id,
            name,
            fingerprint,
            created,
            modified,
            status,
            guarded,
            pattern,
            plan,
            origin,
            report,
            due,
            left_out,
        } = item;
        let (pattern, outcomes) = pattern.map_or((None, None), |(key, outcomes)| (Some(key), Some(outcomes)));
        let extras = (origin.is_some() || report.is_some()).then(|| Box::new(Extras { origin, report }));
        let mut record = Record {
            created: created.and_then(Moment::of),
            modified: modified.and_then(Moment::of),
            group: None,
            status,
            guarded,
            fingerprint,
            extras,
        };
        match self.by_id.find(&self.ids, id) {
            Some(at) if !self.gives_way(at, &record, name) => {}
            Some(at) => {
                record.group = self.group(pattern, outcomes, plan);
                self.records[at as usize] = record;
                self.note_apart(at, &left_out, due);
            }
            None => {
                record.group = self.group(pattern, outcomes, plan);
                self.records.push(record);
                self.ids.push(id);
                if let Some(at) = self.by_id.add_last(&self.ids) {
                    self.note_apart(at, &left_out, due);
                }
            }
        }
    }

    /// Keeps what few records have, by the place of the record.
    fn note_apart(&mut self, place: u32, left_out: &[usize], due: Option<Timestamp>) {
        self.left_out.set(place, left_out);
        match due {
            Some(due) => _ = self.due.insert(place, due),
            None => _ = self.due.remove(&place),
        }
    }

    /// When the first of the pending records comes into force.
    pub(super) fn next_valid(&self) -> Option<Timestamp> {
        self.due.values().min().copied()
    }

    /// Whether the record at `place` gives way to another, which is called `name`: as in the store, the newer version counts, of
    /// one version the one that takes the indicator back, and then what it says.
    fn gives_way(&mut self, place: u32, other: &Record, name: Box<str>) -> bool {
        let held = &self.records[place as usize];
        match held.modified.cmp(&other.modified) {
            Ordering::Less => _ = self.ambiguous.remove(&place),
            Ordering::Equal if held.fingerprint != other.fingerprint => _ = self.ambiguous.insert(place, name),
            _ => {}
        }
        let version = |record: &Record| (record.modified, record.status == Status::Revoked, record.fingerprint);
        version(held) < version(other)
    }

    /// What to say of indicators of which several are the same version of one and say something else.
    pub(super) fn ambiguity(&self) -> Option<Diagnostic> {
        let names: BTreeSet<&str> = self.ambiguous.values().map(AsRef::as_ref).collect();
        ambiguity(names.into_iter())
    }

    fn group(&mut self, pattern: Option<Key>, outcomes: Option<Vec<Outcome>>, plan: Option<Plan>) -> Option<Group> {
        let (key, outcomes) = (pattern?, outcomes?);
        if let Some(known) = self.by_pattern.find(&self.patterns, key) {
            return Group::new(known);
        }
        self.patterns.push(key);
        self.outcomes.resize_with(outcomes.len(), Vec::new);
        self.outcomes.iter_mut().zip(outcomes).for_each(|(all, outcome)| all.push(outcome));
        if plan.is_some() || !self.plans.is_empty() {
            // Ready-made rules have no plan.
            self.plans.resize_with(self.patterns.len() - 1, || None);
            self.plans.push(plan);
        }
        self.by_pattern.add_last(&self.patterns).and_then(Group::new)
    }
}

/// What to say of indicators with these ids, in their order: several are the same version of one and say something else.
pub fn ambiguity<'i>(mut ids: impl ExactSizeIterator<Item = &'i str>) -> Option<Diagnostic> {
    let count = ids.len();
    let first = ids.next()?;
    let message = match count {
        1 => format!("{first} comes with one `modified` and different contents"),
        _ => format!("{count} indicators come with one `modified` and different contents, {first} among them"),
    };
    let help = "of each the same one is used, whatever the order; ask the feed's maker which one is meant";
    Some(Diagnostic::warning(AMBIGUOUS, message).help(help))
}
