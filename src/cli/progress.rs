//! A progress bar, on a terminal only.

use std::io::{self, IsTerminal, Read};

use indicatif::{ProgressBar, ProgressStyle};

use crate::source::Input;

/// How far the reading of the inputs is.
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

    /// A reader that moves the bar.
    pub(crate) fn reading(&self, _input: &Input, reader: Box<dyn Read + Send>) -> impl Read + Send + use<> {
        self.bar.wrap_read(reader)
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
