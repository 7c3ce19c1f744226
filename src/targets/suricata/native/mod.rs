//! Rules that come ready-made in an indicator (`pattern_type` "suricata").
//!
//! A text may hold several, one a line. They are read far enough that none can hurt the rules beside it: action, header and
//! options are taken apart, and each keyword has to be one that looks at traffic and at nothing else. Then they are put
//! together again, with numbers from the lock, with names of their own for the bits that they keep, and behind all other
//! rules: of the alerts of one packet Suricata keeps the first fifteen, by priority. Whether they compile is for
//! Suricata to say.

mod bits;
mod breadth;
mod keywords;
mod syntax;

use std::collections::BTreeSet;

use crate::{
    diagnostic::{Code, Diagnostic},
    targets::{
        digest::Digest,
        native::{NativeFault, NativePolicy, NativeRule},
    },
};

use super::{lock::Number, text::Metadata};
use keywords::Keywords;
use syntax::{LONGEST, Outline};

/// A ready-made rule that is none.
pub const NOT_A_RULE: Code = Code("R120");
/// A ready-made rule with an action that is not wanted.
pub const ACTION: Code = Code("R123");
/// A ready-made rule with a keyword that could hurt.
pub const KEYWORD: Code = Code("R124");
/// A ready-made rule that keeps bits for other rules, or asks for theirs.
pub const BITS: Code = Code("R125");
/// A ready-made rule with a variable that no shipped configuration has.
pub const VARIABLE: Code = Code("R126");
/// A ready-made rule that never alerts.
pub const SILENT: Code = Code("R127");

const ACTIONS: [&str; 9] = ["alert", "pass", "drop", "reject", "rejectsrc", "rejectdst", "rejectboth", "config", "log"];
/// Options that say which rule it is and how it ranks, and are written anew.
const IDENTITY: [&str; 4] = ["sid", "rev", "gid", "priority"];
/// Options that change nothing about what the rule matches.
const REMARKS: [&str; 5] = ["msg", "reference", "classtype", "metadata", "target"];
/// How the names of the pairs begin that we add to the metadata.
const OUR_PAIRS: [&str; 2] = ["stix_", "native_"];
/// The lowest rank that is used: a rule from a feed comes behind the user's.
const PRIORITY: u8 = 255;
/// How much longer a rule may get by a number, metadata and names of bits.
const ROOM: usize = 700;

/// Reads the rules of a text.
///
/// # Errors
/// Why they can't go into the files.
pub fn read(text: &str, policy: &NativePolicy) -> Result<NativeRule, NativeFault> {
    let malformed =
        |why: String| NativeFault::Malformed(Diagnostic::error(NOT_A_RULE, format!("not a Suricata rule: {why}")));
    let lines = syntax::lines(text);
    let outlines: Vec<Outline<'_>> =
        lines.iter().map(|line| outline(line)).collect::<Result<_, _>>().map_err(malformed)?;
    if outlines.is_empty() {
        return Err(malformed("there is no rule in it".to_owned()));
    }
    outlines.iter().try_for_each(|outline| harmless(outline, policy)).map_err(NativeFault::Unwanted)?;
    bits_stay_inside(&outlines).map_err(NativeFault::Unwanted)?;
    if outlines.iter().all(is_silent) {
        let message = "the rule never alerts, and sets nothing that another rule asks for";
        return Err(NativeFault::Unwanted(Diagnostic::error(SILENT, message)));
    }
    let evidence = outlines.iter().map(breadth::evidence).collect();
    Ok(NativeRule { text: lines.join("\n"), notes: Vec::new(), is_compiled: false, evidence })
}

fn outline(line: &str) -> Result<Outline<'_>, String> {
    let outline = syntax::outline(line)?;
    if !ACTIONS.contains(&outline.action) {
        return Err(format!("'{}' is no action", outline.action));
    }
    if line.len() > LONGEST - ROOM {
        return Err(format!("it has {} bytes, a rule has {} at most", line.len(), LONGEST - ROOM));
    }
    let values = |name| outline.options.iter().filter(move |option| option.0 == name).map(|option| option.1);
    if values("msg").count() != 1 {
        return Err("it has no msg, or several".to_owned());
    }
    if values("content").any(|value| matches!(value, "\"\"" | "!\"\"")) {
        return Err("it has an empty content".to_owned());
    }
    for name in IDENTITY {
        let mut all = values(name);
        match (all.next().map(str::parse::<u32>), all.next()) {
            (Some(Ok(number)), None) if number > 0 => {}
            (None, _) => {}
            (Some(_), None) => return Err(format!("its {name} is no number")),
            (Some(_), Some(_)) => return Err(format!("it has more than one {name}")),
        }
    }
    Ok(outline)
}

