//! How the command line says who the client is, by which way it goes, and where it stops.

use std::{convert::Infallible, path::PathBuf, time::Duration};

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::source::taxii::{Auth, FetchOptions, Log, Proxy, Secret, TaxiiError, Version, connection_options};

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
}

macro_rules! arguments {
    ($($heading:literal {$(
        $(#[$help:meta])* $name:ident: $type:ty as $raw:ty, $read:ident, [$($clap:tt)*], $kinds:ident, $($place:ident).+;
    )*})*) => {
        /// By which way to go, and where to stop whatever the server says.
        #[derive(Debug, Args)]
        pub(super) struct Connection {
            $($($(#[$help])* #[arg(long, help_heading = $heading, $($clap)*)] $name: Option<$type>,)*)*
        }

        impl Connection {
            pub(super) fn apply(&self, options: &mut FetchOptions) {
                $($(if let Some(value) = self.$name.clone() {
                    options.$($place).+ = value.into();
                })*)*
            }
        }
    };
}
connection_options!(arguments);

impl Credentials {
    pub(super) fn auth(&self) -> Result<Auth, Failure> {
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

/// Who is told of each request, as often as `-v` is given.
pub(super) fn log(global: &Global) -> Option<Log> {
    let log = || Log::new(global.verbose > 1, |line| errln!("{}", display::visible(line)));
    (global.verbose > 0).then(log)
}

fn proxy(text: &str) -> Result<Proxy, Infallible> {
    Ok(text.into())
}

fn versions() -> impl TypedValueParser<Value = Version> {
    PossibleValuesParser::new(Version::NAMES).try_map(|name| Version::from_name(&name).ok_or("not known"))
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
