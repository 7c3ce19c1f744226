//! How much work something is: the processor's time of the thread that does it. A busy machine does not add to it.

use std::{fs, time::Duration};

/// Does `work`, and measures it. Where the system does not count (it takes Linux), there is nothing to compare.
pub fn effort<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let before = spent();
    let outcome = work();
    (outcome, spent().saturating_sub(before))
}

/// Does `work`, which must not take more than so many seconds of a processor in a build without optimisation.
pub fn within<T>(seconds: u64, name: &str, work: impl FnOnce() -> T) -> T {
    let (outcome, taken) = effort(work);
    assert!(taken < Duration::from_secs(seconds), "{name} takes {taken:?}");
    outcome
}

fn spent() -> Duration {
    let count = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = count.as_deref().and_then(|text| text.split(' ').next()).and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}
