//! The normal form of a plan: what means the same looks the same.
//!
//! It is reached by [steps](STEPS), one file each, that are taken in turn until nothing changes. Each keeps the meaning
//! that [`evaluate`](crate::evaluate) gives the pattern, with these exceptions, which are readings of what feeds write:
//! hash text, DNS names, addresses, registry keys and the numbers of certificates are compared as the things they name (see [`value`](super::value)),
//! and a reference is taken to point to an object of the type that its value shows.
//!
//! | Step | Before | After |
//! |---|---|---|
//! | flatten | `(a AND b) AND c`, `x REPEATS 1 TIMES` | `a AND b AND c`, `x` |
//! | one pair of brackets | `[a] OR [b]` | `[a OR b]` |
//! | one spelling | `x NOT < 5`, `x ISSUBSET '192.0.2.1/32'`, `x NOT IN ()` | `x >= 5`, `x = '192.0.2.1'`, `EXISTS x` |
//! | implied types | `r.type = 'ipv4-addr' AND r.value = '192.0.2.1'` | `r.value = '192.0.2.1'` |
//! | sets | `x = 1 OR x = 2`, `x != 1 AND x != 2`, `x = 1 OR x != 1` | `x IN (1, 2)`, `x NOT IN (1, 2)`, `EXISTS x` |
//! | contradictions | `(x = 1 AND x = 2) OR y = 3`, `x > 5 AND x > 9` | `y = 3`, `x > 9` |
//! | order | `b OR a OR b` | `a OR b` |
//! | absorption | `a OR (a AND b)`, `a AND (a OR b)` | `a` |
//! | common parts | `(a AND b) OR (a AND c)` | `a AND (b OR c)` |
//! | observations | `[a] AND [a]`, `[a] OR ([a] AND [b])`, `([a] AND [b]) OR ([a] AND [c])` | `[a] REPEATS 2 TIMES`, `[a]`, `[a] AND [b OR c]` |
//!
//! `[a] AND [a]` asks for two observations, which is what `[a] REPEATS 2 TIMES` says. A path with `[*]` asks for some
//! element, also under NOT: `x[*] = 1 AND x[*] = 2` is no contradiction, and `x[*] != 1 AND x[*] != 2` no set.
//!
//! To find common parts, AND over OR is multiplied out, as long as that makes no more than [`EXPANSION`] alternatives;
//! what is larger stays as it is nested. A target that needs the disjunctive form makes it itself, with a budget and a
//! verdict of its own ([`adapt`](super::adapt)). All other steps take about as long as it takes to print the plan.

mod absorb;
mod bounds;
mod decide;
mod distribute;
mod equal;
mod flatten;
mod gather;
mod narrow;
mod never;
mod observe;
mod order;
mod places;
mod spelling;
mod types;

use super::{Condition, Node, Plan};
use crate::diagnostic::Diagnostic;

pub use never::{ALTERNATIVE_NEVER_HOLDS, NEVER_HOLDS};

/// How many alternatives AND over OR may have to be multiplied out in search of common parts.
pub const EXPANSION: usize = 256;

/// A step can make room for an earlier one. Each round leaves less to do; this many are never needed.
const ROUNDS: usize = 8;

/// A plan in normal form.
#[derive(Debug, Clone, PartialEq)]
pub struct Normal {
    /// The plan.
    pub plan: Plan,
    /// Parts that never hold: warnings for alternatives, which are left out, and an error for the whole pattern.
    pub diagnostics: Vec<Diagnostic>,
}

/// What one step made of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The name of the step.
    pub name: &'static str,
    /// The plan after it.
    pub plan: Plan,
}

/// What the steps say on their way.
#[derive(Debug, Default)]
struct Notes {
    diagnostics: Vec<Diagnostic>,
    /// An earlier step may find something new.
    again: bool,
    /// It was said that nothing matches.
    is_never: bool,
}

/// A step, and its name.
type Action = (&'static str, fn(Plan, &mut Notes) -> Plan);

/// The steps, in order.
const STEPS: [Action; 10] = [
    ("flatten", |plan, _| Plan { observation: flatten::observation(plan.observation) }),
    ("one pair of brackets", |plan, _| Plan { observation: flatten::join(plan.observation) }),
    ("one spelling", |plan, _| Plan { observation: spelling::observation(plan.observation) }),
    ("implied types", |plan, _| plan.map(types::condition)),
    ("sets", |plan, notes| shrink(plan, notes, |plan, _| plan.map(gather::condition))),
    ("contradictions", |plan, notes| shrink(plan, notes, |plan, notes| never::prune(plan, notes, narrow::condition))),
    ("order", |plan, notes| shrink(plan, notes, |plan, _| Plan { observation: order::observation(plan.observation) })),
    ("absorption", |plan, notes| plan.map(|condition| absorb::condition(condition, notes))),
    ("common parts", |plan, notes| never::prune(plan, notes, distribute::condition)),
    ("observations", observe::step),
];

/// Brings a plan into normal form.
#[must_use]
pub fn normalise(plan: Plan) -> Normal {
    run(plan, |_, _| ())
}

/// The steps that changed something on the way to the normal form, in order.
///
/// ```
/// use stixc::{pattern, plan::{lower, normalise}};
/// let pattern = pattern::parse("[file:name = 'b' OR file:name = 'a']").expect("a good pattern");
/// let steps = normalise::trace(lower::plain(&pattern).plan);
/// assert_eq!(steps[0].name, "sets");
/// assert_eq!(steps[0].plan.to_string(), "[file:name IN ('b', 'a')]");
/// assert_eq!(steps[1].name, "order");
/// assert_eq!(steps[1].plan.to_string(), "[file:name IN ('a', 'b')]");
/// ```
#[must_use]
pub fn trace(plan: Plan) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let first = plan.clone();
    run(plan, |name, plan| {
        if plan != steps.last().map_or(&first, |step| &step.plan) {
            steps.push(Step { name, plan: plan.clone() });
        }
    });
    steps
}

fn run(mut plan: Plan, mut watch: impl FnMut(&'static str, &Plan)) -> Normal {
    let mut notes = Notes::default();
    for _ in 0..ROUNDS {
        notes.again = false;
        for (name, action) in STEPS {
            plan = action(plan, &mut notes);
            watch(name, &plan);
        }
        if !notes.again {
            break;
        }
    }
    Normal { plan, diagnostics: notes.diagnostics }
}

/// A step that may remove something and so make room for an earlier one.
fn shrink(plan: Plan, notes: &mut Notes, step: fn(Plan, &mut Notes) -> Plan) -> Plan {
    let size =
        |plan: &Plan| plan.observation.size() + plan.observation.conditions().map(Condition::size).sum::<usize>();
    let before = size(&plan);
    let plan = step(plan, notes);
    notes.again |= size(&plan) != before;
    plan
}
