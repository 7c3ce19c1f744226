//! Making room.

use rusqlite::TransactionBehavior;

use super::{FeedNumber, Store, StoreError, write::next_generation};
use crate::stix::Timestamp;

/// What was removed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// Indicators that had expired.
    pub expired: usize,
    /// Feeds that nobody reads any more.
    pub feeds: usize,
    /// Their objects.
    pub objects: usize,
}

impl Store {
    /// Removes indicators that expired before `expired_before`, and feeds that are not among `keep` with all their
    /// objects; `None` keeps all feeds. Indicators that were taken back stay: without them an older version that comes
    /// again would count.
    ///
    /// # Errors
    /// A failing database; nothing is removed then.
    pub fn prune(
        &mut self,
        expired_before: Option<Timestamp>,
        keep: Option<&[FeedNumber]>,
    ) -> Result<Pruned, StoreError> {
        let dropped: Vec<FeedNumber> = match keep {
            Some(keep) => {
                self.feeds()?.into_iter().map(|(number, _)| number).filter(|one| !keep.contains(one)).collect()
            }
            None => Vec::new(),
        };
        let pruned =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
                let mut pruned = Pruned::default();
                if let Some(moment) = expired_before {
                    let delete = "DELETE FROM indicator WHERE valid_until < ?1 AND NOT revoked";
                    pruned.expired = transaction.execute(delete, [moment.unix_seconds()])?;
                }
                for feed in dropped {
                    for table in ["indicator", "context"] {
                        let delete = format!("DELETE FROM {table} WHERE number > ?1 AND number <= ?2");
                        pruned.objects += transaction.execute(&delete, feed.rows())?;
                    }
                    pruned.feeds += transaction.execute("DELETE FROM feed WHERE number = ?1", [feed.0])?;
                }
                if pruned.expired + pruned.objects > 0 {
                    next_generation(&transaction)?;
                }
                transaction.commit()?;
                Ok(pruned)
            });
        let pruned = pruned.map_err(|cause| self.failed(cause))?;
        self.connection.execute_batch("VACUUM").map_err(|cause| self.failed(cause))?;
        Ok(pruned)
    }
}
