//! The arguments that leave indicators out, as `[filter]` of `stixc.toml` and `filter` of a target there do.

use std::collections::BTreeMap;

use clap::Args;

use crate::{
    convert::{Filter, seconds},
    plan::schema::nearest,
    stix::Tlp,
    targets::{self, TARGETS},
};

use super::exit::{Failure, unknown_target};

/// Which indicators are wanted. One that says nothing on a question passes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which indicators are wanted, in all targets or in one: 60, suricata:80")]
pub(super) struct FilterArguments {
    /// The least confidence, 0 to 100
    #[arg(long, value_name = "[TARGET:]NUMBER")]
    min_confidence: Vec<String>,
    /// The strictest marking: clear, green, amber, amber+strict or red
    #[arg(long, value_name = "[TARGET:]LEVEL")]
    max_tlp: Vec<String>,
    /// Only those with one of these types or labels, separated by commas
    #[arg(long, value_name = "[TARGET:]TYPES")]
    types: Vec<String>,
    /// None with one of these types or labels, separated by commas
    #[arg(long, value_name = "[TARGET:]TYPES")]
    without_types: Vec<String>,
    /// How long those without valid_until count: 365d
    #[arg(long, value_name = "[TARGET:]TIME")]
    max_age: Vec<String>,
    /// The least score of OpenCTI, 0 to 100
    #[arg(long, value_name = "[TARGET:]NUMBER")]
    min_score: Vec<String>,
    /// None of which OpenCTI says that it is not for detection; =suricata,blocklist for these targets
    #[arg(
        long, value_name = "TARGETS", num_args = 0..=1, require_equals = true, default_missing_value = "",
        value_delimiter = ','
    )]
    detection_only: Vec<String>,
}

/// The filters of a run, by target; under no name the one of all.
#[derive(Debug, Default)]
pub(super) struct Filters(BTreeMap<String, Filter>);

impl Filters {
    /// The one of all targets.
    pub(super) fn of_all(&self) -> Filter {
        self.0.get("").cloned().unwrap_or_default()
    }

    /// The one that a target has to itself.
    pub(super) fn of_target(&self, name: &str) -> Option<Filter> {
        self.0.get(name).cloned()
    }

    /// Gives each of some arguments to the filter that it is for.
    fn set(
        &mut self,
        arguments: &[String],
        split: fn(&str) -> Result<(&str, &str), Failure>,
        set: impl Fn(&mut Filter, &str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        arguments.iter().try_for_each(|argument| {
            let (target, value) = split(argument)?;
            set(self.0.entry(target.to_owned()).or_default(), value)
        })
    }
}

impl FilterArguments {
    pub(super) fn read(&self) -> Result<Filters, Failure> {
        let mut filters = Filters::default();
        filters.set(&self.min_confidence, of_target, |filter, value| {
            filter.min_confidence = Some(percentage("--min-confidence", value)?);
            Ok(())
        })?;
        filters.set(&self.min_score, of_target, |filter, value| {
            filter.min_score = Some(percentage("--min-score", value)?);
            Ok(())
        })?;
        filters.set(&self.max_tlp, of_target, |filter, value| {
            filter.max_tlp = Some(level(value)?);
            Ok(())
        })?;
        filters.set(&self.max_age, of_target, |filter, value| {
            filter.max_age = Some(age(value)?);
            Ok(())
        })?;
        filters.set(&self.types, of_target_or_label, |filter, value| {
            filter.types.extend(value.split(',').map(str::to_owned));
            Ok(())
        })?;
        filters.set(&self.without_types, of_target_or_label, |filter, value| {
            filter.without_types.extend(value.split(',').map(str::to_owned));
            Ok(())
        })?;
        for target in &self.detection_only {
            known(target)?;
            filters.0.entry(target.clone()).or_default().detection_only = true;
        }
        Ok(filters)
    }
}

fn percentage(flag: &str, text: &str) -> Result<u8, Failure> {
    let number = text.parse().ok().filter(|number| *number <= 100);
    number.ok_or_else(|| Failure::usage(format!("{flag} {text}: not a number from 0 to 100"), "write it as 60"))
}

fn level(text: &str) -> Result<Tlp, Failure> {
    let help = "choose among clear, green, amber, amber+strict, red";
    text.parse().map_err(|error| Failure::usage(format!("--max-tlp {text}: {error}"), help))
}

fn age(text: &str) -> Result<i64, Failure> {
    let help = "write a number and s, m, h, d or w: 12h, 30d";
    seconds(text).ok_or_else(|| Failure::usage(format!("--max-age {text}: not a length of time"), help))
}

/// A name that is one of a target, or none.
fn known(name: &str) -> Result<(), Failure> {
    if name.is_empty() || targets::find(name).is_some() { Ok(()) } else { Err(unknown_target(name)) }
}

/// The target of an argument, and its value.
fn of_target(argument: &str) -> Result<(&str, &str), Failure> {
    match argument.split_once(':') {
        Some((target, _)) if target.is_empty() || targets::find(target).is_none() => Err(unknown_target(target)),
        Some(split) => Ok(split),
        None => Ok(("", argument)),
    }
}

/// The same of types: labels have colons, too, so that only what is nearly the name of a target is taken for one that is wrong.
fn of_target_or_label(argument: &str) -> Result<(&str, &str), Failure> {
    match argument.split_once(':') {
        Some((target, types)) if targets::find(target).is_some() => Ok((target, types)),
        Some((target, _)) if nearest(target, TARGETS.iter().map(|target| target.name())).is_some() => {
            Err(unknown_target(target))
        }
        _ => Ok(("", argument)),
    }
}
