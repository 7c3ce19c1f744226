//! `stixc why`, asked for 1,000 values, beside a reader of the files that knows nothing of the index.

use std::{collections::BTreeSet, fs, net::IpAddr, path::Path};

use ipnet::IpNet;
use serde_json::{Value, json};
use stixc::trace::{Origins, Output, Query};

use crate::support::{
    feeds::{Outputs, indicator},
    generate::Numbers,
};

/// What a text of the output asks for: addresses, and all other words.
#[derive(Debug, Default)]
struct Asked {
    nets: Vec<IpNet>,
    words: BTreeSet<String>,
}

impl Asked {
    fn add(&mut self, word: &str) {
        let net = word.parse().ok().or_else(|| Some(IpNet::from(word.parse::<IpAddr>().ok()?)));
        match net {
            Some(net) => self.nets.push(net),
            None => _ = self.words.insert(word.to_owned()),
        }
    }

    /// What a part of a file asks for. Of rules it is what their engine compares, and not what they say of themselves.
    fn read(path: &str, text: &str) -> Self {
        let mut asked = Self::default();
        if path.starts_with("suricata/") && path.ends_with(".rules") {
            for line in text.lines().filter(|line| line.starts_with("alert ")) {
                let (header, options) = line.split_once(" (").unwrap();
                header.split([' ', ',', '[', ']']).for_each(|word| asked.add(word));
                let options = options.split("; ").filter_map(|option| option.strip_prefix("content:\""));
                let contents: Vec<&str> = options.filter_map(|content| content.split('"').next()).collect();
                if let [alone] = contents.as_slice() {
                    asked.add(alone);
                }
                // Host and target of a request are compared apart.
                asked.words.extend(contents.windows(2).map(|pair| format!("http://{}{}", pair[0], pair[1])));
                asked.words.extend(contents.windows(2).map(|pair| format!("http://{}{}", pair[1], pair[0])));
            }
        } else if path.ends_with(".yml") {
            let blocks = text.split("\ndetection:").skip(1).filter_map(|rest| rest.split("\n    condition:").next());
            // What a filter names is left out, and signs that stand for themselves are marked.
            let selections = blocks.filter_map(|block| block.split("\n    filter").next());
            let words = selections.flat_map(|block| block.split(['\n', ' ', '\'', '"', ',']));
            words.for_each(|word| asked.add(word.trim_start_matches("SHA256=").replace('\\', "").as_str()));
        } else if path.ends_with(".yar") {
            let conditions = text.split("condition:").skip(1).filter_map(|rest| rest.split("\n}").next());
            conditions.flat_map(|condition| condition.split('"')).for_each(|word| asked.add(word));
        } else if path.starts_with("blocklist/") || path.contains("/lists/") {
            let words = text.lines().filter_map(|line| line.split_whitespace().next());
            words.for_each(|word| asked.add(word.trim_start_matches("||").trim_end_matches('^')));
        }
        asked
    }

    fn add_all(&mut self, other: Self) {
        self.nets.extend(other.nets);
        self.words.extend(other.words);
    }

    /// Whether what is looked for here finds the value.
    fn covers(&self, value: &Kind) -> bool {
        match value {
            Kind::Net(net) => self.nets.iter().any(|other| other.contains(net)),
            Kind::Word(word) => self.words.contains(word) || self.words.contains(&word.to_uppercase()),
            Kind::Url { url, host } => {
                let is_host =
                    |host: &str| host.parse::<IpAddr>().is_ok_and(|host| self.covers(&Kind::Net(IpNet::from(host))));
                [url.as_str(), host].iter().any(|text| self.words.contains(*text)) || is_host(host)
            }
            Kind::Nothing => false,
        }
    }
}

/// A value, as who generated it knows it.
#[derive(Debug, Clone)]
enum Kind {
    Net(IpNet),
    Word(String),
    Url { url: String, host: String },
    Nothing,
}

/// A value as it is asked for, and what it is.
type Case = (String, Kind);

fn net(text: &str) -> Case {
    let net: IpNet = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).unwrap();
    (text.to_owned(), Kind::Net(net.trunc()))
}

fn word(text: &str) -> Case {
    (text.to_owned(), Kind::Word(text.to_lowercase()))
}

fn url(host: &str, path: &str) -> Case {
    let url = format!("http://{host}{path}");
    (url.clone(), Kind::Url { url, host: host.to_owned() })
}

const EXPIRED: &str = "2024-02-01T00:00:00Z";

