//! What a target is: how it takes plans in and hands files out.
//!
//! A [`Target`] with its mapping read is a [`Backend`], which works in two steps. [`Backend::lower`] turns one plan into
//! drafts, or refuses it; it is called for each distinct pattern, on several cores at once. [`Backend::emit`] then gets all
//! [`Rule`]s of a run in their final order, with the indicators that they come from, and writes its files.
//!
//! What a draft is, only the backend knows: [`Backend::Draft`]. To all others it is one behind [`AnyBackend`], which each
//! backend is by itself.

use std::{any::Any, collections::BTreeSet, io, ops::Deref, sync::Arc};

use serde::Serialize;
use serde_json::Value as Json;
use smallvec::SmallVec;

use crate::{
    diagnostic::Diagnostic,
    guard::{self, Guard, Policy, Side, breadth},
    plan::{
        Plan, Test,
        adapt::{Accept, Capabilities, Judge, Objection, Ties},
        fidelity::{Fidelity, Loss},
    },
};

pub use super::origin::Origin;

#[cfg(feature = "witness")]
use super::{
    compiler::Compiler,
    proof::{AnyEngine, Exported, File, Tested},
};
use super::{
    mapping::MappingError,
    native::{NativeFault, NativePolicy, NativeRule, NativeText},
    record::{EmittedRule, Record},
};

pub use crate::output::EmitError;

/// One way in which a target writes its rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Name for `--format` and messages, unique within the target: `rules`, `nftables`.
    pub name: &'static str,
    /// The template's file name in `templates/<target>/`: `rules.hbs`.
    pub template: &'static str,
    /// The template's text, as shipped.
    pub source: &'static str,
    /// Path below the output folder; for a file per rule, the folder's: `suricata/stixc.rules`, `sigma/`.
    pub path: &'static str,
    /// True for files that only accompany another output of the target (a list that rules refer to, rules that came
    /// ready-made); they are never written to standard output.
    pub auxiliary: bool,
    /// One line for `stixc targets`.
    pub about: &'static str,
}

/// A target: a rule language or a list format with a validator of its own.
pub trait Target: Sync {
    /// Name on the command line: `sigma`.
    fn name(&self) -> &'static str;

    /// One line for `stixc targets`.
    fn about(&self) -> &'static str;

    /// The templates and files that it writes.
    fn formats(&self) -> &'static [Format];

    /// Its mapping data as shipped, the text of `templates/<target>/mapping.toml`.
    fn mapping(&self) -> &'static str;

    /// The codes that only this target reports, each with its explanation: the text of `templates/<target>/codes.toml`, in
    /// the form of [`Explanation`](crate::diagnostic::Explanation).
    fn codes(&self) -> &'static str {
        ""
    }

    /// The verdicts that it accepts unless the user says otherwise.
    fn accepts(&self) -> Accept {
        Accept::DETECTION
    }

    /// Whether what it names is refused, by machines that nobody watches. The guard is stricter there.
    fn is_blocking(&self) -> bool {
        false
    }

    /// Whether its rules carry the indicator's name, references and so on. Plain lists don't, and a feed of a million
    /// indicators need not keep them.
    fn wants_metadata(&self) -> bool {
        true
    }

    /// The `pattern_type` of indicators that are already in this target's language, if it is one.
    fn pattern_type(&self) -> Option<&'static str> {
        None
    }

    /// Reads a rule that came ready-made in an indicator, far enough that it can't hurt the rules beside it.
    ///
    /// # Errors
    /// Why it doesn't go into the files.
    fn read_native(&self, text: &str, _policy: &NativePolicy) -> Result<NativeRule, NativeFault> {
        Ok(NativeRule { text: text.to_owned(), notes: Vec::new(), is_compiled: false, evidence: Vec::new() })
    }

    /// Reads the user's mapping file over the shipped one, and gives what lowers plans by both.
    ///
    /// # Errors
    /// A mapping file with unknown keys or of another form.
    fn prepare(&self, mapping: Option<&str>, options: Options) -> Result<Box<dyn AnyBackend>, MappingError>;

    /// What compiles ready-made rules of its language; `None` for a target that knows of nothing.
    #[cfg(feature = "witness")]
    fn compiler(&self) -> Option<Box<dyn Compiler>> {
        None
    }

    /// The engine that reads its rules, as it is installed here; `None` for a target that knows of none.
    #[cfg(feature = "witness")]
    fn engine(&self) -> Option<Box<dyn AnyEngine>> {
        None
    }
}

/// What the user asked of a target.
#[derive(Debug, Clone)]
pub struct Options {
    /// The verdicts that the user accepts.
    pub accept: Accept,
    /// What must never be in the target's rules. Plans come without it; what [`adapt`](crate::plan::adapt::adapt) makes of
    /// them may have to be judged once more.
    pub policy: Policy,
}

