//! What a ready-made rule is about that not every file has, for the guard to weigh.
//!
//! The condition is read as far as `and`, `or`, `not` and parentheses tie it; of what stands between them, strings, digests and numbers at
//! an offset are looked at, and what a module says of a file is taken for something that names.

use std::collections::BTreeMap;

use super::{
    Modules,
    outline::{Part, Parts, Token, tokens},
};
use crate::{
    guard::{Comparison, Evidence, breadth::required_text},
    plan::Regex,
};

/// So many characters of an expression have to occur.
const LEAST: usize = 4;
/// How deep conditions are followed. No one writes one that is as deep.
const DEEPEST: usize = 64;

type Tokens<'t> = [(Token<'t>, &'t str)];

/// What each rule asks for that tells of matches.
pub(super) fn evidence(text: &str, parts: &Parts) -> Vec<Evidence> {
    let mut known: BTreeMap<&str, Evidence> = BTreeMap::new();
    let mut all = Vec::new();
    for rule in &parts.rules {
        let reader = Reader { strings: strings(text, rule), rules: &known };
        let evidence = reader.condition(&tokens(&text[rule.condition.clone()]), 0);
        if !rule.is_private {
            all.push(evidence.clone());
        }
        known.insert(&text[rule.name.clone()], evidence);
    }
    all
}

/// The strings of a rule by their names, without the sign.
fn strings<'t>(text: &'t str, rule: &Part) -> Vec<(&'t str, Evidence)> {
    let read = |(name, value): &(std::ops::Range<usize>, std::ops::Range<usize>)| {
        (&text[name.start + 1..name.end], string(&text[value.clone()]))
    };
    rule.strings.iter().map(read).collect()
}

fn string(value: &str) -> Evidence {
    if let Some((expression, _)) = value.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) {
        let required = required_text(&Regex::parse(expression));
        return match required.trim().chars().count() < LEAST {
            true => Evidence::Weak(format!("the expression {value} fits nearly anything")),
            false => bytes(required.as_bytes(), value),
        };
    }
    match value.strip_prefix('"') {
        // What the engine will refuse is for it to say.
        Some(quoted) => {
            unescaped(quoted.strip_suffix('"').unwrap_or(quoted)).map_or(Evidence::Named, |text| bytes(&text, value))
        }
        None => bytes(&hexadecimal(value), value),
    }
}

fn bytes(bytes: &[u8], written: &str) -> Evidence {
    let holds = |everyday: &String| {
        let (all, one) = (everyday.to_ascii_lowercase(), bytes.to_ascii_lowercase());
        all.as_bytes().windows(one.len().max(1)).any(|window| window == one)
    };
    let is_one_byte = bytes.iter().all(|byte| Some(byte) == bytes.first());
    if is_one_byte || Modules::shipped().everyday.iter().any(holds) {
        return Evidence::Nothing(format!("every second file has {written}"));
    }
    Evidence::bytes(bytes)
}

/// The bytes of a text in quotes; `None` where YARA knows no such escape.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut found = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            found.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'x') => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                let digits = std::str::from_utf8(&digits).unwrap_or_default();
                found.push(u8::from_str_radix(digits, 16).ok()?);
            }
            Some(b'n') => found.push(b'\n'),
            Some(b't') => found.push(b'\t'),
            Some(b'r') => found.push(b'\r'),
            other => found.push(other.filter(|byte| matches!(byte, b'"' | b'\\'))?),
        }
    }
    Some(found)
}

/// The bytes of `{ 4D 5A ?? [2-4] ( 41 | 42 ) }` that have to be there.
fn hexadecimal(value: &str) -> Vec<u8> {
    let (mut found, mut depth, mut digits) = (Vec::new(), 0_usize, String::new());
    let uncommented = value.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<String>();
    for character in uncommented.chars() {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            '?' | '~' => digits.push('?'),
            digit if digit.is_ascii_hexdigit() => digits.push(digit),
            _ => {}
        }
        // `~` and a byte that must not be there are three characters.
        let length = if digits.starts_with('?') && character == '~' { 3 } else { 2 };
        if digits.len() >= length {
            found.extend(u8::from_str_radix(&digits, 16).ok());
            digits.clear();
        }
    }
    found
}

struct Reader<'t> {
    strings: Vec<(&'t str, Evidence)>,
    rules: &'t BTreeMap<&'t str, Evidence>,
}

