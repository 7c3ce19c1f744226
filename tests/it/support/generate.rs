//! Patterns made at random from the schema, for proofs: each says something that a target may have a place for.
//!
//! The numbers behind them begin with a fixed seed, so every run makes the same patterns. What the type check refuses
//! or finds contradictory is left out.

use std::{collections::BTreeSet, sync::LazyLock};

use stixc::{
    convert,
    diagnostic::{Diagnostic, Severity},
    pattern::{self, ComparisonKind, ObservationKind, Quoted},
    plan::schema::{self, PropertyType, Text},
};

#[path = "generate_values.rs"]
mod values;

/// The mappings of all targets.
const MAPPINGS: &[&str] = &[
    include_str!("../../../templates/blocklist/mapping.toml"),
    include_str!("../../../templates/sigma/mapping.toml"),
    include_str!("../../../templates/suricata/mapping.toml"),
    include_str!("../../../templates/yara/mapping.toml"),
];

/// Other ways to write what the table has: any key of a dictionary, an element by its number, a reference compared.
const MORE: &[&str] = &[
    "network-traffic:extensions.'http-request-ext'.request_header.'X-Evil'",
    "network-traffic:protocols[0]",
    "email-message:subject",
    "mutex:name",
    "file:mtime",
    "process:pid",
    "software:name",
    "windows-registry-key:values[*].data_type",
    "user-account:is_privileged",
    "file:extensions.'windows-pebinary-ext'.sections[*].entropy",
];

/// A property that patterns are made of.
#[derive(Debug, Clone)]
pub struct Property {
    /// Its path.
    pub path: String,
    /// What it holds.
    pub kind: PropertyType,
}

impl Property {
    fn read(path: &str) -> Option<Self> {
        let text = format!("[EXISTS {path}]");
        let pattern = pattern::parse(&text).ok()?;
        let ObservationKind::Single(comparison) = pattern.expression.kind else { return None };
        let ComparisonKind::Test(test) = comparison.kind else { return None };
        let resolved = schema::resolve(&test.path);
        (resolved.kind.is_value()).then(|| Self { path: path.to_owned(), kind: resolved.kind })
    }

    fn object_type(&self) -> &str {
        self.path.split(':').next().unwrap_or_default()
    }
}

/// The properties that a target has a place for, and a few more, in the order of the alphabet.
pub fn properties() -> &'static [Property] {
    static PROPERTIES: LazyLock<Vec<Property>> = LazyLock::new(|| {
        let mut paths: BTreeSet<String> = MORE.iter().map(|path| (*path).to_owned()).collect();
        for mapping in MAPPINGS {
            let table: toml::Table = toml::from_str(mapping).expect("a mapping is TOML");
            for row in table.get("row").and_then(|rows| rows.as_array()).into_iter().flatten() {
                paths.extend(row.get("property").and_then(|path| path.as_str()).map(str::to_owned));
            }
        }
        // A mapping may name two properties at once, or a whole dictionary.
        paths.retain(|path| !path.contains(" + ") && !path.ends_with(".*") && path != "file:path");
        paths.iter().filter_map(|path| Property::read(path)).collect()
    });
    &PROPERTIES
}

/// Numbers that look random (xorshift64*).
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Below `limit`, which is above 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap_or_default() % limit
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// One of them.
    pub fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }
}

/// So many patterns, always the same ones.
pub fn patterns(count: usize) -> Vec<String> {
    let mut numbers = Numbers::new(20_240_101);
    let mut seen = BTreeSet::new();
    let mut patterns = Vec::with_capacity(count);
    for turn in 0.. {
        if patterns.len() == count {
            break;
        }
        let text = Maker { numbers: &mut numbers }.pattern(turn);
        if is_sensible(&text) && seen.insert(text.clone()) {
            patterns.push(text);
        }
    }
    patterns
}

