//! One pattern: from its text to each target's drafts.

use std::sync::Arc;

use crate::{
    diagnostic::{Diagnostic, Severity},
    guard::{
        self, Guard, Guarded, Policy, Side,
        breadth::{self, NAMES_NOTHING},
    },
    pattern::{ParseErrors, Pattern, Version, lenient},
    plan::{
        Plan, ResolvedPaths, check,
        fidelity::{Fidelity, Loss},
        lower,
    },
    report::Verdict,
    targets::contract::{Content, Lowered},
};

use super::{GUARDED_PART, NAMES_NOBODY, Prepared};

/// What became of a pattern in one target.
#[derive(Debug)]
pub enum Outcome {
    /// Rules.
    Rules(Content),
    /// None, for these reasons.
    Refused(Vec<Loss>),
    /// None, because the target has no place for anything that the pattern is about, for these reasons.
    NotApplicable(Vec<Loss>),
    /// None, because all that the pattern names is guarded, for these reasons.
    Guarded(Vec<Loss>),
    /// None, because the target's filter leaves out every indicator that has the pattern. Each of them has its own reason.
    Filtered,
}

impl Outcome {
    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Rules(Content::Compiled(lowered)) => Verdict::Rules(lowered.fidelity),
            Self::Rules(Content::Native(native)) if native.is_compiled => Verdict::Rules(Fidelity::EXACT),
            Self::Rules(Content::Native(_)) => Verdict::Unchecked,
            Self::Refused(_) => Verdict::Refused,
            Self::NotApplicable(_) => Verdict::NotApplicable,
            Self::Guarded(_) => Verdict::Guarded,
            Self::Filtered => Verdict::Filtered,
        }
    }

    /// What the rules don't say, or why there are none.
    #[must_use]
    pub fn losses(&self) -> &[Loss] {
        match self {
            Self::Rules(Content::Compiled(lowered)) => &lowered.losses,
            Self::Refused(reasons) | Self::NotApplicable(reasons) | Self::Guarded(reasons) => reasons,
            Self::Rules(Content::Native(native)) => &native.warnings,
            Self::Filtered => &[],
        }
    }

    /// Whether rules that would name nobody were taken out.
    fn misses_broad_rules(&self) -> bool {
        self.losses().iter().any(|loss| loss.code == NAMES_NOTHING && loss.effect != Fidelity::EXACT)
    }
}

/// A pattern, understood.
#[derive(Debug)]
pub struct Meaning {
    /// Its plan.
    pub plan: Plan,
    /// The plan as text.
    pub canonical: String,
}

/// Reads, repairs, checks and lowers a pattern; what was said about it, and its meaning unless there was an error. Lists of
/// the guard that are built in have their say, too.
///
/// ```
/// let (meaning, diagnostics) = stixc::convert::understand("[ipv4-addr:value = '10.0.0.1']", false);
/// let meaning = meaning.unwrap();
/// assert_eq!(meaning.canonical, "[ipv4-addr:value = '10.0.0.1']");
/// assert_eq!(diagnostics[0].code.0, "G001");
/// ```
#[must_use]
pub fn understand(text: &str, strict: bool) -> (Option<Meaning>, Vec<Diagnostic>) {
    let (meaning, mut diagnostics) = lower_text(text, strict);
    if let Some(meaning) = &meaning {
        let guard = Guard::builtin();
        // A guard without the user's wishes asks for no target's name.
        let policies = [Side::Blocking, Side::Detecting].map(|side| Policy::new(Arc::clone(&guard), "", side));
        let guarded: Vec<Guarded> = policies.iter().filter_map(|policy| guarded(&meaning.plan, policy)).collect();
        say(&guarded, &mut diagnostics);
    }
    (meaning, diagnostics)
}

