//! From a plan to signatures.

use std::sync::Arc;

use crate::{
    plan::{
        Condition, Observation, Plan, Test,
        adapt::{self, Accept, Capabilities, Fit, NO_PLACE, NOT_ACCEPTED, Part, Ties},
        fidelity::{Fidelity, Loss},
    },
    span::Span,
    targets::contract::{Backend, Emission, EmitError, Lowered, Refusal, Rule},
};

use super::{
    emit,
    fragment::{DIRECTION, Fragment, together},
    lock::SidRange,
    pieces::{Pieces, repeats_packets, span},
    place::{FlowSide, Mapping, Source, Traffic},
    signature::{Body, Signature},
    test::lower_test,
    text::RuleText,
    xbits,
};

/// The time in which several observations have to lie where the pattern names none, in seconds: an hour.
const WINDOW: u64 = 3600;

/// The mapping, ready to lower plans.
pub struct Lowerer {
    mapping: Mapping,
    accept: Accept,
    sids: SidRange,
    /// The data sources of the mapping, each shared by all of its signatures.
    sources: Vec<Arc<Source>>,
}

impl Lowerer {
    /// With a mapping that was read, the verdicts that the user accepts, and the numbers that rules may get.
    pub fn new(mapping: Mapping, accept: Accept, sids: SidRange) -> Self {
        let sources = mapping.data_sources().iter().cloned().map(Arc::new).collect();
        Self { mapping, accept, sids, sources }
    }

    fn fit(&self, source: usize, test: &Test, wants_options: bool) -> Fit<Fragment> {
        let mut rows = self.mapping.rows(source, test).filter(|row| !(wants_options && row.place.is_header()));
        let Some(first) = rows.next() else {
            return Fit::Lacks(NO_PLACE, self.why_not(source, test));
        };
        rows.fold(lower_test(first, test), |fit, row| either(fit, lower_test(row, test), test.negated))
    }

    fn why_not(&self, source: usize, test: &Test) -> String {
        let path = &test.property.path;
        match self.mapping.reason(path) {
            Some(reason) => format!("{path}: {reason}"),
            None => format!("{path} is not seen in the same rule ({})", self.traffic(source).about),
        }
    }

    /// Whether a test is seen in the options of rules, and not in their headers only.
    fn has_options(&self, test: &Test) -> bool {
        let mut sources = 0..self.sources.len();
        sources.any(|source| self.mapping.rows(source, test).any(|row| !row.place.is_header()))
    }
}

/// Two rows for a property: either will do; where the test is negated, both.
fn either(left: Fit<Fragment>, right: Fit<Fragment>, negated: bool) -> Fit<Fragment> {
    match (left, right) {
        (
            Fit::Holds { by: Fragment::Options(mut options), weak, loss },
            Fit::Holds { by: Fragment::Options(more), weak: other_weak, loss: other_loss },
        ) => {
            options.extend(more);
            Fit::Holds {
                by: Fragment::Options(together(options, negated)),
                weak: weak && other_weak,
                loss: loss.or(other_loss),
            }
        }
        (holds @ Fit::Holds { .. }, _) | (Fit::Lacks(..), holds) => holds,
    }
}

impl Backend for Lowerer {
    type Draft = Body;

    fn lower(&self, plan: &Plan) -> Result<Lowered<Body>, Refusal> {
        // Where the pattern asks for nothing but addresses, ports and protocols, the data sources of the application
        // protocols would only repeat the rule.
        let headers_only = !any_test(&plan.observation, &mut |test| self.has_options(test));
        let fit = |source: usize, test: &_| {
            self.fit(source, test, headers_only && self.traffic(source).seen != FlowSide::Packets)
        };
        let ties = Ties {
            by: "the same host",
            key: &|_| Some(0),
            apart: &|left, right| self.are_apart(left, right),
            window: WINDOW,
        };
        let capabilities = Capabilities { scenes: self.sources.len(), accept: self.accept, ties: Some(ties) };
        let adapted = adapt::adapt(plan, capabilities, fit).map_err(|reasons| Refusal { reasons })?;
        let mut lost = Vec::new();
        let mut drafts = Vec::new();
        for part in adapted.parts {
            match self.rules(part) {
                Ok((bodies, loss)) => {
                    lost.extend(loss);
                    drafts.extend(bodies.into_iter().map(Box::new));
                }
                Err(loss) => lost.push(loss),
            }
        }
        for sequence in adapted.sequences {
            let (signatures, more) = xbits::rules(&self.sources, sequence);
            lost.extend(more);
            drafts.extend(signatures.into_iter().map(Body::Signature).map(Box::new));
        }
        let fidelity = lost.iter().fold(adapted.fidelity, |all, loss| all | loss.effect);
        let mut losses = adapted.losses;
        losses.append(&mut lost);
        losses.sort_by(|left, right| (left.span, left).cmp(&(right.span, right)));
        losses.dedup();
        if drafts.is_empty() || !self.accept.allows(fidelity) {
            if !self.accept.allows(fidelity) {
                let message = format!("the rule would be {fidelity}, which is not accepted for this target");
                let span = losses.iter().map(|loss| loss.span).reduce(Span::to).unwrap_or_default();
                losses.push(Loss { code: NOT_ACCEPTED, effect: fidelity, message, span });
            }
            return Err(Refusal { reasons: losses });
        }
        Ok(Lowered { fidelity, losses: losses.into(), drafts: drafts.into() })
    }

