//! Places where a test may end the process as a kill would.

/// Ends the process at once, nothing flushed and nothing undone, where a test has asked for it: in a debug build, with
/// `STIXC_TEST_CRASH_AT=3`, at the third such place that is reached.
#[cfg(debug_assertions)]
pub fn point() {
    use std::sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    };
    static PASSED: AtomicUsize = AtomicUsize::new(0);
    static LAST: OnceLock<Option<usize>> = OnceLock::new();
    let last = LAST.get_or_init(|| std::env::var("STIXC_TEST_CRASH_AT").ok()?.parse().ok());
    if *last == Some(PASSED.fetch_add(1, Ordering::SeqCst) + 1) {
        std::process::abort();
    }
}

/// Does nothing.
#[cfg(not(debug_assertions))]
pub fn point() {}
