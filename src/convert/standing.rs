//! Why an indicator is not in force.

use crate::{
    diagnostic::{Code, Diagnostic},
    stix::{Indicator, Status},
};

/// The indicator's `valid_from` has not come yet.
pub const NOT_YET_VALID: Code = Code("S114");
/// The indicator's `valid_until` has passed.
pub const EXPIRED: Code = Code("S115");
/// The indicator's maker took it back.
pub const REVOKED: Code = Code("S116");
/// The indicator says that it is not one of harm.
pub const BENIGN: Code = Code("S117");

/// Why an indicator does not count, with the date or the word that decides; `None` for one in force.
pub(super) fn out_of_force(indicator: &Indicator<'_>, status: Status) -> Option<Diagnostic> {
    let (code, message) = match status {
        Status::Active => return None,
        Status::Pending => (NOT_YET_VALID, format!("not yet valid: it counts from {} on", indicator.valid_from?)),
        Status::Expired => (EXPIRED, format!("expired: valid_until {}", indicator.valid_until?)),
        Status::Revoked => {
            let when = indicator.modified.map(|time| format!(": modified {time}")).unwrap_or_default();
            (REVOKED, format!("revoked by its maker{when}"))
        }
        Status::Benign => (BENIGN, format!("not one of harm: it is labelled {}", indicator.benign_type()?)),
    };
    Some(Diagnostic::note(code, message))
}
