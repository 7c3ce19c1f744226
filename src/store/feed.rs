//! The feeds that the store knows.

use rusqlite::{OptionalExtension, Row};
use serde::Serialize;

use super::{Store, StoreError};
use crate::stix::Timestamp;

/// Which feed of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedNumber(pub(super) i64);

/// What the store knows about a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Its number.
    pub number: FeedNumber,
    /// Where the next walk begins, as the source wrote it; `None` for the beginning.
    pub cursor: Option<String>,
    /// By what the source knows whether its document has changed.
    pub validator: Option<String>,
    /// Where a walk that broke off goes on.
    pub checkpoint: Option<String>,
    /// When it was read to the end last.
    pub last_success: Option<Timestamp>,
    /// When it was last read from its beginning to its end.
    pub last_full: Option<Timestamp>,
    /// Since when it has been failing.
    pub failing_since: Option<Timestamp>,
}

/// The numbers of a feed, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeedStats {
    /// What it is called.
    pub name: String,
    /// What it is: kind, address, collection, filter.
    pub source: String,
    /// Its indicators.
    pub indicators: i64,
    /// Those of them that were taken back.
    pub revoked: i64,
    /// Its other objects.
    pub context: i64,
    /// Bytes of all its objects.
    pub bytes: i64,
    /// Where its next walk begins.
    pub cursor: Option<String>,
    /// When it was read to the end last.
    pub last_success: Option<String>,
    /// Since when it has been failing.
    pub failing_since: Option<String>,
    /// Why.
    pub failure: Option<String>,
}

impl Store {
    /// The feed that reads `source`, known from earlier or new. It goes by `name` from now on.
    ///
    /// # Errors
    /// A failing database.
    pub fn feed(&mut self, source: &str, name: &str) -> Result<Feed, StoreError> {
        let insert = "INSERT INTO feed (source, name) VALUES (?1, ?2)
                      ON CONFLICT (source) DO UPDATE SET name = excluded.name WHERE name <> excluded.name";
        let select = "SELECT number, cursor, validator, checkpoint, last_success, last_full, failing_since
                      FROM feed WHERE source = ?1";
        let found = self
            .connection
            .execute(insert, (source, name))
            .and_then(|_| self.connection.query_row(select, [source], feed));
        found.map_err(|cause| self.failed(cause))
    }

    /// The feed that reads `source`, if the store knows it.
    ///
    /// # Errors
    /// A failing database.
    pub fn known_feed(&self, source: &str) -> Result<Option<FeedNumber>, StoreError> {
        let select = "SELECT number FROM feed WHERE source = ?1";
        let found = self.connection.query_row(select, [source], |row| row.get(0).map(FeedNumber)).optional();
        found.map_err(|cause| self.failed(cause))
    }

    /// All feeds in the order in which they were met.
    ///
    /// # Errors
    /// A failing database.
    pub fn feeds(&self) -> Result<Vec<(FeedNumber, String)>, StoreError> {
        let all = self
            .connection
            .prepare("SELECT number, name FROM feed ORDER BY number")
            .and_then(|mut select| select.query_map([], |row| Ok((FeedNumber(row.get(0)?), row.get(1)?)))?.collect());
        all.map_err(|cause| self.failed(cause))
    }

    /// The numbers of all feeds, in the order in which they were met.
    ///
    /// # Errors
    /// A failing database.
    pub fn stats(&self) -> Result<Vec<FeedStats>, StoreError> {
        let select = "SELECT name, source, cursor, last_success, failing_since, failure,
                          coalesce(i.rows, 0), coalesce(i.revoked, 0), coalesce(c.rows, 0),
                          coalesce(i.bytes, 0) + coalesce(c.bytes, 0)
                      FROM feed
                      LEFT JOIN (SELECT feed, count(*) AS rows, sum(revoked) AS revoked, sum(length(body)) AS bytes
                                 FROM indicator GROUP BY feed) i ON i.feed = feed.number
                      LEFT JOIN (SELECT feed, count(*) AS rows, sum(length(body)) AS bytes
                                 FROM context GROUP BY feed) c ON c.feed = feed.number
                      ORDER BY feed.number";
        let all = self.connection.prepare(select).and_then(|mut select| {
            let stats = |row: &Row<'_>| {
                Ok(FeedStats {
                    name: row.get(0)?,
                    source: row.get(1)?,
                    cursor: row.get(2)?,
                    last_success: time(row, 3)?.map(|time| time.to_string()),
                    failing_since: time(row, 4)?.map(|time| time.to_string()),
                    failure: row.get(5)?,
                    indicators: row.get(6)?,
                    revoked: row.get(7)?,
                    context: row.get(8)?,
                    bytes: row.get(9)?,
                })
            };
            select.query_map([], stats)?.collect()
        });
        all.map_err(|cause| self.failed(cause))
    }

    /// Notes where the walk through a feed goes on if it breaks off: what came before is in the store.
    ///
    /// # Errors
    /// A failing database.
    pub fn note_checkpoint(&mut self, feed: FeedNumber, checkpoint: &str) -> Result<(), StoreError> {
        let update = "UPDATE feed SET checkpoint = ?2 WHERE number = ?1 AND checkpoint IS NOT ?2";
        let updated = self.connection.execute(update, (feed.0, checkpoint));
        updated.map(drop).map_err(|cause| self.failed(cause))
    }

    /// Notes that a feed could not be read to its end, and why. What came of it stays.
    ///
    /// # Errors
    /// A failing database.
    pub fn fail(&mut self, feed: FeedNumber, now: Timestamp, why: &str) -> Result<(), StoreError> {
        let update = "UPDATE feed SET failing_since = coalesce(failing_since, ?2), failure = ?3 WHERE number = ?1";
        let updated = self.connection.execute(update, (feed.0, now.unix_seconds(), why));
        updated.map(drop).map_err(|cause| self.failed(cause))
    }
}

fn feed(row: &Row<'_>) -> rusqlite::Result<Feed> {
    Ok(Feed {
        number: FeedNumber(row.get(0)?),
        cursor: row.get(1)?,
        validator: row.get(2)?,
        checkpoint: row.get(3)?,
        last_success: time(row, 4)?,
        last_full: time(row, 5)?,
        failing_since: time(row, 6)?,
    })
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let seconds: Option<i64> = row.get(column)?;
    Ok(seconds.and_then(|seconds| Timestamp::from_unix_seconds(seconds).ok()))
}
