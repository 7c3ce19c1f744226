//! Taking objects in.

use std::{cmp::Ordering, collections::BTreeSet};

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, Transaction, TransactionBehavior};

use super::{FeedNumber, GENERATION, Store, StoreError, schema::FEED_BITS};
use crate::stix::{Head, Indicator, Key, ObjectError, Role, Timestamp, precedence};

/// What became of the objects of a page.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Objects that were not there before, and newer versions of others.
    pub changed: u64,
    /// Versions that are there already, or older than those.
    pub known: u64,
    /// Other texts of a version that was there already; the one of the later walk is kept, and of one walk the one that counts
    /// by [`precedence`].
    pub rewritten: u64,
    /// The indicators that one walk brought as one version with several contents.
    pub ambiguous: BTreeSet<String>,
    /// Objects that say nothing that rules are made of.
    pub passed: u64,
}

/// How a walk ended that came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Where the next walk begins; `None` leaves it as it was.
    pub cursor: Option<String>,
    /// By what the source knows whether its document has changed.
    pub validator: Option<String>,
    /// The time to note.
    pub now: Timestamp,
    /// Whether all that the feed holds was brought. What was not among it is removed.
    pub full: bool,
    /// Whether all of it has been brought by now, perhaps by several walks of which each went on where the one before it
    /// broke off.
    pub complete: bool,
}

/// The versions that a walk has brought. They need not outlive the process: a walk that was broken off starts again.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TEMP TABLE seen (
             feed INTEGER, key BLOB, modified INTEGER, revoked INTEGER, PRIMARY KEY (feed, key, modified, revoked)
         ) WITHOUT ROWID",
    )
}

impl Store {
    /// Takes the objects of one page in, each with its head, all or none of them. Those that can't be read are passed over.
    ///
    /// What comes is remembered: of several texts of one version that one walk brings the same one counts whatever their order,
    /// and after a full walk [`Store::end`] can remove what did not come.
    ///
    /// # Errors
    /// A failing database.
    pub fn take<'o>(
        &mut self,
        feed: FeedNumber,
        objects: impl IntoIterator<Item = (&'o [u8], &'o Result<Head, ObjectError>)>,
    ) -> Result<Tally, StoreError> {
        let mut tally = Tally::default();
        let taken = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
            PageWriter::new(&transaction, feed)?.take(objects, &mut tally)?;
            if tally.changed + tally.rewritten > 0 {
                next_generation(&transaction)?;
            }
            transaction.commit()
        });
        taken.map_err(|cause| self.failed(cause))?;
        Ok(tally)
    }

    /// Forgets what a walk has brought so far, before it begins or begins again.
    ///
    /// # Errors
    /// A failing database.
    pub fn begin(&mut self, feed: FeedNumber) -> Result<(), StoreError> {
        let deleted = self.connection.execute("DELETE FROM seen WHERE feed = ?1", [feed.0]);
        deleted.map(drop).map_err(|cause| self.failed(cause))
    }

    /// How many indicators of the feed there are, and how many of them a full walk has not brought.
    ///
    /// # Errors
    /// A failing database.
    pub fn missing(&self, feed: FeedNumber) -> Result<(usize, usize), StoreError> {
        let count = "SELECT count(*), coalesce(sum(NOT EXISTS (SELECT 1 FROM seen
                         WHERE seen.feed = ?1 AND seen.key = indicator.key)), 0)
                     FROM indicator WHERE feed = ?1";
        let number = |row: &Row<'_>, column| -> rusqlite::Result<usize> {
            Ok(usize::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
        };
        let counted = self.connection.query_row(count, [feed.0], |row| Ok((number(row, 0)?, number(row, 1)?)));
        counted.map_err(|cause| self.failed(cause))
    }

    /// Ends a walk: notes the cursor and, after a full one, removes what did not come. How many objects that are.
    ///
    /// # Errors
    /// A failing database; nothing is changed then.
    pub fn end(&mut self, feed: FeedNumber, end: &Completion) -> Result<usize, StoreError> {
        let ended = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
            let swept = if end.full { sweep(&transaction, feed)? } else { 0 };
            if swept > 0 {
                next_generation(&transaction)?;
            }
            let update = "UPDATE feed SET cursor = coalesce(?2, cursor), validator = ?3, last_success = ?4,
                              last_full = CASE WHEN ?5 THEN ?4 ELSE last_full END,
                              failing_since = NULL, failure = NULL, checkpoint = NULL
                          WHERE number = ?1";
            let now = end.now.unix_seconds();
            transaction.execute(update, (feed.0, &end.cursor, &end.validator, now, end.full || end.complete))?;
            transaction.commit()?;
            Ok(swept)
        });
        let swept = ended.map_err(|cause| self.failed(cause))?;
        self.begin(feed)?;
        Ok(swept)
    }
}

