//! Known files: substitutes for those that a pattern names by their hash.
//!
//! No one can make a file that has a given hash. But a rule asks for one hash as for another, so a plan with the hashes
//! of *known* files in place of its own proves the same things: where the hash is looked for, with which operator, in
//! which spelling, beside which other tests. [`substitute`] makes that plan, and says which values it replaced.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::{
    Gap,
    files::{self, Import, KnownFiles, digest},
    solve::{Bounds, witnesses},
};
use crate::plan::{
    Condition, Hash, HashAlgorithm, Observation, Operator, Plan, Test, Value, ValueKind, normalise::normalise,
};

/// In the paths of what a program has inside.
const INSIDE: &str = "extensions.'windows-pebinary-ext'";
/// The longest known file, in bytes. A pattern that asks for a longer one gets one that is too short.
const LONGEST: usize = 1 << 20;
/// A certificate in DER, and where its serial number stands.
const CERTIFICATE: &[u8] = include_bytes!("certificate.der");
const SERIAL: std::ops::Range<usize> = 15..18;

/// A plan about known files.
#[derive(Debug, Clone)]
pub struct Substitution {
    /// The plan, in normal form, with the hashes of known files.
    pub plan: Plan,
    /// The values of the pattern that were replaced, in its order.
    pub replaced: Vec<Gap>,
    /// The known files.
    pub files: KnownFiles,
}

/// Puts known files in place of those that `plan` names by hash.
///
/// The hashes of one conjunction are those of one file: `MD5 = a AND SHA-256 = b`. Alternatives are different files, so
/// that none is found by another's hash. A file is as large as the sizes beside its hash ask for, up to a mebibyte.
///
/// ```
/// use stixc::{pattern, plan::lower::lower, witness::known_files::substitute};
/// let text = "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e' AND file:size > 70]";
/// let plan = lower(&pattern::parse(text).unwrap()).plan;
/// let known = substitute(&plan);
/// assert_eq!(known.replaced[0].span, stixc::span::Span::new(19, 53));
/// let text = known.plan.to_string();
/// let hash = text.split('\'').nth(1).unwrap();
/// assert_eq!(known.files.content(hash).unwrap().len(), 71);
/// ```
#[must_use]
pub fn substitute(plan: &Plan) -> Substitution {
    let known = Substitution { plan: plan.clone(), replaced: Vec::new(), files: KnownFiles::default() };
    let mut making = Making { groups: 0, known };
    let mut observation = plan.observation.clone();
    observation.conditions_mut().for_each(|condition| making.condition(condition, &Files::new()));
    let mut known = making.known;
    known.plan = normalise(Plan { observation }).plan;
    known.replaced.sort_by_key(|gap| gap.span);
    known
}

/// Which file a hash is of: the files of a conjunction form a group, one for each value of a set.
type Number = (usize, usize);

/// What the tests beside a hash say of the same file.
#[derive(Debug, Clone)]
struct Beside {
    group: usize,
    size: usize,
    /// What the content is, with nothing left to choose.
    payload: Option<Vec<u8>>,
    /// A program that is as the tests beside the hash ask for.
    program: Option<Vec<u8>>,
}

/// By what the hashes are of: `file:`, `process:image_ref.`.
type Files = BTreeMap<String, Beside>;

struct Making {
    groups: usize,
    known: Substitution,
}

impl Making {
    fn condition(&mut self, node: &mut Condition, outer: &Files) {
        match node {
            Condition::Test(test) => self.test(test, outer),
            Condition::Any(operands) => operands.iter_mut().for_each(|operand| self.condition(operand, outer)),
            Condition::All(operands) => {
                let mut files = outer.clone();
                // What is inside a program comes first: the program around it is made of that.
                for inside in [true, false] {
                    let owners =
                        operands.iter().filter_map(Condition::as_test).filter(|test| !test.negated && of_a_file(test));
                    let owners: BTreeSet<String> = owners.map(|test| owner(&test.property.path)).collect();
                    for owner in owners.into_iter().filter(|owner| owner.contains(INSIDE) == inside) {
                        if let Entry::Vacant(entry) = files.entry(owner) {
                            let group = self.group(entry.key(), operands);
                            entry.insert(group);
                        }
                    }
                    let is_inside =
                        |operand: &Condition| operand.as_test().is_some_and(|test| test.property.path.contains(INSIDE));
                    let some = operands.iter_mut().filter(|operand| is_inside(operand) == inside);
                    some.for_each(|operand| self.condition(operand, &files));
                }
            }
        }
    }

    /// The files of a conjunction.
    fn group(&mut self, owner: &str, operands: &[Condition]) -> Beside {
        self.groups += 1;
        let path = format!("{owner}size");
        let tests: Vec<&Test> = operands.iter().filter_map(Condition::as_test).collect();
        let sizes: Vec<&Test> = tests.iter().copied().filter(|test| test.property.path == path).collect();
        let program = if owner == "file:" { self.program(operands) } else { None };
        Beside { group: self.groups, size: size(&sizes), payload: payload(owner, &tests), program }
    }

