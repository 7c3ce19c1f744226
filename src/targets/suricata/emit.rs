//! The files of a run: rules, lists of hashes, ready-made rules, and the lock.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::{
    diagnostic::{Code, Diagnostic},
    plan::{HashAlgorithm, fidelity::Fidelity},
    targets::{
        contract::{Content, Emission, EmitError, Lowered, Origin, Rule, view},
        digest::Digest,
        record::{EmittedRule, RuleRecord},
        rule_file::RuleFile,
    },
};

use super::{
    hashes::{self, HashFiles, MD5, RULES, SHA1},
    lock::{Key, Lock, Number, SidRange},
    native, packets,
    place::Requires,
    signature::{Body, OwnList, Signature},
    text::{ListPath, Metadata, Msg, RuleText},
    view::{Chunk, Facts, HashView, Hashes, NativeView, RuleView},
};

/// Several kinds of hashes, of which Suricata 7 computes one unless told otherwise.
pub const SEVERAL_HASHES: Code = Code("R122");

/// Where the lock is, below the output folder.
pub const LOCK: &str = "stixc.lock";
/// Where ready-made rules are that Suricata has compiled.
pub const NATIVE: &str = "suricata/native.rules";
/// Where the other ones are.
pub const UNCHECKED: &str = "suricata/unchecked.rules";
/// Where lists of hashes are.
pub const LISTS: &str = "suricata/lists/";
/// The template of the rules.
pub const RULES_TEMPLATE: &str = "rules.hbs";
/// The template of ready-made rules.
pub const NATIVE_TEMPLATE: &str = "native.hbs";
/// The template of the lists.
pub const LISTS_TEMPLATE: &str = "list.hbs";

/// The id under which the rules of the common lists are in the lock: it is no indicator's.
const LISTS_ID: &str = "stixc";

/// Writes everything.
///
/// # Errors
/// Those of [`Emission`], a damaged lock, a range of numbers that is used up.
pub fn emit(rules: &[Rule<Body>], range: SidRange, emission: &mut dyn Emission) -> Result<(), EmitError> {
    let before = emission.previous(LOCK)?;
    let mut lock = match &before {
        None => Lock::default(),
        Some(text) => Lock::parse(text).map_err(|message| EmitError::Previous { path: LOCK.to_owned(), message })?,
    };
    let run = Run::new(rules);
    let keys = run.keys();
    let numbers = lock.assign(&keys, range).map_err(|error| EmitError::Exhausted(error.to_string()))?;
    run.write(&keys, &numbers, emission)?;
    if !keys.is_empty() || before.is_some() {
        let text = lock.print();
        emission.file(LOCK, &mut |out| Ok(out.write_all(text.as_bytes())?))?;
    }
    Ok(())
}

/// All that a run writes, before it has numbers.
struct Run<'r> {
    rules: &'r [Rule<Body>],
    /// Rules of their own: the number of the [`Rule`], and the signature.
    signatures: Vec<(usize, &'r Signature)>,
    /// Ready-made rules: the number of the [`Rule`], and which of its text's it is.
    natives: Vec<(usize, usize, native::Ready)>,
    /// The common lists: each hash, and the rules that ask for it.
    lists: BTreeMap<HashAlgorithm, BTreeMap<&'r str, BTreeSet<usize>>>,
}

impl<'r> Run<'r> {
    fn new(rules: &'r [Rule<Body>]) -> Self {
        let signatures = Vec::with_capacity(rules.len());
        let mut run = Self { rules, signatures, natives: Vec::new(), lists: BTreeMap::new() };
        for (index, rule) in rules.iter().enumerate() {
            if let Content::Native(native) = &rule.content {
                let ready = native::Ready::all(&native.text, &rule.origin.id).into_iter().enumerate();
                run.natives.extend(ready.map(|(place, ready)| (index, place, ready)));
            }
            for body in lowered(rule).into_iter().flat_map(|lowered| &lowered.drafts) {
                match &**body {
                    Body::Signature(signature) => run.signatures.push((index, signature)),
                    Body::Listed(hash) => {
                        let list = run.lists.entry(hash.algorithm()).or_default();
                        list.entry(hash.hex()).or_default().insert(index);
                    }
                }
            }
        }
        run
    }

