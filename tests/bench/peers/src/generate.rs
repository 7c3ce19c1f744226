//! Patterns as feeds and analysts write them, always the same ones.

use std::fmt::Write;

/// Numbers that look random (a linear congruential generator), the same in every run.
struct Numbers(u64);

impl Numbers {
    /// A number below `limit`.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// Hexadecimal digits.
    fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from_digit(self.below(16) as u32, 16).unwrap_or('0')).collect()
    }

    /// One of several.
    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// Patterns with one comparison, in the proportions of feeds: mostly hashes, domains, addresses and URLs.
pub fn simple(count: usize) -> Vec<String> {
    let mut numbers = Numbers(1);
    (0..count).map(|_| format!("[{}]", comparison(&mut numbers, 6))).collect()
}

/// A comparison of one of the first `kinds` kinds.
fn comparison(numbers: &mut Numbers, kinds: u64) -> String {
    match numbers.below(kinds) {
        0 => format!("file:hashes.'SHA-256' = '{}'", numbers.hex(64)),
        1 => format!("domain-name:value = 'host-{}.evil.example'", numbers.hex(6)),
        2 => format!("ipv4-addr:value = '203.0.113.{}'", numbers.below(256)),
        3 => {
            format!("url:value = 'http://{}.example/{}?id={}'", numbers.hex(8), numbers.hex(10), numbers.below(10_000))
        }
        4 => format!("file:hashes.MD5 = '{}'", numbers.hex(32)),
        5 => format!("email-addr:value = '{}@bad.example'", numbers.hex(7)),
        6 => format!("file:name LIKE '%{}.exe'", numbers.hex(5)),
        7 => format!(r"windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\Software\\{}\\Run'", numbers.hex(6)),
        8 => format!(r"process:command_line MATCHES '^powershell.*-enc [A-Za-z0-9+/=]{{{},}}$'", numbers.below(90)),
        9 => format!(
            "network-traffic:dst_port IN ({}, {}, {})",
            numbers.below(65_536),
            numbers.below(65_536),
            numbers.below(65_536)
        ),
        10 => format!("ipv4-addr:value ISSUBSET '198.51.100.{}/28'", numbers.below(16) * 16),
        11 => format!("file:size >= {} AND file:size < {}", numbers.below(1 << 20), numbers.below(1 << 30)),
        12 => format!(
            "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'Evil/{}.{}'",
            numbers.below(9),
            numbers.below(99)
        ),
        13 => format!(
            "file:extensions.'windows-pebinary-ext'.sections[*].entropy > {}.{}",
            numbers.below(8),
            numbers.below(1_000)
        ),
        14 => format!(
            "x509-certificate:validity_not_after < t'20{}-0{}-1{}T00:00:00Z'",
            10 + numbers.below(80),
            1 + numbers.below(9),
            numbers.below(10)
        ),
        _ => format!(
            "network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value NOT = '192.0.2.{}'",
            numbers.below(256)
        ),
    }
}

/// Patterns with several observations of several comparisons each, with parentheses and qualifiers.
pub fn complex(count: usize) -> Vec<String> {
    let mut numbers = Numbers(2);
    (0..count).map(|_| expression(&mut numbers)).collect()
}

/// An observation expression.
fn expression(numbers: &mut Numbers) -> String {
    let mut text = String::new();
    for index in 0..2 + numbers.below(4) {
        if index > 0 {
            let _ = write!(text, " {} ", numbers.one_of(&["AND", "OR", "FOLLOWEDBY"]));
        }
        text.push_str(&observation(numbers));
    }
    match numbers.below(3) {
        0 => format!("({text}) WITHIN {} SECONDS", 1 + numbers.below(3_600)),
        1 => format!("({text}) START t'2024-01-01T00:00:00Z' STOP t'2024-12-31T23:59:59.999Z'"),
        _ => text,
    }
}

/// An observation, perhaps with a qualifier.
fn observation(numbers: &mut Numbers) -> String {
    let mut text = String::from("[");
    for index in 0..1 + numbers.below(6) {
        if index > 0 {
            let _ = write!(text, " {} ", numbers.one_of(&["AND", "OR"]));
        }
        if numbers.below(4) == 0 {
            let _ = write!(text, "({} OR {})", comparison(numbers, 16), comparison(numbers, 16));
        } else {
            text.push_str(&comparison(numbers, 16));
        }
    }
    text.push(']');
    if numbers.below(4) == 0 {
        let _ = write!(text, " REPEATS {} TIMES", 1 + numbers.below(20));
    }
    text
}
