//! The rule around a detection: title, description, tags and where it comes from.

use serde::Serialize;
use uuid::Uuid;

use super::{
    attack,
    lower::Detection,
    text::{YamlBlock, YamlScalar, readable},
};
use crate::{
    stix::{Timestamp, Tlp},
    target::contract::Origin,
};

/// Rule ids are UUIDv5 in this namespace. It never changes: ids would.
const NAMESPACE: Uuid = Uuid::from_u128(0x8d6a_3f5c_94c1_4e0b_a7d2_51b0_6e3f_c9a8);

/// `SigmaHQ`'s validators want titles of at most 120 characters; log source and id take up to 54 of them.
const NAME_LIMIT: usize = 64;
const DESCRIPTION_LIMIT: usize = 2000;
const REFERENCE_LIMIT: usize = 2000;
/// Shorter descriptions are called too brief by `SigmaHQ`'s validators.
const DESCRIPTION_LEAST: usize = 16;
/// Patterns are quoted in rules up to this length.
const PATTERN_LIMIT: usize = 4096;

/// The id of the rule that an indicator has in a log source.
pub(super) fn id(indicator: &str, scene: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{indicator}:{scene}").as_bytes())
}

/// The file of a rule.
pub(super) fn path(scene: &str, id: Uuid) -> String {
    format!("sigma/{scene}_{}.yml", id.to_string().replace('-', "_"))
}

/// What the template sees. Blocks are whole lines and empty where there is nothing to say.
#[derive(Debug, Serialize)]
pub(super) struct View<'r> {
    title: YamlScalar,
    id: String,
    /// `related:`, the rules of the same indicator in other log sources.
    related: YamlBlock,
    description: YamlScalar,
    /// `references:`.
    references: &'r YamlBlock,
    author: &'r YamlScalar,
    /// `date:` and `modified:`.
    dates: &'r YamlBlock,
    /// `tags:`.
    tags: &'r YamlBlock,
    logsource: &'r YamlBlock,
    detection: &'r YamlBlock,
    level: &'static str,
    /// What `stix:` holds.
    provenance: YamlBlock,
}

/// What all rules of one indicator share.
pub(super) struct Metadata<'o> {
    origin: &'o Origin,
    name: String,
    description: YamlScalar,
    references: YamlBlock,
    author: YamlScalar,
    dates: YamlBlock,
    tags: YamlBlock,
    level: &'static str,
    source: YamlBlock,
}

impl<'o> Metadata<'o> {
    /// Reads them from the indicator.
    pub(super) fn new(origin: &'o Origin) -> Self {
        let (links, attack) = references(&origin.references);
        Self {
            origin,
            name: name(&origin.name),
            description: YamlScalar::text(&description(origin, links.is_empty())),
            references: section("references", &links),
            author: YamlScalar::text(&author(&origin.creator)),
            dates: dates(origin.created, origin.modified),
            tags: section("tags", &tags(origin, attack)),
            level: level(origin.confidence),
            source: source(origin),
        }
    }

    /// The rule for one of the `detections` of the indicator.
    pub(super) fn rule<'r>(&'r self, detection: &'r Detection, detections: &[&Detection]) -> View<'r> {
        let scene = &detection.scene;
        let id = id(&self.origin.id, &scene.name);
        View {
            title: YamlScalar::text(&title(&self.name, &scene.title, id)),
            id: id.to_string(),
            related: self.related(detection, detections),
            description: self.description.clone(),
            references: &self.references,
            author: &self.author,
            dates: &self.dates,
            tags: &self.tags,
            logsource: &scene.logsource,
            detection: &detection.block,
            level: self.level,
            provenance: self.provenance(detection),
        }
    }

    fn related(&self, detection: &Detection, detections: &[&Detection]) -> YamlBlock {
        let mut block = YamlBlock::default();
        let others = detections.iter().filter(|other| other.scene.name != detection.scene.name);
        for other in others {
            if block.is_empty() {
                block.line(0, "related:");
            }
            block.line(4, &format!("- id: {}", id(&self.origin.id, &other.scene.name)));
            block.line(6, "type: similar");
        }
        block
    }

    fn provenance(&self, detection: &Detection) -> YamlBlock {
        let mut block = self.source.clone();
        block.line(4, &format!("fidelity: {}", detection.fidelity));
        if !detection.losses.is_empty() {
            let sentence = |loss: &crate::plan::fidelity::Loss| {
                YamlScalar::text(&readable(&format!("{}: {}", loss.code, loss.message), 500))
            };
            let mut sentences: Vec<YamlScalar> = detection.losses.iter().map(sentence).collect();
            sentences.dedup();
            block.key(4, "losses", "");
            block.items(8, &sentences);
        }
        block
    }
}

