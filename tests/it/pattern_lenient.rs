//! What feeds write, and what it is read as.

use crate::support;

use std::borrow::Cow;

use stixc::{
    diagnostic::Severity,
    pattern::{
        self, ComparisonExpression, ComparisonKind, ObservationExpression, ObservationKind, Operand, Version, lenient,
    },
    span::Span,
};
use support::{corpus, tree::without_spans};

/// Patterns, the codes of their repairs, and how the repaired pattern is printed.
const REPAIRED: &[(&str, &[&str], &str)] = &[
    ("[file:hashes.SHA-256 = 'ef53']", &["W001"], "[file:hashes.'SHA-256' = 'ef53']"),
    ("[a:b.User-Agent.c = 1]", &["W001"], "[a:b.'User-Agent'.c = 1]"),
    (r"[file:name = 'C:\Windows\x.exe']", &["W002"], r"[file:name = 'C:\\Windows\\x.exe']"),
    (r"[file:name = 'C:\\Windows\x.exe']", &["W002"], r"[file:name = 'C:\\Windows\\x.exe']"),
    (r"[file:name = '\\server\share\x']", &["W002"], r"[file:name = '\\\\server\\share\\x']"),
    (r"[directory:path = 'C:\Temp\']", &["W002"], r"[directory:path = 'C:\\Temp\\']"),
    (r"[a:b = 'C:\Temp\' AND a:c = 'it\'s']", &["W002"], r"[a:b = 'C:\\Temp\\' AND a:c = 'it\'s']"),
    (r"[process:command_line MATCHES '^\d+\.exe$']", &["W002"], r"[process:command_line MATCHES '^\\d+\\.exe$']"),
    ("[file:name = ‘evil’]", &["W003"], "[file:name = 'evil']"),
    ("[file:name = “evil”]", &["W003"], "[file:name = 'evil']"),
    ("[file:name = 'evil’]", &["W003"], "[file:name = 'evil']"),
    ("[file:name = `evil`]", &["W003"], "[file:name = 'evil']"),
    ("[file:name = \"evil\"]", &["W004"], "[file:name = 'evil']"),
    ("[file:name = \"it's\"]", &["W004"], r"[file:name = 'it\'s']"),
    ("[file:hashes.\"SHA-256\" = \"ef53\"]", &["W004", "W004"], "[file:hashes.'SHA-256' = 'ef53']"),
    (
        "[a:b like 'x' and a:c not in (1) or exists a:d]",
        &["W005"; 6],
        "[a:b LIKE 'x' AND a:c NOT IN (1) OR EXISTS a:d]",
    ),
    ("[a:b = True] or [a:c = FALSE] within 5 seconds", &["W005"; 5], "[a:b = true] OR [a:c = false] WITHIN 5 SECONDS"),
    ("[a:b = H'0a']", &["W005"], "[a:b = h'0a']"),
    (
        "[a:b = 1] START '2024-01-01T00:00:00Z' STOP t'2024-02-01T00:00:00Z'",
        &["W006"],
        "[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-02-01T00:00:00Z'",
    ),
    (
        "[a:b = 1] START ‘2024-01-01T00:00:00Z’ STOP t'2024-02-01T00:00:00Z'",
        &["W003", "W006"],
        "[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-02-01T00:00:00Z'",
    ),
    ("\u{feff}[a:b = 1]", &["W007"], "[a:b = 1]"),
    ("[a:b = 1\u{200b}]\u{200b}", &["W007", "W007"], "[a:b = 1]"),
    // What is left out or replaced may be all that is between two words.
    ("[a:b = 1 AND\u{200b}\u{feff}a:c = 2]", &["W007", "W007"], "[a:b = 1 AND a:c = 2]"),
    ("[a:b\u{feff}like 'x']", &["W007", "W005"], "[a:b LIKE 'x']"),
    (
        "[a:b = 1] START'2024-01-01T00:00:00Z' STOP t'2024-02-01T00:00:00Z'",
        &["W006"],
        "[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-02-01T00:00:00Z'",
    ),
    ("[a:b = 1];", &["W008"], "[a:b = 1]"),
    ("[a:b = 1] ; ", &["W008"], "[a:b = 1]"),
    ("[file:hashes.sha256 = 'ef53']", &["W009"], "[file:hashes.'SHA-256' = 'ef53']"),
    ("[file:hashes.SHA256 = 'ef53']", &["W009"], "[file:hashes.'SHA-256' = 'ef53']"),
    ("[file:hashes.Sha_1 = 'ef53']", &["W009"], "[file:hashes.'SHA-1' = 'ef53']"),
    ("[file:hashes.'sha-256' = 'ef53']", &["W009"], "[file:hashes.'SHA-256' = 'ef53']"),
    ("[file:hashes.Sha-256 = 'ef53']", &["W001", "W009"], "[file:hashes.'SHA-256' = 'ef53']"),
    ("[file:hashes.md5 = 'ef53']", &["W009"], "[file:hashes.MD5 = 'ef53']"),
    ("[file:hashes.ssdeep = 'ef53']", &["W009"], "[file:hashes.SSDEEP = 'ef53']"),
    ("[file:hashes.sha3_256 = 'ef53']", &["W009"], "[file:hashes.'SHA3-256' = 'ef53']"),
    (
        "[file:extensions.'windows-pebinary-ext'.sections[0].hashes.sha1 = 'e']",
        &["W009"],
        "[file:extensions.'windows-pebinary-ext'.sections[0].hashes.'SHA-1' = 'e']",
    ),
    ("[EXISTS file:hashes.sha1]", &["W009"], "[EXISTS file:hashes.'SHA-1']"),
    ("[url:value = 'hxxp://evil[.]example/a']", &["W010"], "[url:value = 'http://evil.example/a']"),
    ("[url:value = 'hXXps[:]//evil[.]example/a[.]php']", &["W010"], "[url:value = 'https://evil.example/a.php']"),
    (
        "[domain-name:value IN ('evil[.]example', 'a.example', 'b[dot]example')]",
        &["W010", "W010"],
        "[domain-name:value IN ('evil.example', 'a.example', 'b.example')]",
    ),
    ("[ipv4-addr:value = '192[.]0[.]2[.]7']", &["W010"], "[ipv4-addr:value = '192.0.2.7']"),
    ("[network-traffic:dst_ref.value = '192.0.2[.]7']", &["W010"], "[network-traffic:dst_ref.value = '192.0.2.7']"),
    ("[email-addr:value = 'evil[at]bad[.]example']", &["W010"], "[email-addr:value = 'evil@bad.example']"),
    (
        r"[file:path = 'C:\\Temp\\evil.exe']",
        &["W011"],
        r"[file:parent_directory_ref.path = 'C:\\Temp' AND file:name = 'evil.exe']",
    ),
    (
        "[file:path = '/evil' OR file:path = 'evil']",
        &["W011", "W011"],
        "[file:parent_directory_ref.path = '/' AND file:name = 'evil' OR file:name = 'evil']",
    ),
    (
        "[file:path IN ('/tmp/a', '/tmp/b') AND file:size = 1]",
        &["W011"],
        "[(file:parent_directory_ref.path = '/tmp' AND file:name = 'a' OR file:parent_directory_ref.path = '/tmp' AND file:name = 'b') AND file:size = 1]",
    ),
    ("[process:name = 'evil.exe']", &["W012"], "[process:image_ref.name = 'evil.exe']"),
    (
        "[http-request-ext:request_method = 'GET']",
        &["W013"],
        "[network-traffic:extensions.'http-request-ext'.request_method = 'GET']",
    ),
    ("[email:subject = 'evil']", &["W013"], "[email-message:subject = 'evil']"),
    ("[domain:value = 'evil.example']", &["W013"], "[domain-name:value = 'evil.example']"),
    ("[network-traffic:protocols = 'tcp']", &["W014"], "[network-traffic:protocols[*] = 'tcp']"),
    ("[ipv4-addr:value = '198.51.100.0/24']", &["W015"], "[ipv4-addr:value ISSUBSET '198.51.100.0/24']"),
    ("[ipv4-addr:value != '198.51.100.0/24']", &["W015"], "[ipv4-addr:value NOT ISSUBSET '198.51.100.0/24']"),
    ("[ipv4-addr:value NOT = '198.51.100.0/24']", &["W015"], "[ipv4-addr:value NOT ISSUBSET '198.51.100.0/24']"),
    ("[ipv4-addr:value NOT != '198.51.100.0/24']", &["W015"], "[ipv4-addr:value ISSUBSET '198.51.100.0/24']"),
    ("[ipv6-addr:value = '2001:db8::/32']", &["W015"], "[ipv6-addr:value ISSUBSET '2001:db8::/32']"),
    (
        "[ipv4-addr:value IN ('198.51.100.0/24', '192.0.2.7')]",
        &["W015"],
        "[ipv4-addr:value ISSUBSET '198.51.100.0/24' OR ipv4-addr:value = '192.0.2.7']",
    ),
    (
        "[ipv4-addr:value = '198.51.100.7' AND network-traffic:dst_port = 443]",
        &["W016"],
        "[(network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7') AND network-traffic:dst_port = 443]",
    ),
    (
        "[(domain-name:value = 'a.example' OR domain-name:value = 'b.example') AND network-traffic:extensions.'http-request-ext'.request_method = 'GET']",
        &["W016", "W016"],
        "[(network-traffic:dst_ref.type = 'domain-name' AND network-traffic:dst_ref.value = 'a.example' OR network-traffic:dst_ref.type = 'domain-name' AND network-traffic:dst_ref.value = 'b.example') AND network-traffic:extensions.'http-request-ext'.request_method = 'GET']",
    ),
    (
        "[ipv6-addr:value = '2001:db8::1' AND network-traffic:src_port = 22]",
        &["W016"],
        "[(network-traffic:src_ref.type = 'ipv6-addr' AND network-traffic:src_ref.value = '2001:db8::1') AND network-traffic:src_port = 22]",
    ),
    (
        "[(network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7') AND (network-traffic:dst_ref.type = 'domain-name' AND network-traffic:dst_ref.value = 'a.example') AND network-traffic:dst_port = 80]",
        &["W017"],
        "[(network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7') AND network-traffic:dst_port = 80]",
    ),
    (
        "[network-traffic:extensions.'http-request-ext'.request_value = '/a' AND network-traffic:extensions.'http-request-ext'.request_value = 'http://a.example/a']",
        &["W017"],
        "[network-traffic:extensions.'http-request-ext'.request_value = '/a']",
    ),
    (
        "[process:image_ref.hashes.imphash = '79a22a4732385117043b61b4289abf4b']",
        &["W018"],
        "[process:image_ref.extensions.'windows-pebinary-ext'.imphash = '79a22a4732385117043b61b4289abf4b']",
    ),
    ("[ipv4-addr:value = '198.51[.]100.0/24']", &["W010", "W015"], "[ipv4-addr:value ISSUBSET '198.51.100.0/24']"),
];

