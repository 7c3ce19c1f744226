//! From the keys as they are written to what they mean, or to what is wrong with them.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    ops::Range,
    path::{Component, Path, PathBuf, absolute},
    time::Duration,
};

use toml::Spanned;

use super::{
    BAD_CONFIG, BAD_VALUE, Config, Credentials, FeedConfig, FeedKind, MISSING_KEY, TargetConfig, UNKNOWN_KEY, WebFeed,
    guards,
    raw::{Raw, RawFeed, RawFilter, RawGuard, RawTarget},
};
use crate::{
    convert::{Filter, seconds},
    diagnostic::Diagnostic,
    output::Limits,
    plan::{fidelity::Fidelity, schema::nearest},
    source::taxii::{FetchOptions, Proxy, TaxiiError, Version, check_url, connection_options, parse_timestamp},
    span::Span,
    targets::{
        self, TARGETS,
        native::{Compile, NativePolicy},
    },
};

const KINDS: [&str; 3] = ["taxii", "files", "url"];
/// Reads a configuration; all that is wrong with it where it can't be used.
pub(super) fn config(path: &Path, text: &str) -> Result<Config, Vec<Diagnostic>> {
    let raw: Raw = toml::from_str(text).map_err(|error| vec![not_understood(&error)])?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut reader = Reader { path, folder, wrong: Vec::new() };
    let config = reader.config(raw);
    if reader.wrong.is_empty() { Ok(config) } else { Err(reader.wrong) }
}

/// What the TOML library says, in our words where it is about a key.
fn not_understood(error: &toml::de::Error) -> Diagnostic {
    let message = error.message();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let diagnostic = match quoted.as_slice() {
        [key, known @ ..] if message.starts_with("unknown field") => {
            let help = match nearest(key, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the keys here are {}", known.join(", ")),
            };
            Diagnostic::error(UNKNOWN_KEY, format!("unknown key `{key}`")).help(help)
        }
        [key] if message.starts_with("missing field") => {
            Diagnostic::error(MISSING_KEY, format!("`{key}` is missing")).help(format!("add {key} = …"))
        }
        _ if message.starts_with("invalid type") || message.starts_with("invalid value") => {
            Diagnostic::error(BAD_VALUE, message.to_owned())
        }
        _ => Diagnostic::error(BAD_CONFIG, format!("not TOML: {}", message.trim_end().replace('\n', "; "))),
    };
    match error.span() {
        Some(range) => diagnostic.at(Span::new(range.start, range.end)),
        None => diagnostic,
    }
}

