//! Header and options of the rules of one part of a plan, put together from the fragments of its tests.

use ipnet::IpNet;

use crate::{
    diagnostic::Code,
    plan::{
        adapt::Part,
        fidelity::{Fidelity, Loss},
    },
    span::Span,
    targets::record::named_values,
};

use super::{
    fragment::{AppProtocol, Fragment, TOO_LONG},
    header::{Addresses, Header, HeaderError, OneWay},
    place::{EndOf, FlowSide, Requires, Traffic},
    protocol::Stack,
    signature::{Match, OwnList},
    text::RuleText,
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

/// The match of one event in a rule that is tied to others.
#[derive(Debug)]
pub struct EventMatch {
    /// The header, for one direction.
    pub header: OneWay,
    /// The options.
    pub options: RuleText,
    /// Lists of hashes, for the options to be completed with.
    pub lists: Vec<OwnList>,
    /// What it asks for by itself.
    pub values: Vec<String>,
    /// The versions of Suricata that can see it, where not all do.
    pub requires: Option<Requires>,
}

/// One rule of a part.
#[derive(Debug)]
pub struct Variant<T> {
    /// Protocol, addresses, ports, direction.
    pub header: T,
    /// The options that make it match.
    pub options: RuleText,
    /// What it asks for by itself.
    pub values: Vec<String>,
    /// The versions of Suricata that run it, where not all do.
    pub requires: Option<Requires>,
    /// What tells it from the variant in front; empty where it counts by itself.
    pub form: &'static str,
    /// Whether it asks for no protocol above that of the network, and for no port.
    pub any_transport: bool,
}

/// The event matches of one part, and what was lost while they were put together.
///
/// # Errors
/// Why no rule matches the part.
pub fn event_matches(traffic: &Traffic, part: Part<'_, Fragment>) -> Result<(Vec<EventMatch>, Option<Loss>), Loss> {
    if repeats_packets(traffic, &part) {
        return Ok((Vec::new(), None));
    }
    let span = part.span();
    let (pieces, loss) = Pieces::new(part)?;
    let variants = pieces.variants(traffic, |header| header.one_way(&traffic.protocol, traffic.seen));
    let is_message = pieces.is_message(traffic);
    let event = |Variant { header, options, values, requires, .. }: Variant<OneWay>| {
        let flow = RuleText::new(match header.to_client {
            None => "",
            Some(_) if is_message => "",
            Some(true) => "flow:to_client; ",
            Some(false) => "flow:to_server; ",
        });
        EventMatch { header, options: flow.text(&options), lists: pieces.hashes.clone(), values, requires }
    };
    Ok((variants.map_err(|error| error.loss(span))?.into_iter().map(event).collect(), loss))
}

/// Whether rules of this traffic would only repeat what those of plain packets say of the part.
pub fn repeats_packets(traffic: &Traffic, part: &Part<'_, Fragment>) -> bool {
    traffic.seen != FlowSide::Packets && part.tests.iter().all(|(_, fragment)| fragment.is_header())
}

impl HeaderError {
    /// The loss of a part that has no rule.
    pub fn loss(self, span: Span) -> Loss {
        let (code, message) = match self {
            Self::Never => (NEVER, "no packet meets these tests together"),
            Self::TooLong => (TOO_LONG, "the values together are too long for one rule"),
        };
        Loss { code, effect: Fidelity::NARROWER, message: message.to_owned(), span }
    }
}

/// The fragments of one part, by what becomes of them.
#[derive(Default)]
pub struct Pieces {
    /// Addresses and ports.
    pub header: Header,
    protocols: Vec<Stack>,
    /// Alternatives for each test: a rule has one of each.
    options: Vec<Vec<Match>>,
    /// Lists of hashes of its own.
    pub hashes: Vec<OwnList>,
    /// What all of the rules ask for by themselves.
    values: Vec<String>,
    contradictory: bool,
}

impl Pieces {
    /// Puts the fragments of a part together, and tells what that loses.
    ///
    /// # Errors
    /// Too many combinations.
    pub fn new(part: Part<'_, Fragment>) -> Result<(Self, Option<Loss>), Loss> {
        let span = part.span();
        let mut pieces = Self::default();
        // Of alternatives each has its own, and of several algorithms one stays.
        let is_whole = |fragment: &Fragment| !matches!(fragment, Fragment::Options(_) | Fragment::Hashes(..));
        let whole = part.tests.iter().filter(|(_, fragment)| is_whole(fragment)).map(|(test, _)| *test);
        pieces.values = named_values(whole);
        part.tests.into_iter().for_each(|(_, fragment)| pieces.add(fragment));
        let several = pieces.keep_one_algorithm();
        let listed = pieces.hashes.iter().filter(|list| !list.negated).flat_map(|list| &list.hashes);
        pieces.values.extend(listed.map(|hash| hash.hex().to_owned()));
        let loss = several.then(|| {
            let message =
                "a rule asks for one kind of hash: the strongest one is kept, and tells which file it is".to_owned();
            Loss { code: ONE_HASH, effect: Fidelity::EXACT, message, span }
        });
        let count = pieces.options.iter().map(Vec::len).fold(pieces.protocols.len().max(1), usize::saturating_mul);
        if count > COMBINATIONS && pieces.options.len() + usize::from(pieces.protocols.len() > 1) > 1 {
            let message =
                format!("the values have {count} combinations, more than the {COMBINATIONS} rules of a pattern");
            return Err(Loss { code: TOO_MANY_RULES, effect: Fidelity::NARROWER, message, span });
        }
        Ok((pieces, loss))
    }

    fn add(&mut self, fragment: Fragment) {
        match fragment {
            Fragment::Options(options) => self.options.push(options),
            Fragment::Address(end, nets, negated) => self.add_address(end, &nets, negated),
            Fragment::Port(end, ports) => {
                for (known, concerned) in [
                    (&mut self.header.source.ports, EndOf::Source),
                    (&mut self.header.destination.ports, EndOf::Destination),
                ] {
                    if end == concerned {
                        *known = known.intersection(&ports);
                    }
                }
            }
            Fragment::Protocols(protocols) => self.add_protocols(protocols),
            Fragment::Hashes(hashes, negated) => self.hashes.push(OwnList { hashes, negated }),
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
    fn add_protocols(&mut self, protocols: Vec<AppProtocol>) {
        let stacks = protocols.into_iter().map(Stack::new);
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
        let positive = self.hashes.iter().filter(|list| !list.negated);
        let Some(strongest) = positive.filter_map(OwnList::algorithm).max_by_key(|algorithm| algorithm.digits()) else {
            return false;
        };
        let others = self.hashes.iter().any(|list| !list.negated && list.algorithm() != Some(strongest));
        self.hashes.retain(|list| list.algorithm() == Some(strongest));
        others
    }

    /// Whether the part asks for hashes and for nothing else: then a line in the common list says it all.
    pub fn is_list_only(&self) -> bool {
        matches!(self.hashes.as_slice(), [OwnList { negated: false, .. }])
            && self.options.is_empty()
            && self.protocols.is_empty()
            && self.header == Header::default()
    }

    /// Whether the rules look into a packet, and not only at the ends of the conversation: then its ends are those of the
    /// packet.
    pub fn is_message(&self, traffic: &Traffic) -> bool {
        traffic.seen == FlowSide::Packets && !self.options.is_empty()
    }

    /// Whether Suricata recognises the protocol at the ports that are asked for.
    fn is_recognised(&self, stack: &Stack) -> bool {
        let ends = [&self.header.source.ports, &self.header.destination.ports];
        // The other end's port is any, and says nothing.
        let mut named = ends.into_iter().filter(|ports| !ports.is_any()).peekable();
        named.peek().is_none() || named.any(|ports| stack.is_recognised_at(ports))
    }

    /// The rules.
    ///
    /// # Errors
    /// No packet has such a header, or the rule gets too long.
    pub fn variants<T: Clone + AsRef<RuleText>>(
        &self,
        traffic: &Traffic,
        headers: impl Fn(Header) -> Result<Vec<T>, HeaderError>,
    ) -> Result<Vec<Variant<T>>, HeaderError> {
        if self.contradictory {
            return Err(HeaderError::Never);
        }
        let flow = match (traffic.established, traffic.seen) {
            (true, FlowSide::ToServer) => RuleText::new("flow:established,to_server; "),
            (true, FlowSide::ToClient) => RuleText::new("flow:established,to_client; "),
            (true, FlowSide::Either | FlowSide::Packets) => RuleText::new("flow:established; "),
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
        let all_options: Vec<_> = matches.iter().map(|asked| (flow.clone().text(&asked.text()), asked)).collect();
        let mut variants = Vec::with_capacity(all_options.len());
        let any = [Stack::default()];
        let stacks = if self.protocols.is_empty() { &any } else { self.protocols.as_slice() };
        if !stacks.iter().any(|stack| self.is_recognised(stack)) {
            return Err(HeaderError::Never);
        }
        for stack in stacks.iter().filter(|stack| self.is_recognised(stack)) {
            let (protocol, family, options) = stack.written(traffic.seen == FlowSide::Packets);
            let any_transport =
                !stack.has_transport() && self.header.source.ports.is_any() && self.header.destination.ports.is_any();
            let header = Header { protocol, family, ..self.header.clone() };
            for header in headers(header)? {
                variants.extend(all_options.iter().map(|(front, asked)| Variant {
                    header: header.clone(),
                    options: front.clone().text(&options),
                    values: self.values.iter().chain(&asked.values).cloned().collect(),
                    requires: asked.requires,
                    form: asked.form,
                    any_transport,
                }));
            }
        }
        let fits = |one: &Variant<T>| one.header.as_ref().as_str().len() + one.options.as_str().len() <= MATCH_LIMIT;
        if variants.iter().all(fits) { Ok(variants) } else { Err(HeaderError::TooLong) }
    }
}
