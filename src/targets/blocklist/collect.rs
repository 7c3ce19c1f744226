//! The entries of a run, sorted.

use std::{
    cmp::Ordering,
    io::{self, Write},
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rayon::slice::ParallelSliceMut;
use sha2::{Digest, Sha256};

use super::{
    entry::{Entries, Entry, EntryKind},
    list::List,
};
use crate::{
    guard::{TOO_MUCH, Width},
    targets::contract::{Content, Emission, EmitError, Rule},
};

/// All entries: sorted, without repetitions, addresses merged.
pub(super) struct Collected<'r> {
    ipv4: Vec<Ipv4Net>,
    ipv6: Vec<Ipv6Net>,
    /// By kind, `EntryKind::Domain` first; the two before it are empty.
    texts: [Vec<Text<'r>>; EntryKind::ALL.len()],
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

/// Gathers the entries of `rules`; `emission` hears for each rule the names of the lists that it is in.
///
/// # Errors
/// Prefixes that hold too large a share of all addresses.
pub(super) fn collect<'r>(
    rules: &'r [Rule<Entries>],
    width: Width,
    emission: &mut dyn Emission,
) -> Result<Collected<'r>, EmitError> {
    let mut all = Collected { ipv4: Vec::new(), ipv6: Vec::new(), texts: Default::default() };
    rules.iter().flat_map(entries).for_each(|entry| all.add(entry));
    all.ipv4 = merged_ipv4(&all.ipv4, width.ipv4);
    all.ipv6 = merged_ipv6(&all.ipv6, width.ipv6);
    all.check_share(width)?;
    for (index, rule) in rules.iter().enumerate() {
        let mut kinds: Vec<EntryKind> = Vec::with_capacity(1);
        for entry in entries(rule) {
            if !kinds.contains(&entry.kind()) {
                kinds.push(entry.kind());
            }
        }
        kinds.sort_unstable();
        emission.record_rules(index, kinds.iter().map(|kind| kind.name().to_owned().into()).collect());
    }
    for texts in &mut all.texts {
        texts.par_sort_unstable();
        texts.dedup();
    }
    Ok(all)
}

/// The entries of a rule; ready-made rules have none.
fn entries(rule: &Rule<Entries>) -> impl Iterator<Item = &Entry> {
    let lowered = match &rule.content {
        Content::Compiled(lowered) => Some(lowered),
        Content::Native(_) => None,
    };
    lowered.into_iter().flat_map(|lowered| &lowered.drafts).flat_map(|entries| entries.as_slice())
}

/// The fewest prefixes that hold the same addresses and are no shorter than `shortest`: neighbours are merged as far as a list
/// may hold what comes of it.
fn merged_ipv4(nets: &[Ipv4Net], shortest: u8) -> Vec<Ipv4Net> {
    let split = |net: Ipv4Net| net.subnets(shortest.max(net.prefix_len())).into_iter().flatten();
    Ipv4Net::aggregate(&nets.to_vec()).into_iter().flat_map(split).collect()
}

/// The same for IPv6.
fn merged_ipv6(nets: &[Ipv6Net], shortest: u8) -> Vec<Ipv6Net> {
    let split = |net: Ipv6Net| net.subnets(shortest.max(net.prefix_len())).into_iter().flatten();
    Ipv6Net::aggregate(&nets.to_vec()).into_iter().flat_map(split).collect()
}

impl<'r> Collected<'r> {
    fn add(&mut self, entry: &'r Entry) {
        let text = match entry {
            Entry::Ipv4(net) => return self.ipv4.push(*net),
            Entry::Ipv6(net) => return self.ipv6.push(**net),
            Entry::Domain(name) => name.as_str(),
            Entry::Url(url) => url.as_str(),
            Entry::Hash(hash) => hash.hex(),
        };
        self.texts[entry.kind() as usize].push(Text::new(text));
    }

    /// # Errors
    /// Prefixes that hold too large a share of all addresses.
    fn check_share(&self, width: Width) -> Result<(), EmitError> {
        let share = |whole: f64, length: u8| (whole - f64::from(length)).exp2();
        let ipv4: f64 = self.ipv4.iter().map(|net| share(0.0, net.prefix_len())).sum();
        // Of IPv6, the part that is in use: 2000::/3.
        let ipv6: f64 = self.ipv6.iter().map(|net| share(3.0, net.prefix_len())).sum();
        match [("IPv4", ipv4), ("IPv6", ipv6)].into_iter().find(|(_, share)| *share > width.share) {
            Some((family, share)) => Err(EmitError::TooMuch(format!(
                "[{TOO_MUCH}] the list would hold {:.2} % of the {family} addresses, and may hold {:.2} %",
                share * 100.0,
                width.share * 100.0
            ))),
            None => Ok(()),
        }
    }

    /// The texts that `list` takes and can't hold.
    pub(super) fn omitted(&self, list: &List) -> Vec<&'r str> {
        let texts = list.takes.iter().flat_map(|kind| &self.texts[*kind as usize]);
        texts.map(|text| text.text).filter(|text| !(list.holds)(text)).collect()
    }

    /// How many entries of `kind` a list will hold, as far as it matters to templates: none, one, or two for several.
    pub(super) fn count(&self, kind: EntryKind, holds: fn(&str) -> bool) -> usize {
        match kind {
            EntryKind::Ipv4 => self.ipv4.len().min(2),
            EntryKind::Ipv6 => self.ipv6.len().min(2),
            _ => self.texts[kind as usize].iter().filter(|text| holds(text.text)).take(2).count(),
        }
    }

    /// How many addresses the entries of `kind` cover.
    pub(super) fn addresses(&self, kind: EntryKind) -> u128 {
        let size = |bits: u8| 1_u128.checked_shl(bits.into()).unwrap_or(u128::MAX);
        match kind {
            EntryKind::Ipv4 => self.ipv4.iter().map(|net| size(32 - net.prefix_len())).sum(),
            EntryKind::Ipv6 => self.ipv6.iter().map(|net| size(128 - net.prefix_len())).fold(0, u128::saturating_add),
            _ => 0,
        }
    }

    /// Hands over each entry of `kind` that the list holds, as text, in order.
    ///
    /// # Errors
    /// What `entry` answers.
    pub(super) fn each<E: From<io::Error>>(
        &self,
        kind: EntryKind,
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
            EntryKind::Ipv4 => self.ipv4.iter().try_for_each(|net| prefix(IpNet::V4(*net))),
            EntryKind::Ipv6 => self.ipv6.iter().try_for_each(|net| prefix(IpNet::V6(*net))),
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