/// Patterns with something that looks odd and is as it should be.
const UNTOUCHED: &[&str] = &[
    "[file:hashes.'SHA-256' = 'ef53' OR file:hashes.MD5 = 'ef53' OR file:hashes.VHASH = 'x']",
    "[network-traffic:start = 1 AND x:like = 1 AND x:and = 1 AND file:is = 1]",
    "[url:value = 'http://[2001:db8::1]/a(.)b']",
    "[url:value = 'https://evil.example/?a=[.]']",
    "[url:value MATCHES '^http://evil[.]example/']",
    "[domain-name:value LIKE '%.example']",
    "[file:name = 'evil[.]exe']",
    "[file:path LIKE '%evil%' OR file:path != '/tmp/a' OR file:path = '/tmp/']",
    "[process:name.x = 1 OR process:image_ref.name = 'a']",
    "[network-traffic:protocols[0] = 'tcp']",
    "[ipv4-addr:value = '198.51.100.7' OR network-traffic:dst_port = 443]",
    "[ipv4-addr:value = '198.51.100.7' AND network-traffic:dst_port = 443 AND file:size = 1]",
    "[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_ref.value = 'a.example']",
    "[ipv4-addr:value = '192.0.2.7' OR ipv4-addr:value = '1/2' OR ipv4-addr:value NOT IN ('198.51.100.0/24')]",
    "[ipv4-addr:value ISSUBSET '198.51.100.0/24']",
    "[x-evil:value = 'a[.]b']",
];

