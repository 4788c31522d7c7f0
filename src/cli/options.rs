//! The options, each declared once: [`Options`] holds them for every command, and a group of them is
//! declared where it is first needed.
//!
//! How they are written: the first paragraph of a doc comment is the short help, the rest the long
//! one. Every option has a variable and an upper-case value name. Credentials have variables only,
//! because everybody on the machine sees a command line.

use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgMatches, Args as _, FromArgMatches as _};

use super::values::{Method, Output, seconds};
use super::variables::{self, Origins, variable};
use crate::env::Env;
use crate::output::log::Level;

/// The options of all commands. A command that does not take a group has its defaults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The commit that somebody has given.
    pub commit: Option<String>,
    /// The CI that somebody has given.
    pub provider: Option<String>,
    /// What the status says.
    pub build: BuildArgs,
    /// What the tests say.
    pub tests: TestsArgs,
    /// Where it goes.
    pub destination: DestinationArgs,
    /// How the credentials are sent.
    pub credentials: CredentialsArgs,
    /// How the request gets there.
    pub network: NetworkArgs,
    /// The certificates of GitLab, where they are not the usual ones.
    pub gitlab_ca_file: Option<String>,
    /// Whether to ask what is there before it is overwritten, if somebody says.
    pub guard: Option<bool>,
    /// Whether a report that fails is forgiven.
    pub no_fail: bool,
    /// Whether everything is done but the sending.
    pub dry_run: bool,
    /// What is printed.
    pub print: PrintArgs,
    /// Which of the values came from variables.
    pub origins: Origins,
}

impl Options {
    /// The same with what a build was told by variables, where nothing else says it. Whoever may
    /// start a build may set them: none of these leads the credentials elsewhere.
    #[must_use]
    pub(crate) fn with_variables_of_build(&self, env: &Env) -> Self {
        let mut options = self.clone();
        let (build, destination) = (&mut options.build, &mut options.destination);
        for (option, value) in [
            ("key", &mut build.key),
            ("name", &mut build.name),
            ("description", &mut build.description),
            ("url", &mut build.url),
            ("commit", &mut options.commit),
            ("refname", &mut build.refname),
            ("parent", &mut destination.parent),
            ("repository", &mut destination.repository),
            ("workspace", &mut destination.workspace),
        ] {
            if value.is_none()
                && let Some((variable, text)) = variables::of(option, env)
            {
                *value = Some(text);
                options.origins.note(option, variable);
            }
        }
        options
    }
}

/// A group of options that a command takes or does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Build,
    Commit,
    Provider,
    Tests,
    Destination,
    Credentials,
    Network,
    GitLab,
    Guard,
    NoFail,
    DryRun,
    Print,
}

impl Group {
    /// Adds the group's options to `command`.
    pub(super) fn declare(self, command: clap::Command) -> clap::Command {
        let under = |heading| command.next_help_heading(heading);
        match self {
            Self::Build => BuildArgs::augment_args(under("Build")),
            Self::Commit => CommitArgs::augment_args(under("Build")),
            Self::Provider => ProviderArgs::augment_args(under("Build")),
            Self::Tests => TestsArgs::augment_args(under("Build")),
            Self::Destination => DestinationArgs::augment_args(under("Destination")),
            Self::Credentials => CredentialsArgs::augment_args(under("Credentials")),
            Self::Network => NetworkArgs::augment_args(under("Network")),
            Self::GitLab => GitLabArgs::augment_args(under("Network")),
            Self::Guard => GuardArgs::augment_args(under("Behaviour")),
            Self::NoFail => NoFailArgs::augment_args(under("Behaviour")),
            Self::DryRun => DryRunArgs::augment_args(under("Behaviour")),
            Self::Print => PrintArgs::augment_args(under("Behaviour")),
        }
    }

    /// Takes the group's options from `matches`.
    pub(super) fn read(
        self,
        options: &mut Options,
        matches: &ArgMatches,
    ) -> Result<(), clap::Error> {
        match self {
            Self::Build => options.build = BuildArgs::from_arg_matches(matches)?,
            Self::Commit => options.commit = CommitArgs::from_arg_matches(matches)?.commit,
            Self::Provider => options.provider = ProviderArgs::from_arg_matches(matches)?.provider,
            Self::Tests => options.tests = TestsArgs::from_arg_matches(matches)?,
            Self::Destination => options.destination = DestinationArgs::from_arg_matches(matches)?,
            Self::Credentials => options.credentials = CredentialsArgs::from_arg_matches(matches)?,
            Self::Network => options.network = NetworkArgs::from_arg_matches(matches)?,
            Self::GitLab => {
                options.gitlab_ca_file = GitLabArgs::from_arg_matches(matches)?.gitlab_ca_file;
            }
            Self::Guard => options.guard = GuardArgs::from_arg_matches(matches)?.wish(options),
            Self::NoFail => options.no_fail = NoFailArgs::from_arg_matches(matches)?.no_fail,
            Self::DryRun => options.dry_run = DryRunArgs::from_arg_matches(matches)?.dry_run,
            Self::Print => options.print = PrintArgs::from_arg_matches(matches)?,
        }
        Ok(())
    }
}

#[derive(clap::Args)]
struct CommitArgs {
    /// The commit [default: the CI's; in a pull request, its head]
    #[arg(long, env = variable("commit"), value_name = "SHA")]
    commit: Option<String>,
}

