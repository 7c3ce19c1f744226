//! examples/custom_target.rs: a target that lives outside of the crate, with all that those inside have.

use std::fs;

use stixc::{Conversion, Options, RuleReport, State, compile, prove};

use super::{example, zeek};
use crate::support::{
    project::{NOW, bundle, indicator},
    validators::scratch,
};

fn options() -> Options {
    Options::new(NOW.parse().unwrap()).custom_target(&zeek::Zeek)
}

fn items(conversion: &Conversion) -> Vec<&str> {
    let text = std::str::from_utf8(&conversion.files["zeek/intel.dat"]).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

/// What became of the rules of these patterns.
fn proved(patterns: &[&str], options: &Options) -> Vec<RuleReport> {
    let feed: Vec<_> = patterns.iter().enumerate().map(|(number, pattern)| indicator(number, pattern)).collect();
    let proved = prove(bundle(&feed).as_bytes(), options, scratch().path()).unwrap();
    proved
        .into_iter()
        .flat_map(|(engine, rules)| {
            assert!(!engine.missing && engine.refused.is_empty(), "{engine:?}");
            rules
        })
        .collect()
}

const PATTERNS: [&str; 4] = [
    "[ipv4-addr:value = '198.51.100.7']",
    "[domain-name:value = 'evil.example' OR domain-name:value = 'bad.example']",
    "[url:value = 'http://evil.example/A?b=1#c']",
    "[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
];

#[test]
fn custom_target_is_short_and_runs() {
    let lines = fs::read_to_string(example("custom_target.rs")).unwrap().lines().count();
    assert!(lines <= 150, "{lines} lines");
    zeek::main().unwrap();
}

#[test]
fn custom_target_has_verdicts_and_codes() {
    let told = |pattern: &str| {
        let conversion = compile(pattern, &options()).unwrap();
        let codes: Vec<_> = conversion.report().indicators[0]
            .targets
            .get("zeek")
            .unwrap()
            .losses
            .iter()
            .map(|loss| loss.code.0)
            .collect();
        let verdict = conversion.verdicts("zeek").next().unwrap().name();
        (items(&conversion).join(" "), verdict, codes)
    };
    assert_eq!(told(PATTERNS[0]), ("198.51.100.7\tIntel::ADDR\tstixc".to_owned(), "exact", vec![]));
    assert_eq!(told(PATTERNS[2]), ("evil.example/a?b=1\tIntel::URL\tstixc".to_owned(), "broader", vec!["L004"]));
    let digest = "d".repeat(64);
    let joint = format!("[file:hashes.MD5 = '{}' AND file:hashes.'SHA-256' = '{digest}']", &digest[..32]);
    assert_eq!(told(&joint).1, "refused");
    let either = format!("{} OR {}", PATTERNS[0], joint);
    assert_eq!(told(&either), ("198.51.100.7\tIntel::ADDR\tstixc".to_owned(), "narrower", vec!["L900"]));
    assert_eq!(told("[url:value = 'https://evil.example/']").1, "refused");
}

#[test]
fn custom_target_is_recorded_and_proved() {
    let conversion = compile(PATTERNS[1], &options()).unwrap();
    let index = std::str::from_utf8(&conversion.files["zeek/index.jsonl"]).unwrap();
    assert!(index.contains(r#""list":"Intel::DOMAIN","id":"evil.example""#), "{index}");

    let rules = proved(&PATTERNS, &options());
    assert_eq!(rules.len(), 5);
    for rule in rules {
        assert!(rule.state == State::Fires && rule.fired > 0 && rule.silent > 0, "{rule:?}");
    }
}

#[test]
fn custom_target_is_proved_by_what_is_in_its_file() {
    let templates = scratch();
    fs::create_dir(templates.path().join("zeek")).unwrap();
    fs::write(templates.path().join("zeek/intel.hbs"), "www.{{indicator}}\t{{indicator_type}}\tstixc\n").unwrap();
    let rules = proved(&PATTERNS[..1], &options().templates(templates.path()));
    assert!(rules.iter().all(|rule| rule.state == State::Fails), "{rules:?}");
}

#[test]
fn custom_target_reads_a_mapping_and_shows_by_it() {
    let mapping = "row = [{ property = 'email-addr:value', data_source = 'mail' }]\n\
                   [data_source]\nmail = { indicator_type = 'Intel::EMAIL', broader = 'Zeek ignores letter case' }\n";
    let options = options().mapping(mapping);
    let rules = proved(&["[email-addr:value = 'eve@evil.example']", PATTERNS[0]], &options);
    assert_eq!(
        rules.iter().map(|rule| (rule.rule.as_str(), rule.state)).collect::<Vec<_>>(),
        [("eve@evil.example", State::Fires), ("198.51.100.7", State::Fires)]
    );
}