/// Patterns that could be meant in several ways, or in none.
const REFUSED: &[&str] = &[
    "[file:name = evil]",
    "[file:name = 'evil]",
    "[file:name = 'it's']",
    "[file:name = \"a\"b\"]",
    r#"[file:name = 'say \"hi\"']"#,
    "[file:name LIEK 'x']",
    "[file:name = 'a'] [file:name = 'b']",
    "file:name = 'a'",
    "[file:name == null]",
    "[a:b = 1]; [a:b = 2]",
    "[NOT a:b = 1]",
    "[unconverted_term:x]",
    "",
];

#[test]
fn what_is_meant_is_read() {
    for (text, codes, printed) in REPAIRED {
        let reading = lenient::read(text, Version::Auto, false).unwrap_or_else(|errors| panic!("{text}\n{errors}"));
        assert_eq!(reading.pattern.to_string(), *printed, "{text}");
        let found: Vec<&str> = reading.repairs.iter().map(|repair| repair.code.0).collect();
        assert_eq!(found, *codes, "{text}");
        for repair in &reading.repairs {
            assert_eq!(repair.severity, Severity::Warning);
            assert!(repair.help.is_some(), "{text}: {repair}");
            let span = repair.span.expect("a repair has a place");
            assert!(
                span.start < span.end && text.get(span.start as usize..span.end as usize).is_some(),
                "{text}: {span:?}"
            );
        }
        // What was read is a pattern like any other, and needs no repair any more.
        let again = lenient::read(printed, Version::V21, true).unwrap_or_else(|errors| panic!("{printed}\n{errors}"));
        assert_eq!(again.repairs, [], "{printed}");
        assert_eq!(without_spans(&again.pattern), without_spans(&reading.pattern), "{text}");
    }
}

