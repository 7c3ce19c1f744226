//! From plans to entries, and from these to files.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use smallvec::smallvec;

use super::{
    ENDS, OMITTED, SEVERAL_TESTS, collect,
    entry::{Entries, Entry, EntryKind},
    expand,
    list::List,
};
#[cfg(feature = "witness")]
use crate::targets::proof::{Exported, File, Tested, export};
use crate::{
    diagnostic::Diagnostic,
    guard::Judgement,
    plan::{
        Condition, End, Observation, Operator, Plan, Test, Value, ValueKind,
        adapt::{Fit, NO_OPERATOR, NO_PLACE, NO_VALUE, Part, adapt},
        fidelity::{Fidelity, Loss},
    },
    span::Span,
    targets::{
        contract::{Backend, Emission, EmitError, Losses, Lowered, Options, Refusal, Rule},
        mapping::{Mapping, NoKeys},
        record::Record,
    },
};

const TOGETHER: &str = "an entry stands for itself: several tests together can't be one";

/// A list of the mapping: the kind of its entries.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    entry: EntryKind,
}

/// The mapping, and what the user asked for.
pub(super) struct Lists {
    mapping: Mapping<Source, NoKeys>,
    options: Options,
    formats: &'static [List],
}

impl Lists {
    pub(super) fn new(mapping: Mapping<Source, NoKeys>, options: Options, formats: &'static [List]) -> Self {
        Self { mapping, options, formats }
    }

    /// The same for a test that may have had others beside it: the guard let it through for their sake, and an entry of
    /// its own it must not become.
    fn fit_alone(&self, source: usize, test: &Test) -> Fit<Vec<Entry>> {
        if test.negated || !matches!(test.operator, Operator::Equal | Operator::IsSubset) {
            return self.fit(source, test);
        }
        let mut guarded = None;
        let mut left = test.clone();
        left.values.retain(|value| match self.options.policy.judge(value) {
            Judgement::Free | Judgement::Kept(_) => true,
            Judgement::Part(_, found) | Judgement::Guarded(found) => {
                guarded = Some(found);
                false
            }
        });
        match (guarded, left.values.is_empty()) {
            (None, _) => self.fit(source, test),
            (Some(found), true) => Fit::Lacks(found.code, found.message),
            (Some(found), false) => match self.fit(source, &left) {
                Fit::Holds { by, weak, .. } => {
                    Fit::Holds { by, weak, loss: Some((found.code, Fidelity::NARROWER, found.message)) }
                }
                lacks => lacks,
            },
        }
    }

    /// Whether the list holds a test.
    fn fit(&self, source: usize, test: &Test) -> Fit<Vec<Entry>> {
        let path = test.property.path.as_ref();
        if !self.mapping.maps(path) {
            let reason = self.mapping.reason(path).map(str::to_owned);
            return Fit::Lacks(NO_PLACE, reason.unwrap_or_else(|| format!("no blocklist holds {path}")));
        }
        if test.negated {
            return Fit::Lacks(NO_OPERATOR, "a blocklist can't say what is not to be blocked".to_owned());
        }
        if !matches!(test.operator, Operator::Equal | Operator::IsSubset) {
            return Fit::Lacks(NO_OPERATOR, format!("no entry of a blocklist can stand for {}", test.operator));
        }
        if let Some(value) = test.values.first().filter(|value| EntryKind::from_value(&value.kind).is_none()) {
            return Fit::Lacks(NO_VALUE, format!("{} is no address, name, URL or hash", value.kind));
        }
        if self.mapping.rows(source, test).next().is_none() {
            return Fit::Lacks(NO_PLACE, format!("no list of this kind holds {path}"));
        }
        self.entries(self.mapping.data_sources()[source].data.entry, &test.values)
    }

    /// The values as entries, as far as they are of the list's kind.
    fn entries(&self, kind: EntryKind, values: &[Value]) -> Fit<Vec<Entry>> {
        let mut entries = Vec::with_capacity(values.len());
        let mut refused = Vec::new();
        let width = self.options.policy.width();
        for value in values {
            // The guard has taken it out before, for who asks it.
            if let ValueKind::Address(net) = value.kind
                && !width.allows(net)
            {
                refused.push(format!("{} is wider than /{}", value.kind, width.shortest(net)));
                continue;
            }
            match Entry::new(&value.kind) {
                Ok(entry) if EntryKind::from_value(&value.kind) == Some(kind) => entries.push(entry),
                Ok(_) => refused.push(format!("{} is no {kind}", value.kind)),
                Err(reason) => refused.push(reason.into_owned()),
            }
        }
        let Some(first) = refused.first() else { return Fit::Holds { by: entries, weak: false, loss: None } };
        if entries.is_empty() {
            return Fit::Lacks(NO_VALUE, first.clone());
        }
        let message = format!("{} of {} values have no entry: {first}", refused.len(), values.len());
        Fit::Holds { by: entries, weak: false, loss: Some((NO_VALUE, Fidelity::NARROWER, message)) }
    }

    /// The entries of a plan that is a single test which a list holds as it is. Nearly all plans of a feed are; what
    /// [`adapt`] would say of them is known.
    fn single(&self, plan: &Plan) -> Option<Entries> {
        let Observation::Match(Condition::Test(test)) = &plan.observation else { return None };
        let kind = EntryKind::from_value(&test.values.first()?.kind)?;
        let source = self.mapping.data_sources().iter().position(|source| source.data.entry == kind)?;
        if !self.options.accept.allows(Fidelity::EXACT) {
            return None;
        }
        match self.fit(source, test) {
            Fit::Holds { by, loss: None, .. } => Entries::new(by),
            _ => None,
        }
    }
}

