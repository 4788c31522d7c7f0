//! Bitbucket Data Center, by version.

use serde_json::json;
use stand_in::{Answer, DEFAULT_COMMIT, Setup, StandIn};

#[cfg(unix)]
use crate::docs::with_blocks;
use crate::support::{Reporter, build_status, gitlab, shown};

fn data_center(version: &str) -> StandIn {
    Setup::default()
        .data_center(version)
        .context_path("/bitbucket")
        .start()
}

/// A job of GitLab CI that reports to the project PROJ on `bitbucket`.
fn report<'a>(bitbucket: &StandIn, args: impl IntoIterator<Item = &'a str>) -> Reporter {
    gitlab(bitbucket, args)
        .without("BITBUCKET_API_ROOT")
        .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
        .env("BITBUCKET_NAMESPACE", "PROJ")
}

fn paths(bitbucket: &StandIn) -> Vec<String> {
    bitbucket
        .received()
        .into_iter()
        .map(|request| request.path)
        .collect()
}

#[test]
fn a_report_is_one_post_to_the_builds_of_the_commit() {
    let bitbucket = data_center("9.4.0");
    let ran = report(&bitbucket, ["--output", "json"]).run().exits(0);
    let builds = format!(
        "/bitbucket/rest/api/latest/projects/PROJ/repos/my-repo/commits/{DEFAULT_COMMIT}/builds"
    );
    assert_eq!(paths(&bitbucket), [builds]);
    assert_eq!(bitbucket.connections(), 1);
    let expected = json!({
        "key": "ci/gitlab-ci/unit-tests",
        "state": "SUCCESSFUL",
        "url": "https://gitlab.example.com/my-workspace/my-repo/-/jobs/4242",
        "name": "unit-tests #17",
        "description": "The build passed!",
        "ref": "refs/heads/main",
        "parent": "ci/gitlab-ci/unit-tests",
        "buildNumber": "17",
    });
    assert_eq!(bitbucket.received()[0].json(), expected);
    let json = ran.json();
    assert_eq!(json["destination"], "data-center");
    assert_eq!(json["http_status"], 204);
    assert_eq!(json["repository"], "PROJ/my-repo");
}

#[test]
fn every_version_gets_a_state_that_it_knows() {
    for (version, word, state, legacy) in [
        ("10.0.1", "passed", "SUCCESSFUL", false),
        ("9.4.0", "stopped", "CANCELLED", false),
        ("8.0.0", "canceled", "CANCELLED", false),
        ("7.21.3", "stopped", "FAILED", false),
        ("7.4.0", "running", "INPROGRESS", false),
        ("7.4.0", "stopped", "FAILED", false),
        ("7.3.2", "passed", "SUCCESSFUL", true),
        ("7.3.2", "stopped", "FAILED", true),
        ("6.10.0", "failed", "FAILED", true),
    ] {
        let bitbucket = data_center(version);
        let ran = report(&bitbucket, [word]).run().exits(0);
        let key = "ci/gitlab-ci/unit-tests".to_owned();
        assert_eq!(
            shown(&bitbucket),
            [(key, state.to_owned())],
            "{version} {word}"
        );
        assert_eq!(
            ran.stderr.contains("Required builds"),
            legacy,
            "{version} {ran:#?}"
        );
        let asked = paths(&bitbucket);
        let capabilities = asked
            .iter()
            .any(|path| path.ends_with("/build/capabilities"));
        assert_eq!(
            capabilities,
            matches!(word, "stopped" | "canceled"),
            "{asked:?}"
        );
        let properties = asked
            .iter()
            .any(|path| path.ends_with("/application-properties"));
        assert_eq!(properties, legacy, "{asked:?}");
    }
}

