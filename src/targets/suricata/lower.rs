//! From a plan to signatures.

use std::sync::Arc;

use ipnet::IpNet;

use crate::{
    diagnostic::Code,
    plan::{
        Condition, Hash, Observation, Plan, Test,
        adapt::{self, Accept, Capabilities, Fit, NO_PLACE, NOT_ACCEPTED, Part, Ties},
        fidelity::{Fidelity, Loss},
    },
    span::Span,
    targets::contract::{Backend, Emission, EmitError, Lowered, Refusal, Rule},
};

use super::{
    buffer::TOO_LONG,
    emit,
    header::{Addresses, Header, OneWay, Seen, Trouble},
    held::{self, DIRECTION, Held, Spoken},
    lock::SidRange,
    place::{EndOf, Mapping, Scene},
    protocol::Stack,
    signature::{Body, Match, OwnList, Signature},
    text::RuleText,
    tie,
};

/// Tests that no packet can meet together.
pub const NEVER: Code = Code("L125");
/// More combinations of values than one pattern may have rules.
pub const TOO_MANY_RULES: Code = Code("L126");
/// Several kinds of hashes of one file: a rule asks for one.
pub const ONE_HASH: Code = Code("L127");

/// The most rules that the combinations of values of one alternative may give.
const COMBINATIONS: usize = 4096;
/// The most bytes of what a rule matches: with the names of its indicators the line has to stay below 8192.
const MATCH_LIMIT: usize = 5500;

/// The time in which several observations have to lie where the pattern names none, in seconds: an hour.
const WINDOW: u64 = 3600;

/// The mapping, ready to lower plans.
pub struct Lowerer {
    mapping: Mapping,
    accept: Accept,
    sids: SidRange,
    /// For each scene its name and what it is called, shared by all of its signatures.
    names: Vec<(Arc<str>, Arc<str>)>,
}

impl Lowerer {
    /// With a mapping that was read, the verdicts that the user accepts, and the numbers that rules may get.
    pub fn new(mapping: Mapping, accept: Accept, sids: SidRange) -> Self {
        let name = |scene: &crate::targets::mapping::Scene<Scene>| {
            (Arc::from(scene.name.as_str()), Arc::from(scene.data.about.as_str()))
        };
        let names = mapping.scenes().iter().map(name).collect();
        Self { mapping, accept, sids, names }
    }

    fn fit(&self, scene: usize, test: &Test, wants_options: bool) -> Fit<Held> {
        let mut rows = self.mapping.rows(scene, test).filter(|row| !(wants_options && row.place.is_header()));
        let Some(first) = rows.next() else {
            return Fit::Lacks(NO_PLACE, self.why_not(scene, test));
        };
        rows.fold(held::hold(first, test), |fit, row| either(fit, held::hold(row, test), test.negated))
    }

    fn why_not(&self, scene: usize, test: &Test) -> String {
        let path = &test.property.path;
        match self.mapping.reason(path) {
            Some(reason) => format!("{path}: {reason}"),
            None => format!("{path} is not seen in the same rule ({})", self.mapping.scenes()[scene].data.about),
        }
    }

    /// Whether a test is seen in the options of rules, and not in their headers only.
    fn has_options(&self, test: &Test) -> bool {
        let mut scenes = 0..self.mapping.scenes().len();
        scenes.any(|scene| self.mapping.rows(scene, test).any(|row| !row.place.is_header()))
    }
}

