//! Tests that all are to hold for one object, and values for which they do.

use serde_json::Value as Json;

use super::{
    companion::Company,
    kind::Kind,
    near,
    path::{Path, Step},
    probe::{self, Probe},
    scene::Scene,
    script::Literal,
    solved::Solved,
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
pub(super) struct Slot<'p> {
    pub path: Path,
    /// The first element that is free, where the path says `[*]` and others say `[0]`.
    offset: usize,
    /// The slots that lie further down without a reference between, so that this one holds keys or elements.
    parts: Vec<usize>,
    pub kind: Kind,
    referent: Option<&'p str>,
    /// Which of the literals.
    pub members: Vec<usize>,
}

/// What a slot holds: one value, several for the elements of a list, or none.
pub(super) type Held = Vec<Json>;

/// A conjunction, ready to be solved.
pub(super) struct Conjunction<'p> {
    pub object_type: String,
    pub literals: Vec<Literal<'p>>,
    pub probes: Vec<Probe>,
    pub slots: Vec<Slot<'p>>,
    pub company: &'p Company<'p>,
}

impl<'p> Conjunction<'p> {
    /// Gathers the tests by property.
    ///
    /// # Errors
    /// Where no object can satisfy them all, whatever their values.
    pub fn new(literals: &[Literal<'p>], company: &'p Company<'p>) -> Result<Self, Gap> {
        let gap = |test: &Test, reason: &str| Gap { span: test.span, reason: reason.to_owned() };
        let Some(first) = literals.first() else {
            return Err(Gap { span: Span::default(), reason: "there is no test".to_owned() });
        };
        let object_type = first.test.property.object_type().to_owned();
        let mut slots: Vec<Slot<'p>> = Vec::new();
        let mut probes = Vec::with_capacity(literals.len());
        for (number, literal) in literals.iter().enumerate() {
            let property = &literal.test.property;
            if property.object_type() != object_type {
                return Err(gap(literal.test, "no object is of two types"));
            }
            let path = Path::read(&property.path).ok_or_else(|| gap(literal.test, "no object has such a property"))?;
            probes.push(Probe::new(literal.test).ok_or_else(|| gap(literal.test, "the value has no meaning"))?);
            match slots.iter_mut().find(|slot| slot.path == path) {
                Some(slot) => {
                    slot.members.push(number);
                    slot.referent = slot.referent.or(property.referent.as_deref());
                }
                None => slots.push(Slot {
                    path,
                    offset: 0,
                    parts: Vec::new(),
                    kind: Kind::Boolean,
                    referent: property.referent.as_deref(),
                    members: vec![number],
                }),
            }
        }
        for slot in &mut slots {
            let tests: Vec<&Test> = slot.members.iter().map(|one| literals[*one].test).collect();
            slot.kind = Kind::of(&slot.path, &tests);
        }
        let offsets: Vec<usize> = slots.iter().map(|slot| offset(&slot.path, &slots)).collect();
        slots.iter_mut().zip(offsets).for_each(|(slot, offset)| slot.offset = offset);
        // What is only to exist may exist already; a reference comes before what lies behind it.
        let exists = |slot: &Slot<'_>| slot.members.iter().all(|one| literals[*one].test.operator == Operator::Exists);
        slots.sort_by_key(|slot| (exists(slot), slot.path.steps.len()));
        let mut conjunction = Self { object_type, literals: literals.to_vec(), probes, slots, company };
        conjunction.find_parts();
        Ok(conjunction)
    }

    /// Tells the slots that hold keys or elements of theirs. A slot for some element that can't be the one with parts is
    /// about the next one.
    fn find_parts(&mut self) {
        for at in 0..self.slots.len() {
            let leads_on = |other: &Slot<'_>| other.path.lies_in(&self.slots[at].path) && !self.is_absent(other);
            let parts: Vec<usize> = (0..self.slots.len()).filter(|one| leads_on(&self.slots[*one])).collect();
            if parts.is_empty() {
                continue;
            }
            self.slots[at].parts = parts;
            let slot = &self.slots[at];
            if slot.path.is_any() && !self.hold(slot, &Held::new(), None) {
                let slot = &mut self.slots[at];
                slot.parts.clear();
                slot.offset += 1;
            }
        }
    }

    fn is_absent(&self, slot: &Slot<'p>) -> bool {
        slot.members.iter().any(|one| self.test(*one).is_absence())
    }

    /// Objects that satisfy all tests: the plainest, and some with other values where the tests leave room.
    ///
    /// # Errors
    /// The property for which no value was found.
    pub fn solved(&self) -> Result<Solved<'_, 'p>, Gap> {
        let mut held = Vec::with_capacity(self.slots.len());
        let mut scene = Scene::new(&self.object_type);
        for slot in &self.slots {
            let values = self.values(slot)?;
            let has_place = values.first().is_none_or(|plainest| slot.place(&mut scene, plainest));
            if !has_place && !slot.members.iter().all(|one| self.test(*one).operator == Operator::Exists) {
                return Err(self.gap(slot, "the property has no place beside the others"));
            }
            held.push(values);
        }
        Ok(Solved::new(self, held))
    }

    pub fn test(&self, member: usize) -> &'p Test {
        self.literals[member].test
    }

