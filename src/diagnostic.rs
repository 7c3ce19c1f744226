//! Coded messages: what every stage says about its input.
//!
//! A code's letter names the stage: `P` syntax, `T` types, `W` lenient readings, `S` sources, `L` losses,
//! `G` guards, `R` rendering and engines. Each code is explained, with an example: in `templates/codes/`, and those that
//! only one target reports in its own folder of templates.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::span::Span;

/// A code such as `P001`. Declared once, as a constant, by the stage that reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

/// Declares an error type of which each variant has a code, a message and, where there is something to do, an instruction.
///
/// A variant is its code (with its number where it is declared here; codes that several variants share, or that are found
/// out, stand in the second form), its fields, and what to say, as in [`thiserror`]:
///
/// ```ignore
/// coded! {
///     /// Why the store can't be used.
///     #[derive(Debug)]
///     #[non_exhaustive]
///     pub enum StoreError {
///         /// Another process has it open.
///         BUSY = "S100", Busy { /** The store. */ path: String }, error("{path} is in use"), help("wait until it has ended");
///         /// The reply has a status that says what it is.
///         (reply.code()), Status { /** It. */ reply: Reply }, error("{reply}"), help(format!("ask {}", reply.server));
///     }
/// }
/// ```
///
/// Of this come the constants (`BUSY`, with the comment of the variant), the enum with `Display` and `Error`, and its methods
/// `code`, `help` and `diagnostic`. `at(span)` after the message gives the diagnostic its place. Message, instruction and
/// place may name the fields. `templates/codes/` explains each code at length; a test looks for those that it lacks.
macro_rules! coded {
    (@constant [$($about:tt)*] $code:ident []) => {};
    (@constant [$($about:tt)*]) => {};
    (@constant [$($about:tt)*] $code:ident [$number:literal]) => {
        $($about)* pub const $code: $crate::diagnostic::Code = $crate::diagnostic::Code($number);
    };
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident {$(
            $(#[$about:meta])*
            $($code:ident $(= $number:literal)?)? $(($found:expr))?,
            $variant:ident $({ $($(#[$what:meta])* $field:ident: $kind:ty),* $(,)? })?,
            error($($message:tt)*) $(, at($span:expr))? $(, help($help:expr))?;
        )*}
    ) => {
        $($crate::diagnostic::coded! { @constant [$(#[$about])*] $($code [$($number)?])? })*

        $(#[$attribute])*
        #[derive(thiserror::Error)]
        $visibility enum $name {
            $($(#[$about])* #[error($($message)*)] $variant $({ $($(#[$what])* $field: $kind),* })?,)*
        }

        #[allow(unused_variables, reason = "a variant need not use all of its fields")]
        impl $name {
            /// The code of this kind of error.
            #[must_use]
            pub fn code(&self) -> $crate::diagnostic::Code {
                match self {
                    $(Self::$variant $({ $($field),* })? => $($code)? $($found)?,)*
                }
            }

            /// What to do about it, as an instruction.
            #[must_use]
            pub fn help(&self) -> Option<String> {
                match self {
                    $(Self::$variant $({ $($field),* })? => {
                        let help: Option<String> = None;
                        $(let help = Some(String::from($help));)?
                        help
                    })*
                }
            }

            /// The same as a diagnostic, with code, message and help.
            #[must_use]
            pub fn diagnostic(&self) -> $crate::diagnostic::Diagnostic {
                let diagnostic = $crate::diagnostic::Diagnostic::error(self.code(), self.to_string());
                let diagnostic = $crate::diagnostic::Diagnostic { help: self.help(), ..diagnostic };
                match self {
                    $(Self::$variant $({ $($field),* })? => diagnostic$(.at(*$span))?,)*
                }
            }
        }
    };
}
pub(crate) use coded;

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Suspicious: read, but perhaps not as meant.
    Warning,
    /// Wrong: what it concerns was left out.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One message about one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// What kind of message this is.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// One line, without the position, in lower case and without a full stop.
    pub message: String,
    /// The bytes of the pattern (or of the file, for `S` codes) that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// What to do about it, as an instruction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic without position and help; add them with [`Diagnostic::at`] and [`Diagnostic::help`].
    #[must_use]
    pub fn new(code: Code, severity: Severity, message: impl Into<String>) -> Self {
        Self { code, severity, message: message.into(), span: None, help: None }
    }

    /// An error.
    #[must_use]
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    /// A note.
    #[must_use]
    pub fn note(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, message)
    }

    /// The same, about `span`.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// The same, with an instruction.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}[{}]: {}", self.severity, self.code, self.message)
    }
}

/// What the catalogue says about one code.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// The rule in a few words.
    pub title: String,
    /// A paragraph: what it means, why it matters, what to do.
    pub text: String,
    /// A pattern or an input that shows it.
    pub example: String,
}

impl Explanation {
    /// Reads a catalogue: a table for each code.
    ///
    /// # Errors
    /// A table that is none of an explanation.
    pub fn read(catalogue: &str) -> Result<BTreeMap<String, Self>, toml::de::Error> {
        toml::from_str(catalogue)
    }
}

/// The catalogues of the codes that are no target's own, one for each letter.
pub const CATALOGUES: [&str; 7] = [
    include_str!("../templates/codes/p.toml"),
    include_str!("../templates/codes/t.toml"),
    include_str!("../templates/codes/w.toml"),
    include_str!("../templates/codes/s.toml"),
    include_str!("../templates/codes/l.toml"),
    include_str!("../templates/codes/g.toml"),
    include_str!("../templates/codes/r.toml"),
];
