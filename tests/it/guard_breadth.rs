//! A rule needs something that names: what is broad makes none, in any target, and takes nothing else with it.

use crate::support::project::Project;

use std::sync::Arc;

use proptest::{prelude::*, sample::select};
use stixc::{
    convert::{Converter, Finished, Prepared, Settings},
    guard::{Action, Guard, GuardOptions, Policy, Rule, Scope, Side, breadth},
    output::Memory,
    pattern,
    plan::{
        Plan, Test,
        adapt::{Accept, Adapted, Capabilities, Fit, NO_PLACE, Ties, adapt},
        fidelity::Fidelity,
        lower::lower,
    },
    targets,
};

const TARGETS: [&str; 4] = ["blocklist", "sigma", "suricata", "yara"];

/// Tests that name nobody.
const BROAD: &[&str] = &[
    "network-traffic:protocols[*] = 'tcp'",
    "network-traffic:dst_port = 443",
    "network-traffic:dst_port > 0",
    "network-traffic:src_port IN (80, 443)",
    "network-traffic:dst_ref.value LIKE '192.%'",
    "network-traffic:dst_ref.value MATCHES '^10\\\\.'",
    "network-traffic:dst_ref.value LIKE '%.com'",
    "EXISTS network-traffic:dst_ref.value",
    "network-traffic:extensions.'http-request-ext'.request_method = 'get'",
    "network-traffic:extensions.'http-request-ext'.request_value = '/'",
    "network-traffic:extensions.'http-request-ext'.request_value LIKE '/%'",
    "network-traffic:extensions.'http-request-ext'.request_value MATCHES '\\\\.php$'",
    "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' LIKE 'Mozilla/5.0%'",
    "network-traffic:extensions.'http-request-ext'.request_header.Accept = '*/*'",
    "network-traffic:extensions.'http-request-ext'.message_body_length = 0",
    "file:size > 1000",
    "file:size = 4096",
    "file:name LIKE '%.exe'",
    "file:name LIKE '%'",
    "file:name LIKE 'a_c%'",
    "file:name MATCHES '^.+$'",
    "file:name MATCHES '(?i)[a-z]+\\\\.DLL'",
    "file:name = 'svchost.exe'",
    "file:name = 'SVCHOST.EXE'",
    "file:name = 'C:\\\\Windows\\\\System32\\\\cmd.exe'",
    "file:name IN ('cmd.exe', 'setup.exe')",
    "file:parent_directory_ref.path = 'C:\\\\Windows\\\\System32'",
    "file:parent_directory_ref.path = 'c:\\\\windows\\\\system32\\\\'",
    "file:parent_directory_ref.path LIKE '%\\\\Temp'",
    "file:mime_type = 'application/zip'",
    "file:magic_number_hex = h'4d5a'",
    "EXISTS file:hashes.MD5",
    "file:hashes.MD5 MATCHES '^[0-9a-f]{32}$'",
    "file:extensions.'windows-pebinary-ext'.number_of_sections = 5",
    "file:extensions.'windows-pebinary-ext'.sections[*].name = '.text'",
    "directory:path = 'C:\\\\Windows\\\\System32'",
    "directory:path = '/tmp/'",
    "directory:path LIKE 'C:\\\\Users\\\\%'",
    "process:command_line MATCHES '.*'",
    "process:command_line MATCHES '^(?:cmd|powershell)'",
    "process:command_line LIKE '%powershell%'",
    "process:command_line = 'cmd.exe'",
    "process:command_line = '\"C:\\\\Windows\\\\System32\\\\cmd.exe\"'",
    "process:command_line LIKE '% -e %'",
    "process:image_ref.name = 'powershell.exe'",
    "process:cwd = '/root'",
    "process:pid = 4",
    "process:creator_user_ref.account_login = 'root'",
    "user-account:user_id = 'S-1-5-18'",
    "windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\SOFTWARE\\\\Microsoft\\\\Windows\\\\CurrentVersion\\\\Run'",
    "windows-registry-key:key LIKE '%\\\\CurrentVersion\\\\Run%'",
    "windows-registry-key:values[*].name = 'Start'",
    "windows-registry-key:values[*].data = '4'",
    "domain-name:value LIKE '%.ru'",
    "domain-name:value LIKE '%.co.uk'",
    "domain-name:value LIKE '%google%'",
    "domain-name:value LIKE '%.windowsupdate.com'",
    "domain-name:value LIKE 'a%.windowsupdate.com'",
    "domain-name:value MATCHES '^(.+\\\\.)?windowsupdate\\\\.com$'",
    "network-traffic:dst_ref.value LIKE '%.akamaiedge.net'",
    "url:value LIKE 'http%://login.microsoftonline.com/%'",
    "url:value LIKE '%://www.reddit.com/%'",
    "process:command_line = 'svchost.exe -k netsvcs'",
    "process:command_line = '\"%SystemRoot%\\\\System32\\\\svchost.exe\"  -k  LocalService -p'",
    "file:extensions.'windows-pebinary-ext'.imphash = 'F34D5F2D4577ED6D9CEEC516C1F5A744'",
    "domain-name:value MATCHES '[a-z0-9]+\\\\.com$'",
    "url:value LIKE 'http://%'",
    "url:value LIKE 'https://%.com/%'",
    "url:value MATCHES '\\\\.php\\\\?id='",
    "ipv4-addr:value LIKE '198.%'",
    "email-addr:value LIKE '%@gmail.com'",
    "email-message:subject = 'Invoice'",
    "x509-certificate:issuer LIKE '%Let\\'s Encrypt%'",
    "artifact:payload_bin = b'TVo='",
    "artifact:mime_type = 'application/zip'",
];

