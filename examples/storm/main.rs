//! A storm of reporters against a limited server: with processes, in minutes, and in virtual time,
//! with the same policy code, for what would take days. `bench/storm` runs it and `bench/storm.md`
//! says what came out.

#[cfg(test)]
mod claims;
mod curves;
mod document;
mod limit;
mod plot;
mod reporters;
mod rules;
mod runs;
mod scenario;
mod simulation;
mod tables;

use std::fs;
use std::path::PathBuf;

use clap::Parser as _;

#[derive(clap::Parser)]
struct Args {
    /// Where the tables go, and the plots beside it
    #[arg(long, default_value = "bench/storm.md")]
    document: PathBuf,
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
    let mut document = fs::read_to_string(&args.document)?;
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
    fs::write(&args.document, document)?;
    let plot = |name| args.document.with_file_name(name);
    fs::write(plot("storm-jobs.svg"), curves::jobs())?;
    fs::write(plot("storm-outage.svg"), curves::outage_lengths())
}
