//! A list that protects something must not vanish because a feed did.

use std::fmt::Write as _;

use super::config::Guard;
use crate::output::{Change, is_bookkeeping};

/// Lists with fewer entries may shrink as they like: one that goes is much of them.
const SMALL: usize = 20;

/// An output that would lose more than the guard allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shrunk {
    /// Its path; of a folder with a file for each rule, and of a target without any rule left, the folder's.
    pub path: String,
    /// Its entries (or files) as it is.
    pub before: usize,
    /// Its entries (or files) as it would be.
    pub after: usize,
}

/// The outputs that would shrink too much. `formats` are the paths of the formats that are wanted: what belongs to none of
/// them goes because the user wants it to. `without_rules` are the targets for which nothing is left: one of several lists
/// may become empty, all that a target has may not. `files` counts the files that are there in a folder of a format.
pub(super) fn shrunk(
    guard: &Guard,
    changes: &[Change],
    formats: &[&str],
    without_rules: &[&str],
    files: impl Fn(&str) -> usize,
) -> Vec<Shrunk> {
    let sizes: Vec<(&str, usize, usize)> =
        formats.iter().filter_map(|path| sizes(changes, path, &files).map(|(old, new)| (*path, old, new))).collect();
    let shrunk = |path: &str, before, after| Shrunk { path: path.to_owned(), before, after };
    let much = sizes.iter().filter(|(_, before, after)| loses_much(guard, *before, *after));
    let mut found: Vec<Shrunk> = much.map(|(path, before, after)| shrunk(path, *before, *after)).collect();
    for target in without_rules.iter().filter(|_| !guard.allow_empty) {
        let folder = format!("{target}/");
        let of_it = sizes.iter().filter(|(path, before, after)| path.starts_with(&folder) && after < before);
        // Some formats have lines that are no entries, and keep them.
        let lost = of_it.map(|(_, before, after)| before - after).sum();
        if lost > 0 && !found.iter().any(|one| one.path.starts_with(&folder)) {
            found.push(shrunk(&folder, lost, 0));
        }
    }
    found
}

/// Entries of a format, or files, before and after; `None` where nothing changes.
fn sizes(changes: &[Change], path: &str, files: &impl Fn(&str) -> usize) -> Option<(usize, usize)> {
    if !path.ends_with('/') {
        let change = changes.iter().find(|change| change.path == path)?;
        return Some((change.before.unwrap_or(0), change.after.unwrap_or(0)));
    }
    let (mut new, mut gone) = (0, 0);
    for change in changes.iter().filter(|change| is_rule_file(&change.path, path)) {
        new += usize::from(change.before.is_none());
        gone += usize::from(change.after.is_none());
    }
    let before = files(path);
    Some((before, (before + new).saturating_sub(gone)))
}

/// Whether a file in a folder of a format is a rule's.
pub(super) fn is_rule_file(path: &str, folder: &str) -> bool {
    path.starts_with(folder) && !is_bookkeeping(path)
}

/// Whether the guard stops a feed that would have `after` of `before` indicators.
pub(super) fn too_much(guard: &Guard, before: usize, after: usize) -> bool {
    (before > 0 && after == 0 && !guard.allow_empty) || loses_much(guard, before, after)
}

fn loses_much(guard: &Guard, before: usize, after: usize) -> bool {
    let lost = before.saturating_sub(after);
    guard.max_shrink.is_some_and(|percent| before >= SMALL && lost * 100 > before * usize::from(percent))
}

/// What to say of them.
pub(super) fn told(shrunk: &[Shrunk]) -> String {
    let mut text = String::from("nothing was written, for the outputs would shrink too much:");
    for Shrunk { path, before, after } in shrunk {
        // Writing to a String can't fail.
        _ = write!(text, " {path} from {before} to {after};");
    }
    text.trim_end_matches(';').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(max_shrink: Option<u8>, allow_empty: bool) -> Guard {
        Guard { max_shrink, allow_empty }
    }

    #[test]
    fn the_guard_looks_at_what_is_lost() {
        let careful = guard(Some(30), false);
        for (before, after, stops) in
            [(0, 0, false), (100, 70, false), (100, 69, true), (100, 200, false), (10, 1, false), (1, 0, true)]
        {
            assert_eq!(too_much(&careful, before, after), stops, "{before} to {after}");
        }
        assert!(!too_much(&guard(None, false), 100, 1));
        assert!(!too_much(&guard(None, true), 100, 0));
        assert!(too_much(&guard(Some(30), true), 100, 0));
    }

    #[test]
    fn folders_count_files_and_unwanted_formats_may_go() {
        let change = |path: &str, before, after| Change { path: path.to_owned(), before, after };
        let gone: Vec<Change> = (0..30).map(|number| change(&format!("sigma/{number}.yml"), Some(9), None)).collect();
        let found = shrunk(&guard(Some(30), false), &gone, &["sigma/"], &[], |_| 40);
        assert_eq!(found, [Shrunk { path: "sigma/".to_owned(), before: 40, after: 10 }]);
        let removed = [change("blocklist/urls.txt", Some(50), None)];
        assert_eq!(shrunk(&guard(Some(30), false), &removed, &["blocklist/ipv4.txt"], &[], |_| 0), []);
    }

    #[test]
    fn one_list_may_become_empty_and_not_all_that_there_is() {
        let change =
            |path: &str, before, after| Change { path: path.to_owned(), before: Some(before), after: Some(after) };
        let changes = [change("blocklist/ipv6.txt", 1, 0), change("blocklist/stixc.nft", 9, 7)];
        let formats = ["blocklist/ipv4.txt", "blocklist/ipv6.txt", "blocklist/stixc.nft", "yara/stixc.yar"];
        let stopped = |without: &[&str], guard: Guard| shrunk(&guard, &changes, &formats, without, |_| 0);
        assert_eq!(stopped(&["yara"], guard(Some(30), false)), []);
        let emptied = Shrunk { path: "blocklist/".to_owned(), before: 3, after: 0 };
        assert_eq!(stopped(&["blocklist", "yara"], guard(Some(30), false)), [emptied]);
        assert_eq!(stopped(&["blocklist", "yara"], guard(Some(30), true)), []);
    }
}
