//! Addresses and network traffic.

use std::net::IpAddr;

use etherparse::{IpNumber, ip_number};
use ipnet::IpNet;
use serde_json::Value as Json;

use super::{
    Ends, Object, Way, World, hex, name,
    talk::{Exchanged, Talk},
    text,
};
use crate::{plan::DomainName, witness::capture::http::VERSION};

/// The host of requests whose host was not seen.
const SOME_HOST: &str = "unseen.test";

/// An address is that of either end of whatever is sent. A prefix stands for addresses in it (section 6.8).
pub(super) fn address(object: &Object) -> Vec<Way> {
    let Some(address) = text(object, "value").and_then(address_of) else { return Vec::new() };
    let to = Ends { server: Some(address), ..Ends::default() };
    let from = Ends { client: Some(address), ..Ends::default() };
    vec![
        Way { ends: to, talk: Talk::connection() },
        Way { ends: from, talk: Talk::connection() },
        Way { ends: to, talk: datagram() },
        Way { ends: from, talk: Talk::Icmp { kind: None, code: 0 } },
    ]
}

/// An address, or the last one of a prefix.
fn address_of(written: &str) -> Option<IpAddr> {
    written.parse().ok().or_else(|| written.parse::<IpNet>().ok().map(|net| net.broadcast()))
}

fn datagram() -> Talk {
    Talk::Udp { port: 8008, payload: b"hello".to_vec() }
}

/// Traffic, in each way that its protocols allow.
pub(super) fn traffic(world: World<'_>, object: &Object) -> Vec<Way> {
    let listed = object.get("protocols").and_then(Json::as_array);
    let protocols: Vec<String> =
        listed.into_iter().flatten().filter_map(|name| Some(name.as_str()?.to_ascii_lowercase())).collect();
    let speaks = |names: &[&str]| protocols.iter().any(|name| names.contains(&name.as_str()));
    let end = |property| world.referred(object, property).and_then(|end| text(end, "value"));
    let (Some(client_port), Some(server_port)) = (port(object, "src_port"), port(object, "dst_port")) else {
        return Vec::new();
    };
    let ends = Ends {
        client: end("src_ref").and_then(address_of),
        server: end("dst_ref").and_then(address_of),
        client_port,
        server_port,
        six: speaks(&["ipv6", "icmpv6", "ipv6-icmp"]),
    };
    let families: Vec<bool> =
        [ends.client, ends.server].into_iter().flatten().map(|address| address.is_ipv6()).collect();
    let says_other = (speaks(&["ipv4", "icmp"]) && families.contains(&true)) || (ends.six && families.contains(&false));
    if says_other || (ends.six && speaks(&["ipv4", "icmp"])) {
        return Vec::new();
    }
    let server_name = end("dst_ref").and_then(DomainName::parse);
    let mut ways: Vec<Way> = Vec::new();
    let extension = |name| object.get("extensions").and_then(|all| all.get(name)).and_then(Json::as_object);
    if let Some(icmp) = extension("icmp-ext") {
        let number = |property| hex(icmp, property).and_then(|bytes| bytes.last().copied());
        let talk = Talk::Icmp { kind: number("icmp_type_hex"), code: number("icmp_code_hex").unwrap_or_default() };
        return vec![Way { ends, talk }];
    }
    let encrypted = speaks(&["tls", "ssl", "https"]);
    if let Some(request) = extension("http-request-ext").filter(|_| !encrypted) {
        let host = server_name.as_ref().map_or(SOME_HOST, DomainName::as_str);
        return requested(world, request, host).map_or_else(Vec::new, |talk| vec![Way { ends, talk }]);
    }
    if let Some(name) = &server_name {
        if !speaks(&["udp", "icmp", "dns", "domain"]) {
            if !speaks(&["http"]) {
                ways.extend(name::hello(name.as_str(), ends));
            }
            if !encrypted {
                ways.extend(name::request(name.as_str(), ends));
            }
        }
        return ways;
    }
    ways.extend(talks(&protocols, object).into_iter().map(|talk| Way { ends, talk }));
    ways
}

/// A port, if there is one; `None` where the number is none.
fn port(object: &Object, property: &str) -> Option<Option<u16>> {
    match object.get(property) {
        None => Some(None),
        Some(number) => Some(Some(u16::try_from(number.as_u64()?).ok()?)),
    }
}

/// What is sent where nothing but the protocols is known.
fn talks(protocols: &[String], object: &Object) -> Vec<Talk> {
    let speaks = |names: &[&str]| protocols.iter().any(|name| names.contains(&name.as_str()));
    let (tcp, udp) = (speaks(&["tcp"]), speaks(&["udp"]));
    let mut talks: Vec<Talk> =
        APPLICATIONS.iter().filter(|one| speaks(one.names)).flat_map(|one| (one.talks)()).collect();
    talks.retain(|talk| !(tcp && matches!(talk, Talk::Udp { .. } | Talk::Query { over_tcp: false, .. })));
    talks.retain(|talk| !udp || matches!(talk, Talk::Udp { .. } | Talk::Query { over_tcp: false, .. }));
    if !talks.is_empty() {
        return talks;
    }
    if speaks(&["icmp", "icmpv6", "ipv6-icmp"]) {
        return vec![Talk::Icmp { kind: None, code: 0 }];
    }
    if speaks(&["sctp"]) {
        return vec![Talk::Ip(ip_number::SCTP)];
    }
    if let Some(number) = protocols.iter().find_map(|name| ip_protocol(name)) {
        return vec![Talk::Ip(number)];
    }
    match (tcp, udp) {
        (true, false) => vec![Talk::connection()],
        (false, true) => vec![datagram()],
        (true, true) => Vec::new(),
        (false, false) => {
            let ports = object.contains_key("src_port") || object.contains_key("dst_port");
            let echo = (!ports).then_some(Talk::Icmp { kind: None, code: 0 });
            [Talk::connection(), datagram()].into_iter().chain(echo).collect()
        }
    }
}

