//! Patterns made from the grammar of the standard, for property tests.
//!
//! A pattern is made as a list of tokens, so that tests can put blanks between them, or take some away.

use proptest::{collection::vec, prelude::*, sample::select};

/// Tokens of a pattern.
pub type Tokens = Vec<String>;

/// One token.
fn token(text: impl Into<String>) -> Tokens {
    vec![text.into()]
}

/// Words that may be types and properties, also those that look like words of the language.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "file", "name", "value", "hashes", "a", "_", "x_1", "like", "and", "in", "start", "t", "h", "b", "ANDs",
            "trues", "is"
        ])
        .prop_map(str::to_owned),
        "[a-z_][a-zA-Z0-9_]{0,5}".prop_filter("reserved", |name| !matches!(name.as_str(), "true" | "false")),
    ]
}

fn object_type() -> impl Strategy<Value = String> {
    prop_oneof![name(), select(vec!["ipv4-addr", "x-a", "AND-x", "true-", "a--"]).prop_map(str::to_owned)]
}

/// Text with everything that is hard about text.
fn string() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "a", "Z", "0", " ", "%", "_", "\\\\", "\\'", "\"", "]", "[", "(", ")", " AND ", "=", "/*", "//", "\n", "\0",
        "ä", "😀", "\u{2028}", ";", "{{",
    ]);
    vec(piece, 0..6).prop_map(|pieces| format!("'{}'", pieces.concat()))
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![3 => name(), 1 => string()]
}

fn timestamp() -> impl Strategy<Value = String> {
    (0..=9999, 1..=12, 1..=31, 0..=23, 0..=59, 0..=60, "(\\.[0-9]{1,7})?").prop_map(
        |(year, month, day, hour, minute, second, fraction)| {
            format!("t'{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z'")
        },
    )
}

fn positive() -> impl Strategy<Value = String> {
    prop_oneof!["\\+?(0|[1-9][0-9]{0,8})", "\\+?[0-9]{0,3}\\.[0-9]{1,4}"]
}

fn orderable() -> impl Strategy<Value = String> {
    prop_oneof![
        string(),
        positive(),
        "-(0|[1-9][0-9]{0,25})",
        "-[0-9]{0,3}\\.[0-9]{1,4}",
        timestamp(),
        "([0-9a-fA-F]{2}){0,3}".prop_map(|hex| format!("h'{hex}'")),
        "([A-Za-z0-9+/]{4}){0,2}([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)"
            .prop_map(|text| format!("b'{text}'")),
    ]
}

fn literal() -> impl Strategy<Value = String> {
    prop_oneof![8 => orderable(), 1 => select(vec!["true", "false"]).prop_map(str::to_owned)]
}

fn path() -> impl Strategy<Value = Tokens> {
    let step = prop_oneof![
        key().prop_map(|key| vec![".".to_owned(), key]),
        "[+-]?(0|[1-9][0-9]{0,3})|\\*".prop_map(|index| vec!["[".to_owned(), index, "]".to_owned()]),
    ];
    (object_type(), key(), vec(step, 0..3))
        .prop_map(|(object_type, key, steps)| [vec![object_type, ":".to_owned(), key], steps.concat()].concat())
}

fn comparison() -> impl Strategy<Value = Tokens> {
    let equal = (select(vec!["=", "==", "!=", "<>"]), literal()).prop_map(|(sign, value)| vec![sign.to_owned(), value]);
    let order =
        (select(vec!["<", "<=", ">", ">="]), orderable()).prop_map(|(sign, value)| vec![sign.to_owned(), value]);
    let text = (select(vec!["LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"]), string())
        .prop_map(|(word, value)| vec![word.to_owned(), value]);
    let set = vec(literal(), 0..4).prop_map(|literals| {
        let mut tokens = vec!["IN".to_owned(), "(".to_owned()];
        for (index, literal) in literals.into_iter().enumerate() {
            if index > 0 {
                tokens.push(",".to_owned());
            }
            tokens.push(literal);
        }
        tokens.push(")".to_owned());
        tokens
    });
    let test = (path(), any::<bool>(), prop_oneof![equal, order, text, set]).prop_map(|(path, negated, rest)| {
        let not = if negated { token("NOT") } else { Tokens::new() };
        [path, not, rest].concat()
    });
    let existence = (any::<bool>(), path()).prop_map(|(negated, path)| {
        let not = if negated { token("NOT") } else { Tokens::new() };
        [not, token("EXISTS"), path].concat()
    });
    prop_oneof![9 => test, 1 => existence]
}

