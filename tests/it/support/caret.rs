//! Diagnostics as text, with the place marked under the line of the pattern.

use std::fmt::Write;

use stixc::{diagnostic::Diagnostic, span::Span};

/// One diagnostic: its message, the line it is about, a mark under the place, and the help.
pub fn render(text: &str, diagnostic: &Diagnostic) -> String {
    let mut out = format!("{diagnostic}\n");
    if let Some(span) = diagnostic.span {
        let (line, column) = span.line_column(text);
        let shown = text.lines().nth(line - 1).unwrap_or_default();
        let margin = line.to_string().len();
        let width = Span::slice(span, text).lines().next().unwrap_or_default().chars().count().max(1);
        let indent: String = shown.chars().take(column - 1).map(|c| if c == '\t' { c } else { ' ' }).collect();
        let _ = writeln!(out, "{:margin$} |", "");
        let _ = writeln!(out, "{line} | {}", shown.replace('\u{feff}', "\u{b7}"));
        let _ = writeln!(out, "{:margin$} | {indent}{}", "", "^".repeat(width));
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(out, "  help: {help}");
    }
    out
}
