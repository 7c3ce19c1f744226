//! `stixc convert`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, ValueEnum};

use crate::{
    convert::{Converter, Details, EmitFailure, Finished, Prepared, Settings},
    guard::Guard,
    output::{Claim, Committed, Filtered, Limits, Sink, Staged, Stopped, Stream, told, write_file},
    plan::{adapt::Accept, fidelity::Fidelity},
    report::{Report, Status},
    targets::{
        self, TARGETS, Target,
        contract::Format,
        native::{Compile, NativePolicy},
    },
    trace,
};

use super::{
    Global, display,
    exit::{Exit, Failure, overrides, unknown_target},
    fail_on::{Asked, FailOn, Offered},
    filter::{FilterArguments, Filters},
    guards::GuardArguments,
    inputs::{InputArguments, OpenInputs, now},
    progress::Progress,
    safety::SafetyArguments,
    targets::chosen,
};

/// How many invalid indicators are shown unless more is asked for.
const SHOWN: usize = 5;

/// Compile indicators to rules.
///
/// Each indicator gets a verdict in each target: exact, broader (the rule may match more), narrower (it may miss some),
/// approximate (both), refused, guarded, or n/a where the target is about other things; filtered where a filter of that target
/// leaves it out. Detections accept exact, broader and narrower rules, blocklists exact and narrower ones.
#[derive(Debug, Args)]
pub(super) struct Convert {
    #[command(flatten)]
    feed: InputArguments,
    /// Targets, separated by commas: sigma, suricata, yara, blocklist
    #[arg(short, long, value_name = "TARGETS", value_delimiter = ',', required = true)]
    target: Vec<String>,
    /// Write only these formats, separated by commas (`stixc targets` lists them)
    #[arg(short, long, value_name = "FORMATS", value_delimiter = ',')]
    format: Vec<String>,
    /// Write into this folder; without it a single format goes to standard output
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Verdicts to accept, separated by commas, for one target or for all: blocklist=exact,narrower,broader
    #[arg(long, value_name = "[TARGET=]VERDICTS")]
    accept: Vec<String>,
    /// Lay this mapping file over the shipped one of a target (sigma=my.toml): its rows take the place of those for the
    /// same property and data source; with `replace = true` at its top nothing of the shipped file stays
    #[arg(long, value_name = "TARGET=FILE")]
    mapping: Vec<String>,
    /// Take templates from this folder, where it has them: DIR/sigma/rule.hbs
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Actions that ready-made rules of Suricata may have, separated by commas: alert,drop
    #[arg(long, value_name = "ACTIONS", value_delimiter = ',')]
    native_actions: Option<Vec<String>>,
    /// Whether ready-made rules are compiled by the engine that is installed here: suricata, yara or yr. What none has compiled
    /// is unchecked and goes into a file of its own
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    check_native: CheckNative,
    #[command(flatten)]
    guard: GuardArguments,
    /// Write a report of every indicator as JSON; - for standard output
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write into this folder what shows that each rule does what its verdict says: events, captures, files, and the rules
    /// once more; `stixc verify DIR` runs the engines over it
    #[arg(long, value_name = "DIR")]
    witness: Option<PathBuf>,
    /// Keep every indicator in provenance/ beside the outputs, for `stixc diff` and `stixc why`
    #[arg(long, requires = "output")]
    provenance: bool,
    /// Stop where more of an output would go at once: of its addresses, names, rules. Or any
    #[arg(long, value_name = "SHARE", default_value = "50%")]
    max_shrink: String,
    /// Stop where an output would become more than this many times as much. Or any
    #[arg(long, value_name = "FACTOR", default_value = "any")]
    max_grow: String,
    #[command(flatten)]
    safety: SafetyArguments,
    /// End with code 1 where a finding is at this level or one above it in the list below, for one target or for all that have
    /// no level of their own; several separated by commas: refused,unchecked,yara=never
    #[arg(long, value_name = "[TARGET=]LEVEL", value_delimiter = ',', value_parser = Offered::All, default_value = "never")]
    fail_on: Vec<Asked>,
    /// Refuse odd spellings instead of repairing them with a warning
    #[arg(long)]
    strict: bool,
    /// The moment that decides on expiry, RFC 3339; SOURCE_DATE_EPOCH serves too
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
    // Last, for its heading would stand over all that comes behind it.
    #[command(flatten)]
    filter: FilterArguments,
}

