//! `stixc guards`, and the arguments about guards that commands share.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use crate::{
    guard::{Action, Allowed, Guard, GuardError, GuardOptions, Popular, Rule, Side, Width},
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
    /// The same for what is your own: a name with all names below it
    #[arg(long, value_name = "VALUE|FILE")]
    own: Vec<String>,
    /// Take the lists in this folder as guards: MISP's warninglists
    #[arg(long, value_name = "DIR")]
    warninglists: Option<PathBuf>,
    /// Take the first names of this list as guards, the most popular first: a name a line, or RANK,NAME; the first 10,000, or as
    /// many as stand behind a colon
    #[arg(long, value_name = "FILE[:TOP]")]
    popular: Option<String>,
    /// The shortest prefixes that a blocklist may hold, of IPv4 and, behind a comma, of IPv6
    #[arg(long, value_name = "IPV4[,IPV6]")]
    max_width: Option<String>,
    /// How much of all addresses a blocklist may hold, such as 2%
    #[arg(long, value_name = "SHARE")]
    max_share: Option<String>,
    /// What to do about the values of a guard list, for one target or for all: drop, warn, note or ignore (`stixc guards` lists
    /// them); width=ignore allows prefixes of any width, share=ignore any number of addresses, breadth=ignore rules that name
    /// nobody
    #[arg(long, value_name = "[TARGET:]LIST=ACTION")]
    guard: Vec<String>,
}

impl GuardArguments {
    /// The guard that they ask for.
    pub(super) fn guard(&self) -> Result<Arc<Guard>, Failure> {
        let allowed = |texts: &[String]| texts.iter().map(|text| Allowed::from_text(text, Path::new(""))).collect();
        let options = GuardOptions {
            allow: allowed(&self.allow),
            own: allowed(&self.own),
            warninglists: self.warninglists.clone(),
            popular: self.popular.as_deref().map(popular),
            rules: self.guard.iter().map(|text| rule(text)).collect::<Result<_, _>>()?,
            width: self.width()?,
        };
        if options == GuardOptions::default() {
            return Ok(Guard::builtin());
        }
        Ok(Arc::new(Guard::new(&options)?))
    }

    fn width(&self) -> Result<Option<Width>, Failure> {
        let mut width = Width::BLOCKING;
        if let Some(text) = &self.max_width {
            let wrong = || Failure::usage(format!("--max-width {text}: not IPV4[,IPV6]"), "write lengths: 12 or 12,24");
            (width.ipv4, width.ipv6) = Width::parse_shortest(text).map_err(|_| wrong())?;
        }
        if let Some(text) = &self.max_share {
            let wrong = |_| Failure::usage(format!("--max-share {text}: not a share"), "write it as 1%");
            width.share = Width::parse_share(text).map_err(wrong)?;
        }
        Ok((self.max_width.is_some() || self.max_share.is_some()).then_some(width))
    }
}

/// A list of popular names, and perhaps how many of them count.
fn popular(text: &str) -> Popular {
    let parts = text.rsplit_once(':').and_then(|(path, top)| Some((path, top.parse().ok()?)));
    let (path, top) = parts.map_or((text, None), |(path, top)| (path, Some(top)));
    Popular { list: PathBuf::from(path), top }
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
