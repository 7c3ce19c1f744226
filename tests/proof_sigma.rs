//! The proof of Sigma's rules: two evaluators run them over the events that witnesses and near misses show as, and what
//! they find must be what the verdicts promise.

#[path = "support/sigma_cases.rs"]
mod cases;
#[path = "support/emission.rs"]
mod emission;
mod support;

use std::collections::BTreeMap;

use emission::{Memory, content, emit};
use serde_json::{Value as Json, json};
use stixc::{
    target::{
        Target,
        contract::{Content, Origin, Rule},
        find,
    },
    witness::{
        Sighting,
        project::sigma::{Event, Hosts, LogSource, SPELLINGS, project},
    },
};
use support::engines::sigma::{self, Case, Evaluator};

fn target() -> &'static dyn Target {
    find("sigma").unwrap()
}

fn logsource(source: &LogSource) -> BTreeMap<&'static str, &'static str> {
    let keys = [("category", source.category), ("product", source.product), ("service", source.service)];
    keys.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

fn logged(events: Vec<Event>) -> Vec<sigma::Event> {
    let micros = |at: i64| at as f64 / 1e6;
    let one = |event: Event| sigma::Event {
        at: Some(micros(event.at)),
        logsource: Some(logsource(&event.log_source)),
        fields: event.fields.into(),
    };
    events.into_iter().map(one).collect()
}

fn sighting(objects: Json) -> Sighting {
    Sighting { at: 1_700_000_000_000_000, objects: objects.as_object().unwrap().clone() }
}

#[test]
fn events_look_like_their_logs() {
    let sightings = [
        json!({"0": {"type": "file", "name": "a.exe", "hashes": {"MD5": "d41d8cd98f00b204e9800998ecf8427e", "SHA-512": "00"}, "parent_directory_ref": "1",
               "extensions": {"windows-pebinary-ext": {"imphash": "0c6f2a2b0b0f0e0d0c0b0a0908070605"}, "ntfs-ext": {"alternate_data_streams": [{"name": "s"}]}}},
               "1": {"type": "directory", "path": "C:\\Temp"}}),
        json!({"0": {"type": "file", "name": "a.sh", "parent_directory_ref": "1"}, "1": {"type": "directory", "path": "/tmp"}}),
        json!({"0": {"type": "directory", "path": "C:\\Temp\\"}}),
        json!({"0": {"type": "process", "command_line": "x -y", "cwd": "C:\\W", "image_ref": "1", "parent_ref": "2", "creator_user_ref": "4",
               "extensions": {"windows-process-ext": {"integrity_level": "high"}, "windows-service-ext": {"service_name": "S", "display_name": "A service"}}},
               "1": {"type": "file", "name": "x.exe"}, "2": {"type": "process", "command_line": "p", "image_ref": "3"},
               "3": {"type": "file", "name": "p.exe"}, "4": {"type": "user-account", "account_login": "eve"}}),
        json!({"0": {"type": "windows-registry-key", "key": "HKEY_CURRENT_USER\\Software\\X", "values": [{"name": "n", "data": "255", "data_type": "REG_DWORD"}, {"name": "", "data": "t"}]}}),
        json!({"0": {"type": "user-account", "account_login": "eve", "user_id": "S-1-5-21-1"}}),
        json!({"0": {"type": "domain-name", "value": "evil.example"}}),
        json!({"0": {"type": "ipv4-addr", "value": "198.51.100.0/24"}}),
        json!({"0": {"type": "ipv6-addr", "value": "2001:db8::a"}}),
        json!({"0": {"type": "url", "value": "http://u:p@Evil.example/A b?c#d"}}),
        json!({"0": {"type": "network-traffic", "protocols": ["ipv4", "tcp", "http"], "src_ref": "1", "dst_ref": "2", "dst_port": 80,
               "extensions": {"http-request-ext": {"request_method": "get", "request_value": "/a?b", "request_header": {"user-agent": "E/1", "Referer": "r"}}}},
               "1": {"type": "ipv4-addr", "value": "192.0.2.1"}, "2": {"type": "domain-name", "value": "evil.example"}}),
        json!({"0": {"type": "x509-certificate", "serial_number": "36:f7:d4"}}),
        json!({"0": {"type": "mutex", "name": "m"}}),
    ];
    let mut all = String::new();
    for objects in sightings {
        all += &format!("{objects}\n");
        let sighting = sighting(objects);
        let mut seen: Vec<Event> = Vec::new();
        for spelling in 0..SPELLINGS {
            for event in project(std::slice::from_ref(&sighting), Hosts::Same, spelling) {
                if !seen.contains(&event) {
                    all += &format!("  {spelling} {} {}\n", event.log_source.name, Json::from(event.fields.clone()));
                    seen.push(event);
                }
            }
        }
    }
    insta::with_settings!({ snapshot_path => "../snapshots/sigma", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("events", all);
    });
}
