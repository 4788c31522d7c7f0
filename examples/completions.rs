//! Writes completions for shells, and the manual pages, as a release packs them.
//!
//! ```sh
//! cargo run --example completions -- DIR
//! ```

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{fs, iter};

use build_status::ci::provider::PROVIDERS;
use build_status::cli;
use clap::builder::{PossibleValuesParser, Resettable};
use clap::{Arg, Command, Parser as _, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;

#[derive(clap::Parser)]
struct Args {
    /// Where to write completions/ and man/
    dir: PathBuf,
}

fn main() -> io::Result<()> {
    let Args { dir } = Args::parse();
    let (completions, man) = (dir.join("completions"), dir.join("man"));
    fs::create_dir_all(&completions)?;
    fs::create_dir_all(&man)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell] {
        clap_complete::generate_to(shell, &mut completable(), "build_status", &completions)?;
    }
    write_pages(&man)
}

/// The words for a state that are worth a completion.
const STATES: [(&str, &str); 5] = [
    ("running", "Report INPROGRESS"),
    ("passed", "Report SUCCESSFUL"),
    ("failed", "Report FAILED"),
    ("stopped", "Report STOPPED"),
    ("auto", "Report what the CI says about the job"),
];

/// The command line as shells complete it. A state is as good as a command there: zsh finds no command
/// behind an argument that may be left out.
fn completable() -> Command {
    let whole = cli::whole();
    let options = whole.get_arguments().filter(|arg| !arg.is_positional());
    let options: Vec<_> = options.cloned().map(with_values).collect();
    let states = STATES.map(|(word, about)| Command::new(word).about(about).args(options.clone()));
    let commands: Vec<_> = whole.get_subcommands().cloned().collect();
    let names = commands.iter().map(|it| &*it.get_name().to_owned().leak()); // clap wants 'static
    let help = Command::new("help")
        .about("Print the help of a command")
        .subcommands(names.map(Command::new));
    Command::new("build_status")
        .version(env!("CARGO_PKG_VERSION"))
        .args(options)
        .disable_help_subcommand(true)
        .subcommands(states)
        .subcommands(commands.into_iter().map(|it| it.mut_args(with_values)))
        .subcommand(help)
}

/// The argument with the values or files that a shell can complete.
fn with_values(arg: Arg) -> Arg {
    let names = arg.get_value_names().unwrap_or_default();
    let is_file = names
        .iter()
        .any(|name| ["FILE", "GLOB", "PEM"].contains(&name.as_str()));
    match arg.get_id().as_str() {
        "provider" => arg.value_parser(PossibleValuesParser::new(
            PROVIDERS.iter().map(|entry| entry.info.id),
        )),
        "command" => arg.value_hint(ValueHint::CommandName),
        _ if is_file => arg.value_hint(ValueHint::FilePath),
        _ if arg.get_action().takes_values() => arg.value_hint(ValueHint::Other),
        _ => arg,
    }
}

/// The argument with its other name, which a page would leave out.
fn with_aliases(arg: Arg) -> Arg {
    let (aliases, help) = (arg.get_visible_aliases(), arg.get_help());
    match (aliases.as_deref(), help) {
        (Some([alias, ..]), Some(help)) => {
            let help = format!("{help} [alias: --{alias}]");
            arg.help(help)
        }
        _ => arg,
    }
}

/// A page for the program, and one for each command.
fn write_pages(dir: &Path) -> io::Result<()> {
    let mut root = cli::whole().disable_help_subcommand(true);
    let after = root.get_after_long_help().map(ToString::to_string);
    let after = after.unwrap_or_default();
    let (environment, exit_codes) = after
        .split_once("\n\nExit codes:\n")
        .expect("the help ends with the exit codes");
    root = root.after_long_help(Resettable::Reset);
    root = root.mut_args(with_aliases);
    root = root.mut_subcommands(|command| command.mut_args(with_aliases));
    root.build();
    for command in iter::once(&root).chain(root.get_subcommands()) {
        let page = Man::new(command.clone())
            .source(concat!("build_status ", env!("CARGO_PKG_VERSION")))
            .manual("build_status")
            .date(release_date());
        let mut file = fs::File::create(dir.join(page.get_filename()))?;
        page.render(&mut file)?;
        if command.get_name() == root.get_name() {
            section(&mut file, "ENVIRONMENT", environment)?;
            section(&mut file, "EXIT STATUS", exit_codes)?;
        } else {
            writeln!(file, ".SH SEE ALSO\n.BR build_status (1)")?;
        }
    }
    Ok(())
}

/// The date of this version's section in the changelog.
fn release_date() -> &'static str {
    let heading = concat!("\n## [", env!("CARGO_PKG_VERSION"), "] - ");
    let found = include_str!("../CHANGELOG.md").split_once(heading);
    found
        .and_then(|(_, rest)| rest.lines().next())
        .unwrap_or("unreleased")
}

/// Text whose lines stay as they are.
fn section(file: &mut fs::File, title: &str, text: &str) -> io::Result<()> {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    writeln!(file, ".SH \"{title}\"\n.nf\n{text}\n.fi")
}
