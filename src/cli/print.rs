//! What is printed, to readers that may have gone.
//!
//! `stixc … | head` ends once `head` has seen enough, and that is no failure.

use std::{
    fmt::Arguments,
    io::{ErrorKind, Write},
    process,
};

/// Prints a text to standard output. Where nobody reads it any more the program ends.
pub(super) fn to_output(text: Arguments<'_>) {
    let mut out = anstream::stdout();
    if let Err(error) = out.write_fmt(text).and_then(|()| out.flush()) {
        process::exit(i32::from(error.kind() != ErrorKind::BrokenPipe));
    }
}

/// Prints a text to standard error, if anybody reads it.
pub(super) fn to_errors(text: Arguments<'_>) {
    // There is nowhere left to say that nothing can be said.
    let _ = anstream::stderr().write_fmt(text);
}

macro_rules! out {
    ($($text:tt)*) => { $crate::cli::print::to_output(format_args!($($text)*)) };
}

macro_rules! outln {
    ($($text:tt)*) => { $crate::cli::print::to_output(format_args!("{}\n", format_args!($($text)*))) };
}

macro_rules! err {
    ($($text:tt)*) => { $crate::cli::print::to_errors(format_args!($($text)*)) };
}

macro_rules! errln {
    ($($text:tt)*) => { $crate::cli::print::to_errors(format_args!("{}\n", format_args!($($text)*))) };
}