impl Reader<'_> {
    fn condition(&self, tokens: &Tokens<'_>, depth: usize) -> Evidence {
        if depth > DEEPEST {
            return Evidence::Nothing("the condition is too deep to be read".to_owned());
        }
        let tokens = without_parentheses(tokens);
        let alternatives = split(tokens, "or");
        if alternatives.len() > 1 {
            return Evidence::Any(alternatives.into_iter().map(|one| self.condition(one, depth + 1)).collect());
        }
        let operands = split(tokens, "and");
        if operands.len() > 1 {
            return Evidence::All(operands.into_iter().map(|one| self.condition(one, depth + 1)).collect());
        }
        self.single(tokens, depth)
    }

    /// What stands between `and` and `or`.
    fn single(&self, tokens: &Tokens<'_>, depth: usize) -> Evidence {
        let has = |word: &str| tokens.iter().any(|(_, text)| *text == word);
        let words =
            || tokens.iter().filter_map(|(token, _)| if let Token::Word(word) = token { Some(*word) } else { None });
        match tokens {
            [] => return Evidence::Nothing("it asks for nothing".to_owned()),
            [(Token::Word("not"), _), (Token::Word("not"), _), rest @ ..] => return self.condition(rest, depth + 1),
            [(Token::Word("not"), _), ..] => return Evidence::Nothing("a negation names nobody".to_owned()),
            [(Token::Word("defined"), _), ..] => return Evidence::Nothing("what is defined names nobody".to_owned()),
            [(Token::Word(name), _)] if self.rules.contains_key(name) => return self.rules[name].clone(),
            [(Token::Name(b'$' | b'@' | b'!'), name), ..] => return self.string(&name[1..]),
            _ => {}
        }
        let is_loop_over_numbers = has("for") && has("in");
        if has("of") && !is_loop_over_numbers {
            return self.several(tokens);
        }
        if let [(Token::Name(b'#'), name), (Token::Mark(mark), _), (next, _), ..] = tokens {
            // `#a >= 0` is true of every file, as `#a == 0` is of nearly every one.
            let is_more = *mark == b'!' || (*mark == b'>' && *next != Token::Mark(b'='));
            let is_few = *mark == b'<' || (!is_more && tokens.last().is_some_and(|(_, text)| *text == "0"));
            return if is_few {
                Evidence::Nothing(format!("few of {name} name nobody"))
            } else {
                self.string(&name[1..])
            };
        }
        if let Some(digest) =
            tokens.iter().filter(|(token, _)| *token == Token::Text).find_map(|(_, text)| digest(text))
        {
            return digest;
        }
        if let Some(number) = number_at_offset(tokens) {
            return number;
        }
        const BETWEEN_TEXTS: [&str; 8] =
            ["contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iequals", "matches"];
        let is_plain = |word: &str| {
            matches!(word, "true" | "false" | "filesize")
                || word.starts_with(|one: char| one.is_ascii_digit())
                || BETWEEN_TEXTS.contains(&word)
        };
        if words().any(|word| !is_plain(word)) {
            return Evidence::Named;
        }
        match has("filesize") {
            true => Evidence::Weak("a size names nobody".to_owned()),
            false => Evidence::Nothing("it is true or false of every file".to_owned()),
        }
    }

    fn string(&self, name: &str) -> Evidence {
        let found = self.strings.iter().find(|(own, _)| *own == name);
        found.map_or(Evidence::Named, |(_, evidence)| evidence.clone())
    }

    /// `any of them`, `2 of ($a*, $b)`, `for all of them : ( $ at 0 )`.
    fn several(&self, tokens: &Tokens<'_>) -> Evidence {
        let of = tokens.iter().position(|(_, text)| *text == "of").unwrap_or_default();
        let (before, behind) = tokens.split_at(of);
        let set = behind.split(|(token, _)| *token == Token::Mark(b':')).next().unwrap_or_default();
        let mut meant: Vec<Evidence> = Vec::new();
        for (place, (token, text)) in set.iter().enumerate() {
            match token {
                Token::Word("them") => meant.extend(self.strings.iter().map(|(_, evidence)| evidence.clone())),
                Token::Name(b'$') if set.get(place + 1).is_some_and(|(next, _)| *next == Token::Mark(b'*')) => {
                    let alike = self.strings.iter().filter(|(name, _)| name.starts_with(&text[1..]));
                    meant.extend(alike.map(|(_, evidence)| evidence.clone()));
                }
                Token::Name(b'$') => meant.push(self.string(&text[1..])),
                Token::Word(name) => meant.extend(self.rules.get(name).cloned()),
                _ => {}
            }
        }
        let quantity = before.iter().filter(|(token, _)| *token != Token::Word("for")).map(|(_, text)| *text);
        let quantity: String = quantity.collect();
        let least = match quantity.as_str() {
            "all" => return Evidence::All(meant),
            "none" | "0" => return Evidence::Nothing("none of its strings names nobody".to_owned()),
            "any" => 1,
            number => match number.strip_suffix('%') {
                Some(percent) => (percent.parse::<usize>().unwrap_or(1) * meant.len()).div_ceil(100),
                None => number.parse().unwrap_or(1),
            },
        };
        // As many as are asked for may all be those that name nothing.
        let (bad, good): (Vec<Evidence>, Vec<Evidence>) =
            meant.into_iter().partition(|one| matches!(one, Evidence::Nothing(_) | Evidence::Weak(_)) || is_broad(one));
        if bad.len() >= least.max(1) { Evidence::Any(vec![Evidence::All(bad)]) } else { Evidence::Any(good) }
    }
}

