//! What sensors, proxies and machines log of traffic.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value as Json;

use super::{EventWriter, LogSource, json, some};
use crate::{
    plan::serial_octets,
    witness::{Object, Sighting},
};

const DNS_WINDOWS: LogSource = LogSource::category("dns_query_win", "dns_query", Some("windows"));
const DNS: LogSource = LogSource::category("net_dns", "dns", None);
const PROXY: LogSource = LogSource::category("proxy", "proxy", None);
const WEB: LogSource = LogSource::category("web", "webserver", None);
const ZEEK_HTTP: LogSource = LogSource::service("zeek_http", "zeek", "http");
const ZEEK_X509: LogSource = LogSource::service("zeek_x509", "zeek", "x509");
const FIREWALL: LogSource = LogSource::category("net_firewall", "firewall", None);
const CONNECTION: LogSource = LogSource::category("net_connection_win", "network_connection", Some("windows"));
const CONNECTION_LINUX: LogSource = LogSource::category("net_connection_lnx", "network_connection", Some("linux"));

/// The machine as a client, in logs of the network.
fn client(writer: &EventWriter<'_>) -> Option<Json> {
    writer.machine.is_named_in_traffic.then(|| Json::from(writer.machine.address()))
}

/// A name is asked for, and a proxy fetches from it.
pub(super) fn name(object: Object<'_>, writer: &mut EventWriter<'_>) {
    let Some(name) = object.text("value").map(|name| writer.any_case(name)) else { return };
    let client = client(writer);
    writer.sysmon(DNS_WINDOWS, 22, [("QueryName", some(name.as_str())), ("QueryStatus", some("0"))]);
    writer.write(DNS, [("query", some(name.as_str())), ("record_type", some("A")), ("src_ip", client.clone())]);
    writer.write(PROXY, [("cs-host", some(name)), ("c-ip", client)]);
}

/// An address is one end of a connection.
pub(super) fn address(object: Object<'_>, writer: &mut EventWriter<'_>) {
    let Some(address) = object.text("value") else { return };
    let end = End { address: Some(address), ..End::default() };
    let ends = if writer.is_other_end() { [end, End::default()] } else { [End::default(), end] };
    connection(ends, None, writer);
}

/// One end of a connection.
#[derive(Clone, Copy, Default)]
struct End<'s> {
    address: Option<&'s str>,
    name: Option<&'s str>,
    port: Option<i64>,
}

impl<'s> End<'s> {
    fn new(object: Option<Object<'s>>, port: Option<i64>) -> Self {
        let value = |kinds: &[&str]| object.filter(|object| kinds.contains(&object.kind()))?.text("value");
        Self { address: value(&["ipv4-addr", "ipv6-addr"]), name: value(&["domain-name"]), port }
    }
}