    /// What each rule's number hangs on and what it matches: first the signatures, then the lists, then the ready-made rules.
    fn keys(&self) -> Vec<(Key, Digest)> {
        let mut keys = Vec::with_capacity(self.signatures.len() + self.lists.len() + self.natives.len());
        let mut seen: HashSet<Key> = HashSet::with_capacity(self.signatures.len());
        let mut key = |index: usize, slot: &str| {
            let mut key = Key { id: self.rules[index].origin.id.clone(), slot: slot.to_owned() };
            // One indicator with two patterns: the rules of the second one count on.
            let mut count = 1;
            while !seen.insert(key.clone()) {
                count += 1;
                key.slot = format!("{slot}+{count}");
            }
            key
        };
        for &(index, signature) in &self.signatures {
            keys.push((key(index, &signature.slot), digest(signature)));
        }
        for (algorithm, hashes) in &self.lists {
            let key = Key { id: LISTS_ID.to_owned(), slot: format!("list.{}", algorithm.name()) };
            let hashes = hashes.keys().map(|hash| hash.as_bytes());
            keys.push((key, Digest::new(std::iter::once(algorithm.name().as_bytes()).chain(hashes))));
        }
        for (index, place, ready) in &self.natives {
            keys.push((key(*index, &format!("native.{place}")), ready.matches));
        }
        keys
    }

    /// Writes rules and lists; `numbers` are those of `keys`, in their order.
    fn write(&self, keys: &[(Key, Digest)], numbers: &[Number], emission: &mut dyn Emission) -> Result<(), EmitError> {
        let mut order: Vec<(Number, Digest, Line<'_, 'r>)> = Vec::with_capacity(numbers.len());
        let signatures = self.signatures.iter().map(|&(index, signature)| Line::Signature(index, signature));
        let lists = self.lists.iter().map(|(&algorithm, hashes)| Line::List(algorithm, hashes));
        let numbered = numbers.iter().zip(keys).zip(signatures.chain(lists));
        order.extend(numbered.map(|((&number, (_, digest)), line)| (number, *digest, line)));
        let files = self.hash_files();
        let mut written: BTreeMap<usize, BTreeMap<u32, EmittedRule>> = BTreeMap::new();
        for (Number { sid, .. }, _, line) in &order {
            let rule = line.emitted(*sid, files.file(line.algorithms()));
            line.indices().for_each(|index| _ = written.entry(index).or_default().insert(*sid, rule.clone()));
        }
        let lines: Vec<_> = order.iter().map(|(number, _, line)| (*number, *line)).collect();
        order.sort_unstable_by_key(|(number, ..)| number.sid);
        for path in [RULES, MD5, SHA1] {
            let here = |line: &Line<'_, 'r>| files.file(line.algorithms()) == path;
            let rules: Vec<_> = order.iter().filter(|(.., line)| here(line)).collect();
            if path == RULES || !rules.is_empty() {
                self.write_rules(path, &rules, emission)?;
            }
        }
        self.set_apart(&files, emission)?;
        for (number, line) in lines {
            self.write_lists(number, line, emission)?;
        }
        let natives = numbers.get(numbers.len() - self.natives.len()..).unwrap_or_default();
        for ((index, ..), number) in self.natives.iter().zip(natives) {
            let rule = EmittedRule::from(number.sid.to_string());
            written.entry(*index).or_default().insert(number.sid, rule);
        }
        for (path, is_compiled) in [(NATIVE, true), (UNCHECKED, false)] {
            self.write_natives(natives, path, is_compiled, emission)?;
        }
        for (index, rules) in written {
            emission.record_rules(index, rules.into_values().collect());
        }
        Ok(())
    }