impl Options {
    /// What is asked of `target` where the user says nothing of the guard.
    #[must_use]
    pub fn new(target: &dyn Target, accept: Accept) -> Self {
        Self::with_guard(target, accept, Guard::builtin())
    }

    /// The same with another guard.
    #[must_use]
    pub fn with_guard(target: &dyn Target, accept: Accept, guard: Arc<Guard>) -> Self {
        let side = if target.is_blocking() { Side::Blocking } else { Side::Detecting };
        Self { accept, policy: Policy::new(guard, target.name(), side) }
    }

    /// What a target can hold that has so many data sources, as far as the user wants it.
    #[must_use]
    pub fn capabilities<'t>(&'t self, sources: usize, ties: Option<Ties<'t>>) -> Capabilities<'t> {
        Capabilities { sources, accept: self.accept, ties, judge: self }
    }
}

impl Judge for Options {
    fn objection(&self, tests: &[&Test], is_rest: bool) -> Option<Objection> {
        breadth::objection(&self.policy, tests, is_rest)
    }
}

/// A target with its mapping read: it lowers plans and writes the files of a run. Several threads share one.
pub trait Backend: Send + Sync {
    /// What a plan becomes: the body of a rule before it has an id and metadata, or an entry of a list.
    type Draft: Send + Sync + 'static;

    /// Turns a plan into drafts.
    ///
    /// # Errors
    /// The reasons, where no rule that the user accepts can be written.
    fn lower(&self, plan: &Plan) -> Result<Lowered<Self::Draft>, Refusal>;

    /// The types of objects that it has any place for; `None` where that can't be said. Patterns about others are not
    /// applicable, rather than refused.
    fn object_types(&self) -> Option<BTreeSet<String>> {
        None
    }

    /// Writes the files of a run.
    ///
    /// `rules` come in an order that does not depend on the order of the input. What each of them is in the files goes into
    /// [`Emission::record_rules`], and what is in the files into [`Emission::record`].
    ///
    /// # Errors
    /// A template that does not render, a file that can't be written, a range of numbers that is used up.
    fn emit(&self, rules: &[Rule<Self::Draft>], emission: &mut dyn Emission) -> Result<(), EmitError>;

    /// Shows the witnesses of patterns to the target's engine, beside the files of their rules (`written`); `None` for a
    /// target that can't.
    #[cfg(feature = "witness")]
    fn export(&self, _tested: Vec<Tested<'_>>, _written: &[File]) -> Option<Exported> {
        None
    }
}

/// A draft whose backend is not known. Millions of them wait for the end of a run, so each is as large as it must be.
pub type AnyDraft = dyn Any + Send + Sync;

/// Any [`Backend`], with its drafts erased.
pub trait AnyBackend: Send + Sync {
    /// As [`Backend::lower`].
    ///
    /// # Errors
    /// The reasons, where no rule that the user accepts can be written.
    fn lower(&self, plan: &Plan) -> Result<Lowered, Refusal>;

    /// As [`Backend::object_types`].
    fn object_types(&self) -> Option<BTreeSet<String>>;

    /// As [`Backend::emit`], with the rules that [`AnyBackend::lower`] has made.
    ///
    /// # Errors
    /// Those of [`Backend::emit`], and drafts of another backend.
    fn emit(&self, rules: Vec<Rule>, emission: &mut dyn Emission) -> Result<(), EmitError>;

    /// As [`Backend::export`].
    #[cfg(feature = "witness")]
    fn export(&self, tested: Vec<Tested<'_>>, written: &[File]) -> Option<Exported>;
}

impl<B: Backend> AnyBackend for B {
    fn lower(&self, plan: &Plan) -> Result<Lowered, Refusal> {
        let Lowered { fidelity, losses, drafts } = Backend::lower(self, plan)?;
        Ok(Lowered { fidelity, losses, drafts: drafts.into_iter().map(|draft| draft as Box<AnyDraft>).collect() })
    }

    fn object_types(&self) -> Option<BTreeSet<String>> {
        Backend::object_types(self)
    }

    fn emit(&self, rules: Vec<Rule>, emission: &mut dyn Emission) -> Result<(), EmitError> {
        // The list is changed in place: a second one of a million rules would be felt.
        let rules: Vec<Rule<B::Draft>> = rules.into_iter().map(Rule::downcast).collect::<Result<_, _>>()?;
        Backend::emit(self, &rules, emission)
    }

