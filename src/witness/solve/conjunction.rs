//! Tests that all are to hold for one object, and values for which they do.

use serde_json::Value as Json;

use super::{
    defaults::Defaults,
    kind::Kind,
    mutate,
    object_graph::ObjectGraph,
    path::{Path, Step},
    scenario::Literal,
    test_eval::TestEval,
    values,
};
use crate::{
    evaluate::Map,
    plan::{Operator, Test},
    span::Span,
    witness::Gap,
};

/// How many different values for one property a test that leaves room is shown with.
const VARIETY: usize = 4;

/// The tests on one property.
pub(super) struct Variable<'p> {
    pub path: Path,
    /// The first element that is free, where the path says `[*]` and others say `[0]`.
    offset: usize,
    /// The variables that lie further down without a reference between, so that this one holds keys or elements.
    parts: Vec<usize>,
    pub kind: Kind,
    referent: Option<&'p str>,
    /// Which of the literals.
    pub members: Vec<usize>,
}

/// What a variable holds: one value, several for the elements of a list, or none.
pub(super) type Values = Vec<Json>;

/// A conjunction, ready to be solved.
pub(super) struct Conjunction<'p> {
    pub object_type: String,
    pub literals: Vec<Literal<'p>>,
    pub evals: Vec<TestEval>,
    pub variables: Vec<Variable<'p>>,
    pub defaults: &'p Defaults<'p>,
}

impl<'p> Conjunction<'p> {
    /// Gathers the tests by property.
    ///
    /// # Errors
    /// Where no object can satisfy them all, whatever their values.
    pub fn new(literals: &[Literal<'p>], defaults: &'p Defaults<'p>) -> Result<Self, Gap> {
        let gap = |test: &Test, reason: &str| Gap { span: test.span, reason: reason.to_owned() };
        let Some(first) = literals.first() else {
            return Err(Gap { span: Span::default(), reason: "there is no test".to_owned() });
        };
        let object_type = first.test.property.object_type().to_owned();
        let mut variables: Vec<Variable<'p>> = Vec::new();
        let mut evals = Vec::with_capacity(literals.len());
        for (number, literal) in literals.iter().enumerate() {
            let property = &literal.test.property;
            if property.object_type() != object_type {
                return Err(gap(literal.test, "no object is of two types"));
            }
            let path = Path::read(&property.path).ok_or_else(|| gap(literal.test, "no object has such a property"))?;
            evals.push(TestEval::new(literal.test).ok_or_else(|| gap(literal.test, "the value has no meaning"))?);
            match variables.iter_mut().find(|variable| variable.path == path) {
                Some(variable) => {
                    variable.members.push(number);
                    variable.referent = variable.referent.or(property.referent.as_deref());
                }
                None => variables.push(Variable {
                    path,
                    offset: 0,
                    parts: Vec::new(),
                    kind: Kind::Boolean,
                    referent: property.referent.as_deref(),
                    members: vec![number],
                }),
            }
        }
        for variable in &mut variables {
            let tests: Vec<&Test> = variable.members.iter().map(|one| literals[*one].test).collect();
            variable.kind = Kind::of(&variable.path, &tests);
        }
        let offsets: Vec<usize> = variables.iter().map(|variable| offset(&variable.path, &variables)).collect();
        variables.iter_mut().zip(offsets).for_each(|(variable, offset)| variable.offset = offset);
        // What is only to exist may exist already; a reference comes before what lies behind it.
        let exists = |variable: &Variable<'_>| {
            variable.members.iter().all(|one| literals[*one].test.operator == Operator::Exists)
        };
        variables.sort_by_key(|variable| (exists(variable), variable.path.steps.len()));
        let mut conjunction = Self { object_type, literals: literals.to_vec(), evals, variables, defaults };
        conjunction.find_parts();
        Ok(conjunction)
    }

