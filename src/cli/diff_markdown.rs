//! The difference as the text of a pull request.

use crate::trace::{Change, Diff};

use super::diff_words::{others, sign, summary, why};
use crate::cli::display::visible;

/// The longest text that GitHub takes for the body of a pull request, in characters.
const LIMIT: usize = 65_536;
/// Room for the last line, and for a note in front.
const LAST: usize = 1000;
/// The longest cell, in characters.
const CELL: usize = 300;
/// The most causes in a cell.
const CAUSES: usize = 5;

/// The whole text. It ends early rather than in the middle of a row, and then says how much is missing.
pub(super) fn page(diff: &Diff) -> String {
    if diff.is_empty() {
        return "No rule has changed.\n".to_owned();
    }
    let mut page = Page { text: String::new(), characters: 0 };
    for (target, counts) in &diff.counts {
        page.add(&format!("- **{target}**: {}\n", summary(*counts)));
    }
    let mut shown = 0;
    for target in diff.counts.keys() {
        let head = format!("\n### {target}\n\n| | rule | why |\n|---|---|---|\n");
        if !page.add(&head) {
            break;
        }
        let rows = diff.changes.iter().filter(|change| &change.label.target == target).map(row);
        shown += rows.map_while(|row| page.add(&row).then_some(())).count();
    }
    if shown < diff.changes.len() {
        page.text += &format!("\n{} more changes don't fit here: run `stixc diff`.\n", diff.changes.len() - shown);
    }
    page.text
}

struct Page {
    text: String,
    characters: usize,
}

impl Page {
    /// Adds this if there is room for it.
    fn add(&mut self, text: &str) -> bool {
        let count = text.chars().count();
        let fits = self.characters + count + LAST <= LIMIT;
        if fits {
            self.characters += count;
            self.text += text;
        }
        fits
    }
}

fn row(change: &Change) -> String {
    let title =
        if change.label.title.is_empty() { String::new() } else { format!("<br>{}", code(&change.label.title)) };
    let mut causes: Vec<String> = change.causes.iter().take(CAUSES).map(|cause| why(cause, code)).collect();
    if change.causes.len() > CAUSES {
        causes.push(format!("and {} more", change.causes.len() - CAUSES));
    }
    causes.extend(others(change));
    format!("| {} | {}{title} | {} |\n", sign(change.sort), code(&change.label.to_string()), causes.join("<br>"))
}

/// Feed text as code, in which nothing is markup, a link, a mention or an image (CommonMark, "Code spans"). The fence is
/// longer than any run of backticks in the text. A bar would end the cell of the table, so another sign stands for it.
fn code(text: &str) -> String {
    let mut shown: String = visible(text).chars().map(|sign| if sign == '|' { '¦' } else { sign }).take(CELL).collect();
    if text.chars().count() > CELL {
        shown.push('…');
    }
    let longest = shown.split(|sign| sign != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    // The blanks keep a backtick at an end apart from the fence, and are not shown.
    if shown.trim().is_empty() { String::new() } else { format!("{fence} {shown} {fence}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_code_ends_it() {
        assert_eq!(code("evil.example"), "` evil.example `");
        assert_eq!(code("`|`` @team\n\u{1b}"), "``` `¦`` @team \u{241b} ```");
        assert_eq!(code(" "), "");
        assert_eq!(code(&"x".repeat(1000)).chars().count(), CELL + 5);
    }
}
