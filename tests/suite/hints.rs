//! What a new user is told to do about what went wrong first.

use stand_in::StandIn;

use crate::support::{Ran, build_status, gitlab};

const SHA: &str = stand_in::DEFAULT_COMMIT;

/// The variables of a job on GitHub that reports to Cloud.
const GITHUB: &[(&str, &str)] = &[
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_JOB", "test"),
    ("GITHUB_REF", "refs/heads/main"),
    ("GITHUB_REPOSITORY", "octo/cat"),
    ("GITHUB_RUN_ID", "1658821493"),
    ("GITHUB_SERVER_URL", "https://github.com"),
    ("GITHUB_SHA", SHA),
    ("BITBUCKET_REPOSITORY", "my-workspace/my-repo"),
];

/// The hint alone.
#[track_caller]
fn hints(ran: &Ran, part: &str) {
    let hint = ran.stderr.lines().find(|line| line.contains("hint: "));
    let hint = hint.unwrap_or_else(|| panic!("no hint in {ran:#?}"));
    assert!(hint.contains(part), "no `{part}` in {hint}");
}

#[test]
fn a_state_that_is_not_known_is_passed_the_way_of_the_ci() {
    let bitbucket = StandIn::start();
    let words = "pass `${{ job.status }}` in a last step";
    let ran = build_status(&[] as &[&str])
        .envs(GITHUB)
        .to(&bitbucket)
        .run()
        .exits(3);
    hints(&ran, words);
    hints(&ran, "running, passed, failed, stopped");
    let ran = build_status(["check"]).envs(GITHUB).to(&bitbucket).run();
    assert!(ran.stdout.contains(words), "{ran:#?}");
    let ran = gitlab(&bitbucket, [])
        .env("CI_JOB_STATUS", "")
        .run()
        .exits(3);
    hints(&ran, "CI_JOB_STATUS: the end of the job is known in after");
}