/// Tests that name something. The values have a mark.
const NAMING: &[&str] = &[
    "network-traffic:dst_ref.value = 'zqxj.example'",
    "network-traffic:dst_ref.value LIKE '%.zqxj.example'",
    "network-traffic:extensions.'http-request-ext'.request_value = '/zqxj.php'",
    "network-traffic:extensions.'http-request-ext'.request_value MATCHES '^/zqxj[0-9]+\\\\.php$'",
    "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'zqxj/1.0'",
    "network-traffic:extensions.'http-request-ext'.request_header.'X-Test' = 'zqxj'",
    "file:name = 'zqxj.exe'",
    "file:name IN ('zqxj.exe', 'zqxj.dll')",
    "file:name LIKE '%zqxj%.exe'",
    "file:name MATCHES '(?i)zqxj'",
    "file:parent_directory_ref.path = 'C:\\\\zqxj'",
    "file:extensions.'windows-pebinary-ext'.sections[*].name = '.zqxj'",
    "directory:path = 'C:\\\\ProgramData\\\\zqxj'",
    "process:command_line = 'cmd.exe /c zqxj'",
    "process:command_line LIKE '%powershell% zqxj%'",
    "process:image_ref.name = 'zqxj.exe'",
    "process:cwd LIKE '/tmp/zqxj/%'",
    "user-account:account_login = 'zqxj'",
    "windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\SOFTWARE\\\\zqxj'",
    "windows-registry-key:values[*].name = 'zqxj'",
    "domain-name:value = 'zqxj.example'",
    "domain-name:value LIKE '%.zqxj.example'",
    "domain-name:value MATCHES '^zqxj[a-z]+\\\\.com$'",
    "url:value = 'http://zqxj.example/'",
    "url:value LIKE 'http://%/zqxj.php'",
    "email-addr:value = 'zqxj@gmail.com'",
    "email-message:subject = 'zqxj'",
    "x509-certificate:subject = 'CN=zqxj'",
];

fn object_type(test: &str) -> &str {
    test.trim_start_matches("EXISTS ").split(':').next().unwrap()
}

