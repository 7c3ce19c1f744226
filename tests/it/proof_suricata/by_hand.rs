//! Sightings made by hand, where no witness has them.

use serde_json::{Value as Json, json};

use super::hold;

fn once(object: Json) -> Vec<(i64, Json)> {
    vec![(0, json!({ "0": object }))]
}

/// Traffic from a host of no interest.
fn connection(at: i64, to: &str, port: u16, protocols: Json, extensions: Json) -> Vec<(i64, Json)> {
    let traffic = json!({
        "type": "network-traffic", "src_ref": "1", "src_port": 50_000, "dst_ref": "2", "dst_port": port,
        "protocols": protocols, "extensions": extensions,
    });
    let address = |value: &str| json!({"type": "ipv4-addr", "value": value});
    vec![(at, json!({"0": traffic, "1": address("192.0.2.98"), "2": address(to)}))]
}

fn with(object: Json, other: Json) -> Vec<(i64, Json)> {
    vec![(0, json!({ "0": object, "1": other }))]
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_sees_what_is_shown() {
    let name = |value: &str| once(json!({"type": "domain-name", "value": value}));
    let url = |value: &str| once(json!({"type": "url", "value": value}));
    let file = |object: Json| {
        let mut object = object;
        object["type"] = json!("file");
        once(object)
    };
    let address = |value: &str| {
        let kind = if value.contains(':') { "ipv6-addr" } else { "ipv4-addr" };
        json!({"type": kind, "value": value})
    };
    let to = |value: &str, port: u16, protocols: &[&str]| connection(0, value, port, json!(protocols), json!({}));
    let request = |request: Json| {
        let mut whole = json!({"request_method": "get", "request_value": "/", "request_version": "http/1.1"});
        whole.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
        connection(0, "192.0.2.99", 80, json!(["tcp", "http"]), json!({"http-request-ext": whole}))
    };
    let certificate = |object: Json| {
        let mut object = object;
        object["type"] = json!("x509-certificate");
        once(object)
    };
    let mail = |property: &str, value: &str| {
        with(
            json!({"type": "email-message", property: if property.ends_with('s') { json!(["1"]) } else { json!("1") }}),
            json!({"type": "email-addr", "value": value}),
        )
    };
    hold(&[
        (
            "[domain-name:value = 'evil.example']",
            vec![name("evil.example"), name("example"), name("notevil.example"), name("a.evil.example")],
        ),
        (
            "[url:value = 'http://evil.example:81/a?b']",
            vec![url("http://evil.example:81/a?b"), url("http://evil.example/a?b"), url("http://evil.example:81/a?bb")],
        ),
        (
            "[ipv4-addr:value = '198.51.100.7']",
            vec![once(address("198.51.100.7")), once(address("198.51.100.8")), once(address("198.51.100.6"))],
        ),
        (
            "[ipv6-addr:value ISSUBSET '2001:db8::/64']",
            vec![once(address("2001:db8::7")), once(address("2001:db8:0:1::"))],
        ),
        (
            "[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443 AND network-traffic:protocols[*] = 'tcp']",
            vec![
                to("198.51.100.7", 443, &["tcp"]),
                to("198.51.100.7", 443, &["udp"]),
                to("198.51.100.7", 444, &["tcp"]),
            ],
        ),
        (
            "[network-traffic:extensions.'http-request-ext'.request_method = 'post' AND network-traffic:extensions.'http-request-ext'.request_value = '/a%20b']",
            vec![
                request(json!({"request_method": "post", "request_value": "/a%20b"})),
                request(json!({"request_method": "get", "request_value": "/a%20b"})),
            ],
        ),
        (
            "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'Bad;\"']",
            vec![
                request(json!({"request_header": {"User-Agent": "Bad;\""}})),
                request(json!({"request_header": {"User-Agent": "bad;\""}})),
            ],
        ),
        (
            "[file:name = 'in voice.exe' AND file:size > 100]",
            vec![
                file(json!({"name": "in voice.exe", "size": 101})),
                file(json!({"name": "in voice.exe", "size": 100})),
                file(json!({"name": "In voice.exe", "size": 101})),
            ],
        ),
        (
            "[x509-certificate:serial_number = '5c190a']",
            vec![certificate(json!({"serial_number": "5c190a"})), certificate(json!({"serial_number": "5c190b"}))],
        ),
        (
            "[x509-certificate:subject = 'CN=evil.example, O=Evil']",
            vec![
                certificate(json!({"subject": "CN=evil.example, O=Evil"})),
                certificate(json!({"subject": "CN=evil.example"})),
            ],
        ),
        (
            "[email-message:from_ref.value = 'a@evil.example']",
            vec![
                mail("from_ref", "a@evil.example"),
                mail("from_ref", "aa@evil.example"),
                mail("from_ref", "A@evil.example"),
                mail("to_refs", "a@evil.example"),
            ],
        ),
    ]);
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_ties_observations() {
    let name = |at: i64, value: &str| (at, json!({"0": {"type": "domain-name", "value": value}}));
    let address = |at: i64, value: &str| (at, json!({"0": {"type": "ipv4-addr", "value": value}}));
    let file = |at: i64, value: &str| (at, json!({"0": {"type": "file", "name": value}}));
    let (a, b, c) = ("a.example", "b.example", "c.example");
    let five = |gap: i64, times: i64| (0..times).map(|number| name(gap * number, a)).collect::<Vec<_>>();
    hold(&[
        (
            "([domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']) WITHIN 60 SECONDS",
            vec![
                vec![name(0, a), name(30, b)],
                vec![name(0, a), name(59, b)],
                vec![name(0, a), name(60, b)],
                vec![name(0, a), name(61, b)],
                vec![name(0, b), name(30, a)],
                vec![name(0, a)],
                vec![name(0, b)],
                vec![name(0, a), name(30, a)],
                vec![name(0, a), name(30, c)],
            ],
        ),
        (
            "([domain-name:value = 'a.example'] AND [domain-name:value = 'b.example'] AND [domain-name:value = 'c.example']) WITHIN 60 SECONDS",
            vec![
                vec![name(0, a), name(30, b), name(40, c)],
                vec![name(0, c), name(30, b), name(40, a)],
                vec![name(0, c), name(30, a), name(40, b)],
                vec![name(0, b), name(30, c), name(59, a)],
                vec![name(0, b), name(30, c), name(61, a)],
                vec![name(0, a), name(30, b)],
                vec![name(0, a), name(30, b), name(40, b)],
            ],
        ),
        (
            "([domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example'] FOLLOWEDBY [domain-name:value = 'c.example']) WITHIN 60 SECONDS",
            vec![
                vec![name(0, a), name(20, b), name(40, c)],
                vec![name(0, a), name(40, b), name(60, c)],
                vec![name(0, a), name(40, c), name(50, b)],
                vec![name(0, a), name(20, b), name(61, c)],
                vec![name(0, a), name(20, b)],
            ],
        ),
        (
            "[domain-name:value = 'a.example'] REPEATS 5 TIMES WITHIN 60 SECONDS",
            vec![five(10, 5), five(15, 5), five(16, 5), five(10, 4), five(1, 6)],
        ),
        (
            "[ipv4-addr:value = '198.51.100.7'] FOLLOWEDBY [file:name = 'x.dll'] WITHIN 300 SECONDS",
            vec![
                vec![address(0, "198.51.100.7"), file(30, "x.dll")],
                vec![address(0, "198.51.100.8"), file(30, "x.dll")],
                vec![address(0, "198.51.100.7"), file(30, "y.dll")],
                vec![file(0, "x.dll"), address(30, "198.51.100.7")],
            ],
        ),
        (
            "[ipv4-addr:value = '198.51.100.7'] REPEATS 3 TIMES WITHIN 10 SECONDS",
            vec![
                vec![address(0, "198.51.100.7"), address(2, "198.51.100.7"), address(5, "198.51.100.7")],
                vec![address(0, "198.51.100.7"), address(5, "198.51.100.7")],
                vec![address(0, "198.51.100.7"), address(6, "198.51.100.7"), address(11, "198.51.100.7")],
            ],
        ),
        (
            "[network-traffic:dst_port = 4444 AND network-traffic:protocols[*] = 'tcp'] REPEATS 3 TIMES WITHIN 10 SECONDS",
            {
                let open = |at: i64| connection(at, "192.0.2.99", 4444, json!(["tcp"]), json!({})).remove(0);
                let mut other = open(5);
                other.1["1"]["value"] = json!("192.0.2.97");
                vec![
                    vec![open(0), open(2), other],
                    vec![open(0), open(2), open(10)],
                    vec![open(0), open(2)],
                    vec![open(0), open(6), open(11)],
                ]
            },
        ),
        ("([x509-certificate:serial_number = '5c190a'] FOLLOWEDBY [file:name = 'x.dll']) WITHIN 60 SECONDS", {
            let certificate =
                |at: i64, serial: &str| (at, json!({"0": {"type": "x509-certificate", "serial_number": serial}}));
            vec![
                vec![certificate(0, "5c190a"), file(30, "x.dll")],
                vec![certificate(0, "5c190b"), file(30, "x.dll")],
                vec![file(0, "x.dll"), certificate(30, "5c190a")],
            ]
        }),
    ]);
}
