//! Addresses and network traffic.

use std::net::IpAddr;

use etherparse::{IpNumber, ip_number};
use ipnet::IpNet;
use serde_json::Value as Json;

use super::{
    Ends, Object, Way, World, hex, name,
    payload::{Exchanged, Payload},
    text,
};
use crate::plan::DomainName;

/// The host of requests whose host was not seen.
pub(super) const SOME_HOST: &str = "unseen.test";

/// An address is that of either end of whatever is sent. A prefix stands for addresses in it (section 6.8).
pub(super) fn address(object: &Object) -> Option<Vec<Way>> {
    let address = text(object, "value").and_then(address_of)?;
    let to = Ends { server: Some(address), ..Ends::default() };
    let from = Ends { client: Some(address), ..Ends::default() };
    Some(vec![
        Way { ends: to, payload: Payload::connection() },
        Way { ends: from, payload: Payload::connection() },
        Way { ends: to, payload: datagram() },
        Way { ends: from, payload: Payload::Icmp(None) },
    ])
}

/// An address, or the last one of a prefix.
fn address_of(written: &str) -> Option<IpAddr> {
    written.parse().ok().or_else(|| written.parse::<IpNet>().ok().map(|net| net.broadcast()))
}

fn datagram() -> Payload {
    Payload::Udp { port: 8008, payload: b"hello".to_vec() }
}

/// Traffic, in each way that its protocols allow. It is one way, as the standard has it (section 6.12): what comes back is
/// other traffic. Where an end, a port or the protocol was not seen it may be any traffic, and is none in particular.
pub(super) fn traffic(world: World<'_>, object: &Object) -> Option<Vec<Way>> {
    let protocols = protocols(object);
    let speaks = |names: &[&str]| protocols.iter().any(|name| names.contains(&name.as_str()));
    let end = |property| world.referred(object, property).and_then(|end| text(end, "value"));
    let (client_port, server_port) = (port(object, "src_port")?, port(object, "dst_port")?);
    let ported = speaks(&["tcp", "udp", "sctp"]) || APPLICATIONS.iter().any(|one| speaks(one.names));
    let lacks = |property| !object.contains_key(property);
    let is_known = |name: &String| {
        LAYERS.contains(&name.as_str()) || APPLICATIONS.iter().any(|one| one.names.contains(&name.as_str()))
    };
    if protocols.is_empty() || !protocols.iter().all(is_known) || lacks("src_ref") || lacks("dst_ref") {
        return None;
    }
    if ported && (client_port.is_none() || server_port.is_none()) {
        return None;
    }
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
    let mixed = families.contains(&true) && families.contains(&false);
    if mixed || says_other || (ends.six && speaks(&["ipv4", "icmp"])) {
        return None;
    }
    let server_name = end("dst_ref").and_then(DomainName::parse);
    let mut ways: Vec<Way> = Vec::new();
    let extension = |name| object.get("extensions").and_then(|all| all.get(name)).and_then(Json::as_object);
    if let Some(icmp) = extension("icmp-ext") {
        let number =
            |property| hex(icmp, property).filter(|bytes| bytes.len() == 1).and_then(|bytes| bytes.first().copied());
        // A message has both; which they are is as unlikely as any where one was not seen.
        let (kind, code) = match (icmp.contains_key("icmp_type_hex"), icmp.contains_key("icmp_code_hex")) {
            (true, true) => (number("icmp_type_hex")?, number("icmp_code_hex")?),
            (true, false) => (number("icmp_type_hex")?, 77),
            (false, true) => (77, number("icmp_code_hex")?),
            (false, false) => return None,
        };
        let alone = !ported
            && lacks("src_port")
            && lacks("dst_port")
            && extension("http-request-ext").is_none()
            && !speaks(&["gre", "esp", "igmp"]);
        return alone.then(|| vec![Way { ends, payload: Payload::Icmp(Some((kind, code))) }]);
    }
    let encrypted = speaks(&["tls", "ssl", "https"]);
    if let Some(request) = extension("http-request-ext") {
        if encrypted || speaks(&["udp", "sctp", "icmp", "icmpv6", "ipv6-icmp", "dns", "domain"]) {
            return None;
        }
        let host = server_name.as_ref().map_or(SOME_HOST, DomainName::as_str);
        // A client names the host that it goes to.
        let named = request.get("request_header").and_then(|headers| headers.get("Host")).and_then(Json::as_str);
        if server_name.is_some() && named.is_some_and(|named| !named.eq_ignore_ascii_case(host)) {
            return None;
        }
        return requested(world, request, host).map(|payload| vec![Way { ends, payload }]);
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
        return Some(ways);
    }
    ways.extend(payloads(&protocols).into_iter().map(|payload| Way { ends, payload }));
    (!ways.is_empty()).then_some(ways)
}

