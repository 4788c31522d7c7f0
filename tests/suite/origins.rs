//! Where each value came from: with --verbose, in `check`, and when Bitbucket does not know it.

use std::path::Path;
use std::process::Command;

use stand_in::{DEFAULT_COMMIT, DEFAULT_TOKEN, Setup, StandIn};

use crate::support::{Ran, build_status, directory, gitlab};

/// What --verbose says before the first request.
#[track_caller]
fn values(ran: &Ran) -> Vec<&str> {
    let lines = ran.stderr.lines();
    let lines = lines.map(|line| line.strip_prefix("build_status: ").unwrap());
    lines
        .take_while(|line| !line.starts_with("POST "))
        .collect()
}

#[test]
fn verbose_says_where_each_value_came_from() {
    let bitbucket = StandIn::start();
    let ran = gitlab(&bitbucket, ["passed", "--verbose", "--name", "Unit tests"])
        .env("BUILD_KEY", "unit")
        .env("BITBUCKET_NAMESPACE", "my-workspace")
        .run()
        .exits(0);
    let url = "https://gitlab.example.com/my-workspace/my-repo/-/jobs/4242";
    assert_eq!(
        values(&ran),
        [
            "CI: GitLab CI",
            "credentials: a token, sent as Bearer (from BITBUCKET_ACCESS_TOKEN)",
            "key: unit (from BUILD_KEY)",
            "name: Unit tests (from --name)",
            &format!("commit: {DEFAULT_COMMIT} (from GitLab CI)"),
            &format!("url: {url} (from GitLab CI)"),
            "refname: main (from GitLab CI)",
            "repository: my-workspace/my-repo (from BITBUCKET_NAMESPACE and GitLab CI)",
        ]
    );
}

fn git(directory: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .args(arguments)
        .current_dir(directory)
        .status();
    assert!(status.unwrap().success(), "git {arguments:?}");
}

#[test]
fn outside_a_ci_git_and_the_defaults_are_told_apart() {
    let bitbucket = Setup::default().any_commit().start();
    let work = directory("origins");
    git(&work, &["init", "--quiet"]);
    git(
        &work,
        &[
            "remote",
            "add",
            "origin",
            "https://bitbucket.org/my-workspace/my-repo.git",
        ],
    );
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    git(
        &work,
        &[
            &identity[..],
            &["commit", "--quiet", "--allow-empty", "--message=a"],
        ]
        .concat(),
    );
    let token = work.join("token");
    std::fs::write(&token, DEFAULT_TOKEN).unwrap();
    let ran = build_status(["passed", "-v", "--url", "https://ci.example.com/1"])
        .to(&bitbucket)
        .without("BITBUCKET_ACCESS_TOKEN")
        .env("BITBUCKET_ACCESS_TOKEN_FILE", token)
        .env("PATH", std::env::var_os("PATH").unwrap())
        .within(&work)
        .run()
        .exits(0);
    let commit = &bitbucket.history()[0].commit;
    assert_eq!(
        values(&ran),
        [
            "CI: none recognised",
            "credentials: a token, sent as Bearer (from BITBUCKET_ACCESS_TOKEN_FILE)",
            "key: build_status (from the default)",
            "name: build (from the default)",
            &format!("commit: {commit} (from git)"),
            "url: https://ci.example.com/1 (from --url)",
            "refname: none (from the default)",
            "repository: my-workspace/my-repo (from the git remote)",
        ]
    );
}

#[test]
fn a_repository_that_bitbucket_does_not_know_is_said_with_its_origin() {
    let bitbucket = StandIn::start();
    let hint = "set BITBUCKET_REPOSITORY to WORKSPACE/REPO";
    let from_ci =
        "refused: HTTP 404: my-workspace/nosuch (from GitLab CI): You may not have access";
    gitlab(&bitbucket, ["passed"])
        .env("CI_PROJECT_NAME", "nosuch")
        .run()
        .exits(4)
        .says(from_ci)
        .says(hint);
    let from_variable = "HTTP 404: other/my-repo (from BITBUCKET_REPOSITORY): You may not";
    let of_variable = gitlab(&bitbucket, ["passed", "--output", "json"])
        .env("BITBUCKET_REPOSITORY", "other/my-repo")
        .run()
        .exits(4)
        .says(from_variable);
    gitlab(&bitbucket, ["passed"])
        .env("BITBUCKET_NAMESPACE", "not-read")
        .env("BITBUCKET_REPOSITORY", "other/my-repo")
        .run()
        .exits(4)
        .says(from_variable);
    let message = &of_variable.json()["error"]["message"];
    assert!(
        message.as_str().unwrap().contains(from_variable),
        "{message}"
    );
    #[cfg(unix)]
    crate::support::run(&bitbucket, ["--", "true"])
        .env("CI_PROJECT_NAME", "nosuch")
        .run()
        .exits(0)
        .says(from_ci);
    // The repository is known then, and the commit is not.
    gitlab(&bitbucket, ["passed", "--commit", "0123456789"])
        .run()
        .exits(4)
        .says("refused: HTTP 404: 0123456789: Commit not found");
}

#[test]
fn check_names_the_variables_of_the_credentials() {
    let bitbucket = StandIn::start();
    let line = |variables: &[(&str, &str)]| {
        let ran = gitlab(&bitbucket, ["check"])
            .without("BITBUCKET_ACCESS_TOKEN")
            .envs(variables)
            .run();
        let found = ran
            .stdout
            .lines()
            .find(|line| line.contains(" credentials "));
        found.unwrap().to_owned()
    };
    let basic = [
        ("BITBUCKET_ACCESS_TOKEN", "x"),
        ("BITBUCKET_USERNAME", "me@example.com"),
    ];
    assert_eq!(
        line(&basic),
        "ok    credentials  a user name and a token or password, sent as Basic (from \
         BITBUCKET_ACCESS_TOKEN and BITBUCKET_USERNAME)"
    );
    let consumer = [
        ("BITBUCKET_CLIENT_ID", "an-id"),
        ("BITBUCKET_CLIENT_SECRET", "a-secret"),
    ];
    assert_eq!(
        line(&consumer),
        "ok    credentials  an OAuth consumer (from BITBUCKET_CLIENT_SECRET)"
    );
}
