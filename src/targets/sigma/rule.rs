//! The rule around a detection: title, description, tags and where it comes from.

use serde::Serialize;
use uuid::Uuid;

use super::{
    attack,
    correlation::{Correlation, Member},
    draft::Detection,
    text::{YamlBlock, YamlScalar, readable},
};
use crate::{
    plan::fidelity::{Fidelity, Loss},
    stix::{Timestamp, Tlp},
    targets::contract::Origin,
};

/// `SigmaHQ`'s validators want titles of at most 120 characters; log source and id take up to 54 of them.
const NAME_LIMIT: usize = 64;
const DESCRIPTION_LIMIT: usize = 2000;
const REFERENCE_LIMIT: usize = 2000;
/// So many source ids, and so many losses, are named in a rule; of the others their number.
const MOST: usize = 8;
const LOSS_LIMIT: usize = 300;
/// What stands in a correlation's title where other rules have their log source.
pub(super) const CORRELATION: &str = "Correlation";

/// What the template sees. Blocks are whole lines and empty where there is nothing to say.
#[derive(Debug, Serialize)]
pub(super) struct View<'r> {
    title: YamlScalar,
    id: String,
    /// `name:`, for rules that a correlation ties.
    name: YamlBlock,
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
}

/// What the template of correlations sees.
#[derive(Debug, Serialize)]
pub(super) struct CorrelationView<'r> {
    title: YamlScalar,
    id: String,
    description: YamlScalar,
    /// `references:`.
    references: &'r YamlBlock,
    author: &'r YamlScalar,
    /// `date:` and `modified:`.
    dates: &'r YamlBlock,
    /// `tags:`.
    tags: &'r YamlBlock,
    correlation: &'r YamlBlock,
    level: &'static str,
}

/// What all rules of one indicator share.
pub(super) struct Metadata {
    name: String,
    /// What the indicator says, and which indicators it is, up to what each rule adds.
    description: String,
    references: YamlBlock,
    author: YamlScalar,
    dates: YamlBlock,
    tags: YamlBlock,
    level: &'static str,
}

impl Metadata {
    /// Reads them from the indicator.
    pub(super) fn new(origin: &Origin) -> Self {
        let (links, attack) = references(&origin.references);
        let Tags { known, unknown } = Tags::new(origin, attack);
        Self {
            name: name(&origin.name),
            description: description(origin, &unknown),
            references: section("references", &links),
            author: YamlScalar::text(&author(&origin.creator)),
            dates: dates(origin.created, origin.modified),
            tags: section("tags", &known),
            level: level(origin.confidence),
        }
    }

