//! What a rule asks for that did not come of a plan: a ready-made one. It is weighed as the rules of plans are, but it stays in one piece.

use super::{Action, Judgement, KEPT, Policy, breadth, everyday::everyday};
use crate::{
    diagnostic::{Diagnostic, Severity},
    pattern,
    plan::{Condition, Observation, Test, Value, ValueKind, lower, value::parse_address},
};

/// A property of no schema: what is known of its values is how much text they are.
const ANY_TEXT: &str = "x-text:value";

/// What has to be there for a rule to alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// Each operand.
    All(Vec<Evidence>),
    /// One operand.
    Any(Vec<Evidence>),
    /// What a test of a plan asks for.
    Test(Test),
    /// Something that names, of which no list speaks.
    Named,
    /// Nothing that names anybody, and why not.
    Nothing(String),
    /// The same, but of a rule that asks for nothing else it is only told.
    Weak(String),
}

/// What a guard makes of evidence.
#[derive(Debug, Clone, PartialEq)]
pub enum Weight {
    /// Nothing speaks against a rule.
    Full,
    /// A rule is kept, and has to say why it counts for less.
    Less(Vec<Diagnostic>),
    /// There must be no rule.
    None(Diagnostic),
}

/// How a text is compared with a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// It is the whole of it.
    Equal,
    /// It is a pattern of LIKE.
    Like,
    /// It is a regular expression.
    Matches,
    /// It is a prefix that holds it.
    Within,
}

impl Evidence {
    /// A test of a property, read as a pattern would be; a text that nobody knows anything of where the property is none.
    #[must_use]
    pub fn test(path: &str, comparison: Comparison, text: &str) -> Self {
        let operator = match comparison {
            Comparison::Equal => "=",
            Comparison::Like => "LIKE",
            Comparison::Matches => "MATCHES",
            Comparison::Within => "ISSUBSET",
        };
        let literal = text.replace('\\', "\\\\").replace('\'', "\\'");
        Self::read(&format!("[{path} {operator} '{literal}']"))
    }

    /// Text anywhere in what nothing is known of.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::test(ANY_TEXT, Comparison::Like, &format!("%{}%", text.replace(['%', '_'], " ")))
    }

    /// An address or a prefix; `None` for what is none.
    #[must_use]
    pub fn address(text: &str) -> Option<Self> {
        let path = if parse_address(text)?.addr().is_ipv4() { "ipv4-addr:value" } else { "ipv6-addr:value" };
        Some(Self::test(path, Comparison::Within, text))
    }

    /// A text of a host's name, with or without what stands around it. One that is a name itself is taken for that name: so it
    /// is said in rules, and names below it are meant.
    #[must_use]
    pub fn name(path: &str, text: &str, starts: bool, ends: bool) -> Self {
        let text = text.to_lowercase();
        let bare = text.trim_matches('.');
        let like = |one: &str| match (starts, ends) {
            (true, true) => one == text,
            (true, false) => one.starts_with(&text),
            (false, true) => one.ends_with(&text),
            (false, false) => one.contains(&text),
        };
        let has_labels = |one: &str| format!(".{one}.").contains(&format!(".{bare}."));
        let pattern = || {
            let [before, behind] = [starts, ends].map(|is_edge| if is_edge { "" } else { "%" });
            Self::test(path, Comparison::Like, &format!("{before}{text}{behind}"))
        };
        match Self::test(path, Comparison::Equal, bare) {
            Self::Test(test)
                if matches!(test.values.first(), Some(Value { kind: ValueKind::Domain(_), .. }))
                    && bare.contains('.') =>
            {
                // `oogle.com` is no part of a name but the end of another one.
                let reaches = everyday()
                    .first(&test.property, |one| like(&one.to_lowercase()) && !has_labels(&one.to_lowercase()));
                if reaches.is_some() { pattern() } else { Self::Test(test) }
            }
            _ => Self::address(bare).unwrap_or_else(pattern),
        }
    }

    /// A regular expression over what nothing is known of.
    #[must_use]
    pub fn expression(expression: &str) -> Self {
        Self::test(ANY_TEXT, Comparison::Matches, expression)
    }

    /// Bytes in a file.
    #[must_use]
    pub fn bytes(bytes: &[u8]) -> Self {
        Self::read(&format!("[artifact:payload_bin = h'{}']", crate::hex::encode(bytes)))
    }

    fn read(pattern: &str) -> Self {
        let Ok(pattern) = pattern::parse(pattern) else { return Self::Nothing("it can't be read".to_owned()) };
        match lower::plain(&pattern).plan.observation {
            Observation::Match(Condition::Test(test)) => Self::Test(test),
            _ => Self::Named,
        }
    }
}