/// A feed in which values stand alone, in alternatives, beside others and in what is no longer in force; and values of it
/// and beside it.
fn generate(random: &mut Numbers) -> (Vec<Value>, Vec<Case>) {
    let mut feed = Vec::new();
    let mut cases = Vec::new();
    while cases.len() < 1000 {
        let (low, other) = (random.below(40) + 1, random.below(40) + 1);
        let name = format!("h{}.evil{}.example", random.below(6), random.below(5));
        let digest = format!("{:064x}", random.below(9) * 7919 + 1);
        let address = format!("198.51.{}.{low}", random.below(4) + 100);
        for _ in 0..3 {
            let pattern = match random.below(10) {
                0 => format!("[ipv4-addr:value = '{address}']"),
                1 => format!("[ipv4-addr:value ISSUBSET '203.0.{}.{}/{}']", other % 8, low, 24 + random.below(8)),
                2 => format!("[ipv6-addr:value = '2001:db8:{:x}::{:x}']", other % 16, low),
                3 => format!("[domain-name:value = '{name}']"),
                4 => format!("[url:value = 'http://{name}/p{}/x?y={low}']", other % 5),
                5 => format!("[file:hashes.'SHA-256' = '{digest}']"),
                // The second one is on no list, and a rule for it needs both.
                6 => format!(
                    "[ipv4-addr:value = '{address}'] OR [domain-name:value = '{name}' AND domain-name:x_seen = 'a']"
                ),
                7 => format!("[domain-name:value IN ('{name}', 'b{low}.example')] OR [mutex:name = 'm{low}-{other}']"),
                8 => format!("[file:hashes.'SHA-256' = '{digest}' AND file:name = 'n{low}.exe']"),
                _ => format!("[domain-name:value != '{name}' AND domain-name:value LIKE '%.evil.example']"),
            };
            let mut one = indicator(feed.len() + 1, &pattern);
            match random.below(8) {
                0 => one["valid_until"] = json!(EXPIRED),
                1 => one["revoked"] = json!(true),
                _ => {}
            }
            feed.push(one);
        }
        cases.extend([net(&address), word(&name), word(&digest), word(&name.to_uppercase())]);
        cases.push(net(&format!("203.0.{}.{}", other % 8, low)));
        cases.push(net(&format!("203.0.{}.0/{}", other % 8, 20 + random.below(10))));
        cases.push(net(&format!("198.51.{}.{}/{}", 100 + other % 4, low, 8 + random.below(25))));
        cases.push(net(&format!("2001:db8:{:x}::{:x}", low % 16, other)));
        cases.push(net(&format!("2001:db8:{:x}::{:x}", other % 16, low)));
        cases.push(word(&format!("www.{name}")));
        cases.push(word(name.split_once('.').unwrap().1));
        cases.extend([
            word(&format!("m{low}-{other}")),
            word(&format!("b{other}.example")),
            word(&format!("n{low}.exe")),
        ]);
        cases.push(url(&name, &format!("/p{}/x?y={low}", other % 5)));
        cases.push(url(&name, &format!("/p{}/x?y={other}", low % 5)));
        cases.push(url(&address, "/x"));
        cases.push(url("nobody.example", "/x"));
        cases.push((format!("{address}/99"), Kind::Nothing));
        cases.push((format!("{digest}0"), Kind::Nothing));
    }
    cases.truncate(1000);
    (feed, cases)
}

/// All files below a folder, by their paths.
fn files(folder: &Path, below: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = format!("{below}{}", entry.file_name().into_string().unwrap());
        if entry.path().is_dir() {
            found.extend(files(&entry.path(), &format!("{path}/")));
        } else {
            found.push((path, fs::read_to_string(entry.path()).unwrap()));
        }
    }
    found
}

/// The part of a file in which a rule or an entry stands.
fn part(path: &str, text: &str, line: usize) -> String {
    let lines = text.lines().skip(line - 1);
    match path.rsplit('.').next() {
        Some("yml") => text.to_owned(),
        Some("yar") => lines.take_while(|line| *line != "}").collect::<Vec<_>>().join("\n"),
        _ => lines.take(1).collect(),
    }
}

fn agree(arguments: &[&str]) {
    let (feed, cases) = generate(&mut Numbers::new(7));
    let outputs = Outputs::default();
    outputs.convert("out", &feed, arguments);
    let folder = outputs.path("out");
    let files = files(Path::new(&folder), "");
    let is_plain = |path: &str| !path.starts_with("blocklist/") || path.ends_with(".txt");
    let mut all = Asked::default();
    for (path, text) in files.iter().filter(|(path, _)| is_plain(path)) {
        all.add_all(Asked::read(path, text));
    }
    let output = Output::read(Path::new(&folder)).unwrap();
    let mut covered = 0;
    for (asked, kind) in &cases {
        let answer = Origins::find(&Query::parse(asked), &output);
        assert_eq!(answer.is_found(), all.covers(kind), "{asked} ({kind:?}): {:#?}", answer.places);
        covered += usize::from(answer.is_found());
        for place in answer.places.iter().filter(|place| place.relation.is_some_and(|relation| relation.covers())) {
            let (path, text) = files.iter().find(|(path, _)| *path == place.label.file).unwrap();
            let part = part(path, text, place.label.line);
            let mut own = Asked::read(path, &part);
            // A rule may ask for a list beside it.
            let lists = files.iter().filter(|(path, _)| path.contains("/lists/"));
            let named = lists.filter(|(path, _)| part.contains(path.trim_start_matches("suricata/")));
            named.for_each(|(path, text)| own.add_all(Asked::read(path, text)));
            assert!(own.covers(kind), "{asked}: {place:?} asks for {own:?}");
        }
    }
    assert!(cases.len() == 1000 && (250..750).contains(&covered), "{covered} of {} are covered", cases.len());
}

#[test]
fn a_thousand_values_are_found_where_a_reader_of_the_files_finds_them() {
    agree(&[]);
}

#[test]
fn a_thousand_values_are_found_whatever_a_template_writes() {
    let outputs = Outputs::default();
    fs::create_dir_all(outputs.path("templates/blocklist")).unwrap();
    fs::write(outputs.path("templates/blocklist/list.hbs"), "{{#each entries}}\n||{{this}}^\n{{/each}}\n").unwrap();
    agree(&["--templates", &outputs.path("templates")]);
}