/// When an installed engine compiles ready-made rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CheckNative {
    /// Where one is installed
    Auto,
    /// Never: the outputs are the same on every machine
    No,
    /// Always: without one no ready-made rule is written
    Require,
}

impl From<CheckNative> for Compile {
    fn from(when: CheckNative) -> Self {
        match when {
            CheckNative::Auto => Self::IfInstalled,
            CheckNative::No => Self::Never,
            CheckNative::Require => Self::Required,
        }
    }
}

impl Convert {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failure> {
        let targets = self.targets()?;
        let without = self.left_out(&targets)?;
        let names: Vec<&'static str> = targets.iter().map(|target| target.name()).collect();
        let fail_on = FailOn::new(&self.fail_on, &names)?;
        let renderer = targets::renderer(TARGETS, self.templates.as_deref())
            .map_err(|error| Failure::usage(error.to_string(), "see stixc templates show"))?;
        let all = self.report.is_some() || self.provenance || global.verbose > 0;
        let guard = self.guard.guard()?;
        let filters = self.filter.read()?;
        let settings = Settings {
            targets: targets.iter().map(|target| self.prepare(*target, &guard, &filters)).collect::<Result<_, _>>()?,
            now: now(self.now.as_deref())?,
            strict: self.strict,
            filter: filters.of_all(),
            natives: NativePolicy::new(self.native_actions.clone(), self.check_native.into()),
            details: if all { Details::All } else { Details::Problems },
            witnesses: self.witness.is_some(),
        };
        let limits = self.limits()?;
        self.feed.check_patterns(self.strict)?;
        let mut feed = self.feed.open()?;
        let mut converter = read(&mut feed, &settings, global);
        for bare in &feed.bare {
            converter.pattern(&bare.source, &bare.pattern);
        }
        let said = || feed.faults.iter().chain(converter.diagnostics());
        let exit = self.feed.tolerance.judge(said(), converter.tally(), !converter.is_empty()).inspect_err(|_| {
            said().for_each(display::source_diagnostic);
        })?;
        let claim = || Claim { owner: None, force: self.safety.force };
        let stage = |folder: &PathBuf| Staged::open(folder, claim());
        let (mut staged, mut witnesses) =
            (self.output.as_ref().map(stage).transpose()?, self.witness.as_ref().map(stage).transpose()?);
        let mut stream = Stream::new(io::stdout().lock());
        let sink: &mut dyn Sink = match &mut staged {
            Some(staged) => staged,
            None => &mut stream,
        };
        let mut filtered = Filtered { sink, without, left_out: Vec::new() };
        let finished = converter.finish(&renderer, &mut filtered);
        if let (Some(witnesses), true) = (&mut witnesses, finished.failures.is_empty()) {
            finished.write_witnesses(&settings, &renderer, &mut filtered, witnesses)?;
        }
        if self.provenance {
            trace::write(&finished.indicators, filtered.sink)?;
        }
        if self.output.is_none() && self.format.is_empty() && !filtered.left_out.is_empty() && !global.quiet {
            errln!("left out, for they need a folder (-o DIR): {}", filtered.left_out.join(", "));
        }
        Ok(exit.max(self.conclude(finished, &feed, Folders { staged, witnesses, limits }, &names, &fail_on, global)?))
    }

