//! The `detection` of a rule: selections, filters and the condition that ties them together.

use std::{borrow::Cow, collections::HashSet};

use super::{
    field_test::Clause,
    text::{YamlBlock, YamlScalar},
};

/// Fields of one selection: each of them has to hold.
type Map<'m> = Vec<Clause<'m>>;

/// One alternative of a rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Branch<'m> {
    /// Each of them has to hold. More than one where a field is compared twice.
    selections: Vec<Map<'m>>,
    /// None of them may hold.
    filters: Vec<Map<'m>>,
}

impl<'m> Branch<'m> {
    /// Adds what has to hold.
    pub(super) fn require(&mut self, clause: Clause<'m>) {
        if self.selections.iter().flatten().any(|one| *one == clause) {
            return;
        }
        // `|contains|all` is how people write that a field holds several texts.
        if clause.modifier == "|contains" && clause.values.len() == 1 {
            let alike = |one: &&mut Clause<'_>| {
                let single = one.modifier == "|contains" && one.values.len() == 1;
                one.field == clause.field && (single || one.modifier == "|contains|all")
            };
            if let Some(one) = self.selections.iter_mut().flatten().find(alike) {
                one.modifier = "|contains|all";
                one.values.extend(clause.values);
                return;
            }
        }
        let same_key = |one: &Clause<'_>| one.field == clause.field && one.modifier == clause.modifier;
        match self.selections.iter_mut().find(|map| !map.iter().any(same_key)) {
            Some(map) => map.push(clause),
            None => self.selections.push(vec![clause]),
        }
    }

    /// Whether something is required of `field`, so that it has to be there.
    pub(super) fn mentions(&self, field: &str) -> bool {
        self.selections.iter().flatten().any(|clause| clause.field == field)
    }

    /// Adds what may not hold, all of it at once.
    pub(super) fn exclude(&mut self, clauses: Map<'m>) {
        if !self.filters.contains(&clauses) {
            self.filters.push(clauses);
        }
    }

    /// Its only clause beside the first `given` ones, if it is that simple.
    fn only_clause(&self, given: usize) -> Option<&Clause<'m>> {
        match (self.selections.as_slice(), self.filters.as_slice()) {
            ([map], []) if map.len() == given + 1 => {
                map.last().filter(|clause| !matches!(clause.modifier, "|contains|all" | "|exists"))
            }
            _ => None,
        }
    }
}

/// The detection of a rule with these alternatives, each of which begins with `given` clauses that all share.
pub(super) fn detection(branches: Vec<Branch<'_>>, given: usize) -> YamlBlock {
    let branches = gather(branches, given);
    let mut block = YamlBlock::default();
    let several = branches.len() > 1;
    let mut terms: Vec<Term> = Vec::with_capacity(branches.len());
    for (index, branch) in branches.iter().enumerate() {
        let number = if several { format!("_{}", index + 1) } else { String::new() };
        let selection = named(&mut block, &format!("selection{number}"), "all", &branch.selections);
        match named(&mut block, &format!("filter{number}"), "1", &branch.filters) {
            Some(filter) => terms.extend(selection.map(|selection| selection.and_not(&filter))),
            None => terms.extend(selection),
        }
    }
    let simple = branches.iter().all(|branch| branch.filters.is_empty() && branch.selections.len() == 1);
    let condition = match terms.as_slice() {
        [only] => only.text.clone(),
        _ if simple => "1 of selection_*".to_owned(),
        _ => terms.iter().map(Term::grouped).collect::<Vec<_>>().join(" or "),
    };
    block.line(4, &format!("condition: {condition}"));
    block
}

/// A term of the condition.
struct Term {
    text: String,
    /// Whether it is the name of a selection, and needs no parentheses.
    is_name: bool,
}

impl Term {
    fn and_not(&self, filter: &Self) -> Self {
        Self { text: format!("{} and not {}", self.text, filter.text), is_name: false }
    }

    fn grouped(&self) -> Cow<'_, str> {
        if self.is_name { Cow::Borrowed(&self.text) } else { Cow::Owned(format!("({})", self.text)) }
    }
}

