//! What makes a run end with a code of its own.

use std::{collections::BTreeMap, ffi::OsStr};

use clap::{ValueEnum, builder::PossibleValue, error::ErrorKind};

use crate::{
    report::{Summary, Verdicts},
    targets,
};

use super::exit::Failure;

/// A level of findings. Each includes the ones above it in this list, but for `never`; the last three stand for themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Level {
    /// Nothing
    Never,
    /// A pattern that is none
    Invalid,
    /// An indicator for which a target has no rule, though it has a place for it
    Refused,
    /// A rule that may match more and miss some
    Approximate,
    /// A rule that misses some
    Narrower,
    /// A rule that may match more
    Broader,
    /// A value or a rule that the guard took
    Guarded,
    /// A ready-made rule that no engine has compiled; only this
    Unchecked,
    /// An indicator that is left out as benign or by a filter; only this
    Filtered,
    /// An indicator that a target has no place for; only this
    #[value(name = "n/a")]
    NotApplicable,
}

impl Level {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether it counts what `other` stands for.
    fn includes(self, other: Self) -> bool {
        let is_step = self < Self::Unchecked;
        self == other || (is_step && other != Self::Never && other < self)
    }

    /// Those verdicts that it stands for, without the ones that it includes.
    fn own(self, verdicts: &Verdicts) -> usize {
        match self {
            Self::Never | Self::Invalid => 0,
            Self::Refused => verdicts.refused,
            Self::Approximate => verdicts.approximate,
            Self::Narrower => verdicts.narrower,
            Self::Broader => verdicts.broader,
            Self::Guarded => verdicts.guarded,
            Self::Unchecked => verdicts.unchecked,
            Self::Filtered => verdicts.filtered,
            Self::NotApplicable => verdicts.not_applicable,
        }
    }

    fn finds(self, verdicts: &Verdicts) -> bool {
        Self::value_variants().iter().any(|other| self.includes(*other) && other.own(verdicts) > 0)
    }
}

/// A level as it was asked for: for one target, or for all that have none of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    target: Option<&'static str>,
    level: Level,
}

impl Asked {
    /// Reads `[TARGET=]LEVEL`.
    pub fn parse(text: &str, offered: Offered) -> Result<Self, String> {
        let (target, name) = text.split_once('=').map_or((None, text), |(target, name)| (Some(target.trim()), name));
        let target = target.map(|name| targets::find(name).ok_or_else(|| format!("no target {name}"))).transpose()?;
        let level = offered.levels().find(|level| level.name() == name.trim()).ok_or_else(|| {
            let names: Vec<String> = offered.levels().map(Level::name).collect();
            format!("no level {name:?}: choose among {}", names.join(", "))
        })?;
        Ok(Self { target: target.map(|target| target.name()), level })
    }
}

/// Which levels a command offers: those that can be found there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offered {
    /// All.
    All,
    /// Those about patterns. Ready-made rules are no patterns, and filters are not about them.
    Patterns,
}

impl Offered {
    fn levels(self) -> impl Iterator<Item = Level> {
        let all = Level::value_variants().iter().copied();
        all.filter(move |level| self == Self::All || !matches!(level, Level::Unchecked | Level::Filtered))
    }
}

impl clap::builder::TypedValueParser for Offered {
    type Value = Asked;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        Asked::parse(&value.to_string_lossy(), *self).map_err(|message| {
            clap::Error::raw(ErrorKind::ValueValidation, format!("--fail-on: {message}\n")).with_cmd(command)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.levels().filter_map(|level| level.to_possible_value())))
    }
}

/// What makes a run end with [`Exit::Findings`](super::exit::Exit::Findings).
#[derive(Debug, Default)]
pub(super) struct FailOn {
    /// For targets that have no level of their own.
    plain: Vec<Level>,
    of_target: BTreeMap<&'static str, Vec<Level>>,
}

impl FailOn {
    /// What was asked for, in a run with these targets.
    pub fn new(asked: &[Asked], run: &[&'static str]) -> Result<Self, Failure> {
        let mut fail_on = Self::default();
        for Asked { target, level } in asked {
            let Some(target) = target else {
                fail_on.plain.push(*level);
                continue;
            };
            if !run.contains(target) {
                let message = format!("--fail-on {target}={}: {target} is not among the targets", level.name());
                let help = match run {
                    [] => format!("name it with -t {target}"),
                    _ => format!("the run has {}", run.join(", ")),
                };
                return Err(Failure::usage(message, help));
            }
            fail_on.of_target.entry(target).or_default().push(*level);
        }
        Ok(fail_on)
    }

    /// Reads the levels of a configuration, separated by commas.
    #[cfg(all(feature = "store", feature = "taxii"))]
    pub fn parse(text: &str) -> Result<Vec<Asked>, Failure> {
        let read = |one| Asked::parse(one, Offered::All);
        let wrong = |message| Failure::usage(format!("fail_on = {text:?}: {message}"), "");
        text.split(',').map(str::trim).map(read).collect::<Result<_, _>>().map_err(wrong)
    }

    /// The first level that only a target can reach; none where it is all about patterns.
    pub fn needs_target(&self) -> Option<String> {
        self.plain.iter().find(|level| **level > Level::Invalid).map(|level| level.name())
    }

    /// Whether a pattern that is none is a finding.
    pub fn finds_invalid(&self) -> bool {
        self.plain.iter().chain(self.of_target.values().flatten()).any(|level| level.includes(Level::Invalid))
    }

    /// Whether any of these verdicts of a target is a finding.
    pub fn finds_in(&self, target: &str, verdicts: &Verdicts) -> bool {
        self.of_target.get(target).unwrap_or(&self.plain).iter().any(|level| level.finds(verdicts))
    }

    /// Whether a run with these numbers has findings.
    pub fn finds(&self, summary: &Summary) -> bool {
        // What the guard took from a part of a pattern, and what a filter keeps from all targets, is counted for the run.
        let is_about_all = |level: Level| self.of_target.is_empty() && self.plain.contains(&level);
        (self.finds_invalid() && summary.indicators > summary.valid)
            || (is_about_all(Level::Guarded) && summary.guarded > 0)
            || (is_about_all(Level::Filtered) && summary.filtered > 0)
            || summary.verdicts.iter().any(|(target, verdicts)| self.finds_in(target, verdicts))
    }
}