/// A pattern in all targets, with this action for what is broad.
fn converted(pattern: &str, action: Action) -> (Memory, Finished) {
    let rules = vec![Rule::parse(&format!("breadth={}", action.name())).unwrap()];
    let guard = Arc::new(Guard::new(&GuardOptions { rules, ..GuardOptions::default() }).unwrap());
    let prepare =
        |name: &&str| Prepared::with_guard(targets::find(name).unwrap(), None, None, Arc::clone(&guard)).unwrap();
    let settings = Settings::new(TARGETS.iter().map(prepare).collect(), "2024-06-01T00:00:00Z".parse().unwrap());
    let mut converter = Converter::new(&settings);
    converter.pattern("pattern", pattern);
    let mut files = Memory::default();
    let finished = converter.finish(&targets::renderer(targets::TARGETS, None).unwrap(), &mut files);
    (files, finished)
}

fn verdicts(pattern: &str, action: Action) -> Vec<(&'static str, &'static str, Vec<String>)> {
    let (_, finished) = converted(pattern, action);
    let [indicator] = finished.indicators.as_slice() else { panic!("one indicator: {pattern}") };
    assert_eq!(indicator.status.name(), "active", "{pattern}: {:?}", indicator.diagnostics);
    let told = |report: &stixc::TargetReport| report.losses.iter().map(|loss| loss.code.0.to_owned()).collect();
    indicator.targets.iter().map(|(name, report)| (*name, report.verdict.name(), told(report))).collect()
}

#[test]
fn what_is_broad_makes_no_rule_in_any_target() {
    for test in BROAD {
        let pattern = format!("[{test}]");
        for (target, verdict, codes) in verdicts(&pattern, Action::Drop) {
            let guarded = verdict == "guarded" && codes.iter().any(|code| code == "G030");
            let no_place = ["refused", "n/a"].contains(&verdict) && !codes.iter().any(|code| code == "G030");
            assert!(guarded || no_place, "{target}: {pattern} is {verdict} {codes:?}");
        }
    }
}

#[test]
fn what_names_is_never_said_to_be_broad() {
    for test in NAMING {
        let pattern = format!("[{test}]");
        let found = verdicts(&pattern, Action::Drop);
        assert!(found.iter().all(|(.., codes)| codes.iter().all(|code| code != "G030")), "{pattern}: {found:?}");
        assert_eq!(found, verdicts(&pattern, Action::Ignore), "{pattern}");
    }
}

/// The verdict in one target.
fn verdict(pattern: &str, target: &str, action: Action) -> (&'static str, Vec<String>) {
    let found = verdicts(pattern, action).into_iter().find(|(name, ..)| *name == target);
    found.map(|(_, verdict, codes)| (verdict, codes)).expect("the target is among them")
}

#[test]
fn a_rule_is_judged_by_what_is_left_of_it() {
    let cases = [
        // YARA has no file names, Sigma no sizes.
        ("[file:name = 'zqxj.exe' AND file:size > 5]", "yara", "guarded"),
        ("[file:name = 'svchost.exe' AND file:size > 5]", "sigma", "guarded"),
        ("[file:name = 'zqxj.exe' AND file:size > 5]", "sigma", "broader"),
        ("[file:name LIKE '%.exe' AND file:size > 5]", "sigma", "guarded"),
        ("[file:name = 'svchost.exe' AND file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4']", "yara", "broader"),
        ("[file:name = 'svchost.exe' AND file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4']", "sigma", "broader"),
        // Negations name nobody.
        ("[file:size > 5 AND file:hashes.MD5 != '79054025255fb1a26e4bc422aef54eb4']", "yara", "guarded"),
        // An everyday program in a folder that is not its own.
        (
            "[file:name = 'svchost.exe' AND file:parent_directory_ref.path = 'C:\\\\Users\\\\Public']",
            "sigma",
            "broader",
        ),
        (
            "[file:name = 'svchost.exe' AND file:parent_directory_ref.path = 'C:\\\\Windows\\\\System32']",
            "sigma",
            "guarded",
        ),
    ];
    for (pattern, target, expected) in cases {
        let (verdict, codes) = verdict(pattern, target, Action::Drop);
        assert_eq!(verdict, expected, "{target}: {pattern}: {codes:?}");
    }
}

