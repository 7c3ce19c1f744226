//! Rules that come ready-made in an indicator (`pattern_type` "suricata"), and are passed on as they are.
//!
//! They are checked just far enough that one can't spoil the rules beside it: one line, an action, a header, options in
//! parentheses that are closed where the line ends, `msg` and one `sid`. Whether its keywords exist is for Suricata to
//! say.

use crate::diagnostic::{Code, Diagnostic};

/// A ready-made rule that is none.
pub const NOT_A_RULE: Code = Code("R120");

const ACTIONS: [&str; 9] = ["alert", "pass", "drop", "reject", "rejectsrc", "rejectdst", "rejectboth", "config", "log"];
/// A rule line has less than this many bytes (DETECT_MAX_RULE_SIZE).
const LONGEST: usize = 8191;

/// Whether `text` is one rule.
///
/// # Errors
/// What is wrong with it.
pub fn check(text: &str) -> Result<(), Diagnostic> {
    sid(text).map(|_| ()).map_err(|why| Diagnostic::error(NOT_A_RULE, format!("not one Suricata rule: {why}")))
}

/// The number of a rule.
///
/// # Errors
/// What is wrong with the rule.
pub fn sid(text: &str) -> Result<u32, String> {
    let text = text.trim();
    if text.len() > LONGEST {
        return Err(format!("it has {} bytes, a rule has {LONGEST} at most", text.len()));
    }
    if text.chars().any(|character| character.is_control() && character != '\t') {
        return Err("it has several lines, or control characters".to_owned());
    }
    let Some((header, options)) = text.split_once('(') else { return Err("it has no options".to_owned()) };
    let action = header.split_whitespace().next().unwrap_or_default();
    if !ACTIONS.contains(&action) {
        return Err(format!("'{action}' is no action"));
    }
    // Addresses and ports may be lists with blanks in them; a direction stands between the two ends.
    if !["->", "<>", "=>"].iter().any(|arrow| header.contains(arrow)) || header.split_whitespace().count() < 7 {
        return Err("in front of its options stand not action, protocol, addresses, ports and direction".to_owned());
    }
    let Some(options) = options.strip_suffix(')') else { return Err("its options are not closed".to_owned()) };
    let options = split(options)?;
    if named(&options, "msg").count() != 1 {
        return Err("it has no msg, or several".to_owned());
    }
    let mut sids = named(&options, "sid");
    match (sids.next().map(|sid| sid.trim().parse::<u32>()), sids.next()) {
        (Some(Ok(sid)), None) if sid > 0 => Ok(sid),
        (Some(_), None) => Err("its sid is no number".to_owned()),
        (None, _) => Err("it has no sid".to_owned()),
        (Some(_), Some(_)) => Err("it has several sids".to_owned()),
    }
}

/// The message of a rule that [`sid`] takes.
pub fn message(text: &str) -> String {
    let options = text.trim().split_once('(').and_then(|(_, options)| split(options.strip_suffix(')')?).ok());
    let message = options.iter().flatten().find(|(name, _)| *name == "msg").map_or("", |(_, value)| *value);
    message.trim_matches('"').replace('\\', "")
}

/// The values of the options with a name.
fn named<'a>(options: &'a [(&'a str, &'a str)], name: &'a str) -> impl Iterator<Item = &'a str> {
    options.iter().filter(move |option| option.0 == name).map(|option| option.1)
}

/// The options, name and value. `\` takes the meaning from the next character; quotes have to be closed.
pub(super) fn split(options: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut found = Vec::new();
    let (mut start, mut escaped, mut quoted) = (0, false, false);
    for (at, character) in options.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            // Suricata itself ends an option at a bare semicolon inside quotes: such a rule is not what it seems.
            ';' if quoted => return Err("a semicolon inside quotes is not escaped".to_owned()),
            ';' => {
                let option = options.get(start..at).unwrap_or_default().trim();
                let (name, value) = option.split_once(':').unwrap_or((option, ""));
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
                if name.is_empty() || !name.trim().bytes().all(plain) {
                    return Err(format!("'{name}' is no option"));
                }
                found.push((name.trim(), value));
                start = at + 1;
            }
            _ => {}
        }
    }
    if quoted || escaped || !options.get(start..).unwrap_or_default().trim().is_empty() {
        return Err("its last option is not closed".to_owned());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_passes() {
        let rule = r#"alert http $HOME_NET any -> [192.0.2.1, 192.0.2.2] any (msg:"a \"b\"\; c"; content:"x|3b|"; sid:42; rev:3;)"#;
        assert_eq!(sid(rule), Ok(42));
        assert!(check(rule).is_ok());
    }

    #[test]
    fn what_would_spoil_its_neighbours_does_not() {
        for rule in [
            "",
            "# alert tcp any any -> any any (msg:\"a\"; sid:1;)",
            "alert tcp any any -> any any (msg:\"a\"; sid:1;)\nalert tcp any any -> any any (msg:\"b\"; sid:2;)",
            "alert tcp any any -> any any (msg:\"a\"; sid:1;",
            "alert tcp any any -> any any (msg:\"a; sid:1;)",
            "alert tcp any any -> any any (msg:\"a\"; sid:1)",
            "alert tcp any any -> any any (msg:\"a\"; sid:0;)",
            "alert tcp any any -> any any (msg:\"a\"; sid:1; sid:2;)",
            "alert tcp any any -> any any (sid:1;)",
            "shout tcp any any -> any any (msg:\"a\"; sid:1;)",
            "alert tcp (msg:\"a\"; sid:1;)",
        ] {
            assert!(check(rule).is_err(), "{rule}");
        }
    }
}
