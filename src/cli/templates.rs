//! `stixc templates`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::{
    output::write_file,
    targets::{TARGETS, Target, templates},
};

use super::exit::{Exit, Failure};

/// List, show or export the templates.
#[derive(Debug, Args)]
pub(super) struct Templates {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all templates and mapping files
    List,
    /// Print one of them: sigma/rule.hbs, sigma/mapping.toml
    Show {
        /// As listed
        name: String,
    },
    /// Write them all below a folder, for convert --templates and --mapping
    Export {
        /// The folder; existing files are overwritten
        folder: PathBuf,
    },
}

impl Templates {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        match &self.command {
            Command::List => all().iter().for_each(|(name, _)| outln!("{name}")),
            Command::Show { name } => {
                let found = all().into_iter().find(|(one, _)| one == name);
                let (_, text) =
                    found.ok_or_else(|| Failure::usage(format!("no template {name}"), "see stixc templates list"))?;
                out!("{text}");
            }
            Command::Export { folder } => export(folder)?,
        }
        Ok(Exit::Done)
    }
}

/// Every template and mapping file: its name and its text.
fn all() -> Vec<(String, &'static str)> {
    let of_target = |target: &&'static dyn Target| {
        let mapping = (format!("{}/mapping.toml", target.name()), target.mapping());
        let mut files: Vec<_> = templates(&[*target]).chain([mapping]).collect();
        files.sort();
        files
    };
    TARGETS.iter().flat_map(of_target).collect()
}

fn export(folder: &Path) -> Result<(), Failure> {
    for (name, text) in all() {
        let path = folder.join(&name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .map_err(|error| Failure::usage(format!("{}: {error}", parent.display()), "name a writable folder"))?;
        }
        write_file(&path, &mut |out| Ok(out.write_all(text.as_bytes())?))?;
    }
    Ok(())
}