    fn emit(&self, rules: &[Rule<Body>], emission: &mut dyn Emission) -> Result<(), EmitError> {
        emit::emit(rules, self.sids, emission)
    }
}

impl Lowerer {
    fn traffic(&self, source: usize) -> &Traffic {
        &self.sources[source].data
    }

    /// Whether no conversation is of both data sources: a file comes in one, and each has addresses.
    fn are_apart(&self, left: usize, right: usize) -> bool {
        let application = |traffic: &Traffic| !matches!(traffic.seen, FlowSide::Packets | FlowSide::Either);
        let (left, right) = (self.traffic(left), self.traffic(right));
        application(left) && application(right) && left.protocol != right.protocol
    }

    /// The rules of one part, and what was lost while they were put together.
    fn rules(&self, part: Part<'_, Fragment>) -> Result<(Vec<Body>, Option<Loss>), Loss> {
        let source = &self.sources[part.scene];
        let traffic = &source.data;
        if repeats_packets(traffic, &part) {
            return Ok((Vec::new(), None));
        }
        let (span, alternative) = (span(&part), part.alternative);
        let (pieces, loss) = Pieces::new(part)?;
        if pieces.is_list_only() {
            let hashes = pieces.hashes.into_iter().flat_map(|list| list.hashes);
            return Ok((hashes.map(Body::Listed).collect(), loss));
        }
        // Network traffic is what "originates from a source and is addressed to a destination" (STIX 2.1, section 6.12): a
        // packet that answers X is traffic to X. So a rule for packets says what the pattern says. A file goes either way.
        let directed = traffic.seen == FlowSide::Either && pieces.header.source != pieces.header.destination;
        let loss = loss.or_else(|| {
            let message = "the rule does not tell which end sends the file".to_owned();
            directed.then_some(Loss { code: DIRECTION, effect: Fidelity::BROADER, message, span })
        });
        let variants = pieces.variants(traffic, false, |header| header.texts(&traffic.protocol, traffic.seen));
        let variants = variants.map_err(|error| error.loss(span))?;
        let several = variants.len() > 1;
        let signature = |(number, (header, options)): (usize, (RuleText, RuleText))| {
            let number = if several { format!(".{number}") } else { String::new() };
            Body::Signature(Signature {
                slot: format!("{}.{alternative}{number}", source.name),
                header,
                options,
                lists: pieces.hashes.clone(),
                source: Arc::clone(source),
            })
        };
        Ok((variants.into_iter().enumerate().map(signature).collect(), loss))
    }
}

/// Whether a test of the tree is so.
fn any_test(observation: &Observation, is: &mut impl FnMut(&Test) -> bool) -> bool {
    match observation {
        Observation::Match(condition) => any_in(condition, is),
        Observation::All(operands, _) | Observation::Any(operands, _) | Observation::Then(operands, _) => {
            operands.iter().any(|operand| any_test(operand, is))
        }
        Observation::Within { of, .. } | Observation::Repeat { of, .. } | Observation::During { of, .. } => {
            any_test(of, is)
        }
    }
}

fn any_in(condition: &Condition, is: &mut impl FnMut(&Test) -> bool) -> bool {
    match condition {
        Condition::Test(test) => is(test),
        Condition::All(operands) | Condition::Any(operands) => operands.iter().any(|operand| any_in(operand, is)),
    }
}
