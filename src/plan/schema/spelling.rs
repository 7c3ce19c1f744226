//! How the keys of a path are written.

/// Words that the grammar reserves: as a key they need quotes (the standard's grammar, `STIXPattern.g4`).
const RESERVED: &[&str] = &[
    "AND",
    "EXISTS",
    "FOLLOWEDBY",
    "IN",
    "ISSUBSET",
    "ISSUPERSET",
    "LAST",
    "LIKE",
    "MATCHES",
    "NOT",
    "OR",
    "REPEATS",
    "SECONDS",
    "START",
    "STOP",
    "TIMES",
    "WITHIN",
    "false",
    "true",
];

/// Appends a key, quoted only where the grammar demands it.
pub(super) fn push_key(text: &mut String, separator: char, key: &str) {
    text.push(separator);
    if is_bare(key) {
        text.push_str(key);
        return;
    }
    text.push('\'');
    for character in key.chars() {
        if matches!(character, '\'' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('\'');
}

fn is_bare(key: &str) -> bool {
    let mut bytes = key.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && RESERVED.binary_search(&key).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(key: &str) -> String {
        let mut text = String::new();
        push_key(&mut text, '.', key);
        text
    }

    #[test]
    fn keys_are_quoted_only_where_needed() {
        assert_eq!(written("name"), ".name");
        assert_eq!(written("SHA-256"), ".'SHA-256'");
        assert_eq!(written("IN"), ".'IN'");
        assert_eq!(written("in"), ".in");
        assert_eq!(written("it's \\"), r".'it\'s \\'");
        assert_eq!(written(""), ".''");
    }

    #[test]
    fn reserved_words_are_sorted() {
        assert!(RESERVED.is_sorted());
    }
}
