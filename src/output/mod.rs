//! Where files go: a folder, standard output, or memory.
//!
//! The files of a run take their places in a folder together, once all of them are complete, or not at all. A file with the
//! same bytes as before is left alone. `manifest.json` lists what was written, so that files that a later run no longer writes
//! can be removed, and no others.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Component, Path, PathBuf},
};

use tempfile::NamedTempFile;

mod commit;
pub mod crash;
mod error;
mod manifest;
mod safety;
mod staged;

pub use error::EmitError;
pub use manifest::{Amounts, MANIFEST};
pub use safety::{Limits, Stopped, told};
pub use staged::{Change, Claim, Committed, Staged};

/// What writes the content of one file.
pub type Content<'a> = &'a mut dyn FnMut(&mut dyn Write) -> Result<(), EmitError>;

/// A place for files. Paths are relative, with `/` between their parts.
pub trait Sink {
    /// Writes the file at `path`.
    ///
    /// # Errors
    /// What `content` answers, or a failing disk; the file is then as it was before.
    fn write(&mut self, path: &str, content: Content<'_>) -> Result<(), EmitError>;

    /// What is at `path` from earlier, if anything.
    ///
    /// # Errors
    /// A file that is there and can't be read.
    fn previous(&mut self, path: &str) -> Result<Option<String>, EmitError>;

    /// Notes what the file at `path` holds.
    fn holds(&mut self, _path: &str, _amounts: &Amounts) {}

    /// Whether a file at `path` is kept; what [`Sink::write`] does not keep it passes over.
    fn takes(&self, _path: &str) -> bool {
        true
    }
}

/// Files in memory.
///
/// ```
/// use stixc::output::{Memory, Sink};
/// let mut memory = Memory::default();
/// memory.write("a.txt", &mut |out| Ok(out.write_all(b"text")?)).unwrap();
/// assert_eq!(memory.files["a.txt"], b"text");
/// ```
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Content by path.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Sink for Memory {
    fn write(&mut self, path: &str, content: Content<'_>) -> Result<(), EmitError> {
        let mut bytes = Vec::new();
        content(&mut bytes)?;
        self.files.insert(path.to_owned(), bytes);
        Ok(())
    }

    fn previous(&mut self, path: &str) -> Result<Option<String>, EmitError> {
        Ok(self.files.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
    }
}

/// The file in a target's folder that tells which rules and entries its files hold.
pub const INDEX: &str = "index.jsonl";

/// Files one after the other on a stream.
#[derive(Debug)]
pub struct Stream<W> {
    out: W,
    wrote: bool,
}

impl<W: Write> Stream<W> {
    /// A stream of files; YAML documents after the first have a line `---` before them.
    pub fn new(out: W) -> Self {
        Self { out, wrote: false }
    }
}

impl<W: Write> Sink for Stream<W> {
    fn write(&mut self, path: &str, content: Content<'_>) -> Result<(), EmitError> {
        if !self.takes(path) {
            return Ok(());
        }
        if self.wrote && path.ends_with(".yml") {
            self.out.write_all(b"---\n")?;
        }
        self.wrote = true;
        content(&mut self.out)?;
        Ok(self.out.flush()?)
    }

    fn previous(&mut self, _path: &str) -> Result<Option<String>, EmitError> {
        Ok(None)
    }

    /// What serves the next run in the same folder has no place among rules.
    fn takes(&self, path: &str) -> bool {
        !is_bookkeeping(path)
    }
}

/// Whether a file is there for stixc itself and not for an engine: the lock, and the index of what was emitted.
#[must_use]
pub fn is_bookkeeping(path: &str) -> bool {
    path.ends_with(".lock") || path.rsplit('/').next() == Some(INDEX)
}

/// A sink without the files of some formats: those at or below their paths. Files of no format (the lock) pass.
pub struct Filtered<'a> {
    /// Where the files go.
    pub sink: &'a mut dyn Sink,
    /// Paths that are left out.
    pub without: Vec<&'static str>,
    /// Files that were left out for it.
    pub left_out: Vec<String>,
}

impl Sink for Filtered<'_> {
    fn write(&mut self, path: &str, content: Content<'_>) -> Result<(), EmitError> {
        if self.takes(path) {
            return self.sink.write(path, content);
        }
        self.left_out.push(path.to_owned());
        Ok(())
    }

