//! `stixc.lock`: which rule has which number.
//!
//! Users disable, tune and discuss rules by their `sid`, so a sid never moves: it hangs on the indicator and on the
//! rule's place in its pattern, not on the order of the feed. A number is found by a hash of that key, and by counting
//! on from there where it is taken; what is gone keeps its number, so that no other rule ever gets it. `rev` grows by one
//! when what the rule matches has changed, and by nothing else.
//!
//! The file has a line for each rule, sorted: `id slot sid rev digest state`, with blanks between. The digest is the
//! first half of the SHA-256 of what the rule matches.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Write,
};

use crate::{hex, targets::digest::Digest};

/// The first line of the file.
const TITLE: &str =
    "# stixc.lock 1: the number of each Suricata rule. Keep it beside the rules, and under version control.";
/// What every version's first line begins with.
const MAGIC: &str = "# stixc.lock ";

/// Numbers that rules may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SidRange {
    /// The first one.
    pub first: u32,
    /// The last one.
    pub last: u32,
}

impl SidRange {
    /// The range that is left to local rules.
    pub const LOCAL: Self = Self { first: 1_000_000, last: 1_999_999 };

    fn span(self) -> u64 {
        u64::from(self.last.saturating_sub(self.first)) + 1
    }
}

/// What a rule's number hangs on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The indicator's id.
    pub id: String,
    /// Which of its rules.
    pub slot: String,
}

/// What a rule has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// Its sid.
    pub sid: u32,
    /// Its revision.
    pub rev: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    number: Number,
    digest: Digest,
    live: bool,
}

/// The file, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    entries: BTreeMap<Key, Entry>,
}

/// Every number of the range is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {count} rule numbers from {first} to {last} are used up; use a wider range")]
pub struct Exhausted {
    first: u32,
    last: u32,
    count: u64,
}

