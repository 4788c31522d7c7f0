//! The command line, and the variables that stand for options.
//!
//! clap reads ours, envy reads the CI's.

mod options;

use std::borrow::Cow;
use std::ffi::OsString;
use std::mem::take;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser};

pub use self::options::{
    BehaviourArgs, BuildArgs, CheckArgs, Command, ContextArgs, CredentialsArgs, DestinationArgs,
    Method, NetworkArgs, Output, PrintArgs, ReportArgs, RunArgs, ShowArgs, TestsArgs,
};
use crate::env::Env;
use crate::error::Error;

/// Tell Bitbucket how this CI job went.
///
/// Reads the CI's environment and sets a build status on the commit: INPROGRESS, SUCCESSFUL, FAILED
/// or STOPPED, with a link to the job.
#[derive(Clone, Debug, PartialEq, Parser)]
#[command(
    verbatim_doc_comment,
    name = "build_status",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_long_help = AFTER_HELP,
)]
pub struct Args {
    /// What to do instead of reporting.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to report, and where to.
    #[command(flatten)]
    pub report: ReportArgs,
}

const AFTER_HELP: &str = "\
Credentials are read from variables only:
  BITBUCKET_ACCESS_TOKEN                         an access token (Cloud) or HTTP access token (Data
                                                 Center): sent as Bearer
  BITBUCKET_ACCESS_TOKEN + BITBUCKET_USERNAME    an API token and its account's email (Cloud), or a
                                                 password and its user (Data Center): sent as Basic
  BITBUCKET_CLIENT_ID + BITBUCKET_CLIENT_SECRET  an OAuth consumer (Cloud): exchanged for a token
BITBUCKET_ACCESS_TOKEN_FILE, BITBUCKET_CLIENT_ID_FILE and BITBUCKET_CLIENT_SECRET_FILE name files
that hold them.

Exit codes:
  0  accepted by Bitbucket, or dry run printed
  1  anything else: unreadable file, stdout closed, a bug
  2  usage or configuration
  3  nothing to report: no commit, URL or state known
  4  refused: 3xx, 4xx, an answer that is not Bitbucket's
  5  not reached, or failing, after the retries";

/// Which values came from variables, so that a message can name what to mend.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origins(Vec<(String, String)>);

impl Origins {
    /// The variable that the option came from, if it did.
    pub fn variable(&self, option: &str) -> Option<&str> {
        let found = self.0.iter().find(|(id, _)| id == option);
        found.map(|(_, variable)| variable.as_str())
    }

    /// How to call the option in a message: by its variable, if it came from there.
    pub fn name(&self, option: &str) -> String {
        match self.variable(option) {
            Some(variable) => variable.to_owned(),
            None => format!("--{}", option.replace('_', "-")),
        }
    }
}

/// What clap has to say instead of arguments.
#[derive(Debug, PartialEq)]
pub enum Stop {
    /// Help or version, for stdout.
    Print(String),
    /// A bad command line or variable.
    Fail(Error),
}

impl Args {
    /// Reads the arguments, the program's name first, and the variables that stand for options.
    pub fn read(words: impl IntoIterator<Item = OsString>, env: &Env) -> Result<Self, Stop> {
        let words: Vec<OsString> = words.into_iter().collect();
        let mut env = Cow::Borrowed(env);
        let mut ignored = Vec::new();
        loop {
            let read = Self::read_once(&words, &env);
            // A variable that is about reporting keeps no command from running.
            let is_run = words.get(1).is_some_and(|word| word == "run");
            match read {
                Err(Stop::Fail(error)) if is_run => match error.variable() {
                    Some(variable) if env.get(variable).is_some() => {
                        ignored.push(format!("{variable} is left out: {}", first_line(&error)));
                        env = Cow::Owned(env.into_owned().without(variable));
                    }
                    _ => return Err(Stop::Fail(error)),
                },
                Ok(mut args) => {
                    if let Some(Command::Run(args)) = &mut args.command {
                        args.ignored = ignored;
                    }
                    return Ok(args);
                }
                stop => return stop,
            }
        }
    }

    fn read_once(words: &[OsString], env: &Env) -> Result<Self, Stop> {
        let mut command = with_variables(Self::command(), env).map_err(Stop::Fail)?;
        // Only the one that is called, which comes first: each has dozens of options.
        let first = words.get(1).and_then(|word| word.to_str());
        if let Some(subcommand) = first.and_then(|name| command.find_subcommand_mut(name)) {
            *subcommand = with_variables(take(subcommand), env).map_err(Stop::Fail)?;
        }
        let parsed = command.try_get_matches_from_mut(words).and_then(|matches| {
            let mut read = Self::from_arg_matches(&matches)?;
            read.report.origins = origins(&command, &matches);
            let of_subcommand = matches
                .subcommand()
                .and_then(|(name, matches)| Some(origins(command.find_subcommand(name)?, matches)));
            match &mut read.command {
                Some(Command::Run(args)) => args.origins = of_subcommand.unwrap_or_default(),
                Some(Command::Check(args)) => args.origins = of_subcommand.unwrap_or_default(),
                Some(Command::Show(args)) => args.origins = of_subcommand.unwrap_or_default(),
                Some(Command::Context(_)) | None => {}
            }
            Ok(read)
        });
        parsed.map_err(|error| stop(&command, words, &error))
    }
}