    /// Writes a file of ready-made rules in the order of their numbers, if there are any: those that were compiled, or the
    /// other ones.
    fn write_natives(
        &self,
        numbers: &[Number],
        path: &str,
        is_compiled: bool,
        emission: &mut dyn Emission,
    ) -> Result<(), EmitError> {
        let goes = |index: usize| matches!(&self.rules[index].content, Content::Native(native) if native.is_compiled == is_compiled);
        let mut order: Vec<_> = numbers.iter().zip(&self.natives).filter(|(_, native)| goes(native.0)).collect();
        order.sort_unstable_by_key(|(number, _)| number.sid);
        if order.is_empty() {
            return Ok(());
        }
        let mut file = RuleFile::new(path, emission)?;
        file.render(NATIVE_TEMPLATE, view(&NativeView { first: true, unchecked: !is_compiled, text: "" })?, emission)?;
        for (number, (index, _, ready)) in order {
            let indicators = self.rules[*index].origin.indicators();
            let record = RuleRecord {
                id: number.sid.to_string(),
                title: ready.title.clone(),
                matches: Some(ready.matches),
                indicators: indicators.to_vec(),
                revision: Some(number.rev),
                ..RuleRecord::default()
            };
            let text = ready.numbered(*number, indicators);
            let native = view(&NativeView { first: false, unchecked: !is_compiled, text: &text })?;
            file.render_rule(record, NATIVE_TEMPLATE, native, emission)?;
        }
        file.write(emission)
    }

    /// The files of rules by the kinds of hashes that they ask for.
    fn hash_files(&self) -> HashFiles {
        let own = self.signatures.iter().flat_map(|(_, signature)| signature.algorithms());
        HashFiles::new(self.lists.keys().copied().chain(own))
    }

    /// Says that some rules are in files of their own, and writes the configuration that these need.
    fn set_apart(&self, files: &HashFiles, emission: &mut dyn Emission) -> Result<(), EmitError> {
        let Some((others, strongest)) = files.apart() else { return Ok(()) };
        let names: Vec<&str> = others.iter().map(|algorithm| algorithm.name()).collect();
        let rules: Vec<String> = names.iter().map(|name| format!("{name}.rules")).collect();
        let message = format!(
            "rules with {} are not in stixc.rules, but in {}: Suricata 7 computes one kind of hash, here {}",
            names.join(" and "),
            rules.join(" and "),
            strongest.name()
        );
        let help =
            "to load them too, write `- files: !include hashes.yaml` below outputs.eve-log.types in suricata.yaml";
        emission.warn(Diagnostic::warning(SEVERAL_HASHES, message).help(help));
        let mut text = Vec::new();
        emission.render(hashes::TEMPLATE, serde_json::json!({}), &mut text)?;
        emission.file(hashes::CONFIGURATION, &mut |out| Ok(out.write_all(&text)?))
    }

    /// Writes a file of rules, in their order. Each goes through the template alone, so that it is known where it stands.
    fn write_rules(
        &self,
        path: &str,
        order: &[&(Number, Digest, Line<'_, 'r>)],
        emission: &mut dyn Emission,
    ) -> Result<(), EmitError> {
        let needs_hashes = path != RULES;
        let mut file = RuleFile::new(path, emission)?;
        file.render(RULES_TEMPLATE, view(&Chunk { first: true, needs_hashes, rules: &[] })?, emission)?;
        for (number, digest, line) in order {
            let rule = self.rule_view(*number, line);
            let record = RuleRecord {
                id: number.sid.to_string(),
                title: rule.title(),
                matches: Some(*digest),
                indicators: match line {
                    Line::Signature(index, _) => self.rules[*index].origin.indicators().to_vec(),
                    // They stand in the list.
                    Line::List(..) => Vec::new(),
                },
                values: match line {
                    Line::Signature(_, signature) => sorted(&signature.values),
                    Line::List(..) => Vec::new(),
                },
                revision: Some(number.rev),
                ..RuleRecord::default()
            };
            let chunk = view(&Chunk { first: false, needs_hashes, rules: &[rule] })?;
            file.render_rule(record, RULES_TEMPLATE, chunk, emission)?;
        }
        file.write(emission)
    }

