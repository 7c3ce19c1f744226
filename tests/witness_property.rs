//! Witnesses of generated patterns and of the corpus: the evaluator agrees with what each was made for.

mod support;

use std::collections::BTreeSet;

use support::generate;

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
