//! A folder whose files change together, or not at all.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{Content, Directory, EmitError, Sink, at, install, is_below, same_bytes};

/// Where the files of a run lie until all of them are complete, below the folder that they are for: a rename can't
/// cross file systems. What a run that was killed has left there, the next one removes.
const STAGE: &str = ".stixc-new";

/// Files for a folder that takes them only once all are complete.
///
/// ```
/// use stixc::output::{Sink, Staged};
/// let folder = tempfile::tempdir().unwrap();
/// let mut staged = Staged::open(folder.path()).unwrap();
/// staged.write("list/a.txt", &mut |out| Ok(out.write_all(b"one\ntwo\n")?)).unwrap();
/// assert!(!folder.path().join("list/a.txt").exists());
/// let changes = staged.changes(&["list"]).unwrap();
/// assert_eq!((changes[0].path.as_str(), changes[0].before, changes[0].after), ("list/a.txt", None, Some(2)));
/// staged.commit(&["list"], &mut || {}).unwrap();
/// assert!(folder.path().join("list/a.txt").exists());
/// ```
#[derive(Debug)]
pub struct Staged {
    directory: Directory,
    stage: TempDir,
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

impl Staged {
    /// Files for the folder at `root`, which is made if it is not there.
    ///
    /// # Errors
    /// A folder that can't be made or written to.
    pub fn open(root: &Path) -> Result<Self, EmitError> {
        let directory = Directory::open(root)?;
        let stages = root.join(STAGE);
        match fs::remove_dir_all(&stages) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&stages)(error)),
            _ => {}
        }
        let stage = tempfile::Builder::new().prefix(STAGE).rand_bytes(0).tempdir_in(root).map_err(at(&stages))?;
        Ok(Self { directory, stage })
    }

    /// Files to compare with those of the folder at `root`, which is left alone. They can't be committed.
    ///
    /// # Errors
    /// No room for temporary files.
    pub fn aside(root: &Path) -> Result<Self, EmitError> {
        let stage = TempDir::new().map_err(at(root))?;
        Ok(Self { directory: Directory { root: root.to_owned(), written: BTreeSet::new(), changed: 0 }, stage })
    }

    /// How many files there are so far.
    #[must_use]
    pub fn files(&self) -> usize {
        self.directory.files()
    }

    /// The paths of the files that earlier runs wrote.
    ///
    /// # Errors
    /// A manifest that can't be read.
    pub fn earlier(&mut self) -> Result<BTreeSet<String>, EmitError> {
        self.directory.manifest()
    }

    /// What a commit with the same `folders` would change, by path.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn changes(&mut self, folders: &[&str]) -> Result<Vec<Change>, EmitError> {
        let mut changes = Vec::new();
        for path in &self.directory.written {
            let (now, before) = (self.stage.path().join(path), self.directory.root.join(path));
            let there = before.is_file();
            if there && same_bytes(&now, &before).map_err(at(&before))? {
                continue;
            }
            let before = there.then(|| entries(&before)).transpose()?;
            changes.push(Change { path: path.clone(), before, after: Some(entries(&now)?) });
        }
        let (stale, _) = self.directory.left_behind(folders)?;
        for path in stale.into_iter().filter(|path| is_below(path)) {
            let file = self.directory.root.join(&path);
            if file.is_file() {
                changes.push(Change { before: Some(entries(&file)?), path, after: None });
            }
        }
        changes.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(changes)
    }

    /// Gives all files to the folder, removes what earlier runs wrote below `folders` and this one did not, and writes
    /// the manifest. Files whose bytes are the same are left alone. Calls `step` after each change on the disk.
    ///
    /// Each file changes at once, but they do so one after the other. Whatever ends the process in between, the manifest
    /// lists every file of both runs, so that the next commit puts all of them right.
    ///
    /// # Errors
    /// A failing disk.
    pub fn commit(mut self, folders: &[&str], step: &mut dyn FnMut()) -> Result<(Directory, usize), EmitError> {
        let earlier = self.directory.manifest()?;
        if !self.directory.written.is_subset(&earlier) {
            self.directory.list(earlier)?;
            self.directory.changed = 0;
            step();
        }
        let mut touched: BTreeSet<PathBuf> = BTreeSet::from([self.directory.root.clone()]);
        for path in self.directory.written.clone() {
            let target = self.directory.root.join(&path);
            let folder = target.parent().unwrap_or(&self.directory.root).to_owned();
            fs::create_dir_all(&folder).map_err(at(&folder))?;
            if install(&self.stage.path().join(&path), &target).map_err(at(&target))? {
                self.directory.changed += 1;
                touched.insert(folder);
                step();
            }
        }
        let removed = self.directory.finish(folders)?;
        step();
        for folder in &touched {
            sync(folder).map_err(at(folder))?;
        }
        Ok((self.directory, removed))
    }
}

impl Sink for Staged {
    fn write(&mut self, path: &str, content: Content<'_>) -> Result<(), EmitError> {
        let file = self.stage.path().join(path);
        let folder = file.parent().unwrap_or(self.stage.path());
        fs::create_dir_all(folder).map_err(at(folder))?;
        super::replace(&file, folder, content)?;
        self.directory.written.insert(path.to_owned());
        Ok(())
    }

    /// What the folder holds from earlier.
    fn previous(&mut self, path: &str) -> Result<Option<String>, EmitError> {
        self.directory.previous(path)
    }
}

/// The lines of a file that are neither blank nor comments.
fn entries(path: &Path) -> Result<usize, EmitError> {
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

/// Makes sure that the names in a folder outlive a power cut.
fn sync(folder: &Path) -> io::Result<()> {
    // Only on Unix is a folder a file that can be opened.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