    fn rule_view(&self, number: Number, line: &Line<'_, 'r>) -> RuleView {
        match *line {
            Line::Signature(index, signature) => {
                let rule = &self.rules[index];
                let (fidelity, losses) = lowered(rule)
                    .map_or((Fidelity::EXACT, [].as_slice()), |lowered| (lowered.fidelity, &lowered.losses));
                let facts = Facts {
                    msg: Msg::new(&rule.origin.name, &signature.source.data.about),
                    origin: &rule.origin,
                    fidelity,
                    losses,
                    source: &signature.source.name,
                    victim: signature.source.data.victim,
                };
                let options = signature.options.clone();
                let options = if signature.once { packets::once(options, number.sid) } else { options };
                let options = signature.lists.iter().enumerate().fold(options, |options, (place, list)| {
                    list_option(options, list).list(&own_path(number, place, list)).word("; ")
                });
                RuleView::new(signature.header.clone(), options, &facts, number)
            }
            Line::List(algorithm, hashes) => self.list_view(number, algorithm, hashes),
        }
    }

    /// The rule of a common list: it is made of all of its indicators.
    fn list_view(
        &self,
        number: Number,
        algorithm: HashAlgorithm,
        hashes: &BTreeMap<&str, BTreeSet<usize>>,
    ) -> RuleView {
        let indices: BTreeSet<usize> = hashes.values().flatten().copied().collect();
        let rules = || indices.iter().map(|&index| &self.rules[index]);
        let origin = Origin {
            created: rules().filter_map(|rule| rule.origin.created).min(),
            modified: rules().filter_map(|rule| rule.origin.modified).max(),
            ..Origin::default()
        };
        let fidelity = rules().filter_map(lowered).fold(Fidelity::EXACT, |all, lowered| all | lowered.fidelity);
        let facts = Facts {
            msg: Msg::new(&format!("file with a listed {} hash", algorithm.name()), "file"),
            origin: &origin,
            fidelity,
            losses: &[],
            source: "file",
            victim: None,
        };
        let options = hash_keyword(RuleText::default(), algorithm).list(&common_path(algorithm)).word("; ");
        RuleView::new(RuleText::new("tcp any any -> any any"), options, &facts, number)
    }

    /// Writes the lists that a rule asks for.
    fn write_lists(&self, number: Number, line: Line<'_, 'r>, emission: &mut dyn Emission) -> Result<(), EmitError> {
        match line {
            Line::Signature(index, signature) => {
                let indices = BTreeSet::from([index]);
                for (place, list) in signature.lists.iter().enumerate() {
                    let hashes = list.hashes.iter().map(|hash| (hash.hex(), &indices));
                    self.write_list(&own_path(number, place, list), hashes, false, emission)?;
                }
                Ok(())
            }
            Line::List(algorithm, hashes) => {
                let hashes = hashes.iter().map(|(hash, indices)| (*hash, indices));
                self.write_list(&common_path(algorithm), hashes, true, emission)
            }
        }
    }

    /// Writes a list of hashes, each with the rules that ask for it. Only a list that serves many rules says what they are
    /// to their patterns.
    fn write_list<'h>(
        &self,
        path: &ListPath,
        hashes: impl Iterator<Item = (&'h str, &'h BTreeSet<usize>)>,
        has_fidelity: bool,
        emission: &mut dyn Emission,
    ) -> Result<(), EmitError> {
        let mut file = RuleFile::new(path.in_folder(), emission)?;
        for (hash, indices) in hashes {
            let rules = || indices.iter().map(|&index| &self.rules[index]);
            let mut record = RuleRecord { list: path.name(), id: hash.to_owned(), ..RuleRecord::default() };
            record.indicators = rules().flat_map(|rule| &rule.origin.sources).cloned().collect();
            let mut source = Metadata::default();
            record.indicators.iter().for_each(|id| source.push("stix_id", id));
            if has_fidelity {
                let fidelity = rules().filter_map(lowered).fold(Fidelity::EXACT, |all, lowered| all | lowered.fidelity);
                source.push("stix_fidelity", fidelity.name());
            }
            record.indicators.sort();
            record.indicators.dedup();
            let hashes = view(&Hashes { hashes: [HashView { hash: hash.to_owned(), source }] })?;
            file.render_rule(record, LISTS_TEMPLATE, hashes, emission)?;
        }
        file.write(emission)
    }
}

