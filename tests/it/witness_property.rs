//! Witnesses of generated patterns and of the corpus: the evaluator agrees with what each was made for.

use crate::support;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rayon::prelude::*;
use serde_json::Value as Json;
use stixc::{
    convert,
    evaluate::{Evaluator, Map, Observation, Observations},
    pattern,
    plan::Plan,
    span::Span,
    witness::{
        Aim, Sighting, Witness,
        solve::{Bounds, witnesses},
    },
};
use support::{corpus, generate, grammar};

#[test]
fn generated_patterns_are_the_same_each_time_and_name_each_mapped_property() {
    let patterns = generate::patterns(2000);
    assert_eq!(patterns, generate::patterns(2000));
    let distinct: BTreeSet<&String> = patterns.iter().collect();
    assert_eq!(distinct.len(), patterns.len());
    for property in generate::properties() {
        assert!(patterns.iter().any(|text| text.contains(&property.path)), "{} in no pattern", property.path);
    }
    for word in ["NOT LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET", "IN (", "EXISTS", "REPEATS", "FOLLOWEDBY", "START"] {
        let count = patterns.iter().filter(|text| text.contains(word)).count();
        println!("{word}: {count}");
        assert!(count > 0, "{word}");
    }
}

/// The part that a near miss breaks.
fn broken(witness: &Witness) -> Option<Span> {
    match witness.aim {
        Aim::NearMiss { span, .. } => Some(span),
        Aim::Match { .. } => None,
    }
}

/// Fails where the plan and the pattern that is its canonical text don't say the same of a witness.
fn is_evaluated_alike(plan: &Plan, found: &[Witness], text: &str) {
    let canonical = plan.to_string();
    let pattern = pattern::parse(&canonical).unwrap_or_else(|error| panic!("{canonical}: {error}"));
    let (by_plan, by_text) = (plan.evaluator(), Evaluator::new(&pattern));
    let (Ok(by_plan), Ok(by_text)) = (&by_plan, &by_text) else {
        return assert_eq!(by_plan.is_err(), by_text.is_err(), "{text}");
    };
    for witness in found {
        let all: Vec<Json> = witness.sightings.iter().map(Sighting::observed_data).collect();
        let (read, _) = Observations::read(Json::from(all).to_string().as_bytes());
        let made = Observations::new(witness.sightings.iter().map(|sighting| {
            Observation::new(sighting.time().parse().expect("an instant"), Map::from_json(&sighting.objects))
        }));
        let answers = [by_text.matches(&read), by_plan.matches(&read), by_plan.matches(&made)];
        let answers = answers.map(|answer| answer.map(|found| found.is_some()).ok());
        assert_eq!(answers, [answers[0]; 3], "{text}\n{witness:#?}");
    }
}

/// What became of patterns.
#[derive(Debug, Default)]
struct Count {
    patterns: usize,
    with_match: usize,
    with_miss: usize,
    complete: usize,
    witnesses: usize,
    gaps: BTreeMap<String, usize>,
}

impl Count {
    /// Makes the witnesses of a pattern, and fails where the evaluator denies one, or nothing says why there is none.
    fn add(&mut self, text: &str) -> bool {
        let Some(meaning) = convert::understand(text, false).0 else { return false };
        let found = witnesses(&meaning.plan, Bounds::default());
        assert!(found.denied.is_empty(), "{text}\n{:#?}", found.denied[0]);
        is_evaluated_alike(&meaning.plan, &found.all, text);
        let has = |matches| found.all.iter().any(|one| one.matches == matches);
        for matches in [true, false] {
            assert!(
                has(matches) || !found.gaps.is_empty(),
                "{text}: no witness with matches = {matches}, and no reason"
            );
        }
        // An alternative that can't be satisfied at all has no near misses either.
        if found.complete && found.gaps.is_empty() {
            let broken: BTreeSet<Span> = found.all.iter().filter(|one| !one.matches).filter_map(broken).collect();
            for span in meaning.plan.tests().map(|test| test.span) {
                assert!(broken.contains(&span), "{text}: nothing breaks {span:?}");
            }
        }
        self.patterns += 1;
        self.with_match += usize::from(has(true));
        self.with_miss += usize::from(has(false));
        self.complete += usize::from(found.complete);
        self.witnesses += found.all.len();
        for gap in found.gaps {
            if std::env::var_os("SHOW_GAPS").is_some() {
                println!("{}\n    {}", text.chars().take(300).collect::<String>(), gap.reason);
            }
            *self.gaps.entry(gap.reason).or_default() += 1;
        }
        true
    }

    fn with(mut self, other: Self) -> Self {
        self.patterns += other.patterns;
        self.with_match += other.with_match;
        self.with_miss += other.with_miss;
        self.complete += other.complete;
        self.witnesses += other.witnesses;
        for (reason, number) in other.gaps {
            *self.gaps.entry(reason).or_default() += number;
        }
        self
    }

    fn percent(&self, part: usize) -> usize {
        100 * part / self.patterns.max(1)
    }
}

#[test]
fn generated_patterns_have_witnesses() {
    let mut count = Count::default();
    for text in generate::patterns(2000) {
        assert!(count.add(&text), "{text}");
    }
    println!("{count:#?}");
    assert!(count.percent(count.with_match) >= 97 && count.percent(count.with_miss) >= 97, "{count:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What the grammar allows and the type check lets through, however odd.
    #[test]
    fn patterns_of_the_grammar_have_witnesses_or_reasons(text in grammar::pattern()) {
        Count::default().add(&text);
    }
}

#[test]
#[ignore = "needs the corpus: ../shared/corpus, or STIXC_CORPUS"]
fn corpus_patterns_have_witnesses() {
    let mut patterns: BTreeSet<String> = corpus::read("patterns.txt").lines().map(str::to_owned).collect();
    patterns
        .extend(corpus::rows("tool_tests.jsonl").iter().filter_map(|row| Some(row["pattern"].as_str()?.to_owned())));
    let start = std::time::Instant::now();
    let each = patterns.par_iter().map(|text| {
        let mut count = Count::default();
        count.add(text);
        count
    });
    let count = each.reduce(Count::default, Count::with);
    println!("of {}, {:?}\n{count:#?}", patterns.len(), start.elapsed());
    assert!(count.patterns > 10_000, "{count:#?}");
    assert!(count.percent(count.with_match) >= 98 && count.percent(count.with_miss) >= 98, "{count:#?}");
}
