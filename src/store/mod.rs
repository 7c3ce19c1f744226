//! What feeds have said so far: indicators, the objects that their rules need, and where each feed's next walk begins.
//!
//! ```text
//! pages ──► Store::take (a transaction each) ──► Store::end (one more: cursor, sweep)
//!                                                     │
//!                      Store::objects (rows, in batches) ──► a converter, as if it read the feed's bundle
//! ```
//!
//! A page's objects are in the store before the cursor says so, never after: whatever ends the process, the next walk
//! begins no later than what is stored. That an object comes twice does no harm: of each the newest version is kept.
//!
//! The store is one SQLite file that one process at a time may open. Objects of different feeds don't touch: each feed
//! has its own version of an indicator, and the converter takes the newest of them all.

mod error;
mod export;
mod feed;
mod prune;
mod read;
mod schema;
mod write;

use std::{
    fs,
    path::{Path, PathBuf},
    process,
};

use rusqlite::{Connection, ErrorCode, OptionalExtension};

pub use error::{BROKEN, BUSY, FOREIGN, NEWER, StoreError};
pub use feed::{Feed, FeedNumber, FeedStats};
pub use prune::Pruned;
pub use read::Objects;
pub use write::{Completion, Tally};

/// Memory for pages of the database, in KiB: the upper part of the index of a million indicators.
const CACHE: i64 = 16 * 1024;
/// The same while objects are only handed out, in their order.
const CACHE_FOR_READING: i64 = 1024;
/// How many pages the log of writes may have before they are moved into the file.
const LOG_PAGES: i64 = 10_000;

/// The state that grows by one with each change to what rules are made of.
const GENERATION: &str = "generation";
/// The generation that the outputs were made of last.
const RENDERED: &str = "rendered";

/// The store, open. Nobody else can open it until it is dropped.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the store at `path`, or makes one. An older version is brought to the newest.
    ///
    /// # Errors
    /// If another process has it, it is of a newer version or something else, or the disk fails.
    ///
    /// ```
    /// use stixc::store::{Store, StoreError};
    /// let folder = tempfile::tempdir().unwrap();
    /// let path = folder.path().join("store.sqlite");
    /// let store = Store::open(&path)?;
    /// assert!(matches!(Store::open(&path), Err(StoreError::Busy { .. })));
    /// drop(store);
    /// Store::open(&path)?;
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)
                .map_err(|cause| StoreError::Folder { path: path.display().to_string(), cause })?;
        }
        let failed = |cause| opening(path, cause);
        let mut connection = Connection::open(path).map_err(failed)?;
        configure(&connection).map_err(failed)?;
        match schema::prepare(&mut connection).map_err(failed)? {
            schema::Database::Ready => {}
            schema::Database::Newer(version) => {
                let path = path.display().to_string();
                return Err(StoreError::Newer { path, version, known: schema::VERSION });
            }
            schema::Database::Foreign => return Err(StoreError::Foreign { path: path.display().to_string() }),
        }
        journal(&connection).map_err(failed)?;
        write::prepare(&connection).map_err(failed)?;
        // Only for the message that another process shows; the lock is the database's own.
        _ = fs::write(holder_file(path), process::id().to_string());
        Ok(Self { connection, path: path.to_owned() })
    }

    /// The generation: it grows with each change to what rules are made of.
    ///
    /// # Errors
    /// A failing database.
    pub fn generation(&self) -> Result<i64, StoreError> {
        self.state(GENERATION)
    }

    /// The generation that the outputs were made of last; 0 before the first time.
    ///
    /// # Errors
    /// A failing database.
    pub fn rendered(&self) -> Result<i64, StoreError> {
        self.state(RENDERED)
    }

    /// Notes that the outputs are those of the present generation. To be called when they are on the disk.
    ///
    /// # Errors
    /// A failing database.
    pub fn set_rendered(&mut self) -> Result<(), StoreError> {
        let generation = self.generation()?;
        let sql = "INSERT INTO state (name, value) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value <> excluded.value";
        self.connection.execute(sql, (RENDERED, generation)).map_err(|cause| self.failed(cause))?;
        Ok(())
    }

    /// Gives back the memory that the database holds for taking objects in: from now on they are only handed out.
    ///
    /// # Errors
    /// A failing database.
    pub fn trim(&mut self) -> Result<(), StoreError> {
        let trimmed = self
            .connection
            .pragma_update(None, "cache_size", -CACHE_FOR_READING)
            .and_then(|()| self.connection.pragma_update(None, "shrink_memory", 0));
        trimmed.map_err(|cause| self.failed(cause))
    }

    fn state(&self, name: &str) -> Result<i64, StoreError> {
        let value = self
            .connection
            .query_row("SELECT value FROM state WHERE name = ?1", [name], |row| row.get(0))
            .optional()
            .map_err(|cause| self.failed(cause))?;
        Ok(value.unwrap_or(0))
    }

    fn failed(&self, cause: rusqlite::Error) -> StoreError {
        StoreError::Database { path: self.path.display().to_string(), cause }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        _ = fs::remove_file(holder_file(&self.path));
    }
}

/// The file that tells who has the store.
fn holder_file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pid");
    PathBuf::from(name)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::ZERO)?;
    connection.set_prepared_statement_cache_capacity(64);
    // The file is locked from the first reading on until it is closed.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")
}

/// How changes are written. It is kept in the file, so that it is not for a file of somebody else's.
fn journal(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // After a power cut the last transactions may be missing, but never an earlier one without a later one.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", LOG_PAGES, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -CACHE)
}

fn opening(path: &Path, cause: rusqlite::Error) -> StoreError {
    let name = path.display().to_string();
    match cause.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            let holder = fs::read_to_string(holder_file(path)).ok().and_then(|text| text.trim().parse().ok());
            StoreError::Busy { path: name, holder }
        }
        Some(ErrorCode::NotADatabase) => StoreError::Foreign { path: name },
        _ => StoreError::Database { path: name, cause },
    }
}