#[test]
fn a_broad_arm_is_taken_out_and_the_others_stay() {
    let arms = [
        "[domain-name:value = 'zqxj.example' OR domain-name:value LIKE '%.com']",
        "[domain-name:value = 'zqxj.example'] OR [file:name = 'svchost.exe']",
        "[file:name IN ('svchost.exe', 'zqxj.exe')]",
        "[file:name LIKE '%.exe' OR file:name LIKE 'zqxj%']",
    ];
    for pattern in arms {
        // Letter case makes rules on names of files broader; what is taken out beside that keeps them none the less.
        let (verdict, codes) = verdict(pattern, "sigma", Action::Drop);
        assert!(["narrower", "approximate"].contains(&verdict), "{pattern} is {verdict}: {codes:?}");
        assert!(codes.contains(&"G030".to_owned()), "{pattern}: {codes:?}");
        for (path, bytes) in converted(pattern, Action::Drop).0.files.iter().filter(|(path, _)| path.ends_with(".yml"))
        {
            let rule = String::from_utf8_lossy(bytes);
            let detection = rule.split("detection:").nth(1).unwrap();
            assert!(detection.contains("zqxj"), "{path}: {rule}");
            assert!(
                !detection.contains("svchost") && !detection.contains(".com") && !detection.contains("%"),
                "{rule}"
            );
        }
    }
}

#[test]
fn several_observations_name_something_where_one_of_them_does() {
    let broad = "([file:name = 'cmd.exe'] AND [file:name = 'setup.exe']) WITHIN 60 SECONDS";
    assert_eq!(verdict(broad, "sigma", Action::Drop).0, "guarded");
    assert_eq!(
        verdict("[file:name = 'cmd.exe'] REPEATS 5 TIMES WITHIN 60 SECONDS", "sigma", Action::Drop).0,
        "guarded"
    );
    let one_names =
        "([process:image_ref.name = 'cmd.exe'] FOLLOWEDBY [process:image_ref.name = 'zqxj.exe']) WITHIN 60 SECONDS";
    assert_eq!(verdict(one_names, "sigma", Action::Drop).0, verdict(one_names, "sigma", Action::Ignore).0);
    assert_ne!(verdict(one_names, "sigma", Action::Drop).0, "guarded");
}

#[test]
fn it_is_counted_and_told() {
    let (_, finished) = converted("[file:name = 'svchost.exe'] OR [file:name = 'zqxj.exe']", Action::Drop);
    assert_eq!((finished.summary.guarded, finished.summary.rendered), (1, 1));
    let (_, finished) = converted("[file:name = 'svchost.exe']", Action::Drop);
    assert_eq!((finished.summary.guarded, finished.summary.verdicts["sigma"].guarded), (1, 1));
    let report = finished.indicators[0].targets.get("sigma").unwrap();
    let loss = report.losses.iter().find(|loss| loss.code.0 == "G030").unwrap();
    assert!(loss.message.contains("the programs of Windows"), "{}", loss.message);
    let (_, finished) = converted("[file:name = 'svchost.exe']", Action::Warn);
    assert_eq!((finished.summary.guarded, finished.summary.verdicts["sigma"].guarded), (0, 0));
}

#[test]
fn the_guard_can_be_lifted_by_name() {
    let pattern = "[file:name = 'svchost.exe']";
    assert_eq!(verdict(pattern, "sigma", Action::Drop).0, "guarded");
    assert_eq!(verdict(pattern, "sigma", Action::Warn), ("broader", vec!["G030".to_owned(), "L004".to_owned()]));
    assert_eq!(verdict(pattern, "sigma", Action::Ignore), ("broader", vec!["L004".to_owned()]));
    let exact = "[network-traffic:dst_port = 4444]";
    assert_eq!(verdict(exact, "suricata", Action::Warn), ("exact", vec!["G030".to_owned()]));
    assert_eq!(verdict(exact, "suricata", Action::Ignore), ("exact", Vec::new()));
}

