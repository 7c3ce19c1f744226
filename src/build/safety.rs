//! A list that protects something must not vanish because a feed did.

use std::fmt::Write as _;

use super::config::Guard;
use crate::output::Change;

/// Lists with fewer entries may shrink as they like: one that goes is much of them. They must not become empty, though.
const SMALL: usize = 20;

/// An output that would lose more than the guard allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shrunk {
    /// Its path; of a folder with a file for each rule, the folder's.
    pub path: String,
    /// Its entries (or files) as it is.
    pub before: usize,
    /// Its entries (or files) as it would be.
    pub after: usize,
}

/// The outputs that would shrink too much. `formats` are the paths of the formats that are wanted: what belongs to none of
/// them goes because the user wants it to. `files` counts the files that are there in a folder of a format.
pub(super) fn shrunk(
    guard: &Guard,
    changes: &[Change],
    formats: &[&str],
    files: impl Fn(&str) -> usize,
) -> Vec<Shrunk> {
    let mut found = Vec::new();
    for path in formats {
        let (before, after) = if path.ends_with('/') {
            let below = changes.iter().filter(|change| change.path.starts_with(path));
            let (mut new, mut gone) = (0, 0);
            below.for_each(|change| {
                new += usize::from(change.before.is_none());
                gone += usize::from(change.after.is_none());
            });
            let before = files(path);
            (before, (before + new).saturating_sub(gone))
        } else {
            let Some(change) = changes.iter().find(|change| change.path == *path) else { continue };
            (change.before.unwrap_or(0), change.after.unwrap_or(0))
        };
        if too_much(guard, before, after) {
            found.push(Shrunk { path: (*path).to_owned(), before, after });
        }
    }
    found
}

/// Whether the guard stops what would leave `after` of `before` entries.
pub(super) fn too_much(guard: &Guard, before: usize, after: usize) -> bool {
    if before == 0 || after >= before {
        return false;
    }
    if after == 0 && !guard.allow_empty {
        return true;
    }
    let lost = before - after;
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
        let found = shrunk(&guard(Some(30), false), &gone, &["sigma/"], |_| 40);
        assert_eq!(found, [Shrunk { path: "sigma/".to_owned(), before: 40, after: 10 }]);
        let removed = [change("blocklist/urls.txt", Some(50), None)];
        assert_eq!(shrunk(&guard(Some(30), false), &removed, &["blocklist/ipv4.txt"], |_| 0), []);
    }
}