/// Writes maps under `name`, and gives the term of the condition that stands for them.
fn named(block: &mut YamlBlock, name: &str, quantifier: &str, maps: &[Map<'_>]) -> Option<Term> {
    match maps {
        [] => None,
        [map] => {
            write(block, name, map);
            Some(Term { text: name.to_owned(), is_name: true })
        }
        several => {
            for (index, map) in several.iter().enumerate() {
                write(block, &format!("{name}_{}", index + 1), map);
            }
            Some(Term { text: format!("{quantifier} of {name}_*"), is_name: false })
        }
    }
}

fn write(block: &mut YamlBlock, name: &str, map: &Map<'_>) {
    block.key(4, name, "");
    for clause in map {
        block.list(8, clause.field, clause.modifier, &clause.values);
    }
}

/// Joins alternatives that compare the same field in the same way, and drops repetitions.
fn gather<'m>(branches: Vec<Branch<'m>>, given: usize) -> Vec<Branch<'m>> {
    let mut gathered: Vec<Branch<'m>> = Vec::new();
    let mut heads: Vec<usize> = Vec::new();
    for branch in branches {
        let Some(clause) = branch.only_clause(given) else {
            if !gathered.contains(&branch) {
                gathered.push(branch);
            }
            continue;
        };
        let same = |index: &usize| {
            gathered[*index]
                .only_clause(given)
                .is_some_and(|head| head.field == clause.field && head.modifier == clause.modifier)
        };
        match heads.iter().copied().find(same) {
            Some(head) => {
                let values = clause.values.clone();
                if let Some(clause) = gathered[head].selections[0].last_mut() {
                    clause.values.extend(values);
                }
            }
            None => {
                heads.push(gathered.len());
                gathered.push(branch);
            }
        }
    }
    for branch in &mut gathered {
        branch.selections.iter_mut().chain(&mut branch.filters).flatten().for_each(distinct);
    }
    gathered
}

/// Drops values that Sigma can't tell apart.
fn distinct(clause: &mut Clause<'_>) {
    if clause.values.len() < 2 {
        return;
    }
    let exact = clause.modifier.starts_with("|re");
    let mut seen = HashSet::with_capacity(clause.values.len());
    let key = |value: &YamlScalar| if exact { value.as_str().to_owned() } else { value.as_str().to_lowercase() };
    clause.values.retain(|value| seen.insert(key(value)));
    if clause.values.len() == 1 && clause.modifier == "|contains|all" {
        clause.modifier = "|contains";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(field: &'static str, modifier: &'static str, values: &[&str]) -> Clause<'static> {
        Clause { field, modifier, values: values.iter().map(|value| YamlScalar::text(value)).collect() }
    }

    fn branch(clauses: &[Clause<'static>]) -> Branch<'static> {
        let mut branch = Branch::default();
        clauses.iter().cloned().for_each(|clause| branch.require(clause));
        branch
    }

    #[test]
    fn alternatives_on_one_field_are_one_list() {
        let branches = vec![
            branch(&[clause("Query", "", &["a"])]),
            branch(&[clause("Query", "", &["b", "A"])]),
            branch(&[clause("Query", "|endswith", &["c"])]),
        ];
        let expected = "    selection_1:\n        Query:\n            - 'a'\n            - 'b'\n    selection_2:\n        \
                        Query|endswith: 'c'\n    condition: 1 of selection_*\n";
        assert_eq!(detection(branches, 0).as_str(), expected);
    }

    #[test]
    fn a_field_compared_twice_needs_two_selections() {
        let twice = branch(&[clause("A", "", &["x*y"]), clause("A", "", &["*z*w"]), clause("B", "", &["b"])]);
        let block = detection(vec![twice], 0);
        assert!(block.as_str().ends_with("    condition: all of selection_*\n"), "{}", block.as_str());
        let contains = branch(&[clause("A", "|contains", &["x"]), clause("A", "|contains", &["y"])]);
        let block = detection(vec![contains], 0);
        assert!(
            block.as_str().contains("A|contains|all:\n            - 'x'\n            - 'y'\n"),
            "{}",
            block.as_str()
        );
    }

    #[test]
    fn filters_are_tied_to_their_alternative() {
        let mut filtered = branch(&[clause("A", "", &["x"])]);
        filtered.exclude(vec![clause("B", "", &["y"])]);
        filtered.exclude(vec![clause("C", "", &["z"])]);
        let block = detection(vec![filtered, branch(&[clause("A", "", &["q"])])], 0);
        let condition = "    condition: (selection_1 and not 1 of filter_1_*) or selection_2\n";
        assert!(block.as_str().ends_with(condition), "{}", block.as_str());
    }
}