    /// Says what the guard warns of, and lowers the level by one for it.
    pub(super) fn with_warnings<'l>(mut self, warnings: impl Iterator<Item = &'l Loss>) -> Self {
        let warnings: Vec<String> = warnings.map(loss).collect();
        if !warnings.is_empty() {
            self.level = lower(self.level);
            self.description.push_str(&format!("at a lower level for {}; ", warnings.join("; ")));
        }
        self
    }

    /// The title of a rule and its author, as they are in its file.
    #[cfg(feature = "witness")]
    pub(super) fn heading(&self, source: &super::data_source::DataSource, id: Uuid) -> (YamlScalar, &YamlScalar) {
        (YamlScalar::text(&self.title(&source.title, id)), &self.author)
    }

    /// The rule for the one of the indicator's detections that has the number `index`; `ids` are those of all its rules.
    pub(super) fn rule<'r>(&'r self, index: usize, detection: &'r Detection, ids: &[Uuid]) -> View<'r> {
        let source = &detection.source;
        View {
            title: YamlScalar::text(&self.title(&source.title, ids[index])),
            id: ids[index].to_string(),
            name: YamlBlock::default(),
            related: related(index, ids),
            description: self.judged(detection.fidelity, &detection.losses),
            references: &self.references,
            author: &self.author,
            dates: &self.dates,
            tags: &self.tags,
            logsource: &source.logsource,
            detection: &detection.block,
            level: self.level,
        }
    }

    /// A rule that only serves a correlation: it says nothing by itself.
    pub(super) fn member<'r>(&'r self, member: &'r Member, id: Uuid) -> View<'r> {
        let mut name = YamlBlock::default();
        name.line(0, &format!("name: {}", member_name(id)));
        View {
            title: YamlScalar::text(&self.title(&member.source.title, id)),
            id: id.to_string(),
            name,
            related: YamlBlock::default(),
            description: self.described(&format!("{}serves a correlation.", self.description)),
            references: &self.references,
            author: &self.author,
            dates: &self.dates,
            tags: &self.tags,
            logsource: &member.source.logsource,
            detection: &member.block,
            level: "informational",
        }
    }

    /// The correlation with these lines.
    pub(super) fn correlation<'r>(
        &'r self,
        correlation: &Correlation,
        id: Uuid,
        block: &'r YamlBlock,
    ) -> CorrelationView<'r> {
        CorrelationView {
            title: YamlScalar::text(&self.title(CORRELATION, id)),
            id: id.to_string(),
            description: self.judged(correlation.fidelity, &correlation.losses),
            references: &self.references,
            author: &self.author,
            dates: &self.dates,
            tags: &self.tags,
            correlation: block,
            level: self.level,
        }
    }

    /// Names of indicators repeat, titles of rules should not: the id's first digits set them apart.
    pub(super) fn title(&self, source: &str, id: Uuid) -> String {
        let (first, ..) = id.as_fields();
        format!("{} - {source} ({first:08X})", self.name)
    }

    /// The description with the rule's verdict at its end.
    fn judged(&self, fidelity: Fidelity, losses: &[Loss]) -> YamlScalar {
        let mut text = self.description.clone();
        text.push_str("fidelity: ");
        text.push_str(fidelity.name());
        // An exact rule has nothing to explain.
        let mut losses: Vec<String> = losses.iter().map(loss).collect();
        losses.dedup();
        if !losses.is_empty() {
            let more = losses.len().saturating_sub(MOST);
            losses.truncate(MOST);
            text.push_str(" (");
            text.push_str(&losses.join("; "));
            and_more(more, "; ", &mut text);
            text.push(')');
        }
        text.push('.');
        self.described(&text)
    }

    fn described(&self, text: &str) -> YamlScalar {
        if self.references.is_empty() {
            // A link belongs into the references; one in a description is more often the threat itself.
            return YamlScalar::text(&text.replace("://", "[:]//"));
        }
        YamlScalar::text(text)
    }
}

/// The name by which a correlation knows a rule.
pub(super) fn member_name(id: Uuid) -> String {
    format!("stixc_{}", id.simple())
}

/// `related:`, the rules of the same indicator in other log sources.
fn related(index: usize, ids: &[Uuid]) -> YamlBlock {
    let mut block = YamlBlock::default();
    for (_, id) in ids.iter().enumerate().filter(|(other, _)| *other != index) {
        if block.is_empty() {
            block.line(0, "related:");
        }
        block.line(4, &format!("- id: {id}"));
        block.line(6, "type: similar");
    }
    block
}

/// `L004 letter case is ignored`.
pub(super) fn loss(loss: &Loss) -> String {
    readable(&format!("{} {}", loss.code, loss.message), LOSS_LIMIT)
}

