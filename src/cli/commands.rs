//! The commands, and the groups of options that each takes.

use std::ffi::OsString;
use std::time::Duration;

use clap::{ArgMatches, Args as _, FromArgMatches as _};

use self::Id::{Check, Context, Event, Run, Send, Show, Sync};
use super::options::{Group, Options};
use super::values::{Jobs, time_span};
use super::variables::{self, Origins, variable};
use crate::error::Error;

/// A command, with the arguments that only this command takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    /// `build_status [STATE]`
    Send {
        /// The state as given, unchecked.
        state: Option<String>,
    },
    /// `build_status run -- COMMAND [ARG]…`
    Run {
        /// The command and its arguments.
        command: Vec<OsString>,
        /// `--strict`: a success that cannot be reported is a failure.
        strict: bool,
        /// Variables with unusable values. They count as unset, so that they do not keep the command
        /// from running.
        ignored: Vec<Error>,
    },
    /// `build_status check`
    Check,
    /// `build_status show`
    Show,
    /// `build_status context`
    Context,
    /// `build_status sync [running]`
    Sync(SyncArgs),
    /// `build_status event [FILE]`
    Event {
        /// The file that holds the event, if not stdin.
        file: Option<String>,
    },
    /// What the program does as a Lambda function.
    Function,
}

/// Declares the arguments that only one command takes.
type Own = fn(clap::Command) -> clap::Command;

/// The declaration of a command.
#[derive(Debug)]
pub(super) struct Shape {
    id: Id,
    about: &'static str,
    long_about: &'static str,
    usage: &'static str,
    own: Own,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Id {
    Send,
    Run,
    Check,
    Show,
    Context,
    Sync,
    Event,
}

/// Every command, in the order of the help. The first, [`Send`], has no name.
pub(super) const COMMANDS: &[Shape] = &[
    Shape {
        id: Send,
        about: "Report the status of this CI job to Bitbucket",
        long_about: "Report the status of this CI job to Bitbucket.\n\nReads the CI's environment and sets a build status on the commit: INPROGRESS, SUCCESSFUL, FAILED or\nSTOPPED, with a link to the job.",
        usage: "build_status [STATE] [OPTIONS]\n       build_status <COMMAND> [OPTIONS]",
        own: SendArgs::augment_args,
    },
    Shape {
        id: Run,
        about: "Report INPROGRESS, run a command, report its result",
        long_about: "Report INPROGRESS, run a command, report its result.\n\nThe command starts at once and inherits streams, environment and directory. build_status exits with\nthe command's exit code: 128+n for a signal, 127 if it is not found, 126 if it cannot be executed.\nA report that cannot be delivered is a warning. With --dry-run, the command runs unreported.",
        usage: "build_status run [OPTIONS] -- COMMAND [ARG]...",
        own: RunArgs::augment_args,
    },
    Shape {
        id: Check,
        about: "Test configuration, credentials, repository and commit; change nothing",
        long_about: "Test configuration, credentials, repository and commit.\n\nTests everything that a report depends on. Changes nothing on Bitbucket.",
        usage: "build_status check [OPTIONS]",
        own: |command| command,
    },
    Shape {
        id: Show,
        about: "List the build statuses of a commit",
        long_about: "List the build statuses of a commit.",
        usage: "build_status show [OPTIONS]",
        own: |command| command,
    },
    Shape {
        id: Context,
        about: "Print what the CI says about this job; needs no network or credentials",
        long_about: "Print what the CI says about this job. Needs no network or credentials.",
        usage: "build_status context [OPTIONS]",
        own: |command| command,
    },
    Shape {
        id: Sync,
        about: "On GitLab: report all jobs of the pipeline, as GitLab shows them",
        long_about: "On GitLab: report all jobs of the pipeline, as GitLab shows them.\n\nReads the pipeline's jobs from GitLab's API and the commit's statuses from Bitbucket, and sends what\ndiffers: also of jobs that were cancelled before they began, or whose runner was lost. Run it in one\njob in the stage .post, with when: always; or in a scheduled pipeline, with --since.\n\nGitLab is asked with BUILD_STATUS_GITLAB_TOKEN (or BUILD_STATUS_GITLAB_TOKEN_FILE), else with\nCI_JOB_TOKEN, which may read jobs from GitLab 18.3 on, and child pipelines from 18.6 on.",
        usage: "build_status sync [running] [OPTIONS]",
        own: SyncArgs::augment_args,
    },
    Shape {
        id: Event,
        about: "Report an event of AWS CodeBuild or CodePipeline",
        long_about: "Report an event of AWS CodeBuild or CodePipeline.\n\nReads one event of EventBridge and sets the status that it tells of: for builds that are stopped, time\nout or fail before their first command, and for pipelines as a whole. What the event does not say is\nasked of AWS, with the AWS credentials of the environment. As a Lambda function, where no command is\ngiven, the program reports each event that the function gets.",
        usage: "build_status event [OPTIONS] [FILE]",
        own: EventArgs::augment_args,
    },
];

/// The commands that take each group of options, in the order of the help.
const GROUPS: &[(Group, &[Id])] = &[
    (Group::Build, &[Send, Run, Check, Event]),
    (Group::Commit, &[Send, Run, Check, Show, Sync, Event]),
    (Group::Provider, &[Send, Run, Check, Show, Context, Sync]),
    (Group::Tests, &[Send, Run]),
    (Group::Destination, &[Send, Run, Check, Show, Sync, Event]),
    (Group::Credentials, &[Send, Run, Check, Show, Sync, Event]),
    (Group::Network, &[Send, Run, Check, Show, Sync, Event]),
    (Group::GitLab, &[Check, Sync]),
    (Group::Guard, &[Send, Run]),
    (Group::NoFail, &[Send, Sync, Event]),
    (Group::DryRun, &[Send, Run, Sync, Event]),
    (
        Group::Print,
        &[Send, Run, Check, Show, Context, Sync, Event],
    ),
];

/// The argument that only `build_status [STATE]` takes.
#[derive(clap::Args)]
struct SendArgs {
    /// State to report: running, passed, failed, stopped or auto
    ///
    /// These words are accepted, in upper or lower case:
    ///   running pending started inprogress in_progress
    ///   passed success successful succeeded
    ///   failed failure error errored timedout timed_out unstable
    ///   stopped canceled cancelled aborted skipped not_built
    ///
    /// With auto, or without an argument, use the CI's job status. It is final only in the job's
    /// last step: GitLab's after_script, or the finally block of CodeBuild's post_build.
    #[arg(env = variable("state"), value_name = "STATE", verbatim_doc_comment)]
    state: Option<String>,
}

/// The arguments that only `run` takes.
#[derive(clap::Args)]
struct RunArgs {
    /// Exit with 4 or 5 if the command succeeds but its result cannot be reported
    #[arg(
        long,
        env = variable("strict"),
        value_parser = clap::builder::BoolishValueParser::new(),
        help_heading = "Behaviour"
    )]
    strict: bool,
    /// Command to run, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND", help_heading = None)]
    command: Vec<OsString>,
}

