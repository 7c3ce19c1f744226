//! The TAXII client against servers on loopback: well-behaved, quirky and hostile ones.
#![cfg(feature = "taxii")]

mod find;
mod hostile;
mod paging;
mod server;
mod shapes;
mod statuses;
