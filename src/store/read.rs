//! Handing objects out.

use std::io::{self, Read};

use rusqlite::Connection;

use super::{FeedNumber, Store};
use crate::stix::Role;

/// About how many bytes are read from the database at once.
const CHUNK: usize = 1 << 20;
/// How many rows are asked for at once.
const ROWS: i64 = 1024;

/// The objects of one feed, an object a line, in the order in which they first came.
#[derive(Debug)]
pub struct Objects<'s> {
    connection: &'s mut Connection,
    table: &'static str,
    /// The number of the last row that was read, and of the last one of the feed.
    rows: (i64, i64),
    lines: Vec<u8>,
    given: usize,
}

impl Store {
    /// The objects of one feed, an object a line.
    pub fn objects(&mut self, feed: FeedNumber, role: Role) -> Objects<'_> {
        let table = match role {
            Role::Indicator => "indicator",
            Role::Context => "context",
        };
        Objects { connection: &mut self.connection, table, rows: feed.rows(), lines: Vec::new(), given: 0 }
    }
}

impl Objects<'_> {
    /// Reads the next rows; none at the end.
    fn fill(&mut self) -> rusqlite::Result<()> {
        self.lines.clear();
        self.given = 0;
        let table = self.table;
        let select =
            format!("SELECT number, body FROM {table} WHERE number > ?1 AND number <= ?2 ORDER BY number LIMIT ?3");
        let mut select = self.connection.prepare_cached(&select)?;
        let mut rows = select.query((self.rows.0, self.rows.1, ROWS))?;
        while let Some(row) = rows.next()? {
            self.rows.0 = row.get(0)?;
            self.lines.extend_from_slice(row.get_ref(1)?.as_blob()?);
            self.lines.push(b'\n');
            if self.lines.len() >= CHUNK {
                break;
            }
        }
        Ok(())
    }
}

impl Read for Objects<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.lines.len() {
            self.fill().map_err(io::Error::other)?;
        }
        let length = buffer.len().min(self.lines.len() - self.given);
        buffer[..length].copy_from_slice(&self.lines[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}
