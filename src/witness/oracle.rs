//! The oracle: what the evaluator says of observations.

use serde_json::{Value as Json, json};

use super::Sighting;
use crate::{
    evaluate::{EvaluateError, Evaluator, Map, Observation, Observations},
    plan::Plan,
    stix::Timestamp,
};

/// Answers whether sightings satisfy a plan.
#[derive(Debug, Clone)]
pub struct Oracle(Evaluator);

impl Oracle {
    /// Prepares a plan.
    ///
    /// # Errors
    /// A plan that has no meaning: a prefix that is none, a regular expression that does not compile.
    pub fn new(plan: &Plan) -> Result<Self, EvaluateError> {
        Ok(Self(plan.evaluator()?))
    }

    /// Whether the plan matches these sightings and nothing beside them.
    ///
    /// # Errors
    /// A regular expression that goes back too often, or a search that is too long.
    pub fn matches(&self, sightings: &[Sighting]) -> Result<bool, EvaluateError> {
        // A moment that no calendar has was not seen.
        let seen = |sighting: &Sighting| {
            let at = Timestamp::from_unix_microseconds(sighting.at).ok()?;
            Some(Observation::new(at, Map::from_json(&sighting.objects)))
        };
        Ok(self.0.matches(&Observations::new(sightings.iter().filter_map(seen)))?.is_some())
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
