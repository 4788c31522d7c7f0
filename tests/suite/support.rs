//! The binary, started with nothing but what a test gives it.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use stand_in::{DEFAULT_COMMIT, DEFAULT_TOKEN, StandIn, Status};

/// A job of GitLab CI for the stand-in's default repository and commit.
pub(crate) const GITLAB: &[(&str, &str)] = &[
    ("GITLAB_CI", "true"),
    ("CI_COMMIT_BRANCH", "main"),
    ("CI_COMMIT_SHA", DEFAULT_COMMIT),
    ("CI_JOB_ID", "4242"),
    ("CI_JOB_NAME", "unit-tests"),
    ("CI_JOB_STATUS", "success"),
    (
        "CI_JOB_URL",
        "https://gitlab.example.com/my-workspace/my-repo/-/jobs/4242",
    ),
    ("CI_PIPELINE_IID", "17"),
    ("CI_PROJECT_NAME", "my-repo"),
    ("CI_PROJECT_NAMESPACE", "my-workspace"),
    (
        "CI_PROJECT_URL",
        "https://gitlab.example.com/my-workspace/my-repo",
    ),
];

/// A build of CodeBuild for the stand-in's default repository and commit.
pub(crate) const CODEBUILD: &[(&str, &str)] = &[
    (
        "CODEBUILD_BUILD_ID",
        "my-project:8745a7a9-c340-456a-9166-edf953571bEX",
    ),
    (
        "CODEBUILD_BUILD_ARN",
        "arn:aws:codebuild:eu-west-1:123456789012:build/my-project:8745a7a9-c340-456a-9166-edf953571bEX",
    ),
    ("CODEBUILD_BUILD_NUMBER", "12"),
    ("CODEBUILD_BUILD_SUCCEEDING", "1"),
    ("CODEBUILD_RESOLVED_SOURCE_VERSION", DEFAULT_COMMIT),
    (
        "CODEBUILD_SOURCE_REPO_URL",
        "https://bitbucket.org/my-workspace/my-repo.git",
    ),
    ("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/main"),
];

/// A command that ends at once, with exit code 0.
pub(crate) const NOTHING: &[&str] = if cfg!(windows) {
    &["cmd", "/c", "exit 0"]
} else {
    &["true"]
};

/// The binary, about to be started.
pub(crate) struct Reporter {
    command: Command,
}

/// The binary with an emptied environment. Our tests run inside CIs, and CIs are what it detects.
pub(crate) fn build_status<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Reporter {
    let path = env!("CARGO_BIN_EXE_build_status");
    // Compiled elsewhere, it has slashes on Windows too, which its commands take for options.
    let mut command = Command::new(path.replace('/', std::path::MAIN_SEPARATOR_STR));
    command.args(args);
    isolated(command)
}

/// The same for the binary under another name.
#[cfg(unix)]
pub(crate) fn program(path: &Path) -> Reporter {
    isolated(Command::new(path))
}

/// The same for a script in which `build_status` is the binary, and the commands in `tools` come
/// before the machine's.
#[cfg(unix)]
pub(crate) fn shell(script: &str, tools: &Path) -> Reporter {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    let binary = Path::new(env!("CARGO_BIN_EXE_build_status"));
    let path = std::env::join_paths([
        tools,
        binary.parent().unwrap(),
        "/usr/bin".as_ref(),
        "/bin".as_ref(),
    ]);
    isolated(command).env("PATH", path.unwrap())
}

fn isolated(mut command: Command) -> Reporter {
    command.env_clear();
    // Windows opens no socket without it.
    #[cfg(windows)]
    command.env("SystemRoot", std::env::var_os("SystemRoot").unwrap());
    command
        // Nor may it see the remote of this repository's own checkout.
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .env(
            "GIT_CEILING_DIRECTORIES",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/.."),
        );
    Reporter { command }
}

