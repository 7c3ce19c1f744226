//! Where files go: a folder, standard output, or memory.
//!
//! A file in a folder is written whole or not at all: into a temporary file beside it that takes its name once it is
//! complete. A file with the same bytes as before is left alone. `manifest.json` lists what was written, so that files
//! that a later run no longer writes can be removed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Component, Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

mod error;
mod staged;

pub use error::EmitError;
pub use staged::{Change, Staged};

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

/// Files in a folder.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    written: BTreeSet<String>,
    changed: usize,
}

/// The file in a target's folder that tells which rules and entries its files hold.
pub const INDEX: &str = "index.jsonl";
/// The file that lists what was written.
pub const MANIFEST: &str = "manifest.json";
const MANIFEST_SCHEMA: &str = "stixc-manifest/1";

#[derive(Serialize, Deserialize)]
struct Manifest {
    schema: String,
    files: BTreeSet<String>,
}

impl Directory {
    /// The folder at `root`, made if it is not there.
    ///
    /// # Errors
    /// A folder that can't be made or written to.
    pub fn open(root: &Path) -> Result<Self, EmitError> {
        fs::create_dir_all(root).map_err(at(root))?;
        // A folder that can't be written to should say so before an hour of work, not after.
        NamedTempFile::new_in(root).map_err(at(root))?;
        Ok(Self { root: root.to_owned(), written: BTreeSet::new(), changed: 0 })
    }

    /// How many files have other bytes than before, new ones included.
    #[must_use]
    pub fn changed(&self) -> usize {
        self.changed
    }

    /// How many files were written or found to be as they should be.
    #[must_use]
    pub fn files(&self) -> usize {
        self.written.len()
    }

    /// Ends the run: removes what earlier runs wrote below `folders` and this one did not, and writes the manifest.
    ///
    /// # Errors
    /// A file that can't be removed, a manifest that can't be read or written.
    pub fn finish(&mut self, folders: &[&str]) -> Result<usize, EmitError> {
        let (stale, others) = self.left_behind(folders)?;
        for path in stale.iter().filter(|path| is_below(path)) {
            let file = self.root.join(path);
            match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&file)(error)),
                _ => {}
            }
        }
        self.list(others)?;
        Ok(stale.len())
    }

    /// What earlier runs wrote and this one did not: below `folders`, and elsewhere.
    fn left_behind(&mut self, folders: &[&str]) -> Result<(BTreeSet<String>, BTreeSet<String>), EmitError> {
        let ours = |path: &String| path.split_once('/').is_some_and(|(top, _)| folders.contains(&top));
        Ok(self.manifest()?.into_iter().filter(|path| !self.written.contains(path)).partition(ours))
    }

    /// Writes the manifest: what this run has written, and `others`.
    fn list(&mut self, others: BTreeSet<String>) -> Result<(), EmitError> {
        let files: BTreeSet<String> =
            self.written.iter().cloned().chain(others).filter(|path| path != MANIFEST).collect();
        let manifest = Manifest { schema: MANIFEST_SCHEMA.to_owned(), files };
        self.write(MANIFEST, &mut |out| {
            serde_json::to_writer_pretty(&mut *out, &manifest).map_err(io::Error::from)?;
            Ok(out.write_all(b"\n")?)
        })?;
        self.written.remove(MANIFEST);
        Ok(())
    }

    fn manifest(&mut self) -> Result<BTreeSet<String>, EmitError> {
        let Some(text) = self.previous(MANIFEST)? else { return Ok(BTreeSet::new()) };
        let damaged =
            |message: String| EmitError::Previous { path: self.root.join(MANIFEST).display().to_string(), message };
        let manifest: Manifest = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        if manifest.schema != MANIFEST_SCHEMA {
            return Err(damaged(format!("schema {}, expected {MANIFEST_SCHEMA}", manifest.schema)));
        }
        Ok(manifest.files)
    }
}

impl Sink for Directory {
    fn write(&mut self, path: &str, content: Content<'_>) -> Result<(), EmitError> {
        let target = self.root.join(path);
        let folder = target.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(at(folder))?;
        let changed = replace(&target, folder, content)?;
        self.written.insert(path.to_owned());
        self.changed += usize::from(changed);
        Ok(())
    }

    fn previous(&mut self, path: &str) -> Result<Option<String>, EmitError> {
        let path = self.root.join(path);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }
}

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
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(at(folder))?;
    replace(path, folder, content)?;
    Ok(())
}

/// Writes a file whole or not at all; whether it has other bytes than before. One that was there keeps its permissions.
fn replace(target: &Path, folder: &Path, content: Content<'_>) -> Result<bool, EmitError> {
    let temporary = NamedTempFile::new_in(folder).map_err(at(folder))?;
    let mut out = BufWriter::with_capacity(1 << 16, temporary);
    content(&mut out).map_err(named(target))?;
    let temporary = out.into_inner().map_err(|error| at(target)(error.into_error()))?;
    // The temporary file removes itself unless it has got the target's name.
    install(temporary.into_temp_path().as_ref(), target).map_err(at(target))
}

/// Gives a complete file the name `target`, unless a file of that name has the same bytes; whether it did.
fn install(complete: &Path, target: &Path) -> io::Result<bool> {
    match fs::metadata(target) {
        Ok(earlier) => {
            if same_bytes(complete, target)? {
                return Ok(false);
            }
            fs::set_permissions(complete, earlier.permissions())?;
            // After a power cut the name must not point to a file that never reached the disk.
            File::open(complete)?.sync_all()?;
        }
        Err(_) => readable(complete)?,
    }
    fs::rename(complete, target)?;
    Ok(true)
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
