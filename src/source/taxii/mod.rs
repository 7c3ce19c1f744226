//! A client for TAXII 2.1 (OASIS Standard, 10 June 2021): reads the objects of one collection.
//!
//! [`fetch`] does it all and blocks; [`Client`] is the same for programs that run tokio themselves.
//! The collection is found as described in `resolve.rs`, and read page by page as described in `walk.rs`.
//!
//! The standard leaves much open and servers differ from it in much, so the client takes what it can get: a bundle for
//! an envelope, any content type, ids of any form, api roots of any form, `next` that is rejected, `more` without
//! `next`. What it never does is lose objects in silence, walk for ever, or show its credentials to anyone else.

mod address;
mod auth;
mod bundle;
mod client;
mod error;
mod fetch;
mod options;
mod page;
mod pause;
mod resolve;
mod seen;
mod status;
mod time;
mod walk;

pub use auth::{Auth, Secret};
pub use bundle::{BundleWriter, Sink};
pub use client::Client;
pub use error::*;
pub use fetch::{FetchSummary, fetch, fetch_into};
pub use options::{Backoff, FetchOptions, Filters, Limits, Timeouts};
pub use resolve::Collection;
pub use status::{
    BAD_REQUEST, FORBIDDEN, NOT_ACCEPTABLE, NOT_FOUND, OTHER_VERSION, RATE_LIMITED, Reply, SERVER_FAILED, TOO_LARGE,
    UNAUTHORIZED, UNEXPECTED_STATUS,
};
pub use time::Timestamp;
pub use walk::{NEXT_REJECTED, NOT_AN_OBJECT, STARTED_AGAIN};
