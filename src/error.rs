//! Everything that can go wrong, what to say about it, and how to exit.

use std::borrow::Cow;
use std::fmt;

/// Who was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Bitbucket, Cloud or Data Center.
    Bitbucket,
    /// GitLab, which `sync` reads.
    GitLab,
}

impl Server {
    const fn name(self) -> &'static str {
        match self {
            Self::Bitbucket => "Bitbucket",
            Self::GitLab => "GitLab",
        }
    }
}

/// What kept a status from being delivered.
///
/// `Display` says what was wrong and where it came from, [`hint`](Self::hint) what to do about it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The command line is wrong.
    Usage {
        /// clap's words.
        message: String,
        /// What to do instead.
        hint: Option<&'static str>,
    },
    /// An option or variable has a value that cannot be used.
    Setting {
        /// The option or the variable.
        origin: String,
        /// What is wrong with it.
        problem: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// `--provider` names no CI.
    UnknownProvider {
        /// What was named.
        id: String,
        /// What may be named.
        known: Vec<&'static str>,
    },
    /// The environment looks like that of more than one CI.
    SeveralProviders {
        /// Their ids.
        ids: Vec<&'static str>,
    },
    /// A CI's variables could not be read. The structs are made so that this cannot happen.
    Environment {
        /// The CI.
        provider: &'static str,
        /// envy's words.
        message: String,
    },
    /// The word for the state is unknown.
    UnknownState {
        /// Where it came from.
        origin: String,
        /// The word.
        word: String,
        /// The state or command that it may have been meant to be.
        meant: Option<&'static str>,
    },
    /// Nothing says what the state is.
    NoState {
        /// The CI's own variable for it, which holds nothing that is known.
        variable: Option<&'static str>,
        /// When that variable is right; without one, how to pass the state in this CI.
        caveat: Option<&'static str>,
    },
    /// Nothing says which commit it is.
    NoCommit,
    /// What should be the commit is none that Bitbucket could know.
    NotACommit {
        /// Why, in words that name the variable.
        reason: String,
        /// Whether somebody has given it, in place of what the CI says.
        given: bool,
    },
    /// Nothing says where the build is to be seen.
    NoUrl {
        /// The CI's setting that it comes from.
        setting: Option<&'static str>,
    },
    /// The build's URL would be refused.
    BadUrl {
        /// Where it came from.
        origin: String,
        /// The URL.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Nothing says which repository it is.
    NoRepository {
        /// What is known, and why it does not do.
        found: Option<String>,
    },
    /// The repository is on a Data Center whose URL does not follow from what is known.
    NoServer {
        /// The host of its ssh address.
        host: String,
    },
    /// There are no credentials.
    NoCredentials {
        /// Why the CI may have kept them back.
        caveat: Option<&'static str>,
    },
    /// A file could not be read.
    Unreadable {
        /// The option or variable that names it.
        origin: String,
        /// Its path.
        path: String,
        /// The system's words.
        message: String,
        /// What may help.
        hint: Option<&'static str>,
    },
    /// The server, or somebody before it, answered 3xx. Redirects are not followed: a POST that is
    /// redirected becomes a GET, and a login page is taken for success.
    Redirected {
        /// Who was called.
        server: Server,
        /// The HTTP status.
        status: u16,
        /// Where to.
        location: Option<String>,
    },
    /// The server answered 4xx, or a success that no report can have.
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        message: String,
        /// The request's id on their side.
        request_id: Option<String>,
        /// What that means for these credentials.
        hint: Option<&'static str>,
    },
    /// A success that is not the server's: a login page or a proxy's.
    NotFrom {
        /// Who was called.
        server: Server,
        /// The HTTP status.
        status: u16,
        /// The type of the answer.
        content_type: Option<String>,
    },
    /// The server answered 429, 5xx or the like, to the end.
    Failing {
        /// The HTTP status.
        status: u16,
        /// What it said.
        message: String,
        /// The request's id on their side.
        request_id: Option<String>,
        /// Why no further attempt was made.
        gave_up: Option<String>,
        /// What that means on this product.
        hint: Option<&'static str>,
    },
    /// A document is not an event that can be reported.
    BadEvent {
        /// What it is instead, or what it lacks.
        problem: String,
    },
    /// There is no status to send, and nobody is at fault.
    NothingToReport {
        /// Why.
        reason: String,
    },
    /// No answer came.
    Unreachable {
        /// The host that was called, with its port if that is an unusual one.
        server: String,
        /// What happened.
        message: String,
        /// Why no further attempt was made.
        gave_up: Option<String>,
        /// What may help.
        hint: Option<&'static str>,
    },
    /// A later report was due before this one was sent.
    Cancelled,
    /// The result could not be printed.
    Output {
        /// The system's words.
        message: String,
    },
}

