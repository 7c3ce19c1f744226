//! A conjunction with values: objects for which it holds, and objects for which all but one of its tests do.

use serde_json::Value as Json;

use super::{
    conjunction::{Conjunction, Values, Variable},
    mutate::{self, Neighbour},
    object_graph::ObjectGraph,
    path::Path,
    values,
};
use crate::{
    evaluate::Map,
    plan::{Operator, Test},
    witness::{Gap, Objects},
};

/// Objects that satisfy all tests but one.
#[derive(Debug, Clone)]
pub(super) struct Miss<'p> {
    pub test: &'p Test,
    pub change: &'static str,
    pub objects: Objects,
    /// Whether it is the first that breaks this test.
    pub is_first: bool,
}

/// Other values for a variable.
struct Change {
    values: Values,
    /// What is somewhere else besides.
    extra: Option<(Path, Json)>,
    change: &'static str,
}

/// A conjunction with values for each of its variables.
pub(super) struct Assignment<'c, 'p> {
    conjunction: &'c Conjunction<'p>,
    /// For each variable the values that do.
    values: Vec<Vec<Values>>,
}

impl<'c, 'p> Assignment<'c, 'p> {
    /// Finds values for which all tests hold: the plainest, and some others where the tests leave room.
    ///
    /// # Errors
    /// The property for which no value was found.
    pub fn new(conjunction: &'c Conjunction<'p>) -> Result<Self, Gap> {
        let mut all = Vec::with_capacity(conjunction.variables.len());
        let mut graph = ObjectGraph::new(&conjunction.object_type);
        for variable in &conjunction.variables {
            let values = conjunction.values(variable)?;
            let has_place = values.first().is_none_or(|plainest| variable.place(&mut graph, plainest));
            let only_exists = |one: &usize| conjunction.test(*one).operator == Operator::Exists;
            if !has_place && !variable.members.iter().all(only_exists) {
                return Err(conjunction.gap(variable, "the property has no place beside the others"));
            }
            all.push(values);
        }
        Ok(Self { conjunction, values: all })
    }

    /// Objects that satisfy all tests, in several ways where there are.
    pub fn matches(&self) -> Vec<Objects> {
        let most = self.values.iter().map(Vec::len).max().unwrap_or(1);
        let chosen = (0..most).map(|turn| {
            let values = self.values.iter().map(|values| values[turn.min(values.len() - 1)].clone());
            self.filled(&values.collect::<Vec<_>>(), None, false)
        });
        chosen.collect()
    }

    /// Objects that satisfy all tests but one, and what can't be broken by itself.
    pub fn misses(&self) -> (Vec<Miss<'p>>, Vec<Gap>) {
        let (mut misses, mut gaps) = (Vec::new(), Vec::new());
        let mut shows_absence = false;
        for (number, variable) in self.conjunction.variables.iter().enumerate() {
            for member in &variable.members {
                let test = self.conjunction.test(*member);
                let before = misses.len();
                for Change { values, extra, change } in self.changes(number, *member) {
                    let mut all = self.plainest();
                    all[number] = values;
                    let objects = self.filled(&all, extra, true);
                    if self.breaks_only(*member, &objects) {
                        misses.push(Miss { test, change, objects, is_first: misses.len() == before });
                    }
                }
                let wants_absence = test.negated || !shows_absence || misses.len() == before;
                if wants_absence && test.operator != Operator::Exists {
                    let mut all = self.plainest();
                    all[number] = Vec::new();
                    let objects = self.filled(&all, None, true);
                    if self.breaks_only(*member, &objects) {
                        shows_absence = true;
                        let change = "the property is not there";
                        misses.push(Miss { test, change, objects, is_first: misses.len() == before });
                    }
                }
                if misses.len() == before {
                    let reason = "no value was found that breaks only this test".to_owned();
                    gaps.push(Gap { span: test.span, reason });
                }
            }
        }
        (misses, gaps)
    }

    fn plainest(&self) -> Vec<Values> {
        self.values.iter().map(|values| values[0].clone()).collect()
    }

    /// The objects, with what usually comes with them.
    fn filled(&self, values: &[Values], extra: Option<(Path, Json)>, is_miss: bool) -> Objects {
        let Conjunction { object_type, variables, defaults, .. } = self.conjunction;
        let mut graph = ObjectGraph::new(object_type);
        for (variable, values) in variables.iter().zip(values) {
            variable.place(&mut graph, values);
        }
        if let Some((path, value)) = &extra {
            graph.place(&path.at(0), None, value);
        }
        let paths: Vec<&Path> = variables.iter().map(|variable| &variable.path).collect();
        defaults.fill(graph, object_type, &paths, is_miss)
    }

