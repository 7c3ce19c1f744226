//! An expression without what only a backtracking engine knows.

/// The expression with look-around left out, each group that is referred to in the place of the reference, and nothing
/// possessive. It may match more or less; texts made from it are guesses.
pub(super) fn simpler(expression: &str) -> String {
    let characters: Vec<char> = expression.chars().collect();
    let mut out = String::with_capacity(expression.len());
    let mut groups: Vec<String> = Vec::new();
    // Of each open group: where its text begins in `out`, and whether it is numbered.
    let mut open: Vec<(usize, Option<usize>)> = Vec::new();
    let mut at = 0;
    let mut in_class = false;
    while let Some(character) = characters.get(at) {
        let rest = &characters[at..];
        match character {
            '\\' => {
                at += 2;
                match rest.get(1) {
                    Some(digit @ '1'..='9') if !in_class => {
                        let number = usize::try_from(u32::from(*digit) - u32::from('1')).unwrap_or_default();
                        out.push_str(&format!("(?:{})", groups.get(number).map_or("", String::as_str)));
                    }
                    Some('h') => out.push_str(if in_class { " \\t" } else { "[ \\t]" }),
                    Some('H') if !in_class => out.push_str("[^ \\t]"),
                    Some('Z') if !in_class => out.push_str("\\z"),
                    Some('e') => out.push_str("\\x1B"),
                    Some('R') if !in_class => out.push_str("\\n"),
                    Some('K' | 'G') if !in_class => {}
                    Some(other) => out.extend(['\\', *other]),
                    None => out.push_str("\\\\"),
                }
                continue;
            }
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                at += 1;
                if characters.get(at) == Some(&'^') {
                    out.push('^');
                    at += 1;
                }
                if characters.get(at) == Some(&']') {
                    out.push_str("\\]");
                    at += 1;
                }
                continue;
            }
            '[' if in_class && rest.get(1) != Some(&':') => out.push_str("\\["),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '(' if !in_class => {
                if let Some(length) = look_around(rest) {
                    at += length;
                    continue;
                }
                if rest.starts_with(&['(', '?', '>']) {
                    open.push((out.len(), None));
                    out.push_str("(?:");
                    at += 3;
                    continue;
                }
                let is_numbered = rest.get(1) != Some(&'?')
                    || rest.starts_with(&['(', '?', 'P', '<'])
                    || rest.starts_with(&['(', '?', '<']);
                let number = is_numbered.then(|| {
                    groups.push(String::new());
                    groups.len() - 1
                });
                open.push((out.len(), number));
                out.push('(');
            }
            ')' if !in_class => {
                out.push(')');
                if let Some((from, Some(number))) = open.pop() {
                    groups[number] = out[from..].to_owned();
                }
            }
            // Possessive.
            '+' if !in_class
                && matches!(out.chars().next_back(), Some('+' | '*' | '?' | '}'))
                && at > 0
                && characters.get(at.wrapping_sub(2)) != Some(&'\\') => {}
            other => out.push(*other),
        }
        at += 1;
    }
    out
}

/// How long the look-around is that the text begins with, if it does.
fn look_around(text: &[char]) -> Option<usize> {
    let begins = [&['(', '?', '='][..], &['(', '?', '!'], &['(', '?', '<', '='], &['(', '?', '<', '!']];
    if !begins.iter().any(|begin| text.starts_with(begin)) {
        return None;
    }
    let (mut depth, mut at, mut in_class) = (0_usize, 0, false);
    while let Some(character) = text.get(at) {
        match character {
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => depth += 1,
            ')' if !in_class => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}
