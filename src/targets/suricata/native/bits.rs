//! Bits and counters that rules keep for one another (user guide, "Flow Keywords" and "Xbits Keyword"): they belong to the
//! rules of one pattern, under names of their own.

/// What an option does with bits or counters.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Use<'t> {
    /// Keyword and name of each.
    pub(super) names: Vec<(&'t str, &'t str)>,
    /// Whether the option gives it a value that others may ask for.
    pub(super) sets: bool,
    /// Whether it changes anything.
    pub(super) changes: bool,
    /// Whether it asks for what a rule has set.
    pub(super) asks: bool,
}

/// What an option does, if it is one of bits or counters.
pub(super) fn of<'t>(keyword: &'t str, value: &'t str) -> Option<Use<'t>> {
    let parts: Vec<&str> = value.split(',').map(str::trim).collect();
    let (names, verb) = match (keyword, parts.as_slice()) {
        ("flowbits" | "hostbits" | "xbits", [verb, names, ..]) => (*names, *verb),
        ("flowint", [name, verb, ..]) => (*name, *verb),
        _ => return None,
    };
    let names = names.split('|').map(|name| (keyword, name.trim())).collect();
    let sets = matches!(verb, "set" | "toggle" | "=" | "+" | "-");
    let asks = verb == "isset" || (keyword == "flowint" && !sets && !matches!(verb, "notset" | "isnotset"));
    Some(Use { names, sets, changes: sets || verb == "unset", asks })
}

/// The value of an option with `prefix` in front of each name.
pub(super) fn renamed(keyword: &str, value: &str, prefix: &str) -> String {
    let mut parts: Vec<String> = value.split(',').map(|part| part.trim().to_owned()).collect();
    let place = match keyword {
        "flowbits" | "hostbits" | "xbits" => 1,
        "flowint" => 0,
        _ => return value.to_owned(),
    };
    if let Some(names) = parts.get_mut(place) {
        *names = names.split('|').map(|name| format!("{prefix}{}", name.trim())).collect::<Vec<_>>().join("|");
    }
    // A counter may be held against another one.
    if let Some(other) = parts.get_mut(2).filter(|other| keyword == "flowint" && other.parse::<u32>().is_err()) {
        other.insert_str(0, prefix);
    }
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_get_a_prefix() {
        let cases = [
            ("flowbits", "set, a", "set,p.a", true),
            ("flowbits", "isset,a|b", "isset,p.a|p.b", false),
            ("xbits", "set,a,track ip_pair,expire 60", "set,p.a,track ip_pair,expire 60", true),
            ("hostbits", "isnotset,a,src", "isnotset,p.a,src", false),
            ("flowint", "a, +, 1", "p.a,+,1", true),
            ("flowint", "a,>,b", "p.a,>,p.b", false),
            ("flowint", "a,isset", "p.a,isset", false),
        ];
        for (keyword, value, expected, sets) in cases {
            assert_eq!(renamed(keyword, value, "p."), expected);
            assert_eq!(of(keyword, value).unwrap().sets, sets, "{value}");
        }
        assert_eq!(of("flowbits", "noalert"), None);
        assert_eq!(renamed("flowbits", "noalert", "p."), "noalert");
        assert!(of("flowbits", "unset,a").unwrap().changes);
    }
}
