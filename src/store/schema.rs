//! The tables, and how an older store becomes a newer one.

use rusqlite::{Connection, Transaction};

/// What tells a store of stixc from any other database: `STXC`.
const APPLICATION: i64 = 0x5354_5843;

/// Each step makes version `n + 1` of version `n`. Steps are added, never changed.
const STEPS: &[&str] = &[
    // The rows of one feed lie together: the number of its first one is the number of the feed, shifted by FEED_BITS.
    "CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
     CREATE TABLE feed (
         number INTEGER PRIMARY KEY,
         source TEXT NOT NULL UNIQUE,
         name TEXT NOT NULL,
         cursor TEXT,
         last_success INTEGER,
         last_full INTEGER
     );
     CREATE TABLE indicator (
         number INTEGER PRIMARY KEY,
         feed INTEGER NOT NULL,
         key BLOB NOT NULL,
         modified INTEGER NOT NULL,
         revoked INTEGER NOT NULL,
         valid_until INTEGER,
         body BLOB NOT NULL
     );
     CREATE UNIQUE INDEX indicator_key ON indicator (feed, key);
     CREATE TABLE context (
         number INTEGER PRIMARY KEY,
         feed INTEGER NOT NULL,
         key BLOB NOT NULL,
         modified INTEGER NOT NULL,
         revoked INTEGER NOT NULL,
         valid_until INTEGER,
         body BLOB NOT NULL
     );
     CREATE UNIQUE INDEX context_key ON context (feed, key);",
    // Why a feed fails and since when, and by what an unchanged document is known.
    "ALTER TABLE feed ADD COLUMN validator TEXT;
     ALTER TABLE feed ADD COLUMN failing_since INTEGER;
     ALTER TABLE feed ADD COLUMN failure TEXT;",
    // Where a walk that broke off goes on.
    "ALTER TABLE feed ADD COLUMN checkpoint TEXT;",
];

/// The version that this program reads and writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// How many bits of a row's number count the rows of its feed.
pub(super) const FEED_BITS: u32 = 40;

/// What a database is.
pub(super) enum Database {
    /// A store, or a database with nothing in it, that now has the newest version.
    Ready,
    /// A store of a version that is not known here.
    Newer(i64),
    /// Somebody else's.
    Foreign,
}

/// Brings the database to the newest version.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<Database> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (application != 0 || tables > 0) {
        return Ok(Database::Foreign);
    }
    if version > VERSION {
        return Ok(Database::Newer(version));
    }
    let transaction = connection.transaction()?;
    migrate(&transaction, version)?;
    transaction.commit()?;
    Ok(Database::Ready)
}

/// All steps from `version` on, or none.
fn migrate(transaction: &Transaction<'_>, version: i64) -> rusqlite::Result<()> {
    let done = usize::try_from(version).unwrap_or_default();
    for step in STEPS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_store_keeps_what_it_holds() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        connection.pragma_update(None, "application_id", APPLICATION).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        connection.execute("INSERT INTO feed (source, name, cursor) VALUES ('s', 'n', 'c')", []).unwrap();
        assert!(matches!(prepare(&mut connection), Ok(Database::Ready)));
        let row: (String, Option<String>) = connection
            .query_row("SELECT cursor, validator FROM feed", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(row, ("c".to_owned(), None));
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, VERSION);
    }

    #[test]
    fn another_database_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE mine (a)").unwrap();
        assert!(matches!(prepare(&mut connection), Ok(Database::Foreign)));
        connection.pragma_update(None, "application_id", APPLICATION).unwrap();
        connection.pragma_update(None, "user_version", 999).unwrap();
        assert!(matches!(prepare(&mut connection), Ok(Database::Newer(999))));
    }
}