/// What is left of a part of the evidence.
enum Standing {
    Names,
    Kept(Vec<Diagnostic>),
    Guarded(Diagnostic),
    Nothing(Vec<String>),
    Weak(Vec<String>),
}

impl Policy {
    /// What becomes of a rule that asks for this. An alternative that names nobody lets it alert on everybody, so all of them
    /// have to name something; of one that is guarded beside others that are not, the rule tells at a lower level.
    #[must_use]
    pub fn weigh(&self, evidence: &Evidence) -> Weight {
        match self.standing(evidence) {
            Standing::Names => Weight::Full,
            Standing::Kept(found) => Weight::Less(found),
            Standing::Guarded(found) => Weight::None(found),
            _ if self.breadth() == Action::Ignore => Weight::Full,
            Standing::Nothing(reasons) if self.breadth() == Action::Drop => Weight::None(broad(&reasons)),
            Standing::Nothing(reasons) | Standing::Weak(reasons) => Weight::Less(vec![broad(&reasons)]),
        }
    }

    fn standing(&self, evidence: &Evidence) -> Standing {
        match evidence {
            Evidence::Named => Standing::Names,
            Evidence::Nothing(reason) => Standing::Nothing(vec![reason.clone()]),
            Evidence::Weak(reason) => Standing::Weak(vec![reason.clone()]),
            Evidence::Test(test) => self.standing_of_test(test),
            Evidence::All(operands) => self.strongest(operands),
            Evidence::Any(operands) => self.weakest(operands),
        }
    }

    fn standing_of_test(&self, test: &Test) -> Standing {
        let standing = |value: &Value| match self.judge_test(test, value) {
            Judgement::Guarded(found) => Standing::Guarded(found),
            Judgement::Kept(found) if found.severity == Severity::Warning => Standing::Kept(vec![found]),
            _ => Standing::Names,
        };
        match breadth::names(self, test, false) {
            _ if test.negated => Standing::Nothing(vec!["a negation names nobody".to_owned()]),
            Err(reason) => Standing::Nothing(vec![reason.into_owned()]),
            Ok(()) => together(test.values.iter().map(standing)),
        }
    }

    /// Of several things that have to hold together, the one that names best is what counts.
    fn strongest(&self, operands: &[Evidence]) -> Standing {
        let mut best = Standing::Weak(Vec::new());
        for operand in operands {
            best = match (best, self.standing(operand)) {
                (Standing::Names, _) | (_, Standing::Names) => return Standing::Names,
                (Standing::Kept(found), _) | (_, Standing::Kept(found)) => Standing::Kept(found),
                (Standing::Guarded(found), _) | (_, Standing::Guarded(found)) => Standing::Guarded(found),
                (Standing::Weak(mut reasons), Standing::Weak(more)) => {
                    add(&mut reasons, more);
                    Standing::Weak(reasons)
                }
                (
                    Standing::Nothing(mut reasons) | Standing::Weak(mut reasons),
                    Standing::Nothing(more) | Standing::Weak(more),
                ) => {
                    add(&mut reasons, more);
                    Standing::Nothing(reasons)
                }
            };
        }
        match best {
            Standing::Weak(reasons) if reasons.is_empty() => Standing::Nothing(vec!["it asks for nothing".to_owned()]),
            best => best,
        }
    }

    fn weakest(&self, operands: &[Evidence]) -> Standing {
        if operands.is_empty() {
            return Standing::Nothing(vec!["it asks for nothing".to_owned()]);
        }
        together(operands.iter().map(|operand| self.standing(operand)))
    }
}

