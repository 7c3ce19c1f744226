//! A progress bar, on a terminal only.

use std::{
    io::{self, IsTerminal, Read},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::source::Input;

/// How often a bar that waits for another program moves.
const TICK: Duration = Duration::from_millis(200);

/// How far a run is.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar for `passes` readings of all `inputs`; hidden where nobody looks.
    pub(crate) fn new(inputs: &[Input], passes: u64, quiet: bool) -> Self {
        let total = inputs.iter().filter_map(Input::length).sum::<u64>() * passes;
        if quiet || !io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden() };
        }
        let bar = ProgressBar::new(total);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {eta}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// What is being done to so many rules, with the time that it has taken so far; hidden where nobody looks.
    pub(crate) fn counting(total: usize, quiet: bool) -> Self {
        if quiet || !io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden() };
        }
        let bar = ProgressBar::new(total as u64);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} of {len} rules, {msg}, {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        Self { bar }
    }

    /// Says what comes next.
    pub(crate) fn tell(&self, what: String) {
        self.bar.set_message(what);
    }

    /// So many more are done.
    pub(crate) fn advance(&self, count: usize) {
        self.bar.inc(count as u64);
    }

    /// A reader that moves the bar.
    pub(crate) fn reading(&self, _input: &Input, reader: Box<dyn Read + Send>) -> impl Read + Send + use<> {
        self.bar.wrap_read(reader)
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