    /// The values of a slot for which its tests hold, the plainest first.
    fn values(&self, slot: &Slot<'p>) -> Result<Vec<Held>, Gap> {
        if !slot.parts.is_empty() || self.is_absent(slot) {
            let nothing = Held::new();
            let holds = self.hold(slot, &nothing, None);
            return if holds { Ok(vec![nothing]) } else { Err(self.gap(slot, self.reason(slot))) };
        }
        let leaves_room = slot.members.iter().any(|one| leaves_room(self.test(*one)));
        let mut candidates = self.candidates(slot);
        candidates.sort_by_key(|value| !slot.kind.suits(value));
        let mut found: Vec<Held> = Vec::new();
        for value in candidates {
            let held = vec![value];
            if !found.contains(&held) && self.hold(slot, &held, None) {
                found.push(held);
                if found.len() >= if leaves_room { VARIETY } else { 1 } {
                    break;
                }
            }
        }
        if found.is_empty() && slot.path.is_any() {
            found.extend(self.several(slot));
        }
        // Something that suits the property is enough.
        let suits = |held: &Held| held.iter().all(|value| slot.kind.suits(value));
        if found.first().is_some_and(suits) {
            found.retain(suits);
        }
        if found.is_empty() { Err(self.gap(slot, self.reason(slot))) } else { Ok(found) }
    }

    fn gap(&self, slot: &Slot<'p>, reason: &str) -> Gap {
        let spans = slot.members.iter().map(|one| self.test(*one).span);
        Gap { span: Span::covering(spans), reason: reason.to_owned() }
    }

    /// Why a slot has no value.
    fn reason(&self, slot: &Slot<'p>) -> &'static str {
        if !slot.parts.is_empty() {
            return "a property with keys or elements has no value of its own";
        }
        let operators = slot.members.iter().any(|one| self.test(*one).operator == Operator::Matches);
        match (slot.members.len(), operators) {
            (1, true) => "no text was found that the regular expression matches",
            (1, false) => "no value was found for which the test holds",
            _ => "no value was found for which all tests on the property hold",
        }
    }

    /// An element for each test, where none does for all.
    fn several(&self, slot: &Slot<'p>) -> Option<Held> {
        let candidates = self.candidates(slot);
        let mut held: Held = Vec::new();
        for member in &slot.members {
            if held.iter().any(|value| self.holds_alone(slot, *member, value)) {
                continue;
            }
            let value = candidates.iter().find(|value| self.holds_alone(slot, *member, value))?.clone();
            held.push(value);
        }
        self.hold(slot, &held, None).then_some(held)
    }

    /// Values that may do, in the order in which they are tried.
    pub fn candidates(&self, slot: &Slot<'p>) -> Vec<Json> {
        let mut own: Vec<Vec<Json>> = Vec::new();
        let mut forbidden = Vec::new();
        for member in &slot.members {
            let Literal { test, value } = self.literals[*member];
            if test.negated {
                forbidden.extend(values::of_test(test, &slot.kind, &slot.path));
            } else if let Some(value) = test.values.get(value) {
                own.push(values::satisfying(test.operator, &value.kind, &slot.kind, &slot.path));
            }
        }
        let mut all: Vec<Json> = own.concat();
        all.extend(joined(&own));
        let ignores_case = slot.members.iter().any(|one| self.test(*one).property.ignores_case());
        let beside: Vec<Json> =
            all.iter().flat_map(|value| near::around(value, &slot.kind, ignores_case)).map(|near| near.0).collect();
        all.extend(slot.kind.usual());
        all.extend(beside);
        for value in forbidden {
            all.extend(near::around(&value, &slot.kind, ignores_case).into_iter().map(|near| near.0));
        }
        all
    }

    /// An object with nothing but this slot and what it consists of.
    fn alone(&self, slot: &Slot<'p>, held: &[Json]) -> Map {
        let mut scene = Scene::new(&self.object_type);
        for part in slot.parts.iter().map(|part| &self.slots[*part]) {
            part.place(&mut scene, part.kind.usual().get(..1).unwrap_or_default());
        }
        slot.place(&mut scene, held);
        probe::seen(&scene.finish())
    }

    /// Whether a test holds for one value of its slot.
    pub fn holds_alone(&self, slot: &Slot<'p>, member: usize, value: &Json) -> bool {
        self.probes[member].holds(&self.alone(slot, std::slice::from_ref(value)))
    }

    /// Whether the slot's tests hold for these values; with `broken`, whether all but that one do, and that one doesn't.
    pub fn hold(&self, slot: &Slot<'p>, held: &[Json], broken: Option<usize>) -> bool {
        let objects = self.alone(slot, held);
        slot.members.iter().all(|member| self.probes[*member].holds(&objects) != (broken == Some(*member)))
    }
}

impl Slot<'_> {
    /// Puts values in their places, and tells whether each is there.
    pub fn place(&self, scene: &mut Scene, held: &[Json]) -> bool {
        let places = held
            .iter()
            .enumerate()
            .map(|(number, value)| scene.place(&self.path.at(self.offset + number), self.referent, value));
        // Those behind one that isn't are put in their places all the same.
        places.filter(|is_there| !is_there).count() == 0
    }
}

/// Whether more than one value satisfies the test, and which one may matter to a rule.
fn leaves_room(test: &Test) -> bool {
    !test.negated && !matches!(test.operator, Operator::Equal | Operator::Exists)
}

/// The first element that no other path asks for by its number.
fn offset(path: &Path, slots: &[Slot<'_>]) -> usize {
    let Some(at) = path.steps.iter().position(|step| *step == Step::Any) else { return 0 };
    let numbered = slots.iter().filter_map(|slot| match slot.path.steps.get(at) {
        Some(Step::Index(index)) if slot.path.steps[..at] == path.steps[..at] => Some(index + 1),
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
