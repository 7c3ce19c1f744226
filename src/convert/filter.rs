//! What the user leaves out, whatever the feeds say.

use crate::{
    diagnostic::{Code, Diagnostic},
    report::Status,
    stix::{Context, Indicator, Timestamp, Tlp},
};

/// The user's filter leaves the indicator out.
pub const FILTERED: Code = Code("S110");
/// An indicator without an end that is older than the user wants.
pub const TOO_OLD: Code = Code("S111");

/// Which indicators are wanted. The default wants all of them.
///
/// An indicator that says nothing on a question is wanted: without `confidence` it passes any `min_confidence`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The least confidence, 0 to 100.
    pub min_confidence: Option<u8>,
    /// The strictest marking.
    pub max_tlp: Option<Tlp>,
    /// Types and labels of which it has at least one; empty for any.
    pub types: Vec<String>,
    /// Types and labels of which it has none.
    pub without_types: Vec<String>,
    /// How many seconds an indicator without `valid_until` counts after `valid_from`, or after `modified` or `created`
    /// where that is missing.
    pub max_age: Option<i64>,
    /// The least score of OpenCTI, 0 to 100.
    pub min_score: Option<u8>,
    /// Whether those are left out that OpenCTI says are not for detection.
    pub detection_only: bool,
}

/// How many seconds `text` stands for: a number and `s`, `m`, `h`, `d` or `w`. `None` for anything else.
///
/// ```
/// assert_eq!(stixc::convert::seconds("15m"), Some(900));
/// assert_eq!(stixc::convert::seconds("30d"), Some(2_592_000));
/// assert_eq!(stixc::convert::seconds("soon"), None);
/// ```
#[must_use]
pub fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    number.trim_end().parse::<i64>().ok().filter(|&number| number > 0)?.checked_mul(unit)
}

impl Filter {
    /// Whether it must know what other objects say about an indicator.
    #[must_use]
    pub fn wants_context(&self) -> bool {
        self.max_tlp.is_some()
    }

    /// What an indicator in force is to the user, and why, where it is not wanted.
    pub(super) fn judge(
        &self,
        indicator: &Indicator<'_>,
        context: &Context,
        now: Timestamp,
    ) -> Option<(Status, Diagnostic)> {
        if let Some(message) = self.refuses(indicator, context) {
            return Some((Status::Filtered, Diagnostic::note(FILTERED, message)));
        }
        let since = self.outlived(indicator, now)?;
        let message = format!("valid since {since} without an end, which is longer than wanted");
        Some((Status::Expired, Diagnostic::note(TOO_OLD, message)))
    }

    fn refuses(&self, indicator: &Indicator<'_>, context: &Context) -> Option<String> {
        if let (Some(least), Some(confidence)) = (self.min_confidence, indicator.confidence)
            && confidence < least
        {
            return Some(format!("the confidence {confidence} is below {least}"));
        }
        if let (Some(least), Some(score)) = (self.min_score, indicator.score)
            && score < least
        {
            return Some(format!("the score {score} is below {least}"));
        }
        if self.detection_only && indicator.detection == Some(false) {
            return Some("OpenCTI says that it is not for detection".to_owned());
        }
        if let Some(most) = self.max_tlp
            && let Some(tlp) = context.provenance(indicator).tlp.filter(|tlp| *tlp > most)
        {
            return Some(format!("{tlp} is stricter than {most}"));
        }
        let among = |list: &[String], name: &str| list.iter().any(|one| one.eq_ignore_ascii_case(name));
        if let Some(unwanted) = indicator.types().find(|name| among(&self.without_types, name)) {
            return Some(format!("the type {unwanted} is not wanted"));
        }
        let wanted = self.types.is_empty() || indicator.types().any(|name| among(&self.types, name));
        (!wanted).then(|| "none of its types is wanted".to_owned())
    }

    /// Since when it is valid, where that is too long ago.
    fn outlived(&self, indicator: &Indicator<'_>, now: Timestamp) -> Option<Timestamp> {
        let (longest, None) = (self.max_age?, indicator.valid_until) else { return None };
        let since = indicator.valid_from.or(indicator.modified).or(indicator.created)?;
        (now.unix_seconds().saturating_sub(since.unix_seconds()) > longest).then_some(since)
    }
}