/// Whether bytes are too few or everybody's.
fn is_broad(evidence: &Evidence) -> bool {
    use crate::guard::{Guard, Policy, Side, Weight};
    let policy = Policy::new(Guard::builtin(), "yara", Side::Detecting);
    matches!(policy.weigh(evidence), Weight::None(found) if found.code == crate::guard::breadth::NAMES_NOTHING)
}

/// The digest of a file in quotes.
fn digest(text: &str) -> Option<Evidence> {
    let digits = text.trim_matches('"');
    let path = match digits.len() {
        32 => "file:hashes.MD5",
        40 => "file:hashes.'SHA-1'",
        64 => "file:hashes.'SHA-256'",
        _ => return None,
    };
    let is_digest = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_digest.then(|| Evidence::test(path, Comparison::Equal, digits))
}

/// `uint16(0) == 0x5A4D`: the bytes that have to stand there.
fn number_at_offset(tokens: &Tokens<'_>) -> Option<Evidence> {
    let reads = |word: &str| word.trim_start_matches('u').strip_prefix("int").map(str::to_owned);
    let kind = tokens.iter().find_map(|(token, _)| if let Token::Word(word) = token { reads(word) } else { None })?;
    let (width, is_big) = match kind.strip_suffix("be") {
        Some(width) => (width.to_owned(), true),
        None => (kind, false),
    };
    let width = width.parse::<usize>().ok().filter(|width| matches!(width, 8 | 16 | 32))? / 8;
    let is_equal = tokens.windows(2).any(|pair| pair[0].1 == "=" && pair[1].1 == "=");
    let is_number = |text: &&str| text.starts_with(|one: char| one.is_ascii_digit());
    let ends = [tokens.last(), tokens.first()].into_iter().flatten().map(|(_, text)| *text);
    let literal = ends.filter(|_| is_equal).find(is_number);
    let number = literal.and_then(|text| match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    });
    let Some(number) = number else { return Some(Evidence::Nothing("a range of numbers names nobody".to_owned())) };
    let all = if is_big { number.to_be_bytes()[4 - width..].to_vec() } else { number.to_le_bytes()[..width].to_vec() };
    Some(bytes(&all, &format!("{number:#x} at an offset")))
}

/// The same without parentheses that go around all of it.
fn without_parentheses<'a, 't>(mut tokens: &'a Tokens<'t>) -> &'a Tokens<'t> {
    while let [(Token::Mark(b'('), _), inner @ .., (Token::Mark(b')'), _)] = tokens {
        let mut depth = 0_i32;
        let is_whole = inner.iter().all(|(token, _)| {
            depth += change(*token);
            depth >= 0
        });
        if !is_whole {
            break;
        }
        tokens = inner;
    }
    tokens
}

/// The pieces between the occurrences of a word that stand in no parentheses.
fn split<'a, 't>(tokens: &'a Tokens<'t>, word: &str) -> Vec<&'a Tokens<'t>> {
    let (mut pieces, mut start, mut depth) = (Vec::new(), 0, 0_i32);
    for (place, (token, text)) in tokens.iter().enumerate() {
        depth += change(*token);
        if depth == 0 && *text == word && matches!(token, Token::Word(_)) {
            pieces.push(&tokens[start..place]);
            start = place + 1;
        }
    }
    pieces.push(&tokens[start..]);
    pieces
}