impl Lock {
    /// Reads the file.
    ///
    /// # Errors
    /// One sentence, where the text is not what [`Lock::print`] writes.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        match lines.next() {
            Some(TITLE) => {}
            Some(line) if line.starts_with(MAGIC) => {
                return Err("it was written by another version of stixc".to_owned());
            }
            _ => return Err("it is not a stixc.lock".to_owned()),
        }
        let mut entries = BTreeMap::new();
        let mut sids = HashSet::new();
        for (index, line) in lines.enumerate() {
            let number = index + 2;
            let (key, entry) = entry(line).ok_or_else(|| format!("line {number} is damaged"))?;
            if !sids.insert(entry.number.sid) {
                return Err(format!("line {number}: the number {} is there twice", entry.number.sid));
            }
            if entries.insert(key, entry).is_some() {
                return Err(format!("line {number}: the rule is there twice"));
            }
        }
        Ok(Self { entries })
    }

    /// The file.
    #[must_use]
    pub fn print(&self) -> String {
        let mut text = String::with_capacity(64 + 110 * self.entries.len());
        text.push_str(TITLE);
        text.push('\n');
        for (key, entry) in &self.entries {
            let Number { sid, rev } = entry.number;
            quote(&mut text, &key.id);
            text.push(' ');
            quote(&mut text, &key.slot);
            // Writing to a String can't fail.
            let _ = write!(text, " {sid} {rev} {}", entry.digest);
            text.push_str(if entry.live { " live\n" } else { " gone\n" });
        }
        text
    }

    /// Gives each rule its number and forgets none of the others: whoever is not among `rules` is gone.
    ///
    /// A rule that has moved to another slot of its indicator keeps its number. New numbers come from `range`. What comes
    /// out depends on the set of `rules`, not on their order. No key may be there twice.
    ///
    /// # Errors
    /// [`Exhausted`].
    pub fn assign(&mut self, rules: &[(Key, Digest)], range: SidRange) -> Result<Vec<Number>, Exhausted> {
        let mut order: Vec<usize> = (0..rules.len()).collect();
        order.sort_by(|&left, &right| rules[left].0.cmp(&rules[right].0));
        let mut taken: HashSet<u32> = self.entries.values().map(|entry| entry.number.sid).collect();
        self.entries.values_mut().for_each(|entry| entry.live = false);
        let mut numbers = vec![Number { sid: 0, rev: 0 }; rules.len()];
        for indicator in order.chunk_by(|&left, &right| rules[left].0.id == rules[right].0.id) {
            let left = self.keep(rules, indicator, &mut numbers);
            for index in left {
                let (key, digest) = &rules[index];
                let sid = free(key, range, &taken)?;
                taken.insert(sid);
                numbers[index] = Number { sid, rev: 1 };
                self.entries.insert(key.clone(), Entry { number: numbers[index], digest: *digest, live: true });
            }
        }
        Ok(numbers)
    }

    /// Keeps what the rules of one indicator have; the rules that are new.
    fn keep(&mut self, rules: &[(Key, Digest)], indicator: &[usize], numbers: &mut [Number]) -> Vec<usize> {
        let mut rest = Vec::new();
        // Unchanged, in their places.
        for &index in indicator {
            let (key, digest) = &rules[index];
            match self.entries.get_mut(key) {
                Some(entry) if entry.digest == *digest => {
                    entry.live = true;
                    numbers[index] = entry.number;
                }
                _ => rest.push(index),
            }
        }
        let Some(&first) = rest.first() else { return rest };
        // Unchanged, in other places: an alternative was added or removed in front of them.
        let id = rules[first].0.id.clone();
        let mut moved: HashMap<Digest, Vec<Key>> = HashMap::new();
        let from = Key { id: id.clone(), slot: String::new() };
        for (key, entry) in
            self.entries.range(from..).take_while(|(key, _)| key.id == id).filter(|(_, entry)| !entry.live)
        {
            moved.entry(entry.digest).or_default().push(key.clone());
        }
        let mut arriving = Vec::new();
        rest.retain(|&index| {
            let old = moved.get_mut(&rules[index].1).and_then(Vec::pop);
            let entry = old.and_then(|key| self.entries.remove(&key));
            let stays = entry.is_none();
            arriving.extend(entry.map(|entry| (index, entry)));
            stays
        });
        // Changed, in their places.
        rest.retain(|&index| {
            let (key, digest) = &rules[index];
            let Some(mut entry) = self.entries.get(key).filter(|entry| !entry.live).cloned() else { return true };
            entry.number.rev = entry.number.rev.saturating_add(1);
            entry.digest = *digest;
            arriving.push((index, entry));
            self.entries.remove(key);
            false
        });
        for (index, entry) in arriving {
            numbers[index] = entry.number;
            self.settle(rules[index].0.clone(), Entry { live: true, ..entry });
        }
        rest
    }

    /// Puts an entry in its place. What was there before is gone, but keeps its number under another name.
    fn settle(&mut self, key: Key, entry: Entry) {
        if let Some(before) = self.entries.insert(key.clone(), entry) {
            let spare = (1_u32..).map(|count| Key { id: key.id.clone(), slot: format!("{}~{count}", key.slot) });
            if let Some(spare) = spare.into_iter().find(|spare| !self.entries.contains_key(spare)) {
                self.entries.insert(spare, before);
            }
        }
    }
}

/// A number for a key: where its hash points to, or the next one that is free.
fn free(key: &Key, range: SidRange, taken: &HashSet<u32>) -> Result<u32, Exhausted> {
    let span = range.span();
    let start = Digest::new([key.id.as_bytes(), key.slot.as_bytes()]).number() % span;
    let numbers = (0..span).map(|step| u64::from(range.first) + (start + step) % span);
    let mut numbers = numbers.filter_map(|number| u32::try_from(number).ok());
    numbers.find(|number| !taken.contains(number)).ok_or(Exhausted {
        first: range.first,
        last: range.last,
        count: span,
    })
}