#[test]
fn the_program_drops_warns_and_ignores() {
    let project = Project::new("");
    let convert = |arguments: &[&str]| {
        let fixed =
            ["convert", "--pattern", "[file:name = 'svchost.exe']", "-t", "sigma", "-o", "out", "--allow-shrink", "-v"];
        let output = project.stixc(&[&fixed, arguments].concat());
        let rules =
            project.path("out/sigma").read_dir().map(|files| files.flatten().collect::<Vec<_>>()).unwrap_or_default();
        let written = rules.iter().any(|file| file.path().extension().is_some_and(|end| end == "yml"));
        (output.status.code(), written, String::from_utf8(output.stderr).unwrap())
    };
    let (code, written, told) = convert(&[]);
    assert_eq!((code, written), (Some(0), false), "{told}");
    assert!(told.contains("G030") && told.contains("is guarded") && told.contains("the programs of Windows"), "{told}");
    let (_, written, told) = convert(&["--guard", "sigma:breadth=warn"]);
    assert!(written && told.contains("G030"), "{told}");
    let (_, written, told) = convert(&["--guard", "breadth=ignore"]);
    assert!(written && !told.contains("G030"), "{told}");
    assert_eq!(convert(&["--fail-on", "guarded"]).0, Some(1));

    let explained = project.stixc(&["explain", "[file:name = 'svchost.exe']"]);
    let explained = String::from_utf8(explained.stdout).unwrap();
    assert!(explained.contains("sigma: guarded\n  G030 "), "{explained}");

    let object = serde_json::json!({
        "type": "indicator", "id": "indicator--00000000-0000-4000-8000-000000000001", "pattern_type": "stix",
        "pattern": "[file:name = 'svchost.exe']", "valid_from": "2026-01-01T00:00:00Z",
    });
    project.write("intel/one.json", object.to_string());
    let kept = ["convert", "intel", "-t", "sigma", "-o", "kept", "--provenance", "--report", "report.json"];
    assert_eq!(project.stixc(&kept).status.code(), Some(0));
    let why = project.stixc(&["why", "svchost.exe", "kept"]);
    let why = String::from_utf8(why.stdout).unwrap();
    assert!(why.contains("sigma guarded") && why.contains("G030 "), "{why}");
    let report: serde_json::Value = serde_json::from_str(&project.read("report.json")).unwrap();
    assert_eq!(report["summary"]["verdicts"]["sigma"]["guarded"], 1, "{report}");
    assert_eq!(report["indicators"][0]["targets"]["sigma"]["losses"][0]["code"], "G030", "{report}");
}

/// A condition at random, of tests on one type of object.
fn condition(types: &'static [&'static str]) -> impl Strategy<Value = String> {
    let of = |all: &'static [&'static str], one: &'static str| -> Vec<&'static str> {
        all.iter().copied().filter(|test| object_type(test) == one).collect()
    };
    let negated = |test: &str| match test.split_once(" = ") {
        Some((path, value)) if !value.starts_with("h'") => format!("{path} != {value}"),
        _ => test.to_owned(),
    };
    select(types).prop_flat_map(move |one| {
        let leaf = prop_oneof![
            3 => select(of(BROAD, one)).prop_map(str::to_owned),
            2 => select(of(NAMING, one)).prop_map(str::to_owned),
            1 => select(of(NAMING, one)).prop_map(negated),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            (prop::collection::vec(inner, 2..4), any::<bool>())
                .prop_map(|(operands, all)| format!("({})", operands.join(if all { " AND " } else { " OR " })))
        })
    })
}

