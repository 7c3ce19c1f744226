//! One pattern through one target, in memory: `cargo run --example convert_one`.

use stixc::{Options, compile};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::new("2024-06-01T00:00:00Z".parse()?).target("suricata");
    let pattern = "[domain-name:value = 'evil.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.7']";
    let conversion = compile(pattern, &options)?;
    for indicator in conversion.report().indicators {
        for (target, report) in &indicator.targets {
            println!("{target}: {}", report.verdict.name());
            report.losses.iter().for_each(|loss| println!("  {}: {}", loss.code, loss.message));
        }
    }
    for (path, bytes) in &conversion.files {
        println!("--- {path}\n{}", String::from_utf8_lossy(bytes));
    }
    Ok(())
}
