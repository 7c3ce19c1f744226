//! From a plan to signatures.

use std::{collections::BTreeSet, mem, sync::Arc};

use crate::{
    plan::{
        Plan, Test,
        adapt::{self, Fit, NO_PLACE, Part, Ties},
        fidelity::{Fidelity, Loss},
    },
    targets::contract::{Backend, Emission, EmitError, Lowered, Options, Refusal, Rule},
};

use super::{
    emit,
    fragment::{DIRECTION, Fragment, together},
    header::Written,
    lock::SidRange,
    packets,
    pieces::{Pieces, Variant, repeats_packets},
    place::{FlowSide, Mapping, Source, Traffic},
    signature::{Body, Signature},
    test::lower_test,
    xbits,
};
#[cfg(feature = "witness")]
use crate::targets::proof::{Exported, File, Tested, export};

/// The mapping, ready to lower plans.
pub struct Lowerer {
    mapping: Mapping,
    options: Options,
    sids: SidRange,
    /// The data sources of the mapping, each shared by all of its signatures.
    sources: Vec<Arc<Source>>,
}

impl Lowerer {
    /// With a mapping that was read, what the user asked for, and the numbers that rules may get.
    pub fn new(mapping: Mapping, options: Options, sids: SidRange) -> Self {
        let sources = mapping.data_sources().iter().cloned().map(Arc::new).collect();
        Self { mapping, options, sids, sources }
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

    #[cfg(feature = "witness")]
    fn export(&self, tested: Vec<Tested<'_>>, written: &[File]) -> Option<Exported> {
        Some(export(super::export::Captures::default(), tested, written))
    }

    fn lower(&self, plan: &Plan) -> Result<Lowered<Body>, Refusal> {
        // Where the pattern asks for nothing but addresses, ports and protocols, the data sources of the application
        // protocols would only repeat the rule.
        let headers_only = !plan.tests().any(|test| self.has_options(test));
        let fit = |source: usize, test: &_| {
            self.fit(source, test, headers_only && self.traffic(source).seen != FlowSide::Packets)
        };
        let ties = Ties {
            by: "the same host",
            key: &|_| Some(0),
            apart: &|left, right| self.are_apart(left, right),
            window: super::WINDOW,
        };
        let capabilities = self.options.capabilities(self.sources.len(), Some(ties));
        let mut adapted = adapt::adapt(plan, capabilities, fit)?;
        let mut lost = Vec::new();
        let mut drafts = Vec::new();
        for part in mem::take(&mut adapted.parts) {
            match self.rules(part) {
                Ok((bodies, loss)) => {
                    lost.extend(loss);
                    drafts.extend(bodies.into_iter().map(Box::new));
                }
                Err(loss) => lost.push(loss),
            }
        }
        for sequence in mem::take(&mut adapted.sequences) {
            let (signatures, more) = xbits::rules(&self.sources, sequence);
            lost.extend(more);
            drafts.extend(signatures.into_iter().map(Body::Signature).map(Box::new));
        }
        let (fidelity, losses) = adapted.finish(lost, !drafts.is_empty())?;
        Ok(Lowered { fidelity, losses: losses.into(), drafts: drafts.into() })
    }

    fn object_types(&self) -> Option<BTreeSet<String>> {
        Some(self.mapping.object_types())
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
        let source = &self.sources[part.source];
        let traffic = &source.data;
        if repeats_packets(traffic, &part) {
            return Ok((Vec::new(), None));
        }
        let (span, alternative) = (part.span(), part.alternative);
        let (pieces, loss) = Pieces::new(part)?;
        if pieces.is_list_only() {
            let hashes = pieces.hashes.into_iter().flat_map(|list| list.hashes);
            return Ok((hashes.map(Body::Listed).collect(), loss));
        }
        // Whoever opened a conversation, a file goes either way.
        let directed = traffic.seen == FlowSide::Either && pieces.header.source != pieces.header.destination;
        let loss = loss.or_else(|| {
            let message = "the rule does not tell which end sends the file".to_owned();
            directed.then_some(Loss { code: DIRECTION, effect: Fidelity::BROADER, message, span })
        });
        let variants = pieces.variants(traffic, |header| header.texts(&traffic.protocol, traffic.seen));
        let variants = variants.map_err(|error| error.loss(span))?;
        let several = variants.iter().filter(|variant| variant.form.is_empty()).count() > 1;
        let by_conversation = traffic.seen == FlowSide::Packets && !pieces.is_message(traffic);
        let has_exceptions = pieces.header.has_exceptions();
        // A variant of another form goes by the number of the one in front.
        let mut count = 0_usize;
        let signature = |variant: Variant<Written>| {
            count += usize::from(variant.form.is_empty());
            let number = if several { format!(".{}", count.saturating_sub(1)) } else { String::new() };
            let (options, once) = match by_conversation {
                true => packets::options(&variant, has_exceptions),
                false => (variant.options, false),
            };
            Body::Signature(Signature {
                slot: format!("{}.{alternative}{number}{}", source.name, variant.form),
                header: variant.header.text,
                options,
                once,
                lists: pieces.hashes.clone(),
                beside: Vec::new(),
                values: variant.values,
                requires: variant.requires,
                is_setter: false,
                source: Arc::clone(source),
            })
        };
        Ok((variants.into_iter().map(signature).collect(), loss))
    }
}