/// The question is whether it knows CANCELLED.
#[test]
fn a_question_that_fails_costs_no_stopped() {
    let key = || "ci/gitlab-ci/unit-tests".to_owned();
    let args = ["stopped", "--no-guard", "--timeout", "6"];
    // The server itself knows its words.
    for answer in [
        Answer::status(429).with_header("Retry-After", "60"),
        Answer::status(501),
        Answer::status(401),
        Answer::status(403),
        Answer::html(200, "<html>"),
        Answer::json(200, "null"),
    ] {
        for (version, state, requests) in [("9.4.0", "CANCELLED", 2), ("7.21.0", "FAILED", 3)] {
            let bitbucket = data_center(version);
            bitbucket.will([answer.clone()]);
            report(&bitbucket, args).run().exits(0);
            assert_eq!(shown(&bitbucket), [(key(), state.to_owned())], "{version}");
            assert_eq!(bitbucket.received().len(), requests, "{version}");
        }
    }
    // What passes is asked again.
    for answer in [
        Answer::status(429).with_header("Retry-After", "2"),
        Answer::status(500),
        Answer::status(503),
        Answer::Reset,
        Answer::Silence,
    ] {
        let bitbucket = data_center("9.4.0");
        bitbucket.will([answer.clone()]);
        report(&bitbucket, args).run().exits(0);
        let expected = [(key(), "CANCELLED".to_owned())];
        assert_eq!(shown(&bitbucket), expected, "{answer:?}");
        assert_eq!(bitbucket.received().len(), 3, "{answer:?}");
    }
    // The guard's question, too.
    let bitbucket = data_center("9.4.0");
    bitbucket.will([Answer::status(501), Answer::status(501)]);
    report(&bitbucket, ["stopped"]).run().exits(0);
    assert_eq!(shown(&bitbucket)[0].1, "CANCELLED");
}

/// Data Center locks an account after a few of them.
#[test]
fn a_question_that_is_a_failed_login_is_not_followed_by_another() {
    let bitbucket = data_center("9.4.0");
    bitbucket.will([Answer::status(401)]);
    report(&bitbucket, ["stopped", "--no-guard", "--auth", "basic"])
        .env("BITBUCKET_USERNAME", "jdoe")
        .run()
        .exits(4)
        .says("HTTP 401");
    assert_eq!(bitbucket.received().len(), 1);
}

#[test]
fn a_version_that_cannot_be_read_is_not_an_old_one() {
    let bitbucket = data_center("9.4.0");
    for version in ["v9.1", "v7.3", "9", "", "unknown"] {
        let properties = json!({"version": version}).to_string();
        bitbucket.will([Answer::json(404, "{}"), Answer::json(200, &properties)]);
        report(&bitbucket, ["passed"])
            .run()
            .exits(4)
            .says("HTTP 404");
    }
    assert_eq!(bitbucket.received().len(), 10);
    assert_eq!(shown(&bitbucket), []);
}

#[test]
fn an_unknown_repository_or_commit_is_told_from_an_old_server() {
    let bitbucket = data_center("9.4.0");
    report(&bitbucket, ["--repository", "nosuch"])
        .run()
        .exits(4)
        .says("HTTP 404")
        .says("the project's key");
    let foreign = "0123456789012345678901234567890123456789";
    report(&bitbucket, ["--commit", foreign])
        .run()
        .exits(4)
        .says("HTTP 404")
        .says("Bitbucket does not have this commit: push it");
    assert_eq!(shown(&bitbucket), []);
}

#[test]
fn personal_repositories_context_paths_and_tags_arrive_as_they_are() {
    let bitbucket = data_center("9.4.0");
    report(
        &bitbucket,
        ["--repository", "~jdoe/tools", "--refname", "refs/tags/v1.0"],
    )
    .env("BITBUCKET_NAMESPACE", "")
    .run()
    .exits(0);
    let path = paths(&bitbucket).remove(0);
    assert!(path.starts_with("/bitbucket/rest/api/latest/projects/~jdoe/repos/tools/commits/"));
    assert_eq!(bitbucket.received()[0].json()["ref"], "refs/tags/v1.0");
}

#[test]
fn options_of_data_center_are_sent() {
    let bitbucket = data_center("9.4.0");
    report(&bitbucket, ["--parent", "PLAN", "--refname", ""])
        .run()
        .exits(0);
    let body = bitbucket.received()[0].json();
    assert_eq!((&body["parent"], body.get("ref")), (&json!("PLAN"), None));
    report(&bitbucket, [])
        .env("BUILD_STATUS_PARENT", "PLAN2")
        .run()
        .exits(0);
    assert_eq!(bitbucket.received()[1].json()["parent"], "PLAN2");
    let long = "k".repeat(255);
    report(&bitbucket, ["--key", &long]).run().exits(0);
    assert_eq!(bitbucket.received()[2].json()["key"], long.as_str());
    report(&bitbucket, ["--key", &"k".repeat(256)])
        .run()
        .exits(0)
        .says("Bitbucket Data Center allows 255");
}

