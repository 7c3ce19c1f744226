//! Writes a STIX 2.1 bundle with any number of indicators to standard output, for measurements.
//!
//! ```text
//! cargo run --release --example generate_feed -- COUNT [SEED] > feed.json
//! ```
//!
//! The same arguments give the same bytes. The kinds of patterns come about as often as in public feeds; all names end in
//! `.example` and all addresses are in the ranges reserved for documentation. An indicator takes about 512 bytes.

use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
};

const IDENTITY: &str = "identity--9f3c2f7e-5b0a-4c39-8a43-1f6f0f0b7a11";
const FAMILIES: u64 = 64;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (Some(Ok(count)), Ok(seed)) = (arguments.next(), arguments.next().unwrap_or(Ok(1))) else {
        eprintln!("usage: generate_feed COUNT [SEED]");
        return ExitCode::from(2);
    };
    let mut output = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    match bundle(&mut output, count, &mut Numbers(seed)).and_then(|()| output.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("generate_feed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// SplitMix64: short, and the same everywhere.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }

    fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(digits);
        text
    }

    /// An identifier with a version 4 UUID.
    fn id(&mut self, object_type: &str) -> String {
        let (high, low) = (self.next(), self.next());
        let (time, clock) = (high & !0xF000 | 0x4000, low >> 2 | 1 << 63);
        format!(
            "{object_type}--{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            time >> 32,
            time >> 16 & 0xFFFF,
            time & 0xFFFF,
            clock >> 48,
            clock & 0xFFFF_FFFF_FFFF
        )
    }

    fn domain(&mut self) -> String {
        const WORDS: [&str; 12] =
            ["mail", "cdn", "update", "login", "secure", "static", "api", "files", "img", "news", "shop", "vpn"];
        let (host, tail) = (self.pick(&WORDS), self.below(8) as usize + 5);
        match self.below(3) {
            0 => format!("{host}-{}.example", self.hex(tail)),
            1 => format!("{host}.{}.example", self.hex(tail)),
            _ => format!("{}.{}.example", self.hex(4), self.hex(tail)),
        }
    }

    fn ipv4(&mut self) -> String {
        format!("{}.{}", self.pick(&["192.0.2", "198.51.100", "203.0.113"]), self.below(256))
    }

    fn ipv6(&mut self) -> String {
        format!("2001:db8:{:x}:{:x}::{:x}", self.below(0xFFFF) + 1, self.below(0xFFFF) + 1, self.below(0xFFFF) + 1)
    }

    fn time(&mut self) -> String {
        let (month, day) = (self.below(12) + 1, self.below(28) + 1);
        let (hour, minute, second) = (self.below(24), self.below(60), self.below(60));
        format!("2024-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", self.below(1000))
    }

    /// A pattern as it stands in the JSON text, and what it is about.
    fn pattern(&mut self) -> (String, &'static str) {
        match self.below(1000) {
            0..300 => (format!("[domain-name:value = '{}']", self.domain()), "Domain name"),
            300..600 => (format!("[file:hashes.'SHA-256' = '{}']", self.hex(64)), "File hash"),
            600..630 => (format!("[file:hashes.MD5 = '{}']", self.hex(32)), "File hash"),
            630..640 => (format!("[file:hashes.'SHA-1' = '{}']", self.hex(40)), "File hash"),
            640..780 => (self.traffic(), "Network traffic"),
            780..920 => (self.url(), "URL"),
            920..940 => (format!("[ipv4-addr:value = '{}']", self.ipv4()), "IPv4 address"),
            940..960 => (format!("[ipv6-addr:value = '{}']", self.ipv6()), "IPv6 address"),
            960..970 => (format!("[email-addr:value = '{}@{}']", self.hex(6), self.domain()), "E-mail address"),
            970..980 => {
                (format!("[file:name = '{}.exe' AND file:hashes.MD5 = '{}']", self.hex(7), self.hex(32)), "File")
            }
            980..990 => {
                let command = self.hex(10);
                (format!("[process:command_line = 'cmd.exe /c \\\"%TEMP%\\\\\\\\{command}.bat\\\"']"), "Command")
            }
            990..996 => {
                let name = self.hex(8);
                let key = "HKEY_LOCAL_MACHINE\\\\\\\\SOFTWARE\\\\\\\\Example";
                (format!("[windows-registry-key:key = '{key}\\\\\\\\{name}']"), "Registry key")
            }
            _ => (
                format!("[domain-name:value = '{}'] OR [ipv4-addr:value = '{}']", self.domain(), self.ipv4()),
                "Infrastructure",
            ),
        }
    }

    fn traffic(&mut self) -> String {
        let (kind, address) = match self.below(4) {
            0 => ("ipv4-addr", self.ipv4()),
            _ => ("ipv6-addr", self.ipv6()),
        };
        format!("[network-traffic:dst_ref.type = '{kind}' AND network-traffic:dst_ref.value = '{address}']")
    }

    fn url(&mut self) -> String {
        let (scheme, path) = (self.pick(&["http", "https"]), self.hex(12));
        match self.below(4) {
            0 => format!("[url:value = '{scheme}://{}:8080/{path}/gate.php']", self.ipv4()),
            1 => format!("[url:value = '{scheme}://{}/{path}?id={}']", self.domain(), self.below(100_000)),
            _ => format!("[url:value = '{scheme}://{}/{path}/index.html']", self.domain()),
        }
    }
}

