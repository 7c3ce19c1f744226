//! A folder whose files change together, or not at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, TryLockError},
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{
    Amounts, Content, EmitError, Limits, MANIFEST, Sink, Stopped, at,
    commit::{Commit, sync},
    crash, is_below,
    manifest::{Digesting, Entry, Manifest, digest},
    named,
    safety::Contents,
};

/// Where the files of a run lie until all of them are complete, below the folder that they are for: a rename can't
/// cross file systems. What a run that was killed has left there, the next one removes.
const STAGE: &str = ".stixc-new";

/// Who writes into a folder, and with what right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claim {
    /// The configuration that all outputs of the folder are made by, seen from the folder; none for a conversion.
    pub owner: Option<String>,
    /// Whether files are taken that others have written or changed, and a folder that belongs to another configuration.
    pub force: bool,
}

/// Files for a folder that takes them only once all are complete.
///
/// ```
/// use stixc::output::{Claim, Sink, Staged};
/// let folder = tempfile::tempdir().unwrap();
/// let mut staged = Staged::open(folder.path(), Claim::default()).unwrap();
/// staged.write("list/a.txt", &mut |out| Ok(out.write_all(b"one\ntwo\n")?)).unwrap();
/// assert!(!folder.path().join("list/a.txt").exists());
/// let changes = staged.changes(&["list"]).unwrap();
/// assert_eq!((changes[0].path.as_str(), changes[0].before, changes[0].after), ("list/a.txt", None, Some(2)));
/// staged.commit(&["list"]).unwrap();
/// assert!(folder.path().join("list/a.txt").exists());
/// ```
#[derive(Debug)]
pub struct Staged {
    root: PathBuf,
    claim: Claim,
    /// What earlier runs have written.
    earlier: Manifest,
    /// What this one has.
    written: BTreeMap<String, Entry>,
    stage: TempDir,
    /// Keeps other runs out of the folder until this one has ended, however it does.
    _lock: Option<File>,
}

/// A file that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its path below the folder.
    pub path: String,
    /// Its entries before, where it was there: lines that are neither blank nor comments.
    pub before: Option<usize>,
    /// Its entries now, where it still is.
    pub after: Option<usize>,
}

/// What a commit has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// How many files there are of this run.
    pub files: usize,
    /// How many of them have other bytes than before.
    pub changed: usize,
    /// How many of earlier runs are gone.
    pub removed: usize,
}

/// How a commit would change a folder.
#[derive(Debug, Default)]
struct Difference {
    /// Files that are not as they were; the digest of what is there.
    changed: BTreeMap<String, Option<String>>,
    /// What earlier runs have written and this one has not, and what of it is there.
    stale: BTreeSet<String>,
    there: BTreeSet<String>,
    /// What would be replaced or removed and is not what was written.
    foreign: Vec<String>,
}

