//! Several observations: rules that remember for each other what a host did (user guide, "Xbits", "Thresholding").
//!
//! What has to happen more than once is counted by a threshold. Otherwise each step has rules that set a bit on the host
//! and never alert, and rules that alert where the bits of the other steps are set: in a given order only the last step
//! alerts, and each step sets its bit where that of the step in front is set.
//!
//! The host is the end of the conversation that the pattern does not name, so rules of packets to a client track their
//! destination. A conversation that shows two steps is one observation and not two, so a step also sets a bit on its
//! conversation, and the other steps pass over conversations that have it. Bits have names by what the rules of the sequence match: they change when that changes, and by nothing
//! else.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    diagnostic::Code,
    plan::{
        HashAlgorithm,
        adapt::{Order, Sequence},
        fidelity::{Fidelity, Loss},
    },
    targets::digest::Digest,
};

use super::{
    fragment::Fragment,
    header::PacketEnd,
    pieces::{EventMatch, event_matches},
    place::{FlowSide, Source},
    signature::{OwnList, Signature},
    text::RuleText,
};

/// Repetitions are counted for each way in which they are seen.
pub const COUNTED: Code = Code("L128");
/// The time of a sequence is split between its steps.
pub const SPLIT: Code = Code("L129");

/// One way in which a step shows: a rule, or a rule that sets a bit and one that alerts.
struct StepMatch<'s> {
    /// Data source, step, part and number: what its sid hangs on.
    slot: String,
    source: &'s Arc<Source>,
    event: EventMatch,
}

/// The rules of a sequence, and what is lost on the way to them: where there are none, all of it.
pub fn rules(sources: &[Arc<Source>], sequence: Sequence<'_, Fragment>) -> (Vec<Signature>, Vec<Loss>) {
    let span = sequence.span();
    let Sequence { alternative, order, steps, window, .. } = sequence;
    let mut losses = Vec::new();
    let mut matches: Vec<Vec<StepMatch<'_>>> = Vec::with_capacity(steps.len());
    let mut times = 1;
    for (number, step) in steps.into_iter().enumerate() {
        times = step.times;
        let mut step_matches = Vec::new();
        let mut before: BTreeMap<usize, usize> = BTreeMap::new();
        for part in step.parts {
            let source = &sources[part.source];
            let place = *before.entry(part.source).and_modify(|count| *count += 1).or_default();
            let events = match event_matches(&source.data, part) {
                Ok((events, loss)) => {
                    losses.extend(loss);
                    events
                }
                Err(loss) => {
                    losses.push(loss);
                    continue;
                }
            };
            step_matches.extend(events.into_iter().enumerate().map(|(count, event)| StepMatch {
                slot: format!("{}.{alternative}.{}.{place}.{count}", source.name, number + 1),
                source,
                event,
            }));
        }
        if step_matches.is_empty() {
            return (Vec::new(), losses);
        }
        matches.push(step_matches);
    }
    let kinds = matches.iter().flatten().flat_map(|one| one.event.lists.iter().filter_map(OwnList::algorithm));
    let kinds: BTreeSet<HashAlgorithm> = kinds.collect();
    let name = name(&matches, order, window);
    let narrower = |code, message| Loss { code, effect: Fidelity::NARROWER, message, span };
    if let [only] = matches.as_slice() {
        let message = "each way in which it is seen is counted by itself, in times that begin with the first one";
        losses.push(narrower(COUNTED, message.to_owned()));
        return (only.iter().map(|one| one.counted(&name, times, window)).collect(), losses);
    }
    let gaps = if order == Order::Given { matches.len() as u64 - 1 } else { 1 };
    let gap = window / gaps;
    if gaps > 1 {
        losses.push(narrower(SPLIT, format!("each step has to follow within {gap} seconds")));
    }
    // Bits count whole seconds: one that is set in a second's last moment is a second older in the next moment.
    let Some(expire) = gap.checked_sub(1).filter(|expire| *expire > 0) else {
        losses.push(narrower(SPLIT, format!("bits can't be kept for as little as {gap} seconds")));
        return (Vec::new(), losses);
    };
    let bits = Bits { name, order, steps: matches.len(), expire, window };
    let mut rules = bits.rules(&matches);
    rules.iter_mut().for_each(|rule| rule.beside = kinds.iter().copied().collect());
    (rules, losses)
}