/// Something that has a number.
#[derive(Clone, Copy)]
enum Line<'a, 'r> {
    Signature(usize, &'r Signature),
    List(HashAlgorithm, &'a BTreeMap<&'r str, BTreeSet<usize>>),
}

impl Line<'_, '_> {
    /// The kinds of hashes that it asks for, or that rules ask for with which it goes.
    fn algorithms(&self) -> impl Iterator<Item = HashAlgorithm> {
        let (listed, own) = match *self {
            Line::Signature(_, signature) => (None, Some(signature.algorithms())),
            Line::List(algorithm, _) => (Some(algorithm), None),
        };
        listed.into_iter().chain(own.into_iter().flatten())
    }

    /// What Suricata makes of the rule in this file.
    fn emitted(&self, sid: u32, path: &'static str) -> EmittedRule {
        let file = if path == RULES { "" } else { hashes::below(path) };
        let rule = EmittedRule { file: file.to_owned(), ..EmittedRule::from(sid.to_string()) };
        let Line::Signature(_, signature) = self else { return rule };
        let (since, until) = match signature.requires {
            None => (None, None),
            Some(Requires::Before8) => (None, Some(8)),
            Some(Requires::From8) => (Some(8), None),
        };
        EmittedRule { serves: signature.is_setter, since, until, ..rule }
    }

    /// The numbers of the rules behind it.
    fn indices(&self) -> impl Iterator<Item = usize> {
        let (own, listed) = match *self {
            Line::Signature(index, _) => (Some(index), None),
            Line::List(_, hashes) => (None, Some(hashes)),
        };
        own.into_iter().chain(listed.into_iter().flat_map(|hashes| hashes.values().flatten().copied()))
    }
}

fn lowered(rule: &Rule<Body>) -> Option<&Lowered<Body>> {
    match &rule.content {
        Content::Compiled(lowered) => Some(lowered),
        Content::Native(_) => None,
    }
}

fn sorted(values: &[String]) -> Vec<String> {
    values.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

/// What a signature matches.
fn digest(signature: &Signature) -> Digest {
    let lists = signature.lists.iter().flat_map(|list| {
        let sign: &[u8] = if list.negated { b"!" } else { b"=" };
        std::iter::once(sign).chain(list.hashes.iter().map(|hash| hash.hex().as_bytes()))
    });
    let text = [signature.header.as_str().as_bytes(), signature.options.as_str().as_bytes()];
    let once: &[&[u8]] = if signature.once { &[b"once"] } else { &[] };
    Digest::new(text.into_iter().chain(lists).chain(once.iter().copied()))
}

fn common_path(algorithm: HashAlgorithm) -> ListPath {
    ListPath::new(None, algorithm)
}

fn own_path(number: Number, place: usize, list: &OwnList) -> ListPath {
    let algorithm = list.algorithm().unwrap_or(HashAlgorithm::Sha256);
    ListPath::new(Some((number.sid, place)), algorithm)
}

/// `filesha256:`, `filesha256:!` …, for a path to follow.
fn list_option(text: RuleText, list: &OwnList) -> RuleText {
    let algorithm = list.algorithm().unwrap_or(HashAlgorithm::Sha256);
    hash_keyword(text, algorithm).word(if list.negated { "!" } else { "" })
}

fn hash_keyword(text: RuleText, algorithm: HashAlgorithm) -> RuleText {
    text.word(match algorithm {
        HashAlgorithm::Md5 => "filemd5:",
        HashAlgorithm::Sha1 => "filesha1:",
        // SHA-512 is refused when a plan is lowered.
        HashAlgorithm::Sha256 | HashAlgorithm::Sha512 => "filesha256:",
    })
}
