//! Witnesses of many patterns, in the files that engines read and in the layouts that people already run.
//!
//! Each target has a [`Stage`]: the events beside each rule as SigmaHQ keeps them for its regression tests, two tests of
//! suricata-verify, files beside each YARA rule, and what is looked up in lists.

mod blocklist;
pub mod index;
mod sigma;
mod suricata;
mod yara;

use super::{
    Aim, Labeller, Sighting, Witness,
    solve::{Bounds, Witnesses, witnesses},
    stand_in::{StandIn, stand_in},
};
use crate::plan::Plan;
use index::{Place, Showing};

/// A pattern whose witnesses are shown: about known files, where it asks for hashes.
#[derive(Debug)]
pub struct Part {
    /// The plan with the hashes of known files.
    pub known: StandIn,
    /// Its witnesses.
    pub witnesses: Witnesses,
    labeller: Option<Labeller>,
}

impl Part {
    /// Makes the witnesses of a plan.
    #[must_use]
    pub fn new(plan: &Plan, bounds: Bounds) -> Self {
        let known = stand_in(plan);
        let witnesses = witnesses(&known.plan, bounds);
        // Without an answer there is no witness either, and the gaps say why.
        let labeller = Labeller::new(&known.plan).ok();
        Self { known, witnesses, labeller }
    }

    /// What no witness could be made for, and what stands in for it.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.known.replaced.iter().chain(&self.witnesses.gaps).map(|gap| gap.reason.clone()).collect()
    }

    /// Whether the pattern matches these sightings; `None` where nothing says.
    fn answer(&self, seen: &[Sighting]) -> Option<bool> {
        self.labeller.as_ref()?.matches(seen).ok()
    }
}

/// The world of one target, in which witnesses show.
pub trait Stage {
    /// Shows a witness in each way in which it can show: whether the pattern matches it there, and where it is.
    fn show(&mut self, part: &Part, witness: &Witness) -> Vec<(bool, Place)>;

    /// The files of the world, by their paths below the target's folder, beside those of the rules (`written`, by their
    /// paths below the target's folder). `subjects` are all patterns, in the order in which they were shown.
    fn files(self: Box<Self>, subjects: &mut [index::Subject], written: &[Written]) -> Vec<Written>;
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Relative, with `/` between its parts.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The stage of a target; `None` for one that has none.
#[must_use]
pub fn of_target(name: &str) -> Option<Box<dyn Stage>> {
    Some(match name {
        "sigma" => Box::new(sigma::Logs),
        "suricata" => Box::<suricata::Captures>::default(),
        "yara" => Box::<yara::Files>::default(),
        "blocklist" => Box::new(blocklist::Lists),
        _ => return None,
    })
}

/// Shows all witnesses of a pattern.
pub fn show(stage: &mut dyn Stage, part: &Part) -> Vec<Showing> {
    let mut showings = Vec::new();
    for witness in &part.witnesses.all {
        let aim = aim(&witness.aim);
        let shown = stage.show(part, witness).into_iter();
        showings.extend(shown.map(|(matches, place)| Showing { matches, aim: aim.clone(), place }));
    }
    showings
}

fn aim(aim: &Aim) -> String {
    match aim {
        Aim::Match { alternative } => format!("alternative {alternative}"),
        Aim::NearMiss { alternative, change, .. } => format!("alternative {alternative}, but {change}"),
    }
}
