//! A list that protects something must not vanish because a feed did, nor grow beyond measure because of another.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{Amounts, is_bookkeeping};

/// Lists with fewer entries may shrink as they like: one that goes is much of them.
const SMALL: u128 = 20;

/// Kinds that are one to whoever asks how much is listed.
const HASHES: [&str; 4] = ["md5", "sha1", "sha256", "sha512"];

/// How far an output may change at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// How much of it may go, in percent; `None` for any share.
    pub max_shrink: Option<u8>,
    /// How many times as much it may become; `None` for any number.
    pub max_grow: Option<f64>,
    /// Whether it may become empty.
    pub allow_empty: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_shrink: Some(50), max_grow: None, allow_empty: false }
    }
}

/// An output that would change more than it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Its path; of a folder with a file for each rule, and of all lists of a target together, the folder's.
    pub path: String,
    /// What is counted: `ipv4` for addresses, `domain`, `rule` and so on.
    pub kind: String,
    /// How much of it there is.
    pub before: u128,
    /// How much of it there would be.
    pub after: u128,
}

impl fmt::Display for Stopped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, kind, before, after } = self;
        let unit = match kind.as_str() {
            "ipv4" | "ipv6" => "addresses",
            "rule" => "rules",
            "line" => "lines",
            _ => "entries",
        };
        write!(formatter, "{path} from {before} to {after} {unit}")?;
        if matches!(kind.as_str(), "rule" | "line" | "") { Ok(()) } else { write!(formatter, " ({kind})") }
    }
}

impl Limits {
    /// Reads a share such as `50%`, or `any`.
    #[must_use]
    pub fn parse_shrink(text: &str) -> Option<Option<u8>> {
        if text == "any" {
            return Some(None);
        }
        let percent = text.trim().trim_end_matches('%').trim_end().parse().ok();
        percent.filter(|percent| *percent <= 100).map(Some)
    }

    /// Reads a factor such as `10`, or `any`.
    #[must_use]
    pub fn parse_grow(text: &str) -> Option<Option<f64>> {
        if text == "any" {
            return Some(None);
        }
        let factor: Option<f64> = text.trim().trim_end_matches('x').parse().ok();
        factor.filter(|factor| factor.is_finite() && *factor >= 1.0).map(Some)
    }

    /// Whether something that is counted may not become so much less, or nothing.
    #[must_use]
    pub fn stops(&self, before: usize, after: usize) -> bool {
        (before > 0 && after == 0 && !self.allow_empty) || self.shrinks(before as u128, after as u128)
    }

    fn shrinks(&self, before: u128, after: u128) -> bool {
        let lost = before.saturating_sub(after);
        self.max_shrink.is_some_and(|percent| {
            before >= SMALL && lost > before / 100 * u128::from(percent) + before % 100 * u128::from(percent) / 100
        })
    }

    fn grows(&self, before: u128, after: u128) -> bool {
        #[allow(clippy::cast_precision_loss, reason = "a factor is no exact number")]
        self.max_grow.is_some_and(|factor| before > 0 && after >= SMALL && after as f64 > before as f64 * factor)
    }

    fn changes_much(&self, before: u128, after: u128) -> bool {
        self.shrinks(before, after) || self.grows(before, after)
    }
}

/// How much there is of each kind in each target, before and after.
type Totals<'a> = BTreeMap<(&'a str, String), [u128; 2]>;

/// What a folder holds and would hold, by path.
pub(super) struct Contents {
    pub before: BTreeMap<String, Amounts>,
    pub after: BTreeMap<String, Amounts>,
}

