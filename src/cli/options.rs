//! The options of every command.
//!
//! How they are written: a doc comment's first paragraph is the short help, the rest the long one;
//! every option has a variable and an upper-case value name; credentials have variables only, because
//! a command line is seen by everybody.

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Subcommand, ValueEnum};

use super::Origins;

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
    /// Run the command, and send nothing
    #[arg(
        long,
        env = "BUILD_STATUS_DRY_RUN",
        value_parser = BoolishValueParser::new(),
        help_heading = "Behaviour"
    )]
    pub dry_run: bool,
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
    /// What is wrong with variables that were left out.
    #[arg(skip)]
    pub ignored: Vec<String>,
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

    #[test]
    fn seconds_may_have_a_fraction_but_not_be_nothing() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["0", "-1", "NaN", "inf", "1e9", "", "10s"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
