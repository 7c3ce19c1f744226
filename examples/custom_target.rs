//! A target outside of this crate: items of Zeek's Intelligence Framework. `cargo run --example custom_target`

use std::{collections::BTreeMap, collections::BTreeSet, fs, path::Path};
use stixc::{Code, Fidelity, Plan, backend::*, proof::*};

const FILE: &str = "zeek/intel.dat";
const MAPPING: &str = r#"
row = [
    { property = "ipv4-addr:value", data_source = "address" }, { property = "ipv6-addr:value", data_source = "address" },
    { property = "domain-name:value", data_source = "domain" }, { property = "url:value", data_source = "url" },
    { property = "file:hashes.MD5", data_source = "hash" }, { property = "file:hashes.'SHA-256'", data_source = "hash" },
]
[data_source]
address = { indicator_type = "Intel::ADDR" }
domain = { indicator_type = "Intel::DOMAIN" }
hash = { indicator_type = "Intel::FILE_HASH" }
url = { indicator_type = "Intel::URL", broader = "Zeek ignores the letter case of URLs" }
"#;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    indicator_type: String,
    broader: Option<String>,
}

/// The type of an indicator, and the indicator as Zeek compares it.
type Item = (String, String);

/// Nothing that Zeek never sees becomes an item, nor what has a meaning of its own in its files.
fn item(source: &Source, text: &str) -> Option<Item> {
    let url = url::Url::parse(text).ok().filter(|url| url.scheme() == "http");
    let sent = url.as_ref().map(|url| &url[url::Position::BeforeHost..url::Position::AfterQuery]);
    let text = if source.indicator_type == "Intel::URL" { sent? } else { text };
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    is_plain.then(|| (source.indicator_type.clone(), text.to_ascii_lowercase()))
}

/// The target.
pub(crate) struct Zeek;
struct Intel(Mapping<Source, NoKeys>, Options);

impl Target for Zeek {
    fn name(&self) -> &'static str {
        "zeek"
    }
    fn about(&self) -> &'static str {
        "Items of Zeek's Intelligence Framework"
    }
    fn formats(&self) -> &'static [Format] {
        &[Format {
            name: "intel",
            template: "intel.hbs",
            source: "{{indicator}}\t{{indicator_type}}\tstixc\n",
            path: FILE,
            auxiliary: false,
            about: "A file for Intel::read_files",
        }]
    }
    fn mapping(&self) -> &'static str {
        MAPPING
    }
    fn codes(&self) -> &'static str {
        r#"L900 = { title = "Items stand alone", text = "No item asks for two things.", example = "[…]" }"#
    }
    fn prepare(&self, mapping: Option<&str>, options: Options) -> Result<Box<dyn AnyBackend>, MappingError> {
        Ok(Box::new(Intel(Mapping::read_over(mapping, MAPPING)?, options)))
    }
    fn engine(&self) -> Option<Box<dyn AnyEngine>> {
        Some(Box::new(Zeek))
    }
}

impl Intel {
    fn fit(&self, source: usize, test: &Test) -> Fit<Vec<Item>> {
        let Some(_) = self.0.rows(source, test).next() else { return Fit::Lacks(NO_PLACE, "no item is that".into()) };
        let (Operator::Equal, false) = (test.operator, test.negated) else {
            return Fit::Lacks(NO_OPERATOR, "an item is one value".into());
        };
        let source = &self.0.data_sources()[source].data;
        let items = test.values.iter().map(|value| item(source, &value.kind.as_text()?));
        let Some(by) = items.collect() else { return Fit::Lacks(NO_VALUE, "Zeek never sees it".into()) };
        Fit::Holds { by, weak: false, loss: source.broader.clone().map(|why| (CASE, Fidelity::BROADER, why)) }
    }
}

