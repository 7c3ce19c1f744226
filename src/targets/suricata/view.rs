//! What the templates see.

use serde::Serialize;

use crate::{
    guard::KEPT,
    plan::fidelity::{Fidelity, Loss},
    targets::contract::Origin,
};

use super::{
    lock::Number,
    place::Victim,
    text::{Metadata, Msg, References, RuleText},
};

/// A chunk of the rules file.
#[derive(Serialize)]
pub struct Chunk<'r> {
    /// The first chunk has the words in front of all rules.
    pub first: bool,
    /// Whether the file needs more kinds of hashes than Suricata 7 computes by itself.
    pub needs_hashes: bool,
    /// The rules.
    pub rules: &'r [RuleView],
}

/// One rule.
#[derive(Serialize)]
pub struct RuleView {
    header: RuleText,
    msg: Msg,
    options: RuleText,
    /// Everything about the rule that does not make it match: references, class, victim, metadata.
    references: References,
    classtype: &'static str,
    /// `priority:3; `, in place of that of the class, where the guard warns of what the rule is about.
    priority: &'static str,
    target: &'static str,
    metadata: Metadata,
    sid: u32,
    rev: u32,
}

/// A chunk of a file of ready-made rules: the words in front of them, or one of them.
#[derive(Serialize)]
pub struct NativeView<'r> {
    /// The first chunk has the words in front of all rules.
    pub first: bool,
    /// Whether these are the ones that no engine has compiled.
    pub unchecked: bool,
    /// The rule, with the end of its line.
    pub text: &'r str,
}

/// A chunk of a list of hashes.
#[derive(Serialize)]
pub struct Hashes {
    /// The lines.
    pub hashes: [HashView; 1],
}

/// A line in a list.
#[derive(Serialize)]
pub struct HashView {
    /// Lower-case hexadecimal.
    pub hash: String,
    /// The indicator behind it; Suricata reads no further than the hash.
    pub source: Metadata,
}

/// What goes into a rule beside its match.
pub struct Facts<'a> {
    /// What Suricata prints.
    pub msg: Msg,
    /// Where the rule comes from.
    pub origin: &'a Origin,
    /// Whether all rules of the pattern together mean what it means.
    pub fidelity: Fidelity,
    /// What they don't say.
    pub losses: &'a [Loss],
    /// The name of the data source, for the class.
    pub source: &'a str,
    /// Which end is the victim.
    pub victim: Option<Victim>,
}

/// The most ids of indicators and names of malware in one rule.
pub const MOST: usize = 5;

impl RuleView {
    /// A rule, ready for the template.
    pub fn new(header: RuleText, options: RuleText, facts: &Facts<'_>, number: Number) -> Self {
        Self {
            header,
            msg: facts.msg.clone(),
            options,
            references: References::new(&facts.origin.references),
            classtype: classtype(facts.origin, facts.source),
            priority: if facts.losses.iter().any(|loss| loss.code == KEPT) { "priority:3; " } else { "" },
            target: match facts.victim {
                None => "",
                Some(Victim::Source) => "target:src_ip; ",
                Some(Victim::Destination) => "target:dest_ip; ",
            },
            metadata: metadata(facts),
            sid: number.sid,
            rev: number.rev,
        }
    }

    /// What Suricata prints, without the signs that keep it in its quotes.
    pub fn title(&self) -> String {
        self.msg.plain()
    }
}

fn metadata(facts: &Facts<'_>) -> Metadata {
    let origin = facts.origin;
    let mut metadata = Metadata::default();
    let sources = origin.indicators();
    sources.iter().take(MOST).for_each(|id| metadata.push("stix_id", id));
    if sources.len() > MOST {
        metadata.push("stix_sources", &sources.len().to_string());
    }
    metadata.push("stix_fidelity", facts.fidelity.name());
    let mut codes: Vec<&str> = facts.losses.iter().map(|loss| loss.code.0).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.iter().for_each(|code| metadata.push("stix_loss", code));
    if let Some(confidence) = origin.confidence {
        metadata.push("confidence", level(confidence));
        metadata.push("stix_confidence", &confidence.to_string());
    }
    if let Some(tlp) = origin.tlp {
        metadata.push("tlp", tlp.name());
    }
    if let Some(created) = origin.created {
        metadata.push("created_at", &created.date().replace('-', "_"));
    }
    if let Some(modified) = origin.modified {
        metadata.push("updated_at", &modified.date().replace('-', "_"));
    }
    origin.malware.iter().take(MOST).for_each(|name| metadata.push("malware_family", name));
    origin.techniques.iter().take(MOST).for_each(|id| metadata.push("mitre_technique_id", id));
    metadata
}

/// The words that rule sets use, by the scale of STIX 2.1, appendix A (None / Low / Medium / High).
fn level(confidence: u8) -> &'static str {
    match confidence {
        0 => "None",
        1..=29 => "Low",
        30..=69 => "Medium",
        _ => "High",
    }
}

/// One of the classes that Suricata ships, by what the indicator says of itself (indicator-type-ov, and the labels that
/// feeds use).
fn classtype(origin: &Origin, source: &str) -> &'static str {
    let labelled =
        |words: &[&str]| origin.labels.iter().any(|label| words.iter().any(|word| contains_ignoring_case(label, word)));
    if labelled(&["phishing", "credential"]) {
        "credential-theft"
    } else if labelled(&["c2", "command-and-control", "botnet"]) {
        if matches!(source, "dns" | "tls" | "http") { "domain-c2" } else { "command-and-control" }
    } else if labelled(&["exploit"]) {
        "exploit-kit"
    } else if labelled(&["mining", "cryptominer"]) {
        "coin-mining"
    } else if source == "file"
        || !origin.malware.is_empty()
        || labelled(&["malware", "malicious", "ransomware", "trojan"])
    {
        "trojan-activity"
    } else if labelled(&["attribution"]) || !origin.threats.is_empty() {
        "targeted-activity"
    } else {
        "bad-unknown"
    }
}

fn contains_ignoring_case(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}