/// The name of a sequence's bits: a number from what its rules match.
fn name(matches: &[Vec<StepMatch<'_>>], order: Order, window: u64) -> RuleText {
    let order: &[u8] = if order == Order::Given { b"then" } else { b"and" };
    let window = window.to_be_bytes();
    let texts = matches.iter().flat_map(|step| {
        let texts = step.iter().flat_map(|StepMatch { event, .. }| {
            let lists = event.lists.iter().flat_map(|list| list.hashes.iter().map(|hash| hash.hex().as_bytes()));
            [event.header.text.as_str().as_bytes(), event.options.as_str().as_bytes()].into_iter().chain(lists)
        });
        texts.chain([b"step".as_slice()])
    });
    RuleText::new("stix.").number(Digest::new(texts.chain([order, window.as_slice()])).number())
}

impl StepMatch<'_> {
    /// The rule that counts one way in which something is seen.
    fn counted(&self, name: &RuleText, times: u64, window: u64) -> Signature {
        let options = self.once(self.event.options.clone(), name, 1);
        let options = if self.repeats() { in_flow(options, "flowbits:set,", name, 1) } else { options };
        let options = options.word("threshold:type both,track ").word(self.by());
        self.signature("", options.word(",count ").number(times).word(",seconds ").number(window).word("; "))
    }

    /// Whether a rule would see each packet of a conversation, or an address at each place of a mail.
    fn repeats(&self) -> bool {
        let traffic = &self.source.data;
        traffic.seen != FlowSide::ToServer || traffic.protocol.as_str() == "smtp"
    }

    /// The options, for only the first of what is seen in a conversation where it [repeats](Self::repeats).
    fn once(&self, options: RuleText, name: &RuleText, step: usize) -> RuleText {
        if self.repeats() { in_flow(options, "flowbits:isnotset,", name, step) } else { options }
    }

    fn by(&self) -> &'static str {
        match self.event.header.host {
            PacketEnd::Source => "by_src",
            PacketEnd::Destination => "by_dst",
        }
    }

    fn signature(&self, role: &str, options: RuleText) -> Signature {
        Signature {
            slot: format!("{}{role}", self.slot),
            header: self.event.header.text.clone(),
            options,
            once: false,
            lists: self.event.lists.clone(),
            beside: Vec::new(),
            values: self.event.values.clone(),
            requires: self.event.requires,
            is_setter: false,
            source: Arc::clone(self.source),
        }
    }
}

/// The options, and what is asked of or done with the bit of a step (from 1) on the conversation.
fn in_flow(options: RuleText, what: &'static str, name: &RuleText, step: usize) -> RuleText {
    options.word(what).text(name).word(".").number(step as u64).word("; ")
}

/// The bits by which the steps of a sequence know of each other.
struct Bits {
    name: RuleText,
    order: Order,
    steps: usize,
    /// How long a bit is kept, in seconds.
    expire: u64,
    /// How long a host that alerted is left alone.
    window: u64,
}

impl Bits {
    fn rules(&self, matches: &[Vec<StepMatch<'_>>]) -> Vec<Signature> {
        let mut rules = Vec::new();
        let all = matches.iter().enumerate();
        for (step, one) in all.flat_map(|(step, matches)| matches.iter().map(move |one| (step, one))) {
            match self.order {
                Order::Any => {
                    let others: Vec<usize> = (0..self.steps).filter(|other| *other != step).collect();
                    rules.push(self.setter(one, step, &[]));
                    rules.push(self.alerter(one, &others));
                }
                Order::Given if step + 1 < self.steps => {
                    let before: Vec<usize> = step.checked_sub(1).into_iter().collect();
                    rules.push(self.setter(one, step, &before));
                }
                Order::Given => rules.push(self.alerter(one, &[step - 1])),
            }
        }
        rules
    }

    fn setter(&self, one: &StepMatch<'_>, step: usize, before: &[usize]) -> Signature {
        let options = one.once(self.asking(one.event.options.clone(), one, before), &self.name, step + 1);
        let options = in_flow(options, "flowbits:set,", &self.name, step + 1).word("xbits:set,");
        let options = self.bit(options, one, step).word(",expire ").number(self.expire).word("; noalert; ");
        Signature { is_setter: true, ..one.signature(".set", options) }
    }

    fn alerter(&self, one: &StepMatch<'_>, others: &[usize]) -> Signature {
        let options = self.asking(one.event.options.clone(), one, others).word("threshold:type limit,track ");
        one.signature("", options.word(one.by()).word(",count 1,seconds ").number(self.window).word("; "))
    }

    fn asking(&self, options: RuleText, one: &StepMatch<'_>, steps: &[usize]) -> RuleText {
        steps.iter().fold(options, |options, step| {
            let options = self.bit(options.word("xbits:isset,"), one, *step).word("; ");
            in_flow(options, "flowbits:isnotset,", &self.name, step + 1)
        })
    }

    fn bit(&self, text: RuleText, one: &StepMatch<'_>, step: usize) -> RuleText {
        let track = match one.event.header.host {
            PacketEnd::Source => ",track ip_src",
            PacketEnd::Destination => ",track ip_dst",
        };
        text.text(&self.name).word(".").number(step as u64 + 1).word(track)
    }
}
