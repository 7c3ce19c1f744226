//! `stixc explain`.

use std::{fmt::Write as _, sync::Arc};

use clap::Args;

use crate::{
    convert::{Converter, Prepared, Settings, understand},
    diagnostic::{Explanation, Severity},
    output::{Memory, is_bookkeeping},
    pattern::{
        ComparisonExpression, ComparisonKind, ObservationExpression, ObservationKind, Pattern, Version, lenient,
    },
    plan::{Condition, Observation, check, lower, normalise},
    report::IndicatorReport,
    stix::Timestamp,
    targets::{self, TARGETS},
};

use super::{
    display,
    exit::{Exit, Failure},
    guards::GuardArguments,
};

/// The longest line of an explanation.
const WIDTH: usize = 100;

/// Explain a pattern, or a code such as L001.
///
/// For a pattern: its syntax tree, the steps to its normal form, its plan, and for each target the verdict, what is lost
/// and the rule. For `codes`: a table of all codes; for a letter such as L: those of one stage.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// A pattern, a code such as L001, or `codes`
    #[arg(value_name = "PATTERN|CODE|codes")]
    what: String,
    /// Refuse odd spellings instead of repairing them with a warning
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    guard: GuardArguments,
}

impl Explain {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        if let Some(explanation) = targets::explain(&self.what.to_uppercase()) {
            let Explanation { title, text, example } = explanation;
            outln!("{}: {title}\n\n{}\n\nExample:\n{}", self.what.to_uppercase(), wrapped(text), example.trim_end());
            return Ok(Exit::Done);
        }
        if self.what.eq_ignore_ascii_case("codes") {
            return codes("");
        }
        if self.what.len() == 1 {
            return codes(&self.what.to_uppercase());
        }
        if is_code(&self.what) {
            return Err(Failure::usage(format!("no code {}", self.what), "codes are a letter and three digits: P001"));
        }
        self.pattern()
    }

    fn pattern(&self) -> Result<Exit, Failure> {
        let (meaning, diagnostics) = understand(&self.what, self.strict);
        diagnostics.iter().for_each(|found| display::diagnostic(found, "pattern", &self.what));
        let mut text = String::new();
        let mut is_read = false;
        if let Ok(mut reading) = lenient::read(&self.what, Version::Auto, self.strict) {
            if !self.strict {
                check::repair(&mut reading.pattern);
            }
            is_read = true;
            text.push_str("Syntax tree\n");
            syntax(&reading.pattern.expression, 1, &mut text);
            // What the type check refuses may have no plan that is worth a look.
            if !check::check(&reading.pattern).iter().any(|found| found.severity == Severity::Error) {
                steps(&reading.pattern, &mut text);
            }
        }
        let Some(meaning) = meaning else {
            out!("{}", visible_lines(&text));
            return Ok(if is_read { Exit::Findings } else { Exit::Usage });
        };
        text.push_str("\nPlan\n");
        observation(&meaning.plan.observation, 1, &mut text);
        _ = writeln!(text, "\nCanonical\n  {}\n", meaning.canonical);
        let guard = self.guard.guard()?;
        for target in TARGETS {
            let prepared = Prepared::with_guard(*target, None, None, Arc::clone(&guard))
                .map_err(|error| Failure::usage(format!("mapping of {}: {error}", target.name()), ""))?;
            text.push_str(&self.target(prepared)?);
        }
        out!("{}", visible_lines(&text));
        Ok(Exit::Done)
    }

    /// The verdict, the losses and the rules of one target.
    fn target(&self, prepared: Prepared) -> Result<String, Failure> {
        let target = prepared.target;
        let now = Timestamp::from_unix_seconds(0).map_err(|error| Failure::usage(error.to_string(), ""))?;
        let settings = Settings { strict: self.strict, ..Settings::new(vec![prepared], now) };
        let mut converter = Converter::new(&settings);
        converter.pattern("pattern", &self.what);
        let mut files = Memory::default();
        let renderer = targets::renderer(TARGETS, None).map_err(|error| Failure::usage(error.to_string(), ""))?;
        let mut finished = converter.finish(&renderer, &mut files);
        if let Some(failure) = finished.failures.pop() {
            return Err(failure.into());
        }
        let mut text = String::new();
        let Some(entry) =
            finished.indicators.first().and_then(|report: &IndicatorReport| report.targets.get(target.name()))
        else {
            return Ok(text);
        };
        _ = writeln!(text, "{}: {}", target.name(), entry.verdict.name());
        entry.losses.iter().for_each(|loss| _ = writeln!(text, "  {}", display::loss_line(loss, &self.what)));
        if entry.verdict.has_rules() {
            for (path, bytes) in &files.files {
                if is_bookkeeping(path) {
                    continue;
                }
                let body = String::from_utf8_lossy(bytes);
                let lines: Vec<&str> = body.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
                if !lines.is_empty() {
                    _ = writeln!(text, "  {path}");
                    lines.iter().for_each(|line| _ = writeln!(text, "    {line}"));
                }
            }
        }
        text.push('\n');
        Ok(text)
    }
}

