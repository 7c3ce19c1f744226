//! One pattern through one target, in memory: `cargo run --example convert_one`.

use stixc::{
    convert::{Converter, Details, Filter, Prepared, Settings},
    output::Memory,
    targets,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let suricata = targets::find("suricata").ok_or("no such target")?;
    let settings = Settings {
        targets: vec![Prepared::new(suricata, None, None)?],
        now: "2024-06-01T00:00:00Z".parse()?,
        strict: false,
        filter: Filter::default(),
        details: Details::All,
        witnesses: false,
    };
    let mut converter = Converter::new(&settings);
    converter.pattern(
        "example",
        "[domain-name:value = 'evil.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.7']",
    );
    let mut files = Memory::default();
    let finished = converter.finish(&targets::renderer(targets::TARGETS, None)?, &mut files);
    for indicator in &finished.indicators {
        for (target, report) in &indicator.targets {
            println!("{target}: {}", report.verdict.name());
            report.losses.iter().for_each(|loss| println!("  {}: {}", loss.code, loss.message));
        }
    }
    for (path, bytes) in &files.files {
        println!("--- {path}\n{}", String::from_utf8_lossy(bytes));
    }
    Ok(())
}
