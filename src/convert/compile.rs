//! One pattern: from its text to each target's drafts.

use crate::{
    diagnostic::{Diagnostic, Severity},
    guard,
    pattern::{ParseErrors, Pattern, Version, lenient},
    plan::{
        Plan, ResolvedPaths, check,
        fidelity::{Fidelity, Loss},
        lower,
    },
    report::Verdict,
    targets::contract::{Content, Lowered},
};

use super::{GUARDED_PART, Prepared};

/// What became of a pattern in one target.
#[derive(Debug)]
pub enum Outcome {
    /// Rules.
    Rules(Content),
    /// None, for these reasons.
    Refused(Vec<Loss>),
    /// None, because all that the pattern names is guarded, for these reasons.
    Guarded(Vec<Loss>),
}

impl Outcome {
    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Rules(Content::Compiled(lowered)) => Verdict::Rules(lowered.fidelity),
            Self::Rules(Content::Native(_)) => Verdict::Rules(Fidelity::EXACT),
            Self::Refused(_) => Verdict::Refused,
            Self::Guarded(_) => Verdict::Guarded,
        }
    }

    /// What the rules don't say, or why there are none.
    #[must_use]
    pub fn losses(&self) -> &[Loss] {
        match self {
            Self::Rules(Content::Compiled(lowered)) => &lowered.losses,
            Self::Refused(reasons) | Self::Guarded(reasons) => reasons,
            Self::Rules(Content::Native(_)) => &[],
        }
    }
}

/// A pattern, understood.
#[derive(Debug)]
pub struct Meaning {
    /// Its plan.
    pub plan: Plan,
    /// The plan as text.
    pub canonical: String,
    /// The plan without what is guarded, where anything is left.
    pub guarded: Option<Plan>,
    /// Whether the guard took anything.
    pub cut: bool,
    /// What the guard says, where it leaves nothing.
    pub guards: Vec<Loss>,
}

/// Reads, repairs, checks and lowers a pattern; what was said about it, and its meaning unless there was an error.
///
/// ```
/// let (meaning, diagnostics) = stixc::convert::understand("[ipv4-addr:value = '10.0.0.1']", false);
/// let meaning = meaning.unwrap();
/// assert_eq!(meaning.canonical, "[ipv4-addr:value = '10.0.0.1']");
/// assert!(meaning.guarded.is_none());
/// assert_eq!(diagnostics[0].code.0, "G001");
/// ```
#[must_use]
pub fn understand(text: &str, strict: bool) -> (Option<Meaning>, Vec<Diagnostic>) {
    let (pattern, paths, mut diagnostics) = match read(text, strict) {
        Ok(read) => read,
        Err(errors) => return (None, errors.to_diagnostics()),
    };
    diagnostics.extend(check::check_resolved(&pattern, &paths));
    if is_wrong(&diagnostics) {
        return (None, diagnostics);
    }
    let lowering = lower::lower_resolved(&pattern, &paths);
    diagnostics.extend(lowering.diagnostics);
    if is_wrong(&diagnostics) {
        return (None, diagnostics);
    }
    let plan = lowering.plan;
    let guarded = guard::apply(plan.clone());
    let guards = if guarded.plan.is_none() { reasons(&guarded.diagnostics, &plan) } else { Vec::new() };
    diagnostics.extend(guarded.diagnostics);
    let canonical = plan.to_string();
    (Some(Meaning { plan, canonical, guarded: guarded.plan, cut: guarded.cut, guards }), diagnostics)
}

/// What the guard says, as reasons for having no rule.
fn reasons(diagnostics: &[Diagnostic], plan: &Plan) -> Vec<Loss> {
    let reason = |found: &Diagnostic| Loss {
        code: found.code,
        effect: Fidelity::NARROWER,
        message: found.message.clone(),
        span: found.span.unwrap_or(plan.span()),
    };
    diagnostics.iter().map(reason).collect()
}

fn is_wrong(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// Reads and repairs a pattern. What was repaired is told in warnings; strictly read, in errors.
pub(super) fn read(text: &str, strict: bool) -> Result<(Pattern<'_>, ResolvedPaths, Vec<Diagnostic>), ParseErrors> {
    let lenient::Reading { mut pattern, mut repairs } = lenient::read(text, Version::Auto, strict)?;
    let paths = ResolvedPaths::new(&pattern);
    if !strict {
        repairs.extend(check::repair_resolved(&mut pattern, &paths));
    }
    Ok((pattern, paths, repairs))
}

/// What becomes of a pattern in each target, in their order.
#[must_use]
pub fn compile(meaning: &Meaning, targets: &[Prepared]) -> Vec<Outcome> {
    targets.iter().map(|prepared| outcome(meaning, prepared)).collect()
}

fn outcome(meaning: &Meaning, prepared: &Prepared) -> Outcome {
    let Some(plan) = &meaning.guarded else { return Outcome::Guarded(meaning.guards.clone()) };
    match prepared.backend.lower(plan) {
        Ok(lowered) if meaning.cut => Outcome::Rules(Content::Compiled(without_guarded(lowered, meaning))),
        Ok(lowered) => Outcome::Rules(Content::Compiled(lowered)),
        Err(refusal) => Outcome::Refused(refusal.reasons),
    }
}

/// Rules for a plan of which the guard took a part miss that part.
fn without_guarded(mut lowered: Lowered, meaning: &Meaning) -> Lowered {
    lowered.fidelity = lowered.fidelity | Fidelity::NARROWER;
    lowered.losses.push(Loss {
        code: GUARDED_PART,
        effect: Fidelity::NARROWER,
        message: "guarded values are left out".to_owned(),
        span: meaning.plan.span(),
    });
    lowered
}
