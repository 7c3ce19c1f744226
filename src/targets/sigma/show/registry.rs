//! What Sysmon logs of the registry.

use serde_json::Value as Json;

use super::{EventWriter, LogSource, json, some};
use crate::{plan::Hive, witness::Object};

const REGISTRY: LogSource = LogSource::category("registry_event", "registry_event", Some("windows"));

/// Where the values of an unknown key stand.
const KEY: &str = r"HKEY_LOCAL_MACHINE\SOFTWARE\Neutral";
const SID: &str = "S-1-5-21-3623811015-3361044348-30300820-1013";

/// A key is made, and its values are set.
pub(super) fn key(key: Object<'_>, writer: &mut EventWriter<'_>) {
    let path = key.text("key").map(|key| logged(key, writer.spelling));
    if let Some(path) = &path {
        writer.sysmon(REGISTRY, 12, [("EventType", some("CreateKey")), ("TargetObject", some(path.as_str()))]);
    }
    let path = path.unwrap_or_else(|| logged(KEY, writer.spelling));
    for value in key.list("values").filter_map(|value| key.part(value)) {
        // The nameless value of a key is logged with this name.
        let name = value.text("name").map_or("NeutralValue", |name| if name.is_empty() { "(Default)" } else { name });
        writer.sysmon(
            REGISTRY,
            13,
            [
                ("EventType", some("SetValue")),
                ("TargetObject", some(format!("{path}\\{name}"))),
                ("Details", json(details(value))),
            ],
        );
    }
}

/// A key as Sysmon names it.
fn logged(key: &str, spelling: usize) -> String {
    let (hive, rest) = key.split_once('\\').unwrap_or((key, ""));
    let user = format!(r"HKU\{SID}");
    let (hive, rest) = match Hive::parse(hive) {
        Some(Hive::CurrentUser) => (user.as_str(), rest),
        Some(Hive::CurrentConfig) => (r"HKLM\System\CurrentControlSet\Hardware Profiles\Current", rest),
        Some(hive) => (hive.abbreviation(), rest),
        // A key without a hive may be in any.
        _ if spelling.is_multiple_of(2) => ("HKLM", key),
        _ => (user.as_str(), key),
    };
    if rest.is_empty() { hive.to_owned() } else { format!(r"{hive}\{rest}") }
}

/// The data of a value: numbers as Sysmon writes them.
fn details(value: Object<'_>) -> Option<Json> {
    let data = value.text("data")?;
    let number = data.parse::<u64>().ok();
    Some(match (value.text("data_type").unwrap_or("REG_SZ"), number) {
        ("REG_DWORD" | "REG_DWORD_BIG_ENDIAN", Some(number)) => format!("DWORD (0x{number:08x})").into(),
        ("REG_QWORD", Some(number)) => format!("QWORD (0x{:08x}-0x{:08x})", number >> 32, number & 0xffff_ffff).into(),
        _ => data.into(),
    })
}