    /// Tells the variables that hold keys or elements of theirs. A variable for some element that can't be the one with parts is
    /// about the next one.
    fn find_parts(&mut self) {
        for at in 0..self.variables.len() {
            let leads_on =
                |other: &Variable<'_>| other.path.lies_in(&self.variables[at].path) && !self.is_absent(other);
            let parts: Vec<usize> = (0..self.variables.len()).filter(|one| leads_on(&self.variables[*one])).collect();
            if parts.is_empty() {
                continue;
            }
            self.variables[at].parts = parts;
            let variable = &self.variables[at];
            if variable.path.is_any() && !self.hold(variable, &Values::new(), None) {
                let variable = &mut self.variables[at];
                variable.parts.clear();
                variable.offset += 1;
            }
        }
    }

    fn is_absent(&self, variable: &Variable<'p>) -> bool {
        variable.members.iter().any(|one| self.test(*one).is_absence())
    }

    pub fn test(&self, member: usize) -> &'p Test {
        self.literals[member].test
    }

    /// The values of a variable for which its tests hold, the plainest first.
    pub fn values(&self, variable: &Variable<'p>) -> Result<Vec<Values>, Gap> {
        if !variable.parts.is_empty() || self.is_absent(variable) {
            let nothing = Values::new();
            let holds = self.hold(variable, &nothing, None);
            return if holds { Ok(vec![nothing]) } else { Err(self.gap(variable, self.reason(variable))) };
        }
        let leaves_room = variable.members.iter().any(|one| leaves_room(self.test(*one)));
        let mut candidates = self.candidates(variable);
        candidates.sort_by_key(|value| !variable.kind.suits(value));
        let mut found: Vec<Values> = Vec::new();
        for value in candidates {
            let values = vec![value];
            if !found.contains(&values) && self.hold(variable, &values, None) {
                found.push(values);
                if found.len() >= if leaves_room { VARIETY } else { 1 } {
                    break;
                }
            }
        }
        if found.is_empty() && variable.path.is_any() {
            found.extend(self.several(variable));
        }
        // Something that suits the property is enough.
        let suits = |values: &Values| values.iter().all(|value| variable.kind.suits(value));
        if found.first().is_some_and(suits) {
            found.retain(suits);
        }
        if found.is_empty() { Err(self.gap(variable, self.reason(variable))) } else { Ok(found) }
    }

    pub fn gap(&self, variable: &Variable<'p>, reason: &str) -> Gap {
        let spans = variable.members.iter().map(|one| self.test(*one).span);
        Gap { span: Span::covering(spans), reason: reason.to_owned() }
    }

    /// Why a variable has no value.
    fn reason(&self, variable: &Variable<'p>) -> &'static str {
        if !variable.parts.is_empty() {
            return "a property with keys or elements has no value of its own";
        }
        let operators = variable.members.iter().any(|one| self.test(*one).operator == Operator::Matches);
        match (variable.members.len(), operators) {
            (1, true) => "no text was found that the regular expression matches",
            (1, false) => "no value was found for which the test holds",
            _ => "no value was found for which all tests on the property hold",
        }
    }

    /// An element for each test, where none does for all.
    fn several(&self, variable: &Variable<'p>) -> Option<Values> {
        let candidates = self.candidates(variable);
        let mut values: Values = Vec::new();
        for member in &variable.members {
            if values.iter().any(|value| self.holds_alone(variable, *member, value)) {
                continue;
            }
            let value = candidates.iter().find(|value| self.holds_alone(variable, *member, value))?.clone();
            values.push(value);
        }
        self.hold(variable, &values, None).then_some(values)
    }

    /// Values that may do, in the order in which they are tried.
    pub fn candidates(&self, variable: &Variable<'p>) -> Vec<Json> {
        let mut own: Vec<Vec<Json>> = Vec::new();
        let mut forbidden = Vec::new();
        for member in &variable.members {
            let Literal { test, value } = self.literals[*member];
            if test.negated {
                forbidden.extend(values::of_test(test, &variable.kind, &variable.path));
            } else if let Some(value) = test.values.get(value) {
                own.push(values::satisfying(test.operator, &value.kind, &variable.kind, &variable.path));
            }
        }
        let mut all: Vec<Json> = own.concat();
        all.extend(joined(&own));
        let ignores_case = variable.members.iter().any(|one| self.test(*one).property.ignores_case());
        let beside: Vec<Json> = all
            .iter()
            .flat_map(|value| mutate::around(value, &variable.kind, ignores_case))
            .map(|(value, _)| value)
            .collect();
        all.extend(variable.kind.usual());
        all.extend(beside);
        for value in forbidden {
            all.extend(mutate::around(&value, &variable.kind, ignores_case).into_iter().map(|(value, _)| value));
        }
        all
    }

    /// An object with nothing but this variable and what it consists of.
    fn alone(&self, variable: &Variable<'p>, values: &[Json]) -> Map {
        let mut graph = ObjectGraph::new(&self.object_type);
        for part in variable.parts.iter().map(|part| &self.variables[*part]) {
            part.place(&mut graph, part.kind.usual().get(..1).unwrap_or_default());
        }
        variable.place(&mut graph, values);
        Map::from_json(&graph.finish())
    }

    /// Whether a test holds for one value of its variable.
    pub fn holds_alone(&self, variable: &Variable<'p>, member: usize, value: &Json) -> bool {
        self.evals[member].holds(&self.alone(variable, std::slice::from_ref(value)))
    }

    /// Whether the variable's tests hold for these values; with `broken`, whether all but that one do, and that one doesn't.
    pub fn hold(&self, variable: &Variable<'p>, values: &[Json], broken: Option<usize>) -> bool {
        let objects = self.alone(variable, values);
        variable.members.iter().all(|member| self.evals[*member].holds(&objects) != (broken == Some(*member)))
    }
}