#[test]
fn a_commit_needs_all_its_digits_and_a_host_no_dot() {
    let bitbucket = data_center("9.4.0");
    report(&bitbucket, ["--commit", &DEFAULT_COMMIT[..12]])
        .run()
        .exits(3)
        .says("--commit");
    report(&bitbucket, [])
        .env("CI_JOB_URL", "http://gitlab/x/-/jobs/1")
        .run()
        .exits(0);
}

#[test]
fn a_clone_url_names_the_repository_and_never_where_the_credentials_go() {
    let bitbucket = data_center("9.4.0");
    let codebuild = |url: &str| {
        build_status(["passed"])
            .envs(crate::support::CODEBUILD)
            .env("BITBUCKET_ACCESS_TOKEN", stand_in::DEFAULT_TOKEN)
            .env("CODEBUILD_SOURCE_REPO_URL", url)
    };
    let server = bitbucket.server_url();
    for path in [
        "/scm/proj/my-repo.git",
        "/projects/PROJ/repos/my-repo/browse",
    ] {
        let url = format!("{server}{path}");
        codebuild(&url)
            .run()
            .exits(2)
            .says(&format!("set BITBUCKET_SERVER_URL to {server}"));
        // The credentials would go to Cloud.
        codebuild(&url)
            .env("BITBUCKET_REPOSITORY", "PROJ/my-repo")
            .run()
            .exits(2);
        codebuild(&url)
            .env("BITBUCKET_SERVER_URL", &server)
            .run()
            .exits(0);
    }
    let ssh = "ssh://git@git.example.com:7999/proj/my-repo.git";
    codebuild(ssh)
        .run()
        .exits(2)
        .says("git.example.com")
        .says("BITBUCKET_SERVER_URL");
    codebuild(ssh)
        .env("BITBUCKET_SERVER_URL", &server)
        .run()
        .exits(0);
    codebuild(ssh)
        .env("BITBUCKET_SERVER_URL", &server)
        .env("BITBUCKET_API_ROOT", &server)
        .run()
        .exits(2)
        .says("BITBUCKET_SERVER_URL")
        .says("BITBUCKET_API_ROOT");
    assert_eq!(bitbucket.history().len(), 3);
}

#[test]
fn a_locked_account_is_not_knocked_at_again() {
    let bitbucket = data_center("9.4.0");
    let wrong = || {
        report(&bitbucket, [])
            .env("BITBUCKET_USERNAME", "me@example.com")
            .env("BITBUCKET_ACCESS_TOKEN", "wrong-password")
            .run()
            .exits(4)
    };
    wrong().says("HTTP 401").says("the password is wrong");
    wrong();
    wrong();
    wrong()
        .says("CAPTCHA")
        .says("locked")
        .says("log in once with a browser");
    assert_eq!(bitbucket.received().len(), 4, "one request each");
}

#[test]
fn refusals_get_hints_that_fit_the_credential() {
    let bitbucket = data_center("9.4.0");
    let wrong = |token: &str| {
        report(&bitbucket, [])
            .env("BITBUCKET_ACCESS_TOKEN", token)
            .run()
            .exits(4)
    };
    wrong("BBDC-wrong")
        .says("HTTP 401")
        .says("lacks the permission Repository read");
    report(&bitbucket, ["--auth", "basic"])
        .env("BITBUCKET_USERNAME", "jdoe")
        .env("BITBUCKET_ACCESS_TOKEN", "BBDC-wrong")
        .run()
        .exits(4)
        .says("sent as Bearer");
    bitbucket.will([Answer::redirect(302, "https://sso.example.com/login")]);
    report(&bitbucket, [])
        .run()
        .exits(4)
        .says("BITBUCKET_SERVER_URL");
    bitbucket.will([Answer::html(200, "<html>Log in</html>")]);
    report(&bitbucket, [])
        .run()
        .exits(4)
        .says("BITBUCKET_SERVER_URL");
}

#[test]
fn the_rate_limit_of_data_center_is_waited_for() {
    let bitbucket = Setup::default()
        .data_center("9.4.0")
        .token_bucket(1, 1)
        .start();
    for _ in 0..2 {
        report(&bitbucket, []).run().exits(0);
    }
    assert!(bitbucket.received().len() >= 3, "one was told to wait");
}