    fn breaks_only(&self, broken: usize, objects: &Objects) -> bool {
        let objects = Map::from_json(objects);
        let mut evals = self.conjunction.evals.iter().enumerate();
        evals.all(|(number, eval)| eval.holds(&objects) != (number == broken))
    }

    /// Other values of a variable, for which one of its tests does not hold and all others do.
    fn changes(&self, number: usize, member: usize) -> Vec<Change> {
        let Conjunction { variables, literals, .. } = self.conjunction;
        let (variable, test) = (&variables[number], literals[member].test);
        let values = &self.values[number][0];
        if test.operator == Operator::Exists {
            let there = variable.kind.usual().first().cloned().filter(|_| test.negated);
            let change = if test.negated { "the property is there" } else { "the property is not there" };
            return vec![Change { values: there.into_iter().collect(), extra: None, change }];
        }
        let ignores_case = test.property.ignores_case();
        let mut neighbours: Vec<Neighbour> = Vec::new();
        if test.negated {
            neighbours.extend(
                values::of_test(test, &variable.kind, &variable.path)
                    .into_iter()
                    .map(|one| (one, "a value that is ruled out")),
            );
        } else {
            match (test.operator, test.values.get(literals[member].value)) {
                (Operator::Like | Operator::Matches, _) | (_, None) => {}
                (_, Some(value)) => {
                    neighbours.extend(mutate::neighbours(&value.kind, &variable.kind, &variable.path, ignores_case))
                }
            }
            neighbours.extend(values.iter().flat_map(|value| mutate::around(value, &variable.kind, ignores_case)));
        }
        let mut found = self.breaking(variable, values, neighbours, member);
        if found.is_empty() {
            let usual = variable.kind.usual().into_iter().chain(self.conjunction.candidates(variable));
            found = self.breaking(variable, values, usual.map(|value| (value, "another value")).collect(), member);
        }
        found.extend(self.elsewhere(number, member));
        found
    }

    /// Which of the values break a test alone, in the place of the element that satisfies it.
    fn breaking(
        &self,
        variable: &Variable<'p>,
        values: &Values,
        neighbours: Vec<Neighbour>,
        member: usize,
    ) -> Vec<Change> {
        let place = values.iter().position(|value| self.conjunction.holds_alone(variable, member, value)).unwrap_or(0);
        let mut found: Vec<Change> = Vec::new();
        for (value, change) in neighbours {
            let mut changed = values.clone();
            match changed.get_mut(place) {
                Some(old) => *old = value,
                None => changed.push(value),
            }
            if !found.iter().any(|other| other.values == changed)
                && self.conjunction.hold(variable, &changed, Some(member))
            {
                found.push(Change { values: changed, extra: None, change });
            }
        }
        found
    }

    /// The right value at the wrong end: the source for the destination, the child for the parent.
    fn elsewhere(&self, number: usize, member: usize) -> Option<Change> {
        let Conjunction { variables, literals, .. } = self.conjunction;
        let (variable, test) = (&variables[number], literals[member].test);
        if test.negated || variable.members.len() > 1 {
            return None;
        }
        let path = Path::read(&mirrored(&test.property.path)?)?;
        if variables.iter().any(|variable| variable.path.touches(&path)) {
            return None;
        }
        let value = self.values[number][0].first()?.clone();
        let mut usual = variable.kind.usual().into_iter().map(|value| vec![value]);
        let other = usual.find(|other| self.conjunction.hold(variable, other, Some(member)))?;
        Some(Change { values: other, extra: Some((path, value)), change: "the value at the other end" })
    }
}

/// The same property at the other end.
fn mirrored(path: &str) -> Option<String> {
    const ENDS: &[(&str, &str)] = &[
        ("network-traffic:dst_", "network-traffic:src_"),
        ("network-traffic:src_", "network-traffic:dst_"),
        ("process:parent_ref.", "process:"),
        ("email-message:from_ref.", "email-message:to_refs[*]."),
        ("email-message:to_refs[*].", "email-message:from_ref."),
    ];
    ENDS.iter().find_map(|(here, there)| Some(format!("{there}{}", path.strip_prefix(here)?)))
}
