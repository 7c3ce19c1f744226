//! Registry keys as Windows event logs spell them: `HKLM\…`, and below `HKU\<SID>\…` for the current user.

use super::wildcard::SigmaValue;
use crate::plan::Hive;

/// The hives that logs name; that of the current user they log below its SID.
const LOGGED: [Hive; 4] = [Hive::LocalMachine, Hive::ClassesRoot, Hive::Users, Hive::CurrentUser];

/// The hive of `key`, if it names one that logs name, and the rest of it.
fn split(key: &str) -> (Option<Hive>, &str) {
    let key = key.trim_matches('\\');
    let (first, rest) = key.split_once('\\').unwrap_or((key, ""));
    // In front of a hive `%` stands for nothing.
    let hive = Hive::parse(first.trim_start_matches('%')).filter(|hive| LOGGED.contains(hive));
    (hive, if hive.is_some() { rest } else { key })
}

/// A key as it is logged, and its hive. `read` reads the part behind the hive: as it is, or as a LIKE pattern.
pub(super) fn logged(key: &str, read: impl Fn(&str) -> SigmaValue) -> (Option<Hive>, SigmaValue) {
    let (hive, rest) = split(key);
    let beginning = match hive {
        Some(Hive::CurrentUser) => SigmaValue::literal("HKU\\").then_any(),
        Some(hive) => SigmaValue::literal(hive.abbreviation()),
        None => SigmaValue::default().then_any(),
    };
    let whole = if rest.is_empty() { beginning } else { beginning.then("\\").followed_by(read(rest)) };
    (hive, whole)
}

/// Whether a LIKE pattern begins with a part of a hive's name and a wildcard.
pub(super) fn begins_as_a_hive(pattern: &str) -> bool {
    let first = pattern.split('\\').next().unwrap_or_default();
    first.starts_with(['H', 'h']) && first.contains('%')
}

/// The forms in which logs have a number, if `data` is one.
pub(super) fn numbers(data: &str) -> Vec<String> {
    let Some(number) = data.parse::<u64>().ok().filter(|number| number.to_string() == data) else { return Vec::new() };
    let long = format!("QWORD (0x{:08x}-0x{:08x})", number >> 32, number & 0xffff_ffff);
    let short = u32::try_from(number).ok().map(|number| format!("DWORD (0x{number:08x})"));
    short.into_iter().chain([long]).collect()
}

/// A regular expression about keys with the hives as logged, where it spells them out, and whether one is the user's.
pub(super) fn expression(pattern: &str) -> (String, bool) {
    let mut text = pattern.to_owned();
    for hive in LOGGED {
        let logged = if hive == Hive::CurrentUser { r"HKU\\[^\\]+" } else { hive.abbreviation() };
        text = text.replace(hive.name(), logged).replace(hive.abbreviation(), logged);
    }
    let is_user =
        [Hive::CurrentUser.name(), Hive::CurrentUser.abbreviation()].iter().any(|name| pattern.contains(name));
    (text, is_user)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::sigma::wildcard::modified;

    #[test]
    fn keys_are_spelled_as_logged() {
        for (key, expected) in [
            (r"HKEY_LOCAL_MACHINE\SOFTWARE\X", r"'HKLM\SOFTWARE\X'"),
            (r"hklm\software", r"'HKLM\software'"),
            (r"HKEY_CURRENT_USER\Software\X\", r"'HKU\\*\Software\X'"),
            (r"HKEY_USERS\S-1\X", r"'HKU\S-1\X'"),
            (r"Software\Microsoft", r"'\Software\Microsoft'"),
            ("HKLM", "'HKLM'"),
        ] {
            let (_, value) = logged(key, SigmaValue::literal);
            assert_eq!(modified(&[value]).1[0].as_str(), expected, "{key}");
        }
    }

    #[test]
    fn expressions_name_hives_as_logged() {
        assert_eq!(expression(r"^HKEY_LOCAL_MACHINE\\A").0, r"^HKLM\\A");
        assert_eq!(expression(r"HKEY_CURRENT_USER\\A"), (r"HKU\\[^\\]+\\A".to_owned(), true));
        assert_eq!(expression("Run").0, "Run");
    }
}
