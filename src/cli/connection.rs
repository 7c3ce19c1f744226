//! How the command line says who the client is, by which way it goes, and where it stops.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use crate::source::taxii::{Auth, FetchOptions, Log, Proxy, Secret, TaxiiError, Version};

use super::{
    Global, display,
    exit::{Exit, Failure},
};

/// Who the client is. SECRET says where a secret is: env:VARIABLE, file:PATH (mode 0600) or command:COMMAND.
#[derive(Debug, Args)]
#[command(next_help_heading = "Credentials")]
pub(super) struct Credentials {
    /// An API key, sent as a bearer token: env:VARIABLE, file:PATH (of mode 600) or command:COMMAND
    #[arg(long, value_name = "SECRET", conflicts_with_all = ["user", "header"])]
    token: Option<String>,
    /// User name for HTTP Basic; may be empty
    #[arg(long, value_name = "NAME", requires = "password", conflicts_with = "header")]
    user: Option<String>,
    /// The password, as for --token
    #[arg(long, value_name = "SECRET", requires = "user")]
    password: Option<String>,
    /// A header that carries the key, such as X-API-Key=env:VARIABLE
    #[arg(long, value_name = "NAME=SECRET")]
    header: Option<String>,
    /// The client's own certificate, and its key if that has no file of its own, as PEM
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// The key of that certificate, as PEM; a file of mode 600
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
}

/// By which way to go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct Connection {
    /// Trust the authorities in this PEM file, in place of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Go by this proxy, or by `none`; by default by that of HTTPS_PROXY and NO_PROXY
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Version of TAXII; by default the server's
    #[arg(long, value_name = "VERSION")]
    taxii: Option<TaxiiVersion>,
    /// Seconds to wait for a connection
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    connect_timeout: Duration,
    /// Seconds to wait for the next bytes of an answer
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    read_timeout: Duration,
    /// Seconds to wait for a page as a whole
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    page_timeout: Duration,
    /// How often a request is sent before it is given up
    #[arg(long, value_name = "N", default_value_t = 5)]
    attempts: u32,
    /// Longest pause that the server may ask for, in seconds; if it asks for more, the run fails at once
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    max_wait: Duration,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TaxiiVersion {
    #[value(name = "2.0")]
    V2_0,
    #[value(name = "2.1")]
    V2_1,
}

/// Where to stop, whatever the server says.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct Bounds {
    /// Pages of one walk
    #[arg(long, value_name = "N")]
    max_pages: Option<u64>,
    /// Objects of one walk
    #[arg(long, value_name = "N")]
    max_objects: Option<u64>,
    /// Bytes of one page, after unpacking
    #[arg(long, value_name = "N")]
    max_page_bytes: Option<u64>,
    /// Bytes of one walk, after unpacking
    #[arg(long, value_name = "N")]
    max_bytes: Option<u64>,
    /// Seconds of one walk, with all its waiting
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    max_time: Option<Duration>,
}

impl Credentials {
    pub(super) fn apply(&self, options: &mut FetchOptions) -> Result<(), Failure> {
        options.auth = self.auth()?;
        options.tls.certificate.clone_from(&self.cert);
        options.tls.key.clone_from(&self.key);
        Ok(())
    }

    fn auth(&self) -> Result<Auth, Failure> {
        let secret = |reference: &str| Secret::from_reference(reference).map_err(feed_failure);
        if let Some(token) = &self.token {
            return Ok(Auth::Bearer(secret(token)?));
        }
        if let (Some(user), Some(password)) = (&self.user, &self.password) {
            return Ok(Auth::Basic { user: user.clone(), password: secret(password)? });
        }
        let Some(header) = &self.header else { return Ok(Auth::None) };
        // What stands there may be the secret itself.
        let (name, value) = header
            .split_once('=')
            .ok_or_else(|| Failure::usage("--header: no `=` in it", "write it as X-API-Key=env:VARIABLE"))?;
        Ok(Auth::Header { name: name.to_owned(), value: secret(value)? })
    }
}

impl Connection {
    pub(super) fn apply(&self, options: &mut FetchOptions, global: &Global) -> Result<(), Failure> {
        options.tls.ca.clone_from(&self.ca_file);
        options.proxy = match self.proxy.as_deref() {
            None => Proxy::Environment,
            Some("none") => Proxy::Direct,
            Some(url) => Proxy::Url(url.to_owned()),
        };
        options.version = self.taxii.map(|version| match version {
            TaxiiVersion::V2_0 => Version::V2_0,
            TaxiiVersion::V2_1 => Version::V2_1,
        });
        options.timeouts.connect = self.connect_timeout;
        options.timeouts.read = self.read_timeout;
        options.timeouts.page = self.page_timeout;
        options.backoff.attempts = self.attempts;
        options.backoff.longest_asked = self.max_wait;
        if global.verbose > 0 {
            options.log = Some(Log::new(global.verbose > 1, |line| anstream::eprintln!("{}", display::visible(line))));
        }
        Ok(())
    }
}

impl Bounds {
    pub(super) fn apply(&self, options: &mut FetchOptions) {
        let limits = &mut options.limits;
        limits.pages = self.max_pages.unwrap_or(limits.pages);
        limits.objects = self.max_objects.unwrap_or(limits.objects);
        limits.page_bytes = self.max_page_bytes.unwrap_or(limits.page_bytes);
        limits.bytes = self.max_bytes.unwrap_or(limits.bytes);
        limits.time = self.max_time.unwrap_or(limits.time);
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if duration > Duration::ZERO => Ok(duration),
        _ => Err("must be more than 0".to_owned()),
    }
}

/// A feed that could not be fetched, or not even be asked for.
pub(super) fn feed_failure(error: TaxiiError) -> Failure {
    let exit = if error.is_usage() { Exit::Usage } else { Exit::Feed };
    Failure::coded(exit, error.diagnostic())
}
