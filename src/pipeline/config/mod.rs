//! `stixc.toml`, read and understood.

mod guards;
mod parse;
mod raw;

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    convert::Filter,
    diagnostic::{Code, Diagnostic},
    guard::GuardOptions,
    output::Limits,
    plan::fidelity::Fidelity,
    source::taxii::FetchOptions,
    targets::{Target, native::NativePolicy},
};

/// The configuration can't be read, or is not TOML.
pub const BAD_CONFIG: Code = Code("S090");
/// A key that the configuration does not know.
pub const UNKNOWN_KEY: Code = Code("S091");
/// A value that can't be used.
pub const BAD_VALUE: Code = Code("S092");
/// A key that is needed is missing.
pub const MISSING_KEY: Code = Code("S093");

/// What to build, of what, and where.
///
/// Paths in the file are relative to its folder.
#[derive(Clone)]
pub struct Config {
    /// What it is called in the output folder: its path, seen from there. Another one may not write there.
    pub name: String,
    /// The folder for all outputs.
    pub output: PathBuf,
    /// The file of the store.
    pub store: PathBuf,
    /// The file for the report.
    pub report: Option<PathBuf>,
    /// Whether the indicators are kept beside the outputs; not unless that is asked for.
    pub provenance: bool,
    /// A folder with templates to take in place of the shipped ones.
    pub templates: Option<PathBuf>,
    /// Whether odd spellings are errors instead of being repaired.
    pub strict: bool,
    /// The level of findings at which a build ends with a code of its own, as on the command line.
    pub fail_on: Option<String>,
    /// At least one.
    pub feeds: Vec<FeedConfig>,
    /// Which indicators are wanted.
    pub filter: Filter,
    /// What rules may do that come ready-made.
    pub natives: NativePolicy,
    /// What must never be in a rule.
    pub guards: GuardOptions,
    /// What stops a build before it writes.
    pub limits: Limits,
    /// At least one, each target once.
    pub targets: Vec<TargetConfig>,
}

/// One feed.
#[derive(Clone)]
pub struct FeedConfig {
    /// What messages and the report call it; no other feed has the same name.
    pub name: String,
    /// What it is.
    pub kind: FeedKind,
    /// After how many seconds it is read from its beginning again, so that what it no longer holds is removed. Files and
    /// bundles at a URL are always read as a whole.
    pub resync: Option<i64>,
}

/// What a feed is.
#[derive(Clone)]
pub enum FeedKind {
    /// A collection of a TAXII server.
    Taxii(Box<WebFeed>),
    /// Files and folders.
    Files(Vec<PathBuf>),
    /// A bundle at a URL.
    Url(Box<WebFeed>),
}

/// A feed of the web.
#[derive(Clone)]
pub struct WebFeed {
    /// Everything but the credentials and the cursor.
    pub options: FetchOptions,
    /// The credentials, yet to be looked up.
    pub credentials: Credentials,
}

/// Where a secret is, and how it is sent. It is looked up when the feed is fetched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// Where it is, as [`Secret::from_reference`](crate::source::taxii::Secret::from_reference) reads it.
    pub secret: Option<String>,
    /// The user whose password it is.
    pub user: Option<String>,
    /// The header that carries it.
    pub header: Option<String>,
}

/// One target.
#[derive(Clone)]
pub struct TargetConfig {
    /// The target.
    pub target: &'static dyn Target,
    /// The names of the formats to write; empty for all.
    pub formats: Vec<String>,
    /// The verdicts to accept; `None` for the target's own choice.
    pub accept: Option<Vec<Fidelity>>,
    /// A mapping file, laid over the shipped one.
    pub mapping: Option<PathBuf>,
    /// Which indicators it leaves out beside those that the filter of all targets does.
    pub filter: Option<Filter>,
}

/// A configuration that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// Its text, as far as it could be read.
    pub text: String,
    /// What is wrong, with positions in the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Config {
    /// Reads the configuration at `path`.
    ///
    /// # Errors
    /// A file that can't be read, is not TOML, holds a key that is not known, or a value that can't be used.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) => {
                let diagnostic = Diagnostic::error(BAD_CONFIG, format!("cannot read the configuration: {error}"))
                    .help("write one with `stixc init`, or name another with --config FILE");
                Err(ConfigError { path: path.to_owned(), text: String::new(), diagnostics: vec![diagnostic] })
            }
        }
    }

    /// Reads the configuration `text`, as if it lay at `path`.
    ///
    /// # Errors
    /// As for [`Config::read`].
    ///
    /// ```
    /// use stixc::pipeline::Config;
    /// let text = "[[feed]]\nname = 'a'\nkind = 'files'\npath = ['intel']\n[[target]]\nkind = 'yara'\n";
    /// let error = Config::parse("stixc.toml".as_ref(), text).err().unwrap();
    /// assert_eq!(error.diagnostics[0].message, "unknown key `path`");
    /// assert_eq!(error.diagnostics[0].help.as_deref(), Some("did you mean `paths`?"));
    /// ```
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        parse::config(path, text).map_err(|diagnostics| ConfigError {
            path: path.to_owned(),
            text: text.to_owned(),
            diagnostics,
        })
    }
}

impl FeedConfig {
    /// What the feed reads, by which the store knows it: another name for the same source is the same feed.
    #[must_use]
    pub fn source(&self) -> String {
        let options = |options: &FetchOptions| {
            let mut text = options.url.clone();
            let mut add = |name: &str, value: &str| text.push_str(&format!("\n{name}={value}"));
            if let Some(collection) = &options.collection {
                add("collection", collection);
            }
            if let Some(moment) = options.added_after {
                add("added_after", &format!("{moment:.6}"));
            }
            if !options.filters.types.is_empty() {
                add("types", &options.filters.types.join(","));
            }
            text
        };
        match &self.kind {
            FeedKind::Taxii(feed) => format!("taxii {}", options(&feed.options)),
            FeedKind::Url(feed) => format!("url {}", options(&feed.options)),
            FeedKind::Files(paths) => {
                let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
                format!("files {}", paths.join("\n"))
            }
        }
    }
}