fn bundle(output: &mut impl Write, count: u64, numbers: &mut Numbers) -> io::Result<()> {
    writeln!(output, "{{\"type\":\"bundle\",\"id\":\"{}\",\"objects\":[", numbers.id("bundle"))?;
    write!(
        output,
        "{{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"{IDENTITY}\",\
         \"created\":\"2024-01-01T00:00:00.000Z\",\"modified\":\"2024-01-01T00:00:00.000Z\",\
         \"name\":\"Example Feed\",\"identity_class\":\"organization\"}}"
    )?;
    let mut families = Vec::new();
    for family in 0..FAMILIES {
        let id = numbers.id("malware");
        write!(
            output,
            ",\n{{\"type\":\"malware\",\"spec_version\":\"2.1\",\"id\":\"{id}\",\
             \"created\":\"2024-01-01T00:00:00.000Z\",\"modified\":\"2024-01-01T00:00:00.000Z\",\
             \"name\":\"Family {family}\",\"is_family\":true}}"
        )?;
        families.push(id);
    }
    for _ in 0..count {
        let id = indicator(output, numbers)?;
        if numbers.below(20) == 0 {
            let family = &families[numbers.below(FAMILIES) as usize];
            relationship(output, numbers, &id, family)?;
        }
    }
    output.write_all(b"\n]}\n")
}

fn indicator(output: &mut impl Write, numbers: &mut Numbers) -> io::Result<String> {
    let (id, time) = (numbers.id("indicator"), numbers.time());
    let (pattern, what) = numbers.pattern();
    write!(
        output,
        ",\n{{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"{id}\",\"created_by_ref\":\"{IDENTITY}\",\
         \"created\":\"{time}\",\"modified\":\"{time}\""
    )?;
    if numbers.below(2) == 0 {
        write!(output, ",\"name\":\"{what} seen in campaign {}\"", numbers.below(10_000))?;
    }
    if numbers.below(8) == 0 {
        write!(output, ",\"description\":\"{what} that was reported by a \\\"sensor\\\".\\nSeen more than once.\"")?;
    }
    write!(
        output,
        ",\"indicator_types\":[\"malicious-activity\"],\"pattern\":\"{pattern}\",\"pattern_type\":\"stix\",\
         \"valid_from\":\"{time}\""
    )?;
    if numbers.below(50) == 0 {
        write!(output, ",\"valid_until\":\"{}\"", numbers.time())?;
    }
    if numbers.below(10) == 0 {
        output.write_all(
            b",\"kill_chain_phases\":[{\"kill_chain_name\":\"mitre-attack\",\"phase_name\":\"command-and-control\"}]",
        )?;
    }
    if numbers.below(4) == 0 {
        write!(output, ",\"confidence\":{}", numbers.below(101))?;
    }
    if numbers.below(10) == 0 {
        write!(
            output,
            ",\"external_references\":[{{\"source_name\":\"Example\",\"url\":\"https://reports.example/{}\"}}]",
            numbers.hex(8)
        )?;
    }
    if numbers.below(4) == 0 {
        output.write_all(b",\"object_marking_refs\":[\"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487\"]")?;
    }
    output.write_all(b"}")?;
    Ok(id)
}

fn relationship(output: &mut impl Write, numbers: &mut Numbers, source: &str, target: &str) -> io::Result<()> {
    let (id, time) = (numbers.id("relationship"), numbers.time());
    write!(
        output,
        ",\n{{\"type\":\"relationship\",\"spec_version\":\"2.1\",\"id\":\"{id}\",\"created_by_ref\":\"{IDENTITY}\",\
         \"created\":\"{time}\",\"modified\":\"{time}\",\"relationship_type\":\"indicates\",\
         \"source_ref\":\"{source}\",\"target_ref\":\"{target}\"}}"
    )
}
