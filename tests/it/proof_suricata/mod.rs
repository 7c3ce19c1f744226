//! The proof for Suricata: its rules alert on what their verdict says and on nothing else.
//!
//! Witnesses of each pattern are played into one capture, and Suricata reads it once with the rules of all patterns. What
//! alerted in a session is held against the evaluator's answer. A session counts by itself: a rule that sees a name in small
//! letters and not in capitals is found out.

mod by_hand;
use crate::support;
use crate::support::emission;
use crate::support::sigma_cases as cases;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    time::{Duration, Instant},
};

use emission::{Memory, emit, prepared};
use serde_json::{Value as Json, json};
use stixc::{
    pattern,
    plan::{fidelity::Fidelity, lower::lower},
    span::Span,
    targets::{
        Target,
        contract::{AnyBackend, Rule},
        find,
        record::Record,
        suricata::{
            engine::version,
            show::{PcapLog, complete, show},
        },
    },
    witness::{
        Aim, Oracle, Sighting, Witness,
        check_verdict::{CaseResult, Disagreement, check_verdict},
        files::KnownFiles,
        index::TestedRule,
        known_files::{Substitution, substitute},
        solve::{Bounds, witnesses},
    },
};
use support::{
    corpus, generate, proof,
    validators::{self, on_disk, suricata},
};

/// More than any window of the rules.
const PAUSE: Duration = Duration::from_secs(4000);

/// How many patterns are loaded at once.
const BATCH: usize = 250;

const RULES: &str = "suricata/stixc.rules";

fn target() -> &'static dyn Target {
    find("suricata").unwrap()
}

/// Sightings, and whether the pattern matches them.
struct Seen {
    matches: bool,
    sightings: Vec<Sighting>,
    /// The part of the pattern that it breaks.
    breaks: Option<Span>,
    /// The hashes of the file that is sent.
    hashes: Vec<String>,
}

impl Seen {
    fn new(matches: bool, sightings: Vec<Sighting>, breaks: Option<Span>, known: &KnownFiles) -> Self {
        let whole = complete(&sightings, known, &str::to_owned);
        let hashes = whole.iter().filter_map(|one| one.objects["0"].get("hashes")?.as_object());
        let hashes =
            hashes.flat_map(|hashes| hashes.values().filter_map(|hash| hash.as_str().map(str::to_ascii_lowercase)));
        Self { matches, breaks, hashes: hashes.collect(), sightings }
    }
}

/// A pattern with its witnesses.
struct Case {
    text: String,
    verdict: Fidelity,
    /// The codes of what is lost.
    codes: String,
    known: Substitution,
    /// The plan about known files, as text.
    plan: String,
    seen: Vec<Seen>,
    /// Whether witnesses were found for all that the pattern says.
    complete: bool,
    /// Whether another alternative sees what a witness of one shows: a URL shows the name of its host.
    covered: bool,
    /// The parts of the pattern of which the rules say less.
    broader: Vec<Span>,
}