fn connection([from, to]: [End<'_>; 2], transport: Option<&str>, writer: &mut EventWriter<'_>) {
    let written = |end: End<'_>| json(end.address.map(|address| written(address, writer.spelling)));
    let (source, destination) = (written(from), written(to));
    let named = |end: End<'_>| json(end.name.map(|name| writer.any_case(name)));
    let (source_name, destination_name) = (named(from), named(to));
    for (log_source, id) in [(CONNECTION, 3), (CONNECTION_LINUX, 3)] {
        let fields = [
            ("Protocol", json(transport)),
            ("SourceIp", source.clone().or_else(|| client(writer))),
            ("SourceHostname", source_name.clone()),
            ("SourcePort", json(from.port)),
            ("DestinationIp", destination.clone()),
            ("DestinationHostname", destination_name.clone()),
            ("DestinationPort", json(to.port)),
        ];
        writer.sysmon(log_source, id, fields);
    }
    let fields = [
        ("src_ip", source.or_else(|| client(writer))),
        ("src_port", json(from.port)),
        ("dst_ip", destination),
        ("dst_port", json(to.port)),
    ];
    writer.write(FIREWALL, fields);
}

/// An address as text. Of a network, which stands for several addresses, one that is in it.
pub(super) fn written(text: &str, spelling: usize) -> String {
    let network = text.parse::<IpNet>().map(|network| network.network()).or_else(|_| text.parse::<IpAddr>());
    match network {
        Ok(IpAddr::V6(address)) => match spelling {
            0 => address.to_string(),
            1 => address.segments().map(|part| format!("{part:x}")).join(":"),
            2 => address.segments().map(|part| format!("{part:04x}")).join(":"),
            _ => address.to_string().to_ascii_uppercase(),
        },
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => text.to_owned(),
    }
}

/// The sightings with the addresses that stand in events for networks; `None` where there are no networks.
pub(in crate::targets::sigma) fn settled(sightings: &[Sighting]) -> Option<Vec<Sighting>> {
    let mut settled = sightings.to_vec();
    let mut is_changed = false;
    for object in settled.iter_mut().flat_map(|sighting| sighting.objects.values_mut()) {
        let network = object.get("value").and_then(Json::as_str).filter(|text| text.parse::<IpNet>().is_ok());
        if let Some(address) = network.map(|text| written(text, 0)) {
            object["value"] = address.into();
            is_changed = true;
        }
    }
    is_changed.then_some(settled)
}

/// A URL is fetched through a proxy that sees all of it.
pub(super) fn url(object: Object<'_>, writer: &mut EventWriter<'_>) {
    let Some(text) = object.text("value") else { return };
    // Without a scheme it is what people write for a page.
    let scheme = if text.contains("://") { "" } else { ["http://", "https://"][writer.spelling % 2] };
    let client = client(writer);
    writer.write(PROXY, [("c-uri", some(sent(&format!("{scheme}{text}")))), ("c-ip", client)]);
}

/// A URL as a client sends it: without what it keeps to itself, the user and the fragment.
pub(super) fn sent(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (host, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// Packets go from one end to the other, and a request may be in them.
pub(super) fn traffic(object: Object<'_>, writer: &mut EventWriter<'_>) {
    let from = End::new(object.refer("src_ref"), object.integer("src_port"));
    let to = End::new(object.refer("dst_ref"), object.integer("dst_port"));
    let protocols: Vec<&str> = object.list("protocols").filter_map(Json::as_str).collect();
    let transport = protocols.iter().copied().find(|protocol| ["tcp", "udp"].contains(protocol));
    connection([from, to], transport, writer);
    let request = object.extension("http-request-ext");
    // Where no protocol above TCP is named, it may be any.
    let may_be_web = |protocol: &&str| protocol.starts_with("http") || ["ipv4", "ipv6", "tcp"].contains(protocol);
    let is_web = protocols.iter().all(may_be_web);
    if request.is_some() || (to.name.is_some() && is_web) {
        requested(request, to.name, writer);
    }
}

fn requested(request: Option<Object<'_>>, name: Option<&str>, writer: &mut EventWriter<'_>) {
    let client = client(writer);
    let header = |key: &str| request.and_then(|request| request.inside("request_header"))?.header(key);
    let name = name.map(|name| writer.any_case(name));
    // A proxy is asked for a URL, and logs its host; a server sees what the header says.
    let asked = json(name.clone().or_else(|| header("Host").map(str::to_owned)));
    let host = json(header("Host").map(str::to_owned).or(name));
    let [agent, referer, cookie] = ["User-Agent", "Referer", "Cookie"].map(|key| json(header(key)));
    // Methods are sent in capitals, whatever the observation says.
    let method = json(request.and_then(|request| request.text("request_method")).map(str::to_ascii_uppercase));
    let value = request.and_then(|request| request.text("request_value"));
    let (stem, query) = match value.map(|value| value.split_once('?').unwrap_or((value, ""))) {
        Some((stem, query)) => (Some(stem), Some(query).filter(|query| !query.is_empty())),
        None => (None, None),
    };
    writer.write(
        PROXY,
        [
            ("c-ip", client.clone()),
            ("cs-method", method.clone()),
            ("cs-host", asked),
            ("c-useragent", agent.clone()),
            ("cs-referrer", referer.clone()),
            ("cs-cookie", cookie.clone()),
        ],
    );
    if request.is_none() {
        return;
    }
    writer.write(
        WEB,
        [
            ("c-ip", client.clone()),
            ("cs-method", method.clone()),
            ("cs-uri-stem", json(stem)),
            ("cs-uri-query", json(query)),
            ("cs-host", host.clone()),
            ("cs-user-agent", agent.clone()),
            ("cs-referer", referer.clone()),
            ("cs-cookie", cookie),
        ],
    );
    let fields = [
        ("id.orig_h", client),
        ("method", method),
        ("uri", json(value)),
        ("host", host),
        ("user_agent", agent),
        ("referrer", referer),
    ];
    writer.write(ZEEK_HTTP, fields);
}

/// A certificate is shown in a handshake.
pub(super) fn certificate(object: Object<'_>, writer: &mut EventWriter<'_>) {
    let serial = object.text("serial_number").map(|serial| serial_octets(serial).unwrap_or_else(|| serial.to_owned()));
    let fields = [
        ("certificate.serial", json(serial)),
        ("certificate.subject", json(object.text("subject"))),
        ("certificate.issuer", json(object.text("issuer"))),
    ];
    writer.write(ZEEK_X509, fields);
}