/// Says that there are `more` than those that were named, if there are.
fn and_more(more: usize, separator: &str, out: &mut String) {
    if more > 0 {
        out.push_str(&format!("{separator}{more} more"));
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

/// What the indicator says of itself and of what it indicates, its ids and its end. Ends where the verdict follows.
fn description(origin: &Origin, unknown: &[&str]) -> String {
    let text = if origin.description.trim().is_empty() {
        format!("Detects {}", origin.name)
    } else {
        origin.description.clone()
    };
    let mut text = readable(&text, DESCRIPTION_LIMIT);
    if !text.ends_with(['.', '!', '?', '…']) {
        text.push('.');
    }
    let tlp = origin.tlp.filter(|tlp| *tlp != Tlp::Clear).map(|tlp| light(tlp).to_ascii_uppercase());
    let lists = [
        ("Malware", named(&origin.malware)),
        ("Threats", named(&origin.threats)),
        ("ATT&CK techniques", unknown.join(", ")),
        ("TLP", tlp.unwrap_or_default()),
    ];
    for (label, names) in lists.iter().filter(|(_, names)| !names.is_empty()) {
        text.push_str(&format!(" {label}: {names}."));
    }
    text.push_str(&format!(" Compiled by stixc from {}; ", named(origin.indicators())));
    if let Some(until) = origin.valid_until {
        text.push_str(&format!("valid until {}; ", until.date()));
    }
    text
}

/// Names from a feed in one line, the first of them.
fn named(names: &[String]) -> String {
    let first: Vec<String> =
        names.iter().take(MOST).map(|name| readable(name, 200)).filter(|name| !name.is_empty()).collect();
    let mut line = first.join(", ");
    and_more(names.len().saturating_sub(MOST), " and ", &mut line);
    line
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

/// Tags, and what can be none.
struct Tags<'o> {
    /// Those that Sigma's tools know: techniques that exist with their tactics, and TLP:CLEAR. SigmaHQ takes no rule with
    /// another traffic light, so that one stands in the description.
    known: Vec<YamlScalar>,
    /// Techniques whose tactics are unknown: a tag of theirs is called incomplete.
    unknown: Vec<&'o str>,
}

impl<'o> Tags<'o> {
    fn new(origin: &'o Origin, linked: Vec<String>) -> Self {
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
        let clear = (origin.tlp == Some(Tlp::Clear)).then(|| "tlp.clear".to_owned());
        let is_unknown = |id: &&str| is_technique(id) && attack::tactics(id).is_none();
        let unknown = origin.techniques.iter().map(String::as_str).filter(is_unknown).collect();
        Self { known: tactics.chain(techniques).chain(clear).map(|tag| YamlScalar::tag(&tag)).collect(), unknown }
    }
}

/// Whether `id` looks like a technique's: `T1059.001`.
fn is_technique(id: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    id.len() <= 9 && id.strip_prefix('T').is_some_and(|number| !number.is_empty() && number.bytes().all(inside))
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

/// The level below.
pub(super) fn lower(level: &str) -> &'static str {
    match level {
        "critical" => "high",
        "high" => "medium",
        "medium" => "low",
        _ => "informational",
    }
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
        let Tags { known, unknown } = Tags::new(&origin, vec!["T1566".to_owned()]);
        let tags: Vec<&str> = known.iter().map(YamlScalar::as_str).collect();
        assert_eq!(tags, ["attack.execution", "attack.initial-access", "attack.t1059.001", "attack.t1566"]);
        assert_eq!(unknown, ["T9999"]);
        let text = description(&origin, &unknown);
        assert!(text.contains(" ATT&CK techniques: T9999. TLP: AMBER-STRICT. "), "{text}");
        let clear = Origin { tlp: Some(Tlp::Clear), ..Origin::default() };
        assert_eq!(Tags::new(&clear, Vec::new()).known, [YamlScalar::tag("tlp.clear")]);
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
    fn descriptions_name_what_a_rule_is_made_of() {
        let origin = Origin {
            id: "indicator--0".to_owned(),
            description: " seen\nin mail".to_owned(),
            sources: (0..10).map(|number| format!("indicator--{number}")).collect(),
            malware: vec!["Evil\tRAT".to_owned()],
            valid_until: "2025-01-31T10:00:00Z".parse().ok(),
            ..Origin::default()
        };
        let ids = (0..8).map(|number| format!("indicator--{number}")).collect::<Vec<_>>().join(", ");
        let expected = format!(
            "seen in mail. Malware: Evil RAT. Compiled by stixc from {ids} and 2 more; valid until 2025-01-31; "
        );
        assert_eq!(description(&origin, &[]), expected);
        let bare = Origin { id: "indicator--0".to_owned(), name: "n".to_owned(), ..Origin::default() };
        assert_eq!(description(&bare, &[]), "Detects n. Compiled by stixc from indicator--0; ");
    }
}