#[test]
fn a_dry_run_shows_the_request_and_what_it_cannot_know() {
    let bitbucket = data_center("9.4.0");
    let ran = report(&bitbucket, ["stopped", "--dry-run"]).run().exits(0);
    assert!(
        ran.stdout.contains("\"state\":\"CANCELLED\""),
        "{}",
        ran.stdout
    );
    ran.says("before 8.0");
    assert_eq!(bitbucket.connections(), 0);
}

#[test]
fn required_builds_of_a_multibranch_job_wait_for_one_parent_on_every_branch() {
    let bitbucket = data_center("9.4.0");
    let parents = [
        ("feature%2Fa", None),
        ("PR-7", None),
        ("main", Some("mine")),
    ]
    .map(|(branch, parent)| {
        let mut reporter = build_status(["passed"])
            .env("JENKINS_URL", "https://ci.example.com/")
            .env("BUILD_TAG", "jenkins-team-app-7")
            .env("JOB_NAME", format!("team/app/{branch}"))
            .env("STAGE_NAME", "unit tests")
            .env("BRANCH_NAME", branch.replace("%2F", "/"))
            .env("BUILD_URL", "https://ci.example.com/job/7/")
            .env("GIT_COMMIT", DEFAULT_COMMIT)
            .env("BITBUCKET_REPOSITORY", "PROJ/my-repo")
            .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
            .env("BITBUCKET_ACCESS_TOKEN", stand_in::DEFAULT_TOKEN);
        if let Some(parent) = parent {
            reporter = reporter.env("BUILD_STATUS_PARENT", parent);
        }
        reporter.run().exits(0);
        let request = bitbucket.received().pop().unwrap();
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        [body["key"].clone(), body["parent"].clone()]
    });
    let expected = [
        [
            "ci/jenkins/team/app/feature%2Fa/unit tests",
            "ci/jenkins/team/app/unit tests",
        ],
        [
            "ci/jenkins/team/app/PR-7/unit tests",
            "ci/jenkins/team/app/unit tests",
        ],
        ["ci/jenkins/team/app/main/unit tests", "mine"],
    ];
    assert_eq!(
        parents,
        expected.map(|pair| pair.map(serde_json::Value::from))
    );
}

/// docs/data-center.md shows what `check` prints there, and its jobs have the variables that they need.
#[cfg(unix)] // one runs echo
#[test]
fn the_page_shows_a_check_and_jobs_that_pass() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/data-center.md");
    let page = std::fs::read_to_string(path).unwrap();
    let bitbucket = data_center("9.4.0");
    let job = |args: &[&str], first: &str| {
        let (_, job) = page.split_once(first).unwrap();
        let (_, variables) = job.split_once("variables:\n").unwrap();
        let mut call = gitlab(&bitbucket, args.iter().copied()).without("BITBUCKET_API_ROOT");
        for (name, value) in variables
            .lines()
            .map_while(|line| line.trim().split_once(": "))
        {
            let value = match name {
                "BITBUCKET_SERVER_URL" => bitbucket.server_url(),
                "BUILD_STATUS_CA_FILE" => continue, // it is plain http here
                _ => value.to_owned(),
            };
            call = call.env(name, value);
        }
        call.env("PATH", "/usr/bin:/bin").run().exits(0)
    };
    let checked = job(&["check"], "# .gitlab-ci.yml: try the set-up\n");
    let printed = checked
        .stdout
        .replace(&bitbucket.server_url(), "https://git.example.com/bitbucket");
    let block = format!("```console\n$ build_status check\n{printed}```\n");
    let expected = with_blocks(&page, &[("check-data-center", block)]);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &expected).unwrap();
    } else {
        assert!(
            page == expected,
            "{path} is out of date: run `UPDATE=1 cargo test`"
        );
    }
    let first = "# .gitlab-ci.yml: COMPANY_CA is a variable of the type File\n";
    job(&["run", "--", "echo", "your command"], first);
    let stored = bitbucket.history().pop().unwrap();
    assert_eq!(
        (stored.key.as_str(), stored.state.as_str()),
        ("ci/gitlab-ci/unit-tests", "SUCCESSFUL")
    );
}
