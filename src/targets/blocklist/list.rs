//! The formats: one line here and one template each.

use super::entry::EntryKind;
use crate::targets::contract::Format;

/// One format: a template, and what it holds.
pub(super) struct List {
    pub(super) format: Format,
    /// Kinds of entries, in the order in which `{{#each entries}}` gives them.
    pub(super) takes: &'static [EntryKind],
    /// Whether the format can hold this name, URL or hash.
    pub(super) holds: fn(&str) -> bool,
}

const fn plain(name: &'static str, path: &'static str, about: &'static str, takes: &'static [EntryKind]) -> List {
    let source = include_str!("../../../templates/blocklist/list.hbs");
    List {
        format: Format { name, template: "list.hbs", source, path, auxiliary: false, about },
        takes,
        holds: anything,
    }
}

macro_rules! list {
    ($name:literal, $template:literal, $path:literal, $about:literal, $takes:expr, $holds:expr) => {
        List {
            format: Format {
                name: $name,
                template: $template,
                source: include_str!(concat!("../../../templates/blocklist/", $template)),
                path: $path,
                auxiliary: false,
                about: $about,
            },
            takes: $takes,
            holds: $holds,
        }
    };
}

/// All formats.
pub(super) const LISTS: &[List] = &[
    plain("ipv4", "blocklist/ipv4.txt", "IPv4 addresses and prefixes, one a line", &[EntryKind::Ipv4]),
    plain("ipv6", "blocklist/ipv6.txt", "IPv6 addresses and prefixes, one a line", &[EntryKind::Ipv6]),
    plain("domains", "blocklist/domains.txt", "Domain names, one a line", &[EntryKind::Domain]),
    plain("urls", "blocklist/urls.txt", "URLs, one a line", &[EntryKind::Url]),
    plain("md5", "blocklist/md5.txt", "MD5 hashes of files, one a line", &[EntryKind::Md5]),
    plain("sha1", "blocklist/sha1.txt", "SHA-1 hashes of files, one a line", &[EntryKind::Sha1]),
    plain("sha256", "blocklist/sha256.txt", "SHA-256 hashes of files, one a line", &[EntryKind::Sha256]),
    plain("sha512", "blocklist/sha512.txt", "SHA-512 hashes of files, one a line", &[EntryKind::Sha512]),
    list!(
        "nftables",
        "nftables.hbs",
        "blocklist/stixc.nft",
        "Sets for nftables",
        &[EntryKind::Ipv4, EntryKind::Ipv6],
        anything
    ),
    list!(
        "rpz",
        "rpz.hbs",
        "blocklist/rpz.zone",
        "Response policy zone for a resolver",
        &[EntryKind::Domain],
        fits_zone
    ),
    list!("hosts", "hosts.hbs", "blocklist/hosts", "Hosts file", &[EntryKind::Domain], anything),
];

/// The formats as the contract knows them.
pub(super) static FORMATS: [Format; LISTS.len()] = formats(LISTS);

/// The contract's side of `lists`.
pub(super) const fn formats<const N: usize>(lists: &[List]) -> [Format; N] {
    let mut formats = [lists[0].format; N];
    let mut index = 0;
    while index < N {
        formats[index] = lists[index].format;
        index += 1;
    }
    formats
}

fn anything(_: &str) -> bool {
    true
}

/// Labels that make the owner of a record a trigger of another kind (draft-vixie-dnsop-dns-rpz, section 4).
const TRIGGERS: [&str; 4] = ["rpz-ip", "rpz-client-ip", "rpz-nsip", "rpz-nsdname"];

/// The longest name for which a zone's own name still has 30 characters within the 253 of a full name.
const LONGEST: usize = 253 - 31;

/// A name that stands for itself below the zone's name. `32.7.100.51.198.rpz-ip` would be a rule about an address.
fn fits_zone(name: &str) -> bool {
    name.len() <= LONGEST && !name.rsplit('.').next().is_some_and(|last| TRIGGERS.contains(&last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_t_become_another_trigger() {
        assert!(fits_zone("evil.example"));
        assert!(!fits_zone("8.0.0.0.10.rpz-ip"));
        assert!(!fits_zone("rpz-nsip"));
        assert!(!fits_zone(&["a"; 120].join(".")));
    }
}
