//! What the sensor makes of traffic made by hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
};

use stixc::witness::capture::{
    Capture, Flow, Turn,
    dns::RecordType,
    http::{Request, Response, VERSION},
    smtp::Mail,
};

use super::{RULES, on_disk, rules, target};
use crate::support::{
    emission::{content, emit},
    validators::suricata,
};

/// What happens on the wire, each in a conversation of its own.
struct Traffic {
    capture: Capture,
    clients: BTreeMap<&'static str, IpAddr>,
}

const OTHER: [u8; 4] = [203, 0, 113, 200];

impl Traffic {
    fn new() -> Self {
        Self { capture: Capture::new(), clients: BTreeMap::new() }
    }

    /// A new conversation to this address, called `name`.
    fn flow(&mut self, name: &'static str, server: impl Into<IpAddr>, port: u16) -> Flow {
        let flow = self.capture.flow_to(SocketAddr::new(server.into(), port));
        assert!(self.clients.insert(name, flow.client.ip()).is_none(), "{name}");
        flow
    }

    fn query(&mut self, name: &'static str, domain: &str) {
        let flow = self.flow(name, OTHER, 53);
        self.capture.dns_query(flow, domain, RecordType::A).unwrap();
    }

    fn hello(&mut self, name: &'static str, domain: &str) {
        let flow = self.flow(name, OTHER, 443);
        self.capture.tls_client_hello(flow, domain).unwrap();
    }

    fn get(&mut self, name: &'static str, target: &str, headers: &[(&str, &str)]) {
        self.download(name, "GET", target, headers, &[], b"ok");
    }

    fn download(
        &mut self,
        name: &'static str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        answers: &[(&str, &str)],
        body: &[u8],
    ) {
        let flow = self.flow(name, OTHER, 80);
        let request = Request { method, target, version: VERSION, headers, body: b"" };
        self.capture.http(flow, request, Response { headers: answers, body }).unwrap();
    }

    fn syn(&mut self, name: &'static str, server: impl Into<IpAddr>, port: u16) {
        let flow = self.flow(name, server, port);
        self.capture.tcp_syn(flow).unwrap();
    }
}

