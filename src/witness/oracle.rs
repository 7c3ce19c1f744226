//! The oracle: what the evaluator says of observations.

use serde_json::{Value as Json, json};

use super::Sighting;
use crate::{
    evaluate::{EvaluateError, Evaluator, Observations},
    pattern,
    plan::Plan,
    stix::Timestamp,
};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OracleError {
    /// The plan's canonical text is no pattern.
    #[error("the plan reads `{0}`, which is no pattern")]
    NoPattern(String),
    /// The pattern, or a value in the observations, can't be evaluated.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

/// Answers whether sightings satisfy a plan.
#[derive(Debug, Clone)]
pub struct Oracle(Evaluator);

impl Oracle {
    /// Prepares a plan. What is asked is its canonical text: the pattern with hashes, names and addresses in the one
    /// spelling that observations have.
    ///
    /// # Errors
    /// A plan that has no meaning: a prefix that is none, a regular expression that does not compile.
    pub fn new(plan: &Plan) -> Result<Self, OracleError> {
        let text = plan.to_string();
        let Ok(pattern) = pattern::parse(&text) else { return Err(OracleError::NoPattern(text)) };
        Ok(Self(Evaluator::new(&pattern)?))
    }

    /// Whether the plan matches these sightings and nothing beside them.
    ///
    /// # Errors
    /// A regular expression that goes back too often, or a search that is too long.
    pub fn matches(&self, sightings: &[Sighting]) -> Result<bool, OracleError> {
        let data: Vec<Json> = sightings.iter().map(Sighting::observed_data).collect();
        let (observations, _) = Observations::read(Json::from(data).to_string().as_bytes());
        Ok(self.0.matches(&observations)?.is_some())
    }
}

impl Sighting {
    /// The sighting as observed data of STIX 2.0 (section 2.8).
    #[must_use]
    pub fn observed_data(&self) -> Json {
        let time = self.time();
        json!({
            "type": "observed-data",
            "number_observed": 1,
            "first_observed": time,
            "last_observed": time,
            "objects": self.objects,
        })
    }

    /// When it was, RFC 3339 in UTC.
    #[must_use]
    pub fn time(&self) -> String {
        moment(self.at)
    }
}

/// An instant in microseconds since 1970-01-01T00:00:00Z as RFC 3339 in UTC.
#[must_use]
pub fn moment(at: i64) -> String {
    let Ok(at) = Timestamp::from_unix_microseconds(at) else { return moment(0) };
    if at.subsecond_nanoseconds() == 0 { at.to_string() } else { format!("{at:.6}") }
}
