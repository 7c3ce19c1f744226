//! Several observations: rules that remember for each other what a host did (user guide, "Xbits", "Thresholding").
//!
//! What has to happen more than once is counted by a threshold. Otherwise each step has rules that set a bit on the host
//! and never alert, and rules that alert where the bits of the other steps are set: in a given order only the last step
//! alerts, and each step sets its bit where that of the step in front is set.
//!
//! The host is the end of the conversation that the pattern does not name, so rules of packets to a client track their
//! destination. Bits have names by what the rules of the sequence match: they change when that changes, and by nothing
//! else.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    diagnostic::Code,
    plan::{
        adapt::{Order, Sequence},
        fidelity::{Fidelity, Loss},
    },
    span::Span,
};

use super::{
    header::{OneWay, PacketEnd, Seen},
    held::Held,
    lock::Digest,
    lower::Lowerer,
    signature::{OwnList, Signature},
    text::RuleText,
};

/// Repetitions are counted for each way in which they are seen.
pub const COUNTED: Code = Code("L128");
/// The time of a sequence is split between its steps.
pub const SPLIT: Code = Code("L129");

/// What a step looks like in one rule.
struct Look {
    /// Scene, step, part and number: what its sid hangs on.
    slot: String,
    scene: usize,
    header: OneWay,
    options: RuleText,
    lists: Vec<OwnList>,
}

/// The rules of a sequence, and what is lost on the way to them: where there are none, all of it.
pub fn tie(lowerer: &Lowerer, sequence: Sequence<'_, Held>) -> (Vec<Signature>, Vec<Loss>) {
    let Sequence { alternative, order, steps, window, .. } = sequence;
    let tests = steps.iter().flat_map(|step| &step.parts).flat_map(|part| &part.tests);
    let span = tests.map(|(test, _)| test.span).reduce(Span::to).unwrap_or_default();
    let mut losses = Vec::new();
    let mut looks: Vec<Vec<Look>> = Vec::with_capacity(steps.len());
    let mut times = 1;
    for (number, step) in steps.into_iter().enumerate() {
        times = step.times;
        let mut step_looks = Vec::new();
        let mut before: BTreeMap<usize, usize> = BTreeMap::new();
        for part in step.parts {
            let scene = part.scene;
            let place = *before.entry(scene).and_modify(|count| *count += 1).or_default();
            let (found, loss) = lowerer.looks(part);
            losses.extend(loss);
            step_looks.extend(found.into_iter().enumerate().map(|(count, (header, options, lists))| Look {
                slot: format!("{}.{alternative}.{}.{place}.{count}", lowerer.names(scene).0, number + 1),
                scene,
                header,
                options,
                lists,
            }));
        }
        if step_looks.is_empty() {
            return (Vec::new(), losses);
        }
        looks.push(step_looks);
    }
    let name = name(&looks, order, window);
    let narrower = |code, message| Loss { code, effect: Fidelity::NARROWER, message, span };
    if let [only] = looks.as_slice() {
        let message = "each way in which it is seen is counted by itself, in times that begin with the first one";
        losses.push(narrower(COUNTED, message.to_owned()));
        let counted = only.iter().map(|look| counted(lowerer, look, &name, times, window));
        return (counted.collect(), losses);
    }
    let gaps = if order == Order::Given { looks.len() as u64 - 1 } else { 1 };
    let gap = window / gaps;
    if gaps > 1 {
        losses.push(narrower(SPLIT, format!("each step has to follow within {gap} seconds")));
    }
    // Bits count whole seconds: one that is set in a second's last moment is a second older in the next moment.
    let Some(expire) = gap.checked_sub(1).filter(|expire| *expire > 0) else {
        losses.push(narrower(SPLIT, format!("bits can't be kept for as little as {gap} seconds")));
        return (Vec::new(), losses);
    };
    let bits = Bits { lowerer, name, order, steps: looks.len(), expire, window };
    (bits.rules(&looks), losses)
}

/// What the bits of a sequence are called: a number from what its rules match.
fn name(looks: &[Vec<Look>], order: Order, window: u64) -> RuleText {
    let order: &[u8] = if order == Order::Given { b"then" } else { b"and" };
    let window = window.to_be_bytes();
    let texts = looks.iter().flat_map(|looks| {
        let texts = looks.iter().flat_map(|look| {
            let lists = look.lists.iter().flat_map(|list| list.hashes.iter().map(|hash| hash.hex().as_bytes()));
            [look.header.text.as_str().as_bytes(), look.options.as_str().as_bytes()].into_iter().chain(lists)
        });
        texts.chain([b"step".as_slice()])
    });
    RuleText::new("stix.").number(Digest::of(texts.chain([order, window.as_slice()])).number())
}

