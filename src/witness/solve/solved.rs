//! A conjunction with values: objects for which it holds, and objects for which all but one of its tests do.

use serde_json::Value as Json;

use super::{
    conjunction::{Conjunction, Held, Slot},
    near::{self, Near},
    path::Path,
    probe,
    scene::Scene,
    values,
};
use crate::{
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

/// Other values for a slot.
struct Change {
    held: Held,
    /// What is somewhere else besides.
    extra: Option<(Path, Json)>,
    change: &'static str,
}

/// A conjunction with values for each of its slots.
pub(super) struct Solved<'c, 'p> {
    conjunction: &'c Conjunction<'p>,
    /// For each slot the values that do.
    held: Vec<Vec<Held>>,
}

impl<'c, 'p> Solved<'c, 'p> {
    /// `held` has for each slot the values that do, at least one.
    pub fn new(conjunction: &'c Conjunction<'p>, held: Vec<Vec<Held>>) -> Self {
        Self { conjunction, held }
    }

    /// Objects that satisfy all tests, in several ways where there are.
    pub fn matches(&self) -> Vec<Objects> {
        let most = self.held.iter().map(Vec::len).max().unwrap_or(1);
        let chosen = (0..most).map(|turn| {
            let held = self.held.iter().map(|held| held[turn.min(held.len() - 1)].clone());
            self.furnished(&held.collect::<Vec<_>>(), None, false)
        });
        chosen.collect()
    }

    /// Objects that satisfy all tests but one, and what can't be broken by itself.
    pub fn misses(&self) -> (Vec<Miss<'p>>, Vec<Gap>) {
        let (mut misses, mut gaps) = (Vec::new(), Vec::new());
        let mut shows_absence = false;
        for (number, slot) in self.conjunction.slots.iter().enumerate() {
            for member in &slot.members {
                let test = self.conjunction.test(*member);
                let before = misses.len();
                for Change { held, extra, change } in self.changes(number, *member) {
                    let mut all = self.plainest();
                    all[number] = held;
                    let objects = self.furnished(&all, extra, true);
                    if self.breaks_only(*member, &objects) {
                        misses.push(Miss { test, change, objects, is_first: misses.len() == before });
                    }
                }
                let wants_absence = test.negated || !shows_absence || misses.len() == before;
                if wants_absence && test.operator != Operator::Exists {
                    let mut all = self.plainest();
                    all[number] = Vec::new();
                    let objects = self.furnished(&all, None, true);
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

    fn plainest(&self) -> Vec<Held> {
        self.held.iter().map(|held| held[0].clone()).collect()
    }

    /// The objects, with what usually comes with them.
    fn furnished(&self, held: &[Held], extra: Option<(Path, Json)>, is_miss: bool) -> Objects {
        let Conjunction { object_type, slots, company, .. } = self.conjunction;
        let mut scene = Scene::new(object_type);
        for (slot, held) in slots.iter().zip(held) {
            slot.place(&mut scene, held);
        }
        if let Some((path, value)) = &extra {
            scene.place(&path.at(0), None, value);
        }
        let paths: Vec<&Path> = slots.iter().map(|slot| &slot.path).collect();
        company.furnish(scene, object_type, &paths, is_miss)
    }

    fn breaks_only(&self, broken: usize, objects: &Objects) -> bool {
        let objects = probe::seen(objects);
        let mut probes = self.conjunction.probes.iter().enumerate();
        probes.all(|(number, probe)| probe.holds(&objects) != (number == broken))
    }

    /// Other values of a slot, for which one of its tests does not hold and all others do.
    fn changes(&self, number: usize, member: usize) -> Vec<Change> {
        let Conjunction { slots, literals, .. } = self.conjunction;
        let (slot, test) = (&slots[number], literals[member].test);
        let held = &self.held[number][0];
        if test.operator == Operator::Exists {
            let there = slot.kind.usual().first().cloned().filter(|_| test.negated);
            let change = if test.negated { "the property is there" } else { "the property is not there" };
            return vec![Change { held: there.into_iter().collect(), extra: None, change }];
        }
        let ignores_case = test.property.ignores_case();
        let mut near: Vec<Near> = Vec::new();
        if test.negated {
            near.extend(
                values::of_test(test, &slot.kind, &slot.path).into_iter().map(|one| (one, "a value that is ruled out")),
            );
        } else {
            match (test.operator, test.values.get(literals[member].value)) {
                (Operator::Like | Operator::Matches, _) | (_, None) => {}
                (_, Some(value)) => near.extend(near::neighbours(&value.kind, &slot.kind, &slot.path, ignores_case)),
            }
            near.extend(held.iter().flat_map(|value| near::around(value, &slot.kind, ignores_case)));
        }
        let mut found = self.breaking(slot, held, near, member);
        if found.is_empty() {
            let usual = slot.kind.usual().into_iter().chain(self.conjunction.candidates(slot));
            found = self.breaking(slot, held, usual.map(|value| (value, "another value")).collect(), member);
        }
        found.extend(self.elsewhere(number, member));
        found
    }

    /// Which of the values break a test alone, in the place of the element that satisfies it.
    fn breaking(&self, slot: &Slot<'p>, held: &Held, near: Vec<Near>, member: usize) -> Vec<Change> {
        let place = held.iter().position(|value| self.conjunction.holds_alone(slot, member, value)).unwrap_or(0);
        let mut found: Vec<Change> = Vec::new();
        for (value, change) in near {
            let mut changed = held.clone();
            match changed.get_mut(place) {
                Some(old) => *old = value,
                None => changed.push(value),
            }
            if !found.iter().any(|other| other.held == changed) && self.conjunction.hold(slot, &changed, Some(member)) {
                found.push(Change { held: changed, extra: None, change });
            }
        }
        found
    }

    /// The right value at the wrong end: the source for the destination, the child for the parent.
    fn elsewhere(&self, number: usize, member: usize) -> Option<Change> {
        let Conjunction { slots, literals, .. } = self.conjunction;
        let (slot, test) = (&slots[number], literals[member].test);
        if test.negated || slot.members.len() > 1 {
            return None;
        }
        let path = Path::read(&mirrored(&test.property.path)?)?;
        if slots.iter().any(|slot| slot.path.touches(&path)) {
            return None;
        }
        let value = self.held[number][0].first()?.clone();
        let mut usual = slot.kind.usual().into_iter().map(|value| vec![value]);
        let other = usual.find(|other| self.conjunction.hold(slot, other, Some(member)))?;
        Some(Change { held: other, extra: Some((path, value)), change: "the value at the other end" })
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
