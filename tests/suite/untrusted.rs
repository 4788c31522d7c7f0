//! A working copy that somebody else has written: it steers nothing, runs nothing, and holds nothing up.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use stand_in::{DEFAULT_COMMIT, DEFAULT_TOKEN, Setup, StandIn};

use crate::providers::fixtures;
use crate::support::{
    CODEBUILD, Reporter, build_status, codebuild, directory, gitlab, is_alive, only_status, run,
};

fn git(working_copy: &Path, args: &[&str]) {
    let mut git = Command::new("git");
    let output = git.arg("-C").arg(working_copy).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?} {output:?}");
}

/// A working copy with this as its remote `origin`.
fn working_copy(name: &str, remote: &str) -> PathBuf {
    let path = directory(name);
    git(&path, &["init", "--quiet"]);
    git(&path, &["remote", "add", "origin", remote]);
    path
}

/// A directory with one program in it, which comes before the machine's.
fn with_program(name: &str, program: &str, text: &str) -> String {
    let tools = directory(name);
    let path = tools.join(program);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", tools.display(), std::env::var("PATH").unwrap())
}

/// Where the variables of some CIs say that the working copy is.
const DIRECTORIES: [&str; 9] = [
    "AC_REPOSITORY_DIR",
    "BITBUCKET_CLONE_DIR",
    "BITRISE_SOURCE_DIR",
    "BUILDKITE_BUILD_CHECKOUT_PATH",
    "CI_WORKSPACE",
    "CM_BUILD_DIR",
    "DRONE_WORKSPACE",
    "HARNESS_WORKSPACE",
    "TRAVIS_BUILD_DIR",
];

/// A report of one of this CI's fixtures to nowhere, from within `working_copy`.
fn report_of(id: &str, fixture: usize, working_copy: &Path) -> Reporter {
    let args = ["passed", "--commit", DEFAULT_COMMIT, "--key=k"];
    let mut reporter = build_status(args.into_iter().chain(["--url=https://ci.example.com/1"]));
    for (name, value) in &fixtures()[id][fixture].env {
        if !DIRECTORIES.contains(&name.as_str()) {
            reporter = reporter.env(name, value);
        }
    }
    reporter
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("BITBUCKET_ACCESS_TOKEN", DEFAULT_TOKEN)
        .env("BUILD_STATUS_TIMEOUT", "0.3")
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .within(working_copy)
}

#[test]
fn a_git_remote_never_says_where_the_credentials_go() {
    let evil = StandIn::start();
    let url = format!("{}/scm/x/y.git", evil.url());
    let copy = working_copy("evil remote", &url);
    let ids: Vec<_> = fixtures().into_keys().collect();
    std::thread::scope(|scope| {
        for id in &ids {
            let copy = &copy;
            scope.spawn(move || {
                let code = report_of(id, 0, copy).run().code;
                // The repository is not known, or it is one on Cloud, which is out of reach.
                assert!(matches!(code, Some(2 | 5)), "{id}: {code:?}");
            });
        }
    });
    // These know nothing of the repository on Bitbucket, and ask the working copy.
    for (id, fixture) in [
        ("cirrus", 0),
        ("forgejo", 0),
        ("gitea", 0),
        ("github", 0),
        ("teamcity", 0),
        ("travis", 1),
    ] {
        let ran = report_of(id, fixture, &copy).run().exits(2);
        ran.says(&format!("set BITBUCKET_SERVER_URL to {}", evil.url()));
    }
    assert_eq!(evil.connections(), 0);
}

#[test]
fn a_clone_url_of_the_ci_never_says_where_the_credentials_go_with_a_repository_either() {
    let evil = StandIn::start();
    let nowhere = directory("no remote");
    for (id, variable) in [
        ("jenkins", "GIT_URL"),
        ("codebuild", "CODEBUILD_SOURCE_REPO_URL"),
    ] {
        for repository in ["", "my-workspace/my-repo"] {
            report_of(id, 0, &nowhere)
                .env(variable, format!("{}/scm/x/y.git", evil.url()))
                .env("BITBUCKET_REPOSITORY", repository)
                .run()
                .exits(2)
                .says(&format!("set BITBUCKET_SERVER_URL to {}", evil.url()));
        }
    }
    assert_eq!(evil.connections(), 0);
}

/// In no CI, so that the commit is the one that is checked out: the one thing that makes git read
/// objects.
fn report_from(working_copy: &Path, path: &str) -> Reporter {
    build_status(["passed", "--repository=ws/repo", "--dry-run"])
        .env("BUILD_STATUS_KEY", "k")
        .env("BUILD_STATUS_URL", "https://ci.example.com/1")
        .env("BITBUCKET_ACCESS_TOKEN", DEFAULT_TOKEN)
        .env("PATH", path)
        .within(working_copy)
}