/// A job of GitLab CI that reports to `bitbucket`.
pub(crate) fn gitlab<'a>(bitbucket: &StandIn, args: impl IntoIterator<Item = &'a str>) -> Reporter {
    build_status(args).envs(GITLAB).to(bitbucket)
}

/// A build of CodeBuild that reports to `bitbucket`.
pub(crate) fn codebuild<'a>(
    bitbucket: &StandIn,
    args: impl IntoIterator<Item = &'a str>,
) -> Reporter {
    build_status(args).envs(CODEBUILD).to(bitbucket)
}

/// `run` in a job of GitLab CI, with a shell's PATH for the command.
pub(crate) fn run<'a>(bitbucket: &StandIn, args: impl IntoIterator<Item = &'a str>) -> Reporter {
    let args = ["run"].into_iter().chain(args);
    gitlab(bitbucket, args).env("PATH", std::env::var_os("PATH").unwrap())
}

impl Reporter {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn envs(mut self, variables: &[(&str, &str)]) -> Self {
        self.command.envs(variables.iter().copied());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn within(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Sends to the stand-in, with its default token.
    pub(crate) fn to(self, bitbucket: &StandIn) -> Self {
        self.env("BITBUCKET_API_ROOT", bitbucket.api_root())
            .env("BITBUCKET_ACCESS_TOKEN", DEFAULT_TOKEN)
    }

    /// The same, started by a tool that is given a command.
    #[cfg(unix)]
    pub(crate) fn through(self, tool: &[&str]) -> Self {
        let mut command = Command::new(tool[0]);
        command
            .args(&tool[1..])
            .arg(self.command.get_program())
            .args(self.command.get_args())
            .env_clear();
        let variables = self.command.get_envs();
        command.envs(variables.filter_map(|(name, value)| Some((name, value?))));
        if let Some(directory) = self.command.get_current_dir() {
            command.current_dir(directory);
        }
        Self { command }
    }

    pub(crate) fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    pub(crate) fn run_with_stdin(mut self, text: &str) -> Ran {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the binary starts");
        // It may end without reading it.
        let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
        Ran::from(child.wait_with_output().expect("the binary ends"))
    }

    pub(crate) fn run(mut self) -> Ran {
        let output = self.command.output().expect("the binary starts");
        Ran::from(output)
    }
}

/// A directory that nothing else uses.
pub(crate) fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir(&path).unwrap();
    path
}

/// Whether the process of this number runs.
#[cfg(unix)]
pub(crate) fn is_alive(number: &str) -> bool {
    let args = ["-o", "stat=", "-p", number.trim()];
    let ps = Command::new("ps").args(args).output().unwrap();
    // One that has ended may wait for somebody to ask how.
    !ps.stdout.is_empty() && !ps.stdout.starts_with(b"Z")
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Ran {
    /// Asserts on the exit code, and on what holds of everything that is ever printed.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for line in self.stderr.lines() {
            assert!(line.starts_with("build_status: "), "{self:#?}");
        }
        for forbidden in ["panicked", "RUST_BACKTRACE", DEFAULT_TOKEN] {
            assert!(!self.stderr.contains(forbidden), "{self:#?}");
            assert!(!self.stdout.contains(forbidden), "{self:#?}");
        }
        self
    }

    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "no `{part}` in {self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:#?}"))
    }
}

/// What Bitbucket shows for the default commit: key and state of each status.
pub(crate) fn shown(bitbucket: &StandIn) -> Vec<(String, String)> {
    let pair = |status: Status| (status.key, status.state);
    bitbucket
        .statuses(DEFAULT_COMMIT)
        .into_iter()
        .map(pair)
        .collect()
}

/// The one status that Bitbucket shows for the default commit.
#[track_caller]
pub(crate) fn only_status(bitbucket: &StandIn) -> Status {
    let mut statuses = bitbucket.statuses(DEFAULT_COMMIT);
    assert_eq!(statuses.len(), 1, "{statuses:#?}");
    statuses.remove(0)
}
