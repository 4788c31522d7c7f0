//! Every error: its message, its hint, its exit code.

use std::borrow::Cow;
use std::fmt;
use std::io;

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

/// What to do about a file that cannot be read.
pub(crate) const CHECK_PATH: &str =
    "check the path; in a container, it is one inside the container";

/// What to do about a variable of CodePipeline's that stands there literally.
pub(crate) const NOT_EXPANDED: &str = "set `Namespace: SourceVariables` at the source action: CodePipeline \
                                       expands #{Namespace.Name} only if an earlier action has that \
                                       namespace and sets that variable";

/// Why a status was not delivered.
///
/// `Display` says what is wrong and where it came from, [`hint`](Self::hint) what to do.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The command line is wrong.
    Usage {
        /// clap's message.
        message: String,
        /// What to do instead.
        hint: Option<&'static str>,
    },
    /// An option or variable has an unusable value.
    Setting {
        /// The option or variable.
        origin: String,
        /// What is wrong with the value.
        problem: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// `--provider` names an unknown CI.
    UnknownProvider {
        /// The value of `--provider`.
        id: String,
        /// The ids of the known CIs.
        known: Vec<&'static str>,
    },
    /// The environment matches more than one CI.
    SeveralProviders {
        /// Their ids.
        ids: Vec<&'static str>,
    },
    /// envy cannot read a CI's variables. A bug: the structs accept every value.
    Environment {
        /// The CI.
        provider: &'static str,
        /// envy's message.
        message: String,
    },
    /// The given word is not a state.
    UnknownState {
        /// The argument or variable that holds the word.
        origin: String,
        /// The word.
        word: String,
        /// A similar state or command.
        meant: Option<&'static str>,
    },
    /// No state is given, and the CI does not say it.
    NoState {
        /// The CI's variable for the state, which is unset or has an unknown value.
        variable: Option<&'static str>,
        /// When that variable is final; without a variable, how to pass the state in this CI.
        caveat: Option<&'static str>,
    },
    /// No commit is given, and neither the CI nor git says it.
    NoCommit,
    /// The value for the commit is not a hash, or not one that Bitbucket can know.
    NotACommit {
        /// Why, naming the option or variable.
        reason: String,
        /// Whether the value comes from `--commit` or its variable, not from the CI.
        given: bool,
    },
    /// No URL is given for the build's page, and the CI does not say it.
    NoUrl {
        /// The setting of the CI that determines the URL.
        setting: Option<&'static str>,
    },
    /// Bitbucket would refuse the URL of the build's page.
    BadUrl {
        /// The option, variable or setting that determines the URL.
        origin: String,
        /// The URL.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The repository on Bitbucket is unknown.
    NoRepository {
        /// What is known, and why that is not enough.
        found: Option<String>,
    },
    /// The clone URL is that of a Data Center, and no option or variable names the server.
    NoServer {
        /// The host in the clone URL.
        host: String,
        /// The server's URL, if it follows from the clone URL.
        url: Option<String>,
    },
    /// No credentials are set.
    NoCredentials {
        /// Why a secret may be missing in a job of this CI.
        caveat: Option<&'static str>,
    },
    /// A file cannot be read.
    Unreadable {
        /// The option or variable that names the file.
        origin: String,
        /// The path of the file, unless it may be the secret itself.
        path: Option<String>,
        /// The system's message.
        message: String,
        /// What may help.
        hint: Option<&'static str>,
    },
    /// The answer is 3xx. Redirects are not followed: a redirected POST becomes a GET, and a login
    /// page would be taken for success.
    Redirected {
        /// Who was called.
        server: Server,
        /// The HTTP status.
        status: u16,
        /// The header `Location`.
        location: Option<String>,
    },
    /// The server answered 4xx, or with a success that a report cannot have.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Bitbucket's message.
        message: String,
        /// The id of the request in Bitbucket's logs.
        request_id: Option<String>,
        /// What the answer means for these credentials.
        hint: Option<&'static str>,
    },
    /// A 2xx that is not the server's, but that of a login page or proxy.
    NotFrom {
        /// Who was called.
        server: Server,
        /// The HTTP status.
        status: u16,
        /// The header `Content-Type`.
        content_type: Option<String>,
    },
    /// The server answered 429, 5xx or the like to the last attempt.
    Failing {
        /// The HTTP status.
        status: u16,
        /// Bitbucket's message.
        message: String,
        /// The id of the request in Bitbucket's logs.
        request_id: Option<String>,
        /// Why there was no further attempt.
        gave_up: Option<String>,
        /// What the answer means on this product.
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
    /// The last attempt got no answer.
    Unreachable {
        /// The host that was called, with the port if the URL has one.
        server: String,
        /// What happened.
        message: String,
        /// Why there was no further attempt.
        gave_up: Option<String>,
        /// What may help.
        hint: Option<&'static str>,
    },
    /// The report was given up, because a later one was due or a second signal came.
    Cancelled,
    /// The result cannot be written to stdout.
    Output {
        /// The system's message.
        message: String,
    },
}

impl Error {
    /// An unusable value of an option or variable, called `origin`.
    pub(crate) fn setting(
        origin: impl Into<String>,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Setting {
            origin: origin.into(),
            problem: problem.into(),
            hint: Some(hint.into()),
        }
    }

    /// The same where the problem says all there is to say.
    pub(crate) fn unusable(origin: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Setting {
            origin: origin.into(),
            problem: problem.into(),
            hint: None,
        }
    }

    /// A file that cannot be read, which `origin` names. Without `path` where that may be a secret, given in
    /// place of its file's.
    pub(crate) fn unreadable(origin: &str, path: Option<&str>, error: &io::Error) -> Self {
        Self::Unreadable {
            origin: origin.to_owned(),
            path: path.map(str::to_owned),
            message: error.to_string(),
            hint: Some(CHECK_PATH),
        }
    }

    /// A success that is not an answer to what was asked.
    pub(crate) fn unexpected(message: impl Into<String>, hint: Option<&'static str>) -> Self {
        Self::Refused {
            status: 200,
            message: message.into(),
            request_id: None,
            hint,
        }
    }

    /// The same; where the server does not know the repository or the commit, with the one that it was
    /// asked for.
    pub(crate) fn about(mut self, place: Option<&str>, commit: &str) -> Self {
        if let Self::Refused {
            status: 404,
            message,
            ..
        } = &mut self
        {
            let is_of_commit = message.contains("ommit");
            let asked = if is_of_commit { Some(commit) } else { place };
            if let Some(asked) = asked.filter(|it| !message.contains(it)) {
                *message = format!("{asked}: {message}");
            }
        }
        self
    }

    /// The exit code, 1 to 5, and the value of `error.kind` in JSON.
    const fn code_and_kind(&self) -> (i32, &'static str) {
        match self {
            Self::Environment { .. } => (1, "environment"),
            Self::Unreadable { .. } => (1, "unreadable"),
            Self::Output { .. } => (1, "output"),
            Self::Usage { .. } => (2, "usage"),
            Self::Setting { .. } => (2, "setting"),
            Self::UnknownProvider { .. } => (2, "unknown_provider"),
            Self::SeveralProviders { .. } => (2, "several_providers"),
            Self::UnknownState { .. } => (2, "unknown_state"),
            Self::BadEvent { .. } => (2, "bad_event"),
            Self::BadUrl { .. } => (2, "bad_url"),
            Self::NoRepository { .. } => (2, "no_repository"),
            Self::NoServer { .. } => (2, "no_server"),
            Self::NoCredentials { .. } => (2, "no_credentials"),
            Self::NothingToReport { .. } => (3, "nothing_to_report"),
            Self::NoState { .. } => (3, "no_state"),
            Self::NoCommit => (3, "no_commit"),
            Self::NotACommit { .. } => (3, "not_a_commit"),
            Self::NoUrl { .. } => (3, "no_url"),
            Self::Redirected { .. } => (4, "redirected"),
            Self::Refused { .. } => (4, "refused"),
            Self::NotFrom { server, .. } => match server {
                Server::Bitbucket => (4, "not_bitbucket"),
                Server::GitLab => (4, "not_gitlab"),
            },
            Self::Failing { .. } => (5, "failing"),
            Self::Unreachable { .. } => (5, "unreachable"),
            Self::Cancelled => (5, "cancelled"),
        }
    }

    /// The exit code, 1 to 5.
    pub const fn exit_code(&self) -> i32 {
        self.code_and_kind().0
    }

    /// Adds the reason why there was no further attempt.
    pub(crate) fn giving_up(mut self, reason: Option<String>) -> Self {
        if let Self::Failing { gave_up, .. } | Self::Unreachable { gave_up, .. } = &mut self {
            *gave_up = reason;
        }
        self
    }

    /// Whether `--no-fail` turns the error into a warning: its exit code is 3, 4 or 5.
    pub(crate) const fn is_forgivable(&self) -> bool {
        matches!(self.exit_code(), 3..=5)
    }

    /// The value of `error.kind` in JSON.
    pub(crate) const fn kind(&self) -> &'static str {
        self.code_and_kind().1
    }

    /// The HTTP status of the answer, if there was one.
    pub(crate) const fn http_status(&self) -> Option<u16> {
        match self {
            Self::Redirected { status, .. }
            | Self::Refused { status, .. }
            | Self::NotFrom { status, .. }
            | Self::Failing { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What to do.
    pub fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Setting { hint, .. } => return hint.as_deref().map(Cow::from),
            Self::UnknownProvider { known, .. } => {
                return Some(format!("use one of {}", known.join(", ")).into());
            }
            Self::SeveralProviders { .. } => "choose one with --provider or BUILD_STATUS_PROVIDER",
            Self::Environment { .. } => "this is a bug: please report it",
            Self::UnknownState { word, meant, .. } => return Some(state_hint(word, *meant).into()),
            Self::NoState { variable, caveat } => {
                let words = match caveat {
                    Some(_) => "the state is running, passed, failed or stopped",
                    None => "no CI is recognised here: pass running, passed, failed or stopped",
                };
                let variable = optional("", *variable, ": ");
                let caveat = optional(&format!("; {variable}"), *caveat, "");
                return Some(format!("{words}{caveat}").into());
            }
            Self::NoCommit => "pass --commit or set BUILD_STATUS_COMMIT",
            Self::NotACommit { reason: text, .. } | Self::BadUrl { url: text, .. }
                if text.contains("#{") =>
            {
                NOT_EXPANDED
            }
            Self::NotACommit { given: true, .. } => {
                "pass the hash, for example --commit \"$(git rev-parse HEAD)\": Bitbucket finds \
                 commits by hash only"
            }
            // No command for it here: HEAD may be a merge commit that exists in the CI only.
            Self::NotACommit { .. } => {
                "pass the hash with --commit or BUILD_STATUS_COMMIT: Bitbucket finds commits by hash \
                 only"
            }
            Self::NoUrl { setting } => {
                let pass = "pass the build's page with --url or BUILD_STATUS_URL";
                let set = optional("set ", *setting, ", or ");
                return Some(format!("{set}{pass}").into());
            }
            Self::BadUrl { .. } => "fix it, or pass another URL with --url or BUILD_STATUS_URL",
            Self::NoRepository { .. } => {
                "set BITBUCKET_REPOSITORY to WORKSPACE/REPO, or set BITBUCKET_NAMESPACE to the \
                 workspace (Data Center: the project's key, or ~user) and BITBUCKET_REPOSITORY to \
                 the repository"
            }
            Self::NoServer { url, .. } => {
                let set = match url {
                    Some(url) => {
                        format!("if that server is yours, set BITBUCKET_SERVER_URL to {url}")
                    }
                    None => "set BITBUCKET_SERVER_URL to the address of its pages, context path \
                             included, such as https://git.example.com/bitbucket"
                        .into(),
                };
                let why = "a clone URL alone does not decide where credentials go";
                return Some(format!("{set}; {why}").into());
            }
            Self::NoCredentials { caveat } => {
                let set = "an access token needs no other variable; with an API token, also \
                           set BITBUCKET_USERNAME to its account's email (with a Data Center \
                           password, to its user)";
                return Some(format!("{set}{}", optional("; ", *caveat, "")).into());
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
                 (Data Center), and whether a login page intercepts the request"
            }
            Self::NotFrom { .. } => {
                "a login page or a proxy answered instead: check BITBUCKET_API_ROOT (Cloud) or \
                 BITBUCKET_SERVER_URL (Data Center), and the proxy variables"
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
            Self::UnknownProvider { id, .. } => write!(f, "provider: `{id}` is not a known CI"),
            Self::SeveralProviders { ids } => {
                let ids = ids.join(", ");
                write!(f, "provider: the environment matches several CIs: {ids}")
            }
            Self::Environment {
                provider: ci,
                message,
            } => write!(
                f,
                "environment: cannot read the variables of {ci}: {message}"
            ),
            Self::UnknownState { origin, word, .. } => {
                write!(f, "state: `{word}` is not a known state (from {origin})")
            }
            Self::NoState { variable, .. } => {
                let variable = optional(" (", *variable, " is unset or not a known state)");
                write!(f, "no state: pass STATE or set BUILD_STATUS{variable}")
            }
            Self::BadEvent { problem } => write!(f, "event: {problem}"),
            Self::NothingToReport { reason } => write!(f, "nothing to report: {reason}"),
            Self::NoCommit => f.write_str("no commit: neither the CI nor git names one"),
            Self::NotACommit { reason, .. } => write!(f, "commit: {reason}"),
            Self::NoUrl { .. } => f.write_str("no url: the CI does not name the build's page"),
            Self::BadUrl {
                origin,
                url,
                problem,
            } => write!(
                f,
                "url: Bitbucket would refuse `{url}`: {problem} (from {origin})"
            ),
            Self::NoRepository { found: None } => {
                f.write_str("repository: cannot determine the Bitbucket repository")
            }
            Self::NoRepository { found: Some(found) } => write!(f, "repository: {found}"),
            Self::NoServer { host, .. } => write!(
                f,
                "server: the repository is on a Bitbucket Data Center ({host}), and \
                 BITBUCKET_SERVER_URL is not set"
            ),
            Self::NoCredentials { .. } => f.write_str("no credentials: set BITBUCKET_ACCESS_TOKEN"),
            Self::Unreadable {
                origin,
                path,
                message,
                ..
            } => {
                let file = path.as_ref().map(|path| format!("`{path}`"));
                let file = file.as_deref().unwrap_or("that it names");
                write!(f, "{origin}: cannot read the file {file}: {message}")
            }
            Self::Redirected {
                status, location, ..
            } => {
                let to = location.as_ref().map(|location| format!("to {location}"));
                let to = to.as_deref().unwrap_or("without a Location");
                write!(f, "refused: HTTP {status}, a redirect {to}")
            }
            Self::Refused {
                status,
                message,
                request_id,
                ..
            } => {
                let request = optional(" (request ", request_id.as_deref(), ")");
                write!(f, "refused: HTTP {status}: {message}{request}")
            }
            Self::NotFrom {
                server,
                status,
                content_type,
            } => {
                let content_type = content_type.as_deref().unwrap_or("no content type");
                write!(
                    f,
                    "refused: HTTP {status}, but the answer is not from {} ({content_type})",
                    server.name()
                )
            }
            Self::Failing {
                status,
                message,
                request_id,
                gave_up,
                ..
            } => {
                let request = optional(" (request ", request_id.as_deref(), ")");
                let reason = optional("; ", gave_up.as_deref(), "");
                write!(f, "failing: HTTP {status}: {message}{request}{reason}")
            }
            Self::Unreachable {
                server,
                message,
                gave_up,
                ..
            } => {
                let reason = optional("; ", gave_up.as_deref(), "");
                write!(f, "not reached: {server}: {message}{reason}")
            }
            Self::Cancelled => f.write_str("reporting was given up: a second signal came"),
            Self::Output { message } => write!(f, "output: cannot write to stdout: {message}"),
        }
    }
}

/// `text` between the two others, or nothing.
fn optional(before: &str, text: Option<&str>, after: &str) -> String {
    text.map_or_else(String::new, |text| format!("{before}{text}{after}"))
}

impl std::error::Error for Error {}

/// What to write in place of `word`, which `meant` is similar to.
fn state_hint(word: &str, meant: Option<&str>) -> String {
    match meant {
        // A command is one only where it stands first.
        Some(command) if command == word => {
            format!("put the options behind it: build_status {command} …")
        }
        _ => {
            let meant = meant.map(|word| format!("did you mean `{word}`? Otherwise "));
            meant.unwrap_or_default()
                + "use running, passed, failed or stopped (build_status --help lists all words), or \
                   auto for the CI's job status"
        }
    }
}
