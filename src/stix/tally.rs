//! How many objects of each type an input holds.

use std::{collections::BTreeMap, fmt};

/// Types that are counted apart; what is beyond them counts as other types. A feed may call its objects what it likes.
const MOST_TYPES: usize = 100;

/// Types that are named in a message.
const NAMED: usize = 8;

/// How many objects of each type were read.
///
/// ```
/// use stixc::stix::Tally;
/// let mut tally = Tally::default();
/// ["malware", "ipv4-addr", "ipv4-addr"].iter().for_each(|name| tally.add(name));
/// assert_eq!(tally.to_string(), "3 objects: ipv4-addr 2, malware 1");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    types: BTreeMap<Box<str>, u64>,
    others: u64,
}

impl Tally {
    /// Counts an object.
    pub fn add(&mut self, object_type: &str) {
        self.add_all(object_type, 1);
    }

    fn add_all(&mut self, object_type: &str, count: u64) {
        if let Some(known) = self.types.get_mut(object_type) {
            *known += count;
        } else if self.types.len() < MOST_TYPES {
            self.types.insert(object_type.into(), count);
        } else {
            self.others += count;
        }
    }

    /// Adds what another part of the inputs holds.
    pub fn merge(&mut self, other: Self) {
        other.types.iter().for_each(|(name, count)| self.add_all(name, *count));
        self.others += other.others;
    }

    /// How many objects there are.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.types.values().sum::<u64>() + self.others
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects = self.objects();
        write!(formatter, "{objects} object{}", if objects == 1 { "" } else { "s" })?;
        let mut types: Vec<(&str, u64)> = self.types.iter().map(|(name, count)| (name.as_ref(), *count)).collect();
        types.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (number, (name, count)) in types.iter().take(NAMED).enumerate() {
            write!(formatter, "{} {name} {count}", if number == 0 { ":" } else { "," })?;
        }
        match types.iter().skip(NAMED).map(|(_, count)| count).sum::<u64>() + self.others {
            0 => Ok(()),
            count => write!(formatter, ", others {count}"),
        }
    }
}