/// Operands joined by operators, or one in parentheses.
fn joined(inner: impl Strategy<Value = Tokens>, operators: &'static [&'static str]) -> impl Strategy<Value = Tokens> {
    (vec((inner, any::<bool>()), 1..4), vec(select(operators.to_vec()), 3)).prop_map(|(operands, operators)| {
        let mut tokens = Tokens::new();
        for (index, (operand, in_parentheses)) in operands.into_iter().enumerate() {
            if index > 0 {
                tokens.push(operators[index - 1].to_owned());
            }
            if in_parentheses {
                tokens.extend([token("("), operand, token(")")].concat());
            } else {
                tokens.extend(operand);
            }
        }
        tokens
    })
}

fn qualifier() -> impl Strategy<Value = Tokens> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Tokens>();
    prop_oneof![
        positive().prop_map(move |seconds| words(&["WITHIN", &seconds, "SECONDS"])),
        "\\+?(0|[1-9][0-9]{0,5})".prop_map(move |times| words(&["REPEATS", &times, "TIMES"])),
        (timestamp(), timestamp()).prop_map(move |(start, stop)| words(&["START", &start, "STOP", &stop])),
    ]
}

/// The tokens of a pattern that the grammar of STIX 2.1 accepts.
pub fn tokens() -> impl Strategy<Value = Tokens> {
    let comparisons = comparison().prop_recursive(3, 12, 3, |inner| joined(inner, &["AND", "OR"]));
    let single = comparisons.prop_map(|comparisons| [token("["), comparisons, token("]")].concat());
    let qualified =
        (single, vec(qualifier(), 0..2)).prop_map(|(single, qualifiers)| [single, qualifiers.concat()].concat());
    qualified.prop_recursive(3, 6, 3, |inner| {
        (joined(inner, &["AND", "OR", "FOLLOWEDBY"]), vec(qualifier(), 0..2)).prop_map(|(operands, qualifiers)| {
            if qualifiers.is_empty() {
                operands
            } else {
                [token("("), operands, token(")"), qualifiers.concat()].concat()
            }
        })
    })
}

/// Tokens with blanks between them, where they would run together also with none.
pub fn spaced(tokens: &[String], blanks: &[&str]) -> String {
    let mut text = String::new();
    for (index, token) in tokens.iter().enumerate() {
        let blank = blanks[index % blanks.len()];
        let runs_together = |character: char| character.is_ascii_alphanumeric() || "_-+.'".contains(character);
        let touches = text.ends_with(runs_together) && token.starts_with(runs_together);
        text.push_str(if blank.is_empty() && touches { " " } else { blank });
        text.push_str(token);
    }
    text
}

/// Blanks and comments, and nothing.
pub fn blanks() -> impl Strategy<Value = Vec<&'static str>> {
    let blank = select(vec![
        " ",
        " ",
        " ",
        "",
        "",
        "  ",
        "\t",
        "\r\n",
        "/* ' ] */",
        "/**/",
        "// '[\n",
        "\u{a0}",
        "\u{3000}",
        " \u{2003} ",
    ]);
    vec(blank, 1..8)
}

/// A pattern that the grammar of STIX 2.1 accepts.
pub fn pattern() -> impl Strategy<Value = String> {
    (tokens(), blanks()).prop_map(|(tokens, blanks)| spaced(&tokens, &blanks))
}

/// Words of the language and of others.
pub const SOUP: &[&str] = &[
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ":",
    ".",
    ",",
    ";",
    "*",
    "=",
    "==",
    "!=",
    "<",
    ">=",
    "~",
    "&&",
    "||",
    "!",
    "?",
    "'",
    "\"",
    "`",
    "’",
    "'x'",
    "''",
    "\"x\"",
    "“x”",
    "'\\",
    "\\'",
    "\\",
    "AND",
    "OR",
    "NOT",
    "and",
    "Or",
    "FOLLOWEDBY",
    "FOLLOWED BY",
    "THEN",
    "LIKE",
    "like",
    "MATCHES",
    "ISSUBSET",
    "IN",
    "EXISTS",
    "exists",
    "WITHIN",
    "within",
    "REPEATS",
    "START",
    "STOP",
    "SECONDS",
    "MINUTES",
    "TIMES",
    "true",
    "TRUE",
    "null",
    "a:b",
    "a:b = 1",
    "file:hashes.SHA-256",
    "a",
    "ipv4-addr",
    "a.b",
    "a:",
    ":b",
    "[0]",
    "[*]",
    "[",
    "0",
    "1",
    "-1",
    "01",
    "1.",
    ".5",
    "1e5",
    "0x1F",
    "192.0.2.7",
    "t'2024-01-01T00:00:00Z'",
    "t'x'",
    "t",
    "h'0'",
    "h'00'",
    "b'='",
    "b'AA=='",
    "T'",
    "/*",
    "*/",
    "//",
    "\n",
    "\u{feff}",
    "\u{200b}",
    "é",
    "😀",
    "unconverted_term:x",
    "[a:b = 1]",
    "([a:b = 1])",
    "'2024-01-01T00:00:00Z'",
];
