//! `stixc init`.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;

use crate::output::write_file;

use super::{
    Global,
    exit::{Exit, Failure},
};

/// The commented configuration that it writes.
const EXAMPLE: &str = include_str!("../../examples/stixc.toml");

/// Write a commented stixc.toml to begin with.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The file to write; - for standard output
    #[arg(value_name = "FILE", default_value = "stixc.toml")]
    file: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

impl Init {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failure> {
        if self.file == Path::new("-") {
            io::stdout().lock().write_all(EXAMPLE.as_bytes())?;
            return Ok(Exit::Done);
        }
        let name = self.file.display();
        if self.file.exists() && !self.force {
            return Err(Failure::usage(format!("{name} is there already"), "name another file, or use --force"));
        }
        write_file(&self.file, &mut |out| Ok(out.write_all(EXAMPLE.as_bytes())?))?;
        if !global.quiet {
            errln!("wrote {name}: name your feeds in it, then run stixc build");
        }
        Ok(Exit::Done)
    }
}
