//! Blocklists: entries are looked up as a firewall, a resolver or a proxy would look them up, and the files are given to
//! the programs that read them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    hash::Hash,
    io,
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

/// The lists of a folder, as they are looked up in.
#[derive(Debug, Default)]
pub struct Lists {
    prefixes: BTreeSet<IpNet>,
    lengths: BTreeSet<u8>,
    lines: BTreeMap<&'static str, BTreeSet<String>>,
}

/// What reads lists, and the programs that check their files.
pub struct ListReader;

impl Engine for ListReader {
    type Shown = Vec<Lookup>;

    fn needs(&self) -> &'static str {
        "nothing: entries are looked up here; nft and named-checkzone check the files where they are"
    }

    fn needs_all(&self) -> bool {
        true
    }

    fn run(&self, folder: &Path, patterns: &[PatternCases<Vec<Lookup>>]) -> Result<EngineRun, EngineError> {
        let lists = Lists::read(|file| match fs::read_to_string(folder.join(file)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            text => Ok(Some(text?)),
        })?;
        // All patterns share the lists: what another one asks for is there for its sake.
        let asked = Asked::new(&lists, patterns);
        let fired = |(number, pattern): (usize, &PatternCases<Vec<Lookup>>)| {
            let heard = |matches: bool, lookup: &Lookup| {
                lists.find(lookup).filter(|_| matches || !asked.by_another(number, lookup, &lists)).map(str::to_owned)
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

/// Which patterns ask for an entry: only one, or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Askers {
    One(usize),
    Several,
}

/// What the witnesses are looked up as that patterns match, and the prefixes that these are in.
#[derive(Debug, Default)]
struct Asked<'p> {
    lookups: HashMap<&'p Lookup, Askers>,
    prefixes: HashMap<IpNet, Askers>,
}

impl<'p> Asked<'p> {
    fn new(lists: &Lists, patterns: &'p [PatternCases<Vec<Lookup>>]) -> Self {
        let mut asked = Self::default();
        for (number, pattern) in patterns.iter().enumerate() {
            let matching = pattern.cases.iter().filter(|case| case.matches);
            for lookup in matching.flat_map(|case| &case.shown) {
                note(&mut asked.lookups, lookup, number);
                if let Some(prefix) = lists.prefix(lookup) {
                    note(&mut asked.prefixes, prefix, number);
                }
            }
        }
        asked
    }

    /// Whether another pattern than this one is looked up so where it matches, or in the prefix that is found.
    fn by_another(&self, own: usize, lookup: &Lookup, lists: &Lists) -> bool {
        let is_another = |askers: Option<&Askers>| askers.is_some_and(|askers| *askers != Askers::One(own));
        let prefix = lists.prefix(lookup).and_then(|prefix| self.prefixes.get(&prefix));
        is_another(self.lookups.get(lookup)) || is_another(prefix)
    }
}

fn note<K: Eq + Hash>(all: &mut HashMap<K, Askers>, key: K, number: usize) {
    let askers = all.entry(key).or_insert(Askers::One(number));
    if *askers != Askers::One(number) {
        *askers = Askers::Several;
    }
}

impl Lists {
    /// Reads the plain lists; `text` gives the text of the one with a name, if it is there.
    ///
    /// # Errors
    /// Those of `text`, and a line among addresses that is none.
    pub fn read(mut text: impl FnMut(&str) -> Result<Option<String>, EngineError>) -> Result<Self, EngineError> {
        let mut lists = Self::default();
        for (kind, file) in LISTS {
            let Some(text) = text(file)? else { continue };
            if kind.starts_with("ip") {
                for line in text.lines() {
                    let prefix = crate::plan::value::parse_address(line);
                    let prefix = prefix.ok_or_else(|| EngineError::Failed(format!("{file}: {line} is no address")))?;
                    if prefix.addr().is_ipv4() != (kind == "ipv4") {
                        return Err(EngineError::Failed(format!("{file}: {line} is of the other family")));
                    }
                    lists.lengths.insert(prefix.prefix_len());
                    lists.prefixes.insert(prefix);
                }
            } else {
                lists.lines.insert(kind, text.lines().map(str::to_owned).collect());
            }
        }
        Ok(lists)
    }

    /// The smallest prefix around an address.
    fn around(&self, address: &IpAddr) -> Option<IpNet> {
        let prefix = |length: &u8| IpNet::new(*address, *length).ok().map(|prefix| prefix.trunc());
        self.lengths.iter().rev().filter_map(prefix).find(|prefix| self.prefixes.contains(prefix))
    }

    /// The prefix that holds what is looked up, if it is an address and one does.
    fn prefix(&self, lookup: &Lookup) -> Option<IpNet> {
        match lookup {
            Lookup::Address(address) => self.around(address),
            _ => None,
        }
    }

    /// The kind of the list that holds what is looked up, if one does.
    #[must_use]
    pub fn find(&self, lookup: &Lookup) -> Option<&'static str> {
        let line = |kinds: &[&'static str], text: &str| {
            kinds.iter().copied().find(|kind| self.lines.get(kind).is_some_and(|lines| lines.contains(text)))
        };
        match lookup {
            Lookup::Address(address) => self.around(address).map(|_| if address.is_ipv4() { "ipv4" } else { "ipv6" }),
            Lookup::Name(name) => line(&["domain"], &name.trim_end_matches('.').to_ascii_lowercase()),
            Lookup::Url(url) => line(&["url"], url),
            Lookup::Hash(hash) => line(&["md5", "sha1", "sha256", "sha512"], hash),
        }
    }
}

/// A program that checks a file.
#[derive(Debug, Clone, Copy)]
pub struct FileCheck {
    /// Its name.
    pub program: &'static str,
    /// What stands in front of the path.
    pub arguments: &'static [&'static str],
}

/// The sets, as nftables reads them. It asks the kernel.
pub const NFT: FileCheck = FileCheck { program: "nft", arguments: &["-c", "-f"] };
/// The response policy zone, as BIND reads it; a name that is no host name is an error.
pub const NAMED_CHECKZONE: FileCheck =
    FileCheck { program: "named-checkzone", arguments: &["-k", "fail", "rpz.example"] };

impl FileCheck {
    /// The command that checks the file at `path`.
    #[must_use]
    pub fn command(self, path: &Path) -> Command {
        let mut command = Command::new(self.program);
        command.args(self.arguments).arg(path);
        command
    }
}

/// What the programs that read the files say of them: those that were asked, and what they refused.
fn check(folder: &Path) -> (Vec<String>, Vec<String>) {
    let checks = [("stixc.nft", NFT), ("rpz.zone", NAMED_CHECKZONE)];
    let (mut checked, mut refused) = (Vec::new(), Vec::new());
    for (file, check) in checks.iter().filter(|(file, _)| folder.join(file).exists()) {
        let program = check.program;
        match run(&mut check.command(&folder.join(file))) {
            Ok(output) if output.status.success() => checked.push(format!("{program} accepts {file}")),
            // It asks the kernel, which answers to root alone.
            Ok(output) if program == NFT.program && said(&output).contains("Operation not permitted") => {
                checked.push(format!("{program} may not check {file} here"));
            }
            Ok(output) => refused.push(format!("{file}: {}", said(&output))),
            Err(EngineError::Missing(why) | EngineError::Failed(why)) => checked.push(format!("engine missing: {why}")),
        }
    }
    (checked, refused)
}
