//! The command line, and the variables of its options.
//!
//! clap reads the variables of `build_status`; envy, in [`crate::ci`], reads those of the CI.

mod commands;
mod options;
mod suggestion;
mod values;
mod variables;

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use self::commands::{COMMANDS, Shape};
pub(crate) use self::commands::{Command, SyncArgs};
pub use self::options::{
    BuildArgs, CredentialsArgs, DestinationArgs, NetworkArgs, Options, PrintArgs, TestsArgs,
};
pub(crate) use self::suggestion::{meant_variable, nearest_word};
pub(crate) use self::values::{Jobs, Method, Output};
pub use self::variables::Origins;
use crate::error::Error;

/// A command line that has been read.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// The command, with the arguments that only it takes.
    pub(crate) command: Command,
    /// The options, from the command line or from variables.
    pub(crate) options: Options,
}

/// Why the program ends before it runs a command.
#[derive(Debug, PartialEq)]
pub enum EarlyExit {
    /// Help or version, to be printed on stdout.
    Print(String),
    /// A bad command line or variable.
    Fail(Error),
}

impl Args {
    /// Reads the arguments, the program's name first, and the variables of the options.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, EarlyExit> {
        let mut words = without_help_command(words.into_iter().collect())?;
        refuse_misplaced(&words)?;
        let is_function = is_function(&words);
        if is_function {
            words.push("event".into());
        }
        let shape = Shape::called(&words);
        let mut command = shape.declare();
        let matches = command.try_get_matches_from_mut(&words);
        let mut matches = matches.map_err(|error| early_exit(shape, &words, &error))?;
        if let Some((_, of_subcommand)) = matches.remove_subcommand() {
            matches = of_subcommand;
        }
        let (origins, mut unusable) = variables::judge(&matches);
        let command = Command::read(shape, &matches, &mut unusable);
        let command = match command.map_err(|error| early_exit(shape, &words, &error))? {
            Command::Event { .. } if is_function => Command::Function,
            command => command,
        };
        let options = shape.options(matches, origins);
        let options = options.map_err(|error| early_exit(shape, &words, &error))?;
        match unusable.into_iter().next() {
            Some(error) => Err(EarlyExit::Fail(error)),
            None => Ok(Self { command, options }),
        }
    }
}

/// Whether we are called as Lambda calls the `bootstrap` of a function: without a word.
#[must_use]
pub fn is_function(words: &[OsString]) -> bool {
    let program = words.first().map(Path::new).and_then(Path::file_name);
    let is_bootstrap = program.is_some_and(|name| name == "bootstrap");
    // CodeBuild may run its builds on Lambda: there it is a job like any other.
    let in_lambda =
        variables::is_set("AWS_LAMBDA_RUNTIME_API") && !variables::is_set("CODEBUILD_BUILD_ID");
    words.len() <= 1 && (is_bootstrap || in_lambda)
}

/// The whole command line, for completions and manual pages. The program declares only what it is
/// called with.
#[must_use]
pub fn whole() -> clap::Command {
    commands::whole()
}

/// Refuses what belongs into variables, without repeating it: it may be a secret.
fn refuse_misplaced(words: &[OsString]) -> Result<(), EarlyExit> {
    let own = words.iter().skip(1).take_while(|word| *word != "--");
    for word in own.filter_map(|word| word.to_str()) {
        let name = word.split_once('=').map_or("", |(name, _)| name);
        let is_variable = name.starts_with("BITBUCKET_") || name.starts_with("BUILD_STATUS");
        let (message, hint) = if is_variable {
            let hint = "variables go before the command: BUILD_STATUS=passed build_status";
            (format!("{name}=… is a variable, not an argument"), hint)
        } else if word.len() > 30 && TOKENS.iter().any(|prefix| word.starts_with(prefix)) {
            // What is shorter may be a branch, such as BBDC-12-fix.
            ("an argument looks like a token".to_owned(), CREDENTIALS)
        } else {
            continue;
        };
        return Err(EarlyExit::Fail(Error::Usage {
            message,
            hint: Some(hint),
        }));
    }
    Ok(())
}

/// What Atlassian's tokens begin with.
const TOKENS: [&str; 4] = ["ATATT", "ATCTT", "ATBB", "BBDC-"];

/// Where secrets belong.
const CREDENTIALS: &str = "credentials are read from variables only, because other users of the \
                           machine can see command lines: set BITBUCKET_ACCESS_TOKEN (and, for an \
                           API token, BITBUCKET_USERNAME)";

