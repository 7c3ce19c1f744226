//! `stixc guards`, and the arguments about guards that commands share.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use crate::{
    guard::{Action, Allowed, Guard, GuardError, GuardOptions, Rule, Side},
    targets,
};

use super::exit::{Exit, Failure};

/// What must never be in a rule.
#[derive(Debug, Clone, Args)]
pub(super) struct GuardArguments {
    /// Never block this address, prefix, name, URL or hash, or what stands in this file, one a line; .example.com with all
    /// names below it
    #[arg(long, value_name = "VALUE|FILE")]
    allow: Vec<String>,
    /// Take the lists in this folder as guards: MISP's warninglists
    #[arg(long, value_name = "DIR")]
    warninglists: Option<PathBuf>,
    /// What to do about the values of a guard list, for one target or for all: drop, warn, note or ignore (`stixc guards` lists
    /// them); width=ignore allows prefixes of any width
    #[arg(long, value_name = "[TARGET:]LIST=ACTION")]
    guard: Vec<String>,
}

impl GuardArguments {
    /// The guard that they ask for.
    pub(super) fn guard(&self) -> Result<Arc<Guard>, Failure> {
        if self.allow.is_empty() && self.warninglists.is_none() && self.guard.is_empty() {
            return Ok(Guard::builtin());
        }
        let allow = self.allow.iter().map(|text| Allowed::from_text(text, Path::new(""))).collect();
        let rules = self.guard.iter().map(|text| rule(text)).collect::<Result<_, _>>()?;
        let options = GuardOptions { allow, rules, warninglists: self.warninglists.clone(), ..GuardOptions::default() };
        Ok(Arc::new(Guard::new(&options)?))
    }
}

fn rule(text: &str) -> Result<Rule, Failure> {
    let unknown = || {
        let names = Action::ALL.map(Action::name).join(", ");
        Failure::usage(format!("--guard {text}: not LIST=ACTION"), format!("the actions are {names}"))
    };
    let rule = Rule::parse(text).ok_or_else(unknown)?;
    match rule.target().filter(|name| targets::find(name).is_none()) {
        Some(name) => Err(Failure::usage(format!("--guard {text}: no target {name}"), "see stixc targets")),
        None => Ok(rule),
    }
}

impl From<GuardError> for Failure {
    fn from(error: GuardError) -> Self {
        Self::coded(Exit::Usage, error.diagnostic())
    }
}

/// List the guards: what is never blocked, where it comes from, and what is done about it.
#[derive(Debug, Args)]
pub(super) struct Guards {
    #[command(flatten)]
    guard: GuardArguments,
}

impl Guards {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        let guard = self.guard.guard()?;
        for head in guard.heads() {
            let (lists, detections) = (head.action(Side::Blocking).name(), head.action(Side::Detecting).name());
            anstream::println!("{}: {}", head.name, head.about);
            anstream::println!("    lists {lists}, detections {detections}; {}", dated(&head.source, &head.date));
        }
        Ok(Exit::Done)
    }
}

fn dated(source: &str, date: &str) -> String {
    if date.is_empty() { source.to_owned() } else { format!("{source}, {date}") }
}
