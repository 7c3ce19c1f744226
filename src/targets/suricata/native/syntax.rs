//! The outline of a ready-made rule: action, protocol, both ends, and options that end in a semicolon.

/// A rule line has less than this many bytes (DETECT_MAX_RULE_SIZE).
pub(super) const LONGEST: usize = 8191;

/// One rule, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outline<'t> {
    pub(super) action: &'t str,
    /// Protocol, addresses, port, direction, addresses, port.
    pub(super) header: [&'t str; 6],
    /// Name and value of each option; the value is empty where there is none.
    pub(super) options: Vec<(&'t str, &'t str)>,
}

/// The lines of rules in a text: a `\` at the end of a line joins it with the next one, and lines that are empty or begin
/// with `#` are left out.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = String::new();
    for line in text.lines().map(str::trim) {
        match line.strip_suffix('\\') {
            Some(_) if open.is_empty() && line.starts_with('#') => {}
            Some(start) => open.extend([start.trim_end(), " "]),
            None if open.is_empty() && line.starts_with('#') => {}
            None => {
                open.push_str(line);
                lines.push(std::mem::take(&mut open));
            }
        }
    }
    lines.push(open);
    lines.retain(|line| !line.trim().is_empty());
    lines
}

/// Takes a rule apart.
///
/// # Errors
/// What is wrong with it.
pub(super) fn outline(text: &str) -> Result<Outline<'_>, String> {
    let text = text.trim();
    if text.len() > LONGEST {
        return Err(format!("it has {} bytes, a rule has {LONGEST} at most", text.len()));
    }
    if text.chars().any(|character| character.is_control() && character != '\t') {
        return Err("it has control characters".to_owned());
    }
    let Some((header, options)) = text.split_once('(') else { return Err("it has no options".to_owned()) };
    let words = words(header);
    let [action, protocol, source, from, direction, destination, to] = words.as_slice() else {
        return Err("in front of its options stand not action, protocol, addresses, ports and direction".to_owned());
    };
    if !["->", "<>", "=>"].contains(direction) {
        return Err(format!("'{direction}' is no direction"));
    }
    let Some(options) = options.strip_suffix(')') else { return Err("its options are not closed".to_owned()) };
    let header = [*protocol, *source, *from, *direction, *destination, *to];
    Ok(Outline { action, header, options: split(options)? })
}

/// The words of a header. Lists of addresses and ports may have blanks in their brackets.
fn words(header: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut depth) = (None, 0_usize);
    for (at, character) in header.char_indices() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ if character.is_whitespace() && depth == 0 => {
                words.extend(start.take().map(|start| &header[start..at]));
                continue;
            }
            _ => {}
        }
        start = start.or(Some(at));
    }
    words.extend(start.map(|start| &header[start..]));
    words
}

/// The options, name and value. `\` takes the meaning from the next character; quotes have to be closed.
fn split(options: &str) -> Result<Vec<(&str, &str)>, String> {
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
                found.push((name.trim(), value.trim()));
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
    fn lines_are_joined_and_comments_left_out() {
        let text = "# first \\\nalert a; \\\r\n  b\r\n\n  # last\nalert c\n";
        assert_eq!(lines(text), ["alert a; b", "alert c"]);
        assert_eq!(lines("alert a \\"), ["alert a "]);
    }

    #[test]
    fn a_rule_is_taken_apart() {
        let rule =
            r#"alert http $HOME_NET any -> [192.0.2.1, 192.0.2.2] any (msg:"a \"b\"\; c"; content:"x|3b|"; nocase;)"#;
        let outline = outline(rule).unwrap();
        assert_eq!(outline.header, ["http", "$HOME_NET", "any", "->", "[192.0.2.1, 192.0.2.2]", "any"]);
        assert_eq!(outline.options, [("msg", r#""a \"b\"\; c""#), ("content", r#""x|3b|""#), ("nocase", "")]);
    }

    #[test]
    fn what_would_spoil_its_neighbours_is_none() {
        for rule in [
            "",
            "alert tcp any any -> any any (msg:\"a\"; sid:1;)\nalert tcp any any -> any any (msg:\"b\"; sid:2;)",
            "alert tcp any any -> any any (msg:\"a\"; sid:1;",
            "alert tcp any any -> any any (msg:\"a; sid:1;)",
            "alert tcp any any -> any any (msg:\"a\"; sid:1)",
            "alert tcp any any -> any any (msg:\"a;b\"; sid:1;)",
            "alert tcp any any any any any (msg:\"a\";)",
            "alert tcp (msg:\"a\"; sid:1;)",
        ] {
            assert!(outline(rule).is_err(), "{rule}");
        }
    }
}