    #[cfg(feature = "witness")]
    fn export(&self, tested: Vec<Tested<'_>>, written: &[File]) -> Option<Exported> {
        Backend::export(self, tested, written)
    }
}

/// A plan turned into drafts.
#[derive(Debug)]
pub struct Lowered<D: ?Sized = AnyDraft> {
    /// Whether all drafts together mean what the plan means.
    pub fidelity: Fidelity,
    /// What they don't say.
    pub losses: Losses,
    /// At least one.
    pub drafts: SmallVec<[Box<D>; 1]>,
}

impl<D: ?Sized> Lowered<D> {
    /// What the guard let through with a warning: a rule about it deserves a lower level.
    pub fn warnings(&self) -> impl Iterator<Item = &Loss> {
        self.losses.iter().filter(|loss| loss.code == guard::KEPT)
    }
}

/// What rules don't say: nothing, for nearly all of the millions of patterns of a feed. Read it as a slice.
#[derive(Debug, Default)]
// A pointer is a third of a list's size, and there are millions of them.
#[allow(clippy::box_collection)]
pub struct Losses(Option<Box<Vec<Loss>>>);

impl Losses {
    /// Adds one at the end.
    pub fn push(&mut self, loss: Loss) {
        self.0.get_or_insert_default().push(loss);
    }
}

impl From<Vec<Loss>> for Losses {
    fn from(losses: Vec<Loss>) -> Self {
        Self((!losses.is_empty()).then(|| Box::new(losses)))
    }
}

impl Deref for Losses {
    type Target = [Loss];

    fn deref(&self) -> &[Loss] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }
}

/// Why a target writes no rule for a plan.
#[derive(Debug)]
pub struct Refusal {
    /// At least one.
    pub reasons: Vec<Loss>,
}

impl From<Vec<Loss>> for Refusal {
    fn from(reasons: Vec<Loss>) -> Self {
        Self { reasons }
    }
}

/// One pattern's rules in one target, with all indicators that have this pattern.
#[derive(Debug)]
pub struct Rule<D: ?Sized = AnyDraft> {
    /// The indicators behind it.
    pub origin: Arc<Origin>,
    /// What [`Backend::lower`] made, or a ready-made rule.
    pub content: Content<D>,
}

impl Rule {
    /// The same, for the backend whose drafts it holds.
    fn downcast<D: 'static>(self) -> Result<Rule<D>, EmitError> {
        let content = match self.content {
            Content::Native(text) => Content::Native(text),
            Content::Compiled(Lowered { fidelity, losses, drafts }) => {
                let count = drafts.len();
                let drafts: SmallVec<[Box<D>; 1]> =
                    drafts.into_iter().filter_map(|draft| draft.downcast().ok()).collect();
                if drafts.len() < count {
                    return Err(EmitError::OtherBackend);
                }
                Content::Compiled(Lowered { fidelity, losses, drafts })
            }
        };
        Ok(Rule { origin: self.origin, content })
    }
}

/// The body of a [`Rule`].
#[derive(Debug)]
pub enum Content<D: ?Sized = AnyDraft> {
    /// Compiled from a plan.
    Compiled(Lowered<D>),
    /// A rule in the target's own language, to be written as it is. It passed [`Target::read_native`].
    Native(NativeText),
}

/// What [`Backend::emit`] writes to.
pub trait Emission {
    /// Renders a template of this target (by [`Format::template`]) with `view` into `out`.
    ///
    /// # Errors
    /// A field that the view does not have, or a failing writer.
    fn render(&self, template: &str, view: Json, out: &mut dyn io::Write) -> Result<(), EmitError>;

    /// Writes the file at `path` below the output folder. Nothing appears there unless `content` ends without an error,
    /// and nothing changes where the bytes are the same.
    ///
    /// # Errors
    /// A failing disk, or what `content` answers.
    fn file(
        &mut self,
        path: &str,
        content: &mut dyn FnMut(&mut dyn io::Write) -> Result<(), EmitError>,
    ) -> Result<(), EmitError>;

    /// What an earlier run left at `path` below the output folder, if anything: the lock file.
    ///
    /// # Errors
    /// A file that is there and can't be read.
    fn previous(&mut self, path: &str) -> Result<Option<String>, EmitError>;

    /// Adds a line to the index of what was emitted; see [`record`](super::record).
    ///
    /// # Errors
    /// A failing disk.
    fn record(&mut self, record: &Record) -> Result<(), EmitError>;

    /// Notes how much the entries of a kind cover that were recorded of the file that is spoken of, where one covers more than
    /// another: how many addresses, of prefixes. A list that loses a large prefix shrinks.
    fn covers(&mut self, _kind: &str, _amount: u128) {}

    /// Records the rules that were written for the rule number `index` of those given to [`Backend::emit`].
    fn record_rules(&mut self, index: usize, rules: Vec<EmittedRule>);

    /// Adds a diagnostic about this run's output.
    fn warn(&mut self, diagnostic: Diagnostic);
}

/// Turns a view into what templates see.
///
/// # Errors
/// A view that is no plain data; that would be a fault of the target.
pub fn view(view: &impl Serialize) -> Result<Json, EmitError> {
    serde_json::to_value(view).map_err(|error| EmitError::Template(error.to_string()))
}