/// Whether a rule looks at traffic and does nothing else.
fn harmless(outline: &Outline<'_>, policy: &NativePolicy) -> Result<(), Diagnostic> {
    if !policy.actions.contains(outline.action) {
        let message = format!("the action {} from a feed is not wanted", outline.action);
        let help = format!("--native-actions alert,{} lets it in", outline.action);
        return Err(Diagnostic::error(ACTION, message).help(help));
    }
    let keywords = Keywords::shipped();
    for (name, value) in &outline.options {
        if let Some(why) = keywords.refusal(name) {
            return Err(Diagnostic::error(KEYWORD, format!("the keyword {name} {why}")));
        }
        // What an expression captures, other rules may ask for: `(?P<flow_name>…)`, or `…/, flow:name`.
        if *name == "pcre" && (value.contains("(?P<") || !value.trim_end().ends_with('"') || captures(value)) {
            return Err(Diagnostic::error(KEYWORD, "the expression keeps what it captures for other rules"));
        }
    }
    let variables = outline.header.iter().flat_map(|word| word.split('$').skip(1));
    let name = |word: &'_ str| -> String {
        word.chars().take_while(|character| character.is_ascii_alphanumeric() || *character == '_').collect()
    };
    match variables.map(name).find(|name| !keywords.variables.contains(name)) {
        Some(name) => Err(Diagnostic::error(VARIABLE, format!("the configuration as shipped has no variable ${name}"))),
        None => Ok(()),
    }
}

/// Whether names to capture into stand behind the flags of an expression.
fn captures(expression: &str) -> bool {
    let flags = expression.rsplit_once('/').map_or("", |(_, flags)| flags);
    flags.contains(',') || flags.contains(':')
}

/// Whether the rules keep bits for one another only. A rule that sets one must not alert: Suricata gives the alerts of such
/// rules precedence over all others.
fn bits_stay_inside(outlines: &[Outline<'_>]) -> Result<(), Diagnostic> {
    let all: Vec<_> = outlines.iter().flat_map(uses).collect();
    let set: BTreeSet<_> = all.iter().filter(|one| one.sets).flat_map(|one| one.names.clone()).collect();
    if let Some((keyword, name)) = all.iter().flat_map(|one| &one.names).find(|name| !set.contains(name)) {
        let message = format!("no rule of the pattern sets {name}, which its {keyword} is about");
        return Err(Diagnostic::error(BITS, message).help("put the rules that belong together into one pattern"));
    }
    let loud = |outline: &&Outline<'_>| !is_silent(outline) && uses(outline).iter().any(|one| one.changes);
    match outlines.iter().find(loud) {
        Some(_) => {
            let message = "a rule that sets a bit and alerts takes precedence over all other rules";
            Err(Diagnostic::error(BITS, message).help("set the bit in a rule with noalert"))
        }
        None => Ok(()),
    }
}

fn uses<'t>(outline: &Outline<'t>) -> Vec<bits::Use<'t>> {
    outline.options.iter().filter_map(|(name, value)| bits::of(name, value)).collect()
}

fn is_silent(outline: &Outline<'_>) -> bool {
    outline.options.iter().any(|&(name, value)| name == "noalert" || (name == "flowbits" && value == "noalert"))
}

/// The pairs of a rule's metadata but those that only we say: which indicator a rule comes from, and how far to trust it.
fn foreign(metadata: &str) -> String {
    let is_ours = |pair: &&str| {
        let key = pair.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        key.is_empty() || OUR_PAIRS.iter().any(|ours| key.starts_with(ours))
    };
    metadata.split(',').map(str::trim).filter(|pair| !is_ours(pair)).collect::<Vec<_>>().join(", ")
}

