//! `build_status sync`: the real binary between a stand-in GitLab and a stand-in Bitbucket.

use std::fmt::Write as _;

use serde_json::{Value, json};
use stand_in::gitlab::{self, DEFAULT_PROJECT_ID, JOB_TOKEN, Job, PRIVATE_TOKEN, Pipeline, Token};
use stand_in::{Answer, DEFAULT_COMMIT, DEFAULT_TOKEN, GitLab, SECOND_COMMIT, StandIn, Status};

use crate::docs::with_blocks;
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
    in_job(gitlab, bitbucket, ["sync"].into_iter().chain(args))
}

/// The same job with another command.
fn in_job<'a>(
    gitlab: &GitLab,
    bitbucket: &StandIn,
    args: impl IntoIterator<Item = &'a str>,
) -> Reporter {
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

/// The transcripts in docs/sync.md. `UPDATE=1 cargo test --test suite` writes them.
#[test]
fn the_documentation_shows_what_is_printed() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sync.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let blocks = [
        ("check", documented_check()),
        ("transcript", documented_run()),
    ];
    let expected = with_blocks(&page, &blocks);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, expected).unwrap();
        return;
    }
    assert!(
        page == expected,
        "docs/sync.md is out of date: run `UPDATE=1 cargo test --test suite`"
    );
}

/// The job that checks: one other job has ended, one has not.
fn documented_check() -> String {
    let bitbucket = StandIn::start();
    let gitlab = gitlab([Pipeline::new(1001)
        .job(Job::new("build-status-check", "running").stage(".pre"))
        .job(Job::new("compile", "success"))
        .job(Job::new("unit", "running"))]);
    let mut text = String::from("```console\n");
    for args in [&["check"][..], &["sync", "--dry-run"]] {
        let ran = in_job(&gitlab, &bitbucket, args.iter().copied())
            .env("CI_JOB_NAME", "build-status-check")
            .env("CI_JOB_STAGE", ".pre")
            .env("CI_JOB_STATUS", "running")
            .env("BITBUCKET_REPOSITORY", "my-workspace/my-repo")
            .run()
            .exits(0);
        write!(text, "$ build_status {}\n{}", args.join(" "), ran.stdout).unwrap();
    }
    text.replace(&bitbucket.api_root(), "https://api.bitbucket.org/2.0") + "```\n"
}

fn documented_run() -> String {
    let bitbucket = StandIn::start();
    let gitlab = eventful(&bitbucket);
    let mut text = String::from("```console\n");
    for _ in 0..2 {
        let ran = sync(&gitlab, &bitbucket, []).run().exits(0);
        text += "$ build_status sync\n";
        for line in ran.stdout.lines() {
            // Times differ.
            let timeless = line.rsplit_once(", ").filter(|_| line.ends_with(" s)"));
            text += &timeless.map_or(line.to_owned(), |(start, _)| format!("{start}, 0.01 s)"));
            text += "\n";
        }
    }
    text += "```\n\n| job | on GitLab | on Bitbucket | |\n|---|---|---|---|\n";
    let shown = described(&bitbucket);
    for (pipeline, child) in [(1001, ""), (2002, "child/")] {
        let jobs = gitlab.change(|instance| instance.pipeline(pipeline).jobs.clone());
        for job in jobs.iter().filter(|job| !job.retried && job.id != 1) {
            let name = format!("{child}{}", job.name);
            let found = shown
                .iter()
                .find(|(key, ..)| *key == format!("ci/gitlab-ci/{name}"));
            let (state, said) = found.map_or(("", ""), |(_, state, said)| (state, said));
            let status = &job.status;
            writeln!(text, "| `{name}` | {status} | {state} | {said} |").unwrap();
        }
    }
    let (_, state, said) = shown.iter().find(|(key, ..)| key == "pipeline").unwrap();
    writeln!(text, "| the pipeline | | {state} | {said} |").unwrap();
    text
}

#[test]
fn check_says_whether_the_jobs_may_be_read_and_what_to_do_if_not() {
    let bitbucket = StandIn::start();
    for (version, line) in [
        (
            "19.5",
            "ok    gitlab       CI_JOB_TOKEN may read the pipeline's jobs, for sync\n",
        ),
        (
            "17.9",
            "warn  gitlab       sync would not work: refused: HTTP 404: 404 Project Not Found (GitLab 19.5.0-ee, CI_JOB_TOKEN)",
        ),
    ] {
        let setup = gitlab::Setup::default().version(version);
        let gitlab = setup.pipeline(pipeline()).start();
        let ran = in_job(&gitlab, &bitbucket, ["check"]).run().exits(0);
        assert!(ran.stdout.contains(line), "{ran:#?}");
        assert_eq!(
            ran.stdout
                .contains("\ngitlab: job tokens may read jobs from GitLab 18.3 on"),
            version == "17.9"
        );
        assert_eq!(gitlab.received().len(), 1);
    }
}

/// Key, name, link and refname of what Bitbucket shows.
fn identities(bitbucket: &StandIn) -> Vec<(String, Option<String>, String, Option<String>)> {
    let statuses = bitbucket.statuses(DEFAULT_COMMIT).into_iter();
    let row = |it: Status| (it.key, it.name, it.url, it.refname);
    let mut rows: Vec<_> = statuses.map(row).collect();
    rows.sort();
    rows
}

#[test]
fn a_status_is_the_one_that_the_job_itself_would_have_written() {
    const LONG: &str = "a job with quite a long name: [linux, \"x86\"]";
    let gitlab = gitlab([
        pipeline()
            .job(Job::new("unit", "success")) // 2
            .job(Job::new(LONG, "success")) // 3
            .job(Job::bridge("docs", "success", Some(2002))), // 4
        Pipeline::child(2002).job(Job::new("unit", "success")), // 5
    ]);
    let (theirs, ours) = (StandIn::start(), StandIn::start());
    for (name, id, pipeline, source) in [
        ("unit", "2", "1", "push"),
        (LONG, "3", "1", "push"),
        ("docs", "4", "1", "push"),
        ("unit", "5", "2", "parent_pipeline"),
    ] {
        build_status(["passed"])
            .envs(GITLAB)
            .to(&theirs)
            .env("CI_JOB_NAME", name)
            .env("CI_JOB_URL", format!("{HOST}/group/my-project/-/jobs/{id}"))
            .env("CI_PIPELINE_IID", pipeline)
            .env("CI_PIPELINE_SOURCE", source)
            .run()
            .exits(0);
    }
    let args = ["--pipeline-key", ""];
    sync(&gitlab, &ours, args).run().exits(0);
    assert_eq!(identities(&ours), identities(&theirs));
    let ran = sync(&gitlab, &theirs, args).run().exits(0);
    assert_eq!(counts(&ran), "0 sent, 4 right already, 0 still running");
}

