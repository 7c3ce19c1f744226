//! The `stixc` program.
#![forbid(unsafe_code)]

use std::process::ExitCode;

/// A feed of a million indicators is some ten million small allocations, freed by other threads than made them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    stixc::cli::run(std::env::args_os())
}
