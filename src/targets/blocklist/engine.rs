//! Blocklists: entries are looked up as a firewall, a resolver or a proxy would look them up, and the files are given to
//! the programs that read them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::IpAddr,
    path::Path,
    process::Command,
};

use ipnet::IpNet;

use super::show::Lookup;
use crate::{
    targets::{
        program::{EngineError, run, said},
        proof::{Engine, EngineRun},
    },
    witness::index::PatternCases,
};

/// The kinds of entries, which are the names of rules here, and their files.
const LISTS: [(&str, &str); 8] = [
    ("ipv4", "ipv4.txt"),
    ("ipv6", "ipv6.txt"),
    ("domain", "domains.txt"),
    ("url", "urls.txt"),
    ("md5", "md5.txt"),
    ("sha1", "sha1.txt"),
    ("sha256", "sha256.txt"),
    ("sha512", "sha512.txt"),
];

/// The lists of a folder.
struct Lists {
    prefixes: Vec<(&'static str, IpNet)>,
    lines: BTreeMap<&'static str, BTreeSet<String>>,
}

/// What reads lists, and the programs that check their files.
pub struct ListReader;

impl Engine for ListReader {
    type Shown = Vec<Lookup>;

    fn run(&self, folder: &Path, patterns: &[PatternCases<Vec<Lookup>>]) -> Result<EngineRun, EngineError> {
        let lists = Lists::read(folder)?;
        // All patterns share the lists: what another one asks for is there for its sake.
        let wanted = |own: usize, lookup: &Lookup| {
            let entry = lists.prefix(lookup);
            patterns.iter().enumerate().any(|(number, other)| number != own && asks(other, lookup, entry))
        };
        let fired = |(number, pattern): (usize, &PatternCases<Vec<Lookup>>)| {
            let heard = |matches: bool, lookup: &Lookup| {
                lists.find(lookup).filter(|_| matches || !wanted(number, lookup)).map(str::to_owned)
            };
            let cases = pattern.cases.iter();
            cases.map(|case| case.shown.iter().filter_map(|lookup| heard(case.matches, lookup)).collect()).collect()
        };
        let fired = patterns.iter().enumerate().map(fired).collect();
        let (checked, refused) = check(folder);
        let engine = format!("looked up in the lists; {}", checked.join(", "));
        Ok(EngineRun { engine, fired, refused, ..EngineRun::default() })
    }
}

/// Whether a witness that the pattern matches is looked up so, or is in the prefix that was found.
fn asks(pattern: &PatternCases<Vec<Lookup>>, lookup: &Lookup, entry: Option<&IpNet>) -> bool {
    let is_inside = |one: &Lookup| match (one, entry) {
        (Lookup::Address(address), Some(entry)) => entry.contains(address),
        _ => false,
    };
    let matching = pattern.cases.iter().filter(|case| case.matches);
    matching.flat_map(|case| &case.shown).any(|one| one == lookup || is_inside(one))
}

impl Lists {
    fn read(folder: &Path) -> Result<Self, EngineError> {
        let mut lists = Self { prefixes: Vec::new(), lines: BTreeMap::new() };
        for (kind, file) in LISTS {
            let text = match fs::read_to_string(folder.join(file)) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error.into()),
            };
            if kind.starts_with("ip") {
                for line in text.lines() {
                    let prefix = crate::plan::value::parse_address(line);
                    let prefix = prefix.ok_or_else(|| EngineError::Failed(format!("{file}: {line} is no address")))?;
                    lists.prefixes.push((kind, prefix));
                }
            } else {
                lists.lines.insert(kind, text.lines().map(str::to_owned).collect());
            }
        }
        Ok(lists)
    }

    fn around(&self, address: &IpAddr) -> Option<&(&'static str, IpNet)> {
        self.prefixes.iter().find(|(_, prefix)| prefix.contains(address))
    }

    /// The prefix that holds what is looked up, if it is an address and one does.
    fn prefix(&self, lookup: &Lookup) -> Option<&IpNet> {
        match lookup {
            Lookup::Address(address) => self.around(address).map(|(_, prefix)| prefix),
            _ => None,
        }
    }

    /// The list that holds what is looked up, if one does.
    fn find(&self, lookup: &Lookup) -> Option<&'static str> {
        let line = |kinds: &[&'static str], text: &str| {
            kinds.iter().copied().find(|kind| self.lines.get(kind).is_some_and(|lines| lines.contains(text)))
        };
        match lookup {
            Lookup::Address(address) => self.around(address).map(|(kind, _)| *kind),
            Lookup::Name(name) => line(&["domain"], &name.to_ascii_lowercase()),
            Lookup::Url(url) => line(&["url"], url),
            Lookup::Hash(hash) => line(&["md5", "sha1", "sha256", "sha512"], hash),
        }
    }
}

/// What the programs that read the files say of them: those that were asked, and what they refused.
fn check(folder: &Path) -> (Vec<String>, Vec<String>) {
    let mut checks: [(&str, &str, Command); 2] =
        [("stixc.nft", "nft", Command::new("nft")), ("rpz.zone", "named-checkzone", Command::new("named-checkzone"))];
    checks[0].2.args(["-c", "-f"]).arg(folder.join(checks[0].0));
    checks[1].2.args(["-k", "fail", "rpz.example"]).arg(folder.join(checks[1].0));
    let (mut checked, mut refused) = (Vec::new(), Vec::new());
    for (file, program, command) in &mut checks {
        if !folder.join(*file).exists() {
            continue;
        }
        match run(command) {
            Ok(output) if output.status.success() => checked.push(format!("{program} accepts {file}")),
            // It asks the kernel, which answers to root alone.
            Ok(output) if *program == "nft" && said(&output).contains("Operation not permitted") => {
                checked.push(format!("{program} may not check {file} here"));
            }
            Ok(output) => refused.push(format!("{file}: {}", said(&output))),
            Err(EngineError::Missing(why) | EngineError::Failed(why)) => checked.push(format!("engine missing: {why}")),
        }
    }
    (checked, refused)
}
