//! Plans without what is guarded.

use super::{Judgement, Policy, engine::address_in};
use crate::{
    diagnostic::Diagnostic,
    plan::{
        Condition, Node, Observation, Operator, Plan, Test, Value, ValueKind,
        schema::{PropertyType, Text},
    },
};

/// What the guard left of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Guarded {
    /// The plan without what is guarded; `None` where nothing is left.
    pub plan: Option<Plan>,
    /// What was taken out.
    pub cut: Vec<Diagnostic>,
    /// What was let through with a warning or a note.
    pub kept: Vec<Diagnostic>,
}

impl Guarded {
    /// Whether anything was taken out.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.plan.is_none() || !self.cut.is_empty()
    }
}

impl Policy {
    /// Takes guarded values out of a plan.
    ///
    /// ```
    /// use stixc::{guard::{Guard, Policy, Side}, pattern, plan::lower::lower};
    /// let plan = |text| lower(&pattern::parse(text).unwrap()).plan;
    /// let policy = Policy::new(Guard::builtin(), "blocklist", Side::Blocking);
    /// assert!(policy.apply(plan("[ipv4-addr:value = '192.168.0.1']")).plan.is_none());
    /// assert!(policy.apply(plan("[domain-name:value = 'co.uk']")).plan.is_none());
    /// let left = policy.apply(plan("[ipv4-addr:value IN ('10.0.0.1', '1.2.3.4')]"));
    /// assert_eq!(left.plan.unwrap().to_string(), "[ipv4-addr:value = '1.2.3.4']");
    /// ```
    #[must_use]
    pub fn apply(&self, plan: Plan) -> Guarded {
        let mut walk = Walk { policy: self, cut: Vec::new(), kept: Vec::new() };
        let observation = walk.observation(plan.observation);
        Guarded { plan: observation.map(|observation| Plan { observation }), cut: walk.cut, kept: walk.kept }
    }

    /// What becomes of a value of a test.
    pub(super) fn judge_test(&self, test: &Test, value: &Value) -> Judgement {
        if !matches!(test.operator, Operator::Equal | Operator::IsSubset) {
            return Judgement::Free;
        }
        match self.judge_as_address(test, value) {
            // Of a text there are no parts.
            Some(Judgement::Part(_, found)) => Judgement::Guarded(found),
            Some(judgement) => judgement,
            None => self.judge(value),
        }
    }

    /// An address in the place of a name or a URL is the same address.
    fn judge_as_address(&self, test: &Test, value: &Value) -> Option<Judgement> {
        let ValueKind::Text(text) = &value.kind else { return None };
        let PropertyType::String(Text::DomainName | Text::Url) = test.property.kind else { return None };
        let address = address_in(text)?;
        Some(self.judge(&Value { kind: ValueKind::Address(address), span: value.span }))
    }
}

struct Walk<'p> {
    policy: &'p Policy,
    cut: Vec<Diagnostic>,
    kept: Vec<Diagnostic>,
}

impl Walk<'_> {
    fn observation(&mut self, observation: Observation) -> Option<Observation> {
        Some(match observation {
            Observation::Match(condition) => Observation::Match(self.condition(condition)?),
            Observation::Any(operands, span) => {
                let mut left: Vec<_> = operands.into_iter().filter_map(|operand| self.observation(operand)).collect();
                match left.len() {
                    0 => return None,
                    1 => left.swap_remove(0),
                    _ => Observation::Any(left, span),
                }
            }
            several @ (Observation::All(..) | Observation::Then(..)) => return self.several(several),
            qualified => qualified.try_map_operands(|of| self.observation(of).ok_or(())).ok()?,
        })
    }

    /// Several observations are more evidence than an address alone, unless none of them is any.
    fn several(&mut self, several: Observation) -> Option<Observation> {
        let (Observation::All(operands, _) | Observation::Then(operands, _)) = &several else { return Some(several) };
        let mut alone = Walk { policy: self.policy, cut: Vec::new(), kept: Vec::new() };
        let mut has_evidence = false;
        for operand in operands {
            let warnings = alone.kept.len();
            has_evidence |= alone.observation(operand.clone()).is_some() && alone.kept.len() == warnings;
        }
        if has_evidence {
            return Some(several);
        }
        if alone.cut.is_empty() {
            // What is only warned of stays, with the warning.
            self.kept.append(&mut alone.kept);
            return Some(several);
        }
        self.cut.append(&mut alone.cut);
        None
    }

    fn condition(&mut self, condition: Condition) -> Option<Condition> {
        match condition {
            Condition::Test(test) => self.test(test).map(Condition::Test),
            Condition::Any(operands) => {
                let mut left: Vec<Condition> =
                    operands.into_iter().filter_map(|operand| self.condition(operand)).collect();
                match left.len() {
                    0 => None,
                    1 => Some(left.swap_remove(0)),
                    _ => Some(Condition::Any(left)),
                }
            }
            Condition::All(operands) => {
                let mut found = Vec::new();
                if operands.iter().any(|operand| self.is_evidence(operand, &mut found)) {
                    return Some(Condition::All(operands));
                }
                self.cut.append(&mut found);
                None
            }
        }
    }

    /// Whether an operand of AND says something that is worth a rule; if not, why not.
    fn is_evidence(&self, operand: &Condition, found: &mut Vec<Diagnostic>) -> bool {
        match operand {
            // Ports and protocols qualify an address; they name nobody.
            Condition::Test(test) if test.negated || test.property.is_detail() => false,
            Condition::Test(test) => {
                let judged = test.values.iter().map(|value| self.policy.judge_test(test, value));
                let guarded: Vec<Diagnostic> = judged
                    .filter_map(|judgement| match judgement {
                        Judgement::Guarded(found) => Some(found),
                        _ => None,
                    })
                    .collect();
                let evidence = test.values.is_empty() || guarded.len() < test.values.len();
                found.extend(guarded);
                evidence
            }
            Condition::All(operands) => operands.iter().any(|operand| self.is_evidence(operand, found)),
            Condition::Any(operands) => operands.iter().all(|operand| self.is_evidence(operand, found)),
        }
    }

    fn test(&mut self, mut test: Test) -> Option<Test> {
        if test.negated || test.values.is_empty() {
            return Some(test);
        }
        let mut left = Vec::with_capacity(test.values.len());
        for value in std::mem::take(&mut test.values) {
            match self.policy.judge_test(&test, &value) {
                Judgement::Free => left.push(value),
                Judgement::Kept(found) => {
                    self.kept.push(found);
                    left.push(value);
                }
                Judgement::Part(rest, found) => {
                    self.cut.push(found);
                    left.extend(rest.into_iter().map(|net| Value { kind: ValueKind::Address(net), span: value.span }));
                }
                Judgement::Guarded(found) => self.cut.push(found),
            }
        }
        test.values = left;
        (!test.values.is_empty()).then_some(test)
    }
}
