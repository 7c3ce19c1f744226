//! The files of a run: rules, lists of hashes, ready-made rules, and the lock.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::{
    diagnostic::{Code, Diagnostic},
    plan::{Hash, HashAlgorithm, fidelity::Fidelity},
    targets::contract::{Content, Emission, EmitError, Lowered, Origin, Rule, view},
};

use super::{
    lock::{Digest, Key, Lock, Number, SidRange},
    native,
    signature::{Body, OwnList, Signature},
    text::{ListPath, Metadata, Msg, RuleText},
    view::{Chunk, Facts, HashView, Hashes, RuleView},
};

/// Two rules with one number.
pub const SID_CLASH: Code = Code("R121");
/// Several kinds of hashes, of which Suricata 7 computes one unless told otherwise.
pub const SEVERAL_HASHES: Code = Code("R122");

/// Where the lock is, below the output folder.
pub const LOCK: &str = "stixc.lock";
/// Where the rules are.
pub const RULES: &str = "suricata/stixc.rules";
/// Where ready-made rules are.
pub const NATIVE: &str = "suricata/native.rules";
/// Where lists of hashes are.
pub const LISTS: &str = "suricata/lists/";
/// The template of the rules.
pub const RULES_TEMPLATE: &str = "rules.hbs";
/// The template of the lists.
pub const LISTS_TEMPLATE: &str = "list.hbs";

/// How many rules or hashes one call of a template writes.
const CHUNK: usize = 256;
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
    let (natives, native_sids) = natives(rules, emission);
    let run = Run::of(rules);
    let keys = run.keys();
    let numbers = lock.assign(&keys, range, &native_sids).map_err(|error| EmitError::Exhausted(error.to_string()))?;
    for number in numbers.iter().filter(|number| native_sids.contains(&number.sid)) {
        let message = format!("the number {} is that of a ready-made rule, too", number.sid);
        let help = format!("disable one of the two, or remove the line with {} from {LOCK}", number.sid);
        emission.say(Diagnostic::warning(SID_CLASH, message).help(help));
    }
    run.write(&numbers, emission)?;
    if !natives.is_empty() {
        emission.file(NATIVE, &mut |out| {
            natives.iter().try_for_each(|rule| writeln!(out, "{rule}"))?;
            Ok(())
        })?;
    }
    if !keys.is_empty() || before.is_some() {
        let text = lock.print();
        emission.file(LOCK, &mut |out| Ok(out.write_all(text.as_bytes())?))?;
    }
    Ok(())
}

/// The ready-made rules in order of their numbers, each text once, and their numbers.
fn natives(rules: &[Rule<Body>], emission: &mut dyn Emission) -> (Vec<String>, HashSet<u32>) {
    let mut natives: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
    for (index, rule) in rules.iter().enumerate() {
        let Content::Native(text) = &rule.content else { continue };
        let Ok(sid) = native::sid(text) else { continue };
        natives.entry(sid).or_default().insert(text.trim());
        emission.name(index, vec![sid.to_string()]);
    }
    for (sid, texts) in natives.iter().filter(|(_, texts)| texts.len() > 1) {
        let message = format!("{} ready-made rules have the number {sid}: Suricata loads one of them", texts.len());
        emission.say(Diagnostic::warning(SID_CLASH, message));
    }
    let sids = natives.keys().copied().collect();
    (natives.into_values().flatten().map(str::to_owned).collect(), sids)
}

/// All that a run writes, before it has numbers.
struct Run<'r> {
    rules: &'r [Rule<Body>],
    /// Rules of their own: the number of the [`Rule`], and the signature.
    signatures: Vec<(usize, &'r Signature)>,
    /// The common lists: each hash, and the rules that ask for it.
    lists: BTreeMap<HashAlgorithm, BTreeMap<&'r str, BTreeSet<usize>>>,
}

/// A file of hashes, to be written.
struct ListFile<'r> {
    path: String,
    lines: Vec<(&'r str, Metadata)>,
}

