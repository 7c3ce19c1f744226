//! `stixc check --fix`: patterns of bundles, mended where they stand.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Write},
    path::Path,
};

use rayon::prelude::*;

use crate::{
    convert::mend,
    output::{EmitError, write_file},
    source::Input,
    stix::{Batch, BundleReader, Indicator, PatternType},
};

use super::{
    display,
    exit::{Exit, Failure},
    progress::Progress,
};

/// What was mended.
#[derive(Debug, Default)]
pub(super) struct Fixed {
    /// Patterns.
    pub patterns: usize,
    /// Files that they are in.
    pub files: usize,
    /// How a run ends for files that can't be written.
    pub exit: Option<Exit>,
}

/// A change of a file.
struct Edit {
    offset: u64,
    before: String,
    after: String,
}

/// Mends the patterns of all inputs. A file that can't be written is reported, and stays as it was.
///
/// # Errors
/// An input that is no file, before anything is changed.
pub(super) fn fix(inputs: &[Input], progress: &Progress) -> Result<Fixed, Failure> {
    let files = inputs.iter().map(|input| input.path().map(|path| (input, path)).ok_or_else(|| no_file(input.name())));
    let mut fixed = Fixed::default();
    for (input, path) in files.collect::<Result<Vec<_>, _>>()? {
        match file(input, path, progress) {
            Ok(0) => {}
            Ok(patterns) => {
                fixed.patterns += patterns;
                fixed.files += 1;
            }
            Err(failure) => {
                display::failure(&failure);
                fixed.exit = fixed.exit.max(Some(failure.exit));
            }
        }
    }
    Ok(fixed)
}

/// The failure for an input that is no file.
pub(super) fn no_file(name: &str) -> Failure {
    Failure::usage(format!("--fix can't rewrite {name}"), "name files or folders")
}

/// How many patterns of a file were mended.
fn file(input: &Input, path: &Path, progress: &Progress) -> Result<usize, Failure> {
    // What can't be opened is reported by the pass that checks.
    let Ok(reader) = input.open() else { return Ok(0) };
    let mut batches = BundleReader::new(progress.reading(input, reader));
    let mut edits = Vec::new();
    loop {
        let round: Vec<_> = batches.by_ref().take(rayon::current_num_threads() * 2).collect();
        if round.is_empty() {
            break;
        }
        edits.extend(round.par_iter().map(changes).collect::<Vec<_>>().into_iter().flatten());
    }
    if !edits.is_empty() {
        // A link stays a link: what it leads to is replaced.
        let real = fs::canonicalize(path).map_err(|source| EmitError::Io { path: input.name().to_owned(), source })?;
        write_file(&real, &mut |out| rewrite(&real, &edits, out))?;
    }
    Ok(edits.len())
}

fn changes(batch: &Batch) -> Vec<Edit> {
    let indicators = batch.objects().filter(|object| object.object_type().as_deref() == Some("indicator"));
    let edits = indicators.filter_map(|object| {
        let indicator = Indicator::parse(object.raw).ok().filter(|one| one.pattern_type == PatternType::Stix)?;
        let mended = mend(&indicator.pattern)?;
        let quoted = object.pattern()?;
        let after = json(&mended, quoted.json.is_ascii())?;
        Some(Edit { offset: quoted.position.offset, before: quoted.json.to_owned(), after })
    });
    edits.collect()
}

/// A text as a JSON string; in ASCII where the string in its place was.
fn json(text: &str, ascii: bool) -> Option<String> {
    let json = serde_json::to_string(text).ok()?;
    if !ascii || json.is_ascii() {
        return Some(json);
    }
    let mut escaped = String::with_capacity(json.len() * 2);
    for character in json.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}")));
        }
    }
    Some(escaped)
}

/// Copies the file with its changes.
fn rewrite(path: &Path, edits: &[Edit], out: &mut dyn Write) -> Result<(), EmitError> {
    let mut file = BufReader::new(File::open(path)?);
    let mut at = 0;
    for Edit { offset, before, after } in edits {
        io::copy(&mut file.by_ref().take(offset.saturating_sub(at)), out)?;
        let mut found = vec![0; before.len()];
        file.read_exact(&mut found)?;
        if found != before.as_bytes() {
            return Err(io::Error::other("the file was changed in the meantime").into());
        }
        out.write_all(after.as_bytes())?;
        at = offset + before.len() as u64;
    }
    io::copy(&mut file, out)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Edit, json, rewrite};

    #[test]
    fn strings_stay_in_ascii() {
        assert_eq!(json("é😀\"", true).as_deref(), Some(r#""\u00e9\ud83d\ude00\"""#));
        assert_eq!(json("é", false).as_deref(), Some("\"é\""));
    }

    #[test]
    fn a_file_that_changed_is_not_rewritten() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "0123456789").expect("a disk");
        let edit = |before: &str| Edit { offset: 3, before: before.to_owned(), after: "x".to_owned() };
        let mut out = Vec::new();
        rewrite(file.path(), &[edit("34")], &mut out).expect("a good edit");
        assert_eq!(out, b"012x56789");
        assert!(rewrite(file.path(), &[edit("99")], &mut Vec::new()).is_err());
    }
}