impl Contents {
    /// The outputs that would change more than they may. `formats` are the paths of the formats that are wanted: what
    /// belongs to none of them goes because the user wants it to. `without_rules` are the targets for which nothing is left:
    /// one of several lists may become empty, all that a target has may not.
    pub fn stopped(&self, limits: &Limits, formats: &[&str], without_rules: &[&str]) -> Vec<Stopped> {
        let mut found = Vec::new();
        // By target and kind of entry: the most that any list of the target has, for several lists hold the same.
        let mut totals: Totals<'_> = BTreeMap::new();
        for &path in formats {
            let [before, after] = [&self.before, &self.after].map(|files| amounts(files, path));
            let kinds: BTreeSet<&str> = before.keys().chain(after.keys()).map(String::as_str).collect();
            let target = path.split('/').next().unwrap_or_default();
            for kind in kinds {
                let [before, after] = [&before, &after].map(|all| all.get(kind).copied().unwrap_or_default());
                let total = totals.entry((target, kind.to_owned())).or_default();
                *total = [total[0].max(before), total[1].max(after)];
                if limits.changes_much(before, after) {
                    found.push(Stopped { path: path.to_owned(), kind: kind.to_owned(), before, after });
                }
            }
        }
        let of = |target: &str, found: &[Stopped]| found.iter().any(|one| one.path.starts_with(&format!("{target}/")));
        for (target, [before, after]) in hashes(&totals) {
            if limits.changes_much(before, after) && !of(target, &found) {
                found.push(Stopped { path: format!("{target}/"), kind: "hash".to_owned(), before, after });
            }
        }
        for target in without_rules.iter().filter(|_| !limits.allow_empty) {
            let own = totals.iter().filter(|((of, _), [before, after])| of == target && after < before);
            let lost: u128 = own.map(|(_, [before, after])| before - after).fold(0, u128::saturating_add);
            if lost > 0 && !of(target, &found) {
                found.push(Stopped { path: format!("{target}/"), kind: String::new(), before: lost, after: 0 });
            }
        }
        found
    }
}

/// What a format holds: its file, or all files of rules in its folder.
fn amounts(files: &BTreeMap<String, Amounts>, path: &str) -> Amounts {
    if !path.ends_with('/') {
        return files.get(path).cloned().unwrap_or_default();
    }
    let mut all = Amounts::new();
    for (_, one) in files.iter().filter(|(file, _)| file.starts_with(path) && !is_bookkeeping(file)) {
        for (kind, count) in one {
            let sum = all.entry(kind.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
    }
    all
}

/// The hashes of each target, of all kinds.
fn hashes<'a>(totals: &Totals<'a>) -> BTreeMap<&'a str, [u128; 2]> {
    let mut sums: BTreeMap<&str, [u128; 2]> = BTreeMap::new();
    for ((target, _), [before, after]) in totals.iter().filter(|((_, kind), _)| HASHES.contains(&kind.as_str())) {
        let sum = sums.entry(target).or_default();
        *sum = [sum[0].saturating_add(*before), sum[1].saturating_add(*after)];
    }
    sums
}