    /// Says what happened, gives the folders their files, writes the report, and finds the exit code.
    fn conclude(
        &self,
        mut finished: Finished,
        feed: &OpenInputs,
        Folders { staged, witnesses, limits }: Folders,
        targets: &[&'static str],
        fail_on: &FailOn,
        global: &Global,
    ) -> Result<Exit, Failure> {
        finished.diagnostics.splice(0..0, feed.faults.iter().cloned());
        finished.diagnostics.iter().for_each(|found| {
            if !global.quiet || found.diagnostic.severity == crate::diagnostic::Severity::Error {
                display::source_diagnostic(found);
            }
        });
        show_indicators(&finished, global);
        if !finished.failures.is_empty() {
            return Err(failed(finished.failures, self.output.is_some()));
        }
        let folders: Vec<&str> = targets.iter().copied().chain([trace::FOLDER]).collect();
        if let Some(staged) = &staged {
            stop(&self.stopped(staged, &finished, &limits)?)?;
        }
        let mut commit = |staged: Staged| staged.commit(&folders);
        let committed = staged.map(&mut commit).transpose()?;
        witnesses.map(&mut commit).transpose()?;
        if let (Some(Committed { files, changed, removed }), false) = (committed, global.quiet) {
            errln!("{files} files, {changed} changed, {removed} removed");
        }
        if let Some(path) = &self.report {
            write_report(path, &finished.report())?;
        }
        let exit = if fail_on.finds(&finished.summary) { Exit::Findings } else { Exit::Done };
        if !global.quiet {
            display::summary(&finished.summary);
        }
        Ok(exit)
    }

    /// How far the outputs may change.
    fn limits(&self) -> Result<Limits, Failure> {
        let wrong = |flag: &str, help: &str| Failure::usage(format!("{flag}: not understood"), help);
        let max_shrink = Limits::parse_shrink(&self.max_shrink)
            .ok_or_else(|| wrong("--max-shrink", "write a share such as 30%, or any"))?;
        let max_grow = Limits::parse_grow(&self.max_grow)
            .ok_or_else(|| wrong("--max-grow", "write a factor such as 10, or any"))?;
        Ok(Limits {
            max_shrink: max_shrink.filter(|_| !self.safety.allow_shrink),
            max_grow: max_grow.filter(|_| !self.safety.allow_growth),
            allow_empty: self.safety.allow_shrink || self.feed.tolerance.allow_empty,
        })
    }

    /// What of the outputs would change more than it may.
    fn stopped(&self, staged: &Staged, finished: &Finished, limits: &Limits) -> Result<Vec<Stopped>, Failure> {
        let targets = finished.summary.verdicts.keys().filter_map(|name| targets::find(name));
        let wanted = |name: &str| self.format.is_empty() || self.format.iter().any(|one| one == name);
        let formats = targets.flat_map(Target::formats).filter(|format| wanted(format.name)).map(|format| format.path);
        Ok(staged.stopped(limits, &formats.collect::<Vec<_>>(), &finished.summary.without_rules())?)
    }

    fn targets(&self) -> Result<Vec<&'static dyn Target>, Failure> {
        let chosen = chosen(&self.target)?;
        if self.output.is_none() && chosen.len() > 1 {
            return Err(Failure::usage("several targets can't share standard output", "name a folder with -o DIR"));
        }
        Ok(chosen)
    }

    /// The paths of the formats that are not to be written.
    fn left_out(&self, targets: &[&'static dyn Target]) -> Result<Vec<&'static str>, Failure> {
        let formats: Vec<_> = targets.iter().flat_map(|target| target.formats()).collect();
        if let Some(unknown) = self.format.iter().find(|name| !formats.iter().any(|format| format.name == **name)) {
            let names: Vec<&str> = formats.iter().map(|format| format.name).collect();
            return Err(Failure::usage(format!("no format {unknown}"), format!("choose among {}", names.join(", "))));
        }
        let wanted = |name: &str| self.format.is_empty() || self.format.iter().any(|one| one == name);
        // Formats may share a folder, as the rules of Sigma and those that came ready-made do.
        let all_but = |taken: &[&Format]| -> Vec<&'static str> {
            let paths = formats.iter().map(|format| format.path);
            paths.filter(|path| !taken.iter().any(|format| format.path == *path)).collect()
        };
        if self.output.is_some() {
            let taken: Vec<&Format> = formats.iter().copied().filter(|format| wanted(format.name)).collect();
            return Ok(all_but(&taken));
        }
        let shown: Vec<&Format> =
            formats.iter().copied().filter(|format| !format.auxiliary && wanted(format.name)).collect();
        match shown.as_slice() {
            [_] => Ok(all_but(&shown)),
            _ => {
                let names: Vec<&str> = shown.iter().map(|format| format.name).collect();
                let help = format!("name a folder with -o DIR, or one format with --format: {}", names.join(", "));
                Err(Failure::usage("several formats can't share standard output", help))
            }
        }
    }

    fn prepare(&self, target: &'static dyn Target, guard: &Arc<Guard>, filters: &Filters) -> Result<Prepared, Failure> {
        let mapping =
            match self.mapping.iter().rev().find_map(|one| one.strip_prefix(&format!("{}=", target.name()))) {
                Some(file) => Some(fs::read_to_string(file).map_err(|error| {
                    Failure::usage(format!("--mapping {file}: {error}"), "name a readable TOML file")
                })?),
                None => None,
            };
        for one in &self.mapping {
            let (name, _) = one.split_once('=').ok_or_else(|| {
                Failure::usage(format!("--mapping {one}: for which target?"), "write it as --mapping TARGET=FILE")
            })?;
            targets::find(name).ok_or_else(|| unknown_target(name))?;
        }
        let accept = accept(&self.accept, target)?;
        let prepared =
            Prepared::with_guard(target, mapping.as_deref(), accept, Arc::clone(guard)).map_err(|error| {
                Failure::usage(format!("mapping of {}: {error}", target.name()), "compare it with stixc templates show")
            })?;
        Ok(prepared.with_filter(filters.of_target(target.name())))
    }
}

/// Where the outputs go, and how far they may change.
struct Folders {
    staged: Option<Staged>,
    witnesses: Option<Staged>,
    limits: Limits,
}

/// Ends the run where something would change more than it may.
fn stop(stopped: &[Stopped]) -> Result<(), Failure> {
    if stopped.is_empty() {
        return Ok(());
    }
    let help = format!("look at the inputs; if it is meant, give {} once", overrides(stopped));
    Err(Failure { exit: Exit::Safety, message: told(stopped), help })
}

/// Why there are no outputs: each target that failed is told, and the last one ends the run.
fn failed(failures: Vec<EmitFailure>, has_folder: bool) -> Failure {
    let mut all: Vec<Failure> = failures.into_iter().map(Failure::from).collect();
    all.sort_by_key(|failure| failure.exit);
    let Some(mut last) = all.pop() else { return Failure::new(Exit::Usage, "") };
    all.iter().for_each(display::failure);
    if has_folder && last.help.is_empty() {
        last.help = "nothing was written".to_owned();
    }
    last
}

/// Reads all inputs.
fn read<'s>(feed: &mut OpenInputs, settings: &'s Settings, global: &Global) -> Converter<'s> {
    let metadata = settings.wants_context();
    let progress = Progress::new(&feed.inputs, if metadata { 2 } else { 1 }, global.quiet);
    let context = if metadata { feed.context(&progress) } else { Default::default() };
    let mut converter = Converter::new(settings);
    for input in &feed.inputs {
        match input.open() {
            Ok(reader) => converter.read(input.name(), progress.reading(input, reader), &context),
            Err(error) => feed.faults.push(crate::report::SourceDiagnostic {
                source: input.name().to_owned(),
                diagnostic: error.diagnostic(),
            }),
        }
    }
    progress.finish();
    converter
}

