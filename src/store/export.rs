//! The store as text.

use std::io::{self, Write};

use super::{FeedNumber, Store};
use crate::stix::Role;

impl Store {
    /// Writes the objects of one feed, an object a line, in the order of their arrival: the indicators first.
    ///
    /// # Errors
    /// A failing database or writer.
    pub fn export(&mut self, feed: FeedNumber, out: &mut dyn Write) -> io::Result<()> {
        for role in [Role::Indicator, Role::Context] {
            for batch in self.objects(feed, role) {
                for object in batch.objects() {
                    out.write_all(object.raw)?;
                    out.write_all(b"\n")?;
                }
                if let Some(fault) = batch.faults.first() {
                    return Err(io::Error::other(fault.diagnostic.message.clone()));
                }
            }
        }
        Ok(())
    }
}
