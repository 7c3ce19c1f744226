//! The TAXII client against servers on loopback: well-behaved, quirky and hostile ones.
#![cfg(feature = "taxii")]

#[cfg(feature = "cli")]
mod command;
mod cursor;
mod damage;
mod download;
mod find;
mod hostile;
mod older;
mod paging;
mod proxy;
mod shapes;
mod socdefenders;
mod statuses;
mod tls;
