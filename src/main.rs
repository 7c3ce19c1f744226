//! The `stixc` program.
#![forbid(unsafe_code)]

use std::process::ExitCode;

/// A third of the time of a conversion goes into small allocations, from several threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    stixc::run(std::env::args_os())
}