impl Staged {
    /// Files for the folder at `root`, which is made if it is not there.
    ///
    /// # Errors
    /// A folder that can't be made or written to, that belongs to another, or that another run is writing into.
    pub fn open(root: &Path, claim: Claim) -> Result<Self, EmitError> {
        fs::create_dir_all(root).map_err(at(root))?;
        let lock = lock(root)?;
        let earlier = earlier(root, &claim)?;
        let stages = root.join(STAGE);
        match fs::remove_dir_all(&stages) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&stages)(error)),
            _ => {}
        }
        let stage = tempfile::Builder::new().prefix(STAGE).rand_bytes(0).tempdir_in(root).map_err(at(&stages))?;
        Ok(Self { root: root.to_owned(), claim, earlier, written: BTreeMap::new(), stage, _lock: lock })
    }

    /// Files to compare with those of the folder at `root`, which is left alone. They can't be committed.
    ///
    /// # Errors
    /// No room for temporary files, or a folder that belongs to another.
    pub fn aside(root: &Path, claim: Claim) -> Result<Self, EmitError> {
        let earlier = earlier(root, &claim)?;
        let stage = TempDir::new().map_err(at(root))?;
        Ok(Self { root: root.to_owned(), claim, earlier, written: BTreeMap::new(), stage, _lock: None })
    }

    /// How many files there are so far.
    #[must_use]
    pub fn files(&self) -> usize {
        self.written.len()
    }

    fn complete(&self, path: &str) -> PathBuf {
        self.stage.path().join("new").join(path)
    }

    /// What a commit with the same `folders` would change, by path.
    ///
    /// # Errors
    /// A file that can't be read, or that is not what was written here.
    pub fn changes(&self, folders: &[&str]) -> Result<Vec<Change>, EmitError> {
        let difference = self.difference(folders)?;
        let mut changes = Vec::new();
        for (path, before) in &difference.changed {
            let before = before.as_ref().map(|_| lines(&self.root.join(path))).transpose()?;
            changes.push(Change { path: path.clone(), before, after: Some(lines(&self.complete(path))?) });
        }
        for path in &difference.there {
            let before = Some(lines(&self.root.join(path))?);
            changes.push(Change { path: path.clone(), before, after: None });
        }
        changes.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(changes)
    }

    /// The outputs that would change more than `limits` allow, among the `formats` that are wanted, which are named by their
    /// paths. For the targets `without_rules` nothing is left.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn stopped(
        &self,
        limits: &Limits,
        formats: &[&str],
        without_rules: &[&str],
    ) -> Result<Vec<Stopped>, EmitError> {
        let holds = |(path, entry): (&String, &Entry)| (path.clone(), entry.holds.clone());
        let mut before: BTreeMap<String, Amounts> = self.earlier.files.iter().map(holds).collect();
        let mut after: BTreeMap<String, Amounts> = self.written.iter().map(holds).collect();
        // Of what an earlier version has written only the lines are known.
        let unknown = self.earlier.files.iter().filter(|(path, entry)| entry.sha256.is_empty() && is_below(path));
        for (path, _) in unknown.filter(|(path, _)| self.root.join(path).is_file()) {
            let amount = |lines: usize| Amounts::from([("line".to_owned(), lines as u128)]);
            before.insert(path.clone(), amount(lines(&self.root.join(path))?));
            if self.written.contains_key(path) {
                after.insert(path.clone(), amount(lines(&self.complete(path))?));
            }
        }
        let contents = Contents { before, after };
        Ok(contents.stopped(limits, formats, without_rules))
    }

    /// What a commit would change.
    fn difference(&self, folders: &[&str]) -> Result<Difference, EmitError> {
        let mut difference = Difference::default();
        for (path, entry) in &self.written {
            let there = self.there(path)?;
            if there.as_ref() == Some(&entry.sha256) {
                continue;
            }
            if let Some(digest) = &there {
                self.see(path, digest, &mut difference);
            }
            difference.changed.insert(path.clone(), there);
        }
        let ours = |path: &str| path.split_once('/').is_some_and(|(top, _)| folders.contains(&top));
        for path in self.earlier.files.keys().filter(|path| ours(path) && !self.written.contains_key(*path)) {
            difference.stale.insert(path.clone());
            // A manifest may have been edited: nothing outside the folder is ever removed.
            if let Some(digest) = if is_below(path) { self.there(path)? } else { None } {
                difference.there.insert(path.clone());
                self.see(path, &digest, &mut difference);
            }
        }
        match difference.foreign.as_slice() {
            [first, others @ ..] => {
                Err(EmitError::NotOurs { path: self.root.join(first).display().to_string(), others: others.len() })
            }
            [] => Ok(difference),
        }
    }

    /// The digest of the file at `path`, if one is there.
    fn there(&self, path: &str) -> Result<Option<String>, EmitError> {
        let file = self.root.join(path);
        // What it points to may be anybody's, and would no longer change with it.
        if fs::symlink_metadata(&file).is_ok_and(|found| found.is_symlink()) && !self.claim.force {
            return Err(EmitError::Link { path: file.display().to_string() });
        }
        match fs::metadata(&file) {
            Ok(found) if found.is_file() => digest(&file).map(Some).map_err(at(&file)),
            Ok(_) => Err(EmitError::NotOurs { path: file.display().to_string(), others: 0 }),
            Err(_) => Ok(None),
        }
    }

    /// Notes a file that would be replaced or removed, where it is not the one that was written here. The lock is for all to
    /// change: git merges it.
    fn see(&self, path: &str, digest: &str, difference: &mut Difference) {
        let is_ours = self.earlier.files.get(path).is_some_and(|entry| entry.is(digest));
        if !is_ours && !self.claim.force && !path.ends_with(".lock") {
            difference.foreign.push(path.to_owned());
        }
    }

    /// Gives all files to the folder, removes what earlier runs wrote below `folders` and this one did not, and writes
    /// the manifest. Files whose bytes are the same are left alone.
    ///
    /// All that can fail comes before the first file takes its name; what fails then all the same is taken back. Each file
    /// changes at once, but they do so one after the other: whatever ends the process in between, the manifest lists every
    /// file of both runs, so that the next commit puts all of them right.
    ///
    /// # Errors
    /// A failing disk, or a file that is not what was written here; the folder is then as it was.
    pub fn commit(self, folders: &[&str]) -> Result<Committed, EmitError> {
        let difference = self.difference(folders)?;
        let (under_way, done) = self.manifests(&difference);
        let interim = self.stage.path().join(MANIFEST);
        write_manifest(&interim, under_way)?;
        write_manifest(&self.complete(MANIFEST), done)?;
        let manifest_stays = self.there(MANIFEST)? == Some(digest(&self.complete(MANIFEST)).map_err(at(&interim))?);
        let committed = Committed {
            files: self.written.len(),
            changed: difference.changed.len() + usize::from(!manifest_stays),
            removed: difference.stale.len(),
        };
        if committed.changed == 0 && difference.there.is_empty() {
            return Ok(committed);
        }
        let mut files: Vec<PathBuf> = difference.changed.keys().map(|path| self.complete(path)).collect();
        files.extend([interim.clone(), self.complete(MANIFEST)]);
        sync(&files)?;
        for path in difference.changed.keys() {
            let target = self.root.join(path);
            let folder = target.parent().unwrap_or(&self.root);
            fs::create_dir_all(folder).map_err(at(folder))?;
        }
        crash::point();
        let mut commit = Commit::new(&self.root, self.stage.path().join("old"));
        match self.place(&difference, &interim, &mut commit) {
            Ok(()) => commit.sync().map(|()| committed),
            Err(error) => {
                commit.undo();
                Err(error)
            }
        }
    }

    fn place(&self, difference: &Difference, interim: &Path, commit: &mut Commit<'_>) -> Result<(), EmitError> {
        commit.place(interim, MANIFEST)?;
        crash::point();
        for path in difference.changed.keys() {
            commit.place(&self.complete(path), path)?;
            crash::point();
        }
        for path in &difference.there {
            commit.remove(path)?;
        }
        crash::point();
        commit.place(&self.complete(MANIFEST), MANIFEST)
    }

    /// The manifest while files change, and the one behind them.
    fn manifests(&self, difference: &Difference) -> (Manifest, Manifest) {
        let kept = self.earlier.files.iter().filter(|(path, _)| !self.written.contains_key(*path));
        let mut under_way = Manifest::default();
        under_way.owner.clone_from(&self.claim.owner);
        under_way.files = kept.map(|(path, entry)| (path.clone(), entry.clone())).collect();
        let mut done = under_way.clone();
        done.files.retain(|path, _| !difference.stale.contains(path));
        done.files.extend(self.written.iter().map(|(path, entry)| (path.clone(), entry.clone())));
        for (path, entry) in &self.written {
            let replaces = difference.changed.get(path).cloned().flatten();
            under_way.files.insert(path.clone(), Entry { replaces, ..entry.clone() });
        }
        (under_way, done)
    }
}