/// The rule that counts one way in which something is seen.
fn counted(lowerer: &Lowerer, look: &Look, name: &RuleText, times: u64, window: u64) -> Signature {
    let options = look.options.clone().text(&once(lowerer, look, name, 1)).word("threshold:type both,track ");
    let options = options.word(by(look)).word(",count ").number(times).word(",seconds ").number(window).word("; ");
    signature(lowerer, look, "", options)
}

/// Only the first of what is seen in a conversation, where a rule would see each of its packets, or an address at each
/// place of a mail.
fn once(lowerer: &Lowerer, look: &Look, name: &RuleText, step: usize) -> RuleText {
    let scene = lowerer.scene(look.scene);
    if scene.seen == Seen::ToServer && scene.protocol.as_str() != "smtp" {
        return RuleText::default();
    }
    let bit = |text: RuleText| text.text(name).word(".").number(step as u64).word("; ");
    bit(bit(RuleText::new("flowbits:isnotset,")).word("flowbits:set,"))
}

fn by(look: &Look) -> &'static str {
    match look.header.host {
        PacketEnd::Source => "by_src",
        PacketEnd::Destination => "by_dst",
    }
}

fn signature(lowerer: &Lowerer, look: &Look, role: &str, options: RuleText) -> Signature {
    let (name, about) = lowerer.names(look.scene);
    Signature {
        slot: format!("{}{role}", look.slot),
        header: look.header.text.clone(),
        options,
        lists: look.lists.clone(),
        about: Arc::clone(about),
        scene: Arc::clone(name),
        victim: lowerer.scene(look.scene).victim,
    }
}

/// The bits by which the steps of a sequence know of each other.
struct Bits<'l> {
    lowerer: &'l Lowerer,
    name: RuleText,
    order: Order,
    steps: usize,
    /// How long a bit is kept, in seconds.
    expire: u64,
    /// How long a host that alerted is left alone.
    window: u64,
}

impl Bits<'_> {
    fn rules(&self, looks: &[Vec<Look>]) -> Vec<Signature> {
        let mut rules = Vec::new();
        for (step, look) in
            looks.iter().enumerate().flat_map(|(step, looks)| looks.iter().map(move |look| (step, look)))
        {
            match self.order {
                Order::Any => {
                    let others: Vec<usize> = (0..self.steps).filter(|other| *other != step).collect();
                    rules.push(self.setter(look, step, &[]));
                    rules.push(self.alerter(look, &others));
                }
                Order::Given if step + 1 < self.steps => {
                    let before: Vec<usize> = step.checked_sub(1).into_iter().collect();
                    rules.push(self.setter(look, step, &before));
                }
                Order::Given => rules.push(self.alerter(look, &[step - 1])),
            }
        }
        rules
    }

    fn setter(&self, look: &Look, step: usize, before: &[usize]) -> Signature {
        let options = look.options.clone().text(&once(self.lowerer, look, &self.name, step + 1));
        let options = self.bit(self.asking(options, look, before).word("xbits:set,"), look, step);
        let options = options.word(",expire ").number(self.expire).word("; noalert; ");
        signature(self.lowerer, look, ".set", options)
    }

    fn alerter(&self, look: &Look, others: &[usize]) -> Signature {
        let options =
            self.asking(look.options.clone(), look, others).word("threshold:type limit,track ").word(by(look));
        signature(self.lowerer, look, "", options.word(",count 1,seconds ").number(self.window).word("; "))
    }

    fn asking(&self, options: RuleText, look: &Look, steps: &[usize]) -> RuleText {
        steps.iter().fold(options, |options, step| self.bit(options.word("xbits:isset,"), look, *step).word("; "))
    }

    fn bit(&self, text: RuleText, look: &Look, step: usize) -> RuleText {
        let track = match look.header.host {
            PacketEnd::Source => ",track ip_src",
            PacketEnd::Destination => ",track ip_dst",
        };
        text.text(&self.name).word(".").number(step as u64 + 1).word(track)
    }
}
