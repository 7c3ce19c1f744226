//! Patterns a second: stixc beside the other parsers of STIX patterns in Rust, over the same patterns, in turns.
//!
//!     cargo run --release --manifest-path tests/bench/peers/Cargo.toml -- [--write FOLDER] [FILE…]
//!
//! Each FILE holds a pattern a line. Two more files are made: 10,000 patterns with one comparison and 2,000 with
//! many; `--write` keeps them, for the timing of parsers in other languages. Every parser reads a whole file in each of
//! 15 rounds, one after the other, and its best round counts. A file is counted twice: all of its patterns, and those
//! that each parser accepts.

mod generate;

use std::{
    env, fs,
    hint::black_box,
    path::PathBuf,
    time::{Duration, Instant},
};

const ROUNDS: usize = 15;

/// A parser: its name, and whether it accepts a pattern.
type Parser = (&'static str, fn(&str) -> bool);

const PARSERS: [Parser; 4] = [
    ("stixc", |text| black_box(stixc::pattern::parse(text)).is_ok()),
    ("stix-pattern 0.2.0", |text| black_box(stix_pattern::parse(text)).is_ok()),
    ("rstix 0.23.0 parse_ast", |text| black_box(rstix::pattern::parse_ast(text)).is_ok()),
    ("rstix 0.23.0 Pattern", |text| black_box(rstix::pattern::Pattern::parse(text)).is_ok()),
];

fn main() -> std::io::Result<()> {
    let mut files = Vec::new();
    let mut folder = None;
    let mut arguments = env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--write" {
            folder = arguments.next().map(PathBuf::from);
        } else {
            let name = PathBuf::from(&argument)
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            let lines = fs::read_to_string(&argument)?.lines().map(str::to_owned).collect::<Vec<_>>();
            files.push((name, lines));
        }
    }
    files.push(("simple".to_owned(), generate::simple(10_000)));
    files.push(("complex".to_owned(), generate::complex(2_000)));
    if let Some(folder) = folder {
        fs::create_dir_all(&folder)?;
        for (name, patterns) in &files[files.len() - 2..] {
            fs::write(folder.join(format!("{name}.txt")), patterns.join("\n") + "\n")?;
        }
    }
    println!("| file | patterns | parser | accepted | patterns/s | stixc is faster by |");
    println!("|---|---|---|---|---|---|");
    for (name, patterns) in &files {
        measure(name, patterns);
        let common: Vec<String> =
            patterns.iter().filter(|text| PARSERS[..3].iter().all(|(_, accepts)| accepts(text))).cloned().collect();
        if common.len() < patterns.len() {
            measure(&format!("{name}, accepted by all"), &common);
        }
    }
    Ok(())
}

/// Prints a row for each parser.
fn measure(name: &str, patterns: &[String]) {
    let mut best = [Duration::MAX; PARSERS.len()];
    let mut accepted = [0; PARSERS.len()];
    for _ in 0..ROUNDS {
        for (index, (_, accepts)) in PARSERS.iter().enumerate() {
            let start = Instant::now();
            accepted[index] = patterns.iter().filter(|text| accepts(text)).count();
            best[index] = best[index].min(start.elapsed());
        }
    }
    for (index, (parser, _)) in PARSERS.iter().enumerate() {
        let rate = patterns.len() as f64 / best[index].as_secs_f64();
        let ratio = best[index].as_secs_f64() / best[0].as_secs_f64();
        println!("| {name} | {} | {parser} | {} | {rate:.0} | {ratio:.2} |", patterns.len(), accepted[index]);
    }
}