/// Paragraphs in lines of at most [`WIDTH`] characters, as far as their words are no longer.
fn wrapped(text: &str) -> String {
    let paragraph = |text: &str| {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            match lines.last_mut() {
                Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines.join("\n")
    };
    text.trim().split("\n\n").map(paragraph).collect::<Vec<_>>().join("\n\n")
}

/// A table of the codes that begin with `letter`, one a line.
fn codes(letter: &str) -> Result<Exit, Failure> {
    let mut found = targets::catalogue().iter().filter(|(code, _)| code.starts_with(letter)).peekable();
    if found.peek().is_none() {
        return Err(Failure::usage(format!("no codes begin with {letter}"), "the letters are P, T, W, S, L, G and R"));
    }
    found.for_each(|(code, explanation)| outln!("{code}  {}", explanation.title));
    Ok(Exit::Done)
}

/// The steps from a plan as it is written to its normal form; nothing where it has it already.
fn steps(pattern: &Pattern<'_>, text: &mut String) {
    let written = lower::plain(pattern).plan;
    let steps = normalise::trace(written.clone());
    if steps.is_empty() {
        return;
    }
    _ = writeln!(text, "\nSteps to the normal form\n  as written\n    {written}");
    for normalise::Step { name, plan } in steps {
        _ = writeln!(text, "  {name}\n    {plan}");
    }
}

fn is_code(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, digits @ ..] if letter.is_ascii_alphabetic() && digits.len() == 3 && digits.iter().all(u8::is_ascii_digit))
}

fn visible_lines(text: &str) -> String {
    text.lines().flat_map(|line| [display::visible(line), "\n".to_owned()]).collect()
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

fn syntax(expression: &ObservationExpression<'_>, depth: usize, text: &mut String) {
    let pad = indent(depth);
    match &expression.kind {
        ObservationKind::Single(inner) => {
            _ = writeln!(text, "{pad}observation");
            comparison(inner, depth + 1, text);
        }
        ObservationKind::Combined { operator, operands } => {
            _ = writeln!(text, "{pad}{operator}");
            operands.iter().for_each(|operand| syntax(operand, depth + 1, text));
        }
        ObservationKind::Qualified { expression, qualifier } => {
            _ = writeln!(text, "{pad}{qualifier}");
            syntax(expression, depth + 1, text);
        }
    }
}

fn comparison(expression: &ComparisonExpression<'_>, depth: usize, text: &mut String) {
    let pad = indent(depth);
    match &expression.kind {
        ComparisonKind::Test(test) => _ = writeln!(text, "{pad}{test}"),
        ComparisonKind::Combined { operator, operands } => {
            _ = writeln!(text, "{pad}{operator}");
            operands.iter().for_each(|operand| comparison(operand, depth + 1, text));
        }
    }
}

fn observation(node: &Observation, depth: usize, text: &mut String) {
    let pad = indent(depth);
    let mut branch = |name: &str, operands: &[Observation]| {
        _ = writeln!(text, "{pad}{name}");
        operands.iter().for_each(|operand| observation(operand, depth + 1, text));
    };
    match node {
        Observation::Match(inner) => {
            _ = writeln!(text, "{pad}match");
            condition(inner, depth + 1, text);
        }
        Observation::All(operands, _) => branch("all", operands),
        Observation::Any(operands, _) => branch("any", operands),
        Observation::Then(operands, _) => branch("then", operands),
        Observation::Within { of, seconds, .. } => {
            branch(&format!("within {seconds} seconds"), std::slice::from_ref(of))
        }
        Observation::Repeat { of, times, .. } => branch(&format!("{times} times"), std::slice::from_ref(of)),
        Observation::During { of, start, stop, .. } => {
            branch(&format!("from {start} until {stop}"), std::slice::from_ref(of));
        }
    }
}

fn condition(node: &Condition, depth: usize, text: &mut String) {
    let pad = indent(depth);
    let mut branch = |name: &str, operands: &[Condition]| {
        _ = writeln!(text, "{pad}{name}");
        operands.iter().for_each(|operand| condition(operand, depth + 1, text));
    };
    match node {
        Condition::All(operands) => branch("all", operands),
        Condition::Any(operands) => branch("any", operands),
        Condition::Test(test) => _ = writeln!(text, "{pad}{test}"),
    }
}
