//! All files of a run take their places, or all stay as they were.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rayon::prelude::*;

use super::{EmitError, at, readable};

/// Changes to a folder that can still be taken back.
pub(super) struct Commit<'a> {
    root: &'a Path,
    /// Where what was there before is kept, on the file system of the folder.
    old: PathBuf,
    /// What was changed; whether there was something before.
    done: BTreeMap<String, bool>,
}

impl<'a> Commit<'a> {
    /// Nothing is changed yet in the folder `root`.
    pub fn new(root: &'a Path, old: PathBuf) -> Self {
        Self { root, old, done: BTreeMap::new() }
    }

    /// Gives a complete file the name `path`. Whoever reads meanwhile sees the old file or the new one.
    pub fn place(&mut self, complete: &Path, path: &str) -> Result<(), EmitError> {
        let target = self.root.join(path);
        self.replace(complete, path, &target).map_err(at(&target))
    }

    fn replace(&mut self, complete: &Path, path: &str, target: &Path) -> io::Result<()> {
        match fs::metadata(target) {
            Ok(earlier) => {
                fs::set_permissions(complete, earlier.permissions())?;
                if !self.done.contains_key(path) {
                    let kept = self.kept(path)?;
                    fs::hard_link(target, &kept).or_else(|_| fs::copy(target, &kept).map(drop))?;
                    self.done.insert(path.to_owned(), true);
                }
            }
            Err(_) => {
                readable(complete)?;
                self.done.entry(path.to_owned()).or_insert(false);
            }
        }
        fs::rename(complete, target)
    }

    /// Removes the file at `path`, if it is there.
    pub fn remove(&mut self, path: &str) -> Result<(), EmitError> {
        let target = self.root.join(path);
        match self.kept(path).and_then(|kept| fs::rename(&target, kept)) {
            Ok(()) => {
                self.done.insert(path.to_owned(), true);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(at(&target)(error)),
        }
    }

    fn kept(&self, path: &str) -> io::Result<PathBuf> {
        let kept = self.old.join(path);
        fs::create_dir_all(kept.parent().unwrap_or(&self.old))?;
        Ok(kept)
    }

    /// Takes everything back, as far as the disk lets it.
    pub fn undo(self) {
        for (path, was_there) in self.done {
            let target = self.root.join(&path);
            // The error that led here is the one to tell.
            let _ = if was_there { fs::rename(self.old.join(&path), target) } else { fs::remove_file(target) };
        }
    }

    /// Makes sure that the names that have changed outlive a power cut.
    pub fn sync(&self) -> Result<(), EmitError> {
        let mut folders: Vec<PathBuf> =
            self.done.keys().filter_map(|path| Some(self.root.join(path).parent()?.to_owned())).collect();
        folders.dedup();
        // Only on Unix is a folder a file that can be opened.
        if cfg!(unix) { sync(&folders) } else { Ok(()) }
    }
}

/// Makes sure that what was written into these files is on the disk. At once, for the disk does most of them together.
pub(super) fn sync(files: &[PathBuf]) -> Result<(), EmitError> {
    files.par_iter().try_for_each(|file| File::open(file).and_then(|file| file.sync_all()).map_err(at(file)))
}
