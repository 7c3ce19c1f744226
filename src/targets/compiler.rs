//! Engines that compile ready-made rules: all at once, and in parts where they refuse some.

use super::program::EngineError;

/// An engine that compiles rules.
pub trait Compiler {
    /// Its name and version.
    ///
    /// # Errors
    /// It is not installed.
    fn version(&self) -> Result<String, EngineError>;

    /// Compiles these texts as one file. Each is one that the target has read.
    ///
    /// # Errors
    /// The engine refuses the file and does not say for which text, or it does not end.
    fn compile(&self, texts: &[&str]) -> Result<Vec<Said>, EngineError>;
}

/// Something that an engine said of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Which text.
    pub text: usize,
    /// What it said.
    pub message: String,
    /// Whether it refused the text.
    pub is_error: bool,
}

/// What became of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// It compiles, with these warnings.
    Compiled(Vec<String>),
    /// The engine refuses it.
    Refused(String),
    /// The engine was asked too often.
    Unknown,
}

/// How often an engine is asked: enough to take a file apart in which a few rules in a hundred are bad in a way that the engine
/// has no words for.
const MOST_RUNS: usize = 200;

/// What the engine makes of each text.
pub fn judge(compiler: &dyn Compiler, texts: &[&str]) -> Vec<Judgement> {
    let mut judgements = vec![Judgement::Unknown; texts.len()];
    let mut parts: Vec<Vec<usize>> = vec![(0..texts.len()).collect()];
    let mut runs = 0;
    let mut is_whole = true;
    while let Some(part) = parts.pop().filter(|_| runs < MOST_RUNS) {
        runs += 1;
        let said = compiler.compile(&part.iter().map(|&text| texts[text]).collect::<Vec<_>>());
        match said {
            Ok(said) if said.iter().all(|one| !one.is_error) => {
                is_whole &= part.len() == texts.len();
                for (place, &text) in part.iter().enumerate() {
                    let own = said.iter().filter(|one| one.text == place).map(|one| one.message.clone());
                    judgements[text] = Judgement::Compiled(own.collect());
                }
            }
            Ok(said) => {
                let refused = |place: usize| said.iter().find(|one| one.is_error && one.text == place);
                let mut rest = Vec::new();
                for (place, &text) in part.iter().enumerate() {
                    match refused(place) {
                        Some(one) => judgements[text] = Judgement::Refused(one.message.clone()),
                        None => rest.push(text),
                    }
                }
                parts.extend((!rest.is_empty()).then_some(rest));
            }
            Err(EngineError::Missing(_)) => return judgements,
            Err(EngineError::Failed(why)) => match part.as_slice() {
                [] => {}
                [text] => judgements[*text] = Judgement::Refused(why),
                part => {
                    let (left, right) = part.split_at(part.len() / 2);
                    parts.extend([right.to_vec(), left.to_vec()]);
                }
            },
        }
    }
    if !is_whole {
        together(compiler, texts, &mut judgements);
    }
    judgements
}

/// What compiles in parts has to compile as a whole: it will be loaded as one file.
fn together(compiler: &dyn Compiler, texts: &[&str], judgements: &mut [Judgement]) {
    let good = |judgement: &Judgement| matches!(judgement, Judgement::Compiled(_));
    let all: Vec<&str> =
        texts.iter().zip(judgements.iter()).filter(|(_, judgement)| good(judgement)).map(|(text, _)| *text).collect();
    let compiles = all.is_empty() || compiler.compile(&all).is_ok_and(|said| said.iter().all(|one| !one.is_error));
    if !compiles {
        judgements.iter_mut().filter(|judgement| good(judgement)).for_each(|judgement| *judgement = Judgement::Unknown);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Refuses texts with `bad` in them, naming those with `named`; refuses `one` and `two` together.
    #[derive(Default)]
    struct Fussy(Cell<usize>);

    impl Compiler for Fussy {
        fn version(&self) -> Result<String, EngineError> {
            Ok("fussy".to_owned())
        }

        fn compile(&self, texts: &[&str]) -> Result<Vec<Said>, EngineError> {
            self.0.set(self.0.get() + 1);
            let said = |is_error| {
                move |(text, message): (usize, &&str)| Said { text, message: (*message).to_owned(), is_error }
            };
            let named = texts.iter().enumerate().filter(|(_, text)| text.contains("named"));
            let named: Vec<Said> = named.map(said(true)).collect();
            if !named.is_empty() {
                return Ok(named);
            }
            if texts.iter().any(|text| text.contains("bad")) || (texts.contains(&"one") && texts.contains(&"two")) {
                return Err(EngineError::Failed("no".to_owned()));
            }
            Ok(texts.iter().enumerate().filter(|(_, text)| text.contains("slow")).map(said(false)).collect())
        }
    }

    #[test]
    fn bad_texts_are_found_and_the_rest_compiles() {
        let texts: Vec<String> = (0..100)
            .map(|number| match number {
                7 | 70 => format!("bad {number}"),
                8 | 9 | 99 => format!("named {number}"),
                50 => "slow".to_owned(),
                number => format!("good {number}"),
            })
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let fussy = Fussy::default();
        let judgements = judge(&fussy, &texts);
        for (number, judgement) in judgements.iter().enumerate() {
            match number {
                7 | 70 => assert_eq!(judgement, &Judgement::Refused("no".to_owned())),
                8 | 9 | 99 => assert_eq!(judgement, &Judgement::Refused(texts[number].to_owned())),
                50 => assert_eq!(judgement, &Judgement::Compiled(vec!["slow".to_owned()])),
                _ => assert_eq!(judgement, &Judgement::Compiled(Vec::new()), "{number}"),
            }
        }
        assert!(fussy.0.get() < 40, "{}", fussy.0.get());
    }

    #[test]
    fn what_does_not_go_together_is_unknown_and_there_is_an_end() {
        assert_eq!(judge(&Fussy::default(), &["one", "two"]), [Judgement::Unknown, Judgement::Unknown]);
        let fussy = Fussy::default();
        let judgements = judge(&fussy, &vec!["bad"; 1000]);
        assert!(judgements.contains(&Judgement::Unknown) && fussy.0.get() <= MOST_RUNS + 1);
        assert!(judge(&Fussy::default(), &[]).is_empty());
    }
}
