//! The options of all commands, each declared once.
//!
//! A command declares and reads the [`Group`]s that it takes; [`Options`] holds the values for every
//! command.
//!
//! The first paragraph of an option's doc comment is its short help, the rest is added in the long
//! help. Every option has a variable, and its value name is in upper case. Credentials have variables
//! only: other users of the machine can see command lines.

use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgMatches, Args as _, FromArgMatches};

use super::values::{Method, Output, seconds};
use super::variables::{self, Origins, variable};
use crate::env::Env;
use crate::output::log::Level;

/// The options of all commands. Groups that a command does not take have their defaults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// `--commit`, unchecked.
    pub commit: Option<String>,
    /// `--provider`, the id of a CI, unchecked.
    pub(crate) provider: Option<String>,
    /// The content of the status.
    pub build: BuildArgs,
    /// The test reports to count.
    pub(crate) tests: TestsArgs,
    /// The repository on Bitbucket, and its server.
    pub destination: DestinationArgs,
    /// How to send the credentials.
    pub(crate) credentials: CredentialsArgs,
    /// Time limit and TLS.
    pub(crate) network: NetworkArgs,
    /// `--gitlab-ca-file`: certificates for GitLab, instead of the built-in ones.
    pub(crate) gitlab_ca_file: Option<String>,
    /// `--guard` or `--no-guard`: whether a status of a newer run is kept, if somebody says.
    pub(crate) guard: Option<bool>,
    /// `--no-fail`: a failed report is a warning.
    pub(crate) no_fail: bool,
    /// `--dry-run`: do everything except sending.
    pub(crate) dry_run: bool,
    /// Format and amount of output.
    pub(crate) print: PrintArgs,
    /// The values that came from variables.
    pub(crate) origins: Origins,
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

/// Options that a command takes together, or not at all.
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

    /// Takes the group's options out of `matches`.
    pub(super) fn read(
        self,
        options: &mut Options,
        matches: &mut ArgMatches,
    ) -> Result<(), clap::Error> {
        match self {
            Self::Build => options.build = take(matches)?,
            Self::Commit => options.commit = take::<CommitArgs>(matches)?.commit,
            Self::Provider => options.provider = take::<ProviderArgs>(matches)?.provider,
            Self::Tests => options.tests = take(matches)?,
            Self::Destination => options.destination = take(matches)?,
            Self::Credentials => options.credentials = take(matches)?,
            Self::Network => options.network = take(matches)?,
            Self::GitLab => options.gitlab_ca_file = take::<GitLabArgs>(matches)?.gitlab_ca_file,
            Self::Guard => options.guard = take::<GuardArgs>(matches)?.wish(options),
            Self::NoFail => options.no_fail = take::<NoFailArgs>(matches)?.no_fail,
            Self::DryRun => options.dry_run = take::<DryRunArgs>(matches)?.dry_run,
            Self::Print => options.print = take(matches)?,
        }
        Ok(())
    }
}

/// Takes a group out of `matches`, which is a copy less of all that clap has found.
fn take<A: FromArgMatches>(matches: &mut ArgMatches) -> Result<A, clap::Error> {
    A::from_arg_matches_mut(matches)
}

#[derive(clap::Args)]
struct CommitArgs {
    /// Hash of the commit [default: from the CI; in a pull request, its head]
    #[arg(long, env = variable("commit"), value_name = "SHA")]
    commit: Option<String>,
}

#[derive(clap::Args)]
struct ProviderArgs {
    /// CI whose variables are read [default: detected]
    #[arg(long, env = variable("provider"), value_name = "ID")]
    provider: Option<String>,
}

/// The test reports to count.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct TestsArgs {
    /// JUnit XML files whose tests are counted; repeatable
    ///
    /// The counts are sent in the description and, to Data Center, as testResults. In the
    /// variable, separate patterns with commas.
    #[arg(
        long,
        env = variable("junit"),
        value_name = "GLOB",
        value_delimiter = ',',
        verbatim_doc_comment
    )]
    pub(crate) junit: Vec<String>,
}

