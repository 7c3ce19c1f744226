//! Staying, and building again and again.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use crate::convert::seconds;

use super::{
    Global, display,
    exit::{Exit, Failure},
};

/// Reads `--watch`.
pub(super) fn interval(text: &str) -> Result<Duration, Failure> {
    let seconds = seconds(text).and_then(|seconds| u64::try_from(seconds).ok());
    seconds.map(Duration::from_secs).ok_or_else(|| Failure::usage(format!("--watch {text}"), "write it as 15m or 12h"))
}

/// Calls `round` again and again, with `interval` between two of them, until a signal comes. A round that fails is told
/// of; the next one may do better. `round` is given what says that it shall end, and whether it is the first.
pub(super) fn watch(
    interval: Duration,
    global: &Global,
    mut round: impl FnMut(&AtomicBool, bool) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, signals) = mpsc::channel();
    listen(Arc::clone(&stop), sender)?;
    let mut first = true;
    while !stop.load(Ordering::Relaxed) {
        match round(&stop, first) {
            // A configuration that never was good is no reason to stay.
            Err(failure) if first && failure.exit == Exit::Usage => return Err(failure),
            Err(failure) if failure.exit != Exit::Done => display::failure(&failure),
            _ => {}
        }
        first = false;
        match signals.recv_timeout(spread(interval)) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => break,
        }
    }
    if !global.quiet {
        errln!("ended by a signal");
    }
    Ok(Exit::Done)
}

/// The interval, give or take up to a tenth, so that many machines don't ask a server at the same moment.
fn spread(interval: Duration) -> Duration {
    let random = RandomState::new().hash_one(process::id());
    let share = (random % 2001) as f64 / 10_000.0 - 0.1;
    interval.mul_f64(1.0 + share)
}

/// Tells of SIGINT and SIGTERM. The second one ends the process at once, which is safe at any moment.
fn listen(stop: Arc<AtomicBool>, sender: Sender<()>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Usage, format!("can't wait for signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (ready, is_ready) = mpsc::channel();
    thread::spawn(move || {
        runtime.block_on(async {
            let mut signals = match Signals::new() {
                Ok(signals) => signals,
                Err(error) => return drop(ready.send(Err(error))),
            };
            // Nobody who asked goes away before the answer.
            _ = ready.send(Ok(()));
            signals.next().await;
            stop.store(true, Ordering::Relaxed);
            _ = sender.send(());
            signals.next().await;
            crate::targets::running::end_all();
            process::exit(Exit::Done as i32);
        });
    });
    is_ready.recv().unwrap_or(Ok(())).map_err(failed)
}

/// The signals that ask a program to end.
#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 2]);

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// The signals that ask a program to end.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        _ = tokio::signal::ctrl_c().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_spread_by_a_tenth() {
        let interval = Duration::from_secs(1000);
        for _ in 0..100 {
            let spread = spread(interval).as_secs_f64();
            assert!((900.0..=1100.1).contains(&spread), "{spread}");
        }
    }
}