/// What only `sync` takes.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub(crate) struct SyncArgs {
    /// running: report INPROGRESS for the pipeline, and nothing else; for a job in the stage .pre
    #[arg(value_name = "STATE", value_parser = ["running"], hide_possible_values = true)]
    pub(crate) state: Option<String>,
    /// The pipeline to report [default: this job's]
    #[arg(long, env = variable("pipeline"), value_name = "ID", help_heading = "Pipeline")]
    pub(crate) pipeline: Option<u64>,
    /// Key of the pipeline's own status [default: pipeline]; an empty argument means none
    #[arg(long, env = variable("pipeline_key"), value_name = "KEY", help_heading = "Pipeline")]
    pub(crate) pipeline_key: Option<String>,
    /// Which jobs' own statuses to report
    #[arg(
        long,
        env = variable("jobs"),
        value_name = "WHICH",
        value_enum,
        default_value_t,
        help_heading = "Pipeline"
    )]
    pub(crate) jobs: Jobs,
    /// Job without a status of its own; repeatable
    ///
    /// Its name as in CI_JOB_NAME, in child pipelines too. For the pipeline's status it counts where it
    /// fails, not where it passes. The template excludes its own jobs. In the variable, separate names
    /// with commas.
    #[arg(
        long,
        env = variable("exclude"),
        value_name = "JOB",
        value_delimiter = ',',
        help_heading = "Pipeline",
        verbatim_doc_comment
    )]
    pub(crate) exclude: Vec<String>,
    /// Update what is INPROGRESS on Bitbucket, and has ended, in all pipelines that changed since then
    ///
    /// A time span such as 24h. For a scheduled pipeline: it also updates what no job of a cancelled
    /// pipeline could.
    #[arg(
        long,
        env = variable("since"),
        value_name = "TIME",
        value_parser = time_span,
        conflicts_with_all = ["pipeline", "state"],
        help_heading = "Pipeline",
        verbatim_doc_comment
    )]
    pub(crate) since: Option<Duration>,
}

/// What only `event` takes.
#[derive(clap::Args)]
struct EventArgs {
    /// The file that holds the event [default: stdin]
    #[arg(value_name = "FILE", help_heading = None)]
    file: Option<String>,
}

const AFTER_HELP: &str = "\
Credentials are read from environment variables only:
  BITBUCKET_ACCESS_TOKEN                         an access token (Cloud) or HTTP access token (Data
                                                 Center): sent as Bearer
  BITBUCKET_ACCESS_TOKEN + BITBUCKET_USERNAME    an API token and its account's email (Cloud), or a
                                                 password and its user (Data Center): sent as Basic
  BITBUCKET_CLIENT_ID + BITBUCKET_CLIENT_SECRET  an OAuth consumer (Cloud): exchanged for a token