impl Backend for Intel {
    type Draft = Item;
    fn lower(&self, plan: &Plan) -> Result<Lowered<Item>, Refusal> {
        let capabilities = self.1.capabilities(self.0.data_sources().len(), None);
        let mut adapted = adapt(plan, capabilities, |source, test| self.fit(source, test))?;
        let (alone, lost) = adapted.alone(Code("L900"), "an item stands alone");
        let items: Vec<_> = alone.into_iter().flat_map(|part| part.tests).flat_map(|(_, items)| items).collect();
        let (fidelity, losses) = adapted.finish(lost, !items.is_empty())?;
        Ok(Lowered { fidelity, losses: losses.into(), drafts: items.into_iter().map(Box::new).collect() })
    }
    fn emit(&self, rules: &[Rule<Item>], emission: &mut dyn Emission) -> Result<(), EmitError> {
        let mut items: BTreeMap<&Item, BTreeSet<&String>> = BTreeMap::new();
        for (index, rule) in rules.iter().enumerate() {
            let Content::Compiled(lowered) = &rule.content else { continue };
            lowered.drafts.iter().for_each(|item| items.entry(item).or_default().extend(rule.origin.indicators()));
            emission.record_rules(index, lowered.drafts.iter().map(|item| item.1.clone().into()).collect());
        }
        let mut file = RuleFile::new(FILE, emission)?;
        file.push(b"#fields\tindicator\tindicator_type\tmeta.source\n");
        for ((list, id), indicators) in items {
            let (list, id, indicators) = (list.clone(), id.clone(), indicators.into_iter().cloned().collect());
            let view = serde_json::json!({"indicator": id, "indicator_type": list});
            let record = RuleRecord { list, id, indicators, ..RuleRecord::default() };
            file.render_rule(record, "intel.hbs", view, emission)?;
        }
        file.write(emission)
    }
    fn export(&self, tested: Vec<Tested<'_>>, written: &[File]) -> Option<Exported> {
        Some(export(self, tested, written))
    }
}

impl Exporter for &Intel {
    type Shown = Vec<Item>;
    fn cases(&mut self, pattern: &TestPattern, witness: &Witness) -> Vec<(bool, Vec<Item>)> {
        let Some(files) = files::write(&witness.sightings, &pattern.known.files, 0) else { return Vec::new() };
        let items = self.0.all_rows().flat_map(|(property, row)| {
            let seen = files.seen.iter().flat_map(|sighting| sighting.values(property, &row.referent));
            seen.filter_map(|text| item(&self.0.data_sources()[row.data_source].data, text.as_str()?))
        });
        vec![(pattern.matches(&files.seen).unwrap_or(witness.matches), items.collect())]
    }
}

impl Engine for Zeek {
    type Shown = Vec<Item>;
    fn run(&self, folder: &Path, patterns: &[PatternCases<Vec<Item>>]) -> Result<EngineRun, EngineError> {
        let text = fs::read_to_string(folder.join("intel.dat"))?;
        let lines: BTreeSet<_> = text.lines().filter_map(|line| line.rsplit_once('\t')).map(|(line, _)| line).collect();
        let is_listed = |(kind, text): &&Item| lines.contains(format!("{text}\t{kind}").as_str());
        let found = |items: &Vec<Item>| items.iter().filter(is_listed).map(|(_, text)| text.clone()).collect();
        let fired = patterns.iter().map(|pattern| pattern.cases.iter().map(|case| found(&case.shown)).collect());
        Ok(EngineRun { engine: "a reader of the file".to_owned(), fired: fired.collect(), ..EngineRun::default() })
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = stixc::Options::new("2024-06-01T00:00:00Z".parse()?).custom_target(&Zeek);
    let (feed, folder) = (fs::read("examples/feed.json")?, tempfile::tempdir()?);
    print!("{}", String::from_utf8_lossy(&stixc::convert(&feed, &options)?.files[FILE]));
    let proved = stixc::prove(&feed, &options, folder.path())?;
    proved.iter().flat_map(|(_, rules)| rules).for_each(|rule| println!("{} {:?}", rule.rule, rule.state));
    Ok(())
}
