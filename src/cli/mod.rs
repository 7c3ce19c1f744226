//! The command line: one file per subcommand.
//!
//! Data goes to standard output, everything else to standard error.

// Its macros are known to what follows.
#[macro_use]
mod print;

#[cfg(all(feature = "store", feature = "taxii"))]
mod build;
mod check;
mod checked;
#[cfg(feature = "taxii")]
mod connection;
mod convert;
mod diff;
mod diff_markdown;
mod diff_words;
mod display;
mod exit;
mod explain;
mod fail_on;
#[cfg(feature = "taxii")]
mod fetch;
mod filter;
mod fix;
mod fmt;
mod guards;
#[cfg(all(feature = "store", feature = "taxii"))]
mod init;
mod inputs;
mod location;
mod match_;
mod progress;
mod safety;
mod sarif;
mod signals;
#[cfg(all(feature = "store", feature = "taxii"))]
mod store;
mod targets;
mod templates;
mod verify;
#[cfg(all(feature = "store", feature = "taxii"))]
mod watch;
mod why;

use std::{ffi::OsString, process::ExitCode};

use clap::{ArgAction, Args, ColorChoice, Parser, Subcommand, error::ErrorKind};

use exit::Exit;

/// Compile STIX indicators into Sigma, Suricata, YARA and blocklists, with a verdict on the meaning of each rule.
#[derive(Debug, Parser)]
#[command(name = "stixc", version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  findings at or above --fail-on
  2  usage, configuration, or an output that can't be written
  3  an input that can't be read to its end, nothing written
  4  a feed failed, or a part of an input (the rest was written)
  5  a safety stop, nothing written
  6  verification failed";

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: each refused or inexact indicator with its reasons
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// When to use colours; NO_COLOR is honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
}

// What help says of each command stands at its arguments: a comment here would hide all but its own line.
#[derive(Debug, Subcommand)]
enum Command {
    Convert(Box<convert::Convert>),
    Check(check::Check),
    Fmt(fmt::Fmt),
    Explain(explain::Explain),
    Match(match_::Match),
    Diff(diff::DiffCommand),
    Why(why::Why),
    Verify(verify::Verify),
    Targets(targets::Targets),
    Guards(guards::Guards),
    Templates(templates::Templates),
    #[cfg(feature = "taxii")]
    Fetch(Box<fetch::Fetch>),
    #[cfg(all(feature = "store", feature = "taxii"))]
    Build(build::Build),
    #[cfg(all(feature = "store", feature = "taxii"))]
    Store(store::StoreCommand),
    #[cfg(all(feature = "store", feature = "taxii"))]
    Init(init::Init),
}

impl Command {
    /// Whether it may start programs that take their time. One that watches sees to signals itself.
    fn runs_engines(&self) -> bool {
        match self {
            Self::Convert(_) | Self::Verify(_) => true,
            #[cfg(all(feature = "store", feature = "taxii"))]
            Self::Build(build) => !build.watches(),
            _ => false,
        }
    }
}

/// Runs the program with these arguments, the first being its name.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // A help text that can't be printed is nobody's to mend.
            let _ = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked { Exit::Done } else { Exit::Usage }.into();
        }
    };
    display::choose_colours(cli.global.color);
    let global = &cli.global;
    if cli.command.runs_engines() {
        signals::end_with_engines();
    }
    let exit = match &cli.command {
        Command::Convert(command) => command.run(global),
        Command::Check(command) => command.run(global),
        Command::Fmt(command) => command.run(global),
        Command::Explain(command) => command.run(),
        Command::Match(command) => command.run(global),
        Command::Diff(command) => command.run(),
        Command::Why(command) => command.run(),
        Command::Verify(command) => command.run(global),
        Command::Targets(command) => command.run(),
        Command::Guards(command) => command.run(),
        Command::Templates(command) => command.run(),
        #[cfg(feature = "taxii")]
        Command::Fetch(command) => command.run(global),
        #[cfg(all(feature = "store", feature = "taxii"))]
        Command::Build(command) => command.run(global),
        #[cfg(all(feature = "store", feature = "taxii"))]
        Command::Store(command) => command.run(global),
        #[cfg(all(feature = "store", feature = "taxii"))]
        Command::Init(command) => command.run(global),
    };
    exit.unwrap_or_else(|failure| {
        // Nobody reads any more: no failure, and nothing to say.
        if failure.exit != Exit::Done {
            display::failure(&failure);
        }
        failure.exit
    })
    .into()
}
