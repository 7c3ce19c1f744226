//! From a plan to the detections of its rules, one for each log source.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
    sync::Arc,
};

use super::{
    correlation::{Correlation, Links, Member},
    data_source::DataSource,
    detection::{Branch, detection},
    draft::{Detection, Draft},
    emit::emit,
    field_test::{Clause, FieldTest, INDEX, TestLoss, field_test},
    join_path::{join_paths, values},
    mapping_rows::{Field, FieldForm, LogSource, Table},
    regex_end,
    text::YamlBlock,
};
#[cfg(feature = "witness")]
use crate::targets::proof::{Exported, File, Tested};
use crate::{
    plan::{
        Observation, Operator, Plan, Property, Test, ValueKind,
        adapt::{self, Fit, NO_COMMON_SOURCE, NO_PLACE, NO_VALUE, Part, Sequence, Ties},
        fidelity::{Fidelity, Loss},
    },
    span::Span,
    targets::contract::{Backend, Emission, EmitError, Lowered, Options, Refusal, Rule},
};

/// The time in which several observations have to lie where the pattern names none: a day, in seconds.
const WINDOW: u64 = 86_400;

/// A mapping, ready to lower plans.
pub(super) struct Compiler {
    table: Table,
    /// The mapping without what the user has laid over it.
    #[cfg_attr(not(feature = "witness"), expect(dead_code, reason = "witnesses alone are shown by it"))]
    shipped: Table,
    /// The enabled log sources: their number in the table, and what their rules say of them.
    sources: Vec<(usize, Arc<DataSource>)>,
    links: Links,
    options: Options,
}

impl Compiler {
    /// With a mapping that was read, and what the user asked for.
    pub(super) fn new(table: Table, shipped: Table, options: &Options) -> Self {
        let enabled = table.data_sources().iter().enumerate().filter(|(_, source)| source.data.enabled);
        let sources =
            enabled.map(|(number, source)| (number, Arc::new(DataSource::new(&source.name, &source.data)))).collect();
        let links = Links::new(&table);
        Self { table, shipped, sources, links, options: options.clone() }
    }

    /// The logs in which witnesses show.
    #[cfg(feature = "witness")]
    pub(super) fn logs(&self) -> super::show::Logs<'_> {
        super::show::Logs::new(&self.table, &self.shipped)
    }

    /// The enabled log sources that have a field for any property of the plan. Where there is none, the first one, to say
    /// why.
    fn candidates(&self, plan: &Plan) -> Vec<usize> {
        let mut distinct: HashMap<&Property, &Test> = HashMap::new();
        plan.tests().for_each(|test| _ = distinct.entry(&test.property).or_insert(test));
        let has_row = |source: &usize| {
            let (number, _) = self.sources[*source];
            distinct.values().any(|test| {
                let any = any_element(test);
                self.table.rows(number, any.as_ref().unwrap_or(test)).next().is_some()
            })
        };
        let found: Vec<usize> = (0..self.sources.len()).filter(has_row).collect();
        if found.is_empty() { (0..self.sources.len().min(1)).collect() } else { found }
    }

    /// Whether the enabled log source number `source` holds `test`.
    fn fit<'m>(&'m self, source: usize, test: &Test, minds_case: bool) -> Fit<Vec<FieldTest<'m>>> {
        match any_element(test) {
            Some(any) => match self.fit_plain(source, &any, minds_case) {
                // That a list has a first element says no more than that it has one.
                Fit::Holds { by, weak, loss } if test.operator == Operator::Exists => Fit::Holds { by, weak, loss },
                Fit::Holds { by, weak, loss } => {
                    let indexed = (INDEX, Fidelity::BROADER, "any element of the list is matched".to_owned());
                    Fit::Holds { by, weak, loss: summary(loss.into_iter().chain([indexed])) }
                }
                lacks => lacks,
            },
            None => self.fit_plain(source, test, minds_case),
        }
    }

    fn fit_plain<'m>(&'m self, source: usize, test: &Test, minds_case: bool) -> Fit<Vec<FieldTest<'m>>> {
        let (number, _) = self.sources[source];
        let mut fields = Vec::with_capacity(1);
        let mut refused = None;
        for row in self.table.rows(number, test) {
            if let Some(why) = left_out(row, test) {
                refused.get_or_insert((NO_VALUE, why));
                continue;
            }
            match field_test(row, test, minds_case) {
                Ok(field) => fields.push(field),
                Err(why) => {
                    refused.get_or_insert(why);
                }
            }
        }
        if fields.is_empty() {
            let (code, message) = refused.unwrap_or_else(|| (NO_PLACE, self.reason(source, test)));
            return Fit::Lacks(code, message);
        }
        let weak = fields.iter().all(|field| field.weak);
        let loss = summary(fields.iter_mut().flat_map(|field| std::mem::take(&mut field.losses)));
        Fit::Holds { by: fields, weak, loss }
    }

    fn reason(&self, source: usize, test: &Test) -> String {
        let path = test.property.path.as_ref();
        match self.table.reason(path) {
            _ if self.table.maps(path) => {
                format!("the log source {} has no field for {path}", self.sources[source].1.title)
            }
            Some(reason) => reason.to_owned(),
            None => format!("no log source of the mapping has {path}"),
        }
    }

    /// The alternatives of one part: one for each role that its object can have in the event.
    fn branches<'m>(&'m self, part: &Part<'_, Vec<FieldTest<'m>>>) -> Vec<Branch<'m>> {
        let source = &self.table.data_sources()[self.sources[part.source].0].data;
        let all = part.tests.iter().flat_map(|(_, fields)| fields);
        let mut roles: BTreeSet<&str> =
            all.map(|field| field.row.role.as_str()).filter(|role| !role.is_empty()).collect();
        if roles.is_empty() {
            roles.insert("");
        }
        roles.into_iter().filter_map(|role| branch(source, &part.tests, role)).collect()
    }
}

