//! `build_status sync`: the real binary between a stand-in GitLab and a stand-in Bitbucket.

use serde_json::json;
use stand_in::gitlab::{self, DEFAULT_PROJECT_ID, JOB_TOKEN, Job, PRIVATE_TOKEN, Pipeline, Token};
use stand_in::{Answer, DEFAULT_COMMIT, DEFAULT_TOKEN, GitLab, SECOND_COMMIT, StandIn, Status};

use crate::support::{GITLAB, Ran, Reporter, build_status, shown};

/// Where the GitLab believes that it is.
const HOST: &str = "https://gitlab.example.com";

/// A GitLab with these pipelines. Its own job in 1001, this one, is the first.
pub(crate) fn gitlab(pipelines: impl IntoIterator<Item = Pipeline>) -> GitLab {
    let setup = gitlab::Setup::default().external_url(HOST);
    let add = |setup: gitlab::Setup, pipeline| setup.pipeline(pipeline);
    pipelines.into_iter().fold(setup, add).start()
}

/// Pipeline 1001, in which this job is the first.
pub(crate) fn pipeline() -> Pipeline {
    Pipeline::new(1001).job(Job::new("build-status-sync", "running").stage(".post"))
}

/// The job that syncs pipeline 1001.
pub(crate) fn sync<'a>(
    gitlab: &GitLab,
    bitbucket: &StandIn,
    args: impl IntoIterator<Item = &'a str>,
) -> Reporter {
    let args = ["sync"].into_iter().chain(args);
    build_status(args)
        .envs(GITLAB)
        .to(bitbucket)
        .env("CI_API_V4_URL", gitlab.api_root())
        .env("CI_PROJECT_ID", "42")
        .env("CI_PIPELINE_ID", "1001")
        .env("CI_PIPELINE_IID", "1")
        .env(
            "CI_PIPELINE_URL",
            format!("{HOST}/group/my-project/-/pipelines/1001"),
        )
        .env("CI_JOB_ID", "1")
        .env("CI_JOB_NAME", "build-status-sync")
        .env("CI_JOB_STAGE", ".post")
        .env("CI_JOB_TOKEN", JOB_TOKEN)
        .env("CI_SERVER_VERSION", "19.5.0-ee")
        .without("CI_JOB_STATUS")
}

/// What the reporter in a job sends, when it runs at all.
fn report(bitbucket: &StandIn, state: &str, name: &str, id: u64) {
    let url = format!("{HOST}/group/my-project/-/jobs/{id}");
    let ran = build_status([state]).envs(GITLAB).to(bitbucket);
    ran.env("CI_JOB_NAME", name)
        .env("CI_JOB_URL", url)
        .run()
        .exits(0);
}

/// The last line, which counts.
fn counts(ran: &Ran) -> &str {
    ran.stdout.lines().last().unwrap_or_default()
}

/// Key, state and description of what Bitbucket shows.
fn described(bitbucket: &StandIn) -> Vec<(String, String, String)> {
    let row = |it: Status| (it.key, it.state, it.description.unwrap_or_default());
    let mut rows: Vec<_> = bitbucket
        .statuses(DEFAULT_COMMIT)
        .into_iter()
        .map(row)
        .collect();
    rows.sort();
    rows
}

/// A pipeline with everything that no job can report.
pub(crate) fn eventful(bitbucket: &StandIn) -> GitLab {
    let gitlab = gitlab([
        pipeline() // 1: this job
            .job(Job::new("compile", "success").stage("build")) // 2
            .job(Job::new("lint", "canceled").with(|job| job.started = false))
            .job(Job::failed("integration", "runner_system_failure")) // 4
            .job(Job::new("unit", "failed")) // 5
            .job(Job::new("deploy: [aws, eu]", "success"))
            .job(Job::new("deploy: [gcp, us]", "success"))
            .job(Job::failed("audit", "script_failure").with(|job| job.allow_failure = true))
            .job(Job::new("release", "manual")) // 9
            .job(Job::new("announce", "skipped"))
            .job(Job::bridge("docs", "success", Some(2002))),
        Pipeline::child(2002)
            .job(
                Job::new("unit", "failed")
                    .with(|job| job.failure_reason = "job_execution_timeout".into()),
            )
            .job(Job::new("pages", "success")),
    ]);
    gitlab.change(|instance| instance.retry(1001, "unit", "success"));
    // Those that got that far have reported their beginning.
    report(bitbucket, "running", "compile", 2);
    report(bitbucket, "running", "integration", 4);
    report(bitbucket, "running", "release", 9);
    gitlab
}

#[test]
fn bitbucket_shows_what_gitlab_shows_and_a_second_run_sends_nothing() {
    let bitbucket = StandIn::start();
    let gitlab = eventful(&bitbucket);
    let ran = sync(&gitlab, &bitbucket, []).run().exits(0);
    assert_eq!(counts(&ran), "12 sent, 0 right already, 0 still running");
    let expected = [
        (
            "ci/gitlab-ci/audit",
            "FAILED",
            "the script failed (allowed to fail)",
        ),
        (
            "ci/gitlab-ci/child/pages",
            "SUCCESSFUL",
            "The build passed!",
        ),
        ("ci/gitlab-ci/child/unit", "FAILED", "timed out"),
        ("ci/gitlab-ci/compile", "SUCCESSFUL", "The build passed!"),
        (
            "ci/gitlab-ci/deploy: [aws, eu]",
            "SUCCESSFUL",
            "The build passed!",
        ),
        (
            "ci/gitlab-ci/deploy: [gcp, us]",
            "SUCCESSFUL",
            "The build passed!",
        ),
        ("ci/gitlab-ci/docs", "SUCCESSFUL", "The build passed!"),
        ("ci/gitlab-ci/integration", "FAILED", "the runner was lost"),
        ("ci/gitlab-ci/lint", "STOPPED", "The build was stopped."),
        (
            "ci/gitlab-ci/release",
            "STOPPED",
            "The job waits to be started by hand.",
        ),
        ("ci/gitlab-ci/unit", "SUCCESSFUL", "The build passed!"),
        (
            "pipeline",
            "FAILED",
            "6 passed, 1 cancelled, 3 failed: audit, child/unit, integration",
        ),
    ]
    .map(|(key, state, text)| (key.to_owned(), state.to_owned(), text.to_owned()));
    assert_eq!(described(&bitbucket), expected);

    let before = bitbucket.history().len();
    let ran = sync(&gitlab, &bitbucket, []).run().exits(0);
    assert_eq!(counts(&ran), "0 sent, 12 right already, 0 still running");
    assert_eq!(bitbucket.history().len(), before);
}
