//! The captures themselves, before any rule of ours is proved by one: handwritten rules, one a protocol, that Suricata
//! must alert on for the conversation meant and for no other.

use crate::support;

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use etherparse::ip_number;
use stixc::witness::capture::{
    Capture, CaptureError, Flow,
    dns::RecordType,
    http::{Request, Response, VERSION},
    smtp::Mail,
};
use support::validators::{
    file, scratch,
    suricata::{self, Alert},
};

const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
const SERVER_6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7));

/// The alerts of `rules`, with `lists` (name, content) beside them, in `capture`.
#[track_caller]
fn alerts(rules: &str, lists: &[(&str, &str)], capture: &Capture) -> BTreeSet<Alert> {
    let folder = scratch();
    for (name, content) in lists {
        file(&folder, name, content);
    }
    suricata::alerts(&file(&folder, "test.rules", rules), capture.bytes())
}

/// What [`alerts`] gives when each of these rules alerts once on its flow and nothing else happens.
fn expected(pairs: &[(u32, Flow)]) -> BTreeSet<Alert> {
    pairs.iter().map(|&(sid, flow)| Alert { sid, client: flow.client.ip() }).collect()
}

fn get<'a>(target: &'a str, headers: &'a [(&'a str, &'a str)]) -> Request<'a> {
    Request { method: "GET", target, version: VERSION, headers, body: b"" }
}

