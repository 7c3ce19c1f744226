//! Entries as they stand in a file.

use super::{entry::Kind, list::List};
use crate::{
    plan::value::parse_address,
    targets::contract::{ReadBack, numbered},
};

/// Where an entry stands in a template.
const PLACE: &str = "{{this}}";

/// The entries of a file. What stands around one is what stands around its place in the shipped template, so a new format
/// is read as it is written.
pub(super) fn entries(list: &List, text: &str) -> Vec<ReadBack> {
    let row = list.format.source.lines().find_map(|line| line.split_once(PLACE));
    let Some((front, end)) = row else { return Vec::new() };
    let entry = |(line, text): (usize, &str)| {
        let id = text.strip_prefix(front)?.strip_suffix(end)?;
        Some(ReadBack { list: kind(list, id)?.name().to_owned(), id: id.to_owned(), line, ..ReadBack::default() })
    };
    numbered(text).filter_map(entry).collect()
}

/// Which of the kinds that the list takes an entry is. Only addresses share a list.
fn kind(list: &List, entry: &str) -> Option<Kind> {
    match list.takes {
        [only] => Some(*only),
        _ => parse_address(entry).map(Kind::from_address).filter(|kind| list.takes.contains(kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::list::LISTS, *};

    #[test]
    fn each_format_is_read_as_it_is_written() {
        let read = |name: &str, text: &str| {
            let list = LISTS.iter().find(|list| list.format.name == name).unwrap();
            let all = entries(list, text).into_iter();
            all.map(|entry| format!("{} {} {}", entry.line, entry.list, entry.id)).collect::<Vec<_>>()
        };
        let zone = "$TTL 300\n@ IN NS localhost.\nevil.example IN CNAME .\n";
        assert_eq!(read("rpz", zone), ["3 domain evil.example"]);
        assert_eq!(read("hosts", "# made\n0.0.0.0 evil.example\n"), ["2 domain evil.example"]);
        let sets = "add table inet stixc\nadd element inet stixc ipv4 {\n\t198.51.100.0/24,\n\t2001:db8::1,\n}\n";
        assert_eq!(read("nftables", sets), ["3 ipv4 198.51.100.0/24", "4 ipv6 2001:db8::1"]);
        assert_eq!(read("urls", "http://evil.example/#a\n"), ["1 url http://evil.example/#a"]);
        for list in LISTS {
            assert!(list.format.source.lines().any(|line| line.contains(PLACE)), "{}", list.format.name);
        }
    }
}