pub(super) fn next_generation(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let sql = "INSERT INTO state (name, value) VALUES (?1, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1";
    transaction.execute(sql, [GENERATION]).map(drop)
}

/// Removes the objects of a feed that a full walk did not bring.
fn sweep(transaction: &Transaction<'_>, feed: FeedNumber) -> rusqlite::Result<usize> {
    ["indicator", "context"].iter().try_fold(0, |swept, table| {
        let delete = format!(
            "DELETE FROM {table} WHERE feed = ?1
             AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.feed = ?1 AND seen.key = {table}.key)"
        );
        Ok(swept + transaction.execute(&delete, [feed.0])?)
    })
}

/// The statements for one page.
struct PageWriter<'c> {
    feed: FeedNumber,
    tables: [Table<'c>; 2],
    seen: CachedStatement<'c>,
}

struct Table<'c> {
    find: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    update: CachedStatement<'c>,
    /// The number of the feed's last row.
    last: i64,
}

impl<'c> Table<'c> {
    fn new(connection: &'c Connection, name: &str, feed: FeedNumber) -> rusqlite::Result<Self> {
        let range = feed.rows();
        let last: Option<i64> = connection
            .prepare_cached(&format!("SELECT max(number) FROM {name} WHERE number > ?1 AND number <= ?2"))?
            .query_row(range, |row| row.get(0))?;
        let find = format!("SELECT number, modified, revoked, body FROM {name} WHERE feed = ?1 AND key = ?2");
        let insert = format!(
            "INSERT INTO {name} (number, feed, key, modified, revoked, valid_until, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        );
        let update =
            format!("UPDATE {name} SET modified = ?2, revoked = ?3, valid_until = ?4, body = ?5 WHERE number = ?1");
        Ok(Self {
            find: connection.prepare_cached(&find)?,
            insert: connection.prepare_cached(&insert)?,
            update: connection.prepare_cached(&update)?,
            last: last.unwrap_or(range.0),
        })
    }
}

/// How a version that came compares to the one that is there.
enum Comparison {
    New,
    Newer(i64),
    Rewritten(i64),
    /// The other text of this version counts.
    OutRanked,
    Known,
}

impl<'c> PageWriter<'c> {
    fn new(connection: &'c Connection, feed: FeedNumber) -> rusqlite::Result<Self> {
        Ok(Self {
            feed,
            tables: [Table::new(connection, "indicator", feed)?, Table::new(connection, "context", feed)?],
            seen: connection
                .prepare_cached("INSERT OR IGNORE INTO seen (feed, key, modified, revoked) VALUES (?1, ?2, ?3, ?4)")?,
        })
    }