#[test]
fn no_token_reaches_the_other_side_nor_a_host_that_a_link_names() {
    let (bitbucket, elsewhere) = (StandIn::start(), StandIn::start());
    let jobs = (0..150).map(|number| Job::new(&format!("job {number}"), "success"));
    let gitlab = gitlab::Setup::default()
        .external_url(&elsewhere.url())
        .pipeline(jobs.fold(pipeline(), Pipeline::job))
        .start();
    for (variables, name, token) in [
        (&[][..], "job-token", JOB_TOKEN),
        (
            &[("BUILD_STATUS_GITLAB_TOKEN", PRIVATE_TOKEN)],
            "private-token",
            PRIVATE_TOKEN,
        ),
    ] {
        let before = gitlab.received().len();
        let ran = sync(&gitlab, &bitbucket, ["--verbose", "--output", "json"]);
        let ran = ran.envs(variables).run().exits(0);
        let received = gitlab.received();
        assert_eq!(
            received.len() - before,
            3,
            "two pages of jobs, one of bridges"
        );
        for request in &received[before..] {
            let tokens = ["job-token", "private-token", "authorization"];
            let sent = tokens.map(|it| request.header(it).map(|value| (it, value)));
            let sent: Vec<_> = sent.into_iter().flatten().collect();
            assert_eq!(sent, [(name, token)]);
        }
        for request in bitbucket.received() {
            let text = format!("{request:?}");
            assert!(
                !text.contains(JOB_TOKEN) && !text.contains(PRIVATE_TOKEN),
                "{text}"
            );
        }
        for printed in [&ran.stdout, &ran.stderr] {
            assert!(!printed.contains(JOB_TOKEN) && !printed.contains(PRIVATE_TOKEN));
        }
    }
    assert!(!format!("{:?}", gitlab.received()).contains(DEFAULT_TOKEN));
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn a_token_may_be_in_a_file_and_goes_before_the_jobs() {
    let (bitbucket, gitlab) = (
        StandIn::start(),
        gitlab([pipeline().job(Job::new("a", "success"))]),
    );
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("gitlab-token");
    std::fs::write(&path, format!("{PRIVATE_TOKEN}\n")).unwrap();
    let ran = sync(&gitlab, &bitbucket, []).env("BUILD_STATUS_GITLAB_TOKEN_FILE", &path);
    ran.run().exits(0);
    assert_eq!(
        gitlab.received()[0].header("private-token"),
        Some(PRIVATE_TOKEN)
    );
}

#[test]
fn what_gitlab_refuses_is_told_with_what_to_do_about_it() {
    let job = |change: fn(&mut Token)| Token::job(JOB_TOKEN, DEFAULT_PROJECT_ID).with(change);
    let private = |scope: &str| {
        let token = Token::private(PRIVATE_TOKEN, &[DEFAULT_PROJECT_ID]);
        token.with(|token| token.scopes = vec![scope.to_owned()])
    };
    for (version, token, message, hint) in [
        (
            "17.9.2",
            job(|_| ()),
            "refused: HTTP 404: 404 Project Not Found (GitLab 17.9.2, CI_JOB_TOKEN)",
            "job tokens may read jobs from GitLab 18.3 on",
        ),
        (
            "19.5.0",
            job(|token| token.reads_builds = false),
            "refused: HTTP 200: GitLab shows no jobs of pipeline 1001 to this token (GitLab 19.5.0, CI_JOB_TOKEN)",
            "the scope read_api and the role Reporter, and put it into the masked CI/CD variable \
             BUILD_STATUS_GITLAB_TOKEN",
        ),
        (
            "19.5.0",
            job(|token| token.ended = Some(String::new())),
            "refused: HTTP 401: 401 Unauthorized (GitLab 19.5.0, CI_JOB_TOKEN)",
            "BUILD_STATUS_GITLAB_TOKEN",
        ),
        (
            "19.5.0",
            private("read_repository"),
            "refused: HTTP 403: The request requires higher privileges than provided by the access token. (GitLab 19.5.0, BUILD_STATUS_GITLAB_TOKEN)",
            "needs the scope read_api",
        ),
    ] {
        let bitbucket = StandIn::start();
        let is_private = message.contains("BUILD_STATUS_GITLAB_TOKEN)");
        let setup = gitlab::Setup::default().version(version).token(token);
        let gitlab = setup.pipeline(pipeline()).start();
        let mut ran = sync(&gitlab, &bitbucket, []).env("CI_SERVER_VERSION", version);
        if is_private {
            ran = ran.env("BUILD_STATUS_GITLAB_TOKEN", PRIVATE_TOKEN);
        }
        let ran = ran.run().exits(4).says(hint);
        assert!(ran.stderr.contains(message), "{ran:#?}");
        assert_eq!((ran.stdout.as_str(), bitbucket.connections()), ("", 0));
    }
}

#[test]
fn what_is_not_gitlabs_answer_is_told_as_such() {
    let (bitbucket, gitlab) = (StandIn::start(), gitlab([pipeline()]));
    for (answer, code, message) in [
        (
            gitlab::sign_in_page(),
            4,
            "refused: HTTP 200, but the answer is not from GitLab (text/html; charset=utf-8)",
        ),
        (
            Answer::json(200, "{}"),
            4,
            "HTTP 200, but the answer is not from GitLab",
        ),
        (
            Answer::redirect(302, "https://user:password@sso.example.com/"),
            4,
            "refused: HTTP 302, a redirect to https://sso.example.com/",
        ),
        (
            Answer::html(403, "<title>Checking your browser</title>"),
            4,
            "HTTP 403: an HTML page, \"Checking your browser\"",
        ),
        (gitlab::bad_gateway(), 5, "failing: HTTP 502"),
        (gitlab::throttled(3600), 5, "it asks to wait 3600 s"),
        (
            gitlab::asked_too_often(),
            5,
            "HTTP 429: This endpoint has been requested too many times",
        ),
    ] {
        gitlab.always(Some(answer));
        let ran = sync(&gitlab, &bitbucket, ["--timeout", "1"])
            .run()
            .exits(code)
            .says(message);
        assert!(!ran.stderr.contains("BITBUCKET_"), "{ran:#?}");
    }
    drop(gitlab);
    let gone = gitlab::Setup::default().start();
    let url = gone.api_root();
    drop(gone);
    let gitlab = gitlab::Setup::default().start();
    sync(&gitlab, &bitbucket, ["--timeout", "1"])
        .env("CI_API_V4_URL", url)
        .run()
        .exits(5)
        .says("check the network, CI_API_V4_URL");
    assert_eq!(bitbucket.connections(), 0);
}

#[test]
fn a_limit_of_gitlabs_is_waited_for() {
    let (bitbucket, gitlab) = (
        StandIn::start(),
        gitlab([pipeline().job(Job::new("a", "success"))]),
    );
    gitlab.will([gitlab::throttled(1), gitlab::bad_gateway(), Answer::CutOff]);
    let ran = sync(&gitlab, &bitbucket, []).run().exits(0);
    assert_eq!(counts(&ran), "2 sent, 0 right already, 0 still running");
}

#[test]
fn a_job_that_is_retried_while_pages_are_read_is_there_once() {
    let jobs = (0..120).map(|number| Job::new(&format!("job {number}"), "success"));
    let (bitbucket, gitlab) = (
        StandIn::start(),
        gitlab([jobs.fold(pipeline(), Pipeline::job)]),
    );
    let mut asked = 0;
    gitlab.on_request(move |instance, _| {
        asked += 1;
        if asked == 2 {
            instance.add(1001, Job::new("late", "created"));
        }
    });
    let ran = sync(&gitlab, &bitbucket, ["--pipeline-key", ""])
        .run()
        .exits(0);
    assert_eq!(counts(&ran), "120 sent, 0 right already, 1 still running");
}

/// A pipeline of two pages, whose job 30 is on the second.
fn long() -> Pipeline {
    let jobs = (0..150).map(|number| Job::new(&format!("job {number}"), "success"));
    jobs.fold(pipeline(), Pipeline::job)
}

#[test]
fn a_row_that_leaves_a_page_while_pages_are_read_is_not_missed() {
    let (bitbucket, gitlab) = (StandIn::start(), gitlab([long()]));
    gitlab.change(|instance| instance.job(1001, "job 30").status = "failed".into());
    let mut asked = 0;
    gitlab.on_request(move |instance, _| {
        asked += 1;
        if asked == 2 {
            instance.retry(1001, "job 30", "pending");
        }
    });
    let ran = sync(&gitlab, &bitbucket, ["--jobs", "none"]).run().exits(0);
    let said = "149 passed, 1 not ended";
    let expected = [("pipeline".into(), "INPROGRESS".into(), said.into())];
    assert_eq!(described(&bitbucket), expected, "{ran:?}");
    // Each page twice, and once the trigger jobs.
    assert_eq!(gitlab.received().len(), 5);
    sync(&gitlab, &bitbucket, ["--jobs", "none"]).run().exits(0);
    assert_eq!(gitlab.received().len(), 5 + 3);
}

#[test]
fn a_pipeline_whose_pages_do_not_hold_still_has_not_passed() {
    let (bitbucket, gitlab) = (StandIn::start(), gitlab([long()]));
    let mut number = 0;
    gitlab.on_request(move |instance, request| {
        if request.path.ends_with("/jobs?per_page=100&page=2") {
            number += 1;
            instance.retry(1001, &format!("job {number}"), "failed");
        }
    });
    sync(&gitlab, &bitbucket, ["--jobs", "none"])
        .run()
        .exits(4)
        .says("GitLab's list pipelines/1001/jobs changed each time while its pages were read");
    assert_eq!(gitlab.received().len(), 3 * 2 + 1);
    // Two of the three that have failed were seen.
    let expected = [("pipeline".to_owned(), "FAILED".to_owned())];
    assert_eq!(shown(&bitbucket), expected);

    gitlab.on_request(|_, _| ());
    let (bitbucket, total) = (StandIn::start(), |count: &str| {
        let rows: Vec<_> = (100..200).map(|id| row(id, "success")).collect();
        let last = json!([row(300, "success")]);
        [(json!(rows), "2"), (last, "")].map(|(rows, next)| {
            Answer::json(200, &rows.to_string())
                .with_header("x-next-page", next)
                .with_header("x-total", count)
        })
    });
    gitlab.will([total("102"), total("102"), total("102")].concat());
    sync(&gitlab, &bitbucket, ["--jobs", "none"]).run().exits(4);
    assert_eq!(shown(&bitbucket), []);
    gitlab.will([total("102"), total("101")].concat());
    sync(&gitlab, &bitbucket, ["--jobs", "none"]).run().exits(0);
    let expected = [("pipeline".to_owned(), "SUCCESSFUL".to_owned())];
    assert_eq!(shown(&bitbucket), expected);
}

#[test]
fn a_pipeline_of_another_branch_that_a_job_starts_is_no_child() {
    let json = |source: &str, sha: &str| {
        json!({"id": 2002, "project_id": DEFAULT_PROJECT_ID, "sha": sha, "ref": "other",
               "web_url": HOST, "status": "failed", "source": source})
    };
    let unsaid = |sha| {
        let mut shown = json("", sha);
        shown.as_object_mut().unwrap().remove("source");
        shown
    };
    for (downstream, is_child) in [
        (json("pipeline", SECOND_COMMIT), false),
        (json("pipeline", DEFAULT_COMMIT), false),
        (json("parent_pipeline", DEFAULT_COMMIT), true),
        (unsaid(SECOND_COMMIT), false),
        (unsaid(DEFAULT_COMMIT), true),
    ] {
        let bitbucket = StandIn::start();
        let trigger = Job::bridge("deploy", "success", Some(2002));
        let trigger = trigger.field("downstream_pipeline", downstream.clone());
        let source = downstream["source"].as_str().unwrap_or("parent_pipeline");
        let started = Pipeline::new(2002).with(|it| {
            it.sha = downstream["sha"].as_str().unwrap().into();
            it.source = source.into();
        });
        let gitlab = gitlab([
            pipeline().job(trigger),
            started.job(Job::new("unit", "failed")),
        ]);
        sync(&gitlab, &bitbucket, []).run().exits(0);
        let row = |key: &str, state: &str| (key.to_owned(), state.to_owned());
        let mut expected = vec![row("ci/gitlab-ci/deploy", "SUCCESSFUL")];
        if is_child {
            expected.insert(0, row("ci/gitlab-ci/child/unit", "FAILED"));
            expected.push(row("pipeline", "FAILED"));
        } else {
            expected.push(row("pipeline", "SUCCESSFUL"));
        }
        assert_eq!(shown(&bitbucket), expected, "{downstream}");
    }
}

#[test]
fn a_gitlab_whose_job_tokens_read_jobs_only_leaves_children_out_and_says_so() {
    let bitbucket = StandIn::start();
    let gitlab = gitlab::Setup::default()
        .version("18.4")
        .pipeline(pipeline().job(Job::new("a", "success")).job(Job::bridge(
            "b",
            "success",
            Some(2002),
        )))
        .pipeline(Pipeline::child(2002).job(Job::new("c", "failed")))
        .start();
    let ran = sync(&gitlab, &bitbucket, [])
        .run()
        .exits(0)
        .says("trigger jobs and child pipelines are left out");
    assert_eq!(counts(&ran), "1 sent, 0 right already, 0 still running");
}

#[test]
fn jobs_that_have_not_ended_are_left_alone_in_words_that_nobody_knows_too() {
    let words = [
        "created",
        "pending",
        "running",
        "canceling",
        "scheduled",
        "superseded",
    ];
    let jobs = words.map(|word| Job::new(word, word));
    let bitbucket = StandIn::start();
    let gitlab = gitlab([jobs.into_iter().fold(pipeline(), Pipeline::job)]);
    let ran = sync(&gitlab, &bitbucket, []).run().exits(0);
    assert_eq!(counts(&ran), "1 sent, 0 right already, 6 still running");
    let expected = [("pipeline".into(), "INPROGRESS".into(), "6 not ended".into())];
    assert_eq!(described(&bitbucket), expected);
}

#[test]
fn the_pipeline_is_what_its_jobs_come_to() {
    let job = |name: &str, status| Job::new(name, status);
    let tolerated = |status| Job::new("t", status).with(|job| job.allow_failure = true);
    let post = || Job::new("deploy", "running").stage(".post");
    for (jobs, expected) in [
        (
            vec![job("a", "success"), job("b", "skipped")],
            Some("SUCCESSFUL: 1 passed"),
        ),
        (
            vec![job("a", "success"), tolerated("failed")],
            Some("SUCCESSFUL: 1 passed, 1 failed: t"),
        ),
        (
            vec![job("a", "success"), tolerated("canceled")],
            Some("SUCCESSFUL: 1 passed, 1 cancelled"),
        ),
        (
            vec![
                job("a", "failed"),
                job("b", "canceled"),
                job("c", "running"),
            ],
            Some("FAILED: 1 cancelled, 1 not ended, 1 failed: a"),
        ),
        (
            vec![
                job("a", "canceled"),
                job("b", "success"),
                job("c", "running"),
            ],
            Some("STOPPED: 1 passed, 1 cancelled, 1 not ended"),
        ),
        (
            vec![job("a", "success"), job("b", "pending")],
            Some("INPROGRESS: 1 passed, 1 not ended"),
        ),
        (
            vec![job("a", "success"), post()],
            Some("SUCCESSFUL: 1 passed"),
        ),
        (
            vec![job("a", "success"), tolerated("manual")],
            Some("SUCCESSFUL: 1 passed"),
        ),
        (
            vec![job("a", "success"), job("b", "manual")],
            Some("INPROGRESS: 1 passed"),
        ),
        (vec![job("a", "manual"), job("b", "skipped")], None),
    ] {
        let bitbucket = StandIn::start();
        let gitlab = gitlab([jobs.into_iter().fold(pipeline(), Pipeline::job)]);
        let ran = sync(&gitlab, &bitbucket, ["--jobs", "none"]).run().exits(0);
        let found = described(&bitbucket).pop();
        let found = found.map(|(key, state, text)| {
            assert_eq!(key, "pipeline");
            format!("{state}: {text}")
        });
        assert_eq!(found.as_deref(), expected, "{ran:?}");
    }
}

#[test]
fn jobs_that_are_excluded_have_no_status_and_count_where_they_fail() {
    let gitlab = gitlab([
        pipeline()
            .job(Job::new("build-status-running", "failed"))
            .job(Job::new("compile", "success"))
            .job(Job::bridge("docs", "success", Some(2002))),
        Pipeline::child(2002).job(Job::new("build-status-running", "success")),
    ]);
    let (by_option, by_variable) = (StandIn::start(), StandIn::start());
    let args = ["--exclude", "no-such-job", "--exclude=build-status-running"];
    sync(&gitlab, &by_option, args).run().exits(0);
    sync(&gitlab, &by_variable, [])
        .env("BUILD_STATUS_EXCLUDE", "build-status-running,docs,")
        .run()
        .exits(0);
    let passed = |key: &str| (key.into(), "SUCCESSFUL".into(), "The build passed!".into());
    let whole = |said: &str| ("pipeline".into(), "FAILED".into(), said.into());
    let (compile, docs) = ("ci/gitlab-ci/compile", "ci/gitlab-ci/docs");
    let said = "2 passed, 1 failed: build-status-running";
    let expected = [passed(compile), passed(docs), whole(said)];
    assert_eq!(described(&by_option), expected);
    let said = "1 passed, 1 failed: build-status-running";
    let expected = [passed(compile), whole(said)];
    assert_eq!(described(&by_variable), expected);
}

#[test]
fn a_pipeline_of_excluded_jobs_only_says_nothing() {
    for status in ["success", "running", "canceled"] {
        let bitbucket = StandIn::start();
        let gitlab = gitlab([pipeline().job(Job::new("build-status-since", status))]);
        let args = ["--exclude", "build-status-since"];
        let ran = sync(&gitlab, &bitbucket, args).run().exits(0);
        assert_eq!(counts(&ran), "0 sent, 0 right already, 0 still running");
        assert_eq!(described(&bitbucket), [], "{status}");
    }
}

#[test]
fn a_pipeline_in_which_nothing_has_passed_ends_its_own_beginning_only() {
    let tolerated = |name: &str, status| Job::new(name, status).with(|it| it.allow_failure = true);
    let template = |status| Job::new("build-status-running", status).stage(".pre");
    let stopped = |said| Some(("STOPPED", said));
    let nothing = stopped("No job that counts has run.");
    for (job, status, expected) in [
        (
            tolerated("lint", "failed"),
            "success",
            stopped("1 failed: lint"),
        ),
        (tolerated("deploy", "manual"), "skipped", nothing),
        (Job::new("deploy", "skipped"), "skipped", nothing),
        (template("success"), "success", nothing),
        (template("running"), "running", None),
        // It blocks the pipeline.
        (Job::new("deploy", "manual"), "manual", None),
        (
            Job::new("deploy", "running").stage(".post"),
            "running",
            None,
        ),
    ] {
        let others = || [template("success"), job.clone()];
        let args = ["--exclude=build-status-running", "--jobs=none"];
        let unended = ("INPROGRESS", "The pipeline is running!");
        let (state, said) = expected.unwrap_or(unended);
        let expected = [("pipeline".to_owned(), state.to_owned(), said.to_owned())];
        let number = |it: &[(String, String, String)]| usize::from(it[0].1 == "STOPPED");

        let bitbucket = StandIn::start();
        let own = gitlab([others().into_iter().fold(pipeline(), Pipeline::job)]);
        sync(&own, &bitbucket, args).run().exits(0);
        assert_eq!(described(&bitbucket), [], "{job:?}");
        sync(&own, &bitbucket, ["running"]).run().exits(0);
        let ran = sync(&own, &bitbucket, args).run().exits(0);
        assert_eq!(described(&bitbucket), expected, "{job:?}, {ran:?}");
        let ran = sync(&own, &bitbucket, args).run().exits(0);
        let right = number(&expected);
        let said = format!("0 sent, {right} right already, 0 still running");
        assert_eq!(counts(&ran), said);

        // Another pipeline's stays.
        let bitbucket = StandIn::start();
        begin(&bitbucket, 900);
        sync(&own, &bitbucket, args).run().exits(0);
        assert_eq!(shown(&bitbucket)[0].1, "INPROGRESS");

        let bitbucket = StandIn::start();
        begin(&bitbucket, 900);
        let ended = Pipeline::new(900).with(|it| it.status = status.into());
        let since = gitlab([pipeline(), others().into_iter().fold(ended, Pipeline::job)]);
        let args = ["--since=24h", args[0]];
        sync(&since, &bitbucket, args).run().exits(0);
        assert_eq!(shown(&bitbucket)[0].1, state, "{job:?}, {status}");
    }
}

#[test]
fn a_newer_pipeline_in_which_nothing_has_passed_leaves_the_older_one_its_end() {
    let bitbucket = StandIn::start();
    let ended = |id, status: &str| Pipeline::new(id).with(|it| it.status = status.into());
    let gitlab = gitlab([
        pipeline(),
        ended(800, "success").job(Job::new("unit", "success")),
        ended(900, "skipped").job(Job::new("deploy", "skipped")),
    ]);
    begin(&bitbucket, 800);
    sync(&gitlab, &bitbucket, ["--since", "24h"]).run().exits(0);
    let expected = [("pipeline".to_owned(), "SUCCESSFUL".to_owned())];
    assert_eq!(shown(&bitbucket), expected);
}

#[test]
fn where_nothing_is_to_have_a_status_that_is_said() {
    let bitbucket = StandIn::start();
    let gitlab = gitlab([pipeline().job(Job::new("a", "success"))]);
    let args = ["--jobs", "none", "--pipeline-key", ""];
    sync(&gitlab, &bitbucket, args)
        .run()
        .exits(0)
        .says("nothing to report: the pipeline has no other jobs, or --jobs and --pipeline-key");
}

#[test]
fn the_pipelines_beginning_is_one_request_and_never_over_its_end() {
    let bitbucket = StandIn::start();
    let gitlab = gitlab([pipeline().job(Job::new("a", "success"))]);
    let running = || sync(&gitlab, &bitbucket, ["running"]).run().exits(0).stdout;
    assert!(
        running().starts_with(
            "INPROGRESS pipeline -> my-workspace/my-repo@9fceb02d0ae5 (201, 1 attempt"
        )
    );
    let status = bitbucket.statuses(DEFAULT_COMMIT).remove(0);
    assert_eq!(
        (
            status.name.as_deref(),
            status.url.as_str(),
            gitlab.connections()
        ),
        (
            Some("pipeline #1"),
            "https://gitlab.example.com/group/my-project/-/pipelines/1001",
            0
        )
    );
    sync(&gitlab, &bitbucket, []).run().exits(0);
    assert_eq!(
        running(),
        "INPROGRESS pipeline -> my-workspace/my-repo@9fceb02d0ae5: kept SUCCESSFUL of the same run\n\
         0 sent, 0 right already, 0 still running, 1 kept\n"
    );
    let key = "build/pipeline of this repository, whatever it is called";
    let ran = sync(&gitlab, &bitbucket, ["running", "--pipeline-key", key])
        .run()
        .exits(0);
    assert!(
        ran.stdout
            .contains("INPROGRESS build/pipeline of this reposi"),
        "{ran:?}"
    );
    sync(&gitlab, &bitbucket, ["running", "--pipeline-key", ""])
        .run()
        .exits(2);
    sync(&gitlab, &bitbucket, ["passed"]).run().exits(2);
}

#[test]
fn of_two_children_with_one_job_name_the_failed_one_is_shown() {
    let bitbucket = StandIn::start();
    let gitlab = gitlab([
        pipeline()
            .job(Job::bridge("a", "success", Some(2001)))
            .job(Job::bridge("b", "success", Some(2002))),
        Pipeline::child(2001).job(Job::new("unit", "failed")), // 4
        Pipeline::child(2002).job(Job::new("unit", "success")), // 5
    ]);
    report(&bitbucket, "failed", "child/unit", 4);
    report(&bitbucket, "passed", "child/unit", 5);
    let ran = sync(&gitlab, &bitbucket, []).run().exits(0);
    assert_eq!(counts(&ran), "4 sent, 0 right already, 0 still running");
    assert_eq!(described(&bitbucket)[2].1, "FAILED");
    let ran = sync(&gitlab, &bitbucket, []).run().exits(0);
    assert_eq!(counts(&ran), "0 sent, 4 right already, 0 still running");
}

#[test]
fn a_newer_pipelines_statuses_are_kept() {
    let bitbucket = StandIn::start();
    report(&bitbucket, "passed", "unit", 900);
    let gitlab = gitlab([pipeline().job(Job::new("unit", "canceled"))]);
    let ran = sync(&gitlab, &bitbucket, ["--pipeline-key", ""])
        .run()
        .exits(0);
    assert_eq!(
        ran.stdout,
        "STOPPED ci/gitlab-ci/unit -> my-workspace/my-repo@9fceb02d0ae5: kept SUCCESSFUL of a newer run\n\
         0 sent, 0 right already, 0 still running, 1 kept\n"
    );
}

#[test]
fn another_pipeline_is_found_by_its_number_at_the_commit_that_bitbucket_knows() {
    let bitbucket = StandIn::start();
    let merged = Pipeline::new(1500).merged_result(7, "a".repeat(40).as_str(), SECOND_COMMIT);
    let merged = merged.with(|it| it.sha = "b".repeat(40));
    let gitlab = gitlab::Setup::default()
        .external_url(HOST)
        .pipeline(pipeline())
        .pipeline(merged.job(Job::new("unit", "success").stage(".post")))
        .pipeline(
            Pipeline::new(1600)
                .with(|it| {
                    (it.git_ref, it.tag) = ("v1".into(), true);
                })
                .job(Job::new("unit", "success")),
        )
        .merge_request(7, "feature", SECOND_COMMIT)
        .start();
    sync(&gitlab, &bitbucket, ["--pipeline", "1500"])
        .run()
        .exits(0);
    let rows: Vec<_> = bitbucket
        .statuses(SECOND_COMMIT)
        .into_iter()
        .map(|it| (it.key, it.refname))
        .collect();
    let feature = |key: &str| (key.to_owned(), Some("feature".to_owned()));
    assert_eq!(rows, [feature("ci/gitlab-ci/unit"), feature("pipeline")]);
    sync(&gitlab, &bitbucket, ["--pipeline", "1600"])
        .run()
        .exits(0);
    assert_eq!(identities(&bitbucket)[0].3.as_deref(), Some("v1"));
    sync(&gitlab, &bitbucket, ["--pipeline", "9"])
        .run()
        .exits(4)
        .says("there is no such pipeline in this project");
}

#[test]
fn what_a_cancelled_pipeline_has_left_is_mended_later() {
    let bitbucket = StandIn::start();
    // Pipeline 1001 is the scheduled one that this job is in.
    let gitlab = gitlab([
        pipeline().job(Job::new("unit", "success")),
        Pipeline::new(900)
            .job(Job::new("unit", "canceled")) // 3
            .job(Job::new("lint", "success")) // 4
            .job(Job::new("slow", "running")) // 5
            .with(|it| it.updated_at -= std::time::Duration::from_hours(1)),
        Pipeline::new(800)
            .job(Job::new("old", "failed")) // 6
            .with(|it| it.updated_at -= std::time::Duration::from_hours(25)),
        Pipeline::new(950).with(|it| it.sha = "c".repeat(40)),
    ]);
    for (name, id) in [("unit", 3), ("slow", 5), ("old", 6), ("elsewhere", 7)] {
        report(&bitbucket, "running", name, id);
    }
    let url = format!("{HOST}/group/my-project/-/pipelines/900");
    let pipelines = build_status(["running", "--key", "pipeline", "--url", &url]);
    pipelines.envs(GITLAB).to(&bitbucket).run().exits(0);
    let ran = sync(&gitlab, &bitbucket, ["--since", "24h"]).run().exits(0);
    assert_eq!(counts(&ran), "2 sent, 0 right already, 1 still running");
    let expected = [
        ("ci/gitlab-ci/elsewhere", "INPROGRESS"),
        ("ci/gitlab-ci/old", "INPROGRESS"),
        ("ci/gitlab-ci/slow", "INPROGRESS"),
        ("ci/gitlab-ci/unit", "STOPPED"),
        ("pipeline", "STOPPED"),
    ];
    let mut found = shown(&bitbucket);
    found.sort();
    assert_eq!(
        found,
        expected.map(|(key, state)| (key.to_owned(), state.to_owned()))
    );
    let ran = sync(&gitlab, &bitbucket, ["--since", "24h"]).run().exits(0);
    assert_eq!(counts(&ran), "0 sent, 0 right already, 1 still running");
    let ran = sync(&gitlab, &bitbucket, ["--since", "2days"])
        .run()
        .exits(0);
    assert_eq!(counts(&ran), "1 sent, 0 right already, 1 still running");
    sync(&gitlab, &bitbucket, ["--since", "24h", "--pipeline", "1"])
        .run()
        .exits(2);
    sync(&gitlab, &bitbucket, ["--since", "soon"])
        .run()
        .exits(2);
}

#[test]
fn a_dry_run_reads_both_sides_and_prints_what_it_would_send() {
    let bitbucket = StandIn::start();
    let gitlab = gitlab([pipeline()
        .job(Job::new("a", "success"))
        .job(Job::new("b", "failed"))]);
    report(&bitbucket, "passed", "a", 2);
    let before = bitbucket.history().len();
    let ran = sync(&gitlab, &bitbucket, ["--dry-run", "--pipeline-key", ""])
        .run()
        .exits(0);
    let url = format!(
        "POST {}/repositories/my-workspace/my-repo/commit/",
        bitbucket.api_root()
    );
    assert!(ran.stdout.starts_with(&url), "{ran:?}");
    assert!(
        ran.stdout
            .contains("Authorization: Bearer ***\n\n{\"state\":\"FAILED\""),
        "{ran:?}"
    );
    assert_eq!(counts(&ran), "1 to send, 1 right already, 0 still running");
    let ran = sync(&gitlab, &bitbucket, ["--dry-run"]).without("BITBUCKET_ACCESS_TOKEN");
    let ran = ran.run().exits(0).says("what Bitbucket has is not known");
    assert_eq!(counts(&ran), "3 to send, 0 right already, 0 still running");
    assert_eq!(bitbucket.history().len(), before);
}

#[test]
fn all_are_tried_when_one_is_refused_and_the_worst_is_the_code() {
    let jobs = ["a", "b", "c"].map(|name| Job::new(name, "success"));
    let pipeline = jobs.into_iter().fold(pipeline(), Pipeline::job);
    let gitlab = gitlab([pipeline]);
    let list = || Answer::Late(std::time::Duration::ZERO);
    for (answers, code, failed) in [
        (
            vec![list(), Answer::json(400, r#"{"error":{"message":"no"}}"#)],
            4,
            1,
        ),
        (
            vec![
                list(),
                Answer::status(403),
                list(),
                Answer::status(501),
                list(),
                Answer::status(501),
            ],
            5,
            2,
        ),
    ] {
        let bitbucket = StandIn::start();
        bitbucket.will(answers.clone());
        let ran = sync(&gitlab, &bitbucket, ["--output", "json"])
            .run()
            .exits(code);
        let json = ran.json();
        let sent = 4 - failed;
        assert_eq!(
            [
                &json["sent"],
                &json["failed"],
                &json["right_already"],
                &json["still_running"]
            ],
            [&json!(sent), &json!(failed), &json!(0), &json!(0)]
        );
        assert_eq!(json["statuses"].as_array().unwrap().len(), 4);
        assert_eq!(json["statuses"][0]["key"], "ci/gitlab-ci/a");
        assert!(
            json["statuses"][0]["error"]["message"].is_string(),
            "{json}"
        );
        assert!(
            ran.stderr
                .contains("build_status: ci/gitlab-ci/a: refused: HTTP 40"),
            "{ran:?}"
        );
        assert_eq!(bitbucket.history().len(), sent);

        bitbucket.will(answers);
        let ran = sync(&gitlab, &bitbucket, ["--no-fail"]).run().exits(0);
        assert!(!ran.stdout.contains("0 sent, 0"), "{ran:?}");
    }
}

#[test]
fn a_connection_that_breaks_is_replaced_and_nothing_is_lost() {
    let jobs = ["a", "b", "c"].map(|name| Job::new(name, "success"));
    let gitlab = gitlab([jobs.into_iter().fold(pipeline(), Pipeline::job)]);
    let bitbucket = StandIn::start();
    let own = || Answer::Late(std::time::Duration::ZERO);
    bitbucket.will([own(), own(), Answer::Reset, own(), Answer::LostReply]);
    let ran = sync(&gitlab, &bitbucket, []).run().exits(0);
    assert_eq!(counts(&ran), "4 sent, 0 right already, 0 still running");
    assert_eq!(bitbucket.statuses(DEFAULT_COMMIT).len(), 4);
    assert_eq!(
        (bitbucket.received().len(), bitbucket.connections()),
        (7, 3)
    );
}

/// The connection breaks after so many milliseconds.
fn broken_after(time: u64) -> Answer {
    Answer::LateReply(
        std::time::Duration::from_millis(time),
        Box::new(Answer::Reset),
    )
}

#[test]
fn an_outage_that_ends_within_the_timeout_is_waited_for_and_loses_nothing() {
    let gitlab = gitlab([pipeline().job(Job::new("a", "success"))]);
    for (answer, expected) in [
        (
            broken_after(1_200),
            "0 sent, 2 right already, 0 still running",
        ),
        (
            broken_after(2_300),
            "0 sent, 2 right already, 0 still running",
        ),
        (Answer::Silence, "0 sent, 2 right already, 0 still running"),
        (
            Answer::status(429).with_header("Retry-After", "3"),
            "2 sent, 0 right already, 0 still running",
        ),
    ] {
        let bitbucket = StandIn::start();
        sync(&gitlab, &bitbucket, []).run().exits(0);
        bitbucket.will([answer.clone()]);
        let ran = sync(&gitlab, &bitbucket, ["--timeout", "4"]).run().exits(0);
        assert_eq!(counts(&ran), expected, "{answer:?}, {ran:?}");
        let is_unknown = ran.stderr.contains("what Bitbucket has is not known");
        assert_eq!(is_unknown, expected.starts_with('2'), "{ran:?}");
    }
    // What will not pass is told once.
    let bitbucket = stand_in::Setup::default().tls().start();
    let ran = sync(&gitlab, &bitbucket, []).run().exits(5);
    assert_eq!((ran.stdout.as_str(), bitbucket.received().len()), ("", 0));
    assert_eq!(ran.stderr.matches("TLS: ").count(), 1, "{ran:?}");
}

#[test]
fn an_outage_of_one_commit_is_told_and_the_others_are_mended() {
    let gitlab = gitlab([
        pipeline(),
        Pipeline::new(800).job(Job::new("a", "success")), // 2
        Pipeline::new(900)
            .with(|it| it.sha = SECOND_COMMIT.into())
            .job(Job::new("a", "success")), // 3
    ]);
    for answer in [broken_after(1_200), Answer::Silence] {
        let bitbucket = StandIn::start();
        report(&bitbucket, "running", "a", 2);
        let second = build_status(["running"]).envs(GITLAB).to(&bitbucket);
        second
            .env("CI_COMMIT_SHA", SECOND_COMMIT)
            .env("CI_JOB_NAME", "a")
            .env("CI_JOB_URL", format!("{HOST}/group/my-project/-/jobs/3"))
            .run()
            .exits(0);
        bitbucket.will([answer]);
        let args = ["--since", "24h", "--timeout", "4"];
        let first = DEFAULT_COMMIT.min(SECOND_COMMIT);
        let ran = sync(&gitlab, &bitbucket, args)
            .run()
            .exits(5)
            .says(&format!("commit {first} is left out"));
        assert_eq!(counts(&ran), "1 sent, 0 right already, 0 still running");
        let ran = sync(&gitlab, &bitbucket, args).run().exits(0);
        assert_eq!(counts(&ran), "1 sent, 0 right already, 0 still running");
    }
}

#[test]
fn elsewhere_than_in_a_job_of_gitlab_there_is_nothing_to_sync() {
    let bitbucket = StandIn::start();
    crate::support::codebuild(&bitbucket, ["sync"])
        .run()
        .exits(2)
        .says("sync knows GitLab only");
    crate::support::gitlab(&bitbucket, ["sync"])
        .run()
        .exits(2)
        .says("CI_API_V4_URL: it is not set");
    assert_eq!(bitbucket.connections(), 0);
}

#[test]
fn data_center_is_asked_for_what_its_list_leaves_out() {
    let jobs = (0..130).map(|number| Job::new(&format!("job {number}"), "canceled"));
    let gitlab = gitlab([jobs.fold(pipeline(), Pipeline::job)]);
    for (version, state, questions) in [("9.4.0", "CANCELLED", 0), ("7.21.0", "FAILED", 1)] {
        let bitbucket = stand_in::Setup::default().data_center(version).start();
        let ran = || {
            sync(&gitlab, &bitbucket, [])
                .without("BITBUCKET_API_ROOT")
                .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
                .env("CI_PROJECT_NAMESPACE", stand_in::DEFAULT_PROJECT)
                .run()
                .exits(0)
        };
        assert_eq!(counts(&ran()), "131 sent, 0 right already, 0 still running");
        // The list, the question what it can do, and the statuses.
        assert_eq!(
            (bitbucket.received().len(), bitbucket.connections()),
            (133, 1)
        );
        let first = bitbucket.statuses(DEFAULT_COMMIT).remove(0);
        assert_eq!(
            (first.key.as_str(), first.state.as_str()),
            ("ci/gitlab-ci/job 0", state)
        );
        assert_eq!(counts(&ran()), "0 sent, 131 right already, 0 still running");
        assert_eq!(bitbucket.received().len(), 133 + 1 + 31 + questions);
    }
}

#[test]
fn data_centers_limit_is_kept_to() {
    let jobs = (0..30).map(|number| Job::new(&format!("job {number}"), "success"));
    let gitlab = gitlab([jobs.fold(pipeline(), Pipeline::job)]);
    let setup = stand_in::Setup::default().data_center("9.4.0");
    let bitbucket = setup.token_bucket(10, 10).start();
    let ran = sync(&gitlab, &bitbucket, [])
        .without("BITBUCKET_API_ROOT")
        .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
        .env("CI_PROJECT_NAMESPACE", stand_in::DEFAULT_PROJECT)
        .run()
        .exits(0);
    assert_eq!(counts(&ran), "31 sent, 0 right already, 0 still running");
    // One more for each second that it asks to wait.
    assert!(
        bitbucket.received().len() < 31 + 8,
        "{}",
        bitbucket.received().len()
    );
}

#[test]
fn when_the_time_is_over_the_rest_is_counted() {
    let jobs = (0..5).map(|number| Job::new(&format!("job {number}"), "success"));
    let gitlab = gitlab([jobs.fold(pipeline(), Pipeline::job)]);
    let bitbucket = StandIn::start();
    let slow = Answer::Late(std::time::Duration::from_millis(400));
    bitbucket.always(Some(slow));
    let ran = sync(&gitlab, &bitbucket, ["--timeout", "1.5"])
        .run()
        .exits(5);
    let ran = ran.says("of the statuses").says("hint: raise --timeout");
    assert!(counts(&ran).ends_with(" not tried"), "{ran:?}");
}

/// A thousand jobs: one connection to each side, as many requests as pages and differences, and at
/// most 16 MiB.
#[cfg(target_os = "linux")]
#[test]
fn a_thousand_jobs_take_one_connection_to_each_side_and_little_memory() {
    let jobs = (0..1000).map(|number| {
        Job::new(
            &format!("job number {number} of a thousand: [matrix]"),
            "success",
        )
    });
    let gitlab = gitlab([jobs.fold(pipeline(), Pipeline::job)]);
    let bitbucket = StandIn::start();
    let run = |requests, sent: &str| {
        let before = (gitlab.connections(), bitbucket.connections());
        let received = (gitlab.received().len(), bitbucket.received().len());
        let (ran, peak) = with_peak_memory(sync(&gitlab, &bitbucket, []));
        assert_eq!(counts(&ran.exits(0)), sent);
        let after = (gitlab.connections(), bitbucket.connections());
        assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1));
        // 11 pages of jobs (this one is the 1001st), one of bridges.
        assert_eq!(gitlab.received().len() - received.0, 12);
        assert_eq!(bitbucket.received().len() - received.1, requests);
        assert!(peak <= 16 * 1024, "{peak} KiB");
    };
    run(1 + 1001, "1001 sent, 0 right already, 0 still running");
    run(11, "0 sent, 1001 right already, 0 still running");
}

/// What it printed, and the most memory that it had, in KiB: looked at while it runs.
#[cfg(target_os = "linux")]
fn with_peak_memory(mut reporter: Reporter) -> (Ran, u64) {
    use std::process::Stdio;

    let command = reporter.command();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let path = format!("/proc/{}/status", child.id());
    let looking = std::thread::spawn(move || {
        let mut peak = 0;
        while let Ok(status) = std::fs::read_to_string(&path) {
            // It ends as a zombie, without this line.
            let Some((_, rest)) = status.split_once("VmHWM:") else {
                break;
            };
            let number = rest.split_whitespace().next().unwrap();
            peak = number.parse().unwrap();
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        peak
    });
    let output = child.wait_with_output().unwrap();
    (Ran::from(output), looking.join().unwrap())
}

/// A queue of answers in which these requests, counted from 0, get another than GitLab's.
fn instead(answers: impl IntoIterator<Item = (usize, Answer)>) -> Vec<Answer> {
    let mut queue = Vec::new();
    for (number, answer) in answers {
        queue.resize(number, Answer::Late(std::time::Duration::ZERO));
        queue.push(answer);
    }
    queue
}

#[test]
fn without_the_trigger_jobs_a_pipeline_has_not_passed_but_may_have_failed() {
    for (status, code, expected) in [
        ("success", 401, None),
        ("success", 403, None),
        ("success", 404, None),
        ("success", 405, None),
        ("failed", 403, Some("FAILED")),
    ] {
        let bitbucket = StandIn::start();
        let gitlab = gitlab([pipeline()
            .job(Job::new("a", status))
            .job(Job::bridge("b", "failed", None))]);
        let refusal = || Answer::json(code, r#"{"message":"no"}"#);
        gitlab.will(instead([(1, refusal()), (2, refusal())]));
        sync(&gitlab, &bitbucket, [])
            .run()
            .exits(0)
            .says("the pipeline is not said to have passed");
        let found = described(&bitbucket);
        let state = |key: &str| found.iter().find(|it| it.0 == key).map(|it| it.1.as_str());
        assert_eq!(state("pipeline"), expected, "{code}");
        assert!(state("ci/gitlab-ci/a").is_some());
    }
}

#[test]
fn what_gitlab_says_of_a_pipeline_and_its_children_is_the_most_that_is_said() {
    for (own, child, expected) in [
        ("running", "success", "SUCCESSFUL"),
        ("failed", "success", "FAILED"),
        ("canceled", "success", "STOPPED"),
        ("running", "failed", "FAILED"),
        ("running", "canceled", "STOPPED"),
        ("running", "running", "INPROGRESS"),
        ("running", "a_new_word", "INPROGRESS"),
    ] {
        let bitbucket = StandIn::start();
        let gitlab = gitlab([
            pipeline()
                .job(Job::bridge("b", "success", Some(2002)))
                .with(|it| it.status = own.into()),
            Pipeline::child(2002).with(|it| it.status = child.into()),
        ]);
        sync(&gitlab, &bitbucket, ["--jobs", "none"]).run().exits(0);
        assert_eq!(shown(&bitbucket), [("pipeline".into(), expected.into())]);
    }
    // From another pipeline's job, `running` counts too.
    let bitbucket = StandIn::start();
    let other = Pipeline::new(1500).job(Job::new("a", "success"));
    let gitlab = gitlab([pipeline(), other]);
    sync(
        &gitlab,
        &bitbucket,
        ["--pipeline", "1500", "--jobs", "none"],
    )
    .run()
    .exits(0);
    assert_eq!(shown(&bitbucket)[0].1, "INPROGRESS");
}

/// A job, as a test says it in GitLab's place.
fn row(id: u64, status: &str) -> Value {
    let page = format!("{HOST}/group/my-project/-/jobs/{id}");
    let pipeline = json!({
        "id": 1001, "sha": DEFAULT_COMMIT, "ref": "main", "web_url": HOST, "status": "success",
    });
    json!({"id": id, "name": format!("j{id}"), "status": status, "web_url": page,
           "pipeline": pipeline})
}

#[test]
fn a_job_that_cannot_be_read_or_shown_is_left_out_alone() {
    for (field, value, code, message, passed) in [
        ("web_url", json!("/jobs/3"), 2, "/jobs/3", true),
        ("status", json!(null), 4, "invalid type: null", false),
        (
            "id",
            json!("3"),
            4,
            "pipelines/1001/jobs is left out: ",
            false,
        ),
    ] {
        let bitbucket = StandIn::start();
        let gitlab = gitlab([pipeline().job(Job::new("a", "success"))]);
        let mut bad = row(3, "success");
        bad[field] = value;
        let rows = json!([row(2, "success"), bad]).to_string();
        gitlab.will([Answer::json(200, &rows).with_header("x-next-page", "")]);
        let ran = sync(&gitlab, &bitbucket, [])
            .run()
            .exits(code)
            .says(message);
        let mut expected = vec![("ci/gitlab-ci/j2".to_owned(), "SUCCESSFUL".to_owned())];
        if passed {
            expected.push(("pipeline".into(), "SUCCESSFUL".into()));
        }
        assert_eq!(shown(&bitbucket), expected, "{ran:?}");
    }
}

#[test]
fn a_trigger_job_that_cannot_be_read_is_left_out_alone() {
    let bitbucket = StandIn::start();
    let gitlab = gitlab([pipeline().job(Job::new("a", "success"))]);
    gitlab.will(instead([(1, Answer::json(200, r#"[{"id":null}]"#))]));
    sync(&gitlab, &bitbucket, [])
        .run()
        .exits(4)
        .says("an entry of GitLab's list pipelines/1001/bridges is left out");
    let expected = [("ci/gitlab-ci/a".to_owned(), "SUCCESSFUL".to_owned())];
    assert_eq!(shown(&bitbucket), expected);
}

/// Nor does it take the time from what is to be sent.
#[test]
fn a_child_that_cannot_be_read_is_left_out_and_its_parent_has_not_passed() {
    let refusal = Answer::json(403, r#"{"message":"403 Forbidden"}"#);
    let (job, bridge) = ("ci/gitlab-ci/a", "ci/gitlab-ci/b");
    for (answered, then, code, expected) in [
        (2, refusal, 4, &[job, bridge][..]),
        (2, Answer::status(500), 5, &[job, bridge]),
        // Nor the trigger jobs.
        (1, Answer::status(500), 5, &[job]),
    ] {
        let bitbucket = StandIn::start();
        let gitlab = gitlab([
            pipeline()
                .job(Job::new("a", "success"))
                .job(Job::bridge("b", "success", Some(2002))),
            Pipeline::child(2002).with(|it| it.status = "success".into()),
        ]);
        let own = Answer::Late(std::time::Duration::ZERO);
        gitlab.will(vec![own; answered]);
        gitlab.always(Some(then));
        let timeout = ["--timeout", "6"];
        let ran = sync(&gitlab, &bitbucket, timeout).run().exits(code);
        ran.says(if code == 4 {
            "403 Forbidden"
        } else {
            "HTTP 500"
        });
        let passed = |key: &&str| ((*key).to_owned(), "SUCCESSFUL".to_owned());
        let expected: Vec<_> = expected.iter().map(passed).collect();
        assert_eq!(shown(&bitbucket), expected);
    }
}

#[test]
fn a_job_that_is_seen_in_two_states_counts_in_the_worse() {
    let bitbucket = StandIn::start();
    let twice = |status| Job::new("a", status).field("id", 7);
    let gitlab = gitlab([pipeline().job(twice("success")).job(twice("failed"))]);
    sync(&gitlab, &bitbucket, []).run().exits(0);
    let expected = [("ci/gitlab-ci/a", "FAILED"), ("pipeline", "FAILED")];
    assert_eq!(
        shown(&bitbucket),
        expected.map(|(key, state)| (key.to_owned(), state.to_owned()))
    );
}

#[test]
fn pages_that_repeat_end_and_a_number_that_cannot_be_hides_no_page() {
    let full: Vec<_> = (100..200).map(|id| row(id, "success")).collect();
    let full = json!(full).to_string();
    for next in ["0", "-1", "abc", "1", "7"] {
        let (bitbucket, gitlab) = (StandIn::start(), gitlab([pipeline()]));
        let last = json!([row(300, "failed")]).to_string();
        gitlab.will([
            Answer::json(200, &full).with_header("x-next-page", next),
            Answer::json(200, &last).with_header("x-next-page", ""),
        ]);
        sync(&gitlab, &bitbucket, ["--jobs", "none"]).run().exits(0);
        assert_eq!(shown(&bitbucket)[0].1, "FAILED", "{next}");
    }
    let (bitbucket, gitlab) = (StandIn::start(), gitlab([pipeline()]));
    gitlab.always(Some(Answer::json(200, &full)));
    sync(&gitlab, &bitbucket, [])
        .run()
        .exits(4)
        .says("does not end, or repeats a page");
    assert_eq!((gitlab.received().len(), bitbucket.connections()), (2, 0));
}

/// A job that syncs to a Data Center.
fn sync_to_data_center(gitlab: &GitLab, bitbucket: &StandIn) -> Reporter {
    sync(gitlab, bitbucket, [])
        .without("BITBUCKET_API_ROOT")
        .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
        .env("CI_PROJECT_NAMESPACE", stand_in::DEFAULT_PROJECT)
}

#[test]
fn what_data_center_lists_of_another_repository_is_not_this_ones() {
    for (project, repository, sent) in [
        ("OTHER", "my-repo", 2),
        (stand_in::DEFAULT_PROJECT, "fork", 2),
        ("proj", "My-Repo", 1),
        ("", "", 1),
    ] {
        let bitbucket = stand_in::Setup::default().data_center("9.4.0").start();
        let gitlab = gitlab([pipeline().job(Job::new("a", "success"))]);
        let url = format!("{HOST}/group/my-project/-/jobs/2");
        let build = json!({"key": "ci/gitlab-ci/a", "state": "SUCCESSFUL", "url": url,
            "projectKey": project, "repositorySlug": repository});
        let list = json!({"values": [build, {"key": 1}], "isLastPage": true}).to_string();
        bitbucket.will([Answer::json(200, &list)]);
        sync_to_data_center(&gitlab, &bitbucket).run().exits(0);
        assert_eq!(bitbucket.history().len(), sent, "{project}/{repository}");
    }
}

#[test]
fn where_bitbucket_does_not_tell_what_it_has_all_is_sent() {
    let bad = r#"{"values": [{"state": 1}, null]}"#;
    let gitlab = gitlab([pipeline().job(Job::new("a", "success"))]);
    for answer in [
        Answer::json(403, "{}"),
        Answer::json(404, "{}"),
        Answer::json(501, "{}"),
        Answer::html(200, "<title>Sign in</title>"),
        Answer::json(200, bad),
    ] {
        let bitbucket = StandIn::start();
        bitbucket.will([answer.clone()]);
        let ran = sync(&gitlab, &bitbucket, []).run().exits(0);
        assert_eq!(
            counts(&ran),
            "2 sent, 0 right already, 0 still running",
            "{answer:?}"
        );
    }
    let bitbucket = StandIn::start();
    bitbucket.always(Some(Answer::json(500, "{}")));
    sync(&gitlab, &bitbucket, ["--timeout", "3"]).run().exits(5);
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::json(401, "{}")]);
    sync(&gitlab, &bitbucket, []).run().exits(4);
    assert_eq!(bitbucket.received().len(), 1);
}

/// An outage may cost the first row its share of the time, and be over long before the end.
#[test]
fn what_was_given_up_is_sent_once_more_behind_the_others() {
    let limited = || Answer::status(429).with_header("Retry-After", "9999");
    let list = || Answer::Late(std::time::Duration::ZERO);
    for (answers, code, history) in [
        (
            vec![list(), limited()],
            0,
            ["b", "pipeline", "a"].as_slice(),
        ),
        (
            vec![list(), limited(), list(), list(), limited()],
            5,
            &["b", "pipeline"],
        ),
    ] {
        let bitbucket = StandIn::start();
        let pipeline = ["a", "b"].map(|name| Job::new(name, "success"));
        let gitlab = gitlab([pipeline.into_iter().fold(self::pipeline(), Pipeline::job)]);
        bitbucket.will(answers);
        sync(&gitlab, &bitbucket, []).run().exits(code);
        let sent = bitbucket.history().into_iter().map(|it| it.key);
        let sent: Vec<_> = sent.map(|key| key.replace("ci/gitlab-ci/", "")).collect();
        assert_eq!(sent, history);
    }
}

#[test]
fn a_list_of_bitbuckets_whose_pages_go_round_ends() {
    let bitbucket = StandIn::start();
    let gitlab = gitlab([pipeline().job(Job::new("a", "success"))]);
    let root = bitbucket.api_root();
    let statuses =
        format!("{root}/repositories/my-workspace/my-repo/commit/{DEFAULT_COMMIT}/statuses");
    let page = |page: u8| json!({"values": [], "next": format!("{statuses}?page={page}")});
    bitbucket.will([2, 3, 2].map(|it| Answer::json(200, &page(it).to_string())));
    sync(&gitlab, &bitbucket, [])
        .run()
        .exits(0)
        .says("the list of the commit's statuses does not end");
    assert_eq!(bitbucket.received().len(), 3 + 2);
}

/// Reports that the pipeline of this number is running, as `sync running` in it does.
fn begin(bitbucket: &StandIn, id: u64) {
    let url = format!("{HOST}/group/my-project/-/pipelines/{id}");
    let ran = build_status(["running", "--key", "pipeline", "--url", &url]);
    ran.envs(GITLAB).to(bitbucket).run().exits(0);
}

#[test]
fn an_older_pipeline_turns_nothing_green_that_the_newest_has_not() {
    for (status, job, whole) in [
        ("running", "INPROGRESS", "INPROGRESS"),
        ("failed", "INPROGRESS", "FAILED"),
        ("success", "SUCCESSFUL", "SUCCESSFUL"),
    ] {
        let bitbucket = StandIn::start();
        let ended = |id, status: &str| Pipeline::new(id).with(|it| it.status = status.into());
        let gitlab = gitlab([
            pipeline(),
            // Its job was started again, after that of the newer one.
            ended(800, "success").job(Job::new("unit", "success").with(|it| it.id = 900)),
            ended(900, status).job(Job::new("unit", status).with(|it| it.id = 700)),
        ]);
        report(&bitbucket, "running", "unit", 900);
        begin(&bitbucket, 800);
        sync(&gitlab, &bitbucket, ["--since", "24h"]).run().exits(0);
        let mut found = shown(&bitbucket);
        found.sort();
        let expected = [("ci/gitlab-ci/unit", job), ("pipeline", whole)];
        let expected = expected.map(|(key, state)| (key.to_owned(), state.to_owned()));
        assert_eq!(found, expected, "{status}");
    }
}

#[test]
fn a_newer_pipeline_does_not_keep_an_older_one_in_progress() {
    for newer in ["success", "skipped", "canceled"] {
        for (status, expected) in [("failed", "FAILED"), ("canceled", "STOPPED")] {
            let bitbucket = StandIn::start();
            let ended = |id, status: &str| Pipeline::new(id).with(|it| it.status = status.into());
            let gitlab = gitlab([
                pipeline(),
                ended(800, status).job(Job::new("unit", status)),
                ended(900, newer),
            ]);
            begin(&bitbucket, 800);
            sync(&gitlab, &bitbucket, ["--since", "24h"]).run().exits(0);
            let found = [("pipeline".to_owned(), expected.to_owned())];
            assert_eq!(shown(&bitbucket), found, "{newer} after {status}");
        }
    }
}

#[test]
fn of_pipelines_of_one_commit_the_newest_says_how_it_went() {
    for older in ["success", "failed", "canceled"] {
        for (newer, expected) in [("success", "SUCCESSFUL"), ("failed", "FAILED")] {
            let bitbucket = StandIn::start();
            let ended = |id, status: &str| Pipeline::new(id).with(|it| it.status = status.into());
            let gitlab = gitlab([
                pipeline(),
                ended(800, older).job(Job::new("unit", older).with(|it| it.id = 700)),
                ended(900, newer).job(Job::new("unit", newer).with(|it| it.id = 900)),
            ]);
            begin(&bitbucket, 800);
            sync(&gitlab, &bitbucket, ["--since", "24h"]).run().exits(0);
            let found = bitbucket.statuses(DEFAULT_COMMIT);
            let found: Vec<_> = found.iter().map(|it| (&*it.state, &*it.url)).collect();
            let url = format!("{HOST}/group/my-project/-/pipelines/900");
            assert_eq!(found, [(expected, &*url)], "{newer} after {older}");
        }
    }
}

/// Two branches may be at one commit: what a merge request of the one has done is nothing to the other.
#[test]
fn a_merge_requests_pipeline_says_nothing_of_another_branch() {
    for (tells, older, newer) in [
        (true, "failed", "success"),
        (true, "canceled", "success"),
        (true, "success", "failed"),
        (false, "failed", "success"),
        (false, "success", "failed"),
    ] {
        let bitbucket = StandIn::start();
        let ended = |id, status: &str| Pipeline::new(id).with(|it| it.status = status.into());
        let of_branch = ended(800, older).job(Job::new("unit", older).with(|it| it.id = 700));
        let of_request = ended(900, newer).merge_request(7);
        let of_request = of_request.job(Job::new("unit", newer).with(|it| it.id = 900));
        let mut setup = gitlab::Setup::default().external_url(HOST);
        if tells {
            setup = setup.merge_request(7, "feature", DEFAULT_COMMIT);
        }
        let gitlab = [pipeline(), of_branch, of_request]
            .into_iter()
            .fold(setup, gitlab::Setup::pipeline)
            .start();
        report(&bitbucket, "running", "unit", 600);
        begin(&bitbucket, 800);
        sync(&gitlab, &bitbucket, ["--since", "24h"]).run().exits(0);
        let mut found = shown(&bitbucket);
        found.sort();
        let state = match older {
            "failed" => "FAILED",
            "canceled" => "STOPPED",
            _ => "SUCCESSFUL",
        };
        let expected = [("ci/gitlab-ci/unit", state), ("pipeline", state)];
        let expected = expected.map(|(key, state)| (key.to_owned(), state.to_owned()));
        assert_eq!(found, expected, "{tells}, {older}");
    }
}

#[test]
fn a_pipeline_that_cannot_be_read_does_not_stop_the_others() {
    let pipelines = || {
        let passed = |id: u64, job: &str| {
            Pipeline::new(id)
                .with(|it| it.status = "success".into())
                .job(Job::new(job, "success"))
        };
        [
            pipeline(),
            passed(800, "a"),
            passed(900, "b").with(|it| it.git_ref = "other".into()),
        ]
    };
    let refusal = |status| Answer::json(status, r#"{"message":"no"}"#);
    let (bitbucket, gitlab_) = (StandIn::start(), gitlab(pipelines()));
    for (queue, code) in [
        (instead([(1, refusal(404))]), 4),
        (instead([(1, refusal(501))]), 5),
        (instead([(1, Answer::json(200, r#"[{"id":null}]"#))]), 4),
    ] {
        let bitbucket = StandIn::start();
        report(&bitbucket, "running", "a", 2);
        let branch = build_status(["running"]).envs(GITLAB).to(&bitbucket);
        branch
            .env("CI_COMMIT_BRANCH", "other")
            .env("CI_JOB_NAME", "b")
            .env("CI_JOB_URL", format!("{HOST}/group/my-project/-/jobs/3"))
            .run()
            .exits(0);
        let gitlab = gitlab(pipelines());
        gitlab.will(queue);
        let ran = sync(&gitlab, &bitbucket, ["--since", "24h"])
            .run()
            .exits(code)
            .says("pipeline 900 is left out");
        let states: Vec<_> = shown(&bitbucket).into_iter().collect();
        let passed = ("ci/gitlab-ci/a".to_owned(), "SUCCESSFUL".to_owned());
        assert!(states.contains(&passed), "{ran:?}");
        assert_eq!(counts(&ran), "1 sent, 0 right already, 0 still running");
    }
    // A commit that is none, and one that Bitbucket does not tell of.
    gitlab_.change(|it| it.pipeline(900).sha = "../x".into());
    report(&bitbucket, "running", "a", 2);
    let ran = sync(&gitlab_, &bitbucket, ["--since", "24h"])
        .run()
        .exits(4);
    assert_eq!(counts(&ran), "1 sent, 0 right already, 0 still running");
    let bitbucket = StandIn::start();
    report(&bitbucket, "running", "a", 2);
    gitlab_.change(|it| it.pipeline(900).sha = "0".repeat(40));
    bitbucket.will([refusal(501)]);
    let ran = sync(&gitlab_, &bitbucket, ["--since", "24h"])
        .run()
        .exits(5);
    assert_eq!(counts(&ran), "1 sent, 0 right already, 0 still running");
}
