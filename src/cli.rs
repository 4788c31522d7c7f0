//! The command line, and the variables that stand for options.
//!
//! clap reads ours, envy reads the CI's. How options are written here: a doc comment's first
//! paragraph is the short help, the rest the long one; every option has a variable and an upper-case
//! value name; credentials have variables only, because a command line is seen by everybody.

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::{BoolishValueParser, Resettable};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

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

/// The commands beside reporting.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Command {
    /// Report INPROGRESS, run a command, report how it ended
    ///
    /// The command starts at once, with its streams, environment and directory untouched, and its
    /// exit code is ours: 128+n for a signal, 127 if it is not found, 126 if it cannot be executed. A
    /// report that cannot be delivered is a warning.
    #[command(verbatim_doc_comment)]
    Run(RunArgs),
    /// Test configuration, credentials, repository and commit; changes nothing
    Check(CheckArgs),
    /// List the build statuses that the commit has
    Show(ShowArgs),
    /// Print what was read from this CI; needs no network and no credentials
    Context(ContextArgs),
}

/// Options of `build_status run`.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct RunArgs {
    /// What the status says.
    #[command(flatten, next_help_heading = "Build")]
    pub build: BuildArgs,
    /// What the tests say.
    #[command(flatten, next_help_heading = "Build")]
    pub tests: TestsArgs,
    /// Where it goes.
    #[command(flatten, next_help_heading = "Destination")]
    pub destination: DestinationArgs,
    /// Who sends it.
    #[command(flatten, next_help_heading = "Credentials")]
    pub credentials: CredentialsArgs,
    /// How it gets there.
    #[command(flatten, next_help_heading = "Network")]
    pub network: NetworkArgs,
    /// Exit with 4 or 5 if the command passes and its end cannot be reported
    #[arg(
        long,
        env = "BUILD_STATUS_STRICT",
        value_parser = BoolishValueParser::new(),
        help_heading = "Behaviour"
    )]
    pub strict: bool,
    /// What is printed.
    #[command(flatten, next_help_heading = "Behaviour")]
    pub print: PrintArgs,
    /// The command, and what follows it
    #[arg(last = true, required = true, value_name = "COMMAND", help_heading = None)]
    pub command: Vec<OsString>,
    /// Which of the values came from variables.
    #[arg(skip)]
    pub origins: Origins,
}

/// What the tests say.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct TestsArgs {
    /// JUnit XML files to count tests in; may be given more than once
    ///
    /// The counts go into the description, and to Data Center as testResults. The variable may have
    /// several patterns with commas between them.
    #[arg(
        long,
        env = "BUILD_STATUS_JUNIT",
        value_name = "GLOB",
        value_delimiter = ',',
        verbatim_doc_comment
    )]
    pub junit: Vec<String>,
}

/// Options of `build_status check`: those of a report, which it does not send.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct CheckArgs {
    /// What a report would say.
    #[command(flatten, next_help_heading = "Build")]
    pub build: BuildArgs,
    /// Where it would go.
    #[command(flatten, next_help_heading = "Destination")]
    pub destination: DestinationArgs,
    /// Who would send it.
    #[command(flatten, next_help_heading = "Credentials")]
    pub credentials: CredentialsArgs,
    /// How it would get there.
    #[command(flatten, next_help_heading = "Network")]
    pub network: NetworkArgs,
    /// What is printed.
    #[command(flatten, next_help_heading = "Behaviour")]
    pub print: PrintArgs,
    /// Which of the values came from variables.
    #[arg(skip)]
    pub origins: Origins,
}

/// Options of `build_status show`.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct ShowArgs {
    /// The commit [default: the CI's; in a pull request, its head]
    #[arg(long, env = "BUILD_STATUS_COMMIT", value_name = "SHA")]
    pub commit: Option<String>,
    /// The CI to read, instead of the one detected
    #[arg(long, env = "BUILD_STATUS_PROVIDER", value_name = "ID")]
    pub provider: Option<String>,
    /// Where to look.
    #[command(flatten, next_help_heading = "Destination")]
    pub destination: DestinationArgs,
    /// Who looks.
    #[command(flatten, next_help_heading = "Credentials")]
    pub credentials: CredentialsArgs,
    /// How it gets there.
    #[command(flatten, next_help_heading = "Network")]
    pub network: NetworkArgs,
    /// What is printed.
    #[command(flatten, next_help_heading = "Behaviour")]
    pub print: PrintArgs,
    /// Which of the values came from variables.
    #[arg(skip)]
    pub origins: Origins,
}

