//! Programs that run, and how they end with this one.

use std::{
    io,
    process::{Child, Command, ExitStatus},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// All programs that run now.
static ALL: Mutex<All> = Mutex::new(All { is_over: false, children: Vec::new() });

struct All {
    /// Whether this program is about to end: none is started any more, and none has an end that anybody learns of.
    is_over: bool,
    children: Vec<Arc<Mutex<Child>>>,
}

/// A program that runs. It does not outlive this value.
pub(super) struct Running(Arc<Mutex<Child>>);

impl Running {
    /// Starts it.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        let mut all = locked(&ALL);
        if all.is_over {
            drop(all);
            never();
        }
        let child = Arc::new(Mutex::new(command.spawn()?));
        all.children.push(Arc::clone(&child));
        Ok(Self(child))
    }

    /// Bounds the time that it computes, so that it ends also where this program is killed and can't end it.
    pub(super) fn limit(&self, limit: Duration) {
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{Pid, Resource, Rlimit, prlimit};
            let seconds = Some(limit.as_secs().max(1));
            // Where it can't be bounded so, it is by the clock.
            _ = prlimit(
                Some(Pid::from_child(&locked(&self.0))),
                Resource::Cpu,
                Rlimit { current: seconds, maximum: seconds },
            );
        }
        #[cfg(not(target_os = "linux"))]
        let _ = limit;
    }

    /// Waits for its end, for so long; `None` where that was not enough.
    pub(super) fn wait(&self, limit: Option<Duration>) -> io::Result<Option<ExitStatus>> {
        const LONGEST: Duration = Duration::from_millis(10);
        let (begun, mut step) = (Instant::now(), Duration::from_micros(500));
        loop {
            let status = locked(&self.0).try_wait()?;
            if locked(&ALL).is_over {
                never();
            }
            if status.is_some() || limit.is_some_and(|limit| begun.elapsed() >= limit) {
                return Ok(status);
            }
            thread::sleep(step);
            step = (step * 2).min(LONGEST);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut child = locked(&self.0);
        // It has ended, or nobody waits for it any more.
        _ = child.kill();
        _ = child.wait();
        drop(child);
        locked(&ALL).children.retain(|other| !Arc::ptr_eq(other, &self.0));
    }
}

/// Ends all programs that run, for this one is told to end. Whoever waits for one of them waits on: an engine that was ended
/// has refused nothing.
pub fn end_all() {
    let mut all = locked(&ALL);
    all.is_over = true;
    for child in std::mem::take(&mut all.children) {
        // It may have ended by itself.
        _ = locked(&child).kill();
    }
}

/// The process ends meanwhile.
fn never() -> ! {
    loop {
        thread::park();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