    fn previous(&mut self, path: &str) -> Result<Option<String>, EmitError> {
        self.sink.previous(path)
    }

    fn holds(&mut self, path: &str, amounts: &Amounts) {
        self.sink.holds(path, amounts);
    }

    fn takes(&self, path: &str) -> bool {
        let left_out = |format: &&str| path == *format || (format.ends_with("/") && path.starts_with(*format));
        !self.without.iter().any(left_out)
    }
}

/// Writes one file of the user's choice as a folder's files are written: whole or not at all, unless it is a device or a
/// pipe.
///
/// # Errors
/// What `content` answers, or a failing disk.
pub fn write_file(path: &Path, content: Content<'_>) -> Result<(), EmitError> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        // A device or a pipe takes what it gets; a folder answers for itself.
        let mut out = BufWriter::new(File::options().write(true).open(path).map_err(at(path))?);
        content(&mut out).map_err(named(path))?;
        return out.flush().map_err(at(path));
    }
    // A link stays one: what it points to is written.
    let path = &linked(path).map_err(at(path))?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(at(folder))?;
    let temporary = NamedTempFile::new_in(folder).map_err(at(folder))?;
    let mut out = BufWriter::with_capacity(1 << 16, temporary);
    content(&mut out).map_err(named(path))?;
    let temporary = out.into_inner().map_err(|error| at(path)(error.into_error()))?;
    // The temporary file removes itself unless it has got the target's name.
    install(temporary.into_temp_path().as_ref(), path).map_err(at(path))
}

/// The file that a path leads to, whether it is there or not.
fn linked(path: &Path) -> io::Result<PathBuf> {
    // As many as Linux follows.
    const MOST: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST {
        match fs::read_link(&path) {
            Ok(next) => path = path.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("links that lead in a circle"))
}

/// Gives a complete file the name `target`, unless a file of that name has the same bytes. One that was there keeps its
/// permissions.
fn install(complete: &Path, target: &Path) -> io::Result<()> {
    match fs::metadata(target) {
        Ok(_) if same_bytes(complete, target)? => return Ok(()),
        Ok(earlier) => fs::set_permissions(complete, earlier.permissions())?,
        Err(_) => readable(complete)?,
    }
    // After a power cut the name must not point to a file that never reached the disk.
    File::open(complete)?.sync_all()?;
    fs::rename(complete, target)
}

fn at(path: &Path) -> impl Fn(io::Error) -> EmitError {
    let path = path.display().to_string();
    move |source| EmitError::Io { path: path.clone(), source }
}

/// A failing writer does not know which file it writes.
fn named(path: &Path) -> impl Fn(EmitError) -> EmitError {
    let at = at(path);
    move |error| match error {
        EmitError::Io { source, .. } => at(source),
        other => other,
    }
}

/// A manifest may have been edited: nothing outside the folder is ever removed.
fn is_below(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

fn same_bytes(left: &Path, right: &Path) -> io::Result<bool> {
    let (left, right) = (File::open(left)?, File::open(right)?);
    if left.metadata()?.len() != right.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (BufReader::new(left), BufReader::new(right));
    let (mut one, mut other) = ([0; 8192], [0; 8192]);
    loop {
        let read = left.read(&mut one)?;
        if read == 0 {
            return Ok(true);
        }
        right.read_exact(&mut other[..read])?;
        if one[..read] != other[..read] {
            return Ok(false);
        }
    }
}

/// Temporary files are private to their maker; an output is for engines that run as somebody else.
#[cfg(unix)]
fn readable(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_file: &Path) -> io::Result<()> {
    Ok(())
}