/// A rule of a text that [`read`] has taken, ready for its number.
#[derive(Debug)]
pub struct Ready {
    /// What Suricata prints.
    pub title: String,
    /// What it matches, by what it says.
    pub matches: Digest,
    /// Action, header, and the options but those that say which rule it is.
    start: String,
    /// Its number and revision in the feed.
    before: [Option<String>; 2],
}

impl Ready {
    /// The rules of a text. `owner` is the first indicator that has it, after which the bits are named.
    pub fn all(text: &str, owner: &str) -> Vec<Self> {
        let prefix = format!("stixc.{}.", &Digest::new([owner.as_bytes()]).to_string()[..12]);
        text.lines().filter_map(|line| Some(Self::new(&syntax::outline(line).ok()?, &prefix))).collect()
    }

    fn new(outline: &Outline<'_>, prefix: &str) -> Self {
        let value = |wanted: &str| outline.options.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        let mut start = format!("{} {} (", outline.action, outline.header.join(" "));
        let mut matched: Vec<&str> = vec![outline.action];
        matched.extend(outline.header);
        for (name, value) in outline.options.iter().filter(|(name, _)| !IDENTITY.contains(name)) {
            if !REMARKS.contains(name) {
                matched.extend([*name, *value]);
            }
            let kept = if *name == "metadata" { foreign(value) } else { bits::renamed(name, value, prefix) };
            if *name == "metadata" && kept.is_empty() {
                continue;
            }
            start.push_str(name);
            if !value.is_empty() {
                start.push(':');
                start.push_str(&kept);
            }
            start.push_str("; ");
        }
        Self {
            title: value("msg").unwrap_or_default().trim_matches('"').replace('\\', ""),
            matches: Digest::new(matched.into_iter().map(str::as_bytes)),
            start,
            before: ["sid", "rev"].map(|name| value(name).map(str::to_owned)),
        }
    }