fn broad(reasons: &[String]) -> Diagnostic {
    Diagnostic::warning(breadth::NAMES_NOTHING, format!("the rule names nobody in particular: {}", reasons.join("; ")))
}

/// What alternatives are together.
fn together(all: impl Iterator<Item = Standing>) -> Standing {
    let (mut has_names, mut kept, mut guarded) = (false, Vec::new(), Vec::new());
    let (mut reasons, mut weak) = (Vec::new(), Vec::new());
    for one in all {
        match one {
            Standing::Names => has_names = true,
            Standing::Kept(found) => kept.extend(found),
            Standing::Guarded(found) => guarded.push(found),
            Standing::Nothing(more) => add(&mut reasons, more),
            Standing::Weak(more) => add(&mut weak, more),
        }
    }
    if !reasons.is_empty() {
        return Standing::Nothing(reasons);
    }
    if !weak.is_empty() {
        return Standing::Weak(weak);
    }
    if !has_names && kept.is_empty() {
        return guarded.into_iter().next().map_or(Standing::Names, Standing::Guarded);
    }
    kept.extend(guarded.into_iter().map(|found| Diagnostic { code: KEPT, ..found }));
    if kept.is_empty() { Standing::Names } else { Standing::Kept(kept) }
}

/// Adds reasons that are not among the others yet; a few say it all.
fn add(reasons: &mut Vec<String>, more: Vec<String>) {
    const MOST: usize = 3;
    for reason in more {
        if reasons.len() < MOST && !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{Guard, Side};

    fn weight(evidence: &Evidence) -> &'static str {
        match Policy::new(Guard::builtin(), "sigma", Side::Detecting).weigh(evidence) {
            Weight::Full => "full",
            Weight::Less(found) => found[0].code.0,
            Weight::None(found) => found.code.0,
        }
    }

    #[test]
    fn alternatives_all_have_to_name_and_one_of_several_conditions_has_to() {
        let address = |text| Evidence::test("ipv4-addr:value", Comparison::Equal, text);
        let nothing = || Evidence::Nothing("a port".to_owned());
        let (good, resolver, private) = (address("203.0.113.9"), address("8.8.8.8"), address("10.0.0.1"));
        let shared = Evidence::test("domain-name:value", Comparison::Equal, "github.com");
        for (evidence, expected) in [
            (good.clone(), "full"),
            (resolver.clone(), "G004"),
            (private.clone(), "G001"),
            (shared.clone(), "G011"),
            (nothing(), "G030"),
            (Evidence::Any(vec![good.clone(), resolver.clone()]), "G011"),
            (Evidence::Any(vec![private, resolver.clone()]), "G001"),
            (Evidence::Any(vec![good.clone(), nothing()]), "G030"),
            (Evidence::Any(Vec::new()), "G030"),
            (Evidence::All(Vec::new()), "G030"),
            (Evidence::All(vec![good, nothing()]), "full"),
            (Evidence::All(vec![resolver.clone(), nothing()]), "G004"),
            (Evidence::All(vec![resolver, Evidence::Named]), "full"),
            (Evidence::All(vec![shared, nothing()]), "G011"),
        ] {
            assert_eq!(weight(&evidence), expected, "{evidence:?}");
        }
    }

    #[test]
    fn texts_are_read_as_patterns_are() {
        let test = |path, comparison, text| weight(&Evidence::test(path, comparison, text));
        assert_eq!(test("process:command_line", Comparison::Matches, ".*"), "G030");
        assert_eq!(test("process:command_line", Comparison::Like, "%it's \\evil%"), "full");
        assert_eq!(test("file:name", Comparison::Like, "%.exe"), "G030");
        assert_eq!(test("ipv4-addr:value", Comparison::Within, "0.0.0.0/1"), "G002");
        assert_eq!(test("no path", Comparison::Equal, "x"), "G030");
        assert_eq!(weight(&Evidence::bytes(b"MZ")), "G030");
        assert_eq!(weight(&Evidence::bytes(b"evil!")), "full");
        assert_eq!(weight(&Evidence::text("%%%%%")), "G030");
        assert_eq!(weight(&Evidence::text("evil")), "full");
    }
}