/// The grammar reads the edited text, but each node says where it stands in the text as it came.
#[test]
fn spans_of_a_repaired_pattern_point_into_the_original() {
    let text =
        "\u{feff} ([a:b like “x” and a:c.d-e = \"it's\"\u{200b}] within 5 seconds OR [a:f = H'0a' AND a:g = 1.5]) ;";
    let reading = lenient::read(text, Version::Auto, false).unwrap_or_else(|errors| panic!("{errors}"));
    let mut found = Vec::new();
    slices(text, &reading.pattern.expression, &mut found);
    assert_eq!(
        found,
        [
            "[a:b like “x” and a:c.d-e = \"it's\"\u{200b}] within 5 seconds OR [a:f = H'0a' AND a:g = 1.5]",
            "[a:b like “x” and a:c.d-e = \"it's\"\u{200b}] within 5 seconds",
            "within 5 seconds",
            "[a:b like “x” and a:c.d-e = \"it's\"\u{200b}]",
            "a:b like “x” and a:c.d-e = \"it's\"",
            "a:b like “x”",
            "like",
            "a:b a b",
            "“x”",
            "a:c.d-e = \"it's\"",
            "=",
            "a:c.d-e a c d-e",
            "\"it's\"",
            "[a:f = H'0a' AND a:g = 1.5]",
            "a:f = H'0a' AND a:g = 1.5",
            "a:f = H'0a'",
            "=",
            "a:f a f",
            "H'0a'",
            "a:g = 1.5",
            "=",
            "a:g a g",
            "1.5",
        ]
    );
}

/// What stands under the span of each node, from the outside in.
fn slices<'a>(text: &'a str, expression: &ObservationExpression<'_>, found: &mut Vec<Cow<'a, str>>) {
    let slice = |span: Span| Cow::Borrowed(span.slice(text));
    found.push(slice(expression.span));
    match &expression.kind {
        ObservationKind::Single(comparison) => comparison_slices(text, comparison, found),
        ObservationKind::Combined { operands, .. } => {
            operands.iter().for_each(|operand| slices(text, operand, found));
        }
        ObservationKind::Qualified { expression, qualifier } => {
            found.push(slice(qualifier.span));
            slices(text, expression, found);
        }
    }
}

