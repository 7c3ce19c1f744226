//! Fuzz targets for parse, print and evaluate: seeds, mutated by rounds of a fixed generator, so that each run is the same
//! and ends. `STIXC_FUZZ_ROUNDS` sets how many rounds a target has.

use stixc::{
    convert::understand,
    evaluate::{Evaluator, Observations},
    pattern::{self, Version, lenient},
};

const SEEDS: [&str; 12] = [
    "[domain-name:value = 'evil.example']",
    "[file:hashes.'SHA-256' IN ('aa', 'bb') AND NOT EXISTS file:name]",
    "([a:b = 1] FOLLOWEDBY [c:d[*].e NOT LIKE '%x_']) WITHIN 5.5 SECONDS",
    "[a:b != t'2024-01-01T00:00:00Z' OR c_ref.d <= -1.5] REPEATS 3 TIMES",
    "[ipv4-addr:value ISSUBSET '10.0.0.0/8'] START t'2024-01-01T00:00:00Z' STOP t'2024-02-01T00:00:00Z'",
    "[a:b = h'00ff' AND (c:d = b'AAEC' OR e:f MATCHES '^[a-z]{2,}(?!x)$')]",
    "[a:'quoted key'[0] = 'it\\'s C:\\\\x'] /* note */ AND [b:c = true] // end",
    "[process:command_line = \u{201c}x\u{201d} and a:b = \"y\"];",
    "[file:hashes.SHA-256 = 'C:\\x' OR url:value = 'hxxp://a[.]example']",
    "[(((((a:b = 99999999999999999999)))))]",
    "[x:y IN ()] OR [x:y = '\u{0}\u{feff}\u{202e}é😀']",
    "alert tcp any any -> any any (sid:1;)",
];

const WORDS: [&str; 20] = [
    "[",
    "]",
    "(",
    ")",
    "'",
    "\\",
    " AND ",
    " OR ",
    " NOT ",
    "FOLLOWEDBY",
    " WITHIN 0 SECONDS",
    " REPEATS 2 TIMES",
    "EXISTS ",
    "MATCHES '(",
    "t'",
    "h'",
    "/*",
    "[*]",
    "\u{85}",
    "_ref.",
];

/// A generator with a fixed beginning (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }

    /// A seed after a few changes: bytes changed, cut out, doubled, words put in, another seed's end put on.
    fn input(&mut self) -> String {
        let mut bytes = SEEDS[self.below(SEEDS.len())].as_bytes().to_vec();
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len() + 1);
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] = self.below(256) as u8,
                1 => bytes.truncate(at),
                2 => drop(bytes.drain(at..(at + self.below(8)).min(bytes.len()))),
                3 => bytes.extend_from_within(at..),
                4 => {
                    let other = SEEDS[self.below(SEEDS.len())].as_bytes();
                    bytes.extend_from_slice(&other[self.below(other.len())..]);
                }
                _ => drop(bytes.splice(at..at, WORDS[self.below(WORDS.len())].bytes())),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn rounds(seed: u64, mut target: impl FnMut(&str)) {
    let count = std::env::var("STIXC_FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000_u32);
    let mut dice = Dice(seed);
    for _ in 0..count {
        target(&dice.input());
    }
}

/// Any text is a pattern, or has at least one error that lies within it; whatever follows the parser does not panic.
#[test]
fn parse() {
    let (mut good, mut bad) = (0, 0);
    rounds(1, |text| {
        match pattern::parse(text) {
            Ok(_) => good += 1,
            Err(errors) => {
                bad += 1;
                assert!(errors.iter().all(|error| error.span.end as usize <= text.len()), "{text:?}: {errors}");
            }
        }
        for strict in [false, true] {
            let _ = lenient::read(text, Version::Auto, strict);
            let _ = understand(text, strict);
        }
    });
    assert!(good > 0 && bad > 0, "{good} good, {bad} bad: the mutations are of one kind");
}

/// What was parsed prints to text that prints to itself, and that means the same to the plan.
#[test]
fn print() {
    let mut printed = 0;
    rounds(2, |text| {
        let Ok(pattern) = pattern::parse(text) else { return };
        printed += 1;
        let once = pattern.to_string();
        let again = pattern::parse(&once).unwrap_or_else(|errors| panic!("{text:?} printed {once:?}: {errors}"));
        assert_eq!(again.to_string(), once, "{text:?}");
        let canonical = |text: &str| understand(text, false).0.map(|meaning| meaning.canonical);
        // A qualifier twice on one observation has no meaning; printed, the first one stands in parentheses.
        if let Some(meaning) = canonical(text) {
            assert_eq!(Some(meaning), canonical(&once), "{text:?}");
        }
    });
    assert!(printed > 0);
}

/// Any pattern meets any data with an answer or an error.
#[test]
fn evaluate() {
    let data = br#"[{"type": "observed-data", "number_observed": 2, "first_observed": "2024-01-01T00:00:00Z",
        "last_observed": "2024-01-01T00:00:30Z", "objects": {
        "0": {"type": "a", "b": 1, "quoted key": ["it's C:\\x"], "c_ref": "1"},
        "1": {"type": "c", "d": [{"e": "xy"}], "payload_bin": "AAEC", "b_hex": "00ff"},
        "2": {"type": "ipv4-addr", "value": "10.1.2.3"}}}]"#;
    let (observations, faults) = Observations::read(data.as_slice());
    assert!(faults.is_empty(), "{faults:?}");
    let (mut matched, mut silent) = (0, 0);
    rounds(3, |text| {
        let Ok(pattern) = pattern::parse(text) else { return };
        let Ok(evaluator) = Evaluator::new(&pattern) else { return };
        match evaluator.with_steps(100_000).matches(&observations) {
            Ok(Some(_)) => matched += 1,
            Ok(None) => silent += 1,
            Err(_) => {}
        }
    });
    assert!(matched > 0 && silent > 0, "{matched} matched, {silent} did not: the mutations are of one kind");
}