impl Error {
    /// A value that cannot be used: what is wrong with it, and what to do instead.
    pub(crate) fn setting(origin: &str, problem: &str, hint: &str) -> Self {
        Self::Setting {
            origin: origin.to_owned(),
            problem: problem.to_owned(),
            hint: Some(hint.to_owned()),
        }
    }

    /// The exit code. 0 is success; codes that are not here are reserved.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Environment { .. } | Self::Unreadable { .. } | Self::Output { .. } => 1,
            Self::Usage { .. }
            | Self::Setting { .. }
            | Self::UnknownProvider { .. }
            | Self::SeveralProviders { .. }
            | Self::UnknownState { .. }
            | Self::BadEvent { .. }
            | Self::BadUrl { .. }
            | Self::NoRepository { .. }
            | Self::NoServer { .. }
            | Self::NoCredentials { .. } => 2,
            Self::NoState { .. }
            | Self::NothingToReport { .. }
            | Self::NoCommit
            | Self::NotACommit { .. }
            | Self::NoUrl { .. } => 3,
            Self::Redirected { .. } | Self::Refused { .. } | Self::NotFrom { .. } => 4,
            Self::Failing { .. } | Self::Unreachable { .. } | Self::Cancelled => 5,
        }
    }

    /// The same, with the reason why no further attempt was made.
    pub(crate) fn giving_up(mut self, reason: Option<String>) -> Self {
        if let Self::Failing { gave_up, .. } | Self::Unreachable { gave_up, .. } = &mut self {
            *gave_up = reason;
        }
        self
    }

    /// Whether `--no-fail` forgives it: the code is 3, 4 or 5.
    pub const fn is_forgivable(&self) -> bool {
        matches!(self.exit_code(), 3..=5)
    }

    /// The word for it in JSON.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Usage { .. } => "usage",
            Self::Setting { .. } => "setting",
            Self::UnknownProvider { .. } => "unknown_provider",
            Self::SeveralProviders { .. } => "several_providers",
            Self::Environment { .. } => "environment",
            Self::UnknownState { .. } => "unknown_state",
            Self::BadEvent { .. } => "bad_event",
            Self::NothingToReport { .. } => "nothing_to_report",
            Self::NoState { .. } => "no_state",
            Self::NoCommit => "no_commit",
            Self::NotACommit { .. } => "not_a_commit",
            Self::NoUrl { .. } => "no_url",
            Self::BadUrl { .. } => "bad_url",
            Self::NoRepository { .. } => "no_repository",
            Self::NoServer { .. } => "no_server",
            Self::NoCredentials { .. } => "no_credentials",
            Self::Unreadable { .. } => "unreadable",
            Self::Redirected { .. } => "redirected",
            Self::Refused { .. } => "refused",
            Self::NotFrom { server, .. } => match server {
                Server::Bitbucket => "not_bitbucket",
                Server::GitLab => "not_gitlab",
            },
            Self::Failing { .. } => "failing",
            Self::Unreachable { .. } => "unreachable",
            Self::Cancelled => "cancelled",
            Self::Output { .. } => "output",
        }
    }

    /// The HTTP status that came, if one came.
    pub const fn http_status(&self) -> Option<u16> {
        match self {
            Self::Redirected { status, .. }
            | Self::Refused { status, .. }
            | Self::NotFrom { status, .. }
            | Self::Failing { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Setting { hint, .. } => return hint.as_deref().map(Cow::from),
            Self::UnknownProvider { known, .. } => {
                return Some(format!("known are {}", known.join(", ")).into());
            }
            Self::SeveralProviders { .. } => "choose one with --provider or BUILD_STATUS_PROVIDER",
            Self::Environment { .. } => "this is a bug: please report it",
            Self::UnknownState { meant, .. } => {
                let meant = meant.map(|word| format!("did you mean `{word}`? "));
                return Some(
                    format!(
                        "{}use running, passed, failed or stopped (build_status --help lists all \
                         words), or auto for the CI's job status",
                        meant.unwrap_or_default()
                    )
                    .into(),
                );
            }
            Self::NoState { variable, caveat } => {
                let give =
                    "give it as an argument (running, passed, failed, stopped) or in BUILD_STATUS";
                return Some(match (variable, caveat) {
                    (Some(variable), Some(caveat)) => {
                        format!("{give}; {variable}: {caveat}").into()
                    }
                    (None, Some(caveat)) => format!("{caveat}; or {give}").into(),
                    (_, None) => give.into(),
                });
            }
            Self::NoCommit => "run it in a CI job, or give --commit or BUILD_STATUS_COMMIT",
            Self::NotACommit { given: true, .. } => {
                r#"give the hash, as with --commit "$(git rev-parse HEAD)": nothing else finds it on Bitbucket"#
            }
            // HEAD may be a merge commit here, which is why the CI's word was not taken.
            Self::NotACommit { .. } => {
                "give the hash with --commit or BUILD_STATUS_COMMIT: nothing else finds it on \
                 Bitbucket"
            }
            Self::NoUrl { setting } => {
                let give = "give the build's page with --url or BUILD_STATUS_URL";
                return Some(match setting {
                    Some(setting) => format!("set {setting}, or {give}").into(),
                    None => give.into(),
                });
            }
            Self::BadUrl { .. } => "mend that, or give another page with --url or BUILD_STATUS_URL",
            Self::NoRepository { .. } => {
                "set BITBUCKET_NAMESPACE to the workspace (Data Center: the project's key, or ~user) \
                 and BITBUCKET_REPOSITORY to the repository on Bitbucket, or \
                 BITBUCKET_REPOSITORY alone to WORKSPACE/REPO"
            }
            Self::NoServer { .. } => {
                "set BITBUCKET_SERVER_URL to the address of its pages, context path included, as \
                 https://git.example.com or https://example.com/bitbucket"
            }
            Self::NoCredentials { caveat } => {
                let set = "set BITBUCKET_ACCESS_TOKEN (to an access token; with an API token, \
                           BITBUCKET_USERNAME to its account's email; with a password of Data \
                           Center, to its user)";
                return Some(match caveat {
                    Some(caveat) => format!("{set}; {caveat}").into(),
                    None => set.into(),
                });
            }
            Self::Redirected {
                server: Server::GitLab,
                ..
            }
            | Self::NotFrom {
                server: Server::GitLab,
                ..
            } => {
                "GitLab's API did not answer, but a login page or a proxy in front of it: check \
                 CI_API_V4_URL and the proxy variables, and let the API's path through"
            }
            Self::Redirected { .. } => {
                "redirects are not followed: check BITBUCKET_API_ROOT (Cloud) or BITBUCKET_SERVER_URL \
                 (Data Center), and that no login page is in the way"
            }
            Self::NotFrom { .. } => {
                "a login page or a proxy answered in its place: check BITBUCKET_API_ROOT \
                 (Cloud) or BITBUCKET_SERVER_URL (Data Center), and the proxy variables"
            }
            Self::Usage { hint, .. }
            | Self::Unreadable { hint, .. }
            | Self::Refused { hint, .. }
            | Self::Failing { hint, .. }
            | Self::Unreachable { hint, .. } => return hint.map(Cow::from),
            Self::BadEvent { .. }
            | Self::NothingToReport { .. }
            | Self::Cancelled
            | Self::Output { .. } => return None,
        };
        Some(hint.into())
    }
}