/// `key:` and a list, or nothing.
fn section(key: &str, items: &[YamlScalar]) -> YamlBlock {
    let mut block = YamlBlock::default();
    if !items.is_empty() {
        block.key(0, key, "");
        block.items(4, items);
    }
    block
}

/// The name as a title: words with capitals, as `SigmaHQ` writes titles, and without the "Detects" that its rules leave
/// to the description.
fn name(name: &str) -> String {
    let line = readable(name, NAME_LIMIT);
    let words = line
        .trim_end_matches('.')
        .split(' ')
        .skip_while(|word| matches!(*word, "Detect" | "Detects" | "detect" | "detects" | ""));
    let titled = words.map(capital).collect::<Vec<_>>().join(" ");
    if titled.is_empty() { "STIX Indicator".to_owned() } else { titled }
}

/// A word with a capital, unless it is a small one, or a value: those are told by a sign in them or a leading digit.
fn capital(word: &str) -> String {
    const SMALL: [&str; 20] = [
        "a", "an", "and", "as", "at", "by", "for", "from", "in", "new", "of", "on", "or", "over", "the", "through",
        "to", "via", "with", "without",
    ];
    let is_value = word.contains(['.', '/', '_']) || word.starts_with(|first: char| first.is_numeric());
    let is_lower = word.chars().any(char::is_lowercase) && !word.chars().any(char::is_uppercase);
    if is_value || !is_lower || SMALL.contains(&word) {
        return word.to_owned();
    }
    let mut done = false;
    let raised = word.chars().flat_map(|letter| {
        let raise = !done && letter.is_lowercase();
        done |= raise;
        let upper = raise.then(|| letter.to_uppercase());
        let same = (!raise).then_some(letter);
        upper.into_iter().flatten().chain(same)
    });
    raised.collect()
}

/// Names of indicators repeat, titles of rules should not: the id's first digits set them apart.
fn title(name: &str, scene: &str, id: Uuid) -> String {
    let (first, ..) = id.as_fields();
    format!("{name} - {scene} ({first:08X})")
}

fn description(origin: &Origin, without_references: bool) -> String {
    let mut text = if origin.description.trim().is_empty() {
        format!("Detects {}", origin.name)
    } else {
        origin.description.clone()
    };
    for (label, names) in [("Malware", &origin.malware), ("Threats", &origin.threats)] {
        if !names.is_empty() {
            text.push_str(&format!(" {label}: {}.", names.join(", ")));
        }
    }
    let mut text = readable(&text, DESCRIPTION_LIMIT);
    if without_references {
        // A link belongs into the references; one in a description is more often the threat itself.
        text = text.replace("://", "[:]//");
    }
    if text.chars().count() < DESCRIPTION_LEAST {
        text.insert_str(0, "Detects the indicator: ");
    }
    text
}

fn author(creator: &str) -> String {
    let name = readable(creator, 200);
    if name.is_empty() { "stixc".to_owned() } else { name }
}

/// The references, each once, and the ATT&CK ids among them, which Sigma wants as tags.
fn references(urls: &[String]) -> (Vec<YamlScalar>, Vec<String>) {
    let mut links = Vec::with_capacity(urls.len());
    let mut attack = Vec::new();
    for url in urls {
        let line = readable(url, REFERENCE_LIMIT);
        if let Some(path) = line.strip_prefix("https://attack.mitre.org/") {
            attack.extend(attack_id(path));
            continue;
        }
        let scalar = YamlScalar::text(&line);
        if !line.is_empty() && !links.contains(&scalar) {
            links.push(scalar);
        }
    }
    (links, attack)
}

/// `techniques/T1059/001/` is `T1059.001`.
fn attack_id(path: &str) -> Option<String> {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let (_, id, sub) = (parts.next()?, parts.next()?, parts.next());
    let is_number = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    match (id.split_at_checked(1)?, sub) {
        (("T", number), Some(sub)) if number.len() == 4 && sub.len() == 3 && is_number(number) && is_number(sub) => {
            Some(format!("{id}.{sub}"))
        }
        (("T", number), None) if number.len() == 4 && is_number(number) => Some(id.to_owned()),
        _ => None,
    }
}

/// Tags that Sigma's tools know: techniques that exist with their tactics, and the traffic light.
fn tags(origin: &Origin, linked: Vec<String>) -> Vec<YamlScalar> {
    let mut techniques: Vec<&str> = origin.techniques.iter().chain(&linked).map(String::as_str).collect();
    techniques.sort_unstable();
    techniques.dedup();
    let known = techniques.iter().filter_map(|id| attack::tactics(id).map(|tactics| (*id, tactics)));
    let known: Vec<(&str, &[&str])> = known.collect();
    let mut tactics: Vec<&str> = known.iter().flat_map(|(_, tactics)| tactics.iter().copied()).collect();
    tactics.sort_unstable();
    tactics.dedup();
    let tactics = tactics.into_iter().map(|tactic| format!("attack.{tactic}"));
    let techniques = known.iter().map(|(id, _)| format!("attack.{}", id.to_ascii_lowercase()));
    let light = origin.tlp.map(|tlp| format!("tlp.{}", light(tlp)));
    tactics.chain(techniques).chain(light).map(|tag| YamlScalar::tag(&tag)).collect()
}