/// One alternative, with the object in one role; `None` where a test knows no such role.
fn branch<'m>(source: &'m LogSource, tests: &[(&Test, Vec<FieldTest<'m>>)], role: &str) -> Option<Branch<'m>> {
    let mut branch = Branch::default();
    let mut present = Vec::new();
    for (field, value) in &source.given {
        branch.require(Clause::constant(field.as_str(), value));
    }
    for (test, fields) in tests {
        let fits = |field: &&FieldTest<'_>| field.row.role.is_empty() || field.row.role == role;
        let field = fields.iter().find(fits)?;
        let also = field.row.also.iter().map(|(field, value)| Clause::constant(field.as_str(), value));
        if !test.negated {
            branch.require(field.clause.clone());
            also.for_each(|clause| branch.require(clause));
            continue;
        }
        // STIX wants the property to be there, whatever it is; except under NOT EXISTS.
        // Of hashes the log holds several in one field, so its presence says nothing of the kind that the test is about.
        if field.clause.modifier != "|exists" && field.row.form != FieldForm::Hash {
            present.push(field.clause.field);
        }
        branch.exclude(std::iter::once(field.clause.clone()).chain(also).collect());
    }
    for field in present {
        if !branch.mentions(field) {
            branch.require(Clause::exists(field));
        }
    }
    Some(branch)
}

impl Backend for Compiler {
    type Draft = Draft;

    #[cfg(feature = "witness")]
    fn export(&self, tested: Vec<Tested<'_>>, written: &[File]) -> Option<Exported> {
        Some(super::exported(self, tested, written))
    }

    fn lower(&self, plan: &Plan) -> Result<Lowered<Draft>, Refusal> {
        let plan: Cow<'_, Plan> = join_paths(plan, &self.table);
        let sources = self.candidates(&plan);
        let number = |candidate: usize| self.sources[sources[candidate]].0;
        let ties = Ties {
            by: "one machine",
            key: &|source| self.links.key(number(source)),
            apart: &|left, right| self.links.apart(number(left), number(right)),
            window: WINDOW,
        };
        // A tie misses things. What also matches more would be neither: so letter case has to count.
        let minds_case = several(&plan.observation);
        let capabilities = self.options.capabilities(sources.len(), Some(ties));
        let fit = |candidate: usize, test: &_| self.fit(sources[candidate], test, minds_case);
        let mut adapted = adapt::adapt(&plan, capabilities, fit)?;
        let chained = adapted.sequences.iter_mut().flat_map(|sequence| &mut sequence.steps);
        let parts = chained.flat_map(|step| &mut step.parts).chain(&mut adapted.parts);
        parts.for_each(|part| part.source = sources[part.source]);
        let (parts, sequences) = (mem::take(&mut adapted.parts), mem::take(&mut adapted.sequences));
        let mut lost = Vec::new();
        let rules = self.rules(&parts, &mut lost);
        let correlations = self.correlations(&sequences, &mut lost);
        let (fidelity, losses) = adapted.finish(lost, !rules.is_empty() || !correlations.is_empty())?;
        let all = parts.iter().flat_map(|part| &part.losses);
        let all: Vec<&Loss> = all.chain(sequences.iter().flat_map(|sequence| &sequence.losses)).collect();
        let elsewhere: Vec<Loss> = losses.iter().filter(|loss| !all.contains(loss)).cloned().collect();
        let rules = rules.into_iter().map(|mut rule| {
            if !elsewhere.is_empty() {
                rule.fidelity = rule.fidelity | Fidelity::NARROWER;
            }
            rule.losses.extend(elsewhere.iter().cloned());
            Box::new(Draft::Detection(rule))
        });
        let drafts = rules
            .chain(correlations.into_iter().map(|correlation| Box::new(Draft::Correlation(correlation))))
            .collect();
        Ok(Lowered { fidelity, losses: losses.into(), drafts })
    }

    fn object_types(&self) -> Option<BTreeSet<String>> {
        Some(self.table.object_types())
    }

    fn emit(&self, rules: &[Rule<Draft>], emission: &mut dyn Emission) -> Result<(), EmitError> {
        emit(rules, emission)
    }
}

/// The parts of a plan that one log source holds.
#[derive(Default)]
struct SourceParts<'m, 'p> {
    branches: Vec<Branch<'m>>,
    tests: Vec<&'p Test>,
    fidelity: Fidelity,
    losses: BTreeSet<Loss>,
}

impl Compiler {
    /// One rule for each log source.
    fn rules(&self, parts: &[Part<'_, Vec<FieldTest<'_>>>], lost: &mut Vec<Loss>) -> Vec<Detection> {
        let mut drafts: BTreeMap<usize, SourceParts<'_, '_>> = BTreeMap::new();
        for part in parts {
            let branches = self.branches(part);
            if branches.is_empty() {
                lost.push(no_common_role(part));
                continue;
            }
            let all = drafts.entry(part.source).or_default();
            all.branches.extend(branches);
            all.tests.extend(part.tests.iter().map(|(test, _)| *test));
            all.fidelity = all.fidelity | part.fidelity;
            all.losses.extend(part.losses.iter().cloned());
        }
        let written = |(source, all): (usize, SourceParts<'_, '_>)| Detection {
            source: Arc::clone(&self.sources[source].1),
            block: self.block(source, all.branches),
            values: values(&all.tests),
            fidelity: all.fidelity,
            losses: all.losses.into_iter().collect(),
        };
        drafts.into_iter().map(written).collect()
    }

    fn block(&self, source: usize, branches: Vec<Branch<'_>>) -> YamlBlock {
        let given = self.table.data_sources()[self.sources[source].0].data.given.len();
        detection(branches, given)
    }

    fn correlations(&self, sequences: &[Sequence<'_, Vec<FieldTest<'_>>>], lost: &mut Vec<Loss>) -> Vec<Correlation> {
        let mut found = Vec::with_capacity(sequences.len());
        for sequence in sequences {
            match self.correlation(sequence) {
                Ok(mut correlation) => {
                    lost.extend(correlation.combine());
                    found.push(correlation);
                }
                Err(loss) => lost.push(loss),
            }
        }
        found
    }

    fn correlation(&self, sequence: &Sequence<'_, Vec<FieldTest<'_>>>) -> Result<Correlation, Loss> {
        let mut steps = Vec::with_capacity(sequence.steps.len());
        for step in &sequence.steps {
            let mut by_source: BTreeMap<usize, (Vec<Branch<'_>>, Vec<&Test>)> = BTreeMap::new();
            for part in &step.parts {
                let (branches, tests) = by_source.entry(part.source).or_default();
                branches.extend(self.branches(part));
                tests.extend(part.tests.iter().map(|(test, _)| *test));
            }
            by_source.retain(|_, (branches, _)| !branches.is_empty());
            let member = |(source, (branches, tests)): (usize, (_, Vec<&Test>))| {
                let block = self.block(source, branches);
                Member { source: Arc::clone(&self.sources[source].1), block, values: values(&tests) }
            };
            let members: Vec<Member> = by_source.into_iter().map(member).collect();
            if members.is_empty() {
                return Err(step.parts.first().map(no_common_role).unwrap_or_else(|| Loss {
                    code: NO_COMMON_SOURCE,
                    effect: Fidelity::NARROWER,
                    message: "a step has no rule".to_owned(),
                    span: Span::default(),
                }));
            }
            steps.push(members);
        }
        Ok(Correlation::new(sequence, self.links.name(sequence.key), steps))
    }
}

fn no_common_role<H>(part: &Part<'_, H>) -> Loss {
    Loss {
        code: NO_COMMON_SOURCE,
        effect: Fidelity::NARROWER,
        message: "the mapping has no role that all of these tests share".to_owned(),
        span: part.span(),
    }
}

/// Whether several observations are asked for, in any part of the pattern.
fn several(observation: &Observation) -> bool {
    match observation {
        Observation::Match(_) => false,
        Observation::All(..) | Observation::Then(..) => true,
        Observation::Any(operands, _) => operands.iter().any(several),
        Observation::Repeat { of, times, .. } => *times > 1 || several(of),
        Observation::Within { of, .. } | Observation::During { of, .. } => several(of),
    }
}

/// For a test on a certain element of a list (`values[0].name`): the same on any element, which is all that an event
/// shows.
fn any_element(test: &Test) -> Option<Test> {
    Some(Test { property: test.property.of_any_element()?, ..test.clone() })
}

/// Why the mapping file leaves all values of `test` out of a row, if it does.
fn left_out(row: &Field, test: &Test) -> Option<String> {
    if row.skip_ending.is_empty() && row.only_ending.is_empty() && row.skip_containing.is_empty() {
        return None;
    }
    let mut texts = Vec::with_capacity(test.values.len());
    for value in &test.values {
        match &value.kind {
            ValueKind::Text(text) => texts.push(text.to_ascii_lowercase()),
            ValueKind::Like(pattern) => texts.push(pattern.text().to_ascii_lowercase()),
            // Of an expression, what it would be without its signs is telling enough.
            ValueKind::Regex(regex) => {
                texts.extend(regex_end::plain_texts(regex.tree().ok()?).iter().map(|text| text.to_ascii_lowercase()));
            }
            _ => return None,
        }
    }
    let ends = |list: &[String], text: &str| list.iter().any(|ending| text.ends_with(ending.as_str()));
    let skipped = |text: &String| {
        ends(&row.skip_ending, text)
            || !(row.only_ending.is_empty() || ends(&row.only_ending, text))
            || row.skip_containing.iter().any(|part| text.contains(part.as_str()))
    };
    (!texts.is_empty() && texts.iter().all(skipped)).then(|| "the value belongs to another system".to_owned())
}

/// Several losses of one test as one.
fn summary(losses: impl Iterator<Item = TestLoss>) -> Option<TestLoss> {
    let mut losses = losses;
    let (code, mut effect, message) = losses.next()?;
    let mut messages = vec![message];
    for (_, other, message) in losses {
        effect = effect | other;
        if !messages.contains(&message) {
            messages.push(message);
        }
    }
    Some((code, effect, messages.join("; ")))
}