/// A working copy that lacks the commit that is checked out, and whose configuration says how to fetch
/// it: by running a command that leaves `marker` behind.
fn promising(name: &str, marker: &Path, settings: &[(&str, &str)]) -> PathBuf {
    let copy = working_copy(name, "/nosuch");
    git(&copy, &["config", "core.repositoryFormatVersion", "1"]);
    git(&copy, &["config", "extensions.partialClone", "origin"]);
    git(&copy, &["config", "remote.origin.promisor", "true"]);
    let marker = marker.to_str().unwrap();
    for (setting, value) in settings {
        git(
            &copy,
            &["config", setting, &value.replace("MARKER", marker)],
        );
    }
    fs::write(copy.join(".git/HEAD"), format!("{DEFAULT_COMMIT}\n")).unwrap();
    copy
}

/// Each runs a command when an object is fetched.
const TRANSPORTS: [&[(&str, &str)]; 3] = [
    &[
        ("remote.origin.url", "ssh://git@127.0.0.1:1/x/y.git"),
        ("core.sshCommand", "touch MARKER; false"),
        ("protocol.ssh.allow", "always"),
    ],
    &[
        ("remote.origin.url", "ext::touch MARKER"),
        ("protocol.ext.allow", "always"),
    ],
    &[
        ("remote.origin.url", "/tmp"),
        ("remote.origin.uploadpack", "touch MARKER; false"),
        ("protocol.file.allow", "always"),
    ],
];

#[test]
fn no_configuration_of_a_working_copy_runs_a_command() {
    // As git did before 2.45, which knows no GIT_NO_LAZY_FETCH.
    let real = Command::new("sh")
        .args(["-c", "command -v git"])
        .output()
        .unwrap();
    let real = String::from_utf8(real.stdout).unwrap();
    let old = format!(
        "#!/bin/sh\nunset GIT_NO_LAZY_FETCH\nexec {} \"$@\"\n",
        real.trim()
    );
    let old = with_program("old git", "git", &old);
    let today = std::env::var("PATH").unwrap();
    let marker = directory("markers").join("ran");
    for (number, settings) in TRANSPORTS.iter().enumerate() {
        let copy = promising(&format!("promising {number}"), &marker, settings);
        let lazy = || {
            let mut git = Command::new("git");
            git.arg("-C")
                .arg(&copy)
                .args(["rev-parse", "HEAD^{commit}"]);
            git.output().unwrap();
        };
        lazy();
        assert!(marker.exists(), "git by itself runs it: {settings:?}");
        fs::remove_file(&marker).unwrap();
        for path in [&today, &old] {
            report_from(&copy, path).run().exits(3).says("no commit");
            assert!(!marker.exists(), "{settings:?} {path}");
        }
    }
}

#[test]
fn a_working_copy_of_another_user_is_not_asked() {
    if !rustix::process::geteuid().is_root() {
        return; // nobody else may give a directory away
    }
    let copy = working_copy(
        "of another user",
        "git@bitbucket.org:my-workspace/my-repo.git",
    );
    let chown = |owner: &str| {
        let chown = Command::new("chown")
            .args(["-R", owner])
            .arg(&copy)
            .status();
        assert!(chown.unwrap().success());
    };
    let below = copy.join("below");
    fs::create_dir(&below).unwrap();
    let report = || {
        let path = std::env::var_os("PATH").unwrap();
        let reporter = build_status(["passed", "--dry-run", "--output=json"]).envs(CODEBUILD);
        let reporter = reporter.without("CODEBUILD_SOURCE_REPO_URL");
        reporter.env("PATH", path).within(&below).run()
    };
    assert_eq!(
        report().exits(0).json()["repository"],
        "my-workspace/my-repo"
    );
    chown("65534");
    report().exits(2);
    chown("0");
}