/// A pattern at random.
fn any_pattern() -> impl Strategy<Value = String> {
    let types = &["network-traffic", "file", "process", "windows-registry-key", "domain-name"];
    let single = condition(types).prop_map(|condition| format!("[{condition}]")).boxed();
    let operator = select(vec![" AND ", " OR ", " FOLLOWEDBY "]);
    prop_oneof![
        3 => single.clone(),
        1 => (single.clone(), 2_u8..5).prop_map(|(one, times)| format!("{one} REPEATS {times} TIMES WITHIN 60 SECONDS")),
        2 => (prop::collection::vec(single, 2..4), operator).prop_map(|(all, operator)| {
            format!("({}) WITHIN 60 SECONDS", all.join(operator))
        }),
    ]
}

/// The guard of a target that detects, with this action on rules that name nobody.
fn policy(action: Action) -> Policy {
    let rule = Rule { list: "breadth".to_owned(), scope: Scope::All, action };
    let options = GuardOptions { rules: vec![rule], ..GuardOptions::default() };
    Policy::new(Guard::new(&options).unwrap().into(), "sigma", Side::Detecting)
}

/// What a target of two data sources makes of a plan, which holds some of the tests, as `seed` has it.
fn adapted(plan: &Plan, seed: usize, action: Action) -> Option<Adapted<'_, ()>> {
    let policy = policy(action);
    let judge = |tests: &[&Test]| breadth::objection(&policy, tests, false);
    let ties = Ties { by: "one machine", key: &|_| Some(0), apart: &|_, _| false, window: 60 };
    let capabilities = Capabilities { sources: 2, accept: Accept::ALL, ties: Some(ties), judge: &judge };
    let fit = |source: usize, test: &Test| {
        let holds = !(test.to_string().len() * 31 + source * 7 + seed).is_multiple_of(4);
        let lacks = || Fit::Lacks(NO_PLACE, "no place".to_owned());
        if holds { Fit::Holds { by: (), weak: false, loss: None } } else { lacks() }
    };
    adapt(plan, capabilities, fit).ok()
}

/// Whether a test has the mark of those that name in all of its values.
fn has_mark(test: &Test) -> bool {
    !test.negated && !test.values.is_empty() && test.values.iter().all(|value| value.to_string().contains("zqxj"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_pattern_makes_a_rule_without_something_that_names(text in any_pattern(), seed in 0_usize..4) {
        let pattern = pattern::parse(&text).unwrap();
        let lowering = lower(&pattern);
        // What never holds has no rule anyway.
        prop_assume!(lowering.diagnostics.is_empty());
        let plan = lowering.plan;
        let plan = breadth::split(&policy(Action::Drop), &plan);
        let Some(found) = adapted(&plan, seed, Action::Drop) else { return Ok(()) };
        for part in &found.parts {
            prop_assert!(part.tests.iter().any(|(test, ())| has_mark(test)), "{text}: {:?}", part.tests);
        }
        for sequence in &found.sequences {
            let names = |step: &stixc::plan::adapt::Step<'_, ()>| {
                step.parts.iter().all(|part| part.tests.iter().any(|(test, ())| has_mark(test)))
            };
            prop_assert!(sequence.steps.iter().any(names), "{text}");
        }
        // What is left out is told.
        let all = adapted(&plan, seed, Action::Ignore).unwrap();
        let took = found.parts.len() < all.parts.len() || found.sequences.len() < all.sequences.len();
        let is_told = found.losses.iter().any(|loss| loss.code == breadth::NAMES_NOTHING);
        let other_source = all.parts.iter().all(|part| found.parts.iter().any(|one| one.alternative == part.alternative))
            && all.sequences.len() == found.sequences.len();
        prop_assert!(!took || is_told || other_source, "{text}: {:?}", found.losses);
        prop_assert!(!is_told || found.fidelity.fewer || found.fidelity == Fidelity::EXACT, "{text}");
    }
}
