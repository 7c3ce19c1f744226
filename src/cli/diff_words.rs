//! The words of `stixc diff`, for people and for pull requests alike.

use crate::trace::{Cause, Change, Counts, Sort};

/// The sign of what has happened.
pub(super) fn sign(sort: Sort) -> &'static str {
    match sort {
        Sort::Added => "+",
        Sort::Removed => "-",
        Sort::Changed => "~",
        Sort::Reworded => "=",
    }
}

/// `2 added, 1 removed`.
pub(super) fn summary(counts: Counts) -> String {
    let all = [
        (counts.added, "added"),
        (counts.removed, "removed"),
        (counts.changed, "changed"),
        (counts.reworded, "reworded"),
    ];
    let parts: Vec<String> =
        all.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    parts.join(", ")
}

/// Why, in one line. `show` makes what feeds say harmless for where it is shown.
pub(super) fn why(cause: &Cause, show: impl Fn(&str) -> String) -> String {
    let mut text = cause.reason.name().to_owned();
    let parts = [
        (" (", &cause.details, ")"),
        (": ", &cause.indicator, ""),
        (" ", &cause.name, ""),
        (" from ", &cause.source, ""),
    ];
    // An indicator without a name is called by its id.
    let parts =
        parts.iter().filter(|(front, part, _)| !part.is_empty() && (*front != " " || **part != cause.indicator));
    for (front, part, end) in parts {
        text += &format!("{front}{}{end}", show(part));
    }
    text
}

/// `as before for 2 other indicators`, where there are any; and how many have another rule than before.
pub(super) fn others(change: &Change) -> impl Iterator<Item = String> {
    let way = match change.sort {
        Sort::Added => "moved here from another rule",
        Sort::Removed => "moved to another rule",
        Sort::Changed | Sort::Reworded => "moved between this rule and another",
    };
    let noun = |count| if count == 1 { "indicator" } else { "indicators" };
    let others = (change.others > 0).then(|| format!("as before for {} other {}", change.others, noun(change.others)));
    let moved = (change.moved > 0).then(|| format!("{way}: {} {}", change.moved, noun(change.moved)));
    others.into_iter().chain(moved)
}