/// What is wrong with the rules of a pattern, one line each; empty where nothing is.
fn prove(cases: Vec<Case>, rules: Vec<Rule>) -> Vec<String> {
    let began = Instant::now();
    let memory = emit(target(), rules);
    let (_folder, path) = on_disk(&memory.files, RULES);
    suricata::check(&path).assert_accepted();
    let loaded = began.elapsed();
    let mut log = PcapLog::new();
    // Takes of one pattern lie far apart, so that what a sensor remembers of one does not count in the next.
    let mut sessions: Vec<(usize, usize, Vec<usize>)> = Vec::new();
    // Whether there is no traffic like a witness that the pattern matches.
    let mut unseen = vec![false; cases.len()];
    // Whether there is traffic like a near miss of what the rules don't say.
    let mut tried = vec![false; cases.len()];
    let longest = cases.iter().map(|case| case.seen.len()).max().unwrap_or_default();
    for number in 0..longest {
        for (index, case) in cases.iter().enumerate() {
            let Some(seen) = case.seen.get(number) else { continue };
            let Some(played) = show(&seen.sightings, &case.known.files) else {
                unseen[index] |= seen.matches;
                continue;
            };
            let overlaps = |broken: &Span| {
                cases[index].broader.iter().any(|span| span.to(*broken) == *span || span.to(*broken) == *broken)
            };
            tried[index] |= !seen.matches && seen.breaks.as_ref().is_some_and(overlaps);
            let numbers = played.iter().map(|session| log.append(session, PAUSE).number).collect();
            sessions.push((index, number, numbers));
        }
    }
    let mut heard: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
    for (sid, time) in suricata::alarms(&path, log.bytes()) {
        heard.entry(log.at(time).expect("an alert in a session")).or_default().insert(sid);
    }
    let count: usize = sessions.iter().map(|(_, _, numbers)| numbers.len()).sum();
    eprintln!(
        "{} patterns, {} witnesses, {count} sessions, {} MB, rules loaded in {loaded:.1?}, all in {:.1?}",
        cases.len(),
        sessions.len(),
        log.bytes().len() >> 20,
        began.elapsed()
    );
    // A common list is one rule for all patterns; the line of the hash tells whose it is.
    let lists = lists(&memory);
    let (_, version) = version().expect("Suricata");
    let mut shown: Vec<Vec<(CaseResult, usize, usize)>> = vec![Vec::new(); cases.len()];
    for (index, number, numbers) in &sessions {
        let sids = sids(&memory, *index, version);
        for (way, session) in numbers.iter().enumerate() {
            let fired = heard.get(session).map_or_else(BTreeSet::new, |heard| {
                let case = &cases[*index];
                let has = |digits: &usize| {
                    let mut hashes = case.seen[*number].hashes.iter();
                    hashes.any(|hash| hash.len() == *digits && case.plan.contains(hash))
                };
                let is_own = |sid| lists.get(sid).is_none_or(has);
                let alerted = sids.iter().enumerate().filter(|(_, sid)| heard.contains(sid) && is_own(sid));
                alerted.map(|(rule, _)| rule).collect()
            });
            shown[*index].push((CaseResult { matches: cases[*index].seen[*number].matches, fired }, *number, way));
        }
    }
    let mut wrong = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let sids = sids(&memory, index, version);
        let all: Vec<CaseResult> = shown[index].iter().map(|(shown, _, _)| shown.clone()).collect();
        let mut found = check_verdict(case.verdict, sids.len(), &all);
        found.retain(|one| match one {
            Disagreement::Dead(_) | Disagreement::NothingShowsFewer => case.complete && !unseen[index] && !case.covered,
            Disagreement::NothingShowsMore => case.complete && !unseen[index] && tried[index],
            _ => true,
        });
        if !found.is_empty() {
            wrong.push(told(case, &memory, &sids, &shown[index], &found));
        }
    }
    wrong
}

/// What is wrong, with all that is needed to see why.
fn told(
    case: &Case,
    memory: &Memory,
    sids: &[u32],
    shown: &[(CaseResult, usize, usize)],
    found: &[Disagreement],
) -> String {
    let mut text = format!("{} ({} {})", case.text, case.verdict, case.codes);
    let session = |number: usize| {
        let (shown, witness, way) = &shown[number];
        let sightings = &case.seen[*witness].sightings;
        let objects: Vec<String> =
            sightings.iter().map(|one| format!("{} {}", one.at, Json::from(one.objects.clone()))).collect();
        format!("witness {witness} way {way} (matches: {}): {}", shown.matches, objects.join(" + "))
    };
    for one in found.iter().take(4) {
        let _ = match one {
            Disagreement::Fired(number) => write!(text, "\n  fired on {}", session(*number)),
            Disagreement::Silent(number) => write!(text, "\n  silent on {}", session(*number)),
            other => write!(text, "\n  {other:?}"),
        };
    }
    let files = [RULES, "suricata/md5.rules", "suricata/sha1.rules"]
        .into_iter()
        .filter(|path| memory.files.contains_key(*path));
    for line in files
        .flat_map(|path| memory.text(path).lines())
        .filter(|line| sids.iter().any(|sid| line.contains(&format!("sid:{sid};"))))
        .take(4)
    {
        let _ = write!(text, "\n    {}", line.split(" classtype:").next().unwrap_or_default());
    }
    text
}

/// The rules of a pattern that alert by themselves in this version of Suricata.
fn sids(memory: &Memory, index: usize, version: u32) -> Vec<u32> {
    let rules = memory.rules.get(&index).into_iter().flatten().cloned().map(TestedRule::from);
    rules.filter(|rule| rule.runs_in(version) && !rule.serves).map(|rule| rule.id.parse().unwrap()).collect()
}

