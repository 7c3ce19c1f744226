//! Handing objects out.

use rusqlite::Connection;

use super::{FeedNumber, Store};
use crate::{
    diagnostic::Diagnostic,
    stix::{Batch, Fault, Role, codes},
};

/// About how many bytes a batch has: it is compiled as one piece, and a dozen of them are held at once.
const BATCH: usize = 128 << 10;
/// How many rows are asked for at once.
const ROWS: i64 = 1024;

/// The objects of one feed, in the order in which they first came. That the database fails is a fault of the last batch.
#[derive(Debug)]
pub struct Objects<'s> {
    connection: &'s mut Connection,
    table: &'static str,
    /// The number of the last row that was read, and of the last one of the feed.
    rows: (i64, i64),
    /// Where the next batch begins, as if the objects stood in a file, an object a line.
    offset: u64,
    line: u64,
    failed: bool,
}

impl Store {
    /// The objects of one feed that are indicators, or that are not.
    pub fn objects(&mut self, feed: FeedNumber, role: Role) -> Objects<'_> {
        let table = match role {
            Role::Indicator => "indicator",
            Role::Context | Role::Other => "context",
        };
        Objects { connection: &mut self.connection, table, rows: feed.rows(), offset: 0, line: 1, failed: false }
    }
}

impl Objects<'_> {
    /// Adds the next rows; none at the end.
    fn fill(&mut self, batch: &mut Batch) -> rusqlite::Result<()> {
        let table = self.table;
        let select =
            format!("SELECT number, body FROM {table} WHERE number > ?1 AND number <= ?2 ORDER BY number LIMIT ?3");
        let mut select = self.connection.prepare_cached(&select)?;
        let mut rows = select.query((self.rows.0, self.rows.1, ROWS))?;
        while batch.size() < BATCH
            && let Some(row) = rows.next()?
        {
            self.rows.0 = row.get(0)?;
            batch.push(row.get_ref(1)?.as_blob()?);
            self.line += 1;
        }
        Ok(())
    }
}

impl Iterator for Objects<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        if self.failed {
            return None;
        }
        let mut batch = Batch::at(self.offset, self.line);
        if let Err(error) = self.fill(&mut batch) {
            self.failed = true;
            let diagnostic = Diagnostic::error(codes::UNREADABLE, format!("cannot read further: {error}"));
            batch.faults.push(Fault { offset: self.offset, line: self.line, column: 1, id: None, diagnostic });
        }
        self.offset += batch.size() as u64;
        (self.failed || batch.size() > 0).then_some(batch)
    }
}
