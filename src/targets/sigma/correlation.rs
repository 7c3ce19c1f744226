//! Several observations: rules that only serve a correlation, and the correlation that ties them.

use std::{collections::BTreeSet, sync::Arc};

use uuid::Uuid;

use super::{
    data_source::DataSource,
    field_test::COMBINATIONS,
    identity,
    mapping_rows::Table,
    text::{YamlBlock, YamlScalar},
};
use crate::{
    plan::{
        adapt::{Order, Sequence},
        fidelity::{Fidelity, Loss},
    },
    span::Span,
};

/// The most combinations of log sources that become correlations.
const MOST: usize = 32;

/// The links between log sources, by their numbers in the mapping: which can be tied, and which have no event in common.
pub(super) struct Links {
    /// Ways to name a machine.
    names: Vec<String>,
    /// Which of them each log source has.
    keys: Vec<Option<usize>>,
    /// The types of objects that stand in each.
    types: Vec<BTreeSet<String>>,
}

impl Links {
    /// Reads them from a mapping.
    pub(super) fn new(table: &Table) -> Self {
        let sources = table.data_sources();
        let by = |source: usize| Some(sources[source].data.tie.as_ref()?.by.as_str());
        let names: BTreeSet<&str> = (0..sources.len()).filter_map(by).collect();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let keys = (0..sources.len()).map(|source| names.iter().position(|name| by(source) == Some(name))).collect();
        let mut types = vec![BTreeSet::new(); sources.len()];
        for property in table.mapped() {
            let object = property.split(':').next().unwrap_or_default();
            for name in table.data_sources_of(property) {
                if let Some(source) = sources.iter().position(|source| source.name == name) {
                    types[source].insert(object.to_owned());
                }
            }
        }
        Self { names, keys, types }
    }

    /// The way in which a log source names machines.
    pub(super) fn key(&self, source: usize) -> Option<usize> {
        self.keys[source]
    }

    /// The way to name a machine that has this number.
    pub(super) fn name(&self, key: usize) -> &str {
        &self.names[key]
    }

    /// Whether nothing that is observed once shows in both log sources. A program that is run shows as a process and as
    /// a file that is loaded, a name that is asked for in a resolver and in a proxy.
    pub(super) fn apart(&self, left: usize, right: usize) -> bool {
        left != right && self.types[left].is_disjoint(&self.types[right])
    }
}

/// A rule that only serves a correlation.
#[derive(Debug)]
pub(super) struct Member {
    /// The log source.
    pub(super) source: Arc<DataSource>,
    /// The lines below `detection:`.
    pub(super) block: YamlBlock,
    /// What it asks for by itself.
    pub(super) values: Vec<String>,
}

/// Several observations of one pattern, tied by the machine.
#[derive(Debug)]
pub(super) struct Correlation {
    /// What tells it from the others of the pattern, for ever.
    pub(super) key: String,
    /// For each step the log sources in which it may show.
    pub(super) steps: Vec<Vec<Member>>,
    /// Which log source to take for each step: each is a correlation of its own.
    pub(super) combinations: Vec<Vec<usize>>,
    /// Whether it means what its part of the pattern means.
    pub(super) fidelity: Fidelity,
    /// Why not.
    pub(super) losses: Vec<Loss>,
    tie: String,
    order: Order,
    times: u64,
    window: u64,
    span: Span,
}

impl Correlation {
    /// The correlation of a sequence whose machines are named by `tie`.
    pub(super) fn new<H>(sequence: &Sequence<'_, H>, tie: &str, steps: Vec<Vec<Member>>) -> Self {
        Self {
            key: format!("{}:{tie}", sequence.alternative),
            steps,
            combinations: Vec::new(),
            fidelity: sequence.fidelity,
            losses: sequence.losses.clone(),
            tie: tie.to_owned(),
            order: sequence.order,
            times: sequence.steps.iter().map(|step| step.times).max().unwrap_or(1),
            window: sequence.window,
            span: sequence.span(),
        }
    }

    /// The id of a rule by its name in this correlation: a combination of log sources, or a step and one of them.
    pub(super) fn id(&self, indicator: &str, name: &str) -> Uuid {
        identity::id(indicator, &format!("{}:{name}", self.key))
    }

    /// The ids of its rules, one for each combination.
    pub(super) fn ids(&self, indicator: &str) -> impl Iterator<Item = Uuid> {
        self.combinations.iter().map(move |combination| {
            let sources: Vec<&str> = self.members(combination).map(|(_, member)| member.source.name.as_str()).collect();
            self.id(indicator, &sources.join("+"))
        })
    }

    /// The file in which it is, with the rules that it ties.
    pub(super) fn path(&self, indicator: &str) -> String {
        identity::path("correlation", self.id(indicator, ""))
    }

    /// Combines the log sources of the steps, and gives the loss if there are too many combinations.
    pub(super) fn combine(&mut self) -> Option<Loss> {
        let mut all: Vec<Vec<usize>> = vec![Vec::new()];
        let mut is_cut = false;
        for members in &self.steps {
            let more = all.iter().flat_map(|front| {
                (0..members.len()).map(move |member| front.iter().copied().chain([member]).collect::<Vec<_>>())
            });
            let mut more: Vec<Vec<usize>> = more.take(MOST + 1).collect();
            is_cut |= more.len() > MOST;
            more.truncate(MOST);
            all = more;
        }
        self.combinations = all;
        let loss = is_cut.then(|| Loss {
            code: COMBINATIONS,
            effect: Fidelity::NARROWER,
            message: format!("only the first {MOST} combinations of log sources are watched"),
            span: self.span,
        });
        self.losses.extend(loss.clone());
        loss
    }

    /// The members of a combination.
    pub(super) fn members<'c>(&'c self, combination: &'c [usize]) -> impl Iterator<Item = (usize, &'c Member)> {
        combination.iter().enumerate().map(|(step, member)| (step, &self.steps[step][*member]))
    }

    /// The lines below `correlation:`; `names` are those of the combination's rules.
    pub(super) fn block(&self, combination: &[usize], names: &[String]) -> YamlBlock {
        let mut block = YamlBlock::default();
        let counts = names.len() == 1;
        let kind = match self.order {
            _ if counts => "event_count",
            Order::Any => "temporal",
            Order::Given => "temporal_ordered",
        };
        block.line(4, &format!("type: {kind}"));
        block.key(4, "rules", "");
        block.items(8, &names.iter().map(|name| YamlScalar::tag(name)).collect::<Vec<_>>());
        let fields: Vec<&str> = self.members(combination).map(|(_, member)| member.source.machine.as_str()).collect();
        let is_one_field = fields.windows(2).all(|pair| pair[0] == pair[1]);
        if !is_one_field {
            block.key(4, "aliases", "");
            block.key(8, &self.tie, "");
            for (name, field) in names.iter().zip(&fields) {
                block.line(12, &format!("{name}: {field}"));
            }
        }
        block.key(4, "group-by", "");
        let field = if is_one_field { fields.first().copied().unwrap_or_default() } else { self.tie.as_str() };
        block.line(8, &format!("- {field}"));
        block.line(4, &format!("timespan: {}s", self.window));
        // The count is always written: without it evaluators disagree on what is enough.
        block.key(4, "condition", "");
        let least = if counts { self.times } else { names.len() as u64 };
        block.line(8, &format!("gte: {least}"));
        block
    }
}
