//! Four CI jobs from INPROGRESS to their end, against a stand-in Bitbucket.
//!
//! ```sh
//! cargo run --example quickstart
//! ```
//!
//! The environments are those that the tests use: `tests/providers/*.json`.

use std::ffi::OsString;

use build_status::cli::{Args, EarlyExit};
use build_status::env::Env;
use serde_json::Value;
use stand_in::{DEFAULT_TOKEN, Setup, StandIn};

const GITLAB: &str = include_str!("../tests/providers/gitlab.json");
const CODEBUILD: &str = include_str!("../tests/providers/codebuild.json");

#[expect(clippy::print_stdout, reason = "it is there to print")]
fn main() {
    let bitbucket = Setup::default().any_commit().start();
    println!("A stand-in Bitbucket listens on {}\n", bitbucket.url());

    for (job, variable, fixture, changes) in [
        (
            "A GitLab job that passes",
            "CI_JOB_STATUS=success",
            GITLAB,
            &[][..],
        ),
        (
            "A GitLab job that fails",
            "CI_JOB_STATUS=failed",
            GITLAB,
            &[("CI_JOB_NAME", "integration-tests")],
        ),
        (
            "A CodeBuild build that passes",
            "CODEBUILD_BUILD_SUCCEEDING=1",
            CODEBUILD,
            &[],
        ),
        (
            "A CodeBuild build that fails",
            "CODEBUILD_BUILD_SUCCEEDING=0",
            CODEBUILD,
            &[("CODEBUILD_BATCH_BUILD_IDENTIFIER", "arm64")],
        ),
    ] {
        let mut variables = environment(fixture);
        variables.extend(
            changes
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into())),
        );
        println!("{job}");
        println!("  $ build_status running");
        println!("  {}", report(&bitbucket, &variables, Some("running")));
        let (name, value) = variable.split_once('=').expect("it is written so above");
        variables.push((name.into(), value.into()));
        println!("  $ build_status            # {variable}");
        println!("  {}", report(&bitbucket, &variables, None));
    }

    println!("What Bitbucket shows for the commit now");
    let commit = bitbucket.history()[0].commit.clone();
    for status in bitbucket.statuses(&commit) {
        let name = status.name.unwrap_or_default();
        println!("  {:<10}  {:<30}  {name}", status.state, status.key);
    }
}

/// The variables of the first case in a file of fixtures.
fn environment(fixture: &str) -> Vec<(String, String)> {
    let cases: Value = serde_json::from_str(fixture).expect("fixtures are JSON");
    let variables = cases[0]["env"]
        .as_object()
        .expect("a case has variables")
        .clone();
    let text = |value: Value| value.as_str().expect("variables are text").to_owned();
    variables
        .into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect()
}

/// What the binary does, in this process: it prints the line that this returns.
#[expect(clippy::print_stderr, reason = "an example may")]
fn report(bitbucket: &StandIn, variables: &[(String, String)], state: Option<&str>) -> String {
    let mut env = variables.to_vec();
    env.push(("BITBUCKET_ACCESS_TOKEN".into(), DEFAULT_TOKEN.into()));
    let env: Env = env.into_iter().collect();
    let api_root = bitbucket.api_root();
    let argv = ["build_status", "--api-root", &api_root]
        .into_iter()
        .chain(state);
    let read = match Args::read(argv.map(OsString::from)) {
        Ok(read) => read,
        Err(EarlyExit::Print(text)) => return text,
        Err(EarlyExit::Fail(error)) => panic!("{error}"),
    };
    let exit = build_status::command::run(&read, &env, |line| eprintln!("{line}"));
    assert_eq!(exit.code, 0);
    exit.stdout.trim_end().to_owned()
}