const EMPTY: Response<'_> = Response { headers: &[], body: b"" };

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_sees_a_dns_query() {
    let mut capture = Capture::new();
    let hit = capture.flow_to(SocketAddr::new(SERVER, 53));
    let hit_6 = capture.flow_to(SocketAddr::new(SERVER_6, 53));
    let miss = capture.flow_to(SocketAddr::new(SERVER, 53));
    capture.dns_query(hit, "Evil.example", RecordType::A).unwrap();
    capture.dns_query(hit_6, "evil.example.", RecordType::Aaaa).unwrap();
    capture.dns_query(miss, "notevil.example", RecordType::A).unwrap();
    let rules =
        r#"alert dns any any -> any any (msg:"q"; dns.query; content:"evil.example"; nocase; bsize:12; sid:1;)"#;
    assert_eq!(alerts(rules, &[], &capture), expected(&[(1, hit), (1, hit_6)]));
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_sees_a_server_name() {
    let mut capture = Capture::new();
    let hit = capture.flow_to(SocketAddr::new(SERVER, 443));
    let odd_port = capture.flow_to(SocketAddr::new(SERVER_6, 8443));
    let miss = capture.flow_to(SocketAddr::new(SERVER, 443));
    capture.tls_client_hello(hit, "evil.example").unwrap();
    capture.tls_client_hello(odd_port, "evil.example").unwrap();
    capture.tls_client_hello(miss, "evil.example.test").unwrap();
    let rules = r#"alert tls any any -> any any (msg:"sni"; flow:established,to_server; tls.sni; content:"evil.example"; nocase; bsize:12; sid:1;)"#;
    assert_eq!(alerts(rules, &[], &capture), expected(&[(1, hit), (1, odd_port)]));
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_sees_a_certificate() {
    // Self-signed by nobody, for evil.example.
    let certificate = include_bytes!("../../src/witness/certificate.der");
    let mut capture = Capture::new();
    let hit = capture.flow_to(SocketAddr::new(SERVER, 443));
    let miss = capture.flow_to(SocketAddr::new(SERVER, 443));
    capture.tls_certificate(hit, "evil.example", certificate).unwrap();
    capture.tls_client_hello(miss, "evil.example").unwrap();
    let rules = format!(
        "alert tls any any -> any any (msg:\"sha1\"; tls.cert_fingerprint; content:\"{CERTIFICATE_SHA1}\"; sid:1;)
alert tls any any -> any any (msg:\"sha256\"; tls.certs; to_sha256; content:\"|{}|\"; sid:2;)
alert tls any any -> any any (msg:\"serial\"; tls.cert_serial; content:\"5C:19:0A\"; sid:3;)
",
        sha256_of(certificate)
    );
    assert_eq!(alerts(&rules, &[], &capture), expected(&[(1, hit), (2, hit), (3, hit)]));
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_sees_a_request() {
    let mut capture = Capture::new();
    let hit = capture.flow_to(SocketAddr::new(SERVER, 80));
    let other_host = capture.flow_to(SocketAddr::new(SERVER, 80));
    let other_path = capture.flow_to(SocketAddr::new(SERVER, 80));
    let post = capture.flow_to(SocketAddr::new(SERVER, 8080));
    let agent = ("User-Agent", "bad/1.0");
    capture.http(hit, get("/gate.php?id=1", &[("Host", "evil.example"), agent]), EMPTY).unwrap();
    capture.http(other_host, get("/gate.php?id=1", &[("Host", "good.example")]), EMPTY).unwrap();
    capture.http(other_path, get("/gate.php?id=2", &[("Host", "evil.example")]), EMPTY).unwrap();
    let body = Request {
        method: "POST",
        target: "/",
        version: VERSION,
        headers: &[("Host", "up.example")],
        body: b"stolen=1",
    };
    capture.http(post, body, EMPTY).unwrap();
    let rules = r#"alert http any any -> any any (msg:"url"; flow:established,to_server; http.host; content:"evil.example"; bsize:12; http.uri.raw; content:"/gate.php?id=1"; bsize:14; sid:1;)
alert http any any -> any any (msg:"agent"; flow:established,to_server; http.user_agent; content:"bad/1.0"; bsize:7; sid:2;)
alert http any any -> any any (msg:"body"; flow:established,to_server; http.request_body; content:"stolen=1"; sid:3;)
"#;
    assert_eq!(alerts(rules, &[], &capture), expected(&[(1, hit), (2, hit), (3, post)]));
}

/// The SHA-1 of the certificate, as Suricata spells a fingerprint.
const CERTIFICATE_SHA1: &str = "ed:6b:06:b1:a9:03:2c:2c:1d:bd:23:bb:ac:e3:bd:a4:2a:0b:91:29";

/// The bytes that `SHA256` is the digest of.
const DROPPED: &[u8] = b"stixc witness\n";
const SHA256: &str = "460f2b5e75bfcd66b70317db9e6587f52a32972eb64340d20189952f86d3205f";

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_sees_a_file() {
    let mut capture = Capture::new();
    let download = capture.flow_to(SocketAddr::new(SERVER, 80));
    let large = capture.flow_to(SocketAddr::new(SERVER, 80));
    let other = capture.flow_to(SocketAddr::new(SERVER, 80));
    let mail = capture.flow_to(SocketAddr::new(SERVER, 25));
    let host = [("Host", "files.example")];
    let typed = [("Content-Type", "application/octet-stream")];
    let million = vec![b'x'; 1_000_000];
    let answer = |body| Response { headers: &typed, body };
    capture.http(download, get("/a.bin", &host), answer(DROPPED)).unwrap();
    capture.http(large, get("/b.bin", &host), answer(&million)).unwrap();
    capture.http(other, get("/c.bin", &host), answer(b"stixc witness!")).unwrap();
    let attached = Mail {
        from: "a@evil.example",
        to: "b@good.example",
        headers: &[
            ("MIME-Version", "1.0"),
            ("Content-Type", "application/octet-stream; name=\"a.bin\""),
            ("Content-Disposition", "attachment; filename=\"a.bin\""),
            ("Content-Transfer-Encoding", "base64"),
        ],
        body: "c3RpeGMgd2l0bmVzcwo=\n",
    };
    capture.smtp(mail, attached).unwrap();
    let rules = r#"alert http any any -> any any (msg:"file"; filesha256:sha256.list; sid:1;)
alert smtp any any -> any any (msg:"attachment"; filesha256:sha256.list; sid:2;)
"#;
    // The second is the SHA-256 of a million bytes `x`, in a body larger than any of Suricata's default limits.
    let sha256 = format!("{SHA256}\n{}\n", sha256_of(&million));
    let found = alerts(rules, &[("sha256.list", &sha256)], &capture);
    assert_eq!(found, expected(&[(1, download), (1, large), (2, mail)]));
    let md5 = r#"alert http any any -> any any (msg:"md5"; filemd5:md5.list; sid:3;)"#;
    assert_eq!(alerts(md5, &[("md5.list", MD5)], &capture), expected(&[(3, download)]));
}

/// The MD5 of [`DROPPED`].
const MD5: &str = "df9a4c42f95d734959bc139cd88835ec\n";

fn sha256_of(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_sees_an_address() {
    let mut capture = Capture::new();
    let tcp = capture.flow_to(SocketAddr::new(SERVER, 4444));
    let udp = capture.flow_to(SocketAddr::new(SERVER_6, 4444));
    let ping = capture.flow_to(SocketAddr::new(SERVER, 0));
    let ping_6 = capture.flow_to(SocketAddr::new(SERVER_6, 0));
    let gre = capture.flow_to(SocketAddr::new(SERVER, 0));
    let neighbour = capture.flow_to(SocketAddr::new(IpAddr::from([198, 51, 100, 8]), 4444));
    let other_port = capture.flow_to(SocketAddr::new(SERVER, 4445));
    capture.tcp_syn(tcp).unwrap();
    capture.udp(udp, b"hello").unwrap();
    capture.ping(ping).unwrap();
    capture.ping(ping_6).unwrap();
    capture.ip(gre, ip_number::SCTP).unwrap();
    capture.tcp_syn(neighbour).unwrap();
    capture.tcp_syn(other_port).unwrap();
    let rules = r#"alert ip $HOME_NET any -> 198.51.100.7 any (msg:"v4"; sid:1;)
alert ip $HOME_NET any -> 2001:db8::/64 any (msg:"v6"; sid:2;)
alert tcp any any -> 198.51.100.7 4444 (msg:"port"; sid:3;)
alert icmp any any -> any any (msg:"icmp"; sid:4;)
"#;
    let pairs =
        [(1, tcp), (1, ping), (1, gre), (1, other_port), (2, udp), (2, ping_6), (3, tcp), (4, ping), (4, ping_6)];
    assert_eq!(alerts(rules, &[], &capture), expected(&pairs));
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_sees_a_mail() {
    let mut capture = Capture::new();
    let hit = capture.flow_to(SocketAddr::new(SERVER, 25));
    let miss = capture.flow_to(SocketAddr::new(SERVER, 25));
    let mail = Mail {
        from: "a@evil.example",
        to: "b@good.example",
        headers: &[("From", "A <a@evil.example>"), ("Subject", "Invoice 7")],
        body: "hello\n.hidden\n",
    };
    capture.smtp(hit, mail).unwrap();
    capture.smtp(miss, Mail { from: "aa@evil.example", headers: &[("Subject", "Invoice 8")], ..mail }).unwrap();
    let rules = r#"alert smtp any any -> any any (msg:"sender"; flow:established,to_server; content:"MAIL FROM|3a|"; nocase; content:"<a@evil.example>"; nocase; within:16; sid:1;)
alert smtp any any -> any any (msg:"subject"; flow:established,to_server; content:"|0d 0a|Subject|3a 20|Invoice 7|0d 0a|"; nocase; sid:2;)
"#;
    assert_eq!(alerts(rules, &[], &capture), expected(&[(1, hit), (2, hit)]));
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_keeps_the_time_of_the_capture() {
    let mut capture = Capture::new();
    let slow = capture.flow_to(SocketAddr::new(SERVER, 53));
    let quick = capture.flow_to(SocketAddr::new(SERVER, 53));
    for _ in 0..3 {
        capture.dns_query(slow, "evil.example", RecordType::A).unwrap();
        capture.wait(Duration::from_secs(30));
    }
    for _ in 0..3 {
        capture.dns_query(quick, "evil.example", RecordType::A).unwrap();
        capture.wait(Duration::from_secs(3));
    }
    let rules = r#"alert dns any any -> any any (msg:"often"; dns.query; content:"evil.example"; threshold:type both,track by_src,count 3,seconds 10; sid:1;)"#;
    assert_eq!(alerts(rules, &[], &capture), expected(&[(1, quick)]));
}

#[test]
fn the_same_calls_make_the_same_bytes() {
    let make = || {
        let mut capture = Capture::new();
        let flow = capture.flow_to(SocketAddr::new(SERVER, 80));
        capture.http(flow, get("/", &[("Host", "evil.example")]), EMPTY).unwrap();
        capture.bytes().to_vec()
    };
    assert_eq!(make(), make());
}

#[test]
fn what_does_not_fit_on_the_wire_is_an_error_and_leaves_no_packet() {
    let mut capture = Capture::new();
    let flow = capture.flow_to(SocketAddr::new(SERVER, 53));
    let mixed = Flow { client: flow.client, server: SocketAddr::new(SERVER_6, 53) };
    assert!(matches!(capture.tcp_syn(mixed), Err(CaptureError::AddressFamilies { .. })));
    for name in ["", ".", "a..example", &"a".repeat(64), &["a".repeat(49).as_str(); 6].join(".")] {
        let refused = capture.dns_query(flow, name, RecordType::A);
        assert!(matches!(refused, Err(CaptureError::DnsName(_))), "{name}: {refused:?}");
    }
    assert!(matches!(capture.udp(flow, &[0; 65_536]), Err(CaptureError::Packet(_))));
    let split = get("/", &[("Host", "evil.example\r\nX: y")]);
    assert!(matches!(capture.http(flow, split, EMPTY), Err(CaptureError::LineBreak("a header"))));
    assert!(matches!(capture.tls_client_hello(flow, &"a".repeat(70_000)), Err(CaptureError::TooLong(_))));
    assert_eq!(capture.bytes().len(), Capture::new().bytes().len());
}