fn comparison_slices<'a>(text: &'a str, expression: &ComparisonExpression<'_>, found: &mut Vec<Cow<'a, str>>) {
    let slice = |span: Span| Cow::Borrowed(span.slice(text));
    found.push(slice(expression.span));
    match &expression.kind {
        ComparisonKind::Combined { operands, .. } => {
            operands.iter().for_each(|operand| comparison_slices(text, operand, found));
        }
        ComparisonKind::Test(test) => {
            found.push(slice(test.operator_span));
            let steps = test.path.steps.iter().map(|step| step.span);
            let path = [test.path.span, test.path.type_span].into_iter().chain(steps);
            found.push(Cow::Owned(path.map(slice).collect::<Vec<_>>().join(" ")));
            let Operand::Literal(literal) = &test.operand else { panic!("no literal") };
            found.push(slice(literal.span));
        }
    }
}

#[test]
fn strictly_nothing_is_repaired() {
    for (text, codes, _) in REPAIRED {
        let is_grammatical = codes.iter().all(|code| *code >= "W009");
        match lenient::read(text, Version::Auto, true) {
            Ok(reading) => {
                assert!(is_grammatical, "{text}");
                let found: Vec<&str> = reading.repairs.iter().map(|repair| repair.code.0).collect();
                // A value that is still defanged is no prefix yet.
                assert_eq!(found, codes[..found.len()], "{text}");
                assert!(!found.is_empty() && reading.repairs.iter().all(|repair| repair.severity == Severity::Error));
                assert_eq!(reading.pattern, pattern::parse(text).expect("it is grammatical"), "{text}");
            }
            Err(errors) => {
                assert!(!is_grammatical, "{text}");
                assert!(errors.iter().all(|error| error.code().0.starts_with('P')));
            }
        }
    }
}

#[test]
fn what_is_right_is_left_alone() {
    for text in UNTOUCHED {
        let reading = lenient::read(text, Version::Auto, false).unwrap_or_else(|errors| panic!("{text}\n{errors}"));
        assert_eq!(reading.repairs, [], "{text}");
        assert_eq!(reading.pattern, pattern::parse(text).expect("it is grammatical"));
    }
}

#[test]
fn what_is_not_clear_is_refused() {
    for text in REFUSED {
        let errors = lenient::read(text, Version::Auto, false).expect_err(text);
        assert_eq!(errors, pattern::parse(text).expect_err(text), "{text}");
    }
}

#[test]
fn stix_2_0_is_not_odd_in_stix_2_0() {
    for text in [
        "[process:name = 'evil.exe']",
        "[file:hashes.ssdeep = 'x']",
        "[a:b = 1] START '2024-01-01T00:00:00Z' STOP '2024-02-01T00:00:00Z'",
    ] {
        assert_eq!(lenient::read(text, Version::V20, true).expect("it is of 2.0").repairs, [], "{text}");
    }
    let text = "[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-02-01T00:00:00Z'";
    assert_eq!(lenient::read(text, Version::V20, false).expect("it is readable").repairs.len(), 2);
    let text = "[a:b = 1] START 'yesterday' STOP 'today'";
    assert!(lenient::read(text, Version::V21, false).is_err());
}

#[test]
#[ignore = "reads the corpus"]
fn corpus_lenient() {
    let (mut refused, mut repaired) = (0, 0);
    for text in corpus::read("patterns.txt").lines() {
        match lenient::read(text, Version::Auto, false) {
            Err(_) => {
                refused += 1;
                assert!(pattern::parse(text).is_err(), "{text}");
            }
            Ok(reading) => {
                let printed = reading.pattern.to_string();
                let again = pattern::parse(&printed).unwrap_or_else(|errors| panic!("{text}\n{printed}\n{errors}"));
                assert_eq!(without_spans(&again), without_spans(&reading.pattern), "{text}");
                if reading.repairs.is_empty() {
                    assert_eq!(reading.pattern, pattern::parse(text).expect("nothing was repaired"));
                } else {
                    repaired += 1;
                }
            }
        }
    }
    assert_eq!(refused, 229);
    assert!(repaired > 100, "{repaired}");
}