impl Variable<'_> {
    /// Puts values in their places, and tells whether each is there.
    pub fn place(&self, graph: &mut ObjectGraph, values: &[Json]) -> bool {
        let places = values
            .iter()
            .enumerate()
            .map(|(number, value)| graph.place(&self.path.at(self.offset + number), self.referent, value));
        // Those behind one that isn't are put in their places all the same.
        places.filter(|is_there| !is_there).count() == 0
    }
}

/// Whether more than one value satisfies the test, and which one may matter to a rule.
fn leaves_room(test: &Test) -> bool {
    !test.negated && !matches!(test.operator, Operator::Equal | Operator::Exists)
}

/// The first element that no other path asks for by its number.
fn offset(path: &Path, variables: &[Variable<'_>]) -> usize {
    let Some(at) = path.steps.iter().position(|step| *step == Step::Any) else { return 0 };
    let numbered = variables.iter().filter_map(|variable| match variable.path.steps.get(at) {
        Some(Step::Index(index)) if variable.path.steps[..at] == path.steps[..at] => Some(index + 1),
        _ => None,
    });
    numbered.max().unwrap_or(0)
}

/// One text behind the other, in each order: what begins as one test wants and ends as another one does.
fn joined(own: &[Vec<Json>]) -> Vec<Json> {
    let texts: Vec<Vec<&str>> =
        own.iter().map(|values| values.iter().filter_map(Json::as_str).take(6).collect()).collect();
    if !(2..=4).contains(&texts.len()) || texts.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    let mut all: Vec<(Vec<usize>, String)> = vec![(Vec::new(), String::new())];
    for _ in 0..texts.len() {
        let mut longer = Vec::new();
        for (used, text) in &all {
            for (number, own) in texts.iter().enumerate().filter(|(number, _)| !used.contains(number)) {
                let take = if texts.len() == 2 { own.len() } else { 2 };
                for one in own.iter().take(take) {
                    longer.push(([used.as_slice(), &[number]].concat(), format!("{text}{one}")));
                }
            }
        }
        all = longer;
    }
    all.into_iter().map(|(_, text)| text.into()).collect()
}