/// Checks for each pattern that its rules alert in the conversations with these names, and in no other.
#[track_caller]
fn assert_alerts(traffic: &Traffic, expected: &[(&str, &[&str])]) {
    let patterns: Vec<&str> = expected.iter().map(|(pattern, _)| *pattern).collect();
    let memory = emit(target(), rules(&patterns));
    let (_folder, rules) = on_disk(&memory);
    let alerts = suricata::alerts(&rules, traffic.capture.bytes());
    for (index, (pattern, names)) in expected.iter().enumerate() {
        let sids: BTreeSet<u32> = memory.names[&index].iter().map(|sid| sid.parse().unwrap()).collect();
        let clients: BTreeSet<IpAddr> =
            alerts.iter().filter(|alert| sids.contains(&alert.sid)).map(|alert| alert.client).collect();
        let heard: BTreeSet<&str> =
            traffic.clients.iter().filter(|(_, client)| clients.contains(client)).map(|(name, _)| *name).collect();
        assert_eq!(heard, names.iter().copied().collect(), "{pattern}\n{}", memory.text(RULES));
    }
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_alerts_on_names() {
    let mut traffic = Traffic::new();
    traffic.query("query", "Evil.Example");
    traffic.query("query sibling", "notevil.example");
    traffic.query("query below", "www.evil.example");
    traffic.query("query longer", "evil.example.test");
    traffic.hello("hello", "EVIL.example");
    traffic.hello("hello sibling", "notevil.example");
    traffic.hello("hello below", "www.evil.example");
    traffic.get("request", "/", &[("Host", "evil.example")]);
    traffic.get("request with a port", "/", &[("Host", "EVIL.example:8080")]);
    traffic.get("request sibling", "/", &[("Host", "notevil.example"), ("Referer", "http://evil.example/")]);
    traffic.get("request below", "/", &[("Host", "www.evil.example")]);
    traffic.query("query idn", "xn--bro-hoa.example");
    let itself = ["query", "hello", "request", "request with a port"];
    let below = ["query below", "hello below", "request below"];
    assert_alerts(
        &traffic,
        &[
            ("[domain-name:value = 'evil.example']", &itself),
            ("[domain-name:value = 'BÜRO.example']", &["query idn"]),
            ("[domain-name:value LIKE '%.evil.example']", &below),
            ("[domain-name:value LIKE 'w_w.ev%.example']", &below),
            ("[domain-name:value MATCHES '^(www\\\\.)?EVIL\\\\.example$']", &[&itself[..], &below].concat()),
            ("[domain-name:value MATCHES '^\\\\D{3}\\\\Wevil']", &below),
            ("[domain-name:value IN ('evil.example', 'www.evil.example')]", &[&itself[..], &below].concat()),
            ("[network-traffic:dst_ref.value = 'evil.example']", &itself[1..]),
            (
                "[network-traffic:dst_ref.value = '203.0.113.200' AND domain-name:value NOT IN ('evil.example', 'www.evil.example')]",
                &["hello sibling", "request sibling"],
            ),
            ("[domain-name:value = 'evil.example' AND network-traffic:dst_port = 443]", &["hello"]),
            (
                "[domain-name:value = 'evil.example' AND network-traffic:protocols[*] = 'dns' AND network-traffic:protocols[*] = 'udp']",
                &["query"],
            ),
            ("[url:value = 'https://evil.example/']", &["hello"]),
        ],
    );
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_alerts_on_addresses() {
    let mut traffic = Traffic::new();
    let (evil, neighbour) = (IpAddr::from([198, 51, 100, 7]), IpAddr::from([198, 51, 100, 8]));
    let evil_6: IpAddr = "2001:db8::7".parse().unwrap();
    traffic.syn("tcp", evil, 443);
    traffic.syn("tcp elsewhere", evil, 8443);
    traffic.syn("neighbour", neighbour, 443);
    traffic.syn("neighbour low", neighbour, 80);
    traffic.syn("tcp 6", evil_6, 443);
    let udp = traffic.flow("udp", evil, 443);
    traffic.capture.udp(udp, b"hello").unwrap();
    let ping = traffic.flow("ping", evil, 0);
    traffic.capture.ping(ping).unwrap();
    let from = traffic.capture.flow_to(SocketAddr::new(evil, 50_000)).reversed();
    traffic.clients.insert("from", from.client.ip());
    traffic.capture.tcp_syn(from).unwrap();
    let to = ["tcp", "tcp elsewhere", "udp", "ping"];
    let all = ["tcp", "tcp elsewhere", "udp", "ping", "from"];
    assert_alerts(
        &traffic,
        &[
            ("[ipv4-addr:value = '198.51.100.7']", &all),
            ("[ipv6-addr:value = '2001:db8::7']", &["tcp 6"]),
            ("[ipv4-addr:value ISSUBSET '198.51.100.6/31']", &all),
            ("[ipv4-addr:value LIKE '198.51.100.%']", &[&all[..], &["neighbour", "neighbour low"]].concat()),
            ("[network-traffic:dst_ref.value = '198.51.100.7']", &to),
            ("[network-traffic:src_ref.value = '198.51.100.7']", &["from"]),
            ("[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443]", &["tcp", "udp"]),
            (
                "[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443 AND network-traffic:protocols[*] = 'tcp']",
                &["tcp"],
            ),
            (
                "[network-traffic:dst_ref.value ISSUBSET '198.51.100.0/24' AND network-traffic:dst_ref.value != '198.51.100.7']",
                &["neighbour", "neighbour low"],
            ),
            (
                "[network-traffic:dst_port = 443 AND network-traffic:protocols[*] = 'ipv6' AND network-traffic:protocols[*] = 'tcp']",
                &["tcp 6"],
            ),
            (
                "[network-traffic:dst_port = 443 AND network-traffic:protocols[*] = 'ipv4' AND network-traffic:protocols[*] = 'tcp']",
                &["tcp", "neighbour"],
            ),
            ("[network-traffic:dst_port < 443 AND network-traffic:protocols[*] = 'tcp']", &["neighbour low"]),
            (
                "[network-traffic:protocols[*] = 'icmp' AND network-traffic:extensions.'icmp-ext'.icmp_type_hex = '08']",
                &["ping"],
            ),
        ],
    );
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_alerts_on_requests() {
    let mut traffic = Traffic::new();
    let host = ("Host", "evil.example");
    traffic.get("request", "/gate.php?id=1;2", &[host]);
    traffic.get("other port", "/gate.php?id=1;2", &[("Host", "evil.example:8080")]);
    traffic.get("other host", "/gate.php?id=1;2", &[("Host", "notevil.example")]);
    traffic.get("below", "/gate.php?id=1;2", &[("Host", "www.evil.example")]);
    traffic.get("other path", "/gate.php?id=1;23", &[host]);
    traffic.get("escaped", "/a%20b%22", &[host]);
    traffic.get("address", "/x", &[("Host", "203.0.113.9:81")]);
    traffic.get("address 6", "/x", &[("Host", "[2001:db8::1]")]);
    traffic.get("agent", "/", &[host, ("User-Agent", "Bad \"agent\"; {{x}} |41| \\ é/1.0")]);
    traffic.get("agent in small letters", "/", &[host, ("User-Agent", "bad \"agent\"; {{x}} |41| \\ é/1.0")]);
    traffic.get("field", "/", &[host, ("x-KEY", "Abc")]);
    traffic.get("field with another value", "/", &[host, ("X-Key", "abc")]);
    traffic.get("field with more", "/", &[host, ("X-Key", "Abc Abc")]);
    traffic.download("post", "POST", "/", &[host, ("X-Key", "Abc")], &[], b"ok");
    let header = "network-traffic:extensions.'http-request-ext'.request_header";
    let agent = format!("[{header}.'User-Agent' = 'Bad \"agent\"; {{{{x}}}} |41| \\\\ é/1.0']");
    let key = format!("[{header}.'X-Key' = 'Abc']");
    let posted =
        format!("[{header}.'X-Key' = 'Abc' AND network-traffic:extensions.'http-request-ext'.request_method = 'post']");
    assert_alerts(
        &traffic,
        &[
            ("[url:value = 'http://EVIL.example/gate.php?id=1;2']", &["request"]),
            ("[url:value = 'http://evil.example:8080/gate.php?id=1;2']", &["other port"]),
            ("[url:value LIKE 'http://evil.example/gate%2']", &["request"]),
            ("[url:value LIKE 'http://evil.example/gate.php?id=%']", &["request", "other path"]),
            ("[url:value LIKE 'http://%.evil.example/gate.php?%']", &["below"]),
            ("[url:value = 'http://evil.example/a b\"']", &["escaped"]),
            ("[url:value = 'http://203.0.113.9:81/x']", &["address"]),
            ("[url:value = 'http://[2001:db8::1]/x']", &["address 6"]),
            (&agent, &["agent"]),
            (&key, &["field", "post"]),
            (&posted, &["post"]),
        ],
    );
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_alerts_on_files() {
    const WITNESS: &[u8] = b"stixc witness\n";
    let mut traffic = Traffic::new();
    let host = [("Host", "files.example")];
    let named = [("Content-Disposition", "attachment; filename=\"in\u{76}oice.exe\"")];
    traffic.download("file", "GET", "/x", &host, &[], WITNESS);
    traffic.download("named", "GET", "/x", &host, &named, WITNESS);
    traffic.download("by path", "GET", "/a/invoice.exe", &host, &[], b"something else");
    traffic.download("other", "GET", "/a/myinvoice.exe", &host, &[], b"stixc witness!");
    traffic.download("large", "GET", "/l", &host, &[], &vec![b'x'; 300_000]);
    let hash = "460f2b5e75bfcd66b70317db9e6587f52a32972eb64340d20189952f86d3205f";
    let with = |rest: &str| format!("[file:hashes.'SHA-256' = '{hash}'{rest}]");
    let (alone, both, not) =
        (with(""), with(" AND file:name = 'invoice.exe'"), with(" AND file:hashes.'SHA-256' != '00'"));
    let not_this = format!("[file:name = 'invoice.exe' AND file:hashes.'SHA-256' != '{hash}']");
    assert!(content(target(), &not).is_ok());
    assert_alerts(
        &traffic,
        &[
            (&alone, &["file", "named"]),
            ("[file:hashes.MD5 = 'DF9A4C42F95D734959BC139CD88835EC']", &["file", "named"]),
            (&both, &["named"]),
            (&not_this, &["by path"]),
            ("[file:name = 'invoice.exe']", &["named", "by path"]),
            ("[file:name LIKE '%invoice.exe']", &["named", "by path", "other"]),
            ("[file:name LIKE 'inv%.exe']", &["named", "by path"]),
            ("[file:name MATCHES '^INV'] OR [file:name MATCHES '^inv[a-z]+[.]exe$']", &["named", "by path"]),
            ("[file:name MATCHES '^a']", &[]),
            ("[file:name = 'invoice.exe' AND file:size = 14]", &["named", "by path"]),
            ("[file:name LIKE '%invoice.exe' AND file:size < 14]", &[]),
            ("[file:name LIKE '%invoice.exe' AND file:size >= 14]", &["named", "by path", "other"]),
            (
                "[file:hashes.MD5 = 'DF9A4C42F95D734959BC139CD88835EC' AND network-traffic:dst_ref.value = '203.0.113.200']",
                &["file", "named"],
            ),
            (
                "[file:hashes.MD5 = 'DF9A4C42F95D734959BC139CD88835EC' AND network-traffic:dst_ref.value = '203.0.113.201']",
                &[],
            ),
            ("[file:magic_number_hex = h'73746978' AND file:name = 'x']", &["file"]),
        ],
    );
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_alerts_on_certificates() {
    let mut traffic = Traffic::new();
    let flow = traffic.flow("certificate", OTHER, 443);
    let certificate = include_bytes!("../../../src/witness/certificate.der");
    traffic.capture.tls_certificate(flow, "evil.example", certificate).unwrap();
    let mut changed = certificate.to_vec();
    // The last byte of the signature: another certificate with the same names and number.
    *changed.last_mut().unwrap() ^= 1;
    let flow = traffic.flow("other", OTHER, 8443);
    traffic.capture.tls_certificate(flow, "evil.example", &changed).unwrap();
    traffic.hello("hello", "evil.example");
    let both = ["certificate", "other"];
    assert_alerts(
        &traffic,
        &[
            ("[x509-certificate:hashes.'SHA-1' = 'ed6b06b1a9032c2c1dbd23bbace3bda42a0b9129']", &["certificate"]),
            (
                "[x509-certificate:hashes.'SHA-256' = '95d5bfe41d4b5d85e78f592dceda77ecdf4d130096a605a5ec145792f182c731']",
                &["certificate"],
            ),
            ("[x509-certificate:hashes.MD5 = 'c8c7f27475ab535b8257369062b2b5b8']", &["certificate"]),
            ("[x509-certificate:serial_number = '5c:19:0a']", &both),
            ("[x509-certificate:serial_number = '5c190a' AND network-traffic:dst_port = 8443]", &["other"]),
            (
                "[x509-certificate:serial_number = '5c190a' AND x509-certificate:hashes.MD5 != 'c8c7f27475ab535b8257369062b2b5b8']",
                &["other"],
            ),
            ("[x509-certificate:subject LIKE '%evil.example%' AND x509-certificate:serial_number = '5C190A']", &both),
        ],
    );
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_alerts_on_mail_addresses() {
    let mut traffic = Traffic::new();
    let mut mail = |name, from: &str, headers: &[(&str, &str)], body| {
        let flow = traffic.flow(name, OTHER, 25);
        traffic.capture.smtp(flow, Mail { from, to: "b@good.example", headers, body }).unwrap();
    };
    mail("from", "z@good.example", &[("From", "\"A\" <A@evil.example>"), ("Subject", "s")], "hello\n");
    mail("envelope", "a@evil.example", &[("From", "z@good.example")], "hello\n");
    mail("text", "z@good.example", &[("From", "z@good.example")], "ask a@evil.example.\n");
    mail("to", "z@good.example", &[("From", "z@good.example"), ("To", "c@good.example, a@evil.example")], "hello\n");
    mail("longer", "aa@evil.example", &[("From", "a@evil.example.test"), ("To", "x-a@evil.example")], "hello\n");
    let anywhere = ["from", "envelope", "text", "to"];
    assert_alerts(
        &traffic,
        &[
            ("[email-addr:value = 'a@evil.example']", &anywhere),
            ("[email-message:from_ref.value = 'a@evil.example']", &["from"]),
            ("[email-message:to_refs[*].value = 'a@evil.example']", &["to"]),
            (
                "[email-message:from_ref.value LIKE '%@good.example' AND email-message:to_refs[*].value = 'a@evil.example']",
                &["to"],
            ),
            ("[email-message:from_ref.value LIKE '%@evil.example']", &["from"]),
        ],
    );
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_tells_the_ends_of_a_conversation_apart() {
    let mut traffic = Traffic::new();
    let evil = IpAddr::from([198, 51, 100, 7]);
    let turns: Vec<Vec<u8>> = (0..100_u8).map(|turn| vec![turn; 40]).collect();
    let turn = |(number, bytes)| if number % 2 == 0 { Turn::Client(bytes) } else { Turn::Server(bytes) };
    let turns: Vec<Turn<'_>> = turns.iter().map(Vec::as_slice).enumerate().map(turn).collect();
    let to = traffic.flow("to", evil, 4444);
    traffic.capture.tcp(to, &turns).unwrap();
    let from = traffic.capture.flow_to(SocketAddr::new(evil, 4444)).reversed();
    traffic.clients.insert("from", from.client.ip());
    traffic.capture.tcp(from, &turns).unwrap();
    let other = traffic.flow("other", evil, 0);
    traffic.capture.ip(other, etherparse::ip_number::GRE).unwrap();
    let patterns: [(&str, &[&str]); 6] = [
        ("[network-traffic:dst_ref.value = '198.51.100.7']", &["to", "other"]),
        ("[network-traffic:src_ref.value = '198.51.100.7']", &["from"]),
        ("[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 4444]", &["to"]),
        ("[network-traffic:src_ref.value = '198.51.100.7' AND network-traffic:src_port = 4444]", &["from"]),
        ("[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:protocols[*] = 'tcp']", &["to"]),
        (
            "[network-traffic:dst_ref.value ISSUBSET '198.51.100.0/24' AND network-traffic:dst_ref.value != '198.51.100.9']",
            &["to", "other"],
        ),
    ];
    assert_alerts(&traffic, &patterns);
    // One alert each, and not one for each of the hundred packets.
    let all: Vec<&str> = patterns.iter().map(|(pattern, _)| *pattern).collect();
    let (_folder, rules) = on_disk(&emit(target(), rules(&all)));
    let mut counted: BTreeMap<(u32, Option<IpAddr>), usize> = BTreeMap::new();
    let alerts = suricata::all(&rules, traffic.capture.bytes());
    alerts.iter().for_each(|alert| *counted.entry((alert.sid, alert.client)).or_default() += 1);
    assert!(counted.values().all(|count| *count == 1), "{counted:?}");
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_does_not_take_one_conversation_for_two_observations() {
    let mut traffic = Traffic::new();
    let evil = IpAddr::from([198, 51, 100, 7]);
    let visit = |traffic: &mut Traffic, flow| {
        let request =
            Request { method: "GET", target: "/", version: VERSION, headers: &[("Host", "evil.example")], body: b"" };
        traffic.capture.http(flow, request, Response { headers: &[], body: b"ok" }).unwrap();
    };
    let one = traffic.flow("one request to the name at the address", evil, 80);
    visit(&mut traffic, one);
    let first = traffic.flow("the name elsewhere, then the address", OTHER, 80);
    visit(&mut traffic, first);
    let second = Flow { server: SocketAddr::new(evil, 8008), ..first };
    traffic.capture.tcp_syn(second).unwrap();
    let both = ["the name elsewhere, then the address"];
    assert_alerts(
        &traffic,
        &[
            ("[ipv4-addr:value = '198.51.100.7'] AND [domain-name:value = 'evil.example']", &both),
            ("[domain-name:value = 'evil.example'] FOLLOWEDBY [ipv4-addr:value = '198.51.100.7']", &both),
            ("[ipv4-addr:value = '198.51.100.7'] FOLLOWEDBY [domain-name:value = 'evil.example']", &[]),
            ("[ipv4-addr:value = '198.51.100.7'] AND [url:value = 'http://evil.example/']", &both),
        ],
    );
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_alerts_on_every_form_of_a_request() {
    let mut traffic = Traffic::new();
    let hosts = ["evil.example", "EVIL.example", "evil.example:80", "evil.example.", "evil.example.:80"];
    let forms = ["/a/b.php", "/a/%62.php", "/a/./b.php", "/x/../a/b.php", "//a/b.php", "/a//b.php"];
    let names: [&'static str; 11] = [
        "host",
        "capitals",
        "port",
        "dot",
        "dot and port",
        "path",
        "encoded",
        "steps",
        "up",
        "slashes",
        "more slashes",
    ];
    let all = hosts.map(|host| (host, "/a/b.php")).into_iter().chain(forms.map(|form| ("evil.example", form)));
    for (name, (host, target)) in names.into_iter().zip(all) {
        traffic.get(name, target, &[("Host", host)]);
    }
    let proxied = ["http://evil.example/a/b.php", "http://EVIL.example:80/a/b.php", "HTTP://u@evil.example./a/b.php"];
    for (name, target) in ["proxy", "proxy and port", "proxy and user"].into_iter().zip(proxied) {
        traffic.get(name, target, &[("Host", "evil.example")]);
    }
    traffic.get("other port", "/a/b.php", &[("Host", "evil.example:8080")]);
    traffic.get("proxy and other port", "http://evil.example:8080/a/b.php", &[("Host", "evil.example:8080")]);
    traffic.get("other path", "/a/b.phps", &[("Host", "evil.example")]);
    traffic.get("other host", "/a/b.php", &[("Host", "notevil.example")]);
    traffic.get("host below", "http://www.evil.example/a/b.php", &[("Host", "www.evil.example")]);
    traffic.get("encoded slash", "/a%2Fb.php", &[("Host", "evil.example")]);
    let same = [&names[..], &["proxy", "proxy and port", "proxy and user"]].concat();
    assert_alerts(
        &traffic,
        &[
            // A slash that is encoded is none (RFC 3986, section 2.2).
            ("[url:value = 'http://evil.example/a/b.php']", &same),
            ("[url:value LIKE 'http://evil.example/a/b.%']", &[&same[..], &["other path", "encoded slash"]].concat()),
            ("[url:value = 'http://evil.example:8080/a/b.php']", &["other port", "proxy and other port"]),
            ("[url:value = 'http://evil.example/a%2Fb.php']", &["encoded slash"]),
        ],
    );
}
