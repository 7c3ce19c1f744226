//! Regular expressions: what the check refuses, no engine takes; what it lets pass, PCRE takes.

use proptest::prelude::*;
use regex_syntax::ast::{self, ErrorKind};
use stixc::{pattern, plan::check};

/// The message about a regular expression, if it is refused.
fn refusal(regex: &str) -> Option<String> {
    let literal = regex.replace('\\', r"\\").replace('\'', r"\'");
    let text = format!("[x-example:text MATCHES '{literal}']");
    let pattern = pattern::parse(&text).expect("any text is a good literal");
    let found = check::check(&pattern).into_iter().find(|diagnostic| diagnostic.code.0 == "T008")?;
    let span = found.span.expect("a message has a place");
    assert!(
        text.get(span.start as usize..span.end as usize).is_some_and(|place| !place.is_empty()),
        "{text}: {found:?}"
    );
    Some(found.message)
}

/// What the parser of the `regex` crate says. It knows no look-around, back-references and the like.
fn mistake(regex: &str) -> Option<ErrorKind> {
    ast::parse::Parser::new().parse(regex).err().map(|error| error.kind().clone())
}

#[test]
fn constructs_of_pcre_pass() {
    for regex in [
        r"(?=a)(?!b)(?<=c)(?<!d)",
        r"(a)\1(?<name>b)\k<name>\k{name}\g{1}\g1",
        r"(?>a|b)++c*+d?+e{2,3}+",
        r"(?i)a(?-i)b(?i:c)(?^:d)(?x) a # (comment",
        r"(?P<n>a)(?P=n)(?P>n)(?&n)(?R)(?1)(?+1)(?-1)",
        r"(?|(a)|(b))\1",
        r"(?(1)a|b)(?(?=a)b|c)(c)",
        r"(?#a comment with ( and [)x",
        r"(*UTF8)(*SKIP)a(*pla:b)",
        r"\Qa(b[c\E(d)",
        r"[[:alpha:]][^[:space:]][]a][^]a][a\]b][\]-a][a-]",
        r"a{,5}b{x}c{2}d{2,}e{ {}",
        r"\x{1F600}\p{L}\P{Lu}\o{12}\012\x41\cA\h\R\K\X\N\Z\z\G",
        r"^*a",
        r"(*VERB without an end",
        "",
        "|",
        "()",
        "a||b",
        "[^]]",
        "é{2}[é-ü]",
    ] {
        assert_eq!(refusal(regex), None, "{regex}");
    }
}

#[test]
fn what_one_engine_alone_takes_passes() {
    for regex in ["[]-:]", "[^]-:]", "[]--+]", "[1--]"] {
        assert_eq!((refusal(regex), mistake(regex)), (None, None), "{regex}");
    }
    assert_eq!(refusal("[a]-:]"), None);
    assert_eq!(refusal("[b-a]").as_deref(), Some("the range ends before it begins"));
}

#[test]
fn mistakes_are_found_behind_constructs_of_pcre() {
    for (regex, message) in [
        (r"(?<=a)(b", "this parenthesis is never closed"),
        (r"(?>a))", "this parenthesis was never opened"),
        (r"\Qa(b\E)", "this parenthesis was never opened"),
        (r"a{2}{3}", "there is nothing to repeat here"),
        (r"a+*", "there is nothing to repeat here"),
        (r"(?:*a)", "there is nothing to repeat here"),
        (r"a|?", "there is nothing to repeat here"),
        (r"(*)", "there is nothing to repeat here"),
        (r"[]", "this bracket is never closed"),
        (r"[^]", "this bracket is never closed"),
        (r"[[:alpha:]", "this bracket is never closed"),
        (r"[é-à]", "the range ends before it begins"),
        (r"(?", "no kind of group begins like this"),
        (r"(?<n", "no kind of group begins like this"),
        (r"(?%a)", "no kind of group begins like this"),
        (r"(a)\2", "a back-reference to a group that does not exist"),
        ("a\\", "the regular expression ends inside an escape"),
    ] {
        assert_eq!(refusal(regex).as_deref(), Some(message), "{regex}");
    }
}

/// Whether two quantifiers stand behind each other, which the `regex` crate allows and PCRE does not.
fn has_double_quantifier(regex: &str) -> bool {
    let quantifiers = |byte: u8| matches!(byte, b'*' | b'+' | b'?' | b'}');
    regex.as_bytes().windows(2).any(|pair| quantifiers(pair[0]) && (quantifiers(pair[1]) || pair[1] == b'{'))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_refused_that_an_engine_takes(regex in "[ab1.*+?|()\\[\\]^$\\\\{},:=!<>-]{0,12}") {
        if let Some(message) = refusal(&regex) {
            let excused = has_double_quantifier(&regex) && message == "there is nothing to repeat here";
            prop_assert!(excused || mistake(&regex).is_some(), "{regex}: {message}");
        }
    }

    #[test]
    fn what_every_engine_refuses_is_refused(regex in "[ab.*+?|()^$\\\\dw]{0,8}(\\[\\^?[ab\\\\dw]{0,3}\\]?)?[ab.*+?|()]{0,4}") {
        // Groups and verbs of PCRE, and \K and the like, are another matter.
        let plain = !regex.contains("(?") && !regex.contains("(*") && matches!(
            mistake(&regex),
            Some(
                ErrorKind::ClassUnclosed
                    | ErrorKind::GroupUnclosed
                    | ErrorKind::GroupUnopened
                    | ErrorKind::RepetitionMissing
                    | ErrorKind::EscapeUnexpectedEof
            )
        );
        if plain {
            prop_assert!(refusal(&regex).is_some(), "{regex}: {:?}", mistake(&regex));
        }
    }

    #[test]
    fn any_text_is_read_without_panic(regex in "\\PC{0,40}") {
        refusal(&regex);
    }
}