impl Backend for Lists {
    type Draft = Entries;

    #[cfg(feature = "witness")]
    fn export(&self, tested: Vec<Tested<'_>>, written: &[File]) -> Option<Exported> {
        Some(export(super::export::Lookups, tested, written))
    }

    fn lower(&self, plan: &Plan) -> Result<Lowered<Entries>, Refusal> {
        if let Some(entries) = self.single(plan) {
            return Ok(Lowered {
                fidelity: Fidelity::EXACT,
                losses: Losses::default(),
                drafts: smallvec![Box::new(entries)],
            });
        }
        self.several(plan)
    }

    fn object_types(&self) -> Option<BTreeSet<String>> {
        Some(self.mapping.object_types())
    }

    fn emit(&self, rules: &[Rule<Entries>], emission: &mut dyn Emission) -> Result<(), EmitError> {
        let collected = collect::collect(rules, self.options.policy.width(), emission)?;
        for list in self.formats {
            let omitted = collected.omitted(list);
            if let Some(first) = omitted.first() {
                let message = format!(
                    "{}: left out {} that this format can't hold, the first is {first}",
                    list.format.name,
                    omitted.len()
                );
                emission.warn(Diagnostic::warning(OMITTED, message));
            }
            let layout = expand::Layout::new(list, &collected, emission)?;
            let mut written = Vec::new();
            emission.file(list.format.path, &mut |out| {
                written = layout.write(list, &collected, out)?;
                Ok(())
            })?;
            emission.record(&Record::File(list.format.path.to_owned()))?;
            for run in written {
                run.record(list, &collected, emission)?;
            }
            for kind in list.takes.iter().filter(|kind| matches!(kind, EntryKind::Ipv4 | EntryKind::Ipv6)) {
                emission.covers(kind.name(), collected.addresses(*kind));
            }
        }
        Ok(())
    }
}

impl Lists {
    /// The entries of any plan.
    fn several(&self, plan: &Plan) -> Result<Lowered<Entries>, Refusal> {
        let capabilities = self.options.capabilities(self.mapping.data_sources().len(), None);
        let mut adapted = adapt(plan, capabilities, |source, test| self.fit_alone(source, test))?;
        let (alone, joint) = adapted.alone(SEVERAL_TESTS, TOGETHER);
        let lost: Vec<Loss> = ends_differ(&alone).into_iter().chain(joint).collect();
        let entries = alone.into_iter().flat_map(|part| part.tests).flat_map(|(_, entries)| entries).collect();
        let Some(entries) = Entries::new(entries) else { return Err([adapted.losses, lost].concat().into()) };
        let (fidelity, losses) = adapted.finish(lost, true)?;
        Ok(Lowered { fidelity, losses: losses.into(), drafts: smallvec![Box::new(entries)] })
    }
}

/// A list has no directions. That loses nothing where all of a pattern's entries are about the same end: the rule that
/// uses the list looks there. Where they are not, an entry would be kept back at an end that its pattern does not name.
fn ends_differ(alone: &[Part<'_, Vec<Entry>>]) -> Option<Loss> {
    let tests = || alone.iter().flat_map(|part| &part.tests).filter(|(test, _)| !test.property.ends().is_empty());
    let first = tests().next()?.0.property.ends();
    if tests().all(|(test, _)| test.property.ends() == first) {
        return None;
    }
    // An entry that is named at several ends is about all of these.
    let mut named: BTreeMap<&Entry, (BTreeSet<End>, Span)> = BTreeMap::new();
    let mut all = BTreeSet::new();
    for (test, entries) in tests() {
        all.extend(test.property.ends());
        for entry in entries {
            named.entry(entry).or_insert((BTreeSet::new(), test.span)).0.extend(test.property.ends());
        }
    }
    let (_, span) = named.into_values().find(|(own, _)| *own != all)?;
    let message =
        "a list does not tell the ends of a connection apart, and the pattern names other ends beside this one";
    Some(Loss { code: ENDS, effect: Fidelity::BROADER, message: message.to_owned(), span })
}

#[cfg(test)]
mod tests {
    use super::{super::list::LISTS, *};
    use crate::{pattern, plan::lower::lower};

    #[test]
    fn the_short_way_leads_where_the_long_way_does() {
        let mapping = include_str!("../../../templates/blocklist/mapping.toml");
        let options = Options::new(&crate::targets::blocklist::BLOCKLIST, crate::plan::adapt::Accept::BLOCKING);
        let lists = Lists::new(Mapping::read(mapping).unwrap(), options, LISTS);
        let texts = [
            "[ipv4-addr:value = '198.51.100.7']",
            "[ipv6-addr:value IN ('2001:db8::1', '2001:db8::2')]",
            "[network-traffic:dst_ref.value = 'evil.example']",
            "[domain-name:value = 'evil.example']",
            "[url:value = 'http://evil.example/']",
            "[file:hashes.'SHA-256' = 'd7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592']",
        ];
        for text in texts {
            let plan = lower(&pattern::parse(text).unwrap()).plan;
            let long = lists.several(&plan).unwrap();
            assert_eq!((long.fidelity, long.losses.len()), (Fidelity::EXACT, 0), "{text}");
            assert_eq!(lists.single(&plan).as_ref(), Some(&*long.drafts[0]), "{text}");
        }
    }
}