/// What to say of them.
#[must_use]
pub fn told(stopped: &[Stopped]) -> String {
    let shrinks = stopped.iter().any(|one| one.after < one.before);
    let grows = stopped.iter().any(|one| one.after > one.before);
    let how = match (shrinks, grows) {
        (true, true) => "change",
        (_, true) => "grow",
        _ => "shrink",
    };
    let all: Vec<String> = stopped.iter().map(Stopped::to_string).collect();
    format!("nothing was written, for the outputs would {how} too much: {}", all.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_shrink: Option<u8>, allow_empty: bool) -> Limits {
        Limits { max_shrink, allow_empty, ..Limits::default() }
    }

    fn files(files: &[(&str, &str, u128)]) -> BTreeMap<String, Amounts> {
        let mut all: BTreeMap<String, Amounts> = BTreeMap::new();
        for (path, kind, count) in files {
            all.entry((*path).to_owned()).or_default().insert((*kind).to_owned(), *count);
        }
        all
    }

    fn stopped(
        limits: &Limits,
        before: &[(&str, &str, u128)],
        after: &[(&str, &str, u128)],
        without_rules: &[&str],
    ) -> Vec<String> {
        let contents = Contents { before: files(before), after: files(after) };
        let formats = ["blocklist/ipv4.txt", "blocklist/md5.txt", "blocklist/sha1.txt", "blocklist/all.txt", "sigma/"];
        contents.stopped(limits, &formats, without_rules).iter().map(Stopped::to_string).collect()
    }

    #[test]
    fn what_is_lost_is_held_against_what_there_was() {
        let careful = limits(Some(30), false);
        for (before, after, stops) in
            [(0, 0, false), (100, 70, false), (100, 69, true), (100, 200, false), (10, 1, false), (1, 0, true)]
        {
            assert_eq!(careful.stops(before, after), stops, "{before} to {after}");
        }
        assert!(!limits(None, false).stops(100, 1));
        assert!(!limits(None, true).stops(100, 0));
        assert!(limits(Some(30), true).stops(100, 0));
        assert!(limits(Some(30), true).shrinks(u128::MAX, u128::MAX / 2));
        assert!(!limits(Some(100), true).shrinks(u128::MAX, 0));
    }

    #[test]
    fn what_grows_is_held_against_what_there_was() {
        let careful = Limits { max_grow: Some(2.0), ..Limits::default() };
        for (before, after, stops) in
            [(100, 200, false), (100, 201, true), (0, 1000, false), (5, 19, false), (5, 20, true)]
        {
            assert_eq!(careful.grows(before, after), stops, "{before} to {after}");
        }
        assert!(!Limits::default().grows(1, 1000));
    }

    #[test]
    fn lists_are_looked_at_alone_and_together() {
        let (list, half) = (("blocklist/ipv4.txt", "ipv4", 40), ("blocklist/ipv4.txt", "ipv4", 12));
        let told = ["blocklist/ipv4.txt from 40 to 12 addresses (ipv4)"];
        assert_eq!(stopped(&limits(Some(50), false), &[list], &[half], &[]), told);
        assert_eq!(stopped(&limits(None, false), &[list], &[half], &[]), [""; 0]);
        // Each alone is small.
        let hashes = [("blocklist/md5.txt", "md5", 15), ("blocklist/sha1.txt", "sha1", 15)];
        let fewer = [("blocklist/md5.txt", "md5", 2), ("blocklist/sha1.txt", "sha1", 2)];
        let told = ["blocklist/ from 30 to 4 entries (hash)"];
        assert_eq!(stopped(&limits(Some(50), false), &hashes, &fewer, &[]), told);
        // What is in two lists is there once.
        let twice = [("blocklist/md5.txt", "md5", 15), ("blocklist/all.txt", "md5", 15)];
        assert_eq!(stopped(&limits(Some(50), false), &twice, &[("blocklist/md5.txt", "md5", 1)], &[]), [""; 0]);
    }

    #[test]
    fn folders_count_rules_and_unwanted_formats_may_go() {
        let names: Vec<String> = (0..40).map(|number| format!("sigma/{number}.yml")).collect();
        let rules: Vec<(&str, &str, u128)> = names.iter().map(|name| (name.as_str(), "rule", 1)).collect();
        let told = ["sigma/ from 40 to 10 rules"];
        assert_eq!(stopped(&limits(Some(50), false), &rules, &rules[..10], &[]), told);
        assert_eq!(stopped(&limits(Some(50), false), &[("blocklist/urls.txt", "url", 50)], &[], &[]), [""; 0]);
    }

    #[test]
    fn one_list_may_become_empty_and_not_all_that_there_is() {
        let before = [("blocklist/ipv4.txt", "ipv4", 1), ("blocklist/md5.txt", "md5", 2)];
        let careful = limits(Some(30), false);
        assert_eq!(stopped(&careful, &before, &before[..1], &["sigma"]), [""; 0]);
        assert_eq!(stopped(&careful, &before, &[], &["blocklist", "sigma"]), ["blocklist/ from 3 to 0 entries"]);
        assert_eq!(stopped(&limits(Some(30), true), &before, &[], &["blocklist"]), [""; 0]);
    }

    #[test]
    fn shares_and_factors_are_read_strictly() {
        assert_eq!(Limits::parse_shrink("30%"), Some(Some(30)));
        assert_eq!(Limits::parse_shrink("any"), Some(None));
        assert!(["101%", "half", "-1%", ""].iter().all(|text| Limits::parse_shrink(text).is_none()));
        assert_eq!(Limits::parse_grow("2.5"), Some(Some(2.5)));
        assert_eq!(Limits::parse_grow("any"), Some(None));
        assert!(["0.5", "inf", "NaN", "-3", ""].iter().all(|text| Limits::parse_grow(text).is_none()));
    }
}