/// Keeps other runs out of a folder. The lock is the folder's own, so that no file is left behind, and it goes with the
/// process. Where the file system knows no locks there is none.
fn lock(root: &Path) -> Result<Option<File>, EmitError> {
    // Only on Unix is a folder a file that can be opened.
    if !cfg!(unix) {
        return Ok(None);
    }
    let folder = File::open(root).map_err(at(root))?;
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Err(EmitError::Busy { folder: root.display().to_string() }),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// What earlier runs have written into a folder.
fn earlier(root: &Path, claim: &Claim) -> Result<Manifest, EmitError> {
    let path = root.join(MANIFEST);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Manifest::default()),
        Err(error) => return Err(at(&path)(error)),
    };
    let manifest = match Manifest::parse(&text) {
        Ok(manifest) => manifest,
        Err(_) if claim.force => return Ok(Manifest::default()),
        Err(_) => return Err(EmitError::NotOurs { path: path.display().to_string(), others: 0 }),
    };
    match &manifest.owner {
        Some(owner) if claim.owner.as_ref() != Some(owner) && !claim.force => {
            Err(EmitError::Owned { folder: root.display().to_string(), owner: owner.clone() })
        }
        _ => Ok(manifest),
    }
}

fn write_manifest(path: &Path, mut manifest: Manifest) -> Result<(), EmitError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(at(folder))?;
    let mut out = BufWriter::new(File::create(path).map_err(at(path))?);
    manifest.write(&mut out).map_err(named(path))?;
    out.flush().map_err(at(path))
}

impl Sink for Staged {
    fn write(&mut self, path: &str, content: Content<'_>) -> Result<(), EmitError> {
        let file = self.complete(path);
        let folder = file.parent().unwrap_or(self.stage.path());
        fs::create_dir_all(folder).map_err(at(folder))?;
        let target = self.root.join(path);
        let new = File::create(&file).map_err(at(&target))?;
        let mut out = BufWriter::with_capacity(1 << 16, Digesting::new(new));
        content(&mut out).map_err(named(&target))?;
        let out = out.into_inner().map_err(|error| at(&target)(error.into_error()))?;
        let (_, sha256) = out.finish();
        self.written.insert(path.to_owned(), Entry { sha256, ..Entry::default() });
        crash::point();
        Ok(())
    }

    /// What this run has written, or the folder holds from earlier.
    fn previous(&mut self, path: &str) -> Result<Option<String>, EmitError> {
        let path = if self.written.contains_key(path) { self.complete(path) } else { self.root.join(path) };
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }

    fn holds(&mut self, path: &str, amounts: &Amounts) {
        if let Some(entry) = self.written.get_mut(path) {
            entry.holds.clone_from(amounts);
        }
    }
}

/// The lines of a file that are neither blank nor comments.
fn lines(path: &Path) -> Result<usize, EmitError> {
    let mut lines = BufReader::with_capacity(1 << 16, File::open(path).map_err(at(path))?);
    let (mut line, mut count) = (Vec::new(), 0);
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).map_err(at(path))? == 0 {
            return Ok(count);
        }
        let text = line.trim_ascii();
        count += usize::from(!text.is_empty() && !text.starts_with(b"#") && !text.starts_with(b";"));
    }
}
