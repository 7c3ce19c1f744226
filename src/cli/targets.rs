//! `stixc targets`.

use clap::Args;

use crate::{
    plan::{adapt::Accept, fidelity::Fidelity, schema},
    targets::{self, TARGETS, Target, mapping::Mapping},
};

use super::exit::{Exit, Failure, unknown_target};

/// List the targets, or what each of them can hold.
#[derive(Debug, Args)]
pub(super) struct Targets {
    /// Print which property of STIX goes where, as a Markdown table
    #[arg(long)]
    matrix: bool,
}

impl Targets {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        if self.matrix {
            out!("{}", matrix()?);
            return Ok(Exit::Done);
        }
        for target in TARGETS {
            outln!("{:10} {}", target.name(), target.about());
            outln!("{:10} accepts {}", "", verdicts(target.accepts()));
            for format in target.formats() {
                outln!("{:10}   {:14} {:28} {}", "", format.name, format.path, format.about);
            }
        }
        Ok(Exit::Done)
    }
}

/// The targets with these names, each once.
pub(super) fn chosen(names: &[String]) -> Result<Vec<&'static dyn Target>, Failure> {
    let mut chosen: Vec<&'static dyn Target> = Vec::new();
    for name in names {
        let target = targets::find(name).ok_or_else(|| unknown_target(name))?;
        if !chosen.iter().any(|one| one.name() == target.name()) {
            chosen.push(target);
        }
    }
    Ok(chosen)
}

fn verdicts(accept: Accept) -> String {
    let all = [Fidelity::EXACT, Fidelity::BROADER, Fidelity::NARROWER, Fidelity::APPROXIMATE];
    let names: Vec<&str> = all.iter().filter(|one| accept.allows(**one)).map(|one| one.name()).collect();
    names.join(", ")
}

/// One row for each property of the schema, one column for each target: its data sources, or nothing.
fn matrix() -> Result<String, Failure> {
    type Loose = Mapping<toml::Value, toml::Value>;
    let read = |target: &&dyn Target| {
        Loose::read(target.mapping())
            .map_err(|error| Failure::usage(format!("mapping of {}: {error}", target.name()), ""))
    };
    let mappings = TARGETS.iter().map(read).collect::<Result<Vec<Loose>, Failure>>()?;
    let mut text = String::from("| property |");
    TARGETS.iter().for_each(|target| text.push_str(&format!(" {} |", target.name())));
    text.push_str(&format!("\n|---|{}\n", "---|".repeat(TARGETS.len())));
    let mut listed: std::collections::BTreeSet<&str> = schema::properties().map(|property| property.path).collect();
    listed.extend(mappings.iter().flat_map(Mapping::mapped));
    for property in listed {
        if !mappings.iter().any(|mapping| mapping.maps(property)) {
            continue;
        }
        text.push_str(&format!("| `{property}` |"));
        for mapping in &mappings {
            text.push_str(&format!(" {} |", mapping.data_sources_of(property).join(", ")));
        }
        text.push('\n');
    }
    Ok(text)
}