/// Two rows for a property: either will do; where the test is negated, both.
fn either(left: Fit<Held>, right: Fit<Held>, negated: bool) -> Fit<Held> {
    match (left, right) {
        (
            Fit::Holds { by: Held::Options(mut options), weak, loss },
            Fit::Holds { by: Held::Options(more), weak: other_weak, loss: other_loss },
        ) => {
            options.extend(more);
            Fit::Holds {
                by: Held::Options(held::together(options, negated)),
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
        // Where the pattern asks for nothing but addresses, ports and protocols, the scenes of the application
        // protocols would only repeat the rule.
        let headers_only = !any_test(&plan.observation, &mut |test| self.has_options(test));
        let scenes = self.mapping.scenes();
        let fit =
            |scene: usize, test: &_| self.fit(scene, test, headers_only && scenes[scene].data.seen != Seen::Packets);
        let ties = Ties {
            by: "the same host",
            key: &|_| Some(0),
            apart: &|left, right| self.are_apart(left, right),
            window: WINDOW,
        };
        let capabilities = Capabilities { scenes: scenes.len(), accept: self.accept, ties: Some(ties) };
        let adapted = adapt::adapt(plan, capabilities, fit).map_err(|reasons| Refusal { reasons })?;
        let mut lost = Vec::new();
        let mut drafts = Vec::new();
        for part in adapted.parts {
            let (bodies, loss) = self.write(part);
            lost.extend(loss);
            drafts.extend(bodies.into_iter().map(Box::new));
        }
        for sequence in adapted.sequences {
            let (signatures, more) = tie::tie(self, sequence);
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
    /// A scene by its number.
    pub fn scene(&self, number: usize) -> &Scene {
        &self.mapping.scenes()[number].data
    }

    /// The name of a scene, and what it is called.
    pub fn names(&self, scene: usize) -> (&Arc<str>, &Arc<str>) {
        let (name, about) = &self.names[scene];
        (name, about)
    }

    /// Whether no conversation is of both scenes: a file comes in one, and each has addresses.
    fn are_apart(&self, left: usize, right: usize) -> bool {
        let application = |scene: &Scene| scene.seen != Seen::Packets && scene.seen != Seen::Either;
        let (left, right) = (self.scene(left), self.scene(right));
        application(left) && application(right) && left.protocol != right.protocol
    }

    /// Whether the scene would only repeat what that of packets says of the part.
    fn repeats_packets(&self, part: &Part<'_, Held>) -> bool {
        self.scene(part.scene).seen != Seen::Packets && part.tests.iter().all(|(_, held)| held.is_header())
    }

    /// The pieces of one part, and what was lost while they were put together; none where they are too many.
    fn pieces(&self, part: Part<'_, Held>) -> (Option<Pieces>, Option<Loss>) {
        let span = span_of(&part);
        let mut pieces = Pieces::default();
        for (_, held) in part.tests {
            pieces.add(held);
        }
        let loss = pieces.keep_one_algorithm().then(|| {
            let message =
                "a rule asks for one kind of hash: the strongest one is kept, and tells which file it is".to_owned();
            Loss { code: ONE_HASH, effect: Fidelity::EXACT, message, span }
        });
        let count = pieces.options.iter().map(Vec::len).fold(pieces.protocols.len().max(1), usize::saturating_mul);
        if count > COMBINATIONS && pieces.options.len() + usize::from(pieces.protocols.len() > 1) > 1 {
            let message =
                format!("the values have {count} combinations, more than the {COMBINATIONS} rules of a pattern");
            return (None, Some(Loss { code: TOO_MANY_RULES, effect: Fidelity::NARROWER, message, span }));
        }
        (Some(pieces), loss)
    }

    /// The rules of one part, and what was lost while they were put together.
    fn write(&self, part: Part<'_, Held>) -> (Vec<Body>, Option<Loss>) {
        if self.repeats_packets(&part) {
            return (Vec::new(), None);
        }
        let (scene, span) = (self.scene(part.scene), span_of(&part));
        let (alternative, scene_number) = (part.alternative, part.scene);
        let (pieces, loss) = self.pieces(part);
        let Some(pieces) = pieces else { return (Vec::new(), loss) };
        if pieces.is_list_only() {
            let hashes = pieces.hashes.into_iter().flat_map(|list| list.hashes);
            return (hashes.map(Body::Listed).collect(), loss);
        }
        // Network traffic is what "originates from a source and is addressed to a destination" (STIX 2.1, section 6.12): a
        // packet that answers X is traffic to X. So a rule for packets says what the pattern says. A file goes either way.
        let directed = scene.seen == Seen::Either && pieces.header.source != pieces.header.destination;
        let loss = loss.or_else(|| {
            let message = "the rule does not tell which end sends the file".to_owned();
            directed.then_some(Loss { code: DIRECTION, effect: Fidelity::BROADER, message, span })
        });
        let variants = match pieces.variants(scene, false, |header| header.texts(&scene.protocol, scene.seen)) {
            Ok(variants) => variants,
            Err(trouble) => return (Vec::new(), Some(trouble.loss(span))),
        };
        if variants.iter().any(|(header, options)| !fits(header, options)) {
            return (Vec::new(), Some(Trouble::TooLong.loss(span)));
        }
        let (name, about) = self.names(scene_number);
        let several = variants.len() > 1;
        let signature = |(number, (header, options)): (usize, (RuleText, RuleText))| {
            Body::Signature(Signature {
                slot: if several { format!("{name}.{alternative}.{number}") } else { format!("{name}.{alternative}") },
                header,
                options,
                lists: pieces.hashes.clone(),
                about: Arc::clone(about),
                scene: Arc::clone(name),
                victim: scene.victim,
            })
        };
        (variants.into_iter().enumerate().map(signature).collect(), loss)
    }

    /// What one part looks like in rules that are tied to others, and what was lost while it was put together.
    pub fn looks(&self, part: Part<'_, Held>) -> (Vec<Look>, Option<Loss>) {
        if self.repeats_packets(&part) {
            return (Vec::new(), None);
        }
        let (scene, span) = (self.scene(part.scene), span_of(&part));
        let (pieces, loss) = self.pieces(part);
        let Some(pieces) = pieces else { return (Vec::new(), loss) };
        match pieces.variants(scene, true, |header| header.one_way(&scene.protocol, scene.seen)) {
            Err(trouble) => (Vec::new(), Some(trouble.loss(span))),
            Ok(variants) if variants.iter().any(|(header, options)| !fits(&header.text, options)) => {
                (Vec::new(), Some(Trouble::TooLong.loss(span)))
            }
            Ok(variants) => {
                let look = |(header, options): (OneWay, RuleText)| {
                    let flow = match header.to_client {
                        None => RuleText::default(),
                        Some(true) => RuleText::new("flow:to_client; "),
                        Some(false) => RuleText::new("flow:to_server; "),
                    };
                    (header, flow.text(&options), pieces.hashes.clone())
                };
                (variants.into_iter().map(look).collect(), loss)
            }
        }
    }
}

fn span_of(part: &Part<'_, Held>) -> Span {
    part.tests.iter().map(|(test, _)| test.span).reduce(Span::to).unwrap_or_default()
}

/// Whether what a rule matches leaves room for the names of its indicators.
fn fits(header: &RuleText, options: &RuleText) -> bool {
    header.as_str().len() + options.as_str().len() <= MATCH_LIMIT
}

impl Trouble {
    fn loss(self, span: Span) -> Loss {
        let (code, message) = match self {
            Self::Never => (NEVER, "no packet meets these tests together"),
            Self::TooLong => (TOO_LONG, "the values together are too long for one rule"),
        };
        Loss { code, effect: Fidelity::NARROWER, message: message.to_owned(), span }
    }
}

/// What one event looks like: a header in one direction, options, and lists of hashes.
pub type Look = (OneWay, RuleText, Vec<OwnList>);

/// The pieces of one part, by what becomes of them.
#[derive(Default)]
struct Pieces {
    header: Header,
    protocols: Vec<Stack>,
    /// One of each.
    options: Vec<Vec<Match>>,
    hashes: Vec<OwnList>,
    contradictory: bool,
}

impl Pieces {
    fn add(&mut self, held: Held) {
        match held {
            Held::Options(options) => self.options.push(options),
            Held::Address(end, nets, negated) => self.add_address(end, &nets, negated),
            Held::Port(end, ports) => {
                for (known, concerned) in [
                    (&mut self.header.source.ports, EndOf::Source),
                    (&mut self.header.destination.ports, EndOf::Destination),
                ] {
                    if end == concerned {
                        *known = known.intersection(&ports);
                    }
                }
            }
            Held::Protocols(protocols) => self.add_protocols(protocols),
            Held::Hashes(hashes, negated) => self.hashes.push(OwnList { hashes, negated }),
        }
    }

    fn add_address(&mut self, end: EndOf, nets: &[IpNet], negated: bool) {
        let mut either = Addresses::default();
        let addresses = match end {
            EndOf::Source => &mut self.header.source.addresses,
            EndOf::Destination => &mut self.header.destination.addresses,
            EndOf::Either => &mut either,
        };
        if negated {
            addresses.exclude(nets)
        } else {
            addresses.require(nets)
        }
        if end == EndOf::Either {
            self.header.either.push(either);
        }
    }

    /// Several tests of the protocol are about several layers.
    fn add_protocols(&mut self, protocols: Vec<Spoken>) {
        let stacks = protocols.into_iter().map(Stack::of);
        if self.protocols.is_empty() {
            self.protocols = stacks.collect();
            return;
        }
        let known = std::mem::take(&mut self.protocols);
        self.protocols =
            stacks.flat_map(|more| known.iter().filter_map(move |known| known.clone().on(&more))).collect();
        self.contradictory |= self.protocols.is_empty();
    }

    /// Keeps the hashes of the strongest algorithm, where there are several; whether the file must have others, too. That
    /// it must not have others goes without saying: a file has one hash of a kind.
    fn keep_one_algorithm(&mut self) -> bool {
        let algorithm = |list: &OwnList| list.hashes.first().map(Hash::algorithm);
        let positive = self.hashes.iter().filter(|list| !list.negated);
        let Some(strongest) = positive.filter_map(algorithm).max_by_key(|algorithm| algorithm.digits()) else {
            return false;
        };
        let others = self.hashes.iter().any(|list| !list.negated && algorithm(list) != Some(strongest));
        self.hashes.retain(|list| algorithm(list) == Some(strongest));
        others
    }

    /// Whether the part asks for hashes and for nothing else: then a line in the common list says it all.
    fn is_list_only(&self) -> bool {
        matches!(self.hashes.as_slice(), [OwnList { negated: false, .. }])
            && self.options.is_empty()
            && self.protocols.is_empty()
            && self.header == Header::default()
    }

    /// Whether Suricata recognises the protocol at the ports that are asked for.
    fn is_recognised(&self, stack: &Stack) -> bool {
        let ends = [&self.header.source.ports, &self.header.destination.ports];
        // The other end's port is any, and says nothing.
        let mut named = ends.into_iter().filter(|ports| !ports.is_any()).peekable();
        named.peek().is_none() || named.any(|ports| stack.is_recognised_at(ports))
    }

    /// Header and options of each rule; `tied` to others, a rule counts what it sees itself.
    fn variants<T: Clone>(
        &self,
        scene: &Scene,
        tied: bool,
        headers: impl Fn(Header) -> Result<Vec<T>, Trouble>,
    ) -> Result<Vec<(T, RuleText)>, Trouble> {
        if self.contradictory {
            return Err(Trouble::Never);
        }
        let flow = match (scene.established, scene.seen) {
            (true, Seen::ToServer) => RuleText::new("flow:established,to_server; "),
            (true, Seen::ToClient) => RuleText::new("flow:established,to_client; "),
            (true, Seen::Either | Seen::Packets) => RuleText::new("flow:established; "),
            (false, _) => RuleText::default(),
        };
        let mut matches = vec![Match::default()];
        for alternatives in &self.options {
            let front = std::mem::take(&mut matches);
            let combined = front.iter().flat_map(|front| {
                let fitting = alternatives.iter().filter(|more| front.goes_with(more));
                fitting.map(move |more| front.clone().and(more))
            });
            matches = combined.collect();
        }
        let all_options: Vec<RuleText> = matches.iter().map(|asked| flow.clone().text(&asked.text())).collect();
        let mut variants = Vec::with_capacity(all_options.len());
        let any = [Stack::default()];
        let stacks = if self.protocols.is_empty() { &any } else { self.protocols.as_slice() };
        if !stacks.iter().any(|stack| self.is_recognised(stack)) {
            return Err(Trouble::Never);
        }
        for stack in stacks.iter().filter(|stack| self.is_recognised(stack)) {
            let (protocol, family, mut options) = stack.written(scene.seen == Seen::Packets);
            if scene.seen == Seen::Packets && stack.has_application() && !tied {
                // Such a rule matches every packet behind the discovery of the protocol.
                options = options.word("threshold:type limit,track by_both,count 1,seconds 60; ");
            }
            let header = Header { protocol, family, ..self.header.clone() };
            for header in headers(header)? {
                variants.extend(all_options.iter().map(|front| (header.clone(), front.clone().text(&options))));
            }
        }
        Ok(variants)
    }
}

impl Held {
    fn is_header(&self) -> bool {
        matches!(self, Self::Address(..) | Self::Port(..) | Self::Protocols(_))
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