    /// The rule with its number, and the indicators behind it.
    pub fn numbered(&self, number: Number, indicators: &[String]) -> String {
        let mut metadata = Metadata::default();
        indicators.iter().take(super::view::MOST).for_each(|id| metadata.push("stix_id", id));
        let [sid, rev] = &self.before;
        sid.iter().for_each(|sid| metadata.push("native_sid", sid));
        rev.iter().for_each(|rev| metadata.push("native_rev", rev));
        let about = match metadata.as_str() {
            "" => String::new(),
            pairs => format!("metadata:{pairs}; "),
        };
        let Number { sid, rev } = number;
        format!("{}priority:{PRIORITY}; {about}sid:{sid}; rev:{rev};)\n", self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::native::Compile;

    fn code(text: &str) -> String {
        match read(text, &NativePolicy::default()) {
            Ok(_) => "taken".to_owned(),
            Err(fault) => fault.diagnostic().code.0.to_owned(),
        }
    }

    fn with(option: &str) -> String {
        format!("alert http any any -> any any (msg:\"a\"; content:\"abc\"; {option}; sid:7;)")
    }

    #[test]
    fn a_rule_is_renumbered_and_ranks_behind_others() {
        let text = "alert dns  any any -> any any (msg:\"a\\;b\"; dns.query; content:\"x|3b|\"; gid:3; priority:1; sid:42; rev:3;)";
        let read = read(text, &NativePolicy::default()).unwrap();
        let [rule] = Ready::all(&read.text, "indicator--1").try_into().unwrap();
        assert_eq!(rule.title, "a;b");
        assert_eq!(
            rule.numbered(Number { sid: 5, rev: 1 }, &["indicator--1".to_owned()]),
            "alert dns any any -> any any (msg:\"a\\;b\"; dns.query; content:\"x|3b|\"; priority:255; \
             metadata:stix_id indicator--1, native_sid 42, native_rev 3; sid:5; rev:1;)\n"
        );
    }

    #[test]
    fn only_alerts_come_in_unless_asked_for() {
        for action in ACTIONS.iter().filter(|action| **action != "alert") {
            let text = with("nocase").replacen("alert", action, 1);
            assert_eq!(code(&text), "R123", "{action}");
            let policy = NativePolicy::new(Some(vec![(*action).to_owned()]), Compile::Never);
            assert!(read(&text, &policy).is_ok());
        }
        assert_eq!(code(&with("nocase").replacen("alert", "accept", 1)), "R120");
    }

    #[test]
    fn keywords_that_do_more_than_look_are_refused() {
        for option in [
            "lua:x.lua",
            "luaxform:x.lua",
            "dataset:isset,a,type string,load a.lst",
            "dataset:unset,a",
            "datarep:a,>,1",
            "filestore",
            "tls.store",
            "filemd5:a.lst",
            "filesha256:/etc/passwd",
            "config:logging disable,type tx,scope tx",
            "bypass",
            "tag:host,600,seconds,src",
            "replace:\"xyz\"",
            "flowvar:a,\"b\"",
            "unheard.of",
            "pcre:\"/(?P<flow_a>x)/\"",
            "pcre:\"/(x)/, flow:a\"",
            "pcre:\"/(x)/i\", pkt:a",
        ] {
            assert_eq!(code(&with(option)), "R124", "{option}");
        }
        for option in
            ["pcre:\"/a,b:c/i\"", "threshold:type limit,track by_src,count 1,seconds 60", "tls.sni", "dns_query"]
        {
            assert_eq!(code(&with(option)), "taken", "{option}");
        }
    }

    #[test]
    fn bits_belong_to_a_pattern() {
        let set = with("flowbits:set,a; flowbits:noalert");
        let asks = with("flowbits:isset,a");
        assert_eq!(code(&format!("{set}\n{asks}")), "taken");
        let text = format!("{set}\n{asks}");
        let rules = |owner| Ready::all(&text, owner).iter().map(|rule| rule.start.clone()).collect::<Vec<_>>();
        let bit = |rule: &str| rule.split("set,").nth(1).unwrap().split(';').next().unwrap().to_owned();
        assert_eq!(bit(&rules("indicator--1")[0]), bit(&rules("indicator--1")[1]));
        assert_ne!(bit(&rules("indicator--1")[0]), bit(&rules("indicator--2")[0]));
        for option in
            ["flowbits:isset,a", "flowbits:unset,a; noalert", "xbits:isnotset,a,track ip_src", "flowint:a,>,1"]
        {
            assert_eq!(code(&with(option)), "R125", "{option}");
        }
        // One that sets a bit and alerts comes before all others.
        assert_eq!(code(&with("flowbits:set,a")), "R125");
        assert_eq!(code(&set), "R127");
    }

    #[test]
    fn metadata_of_the_feed_say_nothing_of_indicators() {
        let text = with(
            "metadata:stix_id indicator--9, Stix_ID x, affected_product Any, native_sid 5; metadata: stix_id indicator--8",
        );
        let [rule] = Ready::all(&text, "indicator--1").try_into().unwrap();
        let text = rule.numbered(Number { sid: 5, rev: 1 }, &["indicator--1".to_owned()]);
        assert!(text.contains("metadata:affected_product Any; "), "{text}");
        assert_eq!(text.to_lowercase().matches("stix_id").count(), 1, "{text}");
        assert_eq!(text.matches("metadata:").count(), 2, "{text}");
        assert_eq!(text.matches("native_sid").count(), 1, "{text}");
        assert_eq!(code("alert tcp $MY_NET any -> 203.0.113.1 any (msg:\"a\"; sid:1;)"), "R126");
    }

    #[test]
    fn what_is_no_rule_is_none() {
        for text in [
            "",
            "# alert tcp any any -> any any (msg:\"a\"; content:\"abc\"; sid:1;)",
            "alert tcp any any -> any any (msg:\"a\"; content:\"abc\"; sid:1)",
            "alert tcp any any -> any any (msg:\"a\"; content:\"abc\"; sid:0;)",
            "alert tcp any any -> any any (msg:\"a\"; content:\"abc\"; sid:1; sid:2;)",
            "alert tcp any any -> any any (content:\"abc\"; sid:1;)",
            "alert tcp any any -> any any (msg:\"a\"; content:\"\"; sid:1;)",
        ] {
            assert_eq!(code(text), "R120", "{text}");
        }
        assert_eq!(code(&with(&format!("content:\"{}\"", "x".repeat(7_500)))), "R120");
    }
}
