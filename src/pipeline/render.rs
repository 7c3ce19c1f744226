//! From the store to files.

use std::{fs, sync::Arc};

use super::{
    BuildError, Built, Request,
    config::{Config, TargetConfig},
};
use crate::{
    convert::{self, Converter, Details, Settings, read_context},
    guard::Guard,
    output::{Claim, Filtered, Limits, Staged},
    plan::adapt::Accept,
    render::Renderer,
    report::{FeedReport, SourceDiagnostic},
    stix::{Collector, Context, Role, codes},
    store::{FeedNumber, Store},
    targets::{self, TARGETS},
    trace,
};

/// All that is needed to render, known to be good before anything is fetched.
pub(super) struct RenderJob {
    settings: Settings,
    renderer: Renderer,
    /// The paths of the formats that are not wanted, and of those that are.
    without: Vec<&'static str>,
    wanted: Vec<&'static str>,
}

impl RenderJob {
    pub(super) fn new(config: &Config, request: &Request<'_>) -> Result<Self, BuildError> {
        let renderer = targets::renderer(TARGETS, config.templates.as_deref())?;
        let guard = Arc::new(Guard::new(&config.guards)?);
        let targets = config.targets.iter().map(|one| target(one, &guard)).collect::<Result<_, _>>()?;
        let (mut wanted, mut without) = (Vec::new(), Vec::new());
        for one in &config.targets {
            for format in one.target.formats() {
                let is_wanted = one.formats.is_empty() || one.formats.iter().any(|name| name == format.name);
                if is_wanted { &mut wanted } else { &mut without }.push(format.path);
            }
        }
        let settings = Settings {
            targets,
            now: request.now,
            strict: config.strict,
            filter: config.filter.clone(),
            details: if config.provenance { Details::All } else { request.details },
            natives: config.natives.clone(),
            witnesses: false,
        };
        Ok(Self { settings, renderer, without, wanted })
    }

    pub(super) fn render(
        self,
        config: &Config,
        request: &Request<'_>,
        store: &mut Store,
        feeds: &[(FeedNumber, FeedReport)],
    ) -> Result<Built, BuildError> {
        store.trim()?;
        let context = self.context(store, feeds)?;
        let mut converter = Converter::new(&self.settings);
        for (number, feed) in feeds {
            converter.take(&feed.name, store.objects(*number, Role::Indicator), &context);
            whole(converter.diagnostics())?;
        }
        drop(context);
        request.go_on()?;
        let claim = Claim { owner: Some(config.name.clone()), force: request.force };
        let mut staged =
            if request.check { Staged::aside(&config.output, claim) } else { Staged::open(&config.output, claim) }?;
        let mut filtered = Filtered { sink: &mut staged, without: self.without.clone(), left_out: Vec::new() };
        let finished = converter.finish(&self.renderer, &mut filtered);
        if !finished.failures.is_empty() {
            return Err(BuildError::Targets(finished.failures));
        }
        if config.provenance {
            trace::write(&finished.indicators, &mut staged)?;
        }
        request.go_on()?;
        // The configuration tells all that there is to be: what another target wrote earlier goes.
        let folders: Vec<&str> = TARGETS.iter().map(|target| target.name()).chain([trace::FOLDER]).collect();
        let changes = staged.changes(&folders)?;
        let limits = Limits {
            max_shrink: config.limits.max_shrink.filter(|_| !request.allow_shrink),
            max_grow: config.limits.max_grow.filter(|_| !request.allow_growth),
            allow_empty: config.limits.allow_empty || request.allow_shrink,
        };
        let stopped = staged.stopped(&limits, &self.wanted, &finished.summary.without_rules())?;
        if request.check {
            return Ok(Built { feeds: Vec::new(), finished, changes, files: staged.files(), stopped });
        }
        if !stopped.is_empty() {
            return Err(BuildError::Stopped { files: stopped, feeds: Vec::new(), said: Vec::new() });
        }
        let committed = staged.commit(&folders)?;
        store.set_rendered()?;
        Ok(Built { feeds: Vec::new(), finished, changes, files: committed.files, stopped })
    }

    /// What the other objects of all feeds say about the indicators.
    fn context(&self, store: &mut Store, feeds: &[(FeedNumber, FeedReport)]) -> Result<Context, BuildError> {
        let mut collector = Collector::default();
        if self.settings.wants_context() {
            for (number, feed) in feeds {
                whole(&read_context(&mut collector, &feed.name, store.objects(*number, Role::Context)))?;
            }
        }
        Ok(collector.finish())
    }
}

/// Outputs are made of all that the store holds, or not at all.
fn whole(said: &[SourceDiagnostic]) -> Result<(), BuildError> {
    match said.iter().find(|found| found.diagnostic.code == codes::UNREADABLE) {
        Some(found) => Err(BuildError::Damaged(found.diagnostic.clone())),
        None => Ok(()),
    }
}

fn target(config: &TargetConfig, guard: &Arc<Guard>) -> Result<convert::Prepared, BuildError> {
    let trouble = |message: String| {
        let path = config.mapping.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        BuildError::Mapping { path, message }
    };
    let mapping = match &config.mapping {
        Some(path) => Some(fs::read_to_string(path).map_err(|error| trouble(error.to_string()))?),
        None => None,
    };
    let accept = config.accept.as_ref().map(|verdicts| Accept::new(verdicts.iter().copied()));
    convert::Prepared::with_guard(config.target, mapping.as_deref(), accept, Arc::clone(guard))
        .map(|prepared| prepared.with_filter(config.filter.clone()))
        .map_err(|error| trouble(error.to_string()))
}