/// The path of a file, seen from a folder: the same wherever both lie together.
fn seen_from(folder: &Path, file: &Path) -> String {
    let parts = |path: &Path| {
        let mut parts: Vec<OsString> = Vec::new();
        for part in absolute(path).unwrap_or_else(|_| path.to_owned()).components() {
            match part {
                Component::ParentDir => _ = parts.pop(),
                Component::CurDir => {}
                part => parts.push(part.as_os_str().to_owned()),
            }
        }
        parts
    };
    let (folder, file) = (parts(folder), parts(file));
    let shared = folder.iter().zip(&file).take_while(|(left, right)| left == right).count();
    let up = folder.iter().skip(shared).map(|_| "..".to_owned());
    let down = file.iter().skip(shared).map(|part| part.to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

const DURATION: &str = "write a number and s, m, h, d or w: 12h, 30d";

struct Reader<'a> {
    path: &'a Path,
    folder: &'a Path,
    wrong: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn refuse(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        let span = Span::new(span.start, span.end);
        self.wrong.push(Diagnostic::error(BAD_VALUE, message).at(span).help(help));
    }

    fn missing(&mut self, span: Option<Range<usize>>, message: impl Into<String>, help: impl Into<String>) {
        let diagnostic = Diagnostic::error(MISSING_KEY, message).help(help);
        self.wrong.push(match span {
            Some(span) => diagnostic.at(Span::new(span.start, span.end)),
            None => diagnostic,
        });
    }

    fn config(&mut self, raw: Raw) -> Config {
        if raw.feed.is_empty() {
            self.missing(None, "there is no feed", "add a [[feed]] with a name, a kind, and paths or a url");
        }
        if raw.target.is_empty() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name()).collect();
            let help = format!("add a [[target]] whose kind is one of {}", names.join(", "));
            self.missing(None, "there is no target", help);
        }
        let mut names = BTreeSet::new();
        for feed in &raw.feed {
            let name = &feed.get_ref().name;
            if name.get_ref().trim().is_empty() {
                self.refuse(name.span(), "a feed without a name", "give it one; messages and the report use it");
            } else if !names.insert(name.get_ref().clone()) {
                self.refuse(name.span(), format!("two feeds named {}", name.get_ref()), "give each its own name");
            }
        }
        let filter = self.filter(&raw.filter);
        let compile = self.compile(raw.check_native.as_ref());
        let limits = self.limits(&raw.guard);
        let guards =
            guards::guards(&raw.guard, self.folder, &mut |span, message, help| self.refuse(span, message, help));
        let mut sources = BTreeSet::new();
        let mut feeds = Vec::new();
        for feed in raw.feed {
            let (span, name) = (feed.span(), feed.get_ref().name.span());
            let Some(feed) = self.feed(span, feed.into_inner()) else { continue };
            if !sources.insert(feed.source()) {
                self.refuse(name, "another feed reads the same", "remove one of them, or let it read something else");
            }
            feeds.push(feed);
        }
        let mut kinds = BTreeSet::new();
        let mut targets = Vec::new();
        for target in raw.target {
            let kind = target.get_ref().kind.clone();
            if !kinds.insert(kind.get_ref().clone()) {
                self.refuse(kind.span(), format!("two targets {}", kind.get_ref()), "join them; each is built once");
            }
            targets.extend(self.target(target.into_inner()));
        }
        let output = self.folder.join(raw.output.unwrap_or_else(|| "out".into()));
        Config {
            name: seen_from(&output, self.path),
            output,
            store: self.folder.join(raw.store.unwrap_or_else(|| ".stixc/store.sqlite".into())),
            report: raw.report.map(|report| self.folder.join(report)),
            provenance: raw.provenance.unwrap_or(false),
            templates: raw.templates.map(|templates| self.folder.join(templates)),
            strict: raw.strict,
            fail_on: raw.fail_on.map(Spanned::into_inner),
            feeds,
            filter,
            natives: NativePolicy::new(raw.native_actions, compile),
            guards,
            limits,
            targets,
        }
    }

    fn compile(&mut self, word: Option<&Spanned<String>>) -> Compile {
        let Some(word) = word else { return Compile::IfInstalled };
        Compile::from_name(word.get_ref()).unwrap_or_else(|| {
            self.refuse(word.span(), format!("check_native is not {:?}", word.get_ref()), "write auto, no or require");
            Compile::IfInstalled
        })
    }

    fn feed(&mut self, span: Range<usize>, raw: RawFeed) -> Option<FeedConfig> {
        let kind = raw.kind.get_ref().clone();
        if !KINDS.contains(&kind.as_str()) {
            self.refuse(raw.kind.span(), format!("no kind of feed {kind}"), one_of(&kind, &KINDS));
            return None;
        }
        self.refuse_foreign_keys(&kind, &raw);
        let name = raw.name.get_ref().clone();
        let resync = raw.resync.as_ref().and_then(|text| self.duration(text));
        let kind = match kind.as_str() {
            "files" => {
                let Some(paths) = raw.paths.filter(|paths| !paths.get_ref().is_empty()) else {
                    self.missing(Some(span), "`paths` is missing", "name files and folders: paths = [\"intel\"]");
                    return None;
                };
                FeedKind::Files(paths.into_inner().into_iter().map(|path| self.folder.join(path)).collect())
            }
            kind => {
                let Some(url) = &raw.url else {
                    self.missing(Some(span), "`url` is missing", "give the address: url = \"https://…\"");
                    return None;
                };
                let (url, at) = (url.get_ref().clone(), url.span());
                let credentials = self.credentials(&raw);
                let options = self.options(url, &raw);
                match check_url(&options.url) {
                    Ok(()) => {}
                    // The line with the URL is not shown.
                    Err(error @ TaxiiError::SecretInUrl { .. }) => {
                        self.refuse(raw.name.span(), error.to_string(), error.help().unwrap_or_default());
                    }
                    Err(error) => self.refuse(at, error.to_string(), "write it with https:// in front"),
                }
                let feed = Box::new(WebFeed { options, credentials });
                if kind == "taxii" { FeedKind::Taxii(feed) } else { FeedKind::Url(feed) }
            }
        };
        Some(FeedConfig { name, kind, resync })
    }

    fn refuse_foreign_keys(&mut self, kind: &str, raw: &RawFeed) {
        for (key, kinds, span) in raw.particular() {
            if let Some(span) = span.filter(|_| !kinds.contains(&kind)) {
                let message = format!("`{key}` means nothing in a feed of kind {kind}");
                let help = format!("it belongs to {}; remove it, or change the kind", kinds.join(", "));
                self.refuse(span, message, help);
            }
        }
    }

    fn options(&mut self, url: String, raw: &RawFeed) -> FetchOptions {
        let mut options = FetchOptions::new(url);
        options.collection = raw.collection.as_ref().map(|one| one.get_ref().clone());
        options.filters.types = raw.types.as_ref().map(|types| types.get_ref().clone()).unwrap_or_default();
        if let Some(limit) = raw.limit.as_ref().and_then(|limit| self.number(limit)) {
            options.limit = limit;
        }
        if let Some(text) = &raw.added_after {
            options.added_after = parse_timestamp(text.get_ref());
            if options.added_after.is_none() {
                self.refuse(text.span(), "not an RFC 3339 instant", "write it as 2024-01-31T12:00:00Z");
            }
        }
        options.lookback = raw.lookback.as_ref().and_then(|text| self.time(text));
        if let Some(overlap) = raw.overlap.as_ref().and_then(|text| self.time(text)) {
            options.overlap = overlap;
        }
        self.connection(raw, &mut options);
        options
    }

    fn time(&mut self, text: &Spanned<String>) -> Option<Duration> {
        self.duration(text).and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
    }

    /// A number that must not be 0.
    fn number<N: Copy + Default + PartialEq>(&mut self, number: &Spanned<N>) -> Option<N> {
        if *number.get_ref() == N::default() {
            self.refuse(number.span(), "0 would bring nothing", "write at least 1");
        }
        Some(*number.get_ref())
    }

    fn path(&mut self, path: &Spanned<PathBuf>) -> Option<PathBuf> {
        Some(self.folder.join(path.get_ref()))
    }

    fn proxy(&mut self, text: &Spanned<String>) -> Option<Proxy> {
        Some(text.get_ref().as_str().into())
    }

    fn version(&mut self, text: &Spanned<String>) -> Option<Version> {
        let version = Version::from_name(text.get_ref());
        if version.is_none() {
            let help = format!("choose among {}", Version::NAMES.join(", "));
            self.refuse(text.span(), format!("no version of TAXII: {}", text.get_ref()), help);
        }
        version
    }

    fn credentials(&mut self, raw: &RawFeed) -> Credentials {
        let at = |value: &Option<Spanned<String>>| value.as_ref().map(Spanned::span);
        match (at(&raw.token), at(&raw.password), at(&raw.user), at(&raw.header)) {
            (Some(_), Some(_), ..) => self.refuse(raw.name.span(), "a token and a password", "give one of them"),
            (_, Some(_), None, _) => self.refuse(
                raw.name.span(),
                "a password without a user",
                "add user = \"…\", which may be empty, or use token",
            ),
            (_, None, Some(user), _) => {
                self.refuse(user, "a user without a password", "add password = \"env:VARIABLE\"");
            }
            (None, _, _, Some(header)) => {
                self.refuse(header, "a header without a token", "add token = \"env:VARIABLE\"");
            }
            _ => {}
        }
        let secret = raw.token.as_ref().or(raw.password.as_ref());
        Credentials {
            secret: secret.and_then(|secret| self.secret(secret, raw)),
            user: raw.user.as_ref().map(|user| user.get_ref().clone()),
            header: raw.header.as_ref().map(|header| header.get_ref().clone()),
        }
    }

    /// Where a secret is. What stands there in its place may be the secret itself: neither it nor its line is shown.
    fn secret(&mut self, reference: &Spanned<String>, raw: &RawFeed) -> Option<String> {
        match reference.get_ref().split_once(':') {
            Some(("file", path)) if !path.is_empty() => Some(format!("file:{}", self.folder.join(path).display())),
            Some(("env" | "command", place)) if !place.is_empty() => Some(reference.get_ref().clone()),
            _ => {
                let help =
                    "write env:VARIABLE, file:PATH or command:COMMAND; the secret itself has no place in this file";
                self.refuse(raw.name.span(), "the secret of this feed is not named by its place", help);
                None
            }
        }
    }

    fn filter(&mut self, raw: &RawFilter) -> Filter {
        let mut percentage = |number: &Option<Spanned<u8>>, what: &str| {
            let number = number.as_ref()?;
            if *number.get_ref() > 100 {
                self.refuse(number.span(), format!("{what} goes from 0 to 100"), "write a number in that range");
            }
            Some(*number.get_ref())
        };
        let min_confidence = percentage(&raw.min_confidence, "confidence");
        let min_score = percentage(&raw.min_score, "a score");
        let max_tlp = raw.max_tlp.as_ref().and_then(|level| {
            let read = level.get_ref().parse().ok();
            if read.is_none() {
                self.refuse(
                    level.span(),
                    format!("no level of the Traffic Light Protocol: {}", level.get_ref()),
                    "choose among clear, green, amber, amber+strict, red",
                );
            }
            read
        });
        Filter {
            min_confidence,
            max_tlp,
            types: raw.types.clone(),
            without_types: raw.without_types.clone(),
            max_age: raw.max_age.as_ref().and_then(|text| self.duration(text)),
            min_score,
            detection_only: raw.detection_only,
        }
    }

    fn limits(&mut self, raw: &RawGuard) -> Limits {
        let mut limits = Limits::default();
        if let Some(text) = &raw.max_shrink {
            match Limits::parse_shrink(text.get_ref()) {
                Some(share) => limits.max_shrink = share,
                None => self.refuse(text.span(), "not a share", "write it as \"30%\", or \"any\""),
            }
        }
        if let Some(text) = &raw.max_grow {
            match Limits::parse_grow(text.get_ref()) {
                Some(factor) => limits.max_grow = factor,
                None => self.refuse(text.span(), "not a factor from 1 up", "write it as \"10\", or \"any\""),
            }
        }
        if let Some(text) = &raw.empty {
            match text.get_ref().as_str() {
                "stop" => limits.allow_empty = false,
                "allow" => limits.allow_empty = true,
                other => self.refuse(text.span(), format!("not known: {other}"), "choose among stop, allow"),
            }
        }
        limits
    }

    fn target(&mut self, raw: RawTarget) -> Option<TargetConfig> {
        let Some(target) = targets::find(raw.kind.get_ref()) else {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name()).collect();
            self.refuse(
                raw.kind.span(),
                format!("no target {}", raw.kind.get_ref()),
                one_of(raw.kind.get_ref(), &names),
            );
            return None;
        };
        let formats: Vec<&str> = target.formats().iter().map(|format| format.name).collect();
        for format in &raw.formats {
            if !formats.contains(&format.get_ref().as_str()) {
                let message = format!("{} has no format {}", target.name(), format.get_ref());
                self.refuse(format.span(), message, one_of(format.get_ref(), &formats));
            }
        }
        let accept = raw.accept.map(|verdicts| verdicts.iter().filter_map(|verdict| self.verdict(verdict)).collect());
        Some(TargetConfig {
            target,
            formats: raw.formats.into_iter().map(Spanned::into_inner).collect(),
            accept,
            mapping: raw.mapping.map(|mapping| self.folder.join(mapping.into_inner())),
            filter: raw.filter.as_ref().map(|filter| self.filter(filter)),
        })
    }

    fn verdict(&mut self, name: &Spanned<String>) -> Option<Fidelity> {
        let all = [Fidelity::EXACT, Fidelity::BROADER, Fidelity::NARROWER, Fidelity::APPROXIMATE];
        let found = all.iter().find(|one| one.name() == name.get_ref().as_str()).copied();
        if found.is_none() {
            let names = all.map(Fidelity::name);
            self.refuse(name.span(), format!("no verdict {}", name.get_ref()), one_of(name.get_ref(), &names));
        }
        found
    }

    fn duration(&mut self, text: &Spanned<String>) -> Option<i64> {
        let read = seconds(text.get_ref());
        if read.is_none() {
            self.refuse(text.span(), "not a length of time", DURATION);
        }
        read
    }
}

macro_rules! connection {
    ($($heading:literal {$(
        $(#[$help:meta])* $name:ident: $type:ty as $raw:ty, $read:ident, [$($clap:tt)*], $kinds:ident, $($place:ident).+;
    )*})*) => {
        impl Reader<'_> {
            fn connection(&mut self, raw: &RawFeed, options: &mut FetchOptions) {
                $($(if let Some(value) = raw.$name.as_ref().and_then(|raw| self.$read(raw)) {
                    options.$($place).+ = value.into();
                })*)*
            }
        }
    };
}
connection_options!(connection);

/// What to write in place of `name`.
fn one_of(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("choose among {}", known.join(", ")),
    }
}
