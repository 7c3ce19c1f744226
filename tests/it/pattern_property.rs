//! Properties of the parser over patterns that are made from the grammar, patterns with mistakes, and noise.
//! `PROPTEST_CASES` sets how many are tried.

use crate::support;

use proptest::{collection::vec, prelude::*, sample::select};
use stixc::pattern::{self, Mistake, ParseErrors, Version, lenient};
use support::{grammar, tree::without_spans};

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// Whether errors are fit to be shown: each with a place in the text, and none that says nothing.
fn are_sound(text: &str, errors: &ParseErrors) -> Result<(), TestCaseError> {
    for error in errors.iter() {
        let (start, end) = (error.span.start as usize, error.span.end as usize);
        prop_assert!(start <= end && text.get(start..end).is_some(), "{text:?}: {error:?}");
        prop_assert!(
            !matches!(error.mistake, Mistake::Unexpected { expected: "something else", .. }),
            "recovery overlooks what is wrong with {text:?}: {error:?}"
        );
        for edit in &error.edits {
            prop_assert!(text.get(edit.span.start as usize..edit.span.end as usize).is_some(), "{text:?}: {edit:?}");
        }
    }
    Ok(())
}

/// Whatever the text is: an answer, and one that holds.
fn answers(text: &str) -> Result<(), TestCaseError> {
    let strict = pattern::parse(text);
    if let Err(errors) = &strict {
        are_sound(text, errors)?;
        let _ = errors.mend(text);
        prop_assert!(!errors.to_string().is_empty());
    }
    match lenient::read(text, Version::V21, false) {
        Ok(reading) => {
            prop_assert!(strict.is_ok() || !reading.repairs.is_empty());
            let printed = reading.pattern.to_string();
            let again = pattern::parse(&printed);
            let again = again.map_err(|errors| TestCaseError::fail(format!("{text:?}\n{printed:?}\n{errors}")))?;
            prop_assert_eq!(without_spans(&again), without_spans(&reading.pattern), "{:?}", text);
        }
        Err(errors) => prop_assert_eq!(Err(errors), strict),
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn patterns_of_the_grammar_parse_and_print(text in grammar::pattern()) {
        let first = pattern::parse(&text).map_err(|errors| TestCaseError::fail(format!("{text}\n{errors}")))?;
        let printed = first.to_string();
        let second = pattern::parse(&printed).map_err(|errors| TestCaseError::fail(format!("{text}\n{printed}\n{errors}")))?;
        prop_assert_eq!(without_spans(&first), without_spans(&second));
        prop_assert_eq!(second.to_string(), printed);
    }

    #[test]
    fn blanks_change_nothing(tokens in grammar::tokens(), blanks in grammar::blanks()) {
        let (dense, wide) = (grammar::spaced(&tokens, &[""]), grammar::spaced(&tokens, &blanks));
        let dense = pattern::parse(&dense).map_err(|errors| TestCaseError::fail(format!("{dense}\n{errors}")))?;
        let wide = pattern::parse(&wide).map_err(|errors| TestCaseError::fail(format!("{wide}\n{errors}")))?;
        prop_assert_eq!(without_spans(&dense), without_spans(&wide));
    }

    /// Recovery sees nothing wrong in what is right, and a lenient reading takes it for the same tree.
    #[test]
    fn one_mistake_is_one_error(text in grammar::pattern()) {
        let first = pattern::parse(&text).map_err(|errors| TestCaseError::fail(format!("{text}\n{errors}")))?;
        let bracketed = format!("{text} ]");
        let errors = pattern::parse(&bracketed).expect_err("it has a bracket too many");
        prop_assert_eq!(errors.iter().count(), 1, "{}\n{}", bracketed, errors);
        prop_assert_eq!(errors.first().span.start as usize, text.len() + 1);
        prop_assert_eq!(errors.mend(&bracketed).map(|mended| mended.trim_end().len()), Some(text.trim_end().len()));
        let ended = format!("{text}\n;");
        let reading = lenient::read(&ended, Version::V21, false).expect("a semicolon is left out");
        prop_assert_eq!(reading.repairs.iter().map(|repair| repair.code).collect::<Vec<_>>(), vec![lenient::SEMICOLON]);
        prop_assert_eq!(&reading.pattern.expression, &first.expression);
    }

    /// What a repair takes out or changes, wherever it stands, changes nothing else: what is read is the same pattern.
    #[test]
    fn repairs_change_nothing_else(tokens in grammar::tokens(), blank in select(vec![" ", ""]), at in vec(any::<prop::sample::Index>(), 1..6)) {
        let right = grammar::spaced(&tokens, &[blank]);
        let right = pattern::parse(&right).map_err(|errors| TestCaseError::fail(format!("{right}\n{errors}")))?;
        let (mut tokens, mut blanks) = (tokens.clone(), vec![blank; tokens.len()]);
        at.iter().for_each(|at| blanks[at.index(tokens.len())] = "\u{200b}");
        tokens.iter_mut().filter(|token| ["AND", "OR", "IN"].contains(&token.as_str())).take(8).for_each(|token| token.make_ascii_lowercase());
        let text = grammar::spaced(&tokens, &blanks);
        if let Ok(reading) = lenient::read(&text, Version::V21, false) {
            prop_assert_eq!(without_spans(&reading.pattern).expression, without_spans(&right).expression, "{:?}", text);
        }
    }

    #[test]
    fn patterns_with_a_token_too_few_are_answered(tokens in grammar::tokens(), blanks in grammar::blanks(), at in any::<prop::sample::Index>()) {
        let mut tokens = tokens;
        tokens.remove(at.index(tokens.len()));
        answers(&grammar::spaced(&tokens, &blanks))?;
    }

    #[test]
    fn patterns_with_a_token_too_many_are_answered(
        tokens in grammar::tokens(),
        other in select(grammar::SOUP.to_vec()),
        at in any::<prop::sample::Index>(),
    ) {
        let mut tokens = tokens;
        tokens.insert(at.index(tokens.len() + 1), other.to_owned());
        answers(&grammar::spaced(&tokens, &[" ", ""]))?;
    }

    #[test]
    fn patterns_with_a_character_changed_are_answered(
        text in grammar::pattern(),
        other in select(vec!["", "'", "\"", "\\", "[", "]", "(", ")", ":", ".", ",", "=", " ", "a", "0", "-", "’", "\u{feff}", "/*", "\0"]),
        at in any::<prop::sample::Index>(),
    ) {
        let (start, character) = text.char_indices().nth(at.index(text.chars().count())).expect("it has characters");
        let changed = format!("{}{other}{}", &text[..start], &text[start + character.len_utf8()..]);
        answers(&changed)?;
    }

    #[test]
    fn words_of_the_language_in_any_order_are_answered(words in vec(select(grammar::SOUP.to_vec()), 0..24), blank in select(vec!["", " "])) {
        answers(&words.join(blank))?;
    }

    #[test]
    fn noise_is_answered(text in "\\PC*", bytes in vec(any::<u8>(), 0..64)) {
        answers(&text)?;
        answers(&String::from_utf8_lossy(&bytes))?;
    }
}