    fn take<'o>(
        &mut self,
        objects: impl IntoIterator<Item = (&'o [u8], &'o Result<Head, ObjectError>)>,
        tally: &mut Tally,
    ) -> rusqlite::Result<()> {
        for (raw, head) in objects {
            match head {
                Ok(Head { role: Role::Other, .. }) => tally.passed += 1,
                Ok(head) => self.object(raw, head, tally)?,
                // An earlier version of it that could be read must not be swept away.
                Err(ObjectError { id: Some(id), .. }) => {
                    self.seen.execute((self.feed.0, Key::new(id).to_bytes(), i64::MIN, false))?;
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn object(&mut self, raw: &[u8], head: &Head, tally: &mut Tally) -> rusqlite::Result<()> {
        let key = head.key.to_bytes();
        let one_line;
        let body = match memchr::memchr2(b'\n', b'\r', raw) {
            Some(_) => {
                one_line = joined(raw);
                one_line.as_slice()
            }
            None => raw,
        };
        let modified = head.modified.map_or(i64::MIN, Timestamp::unix_microseconds);
        let valid_until = head.valid_until.map(Timestamp::unix_seconds);
        let is_first = self.seen.execute((self.feed.0, key, modified, head.revoked))? > 0;
        let table = &mut self.tables[usize::from(head.role == Role::Context)];
        match table.compare(self.feed, &key, (modified, head.revoked), body, is_first)? {
            Comparison::New => {
                table.last += 1;
                let row = (table.last, self.feed.0, key, modified, head.revoked, valid_until, body);
                table.insert.execute(row)?;
                tally.changed += 1;
            }
            Comparison::Newer(number) => {
                table.update.execute((number, modified, head.revoked, valid_until, body))?;
                tally.changed += 1;
            }
            Comparison::Rewritten(number) => {
                table.update.execute((number, modified, head.revoked, valid_until, body))?;
                tally.rewritten += 1;
                note_ambiguous(raw, is_first, tally);
            }
            Comparison::OutRanked => {
                tally.known += 1;
                note_ambiguous(raw, is_first, tally);
            }
            Comparison::Known => tally.known += 1,
        }
        Ok(())
    }
}

/// Notes an indicator that came in this walk already, with other contents.
fn note_ambiguous(raw: &[u8], is_first: bool, tally: &mut Tally) {
    if !is_first && let Ok(indicator) = Indicator::parse(raw) {
        tally.ambiguous.insert(indicator.id.into_owned());
    }
}

impl Table<'_> {
    /// The newer `modified` counts; of equal ones the one that takes the object back. Of texts of the same version the first
    /// of a walk counts over what earlier walks have left, and then the one that has precedence.
    fn compare(
        &mut self,
        feed: FeedNumber,
        key: &[u8; 16],
        version: (i64, bool),
        body: &[u8],
        is_first: bool,
    ) -> rusqlite::Result<Comparison> {
        let found = self.find.query_row((feed.0, key), |row| {
            let number: i64 = row.get(0)?;
            let held: (i64, bool) = (row.get(1)?, row.get(2)?);
            let held_body = row.get_ref(3)?.as_blob()?;
            Ok(match version.cmp(&held) {
                Ordering::Less => Comparison::Known,
                Ordering::Greater => Comparison::Newer(number),
                Ordering::Equal if held_body == body => Comparison::Known,
                Ordering::Equal if is_first => Comparison::Rewritten(number),
                Ordering::Equal => match precedence(held_body, body) {
                    Ordering::Less => Comparison::Rewritten(number),
                    Ordering::Equal => Comparison::Known,
                    Ordering::Greater => Comparison::OutRanked,
                },
            })
        });
        Ok(found.optional()?.unwrap_or(Comparison::New))
    }
}

impl FeedNumber {
    /// The numbers of its rows: above the first, up to the second.
    pub(super) fn rows(self) -> (i64, i64) {
        (self.0 << FEED_BITS, (self.0 + 1) << FEED_BITS)
    }
}

/// The object in one line. JSON allows a line end between tokens only, so that it means the same.
fn joined(raw: &[u8]) -> Vec<u8> {
    raw.split(|byte| matches!(byte, b'\n' | b'\r')).flat_map(<[u8]>::trim_ascii).copied().collect()
}