fn entry(line: &str) -> Option<(Key, Entry)> {
    let mut words = line.split(' ');
    let key = Key { id: unquote(words.next()?)?, slot: unquote(words.next()?)? };
    let number = |word: &str| word.parse::<u32>().ok().filter(|&number| number > 0);
    let (sid, rev) = (number(words.next()?)?, number(words.next()?)?);
    let digest = Digest::parse(words.next()?)?;
    let live = match words.next()? {
        "live" => true,
        "gone" => false,
        _ => return None,
    };
    words.next().is_none().then_some((key, Entry { number: Number { sid, rev }, digest, live }))
}

/// A feed's id may hold anything: what is no plain sign is written as `%` and two digits.
fn quote(text: &mut String, word: &str) {
    for byte in word.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._:~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            hex::push(text, byte);
        }
    }
    if word.is_empty() {
        text.push('%');
    }
}

fn unquote(word: &str) -> Option<String> {
    if word == "%" {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (pair, after) = rest.split_at_checked(2)?;
            bytes.extend(hex::decode(str::from_utf8(pair).ok()?)?);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    (!bytes.is_empty()).then_some(())?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(id: &str, slot: &str, matches: &str) -> (Key, Digest) {
        (Key { id: id.to_owned(), slot: slot.to_owned() }, Digest::new([matches.as_bytes()]))
    }

    fn assign(lock: &mut Lock, rules: &[(Key, Digest)]) -> Vec<Number> {
        lock.assign(rules, SidRange::LOCAL).unwrap()
    }

    #[test]
    fn what_a_rule_matches_makes_its_revision() {
        let mut lock = Lock::default();
        let first = assign(&mut lock, &[rule("a", "dns.0", "x"), rule("b", "dns.0", "y")]);
        assert!(first.iter().all(|number| number.rev == 1 && (1_000_000..2_000_000).contains(&number.sid)));
        let again = assign(&mut lock, &[rule("b", "dns.0", "y"), rule("a", "dns.0", "z")]);
        assert_eq!(again, [first[1], Number { sid: first[0].sid, rev: 2 }]);
    }

    #[test]
    fn what_is_gone_keeps_its_number_and_gets_it_back() {
        let mut lock = Lock::default();
        let first = assign(&mut lock, &[rule("a", "dns.0", "x")]);
        assert!(assign(&mut lock, &[]).is_empty());
        assert!(lock.print().ends_with(" gone\n"));
        // The place that `a` has by its hash is not free for anybody else.
        let only = SidRange { first: first[0].sid, last: first[0].sid };
        assert!(lock.clone().assign(&[rule("b", "dns.0", "x")], only).is_err());
        assert_eq!(assign(&mut lock, &[rule("a", "dns.0", "x")]), first);
        assert!(lock.print().ends_with(" live\n"));
    }

    #[test]
    fn a_rule_that_moves_keeps_its_number() {
        let mut lock = Lock::default();
        let two = assign(&mut lock, &[rule("a", "dns.0.0", "x"), rule("a", "dns.0.1", "z")]);
        let three =
            assign(&mut lock, &[rule("a", "dns.0.0", "x"), rule("a", "dns.0.1", "y"), rule("a", "dns.0.2", "z")]);
        assert_eq!((three[0], three[2]), (two[0], two[1]));
        assert!(three[1].rev == 1 && three[1].sid != two[1].sid);
        let one = assign(&mut lock, &[rule("a", "dns.0", "y")]);
        assert_eq!(one, [three[1]]);
        let back =
            assign(&mut lock, &[rule("a", "dns.0.0", "x"), rule("a", "dns.0.1", "y"), rule("a", "dns.0.2", "z")]);
        assert_eq!(back, three);
    }

    #[test]
    fn a_place_that_is_taken_by_a_moved_rule_loses_no_number() {
        let mut lock = Lock::default();
        let before = assign(&mut lock, &[rule("a", "0", "x"), rule("a", "1", "y")]);
        // `y` moves into the place of `x`, which is gone.
        let after = assign(&mut lock, &[rule("a", "0", "y")]);
        assert_eq!(after, [before[1]]);
        assert_eq!(assign(&mut lock, &[rule("a", "0", "y"), rule("a", "5", "x")]), [before[1], before[0]]);
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let mut lock = Lock::default();
        assign(&mut lock, &[rule("a b\n%", "dns.0", "x"), rule("", "dns.0", "y")]);
        let text = lock.print();
        assert_eq!(Lock::parse(&text).unwrap(), lock);
        let lines: Vec<&str> = text.lines().collect();
        let with = |line: &str| format!("{}\n{line}\n", lines[0]);
        for damaged in [
            String::new(),
            "{}".to_owned(),
            text.replace("lock 1", "lock 2"),
            text[..text.len() - 8].to_owned(),
            format!("{text}{}\n", lines[1]),
            with("<<<<<<< HEAD"),
            with("a dns.0 1000000 1 00 live"),
            with("a dns.0 0 1 00000000000000000000000000000000 live"),
            with("a dns.0 5000000000 1 00000000000000000000000000000000 live"),
            with("a dns.0 1000000 1 00000000000000000000000000000000 alive"),
            with("a%zz dns.0 1000000 1 00000000000000000000000000000000 live"),
            with(""),
        ] {
            assert!(Lock::parse(&damaged).is_err(), "{damaged:?}");
        }
    }

    /// A few rules of a few indicators, no key twice.
    fn rules() -> impl Strategy<Value = Vec<(Key, Digest)>> {
        let keys = proptest::collection::btree_map((0..6_u8, 0..4_u8), 0..5_u8, 0..16);
        keys.prop_map(|keys| {
            let rule = |((id, slot), text): ((u8, u8), u8)| rule(&id.to_string(), &slot.to_string(), &text.to_string());
            keys.into_iter().map(rule).collect()
        })
    }

    proptest! {
        #[test]
        fn order_does_not_matter(first in rules(), second in rules(), turn in 0..16_usize) {
            let range = SidRange { first: 1, last: 40 };
            let turned = |rules: &[(Key, Digest)]| {
                let mut rules = rules.to_vec();
                rules.reverse();
                let middle = turn.min(rules.len());
                rules.rotate_left(middle);
                rules
            };
            let (mut one, mut other) = (Lock::default(), Lock::default());
            one.assign(&first, range).unwrap();
            other.assign(&turned(&first), range).unwrap();
            prop_assert_eq!(&one, &other);
            one.assign(&second, range).ok();
            other.assign(&turned(&second), range).ok();
            prop_assert_eq!(one.print(), other.print());
        }

        #[test]
        fn numbers_are_never_shared_and_never_go_back(runs in proptest::collection::vec(rules(), 1..6)) {
            let mut lock = Lock::default();
            let mut revisions: HashMap<u32, u32> = HashMap::new();
            let mut owners: HashMap<u32, String> = HashMap::new();
            for rules in runs {
                let numbers = assign(&mut lock, &rules);
                let sids: HashSet<u32> = numbers.iter().map(|number| number.sid).collect();
                prop_assert_eq!(sids.len(), rules.len());
                for (number, (key, _)) in numbers.iter().zip(&rules) {
                    let before = revisions.insert(number.sid, number.rev).unwrap_or(0);
                    prop_assert!(number.rev == before || number.rev == before + 1);
                    let owner = owners.entry(number.sid).or_insert_with(|| key.id.clone());
                    prop_assert_eq!(&*owner, &key.id);
                }
                prop_assert_eq!(assign(&mut lock.clone(), &rules), numbers);
                prop_assert_eq!(&Lock::parse(&lock.print()).unwrap(), &lock);
            }
        }
    }
}
