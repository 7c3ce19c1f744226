//! The entries of a run, sorted.

use std::{
    cmp::Ordering,
    io::{self, Write},
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rayon::slice::ParallelSliceMut;
use sha2::{Digest, Sha256};

use super::{
    entry::{Entries, Entry, Kind},
    list::List,
};
use crate::targets::{
    contract::{Content, Rule},
    record::EmittedRule,
};

/// All entries: sorted, without repetitions, addresses merged.
pub(super) struct Collected<'r> {
    ipv4: Vec<Ipv4Net>,
    ipv6: Vec<Ipv6Net>,
    /// By kind, `Kind::Domain` first; the two before it are empty.
    texts: [Vec<Text<'r>>; Kind::ALL.len()],
}

/// A text with its first bytes as a number, so that sorting a million of them rarely follows the pointer.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Text<'r> {
    head: u64,
    text: &'r str,
}

impl<'r> Text<'r> {
    fn new(text: &'r str) -> Self {
        let mut head = [0; 8];
        head.iter_mut().zip(text.bytes()).for_each(|(place, byte)| *place = byte);
        Self { head: u64::from_be_bytes(head), text }
    }
}

impl Ord for Text<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.head.cmp(&other.head).then_with(|| self.text.cmp(other.text))
    }
}

impl PartialOrd for Text<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Gathers the entries of `rules`; `name` hears for each rule the names of the lists that it is in.
pub(super) fn collect(rules: &[Rule<Entries>], mut name: impl FnMut(usize, Vec<EmittedRule>)) -> Collected<'_> {
    let mut all = Collected { ipv4: Vec::new(), ipv6: Vec::new(), texts: Default::default() };
    for (index, rule) in rules.iter().enumerate() {
        let Content::Compiled(lowered) = &rule.content else { continue };
        let mut kinds: Vec<Kind> = Vec::with_capacity(1);
        for entry in lowered.drafts.iter().flat_map(|entries| entries.as_slice()) {
            let kind = all.add(entry);
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds.sort_unstable();
        name(index, kinds.iter().map(|kind| kind.name().to_owned().into()).collect());
    }
    all.ipv4 = Ipv4Net::aggregate(&all.ipv4);
    all.ipv6 = Ipv6Net::aggregate(&all.ipv6);
    for texts in &mut all.texts {
        texts.par_sort_unstable();
        texts.dedup();
    }
    all
}

impl<'r> Collected<'r> {
    fn add(&mut self, entry: &'r Entry) -> Kind {
        let (kind, text) = match entry {
            Entry::Ipv4(net) => {
                self.ipv4.push(*net);
                return Kind::Ipv4;
            }
            Entry::Ipv6(net) => {
                self.ipv6.push(**net);
                return Kind::Ipv6;
            }
            Entry::Domain(name) => (Kind::Domain, name.as_str()),
            Entry::Url(url) => (Kind::Url, url.as_str()),
            Entry::Hash(hash) => (Kind::from_algorithm(hash.algorithm()), hash.hex()),
        };
        self.texts[kind as usize].push(Text::new(text));
        kind
    }

    /// The texts that `list` takes and can't hold.
    pub(super) fn omitted(&self, list: &List) -> Vec<&'r str> {
        let texts = list.takes.iter().flat_map(|kind| &self.texts[*kind as usize]);
        texts.map(|text| text.text).filter(|text| !(list.holds)(text)).collect()
    }

    /// How many entries of `kind` a list will hold, as far as it matters to templates: none, one, or two for several.
    pub(super) fn count(&self, kind: Kind, holds: fn(&str) -> bool) -> usize {
        match kind {
            Kind::Ipv4 => self.ipv4.len().min(2),
            Kind::Ipv6 => self.ipv6.len().min(2),
            _ => self.texts[kind as usize].iter().filter(|text| holds(text.text)).take(2).count(),
        }
    }

    /// How many addresses the entries of `kind` cover.
    pub(super) fn addresses(&self, kind: Kind) -> u128 {
        let size = |bits: u8| 1_u128.checked_shl(bits.into()).unwrap_or(u128::MAX);
        match kind {
            Kind::Ipv4 => self.ipv4.iter().map(|net| size(32 - net.prefix_len())).sum(),
            Kind::Ipv6 => self.ipv6.iter().map(|net| size(128 - net.prefix_len())).fold(0, u128::saturating_add),
            _ => 0,
        }
    }

    /// Hands over each entry of `kind` that the list holds, as text, in order.
    ///
    /// # Errors
    /// What `entry` answers.
    pub(super) fn each<E: From<io::Error>>(
        &self,
        kind: Kind,
        holds: fn(&str) -> bool,
        mut entry: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut scratch = Vec::with_capacity(64);
        let mut prefix = |net: IpNet| {
            scratch.clear();
            if net.prefix_len() == net.max_prefix_len() {
                write!(scratch, "{}", net.addr())?;
            } else {
                write!(scratch, "{net}")?;
            }
            entry(&scratch)
        };
        match kind {
            Kind::Ipv4 => self.ipv4.iter().try_for_each(|net| prefix(IpNet::V4(*net))),
            Kind::Ipv6 => self.ipv6.iter().try_for_each(|net| prefix(IpNet::V6(*net))),
            _ => {
                let mut texts = self.texts[kind as usize].iter().filter(|text| holds(text.text));
                texts.try_for_each(|text| entry(text.text.as_bytes()))
            }
        }
    }

    /// A number that is the same as long as the entries of `list` are, and not 0: the serial of a zone.
    pub(super) fn serial(&self, list: &List) -> u32 {
        let mut digest = Sha256::new();
        for kind in list.takes {
            // Writing to a digest does not fail.
            let _ = self.each(*kind, list.holds, |entry| {
                digest.update(entry);
                digest.update(b"\n");
                Ok::<(), io::Error>(())
            });
        }
        let digest = digest.finalize();
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]).max(1)
    }
}