/// The protocols of traffic, in small letters.
fn protocols(object: &Object) -> Vec<String> {
    let listed = object.get("protocols").and_then(Json::as_array);
    listed.into_iter().flatten().filter_map(|name| Some(name.as_str()?.to_ascii_lowercase())).collect()
}

/// The protocols that carry this traffic and are not among its own.
pub(super) fn stack(world: World<'_>, object: &Object) -> Vec<&'static str> {
    let listed = protocols(object);
    let end = |property| world.referred(object, property).and_then(|end| text(end, "value")).and_then(address_of);
    let six = end("src_ref").or_else(|| end("dst_ref")).is_some_and(|address| address.is_ipv6());
    let request = object.get("extensions").is_some_and(|all| all.get("http-request-ext").is_some());
    let mut stack = vec![if six { "ipv6" } else { "ipv4" }];
    if request {
        stack.extend(["tcp", "http"]);
    }
    for one in APPLICATIONS.iter().filter(|one| one.names.iter().any(|name| listed.iter().any(|known| known == name))) {
        stack.extend(one.names);
        let over_udp =
            |payload: &Payload| matches!(payload, Payload::Udp { .. } | Payload::Query { over_tcp: false, .. });
        stack.push(if (one.payloads)().iter().any(over_udp) { "udp" } else { "tcp" });
    }
    stack.retain(|name| !listed.iter().any(|known| known == name));
    stack
}

/// Whether an application is among these protocols.
pub(super) fn has_application(protocols: &[&str]) -> bool {
    APPLICATIONS.iter().any(|one| one.names.iter().any(|name| protocols.contains(name)))
}

/// The names of the layers below the applications.
const LAYERS: &[&str] =
    &["ipv4", "ipv6", "ip", "tcp", "udp", "sctp", "icmp", "icmpv6", "ipv6-icmp", "gre", "esp", "igmp"];

/// A port, if there is one; `None` where the number is none.
fn port(object: &Object, property: &str) -> Option<Option<u16>> {
    match object.get(property) {
        None => Some(None),
        Some(number) => Some(Some(u16::try_from(number.as_u64()?).ok()?)),
    }
}

/// What is sent where nothing but the protocols is known.
fn payloads(protocols: &[String]) -> Vec<Payload> {
    let speaks = |names: &[&str]| protocols.iter().any(|name| names.contains(&name.as_str()));
    let (tcp, udp) = (speaks(&["tcp"]), speaks(&["udp"]));
    let mut payloads: Vec<Payload> =
        APPLICATIONS.iter().filter(|one| speaks(one.names)).flat_map(|one| (one.payloads)()).collect();
    payloads
        .retain(|payload| !(tcp && matches!(payload, Payload::Udp { .. } | Payload::Query { over_tcp: false, .. })));
    payloads.retain(|payload| !udp || matches!(payload, Payload::Udp { .. } | Payload::Query { over_tcp: false, .. }));
    if !payloads.is_empty() {
        return payloads;
    }
    let icmp = speaks(&["icmp", "icmpv6", "ipv6-icmp"]);
    if icmp {
        return if tcp || udp { Vec::new() } else { vec![Payload::Icmp(None)] };
    }
    if speaks(&["sctp"]) {
        return vec![Payload::Ip(ip_number::SCTP)];
    }
    if let Some(number) = protocols.iter().find_map(|name| ip_protocol(name)) {
        return vec![Payload::Ip(number)];
    }
    match (tcp, udp) {
        (true, false) => vec![Payload::Attempt],
        (false, true) => vec![datagram()],
        // Nothing is carried by both; without either it is something else.
        _ => Vec::new(),
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
    payloads: fn() -> Vec<Payload>,
}

fn tcp(port: u16, server_first: bool, turns: &[&[u8]]) -> Payload {
    Payload::Tcp { port, turns: turns.iter().map(|turn| turn.to_vec()).collect(), server_first }
}

fn udp(port: u16, payload: &[u8]) -> Payload {
    Payload::Udp { port, payload: payload.to_vec() }
}

const APPLICATIONS: &[Application] = &[
    Application { names: &["http"], payloads: || vec![Payload::get(SOME_HOST, "/")] },
    Application {
        names: &["tls", "ssl", "https"],
        payloads: || vec![Payload::Tls { name: SOME_HOST.to_owned(), certificate: None }],
    },
    Application {
        names: &["dns", "domain"],
        payloads: || [false, true].map(|over_tcp| Payload::Query { name: SOME_HOST.to_owned(), over_tcp }).into(),
    },
    Application {
        names: &["ssh"],
        payloads: || vec![tcp(22, true, &[b"SSH-2.0-OpenSSH_9.6\r\n", b"SSH-2.0-OpenSSH_9.6\r\n"])],
    },
    Application {
        names: &["ftp"],
        payloads: || vec![tcp(21, true, &[b"220 ready\r\n", b"USER anonymous\r\n", b"331 go on\r\n"])],
    },
    Application { names: &["smtp"], payloads: || vec![super::mail::plain()] },
    Application {
        names: &["imap"],
        payloads: || vec![tcp(143, true, &[b"* OK IMAP4rev1 ready\r\n", b"a1 CAPABILITY\r\n", b"a1 OK done\r\n"])],
    },
    Application {
        names: &["telnet"],
        payloads: || vec![tcp(23, true, &[&[255, 253, 24, 255, 253, 32], &[255, 251, 24, 255, 252, 32]])],
    },
    Application { names: &["ntp"], payloads: || vec![udp(123, &[&[0x23][..], &[0; 47]].concat())] },
    Application { names: &["tftp"], payloads: || vec![udp(69, b"\x00\x01a.bin\x00octet\x00")] },
    Application {
        names: &["sip"],
        payloads: || {
            vec![udp(
                5060,
                b"OPTIONS sip:a@sip.test SIP/2.0\r\nVia: SIP/2.0/UDP 100.64.0.1\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n",
            )]
        },
    },
    Application {
        names: &["snmp"],
        payloads: || {
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
        payloads: || {
            let negotiate: &[u8] = b"\xffSMB\x72\0\0\0\0\x18\x53\xc8\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xfe\0\0\0\0\0\x0c\0\x02NT LM 0.12\0";
            vec![tcp(445, false, &[&[&[0, 0, 0, negotiate.len() as u8], negotiate].concat()])]
        },
    },
    Application {
        names: &["mqtt"],
        payloads: || vec![tcp(1883, false, &[b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01a", b"\x20\x02\0\0"])],
    },
    Application {
        names: &["rdp"],
        payloads: || {
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
/// the wire has capitals; `None` where no request is like that.
fn requested(world: World<'_>, request: &Object, host: &str) -> Option<Payload> {
    // Each request has all three.
    let word = |property| text(request, property).map(str::to_ascii_uppercase);
    let (method, version) = (word("request_method")?, word("request_version")?);
    let target = text(request, "request_value")?.to_owned();
    let is_token = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let is_one_word = |text: &str| !text.is_empty() && !text.chars().any(|one| one.is_whitespace() || one.is_control());
    if !is_token(&method) || !is_one_word(&target) || !matches!(version.as_str(), "HTTP/1.1" | "HTTP/1.0") {
        return None;
    }
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in request.get("request_header").and_then(Json::as_object).into_iter().flatten() {
        let values = value.as_array().map_or_else(|| vec![value], |values| values.iter().collect());
        headers.extend(values.into_iter().filter_map(|value| Some((name.clone(), value.as_str()?.to_owned()))));
    }
    // Blanks around a value are no part of it (RFC 9112, section 5.1).
    let is_value = |value: &str| value.trim() == value && !value.chars().any(char::is_control);
    if !headers.iter().all(|(name, value)| is_token(name) && is_value(value)) {
        return None;
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        headers.insert(0, ("Host".to_owned(), host.to_owned()));
    }
    let payload = world.referred(request, "message_body_data_ref").and_then(super::file::payload);
    let length =
        request.get("message_body_length").and_then(Json::as_u64).and_then(|length| usize::try_from(length).ok());
    if length == Some(0) {
        headers.push(("Content-Length".to_owned(), "0".to_owned()));
    }
    let body = payload.unwrap_or_else(|| vec![b'.'; length.unwrap_or_default().min(super::file::LONGEST)]);
    Some(Payload::Http(Box::new(Exchanged {
        method,
        target,
        version,
        headers,
        body,
        answer_headers: Vec::new(),
        answer: Vec::new(),
    })))
}