/// Shows invalid indicators, or all that is worth a word.
pub(super) fn show_indicators(finished: &Finished, global: &Global) {
    if global.verbose > 0 {
        finished.indicators.iter().for_each(display::indicator);
        return;
    }
    if global.quiet {
        return;
    }
    let invalid: Vec<_> = finished.indicators.iter().filter(|report| report.status == Status::Invalid).collect();
    invalid.iter().take(SHOWN).for_each(|report| display::errors(report));
    if invalid.len() > SHOWN {
        errln!("and {} more invalid indicators: see -v or --report", invalid.len() - SHOWN);
    }
}

/// Writes a report to a file, or to standard output where that is `-`.
pub(super) fn write_report(path: &Path, report: &Report<'_>) -> Result<(), Failure> {
    let write = |out: &mut dyn io::Write| {
        serde_json::to_writer_pretty(&mut *out, report).map_err(io::Error::from)?;
        Ok(out.write_all(b"\n")?)
    };
    if path == Path::new("-") {
        return write(&mut io::stdout().lock()).map_err(Failure::from);
    }
    Ok(write_file(path, &mut { write })?)
}

/// What `--accept` says for one target, if anything.
fn accept(arguments: &[String], target: &dyn Target) -> Result<Option<Accept>, Failure> {
    let mut accept = None;
    for argument in arguments {
        let (name, verdicts) =
            argument.split_once('=').map_or((None, argument.as_str()), |(name, rest)| (Some(name), rest));
        if let Some(name) = name {
            targets::find(name).ok_or_else(|| unknown_target(name))?;
        }
        let verdicts = verdicts.split(',').map(verdict).collect::<Result<Vec<_>, _>>()?;
        if name.is_none_or(|name| name == target.name()) {
            accept = Some(Accept::new(verdicts));
        }
    }
    Ok(accept)
}

fn verdict(name: &str) -> Result<Fidelity, Failure> {
    [Fidelity::EXACT, Fidelity::BROADER, Fidelity::NARROWER, Fidelity::APPROXIMATE]
        .into_iter()
        .find(|verdict| verdict.name() == name.trim())
        .ok_or_else(|| {
            Failure::usage(format!("no verdict {name}"), "choose among exact, broader, narrower, approximate")
        })
}