fn change(token: Token<'_>) -> i32 {
    match token {
        Token::Mark(b'(' | b'[') => 1,
        Token::Mark(b')' | b']') => -1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        guard::{Guard, Policy, Side, Weight},
        targets::yara::native::outline::parts,
    };

    fn said(text: &str) -> &'static str {
        let parts = parts(text).unwrap();
        let policy = Policy::new(Guard::builtin(), "yara", Side::Detecting);
        let weights = evidence(text, &parts).into_iter().map(|evidence| match policy.weigh(&evidence) {
            Weight::Full => "",
            Weight::Less(_) => "told",
            Weight::None(found) => found.code.0,
        });
        weights.max().unwrap_or_default()
    }

    #[test]
    fn a_condition_is_about_something() {
        let empty = "hash.md5(0, filesize) == \"d41d8cd98f00b204e9800998ecf8427e\"";
        for (condition, expected) in [
            ("true", "G030"),
            ("not false or 1 == 1", "G030"),
            ("filesize > 10", "told"),
            ("filesize > 10 and true", "G030"),
            ("$dos", "G030"),
            ("$mz at 0", "G030"),
            ("$zero", "G030"),
            ("$word", "G030"),
            ("$any", "told"),
            ("$evil", ""),
            ("$hex", ""),
            ("any of them", "G030"),
            ("all of them", ""),
            ("any of ($e*)", ""),
            ("2 of ($dos, $mz, $evil)", "G030"),
            ("2 of ($dos, $hex, $evil)", ""),
            ("1 of ($dos, $hex, $evil)", "G030"),
            ("none of ($evil)", "G030"),
            ("not $evil", "G030"),
            ("not not $evil", ""),
            ("not ($evil or $hex)", "G030"),
            ("$evil or $mz", "G030"),
            ("$mz and ($dos or ($evil and filesize < 3MB))", "G030"),
            ("$mz and ($hex or ($evil and filesize < 3MB))", ""),
            ("#evil > 2", ""),
            ("#evil == 0", "G030"),
            ("#evil < 5", "G030"),
            ("#evil >= 0", "G030"),
            ("#evil != 0", ""),
            ("@evil[1] > 0", ""),
            ("!evil > 3", ""),
            ("0x12345678 == uint32(0)", ""),
            ("0x5A4D == uint16(0)", "G030"),
            ("\"a\" contains \"a\"", "G030"),
            ("uint16(0) == 0x5A4D", "G030"),
            ("uint16(0) == 0x5A4D and filesize < 1MB", "G030"),
            ("uint32be(0) == 0x7f454c46", "G030"),
            ("uint32(0) == 0x12345678", ""),
            ("uint8(0) > 1", "G030"),
            ("pe.is_pe", ""),
            ("pe.imphash() == \"0123456789abcdef0123456789abcdef\"", ""),
            ("for any of ($mz, $dos) : ( $ at 0 )", "G030"),
            ("for any i in (1..#evil) : ( @evil[i] > 2 )", ""),
            ("for any s in pe.sections : ( s.name == \".evil\" )", ""),
            (empty, "G007"),
            (&format!("filesize < 5 and {empty}"), "G007"),
            (&format!("{empty} or {empty}"), "G007"),
            (&format!("{empty} or $evil"), "told"),
        ] {
            let strings = "$dos = \"This program cannot be run in DOS mode\" $mz = \"MZ\" $zero = { 00 00 00 00 00 } \
                           $word = { 4D 5A ?? 00 [2-4] ( 41 42 43 44 | 45 ) } $any = /.*/ $evil = \"evil\\x01\" $hex = { DE AD BE EF ~00 }";
            let text = format!("import \"pe\" import \"hash\" rule a {{ strings: {strings} condition: {condition} }}");
            assert_eq!(said(&text), expected, "{condition}");
        }
    }

    #[test]
    fn helpers_stand_for_what_they_ask() {
        assert_eq!(said("private rule a { condition: true }"), "");
        assert_eq!(said("private rule a { condition: true } rule b { condition: a }"), "G030");
        assert_eq!(
            said("private rule a { strings: $a = \"evil\" condition: $a } rule b { condition: a and true }"),
            ""
        );
        let deep = format!("rule a {{ condition: {}true{} }}", "(1 == 1 and ".repeat(5_000), ")".repeat(5_000));
        assert_eq!(said(&deep), "G030");
    }
}
