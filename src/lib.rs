#![doc = include_str!("../ARCHITECTURE.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

#[cfg(feature = "cli")]
mod cli;
#[doc(hidden)]
pub mod convert;
#[doc(hidden)]
pub mod diagnostic;
#[doc(hidden)]
pub mod evaluate;
#[doc(hidden)]
pub mod guard;
mod hex;
#[doc(hidden)]
pub mod output;
#[doc(hidden)]
pub mod pattern;
#[cfg(all(feature = "store", feature = "taxii"))]
#[doc(hidden)]
pub mod pipeline;
#[doc(hidden)]
pub mod plan;
#[doc(hidden)]
pub mod render;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod source;
#[doc(hidden)]
pub mod span;
#[doc(hidden)]
pub mod stix;
#[cfg(feature = "store")]
#[doc(hidden)]
pub mod store;
#[doc(hidden)]
pub mod targets;
#[doc(hidden)]
pub mod trace;
#[cfg(feature = "witness")]
#[doc(hidden)]
pub mod witness;

#[cfg(feature = "witness")]
pub use convert::{EngineReport, RuleReport, State, facade::prove};
pub use convert::{
    Filter,
    facade::{Conversion, ConvertError, Options, compile, convert},
};
pub use diagnostic::{Code, Diagnostic, Explanation, Severity};
pub use evaluate::{EvaluateError, Evaluator, Match, Observations};
pub use pattern::{ParseErrors, Pattern, parse};
pub use plan::{
    Plan,
    adapt::Accept,
    fidelity::{Fidelity, Loss},
    lower::{Lowering, lower},
};
pub use report::{IndicatorReport, Report, Status, Summary, TargetReport, Verdict};
pub use span::Span;
pub use stix::{Timestamp, Tlp};
pub use targets::explain;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub use cli::run;

/// What a target outside this crate is made of.
pub mod backend {
    pub use crate::{
        output::EmitError,
        plan::{
            Operator, Test,
            adapt::{Adapted, CASE, Capabilities, Fit, NO_OPERATOR, NO_PLACE, NO_VALUE, adapt},
        },
        targets::{
            contract::{
                AnyBackend, Backend, Content, Emission, Format, Lowered, Options, Origin, Refusal, Rule, Target, view,
            },
            digest::Digest,
            mapping::{Mapping, MappingError, NoKeys},
            record::{EmittedRule, EntriesRecord, Record, RuleRecord},
            rule_file::RuleFile,
        },
    };
}

/// What proves the rules of such a target: how observations look to its engine, and how that is run.
#[cfg(feature = "witness")]
pub mod proof {
    pub use crate::{
        targets::{
            program::EngineError,
            proof::{AnyEngine, Engine, EngineRun, Exported, Exporter, File, Quiet, Tested, export},
        },
        witness::{Sighting, TestPattern, Witness, files, index::PatternCases},
    };
}
