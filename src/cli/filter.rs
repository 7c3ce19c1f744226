//! The arguments that leave indicators out, as `[filter]` of `stixc.toml` does.

use clap::Args;

use crate::{
    convert::{Filter, seconds},
    stix::Tlp,
};

use super::exit::Failure;

/// Which indicators are wanted. One that says nothing on a question passes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which indicators are wanted")]
pub(super) struct FilterArguments {
    /// The least confidence, 0 to 100
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(..=100))]
    min_confidence: Option<u8>,
    /// The strictest marking: clear, green, amber, amber+strict or red
    #[arg(long, value_name = "LEVEL")]
    max_tlp: Option<String>,
    /// Only those with one of these types or labels, separated by commas
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    types: Vec<String>,
    /// None with one of these types or labels, separated by commas
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    without_types: Vec<String>,
    /// How long those without valid_until count: 365d
    #[arg(long, value_name = "TIME")]
    max_age: Option<String>,
    /// The least score of OpenCTI, 0 to 100
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(..=100))]
    min_score: Option<u8>,
    /// None of which OpenCTI says that it is not for detection
    #[arg(long)]
    detection_only: bool,
}

impl FilterArguments {
    pub(super) fn read(&self) -> Result<Filter, Failure> {
        let max_tlp = self.max_tlp.as_deref().map(|level| {
            level.parse::<Tlp>().map_err(|error| {
                Failure::usage(
                    format!("--max-tlp {level}: {error}"),
                    "choose among clear, green, amber, amber+strict, red",
                )
            })
        });
        let max_age = self.max_age.as_deref().map(|time| {
            let help = "write a number and s, m, h, d or w: 12h, 30d";
            seconds(time).ok_or_else(|| Failure::usage(format!("--max-age {time}: not a length of time"), help))
        });
        Ok(Filter {
            min_confidence: self.min_confidence,
            max_tlp: max_tlp.transpose()?,
            types: self.types.clone(),
            without_types: self.without_types.clone(),
            max_age: max_age.transpose()?,
            min_score: self.min_score,
            detection_only: self.detection_only,
        })
    }
}