fn ip_protocol(name: &str) -> Option<IpNumber> {
    Some(match name {
        "gre" => ip_number::GRE,
        "esp" => ip_number::ENCAP_SEC,
        "igmp" => ip_number::IGMP,
        _ => return None,
    })
}

/// What an application protocol begins with.
struct Application {
    names: &'static [&'static str],
    talks: fn() -> Vec<Talk>,
}

fn tcp(port: u16, server_first: bool, turns: &[&[u8]]) -> Talk {
    Talk::Tcp { port, turns: turns.iter().map(|turn| turn.to_vec()).collect(), server_first }
}

fn udp(port: u16, payload: &[u8]) -> Talk {
    Talk::Udp { port, payload: payload.to_vec() }
}

const APPLICATIONS: &[Application] = &[
    Application { names: &["http"], talks: || vec![Talk::get(SOME_HOST, "/")] },
    Application {
        names: &["tls", "ssl", "https"],
        talks: || vec![Talk::Tls { name: SOME_HOST.to_owned(), certificate: None }],
    },
    Application {
        names: &["dns", "domain"],
        talks: || [false, true].map(|over_tcp| Talk::Query { name: SOME_HOST.to_owned(), over_tcp }).into(),
    },
    Application {
        names: &["ssh"],
        talks: || vec![tcp(22, true, &[b"SSH-2.0-OpenSSH_9.6\r\n", b"SSH-2.0-OpenSSH_9.6\r\n"])],
    },
    Application {
        names: &["ftp"],
        talks: || vec![tcp(21, true, &[b"220 ready\r\n", b"USER anonymous\r\n", b"331 go on\r\n"])],
    },
    Application { names: &["smtp"], talks: || vec![super::mail::plain()] },
    Application {
        names: &["imap"],
        talks: || vec![tcp(143, true, &[b"* OK IMAP4rev1 ready\r\n", b"a1 CAPABILITY\r\n", b"a1 OK done\r\n"])],
    },
    Application {
        names: &["telnet"],
        talks: || vec![tcp(23, true, &[&[255, 253, 24, 255, 253, 32], &[255, 251, 24, 255, 252, 32]])],
    },
    Application { names: &["ntp"], talks: || vec![udp(123, &[&[0x23][..], &[0; 47]].concat())] },
    Application { names: &["tftp"], talks: || vec![udp(69, b"\x00\x01a.bin\x00octet\x00")] },
    Application {
        names: &["sip"],
        talks: || {
            vec![udp(
                5060,
                b"OPTIONS sip:a@sip.test SIP/2.0\r\nVia: SIP/2.0/UDP 100.64.0.1\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n",
            )]
        },
    },
    Application {
        names: &["snmp"],
        talks: || {
            vec![udp(
                161,
                &[
                    0x30, 0x26, 2, 1, 1, 4, 6, b'p', b'u', b'b', b'l', b'i', b'c', 0xa0, 0x19, 2, 1, 1, 2, 1, 0, 2, 1,
                    0, 0x30, 0x0e, 0x30, 0x0c, 6, 8, 0x2b, 6, 1, 2, 1, 1, 1, 0, 5, 0,
                ],
            )]
        },
    },
    Application {
        names: &["smb", "microsoft-ds"],
        talks: || {
            let negotiate: &[u8] = b"\xffSMB\x72\0\0\0\0\x18\x53\xc8\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xfe\0\0\0\0\0\x0c\0\x02NT LM 0.12\0";
            vec![tcp(445, false, &[&[&[0, 0, 0, negotiate.len() as u8], negotiate].concat()])]
        },
    },
    Application {
        names: &["mqtt"],
        talks: || vec![tcp(1883, false, &[b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01a", b"\x20\x02\0\0"])],
    },
    Application {
        names: &["rdp"],
        talks: || {
            vec![tcp(
                3389,
                false,
                &[
                    &[3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0],
                    &[3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, 2, 0, 0, 0],
                ],
            )]
        },
    },
];

/// The request of an `http-request-ext` (section 6.12.3), which has the method and the version in small letters where
/// the wire has capitals; `None` where it has them otherwise, which no observation does.
fn requested(world: World<'_>, request: &Object, host: &str) -> Option<Talk> {
    let word = |property, usual: &str| match text(request, property) {
        None => Some(usual.to_owned()),
        Some(word) => (word == word.to_ascii_lowercase()).then(|| word.to_ascii_uppercase()),
    };
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in request.get("request_header").and_then(Json::as_object).into_iter().flatten() {
        let values = value.as_array().map_or_else(|| vec![value], |values| values.iter().collect());
        headers.extend(values.into_iter().filter_map(|value| Some((name.clone(), value.as_str()?.to_owned()))));
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        headers.insert(0, ("Host".to_owned(), host.to_owned()));
    }
    let payload = world.referred(request, "message_body_data_ref").and_then(super::file::payload);
    let length =
        request.get("message_body_length").and_then(Json::as_u64).and_then(|length| usize::try_from(length).ok());
    let body = payload.unwrap_or_else(|| vec![b'.'; length.unwrap_or_default().min(super::file::LONGEST)]);
    Some(Talk::Http(Box::new(Exchanged {
        method: word("request_method", "GET")?,
        target: text(request, "request_value").unwrap_or("/").to_owned(),
        version: word("request_version", VERSION)?,
        headers,
        body,
        answer_headers: Vec::new(),
        answer: Vec::new(),
    })))
}
