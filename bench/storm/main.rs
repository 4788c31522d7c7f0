//! A storm of reporters against a limited server: with processes, in minutes, and in virtual time,
//! with the same policy code, for what would take days. `bench/storm/run` runs it and `README.md`
//! says what came out.

#[cfg(test)]
mod claims;
mod document;
mod limit;
mod reporters;
mod rules;
mod runs;
mod scenario;
mod simulation;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;

#[derive(clap::Parser)]
struct Args {
    /// Start processes too: this binary, for about a quarter of an hour
    #[arg(long, value_name = "BUILD_STATUS")]
    binary: Option<PathBuf>,
    /// With processes, only the storms whose name has this in it, and print them only
    #[arg(long, value_name = "TEXT", requires = "binary")]
    only: Option<String>,
}

#[expect(clippy::print_stdout, reason = "it is there to print")]
fn main() -> std::io::Result<()> {
    let args = Args::parse();
    let tell = |line: &str| println!("{line}");
    if let (Some(binary), Some(only)) = (&args.binary, &args.only) {
        print!("{}", tables::storms(binary, only, &tell));
        return Ok(());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/storm/README.md");
    let mut document = fs::read_to_string(&path)?;
    if let Some(binary) = &args.binary {
        document = tables::storms(binary, "", &tell).into_place("storms", &document);
    }
    for (name, table) in [
        ("rules", tables::rules()),
        ("scale", tables::scale()),
        ("outages", tables::outages()),
        ("inprogress", tables::in_progress()),
        ("cloud", tables::cloud()),
    ] {
        document = table.into_place(name, &document);
    }
    fs::write(path, document)
}
