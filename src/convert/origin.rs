//! What a rule says about where it comes from.

use crate::{
    stix::{Context, Indicator},
    targets::contract::Origin,
};

/// The metadata of one indicator. `name` stands in where it has none.
pub(super) fn origin(indicator: &Indicator<'_>, context: &Context, name: impl FnOnce() -> String) -> Origin {
    let provenance = context.provenance(indicator);
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    Origin {
        id: indicator.id.to_string(),
        sources: vec![indicator.id.to_string()],
        name: display_name(indicator).unwrap_or_else(name),
        description: indicator.description.as_deref().unwrap_or_default().trim().to_owned(),
        references: indicator
            .external_references
            .iter()
            .filter_map(|one| one.url.as_deref())
            .map(str::to_owned)
            .collect(),
        labels: indicator.types().map(str::to_owned).collect(),
        confidence: indicator.confidence,
        tlp: provenance.tlp,
        created: indicator.created,
        modified: indicator.modified,
        valid_until: indicator.valid_until,
        creator: provenance.creator.unwrap_or_default().to_owned(),
        malware: owned(provenance.malware),
        threats: owned(provenance.threats),
        techniques: owned(provenance.techniques),
        pattern: indicator.pattern.to_string(),
    }
}

/// The indicator's own name, where it has one.
pub(super) fn display_name(indicator: &Indicator<'_>) -> Option<String> {
    indicator.name.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// Joins the origin of another indicator with the same pattern to that of the first one.
pub(super) fn join(first: &mut Origin, other: &Origin) {
    let merge = |into: &mut Vec<String>, from: &[String]| {
        into.extend(from.iter().cloned());
        into.sort();
        into.dedup();
    };
    merge(&mut first.sources, &other.sources);
    merge(&mut first.malware, &other.malware);
    merge(&mut first.threats, &other.threats);
    merge(&mut first.techniques, &other.techniques);
    first.tlp = first.tlp.max(other.tlp);
    // A rule lives as long as one of its indicators; one without an end has no end.
    first.valid_until = match (first.valid_until, other.valid_until) {
        (Some(left), Some(right)) => Some(left.max(right)),
        _ => None,
    };
}
