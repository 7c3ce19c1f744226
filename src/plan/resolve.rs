//! What the schema says about each path of a pattern, looked up once for all that ask: the repair of literals, the type
//! check and the lowering.

use super::schema::{self, Resolved};
use crate::pattern::{ComparisonExpression, ComparisonKind, ObservationExpression, ObservationKind, Pattern};

/// The paths of a pattern, one for each comparison, in the order of its text.
///
/// ```
/// use stixc::{pattern, plan::{ResolvedPaths, check, lower}};
///
/// let mut pattern = pattern::parse("[network-traffic:dst_port = '443']")?;
/// let paths = ResolvedPaths::new(&pattern);
/// assert_eq!(check::repair_resolved(&mut pattern, &paths).len(), 1);
/// assert!(check::check_resolved(&pattern, &paths).is_empty());
/// assert_eq!(lower::lower_resolved(&pattern, &paths).plan.to_string(), "[network-traffic:dst_port = 443]");
/// # Ok::<(), pattern::ParseErrors>(())
/// ```
#[derive(Debug, Clone)]
pub struct ResolvedPaths(Vec<Resolved>);

impl ResolvedPaths {
    /// Looks the paths of a pattern up.
    #[must_use]
    pub fn new(pattern: &Pattern<'_>) -> Self {
        let mut paths = Vec::with_capacity(1);
        observation(&pattern.expression, &mut paths);
        Self(paths)
    }

    /// The paths, in the order of the comparisons.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Resolved> {
        self.0.iter()
    }
}

fn observation(expression: &ObservationExpression<'_>, paths: &mut Vec<Resolved>) {
    match &expression.kind {
        ObservationKind::Single(comparison) => comparisons(comparison, paths),
        ObservationKind::Combined { operands, .. } => operands.iter().for_each(|operand| observation(operand, paths)),
        ObservationKind::Qualified { expression, .. } => observation(expression, paths),
    }
}

fn comparisons(expression: &ComparisonExpression<'_>, paths: &mut Vec<Resolved>) {
    match &expression.kind {
        ComparisonKind::Test(test) => paths.push(schema::resolve(&test.path)),
        ComparisonKind::Combined { operands, .. } => operands.iter().for_each(|operand| comparisons(operand, paths)),
    }
}
