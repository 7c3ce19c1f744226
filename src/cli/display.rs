//! What people read: diagnostics with carets, the funnel, the verdicts.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use anstream::ColorChoice;

use crate::{
    diagnostic::{Diagnostic, Severity},
    plan::fidelity::Loss,
    report::{IndicatorReport, SourceDiagnostic, Summary, Verdict, Verdicts},
    span::Span,
};

use super::exit::Failure;

/// Longest piece of a pattern that is shown around a span, in bytes on each side.
const WINDOW: usize = 160;

/// Applies `--color`.
pub(super) fn choose_colours(choice: clap::ColorChoice) {
    match choice {
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    }
    .write_global();
}

/// Says why a run ends.
pub(super) fn failure(failure: &Failure) {
    let message = visible(&failure.message);
    let group = Level::ERROR.primary_title(message.as_str());
    if failure.help.is_empty() {
        errln!("{}", Renderer::styled().render(&[annotate_snippets::Group::with_title(group)]));
        return;
    }
    let help = visible(&failure.help);
    errln!("{}", Renderer::styled().render(&[group.element(Level::HELP.message(help.as_str()))]));
}

/// Prints a diagnostic of a pattern, with the pattern and a caret, to standard error.
pub(super) fn diagnostic(diagnostic: &Diagnostic, source: &str, pattern: &str) {
    errln!("{}", rendered(diagnostic, source, pattern));
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

/// A diagnostic of a pattern as text with styles.
pub(super) fn rendered(diagnostic: &Diagnostic, source: &str, pattern: &str) -> String {
    let level = level(diagnostic.severity);
    let message = visible(&diagnostic.message);
    let source = visible(source);
    let help = diagnostic.help.as_deref().map(visible);
    let title = level.primary_title(message.as_str()).id(diagnostic.code.0);
    let (shown, span) = window(pattern, diagnostic.span.unwrap_or_default());
    let mut group = title.element(
        Snippet::source(shown.as_str())
            .path(source.as_str())
            .annotation(AnnotationKind::Primary.span(span.start as usize..span.end as usize)),
    );
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    Renderer::styled().render(&[group])
}

/// The part of a long pattern around a span, on character borders, and the span within it.
fn window(pattern: &str, span: Span) -> (String, Span) {
    let border = |mut at: usize| {
        while !pattern.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = (span.start as usize).min(pattern.len());
    let end = (span.end as usize).clamp(start, pattern.len());
    let from = border(start.saturating_sub(WINDOW));
    let to = border((end.min(start + WINDOW) + WINDOW).min(pattern.len()));
    let ellipsis = |cut: bool| if cut { "…" } else { "" };
    let (before, after) = (ellipsis(from > 0), ellipsis(to < pattern.len()));
    let shown = format!("{before}{}{after}", &pattern[from..to]);
    (shown, Span::new(start - from + before.len(), end.min(to) - from + before.len()))
}

/// Prints a diagnostic of a file.
pub(super) fn source_diagnostic(found: &SourceDiagnostic) {
    let SourceDiagnostic { source, diagnostic } = found;
    let title = format!("{}: {}", visible(source), visible(&diagnostic.message));
    let title = level(diagnostic.severity).primary_title(title.as_str()).id(diagnostic.code.0);
    let help = diagnostic.help.as_deref().map(visible);
    let group = match &help {
        Some(help) => title.element(Level::HELP.message(help.as_str())),
        None => annotate_snippets::Group::with_title(title),
    };
    errln!("{}", Renderer::styled().render(&[group]));
}

/// Prints a diagnostic of a text file, with its line and a caret where it has a position.
#[cfg(all(feature = "store", feature = "taxii"))]
pub(super) fn in_file(diagnostic: &Diagnostic, path: &str, text: &str) {
    let (message, path) = (visible(&diagnostic.message), visible(path));
    let help = diagnostic.help.as_deref().map(visible);
    let title = Level::ERROR.primary_title(message.as_str()).id(diagnostic.code.0);
    let mut group = match diagnostic.span {
        Some(span) => title.element(
            Snippet::source(text)
                .path(path.as_str())
                .annotation(AnnotationKind::Primary.span(span.start as usize..(span.end as usize).min(text.len()))),
        ),
        None => annotate_snippets::Group::with_title(title),
    };
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    errln!("{}", Renderer::styled().render(&[group]));
}

/// Says why a feed is stale.
#[cfg(all(feature = "store", feature = "taxii"))]
pub(super) fn feed_failure(name: &str, error: &Diagnostic, state: &str) {
    let message = format!("{name}: {}", visible(&error.message));
    let help = error.help.as_deref().map(visible).unwrap_or_default();
    let title = Level::ERROR.primary_title(message.as_str()).id(error.code.0);
    let group = title.element(Level::NOTE.message(state));
    let group = if help.is_empty() { group } else { group.element(Level::HELP.message(help.as_str())) };
    errln!("{}", Renderer::styled().render(&[group]));
}

/// Prints what is wrong with an indicator.
pub(super) fn errors(report: &IndicatorReport) {
    let name = format!("{} {}", report.source, report.id);
    let errors = report.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    errors.for_each(|found| diagnostic(found, &name, &report.pattern));
}

/// Prints what the user should know about one indicator: why it has no rule, or what its rules don't say.
pub(super) fn indicator(report: &IndicatorReport) {
    let name = format!("{} {}", report.source, report.id);
    report.diagnostics.iter().for_each(|found| diagnostic(found, &name, &report.pattern));
    for (target, entry) in &report.targets {
        if entry.verdict == Verdict::Rules(crate::plan::fidelity::Fidelity::EXACT) && entry.losses.is_empty() {
            continue;
        }
        errln!("{}: {} is {}", visible(target), visible(&name), entry.verdict.name());
        entry.losses.iter().for_each(|loss| errln!("  {}", loss_line(loss, &report.pattern)));
    }
}

/// A loss in one line, with the part of the pattern that it is about.
pub(super) fn loss_line(loss: &Loss, pattern: &str) -> String {
    let about = visible(loss.span.slice(pattern));
    let about = if about.chars().count() > 60 { about.chars().take(60).chain(['…']).collect() } else { about };
    format!("{} {} ({}): {about}", loss.code, visible(&loss.message), loss.effect)
}

/// Prints the funnel and the verdicts of a run to standard error.
pub(super) fn summary(summary: &Summary) {
    err!("{}", summary_text(summary));
}

/// A column of the summary: its head, and what is counted in it.
type Column = (&'static str, fn(&Verdicts) -> usize);

/// The verdicts per target, then the funnel.
fn summary_text(summary: &Summary) -> String {
    let mut text = String::new();
    let mut columns: Vec<Column> = vec![
        ("exact", |verdicts| verdicts.exact),
        ("broader", |verdicts| verdicts.broader),
        ("narrower", |verdicts| verdicts.narrower),
        ("approximate", |verdicts| verdicts.approximate),
        ("refused", |verdicts| verdicts.refused),
        ("guarded", |verdicts| verdicts.guarded),
        ("n/a", |verdicts| verdicts.not_applicable),
    ];
    if summary.verdicts.values().any(|verdicts| verdicts.unchecked > 0) {
        columns.insert(4, ("unchecked", |verdicts| verdicts.unchecked));
    }
    if summary.verdicts.values().any(|verdicts| verdicts.filtered > 0) {
        columns.push(("filtered", |verdicts| verdicts.filtered));
    }
    let width = summary.verdicts.keys().map(|name| name.len()).max().unwrap_or_default();
    _ = write!(text, "{:width$}", "");
    columns.iter().for_each(|(name, _)| _ = write!(text, "  {name:>7}"));
    text.push('\n');
    for (name, verdicts) in &summary.verdicts {
        _ = write!(text, "{name:width$}");
        for (name, count) in &columns {
            _ = write!(text, "  {:>width$}", count(verdicts), width = name.len().max(7));
        }
        text.push('\n');
    }
    _ = write!(
        text,
        "indicators {} → valid {} → active {} → guarded {} → rendered {}",
        summary.indicators, summary.valid, summary.active, summary.guarded, summary.rendered
    );
    if let Some(first) = &summary.next_valid {
        let which = if summary.pending == 1 { "" } else { "the first " };
        _ = write!(text, "; not yet valid {}, {which}from {first} on", summary.pending);
    }
    text.push('\n');
    text
}

/// Feed text must not steer the terminal: control characters are shown, not sent.
pub(super) fn visible(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\t' => ' ',
            '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'),
            '\u{7f}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            other => other,
        })
        .collect()
}