fn first_line(error: &Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

/// The command as it is written. Help shows the names of variables, not what they hold.
fn pristine() -> clap::Command {
    let hide = |arg: clap::Arg| arg.hide_env_values(true);
    let command = Args::command().mut_args(hide);
    let names = names_of_subcommands(&command);
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |subcommand| subcommand.mut_args(hide))
    })
}

fn names_of_subcommands(command: &clap::Command) -> Vec<String> {
    let names = command.get_subcommands().map(|it| it.get_name().to_owned());
    names.collect()
}

/// `command`, with its variables as they count: clap takes an empty variable for a value, and knows
/// one variable for an option.
fn with_variables(command: clap::Command, env: &Env) -> Result<clap::Command, Error> {
    let mut not_text = None;
    let command = command.mut_args(|arg| {
        let Some(first) = arg.get_env().and_then(|name| name.to_str()) else {
            return arg;
        };
        let second = match first {
            "BUILD_STATUS_KEY" => Some("BUILD_KEY"),
            "BUILD_STATUS_CA_FILE" => Some("SSL_CERT_FILE"),
            _ => None,
        };
        let is_text = |value: &str| !value.contains('\u{fffd}');
        match (
            env.get(first),
            second.and_then(|name| Some((name, env.get(name)?))),
        ) {
            (Some(value), _) => {
                if !is_text(value) {
                    not_text = Some(first.to_owned());
                }
                arg
            }
            (None, Some((second, value))) => {
                if !is_text(value) {
                    not_text = Some(second.to_owned());
                }
                arg.env(second)
            }
            (None, None) => arg.env(Resettable::Reset),
        }
    });
    match not_text {
        None => Ok(command),
        Some(variable) => Err(Error::Setting {
            origin: variable,
            problem: "it is not UTF-8".into(),
            hint: None,
        }),
    }
}

fn origins(command: &clap::Command, matches: &ArgMatches) -> Origins {
    let came_from_one = |arg: &&clap::Arg| {
        matches.value_source(arg.get_id().as_str()) == Some(ValueSource::EnvVariable)
    };
    let pair = |arg: &clap::Arg| {
        let variable = arg.get_env()?.to_str()?.to_owned();
        Some((arg.get_id().to_string(), variable))
    };
    Origins(
        command
            .get_arguments()
            .filter(came_from_one)
            .filter_map(pair)
            .collect(),
    )
}

/// Turns clap's error into ours. Its text is kept: it names the option and what it takes.
fn stop(command: &clap::Command, argv: &[OsString], error: &clap::Error) -> Stop {
    match error.kind() {
        ErrorKind::DisplayHelp => {
            // From the command as written: the one in use has no variables that are unset.
            let help = pristine().try_get_matches_from(argv).err();
            let help =
                help.map_or_else(|| error.render().to_string(), |it| it.render().to_string());
            return Stop::Print(help);
        }
        ErrorKind::DisplayVersion => return Stop::Print(error.render().to_string()),
        _ => {}
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let message = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n");
    Stop::Fail(Error::Usage {
        message,
        variable: variable_at_fault(command, argv, error),
    })
}

/// The variable that an invalid value came from: clap names the option in any case.
fn variable_at_fault(
    command: &clap::Command,
    argv: &[OsString],
    error: &clap::Error,
) -> Option<String> {
    let ContextValue::String(at_fault) = error.get(ContextKind::InvalidArg)? else {
        return None;
    };
    let called = argv.get(1).and_then(|word| command.find_subcommand(word));
    let arg = called
        .unwrap_or(command)
        .get_arguments()
        .find(|arg| arg.to_string() == *at_fault)?;
    let option = format!("--{}", arg.get_long()?);
    let typed = argv.iter().filter_map(|word| word.to_str()).any(|word| {
        word.strip_prefix(&option)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    });
    let variable = arg.get_env()?.to_str()?.to_owned();
    (!typed).then_some(variable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Args, Stop> {
        let argv = std::iter::once("build_status").chain(words.iter().copied());
        Args::read(argv.map(OsString::from), &Env::default())
    }

    #[test]
    fn the_command_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_state_and_a_command_are_told_apart() {
        assert_eq!(
            read(&["passed"]).unwrap().report.state.as_deref(),
            Some("passed")
        );
        let context = read(&["context", "--output", "json"])
            .unwrap()
            .command
            .unwrap();
        assert!(matches!(
            context,
            Command::Context(ContextArgs {
                output: Output::Json,
                ..
            })
        ));
    }

    #[test]
    fn an_option_that_may_be_empty_keeps_its_empty_argument() {
        let args = read(&["--refname", ""]).unwrap();
        assert_eq!(args.report.build.refname.as_deref(), Some(""));
    }

    #[test]
    fn credentials_are_no_options() {
        for option in ["--token", "--access-token", "--username", "--password"] {
            assert!(read(&[option, "s3cr3t"]).is_err());
        }
    }
}