#[cfg(target_os = "linux")]
#[test]
fn git_gets_none_of_the_jobs_variables() {
    let seen = directory("variables of git").join("seen");
    let text = format!(
        "#!/bin/sh\ncat /proc/$$/environ > '{}'\nexit 1\n",
        seen.display()
    );
    let bitbucket = StandIn::start();
    codebuild(&bitbucket, ["passed"])
        .without("CODEBUILD_SOURCE_REPO_URL")
        .env("PATH", with_program("git that tells", "git", &text))
        .env("HOME", "/nosuch")
        .env("SECRET_OF_THE_JOB", "x")
        .env("GIT_SSH_COMMAND", "x")
        .run()
        .exits(2);
    let seen = fs::read_to_string(seen).unwrap();
    let names = seen
        .split_terminator('\0')
        .map(|it| it.split_once('=').unwrap().0);
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    let expected = [
        "GIT_ALLOW_PROTOCOL",
        "GIT_CEILING_DIRECTORIES",
        "GIT_NO_LAZY_FETCH",
        "GIT_OPTIONAL_LOCKS",
        "GIT_TERMINAL_PROMPT",
        "HOME",
        "PATH",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_git_that_sleeps_is_killed_after_two_seconds_with_all_that_it_has_started() {
    let sleeper = directory("sleeper").join("pid");
    let text = format!(
        "#!/bin/sh\nsleep 30 &\necho $! > '{}'\nwait\n",
        sleeper.display()
    );
    let path = with_program("git that sleeps", "git", &text);
    let bitbucket = StandIn::start();
    let report = |args: &[&str]| {
        let reporter = codebuild(&bitbucket, args.iter().copied());
        let reporter = reporter
            .without("CODEBUILD_SOURCE_REPO_URL")
            .env("PATH", &path);
        let started = Instant::now();
        let ran = reporter.run();
        let elapsed = started.elapsed();
        let seconds = Duration::from_secs(2)..Duration::from_secs(4);
        assert!(seconds.contains(&elapsed), "{elapsed:?} {ran:#?}");
        assert!(!is_alive(&fs::read_to_string(&sleeper).unwrap()));
        ran
    };
    report(&["passed"]).exits(2);
    report(&["run", "--", "true"])
        .exits(0)
        .says("this run is not reported");
    assert_eq!(bitbucket.connections(), 0);
}

#[test]
fn what_the_command_makes_of_its_working_copy_is_not_what_is_reported() {
    let copy = working_copy("rewritten", "git@bitbucket.org:my-workspace/my-repo.git");
    let commit = "-c user.name=a -c user.email=a@b commit --quiet --allow-empty --message";
    let commit: Vec<_> = commit.split(' ').chain(["built"]).collect();
    git(&copy, &commit);
    let built = fs::read_to_string(copy.join(".git/refs/heads/master")).unwrap();
    let token = directory("token that goes").join("token");
    fs::write(&token, DEFAULT_TOKEN).unwrap();
    // The command would be faster than this git.
    let slow = "#!/bin/sh\nPATH=${PATH#*:}\nsleep 0.3\nexec git \"$@\"\n";
    let script = format!(
        "PATH=${{PATH#*:}}; rm '{}'; git {}; git remote set-url origin git@bitbucket.org:a/b.git",
        token.display(),
        commit.join(" ")
    );
    let bitbucket = Setup::default().any_commit().any_repository().start();
    let args = [
        "run",
        "--key=k",
        "--url=https://ci.example.com/1",
        "--",
        "sh",
        "-c",
    ];
    build_status(args.into_iter().chain([&*script]))
        .to(&bitbucket)
        .without("BITBUCKET_ACCESS_TOKEN")
        .env("BITBUCKET_ACCESS_TOKEN_FILE", &token)
        .env("PATH", with_program("git that is slow", "git", slow))
        .within(&copy)
        .run()
        .exits(0);
    assert_ne!(
        fs::read_to_string(copy.join(".git/refs/heads/master")).unwrap(),
        built
    );
    let found = bitbucket.history().pop().unwrap();
    let found = [found.workspace, found.repository, found.commit, found.state];
    assert_eq!(
        found,
        ["my-workspace", "my-repo", built.trim(), "SUCCESSFUL"]
    );
}

#[test]
fn a_configuration_that_includes_a_pipe_holds_nothing_up() {
    let copy = working_copy("with a pipe", "git@bitbucket.org:my-workspace/my-repo.git");
    let pipe = copy.join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let config = copy.join(".git/config");
    let include = format!(
        "{}[include]\npath = {}\n",
        fs::read_to_string(&config).unwrap(),
        pipe.display()
    );
    fs::write(&config, include).unwrap();
    let bitbucket = StandIn::start();
    let started = Instant::now();
    codebuild(&bitbucket, ["passed"])
        .without("CODEBUILD_SOURCE_REPO_URL")
        .env("PATH", std::env::var_os("PATH").unwrap())
        .within(&copy)
        .run()
        .exits(2);
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_secs(4), "{elapsed:?}");
}

#[test]
fn git_is_not_asked_where_nothing_is_missing() {
    let marker = directory("asked").join("git");
    let text = format!("#!/bin/sh\ntouch '{}'\n", marker.display());
    let path = with_program("git that is not asked", "git", &text);
    let bitbucket = StandIn::start();
    for reporter in [
        gitlab(&bitbucket, ["passed"]),
        codebuild(&bitbucket, ["passed"]),
        run(&bitbucket, ["--", "true"]),
    ] {
        reporter.env("PATH", &path).run().exits(0);
        assert!(!marker.exists());
    }
    let missing = codebuild(&bitbucket, ["passed"]).without("CODEBUILD_SOURCE_REPO_URL");
    missing.env("PATH", &path).run().exits(2);
    assert!(marker.exists(), "git is asked where something is missing");
}

#[test]
fn variables_are_read_by_their_exact_names() {
    let bitbucket = StandIn::start();
    gitlab(&bitbucket, [])
        .without("CI_JOB_STATUS")
        .env("ci_job_status", "success")
        .run()
        .exits(3);
    gitlab(&bitbucket, [])
        .env("build_status", "failed")
        .env("bitbucket_repository", "ws/other")
        .run()
        .exits(0);
    assert_eq!(only_status(&bitbucket).state, "SUCCESSFUL");
}

/// Buildkite's own agents may run on CodeBuild's machines, as GitLab's and GitHub's do.
#[test]
fn buildkite_on_a_machine_of_codebuilds_is_buildkite() {
    let mut reporter = build_status(["context", "--output=json"]).envs(CODEBUILD);
    for (name, value) in &fixtures()["buildkite"][0].env {
        reporter = reporter.env(name, value);
    }
    assert_eq!(reporter.run().exits(0).json()["provider"], "buildkite");
}