#[derive(clap::Args)]
struct ProviderArgs {
    /// The CI to read, instead of the one detected
    #[arg(long, env = variable("provider"), value_name = "ID")]
    provider: Option<String>,
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
        env = variable("junit"),
        value_name = "GLOB",
        value_delimiter = ',',
        verbatim_doc_comment
    )]
    pub junit: Vec<String>,
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
        env = variable("key"),
        value_name = "KEY",
        verbatim_doc_comment
    )]
    pub key: Option<String>,
    /// The text of the link [default: the job's name and the build's number]
    #[arg(long, env = variable("name"), value_name = "NAME")]
    pub name: Option<String>,
    /// What happened [default: a sentence for the state]
    #[arg(long, env = variable("description"), value_name = "TEXT")]
    pub description: Option<String>,
    /// Where the link leads [default: the job's page]
    #[arg(long, env = variable("url"), value_name = "URL")]
    pub url: Option<String>,
    /// The branch or tag [default: the CI's; in a pull request, its source]
    ///
    /// Bitbucket shows the status in pull requests from that branch. An empty argument means none.
    #[arg(
        long,
        env = variable("refname"),
        value_name = "REF",
        verbatim_doc_comment
    )]
    pub refname: Option<String>,
}

/// Where the status goes.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct DestinationArgs {
    /// The repository on Bitbucket [default: what the CI or the git remote says]
    #[arg(long, env = variable("repository"), value_name = "[WORKSPACE/]REPO")]
    pub repository: Option<String>,
    /// The workspace that it is in [default: what the CI or the git remote says]
    #[arg(
        long,
        visible_alias = "project",
        env = variable("workspace"),
        value_name = "WORKSPACE"
    )]
    pub workspace: Option<String>,
    /// Bitbucket Cloud's API [default: https://api.bitbucket.org/2.0]
    #[arg(long, env = variable("api_root"), value_name = "URL")]
    pub api_root: Option<String>,
    /// A Bitbucket Data Center, context path included; without it, Bitbucket Cloud
    ///
    /// A clone URL with /scm/ that the CI gives says it too.
    #[arg(
        long,
        env = variable("server_url"),
        value_name = "URL",
        verbatim_doc_comment
    )]
    pub server_url: Option<String>,
    /// The build that "Required builds" on Data Center ask for [default: the key]
    #[arg(long, env = variable("parent"), value_name = "KEY")]
    pub parent: Option<String>,
}

/// Who sends it. The credentials themselves are read in [`crate::bitbucket::credentials`].
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct CredentialsArgs {
    /// How to send the credentials, instead of by their kind
    #[arg(long, env = variable("auth"), value_name = "METHOD", value_enum)]
    pub auth: Option<Method>,
}

/// How the request gets there.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct NetworkArgs {
    /// How long everything together may take, retries included
    #[arg(
        long,
        env = variable("timeout"),
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
        env = variable("ca_file"),
        value_name = "PEM",
        verbatim_doc_comment
    )]
    pub ca_file: Option<String>,
    /// A certificate to show to a server that asks for one
    #[arg(long, env = variable("client_cert"), value_name = "PEM")]
    pub client_cert: Option<String>,
    /// The key of that certificate, if it is in a file of its own
    #[arg(
        long,
        env = variable("client_key"),
        value_name = "PEM"
    )]
    pub client_key: Option<String>,
    /// Send credentials over plain http to other machines
    #[arg(long, env = variable("allow_http"), value_parser = BoolishValueParser::new())]
    pub allow_http: bool,
}

#[derive(clap::Args)]
struct GitLabArgs {
    /// Certificates to trust in calls to GitLab, instead of Mozilla's
    #[arg(long, env = variable("gitlab_ca_file"), value_name = "PEM")]
    gitlab_ca_file: Option<String>,
}

#[derive(clap::Args)]
struct GuardArgs {
    /// Ask what Bitbucket has first, and keep it if a newer run has said it
    ///
    /// Without it, that is asked before STOPPED only. What has ended is also kept against an
    /// INPROGRESS of the same run.
    #[arg(
        long,
        env = variable("guard"),
        value_parser = BoolishValueParser::new(),
        verbatim_doc_comment
    )]
    guard: bool,
    /// Never ask, and overwrite what is there
    #[arg(long)] // no conflict with --guard: the variable would be in one, too
    no_guard: bool,
}

impl GuardArgs {
    /// What is wanted, by option or variable.
    fn wish(&self, options: &Options) -> Option<bool> {
        let is_said = self.guard || self.no_guard || options.origins.variable("guard").is_some();
        is_said.then_some(self.guard && !self.no_guard)
    }
}

#[derive(clap::Args)]
struct NoFailArgs {
    /// Exit with 0 and a warning instead of 3, 4 or 5
    #[arg(long, env = variable("no_fail"), value_parser = BoolishValueParser::new())]
    no_fail: bool,
}

#[derive(clap::Args)]
struct DryRunArgs {
    /// Print the exact request, secrets masked, and send nothing
    #[arg(long, env = variable("dry_run"), value_parser = BoolishValueParser::new())]
    dry_run: bool,
}

/// What is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct PrintArgs {
    /// How to print the result
    #[arg(
        long,
        env = variable("output"),
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

impl PrintArgs {
    /// How much goes to stderr.
    pub fn level(self) -> Level {
        match self {
            Self { quiet: true, .. } => Level::Quiet,
            Self { verbose: true, .. } => Level::Verbose,
            _ => Level::Normal,
        }
    }
}