/// The same, without a guard.
pub(super) fn lower_text(text: &str, strict: bool) -> (Option<Meaning>, Vec<Diagnostic>) {
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
    let canonical = plan.to_string();
    (Some(Meaning { plan, canonical }), diagnostics)
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

/// What became of a pattern in all targets.
#[derive(Debug, Default)]
pub struct Compiled {
    /// In each target, in their order.
    pub outcomes: Vec<Outcome>,
    /// What the guard said, once.
    pub diagnostics: Vec<Diagnostic>,
    /// The places of those of which the guard took anything.
    pub cut: Vec<usize>,
}

/// What becomes of a pattern in each target.
#[must_use]
pub fn compile(meaning: &Meaning, targets: &[Prepared]) -> Compiled {
    let mut compiled = Compiled::default();
    let mut all = Vec::new();
    // All targets of a run share a guard: of nearly all plans, one look is enough for them together.
    let mut free: Option<&Arc<Guard>> = None;
    for (place, prepared) in targets.iter().enumerate() {
        let policy = &prepared.policy;
        let is_free = free.is_some_and(|guard| Arc::ptr_eq(guard, policy.guard()));
        let guarded = if is_free { None } else { guarded(&meaning.plan, policy) };
        if guarded.is_none() {
            free = Some(policy.guard());
        }
        let outcome = outcome(meaning, guarded.as_ref(), prepared);
        if guarded.as_ref().is_some_and(|guarded| guarded.is_cut()) || outcome.misses_broad_rules() {
            compiled.cut.push(place);
        }
        compiled.outcomes.push(outcome);
        all.extend(guarded);
    }
    say(&all, &mut compiled.diagnostics);
    compiled
}

/// The plan as the guard leaves it for a target; `None` where no list has anything to say, which is so for nearly all.
pub(super) fn guarded(plan: &Plan, policy: &Policy) -> Option<Guarded> {
    policy.guard().touches(plan).then(|| policy.apply(plan.clone()))
}

/// Adds what was said for several targets, each once, in the order of the pattern.
fn say(guarded: &[Guarded], diagnostics: &mut Vec<Diagnostic>) {
    let mut said: Vec<&Diagnostic> = guarded.iter().flat_map(|one| one.cut.iter().chain(&one.kept)).collect();
    // What one target drops, another may keep with a warning: the stronger word is enough.
    said.sort_by(|one, other| (one.span, &one.message, other.code.0).cmp(&(other.span, &other.message, one.code.0)));
    for found in said {
        if !diagnostics.contains(found) {
            diagnostics.push(found.clone());
        }
    }
}

fn outcome(meaning: &Meaning, guarded: Option<&Guarded>, prepared: &Prepared) -> Outcome {
    let Some(guarded) = guarded else { return lowered(&meaning.plan, prepared) };
    let Some(plan) = &guarded.plan else {
        return match prepared.has_place(&meaning.plan) {
            true => Outcome::Guarded(reasons(guarded, meaning)),
            false => lowered(&meaning.plan, prepared),
        };
    };
    let mut outcome = lowered(plan, prepared);
    if let Outcome::Rules(Content::Compiled(lowered)) = &mut outcome {
        if guarded.is_cut() {
            cut(lowered, guarded, meaning);
        }
        let warned = guarded.kept.iter().filter(|found| found.severity == Severity::Warning);
        warned.for_each(|found| lowered.losses.push(loss(found, meaning)));
    }
    outcome
}

fn lowered(plan: &Plan, prepared: &Prepared) -> Outcome {
    match prepared.backend.lower(&breadth::split(&prepared.policy, plan)) {
        Ok(lowered) => Outcome::Rules(Content::Compiled(lowered)),
        Err(refusal) if refusal.reasons.iter().any(|reason| reason.code == NAMES_NOTHING) => {
            Outcome::Guarded(refusal.reasons)
        }
        Err(refusal) if prepared.has_place(plan) => Outcome::Refused(refusal.reasons),
        Err(refusal) => Outcome::NotApplicable(refusal.reasons),
    }
}

/// What the guard says, where it leaves nothing.
fn reasons(guarded: &Guarded, meaning: &Meaning) -> Vec<Loss> {
    if guarded.cut.is_empty() {
        let message = "it asks for ports, protocols or sizes alone, which name nobody".to_owned();
        return vec![Loss { code: NAMES_NOBODY, effect: Fidelity::NARROWER, message, span: meaning.plan.span() }];
    }
    guarded.cut.iter().map(|found| loss(found, meaning)).collect()
}

/// A word of the guard as a reason of a rule. What is kept takes nothing from what the rule means.
fn loss(found: &Diagnostic, meaning: &Meaning) -> Loss {
    Loss {
        code: found.code,
        effect: if found.code == guard::KEPT { Fidelity::EXACT } else { Fidelity::NARROWER },
        message: found.message.clone(),
        span: found.span.unwrap_or_else(|| meaning.plan.span()),
    }
}

/// Rules for a plan of which the guard took a part miss that part.
fn cut(lowered: &mut Lowered, guarded: &Guarded, meaning: &Meaning) {
    let more = match guarded.cut.len() {
        0 | 1 => String::new(),
        all => format!(", and {} more", all - 1),
    };
    let first = guarded.cut.first().map(|found| found.message.as_str()).unwrap_or_default();
    lowered.fidelity = lowered.fidelity | Fidelity::NARROWER;
    lowered.losses.push(Loss {
        code: GUARDED_PART,
        effect: Fidelity::NARROWER,
        message: format!("guarded values are left out: {first}{more}"),
        span: meaning.plan.span(),
    });
}
