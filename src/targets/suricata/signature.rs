//! What lowering a plan gives: signatures without number and names, and hashes for the lists.

use std::sync::Arc;

use crate::plan::{Hash, HashAlgorithm};

use super::{
    place::{Requires, Source},
    text::RuleText,
};

/// One rule before it has a number and the names of its indicators.
#[derive(Debug)]
pub struct Signature {
    /// The rule's place in its pattern: data source, alternative, and a number where these give several. Part of what its
    /// sid hangs on.
    pub slot: String,
    /// Protocol, addresses, ports, direction.
    pub header: RuleText,
    /// The options that make it match, each with a blank behind it.
    pub options: RuleText,
    /// Whether it is to alert once in each conversation, for `options` to be completed with.
    pub once: bool,
    /// Lists of hashes of its own, for `options` to be completed with.
    pub lists: Vec<OwnList>,
    /// The kinds of hashes that the rules ask for with which it shares its bits.
    pub beside: Vec<HashAlgorithm>,
    /// What it asks for by itself.
    pub values: Vec<String>,
    /// The versions of Suricata that run it, where not all do.
    pub requires: Option<Requires>,
    /// Whether it only sets bits for other rules.
    pub is_setter: bool,
    /// The data source.
    pub source: Arc<Source>,
}

/// The options that match one packet or transaction, by the buffer that they are about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Match {
    /// The versions of Suricata that can see it, where not all do.
    pub requires: Option<Requires>,
    /// What it asks for by itself.
    pub values: Vec<String>,
    /// What tells it from the match in front that says the same of another form of the request; empty where there is none.
    pub form: &'static str,
    asked: Vec<Asked>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    /// The buffer's keyword and transforms; empty for options that stand by themselves.
    buffer: RuleText,
    options: RuleText,
    /// Whether the buffer has many instances, and these options are about one of them.
    instance: bool,
}

impl Match {
    /// Options that are about no buffer.
    pub fn plain(options: RuleText) -> Self {
        Self::new(RuleText::default(), options)
    }

    /// Options about a buffer.
    pub fn new(buffer: RuleText, options: RuleText) -> Self {
        Self { asked: vec![Asked { buffer, options, instance: false }], ..Self::default() }
    }

    /// The whole of a buffer, which is these bytes, or is there and is not.
    pub fn whole(buffer: RuleText, bytes: &[u8], ignores_case: bool, negated: bool) -> Self {
        let content = RuleText::new(if negated { "content:!" } else { "content:" }).content(bytes);
        let content = content.word(if ignores_case { "; nocase; " } else { "; " });
        Self::new(
            buffer,
            if negated {
                content.word("startswith; endswith; ")
            } else {
                content.word("bsize:").number(bytes.len() as u64).word("; ")
            },
        )
    }

    /// Options about one instance of a buffer that has many.
    pub fn instance(buffer: RuleText, options: RuleText) -> Self {
        Self { asked: vec![Asked { buffer, options, instance: true }], ..Self::default() }
    }

    /// The match, for some versions of Suricata only.
    pub fn requiring(self, requires: Option<Requires>) -> Self {
        Self { requires, ..self }
    }

    /// The match, which asks for this value by itself.
    pub fn naming(mut self, value: impl Into<String>) -> Self {
        self.values.push(value.into());
        self
    }

    /// The match, of another form of the same request as the one in front.
    pub fn of_form(self, form: &'static str) -> Self {
        Self { form, ..self }
    }

    /// Whether there is a version of Suricata for both.
    pub fn goes_with(&self, other: &Self) -> bool {
        self.requires.zip(other.requires).is_none_or(|(one, other)| one == other)
    }

    /// Both matches in one rule. Suricata warns of a buffer that is named twice, so its options go together.
    pub fn and(mut self, other: &Self) -> Self {
        self.requires = self.requires.or(other.requires);
        self.form = if self.form.is_empty() { other.form } else { self.form };
        self.values.extend(other.values.iter().cloned());
        for more in &other.asked {
            let same = |asked: &&mut Asked| !asked.instance && !more.instance && asked.buffer == more.buffer;
            match self.asked.iter_mut().find(same) {
                Some(asked) => asked.options = std::mem::take(&mut asked.options).text(&more.options),
                None => self.asked.push(more.clone()),
            }
        }
        self
    }

    /// The options, each with a blank behind it. Those without a buffer come first, where no buffer is open yet.
    pub fn text(&self) -> RuleText {
        let requires = RuleText::new(match self.requires {
            None => "",
            Some(Requires::Before8) => "requires:version < 8.0.0; ",
            Some(Requires::From8) => "requires:version >= 8.0.0; ",
        });
        let (plain, buffered): (Vec<&Asked>, Vec<&Asked>) =
            self.asked.iter().partition(|asked| asked.buffer.as_str().is_empty());
        let asked = plain.into_iter().chain(buffered);
        asked.fold(requires, |text, asked| text.text(&asked.buffer).text(&asked.options))
    }
}

impl Signature {
    /// The kinds of hashes that it and the rules that it serves ask for.
    pub fn algorithms(&self) -> impl Iterator<Item = HashAlgorithm> {
        self.lists.iter().filter_map(OwnList::algorithm).chain(self.beside.iter().copied())
    }
}

/// Hashes that a single rule asks for beside other things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnList {
    /// The hashes, all of one algorithm.
    pub hashes: Vec<Hash>,
    /// Whether the file must have none of them.
    pub negated: bool,
}

impl OwnList {
    /// The algorithm of its hashes.
    pub fn algorithm(&self) -> Option<HashAlgorithm> {
        self.hashes.first().map(Hash::algorithm)
    }
}

/// What a plan becomes: a rule of its own, or a line of a list.
#[derive(Debug)]
pub enum Body {
    /// A rule of its own.
    Signature(Signature),
    /// A line in the list of its algorithm.
    Listed(Hash),
}