/// The common lists of hashes: the number of the rule of each, and how many digits its hashes have.
fn lists(memory: &Memory) -> BTreeMap<u32, usize> {
    let titled = |record: &Record| match record {
        Record::Rule(rule) => Some((rule.id.parse().ok()?, rule.title.clone())),
        _ => None,
    };
    let digits = |(sid, title): (u32, String)| {
        let lists = [("md5", 32), ("sha1", 40), ("sha256", 64)].into_iter();
        lists
            .filter(|(name, _)| title.contains(&format!("file with a listed {name} ")))
            .map(|(_, digits)| (sid, digits))
            .next()
    };
    memory.records.iter().filter_map(titled).filter_map(digits).collect()
}

/// A pattern lowered, where the target has rules for it.
fn lowered(lowerer: &dyn AnyBackend, text: &str, known: Substitution, index: usize) -> Option<(Case, Rule)> {
    let plan = &known.plan;
    let lowered = lowerer.lower(plan).ok()?;
    let id = format!("indicator--00000000-0000-4000-8000-{index:012}");
    let case = Case {
        text: text.to_owned(),
        verdict: lowered.fidelity,
        codes: lowered.losses.iter().map(|loss| loss.code.0).collect::<Vec<_>>().join(" "),
        broader: lowered.losses.iter().filter(|loss| loss.effect.more).map(|loss| loss.span).collect(),
        plan: plan.to_string(),
        seen: Vec::new(),
        complete: true,
        covered: false,
        known,
    };
    Some((case, proof::rule(id, lowered)))
}

/// A sighting of an object, and of those that it refers to, so many seconds after the first.
fn sighting(seconds: i64, objects: &Json) -> Sighting {
    Sighting { at: (1_704_067_200 + seconds) * 1_000_000, objects: objects.as_object().unwrap().clone() }
}

/// Sightings by hand: seconds after the first, and objects.
type Shots = Vec<(i64, Json)>;