    /// A program that satisfies all but the hashes, where the tests ask for one.
    fn program(&self, operands: &[Condition]) -> Option<Vec<u8>> {
        let is_hash = |operand: &&Condition| operand.as_test().is_some_and(of_a_file) && !is_about_a_program(operand);
        let rest: Vec<Condition> = operands.iter().filter(|operand| !is_hash(operand)).cloned().collect();
        if !rest.iter().any(is_about_a_program) {
            return None;
        }
        let plan = Plan { observation: Observation::Match(Condition::All(rest)) };
        let found = witnesses(&plan, Bounds { alternatives: 1, misses: 0 });
        let witness = found.all.into_iter().find(|witness| witness.matches)?;
        files::write(&witness.sightings, &self.known.files, 0)?.contents.into_iter().next()
    }

    fn test(&mut self, test: &mut Test, files: &Files) {
        let imphash = test.property.path.ends_with(".imphash");
        if test.operator != Operator::Equal || !(imphash || of_a_file(test)) {
            return;
        }
        // What a file must not be is another file than the one that it must be.
        let owner = owner(&test.property.path);
        let beside = match files.get(&owner) {
            Some(beside) if !test.negated && !imphash => beside.clone(),
            _ => self.group(&owner, &[]),
        };
        for (index, value) in test.values.iter_mut().enumerate() {
            if imphash {
                self.import(value, (beside.group, index));
            } else {
                self.hash(value, &owner, &beside, index);
            }
        }
    }

    fn hash(&mut self, value: &mut Value, owner: &str, beside: &Beside, index: usize) {
        let ValueKind::Hash(hash) = &value.kind else { return };
        let number = (beside.group, index);
        let (content, what) = match (&beside.payload, owner) {
            (_, "x509-certificate:") => (certificate(number), "certificate"),
            (Some(payload), _) if index == 0 => (payload.clone(), "file"),
            _ => match &beside.program {
                Some(program) => (numbered(program, number), "file"),
                None => (file(number, beside.size), "file"),
            },
        };
        let digits = digest(hash.algorithm(), &content);
        let Some(known) = Hash::parse(hash.algorithm(), &digits) else { return };
        value.kind = ValueKind::Hash(known);
        self.known.files.add(&digits, content);
        let reason = format!("no {what} with this hash can be made; a known {what} stands in for it");
        self.known.replaced.push(Gap { span: value.span, reason });
    }

    fn import(&mut self, value: &mut Value, number: Number) {
        let ValueKind::Text(text) = &mut value.kind else { return };
        if Hash::parse(HashAlgorithm::Md5, text).is_none() {
            return;
        }
        let library = format!("known{}-{}.dll", number.0, number.1);
        let import = Import { library, function: "witness".to_owned() };
        *text = import.imphash();
        self.known.files.add_import(text, import);
        let reason = "no program with this import hash can be made; a known program stands in for it".to_owned();
        self.known.replaced.push(Gap { span: value.span, reason });
    }
}

/// Whether a condition asks for something that only programs have.
fn is_about_a_program(condition: &Condition) -> bool {
    condition.tests().any(|test| test.property.path.contains(INSIDE))
}

/// Whether the values are hashes of bytes.
fn of_a_file(test: &Test) -> bool {
    test.operator == Operator::Equal && matches!(test.values.first(), Some(Value { kind: ValueKind::Hash(_), .. }))
}

/// What the hash is of. The content of a file is the file.
fn owner(path: &str) -> String {
    let owner = path.rsplit_once("hashes.").map_or(path, |(owner, _)| owner);
    owner.replace("content_ref.", "")
}

/// What the content is, where a test beside the hash says it.
fn payload(owner: &str, tests: &[&Test]) -> Option<Vec<u8>> {
    let says = |test: &&&Test| {
        let path = test.property.path.strip_suffix("payload_bin").map(|path| path.replace("content_ref.", ""));
        test.operator == Operator::Equal && !test.negated && path.as_deref() == Some(owner)
    };
    match tests.iter().find(says)?.values.first()?.kind {
        ValueKind::Bytes(ref bytes) => Some(bytes.clone()),
        _ => None,
    }
}

/// A size that all tests allow; the usual one where none does.
fn size(tests: &[&Test]) -> usize {
    let usual = file((0, 0), 0).len();
    let usual = i64::try_from(usual.max(64)).unwrap_or_default();
    let values = tests.iter().flat_map(|test| &test.values).filter_map(|value| integer(&value.kind));
    let near = values.flat_map(|value| [value, value.saturating_add(1), value.saturating_sub(1)]);
    let fits = |size: &i64| (0..=LONGEST as i64).contains(size) && tests.iter().all(|test| holds(test, *size));
    let found = std::iter::once(usual).chain(near).find(fits).unwrap_or(usual);
    usize::try_from(found).unwrap_or_default()
}

fn holds(test: &Test, size: i64) -> bool {
    let one = |value: &Value| {
        integer(&value.kind).is_some_and(|value| match test.operator {
            Operator::Equal => size == value,
            Operator::Less => size < value,
            Operator::LessOrEqual => size <= value,
            Operator::Greater => size > value,
            Operator::GreaterOrEqual => size >= value,
            _ => false,
        })
    };
    test.operator == Operator::Exists || test.values.iter().any(one) != test.negated
}