impl<'r> Run<'r> {
    fn of(rules: &'r [Rule<Body>]) -> Self {
        let mut run = Self { rules, signatures: Vec::with_capacity(rules.len()), lists: BTreeMap::new() };
        for (index, rule) in rules.iter().enumerate() {
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

    /// What each rule's number hangs on and what it matches: first the signatures, then the lists.
    fn keys(&self) -> Vec<(Key, Digest)> {
        let mut keys = Vec::with_capacity(self.signatures.len() + self.lists.len());
        let mut seen: HashSet<Key> = HashSet::with_capacity(self.signatures.len());
        for &(index, signature) in &self.signatures {
            let mut key = Key { id: self.rules[index].origin.id.clone(), slot: signature.slot.clone() };
            // One indicator with two patterns: the rules of the second one count on.
            let mut count = 1;
            while !seen.insert(key.clone()) {
                count += 1;
                key.slot = format!("{}+{count}", signature.slot);
            }
            keys.push((key, digest(signature)));
        }
        for (algorithm, hashes) in &self.lists {
            let key = Key { id: LISTS_ID.to_owned(), slot: format!("list.{}", algorithm.name()) };
            let hashes = hashes.keys().map(|hash| hash.as_bytes());
            keys.push((key, Digest::of(std::iter::once(algorithm.name().as_bytes()).chain(hashes))));
        }
        keys
    }

    /// Writes rules and lists, with the numbers in the order of [`Run::keys`].
    fn write(&self, numbers: &[Number], emission: &mut dyn Emission) -> Result<(), EmitError> {
        let (signature_numbers, list_numbers) = numbers.split_at(self.signatures.len());
        let mut files: Vec<ListFile<'r>> = Vec::new();
        let mut order: Vec<(Number, Line<'_, 'r>)> = Vec::with_capacity(numbers.len());
        let mut names: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
        for (&number, &(index, signature)) in signature_numbers.iter().zip(&self.signatures) {
            order.push((number, Line::Signature(index, signature)));
            names.entry(index).or_default().insert(number.sid);
            files.extend(self.own_lists(index, signature, number));
        }
        for (&number, (&algorithm, hashes)) in list_numbers.iter().zip(&self.lists) {
            order.push((number, Line::List(algorithm, hashes)));
            for &index in hashes.values().flatten() {
                names.entry(index).or_default().insert(number.sid);
            }
            files.push(self.common_list(algorithm, hashes));
        }
        order.sort_unstable_by_key(|(number, _)| number.sid);
        let several_hashes = self.say_several_hashes(emission);
        let text = self.render(&order, several_hashes, emission)?;
        emission.file(RULES, &mut |out| Ok(out.write_all(&text)?))?;
        for file in files {
            let text = render_list(&file, emission)?;
            emission.file(&file.path, &mut |out| Ok(out.write_all(&text)?))?;
        }
        for (index, sids) in names {
            emission.name(index, sids.iter().map(u32::to_string).collect());
        }
        Ok(())
    }

    fn say_several_hashes(&self, emission: &mut dyn Emission) -> bool {
        let own = self.signatures.iter().flat_map(|(_, signature)| &signature.lists).flat_map(|list| &list.hashes);
        let algorithms: BTreeSet<HashAlgorithm> = self.lists.keys().copied().chain(own.map(Hash::algorithm)).collect();
        let several = algorithms.len() > 1;
        if several {
            let names: Vec<&str> = algorithms.iter().map(|algorithm| algorithm.name()).collect();
            let message =
                format!("the rules ask for {}: Suricata 7 computes only one of them by itself", names.join(", "));
            let help = format!("set outputs.eve-log.types.files.force-hash: [{}] in suricata.yaml", names.join(", "));
            emission.say(Diagnostic::note(SEVERAL_HASHES, message).help(help));
        }
        several
    }

    /// The rules in their order, as text.
    fn render(
        &self,
        order: &[(Number, Line<'_, 'r>)],
        several_hashes: bool,
        emission: &dyn Emission,
    ) -> Result<Vec<u8>, EmitError> {
        let mut text = Vec::with_capacity(512 * (order.len() + 1));
        let mut chunks = order.chunks(CHUNK);
        let mut first = true;
        loop {
            let chunk = chunks.next();
            if chunk.is_none() && !first {
                return Ok(text);
            }
            let rules = chunk.unwrap_or_default().iter().map(|(number, line)| self.rule_view(*number, line)).collect();
            let chunk = view(&Chunk { first, several_hashes, rules })?;
            emission.render(RULES_TEMPLATE, chunk, &mut text)?;
            first = false;
        }
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
                let options =
                    signature.lists.iter().enumerate().fold(signature.options.clone(), |options, (place, list)| {
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

    fn common_list(&self, algorithm: HashAlgorithm, hashes: &BTreeMap<&'r str, BTreeSet<usize>>) -> ListFile<'r> {
        let line = |(&hash, indices): (&&'r str, &BTreeSet<usize>)| {
            let ids = indices.iter().flat_map(|&index| &self.rules[index].origin.sources);
            let mut source = Metadata::default();
            ids.for_each(|id| source.push("stix_id", id));
            let lowered = indices.iter().filter_map(|&index| lowered(&self.rules[index]));
            let fidelity = lowered.fold(Fidelity::EXACT, |all, lowered| all | lowered.fidelity);
            source.push("stix_fidelity", fidelity.name());
            (hash, source)
        };
        ListFile { path: common_path(algorithm).in_folder(), lines: hashes.iter().map(line).collect() }
    }

    /// The lists that a single rule asks for.
    fn own_lists(&self, index: usize, signature: &'r Signature, number: Number) -> Vec<ListFile<'r>> {
        let mut source = Metadata::default();
        self.rules[index].origin.sources.iter().for_each(|id| source.push("stix_id", id));
        let file = |(place, list): (usize, &'r OwnList)| ListFile {
            path: own_path(number, place, list).in_folder(),
            lines: list.hashes.iter().map(|hash| (hash.hex(), source.clone())).collect(),
        };
        signature.lists.iter().enumerate().map(file).collect()
    }
}

/// Something that has a number.
enum Line<'a, 'r> {
    Signature(usize, &'r Signature),
    List(HashAlgorithm, &'a BTreeMap<&'r str, BTreeSet<usize>>),
}

fn lowered(rule: &Rule<Body>) -> Option<&Lowered<Body>> {
    match &rule.content {
        Content::Compiled(lowered) => Some(lowered),
        Content::Native(_) => None,
    }
}

/// What a signature matches.
fn digest(signature: &Signature) -> Digest {
    let lists = signature.lists.iter().flat_map(|list| {
        let sign: &[u8] = if list.negated { b"!" } else { b"=" };
        std::iter::once(sign).chain(list.hashes.iter().map(|hash| hash.hex().as_bytes()))
    });
    let text = [signature.header.as_str().as_bytes(), signature.options.as_str().as_bytes()];
    Digest::of(text.into_iter().chain(lists))
}

fn common_path(algorithm: HashAlgorithm) -> ListPath {
    ListPath::new(None, algorithm)
}

fn own_path(number: Number, place: usize, list: &OwnList) -> ListPath {
    let algorithm = list.hashes.first().map_or(HashAlgorithm::Sha256, Hash::algorithm);
    ListPath::new(Some((number.sid, place)), algorithm)
}

/// `filesha256:`, `filesha256:!` …, for a path to follow.
fn list_option(text: RuleText, list: &OwnList) -> RuleText {
    let algorithm = list.hashes.first().map_or(HashAlgorithm::Sha256, Hash::algorithm);
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

fn render_list(file: &ListFile<'_>, emission: &dyn Emission) -> Result<Vec<u8>, EmitError> {
    let mut text = Vec::with_capacity(128 * file.lines.len());
    for chunk in file.lines.chunks(CHUNK) {
        let line = |(hash, source): &(&str, Metadata)| HashView { hash: (*hash).to_owned(), source: source.clone() };
        let hashes = view(&Hashes { hashes: chunk.iter().map(line).collect() })?;
        emission.render(LISTS_TEMPLATE, hashes, &mut text)?;
    }
    Ok(text)
}