/// Whether the pattern is understood as it stands, and no comparison rules another out.
fn is_sensible(text: &str) -> bool {
    let (meaning, diagnostics) = convert::understand(text, true);
    let contradicts = |one: &Diagnostic| one.code.0 == "W116" || one.severity == Severity::Error;
    meaning.is_some() && !diagnostics.iter().any(contradicts)
}

struct Maker<'n> {
    numbers: &'n mut Numbers,
}

/// Object types that indicators are about most often; the others come in turn.
const OFTEN: &[&str] = &[
    "domain-name",
    "ipv4-addr",
    "url",
    "file",
    "file",
    "network-traffic",
    "network-traffic",
    "network-traffic",
    "process",
    "process",
    "windows-registry-key",
    "email-message",
];

impl Maker<'_> {
    /// The pattern of a turn; each property has its turn.
    fn pattern(&mut self, turn: usize) -> String {
        if !self.numbers.percent(12) {
            return self.observation(turn);
        }
        let first = self.qualified(turn);
        let count = self.numbers.below(3);
        if count == 0 {
            return first;
        }
        let operator = *self.numbers.pick(&[" AND ", " FOLLOWEDBY ", " OR "]);
        let mut operands = vec![first];
        for _ in 0..count {
            let turn = self.numbers.below(10_000);
            operands.push(self.qualified(turn));
        }
        let all = operands.join(operator);
        match self.numbers.below(3) {
            0 => format!("({all}) WITHIN {} SECONDS", self.numbers.pick(&[1, 5, 60, 300, 3600])),
            // Two intervals inside each other may have no moment in common.
            1 if !all.contains("START") => {
                format!("({all}) START t'2024-02-01T00:00:00Z' STOP t'2024-03-01T12:30:00.5Z'")
            }
            _ => all,
        }
    }

    fn qualified(&mut self, turn: usize) -> String {
        let single = self.observation(turn);
        match self.numbers.below(8) {
            0 => format!("{single} REPEATS {} TIMES", self.numbers.pick(&[2, 3, 5])),
            1 => {
                let times = *self.numbers.pick(&[2, 4]);
                format!("({single} REPEATS {times} TIMES) WITHIN {} SECONDS", self.numbers.pick(&[10, 60]))
            }
            2 => format!("{single} START t'2024-01-05T00:00:00Z' STOP t'2024-01-06T00:00:00Z'"),
            _ => single,
        }
    }

    /// One observation: tests on one object.
    fn observation(&mut self, turn: usize) -> String {
        let all = properties();
        let first = if turn.is_multiple_of(3) {
            &all[(turn / 3) % all.len()]
        } else {
            let often = *self.numbers.pick(OFTEN);
            let own: Vec<&Property> = all.iter().filter(|one| one.object_type() == often).collect();
            own[self.numbers.below(own.len())]
        };
        let mut own: Vec<&Property> =
            all.iter().filter(|one| one.object_type() == first.object_type() && one.path != first.path).collect();
        let mut chosen = vec![first];
        let more = *self.numbers.pick(&[0, 0, 1, 1, 1, 2, 2, 3]);
        while chosen.len() <= more && !own.is_empty() {
            let at = self.numbers.below(own.len());
            chosen.push(own.swap_remove(at));
        }
        let tests: Vec<String> = chosen.into_iter().map(|property| self.test(property)).collect();
        format!("[{}]", self.joined(&tests))
    }

    /// Tests under AND and OR, nested at most twice.
    fn joined(&mut self, tests: &[String]) -> String {
        match tests {
            [one] => one.clone(),
            [one, other] => format!("{one} {} {other}", self.numbers.pick(&["AND", "AND", "OR"])),
            [one, rest @ ..] => {
                let (outer, inner) = *self.numbers.pick(&[("AND", "AND"), ("AND", "OR"), ("OR", "AND"), ("OR", "OR")]);
                format!("{one} {outer} ({})", rest.join(&format!(" {inner} ")))
            }
            [] => String::new(),
        }
    }

    fn test(&mut self, property: &Property) -> String {
        if self.numbers.percent(3) {
            let not = if self.numbers.percent(40) { "NOT " } else { "" };
            return format!("{not}EXISTS {}", property.path);
        }
        match property.kind {
            PropertyType::Integer(bounds) => self.number(property, bounds.minimum.max(0), bounds.maximum),
            PropertyType::Float => {
                let value = *self.numbers.pick(&["7.5", "6.25", "0.5"]);
                format!("{} {} {value}", property.path, self.numbers.pick(&[">", ">=", "<", "<=", "="]))
            }
            PropertyType::Boolean => {
                format!("{} = {}", property.path, self.numbers.pick(&["true", "false"]))
            }
            PropertyType::Timestamp => {
                let value = *self.numbers.pick(&["2024-01-15T08:00:00Z", "2023-12-31T23:59:59.5Z"]);
                format!("{} {} t'{value}'", property.path, self.numbers.pick(&["=", ">", ">=", "<", "<="]))
            }
            PropertyType::Hex | PropertyType::HexNumber => {
                format!("{} = h'{}'", property.path, self.numbers.pick(&["4d5a", "00", "08", "7f454c46"]))
            }
            PropertyType::Binary => format!("{} = b'{}'", property.path, self.numbers.pick(&["RXZpbA==", "TVqQAAM="])),
            _ => self.text(property),
        }
    }

    fn number(&mut self, property: &Property, minimum: i64, maximum: i64) -> String {
        let path = &property.path;
        let pool = values::numbers(path);
        let one = (*self.numbers.pick(pool)).clamp(minimum, maximum);
        match self.numbers.below(10) {
            0..=3 => format!("{path} = {one}"),
            4 => format!("{path} != {one}"),
            5 => format!("{path} {} {one}", self.numbers.pick(&[">", ">="])),
            6 => format!("{path} {} {one}", self.numbers.pick(&["<", "<="])),
            7 => format!("({path} >= {one} AND {path} {} {})", self.numbers.pick(&["<", "<="]), one + 20),
            _ => {
                let set: BTreeSet<i64> = (0..3).map(|_| (*self.numbers.pick(pool)).clamp(minimum, maximum)).collect();
                let set: Vec<String> = set.iter().map(ToString::to_string).collect();
                format!("{path} {}IN ({})", self.not(20), set.join(", "))
            }
        }
    }

    fn not(&mut self, chance: usize) -> &'static str {
        if self.numbers.percent(chance) { "NOT " } else { "" }
    }

    fn text(&mut self, property: &Property) -> String {
        let path = &property.path;
        let pool = values::Pool::of(path, property.kind);
        let one = pool.value(self.numbers);
        let is_address = pool.prefixes.is_some()
            && matches!(property.kind, PropertyType::String(Text::Ipv4Address | Text::Ipv6Address | Text::Endpoint));
        match self.numbers.below(20) {
            0..=6 => format!("{path} = {}", Quoted(&one)),
            7 | 8 => format!("{path} != {}", Quoted(&one)),
            10 | 11 if is_address => {
                let prefix = pool.prefix(self.numbers);
                format!("{path} {}ISSUBSET {}", self.not(15), Quoted(prefix))
            }
            13 | 14 if is_address => format!("{path} ISSUPERSET {}", Quoted(pool.prefix(self.numbers))),
            9..=11 => {
                let set: BTreeSet<String> = (0..3).map(|_| pool.value(self.numbers)).collect();
                let set: Vec<String> = set.iter().map(|one| Quoted(one).to_string()).collect();
                format!("{path} {}IN ({})", self.not(15), set.join(", "))
            }
            12..=15 => {
                let like = values::like(&one, self.numbers);
                format!("{path} {}LIKE {}", self.not(20), Quoted(&like))
            }
            16..=18 => {
                let expression = values::expression(&one, self.numbers);
                format!("{path} {}MATCHES {}", self.not(15), Quoted(&expression))
            }
            _ => format!("{path} = {}", Quoted(&pool.nasty(self.numbers))),
        }
    }
}