/// Options of `build_status context`.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct ContextArgs {
    /// The CI to read, instead of the one detected
    #[arg(long, env = "BUILD_STATUS_PROVIDER", value_name = "ID")]
    pub provider: Option<String>,
    /// How to print
    #[arg(
        long,
        env = "BUILD_STATUS_OUTPUT",
        value_name = "FORMAT",
        value_enum,
        default_value_t
    )]
    pub output: Output,
}

/// Options of a report.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct ReportArgs {
    /// running, passed, failed, stopped or auto
    ///
    /// In any case, one of
    ///   running pending started inprogress in_progress
    ///   passed success successful succeeded
    ///   failed failure error errored timedout timed_out unstable
    ///   stopped canceled cancelled aborted skipped not_built
    ///
    /// auto, or no word at all, takes what the CI says. That is how the job stands so far, and so
    /// right in the last step only: GitLab's after_script, the finally of CodeBuild's post_build.
    #[arg(env = "BUILD_STATUS", value_name = "STATE", verbatim_doc_comment)]
    pub state: Option<String>,
    /// What the status says.
    #[command(flatten, next_help_heading = "Build")]
    pub build: BuildArgs,
    /// What the tests say.
    #[command(flatten, next_help_heading = "Build")]
    pub tests: TestsArgs,
    /// Where it goes.
    #[command(flatten, next_help_heading = "Destination")]
    pub destination: DestinationArgs,
    /// Who sends it.
    #[command(flatten, next_help_heading = "Credentials")]
    pub credentials: CredentialsArgs,
    /// How it gets there.
    #[command(flatten, next_help_heading = "Network")]
    pub network: NetworkArgs,
    /// What else happens.
    #[command(flatten, next_help_heading = "Behaviour")]
    pub behaviour: BehaviourArgs,
    /// What is printed.
    #[command(flatten, next_help_heading = "Behaviour")]
    pub print: PrintArgs,
    /// Which of the values came from variables.
    #[arg(skip)]
    pub origins: Origins,
}

/// What the status says.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct BuildArgs {
    /// What tells this status apart from others on the commit
    ///
    /// A later report with the same key overwrites it. The default is ci/, the CI and the job's
    /// name. A key longer than Bitbucket takes (Cloud: 40 characters) is cut and ends in a hash.
    /// The variable BUILD_KEY is read too.
    #[arg(
        long,
        env = "BUILD_STATUS_KEY",
        value_name = "KEY",
        verbatim_doc_comment
    )]
    pub key: Option<String>,
    /// The text of the link [default: the job's name and the build's number]
    #[arg(long, env = "BUILD_STATUS_NAME", value_name = "NAME")]
    pub name: Option<String>,
    /// What happened [default: a sentence for the state]
    #[arg(long, env = "BUILD_STATUS_DESCRIPTION", value_name = "TEXT")]
    pub description: Option<String>,
    /// Where the link leads [default: the job's page]
    #[arg(long, env = "BUILD_STATUS_URL", value_name = "URL")]
    pub url: Option<String>,
    /// The commit [default: the CI's; in a pull request, its head]
    #[arg(long, env = "BUILD_STATUS_COMMIT", value_name = "SHA")]
    pub commit: Option<String>,
    /// The branch or tag [default: the CI's; in a pull request, its source]
    ///
    /// Bitbucket shows the status in pull requests from that branch. An empty argument means none.
    #[arg(
        long,
        env = "BUILD_STATUS_REFNAME",
        value_name = "REF",
        verbatim_doc_comment
    )]
    pub refname: Option<String>,
    /// The CI to read, instead of the one detected
    #[arg(long, env = "BUILD_STATUS_PROVIDER", value_name = "ID")]
    pub provider: Option<String>,
}

/// Where the status goes.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct DestinationArgs {
    /// The repository on Bitbucket [default: what the CI or the git remote says]
    #[arg(long, env = "BITBUCKET_REPOSITORY", value_name = "[WORKSPACE/]REPO")]
    pub repository: Option<String>,
    /// The workspace that it is in [default: what the CI or the git remote says]
    #[arg(
        long,
        visible_alias = "project",
        env = "BITBUCKET_NAMESPACE",
        value_name = "WORKSPACE"
    )]
    pub workspace: Option<String>,
    /// Bitbucket Cloud's API [default: https://api.bitbucket.org/2.0]
    #[arg(long, env = "BITBUCKET_API_ROOT", value_name = "URL")]
    pub api_root: Option<String>,
    /// A Bitbucket Data Center, context path included; without it, Bitbucket Cloud
    ///
    /// A clone URL with /scm/ that the CI gives says it too.
    #[arg(
        long,
        env = "BITBUCKET_SERVER_URL",
        value_name = "URL",
        verbatim_doc_comment
    )]
    pub server_url: Option<String>,
    /// The build that "Required builds" on Data Center ask for [default: the key]
    #[arg(long, env = "BUILD_STATUS_PARENT", value_name = "KEY")]
    pub parent: Option<String>,
}