fn light(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "clear",
        Tlp::Green => "green",
        Tlp::Amber => "amber",
        Tlp::AmberStrict => "amber-strict",
        Tlp::Red => "red",
    }
}

/// `modified` only where it adds something: Sigma wants it later than `date`.
fn dates(created: Option<Timestamp>, modified: Option<Timestamp>) -> YamlBlock {
    let mut block = YamlBlock::default();
    let (created, modified) = (created.map(Timestamp::date), modified.map(Timestamp::date));
    if let Some(date) = created.as_ref().or(modified.as_ref()) {
        block.line(0, &format!("date: {date}"));
    }
    if let (Some(created), Some(modified)) = (&created, &modified)
        && modified > created
    {
        block.line(0, &format!("modified: {modified}"));
    }
    block
}

/// STIX's "Low, Med, High" reading of confidence (2.1, appendix A); without one, medium. `critical` is for incidents
/// that need an answer now, which no feed can know.
fn level(confidence: Option<u8>) -> &'static str {
    match confidence {
        Some(0..=29) => "low",
        None | Some(30..=69) => "medium",
        Some(70..) => "high",
    }
}

fn source(origin: &Origin) -> YamlBlock {
    let mut block = YamlBlock::default();
    let ids = origin.sources.iter().map(|id| YamlScalar::text(&readable(id, 200)));
    block.key(4, "indicators", "");
    if origin.sources.is_empty() {
        block.items(8, &[YamlScalar::text(&readable(&origin.id, 200))]);
    } else {
        block.items(8, &ids.collect::<Vec<_>>());
    }
    let cut = origin.pattern.char_indices().nth(PATTERN_LIMIT);
    let pattern = match cut {
        Some((end, _)) => YamlScalar::text(&format!("{} …", &origin.pattern[..end])),
        None => YamlScalar::text(&origin.pattern),
    };
    block.entry(4, "pattern", "", &pattern);
    if let Some(until) = origin.valid_until {
        block.line(4, &format!("valid_until: {}", until.date()));
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_titles() {
        for (given, expected) in [
            ("detects evil domain evil.example", "Evil Domain evil.example"),
            ("c2 of the (botnet) 203.0.113.9", "C2 of the (Botnet) 203.0.113.9"),
            ("ünder\ttow 7zip a_b", "Ünder Tow 7zip a_b"),
            ("\u{200b}", "STIX Indicator"),
            ("ends with.", "Ends with"),
        ] {
            assert_eq!(name(given), expected);
        }
        assert_eq!(name(&"x".repeat(500)).chars().count(), NAME_LIMIT);
    }

    #[test]
    fn techniques_bring_their_tactics() {
        let origin = Origin {
            techniques: vec!["T1059.001".to_owned(), "T9999".to_owned()],
            tlp: Some(Tlp::AmberStrict),
            ..Origin::default()
        };
        let tags: Vec<String> =
            tags(&origin, vec!["T1566".to_owned()]).iter().map(|tag| tag.as_str().to_owned()).collect();
        let expected =
            ["attack.execution", "attack.initial-access", "attack.t1059.001", "attack.t1566", "tlp.amber-strict"];
        assert_eq!(tags, expected);
    }

    #[test]
    fn attack_links_become_ids() {
        assert_eq!(attack_id("techniques/T1059/001/").as_deref(), Some("T1059.001"));
        assert_eq!(attack_id("techniques/T1059").as_deref(), Some("T1059"));
        assert_eq!(attack_id("software/S0154"), None);
        assert_eq!(attack_id("techniques/é"), None);
        let (links, attack) = references(&[
            "https://a.example/".to_owned(),
            "https://a.example/".to_owned(),
            "https://attack.mitre.org/techniques/T1059/".to_owned(),
        ]);
        assert_eq!((links.len(), attack.as_slice()), (1, ["T1059".to_owned()].as_slice()));
    }

    #[test]
    fn descriptions_are_long_enough_and_hold_no_link() {
        let origin = |text: &str| Origin { description: text.to_owned(), name: "n".to_owned(), ..Origin::default() };
        assert_eq!(description(&origin("bad"), true), "Detects the indicator: bad");
        assert_eq!(description(&origin(""), true), "Detects the indicator: Detects n");
        assert_eq!(description(&origin("see http://x.example now"), true), "see http[:]//x.example now");
        assert_eq!(description(&origin("see http://x.example now"), false), "see http://x.example now");
    }
}