/// The content of the status.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct BuildArgs {
    /// Key of this status; unique on the commit
    ///
    /// A later report with the same key overwrites this status. The default is ci/, the CI and
    /// the job's name. A key that is too long for Bitbucket (Cloud: 40 characters) is shortened
    /// and ends in a hash. If BUILD_STATUS_KEY is not set, BUILD_KEY is read.
    #[arg(long, env = variable("key"), value_name = "KEY", verbatim_doc_comment)]
    pub key: Option<String>,
    /// Name of the status, shown as its link [default: job name and build number]
    #[arg(long, env = variable("name"), value_name = "NAME")]
    pub name: Option<String>,
    /// Description of the status [default: a sentence for the state]
    #[arg(long, env = variable("description"), value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// URL that the status links to [default: the job's page]
    #[arg(long, env = variable("url"), value_name = "URL")]
    pub url: Option<String>,
    /// Branch or tag [default: from the CI; in a pull request, its source branch]
    ///
    /// Bitbucket shows the status in pull requests from this branch. Pass an empty argument to
    /// send neither branch nor tag.
    #[arg(long, env = variable("refname"), value_name = "REF", verbatim_doc_comment)]
    pub refname: Option<String>,
}

/// The repository on Bitbucket, and its server.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct DestinationArgs {
    /// Repository on Bitbucket [default: from the CI or the git remote]
    #[arg(long, env = variable("repository"), value_name = "[WORKSPACE/]REPO")]
    pub repository: Option<String>,
    /// Workspace or project of the repository [default: from the CI or the git remote]
    #[arg(long, visible_alias = "project", env = variable("workspace"), value_name = "WORKSPACE")]
    pub workspace: Option<String>,
    /// Base URL of Bitbucket Cloud's API [default: https://api.bitbucket.org/2.0]
    #[arg(long, env = variable("api_root"), value_name = "URL")]
    pub(crate) api_root: Option<String>,
    /// Base URL of a Bitbucket Data Center, with its context path [default: Bitbucket Cloud]
    ///
    /// If the CI's clone URL contains /scm/, the default is taken from it.
    #[arg(long, env = variable("server_url"), value_name = "URL", verbatim_doc_comment)]
    pub server_url: Option<String>,
    /// Key that a "Required builds" merge check on Data Center expects [default: the key]
    #[arg(long, env = variable("parent"), value_name = "KEY")]
    pub(crate) parent: Option<String>,
}

/// How to send the credentials. [`crate::bitbucket::auth`] reads the credentials themselves.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct CredentialsArgs {
    /// Authentication method [default: inferred from the token]
    #[arg(long, env = variable("auth"), value_name = "METHOD", value_enum)]
    pub(crate) auth: Option<Method>,
}

/// Time limit and TLS.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct NetworkArgs {
    /// Total time limit, including retries
    #[arg(
        long,
        env = variable("timeout"),
        value_name = "SECONDS",
        default_value = "30",
        value_parser = seconds
    )]
    pub timeout: Duration,
    /// CA certificates to trust; this file replaces the built-in CAs
    ///
    /// If BUILD_STATUS_CA_FILE is not set, SSL_CERT_FILE is read. Proxies are configured with
    /// HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.
    #[arg(long, env = variable("ca_file"), value_name = "PEM", verbatim_doc_comment)]
    pub ca_file: Option<String>,
    /// Client certificate, for a server that requests one
    #[arg(long, env = variable("client_cert"), value_name = "PEM")]
    pub client_cert: Option<String>,
    /// Private key of the client certificate [default: in the certificate's file]
    #[arg(long, env = variable("client_key"), value_name = "PEM")]
    pub client_key: Option<String>,
    /// Allow unencrypted http to other machines
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
    /// Print a warning and exit with 0 instead of 3, 4 or 5
    #[arg(long, env = variable("no_fail"), value_parser = BoolishValueParser::new())]
    no_fail: bool,
}

#[derive(clap::Args)]
struct DryRunArgs {
    /// Print the request, with secrets masked, and send nothing
    #[arg(long, env = variable("dry_run"), value_parser = BoolishValueParser::new())]
    dry_run: bool,
}

/// Format and amount of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct PrintArgs {
    /// Format of the result
    #[arg(long, env = variable("output"), value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) output: Output,
    /// Print only errors, and JSON if requested
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print each step and its reason
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

impl PrintArgs {
    /// How much to write to stderr.
    pub(crate) fn level(self) -> Level {
        match self {
            Self { quiet: true, .. } => Level::Quiet,
            Self { verbose: true, .. } => Level::Verbose,
            _ => Level::Normal,
        }
    }
}