/// Who sends it. The credentials themselves are read in [`crate::auth`].
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct CredentialsArgs {
    /// How to send the credentials, instead of by their kind
    #[arg(long, env = "BITBUCKET_AUTH", value_name = "METHOD", value_enum)]
    pub auth: Option<Method>,
}

/// A way to send credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// A user name and a password or token
    Basic,
    /// A token alone
    Bearer,
    /// An OAuth consumer's key and secret, which are exchanged for a token
    #[value(name = "oauth")]
    OAuth,
}

/// How the request gets there.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct NetworkArgs {
    /// How long everything together may take, retries included
    #[arg(
        long,
        env = "BUILD_STATUS_TIMEOUT",
        value_name = "SECONDS",
        default_value = "30",
        value_parser = seconds
    )]
    pub timeout: Duration,
    /// Certificates to trust, instead of Mozilla's, which are built in
    ///
    /// The variable SSL_CERT_FILE is read too. Proxies are taken from HTTPS_PROXY, HTTP_PROXY,
    /// ALL_PROXY and NO_PROXY.
    #[arg(
        long,
        env = "BUILD_STATUS_CA_FILE",
        value_name = "PEM",
        verbatim_doc_comment
    )]
    pub ca_file: Option<String>,
    /// A certificate to show to a server that asks for one
    #[arg(long, env = "BUILD_STATUS_CLIENT_CERT", value_name = "PEM")]
    pub client_cert: Option<String>,
    /// The key of that certificate, if it is in a file of its own
    #[arg(
        long,
        env = "BUILD_STATUS_CLIENT_KEY",
        value_name = "PEM",
        requires = "client_cert"
    )]
    pub client_key: Option<String>,
    /// Send credentials over plain http to other machines
    #[arg(long, env = "BUILD_STATUS_ALLOW_HTTP", value_parser = BoolishValueParser::new())]
    pub allow_http: bool,
}

/// What else happens.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct BehaviourArgs {
    /// Exit with 0 and a warning instead of 3, 4 or 5
    #[arg(long, env = "BUILD_STATUS_NO_FAIL", value_parser = BoolishValueParser::new())]
    pub no_fail: bool,
    /// Print the exact request, secrets masked, and send nothing
    #[arg(long, env = "BUILD_STATUS_DRY_RUN", value_parser = BoolishValueParser::new())]
    pub dry_run: bool,
}

/// What is printed.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct PrintArgs {
    /// How to print the result
    #[arg(
        long,
        env = "BUILD_STATUS_OUTPUT",
        value_name = "FORMAT",
        value_enum,
        default_value_t
    )]
    pub output: Output,
    /// Print errors, and nothing else in text
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say what is done and why
    #[arg(short, long)]
    pub verbose: bool,
}

/// A format of what is printed on stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Text,
    /// One object, for programs
    Json,
}

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
        let mut command = with_variables(pristine(), env).map_err(Stop::Fail)?;
        for name in names_of_subcommands(&command) {
            let mut broken = None;
            command = command.mut_subcommand(name, |subcommand| {
                with_variables(subcommand.clone(), env).unwrap_or_else(|error| {
                    broken = Some(error);
                    subcommand
                })
            });
            broken.map_or(Ok(()), |error| Err(Stop::Fail(error)))?;
        }
        let parsed = command
            .try_get_matches_from_mut(&words)
            .and_then(|matches| {
                let mut read = Self::from_arg_matches(&matches)?;
                read.report.origins = origins(&command, &matches);
                let of_subcommand = matches.subcommand().and_then(|(name, matches)| {
                    Some(origins(command.find_subcommand(name)?, matches))
                });
                match &mut read.command {
                    Some(Command::Run(args)) => args.origins = of_subcommand.unwrap_or_default(),
                    Some(Command::Check(args)) => args.origins = of_subcommand.unwrap_or_default(),
                    Some(Command::Show(args)) => args.origins = of_subcommand.unwrap_or_default(),
                    Some(Command::Context(_)) | None => {}
                }
                Ok(read)
            });
        parsed.map_err(|error| stop(&command, &words, &error))
    }
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
    let arg = command
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

/// Reads a number of seconds, with or without a fraction.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is not a number".to_owned())?;
    if (0.1..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("it is not between 0.1 and 86400".into())
    }
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

    #[test]
    fn seconds_may_have_a_fraction_but_not_be_nothing() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["0", "-1", "NaN", "inf", "1e9", "", "10s"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