fn integer(value: &ValueKind) -> Option<i64> {
    match value {
        ValueKind::Integer(number) => Some(*number),
        _ => None,
    }
}

/// The content of a known file: no two numbers have the same, unless the size leaves no room for a number.
fn file(number: Number, size: usize) -> Vec<u8> {
    let mut content = format!("{:x}-{:x} is the number of a known file\n", number.0, number.1).into_bytes();
    content.resize(size, b'.');
    content
}

/// A known program with its number behind it, or in place of its last bytes where these only fill it up.
fn numbered(program: &[u8], number: Number) -> Vec<u8> {
    let text = format!(" {:x}-{:x}\n", number.0, number.1).into_bytes();
    let mut content = program.to_vec();
    let end = content.len() - text.len().min(content.len());
    if content[end..].iter().all(|byte| *byte == 0) {
        content.truncate(end);
    }
    content.extend(text);
    content
}

/// A known certificate: all the same but for the serial number.
fn certificate(number: Number) -> Vec<u8> {
    let mut content = CERTIFICATE.to_vec();
    let serial = 0x40_0000_u32 | (u32::try_from(number.0 * 1024 + number.1).unwrap_or_default() & 0x3f_ffff);
    content[SERIAL].copy_from_slice(&serial.to_be_bytes()[1..]);
    content
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{pattern, plan::lower::lower};

    const A: &str = "d41d8cd98f00b204e9800998ecf8427e";
    const B: &str = "00000000000000000000000000000001";
    const S: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn made(text: &str) -> Substitution {
        substitute(&lower(&pattern::parse(text).unwrap()).plan)
    }

    /// The hashes of the new plan, in its order.
    fn hashes(known: &Substitution) -> Vec<String> {
        let text = known.plan.to_string();
        text.split('\'').filter(|word| known.files.content(word).is_some()).map(str::to_owned).collect()
    }

    #[test]
    fn hashes_of_one_conjunction_are_of_one_file() {
        let known = made(&format!("[file:hashes.MD5 = '{A}' AND file:hashes.'SHA-256' = '{S}' AND file:size = 7]"));
        let [sha256, md5] = hashes(&known).try_into().unwrap();
        assert_eq!(known.files.content(&md5), known.files.content(&sha256));
        assert_eq!(known.files.content(&md5).unwrap().len(), 7);
        assert_eq!((md5.len(), sha256.len(), known.replaced.len()), (32, 64, 2));
    }

    #[test]
    fn alternatives_are_different_files() {
        let texts = [
            format!("[file:hashes.MD5 IN ('{A}', '{B}')]"),
            format!("[file:hashes.MD5 = '{A}' OR file:hashes.'SHA-256' = '{S}']"),
            format!("[file:hashes.MD5 = '{A}'] FOLLOWEDBY [file:hashes.MD5 = '{A}']"),
            format!("[file:hashes.'SHA-256' = '{S}' AND file:hashes.MD5 != '{A}']"),
        ];
        for text in texts {
            let known = made(&text);
            let [one, other] = hashes(&known).try_into().unwrap();
            assert_ne!(known.files.content(&one), known.files.content(&other), "{text}");
        }
    }

    #[test]
    fn sizes_and_contents_beside_a_hash_are_met() {
        let length = |beside: &str| {
            let known = made(&format!("[file:hashes.MD5 = '{A}' AND {beside}]"));
            known.files.content(&hashes(&known)[0]).unwrap().len()
        };
        assert_eq!(length("file:size > 1000 AND file:size < 1002"), 1001);
        assert_eq!(length("file:size NOT IN (64, 65)"), 63);
        assert_eq!(length("file:size = 0"), 0);
        assert_eq!(length("file:size = 99999999999"), 64);
        let known = made(&format!("[artifact:hashes.MD5 = '{A}' AND artifact:payload_bin = b'ZXZpbA==']"));
        assert_eq!(known.files.content("4034a346ccee15292d823416f7510a2f"), Some(b"evil".as_slice()));
    }

    #[test]
    fn certificates_and_imports_are_known_too() {
        let known = made("[x509-certificate:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709']");
        assert_eq!(known.files.content(&hashes(&known)[0]).unwrap().len(), CERTIFICATE.len());
        let known = made(&format!("[file:extensions.'windows-pebinary-ext'.imphash = '{A}']"));
        let text = known.plan.to_string();
        let hash = text.split('\'').nth(3).unwrap();
        assert_eq!(known.files.import(hash).unwrap().library, "known1-0.dll");
        assert_eq!(known.replaced.len(), 1);
    }

    #[test]
    fn what_is_no_hash_stays() {
        let text = "[file:name = 'a' AND file:hashes.MD5 LIKE 'd4%']";
        let known = made(text);
        assert_eq!(known.plan, lower(&pattern::parse(text).unwrap()).plan);
        assert!(known.replaced.is_empty());
    }
}