/// `build_status help run` is `build_status run --help`.
fn without_help_command(mut words: Vec<OsString>) -> Result<Vec<OsString>, EarlyExit> {
    if words.get(1).is_none_or(|word| word != "help") {
        return Ok(words);
    }
    words.remove(1);
    words.truncate(2);
    if let Some(word) = words.get(1).map(|word| word.to_string_lossy()) {
        let is_known = |shape: &Shape| shape.name() == Some(&*word);
        if !COMMANDS.iter().any(is_known) {
            let meant = nearest_word(&word).unwrap_or("help");
            return Err(EarlyExit::Fail(Error::Usage {
                message: format!("`{word}` is not a command; did you mean `{meant}`?"),
                hint: Some("build_status --help lists all commands"),
            }));
        }
    }
    words.push("--help".into());
    Ok(words)
}

/// Whether the output is to be JSON, for errors in a command line that clap cannot read.
pub fn asks_for_json(words: &[OsString], variable: Option<&str>) -> bool {
    let is_pair = |pair: &[OsString]| pair[0] == "--output" && pair[1] == "json";
    words.windows(2).any(is_pair)
        || words.iter().any(|word| word == "--output=json")
        || variable == Some("json")
}

/// Turns an error of clap's into [`EarlyExit`]. Its text stays: it names the option and its values.
fn early_exit(shape: &Shape, words: &[OsString], error: &clap::Error) -> EarlyExit {
    match error.kind() {
        ErrorKind::DisplayHelp => return EarlyExit::Print(shape.help(words)),
        ErrorKind::DisplayVersion => return EarlyExit::Print(error.render().to_string()),
        _ => {}
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let lines = text
        .lines()
        .map(str::trim_end)
        // Nothing that begins with a dash is an argument of ours.
        .filter(|line| !line.is_empty() && !line.contains("as a value, use '-- "));
    EarlyExit::Fail(Error::Usage {
        message: lines.collect::<Vec<_>>().join("\n"),
        hint: is_about_credentials(error).then_some(CREDENTIALS),
    })
}

/// Whether an unknown option looks like one for a secret or a user name.
fn is_about_credentials(error: &clap::Error) -> bool {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else {
        return false;
    };
    error.kind() == ErrorKind::UnknownArgument
        && ["token", "password", "user", "secret", "client-id"]
            .iter()
            .any(|word| option.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Args, EarlyExit> {
        let words = std::iter::once("build_status").chain(words.iter().copied());
        Args::read(words.map(OsString::from))
    }

    #[test]
    fn the_commands_are_consistent() {
        for shape in COMMANDS {
            shape.declare().debug_assert();
        }
    }

    #[test]
    fn what_belongs_into_a_variable_is_refused_and_not_repeated() {
        for word in [
            "ATCTT3xFfGN0abcdefghijklmnopqrstuvwxyz",
            "BITBUCKET_ACCESS_TOKEN=hunter2",
            "BUILD_STATUS=passed",
        ] {
            let Err(EarlyExit::Fail(error)) = read(&["passed", word]) else {
                panic!("{word} is an argument");
            };
            let text = error.to_string();
            assert!(!text.contains("3x") && !text.contains("hunter2"), "{text}");
            assert!(error.hint().is_some_and(|hint| hint.contains("variables")));
        }
        read(&["run", "--", "sh", "-c", "BUILD_STATUS=1"]).unwrap();
        // The key of an issue is no token.
        read(&["passed", "--refname", "BBDC-12-fix"]).unwrap();
    }

    #[test]
    fn a_state_and_a_command_are_told_apart() {
        let state = |args: Args| match args.command {
            Command::Send { state } => state,
            other => panic!("{other:?}"),
        };
        assert_eq!(state(read(&["passed"]).unwrap()).as_deref(), Some("passed"));
        assert_eq!(state(read(&["--key", "run"]).unwrap()), None);
        let context = read(&["context", "--output", "json"]).unwrap();
        assert_eq!(
            (context.command, context.options.print.output),
            (Command::Context, Output::Json)
        );
    }

    #[test]
    fn an_option_that_may_be_empty_keeps_its_empty_argument() {
        let args = read(&["--refname", ""]).unwrap();
        assert_eq!(args.options.build.refname.as_deref(), Some(""));
    }

    #[test]
    fn credentials_are_no_options_and_the_message_names_the_variable() {
        for option in ["--token", "--access-token", "--username", "--password"] {
            let Err(EarlyExit::Fail(error)) = read(&[option, "s3cr3t"]) else {
                panic!("{option} is an option");
            };
            assert!(
                error.hint().unwrap().contains("BITBUCKET_ACCESS_TOKEN"),
                "{option}"
            );
        }
    }
}
