//! `stixc fetch`.

use std::{io, path::PathBuf};

use clap::Args;

use crate::{
    diagnostic::Severity,
    output::write_file,
    report::SourceDiagnostic,
    source::taxii::{Auth, FetchOptions, FetchSummary, Secret, TaxiiError, Timestamp, fetch},
    target::contract::EmitError,
};

use super::{
    Global, display,
    exit::{Exit, Failure},
};

/// Fetch a collection from a TAXII 2.1 server into a bundle.
///
/// The address may be that of the server's discovery, of an API root, of a collection or of its objects. Secrets come
/// from the environment or a file, never from the command line.
#[derive(Debug, Args)]
pub(super) struct Fetch {
    /// Address of the server, an API root or a collection
    url: String,
    /// Id or title of the collection
    #[arg(long, value_name = "ID")]
    collection: Option<String>,
    /// Only what was added after this instant, RFC 3339
    #[arg(long, value_name = "TIME")]
    added_after: Option<String>,
    /// Objects to ask for in each page
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: u32,
    /// Only objects of these types, separated by commas. Not all servers read this as the standard means it
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    r#type: Vec<String>,
    /// Environment variable with an API key, sent as a bearer token
    #[arg(long, value_name = "VARIABLE", conflicts_with_all = ["user", "header"])]
    token_env: Option<String>,
    /// File with an API key, readable by its owner only, sent as a bearer token
    #[arg(long, value_name = "FILE", conflicts_with_all = ["token_env", "user", "header"])]
    token_file: Option<PathBuf>,
    /// User name for HTTP Basic; may be empty. The password comes from --password-env
    #[arg(long, value_name = "NAME", requires = "password_env", conflicts_with = "header")]
    user: Option<String>,
    /// Environment variable with the password
    #[arg(long, value_name = "VARIABLE", requires = "user")]
    password_env: Option<String>,
    /// A header that carries the key, and the environment variable that holds it: X-API-Key=VARIABLE
    #[arg(long, value_name = "NAME=VARIABLE")]
    header: Option<String>,
    /// Write the bundle to this file; - for standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

impl Fetch {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failure> {
        let options = self.options()?;
        let summary = if self.output.as_os_str() == "-" {
            fetch(&options, &mut io::BufWriter::new(io::stdout().lock())).map_err(feed_failure)?
        } else {
            self.into_file(&options)?
        };
        for diagnostic in summary.diagnostics.iter().filter(|one| !global.quiet || one.severity == Severity::Error) {
            let source = summary.objects_url.clone();
            display::source_diagnostic(&SourceDiagnostic { source, diagnostic: diagnostic.clone() });
        }
        if !global.quiet {
            anstream::eprintln!(
                "{} objects in {} pages, {} requests, from {}{}",
                summary.objects,
                summary.pages,
                summary.requests,
                display::visible(&summary.objects_url),
                summary
                    .last_added
                    .as_deref()
                    .map(|at| format!("; last added {}", display::visible(at)))
                    .unwrap_or_default(),
            );
        }
        Ok(Exit::Done)
    }

    /// The file takes its name only once the whole collection is there.
    fn into_file(&self, options: &FetchOptions) -> Result<FetchSummary, Failure> {
        let mut outcome = None;
        let written = write_file(&self.output, &mut |out| match fetch(options, out) {
            Ok(summary) => {
                outcome = Some(Ok(summary));
                Ok(())
            }
            Err(TaxiiError::Output(error)) => Err(error.into()),
            Err(error) => {
                let told = io::Error::other(error.to_string());
                outcome = Some(Err(feed_failure(error)));
                Err(EmitError::from(told))
            }
        });
        match (outcome, written) {
            (Some(Err(failure)), _) => Err(failure),
            (_, Err(error)) => Err(error.into()),
            (Some(Ok(summary)), Ok(())) => Ok(summary),
            (None, Ok(())) => Ok(FetchSummary::default()),
        }
    }

    fn options(&self) -> Result<FetchOptions, Failure> {
        let mut options = FetchOptions::new(&self.url);
        options.collection = self.collection.clone();
        options.limit = self.limit;
        options.filters.types = self.r#type.clone();
        options.auth = self.auth()?;
        if let Some(text) = &self.added_after {
            let instant = Timestamp::parse(text).ok_or_else(|| {
                Failure::usage(
                    format!("--added-after {text}: not an RFC 3339 instant"),
                    "write it as 2024-01-31T12:00:00Z",
                )
            })?;
            options.added_after = Some(instant);
        }
        Ok(options)
    }

    fn auth(&self) -> Result<Auth, Failure> {
        let secret = |variable: &str| Secret::from_env(variable).map_err(usage_failure);
        if let Some(variable) = &self.token_env {
            return Ok(Auth::Bearer(secret(variable)?));
        }
        if let Some(file) = &self.token_file {
            return Ok(Auth::Bearer(Secret::from_file(file).map_err(usage_failure)?));
        }
        if let (Some(user), Some(variable)) = (&self.user, &self.password_env) {
            return Ok(Auth::Basic { user: user.clone(), password: secret(variable)? });
        }
        let Some(header) = &self.header else { return Ok(Auth::None) };
        let (name, variable) = header
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("--header {header}: no ="), "write it as X-API-Key=VARIABLE"))?;
        Ok(Auth::Header { name: name.to_owned(), value: secret(variable)? })
    }
}

fn usage_failure(error: TaxiiError) -> Failure {
    Failure { exit: Exit::Usage, ..feed_failure(error) }
}

fn feed_failure(error: TaxiiError) -> Failure {
    let message = format!("[{}] {error}", error.code());
    Failure { exit: Exit::Feed, message, help: error.help() }
}
