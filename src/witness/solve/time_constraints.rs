//! When things are seen: moments that keep given distances.

/// The moment 0, from which all others are measured.
pub(super) const ORIGIN: usize = 0;

/// Moments in microseconds, and how far one has to be behind another.
#[derive(Debug, Clone)]
pub(super) struct TimeConstraints {
    count: usize,
    /// The second is at least so much later than the first.
    distances: Vec<(usize, usize, i64)>,
}

impl TimeConstraints {
    /// Nothing but the origin.
    pub fn new() -> Self {
        Self { count: 1, distances: Vec::new() }
    }

    /// One more moment.
    pub fn moment(&mut self) -> usize {
        self.count += 1;
        self.count - 1
    }

    /// `to` is at least `distance` later than `from`; a negative distance lets it be so much earlier.
    pub fn at_least(&mut self, from: usize, to: usize, distance: i64) {
        self.distances.push((from, to, distance));
    }

    /// `to` is at most `distance` later than `from`.
    pub fn at_most(&mut self, from: usize, to: usize, distance: i64) {
        self.distances.push((to, from, distance.saturating_neg()));
    }

    /// The earliest moments that keep all distances, none of them before `base`; `None` where there are none.
    pub fn solved(&self, base: i64) -> Option<Vec<i64>> {
        let mut at = vec![base; self.count];
        at[ORIGIN] = 0;
        for _ in 0..=self.count {
            let mut is_stable = true;
            for (from, to, distance) in &self.distances {
                let earliest = at[*from].saturating_add(*distance);
                if at[*to] < earliest {
                    at[*to] = earliest;
                    is_stable = false;
                }
            }
            if at[ORIGIN] != 0 {
                return None;
            }
            if is_stable {
                return Some(at);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_moments_that_keep_their_distances() {
        let mut table = TimeConstraints::new();
        let (one, two, three) = (table.moment(), table.moment(), table.moment());
        table.at_least(one, two, 5);
        table.at_least(two, three, 5);
        assert_eq!(table.solved(100), Some(vec![0, 100, 105, 110]));
        table.at_least(ORIGIN, three, 200);
        table.at_most(one, three, 20);
        assert_eq!(table.solved(100), Some(vec![0, 180, 185, 200]));
        table.at_most(ORIGIN, one, 150);
        assert_eq!(table.solved(100), None);
    }
}
