//! What must never be blocked or alerted on, whatever a feed says.
//!
//! The guard looks at each alternative of a plan. One that is nothing but guarded addresses or names is taken out; one
//! that has other evidence too (a hash, a file name, an address outside the guarded ranges) stays as it is, for there a
//! private address only narrows it.

mod ranges;

use ipnet::IpNet;
use psl::Psl;

use crate::{
    diagnostic::{Code, Diagnostic},
    plan::{Condition, DomainName, Node, Observation, Operator, Plan, Test, Value, ValueKind, value::Host},
};

pub use ranges::{Range, SPECIAL_PURPOSE};

/// An address in a range that is not somebody's on the Internet: private, loopback, multicast and so on.
pub const SPECIAL_RANGE: Code = Code("G001");
/// A prefix so short that it holds much of the Internet.
pub const TOO_WIDE: Code = Code("G002");
/// A public suffix: everybody's parent domain.
pub const PUBLIC_SUFFIX: Code = Code("G003");
/// A documentation address: kept, but surely an example.
pub const DOCUMENTATION: Code = Code("G010");

/// Shortest IPv4 prefix that may be emitted.
const MIN_PREFIX_V4: u8 = 8;
/// Shortest IPv6 prefix that may be emitted.
const MIN_PREFIX_V6: u8 = 19;

/// What the guard left of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Guarded {
    /// The plan without what is guarded; `None` where nothing is left.
    pub plan: Option<Plan>,
    /// What was taken out, and what was let through with a note.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether anything was taken out.
    pub cut: bool,
}

/// Takes guarded values out of a plan.
///
/// ```
/// use stixc::{guard, pattern, plan::lower::lower};
/// let plan = |text| lower(&pattern::parse(text).unwrap()).plan;
/// assert!(guard::apply(plan("[ipv4-addr:value = '192.168.0.1']")).plan.is_none());
/// assert!(guard::apply(plan("[domain-name:value = 'co.uk']")).plan.is_none());
/// let left = guard::apply(plan("[ipv4-addr:value IN ('10.0.0.1', '1.2.3.4')]"));
/// assert_eq!(left.plan.unwrap().to_string(), "[ipv4-addr:value = '1.2.3.4']");
/// ```
#[must_use]
pub fn apply(plan: Plan) -> Guarded {
    let mut diagnostics = Vec::new();
    let mut cut = false;
    let observation = observe(plan.observation, &mut diagnostics, &mut cut);
    Guarded { plan: observation.map(|observation| Plan { observation }), diagnostics, cut }
}

fn observe(observation: Observation, notes: &mut Vec<Diagnostic>, cut: &mut bool) -> Option<Observation> {
    Some(match observation {
        Observation::Match(condition) => Observation::Match(guard_condition(condition, notes, cut)?),
        Observation::Any(operands, span) => {
            let mut left: Vec<_> = operands.into_iter().filter_map(|operand| observe(operand, notes, cut)).collect();
            match left.len() {
                0 => return None,
                1 => left.swap_remove(0),
                _ => Observation::Any(left, span),
            }
        }
        // Several observations are more evidence than an address alone.
        several @ (Observation::All(..) | Observation::Then(..)) => several,
        qualified => qualified.try_map_operands(|of| observe(of, notes, cut).ok_or(())).ok()?,
    })
}

fn guard_condition(condition: Condition, notes: &mut Vec<Diagnostic>, cut: &mut bool) -> Option<Condition> {
    match condition {
        Condition::Test(test) => guard_test(test, notes, cut).map(Condition::Test),
        Condition::Any(operands) => {
            let operands = operands.into_iter().filter_map(|operand| guard_condition(operand, notes, cut));
            let mut left: Vec<Condition> = operands.collect();
            match left.len() {
                0 => None,
                1 => Some(left.swap_remove(0)),
                _ => Some(Condition::Any(left)),
            }
        }
        Condition::All(operands) => {
            let mut found = Vec::new();
            if operands.iter().any(|operand| is_evidence(operand, &mut found)) {
                return Some(Condition::All(operands));
            }
            *cut = true;
            notes.append(&mut found);
            None
        }
    }
}

/// Whether an operand of AND says something that is worth a rule; if not, why not.
fn is_evidence(operand: &Condition, found: &mut Vec<Diagnostic>) -> bool {
    match operand {
        // Ports and protocols qualify an address; they name nobody.
        Condition::Test(test) if test.negated || test.property.is_detail() => false,
        Condition::Test(test) => {
            let guarded: Vec<Diagnostic> =
                test.values.iter().filter_map(|value| verdict(value, test.operator)).collect();
            let evidence = test.values.is_empty() || guarded.len() < test.values.len();
            found.extend(guarded);
            evidence
        }
        Condition::All(operands) => operands.iter().any(|operand| is_evidence(operand, found)),
        Condition::Any(operands) => operands.iter().all(|operand| is_evidence(operand, found)),
    }
}

fn guard_test(mut test: Test, notes: &mut Vec<Diagnostic>, cut: &mut bool) -> Option<Test> {
    if test.negated || test.values.is_empty() {
        return Some(test);
    }
    let operator = test.operator;
    test.values.retain(|value| match verdict(value, operator) {
        Some(found) => {
            notes.push(found);
            *cut = true;
            false
        }
        None => {
            notes.extend(documentation(value));
            true
        }
    });
    (!test.values.is_empty()).then_some(test)
}

/// Why a value must not be emitted, if so.
fn verdict(value: &Value, operator: Operator) -> Option<Diagnostic> {
    if !matches!(operator, Operator::Equal | Operator::IsSubset) {
        return None;
    }
    let guarded = |code, message: String| Some(Diagnostic::warning(code, message).at(value.span));
    match &value.kind {
        ValueKind::Address(net) => guard_net(*net).and_then(|(code, message)| guarded(code, message)),
        ValueKind::Domain(name) => guard_name(name).and_then(|(code, message)| guarded(code, message)),
        ValueKind::Url(url) => match &url.host {
            Host::Address(address) => guard_net((*address).into()).and_then(|(code, message)| guarded(code, message)),
            // A URL below a shared host names one page of it, not the host.
            Host::Domain(_) => None,
        },
        _ => None,
    }
}

fn guard_net(net: IpNet) -> Option<(Code, String)> {
    let shortest = if net.addr().is_ipv4() { MIN_PREFIX_V4 } else { MIN_PREFIX_V6 };
    if net.prefix_len() < shortest {
        return Some((
            TOO_WIDE,
            format!("{} holds too much of the Internet: no prefix shorter than /{shortest}", ValueKind::Address(net)),
        ));
    }
    let range = ranges::overlapping(net).find(|range| !range.documentation)?;
    let relation = if range.net().contains(&net) { "is in" } else { "holds" };
    Some((SPECIAL_RANGE, format!("{} {relation} {} ({})", ValueKind::Address(net), range.prefix, range.name)))
}

fn guard_name(name: &DomainName) -> Option<(Code, String)> {
    let bytes = name.as_str().as_bytes();
    let suffix = psl::List.suffix(bytes)?;
    (suffix.as_bytes() == bytes)
        .then(|| (PUBLIC_SUFFIX, format!("{name} is a public suffix: names below it belong to many owners")))
}

fn documentation(value: &Value) -> Option<Diagnostic> {
    let ValueKind::Address(net) = &value.kind else { return None };
    let range = ranges::overlapping(*net).find(|range| range.documentation)?;
    Some(
        Diagnostic::note(DOCUMENTATION, format!("{} is in {} ({})", value.kind, range.prefix, range.name))
            .at(value.span),
    )
}
