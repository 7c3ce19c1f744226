//! The `stixc` program.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    stixc::cli::run(std::env::args_os())
}