/// Holds the rules of each pattern against these sightings; the evaluator says which match.
#[track_caller]
fn hold(patterns: &[(&str, Vec<Shots>)]) {
    let lowerer = prepared(target(), target().accepts());
    let (mut cases, mut rules) = (Vec::new(), Vec::new());
    for (text, seen) in patterns {
        let known = substitute(&lower(&pattern::parse(text).unwrap()).plan);
        let (mut case, rule) = lowered(&*lowerer, text, known, cases.len()).unwrap_or_else(|| panic!("{text}"));
        let oracle = Oracle::new(&case.known.plan).unwrap();
        let seen = seen.iter().map(|sightings| {
            let sightings: Vec<Sighting> = sightings.iter().map(|(at, objects)| sighting(*at, objects)).collect();
            Seen::new(oracle.matches(&sightings).unwrap(), sightings, None, &case.known.files)
        });
        case.seen = seen.collect();
        cases.push(case);
        rules.push(rule);
    }
    let wrong = prove(cases, rules);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Holds the rules of each pattern against its witnesses; what is wrong, a text for each pattern.
fn prove_all(patterns: &[String]) -> Vec<String> {
    let began = Instant::now();
    let lowerer = prepared(target(), target().accepts());
    let (mut cases, mut rules) = (Vec::new(), Vec::new());
    for text in patterns {
        let Ok(pattern) = pattern::parse(text) else { continue };
        let known = substitute(&lower(&pattern).plan);
        let Some((mut case, rule)) = lowered(&*lowerer, text, known, cases.len()) else { continue };
        let found = witnesses(&case.known.plan, Bounds::default());
        // What has no meaning, such as a regular expression that does not compile, has no witness either.
        let Ok(oracle) = Oracle::new(&case.known.plan) else { continue };
        case.complete = found.complete && found.gaps.is_empty();
        let turned = found.all.iter().filter(|one| one.matches).flat_map(|one| turned(&oracle, one, &case.known.files));
        let ported =
            found.all.iter().filter(|one| one.matches).filter_map(|one| ported(&oracle, one, &case.known.files));
        let detoured =
            found.all.iter().filter(|one| one.matches).filter_map(|one| detoured(&oracle, one, &case.known.files));
        let scattered =
            found.all.iter().filter(|one| one.matches).filter_map(|one| scattered(&oracle, one, &case.known.files));
        let mut seen: Vec<Seen> = turned.chain(ported).chain(detoured).chain(scattered).collect();
        seen.extend(found.all.into_iter().map(|one| {
            let breaks = match one.aim {
                Aim::NearMiss { span, .. } => Some(span),
                Aim::Match { .. } => None,
            };
            Seen::new(one.matches, one.sightings, breaks, &case.known.files)
        }));
        case.covered = seen.iter().filter(|one| one.matches).any(|one| shows_another(&oracle, one, &case.known.files));
        let matching: Vec<Sighting> =
            seen.iter().filter(|one| one.matches).flat_map(|one| one.sightings.clone()).collect();
        let words = Words::of(&matching);
        let spellings: BTreeSet<String> =
            seen.iter().filter(|one| one.matches).map(|one| spelling(&one.sightings)).collect();
        seen.retain(|one| {
            let is_the_same = || words.match_the_same(&oracle, one, &case.known.files);
            one.matches || !(spellings.contains(&spelling(&one.sightings)) || is_the_same())
        });
        case.seen = seen;
        cases.push(case);
        rules.push(rule);
    }
    assert!(!cases.is_empty());
    eprintln!("{} of {} patterns have rules, solved in {:.1?}", cases.len(), patterns.len(), began.elapsed());
    // Suricata keeps 255 alerts of a packet at most, and there are requests that nearly every rule for requests sees.
    let mut wrong = Vec::new();
    while !cases.is_empty() {
        let next = cases.len().min(BATCH);
        wrong.extend(prove(cases.drain(..next).collect(), rules.drain(..next).collect()));
    }
    wrong
}

/// The words of sightings, each as it was spelled first and last.
struct Words(BTreeMap<String, (String, String)>);

impl Words {
    fn of(sightings: &[Sighting]) -> Self {
        let mut words = BTreeMap::new();
        for sighting in sightings {
            for object in sighting.objects.values() {
                gather(object, &mut words);
            }
        }
        Self(words)
    }

    /// Whether the traffic of `seen` is also that of sightings which the pattern matches, as far as these words are spelled
    /// in one way or another: no rule can tell them apart.
    fn match_the_same(&self, oracle: &Oracle, seen: &Seen, known: &KnownFiles) -> bool {
        let spelled = |word: &str, which: fn(&(String, String)) -> &String| {
            self.0.get(&word.to_ascii_lowercase()).map_or_else(|| word.to_owned(), |both| which(both).clone())
        };
        let ways: [&dyn Fn(&str) -> String; 4] = [
            &|word| spelled(word, |(first, _)| first),
            &|word| spelled(word, |(_, last)| last),
            &str::to_ascii_lowercase,
            &str::to_ascii_uppercase,
        ];
        ways.iter().any(|spell| oracle.matches(&complete(&seen.sightings, known, spell)).unwrap_or(false))
    }
}

fn gather(value: &Json, words: &mut BTreeMap<String, (String, String)>) {
    match value {
        Json::String(word) => {
            words.entry(word.to_ascii_lowercase()).or_insert_with(|| (word.clone(), word.clone())).1.clone_from(word);
        }
        Json::Array(values) => values.iter().for_each(|value| gather(value, words)),
        Json::Object(values) => values.values().for_each(|value| gather(value, words)),
        _ => {}
    }
}

/// Whether what the traffic of a sighting shows beside it satisfies the pattern by itself.
fn shows_another(oracle: &Oracle, seen: &Seen, known: &KnownFiles) -> bool {
    let whole = complete(&seen.sightings, known, &str::to_owned);
    let beside = whole.get(1..).filter(|beside| seen.sightings.len() == 1 && !beside.is_empty());
    beside.is_some_and(|beside| oracle.matches(beside).unwrap_or(false))
}

/// Sightings in one spelling of what has several: URLs (RFC 3986, section 6.2), numbers and names of certificates.
fn spelling(sightings: &[Sighting]) -> String {
    let spelled = |sighting: &Sighting| {
        let mut objects = sighting.objects.clone();
        for object in objects.values_mut() {
            if object["type"] == "url"
                && let Some(url) = object["value"].as_str().and_then(|text| url::Url::parse(text).ok())
            {
                object["value"] = json!(url.as_str());
            }
            for name in ["subject", "issuer"] {
                if let Some(name) = object.get_mut(name) {
                    *name = json!(name.to_string().replace(", ", ","));
                }
            }
            if let Some(number) = object.get_mut("serial_number") {
                let digits = number.as_str().unwrap_or_default().replace(':', "").to_ascii_lowercase();
                *number = json!(digits.trim_start_matches('0'));
            }
        }
        format!("{} {}", sighting.at, Json::from(objects))
    };
    sightings.iter().map(spelled).collect()
}

/// The same traffic at the port that its protocol usually has.
fn ported(oracle: &Oracle, witness: &Witness, known: &KnownFiles) -> Option<Seen> {
    let mut sightings = witness.sightings.clone();
    for sighting in &mut sightings {
        let object = &mut sighting.objects["0"];
        let speaks = |name: &str| object["protocols"].as_array().is_some_and(|all| all.contains(&json!(name)));
        let usual = [("dns", 53), ("domain", 53), ("ntp", 123), ("snmp", 161), ("tftp", 69)];
        let (_, port) = usual.into_iter().find(|(name, _)| speaks(name))?;
        object["dst_port"] = json!(port);
    }
    let matches = oracle.matches(&sightings).expect("the evaluator has answered for these objects");
    Some(Seen::new(matches, sightings, None, known))
}

/// A URL of another host, with the host of this one in its path.
fn detoured(oracle: &Oracle, witness: &Witness, known: &KnownFiles) -> Option<Seen> {
    let [sighting] = witness.sightings.as_slice() else { return None };
    let rest = sighting.objects["0"]["value"].as_str()?.strip_prefix("http://")?;
    let mut sighting = sighting.clone();
    sighting.objects["0"]["value"] = json!(format!("http://other.test/{rest}"));
    let sightings = vec![sighting];
    let matches = oracle.matches(&sightings).ok()?;
    Some(Seen::new(matches, sightings, None, known))
}

/// The same traffic, each time from another source.
fn scattered(oracle: &Oracle, witness: &Witness, known: &KnownFiles) -> Option<Seen> {
    let mut sightings = witness.sightings.clone();
    if sightings.len() < 2 {
        return None;
    }
    for (number, sighting) in sightings.iter_mut().enumerate() {
        let source = sighting.objects["0"].get("src_ref")?.as_str()?.to_owned();
        let source = sighting.objects.get_mut(&source).filter(|object| object["type"] == "ipv4-addr")?;
        source["value"] = json!(format!("192.0.2.{}", number + 10));
    }
    let matches = oracle.matches(&sightings).ok()?;
    Some(Seen::new(matches, sightings, None, known))
}

/// The same observations in other orders: each is the last one once.
fn turned(oracle: &Oracle, witness: &Witness, known: &KnownFiles) -> Vec<Seen> {
    let times: Vec<i64> = witness.sightings.iter().map(|sighting| sighting.at).collect();
    let turn = |count: usize| {
        let objects = witness.sightings.iter().cycle().skip(count).map(|sighting| sighting.objects.clone());
        let sightings: Vec<Sighting> =
            times.iter().zip(objects).map(|(at, objects)| Sighting { at: *at, objects }).collect();
        let matches = oracle.matches(&sightings).expect("the evaluator has answered for these objects");
        Seen::new(matches, sightings, None, known)
    };
    (1..times.len().min(4)).map(turn).collect()
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_does_what_the_verdicts_of_generated_patterns_say() {
    let count = std::env::var("STIXC_PATTERNS").ok().and_then(|count| count.parse().ok()).unwrap_or(2000);
    let wrong = prove_all(&generate::patterns(count));
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The patterns of the indicators in a bundle.
fn patterns_of(text: &str) -> Vec<String> {
    let bundle: Json = serde_json::from_str(text).expect("a bundle is JSON");
    let all = bundle["objects"].as_array().expect("a bundle has objects").iter();
    all.filter_map(|object| Some(object["pattern"].as_str()?.to_owned())).collect()
}

#[test]
#[ignore = "needs suricata: tests/run installs it"]
fn suricata_does_what_the_verdicts_of_the_fixtures_say() {
    let mut patterns: Vec<String> = cases::PATTERNS.iter().map(|text| (*text).to_owned()).collect();
    for file in ["examples/feed.json", "tests/fixtures/hostile.json"] {
        patterns.extend(patterns_of(&std::fs::read_to_string(validators::project(file)).unwrap()));
    }
    let wrong = prove_all(&patterns);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
#[ignore = "needs the corpus"]
fn corpus_suricata_does_what_the_verdicts_of_bundles_say() {
    let mut patterns: BTreeSet<String> = corpus::read("scoreboard_patterns.txt").lines().map(str::to_owned).collect();
    for file in std::fs::read_dir(corpus::folder().join("bundles")).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "json") {
            patterns.extend(patterns_of(&std::fs::read_to_string(file).unwrap()));
        }
    }
    let wrong = prove_all(&patterns.into_iter().collect::<Vec<_>>());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