To read one from a file, set BITBUCKET_ACCESS_TOKEN_FILE, BITBUCKET_CLIENT_ID_FILE or
BITBUCKET_CLIENT_SECRET_FILE to its path.
BITBUCKET_ACCESS_TOKEN_ARN names a secret of AWS Secrets Manager or a parameter of Systems Manager
that holds the token, with #KEY behind it for one key of a JSON secret.

Exit codes:
  0  accepted by Bitbucket, or dry run printed
  1  other errors: unreadable file, stdout that cannot be written (a full disk), a bug
  2  wrong usage or configuration
  3  nothing to report: no commit, URL or state
  4  refused: 3xx, 4xx, or an answer that is not from Bitbucket
  5  not reached, or still failing after the retries";

impl Shape {
    /// The command that `words` call. Only the first word after the program can name one.
    pub(super) fn called(words: &[OsString]) -> &'static Self {
        let first = words.get(1).and_then(|word| word.to_str());
        let named = |shape: &&Self| shape.name().is_some_and(|name| Some(name) == first);
        COMMANDS.iter().find(named).unwrap_or(&COMMANDS[0])
    }

    /// The word that calls the command.
    pub(super) const fn name(&self) -> Option<&'static str> {
        match self.id {
            Send => None,
            Run => Some("run"),
            Check => Some("check"),
            Show => Some("show"),
            Context => Some("context"),
            Sync => Some("sync"),
            Event => Some("event"),
        }
    }

    /// The command line for this command. The options of other commands are not declared: building
    /// them costs an eighth of all instructions of a report.
    pub(super) fn declare(&self) -> clap::Command {
        let root = clap::Command::new("build_status").version(env!("CARGO_PKG_VERSION"));
        match self.name() {
            None => self.declare_own(root),
            Some(name) => root.subcommand(self.declare_own(clap::Command::new(name))),
        }
    }

    fn groups(&self) -> impl Iterator<Item = Group> {
        let taken = GROUPS.iter().filter(|(_, ids)| ids.contains(&self.id));
        taken.map(|(group, _)| *group)
    }

    fn declare_own(&self, command: clap::Command) -> clap::Command {
        let command = (self.own)(command);
        let command = self
            .groups()
            .fold(command, |command, group| group.declare(command));
        let command = match self.id {
            // A thousand requests take their time.
            Sync => command.mut_arg("timeout", |arg| arg.default_value("120")),
            _ => command,
        };
        command
            .about(self.about)
            .long_about(self.long_about)
            .override_usage(self.usage)
    }

    /// The help that `words` ask for. It shows the names of variables, not their values.
    pub(super) fn help(&self, words: &[OsString]) -> String {
        let others = COMMANDS.iter().filter(|shape| shape.id != self.id);
        let others =
            others.filter_map(|shape| Some(clap::Command::new(shape.name()?).about(shape.about)));
        let command = match self.name() {
            None => self
                .declare()
                .subcommands(others)
                .disable_help_subcommand(true)
                .after_long_help(AFTER_HELP)
                .mut_args(variables::named),
            Some(name) => self
                .declare()
                .mut_subcommand(name, |it| it.mut_args(variables::named)),
        };
        match command.try_get_matches_from(words) {
            Err(help) => help.render().to_string(),
            Ok(_) => String::new(),
        }
    }

    /// Reads the options from `matches`.
    pub(super) fn options(
        &self,
        mut matches: ArgMatches,
        origins: Origins,
    ) -> Result<Options, clap::Error> {
        let mut options = Options {
            origins,
            ..Options::default()
        };
        for group in self.groups() {
            group.read(&mut options, &mut matches)?;
        }
        Ok(options)
    }
}

/// Every command with all of its options.
pub(super) fn whole() -> clap::Command {
    let root = COMMANDS[0].declare().after_long_help(AFTER_HELP);
    let named = COMMANDS.iter().filter_map(|shape| {
        let command = shape.declare_own(clap::Command::new(shape.name()?));
        Some(command.mut_args(variables::named))
    });
    root.mut_args(variables::named).subcommands(named)
}

impl Command {
    /// Reads the arguments that only this command takes. `run` takes over the errors in `unusable`:
    /// for it, they are warnings.
    pub(super) fn read(
        shape: &Shape,
        matches: &ArgMatches,
        unusable: &mut Vec<Error>,
    ) -> Result<Self, clap::Error> {
        Ok(match shape.id {
            Send => Self::Send {
                state: matches.get_one("state").cloned(),
            },
            Run => {
                let words = matches.get_many("command").into_iter().flatten();
                Self::Run {
                    command: words.cloned().collect(),
                    strict: matches.get_flag("strict"),
                    ignored: std::mem::take(unusable),
                }
            }
            Check => Self::Check,
            Show => Self::Show,
            Context => Self::Context,
            Sync => Self::Sync(SyncArgs::from_arg_matches(matches)?),
            Event => Self::Event {
                file: matches.get_one("file").cloned(),
            },
        })
    }
}
