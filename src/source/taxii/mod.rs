//! A client for TAXII 2.1 (OASIS Standard, 10 June 2021) and 2.0: reads the objects of one collection.
//!
//! [`fetch`] does it all and blocks, [`fetch_into`] hands the objects to an [`ObjectSink`] as they arrive, and [`Client`] is the
//! same for programs that run tokio themselves. [`download_into`] does it for a bundle at a plain URL.
//! The collection is found as described in `resolve.rs`, and read page by page as described in `walk.rs`.
//!
//! To poll a collection again and again, keep the [`FetchSummary::cursor`] of each poll that ended well, and give it to
//! the next one.
//!
//! The standard leaves much open and servers differ from it in much, so the client takes what it can get: a bundle for
//! an envelope, any content type, ids of any form, api roots of any form, `next` that is rejected, `more` without
//! `next`. What it never does is lose objects in silence, walk for ever, or show its credentials to anyone else.

mod address;
mod auth;
mod backoff;
mod bundle;
mod by_time;
mod client;
mod connect;
mod dedup;
mod download;
mod error;
mod fetch;
mod log;
mod options;
mod overlap;
mod page;
mod query;
mod request;
mod resolve;
mod secret;
mod status;
mod summary;
mod time;
mod walk;

pub use address::check_url;
pub use auth::Auth;
pub use bundle::BundleWriter;
pub use by_time::STEPPED_BACK;
pub use client::Client;
pub use download::download_into;
pub use error::*;
pub use fetch::{BEYOND_LOOKBACK, collections, fetch, fetch_into};
pub use log::Log;
#[cfg(any(feature = "cli", feature = "store"))]
pub(crate) use options::connection_options;
pub use options::{Backoff, FetchOptions, Filters, Limits, Proxy, Timeouts, Tls};
pub use request::Version;
pub use resolve::Collection;
pub use secret::Secret;
pub use status::{
    BAD_REQUEST, FORBIDDEN, NOT_ACCEPTABLE, NOT_FOUND, OTHER_VERSION, RATE_LIMITED, Reply, SERVER_FAILED, TOO_LARGE,
    UNAUTHORIZED, UNEXPECTED_STATUS,
};
pub use summary::{FetchSummary, ObjectSink};
pub use time::parse_timestamp;
pub use walk::{NEXT_REJECTED, NO_ZONE, NOT_AN_OBJECT, SMALLER_LIMIT, STARTED_AGAIN, UNCERTAIN_END, WRONG_LAST_ADDED};