impl fmt::Display for Error {
    #[expect(clippy::too_many_lines, reason = "one arm for each variant")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage { message, .. } => f.write_str(message),
            Self::Setting {
                origin, problem, ..
            } => write!(f, "{origin}: {problem}"),
            Self::UnknownProvider { id, .. } => write!(f, "provider: there is none called `{id}`"),
            Self::SeveralProviders { ids } => {
                write!(
                    f,
                    "provider: the environment fits more than one: {}",
                    ids.join(", ")
                )
            }
            Self::Environment { provider, message } => {
                write!(
                    f,
                    "environment: the variables of {provider} cannot be read: {message}"
                )
            }
            Self::UnknownState { origin, word, .. } => {
                write!(
                    f,
                    "state: {origin} is `{word}`, which is no word for a state"
                )
            }
            Self::NoState { variable, .. } => {
                f.write_str("state: none is known: no STATE argument, BUILD_STATUS is not set")?;
                match variable {
                    Some(name) => write!(f, ", and {name} does not say"),
                    None => f.write_str(", and this CI does not say"),
                }
            }
            Self::BadEvent { problem } => write!(f, "event: {problem}"),
            Self::NothingToReport { reason } => write!(f, "nothing to report: {reason}"),
            Self::NoCommit => f.write_str("commit: none is known"),
            Self::NotACommit { reason, .. } => write!(f, "commit: {reason}"),
            Self::NoUrl { .. } => f.write_str("url: the page of the build is not known"),
            Self::BadUrl {
                origin,
                url,
                problem,
            } => {
                write!(
                    f,
                    "url: Bitbucket would refuse `{url}`: {problem} (it comes from {origin})"
                )
            }
            Self::NoRepository { found: None } => {
                f.write_str("repository: it is not known which one on Bitbucket this is")
            }
            Self::NoRepository { found: Some(found) } => write!(f, "repository: {found}"),
            Self::NoServer { host } => write!(
                f,
                "server: the repository is on a Bitbucket Data Center, whose URL does not follow \
                 from its ssh address on {host}"
            ),
            Self::NoCredentials { .. } => {
                f.write_str("credentials: there are none: BITBUCKET_ACCESS_TOKEN is not set")
            }
            Self::Unreadable {
                origin,
                path,
                message,
                ..
            } => {
                write!(f, "{origin}: the file `{path}` cannot be read: {message}")
            }
            Self::Redirected {
                status, location, ..
            } => {
                write!(f, "refused: HTTP {status}, a redirect to ")?;
                f.write_str(location.as_deref().unwrap_or("nowhere"))
            }
            Self::Refused {
                status,
                message,
                request_id,
                ..
            } => {
                write!(f, "refused: HTTP {status}: {message}")?;
                write_request_id(f, request_id.as_deref())
            }
            Self::NotFrom {
                server,
                status,
                content_type,
            } => {
                let (server, kind) = (server.name(), content_type.as_deref());
                write!(
                    f,
                    "refused: HTTP {status}, but not from {server}: the answer is {}",
                    kind.unwrap_or("of no type")
                )
            }
            Self::Failing {
                status,
                message,
                request_id,
                gave_up,
                ..
            } => {
                write!(f, "failing: HTTP {status}: {message}")?;
                write_request_id(f, request_id.as_deref())?;
                write_reason(f, gave_up.as_deref())
            }
            Self::Unreachable {
                server,
                message,
                gave_up,
                ..
            } => {
                write!(f, "not reached: {server}: {message}")?;
                write_reason(f, gave_up.as_deref())
            }
            Self::Cancelled => f.write_str("not sent: the build ended before"),
            Self::Output { message } => write!(f, "output: it cannot be printed: {message}"),
        }
    }
}

fn write_request_id(f: &mut fmt::Formatter<'_>, request_id: Option<&str>) -> fmt::Result {
    match request_id {
        Some(id) => write!(f, " (request {id})"),
        None => Ok(()),
    }
}

fn write_reason(f: &mut fmt::Formatter<'_>, reason: Option<&str>) -> fmt::Result {
    match reason {
        Some(reason) => write!(f, "; {reason}"),
        None => Ok(()),
    }
}

impl std::error::Error for Error {}
